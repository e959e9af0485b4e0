"""Mix all that can go wrong between the bot and Telegram, and see that every alert arrives where it may.

    python benchmarks/chaos.py [--minutes 5] [--chats 200] [--seed 1]

Chats block the bot and take it back, groups become supergroups, messages can be edited no more, Telegram asks
to wait, fails, is away, loses answers, answers nonsense, refuses for what passes. The stand-in notes every
request that a correct bot never makes: to somebody who blocked it, to a chat during its wait, to an id of
before. An alert may come again only where the answer to the one before was lost, or where it could be edited
no more. After the time is over all is mended, and what still waits gets up to five minutes. What should not
have been is shown with what happened in its chat before, and ends in exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from pathlib import Path

from stage import ROOT  # noqa: F401 -- it knows the way to the tests

from chaos_mix import chaos_of  # isort: skip
from running import a_bot  # isort: skip


async def measure(minutes: float, chats: int, seed: int) -> bool:
    """Run once, print what came of it, and return whether it was as it should be."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with a_bot(Path(folder)) as bot:
            chaos = await chaos_of(bot, chats, random.Random(seed), slow=True)
            outcome = await chaos.run(60 * minutes, settle=300)
    print(outcome)
    return outcome.well


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    raise SystemExit(not asyncio.run(measure(given.minutes, given.chats, given.seed)))
