"""Text is cut where a reader would cut it, and nowhere else."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.prose import clip, letter_start, letters, reach, sentences, tidy, utf16_len, word_start

TEXT = st.text(alphabet=st.characters(codec="utf-16"), max_size=200)
ANY = st.text(alphabet=st.characters(), max_size=200)  # lone surrogates as well
AWKWARD = st.lists(
    st.sampled_from(["e\u0301", "👩‍🚒", "👍🏽", "🇺🇦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "слово", " ", ". ", "\n", "עברית", "x"]),
    max_size=60,
).map("".join)


def split_up(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("No stop at the end", ["No stop at the end"]),
        ("The U.S. President spoke. He left.", ["The U.S. President spoke.", "He left."]),
        ("Gen. Staff of Ukraine, e.g. today, at 5.30 p.m. Kyiv time.", None),
        ("Mr. Speaker said “Stop.” Then he left.", ["Mr. Speaker said “Stop.”", "Then he left."]),
        ("Він сказав: «Годі!» і вийшов.", None),
        ("Він сказав: «Годі.» Потім вийшов.", ["Він сказав: «Годі.»", "Потім вийшов."]),
        ("Удар у м. Суми, обл. Сумська. Двоє поранені.", ["Удар у м. Суми, обл. Сумська.", "Двоє поранені."]),
        ("На вул. Шевченка, буд. 5, т. зв. «сіра» зона.", None),
        ("Жители ул. Ленина и г. Москва остались без света… Свет дадут к утру.",
         ["Жители ул. Ленина и г. Москва остались без света…", "Свет дадут к утру."]),
        ("В 2024 г. Указ подписан? Да!", ["В 2024 г. Указ подписан?", "Да!"]),
        ("First line\nsecond line\n\nThird. Fourth", ["First line", "second line", "Third.", "Fourth"]),
        ("⚡️ Увага! ⚡️ Тривога.", ["⚡️ Увага!", "⚡️ Тривога."]),
        ("Version 2.5 of the plan (see p. 7) is out.", None),
        ("Wait... what?", None),
        ("  spaces around.  Next.  ", ["spaces around.", "Next."]),
        ("", []),
        (" \n ", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_says_so(text: str, expected: list[str] | None) -> None:
    assert split_up(text) == ([text] if expected is None else expected)


@given(ANY)
def test_sentences_hold_all_that_is_not_white_space_in_order(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(split_up(text)).split()) == "".join(text.split())
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(ANY)
def test_tidy_text_keeps_its_length_and_can_be_sent(text: str) -> None:
    clean = tidy(text)
    assert len(clean) == len(text)
    clean.encode()
    assert tidy(clean) == clean
    assert not set(clean) & {"\x00", "\x1b", "\r", "\u202e", "\u2066", "\u2069"}


def test_tidy_text_keeps_line_breaks_joiners_and_marks() -> None:
    assert tidy("a\nб\u0301 👩‍🚒\u200f\ttab") == "a\nб\u0301 👩‍🚒\u200f tab"


@given(TEXT)
def test_the_length_is_that_of_utf_16(text: str) -> None:
    assert utf16_len(text) == len(text.encode("utf-16-le")) // 2


@given(TEXT, st.integers(0, 300))
def test_reach_takes_all_that_fits_and_no_more(text: str, units: int) -> None:
    count = reach(text, units)
    assert utf16_len(text[:count]) <= units
    assert count == len(text) or utf16_len(text[: count + 1]) > units


@given(TEXT | AWKWARD, st.integers(2, 300))
def test_a_clipped_text_fits_and_is_a_beginning(text: str, units: int) -> None:
    clipped = clip(text, units)
    assert utf16_len(clipped) <= units
    if clipped != text:
        assert clipped.endswith("…")
        assert text.startswith(clipped.removesuffix("…").rstrip())


@given(AWKWARD, st.integers(40, 120))
def test_a_clip_never_tears_a_letter(text: str, units: int) -> None:
    kept = clip(text, units)
    if kept != text:
        kept = kept.removesuffix("…").rstrip()
        ends = {sum(map(len, letters(text)[:count])) for count in range(len(letters(text)) + 1)}
        assert len(kept) in ends


def test_a_clip_prefers_the_end_of_a_sentence_then_of_a_word() -> None:
    text = "A first sentence stands here. A second one is cut off somewhere."
    assert clip(text, 40) == "A first sentence stands here. …"
    assert clip("Only words without any stop in them", 20) == "Only words without…"
    assert clip("x" * 50, 10) == "x" * 8 + "…"
    assert clip("short", 5) == "short"


@pytest.mark.parametrize("letter", ["e\u0301", "👩‍🚒", "👍🏽", "🇺🇦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❄️", "a", "їжак"[0]])
def test_a_letter_is_what_a_reader_sees(letter: str) -> None:
    assert letters(letter * 3) == [letter] * 3
    assert letter_start(letter * 3, len(letter) * 2) == len(letter) * 2
    for inside in range(len(letter) + 1, len(letter) * 2):
        assert letter_start(letter * 3, inside) == len(letter)


def test_an_endless_letter_is_cut_all_the_same() -> None:
    endless = "a" + "\u0301" * 100
    assert "".join(letters(endless)) == endless
    assert max(map(len, letters(endless))) == 32
    assert letter_start(endless, 50) == 50
    assert letter_start(endless, 3) == 0


@given(TEXT | AWKWARD)
def test_letters_are_the_whole_text(text: str) -> None:
    assert "".join(letters(text)) == text


def test_a_word_starts_after_white_space() -> None:
    text = "one two three"
    assert word_start(text, 9) == 8
    assert word_start(text, 8) == 8
    assert word_start(text, 7) == 7
    assert word_start(text, len(text)) == len(text)
    assert word_start("x" * 20, 9) == 9


def test_stops_without_end_take_no_time() -> None:
    began = process_time()
    assert sentences("One" + "." * 25_000 + "two. Three") == [(0, 25_007), (25_008, 25_013)]
    assert process_time() - began < 2  # where it grows with the square it is more than 5
