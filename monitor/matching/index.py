"""Which plans are worth asking about an item: each is filed under terms of which it needs one.

Of all that a plan needs, the rarest is taken: a term that few plans are filed under, and that is no
common word. A plan that needs no word at all (a regular expression, a language) is always asked.
"""

from __future__ import annotations

from monitor.matching.entries import Entry, Filed, Piece, Single
from monitor.matching.needs import Burden, all_needed, rarest


class Index:
    """Entries filed under the terms that they need."""

    def __init__(self, burden: Burden) -> None:
        """Judge the rarity of terms by `burden`."""
        self._burden = burden
        self._files: dict[int, tuple[Entry, ...]] = {}
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

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        if entry.filed is None:
            del self.always[entry]
            return
        for term in entry.filed:
            left = tuple(each for each in self._files[term] if each is not entry)
            if left:
                self._files[term] = left
            else:
                del self._files[term]

    def filed(self, piece: Piece) -> Filed:
        """Return what is filed under the terms of a piece of text."""
        singles: list[Single] = []
        entries: list[Entry] = []
        pairs: list[tuple[Entry, int]] = []
        for (start, end), terms, grades in zip(piece.spans, piece.terms, piece.grades, strict=True):
            for term, grade in zip(terms, grades, strict=True):
                for entry in self._files.get(term, ()):
                    if single := entry.single:
                        singles.append((start, end, entry.topic_id, single.label, *grade))
                    elif (partner := _partner(entry)) is None:
                        entries.append(entry)
                    else:
                        pairs.append((entry, partner))
        paired = tuple(entry for entry, _ in pairs)
        return Filed(tuple(singles), tuple(entries), paired, tuple(partner for _, partner in pairs))

    def _cost(self, term: int) -> int:
        """Return how much one more plan costs that is filed under a term."""
        return self._burden(term) + len(self._files.get(term, ()))


def _partner(entry: Entry) -> int | None:
    """Return another term that an item must have, if the entry is filed under one only."""
    if entry.filed is None or len(entry.filed) != 1:
        return None
    return next((term for term in all_needed(entry.plan) if term != entry.filed[0]), None)
