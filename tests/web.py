"""A web host on loopback that a test can change while it runs: feeds, t.me/s pages, and every bad habit.

    async with Web() as web:
        web.serve("/feed.xml", "<rss>...</rss>")
        web.channel("example", channel_page("example", post(1, "text")))
        web.status("/busy", 503, {"Retry-After": "120"})
        ... source(address=web.url("/feed.xml")), Http(preview_url=web.url("")) ...
        assert web.requests[-1].headers["User-Agent"]

It runs in the test's event loop, and serves any process on the machine.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import Any, Self

import brotli
from aiohttp import web

RSS = "application/rss+xml; charset=utf-8"
HTML = "text/html; charset=utf-8"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    path: str  # with its query
    headers: Mapping[str, str]
    began: float  # of the loop's clock, in seconds


@dataclass
class Web:
    """The host; answers 404 where nothing was put."""

    requests: list[Seen] = field(default_factory=list)
    at_once: int = 0  # the most requests that ran at the same time
    host: str = "127.0.0.1"  # "0.0.0.0" answers on every address of loopback

    def __post_init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._running = 0
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        await self._runner.cleanup()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return the address of a path here."""
        return f"http://{host}:{self.port}{path}"

    def answer(self, path: str, answer: Answer) -> None:
        """Answer `path` (with its query, or without one for any) by a coroutine."""
        self._answers[path] = answer

    def serve(
        self,
        path: str,
        body: str | bytes,
        *,
        content_type: str = RSS,
        packed: str = "",
        etag: bool = True,
        **headers: str,
    ) -> None:
        """Serve a body, with an ETag and 304 for those who know it; `packed` is "gzip", "deflate" or "br".

        Further headers are given with underscores: `cache_control="max-age=60"`.
        """
        raw = body.encode() if isinstance(body, str) else body
        tag = f'"{hashlib.sha256(raw).hexdigest()[:16]}"'
        fields = {name.replace("_", "-").title(): value for name, value in headers.items()}
        fields |= {"Content-Type": content_type} | ({"ETag": tag} if etag else {})
        sent = PACKERS[packed](raw) if packed else raw
        full = fields | ({"Content-Encoding": packed} if packed else {})

        async def answer(request: web.Request) -> web.StreamResponse:
            if etag and request.headers.get("If-None-Match") == tag:
                return web.Response(status=304, headers=fields)
            return web.Response(body=sent, headers=full)

        self.answer(path, answer)

    def channel(self, name: str, page: str) -> None:
        """Serve a channel's preview page; `?before=` and `?after=` have the same one unless put apart."""
        self.serve(f"/s/{name}", page, content_type=HTML, etag=False)

    def status(self, path: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a bare status."""

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=headers)

        self.answer(path, answer)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """Redirect to another path or address."""
        self.status(path, status, {"Location": to})

    def hang(self, path: str) -> None:
        """Take the request and say nothing until the host closes."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await self._closing.wait()
            return web.Response()

        self.answer(path, answer)

    def drip(self, path: str, seconds: float = 1.0) -> None:
        """Start a body and add a byte every `seconds`, for as long as somebody listens."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": RSS})
            await response.prepare(request)
            while not self._closing.is_set():
                await response.write(b" ")
                await asyncio.sleep(seconds)
            return response

        self.answer(path, answer)

    def flood(self, path: str, size: int) -> None:
        """Send `size` bytes, without saying so before."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": RSS})
            await response.prepare(request)
            for _ in range(0, size, 2**16):
                await response.write(b" " * 2**16)
            return response

        self.answer(path, answer)

    def cut(self, path: str, body: bytes = b"<rss>") -> None:
        """Promise more bytes than are sent, and close."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(
                headers={"Content-Type": RSS, "Content-Length": str(len(body) + 100)}
            )
            await response.prepare(request)
            await response.write(body)
            _transport(request).close()
            return response

        self.answer(path, answer)

    def reset(self, path: str) -> None:
        """Break the connection off without an answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            _transport(request).abort()
            return web.Response()

        self.answer(path, answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Note the request, and answer it by its path with the query, else by its path."""
        now = asyncio.get_running_loop().time()
        self.requests.append(Seen(request.path_qs, dict(request.headers), now))
        answer = self._answers.get(request.path_qs) or self._answers.get(request.path)
        if answer is None:
            return web.Response(status=404)
        self._running += 1
        self.at_once = max(self.at_once, self._running)
        try:
            return await answer(request)
        except ConnectionError:  # whoever asked is gone
            return web.Response()
        finally:
            self._running -= 1


def rss(*items: str, title: str = "Example News", channel: str = "") -> str:
    """Return an RSS 2.0 document of items made by `rss_item`."""
    head = f"<title>{escape(title)}</title><link>https://news.example.org/</link>{channel}"
    body = f"<channel>{head}{''.join(items)}</channel>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">{body}</rss>'


def rss_item(title: str, text: str = "", *, guid: str = "", link: str = "", date: str = "") -> str:
    """Return an RSS item; its guid and its link come from the title where none is given."""
    link = link or f"https://news.example.org/{hashlib.sha256(title.encode()).hexdigest()[:8]}"
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    return (
        f"<item><title>{escape(title)}</title><link>{escape(link)}</link>"
        f'<guid isPermaLink="false">{escape(guid or link)}</guid>'
        f"<description>{escape(text)}</description>{dated}</item>"
    )


def channel_page(name: str, *posts: str, title: str = "Приклад каналу") -> str:
    """Return a preview page of a channel with posts made by `channel_post`."""
    shown = "".join(posts) or '<div class="tme_no_messages_found">No posts found</div>'
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8">'
        f"<title>{escape(title)} – Telegram</title></head><body>"
        f'<main class="tgme_main" data-url="/{name}"><div class="tgme_container">'
        f'<section class="tgme_channel_history js-message_history">{shown}</section>'
        "</div></main></body></html>"
    )


def channel_post(name: str, number: int, text: str, **facts: Any) -> str:
    """Return a post of a preview page.

    Facts: `date` (ISO 8601), `edited`, `members` (ids of an album), `forwarded` (name and link).
    """
    date = facts.get("date", "2026-02-01T11:55:00+00:00")
    album = "".join(
        f'<a class="tgme_widget_message_photo_wrap" href="https://t.me/{name}/{member}?single"></a>'
        for member in facts.get("members", ())
    )
    origin = ""
    if forwarded := facts.get("forwarded"):
        label, link = map(escape, forwarded)
        origin = (
            '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;<a class='
            f'"tgme_widget_message_forwarded_from_name" href="{link}"><span>{label}</span></a></div>'
        )
    lines = escape(text).replace("\n", "<br/>")
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        f'<div class="tgme_widget_message js-widget_message" data-post="{name}/{number}">'
        f'<div class="tgme_widget_message_bubble">{origin}{album}'
        f'<div class="tgme_widget_message_text js-message_text" dir="auto">{lines}</div>'
        '<div class="tgme_widget_message_footer"><div class="tgme_widget_message_info">'
        f'<span class="tgme_widget_message_meta">{"edited &nbsp;" if facts.get("edited") else ""}'
        f'<a class="tgme_widget_message_date" href="https://t.me/{name}/{number}">'
        f'<time datetime="{date}" class="time">11:55</time></a></span></div></div></div></div></div>'
    )


def _transport(request: web.Request) -> asyncio.Transport:
    """Return the connection of a request."""
    transport = request.transport
    assert isinstance(transport, asyncio.Transport)
    return transport
