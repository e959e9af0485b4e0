"""What the admins are to be told, until each of them was."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from monitor.model import Notice
from monitor.store.values import stamp

MOST = 500  # notices read at once
GATHER = timedelta(minutes=1)  # the alerts that are given up in this time are one notice, ...
AGAIN = timedelta(hours=1)  # ... and so are those of this time, where others were shortly before
UNDELIVERED = "notice.undelivered"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that was not told to everybody yet."""

    id: int
    notice: Notice
    told: frozenset[int]  # the admins who heard it


def put(db: Database, notice: Notice, now: datetime) -> None:
    """Let the admins be told from `now` on; nothing is added where the very same still waits."""
    facts = {name: _plain(fact) for name, fact in notice.facts.items()}
    row = (notice.phrase, json.dumps(facts, ensure_ascii=False, sort_keys=True))
    if not next(db.query("SELECT 1 FROM notices WHERE phrase = ? AND facts = ?", row), None):
        _insert(db, *row, now)


def _insert(db: Database, phrase: str, facts: str, now: datetime) -> None:
    db.execute("INSERT INTO notices (phrase, facts, created) VALUES (?, ?, ?)", [phrase, facts, stamp(now)])


def undelivered(db: Database, count: int, now: datetime) -> None:
    """Let the admins be told that so many alerts are given up now, together with others of about this time.

    To be called before the rows of those alerts are marked.
    """
    mine = "SELECT id, facts FROM notices WHERE phrase = ? AND told = '[]'"
    row = next(db.query(mine, [UNDELIVERED]), None)
    if row:
        facts = {"count": json.loads(row["facts"])["count"] + count}
        db.table("notices").update(row["id"], {"facts": json.dumps(facts)})
        return
    lately = "SELECT 1 FROM outbox WHERE state = 'dead' AND finished > ? LIMIT 1"
    others = next(db.query(lately, [stamp(now - AGAIN)]), None)
    _insert(db, UNDELIVERED, json.dumps({"count": count}), now + (AGAIN if others else GATHER))


def waiting(db: Database, until: datetime | None = None) -> list[Waiting]:
    """Return what is still to be told, the oldest first; what is to be told by a moment, if one is given."""
    latest = "9999" if until is None else stamp(until)
    rows = db.query("SELECT * FROM notices WHERE created <= ? ORDER BY id LIMIT ?", [latest, MOST])
    return [
        Waiting(
            row["id"],
            Notice(row["phrase"], {name: _fact(fact) for name, fact in json.loads(row["facts"]).items()}),
            frozenset(json.loads(row["told"])),
        )
        for row in rows
    ]


def told(db: Database, these: Iterable[Waiting], admin: int) -> None:
    """Note that an admin heard these."""
    for one in these:
        row = next(db.query("SELECT told FROM notices WHERE id = ?", [one.id]), None)
        if row:
            db.table("notices").update(one.id, {"told": json.dumps([*json.loads(row["told"]), admin])})


def forget(db: Database, admins: Iterable[int], before: datetime) -> None:
    """Delete what all of these admins heard, and what waits since before then."""
    everybody = frozenset(admins)
    for one in waiting(db):
        if everybody <= one.told:
            db.table("notices").delete(one.id)
    db.execute("DELETE FROM notices WHERE created < ?", [stamp(before)])


def _plain(fact: object) -> object:
    return {"seconds": fact.total_seconds()} if isinstance(fact, timedelta) else fact


def _fact(stored: object) -> str | int | timedelta:
    if isinstance(stored, dict):
        return timedelta(seconds=stored["seconds"])
    return stored if isinstance(stored, int) else str(stored)
