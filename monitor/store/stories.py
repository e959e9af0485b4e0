"""Events, and which items tell them."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from monitor.model import Story
from monitor.store.values import moment, stamp


def recent(db: Database, since: datetime) -> list[Story]:
    """Return the stories that were last told since then, newest first."""
    links: dict[int, set[str]] = {}
    for row in db.query(
        "SELECT story_id, link FROM story_links JOIN stories ON id = story_id WHERE seen >= ?", [stamp(since)]
    ):
        links.setdefault(row["story_id"], set()).add(row["link"])
    rows = db.query("SELECT * FROM stories WHERE seen >= ? ORDER BY seen DESC, id DESC", [stamp(since)])
    return [
        Story(row["id"], row["headline"], frozenset(links.get(row["id"], ())), moment(row["seen"]) or since)
        for row in rows
    ]


def begin(db: Database, headline: str, now: datetime) -> int:
    """Store a new story and return its id."""
    return int(db.table("stories").insert({"headline": headline, "seen": stamp(now)}).last_pk or 0)


def join(db: Database, story_id: int, item_id: int, links: frozenset[str], now: datetime) -> None:
    """Let an item tell a story, which is then seen now and known by the item's links too."""
    db.table("story_items").insert({"item_id": item_id, "story_id": story_id})
    db.table("story_links").insert_all(
        ({"story_id": story_id, "link": link} for link in sorted(links)), ignore=True
    )
    db.table("stories").update(story_id, {"seen": stamp(now)})
