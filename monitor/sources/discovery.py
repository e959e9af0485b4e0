"""The feeds that a page names: what to offer where somebody gave the address of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from monitor.html import MAX_MARKUP, one_line, parse_html, web_address

MOST_FEEDS: Final = 20  # of one page
_TOLD: Final = 3  # in a sentence
_FEED_TYPES: Final = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/json"}
)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names."""

    url: str
    title: str = ""


def discover(page: str, base: str) -> tuple[FeedLink, ...]:
    """Return the feeds that an HTML page names in its head, in its order, each once.

    They stand there as `<link rel="alternate">` with the type of a feed (RSS Autodiscovery).
    """
    found: dict[str, FeedLink] = {}
    for link in parse_html(page[:MAX_MARKUP], unformatted=True).css("link[rel][href]"):
        facts = link.attributes
        kind = (facts.get("type") or "").partition(";")[0].strip().lower()
        if "alternate" in (facts.get("rel") or "").lower().split() and kind in _FEED_TYPES:
            url = web_address(facts.get("href") or "", base)
            if url:
                found.setdefault(url, FeedLink(url, one_line(facts.get("title") or "")))
    return tuple(found.values())[:MOST_FEEDS]


def named(page: str, base: str) -> str:
    """Return what a page that is no feed says of feeds, as the end of a sentence."""
    feeds = discover(page, base)
    if not feeds:
        return "look on it for the address of its RSS or Atom feed"
    return f"it names {' and '.join(link.url for link in feeds[:_TOLD])}"
