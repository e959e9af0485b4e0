"""Items that are not any more what they were when they were stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from monitor.edits import changes
from monitor.model import Change, Item, Match
from monitor.store import items
from monitor.store.rows import fetch
from monitor.store.values import Row, item_row


@dataclass(frozen=True, slots=True)
class Edit:
    """A stored item, and what its source shows of it now."""

    row_id: int
    item: Item
    found: datetime
    in_words: bool  # its title or its text, and not only where it links to


class Revision(NamedTuple):
    """What an edit means."""

    gained: frozenset[str]  # the topics that the item did not match before
    edits: int  # how often it was edited by now


def revise(db: Database, edit: Edit, item: Item, matches: Sequence[Match], now: datetime) -> Revision | None:
    """Store an item as it is now, with its matches of now.

    What chats were told of it first is kept, so that they can be told what changed. None where the item was
    forgotten meanwhile.
    """
    if not db.execute("SELECT 1 FROM items WHERE id = ?", [edit.row_id]).fetchone():
        return None
    fresh = item_row(item, now)
    kept = {"key", "source_id", "published", "found", "seen"}
    columns = {name: value for name, value in fresh.items() if name not in kept}
    columns["edited"] = int(item.edited or edit.in_words)
    db.execute(
        "UPDATE items SET told = json_array(title, text) WHERE id = ? AND told IS NULL AND EXISTS"
        " (SELECT 1 FROM outbox WHERE item_id = items.id AND state NOT IN ('queued', 'dropped', 'dead'))",
        [edit.row_id],
    )
    db.table("items").update(edit.row_id, columns)
    before = {
        row["topic_id"] for row in db.query("SELECT topic_id FROM matches WHERE item_id = ?", [edit.row_id])
    }
    db.execute("DELETE FROM matches WHERE item_id = ?", [edit.row_id])
    items.store_matches(db, edit.row_id, matches)
    row = next(
        db.query(
            "UPDATE items SET edits = edits + ? WHERE id = ? RETURNING edits", [edit.in_words, edit.row_id]
        )
    )
    return Revision(frozenset(match.topic_id for match in matches) - before, row["edits"])


def widen(db: Database, row_id: int, topics: frozenset[str]) -> None:
    """Let the alerts on an item also be about these topics, as far as their chats subscribed to them."""
    for row in fetch(db, "SELECT id, topics FROM outbox WHERE item_id = ?", [row_id]):
        about = json.loads(row["topics"])
        about += sorted(topics.difference(about))
        db.execute("UPDATE outbox SET topics = ? WHERE id = ?", [json.dumps(about), row["id"]])


def changes_of(row: Row) -> tuple[Change, ...]:
    """Return what changed in the item of a row of `items` since chats were first told of it."""
    if row["told"] is None:
        return ()
    title, text = json.loads(row["told"])
    return (*changes(title, row["title"]), *changes(text, row["text"]))
