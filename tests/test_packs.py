from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from builders import item

from monitor.config import parse as config_of
from monitor.config.notes import of_topic
from monitor.matching import Matcher, packs, parse, review
from monitor.matching.packs import read
from monitor.text import fold, script_of

SAMPLES = Path(__file__).parent / "data" / "packs"
LEAST_SAMPLES = 6
EXPECTED = {
    "air-defence", "air-raid", "ceasefire", "drone-attack", "energy-grid", "nuclear-safety",
    "peace-talks", "prisoner-exchange", "sanctions", "severe-cold", "starlink",
}  # fmt: skip
UKRAINIAN, RUSSIAN = frozenset("іїєґ"), frozenset("ыэъё")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(packs().values())


def samples(kind: str) -> list[Any]:
    return [
        pytest.param(path.stem, text, id=f"{path.stem}-{language}-{text[:30]}")
        for path in sorted(SAMPLES.glob("*.toml"))
        for language, kinds in tomllib.loads(path.read_text(encoding="utf-8")).items()
        for text in kinds[kind]
    ]


def test_no_word_of_a_pack_is_one_that_check_notes() -> None:
    assert [note for pack in packs().values() for note in of_topic(pack)] == []


def test_all_eleven_packs_ship() -> None:
    assert set(packs()) == EXPECTED


def test_a_file_is_named_for_the_topic_in_it() -> None:
    folder = resources.files("monitor").joinpath("packs")
    names = {file.name: read(file.read_text(encoding="utf-8")).id for file in folder.iterdir()}
    assert all(name == f"{topic_id}.toml" for name, topic_id in names.items())


@pytest.mark.parametrize("topic_id", sorted(EXPECTED))
def test_a_pack_has_a_name_and_keywords_in_three_languages(topic_id: str) -> None:
    pack = packs()[topic_id]
    scripts = {script_of(word) for word in pack.keywords}
    letters = set(fold(" ".join(pack.keywords).lower().replace("ґ", "і")))
    assert pack.name
    assert {"latin", "cyrillic"} <= scripts
    assert letters & UKRAINIAN
    if topic_id != "starlink":  # Старлинк has no letter that only Russian has
        assert letters & RUSSIAN


@pytest.mark.parametrize("topic_id", sorted(EXPECTED))
def test_no_keyword_stands_twice(topic_id: str) -> None:
    keywords = [frozenset(fold(keyword).split()) for keyword in packs()[topic_id].keywords]
    assert len(keywords) == len(set(keywords))


@pytest.mark.parametrize("topic_id", sorted(EXPECTED))
def test_the_query_of_a_pack_can_be_read(topic_id: str) -> None:
    query = packs()[topic_id].query
    assert query is None or str(parse(query))


@pytest.mark.parametrize("topic_id", sorted(EXPECTED))
@pytest.mark.parametrize("kind", ["about", "not_about"])
def test_a_pack_has_samples_of_both_kinds_in_three_languages(topic_id: str, kind: str) -> None:
    told = tomllib.loads((SAMPLES / f"{topic_id}.toml").read_text(encoding="utf-8"))
    assert set(told) == {"en", "uk", "ru"}
    assert sum(len(told[language][kind]) for language in told) >= LEAST_SAMPLES


def test_no_pack_is_asked_of_items_in_which_no_word_of_it_stands(matcher: Matcher) -> None:
    assert [entry.topic_id for entry in matcher._index.always] == []


@pytest.mark.parametrize(("topic_id", "text"), samples("about"))
def test_a_pack_finds_what_it_is_about(matcher: Matcher, topic_id: str, text: str) -> None:
    assert topic_id in {match.topic_id for match in matcher.match(item("", text))}


@pytest.mark.parametrize(("topic_id", "text"), samples("not_about"))
def test_a_pack_leaves_look_alikes_alone(matcher: Matcher, topic_id: str, text: str) -> None:
    assert topic_id not in {match.topic_id for match in matcher.match(item("", text))}


@pytest.mark.parametrize(
    ("topic_id", "headline"),
    [
        ("ceasefire", "President asked for a one-week pause in strikes on Kyiv"),
        ("ceasefire", "Тижнева пауза в обстрілах"),
        ("ceasefire", "Недельная пауза в ударах по столице"),
        ("ceasefire", "Сторони припинили вогонь"),
        ("ceasefire", "Прекращён огонь по всей линии"),
        ("ceasefire", "Президент попросил неделю не бить по Киеву"),
        ("peace-talks", "Мирні перемовини почнуться в неділю"),
        ("starlink", "Starlnk service is stable, the regional administration says"),
        ("kyiv-heating", "У Києві пошкоджено котельню"),
    ],
)
def test_the_example_config_finds_the_headlines_that_it_is_for(topic_id: str, headline: str) -> None:
    path = Path(__file__).parent.parent / "config.example.toml"
    config = config_of(path.read_text(encoding="utf-8"), path=str(path), packs=packs(), check_query=review)
    assert topic_id in {match.topic_id for match in Matcher(config.topics).match(item(headline))}


def test_a_strike_of_workers_is_no_ceasefire(matcher: Matcher) -> None:
    for headline in (
        "Dock workers pause their strike after a new pay offer",
        "Union agrees to a one-week pause in strikes by train drivers",
    ):
        assert "ceasefire" not in {match.topic_id for match in matcher.match(item(headline))}
