"""What is due, and how much at once.

APScheduler keeps one job a source, with one date: that of its next poll. When a poll ends it says
when the next one is, and the job is put there again. Chores that recur (tidying up, the heartbeat)
are jobs beside them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor.clock import Clock
from monitor.errors import MonitorError
from monitor.model import Source
from monitor.pipeline import Outcome

log = logging.getLogger(__name__)

HEARTBEAT = timedelta(seconds=5)
AFTER_A_FAILURE = timedelta(seconds=10)

Poll = Callable[[Source], Awaitable[Outcome]]


class Scheduler:
    """Polls every source when it is due; how many requests run at once is the HTTP client's business."""

    def __init__(self, poll: Poll, clock: Clock) -> None:
        """Take what polls a source; nothing runs before `start`."""
        self._poll = poll
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._polling: dict[str, asyncio.Task[None]] = {}
        self._sooner: dict[str, datetime] = {}  # when those that are being polled are to be polled next
        # A job that is late runs late rather than never: a poll left out is an item missed.
        self._jobs = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        self.beat = time.monotonic()

    def start(self) -> None:
        """Begin to run what is due; needs a running event loop."""
        self._jobs.start()
        self.chore("heartbeat", self._heartbeat, HEARTBEAT)

    def watch(self, sources: Iterable[Source], due: Mapping[str, datetime | None]) -> None:
        """Poll these sources from now on and no others, each first when it is due (None: at once).

        A source that is polled already keeps its rhythm, unless something about it changed or it is due
        earlier than planned.
        """
        wanted = {source.id: source for source in sources}
        for source_id in self._sources.keys() - wanted.keys():
            self._unplan(source_id)
        before, self._sources = self._sources, wanted
        now = self._clock.now()
        for source in wanted.values():
            new = before.get(source.id) != source
            planned = due.get(source.id) or (now if new else self._planned(source.id))
            when = max(planned, now)
            if source.id in self._polling:  # its end plans the next poll
                self._sooner[source.id] = when
            elif new or when < self._planned(source.id):
                self._plan(source.id, when)

    def chore(
        self, name: str, work: Callable[[], Awaitable[None]], every: timedelta, *, at_once: bool = False
    ) -> None:
        """Run `work` again and again, `every` apart, the first time after that time or at once."""
        first = {"next_run_time": self._clock.now()} if at_once else {}
        self._jobs.add_job(
            work,
            "interval",
            seconds=every.total_seconds(),
            id=f"chore {name}",
            coalesce=True,
            max_instances=1,
            **first,
        )

    async def stop(self, grace: timedelta) -> None:
        """Begin nothing more, give the polls under way some time to end, then cut them short."""
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        if self._polling:
            _, late = await asyncio.wait(self._polling.values(), timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _plan(self, source_id: str, when: datetime) -> None:
        self._jobs.add_job(
            self._begin,
            "date",
            run_date=when,
            args=[source_id],
            id=f"poll {source_id}",
            replace_existing=True,
        )

    def _planned(self, source_id: str) -> datetime:
        """Return when a source is polled next; never, if nothing is planned."""
        job = self._jobs.get_job(f"poll {source_id}")
        planned: datetime | None = job.next_run_time if job else None
        return planned or datetime.max.replace(tzinfo=UTC)

    def _unplan(self, source_id: str) -> None:
        with contextlib.suppress(LookupError):
            self._jobs.remove_job(f"poll {source_id}")

    async def _begin(self, source_id: str) -> None:
        task = asyncio.create_task(self._look(source_id), name=f"poll {source_id}")
        self._polling[source_id] = task
        task.add_done_callback(lambda _: self._polling.pop(source_id, None))

    async def _look(self, source_id: str) -> None:
        following = self._clock.now() + AFTER_A_FAILURE
        try:
            source = self._sources.get(source_id)
            if source:
                following = (await self._poll(source)).next_poll
        except MonitorError as error:
            log.error("poll source=%s error=%r next=%s", source_id, str(error), following.isoformat())  # noqa: TRY400 -- one line, no trace
        except Exception:  # whatever it was, the next poll stands
            log.exception("poll source=%s state=bug next=%s", source_id, following.isoformat())
        finally:
            if source_id in self._sources and self._jobs.running:
                self._plan(source_id, min(following, self._sooner.pop(source_id, following)))

    async def _heartbeat(self) -> None:
        self.beat = time.monotonic()
