"""Measure whether ten thousand sources are looked at in time, and what the scheduling costs.

    python benchmarks/scheduling.py [--sources 10000] [--every 300] [--seconds 330] [--skip simulated,alone]

simulated  the scheduler on simulated time for one hour; a look is a wait of a third of a second
alone      the scheduler by the real clock for a minute; a look is nothing, so that the processor time is
           that of the scheduling
loopback   the whole engine for --seconds: a server process with ETags on loopback, real fetching and storing

Prints the lag behind schedule, from when a look was due to when it began, as p50, p99 and maximum, the same
to when it was stored, the longest time for which the event loop stood still, and the processor time as a
share of one core.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from simulated import simulated

from monitor.cadence import Pace, first_polls
from monitor.clock import SystemClock
from monitor.config import Config, Polling
from monitor.engine import Engine
from monitor.model import Source
from monitor.pipeline import Outcome
from monitor.scheduler import Scheduler

START = datetime(2026, 2, 1, tzinfo=UTC)
BEAT = 0.01  # seconds between two looks at whether the loop stands still


class LoopClock:
    """The time of day that goes with the event loop's clock."""

    def now(self) -> datetime:
        """Return the moment."""
        return START + timedelta(seconds=asyncio.get_running_loop().time())


def sources(count: int, every: float, base: str = "http://127.0.0.1") -> list[Source]:
    """Return feeds that differ in their paths."""
    return [
        Source(f"source-{n}", f"Source {n}", "feed", f"{base}/{n}", every=timedelta(seconds=every))
        for n in range(count)
    ]


async def scheduled(listed: Sequence[Source], seconds: float, takes: float) -> Scheduler:
    """Let a scheduler run with looks that only take their time."""
    clock = LoopClock()

    async def poll(source: Source) -> Outcome:
        started = clock.now()
        if takes:
            await asyncio.sleep(takes)
        return Outcome(source.id, started + (source.every or timedelta(hours=1)))

    scheduler = Scheduler(poll, clock)
    scheduler.lags = deque()
    scheduler.start()
    scheduler.watch(listed, first_polls(listed, {}, now=clock.now(), pace=Pace(timedelta(minutes=2))))
    await asyncio.sleep(seconds)
    await scheduler.stop(timedelta(seconds=1))
    return scheduler


def simulate(options: argparse.Namespace) -> None:
    """Measure on simulated time."""
    began = time.process_time()
    done = simulated(scheduled(sources(options.sources, options.every), 3600, 1 / 3))
    took = time.process_time() - began
    report("simulated hour", done.lags)
    print(f"  processor {took:.1f} s, {100 * took / 3600:.2f} % of a core")


def alone(options: argparse.Namespace) -> None:
    """Measure by the real clock, without any work but the scheduling."""
    began = time.process_time()
    done = asyncio.run(scheduled(sources(options.sources, options.every), options.alone, 0))
    took = time.process_time() - began
    report(f"scheduling alone, {options.alone} s", done.lags)
    print(f"  processor {took:.2f} s, {100 * took / options.alone:.2f} % of a core")

    began = time.process_time()
    asyncio.run(bare(len(done.lags), options.alone / 4))
    took = time.process_time() - began
    print(f"  a loop that does nothing as often: {400 * took / options.alone:.2f} % of a core")


async def bare(looks: int, seconds: float) -> None:
    """Wake up as often as the scheduler did in four times the seconds, and run a task that does nothing."""

    async def nothing() -> None:
        pass

    for _ in range(looks // 4):
        await asyncio.sleep(4 * seconds / looks)
        await asyncio.create_task(nothing())


def serve(ready: Connection) -> None:
    """Serve feeds of three entries with ETags, in a process of its own, until it is ended."""

    async def answer(request: web.Request) -> web.Response:
        name = request.path.strip("/")
        tag = f'"{hashlib.sha256(name.encode()).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        entries = "".join(
            f"<item><title>Entry {n} of {name}</title><guid>{name}-{n}</guid>"
            f"<pubDate>Sun, 01 Feb 2026 1{n}:00:00 GMT</pubDate></item>"
            for n in range(3)
        )
        body = f'<rss version="2.0"><channel><title>Feed {name}</title>{entries}</channel></rss>'
        return web.Response(text=body, content_type="application/rss+xml", headers={"ETag": tag})

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{name}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        ready.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


