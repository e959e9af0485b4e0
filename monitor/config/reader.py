"""From the text of a config file to a `Config`, or to all of its faults."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.config import sources, topics
from monitor.config.notes import notes
from monitor.config.report import Doubt, Report, syntax_fault
from monitor.config.settings import (
    KEYS,
    LISTS,
    SECTIONS,
    TELEGRAM_API,
    Config,
    Delivery,
    Network,
    Polling,
    Storage,
    Telegram,
)
from monitor.config.topics import CheckQuery
from monitor.errors import ConfigInvalid
from monitor.model import Topic

SHORTEST_SECRET = 30
"""The fewest characters after the colon of a token that Telegram itself can know; BotFather gives 35."""


CheckOutside = Callable[[Config], Iterable[Doubt]]
"""Returns what is wrong outside of a config file with what it names: files, folders, the token."""


def parse(
    text: str,
    *,
    path: str,
    packs: Mapping[str, Topic],
    check_query: CheckQuery,
    check_outside: CheckOutside = lambda _: (),
) -> Config:
    """Return what a config file says; relative paths in it start from the folder of `path`.

    `packs` are the ready topics by their ids; `check_query` says what is doubtful about a query.
    Raises `ConfigInvalid` with every fault of the file, each with its line and its key, and with what would
    be warnings without them.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigInvalid(path, (syntax_fault(text, error),)) from None
    report = Report(text)
    config = _config(report, document, path, packs, check_query)
    report.take(check_outside(config))
    warnings = (*report.notes, *notes(config, report.faulty))
    report.fail_if_any(path, warnings)
    return replace(config, warnings=warnings)


def _config(
    report: Report,
    document: Mapping[str, Any],
    path: str,
    packs: Mapping[str, Topic],
    check_query: CheckQuery,
) -> Config:
    """Return what a document says as far as it is without fault; the rest is in `report`."""
    tables = (*SECTIONS, *LISTS)
    top = report.read({key: value for key, value in document.items() if key not in tables}, (), KEYS[""])
    given = {name: report.section(document, name) for name in SECTIONS}
    _check_token(report, document, given["telegram"])
    _check_pace(report, given["polling"])
    for section, key in (("telegram", "token_file"), ("storage", "path")):
        if key in given[section]:
            given[section][key] = Path(path).parent / given[section][key]
    ready = topics.packed(report, top.get("packs", ()), packs)
    return Config(
        path=path,
        telegram=Telegram(**{**given["telegram"], "admins": frozenset(given["telegram"].get("admins", ()))}),
        storage=Storage(**given["storage"]),
        polling=Polling(**given["polling"]),
        delivery=Delivery(**given["delivery"]),
        network=Network(**given["network"]),
        sources=sources.read(report, document),
        topics=topics.read(report, document, ready, check_query),
        packs=tuple(ready),
        aliases=top.get("aliases", ()),
    )


def _check_token(report: Report, document: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Note a token that Telegram's own servers cannot know, and one that stands in two places."""
    table = document.get("telegram")
    if isinstance(table, dict) and {"token", "token_file"} <= table.keys():
        report.add(("telegram", "token_file"), "stands beside token: leave one of the two out")
    _, _, secret = given.get("token", "").partition(":")
    at_home = given.get("api_url", TELEGRAM_API) == TELEGRAM_API
    if "token" in given and at_home and len(secret) < SHORTEST_SECRET:
        report.add(
            ("telegram", "token"), "is cut short: BotFather's tokens have 35 characters after the colon"
        )


def _check_pace(report: Report, given: Mapping[str, Any]) -> None:
    """Note limits that contradict each other."""
    for low, high in (("fastest", "slowest"), ("fastest", "every"), ("every", "slowest")):
        if low in given and high in given and given[low] > given[high]:
            report.add(("polling", low), f"is longer than {high}: make it shorter, or leave one of them out")
