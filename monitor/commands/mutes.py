"""When a chat is left in peace: /mute, /unmute, /quiet.

Nothing is lost by any of them: what comes meanwhile is told as one digest when they end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from monitor import hours, render, zones
from monitor.commands import hearing
from monitor.commands.desk import ECHO, Call, listing, rows
from monitor.config.durations import format_duration, parse_duration
from monitor.model import Button, Message, Reply, Topic
from monitor.prose import clip
from monitor.store import Database, chats, outbox

LONGEST = timedelta(days=365)
OFFERED = ("1h", "2h", "8h", "1d", "7d")
NIGHTS = ("22:00-07:00", "23:00-07:00", "00:00-08:00")
AMOUNT = re.compile(r"(\d+)\s*([^\W\d]+)")
NUMBER = re.compile(r"\d{1,4}", re.ASCII)
UNITS = (
    ("w", ("w", "тиж", "нед")),
    ("d", ("d", "д", "сут", "доб")),
    ("h", ("h", "г", "ч")),
    ("m", ("m", "хв", "м")),
    ("s", ("s", "с")),
)
"""How the names of the units begin in the languages that the bot speaks, the more telling ones first."""


async def mute(call: Call) -> Reply:
    """Tell a chat nothing, or nothing of a topic, for a while; "off" is what /unmute says."""
    topic, _, last = call.argument.rpartition(" ")
    if hours.is_off(last):
        return await unmute(replace(call, argument=topic.strip()))
    return await _mute(call)


async def _mute(call: Call) -> Reply:
    if not call.argument:
        return Reply(_how_long(call, "mute.how_long"))
    name, length = _read(call.argument)
    if length is not None and not timedelta(0) < length <= LONGEST:
        return Reply(_how_long(call, "mute.too_long" if length else "mute.none"))
    if length is not None and not name:
        return await _mute_chat(call, length)
    again = f"/mute {{}} {format_duration(length) if length else ''}".strip()
    chosen = await hearing.pick(call, name, again, unknown="mute.wrong")
    if isinstance(chosen, Reply):
        return Reply(_which_unit(call, name)) if NUMBER.fullmatch(name) and length is None else chosen
    if length is None:
        return Reply(_how_long(call, "mute.how_long_topic", chosen))
    until = hearing.end(call, length)
    await hearing.adjust(call, chosen, muted=until)
    names = listing(topic.name for topic in chosen)
    said = call.say("mute.topic", names=names, time=hearing.clock(call, until))
    return Reply(Message(said, buttons=_undo(call, hearing.command(call, "unmute", chosen))))


async def _mute_chat(call: Call, length: timedelta) -> Reply:
    until = hearing.end(call, length)
    await hearing.adjust_chat(call, muted=until)
    said = call.say("mute.chat", time=hearing.clock(call, until))
    return Reply(Message(said, buttons=_undo(call, "/unmute")))


async def unmute(call: Call) -> Reply:
    """End the mute of a topic, or every mute of the chat."""
    if call.argument:
        chosen = await hearing.pick(call, call.argument, "/unmute {}")
        if isinstance(chosen, Reply):
            return chosen
        await hearing.adjust(call, chosen, muted=None)
        return await _spoken(call, "mute.topic_ended", chosen)
    now = call.desk.clock.now()

    def write(db: Database) -> None:
        chats.change(db, call.chat, {"muted": None}, now)
        chats.adjust(db, call.place, chats.topics(db, *call.place), muted=None)
        outbox.hold_anew(db, call.chat.id, now)

    await call.desk.store.write(write)
    call.desk.wake()
    return await _spoken(call, "mute.ended", [topic for topic, _ in (await hearing.heard(call)).values()])


async def _spoken(call: Call, key: str, topics: Sequence[Topic]) -> Reply:
    """Return that a mute of these topics is over, and when what it kept comes if something else holds it."""
    ids, now = frozenset(topic.id for topic in topics), call.desk.clock.now()
    job = partial(outbox.kept_until, chat_id=call.chat.id, topic_ids=ids, now=now)
    until = await call.desk.store.read(job)
    names = listing(topic.name for topic in topics)
    if until is None:
        return call.reply(key, names=names)
    return call.reply(f"{key}_later", names=names, time=hearing.clock(call, until))


async def quiet(call: Call) -> Reply:
    """Let a chat choose the hours in which it is told only what is urgent."""
    chosen = hours.parse_quiet(call.argument)
    if chosen is None and not hours.is_off(call.argument):
        return Reply(_which_hours(call))
    await hearing.adjust_chat(call, quiet=chosen)
    if chosen is None:
        return call.reply("quiet.off")
    buttons = ((Button(call.say("quiet.zone"), "/timezone"), Button(call.say("quiet.end"), "/quiet off")),)
    zone = zones.shown(call.chat.timezone)
    return Reply(Message(call.say("quiet.done", hours=chosen, zone=zone), buttons=buttons))


def _which_hours(call: Call) -> Message:
    buttons = [Button(night, f"/quiet {night}") for night in NIGHTS]
    if call.chat.quiet:
        buttons.append(Button(call.say("quiet.end"), "/quiet off"))
    zone = zones.shown(call.chat.timezone)
    if call.argument:
        text = call.say("quiet.wrong", argument=clip(call.argument, ECHO))
    elif call.chat.quiet:
        text = call.say("quiet.now", hours=call.chat.quiet, zone=zone)
    else:
        text = call.say("quiet.which", zone=zone)
    return Message(text, buttons=rows(buttons, 2))


def duration(text: str) -> timedelta | None:
    """Return the length that "2h", "1 hour 30 min" or "2 години" stands for; None for what is none."""
    short = AMOUNT.sub(lambda found: found[1] + _unit(found[2]), text.casefold())
    try:
        return parse_duration(short)
    except ValueError:
        return None


def _unit(word: str) -> str:
    """Return the letter of a unit of time; a word that is none stays."""
    return next((unit for unit, names in UNITS if word.startswith(names)), word)


def _read(argument: str) -> tuple[str, timedelta | None]:
    """Return the topic that is named, if one is, and for how long: that is said at the end or in front."""
    length = duration(argument)
    if length is not None:
        return "", length
    for name, last in hearing.tail(argument):
        length = duration(last)
        if length is not None:
            return name, length
    first, _, rest = argument.partition(" ")
    length = duration(first)
    return (argument, None) if length is None else (rest, length)


def _how_long(call: Call, key: str, topics: Sequence[Topic] = ()) -> Message:
    """Ask for how long a chat, or topics in it, are to be muted."""
    buttons = [
        Button(
            render.span(parse_duration(length), call.language, threshold=1),
            hearing.command(call, "mute", topics, length),
        )
        for length in OFFERED
    ]
    table = rows(buttons, 3)
    if not topics and call.chat.muted and call.chat.muted > call.desk.clock.now():
        table += _undo(call, "/unmute")
    return Message(call.say(key, names=listing(topic.name for topic in topics)), buttons=table)


def _which_unit(call: Call, number: str) -> Message:
    """Ask whether a bare number is meant in minutes, hours or days; 0 is none of them."""
    if not int(number):
        return _how_long(call, "mute.none")
    spans = {unit: duration(f"{number}{unit}") for unit in "mhd"}
    commands = [f"/mute {number}{unit}" for unit, span in spans.items() if span and span <= LONGEST]
    return Message(
        call.say("mute.unit", number=number), buttons=rows([Button(one, one) for one in commands], 3)
    )


def _undo(call: Call, command: str) -> tuple[tuple[Button, ...], ...]:
    return ((Button(call.say("mute.end"), command),),)
