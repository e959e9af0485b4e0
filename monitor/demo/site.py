"""A web site on this machine that serves the sample sources: feeds, and channels as t.me/s shows them.

It has two states: before the news, and after it. A first poll takes the sources as they are, so only
what `publish` brings can alert anybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Literal, Self

TYPES = {
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/feed+json",
    ".html": "text/html",
}
"""The media type of each kind of sample."""

_PATH = re.compile(r"/feeds/(?P<feed>[\w.-]+)|/s/(?P<channel>\w+)")
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
        self._counting = Lock()

    async def __aenter__(self) -> Self:
        """Start to serve; `url` is the site's address from here on."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Visit, self))
        Thread(target=self._server.serve_forever, name="demo site", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to serve."""
        await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()

    def publish(self) -> None:
        """Bring the news: from here on every source is served in its second state."""
        self.state = "after"

    def config(self, database: Path) -> str:
        """Return the text of a config file (TOML) that polls this site and stores into `database`."""
        text = _sample("demo.toml")
        return text.replace("{{site}}", self.url).replace("{{database}}", database.as_posix())

    def answer(self, path: str, known: str) -> tuple[HTTPStatus, dict[str, str], bytes]:
        """Return the status, the fields and the body for a path in its present state.

        Who names the tag of what it knows is told that it is the same still (RFC 9110, 13.1.2).
        """
        found = _PATH.fullmatch(path)
        name = "" if not found else found["feed"] or f"{found['channel']}.html"
        kind = TYPES.get(Path(name).suffix)
        if kind is None or name not in names():
            return HTTPStatus.NOT_FOUND, {}, b""
        body = dated(_sample(self.state, name), self.now, name).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if tag == known:
            return HTTPStatus.NOT_MODIFIED, {"ETag": tag}, b""
        return HTTPStatus.OK, {"ETag": tag, "Content-Type": f"{kind}; charset=utf-8"}, body

    def note(self, status: HTTPStatus) -> None:
        """Count an answer."""
        with self._counting:
            self.requests += 1
            self.unchanged += status == HTTPStatus.NOT_MODIFIED


class _Visit(BaseHTTPRequestHandler):
    """A connection to the site."""

    protocol_version = "HTTP/1.1"  # which keeps connections open
    disable_nagle_algorithm = True

    def __init__(self, site: Site, *connection: Any) -> None:  # noqa: ANN401 - as the server gives it
        self.site = site
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Answer a request."""
        status, fields, body = self.site.answer(self.path, self.headers.get("If-None-Match", ""))
        self.site.note(status)
        self.send_response(status)
        if status != HTTPStatus.NOT_MODIFIED:
            fields = {**fields, "Content-Length": str(len(body))}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


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
