"""RSS 0.9x to 2.0, Atom and RDF, read by feedparser.

feedparser gets bytes and no address to open. What it gets has no DOCTYPE, so that entities mean nothing,
and is UTF-8, so that it need not guess.
"""

from __future__ import annotations

import calendar
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import struct_time
from typing import Any, Final

import feedparser

from monitor.errors import SourceUnreadable
from monitor.html import Plain, one_line, plain_text, read_html, web_address
from monitor.sources.dates import of_numbers
from monitor.sources.discovery import named
from monitor.sources.entries import (
    AT_AN_END,
    MAX_ENTRIES,
    Document,
    Entry,
    is_oldest_first,
    language_code,
    left_out_of,
)
from monitor.sources.envelope import (
    end_dates,
    ends_in_entry,
    first_entries,
    is_cut,
    last_entries,
    parseable,
    root_name,
    tamed,
    with_ampersands,
    without_prolog,
)

MAX_TAGS: Final = 200_000  # about three seconds of work for feedparser
_NO_FEED: Final = {
    "": "no XML",
    "opml": "an OPML list of feeds, not a feed",
    "urlset": "a sitemap, not a feed",
    "sitemapindex": "an index of sitemaps, not a feed",
}
CUT: Final = "the document breaks off before its end"
_DATES: Final = ("published_parsed", "updated_parsed", "created_parsed")
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_PERIODS: Final = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8_760}  # in hours

feedparser.registerDateHandler(of_numbers)
# Always expat: feedparser would look for the driver of another parser anew at each document.
feedparser.api.PREFERRED_XML_PARSERS = []
# At each element feedparser joins the same base to itself, which is a quarter of its time; the join is pure.
feedparser.mixin.make_safe_absolute_uri = lru_cache(maxsize=256)(feedparser.mixin.make_safe_absolute_uri)


def read_xml(text: str, url: str, language: str | None = None) -> Document:
    """Return what an RSS, Atom or RDF document holds; raises `SourceUnreadable` with what it is instead.

    `language` is that of the whole feed where the caller knows it; None leaves it to the document.
    """
    text = without_prolog(parseable(text))
    root = root_name(text)
    if root == "html":
        raise SourceUnreadable(f"an HTML page, not a feed: {named(text, url)}")
    if root in _NO_FEED:
        raise SourceUnreadable(_NO_FEED[root])
    text, notes = _few_enough(text)
    if text.count("<") > MAX_TAGS:
        raise SourceUnreadable(f"more than {MAX_TAGS} elements, too many for a feed")
    feed = _run_feedparser(tamed(with_ampersands(text)), url)
    if not feed.entries and not feed.version:
        if is_cut(text):
            raise SourceUnreadable("no XML, or only the beginning of it")
        raise SourceUnreadable(f"an XML document with the root <{root[:40]}>, not a feed")
    about: dict[str, Any] = dict(feed.feed)
    if language is None:
        language = language_code(_string(about.get("language"))) or ""
    cut = bool(feed.bozo) and is_cut(text)
    if cut and ends_in_entry(text):  # half an entry would be another one tomorrow
        feed.entries = feed.entries[:-1]
    entries = tuple(_entry(entry, url, language) for entry in feed.entries[:MAX_ENTRIES])
    return Document(
        entries,
        _ttl(about),
        notes,
        title=one_line(_plain(_mapping(about.get("title_detail")), url).text),
        language=language,
        sound=bool(feed.version and not feed.bozo),
        fault=CUT if cut else "",
    )


def _run_feedparser(text: str, url: str) -> Any:  # noqa: ANN401 - feedparser has no types
    """Return feedparser's result. It is handed bytes in a file, so that nothing in them can be an address."""
    try:
        return feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # feedparser promises nothing about what broken input raises
        raise SourceUnreadable("a damaged document that cannot be read") from error


def _entry(entry: Any, url: str, language: str) -> Entry:  # noqa: ANN401 - as above
    """Return an entry of feedparser's as ours."""
    facts: dict[str, Any] = dict(entry)  # without what feedparser puts in place of a key that is missing
    title = _mapping(facts.get("title_detail"))
    link = _string(facts.get("link"))
    author = _string(_mapping(facts.get("author_detail")).get("name")) or _string(facts.get("author"))
    return Entry(
        guid=one_line(_string(facts.get("id"))),
        link=web_address(link, _string(title.get("base")) or url) if link else "",
        title=one_line(_plain(title, url).text),
        body=max((_plain(part, url) for part in _bodies(facts)), key=lambda plain: len(plain.text)),
        published=date_of(facts.get(name) for name in _DATES),
        author=author,
        language=language_code(_string(title.get("language")) or language),
    )


def _bodies(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every stretch of text that an entry carries: its contents first, since they know their base."""
    contents = facts.get("content")
    summary = _mapping(facts.get("summary_detail")) or {"value": facts.get("summary"), "type": "text/html"}
    return [*(_mapping(content) for content in (contents if isinstance(contents, list) else [])), summary]


def _plain(detail: dict[str, Any], url: str) -> Plain:
    """Return a text construct as plain text, by the type that it has or that feedparser found it to have."""
    value = _string(detail.get("value"))
    if _string(detail.get("type")) in _HTML or not detail.get("type"):
        return read_html(value, _string(detail.get("base")) or url)
    return plain_text(value)


def _few_enough(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a document with no more entries than are read, and what there is to note of the others."""
    newest, left_out = first_entries(text, MAX_ENTRIES)
    if not left_out:
        return text, ()
    backwards = is_oldest_first(*([_written(date) for date in dates] for dates in end_dates(text, AT_AN_END)))
    chosen = last_entries(text, MAX_ENTRIES) if backwards else newest
    return chosen, left_out_of(left_out, oldest_first=backwards)


def _written(date: str) -> datetime | None:
    """Return a date as feedparser reads it."""
    return date_of([feedparser.datetimes._parse_date(date)])  # noqa: SLF001


def date_of(dates: Iterable[object]) -> datetime | None:
    """Return the first of the dates that feedparser read, in UTC; None where it read none."""
    for parsed in dates:
        if isinstance(parsed, struct_time):
            try:
                return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
            except (ValueError, OverflowError, OSError):
                continue
    return None


def _ttl(feed: dict[str, Any]) -> timedelta | None:
    """Return how long a feed says it stays the same: RSS 2.0 <ttl> in minutes, or the syndication module."""
    minutes = _number(feed.get("ttl"))
    period = _PERIODS.get(_string(feed.get("sy_updateperiod")).strip().lower())
    if not minutes and period:
        minutes = period * 60 / max(_number(feed.get("sy_updatefrequency")), 1)
    return timedelta(minutes=min(minutes, 1e6)) if minutes > 0 else None


def _number(value: object) -> float:
    """Return a whole number that is written in a feed; 0 where it is none."""
    written = _string(value).strip()[:9]
    return float(written) if written.isascii() and written.isdigit() else 0.0


def _string(value: object) -> str:
    """Return a string as it is, and "" for everything else that a document may put in its place."""
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> dict[str, Any]:
    """Return a mapping as it is, and an empty one for everything else, as `_string` does."""
    return dict(value) if isinstance(value, dict) else {}
