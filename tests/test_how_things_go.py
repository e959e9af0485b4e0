"""/sources and /health show how each source does, how it publishes, and how the bot itself is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, chat, item, source
from test_commands import ADMIN, House

from monitor.audience import Hearing
from monitor.commands import Vitals
from monitor.config import Config
from monitor.model import Cursor, Place, SourceState
from monitor.store import Store, chats, items, outbox, sources, stories
from monitor.terminal import roll
from monitor.upkeep import overview

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OK = SourceState(polled=NOW, succeeded=NOW, newest=NOW - HOUR, usual=2 * HOUR, longest=3 * HOUR)
SILENT = replace(OK, newest=NOW - 3 * DAY)
FAILING = replace(OK, failures=7, failing=NOW - DAY, error="news.example.org answered 500")
GONE = replace(FAILING, gone=True, error="news.example.org is gone for good (410)")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    house = House(store)
    await house.hears("/start", ADMIN)
    yield house
    await store.close()


async def put(house: House, **states: SourceState) -> None:
    listed = tuple(source(name, name=name.title()) for name in states)
    house.config = replace(house.config, sources=listed)

    def save(db: Any) -> None:
        sources.declare(db, listed)
        for one in listed:
            sources.save(db, one, states[one.id])

    await house.store.write(save)


async def test_a_source_that_is_read_all_the_same_shows_its_fault(house: House) -> None:
    await put(house, well=OK, cut=replace(OK, error="the document breaks off"))
    for command in ("/sources", "/health"):
        assert "🟢 Cut — read just now · ⚠️ the document breaks off" in await house.says(command, ADMIN)


async def test_each_source_shows_its_status_its_rhythm_and_its_error(house: House) -> None:
    await put(house, well=OK, silent=SILENT, failing=FAILING, gone=GONE, new=SourceState())
    shown = await house.says("/sources", ADMIN)
    assert "🟢 Well — read just now\nnewest 1 hr. ago · usually every 2 hours" in shown
    assert "🔕 Silent — silent for 3 days" in shown
    assert "⚠️ Failing — failed 7 times in a row: news.example.org answered 500" in shown
    assert "⛔ Gone — gone: news.example.org is gone for good (410)" in shown
    assert "⚪ New — not read yet" in shown


async def test_a_row_of_bars_shows_the_items_of_each_of_the_last_days(house: House) -> None:
    await put(house, well=OK)
    ages = [0, 0, 0, 0, 1, 1, 3, 13, 14, 400]

    def fill(db: Any) -> None:
        for number, age in enumerate(ages):
            items.insert(db, item(f"{number}", source_id="well", published=NOW - age * DAY), [], NOW)

    await house.store.write(fill)
    daily = partial(items.daily, source_ids=["well"], today=NOW.date(), days=14)
    assert await house.store.read(daily) == {"well": [1, *[0] * 9, 1, 0, 2, 4]}
    assert "▃▁▁▁▁▁▁▁▁▁▃▁▅█ · newest" in await house.says("/sources", ADMIN)


async def test_health_names_what_is_in_trouble_and_counts_the_rest(house: House) -> None:
    vitals = Vitals("1.0", NOW - 3 * HOUR, timedelta(seconds=0.42), None, 3 * 2**20, 80 * 2**20)
    house.desk = replace(house.desk, vitals=lambda: vitals)
    await put(house, a=OK, b=OK, silent=SILENT, failing=FAILING, gone=GONE)
    shown = await house.says("/health", ADMIN)
    assert "Sources: 5 (🟢 well: 2 · 🔕 silent: 1 · ⚠️ failing: 1 · ⛔ gone: 1)" in shown
    assert "⚠️ Failing — failed 7 times in a row: news.example.org answered 500" in shown
    assert "begin at most 0.4 s late" in shown
    assert "Alerts on their way: 0; sent: 0; wanted no more: 0; given up: 0." in shown
    assert "Telegram is reachable." in shown
    assert "Database: 3.0 MB, memory: 80 MB." in shown


async def test_health_says_why_telegram_cannot_be_reached_and_is_for_admins_alone(house: House) -> None:
    vitals = Vitals("1.0", NOW, telegram_trouble="no <answer>")
    house.desk = replace(house.desk, vitals=lambda: vitals)
    assert "⚠️ Telegram is not reachable: no <answer>" in await house.says("/health", ADMIN)
    await house.hears("/start")
    assert "Only an admin" in await house.says("/health")


async def test_health_fits_into_one_message_however_much_is_wrong(house: House) -> None:
    worst = replace(FAILING, error="🙂" * 500)
    await put(house, **{f"source-{n}-{'x' * 100}": worst for n in range(200)})
    for language in ("en", "uk", "ru"):
        await house.hears(f"/language {language}", ADMIN)
        shown = await house.says("/health", ADMIN)
        assert len(shown.encode("utf-16-le")) // 2 <= 4096
        assert shown.count("⚠️ Source-") == 10
        assert "190" in shown


async def test_the_command_line_shows_the_same_while_the_service_has_the_database(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    await put(house, well=OK, silent=SILENT, failing=FAILING, new=SourceState())
    await house.store.write(lambda db: items.insert(db, item(source_id="well"), [], NOW))
    roll(overview(house.config, house.store.path, NOW), NOW)
    lines = capsys.readouterr().out.splitlines()
    address = "http://127.0.0.1/feed.xml"
    assert lines[0] == f"ok       well  Well  {address}"
    assert lines[1] == f"         {'▁' * 13}█  newest 1 hr. ago, usually every 2 hours"
    assert lines[2] == f"silent   silent  Silent  {address}"
    assert lines[5] == "         newest 1 hr. ago, usually every 2 hours, failed 7 times in a row"
    assert lines[6] == "         news.example.org answered 500"
    assert lines[-1] == "4 sources: 1 ok, 1 new, 1 silent, 1 failing."


async def test_posts_that_are_missing_stand_beside_their_channel(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    await put(house, well=replace(OK, cursor=Cursor(gaps="3-9*7 41-80*1")))
    assert "usually every 2 hours · ⚠️ missing posts: 3-9, 41-80" in await house.says("/sources", ADMIN)
    roll(overview(house.config, house.store.path, NOW), NOW)
    assert "         missing posts: 3-9, 41-80" in capsys.readouterr().out.splitlines()


async def test_where_a_source_was_moved_is_shown_as_long_as_the_config_names_another_address(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    there = "https://example.org/new?key=1"
    await put(house, well=replace(OK, cursor=Cursor(moved_to=there)), other=OK)
    told = "⚠️ moved for good to https://example.org/new?…: give it that address in the config"
    assert told in await house.says("/sources well", ADMIN)
    assert "moved" not in await house.says("/sources well")
    assert "moved" not in await house.says("/sources other", ADMIN)
    said = f"         moved for good to {there}: give it that address in the config"
    roll(overview(house.config, house.store.path, NOW), NOW)
    assert said in capsys.readouterr().out.splitlines()
    at_last = tuple(replace(one, address=there) for one in house.config.sources)
    house.config = replace(house.config, sources=at_last)
    roll(overview(house.config, house.store.path, NOW), NOW)
    assert "moved" not in capsys.readouterr().out
    assert "moved" not in await house.says("/sources well", ADMIN)


def test_without_a_database_the_command_line_shows_the_sources_of_the_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(path="config.toml", sources=(source(official=True),))
    roll(overview(config, tmp_path / "none.db", NOW), NOW)
    first, last = capsys.readouterr().out.splitlines()
    assert first == "new      example  Example News  (official)  http://127.0.0.1/feed.xml"
    assert last == "1 source: 1 new."


async def test_health_says_what_telegram_did_not_take_and_what_it_holds_up(house: House) -> None:
    await put(house, well=OK)

    def fill(db: Any) -> None:
        chats.put(db, chat(9, title="War room"), NOW)
        row = items.insert(db, item("told", source_id="well"), [], NOW)
        for number, state in ((1, "dead"), (2, "queued")):
            story = stories.begin(db, f"story {number}", NOW)
            hearing = Hearing(Place(9), ("starlink",), "normal", NOW - HOUR)
            outbox.put(db, hearing, story_id=story, item_id=row, now=NOW)
            db.execute("UPDATE outbox SET state = ?, error = 'too odd' WHERE id = ?", [state, number])
        outbox.hold(db, 9, NOW + HOUR, "Telegram asks to wait")

    await house.store.write(fill)
    shown = await house.says("/health", ADMIN)
    assert "The oldest of those that are due was due 1 hr. ago." in shown
    assert "nothing be sent to War room for 60 minutes: Telegram asks to wait" in shown
    assert "The last that was given up: too odd" in shown


async def test_a_bot_without_sources_says_where_they_come_from(house: House) -> None:
    house.config = replace(house.config, sources=())
    assert "/add" in await house.says("/sources", ADMIN)
    shown = await house.says("/health", ADMIN)
    assert "/add" in shown
    assert "()" not in shown
