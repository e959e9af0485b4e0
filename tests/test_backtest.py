"""A topic is tried on what was stored before it goes live."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, item, source, topic
from test_cli import Run, bot, ran

from monitor.backtest import Hit, days, hits
from monitor.clock import SystemClock
from monitor.errors import StoreTooNew, StoreUnusable
from monitor.matching import Matcher
from monitor.store import Store, added, items, sources
from monitor.store.items import Found

__all__ = ["ran"]

A_DAY = timedelta(days=1)
MATCHER = Matcher([topic("Starlink", id="starlink")])


def found(title: str, days_ago: float = 0, **facts: object) -> Found:
    return Found(item(title, published=NOW - days_ago * A_DAY, **facts), source(), (), NOW)


def told(*history: Found) -> list[Hit]:
    return list(hits(history, MATCHER))


def test_only_what_matches_is_a_hit_and_only_a_new_story_an_alert() -> None:
    one, again = told(
        found("Starlink terminals are switched off", 1),
        found("A museum opens its new wing", 0.9),
        found("Starlink terminals are switched off, officials say", 0.8),
    )
    assert (one.alert, again.alert) == (True, False)


def test_a_hit_keeps_its_evidence_and_not_the_item_as_it_was_read() -> None:
    matcher = Matcher([topic("Starlink", id="word"), topic("terminals off", id="words")])
    (hit,) = hits([found("Starlink terminals are switched off")], matcher)
    assert {match.topic_id for match in hit.matches} == {"word", "words"}
    assert all(type(match.places) is tuple and match.places for match in hit.matches)


def test_a_story_is_over_after_two_days() -> None:
    first, second = told(
        found("Starlink terminals are switched off", 5), found("Starlink terminals are switched off", 1)
    )
    assert first.alert
    assert second.alert


def test_every_day_is_counted_also_those_without_a_hit() -> None:
    figures = days(
        told(found("Starlink terminals are switched off", 2), found("Starlink terminals off", 2)),
        date(2026, 1, 30),
        date(2026, 2, 1),
    )
    assert [(day.date.day, day.items, day.alerts) for day in figures] == [(30, 2, 2), (31, 0, 0), (1, 0, 0)]


def test_an_item_without_a_date_counts_for_the_day_on_which_it_was_found() -> None:
    (hit,) = told(Found(item("Starlink", published=None), source(), (), NOW))
    assert hit.when == NOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a config and a database that holds three items of the last days."""
    database = tmp_path / "monitor.db"
    (tmp_path / "config.toml").write_text(
        f'[storage]\npath = "{database}"\n[[topics]]\nid = "starlink"\nkeywords = ["Starlink"]\n',
        encoding="utf-8",
    )

    async def fill() -> None:
        now = SystemClock().now()
        store = Store.open(database)
        await store.write(partial(sources.declare, sources=[source()]))
        for number, title in enumerate(("Starlink is off", "A museum opens", "Drone shot down over the sea")):
            when = now - number * A_DAY
            one = item(title, published=when)
            await store.write(partial(items.insert, item=one, matches=(), found=when))
        await store.close()

    asyncio.run(fill())
    return tmp_path


