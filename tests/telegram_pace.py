"""Telegram's limits on sending, so that a test can see how a bot keeps to them.

Bot API FAQ, "My bot is hitting limits": 30 messages a second overall, 1 a second to a private chat
with short bursts, 20 a minute to a group; edits count.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


class Bucket:
    """Tokens that come back at a steady rate; `now` is in seconds of anything that goes on."""

    def __init__(self, size: float, per_second: float, now: float) -> None:
        self.size, self.rate, self.level, self.then = size, per_second, size, now

    def wait(self, now: float) -> float:
        """Return the seconds until there is a token; 0 where there is one."""
        self.level = min(self.size, self.level + (now - self.then) * self.rate)
        self.then = now
        return max(0.0, (1 - self.level) / self.rate)


@dataclass
class Pace:
    """The limits: per second overall and to a private chat, per minute to a group.

    `scale` lets time go faster: 10 makes a second of the limits last 0.1 s.
    """

    overall: float = 30
    private: float = 1
    burst: float = 3
    group: float = 20
    scale: float = 1
    buckets: dict[int | None, Bucket] = field(default_factory=dict)

    def take(self, chat_id: int) -> int:
        """Count a message to a chat and return 0, or return the whole seconds to wait before it."""
        now = time.monotonic() * self.scale
        size, rate = (self.burst, self.private) if chat_id > 0 else (self.group, self.group / 60)
        buckets = (
            self.buckets.setdefault(None, Bucket(self.overall, self.overall, now)),
            self.buckets.setdefault(chat_id, Bucket(size, rate, now)),
        )
        if wait := max(bucket.wait(now) for bucket in buckets):
            return max(1, math.ceil(wait / self.scale))
        for bucket in buckets:
            bucket.level -= 1
        return 0
