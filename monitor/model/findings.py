"""What is read, and what is found in it: source, item, match, story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol, get_args

Priority = Literal["urgent", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The priorities, the most pressing first."""

Field = Literal["title", "text"]
How = Literal["exact", "form", "script", "typo", "prefix", "regex"]


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
    answered_by: str | None = None  # whose etag and last_modified these are, where redirects led there


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
    learned: datetime | None = None  # when these were last learned; never stored


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
    fault: str = ""  # what is wrong with what the source sent, though it could be read


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


class Witness(Protocol):
    """Knows where the topics of an item stand."""

    def evidence_of(self, topic_id: str) -> tuple[Evidence, ...]:
        """Return the stretches of the item that made a topic match, in reading order."""
        ...


class Match(NamedTuple):
    """A topic found in an item, and why.

    A busy index finds hundreds in an item, so that their evidence is only written out when it is asked for.
    """

    topic_id: str
    score: float  # 0 to 100
    places: tuple[Evidence, ...] | Witness

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The stretches of the item that made the topic match, in reading order."""
        places = self.places
        return places if isinstance(places, tuple) else places.evidence_of(self.topic_id)

    def written_out(self) -> Match:
        """Return the same to keep, with nothing but its evidence: else it holds the item as it was read."""
        return Match(self.topic_id, self.score, self.evidence)

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


@dataclass(frozen=True, slots=True)
class Story:
    """One event as told by one or more items; a chat hears of it once."""

    id: int
    headline: str  # of the item that it began with
    links: frozenset[tuple[str, str]]  # canonical links of its items, each with the source that gave it
    begun: datetime  # when its first item came


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
