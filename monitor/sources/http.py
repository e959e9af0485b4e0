"""The HTTP client: polite, bounded in every direction, and closed to private addresses for the untrusted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from types import TracebackType
from typing import Final, NamedTuple, Self

from yarl import URL

from monitor.clock import Clock, SystemClock
from monitor.errors import SourceGone, SourceUnreachable
from monitor.model import Hints
from monitor.sources.addresses import is_numeric
from monitor.sources.connections import Connections, Limits, NotAnswered
from monitor.sources.headers import Headers, hints, retry_after
from monitor.sources.room import Room
from monitor.sources.turns import Turns
from monitor.sources.unpacking import ACCEPTED, NotUnpackable, TooLong, measure, unpack

USER_AGENT: Final = "monitor-bot (+self-hosted)"
MAX_DOWNLOAD: Final = 10 * 2**20  # bytes as they come
MAX_BODY: Final = 20 * 2**20  # bytes once unpacked
MAX_REDIRECTS: Final = 5
REST: Final = timedelta(minutes=1)  # for a host that answers 429 without a Retry-After
_MOST_LARGE: Final = 2  # bodies larger than the next at a time, from the first byte until they are read
MOST_WAITING: Final = 50  # bodies that wait to be read while others are asked for
_AT_ONCE: Final = 2**20  # bytes that are unpacked without leaving the event loop
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PERMANENT: Final = frozenset({301, 308})
_ANSWERS: Final = frozenset({200, 203, 226, 304})
_BODIES: Final = _ANSWERS - {HTTPStatus.NOT_MODIFIED}
_ACCEPT: Final = {
    "Accept": "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.7, */*;q=0.5",
    "Accept-Encoding": ACCEPTED,
    "Accept-Language": "en;q=0.8, *;q=0.5",
}
_LONGEST: Final = 8_000  # characters of an address (RFC 9110, 4.1: what servers should take at least)
_HOST = re.compile(r"[a-z0-9._~-]+", re.IGNORECASE)
_WELL_FORMED = re.compile(
    r"(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9a-f]{2})*", re.ASCII | re.IGNORECASE
)  # RFC 3986, 2
_CONNECT: Final = 10.0  # seconds, at most


class Response(NamedTuple):
    """An answer: 200 and the like with its body unpacked, or 304 with none."""

    status: int
    headers: Headers
    body: bytes
    asked: str  # the URL of the first request
    url: str  # of the last one, after redirects
    permanent_url: str | None = None  # where the first request was sent for good, all the way
    hints: Hints = Hints()  # what the headers say about when to come back
    received: datetime | None = None

    def told(self, what: str) -> str:
        """Return a message on it: its address, what it did, and the address that led there, if one did."""
        return _told(self.asked, self.url, what)


class Http:
    """An HTTP client for all sources; an async context manager.

    `timeout` bounds a whole request: connection, redirects and the last byte of the body, but not the wait
    for a turn. At most `per_host` requests run on one host at once, `gap` apart, and `concurrency` in all.
    """

    def __init__(  # noqa: PLR0913 - the settings of a client, each with a default
        self,
        *,
        timeout: timedelta = timedelta(seconds=20),
        per_host: int = 2,
        gap: timedelta | None = None,
        concurrency: int = 100,
        preview_url: str = "https://t.me",
        user_agent: str = USER_AGENT,
        allow_private_hosts: Collection[str] = (),
        clock: Clock | None = None,
    ) -> None:
        """Open nothing yet."""
        self.preview_url = preview_url.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._turns = Turns(concurrency=concurrency, per_host=per_host, gap=gap)
        self._private_hosts = frozenset(host.lower() for host in allow_private_hosts)
        self._room = Room(concurrency + MOST_WAITING, _MOST_LARGE)
        limits = Limits(_BODIES, MAX_DOWNLOAD, _AT_ONCE, self._room.grow)
        connect_within = min(_CONNECT, self._timeout)
        always = {**_ACCEPT, "User-Agent": user_agent}
        self._anywhere = Connections(always, limits, connect_within)
        self._public = Connections(always, limits, connect_within, public_only=True)
        self._open = AsyncExitStack()
        self._clock = clock or SystemClock()

    async def __aenter__(self) -> Self:
        """Open the client: one pool of connections for the trusted, and one of public addresses only."""
        for pool in (self._anywhere, self._public):
            await self._open.enter_async_context(pool)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._open.aclose()

    def one_look(self) -> AbstractContextManager[None]:
        """Count what is asked for within it as one look at a source, which has a place while it lasts.

        See `Room`: so memory does not grow with the number of looks that wait to be read.
        """
        return self._room.one_look()

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        trusted: bool,
        only_to: str | None = None,
    ) -> Response:
        """Return the answer to a GET, after at most five redirects.

        `headers` go to `url` alone, or to `only_to` alone, an address that redirects may lead to.
        `trusted` allows private addresses, on the host of `url` alone: a redirect to another host is not
        trusted. Raises `SourceGone` for 410, and `SourceUnreachable` for everything else that is no answer:
        refusals (with `after` where a Retry-After names a wait), time-outs, and more bytes than the limits.
        A host that answers 429 is left alone until its Retry-After is over: until then `SourceResting`.
        """
        here = _checked_address(url)
        first, permanent, moved = here.host, True, False
        left = self._timeout
        for _ in range(MAX_REDIRECTS + 1):
            pool = self._pool_for(here.host or "", trusted=trusted and here.host == first)
            is_meant = str(here) == only_to if only_to else not moved
            answer, took = await self._in_turn(pool, url, here, headers or {} if is_meant else {}, left)
            left -= took
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target:
                return self._judged(answer, str(here) if permanent and moved else None)
            permanent, moved = permanent and answer.status in _PERMANENT, True
            here = checked(_joined(here, target), f"{shown(url)} redirects, and the address it names")
        raise SourceUnreachable(f"{shown(url)} redirects more than {MAX_REDIRECTS} times: check its address")

    async def _in_turn(
        self, pool: Connections, asked: str, url: URL, headers: Mapping[str, str], left: float
    ) -> tuple[Response, float]:
        """Return the answer to one request when its turn has come, and the seconds that it took."""
        while True:
            await self._room.wait()
            async with self._turns.turn(url, begun=self._room.has_place()):
                if await self._room.enter():
                    began = asyncio.get_running_loop().time()
                    answer = await self._ask(pool, asked, url, headers, left)
                    return answer, asyncio.get_running_loop().time() - began

    async def _ask(
        self, pool: Connections, asked: str, url: URL, headers: Mapping[str, str], left: float
    ) -> Response:
        """Return the answer to one request, redirect or not, or raise `SourceUnreachable`.

        `asked` is the address that led to `url`.
        """
        try:
            async with asyncio.timeout(max(left, 0)):
                status, fields, packed = await pool.get(url, headers)
                body = await self._unpacked(packed, fields.get("content-encoding", ""))
        except TimeoutError:
            late = f"gave no whole answer within {self._timeout:g} s"
            raise SourceUnreachable(_told(asked, url, late)) from None
        except TooLong:
            most = f"{MAX_DOWNLOAD // 2**20} MB, or {MAX_BODY // 2**20} MB unpacked"
            much = f"sends more than {most}: it is no ordinary feed"
            raise SourceUnreachable(_told(asked, url, much)) from None
        except NotUnpackable as error:
            raise SourceUnreachable(_told(asked, url, f"gave an answer that {error}")) from error
        except NotAnswered as error:
            raise SourceUnreachable(_told(asked, url, f"cannot be reached: {error}")) from error
        now = self._clock.now()
        return Response(status, fields, body, asked, str(url), hints=hints(fields, now), received=now)

    async def _unpacked(self, packed: bytes, coding: str) -> bytes:
        """Return the body unpacked: here where it is small, in a thread where that would hold up the loop."""
        try:
            return unpack(packed, coding, _AT_ONCE)
        except TooLong:
            await asyncio.to_thread(measure, packed, coding, MAX_BODY)
            await self._room.grow()
            return await asyncio.to_thread(unpack, packed, coding, MAX_BODY)

    def _judged(self, answer: Response, permanent_url: str | None) -> Response:
        """Return an answer that can be read; raise what the status means for any other."""
        if answer.status in _ANSWERS:
            return answer._replace(permanent_url=permanent_url) if permanent_url else answer
        if answer.status == HTTPStatus.GONE:
            gone = "is gone for good (410): remove the source, or give its new address"
            raise SourceGone(answer.told(gone))
        wait = retry_after(answer.headers, self._clock.now())
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = wait or REST
            self._turns.rest(URL(answer.url), wait)
        lost = ", but does not say where to: check its address" if answer.status in _REDIRECTS else ""
        told = answer.told(f"answered {_status(answer.status)}{lost}")
        raise SourceUnreachable(told, after=wait, status=answer.status)

    def _pool_for(self, host: str, *, trusted: bool) -> Connections:
        """Return the connections that may be used for `host`."""
        return self._anywhere if trusted or host.lower() in self._private_hosts else self._public


def checked(url: str | URL, what: str) -> URL:
    """Return a URL that may be asked for; raises `SourceUnreachable` for other schemes and logins."""
    try:
        parsed = _as_written(url) if isinstance(url, str) else url
    except ValueError:
        raise SourceUnreachable(
            f"{what} cannot be read as a URL: use one that starts with https://"
        ) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SourceUnreachable(f"{what} is not of the web: use one that starts with https://")
    if len(str(parsed)) > _LONGEST:
        raise SourceUnreachable(f"{what} has more than {_LONGEST} characters: no server takes that")
    if not is_numeric(parsed.host) and not _HOST.fullmatch(parsed.raw_host or ""):
        raise SourceUnreachable(f"{what} names a host that is no name: check its spelling")
    if not is_numeric(parsed.host) and parsed.host.replace(".", "").isdigit():
        raise SourceUnreachable(f"{what} is a number: write it as four with dots, such as 192.0.2.1")
    if parsed.user is not None or parsed.password is not None:
        raise SourceUnreachable(f"{what} holds a user name or a password: use one without")
    return parsed.with_fragment(None) if parsed.raw_fragment else parsed


def _as_written(url: str) -> URL:
    """Return a URL; one that is well-formed (RFC 3986, 2) keeps its escapes: it may be signed.

    Raises ValueError.
    """
    try:
        parsed = URL(url, encoded=bool(_WELL_FORMED.fullmatch(url)))
        _ = parsed.host, parsed.port  # which are read only when they are asked for
    except IndexError:
        raise ValueError(url) from None
    return parsed


@lru_cache(maxsize=4_096)  # sources: their addresses stay the same
def _checked_address(url: str) -> URL:
    return checked(url, "The address")


def shown(url: str | URL) -> str:
    """Return a URL for a message or a log line: "?…" is its query, where keys and tokens stand."""
    try:
        parsed = URL(url) if isinstance(url, str) else url
    except ValueError:
        return "the address"
    address = f"{parsed.scheme}://{parsed.host_port_subcomponent or ''}{parsed.path}"[:200]
    return f"{address}?…" if parsed.raw_query_string else address


def _told(asked: str, url: str | URL, what: str) -> str:
    """Return what a URL did, for a message, and behind it the URL that was asked where that led there."""
    first, last = shown(asked), shown(url)
    return f"{last} {what}" if first == last else f"{last} {what} ({first} redirects there)"


def _joined(here: URL, target: str) -> URL:
    """Return where a Location points, seen from `here` (RFC 9110, 10.2.2)."""
    try:
        return _as_written(str(here.join(_as_written(target))))
    except ValueError:
        raise SourceUnreachable(f"{shown(here)} redirects to an address that cannot be read") from None


def _status(status: int) -> str:
    """Return a status with its name: "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
