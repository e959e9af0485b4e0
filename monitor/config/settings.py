"""What a config file says, as frozen values with their defaults, and the table of all its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from monitor.config import addresses, values
from monitor.config.values import Reader, each
from monitor.model import Access, Source, Topic

TELEGRAM_API = "https://api.telegram.org"
TELEGRAM_PREVIEW = "https://t.me"


@dataclass(frozen=True, slots=True)
class Telegram:
    """How to talk to Telegram, and who may talk to the bot."""

    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    api_url: str = TELEGRAM_API  # base of /bot<token>/<method>
    preview_url: str = TELEGRAM_PREVIEW  # base of /s/<channel>
    admins: frozenset[int] = frozenset()  # numeric user ids
    access: Access = "approval"
    language: str = "en"  # of the bot's own words, until a chat chooses


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the database is, and how long it remembers."""

    path: Path | None = None  # None: where the system keeps state
    keep: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Polling:
    """How often and how hard sources are asked."""

    every: timedelta = timedelta(minutes=2)  # for sources that name none of their own
    fastest: timedelta | None = None  # to which a busy one is sped up; None: `every`
    slowest: timedelta | None = None  # to which a quiet one is slowed down; None: `every`
    timeout: timedelta = timedelta(seconds=20)  # for one request as a whole
    concurrency: int = 100  # requests at the same time
    per_host: int = 2  # of them to one host
    gap: timedelta | None = None  # from one to the next; None: 0.1 s, but nothing on private addresses


@dataclass(frozen=True, slots=True)
class Delivery:
    """How fast alerts go out, which is as fast as Telegram lets a bot, and when one comes too late."""

    messages_per_second: int = 30  # in all
    private_per_second: int = 1  # to one person
    group_per_minute: int = 20  # to one group or channel
    paid_broadcast: bool = False  # pay Telegram's fee for what goes beyond its free limit
    stale_after: timedelta = timedelta(days=1)  # alerts this old come together as one message


@dataclass(frozen=True, slots=True)
class Network:
    """What the bot may reach."""

    allow_private_hosts: tuple[str, ...] = ()  # where a redirect may lead


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config file without a fault in it."""

    path: str  # of the file, for messages
    telegram: Telegram = Telegram()
    storage: Storage = Storage()
    polling: Polling = Polling()
    delivery: Delivery = Delivery()
    network: Network = Network()
    sources: tuple[Source, ...] = ()
    topics: tuple[Topic, ...] = ()  # those of the packs first, in the order in which they are named
    packs: tuple[str, ...] = ()
    aliases: tuple[tuple[str, ...], ...] = ()  # spellings of one name
    warnings: tuple[str, ...] = ()  # sentences on what is no fault, but may not be meant


_duration = values.length("1s", "365d")

KEYS: Mapping[str, Mapping[str, Reader]] = {
    "": {
        "packs": each(values.string),
        "aliases": each(each(values.keyword, least=2)),
    },
    "telegram": {
        "token": values.token,
        "token_file": addresses.file_path,
        "api_url": addresses.base_url,
        "preview_url": addresses.base_url,
        "admins": each(values.user_id),
        "access": values.one_of("open", "approval", "closed"),
        "language": values.one_of(*values.BOT_LANGUAGES),
    },
    "storage": {
        "path": addresses.file_path,
        "keep": values.length("1d", "3650d"),
    },
    "polling": {
        "every": _duration,
        "fastest": _duration,
        "slowest": _duration,
        "timeout": values.length("1s", "10m"),
        "concurrency": values.whole(1, 10_000),
        "per_host": values.whole(1, 1_000),
        "gap": values.length("0s", "1h"),
    },
    "delivery": {
        "messages_per_second": values.whole(1, 1_000),
        "private_per_second": values.whole(1, 1_000),
        "group_per_minute": values.whole(1, 60_000),
        "paid_broadcast": values.boolean,
        "stale_after": values.length("1m", "365d"),
    },
    "network": {
        "allow_private_hosts": each(addresses.host),
    },
    "sources": {
        "id": values.identifier,
        "name": values.name,
        "url": addresses.feed_url,
        "channel": addresses.channel,
        "every": _duration,
        "tags": each(values.string),
        "official": values.boolean,
        "language": values.language,
    },
    "topics": {
        "id": values.identifier,
        "name": values.name,
        "keywords": each(values.keyword),
        "exclude": each(values.keyword),
        "require": each(values.keyword),
        "query": values.string,
        "sources": each(values.string),
        "fuzziness": values.fuzziness,
        "priority": values.one_of("urgent", "normal", "low"),
    },
}
"""Every key of the file with the reader of its value, by section; "" is the top of the file."""

SECTIONS = ("telegram", "storage", "polling", "delivery", "network")
"""The tables that stand at most once: `[telegram]`."""

LISTS = ("sources", "topics")
"""The tables that stand any number of times: `[[sources]]`."""
