"""How alerts come: /digest for at once or together, /silent for without a sound."""

from __future__ import annotations

from collections.abc import Sequence

from monitor import hours, zones
from monitor.commands import hearing
from monitor.commands.desk import ECHO, Call, listing, rows
from monitor.markup import Safe
from monitor.model import Button, Message, Reply, Rhythm, Subscription, Topic
from monitor.prose import clip

OFFERED = ("hourly", "daily 08:00", "daily 18:00", "off")
DEFAULT = {"default", "chat", "типово", "чат", "обычно"}  # a topic as the chat has it
AUDIBLE = {"on", "sound", "звук", "увімк", "вкл"} | {"off"}  # "/silent TOPIC off": with a sound again


async def digest(call: Call) -> Reply:
    """Let alerts come together, all those of a chat or those of a topic."""
    if not call.argument:
        return Reply(_which(call, call.say("digest.now", how=how(call, call.chat.rhythm))))
    if rhythm := hours.parse_rhythm(call.argument):
        await hearing.adjust_chat(call, rhythm=rhythm)
        done = "digest.done_off" if rhythm.every == "off" else "digest.done"
        return call.reply(done, how=how(call, rhythm))
    name, said = _read(call.argument)
    if not name:
        return Reply(_which(call, call.say("digest.wrong", argument=clip(call.argument, ECHO))))
    chosen = await hearing.pick(call, name, f"/digest {{}} {said}".strip(), unknown="digest.wrong")
    if isinstance(chosen, Reply):
        return chosen
    names = listing(topic.name for topic in chosen)
    if not said:
        return Reply(_which(call, call.say("digest.which_topic", names=names), chosen))
    own = hours.parse_rhythm(said)  # None is as the chat has it
    await hearing.adjust(call, chosen, rhythm=own)
    return call.reply("digest.done_topic", names=names, how=how(call, own or call.chat.rhythm))


async def silent(call: Call) -> Reply:
    """Let the alerts of a topic come without a sound, or with one again."""
    if not call.argument:
        return await hearing.choice(call, "silent.which", _toggle)
    name, _, last = call.argument.rpartition(" ")
    audible = last.casefold() in AUDIBLE or hours.is_off(last)
    if not (name and audible):
        name, audible = call.argument, False
    chosen = await hearing.pick(call, name, "/silent {} off" if audible else "/silent {}")
    if isinstance(chosen, Reply):
        return chosen
    await hearing.adjust(call, chosen, silent=not audible)
    if call.request.pressed:
        return await hearing.choice(call, "silent.which", _toggle)
    names = listing(topic.name for topic in chosen)
    return call.reply("silent.ended" if audible else "silent.done", names=names)


def how(call: Call, rhythm: Rhythm) -> Safe:
    """Return a rhythm in words."""
    at = f"{rhythm.at:%H:%M}" if rhythm.at is not None else ""
    return call.say(f"digest.{rhythm.every}", time=at, zone=zones.shown(call.chat.timezone))


def _toggle(topic: Topic, own: Subscription) -> Button:
    name = clip(topic.name, ECHO)
    return (
        Button(f"🔕 {name}", f"/silent {topic.id} off")
        if own.silent
        else Button(f"🔔 {name}", f"/silent {topic.id}")
    )


def _read(argument: str) -> tuple[str, str]:
    """Return the topic that is named, and the rhythm behind it, if there is one."""
    for name, last in hearing.tail(argument):
        if hours.parse_rhythm(last) or last.casefold() in DEFAULT:
            return name, last
    words = argument.split()
    return ("", "") if hours.parse_rhythm(f"{words[0]} 8") else (argument, "")


def _which(call: Call, text: str, topics: Sequence[Topic] = ()) -> Message:
    buttons = [
        Button(how(call, rhythm), hearing.command(call, "digest", topics, str(rhythm)))
        for rhythm in map(hours.parse_rhythm, OFFERED)
        if rhythm
    ]
    if topics:
        default = hearing.command(call, "digest", topics, "default")
        buttons.append(Button(call.say("digest.default"), default))
    return Message(Safe(text), buttons=rows(buttons, 2))
