"""What was found, and where: /latest, /sources."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from monitor import render
from monitor.commands import topics
from monitor.commands.desk import ECHO, Call, listing, page_of, turns
from monitor.markup import Safe, isolated, link, split
from monitor.model import Message, Reply, Source, SourceState
from monitor.prose import clip
from monitor.store import chats, items, watches
from monitor.store import sources as sources_table

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
            return call.reply("topics.unknown", argument=clip(call.argument, ECHO), known=listing(known))
    else:
        mine = await call.desk.store.read(partial(chats.topics, chat_id=call.chat.id))
        wanted = [topic_id for topic_id in known if topic_id in mine] or list(known)
    found = await call.desk.store.read(partial(items.latest, topics=wanted, limit=SHOWN))
    if not found:
        return call.reply("latest.nothing")
    heading = call.say("latest.heading", names=listing(known[topic_id].name for topic_id in wanted))
    now = call.desk.clock.now()
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
    if state.failures == 1:
        how = call.say("sources.failed", error=clip(state.error or "", LONGEST_ERROR))
    elif state.failures:
        how = call.say("sources.failing", count=state.failures, error=clip(state.error or "", LONGEST_ERROR))
    elif state.succeeded is None:
        how = call.say("sources.not_yet")
    else:
        how = call.say("sources.well", ago=render.ago(state.succeeded, call.chat.language, now))
    return Safe(f"{name} — {how}")


def _page(source: Source) -> str:
    """Return the address of a source for readers: without user and query, where operators keep their keys."""
    if source.kind == "channel":
        return f"https://t.me/{source.address}"
    parts = urlsplit(source.address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
