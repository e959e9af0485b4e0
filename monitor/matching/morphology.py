"""Readings of a word form in its language, and the words that each language is known to have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import snowballstemmer

from monitor.matching import morphology_en, morphology_ru, morphology_slavic, morphology_uk
from monitor.text import Script, fold

Readings = tuple[frozenset[str], frozenset[str]]

_GRAMMARS = {"uk": morphology_uk.GRAMMAR, "ru": morphology_ru.GRAMMAR}
_UKRAINIAN = re.compile("[іїє']")
_RUSSIAN = re.compile("[ыэъ]")
_CLOSING = frozenset("кцнлрть")  # the ends of nominatives that a vowel may have slipped into
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BORROWED = re.compile(r"([a-z]{3,})'?([а-яіїє]{1,4})")  # "Starlinkами", "Starlink'и"
_NUMBERED = re.compile(r"([^\W\d_]{0,4}\d{1,4})([^\W\d_]{1,4}\d{0,2}s?)")  # "16s" of F-16, "300пму2" of С-300
_FALLBACK = dict(
    pair.split("=")
    for pair in (
        "de=german fr=french es=spanish it=italian pt=portuguese pl=polish nl=dutch ro=romanian sv=swedish"
        " fi=finnish cs=czech tr=turkish no=norwegian da=danish hu=hungarian lt=lithuanian et=estonian"
    ).split()
)


def readings(folded: str, script: Script, language: str | None) -> Readings:
    """Return every reading of a folded word, and those that it has as a dictionary form.

    The second set is never empty: a word that is no dictionary form is meant in all its readings.
    """
    if not _PLAIN_WORD.fullmatch(folded):
        return _numbered(folded)
    if script == "cyrillic":
        return _cyrillic(folded, language)
    if script == "latin":
        return _latin(folded, language)
    borrowed = _BORROWED.fullmatch(folded)
    return _latin(borrowed[1], "en") if borrowed else _cyrillic(folded, language)


def _numbered(folded: str) -> Readings:
    """Return the readings of a word with a digit: also without the letters of a version, or a plural."""
    found = _NUMBERED.fullmatch(folded)
    if not found:
        return _itself(folded)
    every = frozenset({folded, folded.removesuffix("s"), found[1]})
    return every, every if found[2] == "s" else frozenset({folded})


def _itself(folded: str) -> Readings:
    """Return the readings of what has only one form."""
    alone = frozenset({folded})
    return alone, alone


def _latin(folded: str, language: str | None) -> Readings:
    """Return the readings of a word in Latin letters."""
    if language in _FALLBACK:
        return _itself(snowballstemmer.stemmer(_FALLBACK[language]).stemWord(folded))
    bare = folded.removesuffix("'s")
    found = morphology_en.readings(bare) | irregular("en").get(bare, frozenset())
    every = frozenset(f"{base}:e" for base in found)
    return every, every


def languages(folded: str, language: str | None) -> tuple[str, ...]:
    """Return the languages that a folded Cyrillic word may be of, going by its letters first."""
    if _UKRAINIAN.search(folded):
        return ("uk",)
    if _RUSSIAN.search(folded):
        return ("ru",)
    return (language,) if language in _GRAMMARS else ("uk", "ru")


def _cyrillic(folded: str, language: str | None) -> Readings:
    """Return the readings of a word in Cyrillic letters."""
    every: set[str] = set()
    heads: set[str] = set()
    for name in languages(folded, language):
        found, first = morphology_slavic.readings(folded, _GRAMMARS[name])
        listed = irregular(name).get(folded, frozenset()) | _irregular_reflexive(folded, name)
        every |= found | listed
        heads |= first | listed
    if not every:
        return _itself(folded)
    return frozenset(every), frozenset(heads or every)


def _irregular_reflexive(folded: str, language: str) -> frozenset[str]:
    """Return the verbs that have a reflexive form which is irregular without its end: "зустрінеться"."""
    forms = morphology_slavic.without_reflexive(folded)
    verbs = {reading for form in forms if form != folded for reading in irregular(language).get(form, ())}
    return frozenset(reading for reading in verbs if reading.endswith(":v"))


@lru_cache(maxsize=3)
def irregular(language: str) -> dict[str, frozenset[str]]:
    """Return the irregular forms of a language with the readings of the words that they belong to.

    A line is "word: form form"; a verb is marked, "word (v): form form".
    """
    table: dict[str, set[str]] = {}
    for line in _lines(f"irregular_{language}.txt"):
        lemma, _, forms = line.partition(":")
        word, _, verb = fold(lemma).partition("(")
        word = word.strip()
        meant = {word} if language == "en" else morphology_slavic.readings(word, _GRAMMARS[language])[1]
        if verb:
            meant = {reading for reading in meant if reading.endswith(":v")} or {f"{word}:v"}
        elif language != "en" and all(reading.endswith(":v") for reading in meant):
            meant = {f"{word}:n"}  # "скло", which has no vowel in its stem
        for form in [word, *fold(forms).split()]:
            table.setdefault(form, set()).update(meant)
    return {form: frozenset(meant) for form, meant in table.items()}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The common words of a language."""

    words: frozenset[str]  # folded dictionary forms
    readings: frozenset[str]  # theirs, as dictionary forms


