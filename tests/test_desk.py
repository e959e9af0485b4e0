"""Jobs that wait at the same time share a transaction, and nobody notices."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import IntegrityError

import pytest
from sqlite_utils import Database

from monitor.errors import StoreUnwritable
from monitor.store.desk import LONGEST, TURN, Desk


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


async def test_what_is_brief_runs_on_the_event_loop_and_only_the_thread_waits_for_the_disk(
    desk: Desk,
) -> None:
    here, traced = threading.get_ident(), list[tuple[str, bool]]()
    await desk.run(
        lambda db: db.conn.set_trace_callback(
            lambda sql: traced.append((sql.split()[0], threading.get_ident() == here))
        )
    )
    traced.clear()
    one, two = partial(put, number=1), partial(put, number=2)
    assert await asyncio.gather(desk.run(one, is_brief=True), desk.run(two)) == [1, 2]
    assert traced == [("BEGIN", False), ("INSERT", True), ("INSERT", False), ("COMMIT", False)]
    assert await numbers(desk) == [1, 2]


async def test_jobs_are_done_in_the_order_in_which_they_came_whatever_is_brief(desk: Desk) -> None:
    done: list[int] = []

    def note(db: Database, number: int) -> None:
        put(db, number)
        done.append(number)

    brief = (True, False, True, False)
    jobs = [desk.run(partial(note, number=n), is_brief=is_brief) for n, is_brief in enumerate(brief)]
    await asyncio.gather(*jobs)
    assert done == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "more",
    [lambda db: db.query("SELECT 1 AS one"), lambda db: db.execute("SELECT 1")],
    ids=["query", "execute"],
)
async def test_what_proves_not_to_be_brief_is_done_on_the_thread(
    desk: Desk, more: Callable[[Database], Iterable[object]]
) -> None:
    threads = list[int]()

    def many(db: Database) -> int:
        threads.append(threading.get_ident())
        put(db, 2)
        time.sleep(LONGEST)
        return len(list(more(db)))

    one = partial(put, number=1)
    jobs = [desk.run(one, is_brief=True), desk.run(many, is_brief=True)]
    assert await asyncio.gather(*jobs) == [1, 1]
    assert await numbers(desk) == [1, 2]
    assert [thread == threading.get_ident() for thread in threads] == [True, False]


async def test_a_close_that_is_given_up_lets_what_waits_be_done(desk: Desk) -> None:
    storing = asyncio.ensure_future(desk.run(partial(put, number=1), is_brief=True))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(desk.close())
    await asyncio.sleep(0)
    closing.cancel()
    assert await asyncio.wait_for(storing, 5) == 1


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Return another program's connection; who waits for it does so for a moment alone."""
    monkeypatch.setattr("monitor.store.desk.BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(tmp_path / "x.db")) as other:
        yield other


@pytest.mark.usefixtures("desk")
async def test_a_transaction_that_nobody_waits_for_any_more_holds_up_none_after_it(
    tmp_path: Path, other: sqlite3.Connection
) -> None:
    desk = Desk(tmp_path / "x.db", "again", "BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    doomed = asyncio.ensure_future(desk.run(partial(put, number=1), is_brief=True))
    await asyncio.sleep(0.05)  # the thread waits for the lock
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    other.rollback()
    assert await desk.run(partial(put, number=2), is_brief=True) == 2
    assert await numbers(desk) == [2]
    await desk.close()


@pytest.mark.usefixtures("desk")
async def test_where_another_program_holds_the_database_each_brief_job_waits_twice_and_is_told_so(
    tmp_path: Path, other: sqlite3.Connection
) -> None:
    desk = Desk(tmp_path / "x.db", "again", "BEGIN IMMEDIATE")
    begun: list[str] = []
    await desk.run(lambda db: db.conn.set_trace_callback(begun.append))
    begun.clear()
    other.execute("BEGIN IMMEDIATE")
    jobs = [desk.run(partial(put, number=number), is_brief=True) for number in range(2)]
    ends = await asyncio.gather(*jobs, return_exceptions=True)
    assert list(map(type, ends)) == [StoreUnwritable, StoreUnwritable]
    assert begun == ["BEGIN IMMEDIATE"] * 3  # together, and each by itself
    other.rollback()
    assert await desk.run(partial(put, number=7), is_brief=True) == 7
    await desk.close()


async def test_a_brief_job_that_raises_takes_back_what_it_did_and_nothing_else(desk: Desk) -> None:
    jobs = [partial(put, number=1), partial(put_and_fail, number=2), partial(put, number=3)]
    ends = await asyncio.gather(*(desk.run(job, is_brief=True) for job in jobs), return_exceptions=True)
    assert [ends[0], repr(ends[1]), ends[2]] == [1, "KeyError(2)", 3]
    assert await numbers(desk) == [1, 3]


async def test_where_the_disk_refuses_at_the_end_nothing_brief_is_said_to_be_stored(desk: Desk) -> None:
    await desk.run(lambda db: db.execute("PRAGMA foreign_keys = ON"))
    await desk.run(lambda db: db.execute("CREATE TABLE u (n REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)"))

    def orphan(db: Database) -> None:
        db.execute("INSERT INTO u VALUES (77)")  # refused by the COMMIT alone

    one = partial(put, number=1)
    ends = await asyncio.gather(
        desk.run(one, is_brief=True), desk.run(orphan, is_brief=True), return_exceptions=True
    )
    assert (ends[0], type(ends[1])) == (1, IntegrityError)
    assert await numbers(desk) == [1]


async def test_many_brief_jobs_leave_the_event_loop_to_others_now_and_then(desk: Desk) -> None:
    seen: list[int] = []
    begun = asyncio.Event()

    def last_long(number: int, db: Database) -> int:
        time.sleep(TURN)
        seen.append(number)
        begun.set()
        return put(db, number)

    jobs = [partial(last_long, number) for number in range(5)]
    storing = asyncio.gather(*(desk.run(job, is_brief=True) for job in jobs))
    await begun.wait()
    assert len(seen) < len(jobs)
    assert await storing == [*range(5)]


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
