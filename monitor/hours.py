"""Clock times in a time zone: when a quiet night ends, when the next digest is due.

A clock time is said of a day, and what it means on a day when the clock is changed follows one rule:
it is the first instant of that day at which the clock shows that time or a later one. A time that the
clock skips is thus the moment of the change, one that it shows twice is the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.model import Quiet, Rhythm

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

_CLOCK = r"(\d{1,2})(?:[:.](\d{2}))?"
_TIME = re.compile(_CLOCK, re.ASCII)
_SPAN = re.compile(rf"{_CLOCK}\s*(?:[-–—−]|to|до|\s)\s*{_CLOCK}", re.ASCII | re.IGNORECASE)
_WORDS = {
    "off": {"off", "no", "none", "never", "ні", "вимк", "вимкнути", "нет", "выкл", "выключить"},
    "hourly": {"hourly", "щогодини", "щогодинно", "ежечасно"},
    "daily": {"daily", "щодня", "щоденно", "ежедневно"},
}


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name, UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return ZoneInfo("UTC")


def instant(day: date, clock: time, where: ZoneInfo) -> datetime:
    """Return the first instant of a day, in UTC, at which the clock there shows this time or a later one."""
    local = datetime.combine(day, clock)
    found = local.replace(tzinfo=where).astimezone(UTC)
    if found.astimezone(where).replace(tzinfo=None) == local:
        return found
    # The clock skips this time: with fold=1 it counts by the offset after the change (PEP 495), which is
    # an instant before the change, so that the change lies between the two.
    before, after = local.replace(tzinfo=where, fold=1).astimezone(UTC), found
    while after - before > _SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(where).replace(tzinfo=None) < local:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def quiet_end(quiet: Quiet, now: datetime, where: ZoneInfo) -> datetime | None:
    """Return when the quiet that holds at `now` ends, in UTC; None while it does not hold.

    It begins with the instant of its beginning and is over at that of its end.
    """
    for day in _days(now, where):
        last = day if quiet.begin < quiet.end else day + DAY
        end = instant(last, quiet.end, where)
        if instant(day, quiet.begin, where) <= now < end:
            return end
    return None


def following(rhythm: Rhythm, after: datetime, where: ZoneInfo) -> datetime:
    """Return the next time of a rhythm after a moment, in UTC: a full hour on the clock, or its time."""
    if rhythm.at is not None:
        times = (instant(day, rhythm.at, where) for day in _days(after, where))
        return next(moment for moment in times if moment > after)
    full = after
    while full == after or full.astimezone(where).minute:  # half an hour more where half hours are changed
        local = full.astimezone(where)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        full += HOUR - past
    return full


def _days(now: datetime, where: ZoneInfo) -> Iterator[date]:
    """Yield the days around a moment, from the day before."""
    today = now.astimezone(where).date()
    for offset in (-1, 0, 1, 2):
        yield today + offset * DAY


@lru_cache(maxsize=1024)
def parse_quiet(text: str) -> Quiet | None:
    """Return the hours that "23:00-07:00", "23-7" or "22.30 – 6" stand for; None for what is none."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        return None
    begin, end = _time(found[1], found[2]), _time(found[3], found[4])
    return None if begin is None or end is None or begin == end else Quiet(begin, end)


@lru_cache(maxsize=1024)
def parse_rhythm(text: str) -> Rhythm | None:
    """Return the rhythm that "off", "hourly", "daily 08:00" or "8:00" stands for; None for what is none."""
    word, _, rest = text.strip().casefold().partition(" ")
    if is_off(word) and not rest:
        return Rhythm("off")
    if word in _WORDS["hourly"] and not rest:
        return Rhythm("hourly")
    found = _TIME.fullmatch(rest.strip() if word in _WORDS["daily"] else text.strip())
    at = _time(found[1], found[2]) if found else None
    return Rhythm("daily", at) if at is not None else None


def is_off(word: str) -> bool:
    """Tell whether a word says that something is to be off, in any language that the bot speaks."""
    return word.strip().casefold() in _WORDS["off"]


def _time(hour: str, minute: str | None) -> time | None:
    """Return a time of the day, "24:00" as midnight; None for what no clock shows."""
    hours, minutes = int(hour), int(minute or 0)
    if (hours, minutes) == (24, 0):
        return time(0)
    return time(hours, minutes) if hours < 24 and minutes < 60 else None  # noqa: PLR2004 -- a clock's
