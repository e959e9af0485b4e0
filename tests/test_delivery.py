"""What is in the outbox arrives once, or its row says why it did not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, chat, item, source, topic
from fakes import FakeClock

from monitor import errors, render
from monitor.audience import Hearing
from monitor.delivery import Courier
from monitor.model import Alert, Evidence, Match, Message, Place, Priority
from monitor.store import Store, chats, items, outbox, sources, stories

TOPICS = {"starlink": topic("Starlink", id="starlink", name="Starlink")}
FOUND = Match("starlink", 100, (Evidence("title", 0, 8, "Starlink", "exact"),))


class Inbox:
    """A sender that keeps what it is given, unless a trouble is planned for the chat."""

    def __init__(self) -> None:
        self.got: list[tuple[int, Message]] = []
        self.troubles: dict[int, list[Exception]] = {}
        self.arrived = asyncio.Event()

    async def send(self, place: Place, message: Message) -> int:
        chat_id = place.chat_id
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
        one = item(f"Starlink {name}", url=f"https://example.org/{name}", key=f"{name} {chat_id}")

        def put(db: object) -> None:
            sources.declare(db, [source()])  # type: ignore[arg-type]
            if chats.get(db, chat_id) is None:  # type: ignore[arg-type]
                chats.put(db, chat(chat_id), NOW)  # type: ignore[arg-type]
                chats.subscribe(db, chat_id, ["starlink"], NOW)  # type: ignore[arg-type]
            row = items.insert(db, one, [FOUND], NOW)  # type: ignore[arg-type]
            story = stories.begin(db, one.title, NOW)  # type: ignore[arg-type]
            hearing = Hearing(Place(chat_id), ("starlink",), priority, self.clock.now(), priority == "low")
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
    for chat_id in (1, 2, 3):
        house.inbox.troubles[chat_id] = [errors.TelegramUnreachable("no answer")]
        await house.queue("a", chat_id)
    assert not await house.courier.round()
    assert await house.counts() == {"queued": 3}
    house.clock.advance(timedelta(seconds=1))
    for _ in range(3):
        await house.deliver()
        house.clock.advance(timedelta(seconds=30))
    assert sorted(house.inbox.titles) == [(1, "a"), (2, "a"), (3, "a")]


async def test_a_message_that_never_gets_an_answer_holds_up_no_other_chat(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("Telegram answers 500")] * 100
    await house.queue("a", 1)
    await house.queue("b", 2)
    await house.queue("c", 3)
    await house.deliver()
    assert house.inbox.titles == [(2, "b"), (3, "c")]
    assert await house.counts() == {"queued": 1, "sent": 2}


async def test_a_chat_is_tried_again_after_waits_that_grow_to_a_limit(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("no answer")] * 7
    await house.queue("a", 1)
    waits = []
    for _ in range(7):
        await house.deliver()
        due = await house.store.read(outbox.next_due)
        assert due
        waits.append((due - house.clock.now()).total_seconds())
        house.clock.current = due
    assert waits == [1, 2, 4, 8, 15, 15, 15]
    await house.deliver()
    assert house.inbox.titles == [(1, "a")]


async def test_an_absurd_wait_is_capped(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("too many", after=timedelta(days=10**6))]
    await house.queue("a", 1)
    await house.deliver()
    house.clock.advance(timedelta(days=1))
    await house.deliver()
    assert house.inbox.titles == [(1, "a")]


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
    monkeypatch.setattr("monitor.delivery.FIRST_WAIT", timedelta())
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


async def test_everybody_waits_longer_each_time_that_telegram_does_not_answer(house: House) -> None:
    for chat_id in (1, 2):
        house.inbox.troubles[chat_id] = [errors.TelegramUnreachable("no answer")] * 9
        await house.queue("a", chat_id)
    pauses = []
    for _ in range(7):
        await house.courier.round()
        pauses.append(house.courier._pause.total_seconds())
        house.clock.advance(timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    for _ in range(4):
        await house.deliver()
        house.clock.advance(timedelta(minutes=1))
    assert house.courier._pause == timedelta()
    assert len(house.inbox.got) == 2


async def test_a_bug_in_rendering_costs_the_looks_of_one_message_and_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = render.alert

    def buggy(alert: Alert, **facts: Any) -> Message:
        if alert.item.title == "Starlink a":
            raise ValueError
        return whole(alert, **facts)

    monkeypatch.setattr(render, "alert", buggy)
    await house.queue("a")
    await house.queue("b")
    await house.deliver()
    assert house.inbox.titles == [(1, "a"), (1, "b")]


async def test_a_long_digest_goes_in_parts_and_what_was_sent_is_not_sent_again(house: House) -> None:
    for number in range(60):
        await house.queue(f"{number:03}" + "x" * 200, priority="low")
    sent: list[Message] = []

    async def send(_: Place, message: Message) -> int:
        if len(sent) == 1:
            raise errors.TelegramUnreachable("too many", after=timedelta(seconds=1))
        sent.append(message)
        return len(sent)

    house.inbox.send = send  # type: ignore[method-assign]
    await house.deliver()
    counts = await house.counts()
    assert counts["sent"] + counts["queued"] == 60
    assert counts["sent"] > 1
    sent.append(Message("the next part"))
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert await house.counts() == {"sent": 60}
    links = [link for message in sent for link in re.findall(r"example\.org/(\d+)", message.html)]
    assert sorted(links) == [f"{number:03}" for number in range(60)]


async def test_a_digest_holds_all_that_waits_for_its_chat(house: House) -> None:
    for number in range(30):
        for chat_id in (1, 2):
            await house.queue(str(number), chat_id, priority="low")
    await house.deliver()
    assert sorted(chat_id for chat_id, _ in house.inbox.got) == [1, 2]


async def test_only_the_topics_that_a_chat_still_wants_are_named(house: House) -> None:
    await house.queue("a")
    await house.store.write(
        lambda db: db.execute("UPDATE outbox SET topics = json_array('starlink', 'other')")
    )
    await house.deliver()
    ((_, message),) = house.inbox.got
    assert "other" not in message.html


async def test_what_a_chat_that_stopped_was_to_be_told_is_dropped(house: House) -> None:
    await house.queue("a")
    await house.store.write(partial(chats.set_status, chat_id=1, status="stopped"))
    await house.deliver()
    assert house.inbox.got == []
    assert await house.counts() == {"dropped": 1}


async def test_no_chat_text_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await house.queue("a")
    await house.deliver()
    assert "state=sent" in caplog.text
    assert "Starlink" not in caplog.text


async def test_a_topic_goes_by_the_name_that_it_has_now(house: House) -> None:
    await house.queue("a")
    renamed = {"starlink": topic("Starlink", id="starlink", name="Satellites")}
    courier = Courier(house.store, house.inbox, house.clock, lambda: renamed)
    await courier.round()
    ((_, message),) = house.inbox.got
    assert "Satellites" in message.html


async def test_a_stop_in_the_middle_of_a_batch_leaves_the_rest_for_the_next_start(house: House) -> None:
    for name in "abc":
        await house.queue(name)
    send = house.inbox.send

    async def send_and_stop(place: Place, message: Message) -> int:
        house.courier.stop()
        return await send(place, message)

    house.inbox.send = send_and_stop  # type: ignore[method-assign]
    await asyncio.wait_for(house.courier.run(), 5)
    assert house.inbox.titles == [(1, "a")]
    assert await house.counts() == {"sent": 1, "queued": 2}


async def test_a_disk_that_is_full_for_a_while_does_not_end_the_courier(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.delivery.REST", timedelta())
    write, refusals = house.store.write, [True, True]

    async def full(job: Callable[..., object]) -> object:
        if getattr(job, "func", None) is outbox.claim and refusals:
            refusals.pop()
            raise errors.StoreUnwritable("the disk is full")
        return await write(job)

    await house.queue("a")
    monkeypatch.setattr(house.store, "write", full)
    running = asyncio.create_task(house.courier.run())
    await asyncio.wait_for(house.inbox.arrived.wait(), 5)
    house.courier.stop()
    await asyncio.wait_for(running, 5)
    assert (house.inbox.titles, refusals) == ([(1, "a")], [])
