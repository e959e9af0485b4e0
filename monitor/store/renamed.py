"""Items that a feed names anew: their guid is another one than at the last look, and they are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from monitor.model import Item
from monitor.store import items
from monitor.store.values import Row, stamp
from monitor.stories import canonical_link


def under_known_keys(db: Database, source_id: str, shown: Sequence[Item]) -> tuple[Item, ...]:
    """Return what a source shows, each item that it only named anew under the key by which it is stored.

    Some feeds count the versions of an article in its guid, make up guids at every request, or get new ones
    all at once when a site moves to https or to other software. Such an item has the link of a stored one
    that is not shown any more, and the same title and date, or a guid that leads to the same page as before.
    A link that several items share, or that leads to a front page, says nothing.
    """
    keys, shared = {item.key for item in shown}, Counter(item.url for item in shown)
    doubtful = {
        item.key: item
        for item in items.unknown(db, source_id, shown)
        if item.url and shared[item.url] == 1 and canonical_link(item.url)
    }
    stored = _by_link(db, source_id, [item.url or "" for item in doubtful.values()])
    known: dict[str, str] = {}
    for item in doubtful.values():
        row = stored.get(_page(item.url or ""))
        if row and row["key"] not in keys and _is_same(item, row):
            known[item.key] = row["key"]
            keys.add(row["key"])
    return tuple(replace(item, key=known.get(item.key, item.key)) for item in shown)


def _by_link(db: Database, source_id: str, links: Sequence[str]) -> dict[str, Row]:
    """Return the newest stored item of each link, by `http` and by `https`."""
    return {
        _page(row["url"]): row
        for some in items.chunks([scheme + _page(link) for link in links for scheme in ("http", "https")])
        for row in db.query(
            "SELECT key, url, title, published FROM items"
            f" WHERE source_id = ? AND url IN ({items.marks(some)}) ORDER BY id",
            [source_id, *some],
        )
    }


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
