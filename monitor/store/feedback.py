"""What readers did with a story that they were told: had enough of it, or found it not relevant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlite_utils import Database

from monitor.model import Place
from monitor.store import items, turns
from monitor.store.values import stamp


@dataclass(frozen=True, slots=True)
class Told:
    """A story as a place was told it."""

    place: Place
    story_id: int
    item_id: int
    topic_ids: tuple[str, ...]


def told(db: Database, place: Place, story_id: int, message_id: int | None = None) -> Told | None:
    """Return what a chat was told of a story; None where that is forgotten.

    Several topics of a forum may have been told it: that of this message is meant, or else that of `place`.
    A press below an old message does not say in which topic that stands (Bot API, "InaccessibleMessage").
    """
    sql = (
        "SELECT * FROM outbox WHERE chat_id = ? AND story_id = ?"
        " ORDER BY message_id IS ? DESC, thread_id = ? DESC LIMIT 1"
    )
    row = next(db.query(sql, [place.chat_id, story_id, message_id, place.thread_id]), None)
    if row is None:
        return None
    where = Place(row["chat_id"], row["thread_id"])
    return Told(where, story_id, row["item_id"], tuple(json.loads(row["topics"])))


def show(db: Database, one: Told, now: datetime, again: timedelta) -> bool:
    """Note that a place is shown a whole story now; return False within `again` of the last time."""
    cursor = db.execute(
        "UPDATE outbox SET shown = ? WHERE chat_id = ? AND thread_id = ? AND story_id = ?"
        " AND (shown IS NULL OR shown <= ?)",
        [stamp(now), *one.place, one.story_id, stamp(now - again)],
    )
    return cursor.rowcount > 0


def enough(db: Database, one: Told) -> None:
    """Tell a place no more of a story: neither edit the message nor send it another one."""
    db.execute(
        "UPDATE outbox SET muted = 1, stale = 0, state = iif(state = 'changed', 'sent', state)"
        " WHERE chat_id = ? AND thread_id = ? AND story_id = ?",
        [*one.place, one.story_id],
    )
    turns.settle(db, one.place.chat_id)


def irrelevant(db: Database, one: Told, now: datetime) -> list[tuple[str, str]]:
    """Count a story as not relevant to its topics, and return those with the keywords that found it.

    A place counts once for each story.
    """
    blamed = [
        (match.topic_id, keyword)
        for match in items.matches_of(db, one.item_id)
        if match.topic_id in one.topic_ids
        for keyword in dict.fromkeys(evidence.keyword for evidence in match.evidence)
    ]
    db.table("irrelevant").insert_all(
        (
            {
                "chat_id": one.place.chat_id,
                "thread_id": one.place.thread_id,
                "story_id": one.story_id,
                "topic_id": topic_id,
                "keyword": keyword,
                "said": stamp(now),
            }
            for topic_id, keyword in blamed
        ),
        ignore=True,
    )
    return blamed


def blame(db: Database) -> dict[str, dict[str, int]]:
    """Return how often each keyword of a topic found what was not relevant, by topic, the worst first."""
    found: dict[str, dict[str, int]] = {}
    for row in db.query(
        "SELECT topic_id, keyword, count(*) AS times FROM irrelevant"
        " GROUP BY topic_id, keyword ORDER BY topic_id, times DESC, keyword"
    ):
        found.setdefault(row["topic_id"], {})[row["keyword"]] = row["times"]
    return found


def irrelevant_stories(db: Database) -> dict[str, int]:
    """Return how many stories were said to be not relevant, by topic; each counts once for each place."""
    rows = db.query(
        "SELECT topic_id, count(*) AS times FROM"
        " (SELECT DISTINCT topic_id, chat_id, thread_id, story_id FROM irrelevant) GROUP BY topic_id"
    )
    return {row["topic_id"]: row["times"] for row in rows}


@dataclass(frozen=True, slots=True)
class Use:
    """How a topic does: how many stories were found for it, and how many readers found not relevant."""

    stories: int = 0
    irrelevant: int = 0
    blame: Mapping[str, int] = field(default_factory=dict)  # by keyword, the most often first


def uses(db: Database, since: datetime) -> dict[str, Use]:
    """Return how each topic did that found anything since then, or found what was not relevant, by its id."""
    rows = db.query(
        "SELECT topic_id, count(DISTINCT story_id) AS stories FROM matches"
        " JOIN items ON items.id = matches.item_id JOIN story_items ON story_items.item_id = items.id"
        " WHERE found >= ? GROUP BY topic_id",
        [stamp(since)],
    )
    found = {row["topic_id"]: row["stories"] for row in rows}
    blamed, said = blame(db), irrelevant_stories(db)
    return {
        topic_id: Use(found.get(topic_id, 0), said.get(topic_id, 0), blamed.get(topic_id, {}))
        for topic_id in {*found, *said}
    }


def forget(db: Database, before: datetime) -> int:
    """Delete what was said before then, and return how much that was."""
    return int(db.execute("DELETE FROM irrelevant WHERE said < ?", [stamp(before)]).rowcount)
