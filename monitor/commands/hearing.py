"""What the commands on single topics share: which of them a place hears of, and which one is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from monitor.commands import topics
from monitor.commands.desk import ECHO, Call, listing, nearest, rows
from monitor.model import Button, Message, Reply, Subscription, Topic
from monitor.prose import clip
from monitor.render import clock_time
from monitor.store import Database, chats, outbox, watches

NOT_CHOSEN = "UTC"  # the zone of a chat until it chooses one
A_MINUTE = timedelta(minutes=1)
LONG = timedelta(hours=1)  # of a shorter time each second counts
MOST_BUTTONS = 60  # topics to choose from; what is left out can be typed


async def heard(call: Call) -> dict[str, tuple[Topic, Subscription]]:
    """Return the topics and watches that the place of a call hears of, by id, and how it does."""

    def read(db: Database) -> tuple[dict[str, Subscription], list[Topic]]:
        return chats.subscriptions(db, call.place), watches.of(db, call.chat.id)

    wanted, own = await call.desk.store.read(read)
    known = [*call.desk.topics.values(), *own]
    return {topic.id: (topic, wanted[topic.id]) for topic in known if topic.id in wanted}


async def pick(call: Call, argument: str, again: str, *, unknown: str = "") -> list[Topic] | Reply:
    """Return the topics that an argument names of those that the place hears of, or what is to be answered.

    `again` is the command of a button that says the same of the topic `{}` that was perhaps meant,
    `unknown` the phrase where none is near: by default one on the topic, else on all that was said.
    """
    mine = [topic for topic, _ in (await heard(call)).values()]
    if chosen := topics.find(argument, mine):
        return chosen
    said = clip(argument, ECHO)
    if others := topics.find(argument, call.desk.topics.values()):
        button = Button(call.say("hearing.subscribe"), f"/subscribe {others[0].id}")
        text = call.say("hearing.not_yours", names=listing(topic.name for topic in others))
        return Reply(Message(text, buttons=((button,),)))
    by_name = {topic.id: topic.name for topic in mine}
    ids = {one: one for one in by_name if not one.startswith(watches.PREFIX)}
    meant = nearest(argument, by_name) or nearest(argument, ids)
    if meant is None:
        wrong = clip(call.argument, ECHO) if unknown else said
        return call.reply(unknown or "hearing.unknown", argument=wrong, known=listing(by_name.values()))
    name = clip(by_name[meant], ECHO)
    text = call.say("topics.misspelt", argument=said, meant=name)
    return Reply(Message(text, buttons=((Button(name, again.format(meant)),),)))


def command(call: Call, name: str, chosen: Iterable[Topic], last: str = "") -> str:
    """Return what a button says for a command on these topics, however many they are."""
    return call.desk.shortcuts.shorten(" ".join(filter(None, [f"/{name}", *(t.id for t in chosen), last])))


async def choice(call: Call, key: str, button: Callable[[Topic, Subscription], Button]) -> Reply:
    """Ask with a button for each topic that the place hears of; with those that it could, if it has none."""
    mine = (await heard(call)).values()
    if not mine:
        return Reply(await topics.board(call, call.say("topics.none_yet")))
    buttons = [button(topic, how) for topic, how in mine]
    return Reply(Message(call.say(key), buttons=rows(buttons[:MOST_BUTTONS], 2)))


async def adjust(call: Call, chosen: Iterable[Topic], **facts: object) -> None:
    """Change how the place of a call hears of topics; what waits and may be told now comes at once."""
    ids, now = [topic.id for topic in chosen], call.desk.clock.now()

    def write(db: Database) -> None:
        chats.adjust(db, call.place, ids, **facts)
        outbox.hold_anew(db, call.chat.id, now)

    await call.desk.store.write(write)
    call.desk.wake()


async def adjust_chat(call: Call, **facts: object) -> None:
    """Change when a chat is told; what waits and may be told now comes at once."""
    now = call.desk.clock.now()

    def write(db: Database) -> None:
        chats.change(db, call.chat, facts, now)
        outbox.hold_anew(db, call.chat.id, now)

    await call.desk.store.write(write)
    call.desk.wake()


def end(call: Call, length: timedelta) -> datetime:
    """Return when what begins now and lasts so long ends: from an hour on at the next full minute."""
    moment = call.desk.clock.now() + length
    begun = timedelta(seconds=moment.second, microseconds=moment.microsecond)
    return moment + A_MINUTE - begun if begun and length >= LONG else moment


def clock(call: Call, moment: datetime) -> str:
    """Return a moment by the clock of a chat, with the zone where the chat may not know which one that is."""
    shown = clock_time(moment, call.chat, call.desk.clock.now(), exact=True)
    return f"{shown} ({call.chat.timezone})" if call.chat.timezone == NOT_CHOSEN else shown


def tail(argument: str) -> Sequence[tuple[str, str]]:
    """Return the ways to read an argument as something and a last part of two words, of one or of none."""
    words = argument.split()
    return [(" ".join(words[:-count]), " ".join(words[-count:])) for count in (2, 1) if len(words) >= count]
