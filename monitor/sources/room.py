"""Room for bodies: how many are held at a time, so that memory does not grow with those that wait to be read.

A look at a source takes a place with its first request and keeps it until what it read is stored. Who waits
for a place holds no turn at a host, and who waits for a turn holds no place unless there were none left:
else a few slow hosts could take them all, or two looks wait for each other. A look that has its place goes
before those that have none (`Turns`), lest all begin to read a host of many pages and none of them ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TAKEN: ContextVar[list[asyncio.Semaphore] | None] = ContextVar("taken", default=None)
"""The places that the look under way has taken; None outside of one."""


class Room:
    """Hands out places for looks, and others for large bodies."""

    def __init__(self, looks: int, large: int) -> None:
        """Have room for so many looks at a time, and for so many large bodies among them."""
        self._looks, self._large = asyncio.Semaphore(looks), asyncio.Semaphore(large)

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Count what is asked for within it as one look."""
        taken: list[asyncio.Semaphore] = []
        token = _TAKEN.set(taken)
        try:
            yield
        finally:
            _TAKEN.reset(token)
            for place in taken:
                place.release()

    async def wait(self) -> None:
        """Wait until this look can have a place, before it waits for its turn at a host."""
        if self._looks.locked():
            await _take(self._looks)

    async def enter(self) -> bool:
        """Take a place for this look; return whether it has one now. This never waits."""
        taken = _TAKEN.get()
        if taken is not None and self._looks not in taken and self._looks.locked():
            return False
        await _take(self._looks)
        return True

    def has_place(self) -> bool:
        """Tell whether this look has a place."""
        return self._looks in (_TAKEN.get() or ())

    async def grow(self) -> None:
        """Wait for a place for a large body."""
        await _take(self._large)


async def _take(place: asyncio.Semaphore) -> None:
    """Take a place until this look ends, unless it has one."""
    taken = _TAKEN.get()
    if taken is not None and place not in taken:
        await place.acquire()
        taken.append(place)
