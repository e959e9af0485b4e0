"""Whose turn it is at the outbox, and when a chat may be sent the next message.

A chat has at most one row in `turns` for each rank of what waits for it: urgent, normal, edits, digests.
Who was served goes to the end of the line, so that a chat with a thousand alerts delays no other. While a
message is on its way to a chat, the chat has no turn: two at once could overtake each other.

`paces` keeps the moments of `monitor.pacing` and the waits that Telegram asked for, so that a restart
obeys them too. Chat 0 stands for all chats together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlite_utils import Database

from monitor.pacing import EVERYBODY, Limit, Limits
from monitor.store.values import moment, stamp

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
WAITING = "state IN ('queued', 'changed')"  # as in the partial index, or SQLite does not use that
BACK = "CASE WHEN message_id IS NULL THEN 'queued' ELSE 'changed' END"  # where a claimed row comes from
_READY = "(SELECT max(ready, ifnull(held, '')) FROM paces WHERE chat_id = {chat})"


@dataclass(frozen=True, slots=True)
class Trouble:
    """How long a chat has refused everything, and whether somebody was told."""

    since: datetime
    told: bool


def line(db: Database, now: datetime) -> Iterator[tuple[int, int]]:
    """Yield the chats whose turn it is, as (chat id, rank), first those that are served first."""
    sql = "SELECT chat_id, rank FROM turns WHERE at <= ? ORDER BY rank, id"
    yield from db.execute(sql, [stamp(now)])


def length(db: Database, now: datetime, most: int) -> int:
    """Return how many turns could be taken now, `most` at the most."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM turns WHERE at <= ? LIMIT ?)"
    return int(db.execute(sql, [stamp(now), most]).fetchone()[0])


def upcoming(db: Database) -> datetime | None:
    """Return when the next turn can be taken; None when nothing waits."""
    return moment(db.execute("SELECT min(at) FROM turns").fetchone()[0])


def enter(db: Database, chat_id: int, rank: int, due: datetime) -> None:
    """Give a chat a turn for something that is due then; one that it has is kept, but may come sooner."""
    db.execute(
        f"""
        INSERT INTO turns (chat_id, rank, at) SELECT ?1, ?2, max(?3, ifnull({_READY.format(chat="?1")}, ''))
        WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'claimed' AND chat_id = ?1)
        ON CONFLICT (chat_id, rank) DO UPDATE SET at = min(at, excluded.at)
        """,
        [chat_id, rank, stamp(due)],
    )


def leave(db: Database, chat_id: int) -> None:
    """Take a chat out of the line: something is on its way there."""
    db.execute("DELETE FROM turns WHERE chat_id = ?", [chat_id])


def settle(db: Database, chat_id: int) -> None:
    """Put a chat at the end of the line, once for each rank of what waits for it."""
    leave(db, chat_id)
    db.execute(
        f"""
        INSERT INTO turns (chat_id, rank, at)
        SELECT ?1, rank, max(due, ifnull({_READY.format(chat="?1")}, '')) FROM (
            SELECT column1 AS rank, (SELECT min(due) FROM outbox
                WHERE {WAITING} AND chat_id = ?1 AND rank = column1) AS due
            FROM (VALUES (0), (1), (2), (3))
        ) WHERE due IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'claimed' AND chat_id = ?1)
        """,
        [chat_id],
    )


def rebuild(db: Database) -> None:
    """Make the line anew from what waits in the outbox."""
    db.execute("DELETE FROM turns")
    db.execute(
        f"""
        INSERT INTO turns (chat_id, rank, at)
        SELECT chat_id, rank, max(min(due), ifnull({_READY.format(chat="outbox.chat_id")}, ''))
        FROM outbox WHERE {WAITING} GROUP BY chat_id, rank ORDER BY min(id)
        """
    )


def opening(db: Database, limits: Limits) -> datetime:
    """Return when the next message may go to anybody; it may be past."""
    full, held = _pace(db, EVERYBODY)
    return max(limits.overall.ready(full), held)


def spend(db: Database, chat_id: int, limits: Limits, now: datetime) -> None:
    """Count a message that goes now to a chat."""
    _spend(db, EVERYBODY, limits.overall, now)
    _spend(db, chat_id, limits.to(chat_id), now)


