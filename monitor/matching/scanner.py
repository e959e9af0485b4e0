"""The parts that the query language is read in: words, quotes, numbers, and the place of a mistake."""

from __future__ import annotations

import re
from typing import NoReturn

from monitor.alternatives import words
from monitor.errors import QueryInvalid
from monitor.markup import plain
from monitor.matching.nodes import QUOTES
from monitor.phrases import FALLBACK, say
from monitor.text import tokens

MAX_WORDS = 12  # in one phrase

_BARE_WORD = re.compile(rf"(?:\\.|[^\s\\()~*:{QUOTES}]|(?<=\d):(?=\d))+", re.DOTALL)
_KEYWORD = re.compile(rf"(AND|OR|NOT)(?![^\s(){QUOTES}])")
_NUMBER = re.compile(r"\d{1,9}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = rf"[^\\{QUOTES}]"
_NAMED = rf"(?<=[\s({QUOTES}])(?:«{_PLAIN}*»|“{_PLAIN}*”|„{_PLAIN}*[“”])"  # within a phrase: a name in quotes
QUOTED = re.compile(rf"[{QUOTES}]((?:\\.|{_PLAIN}|{_NAMED})*)[{QUOTES}]", re.DOTALL)
_OPERATORS = {"|": "OR", "||": "OR", "&": "AND", "&&": "AND"}  # of other languages
_RIGHT = {"*": "drone*", "~": "drone~1", ":": "title:drone", "\\": "\\\\"}


def unescaped(text: str) -> str:
    """Return `text` without the backslashes that take a character's meaning away."""
    return _ESCAPE.sub(r"\1", text)


class Scanner:
    """A query, and the place up to which it is read."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0

    def fail(self, fault: str, at: int | None = None, **facts: object) -> NoReturn:
        """Raise the error for a mistake at `at`, or at the present place: the phrase `query.<fault>`."""
        raise self.mistake(fault, self.at if at is None else at, **facts)

    def mistake(self, fault: str, at: int, **facts: object) -> QueryInvalid:
        """Return the error for a mistake, in English words and as a phrase of the catalogues."""
        key = f"query.{fault}"
        return QueryInvalid(self.query, at, plain(say(FALLBACK, key, **facts)), key, facts)

    def skip(self) -> None:
        """Go past white space."""
        while self.at < len(self.query) and self.query[self.at].isspace():
            self.at += 1

    def peek(self) -> str:
        """Return the character at the present place, or nothing at the end."""
        return self.query[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past what `pattern` matches at the present place, if it does."""
        found = pattern.match(self.query, self.at)
        if found:
            self.at = found.end()
        return found

    def keyword(self) -> str:
        """Return the operator word at the present place, without going past it."""
        found = _KEYWORD.match(self.query, self.at)
        return found[1] if found else ""

    def between_quotes(self) -> str:
        """Read what stands between two quotes."""
        start = self.at
        found = self.take(QUOTED)
        if not found:
            self.fail("quote_open", start)
        text = " ".join(unescaped(found[1]).split())
        self.check_words(text, start)
        return text

    def bare(self) -> str:
        """Read a bare word as it is written."""
        found = self.take(_BARE_WORD)
        if not found:
            sign = self.peek()
            if not sign:
                self.fail("ends")
            if sign in _RIGHT:
                self.fail("no_word_before", sign=sign, right=_RIGHT[sign])
            self.fail("sign_in_quotes", sign=sign)
        return found[0]

    def ended(self) -> None:
        """Fail where the term does not end here."""
        if self.peek() and not self.peek().isspace() and self.peek() != ")":
            self.fail("space_missing")

    def number(self, least: int, most: int, example: str, start: int) -> int:
        """Read a number within its limits."""
        found = self.take(_NUMBER)
        if not found or not least <= int(found[0]) <= most:
            self.fail("number", start, least=least, most=most, example=example)
        return int(found[0])

    def check_words(self, text: str, start: int) -> None:
        """Fail where `text` has no word in it, or too many."""
        count = sum(max(len(tokens(word)) for word in alternatives) for alternatives in words(text))
        if text in _OPERATORS:
            self.fail("no_operator", start, sign=text, right=_OPERATORS[text])
        if not count:
            self.fail("no_words", start)
        if count > MAX_WORDS:
            self.fail("phrase_long", start, most=MAX_WORDS)

    def check_single(self, text: str, sign: str, start: int) -> None:
        """Fail where `text` is more than one word."""
        if sum(1 for _ in tokens(text)) > 1:
            self.fail("one_word", start, sign=sign)
