"""Sources that admins add and take away: /add, /remove, and /pause and /resume for all of them."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from monitor import errors, render, roster
from monitor.commands import choosing
from monitor.commands.desk import ECHO, Call, rows
from monitor.config import NoAddress, read_address
from monitor.markup import Safe, isolated, link
from monitor.model import Button, Message, Reply, Source
from monitor.prose import clip, tidy
from monitor.sources import Glimpse
from monitor.store import added
from monitor.store import sources as sources_table

log = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters, as in the config
LONGEST_ARGUMENT = 2_048 + LONGEST_NAME
HEADLINE = 200  # UTF-16 units


async def add(call: Call) -> Reply:
    """Look at an address, and read it from now on if it is a feed or a channel."""
    address, name = [*call.argument.split(maxsplit=1), "", ""][:2]
    if not address:
        return call.reply("add.which")
    shown = clip(address, ECHO)
    if len(call.argument) > LONGEST_ARGUMENT:
        return call.reply("add.wrong", argument=shown, problem=call.say("address.url"))
    try:
        kind, address = read_address(address)
    except NoAddress as error:
        return call.reply("add.wrong", argument=shown, problem=call.say(f"address.{error.fault}"))
    there = roster.known(kind, address, call.desk.sources())
    if there:
        return _there(call, there)
    try:
        seen = await call.desk.look(kind, address)
    except errors.MonitorError as error:
        return call.reply("add.failed", problem=error)
    return _choice(call, seen) if seen.feeds else await _admitted(call, seen, name)


async def remove(call: Call) -> Reply:
    """Read an added source no more; one of the config is its file's business."""
    sources = call.desk.sources()
    named = choosing.find(call.argument, sources)
    if len(named) != 1:
        mine = [one for one in sources if one.added_by is not None]
        return choosing.ask(call, "remove", mine, named)
    (source,) = named
    if source.added_by is None:
        text = call.say("remove.configured", name=_name(source), id=source.id, path=call.desk.config().path)
        pause = Button(call.say("pause.button"), f"/pause {source.id}")
        return Reply(Message(text, buttons=() if source.paused else ((pause,),)))
    await call.desk.store.write(partial(added.remove, source_id=source.id))
    await call.desk.sources_changed()
    log.info("source id=%s state=removed user=%d", source.id, call.request.user_id)
    address = f"@{source.address}" if source.kind == "channel" else source.address
    again = Button(call.say("remove.undo"), call.desk.shortcuts.shorten(f"/add {address} {source.name}"))
    return Reply(Message(call.say("remove.done", name=_name(source)), buttons=((again,),)))


async def pause(call: Call) -> Reply:
    """Leave a source alone until /resume."""
    return await _rest(call, "pause", "resume", call.desk.clock.now())


async def resume(call: Call) -> Reply:
    """Read a paused source again."""
    return await _rest(call, "resume", "pause", None)


async def _rest(call: Call, command: str, back: str, since: datetime | None) -> Reply:
    """Pause a source or end its pause, and offer the way back."""
    sources = call.desk.sources()
    named = choosing.find(call.argument, sources)
    if len(named) != 1:
        others = [one for one in sources if one.paused == (since is None)]
        return choosing.ask(call, command, others, named)
    (source,) = named
    outcome = await _outcome(call, source, since)
    if outcome != "already":
        await call.desk.store.write(partial(added.pause, source_id=source.id, since=since))
        await call.desk.sources_changed()
        log.info("source id=%s state=%sd user=%d", source.id, command, call.request.user_id)
    button = Button(call.say(f"{back}.button"), f"/{back} {source.id}")
    return Reply(Message(call.say(f"{command}.{outcome}", name=_name(source)), buttons=((button,),)))


async def _outcome(call: Call, source: Source, since: datetime | None) -> str:
    """Return what a pause or its end comes to: "done", "already", or "asked" for a source that fails.

    What is gone is read no more, so that to be read again is news for it, too.
    """
    if source.paused != (since is not None):
        return "done"
    if source.paused:
        return "already"
    state = await call.desk.store.read(partial(sources_table.state, source_id=source.id))
    if state.gone:
        return "done"
    return "asked" if state.failures else "already"


def _name(source: Source) -> Safe:
    """Return how a source is called, so that it cannot reorder what stands around it."""
    return Safe(isolated(source.name))


def _there(call: Call, source: Source) -> Reply:
    """Say that an address is read already, and under which name."""
    button = Button(call.say("add.show"), f"/latest {source.id}")
    return Reply(Message(call.say("add.known", name=_name(source), id=source.id), buttons=((button,),)))


def _choice(call: Call, seen: Glimpse) -> Reply:
    """Offer the feeds that a page names."""
    buttons = [
        Button(clip(feed.title or feed.url, ECHO), call.desk.shortcuts.shorten(f"/add {feed.url}"))
        for feed in seen.feeds
    ]
    text = call.say("add.page", address=clip(seen.address, ECHO))
    return Reply(Message(text, buttons=rows(buttons, 1)))


async def _admitted(call: Call, seen: Glimpse, name: str) -> Reply:
    """Keep a new source and say what it is; where it turns out to be known already, say that."""
    title = " ".join(tidy(name or seen.title).split())[:LONGEST_NAME]
    by = call.request.user_name or call.request.chat_title
    draft = Source("", title, seen.kind, seen.address, trusted=False, added_by=by)
    configured = call.desk.config().sources
    job = partial(added.admit, configured=configured, drafts=[draft], now=call.desk.clock.now())
    (source,), new = await call.desk.store.write(job)
    if not new:
        return _there(call, source)
    await call.desk.sources_changed()
    log.info("source id=%s state=added user=%d", source.id, call.request.user_id)
    buttons = (
        Button(call.say("add.show"), f"/latest {source.id}"),
        Button(call.say("add.undo"), f"/remove {source.id}"),
    )
    return Reply(Message(_told(call, source, seen), buttons=(buttons,)))


def _told(call: Call, source: Source, seen: Glimpse) -> Safe:
    """Return what a new source is: its kind, how much it shows, and the newest of that."""
    lines = [
        call.say("add.done", name=_name(source), id=source.id),
        call.say(f"add.{source.kind}", count=len(seen.items)),
    ]
    if seen.items:
        now, language = call.desk.clock.now(), call.chat.language
        newest = max(
            seen.items, key=lambda item: (item.published is not None, min(item.published or now, now))
        )
        title = link(
            newest.url, Safe(isolated(clip(" ".join((newest.title or newest.text).split()) or "—", HEADLINE)))
        )
        when = render.ago(newest.published, language, now) if newest.published else "—"
        lines.append(call.say("add.newest", title=title, ago=when))
    return Safe("\n".join([*lines, "", call.say("add.from_now")]))
