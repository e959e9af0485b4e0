"""The operators of the query language: one row each, with its explanation in words.

A new condition on the item as a whole (`author:`, say) is one function here and one row in `OPERATORS`;
the parser, the matcher and the help text take it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.model import Item, Source


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition looks at: an item, the source that it came from, the language that it is in."""

    item: Item
    source: Source | None
    language: str | None  # ISO 639-1


@dataclass(frozen=True, slots=True)
class Operator:
    """One row: how it is written, what it means, and an example that can be parsed."""

    syntax: str
    meaning: str
    example: str
    holds: Callable[[Subject, str], bool] | None = None  # for `name:value` conditions


def from_source(subject: Subject, value: str) -> bool:
    """Tell whether the item came from the source with this id, or from one with this tag."""
    wanted = value.casefold()
    known = {subject.item.source_id}
    if subject.source is not None:
        known |= {subject.source.id, *subject.source.tags}
    return any(name.casefold() == wanted for name in known)


def in_language(subject: Subject, value: str) -> bool:
    """Tell whether the item is in this language (ISO 639-1)."""
    return subject.language == value.casefold()


OPERATORS: tuple[Operator, ...] = (
    Operator("word", "this word in any form, also in the other script or with a typo", "Starlink"),
    Operator('"some words"', "these words next to each other, in this order, in any form", '"power grid"'),
    Operator(
        '"some words"~N', "these words in any order, with at most N others among them", '"power grid"~5'
    ),
    Operator(
        '"(one|two) word"', "in a phrase, any of the words between the brackets", '"(shot|brought) down"'
    ),
    Operator("word~N", "this word with at most N letters wrong; N is 1 or 2", "Starlink~2"),
    Operator("word*", "every word that begins like this", "drone*"),
    Operator("=word", "this spelling only: no other form, script or typo", "=Patriot"),
    Operator("one AND two", "both; AND may be left out", "drone AND Kharkiv"),
    Operator("one OR two", "at least one of the two", "truce OR ceasefire"),
    Operator("NOT word", "not this", "drone NOT race"),
    Operator("+word", "this is needed; the same as leaving the + out", "+drone +Kharkiv"),
    Operator("-word", "not this", "drone -race"),
    Operator("( )", "brackets group what belongs together", "(drone OR missile) Kharkiv"),
    Operator("title:word", "only in the title; a phrase or brackets may follow too", "title:ceasefire"),
    Operator(
        "source:name", "only from the source with this id or tag", "ceasefire source:media", from_source
    ),
    Operator("lang:code", "only in this language: en, uk, ru, ...", "Starlink lang:uk", in_language),
    Operator("/regex/", "a regular expression (RE2 syntax, upper and lower case alike)", r"/Shahed-?\d+/"),
)

FILTERS: dict[str, Callable[[Subject, str], bool]] = {
    row.syntax.partition(":")[0]: row.holds for row in OPERATORS if row.holds is not None
}
