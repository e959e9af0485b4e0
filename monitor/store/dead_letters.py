"""The outbox as its operator sees it: what waits, what Telegram did not take, a second chance for that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from monitor.store import outbox, turns
from monitor.store.values import moment, stamp

UNDONE = ("queued", "claimed", "changed", "dead")

_ROW_ID_BITS = 63  # beside the sign (SQLite, "Rowid Tables")


class Letter(NamedTuple):
    """A row that was not sent, or is to be edited."""

    id: int
    state: str
    chat_id: int
    chat: str  # its title
    headline: str  # of the story
    due: datetime
    attempts: int
    error: str


class Held(NamedTuple):
    """A chat that is sent nothing for a while; "" stands for all chats."""

    chat: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """How the outbox does."""

    waiting: int  # alerts that are due
    oldest: datetime | None  # since when the first of them is
    later: int  # alerts that wait for a digest, or for quiet hours to end
    dead: int
    reason: str  # of the newest dead one
    held: tuple[Held, ...]  # the longest waits, at most `MOST_HELD`


MOST_HELD = 5


def health(db: Database, now: datetime) -> Health:
    """Return how the outbox does now."""
    due = db.execute(
        "SELECT count(*), min(due) FROM outbox WHERE state IN ('queued', 'claimed') AND due <= ?",
        [stamp(now)],
    ).fetchone()
    later = db.execute("SELECT count(*) FROM outbox WHERE state = 'queued' AND due > ?", [stamp(now)])
    dead = db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0]
    last = db.execute(
        "SELECT error FROM outbox WHERE state = 'dead' ORDER BY finished DESC LIMIT 1"
    ).fetchone()
    held = db.execute(
        "SELECT ifnull(title, ''), held, reason FROM paces LEFT JOIN chats ON chats.id = chat_id"
        " WHERE held > ? ORDER BY chat_id != 0, held DESC LIMIT ?",
        [stamp(now), MOST_HELD],
    )
    return Health(
        waiting=due[0],
        oldest=moment(due[1]),
        later=later.fetchone()[0],
        dead=dead,
        reason=(last[0] or "") if last else "",
        held=tuple(Held(chat, moment(until) or now, reason or "") for chat, until, reason in held),
    )


def undone(db: Database, limit: int) -> list[Letter]:
    """Return what was not sent or is to be edited: what is dead first, then what waits longest."""
    rows = db.query(
        "SELECT outbox.*, title, headline FROM outbox JOIN chats ON chats.id = chat_id"
        f" JOIN stories ON stories.id = story_id WHERE state IN ({','.join('?' * len(UNDONE))})"
        " ORDER BY state != 'dead', due, outbox.id LIMIT ?",
        [*UNDONE, limit],
    )
    return [
        Letter(
            row["id"],
            row["state"],
            row["chat_id"],
            row["title"],
            row["headline"],
            datetime.fromisoformat(row["due"]),
            row["attempts"],
            row["error"] or "",
        )
        for row in rows
    ]


def retry(db: Database, row_id: int, now: datetime) -> str | None:
    """Queue a row again that is dead, dropped or waits; return its state before.

    None where there is no such row. What is on its way, or was sent, stays as it is.
    """
    state = _state(db, row_id)
    if state in {"dead", "dropped", "queued"}:
        db.execute(
            "UPDATE outbox SET state = 'queued', due = min(due, ?), attempts = 0, finished = NULL,"
            " error = NULL, message_id = NULL WHERE id = ?",
            [stamp(now), row_id],
        )
        _settle(db, row_id)
    return state


def drop(db: Database, row_id: int, now: datetime) -> str | None:
    """Give a row up that was not sent; return its state before, None where there is no such row."""
    state = _state(db, row_id)
    if state in {"dead", "queued"}:
        outbox.finish(db, row_id, now, state="dropped", error="dropped by hand")
        _settle(db, row_id)
    return state


def _state(db: Database, row_id: int) -> str | None:
    if row_id.bit_length() > _ROW_ID_BITS:
        return None
    row = db.execute("SELECT state FROM outbox WHERE id = ?", [row_id]).fetchone()
    return row[0] if row else None


def _settle(db: Database, row_id: int) -> None:
    turns.settle(db, db.execute("SELECT chat_id FROM outbox WHERE id = ?", [row_id]).fetchone()[0])
