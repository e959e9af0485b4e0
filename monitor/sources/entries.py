"""What every format of feed has in common: entries, and how they become items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

from monitor.html import MAX_LINKS, Plain, one_line
from monitor.model import Item

MAX_ENTRIES: Final = 1_000
AT_AN_END: Final = 5  # entries by which the order of a document shows
MAX_TITLE: Final = 1_000  # characters, as the others
MAX_TEXT: Final = 50_000
MAX_NAME: Final = 200
MAX_KEY: Final = 500
_AHEAD: Final = timedelta(days=1)
_MISSPELT: Final = {"ua": "uk", "ukr": "uk", "eng": "en", "rus": "ru"}
_ALPHA_2: Final = 2


class Entry(NamedTuple):
    """An entry as its document has it: cleaned, with absolute links, but not yet told from others."""

    guid: str
    link: str
    title: str
    body: Plain
    published: datetime | None
    author: str
    language: str | None


class Document(NamedTuple):
    """A feed that was read."""

    entries: tuple[Entry, ...]  # in the order of the document
    ttl: timedelta | None = None
    notes: tuple[str, ...] = ()
    title: str = ""  # of the feed itself, on one line
    language: str = ""  # of the whole feed: ISO 639-1, or nothing
    sound: bool = False  # XML without a fault, so that its entries can be read apart
    fault: str = ""  # what is wrong with it, though it could be read


def items_of(
    document: Document, source_id: str, now: datetime | None, *, dated: bool = True
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return the items of a document, oldest first, each once, and what there is to note.

    `now` is the server's time, where it said so: entries dated more than a day later are noted and kept.
    `dated` says whether the entries that stand beside these, and were read before, all have a date.
    """
    entries = [entry for entry in document.entries if entry.title or entry.body.text or entry.link]
    items: dict[str, Item] = {}
    for entry, key in zip(entries, _keys(entries), strict=True):
        items.setdefault(key, _item(entry, key, source_id))
    notes = list(document.notes)
    if len(entries) < len(document.entries):
        notes.append(f"empty entries: {len(document.entries) - len(entries)}")
    ahead = sum(1 for entry in entries if now and entry.published and entry.published > now + _AHEAD)
    if ahead:
        notes.append(f"entries dated in the future: {ahead}")
    return _oldest_first(list(items.values()), by_date=dated), tuple(notes)


def is_oldest_first(first: Iterable[datetime | None], last: Iterable[datetime | None]) -> bool:
    """Tell whether the last few entries of a feed are newer than the first few, each of them.

    One that is pinned, or dated wrongly, must not turn a feed round.
    """
    earlier, later = ([date for date in dates if date] for dates in (first, last))
    return bool(earlier and later) and max(earlier) < min(later)


def left_out_of(count: int, *, oldest_first: bool) -> tuple[str, ...]:
    """Return what there is to note of a document with so many entries more than are read."""
    where = "before the last" if oldest_first else "beyond the first"
    return (f"entries left out {where} {MAX_ENTRIES}: {count}",)


def language_code(tag: str | None) -> str | None:
    """Return the ISO 639-1 code of a language tag (BCP 47): "uk" for "uk-UA", and for the misspelt "ua"."""
    primary = (tag or "").strip().lower().replace("_", "-").partition("-")[0]
    primary = _MISSPELT.get(primary, primary)
    return primary if len(primary) == _ALPHA_2 and primary.isascii() and primary.isalpha() else None


def _keys(entries: Sequence[Entry]) -> list[str]:
    """Return what tells each entry from the others: its guid, else its link, else its content.

    A guid or link that several different entries share tells nothing, and is passed over.
    """
    guids = _own([entry.guid for entry in entries], entries)
    links = _own([entry.link for entry in entries], entries)
    return [
        _short(guid or link or _content(entry))
        for guid, link, entry in zip(guids, links, entries, strict=True)
    ]


def _own(names: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """Return the names of entries, with "" for each that stands for more than one content."""
    if len(set(names)) == len(names):
        return list(names)
    contents = {(name, _content(entry)) for name, entry in zip(names, entries, strict=True)}
    shared = Counter(name for name, _ in contents)
    return [name if shared[name] == 1 else "" for name in names]


def _content(entry: Entry) -> str:
    return _digest(entry.title, entry.body.text)


def _short(key: str) -> str:
    """Return a key, or its digest where it is longer than a key may be."""
    return key if len(key) <= MAX_KEY else _digest(key)


def _digest(*parts: str) -> str:
    """Return a short digest that is the same tomorrow."""
    joined = "\n".join(parts).encode("utf-8", "replace")
    return f"digest:{blake2b(joined, digest_size=16).hexdigest()}"


def _item(entry: Entry, key: str, source_id: str) -> Item:
    """Return the entry as an item, every field within its limit."""
    return Item(
        source_id=source_id,
        key=key,
        title=entry.title[:MAX_TITLE],
        text=entry.body.text[:MAX_TEXT],
        url=entry.link or None,
        published=entry.published,
        language=entry.language,
        author=one_line(entry.author)[:MAX_NAME] or None,
        links=entry.body.links[:MAX_LINKS],
    )


def _oldest_first(items: list[Item], *, by_date: bool) -> tuple[Item, ...]:
    """Return the items by date where all have one, else in the reverse of the document's order."""
    items.reverse()
    dates = [item.published for item in items if item.published is not None]
    if len(dates) < len(items) or not by_date:
        return tuple(items)
    return tuple(item for _, _, item in sorted(zip(dates, range(len(items)), items, strict=True)))