async def whole(options: argparse.Namespace, port: int) -> None:
    """Run the engine and the scheduler against the server, and print how that went."""
    listed = sources(options.sources, options.every, f"http://127.0.0.1:{port}")
    polling = Polling(per_host=50)
    config = Config(path="benchmark", sources=tuple(listed), polling=polling)
    with tempfile.TemporaryDirectory() as folder:
        async with Engine.open(config, Path(folder) / "monitor.db", SystemClock()) as engine:
            await looks(options, engine)


async def looks(options: argparse.Namespace, engine: Engine) -> None:
    """Poll for a while, and measure."""
    loop = asyncio.get_running_loop()
    stored: list[float] = []
    failed: list[str] = []
    due: dict[str, float] = {}

    async def poll(source: Source) -> Outcome:
        planned = due.pop(source.id, loop.time())
        outcome = await engine.poll(source)
        stored.append(loop.time() - planned)
        if outcome.error:
            failed.append(outcome.error)
        return outcome

    scheduler = Scheduler(poll, engine.clock)
    scheduler.lags = deque()
    take = scheduler._agenda.take  # noqa: SLF001 -- to know when a look was due

    def taken(now: float, most: int) -> list[tuple[str, float]]:
        found = take(now, most)
        due.update(found)
        return found

    scheduler._agenda.take = taken  # type: ignore[method-assign]  # noqa: SLF001
    scheduler.start()
    began = time.process_time()
    scheduler.watch(engine.active(), await engine.due())
    stalls = asyncio.create_task(longest_stall())
    await asyncio.sleep(options.seconds)
    took = time.process_time() - began
    stalls.cancel()
    await scheduler.stop(timedelta(seconds=3))
    report(f"loopback, {options.seconds} s", scheduler.lags)
    report("  until stored", stored)
    print(f"  failed {len(failed)}{': ' + failed[0] if failed else ''}")
    print(f"  the loop stood still for {1000 * await stalls:.0f} ms at most")
    print(f"  memory at its peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    share = 100 * took / options.seconds
    print(f"  processor with fetching, parsing and storing {took:.1f} s, {share:.1f} % of a core")


async def longest_stall() -> float:
    """Return, once cancelled, the longest time for which the event loop did nothing else."""
    longest, loop = 0.0, asyncio.get_running_loop()
    try:
        while True:
            began = loop.time()
            await asyncio.sleep(BEAT)
            longest = max(longest, loop.time() - began - BEAT)
    except asyncio.CancelledError:
        return longest


def loopback(options: argparse.Namespace) -> None:
    """Measure with everything that a look takes."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        asyncio.run(whole(options, here.recv()))
    finally:
        server.terminate()
        server.join()


def report(name: str, lags: Sequence[float] | deque[float]) -> None:
    """Print how late looks were."""
    late = sorted(lags)
    at = {share: late[min(int(share * len(late)), len(late) - 1)] for share in (0.5, 0.99, 1.0)}
    shown = ", ".join(
        f"{label} {1000 * at[share]:.0f} ms" for share, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "max"))
    )
    print(f"{name}: {len(late)} looks, lag {shown}", flush=True)


def main() -> None:
    """Run the measurements that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=300.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=330.0, help="of the measurement on loopback")
    parser.add_argument("--alone", type=float, default=60.0, help="seconds of the scheduling alone")
    parser.add_argument("--skip", default="", help="simulated, alone, loopback")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    for measure in (simulate, alone, loopback):
        if {"simulate": "simulated"}.get(measure.__name__, measure.__name__) not in options.skip.split(","):
            measure(options)


if __name__ == "__main__":
    main()
