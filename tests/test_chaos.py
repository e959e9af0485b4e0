"""Whatever Telegram answers, every alert arrives where it may, and no request is made that should not be."""

from __future__ import annotations

import random
from pathlib import Path

from chaos_mix import Chaos, chaos_of
from running import a_bot


async def test_every_alert_arrives_where_it_may_whatever_goes_wrong(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        chaos = await chaos_of(bot, 12, random.Random(3), slow=False)
        outcome = await chaos.run(seconds=6, settle=30)
    assert outcome.well, outcome


async def test_a_repeat_is_explained_only_by_an_answer_lost_to_the_message_before(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        chaos = Chaos(bot, 2, random.Random(1), slow=False)
        anna, borys = chaos.ids
        first, second = (
            "Starlink report 0 from the northern front",
            "Starlink report 1 from the northern front",
        )
        chaos.stories = [first, second]

        def tell(chat_id: int, text: str, *, heard: bool) -> None:
            bot.api.known(chat_id)
            message = bot.api.do_sendMessage({"chat_id": chat_id, "text": text})
            if heard:
                bot.api.unheard.remove(message["message_id"])

        for heard in (False, True):
            tell(anna, first, heard=heard)
            tell(borys, f"{first}; {second}", heard=heard)
        tell(anna, second, heard=True)
        assert chaos.outcome().well
        assert chaos.outcome().repeated == 3
        tell(anna, first, heard=True)
        assert [case.what for case in chaos.outcome().unexplained] == [f"again in {anna}: {first}"]
