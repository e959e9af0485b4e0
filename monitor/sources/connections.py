"""Connections to hosts, kept and driven by libcurl: a request goes in, an answer of bounded size comes out.

libcurl reads URLs and HTTP, speaks TLS, and keeps connections open. Names are looked up here, since a lookup
that hangs in libcurl holds up the others, and the end of the process.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context, copy_context
from functools import cache, partial
from socket import socket
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import pycurl  # type: ignore[import-untyped]  # ships no types
from yarl import URL

from monitor.sources.addresses import Resolver, is_numeric, is_public
from monitor.sources.unpacking import TooLong

_AT_ONCE: Final = 2**19  # bytes that are taken from a connection in one go
_KEPT_OPEN: Final = 100  # idle connections
_KEPT_FOR: Final = 60  # seconds
_STOP: Final = -1  # what a callback returns so that nothing more is read
_WAIT: Final[int] = pycurl.WRITEFUNC_PAUSE  # so that it is given the same again later
_NO_SOCKET: Final[int] = pycurl.SOCKET_BAD

_NAMES_LIVE: Final = 20  # seconds for which libcurl remembers what it was told of a name
_FINAL: Final = 200  # the first status that is not of an interim answer (RFC 9110, 15.2)
_BODILESS: Final = frozenset({204, 304})
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})", re.IGNORECASE)
_LENGTHS: Final = {"content-length", "transfer-encoding"}  # what says where a body ends (RFC 9112, 6.3)
_BROKE_OFF: Final = "its answer broke off"
_PRIVATE: Final = (
    "it stands on a private address, where only an address in the config file itself may lead,"
    " or a host in allow_private_hosts under [network]"
)
_NO_TLS: Final = ("wrong version number", "unexpected TLS packet")  # OpenSSL's words for it, and GnuTLS's
_WORDS: Final = {
    pycurl.E_SSL_CONNECT_ERROR: "no secure connection came about (TLS)",
    pycurl.E_PEER_FAILED_VERIFICATION: "its certificate is not valid",
    pycurl.E_GOT_NOTHING: "it closed the connection",
    pycurl.E_SEND_ERROR: "it closed the connection",
    pycurl.E_PARTIAL_FILE: _BROKE_OFF,
    pycurl.E_COULDNT_CONNECT: "no connection came about",
    pycurl.E_OPERATION_TIMEDOUT: "no connection came about in time",
    pycurl.E_SSL_CACERT_BADFILE: "the certificates that this machine trusts cannot be read",
    pycurl.E_COULDNT_RESOLVE_HOST: "its name is not known (DNS)",
}


class NotAnswered(Exception):
    """No whole answer came; the message says in a few words why."""


class Answer(NamedTuple):
    """What a host answered to one request."""

    status: int
    fields: dict[str, str]  # by lower-case name, repeated ones joined (RFC 9110, 5.3); ASCII but for Location
    body: bytes  # as it was sent, packed or not; empty where it is not wanted


class Limits(NamedTuple):
    """What of an answer is read."""

    wanted: Collection[int]  # the statuses whose body is
    body: int  # bytes of one
    large: int  # bytes from which on it may be held only after a wait
    grow: Callable[[], Awaitable[None]]  # that wait


class Connections:
    """A pool of connections; an async context manager.

    With `public_only`, none is opened to an address that is not of the public Internet, whatever a URL, a
    name server or a redirect says: that is looked at where the connection is made.
    """

    def __init__(
        self, always: Mapping[str, str], limits: Limits, connect_within: float, *, public_only: bool = False
    ) -> None:
        """Open nothing yet; `always` are fields of each request, `connect_within` is a number of seconds."""
        self._always = _lines(always)
        options = {pycurl.CONNECTTIMEOUT_MS: int(connect_within * 1000)}
        self._line = partial(_Line, limits, options, public_only=public_only)
        self._resolver = Resolver()
        self._idle: list[_Line] = []

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._to_names, self._to_addresses = pycurl.AsyncCurlMulti(), pycurl.AsyncCurlMulti()
        for multi in (self._to_names, self._to_addresses):
            multi.setopt(pycurl.M_MAXCONNECTS, _KEPT_OPEN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._to_names.aclose()
        await self._to_addresses.aclose()
        await self._resolver.close()
        for line in self._idle:
            line.curl.close()

    async def get(self, url: URL, fields: Mapping[str, str]) -> Answer:
        """Return the answer to a GET with these further fields, redirect or not.

        Raises `NotAnswered`, and `TooLong` without reading further. Takes as long as the host likes.
        """
        addresses = await self._addresses(url)
        line = self._idle.pop() if self._idle else self._line()
        line.begin()
        set_option = line.curl.setopt
        set_option(pycurl.URL, str(url))
        set_option(pycurl.HTTPHEADER, self._always + _lines(fields))
        set_option(pycurl.RESOLVE, addresses)
        # libcurl remembers plain addresses as it does names, and looks through all of them at each request.
        # It is to forget them. As it then forgets all that is old, names are apart: a request may need its
        # name twice, as when a connection that was kept open breaks off.
        set_option(pycurl.DNS_CACHE_TIMEOUT, _NAMES_LIVE if addresses else 0)
        multi = self._to_names if addresses else self._to_addresses
        code = pycurl.E_OK
        try:
            await multi.perform(line.curl)
        except pycurl.error as error:
            code = error.args[0]
        except BaseException:
            line.end()
            line.curl.close()
            raise
        self._idle.append(line)
        return line.answer(code, secure=url.scheme == "https")

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


class _Line:
    """A handle of libcurl, which carries one request after another, and takes down what is answered."""

    def __init__(self, limits: Limits, options: Mapping[int, Any], *, public_only: bool) -> None:
        self.curl = pycurl.Curl()
        self._limits = limits
        own = {
            pycurl.NOSIGNAL: 1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROXY: "",  # those of the environment would be a way around `public_only`
            pycurl.PATH_AS_IS: 1,
            pycurl.BUFFERSIZE: _AT_ONCE,
            pycurl.MAXFILESIZE: limits.body,
            pycurl.MAXAGE_CONN: _KEPT_FOR,
            pycurl.HEADERFUNCTION: self._take_line,
            pycurl.WRITEFUNCTION: self._take_part,
        }
        if public_only:
            own[pycurl.OPENSOCKETFUNCTION] = self._open
        for option, value in {**own, **certificates(), **options}.items():
            self.curl.setopt(option, value)

    def begin(self) -> None:
        """Be ready for one more answer, for whoever calls."""
        self._caller: Context = copy_context()
        self._status, self._fields = 0, dict[str, str]()
        self._head: list[bytes] = []  # its lines so far
        self._head_is_whole = False
        self._body = io.BytesIO()  # which grows where it is; parts would have to be joined
        self._growing: asyncio.Task[None] | None = None
        self._may_grow = self._has_enough = False
        self._opened = self._refused = False
        self._no_socket: OSError | None = None

    def end(self) -> bytes:
        """Take no more of the answer; return the body."""
        if self._growing:
            self._growing.cancel()
        body, self._body = self._body.getvalue(), io.BytesIO()
        return body

    def answer(self, code: int, *, secure: bool) -> Answer:
        """Return what was answered, or raise what the code means with which libcurl ended.

        Many an old server ends a body without a length by cutting off its TLS connection.
        """
        answer = Answer(self._status, self._fields, self.end())
        why = self.curl.getinfo(pycurl.OS_ERRNO)
        cut = secure and code == pycurl.E_RECV_ERROR and not why and not _LENGTHS & self._fields.keys()
        if self._has_enough or (self._head_is_whole and (code == pycurl.E_OK or cut)):
            return answer
        if code == pycurl.E_FILESIZE_EXCEEDED:
            raise TooLong
        raise NotAnswered(self._reason(code, self._no_socket.errno if self._no_socket else why))

    def _reason(self, code: int, why: int | None) -> str:
        """Return in a few words what a code of libcurl and the system's error say."""
        if self._refused and not self._opened:
            return _PRIVATE
        if code in {pycurl.E_COULDNT_CONNECT, pycurl.E_RECV_ERROR} and why:
            return os.strerror(why).lower()
        if code == pycurl.E_OK or (code == pycurl.E_RECV_ERROR and self._head_is_whole):
            return _BROKE_OFF
        if code == pycurl.E_SSL_CONNECT_ERROR and any(words in self.curl.errstr() for words in _NO_TLS):
            return "it speaks no TLS there (perhaps http:// is meant, not https://)"
        return _WORDS.get(code, "its answer is no proper HTTP")

    def _take_line(self, line: bytes) -> int | None:
        """Take a line of a head; what comes behind the final one is a trailer, and counts for nothing."""
        if self._head_is_whole:
            return None
        self._head.append(line)
        return self._take_head() if line.isspace() else None

    def _take_head(self) -> int | None:
        """Take a head that is whole, which may be an interim one."""
        found = _STATUS.match(self._head[0])
        if found is None:
            return _STOP
        lines = b"".join(self._head[1:]).decode("utf-8", "ignore")
        self._status, self._fields, self._head = int(found[1]), _fields(lines), []
        self._head_is_whole = self._status >= _FINAL
        self._has_enough = self._head_is_whole and self._has_unwanted_body()
        return _STOP if self._has_enough else None

    def _has_unwanted_body(self) -> bool:
        """Tell whether there is a body to come that is not read."""
        is_empty = self._status in _BODILESS or self._fields.get("content-length") == "0"
        return not is_empty and self._status not in self._limits.wanted

    def _take_part(self, part: bytes) -> int | None:
        """Take a part of the body, unless it has to wait."""
        if self._body.tell() + len(part) > self._limits.large and not self._may_grow:
            loop = asyncio.get_running_loop()
            self._growing = self._growing or loop.create_task(self._grow(), context=self._caller)
            return _WAIT
        return self._body.write(part)

    async def _grow(self) -> None:
        """Go on when a large body may be held."""
        await self._limits.grow()
        self._may_grow = True
        self.curl.pause(pycurl.PAUSE_CONT)

    def _open(self, _: int, where: tuple[int, int, int, tuple[str, ...]]) -> socket | int:
        """Return a socket for a connection, if it may be made."""
        family, kind, protocol, address = where
        if not is_public(str(address[0])):
            self._refused = True
            return _NO_SOCKET
        self._opened = True
        try:
            return socket(family, kind, protocol)
        except OSError as error:
            self._no_socket = error
            return _NO_SOCKET


def _fields(lines: str) -> dict[str, str]:
    """Return the fields of a head."""
    fields: dict[str, str] = {}
    for line in lines.strip().split("\n"):
        name, _, rest = line.partition(":")
        key, value = name.strip().lower(), rest.strip()
        if not (value.isascii() or key == "location"):
            value = value.encode("ascii", "ignore").decode().strip()
        if key == "location":  # is no list, but some proxies send it twice
            fields.setdefault(key, value)
        elif key:
            fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields


def _lines(fields: Mapping[str, str]) -> list[str]:
    """Return fields as lines of a request, but for those that cannot stand in one, as a strange ETag."""
    return [f"{name}: {value}" for name, value in fields.items() if value.isascii() and value.isprintable()]


@cache
def certificates() -> dict[int, str]:
    """Return where the certificates stand that this machine trusts, as Python knows it."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return {pycurl.CAINFO: paths.cafile}
    return {pycurl.CAPATH: paths.capath} if paths.capath else {}
