"""Sources that admins add: kept in the database, taken up at once, and surviving everything."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, item, source
from fakes import FakeClock

from monitor.config import Config
from monitor.engine import Engine
from monitor.errors import StoreUnusable
from monitor.model import Source, SourceState
from monitor.store import Database, Store, added, items, sources

MINE = source(
    "mine", address="https://example.org/mine", added_by="Olena", trusted=False, tags=("media", "б")
)
CONFIG = Config(path="config.toml", sources=(source("example"),))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with Engine.open(CONFIG, tmp_path / "monitor.db", FakeClock(NOW)) as engine:
        yield engine


def ids(engine: Engine) -> list[str]:
    return [one.id for one in engine.sources()]


async def test_an_added_source_stands_beside_those_of_the_config_and_survives_reload_and_restart(
    tmp_path: Path,
) -> None:
    told: list[tuple[Source, ...]] = []
    database = tmp_path / "monitor.db"

    async def tell() -> None:
        told.append(engine.active())

    async with Engine.open(CONFIG, database, FakeClock(NOW)) as engine:
        engine.on_sources = tell
        await engine.store.write(partial(added.add, new=[MINE], now=NOW))
        await engine.follow_sources()
        assert engine.sources() == (*CONFIG.sources, MINE)
        assert told == [(*CONFIG.sources, MINE)]
        await engine.reconfigure(replace(CONFIG, sources=()))
        assert engine.sources() == (MINE,)
    async with Engine.open(CONFIG, database, FakeClock(NOW)) as engine:
        assert engine.sources() == (*CONFIG.sources, MINE)


async def test_what_another_process_added_is_noticed(engine: Engine) -> None:
    await engine.store.write(partial(added.add, new=[MINE], now=NOW))
    assert ids(engine) == ["example"]
    await engine.notice_sources()
    assert ids(engine) == ["example", "mine"]


async def test_a_paused_source_is_polled_no_more_until_it_is_resumed_also_one_of_the_config(
    engine: Engine,
) -> None:
    for since, active in ((NOW, []), (None, ["example"])):
        await engine.store.write(partial(added.pause, source_id="example", since=since))
        await engine.follow_sources()
        assert [one.id for one in engine.active()] == active
        assert ids(engine) == ["example"]


async def test_a_source_that_is_resumed_is_looked_at_at_once_also_one_that_was_gone(engine: Engine) -> None:
    later = NOW + timedelta(days=1)
    gone = SourceState(polled=NOW, succeeded=NOW, next_poll=later, failures=3, gone=True)
    await engine.store.write(partial(sources.save, source=CONFIG.sources[0], after=gone))
    await engine.store.write(partial(added.pause, source_id="example", since=None))
    assert (await engine.due())["example"] < NOW + timedelta(minutes=1)
    kept = replace(gone, next_poll=None, gone=False)
    assert await engine.store.read(partial(sources.state, source_id="example")) == kept


async def test_a_source_that_is_added_again_begins_anew(engine: Engine) -> None:
    write, read = engine.store.write, engine.store.read
    await write(partial(added.add, new=[MINE], now=NOW))
    await write(partial(sources.save, source=MINE, after=SourceState(polled=NOW, succeeded=NOW, changed=NOW)))
    await write(partial(added.pause, source_id="mine", since=NOW))
    assert await write(partial(added.remove, source_id="mine"))
    assert not await write(partial(added.remove, source_id="mine"))
    await write(partial(added.add, new=[MINE], now=NOW))
    assert await read(partial(sources.state, source_id="mine")) == SourceState()
    assert await read(added.paused) == frozenset()


async def test_an_address_that_the_config_gave_up_is_added_under_its_old_id_and_begins_anew(
    engine: Engine,
) -> None:
    (former,) = CONFIG.sources
    await engine.store.write(
        partial(sources.save, source=former, after=SourceState(polled=NOW, succeeded=NOW))
    )
    draft = replace(former, id="", name="Mine", added_by="Olena", trusted=False)
    admit = partial(added.admit, configured=[], drafts=[draft, draft], now=NOW)
    found, new = await engine.store.write(admit)
    assert [one.id for one in found] == ["example", "example"]
    assert new == found[:1]
    assert await engine.store.read(partial(sources.state, source_id="example")) == SourceState()


async def test_what_a_removed_source_reported_is_forgotten_in_its_time(engine: Engine) -> None:
    write = engine.store.write
    await write(partial(added.add, new=[MINE], now=NOW))
    await write(partial(items.insert, item=item(source_id="mine"), matches=(), found=NOW))
    await write(partial(sources.save, source=MINE, after=SourceState(succeeded=NOW, changed=NOW)))
    forget = partial(items.forget, before=NOW.replace(year=2027), limit=10)
    assert await write(forget) == 0  # its source still shows it
    await write(partial(added.remove, source_id="mine"))
    assert await write(forget) == 1


async def test_a_job_that_reads_first_is_not_lost_to_another_process_that_writes_meanwhile(
    engine: Engine, tmp_path: Path
) -> None:
    def locked_out() -> str:
        other = sqlite3.connect(tmp_path / "monitor.db", timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            other.close()
        return "nothing was in its way"

    def job(db: Database) -> str:
        added.every(db)
        answer = locked_out()
        added.add(db, [MINE], NOW)
        return answer

    assert await engine.store.write(job) == "database is locked"
    assert [one.id for one in await engine.store.read(added.every)] == ["mine"]


async def test_another_version_of_the_service_is_not_written_into(engine: Engine, tmp_path: Path) -> None:
    def age(db: Database) -> None:
        db.execute("DELETE FROM _sqlite_migrations WHERE id = (SELECT max(id) FROM _sqlite_migrations)")

    await engine.store.write(age)
    with pytest.raises(StoreUnusable, match="older version: restart"), Store.change(tmp_path / "monitor.db"):
        pass


async def test_an_added_source_that_the_config_hides_is_named_in_the_log(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.store.write(partial(added.add, new=[MINE], now=NOW))
    await engine.reconfigure(CONFIG)
    assert caplog.text == ""
    other = source(MINE.id, address="https://other.example.org/feed")
    await engine.reconfigure(replace(CONFIG, sources=(other,)))
    assert f"source id={MINE.id} state=hidden" in caplog.text
    assert engine.sources() == (other,)
