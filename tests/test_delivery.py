"""What is in the outbox arrives once, or its row says why it did not."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import AT_ONCE, NO_LIMITS, NOW, chat, item, source, topic
from fakes import FakeClock

from monitor import delivery, errors, render
from monitor.audience import Hearing
from monitor.config import Delivery as Rules
from monitor.delivery import Courier, silence
from monitor.delivery.silence import IN_FLIGHT, Silence
from monitor.markup import plain
from monitor.model import Alert, Evidence, Match, Message, Place, Priority, Staff, Topic
from monitor.store import (
    Database,
    Store,
    chats,
    claims,
    items,
    moves,
    notices,
    outbox,
    sources,
    stories,
    turns,
    watches,
)
from monitor.telegram_bot import Gate

TOPICS = {"starlink": topic("Starlink", id="starlink", name="Starlink")}
FOUND = Match("starlink", 100, (Evidence("title", 0, 8, "Starlink", "exact"),))


class Inbox:
    """A sender that keeps what it is given, unless a trouble is planned for the chat."""

    def __init__(self) -> None:
        self.got: list[tuple[int, Message]] = []
        self.edited: list[tuple[int, int, Message]] = []
        self.people: dict[int, list[int]] = {}  # who runs a group
        self.troubles: dict[int, list[Exception]] = {}
        self.heard_of: set[int] = set()  # while a refusal was on its way
        self.arrived = asyncio.Event()

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        if self.troubles.get(chat_id):
            raise self.troubles[chat_id].pop(0)
        self.edited.append((chat_id, message_id, message))

    async def staff(self, chat_id: int) -> Staff:
        return Staff(frozenset(self.people.get(chat_id, [])), posts=True)

    def is_gone(self, chat_id: int) -> bool:
        return chat_id not in self.heard_of

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
        self.rules = NO_LIMITS
        self.courier = self.another()

    def another(self, topics: dict[str, Topic] = TOPICS) -> Courier:
        return Courier(self.store, self.inbox, self.clock, lambda: topics, lambda: self.rules)

    async def queue(self, name: str, chat_id: int = 1, priority: Priority = "normal") -> None:
        one = item(f"Starlink {name}", url=f"https://example.org/{name}", key=f"{name} {chat_id}")

        def put(db: Database) -> None:
            sources.declare(db, [source()])
            if chats.get(db, chat_id) is None:
                chats.put(db, chat(chat_id), NOW)
                chats.subscribe(db, chat_id, ["starlink"], NOW)
            row = items.insert(db, one, [FOUND], NOW)
            story = stories.begin(db, one.title, NOW)
            stories.join(db, story, row, [])
            hearing = Hearing(Place(chat_id), ("starlink",), priority, self.clock.now(), priority == "low")
            outbox.put(db, hearing, story_id=story, item_id=row, now=NOW)

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
        await house.queue(name, priority=priority)
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
    await house.deliver()
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
        due = await house.store.read(turns.upcoming)
        assert due
        waits.append(round((due - house.clock.now()).total_seconds()))
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


async def test_a_refusal_that_was_on_its_way_when_the_chat_came_back_is_tried_again(house: House) -> None:
    send = house.inbox.send

    async def refuse(_place: Place, _message: Message) -> int:
        house.inbox.send = send  # type: ignore[method-assign]
        house.inbox.heard_of.add(1)
        raise errors.ChatGone("blocked")

    house.inbox.send = refuse  # type: ignore[method-assign]
    await house.queue("a")
    await house.deliver()
    assert house.inbox.titles == []
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert house.inbox.titles == [(1, "a")]


async def test_a_reply_counts_against_the_pace_of_its_chat(house: House) -> None:
    house.rules = Rules()
    for _ in range(2):
        await house.courier.replied(1)
    await house.queue("a")
    await house.deliver()
    assert house.inbox.titles == []
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert house.inbox.titles == [(1, "a")]


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
    assert "Starlink a (https://example.org/a)" in message.html
    assert not message.parsed
    assert "<" not in message.html
    assert await house.counts() == {"sent": 1}


async def test_a_mark_that_the_disk_refuses_is_written_later_and_the_message_not_sent_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.delivery.FIRST_WAIT", timedelta())
    write, refusals = house.store.write, [True, True]

    async def full(job: Callable[..., object]) -> object:
        if getattr(job, "func", None) is delivery._sent and refusals:
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
    await house.store.write(partial(claims.claim, now=NOW, terms=AT_ONCE))
    running = asyncio.create_task(house.courier.run())
    await asyncio.wait_for(house.inbox.arrived.wait(), 5)
    house.courier.stop()
    await asyncio.wait_for(running, 5)
    assert house.inbox.titles == [(1, "a")]


def test_everybody_rests_longer_each_time_that_telegram_gives_nobody_an_answer() -> None:
    telegram = Silence()

    def left_alone(chat: int) -> float:
        telegram.kept(chat)
        return telegram.rest().total_seconds()

    rests = [left_alone(chat) for chat in range(7 * (IN_FLIGHT + 1))]
    # As many as can be on their way at once are one broken moment.
    assert rests[IN_FLIGHT :: IN_FLIGHT + 1] == [1, 2, 4, 8, 16, 30, 30]
    assert sum(rests) == 1 + 2 + 4 + 8 + 16 + 30 + 30
    telegram.taken([1])
    assert [left_alone(chat) for chat in range(IN_FLIGHT + 1)] == [*[0] * IN_FLIGHT, 1]


async def test_all_is_sent_when_telegram_is_back(house: House) -> None:
    for chat_id in range(1, 6):
        house.inbox.troubles[chat_id] = [errors.TelegramUnreachable("no answer")] * 4
        await house.queue("a", chat_id)
    for _ in range(12):
        await house.deliver()
        house.clock.advance(timedelta(minutes=1))
    assert len(house.inbox.got) == 5


async def test_who_is_refused_shows_that_telegram_is_there_and_nobody_rests(house: House) -> None:
    for chat_id in range(1, IN_FLIGHT + 1):
        house.inbox.troubles[chat_id] = [errors.TelegramUnreachable("no answer")] * 2
        await house.queue("a", chat_id)
    house.inbox.troubles[9] = [errors.ChatShut("not now")]
    for _ in range(IN_FLIGHT):
        await house.courier.round()
    assert house.courier._silence.in_a_row == IN_FLIGHT
    await house.queue("a", 9)
    await house.courier.round()
    assert house.courier._silence.in_a_row == 0


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
    courier = house.another(renamed)
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
        if getattr(job, "func", None) is claims.claim and refusals:
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


# Whose turn it is, and at what pace.


def telegrams(**facts: int) -> Rules:
    return replace(Rules(), **facts)


async def test_a_flooded_chat_delays_no_other(house: House) -> None:
    for number in range(5):
        await house.queue(str(number), 1)
    await house.queue("a", 2)
    await house.queue("b", 3)
    await house.deliver()
    assert house.inbox.titles[:4] == [(1, "0"), (2, "a"), (3, "b"), (1, "1")]
    assert [title for chat_id, title in house.inbox.titles if chat_id == 1] == list("01234")


async def test_the_pace_is_kept_and_survives_a_restart(house: House) -> None:
    house.rules = telegrams()
    for number in range(4):
        await house.queue(str(number), 1)
    await house.deliver()
    assert len(house.inbox.got) == 2
    house.courier = house.another()
    await house.store.write(outbox.release)
    await house.deliver()
    assert len(house.inbox.got) == 2
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert len(house.inbox.got) == 3


async def test_a_flood_comes_as_one_list_and_what_is_urgent_by_itself_and_first(house: House) -> None:
    house.rules = telegrams(messages_per_second=1000)
    for number in range(30):
        await house.queue(f"{number:02}", 1)
    await house.queue("u", 1, "urgent")
    await house.deliver()
    urgent, flood = [message.html for _, message in house.inbox.got]
    assert urgent.count("example.org/") == 1
    assert "30 stories at once" in flood
    assert await house.counts() == {"sent": 31}


async def test_an_alert_that_is_alone_in_its_topic_is_no_list_where_other_topics_are_flooded(
    house: House,
) -> None:
    house.rules = telegrams()
    for number in range(9):
        await house.queue(f"{number}", -100)

    def spread(db: Database) -> None:
        db.execute("UPDATE outbox SET thread_id = iif(id = 1, 7, 8)")
        chats.subscribe(db, -100, ["starlink"], NOW, thread_id=7)
        chats.subscribe(db, -100, ["starlink"], NOW, thread_id=8)

    await house.store.write(spread)
    await house.deliver()
    alone, flood = [message for _, message in house.inbox.got]
    assert alone.buttons
    assert "8 stories at once" in flood.html


@pytest.mark.parametrize("error", [errors.MessageRefused, errors.TelegramUnreachable])
async def test_one_message_that_is_refused_takes_no_other_of_its_list_along(
    house: House, error: type[Exception]
) -> None:
    house.rules = telegrams(messages_per_second=1000)
    send = house.inbox.send

    async def choke(place: Place, message: Message) -> int:
        if "Starlink 17" in plain(message.html):
            raise error("refused")
        return await send(place, message)

    house.inbox.send = choke  # type: ignore[method-assign]
    for number in range(30):
        await house.queue(f"{number:02}", 1)
    for number in range(200):
        await house.queue(f"other {number}", 2)
        house.clock.advance(timedelta(seconds=20))
        await house.deliver()
    dead = "SELECT title FROM outbox JOIN items ON items.id = item_id WHERE state = 'dead'"
    assert await house.store.read(lambda db: db.execute(dead).fetchall()) == [("Starlink 17",)]
    got = [message.html for chat_id, message in house.inbox.got if chat_id == 1]
    assert sum(html.count("example.org/") for html in got) == 29


async def test_what_is_too_late_comes_as_one_message(house: House) -> None:
    for name in "abc":
        await house.queue(name, 1)
    house.clock.advance(timedelta(hours=23))
    await house.queue("d", 1)
    house.clock.advance(timedelta(hours=1))
    await house.deliver()
    late, fresh = [message.html for _, message in house.inbox.got]
    assert "3 stories came too late" in late
    assert [late.count(f"example.org/{name}") for name in "abcd"] == [1, 1, 1, 0]
    assert "example.org/d" in fresh


async def test_never_two_messages_are_on_their_way_to_one_chat(house: House) -> None:
    await house.queue("a", 1)
    await house.queue("b", 1)
    first = await house.store.write(partial(claims.claim, now=NOW, terms=AT_ONCE))
    second = await house.store.write(partial(claims.claim, now=NOW, terms=AT_ONCE))
    assert (len(first.bundle), second.bundle) == (1, ())


async def test_many_chats_are_served_side_by_side_where_telegram_takes_its_time(house: House) -> None:
    house.courier._took = 0.1
    under_way, four = set(), asyncio.Event()
    send = house.inbox.send

    async def slowly(place: Place, message: Message) -> int:
        under_way.add(place)
        if len(under_way) == 4:
            four.set()
        await asyncio.wait_for(four.wait(), 5)
        assert len(under_way) <= 4
        under_way.remove(place)
        return await send(place, message)

    house.inbox.send = slowly  # type: ignore[method-assign]
    for chat_id in range(1, 61):
        await house.queue("a", chat_id)
    running = asyncio.create_task(house.courier.run())
    while len(house.inbox.got) < 60:
        await house.inbox.arrived.wait()
        await asyncio.sleep(0.01)
    house.courier.stop()
    await asyncio.wait_for(running, 5)
    assert await house.counts() == {"sent": 60}


async def test_one_at_a_time_is_on_its_way_while_that_is_fast_enough(house: House) -> None:
    house.rules = telegrams()
    assert house.courier._width(backlog=100) == 1
    house.courier._took = 0.04
    assert house.courier._width(backlog=100) == 2
    assert house.courier._width(backlog=5) == 1


# Stories that grow.


async def grow(house: House, story_id: int = 1, *, official: bool = False) -> None:
    other = source(f"other{official}", name="The ministry" if official else "Other News", official=official)

    def job(db: Database) -> None:
        sources.declare(db, [source(), other])
        row = items.insert(db, item("Starlink", source_id=other.id, url="https://example.com/o"), [], NOW)
        assert stories.join(db, story_id, row, [])
        outbox.refresh(db, story_id, house.clock.now())

    await house.store.write(job)


async def test_a_story_that_grew_is_edited_once_with_all_that_is_new(house: House) -> None:
    await house.queue("a")
    await house.deliver()
    await grow(house)
    await grow(house, official=True)
    assert await house.counts() == {"changed": 1}
    await house.deliver()
    assert house.inbox.edited == []
    house.clock.advance(outbox.EDIT_AFTER)
    await house.deliver()
    ((_, message_id, message),) = house.inbox.edited
    assert message_id == 1
    assert "also reported by <a" in message.html
    assert "confirmed by an official source: <a" in message.html
    assert await house.counts() == {"sent": 1}


async def test_a_story_that_grows_while_its_message_is_on_its_way_is_edited_then(house: House) -> None:
    send = house.inbox.send

    async def send_and_grow(place: Place, message: Message) -> int:
        await grow(house)
        return await send(place, message)

    house.inbox.send = send_and_grow  # type: ignore[method-assign]
    await house.queue("a")
    await house.deliver()
    assert len(house.inbox.edited) == 1
    assert await house.counts() == {"sent": 1}


async def test_what_can_be_edited_no_more_is_sent_anew(house: House) -> None:
    await house.queue("a")
    await house.deliver()
    await grow(house)
    house.inbox.troubles[1] = [errors.MessageLost("message to edit not found")]
    house.clock.advance(outbox.EDIT_AFTER)
    await house.deliver()
    assert [("Other News" in message.html) for _, message in house.inbox.got] == [False, True]
    assert await house.counts() == {"sent": 1}


async def test_a_restart_forgets_no_edit(house: House) -> None:
    await house.queue("a")
    await house.deliver()
    await grow(house)
    house.clock.advance(outbox.EDIT_AFTER)
    assert (await house.store.write(partial(claims.claim, now=house.clock.now(), terms=AT_ONCE))).bundle
    await house.store.write(outbox.release)
    await house.deliver()
    assert len(house.inbox.edited) == 1


# What Telegram refuses.


async def test_only_when_a_second_chat_is_told_to_wait_do_all_wait(house: House) -> None:
    gate = Gate(house.clock, house.courier.asked_to_wait)
    await gate.refused(1, timedelta(seconds=30))
    gate.check(2)
    await gate.refused(2, timedelta(seconds=30))
    for chat_id in (1, 2, 3):
        await house.queue("a", chat_id)
        with pytest.raises(errors.TelegramUnreachable):
            gate.check(chat_id)
    await house.deliver()
    assert house.inbox.got == []
    assert set(await house.store.read(partial(turns.waits, now=house.clock.now()))) == {0, 1, 2}
    house.courier = house.another()  # and a restart changes nothing
    await house.store.write(outbox.release)
    house.clock.advance(timedelta(seconds=29))
    await house.deliver()
    assert house.inbox.got == []
    house.clock.advance(timedelta(seconds=1))
    await house.deliver()
    assert len(house.inbox.got) == 3


async def test_admins_are_told_of_an_absurd_wait(house: House) -> None:
    house.inbox.troubles[1] = [errors.TelegramUnreachable("too many", after=timedelta(days=30))]
    await house.queue("a")
    await house.deliver()
    (one,) = await house.store.read(notices.waiting)
    assert one.notice.phrase == "notice.absurd_wait"


async def test_a_chat_that_takes_nothing_is_tried_for_a_day_before_it_counts_as_gone(house: House) -> None:
    house.inbox.troubles[1] = [errors.ChatShut("can't send messages to the user")] * 100
    await house.queue("a")
    tries = 0
    while (await house.counts()).get("queued"):
        await house.deliver()
        tries += 1
        assert tries < 50
        due = await house.store.read(turns.upcoming)
        if due:
            house.clock.current = due
    assert house.clock.now() - NOW >= timedelta(days=1)
    assert tries > 20
    gone = await house.store.read(partial(chats.get, chat_id=1))
    assert gone is not None
    assert gone.status == "gone"


async def test_a_chat_that_takes_messages_again_within_the_day_loses_none(house: House) -> None:
    house.inbox.troubles[1] = [errors.ChatShut("can't send messages to the user")] * 3
    await house.queue("a")
    for _ in range(6):
        await house.deliver()
        house.clock.advance(timedelta(minutes=10))
    assert house.inbox.titles == [(1, "a")]
    assert await house.store.read(lambda db: db.execute("SELECT trouble FROM paces").fetchall()) == [
        (None,),
        (None,),
    ]


async def test_an_admin_of_a_chat_without_rights_is_told_once_and_privately(house: House) -> None:
    house.inbox.people[-100] = [66, 77]
    house.inbox.troubles[66] = [errors.ChatGone("the user never started the bot")]
    house.inbox.troubles[-100] = [errors.NoRights("not enough rights")] * 3
    await house.queue("a", -100)
    for _ in range(3):
        await house.deliver()
        house.clock.advance(timedelta(hours=1))
    assert [chat_id for chat_id, _ in house.inbox.got] == [77]
    await house.deliver()
    assert [chat_id for chat_id, _ in house.inbox.got] == [77, -100]


async def test_the_bots_admins_are_told_where_no_admin_of_the_chat_can_be(house: House) -> None:
    house.inbox.troubles[-100] = [errors.NoRights("not enough rights")]
    await house.queue("a", -100)
    await house.deliver()
    (one,) = await house.store.read(notices.waiting)
    assert one.notice.phrase == "notice.no_rights"


async def test_a_group_that_became_a_supergroup_is_followed_with_all_that_is_its(house: House) -> None:
    house.inbox.troubles[-5] = [errors.ChatMoved("moved", -1005)]
    await house.queue("a", -5)
    await house.queue("b", -5)
    await house.store.write(partial(watches.add, place=Place(-5), query="drone", now=NOW))
    await house.deliver()
    assert house.inbox.titles == [(-1005, "a"), (-1005, "b")]
    assert await house.store.read(partial(chats.get, chat_id=-5)) is None
    assert await house.store.read(partial(chats.topics, chat_id=-1005)) == {"starlink", "watch:1"}
    (watch,) = await house.store.read(partial(watches.of, chat_id=-1005))
    assert watch.query == "drone"


async def test_a_group_that_left_for_a_supergroup_hears_there(house: House) -> None:
    """Telegram may say that the bot is no member of the old group before it says where the new one is."""
    await house.queue("a", -5)
    await house.store.write(partial(chats.set_status, chat_id=-5, status="gone"))
    await house.store.write(partial(moves.to_supergroup, old_id=-5, new_id=-1005))
    await house.deliver()
    assert house.inbox.titles == [(-1005, "a")]


@pytest.mark.parametrize("on_its_way", [False, True])
async def test_what_a_group_was_told_before_it_moved_is_neither_edited_nor_told_again(
    house: House, *, on_its_way: bool
) -> None:
    """Its messages stay in the old group, and their ids may be those of others in the new one."""
    await house.queue("a", -5)
    await house.deliver()
    if on_its_way:
        house.inbox.troubles[-5] = [errors.ChatMoved("moved", -1005)]
    else:
        await house.store.write(partial(moves.to_supergroup, old_id=-5, new_id=-1005))
    await house.store.write(partial(outbox.refresh, story_id=1, now=house.clock.now()))
    house.clock.advance(timedelta(seconds=5))
    await house.deliver()
    await house.queue("b", -1005)
    await house.deliver()
    assert house.inbox.edited == []
    assert house.inbox.titles == [(-5, "a"), (-1005, "b")]


async def test_what_arrives_in_a_group_while_it_moves_is_neither_edited_nor_told_again(house: House) -> None:
    send = house.inbox.send

    async def slowly(place: Place, message: Message) -> int:
        message_id = await send(place, message)
        await house.store.write(partial(moves.to_supergroup, old_id=-5, new_id=-1005))
        return message_id

    house.inbox.send = slowly  # type: ignore[method-assign]
    await house.queue("a", -5)
    await house.deliver()
    await house.store.write(partial(outbox.refresh, story_id=1, now=house.clock.now()))
    house.clock.advance(timedelta(seconds=5))
    await house.deliver()
    assert house.inbox.edited == []
    assert house.inbox.titles == [(-5, "a")]


async def test_a_group_that_is_said_to_have_moved_to_itself_is_tried_again(house: House) -> None:
    house.inbox.troubles[-5] = [errors.ChatMoved("moved", -5)]
    await house.queue("a", -5)
    await house.deliver()
    house.clock.advance(timedelta(minutes=1))
    await house.deliver()
    assert house.inbox.titles == [(-5, "a")]


@pytest.mark.parametrize(("error", "thread"), [(errors.TopicClosed, 7), (errors.TopicGone, 0)])
async def test_what_a_topic_of_a_forum_does_not_take_goes_to_the_forum(
    house: House, error: type[Exception], thread: int
) -> None:
    await house.queue("a", -100)
    await house.store.write(lambda db: db.execute("UPDATE outbox SET thread_id = 7"))
    await house.store.write(lambda db: db.execute("UPDATE subscriptions SET thread_id = 7"))
    house.inbox.troubles[-100] = [error("no topic")]
    await house.deliver()
    assert house.inbox.titles == [(-100, "a")]
    heard = await house.store.read(partial(chats.topics, chat_id=-100, thread_id=thread))
    assert heard == {"starlink"}


async def test_a_message_that_alone_gets_no_answer_is_given_up_and_the_rest_of_its_chat_goes_on(
    house: House,
) -> None:
    send, poison = house.inbox.send, "example.org/x"

    async def choke(place: Place, message: Message) -> int:
        if poison in message.html:
            raise errors.TelegramUnreachable("Telegram answers 500")
        return await send(place, message)

    house.inbox.send = choke  # type: ignore[method-assign]
    await house.queue("x", 1)
    for number in range(30):
        await house.queue(f"{number:02}", 1)
        await house.deliver()
        house.clock.advance(timedelta(seconds=20))
    assert len(house.inbox.got) == 30
    assert await house.counts() == {"sent": 30, "dead": 1}


async def test_of_what_got_no_answer_and_is_never_sent_little_is_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "MOST_SUSPECTS", 3)
    for chat_id in range(1, 10):
        house.inbox.troubles[chat_id] = [errors.TelegramUnreachable("Telegram answers 500")]
        await house.queue("a", chat_id)
    await house.deliver()
    assert len(house.courier._silence._suspects) == 3


async def test_a_bug_in_the_sender_costs_one_message_and_not_the_service(house: House) -> None:
    house.inbox.troubles[1] = [ValueError("a bug")]
    await house.queue("a", 1)
    await house.queue("b", 1)
    await house.deliver()
    assert house.inbox.titles == [(1, "b")]
    assert await house.error() == "a bug: ValueError"


async def test_chats_that_rest_let_nobody_else_wait(house: House) -> None:
    for chat_id in (1, 2):
        house.inbox.troubles[chat_id] = [errors.ChatResting("wait", after=timedelta(hours=1))]
    for chat_id in (1, 2, 3):
        await house.queue("a", chat_id)
    await house.deliver()
    assert house.inbox.titles == [(3, "a")]
    house.clock.advance(timedelta(hours=1))
    await house.deliver()
    assert house.inbox.titles == [(3, "a"), (1, "a"), (2, "a")]


async def test_admins_are_told_of_what_is_given_up_once_for_all_of_it_and_of_more_once_an_hour(
    house: House,
) -> None:
    async def refuse(*names: str) -> None:
        house.inbox.troubles[1] = [errors.MessageRefused("an unknown fault")] * 2 * len(names)
        for name in names:
            await house.queue(name)
            await house.deliver()

    async def told() -> list[dict[str, object]]:
        """Tell one admin, while the other cannot be reached, and return of how much."""
        waiting = await house.store.read(partial(notices.waiting, until=house.clock.now()))
        due = [one for one in waiting if not one.told]
        await house.store.write(partial(notices.told, these=due, admin=9))
        return [dict(one.notice.facts) for one in due]

    await refuse("a")
    assert await told() == []  # more may follow
    house.clock.advance(notices.GATHER)
    assert await told() == [{"count": 1}]
    await refuse("d", "e")
    house.clock.advance(notices.AGAIN - timedelta(seconds=1))
    await refuse("f")
    assert await told() == []
    house.clock.advance(timedelta(seconds=1))
    assert await told() == [{"count": 3}]
    house.clock.advance(notices.AGAIN * 2)
    await refuse("g", "h")
    house.clock.advance(notices.GATHER)
    assert await told() == [{"count": 2}]


async def test_a_row_that_cannot_be_read_is_dead_and_the_rest_goes_on(house: House) -> None:
    for name in "ab":
        await house.queue(name)
    await house.store.write(lambda db: db.execute("UPDATE matches SET evidence = '{' WHERE item_id = 1"))
    await house.deliver()
    await house.deliver()  # the first look found nothing to send, and the courier looks again
    assert house.inbox.titles == [(1, "b")]
    assert await house.counts() == {"dead": 1, "sent": 1}
    assert await house.error() == "a bug: JSONDecodeError"
    (one,) = await house.store.read(notices.waiting)
    assert one.notice.phrase == "notice.undelivered"


async def test_a_hundred_thousand_rows_that_wait_do_not_slow_a_claim_down(house: House) -> None:
    await house.queue("a", 1)

    def flood(db: Database) -> None:
        db.execute("INSERT INTO stories (headline, begun) SELECT 's', begun FROM stories")
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 1010)"
            " INSERT INTO chats (id, title, status, language, timezone, since)"
            " SELECT i, 'c', 'active', 'en', 'UTC', since FROM n, chats WHERE id = 1"
        )
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
            " INSERT INTO outbox (chat_id, story_id, item_id, topics, priority, due, created, thread_id)"
            " SELECT chats.id, 1, 1, '[\"starlink\"]', 'normal', due, created, i FROM outbox, n, chats"
            " WHERE chats.id >= 10"
        )
        db.execute(
            "INSERT INTO subscriptions (chat_id, topic_id, thread_id, since)"
            " SELECT chat_id, 'starlink', thread_id, created FROM outbox WHERE chat_id >= 10"
        )
        turns.rebuild(db)

    await house.store.write(flood)
    took = []
    for _ in range(50):
        started = time.perf_counter()
        claim = await house.store.write(partial(claims.claim, now=house.clock.now(), terms=AT_ONCE))
        took.append(time.perf_counter() - started)
        assert claim.bundle
    assert sorted(took)[25] < 0.02


@pytest.mark.parametrize("paid", [True, False])
async def test_telegrams_fee_is_paid_where_the_config_says_so(house: House, paid: object) -> None:
    house.rules = replace(NO_LIMITS, paid_broadcast=bool(paid))
    await house.queue("a")
    await house.deliver()
    assert [message.paid for _, message in house.inbox.got] == [paid]
