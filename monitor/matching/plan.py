"""The plain evaluator: whether a compiled query holds for an item, how well, and where.

A plan is a query tree whose words are terms of the lexicon, by number. `find` is the definition of a
match; the index only decides which plans are worth asking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import itemgetter
from typing import Any as Anything
from typing import Protocol

from monitor.matching.operators import Subject
from monitor.matching.phrase import Hit, Places, Window, windows
from monitor.model import Evidence, Field, How
from monitor.text import encodable

Mark = tuple[float, Evidence]  # how sure a stretch is (0 to 100), and the stretch
Found = tuple[float, list[Mark]]  # how sure a plan is, and where it was found
SURE = 100.0


class Reading(Protocol):
    """An item as the plans see it."""

    @property
    def subject(self) -> Subject:
        """The item with its source and language."""
        ...

    def hits(self, term: int) -> Sequence[Hit]:
        """Return where a term of the lexicon stands, by ascending position."""
        ...

    @property
    def boundary(self) -> int:
        """The position of the text's first token: those before it are the title's."""
        ...

    def present(self, terms: AbstractSet[int]) -> Iterable[int]:
        """Return those of the terms that stand anywhere; others may be among them."""
        ...

    def places(self) -> Places:
        """Return for the token of each hit where it stands when stop words are not counted and gaps are."""
        ...

    def goes_on(self, position: int) -> bool:
        """Tell whether a name may go on with a number behind a token.

        So it may within a word, and after a space where the token is no small word: "S 300" and "shahed 136",
        but not "a 50", "С 400" or "м 14".
        """
        ...

    def near(self, units: Sequence[Unit], reach: int) -> bool:
        """Return False where two of some words surely stand nowhere within so many places."""
        ...

    def evidence(self, first: int, last: int, keyword: str, how: How) -> Evidence:
        """Return the stretch from one token to another of the same field."""
        ...


@dataclass(frozen=True, slots=True)
class Compound:
    """A name of several tokens that is also written as one: "F-16", "F16"."""

    terms: tuple[int, ...]
    joined: int
    numbered: bool = False  # a number stands behind its first token


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives that stand for one word of a phrase."""

    terms: frozenset[int]
    compounds: tuple[Compound, ...]

    @property
    def units(self) -> tuple[int | Compound, ...]:
        """Every alternative."""
        return (*sorted(self.terms), *self.compounds)


Unit = int | Compound | Choice  # what acts as one word


@dataclass(frozen=True, slots=True)
class One:
    """A single word."""

    unit: Unit
    label: str
    title: bool = False

    def find(self, reading: Reading) -> Found | None:
        """Return every place of the word."""
        hits = hits_of(self.unit, reading, title=self.title)
        if not hits:
            return None
        label = self.label
        marks = [(score, reading.evidence(first, last, label, how)) for first, last, how, score in hits]
        return (marks[0] if len(marks) == 1 else max(marks, key=_sureness))[0], marks


