"""A feed's document cut into its entries by its bytes, so that only the new ones need to be read.

Cutting knows no XML, so it is trusted only where it cannot be wrong: the whole document was read once and
gave one entry for each piece, every piece is `ordinary`, and what stands around them says the same as then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from xxhash import xxh3_64_digest

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
_BEGINNING: Final = 3_000  # characters in which the tags that enclose the entries stand
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


@dataclass(frozen=True, slots=True)
class Pieces:
    """A document cut into its entries, what stands before them, and what after."""

    head: bytes
    entries: tuple[bytes, ...]  # in their order, each without its end tag
    digests: tuple[bytes, ...]  # 8 bytes by which each of them is recognised
    tail: bytes
    name: bytes  # b"item" or b"entry"

    def envelope(self, url: str) -> bytes:
        """Return what the rest of a document at `url` is recognised by, but for dates and comments."""
        around = b"\0".join((url.encode(), _OF_THE_DAY.sub(b"", self.head), _OF_THE_DAY.sub(b"", self.tail)))
        return xxh3_64_digest(around)

    def opening(self) -> str | None:
        """Return the tags that enclose the entries; None where they are not those of RSS or Atom in UTF-8."""
        try:
            head = without_prolog(parseable(self.head.decode()[:_BEGINNING]))
        except UnicodeDecodeError:
            return None
        found = _OPENING.match(head)
        return "".join(tag for tag in found.groups() if tag) if found else None

    def only(self, entries: Iterable[str], opening: str) -> str:
        """Return a document of some entries alone, in the tags that enclose them all."""
        name = self.name.decode()
        inside = "".join(f"{entry}</{name}>" for entry in entries)
        return f"{opening}{inside}{'</channel></rss>' if opening.startswith('<rss') else '</feed>'}"


def cut(body: bytes) -> Pieces | None:
    """Return a document cut into its entries; None where it has none, too many, or anything between them."""
    names = _NAMES if _ATOM_END not in body[-_TAIL:] else _NAMES[::-1]
    name = next((name for name in names if b"</%s>" % name in body), names[0])
    end_tag, starts, first = b"</%s>" % name, _STARTS[name], _FIRST[name].search(body)
    if first is None:
        return None
    entries: list[bytes] = []
    at = after = first.start()
    while body.startswith(starts, at) and len(entries) <= MAX_ENTRIES:
        end = body.find(end_tag, at)
        if end < 0:
            return None
        entries.append(body[at:end])
        after = end + len(end_tag)
        at = _GAP.match(body, after).end()  # type: ignore[union-attr]  # it matches nothing too
    if end_tag in body[after:] or not 0 < len(entries) <= MAX_ENTRIES:
        return None
    digests = tuple(map(xxh3_64_digest, entries))
    return Pieces(body[: first.start()], tuple(entries), digests, body[after:], name)


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
    around = f"{pieces.head.decode('utf-8', 'replace')} {pieces.tail.decode('utf-8', 'replace')}"
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
