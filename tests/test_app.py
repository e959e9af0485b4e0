"""The watchdog is fed only while every part of the service is alive; a reload says what takes a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders import NOW, chat, source, topic
from fakes import TOKEN, BotApi

import monitor.engine as room
from monitor.app import Service, _differences
from monitor.clock import SystemClock
from monitor.config import Config, Polling, Telegram
from monitor.engine import Engine
from monitor.errors import StoreUnwritable
from monitor.model import Place
from monitor.store import chats

DRONE, GRID = (topic(name, id=name, name=name) for name in ("drone", "grid"))


class Notifier:
    """Hears what systemd would hear."""

    watchdog = timedelta(milliseconds=20)

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.fed = asyncio.Event()

    def ready(self, _: str = "") -> None:
        self.heard.append("ready")

    def reloading(self) -> None:
        self.heard.append("reloading")

    def alive(self) -> None:
        self.fed.set()

    def stopping(self) -> None:
        self.heard.append("stopping")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with BotApi() as api:
        config = Config(path="config.toml", telegram=Telegram(api_url=api.url, access="open"), sources=())
        async with Engine.open(config, tmp_path / "monitor.db", SystemClock()) as engine:
            service = Service(engine, TOKEN, lambda: config, Notifier())  # type: ignore[arg-type]
            running = asyncio.create_task(service.run())
            await asyncio.wait_for(service._notifier.fed.wait(), 10)  # type: ignore[attr-defined]
            yield service
            service._stop.set()
            await asyncio.wait_for(running, 10)


async def test_a_service_whose_parts_all_live_feeds_the_watchdog(service: Service) -> None:
    assert await service._stuck() == []
    service._notifier.fed.clear()  # type: ignore[attr-defined]
    await asyncio.wait_for(service._notifier.fed.wait(), 10)  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", ["scheduler", "sender", "store", "broken store", "telegram"])
async def test_a_part_without_a_sign_of_life_starves_the_watchdog(
    service: Service, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise StoreUnwritable("the disk is full")

    long_ago = time.monotonic() - 3600
    if part == "scheduler":
        service._scheduler.beat = long_ago
    elif part == "sender":
        stuck = SimpleNamespace(beat=long_ago, stop=service._courier.stop)
        monkeypatch.setattr(service, "_courier", stuck)
    elif part == "telegram":
        monkeypatch.setattr(type(service._bot), "alive", property(lambda _: False))
    else:
        monkeypatch.setattr("monitor.app.STALE", timedelta(seconds=0.1))
        monkeypatch.setattr(service._engine.store, "ping", hang if part == "store" else fail)
    assert part.rpartition(" ")[2] in await service._stuck()
    service._notifier.fed.clear()  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):  # many times the interval at which it would be fed
        await asyncio.wait_for(service._notifier.fed.wait(), 0.5)  # type: ignore[attr-defined]
    monkeypatch.undo()


def test_a_reload_names_the_keys_that_take_a_restart() -> None:
    old = Config(path="config.toml", telegram=Telegram(), polling=Polling())
    new = replace(
        old,
        telegram=Telegram(api_url="http://127.0.0.1", language="uk"),
        polling=Polling(per_host=7, every=timedelta(seconds=5)),
        sources=(source(),),
    )
    assert _differences(old, new) == ["telegram.api_url", "polling.per_host"]


async def test_a_restart_that_is_due_is_named_at_each_reload_until_the_change_is_taken_back(
    service: Service,
) -> None:
    first = service._engine.config
    changed = replace(first, polling=Polling(per_host=7))
    for config, due in ((changed, True), (changed, True), (first, False)):
        service._load = lambda config=config: config  # type: ignore[misc]
        assert ("polling.per_host" in await service._reload()) is due


async def test_a_config_that_names_nothing_any_more_is_refused_at_a_reload(service: Service) -> None:
    first = service._engine.config
    whole = replace(first, telegram=replace(first.telegram, admins=frozenset({7})))
    service._load = lambda: whole
    assert "in force" in await service._reload()
    service._load = lambda: first
    assert "not written whole" in await service._reload()
    assert service._engine.config is whole


async def test_a_reload_says_of_a_topic_that_is_gone_how_many_hear_nothing_of_it_any_more(
    service: Service,
) -> None:
    first = service._engine.config
    service._load = lambda: replace(first, topics=(DRONE, GRID))
    await service._reload()
    for chat_id in (1, 2):
        await service._engine.store.write(partial(chats.put, chat=chat(chat_id), now=NOW))
    await service._engine.store.write(partial(chats.subscribe, chat_id=1, topic_ids=["drone"], now=NOW))
    service._load = lambda: replace(first, sources=(source(),))
    told = await service._reload()
    assert "<b>drone</b> is gone. Subscribers who hear nothing of it any more: 1." in told
    assert "grid" not in told


async def test_a_watch_that_is_added_during_a_reload_is_not_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = service._engine
    await engine.store.write(partial(chats.put, chat=chat(), now=NOW))
    reading, go_on = asyncio.Event(), asyncio.Event()
    write = engine.store.write

    async def slow(job: Callable[..., object]) -> object:
        if getattr(job, "func", None) is room._declare:
            reading.set()
            await go_on.wait()
        return await write(job)

    monkeypatch.setattr(engine.store, "write", slow)
    reload = asyncio.create_task(engine.reconfigure(engine.config))
    await asyncio.wait_for(reading.wait(), 5)
    adding = asyncio.create_task(engine.add_watch(Place(1), "drone"))
    await asyncio.wait({adding}, timeout=0.2)  # enough for it to be done, were it not kept waiting
    go_on.set()
    await asyncio.wait_for(asyncio.gather(reload, adding), 5)
    assert [topic.name for topic in engine.watch.topics.values()] == ["drone"]
