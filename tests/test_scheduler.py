"""Every source is looked at when it is due, and no failure takes it off the list."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from builders import source
from fakes import FakeClock
from simulated import simulated

from monitor import loop
from monitor.cadence import CATCH_UP, NEVER, Pace, first_polls
from monitor.clock import SystemClock
from monitor.errors import StoreUnwritable
from monitor.model import Source
from monitor.pipeline import Outcome
from monitor.scheduler import Scheduler

SOON = timedelta(milliseconds=20)
LONG = timedelta(days=1)
NEVER_AGAIN = timedelta(days=10**6)  # beyond the calendar: `NEVER`
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = datetime(2026, 2, 1, 12, tzinfo=UTC)


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
            rhythm = self.rhythm.get(one.id, SOON)
            return Outcome(one.id, NEVER if rhythm == NEVER_AGAIN else SystemClock().now() + rhythm)
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


async def planned(scheduler: Scheduler, source_id: str) -> None:
    while task := scheduler._polling.get(source_id):
        await asyncio.wait([task], timeout=5)


async def test_a_new_source_is_polled_at_once_and_then_when_its_poll_says(
    scheduler: Scheduler, polls: Polls
) -> None:
    polls.rhythm["slow"] = LONG
    scheduler.watch([source("quick"), source("slow")], {})
    await polls.until("quick", 4)
    assert polls.seen.count("slow") == 1


async def test_a_source_that_is_not_due_yet_waits(scheduler: Scheduler, polls: Polls) -> None:
    scheduler.watch([source("later"), source("now")], {"later": now() + LONG, "now": now() - LONG})
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
    assert polls.troubles == []


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
    polls.rhythm["a"] = LONG
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    scheduler.watch([source("a"), source("b")], {})
    await polls.until("b", 3)
    assert polls.seen.count("a") == 1


async def test_a_source_that_is_due_earlier_than_planned_is_polled_earlier(
    scheduler: Scheduler, polls: Polls
) -> None:
    polls.rhythm["a"] = LONG
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    await planned(scheduler, "a")
    assert polls.seen == ["a"]
    scheduler.watch([source("a")], {"a": now()})
    await polls.until("a", 2)
    await planned(scheduler, "a")
    assert polls.seen == ["a", "a"]


async def test_a_poll_that_is_late_is_not_left_out(polls: Polls) -> None:
    an_hour_ago = FakeClock(now() - timedelta(hours=1))
    scheduler = Scheduler(polls, an_hour_ago)
    scheduler.start()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    await scheduler.stop(SOON)
    assert set(polls.seen) == {"a"}


async def test_nothing_is_planned_after_a_stop(polls: Polls) -> None:
    scheduler = Scheduler(polls, SystemClock())
    scheduler.start()
    polls.hold = asyncio.Event()
    scheduler.watch([source("a")], {})
    await polls.until("a", 1)
    polls.hold.set()
    await scheduler.stop(timedelta(seconds=5))
    assert scheduler._agenda.when("a") is None


async def test_a_chore_may_begin_at_once(scheduler: Scheduler) -> None:
    done: list[str] = []
    once = asyncio.Event()

    async def chore() -> None:
        done.append("chore")
        once.set()

    scheduler.chore("test", chore, LONG, at_once=True)
    await asyncio.wait_for(once.wait(), 5)
    assert done == ["chore"]


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
    scheduler._look_up()
    assert scheduler.beat > before


async def test_a_source_that_has_ended_is_polled_no_more_until_it_is_asked_for(
    scheduler: Scheduler, polls: Polls
) -> None:
    polls.rhythm["a"] = NEVER_AGAIN
    scheduler.watch([source("a"), source("b")], {"b": NEVER})
    await polls.until("a", 1)
    scheduler.watch([source("a"), source("b"), source("c")], {"a": NEVER, "b": NEVER})
    await polls.until("c", 3)
    assert polls.seen.count("a") == 1
    assert "b" not in polls.seen
    scheduler.watch([source("a"), source("b"), source("c")], {"a": now(), "b": now()})
    await polls.until("a", 2)
    await polls.until("b", 1)


class Times(FakeClock):
    """A clock that goes with the event loop's, and can be set."""

    def __init__(self) -> None:
        self.set_by = timedelta()

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time()) + self.set_by


class Simulation:
    """A scheduler on simulated time with sources that keep a rhythm, and what it did when."""

    def __init__(self, *sources: Source) -> None:
        self.clock = Times()
        self.scheduler = Scheduler(self.poll, self.clock)
        self.sources = sources
        self.polled: dict[str, list[float]] = {}
        self.chores: list[float] = []

    async def poll(self, one: Source) -> Outcome:
        started = self.clock.now()
        self.polled.setdefault(one.id, []).append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.3)
        return Outcome(one.id, started + (one.every or HOUR))

    async def chore(self) -> None:
        self.chores.append(asyncio.get_running_loop().time())

    async def begin(self) -> None:
        self.scheduler.start()
        first = first_polls(self.sources, {}, now=self.clock.now(), pace=Pace(HOUR))
        self.scheduler.watch(self.sources, first)

    def gaps(self) -> list[float]:
        return [later - earlier for times in self.polled.values() for earlier, later in pairwise(times)]


