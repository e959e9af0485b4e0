"""How many messages Telegram takes, so that it never has to refuse one.

Pure. A limit is a token bucket, kept as one moment: when it will be full again (the "theoretical
arrival time" of the generic cell rate algorithm, ITU-T I.371). A moment can be stored beside what it
paces, so that a restart goes on where the last process ended.

The limits are those of the Bot API FAQ, "My bot is hitting limits": about 30 messages a second in all,
1 a second to one chat with short bursts, 20 a minute to one group. Edits count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

EVERYBODY = 0  # stands for all chats together, where a chat is named by its id
LONGEST_ASKED = timedelta(days=1)  # that a wait may be, whatever Telegram asks for
SHARE = 0.98  # of what may be sent in all; the rest is left to the answers to commands
LATE = 0.1  # seconds; as many messages in all may follow each other at once as a wake-up so late made us miss
PRIVATE_BURST = 2  # to one person, after a rest: one less than Telegram was seen to take
GROUP_BURST = 3  # to one group; with the pace below, no minute has more than the limit


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket that holds `burst` messages and gets one more `every` so often."""

    every: timedelta
    burst: int

    def ready(self, full: datetime) -> datetime:
        """Return when the next message may go, if the bucket is full again at `full`; it may be past."""
        return full - (self.burst - 1) * self.every

    def spend(self, full: datetime, now: datetime) -> datetime:
        """Return when the bucket is full again after a message that goes now."""
        return max(full, now) + self.every

    def within(self, span: timedelta) -> int:
        """Return how many messages may go in a span of time that begins with a full bucket."""
        return self.burst + span // max(self.every, timedelta.resolution)


@dataclass(frozen=True, slots=True)
class Limits:
    """What Telegram takes in all, to a person, and to a group or channel."""

    overall: Limit
    private: Limit
    group: Limit

    @classmethod
    def of(cls, *, per_second: float, private_per_second: float, group_per_minute: float) -> Self:
        """Return the limits that keep within these numbers of messages."""
        burst = min(GROUP_BURST, max(1, int(group_per_minute) - 1))
        return cls(
            overall=Limit(timedelta(seconds=1 / (per_second * SHARE)), max(1, int(per_second * LATE))),
            private=Limit(timedelta(seconds=1 / private_per_second), PRIVATE_BURST),
            group=Limit(timedelta(minutes=1 / max(group_per_minute - burst, 0.5)), burst),
        )

    def to(self, chat_id: int) -> Limit:
        """Return the limit of a chat; groups and channels have negative ids (Bot API)."""
        return self.private if chat_id > 0 else self.group
