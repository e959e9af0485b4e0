"""The bot says the same things in every language, and nobody else can make it say more."""

from __future__ import annotations

from string import Formatter

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from telegram_html import parse

from monitor.markup import Safe, plain
from monitor.phrases import CATALOGUES, FALLBACK, LANGUAGES, say, spoken
from monitor.prose import tidy

KEYS = sorted(CATALOGUES[FALLBACK])


def forms(language: str, key: str) -> list[str]:
    phrase = CATALOGUES[language][key]
    return list(phrase.values()) if isinstance(phrase, dict) else [phrase]


def placeholders(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}


def facts(key: str) -> dict[str, object]:
    """Something for every placeholder of a phrase, in any language."""
    return {name: 3 for language in LANGUAGES for form in forms(language, key) for name in placeholders(form)}


def test_the_bot_speaks_english_ukrainian_and_russian() -> None:
    assert set(LANGUAGES) >= {"en", "uk", "ru"}
    assert LANGUAGES[0] == FALLBACK


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language: str) -> None:
    assert set(CATALOGUES[language]) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_uses_the_same_facts(language: str, key: str) -> None:
    in_english = set().union(*(placeholders(form) for form in forms(FALLBACK, key)))
    plural = isinstance(CATALOGUES[FALLBACK][key], dict)
    assert isinstance(CATALOGUES[language][key], dict) == plural
    for form in forms(language, key):
        left_out = in_english - placeholders(form)
        assert placeholders(form) <= in_english
        assert left_out <= ({"count"} if plural else set()), "only a plural form may leave out its number"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_the_forms_that_whole_numbers_take(language: str) -> None:
    rule = Locale.parse(language).plural_form
    needed = {rule(number) for number in range(200)}
    for phrase in CATALOGUES[language].values():
        assert not isinstance(phrase, dict) or needed <= set(phrase) <= {*needed, "other"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_every_phrase_can_be_sent(language: str, key: str) -> None:
    said = say(language, key, **{**facts(key), "count": 1})
    text, _ = parse(said)
    assert text
    assert text == plain(said).strip()


def test_a_number_chooses_the_form() -> None:
    said = [plain(say("uk", "digest.heading", count=count)) for count in (1, 2, 5, 11, 21, 104)]
    assert said == ["1 новина", "2 новини", "5 новин", "11 новин", "21 новина", "104 новини"]
    assert plain(say("en", "digest.heading", count=1)) == "1 story"


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_fact_from_outside_is_shown_letter_by_letter(fact: str) -> None:
    said = say("en", "alert.source", source=fact)
    shown, entities = parse(said)
    bare = [text.strip().strip("\u2068\u2069").strip() for text in (shown, tidy(fact))]
    assert (bare[0], entities) == (bare[1], ())


def test_a_fact_from_outside_does_not_reorder_the_words_around_it() -> None:
    assert say("en", "arrival.back") == say("en", "arrival.back", title="x")
    said = say("en", "alert.source", source="\u202eשלום\u2066")
    assert said == "\u2068 שלום \u2069"


def test_a_fact_may_hold_braces() -> None:
    assert say("en", "alert.source", source="{source} {0} {") == "{source} {0} {"


def test_a_fact_that_is_markup_already_stays_markup() -> None:
    assert say("en", "alert.source", source=Safe("<b>x</b>")) == "<b>x</b>"
    assert say("en", "alert.source", source=say("en", "alert.official", source="&")) == "🏛 &amp; (official)"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("uk", "uk"), ("uk-UA", "uk"), ("RU_ru", "ru"), ("de", "en"), ("", "en"), (None, "en"), ("u", "en")],
)
def test_a_language_that_the_bot_does_not_speak_is_answered_in_english(
    tag: str | None, language: str
) -> None:
    assert spoken(tag) == language
    assert say(tag, "name") == say(language, "name")


def test_an_unknown_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        say("en", "no.such.key")
