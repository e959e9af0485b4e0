"""Every post of a channel is read once and in order, however many came since the last look."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web as http
from builders import source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram_preview import WINDOW, Preview
from web import HTML, Web, channel_page, channel_post

from monitor.errors import SourceUnreachable
from monitor.model import Cursor, Polled
from monitor.sources import poll, telegram_walk
from monitor.sources.http import Http
from monitor.sources.telegram_gaps import MOST_GAPS, MOST_LOOKS, Gap, in_gaps, read_gaps, write_gaps

OFFICE = source("office", kind="channel", address="example_office")
PATH = "/s/example_office"


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as host:
        yield host


def page_of(*numbers: int) -> str:
    return channel_page("example_office", *(channel_post("example_office", n, f"post {n}") for n in numbers))


def texts(polled: Polled) -> list[str]:
    return [item.text for item in polled.items]


async def look(web: Web, cursor: Cursor) -> Polled:
    async with Http(preview_url=web.url("")) as client:
        return await poll(client, OFFICE, cursor)


class Reader:
    """Looks at the channel again and again, each time from where the last look ended."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.cursor = Cursor()
        self.read: list[str] = []  # the texts of the posts that are new, in the order in which they came
        self.keys: set[str] = set()
        self.notes: list[str] = []
        self.looks = 0

    async def look(self) -> Polled:
        """Look once."""
        async with Http(preview_url=self.web.url("")) as client:
            polled = await poll(client, OFFICE, self.cursor)
        self.cursor = polled.cursor
        self.looks += 1
        self.notes += polled.notes
        self.read += [item.text for item in polled.items if item.key not in self.keys]
        self.keys |= {item.key for item in polled.items}
        return polled

    async def catch_up(self) -> None:
        """Look until a look says that there is no more."""
        while (await self.look()).more:
            assert self.looks < 100


def burst(channel: Preview, posts: int) -> None:
    """Write many posts, every seventh an album, and delete some of them again."""
    for number in range(posts):
        if number % 7 == 3:
            channel.album(f"album {channel.next}", 2 + number % 9)
        else:
            channel.post(f"post {channel.next}")
    channel.delete(*(number for number in channel.messages if number > 5 and number % 11 == 0))


@pytest.mark.parametrize("honours", [("after", "before"), ("after",), ("before",)])
@pytest.mark.parametrize("posts", [10, 150, 2_000])
async def test_a_burst_between_two_looks_is_read_in_order_each_post_once(
    web: Web, posts: int, honours: tuple[str, ...]
) -> None:
    channel = Preview(web, "example_office", honours=honours)
    burst(channel, 5)
    reader = Reader(web)
    await reader.catch_up()
    burst(channel, posts)
    await reader.catch_up()
    if honours == ("before",) and posts == 2_000:  # walked downwards, in several looks
        assert sorted(reader.read) == sorted(channel.texts())
    else:
        assert reader.read == channel.texts()
    assert reader.cursor.gaps is None
    channel.asked.clear()
    assert not (await reader.look()).changed
    assert channel.asked == [""]


@pytest.mark.parametrize("honours", [("after", "before"), ("after",), ("before",)])
async def test_pages_of_ids_that_are_all_deleted_do_not_end_the_way(
    web: Web, honours: tuple[str, ...]
) -> None:
    channel = Preview(web, "example_office", honours=honours, by_id=True)
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    burst(channel, 150)
    channel.delete(*range(30, 110), *range(130, 131))
    await reader.catch_up()
    assert reader.read == channel.texts()
    assert reader.cursor.gaps is None


async def test_a_look_takes_no_more_than_its_pages_and_says_that_there_is_more(web: Web) -> None:
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    for number in range(2_000):
        channel.post(f"post {number}")
    channel.asked.clear()
    polled = await reader.look()
    assert polled.more
    assert len(channel.asked) == telegram_walk.MAX_PAGES
    assert len(polled.items) == (telegram_walk.MAX_PAGES - 1) * WINDOW - 1
    assert reader.cursor.last_post == len(polled.items) + 1
    assert polled.notes == (f"posts {reader.cursor.last_post + 1} to 2001 are still to be read",)


