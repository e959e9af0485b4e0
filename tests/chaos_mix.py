"""Everything that can go wrong between a bot and Telegram, mixed at random, while stories arrive."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from running import ADMIN, Bot, readers
from telegram_conduct import Case
from telegram_methods import SentMessage

AT_ONCE = "[delivery]\nmessages_per_second = 1000\nprivate_per_second = 1000\ngroup_per_minute = 60000\n"
TEXT = re.compile(r"Starlink report \d+ from the northern front")
FIRST_PERSON, FIRST_GROUP, SUPERGROUP = 1_000, -2_000, -1_000_000
SHOWN = 5  # stories of each thing that should not have been


@dataclass(frozen=True)
class Outcome:
    """What the chaos did to the alerts."""

    stories: int
    chats: int
    faults: int
    edits: int
    repeated: int
    lost: tuple[Case, ...]  # did not arrive in a chat that was there all the time, or after it came back
    unexplained: tuple[Case, ...]  # came again without that an answer was lost or an edit refused
    misdeeds: tuple[Case, ...]

    @property
    def well(self) -> bool:
        """Whether it was as it should be."""
        return not (self.lost or self.unexplained or self.misdeeds)

    def __str__(self) -> str:
        wrong = (*self.lost[:SHOWN], *self.unexplained[:SHOWN], *self.misdeeds[:SHOWN])
        return (
            f"{self.stories} stories to {self.chats} chats, {self.faults} faults, {self.edits} edits:"
            f" lost {len(self.lost)}, repeated {self.repeated}, {len(self.unexplained)} of them unexplained,"
            f" {len(self.misdeeds)} requests that a correct bot never makes"
        ) + "".join(f"\n  {one}" for one in wrong)


class Chaos:
    """Spoils what a bot asks of Telegram."""

    def __init__(self, bot: Bot, chats: int, chance: random.Random, *, slow: bool) -> None:
        """`slow` adds the faults from which a chat recovers after a minute at the earliest."""
        self.bot, self.api, self.chance = bot, bot.api, chance
        people = [FIRST_PERSON + number for number in range(chats - chats // 4)]
        groups = [FIRST_GROUP - number for number in range(chats // 4)]
        self.ids = people + groups
        self.now_at = {chat_id: chat_id for chat_id in self.ids}  # where a group that moved is
        self.away: set[int] = set()  # by the ids of the start
        self.was_away: set[int] = set()
        self.odd: set[int] = set()  # chats of which one message was refused as it stood
        self.stories: list[str] = []
        self.faults = 0
        self.leaving: list[asyncio.TimerHandle] = []  # chats that will leave soon
        self.quick: list[Callable[[int], None]] = [
            self._wait,
            self._fails,
            self._drops,
            self._loses,
            self._garbage,
            self._odd,
            self._block,
            self._unblock,
            self._flee,
            self._move,
            self._forget_message,
        ]
        self.slow: list[Callable[[int], None]] = [self._shut, self._no_rights] if slow else []

    async def run(self, seconds: float, settle: float) -> Outcome:
        """Spoil things for so long while stories arrive, mend all, and wait for what is still to come."""
        end = time.monotonic() + seconds
        story = time.monotonic()
        while time.monotonic() < end:
            if time.monotonic() >= story:
                self._publish()
                story += max(1.0, len(self.ids) / 40)
            self.chance.choice([*self.quick, *self.slow])(self.chance.choice(self.ids))
            self.faults += 1
            if self.chance.random() < 0.01:
                await self._outage()
            await asyncio.sleep(self.chance.uniform(0, 0.2))
        self._mend()
        await asyncio.sleep(3)  # the bot hears of all who are back
        for _ in range(3):
            self._publish()
            await asyncio.sleep(1.5)
        await self.api.wait_for(self._arrival(), within=settle, or_else=False)
        await asyncio.sleep(2)  # for edits, and for what comes a second time
        return self.outcome()

    def _publish(self) -> None:
        text = f"Starlink report {len(self.stories)} from the northern front"
        self.stories.append(text)
        self.bot.publish((f"/report/{len(self.stories)}", text, ""))
        if self.chance.random() < 0.5 and len(self.stories) > 1:
            self.bot.post(self.stories[-2])  # another source tells a story that was told: it grows

    # What goes wrong.

    def _inject(self, chat_id: int, kind: int | str, times: int = 1, **facts: object) -> None:
        self.api.inject(kind, times, chat_id=self.now_at[chat_id], method="sendMessage", **facts)  # type: ignore[arg-type]

    def _wait(self, chat_id: int) -> None:
        seconds = self.chance.randint(1, 3)
        words = f"Too Many Requests: retry after {seconds}"
        self._inject(chat_id, 429, description=words, retry_after=seconds)

    def _fails(self, chat_id: int) -> None:
        self._inject(chat_id, self.chance.choice([500, 502, 504]), self.chance.randint(1, 2))

    def _drops(self, chat_id: int) -> None:
        self._inject(chat_id, "drop")

    def _loses(self, chat_id: int) -> None:
        self._inject(chat_id, "lose")

    def _garbage(self, chat_id: int) -> None:
        self._inject(chat_id, self.chance.choice(["garbage", "portal"]))

    def _odd(self, chat_id: int) -> None:
        """Refuse a message as it stands; refused as plain text as well, it would be dead and not arrive."""
        if chat_id in self.odd:
            return
        self.odd.add(chat_id)
        self._inject(chat_id, 400, description="can't parse entities: Unsupported start tag")

    def _shut(self, chat_id: int) -> None:
        self._inject(chat_id, 403, description="bot can't send messages to the user")

    def _no_rights(self, chat_id: int) -> None:
        self._inject(chat_id, 400, description="not enough rights to send text messages to the chat")

    def _block(self, chat_id: int) -> None:
        if len(self.away) < len(self.ids) / 10:
            self.away.add(chat_id)
            self.was_away.add(chat_id)
            if self.chance.random() < 0.5:
                self.api.block(self.now_at[chat_id])
            else:
                self.api.bar(self.now_at[chat_id], 403, "bot was blocked by the user")

    def _unblock(self, _: int) -> None:
        if self.away:
            self._return(self.chance.choice(sorted(self.away)))

    def _return(self, chat_id: int) -> None:
        self.away.remove(chat_id)
        self.api.unblock(self.now_at[chat_id])

    def _flee(self, _: int) -> None:
        """Let a chat in that leaves again before it is said anew what was said to its return."""
        if self.away:
            back = self.chance.choice(sorted(self.away))
            self._inject(back, 500, 2)
            self._return(back)
            soon = self.chance.uniform(0.2, 2)
            self.leaving.append(asyncio.get_running_loop().call_later(soon, self._block, back))

    def _move(self, chat_id: int) -> None:
        if chat_id < 0 and self.now_at[chat_id] == chat_id and chat_id not in self.away:
            self.now_at[chat_id] = SUPERGROUP + chat_id
            self.api.upgrade(chat_id, self.now_at[chat_id], told=self.chance.random() < 0.5)

    def _forget_message(self, chat_id: int) -> None:
        mine = [key for key in list(self.api.messages)[-200:] if key[0] == self.now_at[chat_id]]
        self.api.uneditable.update(mine[-1:])

    async def _outage(self) -> None:
        await self.api.down()
        await asyncio.sleep(self.chance.uniform(0.2, 1.5))
        await self.api.up()

    def _mend(self) -> None:
        self.api.mend()
        for leaving in self.leaving:
            leaving.cancel()
        while self.away:
            self._unblock(0)

    # What came of it.

    def _told(self, messages: Sequence[SentMessage]) -> Mapping[tuple[int, str], list[SentMessage]]:
        """Return those of the messages that told each chat, by the id of the start, each story."""
        home = {now: chat_id for chat_id, now in self.now_at.items()} | {one: one for one in self.ids}
        told: defaultdict[tuple[int, str], list[SentMessage]] = defaultdict(list)
        for message in messages:
            if message.chat_id in home:
                for text in TEXT.findall(message.text):
                    told[home[message.chat_id], text].append(message)
        return told

    def _arrival(self) -> Callable[[], bool]:
        """Return what tells whether everything arrived; it looks at each message once."""
        missing, seen = self._missing(), len(self.api.sent)

        def arrived() -> bool:
            nonlocal seen
            fresh, seen = self.api.sent[seen:], len(self.api.sent)
            missing.difference_update(self._told(fresh))
            return not missing

        return arrived

    def _missing(self) -> set[tuple[int, str]]:
        whole = {(one, text) for one in self.ids if one not in self.was_away for text in self.stories}
        whole |= {(one, self.stories[-1]) for one in self.was_away}
        return whole - self._told(self.api.sent).keys()

    def outcome(self) -> Outcome:
        """Return what the chaos did up to now."""
        case, now = self.api.conduct.case, time.monotonic()
        repeats = [
            (chat_id, text, first, again)
            for (chat_id, text), messages in self._told(self.api.sent).items()
            for first, again in pairwise(messages)
        ]
        excused = self.api.unheard | self.api.unedited
        return Outcome(
            stories=len(self.stories),
            chats=len(self.ids),
            faults=self.faults,
            edits=len(self.api.edits),
            repeated=len(repeats),
            lost=tuple(
                case(self.now_at[chat_id], f"lost in {chat_id}: {text}", now)
                for chat_id, text in sorted(self._missing())
            ),
            unexplained=tuple(
                case(self.now_at[chat_id], f"again in {chat_id}: {text}", again.at)
                for chat_id, text, first, again in repeats
                if first.message_id not in excused
            ),
            misdeeds=tuple(self.api.conduct.misdeeds),
        )


async def chaos_of(bot: Bot, chats: int, chance: random.Random, *, slow: bool) -> Chaos:
    """Return the chaos for a bot that runs and has so many readers."""
    bot.more = AT_ONCE
    bot.write_config()
    chaos = Chaos(bot, chats, chance, slow=slow)
    await readers(bot.folder / "monitor.db", chaos.ids, ["starlink"])
    for chat_id in (*chaos.ids, ADMIN):
        bot.api.known(chat_id)
    await bot.start()
    await bot.baseline()
    return chaos
