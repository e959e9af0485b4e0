"""What the admins heard is remembered, and what they are to hear is in the database at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from builders import NOW, source
from fakes import FakeClock

from monitor.checkup import Checkup
from monitor.model import Source, SourceState
from monitor.store import Store, notices, sources, told

FEEDS = [source(name, name=name.title()) for name in ("one", "two", "three", "four")]
ILL = SourceState(polled=NOW, failures=9, failing=NOW - timedelta(hours=1), error="it answered 500")
WELL = SourceState(polled=NOW, succeeded=NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "monitor.db")
    await store.write(partial(sources.declare, sources=FEEDS))
    yield store
    await store.close()


async def put(store: Store, *states: SourceState) -> None:
    for one, state in zip(FEEDS, states, strict=True):
        await store.write(partial(sources.save, source=one, after=state))


async def waiting(store: Store) -> list[str]:
    return [one.notice.phrase for one in await store.read(notices.waiting)]


async def test_the_log_says_how_long_a_trouble_lasts_as_the_config_would(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    ill = replace(ILL, failing=NOW - timedelta(hours=1, seconds=39.8))
    await put(store, ill, WELL, WELL, WELL)
    await Checkup(store, FakeClock(NOW), lambda: FEEDS, no_retry).look()
    assert caplog.messages == ["health notice='failing' source='One' span='1h39s' error='it answered 500'"]


async def test_a_trouble_is_a_warning_in_the_log_and_its_end_is_none(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock(NOW)
    checkup = Checkup(store, clock, lambda: FEEDS, lambda _: None)
    await put(store, ILL, WELL, WELL, WELL)
    await checkup.look()
    await put(store, WELL, WELL, WELL, WELL)
    await checkup.look()
    told = [(one.levelname, one.getMessage().split()[1]) for one in caplog.records]
    assert told == [("WARNING", "notice='failing'"), ("INFO", "notice='well'")]


async def test_a_trouble_is_noted_once_also_after_a_restart(store: Store) -> None:
    await put(store, ILL, WELL, WELL, WELL)
    for _ in range(3):  # each as after a restart
        await Checkup(store, FakeClock(NOW), lambda: FEEDS, no_retry).look()
    assert await waiting(store) == ["notice.failing"]
    assert (await store.read(told.every))["one"].trouble == "failing"


async def test_what_the_network_held_up_is_polled_as_soon_as_it_is_back(store: Store) -> None:
    hastened: list[str] = []
    checkup = Checkup(store, FakeClock(NOW), lambda: FEEDS, hastened.extend)
    await put(store, ILL, ILL, ILL, ILL)
    await checkup.look()
    assert hastened == []
    await put(store, ILL, WELL, ILL, ILL)
    await checkup.look()
    assert hastened == ["one", "three", "four"]
    assert await waiting(store) == ["notice.network", "notice.online"]


def no_retry(source_ids: Iterable[str]) -> None:
    raise AssertionError(list(source_ids))


async def test_looking_takes_no_more_than_a_hundredth_of_the_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, looks = [1000.0], list[float]()

    async def look(_: Checkup) -> None:
        looks.append(seconds[0])
        seconds[0] += 0.3

    monkeypatch.setattr("monitor.checkup.time.monotonic", lambda: seconds[0])
    monkeypatch.setattr(Checkup, "look", look)
    checkup = Checkup(store, FakeClock(NOW), lambda: FEEDS, no_retry)
    for _ in range(20):
        await checkup.round()
        seconds[0] += 5
    assert [round(later - earlier) for earlier, later in pairwise(looks)] == [30, 30, 30]


async def test_looks_that_are_asked_for_at_the_same_time_tell_nothing_twice(store: Store) -> None:
    await put(store, ILL, ILL, WELL, WELL)
    clock = FakeClock(NOW)

    def listed() -> list[Source]:
        clock.advance(timedelta(seconds=1))  # no two looks have the very same to tell
        return FEEDS

    checkup = Checkup(store, clock, listed, no_retry)
    await asyncio.gather(*(checkup.look() for _ in range(5)))
    assert await waiting(store) == ["notice.failing", "notice.failing"]
