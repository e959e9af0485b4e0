"""One story is told once, and another event is never taken for it."""

from __future__ import annotations

import pytest
from builders import NOW, item
from hypothesis import example, given
from hypothesis import strategies as st

from monitor import stories
from monitor.model import Item, Story


def told(one: Item) -> Story:
    return Story(1, stories.headline(one), stories.links(one), NOW)


def same(one: Item, other: Item) -> bool:
    return stories.find(other, [told(one)]) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.example.org/news/1", "http://example.org/news/1/"),
        ("https://example.org/news/1?utm_source=rss&utm_medium=feed", "https://example.org/news/1"),
        ("https://example.org/news?id=1&lang=en", "https://example.org/news?lang=en&id=1#top"),
        ("https://EXAMPLE.org/news/1?fbclid=abc", "https://example.org/news/1"),
    ],
)
def test_two_links_to_one_page_are_one_story(one: str, other: str) -> None:
    assert same(item("Talks on Sunday", url=one), item("What we know", url=other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/news/1", "https://example.org/news/2"),
        ("https://example.org/news?id=1", "https://example.org/news?id=2"),
        ("https://example.org/", "https://example.org"),
    ],
)
def test_two_pages_are_two_stories_and_a_front_page_is_none(one: str, other: str) -> None:
    assert not same(item("Talks on Sunday", url=one), item("What we know", url=other))


def test_channels_that_forward_one_post_tell_one_story() -> None:
    origin = item("", "The minister's words", url="https://t.me/minister/7")
    forward = item("", "forwarded", url="https://t.me/other/9", forwarded_url="https://t.me/minister/7")
    assert same(origin, forward)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "SpaceX begins to cut off drones that use Starlink",
            "SpaceX begins cutting off drones that use Starlink",
        ),
        (
            "Emergency power outages introduced in Kyiv region",
            "Emergency power outages introduced in the Kyiv region",
        ),
        (
            "У Києві запроваджено екстрені відключення світла",
            "У Києві запроваджені екстрені відключення світла",
        ),
        ("Переговоры пройдут в воскресенье в столице", "В столице пройдут переговоры в воскресенье"),
    ],
)
def test_near_equal_headlines_are_one_story(one: str, other: str) -> None:
    assert same(item(one), item(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Air defence shot down 81 drones last night", "Air defence shot down 92 drones last night"),
        ("Russia attacks Kharkiv with drones overnight", "Russia attacks Kherson with drones overnight"),
        (
            "Emergency power outages introduced in Kyiv region",
            "Emergency power outages lifted in Kyiv region",
        ),
        ("Кремль подтвердил паузу в ударах по столице", "Кремль не подтвердил паузу в ударах по столице"),
        (
            "Президент сказав, що перемир'я діятиме тиждень",
            "Президент сказав, що перемир'я не діятиме тиждень",
        ),
        ("Breaking news", "Breaking news"),
    ],
)
def test_another_number_place_or_outcome_is_another_story(one: str, other: str) -> None:
    assert not same(item(one), item(other))


def test_a_post_is_known_by_its_first_sentence() -> None:
    post = item("", "❗️ SpaceX begins to cut off drones that use Starlink.\nMore to come.")
    assert same(post, item("SpaceX begins to cut off drones that use Starlink"))


def test_a_post_without_words_is_a_story_of_its_own() -> None:
    assert not same(item("", "🚀🚀🚀"), item("", "🚀🚀🚀"))


def test_of_several_stories_the_one_with_the_link_is_taken() -> None:
    linked = Story(2, "What we know", frozenset({"example.org/news/1"}), NOW)
    alike = told(item("Talks begin on Sunday in the capital"))
    found = stories.find(
        item("Talks begin on Sunday in the capital", url="https://example.org/news/1"), [alike, linked]
    )
    assert found == linked


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_too_odd_to_compare(one: str, other: str) -> None:
    assert stories.find(item("", one, key="k"), [told(item(other or "x"))]) in {
        None,
        told(item(other or "x")),
    }


@given(st.text(max_size=100))
@example("http://[::1")
def test_no_url_is_too_odd_to_be_made_canonical(url: str) -> None:
    link = stories.canonical_link(url)
    assert link is None or "#" not in link
