"""What a chat wants to hear: /topics, /subscribe, /unsubscribe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from monitor.commands import watching
from monitor.commands.desk import ECHO, Call, listing, nearest, page_of, rows, turns
from monitor.markup import Safe, plain
from monitor.model import Button, Message, Place, Reply, Topic
from monitor.prose import clip
from monitor.store import Database, chats, watches

ON_A_PAGE = 90  # topics; a message takes 100 buttons
NOTICED = 120  # UTF-16 units of names in a toast, which holds 200 characters
SILENT = {"silent", "тихо"}
ALL = "*"  # no topic has this id
ALL_WORDS = {ALL, "all", "все", "всі", "усі", "всё"}


async def board(call: Call, text: str, page: int = 1) -> Message:
    """Return a text with a button for each topic: pressing one subscribes, pressing it again ends that.

    Many topics take several pages, from 1, with buttons that lead to the others.
    """
    wanted = await call.desk.store.read(lambda db: chats.topics(db, *call.place))
    topics = call.desk.topics
    buttons = [
        Button(f"✅ {clip(topic.name, ECHO)}", f"/unsubscribe {topic.id}")
        if topic.id in wanted
        else Button(f"➕ {clip(topic.name, ECHO)}", f"/subscribe {topic.id}")
        for topic in list(topics.values())[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    ]
    table = rows(buttons, 2) + turns(call, "topics", page, len(topics), ON_A_PAGE)
    if len(topics) > 1 and not wanted.issuperset(topics):
        table += ((Button(call.say("topics.subscribe_all"), f"/subscribe {ALL}"),),)
    return Message(Safe(text), buttons=table)


async def topics(call: Call) -> Reply:
    """Show the topics, and which of them the chat hears of."""
    page = page_of(call.argument, len(call.desk.topics), ON_A_PAGE)
    return Reply(await board(call, await _overview(call), page))


async def subscribe(call: Call) -> Reply:
    """Let the chat hear of a topic."""
    return await _change(call, "subscribed")


async def unsubscribe(call: Call) -> Reply:
    """Let the chat hear of a topic no more."""
    return await _change(call, "unsubscribed")


async def _change(call: Call, how: str) -> Reply:
    known = call.desk.topics
    if not call.argument:
        question = call.say(f"topics.which_{how}")
        return Reply(await board(call, question))
    argument, silent = _quietly(call.argument) if how == "subscribed" else (call.argument, False)
    chosen = find(argument, known.values())
    if how == "unsubscribed":
        mine, own = await call.desk.store.read(partial(_wanted, place=call.place))
        chosen = find(argument, (*known.values(), *lost(mine, own, known)))
        if not chosen and find(argument, own):
            return await watching.unwatch(call)
    if not chosen:
        return _misspelt(replace(call, argument=argument), how)
    ids = [topic.id for topic in chosen]
    (chat_id, thread_id), now = call.place, call.desk.clock.now()

    def write(db: Database) -> None:
        if how == "subscribed":
            chats.subscribe(db, chat_id, ids, now, thread_id=thread_id)
            if silent:
                chats.adjust(db, call.place, ids, silent=True)
        else:
            chats.unsubscribe(db, chat_id, ids, thread_id=thread_id)

    await call.desk.store.write(write)
    names = [topic.name for topic in chosen]
    if call.request.pressed:
        page = list(known).index(ids[0]) // ON_A_PAGE + 1 if ids[0] in known else 1
        notice = plain(call.say(f"topics.{how}", names=listing(names, NOTICED)))
        return Reply(await board(call, await _overview(call), page), notice=notice)
    return call.reply("topics.subscribed_silent" if silent else f"topics.{how}", names=listing(names))


def _wanted(db: Database, place: Place) -> tuple[frozenset[str], list[Topic]]:
    return chats.topics(db, *place), watches.of(db, place.chat_id)


def lost(mine: Iterable[str], own: Iterable[Topic], known: Mapping[str, Topic]) -> list[Topic]:
    """Return the topics that a place subscribed to and that are watched for no more, their ids as names."""
    there = known.keys() | {topic.id for topic in own}
    return [Topic(topic_id, topic_id) for topic_id in sorted(mine) if topic_id not in there]


def _quietly(argument: str) -> tuple[str, bool]:
    """Return an argument without a last word that asks for no sound, and whether there was one."""
    names, _, last = argument.rpartition(" ")
    return (names.strip(), True) if names and last.casefold() in SILENT else (argument, False)


def find(argument: str, topics: Iterable[Topic]) -> list[Topic]:
    """Return the topics that an argument names: by id or name, several by their ids, or all of them."""
    known = list(topics)
    said = argument.strip().casefold()
    if said in ALL_WORDS:
        return known
    named = [topic for topic in known if said in {topic.id, topic.name.casefold()}]
    if named:
        return named
    by_id = {topic.id: topic for topic in known}
    words = said.replace(",", " ").split()
    return [by_id[word] for word in words] if words and set(words) <= by_id.keys() else []


def _misspelt(call: Call, how: str) -> Reply:
    """Say that there is no such topic, and which one was perhaps meant."""
    topics = call.desk.topics
    names = {topic.id: topic.name for topic in topics.values()}
    meant = nearest(call.argument, names) or nearest(call.argument, {name: name for name in names})
    argument = clip(call.argument, ECHO)
    if meant is None:
        return call.reply("topics.unknown", argument=argument, known=listing(names))
    name = clip(topics[meant].name, ECHO)
    verb = "subscribe" if how == "subscribed" else "unsubscribe"
    text = call.say("topics.misspelt", argument=argument, meant=name)
    return Reply(Message(text, buttons=((Button(name, f"/{verb} {meant}"),),)))


async def _overview(call: Call) -> Safe:
    wanted = await call.desk.store.read(lambda db: chats.topics(db, *call.place))
    known = call.desk.topics
    if not known:
        return call.say("topics.none_configured")
    mine = [topic.name for topic in known.values() if topic.id in wanted]
    if not mine:
        return call.say("topics.none_yet")
    return call.say("topics.yours", names=listing(mine))
