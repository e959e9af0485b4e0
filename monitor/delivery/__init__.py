"""The outbox at work: claim, send, then mark.

At least once: Telegram has no idempotency key, so that a process that ends between Telegram's answer
and the mark repeats the message in flight. So there is one at a time, as long as that is fast enough:
only where many chats wait and Telegram takes its time are there up to four, never two for one chat.

What becomes of a message that was not taken is decided by the error that the sender raises; see
`refusals`. Who does not answer at all lets its chat wait; when the next chat has no luck either,
everybody waits until Telegram answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from monitor import errors
from monitor.clock import Clock
from monitor.config import Delivery as Rules
from monitor.delivery import letters, refusals
from monitor.delivery.letters import Letter
from monitor.delivery.portions import Portions
from monitor.delivery.refusals import FIRST_WAIT, Attempt, Remedy
from monitor.delivery.silence import IN_FLIGHT, Silence
from monitor.model import Delivery, Message, Notice, Place, Staff, Topic
from monitor.pacing import Limits
from monitor.phrases import say
from monitor.store import Database, Store, chats, claims, moves, notices, outbox, turns

log = logging.getLogger(__name__)
T = TypeVar("T")

REST = timedelta(seconds=5)  # the longest time between two looks into the outbox
CROWD = 10  # chats whose turn it is, from which on there may be more than one at once
MARGIN = 1.5  # of what is on its way at once, over what would just be enough


class Sender(Protocol):
    """Takes messages to their places; raises the errors of `telegram_bot.remedies`."""

    async def send(self, place: Place, message: Message) -> int:
        """Send a message and return its id."""
        ...

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Replace a message; the same text again is a success."""
        ...

    async def staff(self, chat_id: int) -> Staff:
        """Return who administers a group or channel."""
        ...

    def is_gone(self, chat_id: int) -> bool:
        """Tell whether a chat that was gone was not heard of since."""
        ...


