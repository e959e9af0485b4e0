"""Which of the stretches that the plans marked are shown, and which keyword is named for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rapidfuzz.distance import Prefix

from monitor.matching.plan import Mark
from monitor.model import Evidence, Item
from monitor.text import fold

MAX_EVIDENCE = 20  # stretches for one topic
_WORD = re.compile(r"\w+")


def evidence(marks: list[Mark], item: Item) -> tuple[Evidence, ...]:
    """Return the marked stretches of an item in reading order; of those that overlap the surest stays."""
    if len(marks) == 1:
        return (marks[0][1],)
    if len(marks) <= MAX_EVIDENCE:
        apart = sorted([mark[1] for mark in marks], key=_reading_order)
        if not any(map(_overlap, apart, apart[1:])):
            return tuple(apart)
    kept: list[Evidence] = []
    for _, mark in sorted(_named_once(marks, item), key=_surest_and_longest):
        if len(kept) == MAX_EVIDENCE:
            break
        if not any(_overlap(mark, other) for other in kept):
            kept.append(mark)
    kept.sort(key=_reading_order)
    return tuple(kept)


def _named_once(marks: Iterable[Mark], item: Item) -> Iterator[Mark]:
    """Return for each stretch the mark that names the best keyword: exact, then surest, then nearest."""
    stretches: dict[tuple[str, int, int], list[Mark]] = {}
    for mark in marks:
        stretches.setdefault(mark[1][:3], []).append(mark)
    for (field, start, end), several in stretches.items():
        if len(several) == 1:
            yield several[0]
        else:
            text = fold((item.title if field == "title" else item.text)[start:end])
            yield min(
                several, key=lambda mark: (mark[1].how != "exact", -mark[0], _farness(mark, text), mark[1])
            )


def _farness(mark: Mark, text: str) -> int:
    """Return how unlike a mark's keyword is to the folded text that it stands for; less is more alike."""
    words = _WORD.findall(fold(mark[1].keyword))
    return -sum(
        max((Prefix.similarity(ours, word) for word in words), default=0) for ours in _WORD.findall(text)
    )


def _overlap(one: Evidence, other: Evidence) -> bool:
    """Tell whether two stretches have a character in common."""
    return one.field == other.field and one.start < other.end and other.start < one.end


def _surest_and_longest(mark: Mark) -> tuple[float, int, str]:
    """Return the key that puts the surest, then the longest stretch first."""
    return -mark[0], mark[1].start - mark[1].end, mark[1].keyword


def _reading_order(mark: Evidence) -> tuple[bool, int]:
    """Return the key that puts the title before the text."""
    return mark.field != "title", mark.start
