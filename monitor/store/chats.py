"""Who talks to the bot, and what they want to hear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from monitor.model import Chat, ChatStatus, Listener, Place, Subscription
from monitor.store.rows import fetch
from monitor.store.values import chat_of, chat_row, column, moment, stamp, subscription, subscription_of

WAITING: tuple[ChatStatus, ...] = ("pending",)


def get(db: Database, chat_id: int) -> Chat | None:
    """Return a chat, or None if it never wrote."""
    row = next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id]), None)
    return chat_of(row) if row else None


def put(db: Database, chat: Chat, now: datetime) -> None:
    """Store a chat as it is now; the moment it first wrote stays."""
    facts = chat_row(chat)
    if get(db, chat.id):
        db.table("chats").update(chat.id, facts)
    else:
        db.table("chats").insert({**facts, "since": stamp(now)})


def change(
    db: Database,
    default: Chat,
    facts: Mapping[str, Any],
    now: datetime,
    only_from: Collection[ChatStatus] | None = None,
) -> Chat:
    """Change some facts of a chat, in one step, and return it as it is then.

    `default` is the chat as it begins if it never wrote. A chat whose status is not in `only_from` stays
    as it is, and one that never wrote is not stored then.
    """
    chat = get(db, default.id) or default
    if only_from is not None and chat.status not in only_from:
        return chat
    chat = replace(chat, **facts)
    put(db, chat, now)
    return chat


def set_status(
    db: Database, chat_id: int, status: ChatStatus, only_from: Collection[ChatStatus] | None = None
) -> bool:
    """Change what a chat may do, from one of these statuses alone if any are given; tell whether it changed.

    Nothing happens to a chat that never wrote.
    """
    chat = get(db, chat_id)
    if chat is None or chat.status == status or (only_from is not None and chat.status not in only_from):
        return False
    db.table("chats").update(chat_id, {"status": status})
    return True


def ask(db: Database, default: Chat, now: datetime, again: timedelta) -> bool:
    """Note that a chat which waits asks now to be let in; tell whether the admins are to be asked.

    They are not where the chat asked less than `again` ago, or where it waits no more.
    """
    chat = change(db, default, {"title": default.title}, now, only_from=WAITING)
    if chat.status != "pending":
        return False
    last = moment(next(db.query("SELECT asked FROM chats WHERE id = ?", [chat.id]))["asked"])
    if last is not None and now - again < last <= now:
        return False
    db.table("chats").update(chat.id, {"asked": stamp(now)})
    return True


def waiting(db: Database, limit: int) -> list[Chat]:
    """Return the chats that asked to be let in and were not answered, those that wait longest first."""
    rows = db.query(
        "SELECT * FROM chats WHERE status = 'pending' AND asked IS NOT NULL ORDER BY asked, id LIMIT ?",
        [limit],
    )
    return [chat_of(row) for row in rows]


def gone(db: Database) -> list[int]:
    """Return the ids of the chats that take nothing."""
    return [chat_id for (chat_id,) in db.execute("SELECT id FROM chats WHERE status = 'gone'").fetchall()]


def overview(db: Database) -> list[tuple[Chat, int]]:
    """Return every chat that has asked or was let in, with how many topics it hears of.

    Those that wait come first, then the active ones, each in the order in which they came.
    """
    rows = db.query(
        """
        SELECT chats.*,
            (SELECT count(DISTINCT topic_id) FROM subscriptions WHERE chat_id = chats.id) AS topics
        FROM chats WHERE status != 'pending' OR asked IS NOT NULL
        ORDER BY CASE status WHEN 'pending' THEN 0 WHEN 'active' THEN 1 ELSE 2 END, since, id
        """
    )
    return [(chat_of(row), row["topics"]) for row in rows]


def count(db: Database) -> dict[str, int]:
    """Return how many chats there are of each status; a pending one counts once it has asked."""
    rows = db.query(
        "SELECT status, count(*) AS n FROM chats WHERE status != 'pending' OR asked IS NOT NULL GROUP BY 1"
    )
    return {row["status"]: row["n"] for row in rows}


def topics(db: Database, chat_id: int, thread_id: int = 0) -> frozenset[str]:
    """Return the ids of the topics that a place subscribed to."""
    return frozenset(subscriptions(db, Place(chat_id, thread_id)))


def subscriptions(db: Database, place: Place) -> dict[str, Subscription]:
    """Return how a place wants to hear of each topic that it subscribed to, by the topic's id."""
    rows = db.query("SELECT * FROM subscriptions WHERE chat_id = ? AND thread_id = ?", [*place])
    return {row["topic_id"]: subscription_of(row) for row in rows}


def adjust(db: Database, place: Place, topic_ids: Iterable[str], **facts: object) -> None:
    """Change how a place hears of some topics; those that it did not subscribe to are passed over."""
    columns = ", ".join(f"{name} = ?" for name in facts)
    for topic_id in topic_ids:
        db.execute(
            f"UPDATE subscriptions SET {columns} WHERE chat_id = ? AND thread_id = ? AND topic_id = ?",
            [*map(column, facts.values()), *place, topic_id],
        )


def subscribe(
    db: Database, chat_id: int, topic_ids: Iterable[str], now: datetime, *, thread_id: int = 0
) -> None:
    """Let a place hear of these topics; those it hears of already stay as they are."""
    place = {"chat_id": chat_id, "thread_id": thread_id}
    db.table("subscriptions").insert_all(
        ({**place, "topic_id": topic_id, "since": stamp(now)} for topic_id in topic_ids),
        ignore=True,
    )


def unsubscribe(db: Database, chat_id: int, topic_ids: Iterable[str], *, thread_id: int = 0) -> None:
    """Let a place hear of these topics no more; what waits in the outbox for them alone is dropped there."""
    for topic_id in topic_ids:
        db.execute(
            "DELETE FROM subscriptions WHERE chat_id = ? AND topic_id = ? AND thread_id = ?",
            [chat_id, topic_id, thread_id],
        )


def listeners(db: Database, topic_ids: Iterable[str]) -> dict[Place, Listener]:
    """Return the places in active chats that subscribed to any of these topics, and how they hear of each."""
    heard: dict[Place, dict[str, Subscription]] = {}
    found: dict[int, Chat] = {}
    for topic_id in topic_ids:
        for row in fetch(
            db,
            "SELECT chats.*, thread_id, silent, subscriptions.muted AS topic_muted,"
            " subscriptions.rhythm AS topic_rhythm FROM subscriptions JOIN chats ON chats.id = chat_id"
            " WHERE topic_id = ? AND status = 'active' ORDER BY chat_id, thread_id",
            [topic_id],
        ):
            chat_id = row["id"]
            found[chat_id] = found.get(chat_id) or chat_of(row)
            own = subscription(row["silent"], row["topic_muted"], row["topic_rhythm"])
            heard.setdefault(Place(chat_id, row["thread_id"]), {})[topic_id] = own
    return {place: Listener(found[place.chat_id], wanted) for place, wanted in heard.items()}
