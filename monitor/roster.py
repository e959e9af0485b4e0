"""The list of sources: those of the config file, and beside them those that admins added.

Pure: takes both lists as they are now, and says what is polled, what a new one is called, and whether it
is there already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from monitor.model import Source
from monitor.text import fold, romanise

LONGEST_ID = 40
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")
_DEFAULT_PORTS = {("http", 80), ("https", 443)}


def merged(
    configured: Iterable[Source], added: Iterable[Source], paused: Collection[str]
) -> tuple[Source, ...]:
    """Return all sources, those of the config first, and which of them are paused.

    The config wins: an added source with the id or the address of one of the config's is left out.
    """
    found = {source.id: source for source in configured}
    taken = {identity(source.kind, source.address) for source in found.values()}
    for source in added:
        if source.id not in found and identity(source.kind, source.address) not in taken:
            found[source.id] = source
    return tuple(replace(source, paused=source.id in paused) for source in found.values())


def names(sources: Iterable[Source]) -> set[str]:
    """Return the ids and tags by which topics and queries name these sources."""
    return {name for source in sources for name in (source.id, *source.tags)}


def hidden(configured: Iterable[Source], added: Iterable[Source]) -> list[str]:
    """Return the ids under which the config has another source than the one that was added by that id."""
    own = {source.id: identity(source.kind, source.address) for source in configured}
    return [one.id for one in added if one.id in own and own[one.id] != identity(one.kind, one.address)]


def known(kind: str, address: str, sources: Iterable[Source]) -> Source | None:
    """Return the source that has this address already; None where none has."""
    wanted = identity(kind, address)
    return next((source for source in sources if identity(source.kind, source.address) == wanted), None)


def identity(kind: str, address: str) -> str:
    """Return what two addresses of the same feed or channel share.

    Telegram's names know no case. Of a URL the scheme, the case of the host, "www.", a default port, a
    slash at the end and the fragment make no difference.
    """
    if kind == "channel":
        return f"@{address.lower()}"
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").removeprefix("www.").rstrip("."), parts.port
    except ValueError:
        return address
    shown = f":{port}" if port and (parts.scheme, port) not in _DEFAULT_PORTS else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{shown}{parts.path.rstrip('/')}{query}"


def new_id(kind: str, address: str, title: str, taken: Collection[str]) -> str:
    """Return an id for a new source, of at most 40 of a-z, 0-9 and "-", that is not taken.

    It is the channel's name or the feed's host; where that is taken, with the title, else with a number.
    """
    base = slug(address if kind == "channel" else _host(address)) or kind
    if base not in taken:
        return base
    titled = slug(f"{base}-{slug(title) or romanise(fold(title))}")
    if titled not in taken:
        return titled
    numbers = (f"{base[: LONGEST_ID - 8]}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in numbers if name not in taken)


def slug(name: str) -> str:
    """Return a name in the letters of an id, at most 40 of them; "" where none of its letters is one."""
    return _NOT_OF_AN_ID.sub("-", name.lower()).strip("-")[:LONGEST_ID].rstrip("-")


def _host(address: str) -> str:
    """Return the host of a URL without what most feeds' hosts begin with."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    host = host if host.isascii() else romanise(fold(host))
    return re.sub(r"^(?:(?:www|feeds?|rss)\.)+(?=.*\.)", "", host)
