"""Who asks in a group or for a channel is known to be its admin, whatever the server tells of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes import TOKEN, BotApi
from running import a_bot
from telegram_methods import Refused

from monitor import errors
from monitor.model import Message, Place
from monitor.telegram_bot import TelegramBot

ANNA, BORYS = 7, 8
GROUP = -5
CHANNEL = -1001234567890


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as served:
        served.known(GROUP)
        served.users |= {ANNA, BORYS}
        served.admins.add((GROUP, ANNA))
        yield served


def bot_at(api: BotApi) -> TelegramBot:
    return TelegramBot(TOKEN, api_url=api.url, handle=None, menus={})  # type: ignore[arg-type]


LISTS: tuple[object, ...] = (
    Refused(400, "member list is inaccessible"),
    Refused(400, "CHAT_ADMIN_REQUIRED"),
    Refused(404, "Not Found"),  # as of a method that the server does not know
    Refused(500, "Internal Server Error"),
    {},
    [],
    True,
)


@pytest.mark.parametrize("answer", LISTS, ids=str)
async def test_who_asks_is_known_where_no_list_of_admins_is_given(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    def admins(_: Any) -> object:
        if isinstance(answer, Refused):
            raise answer
        return answer

    monkeypatch.setattr(api, "methods", {**api.methods, "getchatadministrators": admins})
    async with bot_at(api) as bot:
        for _ in range(2):
            assert ANNA in (await bot.staff(GROUP, ANNA)).admins
            assert BORYS not in (await bot.staff(GROUP, BORYS)).admins
    assert [call.method for call in api.calls].count("getchatmember") == 2


async def test_an_admin_whom_the_list_leaves_out_for_being_anonymous_is_one(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [{"status": "creator", "user": {"id": ANNA, "is_bot": False}}]
    monkeypatch.setattr(api, "methods", {**api.methods, "getchatadministrators": lambda _: listed})
    api.admins.add((GROUP, BORYS))
    async with bot_at(api) as bot:
        assert (await bot.staff(GROUP, BORYS)).admins == {ANNA, BORYS}
        assert (await bot.staff(GROUP, ANNA)).admins == {ANNA}


async def test_a_stranger_of_whom_telegram_says_nothing_is_no_admin_and_the_chat_is_there(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.users.remove(BORYS)
    async with bot_at(api) as bot:
        assert (await bot.staff(GROUP, BORYS)).admins == {ANNA}
        monkeypatch.delitem(api.methods, "getchatadministrators")
        bot._staff.forget(GROUP)
        with pytest.raises(errors.MessageRefused):
            await bot.staff(GROUP, BORYS)
        await bot.send(Place(GROUP), Message("hello"))
    assert api.texts(GROUP) == ["hello"]


async def test_a_channel_that_gives_no_list_tells_nothing_of_a_single_user_either(api: BotApi) -> None:
    api.known(CHANNEL).kind = "channel"
    api.admins.add((CHANNEL, ANNA))
    async with bot_at(api) as bot:
        with pytest.raises(errors.MessageRefused):
            await bot.staff(CHANNEL, ANNA)


async def test_an_admin_of_a_group_sets_it_up_at_a_server_that_lists_no_admins(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        del bot.api.methods["getchatadministrators"]
        bot.api.admins.add((GROUP, ANNA))
        await bot.start()
        bot.api.user_says(GROUP, "/subscribe starlink", user_id=BORYS)
        bot.api.user_says(GROUP, "/subscribe starlink", user_id=ANNA)
        refused, done = await bot.api.wait_for(
            lambda: len(bot.api.sent) == 2 and bot.api.texts(GROUP), within=10
        )
    assert refused == "Only admins of this group may change that."
    assert "Starlink" in done
