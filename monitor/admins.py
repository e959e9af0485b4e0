"""What the admins are told: each notice once, many at a time as one message.

A notice is a row of the database first, written with what it is about, so that none is lost and a restart
repeats none. It is told in the language of the admin's own chat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Protocol

from monitor import errors
from monitor.clock import Clock
from monitor.config import Config
from monitor.markup import Safe, split
from monitor.model import Message, Notice, Place
from monitor.phrases import say
from monitor.render import span
from monitor.store import Store, chats, notices, turns
from monitor.store.notices import Waiting

log = logging.getLogger(__name__)

SHOWN = 10  # notices of one sort in one message
TRY_AGAIN = timedelta(days=1)  # an admin who never wrote
KEPT = timedelta(days=1)  # what nobody could be told for so long is no news any more


class Sender(Protocol):
    """What sends a message."""

    async def send(self, place: Place, message: Message) -> int:
        """Send a message and return its id; raises `TelegramUnreachable`, `ChatGone`, `MessageRefused`."""
        ...


class Admins:
    """Tells the admins what waits for them."""

    def __init__(self, store: Store, sender: Sender, clock: Clock, config: Callable[[], Config]) -> None:
        """Take the keepers, and the config as it is now, which names the admins."""
        self._store = store
        self._sender = sender
        self._clock = clock
        self._config = config

    async def note(self, notice: Notice) -> None:
        """Let the admins be told; raises StoreUnwritable."""
        await self._store.write(partial(notices.put, notice=notice, now=self._clock.now()))

    async def tell(self) -> None:
        """Send what waits; whom Telegram cannot be asked to tell now is told the next time."""
        try:
            waiting = await self._store.read(partial(notices.waiting, until=self._clock.now()))
            if not waiting:
                return
            who = sorted(self._config().telegram.admins)
            for admin in who:
                mine = [one for one in waiting if admin not in one.told]
                if mine and await self._told(admin, mine):
                    await self._store.write(partial(notices.told, these=mine, admin=admin))
            before = self._clock.now() - KEPT
            await self._store.write(partial(notices.forget, admins=who, before=before))
        except errors.StoreUnwritable as error:
            log.error("notices state=waiting reason=%r", str(error))  # noqa: TRY400 -- one line, no trace

    async def _told(self, admin: int, these: Sequence[Waiting]) -> bool:
        """Tell an admin; return whether that is done with, be it that this admin blocked the bot.

        An admin who never wrote is tried once a day, also over restarts: Telegram lets no bot begin. One who
        blocked the bot is not asked at all.
        """
        chat, now = await self._store.read(partial(chats.get, chat_id=admin)), self._clock.now()
        refused = await self._store.read(partial(turns.shut_since, chat_id=admin))
        if chat is None and refused is not None and now < refused + TRY_AGAIN:
            return False
        if chat is not None and chat.status == "gone":
            return True
        language = chat.language if chat else self._config().telegram.language
        lines = _lines([one.notice for one in these], language)
        try:
            for html in split(lines):
                await self._sender.send(Place(admin), Message(html))
        except errors.TelegramUnreachable:
            return False
        except errors.MonitorError as error:
            log.warning("admin chat=%d state=not_told reason=%r", admin, str(error))
            if chat is None:
                await self._store.write(partial(turns.shut, chat_id=admin, now=now))
            return chat is not None
        return True


def _lines(these: Sequence[Notice], language: str) -> list[Safe]:
    """Return notices as lines, those of one sort together and no more than ten of each."""
    sorts = list(dict.fromkeys(one.phrase for one in these))
    lines = []
    for _, group in groupby(sorted(these, key=lambda one: sorts.index(one.phrase)), lambda one: one.phrase):
        same = list(group)
        lines += [_line(one, language) for one in same[:SHOWN]]
        if len(same) > SHOWN:
            lines.append(say(language, "notice.more", count=len(same) - SHOWN))
    return lines


def _line(notice: Notice, language: str) -> Safe:
    """Return a notice in words, its durations too."""
    facts = {
        name: fact if isinstance(fact, str | int) else span(fact, language)
        for name, fact in notice.facts.items()
    }
    return say(language, notice.phrase, **facts)
