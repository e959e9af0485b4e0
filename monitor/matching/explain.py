"""Why a topic does not match an item, and how near it came: in sentences, for `bot.py match`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from monitor.matching.compiling import is_free
from monitor.matching.plan import (
    All,
    Any,
    Cluster,
    Compound,
    Condition,
    One,
    Pattern,
    Plan,
    Reading,
    Row,
    Unit,
    Ways,
    Without,
    hits_of,
)
from monitor.model import Match
from monitor.text import fold, romanise

NEAR = 0.3  # nearness from which it is worth saying what a topic lacked: one of its words, or one like it
UNLIKE = -1.0  # nearness of an expression that finds nothing: a word beside it does not make it near
LONGEST_WORD = 64  # characters: what is longer looks like no keyword
ALIKE = 0.7  # likeness (normalised OSA) from which another word is worth naming
MANY = 4  # words, of which one would do, that are named
_ALTERNATIVES = re.compile(r"\(([^()|]*(?:\|[^()|]*){2})(?:\|[^()|]*){2,}\)")
"""A group of five or more alternatives, and its first three."""
_ANYWHERE = 1_000_000  # a window that reaches over a whole item


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one topic."""

    topic_id: str
    match: Match | None
    nearness: float  # 1 for a match, 0 where nothing of it was found
    missing: tuple[str, ...]  # what would have to be otherwise, in sentences; empty for a match


class Shortfall(NamedTuple):
    """How much of a plan was found, and what was not."""

    nearness: float
    reasons: tuple[str, ...]


