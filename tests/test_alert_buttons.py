"""The buttons below an alert do what they say: after a restart, a month later, and for those who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, chat, item, source
from fakes import BotApi
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram_html import parse, utf16_length
from telegram_pace import Pace
from test_commands import ADMIN, GROUP_ADMIN
from test_telegram_bot import ANNA, CHOICE, running
from test_when import House

from monitor import buttons
from monitor.audience import Hearing
from monitor.commands import alerts
from monitor.markup import plain
from monitor.model import Match, Message, Place, Reply, Request
from monitor.phrases import LANGUAGES
from monitor.store import Database, Store, chats, feedback, items, outbox, stories
from monitor.store.items import Found
from monitor.telegram_bot import replies

LENGTHY = "First sentence here. " + "The second one tells what happened in the city at night. " * 200


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    house = House(store)
    await house.says("/subscribe all")
    yield house
    await house.store.close()


async def alerted(house: House, *topic_ids: str, chat_id: int = 1, name: str = "a") -> Message:
    """Let a story be told, and return its message."""
    await house.find(name, *(topic_ids or ("starlink",)))
    while await house.courier.round():
        pass
    message = next(message for to, message in house.inbox.got if to == chat_id)
    house.inbox.got = []
    return message


async def press(house: House, message: Message, label: str, chat_id: int = 1, **facts: Any) -> Reply:
    (button,) = [one for row in message.buttons for one in row if label in one.label]
    usual = {"user_id": chat_id, "message_id": 77, "pressed": True}
    reply = await house.hears(button.command, chat_id, **{**usual, **facts})
    assert reply
    assert reply.message is None  # the alert stays
    return reply


async def test_more_answers_with_the_whole_text_and_everybody_who_reported_it(house: House) -> None:
    message = await alerted(house)

    def another(db: Database) -> None:
        row = items.insert(
            db, item("Another report", key="b", url="https://example.org/b"), [], house.clock.now()
        )
        stories.join(db, 1, row, [])
        db.execute("UPDATE items SET text = ? WHERE id = 1", ["First <b>.\n\nSecond."])

    await house.store.write(another)
    reply = await press(house, message, "More")
    (shown,) = reply.more
    assert shown.reply_to == 77
    text = plain(shown.html)
    assert text.startswith("a\n\nFirst <b>.\n\nSecond.\n\n2 reports\n")
    assert "Another report — Example News" in text


async def test_a_long_text_comes_whole_in_several_messages(house: House) -> None:
    message = await alerted(house)
    await house.store.write(lambda db: db.execute("UPDATE items SET text = ?", [LENGTHY]))
    reply = await press(house, message, "More")
    texts = [plain(part.html) for part in reply.more]
    assert len(texts) > 2
    assert all(text.rstrip().endswith(".") for text in texts[:-1])
    assert "".join("".join(texts).split()).count("Thesecondone") == 200
    assert [part.reply_to for part in reply.more][1:] == [None] * (len(texts) - 1)


async def test_a_text_without_end_ends_with_where_the_rest_is(house: House) -> None:
    message = await alerted(house)
    await house.store.write(lambda db: db.execute("UPDATE items SET text = ?", ["word " * 20_000]))
    reply = await press(house, message, "More")
    assert len(reply.more) <= alerts.MOST_MESSAGES + 1
    assert "The rest is at the source" in reply.more[-1].html


async def test_what_is_not_relevant_is_counted_once_a_chat_by_topic_and_keyword(house: House) -> None:
    await house.says("/subscribe all", 2)
    message = await alerted(house, "starlink", "raid")
    for chat_id in (1, 1, 2):
        reply = await press(house, message, "Not relevant", chat_id)
    assert reply.notice == "Thank you, noted for: x. The operator sees it."
    assert await house.store.read(feedback.blame) == {"raid": {"x": 2}, "starlink": {"x": 2}}
    assert "Starlink: not relevant 2× (x 2)" in await house.says("/status")
    assert "Starlink: not relevant 2× (x 2)" in await house.says("/status", ADMIN)
    await house.says("/unsubscribe starlink")
    assert "Starlink: not relevant" not in await house.says("/status")


async def test_what_was_said_is_forgotten_with_the_rest(house: House) -> None:
    message = await alerted(house)
    await press(house, message, "Not relevant")
    later = house.clock.now() + timedelta(seconds=1)
    assert await house.store.write(partial(feedback.forget, before=later)) == 1
    assert await house.store.read(feedback.blame) == {}


@pytest.mark.parametrize(("label", "length"), [("1 h", {"hours": 1}), ("1 day", {"days": 1})])
async def test_the_topics_of_an_alert_are_muted_for_a_while(
    house: House, label: str, length: dict[str, int]
) -> None:
    message = await alerted(house, "starlink", "raid")
    reply = await press(house, message, label)
    assert reply.notice.startswith("I say nothing on Starlink, Air raid until")
    await house.find("b", "raid")
    assert await house.arrived() == []
    assert await house.later(**length) == [["b"]]


async def test_a_press_on_a_topic_that_the_chat_left_says_so(house: House) -> None:
    message = await alerted(house)
    await house.says("/unsubscribe starlink")
    assert "any more" in (await press(house, message, "1 h")).notice


async def test_who_has_enough_of_a_story_hears_no_more_of_it(house: House) -> None:
    message = await alerted(house)
    assert "no more of this story" in (await press(house, message, "This story")).notice

    def again(db: Database) -> bool:
        db.execute("UPDATE outbox SET state = 'dropped'")
        hearing = Hearing(Place(1), ("raid",), "urgent", house.clock.now())
        return outbox.put(db, hearing, story_id=1, item_id=1, now=house.clock.now())

    assert await house.store.write(partial(outbox.refresh, story_id=1, now=house.clock.now())) == 0
    assert not await house.store.write(again)


async def test_an_edit_that_waits_when_somebody_has_enough_is_not_made(house: House) -> None:
    message = await alerted(house)
    assert await house.store.write(partial(outbox.refresh, story_id=1, now=house.clock.now())) == 1
    await press(house, message, "This story")
    assert await house.later(minutes=1) == []
    assert house.inbox.edited == []


async def test_an_edited_alert_keeps_its_buttons(house: House) -> None:
    message = await alerted(house)
    await house.store.write(partial(outbox.refresh, story_id=1, now=house.clock.now()))
    await house.later(minutes=1)
    ((_, _, edited),) = house.inbox.edited
    assert edited.buttons == message.buttons


async def test_the_buttons_work_after_a_restart_and_a_month_later(house: House, tmp_path: Path) -> None:
    message = await alerted(house)
    await house.store.close()
    store = Store.open(tmp_path / "monitor.db")
    fresh = House(store)
    fresh.clock.current = house.clock.current + timedelta(days=31)
    house.store = store
    for label in ("More", "Not relevant", "This story", "1 h"):
        reply = await press(fresh, message, label)
        assert reply.more or reply.notice
        assert "any more: I keep" not in reply.notice


async def test_an_old_message_of_a_forum_is_known_though_its_topic_is_not_said(house: House) -> None:
    for thread in (8, 9):
        facts = {"private": False, "user_id": GROUP_ADMIN, "thread_id": thread}
        await house.says("/subscribe starlink", -5, **facts)
    message = await alerted(house, chat_id=-5)
    rows = await house.store.read(
        lambda db: db.execute("SELECT thread_id, message_id FROM outbox WHERE chat_id = -5").fetchall()
    )
    for thread, message_id in rows:  # a press below it comes as one in the forum itself
        old: dict[str, Any] = {"private": False, "user_id": GROUP_ADMIN, "message_id": message_id}
        assert (await press(house, message, "More", -5, **old)).place == Place(-5, thread)
        await press(house, message, "1 h", -5, **old)
        wanted = await house.store.read(partial(chats.subscriptions, place=Place(-5, thread)))
        assert wanted["starlink"].muted
    assert [thread for thread, _ in rows] == [8, 9]


async def test_a_story_that_is_forgotten_is_a_clear_sentence(house: House) -> None:
    message = await alerted(house)
    await house.store.write(lambda db: db.execute("DELETE FROM outbox"))
    for label in ("More", "Not relevant", "This story", "1 h", "1 day"):
        assert "I keep stories for 3 months" in (await press(house, message, label)).notice


async def test_a_chat_sees_and_settles_only_what_it_was_told(house: House) -> None:
    message = await alerted(house)
    await house.says("/start", 99)
    assert "I do not have this story" in (await press(house, message, "More", 99)).notice


async def test_in_a_group_everybody_may_read_and_its_admins_mute(house: House) -> None:
    await house.says("/subscribe starlink", -5, private=False, user_id=GROUP_ADMIN)
    message = await alerted(house, chat_id=-5)
    anybody: dict[str, Any] = {"chat_id": -5, "private": False, "user_id": ANNA}
    assert (await press(house, message, "More", **anybody)).more
    assert "a few minutes ago" in (await press(house, message, "More", **anybody)).notice
    house.clock.advance(timedelta(minutes=10))
    assert (await press(house, message, "More", **anybody)).more
    assert "noted" in (await press(house, message, "Not relevant", **anybody)).notice
    for label in ("This story", "1 h", "1 day"):
        assert "Only admins" in (await press(house, message, label, **anybody)).notice
    by_admin = await press(house, message, "1 h", **{**anybody, "user_id": GROUP_ADMIN})
    assert "I say nothing on Starlink" in by_admin.notice


async def test_a_press_by_somebody_who_stopped_the_bot_leaves_the_alert_as_it_is(house: House) -> None:
    message = await alerted(house)
    await house.says("/stop")
    assert "/start" in (await press(house, message, "More")).notice


@pytest.mark.parametrize("command", ["/more", "/enough", "/hush", "/irrelevant"])
async def test_a_command_of_a_button_that_is_typed_is_answered_too(house: House, command: str) -> None:
    assert "below an alert" in await house.says(command)
    for said in ("x", "1 2h", "9" * 30, "١"):
        assert "I do not have this story" in await house.says(f"{command} {said}")


def test_an_alert_in_a_channel_and_a_list_have_no_buttons() -> None:
    assert buttons.below(1, chat(kind="channel")) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_button_says_fits_into_what_telegram_takes(language: str) -> None:
    rows = buttons.below(2**53, chat(language=language))
    assert all(len(button.command.encode()) <= 64 and button.label for row in rows for button in row)


@settings(deadline=None, max_examples=25)
@given(
    title=st.text(max_size=80),
    text=st.lists(
        st.text(max_size=60) | st.sampled_from(["👩‍🚒" * 400, "🇺🇦" * 500, "שלום. ", "</b>&", "A. " * 500])
    ).map("\n".join),
)
def test_telegram_takes_any_text_whole(title: str, text: str) -> None:
    one = Found(item(title or "t", text), source(), (Match("a", 1, ()),), NOW)
    for message in alerts.whole(feedback.Told(Place(1), 1, 1, ("a",)), {1: one}, chat(), NOW):
        shown, _ = parse(message.html)
        assert 0 < utf16_length(shown) <= 4096
        assert not shown.startswith("\u200d")


@pytest.mark.parametrize("old", [False, True])
async def test_an_answer_to_an_alert_replies_to_it_and_the_alert_stays(api: BotApi, *, old: bool) -> None:
    async def answer(request: Request) -> Reply:
        if not request.pressed:
            return Reply(CHOICE)
        return Reply(None, more=(Message("whole", reply_to=request.message_id), Message("rest")))

    async with running(api, answer):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
        api.presses(ANNA, "Starlink", old=old)
        await api.wait_for(3)
    alert, whole, rest = api.sent
    assert (whole.reply_to, rest.reply_to) == (alert.message_id, None)
    assert api.edits == []
    assert api.notices == [""]


async def test_a_long_answer_keeps_to_the_pace_that_telegram_allows(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "BETWEEN", 0.05)
    api.pace = Pace(scale=20)

    async def answer(_: Request) -> Reply:
        return Reply(None, more=tuple(Message(f"part {number}") for number in range(8)))

    async with running(api, answer):
        api.user_says(ANNA, "/more 1")
        await api.wait_for(8)
    assert {call.code for call in api.calls if call.method == "sendmessage"} == {200}


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as served:
        yield served