async def test_a_look_keeps_no_more_in_memory_than_it_may(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_walk, "MAX_BYTES", 50_000)
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    for number in range(300):
        channel.post(f"post {number}")
    channel.asked.clear()
    assert (await reader.look()).more
    assert len(channel.asked) < 6
    await reader.catch_up()
    assert reader.read == channel.texts()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_nothing_is_lost_however_a_channel_writes_and_deletes(web: Web, data: st.DataObject) -> None:
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.catch_up()
    for _ in range(data.draw(st.integers(1, 4))):
        begun = channel.next
        for size in data.draw(st.lists(st.integers(1, 10), max_size=60)):
            channel.album(f"album {channel.next}", size) if size > 2 else channel.post(f"post {channel.next}")
        fresh = [
            number for number in channel.messages if number >= begun and not channel.messages[number].album
        ]
        channel.delete(*data.draw(st.lists(st.sampled_from(fresh)) if fresh else st.just([])))
        expected = [text for text in channel.texts() if int(text.split()[-1].replace("first", "1")) >= begun]
        before = len(reader.read)
        await reader.catch_up()
        assert reader.read[before:] == expected


async def test_a_channel_that_was_empty_is_read_from_its_first_post(web: Web) -> None:
    channel = Preview(web, "example_office")
    reader = Reader(web)
    assert (await reader.look()).cursor.last_post == 0
    for number in range(50):
        channel.post(f"post {number}")
    await reader.catch_up()
    assert reader.read == channel.texts()


async def test_a_page_without_posts_at_the_first_look_does_not_bring_the_whole_archive(
    web: Web,
) -> None:
    web.channel("example_office", page_of(70_000, 70_001))
    assert texts(await look(web, Cursor(last_post=0))) == ["post 70000", "post 70001"]
    assert len(web.requests) == 1


async def test_one_page_is_enough_when_it_reaches_back(web: Web) -> None:
    web.channel("example_office", page_of(4, 5, 6))
    for last_post in (None, 3, 4, 6):
        await look(web, Cursor(last_post=last_post))
    assert [seen.path for seen in web.requests] == [PATH] * 4


async def test_the_words_of_a_post_cannot_lead_the_way_astray(web: Web) -> None:
    words = 'data-post="example_office/1"'
    pages = channel_page("example_office", *(channel_post("example_office", n, words) for n in (40, 41)))
    web.serve(PATH, pages.replace("&quot;", '"'), content_type=HTML)
    await look(web, Cursor(last_post=5))
    assert len(web.requests) > 1


async def test_what_stands_between_is_asked_for_from_both_sides_before_it_counts_as_deleted(web: Web) -> None:
    channel = Preview(web, "example_office")
    for number in range(30):
        channel.post(f"post {number}")
    reader = Reader(web)
    await reader.look()
    for number in range(30, 70):
        channel.post(f"post {number}")
    channel.delete(*range(31, 51))
    channel.asked.clear()
    await reader.catch_up()
    assert channel.asked == ["", "after=30", "before=51"]
    assert reader.cursor.gaps is None


async def test_a_host_that_knows_no_before_is_not_believed(web: Web) -> None:
    web.channel("example_office", page_of(10, 11))
    polled = await look(web, Cursor(last_post=2))
    assert texts(polled) == ["post 10", "post 11"]
    assert polled.notes == ("posts 3 to 9 are missing: they are asked for again",)
    assert read_gaps(polled.cursor.gaps) == (Gap(3, 9, 1),)


async def test_where_nothing_older_stands_nothing_is_missing(web: Web) -> None:
    web.channel("example_office", page_of(10, 11))
    web.serve(f"{PATH}?before=10", channel_page("example_office"), content_type=HTML)
    polled = await look(web, Cursor(last_post=2))
    assert (polled.notes, polled.cursor.gaps) == ((), None)


async def test_a_gap_is_asked_for_ever_more_seldom_and_filled_when_it_can_be(web: Web) -> None:
    web.channel("example_office", page_of(10, 11))
    cursor = (await look(web, Cursor(last_post=2))).cursor
    asked = []
    for _ in range(8):
        before = len(web.requests)
        cursor = (await look(web, cursor)).cursor
        asked.append(len(web.requests) - before)
    assert asked == [2, 2, 1, 2, 1, 1, 1, 2]
    web.serve(f"{PATH}?before=10", page_of(2, 5, 9), content_type=HTML)
    for _ in range(8):
        polled = await look(web, cursor)
        cursor = polled.cursor
    assert texts(polled) == ["post 2", "post 5", "post 9"]
    assert cursor.gaps is None


async def test_a_gap_that_is_never_filled_stays_on_record(web: Web) -> None:
    web.channel("example_office", page_of(10, 11))
    cursor = Cursor(last_post=11, gaps=write_gaps([Gap(3, 9, MOST_LOOKS)]))
    for _ in range(3):
        polled = await look(web, cursor)
        cursor = polled.cursor
    assert polled.notes == ("posts 3 to 9 are missing: Telegram does not show them",)
    assert len(web.requests) == 3


