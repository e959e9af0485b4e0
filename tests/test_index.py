"""The index answers what asking every topic by the plain definition would answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import product

import pytest
from builders import item, source, topic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.matching import Matcher
from monitor.matching import lexicon as lexicon_module
from monitor.matching.compiling import Compiler
from monitor.matching.evidence import evidence
from monitor.matching.lexicon import SENTENCE_GAP, Lexicon, Shelf, split
from monitor.matching.matcher import FEW_PAIRS, subject_of
from monitor.matching.phrase import Hit, windows
from monitor.matching.plan import Unit
from monitor.matching.postings import Postings
from monitor.matching.reading import FIELD_GAP, SMALL, ItemReading, within_reach
from monitor.matching.terms import Spelling, Term
from monitor.matching.words import analyse
from monitor.model import Evidence, How, Item, Match, Source, Topic
from monitor.text import Token, tokens


class PlainReading:
    """An item read by the plain definition: every term against every token."""

    def __init__(self, read: Item, origin: Source | None, terms: list[Term]) -> None:
        self.subject = subject_of(read, origin)
        self.terms = terms
        self.tokens = [("title", token) for token in tokens(read.title)]
        self.boundary = len(self.tokens)
        self.tokens += [("text", token) for token in tokens(read.text)]
        self.words = [analyse(token.text, self.subject.language) for _, token in self.tokens]

    def hits(self, term: int) -> list[Hit]:
        graded = ((at, self.terms[term].compare(word)) for at, word in enumerate(self.words))
        return [(at, at, *grade) for at, grade in graded if grade]

    def present(self, terms: AbstractSet[int]) -> Iterable[int]:
        return terms

    def goes_on(self, position: int) -> bool:
        (field, token), (_, after) = self.tokens[position : position + 2]
        between = getattr(self.subject.item, field)[token.end : after.start]
        spaced = any(map(str.isspace, between))
        small = self.words[position].stop or (token.text[0].islower() and len(token.text) <= SMALL)
        return not spaced or (between.isspace() and not small)

    def near(self, units: Sequence[Unit], reach: int) -> bool:
        return bool(units) and reach >= 0

    def places(self) -> list[int]:
        places: list[int] = []
        place = 0
        for at, (field, token) in enumerate(self.tokens):
            places.append(place)
            if at + 1 == self.boundary:
                place += FIELD_GAP - (not self.words[at].stop)
            place += not self.words[at].stop
            if at + 1 < len(self.tokens) and field == self.tokens[at + 1][0]:
                place += self.gaps(getattr(self.subject.item, field), token, self.tokens[at + 1][1])
        return places

    def gaps(self, text: str, before: Token, after: Token) -> int:
        pieces = re.findall(r"(\S*)(\s+)", text[before.end : after.start])
        ends = [piece.rstrip("\"'”’»)]*_")[-1:] in (*".!?…",) or "\n" in space for piece, space in pieces]
        return SENTENCE_GAP * sum(ends)

    def evidence(self, first: int, last: int, keyword: str, how: How) -> Evidence:
        field, start = self.tokens[first][0], self.tokens[first][1].start
        return Evidence(field, start, self.tokens[last][1].end, keyword, how)


def plain_matches(topics: list[Topic], read: Item, origin: Source | None) -> tuple[Match, ...]:
    """Return what the topics match by the plain definition, by their ids."""
    matches = []
    for each in topics:
        terms: list[Term] = []

        def hold(term: Term, terms: list[Term] = terms) -> int:
            terms.append(term)
            return len(terms) - 1

        plan = Compiler(hold, lambda _: 1, each.fuzziness).topic(each)
        names = {read.source_id, *((origin.id, *origin.tags) if origin else ())}
        if not each.sources or names & set(each.sources):
            found = plan.find(PlainReading(read, origin, terms))
            if found:
                matches.append(Match(each.id, round(found[0], 1), evidence(found[1], read)))
    return tuple(sorted(matches, key=lambda match: match.topic_id))


def indexed_matches(matcher: Matcher, read: Item, origin: Source | None = None) -> tuple[Match, ...]:
    """Return what a matcher finds, by topic; fail where a worse match stands before a better one."""
    found = matcher.match(read, origin)
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    return tuple(sorted(found, key=lambda match: match.topic_id))


WORDS = (
    "drone drones dron дрон дрони дронами дронов Starlink Starlnk Старлінками старлинк starling power grid"
    " grids powers ceasefire truce truck перемир'я перемирие мирний the of на в and Kyiv Києва Киев"
    " F-16 F16 F 16 C-300 A-50 a 50 А-50 С 300 5G 50 % 50%"
    " #Старлінк @drone https://example.org/drone ракета ракети ракетка"
).split(" ")
GLUE = (" ", " ", " ", ". ", "\n", ", ", " - ", "? ", "-", ".» ")

word = st.sampled_from(WORDS)
text = st.lists(st.tuples(word, st.sampled_from(GLUE)), max_size=14).map(
    lambda parts: "".join(f"{each}{glue}" for each, glue in parts)
)
items = st.builds(
    lambda title, body, language: item(title, body, language=language),
    text,
    text,
    st.sampled_from((None, "en", "uk", "ru")),
)
part = word | st.lists(word, min_size=2, max_size=3).map(lambda words: f"({'|'.join(words)})")
keyword = st.lists(part, min_size=1, max_size=3).map(" ".join)
QUERIES = (
    "drone Starlink",
    "drone OR дрон",
    "(drone OR ракета) -Kyiv",
    '"power grid"',
    '"power grid"~0 OR "grid power the"~3',
    "dr*",
    "Starlink~1 OR truce~2",
    "=Drones",
    "A-50 OR S-300 OR C-300",
    '="the drone"',
    '="(the|F-16) drone"',
    "title:drone",
    'title:("power grid"~5 OR F-16)',
    "lang:uk (drone OR Старлінк)",
    "source:media",
    "/dron[es]+/ -the",
    "/f.?16/",
    "the drone",
    '"the drone drone"~5',
    '"of the"',
    '"(power|dron|F-16) (grid|F16|C-300)"',
    '"(Starlink|ракета) (drone|дрон) grid"~3',
    "/dron[es]+/ OR truce",
    "source:media OR Kyiv",
)
topics = st.lists(
    st.builds(
        lambda words, exclude, require, query, sources, level: topic(
            *words, exclude=exclude, require=require, query=query, sources=sources, fuzziness=level
        ),
        st.lists(keyword, max_size=3) | st.lists(keyword, min_size=6, max_size=9),
        st.lists(keyword, max_size=1).map(tuple),
        st.lists(keyword, max_size=2).map(tuple),
        st.none() | st.sampled_from(QUERIES),
        st.sampled_from(((), (), (), ("media",), ("example",))),
        st.sampled_from(("exact", "strict", "normal", "loose", 90, 97)),
    ),
    max_size=6,
).map(
    lambda found: [topic(*each.keywords, **{**facts(each), "id": f"t{at}"}) for at, each in enumerate(found)]
)
origins = st.sampled_from((None, source(), source(tags=("media",)), source(language="uk")))


def facts(each: Topic) -> dict[str, object]:
    names = ("name", "exclude", "require", "query", "sources", "fuzziness", "priority")
    return {name: getattr(each, name) for name in names}


@settings(deadline=None, max_examples=150)
@given(topics, st.lists(items, min_size=1, max_size=3), origins)
def test_the_index_answers_as_the_plain_definition_does(
    watched: list[Topic], news: list[Item], origin: Source | None
) -> None:
    matcher = Matcher(watched)
    for each in news:
        assert indexed_matches(matcher, each, origin) == plain_matches(watched, each, origin)


@settings(deadline=None, max_examples=60)
@given(topics, st.data())
def test_topics_come_and_go_without_a_trace(watched: list[Topic], data: st.DataObject) -> None:
    begun = watched[: data.draw(st.integers(0, len(watched)))]
    matcher = Matcher(begun)
    present = {each.id: each for each in begun}
    for each in watched:
        matcher.add(each)
        present[each.id] = each
        read = data.draw(items)
        assert indexed_matches(matcher, read) == plain_matches(list(present.values()), read, None)
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(present)))
            matcher.remove(gone)
            del present[gone]
        assert indexed_matches(matcher, read) == plain_matches(list(present.values()), read, None)
    for left in list(present):
        matcher.remove(left)
    index = matcher._index
    assert (len(matcher), len(matcher._lexicon)) == (0, 0)
    assert (index._files, index.numbered, index.always) == ({}, {}, {})


def test_a_new_topic_is_found_in_a_text_that_was_read_before() -> None:
    matcher = Matcher([topic("drone")])
    read = item("A drone, a truce and a missile")
    matcher.match(read)
    matcher.add(topic("truce", id="a"))
    assert [match.topic_id for match in matcher.match(read)] == ["topic", "a"]
    matcher.add(topic("missile", "truce", id="b"))
    assert [match.topic_id for match in matcher.match(read)] == ["topic", "a", "b"]
    matcher.remove("a")
    assert [match.topic_id for match in matcher.match(read)] == ["topic", "b"]


def test_watches_that_come_and_go_leave_no_keys_behind() -> None:
    matcher = Matcher([topic("Starlink")])
    matcher.add(topic("drones", id="stays"))
    later = matcher._lexicon._postings._later
    kept = {key: [*terms] for key, terms in later.items()}
    for words in ("drones", "дрони", "drone strike", "Starlink", "radar"):
        matcher.add(topic(words, id="goes"))
        matcher.remove("goes")
    assert later == kept
    assert [match.topic_id for match in matcher.match(item("Drones and radar"))] == ["stays"]


def test_a_topic_that_needs_no_word_is_always_asked() -> None:
    matcher = Matcher(
        [topic(query="/dron[es]+/ OR truce"), topic(query="source:example OR truce", id="source")]
    )
    assert [match.topic_id for match in matcher.match(item("xdrones"))] == ["source", "topic"]


def test_a_topic_is_asked_only_where_a_second_word_that_it_needs_stands_beside_the_first() -> None:
    keywords = topic("power grid", "(drone|missile) attack", query="heating AND outage")
    asked = Matcher([keywords, topic("station", require=("boiler",), id="required")])
    for text, expected in (
        ("The power is on", False),
        ("A drone, a missile and a grid", False),
        ("An attack on a station", False),
        ("A boiler", False),
        ("The station has a boiler", True),
        ("A drone flies, an attack is reported", True),
        ("Heating: an outage", True),
        ("A power line, far away from any grid", True),
    ):
        assert bool(asked._candidates(asked._reading(item(text), None))) == expected, text


def test_a_phrase_is_asked_only_where_its_words_may_stand_near_enough() -> None:
    asked = Matcher([topic(query='"power grid"~2'), topic("drone", id="between")])
    for between, expected in ((0, True), (2, True), (6, False), (100, False)):
        for words in ("power {} grid", "grid {} power"):
            read = item(words.format("drone " * between))
            assert bool(asked._candidates(asked._reading(read, None))) == expected, read.text
    for text, expected in (
        ("power-drone-drone-drone-drone grid", False),
        ("drone-drone-drone-power grid", True),
        ("drone-drone-drone-drone-grid drone power", True),
        ("the-power-the-the-the of the and the grid", True),
        ("power drone drone drone drone, grid drone drone drone drone drone power grid", True),
    ):
        assert ("topic" in {match.topic_id for match in asked.match(item(text))}) == expected, text


def test_the_neighbourhood_of_a_word_that_a_text_repeats_without_end_is_not_searched_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Matcher([topic(query='"power grid"~2', id=str(number)) for number in range(20)])
    searched = []
    within = ItemReading.within
    monkeypatch.setattr(ItemReading, "within", lambda *args: searched.append(args) or within(*args))
    for text, expected in (
        ("power " * 5_000 + "zz " * 9 + "grid", 0),
        ("-".join(["power"] * 500) + " zz" * 9 + " grid", 0),
        ("power " * 5_000 + "grid", 20),
    ):
        assert len(asked.match(item(text))) == expected
    assert len(searched) <= FEW_PAIRS


class Looked(list[int]):
    """Places that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, at: int) -> int:
        self.looks += 1
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[int]:
        return (self[at] for at in range(len(self)))


