"""What was found, and where: /latest, /sources."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from monitor import render
from monitor.commands import topics
from monitor.commands.desk import Call, paged
from monitor.markup import Safe, isolated, link
from monitor.model import Reply, Source, SourceState
from monitor.store import chats, items
from monitor.store import sources as sources_table

SHOWN = 10


async def latest(call: Call) -> Reply:
    """Show the newest items of a topic, or of those that the chat subscribed to, or of all."""
    known = call.desk.topics
    if call.argument:
        wanted = [topic.id for topic in topics.find(call.argument, known.values())]
        if not wanted:
            listed = ", ".join(known) or "—"
            return call.reply("topics.unknown", argument=call.argument, known=listed)
    else:
        mine = await call.desk.store.read(partial(chats.topics, chat_id=call.chat.id))
        wanted = [topic_id for topic_id in known if topic_id in mine] or list(known)
    found = await call.desk.store.read(partial(items.latest, topics=wanted, limit=SHOWN))
    if not found:
        return call.reply("latest.nothing")
    names = ", ".join(known[topic_id].name for topic_id in wanted)
    now = call.desk.clock.now()
    lines = [
        render.item_line(one.item, one.source, chat=call.chat, found=one.found, now=now) for one in found
    ]
    return Reply(paged(call, "latest", call.say("latest.heading", names=names), lines, ""))


async def sources(call: Call) -> Reply:
    """Show what is polled, and how the last polls went."""
    states = await call.desk.store.read(sources_table.states)
    configured = call.desk.config().sources
    if not configured:
        return call.reply("sources.none")
    now = call.desk.clock.now()
    lines = [_line(call, source, states.get(source.id, SourceState()), now) for source in configured]
    failing = sum(bool(states.get(source.id, SourceState()).failures) for source in configured)
    heading = call.say("sources.heading", count=len(configured), failing=failing)
    return Reply(paged(call, "sources", heading, lines, call.argument))


def _line(call: Call, source: Source, state: SourceState, now: datetime) -> Safe:
    """Return a source with its link and how it does."""
    address = f"https://t.me/{source.address}" if source.kind == "channel" else source.address
    mark = "🏛 " if source.official else ""
    name = link(address, Safe(isolated(mark + source.name)))
    if state.failures:
        how = call.say("sources.failing", count=state.failures, error=state.error or "")
    elif state.succeeded is None:
        how = call.say("sources.not_yet")
    else:
        how = call.say("sources.well", ago=render.ago(state.succeeded, call.chat.language, now))
    return Safe(f"{name} — {how}")
