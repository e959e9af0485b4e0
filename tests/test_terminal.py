"""What the command line shows of a round of polls."""

from __future__ import annotations

import pytest
from builders import NOW, item, topic

from monitor.config import Config
from monitor.matching import Explanation
from monitor.model import Match
from monitor.pipeline import Outcome
from monitor.terminal import explained, news

CONFIG = Config("config.toml", topics=(topic("Starlink", id="starlink", name="Starlink"),))


def test_a_round_shows_what_is_new_and_what_was_edited(capsys: pytest.CaptureFixture[str]) -> None:
    matches = (Match("starlink", 100, ()), Match("watch-7", 100, ()))  # one of a chat stands in no config
    new, edited = item("Terminals are off"), item("A museum opens")
    news(
        [Outcome("example", NOW, new=((new, matches),), edited=((edited, ()),))],
        {"example": "Example"},
        CONFIG,
    )
    assert capsys.readouterr().out.splitlines() == [
        "Example  1 new, 1 on a topic, 1 edited",
        "  Terminals are off  [Starlink]  [watch-7]",
        "  A museum opens (edited)",
        "1 source polled, 1 new item, 0 failed.",
    ]


def test_an_item_without_words_is_shown_by_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    bare = [item("", url="https://example.org/1"), item("", key="2")]
    news([Outcome("example", NOW, new=tuple((one, ()) for one in bare))], {"example": "Example"}, CONFIG)
    assert capsys.readouterr().out.splitlines()[1:3] == ["  https://example.org/1", "  (without words)"]


def test_a_round_shows_what_is_to_be_noted_and_what_came_before_a_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    news(
        [
            Outcome("example", NOW, notes=("possible gap",)),
            Outcome("other", NOW, new=((item("A museum opens"), ()),), error="it closed the connection"),
        ],
        {"example": "Example", "other": "Other"},
        CONFIG,
    )
    assert capsys.readouterr().out.splitlines() == [
        "Example  0 new, 0 on a topic",
        "  note: possible gap",
        "Other  failed: it closed the connection",
        "  1 new, 0 on a topic",
        "  A museum opens",
        "2 sources polled, 1 new item, 1 failed.",
    ]


def test_of_topics_that_came_near_the_nearest_few_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    near = [Explanation(f"t{number}", None, 0.5, ("a word is not there",)) for number in range(7)]
    explained(item("A museum opens"), near, {f"t{number}": topic("x") for number in range(7)})
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("not ")] == [f"not Topic (t{n})" for n in range(5)]
    assert lines[-1] == "2 other topics came no nearer."


def test_a_source_that_was_left_for_later_is_not_counted_as_polled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    later = Outcome("example", NOW, notes=("example.org asked for a pause",), asked=False)
    begun = Outcome("other", NOW, new=((item("A museum opens"), ()),), more=True).followed_by(later)
    news([later, begun._replace(source_id="other")], {"example": "Example", "other": "Other"}, CONFIG)
    assert capsys.readouterr().out.splitlines() == [
        "Example  not asked",
        "  note: example.org asked for a pause",
        "Other  1 new, 0 on a topic",
        "  note: example.org asked for a pause",
        "  A museum opens",
        "1 source polled, 1 new item, 0 failed, 1 not asked.",
    ]
