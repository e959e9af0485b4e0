"""What the index is made of: topics with their plans, and what is known of a piece of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from monitor.matching.plan import One, Plan
from monitor.matching.terms import Grade
from monitor.model import How


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


Single = tuple[int, int, str, str, How, float]
"""A topic that a token is all by itself: (the token's start and end, topic id, keyword, how, score)."""


class Filed(NamedTuple):
    """All that is filed under the terms of a piece of text."""

    singles: tuple[Single, ...]
    entries: tuple[Entry, ...]
    paired: tuple[Entry, ...]  # those that also need their partner
    partners: tuple[int, ...]


@dataclass(slots=True)
class Piece:
    """What is known of a piece of text."""

    revision: int  # of the lexicon, for which this is known
    known: int  # the first so many terms are considered
    spans: tuple[tuple[int, int], ...]  # of its tokens, within the piece
    stops: tuple[bool, ...]  # which of them are stop words
    ends: bool  # whether a sentence ends with it
    terms: tuple[tuple[int, ...], ...] = ()  # the terms that each of them is; () if none of them is any
    grades: tuple[tuple[Grade, ...], ...] = ()  # how, in the same order
    present: frozenset[int] = frozenset()  # the terms that any of them is
    filed: Filed | None = None  # what the index has filed under these terms, once it was asked