def test_ten_thousand_sources_are_polled_on_time_and_cost_next_to_nothing() -> None:
    async def an_hour() -> Simulation:
        many = Simulation(*(source(f"source-{n}", every=5 * MINUTE) for n in range(10_000)))
        await many.begin()
        await asyncio.sleep(900)
        assert many.scheduler.lag(0.99) < timedelta(seconds=1)
        await many.scheduler.stop(SOON)
        return many

    began = time.process_time()
    many = simulated(an_hour())
    took = time.process_time() - began
    assert len(many.polled) == 10_000
    assert min(many.gaps()) > 299.999
    assert max(many.gaps()) < 301
    assert took < 0.02 * 900  # 2 % of a core, the stand-ins for the polls included


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_clock_that_is_set_neither_stops_the_polls_nor_makes_them_all_due_at_once(jump: timedelta) -> None:
    async def an_hour() -> Simulation:
        few = Simulation(*(source(f"source-{n}", every=MINUTE) for n in range(400)))
        await few.begin()
        await asyncio.sleep(600)
        few.clock.set_by = jump
        await asyncio.sleep(600)
        await few.scheduler.stop(SOON)
        return few

    few = simulated(an_hour())
    assert max(few.gaps()) < 61
    after = Counter(int(at) for times in few.polled.values() for at in times if 600 <= at < 660)
    assert max(after.values()) < 3 * CATCH_UP


def test_a_look_that_takes_longer_than_its_interval_does_not_make_the_next_one_late() -> None:
    async def a_minute() -> Scheduler:
        async def slow(one: Source) -> Outcome:
            started = clock.now()
            await asyncio.sleep(5)
            return Outcome(one.id, started + timedelta(seconds=1))

        clock = Times()
        scheduler = Scheduler(slow, clock)
        scheduler.start()
        scheduler.watch([source()], {})
        await asyncio.sleep(60)
        await scheduler.stop(SOON)
        return scheduler

    assert simulated(a_minute()).lag() < timedelta(seconds=1)


def test_after_the_process_was_stopped_for_a_while_there_is_no_stampede() -> None:
    async def a_night() -> Simulation:
        many = Simulation(*(source(f"source-{n}", every=MINUTE) for n in range(1000)))
        await many.begin()
        await asyncio.sleep(300)
        loop = asyncio.get_running_loop()
        loop.seconds += 3600  # type: ignore[attr-defined]
        await asyncio.sleep(120)
        await many.scheduler.stop(SOON)
        return many

    many = simulated(a_night())
    after = Counter(int(at) for times in many.polled.values() for at in times if at >= 3900)
    assert max(after.values()) < 3 * CATCH_UP
    assert all(times[-1] > 3900 for times in many.polled.values())


def test_a_clock_that_is_set_during_a_poll_that_fails_puts_the_source_off_for_no_longer_than_a_moment() -> (
    None
):
    async def a_poll() -> list[float]:
        clock, began = Times(), list[float]()

        async def fail(one: Source) -> Outcome:
            began.append(asyncio.get_running_loop().time())
            await asyncio.sleep(6)
            if len(began) == 1:
                clock.set_by = timedelta(days=365)
            return Outcome(one.id, clock.now() + MINUTE, error="no answer")

        scheduler = Scheduler(fail, clock)
        scheduler.start()
        scheduler.watch([source()], {})
        await asyncio.sleep(120)
        await scheduler.stop(SOON)
        return began

    assert len(simulated(a_poll())) >= 2


def test_after_a_sleep_of_the_machine_everything_is_looked_at_soon() -> None:
    async def a_night() -> Simulation:
        few = Simulation(source("hourly", every=HOUR), source("often", every=MINUTE))
        await few.begin()
        await asyncio.sleep(600)
        few.clock.set_by = 8 * HOUR  # the loop's clock stood still meanwhile
        await asyncio.sleep(10)
        await few.scheduler.stop(SOON)
        return few

    few = simulated(a_night())
    assert len(few.polled["hourly"]) == 2


async def test_chores_go_on_after_the_clock_was_set_back(polls: Polls) -> None:
    clock = FakeClock(now())
    scheduler = Scheduler(polls, clock)
    scheduler.start()
    scheduler.chore("test", nothing, MINUTE)
    job = scheduler._jobs.get_job("chore test")
    clock.advance(-HOUR)
    scheduler._look_up()
    assert job.next_run_time - clock.now() <= MINUTE
    await scheduler.stop(SOON)


async def nothing() -> None:
    """Do nothing."""


async def test_stopping_lets_a_chore_end_by_itself_within_the_grace_and_cuts_it_short_without_a_trace(
    polls: Polls, caplog: pytest.LogCaptureFixture
) -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), list[str]()

    async def chore(name: str) -> None:
        begun.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            ended.append(f"{name} cut short")
            raise
        ended.append(name)

    for grace in (timedelta(seconds=5), timedelta()):
        scheduler = Scheduler(polls, SystemClock())
        scheduler.start()
        scheduler.chore("test", partial(chore, f"chore {len(ended)}"), LONG, at_once=True)
        await asyncio.wait_for(begun.wait(), 5)
        begun.clear()
        stopping = asyncio.create_task(scheduler.stop(grace))
        await asyncio.sleep(0)
        if grace:
            go_on.set()
        await asyncio.wait_for(stopping, 5)
        go_on.clear()
    assert ended == ["chore 0", "chore 1 cut short"]
    assert [record for record in caplog.records if record.exc_info] == []


def test_polls_that_are_due_already_go_on_in_the_loop_of_the_service() -> None:
    polls = Polls()

    async def work() -> None:
        polls.rhythm = {f"s{n}": timedelta(0) for n in range(20)}
        scheduler = Scheduler(polls, SystemClock())
        scheduler.start()
        overdue = now() - HOUR
        scheduler.watch([source(name) for name in polls.rhythm], dict.fromkeys(polls.rhythm, overdue))
        scheduler.watch([source(name) for name in polls.rhythm], {})
        for name in polls.rhythm:
            await polls.until(name, 3)
        await scheduler.stop(timedelta(seconds=1))

    loop.run(work())
    assert min(map(polls.seen.count, polls.rhythm)) >= 3
