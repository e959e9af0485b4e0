"""A page of which only the unknown posts are parsed says the same as one that is parsed as a whole."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web import channel_page, channel_post

from monitor.sources import telegram_page
from monitor.sources.telegram_page import Known, Page, read_known, read_page, write_known
from monitor.sources.telegram_post import Post

NAME = "example_office"
SAMPLE = (Path(__file__).parent / "data" / "channels" / "posts.html").read_bytes()
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40)


def read(body: bytes, known: dict[int, Known] | None = None) -> Page:
    return read_page(body, "office", NAME, known or {})


def whole(body: bytes) -> dict[int, Post]:
    """The posts of a page as they are without any cutting."""
    return {post.number: post for post in telegram_page.read_whole(body, "office", NAME, {}).posts}


def known_of(page: Page) -> dict[int, Known]:
    last = {post.number: post.last_number for post in page.posts}
    return {number: Known(last[number], digest) for number, digest in page.digests}


@st.composite
def posts(draw: st.DrawFn) -> dict[int, str]:
    """Posts of a page by their numbers, as markup."""
    made = {}
    for number in draw(st.lists(st.integers(1, 40), unique=True, max_size=6)):
        facts = {
            "edited": draw(st.booleans()),
            "members": draw(st.sampled_from([(), (number, number + 1)])),
            "forwarded": draw(st.sampled_from([None, ("Else", "https://t.me/else/5")])),
        }
        made[number] = channel_post(NAME, number, draw(WORDS), **facts)
    return made


def passing(page: str, views: int) -> str:
    """A page with views, reactions and signatures, which differ from look to look."""
    counted = (
        '<div class="tgme_widget_message_reactions js-message_reactions"><span class="tgme_reaction">'
        f'<i class="emoji"><b>👍</b></i>{views}</span></div><div class="tgme_widget_message_footer">'
        f'<span class="tgme_widget_message_views">{views}K</span>'
    )
    page = page.replace('<div class="tgme_widget_message_footer">', counted)
    return re.sub(r'(data-post="[^"]*")', rf'\1 data-view="v{views}"', page)


@given(posts(), posts(), st.integers(0, 9))
def test_the_unknown_posts_and_the_known_ones_are_the_whole_page(
    before: dict[int, str], after: dict[int, str], views: int
) -> None:
    first = passing(channel_page(NAME, *before.values()), 1).encode()
    second = passing(channel_page(NAME, *{**before, **after}.values()), views).encode()
    page = read(second, known_of(read(first)))
    shown = {post.number: post for post in page.posts}
    assert shown | {number: whole(first)[number] for number in page.known} == whole(second)
    assert set(page.known) == {number for number in before if number not in shown}
    assert shown.keys() <= after.keys()


@given(st.data())
def test_no_damage_to_a_page_makes_a_known_post_of_another(data: st.DataObject) -> None:
    page = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(page)))
        page[at : at + data.draw(st.integers(0, 2_000))] = data.draw(st.binary(max_size=8))
    alone = {post.number: post for post in read(bytes(page)).posts}
    beside = read(bytes(page), known_of(read(SAMPLE)))
    before = {post.number: post for post in read(SAMPLE).posts}
    assert {post.number: post for post in beside.posts} | {n: before[n] for n in beside.known} == alone


def test_views_reactions_and_signatures_are_no_change() -> None:
    page = channel_page(NAME, *(channel_post(NAME, n, f"post {n}") for n in range(1, 21)))
    later = read(passing(page, 9).encode(), known_of(read(passing(page, 1).encode())))
    assert (later.posts, later.known) == ((), tuple(range(1, 21)))


@pytest.mark.parametrize(
    "words",
    [
        'data-post="example_office/7"',
        'x data-view="1"',
        '<span class="tgme_widget_message_views">1</span>',
        '<div class="tgme_widget_message_reactions ">1</div>',
    ],
)
def test_words_that_look_like_the_page_are_words(words: str) -> None:
    first, second = (
        channel_page(NAME, channel_post(NAME, 5, f"{words} {n}")).replace("&quot;", '"').encode()
        for n in "12"
    )
    [post] = read(second, known_of(read(first))).posts
    assert post.item is not None
    assert post.item.text == f"{words} 2"


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("</section>", ""),
        ("</section>", "<!-- </section> --></section>"),
        ('data-post="example_office/2"', ""),
        ('data-post="example_office/2"', 'data-post="example_office/1"'),
        ('class="tgme_widget_message_wrap js', 'class="wrapped js'),
        ("<main", '<i data-post="x/1"></i><main'),
    ],
)
def test_a_page_of_an_unusual_shape_is_parsed_as_a_whole(there: str, instead: str) -> None:
    page = channel_page(NAME, channel_post(NAME, 1, "one"), channel_post(NAME, 2, "two"))
    body = page.replace(there, instead).encode()
    assert telegram_page._blocks(body) is None
    read_whole = read(body)
    assert {post.number: post for post in read_whole.posts} == whole(body)
    assert read(body, known_of(read_whole)).posts == ()


def test_posts_inside_posts_are_read_each_for_itself() -> None:
    nested = "".join(channel_post(NAME, n, f"post {n}")[:-6] for n in range(1, 500))
    found = read(channel_page(NAME, nested.replace("</div></div></div></div>", "")).encode()).posts
    assert [post.item.text for post in found if post.item] == [f"post {n}" for n in range(1, 500)]


def test_a_page_with_too_many_tags_is_cut_off() -> None:
    body = channel_page(NAME, *(channel_post(NAME, n, "x") for n in range(2_000))).encode()
    assert 0 < len(read(body).posts) < 2_000


def test_what_is_known_is_written_short() -> None:
    known = {number: Known(number + 1, f"{number:016x}") for number in range(1, 100)}
    kept = read_known(write_known(known))
    assert kept == {number: known[number] for number in range(100 - telegram_page.MOST_KNOWN, 100)}
    assert read_known(None) == read_known("nonsense") == {}
    assert write_known({}) is None


def test_a_post_of_addresses_without_end_takes_no_time() -> None:
    preview = (
        '<a class="tgme_widget_message_link_preview" href="https://e.org/">'
        '<div class="link_preview_title">T</div></a>'
    )
    footer = '<div class="tgme_widget_message_footer">'
    bodies = [
        channel_page(NAME, channel_post(NAME, 5, text).replace(footer, preview + footer)).encode()
        for text in ("https://" * 40, "https://" * 40 + " x")
    ]
    began = process_time()
    texts = [post.item.text for body in bodies for post in read(body).posts if post.item]
    assert process_time() - began < 2  # with each address the time could grow by half
    assert [text.endswith("T") for text in texts] == [True, False]
