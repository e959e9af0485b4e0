"""What is doubtful about a query that can be read."""

from __future__ import annotations

import pytest

from monitor.errors import QueryInvalid
from monitor.matching import OPERATORS, review

NAMES = {"example", "media"}


@pytest.mark.parametrize("row", OPERATORS, ids=lambda row: row.syntax)
def test_no_example_of_an_operator_is_doubtful(row: object) -> None:
    assert review(getattr(row, "example", ""), NAMES) == []


@pytest.mark.parametrize(
    "query",
    [
        "drone the",
        '"to be"',
        '"the drone"~3',
        "source:media",
        "source:media lang:uk",
        "drone OR source:Media",
        r"/\d{4}/",
        "/the drone/",
        "drone /./",
        '"(shot|brought) down"',
    ],
)
def test_what_looks_for_something_is_not_doubtful(query: str) -> None:
    assert review(query, NAMES) == []


@pytest.mark.parametrize(
    "query",
    [
        "the",
        "the of",
        '"та"',
        "=the",
        '"the of"~3',
        "drone OR the",
        "title:the",
        "lang:en",
        "-race lang:en",
        "drone OR lang:uk",
        "/./",
        "/[a-zа-я]+/",
        r"/\w{5,}/",
        "/[а-яіїє]/",
    ],
)
def test_what_finds_nearly_everything_is_said(query: str) -> None:
    assert [doubt.key for doubt in review(query, NAMES)] == ["query.everything"]


@pytest.mark.parametrize(
    "phrase",
    [
        '"(shot|brought down"',
        '"shot|brought down"~3',
        '"(shot|brought in) down"',
        '"(a|b)c d"',
        '="(a|b) c|d"',
    ],
)
def test_a_bar_that_means_nothing_is_said_where_it_stands(phrase: str) -> None:
    (doubt,) = review(f"drone {phrase}", NAMES)
    assert (doubt.position, doubt.key) == (6, "query.choice_stray")


def test_a_source_that_is_not_known_is_named_with_its_place_and_the_nearest() -> None:
    first, second = review("drone (source:medai OR source:zzz)", NAMES)
    assert (first.position, first.problem.endswith('did you mean "media"?')) == (7, True)
    assert (second.position, second.facts["name"]) == (23, "zzz")


@pytest.mark.parametrize("code", ["english", "zz", "uk-UA", "eng"])
def test_a_language_that_there_is_not_is_a_mistake_where_it_stands(code: str) -> None:
    with pytest.raises(QueryInvalid) as caught:
        review(f"drone OR (rain lang:{code})", NAMES)
    assert (caught.value.position, caught.value.key) == (15, "query.no_language")


def test_a_language_may_be_written_in_capitals() -> None:
    assert review("drone lang:UK", NAMES) == []
