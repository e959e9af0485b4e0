"""What is in the outbox arrives once, or its row says why it did not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, chat, item, source, topic
from fakes import FakeClock

from monitor import errors
from monitor.audience import Hearing
from monitor.delivery import Courier
from monitor.model import Evidence, Match, Message, Priority
from monitor.store import Store, chats, items, outbox, sources, stories

TOPICS = {"starlink": topic("Starlink", id="starlink", name="Starlink")}
FOUND = Match("starlink", 100, (Evidence("title", 0, 8, "Starlink", "exact"),))


class Inbox:
    """A sender that keeps what it is given, unless a trouble is planned for the chat."""

    def __init__(self) -> None:
        self.got: list[tuple[int, Message]] = []
        self.troubles: dict[int, list[Exception]] = {}
        self.arrived = asyncio.Event()

    async def send(self, chat_id: int, message: Message) -> int:
        if self.troubles.get(chat_id):
            raise self.troubles[chat_id].pop(0)
        self.got.append((chat_id, message))
        self.arrived.set()
        return len(self.got)

    @property
    def titles(self) -> list[tuple[int, str]]:
        return [(chat_id, message.html.split("example.org/")[1][:1]) for chat_id, message in self.got]


class House:
    """A store, a sender and a courier between them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        self.inbox = Inbox()
        self.courier = Courier(store, self.inbox, self.clock, lambda: TOPICS)

    async def queue(self, name: str, chat_id: int = 1, priority: Priority = "normal") -> None:
        one = item(f"Starlink {name}", url=f"https://example.org/{name}")

        def put(db: object) -> None:
            sources.declare(db, [source()])  # type: ignore[arg-type]
            if chats.get(db, chat_id) is None:  # type: ignore[arg-type]
                chats.put(db, chat(chat_id), NOW)  # type: ignore[arg-type]
                chats.subscribe(db, chat_id, ["starlink"], NOW)  # type: ignore[arg-type]
            row = items.insert(db, one, [FOUND], NOW)  # type: ignore[arg-type]
            story = stories.begin(db, one.title, NOW)  # type: ignore[arg-type]
            hearing = Hearing(chat_id, ("starlink",), priority, self.clock.now())
            outbox.put(db, hearing, story_id=story, item_id=row, now=NOW)  # type: ignore[arg-type]

        await self.store.write(put)

    async def deliver(self) -> None:
        while await self.courier.round():
            pass

    async def counts(self) -> dict[str, int]:
        return await self.store.read(outbox.count)

    async def error(self) -> str:
        return str(await self.store.read(lambda db: db.execute("SELECT error FROM outbox").fetchone()[0]))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    yield House(store)
    await store.close()


async def test_an_alert_arrives_once_and_is_marked_as_sent(house: House) -> None:
    await house.queue("a")
    await house.deliver()
    await house.deliver()
    assert house.inbox.titles == [(1, "a")]
    assert await house.counts() == {"sent": 1}


async def test_urgent_alerts_go_first_and_others_in_the_order_they_came(house: House) -> None:
    for name, priority in (("a", "normal"), ("b", "normal"), ("c", "urgent")):
        await house.queue(name, priority=priority)  # type: ignore[arg-type]
    await house.deliver()
    assert house.inbox.titles == [(1, "c"), (1, "a"), (1, "b")]


async def test_alerts_of_low_priority_come_together_as_one_digest(house: House) -> None:
    await house.queue("a", priority="low")
    await house.queue("b", priority="low")
    await house.deliver()
    ((_, digest),) = house.inbox.got
    assert "example.org/a" in digest.html
    assert "example.org/b" in digest.html
    assert await house.counts() == {"sent": 2}


async def test_a_chat_that_is_told_to_wait_waits_and_the_others_go_on(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("too many", after=timedelta(seconds=30))]
    await house.queue("a", 1)
    await house.queue("b", 1)
    await house.queue("c", 2)
    await house.deliver()
    assert house.inbox.titles == [(2, "c")]
    house.clock.advance(timedelta(seconds=29))
    await house.deliver()
    assert house.inbox.titles == [(2, "c")]
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert house.inbox.titles == [(2, "c"), (1, "a"), (1, "b")]