class Explainer:
    """Says what plans lack in one item."""

    def __init__(self, reading: Reading, words: Iterable[str], text_of: Callable[[int], str]) -> None:
        """Keep the item's words, as they stand there; `text_of` is the word of a term."""
        self.reading = reading
        self._words = [word for word in dict.fromkeys(words) if len(word) <= LONGEST_WORD]
        self._sounds = [romanise(fold(word)) for word in self._words]
        self._text_of = text_of
        self._likenesses: dict[str, str | None] = {}  # the item's word for each that was asked about

    def shortfall(self, plan: Plan) -> Shortfall:  # noqa: PLR0911 - one case a kind of plan
        """Return what a plan that does not hold lacks."""
        match plan:
            case One(unit, label, title):
                return self._one(unit, label, title=title)
            case Row(units, label) | Cluster(units, _, label):
                return self._several(plan, units, label)
            case Pattern(_, label):
                return Shortfall(UNLIKE, (f"{label} matches nothing",))
            case Condition(_, _, label):
                return Shortfall(0, (f"the item is not {label}",))
            case Without(inner):
                return Shortfall(0.5, (f"excluded by {self._excluding(inner)}",))
            case All(plans):
                return self._all(plans)
            case Ways(plans):
                return self.shortfall(plans[0])
            case Any(plans, _, True):
                return self._require(plans)
            case Any(plans):
                nothing = Shortfall(0, ("it has no word to look for",))
                return max(map(self.shortfall, plans), key=_nearness, default=nothing)

    def _one(self, unit: Unit, label: str, *, title: bool) -> Shortfall:
        """Return what a single word lacks."""
        if title and hits_of(unit, self.reading, title=False):
            return Shortfall(0.5, (f"{_quoted(label)} is in the text, but not in the title",))
        is_near = any(map(self._alike, self._words_of(unit)))
        return Shortfall(NEAR if is_near else 0, (self._absent(unit),))

    def _several(self, plan: Row | Cluster, units: tuple[Unit, ...], label: str) -> Shortfall:
        """Return what a phrase lacks: words, or the nearness of its words."""
        absent = [unit for unit in units if not hits_of(unit, self.reading, title=plan.title)]
        if absent:
            telling = list(filter(self._is_telling, units))
            there = sum(unit not in absent for unit in telling)
            nearness = max(NEAR, 0.8 * there / len(telling)) if there else 0
            return Shortfall(nearness, tuple(self._absent(unit, label) for unit in absent))
        return Shortfall(0.9, (self._apart(plan, label),))

    def _apart(self, plan: Row | Cluster, label: str) -> str:
        """Return how the words of a phrase stand where all are there."""
        if isinstance(plan, Row):
            return f"the words of {_quoted(label)} do not stand next to each other in this order"
        found = plan.windows(self.reading, _ANYWHERE)
        if not found:
            return f"one word cannot stand for two of {_quoted(label)}"
        others = min(window.others for window in found)
        if others <= plan.window:
            return (
                f"{_quoted(label)} scores {found[0].score:.0f}, less than the least score of {plan.least:.0f}"
            )
        between = f"{others} words or more between, {plan.window} allowed"
        return f"the words of {_quoted(label)} stand too far apart or in different sentences ({between})"

    def _all(self, plans: Iterable[Plan]) -> Shortfall:
        """Return what is lacking where everything is needed; a condition that holds does not count."""
        found: list[float] = []
        conditions: list[float] = []
        reasons: list[str] = []
        for plan in plans:
            lacking = self.shortfall(plan) if plan.find(self.reading) is None else Shortfall(1, ())
            if not _is_condition(plan):
                found.append(lacking.nearness)
            elif lacking.nearness < 1:
                conditions.append(lacking.nearness)
            reasons += lacking.reasons
        if not found or min(found) < 1:
            share = sum(found) / (len(found) + len(conditions))
        else:
            share = (1 + sum(conditions) / len(conditions)) / 2
        return Shortfall(min(0.95, share), tuple(reasons))

    def _require(self, plans: Sequence[Plan]) -> Shortfall:
        """Return that nothing is there of what a topic requires besides its own words."""
        if len(plans) == 1:
            return Shortfall(0, tuple(f"require: {reason}" for reason in self.shortfall(plans[0]).reasons))
        labels = ", ".join(f'"{getattr(plan, "label", "")}"' for plan in plans)
        return Shortfall(0, (f"nothing of require is there: {labels}",))

    def _absent(self, unit: Unit, phrase: str = "") -> str:
        """Return that a word is not there, and which one looks like it."""
        words = self._words_of(unit)
        quoted = ", ".join(f'"{word}"' for word in words[:MANY]) + (", …" if words[MANY:] else "")
        near = next(filter(None, map(self._alike, words)), None)
        of = f" of {_quoted(phrase)}" if phrase else ""
        none = f"none of {quoted}" if len(words) > 1 else quoted
        return f"{none}{of} is {'' if len(words) > 1 else 'not '}there" + (f', only "{near}"' if near else "")

    def _words_of(self, unit: Unit) -> tuple[str, ...]:
        """Return the words that a unit may be, as they were asked for."""
        if isinstance(unit, int):
            return (self._text_of(unit),)
        if isinstance(unit, Compound):
            return ("-".join(map(self._text_of, unit.terms)),)
        return tuple(word for each in unit.units for word in self._words_of(each))

    def _is_telling(self, unit: Unit) -> bool:
        """Tell whether a word means something alone: "in" and "of" stand in every text."""
        return not all(map(is_free, self._words_of(unit)))

    def _alike(self, word: str) -> str | None:
        """Return the item's word that looks or sounds most like `word`."""
        if word not in self._likenesses:
            wanted, scorer = romanise(fold(word)), OSA.normalized_similarity
            best = process.extractOne(wanted, self._sounds, scorer=scorer, score_cutoff=ALIKE)
            self._likenesses[word] = self._words[best[2]] if best else None
        return self._likenesses[word]

    def _excluding(self, plan: Plan) -> str:
        """Return the words of the item that a plan found."""
        found = plan.find(self.reading)
        if found is None or not found[1]:
            return "a condition"
        mark = found[1][0][1]
        text = getattr(self.reading.subject.item, mark.field)[mark.start : mark.end]
        return f'{_quoted(mark.keyword)} ("{text}" in the {mark.field})'


def _quoted(label: str) -> str:
    """Return what was asked for in quotes, where it has none of its own, and few of many alternatives."""
    brief = _ALTERNATIVES.sub(r"(\1|…)", label)
    return brief if '"' in brief else f'"{brief}"'


def _is_condition(plan: Plan) -> bool:
    """Tell whether a plan only narrows what the plans beside it find."""
    return isinstance(plan, Condition | Without) or (isinstance(plan, Any) and plan.required)


def _nearness(shortfall: Shortfall) -> float:
    """Return what shortfalls are ordered by."""
    return shortfall.nearness
