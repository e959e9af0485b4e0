"""Who has to wait, and who takes nothing: the one gate that every request about a chat passes.

Telegram's 429 does not say whether it means one chat or all. The chat waits as long as it was told; when
another is told the same before anybody was sent anything, all wait.

A chat that blocked or removed the bot is asked nothing, whoever has something for it, until it is heard of
again. A refusal of what was on its way when it was heard of says nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.errors import ChatGone, ChatMoved, ChatResting
from monitor.pacing import EVERYBODY, LONGEST_ASKED

OnWait = Callable[[int, datetime, timedelta], Awaitable[object]]
"""Is told which chat waits, until when, and how long Telegram asked for."""


@dataclass(eq=False, slots=True)
class Asking:
    """A request that is under way."""

    heard: bool = False  # of its chat, since it went out


class Gate:
    """Knows which chats have to wait and which are gone, and lets nothing through to them."""

    def __init__(self, clock: Clock, on_wait: OnWait | None = None) -> None:
        """`on_wait` writes down what is learnt, so that `hold` can tell it to the next process."""
        self._clock = clock
        self._on_wait = on_wait
        self._until: dict[int, datetime] = {}
        self._moved: dict[int, ChatMoved] = {}
        self._gone: dict[int, str] = {}  # chat id -> why nothing may come
        self._under_way: dict[int, set[Asking]] = {}
        self._asked: int | None = None  # the chat that was told to wait, if nothing was taken since

    def hold(self, chat_id: int, until: datetime) -> None:
        """Let nothing through to a chat, or to `EVERYBODY`, before then."""
        self._until[chat_id] = max(until, self._until.get(chat_id, until))

    def check(self, chat_id: int) -> None:
        """Raise what `check_wait` does, and ChatGone for a chat that takes nothing."""
        if chat_id in self._gone and chat_id not in self._moved:
            raise ChatGone(self._gone[chat_id])
        self.check_wait(chat_id)

    def check_wait(self, chat_id: int) -> None:
        """Raise ChatResting, with what is left of the wait, if there is one for this chat.

        Raises ChatMoved for an id that is known to be no chat's any more.
        """
        if chat_id in self._moved:
            raise ChatMoved(str(self._moved[chat_id]), self._moved[chat_id].new_id)
        now = self._clock.now()
        for waiting in (chat_id, EVERYBODY):
            until = self._until.get(waiting, now)
            if until > now:
                left = until - now
                words = f"Telegram asked to wait, for {left.total_seconds():.0f} s more"
                raise ChatResting(words, after=left)
            self._until.pop(waiting, None)

    def moved(self, chat_id: int, error: ChatMoved) -> None:
        """Take note that a group has another id now."""
        self._moved[chat_id] = error

    @contextmanager
    def asking(self, chat_id: int) -> Iterator[Asking]:
        """Let one request about a chat through, and take note while it lasts whether that is heard of.

        Raises what `check` does.
        """
        self.check(chat_id)
        asking = Asking()
        self._under_way.setdefault(chat_id, set()).add(asking)
        try:
            yield asking
        finally:
            self._under_way[chat_id].remove(asking)
            if not self._under_way[chat_id]:
                del self._under_way[chat_id]

    def opened(self, chat_id: int) -> None:
        """Take note that a chat was heard of: it is there, whatever it refused before."""
        for asking in self._under_way.get(chat_id, ()):
            asking.heard = True
        self._gone.pop(chat_id, None)

    def gone(self, chat_id: int, reason: str, asking: Asking | None = None) -> None:
        """Let nothing through to a chat until it is heard of.

        `asking` is the request that it refused: if it was heard of since that went out, this says nothing.
        """
        if asking is None or not asking.heard:
            self._gone[chat_id] = reason

    def is_gone(self, chat_id: int) -> bool:
        """Tell whether nothing is let through to a chat because it takes nothing."""
        return chat_id in self._gone

    def taken(self) -> None:
        """Take note that Telegram does what it is asked."""
        self._asked = None

    async def refused(self, chat_id: int, wait: timedelta) -> None:
        """Take note that Telegram asked for a wait; an absurd one is cut short."""
        until = self._clock.now() + min(wait, LONGEST_ASKED)
        whom = [chat_id] if self._asked in {None, chat_id} else [chat_id, EVERYBODY]
        self._asked = chat_id
        for waiting in whom:
            self.hold(waiting, until)
        for waiting in whom:
            if self._on_wait is not None:
                await self._on_wait(waiting, until, wait)
