"""Which plans are worth asking about an item: each is filed under terms of which it needs one.

Of all that a plan needs, the rarest is taken: a term that few plans are filed under, and that is no
common word. Where the plan needs another term beside it, it is only asked if that one stands there, too.
A plan that needs no word at all (a regular expression, a language) is always asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, compress, count, repeat
from operator import itemgetter

from monitor.matching.entries import Entry, Piece, numbers
from monitor.matching.needs import Burden, Way, ways
from monitor.matching.plan import Cluster
from monitor.model import How

_START_AND_TOPIC = itemgetter(0, 1)


class Index:
    """Entries filed under the terms that they need."""

    def __init__(self, burden: Burden) -> None:
        """Judge the rarity of terms by `burden`."""
        self._burden = burden
        self._files: dict[int, tuple[Entry, ...]] = {}
        self._next = count()
        self.numbered: dict[int, Entry] = {}
        self.always: dict[Entry, None] = {}

    def add(self, entry: Entry) -> None:
        """File an entry."""
        found = ways(entry.plan, self._cost)
        if found is None:
            self.always[entry] = None
            return
        entry.filed = _pairs(found)
        if not entry.single:
            entry.number = next(self._next)
            plan = entry.plan
            if isinstance(plan, Cluster) and all(isinstance(unit, int) for unit in plan.units):
                entry.reach = plan.reach
            self.numbered[entry.number] = entry
        for term in set(entry.filed[::2]):
            self._files[term] = (*self._files.get(term, ()), entry)

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        if entry.filed is None:
            del self.always[entry]
            return
        if not entry.single:
            del self.numbered[entry.number]
        for term in set(entry.filed[::2]):
            left = tuple(each for each in self._files[term] if each is not entry)
            if left:
                self._files[term] = left
            else:
                del self._files[term]

    def ask(self, piece: Piece) -> None:
        """Note in a piece of text what is filed under its terms."""
        singles: list[tuple[int, str, float, int, str, How]] = []
        pairs = numbers()
        for term, token, (how, score) in zip(numbers(piece.terms), piece.tokens, piece.grades, strict=True):
            start, end = piece.shape.spans[token]
            for entry in self._files.get(term, ()):
                if single := entry.single:
                    singles.append((start, entry.topic_id, score, end, single.label, how))
                else:
                    pairs.extend(chain.from_iterable(zip(_beside(term, entry), repeat(entry.number))))
        piece.pairs = pairs.tobytes()
        singles.sort(key=_START_AND_TOPIC)
        piece.singles = tuple(chain.from_iterable((topic_id, score) for _, topic_id, score, *_ in singles))
        piece.words = tuple(
            chain.from_iterable((start, end, label, how) for start, _, _, end, label, how in singles)
        )

    def _cost(self, term: int) -> int:
        """Return how much one more plan costs that is filed under a term."""
        return self._burden(term) + len(self._files.get(term, ()))


def _pairs(found: Iterable[Way]) -> tuple[int, ...]:
    """Return in one row each term of some ways with each that is needed beside it, or with itself."""
    beside: dict[int, set[int]] = {}
    for way in found:
        for term in way.first[1]:
            beside.setdefault(term, set()).update((term,) if way.beside is None else way.beside[1])
    return tuple(
        number
        for term, others in beside.items()
        for other in ((term,) if term in others else sorted(others))
        for number in (term, other)
    )


def _beside(term: int, entry: Entry) -> Iterator[int]:
    """Yield the terms of which an item must have one if an entry is to hold by a term."""
    filed = entry.filed or ()
    return compress(filed[1::2], map(term.__eq__, filed[::2]))
