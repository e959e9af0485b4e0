"""Everything that was read can be found again, in any form and script, before and after it is indexed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import NOW, item, source, topic
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from test_adding import hears, house, says
from test_commands import STARLINK, House, labels

from monitor.commands import trends, watching
from monitor.config import Config
from monitor.engine import Engine
from monitor.matching import Matcher, finding, parse
from monitor.model import Item, Match
from monitor.store import Database, edits, items, search, shown
from monitor.text import language_of

__all__ = ["house"]

TEXTS = (
    "Дрони зі Старлінками над Харковом",
    "Starlink terminals in Kharkiv are switched off",
    "Энергосистема: удары дронов по Харькову",
    "A museum opens its new wing",
    "The drone's operator was in Kyiv",
    "Перемир'я на Великдень",
)


def stored(text: str, number: int) -> Item:
    published = NOW - timedelta(hours=number)
    return item(text, key=str(number), published=published, language=language_of(text), source_id="example")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    config = Config(path="config.toml", sources=(source("example"),), topics=(STARLINK,))
    async with Engine.open(config, tmp_path / "monitor.db", FakeClock(NOW)) as engine:
        for number, text in enumerate(reversed(TEXTS)):
            insert = partial(items.insert, item=stored(text, number), matches=(), found=NOW)
            await engine.store.write(insert)
        yield engine


async def candidates(engine: Engine, said: str) -> list[str]:
    words = finding.search_keys(finding.search_words(said))
    found = await engine.store.read(partial(search.candidates, words=words, limit=100))
    return [one.item.title for one in found]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("starlink kharkiv", {0, 1}),
        ("старлінк", {0, 1}),
        ("дрон Харків", {0, 2}),
        ("дронами", {0, 2}),
        ("drones", {4}),
        ("Київ", {4}),
        ("перемирʼя", {5}),
        ("museum wing", {3}),
        ("museum starlink", set()),
        ("zzz", set()),
    ],
)
async def test_the_index_finds_a_word_in_all_its_forms_and_in_the_other_script(
    engine: Engine, said: str, wanted: set[int]
) -> None:
    await engine.index()
    assert await engine.store.read(partial(search.unindexed, limit=10)) == []
    assert set(await candidates(engine, said)) == {TEXTS[number] for number in wanted}


async def test_what_is_not_indexed_yet_is_handed_out_all_the_same(engine: Engine) -> None:
    assert await candidates(engine, "museum") == list(TEXTS)
    await engine.index()
    late = stored("A museum burns", 99)
    await engine.store.write(partial(items.insert, item=late, matches=(), found=NOW))
    assert await candidates(engine, "museum") == ["A museum burns", TEXTS[3]]


async def test_what_was_edited_is_found_under_its_new_words_and_what_was_forgotten_no_more(
    engine: Engine,
) -> None:
    await engine.index()
    edited = replace(stored("", 2), title="A gallery opens", key="2")
    compare = partial(shown.compare, source_id="example", items=[edited], now=NOW)
    (edit,) = (await engine.store.read(compare)).edited
    await engine.store.write(partial(edits.revise, edit=edit, item=edited, matches=(), now=NOW))
    assert "A gallery opens" in await candidates(engine, "gallery")
    await engine.index()
    assert await candidates(engine, "gallery") == ["A gallery opens"]
    assert await candidates(engine, "museum") == []
    forget = partial(items.forget, before=NOW + timedelta(days=1), limit=100)
    assert await engine.store.write(forget) == len(TEXTS)
    await engine.index()
    rows = await engine.store.read(_left)
    assert rows == [0, 0]


def _left(db: Database) -> list[int]:
    """Return how many words are left in the index, and how many it still has to forget."""
    db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'item_words', 'row')")
    return [db.table(name).count for name in ("words", "stale_words")]


async def test_an_item_that_changes_while_it_is_indexed_is_indexed_again(engine: Engine) -> None:
    batch = await engine.store.read(partial(search.unindexed, limit=1))
    old = [batch[0]._replace(item=replace(batch[0].item, text="an older text"))]
    assert await engine.store.write(partial(search.index, entries=[(one, {"x"}) for one in old])) == 0
    assert (await engine.store.read(partial(search.unindexed, limit=1)))[0].id == batch[0].id


WORDS = [word for text in TEXTS for word in text.replace(":", " ").split()]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
def test_whatever_the_matcher_finds_the_index_finds_too(said: list[str]) -> None:
    words = finding.search_words(" ".join(said))
    if not words:
        return
    matcher = Matcher([finding.search_topic(words)])
    for text in TEXTS:
        if matcher.match(stored(text, 0)):
            keys = finding.text_keys(text, language_of(text))
            assert all(keys & wanted for wanted in finding.search_keys(words))


@given(st.text(max_size=80))
def test_whatever_is_searched_for_is_a_query_that_can_be_read(said: str) -> None:
    words = finding.search_words(said)
    for group in finding.search_keys(words):
        assert all(key and not set(key) & set("\"' :*()") for key in group)
    if words:
        Matcher([finding.search_topic(words)])


async def test_the_search_shows_who_said_it_and_when_page_by_page(house: House) -> None:
    for number in range(20):
        one = item(
            f"Bridge {number} is closed", key=str(number), published=NOW - timedelta(hours=20 - number)
        )
        await house.store.write(partial(items.insert, item=one, matches=(), found=NOW))
    first = await hears(house, "/search bridges")
    assert first.message
    shown = await says(house, "/search bridges")
    assert shown.startswith("“bridges”: 20 reports")
    assert "• Bridge 19 is closed — 🏛 Example News (official) · 1 hr. ago" in shown
    assert labels(first.message) == ["More"]
    second = await says(house, first.message.buttons[0][0].command)
    assert "Bridge 11 is closed" in second
    assert "Bridge 12" not in second
    assert "Bridge 0 is closed" in await says(house, "/search bridges #9")


async def test_a_long_search_turns_its_pages_too(house: House) -> None:
    words = " ".join(f"довгеслово{number}" for number in range(9))
    for number in range(9):
        one = item(f"{words} {number}", key=str(number))
        await house.store.write(partial(items.insert, item=one, matches=(), found=NOW))
    reply = await hears(house, f"/search {words}")
    assert reply.message
    (button,) = [button for row in reply.message.buttons for button in row]
    assert len(button.command.encode()) <= 64
    assert "довгеслово8 0" in await says(house, button.command)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("", "Write it behind /search"),
        ("the", "too little"),
        ('"*', "too little"),
        ("zzz", "Nothing that was read"),
    ],
)
async def test_a_search_that_finds_nothing_says_why(house: House, said: str, answer: str) -> None:
    assert answer in await says(house, f"/search {said}")


async def test_a_trend_compares_the_last_day_with_the_usual(house: House) -> None:
    match = Match("starlink", 100.0, ())
    ages = [
        *(timedelta(days=day, hours=1) for day in range(1, 13)),
        *(timedelta(hours=hour) for hour in range(6)),
    ]
    for number, age in enumerate(ages):
        one = item(f"Item {number}", key=str(number), published=NOW - age)
        await house.store.write(partial(items.insert, item=one, matches=[match], found=NOW))
    shown = await says(house, "/trend starlink")
    assert "6 reports in the last 24 hours: more than the usual 1 a day." in shown
    assert "▁▃▃▃▃▃▃▃▃▃▃▃▃█ day by day, the last 14: 0 to 6 each" in shown
    assert shown.count("█") == 7
    assert "Most from: Example News (18)" in shown
    assert "none before" in await says(house, "/trend ceasefire")


async def test_a_trend_without_a_topic_or_with_a_wrong_one_has_buttons(house: House) -> None:
    assert labels((await hears(house, "/trend")).message) == ["Starlink", "Pauses & ceasefires"]
    assert labels((await hears(house, "/trend starlnk")).message) == ["Starlink"]
    of_source = await hears(house, "/trend example")
    assert of_source.message
    assert "Example News</b> is a source" in of_source.message.html
    assert of_source.message.buttons[0][0].command == "/latest example"
    assert labels((await hears(house, "/trend qqqq")).message) == ["Starlink", "Pauses & ceasefires"]


def test_days_are_those_of_the_chat_and_hours_end_with_the_present_one() -> None:
    midnight = NOW.replace(hour=23)
    counts = [
        (midnight, "A", 2),
        (NOW, "A", 1),
        (NOW - timedelta(hours=23), "B", 4),
        (NOW - timedelta(days=30), "B", 9),
    ]
    later = midnight + timedelta(minutes=30)
    assert trends.by_day(counts, later, ZoneInfo("Europe/Kyiv"))[-3:] == [4, 1, 2]
    assert trends.by_day(counts, later, ZoneInfo("UTC"))[-2:] == [4, 3]
    assert trends.by_hour(counts, NOW + timedelta(minutes=59))[-1] == 1
    assert trends.by_hour(counts, NOW + timedelta(minutes=59))[0] == 4


@pytest.mark.parametrize(
    ("recent", "usual", "word"),
    [
        (0, 0, "first"),
        (5, 0, "first"),
        (4, 2, "more"),
        (1, 0.3, "same"),
        (2, 2, "same"),
        (1, 2, "less"),
        (0, 3, "less"),
    ],
)
def test_a_day_is_more_or_less_than_usual_from_twice_or_half_of_it(
    recent: int, usual: float, word: str
) -> None:
    assert trends.compared(recent, usual) == word


@pytest.mark.parametrize("said", ['"power grid"', "drone OR truce", "drone -race", "drone*", "lang:uk drone"])
async def test_a_search_with_operators_says_that_they_mean_nothing_there(house: House, said: str) -> None:
    assert "operators mean nothing" in await says(house, f"/search {said}")


@pytest.mark.parametrize("said", ["drone Kharkiv", "drone AND F-16", "drone and race", "10:30", "(drone"])
async def test_a_search_for_plain_words_says_nothing_of_operators(house: House, said: str) -> None:
    assert "operators" not in await says(house, f"/search {said}")


async def test_a_new_watch_says_what_it_would_have_found_within_a_week(house: House) -> None:
    house.config = replace(house.config, sources=(source("example", tags=("media",)),))
    for number, text in enumerate(TEXTS):
        await house.store.write(partial(items.insert, item=stored(text, number), matches=(), found=NOW))
    old = stored("Starlink, Starlink", 24 * 8)
    await house.store.write(partial(items.insert, item=old, matches=(), found=NOW))
    assert "7 days it would have found 2 reports" in await says(house, "/watch Starlink source:media -Kyiv")
    assert "7 days it would have found 0 reports" in await says(house, "/watch nothing")
    assert "would have found" not in await says(house, "/watch drone*")


async def test_what_a_common_watch_would_have_found_is_not_counted_to_the_end(house: House) -> None:
    def fill(db: Database) -> None:
        for number in range(watching.LOOKED_AT + 1):
            items.insert(db, item("A drone", key=f"{number}", source_id="example"), (), NOW)

    await house.store.write(fill)
    assert f"at least {watching.LOOKED_AT} reports" in await says(house, "/watch drone")


@pytest.mark.parametrize(
    "query",
    [
        "drone",
        "Starlink Kharkiv",
        "Starlink OR museum",
        '"Kharkiv off"~9 OR (drone Kyiv)',
        "title:(drone OR Starlink) -Kyiv",
        '"(wing|drone) operator"~2',
        '"the drone"',
        "=museum",
    ],
)
def test_whatever_a_query_finds_has_the_words_by_which_it_is_looked_up(query: str) -> None:
    groups = finding.query_keys(parse(query))
    matcher = Matcher([topic(id="t", query=query, fuzziness="strict")])
    found = [text for text in TEXTS if matcher.match(item(text))]
    assert groups
    assert found
    for text in found:
        words = finding.text_keys(text, language_of(text))
        assert all(group & words for group in groups)


@pytest.mark.parametrize("query", ["drone*", "/drone/", "drone~1 OR museum", "source:media"])
def test_a_query_without_words_of_its_own_is_not_looked_up(query: str) -> None:
    assert finding.query_keys(parse(query)) == []
