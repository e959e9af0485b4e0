"""Words as keys of a full-text index: two words that may be the same share a key.

The index only narrows down; whether an item is found is for the matcher to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from monitor import alternatives
from monitor.errors import QueryInvalid
from monitor.matching.nodes import And, Exact, Near, Or, Phrase, Query, Title, Word
from monitor.matching.query import parse
from monitor.matching.words import analyse, keys, keyword_keys
from monitor.model import Topic
from monitor.text import tokens

MOST_WORDS = 10  # of a search
LONGEST_KEY = 40  # letters
TOPIC = "search"
_SOUND, _GROUP = "≈", "§"  # how "~" and "@" before a key stand in the index, whose words are letters
_WORD = re.compile(r"[^\W_]+")
_READABLE = frozenset({"word", "hashtag", "number"})
_OPERATORS = frozenset({"and", "or", "not"})
_CACHE = 20_000


def text_keys(text: str, language: str | None) -> frozenset[str]:
    """Return the keys of all words of a text in this language (ISO 639-1, or None)."""
    words = {token.text for token in tokens(text) if token.kind in _READABLE}
    return frozenset().union(*(_keys_of(word, language) for word in words))


def search_keys(words: Iterable[str]) -> list[frozenset[str]]:
    """Return for each word of a search the keys of which a text that has it has at least one."""
    found = (_plain(keyword_keys(analyse(word), "strict")) for word in words)
    return [keys_ for keys_ in found if keys_]


def search_words(said: str) -> list[str]:
    """Return the words of a search as somebody typed it, without those that mean nothing alone."""
    found = [
        word for token in tokens(said) if token.kind in _READABLE for word in _WORD_OF.findall(token.text)
    ]
    telling = [word for word in found if not analyse(word).stop and word.lower() not in _OPERATORS]
    return list(dict.fromkeys(telling))[:MOST_WORDS]


def has_operators(said: str) -> bool:
    """Tell whether somebody typed a query that means more than all of its words."""
    try:
        tree = parse(said)
    except QueryInvalid:
        return False
    parts = tree.queries if isinstance(tree, And) else (tree,)
    return not all(isinstance(part, Word) for part in parts)


def query_keys(query: Query) -> list[frozenset[str]]:
    """Return sets of keys: a text that a query finds has at least one of each, but for its typos.

    There are none where a query does not say which words a text has to have.
    """
    match query:
        case Word(text) | Exact(text) | Phrase(text) | Near(text, _):
            return [
                group for choice in alternatives.words(text) for group in _any_of(map(_word_keys, choice))
            ]
        case And(queries):
            return [group for part in queries for group in query_keys(part)]
        case Or(queries):
            return _any_of(map(query_keys, queries))
        case Title(inner):
            return query_keys(inner)
        case _:
            return []


def _word_keys(word: str) -> list[frozenset[str]]:
    return search_keys(search_words(word))


def _any_of(ways: Iterable[list[frozenset[str]]]) -> list[frozenset[str]]:
    """Return what a text has that goes one of these ways: all of the only one, else the first of any."""
    first, *others = ways
    if not others:
        return first
    return [first[0].union(*(way[0] for way in others))] if first and all(others) else []


def search_topic(words: Iterable[str]) -> Topic:
    """Return the topic that finds all of these words, in any form and script."""
    return Topic(TOPIC, TOPIC, query=" ".join(words), fuzziness="strict")


_WORD_OF = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*")


@lru_cache(maxsize=_CACHE)
def _keys_of(word: str, language: str | None) -> frozenset[str]:
    known = analyse(word, language)
    return frozenset() if known.stop else _plain(keys(known))


def _plain(found: Iterable[str]) -> frozenset[str]:
    """Return keys as words of letters and digits, without the paradigms of the stems."""
    return frozenset(plain for key in found if (plain := _letters(key)))


def _letters(key: str) -> str:
    mark = {"~": _SOUND, "@": _GROUP}.get(key[:1], "")
    body = key[1:] if mark else key.partition(":")[0]
    return mark + "".join(_WORD.findall(body))[:LONGEST_KEY]
