"""How values of the model stand in columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.model import Chat, Evidence, Item

Row = Mapping[str, Any]


def stamp(moment: datetime) -> str:
    """Return a moment as text that sorts as it reads: `2026-02-01T12:00:00.000000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    """Return what `stamp` was given; None for NULL."""
    return datetime.fromisoformat(text) if text else None


def item_row(item: Item, found: datetime) -> dict[str, Any]:
    """Return the columns of an item."""
    return {
        **{name: getattr(item, name) for name in Item.__slots__},
        "published": stamp(item.published) if item.published else None,
        "edited": int(item.edited),
        "links": json.dumps(item.links),
        "found": stamp(found),
        "seen": stamp(found),
    }


def item_of(row: Row) -> Item:
    """Return the item of a row of `items`."""
    facts = {name: row[name] for name in Item.__slots__}
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
    return Chat(**{name: row[name] for name in Chat.__slots__})
