"""The sources of a config: what makes each of the `[[sources]]` a `Source`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.config.places import Place, spell
from monitor.config.report import Report
from monitor.config.settings import KEYS
from monitor.config.values import as_id
from monitor.model import Source

ADDRESSES = {"url": "feed", "channel": "channel"}
"""The kind of source that each of the keys for its address means."""


def read(report: Report, document: Mapping[str, object]) -> tuple[Source, ...]:
    """Return the sources of the file, without those that are at fault."""
    found = []
    seen: dict[str, Place] = {}
    for place, table in report.tables(document, "sources"):
        given = report.read(table, place, KEYS["sources"])
        check_id(report, place, table, given, seen)
        kind = _kind(report, place, table)
        if "id" in given and kind is not None:
            address = given.pop(kind, None)
            if address is not None:
                found.append(
                    Source(**{"name": given["id"], "kind": ADDRESSES[kind], "address": address, **given})
                )
    return tuple(found)


def check_id(
    report: Report,
    place: Place,
    table: Mapping[str, object],
    given: Mapping[str, Any],
    seen: dict[str, Place],
) -> None:
    """Note an id that is missing or taken; `seen` keeps the place of each id so far."""
    if "id" not in table:
        example = "example-news" if place[0] == "sources" else "power-grid"
        report.add(place, f'has no id: add one that stays the same, such as id = "{example}"')
    elif "id" in given:
        first = seen.setdefault(given["id"], place)
        if first != place:
            where = f"{spell(first)} on line {report.line((*first, 'id'))}"
            report.add((*place, "id"), f'"{given["id"]}" is already the id of {where}: ids are used once')


def names(document: Mapping[str, object]) -> dict[str, str]:
    """Return every id and tag that a topic may name, also those of sources with another fault.

    The values are the same as they should be: an id that is none is there as the one that is like it.
    """
    found: dict[str, str] = {}
    tables = document.get("sources", [])
    for table in tables if isinstance(tables, list) else ():
        if isinstance(table, dict):
            tags = table.get("tags", [])
            words = [word for word in (tags if isinstance(tags, list) else ()) if isinstance(word, str)]
            found |= {word.strip(): word.strip() for word in words}
            if isinstance(name := table.get("id"), str):
                found.setdefault(name.strip(), as_id(name.strip()))
    return found


def _kind(report: Report, place: Place, table: Mapping[str, object]) -> str | None:
    """Return which of the keys for an address a source has, and note none or several of them."""
    kinds = [key for key in ADDRESSES if key in table]
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        report.add(
            (*place, kinds[1]), "stands beside url: a source has one of them, so make two sources of it"
        )
    else:
        report.add(
            place, 'has no address: add url = "https://..." for a feed or channel = "name" for a channel'
        )
    return None
