"""The bot's own words, one catalogue a language.

A catalogue is `monitor/locale/<language>.toml`: Telegram HTML with facts in braces. A fact is escaped
unless it is already `Safe`, so that nothing from outside reaches a message as markup. A phrase that
depends on a number is a table of plural forms, chosen by the fact `count`. A new language is a new
file with the keys of `en.toml`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from babel import Locale

from monitor.markup import Safe, isolated
from monitor.prose import tidy

FALLBACK = "en"

_Phrase = str | dict[str, str]


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, _Phrase]:
    """Return the phrases of nested tables by their dotted names; a table of plural forms stays whole."""
    phrases: dict[str, _Phrase] = {}
    for name, value in table.items():
        if isinstance(value, dict) and not ({"one", "other", "few", "many"} & set(value)):
            phrases |= _flat(value, f"{prefix}{name}.")
        else:
            phrases[prefix + name] = value
    return phrases


def _catalogues() -> dict[str, dict[str, _Phrase]]:
    """Return every catalogue that ships with the package, the fallback first."""
    files = [
        file
        for file in resources.files("monitor").joinpath("locale").iterdir()
        if file.name.endswith(".toml")
    ]
    found = {file.name.removesuffix(".toml"): _flat(tomllib.loads(file.read_text("utf-8"))) for file in files}
    return dict(sorted(found.items(), key=lambda entry: (entry[0] != FALLBACK, entry[0])))


CATALOGUES = _catalogues()
LANGUAGES: tuple[str, ...] = tuple(CATALOGUES)
"""The languages that the bot speaks, as ISO 639-1 codes; the fallback is the first."""

_LOCALES = {language: Locale.parse(language) for language in LANGUAGES}


def spoken(language: str | None) -> str:
    """Return the language that serves a language tag (RFC 5646: "uk", "uk-UA"), English where none does."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    return code if code in CATALOGUES else FALLBACK


@cache
def _codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale(FALLBACK).languages) if len(code) == len(FALLBACK))


def is_language(code: str) -> bool:
    """Tell whether a language has this code in ISO 639-1."""
    return code in _codes()


def say(language: str | None, key: str, /, **facts: object) -> Safe:
    """Return a phrase as Telegram HTML, with the facts escaped except those that are `Safe`.

    What is not is outside text, so that control characters become spaces, and text with right-to-left
    letters stands in isolation from the words around it.

    Raises `KeyError` for a key that no catalogue has and for a missing fact: both are bugs.
    """
    language = spoken(language)
    phrase = CATALOGUES[language][key]
    if isinstance(phrase, dict):
        phrase = phrase[_LOCALES[language].plural_form(int(str(facts["count"])))]
    shown = {
        name: fact if isinstance(fact, Safe) else isolated(tidy(str(fact))) for name, fact in facts.items()
    }
    return Safe(phrase.format_map(shown))
