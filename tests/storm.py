"""A bot that is killed again and again while stories arrive and are sent, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from running import ROOT, Bot

CRASHING = str(ROOT / "tests" / "crashing.py")
PROGRAM = str(ROOT / "bot.py")
AT_ONCE = "[delivery]\nprivate_per_second = 1000\nmessages_per_second = 1000\n"
READERS = (7, 8, 9)
MOST_STEPS = 100
PATIENT = 0.8  # of the kills at any moment come when the bot has found Telegram
MOST_OPEN = 60  # stories: what falls out of a feed of a hundred before it was ever read is not lost by us
TEXT = re.compile(r"Starlink report \d+ from the northern front")


@dataclass(frozen=True)
class Damage:
    """What so many kills did to the alerts of all readers."""

    kills: int
    struck: int  # of them at a step between two writes
    at_work: int  # of the others, those of a bot that had sent something since its start
    alerts: int  # that there should be
    lost: int
    repeated: int
    worst: int  # most repetitions between two kills

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.struck} of them between two writes and {self.at_work} at any moment"
            f" after the first message, {self.alerts} alerts:"
            f" lost {self.lost}, repeated {self.repeated}, at most {self.worst} by one kill"
        )


class Storm:
    """Kills a bot and counts."""

    def __init__(self, bot: Bot, chance: random.Random, steps: Iterator[int]) -> None:
        self.bot = bot
        self.chance = chance
        self.steps = steps  # at which every other kill strikes
        self.struck = 0  # kills at a step
        self.at_work = 0  # other kills, of a bot that had sent something
        self.published: list[str] = []
        self.kills = 0
        self.marks: list[int] = []  # messages that had been sent at each kill

    @staticmethod
    def prepare(bot: Bot) -> None:
        """Let the bot send as fast as it can."""
        bot.more = AT_ONCE
        bot.write_config()

    async def begin(self) -> None:
        """Let all readers subscribe."""
        await self.bot.start()
        for reader in READERS:
            await self.bot.subscribe(reader)
        await self.bot.baseline()
        await self.bot.kill()

    async def run(self, kills: int, told: Callable[[str], None] = lambda _: None) -> Damage:
        """Kill the bot so often, every other time at a step between two writes; return the damage."""
        for _ in range(kills):
            await self._once(next(self.steps) if self.kills % 2 else 0)
            self.kills += 1
            self.marks.append(len(self.bot.api.sent))
            if len(self.published) - len(self._told()) // len(READERS) > MOST_OPEN:
                await self._catch_up()
            if self.kills % 10 == 0:
                told(f"{self.kills} kills, {len(self._told())} alerts arrived")
        await self._catch_up()
        return self.damage()

    async def _catch_up(self) -> None:
        """Let the bot tell in peace all that there is."""
        self.bot.program = [PROGRAM]
        await self.bot.start()
        whole = len(READERS) * len(self.published)
        with contextlib.suppress(AssertionError):  # what is missing then is counted
            await self.bot.api.wait_for(lambda: len(self._told()) >= whole, within=60)
        await asyncio.sleep(1)  # for what comes a second time
        await self.bot.kill()

    async def _once(self, step: int) -> None:
        """Start the bot, let stories come, and end it: at a step, or at any moment."""
        self.bot.program = [CRASHING, str(step)] if step else [PROGRAM]
        api, sent = self.bot.api, len(self.bot.api.sent)
        polls = self._polls()
        await self.bot.start()
        if not step and self.chance.random() < PATIENT:  # else the kill mostly finds a bot that only begins
            await api.wait_for(lambda: self._polls() > polls, within=20)
        for _ in range(self.chance.randint(1, 4)):
            self.published.append(f"Starlink report {len(self.published)} from the northern front")
            self.bot.publish((f"/report/{len(self.published)}", self.published[-1], ""))
            if self.chance.random() < 0.3:  # another source tells it too, so that its messages are edited
                self.bot.post(self.published[-1])
            await asyncio.sleep(self.chance.uniform(0, 0.5))  # the moment of the kill is what is tested
        if step:
            try:
                code = await self.bot.exit_code(within=8)
            except TimeoutError:  # it never came so far
                pass
            else:
                assert code == -signal.SIGKILL, f"it ended by itself with {code}"
                self.struck += 1
                return
        else:
            await asyncio.sleep(self.chance.uniform(0, 1.5))
            self.at_work += len(api.sent) > sent
        await self.bot.kill()

    def _polls(self) -> int:
        return sum(call.method == "getupdates" for call in self.bot.api.calls)

    def _told(self) -> Counter[tuple[int, str]]:
        return Counter(
            (message.chat_id, text) for message in self.bot.api.sent for text in TEXT.findall(message.text)
        )

    def damage(self) -> Damage:
        """Return what was lost and repeated up to now."""
        told = self._told()
        seen: set[tuple[int, str]] = set()
        repeats: Counter[int] = Counter()
        for place, message in enumerate(self.bot.api.sent):
            for text in TEXT.findall(message.text):
                key = (message.chat_id, text)
                if key in seen:
                    repeats[sum(mark <= place for mark in self.marks)] += 1
                seen.add(key)
        whole = {(reader, text) for reader in READERS for text in self.published}
        return Damage(
            kills=self.kills,
            struck=self.struck,
            at_work=self.at_work,
            alerts=len(whole),
            lost=len(whole - told.keys()),
            repeated=sum(told.values()) - len(told),
            worst=max(repeats.values(), default=0),
        )
