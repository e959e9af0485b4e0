"""Admins see who hears the bot, let chats in, shut them out, and reload the config."""

from __future__ import annotations

from functools import partial

from builders import NOW, chat
from test_adding import hears, house, says
from test_commands import ADMIN, House, labels

from monitor.store import chats

__all__ = ["house"]


async def test_the_chats_are_listed_with_what_they_may_and_hear_and_those_that_wait_first(
    house: House,
) -> None:
    house.access("approval")
    await house.store.write(partial(chats.put, chat=chat(2, title="Editors <desk>"), now=NOW))
    await house.store.write(partial(chats.subscribe, chat_id=2, topic_ids=["starlink", "ceasefire"], now=NOW))
    await house.hears("/start", 3)
    await house.hears("/topics", 4)  # never asked to be let in
    shown = await says(house, "/chats")
    assert shown.splitlines()[0] == "2 chats"
    assert "• Duty <officer> (3) — waits for approval · 0 topics" in shown.splitlines()[2]
    assert "• Editors <desk> (2) — active · 2 topics" in shown
    reply = await hears(house, "/chats")
    assert labels(reply.message)[:3] == [
        "✅ Approve Duty <officer>",
        "🚫 Refuse Duty <officer>",
        "🚫 Remove Editors <desk>",
    ]


async def test_a_chat_is_let_in_and_shut_out_with_buttons(house: House) -> None:
    house.access("approval")
    await house.hears("/start", 3)
    let_in = await hears(house, "/chats approve 3", pressed=True)
    assert await house.status(3) == "active"
    assert [told for told, _ in let_in.others] == [3]
    assert "may use this bot" in let_in.notice
    assert "🚫 Remove Duty <officer>" in labels(let_in.message)
    await hears(house, "/chats remove 3", pressed=True)
    assert await house.status(3) == "refused"
    await hears(house, "/chats approve 3", pressed=True)
    assert await house.status(3) == "active"


async def test_no_button_shuts_an_admin_out(house: House) -> None:
    await hears(house, "/start")
    reply = await hears(house, "/chats")
    assert reply.message
    assert f"({ADMIN})" in reply.message.html.replace("<code>", "").replace("</code>", "")
    assert labels(reply.message) == []


async def test_only_admins_see_who_else_is_there_and_reload(house: House) -> None:
    for command in ("/chats", "/chats remove 500", "/reload"):
        assert await house.says(command, 1) == "Only an admin may do that."


async def test_a_reload_is_answered_with_what_came_of_it(house: House) -> None:
    assert "in force" in await says(house, "/reload")


async def test_many_chats_take_several_pages_and_a_wrong_argument_does_no_harm(house: House) -> None:
    for number in range(40):
        await house.store.write(partial(chats.put, chat=chat(1000 + number, title=f"Chat {number}"), now=NOW))
    assert "Chat 39" in await says(house, "/chats 3")
    assert "40 chats" in await says(house, "/chats remove x")
    assert await house.status(ADMIN) is None
