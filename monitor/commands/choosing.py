"""Which source is meant: by its id, its name, its address, or a button."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from monitor import roster
from monitor.commands.desk import ECHO, Call, nearest, page_of, rows, turns
from monitor.config import NoAddress, read_address
from monitor.model import Button, Message, Reply, Source, Topic
from monitor.prose import clip
from monitor.store import watches

Named = Source | Topic

ON_A_PAGE = 40  # sources; a message takes 100 buttons
PAGE = re.compile(r"#\s*(\d+)")  # no source has an id like this


def find(argument: str, sources: Iterable[Source]) -> list[Source]:
    """Return the sources that are meant: the one of this id, else those of this name or address."""
    said, known = argument.strip().casefold(), list(sources)
    named = [source for source in known if said == source.id] or [
        source for source in known if said in {source.name.casefold(), source.address.casefold()}
    ]
    if named or not said:
        return named
    try:
        there = roster.known(*read_address(argument), known)
    except NoAddress:
        return []
    return [there] if there else []


def shown(argument: str, sources: Iterable[Source]) -> list[Source]:
    """Return the sources that are meant where they are only shown: those of `find`, else the one that fits.

    A source fits whose name begins with what was said, or has it in whole words. Of several none is meant.
    """
    said, known = argument.strip().casefold(), list(sources)
    named = find(argument, known)
    if named or not said:
        return named
    whole = re.compile(rf"(?<!\w){re.escape(said)}(?!\w)")
    fit = [one for one in known if (name := one.name.casefold()).startswith(said) or whole.search(name)]
    return fit if len(fit) == 1 else []


def meant(argument: str, things: Iterable[Named]) -> Named | None:
    """Return what was perhaps meant by a misspelt id, name or channel; None where nothing is near."""
    known = {thing.id: thing for thing in things}
    for way in ("id", "name", "address"):
        called = {key: getattr(thing, way, "") for key, thing in known.items()}
        if way == "id":
            called = {key: name for key, name in called.items() if not key.startswith(watches.PREFIX)}
        found = nearest(argument, called)
        if found:
            return known[found]
    return None


def ask(call: Call, command: str, sources: Sequence[Source], named: Sequence[Source] = ()) -> Reply:
    """Ask for the source that a command is meant for: one of the `named`, else the nearest, else any."""
    page = PAGE.fullmatch(call.argument)
    argument = clip(call.argument, ECHO)
    if named:
        return Reply(_board(call, command, named, call.say("choose.several", argument=argument), 1))
    if call.argument and page is None:
        near = meant(call.argument, sources)
        if near is None:
            return Reply(_board(call, command, sources, call.say("choose.unknown", argument=argument), 1))
        text = call.say("choose.misspelt", argument=argument, meant=near.name)
        return Reply(Message(text, buttons=(tuple(buttons(command, [near])),)))
    number = page_of(page[1] if page else "", len(sources), ON_A_PAGE)
    return Reply(_board(call, command, sources, call.say(f"{command}.which"), number))


def _board(call: Call, command: str, sources: Sequence[Source], text: str, page: int) -> Message:
    """Return a text with a button for each source on this page."""
    if not sources:
        return Message(call.say(f"{command}.none"))
    shown = buttons(command, sources)[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    ways = turns(call, f"{command} #", page, len(sources), ON_A_PAGE)
    return Message(text, buttons=rows(shown, 2) + ways)


def buttons(command: str, things: Sequence[Named]) -> list[Button]:
    """Return a button for each thing, with its id where several of them have the same name."""
    names = [clip(thing.name, ECHO) for thing in things]
    often = Counter(name.casefold() for name in names)
    return [
        Button(
            name if often[name.casefold()] == 1 else f"{clip(name, ECHO // 2)} · {thing.id}",
            f"/{command} {thing.id}",
        )
        for name, thing in zip(names, things, strict=True)
    ]
