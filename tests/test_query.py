"""The query language: what it reads, how it prints it, and where it points when it cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import QueryInvalid
from monitor.matching import parse
from monitor.matching.nodes import (
    And,
    Edits,
    Exact,
    Filter,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Regex,
    Title,
    Word,
    all_of,
    any_of,
    finds,
    negation,
)
from monitor.matching.query import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_REGEX,
    MAX_TERMS,
    MAX_WINDOW,
    SHORTEST_PREFIX,
    regex_of,
)
from monitor.matching.scanner import MAX_WORDS

A, B, C = Word("a1"), Word("b1"), Word("c1")

READ: dict[str, Query] = {
    "Starlink": Word("Starlink"),
    "  Starlink ": Word("Starlink"),
    "a1 b1": And((A, B)),
    "a1 AND b1": And((A, B)),
    "a1 OR b1": Or((A, B)),
    "a1 OR b1 c1": Or((A, And((B, C)))),
    "a1 (b1 c1)": And((A, B, C)),
    "a1 OR (b1 OR c1)": Or((A, B, C)),
    "(a1 OR b1) c1": And((Or((A, B)), C)),
    "((a1))": A,
    "a1 -b1": And((A, Not(B))),
    "a1 NOT b1": And((A, Not(B))),
    "a1 AND NOT b1": And((A, Not(B))),
    "NOT NOT a1": A,
    "-(-a1)": A,
    "+a1 +b1": And((A, B)),
    "a1 -(b1 OR c1)": And((A, Not(Or((B, C))))),
    '"power grid"': Phrase("power grid"),
    '" power   grid "': Phrase("power grid"),
    '"power grid"~5': Near("power grid", 5),
    '"power grid"~0': Near("power grid", 0),
    "drone*": Prefix("drone"),
    "Starlink~1": Edits("Starlink", 1),
    "=Patriot": Exact("Patriot"),
    '="Patriot system"': Exact("Patriot system"),
    "title:a1": Title(A),
    "TITLE:a1": Title(A),
    "title:(a1 OR b1)": Title(Or((A, B))),
    'title:"power grid"': Title(Phrase("power grid")),
    "a1 source:media": And((A, Filter("source", "media"))),
    'source:"some media"': Filter("source", "some media"),
    "lang:uk a1": And((Filter("lang", "uk"), A)),
    r"/Shahed-?\d+/": Regex(r"Shahed-?\d+"),
    r"/a\/b/": Regex("a/b"),
    "F-16": Word("F-16"),
    "10:30": Word("10:30"),
    "прем'єр-міністр": Word("прем'єр-міністр"),
    "#Старлінк": Word("#Старлінк"),
    r"\AND": Word("AND"),
    r"\-b1": Word("-b1"),
    r"a\:b": Word("a:b"),
    "a1(b1)": And((A, B)),
    'a1"b1"': And((A, Phrase("b1"))),
    "“power grid”": Phrase("power grid"),
    "«power grid»": Phrase("power grid"),
    "„power grid“~5": Near("power grid", 5),
    '"power grid” OR “a1"': Or((Phrase("power grid"), Phrase("a1"))),
    "„a1“ OR „b1“ ”c1”": Or((Phrase("a1"), And((Phrase("b1"), Phrase("c1"))))),
    "=“Patriot system”": Exact("Patriot system"),
    "source:«some media» a1“b1”": And((Filter("source", "some media"), A, Phrase("b1"))),
    '"завод «Азовсталь»"': Phrase("завод «Азовсталь»"),
    '"«Азовсталь» завод"': Phrase("«Азовсталь» завод"),
    "/«a/": Regex("«a"),
    r"\“a1": Word("“a1"),
    "ANDROID ORACLE NOTHING": And((Word("ANDROID"), Word("ORACLE"), Word("NOTHING"))),
}

REFUSED: dict[str, tuple[int, str]] = {
    "": (0, "empty"),
    "   ": (3, "empty"),
    "-race": (0, "only says what must not be there"),
    "NOT race -b1": (0, "only says what must not be there"),
    "drone OR -race": (9, "side of OR"),
    "(drone": (0, "never closed"),
    "drone)": (5, "closes nothing"),
    "drone ()": (7, 'before ")"'),
    "drone AND": (9, "ends where a word is missing"),
    "OR drone": (0, "missing before OR"),
    "drone OR OR race": (9, "missing before OR"),
    "drone and race": (6, '"and" is an operator in capitals (AND)'),
    "drone - race": (6, "right before the word"),
    "drone +": (6, "right before the word"),
    '"power grid': (0, "quote is never closed"),
    "“power grid": (0, "quote is never closed"),
    "power grid”": (10, "quote is never closed"),
    '"power grid"~': (0, "a number from 0 to 50"),
    '"power grid"~99': (0, "a number from 0 to 50"),
    "drone~3": (0, "a number from 1 to 2"),
    "drone~1x": (7, "a space is missing"),
    "dr*ne": (3, "a space is missing"),
    "d*": (0, "at least 2 letters"),
    "*": (0, "has no word before it"),
    ": x": (0, "has no word before it"),
    "drone | race": (6, "write OR"),
    "drone && race": (6, "write AND"),
    "F-16*": (0, "belongs to one word"),
    "AT&T~1": (0, "belongs to one word"),
    "!!!": (0, "no word to look for"),
    '"..."': (0, "no word to look for"),
    "= drone": (0, "right before the word"),
    "=": (0, "right before the word"),
    "drone \\": (6, "write"),
    "tilte:drone": (0, "did you mean title:"),
    "https://example.org": (0, "there are title:, source:, lang:. For a colon"),
    "title: drone": (6, "right before"),
    "title:-drone": (6, "sign before"),
    "title:(-drone)": (6, "not be in the title"),
    "title:source:media": (6, "followed by a word"),
    "title:(a1 -title:b1)": (6, "followed by a word"),
    'source:" "': (0, "value is missing"),
    "/abc": (0, "never closed"),
    "/(/": (0, "cannot be read"),
    r"/(a)\1/": (0, "cannot be read"),
    "/x*/": (0, "matches everything"),
    "/" + "x" * (MAX_REGEX + 1) + "/": (0, "at most"),
    '"' + "w " * (MAX_WORDS + 1) + '"': (0, "at most"),
    "w1 " * (MAX_TERMS + 1): (3 * MAX_TERMS, "at most"),
    "x" * (MAX_LENGTH + 1): (MAX_LENGTH, "at most"),
    "(" * 100 + "a1" + ")" * 100: (60, "nested too deeply"),
    "b1 OR c1 (" * MAX_DEPTH + "d1" + ")" * MAX_DEPTH: (0, "levels deep"),
}


@pytest.mark.parametrize("query", READ)
def test_a_query_is_read_as_search_engines_do(query: str) -> None:
    assert parse(query) == READ[query]


@pytest.mark.parametrize("query", READ)
def test_a_printed_query_is_read_back_as_the_same(query: str) -> None:
    assert parse(str(READ[query])) == READ[query]


@pytest.mark.parametrize("query", REFUSED)
def test_a_mistake_is_pointed_at_and_explained(query: str) -> None:
    position, words = REFUSED[query]
    with pytest.raises(QueryInvalid) as caught:
        parse(query)
    assert (caught.value.position, words in caught.value.problem) == (position, True), caught.value.problem


@pytest.mark.parametrize("query", ["abc OR " * 700, f"{'abc ' * 200}( {'abc ' * 200}", "abc"])
def test_a_mistake_in_a_long_query_quotes_only_what_is_around_it(query: str) -> None:
    with pytest.raises(QueryInvalid) as caught:
        parse(query + "(")
    assert len(str(caught.value)) < 200
    assert f"character {caught.value.position + 1} of" in str(caught.value)


def test_the_manual_names_the_limits_of_a_query() -> None:
    manual = (Path(__file__).parent.parent / "docs" / "matching.md").read_text(encoding="utf-8")
    assert f"at most {MAX_LENGTH} characters" in manual
    assert f"{MAX_TERMS} terms and {MAX_DEPTH} levels" in manual
    assert f"at most {MAX_WORDS} words, `~N` after it counts\n  to {MAX_WINDOW}" in manual
    assert f"at most {MAX_REGEX} characters, and before `*` stand at least {SHORTEST_PREFIX}" in manual


def test_a_printed_query_shows_how_it_was_understood() -> None:
    assert str(parse("a1 OR b1 c1 -d1")) == "a1 OR (b1 AND c1 AND NOT d1)"


def test_alternatives_count_as_one_word_of_a_phrase() -> None:
    assert parse('"(one|two|three) ' + "word " * 11 + '"')
    with pytest.raises(QueryInvalid, match="at most 12 words"):
        parse('"(one|two|three) ' + "word " * 12 + '"')


texts = st.from_regex(r"\A[a-zа-яії0-9][a-zа-яії0-9'\"“»\\()*~:/=+#-]{0,8}\Z")
texts |= st.just("(ab|cd)")
phrases = st.lists(texts, min_size=1, max_size=2).map(" ".join)
words = st.one_of(
    texts.map(Word),
    phrases.map(Exact),
    st.from_regex(r"\A[a-zа-я]{2,8}\Z").map(Prefix),
    st.builds(Edits, st.from_regex(r"\A[a-zа-я]{2,8}\Z"), st.integers(1, 2)),
    phrases.map(Phrase),
    st.builds(Near, phrases, st.integers(0, 50)),
    st.from_regex(r'\A[a-z][a-z/ "]{0,7}\Z').map(Regex),
)
filters = st.builds(Filter, st.sampled_from(("source", "lang")), texts)


def groups(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        several.map(any_of),
        several.map(all_of),
        st.tuples(parts, parts).map(lambda pair: all_of((pair[0], negation(pair[1])))),
    )


def legal(tree: Query) -> bool:
    """Tell whether no side of an OR, and no title, is nothing but a negation."""
    if isinstance(tree, And | Or):
        return all(map(legal, tree.queries)) and (isinstance(tree, And) or all(map(finds, tree.queries)))
    if isinstance(tree, Not | Title):
        return legal(tree.query) and (isinstance(tree, Not) or finds(tree.query))
    return True


title = st.recursive(words, groups, max_leaves=4).map(Title)
queries = st.recursive(st.one_of(words, filters, title), groups, max_leaves=10).filter(
    lambda tree: finds(tree) and legal(tree)
)


@given(queries)
def test_every_tree_survives_being_printed_and_read(tree: Query) -> None:
    assert parse(str(tree)) == tree


@given(st.text(max_size=60) | st.text('ab1 ()"“”«»~*:/=+-\\ANDORNOTtitle', max_size=40))
def test_no_query_does_more_than_being_refused(query: str) -> None:
    try:
        tree = parse(query)
    except QueryInvalid as refused:
        assert 0 <= refused.position <= len(query)  # noqa: PT017 - both outcomes are promised something
    else:
        assert parse(str(tree)) == tree


@pytest.mark.parametrize(
    ("pattern", "text", "finds"),
    [
        (r"\bшахед", "летит шахед", True),
        (r"\bшахед", "перешахед", False),
        (r"шахед\w+", "шахедами", True),
        (r"\bТу-?(22М3|95МС)\b", "злет ту-95мс", True),
        (r"\bТу-?(22М3|95МС)\b", "ту-95мсм", False),
        (r"(\bдрон|\bшахед)\b", "мой дрон.", True),
        (r"[^\w]+а", "б!а", True),
        (r"\W", "слово", False),
        (r"[[:alpha:]\w]+x", "жx", True),
        (r"[]\w]+ж", "]ыж", True),
        (r"\Q\w\E", r"\w", True),
        (r"\\w", r"\w", True),
        (r"\bfoo\b-bar", "a foo-bar", True),
    ],
)
def test_the_words_of_a_regex_are_those_of_all_alphabets(pattern: str, text: str, *, finds: bool) -> None:
    assert bool(regex_of(pattern).search(text)) == finds


@given(st.text(st.sampled_from(r"\wWbQE[]^(|):ajя+.{}p"), max_size=12))
def test_a_regex_that_is_none_is_an_error_of_the_pattern_and_nothing_else(pattern: str) -> None:
    try:
        regex_of(pattern)
    except re2.error:
        with pytest.raises(QueryInvalid):
            parse(f"/{pattern}/")
