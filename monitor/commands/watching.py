"""What a chat watches for besides the topics of the config: /watch, /unwatch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from time import thread_time

from monitor import matching, roster
from monitor.commands.desk import ECHO, Call, Desk, nearest, rows
from monitor.errors import QueryInvalid
from monitor.markup import Safe, escape
from monitor.matching.finding import query_keys
from monitor.model import Button, Message, Reply, Topic
from monitor.prose import clip
from monitor.store import search as index
from monitor.store import watches
from monitor.store.items import Found

MOST = 50  # watches of one chat
LATELY = timedelta(days=7)
SECONDS = 0.3  # of a core for looking at them
LOOKED_AT = 100  # newest reports that may be what a watch looks for, of the index and of the rest
LONGEST = 300  # characters of a query in a chat


async def watch(call: Call) -> Reply:
    """Watch for a query from now on."""
    if not call.argument:
        return Reply(await _overview(call, "watch.which"))
    if len(call.argument) > LONGEST:
        return call.reply("watch.too_long", most=LONGEST)
    own = await _own(call)
    if len(own) >= MOST:
        return Reply(await _overview(call, "watch.too_many"))
    try:
        doubts = matching.review(call.argument, roster.names(call.desk.sources()))
    except QueryInvalid as error:
        return Reply(Message(_pointed_at(call, error)))
    if refused := next((doubt for doubt in doubts if doubt.key == "query.everything"), None):
        return Reply(Message(_pointed_at(call, refused)))
    added = await call.desk.add_watch(call.place, call.argument)
    notes = [_note(call, doubt) for doubt in doubts]
    lines = [call.say("watch.done", query=added.name), *notes, *await _lately(call, added)]
    button = Button(call.say("watch.end"), f"/unwatch {added.id}")
    return Reply(Message(Safe("\n".join(lines)), buttons=((button,),)))


async def _lately(call: Call, watch: Topic) -> list[Safe]:
    """Return how much a watch would have found; nothing where the index cannot say where to look."""
    groups = query_keys(matching.parse(watch.query or ""))
    if not groups:
        return []
    since = call.desk.clock.now() - LATELY
    job = partial(index.candidates, words=groups, limit=LOOKED_AT)
    recent = [found for found in await call.desk.store.read(job) if found.found >= since]
    count, all_of_it = await asyncio.to_thread(_count, call.desk, watch, recent, since)
    if all_of_it and len(recent) < LOOKED_AT:
        return [call.say("watch.lately", count=count)]
    return [call.say("watch.lately_least", count=count)] if count else []


def _count(desk: Desk, watch: Topic, recent: Iterable[Found], since: datetime) -> tuple[int, bool]:
    """Return how many of these reports a watch finds, and whether there was time to look at all of them."""
    sources = {source.id: source for source in desk.sources()}
    count, end = 0, thread_time() + SECONDS
    for found in recent:
        if thread_time() > end:
            return count, False
        if found.came >= since:
            matches = desk.match(found.item, sources.get(found.source.id, found.source))
            count += any(match.topic_id == watch.id for match in matches)
    return count, True


async def unwatch(call: Call) -> Reply:
    """Watch for a query no more."""
    own = await _own(call)
    said = call.argument.casefold()
    chosen = [one for one in own if said in {one.id, one.name.casefold()}]
    if not chosen:
        return _misspelt(call, own) or Reply(
            await _overview(call, "watch.unknown" if call.argument else "watch.which_not")
        )
    for one in chosen:
        await call.desk.remove_watch(call.chat.id, one.id)
    return call.reply("watch.ended", query=chosen[0].name)


def _misspelt(call: Call, own: list[Topic]) -> Reply | None:
    """Ask whether the watch that is nearest to an argument is meant; None where none is near."""
    near = nearest(call.argument, {one.id: one.name for one in own})
    chosen = next((one for one in own if one.id == near), None)
    if chosen is None:
        return None
    button = Button(clip(chosen.name, ECHO), f"/unwatch {chosen.id}")
    text = call.say("watch.misspelt", argument=clip(call.argument, ECHO), meant=chosen.name)
    return Reply(Message(text, buttons=((button,),)))


async def _own(call: Call) -> list[Topic]:
    return await call.desk.store.read(partial(watches.of, chat_id=call.chat.id))


async def _overview(call: Call, key: str) -> Message:
    """Return the chat's watches with a button each that ends it."""
    own = await _own(call)
    facts = {"most": MOST, "argument": clip(call.argument, ECHO)}
    text = call.say(key, **facts) if own or key == "watch.which" else call.say("watch.none")
    buttons = [Button(f"✖ {clip(one.name, ECHO)}", f"/unwatch {one.id}") for one in own]
    return Message(text, buttons=rows(buttons, 1))


def _pointed_at(call: Call, error: QueryInvalid) -> Safe:
    """Return what is wrong with a query, with a mark below the place."""
    mark = " " * error.position + "^"
    shown = escape(f"{error.query}\n{mark}")
    problem = call.say(error.key, **error.facts)
    return Safe(f"{call.say('watch.invalid', problem=problem)}\n<pre>{shown}</pre>")


def _note(call: Call, doubt: QueryInvalid) -> Safe:
    """Return what is doubtful about a query that is watched for."""
    return call.say("watch.note", problem=call.say(doubt.key, **doubt.facts))
