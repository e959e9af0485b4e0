"""Every kind of source: each sample in tests/data/<kind>s parses to the golden JSON beside it.

A new sample's golden is written by `PYTHONPATH=. python tests/test_sources.py`, to be read before it is kept.
"""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import source
from web import Web, rss, rss_item

from monitor.errors import MonitorError, SourceGone, SourceUnreachable, SourceUnreadable
from monitor.model import Cursor, Polled
from monitor.sources import KINDS, poll
from monitor.sources.http import Http, Response
from monitor.sources.kind import Fetched, Parse

DATA = Path(__file__).parent / "data"
SAMPLES = [
    (kind, path)
    for kind in KINDS
    for path in sorted((DATA / f"{kind}s").iterdir())
    if not path.name.endswith(".golden.json")
]
ADDRESSES = {"feed": "https://feeds.example.org/feeds/all", "channel": "example_office"}


def golden_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.golden.json")


def fetched(body: bytes, kind: str = "feed", **facts: Any) -> Fetched:
    url = ADDRESSES[kind]
    return Fetched((Response(200, {}, body, url, url, **facts),))


def outcome(kind: str, body: bytes) -> dict[str, Any]:
    """Return what a parse gives, as plain JSON values: its items and cursor, or its error."""
    about = source("sample", kind=kind, address=ADDRESSES[kind])
    try:
        polled = KINDS[kind].parse(fetched(body, kind), about, Cursor())
    except MonitorError as error:
        return {"error": type(error).__name__, "message": str(error)}
    found = asdict(polled)
    for of_the_next_look in ("fingerprint", "posts", "gaps", "entries"):
        del found["cursor"][of_the_next_look]
    del found["more"], found["unchanged"], found["gap"]
    if not found["fault"]:
        del found["fault"]
    result: dict[str, Any] = json.loads(json.dumps(found, default=written))
    return result


def written(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@pytest.mark.parametrize(("kind", "path"), SAMPLES, ids=lambda value: getattr(value, "name", value))
def test_a_sample_parses_to_its_golden_values(kind: str, path: Path) -> None:
    assert outcome(kind, path.read_bytes()) == json.loads(golden_of(path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_samples_that_bring_items_and_samples_that_do_not(kind: str) -> None:
    outcomes = [outcome(kind, path.read_bytes()) for of, path in SAMPLES if of == kind]
    assert any(result.get("items") for result in outcomes)
    assert any("error" in result for result in outcomes)


@pytest.mark.parametrize(("kind", "path"), SAMPLES, ids=lambda value: getattr(value, "name", value))
def test_items_are_clean_aware_and_of_their_source(kind: str, path: Path) -> None:
    about = source("sample", kind=kind, address=ADDRESSES[kind])
    try:
        polled = KINDS[kind].parse(fetched(path.read_bytes(), kind), about, Cursor())
    except MonitorError:
        return
    assert len({item.key for item in polled.items}) == len(polled.items)
    for item in polled.items:
        assert item.source_id == "sample"
        assert "\n" not in item.title
        assert item.text == item.text.strip()
        assert item.published is None or item.published.utcoffset() == timedelta(0)
        assert all(link.startswith(("http://", "https://")) for link in (*item.links, item.url or "http://"))


@pytest.mark.parametrize(("kind", "path"), SAMPLES, ids=lambda value: getattr(value, "name", value))
def test_the_same_document_again_brings_nothing(kind: str, path: Path) -> None:
    about = source("sample", kind=kind, address=ADDRESSES[kind])
    try:
        first = KINDS[kind].parse(fetched(path.read_bytes(), kind), about, Cursor())
    except MonitorError:
        return
    again = KINDS[kind].parse(fetched(path.read_bytes(), kind), about, first.cursor)
    assert not again.changed
    assert again.items == ()
    assert again.cursor == first.cursor


@pytest.mark.parametrize("kind", KINDS)
def test_a_parse_can_be_sent_to_another_process(kind: str) -> None:
    about = source("sample", kind=kind, address=ADDRESSES[kind])
    message = (KINDS[kind].parse, fetched(b"<html>", kind), about, Cursor())
    parse, *arguments = pickle.loads(pickle.dumps(message))
    with pytest.raises((SourceUnreadable, SourceGone)) as caught:
        parse(*arguments)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_an_error_keeps_its_wait_on_the_way_between_processes() -> None:
    error = SourceUnreachable("busy", after=timedelta(seconds=9))
    assert pickle.loads(pickle.dumps(error)).after == timedelta(seconds=9)


async def test_a_kind_that_is_unknown_is_named() -> None:
    async with Http() as http:
        with pytest.raises(SourceUnreadable, match="'gopher'"):
            await poll(http, source(kind="gopher"), Cursor())


async def test_parsing_runs_where_it_is_told_to_and_304_needs_no_place() -> None:
    threads: list[Parse] = []

    async def parse_in(parse: Parse, *arguments: Any) -> Polled:
        threads.append(parse)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(parse, *arguments).result()

    async with Web() as web, Http() as http:
        web.serve("/feed", rss(rss_item("One")))
        about = source(address=web.url("/feed"))
        first = await poll(http, about, Cursor(), parse_in=parse_in)
        again = await poll(http, about, first.cursor, parse_in=parse_in)
    assert [item.title for item in first.items] == ["One"]
    assert not again.changed
    assert threads == [KINDS["feed"].parse]


if __name__ == "__main__":
    for kind_of_sample, sample in SAMPLES:
        if not golden_of(sample).exists():
            text = json.dumps(outcome(kind_of_sample, sample.read_bytes()), ensure_ascii=False, indent=1)
            golden_of(sample).write_text(text + "\n", encoding="utf-8")
