"""Taking out of the outbox what goes next: whose turn it is, and what is sent together.

Urgent alerts go before all others and each alone. Others go one by one, too, unless that would be late:

    digest     what waits to be told together
    flood      more alerts for a place than its pace allows within `FLOOD`
    late       alerts that are older than `[delivery] stale_after`
    edit       a message whose story has grown
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlite_utils import Database

from monitor import audience
from monitor.model import Alert, Chat, Delivery, Report, Topic
from monitor.pacing import Limits
from monitor.store import chats, edits, items, outbox, sources, turns
from monitor.store.turns import WAITING
from monitor.store.values import Row, chat_of, moment, stamp

log = logging.getLogger(__name__)

Kind = Literal["alert", "edit", "digest", "flood", "late"]

FLOOD = timedelta(seconds=10)  # alerts that would wait for longer go together
MOST_TOGETHER = 50  # rows in one claim; they are about two messages
MOST_REPORTS = 10  # other sources named in one message
MOST_BACKLOG = 100  # turns counted
URGENT, NORMAL, EDIT = range(3)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms rows go out."""

    limits: Limits
    stale_after: timedelta


@dataclass(frozen=True, slots=True)
class Claim:
    """What goes next: one row, or several in one message."""

    bundle: tuple[Delivery, ...] = ()  # empty when nothing may go now
    kind: Kind = "alert"
    following: datetime | None = None  # when to look again, if nothing may go now; None: nothing waits
    backlog: int = 0  # turns that could be taken now, at most `MOST_BACKLOG`


def claim(db: Database, now: datetime, terms: Terms) -> Claim:
    """Mark what goes next as claimed, count it against the limits, and return it.

    Rows that nobody wants any more are dropped instead: the chat stopped, or unsubscribed.
    """
    opening = turns.opening(db, terms.limits)
    if opening > now:
        due = turns.upcoming(db)
        return Claim(following=max(opening, due) if due else None)
    for chat_id, rank in list(_next(db, now)):
        chat = chat_of(next(db.query("SELECT * FROM chats WHERE id = ?", [chat_id])))
        if chat.status != "active":
            outbox.drop_chat(db, chat_id, f"the chat is {chat.status}", now)
            continue
        kind, rows = _rows(db, chat_id, rank, now, terms)
        bundle = tuple(found for row in rows if (found := _take(db, chat, row, now)))
        if bundle:
            turns.leave(db, chat_id)
            turns.spend(db, chat_id, terms.limits, now)
            return Claim(bundle, kind, backlog=turns.length(db, now, MOST_BACKLOG))
        turns.settle(db, chat_id)
    return Claim(following=turns.upcoming(db))


def named(bundle: Iterable[Delivery], topics: dict[str, Topic]) -> tuple[Delivery, ...]:
    """Return deliveries whose topics are those of today's config, where it still has them."""
    return tuple(
        replace(one, alert=replace(one.alert, topics=tuple(topics.get(t.id, t) for t in one.alert.topics)))
        for one in bundle
    )


def _next(db: Database, now: datetime) -> Iterable[tuple[int, int]]:
    """Return the first turns of the line: as a rule the first is taken."""
    return (turn for turn, _ in zip(turns.line(db, now), range(20), strict=False))


def _rows(db: Database, chat_id: int, rank: int, now: datetime, terms: Terms) -> tuple[Kind, Sequence[Row]]:
    """Return what goes next to a chat of what waits with this rank, and how."""
    due = f"SELECT * FROM outbox WHERE {WAITING} AND chat_id = ? AND rank = ? AND due <= ?"
    first = next(db.query(f"{due} ORDER BY due, id LIMIT 1", [chat_id, rank, stamp(now)]), None)
    if first is None:
        return "alert", ()
    if rank == EDIT:
        return "edit", (first,)
    until, kind = now, _kind(db, first, now, terms)
    if kind == "alert":
        return kind, (first,)
    if kind == "late":
        until = now - terms.stale_after
    same = f"{due} AND thread_id = ? ORDER BY due, id LIMIT ?"
    values = [chat_id, rank, stamp(until), first["thread_id"], MOST_TOGETHER]
    rows = list(db.query(same, values))
    alone = kind == "flood" and len(rows) == 1  # in its topic of a forum, where the others flood
    return "alert" if alone else kind, rows


