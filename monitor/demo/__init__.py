"""The whole path on bundled samples: real fetching, parsing, matching, storing and outbox.

Only the two ends are not the real ones: the sources stand on the loopback address, and the chat is
the terminal. No token and no network are needed, and nothing is left behind.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from monitor import matching
from monitor.clock import Clock, SystemClock
from monitor.config import Config, Delivery, parse
from monitor.delivery import Courier
from monitor.demo.site import Site
from monitor.demo.terminal import bubble, summary
from monitor.engine import Engine
from monitor.model import Chat, Message, Place, Staff
from monitor.pipeline import Outcome
from monitor.store import chats

AT_ONCE = Delivery(messages_per_second=1000, private_per_second=1000)  # a terminal has no limits
CHAT = Chat(id=1, title="Duty desk", status="active", language="en", timezone="Europe/Kyiv")


class Screen:
    """A chat whose messages appear in the terminal."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Show nothing yet."""
        self.sent = 0
        self._console = console
        self._clock = clock

    async def send(self, place: Place, message: Message) -> int:  # noqa: ARG002 -- there is one only
        """Show a message."""
        self.sent += 1
        time = self._clock.now().astimezone(ZoneInfo(CHAT.timezone)).strftime("%H:%M")
        self._console.print(bubble(message, chat=CHAT.title, time=time))
        return self.sent

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Show nothing: what stands in a terminal stays."""

    async def staff(self, chat_id: int) -> Staff:  # noqa: ARG002 -- there is none
        """Return nobody."""
        return Staff(admins=frozenset(), posts=True)

    def is_gone(self, chat_id: int) -> bool:  # noqa: ARG002 -- there is one only
        """Tell that the terminal is there."""
        return False


async def run() -> int:
    """Show the demo and return the exit code."""
    console, clock = Console(), SystemClock()
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
        async with Site(clock.now()) as site:
            database = Path(folder) / "demo.db"
            config = parse(
                site.config(database), path="demo.toml", packs=matching.packs(), check_query=matching.review
            )
            async with Engine.open(config, database, clock) as engine:
                return await _show(console, site, engine, config, clock.now())


async def _show(console: Console, site: Site, engine: Engine, config: Config, now: datetime) -> int:
    """Poll twice, before the news and after, and show what a subscriber of every topic is sent."""
    await engine.store.write(partial(chats.put, chat=CHAT, now=now))
    topics = [topic.id for topic in config.topics]
    await engine.store.write(partial(chats.subscribe, chat_id=CHAT.id, topic_ids=topics, now=now))
    names = ", ".join(topic.name for topic in config.topics)
    console.print(f"Watching {len(config.sources)} sample sources in three languages for: {names}.\n")
    baseline = await engine.poll_all()
    stored = sum(len(outcome.new) for outcome in baseline)
    console.print(f"First look: {stored} items stored as the baseline, nobody is alerted of old news.")
    site.publish()
    console.print("The sources publish, and are looked at again:\n")
    outcomes = await engine.poll_all()
    screen = Screen(console, engine.clock)
    courier = Courier(engine.store, screen, engine.clock, lambda: engine.watch.topics, lambda: AT_ONCE)
    while await courier.round():
        pass
    again = await engine.poll_all()
    console.print(summary(_figures(baseline, outcomes, again, site, screen), title="What happened"))
    failed = [outcome.error for outcome in (*baseline, *outcomes, *again) if outcome.error]
    for error in failed:
        console.print(f"failed: {error}")
    return 1 if failed else 0


def _figures(
    baseline: list[Outcome], outcomes: list[Outcome], again: list[Outcome], site: Site, screen: Screen
) -> dict[str, object]:
    matched = sum(outcome.matched for outcome in outcomes)
    return {
        "sources polled": len(outcomes),
        "polls in three rounds": len(baseline) + len(outcomes) + len(again),
        "of them answered with 304 Not Modified": site.unchanged,
        "new items after the baseline": sum(len(outcome.new) for outcome in outcomes),
        "of them on a topic": matched,
        "alerts sent (one a story)": screen.sent,
    }
