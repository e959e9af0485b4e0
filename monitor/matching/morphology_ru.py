"""The endings of Russian, with "ё" written as "е".

Nouns, adjectives and verbs follow the paradigms of the school grammar. A consonant that changes before
an ending is undone by listing the changed stem end together with the ending.
"""

from __future__ import annotations

import re

from monitor.matching.morphology_slavic import Grammar, VerbRule, VerbTable, by_ending, pairs

_NOUNS = {
    "m": "ь а я у ю ом ем ым е ы и ов ев ей ам ям ами ями ах ях",
    "f": "ь а я ы и е у ю ой ою ей ею ам ям ами ями ах ях",
    "n": "ь о е а я у ю ом ем и ей ев ам ям ами ями ах ях",
    "i": "ь и ью ей ам ям ами ями ах ях",
}
_AFTER_VOWEL = "я ю е ем и ев ей ею ям ями ях"
_ADJECTIVES = "ый ий ой ая яя ое ее ые ие ого его ому ему ей ою ею ую юю ым им ых их ыми ими ом ем"
_LONG = "ый ий ая ое ые ие ого его ому ему ой ей ую ым им ых их ыми ими ом ем ее ою ею".split()
_PASSIVE = [ending for ending in _LONG if ending not in {"ий", "ие", "ее"}]
_SHORT = ["", "а", "о", "ы"]
_FIRST = "у ешь ет ем ете ут ите".split()
_SECOND = "ишь ит им ите ят ат".split()

_NO_INFINITIVE = "(?<!^се)(?<!^ма)(?<!^пу)(?<!^су)(?<!^ни)(?<!^ра)(?<!^печа)(?<!крова)"
_INFINITIVE = re.compile(
    f"(?:[аяеиоуы]{_NO_INFINITIVE}ть(?:ся)?|[сзй]ти(?:сь)?|ться|(?:по|у|про|на|за)пасть|(?:кра|кла|се|ле|гры)[сз]ть"
    "|(?:^у|^про|^с|^за)честь|(?:мо|ле|же|бере|вле|тере|се|те|дости)чь(?:ся)?)$"
)

_LABIALS = {"бл": "б", "вл": "в", "пл": "п", "мл": "м", "фл": "ф"}
# The end of a stem before -у, -ю, -енный and in the present, and that of infinitives in -ить, -ать, -ть.
_BEFORE_I = _LABIALS | {"ж": "жзд", "жд": "д", "зж": ("зд",), "ш": "шс", "ч": "чт", "щ": ("щ", "ст", "т")}
_BEFORE_A = _LABIALS | {"ж": "зд", "ш": "сх", "ч": "кт", "щ": ("ск", "ст")}
_BEFORE_T = {"ж": "г", "ч": "к"}


def _verbs() -> dict[str, tuple[VerbRule, ...]]:
    """Return the endings of the verb."""
    table = VerbTable()
    table.add(["ть", "л", "ла", "ло", "ли", "в", "вши"], "v", "")
    table.add(["вш" + ending for ending in _LONG], "v", "")
    table.add(["ти"], "c", "")
    table.add(["ла", "ло", "ли"], "c", "", "ну")
    _vowel_stems(table)
    _consonant_stems(table)
    _irregular_stems(table)
    _participles(table)
    return table.rules()


def _vowel_stems(table: VerbTable) -> None:
    """Add the present of verbs whose stem ends in a vowel there: "атаку-ет", "сбива-ют"."""
    endings = [
        *"ю ешь ет ем ете ют йте я".split(),
        *("ющ" + end for end in _LONG),
        *("ем" + end for end in _LONG),
    ]
    stems = {
        "у": ("ова", "ева"),
        "ю": ("ева", "ова"),
        "а": ("а", "ава"),
        "я": ("я",),
        "е": ("е", "ея"),
        "о": ("ы",),
    }
    for vowel, replaced in stems.items():
        table.add([vowel + ending for ending in endings], "*", *replaced)


def _consonant_stems(table: VerbTable) -> None:
    """Add the present of verbs whose stem ends in a consonant there: "объяв-ит", "взорв-ут"."""
    participles = [mark + ending for mark in ("ящ", "ащ", "им") for ending in _LONG]
    table.add([*_SECOND, *participles], "*", "и")
    table.add([*_SECOND, "ящий", "ящие", "ящих"], "c", "е")
    table.add(["оит", "оят", "оишь", "оим", "ою"], "*", "ои", "оя")
    table.add(["ю"], "c", "и", "е")
    table.add(_FIRST, "c", "", "а")
    table.add([f"ущ{ending}" for ending in _LONG], "c", "", "а")
    table.add(["н" + ending for ending in _FIRST], "*", "ну")
    for sibilant in "жшщч":
        table.add(
            [sibilant + ending for ending in ("ит", "ат", "ишь", "у")], "*", sibilant + "а", sibilant + "и"
        )
    for changed, plain in pairs(_BEFORE_I):
        table.add([changed + "у", changed + "ю"], "S", plain + "и", plain + "е")
    for changed, plain in pairs(_BEFORE_A):
        table.add([changed + ending for ending in (*_FIRST, "ю", "ют")], "S", plain + "а")
    for changed, plain in pairs(_BEFORE_T):
        table.add([changed + ending for ending in _FIRST], "S", plain)
    for ending in _FIRST:
        table.add(["д" + ending, "т" + ending], "*", "с")


