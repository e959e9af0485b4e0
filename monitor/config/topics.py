"""The topics of a config: ready ones from packs, and the file's own, which may extend those."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from monitor.config import sources
from monitor.config.places import Place
from monitor.config.report import Report
from monitor.config.settings import KEYS
from monitor.config.values import nearest, quoted
from monitor.errors import QueryInvalid
from monitor.model import Topic

CheckQuery = Callable[[str, Collection[str]], Iterable[QueryInvalid]]
"""Returns the doubts about a query, given the ids and tags of the sources.

Raises `QueryInvalid` for one that is at fault.
"""


def packed(report: Report, names: tuple[str, ...], packs: Mapping[str, Topic]) -> dict[str, Topic]:
    """Return the topics of the packs that the file names, and note those that are unknown or there twice."""
    for index, name in enumerate(names):
        if name not in packs:
            report.add(("packs", index), f"{quoted(name)} is unknown: {nearest(name, packs)}")
        elif name in names[:index]:
            report.note(("packs", index), f"{quoted(name)} stands there twice: once is enough")
    return {name: packs[name] for name in names if name in packs}


def read(
    report: Report, document: Mapping[str, object], ready: Mapping[str, Topic], check_query: CheckQuery
) -> tuple[Topic, ...]:
    """Return the topics of the file after those of the packs in `ready`, without those that are at fault."""
    found = dict(ready)
    known = sources.names(document)
    seen: dict[str, Place] = {}
    for place, table in report.tables(document, "topics"):
        given = report.read(table, place, KEYS["topics"])
        sources.check_id(report, place, table, given, seen)
        pack = ready.get(given.get("id", ""))
        if pack is None and not table.get("keywords") and not table.get("query"):
            report.add(place, 'matches nothing: give it keywords = ["..."] or query = "..."')
        _check_sources(report, place, given, known)
        _check_query(report, place, given, check_query, known)
        if "id" in given:
            found[given["id"]] = _topic(given, pack)
    return tuple(found.values())


def _topic(given: dict[str, Any], pack: Topic | None) -> Topic:
    """Return a topic of the file, put together with the pack of its id where the file names that one.

    Lists of words add to those of the pack, a query is another way to match, and the rest replaces
    what the pack says.
    """
    if pack is None:
        return Topic(**{"name": given["id"], **given})
    words: dict[str, Any] = {
        key: (*getattr(pack, key), *given.get(key, ())) for key in ("keywords", "exclude", "require")
    }
    if pack.query and "query" in given:
        words["query"] = f"({pack.query}) OR ({given['query']})"
    return replace(pack, **{**given, **words})


def _check_sources(report: Report, place: Place, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Note ids and tags that no source has."""
    for index, name in enumerate(given.get("sources", ())):
        if name not in known:
            right = sorted({word for word in known.values() if word})
            problem = f"no source has the id or tag {quoted(name)}: {nearest(name, right)}"
            report.add((*place, "sources", index), problem)


def _check_query(
    report: Report, place: Place, given: Mapping[str, Any], check_query: CheckQuery, known: Collection[str]
) -> None:
    """Note a query that is at fault, and what is doubtful about another one."""
    if "query" not in given:
        return
    try:
        doubts = check_query(given["query"], known)
    except QueryInvalid as error:
        report.add((*place, "query"), str(error))
        return
    for doubt in doubts:
        if doubt.key == "query.everything" and (given.get("sources") or given.get("require")):
            continue  # these say what is not everything
        report.note((*place, "query"), doubt.problem)
