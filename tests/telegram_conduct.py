"""What a bot that behaves never asks of Telegram, so that a test can see whether one does.

It never writes again to somebody who made clear that nothing may come, by a refusal or by an update, before
they let it in again, or an update says so; never to a chat that it was told to leave alone for a while, while
that lasts; and never to a group under an id that it was told is no longer the group's.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass

SENDING = {"sendmessage", "editmessagetext"}
FOR_GOOD = re.compile(
    "blocked by the user|user is deactivated|was kicked|not a member|chat was deleted|chat not found"
)
UNDER_WAY = 0.2  # seconds: what was sent before an answer could be read is no misconduct
OUT = {"kicked", "left"}
SHOWN = 25  # events of a story


@dataclass(frozen=True)
class Case:
    """Something that should not have been, and what had happened in its chat before."""

    what: str
    story: tuple[str, ...]

    def __str__(self) -> str:
        return "\n      ".join((self.what, *self.story))


class Conduct:
    """Watches what is asked and how it was answered."""

    def __init__(self) -> None:
        self.misdeeds: list[Case] = []
        self._closed: dict[int, tuple[float, str]] = {}  # chat id -> since when, and why, nothing may come
        self._waits: dict[int, tuple[float, float]] = {}  # chat id -> since when and until when
        self._events: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)

    def note(self, chat_id: int | None, event: str) -> None:
        """Take note of something for the story of a chat."""
        if chat_id is not None:
            self._events[chat_id].append((time.monotonic(), event))

    def case(self, chat_id: int, what: str, at: float) -> Case:
        """Return what should not have been, with what happened in its chat before that moment."""
        before = [(then, event) for then, event in self._events[chat_id] if then <= at]
        return Case(what, tuple(f"{at - then:7.3f} s before: {event}" for then, event in before[-SHOWN:]))

    def asked(self, method: str, chat_id: int | None, at: float) -> None:
        """Judge a request that came in at this moment."""
        if method not in SENDING or chat_id is None:
            return
        since, why = self._closed.get(chat_id, (at, ""))
        if at - since > UNDER_WAY:
            self._blame(chat_id, f"{method} to {chat_id}, {at - since:.1f} s after it was told: {why}", at)
        since, until = self._waits.get(chat_id, (at, 0))
        if since + UNDER_WAY < at < until:
            self._blame(chat_id, f"{method} to {chat_id}, {until - at:.1f} s before the end of its wait", at)

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
        self.note(chat_id, "let in")
        self._closed.pop(chat_id, None)

    def told(self, chat_id: int | None, news: str) -> None:
        """Take note of an update that the bot is given: one that comes late may be all that it knows."""
        self.note(chat_id, f"the bot is told: {news}")
        if chat_id is not None and news in OUT:
            self._closed[chat_id] = (time.monotonic(), news)
        elif chat_id is not None:
            self._closed.pop(chat_id, None)

    def _blame(self, chat_id: int, what: str, at: float) -> None:
        self.misdeeds.append(self.case(chat_id, what, at))
