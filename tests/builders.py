"""Builders: a whole value from the one or two facts that a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from monitor.config import Delivery
from monitor.model import Chat, Item, Source, Topic
from monitor.pacing import Limits
from monitor.store.claims import Terms

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
NO_LIMITS = Delivery(messages_per_second=10**9, private_per_second=10**9, group_per_minute=10**9)
AT_ONCE = Terms(
    Limits.of(per_second=10**9, private_per_second=10**9, group_per_minute=10**9),
    stale_after=NO_LIMITS.stale_after,
)
"""Terms on which rows of the outbox go out as fast as they can be sent, also while a clock stands still."""


def source(source_id: str = "example", **facts: Any) -> Source:
    """Return a feed source that differs from the usual one by `facts`."""
    usual = {"name": "Example News", "kind": "feed", "address": "http://127.0.0.1/feed.xml"}
    return Source(id=source_id, **{**usual, **facts})


def item(title: str = "A headline", text: str = "", **facts: Any) -> Item:
    """Return an item of the usual source that differs by `facts`."""
    usual = {"source_id": "example", "key": title or text, "url": None, "published": NOW}
    return Item(title=title, text=text, **{**usual, **facts})


def topic(*keywords: str, **facts: Any) -> Topic:
    """Return a topic with these keywords that differs by `facts`."""
    usual = {"id": "topic", "name": "Topic"}
    return Topic(keywords=keywords, **{**usual, **facts})


def chat(chat_id: int = 1, **facts: Any) -> Chat:
    """Return an active chat that differs by `facts`."""
    usual = {"title": "Duty officer", "status": "active", "language": "en", "timezone": "Europe/Kyiv"}
    return Chat(id=chat_id, **{**usual, **facts})
