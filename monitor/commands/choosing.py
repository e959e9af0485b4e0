"""Which source is meant: by its id, its name, its address, or a button."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from monitor import roster
from monitor.commands.desk import ECHO, Call, nearest, page_of, rows, turns
from monitor.config import NoAddress, read_address
from monitor.model import Button, Message, Reply, Source, Topic
from monitor.prose import clip

Named = Source | Topic

ON_A_PAGE = 40  # sources; a message takes 100 buttons
PAGE = re.compile(r"#\s*(\d+)")  # no source has an id like this


def find(argument: str, sources: Iterable[Source]) -> Source | None:
    """Return the source of this id, name or address; None where there is none."""
    said, known = argument.strip().casefold(), list(sources)
    names = ((source, {source.id, source.name.casefold(), source.address.casefold()}) for source in known)
    named = next((source for source, called in names if said in called), None)
    if named or not said:
        return named
    try:
        return roster.known(*read_address(argument), known)
    except NoAddress:
        return None


def meant(argument: str, things: Iterable[Named]) -> Named | None:
    """Return what was perhaps meant by a misspelt id, name or channel; None where nothing is near."""
    known = {thing.id: thing for thing in things}
    for way in ("id", "name", "address"):
        found = nearest(argument, {key: getattr(thing, way, key) for key, thing in known.items()})
        if found:
            return known[found]
    return None


def ask(call: Call, command: str, sources: Sequence[Source]) -> Reply:
    """Ask for the source that a command is meant for: the nearest to its argument, else all on buttons."""
    page = PAGE.fullmatch(call.argument)
    if call.argument and page is None:
        near = meant(call.argument, sources)
        argument = clip(call.argument, ECHO)
        if near is None:
            return Reply(_board(call, command, sources, call.say("choose.unknown", argument=argument), 1))
        text = call.say("choose.misspelt", argument=argument, meant=near.name)
        return Reply(Message(text, buttons=((_button(command, near),),)))
    number = page_of(page[1] if page else "", len(sources), ON_A_PAGE)
    return Reply(_board(call, command, sources, call.say(f"{command}.which"), number))


def _board(call: Call, command: str, sources: Sequence[Source], text: str, page: int) -> Message:
    """Return a text with a button for each source on this page."""
    if not sources:
        return Message(call.say(f"{command}.none"))
    shown = sources[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    buttons = rows([_button(command, source) for source in shown], 2)
    return Message(text, buttons=buttons + turns(call, f"{command} #", page, len(sources), ON_A_PAGE))


def _button(command: str, source: Named) -> Button:
    return Button(clip(source.name, ECHO), f"/{command} {source.id}")
