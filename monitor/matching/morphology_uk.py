"""The endings of Ukrainian.

Nouns, adjectives and verbs follow the paradigms of the school grammar. A consonant that changes before
an ending is undone by listing the changed stem end together with the ending.
"""

from __future__ import annotations

import re

from monitor.matching.morphology_slavic import Grammar, VerbRule, VerbTable, by_ending, pairs

_NOUNS = {
    "m": "ь а я у ю ові еві єві ом ем єм им і ї и ів їв ей ам ям ами ями ах ях",
    "f": "ь а я и і ї у ю ою ею єю ей ам ям ами ями ах ях",
    "n": "ь о е я а у ю ові ом ем єм ям і ї ів їв ей ам ами ями ах ях",
    "i": "ь і ю ей ам ям ами ями ах ях",
}
_AFTER_VOWEL = "я ю ї і є їв єві єм єю ям ями ях"
_ADJECTIVES = "ий ій а я е є і ї ого ої ому у ю ою ею єю им їм ім их їх іх ими їми іми о"
_PARTICIPLE = "ий а е і ого ої ому ій у ою им их ими ім о".split()
_FUTURE = "тиму тимеш тиме тимемо тимете тимуть".split()
_FIRST = "у еш е емо ете уть іть".split()
_SECOND = "иш ить имо ите ять іть".split()

_LABIALS = {"бл": "б", "вл": "в", "пл": "п", "мл": "м", "фл": "ф"}
# The end of a stem before -у, -ю, -ений and in the present, and that of infinitives in -ити, -ати, -ти.
_BEFORE_I = _LABIALS | {"ж": "жз", "дж": "д", "ждж": ("зд",), "ш": "шс", "ч": "чт", "щ": ("щ", "ст")}
_BEFORE_A = _LABIALS | {"ж": "зг", "дж": "д", "ш": "сх", "ч": "кт", "щ": ("ск", "ст")}
_BEFORE_T = {"ж": "г", "ч": "к"}
_BARE_PAST = {
    "віз": "вез",
    "ніс": "нес",
    "міг": "мог",
    "тік": "тек",
    "вів": "вес",
    "ліг": "ляг",
    "беріг": "берег",
    "стеріг": "стерег",
    "пік": "пек",
    "біг": "біг",
    "мерз": "мерзну",
}
_LOST_IN_THE_PAST = {
    **{root: root + "с" for root in ("кла", "кра", "опа", "ипа", "зпа", "сі", "кля")},
    "ве": "вес",
}


def _verbs() -> dict[str, tuple[VerbRule, ...]]:
    """Return the endings of the verb."""
    table = VerbTable()
    table.add(["ти", "ть", "в", "ла", "ло", "ли", "вши", *_FUTURE], "v", "")
    table.add(["ти", *_FUTURE], "c", "")
    table.add(["ла", "ло", "ли"], "c", "", "ну")
    _vowel_stems(table)
    _consonant_stems(table)
    _irregular_stems(table)
    _participles(table)
    return table.rules()


def _vowel_stems(table: VerbTable) -> None:
    """Add the present of verbs whose stem ends in a vowel there: "атаку-є", "збива-ють", "озбро-їть"."""
    endings = "ю єш є ємо єте ють йте ймо ючи".split()
    for vowel, stems in {"у": ("ува", "у"), "ю": ("юва",), "а": ("а", "ава"), "я": ("я",)}.items():
        table.add([vowel + ending for ending in endings], "*", *stems)
    table.add(["і" + ending for ending in endings], "*", "і", "ія")
    table.add(["и" + ending for ending in endings], "*", "и")
    table.add(["о" + ending for ending in ("ю", "їш", "їть", "їмо", "їте", "ять", "ячи")], "*", "ої", "оя")


def _consonant_stems(table: VerbTable) -> None:
    """Add the present of verbs whose stem ends in a consonant there: "оголос-ить", "вибухн-уть"."""
    table.add([*_SECOND, "имуть"], "c", "и", "і")
    table.add(["ьте"], "c", "и", "і")
    table.add(["ньте"], "*", "ну")
    table.add(["ю"], "c", "и", "і", "я")
    table.add(_FIRST, "c", "", "а")
    table.add(["н" + ending for ending in _FIRST], "*", "ну")
    table.add([f"ч{ending}" for ending in ("у", "ать", "ить", "иш")], "*", "ча", "чи")
    for sibilant in "жшщч":
        table.add(
            [sibilant + ending for ending in ("ить", "ать", "ачи", "те")], "*", sibilant + "а", sibilant + "и"
        )
    for changed, plain in pairs(_BEFORE_I):
        table.add([changed + "у", changed + "ю"], "S", plain + "и", plain + "і")
    for changed, plain in pairs(_BEFORE_A):
        table.add([changed + ending for ending in (*_FIRST, "ю", "ють", "те")], "S", plain + "а")
    for changed, plain in pairs(_BEFORE_T):
        table.add([changed + ending for ending in _FIRST], "S", plain)
    for labial in "бвпмф":
        table.add([f"{labial}лять", f"{labial}лячи"], "*", labial + "и", labial + "і")
    for ending in _FIRST:
        table.add(["д" + ending, "т" + ending], "*", "с")  # "ведуть", "вести"


