"""How a chat wants to be spoken to: /language, /timezone."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale

from monitor import hours, zones
from monitor.commands import hearing
from monitor.commands.desk import ECHO, Call, rows
from monitor.markup import Safe
from monitor.model import Button, Message, Reply
from monitor.phrases import LANGUAGES, say, spoken
from monitor.prose import clip

OFFERED = ("Europe/Kyiv", "Europe/London", "Europe/Berlin", "Europe/Vilnius", "America/New_York", "UTC")


async def language(call: Call) -> Reply:
    """Let the chat choose the language of the bot's own words."""
    names = {code: str(say(code, "name")) for code in LANGUAGES}
    chosen = call.argument.casefold()
    code = next((code for code in names if chosen in _called(code)), None)
    if code is None:
        buttons = [Button(name, f"/language {code}") for code, name in names.items()]
        key = "language.unknown" if chosen else "language.which"
        text = call.say(key, argument=clip(call.argument, ECHO))
        return Reply(Message(text, buttons=rows(buttons, 3)))
    await call.change(language=code)
    return Reply(Message(say(code, "language.done")))


def _called(code: str) -> set[str]:
    """Return what a language is called in all languages that the bot speaks, and its code."""
    return {code, *(Locale.parse(spoken(one)).languages[code].casefold() for one in LANGUAGES)}


async def timezone(call: Call) -> Reply:
    """Let the chat choose the zone in which times are shown and meant."""
    if not call.argument:
        text = call.say("timezone.which", zone=zones.shown(call.chat.timezone))
        return _choice(call, text, OFFERED)
    if there := zones.spot(call.argument):
        near = zones.around(there, call.desk.clock.now())
        return (
            await _chosen(call, near[0]) if len(near) == 1 else _choice(call, call.say("timezone.near"), near)
        )
    zone = zones.named(call.argument)
    if zone is None:
        text = call.say("timezone.unknown", argument=clip(call.argument, ECHO))
        return _choice(call, text, zones.suggestions(call.argument[:ECHO]))
    return await _chosen(call, zone)


async def _chosen(call: Call, zone: str) -> Reply:
    await hearing.adjust_chat(call, timezone=zone)
    time = f"{call.desk.clock.now().astimezone(hours.zone(zone)):%H:%M}"
    return call.reply("timezone.done", zone=zones.shown(zone), time=time)


def _choice(call: Call, text: str, offered: Iterable[str]) -> Reply:
    """Ask with a button for each zone, which shows what time it is there."""
    now = call.desk.clock.now()
    buttons = [
        Button(f"{zone} · {now.astimezone(hours.zone(zone)):%H:%M}", f"/timezone {zone}") for zone in offered
    ]
    return Reply(Message(Safe(text), buttons=rows(buttons, 2)))
