"""Every error of the project, named by its remedy.

    MonitorError
    ├── Retry                 the same thing may work later: wait and try again
    │   ├── SourceUnreachable     no answer, a refusal, or an answer that says "later"
    │   ├── SourceResting         its host asked for a pause, so it was not asked
    │   ├── SourceUnreadable      an answer that is no feed, or a page whose layout is not known
    │   ├── TelegramUnreachable   no answer, 5xx, or 429 with the time to wait
    │   │   └── ChatResting           which is not over for this chat, so it was not asked
    │   ├── ChatShut              a chat takes nothing now, and may again: try for a day
    │   │   └── NoRights              and its admins must change that: tell one of them
    │   └── StoreUnwritable       the disk is full, read-only, or failing
    ├── GiveUp                no repeat can help: stop, and say so once
    │   ├── SourceGone            410, a channel that does not exist or shows no preview
    │   ├── ChatGone              the bot was blocked, or the chat does not exist
    │   ├── ChatMoved             a group became a supergroup: write there
    │   ├── TopicClosed           a topic of a forum takes nothing: write to the forum itself
    │   │   └── TopicGone             and never will again
    │   └── MessageRefused        Telegram will not take this message as it stands
    │       └── MessageLost           what was to be edited cannot be: send it anew
    └── FixSetup              somebody must change something before it can work
        ├── ConfigInvalid         every fault of a config file, each with its place
        ├── TokenRefused          Telegram does not know this token
        ├── UsageWrong            an argument of the command line that names nothing
        ├── OpmlInvalid           a list of sources that cannot be read
        ├── QueryInvalid          a query with a mistake, and where
        ├── StoreInUse            another process holds the database
        ├── StoreTooNew           the database was written by a newer version
        └── StoreUnusable         the file is no database, or cannot be opened

Each message is one sentence that can be shown to a person: what is wrong, where, what to do.
A stack trace is for bugs only: anything that is not a `MonitorError` is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


class MonitorError(Exception):
    """The root: catching it catches everything that a person can act on, and no bug."""

    exit_code = 1


class Retry(MonitorError):
    """The same thing may work later."""

    def __init__(self, message: str, *, after: timedelta | None = None) -> None:
        """Keep the wait that the other side asked for in `after`, where it asked for one."""
        super().__init__(message)
        self.after = after


class SourceUnreachable(Retry):
    """A source gave no answer, refused, or asked to come back later."""

    def __init__(self, message: str, *, after: timedelta | None = None, status: int | None = None) -> None:
        """Keep the wait that was asked for, and the HTTP status, where there was one."""
        super().__init__(message, after=after)
        self.status = status


class SourceResting(Retry):
    """A source was not asked, because its host asked for a pause."""


class SourceUnreadable(Retry):
    """A source answered with something that is not what it should be."""


class TelegramUnreachable(Retry):
    """Telegram gave no answer, failed, or asked to wait."""


class ChatResting(TelegramUnreachable):
    """Telegram was not asked, because it wanted a wait for this chat that is not over."""


class ChatShut(Retry):
    """A chat takes nothing for now."""


class NoRights(ChatShut):
    """A chat does not let the bot write until one of its admins changes that."""


class StoreUnwritable(Retry):
    """The database could not be written; nothing of the attempt was kept."""


class GiveUp(MonitorError):
    """No repeat can help."""


class SourceGone(GiveUp):
    """A source says that it is gone for good, or was never there."""


class ChatGone(GiveUp):
    """A chat cannot be reached any more: blocked, kicked, deleted, unknown."""


class ChatMoved(GiveUp):
    """A group became a supergroup, and so has another id."""

    def __init__(self, message: str, new_id: int) -> None:
        """Keep the id that the chat has now."""
        super().__init__(message)
        self.new_id = new_id


class TopicClosed(GiveUp):
    """A topic of a forum takes no messages."""


class TopicGone(TopicClosed):
    """A topic of a forum is there no more."""


class MessageRefused(GiveUp):
    """Telegram refuses this very message."""


class MessageLost(MessageRefused):
    """A message that was to be edited is there no more, or cannot be edited."""


class FixSetup(MonitorError):
    """Somebody must change something first."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a config file."""

    line: int  # 1-based; 0 where no line can be named
    key: str  # "sources[2].every"
    problem: str  # what is wrong and what would be right

    def __str__(self) -> str:
        """Return "line 12: sources[2].every: ..."."""
        place = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{place}{key}{self.problem}"


class ConfigInvalid(FixSetup):
    """A config file with faults: all of them, in the order of the file."""

    exit_code = 2

    def __init__(self, path: str, faults: tuple[Fault, ...], notes: tuple[str, ...] = ()) -> None:
        """Keep the file's path, every fault, and sentences on what is none, but may not be meant."""
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))
        self.path = path
        self.faults = faults
        self.notes = notes


class TokenRefused(FixSetup):
    """Telegram does not know this token."""

    exit_code = 2


class UsageWrong(FixSetup):
    """An argument of the command line names nothing that there is."""

    exit_code = 2


class QueryInvalid(FixSetup):
    """A query that cannot be read."""

    exit_code = 2

    def __init__(
        self,
        query: str,
        position: int,
        problem: str,
        key: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Keep the query, the 0-based offset of the mistake, and a sentence on it.

        `key` and `facts` say the same as a phrase of the catalogues.
        """
        super().__init__(f"{problem} (character {position + 1} of {around(query, position)!r})")
        self.query = query
        self.position = position
        self.problem = problem
        self.key = key
        self.facts = facts or {}


class OpmlInvalid(FixSetup):
    """A file that is no list of sources, or a broken one."""


class StoreInUse(FixSetup):
    """Another process holds the database."""


class StoreTooNew(FixSetup):
    """The database was written by a newer version."""


class StoreUnusable(FixSetup):
    """The file is no database of ours, or cannot be opened."""


def around(text: str, position: int, reach: int = 40) -> str:
    """Return the characters of `text` around a position, `reach` on each side, with "…" for the rest."""
    start, end = max(0, position - reach), position + reach
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def brief(error: MonitorError, most: int = 10) -> str:
    """Return an error's message in at most so many lines, and how many more there are."""
    lines = str(error).splitlines()
    rest = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([*lines[:most], *rest])