def _irregular_stems(table: VerbTable) -> None:
    """Add the presents that look least like their infinitives: "зіб'є", "прийме", "почне", "піде"."""
    for ending in _FIRST:
        table.add(["йм" + ending], "*", "йня")
        table.add(["нім" + ending], "*", "ня")
        table.add(["чн" + ending], "*", "ча")
        table.add(["мр" + ending], "*", "мер")
        table.add(["йд" + ending], "v", "й")
        table.add(["ід" + ending], "c", "і")
        table.add(["стан" + ending], "*", "ста")
        table.add(["їд" + ending], "*", "їха")
        table.add(["бер" + ending], "*", "бра")
        table.add(["сяд" + ending], "*", "сіс")
        table.add(["клян" + ending], "*", "кляс")
        table.add(["ітр" + ending], "c", "тер")
    for past, stem in _BARE_PAST.items():
        table.add([past, past + "ши"], "*", stem)
    for root in ("бор", "кол", "пор", "пол"):  # "поборе", "розколю"
        table.add([root + ending for ending in "ю еш е емо ете ють".split()], "*", root + "о")
    for root, stem in _LOST_IN_THE_PAST.items():  # "уклали", "укласти"
        table.add([root + ending for ending in ("в", "ла", "ло", "ли", "вши")], "*", stem)
    table.add(["шлю", "шліть"], "v", "сла")
    table.add(["дам", "дасть", "дадуть", "дамо", "дасте"], "*", "да")
    for consonant in "бвпл":
        for ending in "ю єш є ємо єте ють".split():
            mark = "л" if consonant == "л" else "'"
            table.add([f"{consonant}{mark}{ending}"], "*", consonant + "и")
            table.add([f"і{consonant}{mark}{ending}"], "c", consonant + "и")
    for ending in ("шов", "шла", "шло", "шли", "шовши"):
        table.add(["й" + ending], "*", "й")
        table.add(["і" + ending], "c", "і")


def _participles(table: VerbTable) -> None:
    """Add the passive participles and the forms in -но, -то."""
    for ending in _PARTICIPLE:
        for theme, stem in {
            "ова": "ува",
            "йова": "юва",
            "ува": "ува",
            "юва": "юва",
            "а": "а",
            "я": "я",
        }.items():
            table.add([f"{theme}н{ending}"], "c", stem)
        table.add([f"ьован{ending}"], "*", "юва")
        table.add([f"йован{ending}"], "*", "юва")
        table.add([f"єн{ending}"], "v", "ї")
        for root in ("ве", "кла", "кра"):
            table.add([f"{root}ден{ending}"], "*", root + "с")
        table.add([f"нен{ending}"], "*", "ну")
        table.add([f"ен{ending}"], "s", "и", "")
        for changed, plain in pairs(_BEFORE_I):
            table.add([f"{changed}ен{ending}"], "S", plain + "и")
        for changed, plain in pairs(_BEFORE_T):
            table.add([f"{changed}ен{ending}"], "S", plain)
        for vowel in "иуяю":
            table.add([f"{vowel}т{ending}"], "*", vowel)
        for root in ("боро", "коло", "поро", "поло", "моло"):
            table.add([f"{root}т{ending}"], "*", root)


GRAMMAR = Grammar(
    nouns=by_ending(_NOUNS),
    after_vowel=frozenset(_AFTER_VOWEL.split()),
    adjectives=frozenset(_ADJECTIVES.split()),
    adjective_heads=("ий", "ій"),
    verbs=_verbs(),
    infinitive=re.compile("ти(?:с[яь])?$"),
    lengthened=True,
    softened={"ц": "к", "з": "г", "с": "х"},
    degree=re.compile("(?:най)?(.{2,}[бвгджзклмнпрстфхцчшщ])іш"),
    degrees={
        "важч": "важк",
        "тяжч": "тяжк",
        "ближч": "близьк",
        "швидш": "швидк",
        "дорожч": "дорог",
        "легш": "легк",
        "дешевш": "дешев",
        "коротш": "коротк",
        "глибш": "глибок",
        "ширш": "широк",
        "вужч": "вузьк",
        "нижч": "низьк",
        "довш": "довг",
        "молодш": "молод",
    },
)
