"""What a bot that behaves never asks of Telegram, so that a test can see whether one does.

It never writes again to somebody who made clear that nothing may come, before they let it in again; never to
a chat that it was told to leave alone for a while, while that lasts; and never to a group under an id that it
was told is no longer the group's.
"""

from __future__ import annotations

import re
import time

SENDING = {"sendmessage", "editmessagetext"}
FOR_GOOD = re.compile(
    "blocked by the user|user is deactivated|was kicked|not a member|chat was deleted|chat not found"
)
UNDER_WAY = 0.2  # seconds: what was sent before an answer could be read is no misconduct


class Conduct:
    """Watches what is asked and how it was answered."""

    def __init__(self) -> None:
        self.misdeeds: list[str] = []
        self._closed: dict[int, tuple[float, str]] = {}  # chat id -> since when, and why, nothing may come
        self._waits: dict[int, tuple[float, float]] = {}  # chat id -> since when and until when

    def asked(self, method: str, chat_id: int | None, at: float) -> None:
        """Judge a request that came in at this moment."""
        if method not in SENDING or chat_id is None:
            return
        since, why = self._closed.get(chat_id, (at, ""))
        if at - since > UNDER_WAY:
            self.misdeeds.append(f"{method} to {chat_id}, {at - since:.1f} s after it was told: {why}")
        since, until = self._waits.get(chat_id, (at, 0))
        if since + UNDER_WAY < at < until:
            self.misdeeds.append(f"{method} to {chat_id}, {until - at:.1f} s before the end of its wait")

    def answered(self, method: str, chat_id: int | None, description: str, wait: float | None) -> None:
        """Take note of an answer."""
        if method not in SENDING or chat_id is None:
            return
        now = time.monotonic()
        if FOR_GOOD.search(description) or "upgraded to a supergroup" in description:
            self._closed[chat_id] = (now, description)
        if wait:
            self._waits[chat_id] = (now, now + wait)

    def opened(self, chat_id: int) -> None:
        """Take note that a chat let the bot in again."""
        self._closed.pop(chat_id, None)