@dataclass(frozen=True, slots=True)
class Row:
    """Words next to each other, in order."""

    units: tuple[Unit, ...]
    label: str
    title: bool = False

    def find(self, reading: Reading) -> Found | None:
        """Return every place where the words follow each other."""
        words = _all_hits(self.units, reading, title=self.title)
        marks = [_mark(reading, row, self.label) for row in _rows(words, reading.boundary)] if words else []
        return (max(marks, key=_sureness)[0], marks) if marks else None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Words near each other, in any order."""

    units: tuple[Unit, ...]
    window: int  # how many other words may stand among them
    label: str
    title: bool = False
    least: float = 0.0  # the least score

    def find(self, reading: Reading) -> Found | None:
        """Return the places where the words stand together, the best first, no token in two of them."""
        together = self.together(reading)
        return (together[0].score, self.marks(reading, together)) if together else None

    def together(self, reading: Reading) -> list[Window]:
        """Return the occurrences that score enough, the best first."""
        return [each for each in self.windows(reading, self.window) if each.score >= self.least]

    def marks(self, reading: Reading, together: Iterable[Window]) -> list[Mark]:
        """Return the marks of some occurrences, the best first, no token in two of them."""
        marks: list[Mark] = []
        taken: set[int] = set()
        for each in together:
            positions = {hit[0] for hit in each.hits}
            if taken.isdisjoint(positions):
                taken |= positions
                marks += self._marks(reading, each)
        return marks

    @property
    def reach(self) -> int:
        """How many places apart the first and the last of the words may stand."""
        return len(self.units) + self.window - 1

    def windows(self, reading: Reading, most: int) -> list[Window]:
        """Return the occurrences with at most `most` other words among the words, best first."""
        if not reading.near(self.units, len(self.units) + most - 1):
            return []
        words = _all_hits(self.units, reading, title=self.title)
        return windows(words, reading.places(), most) if words else []

    def _marks(self, reading: Reading, window: Window) -> list[Mark]:
        """Return a mark for each run of neighbouring tokens of a window, as sure as the window."""
        runs: list[list[Hit]] = []
        for hit in sorted(window.hits):
            if runs and runs[-1][-1][1] + 1 == hit[0] != reading.boundary:
                runs[-1].append(hit)
            else:
                runs.append([hit])
        return [
            (window.score, reading.evidence(run[0][0], run[-1][1], self.label, _least_sure(run)))
            for run in runs
        ]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression."""

    compiled: Anything  # RE2 gives its type no public name
    label: str
    title: bool = False

    def find(self, reading: Reading) -> Found | None:
        """Return the stretches that the expression matches."""
        item = reading.subject.item
        fields: tuple[tuple[Field, str], ...] = (("title", item.title), ("text", item.text))
        marks = [
            (SURE, Evidence(field, found.start(), found.end(), self.label, "regex"))
            for field, value in fields[: 1 if self.title else 2]
            for found in self.compiled.finditer(encodable(value))
            if found.end() > found.start()
        ]
        return (SURE, marks) if marks else None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the item as a whole."""

    holds: Callable[[Subject, str], bool]  # of a row of OPERATORS
    value: str
    label: str

    def find(self, reading: Reading) -> Found | None:
        """Return a find without marks where the condition holds."""
        return (SURE, []) if self.holds(reading.subject, self.value) else None


@dataclass(frozen=True, slots=True)
class Without:
    """The opposite of a plan."""

    plan: Plan

    def find(self, reading: Reading) -> Found | None:
        """Return a find without marks where the plan finds nothing."""
        return (SURE, []) if self.plan.find(reading) is None else None


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the plans; as sure as the least sure of them."""

    plans: tuple[Plan, ...]

    def find(self, reading: Reading) -> Found | None:
        """Return what the plans found together."""
        least = SURE
        marks: list[Mark] = []
        for plan in self.plans:
            found = plan.find(reading)
            if found is None:
                return None
            least = min(least, found[0])
            marks += found[1]
        return least, marks


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of the plans; as sure as the surest of them. Without plans it never holds."""

    plans: tuple[Plan, ...]
    files: Mapping[int, tuple[int, ...]] | None = None  # which of many plans need a term; None: ask all
    required: bool = False  # it is what a topic asks for besides its own words

    def find(self, reading: Reading) -> Found | None:
        """Return what those found that found anything."""
        plans: Sequence[Plan] = self.plans
        if self.files is not None:
            places = {place for term in reading.present(self.files.keys()) for place in self.files[term]}
            plans = [plans[place] for place in sorted(places)]
        found = [each for plan in plans if (each := plan.find(reading)) is not None]
        if not found:
            return None
        return max(score for score, _ in found), [mark for _, marks in found for mark in marks]


class Ways(Any):
    """One thing in several spellings, first as it was asked for."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """What was asked for."""
        return str(getattr(self.plans[0], "label", ""))


Plan = One | Row | Cluster | Pattern | Condition | Without | All | Any


def _all_hits(units: Sequence[Unit], reading: Reading, *, title: bool) -> list[Sequence[Hit]]:
    """Return where each word of a phrase stands, or nothing if one of them stands nowhere."""
    words = []
    for unit in units:
        hits = hits_of(unit, reading, title=title)
        if not hits:
            return []
        words.append(hits)
    return words


def hits_of(unit: Unit, reading: Reading, *, title: bool) -> Sequence[Hit]:
    """Return where a word stands, in the title only if so asked."""
    hits = reading.hits(unit) if isinstance(unit, int) else _hits_of_several(unit, reading)
    return [hit for hit in hits if hit[0] < reading.boundary] if title else hits


def _hits_of_several(unit: Compound | Choice, reading: Reading) -> Sequence[Hit]:
    """Return where a compound stands, or any of some alternatives: of two at one place the surest."""
    if isinstance(unit, Compound):
        rows = _rows([reading.hits(term) for term in unit.terms], reading.boundary)
        if unit.numbered:
            rows = [row for row in rows if all(reading.goes_on(hit[1]) for hit in row[:-1])]
        whole = [(row[0][0], row[-1][1], *_together(row)) for row in rows]
        return sorted([*reading.hits(unit.joined), *whole])
    hits = [hit for term in reading.present(unit.terms) for hit in reading.hits(term)]
    hits += [hit for compound in unit.compounds for hit in _hits_of_several(compound, reading)]
    if len(hits) > 1:
        hits.sort(key=itemgetter(3, 2))
        hits = sorted({hit[:2]: hit for hit in hits}.values())
    return hits


def _rows(words: Sequence[Sequence[Hit]], boundary: int) -> list[list[Hit]]:
    """Return every way in which hits, one of each word, follow each other within a field."""
    rows = [[hit] for hit in words[0]]
    for hits in words[1:]:
        starts: dict[int, list[Hit]] = {}
        for hit in hits:
            starts.setdefault(hit[0], []).append(hit)
        starts.pop(boundary, None)
        rows = [[*row, hit] for row in rows for hit in starts.get(row[-1][1] + 1, ())]
    return rows


def _together(run: Sequence[Hit]) -> tuple[How, float]:
    """Return how the least sure of some hits matches, and the mean of their scores."""
    return _least_sure(run), sum(map(_score, run)) / len(run)


def _least_sure(run: Sequence[Hit]) -> How:
    """Return how the least sure of some hits matches."""
    return min(run, key=_score)[2] if len(run) > 1 else run[0][2]


def _mark(reading: Reading, run: Sequence[Hit], label: str) -> Mark:
    """Return the mark of neighbouring hits."""
    how, score = _together(run)
    return score, reading.evidence(run[0][0], run[-1][1], label, how)


def _score(hit: Hit) -> float:
    """Return how sure a hit is."""
    return hit[3]


def _sureness(mark: Mark) -> float:
    """Return how sure a mark is."""
    return mark[0]
