"""The table of operators: complete, documented, and true."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import item, source, topic

from monitor.matching import OPERATORS, Matcher, parse
from monitor.matching.operators import FILTERS, Subject, from_source, in_language

DOCS = (Path(__file__).parent.parent / "docs" / "matching.md").read_text(encoding="utf-8")
ROWS = {row.syntax: row for row in OPERATORS}

HOLDS: dict[str, tuple[str, str]] = {
    "word": ("Starlinks are back", "The starling is back"),
    '"some words"': ("The power grid holds", "The grid has power"),
    '"some words"~N': ("The grid has power", "The power is out"),
    '"(one|two) word"': ("A drone was brought down", "A drone was put down"),
    "word~N": ("Sarlnk is back", "Starboard is back"),
    "word*": ("Dronefall over the city", "A drain in the city"),
    "=word": ("A PATRIOT battery", "Two Patriots came"),
    "one AND two": ("A drone over Kharkiv", "A drone over Kyiv"),
    "one OR two": ("A truce is near", "A battle is near"),
    "NOT word": ("A drone was seen", "A drone race was seen"),
    "+word": ("A drone over Kharkiv", "Nothing over Kharkiv"),
    "-word": ("A drone was seen", "A drone race was seen"),
    "( )": ("A missile over Kharkiv", "A missile over Kyiv"),
    "title:word": ("A ceasefire at last", "Nothing new"),
    "source:name": ("A ceasefire at last", "Nothing new"),
    "lang:code": ("Нові термінали Starlink уже в місті", "The new Starlink terminals have come to the town"),
    "/regex/": ("A shahed-136 fell", "A shahed fell"),
}
"""For the example of each operator: a headline that it matches, and one that it does not."""


@pytest.mark.parametrize("syntax", ROWS)
def test_the_manual_explains_every_operator_in_its_own_words(syntax: str) -> None:
    row = ROWS[syntax]
    syntax, example = (text.replace("|", "\\|") for text in (row.syntax, row.example))
    line = f"| `{syntax}` | {row.meaning} | `{example}` |"
    assert line in DOCS.splitlines()


@pytest.mark.parametrize("syntax", ROWS)
def test_every_example_can_be_read_and_printed(syntax: str) -> None:
    tree = parse(ROWS[syntax].example)
    assert parse(str(tree)) == tree


@pytest.mark.parametrize("syntax", ROWS)
def test_every_operator_does_what_its_row_says(syntax: str) -> None:
    yes, no = HOLDS[syntax]
    matcher = Matcher([topic(query=ROWS[syntax].example)])
    media = source(tags=("media",))
    assert matcher.match(item(yes, "Nothing else."), media)
    assert not matcher.match(item(no, "A ceasefire" if syntax == "title:word" else "Nothing else."), media)


def test_the_manual_names_no_operator_that_is_not_there() -> None:
    rows = [line for line in DOCS.splitlines() if line.startswith("| `")]
    assert len(rows) == len(OPERATORS)


def test_a_condition_row_is_a_field_of_the_language() -> None:
    assert set(FILTERS) == {"source", "lang"}


def test_a_source_is_known_by_its_id_and_its_tags_in_any_case() -> None:
    subject = Subject(item(), source(tags=("media",)), None)
    assert from_source(subject, "Example")
    assert from_source(subject, "MEDIA")
    assert not from_source(subject, "official")


def test_an_item_without_its_source_is_known_by_its_source_id() -> None:
    assert from_source(Subject(item(), None, None), "example")


def test_the_language_condition_ignores_case() -> None:
    assert in_language(Subject(item(), None, "uk"), "UK")
    assert not in_language(Subject(item(), None, None), "uk")
