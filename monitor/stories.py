"""Whether an item is a story that was told already.

Pure: compares an item with the stories of the last two days. Two items tell one story when they
point to the same page or forward the same post, or when their headlines say the same in the same
words. A wrong "same" would hide an event from its readers, so a headline that names another place or
another number is another story, however alike the rest is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from rapidfuzz import fuzz, process

from monitor import text
from monitor.model import Item, Story

WINDOW = timedelta(days=2)
"""How long a story goes on: a report that comes later begins a new one."""

ALIKE = 75  # rapidfuzz token_sort_ratio of two headlines that are worth a closer look
SAME_WORD = 80  # rapidfuzz ratio of two forms or spellings of one word
LEAST_WORDS = 4  # "Breaking news" and "Air alert" are no headlines to go by
EXTRA_WORDS = 2  # how many words one headline may have beside those of the other ("officials say"),
EXTRA_SHARE = 0.2  # or which share of its words
SMALL_WORD = 3  # letters of a word that one headline may do without: "to", "in", "has", "на"
NEGATIONS = frozenset({"no", "not", "never", "without", "denies", "не", "ні", "нет", "без"})
HEADLINE_CHARACTERS = 200

TRACKING = re.compile(
    r"utm_\w+|at_\w+|fbclid|gclid|yclid|igshid|mc_[ce]id|ref|cmpid|ocid|ns_\w+|from|traffic_source"
)
SENTENCE = re.compile(r"[^\n.!?…]*\w[^\n.!?…]*")


def headline(item: Item) -> str:
    """Return an item's title, or the first sentence of a post, which has none."""
    if item.title:
        return item.title
    sentence = SENTENCE.search(item.text)
    return sentence.group().strip()[:HEADLINE_CHARACTERS] if sentence else ""


def canonical_link(url: str) -> str | None:
    """Return a URL without what differs between two links to one page; None for a site's front page.

    Scheme, "www.", the fragment, a trailing slash, the order of the parameters and those that only
    track the reader do not count.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # brackets that are no IPv6 address
        return None
    path = parts.path.rstrip("/")
    kept = sorted(pair for pair in parse_qsl(parts.query) if not TRACKING.fullmatch(pair[0].lower()))
    if not host or not (path or kept):
        return None
    return host + path + (f"?{urlencode(kept)}" if kept else "")


def links(item: Item) -> frozenset[str]:
    """Return the canonical links by which another report of the same thing is recognised."""
    own = (canonical_link(url) for url in (item.url, item.forwarded_url) if url)
    return frozenset(link for link in own if link)


def find(item: Item, stories: Sequence[Story]) -> Story | None:
    """Return the story that an item tells again, or None for a new one.

    `stories` are those seen within `WINDOW`; where several fit, the first is taken.
    """
    known = links(item)
    for story in stories:
        if known & story.links:
            return story
    words = _words(headline(item))
    if len(words) < LEAST_WORDS:
        return None
    close = process.extract(
        " ".join(words),
        [" ".join(_words(story.headline)) for story in stories],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=ALIKE,
        limit=None,
    )
    for _, _, index in close:
        if _say_the_same(words, _words(stories[index].headline)):
            return stories[index]
    return None


def _words(line: str) -> list[str]:
    return re.findall(r"\w+", text.fold(line))


def _say_the_same(some: list[str], others: list[str]) -> bool:
    """Tell whether two headlines differ only in word forms and a few added words."""
    few, many = sorted((some, others), key=len)
    if len(few) < LEAST_WORDS or _telling(few) != _telling(many):
        return False
    left = list(many)
    for word in few:
        match = process.extractOne(word, left, scorer=_word_ratio, score_cutoff=SAME_WORD)
        if match is not None:
            left.pop(match[2])
        elif len(word) > SMALL_WORD:
            return False
    return len(left) <= max(EXTRA_WORDS, EXTRA_SHARE * len(many))


def _word_ratio(one: str, other: str, **_: object) -> float:
    """Return how alike two words are, from 0 to 100; a word that another begins with is a form of it."""
    short, long = sorted((one, other), key=len)
    if len(short) >= SMALL_WORD and long.startswith(short):
        return 100
    return fuzz.ratio(one, other)


def _telling(words: list[str]) -> set[str]:
    """Return the words that make another story by themselves: numbers and negations."""
    return {word for word in words if word in NEGATIONS or any(letter.isdigit() for letter in word)}
