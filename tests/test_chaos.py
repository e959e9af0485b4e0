"""Whatever Telegram answers, every alert arrives where it may, and no request is made that should not be."""

from __future__ import annotations

import random
from pathlib import Path

from chaos_mix import chaos_of
from running import a_bot


async def test_every_alert_arrives_where_it_may_whatever_goes_wrong(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        chaos = await chaos_of(bot, 12, random.Random(3), slow=False)
        outcome = await chaos.run(seconds=6, settle=30)
    assert outcome.well, outcome
