"""Dates that feeds write as they should not, and that feedparser takes for other ones or for none."""

from __future__ import annotations

import re
from datetime import datetime
from time import gmtime, struct_time
from types import MappingProxyType
from typing import Final

ZONES: Final = MappingProxyType({"wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3})
"""Hours by which the clocks of Europe are ahead of UTC; RFC 822 names the American ones alone."""

_SECONDS = re.compile(r"(\d{9,10})(?:\d{3})?")
_NUMBERS = re.compile(
    r"(?:(?P<year>\d{4})[./](?P<month>\d\d?)[./](?P<day>\d\d?)"
    r"|(?P<first>\d\d?)(?P<sign>[.-])(?P<second>\d\d?)(?P=sign)(?P<third>\d{4}))"
    r"(?:[ ,T]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<of_minute>\d\d))?)?"
    r"\s*(?:UTC|GMT|Z|(?P<zone>[+-]\d\d:?\d\d))?",
    re.IGNORECASE,
)


def of_numbers(text: str) -> struct_time | None:
    """Return in UTC a date like "2026/11/28 07:00", "28.11.2026" or seconds (or thousandths) since 1970.

    This is a date handler of feedparser's: None where it is another kind of date, and ValueError where it
    is none.
    """
    text = text.strip()
    if seconds := _SECONDS.fullmatch(text):
        return gmtime(int(seconds[1]))
    found = _NUMBERS.fullmatch(text)
    if not found:
        return None
    year, month = found["year"] or found["third"], found["month"] or found["second"]
    date = f"{year}-{month:0>2}-{found['day'] or found['first']:0>2}"
    time = f"{found['hour'] or 0:0>2}:{found['minute'] or '00'}:{found['of_minute'] or '00'}"
    return datetime.fromisoformat(f"{date}T{time}{found['zone'] or 'Z'}").utctimetuple()
