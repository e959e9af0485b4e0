"""One round over all sources reads all that there is, and tells of each source once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from builders import NOW, chat, source, topic
from fakes import FakeClock
from telegram_preview import Preview
from web import Web

from monitor.config import Config, Telegram
from monitor.engine import Engine
from monitor.model import Place
from monitor.pipeline import Outcome
from monitor.store import Store, chats, watches


async def test_a_round_reads_a_burst_of_two_thousand_posts_to_its_end(tmp_path: Path) -> None:
    told: list[Outcome] = []
    office = source("office", kind="channel", address="example_office")
    async with Web() as web:
        config = Config(
            path="config.toml",
            telegram=Telegram(preview_url=web.url("")),
            sources=(office,),
            topics=(topic("Starlink", id="starlink"),),
        )
        channel = Preview(web, "example_office")
        channel.post("first")
        async with Engine.open(config, tmp_path / "monitor.db", FakeClock(NOW)) as engine:
            await engine.poll_all()
            for number in range(2_000):
                channel.post(f"Starlink, report {number}" if number % 100 == 0 else f"Report {number}")
            [outcome] = await engine.poll_all(told.append)
            assert len(outcome.new) == 2_000
            assert (outcome.matched, outcome.more, told) == (20, False, [outcome])
            stored = await engine.store.read(
                lambda db: [row["text"] for row in db.query("SELECT * FROM items")]
            )
            assert stored == channel.texts()


async def test_a_watch_that_cannot_be_read_any_more_keeps_nothing_from_starting(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "monitor.db")
    await store.write(partial(chats.put, chat=chat(), now=NOW))
    for query in ("“power", "drone"):
        await store.write(partial(watches.add, place=Place(1), query=query, now=NOW))
    await store.close()
    async with Engine.open(Config(path="config.toml"), tmp_path / "monitor.db", FakeClock(NOW)) as engine:
        assert [topic.name for topic in engine.watch.topics.values()] == ["drone"]
        assert await engine.remove_watch(1, "watch:1")
