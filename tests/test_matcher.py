"""What a duty officer is promised: which items a topic finds, which it leaves, and what it says of why."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from builders import item, source, topic
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import QueryInvalid
from monitor.matching import NEAR, Matcher, packs
from monitor.matching.evidence import MAX_EVIDENCE
from monitor.matching.packs import read
from monitor.matching.reading import MAX_TEXT
from monitor.model import Evidence, Match, Topic


def matches(watched: Topic, text: str, title: str = "") -> Match | None:
    """Return the match of a topic in an item."""
    found = Matcher([watched]).match(item(title, text))
    return found[0] if found else None


def stretches(watched: Topic, text: str, title: str = "") -> list[str]:
    """Return the matched stretches of an item."""
    found = matches(watched, text, title)
    fields = {"title": title, "text": text}
    return [fields[each.field][each.start : each.end] for each in found.evidence] if found else []


@pytest.mark.parametrize(
    "text", ["STARLINK works", "Старлінками користуються", "Starlnk is down", "у старлинке"]
)
def test_a_keyword_finds_its_forms_scripts_and_typos(text: str) -> None:
    assert matches(topic("Starlink"), text)


@pytest.mark.parametrize("text", ["Starlinkів", "Starlinkам", "Starlinkами", "Старлинк'ами", "Старлінк’ом"])
def test_a_foreign_name_takes_the_endings_of_the_language_around_it(text: str) -> None:
    assert matches(topic("Starlink"), f"Багато {text} вже тут")


@pytest.mark.parametrize(
    ("keywords", "text", "named"),
    [
        (("cease-fire", "ceasefire"), "Two ceasefires", "ceasefire"),
        (("Star-link", "Starlink"), "#Starlink", "Starlink"),
        (("Стар-лінк", "Starlink", "Старлінк"), "Старлінками", "Старлінк"),
        (("Старлинк", "Starlink"), "Старлінк", "Старлинк"),
        (("пленный обмен", "полонений обмін"), "обмін полонених", "полонений обмін"),
        (
            ("(грид|повредить) сеть", "(пошкодити|знищити) мережа"),
            "пошкодили мережу",
            "(пошкодити|знищити) мережа",
        ),
        (("Star-link", "Starlink"), "Starlnk", "Starlink"),
    ],
)
def test_of_two_keywords_for_one_stretch_the_evidence_names_the_nearer(
    keywords: tuple[str, ...], text: str, named: str
) -> None:
    for order in (keywords, keywords[::-1]):
        assert {each.keyword for each in matches(topic(*order), text).evidence} == {named}


def test_a_regex_of_signs_alone_can_share_its_stretch() -> None:
    assert matches(topic(query="/[—]/ OR /—+/"), "A drone — and more")


def test_a_score_has_one_decimal_at_most() -> None:
    for text in ("Strlink", "power x1 grids", "powers x1 x2 x3 grid", "Стралінк"):
        found = matches(topic("Starlink", "power grid"), text)
        assert found is None or found.score == round(found.score, 1)
    assert matches(topic("Starlink satellite"), "satellite x1 Strlink").score == 81.6


@pytest.mark.parametrize(
    ("keyword", "texts"),
    [
        ("F-16", "Ф-16 Ф16"),
        ("Су-34", "Su-34 Su34 Su-34s"),
        ("Tu-95", "Ту-95 Ту-95МС Ту95"),
        ("MiG-31", "МіГ-31 МиГ-31К Миг-31"),
        ("МіГ-31", "MiG-31K МиГ-31"),
        ("Х-59", "Kh-59 Kh59"),
        ("S-300", "С-300 С300"),
        ("Mi-8", "Мі-8 Ми-8"),
        ("Іл-76", "Il-76 Ил-76"),
        ("КАБ-500", "KAB-500"),
        ("MiG-31K", "МіГ-31К МиГ-31К МіГів-31К"),
        ("МіГ-29", "МіГи-29 МіГів-29 МиГов-29"),
        ("Су-35С", "Su-35S"),
        ("S-300", "С-300ПМУ S-300PMU-2 С-300В4"),
        ("Mi-8", "Mi-8MTV Мі-8МСБ Ми-8АМТШ"),
        ("С-300", "C-300"),
        ("БМП-2", "BMP-2"),
        ("F16", "F-16 F16 F-16s Ф-16"),
        ("S300", "С-300"),
        ("Су34", "Су-34 Su-34"),
        ("MQ9", "MQ-9"),
        ("MiG31K", "МіГ-31К"),
    ],
)
def test_a_designation_is_found_in_each_script(keyword: str, texts: str) -> None:
    for text in texts.split():
        assert matches(topic(keyword), f"Над містом {text} вночі"), text


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("Су-34", "Su-35"),
        ("Ка-52", "К-52"),
        ("S-300", "в 300 с"),
        ("S-300V", "С-300"),
        ("F16C", "Ф16"),
        ("Ту-95", "Су-95"),
    ],
)
def test_a_designation_is_another_with_other_letters_or_another_number(keyword: str, text: str) -> None:
    assert not matches(topic(keyword), text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("S-300", "цена выросла с 300 до 400 рублей"),
        ("С-400", "С 400 участниками встреча прошла"),
        ("A-50", "He is a 50-year-old man"),
        ("А-50", "а 50 солдат ранены"),
        ("К-2", "до 20 к 2 часам"),
        ("Mi-8", "Ми 8 дней ждали"),
        ("Р-37", "на р. 37 судов"),
        ("МіГ-29", "Він міг 29 березня приїхати"),
        ("MiG-29", "на миг 29 человек замерли"),
        ("Ту-95", "подивився на ту 95-річну бабусю"),
        ("Kh-22", "плита 10 х 22 см"),
        ("M-14", "на 5 м 14 см"),
        ("A10", "A 10 year old, a 10"),
    ],
)
def test_a_small_word_before_a_number_is_no_designation(keyword: str, text: str) -> None:
    assert not matches(topic(keyword), text)
    assert not matches(topic(keyword, fuzziness="exact"), text)
    assert matches(topic(keyword), f"над містом {keyword}, вночі")


@pytest.mark.parametrize("text", ["it is up to date", "S 300", "F 16", "covid 19"])
@pytest.mark.parametrize("numbered", [("S-300", "F-16", "COVID-19"), ("S300", "F16", "COVID19")])
def test_a_space_joins_the_parts_of_any_other_name(numbered: tuple[str, ...], text: str) -> None:
    assert matches(topic("up-to-date", *numbered), text)


@pytest.mark.parametrize(
    ("keyword", "text"), [("C++", "с друзьями"), ("A", "А ещё"), ("C++ developer", "developer с опытом")]
)
def test_the_letters_of_designations_alone_are_the_letters_of_their_script(keyword: str, text: str) -> None:
    assert not matches(topic(keyword), text)


@pytest.mark.parametrize(
    ("keyword", "text"), [("F-16C", "two F-16Cs"), ("Leopard 2A6", "18 Leopard 2A6s arrived")]
)
def test_a_version_has_a_plural(keyword: str, text: str) -> None:
    assert matches(topic(keyword), text)


@pytest.mark.parametrize("text", ["збито 30 шахедів", "шахедами", "сбиты шахеды", "збито шахед-136"])
def test_shahed_needs_no_capital(text: str) -> None:
    assert matches(topic("Shahed"), text)


@pytest.mark.parametrize("text", ["он шахид", "серия шахов"])
def test_neither_a_martyr_nor_a_shah_is_a_shahed(text: str) -> None:
    assert not matches(topic("Shahed"), text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("Кривий Ріг", "Удар по Кривому Розі"),
        ("Krivoy Rog", "взрывы в Кривом Роге"),
        ("Kryvyi Rih", "у Кривому Розі чути вибухи"),
        ("strike Kryvyi Rih", "A strike on Krivoy Rog"),
        ("Chasiv Yar", "бої в Часовому Яру"),
        ("Біла Церква", "взрывы в Белой Церкви"),
        ("Nova Kakhovka", "у Новій Каховці"),
        ("White House", "Білий дім повідомив"),
        ("ceasefire", "a cease-fire, and when it began"),
    ],
)
def test_a_name_of_several_words_is_found_in_its_other_spellings(keyword: str, text: str) -> None:
    assert matches(topic(keyword), text)
    assert matches(topic(query=keyword), text)
    assert matches(topic(query=f"{keyword} NOT museum (night OR day)"), f"night: {text}")
    assert matches(topic(query=f'"{keyword}"~5'), text)
    assert matches(topic(keyword, fuzziness=96), text)
    assert not matches(topic(keyword, fuzziness=97), text)
    assert not matches(topic(keyword, fuzziness="exact"), text)


@pytest.mark.parametrize(
    "text", ["two Leopard2 and a Shahed136", "Leopard2, Shahed 136", "шахед136 і Леопард 2"]
)
@pytest.mark.parametrize("query", [None, "Leopard 2 Shahed 136", '"Leopard 2" "Shahed 136"'])
def test_a_name_and_its_number_may_be_one_word(text: str, query: str | None) -> None:
    keywords = () if query else ("Leopard 2 Shahed 136",)
    assert matches(topic(*keywords, query=query), text)


def test_a_spelling_of_one_word_stands_for_a_longer_one_only_as_the_name() -> None:
    compiled = Matcher([topic("Сполучені Штати")], names=[["США", "US", "Сполучені Штати"]])
    assert compiled.match(item("aid from the US")), "with its capital"
    assert not compiled.match(item("he told us"))


@pytest.mark.parametrize(
    ("names", "keyword", "text"),
    [
        (["al-Qaeda", "Аль Каїда", "AQ"], "AQ", "al-Qaeda said"),
        (["al-Qaeda", "Аль Каїда", "AQ"], "Аль Каїда", "AQ said"),
        (["United States", "U.S."], "United States", "a U.S. envoy"),
        (["Johnson & Johnson", "JNJ"], "Johnson & Johnson", "JNJ fell"),
        (["St. Louis", "STL"], "St. Louis", "STL"),
        (["Нью-Йорк", "New York"], "New York", "у Нью-Йорку"),
        (["Нью-Йорк", "New York"], "Нью-Йорк", "in New York"),
        (["ЗСУ", "Збройні сили України"], "ЗСУ", "Збройними силами України"),
    ],
)
def test_a_name_of_the_config_is_found_whatever_signs_are_in_it(
    names: list[str], keyword: str, text: str
) -> None:
    assert Matcher([topic(keyword)], names=[names]).match(item(text))


@pytest.mark.parametrize(
    ("names", "keyword", "text", "found"),
    [
        (["USA", "U.S.", "Америка"], "Америка", "Tell us more", False),
        (["USA", "U.S.", "Америка"], "Америка", "a U.S. envoy", True),
        (["foo", "No Table"], "foo", "a notable man", False),
        (["drone", "unmanned aerial vehicle"], "unmanned aerial vehicle", "a drone hit", True),
        (["cease fire", "ceasefire"], "cease fire", "a ceasefire began", True),
        (["Суми", "обласний центр"], "обласний центр", "значні суми", False),
    ],
)
def test_a_name_is_found_as_it_is_written(names: list[str], keyword: str, text: str, found: bool) -> None:  # noqa: FBT001 - a case of the test
    assert bool(Matcher([topic(keyword)], names=[names]).match(item(text))) is found


def test_several_names_of_one_keyword_are_found_in_their_other_spellings() -> None:
    assert matches(topic("Chasiv Yar Kryvyi Rih Velyka Novosilka"), "Часів Яр, Кривий Ріг, Велика Новосілка")


def test_what_is_lacking_is_named_as_it_was_asked_for() -> None:
    lacking = Matcher([topic("White House strike"), topic("cease fire talks", id="2")]).explain(
        item("a strike, talks")
    )
    said = " ".join(reason for each in lacking for reason in each.missing)
    assert '"White" of' in said
    assert '"fire" of' in said
    assert '""' not in said
    lacking = Matcher([topic("strike", require=("Kryvyi Rih", "port"))]).explain(item("a strike"))
    assert lacking[0].missing == ('nothing of require is there: "Kryvyi Rih", "port"',)


def test_a_part_of_a_name_is_not_found_in_its_other_spellings() -> None:
    assert not matches(topic("Nova"), "Нова пошта")
    assert not matches(topic("White"), "Білий сніг")
    assert not matches(topic("Білий дім"), "a house that was white")


@pytest.mark.parametrize("text", ["Ф-16 збив дрон", "літак F-16", "F16", "F 16"])
def test_an_aircraft_is_found_in_either_script(text: str) -> None:
    assert matches(topic("F-16"), text)
    assert not matches(topic("F-16"), "16 фото, Ф 35")


@pytest.mark.parametrize(
    ("keyword", "text"),
    [("F-16", "two F-16s"), ("F-16", "F16s"), ("F-16", "an F-16C"), ("Ту-95", "Ту-95МС"), ("Су-57", "Су57М")],
)
def test_a_name_with_a_number_is_found_in_the_plural_and_with_the_letters_of_a_version(
    keyword: str, text: str
) -> None:
    assert matches(topic(keyword), text)
    assert not matches(topic("F-16C"), "F-16")
    assert matches(topic("F-16s"), "an F-16")


def test_according_is_of_no_accord() -> None:
    assert not matches(topic("accord"), "It ended, according to officials")


def test_a_short_word_must_be_exact() -> None:
    assert matches(topic("ai"), "AI at work")
    assert not matches(topic("ai"), "training aid")


def test_the_words_of_a_keyword_stand_near_each_other_in_any_order() -> None:
    assert matches(topic("power grid"), "the grid of national power lines")
    assert not matches(topic("power grid"), "power one two three four five six grid")


def test_stop_words_between_the_words_of_a_keyword_are_free() -> None:
    assert matches(topic("power grid"), "power of the of the of the of the grid")


def test_the_stop_words_of_a_keyword_are_not_needed() -> None:
    assert matches(topic("state of emergency"), "emergency state")


def test_a_keyword_of_stop_words_alone_still_needs_them() -> None:
    assert matches(topic("of the"), "some of the men")
    assert not matches(topic("of the"), "some men")


def test_a_closer_and_better_ordered_phrase_scores_higher() -> None:
    texts = ["power grid", "power national grid", "power x1 x2 x3 x4 grid", "grid power"]
    close, apart, far, turned = (matches(topic("power grid"), text).score for text in texts)
    assert close == 100
    assert close > apart > far
    assert close > turned > far


def test_a_phrase_never_reaches_from_the_title_into_the_text() -> None:
    assert not matches(topic("power grid"), "grid is down", title="The power")
    assert not matches(topic(query='"power grid"'), "grid is down", title="The power")
    assert not matches(topic("F-16"), "16 men", title="Letter F")


def test_a_sentence_end_counts_as_some_words() -> None:
    near, across = (matches(topic("power grid"), text).score for text in ("power x1 grid", "power x1. Grid"))
    assert near > across
    assert not matches(topic("power grid"), "power x1 x2 x3.\nGrid")


def test_a_name_of_letters_and_digits_is_found_however_it_is_joined() -> None:
    assert stretches(topic("F-16"), "F16, F 16 and F-16; 16 F") == ["F16", "F 16", "F-16"]


def test_the_parts_of_a_joined_name_stay_together_in_a_phrase() -> None:
    assert stretches(topic("F-16 delivery"), "delivery of F-16 jets") == ["delivery", "F-16"]
    assert not matches(topic("F-16 delivery"), "delivery of 16 boxes marked F")


def test_one_word_of_a_text_stands_for_one_word_of_a_phrase() -> None:
    assert not matches(topic("drone drones"), "one drone")
    assert matches(topic("drone drones"), "one drone of many drones")


def test_operators_in_a_keyword_are_harmless() -> None:
    assert matches(topic('"power* -grid (OR)'), "power grid or not")
    assert not matches(topic("!!!"), "!!! all")


def test_exclude_and_require_work() -> None:
    watched = topic("Starlink", exclude=("Starlink IPO",), require=("Ukraine", "Kyiv"))
    assert matches(watched, "Starlink in Ukraine")
    assert matches(watched, "Starlink over Kyiv")
    assert not matches(watched, "Starlink in Poland")
    assert not matches(watched, "Starlink IPO: good for Ukraine")


def test_the_query_is_one_more_way_to_match() -> None:
    watched = topic("truce", query="drone Kharkiv")
    assert matches(watched, "a truce")
    assert matches(watched, "drone over Kharkiv")
    assert not matches(watched, "drone over Kyiv")


def test_stop_words_in_a_query_are_free_where_others_are_looked_for() -> None:
    assert matches(topic(query="the drone"), "drone seen")
    assert matches(topic(query="the of"), "the end of it")
    assert not matches(topic(query="the of"), "the end")


def test_a_topic_may_keep_to_some_sources() -> None:
    for watched in (topic("truce", sources=("media",)), topic("truce", "peace deal", sources=("media",))):
        matcher = Matcher([watched])
        assert matcher.match(item("truce"), source(tags=("media",)))
        assert matcher.match(item("truce"), source("media"))
        assert matcher.match(item("truce", source_id="media"))
        assert not matcher.match(item("truce"), source())
        assert not matcher.match(item("truce"))


@pytest.mark.parametrize(
    ("fuzziness", "expected"),
    [
        ("exact", ["Starlink"]),
        ("strict", ["Starlink", "Старлінками"]),
        ("normal", ["Starlink", "Старлінками", "Starlnk"]),
        (97, ["Starlink"]),
    ],
)
def test_fuzziness_says_how_far_a_word_may_be(fuzziness: str | int, expected: list[str]) -> None:
    assert stretches(topic("Starlink", fuzziness=fuzziness), "Starlink Старлінками Starlnk") == expected


def test_a_least_score_also_holds_for_phrases() -> None:
    text = "power one two three four five grid"
    assert matches(topic("power grid"), text)
    assert not matches(topic("power grid", fuzziness=90), text)


def test_evidence_slices_the_original_and_names_the_keyword_as_written() -> None:
    found = matches(topic("power grid"), "The GRID,  it has no power.", title="Power-grid")
    assert found == Match(
        "topic",
        100.0,
        (
            Evidence("title", 0, 10, "power grid", "exact"),
            Evidence("text", 4, 8, "power grid", "exact"),
            Evidence("text", 21, 26, "power grid", "exact"),
        ),
    )


def test_a_match_says_the_same_however_it_was_made() -> None:
    found = matches(topic("drone"), "Drones and a drone", title="drone")
    places = [("title", 0, 5, "exact"), ("text", 0, 6, "form"), ("text", 13, 18, "exact")]
    made = Match(
        "topic", 100.0, tuple(Evidence(field, at, end, "drone", how) for field, at, end, how in places)
    )
    assert (found, hash(found), repr(found)) == (made, hash(made), repr(made))
    assert found != matches(topic("drone"), "Drones and the drone", title="drone")
    assert found != ("topic", 100.0, made.evidence)


def test_a_sentence_end_keeps_the_words_of_a_phrase_apart_and_a_line_end_does_too() -> None:
    for end in (". ", "\n", " ... ", "!» "):
        text = f"the power one two{end}three four grid"
        assert not matches(topic(query='"power grid"~5'), text)
        assert matches(topic(query='"power grid"~5'), text.replace(end, " "))


def test_of_overlapping_evidence_the_surest_and_longest_stays() -> None:
    assert stretches(topic("grid", "power grid"), "power grid, grid") == ["power grid", "grid"]


def test_evidence_of_a_query_names_the_part_that_matched() -> None:
    found = matches(topic(query="title:ceasefire OR dron* OR /kab-?[0-9]+/"), "drones, KAB-500")
    assert [(each.keyword, each.how) for each in found.evidence] == [
        ("dron*", "prefix"),
        ("/kab-?[0-9]+/", "regex"),
    ]


def test_evidence_is_bounded() -> None:
    assert len(matches(topic("drone"), "drone " * 500).evidence) == MAX_EVIDENCE
    assert len(matches(topic("drone", "truce"), "drone " * 500).evidence) == MAX_EVIDENCE


@pytest.mark.parametrize("times", [MAX_EVIDENCE - 1, MAX_EVIDENCE, MAX_EVIDENCE + 1])
def test_the_surest_place_counts_however_many_others_stand_before_it(times: int) -> None:
    found = matches(topic("Starlink"), "Starlnk " * times + "Starlink")
    assert found.score == 100
    assert len(found.evidence) == min(times + 1, MAX_EVIDENCE)
    assert found.evidence[-1].how == "exact"


def test_the_best_match_comes_first_and_equal_ones_in_reading_order_and_by_their_id() -> None:
    matcher = Matcher(
        [
            topic("power grid", id="0"),
            topic("truce", id="b"),
            topic("truce", id="a"),
            topic("grid", id="z"),
            topic("Starlnk", id="c"),
            topic("talks", id="d"),
        ]
    )
    found = matcher.match(item("Starlink, the power grid, truce", "Talks"))
    assert [match.topic_id for match in found] == ["z", "a", "b", "d", "0", "c"]


def test_an_added_topic_replaces_the_one_with_its_id() -> None:
    matcher = Matcher([topic("truce")])
    matcher.add(topic("drone"))
    assert len(matcher) == 1
    assert not matcher.match(item("truce"))
    assert matcher.match(item("drone"))


def test_a_topic_that_is_not_there_can_be_removed() -> None:
    matcher = Matcher([topic("truce")])
    matcher.remove("other")
    assert len(matcher) == 1


def test_a_refused_query_leaves_the_matcher_as_it_was() -> None:
    matcher = Matcher([topic("truce")])
    terms = len(matcher._lexicon)
    with pytest.raises(QueryInvalid):
        matcher.add(topic("word1 word2", query="("))
    assert len(matcher._lexicon) == terms
    assert matcher.match(item("truce"))


def test_a_per_cent_sign_on_the_next_line_does_no_harm() -> None:
    assert matches(topic("power grid"), "power 50\n% grid")


def test_the_packs_ship_and_can_be_matched() -> None:
    found = packs()
    assert found["starlink"].keywords
    assert all(each.id == name for name, each in found.items())
    assert Matcher(found.values()).match(item("Starlink is back"))[0].topic_id == "starlink"


def test_a_pack_file_is_a_topic_in_toml() -> None:
    text = 'id = "x"\nname = "X"\nkeywords = ["a", "b"]\nrequire = ["c"]\nquery = "d"\n'
    assert read(text) == topic("a", "b", id="x", name="X", require=("c",), query="d")


def test_a_pack_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(TypeError):
        read('id = "x"\nname = "X"\nkeyword = ["a"]\n')


def reasons(watched: Topic, text: str, title: str = "") -> str:
    """Return why a topic does not match."""
    explanation = Matcher([watched]).explain(item(title, text))[0]
    assert explanation.match is None
    return "; ".join(explanation.missing)


@pytest.mark.parametrize(
    ("watched", "text", "expected"),
    [
        (topic("Starlink"), "the starling sang", '"Starlink" is not there, only "starling"'),
        (topic("Starlink"), "all quiet", '"Starlink" is not there'),
        (topic("power grid"), "the power is out", '"grid" of "power grid" is not there'),
        (topic("power grid"), "power x1 x2 x3 x4 x5 x6 grid", "6 words or more between, 5 allowed"),
        (topic("power grid", fuzziness=99), "grid power", "less than the least score of 99"),
        (topic("drone drones"), "one drone", "one word cannot stand for two"),
        (topic(query='"power grid"'), "grid power", "not stand next to each other"),
        (topic(query="title:truce"), "a truce", "in the text, but not in the title"),
        (topic("F-16"), "jets", '"F-16" is not there'),
        (
            topic("Starlink", exclude=("Starlink IPO",)),
            "Starlink IPO",
            'excluded by "Starlink IPO" ("Starlink IPO"',
        ),
        (topic(query="drone -lang:en"), "The drone is in the air", "excluded by a condition"),
        (topic("Starlink", require=("Kyiv",)), "Starlink in Poland", '"Kyiv" is not there'),
        (topic(query="drone source:media"), "a drone", "not source:media"),
        (topic(query="/kab-[0-9]+/"), "a bomb", "/kab-[0-9]+/ matches nothing"),
        (topic("!!!"), "a bomb", "no word"),
        (topic("drone", sources=("media",)), "a drone", "only looks at these sources: media"),
        (topic("drone", sources=("media",)), "a bomb", '"drone" is not there'),
    ],
)
def test_a_miss_is_explained_by_what_was_missing(watched: Topic, text: str, expected: str) -> None:
    assert expected in reasons(watched, text)


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        (topic("drone", require=("Kyiv", "Odesa")), 'nothing of require is there: "Kyiv", "Odesa"'),
        (topic("drone", require=("Kyiv", "Odesa"), exclude=("race",)), "nothing of require"),
        (topic("drone", exclude=("seen",)), "excluded by"),
        (topic("drone", require=("Kyiv",), exclude=("seen", "race")), "excluded by"),
        (topic(query="drone source:media"), "not source:media"),
        (topic(query="drone source:media lang:uk"), "not lang:uk"),
        (topic(query="drone source:media lang:uk -seen"), 'excluded by "seen"'),
    ],
)
def test_what_only_a_condition_kept_out_is_near(watched: Topic, expected: str) -> None:
    (told,) = Matcher([watched]).explain(item("", "A drone was seen in the air"))
    assert told.nearness >= 0.5
    assert expected in "; ".join(told.missing)


@pytest.mark.parametrize(
    ("watched", "text"),
    [
        (topic("bridge collapse"), "A bridge in the far far far far old town has collapsed"),
        (topic("bridge collapse"), "The bridge fell"),
        (topic("Starlink"), "The starling sang"),
        (topic(query='("peace talks"~4 AND Kyiv) OR truce'), "A drone over Kyiv"),
    ],
)
def test_a_miss_is_as_near_with_an_exclude_of_which_nothing_stands_there(watched: Topic, text: str) -> None:
    (told,) = Matcher([watched]).explain(item("", text))
    assert told.nearness >= NEAR
    assert Matcher([replace(watched, exclude=("card game",))]).explain(item("", text)) == (told,)


def test_of_many_keywords_the_nearest_is_named_alone() -> None:
    told = reasons(
        topic("dam break", "tram crash", "old stone bridge collapse", "bridge collapse"), "A bridge"
    )
    assert told == '"collapse" of "bridge collapse" is not there'


@pytest.mark.parametrize("watched", [topic("power grid"), topic(query='"struck by a drone"'), topic("truce")])
def test_a_topic_of_which_only_little_words_stand_there_is_far(watched: Topic) -> None:
    (told,) = Matcher([watched]).explain(item("", "A cat sat by the mat"))
    assert told.nearness < NEAR


def test_an_expression_that_finds_nothing_is_not_near_for_the_words_beside_it() -> None:
    (told,) = Matcher([topic(query="/dron(e|es) fleet/ AND sky")]).explain(item("", "A bird in the sky"))
    assert told.nearness == 0
    assert told.missing


@pytest.mark.parametrize(("length", "named"), [(60, True), (70, False)])
def test_a_word_that_is_longer_than_words_are_is_not_named_as_one_like_a_keyword(
    length: int, *, named: bool
) -> None:
    assert ("only" in reasons(topic("x" * length), "x" * (length - 3) + "yyy")) is named


def test_a_word_beyond_what_is_read_is_not_named_as_one_like_itself() -> None:
    (told,) = Matcher([topic("truce")]).explain(item("", f"{' ' * MAX_TEXT}truce"))
    assert told.missing == ('"truce" is not there',)


def test_half_of_a_surrogate_pair_harms_no_expression_and_moves_no_offset() -> None:
    it = item("\udfff", "a \ud800 drone")
    (match,) = Matcher([Topic("t", "t", query="/dro.e/ OR /\ud800x/")]).match(it)
    assert [it.text[mark.start : mark.end] for mark in match.evidence] == ["drone"]


def test_of_many_alternatives_few_are_named() -> None:
    told = reasons(topic("(one|two|three|four|five|six) drone"), "a drone")
    assert told == 'none of "one", "two", "three", "four", … of "(one|two|three|…) drone" is there'


def test_the_little_words_of_a_phrase_do_not_make_it_nearer() -> None:
    (told,) = Matcher([topic(query='"pause in the strikes"')]).explain(item("", "A strike in the town"))
    (without,) = Matcher([topic(query='"pause strikes"')]).explain(item("", "A strike in the town"))
    assert told.nearness == without.nearness


def test_a_phrase_is_quoted_once_in_an_explanation() -> None:
    assert reasons(topic(query='"power grid"~5'), "power") == '"grid" of "power grid"~5 is not there'
    assert reasons(topic(query='"power grid"'), "grid power").startswith('the words of "power grid" do not')


def test_what_only_its_conditions_allow_is_far() -> None:
    watched = topic("missile", require=("drone",), exclude=("race",))
    (told,) = Matcher([watched]).explain(item("", "A drone was seen in the air"))
    assert told.nearness < 0.5


def test_the_explanation_puts_matches_first_and_near_misses_next() -> None:
    matcher = Matcher(
        [
            topic("missile", id="far"),
            topic("power grid", id="near"),
            topic("power", id="hit"),
            topic("is", id="low"),
        ]
    )
    found = matcher.explain(item("power is out"))
    assert [each.topic_id for each in found] == ["hit", "low", "near", "far"]
    assert [each.nearness for each in found][:2] == [1.0, 1.0]
    assert found[0].match is not None
    assert found[0].missing == ()


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_raises_and_offsets_always_slice_it(title: str, text: str) -> None:
    matcher = Matcher(
        [topic("a", "power grid", "1 2", query='aa* OR =b OR c~1 OR "x y"~3 OR /[0-9a]/', exclude=("zz",))]
    )
    read_item = item(title, text)
    for match in matcher.match(read_item):
        for each in match.evidence:
            assert 0 <= each.start < each.end <= len(getattr(read_item, each.field))
    matcher.explain(read_item)


def test_no_query_hangs_on_a_hostile_text() -> None:
    queries = ['"a a a a a a a a a a a a"~50', "/(a+)+$/", "aa* OR =a b", '"a b a b a b a b"']
    matcher = Matcher([topic(id=str(at), query=query) for at, query in enumerate(queries)])
    started = time.process_time()
    matcher.match(item("a b " * 2000, "a " * 5000))
    assert time.process_time() - started < 5


def test_further_spellings_of_a_name_have_nothing_to_do_with_a_designation_that_is_spelt_like_one() -> None:
    matcher = Matcher([topic("ЦУ")], names=[("SU", "ЦУ")])
    assert matcher.match(item("the SU said"))
    assert not matcher.match(item("Су сказав"))


def test_further_spellings_of_a_name_are_known_to_topics_and_texts() -> None:
    town = topic("Pokrovsk")
    text = item("", "Бої за Красноармійськ тривають")
    assert Matcher([town]).match(text) == ()
    (found,) = Matcher([town], names=[["Pokrovsk", "Красноармійськ"]]).match(text)
    assert found.evidence[0].keyword == "Pokrovsk"


@pytest.mark.parametrize(
    ("keyword", "yes", "no"),
    [
        ("немає світла", "У місті немає світла", "У місті багато світла"),
        ("no electricity", "There is no electricity in town", "Electricity is cheap"),
        ("down drone", "They down a drone", "A drone was sold"),
        ("without power", "Thousands without power", "Power returns"),
    ],
)
def test_a_little_word_that_changes_what_is_said_is_not_free(keyword: str, yes: str, no: str) -> None:
    matcher = Matcher([topic(keyword)])
    assert matcher.match(item(yes))
    assert not matcher.match(item(no))


@pytest.mark.parametrize(
    "text", ["ППО збила дрони", "Знищено 12 БПЛА", "БПЛА, які перехопили", "дрон збитий"]
)
def test_alternatives_stand_for_one_word_of_a_keyword(text: str) -> None:
    watched = topic("(збити|знищити | перехопити) (дрон|БПЛА)")
    assert matches(watched, text)
    assert not matches(watched, "збито, знищено, перехоплено")


def test_an_alternative_may_be_a_name_with_a_hyphen() -> None:
    watched = topic("shot (F-16|Su-34)")
    assert matches(watched, "They shot at an F16")
    assert matches(watched, "A Su-34 was shot")
    assert not matches(watched, "16 shots")


def test_alternatives_of_an_exact_phrase_are_found_as_they_are_spelt_only() -> None:
    watched = Topic("topic", "Topic", query='="(shot|F-16) down"')
    assert matches(watched, "It was shot down")
    assert matches(watched, "An F-16 down there")
    assert not matches(watched, "It shoots down")
    assert not matches(watched, "An F16 down there")


def test_the_evidence_of_alternatives_names_the_keyword_as_written() -> None:
    watched = topic("(shot|brought) drone")
    assert [each.keyword for each in matches(watched, "Drones were brought down").evidence] == [
        "(shot|brought) drone"
    ] * 2


@pytest.mark.parametrize(
    "text", ["(drone", "drone)", "(drone)", "(drone|", "(|drone)", "(drone|-)", "drone|", "|"]
)
def test_brackets_that_hold_no_alternatives_are_punctuation(text: str) -> None:
    assert bool(matches(topic(text), "A drone")) == ("drone" in text)


def test_an_explanation_names_all_alternatives() -> None:
    (told,) = Matcher([topic("(shot|brought) drone")]).explain(item("", "A drone came"))
    assert told.missing == ('none of "shot", "brought" of "(shot|brought) drone" is there',)


def test_a_word_that_fills_a_text_is_told_by_its_surest_places() -> None:
    found = matches(topic("drones"), "drone " * 20_000 + "drones")
    assert found.score == 100
    assert len(found.evidence) == MAX_EVIDENCE
    assert found.evidence[-1].how == "exact"
