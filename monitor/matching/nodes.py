"""The query tree: what a query means, as frozen values that print themselves.

`str(node)` gives the query language back, and parsing that gives the same tree again: brackets and
operators are written out in full, so that a printed query also shows how it was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

QUOTES = '"“”„‟«»'
"""What a phrase may stand between; which of them closes it makes no difference."""

_SPECIAL = re.compile(rf"[\s\\()~*:{QUOTES}]|^[-+=/]")
_IN_QUOTES = re.compile(rf"[\\{QUOTES}]")
_SLASH = re.compile(r"\\.|/", re.DOTALL)
_OPERATOR = re.compile(r"(?:and|or|not)", re.IGNORECASE)


def _bare(text: str) -> str:
    """Return `text` as a bare word, with a backslash before each character that means something."""
    if _OPERATOR.fullmatch(text):
        return "\\" + text
    return _SPECIAL.sub(lambda found: "\\" + found[0], text)


def _quoted(text: str) -> str:
    """Return `text` between double quotes."""
    return '"' + _IN_QUOTES.sub(lambda found: "\\" + found[0], text) + '"'


@dataclass(frozen=True, slots=True)
class Word:
    """A word in any of its forms, scripts and near spellings."""

    text: str

    def __str__(self) -> str:
        """Return `word`."""
        return _bare(self.text)


@dataclass(frozen=True, slots=True)
class Exact:
    """Words in this very spelling, next to each other."""

    text: str

    def __str__(self) -> str:
        """Return `=word`, or `="some words"`."""
        return "=" + (_quoted(self.text) if re.search(r"\s", self.text) else _bare(self.text))


@dataclass(frozen=True, slots=True)
class Prefix:
    """Every word that begins with these letters."""

    text: str

    def __str__(self) -> str:
        """Return `word*`."""
        return _bare(self.text) + "*"


@dataclass(frozen=True, slots=True)
class Edits:
    """A word with at most so many letters wrong."""

    text: str
    most: int  # 1 or 2

    def __str__(self) -> str:
        """Return `word~1`."""
        return f"{_bare(self.text)}~{self.most}"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other, in this order, in any of their forms."""

    text: str

    def __str__(self) -> str:
        """Return `"some words"`."""
        return _quoted(self.text)


@dataclass(frozen=True, slots=True)
class Near:
    """Words near each other, in any order and form."""

    text: str
    window: int  # how many other words may stand among them

    def __str__(self) -> str:
        """Return `"some words"~5`."""
        return f"{_quoted(self.text)}~{self.window}"


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of the linear-time engine RE2."""

    pattern: str

    def __str__(self) -> str:
        """Return `/pattern/`."""
        return "/" + _SLASH.sub(lambda found: "\\/" if found[0] == "/" else found[0], self.pattern) + "/"


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on the item as a whole: one of `operators.FILTERS`, and its value."""

    name: str
    value: str

    def __str__(self) -> str:
        """Return `source:value`."""
        return f"{self.name}:{_bare(self.value)}"


@dataclass(frozen=True, slots=True)
class Title:
    """A query that only looks at the title."""

    query: Query

    def __str__(self) -> str:
        """Return `title:query`."""
        return f"title:({self.query})" if isinstance(self.query, Not) else f"title:{_inner(self.query)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a query."""

    query: Query

    def __str__(self) -> str:
        """Return `NOT query`."""
        return f"NOT {_inner(self.query)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of the queries."""

    queries: tuple[Query, ...]

    def __str__(self) -> str:
        """Return `one AND other`."""
        return " AND ".join(_inner(query) for query in self.queries)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the queries."""

    queries: tuple[Query, ...]

    def __str__(self) -> str:
        """Return `one OR other`."""
        return " OR ".join(_inner(query) for query in self.queries)


Query = Word | Exact | Prefix | Edits | Phrase | Near | Regex | Filter | Title | Not | And | Or


def _inner(query: Query) -> str:
    """Return a part of a larger query, in brackets where it has parts itself."""
    return f"({query})" if isinstance(query, And | Or) else str(query)


def all_of(queries: Iterable[Query]) -> Query:
    """Return the query that asks for all of `queries` (at least one), without needless nesting."""
    flat: list[Query] = []
    for query in queries:
        flat += query.queries if isinstance(query, And) else (query,)
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(queries: Iterable[Query]) -> Query:
    """Return the query that asks for any of `queries` (at least one), without needless nesting."""
    flat: list[Query] = []
    for query in queries:
        flat += query.queries if isinstance(query, Or) else (query,)
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negation(query: Query) -> Query:
    """Return the opposite of `query`; twice the opposite is the query itself."""
    return query.query if isinstance(query, Not) else Not(query)


def depth(query: Query) -> int:
    """Return how many levels the tree has; a single term has one."""
    if isinstance(query, Not | Title):
        return 1 + depth(query.query)
    return 1 + max(map(depth, query.queries)) if isinstance(query, And | Or) else 1


def finds(query: Query) -> bool:
    """Tell whether an item must have something for the query to match, rather than only lack something."""
    if isinstance(query, And):
        return any(map(finds, query.queries))
    if isinstance(query, Or):
        return all(map(finds, query.queries))
    return finds(query.query) if isinstance(query, Title) else not isinstance(query, Not)
