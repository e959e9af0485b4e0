"""What a word is to the matcher, and when two words are the same one.

`analyse` works out everything about a word once; `keyword_keys` and `token_keys` say under which keys
an index keeps a keyword and looks a token up; `compare` is the plain definition that decides. The
grammar of the three languages stands in the `morphology` modules, spellings of names in
`data/aliases.toml`.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from monitor.matching import morphology
from monitor.matching.aliases import Aliases, aliases
from monitor.matching.typos import could_be_typo, shortest_typo
from monitor.model import How
from monitor.text import Script, fold, is_function_word, romanise, romanised, script_of

Fuzziness = str | int
LEVELS: dict[str, int] = {"exact": 100, "strict": 94, "normal": 80, "loose": 70}
"""The least score of a match at each level that a topic can name."""

FORM, ALIAS, SCRIPT = 98.0, 96.0, 95.0
_CACHE = 2_000  # words, at about 2 KB each
_SHORTEST_NAME = 4  # letters of a name that is recognised across scripts
_SHORTEST_NUMBERED = 3  # letters and digits of a name with digits: "Ф16", "31К"
_SHORTEST_CYRILLIC_NAME = 6  # letters of a name that is recognised across Ukrainian and Russian
_SHORTEST_TYPO = 4  # letters of a stem that a typo may be in, at the loosest
_KEY_LENGTH = 7  # letters of a stem that its typo keys are made from
_OBLIQUE = re.compile(".{4}(?:[ая]ми|[ая]х|ням|нню|нием|ением|ний|ень|ого|ому|ої|ых|ыми)$")
"""The ends of words that are hardly ever a dictionary form: as keywords they may be any of their readings."""
_SET_OFF = re.compile("^([а-яіїє]{3,})'([аоуиеіы][а-яіїє]{0,3})$")
"""An ending after an apostrophe that no rule asks for: "Старлинк'ами"."""
_UKRAINIAN = re.compile("[іїє']|[сцз]ьк")
_SURNAME = re.compile("([а-я]{2,}[ое]в)(?:а|у|ым|е)?")
"""The end that Russian surnames share with the genitive plural of nouns ("Волков"), and its own forms."""


class Word(NamedTuple):
    """A word with all that comparing it needs."""

    folded: str
    script: Script
    stems: frozenset[str]  # "ракет:f": a stem and the paradigm that it would have; every reading
    heads: frozenset[str]  # the readings that a keyword is meant in: as a dictionary form, if it is one
    roman: frozenset[str]  # how its stems sound; empty for common words, which are no names
    groups: frozenset[str]  # the groups of the alias table that it is in
    common: bool  # a common word of its language, hence no typo and no foreign name
    stop: bool  # a function word


class Sought(NamedTuple):
    """What of a word is compared where it is a keyword."""

    folded: str
    script: Script
    heads: frozenset[str]
    roman: frozenset[str]
    groups: frozenset[str]


def packed(word: Word) -> bytes:
    """Return what is compared of a keyword in little memory, for `unpacked`."""
    return marshal.dumps((word.folded, word.script, word.heads, word.roman, word.groups))


def unpacked(keyword: bytes) -> Sought:
    """Return what was packed: in a twentieth of the time that working it out again takes."""
    return Sought._make(marshal.loads(keyword))  # noqa: S302 - our own bytes, which never leave the process


def analyse(word: str, language: str | None = None, names: Aliases | None = None) -> Word:
    """Return what is known of a word or hashtag, given as it stands in a text of that language.

    The language is an ISO 639-1 code or None; a word's own letters tell more where they can.
    """
    return _analyse(word, language, names or aliases())


@lru_cache(maxsize=_CACHE)
def _analyse(word: str, language: str | None, names: Aliases) -> Word:
    """Work out a word."""
    folded = _SET_OFF.sub(r"\1\2", fold(word).lstrip("#"))
    script = script_of(folded)
    (stems, heads), known = morphology.known_readings(folded, script, language)
    surname = _surname(word, folded) if known else ""
    if surname == folded:
        heads, known = heads - known or heads, frozenset()
    groups = names.groups(stems, capital=word.lstrip("#")[:1].isupper())
    if not known and script == "cyrillic" and _OBLIQUE.search(folded):
        heads = stems
    if surname:
        roman = _sounds(surname, frozenset(), script)
    else:
        roman = frozenset() if known and not groups else _sounds(folded, stems, script)
    return Word(
        folded, script, stems, heads, roman, groups, common=bool(known), stop=is_function_word(folded)
    )


def _surname(word: str, folded: str) -> str:
    """Return the surname that a word with a capital is a form of, if it may be one; else ""."""
    found = _SURNAME.fullmatch(folded)
    is_title = word[:1].isupper() and word[1:].islower()
    return found[1] if found and is_title and not morphology.is_common(folded) else ""


def _sounds(folded: str, stems: frozenset[str], script: Script) -> frozenset[str]:
    """Return how a name sounds, without the ending that it may have, in Latin letters."""
    least = _SHORTEST_NAME
    if any(map(str.isdigit, folded)):  # without the letters of a version it would be another's name
        found, least = {romanise(folded)}, _SHORTEST_NUMBERED
    elif script == "latin":
        whole = {romanise(stem.partition(":")[0]) for stem in stems}
        found = whole | {sound.rstrip("aeio") for sound in whole}
    elif script == "cyrillic":
        found = set(romanised({folded}.union(_bases(stems))))
    else:
        found = {romanise(base) for base in _bases(stems)} | {romanise(folded)}
    return frozenset(sound for sound in found if len(sound) >= least and sound.isascii())


def keys(word: Word) -> frozenset[str]:
    """Return the keys that two words share if they may be the same one, typos aside."""
    found = {word.folded, *word.stems, *(f"~{sound}" for sound in word.roman)}
    return frozenset(found.union(f"@{group}" for group in word.groups))


def _typo_keys(bases: Iterable[str]) -> frozenset[str]:
    """Return the keys of which two words share one if a stem of one may be a typo of one of the other.

    These are the beginnings of the stems, whole and with one letter left out (symmetric deletion, as in
    SymSpell by W. Garbe); the first letter always stays.
    """
    found: set[str] = set()
    for start in {base[:_KEY_LENGTH] for base in bases}:
        marked = f"-{start}"
        found.add(marked)
        found.update([marked[:at] + marked[at + 1 :] for at in range(2, len(marked))])
    return frozenset(found)


def keyword_keys(keyword: Word, fuzziness: Fuzziness = "normal") -> frozenset[str]:
    """Return the keys that an index keeps a keyword under: fewer than a token is looked up by."""
    found = {keyword.folded, *keyword.heads, *(f"~{sound}" for sound in keyword.roman)}
    found.update(f"@{group}" for group in keyword.groups)
    least = _least(fuzziness)
    if least > LEVELS["normal"]:
        return frozenset(found)
    loose = least <= LEVELS["loose"]
    stems = (stem.partition(":") for stem in (keyword.folded, *keyword.heads, *keyword.roman))
    return _typo_keys(
        base for base, _, paradigm in stems if len(base) >= shortest_typo(paradigm, loose=loose)
    ).union(found)


def token_keys(token: Word) -> frozenset[str]:
    """Return the keys that a token is looked up by; each keyword that it may be has one of them."""
    if token.common:
        return keys(token)
    bases = _bases(token.stems) | token.roman | {token.folded}
    return keys(token) | _typo_keys(base for base in bases if len(base) >= _SHORTEST_TYPO)


def compare(keyword: Word | Sought, token: Word, fuzziness: Fuzziness = "normal") -> tuple[How, float] | None:
    """Return how a token is the keyword, with a score of 0 to 100, or None if it is another word.

    The fuzziness is one of `LEVELS` or a least score; a typo is looked for at "normal" or below, and
    at "loose" without regard to how likely a slip it is.
    """
    least = _least(fuzziness)
    if keyword.folded == token.folded:
        return "exact", 100.0
    if not keyword.heads.isdisjoint(token.stems):
        found: tuple[How, float] = ("form", FORM)
    elif not keyword.groups.isdisjoint(token.groups):
        found = ("form" if keyword.script == token.script else "script", ALIAS)
    elif _sound_alike(keyword, token):
        found = ("script", SCRIPT)
    elif least <= LEVELS["normal"] and not token.common:
        found = ("typo", _typo_score(keyword, token, loose=least <= LEVELS["loose"]))
    else:
        return None
    return found if found[1] and found[1] >= least else None


def _least(fuzziness: Fuzziness) -> int:
    """Return the least score that a fuzziness stands for."""
    return fuzziness if isinstance(fuzziness, int) else LEVELS[fuzziness]


def _sound_alike(keyword: Word | Sought, token: Word) -> bool:
    """Tell whether two words are one name in different scripts, or one in Ukrainian letters and one not."""
    shared = keyword.roman & token.roman
    if not shared or keyword.script != token.script:
        return bool(shared)
    if max(map(len, shared)) < _SHORTEST_CYRILLIC_NAME:
        return False
    ukrainian = [bool(_UKRAINIAN.search(word.folded)) for word in (keyword, token)]
    return keyword.script == "cyrillic" and ukrainian[0] != ukrainian[1]


def _typo_score(keyword: Word | Sought, token: Word, *, loose: bool) -> float:
    """Return how near a token is to a keyword that it may be a typo of, from 0 to 100; 0 if it is none."""
    best = _nearest(keyword.heads | {keyword.folded}, token.stems | {token.folded}, loose=loose)
    if keyword.script == token.script:
        return best
    ours, theirs = ({f"{sound}:~" for sound in word.roman} for word in (keyword, token))
    return max(best, _nearest(ours, theirs, loose=loose))


def _nearest(ours: AbstractSet[str], theirs: AbstractSet[str], *, loose: bool) -> float:
    """Return the best score of two stems of one paradigm that a slip may have turned into each other.

    The paradigm at the end of both leaves their distance what it is, so that most pairs are told by it alone.
    """
    best = 0.0
    for our in ours:
        ending = our[-2:] if our[-2:-1] == ":" else ""  # the paradigm
        for their in theirs:
            if their.endswith(ending) and OSA.distance(our, their, score_cutoff=1) == 1:
                base, _, paradigm = our.partition(":")
                other, _, its_paradigm = their.partition(":")
                if (
                    paradigm == its_paradigm
                    and base[:1] == other[:1]
                    and could_be_typo(base, other, paradigm, loose=loose)
                ):
                    best = max(best, round(100 * OSA.normalized_similarity(base, other), 1))
    return best


def _bases(stems: frozenset[str]) -> frozenset[str]:
    """Return the stems without their paradigms."""
    return frozenset([stem.partition(":")[0] for stem in stems])