def _irregular_stems(table: VerbTable) -> None:
    """Add the forms that look least like their infinitives: "собьет", "примет", "начнет", "нашли"."""
    for ending in _FIRST:
        table.add(["прим" + ending], "*", "приня")
        table.add(["ним" + ending, "йм" + ending], "*", "ня", "йня")
        table.add(["чн" + ending], "*", "ча")
        table.add(["мр" + ending], "*", "мере")
        table.add(["йд" + ending], "*", "й")
        table.add(["стан" + ending], "*", "ста")
        table.add(["ед" + ending], "*", "еха")
        table.add(["бер" + ending], "*", "бра")
        table.add(["зорв" + ending], "*", "зорва")
        table.add(["сяд" + ending], "*", "сес")
        table.add(["клян" + ending], "*", "кляс")
        table.add(["отр" + ending], "c", "тере")
        table.add(["пр" + ending], "v", "пере")
        table.add(["зов" + ending], "*", "зва")
        table.add(["чт" + ending], "*", "чес")
    table.add(["бегу", "бегут", "бегите"], "*", "бежа")
    table.add(["ейте"], "c", "и")
    table.add(["ьте"], "c", "и")
    table.add(["верг"], "*", "вергну")
    for root in ("бор", "кол", "пор", "пол"):  # "расколет"
        table.add([root + ending for ending in "ю ешь ет ем ете ют".split()], "*", root + "о")
    for ending in ("л", "ла", "ло", "ли", "вши"):  # "украли", "украсть"
        for root in ("кла", "кра", "се", "кля"):
            table.add([root + ending], "*", root + "с")
    table.add(["чел", "чла", "чло", "чли"], "v", "чес")  # "учли", "учесть"
    for root in ("вез", "нес", "лек", "сек", "тек", "жег", "рег", "мог", "пас", "лез"):
        table.add([root], "*", root)
    for ending in ("гла", "гло", "гли", "гу", "гут", "гите", "жет", "жен", "жена", "жено", "жены"):
        table.add(["ож" + ending], "c", "жег")  # "поджечь"
    table.add(["шлю", "шлите"], "v", "сла")
    table.add(["дам", "даст", "дадут", "дадим", "дадите"], "*", "да")
    for consonant in "бвпл":
        for ending in "ю ешь ет ем ете ют".split():
            table.add([f"{consonant}ь{ending}"], "*", consonant + "и")
            table.add([f"о{consonant}ь{ending}"], "c", consonant + "и")
    for ending in ("шел", "шла", "шло", "шли"):
        table.add([ending], "v", "й")
        table.add(["о" + ending], "c", "й")


def _participles(table: VerbTable) -> None:
    """Add the passive participles, long and short."""
    for ending in [*("н" + end for end in _PASSIVE), *_SHORT]:
        for theme, stem in {"ова": "ова", "ева": "ева", "а": "а", "я": "я"}.items():
            table.add([f"{theme}н{ending}"], "*", stem)
        for root in ("ве", "кла", "кра"):
            table.add([f"{root}ден{ending}"], "*", root + "с")
        table.add([f"чтен{ending}"], "v", "чес")
        table.add([f"ен{ending}"], "s", "и", "", "е")
        table.add([f"оен{ending}"], "*", "ои")
        for changed, plain in pairs(_BEFORE_I):
            table.add([f"{changed}ен{ending}"], "S", plain + "и")
        for changed, plain in pairs(_BEFORE_T):
            table.add([f"{changed}ен{ending}"], "S", plain)
    for ending in [*_PASSIVE, *_SHORT]:
        for vowel in "иуяы":
            table.add([f"{vowel}т{ending}"], "c", vowel)


GRAMMAR = Grammar(
    nouns=by_ending(_NOUNS),
    after_vowel=frozenset(_AFTER_VOWEL.split()),
    adjectives=frozenset(_ADJECTIVES.split()),
    adjective_heads=("ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие"),
    verbs=_verbs(),
    infinitive=_INFINITIVE,
    lengthened=False,
    softened={},
    degree=re.compile("(?:наи)?(?!дальн)(.{2,}[бвгджзклмнпрстфхцчшщ])ейш"),  # "дальнейший" is not far
    degrees={"чайш": "к", "ближайш": "близк", "строжайш": "строг"},
    short=re.compile("(.+[бвгджзйклмнпрстфхцчшщь])(?:н[аы]|ен)$"),
)
