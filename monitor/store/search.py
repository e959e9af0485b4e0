"""The full-text index over what was read: words by the items that have them.

It is filled in batches after the items were stored, since indexing an item takes several times as long as
storing it. What is not indexed yet is handed out beside what the index finds. The index keeps no text: to
forget an item it is told its words once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from monitor.model import Item
from monitor.store.items import CAME, SOURCE_COLUMNS, Found, plain_found
from monitor.store.values import item_of, moment, stamp


class Entry(NamedTuple):
    """An item as the index is to know it, or to know it no more."""

    id: int  # of its row in `items`, or in `stale_words`
    item_id: int
    item: Item


Keyed = Iterable[tuple[Entry, Iterable[str]]]
"""Entries with their words."""


def unindexed(db: Database, limit: int) -> list[Entry]:
    """Return the next items to be indexed, the oldest first."""
    rows = db.query("SELECT * FROM items WHERE indexed = 0 ORDER BY id LIMIT ?", [limit])
    return [Entry(row["id"], row["id"], item_of(row)) for row in rows]


def stale(db: Database, limit: int) -> list[Entry]:
    """Return what the index is to forget, in the order in which it changed."""
    rows = db.query("SELECT * FROM stale_words ORDER BY id LIMIT ?", [limit])
    return [
        Entry(row["id"], row["item_id"], Item("", "", row["title"], row["text"], language=row["language"]))
        for row in rows
    ]


def index(db: Database, entries: Keyed) -> int:
    """Put items into the index under their words; return how many that were.

    An item that was edited or forgotten since it was read is left for the next time.
    """
    count = 0
    for entry, words in entries:
        same = [entry.id, entry.item.title, entry.item.text]
        done = db.execute(
            "UPDATE items SET indexed = 1 WHERE id = ? AND title = ? AND text = ? AND indexed = 0", same
        )
        if done.rowcount:
            row = [entry.item_id, " ".join(sorted(words))]
            db.execute("INSERT INTO item_words (rowid, words) VALUES (?, ?)", row)
            count += 1
    return count


def drop(db: Database, entries: Keyed) -> int:
    """Let the index forget items as they were; return how many that were."""
    count = 0
    for entry, words in entries:
        row = [entry.item_id, " ".join(sorted(words))]
        db.execute("INSERT INTO item_words (item_words, rowid, words) VALUES ('delete', ?, ?)", row)
        db.execute("DELETE FROM stale_words WHERE id = ?", [entry.id])
        count += 1
    return count


def candidates(db: Database, words: Sequence[Iterable[str]], limit: int) -> list[Found]:
    """Return the items that have one of each group of words, and those that are not indexed yet.

    The newest first, at most `limit` of each of the two.
    """
    wanted = " AND ".join(
        "(" + " OR ".join(f'"{word}"' for word in sorted(group)) + ")" for group in words if group
    )
    if not wanted:
        return []
    rows = db.query(
        f"""
        SELECT items.*, {SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = items.source_id
        WHERE items.id IN
            (SELECT rowid FROM item_words WHERE item_words MATCH ? ORDER BY rowid DESC LIMIT ?)
        OR items.id IN (SELECT id FROM items WHERE indexed = 0 ORDER BY id DESC LIMIT ?)
        ORDER BY items.id DESC
        """,
        [wanted, limit, limit],
    )
    return [plain_found(row) for row in rows]


def counts(db: Database, topic_id: str, since: datetime) -> list[tuple[datetime, str, int]]:
    """Return how many items matched a topic in each hour since then, by the name of their source.

    An item counts for the hour in which it was published, or found where it says nothing or is ahead.
    """
    rows = db.query(
        f"""
        SELECT substr({CAME}, 1, 13) || ':00:00Z' AS hour,
            sources.name AS source, count(*) AS n
        FROM matches JOIN items ON items.id = item_id JOIN sources ON sources.id = source_id
        WHERE topic_id = ? AND {CAME} >= ? GROUP BY 1, 2
        """,
        [topic_id, stamp(since)],
    )
    return [(hour, row["source"], row["n"]) for row in rows if (hour := moment(row["hour"]))]
