"""What is due, and when.

Polls stand on an agenda of our own, by the event loop's clock, which neither jumps nor is set back, whatever
happens to the time of day. When a poll ends it says when the next one is, and the source is put there again.
Chores that recur (tidying up, telling the admins) are jobs of APScheduler.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.agenda import Agenda
from monitor.cadence import NEVER, logged, spread
from monitor.clock import Clock
from monitor.errors import MonitorError
from monitor.model import Source
from monitor.pipeline import Outcome

log = logging.getLogger(__name__)

PULSE = 5.0  # seconds, at most, from one look at the agenda to the next
AT_ONCE = 100  # polls that are begun in one go, so that other work gets its turn in between
AFTER_A_FAILURE = timedelta(seconds=10)
JUMP = 10.0  # seconds by which the time of day must move against the loop's clock to count as a jump
MEASURED = 1000  # polls over which the lag is measured

Poll = Callable[[Source], Awaitable[Outcome]]


class Scheduler:
    """Polls every source when it is due; how many requests run at once is the HTTP client's business."""

    def __init__(self, poll: Poll, clock: Clock) -> None:
        """Take what polls a source; nothing runs before `start`."""
        self._poll = poll
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._agenda = Agenda()
        self._polling: dict[str, asyncio.Task[None]] = {}
        self._doing: set[asyncio.Future[None]] = set()  # the chores under way
        self._sooner: dict[str, float] = {}  # when those that are being polled are to be polled next
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._offset = 0.0  # the time of day less the loop's clock
        self._awaited = 0.0  # for when the timer was set
        # A job that is late runs late rather than never.
        self._jobs = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        self.beat = time.monotonic()
        self.lags: deque[float] = deque(maxlen=MEASURED)  # seconds from due to begun, of the latest polls

    def start(self) -> None:
        """Begin to run what is due; needs a running event loop."""
        self._jobs.start()
        self._running = True
        self._offset, self._awaited = self._clock.now().timestamp() - _time(), _time()
        self._look_up()

    def watch(self, sources: Iterable[Source], due: Mapping[str, datetime | None]) -> None:
        """Poll these sources from now on and no others, each first when it is due (None: at once).

        A source that is polled already keeps its rhythm, unless something about it changed or it is due
        earlier than planned. One that is due never is not polled.
        """
        wanted = {source.id: source for source in sources}
        for source_id in self._sources.keys() - wanted.keys():
            self._agenda.drop(source_id)
        before, self._sources = self._sources, wanted
        now, wall = _time(), self._clock.now()
        for source in wanted.values():
            known = before.get(source.id)
            new = known is not source and known != source
            planned = self._agenda.when(source.id)
            when = due.get(source.id) or (wall if new else NEVER)
            at = now + max((when - wall).total_seconds(), 0)
            if when == NEVER:
                if new:
                    self._agenda.drop(source.id)
            elif source.id in self._polling:  # its end plans the next poll
                if new:
                    self._sooner[source.id] = at
            elif new or planned is None or at < planned:
                self._agenda.put(source.id, at)
        self._arm()

    def hasten(self, source_ids: Iterable[str]) -> None:
        """Poll these sources now, spread where they are many; those that have ended stay so."""
        planned = {source_id: self._agenda.when(source_id) for source_id in source_ids}
        waiting = {source_id: at for source_id, at in planned.items() if at is not None}
        for source_id, at in waiting.items():
            soon = _time() + spread(self._sources[source_id], len(waiting)).total_seconds()
            self._agenda.put(source_id, min(soon, at))
        self._arm()

    def chore(
        self, name: str, work: Callable[[], Awaitable[None]], every: timedelta, *, at_once: bool = False
    ) -> None:
        """Run `work` again and again, `every` apart, the first time after that time or at once."""
        first = {"next_run_time": self._clock.now()} if at_once else {}
        self._jobs.add_job(
            partial(self._do, work),
            "interval",
            seconds=every.total_seconds(),
            id=f"chore {name}",
            coalesce=True,
            max_instances=1,
            **first,
        )

    def lag(self, share: float = 0.99) -> timedelta:
        """Return how late the latest polls began at most, but for the slowest hundredth of them."""
        late = sorted(self.lags)
        return timedelta(seconds=late[min(int(share * len(late)), len(late) - 1)] if late else 0)

    async def stop(self, grace: timedelta) -> None:
        """Begin nothing more, give the polls and chores under way some time to end, then cut them short."""
        self._running = False
        if self._timer:
            self._timer.cancel()
        if self._jobs.running:
            self._jobs.pause()
        under_way = {*self._polling.values(), *self._doing}
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._jobs.running:
            self._jobs.shutdown(wait=False)

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do a chore as a task of its own, which a stop can wait for."""
        task = asyncio.ensure_future(work())
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    def _look_up(self) -> None:
        """Begin what is due, and come back when the next is."""
        self._timer = None
        self.beat = time.monotonic()
        self._heed_the_time()
        now = _time()
        for source_id, at in self._agenda.take(now, AT_ONCE):
            self.lags.append(now - at)
            self._begin(source_id)
        self._arm()

    def _arm(self) -> None:
        """Set the timer to the next moment of the agenda, or to the next pulse where that is sooner."""
        pulse, following = _time() + PULSE, self._agenda.next()
        at = pulse if following is None else min(following, pulse)
        # What uvloop calls at once, as its moment is past, is a handle that does not know its moment.
        if not self._running or (self._timer and self._awaited <= at):
            return
        if self._timer:
            self._timer.cancel()
        self._awaited = at
        self._timer = asyncio.get_running_loop().call_at(at, self._look_up)

    def _heed_the_time(self) -> None:
        """Notice that the machine slept, that this process was stopped, or that the clock was set.

        After a sleep everything is due that much earlier, what is overdue spread; a clock that was set
        forward looks the same and does no harm. One that was set back changes nothing for the polls.
        """
        jumped = self._clock.now().timestamp() - _time() - self._offset
        stood_still = _time() - self._awaited
        if abs(jumped) < JUMP and stood_still < JUMP:
            return
        self._offset += jumped
        log.warning("clock jumped=%+.0fs late=%.0fs planned=%d", jumped, stood_still, len(self._agenda))
        if jumped > -JUMP:
            self._catch_up(max(jumped, 0))
        for job in self._jobs.get_jobs():
            soonest = self._clock.now() + job.trigger.interval
            if job.next_run_time > soonest:
                job.modify(next_run_time=soonest)

    def _catch_up(self, slept: float) -> None:
        """Bring every poll forward by the seconds that the machine slept, and spread what is overdue."""
        now = _time()
        moved = [(source_id, at - slept) for source_id, at in self._agenda.all()]
        overdue = sum(at <= now for _, at in moved)
        for source_id, at in moved:
            late = now + spread(self._sources[source_id], overdue).total_seconds()
            self._agenda.put(source_id, at if at > now else late)

    def _begin(self, source_id: str) -> None:
        task = asyncio.create_task(self._look(self._sources[source_id]), name=f"poll {source_id}")
        self._polling[source_id] = task
        task.add_done_callback(partial(self._ended, source_id))

    def _ended(self, source_id: str, task: asyncio.Task[None]) -> None:
        if self._polling.get(source_id) is task:
            del self._polling[source_id]

    async def _look(self, source: Source) -> None:
        source_id, began, wall = source.id, _time(), self._clock.now()
        following = wall + AFTER_A_FAILURE
        try:
            following = (await self._poll(source)).next_poll
        except MonitorError as error:
            log.error("poll source=%s error=%r next=%s", source_id, str(error), logged(following))  # noqa: TRY400 -- one line, no trace
        except Exception:  # whatever it was, the next poll stands
            log.exception("poll source=%s state=bug next=%s", source_id, logged(following))
        finally:
            jumped = (self._clock.now() - wall).total_seconds() - (_time() - began)
            if abs(jumped) > JUMP and following != NEVER:  # a time of the old clock, or of the new one?
                began, following = _time(), wall + AFTER_A_FAILURE
            self._go_on(source_id, None if following == NEVER else began + (following - wall).total_seconds())

    def _go_on(self, source_id: str, at: float | None) -> None:
        """Plan the next poll of a source, or none where `at` is None and nothing asked for one meanwhile."""
        self._polling.pop(source_id, None)
        sooner = self._sooner.pop(source_id, None)
        moments = [moment for moment in (at, sooner) if moment is not None]
        if source_id in self._sources and self._running and moments:
            self._agenda.put(source_id, max(min(moments), _time()))
            self._arm()


def _time() -> float:
    """Return the seconds of the event loop's clock, which never jumps."""
    return asyncio.get_running_loop().time()
