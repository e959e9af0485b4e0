"""What is to be sent, and what became of it.

    queued  -> claimed -> sent      the usual way
               claimed -> queued    to be tried again
               claimed -> dead      Telegram will never take it; `error` says why
    queued  -> dropped              nobody wants it any more: the chat stopped or unsubscribed
    sent    -> changed              the story has grown since; the message is to be edited
    changed -> claimed -> sent      it was: with the newest version, however often the story grew meanwhile

The key is (place, story): a story reaches a place once, however many items, topics and sources tell it.
`store.turns` says whose turn it is; `store.claims` takes the rows out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from monitor import audience
from monitor.audience import Hearing
from monitor.model import Place, Subscription
from monitor.store import chats, items, notices, turns
from monitor.store.turns import BACK
from monitor.store.values import Row, chat_of, stamp

EDIT_AFTER = timedelta(seconds=2)  # what a story gains in this time goes into one edit
RANKS = {"urgent": 0, "normal": 1, "low": 1}
DIGEST = 3


def _rank(column: str) -> str:
    """Return SQL that sorts the most pressing priority first."""
    return f"CASE {column} WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END"


def told(db: Database, story_id: int) -> frozenset[Place]:
    """Return the places that were told a story, or are about to be."""
    rows = db.query(
        "SELECT chat_id, thread_id FROM outbox WHERE story_id = ?"
        " AND (state IN ('claimed', 'sent', 'changed') OR (state = 'queued' AND priority = 'urgent'))",
        [story_id],
    )
    return frozenset(Place(row["chat_id"], row["thread_id"]) for row in rows)


def put(db: Database, hearing: Hearing, *, story_id: int, item_id: int, now: datetime) -> bool:
    """Queue an item for a place and return whether anything changed by that.

    What waits for that place with the same story stays, unless this is more pressing, or may be told
    before the digest that it waits for; what was dropped or given up is queued anew.
    """
    row = (*hearing.place, story_id, item_id, json.dumps(hearing.topic_ids), hearing.priority)
    cursor = db.execute(
        f"""
        INSERT INTO outbox
            (chat_id, thread_id, story_id, item_id, topics, priority, digest, silent, due, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (chat_id, thread_id, story_id) DO UPDATE SET
            item_id = excluded.item_id, topics = excluded.topics, priority = excluded.priority,
            digest = excluded.digest, silent = excluded.silent, due = excluded.due,
            state = 'queued', attempts = 0, finished = NULL, message_id = NULL, error = NULL
        WHERE NOT outbox.muted AND (state IN ('dropped', 'dead')
            OR (state = 'queued' AND ({_rank("excluded.priority")} < {_rank("outbox.priority")}
                OR (outbox.digest AND excluded.due < outbox.due))))
        """,
        [*row, hearing.digest, hearing.silent, stamp(hearing.due), stamp(now)],
    )
    if cursor.rowcount > 0:
        rank = DIGEST if hearing.digest else RANKS[hearing.priority]
        turns.enter(db, hearing.place.chat_id, rank, hearing.due)
    return cursor.rowcount > 0


def refresh(db: Database, story_id: int, now: datetime) -> int:
    """Note that a story has grown or changed, and return how many of its messages are to be edited for that.

    What still waits is told as the story is by then. What stands in a list with others stays as it is, and
    so does what its readers have had enough of.
    """
    mine = "story_id = ? AND NOT muted"
    db.execute(f"UPDATE outbox SET stale = 1 WHERE {mine} AND state = 'claimed'", [story_id])
    due = stamp(now + EDIT_AFTER)
    rows = db.execute(
        "UPDATE outbox SET state = 'changed', due = ?, attempts = 0"
        f" WHERE {mine} AND state = 'sent' AND NOT digest AND message_id IS NOT NULL RETURNING chat_id",
        [due, story_id],
    ).fetchall()
    for (chat_id,) in rows:
        turns.enter(db, chat_id, 2, now + EDIT_AFTER)
    return len(rows)


def sent(
    db: Database,
    delivery_ids: Sequence[int],
    message: tuple[int, int],
    now: datetime,
    *,
    digest: bool = False,
) -> None:
    """Mark rows as sent or edited, in the message of this chat and id; `digest`: in a list with others.

    What grew while it was on its way is to be edited, unless its chat has another id by now: there the
    message is another one.
    """
    for delivery_id in delivery_ids:
        db.execute(
            "UPDATE outbox SET"
            " state = CASE WHEN stale AND NOT ?1 AND chat_id = ?5 THEN 'changed' ELSE 'sent' END,"
            " message_id = CASE WHEN chat_id = ?5 THEN ?2 END, due = CASE WHEN stale THEN ?3 ELSE due END,"
            " stale = 0, digest = digest OR ?1, finished = ?3, error = NULL WHERE id = ?4",
            [digest, message[1], stamp(now), delivery_id, message[0]],
        )
    for chat_id in _chats_of(db, delivery_ids):
        turns.welcome(db, chat_id)
        turns.settle(db, chat_id)


def give_back(db: Database, delivery_ids: Sequence[int]) -> None:
    """Give back what was claimed and not tried, to be claimed again."""
    for delivery_id in delivery_ids:
        db.execute(
            f"UPDATE outbox SET state = {BACK}, attempts = attempts - 1 WHERE id = ? AND state = 'claimed'",
            [delivery_id],
        )


def hold(db: Database, chat_id: int, until: datetime, error: str) -> None:
    """Give back what is claimed for a chat, and let nothing go to it before `until`."""
    db.execute(
        f"UPDATE outbox SET state = {BACK}, error = ? WHERE chat_id = ? AND state = 'claimed'",
        [error, chat_id],
    )
    turns.hold(db, chat_id, until, error)
    turns.settle(db, chat_id)


def postpone(db: Database, delivery_ids: Sequence[int], until: datetime, error: str) -> None:
    """Give back what Telegram gave no answer to; what else waits for its chat goes first."""
    for delivery_id in delivery_ids:
        db.execute(
            f"UPDATE outbox SET state = {BACK}, due = ?, error = ? WHERE id = ?",
            [stamp(until), error, delivery_id],
        )
    for chat_id in _chats_of(db, delivery_ids):
        turns.settle(db, chat_id)


def send_anew(db: Database, delivery_ids: Sequence[int], error: str) -> None:
    """Queue rows again whose message can be edited no more."""
    for delivery_id in delivery_ids:
        db.execute(
            "UPDATE outbox SET state = 'queued', message_id = NULL, error = ? WHERE id = ?",
            [error, delivery_id],
        )
    for chat_id in _chats_of(db, delivery_ids):
        turns.settle(db, chat_id)


def bury(db: Database, delivery_ids: Sequence[int], error: str, now: datetime) -> None:
    """Mark rows as ones that Telegram will never take."""
    give_up(db, delivery_ids, error, now)
    for chat_id in _chats_of(db, delivery_ids):
        turns.settle(db, chat_id)


def give_up(db: Database, delivery_ids: Sequence[int], error: str, now: datetime) -> None:
    """Mark rows as ones that reach nobody, and have the admins told."""
    notices.undelivered(db, len(delivery_ids), now)
    for delivery_id in delivery_ids:
        finish(db, delivery_id, now, state="dead", error=error)


def drop_chat(db: Database, chat_id: int, reason: str, now: datetime) -> int:
    """Drop everything that waits for a chat and return how much that was; its messages stay as they are."""
    db.execute(
        "UPDATE outbox SET state = 'sent' WHERE chat_id = ? AND state IN ('changed', 'claimed')"
        " AND message_id IS NOT NULL",
        [chat_id],
    )
    cursor = db.execute(
        "UPDATE outbox SET state = 'dropped', finished = ?, error = ?"
        " WHERE chat_id = ? AND state IN ('queued', 'claimed')",
        [stamp(now), reason, chat_id],
    )
    turns.leave(db, chat_id)
    return int(cursor.rowcount)


def hold_anew(db: Database, chat_id: int, now: datetime) -> None:
    """Let what waits for a digest of a chat wait no longer than the chat now wants, or come at once.

    To be called when a chat changes when it wants to be told. Nothing is put off here: `claim` asks
    again when a row is due.
    """
    chat = chat_of(next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id])))
    waiting = "SELECT * FROM outbox WHERE state = 'queued' AND digest AND due > ? AND chat_id = ?"
    for row in list(db.query(waiting, [stamp(now), chat_id])):
        wanted = chats.subscriptions(db, place_of(row))
        due = [
            audience.release(chat, wanted[topic_id], row["priority"], now)
            for topic_id in json.loads(row["topics"])
            if topic_id in wanted
        ]
        if due and stamp(min(due)) < row["due"]:
            db.execute("UPDATE outbox SET due = ? WHERE id = ?", [stamp(min(due)), row["id"]])
    turns.settle(db, chat_id)


def kept_until(db: Database, chat_id: int, topic_ids: frozenset[str], now: datetime) -> datetime | None:
    """Return when the last of what waits for a chat on these topics may be told; None: all of it may now."""
    chat = chat_of(next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id])))
    wanted: dict[Place, dict[str, Subscription]] = {}
    last = None
    for row in list(db.query("SELECT * FROM outbox WHERE state = 'queued' AND chat_id = ?", [chat_id])):
        place, told_of = place_of(row), json.loads(row["topics"])
        if place not in wanted:
            wanted[place] = chats.subscriptions(db, place)
        of_it = [wanted[place][topic_id] for topic_id in told_of if topic_id in wanted[place]]
        if of_it and not topic_ids.isdisjoint(told_of):
            due = max(now, datetime.fromisoformat(row["due"]))
            comes = audience.held(chat, of_it, row["priority"], due) or due
            last = max(last or now, comes)
    return last if last is not None and last > now else None


def release(db: Database) -> int:
    """Give back what a process that ended left claimed, return how much that was, and make the line anew."""
    given_back = db.execute(f"UPDATE outbox SET state = {BACK} WHERE state = 'claimed'").rowcount
    turns.rebuild(db)
    return int(given_back)


def count(db: Database) -> dict[str, int]:
    """Return how many rows there are in each state."""
    return {row["state"]: row["n"] for row in db.query("SELECT state, count(*) AS n FROM outbox GROUP BY 1")}


def finish(db: Database, delivery_id: int, now: datetime, **facts: str | int) -> None:
    """Note what became of a row for good."""
    db.table("outbox").update(delivery_id, {"error": None, "finished": stamp(now), **facts})


def place_of(row: Row) -> Place:
    """Return where a row is to go."""
    return Place(row["chat_id"], row["thread_id"])


def _chats_of(db: Database, delivery_ids: Iterable[int]) -> set[int]:
    return {
        chat_id
        for ids in items.chunks(list(delivery_ids))
        for (chat_id,) in db.execute(f"SELECT chat_id FROM outbox WHERE id IN ({items.marks(ids)})", ids)
    }