@lru_cache(maxsize=3)
def lexicon(language: str) -> Lexicon:
    """Return the common words of a language."""
    words = frozenset(fold(" ".join(_lines(f"common_{language}.txt"))).split())
    script: Script = "latin" if language == "en" else "cyrillic"
    found: set[str] = set()
    for word in words:
        found |= _narrowed(word, readings(word, script, language), language)[1]
    return Lexicon(words, frozenset(found))


def is_common(folded: str) -> bool:
    """Return whether a folded Cyrillic word stands as it is in the list of common words of its language."""
    return any(folded in lexicon(name).words for name in languages(folded, None))


def _narrowed(folded: str, found: Readings, language: str) -> Readings:
    """Return the readings of a common word of a language without those that its dictionary form rules out."""
    every, heads = found
    verbs = frozenset(reading for reading in heads if reading.endswith(":v"))
    if verbs and language in _GRAMMARS and _GRAMMARS[language].infinitive.search(folded):
        return verbs, verbs
    if folded.endswith("ти") and f"{folded}:v" in verbs:  # "идти" is a verb alone, "печь" an oven, too
        return verbs, verbs
    heads -= verbs
    if not any(head.endswith(":a") for head in heads):  # an adjective may be a participle, a noun is none
        listed = irregular(language).get(folded, frozenset())
        every = frozenset(reading for reading in every if not reading.endswith(":v") or reading in listed)
    if f"{folded}:m" in heads:  # "банк" is hardly ever of "банка"
        every = frozenset(reading for reading in every if reading[-1] != "f")
    elif folded[-1] in "ая" and any(head.endswith(":f") for head in heads):  # "гора" is not of "горе"
        every = frozenset(reading for reading in every if reading[-1] != "n" or reading in heads)
    return every, heads


def _of_others(every: frozenset[str], folded: str, lexicons: list[Lexicon]) -> list[str]:
    """Return the stems that are common words without the vowel that came in: "танок" is not of "танк"."""
    return [
        reading
        for reading in every
        if reading.endswith(":m")
        and not folded.startswith(reading[:-2])
        and any(reading[:-2] in each.words for each in lexicons)
    ]


def known_readings(folded: str, script: Script, language: str | None) -> tuple[Readings, frozenset[str]]:
    """Return the readings of a folded word, and those of them that are of common words.

    What the word lists know settles what a word is meant as: its dictionary forms are those of common
    words, if it has any, with the verb of a participle.
    """
    found = readings(folded, script, language)
    names = ("en",) if script == "latin" else languages(folded, language) if script == "cyrillic" else ()
    if not names or language in _FALLBACK:
        return found, frozenset()
    lexicons = [lexicon(name) for name in names]
    if script == "cyrillic":
        for name, each in zip(names, lexicons, strict=True):
            found = _narrowed(folded, found, name) if folded in each.words else found
    every, heads = found
    if folded[-1:] in _CLOSING:
        every = every.difference(_of_others(every, folded, lexicons))
    known = every & lexicons[0].readings
    for other in lexicons[1:]:
        known |= every & other.readings
    if known and script == "cyrillic":
        meant = heads & known
        if any(head.endswith(":a") for head in meant):
            meant |= {reading for reading in known if reading.endswith(":v")}
        if not meant and any(head.endswith(":a") for head in heads):  # the coldest is not all that is cold
            meant = heads | {reading for reading in known if not reading.endswith(":a")}
        heads = meant or heads | known
    return (every, heads), known


def _lines(name: str) -> list[str]:
    """Return the lines of a data file of this package, without comments and blank ones."""
    text = resources.files("monitor.matching").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in (raw.partition("#")[0].strip() for raw in text.splitlines()) if line]
