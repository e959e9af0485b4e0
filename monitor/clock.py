"""The only reader of wall time.

Decisions take `now` as an argument; whoever calls them asks a `Clock`, so that a test can hand in
its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC `datetime`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC `datetime`."""
        return datetime.now(UTC)
