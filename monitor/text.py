"""Text as the matcher sees it: tokens with their places, folded forms, scripts, romanised names.

Nothing here knows a vocabulary: what a word means to the matcher is the business of
`monitor.matching.words`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["word", "number", "url", "hashtag", "mention"]
Script = Literal["latin", "cyrillic", "mixed", "other"]
Language = Literal["en", "uk", "ru"]

_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u02b9\u2032\u0060\u00b4\uff07"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_MARKS = f"\u0300-\u036f{_INVISIBLE}"  # stress marks and the like stand inside words
_LETTERS = rf"[^\W\d_][^\W_{_MARKS}]*"

_TOKEN = re.compile(
    rf"""
      (?P<url>
          (?:https?://|ftp://|tg://|www\.)[^\s<>"«»]+(?<![.,;:!?)\]'’…])
        | (?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+
        | (?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|org|net|info|gov|mil|int|edu|news|tv|me|io|ai|app
              |eu|uk|ua|ru)(?![\w-])(?!\.\w)(?:[/?][^\s<>"«»]*(?<![.,;:!?)\]'’…]))?
      )
    | (?P<mention>(?<![\w@])@\w+)
    | (?P<hashtag>(?<![\w\#])\#(?:[^\W_]|[{_MARKS}])+(?:_+[^\W_]+)*)
    | (?P<word>(?:\d+(?=[^\W\d_]))?[^\W\d_](?:[^\W_]|[{_MARKS}]|[{_APOSTROPHES}](?=[^\W\d_]))*)
    | (?P<number>\d+(?:[.,:]\d+)*(?:\s?%)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG_PART = re.compile(r"#?[^_]+")


class Token(NamedTuple):
    """A stretch of a text that stands for itself: `text[start:end]` of the original is `text`."""

    text: str
    start: int
    end: int
    kind: Kind


def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text in their order, each with its place in the original.

    The parts of a hyphenated compound are tokens of their own ("прем'єр", "міністр"; "F", "16"), and
    so are the parts of a hashtag with underscores, the first of which keeps its "#". Letters and
    digits without a gap are one word ("5G"). URLs, e-mail addresses and @mentions are kept whole, so
    that no word is found inside them.
    """
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind: Kind = match.lastgroup  # type: ignore[assignment]  # the groups are named for the kinds
        if kind == "hashtag":
            found.extend(_tag_parts(match.group(), match.start()))
        else:
            found.append(Token(match.group(), match.start(), match.end(), kind))
    return tuple(found)


def _tag_parts(tag: str, offset: int) -> list[Token]:
    """Return the parts of "#one_two" that starts at `offset`."""
    return [
        Token(part.group(), offset + part.start(), offset + part.end(), "hashtag")
        for part in _TAG_PART.finditer(tag)
    ]


def encodable(text: str) -> str:
    """Return a text of the same length with U+FFFD for lonely surrogates, which UTF-8 cannot hold."""
    return _SURROGATE.sub("\ufffd", text)


_PLAIN = re.compile(
    r"[\x00-\x7f\u0410-\u044f\u0401\u0451\u0404\u0406\u0407\u0454\u0456\u0457\u0490\u0491\u2019]*"
)
_SIMPLE = str.maketrans({"ё": "е", "ґ": "г", "Ґ": "г", "\u2019": "'", "`": "'"})
_UNIFIED = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "'")
    | dict.fromkeys(_INVISIBLE)
    | {"ґ": "г", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ѣ": "е"}
)
_KEPT = {"и\u0306": "й", "і\u0308": "ї"}  # letters of their own, not accented ones
_ACCENTED = re.compile(r".[\u0300-\u036f]+", re.DOTALL)
_MIXED_RUN = re.compile(r"(?<![a-zа-яіїєґ'])[a-zа-яіїєґ']*(?:[a-z][а-яіїє]|[а-яіїє][a-z])[a-zа-яіїєґ']*")
_BORROWED = re.compile("[a-z]{3,}'?(?:ів|ов|ам|ах|ом|ем)")  # a Latin name with a Cyrillic ending
_TO_CYRILLIC = str.maketrans("abcehikmoptxy", "авсенікмортху")
_TO_LATIN = str.maketrans("авсенікмортху", "abcehikmoptxy")
_LOOK_LATIN = frozenset("abcehikmoptxy'")
_LOOK_CYRILLIC = frozenset("авсенікмортху'")


def fold(text: str) -> str:
    """Return a text without the differences that a reader overlooks; folding twice changes nothing.

    Case, accents and stress marks, apostrophe variants, compatibility forms (Unicode NFKC), soft
    hyphens and zero-width characters go. "й" and "ї" stay, "ё" becomes "е" and "ґ" becomes "г", since
    both are often written so. A Latin letter that was slipped into a Cyrillic word for its look, or
    the other way round, is mended; a Cyrillic ending of a Latin name stays.
    """
    plain = text.lower().translate(_SIMPLE) if _PLAIN.fullmatch(text) else _fold_any(text)
    return plain if plain.isascii() else _MIXED_RUN.sub(_mend, plain)


def _fold_any(text: str) -> str:
    """Fold a text with characters beyond the plain English, Ukrainian and Russian ones."""
    for _ in range(4):  # one round is enough but for a few compatibility characters
        folded = unicodedata.normalize("NFKC", text.translate(_UNIFIED)).casefold()
        folded = _ACCENTED.sub(_unaccent, unicodedata.normalize("NFD", folded))
        folded = unicodedata.normalize("NFC", folded.translate(_UNIFIED))
        if folded == text:
            break
        text = folded
    return text


def _unaccent(match: re.Match[str]) -> str:
    """Return a letter without its combining marks, unless they make it another letter."""
    return _KEPT.get(match.group()[:2], match.group()[0])


def _mend(match: re.Match[str]) -> str:
    """Return a word of two scripts in one, where all letters of the other are look-alikes."""
    word = match.group()
    if _BORROWED.fullmatch(word):
        return word
    latin = [letter for letter in word if letter.isascii() and letter != "'"]
    cyrillic = [letter for letter in word if not letter.isascii()]
    if len(latin) <= len(cyrillic) and _LOOK_LATIN.issuperset(latin):
        return word.translate(_TO_CYRILLIC)
    if len(cyrillic) <= len(latin) and _LOOK_CYRILLIC.issuperset(cyrillic):
        return word.translate(_TO_LATIN)
    return word


_LATIN_LETTER = re.compile("[a-zà-öø-ÿ\u0100-\u024f]", re.IGNORECASE)
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f]")


def script_of(word: str) -> Script:
    """Return the script of a word's letters; "other" where it has no Latin and no Cyrillic ones."""
    latin = bool(_LATIN_LETTER.search(word))
    cyrillic = bool(_CYRILLIC_LETTER.search(word))
    if latin and cyrillic:
        return "mixed"
    return "latin" if latin else "cyrillic" if cyrillic else "other"


_SOUNDS = str.maketrans(
    dict(zip("абвгґдеєэжзиіїыйклмноп", "abvhhdeeezziiiiiklmnop", strict=True))
    | dict(zip("рстуфх", "rstufh", strict=True))
    | {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia", "ё": "e"}
    | dict.fromkeys("ьъ'")
)
_LATIN_SOUNDS = re.compile("shch|sch|tch|kh|gh|ph|ck|qu|ye|yo|tz|[wgjyqx]|c(?=[eiy])|c(?!h)")
_LATIN_SOUND = dict(
    pair.split("=")
    for pair in (
        "shch=shch sch=sh tch=ch kh=h gh=h ph=f ck=k qu=kv ye=e yo=o tz=ts w=v g=h j=i y=i q=k x=ks"
    ).split()
)
_DOUBLED = re.compile(r"(zh|ch|sh|ts|[a-hj-z]|i(?=i+$))\1+", re.MULTILINE)


@lru_cache(maxsize=5_000)
def romanise(folded: str) -> str:
    """Return how a folded name sounds, in Latin letters: one key for its spellings in several scripts.

    It is no transliteration standard: sounds that the usual ones (BGN/PCGN, the Ukrainian national
    system of 2010, scholarly and press habits) write differently fall together, "г", "х", "g", "h"
    and "kh" for one, doubled letters become single, soft signs and apostrophes go.
    """
    latin = folded.translate(_SOUNDS)
    if latin == folded or script_of(folded) != "cyrillic":
        latin = _LATIN_SOUNDS.sub(_sound, latin)
    return _DOUBLED.sub(r"\1", latin)


def romanised(words: Iterable[str]) -> list[str]:
    """Return what `romanise` says of each of some folded words in Cyrillic letters alone, in one go."""
    return _DOUBLED.sub(r"\1", "\n".join(words).translate(_SOUNDS)).split("\n")


def _sound(match: re.Match[str]) -> str:
    """Return the sound of a Latin letter or of several that stand for one."""
    letters = match.group()
    if letters == "c":
        return "s" if match.string[match.end() : match.end() + 1] in {"e", "i", "y"} else "k"
    return _LATIN_SOUND[letters]


_UKRAINIAN = "іїєґ"
_RUSSIAN = "ыэёъ"
_VOWELS = ("оаеиіуяюєїы", "aeiouy")  # Cyrillic and Latin ones, by which a text's script shows
_TELLING = {
    "uk": re.compile(r"(?:[аи]в|о[юї]|ння|ття|(?<!с)ти)\b|[сзц]ьк|\bз[бгкпчцшт]|\bйо|ьо|[бвпмф]'"),
    "ru": re.compile(
        r"(?:[аеиуюя]т|[аеиуя]л|о[йв]|ие|ия|ии|[ая]я|ию|ец|ост[ьи])\b|[аеоу]ск[иоау]|\bс(?:б(?![ус]\b)|[гдз])"
    ),
}
"""Ends and beginnings of words that are common in one of the two languages and rare in the other.

"СБУ" and "СБС" stand in texts of both.
"""
_SURE = 3  # letters of one alphabet, and none of the other, that settle the matter
_PLAIN_RUSSIAN = 40  # letters; a Ukrainian text of this length without any of its own letters is rare
_FUNCTION_WORDS: dict[str, frozenset[str]] = {
    "uk": frozenset(
        "а та і й що це як із зі від до щоб які який яка яке або але його її їх він вона вони було був була"
        " були є немає вже ще також після під час через щодо наразі проти між цей ця ці того цього якщо"
        " де коли тому бо не на в у з по за про при для ми ви нас вас".split()
    ),
    "ru": frozenset(
        "а и что это как из со от до чтобы которые который которая которое или но его ее их он она они было"
        " был была были есть нет уже еще также после под время через против между этот эта эти того этого"
        " если где когда потому ли не на в у с по за о об при для мы вы нас вас к ко во".split()
    ),
    "en": frozenset(
        "the a an and or but of to in on at for with from by is are was were be been has have had will"
        " would not no it its this that these those he she they his her their we our you as after before"
        " over says said who which what than more up down out amid into about under".split()
    ),
    "": frozenset(  # Latin-script languages that are none of ours
        "der die das und ist nicht mit für auf ein eine den dem von zu le la les des et est une dans pour"
        " que qui sur du au el los las y en del por con una è il di che per non gli w z na do nie jest się"
        " o ve bir van het een dat de da em".split()
    ),
}
_OWN_WORDS = {
    language: _FUNCTION_WORDS[language] - _FUNCTION_WORDS[other]
    for language, other in (("uk", "ru"), ("ru", "uk"), ("en", ""), ("", "en"))
}
_ANY_FUNCTION_WORD = frozenset().union(*(_FUNCTION_WORDS[language] for language in ("en", "uk", "ru")))
_FOREIGN_WORD = re.compile(r"[à-öø-ÿ\u0100-\u024f]\S*")  # from its first letter that English has not
_SAMPLE = 1_000  # characters: enough to know a language by


def language_of(text: str) -> Language | None:
    """Return the language of a text among English, Ukrainian and Russian, or None if it shows too little.

    Letters that only one of the two Cyrillic alphabets has decide first, then function words and the ends
    of words.
    """
    sample = text[:_SAMPLE].lower()
    if not sample.isascii():
        cyrillic, latin = (sum(map(sample.count, letters)) for letters in _VOWELS)
        if cyrillic > latin:
            return _cyrillic_language(sample)
    return _latin_language(sample)


def _cyrillic_language(sample: str) -> Language | None:
    """Tell Ukrainian from Russian."""
    ukrainian, russian = (sum(map(sample.count, letters)) for letters in (_UKRAINIAN, _RUSSIAN))
    if not (ukrainian and russian) and ukrainian + russian >= _SURE:
        return "uk" if ukrainian else "ru"
    words = sample.split()
    score = 2 * (ukrainian - russian) + _hits(words, "uk") - _hits(words, "ru")
    score += len(_TELLING["uk"].findall(sample)) - len(_TELLING["ru"].findall(sample))
    if not score:
        plain = not ukrainian and len(_CYRILLIC_LETTER.findall(sample)) >= _PLAIN_RUSSIAN
        return "ru" if plain else None
    return "uk" if score > 0 else "ru"


def _latin_language(sample: str) -> Language | None:
    """Tell English from the other languages in Latin letters."""
    if not _LATIN_LETTER.search(sample):
        return None
    words = sample.split()
    foreign = _hits(words, "")
    if not sample.isascii():
        foreign += len(_FOREIGN_WORD.findall(sample))
    return "en" if _hits(words, "en") >= foreign else None


def _hits(words: list[str], language: str) -> int:
    """Count the function words of a language that its neighbour does not share."""
    return sum(map(_OWN_WORDS[language].__contains__, words))


def is_function_word(folded: str) -> bool:
    """Tell whether a folded word is a function word of English, Ukrainian or Russian."""
    return folded in _ANY_FUNCTION_WORD


def says_nothing(text: str) -> bool:
    """Tell whether a text has no other words than "the", "and" and the like, which stand in every text."""
    return all(map(is_function_word, re.findall(r"\w+", fold(text))))
