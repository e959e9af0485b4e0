"""Readers of single values: each returns what its key means, or says what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from rapidfuzz import fuzz, process

from monitor.config.durations import TooLong, format_duration, parse_duration
from monitor.phrases import is_language
from monitor.text import fold, romanise

Reader = Callable[[object], Any]
"""Takes a TOML value and returns what its key means; raises `Wrong`."""

BEYOND_IDS = 2**52
"""User ids have at most 52 significant bits (Bot API, "User")."""
LONGEST_ID = 40
BOT_LANGUAGES = ("en", "uk", "ru")
FUZZINESS = ("exact", "strict", "normal", "loose")
HIGHEST_SCORE = 100
LOWEST_LIKENESS = 60
LONGEST_SHOWN = 60
LONGEST_NAME = 100

_ID = re.compile(rf"[a-z0-9-]{{1,{LONGEST_ID}}}")
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (str, "a string"),
    (int, "a number"),
    (float, "a number with a fraction"),
    (list, "a list"),
    (dict, "a table"),
)


class Wrong(Exception):
    """A value that is not what its key wants."""

    def __init__(self, *problems: tuple[tuple[int, ...], str]) -> None:
        """Keep each problem with the way to it inside the value: (2,) is the third of a list."""
        super().__init__(*problems)
        self.problems = problems


def wrong(problem: str) -> Wrong:
    """Return the error for a value that is wrong as a whole."""
    return Wrong(((), problem))


def kind_of(value: object) -> str:
    """Return what a TOML value is, in plain words."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a date or time")


def quoted(value: str) -> str:
    """Return a text between double quotes, on one line and not too long to read."""
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST_SHOWN else f'{shown[:LONGEST_SHOWN]}..."'


def likeliest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that `word` is most likely meant for; None where none is near."""
    found = process.extractOne(str(word).lower(), known, scorer=fuzz.ratio, score_cutoff=LOWEST_LIKENESS)
    return found[0] if found else None


def nearest(word: object, known: Iterable[str]) -> str:
    """Return a sentence that names the known word that `word` is nearest to, or all where none is near."""
    words = list(known)
    near = likeliest(word, words)
    if near is not None:
        return f'did you mean "{near}"?'
    return (
        "it can be " + ", ".join(f'"{each}"' for each in words) if words else "there is none to choose from"
    )


def string(value: object) -> str:
    """Return a string that holds more than blanks, without those at its ends."""
    if not isinstance(value, str):
        raise wrong(f"expected a string in quotes, not {kind_of(value)}")
    if not value.strip():
        raise wrong("is empty: write something between the quotes or leave the key out")
    return value.strip()


def name(value: object) -> str:
    """Return what readers see of a thing, on one line of at most 100 characters."""
    shown = string(value)
    if len(shown) > LONGEST_NAME or len(shown.splitlines()) > 1:
        raise wrong(
            f"is too long to be shown in lists and on buttons: at most {LONGEST_NAME} characters on one line"
        )
    return shown


def boolean(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise wrong(f"expected true or false without quotes, not {kind_of(value)}")
    return value


def whole(least: int, most: int) -> Reader:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(
                f"expected a whole number from {least} to {most} without quotes, not {kind_of(value)}"
            )
        if not least <= value <= most:
            raise wrong(f"is out of range: expected a whole number from {least} to {most}")
        return value

    return read


def length(least: str, most: str) -> Reader:
    """Return a reader of durations from `least` to `most`."""
    shortest, longest = parse_duration(least), parse_duration(most)

    def read(value: object) -> timedelta:
        if not isinstance(value, str):
            raise wrong(f'expected a duration in quotes such as "2m", not {kind_of(value)}')
        try:
            duration = parse_duration(value)
        except TooLong:
            duration = timedelta.max
        except ValueError as error:
            raise wrong(str(error)) from None
        if not shortest <= duration <= longest:
            limits = f'"{format_duration(shortest)}" to "{format_duration(longest)}"'
            raise wrong(f"{quoted(value)} is out of range: expected {limits}")
        return duration

    return read


def one_of(*known: str) -> Reader:
    """Return a reader of an enumeration that names the nearest of its words for an unknown one."""

    def read(value: object) -> str:
        word = string(value)
        if word not in known:
            raise wrong(f"{quoted(word)} is unknown: {nearest(word, known)}")
        return word

    return read


def each(reader: Reader, *, least: int = 0) -> Reader:
    """Return a reader of lists of at least `least` elements that `reader` reads one by one."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise wrong(f"expected a list in square brackets, not {kind_of(value)}")
        if len(value) < least:
            raise wrong(f"expected a list of at least {least}, not of {len(value)}")
        found: list[Any] = []
        problems: list[tuple[tuple[int, ...], str]] = []
        for index, element in enumerate(value):
            try:
                found.append(reader(element))
            except Wrong as error:
                problems += [((index, *way), problem) for way, problem in error.problems]
        if problems:
            raise Wrong(*problems)
        return tuple(found)

    return read


def user_id(value: object) -> int:
    """Return the number of a Telegram user, who is a person: groups and channels have negative ones."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(f"expected a numeric user id without quotes, not {kind_of(value)}: /start names it")
    if not 0 < value < BEYOND_IDS:
        raise wrong("is no user id: those of people are positive numbers, as /start names them")
    return value


def identifier(value: object) -> str:
    """Return an id: small Latin letters, digits and hyphens, at most 40 of them."""
    word = string(value)
    if not _ID.fullmatch(word):
        example = f', such as "{as_id(word)}"' if as_id(word) else ""
        raise wrong(
            f"{quoted(word)} is no id: use at most {LONGEST_ID} of the characters a-z, 0-9 and -{example}"
        )
    return word


def as_id(word: str) -> str:
    """Return the id that is the most like a word: the word itself where it is one, "" where there is none."""
    if _ID.fullmatch(word):
        return word
    plain = word.lower() if word.isascii() else romanise(fold(word))
    return _NOT_OF_AN_ID.sub("-", plain).strip("-")[:LONGEST_ID].rstrip("-")


def keyword(value: object) -> str:
    """Return a word or phrase that has at least one letter or digit to be found by."""
    phrase = string(value)
    if not any(character.isalnum() for character in phrase):
        raise wrong(f"{quoted(phrase)} holds no letter and no digit, so that nothing can match it")
    return phrase


def token(value: object) -> str:
    """Return a bot token: the bot's number, a colon, and the secret (Bot API, "Authorizing your bot").

    The message of the error never repeats the value, which may be most of a real token.
    """
    if not isinstance(value, str):
        raise wrong(f"expected a string in quotes, not {kind_of(value)}")
    if not _TOKEN.fullmatch(value):
        raise wrong(
            'cannot be a token: BotFather gives one like "123456789:" and 35 letters, digits, - and _'
        )
    return value


def fuzziness(value: object) -> str | int:
    """Return one of the four names, or a least score from 0 to 100."""
    if isinstance(value, int) and not isinstance(value, bool):
        score: int = whole(0, HIGHEST_SCORE)(value)
        return score
    if not isinstance(value, str):
        raise wrong(f'expected "normal" or the like, or a whole number from 0 to 100, not {kind_of(value)}')
    name: str = one_of(*FUZZINESS)(value)
    return name


def language(value: object) -> str:
    """Return the ISO 639-1 code of a language."""
    code = string(value)
    if not is_language(code):
        raise wrong(f'{quoted(code)} is no ISO 639-1 code: write "uk" for Ukrainian or "en" for English')
    return code
