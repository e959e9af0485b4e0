"""What was found, and where: /latest, /sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from monitor import render
from monitor.commands import choosing, topics
from monitor.commands.desk import ECHO, Call, listing
from monitor.markup import split
from monitor.model import Button, Message, Reply, Source, Topic
from monitor.prose import clip
from monitor.store import chats, items, watches
from monitor.store import sources as sources_table
from monitor.store.items import Found

SHOWN = 10
ON_A_PAGE = 15  # sources; so many of the longest lines fit into a message
LONGEST_NAME = 100  # UTF-16 units
LONGEST_ERROR = 120


async def latest(call: Call) -> Reply:
    """Show the newest items of a topic, or of those that the chat subscribed to, or of all."""
    own = await call.desk.store.read(partial(watches.of, chat_id=call.chat.id))
    known = {**call.desk.topics, **{watch.id: watch for watch in own}}
    if call.argument:
        wanted = [topic.id for topic in topics.find(call.argument, known.values())]
        if not wanted:
            return await _latest_of_source(call, known)
    else:
        mine = await call.desk.store.read(lambda db: chats.topics(db, *call.place))
        wanted = [topic_id for topic_id in known if topic_id in mine] or list(known)
    found = await call.desk.store.read(partial(items.latest, topics=wanted, limit=SHOWN))
    return _listed(call, listing(known[topic_id].name for topic_id in wanted), found)


async def _latest_of_source(call: Call, topics: Mapping[str, Topic]) -> Reply:
    """Show the newest items of a source; where there is none of that name, say what was perhaps meant."""
    sources = call.desk.sources()
    named = choosing.find(call.argument, sources)
    if len(named) > 1:
        return choosing.ask(call, "latest", sources, named)
    if named:
        (source,) = named
        newest = partial(items.latest_of, source_id=source.id, limit=SHOWN)
        found = await call.desk.store.read(newest)
        return _listed(call, source.name, found) if found else await _nothing_of(call, source)
    argument = clip(call.argument, ECHO)
    things: list[choosing.Named] = [*topics.values(), *sources]
    near = choosing.meant(call.argument, things)
    if near is None:
        known = (name if name in call.desk.topics else topic.name for name, topic in topics.items())
        return call.reply("latest.unknown", argument=argument, known=listing(known))
    button = Button(clip(near.name, ECHO), f"/latest {near.id}")
    text = call.say("choose.misspelt", argument=argument, meant=near.name)
    return Reply(Message(text, buttons=((button,),)))


async def _nothing_of(call: Call, source: Source) -> Reply:
    """Say that a source brought nothing, or that it was not read yet."""
    state = await call.desk.store.read(partial(sources_table.state, source_id=source.id))
    if state.succeeded or source.paused:
        return call.reply("latest.nothing")
    text = call.say("latest.not_yet", name=source.name)
    return Reply(Message(text, buttons=((Button(call.say("add.show"), f"/latest {source.id}"),),)))


def _listed(call: Call, names: str, found: Sequence[Found]) -> Reply:
    """Return items as a list."""
    if not found:
        return call.reply("latest.nothing")
    now = call.desk.clock.now()
    heading = call.say("latest.heading", names=names)
    lines = [
        render.item_line(one.item, one.source, chat=call.chat, found=one.found, now=now) for one in found
    ]
    return Reply(Message(split([heading, "", *lines])[0]))
