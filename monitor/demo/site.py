"""A web site on this machine that serves the sample sources: feeds, and channels as t.me/s shows them.

It has two states: before the news, and after it. A first poll takes the sources as they are, so only
what `publish` brings can alert anybody.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiohttp import web

TYPES = {
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
    ".html": "text/html",
}
"""The media type of each kind of sample."""

_AGO = re.compile(r"\{\{(\d+) minutes ago\}\}")


class Site:
    """The sample sources on a free port of the loopback address, as an async context manager.

    `requests` counts what was answered, `unchanged` how many of the answers were 304 Not Modified.
    """

    def __init__(self, now: datetime) -> None:
        """Date the samples as if they were read at `now`."""
        self.now = now
        self.state: Literal["before", "after"] = "before"
        self.requests = 0
        self.unchanged = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        """Start to serve; `url` is the site's address from here on."""
        app = web.Application()
        app.router.add_get("/feeds/{name}", self._feed)
        app.router.add_get("/s/{channel}", self._channel)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to serve."""
        await self._runner.cleanup()

    def publish(self) -> None:
        """Bring the news: from here on every source is served in its second state."""
        self.state = "after"

    def config(self, database: Path) -> str:
        """Return the text of a config file (TOML) that polls this site and stores into `database`."""
        text = _sample("demo.toml")
        return text.replace("{{site}}", self.url).replace("{{database}}", database.as_posix())

    async def _feed(self, request: web.Request) -> web.Response:
        """Answer with a feed."""
        return self._answer(request, request.match_info["name"])

    async def _channel(self, request: web.Request) -> web.Response:
        """Answer with a channel's page."""
        return self._answer(request, f"{request.match_info['channel']}.html")

    def _answer(self, request: web.Request, name: str) -> web.Response:
        """Answer a conditional GET (RFC 9110, 13.1.2) for a sample in its present state."""
        self.requests += 1
        kind = TYPES.get(Path(name).suffix)
        if kind is None or name not in names():
            return web.Response(status=404)
        body = dated(_sample(self.state, name), self.now, name).encode()
        tag = hashlib.sha256(body).hexdigest()[:16]
        if any(known.value == tag for known in request.if_none_match or ()):
            self.unchanged += 1
            return web.Response(status=304, headers={"ETag": f'"{tag}"'})
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={"ETag": f'"{tag}"'})


def names() -> tuple[str, ...]:
    """Return the file names of the sample sources."""
    folder = resources.files("monitor.demo").joinpath("samples", "after")
    return tuple(sorted(file.name for file in folder.iterdir()))


def dated(text: str, now: datetime, name: str) -> str:
    """Return a sample with its "{{5 minutes ago}}" filled in as the dates of its format.

    RSS has the dates of RFC 822, everything else those of RFC 3339.
    """

    def date(match: re.Match[str]) -> str:
        moment = now.replace(microsecond=0) - timedelta(minutes=int(match[1]))
        return format_datetime(moment) if name.endswith(".rss") else moment.isoformat()

    return _AGO.sub(date, text)


def _sample(*path: str) -> str:
    """Return the text of a file below `samples`."""
    return resources.files("monitor.demo").joinpath("samples", *path).read_text("utf-8")