def replied(db: Database, chat_id: int, limits: Limits, now: datetime) -> None:
    """Count a message that went to a chat beside the outbox; what waits for the chat keeps its distance."""
    spend(db, chat_id, limits, now)
    settle(db, chat_id)


def hold(db: Database, chat_id: int, until: datetime, reason: str) -> None:
    """Let nothing go to a chat before then, whatever else happens."""
    db.execute(
        "INSERT INTO paces (chat_id, full, ready, held, reason) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE"
        " SET held = max(ifnull(held, ''), excluded.held), reason = excluded.reason",
        [chat_id, stamp(LONG_AGO), stamp(LONG_AGO), stamp(until), reason],
    )


def asked(db: Database, chat_id: int, until: datetime, reason: str) -> None:
    """Let nothing go to a chat before then, since Telegram asks for it; `waits` returns it."""
    hold(db, chat_id, until, reason)
    db.execute(
        "UPDATE paces SET asked = max(ifnull(asked, ''), ?) WHERE chat_id = ?", [stamp(until), chat_id]
    )
    if chat_id != EVERYBODY:
        settle(db, chat_id)


def waits(db: Database, now: datetime) -> dict[int, datetime]:
    """Return which chats, `EVERYBODY` among them, Telegram asked to wait, and until when."""
    rows = db.execute("SELECT chat_id, asked FROM paces WHERE asked > ?", [stamp(now)]).fetchall()
    return {chat_id: datetime.fromisoformat(asked) for chat_id, asked in rows}


def refused(db: Database, chat_id: int, now: datetime) -> Trouble:
    """Note that a chat refuses everything, and return since when it does."""
    db.execute("UPDATE paces SET trouble = ifnull(trouble, ?) WHERE chat_id = ?", [stamp(now), chat_id])
    row = db.execute("SELECT trouble, told FROM paces WHERE chat_id = ?", [chat_id]).fetchone()
    return Trouble(moment(row[0]) or now, bool(row[1])) if row else Trouble(now, told=False)


def shut(db: Database, chat_id: int, now: datetime) -> None:
    """Note that a chat that never wrote refused a message now."""
    db.execute(
        "INSERT INTO paces (chat_id, full, ready, trouble) VALUES (?1, ?2, ?2, ?3)"
        " ON CONFLICT (chat_id) DO UPDATE SET trouble = excluded.trouble",
        [chat_id, stamp(LONG_AGO), stamp(now)],
    )


def shut_since(db: Database, chat_id: int) -> datetime | None:
    """Return since when a chat has refused everything; None if it has not."""
    row = db.execute("SELECT trouble FROM paces WHERE chat_id = ?", [chat_id]).fetchone()
    return moment(row[0]) if row else None


def told(db: Database, chat_id: int, now: datetime) -> None:
    """Note that somebody was told that a chat refuses everything."""
    db.execute("UPDATE paces SET told = ? WHERE chat_id = ?", [stamp(now), chat_id])


def welcome(db: Database, chat_id: int) -> None:
    """Forget the troubles of a chat: it took a message, or let the bot in again."""
    db.execute(
        "UPDATE paces SET held = NULL, reason = NULL, trouble = NULL, told = NULL"
        " WHERE chat_id = ? AND (held IS NOT NULL OR trouble IS NOT NULL)",
        [chat_id],
    )


def forgive(db: Database, chat_id: int) -> None:
    """Let a chat that refused everything be tried at once; a wait that Telegram asked for stays."""
    db.execute("UPDATE paces SET held = NULL WHERE chat_id = ? AND trouble IS NOT NULL", [chat_id])
    settle(db, chat_id)


def _pace(db: Database, chat_id: int) -> tuple[datetime, datetime]:
    row = db.execute("SELECT full, held FROM paces WHERE chat_id = ?", [chat_id]).fetchone()
    full, held = row or (None, None)
    return moment(full) or LONG_AGO, moment(held) or LONG_AGO


def _spend(db: Database, chat_id: int, limit: Limit, now: datetime) -> None:
    full = limit.spend(_pace(db, chat_id)[0], now)
    db.execute(
        "INSERT INTO paces (chat_id, full, ready) VALUES (?, ?, ?)"
        " ON CONFLICT (chat_id) DO UPDATE SET full = excluded.full, ready = excluded.ready",
        [chat_id, stamp(full), stamp(limit.ready(full))],
    )
