"""Running text: its sentences, its letters as a reader sees them, and where it may be cut.

Lengths are in UTF-16 code units, which is how Telegram counts them; offsets are in characters.
"""

from __future__ import annotations

import re
import unicodedata

from monitor.text import encodable

ELLIPSIS = "…"

_LONGEST_LETTER = 32  # a base and 30 marks are the most that sane text has (UAX #15, Stream-Safe Text)
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ENDING = re.compile(r"""\n+|(?:(?<![.!?])[.!?]++|…)["'”’»)\]]*+(?=\s)""")
_CLOSERS = frozenset(""".!?…"'”’»)]""")
_LAST_WORD = re.compile(r"[\w.]*\Z")
_ABBREVIATIONS = frozenset(  # titles and the like, which a name or a number follows
    """
    mr mrs ms dr prof st gen col lt sgt capt cmdr sen rep gov pres hon vs approx
    e.g i.e u.s u.k u.n a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec
    ім вул буд просп пл обл смт див проф акад ген св ст напр зв т.зв
    им ул пр пер обл пгт см проф акад ген св ст напр т.н т.е
    """.split()
)


def utf16_len(text: str) -> int:
    """Return the length of plain text in UTF-16 code units."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def tidy(text: str) -> str:
    """Return outside text of the same length without what cannot be sent or would disturb its surroundings.

    Control characters and explicit bidirectional controls become spaces, lone surrogates U+FFFD; line
    breaks stay. As every character is replaced by one other, offsets into the text stay what they were.
    """
    return encodable(_UNSEEN.sub(" ", text))


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the start and end of every sentence, without the white space around it.

    A line break ends a sentence, and so does a stop that is followed by white space and no lower-case
    letter, unless it stands after an initial or a usual abbreviation of English, Ukrainian or Russian.
    """
    ends = [match.end() for match in _ENDING.finditer(text) if _ends_sentence(text, match)]
    spans = []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        sentence = text[start:end]
        inner = sentence.strip()
        if inner:
            first = start + len(sentence) - len(sentence.lstrip())
            spans.append((first, first + len(inner)))
    return spans


def _ends_sentence(text: str, stop: re.Match[str]) -> bool:
    """Tell whether a stop or a line break that was found in a text is the end of a sentence."""
    if stop[0].startswith("\n"):
        return True
    following = text[stop.end() : stop.end() + 80].lstrip(" \t\xa0")
    if following[:1].islower():
        return False
    if stop[0] != ".":
        return True
    word = _LAST_WORD.search(text, max(stop.start() - 20, 0), stop.start())
    before = word[0].casefold() if word else ""
    return before not in _ABBREVIATIONS and not (len(before) == 1 and before.isalpha())


def clip(text: str, units: int) -> str:
    """Return plain text in at most `units` (2 or more), cut where a reader would and ended by "…".

    The cut is after a sentence if that keeps at least half of what fits, else between words, else
    between letters.
    """
    if utf16_len(text) <= units:
        return text
    room = reach(text, units - len(ELLIPSIS) - 1)
    spans = sentences(text[: room + 1])
    ends = [end for _, end in spans if room // 2 <= end <= room and _stops(text, end)]
    if ends:
        return f"{text[: ends[-1]]} {ELLIPSIS}"
    return text[: word_start(text, room)].rstrip() + ELLIPSIS


def _stops(text: str, end: int) -> bool:
    """Tell whether a stretch that ends at `end`, inside a text, ends with a stop and not inside a number."""
    return text[end].isspace() and text[end - 1] in _CLOSERS


def reach(text: str, units: int) -> int:
    """Return how many characters of a text fit into `units` UTF-16 code units."""
    left = units
    for place, letter in enumerate(text):
        left -= 2 if letter > "\uffff" else 1
        if left < 0:
            return place
    return len(text)


def word_start(text: str, at: int) -> int:
    """Return the last place at or before `at` where text may be cut: between words, else between letters.

    A word that reaches back over half of the text before `at` is cut between its letters.
    """
    for place in range(min(at, len(text)), at // 2, -1):
        if place == len(text) or text[place].isspace() or text[place - 1].isspace():
            return place
    return letter_start(text, at)


def letter_start(text: str, at: int) -> int:
    """Return the last place at or before `at` where a letter begins; `at` itself inside an endless one.

    A letter is what UAX #29 calls a grapheme cluster, by the rules that matter in running text: marks,
    joiners, variation selectors, emoji modifiers and the halves of flags stay with what they follow.
    """
    for place in range(at, max(at - _LONGEST_LETTER, 0), -1):
        if place == len(text) or not _clings(text, place):
            return place
    return at if at > _LONGEST_LETTER else 0


def letters(text: str) -> list[str]:
    """Return a text as its letters, none longer than 32 characters."""
    if not text:
        return []
    starts = [0]
    for place in range(1, len(text)):
        if place - starts[-1] >= _LONGEST_LETTER or not _clings(text, place):
            starts.append(place)
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _clings(text: str, at: int) -> bool:
    """Tell whether the character at `at` belongs to the letter of the one before it."""
    here, before = text[at], text[at - 1]
    if _is_flag_half(here) and _is_flag_half(before):
        halves = 1
        while halves < at and _is_flag_half(text[at - halves - 1]):
            halves += 1
        return halves % 2 == 1
    return (
        unicodedata.category(here) in {"Mn", "Mc", "Me"}
        or "\u200d" in {here, before}
        or "\U0001f3fb" <= here <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= here <= "\U000e007f"  # the tags of regional flags
    )


def _is_flag_half(letter: str) -> bool:
    """Tell whether a character is a regional indicator, two of which make a flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
