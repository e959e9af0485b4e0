"""Who speaks for a group or a channel: the rights of their admins, and /manage, which sets a channel up.

Nobody writes commands in a channel. One of its admins writes them to the bot in private, after saying
with /manage which channel is meant.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from monitor import errors, hours
from monitor.commands.desk import ECHO, Call
from monitor.markup import Safe, plain, split
from monitor.model import Button, Chat, Message, Peer, Reply
from monitor.prose import clip
from monitor.store import Database, chats

NUMBER = re.compile(r"-?\d{1,16}", re.ASCII)  # ids have at most 52 significant bits (Bot API, "Chat")
NAME = re.compile(
    r"(?:https?://)?(?:t\.me/|telegram\.me/|@)?([a-z]\w{3,31})/?(?:\d+)?", re.ASCII | re.IGNORECASE
)
HOME = {"home", "back", "me", "назад"}


async def refusal(call: Call) -> Reply | None:
    """Return the answer to somebody who may not settle what a group is told; None for those who may."""
    request = call.request
    if request.private or request.anonymous:
        return None
    try:
        staff = await call.desk.staff(request.chat_id, request.user_id)
    except errors.MonitorError:
        return refused(call, call.say("refusal.cannot_check"))
    if request.user_id in staff.admins:
        return None
    return refused(call, call.say("refusal.group_admins_only"))


def refused(call: Call, said: Safe) -> Reply:
    """Refuse: to a press with a notice, so that the buttons stay for those who may press them."""
    return Reply(None, notice=plain(said)) if call.request.pressed else Reply(Message(said))


async def manage(call: Call) -> Reply:
    """Let the private chat of a channel's admin speak for the channel, or for itself again."""
    if not call.request.private:
        return call.reply("manage.in_private")
    if hours.is_off(call.argument) or call.argument.casefold() in HOME:
        await call.change(managing=None)
        return call.reply("manage.ended")
    return await (_named(call) if call.argument else _which(call))


async def _named(call: Call) -> Reply:
    """Set up the channel that is named."""
    number, name = NUMBER.fullmatch(call.argument), NAME.fullmatch(call.argument)
    if number is None and name is None:
        return call.reply("manage.wrong", argument=clip(call.argument, ECHO))
    try:
        peer = await call.desk.find_chat(int(call.argument) if number else f"@{name[1] if name else ''}")
    except errors.TelegramUnreachable:
        return call.reply("refusal.cannot_check")
    except errors.MonitorError:
        return call.reply("manage.not_there", title=clip(call.argument, ECHO))
    return await _set_up(call, peer)


async def _set_up(call: Call, peer: Peer) -> Reply:
    said = clip(call.argument, ECHO)  # not the title: whose chat has this id is nobody else's business
    if peer.kind != "channel":
        return call.reply("manage.no_channel", title=said)
    if trouble := await _trouble(call, peer.id):
        return call.reply(trouble, title=said)
    now, home = call.desk.clock.now(), call.chat
    begun = Chat(peer.id, peer.title, "active", home.language, home.timezone, "channel")

    def write(db: Database) -> Chat:
        facts = {"status": "active", "title": peer.title, "kind": "channel"}
        channel = chats.change(db, begun, facts, now, only_from=("active", "pending", "stopped", "gone"))
        if channel.status == "active":
            chats.change(db, home, {"managing": peer.id}, now)
        return channel

    channel = await call.desk.store.write(write)
    if channel.status != "active":
        return call.reply("refusal.refused", id=peer.id)
    buttons = (
        (Button(call.say("manage.topics"), "/topics"),),
        (Button(call.say("manage.end"), "/manage off"),),
    )
    return Reply(Message(call.say("manage.done", title=peer.title), buttons=buttons))


async def _which(call: Call) -> Reply:
    """Say which channel is managed, and how another one is."""
    if call.chat.managing is None:
        return call.reply("manage.which")
    channel = await call.desk.store.read(partial(chats.get, chat_id=call.chat.managing))
    text = call.say("manage.now", title=channel.title if channel else call.chat.managing)
    return Reply(Message(text, buttons=((Button(call.say("manage.end"), "/manage off"),),)))


async def managed(call: Call) -> Call | Reply:
    """Return a call as one about the channel that its chat manages, or the answer if it may not any more."""
    channel = await call.desk.store.read(partial(chats.get, chat_id=call.chat.managing or 0))
    trouble = await _trouble(call, channel.id) if channel else "manage.not_there"
    if channel is None or trouble:
        if trouble != "refusal.cannot_check":
            await call.change(managing=None)
        return call.reply(trouble or "", title=channel.title if channel else "")
    about = replace(call, chat=channel, home=call.chat)
    if channel.status == "active":
        return about
    chat = await about.change(only_from=("gone", "stopped", "pending"), status="active")
    return replace(about, chat=chat) if chat.status == "active" else call.reply("refusal.refused", id=chat.id)


async def _trouble(call: Call, channel_id: int) -> str:
    """Return why somebody may not speak for a channel, as a phrase; "" for those who may."""
    try:
        staff = await call.desk.staff(channel_id, call.request.user_id)
    except errors.TelegramUnreachable:
        return "refusal.cannot_check"
    except errors.MonitorError:
        return "manage.not_there"
    if call.request.user_id not in staff.admins:
        return "manage.not_admin"
    return "" if staff.posts else "manage.cannot_post"


def headed(call: Call, reply: Reply) -> Reply:
    """Return a reply that says which channel it is about, where there is room for that."""
    if reply.message is None:
        return reply
    texts = split([call.say("manage.heading", title=clip(call.chat.title, ECHO)), "", reply.message.html])
    return replace(reply, message=replace(reply.message, html=texts[0])) if len(texts) == 1 else reply
