"""What was found, and where: /latest, /sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from monitor import render
from monitor.commands import choosing, topics
from monitor.commands.desk import ECHO, Call, listing, page_of, turns
from monitor.markup import Safe, isolated, link, split
from monitor.model import Button, Message, Reply, Source, SourceState, Topic
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
    source = choosing.find(call.argument, sources)
    if source is not None:
        newest = partial(items.latest_of, source_id=source.id, limit=SHOWN)
        return _listed(call, source.name, await call.desk.store.read(newest))
    argument = clip(call.argument, ECHO)
    things: list[choosing.Named] = [*topics.values(), *sources]
    near = choosing.meant(call.argument, things)
    if near is None:
        return call.reply("latest.unknown", argument=argument, known=listing(topics))
    button = Button(clip(near.name, ECHO), f"/latest {near.id}")
    text = call.say("choose.misspelt", argument=argument, meant=near.name)
    return Reply(Message(text, buttons=((button,),)))


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


async def sources(call: Call) -> Reply:
    """Show what is polled, and how the last polls went."""
    states = await call.desk.store.read(sources_table.states)
    configured = call.desk.sources()
    if not configured:
        return call.reply("sources.none")
    now, count = call.desk.clock.now(), len(configured)
    page = page_of(call.argument, count, ON_A_PAGE)
    shown = configured[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    lines = [_line(call, source, states.get(source.id, SourceState()), now) for source in shown]
    failing = sum(bool(states[source.id].failures) for source in configured if source.id in states)
    heading = call.say("sources.heading", count=count, failing=failing)
    buttons = turns(call, "sources", page, count, ON_A_PAGE)
    return Reply(Message(split([heading, "", *lines])[0], buttons=buttons))


def _line(call: Call, source: Source, state: SourceState, now: datetime) -> Safe:
    """Return a source with its link and how it does."""
    mark = "🏛 " if source.official else ""
    name = link(_page(source), Safe(isolated(mark + clip(source.name, LONGEST_NAME))))
    if source.paused:
        how = call.say("sources.paused")
    elif state.failures == 1:
        how = call.say("sources.failed", error=clip(state.error or "", LONGEST_ERROR))
    elif state.failures:
        how = call.say("sources.failing", count=state.failures, error=clip(state.error or "", LONGEST_ERROR))
    elif state.succeeded is None:
        how = call.say("sources.not_yet")
    else:
        how = call.say("sources.well", ago=render.ago(state.succeeded, call.chat.language, now))
    return Safe(f"{name} — {how}{_origin(call, source)}")


def _origin(call: Call, source: Source) -> str:
    """Return where a source comes from; nothing where all are those of the config."""
    if source.added_by is not None:
        return " · " + call.say("sources.added", who=isolated(clip(source.added_by, LONGEST_NAME)))
    some = any(one.added_by is not None for one in call.desk.sources())
    return f" · {call.say('sources.configured')}" if some else ""


def _page(source: Source) -> str:
    """Return the address of a source for readers: without user and query, where operators keep their keys."""
    if source.kind == "channel":
        return f"https://t.me/{source.address}"
    parts = urlsplit(source.address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
