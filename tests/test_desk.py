"""Jobs that wait at the same time share a transaction, and nobody notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database

from monitor.errors import StoreUnwritable
from monitor.store.desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path / "x.db", "test")
    await one.run(lambda db: db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, filler TEXT)"))
    yield one
    await one.close()


def put(db: Database, number: int, size: int = 0) -> int:
    db.execute("INSERT INTO t VALUES (?, ?)", [number, "x" * size])
    return number


def put_and_fail(db: Database, number: int) -> None:
    put(db, number)
    raise KeyError(number)


async def numbers(desk: Desk) -> list[int]:
    return await desk.run(lambda db: [row[0] for row in db.execute("SELECT n FROM t ORDER BY n")])


async def test_jobs_that_wait_together_are_flushed_to_the_disk_once(desk: Desk) -> None:
    commits: list[str] = []
    await desk.run(lambda db: db.conn.set_trace_callback(commits.append))
    done = await asyncio.gather(*(desk.run(partial(put, number=number)) for number in range(50)))
    assert done == list(range(50))
    assert sum(statement == "COMMIT" for statement in commits) <= 2
    assert await numbers(desk) == done


async def test_a_job_that_raises_takes_back_what_it_did_and_nothing_else(desk: Desk) -> None:
    jobs = [partial(put, number=1), partial(put_and_fail, number=2), partial(put, number=3)]
    ends = await asyncio.gather(*map(desk.run, jobs), return_exceptions=True)
    assert [ends[0], repr(ends[1]), ends[2]] == [1, "KeyError(2)", 3]
    assert await numbers(desk) == [1, 3]


async def test_where_the_disk_refuses_one_of_many_the_others_are_stored(desk: Desk) -> None:
    await desk.run(lambda db: db.execute("PRAGMA max_page_count = 20").fetchone())
    jobs = [partial(put, number=1), partial(put, number=2, size=10**6), partial(put, number=3)]
    ends = await asyncio.gather(*map(desk.run, jobs), return_exceptions=True)
    assert [ends[0], type(ends[1]), ends[2]] == [1, StoreUnwritable, 3]
    assert await numbers(desk) == [1, 3]


async def test_a_job_that_nobody_waits_for_any_more_is_not_begun(desk: Desk) -> None:
    first = asyncio.ensure_future(desk.run(partial(put, number=1)))
    second = asyncio.ensure_future(desk.run(partial(put, number=2)))
    await asyncio.sleep(0)
    second.cancel()
    assert await first == 1
    assert await numbers(desk) == [1]


async def test_closing_does_what_waits_and_nothing_after(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "x.db", "test")
    waiting = asyncio.ensure_future(desk.run(lambda db: db.execute("SELECT 7").fetchone()[0]))
    await asyncio.sleep(0)
    await desk.close()
    assert await waiting == 7
    with pytest.raises(RuntimeError, match="closed"):
        await desk.run(lambda db: db.execute("SELECT 7"))