async def test_a_host_that_wants_a_pause_at_the_first_step_gets_it(web: Web) -> None:
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    burst(channel, 100)
    channel.failing[3] = http.Response(status=429, headers={"Retry-After": "7"})
    with pytest.raises(SourceUnreachable, match="429"):
        await reader.look()
    await reader.catch_up()
    assert reader.read == channel.texts()


@pytest.mark.parametrize("status", [404, 500])
async def test_a_host_that_knows_no_after_is_walked_downwards(web: Web, status: int) -> None:
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    burst(channel, 100)
    channel.failing[3] = http.Response(status=status)
    await reader.catch_up()
    assert reader.read == channel.texts()
    assert channel.asked[2].startswith("after")
    assert channel.asked[3].startswith("before")


async def test_a_page_that_is_none_tells_nothing_of_a_gap(web: Web) -> None:
    web.channel("example_office", page_of(10, 11))
    web.serve(f"{PATH}?before=10", "<html>busy</html>", content_type=HTML)
    polled = await look(web, Cursor(last_post=2))
    assert texts(polled) == ["post 10", "post 11"]
    assert read_gaps(polled.cursor.gaps) == (Gap(3, 9, 1),)


@pytest.mark.parametrize("step", [3, 4, 6])
@pytest.mark.parametrize("posts", [180, 700])  # one look, and two
@pytest.mark.parametrize("page", ["<html>Please wait</html>", "", "nothing", "stale"])
async def test_a_page_that_is_none_on_the_way_loses_no_post(
    web: Web, page: str, posts: int, step: int
) -> None:
    channel = Preview(web, "example_office")
    for number in range(30):
        channel.post(f"post {number}")
    reader = Reader(web)
    await reader.look()
    channel.asked.clear()
    for number in range(30, posts):
        channel.post(f"post {number}")
    body = {"nothing": channel_page("example_office"), "stale": page_of(*range(11, 31))}.get(page, page)
    channel.failing[step] = http.Response(text=body, content_type="text/html")
    await reader.catch_up()
    assert sorted(reader.keys) == sorted(f"example_office/{number}" for number in range(11, posts + 1))
    assert reader.cursor.gaps is None


async def test_a_page_that_is_none_before_ids_that_are_all_deleted_loses_no_post(web: Web) -> None:
    channel = Preview(web, "example_office", by_id=True)
    for number in range(30):
        channel.post(f"post {number}")
    reader = Reader(web)
    await reader.look()
    for number in range(30, 180):
        channel.post(f"post {number}")
    channel.delete(*range(71, 111))
    channel.failing[4] = http.Response(text="<html>Please wait</html>", content_type="text/html")
    await reader.catch_up()
    assert channel.asked[2:4] == ["after=30", "after=50"]
    assert set(channel.texts()[10:]) == set(reader.read)
    assert reader.cursor.gaps is None


async def test_a_page_that_fails_later_keeps_what_was_had_and_its_wait(web: Web) -> None:
    channel = Preview(web, "example_office")
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    burst(channel, 100)
    channel.failing[5] = http.Response(status=429, headers={"Retry-After": "7"})
    polled = await reader.look()
    assert polled.more
    assert polled.items
    assert polled.hints.retry_after is not None
    assert polled.hints.retry_after.total_seconds() == 7
    await reader.catch_up()
    assert reader.read == channel.texts()


async def test_a_gap_that_cannot_be_asked_for_holds_up_nothing_else(web: Web) -> None:
    channel = Preview(web, "example_office", honours=("before",))
    channel.post("first")
    reader = Reader(web)
    await reader.look()
    for number in range(50):
        channel.post(f"post {number}")
    channel.failing[4] = http.Response(status=503)
    polled = await reader.look()
    assert texts(polled) == [f"post {number}" for number in range(30, 50)]
    assert reader.cursor.gaps == "2-31*1"
    await reader.catch_up()
    assert sorted(reader.read) == sorted(channel.texts())
    assert reader.cursor.gaps is None


def test_gaps_are_written_short_and_none_is_dropped() -> None:
    gaps = [Gap(10 * n, 10 * n + 3) for n in range(1, MOST_GAPS + 5)]
    kept = read_gaps(write_gaps(gaps))
    assert len(kept) == MOST_GAPS
    assert all(in_gaps(number, kept) for gap in gaps for number in range(gap.first, gap.last + 1))
    assert read_gaps(None) == read_gaps("") == ()
    assert write_gaps(()) is None
