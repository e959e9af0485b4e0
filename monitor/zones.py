"""Time zones as people name them: by IANA name, by offset, by city, or by where they are.

Nothing is asked of any service: the names and places are those of the tz database (the package
`tzdata`, file "zone.tab"), the names of cities in the languages of the bot those of CLDR (Babel).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from rapidfuzz import fuzz, process

from monitor.phrases import LANGUAGES

OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−])\s*0?(\d{1,2})(?::?00)?", re.IGNORECASE | re.ASCII)
TURNED = re.compile(r"(etc/)?gmt")  # in some of these "+3" is west of Greenwich: nothing to be offered
FIXED = re.compile(r"Etc/GMT([+-])(\d+)")
SPOT = re.compile(r"(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)", re.ASCII)
WORD = re.compile(r"[^\W\d_]{3,}")
COORDINATES = re.compile(r"([+-]\d+)([+-]\d+)")  # ISO 6709, ±DDMM[SS]±DDDMM[SS] (zone.tab)

EARTH = 6371.0  # km, radius
DOUBT = 40.0  # km by which a zone's nearest place may be further away than another's, and ...
DOUBTFUL = 2.0  # ... by which factor, and the nearer one is still not believed to be the right one
HALF_A_YEAR = timedelta(days=182)
NEAR = 75  # rapidfuzz ratio of a name that was perhaps meant
MOST = 6  # zones to choose from

TOWNS: Mapping[str, str] = {
    "Europe/Kyiv": """
        49.84 24.03  48.62 22.29  48.29 25.94  48.92 24.71  50.75 25.33  50.62 26.25  49.55 25.59
        49.42 26.98  49.23 28.47  50.25 28.66  51.50 31.29  50.91 34.80  49.99 36.23  49.59 34.55  48.46 35.05
        47.84 35.14  46.64 32.62  46.97 32.00  46.48 30.73  45.35 28.84  48.74 37.58  48.02 37.80  48.57 39.31
        47.10 37.54  48.51 32.26  49.44 32.06""",
    "Europe/Warsaw": """
        50.04 22.00  51.25 22.57  49.78 22.77  53.13 23.16  50.06 19.94  51.11 17.03  54.35 18.65""",
    "Europe/Bratislava": "48.72 21.26",
    "Europe/Budapest": "47.53 21.63  47.95 21.72",
    "Europe/Bucharest": "46.77 23.62  47.16 27.59  47.65 26.26  44.17 28.63  45.75 21.23",
    "Europe/Chisinau": "47.76 27.93  46.84 29.63",
    "Europe/Minsk": "52.10 23.70  52.44 30.99  53.68 23.83  53.90 30.33  55.19 30.20",
    "Europe/Moscow": """50.60 36.59  51.73 36.19  53.25 34.37  51.67 39.18  47.24 39.71  45.04 38.98
        54.78 32.05  57.82 28.33  59.94 30.31""",
}
"""Towns (latitude and longitude in degrees) beside those of zone.tab, which has one or two a country: where
zones with other times meet, the nearest of those is often beyond the border."""


class Spot(NamedTuple):
    """A place on Earth, in degrees."""

    latitude: float
    longitude: float


class _Row(NamedTuple):
    """A zone as zone.tab has it."""

    country: str  # ISO 3166, two letters
    zone: str
    town: Spot  # that it is named after
    about: str  # which part of the country, where that has several zones


def named(text: str) -> str | None:
    """Return the zone that a text names: "Europe/Kyiv", "+3", "UTC+3", "Kyiv", "Київ"; None for none."""
    said = text.strip().casefold()
    return _fixed(said) or _known().get(said) or _cities().get(said)


def suggestions(text: str) -> list[str]:
    """Return zones that a text has as a word, or whose name or city is nearly spelt so, the nearest first.

    For a country they are those of the country.
    """
    said = " ".join(text.split()).casefold()
    if said in _countries():
        return _countries()[said][:MOST]
    names = [key for key in (*_known(), *_cities()) if not TURNED.match(key)]
    words = [key for key in WORD.findall(said) if key in names]
    near = process.extract(said, names, scorer=fuzz.ratio, score_cutoff=NEAR, limit=4 * MOST)
    found = [_known().get(key) or _cities()[key] for key in (*words, *(key for key, _, _ in near))]
    return list(dict.fromkeys(found))[:MOST]


def spot(text: str) -> Spot | None:
    """Return the place that two numbers stand for: "50.45, 30.52"; None for what is none on Earth."""
    found = SPOT.fullmatch(text.strip())
    if found is None:
        return None
    there = Spot(float(found[1]), float(found[2]))
    return there if abs(there.latitude) <= 90 and abs(there.longitude) <= 180 else None  # noqa: PLR2004 -- degrees


def around(there: Spot, now: datetime) -> list[str]:
    """Return the zones that a place may lie in, the likeliest first; one alone where there is no doubt.

    A zone with the same time, now and half a year from now, counts as the same.
    """
    distances: dict[str, float] = {}
    for zone, town in _towns():
        distances[zone] = min(_distance(there, town), distances.get(zone, EARTH * 4))
    ranked = sorted(distances, key=distances.__getitem__)
    reach = distances[ranked[0]] * DOUBTFUL + DOUBT
    times: dict[tuple[timedelta | None, ...], str] = {}
    for zone in ranked:
        if distances[zone] <= reach:
            where = ZoneInfo(zone)
            offsets = tuple(moment.astimezone(where).utcoffset() for moment in (now, now + HALF_A_YEAR))
            times.setdefault(offsets, zone)
    return list(times.values())[:MOST]


def shown(zone: str) -> str:
    """Return how a time zone is shown: by its name, a fixed one by its offset, "UTC+03:00"."""
    fixed = FIXED.fullmatch(zone)
    if fixed is None:
        return zone
    sign = "+" if fixed[1] == "-" else "-"  # "Etc/GMT-3" is east of Greenwich (tz database, file "etcetera")
    return f"UTC{sign}{int(fixed[2]):02}:00"


def _fixed(offset: str) -> str | None:
    """Return the zone of an offset such as "+3", "UTC+3" or "-05:00"; None for what is none."""
    found = OFFSET.fullmatch(offset)
    if found is None:
        return None
    hours_off = int(found[2])
    if not hours_off:
        return "UTC"
    return _known().get(f"etc/gmt{'-' if found[1] == '+' else '+'}{hours_off}")


@cache
def _known() -> dict[str, str]:
    """Return the IANA time zones by their names in small letters."""
    return {zone.casefold(): zone for zone in sorted(available_timezones())}


@cache
def _cities() -> dict[str, str]:
    """Return the zones of zone.tab by the names of their cities, in small letters and in each language."""
    found = {row.zone.rpartition("/")[2].replace("_", " ").casefold(): row.zone for row in _tab()}
    in_english = Locale.parse("en").time_zones
    for code in LANGUAGES:
        for key, facts in Locale.parse(code).time_zones.items():  # CLDR keeps old keys: "Europe/Kiev"
            today = in_english.get(key, {}).get("city", key.rpartition("/")[2]).casefold()
            if "city" in facts and key.casefold() in _known():
                for city in (facts["city"], key.rpartition("/")[2]):  # and so do people: "Kiev"
                    found.setdefault(city.casefold(), found.get(today, key))
    return found


@cache
def _towns() -> tuple[tuple[str, Spot], ...]:
    """Return places with the zone that each lies in."""
    more = [
        (zone, Spot(float(latitude), float(longitude)))
        for zone, text in TOWNS.items()
        for latitude, longitude in zip(text.split()[::2], text.split()[1::2], strict=True)
    ]
    return (*((row.zone, row.town) for row in _tab()), *more)


@cache
def _countries() -> dict[str, list[str]]:
    """Return the zones of each country, the largest first, by its names, in small letters."""
    found: dict[str, list[str]] = {}
    for row in sorted(_tab(), key=lambda row: not row.about.startswith("most of")):
        names = {Locale.parse(code).territories.get(row.country, "").casefold() for code in LANGUAGES}
        for name in names - {""}:
            found.setdefault(name, []).append(row.zone)
    return found


@cache
def _tab() -> tuple[_Row, ...]:
    """Return the rows of zone.tab."""
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    return tuple(_rows(text))


def _rows(text: str) -> Iterator[_Row]:
    for line in text.splitlines():
        columns = line.split("\t")
        found = COORDINATES.fullmatch(columns[1]) if len(columns) > 2 else None  # noqa: PLR2004 -- columns
        if found and columns[2].casefold() in _known():
            town = Spot(_degrees(found[1], 3), _degrees(found[2], 4))
            yield _Row(columns[0], columns[2], town, "".join(columns[3:]))


def _degrees(text: str, width: int) -> float:
    """Return degrees from a sign, `width` - 1 digits of degrees, then minutes and perhaps seconds."""
    degrees, minutes, seconds = text[1:width], text[width : width + 2], text[width + 2 :] or "0"
    value = int(degrees) + int(minutes) / 60 + int(seconds) / 3600
    return -value if text[0] == "-" else value


def _distance(one: Spot, other: Spot) -> float:
    """Return the great-circle distance in km (haversine)."""
    latitude, longitude = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    chord = (
        sin(latitude / 2) ** 2
        + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(longitude / 2) ** 2
    )
    return 2 * EARTH * asin(min(1.0, sqrt(chord)))
