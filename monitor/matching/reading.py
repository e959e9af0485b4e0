"""An item as the plans see it: which terms stand where. What is asked for is worked out when asked."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import accumulate, compress, count
from operator import add, attrgetter
from typing import Any

from monitor.matching.entries import WIDTH, Shape, numbers
from monitor.matching.evidence import evidence
from monitor.matching.lexicon import SENTENCE_GAP, Lexicon, split
from monitor.matching.operators import Subject
from monitor.matching.phrase import Hit
from monitor.matching.plan import Mark, Unit
from monitor.model import Evidence, Field, How

MAX_TEXT = 200_000  # characters of a field that are read
SMALL = 3  # letters of a word that without a capital is a unit, or "міг", rather than part of a name
FIELD_GAP = 1_000  # places between title and text: no phrase reaches across
new = tuple.__new__  # makes a named tuple in half the time of its own constructor
_SHAPE = attrgetter("shape")


class ItemReading:
    """Implements `plan.Reading` over the pieces of one item."""

    def __init__(self, subject: Subject, lexicon: Lexicon) -> None:
        self.subject = subject
        # What is read of the title and of the text.
        self.fields = (subject.item.title[:MAX_TEXT], subject.item.text[:MAX_TEXT])
        title, text = map(split, self.fields)
        self._written = (title, text)
        self._pieces = lexicon.pieces(title + text, subject.language)
        telling = [piece.terms for piece in self._pieces]
        self.found = list(compress(self._pieces, telling))  # the pieces of which a word is a term
        self.at = list(compress(range(len(telling)), telling))  # and which ones they are
        self._rows = list(filter(None, telling))  # and their terms
        self._located = False
        self._where: dict[int, list[tuple[int, int]]] = {}  # the numbers of the piece, and of the term in it
        self._hits: dict[int, list[Hit]] = {}
        self._places: dict[int, int] = {}  # by position
        self._term_places: dict[int, list[int]] = {}

    @cached_property
    def starts(self) -> list[int]:
        """Where each piece begins in its field."""
        return [*_starts(self._written[0], self.fields[0]), *_starts(self._written[1], self.fields[1])]

    @property
    def title_pieces(self) -> int:
        """How many pieces are the title's."""
        return len(self._written[0])

    @cached_property
    def _shapes(self) -> tuple[tuple[Any, ...], ...]:
        """The fields of `Shape`: of each a row with that of every piece."""
        return tuple(zip(*map(_SHAPE, self._pieces), strict=True)) or ((),) * len(Shape._fields)

    @cached_property
    def _positions(self) -> list[int]:
        """The position of the first token of each piece."""
        spans, *_ = self._shapes
        return list(accumulate(map(len, spans), initial=0))

    @cached_property
    def boundary(self) -> int:
        """The position of the text's first token."""
        return self._positions[len(self._written[0])]

    @cached_property
    def _row(self) -> bytes:
        """The terms that stand anywhere, as they follow each other."""
        return b"".join(self._rows)

    @cached_property
    def _begins(self) -> list[int]:
        """Where in the row the terms of each piece begin, in bytes."""
        return list(accumulate(map(len, self._rows), initial=0))

    @cached_property
    def standing(self) -> frozenset[int]:
        """The terms that stand anywhere."""
        return frozenset(numbers(self._row))

    def present(self, terms: AbstractSet[int]) -> AbstractSet[int]:
        """Return those of the terms that stand anywhere."""
        return self.standing & terms

    def within(self, reach: int, piece: int, term: int) -> bool:
        """Tell whether a word of a found piece may stand within reach of a term."""
        places, begins = self._found_places, self._begins
        first = bisect_left(places, places[piece] - reach) - 1  # the piece before may have words within reach
        last = bisect_right(places, self._piece_places[self.at[piece] + 1] + reach)
        return self._row.find(term.to_bytes(WIDTH, sys.byteorder), begins[max(0, first)], begins[last]) >= 0

    @cached_property
    def _found_places(self) -> list[int]:
        """The place of each piece of which a word is a term."""
        return list(map(self._piece_places.__getitem__, self.at))

    def locate(self) -> None:
        """Find out where all terms stand, in one go."""
        self._located = True
        where = self._where = {term: [] for term in self.standing}
        for at, piece in zip(self.at, self.found, strict=True):
            for number, term in enumerate(numbers(piece.terms)):
                where[term].append((at, number))

    def hits(self, term: int) -> list[Hit]:
        """Return where a term stands, by ascending position."""
        hits = self._hits.get(term)
        if hits is None:
            hits = self._hits[term] = [self._hit(at, number) for at, number in self._standing_at(term)]
        return hits

    def _standing_at(self, term: int) -> Sequence[tuple[int, int]]:
        """Return where a term stands, by the numbers of the piece and of the term in it."""
        where = self._where.get(term)
        if where is None:
            where = self._where[term] = [] if self._located else list(self._search(term))
        return where

    def _search(self, term: int) -> Iterator[tuple[int, int]]:
        """Find out where a single term stands."""
        row, sought = self._row, term.to_bytes(WIDTH, sys.byteorder)
        at = row.find(sought)
        while at >= 0:
            if not at % WIDTH:
                which = bisect_right(self._begins, at) - 1
                yield self.at[which], (at - self._begins[which]) // WIDTH
            at = row.find(sought, at + 1)

    def _hit(self, at: int, number: int) -> Hit:
        """Return the hit of a term of a piece."""
        piece = self._pieces[at]
        token = piece.tokens[number]
        position = self._positions[at] + token
        self._places[position] = self._piece_places[at] + piece.shape.places[token]
        return position, position, *piece.grades[number]

    @cached_property
    def _piece_places(self) -> list[int]:
        """The place of each piece, and of one after the last."""
        _, _, row, _ = self._shapes
        sizes = list(row)
        for at in self._line_ends():
            if not self._pieces[at].shape.ends:
                sizes[at] += SENTENCE_GAP
        if self.title_pieces:
            sizes[self.title_pieces - 1] += FIELD_GAP
        return list(accumulate(sizes, initial=0))

    def _line_ends(self) -> set[int]:
        """Return the pieces with which a line ends."""
        ends = set()
        first = 0
        for written, text in zip(self._written, self.fields, strict=True):
            at = text.find("\n")
            while at >= 0:
                before = bisect_right(self.starts, at, first, first + len(written)) - 1
                if before >= first and at >= self.starts[before] + len(written[before - first]):
                    ends.add(before)
                at = text.find("\n", at + 1)
            first += len(written)
        return ends

    def places(self) -> Mapping[int, int]:
        """Return where the token of each hit stands when stop words are not counted and gaps are."""
        return self._places

    def goes_on(self, position: int) -> bool:
        """Tell whether a name may go on with a number behind a token."""
        at = bisect_right(self._positions, position) - 1
        shape = self._pieces[at].shape
        if position + 1 < self._positions[at + 1]:
            return True
        *_, place = shape.places
        is_function_word = place + SENTENCE_GAP * shape.ends == shape.size
        text = self.fields[position >= self.boundary]
        start, end = self._span(position)
        is_small = is_function_word or (end - start <= SMALL and text[start].islower())
        return text[end : self._span(position + 1)[0]].isspace() and not is_small

    def near(self, units: Sequence[Unit], reach: int) -> bool:
        """Return False where the first of some words stands nowhere within reach of one of the others."""
        first, *others = units
        if not self._located:  # few plans are asked, whose words are near each other already: see `within`
            return True
        if not isinstance(first, int):
            return True
        ours = self._places_of(first)
        for unit in others:
            if isinstance(unit, int) and not within_reach(ours, self._places_of(unit), reach):
                return False
        return True

    def _places_of(self, term: int) -> list[int]:
        """Return the places of a term."""
        places = self._term_places.get(term)
        if places is None:
            pieces, before = self._pieces, self._piece_places
            places = [
                before[at] + pieces[at].shape.places[pieces[at].tokens[number]]
                for at, number in self._standing_at(term)
            ]
            self._term_places[term] = places
        return places

    def evidence_of(self, topic_id: str) -> tuple[Evidence, ...]:
        """Return the evidence of a topic that is a single word."""
        return evidence(self._singles[topic_id], self.subject.item)

    @cached_property
    def _singles(self) -> dict[str, list[Mark]]:
        """Where each topic stands that is a single word."""
        found: dict[str, list[Mark]] = {}
        starts, titles = self.starts, self.title_pieces
        for at, piece in zip(self.at, self.found, strict=True):
            if piece.singles:
                begin = starts[at]
                field: Field = "title" if at < titles else "text"
                singles, words = iter(piece.singles), iter(piece.words)
                for topic_id, score, start, end, label, how in zip(
                    singles, singles, words, words, words, words, strict=True
                ):
                    mark = score, new(Evidence, (field, begin + start, begin + end, label, how))
                    if topic_id in found:
                        found[topic_id].append(mark)
                    else:
                        found[topic_id] = [mark]
        return found

    def evidence(self, first: int, last: int, keyword: str, how: How) -> Evidence:
        """Return the stretch from one token to another of the same field."""
        start, end = self._span(first)
        if last != first:
            end = self._span(last)[1]
        return Evidence("title" if first < self.boundary else "text", start, end, keyword, how)

    def _span(self, position: int) -> tuple[int, int]:
        """Return the offsets of a token in its field."""
        at = bisect_right(self._positions, position) - 1
        first, last = self._pieces[at].shape.spans[position - self._positions[at]]
        return self.starts[at] + first, self.starts[at] + last


def within_reach(ours: Sequence[int], theirs: Sequence[int], reach: int) -> bool:
    """Tell whether one of our places is within so many of one of theirs; both are in ascending order."""
    few, many = (ours, theirs) if len(ours) < len(theirs) else (theirs, ours)
    for here in few:
        at = bisect_left(many, here - reach)
        if at < len(many) and many[at] <= here + reach:
            return True
    return False


def _starts(written: list[str], text: str) -> list[int]:
    """Return where each piece of a text begins."""
    starts = list(map(add, accumulate(map(len, written), initial=0), count()))
    if starts[-1] == len(text) + 1:  # a single space between any two, and none around
        return starts[:-1]
    starts = []
    at = 0
    for each in written:
        at = text.index(each, at)
        starts.append(at)
        at += len(each)
    return starts
