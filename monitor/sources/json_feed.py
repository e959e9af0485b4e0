"""JSON Feed, versions 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import unescape
from typing import Any

from monitor.errors import SourceUnreadable
from monitor.html import Plain, one_line, plain_text, read_html, web_address
from monitor.sources.entries import (
    AT_AN_END,
    MAX_ENTRIES,
    Document,
    Entry,
    is_oldest_first,
    language_code,
    left_out_of,
)


def read_json(text: str, url: str) -> Document:
    """Return what a JSON Feed holds; relative links are resolved against `url`.

    Raises `SourceUnreadable` where it is no JSON, or not such a feed.
    """
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceUnreadable("damaged JSON, not a feed") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise SourceUnreadable('JSON without a list of "items", not a JSON Feed')
    language = _text(feed.get("language"))
    items, notes = _few_enough([item for item in items if isinstance(item, dict)])
    entries = tuple(_entry(item, url, language) for item in items)
    return Document(entries, notes=notes, title=one_line(unescape(_text(feed.get("title")))))


def _entry(item: dict[str, Any], url: str, language: str) -> Entry:
    """Return an entry; whatever has not the type that the format asks for counts as missing."""
    link = _text(item.get("url")) or _text(item.get("external_url"))
    return Entry(
        guid=one_line(_text(item.get("id"))),
        link=web_address(link, url) if link else "",
        title=one_line(unescape(_text(item.get("title")))),  # plain by the format, escaped by many
        body=_body(item, url),
        published=_published(item),
        author=_author(item),
        language=language_code(_text(item.get("language")) or language),
    )


def _few_enough(items: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return no more entries than are read, and what there is to note of the others."""
    left_out = len(items) - MAX_ENTRIES
    if left_out <= 0:
        return items, ()
    backwards = is_oldest_first(map(_published, items[:AT_AN_END]), map(_published, items[-AT_AN_END:]))
    chosen = items[-MAX_ENTRIES:] if backwards else items[:MAX_ENTRIES]
    return chosen, left_out_of(left_out, oldest_first=backwards)


def _published(item: dict[str, Any]) -> datetime | None:
    """Return when an entry was published, else changed."""
    return _date(_text(item.get("date_published"))) or _date(_text(item.get("date_modified")))


def _body(item: dict[str, Any], url: str) -> Plain:
    """Return the text of an entry: its HTML, else its plain text, else its summary."""
    markup = _text(item.get("content_html"))
    if markup:
        return read_html(markup, url)
    return plain_text(_text(item.get("content_text")) or _text(item.get("summary")))


def _author(item: dict[str, Any]) -> str:
    """Return the first author's name: "authors" of version 1.1, "author" of 1.0."""
    authors = item.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else item.get("author")
    return _text(first.get("name")) if isinstance(first, dict) else ""


def _date(value: str) -> datetime | None:
    """Return an RFC 3339 date in UTC; None where it is none."""
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    """Return a string, a number as one, and "" for everything else."""
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, str | int | float) else ""
