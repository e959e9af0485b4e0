"""Who administers a group or a channel, as Telegram said a moment ago."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial

from monitor.errors import MonitorError
from monitor.model import Staff
from monitor.telegram_bot.client import Client

BELIEVED = 30.0  # seconds

Key = tuple[int, int | None]  # (chat id, user id); None is the list of all admins


class StaffRoom:
    """Asks Telegram, and believes for half a minute what it said."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[Key, tuple[float, Staff]] = {}  # when it was asked for, and the answer

    async def of(self, chat_id: int, asker: int | None = None) -> Staff:
        """Return the staff of a chat; of an `asker` whom the list does not name Telegram is asked singly.

        The list is refused to some bots, unknown to some servers, and to bots that are no admins it does not
        name those who are anonymous. Raises where neither answer is to be had.
        """
        listed = partial(self._client.staff, chat_id)
        if asker is None:
            return await self._lately((chat_id, None), listed)
        singly = partial(self._client.standing, chat_id, asker)
        try:
            staff = await self._lately((chat_id, None), listed)
        except MonitorError:
            return await self._lately((chat_id, asker), singly)
        if asker not in staff.admins:
            with contextlib.suppress(MonitorError):  # then the list is all there is to know
                one = await self._lately((chat_id, asker), singly)
                staff = Staff(staff.admins | one.admins, staff.posts)
        return staff

    def forget(self, chat_id: int) -> None:
        """Ask anew who administers a chat."""
        self._known = {key: known for key, known in self._known.items() if key[0] != chat_id}

    async def _lately(self, key: Key, ask: Callable[[], Awaitable[Staff]]) -> Staff:
        now = time.monotonic()
        self._known = {key: known for key, known in self._known.items() if now - known[0] <= BELIEVED}
        if key not in self._known:
            self._known[key] = (now, await ask())
        return self._known[key][1]
