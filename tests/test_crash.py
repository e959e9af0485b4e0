"""A process that ends at any step loses no alert, and repeats at most the one in flight."""

from __future__ import annotations

import random
from pathlib import Path

from running import a_bot
from storm import Storm


async def test_kills_at_any_step_lose_nothing_and_repeat_at_most_one_alert_each(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        Storm.prepare(bot)
        storm = Storm(bot, random.Random(11))
        await storm.begin()
        damage = await storm.run(5)
    assert damage.lost == 0
    assert damage.worst <= 1
