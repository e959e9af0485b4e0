"""Which plans are worth asking about an item: each is filed under terms of which it needs one.

Of all that a plan needs, the rarest is taken: a term that few plans are filed under, and that is no
common word. A plan that needs no word at all (a regular expression, a language) is always asked.
"""

from __future__ import annotations

from itertools import count
from operator import itemgetter

from monitor.matching.entries import Entry, Piece, numbers
from monitor.matching.needs import Burden, all_needed, rarest
from monitor.model import Known

_START_AND_TOPIC = itemgetter(2, 0)


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
        needed = rarest(entry.plan, self._cost)
        if needed is None:
            self.always[entry] = None
            return
        filed = tuple(needed[1])
        entry.filed = entry.held if entry.held == filed else filed  # most are one word: save the second tuple
        for term in entry.filed:
            self._files[term] = (*self._files.get(term, ()), entry)
        if not entry.single:
            entry.number = next(self._next)
            self.numbered[entry.number] = entry

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        if entry.filed is None:
            del self.always[entry]
            return
        if not entry.single:
            del self.numbered[entry.number]
        for term in entry.filed:
            left = tuple(each for each in self._files[term] if each is not entry)
            if left:
                self._files[term] = left
            else:
                del self._files[term]

    def ask(self, piece: Piece) -> tuple[Known, ...]:
        """Note in a piece of text what is filed under its terms; return the topics that a word of it is."""
        singles: list[Known] = []
        pairs = numbers()
        for term, token, (how, score) in zip(numbers(piece.terms), piece.tokens, piece.grades, strict=True):
            start, end = piece.spans[token]
            for entry in self._files.get(term, ()):
                if single := entry.single:
                    singles.append((entry.topic_id, score, start, end, single.label, how))
                else:
                    partner = _partner(entry)
                    pairs.extend((term if partner is None else partner, entry.number))
        piece.pairs = pairs.tobytes()
        piece.singles = tuple(sorted(singles, key=_START_AND_TOPIC))
        return piece.singles

    def _cost(self, term: int) -> int:
        """Return how much one more plan costs that is filed under a term."""
        return self._burden(term) + len(self._files.get(term, ()))


def _partner(entry: Entry) -> int | None:
    """Return another term that an item must have, if the entry is filed under one only."""
    if entry.filed is None or len(entry.filed) != 1:
        return None
    return next((term for term in all_needed(entry.plan) if term != entry.filed[0]), None)
