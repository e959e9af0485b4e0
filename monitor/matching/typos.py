"""Which one-letter differences are slips of a writer, and which make another word.

The more ordinary a slip is, the shorter the word may be that it is believed in: swapped neighbours
first, then letters that sound alike or are doubled, then a missing or additional letter, and last a
letter in the place of any other. A change at the very end of a stem is a suffix, a change from one
prefix to another is a prefix: neither is a slip.
"""

from __future__ import annotations

from itertools import permutations

from rapidfuzz.distance import Postfix, Prefix

_SHORTEST_SWAP, _SHORTEST_SOUND, _SHORTEST_GAP, _SHORTEST_ANY = 5, 6, 7, 8
_SHORTEST_VERB = 7
_SHORTEST_LOOSE = 4
_ALIKE = frozenset(
    pair
    for group in "иіыїй еєэи ао еі ую ая шщ гх ck szc iy ae ei ao ou vw".split()
    for pair in permutations(group, 2)
)
_SILENT = frozenset("'ьъ")
_PREFIXES = tuple(
    "пере пред при про пре під под по пі від воз вос вз вс ви вы во в зі за з со с на над не ні"
    " роз раз рас обо об от о до де re de dis in im un en ex pre pro per".split()
)


def shortest_typo(paradigm: str = "", *, loose: bool = False) -> int:
    """Return how many letters the shorter of two stems of a paradigm has at least where one is a slip."""
    return _SHORTEST_LOOSE if loose else _SHORTEST_VERB if paradigm == "v" else _SHORTEST_SWAP


def could_be_typo(word: str, other: str, paradigm: str = "", *, loose: bool = False) -> bool:
    """Tell whether `other`, one edit away from `word`, may be a slip for it.

    Both are stems of that paradigm, or both whole words where it is "".
    """
    length = min(len(word), len(other))
    if length < shortest_typo(paradigm, loose=loose):
        return False
    if loose:
        return True
    start = Prefix.similarity(word, other)
    end = Postfix.similarity(word[start:], other[start:])
    ours, theirs = word[start : len(word) - end], other[start : len(other) - end]
    if len(ours) == 2:  # noqa: PLR2004 - two letters swapped
        return length >= _SHORTEST_SWAP
    if _SILENT.issuperset(ours + theirs):
        return length >= _SHORTEST_SOUND
    if not paradigm or not end or _prefixes_differ(word, other):
        return False
    return length >= _shortest(ours, theirs, word[start - 1])


def _shortest(ours: str, theirs: str, before: str) -> int:
    """Return the length from which on one letter in another's place, or one too many, is a slip."""
    if ours and theirs:
        return _SHORTEST_SOUND if (ours, theirs) in _ALIKE else _SHORTEST_ANY
    return _SHORTEST_SOUND if (ours or theirs) == before else _SHORTEST_GAP


def _prefixes_differ(word: str, other: str) -> bool:
    """Tell whether two words are the same but for their prefixes."""
    return word.startswith(_PREFIXES) and any(
        word[len(ours) :] == other[len(theirs) :]
        for ours in _PREFIXES
        if word.startswith(ours)
        for theirs in _PREFIXES
        if theirs != ours and other.startswith(theirs)
    )
