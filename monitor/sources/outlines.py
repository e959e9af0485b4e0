"""What a list from elsewhere names, as sources: those that may be read, and why the others may not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from monitor.config import NoAddress, read_address
from monitor.config.values import Wrong, language
from monitor.html import one_line
from monitor.model import Source
from monitor.opml import Outline
from monitor.roster import identity
from monitor.sources.addresses import is_public

LONGEST_NAME: Final = 100  # characters, as in the config
LONGEST_SHOWN: Final = 80
_PRIVATE_NAMES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")  # RFC 6761, 6762, 8375


class Refusal(NamedTuple):
    """An entry that is not read."""

    entry: str  # its title and its address, as far as it has them
    fault: str  # `address.<fault>` in the catalogues is to be said behind it


def drafts(
    outlines: Iterable[Outline],
    *,
    added_by: str,
    private_hosts: Collection[str] | None,
    known: Iterable[Source] = (),
) -> tuple[list[Source], list[Refusal]]:
    """Return the sources that outlines name, without ids, and those that may not be read.

    Private addresses are refused but for `private_hosts`, and those of sources that are `known`; where
    `private_hosts` is None, it is left to the connection.
    No name is looked up here: one that leads to a private address is refused when it is read.
    """
    there = {identity(source.kind, source.address) for source in known}
    found: list[Source] = []
    refused: list[Refusal] = []
    for outline in outlines:
        if not outline.url:
            refused.append(Refusal(_entry(outline, ""), "missing"))
            continue
        try:
            kind, address = read_address(outline.url)
        except NoAddress as error:
            refused.append(Refusal(_entry(outline, outline.url), error.fault))
            continue
        allowed = private_hosts is None or identity(kind, address) in there
        if not allowed and is_private(kind, address, private_hosts or ()):
            refused.append(Refusal(_entry(outline, address), "private"))
            continue
        name = one_line(outline.title)[:LONGEST_NAME].strip()
        found.append(
            Source(
                id="",
                name=name,
                kind=kind,
                address=address,
                tags=outline.tags,
                language=_language(outline.language),
                trusted=False,
                added_by=added_by,
            )
        )
    return found, refused


def _entry(outline: Outline, address: str) -> str:
    """Return an outline by its title and its address, as far as it has them."""
    parts = (one_line(outline.title)[:LONGEST_SHOWN].strip(), address[:LONGEST_SHOWN])
    return ": ".join(filter(None, parts)) or "<outline>"


def is_private(kind: str, address: str, allowed: Collection[str]) -> bool:
    """Tell whether a feed's host is a private address, however it is written, or a name for one."""
    host = urlsplit(address).hostname or "" if kind == "feed" else ""
    if host in allowed:
        return False
    with contextlib.suppress(ValueError):
        return not is_public(str(ip_address(host)))
    with contextlib.suppress(OSError):  # "0x7f.1" and "2130706433" are addresses for inet_aton(3)
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    return f".{host.rstrip('.')}".endswith(_PRIVATE_NAMES)


def _language(code: str) -> str | None:
    """Return the ISO 639-1 code of a language tag; None where there is none."""
    with contextlib.suppress(Wrong):
        return language(code.partition("-")[0].lower())
    return None
