from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import source
from hypothesis import given
from hypothesis import strategies as st
from web import HTML, Web, channel_page, channel_post

from monitor.errors import MonitorError, SourceGone, SourceUnreadable
from monitor.html import clean
from monitor.model import Cursor, Polled
from monitor.sources import poll, telegram_channel
from monitor.sources.http import Http, Response
from monitor.sources.kind import Fetched

DATA = Path(__file__).parent / "data" / "channels"
OFFICE = source("office", kind="channel", address="Example_Office")


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as host:
        yield host


def parsed(*pages: str | bytes, cursor: Cursor = Cursor()) -> Polled:  # noqa: B008 - frozen
    bodies = [page.encode() if isinstance(page, str) else page for page in pages]
    answers = tuple(Response(200, {}, body, "u", "u") for body in bodies)
    return telegram_channel.parse(Fetched(answers), OFFICE, cursor)


def page_of(*numbers: int, **facts: Any) -> str:
    return channel_page(
        "example_office", *(channel_post("example_office", n, f"post {n}", **facts) for n in numbers)
    )


def texts(polled: Polled) -> list[str]:
    return [item.text for item in polled.items]


async def look(web: Web, cursor: Cursor) -> Polled:
    async with Http(preview_url=web.url("")) as http:
        return await poll(http, OFFICE, cursor)


def test_posts_come_oldest_first_under_the_name_of_the_source_in_small_letters() -> None:
    polled = parsed(page_of(7, 5, 6))
    assert [item.key for item in polled.items] == ["example_office/5", "example_office/6", "example_office/7"]
    assert polled.items[0].url == "https://t.me/example_office/5"
    assert polled.items[0].title == ""
    assert polled.cursor.last_post == 7


def test_an_album_is_one_item_and_takes_all_its_ids() -> None:
    polled = parsed(
        channel_page("example_office", channel_post("example_office", 5, "album", members=(5, 6, 7)))
    )
    assert texts(polled) == ["album"]
    assert polled.cursor.last_post == 7


def test_the_last_post_never_goes_back() -> None:
    assert parsed(page_of(5), cursor=Cursor(last_post=9)).cursor.last_post == 9


def test_a_name_that_passed_to_another_channel_has_its_baseline_again() -> None:
    cursor = parsed(page_of(998, 999, 1000)).cursor
    polled = parsed(page_of(3, 4), cursor=cursor)
    assert polled.cursor.last_post == 4
    assert polled.notes == (telegram_channel.NUMBERED_ANEW,)
    again = parsed(page_of(3, 4, 5), cursor=polled.cursor)
    assert (texts(again), again.notes, again.cursor.last_post) == (["post 5"], (), 5)


def test_deleted_posts_do_not_make_a_channel_another() -> None:
    cursor = parsed(page_of(998, 999, 1000)).cursor
    polled = parsed(page_of(996, 997), cursor=cursor)
    assert (polled.cursor.last_post, polled.notes) == (1000, ())


def test_an_edit_is_a_change_and_a_view_is_none() -> None:
    first = parsed(page_of(5))
    views = '<span class="tgme_widget_message_views">9K</span><time'
    viewed = page_of(5).replace("<time", views)
    edited = page_of(5, edited=True)
    assert not parsed(viewed, cursor=first.cursor).changed
    again = parsed(edited, cursor=first.cursor)
    assert again.changed
    assert [item.edited for item in again.items] == [True]


def test_a_quiet_channel_has_no_posts_and_no_fault() -> None:
    assert parsed(channel_page("example_office")).items == ()


@pytest.mark.parametrize(
    ("sample", "cursor", "error", "words"),
    [
        ("no-preview", Cursor(), SourceGone, "shows no posts on the web:"),
        ("no-preview", Cursor(last_post=9), SourceGone, "shows no posts on the web any more"),
        ("unknown", Cursor(), SourceGone, "There is no @Example_Office on Telegram:"),
        ("unknown", Cursor(last_post=9), SourceGone, "There is no @Example_Office on Telegram any more"),
        ("other-layout", Cursor(), SourceUnreadable, "has a layout that is not known"),
    ],
)
def test_a_page_without_posts_is_told_for_what_it_is(
    sample: str, cursor: Cursor, error: type[MonitorError], words: str
) -> None:
    with pytest.raises(error, match=words):
        parsed((DATA / f"{sample}.html").read_bytes(), cursor=cursor)


@pytest.mark.parametrize("body", ["", "<html><body>busy, try later</body></html>", "\x00\xff"])
def test_another_page_altogether_is_unreadable(body: str) -> None:
    with pytest.raises(SourceUnreadable, match="none that Telegram used to show"):
        parsed(body)


def test_posts_whose_layout_is_not_known_are_counted_beside_those_that_are_read() -> None:
    broken = channel_post("example_office", 6, "no date").replace("datetime=", "data-time=")
    nameless = channel_post("", 8, "no name")
    polled = parsed(
        channel_page("example_office", channel_post("example_office", 5, "fine"), broken, nameless)
    )
    assert texts(polled) == ["fine"]
    assert polled.notes == ("posts with a layout that is not known: 2",)
    with pytest.raises(SourceUnreadable, match="layout"):
        parsed(channel_page("example_office", broken))


def test_a_post_that_only_telegram_shows_is_noted_once() -> None:
    page = (DATA / "posts.html").read_bytes()
    assert parsed(page).notes == ("posts that only Telegram itself shows: 1",)
    assert parsed(page, cursor=Cursor(last_post=111)).notes == ()


async def test_a_redirect_to_the_landing_page_means_no_preview(web: Web) -> None:
    web.redirect("/s/Example_Office", "/Example_Office")
    web.serve("/Example_Office", (DATA / "no-preview.html").read_bytes(), content_type=HTML)
    with pytest.raises(SourceGone, match="web preview is off"):
        await look(web, Cursor())


@pytest.mark.parametrize("name", ["", "a/../b", "@office", "канал", "x?y=1", "office\n"])
async def test_a_name_that_cannot_be_one_is_never_asked_for(web: Web, name: str) -> None:
    async with Http(preview_url=web.url("")) as http:
        with pytest.raises(SourceUnreadable, match="is no channel's name"):
            await poll(http, replace(OFFICE, address=name), Cursor())
    assert web.requests == []


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_monitor_error(body: bytes) -> None:
    with suppress(MonitorError):
        assert parsed(body).items == ()


@given(st.data())
def test_no_damage_to_a_page_raises_anything_but_a_monitor_error(data: st.DataObject) -> None:
    page = bytearray((DATA / "posts.html").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(page)))
        page[at : at + data.draw(st.integers(0, 2_000))] = data.draw(st.binary(max_size=8))
    try:
        polled = parsed(bytes(page))
    except MonitorError:
        return
    assert all(item.published is not None and item.text.encode("utf-8") is not None for item in polled.items)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60))
def test_the_text_of_a_post_is_its_words_and_nothing_else(text: str) -> None:
    polled = parsed(channel_page("example_office", channel_post("example_office", 1, text)))
    assert polled.items[0].text.split() == clean(text).split()
