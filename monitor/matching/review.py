"""What is doubtful about a query that can be read: the one place that says so, whoever asks.

A language that there is not is a mistake wherever it stands. The rest may be meant, so that whoever asks
decides: a query that finds nearly everything, a "|" that means nothing, and a source that is not known.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from monitor.alternatives import is_stray
from monitor.errors import QueryInvalid
from monitor.matching.nodes import And, Exact, Filter, Near, Not, Or, Phrase, Query, Regex, Title, Word
from monitor.matching.query import Reader, regex_of
from monitor.phrases import is_language
from monitor.text import says_nothing

_TEXTS = (
    ("Snow fell overnight", "A quick judgement", "Workers publish maps"),
    ("Вночі випав сніг", "Швидке рішення суду", "Робітники друкують мапи"),
)
"""Texts of one alphabet that have nothing in common but what all texts have."""


def review(query: str, names: Collection[str]) -> list[QueryInvalid]:
    """Return the doubts about a query, given the ids and tags of the sources.

    Raises `QueryInvalid` for one that cannot be read, or that asks for a language that there is not.
    """
    reader = Reader(query)
    tree = reader.read()
    for at, condition in reader.conditions:
        if condition.name == "lang" and not is_language(condition.value.casefold()):
            reader.fail("no_language", at, code=condition.value)
    doubts = [] if _tells(tree) else [reader.mistake("everything", 0)]
    doubts += [reader.mistake("choice_stray", at) for at, phrase in reader.phrases if is_stray(phrase)]
    known = {name.casefold(): name for name in names}
    for at, condition in reader.conditions:
        if condition.name == "source" and condition.value.casefold() not in known:
            near = get_close_matches(condition.value.casefold(), known, n=1)
            fault = "source_misspelt" if near else "source_unknown"
            facts = {"near": known[near[0]]} if near else {}
            doubts.append(reader.mistake(fault, at, name=condition.value, **facts))
    return doubts


def _tells(query: Query) -> bool:
    """Tell whether a query looks for something that does not stand in nearly every text."""
    match query:
        case And(queries):
            return any(map(_tells, queries))
        case Or(queries):
            return all(map(_tells, queries))
        case Title(inner):
            return _tells(inner)
        case Not():
            return False
        case _:
            return not _is_common(query)


def _is_common(term: Query) -> bool:
    """Tell whether nearly every text has a term."""
    match term:
        case Word(text) | Near(text, _):
            return says_nothing(text)
        case Phrase(text) | Exact(text):
            return len(text.split()) == 1 and says_nothing(text)
        case Regex(pattern):
            found = regex_of(pattern)
            return any(all(map(found.search, texts)) for texts in _TEXTS)
        case _:
            return isinstance(term, Filter) and term.name == "lang"
