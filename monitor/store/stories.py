"""Events, and which items tell them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlite_utils import Database

from monitor.model import Story
from monitor.store.items import chunks, marks
from monitor.store.rows import add_row, fetch
from monitor.store.values import moment, stamp
from monitor.stories import outline


def alike(db: Database, links: Iterable[str], told: str, since: datetime) -> list[Story]:
    """Return the stories since then with one of these links or this outline of a headline, newest first.

    One that goes by several headlines since an item of it was edited may be there with each of them.
    """
    wanted = list(links)
    rows = fetch(
        db,
        f"""
        SELECT * FROM stories WHERE begun >= ? AND id IN (
            SELECT story_id FROM story_links WHERE link IN ({",".join("?" * len(wanted))})
            UNION SELECT id FROM stories WHERE outline = ? AND outline != ''
        ) ORDER BY begun DESC, id DESC
        """,
        [stamp(since), *wanted, told],
    )
    renamed = fetch(
        db,
        """
        SELECT story_headlines.headline, id, begun FROM story_headlines JOIN stories ON id = story_id
        WHERE begun >= ? AND story_headlines.outline = ? AND story_headlines.outline != ''
        ORDER BY begun DESC, id DESC
        """,
        [stamp(since), told],
    )
    known = (*rows, *renamed)
    given = _links(db, [row["id"] for row in known])
    return [
        Story(row["id"], row["headline"], frozenset(given[row["id"]]), moment(row["begun"]) or since)
        for row in known
    ]


def begin(db: Database, headline: str, now: datetime) -> int:
    """Store a new story and return its id."""
    facts = {"headline": headline, "outline": outline(headline), "begun": stamp(now)}
    return add_row(db, "stories", facts)


def also_called(db: Database, story_id: int, headline: str) -> None:
    """Let a story also go by this headline, which an edit gave to an item of it."""
    facts = {"story_id": story_id, "headline": headline, "outline": outline(headline)}
    add_row(db, "story_headlines", facts, or_else="IGNORE")


def _links(db: Database, story_ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    """Return the links that each of the stories is known by, and who gave them."""
    given = defaultdict[int, set[tuple[str, str]]](set)
    for ids in chunks(story_ids):
        sql = f"SELECT story_id, link, source_id FROM story_links WHERE story_id IN ({marks(ids)})"
        for story_id, link, source_id in db.execute(sql, ids):
            given[story_id].add((link, source_id))
    return given


def of_item(db: Database, item_id: int) -> int | None:
    """Return the story that an item tells; None where it tells none."""
    row = next(db.query("SELECT story_id FROM story_items WHERE item_id = ?", [item_id]), None)
    return row["story_id"] if row else None


def join(db: Database, story_id: int, item_id: int, links: Iterable[tuple[str, str]]) -> bool:
    """Let an item tell a story, which is then also known by the item's links (and who gave them).

    Returns whether others told the story already, and the item's source is new among them.
    """
    others = "SELECT source_id FROM items JOIN story_items ON id = item_id WHERE story_id = ?"
    grows = db.execute(
        f"SELECT EXISTS ({others}) AND (SELECT source_id FROM items WHERE id = ?) NOT IN ({others})",
        [story_id, item_id, story_id],
    ).fetchone()[0]
    add_row(db, "story_items", {"item_id": item_id, "story_id": story_id})
    for link, source_id in links:
        facts = {"story_id": story_id, "link": link, "source_id": source_id}
        add_row(db, "story_links", facts, or_else="IGNORE")
    return bool(grows)
