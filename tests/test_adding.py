"""Admins add sources in the chat, and take them away, pause and resume them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import NOW, item, source
from hypothesis import given
from hypothesis import strategies as st
from test_commands import ADMIN, House, labels

from monitor.commands.shortcuts import LONGEST, Shortcuts
from monitor.config import read_address
from monitor.model import Reply, SourceState
from monitor.sources import FeedLink, Glimpse
from monitor.store import Store, items, sources

FEED = "https://example.org/feed.xml"
SEEN = Glimpse(
    "feed",
    "",
    "Example <News>",
    (
        item("Old", published=NOW - timedelta(days=1)),
        item("Bridge & tunnel", published=NOW - timedelta(hours=2)),
    ),
)
CHANNEL = Glimpse("channel", "", "Приклад")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    house = House(store)
    house.web = {FEED: SEEN, "zedigital": CHANNEL, "https://example.org/feed": SEEN}
    await store.write(partial(sources.declare, sources=house.config.sources))
    yield house
    await store.close()


async def says(house: House, text: str) -> str:
    return await house.says(text, ADMIN, user_name="Olena")


async def hears(house: House, text: str, **facts: Any) -> Reply:
    reply = await house.hears(text, ADMIN, user_name="Olena", **facts)
    assert reply
    return reply


@pytest.mark.parametrize("command", ["/add x.org", "/remove x", "/pause other", "/resume other"])
async def test_only_admins_change_what_is_read(house: House, command: str) -> None:
    assert await house.says(command, 1) == "Only an admin may do that."
    assert house.added == []


async def test_an_address_is_looked_at_and_then_read_beside_those_of_the_config(house: House) -> None:
    shown = await says(house, f"/add {FEED}")
    assert "I read Example <News> (example-org) from now on." in shown
    assert "a feed with 2 entries" in shown
    assert "The newest: “Bridge & tunnel” · 2 hr. ago" in shown
    (added,) = house.added
    assert (added.id, added.address, added.added_by, added.trusted) == ("example-org", FEED, "Olena", False)
    listed = await says(house, "/sources")
    assert "Example <News> — not read yet · added by Olena" in listed
    assert "Other <News> — not read yet · from the config" in listed


@pytest.mark.parametrize(
    "said", ["@zedigital", "t.me/zedigital", "https://t.me/s/zedigital", "https://t.me/zedigital/77?single"]
)
async def test_a_channel_is_added_by_its_name_or_any_link_to_it(house: House, said: str) -> None:
    assert "Приклад (zedigital)" in await says(house, f"/add {said}")
    assert [(one.kind, one.address) for one in house.added] == [("channel", "zedigital")]


async def test_a_name_of_ones_own_and_a_bare_domain_will_do(house: House) -> None:
    assert "I read My feed (example-org)" in await says(house, "/add example.org/feed My  feed")


async def test_what_is_read_already_is_named_instead_of_added_again(house: House) -> None:
    await says(house, f"/add {FEED}")
    assert "already: Example <News> (example-org)" in await says(
        house, "/add http://www.example.org/feed.xml/"
    )
    house.config = replace(
        house.config, sources=(source("mine", kind="channel", address="ZeDigital", name="Mine"),)
    )
    assert "already: Mine (mine)" in await says(house, "/add @zedigital")
    assert len(house.added) == 1


async def test_a_page_offers_its_feeds_on_buttons_however_long_their_addresses_are(house: House) -> None:
    long = "https://example.org/" + "long/" * 30 + "feed.xml"
    links = (FeedLink(long, "All news"), FeedLink(FEED))
    house.web |= {"https://example.org": Glimpse("page", "", feeds=links), long: SEEN}
    reply = await hears(house, "/add example.org")
    assert labels(reply.message) == ["All news", FEED]
    assert reply.message
    button = reply.message.buttons[0][0]
    await hears(house, button.command, pressed=True)
    assert [one.address for one in house.added] == [long]


async def test_a_button_from_before_a_restart_says_what_to_do(house: House) -> None:
    reply = await hears(house, "/~0123456789abcdef", pressed=True)
    assert reply.message is None
    assert "again" in reply.notice


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("file:///etc/passwd", "no web address"),
        ("ftp://example.org/feed", "no web address"),
        ("mailto:a@example.org", "no web address"),
        ("https://me:secret@example.org/feed", "user name or password"),
        ("https://exa_mple..org", "no address of the web"),
        ("@abc", "no channel name"),
        ("t.me/+AbCdEf", "no public channel"),
        ("https://t.me/joinchat/AbCdEf", "no public channel"),
        ("t.me/c/123/4", "no public channel"),
        ("news", "is neither"),
        ("https://" + "a" * 3000, "no address of the web"),
    ],
)
async def test_an_address_that_cannot_be_read_is_refused_with_what_would_be_right(
    house: House, said: str, why: str
) -> None:
    assert why in await says(house, f"/add {said}")
    assert house.added == []


async def test_an_address_where_nothing_answers_is_not_added(house: House) -> None:
    assert "its name is not known (DNS)" in await says(house, "/add https://nowhere.example/")
    assert house.added == []


async def test_a_removed_source_is_gone_and_can_be_added_again_with_a_button(house: House) -> None:
    await says(house, f"/add {FEED}")
    reply = await hears(house, "/remove Example <News>")
    assert house.added == []
    assert reply.message
    ((again,),) = reply.message.buttons
    assert "I read Example <News> (example-org)" in await says(house, again.command)


async def test_a_source_of_the_config_is_taken_out_in_the_file_and_paused_meanwhile(house: House) -> None:
    reply = await hears(house, "/remove other")
    assert reply.message
    assert "stands in the config file (config.toml)" in reply.message.html
    assert "⏸" in await says(house, reply.message.buttons[0][0].command)
    assert [one.id for one in house.sources() if one.paused] == ["other"]


async def test_pause_and_resume_offer_each_other_and_show_in_the_list(house: House) -> None:
    paused = await hears(house, "/pause Other <News>")
    assert "⏸ Other <News> — paused" in await says(house, "/sources")
    assert paused.message
    await hears(house, paused.message.buttons[0][0].command, pressed=True)
    assert not any(one.paused for one in house.sources())


async def test_what_is_paused_or_read_already_is_not_said_to_begin_now(house: House) -> None:
    assert "is not paused: I read it already" in await says(house, "/resume other")
    await says(house, "/pause other")
    house.clock.advance(timedelta(hours=1))
    again = await hears(house, "/pause other")
    assert again.message
    assert "alone already, until /resume" in again.message.html
    assert "comes now" in await says(house, again.message.buttons[0][0].command)
    assert "I read it already" in await says(house, "/resume other")


async def test_a_failing_source_that_is_not_paused_is_asked_again_at_once_and_a_gone_one_read_again(
    house: House,
) -> None:
    other = next(one for one in house.sources() if one.id == "other")
    failing = SourceState(polled=NOW, next_poll=NOW + timedelta(days=1), failures=3, error="answers 500")
    for state, said in ((failing, "failed the last time"), (replace(failing, gone=True), "comes now")):
        await house.store.write(partial(sources.save, source=other, after=state))
        assert said in await says(house, "/resume other")
        kept = await house.store.read(partial(sources.state, source_id="other"))
        assert (kept.next_poll, kept.gone) == (None, False)


@pytest.mark.parametrize("command", ["remove", "pause", "resume"])
async def test_without_a_source_or_with_a_wrong_one_there_are_buttons(house: House, command: str) -> None:
    await says(house, f"/add {FEED}")
    if command == "resume":
        await says(house, "/pause example-org")
    for said in (f"/{command}", f"/{command} zzzzqqqq"):
        assert "Example <News>" in labels((await hears(house, said)).message)
    near = await hears(house, f"/{command} exmple-org")
    assert labels(near.message) == ["Example <News>"]


async def test_a_name_that_several_sources_have_asks_which_one_is_meant(house: House) -> None:
    house.web["https://two.example/feed"] = replace(house.web[FEED])
    for address in (FEED, "https://two.example/feed"):
        await says(house, f"/add {address} One")
    for command in ("/remove one", "/remove", "/pause ONE"):
        asked = await hears(house, command)
        assert labels(asked.message) == ["One · example-org", "One · two-example"]
    assert labels((await hears(house, "/latest one")).message) == ["One · example-org", "One · two-example"]
    assert len(house.added) == 2
    assert not any(one.paused for one in house.sources())
    await says(house, "/remove two-example")
    assert [one.id for one in house.added] == ["example-org"]


@pytest.mark.parametrize("said", ["my_channel", "My_Channel", "@my_channel", "t.me/my_channel", "приклад"])
async def test_a_channel_is_named_by_its_address_with_or_without_its_sign(house: House, said: str) -> None:
    house.web["my_channel"] = CHANNEL
    await says(house, "/add @my_channel")
    assert "alone until" in await says(house, f"/pause {said}")


async def test_many_sources_take_several_pages(house: House) -> None:
    house.config = replace(
        house.config, sources=tuple(source(f"s{n:02}", name=f"Source {n}") for n in range(90))
    )
    first = await hears(house, "/pause")
    assert len(labels(first.message)) == 41
    assert first.message
    assert "Source 40" in labels((await hears(house, first.message.buttons[-1][0].command)).message)


async def test_nothing_to_remove_or_resume_is_said(house: House) -> None:
    assert "No source was added" in await says(house, "/remove")
    assert "No source is paused" in await says(house, "/resume")


async def test_the_last_items_of_a_source_are_shown_on_request(house: House) -> None:
    await says(house, f"/add {FEED}")
    assert "not read Example <News> yet" in await says(house, "/latest example-org")
    read = SourceState(polled=NOW, succeeded=NOW)
    await house.store.write(partial(sources.save, source=house.added[0], after=read))
    assert "Nothing yet" in await says(house, "/latest example-org")
    await house.store.write(
        partial(items.insert, item=item("Bridge", source_id="example-org"), matches=(), found=NOW)
    )
    for said in ("example-org", "Example <News>", FEED):
        assert "• Bridge" in await says(house, f"/latest {said}")
    assert labels((await hears(house, "/latest exampl-org")).message) == ["Example <News>"]


@given(st.text(max_size=200))
def test_a_command_on_a_button_is_never_too_long_and_comes_back_whole(command: str) -> None:
    shortcuts = Shortcuts()
    short = shortcuts.shorten(f"/add {command}")
    assert len(short.encode("utf-8", "replace")) <= LONGEST
    assert shortcuts.resolve(short) == f"/add {command}"


@given(st.text(max_size=60) | st.from_regex(r"(https?://|feed:|@|t\.me/)?[a-z.:/@0-9]{0,20}", fullmatch=True))
def test_whatever_is_named_as_a_source_is_an_address_or_a_sentence(said: str) -> None:
    with contextlib.suppress(ValueError):
        kind, address = read_address(said)
        assert address
        assert read_address(address if kind == "feed" else f"@{address}") == (kind, address)
