"""Let a bot run under a steady stream of items, and see what becomes of its memory and its database.

    python benchmarks/soak.py [--minutes 30] [--rate 20] [--readers 30] [--warm-up 3]

One item in ten is on a topic, one in twenty of those is told by a second source, and now and then Telegram
asks to wait or fails. The words are those of a small vocabulary. For the minutes of the warm-up five times
as many items come, and both sources say each word, so that what is remembered within bounds (words above all,
20,000 in each language at the most, about 2 KB each) has filled up before the time begins. Memory is what is
resident; its slope is that of the line that fits best, after the first third of the time. The exit code is 1
if it is 1 MB an hour or more: over a short run that says little.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from stage import TOPICS, Cost

from running import ADMIN, Bot, a_bot, readers  # isort: skip

WORDS = (
    (Path(__file__).parent.parent / "monitor/matching/data/common_en.txt").read_text("utf-8").split()[100:900]
)
SAMPLE_SECONDS = 5
NUMBERS = 100  # that end a headline
FIRST = 5_000


class Soak:
    """A bot, and what is fed to it."""

    def __init__(self, bot: Bot, rate: int, chance: random.Random) -> None:
        self.bot, self.rate, self.chance = bot, rate, chance
        self.items = 0
        self.samples: list[Cost] = []

    async def run(self, seconds: float) -> None:
        """Publish so many items a second, spoil a request now and then, and measure."""
        assert self.bot.process
        end, next_sample = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < end:
            self._publish()
            if self.chance.random() < 0.02:
                self._spoil()
            if now >= next_sample:
                next_sample = now + SAMPLE_SECONDS
                self.samples.append(Cost.of(self.bot.process.pid))
                if len(self.samples) % (60 // SAMPLE_SECONDS) == 0:
                    print(f"{self.items} items, memory {self.samples[-1].memory:.1f} MB", flush=True)
            self._forget()
            await asyncio.sleep(1 - (time.monotonic() - now) % 1)

    def _publish(self) -> None:
        entries = []
        for _ in range(self.rate):
            self.items += 1
            words = " ".join(self.chance.sample(WORDS, 12))
            about = "Starlink " if self.chance.random() < 0.1 else ""
            entries.append(
                (
                    f"/{self.items}",
                    f"{about}{words} {self.items % NUMBERS}",
                    " ".join(self.chance.sample(WORDS, 60)),
                )
            )
            if about and self.chance.random() < 0.05:
                self.bot.post(entries[-1][1])
        self.bot.entries = self.bot.entries[:100]
        self.bot.publish(*entries)
        if len(self.bot.posts) > 40:
            self.bot.posts = self.bot.posts[-40:]

    def _spoil(self) -> None:
        chat_id = FIRST + self.chance.randrange(10)
        kind = self.chance.choice([429, 500, "drop", "garbage"])
        facts = {"retry_after": 2, "description": "Too Many Requests: retry after 2"} if kind == 429 else {}
        self.bot.api.inject(kind, chat_id=chat_id, **facts)  # type: ignore[arg-type]

    def _forget(self) -> None:
        """Keep the stand-in small: it shares the machine with what is measured."""
        del self.bot.api.sent[:-100], self.bot.api.edits[:-100], self.bot.api.calls[:-100]
        for key in list(self.bot.api.messages)[:-5000]:
            del self.bot.api.messages[key]


def slope(samples: list[Cost]) -> float:
    """Return how many MB an hour memory grows."""
    line = statistics.linear_regression([one.at / 3600 for one in samples], [one.memory for one in samples])
    return line.slope


async def measure(minutes: float, rate: int, count: int, warm_up: float) -> bool:
    """Run once, print what was seen, and return whether memory stays flat."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        async with a_bot(Path(folder)) as bot:
            bot.write_config(TOPICS)
            ids = range(FIRST, FIRST + count)
            await readers(bot.folder / "monitor.db", ids, ["starlink", "raid"])
            for chat_id in (*ids, ADMIN):
                bot.api.known(chat_id)
            await bot.start()
            await bot.baseline()
            said = [*WORDS, *map(str, range(NUMBERS))]
            bot.post(*(f"Starlink {' '.join(said[at : at + 50])}" for at in range(0, len(said), 50)))
            soak = Soak(bot, 5 * rate, random.Random(1))
            await soak.run(60 * warm_up)
            soak.rate, soak.samples = rate, []
            await soak.run(60 * minutes)
            assert bot.process
            alive = bot.process.returncode is None
            await bot.stop()
            report_database(bot.folder / "monitor.db", soak.items)
    late = soak.samples[len(soak.samples) // 3 :]
    grows = slope(late)
    memory = [one.memory for one in late]
    print(f"memory {min(memory):.1f} to {max(memory):.1f} MB after warm-up, slope {grows:+.2f} MB an hour")
    print(soak.samples[-1].since(soak.samples[0]))
    return alive and grows < 1


def report_database(path: Path, published: int) -> None:
    """Print how large the database is, and what is in it."""
    db = sqlite3.connect(path)
    stored = db.execute("SELECT count(*) FROM items").fetchone()[0]
    rows = db.execute("SELECT state, count(*) FROM outbox GROUP BY 1")
    states = ", ".join(f"{count} {state}" for state, count in rows)
    size = path.stat().st_size
    print(f"{published} items published, {stored} stored; outbox: {states}")
    print(f"database {size / 2**20:.1f} MB, {size / max(stored, 1):.0f} bytes an item and what belongs to it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=20, help="items a second")
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--warm-up", type=float, default=3, help="minutes before, at five times the rate")
    given = parser.parse_args()
    raise SystemExit(not asyncio.run(measure(given.minutes, given.rate, given.readers, given.warm_up)))
