"""The query language: text in, query tree out, or an error that points at the mistake.

    query  = all { "OR" all }
    all    = part { ["AND"] part }
    part   = ("NOT" | "-" | "+") part | "(" query ")" | term
    term   = word | word "*" | word "~" N | "=" word | quoted | quoted "~" N
           | "/" regex "/" | name ":" (word | quoted) | "title:" (term | "(" query ")")

Two words side by side mean both, as in search engines. A backslash takes its meaning from any character.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

import re2

from monitor.matching.nodes import (
    QUOTES,
    Edits,
    Exact,
    Filter,
    Near,
    Not,
    Phrase,
    Prefix,
    Query,
    Regex,
    Title,
    Word,
    all_of,
    any_of,
    depth,
    finds,
    negation,
)
from monitor.matching.operators import FILTERS
from monitor.matching.scanner import QUOTED, Scanner, unescaped
from monitor.text import encodable

MAX_LENGTH = 6000
MAX_DEPTH = 20
MAX_TERMS = 300
MAX_WINDOW = 50
MAX_REGEX = 500
MAX_EDITS = 2
SHORTEST_PREFIX = 2

_BRACKETS = 3 * MAX_DEPTH  # brackets that group nothing cost depth while reading only
_FIELD = re.compile(r"([^\W\d_]+):")
_REGEX = re.compile(r"/((?:\\.|[^/\\])*)/", re.DOTALL)
_REGEX_PART = re.compile(
    r"\[:\^?\w+:\]|(?P<edge>(?<![^(|:])\\b|\\b(?=[|)]|\Z))|(?P<word>\\[wW])|(?P<open>\[\^?\]?)|(?P<close>\])"
    r"|\\Q.*?(?:\\E|\Z)|\\[pP]\{[^}]*\}|\\.",
    re.DOTALL,
)
_LETTERS = r"\pL\pM\pN_"  # what a word is made of (Unicode's general categories)
_LOWER = re.compile(rf"(and|or|not)(?![^\s(){QUOTES}])", re.IGNORECASE)


def parse(query: str) -> Query:
    """Return the tree of `query`; raise `QueryInvalid` where it cannot be read or could match anything."""
    return Reader(query).read()


def regex_of(pattern: str) -> re2._Regexp:
    """Return `pattern` compiled by RE2, ignoring case; raise `re2.error` where it is no pattern.

    RE2 knows the words of ASCII alone: here its signs for the signs of a word know all letters, and so does
    the one for a word's end where a pattern with such letters begins or ends; it takes what stands beside it.
    """
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(_of_all_letters(encodable(pattern)), options)


def _of_all_letters(pattern: str) -> str:
    """Return a pattern whose words are those of all alphabets."""
    in_class, is_plain = False, pattern.isascii()

    def wider(found: re.Match[str]) -> str:
        nonlocal in_class
        part = found.group()
        if found["open"] and not in_class:
            in_class = True
        elif found["close"]:
            in_class = False
        elif found["edge"] and not (in_class or is_plain):
            return rf"(?:^|$|[^{_LETTERS}])"
        elif found["word"] and in_class:
            return _LETTERS if part == r"\w" else part
        elif found["word"]:
            return f"[{'^' if part.isupper() else ''}{_LETTERS}]"
        return part

    return _REGEX_PART.sub(wider, pattern)


class Reader(Scanner):
    """Reads one query from left to right."""

    def __init__(self, query: str) -> None:
        super().__init__(query)
        self.level = 0
        self.terms = 0
        self.conditions: list[tuple[int, Filter]] = []  # on the whole item, and where each stands
        self.phrases: list[tuple[int, str]] = []  # between quotes, and where each stands

    def read(self) -> Query:
        """Return the tree of the whole query."""
        if len(self.query) > MAX_LENGTH:
            self.fail("long", MAX_LENGTH, most=MAX_LENGTH)
        self.skip()
        if self.at == len(self.query):
            self.fail("empty")
        tree = self.either()
        if self.at < len(self.query):
            self.fail("closes_nothing")
        if not finds(tree):
            self.fail("only_not", 0)
        if depth(tree) > MAX_DEPTH:
            self.fail("levels", 0, most=MAX_DEPTH)
        return tree

    def either(self) -> Query:
        """Read parts joined by OR."""
        start = self.at
        places, parts = [start], [self.both()]
        while self.keyword() == "OR":
            self.at += 2
            self.skip()
            places.append(self.at)
            parts.append(self.both())
        if len(parts) > 1:
            for place, part in zip(places, parts, strict=True):
                if not finds(part):
                    self.fail("side_only_not", place)
        return any_of(parts)

    def both(self) -> Query:
        """Read parts joined by AND, or by nothing."""
        parts = [self.part()]
        while True:
            if self.keyword() == "AND":
                self.at += 3
                self.skip()
            elif not self.peek() or self.peek() == ")" or self.keyword() == "OR":
                return all_of(parts)
            parts.append(self.part())

    def part(self) -> Query:
        """Read one part with the signs before it."""
        self.level += 1
        if self.level > _BRACKETS:
            self.fail("deep")
        start = self.at
        sign = self.peek()
        if self.keyword() == "NOT":
            self.at += 3
            self.skip()
            tree = negation(self.part())
        elif sign and sign in "+-":
            self.at += 1
            if not self.peek() or self.peek().isspace():
                self.fail("sign_alone", start, sign=sign)
            tree = negation(self.part()) if sign == "-" else self.part()
        else:
            tree = self.group() if sign == "(" else self.term()
        self.level -= 1
        self.skip()
        return tree

    def group(self) -> Query:
        """Read a query in brackets."""
        start = self.at
        self.at += 1
        self.skip()
        tree = self.either()
        if self.peek() != ")":
            self.fail("bracket_open", start)
        self.at += 1
        return tree

    def term(self) -> Query:
        """Read one thing to look for."""
        self.terms += 1
        if self.terms > MAX_TERMS:
            self.fail("terms", most=MAX_TERMS)
        self.refuse_operators()
        sign = self.peek()
        if sign in QUOTES:
            return self.quoted()
        if sign == "/":
            return self.regex()
        if sign == "=":
            return self.exact()
        field = _FIELD.match(self.query, self.at)
        return self.field(field[1]) if field else self.word()

    def refuse_operators(self) -> None:
        """Fail where a term should stand and none does."""
        if not self.peek():
            self.fail("ends")
        if self.peek() == ")":
            self.fail("missing_before", sign='")"')
        found = _LOWER.match(self.query, self.at)
        if found and found[1].isupper():
            self.fail("missing_before", sign=found[1])
        if found:
            self.fail("capitals", word=found[1], operator=found[1].upper())

    def field(self, name: str) -> Query:
        """Read what follows `name:`."""
        start = self.at
        names = ("title", *FILTERS)
        if name.casefold() not in names:
            if near := get_close_matches(name.casefold(), names, n=1):
                self.fail("field_misspelt", start, name=name, near=near[0])
            self.fail("field_unknown", start, name=name, known=", ".join(f"{each}:" for each in names))
        self.at += len(name) + 1
        if not self.peek() or self.peek().isspace():
            self.fail("field_alone", name=name)
        if name.casefold() == "title":
            return self.title()
        quoted = self.take(QUOTED)
        value = unescaped(quoted[1] if quoted else self.bare())
        if not value.strip():
            self.fail("value_missing", start, name=name)
        condition = Filter(name.casefold(), value.strip())
        self.conditions.append((start, condition))
        return condition

    def title(self) -> Query:
        """Read the term or the brackets after `title:`."""
        start = self.at
        if self.peek() in "+-":
            self.fail("title_sign")
        tree = self.group() if self.peek() == "(" else self.term()
        if not finds(tree):
            self.fail("title_only_not", start)
        if _looks_beyond_title(tree):
            self.fail("title_beyond", start)
        return Title(tree)

    def quoted(self) -> Query:
        """Read a phrase, with its window if it has one."""
        start = self.at
        text = self.between_quotes()
        self.phrases.append((start, text))
        if self.peek() != "~":
            return Phrase(text)
        self.at += 1
        return Near(text, self.number(0, MAX_WINDOW, f'"{text}"~5', start))

    def exact(self) -> Query:
        """Read the word or the phrase after `=`."""
        start = self.at
        self.at += 1
        if not self.peek() or self.peek().isspace():
            self.fail("sign_alone", start, sign="=")
        if self.peek() in QUOTES:
            text = self.between_quotes()
            self.phrases.append((start, text))
            return Exact(text)
        start = self.at
        text = unescaped(self.bare())
        self.check_words(text, start)
        return Exact(text)

    def regex(self) -> Query:
        """Read a regular expression."""
        start = self.at
        found = self.take(_REGEX)
        if not found:
            self.fail("regex_open", start)
        pattern = re.sub(r"\\(.)", lambda pair: "/" if pair[1] == "/" else pair[0], found[1], flags=re.DOTALL)
        if len(pattern) > MAX_REGEX:
            self.fail("regex_long", start, most=MAX_REGEX)
        try:
            compiled = regex_of(pattern)
        except re2.error as error:
            self.fail("regex_bad", start, reason=_reason(error))
        if compiled.search(""):
            self.fail("regex_empty", start)
        return Regex(pattern)

    def word(self) -> Query:
        """Read a bare word with the sign after it."""
        start = self.at
        text = unescaped(self.bare())
        self.check_words(text, start)
        if self.peek() == "*":
            self.at += 1
            self.check_single(text, "*", start)
            if len(text) < SHORTEST_PREFIX:
                self.fail("prefix_short", start, least=SHORTEST_PREFIX)
            self.ended()
            return Prefix(text)
        if self.peek() == "~":
            self.at += 1
            self.check_single(text, "~", start)
            most = self.number(1, MAX_EDITS, f"{text}~1", start)
            self.ended()
            return Edits(text, most)
        return Word(text)


def _reason(error: Exception) -> str:
    """Return what RE2 says about a pattern, as text."""
    said = error.args[0] if error.args else "unknown reason"
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _looks_beyond_title(query: Query) -> bool:
    """Tell whether a query has a condition on the whole item, or another `title:`, in it."""
    if isinstance(query, Not):
        return _looks_beyond_title(query.query)
    parts = getattr(query, "queries", ())
    return isinstance(query, Filter | Title) or any(map(_looks_beyond_title, parts))
