"""What was read, and what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlite_utils import Database

from monitor.model import Item, Match, Source
from monitor.store import sources
from monitor.store.rows import add_row
from monitor.store.values import Row, evidence_of, evidence_text, item_of, item_row, moment, stamp

T = TypeVar("T")

A_DAY = timedelta(days=1)
SOURCE_COLUMNS = ", ".join(
    f"sources.{name} AS source_{name}" for name in ("name", "kind", "address", "official", "language")
)
CAME = "min(ifnull(published, found), found)"  # as `Found.came`
VARIABLES = 512  # parameters in one statement, well below SQLite's limit


@dataclass(frozen=True, slots=True)
class Found:
    """An item that matched, with where it came from and why it matched."""

    item: Item
    source: Source
    matches: tuple[Match, ...]
    found: datetime

    @property
    def came(self) -> datetime:
        """When it came: as published, but not later than found, since some feeds date ahead."""
        return min(self.item.published or self.found, self.found)


def moments(db: Database, source_id: str, limit: int) -> list[datetime]:
    """Return when the latest items of a source came: as published, but not later than found."""
    sql = f"SELECT {CAME} FROM items WHERE source_id = ? ORDER BY found DESC LIMIT ?"
    return [came for (text,) in db.execute(sql, [source_id, limit]) if (came := moment(text))]


def daily(db: Database, source_ids: Sequence[str], today: date, days: int) -> dict[str, list[int]]:
    """Return how many items of each source came on each of so many days (UTC), the last of them today."""
    first = today - timedelta(days=days - 1)
    counts = {source_id: [0] * days for source_id in source_ids}
    for ids in chunks(source_ids):
        rows = db.query(
            f"SELECT source_id, substr({CAME}, 1, 10) AS day, count(*) AS n"
            f" FROM items WHERE source_id IN ({marks(ids)}) AND found >= ? GROUP BY 1, 2",
            [*ids, first.isoformat()],
        )
        for row in rows:
            place = (date.fromisoformat(row["day"]) - first).days
            if 0 <= place < days:
                counts[row["source_id"]][place] = row["n"]
    return counts


def seen(db: Database, source_id: str, shown: Sequence[str], now: datetime) -> None:
    """Remember, to the day, that a source still shows the items with these keys."""
    for keys in chunks(shown):
        db.execute(
            f"UPDATE items SET seen = ? WHERE source_id = ? AND seen < ? AND key IN ({marks(keys)})",
            [stamp(now), source_id, stamp(now - A_DAY), *keys],
        )


def insert(db: Database, item: Item, matches: Iterable[Match], found: datetime) -> int:
    """Store an item with its matches and return its row id."""
    row_id = add_row(db, "items", item_row(item, found))
    store_matches(db, row_id, matches)
    return row_id


def store_matches(db: Database, item_id: int, matches: Iterable[Match]) -> None:
    """Store what was found in an item that is stored."""
    for match in matches:
        facts = {
            "item_id": item_id,
            "topic_id": match.topic_id,
            "score": float(match.score),
            "evidence": evidence_text(match.evidence),
        }
        add_row(db, "matches", facts)


def latest(db: Database, topics: Sequence[str], limit: int) -> list[Found]:
    """Return the newest items that matched one of these topics, newest first."""
    rows = db.query(
        f"""
        SELECT items.*, {SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = items.source_id
        WHERE items.id IN (SELECT item_id FROM matches WHERE topic_id IN ({marks(topics)}))
        ORDER BY {CAME} DESC, items.id DESC LIMIT ?
        """,
        [*topics, limit],
    )
    return [found_of(db, row) for row in rows]


def latest_of(db: Database, source_id: str, limit: int) -> list[Found]:
    """Return the newest items of a source, newest first."""
    rows = db.query(
        f"SELECT items.*, {SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = items.source_id"
        f" WHERE items.source_id = ? ORDER BY {CAME} DESC, items.id DESC LIMIT ?",
        [source_id, limit],
    )
    return [found_of(db, row) for row in rows]


def of_story(db: Database, story_id: int) -> dict[int, Found]:
    """Return the items that tell a story by their row ids, the earliest first."""
    rows = db.query(
        f"SELECT items.*, {SOURCE_COLUMNS} FROM story_items JOIN items ON items.id = item_id"
        " JOIN sources ON sources.id = source_id WHERE story_id = ?"
        f" ORDER BY {CAME}, items.id",
        [story_id],
    )
    return {row["id"]: found_of(db, row) for row in rows}


def history(db: Database, since: datetime) -> Iterator[Found]:
    """Yield every item found since then, oldest first, without its matches."""
    rows = db.query(
        f"SELECT items.*, {SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = source_id"
        f" WHERE found >= ? ORDER BY {CAME}, items.id",
        [stamp(since)],
    )
    yield from map(plain_found, rows)


def plain_found(row: Row) -> Found:
    """Return the item of a row that joins `items` with `SOURCE_COLUMNS`, without its matches."""
    found = moment(row["found"])
    assert found is not None  # noqa: S101 -- the column is NOT NULL
    return Found(item_of(row), sources.source_of(row, "source_"), (), found)


def matches_of(db: Database, item_id: int) -> tuple[Match, ...]:
    """Return the matches of a stored item, best first."""
    rows = db.query("SELECT * FROM matches WHERE item_id = ? ORDER BY score DESC, topic_id", [item_id])
    return tuple(Match(row["topic_id"], row["score"], evidence_of(row["evidence"])) for row in rows)


def found_of(db: Database, row: Row) -> Found:
    """Return the item of a row that joins `items` with `SOURCE_COLUMNS`."""
    found = moment(row["found"])
    assert found is not None  # noqa: S101 -- the column is NOT NULL
    return Found(item_of(row), sources.source_of(row, "source_"), matches_of(db, row["id"]), found)


def count_since(db: Database, since: datetime) -> tuple[int, int]:
    """Return how many items were found since then, and how many of them matched a topic."""
    row = next(
        db.query(
            "SELECT count(*) AS items, count(m.item_id) AS matched FROM items"
            " LEFT JOIN (SELECT DISTINCT item_id FROM matches) AS m ON m.item_id = items.id"
            " WHERE found >= ?",
            [stamp(since)],
        )
    )
    return row["items"], row["matched"]


def forget(db: Database, before: datetime, limit: int) -> int:
    """Delete what was found before then, at most `limit` items, and return how many that were.

    Kept all the same: what is still to be sent, and what its source still shows, since that would
    come back as new. An item that was not seen within three days of its source's last change is gone from
    there: a feed is looked at as a whole once a day, and that is remembered to the day.
    """
    gone = [
        row["id"]
        for row in db.query(
            """
            SELECT items.id FROM items LEFT JOIN sources ON sources.id = items.source_id
            WHERE items.found < ?
            AND julianday(items.seen) < julianday(ifnull(sources.changed, '9999-12-31')) - 1.01
            AND items.id NOT IN (SELECT item_id FROM outbox WHERE state IN ('queued', 'claimed', 'changed'))
            ORDER BY items.id LIMIT ?
            """,
            [stamp(before), limit],
        )
    ]
    stories = {
        row["story_id"]
        for ids in chunks(gone)
        for row in db.query(f"SELECT story_id FROM story_items WHERE item_id IN ({marks(ids)})", ids)
    }
    for ids in chunks(gone):
        for table in ("outbox", "matches", "story_items"):
            db.execute(f"DELETE FROM {table} WHERE item_id IN ({marks(ids)})", ids)
        db.execute(f"DELETE FROM items WHERE id IN ({marks(ids)})", ids)
    _forget_untold(db, sorted(stories))
    return len(gone)


def _forget_untold(db: Database, story_ids: Sequence[int]) -> None:
    """Delete those of the stories that no item tells any more."""
    for ids in chunks(story_ids):
        told = {
            row["story_id"]
            for row in db.query(f"SELECT story_id FROM story_items WHERE story_id IN ({marks(ids)})", ids)
        }
        for untold in (story_id for story_id in ids if story_id not in told):
            for table in ("outbox", "story_links", "story_headlines"):
                db.execute(f"DELETE FROM {table} WHERE story_id = ?", [untold])
            db.execute("DELETE FROM stories WHERE id = ?", [untold])


def marks(values: Sequence[object]) -> str:
    """Return a "?" for each value, as they stand in IN (...)."""
    return ",".join("?" * len(values))


def chunks(keys: Sequence[T]) -> Iterator[list[T]]:
    """Yield values in lists short enough for one statement.

    The last value is repeated up to a power of two: so there are ten statements of each kind, which are
    prepared once, and not one for each length.
    """
    for start in range(0, len(keys), VARIABLES):
        some = list(keys[start : start + VARIABLES])
        yield some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
