"""What the index is made of: topics with their plans, and what is known of a piece of text."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitor.matching.plan import One, Plan
from monitor.matching.terms import Grade


@dataclass(slots=True, eq=False)
class Entry:
    """One topic in the index."""

    topic_id: str
    plan: Plan
    sources: tuple[str, ...]  # ids and tags of the sources that it is limited to; empty is all
    held: tuple[int, ...]  # the terms of the plan
    # In one row each term that it is filed under, and one that is needed beside it, or itself where none is;
    # None: it is always asked.
    filed: tuple[int, ...] | None = None
    number: int = 0  # under which a piece of text names it
    # How far apart its words may stand, where it is nothing but a few plain words.
    reach: int | None = None

    @property
    def single(self) -> One | None:
        """The plan of a topic that is one word, which may stand anywhere and in any source."""
        plan = self.plan
        if isinstance(plan, One) and isinstance(plan.unit, int) and not plan.title and not self.sources:
            return plan
        return None


Numbers = array  # of terms and entries: side by side in memory, and many taken together in one step
WIDTH = 4  # bytes of a number


def numbers(terms: Iterable[int] | bytes = ()) -> Numbers[int]:
    """Return numbers in 4 bytes each, from the numbers or from their bytes."""
    return array("I", terms)


class Shape(NamedTuple):
    """Of what form a piece of text is, whatever its words are."""

    spans: tuple[tuple[int, int], ...]  # of its tokens, within the piece
    places: tuple[int, ...]  # of its tokens, where stop words are not counted
    size: int  # how many places it takes, with the gap after a sentence
    ends: bool  # whether a sentence ends with it


@dataclass(slots=True)
class Piece:
    """What is known of a piece of text."""

    revision: int  # of the lexicon, for which this is known
    known: int  # the first so many terms are considered
    shape: Shape
    terms: bytes = b""  # the numbers of the terms that they are
    tokens: tuple[int, ...] = ()  # which of them each of these is
    grades: tuple[Grade, ...] = ()  # and how
    # What the index has filed for it. Of each topic that one of its words is all by itself, in one row: the
    # topic's id, and how sure it is,
    singles: tuple[Any, ...] = ()
    words: tuple[Any, ...] = ()  # and of each the word's start, its end, the keyword, and how it is that.
    # Of each other entry under one of the terms: another term that it needs, and its number.
    pairs: bytes = b""
