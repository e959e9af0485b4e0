"""Readings of an East Slavic word form, by the endings of its language and no dictionary.

A reading is a stem and the paradigm that it would have: "ракет:f" for "ракетами", "зби:v" for "збила".
The paradigms are `m`, `f`, `n` (nouns of the three genders), `i` (feminines in a consonant), `a`
(adjectives) and `v` (verbs, whose stem is that of the infinitive). Ukrainian and Russian share them, so
that a word which both languages write alike has one set of readings. Two forms are of the same word
when they share a reading; a form that fits several paradigms has several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

VOWELS = frozenset("аеєиіїоуюяыэ")
_CONSONANTS = frozenset("бвгджзйклмнпрстфхцчшщ")
_DOUBLING = frozenset("дзлнстцчшж")  # "припинення", "Запоріжжя"; "міддю", "ніччю"
_BARE_FEMININE = frozenset("чшжщвр")  # "ніч", "подорож", "кров": feminines without a soft sign
_ADJECTIVAL = ("н", "ськ", "цьк", "зьк", "ск", "цк", "ов", "ев", "єв", "ив", "ит", "ут", "ш", "щ")
_LONGEST_NOUN_ENDING = 3
_LONGEST_ADJECTIVE_ENDING = 4
_LONGEST_VERB_ENDING = 9

_SHORTEST_ABBREVIATION = 3  # letters of a stem without a vowel: "БТР"

_VERBAL = re.compile(
    "(?:[лнт][аоиіы]|[аеєя]н(?:н?ый|ий)|[иіуыя]т[иы]й)$"
)  # past, participle or the like, if a verb at all

VerbRule = tuple[str, str]
"""What must stand before the ending (a "v"owel, a "c"onsonant, a "s"yllable that
a consonant closes, any "S"yllable, "*" anything),
and what replaces it in the infinitive's stem."""


class VerbTable:
    """The endings of a language's verbs, each with what it replaces in the infinitive's stem."""

    def __init__(self) -> None:
        """Begin with no ending."""
        self._rules: dict[str, list[VerbRule]] = {}

    def add(self, endings: Iterable[str], condition: str, *replacements: str) -> None:
        """Say that these endings, after a letter of that kind, stand for these ends of the stem."""
        for ending in endings:
            self._rules.setdefault(ending, []).extend((condition, text) for text in replacements)

    def rules(self) -> dict[str, tuple[VerbRule, ...]]:
        """Return all that was added."""
        return {ending: tuple(dict.fromkeys(rules)) for ending, rules in self._rules.items()}


def pairs(changes: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str]]:
    """Return the pairs of a changed stem end and what it may be in the infinitive."""
    return [(changed, plain) for changed, plains in changes.items() for plain in plains]


def by_ending(nouns: Mapping[str, str]) -> dict[str, str]:
    """Turn paradigms with their endings into endings with their paradigms; all have forms without one."""
    table = {"": "mfni"}
    for paradigm, endings in nouns.items():
        for ending in dict.fromkeys(endings.split()):
            table[ending] = table.get(ending, "") + paradigm
    return table


@dataclass(frozen=True, slots=True)
class Grammar:
    """The endings of a language."""

    nouns: Mapping[str, str]  # ending -> the paradigms that have it; see `by_ending`
    after_vowel: frozenset[str]  # noun endings that stand for й and a vowel: "станці-я"
    adjectives: frozenset[str]
    adjective_heads: tuple[str, ...]  # endings that a dictionary form of an adjective has
    verbs: Mapping[str, tuple[VerbRule, ...]]
    infinitive: re.Pattern[str]  # the end of a word that can be one
    lengthened: bool  # і in a closed syllable stands for о or е: "ніч", "ночі"
    softened: Mapping[str, str]  # consonants before the ending of the locative: "руці" of "рука"
    degree: re.Pattern[str] | None = None  # what makes a comparative of an adjective's stem: "потужн-іш-ий"
    # The ends of stems that change in the comparative: "важч-ий", "важк-ий".
    degrees: Mapping[str, str] = field(default_factory=dict)
    short: re.Pattern[str] | None = None  # an adjective in its short form: "опасн-а", "опас-ен"


def readings(word: str, grammar: Grammar) -> tuple[set[str], set[str]]:
    """Return every reading of a folded word, and those that it has as a dictionary form."""
    every: set[str] = set()
    heads: set[str] = set()
    _nouns(word, grammar, every, heads)
    _adjectives(word, grammar, every, heads)
    verbs = _verbs(word, grammar)
    every |= verbs
    if grammar.infinitive.search(word):
        found = {f"{stem}:v" for stem in _infinitive(word, grammar) if _can_be_a_verbs(stem)}
        heads |= found
        every |= found
    elif _VERBAL.search(word):
        heads |= verbs
    return every, heads


