"""Dates that feeds write as they should not, and that feedparser takes for other ones or for none."""

from __future__ import annotations

import re
from datetime import datetime
from time import gmtime, struct_time

from feedparser.datetimes.rfc822 import timezone_names

# Hours ahead of UTC, for feedparser as well: RFC 822 names the zones of America alone.
timezone_names.update(wet=0, west=1, cet=1, cest=2, eet=2, eest=3, msk=3)

_SECONDS = re.compile(r"(\d{9,10})(?:\d{3})?")
_NUMBERS = re.compile(
    r"(?:(?P<year>\d{4})(?P<by>[./-])(?P<month>\d\d?)(?P=by)(?P<day>\d\d?)"
    r"|(?P<first>\d\d?)(?P<sign>[.-])(?P<second>\d\d?)(?P=sign)(?P<third>\d{4}))"
    r"(?:[ ,T]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<of_minute>\d\d))?)?"
    r"\s*(?P<half>[ap]m\b)?\s*(?P<zone>.*)",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"[+-]\d\d:?\d\d")
_NAMED = re.compile(r"\(?[a-z]{2}", re.IGNORECASE)


def of_numbers(text: str) -> struct_time | None:
    """Return in UTC a date like "2026/11/28 07:00 EET", "28.11.2026" or seconds (or thousandths) since 1970.

    A zone that is not known counts as UTC. This is a date handler of feedparser's, and comes before its own,
    which take the day or the hours of such dates for none: None where it is another kind of date, such as
    all of ISO 8601, and ValueError where it is none.
    """
    text = text.strip()
    if seconds := _SECONDS.fullmatch(text):
        return gmtime(int(seconds[1]))
    found = _NUMBERS.fullmatch(text)
    if not found or (found["by"] == "-" and not (found["half"] or _NAMED.match(found["zone"]))):
        return None
    year, month = found["year"] or found["third"], found["month"] or found["second"]
    date = f"{year}-{month:0>2}-{found['day'] or found['first']:0>2}"
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "pm")
    time = f"{hour:02}:{found['minute'] or '00'}:{found['of_minute'] or '00'}"
    return datetime.fromisoformat(f"{date}T{time}{_offset(found['zone'])}").utctimetuple()


def _offset(zone: str) -> str:
    """Return a zone as an offset from UTC."""
    return zone if _OFFSET.fullmatch(zone) else f"{timezone_names.get(zone.strip('()').lower(), 0):+03}:00"
