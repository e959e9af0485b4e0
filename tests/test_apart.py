"""What is large is read in a process of its own, which can be stopped."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest
from builders import source
from web import Web, rss, rss_item

from monitor.errors import SourceUnreadable
from monitor.model import Cursor
from monitor.sources import poll
from monitor.sources.apart import Apart, is_large
from monitor.sources.http import Http

WHERE = "https://example.org/feed"
MANY_TAGS = rss(rss_item("Good"), channel="<a/>" * 100_000)


@pytest.fixture
async def apart() -> AsyncIterator[Apart]:
    async with Apart() as one:
        yield one


async def test_one_other_process_does_what_it_is_told_and_stays(apart: Apart) -> None:
    first = await apart.run(WHERE, os.getpid)
    assert first != os.getpid()
    assert await apart.run(WHERE, os.getpid) == first


async def test_what_it_raises_is_raised_here(apart: Apart) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await apart.run(WHERE, int, "x")
    assert await apart.run(WHERE, int, "7") == 7


async def test_what_takes_too_long_is_stopped_and_the_next_is_read() -> None:
    async with Apart() as impatient:
        first = await impatient.run(WHERE, os.getpid)
        impatient._longest = 0.5
        began = time.monotonic()
        with pytest.raises(SourceUnreadable, match=r"feed sent a document that takes more than 0\.5 s"):
            await impatient.run(WHERE, time.sleep, 60)
        assert time.monotonic() - began < 5
        impatient._longest = 10
        assert await impatient.run(WHERE, os.getpid) != first


async def test_a_process_that_dies_is_an_error_of_the_document_alone(apart: Apart) -> None:
    with pytest.raises(SourceUnreadable, match="too large to be read"):
        await apart.run(WHERE, os._exit, 1)
    assert await apart.run(WHERE, int, "7") == 7


async def test_memory_has_a_limit(apart: Apart) -> None:
    with pytest.raises(SourceUnreadable, match="too large to be read"):
        await apart.run(WHERE, bytes, 2**31)
    assert await apart.run(WHERE, int, "7") == 7


async def test_who_stops_waiting_leaves_no_answer_to_the_next(apart: Apart) -> None:
    asked = asyncio.ensure_future(apart.run(WHERE, time.sleep, 5))
    await asyncio.sleep(0.1)
    asked.cancel()
    assert await apart.run(WHERE, int, "7") == 7


async def test_a_document_of_many_elements_holds_nothing_up(apart: Apart) -> None:
    assert is_large([MANY_TAGS.encode()])
    late = 0.0

    async def beat() -> None:
        nonlocal late
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - before)

    async with Web() as web, Http() as http:
        web.serve("/feed", MANY_TAGS)
        beating = asyncio.ensure_future(beat())
        polled = await poll(http, source(address=web.url("/feed")), Cursor(), parse_in=apart)
        beating.cancel()
    assert [item.title for item in polled.items] == ["Good"]
    assert late < 0.5


async def test_what_is_wrong_with_a_large_document_is_told(apart: Apart) -> None:
    async with Web() as web, Http() as http:
        web.serve("/feed", "<html>" + "<a/>" * 50_000)
        with pytest.raises(SourceUnreadable, match="an HTML page, not a feed"):
            await poll(http, source(address=web.url("/feed")), Cursor(), parse_in=apart)


def test_an_ordinary_feed_is_not_large() -> None:
    assert not is_large([rss(*(rss_item(f"n{n}", "x" * 2_000) for n in range(100))).encode()])
    assert is_large([b" " * 600_000])