def _nouns(word: str, grammar: Grammar, every: set[str], heads: set[str]) -> None:
    """Add the readings as a noun."""
    for length in range(min(_LONGEST_NOUN_ENDING, len(word) - 2) + 1):
        cut = len(word) - length
        ending = word[cut:]
        paradigms = grammar.nouns.get(ending, "")
        stem = _bare_stem(word[:cut], ending, grammar) if paradigms else ""
        if not stem or (ending in {"им", "ым"} and not word.endswith(_SURNAME, 0, cut)):
            continue
        if ending == "ев" and word[cut - 1] not in _BEFORE_EV:  # "месяцев", "братьев"; "Медведев" is no bear
            continue
        for paradigm in paradigms:
            if paradigm == "i" and not ending and word[-1] not in _BARE_FEMININE:
                continue
            found = [f"{one}:{paradigm}" for one in _noun_stems(stem, ending, paradigm, grammar)]
            every.update(found)
            if _is_head(word, ending, paradigm):
                heads.update(found)


def _is_head(word: str, ending: str, paradigm: str) -> bool:
    """Tell whether a noun of that paradigm has this ending in its dictionary form, or in the plural."""
    if ending == "я":
        return paradigm == "f" or (paradigm == "n" and (word[-2] == "'" or word[-2] == word[-3:-2]))
    return paradigm in _HEADS.get(ending, "")


_HEADS = {"": "mi", "ь": "mi", "а": "f", "о": "n", "е": "n", **dict.fromkeys("иіїы", "mfni")}
_BEFORE_EV = VOWELS | set("цьй'")
_SURNAME = ("ін", "їн", "ин", "ов", "ев", "єв")  # "Путіним": surnames have an adjective's instrumental


def _bare_stem(stem: str, ending: str, grammar: Grammar) -> str:
    """Return what stands before a noun's ending as its stem is written, or nothing where it can be none."""
    last = stem[-1]
    if last in VOWELS or last == "'":
        if ending not in grammar.after_vowel:
            return ""
        stem = stem.rstrip("'") + "й"
    elif last == "ь":
        stem = stem[:-1]
    if VOWELS.isdisjoint(stem) and len(stem) < _SHORTEST_ABBREVIATION:
        return ""
    return stem if len(stem) > 1 else ""


def _noun_stems(stem: str, ending: str, paradigm: str, grammar: Grammar) -> Iterable[str]:
    """Return the stems that a noun may have, from what stands before its ending: alternations are undone."""
    if paradigm in "ni" and stem[-1] == stem[-2] and stem[-1] in _DOUBLING:
        return (stem[:-1],)
    if ending in {"", "ь"}:
        return _open_stems(stem, paradigm, grammar)
    if ending in {"і", "е"} and paradigm == "f" and stem[-1] in grammar.softened:
        return (stem, stem[:-1] + grammar.softened[stem[-1]])
    if ending == "і" and paradigm == "m" and len(stem) > 3 and stem[-1] in "зс":  # noqa: PLR2004 - letters
        return (stem, stem[:-1] + grammar.softened[stem[-1]])  # "поверсі", "порозі", "друзі"
    return (stem,)


def _open_stems(stem: str, paradigm: str, grammar: Grammar) -> Iterable[str]:
    """Return the stems of a form without an ending, where vowels come and go."""
    found = [stem]
    vowel, last = stem[-2], stem[-1]
    if grammar.lengthened and vowel == "і" and not stem.endswith(_KEPT):
        found += [f"{stem[:-2]}{other}{last}" for other in "ое"]
    if grammar.lengthened and stem.endswith("іст"):
        found.append(stem[:-3] + "ост")  # "потужність", "міст"
    if grammar.lengthened and stem.endswith(("літ", "лід")):
        found.append(f"{stem[:-2]}ьо{last}")  # "приліт", "прильоту"
    if grammar.lengthened and vowel == "ї":
        found.append(f"{stem[:-2]}є{last}")
    if vowel in "оеє" and len(stem) > 3 and last not in VOWELS:  # noqa: PLR2004 - a length in letters
        before = stem[-3]
        if before in VOWELS:
            found.append(f"{stem[:-2]}й{last}")  # "боец", "бойца"
        elif (
            before != "й"
            and not VOWELS.isdisjoint(stem[:-2])
            and (paradigm != "m" or vowel + last in _FLEETING)
        ):
            found.append(stem[:-2] + last)
        if _leaves_soft_sign(stem, paradigm, grammar):
            found.append(f"{stem[:-2]}ь{last}")
    if paradigm == "m" and stem.endswith(("анин", "янин")):
        found.append(stem[:-2])
    return found


