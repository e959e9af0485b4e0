"""The outbox at work: claim, send, then mark.

At least once: Telegram has no idempotency key, so that a process that ends between Telegram's answer
and the mark repeats the one message in flight. Messages go one after the other for that reason. What
becomes of a message that was not taken is decided by the error that the sender raises:

    TelegramUnreachable with a wait    this chat waits that long, the others go on
    TelegramUnreachable                everybody waits, longer each time, until Telegram answers
    ChatGone                           the chat is left alone; its subscriptions stay for its return
    MessageRefused                     it goes as plain text; refused again, it is dead with the reason
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from monitor import errors, render
from monitor.clock import Clock
from monitor.markup import escape, plain, split
from monitor.model import Delivery, Message, Topic
from monitor.store import Database, Store, chats, outbox

log = logging.getLogger(__name__)

BATCH = 20  # rows claimed in one transaction
REST = timedelta(seconds=5)  # the longest time between two looks into the outbox
FIRST_PAUSE = timedelta(seconds=1)
LAST_PAUSE = timedelta(minutes=1)


class Sender(Protocol):
    """Takes messages to chats."""

    async def send(self, chat_id: int, message: Message) -> int:
        """Send a message and return its id; raises TelegramUnreachable, ChatGone or MessageRefused."""
        ...


class Courier:
    """Carries what is in the outbox to its chats for as long as `run` runs."""

    def __init__(
        self, store: Store, sender: Sender, clock: Clock, topics: Callable[[], Mapping[str, Topic]]
    ) -> None:
        """Take the keepers, and a function that returns the topics as they are configured now."""
        self._store = store
        self._sender = sender
        self._clock = clock
        self._topics = topics
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._pause = timedelta()
        self._silent_chats: set[int] = set()  # those that a round sends nothing more to
        self.beat = time.monotonic()

    def wake(self) -> None:
        """Tell the courier that something new is in the outbox."""
        self._wake.set()

    def stop(self) -> None:
        """Let `run` end once the message on its way is sent and marked."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until `stop` is called."""
        await self._mark(outbox.release)
        while not self._stop.is_set():
            self.beat = time.monotonic()
            self._wake.clear()
            try:
                busy = await self.round()
            except errors.StoreUnwritable as error:
                log.error("outbox state=waiting reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                self._pause, busy = REST, False
            if self._pause:
                await _wait(self._stop, min(self._pause, REST))
            elif not busy:
                await self._rest()

    async def round(self) -> bool:
        """Deliver what is due, at most a batch; return whether to look again at once."""
        now = self._clock.now()
        claimed = await self._store.write(partial(outbox.claim, now=now, limit=BATCH))
        topics = dict(self._topics())
        self._silent_chats.clear()
        for bundle in _bundles([outbox.named(delivery, topics) for delivery in claimed]):
            if bundle[0].chat.id in self._silent_chats:  # its rows were given back or dropped
                continue
            if self._stop.is_set() or not await self._deliver(bundle):
                await self._store.write(outbox.release)
                return False
        return bool(claimed)

    async def _rest(self) -> None:
        """Sleep until something is put into the outbox, or a row there comes due."""
        due = await self._store.read(outbox.next_due)
        await _wait(self._wake, min(REST, max(due - self._clock.now(), timedelta())) if due else REST)

    async def _deliver(self, bundle: Sequence[Delivery]) -> bool:
        """Send one alert, or one digest, and mark its rows; return False when nothing can be sent now."""
        now = self._clock.now()
        chat = bundle[0].chat
        try:
            message_id = 0
            for message in _messages(bundle, now):
                message_id = await self._send(bundle, message)
        except errors.TelegramUnreachable as error:
            return await self._put_off(bundle, error, now)
        except errors.ChatGone as error:
            self._silent_chats.add(chat.id)
            await self._mark(partial(_leave, chat_id=chat.id, reason=str(error), now=now))
            _log(bundle, "dropped", now, str(error))
        except errors.MessageRefused as error:
            await self._mark(partial(_bury, bundle=bundle, reason=str(error), now=now))
            _log(bundle, "dead", now, str(error))
        else:
            ids = [delivery.id for delivery in bundle]
            done = self._clock.now()
            await self._mark(partial(outbox.sent, delivery_ids=ids, message_id=message_id, now=done))
            _log(bundle, "sent", done)
        self._pause = timedelta()
        return True

    async def _send(self, bundle: Sequence[Delivery], message: Message) -> int:
        """Send a message; one that Telegram refuses as it stands goes as plain text, lest it be lost."""
        chat_id = bundle[0].chat.id
        try:
            return await self._sender.send(chat_id, message)
        except errors.MessageRefused as error:
            log.error("delivery id=%d chat=%d state=plain reason=%r", bundle[0].id, chat_id, str(error))  # noqa: TRY400 -- one line, no trace
            bare = split([escape(plain(message.html))])[0]
            return await self._sender.send(chat_id, Message(bare, silent=message.silent))

    async def _put_off(
        self, bundle: Sequence[Delivery], error: errors.TelegramUnreachable, now: datetime
    ) -> bool:
        if error.after is not None:
            until = now + error.after
            self._silent_chats.add(bundle[0].chat.id)
            hold = partial(outbox.hold, chat_id=bundle[0].chat.id, until=until, error=str(error))
            await self._mark(hold)
            _log(bundle, "held", now, str(error))
            return True
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LAST_PAUSE)
        _log(bundle, "waiting", now, str(error))
        return False

    async def _mark(self, job: Callable[..., object]) -> None:
        """Write what became of a message, however long the disk refuses: unmarked it would be repeated."""
        while True:
            try:
                await self._store.write(job)
            except errors.StoreUnwritable as error:
                log.error("outbox state=unmarked reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                self.beat = time.monotonic()
                await asyncio.sleep(FIRST_PAUSE.total_seconds())
            else:
                return


async def _wait(event: asyncio.Event, longest: timedelta) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), longest.total_seconds())


def _bundles(claimed: Sequence[Delivery]) -> list[list[Delivery]]:
    """Return the rows as they are sent: each alone, but those of low priority together for each chat."""
    bundles: list[list[Delivery]] = []
    digests: dict[int, list[Delivery]] = {}
    for delivery in claimed:
        if delivery.priority != "low":
            bundles.append([delivery])
        elif delivery.chat.id in digests:
            digests[delivery.chat.id].append(delivery)
        else:
            bundles.append(digests.setdefault(delivery.chat.id, [delivery]))
    return bundles


def _messages(bundle: Sequence[Delivery], now: datetime) -> Sequence[Message]:
    first = bundle[0]
    if first.priority != "low":
        return [render.alert(first.alert, chat=first.chat, now=now)]
    return render.digest([delivery.alert for delivery in bundle], chat=first.chat, now=now)


def _leave(db: Database, chat_id: int, reason: str, now: datetime) -> None:
    chats.set_status(db, chat_id, "gone")
    outbox.drop_chat(db, chat_id, reason, now)


def _bury(db: Database, bundle: Sequence[Delivery], reason: str, now: datetime) -> None:
    for delivery in bundle:
        outbox.bury(db, delivery.id, reason, now)


def _log(bundle: Sequence[Delivery], state: str, now: datetime, reason: str = "") -> None:
    for delivery in bundle:
        log.log(
            logging.WARNING if reason else logging.INFO,
            "delivery id=%d chat=%d story=%d state=%s attempt=%d age=%.1fs%s",
            delivery.id,
            delivery.chat.id,
            delivery.story_id,
            state,
            delivery.attempts,
            (now - delivery.alert.found).total_seconds(),
            f" reason={reason!r}" if reason else "",
        )
