"""The bot's account at Telegram: real python-telegram-bot against a Bot API on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from fakes import TOKEN, BotApi, FakeClock
from httpx import Timeout
from telegram import Update

import monitor.telegram_bot as room
from monitor.errors import (
    ChatGone,
    ChatMoved,
    ChatResting,
    ChatShut,
    MessageLost,
    MessageRefused,
    NoRights,
    TelegramUnreachable,
    TokenRefused,
    TopicClosed,
    TopicGone,
)
from monitor.model import Button, Membership, Message, Place, Reply, Request
from monitor.telegram_bot import TelegramBot, replies
from monitor.telegram_bot.requests import request_of

ANNA = 7
BORYS = 8
GROUP = -100500
MENUS = {"": [("start", "Begin")], "uk": [("start", "Почати")]}
CHOICE = Message("Choose", buttons=((Button("Starlink", command="/topics starlink"),),))


async def echo(request: Request) -> Reply:
    return Reply(Message(f"you said {request.text}"))


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as served:
        yield served


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BACKOFF", (0.02,) * 100)
    monkeypatch.setattr(replies, "REPLY_WAITS", (0.02, 0.02))


def bot_at(
    api: BotApi, handle: Callable[[Request], Awaitable[Reply | None]] = echo, **facts: Any
) -> TelegramBot:
    return TelegramBot(TOKEN, api_url=api.url, handle=handle, menus=MENUS, **facts)


@asynccontextmanager
async def running(
    api: BotApi, handle: Callable[[Request], Awaitable[Reply | None]] = echo, **facts: Any
) -> AsyncIterator[TelegramBot]:
    async with bot_at(api, handle, **facts) as bot:
        task = asyncio.create_task(bot.run())
        try:
            yield bot
        finally:
            await bot.stop()
            await task


@asynccontextmanager
async def only_sending(api: BotApi) -> AsyncIterator[TelegramBot]:
    api.known(ANNA)
    async with bot_at(api) as bot:
        yield bot


# What comes in.


async def test_a_command_is_answered_in_its_chat(api: BotApi) -> None:
    async with running(api):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["you said /start"]


async def test_a_request_says_who_asks_what_and_where(api: BotApi) -> None:
    asked: list[Request] = []

    async def note(request: Request) -> None:
        asked.append(request)

    async with running(api, note):
        api.user_says(ANNA, "hello", language="uk", title="Anna's desk")
        api.user_says(GROUP, "/topics@Monitor_Test_Bot now", user_id=BORYS, title="Night shift")
        await api.wait_for(lambda: len(asked) == 2)
    assert asked == [
        Request(ANNA, "Anna's desk", ANNA, "hello", language="uk", user_name="User 7"),
        Request(GROUP, "Night shift", BORYS, "/topics now", private=False, user_name="User 8"),
    ]


async def test_in_a_group_only_what_is_meant_for_the_bot_counts(api: BotApi) -> None:
    async with running(api):
        api.user_says(GROUP, "good morning", user_id=ANNA)
        api.user_says(GROUP, "/start@SomeOtherBot", user_id=ANNA)
        api.user_says(GROUP, "/help", user_id=ANNA)
        await api.wait_for(1)
    assert api.texts(GROUP) == ["you said /help"]


async def test_an_at_sign_in_an_argument_addresses_nobody() -> None:
    def text_of(text: str) -> str | None:
        chat = {"id": ANNA, "type": "private", "first_name": "A"}
        user = {"id": ANNA, "is_bot": False, "first_name": "A"}
        message = {"message_id": 1, "date": 0, "chat": chat, "from": user, "text": text}
        request = request_of(Update.de_json({"update_id": 1, "message": message}), "Bot")
        return request.text if request else None

    assert text_of("/add @channel") == "/add @channel"
    assert text_of("me@example.org") == "me@example.org"
    assert text_of("/help@bot") == "/help"


async def test_a_photo_without_text_is_no_request(api: BotApi) -> None:
    async with running(api):
        chat = api.known(ANNA).as_json()
        user = {"id": ANNA, "is_bot": False, "first_name": "A"}
        api.update("message", {"message_id": 1, "date": 0, "chat": chat, "from": user, "photo": []})
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["you said /start"]


async def test_an_update_that_cannot_be_read_does_not_hide_the_next(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(api):
        api.update("message", {"nonsense": "a secret text"})
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert "not understood" in caplog.text
    assert "a secret text" not in caplog.text


async def test_updates_of_one_chat_are_handled_in_order_and_those_of_others_meanwhile(api: BotApi) -> None:
    slow = asyncio.Event()
    done: list[str] = []

    async def handle(request: Request) -> None:
        if request.text == "/slow":
            await slow.wait()
        done.append(request.text)

    async with running(api, handle):
        api.user_says(ANNA, "/slow")
        api.user_says(ANNA, "/after")
        api.user_says(BORYS, "/other")
        await api.wait_for(lambda: done)
        assert done == ["/other"]
        slow.set()
        await api.wait_for(lambda: len(done) == 3)
    assert done == ["/other", "/slow", "/after"]


async def test_a_slow_command_does_not_keep_later_updates_out(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "HANDLING_SECONDS", 0.05)
    slow = asyncio.Event()
    done: list[str] = []

    async def handle(request: Request) -> None:
        if request.text == "/slow":
            await slow.wait()
        done.append(request.text)

    async with running(api, handle):
        api.user_says(ANNA, "/slow")
        await api.wait_for(lambda: not api.updates)
        api.user_says(BORYS, "/quick")
        await api.wait_for(lambda: done)
        assert done == ["/quick"]
        slow.set()
        await api.wait_for(lambda: done == ["/quick", "/slow"])


# Buttons.


async def press(api: BotApi, reply: Reply, *, before: Callable[[], None] = lambda: None) -> list[Request]:
    """Let Anna press the button of `CHOICE` and the app answer with `reply`; return what it was asked."""
    asked: list[Request] = []

    async def handle(request: Request) -> Reply:
        asked.append(request)
        return reply if request.pressed else Reply(CHOICE)

    async with running(api, handle):
        api.user_says(ANNA, "/topics")
        await api.wait_for(1)
        before()
        api.presses(ANNA, "Starlink")
        await api.wait_for(lambda: len(asked) == 2)
    return asked


async def test_a_pressed_button_is_a_request_and_its_reply_replaces_the_message(api: BotApi) -> None:
    asked = await press(api, Reply(Message("Subscribed"), notice="You will hear of Starlink"))
    assert asked[1] == Request(
        ANNA,
        f"Chat {ANNA}",
        ANNA,
        "/topics starlink",
        pressed=True,
        user_name="User 7",
        message_id=api.sent[0].message_id,
    )
    assert api.texts(ANNA) == ["Subscribed"]
    assert api.notices == ["You will hear of Starlink"]


async def test_a_message_that_cannot_be_edited_is_sent_anew(api: BotApi) -> None:
    await press(api, Reply(Message("Subscribed")), before=lambda: api.uneditable.update(api.messages))
    assert api.texts(ANNA) == ["Choose", "Subscribed"]


async def test_a_press_that_changes_nothing_sends_nothing(api: BotApi) -> None:
    await press(api, Reply(CHOICE, notice="As it was"))
    assert len(api.sent) == 1
    assert api.notices == ["As it was"]


async def test_a_press_too_old_to_be_answered_still_does_its_work(api: BotApi) -> None:
    api.inject(400, method="answerCallbackQuery", description="query is too old")
    await press(api, Reply(Message("Subscribed")))
    assert api.texts(ANNA) == ["Subscribed"]


async def test_a_long_notice_is_cut_to_what_telegram_takes(api: BotApi) -> None:
    await press(api, Reply(None, notice="x" * 300))
    assert api.notices == ["x" * 200]


# What goes wrong in a command.


async def test_an_error_is_answered_with_its_sentence_escaped(api: BotApi) -> None:
    async def handle(_: Request) -> Reply:
        raise MessageRefused("a < b & c")

    async with running(api, handle):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["a < b & c"]


async def test_an_error_on_a_press_is_a_notice_and_keeps_the_buttons(api: BotApi) -> None:
    async def handle(request: Request) -> Reply:
        if request.pressed:
            raise MessageRefused("no such topic")
        return Reply(CHOICE)

    async with running(api, handle):
        api.user_says(ANNA, "/topics")
        await api.wait_for(1)
        api.presses(ANNA, "Starlink")
        await api.wait_for(lambda: api.notices)
    assert api.notices == ["no such topic"]
    assert api.labels(ANNA) == ["Starlink"]


async def test_a_bug_is_logged_with_its_place_but_without_the_chats_text(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(request: Request) -> Reply:
        return Reply(Message(str(int(request.text))))

    async with running(api, handle):
        api.user_says(ANNA, "a secret text", language="uk")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["Щось пішло не так; оператор побачить це в журналі."]
    assert "ValueError" in caplog.text
    assert "test_telegram_bot.py" in caplog.text
    assert "a secret text" not in caplog.text


async def test_others_are_told_and_one_who_is_gone_spoils_nothing(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.known(BORYS)

    async def handle(_: Request) -> Reply:
        return Reply(Message("asked"), others=((404, Message("a secret text")), (BORYS, Message("approve?"))))

    async with running(api, handle):
        api.user_says(ANNA, "/start")
        await api.wait_for(2)
    assert api.texts(ANNA) == ["asked"]
    assert api.texts(BORYS) == ["approve?"]
    assert "chat=404 error=ChatGone" in caplog.text
    assert "a secret text" not in caplog.text


async def test_a_reply_is_tried_again_when_its_answer_is_lost(api: BotApi) -> None:
    async with running(api):
        api.inject("drop", method="sendMessage")
        api.inject(500, method="sendMessage")
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["you said /start"]


async def test_the_app_hears_when_a_chat_blocks_the_bot_and_lets_it_in_again(api: BotApi) -> None:
    heard: list[Membership] = []

    async def note(change: Membership) -> None:
        heard.append(change)

    async with running(api, on_membership=note) as bot:
        await api.wait_for(lambda: bot.connected)
        api.block(ANNA)
        api.unblock(ANNA)
        await api.wait_for(lambda: len(heard) == 2)
    assert [(one.chat_id, one.before, one.now) for one in heard] == [
        (ANNA, "member", "out"),
        (ANNA, "out", "member"),
    ]


async def test_a_bug_in_one_update_does_not_stop_the_next(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    words = "a secret text"

    async def note(*_: object) -> None:
        int(words)

    async with running(api, on_membership=note):
        api.block(ANNA)
        api.unblock(ANNA)
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert "telegram update failed error=ValueError" in caplog.text
    assert words not in caplog.text


# What goes out.


async def test_a_message_arrives_as_it_was_meant(api: BotApi) -> None:
    message = Message(
        '<b>Starlink</b> &amp; <a href="http://127.0.0.1/post">more</a>',
        buttons=(
            (Button("Mute", command="/mute 2h"),),
            (Button("Source", url="https://example.org/"), Button("Help", command="/help")),
        ),
        silent=True,
        preview="https://example.org/post",
    )
    async with only_sending(api) as bot:
        message_id = await bot.send(Place(ANNA), message)
    [sent] = api.sent
    assert (sent.message_id, sent.text) == (message_id, "Starlink & more")
    assert [(e.kind, e.offset, e.length) for e in sent.entities] == [("bold", 0, 8), ("text_link", 11, 4)]
    assert [[(b.label, b.data, b.url) for b in row] for row in sent.buttons] == [
        [("Mute", "/mute 2h", None)],
        [("Source", None, "https://example.org/"), ("Help", "/help", None)],
    ]
    assert sent.silent
    assert sent.preview == "https://example.org/post"


async def test_plain_text_is_shown_letter_by_letter(api: BotApi) -> None:
    async with only_sending(api) as bot:
        await bot.send(Place(ANNA), Message("a < b &amp; <b>c</b>", parsed=False))
    (message,) = api.sent
    assert (message.text, message.entities) == ("a < b &amp; <b>c</b>", ())


async def test_a_message_without_preview_shows_none_and_rings(api: BotApi) -> None:
    async with only_sending(api) as bot:
        await bot.send(Place(ANNA), Message("https://example.org/"))
    assert api.sent[0].preview is None
    assert not api.sent[0].silent


async def test_an_edit_replaces_text_and_buttons_and_may_change_nothing(api: BotApi) -> None:
    async with only_sending(api) as bot:
        message_id = await bot.send(Place(ANNA), CHOICE)
        await bot.edit(ANNA, message_id, Message("Chosen"))
        await bot.edit(ANNA, message_id, Message("Chosen"))
        with pytest.raises(MessageRefused, match="not found"):
            await bot.edit(ANNA, message_id + 1, Message("Chosen"))
    assert api.texts(ANNA) == ["Chosen"]
    assert api.labels(ANNA) == []


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (403, "bot was blocked by the user", ChatGone),
        (403, "user is deactivated", ChatGone),
        (403, "bot was kicked from the supergroup chat", ChatGone),
        (403, "bot is not a member of the channel chat", ChatGone),
        (403, "the group chat was deleted", ChatGone),
        (403, "bot can't initiate conversation with a user", ChatGone),
        (403, "bot can't send messages to bots", ChatGone),
        (403, "CHAT_WRITE_FORBIDDEN", NoRights),
        (403, "bot can't send messages to the user", ChatShut),
        (403, "something new", ChatShut),
        (400, "chat not found", ChatGone),
        (400, "PEER_ID_INVALID", ChatGone),
        (400, "group chat was deactivated", ChatGone),
        (400, "message thread not found", TopicGone),
        (400, "TOPIC_DELETED", TopicGone),
        (400, "TOPIC_CLOSED", TopicClosed),
        (400, "not enough rights to send text messages to the chat", NoRights),
        (400, "need administrator rights in the channel chat", NoRights),
        (400, "CHAT_SEND_PLAIN_FORBIDDEN", NoRights),
        (400, "message to edit not found", MessageLost),
        (400, "message can't be edited", MessageLost),
        (400, "can't parse entities: Unsupported start tag", MessageRefused),
        (400, "message is too long", MessageRefused),
        (400, "something new", MessageRefused),
        (401, "Unauthorized", TokenRefused),
        (404, "Not Found", TokenRefused),
        (409, "Conflict: terminated by other getUpdates request", TelegramUnreachable),
        (413, "Request Entity Too Large", TelegramUnreachable),
        (500, "Internal Server Error", TelegramUnreachable),
        (502, "Bad Gateway", TelegramUnreachable),
        ("drop", "", TelegramUnreachable),
        ("lose", "", TelegramUnreachable),
        ("garbage", "", TelegramUnreachable),
        ("portal", "", TelegramUnreachable),
    ],
)
async def test_every_answer_has_its_remedy(
    api: BotApi, code: int | str, words: str, error: type[Exception]
) -> None:
    async with only_sending(api) as bot:
        api.inject(code, method="sendMessage", description=words)
        with pytest.raises(error) as caught:
            await bot.send(Place(ANNA), Message("hello"))
    assert type(caught.value) is error
    assert words.rpartition(": ")[2].lower() in str(caught.value).lower()
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None  # what is behind it may quote the URL, and so the token


async def test_a_429_says_how_long_to_wait(api: BotApi) -> None:
    async with only_sending(api) as bot:
        api.inject(429, description="Too Many Requests: retry after 35", retry_after=35)
        with pytest.raises(TelegramUnreachable) as caught:
            await bot.send(Place(ANNA), Message("hello"))
    assert caught.value.after == timedelta(seconds=35)


async def test_a_chat_that_is_to_be_left_alone_is_not_asked_and_others_are(api: BotApi) -> None:
    """Neither an alert nor an answer goes there, whichever of them was told to wait."""
    async with only_sending(api) as bot:
        api.inject(429, chat_id=ANNA, description="Too Many Requests: retry after 1", retry_after=1)
        for _ in range(3):
            with pytest.raises(TelegramUnreachable) as caught:
                await bot.send(Place(ANNA), Message("hello"))
            assert caught.value.after
        with pytest.raises(ChatResting):
            await bot.edit(ANNA, 1, Message("hello"))
        with pytest.raises(ChatResting):
            await bot.find_chat(ANNA)
        api.known(BORYS)
        await bot.send(Place(BORYS), Message("hello"))
        asked = [call.code for call in api.calls if call.chat_id == ANNA]
        await asyncio.sleep(1)
        await bot.send(Place(ANNA), Message("hello"))
    assert asked == [429]


async def test_a_chat_that_is_to_wait_is_asked_nothing_before_whoever_sends(api: BotApi) -> None:
    async with running(api):
        api.user_says(BORYS, "/start")
        await api.wait_for(1)
        api.inject(429, method="sendMessage", chat_id=ANNA, retry_after=35)
        api.user_says(ANNA, "/start")
        await api.wait_for(lambda: any(call.code == 429 for call in api.calls))
        api.user_says(ANNA, "/help")
        api.user_says(BORYS, "/help")
        await api.wait_for(2)
    assert api.texts(ANNA) == []
    assert len([call for call in api.calls if call.chat_id == ANNA]) == 1


async def test_a_reply_waits_a_short_while_where_telegram_asks_for_it(api: BotApi) -> None:
    api.inject(429, method="sendMessage", chat_id=ANNA, retry_after=1)
    async with running(api):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    first, second = [call.at for call in api.calls if call.chat_id == ANNA]
    assert 0.95 < second - first < 3


async def test_a_group_is_asked_nothing_under_an_id_that_it_left(api: BotApi) -> None:
    api.upgrade(GROUP, GROUP - 1, told=False)
    async with bot_at(api) as bot:
        for _ in range(2):
            with pytest.raises(ChatMoved):
                await bot.send(Place(GROUP), Message("hello"))
    assert len(api.calls) == 1


async def test_a_group_that_moved_names_its_new_id(api: BotApi) -> None:
    async with only_sending(api) as bot:
        api.bar(GROUP, 400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100777)
        with pytest.raises(ChatMoved, match="-100777") as caught:
            await bot.send(Place(GROUP), Message("hello"))
    assert caught.value.new_id == -100777


async def test_no_answer_at_all_is_unreachable(api: BotApi) -> None:
    async with only_sending(api) as bot:
        await api.down()
        with pytest.raises(TelegramUnreachable):
            await bot.send(Place(ANNA), Message("hello"))


async def test_a_silent_server_is_given_up_in_time(api: BotApi) -> None:
    async with only_sending(api) as bot:
        bot._client._requests._client.timeout = 0.1
        api.inject("hang")
        with pytest.raises(TelegramUnreachable):
            await bot.send(Place(ANNA), Message("hello"))


async def test_json_that_is_no_bot_api_is_unreachable(api: BotApi) -> None:
    api.methods["sendmessage"] = lambda _: {"message_id": 5}
    async with only_sending(api) as bot:
        with pytest.raises(TelegramUnreachable, match="not the Bot API"):
            await bot.send(Place(ANNA), Message("hello"))


async def test_hundreds_of_messages_at_once_all_arrive_over_a_few_connections(api: BotApi) -> None:
    async with only_sending(api) as bot, asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(bot.send(Place(ANNA), Message(f"{number}")))
    assert {message.text for message in api.sent} == {str(number) for number in range(200)}


# Connecting, stopping, starting again.


async def test_waiting_for_a_turn_is_no_time_out(api: BotApi) -> None:
    async with only_sending(api) as bot, asyncio.TaskGroup() as group:
        bot._client._requests._client.timeout = Timeout(5, pool=0.01)
        for number in range(50):
            group.create_task(bot.send(Place(ANNA), Message(f"{number}")))
    assert len(api.sent) == 50


async def test_the_bot_connects_and_shows_its_menus(api: BotApi) -> None:
    clock = FakeClock()
    async with running(api, clock=clock) as bot:
        assert not bot.connected
        assert bot.last_contact is None
        await api.wait_for(lambda: len(api.menus) == 2)
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
        assert bot.connected
        assert bot.trouble is None
        assert bot.alive
        assert bot.username == "monitor_test_bot"
        assert bot.last_contact == clock.now()
    assert not bot.alive
    assert not bot.connected
    assert api.menus == MENUS


async def test_a_menu_that_is_refused_stops_nothing(api: BotApi, caplog: pytest.LogCaptureFixture) -> None:
    api.inject(400, method="setMyCommands", description="BOT_COMMAND_INVALID")
    async with running(api):
        await api.wait_for(lambda: "uk" in api.menus)
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert "menu not set" in caplog.text
    assert "" not in api.menus


async def test_a_server_that_knows_no_webhooks_will_do(api: BotApi) -> None:
    api.inject(404, method="deleteWebhook", description="Not Found")
    async with running(api, echo):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert api.texts(ANNA) == ["you said /start"]


async def test_a_server_that_does_not_hold_a_poll_is_not_asked_all_the_time(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "POLL_SECONDS", 0)
    async with running(api):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
        before = len(api.calls)
        await api.wait_for(lambda: len(api.calls) >= before + 3)
        polls = [call.at for call in api.calls if call.method == "getupdates"]
    assert polls[-1] - polls[-2] > room.SHORTEST_POLL / 2


async def test_a_webhook_left_by_another_program_is_taken_away(api: BotApi) -> None:
    api.webhook = "https://example.org/hook"
    async with running(api):
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
    assert not api.webhook


@pytest.mark.parametrize("token", ["123456789:some-other-token", "no-token-at-all"])
async def test_a_refused_token_ends_the_run_with_one_sentence_that_does_not_hold_it(
    api: BotApi, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bot = TelegramBot(token, api_url=api.url, handle=echo, menus=MENUS)
    async with bot:
        with pytest.raises(TokenRefused) as caught:
            await asyncio.wait_for(bot.run(), 5)
    assert api.url in str(caught.value)
    assert token not in str(caught.value)
    assert token not in caplog.text
    assert not bot.alive


async def test_a_token_revoked_while_running_ends_the_run(api: BotApi) -> None:
    async with bot_at(api) as bot:
        task = asyncio.create_task(bot.run())
        await api.wait_for(lambda: api.menus)
        api.token = "123456789:another"
        api.user_says(ANNA, "/start")
        with pytest.raises(TokenRefused):
            await asyncio.wait_for(task, 5)


async def test_telegram_away_at_the_start_is_said_once_and_found_when_it_is_back(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await api.down()
    async with running(api) as bot:
        await api.wait_for(lambda: bot._failures > 3)
        assert not bot.connected
        assert bot.trouble
        assert bot.alive
        api.user_says(ANNA, "/start")
        await api.up()
        await api.wait_for(1)
        assert bot.connected
    said = [r for r in caplog.records if r.name.startswith("monitor") and r.levelno >= logging.INFO]
    assert [r.getMessage()[:19] for r in said] == ["telegram unreachabl", "telegram connected "]
    assert not any(r.exc_info for r in said)


async def test_telegram_away_in_between_loses_no_command(api: BotApi) -> None:
    async with running(api):
        api.user_says(ANNA, "/one")
        await api.wait_for(1)
        await api.down()
        api.user_says(ANNA, "/two")
        await api.up()
        await api.wait_for(2)
    assert api.texts(ANNA) == ["you said /one", "you said /two"]


@pytest.mark.parametrize("kind", [400, 403, 409, 500, "drop", "garbage", "portal"])
async def test_polling_survives_every_kind_of_answer(api: BotApi, kind: int | str) -> None:
    fault = api.inject(kind, times=2, method="getUpdates")
    async with running(api) as bot:
        await api.wait_for(lambda: fault.times == 0)
        assert bot.alive
        api.user_says(ANNA, "/start")
        await api.wait_for(1)


async def test_a_429_on_polling_is_waited_out(api: BotApi) -> None:
    api.inject(429, method="getUpdates", retry_after=1)
    async with running(api) as bot:
        await api.wait_for(lambda: bot.connected)
    refused, answered, *_ = [call.at for call in api.calls if call.method == "getupdates"]
    assert 0.95 < answered - refused < 2


async def test_a_second_program_with_the_token_is_named(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(api), running(api):
        await api.wait_for(lambda: any(call.code == 409 for call in api.calls))
    assert "another program takes this bot's updates" in caplog.text


async def test_a_restart_handles_nothing_twice_and_nothing_is_missed(api: BotApi) -> None:
    asked: list[str] = []

    async def note(request: Request) -> None:
        asked.append(request.text)

    for number in range(3):
        async with running(api, note):
            api.user_says(ANNA, f"/while {number}")
            await api.wait_for(lambda number=number: f"/while {number}" in asked)
        assert api.updates == []  # all confirmed
        api.user_says(ANNA, f"/between {number}")
    assert asked == ["/while 0", "/between 0", "/while 1", "/between 1", "/while 2"]


async def test_stopping_finishes_and_confirms_the_command_in_hand(api: BotApi) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handle(_: Request) -> Reply:
        begun.set()
        await go_on.wait()
        return Reply(Message("done"))

    async with running(api, handle) as bot:
        api.user_says(ANNA, "/slow")
        await begun.wait()
        stopping = asyncio.create_task(bot.stop())
        await asyncio.sleep(0)
        go_on.set()
        await stopping
        assert api.texts(ANNA) == ["done"]
        assert api.updates == []


async def test_stopping_does_not_wait_for_ever(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room, "GRACE_SECONDS", 0.05)
    begun = asyncio.Event()

    async def handle(_: Request) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with running(api, handle) as bot:
        api.user_says(ANNA, "/hang")
        api.user_says(ANNA, "/behind")
        await begun.wait()
        await asyncio.wait_for(bot.stop(), 2)
        assert bot._busy == {}
    assert "cut short" in caplog.text


async def test_stopping_while_telegram_is_away_is_quick(api: BotApi) -> None:
    async with running(api) as bot:
        api.user_says(ANNA, "/start")
        await api.wait_for(1)
        await api.down()
        await asyncio.wait_for(bot.stop(), 2)
        assert bot._busy == {}


async def test_a_cancelled_run_leaves_nothing_behind(api: BotApi) -> None:
    async with bot_at(api) as bot:
        task = asyncio.create_task(bot.run())
        await api.wait_for(lambda: api.menus)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not bot.alive


async def test_no_log_line_ever_holds_the_token_or_a_chats_text(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(api) as bot:
        for kind in ("drop", "garbage", 500, 403, 400):
            api.inject(kind, method="getUpdates")
        for kind in ("garbage", "lose", 403, "drop", 400):
            api.inject(kind, method="sendMessage")
            api.user_says(ANNA, "/words")
        await api.wait_for(4)
        with pytest.raises(ChatGone):
            await bot.send(Place(404), Message("hidden words"))
        await api.down()
        with pytest.raises(TelegramUnreachable):
            await bot.send(Place(ANNA), Message("hidden words"))
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text
    assert "words" not in caplog.text


async def test_a_message_for_a_topic_of_a_forum_goes_into_that_topic(api: BotApi) -> None:
    api.known(GROUP)
    async with only_sending(api) as bot:
        await bot.send(Place(GROUP, 7), Message("hello"))
        await bot.send(Place(GROUP), Message("hello"))
    assert [message.thread_id for message in api.sent] == [7, 0]


async def test_a_group_that_became_a_supergroup_is_followed_when_telegram_says_so(api: BotApi) -> None:
    told: list[tuple[int, int]] = []

    async def follow(old_id: int, new_id: int) -> None:
        told.append((old_id, new_id))

    async with running(api, on_supergroup=follow):
        api.known(GROUP)
        api.upgrade(GROUP, -100777)
        await api.wait_for(lambda: told)
    assert told == [(GROUP, -100777)]


async def test_a_group_that_became_a_supergroup_is_followed_when_the_new_one_says_so(api: BotApi) -> None:
    told: list[tuple[int, int]] = []

    async def follow(old_id: int, new_id: int) -> None:
        told.append((old_id, new_id))

    async with running(api, on_supergroup=follow):
        new = api.known(-100777).as_json()
        api.update("message", {"message_id": 1, "date": 1, "chat": new, "migrate_from_chat_id": GROUP})
        await api.wait_for(lambda: told)
    assert told == [(GROUP, -100777)]


async def test_telegrams_fee_is_paid_only_for_messages_that_may_cost_it(api: BotApi) -> None:
    async with only_sending(api) as bot:
        await bot.send(Place(ANNA), Message("hello"))
        await bot.send(Place(ANNA), Message("hello", paid=True))
    assert [message.paid for message in api.sent] == [False, True]