def _leaves_soft_sign(stem: str, paradigm: str, grammar: Grammar) -> bool:
    """Tell whether a vowel before the last letter may have taken the place of a soft sign."""
    if paradigm == "m":  # "доброволец", "стрілець"; "огонек" only in Russian
        return stem.endswith("лец") or (not grammar.lengthened and stem.endswith(("лек", "нек", "рек")))
    return not grammar.lengthened and stem[-2] == "е" and stem[-3] in _CONSONANTS  # "тюрем", "судеб"


_KEPT = ("ліс", "світ", "хліб", "сніг", "дід", "стріл", "мін", "діл", "звір", "клік")
_FLEETING = frozenset({"ок", "ек", "ец", "ен", "ел", "ер", "ет", "он", "от", "ол", "єц", "ом"})


_PASSIVE = ("ан", "ен", "єн", "ян", "ит", "ут")  # "збито", "оголошено"
_SOFT_STEM = re.compile("(?:[кгхжшщч]|[^аеиоуыэюя]н|рет)$")  # "последние", not "решение"


def _adjectives(word: str, grammar: Grammar, every: set[str], heads: set[str]) -> None:
    """Add the readings as an adjective."""
    for length in range(1, min(_LONGEST_ADJECTIVE_ENDING, len(word) - 2) + 1):
        cut = len(word) - length
        ending, stem = word[cut:], word[:cut].rstrip("ь")
        if ending not in grammar.adjectives or stem[-1:] not in _CONSONANTS or VOWELS.isdisjoint(stem):
            continue
        if (ending == "ие" and not _SOFT_STEM.search(stem)) or (
            ending == "о" and not stem.endswith(_PASSIVE)
        ):
            continue
        every.add(f"{stem}:a")
        every.update(f"{positive}:a" for positive in _positives(stem, grammar))
        if (ending in grammar.adjective_heads and (ending != "ій" or stem.endswith(("н", "рет", "ч")))) or (
            length == 1 and heads and stem.endswith(_ADJECTIVAL)
        ):
            heads.add(f"{stem}:a")
    short = grammar.short and grammar.short.match(word)
    if short and not VOWELS.isdisjoint(short[1]):
        every.add(f"{short[1]}н:a")
        if word.endswith("лен"):
            every.add(f"{short[1]}ьн:a")  # "доволен", "довольный"


def _positives(stem: str, grammar: Grammar) -> Iterable[str]:
    """Return the stems of which that of an adjective may be a comparative or a superlative."""
    found = grammar.degree and grammar.degree.fullmatch(stem)
    if found:
        yield found[1]
    for changed, plain in grammar.degrees.items():
        if stem.endswith(changed):
            yield stem.removeprefix("най").removeprefix("наи").removesuffix(changed) + plain


def _verbs(word: str, grammar: Grammar) -> set[str]:
    """Return the readings as a form of a verb or as its participle."""
    found: set[str] = set()
    for form in without_reflexive(word):
        for length in range(1, min(_LONGEST_VERB_ENDING, len(form) - 1) + 1):
            rules = grammar.verbs.get(form[-length:])
            if not rules:
                continue
            rest = form[:-length]
            syllable = not VOWELS.isdisjoint(rest)
            fits = "*vS" if rest[-1] in VOWELS else "*csS" if syllable else "*c"
            for condition, replacement in rules:
                if condition in fits:
                    stem = _even_start(rest + replacement, grammar)
                    if _can_be_a_verbs(stem):
                        found.add(f"{stem}:v")
    return found


_VERB_STEM_ENDS = VOWELS | frozenset("зсгкхрйбв")  # what an infinitive's ending can follow


def _can_be_a_verbs(stem: str) -> bool:
    """Tell whether an infinitive can have this stem."""
    return stem[-1] in _VERB_STEM_ENDS and not VOWELS.isdisjoint(stem)


def _infinitive(word: str, grammar: Grammar) -> set[str]:
    """Return the stems of an infinitive."""
    form = without_reflexive(word)[0]
    if form.endswith("чь"):
        return {form[:-2] + "г", form[:-2] + "к"}
    return {_even_start(form[:-2], grammar)} if len(form) > 2 else set()  # noqa: PLR2004 - more than "ти"


def without_reflexive(word: str) -> tuple[str, ...]:
    """Return a form without -ся or -сь; "б'ється" drops the т that only the reflexive form has."""
    if word.endswith("ться") and len(word) > 5:  # noqa: PLR2004 - a length in letters
        return (word[:-2], word[:-4]) if word[-5] in "еє" else (word[:-2], word[:-3])
    if word.endswith(("ся", "сь")) and len(word) > 4:  # noqa: PLR2004 - a length in letters
        return (word[:-2],)
    return (word,)


def _even_start(stem: str, grammar: Grammar) -> str:
    """Return a Ukrainian verb's stem with "у" for a "в" before a consonant: "вдарити", "ударити"."""
    if grammar.lengthened and stem[:1] == "в" and stem[1:2] in _CONSONANTS:
        return "у" + stem[1:]
    return stem
