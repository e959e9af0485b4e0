"""The engine: reads sources into the database and finds topics in them.

The service, a single round from the command line and the demo are all built around one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

from monitor import __version__, errors
from monitor.clock import Clock
from monitor.config import Config
from monitor.matching import Matcher
from monitor.model import Source
from monitor.pipeline import Outcome, Pipeline, Watch
from monitor.sources.http import Http
from monitor.store import Store, items
from monitor.store import sources as sources_table

log = logging.getLogger(__name__)


class Engine:
    """Reads sources into the database and finds the topics of a config in them."""

    def __init__(self, config: Config, store: Store, http: Http, clock: Clock) -> None:
        """Take open keepers; `Engine.open` is the way in."""
        self.store = store
        self.clock = clock
        self._pipeline = Pipeline(store, http, clock, config.polling.every)
        self.config = config
        self.watch = watch_for(config)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config, database: Path, clock: Clock) -> AsyncIterator[Self]:
        """Open the database and the HTTP client for as long as the context lasts.

        Raises what `Store.open` raises.
        """
        http = Http(
            timeout=config.polling.timeout,
            per_host=config.polling.per_host,
            concurrency=config.polling.concurrency,
            preview_url=config.telegram.preview_url,
            allow_private_hosts=config.network.allow_private_hosts,
            user_agent=f"monitor-bot/{__version__} (+self-hosted)",
            clock=clock,
        )
        store = await asyncio.to_thread(Store.open, database)
        try:
            async with http:
                engine = cls(config, store, http, clock)
                await store.write(partial(sources_table.declare, sources=config.sources))
                yield engine
        finally:
            await store.close()

    async def reconfigure(self, config: Config) -> None:
        """Go on with another config; raises StoreUnwritable, and then the old one stays."""
        watch = await asyncio.to_thread(watch_for, config)
        await self.store.write(partial(sources_table.declare, sources=config.sources))
        self.config, self.watch = config, watch
        self._pipeline.default_every = config.polling.every

    async def poll(self, source: Source) -> Outcome:
        """Look at a source once; see `Pipeline.poll`."""
        return await self._pipeline.poll(source, self.watch)

    async def poll_all(self, done: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
        """Look at every source once, many at the same time, and tell `done` of each as it ends."""

        async def one(source: Source) -> Outcome:
            outcome = await self.poll(source)
            done(outcome)
            return outcome

        return list(await asyncio.gather(*(one(source) for source in self.config.sources)))

    async def tidy(self) -> None:
        """Forget what is older than `[storage] keep`."""
        before = self.clock.now() - self.config.storage.keep
        try:
            count = await self.store.write(partial(items.forget, before=before))
        except errors.StoreUnwritable as error:
            log.error("tidy error=%r", str(error))  # noqa: TRY400 -- one line, no trace
        else:
            log.info("tidy forgotten=%d", count)


def watch_for(config: Config) -> Watch:
    """Return what a config looks for, compiled."""
    return Watch(Matcher(config.topics, names=config.aliases), {topic.id: topic for topic in config.topics})
