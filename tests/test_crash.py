"""A process that ends at any step loses no alert, and repeats at most the one in flight."""

from __future__ import annotations

import random
from pathlib import Path

from running import a_bot
from storm import Storm

FEW_STEPS = 30  # which it comes to within a second or two


async def test_kills_at_any_step_lose_nothing_and_repeat_at_most_one_alert_each(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        Storm.prepare(bot)
        chance = random.Random(11)
        storm = Storm(bot, chance, iter(lambda: chance.randint(1, FEW_STEPS), 0))
        await storm.begin()
        damage = await storm.run(5)
    assert damage.struck
    assert damage.lost == 0
    assert damage.worst <= 1
