"""Which plans are worth asking about an item: each is filed under terms of which it needs one.

Of all that a plan needs, the rarest is taken: a term that few plans are filed under, and that is no
common word. A plan that needs no word at all (a regular expression, a language) is always asked.
"""

from __future__ import annotations

from collections import Counter

from monitor.matching.entries import NO_NUMBERS, Entry, Piece, numbers
from monitor.matching.needs import Burden, all_needed, rarest
from monitor.model import Known


class Index:
    """Entries filed under the terms that they need."""

    def __init__(self, burden: Burden) -> None:
        """Judge the rarity of terms by `burden`."""
        self._burden = burden
        self._files: dict[int, tuple[Entry, ...]] = {}
        self._partners: Counter[int] = Counter()
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
        if (partner := _partner(entry)) is not None:
            self._partners[partner] += 1

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        if entry.filed is None:
            del self.always[entry]
            return
        if (partner := _partner(entry)) is not None:
            self._partners[partner] -= 1
            if not self._partners[partner]:
                del self._partners[partner]
        for term in entry.filed:
            left = tuple(each for each in self._files[term] if each is not entry)
            if left:
                self._files[term] = left
            else:
                del self._files[term]

    def ask(self, piece: Piece) -> tuple[Known, ...]:
        """Note in a piece of text what is filed under its terms; return the topics that a word of it is."""
        singles: list[Known] = []
        entries: list[Entry] = []
        paired: list[Entry] = []
        partners = numbers()
        for (start, end), terms, grades in zip(piece.spans, piece.terms, piece.grades, strict=True):
            for term, (how, score) in zip(terms, grades, strict=True):
                for entry in self._files.get(term, ()):
                    if single := entry.single:
                        singles.append((entry.topic_id, score, start, end, single.label, how))
                    elif (partner := _partner(entry)) is None:
                        entries.append(entry)
                    else:
                        paired.append(entry)
                        partners.append(partner)
        piece.entries, piece.paired, piece.partners = tuple(entries), tuple(paired), partners or NO_NUMBERS
        piece.seconds = numbers(filter(self._partners.__contains__, piece.present)) or NO_NUMBERS
        piece.singles = tuple(singles)
        return piece.singles

    def _cost(self, term: int) -> int:
        """Return how much one more plan costs that is filed under a term."""
        return self._burden(term) + len(self._files.get(term, ()))


def _partner(entry: Entry) -> int | None:
    """Return another term that an item must have, if the entry is filed under one only."""
    if entry.filed is None or len(entry.filed) != 1:
        return None
    return next((term for term in all_needed(entry.plan) if term != entry.filed[0]), None)
