"""Replies: what is sent at once and not through the outbox, since nobody wants it later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from telegram import CallbackQuery

from monitor.errors import MessageRefused, MonitorError, TelegramUnreachable
from monitor.model import Message, Place, Reply
from monitor.telegram_bot.client import Client

log = logging.getLogger("monitor.telegram_bot")

LONGEST_WAIT = 60.0  # seconds; also where Telegram asks for more, so that an absurd wait ends
BETWEEN = (
    1.0  # seconds between the messages of one reply: Telegram takes one a second in a chat (Bot API FAQ)
)
REPLY_WAITS = (1.0, 4.0)  # seconds before the second and the third try to send a reply
PATIENCE = 5.0  # seconds that a reply may have to wait because Telegram asks for it; later it is not wanted


class Replies:
    """Tells people what their requests led to."""

    def __init__(self, client: Client, on_reply: Callable[[int], Awaitable[object]] | None) -> None:
        """`on_reply` is told which chat got something."""
        self._client = client
        self._on_reply = on_reply

    async def tell(self, place: Place, reply: Reply, query: CallbackQuery | None = None) -> None:
        """Send a reply to where it was asked for, and what others are to be told because of it."""
        try:
            if query is not None:
                await self._tell_presser(query, place, reply)
            elif reply.message is not None:
                await self._say(place, reply.message)
            for index, message in enumerate(reply.more):
                await asyncio.sleep(BETWEEN if index else 0)
                await self._say(reply.place or place, message)
        except MonitorError as exc:
            log.warning("telegram reply failed error=%s reason=%r", type(exc).__name__, str(exc))
        for chat_id, message in reply.others:
            await self._tell_other(chat_id, message)

    async def _tell_presser(self, query: CallbackQuery, place: Place, reply: Reply) -> None:
        """Show the notice, and put the reply in the place of the message with the button, where it may be."""
        try:
            await self._client.answer_press(query.id, reply.notice)
        except MonitorError as exc:  # a press of minutes ago can no longer be answered
            log.info("telegram press not answered chat=%d error=%r", place.chat_id, str(exc))
        if reply.message is None or query.message is None:
            return
        try:
            message_id = query.message.message_id
            edit = partial(self._client.edit, place.chat_id, message_id, reply.message)
            await self._insist(place.chat_id, edit)
        except MessageRefused:
            await self._say(place, reply.message)

    async def _tell_other(self, chat_id: int, message: Message) -> None:
        """Send a message that a request caused elsewhere."""
        try:
            await self._say(Place(chat_id), message)
        except MonitorError as exc:
            log.warning("telegram message failed chat=%d error=%s", chat_id, type(exc).__name__)

    async def _say(self, place: Place, message: Message) -> None:
        await self._insist(place.chat_id, partial(self._client.send, place, message))

    async def _insist(self, chat_id: int, request: Callable[[], Awaitable[object]]) -> None:
        """Make a request; try thrice, as replies are in no outbox, but wait no longer than `PATIENCE`."""
        for wait in REPLY_WAITS:
            try:
                await request()
                break
            except TelegramUnreachable as exc:
                if exc.after and exc.after.total_seconds() > PATIENCE:
                    raise
                await asyncio.sleep(wait_after(exc, wait))
        else:
            await request()
        if self._on_reply is not None:
            await self._on_reply(chat_id)


def wait_after(exc: MonitorError, usual: float) -> float:
    """Return the seconds to wait after an error: as long as Telegram asks, within reason."""
    asked = exc.after if isinstance(exc, TelegramUnreachable) else None
    return min(asked.total_seconds(), LONGEST_WAIT) if asked else usual
