"""People read in groups, in topics of forums and in channels, and only their admins decide what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import TOKEN, BotApi
from test_commands import ADMIN, GROUP_ADMIN, House, labels
from test_telegram_bot import running

from monitor import commands, errors
from monitor.commands import COMMANDS, channels
from monitor.commands.desk import Call
from monitor.markup import plain
from monitor.model import Membership, Message, Peer, Reply, Request, Staff
from monitor.store import Store, chats, turns
from monitor.telegram_bot import TelegramBot

ANNA = 7
GROUP = -5
CHANNEL = -1001234567890
BOT_ID = int(TOKEN.partition(":")[0])
SETTLING = sorted(command.name for command in COMMANDS.values() if command.settles)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    house = House(store)
    house.peers = [Peer(CHANNEL, "Channel", "channel"), Peer(GROUP, "Group", "group")]
    house.group_admins[CHANNEL] = frozenset({GROUP_ADMIN})
    yield house
    await store.close()


def in_group(house: House, text: str, user_id: int, **facts: Any) -> Any:
    return house.says(text, GROUP, user_id=user_id, private=False, **facts)


# Groups.


@pytest.mark.parametrize("name", SETTLING)
async def test_in_a_group_only_its_admins_settle_what_it_is_told(house: House, name: str) -> None:
    await in_group(house, "/start", GROUP_ADMIN)
    before = await house.store.read(partial(chats.get, chat_id=GROUP))
    assert "Only admins of this group" in await in_group(house, f"/{name} starlink", ANNA)
    assert await house.store.read(partial(chats.get, chat_id=GROUP)) == before
    assert await house.subscribed(GROUP) == set()


async def test_an_admin_of_the_bot_is_not_for_that_one_of_the_group(house: House) -> None:
    house.group_admins[GROUP] = frozenset({GROUP_ADMIN})
    assert "Only admins of this group" in await in_group(house, "/subscribe starlink", ADMIN)


async def test_an_admin_of_the_group_subscribes_it_and_everybody_may_look(house: House) -> None:
    await in_group(house, "/subscribe starlink", GROUP_ADMIN)
    assert await house.subscribed(GROUP) == {"starlink"}
    assert "You hear of: Starlink" in await in_group(house, "/status", ANNA)
    assert "Starlink" in await in_group(house, "/topics", ANNA)


async def test_an_admin_who_is_anonymous_is_one(house: House) -> None:
    await in_group(house, "/subscribe starlink", 1087968824, anonymous=True)
    assert await house.subscribed(GROUP) == {"starlink"}


async def test_a_button_in_a_group_is_refused_to_others_with_a_notice_and_stays(house: House) -> None:
    refused = await house.hears("/subscribe starlink", GROUP, user_id=ANNA, private=False, pressed=True)
    assert refused == Reply(None, notice="Only admins of this group may change that.")
    pressed = await house.hears(
        "/subscribe starlink", GROUP, user_id=GROUP_ADMIN, private=False, pressed=True
    )
    assert pressed
    assert "✅ Starlink" in labels(pressed.message)


async def test_while_telegram_cannot_be_asked_nobody_settles_anything(house: House) -> None:
    house.group_admins.clear()
    assert "cannot ask Telegram" in await in_group(house, "/subscribe starlink", GROUP_ADMIN)
    assert await house.subscribed(GROUP) == set()


# What becomes of the bot.


def change(chat_id: int, before: str, now: str, kind: str = "group") -> Membership:
    return Membership(chat_id, "Night <shift>", kind, ANNA, before, now)  # type: ignore[arg-type]


async def test_a_group_that_the_bot_comes_into_is_told_what_to_do(house: House) -> None:
    reply = await commands.moved(house.desk, change(GROUP, "out", "member"))
    assert reply
    assert reply.message
    assert plain(reply.message.html).startswith("Hello, Night <shift>!")
    assert "/topics" in reply.message.html
    assert await commands.moved(house.desk, change(GROUP, "member", "admin")) is None


async def test_a_group_that_removes_the_bot_finds_its_topics_again(house: House) -> None:
    await in_group(house, "/subscribe starlink", GROUP_ADMIN)
    assert await commands.moved(house.desk, change(GROUP, "member", "out")) is None
    assert await house.status(GROUP) == "gone"
    assert await house.store.read(partial(chats.listeners, topic_ids=["starlink"])) == {}
    reply = await commands.moved(house.desk, change(GROUP, "out", "member"))
    assert reply
    assert reply.message
    assert "I am back" in reply.message.html
    assert (await house.status(GROUP), await house.subscribed(GROUP)) == ("active", {"starlink"})


async def test_a_group_that_stopped_the_bot_is_not_started_by_a_new_invitation(house: House) -> None:
    await in_group(house, "/start", GROUP_ADMIN)
    await in_group(house, "/stop", GROUP_ADMIN)
    await commands.moved(house.desk, change(GROUP, "member", "out"))
    await commands.moved(house.desk, change(GROUP, "out", "member"))
    assert await house.status(GROUP) == "stopped"


async def test_who_blocks_the_bot_is_left_alone_and_hears_again_after_the_block(house: House) -> None:
    await house.says("/subscribe starlink")
    await commands.moved(house.desk, change(1, "member", "out", "private"))
    assert await house.status() == "gone"
    assert await commands.moved(house.desk, change(1, "out", "member", "private")) is None
    assert await house.status() == "active"


@pytest.mark.parametrize(("refused", "held"), [(True, None), (False, "2026-02-01T13:00:00.000000Z")])
async def test_a_chat_that_changes_the_bots_rights_is_tried_at_once_unless_telegram_asked_to_wait(
    house: House, *, refused: bool, held: str | None
) -> None:
    await in_group(house, "/subscribe starlink", GROUP_ADMIN)
    until = house.clock.now() + timedelta(hours=1)
    await house.store.write(partial(turns.hold, chat_id=GROUP, until=until, reason="because"))
    if refused:
        await house.store.write(partial(turns.refused, chat_id=GROUP, now=house.clock.now()))
    house.woken = 0
    await commands.moved(house.desk, change(GROUP, "member", "admin"))
    rows = await house.store.read(lambda db: db.execute("SELECT held FROM paces").fetchall())
    assert (rows, house.woken) == ([(held,)], 1)


async def test_who_makes_the_bot_an_admin_of_a_channel_is_told_in_private_how_to_go_on(house: House) -> None:
    reply = await commands.moved(house.desk, change(CHANNEL, "out", "admin", "channel"))
    assert reply
    ((told, message),) = reply.others
    assert (reply.message, told) == (None, ANNA)
    assert message.buttons[0][0].command == f"/manage {CHANNEL}"


# Channels.


def by_admin(house: House, text: str, **facts: Any) -> Any:
    return house.says(text, GROUP_ADMIN, **facts)


@pytest.mark.parametrize("said", ["@channel", str(CHANNEL), "t.me/channel", "https://t.me/channel/15"])
async def test_an_admin_of_a_channel_decides_in_private_what_it_is_told(house: House, said: str) -> None:
    assert "about Channel now" in await by_admin(house, f"/manage {said}")
    shown = await by_admin(house, "/subscribe starlink")
    assert shown.startswith("📣 Channel")
    await by_admin(house, "/quiet 23-7")
    await by_admin(house, "/language uk")
    channel = await house.store.read(partial(chats.get, chat_id=CHANNEL))
    assert channel
    assert (channel.kind, channel.language, str(channel.quiet)) == ("channel", "uk", "23:00-07:00")
    assert (await house.subscribed(CHANNEL), await house.subscribed(GROUP_ADMIN)) == ({"starlink"}, set())
    assert "about yourself" in await by_admin(house, "/manage off")
    await by_admin(house, "/subscribe ceasefire")
    assert await house.subscribed(GROUP_ADMIN) == {"ceasefire"}


async def test_buttons_are_about_the_channel_too(house: House) -> None:
    await by_admin(house, "/manage @channel")
    pressed = await house.press("/topics", "Starlink", GROUP_ADMIN)
    assert await house.subscribed(CHANNEL) == {"starlink"}
    assert pressed.message
    assert pressed.message.html.startswith("📣")


async def test_start_and_stop_are_about_the_chat_itself(house: House) -> None:
    await by_admin(house, "/manage @channel")
    await by_admin(house, "/stop")
    assert await house.status(GROUP_ADMIN) == "stopped"
    assert await house.status(CHANNEL) == "active"
    await by_admin(house, "/start")
    await by_admin(house, "/subscribe starlink")
    assert await house.subscribed(GROUP_ADMIN) == {"starlink"}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("/manage", "Which channel?"),
        ("/manage @nowhere", "I cannot see “@nowhere”"),
        ("/manage ?!", "no name of a channel"),
        (f"/manage {GROUP}", "is no channel"),
    ],
)
async def test_what_is_no_channel_is_answered_with_what_to_do(house: House, said: str, answer: str) -> None:
    assert answer in await by_admin(house, said)


async def test_who_is_no_admin_of_a_channel_decides_nothing_there(house: House) -> None:
    assert "You are no admin of @channel" in await house.says("/manage @channel", ANNA)
    await by_admin(house, "/manage @channel")
    house.group_admins[CHANNEL] = frozenset({ANNA})
    assert "You are no admin of Channel" in await by_admin(house, "/subscribe starlink")
    assert await house.subscribed(CHANNEL) == set()
    await by_admin(house, "/subscribe starlink")
    assert await house.subscribed(GROUP_ADMIN) == {"starlink"}


async def test_a_channel_in_which_the_bot_may_not_post_is_not_set_up(house: House) -> None:
    house.unwritable.add(CHANNEL)
    assert "may not post" in await by_admin(house, "/manage @channel")
    del house.group_admins[CHANNEL]
    assert "make me an admin" in await by_admin(house, "/manage @channel")


async def test_a_channel_that_the_admins_of_the_bot_refused_stays_out(house: House) -> None:
    await by_admin(house, "/manage @channel")
    await house.hears(f"/refuse {CHANNEL}", ADMIN)
    assert "declined" in await by_admin(house, "/subscribe starlink")
    assert "declined" in await by_admin(house, "/manage @channel")
    assert await house.subscribed(CHANNEL) == set()


async def test_nobody_learns_the_name_behind_an_id(house: House) -> None:
    house.peers.append(Peer(1234, "Anna Secret", "private"))
    for said in ("/manage 1234", f"/manage {CHANNEL}"):
        shown = await house.says(said, ANNA)
        assert "Secret" not in shown
        assert "Channel" not in shown


async def test_while_telegram_cannot_be_asked_a_channel_stays_managed(house: House) -> None:
    await by_admin(house, "/manage @channel")
    house.away = True
    assert "cannot ask Telegram" in await by_admin(house, "/subscribe starlink")
    assert "cannot ask Telegram" in await by_admin(house, "/manage @channel")
    house.away = False
    await by_admin(house, "/subscribe starlink")
    assert await house.subscribed(CHANNEL) == {"starlink"}


async def test_a_channel_that_was_lost_comes_back_with_its_admins_next_command(house: House) -> None:
    await by_admin(house, "/manage @channel")
    await house.store.write(partial(chats.set_status, chat_id=CHANNEL, status="gone"))
    await by_admin(house, "/subscribe starlink")
    assert await house.status(CHANNEL) == "active"
    shown = await house.hears("/manage", GROUP_ADMIN)
    assert shown
    assert shown.message
    assert "about <b>Channel</b>" in shown.message.html
    assert shown.message.buttons[0][0].command == "/manage off"


async def test_a_channel_is_not_set_up_by_somebody_who_was_not_let_in(house: House) -> None:
    house.access("approval")
    assert "not let this chat in yet" in await by_admin(house, "/manage @channel")


async def test_in_a_group_nobody_manages_a_channel(house: House) -> None:
    assert "private chat" in await in_group(house, "/manage @channel", GROUP_ADMIN)


async def test_an_answer_that_fills_a_message_goes_without_the_heading(house: House) -> None:
    home = await house.desk.chat(Request(GROUP_ADMIN, "", GROUP_ADMIN, ""))
    call = Call(house.desk, Request(GROUP_ADMIN, "", GROUP_ADMIN, ""), home, "", home=home)
    full = Reply(Message("x" * 4090))
    assert channels.headed(call, full) == full


# How Telegram tells of all this.


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as served:
        yield served


def channel_of(api: BotApi, *admins: int) -> None:
    chat = api.known(CHANNEL, "Channel")
    chat.kind, chat.username = "channel", "channel"
    api.admins |= {(CHANNEL, user_id) for user_id in admins}


async def test_the_staff_of_a_chat_is_who_telegram_says_and_is_not_asked_for_each_time(api: BotApi) -> None:
    api.known(GROUP)
    api.admins |= {(GROUP, ANNA), (GROUP, BOT_ID)}
    channel_of(api, ANNA, BOT_ID)
    async with TelegramBot(TOKEN, api_url=api.url, handle=None, menus={}) as bot:  # type: ignore[arg-type]
        assert [await bot.staff(GROUP) for _ in range(3)] == [Staff(frozenset({ANNA}), posts=True)] * 3
        assert await bot.staff(CHANNEL) == Staff(frozenset({ANNA}), posts=True)
        assert await bot.find_chat("@channel") == Peer(CHANNEL, "Channel", "channel")
        with pytest.raises(errors.ChatGone):
            await bot.find_chat("@nowhere")
        api.admins.remove((CHANNEL, BOT_ID))
        bot._staff.forget(CHANNEL)
        with pytest.raises(errors.MessageRefused, match="inaccessible"):
            await bot.staff(CHANNEL)
    assert [call.method for call in api.calls].count("getchatadministrators") == 3


async def test_a_change_of_the_bots_own_standing_is_told_and_answered_in_the_chat(api: BotApi) -> None:
    heard: list[Membership] = []

    async def note(change: Membership) -> Reply | None:
        heard.append(change)
        return Reply(Message("hello")) if change.now == "member" else None

    async with running(api, on_membership=note):
        api.known(GROUP, "Night shift")
        api.joins(GROUP, user_id=ANNA)
        channel_of(api)
        api.joins(CHANNEL, user_id=ANNA, new="administrator")
        await api.wait_for(lambda: len(heard) == 2)
        await api.wait_for(1)
    assert {one.chat_id: one for one in heard} == {
        GROUP: Membership(GROUP, "Night shift", "group", ANNA, "out", "member"),
        CHANNEL: Membership(CHANNEL, "Channel", "channel", ANNA, "out", "admin"),
    }
    assert api.texts(GROUP) == ["hello"]


@pytest.mark.parametrize("status", ["member", "administrator", "restricted", "kicked", "left", "creator"])
async def test_a_change_of_standing_is_read_whichever_rights_the_server_knows_of(
    api: BotApi, status: str
) -> None:
    """A Bot API server of one's own may be older than the library."""
    heard: list[Membership] = []

    async def note(change: Membership) -> None:
        heard.append(change)

    async with running(api, on_membership=note):
        change = {"date": 1, "chat": api.known(GROUP).as_json(), "from": {**api.me(), "id": ANNA}}
        standings = {"old_chat_member": {"status": "left", "user": api.me()}}
        standings["new_chat_member"] = {"status": status, "user": api.me()}
        api.update("my_chat_member", {**change, **standings})
        await api.wait_for(lambda: heard)
    wanted = {"member": "member", "administrator": "admin", "creator": "admin"}
    assert [one.now for one in heard] == [wanted.get(status, "out")]


