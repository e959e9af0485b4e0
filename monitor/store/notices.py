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


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that was not told to everybody yet."""

    id: int
    notice: Notice
    told: frozenset[int]  # the admins who heard it


def put(db: Database, notice: Notice, now: datetime) -> None:
    """Let the admins be told; nothing is added where the very same still waits."""
    facts = {name: _plain(fact) for name, fact in notice.facts.items()}
    row = [notice.phrase, json.dumps(facts, ensure_ascii=False, sort_keys=True)]
    if not next(db.query("SELECT 1 FROM notices WHERE phrase = ? AND facts = ?", row), None):
        db.execute("INSERT INTO notices (phrase, facts, created) VALUES (?, ?, ?)", [*row, stamp(now)])


def waiting(db: Database) -> list[Waiting]:
    """Return what is still to be told, the oldest first."""
    rows = db.query("SELECT * FROM notices ORDER BY id LIMIT ?", [MOST])
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
