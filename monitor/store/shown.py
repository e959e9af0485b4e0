"""What a source shows beside what is stored of it: what is new, what was edited, what was only renamed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlite_utils import Database

from monitor.model import Item
from monitor.store.edits import Edit
from monitor.store.items import chunks, marks
from monitor.store.rows import fetch
from monitor.store.values import Row, moment, stamp
from monitor.stories import canonical_link

_COLUMNS: Final = "id, key, title, text, url, published, links, found"


class Shown(NamedTuple):
    """What a source shows."""

    items: tuple[Item, ...] = ()  # all of it, under the keys that it is stored by
    new: tuple[Item, ...] = ()  # what is not stored yet, each key once
    edited: tuple[Edit, ...] = ()  # what is stored with another title or text, or other links


def compare(db: Database, source_id: str, items: Sequence[Item], now: datetime) -> Shown:
    """Return which of the items that a source shows are new and which edited.

    An item that was only named anew is the one that it was before: see `_named_anew`.
    """
    keys = {item.key for item in items}
    alike = _alike(db, source_id, items)
    stored = {row["key"]: row for row in alike if row["key"] in keys}
    anew = _named_anew(items, stored, {_page(row["url"] or ""): row for row in alike})
    named = tuple(replace(item, key=anew[item.key]["key"]) if item.key in anew else item for item in items)
    stored |= {row["key"]: row for row in anew.values()}
    current: dict[str, Item] = {}
    for item in named:
        current.setdefault(item.key, item)
    new = tuple(item for key, item in current.items() if key not in stored)
    known = [(item, stored[key]) for key, item in current.items() if key in stored]
    return Shown(named, new, tuple(edit for item, row in known if (edit := _edit(item, row, now))))


def _edit(item: Item, row: Row, now: datetime) -> Edit | None:
    """Return how an item differs from its row; None where it does not."""
    in_words = (row["title"], row["text"]) != (item.title, item.text)
    if not in_words and row["links"] == json.dumps(item.links):
        return None
    return Edit(row["id"], item, moment(row["found"]) or now, in_words)


def _alike(db: Database, source_id: str, items: Sequence[Item]) -> list[Row]:
    """Return the rows of a source with the key of one of the items, or with its link by http or https."""
    rows: dict[int, Row] = {}
    for some in chunks(items):
        keys = [item.key for item in some]
        links = [scheme + _page(item.url or "") for item in some for scheme in ("http", "https")]
        found = fetch(
            db,
            f"SELECT {_COLUMNS} FROM items WHERE (source_id = ? AND key IN ({marks(keys)}))"
            f" OR (source_id = ? AND url IN ({marks(links)}))",
            [source_id, *keys, source_id, *links],
        )
        rows.update((row["id"], row) for row in found)
    return [rows[number] for number in sorted(rows)]


def _named_anew(
    shown: Sequence[Item], stored: Mapping[str, Row], by_page: Mapping[str, Row]
) -> dict[str, Row]:
    """Return the rows of the items that a source only names anew, by the keys that it gives them now. Pure.

    Some feeds count the versions of an article in its guid, make up guids at every request, or get new ones
    all at once when a site moves to https or to other software. Such an item has the link of a stored one
    (`by_page`: the newest with each link) that is not shown any more, and the same title and date, or a guid
    that leads to the same page as before. A link that several items share, or that leads to a front page,
    says nothing.
    """
    anew: dict[str, Row] = {}
    if not by_page:
        return anew
    keys, shared = {item.key for item in shown}, Counter(item.url for item in shown)
    for item in shown:
        row = by_page.get(_page(item.url)) if item.url and item.key not in stored else None
        if (
            row
            and shared[item.url] == 1
            and row["key"] not in keys
            and canonical_link(row["url"])
            and _is_same(item, row)
        ):
            anew[item.key] = row
            keys.add(row["key"])
    return anew


def _page(link: str) -> str:
    """Return a link without its scheme."""
    return link.removeprefix("https").removeprefix("http")


def _is_same(item: Item, row: Row) -> bool:
    """Tell whether an item with the link of a stored one is that one."""
    published = stamp(item.published) if item.published else None
    if item.title and (item.title, published) == (row["title"], row["published"]):
        return True
    page = canonical_link(item.key)
    return page is not None and page == canonical_link(row["key"])
