"""Every source is looked at when it is due, and no failure takes it off the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from builders import source
from fakes import FakeClock

from monitor.clock import SystemClock
from monitor.errors import StoreUnwritable
from monitor.model import Source
from monitor.pipeline import Outcome
from monitor.scheduler import Scheduler

SOON = timedelta(milliseconds=20)
NEVER = timedelta(days=1)


class Polls:
    """What a scheduler polls: it keeps count, and can be made to fail or to hang."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.rhythm: dict[str, timedelta] = {}
        self.troubles: list[Exception] = []
        self.hold: asyncio.Event | None = None
        self.at_once = 0
        self.most_at_once = 0
        self.changed = asyncio.Condition()

    async def __call__(self, one: Source) -> Outcome:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self.changed:
            self.seen.append(one.id)
            self.changed.notify_all()
        try:
            if self.hold:
                await self.hold.wait()
            await asyncio.sleep(0)
            if self.troubles:
                raise self.troubles.pop()
            return Outcome(one.id, SystemClock().now() + self.rhythm.get(one.id, SOON))
        finally:
            self.at_once -= 1

    async def until(self, source_id: str, times: int) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: self.seen.count(source_id) >= times)


@pytest.fixture
def polls() -> Polls:
    return Polls()


@pytest.fixture
async def scheduler(polls: Polls) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(polls, SystemClock())
    scheduler.start()
    yield scheduler
    if polls.hold:
        polls.hold.set()
    await scheduler.stop(timedelta(seconds=1))


def now() -> datetime:
    return SystemClock().now()


async def test_a_new_source_is_polled_at_once_and_then_when_its_poll_says(
    scheduler: Scheduler, polls: Polls
) -> None:
    polls.rhythm["slow"] = NEVER
    scheduler.watch([source("quick"), source("slow")], {})
    await polls.until("quick", 4)
    assert polls.seen.count("slow") == 1


async def test_a_source_that_is_not_due_yet_waits(scheduler: Scheduler, polls: Polls) -> None:
    scheduler.watch([source("later"), source("now")], {"later": now() + NEVER, "now": now() - NEVER})
    await polls.until("now", 3)
    assert "later" not in polls.seen


@pytest.mark.parametrize("trouble", [StoreUnwritable("the disk is full"), RuntimeError("a bug")])
async def test_a_poll_that_fails_is_planned_again(
    scheduler: Scheduler, polls: Polls, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.scheduler.AFTER_A_FAILURE", SOON)
    polls.troubles = [trouble]
    scheduler.watch([source("a")], {})
    await polls.until("a", 3)


async def test_a_failure_that_has_a_remedy_is_one_line_and_a_bug_has_its_trace(
    scheduler: Scheduler, polls: Polls, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.scheduler.AFTER_A_FAILURE", SOON)
    polls.troubles = [RuntimeError("a bug"), StoreUnwritable("the disk is full")]
    scheduler.watch([source("a")], {})
    await polls.until("a", 4)
    full, bug = [record for record in caplog.records if record.name == "monitor.scheduler"]
    assert "the disk is full" in full.getMessage()
    assert full.exc_info is None
    assert bug.exc_info


async def test_a_source_is_never_polled_twice_at_the_same_time(scheduler: Scheduler, polls: Polls) -> None:
    polls.hold = asyncio.Event()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    scheduler.watch([source("a", name="Changed"), source("b")], {})
    await polls.until("b", 1)
    assert polls.seen.count("a") == 1
    polls.hold.set()
    await polls.until("a", 3)


async def test_a_source_that_left_the_config_is_polled_no_more(scheduler: Scheduler, polls: Polls) -> None:
    scheduler.watch([source("stays"), source("goes")], {})
    await polls.until("goes", 2)
    scheduler.watch([source("stays")], {})
    before = polls.seen.count("goes")
    await polls.until("stays", polls.seen.count("stays") + 4)
    assert polls.seen.count("goes") <= before + 1  # the one under way


async def test_a_source_that_did_not_change_keeps_its_rhythm(scheduler: Scheduler, polls: Polls) -> None:
    polls.rhythm["a"] = NEVER
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    scheduler.watch([source("a"), source("b")], {})
    await polls.until("b", 3)
    assert polls.seen.count("a") == 1


async def test_a_source_that_is_due_earlier_than_planned_is_polled_earlier(
    scheduler: Scheduler, polls: Polls
) -> None:
    polls.rhythm["a"] = NEVER
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    scheduler.watch([source("a")], {"a": now()})
    await polls.until("a", 2)


async def test_a_poll_that_is_late_is_not_left_out(polls: Polls) -> None:
    an_hour_ago = FakeClock(now() - timedelta(hours=1))
    scheduler = Scheduler(polls, an_hour_ago)
    scheduler.start()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    await scheduler.stop(SOON)


async def test_nothing_is_planned_after_a_stop(polls: Polls) -> None:
    scheduler = Scheduler(polls, SystemClock())
    scheduler.start()
    polls.hold = asyncio.Event()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    polls.hold.set()
    await scheduler.stop(timedelta(seconds=5))
    assert scheduler._jobs.get_job("poll a") is None


async def test_a_chore_may_begin_at_once(scheduler: Scheduler) -> None:
    done = asyncio.Event()

    async def chore() -> None:
        done.set()

    scheduler.chore("test", chore, NEVER, at_once=True)
    await asyncio.wait_for(done.wait(), 5)


async def test_stopping_lets_a_poll_end_by_itself_within_the_grace(polls: Polls) -> None:
    scheduler = Scheduler(polls, SystemClock())
    scheduler.start()
    polls.hold = asyncio.Event()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    stopping = asyncio.create_task(scheduler.stop(timedelta(seconds=10)))
    polls.hold.set()
    await asyncio.wait_for(stopping, 5)
    assert polls.at_once == 0


async def test_stopping_cuts_a_poll_short_that_hangs(polls: Polls) -> None:
    scheduler = Scheduler(polls, SystemClock())
    scheduler.start()
    polls.hold = asyncio.Event()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    await asyncio.wait_for(scheduler.stop(timedelta()), 5)
    assert polls.at_once == 0


async def test_chores_recur_and_its_heart_beats(
    scheduler: Scheduler,
) -> None:
    done = asyncio.Semaphore(0)

    async def chore() -> None:
        done.release()

    scheduler.chore("test", chore, SOON)
    async with asyncio.timeout(10):
        for _ in range(3):
            await done.acquire()
    before = scheduler.beat
    await scheduler._heartbeat()
    assert scheduler.beat >= before
