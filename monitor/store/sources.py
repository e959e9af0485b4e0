"""What is polled, and how the polls went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from types import EllipsisType
from typing import Any

from sqlite_utils import Database

from monitor.model import Cursor, Source, SourceState
from monitor.store.values import Row, length, moment, stamp

CURSOR = tuple(field.name for field in fields(Cursor))
_OF_CURSOR = attrgetter(*CURSOR)
TIMES = ("polled", "succeeded", "changed", "next_poll", "failing", "newest")
LENGTHS = ("usual", "longest")
_TIMES_OF, _LENGTHS_OF = attrgetter(*TIMES), attrgetter(*LENGTHS)
_COLUMNS = (*CURSOR, *TIMES, *LENGTHS, "failures", "gone", "error")
_CHANGES = ", ".join(f"{name} = ?" for name in _COLUMNS)


def declare(db: Database, sources: Iterable[Source]) -> None:
    """Make these sources known under their names of today; their states stay as they are.

    A source that points somewhere else than before begins anew: its old cursor means nothing there. Where it
    was moved for good it points already: who writes that address down misses nothing.
    """
    for source in sources:
        facts: dict[str, Any] = {
            "name": source.name,
            "kind": source.kind,
            "address": source.address,
            "official": int(source.official),
            "language": source.language,
        }
        known = next(db.query("SELECT kind, address, moved_to FROM sources WHERE id = ?", [source.id]), None)
        if known is None:
            db.table("sources").insert({"id": source.id, **facts})
            continue
        same = known["kind"] == source.kind and source.address in {known["address"], known["moved_to"]}
        if not same:
            facts |= _columns(SourceState())
        db.table("sources").update(source.id, facts)


def state(db: Database, source_id: str) -> SourceState:
    """Return how the polls of a source went; the state of a new one if it is not known."""
    row = next(db.query("SELECT * FROM sources WHERE id = ?", [source_id]), None)
    return _standing(row, Cursor(**{name: row[name] for name in CURSOR})) if row else SourceState()


def standings(db: Database) -> dict[str, SourceState]:
    """Return the state of every known source, and of its cursor what is told of it: the gaps and a move."""
    columns = ", ".join(("id", "failures", "gone", "error", "gaps", "moved_to", *TIMES, *LENGTHS))
    rows = db.query(f"SELECT {columns} FROM sources")
    return {row["id"]: _standing(row, Cursor(gaps=row["gaps"], moved_to=row["moved_to"])) for row in rows}


def save(
    db: Database, source: Source, after: SourceState, before: datetime | EllipsisType | None = ...
) -> bool:
    """Store the state that a poll left behind; return whether that was done.

    `before` is the last look that the poll knew of, where it knew: nothing is stored where there was another
    one since, nor where the source points elsewhere by now, as a reload came in between, nor where an admin
    paused or removed it meanwhile.
    """
    done = db.execute(
        f"UPDATE sources SET {_CHANGES} WHERE {_still_wanted(source)} AND (? OR polled IS ?)",
        [*_values(after), *_identity(source), before is ..., _stamp(before)],
    )
    return done.rowcount > 0


def touch(db: Database, looks: Iterable[tuple[Source, SourceState, datetime | None]]) -> list[Source]:
    """Store when sources were looked at, where nothing else came of it; return those where it was not done.

    With each stands the last look before; what holds for `save` holds here.
    """
    others = []
    for source, after, before in looks:
        times = (after.polled, after.succeeded, after.next_poll, before)
        polled, succeeded, following, known = map(_stamp, times)
        done = db.execute(
            "UPDATE sources SET polled = ?, succeeded = ?, next_poll = ? WHERE "
            f"{_still_wanted(source)} AND polled IS ?",
            [polled, succeeded, following, *_identity(source), known],
        )
        if not done.rowcount:
            others.append(source)
    return others


def forget(db: Database, source_id: str) -> None:
    """Forget how the polls of a source went, and that it was paused: it begins anew."""
    db.table("sources").update(source_id, {**_columns(SourceState()), "paused": None})


def source_of(row: Row, prefix: str = "") -> Source:
    """Return the source of a row of `sources`, whose columns may carry a prefix."""
    return Source(
        id=row[f"{prefix}id"],
        name=row[f"{prefix}name"],
        kind=row[f"{prefix}kind"],
        address=row[f"{prefix}address"],
        official=bool(row[f"{prefix}official"]),
        language=row[f"{prefix}language"],
    )


def _still_wanted(source: Source) -> str:
    """Return the condition under which the outcome of a poll is stored; it takes `_identity`."""
    wanted = "id = ? AND kind = ? AND address = ? AND paused IS NULL"
    if source.added_by is not None:
        wanted += " AND id IN (SELECT id FROM added_sources)"
    return wanted


def _stamp(time: datetime | EllipsisType | None) -> str | None:
    return stamp(time) if isinstance(time, datetime) else None


def _identity(source: Source) -> tuple[str, str, str]:
    return source.id, source.kind, source.address


def _standing(row: Row, cursor: Cursor) -> SourceState:
    return SourceState(
        cursor=cursor,
        failures=row["failures"],
        gone=bool(row["gone"]),
        error=row["error"],
        usual=length(row["usual"]),
        longest=length(row["longest"]),
        **{name: moment(row[name]) for name in TIMES},
    )


def _columns(of: SourceState) -> dict[str, Any]:
    return dict(zip(_COLUMNS, _values(of), strict=True))


def _values(of: SourceState) -> list[Any]:
    """Return what stands in `_COLUMNS` of a state."""
    return [
        *_OF_CURSOR(of.cursor),
        *map(_stamp, _TIMES_OF(of)),
        *[None if long is None else long.total_seconds() for long in _LENGTHS_OF(of)],
        of.failures,
        int(of.gone),
        of.error,
    ]
