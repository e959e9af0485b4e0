"""Who talks to the bot, and what they want to hear."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from monitor.model import Chat, ChatStatus
from monitor.store.values import chat_of, stamp


def get(db: Database, chat_id: int) -> Chat | None:
    """Return a chat, or None if it never wrote."""
    row = next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id]), None)
    return chat_of(row) if row else None


def put(db: Database, chat: Chat, now: datetime) -> None:
    """Store a chat as it is now; the moment it first wrote stays."""
    facts = {name: getattr(chat, name) for name in Chat.__slots__}
    if get(db, chat.id):
        db.table("chats").update(chat.id, facts)
    else:
        db.table("chats").insert({**facts, "since": stamp(now)})


def set_status(db: Database, chat_id: int, status: ChatStatus) -> None:
    """Change what a chat may do; nothing happens to one that never wrote."""
    db.execute("UPDATE chats SET status = ? WHERE id = ?", [status, chat_id])


def count(db: Database) -> dict[str, int]:
    """Return how many chats there are of each status."""
    return {row["status"]: row["n"] for row in db.query("SELECT status, count(*) AS n FROM chats GROUP BY 1")}


def topics(db: Database, chat_id: int) -> frozenset[str]:
    """Return the ids of the topics that a chat subscribed to."""
    rows = db.query("SELECT topic_id FROM subscriptions WHERE chat_id = ?", [chat_id])
    return frozenset(row["topic_id"] for row in rows)


def subscribe(db: Database, chat_id: int, topic_ids: Iterable[str], now: datetime) -> None:
    """Let a chat hear of these topics; those it hears of already stay as they are."""
    db.table("subscriptions").insert_all(
        ({"chat_id": chat_id, "topic_id": topic_id, "since": stamp(now)} for topic_id in topic_ids),
        ignore=True,
    )


def unsubscribe(db: Database, chat_id: int, topic_ids: Iterable[str]) -> None:
    """Let a chat hear of these topics no more; what waits in the outbox for them alone is dropped there."""
    for topic_id in topic_ids:
        db.execute("DELETE FROM subscriptions WHERE chat_id = ? AND topic_id = ?", [chat_id, topic_id])


def listeners(db: Database, topic_ids: Iterable[str]) -> dict[int, frozenset[str]]:
    """Return the active chats that subscribed to any of these topics, with which of them."""
    heard: dict[int, set[str]] = {}
    for topic_id in topic_ids:
        for row in db.query(
            "SELECT chat_id FROM subscriptions JOIN chats ON chats.id = chat_id"
            " WHERE topic_id = ? AND status = 'active' ORDER BY chat_id",
            [topic_id],
        ):
            heard.setdefault(row["chat_id"], set()).add(topic_id)
    return {chat_id: frozenset(topics) for chat_id, topics in heard.items()}
