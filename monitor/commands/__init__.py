"""The commands of the chat, in one table.

A command is a function that takes a `Call` and returns a `Reply`, with a row here and a phrase
`help.<name>` in every catalogue. No Telegram type comes this far.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace

from monitor import errors
from monitor.commands import (
    about,
    adding,
    alerts,
    arrivals,
    channels,
    health,
    importing,
    membership,
    mutes,
    people,
    reading,
    rhythms,
    searching,
    settings,
    topics,
    trends,
    upkeep,
    watching,
)
from monitor.commands.desk import ECHO, Call, Command, Desk, Vitals, nearest
from monitor.markup import Safe, escape
from monitor.model import Button, Chat, Message, Reply, Request
from monitor.phrases import LANGUAGES, say
from monitor.prose import clip

__all__ = ["COMMANDS", "Desk", "Vitals", "answer", "menus", "moved"]

log = logging.getLogger(__name__)

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("start", "anyone", membership.start, settles=True, own=True),
        Command("topics", "member", topics.topics),
        Command("subscribe", "member", topics.subscribe, settles=True),
        Command("unsubscribe", "member", topics.unsubscribe, settles=True),
        Command("watch", "member", watching.watch, settles=True),
        Command("unwatch", "member", watching.unwatch, settles=True),
        Command("mute", "member", mutes.mute, settles=True),
        Command("unmute", "member", mutes.unmute, settles=True),
        Command("quiet", "member", mutes.quiet, settles=True),
        Command("digest", "member", rhythms.digest, settles=True),
        Command("silent", "member", rhythms.silent, settles=True),
        Command("latest", "member", reading.latest),
        Command("search", "member", searching.search),
        Command("trend", "member", trends.trend),
        Command("sources", "member", health.sources),
        Command("status", "member", about.status),
        Command("language", "anyone", settings.language, settles=True),
        Command("timezone", "member", settings.timezone, settles=True),
        Command("manage", "member", channels.manage, own=True),
        Command("help", "anyone", about.help_),
        Command("stop", "anyone", membership.stop, settles=True, own=True),
        Command("add", "admin", adding.add),
        Command("remove", "admin", adding.remove),
        Command("import", "admin", importing.import_),
        Command("pause", "admin", adding.pause),
        Command("resume", "admin", adding.resume),
        Command("health", "admin", health.health),
        Command("chats", "admin", people.chats_),
        Command("reload", "admin", upkeep.reload),
        Command("more", "member", alerts.more, own=True, listed=False),
        Command("irrelevant", "member", alerts.irrelevant, own=True, listed=False),
        Command("enough", "member", alerts.enough, settles=True, own=True, listed=False),
        Command("hush", "member", alerts.hush, settles=True, own=True, listed=False),
        Command("approve", "admin", membership.approve, listed=False),
        Command("refuse", "admin", membership.refuse, listed=False),
    )
}

moved = arrivals.moved

SPOKEN = re.compile(r"/(\w+)\s*(.*)", re.DOTALL)


async def answer(desk: Desk, request: Request) -> Reply | None:
    """Return what the bot says to a request; None where it is better silent."""
    language = desk.config().telegram.language
    try:
        chat = await desk.chat(request)
        language = chat.language
        return await _answer(desk, request, chat)
    except errors.StoreUnwritable as error:
        log.error("command state=failed error=%r", str(error))  # noqa: TRY400 -- one line, no trace
        sentence = say(language, "refusal.unwritable")
        return Reply(None, notice=sentence) if request.pressed else Reply(Message(sentence))


async def _answer(desk: Desk, request: Request, chat: Chat) -> Reply | None:
    text = desk.shortcuts.resolve(request.text)
    if text is None:
        return Reply(None, notice=say(chat.language, "refusal.stale_button"))
    spoken = SPOKEN.match(text)
    if not spoken and not request.private:
        return None
    name, argument = (spoken[1].lower(), spoken[2].strip()) if spoken else ("", text)
    call = Call(desk, request, chat, argument)
    command = COMMANDS.get(name)
    if command is None:
        return _unknown(call, name) if request.private or request.pressed else None
    if refusal := await _refusal(call, command):
        return refusal
    if command.who == "member":
        call = await membership.let_in(call)
        if call.chat.status != "active":
            return channels.refused(call, _why(call))
    reply = await _run(call, command)
    return reply if reply.notice or not request.pressed else replace(reply, notice="")


async def _refusal(call: Call, command: Command) -> Reply | None:
    """Return the answer to somebody who may not use a command, whichever chat it is in."""
    if command.who == "admin" and not call.desk.is_admin(call.request.user_id):
        return channels.refused(call, call.say("refusal.admins_only"))
    return await channels.refusal(call) if command.settles else None


async def _run(call: Call, command: Command) -> Reply:
    """Run a command, for the channel that its chat manages where that is meant."""
    if call.chat.managing is None or not (command.who == "member" or command.settles) or command.own:
        return await command.run(call)
    managed = await channels.managed(call)
    return channels.headed(managed, await command.run(managed)) if isinstance(managed, Call) else managed


def menus() -> dict[str, list[tuple[str, str]]]:
    """Return the menu of commands, as (command, help), by language; "" is for every other language.

    Those of the admins are not in it: everybody sees the menu.
    """
    table = {
        language: [
            (c.name, str(say(language, f"help.{c.name}")))
            for c in COMMANDS.values()
            if c.listed and c.who != "admin"
        ]
        for language in LANGUAGES
    }
    return {"": table[LANGUAGES[0]], **table}


def _why(call: Call) -> Safe:
    """Return why a chat may not use a command yet."""
    access, user = call.desk.config().telegram.access, call.request.user_id
    if call.chat.status != "pending":
        return call.say(f"refusal.{call.chat.status}", id=user)
    return call.say("start.closed" if access == "closed" else "refusal.pending", id=user)


def _unknown(call: Call, name: str) -> Reply:
    if not name:
        return call.reply("refusal.no_command")
    admin = call.desk.is_admin(call.request.user_id)
    mine = [one.name for one in COMMANDS.values() if one.listed and (admin or one.who != "admin")]
    meant = nearest(name, {known: known for known in mine})
    if meant is None:
        return call.reply("refusal.unknown_command", name=clip(name, ECHO))
    text = call.say("refusal.misspelt_command", name=clip(name, ECHO), meant=escape(meant))
    return Reply(Message(text, buttons=((Button(f"/{meant}", f"/{meant}"),),)))
