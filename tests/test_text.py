"""Tokens, folding, scripts, romanisation and languages, as the matcher needs them."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.text import fold, is_function_word, language_of, romanise, romanised, script_of, tokens

ALPHABET = "aбвїйґ’'ʼ#@_-.,:/ 5%ЄёCtТ\u0301\u0306\u0308\u00ad\u200b\ufb01\u0130ßhtps"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.text, token.kind) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("прем'єр-міністр", [("прем'єр", "word"), ("міністр", "word")]),
        ("об’єкт памʼяті", [("об’єкт", "word"), ("памʼяті", "word")]),
        ("'quoted' Ukraine's", [("quoted", "word"), ("Ukraine's", "word")]),
        ("Су-57, F-16", [("Су", "word"), ("57", "number"), ("F", "word"), ("16", "number")]),
        ("Shahed-136", [("Shahed", "word"), ("136", "number")]),
        ("5G 9М729", [("5G", "word"), ("9М729", "word")]),
        ("5 км, 12,5 %", [("5", "number"), ("км", "word"), ("12,5 %", "number")]),
        ("за́мок", [("за́мок", "word")]),
        ("#Старлінк!", [("#Старлінк", "hashtag")]),
        ("#повітряна_тривога", [("#повітряна", "hashtag"), ("тривога", "hashtag")]),
        ("@zedigital пише", [("@zedigital", "mention"), ("пише", "word")]),
        ("див. https://t.me/starlink/1.", [("див", "word"), ("https://t.me/starlink/1", "url")]),
        ("press@example.com", [("press@example.com", "url")]),
        ("(t.me/example)", [("t.me/example", "url")]),
        ("example.com", [("example.com", "url")]),
    ],
)
def test_a_text_gives_its_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@given(st.one_of(st.text(), st.text(ALPHABET)))
def test_tokens_slice_the_original_and_never_overlap(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert text[token.start : token.end] == token.text != ""
        assert token.start >= end
        end = token.end


@given(st.one_of(st.text(), st.text(ALPHABET)))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("part", ["_", "-", "a-", "a.", "a_", "е", "ё", "a@", "www."])
def test_no_text_takes_a_time_that_grows_with_the_square_of_its_length(part: str) -> None:
    began = process_time()
    tokens(part * 25_000)
    fold(part * 25_000)
    assert process_time() - began < 2  # a twentieth of that is usual, and the square takes 5 and more


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    romanise(fold(text))
    assert script_of(text) in {"latin", "cyrillic", "mixed", "other"}
    assert language_of(text) in {"en", "uk", "ru", None}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("СТАРЛІНК", "старлінк"),
        ("Її йод", "її йод"),
        ("и\u0306", "й"),
        ("Ёлка", "елка"),
        ("ґанок", "ганок"),
        ("за́мок", "замок"),
        ("Café", "cafe"),
        ("об’єкт обʼєкт", "об'єкт об'єкт"),
        ("Star\u00adlink\u200b", "starlink"),
        ("\ufb01re", "fire"),
        ("Cтарлінк", "старлінк"),  # a Latin C
        ("дpон", "дрон"),  # a Latin p
        ("dronе", "drone"),  # a Cyrillic е
        ("Starlinkами", "starlinkами"),  # nothing to mend: two scripts on purpose
    ],
)
def test_folding_keeps_what_a_reader_tells_apart(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("word", "script"),
    [
        ("Starlink", "latin"),
        ("Їжак", "cyrillic"),
        ("Starlinkами", "mixed"),
        ("57", "other"),
        ("Ørsted", "latin"),
    ],
)
def test_the_script_is_that_of_the_letters(word: str, script: str) -> None:
    assert script_of(word) == script


@pytest.mark.parametrize(
    "spellings",
    [
        "Starlink Старлінк Старлинк",
        "Kharkiv Харків",
        "Zelensky Zelenskyy Зеленський Зеленский",
        "Zaporizhzhia Запоріжжя",
        "Luhansk Lugansk Луганськ",
        "Yermak Єрмак Ермак",
        "Macron Макрон",
        "Shahed шахед",
        "Witkoff Віткофф",
        "Cincinnati Сінсіннаті",
    ],
)
def test_spellings_of_a_name_sound_the_same(spellings: str) -> None:
    assert len({romanise(fold(word)) for word in spellings.split()}) == 1


def test_different_names_sound_different() -> None:
    assert romanise("суми") != romanise("сума")
    assert romanise("війна") != romanise("вина")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Вибух у місті", "uk"),
        ("Атака на Київ", "uk"),
        ("Переговоры о мире", "ru"),
        ("Удар по складу, есть пострадавшие", "ru"),
        ("Президент заявив про це", "uk"),
        ("Старлинк снова работает в районе города.", "ru"),
        ("Сегодня восстановлена связь во всем районе области", "ru"),
        ("Взрыв прогремел в порту города", "ru"),
        ("Авто вдарило в паркан, водій заявив про втому", "uk"),
        ("Уламок дрона впав на дах, а господар сказав про це згодом", "uk"),
        ("Збили ворожого дрона над морем атакою з повороту", "uk"),
        ("Дрони СБУ вдарили по Сизранському НПЗ", "uk"),
        ("Drone attack on the power grid", "en"),
        ("Naïve plans of the government", "en"),
        ("Übergabe für München", None),
        ("Starlink down", "en"),
        ("Die Ukraine und das Abkommen", None),
        ("Ракетами", None),
        ("12:30", None),
        ("", None),
    ],
)
def test_a_language_is_known_from_little(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_function_words_of_all_three_languages_are_known() -> None:
    assert all(map(is_function_word, ("the", "та", "что", "and", "і", "и")))
    assert not any(map(is_function_word, ("drone", "дрон")))


@given(st.lists(st.text("абийіїсцшщжчюя'ь", min_size=1, max_size=8), min_size=1, max_size=5))
@example(["ррий", "жж", "їі"])
def test_words_sound_together_as_each_does_alone(words: list[str]) -> None:
    assert romanised(words) == [romanise(word) for word in words]
