"""Kill the bot while stories arrive and are sent, and count what is lost and what comes twice.

    python benchmarks/crash.py [--runs 200] [--seed 1]

Every other run ends by SIGKILL at any moment, most of these once it has found Telegram, the others at a step
between two writes (see tests/crashing.py): at the first, then at the second, and so on. A run takes about
three seconds. The exit code is 1 if an alert was lost, or if one kill repeated more than one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import tempfile
from pathlib import Path

import stage  # noqa: F401 -- it knows the way to the tests

from running import a_bot  # isort: skip
from storm import MOST_STEPS, Storm  # isort: skip


async def measure(runs: int, seed: int) -> bool:
    """Kill a bot so often, print the damage now and then, and return whether it was as it should be."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with a_bot(Path(folder)) as bot:
            Storm.prepare(bot)
            storm = Storm(bot, random.Random(seed), itertools.cycle(range(1, MOST_STEPS + 1)))
            await storm.begin()
            damage = await storm.run(runs, told=print)
    print(damage)
    return damage.lost == 0 and damage.worst <= 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    raise SystemExit(not asyncio.run(measure(given.runs, given.seed)))
