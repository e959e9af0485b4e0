"""How a chat wants to be spoken to: /language, /timezone."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from monitor.commands import hearing
from monitor.commands.desk import ECHO, Call, nearest, rows
from monitor.model import Button, Message, Reply
from monitor.phrases import LANGUAGES, say
from monitor.prose import clip

OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−])\s*0?(\d{1,2})(?::?00)?", re.IGNORECASE | re.ASCII)
TURNED = re.compile(r"(etc/)?gmt")  # in some of these "+3" is west of Greenwich: nothing to be offered
FIXED = re.compile(r"Etc/GMT([+-])(\d+)")
OFFERED = ("Europe/Kyiv", "Europe/London", "Europe/Berlin", "Europe/Vilnius", "America/New_York", "UTC")


async def language(call: Call) -> Reply:
    """Let the chat choose the language of the bot's own words."""
    names = {code: str(say(code, "name")) for code in LANGUAGES}
    chosen = call.argument.casefold()
    code = next((code for code, name in names.items() if chosen in {code, name.casefold()}), None)
    if code is None:
        buttons = [Button(name, f"/language {code}") for code, name in names.items()]
        return Reply(Message(call.say("language.which"), buttons=rows(buttons, 3)))
    await call.change(language=code)
    return Reply(Message(say(code, "language.done")))


async def timezone(call: Call) -> Reply:
    """Let the chat choose the zone in which times are shown."""
    if not call.argument:
        buttons = [Button(zone, f"/timezone {zone}") for zone in OFFERED]
        text = call.say("timezone.which", zone=zone_name(call.chat.timezone))
        return Reply(Message(text, buttons=rows(buttons, 2)))
    known = _zones()
    zone = _fixed(call.argument) or known.get(call.argument.casefold())
    if zone is None:
        meant = nearest(call.argument, {key: key for key in known if not TURNED.match(key)})
        buttons = [Button(known[meant], f"/timezone {known[meant]}")] if meant else []
        text = call.say("timezone.unknown", argument=clip(call.argument, ECHO))
        return Reply(Message(text, buttons=rows(buttons, 1)))
    await hearing.adjust_chat(call, timezone=zone)
    return call.reply("timezone.done", zone=zone_name(zone))


def zone_name(zone: str) -> str:
    """Return how a time zone is shown: by its name, a fixed one by its offset, "UTC+03:00"."""
    fixed = FIXED.fullmatch(zone)
    if fixed is None:
        return zone
    sign = "+" if fixed[1] == "-" else "-"  # "Etc/GMT-3" is east of Greenwich (tz database, file "etcetera")
    return f"UTC{sign}{int(fixed[2]):02}:00"


def _fixed(offset: str) -> str | None:
    """Return the zone of an offset such as "+3", "UTC+3" or "-05:00"; None for what is none."""
    found = OFFSET.fullmatch(offset.strip())
    if found is None:
        return None
    hours = int(found[2])
    if not hours:
        return "UTC"
    return _zones().get(f"etc/gmt{'-' if found[1] == '+' else '+'}{hours}")


@cache
def _zones() -> dict[str, str]:
    """Return the IANA time zones by their names in small letters."""
    return {zone.casefold(): zone for zone in sorted(available_timezones())}
