"""Who hears the bot, for its admins: /chats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.commands import membership
from monitor.commands.desk import ECHO, Call, page_of, turns
from monitor.markup import Safe, isolated, plain, split
from monitor.model import Button, Chat, ChatStatus, Message, Reply
from monitor.prose import clip
from monitor.store import chats

ON_A_PAGE = 15
LONGEST_NAME = 60  # UTF-16 units
LONGEST_ID = 16  # digits
ACTIONS: dict[ChatStatus, tuple[str, ...]] = {
    "pending": ("approve", "refuse"),
    "active": ("remove",),
    "stopped": ("remove",),
    "gone": ("remove",),
    "refused": ("approve",),
}
"""What an admin may do with a chat of each status."""


async def chats_(call: Call) -> Reply:
    """Show the chats, those that wait first, with buttons that let them in or shut them out."""
    verb, _, number = call.argument.partition(" ")
    if number.removeprefix("-").isdecimal() and len(number) <= LONGEST_ID and verb in membership.DECISIONS:
        verdict = await membership.decide(replace(call, argument=number), verb)
        board = await _board(call, "")
        notice = plain(verdict.message.html) if verdict.message else ""
        return replace(board, others=verdict.others, notice=notice)
    return await _board(call, call.argument)


async def _board(call: Call, argument: str) -> Reply:
    everybody = await call.desk.store.read(chats.overview)
    if not everybody:
        return call.reply("chats.none")
    page = page_of(argument, len(everybody), ON_A_PAGE)
    shown = everybody[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    heading = call.say("chats.heading", count=len(everybody))
    lines = [_line(call, chat, topics) for chat, topics in shown]
    buttons = tuple(row for chat, _ in shown if (row := _row(call, chat)))
    text = split([heading, "", *lines])[0]
    return Reply(Message(text, buttons=buttons + turns(call, "chats", page, len(everybody), ON_A_PAGE)))


def _line(call: Call, chat: Chat, topics: int) -> Safe:
    """Return who a chat is, what it may do, and how much it hears."""
    title = Safe(isolated(clip(chat.title or str(chat.id), LONGEST_NAME)))
    status = call.say(f"chats.{chat.status}")
    return call.say("chats.line", title=title, id=chat.id, status=status, count=topics)


def _row(call: Call, chat: Chat) -> tuple[Button, ...]:
    """Return the buttons for what can be done with a chat; nothing can with that of an admin."""
    title = clip(chat.title or str(chat.id), ECHO // 2)
    actions: Sequence[str] = () if call.desk.is_admin(chat.id) else ACTIONS[chat.status]
    return tuple(
        Button(f"{call.say(f'chats.{action}')} {title}", f"/chats {action} {chat.id}") for action in actions
    )
