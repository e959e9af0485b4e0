"""How the polls of the sources went, kept in memory between two polls.

A state is read once and kept as it is stored. A look that found nothing new changes only when the source was
looked at and when it is due: such are put together and written a moment later. A crash loses no more
of them than that, and then those sources are looked at a little earlier than they would have been.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from monitor import errors
from monitor.model import Source, SourceState
from monitor.store import Job, Store
from monitor.store import sources as sources_table

log = logging.getLogger(__name__)

LATER: Final = 1.0  # seconds until what need not be stored at once is
MOST: Final = 20_000  # states in memory: the others are read at each poll

T = TypeVar("T")
_OF_THE_LOOK: Final = {"polled", "succeeded", "next_poll"}
_BUT_THE_LOOK: Final = attrgetter(*(one.name for one in fields(SourceState) if one.name not in _OF_THE_LOOK))
Key = tuple[str, str, str]


class Kept(NamedTuple):
    """A state, and the time of the last look as the database has it."""

    state: SourceState
    stored: datetime | None


class States:
    """The states of all sources."""

    def __init__(self, store: Store) -> None:
        """Know none yet."""
        self._store = store
        self._kept: dict[Key, Kept] = {}
        self._late: dict[Key, tuple[Source, SourceState]] = {}
        self._writing: asyncio.Task[None] | None = None

    async def of(self, source: Source) -> Kept:
        """Return how the polls of a source went."""
        kept = self._kept.get(_key(source))
        if kept is None:
            state = await self._store.read(partial(sources_table.state, source_id=source.id))
            kept = Kept(state, state.polled)
        return kept

    def stored(self, source: Source, kept: Kept) -> datetime | None:
        """Return the last look as the database has it by now: what was put off may be written meanwhile."""
        now = self._kept.get(_key(source))
        return now.stored if now and now.state is kept.state else kept.stored

    async def store(
        self,
        source: Source,
        job: Job[tuple[SourceState, T] | None],
        *,
        is_brief: bool = False,
    ) -> T | None:
        """Run the transaction that stores a state, keep the state that it returns, and return the rest of it.

        None says that it stored nothing; then the state is read anew.
        """
        self._late.pop(_key(source), None)  # this one stores more
        try:
            done = await self._store.write(job, is_brief=is_brief)
        except BaseException:
            self.drop(source)
            raise
        if done is None:
            self.drop(source)
            return None
        after, rest = done
        self._keep(source, Kept(after, after.polled))
        return rest

    def drop(self, source: Source) -> None:
        """Read the state of a source anew at its next poll."""
        self._late.pop(_key(source), None)
        self._kept.pop(_key(source), None)

    def touch(self, source: Source, before: Kept, after: SourceState) -> None:
        """Keep a state that differs from the stored one by its times alone, and store it in a moment."""
        self._keep(source, Kept(after, self.stored(source, before)))
        self._late[_key(source)] = source, after
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    async def flush(self) -> None:
        """Store what was put off; what the database refuses is forgotten, and those sources are read anew."""
        late, self._late = self._late, {}
        if not late:
            return
        looks = []
        for key, (source, after) in late.items():
            kept = self._kept.get(key)
            looks.append((source, after, kept.stored if kept else after.polled))
            if kept:  # whatever is stored from now on comes after this
                self._kept[key] = kept._replace(stored=after.polled)
        try:
            others = await self._store.write(partial(sources_table.touch, looks=looks))
        except errors.MonitorError as error:
            log.warning("states looks=%d error=%r", len(looks), str(error))
            others = [source for source, _, _ in looks]
        for source in others:
            self.drop(source)

    async def forget(self) -> None:
        """Read every state anew: something else changed them."""
        await self.flush()
        self._kept.clear()

    async def close(self) -> None:
        """Store what was put off."""
        if self._writing:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        await self.flush()

    async def _write_soon(self) -> None:
        await asyncio.sleep(LATER)
        self._writing = None  # what comes from now on waits for another
        await self.flush()

    def _keep(self, source: Source, kept: Kept) -> None:
        key = _key(source)
        if key in self._kept or len(self._kept) < MOST:
            self._kept[key] = kept


def only_looked_at(before: SourceState, after: SourceState) -> bool:
    """Tell whether a poll left nothing but the time of the look and of the next one."""
    return before.succeeded is not None and _BUT_THE_LOOK(before) == _BUT_THE_LOOK(after)


def _key(source: Source) -> Key:
    return source.id, source.kind, source.address