def _kind(db: Database, first: Row, now: datetime, terms: Terms) -> Kind:
    """Return how a queued row goes, and with it those that wait behind it."""
    chat_id, rank = first["chat_id"], first["rank"]
    if rank == outbox.DIGEST:
        return "digest"
    if first["due"] <= stamp(now - terms.stale_after):
        return "late"
    most = terms.limits.to(chat_id).within(FLOOD)
    waiting = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM outbox WHERE {WAITING} AND chat_id = ? AND rank = ?"
        " AND due <= ? LIMIT ?)",
        [chat_id, rank, stamp(now), most + 1],
    ).fetchone()[0]
    return "flood" if rank == NORMAL and waiting > most else "alert"


def _take(db: Database, chat: Chat, row: Row, now: datetime) -> Delivery | None:
    """Mark a row as claimed and return it; None, and it is dropped, if its place unsubscribed.

    None as well, and it is put off, if the chat was muted meanwhile or is in its quiet hours: it comes with
    the digest then. An edit makes no sound, and so needs not wait.
    """
    place = outbox.place_of(row)
    subscribed = chats.subscriptions(db, place)
    topic_ids = frozenset(subscribed).intersection(json.loads(row["topics"]))
    if not topic_ids:
        state = "dropped" if row["message_id"] is None else "sent"
        outbox.finish(db, row["id"], now, state=state, error="the chat unsubscribed")
        return None
    wanted = [subscribed[topic_id] for topic_id in topic_ids]
    if row["message_id"] is None and (until := audience.held(chat, wanted, row["priority"], now)):
        db.execute("UPDATE outbox SET due = ?, digest = 1 WHERE id = ?", [stamp(until), row["id"]])
        return None
    try:
        alert = _alert(db, row, topic_ids)
    except Exception as error:  # whatever it is, the other rows must not wait for its mending
        log.exception("delivery id=%d state=bug", row["id"])
        why = f"a bug: {type(error).__name__}"
        if row["message_id"] is None:
            outbox.give_up(db, [row["id"]], why, now)
        else:
            outbox.finish(db, row["id"], now, state="sent", error=why)
        return None
    db.execute(
        "UPDATE outbox SET state = 'claimed', stale = 0, attempts = attempts + 1 WHERE id = ?", [row["id"]]
    )
    return Delivery(
        id=row["id"],
        chat=chat,
        place=place,
        story_id=row["story_id"],
        alert=alert,
        priority=row["priority"],
        attempts=row["attempts"] + 1,
        digest=bool(row["digest"]),
        silent=bool(row["silent"]),
        message_id=row["message_id"],
    )


def _alert(db: Database, delivery: Row, topic_ids: frozenset[str]) -> Alert:
    """Return what a row of the outbox tells; what was edited in it only where it was sent before."""
    row = next(
        db.query(
            f"SELECT items.*, {items.SOURCE_COLUMNS} FROM items JOIN sources ON sources.id = source_id"
            " WHERE items.id = ?",
            [delivery["item_id"]],
        )
    )
    found = items.found_of(db, row)
    matches = tuple(match for match in found.matches if match.topic_id in topic_ids)
    return Alert(
        item=found.item,
        source=found.source,
        matches=matches,
        topics=tuple(
            Topic(id=topic_id, name=topic_id)
            for topic_id in ([match.topic_id for match in matches] or sorted(topic_ids))
        ),
        language=found.item.language or found.source.language,
        found=found.found,
        reports=_reports(db, delivery["story_id"], found.source.id),
        changes=edits.changes_of(row) if delivery["message_id"] is not None else (),
    )


def _reports(db: Database, story_id: int, source_id: str) -> tuple[Report, ...]:
    """Return the first report of each other source on a story, in the order they came."""
    rows = db.query(
        f"""
        SELECT items.source_id, items.url, items.published, {items.SOURCE_COLUMNS}
        FROM items JOIN sources ON sources.id = items.source_id WHERE items.id IN (
            SELECT min(items.id) FROM story_items JOIN items ON items.id = item_id
            WHERE story_id = ? AND items.source_id != ? GROUP BY items.source_id
        ) ORDER BY items.id LIMIT ?
        """,
        [story_id, source_id, MOST_REPORTS],
    )
    return tuple(
        Report(sources.source_of(row, "source_"), row["url"], moment(row["published"])) for row in rows
    )
