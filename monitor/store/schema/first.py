"""The tables that the bot began with: what is read, what is found, who is told."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.store.schema.ledger import migrations


@migrations()
def m001_sources(db: Database) -> None:
    """Make the table of what is polled."""
    db.create_table(
        "sources",
        {
            "id": str,
            "name": str,
            "kind": str,
            "address": str,
            "official": int,
            "language": str,
            "etag": str,
            "last_modified": str,
            "fingerprint": str,
            "moved_to": str,
            "last_post": int,
            "polled": str,  # the last try
            "succeeded": str,  # the last one that brought an answer; NULL until the baseline stands
            "changed": str,  # the last answer that differed from the one before
            "next_poll": str,
            "failures": int,  # in a row
            "error": str,
        },
        pk="id",
        not_null={"id", "name", "kind", "address", "official", "failures"},
        defaults={"failures": 0},
        strict=True,
    )


@migrations()
def m002_items(db: Database) -> None:
    """Make the tables of what was read, and of what was found in it."""
    db.create_table(
        "items",
        {
            "id": int,
            "source_id": str,
            "key": str,
            "title": str,
            "text": str,
            "url": str,
            "published": str,
            "language": str,
            "author": str,
            "forwarded_from": str,
            "forwarded_url": str,
            "edited": int,
            "links": str,  # a JSON list
            "found": str,
            "seen": str,  # when its source last showed it, to the day
        },
        pk="id",
        not_null={"source_id", "key", "title", "text", "edited", "links", "found", "seen"},
        strict=True,
    )
    db.table("items").create_index(["source_id", "key"], unique=True)
    db.table("items").create_index(["found"])
    db.create_table(
        "matches",
        {"item_id": int, "topic_id": str, "score": float, "evidence": str},
        pk=("item_id", "topic_id"),
        not_null={"score", "evidence"},
        foreign_keys=[("item_id", "items", "id")],
        strict=True,
    )
    db.table("matches").create_index(["topic_id", "item_id"])


@migrations()
def m003_stories(db: Database) -> None:
    """Make the tables of the events that the items tell."""
    db.create_table(
        "stories",
        {"id": int, "headline": str, "begun": str},
        pk="id",
        not_null={"headline", "begun"},
        strict=True,
    )
    db.table("stories").create_index(["begun"])
    db.create_table(
        "story_items",
        {"item_id": int, "story_id": int},
        pk="item_id",
        not_null={"story_id"},
        foreign_keys=[("item_id", "items", "id"), ("story_id", "stories", "id")],
        strict=True,
    )
    db.table("story_items").create_index(["story_id"])
    db.create_table(
        "story_links",
        {"story_id": int, "link": str, "source_id": str},
        pk=("story_id", "link", "source_id"),
        foreign_keys=[("story_id", "stories", "id")],
        strict=True,
    )


@migrations()
def m004_chats(db: Database) -> None:
    """Make the tables of who is told of what."""
    db.create_table(
        "chats",
        {
            "id": int,
            "title": str,
            "status": str,
            "language": str,
            "timezone": str,
            "since": str,
            "asked": str,
        },
        pk="id",
        not_null={"title", "status", "language", "timezone", "since"},
        strict=True,
    )
    db.create_table(
        "subscriptions",
        {"chat_id": int, "topic_id": str, "since": str},
        pk=("chat_id", "topic_id"),
        not_null={"since"},
        foreign_keys=[("chat_id", "chats", "id")],
        strict=True,
    )
    db.table("subscriptions").create_index(["topic_id"])


@migrations()
def m005_outbox(db: Database) -> None:
    """Make the table of what is to be sent, and what became of it."""
    db.create_table(
        "outbox",
        {
            "id": int,
            "chat_id": int,
            "story_id": int,
            "item_id": int,
            "topics": str,  # a JSON list of topic ids
            "priority": str,
            "state": str,
            "due": str,
            "attempts": int,
            "created": str,
            "finished": str,
            "message_id": int,
            "error": str,
        },
        pk="id",
        not_null={
            "chat_id",
            "story_id",
            "item_id",
            "topics",
            "priority",
            "state",
            "due",
            "attempts",
            "created",
        },
        defaults={"state": "queued", "attempts": 0},
        foreign_keys=[
            ("chat_id", "chats", "id"),
            ("story_id", "stories", "id"),
            ("item_id", "items", "id"),
        ],
        strict=True,
    )
    db.table("outbox").create_index(["chat_id", "story_id"], unique=True)
    db.table("outbox").create_index(["state", "due"])
    db.table("outbox").create_index(["story_id"])
    db.table("outbox").create_index(["item_id"])


@migrations()
def m006_watches(db: Database) -> None:
    """Make the table of what single chats watch for."""
    db.create_table(
        "watches",
        {"id": int, "chat_id": int, "query": str, "since": str},
        pk="id",
        not_null={"chat_id", "query", "since"},
        foreign_keys=[("chat_id", "chats", "id")],
        strict=True,
    )
    db.table("watches").create_index(["chat_id"])
