"""What HTTP header fields say, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from monitor.model import Hints

Headers = Mapping[str, str]
"""Header fields by their lower-case names."""

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NEVER_FRESH = re.compile(r"(?:^|[,\s])no-(?:cache|store)(?:$|[,\s])", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,9}")
_WAIT = re.compile(r"(\d{1,20})(?:\.\d*)?(?:\s*,.*)?", re.ASCII)  # twice, perhaps
_LONGEST: Final = 10**9  # seconds
_NOTHING: Final = timedelta(0)


def retry_after(headers: Headers, now: datetime) -> timedelta | None:
    """Return the wait that Retry-After asks for, in seconds or until a date (RFC 9110, 10.2.3).

    A date is the server's: it is measured from the answer's own Date, and from `now` where it has none.
    """
    value = headers.get("retry-after", "").strip()
    if found := _WAIT.fullmatch(value):
        return timedelta(seconds=min(int(found.group(1)), _LONGEST))
    until = http_date(value)
    if until is None:
        return None
    return max(until - (http_date(headers.get("date", "")) or now), _NOTHING)


def hints(headers: Headers, now: datetime) -> Hints:
    """Return what the fields say about when to come back; max-age less Age (RFC 9111, 4.2.1 and 4.2.3)."""
    control = headers.get("cache-control", "")
    found = None if _NEVER_FRESH.search(control) else _MAX_AGE.search(control)
    max_age = None
    if found:
        age = headers.get("age", "").strip()
        spent = int(age) if _SECONDS.fullmatch(age) else 0
        max_age = max(timedelta(seconds=int(found.group(1)) - spent), _NOTHING)
    return Hints(retry_after=retry_after(headers, now), max_age=max_age)


def http_date(value: str) -> datetime | None:
    """Return an HTTP date (RFC 9110, 5.6.7) as an aware UTC `datetime`; None where it is none."""
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