async def test_staff_and_chats_are_read_whichever_facts_the_server_knows_of(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel_of(api)
    bare = {"getchatadministrators": _bare_staff, "getchat": lambda _: api.known(CHANNEL).as_json()}
    monkeypatch.setattr(api, "methods", {**api.methods, **bare})
    async with TelegramBot(TOKEN, api_url=api.url, handle=None, menus={}) as bot:  # type: ignore[arg-type]
        assert await bot.staff(CHANNEL) == Staff(frozenset({ANNA}), posts=True)
        assert await bot.find_chat(CHANNEL) == Peer(CHANNEL, "Channel", "channel")


@pytest.mark.parametrize("answer", [{}, [], "nonsense", [{"user": 3}], None])
async def test_staff_and_chats_that_cannot_be_read_are_no_answer(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    nonsense = dict.fromkeys(("getchatadministrators", "getchat"), lambda _: answer)
    monkeypatch.setattr(api, "methods", {**api.methods, **nonsense})
    async with TelegramBot(TOKEN, api_url=api.url, handle=None, menus={}) as bot:  # type: ignore[arg-type]
        with pytest.raises(errors.TelegramUnreachable):
            await bot.find_chat(CHANNEL)
        if answer not in ([], {}):
            with pytest.raises(errors.TelegramUnreachable):
                await bot.staff(CHANNEL)


def _bare_staff(_: Any) -> list[dict[str, Any]]:
    anna, bot = {"id": ANNA, "is_bot": False}, {"id": BOT_ID, "is_bot": True}
    return [{"status": "creator", "user": anna}, {"status": "administrator", "user": bot}]


async def test_messages_say_where_and_in_whose_name_they_were_written(api: BotApi) -> None:
    asked: list[Request] = []

    async def note(request: Request) -> Reply:
        asked.append(request)
        return Reply(Message("here"))

    async with running(api, note):
        api.user_says(GROUP, "/topics", user_id=ANNA, message_thread_id=9, is_topic_message=True)
        first = {"message_id": 9, "date": 0, "chat": api.known(GROUP).as_json(), "text": "hello"}
        api.user_says(GROUP, "/topics", user_id=ANNA, message_thread_id=9, reply_to_message=first)  # no topic
        api.user_says(GROUP, "/mute", user_id=1087968824, sender_chat=api.known(GROUP).as_json())
        api.user_says(GROUP, "/mute", user_id=1087968824)
        channel_of(api)  # whose posts come into the group that it is linked to
        api.user_says(GROUP, "/mute", user_id=777000, sender_chat=api.known(CHANNEL).as_json())
        api.user_says(ANNA, "Some post", forward_origin=_origin(api), photo=[])
        await api.wait_for(lambda: len(asked) == 6)
        await api.wait_for(6)
    in_group = [one for one in asked if one.chat_id == GROUP]
    assert [(one.thread_id, one.anonymous) for one in in_group] == [
        (9, False),
        (0, False),
        (0, True),
        (0, True),
        (0, False),
    ]
    assert [one.text for one in asked if one.chat_id == ANNA] == [f"/manage {CHANNEL}"]
    assert [message.thread_id for message in api.sent if message.chat_id == GROUP] == [9, 0, 0, 0, 0]


def _origin(api: BotApi) -> dict[str, Any]:
    channel_of(api)
    return {"type": "channel", "date": 0, "chat": api.known(CHANNEL).as_json(), "message_id": 3}