def test_the_command_shows_alerts_a_day_and_the_hits(folder: Path) -> None:
    done = bot("backtest", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "█" in done.stdout
    assert "1 item matched, 1 would have been sent: 0.3 a day" in done.stdout
    assert "3 items of that time are stored." in done.stdout
    assert done.stdout.count(" items\n") + done.stdout.count(" item\n") == 3
    assert "Starlink is off" in done.stdout


def test_the_figure_a_day_is_that_of_the_days_that_are_shown(ran: Run, folder: Path) -> None:
    async def fill() -> None:
        store = Store.open(folder / "monitor.db")
        now = SystemClock().now()
        for number, days_ago in enumerate((400, 0, 0, 0, 0, 0)):
            one = item(f"Starlink {number} is off in {number} towns", published=now - days_ago * A_DAY)
            await store.write(partial(items.insert, item=one, matches=(), found=now))
        await store.close()

    asyncio.run(fill())
    done = ran("backtest", "--days", "10")
    shown = re.findall(r" (\d+) alerts?, (\d+) items?$", done.stdout, re.MULTILINE)
    alerts = sum(int(count) for count, _ in shown)
    assert f"{alerts} would have been sent: {alerts / len(shown):.1f} a day" in done.stdout
    assert (alerts, len(shown)) == (6, 3)


def test_an_empty_history_is_told_from_one_that_holds_nothing_of_the_topic(folder: Path, ran: Run) -> None:
    with Store.change(folder / "monitor.db") as db:
        db.execute("DELETE FROM items")
    assert "0 items of that time are stored." in ran("backtest").stdout


@pytest.mark.usefixtures("folder")
def test_a_query_that_is_in_no_config_yet_can_be_tried(ran: Run) -> None:
    done = ran("backtest", "--query", "drone AND sea", "--days", "7")
    assert "Drone shot down over the sea" in done.stdout


@pytest.mark.usefixtures("folder")
def test_a_query_may_begin_with_what_it_excludes(ran: Run) -> None:
    for query in ("-(race)drone", "-race drone"):
        assert "Drone shot down over the sea" in ran("backtest", "--query", query, "--days", "7").stdout


def test_sources_have_the_tags_of_today_those_of_the_config_and_the_added_ones(
    folder: Path, ran: Run
) -> None:
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write('sources = ["media"]\n[[sources]]\nid = "example"\nurl = "http://127.0.0.1/feed.xml"\n')
        config.write('tags = ["media"]\n')
    now = SystemClock().now()
    with Store.change(folder / "monitor.db") as db:
        added.add(db, [source("added", address="http://127.0.0.1/2", tags=("media",), added_by="Olena")], now)
        one = item("Masts of Starlink sold to a museum", source_id="added", published=now)
        items.insert(db, one, (), now)
    done = ran("backtest", "--topic", "starlink")
    assert "2 items matched, 2 would have been sent" in done.stdout
    done = ran("backtest", "--query", "museum source:media")
    assert "2 items matched, 2 would have been sent" in done.stdout


@pytest.mark.usefixtures("folder")
def test_a_query_for_an_unknown_source_is_noted(ran: Run) -> None:
    done = ran("backtest", "--query", "museum source:zzz")
    assert (done.returncode, "0 items matched" in done.stdout) == (0, True)
    assert done.stderr == "note: source:zzz matches nothing, as no source has this id or tag\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--topic", "starlnk"), "there are: starlink"),
        (("--query", "drone AND"), "character"),
        (("--query", "drone lang:zz"), '"zz" is no code of a language'),
        (("--query", ""), "the query is empty"),
        (("--query", "-race"), "only says what must not be there"),
        (("--query", "--days", "7"), "--query: expected one argument"),
        (("--days", "0"), "1 to 3650"),
        (("--days", "soon"), "1 to 3650"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_argument_is_named_with_what_would_be_right(
    ran: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = ran("backtest", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_history_it_says_how_to_get_one(ran: Run, folder: Path) -> None:
    (folder / "monitor.db").unlink()
    done = ran("backtest")
    assert done.returncode == 1
    assert "run the bot first" in done.stderr
    assert not (folder / "monitor.db").exists()


def test_a_database_can_be_looked_at_while_the_bot_has_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "monitor.db")
    with Store.look(tmp_path / "monitor.db") as db:
        assert items.count_since(db, NOW) == (0, 0)
    asyncio.run(store.close())


def test_a_database_of_another_version_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    store = Store.open(path)
    rename = "UPDATE _sqlite_migrations SET name = ? WHERE id = 1"
    for name, refusal in (("m999_future", StoreTooNew), ("m001_sources", None)):
        asyncio.run(store.write(lambda db, name=name: db.execute(rename, [name])))
        if refusal:
            with pytest.raises(refusal), Store.look(path):
                pass
    asyncio.run(store.write(lambda db: db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm005%'")))
    with pytest.raises(StoreUnusable, match="older version"), Store.look(path):
        pass
    asyncio.run(store.close())
