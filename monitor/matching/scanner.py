"""The parts that the query language is read in: words, quotes, numbers, and the place of a mistake."""

from __future__ import annotations

import re
from typing import NoReturn

from monitor.errors import QueryInvalid
from monitor.matching.alternatives import words
from monitor.matching.nodes import QUOTES
from monitor.text import tokens

MAX_WORDS = 12  # in one phrase

_BARE_WORD = re.compile(rf"(?:\\.|[^\s\\()~*:{QUOTES}]|(?<=\d):(?=\d))+", re.DOTALL)
_KEYWORD = re.compile(rf"(AND|OR|NOT)(?![^\s(){QUOTES}])")
_NUMBER = re.compile(r"\d{1,9}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = rf"[^\\{QUOTES}]"
_NAMED = rf"(?<=[\s({QUOTES}])(?:«{_PLAIN}*»|“{_PLAIN}*”|„{_PLAIN}*[“”])"  # within a phrase: a name in quotes
QUOTED = re.compile(rf"[{QUOTES}]((?:\\.|{_PLAIN}|{_NAMED})*)[{QUOTES}]", re.DOTALL)
_RIGHT = {"*": "drone*", "~": "drone~1", ":": "title:drone", "\\": "two of them for the character itself"}


def unescaped(text: str) -> str:
    """Return `text` without the backslashes that take a character's meaning away."""
    return _ESCAPE.sub(r"\1", text)


class Scanner:
    """A query, and the place up to which it is read."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        """Raise the error for a mistake at `at`, or at the present place."""
        raise QueryInvalid(self.query, self.at if at is None else at, problem)

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
            self.fail("this quote is never closed: add a second one", start)
        text = " ".join(unescaped(found[1]).split())
        self.check_words(text, start)
        return text

    def bare(self) -> str:
        """Read a bare word as it is written."""
        found = self.take(_BARE_WORD)
        if not found:
            sign = self.peek()
            self.fail(f'"{sign}" has no word before it: write {_RIGHT.get(sign, "it in quotes")}')
        return found[0]

    def ended(self) -> None:
        """Fail where the term does not end here."""
        if self.peek() and not self.peek().isspace() and self.peek() != ")":
            self.fail("a space is missing here")

    def number(self, least: int, most: int, example: str, start: int) -> int:
        """Read a number within its limits."""
        found = self.take(_NUMBER)
        if not found or not least <= int(found[0]) <= most:
            self.fail(f'after "~" stands a number from {least} to {most}, as in {example}', start)
        return int(found[0])

    def check_words(self, text: str, start: int) -> None:
        """Fail where `text` has no word in it, or too many."""
        count = sum(max(len(tokens(word)) for word in alternatives) for alternatives in words(text))
        if not count:
            self.fail("there is no word to look for in this", start)
        if count > MAX_WORDS:
            self.fail(f"a phrase has at most {MAX_WORDS} words", start)

    def check_single(self, text: str, sign: str, start: int) -> None:
        """Fail where `text` is more than one word."""
        if sum(1 for _ in tokens(text)) > 1:
            self.fail(f'"{sign}" belongs to one word: this is more than one', start)
