"""The operator sees which topics find what nobody wanted, and which keyword it was."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

from builders import chat, item, source
from test_cli import bot

from monitor.audience import Hearing
from monitor.clock import SystemClock
from monitor.model import Evidence, Match, Place
from monitor.store import Database, Store, chats, feedback, items, outbox, sources, stories

LONG = "a keyword that is longer than the eighty columns of a terminal " * 2
CONFIG = """
packs = ["starlink"]

[[sources]]
id = "example"
name = "Example News"
url = "http://127.0.0.1:9/feed"

[[topics]]
id = "raid"
name = "Air raid"
keywords = ["air raid", "alarm"]
query = "siren"
"""


def told(db: Database, number: int, days_ago: int, *keywords: str) -> None:
    """Let a story be told to two chats, and let them find it not relevant where there are keywords."""
    now = SystemClock().now() - timedelta(days=days_ago)
    found = Match(
        "raid", 90, tuple(Evidence("title", 0, 1, word, "exact") for word in keywords or ("alarm",))
    )
    row = items.insert(db, item(f"Alarm {number}"), [found], now)
    story = stories.begin(db, f"Alarm {number}", now)
    stories.join(db, story, row, [])
    for chat_id in (1, 2):
        chats.put(db, chat(chat_id), now)
        outbox.put(
            db, Hearing(Place(chat_id), ("raid",), "normal", now), story_id=story, item_id=row, now=now
        )
        one = feedback.told(db, Place(chat_id), story)
        assert one
        if keywords:
            feedback.irrelevant(db, one, now)


async def fill(path: Path) -> None:
    store = Store.open(path)
    await store.write(partial(sources.declare, sources=[source()]))

    def put(db: Database) -> None:
        told(db, 1, 30)
        for number in range(2, 9):
            told(db, number, 1)
        told(db, 9, 1, "alarm", LONG)
        told(db, 10, 1, "alarm")

    await store.write(put)
    await store.close()


def test_the_topics_are_listed_with_what_they_find_and_what_was_not_relevant(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    before = bot("topics", folder=tmp_path)
    path = tmp_path / "state" / "monitor.db"
    assert before.returncode == 0
    assert before.stderr.startswith(f"{path} is not there: ")
    asyncio.run(fill(path))
    done = bot("topics", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == "topic from keywords a day not relevant".split()
    assert lines[1][:2] == ["starlink", "pack"]
    assert lines[2] == f"raid config 2 + query 1.3 4 (alarm 4, {LONG} 2)".split()
    assert [line.split()[-2:] for line in before.stdout.splitlines()][1:] == [["0.0", "-"], ["0.0", "-"]]
