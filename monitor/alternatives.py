"""Alternatives within a phrase: "(shot|brought) down" is "shot down" or "brought down".

Brackets mean something only where they stand apart from other words and hold two or more words with
"|" between them. All other brackets are punctuation, as in any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.text import tokens

_CHOICE = re.compile(r"(?<!\S)\(\s*([^\s()|]+(?:\s*\|\s*[^\s()|]+)+)\s*\)(?!\S)")


def words(text: str) -> list[tuple[str, ...]]:
    """Return what a phrase is made of: for each word its alternatives, most often one."""
    found: list[tuple[str, ...]] = []
    end = 0
    for match, choice in _choices(text):
        found += [(word,) for word in text[end : match.start()].split()]
        found.append(choice)
        end = match.end()
    return found + [(word,) for word in text[end:].split()]


def is_stray(text: str) -> bool:
    """Tell whether a phrase has a "|" that means nothing, as it stands in no brackets of single words."""
    return text.count("|") > sum(match[0].count("|") for match, _ in _choices(text))


def _choices(text: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
    """Yield each pair of brackets that means something, with the alternatives in it."""
    for match in _CHOICE.finditer(text):
        choice = tuple(dict.fromkeys(word.strip() for word in match[1].split("|")))
        if all(map(tokens, choice)):
            yield match, choice
