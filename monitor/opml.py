"""OPML, the format in which feed readers exchange their lists of feeds (OPML 2.0, http://opml.org/spec2.opml).

Pure: bytes in, outlines out, and back. What is read comes from anywhere, so a document may declare no
entities, and its size, depth and number of outlines have limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from monitor.errors import OpmlInvalid
from monitor.model import Source

LARGEST: Final = 2**20  # bytes
MOST: Final = 5_000  # outlines that are no folders
DEEPEST: Final = 50
LONGEST_TAG: Final = 100  # characters, as of a name
_FEEDS: Final = frozenset({"rss", "atom", "feed", "telegram"})  # what an outline's type says of a feed
_LOOSE_AMPERSAND: Final = re.compile(rb"&(?!#?\w{1,10};)")
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_OTHER_ROOTS: Final = {"rss": "a feed", "feed": "a feed", "rdf:rdf": "a feed", "html": "a page"}


@dataclass(frozen=True, slots=True)
class Outline:
    """One subscription of a list."""

    url: str  # as it stands in the list; "" where it says that it is a feed, and not which
    title: str = ""
    tags: tuple[str, ...] = ()  # the folders around it from outside in, then its categories
    language: str = ""


def parse(data: bytes) -> tuple[Outline, ...]:
    """Return the subscriptions of an OPML document of version 1.0 or 2.0, in its order.

    Raises `OpmlInvalid` with one sentence. Addresses with bare "&" are common, and no reason to refuse.
    """
    if len(data) > LARGEST:
        raise OpmlInvalid(f"The list is larger than {LARGEST // 2**20} MB: split it into several")
    if not data.strip():
        raise OpmlInvalid("The list is empty")
    try:
        return _read(data)
    except expat.ExpatError:
        mended = _LOOSE_AMPERSAND.sub(b"&amp;", data)
    try:
        return _read(mended)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise OpmlInvalid(f"The list is broken in line {error.lineno} ({problem}): export it anew") from None


def _read(data: bytes) -> tuple[Outline, ...]:
    """Return the subscriptions of a document; raises `ExpatError` where it is no XML."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(data, True)  # noqa: FBT003 -- expat's own way
    except (LookupError, ValueError):
        raise OpmlInvalid("The list is in a character set that is not known: save it as UTF-8") from None
    return tuple(reader.found)


class _Reader:
    """What expat tells, as outlines."""

    def __init__(self) -> None:
        self.found: list[Outline] = []
        self._folders: list[str | None] = []  # of the open outlines; None for one that is no folder
        self._depth = 0
        self._bare: Outline | None = None  # a feed without an address, unless it holds outlines

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise OpmlInvalid(f"The list has folders in folders, more than {DEEPEST} deep")
        if self._depth == 1 and name.lower() != "opml":
            what = _OTHER_ROOTS.get(name.lower(), f"XML that begins with <{name[:40]}>")
            raise OpmlInvalid(f"This is {what}, and no OPML list")
        if name.lower() == "outline":
            self._outline({key.lower(): " ".join(value.split()) for key, value in attributes.items()})

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self._depth -= 1
        if name.lower() == "outline":
            self._folders.pop()
            if self._bare:
                self._take(self._bare)
            self._bare = None

    def entity(self, *_: object) -> None:
        """Refuse an entity: no list needs one, and a few of them can fill any memory."""
        raise OpmlInvalid("The list declares XML entities, which no list of feeds needs: it is not read")

    def _outline(self, facts: Mapping[str, str]) -> None:
        """Take an outline: a subscription, or a folder."""
        title, url = facts.get("title") or facts.get("text") or "", facts.get("xmlurl", "")
        if url:
            categories = re.split("[,/]", facts.get("category", ""))
            self._take(Outline(url, title, self._tags(categories), facts.get("language", "")))
        is_bare = not url and facts.get("type", "").lower() in _FEEDS
        self._bare = Outline("", title) if is_bare else None
        self._folders.append(None if url else title)

    def _take(self, outline: Outline) -> None:
        """Keep a subscription, unless there are too many."""
        if len(self.found) == MOST:
            raise OpmlInvalid(f"The list has more than {MOST} entries: split it into several")
        self.found.append(outline)

    def _tags(self, categories: Iterable[str]) -> tuple[str, ...]:
        """Return the folders around an outline and its categories, each once."""
        words = (word.strip()[:LONGEST_TAG].strip() for word in (*filter(None, self._folders), *categories))
        return tuple(dict.fromkeys(word for word in words if word))


def render(sources: Iterable[Source], now: datetime) -> str:
    """Return a list of sources as an OPML 2.0 document, which `parse` reads as the same list.

    A source stands in the folder of its first tag; the others are its categories. A channel has the address
    of its public page.
    """
    folders: dict[str, list[Source]] = {}
    for source in sources:
        folders.setdefault(source.tags[0] if source.tags else "", []).append(source)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">']
    lines.append(f"<head><title>monitor-bot</title><dateCreated>{format_datetime(now)}</dateCreated></head>")
    lines.append("<body>")
    for folder, members in folders.items():
        outlines = [f"<outline {_attributes(_facts(source))}/>" for source in members]
        if folder:
            outlines = [f"<outline {_attributes({'text': folder})}>", *outlines, "</outline>"]
        lines += outlines
    return "\n".join([*lines, "</body>", "</opml>", ""])


def _facts(source: Source) -> dict[str, str]:
    """Return the attributes of a source's outline."""
    facts = {"text": source.name, "title": source.name, "type": "rss", "xmlUrl": source.address}
    if source.kind == "channel":
        page = {"xmlUrl": f"https://t.me/s/{source.address}", "htmlUrl": f"https://t.me/{source.address}"}
        facts |= {"type": "telegram", **page}
    facts["category"] = ",".join(re.sub("[,/]", " ", tag) for tag in source.tags[1:])
    facts["language"] = source.language or ""
    return facts


def _attributes(facts: Mapping[str, str]) -> str:
    return " ".join(f"{key}={quoteattr(_NOT_XML.sub('', value))}" for key, value in facts.items() if value)
