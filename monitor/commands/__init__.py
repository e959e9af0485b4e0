"""The commands of the chat, in one table.

A command is a function that takes a `Call` and returns a `Reply`, with a row here and a phrase
`help.<name>` in every catalogue. No Telegram type comes this far.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from monitor.commands import about, membership, reading, settings, topics
from monitor.commands.desk import Call, Command, Desk, Vitals, nearest
from monitor.markup import escape
from monitor.model import Button, Message, Reply, Request
from monitor.phrases import LANGUAGES, say

__all__ = ["COMMANDS", "Desk", "Vitals", "answer", "menus"]

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("start", "anyone", membership.start),
        Command("topics", "member", topics.topics),
        Command("subscribe", "member", topics.subscribe),
        Command("unsubscribe", "member", topics.unsubscribe),
        Command("latest", "member", reading.latest),
        Command("sources", "member", reading.sources),
        Command("status", "member", about.status),
        Command("language", "anyone", settings.language),
        Command("timezone", "member", settings.timezone),
        Command("help", "anyone", about.help_),
        Command("stop", "anyone", membership.stop),
        Command("approve", "admin", membership.approve, listed=False),
        Command("refuse", "admin", membership.refuse, listed=False),
    )
}

SPOKEN = re.compile(r"/(\w+)\s*(.*)", re.DOTALL)


async def answer(desk: Desk, request: Request) -> Reply | None:
    """Return what the bot says to a request; None where it is better silent."""
    spoken = SPOKEN.match(request.text)
    if not spoken and not request.private:
        return None
    name, argument = (spoken[1].lower(), spoken[2].strip()) if spoken else ("", request.text)
    call = Call(desk, request, await desk.chat(request), argument)
    command = COMMANDS.get(name)
    if command is None:
        return _unknown(call, name)
    if command.who == "admin" and not desk.is_admin(request.user_id):
        return call.reply("refusal.admins_only")
    if command.who == "member" and call.chat.status != "active":
        return call.reply(f"refusal.{call.chat.status}", id=request.user_id)
    reply = await command.run(call)
    return reply if reply.notice or not request.pressed else replace(reply, notice="")


def menus() -> dict[str, list[tuple[str, str]]]:
    """Return the menu of commands, as (command, help), by language; "" is for every other language."""
    table = {
        language: [(c.name, str(say(language, f"help.{c.name}"))) for c in COMMANDS.values() if c.listed]
        for language in LANGUAGES
    }
    return {"": table[LANGUAGES[0]], **table}


def _unknown(call: Call, name: str) -> Reply:
    if not name:
        return call.reply("refusal.no_command")
    listed = {command.name: command.name for command in COMMANDS.values() if command.listed}
    meant = nearest(name, listed)
    if meant is None:
        return call.reply("refusal.unknown_command", name=name)
    text = call.say("refusal.misspelt_command", name=name, meant=escape(meant))
    return Reply(Message(text, buttons=((Button(f"/{meant}", f"/{meant}"),),)))