async def test_nothing_is_lost_while_telegram_is_away(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("no answer")]
    await house.queue("a", 1)
    await house.queue("b", 2)
    assert not await house.courier.round()
    assert await house.counts() == {"queued": 2}
    await house.deliver()
    assert house.inbox.titles == [(1, "a"), (2, "b")]


async def test_a_chat_that_is_gone_is_left_alone_but_its_subscriptions_stay(house: House) -> None:
    house.inbox.troubles[1] = [errors.ChatGone("the bot was blocked")]
    await house.queue("a")
    await house.queue("b")
    await house.deliver()
    assert house.inbox.got == []
    assert await house.counts() == {"dropped": 2}
    gone = await house.store.read(partial(chats.get, chat_id=1))
    assert gone is not None
    assert gone.status == "gone"
    assert await house.store.read(partial(chats.topics, chat_id=1)) == {"starlink"}


async def test_a_message_that_telegram_refuses_is_dead_and_holds_up_nothing(house: House) -> None:
    house.inbox.troubles[1] = [errors.MessageRefused("can't parse entities")] * 2
    await house.queue("a")
    await house.queue("b")
    await house.deliver()
    assert house.inbox.titles == [(1, "b")]
    assert await house.counts() == {"dead": 1, "sent": 1}
    assert await house.error() == "can't parse entities"


async def test_a_message_that_telegram_refuses_as_html_arrives_as_plain_text(house: House) -> None:
    house.inbox.troubles[1] = [errors.MessageRefused("can't parse entities")]
    await house.queue("a")
    await house.deliver()
    ((_, message),) = house.inbox.got
    assert "Starlink a" in message.html
    assert "<" not in message.html
    assert await house.counts() == {"sent": 1}


async def test_a_mark_that_the_disk_refuses_is_written_later_and_the_message_not_sent_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.delivery.FIRST_PAUSE", timedelta())
    write, refusals = house.store.write, [True, True]

    async def full(job: Callable[..., object]) -> object:
        if getattr(job, "func", None) is outbox.sent and refusals:
            refusals.pop()
            raise errors.StoreUnwritable("the disk is full")
        return await write(job)

    monkeypatch.setattr(house.store, "write", full)
    await house.queue("a")
    await house.deliver()
    assert (house.inbox.titles, refusals) == ([(1, "a")], [])
    assert await house.counts() == {"sent": 1}


async def test_it_wakes_for_what_is_new_and_ends_when_it_is_told(house: House) -> None:
    running = asyncio.create_task(house.courier.run())
    await house.queue("a")
    house.courier.wake()
    await asyncio.wait_for(house.inbox.arrived.wait(), 5)
    house.courier.stop()
    await asyncio.wait_for(running, 5)
    assert await house.counts() == {"sent": 1}


async def test_what_was_claimed_when_the_process_ended_is_sent_after_the_restart(house: House) -> None:
    await house.queue("a")
    await house.store.write(partial(outbox.claim, now=NOW, limit=9))
    running = asyncio.create_task(house.courier.run())
    await asyncio.wait_for(house.inbox.arrived.wait(), 5)
    house.courier.stop()
    await asyncio.wait_for(running, 5)
    assert house.inbox.titles == [(1, "a")]


async def test_it_waits_longer_each_time_that_telegram_does_not_answer(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("no answer")] * 3
    await house.queue("a")
    pauses = []
    for _ in range(3):
        await house.courier.round()
        pauses.append(house.courier._pause.total_seconds())
    assert pauses == [1, 2, 4]
    await house.deliver()
    assert house.courier._pause == timedelta()


async def test_no_chat_text_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await house.queue("a")
    await house.deliver()
    assert "state=sent" in caplog.text
    assert "Starlink" not in caplog.text
