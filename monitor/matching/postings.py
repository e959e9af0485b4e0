"""From the key of a word to the terms that may be it, in little memory.

A hundred thousand watches have millions of keys. Those that are there at the start are kept as one
sorted array of 64-bit numbers: the upper bits are a key's hash, the lower ones the number of a term.
Later ones stand in a dictionary beside it, so that adding one moves nothing. Two keys with the same
hash only cost a needless comparison.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

TERM_BITS = 24
MOST_TERMS = 1 << TERM_BITS
_TERM = MOST_TERMS - 1
_HASH = ((1 << 64) - 1) ^ _TERM
_PART_SHIFT = 56
_PARTS = 256  # sorted one after the other, so that a build needs little more memory than its result


class Postings:
    """Which terms have which keys. What was sorted stays (a dead term is the caller's to skip)."""

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._later: dict[str, list[int]] = {}
        self._parts: list[array[int]] = []

    def expect_many(self) -> None:
        """Gather what is added from now on, to be sorted by `settle`; until then it is not found."""
        self._parts = [array("Q") for _ in range(_PARTS)]

    def settle(self) -> None:
        """Sort what was gathered."""
        for part in self._parts:
            self._sorted.extend(sorted(part))
        self._parts = []

    def add(self, term: int, keys: Iterable[str]) -> None:
        """Add a term under its keys."""
        for key in keys:
            if self._parts:
                number = hash(key) & _HASH | term
                self._parts[number >> _PART_SHIFT].append(number)
            else:
                self._later.setdefault(key, []).append(term)

    def remove(self, term: int, keys: Iterable[str]) -> None:
        """Take a term out that was added later, from under its keys."""
        for key in keys:
            terms = self._later.get(key, [])
            if term in terms:
                terms.remove(term)
                if not terms:
                    del self._later[key]

    def find(self, keys: Iterable[str]) -> Iterator[int]:
        """Return the terms that may have one of these keys, some of them more than once."""
        numbers = self._sorted
        for key in keys:
            start = hash(key) & _HASH
            at = bisect_left(numbers, start)
            while at < len(numbers) and numbers[at] & _HASH == start:
                yield numbers[at] & _TERM
                at += 1
            yield from self._later.get(key, ())
