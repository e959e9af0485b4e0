"""Who may hear the bot: /start, /stop, and what an admin says to those who ask."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from monitor.commands import topics
from monitor.commands.desk import Call
from monitor.model import Button, Chat, ChatStatus, Message, Reply
from monitor.phrases import say
from monitor.store import chats

LONGEST_ID = 16  # digits; ids have at most 52 significant bits (Bot API, "Chat")


async def start(call: Call) -> Reply:
    """Greet; let the chat in at once, or ask the admins, as `[telegram] access` says."""
    desk, request = call.desk, call.request
    access = desk.config().telegram.access
    was = call.chat.status
    known = await desk.store.read(partial(chats.get, chat_id=request.chat_id))
    if access == "open" or desk.is_admin(request.user_id) or was in {"active", "stopped", "gone"}:
        await desk.save(replace(call.chat, status="active", title=request.chat_title))
        return await _welcome(call)
    if access == "closed" or was == "refused":
        return call.reply("start.closed", id=request.user_id)
    await desk.save(replace(call.chat, title=request.chat_title))
    admins = desk.config().telegram.admins
    if not admins:
        return call.reply("start.nobody_approves", id=request.user_id)
    asked = () if known else tuple((admin, _question(call)) for admin in sorted(admins))
    return replace(call.reply("start.pending", id=request.user_id), others=asked)


async def stop(call: Call) -> Reply:
    """Tell the chat nothing more; its subscriptions stay for the day it comes back."""
    if call.chat.status in {"active", "gone"}:
        await call.desk.save(replace(call.chat, status="stopped"))
    return call.reply("stop.done")


async def approve(call: Call) -> Reply:
    """Let a chat in that asked."""
    return await _decide(call, "active", "approved")


async def refuse(call: Call) -> Reply:
    """Keep a chat out that asked."""
    return await _decide(call, "refused", "refused")


async def _decide(call: Call, status: ChatStatus, how: str) -> Reply:
    number = call.argument.removeprefix("-")
    chat = None
    if number.isdecimal() and len(number) <= LONGEST_ID:
        chat = await call.desk.store.read(partial(chats.get, chat_id=int(call.argument)))
    if chat is None:
        return call.reply("access.unknown_chat", argument=call.argument)
    await call.desk.store.write(partial(chats.set_status, chat_id=chat.id, status=status))
    told = ((chat.id, await _verdict(call, chat, how)),) if chat.status != status else ()
    return Reply(Message(call.say(f"access.{how}", title=chat.title, id=chat.id)), others=told)


async def _verdict(call: Call, chat: Chat, how: str) -> Message:
    text = say(chat.language, f"access.you_are_{how}")
    if how != "approved":
        return Message(text)
    return await topics.board(replace(call, chat=chat), text)


async def _welcome(call: Call) -> Reply:
    """Greet, say what is watched, and offer it."""
    config = call.desk.config()
    official = sum(source.official for source in config.sources)
    text = call.say(
        "start.welcome",
        sources=call.say("start.sources", count=len(config.sources)),
        official=call.say("start.official", count=official),
    )
    return Reply(await topics.board(call, text))


def _question(call: Call) -> Message:
    """Ask an admin whether a chat may hear the bot."""
    language = call.desk.config().telegram.language
    request = call.request
    buttons = (
        Button(say(language, "access.approve"), f"/approve {request.chat_id}"),
        Button(say(language, "access.refuse"), f"/refuse {request.chat_id}"),
    )
    text = say(language, "access.question", title=request.chat_title, id=request.chat_id)
    return Message(text, buttons=(buttons,))
