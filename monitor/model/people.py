"""Who is told, where and when: chats, places in them, and the people who speak for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal, NamedTuple

Access = Literal["open", "approval", "closed"]
ChatStatus = Literal["pending", "active", "refused", "stopped", "gone"]
ChatKind = Literal["private", "group", "channel"]


class Place(NamedTuple):
    """Where a message goes: a chat, or a topic of a forum in it."""

    chat_id: int
    thread_id: int = 0  # Bot API, message_thread_id; 0 is the chat itself, in a forum its topic "General"


class Quiet(NamedTuple):
    """The hours of each day in which only what is urgent is told, in the chat's zone; over midnight too."""

    begin: time
    end: time  # another than `begin`

    def __str__(self) -> str:
        """Return it as it is typed: "23:00-07:00"."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


class Rhythm(NamedTuple):
    """How alerts come: each at once ("off"), or together at each full hour or once a day."""

    every: Literal["off", "hourly", "daily"]
    at: time | None = None  # of "daily", in the chat's zone

    def __str__(self) -> str:
        """Return it as it is typed: "off", "hourly", "daily 08:00"."""
        return f"{self.every} {self.at:%H:%M}" if self.at is not None else self.every


AT_ONCE = Rhythm("off")


@dataclass(frozen=True, slots=True)
class Chat:
    """Somebody who talks to the bot: a private chat, a group, a channel."""

    id: int
    title: str
    status: ChatStatus
    language: str  # of the bot's own words
    timezone: str  # IANA name
    kind: ChatKind = "private"
    muted: datetime | None = None  # nothing is told until then
    quiet: Quiet | None = None
    rhythm: Rhythm = AT_ONCE
    managing: int | None = None  # the channel that a private chat speaks for at the moment


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a place wants to hear of a topic."""

    silent: bool = False  # without a sound
    muted: datetime | None = None  # nothing of it is told until then
    rhythm: Rhythm | None = None  # None is the chat's


@dataclass(frozen=True, slots=True)
class Listener:
    """A place that subscribed to some topics: its chat, and how it wants to hear of each."""

    chat: Chat
    wanted: Mapping[str, Subscription]


Standing = Literal["out", "member", "admin"]


@dataclass(frozen=True, slots=True)
class Membership:
    """What somebody made of the bot in a chat: let it in, made it an admin, removed or blocked it."""

    chat_id: int
    chat_title: str
    kind: ChatKind
    user_id: int  # who did it
    before: Standing
    now: Standing


class Staff(NamedTuple):
    """Who speaks for a group or a channel, and whether the bot may write there."""

    admins: frozenset[int]  # user ids
    posts: bool  # a channel lets the bot post


class Peer(NamedTuple):
    """A chat as Telegram knows it."""

    id: int
    title: str
    kind: ChatKind
