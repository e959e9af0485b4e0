"""Whose turn it is to ask: how many requests run at once, on one host and in all, and how far apart.

A host is a name with its port. What holds for it holds for all the sources that stand there.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from ipaddress import ip_address
from types import TracebackType
from typing import Final

from yarl import URL

from monitor.errors import SourceResting

USUAL_GAP: Final = timedelta(seconds=0.1)  # between the starts of two requests to one host on the Internet
PATIENCE: Final = 1.5  # seconds after which a request no longer keeps others from its host
MOST_SLOW: Final = 8  # requests of one host that may be so late at the same time
LONGEST_REST: Final = timedelta(days=1)
MANY_HOSTS: Final = 4096  # hosts that are remembered without need


class Turns:
    """Hands out turns. A request that waits for its host's turn holds up no other host."""

    def __init__(self, *, concurrency: int, per_host: int, gap: timedelta | None = None) -> None:
        """Take the limits; without a `gap` it is a tenth of a second, and none on private addresses."""
        self._all = asyncio.Semaphore(concurrency)
        self._per_host = per_host
        self._gap = gap
        self._hosts: dict[str, _Host] = {}

    def turn(self, url: URL, *, begun: bool = False) -> Turn:
        """Return the turn of one more request, for as long as it lasts; see `Turn`."""
        return Turn(self._host(url), self._all, begun=begun)

    def rest(self, url: URL, length: timedelta) -> None:
        """Let nobody ask this host for a while: it answered 429 (RFC 6585, 4)."""
        host = self._host(url)
        until = _now() + min(length, LONGEST_REST).total_seconds()
        host.until = max(host.until, until)

    def _host(self, url: URL) -> _Host:
        name = url.host or ""
        key = name if url.is_default_port() else f"{name}:{url.port}"
        host = self._hosts.get(key)
        if host is None:
            if len(self._hosts) >= MANY_HOSTS:
                self._hosts = {key: host for key, host in self._hosts.items() if host.matters()}
            gap = self._gap if self._gap is not None else _usual_gap(name)
            host = self._hosts[key] = _Host(name, self._per_host, gap.total_seconds())
        return host


class _Host:
    """What is known of one host."""

    def __init__(self, name: str, seats: int, gap: float) -> None:
        self.name = name
        self.gap = gap
        self.seats = asyncio.Semaphore(seats)
        self.entrance = asyncio.Lock()  # for looks that begin: one of them at a time waits for a seat
        self.slow = 0  # requests that gave their seat up
        self.until = 0.0  # the end of the pause, by the loop's clock
        self.visitors = 0  # requests that run or wait here
        self._next = 0.0  # when the next request may begin

    def check(self) -> None:
        left = self.until and self.until - _now()
        if left > 0:
            raise SourceResting(
                f"{self.name} asked for a pause (429) that is not over", after=timedelta(seconds=left)
            )

    async def sit_down(self, *, begun: bool) -> None:
        """Take a seat when there is one; who has `begun` does not wait for those who have not."""
        if begun or not self.seats.locked():
            await self.seats.acquire()
        else:
            async with self.entrance:
                await self.seats.acquire()

    async def keep_apart(self) -> None:
        if not self.gap:
            return
        now = _now()
        begin = max(now, self._next)
        self._next = begin + self.gap
        if begin > now:
            await asyncio.sleep(begin - now)

    def matters(self) -> bool:
        """Tell whether a request runs or waits here, or something is to be remembered."""
        return self.visitors > 0 or max(self.until, self._next) > _now()


class Turn:
    """The turn of one request: its place at a host and in the client; an async context manager.

    Entering waits until the host, and then the whole client, has room for one more request. A look that has
    `begun`, and holds what it read, goes before those that have not: else all would begin before any of them
    ends. Raises `SourceResting` where the host asked for a pause that is not over.

    A request that takes too long gives up its seat at the host, so that others get through: without that, two
    requests that hang would keep a host's other sources waiting for a whole time-out.
    """

    __slots__ = ("_all", "_aside", "_begun", "_host", "_timer")

    def __init__(self, host: _Host, everywhere: asyncio.Semaphore, *, begun: bool) -> None:
        """Wait for nothing yet."""
        self._host = host
        self._all = everywhere
        self._begun = begun
        self._timer: asyncio.TimerHandle | None = None
        self._aside = False

    async def __aenter__(self) -> None:
        """Wait for the turn."""
        host = self._host
        host.check()
        host.visitors += 1
        try:
            await host.sit_down(begun=self._begun)
            try:
                await host.keep_apart()
                host.check()
                await self._all.acquire()
            except BaseException:
                host.seats.release()
                raise
        except BaseException:
            host.visitors -= 1
            raise
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._step_aside)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others have it."""
        self._all.release()
        if self._timer:
            self._timer.cancel()
        if self._aside:
            self._host.slow -= 1
        else:
            self._host.seats.release()
        self._host.visitors -= 1

    def _step_aside(self) -> None:
        if self._host.slow < MOST_SLOW:
            self._host.slow += 1
            self._aside = True
            self._host.seats.release()


def _usual_gap(name: str) -> timedelta:
    """Return the gap for a host: none for this machine and its own network, by name or address."""
    try:
        private = ip_address(name).is_private
    except ValueError:
        private = name == "localhost" or name.endswith(".localhost")
    return timedelta(0) if private else USUAL_GAP


def _now() -> float:
    return asyncio.get_running_loop().time()
