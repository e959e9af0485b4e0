"""What comes from outside stays text, and what is too long is torn without breaking it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram_html import parse, utf16_length

from monitor.markup import LIMIT, MOST_ENTITIES, Safe, escape, is_web, isolated, link, plain, split

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=80) | st.sampled_from(
    [
        "<b>",
        "&lt;",
        "&amp;lt;",
        '"',
        "</a>",
        "<a href='",
        "👩‍🚒🇺🇦",
        "e\u0301" * 9,
        "שלום <i>",
        "&#x27;",
        "&copy",
    ]
)


@st.composite
def blocks(draw: st.DrawFn) -> Safe:
    """A block of Telegram HTML around outside text, with tags in tags."""
    parts = []
    for text in draw(st.lists(TEXT, min_size=1, max_size=5)):
        inner = escape(text)
        for tag in draw(st.lists(st.sampled_from(["b", "i", "a"]), max_size=2, unique=True)):
            inner = (
                link("https://example.com/?a=1&b=2", inner) if tag == "a" else Safe(f"<{tag}>{inner}</{tag}>")
            )
        parts.append(inner)
    return Safe(" ".join(parts))


@given(TEXT)
def test_escaped_text_is_read_back_as_it_was(text: str) -> None:
    assert parse(escape(text)) == (text.strip(), ())
    assert plain(escape(text)) == text


@given(TEXT, TEXT)
def test_a_link_never_breaks_out_of_its_tag(url: str, label: str) -> None:
    text, entities = parse(link(f"https://example.com/{url}", label))
    assert text == label.strip()
    assert all(entity.url == f"https://example.com/{url}" for entity in entities)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "tg://resolve?domain=x", "ftp://example.com/", "/relative", "https://",
        "https://exa mple.com/", "https://example.com/\n", "http://[::1", "mailto:press@example.com", "http:///x",
    ],
)  # fmt: skip
def test_only_the_web_is_linked(url: str | None) -> None:
    assert link(url, "A & B") == "A &amp; B"
    assert not (url and is_web(url))


def test_a_link_keeps_a_label_that_is_markup_already() -> None:
    assert link("http://example.com/?q=\"'", Safe("<b>x</b>")) == (
        '<a href="http://example.com/?q=&quot;\'"><b>x</b></a>'
    )


def test_right_to_left_text_is_isolated_and_no_other() -> None:
    assert isolated("שלום") == "\u2068שלום\u2069"
    assert isolated("Київ & Kyiv") == "Київ &amp; Kyiv"
    assert isolated("كييف!", "<b>كييف</b>!") == "\u2068<b>كييف</b>!\u2069"


@given(st.lists(blocks(), max_size=12), st.integers(64, 300))
def test_split_messages_can_be_sent_and_lose_nothing(given_blocks: list[Safe], limit: int) -> None:
    messages = split(given_blocks, limit=limit)
    seen = [parse(message)[0] for message in messages]
    assert all(0 < utf16_length(text) <= limit for text in seen)
    assert "".join("".join(seen).split()) == "".join("".join(map(plain, given_blocks)).split())


@given(st.lists(blocks(), max_size=12))
def test_a_block_that_fits_is_never_torn(given_blocks: list[Safe]) -> None:
    messages = split(given_blocks, limit=1200)
    for block in given_blocks:
        assert not plain(block).strip() or any(block in message for message in messages)


def test_messages_are_as_few_as_the_order_allows() -> None:
    assert split(["a" * 4, "b" * 4, "c" * 4], limit=9) == ["aaaa\nbbbb", "cccc"]
    assert split(["a" * 4, "b" * 4], limit=10, separator="\n\n") == ["aaaa\n\nbbbb"]
    assert split(["", "a", "b", ""]) == ["a\nb"]
    assert split([]) == []


def test_a_blank_block_is_an_empty_line_within_a_message_only() -> None:
    assert split(["", "heading", " <b> </b>", "a"]) == ["heading\n\na"]
    assert split(["heading", "", "a"], limit=8) == ["heading", "a"]


def test_a_torn_block_opens_its_tags_again() -> None:
    block = '<b>one two <a href="https://example.com/">three four</a></b>'
    assert split([block], limit=12) == [
        '<b>one two <a href="https://example.com/"></a></b>',
        '<b><a href="https://example.com/">three four</a></b>',
    ]


def test_a_torn_block_is_followed_by_the_next_in_its_last_message() -> None:
    assert split(["a", "b" * 25, "c"], limit=10) == ["a", "b" * 10, "b" * 10, "bbbbb\nc"]


def test_a_long_word_is_torn_between_letters_and_entities() -> None:
    word = "&amp;" * 5 + "e\u0301" * 5
    messages = split([word], limit=4)
    assert messages == ["&amp;" * 4, "&amp;e\u0301", "e\u0301" * 2, "e\u0301" * 2]


def test_a_message_has_no_more_entities_than_telegram_keeps() -> None:
    lines = [link(f"https://example.com/{number}", "x") for number in range(MOST_ENTITIES + 1)]
    assert [message.count("<a ") for message in split(lines)] == [MOST_ENTITIES, 1]


def test_a_message_may_be_as_long_as_telegram_takes_and_no_longer() -> None:
    assert [len(message) for message in split(["😀" * (LIMIT // 2)])] == [LIMIT // 2]
    assert [len(message) for message in split(["😀" * (LIMIT // 2) + "x"])] == [LIMIT // 2, 1]
