"""What was said of something, whenever that was: /search."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial

from monitor import render
from monitor.commands.desk import ECHO, Call, rows
from monitor.markup import Safe, split
from monitor.matching import Matcher
from monitor.matching.finding import has_operators, search_keys, search_topic, search_words
from monitor.model import Button, Message, Reply
from monitor.prose import clip
from monitor.store import search as index
from monitor.store.items import Found

ON_A_PAGE = 8
MOST = 400  # candidates that are looked at, of the index and of what is not indexed yet
PAGE = re.compile(r"\s+#(\d{1,3})$")  # behind the words, as the buttons say it


async def search(call: Call) -> Reply:
    """Show what all sources ever said with these words, in any form of them, the newest first."""
    page = PAGE.search(call.argument)
    said = call.argument[: page.start()] if page else call.argument
    words = search_words(said)
    if not words:
        return call.reply("search.empty" if said else "search.which")
    candidates = partial(index.candidates, words=search_keys(words), limit=MOST)
    found = await asyncio.to_thread(_verified, await call.desk.store.read(candidates), words)
    if not found:
        lines = [call.say("search.nothing", words=clip(said, ECHO)), *_hint(call, said)]
        return Reply(Message(Safe("\n".join(lines))))
    return Reply(_page(call, found, said, int(page[1]) if page else 1))


def _hint(call: Call, said: str) -> list[Safe]:
    """Return the line that says what operators mean here, where some were typed."""
    return [call.say("search.operators")] if has_operators(said) else []


def _verified(candidates: Sequence[Found], words: Sequence[str]) -> list[Found]:
    """Return the candidates that have all the words, the newest first."""
    matcher = Matcher([search_topic(words)])
    verified = [found for found in candidates if matcher.match(found.item, found.source)]
    return sorted(verified, key=lambda found: found.came, reverse=True)


def _page(call: Call, found: Sequence[Found], said: str, number: int) -> Message:
    """Return one page of what was found, with buttons to those beside it."""
    pages = -(-len(found) // ON_A_PAGE)
    number = min(max(number, 1), pages)
    shown = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    now = call.desk.clock.now()
    lines = [
        render.item_line(one.item, one.source, chat=call.chat, found=one.found, now=now) for one in shown
    ]
    key = "search.newest" if len(found) >= MOST else "search.heading"
    heading = [call.say(key, count=len(found), words=clip(said, ECHO)), *_hint(call, said)]
    ways = (("back", number - 1), ("more", number + 1))
    shorten = call.desk.shortcuts.shorten
    buttons = [
        Button(call.say(f"list.{way}"), shorten(f"/search {said} #{target}"))
        for way, target in ways
        if 1 <= target <= pages
    ]
    return Message(split([*heading, "", *lines, Safe("")])[0], buttons=rows(buttons, 2))