places_of_a_word = st.lists(st.integers(0, 60), min_size=1, max_size=12).map(sorted).map(Looked)


@example(Looked(range(0, 20_000, 2)), Looked(range(30_001, 50_000, 2)), 3)
@given(places_of_a_word, places_of_a_word, st.integers(0, 9))
def test_words_are_known_to_be_apart_without_comparing_each_place_with_each(
    ours: Looked, theirs: Looked, reach: int
) -> None:
    apart = min(abs(here - there) for here in ours[:50] for there in theirs[:50])
    ours.looks = theirs.looks = 0
    assert within_reach(ours, theirs, reach) == (apart <= reach)
    assert ours.looks + theirs.looks <= 18 * (len(ours) + len(theirs))


def test_a_match_says_why_even_when_its_topic_is_gone() -> None:
    matcher = Matcher(
        [topic("drone", id="word"), topic("power grid", id="words"), topic(query="x OR grid", id="q")]
    )
    read = item("", "A drone over the power grid")
    found = matcher.match(read)
    for match in found:
        matcher.remove(match.topic_id)
    assert {match.topic_id: [read.text[at.start : at.end] for at in match.evidence] for match in found} == {
        "word": ["drone"],
        "words": ["power grid"],
        "q": ["grid"],
    }


def test_a_term_is_not_found_where_the_bytes_of_two_others_look_like_it() -> None:
    lexicon = Lexicon()
    for number in range(513):
        lexicon.hold(Spelling(f"word{number}"))
    reading = ItemReading(subject_of(item("word256 word512 word1 word256"), None), lexicon)
    assert [[hit[0] for hit in reading.hits(number)] for number in (1, 2, 256, 512)] == [[2], [], [0, 3], [1]]


