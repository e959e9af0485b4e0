"""The sources that admins added while the bot ran, and which sources are to be left alone for now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from monitor import roster
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


def listed(db: Database, configured: Iterable[Source]) -> tuple[Source, ...]:
    """Return all sources: those of the config and the added ones, and which of them are paused."""
    return roster.merged(configured, every(db), paused(db))


def add(db: Database, new: Iterable[Source], now: datetime) -> None:
    """Add sources; each begins anew, also one that was there before: its first answer is its baseline."""
    fresh = list(new)
    before = {row["id"] for row in db.query("SELECT id FROM sources")}
    db.table("added_sources").insert_all(
        (
            {
                "id": source.id,
                "name": source.name,
                "kind": source.kind,
                "address": source.address,
                "language": source.language,
                "tags": json.dumps(source.tags, ensure_ascii=False),
                "added_by": source.added_by or "",
                "added": stamp(now),
            }
            for source in fresh
        ),
        replace=True,
    )
    sources.declare(db, fresh)
    for source in fresh:
        if source.id in before:
            sources.forget(db, source.id)


def admit(
    db: Database, configured: Iterable[Source], drafts: Iterable[Source], now: datetime
) -> tuple[list[Source], list[Source]]:
    """Add those drafts that are no source yet; return for each the source it is now, and the new ones.

    A draft needs no id, and no name. One that was there before under another list gets its old id.
    """
    rows = list(db.query("SELECT id, kind, address FROM sources"))
    former = {roster.identity(row["kind"], row["address"]): row["id"] for row in rows}
    present = {roster.identity(one.kind, one.address): one for one in (*every(db), *configured)}
    used = {one.id for one in present.values()}
    taken = used.union(row["id"] for row in rows)
    found, new = [], []
    for draft in drafts:
        key = roster.identity(draft.kind, draft.address)
        if key not in present:
            old = former.get(key)
            if old is None or old in used:
                old = roster.new_id(draft.kind, draft.address, draft.name, taken)
            taken.add(old)
            used.add(old)
            present[key] = replace(draft, id=old, name=draft.name or _plain_name(draft))
            new.append(present[key])
        found.append(present[key])
    add(db, new, now)
    return found, new


def _plain_name(draft: Source) -> str:
    """Return a name for a source that has none."""
    return f"@{draft.address}" if draft.kind == "channel" else roster.identity("feed", draft.address)[:100]


def remove(db: Database, source_id: str) -> bool:
    """Remove an added source and return whether there was one; what it reported stays for its time."""
    done = db.execute("DELETE FROM added_sources WHERE id = ?", [source_id]).rowcount > 0
    if done:
        sources.forget(db, source_id)
    return done


def pause(db: Database, source_id: str, since: datetime | None) -> None:
    """Leave a source alone from now on; with None, poll it again at once, also one that was gone."""
    if since:
        db.execute("UPDATE sources SET paused = ? WHERE id = ?", [stamp(since), source_id])
    else:
        again = "UPDATE sources SET paused = NULL, gone = 0, next_poll = NULL WHERE id = ?"
        db.execute(again, [source_id])


def paused(db: Database) -> frozenset[str]:
    """Return the ids of the sources that are left alone."""
    rows = db.query("SELECT id FROM sources WHERE paused IS NOT NULL")
    return frozenset(row["id"] for row in rows)


def version(db: Database) -> tuple[int, str]:
    """Return something that differs once sources were added by another process."""
    row = next(db.query("SELECT count(*) AS n, ifnull(max(added), '') AS latest FROM added_sources"))
    return row["n"], row["latest"]
