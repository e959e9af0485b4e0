"""Telegram: takes in commands and pressed buttons, sends and edits messages.

The only importer of python-telegram-bot; none of its types leaves this package. What comes in is a
`Request`, what goes out is a `Message`, and what Telegram refuses is an error named by its remedy.
"""

from __future__ import annotations

import asyncio
import html
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from telegram import Update

from monitor.clock import Clock, SystemClock
from monitor.errors import MonitorError, TelegramUnreachable, TokenRefused
from monitor.model import Membership, Message, Peer, Place, Reply, Request, Staff
from monitor.telegram_bot.client import Client
from monitor.telegram_bot.gate import Gate as Gate
from monitor.telegram_bot.replies import LONGEST_WAIT, Replies, wait_after
from monitor.telegram_bot.requests import is_here, membership_of, request_of, update_of
from monitor.telegram_bot.staff import StaffRoom

log = logging.getLogger(__name__)

POLL_SECONDS = 30  # how long Telegram holds a getUpdates that has nothing to say
BACKOFF = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between tries while Telegram is away, and then ...
SHORTEST_POLL = 0.2  # seconds between two polls that bring nothing, for a server that does not hold them
HANDLING_SECONDS = 1.0  # the next poll, which confirms the updates of the last, waits so long for them
GRACE_SECONDS = 6.0  # how long stop() waits for what is being handled
CONFIRM_SECONDS = 2.0  # and then for Telegram to take note of it
STALE_SECONDS = 150.0  # a loop without a sign of life for so long is stuck: over twice its longest wait
SORRY = {
    "en": "Something went wrong here; the operator can see it in the log.",
    "uk": "Щось пішло не так; оператор побачить це в журналі.",
    "ru": "Что-то пошло не так; оператор увидит это в журнале.",
}


