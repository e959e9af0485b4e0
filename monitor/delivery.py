"""The outbox at work: claim, send, then mark.

At least once: Telegram has no idempotency key, so that a process that ends between Telegram's answer
and the mark repeats the one message in flight. Messages go one after the other for that reason. What
becomes of a message that was not taken is decided by the error that the sender raises:

    TelegramUnreachable    this chat waits, as long as Telegram asked or longer each time; when the next
                           chat has no luck either, everybody waits until Telegram answers
    ChatGone               the chat is left alone; its subscriptions stay for its return
    MessageRefused         it goes as plain text; refused again, it is dead with the reason in its row
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from monitor import errors, render, stories
from monitor.clock import Clock
from monitor.markup import escape, plain, split
from monitor.model import ChatStatus, Delivery, Message, Place, Topic
from monitor.store import Database, Store, chats, outbox

log = logging.getLogger(__name__)

BATCH = 20  # rows claimed in one transaction
REST = timedelta(seconds=5)  # the longest time between two looks into the outbox
FIRST_WAIT = timedelta(seconds=1)
LONGEST_HOLD = timedelta(seconds=15)  # of a chat whose message got no answer
LONGEST_PAUSE = timedelta(seconds=30)  # of everybody while Telegram is away
LONGEST_ASKED = timedelta(days=1)  # that a wait may be, whatever Telegram asks for

LISTENING: tuple[ChatStatus, ...] = ("active",)

Verdict = Literal["done", "skip chat", "away"]


class Sender(Protocol):
    """Takes messages to their places."""

    async def send(self, place: Place, message: Message) -> int:
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
                if not await self.round() and not self._pause:
                    await self._rest()
            except errors.StoreUnwritable as error:
                log.error("outbox state=waiting reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                await _wait(self._stop, REST)
            if self._pause:
                await _wait(self._stop, self._pause)

    async def round(self) -> bool:
        """Deliver what is due, at most a batch; return whether to look again at once."""
        now = self._clock.now()
        claimed = await self._store.write(partial(outbox.claim, now=now, limit=BATCH))
        topics = dict(self._topics())
        skipped: set[int] = set()  # chats that are sent nothing more in this round
        unanswered = 0  # messages in a row that Telegram gave no answer to
        for bundle in _bundles([outbox.named(delivery, topics) for delivery in claimed], now):
            chat_id = bundle[0].chat.id
            if chat_id in skipped:  # its rows were given back or dropped
                continue
            verdict: Verdict = "away" if self._stop.is_set() else await self._deliver(bundle)
            unanswered = unanswered + 1 if verdict == "away" else 0
            if self._stop.is_set() or unanswered > 1:
                await self._mark(outbox.release)
                self._pause = min(max(self._pause * 2, FIRST_WAIT), LONGEST_PAUSE)
                return False
            if verdict == "done":
                self._pause = timedelta()
            else:
                skipped.add(chat_id)
        return bool(claimed)

    async def _rest(self) -> None:
        """Sleep until something is put into the outbox, or a row there comes due."""
        due = await self._store.read(outbox.next_due)
        await _wait(self._wake, min(REST, max(due - self._clock.now(), timedelta())) if due else REST)

    async def _deliver(self, bundle: Sequence[Delivery]) -> Verdict:
        """Send one alert, or one digest, and mark its rows."""
        self.beat = time.monotonic()
        now = self._clock.now()
        chat_id = bundle[0].chat.id
        try:
            message_id = await self._send(bundle, _message(bundle, now))
        except errors.TelegramUnreachable as error:
            return await self._hold(bundle, error, now)
        except errors.ChatGone as error:
            await self._mark(partial(_leave, chat_id=chat_id, reason=str(error), now=now))
            _log(bundle, "dropped", now, str(error))
            return "skip chat"
        except errors.MessageRefused as error:
            await self._mark(partial(_bury, bundle=bundle, reason=str(error), now=now))
            _log(bundle, "dead", now, str(error))
            return "done"
        ids = [delivery.id for delivery in bundle]
        done = self._clock.now()
        await self._mark(partial(outbox.sent, delivery_ids=ids, message_id=message_id, now=done))
        _log(bundle, "sent", done)
        return "done"

    async def _send(self, bundle: Sequence[Delivery], message: Message) -> int:
        """Send a message; one that Telegram refuses as it stands goes as plain text, lest it be lost."""
        place = bundle[0].place
        try:
            return await self._sender.send(place, message)
        except errors.MessageRefused as error:
            log.error("delivery id=%d chat=%d state=plain reason=%r", bundle[0].id, place.chat_id, str(error))  # noqa: TRY400 -- one line, no trace
            bare = split([escape(plain(message.html))])[0]
            return await self._sender.send(place, Message(bare, silent=message.silent))

    async def _hold(
        self, bundle: Sequence[Delivery], error: errors.TelegramUnreachable, now: datetime
    ) -> Verdict:
        """Let a chat wait as long as Telegram asked, or longer with each try where it gave no answer."""
        tries = min(bundle[0].attempts, 10)
        wait = min(
            error.after or FIRST_WAIT * 2 ** (tries - 1), LONGEST_ASKED if error.after else LONGEST_HOLD
        )
        hold = partial(outbox.hold, chat_id=bundle[0].chat.id, until=now + wait, error=str(error))
        await self._mark(hold)
        _log(bundle, "held", now, str(error))
        return "skip chat" if error.after else "away"

    async def _mark(self, job: Callable[..., object]) -> None:
        """Write what became of a message, however long the disk refuses: unmarked it would be repeated."""
        while True:
            try:
                await self._store.write(job)
            except errors.StoreUnwritable as error:
                log.error("outbox state=unmarked reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                self.beat = time.monotonic()
                await asyncio.sleep(FIRST_WAIT.total_seconds())
            else:
                return


async def _wait(event: asyncio.Event, longest: timedelta) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest.total_seconds()):
            await event.wait()


def _bundles(claimed: Sequence[Delivery], now: datetime) -> list[list[Delivery]]:
    """Return the rows as they are sent: each alone, but those for a digest together for each place."""
    bundles: list[list[Delivery]] = []
    digests: dict[Place, list[Delivery]] = {}
    for delivery in claimed:
        if delivery.digest:
            digests.setdefault(delivery.place, []).append(delivery)
        else:
            bundles.append([delivery])
    return bundles + [part for digest in digests.values() for part in _parts(digest, now)]


def _parts(digest: list[Delivery], now: datetime) -> list[list[Delivery]]:
    """Return a digest in parts that are one message each, so that each is marked when it is sent."""
    try:
        if len(digest) == 1 or len(_digest(digest, now)) == 1:
            return [digest]
    except Exception:  # one of them shows a bug: apart, the others are spared
        log.exception("delivery id=%d state=bug", digest[0].id)
        return [[delivery] for delivery in digest]
    half = len(digest) // 2
    return _parts(digest[:half], now) + _parts(digest[half:], now)


def _digest(bundle: Sequence[Delivery], now: datetime) -> Sequence[Message]:
    alerts = [delivery.alert for delivery in bundle]
    return render.digest(alerts, chat=bundle[0].chat, now=now)


def _message(bundle: Sequence[Delivery], now: datetime) -> Message:
    """Return a bundle as a message; where a bug shows, as headlines and links: better bare than lost."""
    first = bundle[0]
    silent = all(delivery.silent for delivery in bundle)
    try:
        if first.digest:
            message = _digest(bundle, now)[0]
        else:
            message = render.alert(first.alert, chat=first.chat, now=now)
        return replace(message, silent=message.silent or silent)
    except Exception:  # whatever it is, the other messages must not wait for its mending
        log.exception("delivery id=%d state=bug", first.id)
        told = [f"{stories.headline(one.alert.item)}\n{one.alert.item.url or ''}" for one in bundle]
        return Message(split([escape(line) for line in told])[0], silent=silent)


def _leave(db: Database, chat_id: int, reason: str, now: datetime) -> None:
    chats.set_status(db, chat_id, "gone", only_from=LISTENING)
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
