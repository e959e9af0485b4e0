"""What the command line does with the database, also while the service runs: lists in and out, backups."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from monitor import errors, opml
from monitor.config import Config, NoAddress
from monitor.model import Source, SourceState
from monitor.sources.outlines import Refusal, drafts, is_private
from monitor.store import Store, added, feedback, items, sources
from monitor.store import dead_letters as letters
from monitor.store.backup import backup as copy
from monitor.terminal import STANDARD, Standing, counted, named, topics_table

ADDED_BY = "bot.py"
DAYS = 14  # of the rows of bars
LOOK_BACK = 7  # days over which the stories of a topic are counted
SHOWN = 20  # refusals, and entries that are known already
MOST_LETTERS = 200  # rows of the outbox that are listed
RETRIED = dict.fromkeys(("dead", "dropped", "queued"), "is tried again")
DROPPED = dict.fromkeys(("dead", "queued"), "is dropped")
STAYS = {
    "sent": "it was sent",
    "changed": "it was sent, and is to be edited",
    "claimed": "it is on its way",
    "dropped": "it was dropped before",
}
UNITS = ("bytes", "KB", "MB", "GB", "TB")
A_UNIT = 1024


def import_sources(
    config: Config, database: Path, file: Path, now: datetime, say: Callable[[str], None]
) -> int:
    """Add the sources of an OPML file and say what came of each; return the exit code.

    A service that runs reads them from within a few seconds on. Raises `MonitorError`.
    """
    outlines = _outlines(file)
    wanted, refused = drafts(outlines, added_by=ADDED_BY, private_hosts=None)
    found: list[Source] = []
    new: list[Source] = []
    if wanted:
        say(f"database {database.absolute()}{'' if database.exists() else ', which is new'}")
        with Store.change(database) as db:
            found, new = added.admit(db, config.sources, wanted, now)
    for source in new:
        say(f"added    {source.id}  {source.name}")
        if is_private(source.kind, source.address, config.network.allow_private_hosts):
            say(f"note     {source.id} {NoAddress('private')}")
    _say_first("known   ", _known(wanted, found, new), say)
    _say_first("refused ", [f"{each.entry} {NoAddress(each.fault)}" for each in refused], say)
    if not outlines:
        say("note     the list names no source")
    say(summary(len(new), len(wanted) - len(new), refused))
    return 0 if wanted else 1


def _known(wanted: Iterable[Source], found: Iterable[Source], new: Iterable[Source]) -> list[str]:
    """Return a line for each wanted source that was `found` and is not `new`, or is a second time."""
    fresh = {source.id for source in new}
    known = []
    for draft, source in zip(wanted, found, strict=True):
        if source.id in fresh:
            fresh.remove(source.id)
        else:
            address = f"@{draft.address}" if draft.kind == "channel" else draft.address
            known.append("  ".join(filter(None, (source.id, draft.name, address))))
    return known


def _say_first(what: str, lines: Sequence[str], say: Callable[[str], None]) -> None:
    """Say the first of some lines, and how many more there are."""
    for line in lines[:SHOWN]:
        say(f"{what} {line}")
    if len(lines) > SHOWN:
        say(f"{what} and {len(lines) - SHOWN} more")


def summary(new: int, known: int, refused: list[Refusal]) -> str:
    """Return what came of a list in one sentence: "12 added, 3 known already, 1 refused."."""
    return f"{new} added, {known} known already, {len(refused)} refused."


def outbox(database: Path, do: str, row_id: int | None, now: datetime, say: Callable[[str], None]) -> int:
    """List what is in the outbox, or `retry` or `drop` one row of it; return the exit code.

    A service that runs takes it up within a few seconds. Raises `MonitorError`.
    """
    if do == "list":
        if row_id is not None:
            raise errors.UsageWrong(f"outbox list takes no ID: `outbox retry {row_id}` tries that row again")
        return _list_outbox(database, now, say)
    if row_id is None:
        raise errors.UsageWrong(f"outbox {do}: which one? Give the ID that `outbox list` shows")
    act, done = (letters.retry, RETRIED) if do == "retry" else (letters.drop, DROPPED)
    with Store.look(database, older=True):  # raises where there is no database, and makes none
        pass
    with Store.change(database) as db:
        state = act(db, row_id, now)
    if state is None:
        raise errors.UsageWrong(f"outbox {do} {row_id}: there is no such row; `outbox list` shows them")
    if state not in done:
        say(f"{row_id} stays as it is: {STAYS.get(state, state)}.")
        return 1
    say(f"{row_id} {done[state]}.")
    return 0


def _list_outbox(database: Path, now: datetime, say: Callable[[str], None]) -> int:
    with Store.look(database) as db:
        found, health = letters.undone(db, MOST_LETTERS), letters.health(db, now)
    for one in found:
        reason = f"  {one.error}" if one.error else ""
        say(f"{one.id}  {one.state}  {one.due:%Y-%m-%d %H:%M}Z  {one.chat}: {one.headline}{reason}")
    for held in health.held:
        say(f"held until {held.until:%Y-%m-%d %H:%M:%S}Z: {held.chat or 'all chats'}  {held.reason}")
    say(f"{health.dead} dead, {health.waiting} due, {health.later} to come later.")
    return 0


def topics(config: Config, database: Path, now: datetime) -> None:
    """Show the topics, what they found in the last week, and what readers found not relevant."""
    uses = {}
    if database.exists():
        with Store.look(database) as db:
            uses = feedback.uses(db, now - timedelta(days=LOOK_BACK))
    topics_table(config, uses, LOOK_BACK)


def export_sources(
    config: Config, database: Path, file: Path, now: datetime, say: Callable[[str], None]
) -> None:
    """Write all sources, those of the config and the added ones, as OPML, and say so of a file.

    Raises `MonitorError`.
    """
    listed = all_sources(config, database)
    text = opml.render(listed, now)
    if file == STANDARD:
        sys.stdout.write(text)
        return
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise errors.MonitorError(f"{file} is there already: name another file") from None
    except OSError as error:
        raise errors.MonitorError(f"{file} cannot be written: {os.strerror(error.errno or 0)}") from None
    say(f"{file}  {counted(len(listed), 'source')}")


def all_sources(config: Config, database: Path) -> tuple[Source, ...]:
    """Return the sources of the config and, where there is a database, those in it."""
    if not database.exists():
        return config.sources
    with Store.look(database) as db:
        return added.listed(db, config.sources)


def overview(config: Config, database: Path, now: datetime) -> list[Standing]:
    """Return every source, how it stands, and its items on each of the last days; raises `MonitorError`."""
    listed = all_sources(config, database)
    if not database.exists():
        return [(source, SourceState(), ()) for source in listed]
    with Store.look(database) as db:
        states = sources.standings(db)
        daily = items.daily(db, [source.id for source in listed], now.date(), DAYS)
    return [(source, states.get(source.id, SourceState()), daily[source.id]) for source in listed]


def backup(database: Path, file: Path | None, now: datetime) -> str:
    """Copy the database and say where to; raises `MonitorError`.

    Without a file, or with a folder for one, the copy is named by the moment, "monitor-20260201-120000.db".
    """
    name = f"{database.stem}-{now:%Y%m%d-%H%M%S}{database.suffix}"
    target = file or database.with_name(name)
    with suppress(OSError):  # who may not look into a folder may not write there: `copy` says so
        target = target / name if target.is_dir() else target
    return f"{target}  {sized(copy(database, target))}, checked"


def sized(count: int) -> str:
    """Return a number of bytes as people read it: "812 bytes", "1.5 MB"."""
    size, unit = float(count), 0
    while size >= A_UNIT and unit < len(UNITS) - 1:
        size, unit = size / A_UNIT, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit else counted(count, "byte")


def _outlines(file: Path) -> Sequence[opml.Outline]:
    """Return the entries of an OPML file; raises `MonitorError`, which names it."""
    try:
        return opml.parse(_bytes(file))
    except errors.OpmlInvalid as error:
        raise errors.OpmlInvalid(f"{named(file)}: {error}") from None


def _bytes(file: Path) -> bytes:
    """Return what stands in a file, or on the standard input: a little more than `opml.parse` takes."""
    try:
        if file == STANDARD:
            return sys.stdin.buffer.read(opml.LARGEST + 1)
        with file.open("rb") as source:
            return source.read(opml.LARGEST + 1)
    except OSError as error:
        raise errors.MonitorError(f"{named(file)} cannot be read: {os.strerror(error.errno or 0)}") from None
