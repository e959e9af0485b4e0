"""Where items come from: one module a kind of source, and one row in `KINDS`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from monitor.errors import SourceUnreadable
from monitor.model import Cursor, Polled, Source
from monitor.sources import feed, telegram_channel
from monitor.sources.apart import Apart
from monitor.sources.discovery import FeedLink
from monitor.sources.glimpse import Glimpse, look
from monitor.sources.http import Http
from monitor.sources.kind import Fetched, Kind, Parse

__all__ = ["KINDS", "Apart", "FeedLink", "Glimpse", "look", "poll"]

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("feed", feed.fetch, feed.parse, feed.glance),
            Kind("channel", telegram_channel.fetch, telegram_channel.parse),
        )
    }
)
"""Every kind of source that there is, by the name that stands in `Source.kind`."""

Elsewhere = Callable[[Parse, Fetched, Source, Cursor], Awaitable[Polled]]
"""Runs a parse away from the event loop: `asyncio.to_thread`, or an `Apart`."""


async def poll(
    http: Http, source: Source, cursor: Cursor, *, parse_in: Elsewhere = asyncio.to_thread
) -> Polled:
    """Return what one look at `source` brings: its items, oldest first, and the cursor for the next look.

    Whoever polls many does so within `Http.one_look`, until what was read is stored.
    Raises `SourceUnreachable` and `SourceUnreadable` (with `after` where the server named a wait),
    `SourceGone`, or `SourceResting`, each with one sentence; the cursor that was given then stays good.
    """
    kind = KINDS.get(source.kind)
    if kind is None:
        known = ", ".join(KINDS)
        raise SourceUnreadable(
            f"Source {source.id} is of an unknown kind {source.kind!r}: use one of {known}"
        )
    fetched = await kind.fetch(http, source, cursor)
    try:
        polled = kind.glance(fetched, source, cursor) if kind.glance else None
        return polled or await parse_in(kind.parse, fetched, source, cursor)
    except SourceUnreadable as error:
        error.after = fetched.answers[0].hints.retry_after
        raise
