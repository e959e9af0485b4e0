"""What is to be sent, and what became of it.

    queued -> claimed -> sent      the usual way
              claimed -> queued    to be tried again at `due`
              claimed -> dead      Telegram will never take it; `error` says why
    queued -> dropped              nobody wants it any more: the chat stopped or unsubscribed

The key is (place, story): a story reaches a place once, however many items, topics and sources tell it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from monitor import audience
from monitor.audience import Hearing
from monitor.model import Alert, Delivery, Place, Topic
from monitor.store import chats, items
from monitor.store.values import Row, chat_of, moment, stamp


def _rank(column: str) -> str:
    """Return SQL that sorts the most pressing priority first."""
    return f"CASE {column} WHEN 'urgent' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END"


def told(db: Database, story_id: int) -> frozenset[Place]:
    """Return the places that were told a story, or are about to be."""
    rows = db.query(
        "SELECT chat_id, thread_id FROM outbox WHERE story_id = ? AND (state IN ('claimed', 'sent')"
        " OR (state = 'queued' AND priority = 'urgent'))",
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
            state = 'queued', attempts = 0, finished = NULL, error = NULL
        WHERE state IN ('dropped', 'dead')
            OR (state = 'queued' AND ({_rank("excluded.priority")} < {_rank("outbox.priority")}
                OR (outbox.digest AND excluded.due < outbox.due)))
        """,
        [*row, hearing.digest, hearing.silent, stamp(hearing.due), stamp(now)],
    )
    return cursor.rowcount > 0


def claim(db: Database, now: datetime, limit: int) -> list[Delivery]:
    """Mark the next due rows as claimed and return them, urgent ones first, the oldest first in each.

    With a row for a digest come all that are due for its place, to make one. Rows that nobody
    wants any more are dropped instead: the chat stopped, or unsubscribed. Rows for a chat that was muted
    meanwhile, or is in its quiet hours, are put off until it may be told, to come as one digest.
    """
    due = "SELECT * FROM outbox WHERE state = 'queued' AND due <= ?"
    order = f"ORDER BY {_rank('priority')}, id"
    rows = list(db.query(f"{due} {order} LIMIT ?", [stamp(now), limit]))
    for place in {_place(row) for row in rows if row["digest"]}:
        told = f"{due} AND digest AND chat_id = ? AND thread_id = ? ORDER BY id"
        taken = {row["id"] for row in rows}
        rows += [row for row in db.query(told, [stamp(now), *place]) if row["id"] not in taken]
    return [delivery for row in rows if (delivery := _claim(db, row, now))]


def sent(db: Database, delivery_ids: Iterable[int], message_id: int, now: datetime) -> None:
    """Mark rows as sent, in the message of this id."""
    for delivery_id in delivery_ids:
        _finish(db, delivery_id, now, state="sent", message_id=message_id)


def hold(db: Database, chat_id: int, until: datetime, error: str) -> None:
    """Give back what is claimed for a chat, and let nothing go to it before `until`."""
    db.execute(
        "UPDATE outbox SET state = 'queued', due = max(due, ?), error = ?"
        " WHERE chat_id = ? AND state IN ('queued', 'claimed')",
        [stamp(until), error, chat_id],
    )


def bury(db: Database, delivery_id: int, error: str, now: datetime) -> None:
    """Mark a row as one that Telegram will never take."""
    _finish(db, delivery_id, now, state="dead", error=error)


def drop_chat(db: Database, chat_id: int, reason: str, now: datetime) -> int:
    """Drop everything that waits for a chat and return how much that was."""
    cursor = db.execute(
        "UPDATE outbox SET state = 'dropped', finished = ?, error = ?"
        " WHERE chat_id = ? AND state IN ('queued', 'claimed')",
        [stamp(now), reason, chat_id],
    )
    return int(cursor.rowcount)


