"""What single chats watch for besides the topics of the config: queries of their own.

A watch is a topic that one chat subscribed to; its id, "watch:7", is the row's.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from monitor.model import Place, Topic
from monitor.store import chats
from monitor.store.values import stamp

PREFIX = "watch:"  # no topic of a config has an id with a colon


def every(db: Database) -> list[Topic]:
    """Return the watches of all chats, the oldest first."""
    return [_topic(row["id"], row["query"]) for row in db.query("SELECT id, query FROM watches ORDER BY id")]


def of(db: Database, chat_id: int) -> list[Topic]:
    """Return the watches of a chat, the oldest first."""
    rows = db.query("SELECT id, query FROM watches WHERE chat_id = ? ORDER BY id", [chat_id])
    return [_topic(row["id"], row["query"]) for row in rows]


def add(db: Database, place: Place, query: str, now: datetime) -> Topic:
    """Let a place watch for a query and return the watch; one that the chat has already stays as it is."""
    same = _meaning(query)
    watch = next((watch for watch in of(db, place.chat_id) if _meaning(watch.query or "") == same), None)
    if watch is None:
        facts = {"chat_id": place.chat_id, "query": query, "since": stamp(now)}
        watch = _topic(int(db.table("watches").insert(facts).last_pk or 0), query)
    chats.subscribe(db, place.chat_id, [watch.id], now, thread_id=place.thread_id)
    return watch


def remove(db: Database, chat_id: int, watch_id: str) -> bool:
    """Let a chat watch for this no more; return whether it did."""
    number = watch_id.removeprefix(PREFIX)
    if not any(watch.id == watch_id for watch in of(db, chat_id)):
        return False
    db.execute("DELETE FROM watches WHERE id = ?", [int(number)])
    db.execute("DELETE FROM subscriptions WHERE chat_id = ? AND topic_id = ?", [chat_id, watch_id])
    return True


def _meaning(query: str) -> str:
    """Return what queries share that differ only in the case of words and in their blanks.

    In a regular expression case may mean something, and after a backslash.
    """
    plain = " ".join(query.split())
    return query if set(query) & {"/", "\\"} else plain.casefold()


def _topic(number: int, query: str) -> Topic:
    return Topic(id=f"{PREFIX}{number}", name=query, query=query)
