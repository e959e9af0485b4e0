"""When two words are the same one: forms, names, typos, and all that only looks alike."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.alternatives import words
from monitor.matching.aliases import aliases
from monitor.matching.morphology import lexicon
from monitor.matching.typos import could_be_typo
from monitor.matching.words import (
    LEVELS,
    Word,
    analyse,
    compare,
    keys,
    keyword_keys,
    token_keys,
)

DATA = Path(__file__).parent / "data" / "words"
FORMS = tomllib.loads((DATA / "forms.toml").read_text(encoding="utf-8"))
LOOKALIKES = tomllib.loads((DATA / "lookalikes.toml").read_text(encoding="utf-8"))
CHANGING = tomllib.loads((DATA / "changing.toml").read_text(encoding="utf-8"))
LEAST = {"uk": 0.95, "ru": 0.95, "en": 0.97}


def how(keyword: str, token: str, language: str | None = None, fuzziness: str | int = "normal") -> str | None:
    found = compare(analyse(keyword), analyse(token, language), fuzziness)
    return found[0] if found else None


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(keyword, word) for keyword, words in table.items() for word in words.split()]


def test_the_lists_are_long_enough() -> None:
    assert sum(len(pairs(table)) for table in FORMS.values()) >= 1200
    assert sum(len(pairs(table)) for table in LOOKALIKES.values()) >= 500


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_words_that_change_within_match_their_dictionary_form(language: str) -> None:
    listed = pairs(CHANGING[language])
    missed = [
        pair
        for pair in listed
        if how(*pair, language, "strict") is None or how(*pair, None, "strict") is None
    ]
    assert len(listed) >= 250
    assert missed == []


@pytest.mark.parametrize("known", [True, False], ids=["language known", "language unknown"])
@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_the_usual_forms_match_their_dictionary_form(language: str, known: bool) -> None:  # noqa: FBT001 - a case of the test
    listed = pairs(FORMS[language])
    missed = [
        pair for pair in listed if how(*pair, language if known else None, "strict") not in {"exact", "form"}
    ]
    print(f"{language}: {len(listed) - len(missed)} of {len(listed)} forms")
    assert len(missed) <= (1 - LEAST[language]) * len(listed), missed


@pytest.mark.parametrize("known", [True, False], ids=["language known", "language unknown"])
@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_no_look_alike_matches(language: str, known: bool) -> None:  # noqa: FBT001 - a case of the test
    listed = pairs(LOOKALIKES[language])
    matched = [(pair, how(*pair, language if known else None)) for pair in listed]
    assert [pair for pair in matched if pair[1]] == []


@pytest.mark.parametrize(
    ("keyword", "token", "language", "expected"),
    [
        ("Starlink", "Starlink", "en", "exact"),
        ("Starlink", "STARLINK", "en", "exact"),
        ("Starlink", "#Starlink", "en", "exact"),
        ("Starlink", "Starlinkами", "uk", "form"),
        ("Starlink", "Starlink'и", "uk", "form"),
        ("Starlink", "Старлінками", "uk", "script"),
        ("Старлінк", "Starlink", "en", "script"),
        ("Tymoshenko", "Тимошенка", "uk", "script"),
        ("Колібрін", "Колибрином", "ru", "script"),
        ("Kyiv", "Києва", "uk", "script"),
        ("Kyiv", "Киеве", "ru", "script"),
        ("Харків", "Kharkov", "en", "script"),
        ("Zelensky", "Зеленському", "uk", "script"),
        ("UAV", "БПЛА", "ru", "script"),
        ("Sumy", "Сумах", "uk", "script"),
        ("Sumy", "сумах", "uk", None),
        ("Курськ", "Курске", "ru", "form"),
        ("Минск", "Мінську", "uk", "form"),
        ("Ірпінь", "Ирпеня", "ru", "form"),
        ("Вугледар", "Угледаром", "ru", "form"),
        ("Старокостянтинів", "Староконстантинове", "ru", "form"),
        ("Orikhiv", "Оріховом", "uk", "script"),
        ("Orikhiv", "орехов", "ru", None),
        ("Ізюм", "Изюмом", "ru", "form"),
        ("Ізюм", "изюмом", "ru", None),
        ("Mir", "мир", "uk", None),
        ("дрон", "drone", "en", None),
        ("F16", "F16", "en", "exact"),
        ("шахед", "шахедами", None, "form"),
        ("Haus", "Häuser", "de", None),
    ],
)
def test_names_match_across_scripts(keyword: str, token: str, language: str, expected: str | None) -> None:
    assert how(keyword, token, language) == expected


@pytest.mark.parametrize(
    ("keyword", "token", "language"),
    [
        ("Starlink", "Starlnk", "en"),
        ("Starlink", "Strarlink", "en"),
        ("Starlink", "Satrlink", "en"),
        ("ceasefire", "ceasefrie", "en"),
        ("drone", "droens", "en"),
        ("обмін", "обімну", "uk"),
        ("санкция", "сакнции", "ru"),
        ("перемир'я", "перемиря", "uk"),
        ("военнопленный", "воиннопленными", "ru"),
        ("електростанція", "електростнція", "uk"),
        ("безпілотник", "безпилотників", "uk"),
        ("Bayraktar", "Байрактор", "ru"),
    ],
)
def test_a_slip_in_a_long_word_matches(keyword: str, token: str, language: str) -> None:
    assert how(keyword, token, language) == "typo"
    assert how(keyword, token, language, "strict") is None


@pytest.mark.parametrize(
    ("keyword", "token"),
    [
        ("grid", "gird"),  # too short
        ("Starlink", "starling"),  # a bird
        ("Starlink", "Starlinc"),  # a change at the end
        ("Starlink", "Atarlink"),  # a change at the start
        ("прибульчик", "пробульчик"),  # another prefix
        ("домувити", "домузити"),  # a short verb
        ("ракета", "рокета"),  # a short stem
    ],
)
def test_what_makes_another_word_is_no_slip(keyword: str, token: str) -> None:
    assert how(keyword, token) is None


def test_loose_believes_in_more_slips_but_not_in_common_words() -> None:
    assert how("ракета", "рокета", "uk", "loose") == "typo"
    assert how("truce", "truck", "en", "loose") is None
    assert how("Starlink", "starlit", "en", "loose") is None


def test_a_least_score_may_stand_for_a_level() -> None:
    assert how("Starlink", "Starlnk", "en", 75) == how("Starlink", "Starlnk", "en", 80) == "typo"
    assert how("Starlink", "Starlnk", "en", 85) is None
    assert how("ракета", "ракети", "uk", "exact") is None
    assert how("ракета", "Ракета", "uk", "exact") == "exact"
    assert LEVELS["exact"] > LEVELS["strict"] > LEVELS["normal"] > LEVELS["loose"]


def test_a_common_word_is_no_name_and_known_as_such() -> None:
    word = analyse("удари", "uk")
    assert word.common
    assert not word.stop
    assert word.roman == frozenset()
    assert analyse("the", "en").stop
    assert not analyse("Старлінк", "uk").common


def test_a_name_of_several_words_is_written_in_all_its_spellings() -> None:
    names = aliases(
        [
            ["ОГП", "Офіс прокурора", "OGP"],
            ["Kryvyi Rih", "Кривбасград"],
            ["Iron Dome", "Залізний купол"],
            ["Iron Dome", "Железный купол"],
        ]
    )

    def written(phrase: str) -> list[str]:
        return ["_".join("|".join(each) for each in way) for way in names.written(words(phrase))]

    assert written("black cat") == ["black_cat"]
    assert written("ОГП") == ["ОГП", "Офіс прокурора"]
    assert written("#ОГП,") == ["#ОГП,", "Офіс прокурора"]
    assert written("офіс Прокурора діє") == ["офіс_Прокурора_діє", "огп_діє"]  # for both of one word
    assert written("(in|near) Black Sea port") == [
        "in|near_Black_Sea_port",
        "in|near_Чорне море|Черное море_port",
    ]
    assert written("Iron Dome") == ["Iron_Dome", "Залізний купол|Железный купол"]
    assert "Чорне море|Черное море_Білий дім|Белый дом" in written("«Black Sea», White House")
    assert len(written("ОГП " * 1_000)) == 32


def test_an_inflected_keyword_finds_the_other_forms() -> None:
    assert how("санкций", "санкции", "ru") == "form"
    assert how("дронами", "дрона", "uk") == "form"
    assert how("збили", "збито", "uk") == "form"


def test_a_word_of_another_language_falls_back_on_its_stemmer() -> None:
    assert compare(analyse("Rakete", "de"), analyse("Raketen", "de")) == ("form", 98.0)


def test_further_aliases_extend_the_table() -> None:
    names = aliases([["Kyiv", "Kijów"], ["Bohdan", "Богдан"]])
    assert compare(analyse("Kijów", None, names), analyse("Києві", "uk", names)) == ("script", 96.0)
    assert compare(analyse("Kijów"), analyse("Києві", "uk")) is None
    assert compare(analyse("Bohdan", None, names), analyse("Богданом", "uk", names)) == ("script", 96.0)
    assert aliases() is aliases({})


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_the_lists_of_common_words_are_sorted_and_each_word_stands_once(language: str) -> None:
    path = Path(__file__).parent.parent / "monitor" / "matching" / "data" / f"common_{language}.txt"
    words = path.read_text(encoding="utf-8").partition("\n")[2].split()
    assert words == sorted(set(words))
    assert len(lexicon(language).words) > 2000


def every_word() -> list[tuple[Word, Word]]:
    listed = [
        (analyse(keyword), analyse(word, language))
        for table in (FORMS, LOOKALIKES)
        for language, words in table.items()
        for keyword, word in pairs(words)
    ]
    return (
        listed
        + [(analyse("Starlink"), analyse(word, "uk")) for word in ("Старлінку", "Starlnk", "Старлинкс")]
        + [(analyse("Старлінк"), analyse("Starlnk", "en"))]
    )


@pytest.mark.parametrize("fuzziness", ["strict", "normal", "loose"])
def test_words_that_match_share_a_key(fuzziness: str) -> None:
    for keyword, token in every_word():
        if compare(keyword, token, fuzziness):
            assert keyword_keys(keyword, fuzziness) & token_keys(token), (keyword.folded, token.folded)


@given(
    st.one_of(st.text(), st.text("абвеийїлньсєтяьти'yes", max_size=6)),
    st.sampled_from(["uk", "ru", "en", "de", "xx", None]),
)
@example("елти", "uk")
def test_no_word_is_too_strange(text: str, language: str | None) -> None:
    word = analyse(text, language)
    assert word.stems
    assert word.heads
    assert compare(word, word) == ("exact", 100.0)
    assert keyword_keys(word, "strict") <= keys(word)


@given(
    st.text("старлінкиетоьв'йц", min_size=3, max_size=14),
    st.text("старлінкиетоьв'йц", min_size=3, max_size=14),
    st.integers(0, 13),
    st.sampled_from(["loose", "normal", 75]),
)
def test_any_two_words_that_match_share_a_key(one: str, other: str, at: int, fuzziness: str | int) -> None:
    slips = (
        one[:at] + one[at + 1 :],
        one[:at] + one[at : at + 2][::-1] + one[at + 2 :],
        one[:at] + other[:1] + one[at:],
        one[:at] + other[:1] + one[at + 1 :],
    )
    keyword = analyse(one)
    for word in (other, *slips):
        token = analyse(word, "uk")
        if compare(keyword, token, fuzziness):
            assert keyword_keys(keyword, fuzziness) & token_keys(token), word


@given(st.text("abcde", min_size=2, max_size=10), st.text("abcde", min_size=2, max_size=10))
def test_asking_for_a_slip_never_fails(word: str, other: str) -> None:
    if word != other:
        assert could_be_typo(word, other, "m") in {True, False}


@pytest.mark.parametrize("word", ["ти", "тися", "ся", "ь", "'", "й", "чь", "s", "ed", "ing", "'s", "#", ""])
@pytest.mark.parametrize("language", ["uk", "ru", "en", None])
def test_an_ending_alone_is_a_word_too(word: str, language: str | None) -> None:
    assert how(word, word, language) == "exact"


@pytest.mark.parametrize(
    ("keyword", "token", "language"),
    [
        ("відключень", "відключення", "uk"),
        ("електропостачанням", "електропостачання", "uk"),
        ("электроснабжением", "электроснабжения", "ru"),
        ("ядерної", "ядерну", "uk"),
        ("договір", "договору", "uk"),
    ],
)
def test_a_keyword_may_be_written_in_any_case(keyword: str, token: str, language: str) -> None:
    assert how(keyword, token, language) == "form"


@pytest.mark.parametrize(
    ("surname", "of_noun", "latin", "of_surname"),
    [
        ("Песков", "песком", "Peskov", "Песковым"),
        ("Волков", "волки", "Volkov", "Волкова"),
        ("Орлов", "орлы", "Orlov", "Орлову"),
        ("Зайцев", "зайцы", "Zaitsev", "Зайцева"),
        ("Королев", "королевой", "Korolev", "Королеву"),
    ],
)
def test_a_surname_with_its_capital_is_no_form_of_a_noun(
    surname: str, of_noun: str, latin: str, of_surname: str
) -> None:
    assert how(surname, of_noun, "ru") is None
    assert how(surname, of_surname, "ru") == "form"
    assert how(surname, latin, "en") == "script"
    assert how(latin, surname, "ru") == how(latin, of_surname, "ru") == "script"
    assert how(surname.lower(), of_noun, "ru") == how(surname.upper(), of_noun, "ru") == "form"


def test_a_surname_is_told_from_the_name_of_its_noun() -> None:
    assert how("Chin", "Чинов", "ru") is None
    assert how("Chinov", "Чинов", "ru") == "script"


def test_a_capital_leaves_a_noun_that_ends_like_a_surname_a_noun() -> None:
    assert how("Остров", "острова", "ru") == how("Гнев", "гневом", "ru") == "form"
    assert analyse("Остров", "ru").common
    assert how("слово", "Слов", "ru") == how("мороз", "Морозов", "ru") == "form"


def test_a_letter_more_that_makes_another_prefix_is_no_slip() -> None:
    assert compare(analyse("поддержка"), analyse("подддержка", "ru")) is None


def test_a_slip_in_a_verb_is_believed_in_longer_stems_only() -> None:
    assert could_be_typo("зрила", "зирла", "f")
    assert not could_be_typo("зрила", "зирла", "v")
