"""What stands at an address that somebody names: a feed, a channel, or a page that names feeds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from monitor.errors import SourceUnreadable
from monitor.html import one_line, parse_html
from monitor.model import Cursor, Item, Source
from monitor.sources import feed, telegram_channel
from monitor.sources.apart import Apart, is_large
from monitor.sources.discovery import FeedLink, discover
from monitor.sources.entries import items_of
from monitor.sources.envelope import decoded
from monitor.sources.headers import http_date
from monitor.sources.http import Http, Response, shown


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A feed or a channel with what it shows now, or the feeds of a page that is none itself."""

    kind: str
    address: str  # where it stands for good, after permanent redirects
    title: str = ""
    items: tuple[Item, ...] = ()  # oldest first
    feeds: tuple[FeedLink, ...] = ()


async def look(http: Http, kind: str, address: str, apart: Apart | None = None) -> Glimpse:
    """Return what stands at an address, which may be a public one only; large documents are read by `apart`.

    Raises `SourceUnreachable`, `SourceUnreadable` or `SourceGone`, each with one sentence.
    """
    source = Source(id="", name=address, kind=kind, address=address, trusted=False)
    if kind == "channel":
        fetched = await telegram_channel.fetch(http, source, Cursor())
        polled = await asyncio.to_thread(telegram_channel.parse, fetched, source, Cursor())
        title = await asyncio.to_thread(_channel_title, fetched.answers[0])
        return Glimpse(kind, address, title, polled.items)
    with http.one_look():
        answer = (await feed.fetch(http, source, Cursor())).answers[-1]
        if apart and is_large([answer.body]):
            return await apart.run(shown(answer.url), _read, answer)
        return await asyncio.to_thread(_read, answer)


def _read(answer: Response) -> Glimpse:
    """Return the feed that an answer is, or the feeds that it names as a page."""
    kind = answer.headers.get("content-type", "")
    address = answer.permanent_url or answer.asked
    try:
        document = feed.read(answer.body, kind, answer.url)
    except SourceUnreadable as error:
        feeds = discover(decoded(answer.body, kind), answer.url)
        if feeds:
            return Glimpse("page", address, feeds=feeds)
        raise SourceUnreadable(answer.told(f"sent {error}")) from error
    items, _ = items_of(document, "", http_date(answer.headers.get("date", "")))
    return Glimpse("feed", address, document.title, items)


def _channel_title(answer: Response) -> str:
    """Return the name that a channel's page shows; "" where it shows none."""
    page = parse_html(answer.body.decode("utf-8", "replace"))
    header = page.css_first(".tgme_channel_info_header_title")
    if header is not None:
        return one_line(header.text())
    meta = page.css_first('meta[property="og:title"]')
    return one_line((meta.attributes.get("content") or "") if meta is not None else "")