class TelegramBot:
    """The bot's account at Telegram: `run()` takes in what people ask, `send()` and `edit()` tell them.

    While Telegram cannot be reached, `run()` says so once in the log and keeps trying. Updates of one
    chat are handled in order, those of different chats side by side. An update is confirmed to
    Telegram once it has been handled, or has taken longer than a second.
    """

    def __init__(  # noqa: PLR0913 - what the bot is made of, all but the token by name
        self,
        token: str,
        *,
        api_url: str = "https://api.telegram.org",
        handle: Callable[[Request], Awaitable[Reply | None]],
        menus: Mapping[str, Sequence[tuple[str, str]]],
        on_membership: Callable[[Membership], Awaitable[Reply | None]] | None = None,
        on_supergroup: Callable[[int, int], Awaitable[object]] | None = None,
        on_reply: Callable[[int], Awaitable[object]] | None = None,
        gate: Gate | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare without asking Telegram anything.

        `menus` holds (command, help) pairs by language code; "" is for every other language.
        `on_membership` is told what became of the bot in a chat, and returns what it says to that.
        `on_supergroup` is told the old and the new id of a group that became a supergroup, `on_reply` which
        chat got a reply. `gate` knows who has to wait.
        """
        self.username = ""  # without "@"; empty until Telegram was reached
        self.trouble: str | None = "not connected yet"  # why no updates come in, as one sentence
        clock = clock or SystemClock()
        self._gate = gate or Gate(clock)
        self._client = Client(token, api_url, clock, self._gate)
        self._handle = handle
        self._menus = menus
        self._on_membership = on_membership
        self._on_supergroup = on_supergroup
        self._replies = Replies(self._client, on_reply)
        self._staff = StaffRoom(self._client)
        self._offset = 0  # of the next update: 1 above the last one taken in
        self._failures = 0  # tries in a row that found no Telegram
        self._beat = time.monotonic()
        self._polling: asyncio.Task[None] | None = None
        self._menu_task: asyncio.Task[None] | None = None
        self._busy: dict[int, asyncio.Task[None]] = {}  # chat id -> the latest of its updates being handled

    async def __aenter__(self) -> Self:
        """Return the bot; nothing is asked of Telegram before `run()` or `send()`."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def connected(self) -> bool:
        """Return whether the last request for updates was answered."""
        return self.trouble is None

    @property
    def last_contact(self) -> datetime | None:
        """Return when Telegram last answered anything with a success."""
        return self._client.last_contact

    @property
    def alive(self) -> bool:
        """Return whether the loop behind `run()` runs and is not stuck, reachable or not."""
        running = self._polling is not None and not self._polling.done()
        return running and time.monotonic() - self._beat < STALE_SECONDS

    async def send(self, place: Place, message: Message) -> int:
        """Send a message and return its id.

        Raises `TelegramUnreachable` (with the wait that Telegram asked for), `TokenRefused`, or an error of
        the table in `remedies`.
        """
        return await self._client.send(place, message)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Replace a message that the bot sent; raises as `send` does, and `MessageLost`.

        The same text again is a success.
        """
        await self._client.edit(chat_id, message_id, message)

    async def staff(self, chat_id: int, asker: int | None = None) -> Staff:
        """Return who administers a group or channel, half a minute ago at most; raises as `send` does.

        It is sure of `asker`, also where Telegram gives no list.
        """
        return await self._staff.of(chat_id, asker)

    def is_gone(self, chat_id: int) -> bool:
        """Tell whether a chat refused everything, or removed the bot, and was not heard of since."""
        return self._gate.is_gone(chat_id)

    async def find_chat(self, name: int | str) -> Peer:
        """Return a chat by its id or its "@name"; raises as `send` does."""
        return await self._client.find_chat(name)

    async def download(self, file_id: str, most: int) -> bytes:
        """Return a file that somebody sent, of a larger one `most` + 1 bytes; raises as `send` does."""
        return await self._client.download(file_id, most)

    async def run(self) -> None:
        """Take in updates until `stop()`; raise `TokenRefused` when Telegram refuses the token."""
        self._polling = asyncio.create_task(self._poll_forever(), name="telegram-poll")
        try:
            await asyncio.wait({self._polling})
        finally:
            self._polling.cancel()
        if not self._polling.cancelled():
            self._polling.result()

    async def stop(self) -> None:
        """End `run()`, finish what is being handled, confirm it to Telegram; takes less than 10 s."""
        for task in (self._polling, self._menu_task):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        if self._busy:
            _, late = await asyncio.wait(self._busy.values(), timeout=GRACE_SECONDS)
            for task in late:
                log.warning("telegram update cut short task=%r", task.get_name())
                task.cancel()
            if late:
                await asyncio.wait(late)
        if self._offset and self.connected:
            await self._confirm()
        self.trouble = "stopped"
        await self._client.close()

    async def _confirm(self) -> None:
        """Tell Telegram that all updates taken in are done, so that the next start does not see them."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._client.updates(self._offset, 0)
        except (MonitorError, TimeoutError) as exc:
            log.warning("telegram last updates not confirmed error=%r", str(exc))

    async def _poll_forever(self) -> None:
        """Ask for updates for ever; raise `TokenRefused` only."""
        while True:
            self._beat = time.monotonic()
            try:
                await self._poll()
            except TokenRefused:
                raise
            except MonitorError as exc:
                self.trouble = str(exc)
                if not self._failures:
                    log.warning("telegram unreachable error=%r retrying=yes", self.trouble)
                usual = BACKOFF[self._failures] if self._failures < len(BACKOFF) else LONGEST_WAIT
                self._failures += 1
                await asyncio.sleep(wait_after(exc, usual))

    async def _poll(self) -> None:
        """Take in one batch of updates, and wait a moment for them to be handled."""
        if not self.username:
            self.username = await self._client.connect()
            self._menu_task = asyncio.create_task(self._set_menus(), name="telegram-menus")
        started, waited = time.monotonic(), self.connected
        # The first poll comes back at once, so that `connected` is known.
        updates = await self._client.updates(self._offset, POLL_SECONDS if self.connected else 0)
        if not self.connected:
            log.info("telegram connected bot=@%s failed_tries=%d", self.username, self._failures)
        self.trouble, self._failures = None, 0
        for raw in updates:  # no await in between: a stop finds all of them taken in, or none
            self._take(raw)
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=HANDLING_SECONDS)
        elif waited and not updates:
            await asyncio.sleep(max(0.0, started + SHORTEST_POLL - time.monotonic()))

    async def _set_menus(self) -> None:
        """Show the commands in Telegram's menu; the bot works without it, too."""
        for language, commands in self._menus.items():
            try:
                await self._patiently(partial(self._client.set_menu, language, commands))
            except MonitorError as exc:
                log.warning("telegram menu not set language=%r error=%r", language, str(exc))

    def _take(self, raw: dict[str, Any]) -> None:
        """Have an update handled after those that its chat sent before it."""
        self._offset = raw["update_id"] + 1
        try:
            update = update_of(raw)
            here = is_here(update, self._client.bot_id)
        except Exception as exc:  # noqa: BLE001 - whatever PTB stumbles over, the next update must come in
            _log_bug("telegram update not understood", exc)
            return
        if update.effective_chat is None:
            return
        chat_id = update.effective_chat.id
        if here:  # whatever of this chat still waits for its turn
            self._gate.opened(chat_id)
        else:
            self._gate.gone(chat_id, "the chat has removed the bot")
        task = asyncio.create_task(self._in_turn(update, self._busy.get(chat_id)), name=f"chat={chat_id}")
        self._busy[chat_id] = task
        task.add_done_callback(lambda done: self._busy.pop(chat_id) if self._busy[chat_id] is done else None)

    async def _in_turn(self, update: Update, before: asyncio.Task[None] | None) -> None:
        """Handle an update once the one before it is done."""
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            await self._serve(update)
        except MonitorError as exc:
            log.warning("telegram reply failed error=%s reason=%r", type(exc).__name__, str(exc))
        except Exception as exc:  # noqa: BLE001 - a bug in one update must not stop the others
            _log_bug("telegram update failed", exc)

    async def _serve(self, update: Update) -> None:
        """Do what an update asks for."""
        if change := update.my_chat_member:
            if self._on_membership is not None:
                self._staff.forget(change.chat.id)
                reply = await self._on_membership(membership_of(change))
                await self._replies.tell(Place(change.chat.id), reply or Reply(None))
        elif (message := update.message) and (message.migrate_to_chat_id or message.migrate_from_chat_id):
            here = message.chat.id  # Telegram says it in both
            if self._on_supergroup is not None:
                old, new = message.migrate_from_chat_id or here, message.migrate_to_chat_id or here
                await self._on_supergroup(old, new)
        elif request := request_of(update, self.username):
            place = Place(request.chat_id, request.thread_id)
            await self._replies.tell(place, await self._answer(request), update.callback_query)

    async def _answer(self, request: Request) -> Reply:
        """Return the app's reply, or one that says what went wrong."""
        try:
            return await self._handle(request) or Reply(None)
        except MonitorError as exc:
            sentence = str(exc)
        except Exception as exc:  # noqa: BLE001 - a bug in one command is logged and owned up to
            _log_bug(f"command failed chat={request.chat_id}", exc)
            sentence = SORRY.get(request.language or "", SORRY["en"])
        if request.pressed:  # the message with the buttons stays, so that another can be pressed
            return Reply(None, notice=sentence)
        return Reply(Message(html.escape(sentence, quote=False)))

    async def _patiently(self, request: Callable[[], Awaitable[object]]) -> None:
        """Make a request once Telegram asks for no wait any more."""
        while True:
            try:
                await request()
            except TelegramUnreachable as exc:
                if not exc.after:
                    raise
                await asyncio.sleep(wait_after(exc, 0))
            else:
                return


def _log_bug(event: str, exc: Exception) -> None:
    """Log where a bug struck; not its words, which may hold a chat's text."""
    stack = "".join(traceback.format_tb(exc.__traceback__))
    log.error("%s error=%s\n%s", event, type(exc).__name__, stack)
