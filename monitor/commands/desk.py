"""What every command has at hand, and the shape of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from rapidfuzz import fuzz, process, utils

from monitor.clock import Clock
from monitor.commands.shortcuts import Shortcuts
from monitor.config import Config
from monitor.markup import Safe
from monitor.model import (
    Button,
    Chat,
    ChatStatus,
    Item,
    Match,
    Message,
    Peer,
    Place,
    Reply,
    Request,
    Source,
    Staff,
    Topic,
)
from monitor.phrases import say
from monitor.prose import clip, utf16_len
from monitor.sources import Glimpse
from monitor.store import Store, chats

Who = Literal["anyone", "member", "admin"]

NEAR = 60  # rapidfuzz WRatio of a word that was perhaps meant
TELLING = 3  # letters that a word has from which another can be told to be near
ECHO = 60  # UTF-16 units of what somebody typed that are said back, and of a name on a button
LISTED = 1000  # UTF-16 units of a list of names


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the process itself is doing."""

    version: str
    started: datetime
    lag: timedelta = timedelta(0)  # how late looks at sources begin, but for one in a hundred
    telegram_trouble: str | None = None  # why Telegram cannot be reached; None where it can
    database: int = 0  # bytes
    memory: int = 0  # bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use: the database, the clock, and the config and the vitals as they are now."""

    store: Store
    clock: Clock
    config: Callable[[], Config]
    sources: Callable[[], tuple[Source, ...]]  # of the config and the database, the paused among them
    sources_changed: Callable[[], Awaitable[None]]  # to be called when the database was given others
    look: Callable[[str, str], Awaitable[Glimpse]]  # (kind, address); raises errors with one sentence
    download: Callable[[str, int], Awaitable[bytes]]  # (id of a file, most bytes); raises MonitorError
    reload: Callable[[str], Awaitable[Safe]]  # (language); reads the config again and says what came of it
    vitals: Callable[[], Vitals]
    commands: Mapping[str, Command]
    add_watch: Callable[[Place, str], Awaitable[Topic]]  # (place, query); raises QueryInvalid
    match: Callable[[Item, Source], Iterable[Match]]  # against all that is looked for; not on the event loop
    remove_watch: Callable[[int, str], Awaitable[bool]]  # (chat id, watch id)
    staff: Callable[[int, int], Awaitable[Staff]]  # (chat id, who asks); raises what a sender raises
    find_chat: Callable[[int | str], Awaitable[Peer]]  # by id or "@name"; raises what a sender raises
    wake: Callable[[], None]  # the sender, since something in the outbox may go now
    shortcuts: Shortcuts = field(default_factory=Shortcuts)

    @property
    def topics(self) -> dict[str, Topic]:
        """The configured topics by id, in the order of the config."""
        return {topic.id: topic for topic in self.config().topics}

    def is_admin(self, user_id: int) -> bool:
        """Tell whether a user is named in `[telegram] admins`."""
        return user_id in self.config().telegram.admins

    async def chat(self, request: Request) -> Chat:
        """Return the chat that asks, as it is stored, or as it would begin."""
        known = await self.store.read(partial(chats.get, chat_id=request.chat_id))
        return known or Chat(
            id=request.chat_id,
            title=request.chat_title,
            status="pending",
            language=self.config().telegram.language,
            timezone="UTC",
            kind="private" if request.private else "group",
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it was typed: who asks, from which chat, with what argument."""

    desk: Desk
    request: Request
    chat: Chat  # that the command is about
    argument: str
    home: Chat | None = None  # where it was said, if it is about a channel that is managed from there

    @property
    def place(self) -> Place:
        """The place that the command is about: the chat, or the topic of a forum that it was said in."""
        return Place(self.chat.id, 0 if self.home else self.request.thread_id)

    @property
    def language(self) -> str:
        """The language of the answer."""
        return (self.home or self.chat).language

    def say(self, key: str, **facts: object) -> Safe:
        """Return a phrase in the language of the answer."""
        return say(self.language, key, **facts)

    def reply(self, key: str, **facts: object) -> Reply:
        """Return a reply that consists of one phrase."""
        return Reply(Message(self.say(key, **facts)))

    async def change(self, *, only_from: Collection[ChatStatus] | None = None, **facts: object) -> Chat:
        """Store some facts of the chat and return it as it is then; see `chats.change`."""
        now = self.desk.clock.now()
        job = partial(chats.change, default=self.chat, facts=facts, now=now, only_from=only_from)
        return await self.desk.store.write(job)


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table of commands; its help is the phrase `help.<name>`."""

    name: str
    who: Who
    run: Callable[[Call], Awaitable[Reply]]
    settles: bool = False  # changes what a chat is told, so that in a group only its admins may say it
    own: bool = False  # is about the chat itself, also while it manages a channel
    listed: bool = True  # in /help and in the menu; False for what only buttons say


def nearest(word: str, known: Mapping[str, str]) -> str | None:
    """Return the key whose name is nearest to a misspelt word; None where none is near.

    What has hardly a letter, such as a number, is no word that was misspelt.
    """
    if _letters(word) < TELLING:
        return None
    told = {key: name for key, name in known.items() if _letters(name) >= TELLING}
    found = process.extractOne(
        word[:ECHO], told, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=NEAR
    )
    return found[2] if found else None


def _letters(word: str) -> int:
    return sum(map(str.isalpha, word[:ECHO]))


def listing(names: Iterable[str], limit: int = LISTED) -> str:
    """Return names between commas: as many as fit into `limit` UTF-16 units, and how many more there are."""
    left = [clip(name, ECHO) for name in names]
    shown: list[str] = []
    while left and limit >= utf16_len(left[0]):
        limit -= utf16_len(left[0]) + 2
        shown.append(left.pop(0))
    more = [f"… (+{len(left)})"] if left else []
    return ", ".join([*shown, *more]) or "—"


def page_of(argument: str, count: int, size: int) -> int:
    """Return which page of `count` things is asked for, `size` on each, from 1: the nearest that there is."""
    pages = max(1, -(-count // size))
    return min(max(int(argument[:9]) if argument.isdecimal() else 1, 1), pages)


def turns(call: Call, command: str, page: int, count: int, size: int) -> tuple[tuple[Button, ...], ...]:
    """Return the row of buttons that leads to the pages before and after; none where all fits on one."""
    ways = (("back", page - 1), ("more", page + 1))
    buttons = [
        Button(call.say(f"list.{way}"), f"/{command} {target}")
        for way, target in ways
        if 1 <= target <= -(-count // size)
    ]
    return rows(buttons, 2)


def rows(buttons: Sequence[Button], width: int) -> tuple[tuple[Button, ...], ...]:
    """Return buttons in rows of at most `width`."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))