def test_many_new_topics_make_the_old_knowledge_new() -> None:
    matcher = Matcher([topic("drone")])
    read = item("A drone and word7")
    matcher.match(read)
    for number in range(lexicon_module.MOST_ADDED + 10):
        matcher.add(topic(f"word{number}", id=f"w{number}"))
    assert {match.topic_id for match in matcher.match(read)} == {"topic", "w7"}


def test_what_is_known_is_bounded(monkeypatch) -> None:  # noqa: ANN001 - pytest's own
    monkeypatch.setattr(lexicon_module, "MOST_WEIGHT", 10)
    lexicon = Lexicon()
    for number in range(100):
        lexicon.pieces([f"word{number}"], "en")
    shelf = lexicon._shelves["en"]
    assert len(shelf.recent) + len(shelf._older) <= 20


def test_what_was_used_lately_is_kept(monkeypatch) -> None:  # noqa: ANN001 - pytest's own
    monkeypatch.setattr(lexicon_module, "MOST_WEIGHT", 10)
    lexicon = Lexicon()
    first = lexicon.pieces(["often"], "en")[0]
    for number in range(100):
        assert lexicon.pieces(["often"], "en")[0] is first
        lexicon.pieces([f"word{number}"], "en")


def test_pieces_of_one_shape_that_say_nothing_are_one_and_stay_so_when_topics_change() -> None:
    lexicon = Lexicon()
    for _ in range(3):
        one, other = lexicon.pieces(["often", "river"], "en")
        assert one is other
        assert one.revision == lexicon._revision
        assert lexicon.pieces(["often"], "en")[0] is one
        lexicon.revise()


