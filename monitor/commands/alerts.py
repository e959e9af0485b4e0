"""What the buttons below an alert do: /more, /enough, /hush, /irrelevant, each with the id of its story.

The alert stays as it is; the answer is a notice, or a message that replies to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from monitor import render
from monitor.buttons import MUTES
from monitor.commands import hearing
from monitor.commands.desk import Call, listing
from monitor.markup import Safe, isolated, link, plain, split
from monitor.model import Chat, Message, Reply, Topic
from monitor.phrases import say
from monitor.prose import clip, sentences, tidy, utf16_len
from monitor.store import Database, feedback, items
from monitor.store.feedback import Told
from monitor.store.items import Found

AGAIN = timedelta(minutes=10)  # before a group is shown the same text another time
MOST_MESSAGES = 10  # that a text takes
PIECE = 3500  # UTF-16 units of a text that are told in one piece
LONGEST = MOST_MESSAGES * PIECE  # characters of a text that are told
TITLE = 400  # UTF-16 units
NOTICED = 100  # UTF-16 units of names in a notice
LONGEST_ID = 16  # digits
KEYWORDS = 60  # UTF-16 units of keywords in it


async def more(call: Call) -> Reply:
    """Show the whole text of a story, and who else told it; a group sees it only so often."""
    now = call.desk.clock.now()

    def look(db: Database) -> tuple[Told | None, dict[int, Found], bool]:
        one = _told(db, call)
        if one is None:
            return None, {}, False
        anew = call.request.private or feedback.show(db, one, now, AGAIN)
        return one, items.of_story(db, one.story_id), anew

    one, reports, anew = await call.desk.store.write(look)
    if one is None or not reports:
        return _gone(call)
    if not anew:
        return _noted(call, call.say("button.more_shown"))
    messages = await asyncio.to_thread(whole, one, reports, call.chat, now)
    first = replace(messages[0], reply_to=call.request.message_id)
    return Reply(None, more=(first, *messages[1:]), place=one.place)


async def enough(call: Call) -> Reply:
    """Tell the place no more of a story."""

    def write(db: Database) -> Told | None:
        one = _told(db, call)
        if one is not None:
            feedback.enough(db, one)
        return one

    one = await call.desk.store.write(write)
    return _noted(call, call.say("button.enough_done")) if one else _gone(call)


async def hush(call: Call) -> Reply:
    """Mute the topics of a story for a while."""
    length = next((length for name, length in MUTES.items() if call.argument.endswith(f" {name}")), None)
    one = await call.desk.store.read(partial(_told, call=call))
    if one is None or length is None:
        return _gone(call)
    call = replace(call, request=replace(call.request, thread_id=one.place.thread_id))
    mine = await hearing.heard(call)
    chosen: list[Topic] = [mine[topic_id][0] for topic_id in one.topic_ids if topic_id in mine]
    if not chosen:
        return _noted(call, call.say("button.hush_nothing"))
    until = hearing.end(call, length)
    await hearing.adjust(call, chosen, muted=until)
    names = listing((topic.name for topic in chosen), NOTICED)
    said = call.say("button.hush_done", names=names, time=hearing.clock(call, until))
    return _noted(call, said)


async def irrelevant(call: Call) -> Reply:
    """Count a story as not relevant to its topics and the keywords that found it."""
    now = call.desk.clock.now()

    def write(db: Database) -> list[tuple[str, str]] | None:
        one = _told(db, call)
        return None if one is None else feedback.irrelevant(db, one, now)

    blamed = await call.desk.store.write(write)
    if blamed is None:
        return _gone(call)
    keywords = listing(dict.fromkeys(keyword for _, keyword in blamed), KEYWORDS)
    return _noted(call, call.say("button.irrelevant_done", keywords=keywords))


def whole(one: Told, reports: Mapping[int, Found], chat: Chat, now: datetime) -> list[Message]:
    """Return the text that the place was told the beginning of, and all reports, as messages."""
    told = reports.get(one.item_id) or next(iter(reports.values()))
    title = clip(tidy(told.item.title).replace("\n", " ").strip(), TITLE)
    head = [Safe(f"<b>{link(told.item.url, isolated(title))}</b>"), ""] if title else []
    lines = [
        render.item_line(found.item, found.source, chat=chat, found=found.found, now=now)
        for found in reports.values()
    ]
    foot = ["", say(chat.language, "button.sources", count=len(reports)), *lines]
    texts = split([*head, *_pieces(told.item.text[:LONGEST])])
    if len(texts) > MOST_MESSAGES or len(told.item.text) > LONGEST:
        rest = say(chat.language, "button.rest", link=link(told.item.url, "…"))
        texts = [*texts[:MOST_MESSAGES], rest]
    messages = split([*texts[-1:], *foot]) if texts else split(foot)
    return [Message(text) for text in (*texts[:-1], *messages)]


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of whole paragraphs, or of whole sentences where one is longer than that."""
    piece, used = "", 0
    for part in _parts(tidy(text)):
        length = utf16_len(part) + 1
        if piece and used + length > PIECE:
            yield piece
            piece, used = "", 0
        piece = f"{piece}\n{isolated(part)}" if piece else isolated(part)
        used += length
    yield piece


def _parts(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text; a long one in parts that end with a sentence."""
    for paragraph in text.split("\n"):
        begin = end = used = 0
        for _, stop in sentences(paragraph):
            length = utf16_len(paragraph[end:stop])
            if used + length > PIECE and end > begin:
                yield paragraph[begin:end].strip()
                begin, used = end, 0
            end, used = stop, used + length
        yield paragraph[begin:].strip()


def _told(db: Database, call: Call) -> Told | None:
    """Return the story whose id an argument begins with, as the place was told it."""
    number = call.argument.partition(" ")[0]
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_ID):
        return None
    return feedback.told(db, call.place, int(number), call.request.message_id)


def _gone(call: Call) -> Reply:
    keep = render.span(call.desk.config().storage.keep, call.language)
    return _noted(call, call.say("button.gone" if call.argument else "button.which", keep=keep))


def _noted(call: Call, text: Safe) -> Reply:
    """Answer a press with a notice, as the alert with the button is to stay."""
    return Reply(None, notice=plain(text)) if call.request.pressed else Reply(Message(text))
