"""From the answer of a poll to the message that Telegram took, on a bot that has nothing else to do.

    python benchmarks/latency.py [--stories 100]

A story is published, the bot's next poll fetches it, and the time runs from the moment at which the feed's
answer leaves its host to the one at which the stand-in accepts sendMessage. The exit code is 1 unless the
median is below 100 ms and the 99th percentile below 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path

from aiohttp.web import Request, Response
from stage import percentile

from telegram_methods import SentMessage  # isort: skip
from running import Bot, a_bot, feed  # isort: skip


async def measure(stories: int) -> bool:
    """Publish one story after the other, print how long each took, and return whether it was soon enough."""
    took: list[float] = []
    with tempfile.TemporaryDirectory(prefix="latency-") as folder:
        async with a_bot(Path(folder)) as bot:
            bot.more = "[delivery]\nprivate_per_second = 1000\n"
            bot.write_config()
            answered: dict[str, float] = {}
            newest = ""

            async def answer(_: Request) -> Response:
                answered.setdefault(newest, time.monotonic())
                return Response(text=feed(*bot.entries[:100]), content_type="application/rss+xml")

            bot.web.answer("/feed", answer)
            bot.publish = lambda *entries: bot.entries.__setitem__(slice(0, 0), entries)  # type: ignore[method-assign]
            await bot.start()
            await bot.subscribe()
            await bot.baseline()
            for number in range(stories):
                newest = f"Starlink report {number} from the northern front"
                bot.publish((f"/{number}", newest, ""))
                told = partial(_told, bot, newest)
                message = await bot.api.wait_for(told, within=30)
                took.append(1000 * (message.at - answered[newest]))
    median, late = percentile(took, 50), percentile(took, 99)
    print(f"{stories} stories: median {median:.0f} ms, 99 % within {late:.0f} ms, worst {max(took):.0f} ms")
    return median < 100 and late < 500


def _told(bot: Bot, text: str) -> SentMessage | None:
    return next((message for message in bot.api.sent[-3:] if text in message.text), None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", type=int, default=100)
    raise SystemExit(not asyncio.run(measure(parser.parse_args().stories)))