def test_the_shapes_that_are_kept_are_bounded(monkeypatch) -> None:  # noqa: ANN001 - pytest's own
    monkeypatch.setattr(lexicon_module, "_SHAPES", 3)
    lexicon = Lexicon()
    lexicon.pieces(["x" * length for length in range(1, 20)], "en")
    assert len(lexicon._blanks) <= 3


def test_what_says_something_counts_for_more_of_what_is_known(monkeypatch) -> None:  # noqa: ANN001 - as above
    monkeypatch.setattr(lexicon_module, "MOST_WEIGHT", 40)
    lexicon = Lexicon()
    lexicon.hold(Spelling("drone"))
    for number in range(100):
        lexicon.pieces([f"drone-{number}"], "en")
    shelf = lexicon._shelves["en"]
    assert len(shelf.recent) + len(shelf._older) <= 2 * 40 / lexicon_module.TELLING


def test_what_is_brought_up_to_date_counts_once(monkeypatch) -> None:  # noqa: ANN001 - as above
    monkeypatch.setattr(lexicon_module, "MOST_WEIGHT", 10)
    lexicon = Lexicon()
    for _ in range(20):
        lexicon.pieces(["often", "river"], "en")
        lexicon.revise()
    assert lexicon._shelves["en"]._older == {}


