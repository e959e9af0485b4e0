"""The nouns of the system, as frozen values.

Every stage takes and returns these and nothing else, in this order:

    source -> item -> match -> story -> alert -> delivery

Times are aware `datetime`s in UTC, durations `timedelta`s; offsets count characters (Unicode code
points) into the string that they name. Nothing here reads a clock, a file or the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple

Priority = Literal["urgent", "normal", "low"]
Field = Literal["title", "text"]
How = Literal["exact", "form", "script", "typo", "prefix", "regex"]
Access = Literal["open", "approval", "closed"]
ChatStatus = Literal["pending", "active", "refused", "stopped", "gone"]
ChatKind = Literal["private", "group", "channel"]


@dataclass(frozen=True, slots=True)
class Source:
    """One place that is polled: a feed at a URL, or a public Telegram channel by its name."""

    id: str
    name: str
    kind: str  # a key of monitor.sources.KINDS: "feed", "channel"
    address: str  # the feed's URL, or the channel's name without "@"
    every: timedelta | None = None  # as given for this source; None leaves it to [polling] every
    tags: tuple[str, ...] = ()
    official: bool = False
    language: str | None = None  # ISO 639-1, when the whole source keeps to one
    trusted: bool = True  # named in the config file, so that it may stand on a private address
    added_by: str | None = None  # who added it while the bot ran; None for those of the config
    paused: bool = False  # an admin wants it to be left alone for now


@dataclass(frozen=True, slots=True)
class Cursor:
    """What the next poll of a source needs to know of the last one; stored with its items."""

    etag: str | None = None
    last_modified: str | None = None
    fingerprint: str | None = None  # digest of the last body, to recognise an unchanged one
    moved_to: str | None = None  # where a permanent redirect pointed
    last_post: int | None = None  # the newest post id seen in a channel; 0 where it had none
    posts: str | None = None  # digests of the posts of the last page, to recognise those that did not change
    gaps: str | None = None  # runs of post ids that could not be read yet
    entries: bytes | None = None  # what is remembered of a feed's entries; see sources.memory


@dataclass(frozen=True, slots=True)
class SourceState:
    """How the polls of a source went, and where the next one takes up."""

    cursor: Cursor = Cursor()
    polled: datetime | None = None  # the last try
    succeeded: datetime | None = None  # the last answer; None until the baseline stands
    changed: datetime | None = None  # the last answer that differed from the one before
    next_poll: datetime | None = None
    failures: int = 0  # in a row
    failing: datetime | None = None  # since when
    gone: bool = False  # the last try said that it is not there any more, or never was
    error: str | None = None  # of the last try, for people
    newest: datetime | None = None  # when its newest item came
    usual: timedelta | None = None  # between two of its items: the median; None where too little is known
    longest: timedelta | None = None  # between two of its latest items


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed or one post of a channel, as plain text."""

    source_id: str
    key: str  # what makes it the same item tomorrow: guid, else link, else digest; "name/123" for a post
    title: str  # plain text on one line; empty for posts, which have none
    text: str  # plain text, paragraphs separated by line breaks
    url: str | None = None
    published: datetime | None = None
    language: str | None = None  # ISO 639-1, when the document says so
    author: str | None = None
    forwarded_from: str | None = None  # the name of the origin of a forwarded post
    forwarded_url: str | None = None  # the link to the forwarded post or its channel
    edited: bool = False
    links: tuple[str, ...] = ()  # http(s) URLs in the text, in order, each once


@dataclass(frozen=True, slots=True)
class Hints:
    """What a server said about when to come back."""

    retry_after: timedelta | None = None  # Retry-After (RFC 9110, 10.2.3)
    max_age: timedelta | None = None  # Cache-Control: max-age (RFC 9111, 5.2.2.1)
    ttl: timedelta | None = None  # RSS <ttl>, sy:updatePeriod and the like


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look at a source brought."""

    cursor: Cursor
    items: tuple[Item, ...] = ()  # oldest first; empty where nothing changed
    changed: bool = True  # False: 304 Not Modified, or the same bytes as before
    hints: Hints = Hints()
    notes: tuple[str, ...] = ()  # what the operator should know: "3 entries had no text", ...
    more: bool = False  # the source has more than one look takes: the next one is due at once
    unchanged: tuple[str, ...] = ()  # keys of further items that it shows, which are as they were
    gap: bool = False  # nothing in it was known before, so that something may have come and gone unseen


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is watched for: keywords or a query, and the limits around them."""

    id: str
    name: str
    keywords: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    query: str | None = None
    sources: tuple[str, ...] = ()  # source ids or tags; empty is all
    fuzziness: str | int = "normal"  # "exact", "strict", "normal", "loose", or a least score 0-100
    priority: Priority = "normal"


class Evidence(NamedTuple):  # a named tuple, as it is made in large numbers
    """A stretch of an item that made a topic match: `getattr(item, field)[start:end]`."""

    field: Field
    start: int
    end: int
    keyword: str
    how: How


Known = tuple[str, float, int, int, str, How]
"""A topic that a word is all by itself: (topic id, score, start and end of the word in its piece of text,
keyword, how). It is the same in every item."""


class Match(NamedTuple):
    """A topic found in an item, and why.

    A busy index finds hundreds in an item, so that their evidence is only written out when it is asked for.
    """

    topic_id: str
    score: float  # 0 to 100
    places: tuple[Any, ...]  # evidence, or in one row for each: field, begin of a piece of text, Known

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The stretches of the item that made the topic match, in reading order."""
        places = self.places
        if not places or isinstance(places[0], Evidence):
            return places
        return tuple(map(_written_out, places[::3], places[1::3], places[2::3]))

    def __eq__(self, other: object) -> bool:
        """Tell whether two matches say the same."""
        return isinstance(other, Match) and self[:2] == other[:2] and self.evidence == other.evidence

    def __ne__(self, other: object) -> bool:
        """Tell whether two matches do not say the same."""
        return not self == other

    def __hash__(self) -> int:
        """Return a number that is the same for equal matches."""
        return hash(self[:2])

    def __repr__(self) -> str:
        """Return how the match would be made."""
        return f"Match({self.topic_id!r}, {self.score!r}, {self.evidence!r})"


def _written_out(field: Field, begin: int, known: Known) -> Evidence:
    """Return the evidence that a known word is where its piece of text begins."""
    _, _, start, end, keyword, how = known
    return Evidence(field, begin + start, begin + end, keyword, how)


@dataclass(frozen=True, slots=True)
class Story:
    """One event as told by one or more items; a chat hears of it once."""

    id: int
    headline: str  # of the item that it began with
    links: frozenset[tuple[str, str]]  # canonical links of its items, each with the source that gave it
    begun: datetime  # when its first item came


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


class Change(NamedTuple):
    """Words of an item that an edit put in the place of others; one of the two may be empty."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Report:
    """Another source that told the same story."""

    source: Source
    url: str | None
    published: datetime | None


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


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, and what others are to be told because of it."""

    message: Message | None
    notice: str = ""  # shown as a toast when a button was pressed; plain text, at most 200 characters
    others: tuple[tuple[int, Message], ...] = field(default=())  # (chat id, message)
    more: tuple[Message, ...] = field(default=())  # sent after the first
    place: Place | None = None  # where `more` is sent, if not to where it was asked for
