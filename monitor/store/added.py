"""The sources that admins added while the bot ran, and which sources are to be left alone for now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from monitor.model import Source
from monitor.store import sources
from monitor.store.values import stamp


def every(db: Database) -> list[Source]:
    """Return the added sources, the oldest first; none of them is trusted."""
    return [
        Source(
            id=row["id"],
            name=row["name"],
            kind=row["kind"],
            address=row["address"],
            tags=tuple(json.loads(row["tags"])),
            language=row["language"],
            trusted=False,
            added_by=row["added_by"],
        )
        for row in db.query("SELECT * FROM added_sources ORDER BY added, rowid")
    ]


def add(db: Database, new: Iterable[Source], now: datetime) -> None:
    """Add sources; each begins anew, also one that was there before: its first answer is its baseline."""
    for source in new:
        db.table("added_sources").insert(
            {
                "id": source.id,
                "name": source.name,
                "kind": source.kind,
                "address": source.address,
                "language": source.language,
                "tags": json.dumps(source.tags, ensure_ascii=False),
                "added_by": source.added_by or "",
                "added": stamp(now),
            },
            replace=True,
        )
        sources.declare(db, [source])
        sources.forget(db, source.id)


def remove(db: Database, source_id: str) -> bool:
    """Remove an added source and return whether there was one; what it reported stays for its time."""
    done = db.execute("DELETE FROM added_sources WHERE id = ?", [source_id]).rowcount > 0
    if done:
        sources.forget(db, source_id)
    return done


def pause(db: Database, source_id: str, since: datetime | None) -> None:
    """Leave a source alone from now on; with None, poll it again."""
    moment = stamp(since) if since else None
    db.execute("UPDATE sources SET paused = ? WHERE id = ?", [moment, source_id])


def paused(db: Database) -> frozenset[str]:
    """Return the ids of the sources that are left alone."""
    rows = db.query("SELECT id FROM sources WHERE paused IS NOT NULL")
    return frozenset(row["id"] for row in rows)


def version(db: Database) -> tuple[int, str]:
    """Return something that differs once sources were added by another process."""
    row = next(db.query("SELECT count(*) AS n, ifnull(max(added), '') AS latest FROM added_sources"))
    return row["n"], row["latest"]