def test_a_very_long_word_is_not_remembered() -> None:
    lexicon = Lexicon()
    lexicon.pieces(["x" * 100], "en")
    assert lexicon._shelves["en"].recent == {}


def test_an_unknown_language_has_no_shelf_of_its_own() -> None:
    lexicon = Lexicon()
    for language in ("xx", "yy", None):
        lexicon.pieces(["word"], language)
    assert list(lexicon._shelves) == [None]


def test_a_shelf_knows_nothing_at_first() -> None:
    assert Shelf().find("word") is None


@given(st.text(max_size=80) | text)
def test_the_tokens_of_a_text_are_those_of_its_pieces(written: str) -> None:
    assert [token.text for token in tokens(written)] == [
        token.text for piece in split(written) for token in tokens(piece)
    ]


@given(st.lists(st.tuples(st.integers(0, 50), st.sets(st.text(max_size=3), max_size=4)), max_size=20))
def test_a_term_is_found_by_each_of_its_keys(pairs: list[tuple[int, set[str]]]) -> None:
    built, grown = Postings(), Postings()
    built.expect_many()
    for term, keys in pairs:
        built.add(term, keys)
        grown.add(term, keys)
    built.settle()
    for term, keys in pairs:
        for key in keys:
            assert term in set(built.find([key]))
            assert term in set(grown.find([key]))


hits = st.lists(
    st.tuples(st.integers(0, 12), st.floats(80, 100)), min_size=1, max_size=5, unique_by=lambda hit: hit[0]
).map(lambda found: sorted((at, at, "exact", score) for at, score in found))


@example([[(0, 0, "exact", 100), (12, 12, "exact", 100)], [(6, 6, "exact", 100)]], 3)
@given(st.lists(hits, min_size=2, max_size=4), st.integers(0, 6))
def test_a_phrase_is_found_where_its_words_stand_near_enough(phrase: list[list[Hit]], most: int) -> None:
    ways = [
        max(each) - min(each) + 1 - len(each)
        for way in product(*phrase)
        if len(set(each := [hit[0] for hit in way])) == len(way)
    ]
    found = windows(phrase, range(13), most)
    assert bool(found) == any(others <= most for others in ways)
    if found:
        assert min(window.others for window in found) == min(ways)


SOLID = [each for each in WORDS if tokens(each) and not analyse(each).stop]
alternatives = st.lists(st.sampled_from(SOLID), min_size=1, max_size=3, unique=True)


@settings(deadline=None)
@given(st.lists(alternatives, min_size=1, max_size=3), items, st.sampled_from(("{}", '"{}"', '"{}"~2')))
def test_alternatives_find_what_any_combination_of_them_finds(
    phrase: list[list[str]], read: Item, written: str
) -> None:
    def found(words: Iterable[str]) -> bool:
        text = written.format(" ".join(words))
        return bool(Matcher([topic(text) if written == "{}" else topic(query=text)]).match(read))

    whole = (f"({'|'.join(each)})" if len(each) > 1 else each[0] for each in phrase)
    assert found(whole) == any(map(found, product(*phrase)))


def test_a_word_of_the_start_and_one_added_later_are_both_found_by_a_key_that_they_share() -> None:
    matcher = Matcher([topic("drone", id="a")])
    matcher.add(topic("drones", id="b"))
    assert {match.topic_id for match in matcher.match(item("drone"))} == {"a", "b"}


@pytest.mark.parametrize("fuzziness", [0, 1, 69, 70, 80])
def test_the_least_score_of_a_topic_lets_no_word_pass_that_is_another_one(fuzziness: int) -> None:
    watched, read = [topic("drone", fuzziness=fuzziness)], item("", "Dronne qwzx drones")
    found = indexed_matches(Matcher(watched), read)
    assert found == plain_matches(watched, read, None)
    assert "qwzx" not in {read.text[mark.start : mark.end] for mark in found[0].evidence}