class Courier:
    """Carries what is in the outbox to its chats for as long as `run` runs."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        clock: Clock,
        topics: Callable[[], Mapping[str, Topic]],
        rules: Callable[[], Rules] = Rules,
    ) -> None:
        """Take the keepers, and functions that return the topics and `[delivery]` as they are now."""
        self._store = store
        self._sender = sender
        self._clock = clock
        self._topics = topics
        self._rules = rules
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._took = 0.0  # seconds that one takes from the claim to the mark, on average
        self._asked = False  # to wait, and nothing was taken since
        self._silence = Silence()
        self._portions = Portions()
        self.beat = time.monotonic()

    def wake(self) -> None:
        """Tell the courier that something new is in the outbox."""
        self._wake.set()

    async def asked_to_wait(self, chat_id: int, until: datetime, asked: timedelta) -> None:
        """Write down that Telegram asked a chat, or `EVERYBODY`, to wait, whoever sent."""
        await self._store.write(partial(refusals.note, who=chat_id, until=until, wait=asked))

    async def replied(self, chat_id: int) -> None:
        """Count a message that did not come out of the outbox against the pace."""
        job = partial(turns.replied, chat_id=chat_id, limits=self._limits(), now=self._clock.now())
        await self._store.write(job)

    def stop(self) -> None:
        """Let `run` end once the messages on their way are sent and marked."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until `stop` is called; raises TokenRefused."""
        await self._mark(outbox.release)
        flying: set[asyncio.Task[None]] = set()
        try:
            while not self._stop.is_set():
                self.beat = time.monotonic()
                self._wake.clear()
                try:
                    flying = await self._step(flying)
                except errors.StoreUnwritable as error:
                    log.error("outbox state=waiting reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                    await _wait(self._stop, REST)
        finally:
            await asyncio.gather(*flying)

    async def round(self) -> bool:
        """Deliver what goes next; return whether there was anything that may go now."""
        started = time.monotonic()
        claim = await self._claim()
        if claim.bundle:
            await self._carry(claim, started)
        return bool(claim.bundle)

    async def _step(self, flying: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Take the next message on its way, or wait for something to do; return what is on its way then."""
        started = time.monotonic()
        claim = await self._claim()
        if claim.bundle:
            flying = {*flying, asyncio.create_task(self._carry(claim, started))}
            while len(flying) >= self._width(claim.backlog):
                done, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        else:
            await self._rest(claim.following)
        if pause := self._silence.rest():
            await _wait(self._stop, pause)
        return flying

    async def _claim(self) -> claims.Claim:
        terms = claims.Terms(self._limits(), self._rules().stale_after)
        return await self._store.write(partial(claims.claim, now=self._clock.now(), terms=terms))

    def _limits(self) -> Limits:
        rules = self._rules()
        return Limits.of(
            per_second=rules.messages_per_second,
            private_per_second=rules.private_per_second,
            group_per_minute=rules.group_per_minute,
        )

    def _width(self, backlog: int) -> int:
        """Return how many messages may be on their way at once: as many as the limit needs, and one in doubt.

        By Little's law those are the messages a second, times the seconds that one takes; a few more, since
        those seconds vary.
        """
        if backlog < CROWD or self._silence.in_a_row or self._asked:
            return 1
        return min(max(1, math.ceil(MARGIN * self._rules().messages_per_second * self._took)), IN_FLIGHT)

    async def _rest(self, following: datetime | None) -> None:
        """Sleep until something is put into the outbox, comes due there, or was marked."""
        rest = min(REST, max(following - self._clock.now(), timedelta())) if following else REST
        await _wait(self._wake, rest)

    async def _carry(self, claim: claims.Claim, started: float) -> None:
        """Send one message and mark its rows, whatever happens; raises TokenRefused alone."""
        self.beat = time.monotonic()
        bundle = claims.named(claim.bundle, dict(self._topics()))
        chat_id = bundle[0].chat.id
        most = self._portions.most(chat_id)
        letter = letters.compose(bundle, claim.kind, self._clock.now(), most)
        letter = replace(letter, message=replace(letter.message, paid=self._rules().paid_broadcast))
        try:
            message_id = await self._hand_over(letter)
        except errors.FixSetup:
            raise
        except errors.MonitorError as error:
            await self._not_taken(letter, error)
        except Exception as error:  # a bug costs one message, which its row shows, and not the service
            log.exception("delivery id=%d state=bug", bundle[0].id)
            reason = errors.MessageRefused(f"a bug: {type(error).__name__}")
            await self._settle(letter, refusals.refused, reason)
        else:
            await self._taken_by(letter, message_id, as_list=claim.kind in letters.HEADINGS)
            took = time.monotonic() - started
            self._took += (took - self._took) / 10 if self._took else took
        finally:
            self._wake.set()

    async def _hand_over(self, letter: Letter) -> int:
        """Send or edit a message and return its id.

        What Telegram refuses as it stands goes as plain text, lest it be lost; what a topic of a forum does
        not take goes to the forum itself.
        """
        first = letter.told[0]
        try:
            return await self._post(first, first.place, letter.message)
        except errors.MessageLost:
            raise
        except errors.MessageRefused as error:
            log.error("delivery id=%d chat=%d state=plain reason=%r", first.id, first.chat.id, str(error))  # noqa: TRY400 -- one line, no trace
            return await self._post(first, first.place, letters.bare(letter.message))
        except errors.TopicClosed as error:
            if not first.place.thread_id:
                raise
            log.warning("delivery id=%d chat=%d state=general reason=%r", first.id, first.chat.id, str(error))
            message_id = await self._post(first, Place(first.chat.id), letter.message)
            if isinstance(error, errors.TopicGone):
                await self._mark(partial(moves.to_general, place=first.place))
            return message_id

    async def _post(self, first: Delivery, place: Place, message: Message) -> int:
        if first.message_id is None:
            return await self._sender.send(place, message)
        await self._sender.edit(place.chat_id, first.message_id, message)
        return first.message_id

    async def _taken_by(self, letter: Letter, message_id: int, *, as_list: bool) -> None:
        self._asked = False
        self._silence.taken(one.id for one in letter.told)
        self._portions.done(letter.told[0].chat.id, len(letter.told))
        now = self._clock.now()
        await self._mark(partial(_sent, letter=letter, message_id=message_id, now=now, as_list=as_list))
        _log(letter.told, "sent", now)

    async def _not_taken(self, letter: Letter, error: errors.MonitorError) -> None:
        """Do what the error asks for."""
        remedy = refusals.remedy_for(error)
        if remedy is not refusals.unanswered:
            self._silence.broken()
            self._asked |= remedy is refusals.asked
        elif self._silence.kept(letter.told[0].id):
            remedy = refusals.refused
        await self._settle(letter, self._apart(letter, remedy), error)
        if isinstance(error, errors.NoRights):
            with contextlib.suppress(errors.StoreUnwritable):  # then the next refusal tells
                await self._tell_an_admin(letter.told[0])

    def _apart(self, letter: Letter, remedy: Remedy) -> Remedy:
        """Return what is done with rows that are refused: one of many must not take the others along."""
        chat_id, count = letter.told[0].chat.id, len(letter.told)
        if remedy is not refusals.refused:
            return remedy
        self._silence.forget(letter.told[0].id)
        if count == 1:
            self._portions.done(chat_id, 1)
            return remedy
        self._portions.halve(chat_id, count)
        return refusals.divided

    async def _settle(self, letter: Letter, remedy: Remedy, error: errors.MonitorError) -> None:
        first, now = letter.told[0], self._clock.now()
        ids = tuple(one.id for one in letter.told)
        attempt = Attempt(first.chat.id, first.chat.title, ids, first.attempts, now)

        def job(db: Database) -> str:
            outbox.give_back(db, [one.id for one in letter.left])
            passed = remedy is refusals.gone and not self._sender.is_gone(first.chat.id)
            return (refusals.unanswered if passed else remedy)(db, attempt, error)

        _log(letter.told, await self._mark(job), now, str(error))

    async def _tell_an_admin(self, first: Delivery) -> None:
        """Tell one admin of a chat, once and privately, that the bot may not write there; else the bot's."""
        now = self._clock.now()
        trouble = await self._store.write(partial(turns.refused, chat_id=first.chat.id, now=now))
        if trouble.told:
            return
        await self._mark(partial(turns.told, chat_id=first.chat.id, now=now))
        try:
            people = sorted((await self._sender.staff(first.chat.id)).admins)
        except errors.MonitorError:
            people = []
        for person in people:
            chat = await self._store.read(partial(chats.get, chat_id=person)) or first.chat
            message = Message(say(chat.language, "delivery.no_rights", chat=first.chat.title))
            with contextlib.suppress(errors.Retry, errors.GiveUp):
                await self._sender.send(Place(person), message)
                return
        notice = Notice("notice.no_rights", {"chat": first.chat.title})
        await self._mark(partial(notices.put, notice=notice, now=now))

    async def _mark(self, job: Callable[[Database], T]) -> T:
        """Write what became of a message, however long the disk refuses: unmarked it would be repeated."""
        while True:
            try:
                return await self._store.write(job)
            except errors.StoreUnwritable as error:
                log.error("outbox state=unmarked reason=%r", str(error))  # noqa: TRY400 -- one line, no trace
                self.beat = time.monotonic()
                await asyncio.sleep(FIRST_WAIT.total_seconds())


def _sent(db: Database, letter: Letter, message_id: int, now: datetime, *, as_list: bool) -> None:
    outbox.give_back(db, [one.id for one in letter.left])
    message = letter.told[0].chat.id, message_id
    outbox.sent(db, [one.id for one in letter.told], message, now, digest=as_list)


async def _wait(event: asyncio.Event, longest: timedelta) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(longest.total_seconds()):
            await event.wait()


def _log(told: Sequence[Delivery], state: str, now: datetime, reason: str = "") -> None:
    for one in told:
        log.log(
            logging.WARNING if reason else logging.INFO,
            "delivery id=%d chat=%d story=%d state=%s attempt=%d age=%.1fs%s",
            one.id,
            one.chat.id,
            one.story_id,
            "edited" if one.message_id and state == "sent" else state,
            one.attempts,
            (now - one.alert.found).total_seconds(),
            f" reason={reason!r}" if reason else "",
        )
