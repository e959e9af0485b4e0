"""How values of the model stand in columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any

from monitor.hours import parse_quiet, parse_rhythm
from monitor.model import AT_ONCE, Chat, Evidence, Item, Quiet, Rhythm, Subscription

Row = Mapping[str, Any]
_ITEM = tuple(Item.__slots__)
_OF_ITEM = attrgetter(*_ITEM)
CHAT_AS_IT_STANDS = tuple(name for name in Chat.__slots__ if name not in {"muted", "quiet", "rhythm"})


@lru_cache(maxsize=64)  # one look is stored under the same few moments many times
def stamp(moment: datetime) -> str:
    """Return a moment as text that sorts as it reads: `2026-02-01T12:00:00.000000Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.isoformat(timespec='microseconds').removesuffix('+00:00')}Z"


def moment(text: str | None) -> datetime | None:
    """Return what `stamp` was given; None for NULL."""
    return datetime.fromisoformat(text) if text else None


def length(seconds: float | None) -> timedelta | None:
    """Return so many seconds as a length of time; None for NULL."""
    return None if seconds is None else timedelta(seconds=seconds)


def item_row(item: Item, found: datetime) -> dict[str, Any]:
    """Return the columns of an item."""
    return {
        **dict(zip(_ITEM, _OF_ITEM(item), strict=True)),
        "published": stamp(item.published) if item.published else None,
        "edited": int(item.edited),
        "links": json.dumps(item.links),
        "found": stamp(found),
        "seen": stamp(found),
    }


def item_of(row: Row) -> Item:
    """Return the item of a row of `items`."""
    facts = {name: row[name] for name in _ITEM}
    facts |= {"published": moment(row["published"]), "edited": bool(row["edited"])}
    return Item(**{**facts, "links": tuple(json.loads(row["links"]))})


def evidence_text(evidence: tuple[Evidence, ...]) -> str:
    """Return evidence as JSON."""
    return json.dumps([one._asdict() for one in evidence], ensure_ascii=False)


def evidence_of(text: str) -> tuple[Evidence, ...]:
    """Return what `evidence_text` was given."""
    return tuple(Evidence(**one) for one in json.loads(text))


def chat_of(row: Row) -> Chat:
    """Return the chat of a row of `chats`."""
    return Chat(
        **{name: row[name] for name in CHAT_AS_IT_STANDS},
        muted=moment(row["muted"]),
        quiet=parse_quiet(row["quiet"] or ""),
        rhythm=parse_rhythm(row["rhythm"]) or AT_ONCE,
    )


def chat_row(chat: Chat) -> dict[str, Any]:
    """Return the columns of a chat."""
    return {name: column(getattr(chat, name)) for name in Chat.__slots__}


def subscription_of(row: Row) -> Subscription:
    """Return how a place hears of a topic, from a row of `subscriptions`."""
    return subscription(row["silent"], row["muted"], row["rhythm"])


@lru_cache(maxsize=1024)  # a topic has thousands of subscribers, nearly all of whom hear of it in one way
def subscription(silent: int, muted: str | None, rhythm: str | None) -> Subscription:
    """Return how a place hears of a topic, from what stands in the columns."""
    return Subscription(bool(silent), moment(muted), parse_rhythm(rhythm or ""))


def column(value: object) -> object:
    """Return a value as it stands in a column: moments, quiet hours and rhythms as text."""
    if isinstance(value, datetime):
        return stamp(value)
    return str(value) if isinstance(value, Quiet | Rhythm) else value
