"""Against a real host on loopback: what a polite and careful client does, and what it refuses."""

from __future__ import annotations

import asyncio
import errno
import gzip
import itertools
import os
import socket
import ssl
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
import trustme
from aiohttp import web as aiohttp_web
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st
from web import Web

from monitor.errors import SourceGone, SourceResting, SourceUnreachable
from monitor.sources.addresses import is_public
from monitor.sources.connections import certificates
from monitor.sources.headers import hints, http_date, retry_after
from monitor.sources.http import (
    MAX_BODY,
    MAX_DOWNLOAD,
    MOST_WAITING,
    USER_AGENT,
    Http,
    Response,
    checked,
    shown,
)
from monitor.sources.unpacking import NotUnpackable, TooLong, unpack

SHORT = timedelta(seconds=0.5)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as host:
        yield host


async def get(
    url: str, *, trusted: bool = True, headers: dict[str, str] | None = None, **settings: Any
) -> Response:
    async with Http(**settings) as http:
        return await http.get(url, headers, trusted=trusted)


async def refusal(url: str, *, trusted: bool = True, **settings: Any) -> str:
    with pytest.raises(SourceUnreachable) as caught:
        await get(url, trusted=trusted, **settings)
    return str(caught.value)


@asynccontextmanager
async def saying(
    answer: bytes, context: ssl.SSLContext | None = None, *, ends: bool = False
) -> AsyncIterator[str]:
    """Serve one answer, byte for byte, to each request, and hang up where it `ends`; yields the URL."""

    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                if ends:
                    await writer.drain()
                    break
        if ends and context:  # without the farewell of TLS
            writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        writer.close()

    def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    scheme, port = "https" if context else "http", server.sockets[0].getsockname()[1]
    try:
        yield f"{scheme}://127.0.0.1:{port}/feed"
    finally:
        server.close()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def refusing_tls() -> AsyncIterator[str]:
    """Answer each greeting of TLS by its alert 40, handshake failure (RFC 8446, 6); yields the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes.fromhex("15030300020228"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"
    finally:
        server.close()


async def test_a_request_is_honest_and_says_what_it_takes(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    await get(web.url("/feed"), headers={"If-None-Match": '"x"'})
    seen = web.requests[0].headers
    assert seen["User-Agent"] == USER_AGENT
    assert "application/rss+xml" in seen["Accept"]
    assert seen["Accept-Encoding"] == "gzip, deflate, br"
    assert seen["If-None-Match"] == '"x"'
    assert "Cookie" not in seen


@pytest.mark.parametrize("packed", ["", "gzip", "deflate", "br"])
async def test_a_body_comes_unpacked(web: Web, packed: str) -> None:
    body = "Старлінк " * 1_000
    web.serve("/feed", body, packed=packed)
    answer = await get(web.url("/feed"))
    assert answer.body.decode() == body
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/rss+xml")


async def test_a_body_that_is_known_is_not_sent_again(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    first = await get(web.url("/feed"))
    again = await get(web.url("/feed"), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("habit", ["hang", "drip"])
async def test_who_says_nothing_or_a_byte_at_a_time_is_left_at_the_time_limit(web: Web, habit: str) -> None:
    getattr(web, habit)("/feed", *([0.05] if habit == "drip" else []))
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert "gave no whole answer within 0.5 s" in await refusal(web.url("/feed"), timeout=SHORT)
    assert loop.time() - began < 1.5


async def test_the_time_limit_holds_for_all_redirects_together(web: Web) -> None:
    async def slow(_: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        await asyncio.sleep(0.3)
        return aiohttp_web.Response(status=302, headers={"Location": "/slow"})

    web.answer("/slow", slow)
    assert "gave no whole answer" in await refusal(web.url("/slow"), timeout=SHORT)
    assert len(web.requests) == 2


@pytest.mark.parametrize(
    ("habit", "words"), [("reset", "it closed the connection"), ("cut", "its answer broke off")]
)
async def test_a_broken_connection_is_told_in_words(web: Web, habit: str, words: str) -> None:
    getattr(web, habit)("/feed")
    assert words in await refusal(web.url("/feed"))


async def test_an_address_is_asked_for_as_it_is_written() -> None:
    signed, asked = "/esc/%40a%3Ab?sig=a%2Fb&u=http%3A%2F%2Fa%3Fb", list[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        head = (
            f"302 Found\r\nLocation: {signed}\r\nLocation: {signed}"
            if asked[-1] == "/feed"
            else "404 Not Found"
        )
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for path in ("/feed", signed):
            await refusal(url + path)
    assert asked == ["/feed", signed, signed]


@pytest.mark.parametrize(
    "target", ["http://a.example:99999/", "http://a.example:x/", "http://[[&]_:,@", "//[::1]:99999/"]
)
async def test_an_address_that_a_redirect_names_and_nobody_can_read_is_told(web: Web, target: str) -> None:
    web.redirect("/feed", target)
    assert "an address that cannot be read" in await refusal(web.url("/feed"))
    if target.startswith("http"):
        assert "cannot be read" in await refusal(target)


async def test_what_stands_before_and_behind_an_answer_is_no_part_of_it() -> None:
    hints = b'HTTP/1.1 103 Early Hints\r\nETag: "early"\r\n\r\n'
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVary: a\r\nvary: b\r\nX-A: caf\xc3\xa9\r\n\r\n"
    async with saying(hints + head + b'6\r\n<rss/>\r\n0\r\nETag: "late"\r\n\r\n') as url:
        answer = await get(url)
    assert (answer.status, answer.body) == (200, b"<rss/>")
    assert answer.headers == {"transfer-encoding": "chunked", "vary": "a, b", "x-a": "caf"}


async def test_an_answer_that_says_nothing_of_itself_is_read_to_its_end() -> None:
    async with saying(b"HTTP/1.1 200 OK\r\n\r\n<rss/>", ends=True) as url:
        answer = await get(url)
    assert (answer.headers, answer.body) == ({}, b"<rss/>")


@pytest.mark.parametrize("answer", [b"<rss></rss>", b"SSH-2.0-x\r\n", b"HTTP/1.1 what\r\n\r\n"])
async def test_what_is_no_http_is_told_so(answer: bytes) -> None:
    async with saying(answer) as url:
        assert "its answer is no proper HTTP" in await refusal(url, timeout=SHORT)


@pytest.mark.parametrize(
    "length", ["Content-Length: 1000", "Content-Length: 99999999", "Transfer-Encoding: chunked"]
)
async def test_a_body_that_is_not_wanted_is_not_waited_for(length: str) -> None:
    head = f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\n{length}\r\n\r\n"
    async with saying(head.encode()) as url:
        assert "503 Service Unavailable" in await refusal(url, timeout=timedelta(seconds=20))


@pytest.mark.parametrize(
    "head",
    [
        "410 Gone\r\nContent-Ty",
        "200 OK\r\nETag: x\r\n",
        "304 Not Modified\r\n",
        "301 Moved\r\nLocation: /\r\n",
    ],
)
async def test_a_head_that_breaks_off_says_nothing(head: str) -> None:
    async with saying(f"HTTP/1.1 {head}".encode(), ends=True) as url:
        assert "broke off" in await refusal(url)


async def test_a_field_that_poses_as_another_answer_is_none() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nHTTP/foo: bar\r\n\r\n"
    async with saying(head + b"6\r\n<rss/>\r\n0\r\nHTTP/1.1 410 : a\r\n\r\n") as url:
        answer = await get(url)
    assert (answer.status, answer.body) == (200, b"<rss/>")


async def test_a_chunk_that_is_none_is_told_as_a_break() -> None:
    async with saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") as url:
        assert "its answer broke off" in await refusal(url)


async def test_a_redirect_may_name_a_path_in_any_script(web: Web) -> None:
    web.serve("/новини", "<rss/>")
    head = "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: " + web.url("/новини") + "\r\n\r\n"
    async with saying(head.encode()) as url:
        answer = await get(url)
    assert answer.permanent_url == answer.url == web.url("/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8")


async def test_an_etag_that_no_field_can_hold_is_not_sent_back(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    await get(web.url("/feed"), headers={"If-None-Match": "a\r\nCookie: b", "If-Modified-Since": "café"})
    assert not {"If-None-Match", "If-Modified-Since", "Cookie"} & web.requests[0].headers.keys()


async def test_an_address_longer_than_servers_take_is_refused(web: Web) -> None:
    assert "has more than 8000 characters" in await refusal(web.url("/" + "a" * 8_000))
    assert web.requests == []


@pytest.mark.parametrize("host", ["localhos%74", "*", "a,b", "a+b", "a;b"])
async def test_a_host_that_is_no_name_is_refused(web: Web, host: str) -> None:
    assert await refusal(web.url("/feed", host))
    assert web.requests == []


async def test_an_address_of_one_network_card_does_not_spoil_the_others(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(0, 0, 0, "", ("fe80::1%eth0", 0, 0, 2)), (0, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr("monitor.sources.addresses.socket.getaddrinfo", lambda *_: found)
    web.serve("/feed", "<rss/>")
    assert (await get(web.url("/feed", "several.example.org"))).status == 200
    found.pop()
    assert "its name is not known" in await refusal(web.url("/feed", "scoped.example.org"))


async def test_no_more_sockets_are_told_as_the_reason(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("monitor.sources.connections.is_public", lambda _: True)
    monkeypatch.setattr("monitor.sources.connections.socket", none_left)
    assert "too many open files" in await refusal(web.url("/feed"), trusted=False)


async def test_a_connection_is_used_again(web: Web) -> None:
    ports: list[int] = []

    async def answer(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return aiohttp_web.Response(body=b"<rss/>")

    web.answer("/feed", answer)
    async with Http() as http:
        for _ in range(3):
            await http.get(web.url("/feed"), trusted=True)
    assert len(set(ports)) == 1


async def test_a_connection_of_the_trusted_is_not_lent_to_others(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    async with Http() as http:
        await http.get(web.url("/feed"), trusted=True)
        with pytest.raises(SourceUnreachable, match="private address"):
            await http.get(web.url("/feed"), trusted=False)


async def test_a_certificate_must_be_of_a_trusted_authority(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>", context) as url:
        assert "its certificate is not valid" in await refusal(url)
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        certificates.cache_clear()
        try:
            assert (await get(url)).body == b"<rss/>"
            assert "certificate is not valid" in await refusal(url.replace("127.0.0.1", "localhost"))
        finally:
            certificates.cache_clear()


async def test_a_secure_body_without_a_length_ends_with_the_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    certificates.cache_clear()
    try:
        async with saying(b"HTTP/1.1 200 OK\r\n\r\n<rss/>", context, ends=True) as url:
            assert (await get(url)).body == b"<rss/>"
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<rss/>"
        async with saying(cut, context, ends=True) as url:
            assert "its answer broke off" in await refusal(url)
    finally:
        certificates.cache_clear()


async def test_certificates_that_cannot_be_read_are_told_as_the_reason(
    web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "authority.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    certificates.cache_clear()
    try:
        address = web.url("/feed").replace("http:", "https:")
        assert "certificates that this machine trusts cannot be read" in await refusal(address)
    finally:
        certificates.cache_clear()


async def test_who_never_ends_the_greeting_of_tls_is_left_before_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.sources.http._CONNECT", 0.3)
    async with saying(b"") as url:
        address = url.replace("http:", "https:")
        message = await refusal(address, timeout=timedelta(seconds=20))
    assert "no connection came about in time" in message


async def test_a_name_is_looked_up_once_for_all_who_ask_within_a_minute(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], socket.getaddrinfo

    def looked_up(host: str, *rest: Any) -> Any:
        asked.append(host)
        return real(host, *rest)

    monkeypatch.setattr("monitor.sources.addresses.socket.getaddrinfo", looked_up)
    web.serve("/feed", "<rss/>")
    async with Http() as http:
        await asyncio.gather(*(http.get(web.url("/feed", "localhost"), trusted=True) for _ in range(5)))
        await http.get(web.url("/feed", "localhost"), trusted=True)
    assert asked == ["localhost"]


async def test_a_name_is_known_for_as_long_as_a_request_may_need_it_whatever_is_asked_beside_it(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a connection that was kept open breaks off, and the request is made again on another."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        "monitor.sources.addresses.socket.getaddrinfo", lambda _, *rest: real("127.0.0.1", *rest)
    )
    came, go_on, times = asyncio.Event(), asyncio.Event(), itertools.count(1)

    async def answer(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        if next(times) == 2:
            came.set()
            await go_on.wait()
            assert request.transport
            request.transport.abort()
        return aiohttp_web.Response(text="<rss/>")

    web.answer("/feed", answer)
    web.serve("/other", "<rss/>")
    known_here_alone = web.url("/feed", "feeds.invalid")
    async with Http(gap=timedelta(0)) as http:
        await http.get(known_here_alone, trusted=True)
        again = asyncio.create_task(http.get(known_here_alone, trusted=True))
        await came.wait()
        await http.get(web.url("/other"), trusted=True)
        go_on.set()
        assert (await again).body == b"<rss/>"
    assert next(times) == 4


async def test_who_speaks_no_tls_is_told_so_with_what_may_be_meant(web: Web) -> None:
    address = web.url("/feed").replace("http:", "https:")
    told = "it speaks no TLS there (perhaps http:// is meant, not https://)"
    assert await refusal(address) == f"{address} cannot be reached: {told}"


async def test_who_refuses_a_secure_connection_is_told_so() -> None:
    async with refusing_tls() as url:
        assert await refusal(url) == f"{url} cannot be reached: no secure connection came about (TLS)"


async def test_a_name_that_is_not_found_in_time_holds_up_no_other_and_not_the_end(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, real = threading.Event(), socket.getaddrinfo

    def looked_up(host: str, *rest: Any) -> Any:
        if host == "slow.example.org":
            found.wait(30)
        return real(host, *rest)

    monkeypatch.setattr("monitor.sources.addresses.socket.getaddrinfo", looked_up)
    web.serve("/feed", "<rss/>")
    try:
        async with asyncio.timeout(10), Http(timeout=timedelta(seconds=1)) as http:
            slow = asyncio.create_task(http.get("http://slow.example.org/", trusted=True))
            await asyncio.sleep(0)
            answer = await http.get(web.url("/feed", "localhost"), trusted=True)
            with pytest.raises(SourceUnreachable, match="gave no whole answer within 1 s"):
                await slow
        assert answer.status == 200
    finally:
        found.set()


async def test_more_than_the_download_limit_is_not_read(web: Web) -> None:
    web.flood("/feed", 4 * MAX_DOWNLOAD)
    assert "sends more than 10 MB" in await refusal(web.url("/feed"))
    web.serve("/large", b" " * (MAX_DOWNLOAD + 1))
    assert "sends more than 10 MB" in await refusal(web.url("/large"))


@pytest.mark.parametrize("packed", ["gzip", "deflate", "br"])
async def test_a_bomb_is_not_unpacked(web: Web, packed: str) -> None:
    web.serve("/bomb", b" " * (MAX_BODY + 1), packed=packed)
    assert "20 MB unpacked" in await refusal(web.url("/bomb"))


async def test_of_many_large_bodies_two_are_held_at_a_time(web: Web) -> None:
    web.serve("/feed", b" " * 3_000_000, packed="gzip")
    held, most = 0, 0

    async def look(http: Http) -> None:
        nonlocal held, most
        with http.one_look():
            assert len((await http.get(web.url("/feed"), trusted=True)).body) == 3_000_000
            held += 1
            most = max(most, held)
            await asyncio.sleep(0.02)
            held -= 1

    async with Http(per_host=10) as http:
        await asyncio.gather(*(look(http) for _ in range(8)))
    assert (held, most) == (0, 2)


async def test_who_waits_for_a_place_keeps_nobody_from_a_host_and_all_get_one_in_the_end(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    held, most = 0, 0

    async def look(http: Http) -> None:
        nonlocal held, most
        with http.one_look():
            await http.get(web.url("/feed"), trusted=True)
            held += 1
            most = max(most, held)
            await asyncio.sleep(0.01)
            await http.get(web.url("/feed"), trusted=True)  # with others waiting at the same host
            held -= 1

    async with Http(per_host=1, concurrency=2) as http:
        await asyncio.wait_for(asyncio.gather(*(look(http) for _ in range(150))), 30)
    assert held == 0
    assert 2 < most <= 2 + MOST_WAITING


async def test_a_large_body_is_unpacked_whole(web: Web) -> None:
    body = os.urandom(1_000) * 3_000
    web.serve("/feed", body, packed="gzip")
    assert (await get(web.url("/feed"))).body == body


async def test_a_permanent_redirect_is_remembered_only_when_the_whole_way_is(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    web.redirect("/moved", "/moved-again", 301)
    web.redirect("/moved-again", "/feed", 308)
    web.redirect("/half-way", "/for-now", 301)
    web.redirect("/for-now", "/feed", 302)
    web.redirect("/at-first-for-now", "/moved-again", 307)
    moved = await get(web.url("/moved"))
    half_way = await get(web.url("/half-way"))
    at_first = await get(web.url("/at-first-for-now"))
    stayed = await get(web.url("/feed"))
    assert (moved.asked, moved.url, moved.permanent_url) == (
        web.url("/moved"),
        web.url("/feed"),
        web.url("/feed"),
    )
    assert (half_way.url, half_way.permanent_url) == (web.url("/feed"), None)
    assert (at_first.url, at_first.permanent_url) == (web.url("/feed"), None)
    assert stayed.permanent_url is None


async def test_an_error_behind_redirects_names_the_address_that_led_there(web: Web) -> None:
    web.redirect("/old", "/for-now")
    web.redirect("/for-now", "/new?key=1")
    web.status("/new", 404)
    new, old = web.url("/new?…"), web.url("/old")
    assert await refusal(old) == f"{new} answered 404 Not Found ({old} redirects there)"
    web.redirect("/old", "http://127.0.0.1:9/feed")
    message = await refusal(old)
    assert message.startswith("http://127.0.0.1:9/feed cannot be reached: ")
    assert message.endswith(f" ({old} redirects there)")


@pytest.mark.parametrize(("status", "name"), [(301, "Moved Permanently"), (302, "Found")])
async def test_a_redirect_that_leads_nowhere_is_told_so(web: Web, status: int, name: str) -> None:
    web.status("/old", status)
    told = f"{web.url('/old')} answered {status} {name}, but does not say where to: check its address"
    assert await refusal(web.url("/old")) == told


async def test_redirects_have_an_end(web: Web) -> None:
    web.redirect("/round", "/round")
    assert "redirects more than 5 times" in await refusal(web.url("/round"))
    assert len(web.requests) == 6


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "not of the web"),
        ("ftp://example.org/", "not of the web"),
        ("http://user:secret@127.0.0.1/", "user name or a password"),
        ("http://[::1", "cannot be read"),
        ("javascript:alert(1)", "not of the web"),
    ],
)
async def test_a_redirect_leads_to_the_web_and_nowhere_else(web: Web, target: str, words: str) -> None:
    web.redirect("/away", target)
    message = await refusal(web.url("/away"))
    assert words in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "feed.xml",
        "ftp://e.org/",
        "file:///etc/passwd",
        "http://",
        "http://u:p@e.org/",
        "http://[::1",
        "http://\ud800/",
    ],
)
async def test_an_address_that_is_none_is_refused_before_anything_is_asked(address: str) -> None:
    assert await refusal(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::127.0.0.1]",
        "0.0.0.0",
        "0",
        "127.0.0.1.",
        "127.0.0.1。",
        "①②⑦.0.0.①",
        "0x7f.0x0.0x0.0x1",
        "017700000001",
        "LOCALHOST",
    ],
)
async def test_the_untrusted_never_reach_a_private_address(web: Web, host: str) -> None:
    web.serve("/feed", "<rss/>")
    assert await refusal(web.url("/feed", host), trusted=False)
    assert web.requests == []


async def test_a_name_is_judged_by_the_address_that_is_connected_to(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a name server that answers differently the second time (DNS rebinding)."""
    asked: list[str] = []

    def resolved(host: str, port: int, *_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("monitor.sources.addresses.socket.getaddrinfo", resolved)
    web.serve("/feed", "<rss/>")
    assert "private address" in await refusal(web.url("/feed", "public.example.org"), trusted=False)
    assert (asked, web.requests) == (["public.example.org"], [])


async def test_a_proxy_of_the_environment_is_no_way_around(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Web() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url("/"))
        assert "private address" in await refusal(web.url("/feed"), trusted=False)
        assert proxy.requests == web.requests == []


async def test_a_private_address_is_told_as_the_reason_and_how_it_can_be_allowed(web: Web) -> None:
    why = await refusal(web.url("/feed", "localhost"), trusted=False)
    assert "private address" in why
    assert "allow_private_hosts under [network]" in why


async def test_a_redirect_is_not_trusted_on_another_host(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    web.redirect("/inside", web.url("/feed", "localhost"))
    assert "private address" in await refusal(web.url("/inside"))
    assert [seen.path for seen in web.requests] == ["/inside"]


async def test_a_host_can_be_allowed_for_everybody(web: Web) -> None:
    web.serve("/feed", "<rss/>")
    answer = await get(web.url("/feed", "localhost"), trusted=False, allow_private_hosts=["LocalHost"])
    assert answer.status == 200


async def test_gone_is_gone_and_everything_else_may_come_back(web: Web) -> None:
    web.status("/gone", 410)
    web.status("/busy", 429, {"Retry-After": "120"})
    web.status(
        "/later",
        503,
        {"Retry-After": "Sun, 01 Feb 2026 12:10:00 GMT", "Date": "Sun, 01 Feb 2026 12:00:00 GMT"},
    )
    with pytest.raises(SourceGone, match="410"):
        await get(web.url("/gone"))
    for path, words, after in [
        ("/busy", "429 Too Many Requests", timedelta(minutes=2)),
        ("/later", "503 Service Unavailable", timedelta(minutes=10)),
        ("/nowhere", "404 Not Found", None),
    ]:
        with pytest.raises(SourceUnreachable, match=words) as caught:
            await get(web.url(path))
        assert caught.value.after == after


async def test_a_refused_connection_and_an_unknown_name_are_told_apart() -> None:
    async with Web() as closed:
        address = closed.url("/")
    assert "connection refused" in await refusal(address)
    assert "its name is not known" in await refusal("http://name.invalid/")


@pytest.mark.parametrize(("settings", "most"), [({"per_host": 2}, 2), ({"per_host": 9, "concurrency": 3}, 3)])
async def test_no_more_run_at_once_than_is_allowed(web: Web, settings: dict[str, int], most: int) -> None:
    async def slow(_: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        await asyncio.sleep(0.02)
        return aiohttp_web.Response(body=b"<rss/>")

    web.answer("/feed", slow)
    async with Http(timeout=timedelta(seconds=5), **settings) as http:
        answers = await asyncio.gather(*(http.get(web.url("/feed"), trusted=True) for _ in range(12)))
    assert len(answers) == 12
    assert web.at_once == most


async def test_waiting_for_a_turn_is_not_counted_as_time(web: Web) -> None:
    async def slow(_: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        await asyncio.sleep(0.2)
        return aiohttp_web.Response(body=b"<rss/>")

    web.answer("/feed", slow)
    async with Http(timeout=SHORT, per_host=1) as http:
        answers = await asyncio.gather(*(http.get(web.url("/feed"), trusted=True) for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4


async def test_a_hanging_host_holds_up_no_other(web: Web) -> None:
    web.hang("/hang")
    web.serve("/feed", "<rss/>")
    async with Http(timeout=timedelta(seconds=5), per_host=1) as http:
        hanging = asyncio.create_task(http.get(web.url("/hang"), trusted=True))
        async with asyncio.timeout(1):
            answer = await http.get(web.url("/feed", "localhost"), trusted=True)
        hanging.cancel()
    assert answer.status == 200


@pytest.mark.parametrize(("headers", "least"), [({"Retry-After": "300"}, 299), ({}, 59)])
async def test_429_is_for_the_whole_host(web: Web, headers: dict[str, str], least: int) -> None:
    web.status("/busy", 429, headers)
    web.serve("/feed", "<rss/>")
    async with Http(timeout=SHORT) as http:
        with pytest.raises(SourceUnreachable, match="429 Too Many Requests"):
            await http.get(web.url("/busy"), trusted=True)
        with pytest.raises(SourceResting, match="asked for a pause") as caught:
            await http.get(web.url("/feed"), trusted=True)
        assert caught.value.after is not None
        assert least < caught.value.after.total_seconds() <= least + 1
        assert (await http.get(web.url("/feed", "localhost"), trusted=True)).status == 200
    assert [seen.path for seen in web.requests] == ["/busy", "/feed"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
        ("::127.0.0.1", False),
        ("64:ff9b:1::7f00:1", False),
        ("fec0::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("0177.0.0.1", False),
        ("2130706433", False),
        ("name", False),
    ],
)
def test_only_addresses_of_the_public_internet_are_public(address: str, *, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("Sun, 01 Feb 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sun, 01 Feb 2026 11:00:00 GMT", timedelta(0)),
        ("7200, 7200", timedelta(hours=2)),
        ("7200.5", timedelta(hours=2)),
        ("99999999999", timedelta(seconds=10**9)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait: timedelta | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == wait


def test_a_servers_date_is_measured_by_its_own_clock() -> None:
    fields = {"retry-after": "Sun, 01 Feb 2026 09:01:00 GMT", "date": "Sun, 01 Feb 2026 09:00:00 GMT"}
    assert retry_after(fields, NOW) == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"cache-control": "public, max-age=300"}, 300),
        ({"cache-control": "max-age=300", "age": "100"}, 200),
        ({"cache-control": "max-age=300", "age": "400"}, 0),
        ({"cache-control": "s-maxage=300"}, None),
        ({"cache-control": "no-cache, max-age=300"}, None),
        ({}, None),
    ],
)
def test_cache_control_says_how_long_nothing_is_new(fields: dict[str, str], seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert hints(fields, NOW).max_age == expected


@given(st.text())
def test_no_header_raises(value: str) -> None:
    names = ("retry-after", "date", "age", "cache-control")
    found = hints(dict.fromkeys(names, value), NOW)
    assert found.retry_after is None or found.retry_after >= timedelta(0)
    date = http_date(value)
    assert date is None or date.utcoffset() == timedelta(0)


def test_dates_of_http_are_utc() -> None:
    assert http_date("Sun, 01 Feb 2026 14:00:00 +0200") == datetime(2026, 2, 1, 12, tzinfo=UTC)


def test_unpacking_knows_what_was_cut_off_damaged_or_never_asked_for() -> None:
    text = os.urandom(10_000)
    for coding, packed in [
        ("gzip", gzip.compress(text)),
        ("deflate", zlib.compress(text)),
        ("br", brotli.compress(text)),
    ]:
        assert unpack(packed, coding, 10_000) == text
        with pytest.raises(TooLong):
            unpack(packed, coding, 9_999)
        with pytest.raises(NotUnpackable):
            unpack(packed[:-20], coding, 20_000)
        with pytest.raises(NotUnpackable):
            unpack(b"plainly not packed", coding, 20_000)
    with pytest.raises(NotUnpackable, match="zstd"):
        unpack(text, "zstd", 20_000)
    with pytest.raises(TooLong):
        unpack(text, "identity", 9_999)


def test_gzip_may_have_several_members_and_deflate_no_header() -> None:
    assert unpack(gzip.compress(b"one ") + gzip.compress(b"two"), "x-gzip", 100) == b"one two"
    bare = zlib.compressobj(wbits=-15)
    assert unpack(bare.compress(b"text") + bare.flush(), "deflate", 100) == b"text"


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "", "other"]))
def test_unpacking_raises_nothing_else(packed: bytes, coding: str) -> None:
    try:
        assert len(unpack(packed, coding, 100)) <= 100
    except (TooLong, NotUnpackable):
        return


def test_an_address_is_shown_without_its_secrets_and_says_where_they_were() -> None:
    assert shown("https://u:p@e.org:8443/feed?token=secret#x") == "https://e.org:8443/feed?…"
    assert shown("https://e.org/feed?#x") == "https://e.org/feed"
    assert shown("http://[::1]:80/f") == "http://[::1]/f"
    assert shown("http://[::1") == "the address"


def test_a_number_is_no_host() -> None:
    with pytest.raises(SourceUnreachable, match="four with dots"):
        checked("http://2130706433/", "The address")
