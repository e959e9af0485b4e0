"""A feed's document cut into its entries by its bytes, so that only the new ones need to be read.

Cutting knows no XML, so it is trusted only where it cannot be wrong: the whole document was read once and
gave one entry for each piece, every piece is `ordinary`, and what stands around them says the same as then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from xxhash import xxh3_64, xxh3_64_digest

from monitor.sources.entries import MAX_ENTRIES
from monitor.sources.envelope import (
    AUTHOR,
    ENTRY,
    ENTRY_END,
    RELATIVE_BASE,
    parseable,
    without_prolog,
)

_SPACE: Final = b" \t\r\n"
_ATOM_END: Final = b"</feed>"
_TAIL: Final = 100  # bytes
_DIGEST: Final = 8
_RUNS: Final = 4  # so many entries less one may go at once where others came
_MOST_ABOVE: Final = 20  # entries that came on top
_BEGINNING: Final = 3_000  # bytes in which the tags that enclose the entries stand
_NAMES: Final = (b"item", b"entry")
_STARTS: Final = {name: tuple(b"<%s%c" % (name, char) for char in b">" + _SPACE) for name in _NAMES}
_FIRST: Final = {name: re.compile(rb"<%s(?=[>\s])" % name) for name in _NAMES}
# A comment in plain ASCII without a tag in it: nothing but a note of when and by what a page was made.
_COMMENT: Final = rb"<!--(?:(?!--)[\t\r\n -;=?-~])*-->"
_GAP = re.compile(rb"\s*(?:" + _COMMENT + rb"\s*)*")
_OF_THE_DAY = re.compile(
    _COMMENT + rb"|<(lastBuildDate|pubDate|updated|modified|published|dc:date)>[ -%'-;=?-~]{0,100}</\1>"
)
_OPENING = re.compile(
    rf"(?:(<rss(?=[\s>])[^<>]*>)(?:\s|{_COMMENT.decode()})*(<channel(?=[\s>])[^<>]*>)|(<feed(?=[\s>])[^<>]*>))"
)
_LAST_OPENED = re.compile(rb"<(?:channel|feed)(?=[\s>])[^<>]*>")
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)
# Elements at which feedparser mixes up what is the feed's and what is the entry's.
_MIXED_UP = re.compile(r"<(?:([\w.-]+):)?(?:image|textinput)(?=[\s/>])", re.IGNORECASE)
_DIV = re.compile(r"<(?:[\w.-]+:)?div(?=[\s/>])", re.IGNORECASE)
_XHTML = re.compile(r"\btype\s*=\s*[\"'](?:xhtml|application/xhtml\+xml)[\"']")
_NAMESPACE = re.compile(r"\bxmlns:[\w.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*')")
# Prefixes that mean to feedparser what they mean to everybody, wherever they are declared.
USUAL: Final = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "gd": "http://schemas.google.com/g/2005",
    "googleplay": "http://www.google.com/schemas/play-podcasts/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
_USUAL: Final = frozenset(f'xmlns:{prefix}="{address}"' for prefix, address in USUAL.items())


class Pieces(NamedTuple):
    """A document cut into its entries, what stands before them, and what after."""

    head: bytes
    entries: tuple[bytes, ...]  # in their order, each without its end tag
    digests: tuple[bytes, ...]  # 8 bytes by which each of them is recognised
    tail: bytes
    name: bytes  # b"item" or b"entry"
    runs: bytes  # 8 bytes by which all entries together are recognised, and all but the last, and so on

    def envelope(self, url: str) -> bytes:
        """Return what the rest of a document at `url` is recognised by, but for dates and comments."""
        around = b"\0".join((url.encode(), _OF_THE_DAY.sub(b"", self.head), _OF_THE_DAY.sub(b"", self.tail)))
        return xxh3_64_digest(around)

    def opening(self) -> str | None:
        """Return the tags that enclose the entries; None where they are not those of RSS or Atom in UTF-8."""
        found = _LAST_OPENED.search(self.head, 0, _BEGINNING)
        return _opening(self.head[: found.end()]) if found else None

    def only(self, entries: Iterable[str], opening: str) -> str:
        """Return a document of some entries alone, in the tags that enclose them all."""
        name = self.name.decode()
        inside = "".join(f"{entry}</{name}>" for entry in entries)
        return f"{opening}{inside}{'</channel></rss>' if opening.startswith('<rss') else '</feed>'}"


def cut(body: bytes) -> Pieces | None:
    """Return a document cut into its entries; None where it has none, too many, or anything between them."""
    name, start = _beginning(body)
    if start < 0:
        return None
    entries, end = _entries(body, name, start, MAX_ENTRIES)
    if not entries or len(entries) > MAX_ENTRIES or b"</%s>" % name in body[end:]:
        return None
    digests = tuple(map(xxh3_64_digest, entries))
    runs = _runs(body, name, start, len(entries))
    return Pieces(body[:start], tuple(entries), digests, body[end:], name, runs)


def above(body: bytes, before: bytes, runs: bytes) -> tuple[Pieces, int] | None:
    """Return a document cut into the entries that came on top, and how many of those below them are left.

    `before` are the digests of the entries that were, one after another, and `runs` is that of `Pieces`.
    None where anything else happened than that entries came on top, and a few went at the end: then `cut`
    says more.
    """
    name, start = _beginning(body)
    if start < 0:
        return None
    entries, here = _entries(body, name, start, _MOST_ABOVE, before[:_DIGEST])
    end = body.rfind(b"</%s>" % name) + len(name) + 3
    if here >= end or len(entries) > _MOST_ABOVE:
        return None
    gone = runs.find(xxh3_64_digest(memoryview(body)[here:end]))
    if gone < 0 or gone % _DIGEST:
        return None
    left = (len(before) - gone) // _DIGEST
    if len(entries) + left > MAX_ENTRIES:
        return None
    digests = tuple(map(xxh3_64_digest, entries))
    runs = _runs(body, name, start, len(entries) + left)
    return Pieces(body[:start], tuple(entries), digests, body[end:], name, runs), left


@lru_cache(maxsize=4_096)  # feeds: their opening tags stay the same
def _opening(head: bytes) -> str | None:
    """Return the opening tags that a document begins with."""
    try:
        found = _OPENING.match(without_prolog(parseable(head.decode())))
    except UnicodeDecodeError:
        return None
    return "".join(tag for tag in found.groups() if tag) if found else None


def _beginning(body: bytes) -> tuple[bytes, int]:
    """Return the name of the entries of a document, and where the first begins; -1 where there is none."""
    names = _NAMES if _ATOM_END not in body[-_TAIL:] else _NAMES[::-1]
    name = next((name for name in names if b"</%s>" % name in body), names[0])
    first = _FIRST[name].search(body)
    return name, first.start() if first else -1


def _entries(
    body: bytes, name: bytes, start: int, most: int, known: bytes | None = None
) -> tuple[list[bytes], int]:
    """Return the entries that follow each other from `start` on, and where what comes then begins.

    They end where something else stands between them, after `most` and one more, and before the one with the
    digest that is `known`. None are returned where one of them has no end.
    """
    end_tag, starts = b"</%s>" % name, _STARTS[name]
    entries: list[bytes] = []
    at = after = start
    while body.startswith(starts, at) and len(entries) <= most:
        end = body.find(end_tag, at)
        if end < 0:
            return [], at
        entry = body[at:end]
        if xxh3_64_digest(entry) == known:
            return entries, at
        entries.append(entry)
        after = end + len(end_tag)
        at = _GAP.match(body, after).end()  # type: ignore[union-attr]  # it matches nothing too
    return entries, after


def _runs(body: bytes, name: bytes, start: int, count: int) -> bytes:
    """Return the digest of so many entries that follow each other, and of all but the last, and so on."""
    end_tag, ends, at = b"</%s>" % name, [], len(body)
    for _ in range(min(count, _RUNS)):
        at = body.rfind(end_tag, start, at)
        ends.append(at + len(end_tag))
    view, digest, read, digests = memoryview(body), xxh3_64(), start, []
    for end in reversed(ends):  # each goes on from the one before, so that the bytes are read once
        digest.update(view[read:end])
        digests.append(digest.digest())
        read = end
    return b"".join(reversed(digests))


def ordinary(entry: str, opening: str) -> bool:
    """Tell whether an entry means the same alone, in its opening tags, as among the others."""
    return (
        len(ENTRY.findall(entry)) == 1
        and not ENTRY_END.search(entry)
        and entry.count("<![CDATA[") == entry.count("]]>")
        and entry.count("<!--") == entry.count("-->")
        and not RELATIVE_BASE.search(entry)
        and _authors_are_whole(entry)
        and (
            "xmlns:" not in entry or all(one in _USUAL or one in opening for one in _NAMESPACE.findall(entry))
        )
        and all(_is_usual(prefix, opening) for prefix in _MIXED_UP.findall(entry))
        and (not _DIV.search(_CDATA.sub("", entry)) or bool(_XHTML.search(entry)))
    )


def ordinary_around(pieces: Pieces) -> bool:
    """Tell whether what stands around the entries leaves them alone, as long as it stays the same."""
    try:
        around = f"{pieces.head.decode()} {pieces.tail.decode()}"
    except UnicodeDecodeError:
        return False
    return not (
        ENTRY.search(around)
        or ENTRY_END.search(around)
        or RELATIVE_BASE.search(around)
        or _DIV.search(_CDATA.sub("", around))
    )


def _is_usual(prefix: str, opening: str) -> bool:
    """Tell whether the opening tags declare a prefix as everybody does."""
    declared = (one.replace("'", '"') for one in _NAMESPACE.findall(opening))
    return any(one in _USUAL for one in declared if one.startswith(f"xmlns:{prefix}="))


def _authors_are_whole(entry: str) -> bool:
    """Tell whether every author that begins here ends here."""
    ends = [found.group().startswith("</") for found in AUTHOR.finditer(entry)]
    return ends.count(True) == ends.count(False)
