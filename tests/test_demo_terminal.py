"""A terminal shows what a chat would."""

from __future__ import annotations

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from monitor.demo.terminal import bubble, picture, styled, summary
from monitor.markup import escape, link
from monitor.model import Button, Message


def printed(one: RenderableType, *, colour: bool = False) -> str:
    console = Console(
        file=StringIO(), width=80, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(one)
    return console.file.getvalue()


def test_tags_become_styles() -> None:
    text = styled('<b>bold <a href="https://example.com/?a=1&amp;b=2">link</a></b> &lt;plain&gt;')
    assert text.plain == "bold link <plain>"
    bold, linked = text.spans[:2]
    assert (text.plain[bold.start : bold.end], bold.style.bold) == ("bold ", True)
    assert (text.plain[linked.start : linked.end], linked.style.bold) == ("link", True)
    assert linked.style.link == "https://example.com/?a=1&b=2"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_outside_text_is_no_markup_here_either(text: str) -> None:
    assert styled(escape(text)).plain == text


def test_a_bubble_shows_the_chat_the_text_the_buttons_and_the_time() -> None:
    message = Message(
        "<b>Topic</b>\n" + link("https://example.com/", "[red]A title[/red]"),
        buttons=((Button("Subscribe", "/subscribe x"), Button("Mute", "/mute")),),
        silent=True,
    )
    shown = printed(bubble(message, chat="Duty [desk]", time="14:05"))
    lines = shown.splitlines()
    assert "Duty [desk]" in lines[0]
    assert "[red]A title[/red]" in shown
    assert " Subscribe    Mute " in shown
    assert "silent, 14:05" in lines[-1]
    assert "\x1b" not in shown


def test_a_colour_terminal_gets_bold_and_links() -> None:
    message = Message('<b>Topic</b> <a href="https://example.com/a">title</a>')
    shown = printed(bubble(message, chat="Duty desk", time="14:05"), colour=True)
    assert "\x1b[1mTopic\x1b[0m" in shown
    assert "https://example.com/a" in shown


def test_a_long_text_is_wrapped_inside_its_bubble() -> None:
    shown = printed(bubble(Message("слово " * 60), chat="Duty desk", time="14:05"))
    assert shown.count("слово") == 60
    assert {len(line) for line in shown.splitlines()} == {76}


def test_the_summary_keeps_the_order_of_the_figures() -> None:
    lines = printed(summary({"sources polled": 6, "alerts sent": 5}, title="What happened")).split("\n")
    words = [" ".join(line.split()) for line in lines if line.strip()]
    assert words == ["What happened", "sources polled 6", "alerts sent 5"]


def test_the_picture_fetches_nothing() -> None:
    drawn = picture([bubble(Message("<b>Київ</b>"), chat="Duty desk", time="14:05")], title="An alert")
    assert drawn.startswith("<svg")
    assert "Київ" in drawn
    assert "url(http" not in drawn
    assert "@font-face" not in drawn
