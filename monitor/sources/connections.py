"""Connections to hosts, kept and driven by libcurl: a request goes in, an answer of bounded size comes out.

libcurl reads URLs and HTTP, speaks TLS, and keeps connections open. Names are looked up here, since a lookup
that hangs in libcurl holds up the others, and the end of the process.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context, copy_context
from functools import cache
from socket import socket
from types import TracebackType
from typing import Any, Final, NamedTuple, Protocol, Self

import pycurl  # type: ignore[import-untyped]  # ships no types
from yarl import URL

from monitor.sources.addresses import Resolver, is_numeric, is_public

_AT_ONCE: Final = 2**19  # bytes that are taken from a connection in one go
_KEPT_OPEN: Final = 100  # idle connections
_KEPT_FOR: Final = 60  # seconds
_STOP: Final = -1  # what a callback returns so that nothing more is read
_WAIT: Final[int] = pycurl.WRITEFUNC_PAUSE  # so that it is given the same again later
_NO_SOCKET: Final[int] = pycurl.SOCKET_BAD

_WORDS: Final = {
    pycurl.E_SSL_CONNECT_ERROR: "no secure connection came about (TLS)",
    pycurl.E_PEER_FAILED_VERIFICATION: "its certificate is not valid",
    pycurl.E_GOT_NOTHING: "it closed the connection",
    pycurl.E_SEND_ERROR: "it closed the connection",
    pycurl.E_PARTIAL_FILE: "its answer broke off",
    pycurl.E_COULDNT_RESOLVE_HOST: "its name is not known (DNS)",
}


class NotAnswered(Exception):
    """No whole answer came; the message says in a few words why."""


class TooMuch(Exception):
    """The body is longer than the limit."""


class Answer(NamedTuple):
    """What a host answered to one request."""

    status: int
    fields: dict[str, str]  # by lower-case name, repeated ones joined (RFC 9110, 5.3), in ASCII alone
    body: bytes  # as it was sent, packed or not; empty where it is not wanted


class Limits(NamedTuple):
    """What of an answer is read."""

    wanted: Collection[int]  # the statuses whose body is
    body: int  # bytes of one
    large: int  # bytes from which on it may be held only after a wait
    grow: Callable[[], Awaitable[None]]  # that wait


class _Address(Protocol):
    """Where libcurl wants a socket to lead."""

    @property
    def family(self) -> int: ...
    @property
    def socktype(self) -> int: ...
    @property
    def protocol(self) -> int: ...
    @property
    def addr(self) -> tuple[str, int]: ...


class Connections:
    """A pool of connections; an async context manager.

    With `public_only`, none is opened to an address that is not of the public Internet, whatever a URL, a
    name server or a redirect says: that is looked at where the connection is made.
    """

    def __init__(
        self, user_agent: str, limits: Limits, connect_within: float, *, public_only: bool = False
    ) -> None:
        """Open nothing yet; `connect_within` is a number of seconds."""
        self._limits = limits
        self._connect_within = connect_within
        self._options = {
            pycurl.USERAGENT: user_agent,
            pycurl.MAXFILESIZE: limits.body,
            pycurl.CONNECTTIMEOUT_MS: int(connect_within * 1000),
        }
        self._public_only = public_only
        self._resolver = Resolver()
        self._idle: list[_Line] = []

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_OPEN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._multi.aclose()
        await self._resolver.close()
        for line in self._idle:
            line.curl.close()

    async def get(self, url: URL, fields: Mapping[str, str]) -> Answer:
        """Return the answer to a GET, redirect or not.

        Raises `NotAnswered`, and `TooMuch` without reading further. Takes as long as the host likes.
        """
        addresses = await self._addresses(url)
        line = self._idle.pop() if self._idle else _Line(self._options, public_only=self._public_only)
        line.begin(self._limits)
        set_option = line.curl.setopt
        set_option(pycurl.URL, str(url))
        set_option(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in fields.items()])
        set_option(pycurl.RESOLVE, addresses)
        code = pycurl.E_OK
        try:
            await self._multi.perform(line.curl)
        except pycurl.error as error:
            code = error.args[0]
        except BaseException:
            line.end()
            line.curl.close()
            raise
        answer, refused, enough = line.end()
        why = line.curl.getinfo(pycurl.OS_ERRNO)
        self._idle.append(line)
        if code == pycurl.E_OK or enough:
            return answer
        raise self._fault(code, why, refused=refused)

    async def _addresses(self, url: URL) -> list[str]:
        """Return where the host of a URL is, as libcurl takes it; nothing where the URL says so itself."""
        host = url.raw_host or ""
        if is_numeric(host):
            return []
        try:
            found = await self._resolver.addresses(host)
        except (OSError, UnicodeError):
            raise NotAnswered(_WORDS[pycurl.E_COULDNT_RESOLVE_HOST]) from None
        return [f"+{host}:{url.port}:{','.join(found)}"]

    def _fault(self, code: int, why: int, *, refused: bool) -> Exception:
        """Return what a code of libcurl means, given the error of the system that it comes with."""
        if code == pycurl.E_FILESIZE_EXCEEDED:
            return TooMuch()
        if refused:
            return NotAnswered(
                "it stands on a private address, where only an address in the config file itself may lead"
            )
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return NotAnswered(f"no connection came about within {self._connect_within:g} s")
        if code in {pycurl.E_COULDNT_CONNECT, pycurl.E_RECV_ERROR}:
            return NotAnswered(os.strerror(why).lower() if why else "it closed the connection")
        return NotAnswered(_WORDS.get(code, "its answer is no proper HTTP"))


class _Line:
    """A handle of libcurl, which carries one request after another, and takes down what is answered."""

    def __init__(self, options: Mapping[int, Any], *, public_only: bool) -> None:
        self.curl = pycurl.Curl()
        own = {
            pycurl.NOSIGNAL: 1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROXY: "",  # those of the environment would be a way around `public_only`
            pycurl.PATH_AS_IS: 1,
            pycurl.BUFFERSIZE: _AT_ONCE,
            pycurl.MAXAGE_CONN: _KEPT_FOR,
            pycurl.HEADERFUNCTION: self._take_field,
            pycurl.WRITEFUNCTION: self._take_part,
        }
        if public_only:
            own[pycurl.OPENSOCKETFUNCTION] = self._open
        for option, value in {**own, **certificates(), **options}.items():
            self.curl.setopt(option, value)

    def begin(self, limits: Limits) -> None:
        """Be ready for one more answer, for whoever calls."""
        self._limits = limits
        self._caller: Context = copy_context()
        self._status, self._fields, self._in_head = 0, dict[str, str](), False
        self._parts: list[bytes] = []
        self._size = 0
        self._growing: asyncio.Task[None] | None = None
        self._may_grow = self._refused = self._enough = False

    def end(self) -> tuple[Answer, bool, bool]:
        """Return what was answered, whether an address was refused, and whether the rest was not wanted."""
        if self._growing:
            self._growing.cancel()
        body, self._parts = b"".join(self._parts), []
        return Answer(self._status, self._fields, body), self._refused, self._enough

    def _take_field(self, line: bytes) -> None:
        """Take a line of a head; one of an interim answer (RFC 9110, 15.2) or of a trailer is none."""
        text = line.decode("ascii", "ignore").strip()
        if line.startswith(b"HTTP/"):
            self._status, self._fields, self._in_head = int(text.split()[1]), {}, True
        elif not text:
            self._in_head = False
        elif self._in_head:
            name, _, value = text.partition(":")
            key, value = name.strip().lower(), value.strip()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def _take_part(self, part: bytes) -> int | None:
        """Take a part of the body, unless it has to wait or is not wanted."""
        limits = self._limits
        if self._status not in limits.wanted:
            self._enough = True
            return _STOP
        if self._size + len(part) > limits.large and not self._may_grow:
            loop = asyncio.get_running_loop()
            self._growing = self._growing or loop.create_task(self._grow(), context=self._caller)
            return _WAIT
        self._parts.append(part)
        self._size += len(part)
        return None

    async def _grow(self) -> None:
        """Go on when a large body may be held."""
        await self._limits.grow()
        self._may_grow = True
        self.curl.pause(pycurl.PAUSE_CONT)

    def _open(self, _: int, address: _Address) -> socket | int:
        """Return a socket for a connection, if it may be made."""
        if is_public(str(address.addr[0])):
            return socket(address.family, address.socktype, address.protocol)
        self._refused = True
        return _NO_SOCKET


@cache
def certificates() -> dict[int, str]:
    """Return where the certificates stand that this machine trusts, as Python knows it."""
    paths = ssl.get_default_verify_paths()
    return {
        option: path
        for option, path in ((pycurl.CAINFO, paths.cafile), (pycurl.CAPATH, paths.capath))
        if path
    }
