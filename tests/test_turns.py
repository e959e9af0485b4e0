"""A host is asked by few at a time, never too often, and not at all while it wants a pause."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from simulated import simulated
from yarl import URL

from monitor.errors import SourceResting
from monitor.sources.room import Room
from monitor.sources.turns import MANY_HOSTS, MOST_SLOW, PATIENCE, Turns

NEWS, OTHER = URL("https://news.example.org/feed"), URL("https://other.example.org/feed")
SECOND = timedelta(seconds=1)


class Asked:
    """Requests on simulated time: when each began, and how many ran at once."""

    def __init__(self, *, concurrency: int = 100, per_host: int = 2, gap: timedelta | None = None) -> None:
        self.turns = Turns(concurrency=concurrency, per_host=per_host, gap=gap)
        self.began: list[float] = []
        self.running = self.most = 0

    async def ask(self, url: URL, takes: float) -> None:
        async with self.turns.turn(url):
            self.began.append(asyncio.get_running_loop().time())
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await asyncio.sleep(takes)
            finally:
                self.running -= 1

    async def all(self, *these: tuple[URL, float]) -> list[float]:
        await asyncio.gather(*(self.ask(url, takes) for url, takes in these))
        return self.began


def test_requests_to_one_host_are_few_at_a_time_and_a_gap_apart() -> None:
    asked = Asked(per_host=2, gap=SECOND)
    assert simulated(asked.all(*[(NEWS, 0.1)] * 4)) == [0, 1, 2, 3]
    crowd = Asked(per_host=2, gap=timedelta(0))
    assert simulated(crowd.all(*[(NEWS, 1.0)] * 5)) == [0, 0, 1, 1, 2]
    assert crowd.most == 2


def test_hosts_on_the_internet_have_a_small_gap_and_this_machine_has_none() -> None:
    gaps = {
        url: simulated(Asked().all(*[(URL(url), 0.0)] * 3))
        for url in ("https://t.me/s/a", "http://127.0.0.1/")
    }
    assert gaps == {"https://t.me/s/a": pytest.approx([0, 0.1, 0.2]), "http://127.0.0.1/": [0, 0, 0]}


def test_fifty_channels_of_one_host_are_read_within_a_minute() -> None:
    assert max(simulated(Asked().all(*[(URL("https://t.me/s/a"), 1.0)] * 50))) < 30


def test_a_hundred_looks_of_several_pages_at_one_host_hold_up_no_other() -> None:
    """A look keeps its place from its first page to its last, so that those that began have to end first."""
    room, turns = Room(20, 2), Turns(concurrency=100, per_host=2, gap=timedelta(0))

    async def look(url: URL, pages: int) -> float:
        began = asyncio.get_running_loop().time()
        with room.one_look():
            for _ in range(pages):
                await room.wait()
                async with turns.turn(url, begun=room.has_place()):
                    assert await room.enter()
                    await asyncio.sleep(1)
        return asyncio.get_running_loop().time() - began

    async def work() -> float:
        crowd = [asyncio.create_task(look(NEWS, 3)) for _ in range(100)]
        await asyncio.sleep(30)
        took = await look(OTHER, 1)
        await asyncio.gather(*crowd)
        return took

    assert simulated(work()) == 1


def test_a_hundred_requests_that_wait_for_one_host_hold_up_no_other() -> None:
    asked = Asked(concurrency=20, gap=timedelta(0))

    async def work() -> float:
        hanging = [asyncio.create_task(asked.ask(NEWS, 20)) for _ in range(100)]
        await asyncio.sleep(5)
        began = asyncio.get_running_loop().time()
        await asked.ask(OTHER, 0)
        waited = asyncio.get_running_loop().time() - began
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        return waited

    assert simulated(work()) == 0
    assert asked.most <= 2 + MOST_SLOW + 1


def test_requests_that_hang_do_not_keep_the_other_sources_of_their_host_waiting_for_long() -> None:
    asked = Asked(per_host=2, gap=timedelta(0))
    began = simulated(asked.all((NEWS, 20), (NEWS, 20), (NEWS, 0.1), (NEWS, 0.1)))
    assert began == [0, 0, PATIENCE, PATIENCE]


def test_whoever_hung_before_does_not_count_for_ever() -> None:
    asked = Asked(per_host=1, gap=timedelta(0))

    async def work() -> list[float]:
        for _ in range(3):
            await asked.all(*[(NEWS, 20)] * MOST_SLOW)
        asked.began.clear()
        begun = asyncio.get_running_loop().time()
        await asked.all((NEWS, 20), (NEWS, 0))
        return [began - begun for began in asked.began]

    assert simulated(work()) == [0, PATIENCE]


def test_a_host_that_wants_a_pause_gets_it_from_those_who_wait_already_too() -> None:
    asked = Asked(per_host=1, gap=timedelta(0))

    async def work() -> list[str]:
        first = asyncio.create_task(asked.ask(NEWS, 1))
        waiting = asyncio.create_task(asked.ask(NEWS, 1))
        await asyncio.sleep(0.5)
        asked.turns.rest(NEWS, timedelta(seconds=60))
        await first
        told = []
        for attempt in (waiting, asked.ask(NEWS, 1)):
            with pytest.raises(SourceResting) as caught:
                await attempt
            assert caught.value.after is not None
            told.append(f"{caught.value.after.total_seconds():g}")
        await asked.ask(OTHER, 0)
        await asyncio.sleep(60)
        await asked.ask(NEWS, 0)
        return told

    assert simulated(work()) == ["59.5", "59.5"]


def test_hosts_that_nobody_asks_any_more_are_forgotten_but_not_their_pauses() -> None:
    asked = Asked()

    async def work() -> int:
        asked.turns.rest(NEWS, timedelta(hours=1))
        for number in range(MANY_HOSTS + 10):
            await asked.ask(URL(f"http://10.1.{number // 256}.{number % 256}/"), 0)
        with pytest.raises(SourceResting):
            await asked.ask(NEWS, 0)
        return len(asked.turns._hosts)

    assert simulated(work()) < MANY_HOSTS
