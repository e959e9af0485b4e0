"""One story for many readers, with Telegram's limits enforced: how near to them, and how often refused.

    python benchmarks/fanout.py [--readers 10000] [--scale 1] [--delay 0]

`--scale 4` lets the time of the limits go four times as fast: 120 messages a second instead of 30, on both
sides. `--delay 70` answers each message after so many milliseconds, as Telegram does. In the middle of it an
urgent story arrives for every tenth reader; it is to be with all of them before anything else goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from stage import TOPICS, Cost

from running import a_bot, readers  # isort: skip
from telegram_pace import Pace  # isort: skip

FIRST = 1_000_001  # id of the first reader
EVERY = 10  # one in so many readers hears of what is urgent


async def measure(count: int, scale: int, delay: float) -> bool:
    """Run once, print what was seen, and return whether it was as it should be."""
    with tempfile.TemporaryDirectory(prefix="fanout-") as folder:
        async with a_bot(Path(folder)) as bot:
            bot.more = f"[delivery]\nmessages_per_second = {30 * scale}\nprivate_per_second = {scale}\n"
            bot.write_config(TOPICS)
            ids = range(FIRST, FIRST + count)
            await readers(Path(folder) / "monitor.db", ids, ["starlink"])
            await readers(Path(folder) / "monitor.db", ids[::EVERY], ["raid"])
            for chat_id in ids:
                bot.api.known(chat_id)
            bot.api.delay = delay / 1000
            bot.api.pace = Pace(scale=scale)
            await bot.start()
            await bot.baseline()
            assert bot.process
            before = Cost.of(bot.process.pid)
            bot.publish(("/1", "Starlink terminals are switched off", ""))
            urgent = len(ids[::EVERY])
            await bot.api.wait_for(count // 2, within=3600)
            bot.publish(("/2", "Air raid over the capital", ""))
            await bot.api.wait_for(count + urgent, within=3600)
            cost = Cost.of(bot.process.pid).since(before)
            return report(bot.api.sent, bot.api.calls, scale, cost)


def report(sent: list, calls: list, scale: int, cost: str) -> bool:  # type: ignore[type-arg]
    """Print what was seen, and return whether it was as it should be."""
    took = sent[-1].at - sent[0].at
    rate = (len(sent) - 1) / took
    share = 100 * rate / (30 * scale)
    refused = sum(call.code == 429 for call in calls)
    places = [place for place, message in enumerate(sent) if "Air raid" in message.text]
    between = places[-1] - places[0] + 1 - len(places)
    repeated = len(sent) - len({(message.chat_id, message.text[:12]) for message in sent})
    print(f"{len(sent)} messages in {took:.1f} s: {rate:.1f} a second, {share:.1f} % of the limit")
    print(f"refused {refused} of {len(calls)} requests, repeated {repeated}")
    print(f"urgent: {len(places)} readers, {between} other messages among theirs")
    print(cost)
    return share >= 95 and refused <= len(sent) / 1000 and between <= 4 and not repeated


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    given = parser.parse_args()
    raise SystemExit(not asyncio.run(measure(given.readers, given.scale, given.delay)))
