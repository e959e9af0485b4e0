"""Readings of an English word form: the base forms that it may have been made from.

Only inflection is undone (plural, possessive, third person, past, participles), never derivation:
"attacks" is a form of "attack", "attacker" and "power" of "powerful" are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_VOWEL = re.compile("[aeiouy]")
_SHORT = re.compile("[^aeiou]*[aeiouy][^aeiouwxy]$")  # a syllable that would have doubled its end: "plan"
_SIBILANT_PLURAL = ("sses", "shes", "ches", "xes", "zes", "oes", "uses", "ises", "ases")

UNINFLECTED = frozenset(
    "news species series gas bus plus thus this was has its his does us yes as is always perhaps besides"
    " politics economics physics lens texas arms goods customs across towards afterwards various previous"
    " serious united need indeed speed hundred red bed wed exceed proceed succeed feed seed breed embed naked"
    " sacred wing king ring sing bring thing spring string nothing something anything everything"
    " morning evening during ceiling boeing beijing sterling darling starling sibling wedding outing"
    " according shahed".split()
)
# Ends that no base form in -e has: "bombed" is of "bomb", not of "bombe".
_NO_SILENT_E = re.compile("(?:[aeiou]{2}[nlpk]|nd|nt|ct|ck|rt|ld|mb|sh|ft|pt|ff|[wxy])$")


def readings(word: str) -> set[str]:
    """Return the base forms of a folded word, itself among them."""
    if word in UNINFLECTED or len(word) < 4:  # noqa: PLR2004 - a length that its example shows
        return {word}
    found = {word}
    if word.endswith("s"):
        found.update(_without_s(word))
    elif word.endswith("ed"):
        found.update(_without_suffix(word[:-2]))
    elif word.endswith("ing"):
        found.update(_without_suffix(word[:-3]))
    return found


def _without_s(word: str) -> Iterable[str]:
    """Return the singulars of a plural, or the base forms of a third person."""
    if word.endswith(("ss", "us", "is")) or len(word) < 4:  # noqa: PLR2004 - a length that its example shows
        return ()
    if word.endswith("ies"):
        return (word[:-3] + "y", word[:-1]) if len(word) > 4 else (word[:-1],)  # noqa: PLR2004 - a length that its example shows
    if word.endswith(_SIBILANT_PLURAL):
        return (word[:-2], word[:-1])
    if word.endswith("ves"):
        return (word[:-1], word[:-3] + "f", word[:-3] + "fe")
    return (word[:-1],)


def _without_suffix(stem: str) -> Iterable[str]:
    """Return the base forms of a stem that -ed or -ing was taken from."""
    if not _VOWEL.search(stem) or len(stem) < 2:  # noqa: PLR2004 - a length that its example shows
        return ()
    if stem.endswith("i"):
        return (stem[:-1] + "y",)
    if stem[-1] == stem[-2] and stem[-1] not in "aeiou":
        return (stem[:-1], stem) if stem[-1] in "lszf" else (stem[:-1],)
    if stem.endswith("ck"):
        return (stem, stem[:-1])  # "panicked"
    if _SHORT.fullmatch(stem):
        return (stem + "e",)
    return (stem,) if _NO_SILENT_E.search(stem) else (stem, stem + "e")
