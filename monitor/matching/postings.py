"""From the key of a word to the terms that may be it, in little memory.

A hundred thousand watches have millions of keys. Those that are there at the start are kept as one
sorted array of 64-bit numbers: the upper bits are a key's hash, the lower ones the number of a term.
Nearly all keys of a text nobody looks for; a bit for each stretch of hashes tells most of them without
a search (a Bloom filter with one hash). Later keys stand in a dictionary beside it, so that adding one
moves nothing. Two keys with the same hash only cost a needless comparison.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

TERM_BITS = 24
MOST_TERMS = 1 << TERM_BITS
_TERM = MOST_TERMS - 1
_WIDTH = 64
_HASH = ((1 << _WIDTH) - 1) ^ _TERM
_PART_SHIFT = 52
_PARTS = 1 << _WIDTH - _PART_SHIFT  # sorted one by one: a build needs little more memory than its result
_SPARSE = 3  # the stretches are more than the numbers by this power of two
_TO_BYTE, _IN_BYTE = 3, 7  # from a stretch to the byte of its bit, and to the bit in it


class Postings:
    """Which terms have which keys. What was sorted stays (a dead term is the caller's to skip)."""

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._begins = array("I", [0] * (_PARTS + 1))  # of each part, and the end of the last one
        self._marks = bytearray(1)  # a bit for each stretch that has a number
        self._shift = _WIDTH  # from a number to its stretch
        self._later: dict[str, list[int]] = {}
        self._parts: list[array[int]] = []

    def expect_many(self) -> None:
        """Gather what is added from now on, to be sorted by `settle`; until then it is not found."""
        self._parts = [array("Q") for _ in range(_PARTS)]

    def settle(self) -> None:
        """Sort what was gathered."""
        for at, part in enumerate(self._parts, 1):
            self._sorted.extend(sorted(part))
            self._begins[at] = len(self._sorted)
        self._parts = []
        bits = len(self._sorted).bit_length() + _SPARSE
        self._shift = _WIDTH - bits
        self._marks = marks = bytearray(1 << bits - _TO_BYTE)
        for number in self._sorted:
            stretch = number >> self._shift
            marks[stretch >> _TO_BYTE] |= 1 << (stretch & _IN_BYTE)

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

    def find(self, keys: Iterable[str]) -> list[int]:
        """Return the terms that may have one of these keys, some of them more than once."""
        found: list[int] = []
        numbers, begins, later = self._sorted, self._begins, self._later
        marks, shift = self._marks, self._shift
        for key in keys:
            start = hash(key) & _HASH
            stretch = start >> shift
            if marks[stretch >> _TO_BYTE] >> (stretch & _IN_BYTE) & 1:
                part = start >> _PART_SHIFT
                at, end = begins[part], begins[part + 1]
                at = bisect_left(numbers, start, at, end)
                while at < end and numbers[at] & _HASH == start:
                    found.append(numbers[at] & _TERM)
                    at += 1
            if key in later:
                found += later[key]
        return found
