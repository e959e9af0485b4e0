"""The engine: reads sources into the database and finds topics in them.

The service, a single round from the command line and the demo are all built around one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from monitor import __version__, errors, matching, roster
from monitor.cadence import Pace, first_polls
from monitor.clock import Clock
from monitor.config import Config
from monitor.matching.finding import text_keys
from monitor.model import Item, Match, Place, Source, Topic
from monitor.pipeline import Outcome, Pipeline, Watch
from monitor.sources import Apart, Glimpse, look
from monitor.sources.http import Http
from monitor.store import Database, Store, added, feedback, items, search, watches
from monitor.store import sources as sources_table
from monitor.store.search import Entry

log = logging.getLogger(__name__)

SLICE = 500  # items forgotten in one transaction
BATCH = 100  # items indexed in one transaction
BATCHES = 20  # of one round, so that a long history is indexed in the course of an hour


class Engine:
    """Reads sources into the database and finds the topics of a config in them."""

    def __init__(  # noqa: PLR0913 -- what it is made of
        self,
        config: Config,
        store: Store,
        http: Http,
        clock: Clock,
        *,
        apart: Apart,
        watch: Watch,
        roll: Roll,
    ) -> None:
        """Take open keepers; `Engine.open` is the way in."""
        self.store = store
        self.clock = clock
        self.config = config
        self.watch = watch
        self.on_sources: Callable[[], Awaitable[None]] = _nothing  # called when the list of sources changed
        self._roll = roll
        self._http = http
        self._apart = apart
        self._changing = asyncio.Lock()  # a watch that is added during a reload must not get lost
        self._pipeline = Pipeline(store, http, clock, pace_of(config), parse_in=apart)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config, database: Path, clock: Clock) -> AsyncIterator[Self]:
        """Open the database and the HTTP client for as long as the context lasts.

        Raises what `Store.open` raises.
        """
        http = Http(
            timeout=config.polling.timeout,
            per_host=config.polling.per_host,
            gap=config.polling.gap,
            concurrency=config.polling.concurrency,
            preview_url=config.telegram.preview_url,
            allow_private_hosts=config.network.allow_private_hosts,
            user_agent=f"monitor-bot/{__version__} (+self-hosted)",
            clock=clock,
        )
        store = await asyncio.to_thread(Store.open, database)
        try:
            async with http, Apart() as apart:
                roll = await store.write(partial(_declare, config=config))
                watch = await _watch_of(config, store)
                engine = cls(config, store, http, clock, apart=apart, watch=watch, roll=roll)
                try:
                    yield engine
                finally:
                    await engine._pipeline.states.close()
        finally:
            await store.close()

    async def reconfigure(self, config: Config) -> None:
        """Go on with another config; raises StoreUnwritable, and then the old one stays."""
        async with self._changing:
            watch = await _watch_of(config, self.store)
            roll = await self.store.write(partial(_declare, config=config))
            self.config, self.watch, self._roll = config, watch, roll
            await self._pipeline.states.forget()
        self._pipeline.pace = pace_of(config)

    def sources(self) -> tuple[Source, ...]:
        """Return all sources: those of the config, those that admins added, and which of them are paused."""
        return self._roll.sources

    def active(self) -> tuple[Source, ...]:
        """Return the sources that are polled: all but the paused."""
        return tuple(source for source in self.sources() if not source.paused)

    async def look(self, kind: str, address: str) -> Glimpse:
        """Return what stands at an address that a chat gave; raises what `sources.look` raises."""
        return await look(self._http, kind, address, self._apart)

    async def follow_sources(self) -> None:
        """Take up what changed in the list of sources, by a chat or by another process."""
        async with self._changing:
            self._roll = await self.store.read(partial(_roll_of, config=self.config))
            await self._pipeline.states.forget()
        await self.on_sources()

    async def notice_sources(self) -> None:
        """Look whether another process added sources, and take them up."""
        if await self.store.read(added.version) != self._roll.version:
            await self.follow_sources()

    async def add_watch(self, place: Place, query: str) -> Topic:
        """Let a place watch for a query from now on; raises QueryInvalid or StoreUnwritable."""
        matching.parse(query)
        add = partial(watches.add, place=place, query=query, now=self.clock.now())
        async with self._changing:
            watch = await self.store.write(add)
            await asyncio.to_thread(self.watch.add, watch)
        return watch

    async def remove_watch(self, chat_id: int, watch_id: str) -> bool:
        """Let a chat watch for this no more; return whether it did."""
        async with self._changing:
            done = await self.store.write(partial(watches.remove, chat_id=chat_id, watch_id=watch_id))
            if done:
                await asyncio.to_thread(self.watch.remove, watch_id)
        return done

    def match(self, item: Item, source: Source | None) -> tuple[Match, ...]:
        """Return what is found in an item of all that is looked for now; too slow for the event loop."""
        return self.watch.match(item, source)

    async def due(self, *, revive: bool = False) -> dict[str, datetime]:
        """Return when each source is due after a start or a change; see `cadence.first_polls`."""
        await self._pipeline.states.flush()
        plan = partial(
            first_polls, self.active(), now=self.clock.now(), pace=pace_of(self.config), revive=revive
        )
        return await self.store.read(lambda db: plan(states=sources_table.standings(db)))

    async def poll(self, source: Source) -> Outcome:
        """Look at a source once; see `Pipeline.poll`."""
        return await self._pipeline.poll(source, self.watch)

    async def poll_all(self, done: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
        """Look at every source once, many at the same time, and tell `done` of each as it ends.

        What has more than one look takes is looked at until it has no more.
        """

        async def one(source: Source) -> Outcome:
            outcome = await self.poll(source)
            while outcome.more:
                outcome = outcome.followed_by(await self.poll(source))
            done(outcome)
            return outcome

        ends = await asyncio.gather(*map(one, self.active()), return_exceptions=True)
        failed = next((end for end in ends if isinstance(end, BaseException)), None)
        if failed:  # the others have ended and are stored by now
            raise failed
        return [end for end in ends if isinstance(end, Outcome)]

    async def index(self) -> None:
        """Bring the full-text index up to date with what was read, edited and forgotten, in batches."""
        for read, write in ((search.stale, search.drop), (search.unindexed, search.index)):
            for _ in range(BATCHES):
                batch = await self.store.read(partial(read, limit=BATCH))
                entries = await asyncio.to_thread(_keyed, batch)
                if not await self.store.write(partial(write, entries=entries)):
                    break

    async def tidy(self) -> None:
        """Forget what is older than `[storage] keep`."""
        before = self.clock.now() - self.config.storage.keep
        try:
            count = total = await self.store.write(partial(items.forget, before=before, limit=SLICE))
            while count == SLICE:  # in slices, so that polls and messages get their turn in between
                count = await self.store.write(partial(items.forget, before=before, limit=SLICE))
                total += count
            await self.store.write(partial(feedback.forget, before=before))
        except errors.StoreUnwritable as error:
            log.error("tidy error=%r", str(error))  # noqa: TRY400 -- one line, no trace
        else:
            log.info("tidy forgotten=%d", total)


@dataclass(frozen=True, slots=True)
class Roll:
    """The list of sources at one moment."""

    sources: tuple[Source, ...]
    version: object


def _roll_of(db: Database, config: Config) -> Roll:
    """Return the list of sources as it is with this config."""
    return Roll(added.listed(db, config.sources), added.version(db))


def _declare(db: Database, config: Config) -> Roll:
    """Return the list of sources as it is with this config, once the database knows them all."""
    roll = _roll_of(db, config)
    for source_id in roster.hidden(config.sources, added.every(db)):
        log.warning("source id=%s state=hidden reason='the config has another one of this id'", source_id)
    sources_table.declare(db, roll.sources)
    return roll


def pace_of(config: Config) -> Pace:
    """Return how often sources are looked at that do not say so themselves."""
    return Pace(config.polling.every, config.polling.fastest, config.polling.slowest)


def _keyed(batch: Sequence[Entry]) -> list[tuple[Entry, frozenset[str]]]:
    """Return items with the keys of their words."""
    return [(one, text_keys(f"{one.item.title}\n{one.item.text}", one.item.language)) for one in batch]


async def _nothing() -> None:
    """Do nothing."""


async def _watch_of(config: Config, store: Store) -> Watch:
    """Return what is looked for: the topics of the config, and what chats watch for by themselves."""
    own = await store.read(watches.every)
    return await asyncio.to_thread(_compiled, config, own)


def _compiled(config: Config, own: Iterable[Topic]) -> Watch:
    """Return what is looked for, without the watches that an older version could read and this one cannot."""
    readable = []
    for watch in own:
        try:
            matching.parse(watch.query or "")
        except errors.QueryInvalid as error:
            log.warning("watch id=%s state=unreadable character=%d", watch.id, error.position + 1)
        else:
            readable.append(watch)
    return Watch([*config.topics, *readable], config.aliases)


def watch_for(config: Config) -> Watch:
    """Return what a config looks for, compiled."""
    return Watch(config.topics, config.aliases)
