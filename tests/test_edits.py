"""What an edit changed is said in a few words, and is news while it is fresh."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from monitor.edits import MANY, MOST_CHANGES, changes, is_news, is_told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("Air defence shot down 81 drones", "Air defence shot down 92 drones", [("81", "92")]),
        ("A strike on Kharkiv", "A strike on Kherson, two dead", [("Kharkiv", "Kherson, two dead")]),
        ("One dead", "One dead and 4 injured", [("", "and 4 injured")]),
        ("The bridge is closed, says the mayor", "The bridge is closed", [("says the mayor", "")]),
        ("Starlink is on", "Starlink is off in the north", [("on", "off in the north")]),
        ("Ukraine said", "ukraine said.", []),
        ("a — b", "a - b", [("—", "-")]),
        ("the same", "the   same", []),
        ("At 9 in Kyiv, at 10 in Lviv now", "At 8 in Kyiv, at 11 in Lviv now", [("9", "8"), ("10", "11")]),
        ("", "All of it", [("", "All of it")]),
    ],
)
def test_the_words_that_changed_are_named(before: str, after: str, told: list[tuple[str, str]]) -> None:
    assert list(changes(before, after)) == told


def test_only_the_first_changes_are_named() -> None:
    before = " ".join(f"{n} stays{n} as it is" for n in range(20))
    assert len(changes(before, before.replace("stays", "goes"))) == MOST_CHANGES
    same = " ".join(f"{n} stays as it is" for n in range(20))
    assert changes(same, same.replace("stays", "goes")) == (("stays", "goes"),)


def test_what_changes_at_every_look_is_told_ever_more_seldom() -> None:
    assert [edit for edit in range(1, 200) if is_told(edit)] == [*range(1, 11), 16, 32, 64, 128]


@given(st.text(max_size=60), st.text(max_size=60))
def test_changes_are_words_of_the_two_texts(before: str, after: str) -> None:
    for change in changes(before, after):
        assert change.old in " ".join(before.split())
        assert change.new in " ".join(after.split())
        assert change.old != change.new
    assert changes(before, before) == ()


def test_two_long_texts_are_compared_at_once() -> None:
    assert len(changes("one two " * 100_000, "two three " * 100_000)) <= MOST_CHANGES
    began, dots = process_time(), "." * 25_000
    assert len(changes(f"one{dots}two {dots}x", f"one{dots}three {dots}y")) == 1
    assert process_time() - began < 2  # where the time grows with the square it is more than 5


@pytest.mark.parametrize(
    ("days", "edits", "news"),
    [(0, 1, True), (1, 500, True), (30, 1, True), (30, MANY + 1, False), (400, 1, False)],
)
def test_an_edit_is_news_while_it_is_fresh(days: int, edits: int, news: bool) -> None:  # noqa: FBT001
    assert is_news(NOW - timedelta(days=days), NOW, edits=edits) is news
