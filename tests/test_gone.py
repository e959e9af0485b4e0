"""A chat that takes nothing is asked nothing, whoever has something for it, until it is heard of again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
from fakes import TOKEN, BotApi, FakeClock
from running import ADMIN, CHAT, a_bot, readers

from monitor.errors import ChatGone
from monitor.model import Membership, Message, Place, Reply, Request
from monitor.store import Store, chats
from monitor.telegram_bot import Gate, TelegramBot

ANNA = 7


class Talk:
    """A bot, and what happens before it answers; what it hears it says."""

    def __init__(self, api: BotApi) -> None:
        self.api = api
        self.before: Callable[[], object] = lambda: None
        self.heard: list[str] = []
        self.bot = TelegramBot(
            TOKEN, api_url=api.url, handle=self._answer, menus={}, on_membership=self._changed
        )

    async def _answer(self, request: Request) -> Reply:
        return await self._say(request.text)

    async def _changed(self, change: Membership) -> Reply:
        return await self._say(change.now)

    async def _say(self, text: str) -> Reply:
        self.heard.append(text)
        self.before()
        while "alert" in self.heard:  # one that comes out of the outbox
            self.heard.remove("alert")
            with pytest.raises(ChatGone):
                await self.bot.send(Place(ANNA), Message("alert"))
        return Reply(Message(text))

    async def hears(self, text: str) -> None:
        """Wait until this was heard, and what the bot says to it is said or not."""
        await self.api.wait_for(lambda: text in self.heard)
        while self.bot._busy:
            await asyncio.wait(self.bot._busy.values())

    @property
    def asked(self) -> list[int]:
        """The codes that messages to Anna were answered with."""
        return [call.code for call in self.api.calls if call.method == "sendmessage" and call.chat_id == ANNA]


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with BotApi() as api:
        api.known(ANNA)
        talk = Talk(api)
        async with talk.bot as bot:
            running = asyncio.create_task(bot.run())
            yield talk
            await bot.stop()
            await running


def block_unseen(api: BotApi) -> None:
    api.bar(ANNA, 403, "bot was blocked by the user")


async def test_a_reply_does_not_go_to_a_chat_that_refused_an_alert_meanwhile(talk: Talk) -> None:
    def alert() -> None:
        block_unseen(talk.api)
        talk.heard.append("alert")

    talk.before = alert
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    assert talk.asked == [403]


async def test_an_alert_does_not_go_to_a_chat_that_refused_a_reply(talk: Talk) -> None:
    talk.before = partial(block_unseen, talk.api)
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    for _ in range(2):
        with pytest.raises(ChatGone):
            await talk.bot.send(Place(ANNA), Message("alert"))
        with pytest.raises(ChatGone):
            await talk.bot.edit(ANNA, 1, Message("alert"))
    assert talk.asked == [403]
    assert talk.bot.is_gone(ANNA)


async def test_nothing_goes_to_a_chat_that_removed_the_bot_and_much_to_one_that_took_it_back(
    talk: Talk,
) -> None:
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    talk.api.block(ANNA)
    await talk.hears("out")
    with pytest.raises(ChatGone):
        await talk.bot.send(Place(ANNA), Message("alert"))
    assert talk.asked == [200]
    talk.api.unblock(ANNA)
    await talk.hears("member")
    await talk.bot.send(Place(ANNA), Message("alert"))
    assert talk.api.texts(ANNA) == ["/start", "member", "alert"]


async def test_what_is_said_to_a_return_does_not_go_to_a_chat_that_left_again(talk: Talk) -> None:
    """Updates of a chat are handled in turn, and the answer to the first may take a while."""
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    talk.before = partial(talk.heard.append, "…")
    talk.api.block(ANNA)
    talk.api.unblock(ANNA)
    talk.api.block(ANNA)
    await talk.api.wait_for(lambda: talk.heard.count("out") == 2)
    await talk.hears("out")
    assert talk.asked == [200]


async def test_a_group_that_says_that_the_bot_left_is_gone(talk: Talk) -> None:
    me = talk.api.me()
    for number, who in ((-1, {**me, "id": ANNA}), (-2, me)):
        talk.api.user_says(number, "", user_id=ANNA, left_chat_member=who)
    await talk.api.wait_for(lambda: talk.bot.is_gone(-2))
    assert not talk.bot.is_gone(-1)


async def test_an_update_of_a_standing_that_is_none_is_passed_over(talk: Talk) -> None:
    change = {"date": 1, "chat": talk.api.known(ANNA).as_json(), "from": {**talk.api.me(), "id": ANNA}}
    talk.api.update("my_chat_member", {**change, "old_chat_member": None, "new_chat_member": None})
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    assert talk.api.texts(ANNA) == ["/start"]


async def test_a_chat_that_writes_again_is_answered(talk: Talk) -> None:
    talk.before = partial(block_unseen, talk.api)
    talk.api.user_says(ANNA, "/start")
    await talk.hears("/start")
    talk.before = lambda: None
    talk.api.chats[ANNA].bar = None
    talk.api.user_says(ANNA, "/help")
    await talk.hears("/help")
    assert talk.api.texts(ANNA) == ["/help"]


async def test_a_refusal_of_what_was_under_way_when_the_chat_was_heard_of_says_nothing() -> None:
    gate = Gate(FakeClock())
    with gate.asking(ANNA) as early:
        gate.opened(ANNA)
        with gate.asking(ANNA) as late:
            gate.gone(ANNA, "blocked", early)
            gate.check(ANNA)
            gate.gone(ANNA, "blocked", late)
    with pytest.raises(ChatGone):
        gate.check(ANNA)
    assert gate._under_way == {}  # nothing is kept of chats that only spoke


async def test_a_search_for_a_chat_that_is_nowhere_stops_no_other_search(talk: Talk) -> None:
    with pytest.raises(ChatGone):
        await talk.bot.find_chat("@nowhere")
    assert (await talk.bot.find_chat(ANNA)).id == ANNA


async def test_a_chat_that_was_gone_is_asked_nothing_after_a_restart_either(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        database = tmp_path / "monitor.db"
        await readers(database, [ADMIN], ["starlink"])
        store = await asyncio.to_thread(Store.open, database)
        await store.write(partial(chats.set_status, chat_id=ADMIN, status="gone"))
        await store.close()
        bot.access = "approval"
        bot.write_config()
        await bot.start()
        for text in ("/start", "/help"):  # the first asks the admin, the second comes after that
            bot.api.user_says(CHAT, text)
            before = len(bot.api.sent)
            await bot.api.wait_for(before + 1, within=10)
        assert [call for call in bot.api.calls if call.chat_id == ADMIN] == []
