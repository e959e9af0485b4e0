from __future__ import annotations

import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.html import (
    MAX_LINKS,
    MAX_TAGS,
    Plain,
    clean,
    one_line,
    paragraphs,
    parse_html,
    plain_text,
    read_html,
    read_node,
    web_address,
)

ANY_TEXT = st.text(st.characters(), max_size=300)  # lone surrogates too


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("<div>one<div>two</div></div>three", "one\ntwo\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("  a \n lot   of\tspace <b> here</b> ", "a lot of space here"),
        ("<pre>two\nlines</pre>", "two\nlines"),
        ("a &amp; b &lt;c&gt; &#8212; &nbsp;d", "a & b <c> — d"),
        ("AT&amp;T", "AT&T"),
        ("a<script>alert(1)</script><style>x</style>b", "ab"),
        ("<!-- hidden -->shown<!-- -->", "shown"),
        ("<head><title>no</title></head><body>yes</body>", "yes"),
        ('<i class="emoji"><b>⚡</b></i> text', "⚡ text"),
        ("<blockquote>said</blockquote>after", "said\n\nafter"),
        ("one<br><br><br><br>two", "one\n\ntwo"),
        ("", ""),
        ("a < b and c > d", "a < b and c > d"),
        ("half <b", "half"),
        ("nul\0 <b>in</b>side", "nul inside"),
    ],
)
def test_html_reads_as_a_browser_shows_it(markup: str, text: str) -> None:
    assert read_html(markup).text == text


def test_links_are_absolute_in_order_and_each_once() -> None:
    markup = (
        '<a href="/b">b</a> <a href="https://e.org/a?x=1&amp;y=2">a</a> <a href="/b">again</a>'
        '<a href="javascript:alert(1)">no</a> <a href="mailto:a@e.org">no</a> <a>no</a> <a href="http://[">no</a>'
    )
    assert read_html(markup, "https://news.example.org/x/").links == (
        "https://news.example.org/b",
        "https://e.org/a?x=1&y=2",
    )


def test_relative_links_mean_nothing_without_a_base() -> None:
    assert read_html('<a href="?q=%23tag">#tag</a>').links == ()


def test_plain_text_gives_the_addresses_that_are_written_out() -> None:
    read = plain_text("See https://e.org/a_(b), «http://e.org/2» and https://e.org/3.")
    assert read == Plain(
        "See https://e.org/a_(b), «http://e.org/2» and https://e.org/3.",
        ("https://e.org/a_(b)", "http://e.org/2", "https://e.org/3"),
    )


def test_links_are_limited_in_number_and_length() -> None:
    many = "".join(f'<a href="https://e.org/{number}">x</a>' for number in range(MAX_LINKS + 5))
    assert len(read_html(many).links) == MAX_LINKS
    assert web_address("https://e.org/" + "a" * 3_000) == ""


def test_a_part_of_a_page_reads_alone() -> None:
    page = parse_html("<body><p>before</p><div id=x>in<br>side</div>after</body>")
    part = page.css_first("#x")
    assert part is not None
    assert read_node(part).text == "in\nside"


def test_a_silent_element_has_no_text_even_when_asked_for() -> None:
    script = parse_html("<body><script>x</script></body>").css_first("script")
    assert script is not None
    assert read_node(script) == Plain("")


def test_nesting_beyond_the_limit_is_cut_off_and_costs_no_time() -> None:
    assert read_html("<div>" * (MAX_TAGS - 1) + "deep").text == "deep"
    assert read_html("<div>" * (MAX_TAGS + 1) + "deep").text == ""
    assert read_html("a" + " < " * (MAX_TAGS + 1) + "<b>z</b>").text.endswith("z")


def test_tags_that_are_left_open_are_not_copied_into_all_paragraphs() -> None:
    markup = "".join(f"<font a{number}><p>{number} " for number in range(1_500))
    began = process_time()
    assert read_html(markup).text == "\n\n".join(map(str, range(1_500)))
    assert process_time() - began < 0.5  # a hundredth of a second is usual, and the copies take more than one
    assert len(parse_html(markup, unformatted=True).css("*")) < 4_000


def test_what_is_formatted_reads_the_same_among_many_tags() -> None:
    markup = "<p>One <b class='x'>two</b><i>3</i> <code>&lt;b&gt;</code><br><strong/>4 <bold>five</bold></p>"
    assert read_html(markup * 100).text == "\n\n".join([read_html(markup).text] * 100)


def test_clean_text_has_no_controls_and_no_invisible_characters() -> None:
    assert clean("a\x00b\x1b[0m\u200bc\u202ed\ufeff") == "a b [0mcd"
    assert clean("line\r\nline\u2028line\x0bline") == "line\nline\nline\nline"
    assert clean("и\u0306") == "й"
    assert clean("family \U0001f468\u200d\U0001f469") == "family \U0001f468\u200d\U0001f469"


def test_surrogates_are_joined_or_replaced() -> None:
    assert clean("\ud83d\ude80 \ud83d") == "\U0001f680 \ufffd"


def test_one_line_is_one_line() -> None:
    assert one_line("  a\n\n b\t\tc\u2028d ") == "a b c d"


def test_paragraphs_keep_one_empty_line_between_them() -> None:
    assert paragraphs(" a \n\n\n\n b  c \n") == "a\n\nb c"


@given(ANY_TEXT)
def test_cleaning_never_raises_and_is_done_once(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert not [char for char in cleaned if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t"]


@given(ANY_TEXT)
def test_reading_never_raises_on_any_string(text: str) -> None:
    for read in (read_html(text, "https://e.org/"), plain_text(text)):
        assert read.text.encode("utf-8").decode("utf-8") == read.text
        assert read.text == read.text.strip()
        assert all(link.lower().startswith(("http://", "https://")) for link in read.links)


@given(
    st.lists(
        st.sampled_from(
            [
                "<b>",
                "</b>",
                "<p>",
                "<br>",
                "</div>",
                "<div>",
                "<a href='x'>",
                "word",
                " ",
                "<table>",
                "<td>",
                "<!-- c -->",
                "<script>",
                "</script>",
                "<pre>",
                "\n",
                "&amp;",
                "<svg>",
            ]
        )
    )
)
def test_no_tag_is_left_in_the_text(pieces: list[str]) -> None:
    text = read_html("".join(pieces)).text
    assert "<" not in text
    assert ">" not in text


@given(ANY_TEXT, ANY_TEXT)
def test_an_address_is_a_web_address_or_nothing(address: str, base: str) -> None:
    found = web_address(address, base)
    assert found == "" or found.lower().startswith(("http://", "https://"))
    assert " " not in found
