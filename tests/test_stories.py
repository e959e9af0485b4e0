"""One story is told once, and another event is never taken for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import NOW, item
from hypothesis import example, given
from hypothesis import strategies as st

from monitor import stories
from monitor.model import Item, Story

NEWS = "https://example.org/news"


def told(one: Item) -> Story:
    links = frozenset((link, one.source_id) for link in stories.links(one))
    return Story(1, stories.headline(one), links, NOW)


def same(one: Item, other: Item, source_id: str = "other") -> bool:
    return stories.Known([told(one)]).find(replace(other, source_id=source_id)) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.example.org/news/1", "http://example.org/news/1/"),
        (f"{NEWS}/1?utm_source=rss&utm_medium=feed", f"{NEWS}/1"),
        (f"{NEWS}?id=1&lang=en", f"{NEWS}?lang=en&id=1#top"),
        ("https://EXAMPLE.org/news/1?fbclid=abc", f"{NEWS}/1"),
    ],
)
def test_two_links_to_one_page_are_one_story(one: str, other: str) -> None:
    assert same(item("Talks on Sunday", url=one), item("What we know", url=other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{NEWS}/1", f"{NEWS}/2"),
        (f"{NEWS}?id=1", f"{NEWS}?id=2"),
        ("https://example.org/", "https://example.org"),
    ],
)
def test_two_pages_are_two_stories_and_a_front_page_is_none(one: str, other: str) -> None:
    assert not same(item("Talks on Sunday", url=one), item("What we know", url=other))


def test_within_one_source_a_link_that_several_entries_share_says_nothing() -> None:
    first, second = item("First of all", url=NEWS), item("And another", url=NEWS)
    assert not same(first, second, source_id="example")


def test_channels_that_forward_one_post_tell_one_story() -> None:
    origin = item("", "The minister's words", url="https://t.me/minister/7")
    forward = item("", "forwarded", url="https://t.me/other/9", forwarded_url="https://t.me/minister/7")
    assert same(origin, forward)


def test_forwards_that_name_a_channel_alone_are_not_one_story() -> None:
    one = item("", "One thing", forwarded_url="https://t.me/minister")
    assert not same(one, item("", "Another thing", forwarded_url="https://t.me/minister"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SpaceX begins to cut off drones with Starlink", "SpaceX begins cutting off drones with Starlink"),
        ("Power outages introduced in Kyiv region", "Power outages introduced in the Kyiv region"),
        (
            "У Києві запроваджено екстрені відключення світла",
            "У Києві запроваджені екстрені відключення світла",
        ),
        (
            "Starlink terminals switched off at the front",
            "Starlink terminals are switched off at the front, officials say",
        ),
        (
            "Peace talks to open in Geneva on Sunday morning",
            "Peace talks to open in Geneva on Sunday morning | Example News",
        ),
        ("BREAKING: talks begin in the capital on Sunday", "Talks begin in the capital on Sunday"),
    ],
)
def test_near_equal_headlines_are_one_story(one: str, other: str) -> None:
    assert same(item(one), item(other))
    assert same(item(other), item(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Air defence shot down 81 drones last night", "Air defence shot down 92 drones last night"),
        ("Air defence shot down 8 drones last night", "Air defence shot down 81 drones last night"),
        ("Russia attacks Kharkiv with drones overnight", "Russia attacks Kherson with drones overnight"),
        ("Power outages introduced in Kyiv region", "Power outages lifted in Kyiv region"),
        ("Кремль подтвердил паузу в ударах по столице", "Кремль не подтвердил паузу в ударах по столице"),
        (
            "Президент сказав, що перемир'я діятиме тиждень",
            "Президент сказав, що перемир'я не діятиме тиждень",
        ),
        ("Повітряна тривога в Києві та області", "Відбій повітряної тривоги в Києві та області"),
        ("Starlink terminals switched off at the front", "Starlink terminals switched on at the front"),
        ("Світло у Києві вимкнули до вечора", "Світло у Києві увімкнули до вечора"),
        ("Russia attacks Ukraine with drones", "Ukraine attacks Russia with drones"),
        ("Ceasefire agreed between the two sides", "Ceasefire agreed between the two sides collapses"),
        ("Trump: Zelensky ready for peace talks", "Zelensky: Trump ready for peace talks"),
        ("Breaking news", "Breaking news"),
    ],
)
def test_another_number_place_order_or_outcome_is_another_story(one: str, other: str) -> None:
    assert not same(item(one), item(other))
    assert not same(item(other), item(one))


def test_posts_that_begin_alike_and_go_on_otherwise_are_two_stories() -> None:
    first = item("", "Air raid alert is declared!\nKyiv region")
    assert not same(first, item("", "Air raid alert is declared!\nOdesa region"))
    assert same(first, item("", "Air raid alert is declared!\nKyiv region"))


def test_a_post_without_words_is_a_story_of_its_own() -> None:
    assert not same(item("", "🚀🚀🚀"), item("", "🚀🚀🚀"))


def test_of_several_stories_the_one_with_the_link_is_taken() -> None:
    linked = Story(2, "What we know", frozenset({("example.org/news/1", "wire")}), NOW)
    alike = told(item("Talks begin on Sunday in the capital"))
    again = item("Talks begin on Sunday in the capital", url=f"{NEWS}/1")
    assert stories.Known([alike, linked]).find(again) == linked


def test_a_story_that_gained_a_link_is_found_by_it() -> None:
    story = told(item("Talks begin on Sunday in the capital"))
    known = stories.Known([story])
    known.add(replace(story, links=frozenset({("example.org/news/1", "wire")})))
    found = known.find(item("What we know", url=f"{NEWS}/1"))
    assert found is not None
    assert found.id == story.id


def test_a_long_post_of_signs_has_a_headline_too() -> None:
    post = item("", "— " * 25_000 + "Starlink")
    assert stories.headline(post).startswith("— —")
    assert not same(post, post)


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_too_odd_to_compare(one: str, other: str) -> None:
    known = told(item("", other or "x"))
    assert stories.Known([known]).find(item("", one, key="k")) in {None, known}


@given(st.text(max_size=100))
@example("http://[::1")
def test_no_url_is_too_odd_to_be_made_canonical(url: str) -> None:
    link = stories.canonical_link(url)
    assert link is None or "#" not in link