def hold_anew(db: Database, chat_id: int, now: datetime) -> None:
    """Let what waits for a digest of a chat wait no longer than the chat now wants, or come at once.

    To be called when a chat changes when it wants to be told. Nothing is put off here: `claim` asks
    again when a row is due.
    """
    chat = chat_of(next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id])))
    waiting = "SELECT * FROM outbox WHERE state = 'queued' AND digest AND due > ? AND chat_id = ?"
    for row in list(db.query(waiting, [stamp(now), chat_id])):
        wanted = chats.subscriptions(db, _place(row))
        due = [
            audience.release(chat, wanted[topic_id], row["priority"], now)
            for topic_id in json.loads(row["topics"])
            if topic_id in wanted
        ]
        if due and stamp(min(due)) < row["due"]:
            db.execute("UPDATE outbox SET due = ? WHERE id = ?", [stamp(min(due)), row["id"]])


def release(db: Database) -> int:
    """Give back what a process that ended left claimed and return how much that was."""
    return int(db.execute("UPDATE outbox SET state = 'queued' WHERE state = 'claimed'").rowcount)


def next_due(db: Database) -> datetime | None:
    """Return when the next queued row is due; None when nothing waits."""
    return moment(next(db.query("SELECT min(due) AS due FROM outbox WHERE state = 'queued'"))["due"])


def count(db: Database) -> dict[str, int]:
    """Return how many rows there are in each state."""
    return {row["state"]: row["n"] for row in db.query("SELECT state, count(*) AS n FROM outbox GROUP BY 1")}


def _claim(db: Database, row: Row, now: datetime) -> Delivery | None:
    chat = chat_of(next(db.query("SELECT * FROM chats WHERE id = ?", [row["chat_id"]])))
    place = _place(row)
    subscribed = chats.subscriptions(db, place)
    topic_ids = frozenset(subscribed).intersection(json.loads(row["topics"]))
    if chat.status != "active" or not topic_ids:
        reason = "the chat unsubscribed" if chat.status == "active" else f"the chat is {chat.status}"
        _finish(db, row["id"], now, state="dropped", error=reason)
        return None
    wanted = [subscribed[topic_id] for topic_id in topic_ids]
    if until := audience.held(chat, wanted, row["priority"], now):
        db.execute("UPDATE outbox SET due = ?, digest = 1 WHERE id = ?", [stamp(until), row["id"]])
        return None
    db.execute("UPDATE outbox SET state = 'claimed', attempts = attempts + 1 WHERE id = ?", [row["id"]])
    return Delivery(
        id=row["id"],
        chat=chat,
        place=place,
        story_id=row["story_id"],
        alert=_alert(db, row["item_id"], topic_ids),
        priority=row["priority"],
        attempts=row["attempts"] + 1,
        digest=bool(row["digest"]),
        silent=bool(row["silent"]),
    )


def _place(row: Row) -> Place:
    return Place(row["chat_id"], row["thread_id"])


def _finish(db: Database, delivery_id: int, now: datetime, **facts: str | int) -> None:
    db.table("outbox").update(delivery_id, {"error": None, "finished": stamp(now), **facts})


def _alert(db: Database, item_id: int, topic_ids: frozenset[str]) -> Alert:
    row = next(
        db.query(
            f"SELECT items.*, {items.SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = source_id"
            " WHERE items.id = ?",
            [item_id],
        )
    )
    found = items.found_of(db, row)
    matches = tuple(match for match in found.matches if match.topic_id in topic_ids)
    return Alert(
        item=found.item,
        source=found.source,
        matches=matches,
        topics=tuple(
            Topic(id=topic_id, name=topic_id)
            for topic_id in ([match.topic_id for match in matches] or sorted(topic_ids))
        ),
        language=found.item.language or found.source.language,
        found=found.found,
    )


def named(delivery: Delivery, topics: dict[str, Topic]) -> Delivery:
    """Return a delivery whose topics are those of today's config, where it still has them."""
    known = tuple(topics.get(topic.id, topic) for topic in delivery.alert.topics)
    return replace(delivery, alert=replace(delivery.alert, topics=known))
