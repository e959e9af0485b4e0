"""What the index is made of: topics with their plans, and what is known of a piece of text."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

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
    filed: tuple[int, ...] | None = None  # the terms that it is filed under; None: it is always asked

    @property
    def single(self) -> One | None:
        """The plan of a topic that is one word, which may stand anywhere and in any source."""
        plan = self.plan
        if isinstance(plan, One) and isinstance(plan.unit, int) and not plan.title and not self.sources:
            return plan
        return None


Numbers = array  # of terms: side by side in memory, which is most of the speed of a busy index


def numbers(terms: Iterable[int] = ()) -> Numbers[int]:
    """Return the numbers of terms in 4 bytes each."""
    return array("I", terms)


NO_NUMBERS = numbers()
"""What most pieces of text have, once for all of them; nobody changes it."""


@dataclass(slots=True)
class Piece:
    """What is known of a piece of text."""

    revision: int  # of the lexicon, for which this is known
    known: int  # the first so many terms are considered
    spans: tuple[tuple[int, int], ...]  # of its tokens, within the piece
    places: tuple[int, ...]  # of its tokens, where stop words are not counted
    size: int  # how many places it takes
    ends: bool  # whether a sentence ends with it
    terms: tuple[Numbers[int], ...] = ()  # the terms that each of them is; () if none of them is any
    grades: tuple[tuple[Grade, ...], ...] = ()  # how, in the same order
    present: Numbers[int] = field(default_factory=lambda: NO_NUMBERS)  # the terms that any of them is
    singles: tuple[Known, ...] | None = None  # None: the index was not asked yet what it has filed; it is:
    entries: tuple[Entry, ...] = ()  # under one of the terms
    paired: tuple[Entry, ...] = ()  # under one of the terms, and they also need their partner
    partners: Numbers[int] = field(default_factory=lambda: NO_NUMBERS)
    seconds: Numbers[int] = field(default_factory=lambda: NO_NUMBERS)  # the terms that are anybody's partner
