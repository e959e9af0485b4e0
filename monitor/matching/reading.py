"""An item as the plans see it: which terms stand where. What is asked for is worked out when asked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import accumulate

from monitor.matching.entries import Piece
from monitor.matching.lexicon import Lexicon, split
from monitor.matching.operators import Subject
from monitor.matching.phrase import Hit
from monitor.model import Evidence, How

MAX_TEXT = 200_000  # characters of a field that are read
FIELD_GAP = 1_000  # places between title and text: no phrase reaches across
SENTENCE_GAP = 3  # places between two sentences


class ItemReading:
    """Implements `plan.Reading` over the pieces of one item."""

    def __init__(self, subject: Subject, lexicon: Lexicon) -> None:
        self.subject = subject
        self._fields = (subject.item.title[:MAX_TEXT], subject.item.text[:MAX_TEXT])
        title, text = map(split, self._fields)
        self._written = (title, text)
        self._pieces = lexicon.pieces(title + text, subject.language)
        self.found = [(at, piece) for at, piece in enumerate(self._pieces) if piece.terms]
        self._where: dict[int, list[tuple[int, int]]] = {}  # the numbers of the piece, and of the token in it
        self._hits: dict[int, list[Hit]] = {}

    @cached_property
    def starts(self) -> list[int]:
        """Where each piece begins in its field."""
        return [*_starts(self._written[0], self._fields[0]), *_starts(self._written[1], self._fields[1])]

    @property
    def title_pieces(self) -> int:
        """How many pieces are the title's."""
        return len(self._written[0])

    @cached_property
    def _positions(self) -> list[int]:
        """The position of the first token of each piece."""
        return list(accumulate([len(piece.spans) for piece in self._pieces], initial=0))

    @cached_property
    def boundary(self) -> int:
        """The position of the text's first token."""
        return self._positions[len(self._written[0])]

    @cached_property
    def standing(self) -> frozenset[int]:
        """The terms that stand anywhere."""
        return frozenset[int]().union(*[piece.present for _, piece in self.found])

    def present(self, terms: AbstractSet[int]) -> AbstractSet[int]:
        """Return those of the terms that stand anywhere."""
        return self.standing & terms

    def locate(self, terms: Iterable[int]) -> None:
        """Find out where these terms stand, all in one go."""
        wanted = set(terms).difference(self._where)
        self._where.update((term, []) for term in wanted)
        for at, piece in self.found:
            for term in piece.present & wanted:
                self._where[term] += [(at, offset) for offset, each in enumerate(piece.terms) if term in each]

    def hits(self, term: int) -> list[Hit]:
        """Return where a term stands, by ascending position."""
        if term not in self.standing:
            return []
        hits = self._hits.get(term)
        if hits is None:
            if term not in self._where:
                self.locate(self.standing)
            hits = self._hits[term] = [self._hit(term, at, offset) for at, offset in self._where[term]]
        return hits

    def _hit(self, term: int, at: int, offset: int) -> Hit:
        """Return the hit of a term at a token of a piece."""
        piece = self._pieces[at]
        position = self._positions[at] + offset
        return position, position, *piece.grades[offset][piece.terms[offset].index(term)]

    @cached_property
    def _places(self) -> list[int]:
        """The place of each token."""
        count = self.title_pieces
        title, text = self._written
        before = _places(self._pieces[:count], title, self.starts[:count], self._fields[0], 0)
        start = before[-1] + FIELD_GAP if before else 0
        return before + _places(self._pieces[count:], text, self.starts[count:], self._fields[1], start)

    def places(self) -> list[int]:
        """Return where each token stands when stop words are not counted and gaps are."""
        return self._places

    def evidence(self, first: int, last: int, keyword: str, how: How) -> Evidence:
        """Return the stretch from one token to another of the same field."""
        start, end = self._span(first)
        if last != first:
            end = self._span(last)[1]
        return Evidence("title" if first < self.boundary else "text", start, end, keyword, how)

    def _span(self, position: int) -> tuple[int, int]:
        """Return the offsets of a token in its field."""
        at = bisect_right(self._positions, position) - 1
        first, last = self._pieces[at].spans[position - self._positions[at]]
        return self.starts[at] + first, self.starts[at] + last


def _starts(written: list[str], text: str) -> list[int]:
    """Return where each piece of a text begins."""
    starts = [at + gaps for gaps, at in enumerate(accumulate(map(len, written), initial=0))]
    if starts[-1] == len(text) + 1:  # a single space between any two, and none around
        return starts[:-1]
    starts = []
    at = 0
    for each in written:
        at = text.index(each, at)
        starts.append(at)
        at += len(each)
    return starts


def _places(pieces: list[Piece], written: list[str], starts: list[int], text: str, place: int) -> list[int]:
    """Return the place of each token of a field that starts at `place`."""
    found = []
    ends = [*starts, len(text)][1:]
    lines = "\n" in text
    for at, piece in enumerate(pieces):
        for stop in piece.stops:
            found.append(place)
            place += not stop
        if piece.ends or (lines and "\n" in text[starts[at] + len(written[at]) : ends[at]]):
            place += SENTENCE_GAP
    return found
