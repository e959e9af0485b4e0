"""How a chat wants to be spoken to: /language, /timezone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from zoneinfo import available_timezones

from monitor.commands.desk import Call, nearest, rows
from monitor.model import Button, Message, Reply
from monitor.phrases import LANGUAGES, say

OFFERED = ("Europe/Kyiv", "Europe/London", "Europe/Berlin", "Europe/Vilnius", "America/New_York", "UTC")


async def language(call: Call) -> Reply:
    """Let the chat choose the language of the bot's own words."""
    names = {code: str(say(code, "name")) for code in LANGUAGES}
    chosen = call.argument.casefold()
    code = next((code for code, name in names.items() if chosen in {code, name.casefold()}), None)
    if code is None:
        buttons = [Button(name, f"/language {code}") for code, name in names.items()]
        return Reply(Message(call.say("language.which"), buttons=rows(buttons, 3)))
    await call.desk.save(replace(call.chat, language=code))
    return Reply(Message(say(code, "language.done")))


async def timezone(call: Call) -> Reply:
    """Let the chat choose the zone in which times are shown."""
    if not call.argument:
        buttons = [Button(zone, f"/timezone {zone}") for zone in OFFERED]
        text = call.say("timezone.which", zone=call.chat.timezone)
        return Reply(Message(text, buttons=rows(buttons, 2)))
    known = _zones()
    zone = known.get(call.argument.casefold())
    if zone is None:
        meant = nearest(call.argument, known)
        buttons = [Button(known[meant], f"/timezone {known[meant]}")] if meant else []
        text = call.say("timezone.unknown", argument=call.argument)
        return Reply(Message(text, buttons=rows(buttons, 1)))
    await call.desk.save(replace(call.chat, timezone=zone))
    return call.reply("timezone.done", zone=zone)


@cache
def _zones() -> dict[str, str]:
    """Return the IANA time zones by their names in small letters."""
    return {zone.casefold(): zone for zone in sorted(available_timezones())}
