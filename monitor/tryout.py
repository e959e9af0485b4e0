"""Looking before leaping: what a text would match, and what topics would have found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from monitor import errors, matching, roster
from monitor.backtest import History, days, hits
from monitor.config import Config
from monitor.engine import watch_for
from monitor.html import clean
from monitor.matching.reading import MAX_TEXT
from monitor.model import Item, Match, Source, Topic
from monitor.setup import TO_HAVE_ONE
from monitor.store import Store, added, items
from monitor.terminal import STANDARD, explained, forecast, named, progress

SHAPE = '{"id": ..., "title": "...", "text": "..."}'

Say = Callable[[str], None]
Sources = Callable[[], Iterable[Source]]
"""Reads all sources, also those in the database."""


def match(config: Config, said: str | None, file: Path | None, source: Source | None, note: Say) -> None:
    """Show which topics a text matches, and why: what was said, else a file, else the standard input.

    Raises `MonitorError`.
    """
    watch = watch_for(config)
    item = _item("", clean(_text(said, file)), source, "match", note)  # as what a source sends is
    explained(item, watch.explain(item, source), watch.topics)


def match_lines(config: Config, file: Path, source: Source | None, say: Say, note: Say) -> bool:
    """Match the texts of a JSON Lines file, and say of each as JSON what it holds.

    Returns whether all lines could be read; each that could not is noted. Raises `MonitorError`.
    """
    watch = watch_for(config)
    sound = True
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            place = f"{named(file)}: line {number}"
            try:
                key, title, text = _fields(line)
            except ValueError as error:
                sound = False
                note(f"{place}: expected a JSON object like {SHAPE}: {error}")
                continue
            found = watch.match(_item(title, text, source, place, note), source)
            say(json.dumps({"id": key, "topics": [_shown(one) for one in found]}, ensure_ascii=False))
    return sound


def backtest(
    config: Config, database: Path, topics: Sequence[Topic], now: datetime, length: timedelta
) -> None:
    """Show what topics would have flagged of what is stored of the last time; raises `MonitorError`."""
    since = now - length
    matcher = matching.Matcher(topics, names=config.aliases)
    with Store.look(database) as db:
        total, _ = items.count_since(db, since)
        with progress("Reading", total) as step:
            history = History(items.history(db, since), added.listed(db, config.sources), since, step)
            found = list(hits(history, matcher))
    first, last = (history.first or now).date(), now.date()
    shown = [hit for hit in found if first <= hit.when.date() <= last]
    forecast(days(shown, first, last), shown, {topic.id: topic.name for topic in topics}, total)


def chosen(
    config: Config, topic_id: str | None, query: str | None, everywhere: Sources, note: Say
) -> Sequence[Topic]:
    """Return what to look for: a query of the moment, a topic of the config, or all of them.

    Raises `MonitorError`.
    """
    if query is not None:
        for doubt in matching.review(query, roster.names(everywhere())):
            note(f"note: {doubt.problem}")
        return [Topic(id="query", name=query, query=query)]
    if topic_id is None:
        return config.topics
    wanted = [topic for topic in config.topics if topic.id == topic_id]
    if not wanted:
        known = ", ".join(topic.id for topic in config.topics) or "none"
        raise errors.UsageWrong(
            f"--topic {topic_id}: there is no such topic in {config.path}; there are: {known}"
        )
    return wanted


def source_of(source_id: str | None, config: Config, everywhere: Sources) -> Source | None:
    """Return the source that a text is to come from, if any; raises `UsageWrong` where there is none."""
    if source_id is None:
        return None
    for sources in (lambda: config.sources, everywhere):  # the database only where it is needed
        if found := next((source for source in sources() if source.id == source_id), None):
            return found
    known = "; `bot.py sources` lists them" if config.path else f", as there is no config.toml: {TO_HAVE_ONE}"
    raise errors.UsageWrong(f"--source {source_id}: there is no such source{known}")


def _text(said: str | None, file: Path | None) -> str:
    """Return the text that is to be looked at."""
    data = os.fsencode(said) if said is not None else b"".join(_lines(file or STANDARD))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        what = "TEXT" if said is not None else named(file or STANDARD)
        raise errors.MonitorError(f"{what} is not UTF-8 text: convert it first") from None
    if not text.strip():
        raise errors.UsageWrong("match: there is no text: give it as TEXT, with --file or on standard input")
    return text


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, or of the standard input for "-"."""
    try:
        with open(0, "rb", closefd=False) if path == STANDARD else path.open("rb") as file:
            yield from file
    except OSError as error:
        raise errors.MonitorError(f"{named(path)} cannot be read: {os.strerror(error.errno or 0)}") from None


def _item(title: str, text: str, source: Source | None, place: str, note: Say) -> Item:
    """Return what is matched, and say where it is too long to be read as a whole."""
    if max(len(title), len(text)) > MAX_TEXT:
        note(f"{place}: only the first {MAX_TEXT:,} characters are looked at")
    return Item(source_id=source.id if source else "", key="", title=title, text=text)


def _fields(line: bytes) -> tuple[object, str, str]:
    """Return the id, the title and the text of a line of a JSON Lines file.

    Raises `ValueError` with what is wrong with it.
    """
    try:
        facts = json.loads(line)
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise ValueError("this has too many brackets in each other") from None
    if not isinstance(facts, dict):
        raise ValueError("this is no object")  # noqa: TRY004 - a mistake of the file, like the others
    if "id" not in facts:
        raise ValueError('"id" is missing')
    if not facts.keys() & {"title", "text"}:
        raise ValueError('"title" and "text" are missing')
    title, text = facts.get("title"), facts.get("text")
    if not (isinstance(title, str | None) and isinstance(text, str | None)):
        raise ValueError('"title" and "text" are strings')  # noqa: TRY004 - as above
    return facts["id"], title or "", text or ""


def _shown(found: Match) -> dict[str, object]:
    return {"id": found.topic_id, "score": found.score, "evidence": [e._asdict() for e in found.evidence]}
