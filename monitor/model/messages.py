"""What is said: alerts and their deliveries, and the talk between people and the bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.model.findings import Change, Item, Match, Priority, Report, Source, Topic
from monitor.model.people import Chat, Place


@dataclass(frozen=True, slots=True)
class Alert:
    """What a chat is told: an item, who reported it, and which of the chat's topics it matched."""

    item: Item
    source: Source
    matches: tuple[Match, ...]
    topics: tuple[Topic, ...]  # those of the matches, in the same order; all, if an edit left no match
    language: str | None  # the item's, as far as it is known
    found: datetime  # when it was polled: the time shown where the item has none of its own
    changes: tuple[Change, ...] = ()  # what an edit changed since the chat was told
    reports: tuple[Report, ...] = ()  # of other sources, each its first, in the order they came


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox: one alert for one place."""

    id: int
    chat: Chat
    place: Place  # in that chat
    story_id: int
    alert: Alert
    priority: Priority
    attempts: int
    digest: bool = False  # goes together with the others of its place
    silent: bool = False  # without a sound
    message_id: int | None = None  # of the message to be edited


@dataclass(frozen=True, slots=True)
class Button:
    """A button below a message: pressing it runs `command` as if the chat had typed it, or opens `url`."""

    label: str
    command: str = ""  # at most 64 bytes of UTF-8 (Bot API, InlineKeyboardButton.callback_data)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent, in Telegram's HTML."""

    html: str
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows of buttons
    silent: bool = False
    preview: str | None = None  # the link to preview; None shows no preview
    paid: bool = False  # may cost Telegram's fee for broadcasts (Bot API, allow_paid_broadcast)
    reply_to: int | None = None  # the id of the message in the same chat that it answers
    parsed: bool = True  # False: `html` is no HTML, but shown as it stands


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the admins are to be told, once: a phrase of the catalogues and its facts."""

    phrase: str  # "notice.failing"
    facts: Mapping[str, str | int | timedelta]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that somebody sent, not fetched yet."""

    id: str
    size: int  # bytes, as Telegram says


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody typed or pressed, without any Telegram type."""

    chat_id: int
    chat_title: str
    user_id: int
    text: str  # "/subscribe starlink"
    thread_id: int = 0  # of the topic of a forum that it was said in
    private: bool = True
    pressed: bool = False  # a button, so that the reply replaces the message that carries it
    language: str | None = None  # of the user's Telegram client
    user_name: str = ""
    message_id: int | None = None  # of the message with the button that was pressed
    anonymous: bool = False  # said by an admin of the group in the group's name
    file: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, and what others are to be told because of it."""

    message: Message | None
    notice: str = ""  # shown as a toast when a button was pressed; plain text, at most 200 characters
    others: tuple[tuple[int, Message], ...] = field(default=())  # (chat id, message)
    more: tuple[Message, ...] = field(default=())  # sent after the first
    place: Place | None = None  # where `more` is sent, if not to where it was asked for
