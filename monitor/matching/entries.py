"""What the index is made of: topics with their plans, and what is known of a piece of text."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.matching.plan import One, Plan
from monitor.matching.terms import Grade
from monitor.model import Known


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

    @property
    def single(self) -> One | None:
        """The plan of a topic that is one word, which may stand anywhere and in any source."""
        plan = self.plan
        if isinstance(plan, One) and isinstance(plan.unit, int) and not plan.title and not self.sources:
            return plan
        return None


Numbers = array  # of terms and entries: side by side in memory, and many taken together in one step


def numbers(terms: Iterable[int] | bytes = ()) -> Numbers[int]:
    """Return numbers in 4 bytes each, from the numbers or from their bytes."""
    return array("I", terms)


@dataclass(slots=True)
class Piece:
    """What is known of a piece of text."""

    revision: int  # of the lexicon, for which this is known
    known: int  # the first so many terms are considered
    spans: tuple[tuple[int, int], ...]  # of its tokens, within the piece
    places: tuple[int, ...]  # of its tokens, where stop words are not counted
    size: int  # how many places it takes, with the gap after a sentence
    ends: bool  # whether a sentence ends with it
    terms: bytes = b""  # the numbers of the terms that they are
    tokens: tuple[int, ...] = ()  # which of them each of these is
    grades: tuple[Grade, ...] = ()  # and how
    singles: tuple[Known, ...] | None = None  # None: the index was not asked yet what it has filed; it is:
    pairs: bytes = b""  # of each entry under one of the terms: another term that it needs, and its number
