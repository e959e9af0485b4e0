"""Durations as people write them: "30s", "2m", "1h30m", "7d"."""

from __future__ import annotations

import json
import re
from datetime import timedelta

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds in a week, a day, an hour, a minute and a second."""

LONGEST = timedelta(days=3_650)
_SHAPE = re.compile("".join(rf"(?:([0-9]+){unit})?\s*" for unit in UNITS))

_MOST_DIGITS = 10  # more seconds than the longest duration has; a longer number need not be worked out


class TooLong(ValueError):
    """A duration that is one, but longer than any that is taken."""


def parse_duration(text: str) -> timedelta:
    """Return the length that "30s", "2m", "1h30m" or "7d" stands for.

    Units are w, d, h, m and s, larger before smaller, each at most once; case and spaces don't matter.
    Raises `ValueError` with a sentence on what would be right, `TooLong` for more than ten years.
    """
    found = _SHAPE.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise ValueError(
            f'{json.dumps(text, ensure_ascii=False)} is no duration: write "30s", "2m", "1h30m" or "7d"'
        )
    counts = [(count or "0").lstrip("0")[:_MOST_DIGITS] or "0" for count in found.groups()]
    seconds = sum(int(count) * size for count, size in zip(counts, UNITS.values(), strict=True))
    if seconds > LONGEST.total_seconds():
        raise TooLong(
            f"{json.dumps(text, ensure_ascii=False)} is too long: at most {format_duration(LONGEST)}"
        )
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Return the shortest way to write `length` in days, hours, minutes and whole seconds: "1h30m"."""
    rest = int(length.total_seconds())
    parts = []
    for unit, size in list(UNITS.items())[1:]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
