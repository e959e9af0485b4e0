"""Looks after the sources: which of them do not do well, and what the admins are to hear of that."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from monitor import errors, health
from monitor.clock import Clock
from monitor.config.durations import format_duration
from monitor.health import Findings
from monitor.model import Notice, Source
from monitor.store import Database, Store, sources, told

log = logging.getLogger(__name__)

SHARE = 100  # a look takes at most this part of the time: with 20,000 sources there is one in half a minute


class Checkup:
    """Compares how the sources do with what the admins know."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        listed: Callable[[], Iterable[Source]],
        retry: Callable[[Iterable[str]], None],
    ) -> None:
        """Take the list of sources, and what has some of them polled again at once."""
        self._store = store
        self._clock = clock
        self._listed = listed
        self._retry = retry
        self._rests_until = 0.0
        self._turn = asyncio.Lock()  # two looks at once would tell the same twice
        self._waits = False  # whether a look waits for its turn

    async def round(self) -> None:
        """Look at all sources, unless that would take more than a hundredth of the time."""
        began = time.monotonic()
        if began >= self._rests_until:
            await self.look()
            self._rests_until = began + SHARE * (time.monotonic() - began)

    async def look(self) -> None:
        """Look at all sources once, and leave in the database what the admins are to be told.

        Where a look waits for its turn already, that one will do.
        """
        if self._waits:
            return
        self._waits = True
        try:
            await self._turn.acquire()
        finally:
            self._waits = False
        try:
            await self._look()
        finally:
            self._turn.release()

    async def _look(self) -> None:
        try:
            now = self._clock.now()
            findings = await self._store.read(partial(_findings, listed=tuple(self._listed()), now=now))
            if findings.told or findings.notices:
                await self._store.write(partial(told.save, findings=findings, now=now))
        except errors.StoreUnwritable as error:
            log.error("checkup error=%r", str(error))  # noqa: TRY400 -- one line, no trace
            return
        for notice in findings.notices:
            level = logging.INFO if notice.phrase in health.GOOD_NEWS else logging.WARNING
            log.log(level, "health %s", _facts_of(notice))
        if findings.retry:
            self._retry(findings.retry)


def _findings(db: Database, listed: Iterable[Source], now: datetime) -> Findings:
    return health.check(listed, sources.standings(db), told.every(db), now)


def _facts_of(notice: Notice) -> str:
    """Return a notice as facts for the log."""
    facts = {"notice": notice.phrase.removeprefix("notice."), **notice.facts}
    shown = {
        name: format_duration(fact) if isinstance(fact, timedelta) else str(fact)
        for name, fact in facts.items()
    }
    return " ".join(f"{name}={fact!r}" for name, fact in shown.items())
