"""What every command has at hand, and the shape of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from rapidfuzz import fuzz, process, utils

from monitor.clock import Clock
from monitor.config import Config
from monitor.markup import Safe, split
from monitor.model import Button, Chat, Message, Reply, Request, Topic
from monitor.phrases import say
from monitor.store import Store, chats

Who = Literal["anyone", "member", "admin"]

NEAR = 60  # rapidfuzz WRatio of a word that was perhaps meant


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the process itself is doing."""

    version: str
    started: datetime
    telegram: str | None  # what keeps Telegram away; None when all is well


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use: the database, the clock, and the config and the vitals as they are now."""

    store: Store
    clock: Clock
    config: Callable[[], Config]
    vitals: Callable[[], Vitals]
    commands: Mapping[str, Command]

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
        )

    async def save(self, chat: Chat) -> None:
        """Store a chat."""
        await self.store.write(partial(chats.put, chat=chat, now=self.clock.now()))


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it was typed: who asks, from which chat, with what argument."""

    desk: Desk
    request: Request
    chat: Chat
    argument: str

    def say(self, key: str, **facts: object) -> Safe:
        """Return a phrase in the language of the chat."""
        return say(self.chat.language, key, **facts)

    def reply(self, key: str, **facts: object) -> Reply:
        """Return a reply that consists of one phrase."""
        return Reply(Message(self.say(key, **facts)))


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table of commands; its help is the phrase `help.<name>`."""

    name: str
    who: Who
    run: Callable[[Call], Awaitable[Reply]]
    listed: bool = True  # in /help and in the menu; False for what only buttons say


def nearest(word: str, known: Mapping[str, str]) -> str | None:
    """Return the key whose name is nearest to a misspelt word; None where none is near."""
    found = process.extractOne(
        word, known, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=NEAR
    )
    return found[2] if found else None


def paged(call: Call, command: str, heading: str, lines: Iterable[str], page: str) -> Message:
    """Return one page of a list that may be longer than a message, with buttons to the others."""
    pages = split([heading, "", *lines]) or [Safe(heading)]
    number = min(max(int(page) if page.isdecimal() else 1, 1), len(pages))
    turns = [
        Button(call.say(f"list.{way}"), f"/{command} {target}")
        for way, target in (("back", number - 1), ("more", number + 1))
        if 1 <= target <= len(pages)
    ]
    return Message(pages[number - 1], buttons=rows(turns, 2))


def rows(buttons: Sequence[Button], width: int) -> tuple[tuple[Button, ...], ...]:
    """Return buttons in rows of at most `width`."""
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))
