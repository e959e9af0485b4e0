"""Draws the alerts that the README shows: `python -m monitor.demo.picture docs/alert.svg`.

The samples are fetched, read, matched and rendered by the real thing, as of a fixed date, so that the
same code draws the same picture.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitor import matching, sources
from monitor.config import Config, parse
from monitor.demo.site import Site
from monitor.demo.terminal import bubble, picture
from monitor.matching import Matcher
from monitor.model import Alert, Chat, Cursor, Source
from monitor.render import alert
from monitor.sources.http import Http

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
CHAT = Chat(id=1, title="Duty desk", status="active", language="en", timezone="Europe/Kyiv")
SHOWN = ("minister", "example-news")
"""The sources whose latest match is drawn: an official post in Ukrainian, and an article."""


async def draw() -> str:
    """Return the picture as SVG."""
    async with Site(NOW) as site:
        site.publish()
        text = site.config(Path("demo.db"))
        config = parse(text, path="demo.toml", packs=matching.packs(), check_query=matching.review)
        async with Http(preview_url=site.url) as http:
            shown = [source for name in SHOWN for source in config.sources if source.id == name]
            alerts = [await _latest(http, source, config) for source in shown]
    bubbles = [bubble(alert(one, chat=CHAT, now=NOW), chat=CHAT.title, time="14:00") for one in alerts]
    return picture(bubbles, title="Two alerts of the demo")


async def _latest(http: Http, source: Source, config: Config) -> Alert:
    """Return an alert on the newest item of a source that is about a topic."""
    matcher = Matcher(config.topics)
    polled = await sources.poll(http, source, Cursor())
    item, matches = [(item, found) for item in polled.items if (found := matcher.match(item, source))][-1]
    topics = tuple(topic for match in matches for topic in config.topics if topic.id == match.topic_id)
    return Alert(item, source, tuple(matches), topics, source.language, found=NOW)


def main(path: str) -> None:
    """Write the picture to a file."""
    Path(path).write_text(asyncio.run(draw()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
