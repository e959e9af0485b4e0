"""Who may hear the bot: /start, /stop, and what an admin says to those who ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from monitor.commands import topics
from monitor.commands.desk import ECHO, Call
from monitor.model import Button, Chat, ChatStatus, Message, Reply
from monitor.phrases import say
from monitor.prose import clip
from monitor.store import chats

ASK_AGAIN = timedelta(hours=1)
MOST_WAITING = 10  # questions that an admin is shown at once
LONGEST_ID = 16  # digits; ids have at most 52 significant bits (Bot API, "Chat")
WAITING: tuple[ChatStatus, ...] = ("pending",)
UNDECIDED: tuple[ChatStatus, ...] = ("pending", "gone")
WELCOME: tuple[ChatStatus, ...] = ("pending", "active", "stopped", "gone")  # where the bot is open to all
LET_IN: tuple[ChatStatus, ...] = ("active", "stopped", "gone")  # a chat that was approved at some time
DECISIONS: Mapping[str, tuple[ChatStatus, tuple[ChatStatus, ...]]] = {
    "approve": ("active", (*WAITING, "refused")),
    "refuse": ("refused", WAITING),
    "remove": ("refused", (*WAITING, *LET_IN)),
}
"""What an admin can decide of a chat: what it is then, and what it may have been before."""


async def start(call: Call) -> Reply:
    """Greet; let the chat in at once, or ask the admins, as `[telegram] access` says."""
    request, telegram = call.request, call.desk.config().telegram
    admin = call.desk.is_admin(request.user_id)
    welcome = None if admin else WELCOME if telegram.access == "open" else LET_IN
    chat = await call.change(only_from=welcome, status="active", title=request.chat_title, managing=None)
    if chat.status == "active":
        waiting = await _waiting(call) if admin and request.private else ()
        return replace(await _welcome(replace(call, chat=chat)), others=waiting)
    if chat.status == "refused":
        return call.reply("refusal.refused", id=request.user_id)
    if telegram.access == "closed":
        return call.reply("start.closed", id=request.user_id)
    if not telegram.admins:
        return call.reply("start.nobody_approves", id=request.user_id)
    asks = replace(chat, title=request.chat_title)
    now = call.desk.clock.now()
    asked = await call.desk.store.write(partial(chats.ask, default=asks, now=now, again=ASK_AGAIN))
    question = _question(asks, telegram.language)
    questions = tuple((admin, question) for admin in sorted(telegram.admins)) if asked else ()
    return replace(call.reply("start.pending", id=request.user_id), others=questions)


async def let_in(call: Call) -> Call:
    """Return a call whose chat is active if it need not send /start: the bot is open to it, or was before."""
    open_to_it = call.desk.config().telegram.access == "open" or call.desk.is_admin(call.request.user_id)
    if call.chat.status == "gone" or (call.chat.status == "pending" and open_to_it):
        chat = await call.change(only_from=UNDECIDED, status="active", title=call.request.chat_title)
        return replace(call, chat=chat)
    return call


async def stop(call: Call) -> Reply:
    """Tell the chat nothing more; its subscriptions stay for the day it comes back."""
    await call.change(only_from=("active", "gone"), status="stopped")
    return call.reply("stop.done")


async def approve(call: Call) -> Reply:
    """Let a chat in that asked, or one that was refused."""
    return await _decide(call, "active", WAITING if call.request.pressed else (*WAITING, "refused"))


async def refuse(call: Call) -> Reply:
    """Keep a chat out that asked, or, if the admin writes the command, one that was let in."""
    return await _decide(call, "refused", WAITING if call.request.pressed else (*WAITING, *LET_IN))


async def decide(call: Call, decision: str) -> Reply:
    """Let the chat of the argument in or shut it out, whatever was decided of it before; see `DECISIONS`."""
    return await _decide(call, *DECISIONS[decision])


async def _decide(call: Call, status: ChatStatus, only_from: Collection[ChatStatus]) -> Reply:
    """Change what a chat may do, and say how it stands: a button decides once, whichever admin is first."""
    if not call.argument:
        return call.reply("access.which")
    number = call.argument.removeprefix("-")
    if not (number.isdecimal() and len(number) <= LONGEST_ID):
        return call.reply("access.unknown_chat", argument=clip(call.argument, ECHO))
    chat_id, store = int(call.argument), call.desk.store
    if status == "refused" and call.desk.is_admin(chat_id):
        return call.reply("access.admin", id=chat_id)
    job = partial(chats.set_status, chat_id=chat_id, status=status, only_from=only_from)
    changed = await store.write(job)
    chat = await store.read(partial(chats.get, chat_id=chat_id))
    if chat is None:
        return call.reply("access.unknown_chat", argument=call.argument)
    how = "refused" if chat.status == "refused" else "approved"
    told = ((chat.id, await _verdict(call, chat, how)),) if changed else ()
    return Reply(Message(call.say(f"access.{how}", title=chat.title, id=chat.id)), others=told)


async def _verdict(call: Call, chat: Chat, how: str) -> Message:
    text = say(chat.language, f"access.you_are_{how}")
    if how != "approved":
        return Message(text)
    return await topics.board(replace(call, chat=chat), text)


async def _welcome(call: Call) -> Reply:
    """Greet, say what is watched, and offer it."""
    sources = call.desk.sources()
    official = sum(source.official for source in sources)
    text = call.say(
        "start.welcome",
        sources=call.say("start.sources", count=len(sources)),
        official=call.say("start.official", count=official),
    )
    return Reply(await topics.board(call, text))


async def _waiting(call: Call) -> tuple[tuple[int, Message], ...]:
    """Return the questions that wait for an admin's answer."""
    pending = await call.desk.store.read(partial(chats.waiting, limit=MOST_WAITING))
    return tuple((call.request.chat_id, _question(chat, call.chat.language)) for chat in pending)


def _question(chat: Chat, language: str) -> Message:
    """Ask an admin whether a chat may hear the bot."""
    buttons = (
        Button(say(language, "access.approve"), f"/approve {chat.id}"),
        Button(say(language, "access.refuse"), f"/refuse {chat.id}"),
    )
    return Message(say(language, "access.question", title=chat.title, id=chat.id), buttons=(buttons,))
