"""Runs of a channel's post ids that should have been read and could not be.

A gap is kept with the source until it is filled. What stands in it is news whenever it comes into view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

MOST_LOOKS: Final = 1_000
MOST_GAPS: Final = 10
LOOKS_BEFORE_TELLING: Final = 4  # three of them asked for it
_WRITTEN = re.compile(r"(\d{1,12})-(\d{1,12})\*(\d{1,4})")


class Gap(NamedTuple):
    """The ids from `first` to `last`, and how many looks have not filled it."""

    first: int
    last: int
    looks: int = 0

    @property
    def lost(self) -> bool:
        """Tell whether it is asked for no more."""
        return self.looks > MOST_LOOKS

    @property
    def told(self) -> bool:
        """Tell whether it stayed open for so long that the admins know of it."""
        return self.looks >= LOOKS_BEFORE_TELLING

    @property
    def due(self) -> bool:
        """Tell whether this look is to ask for it: the looks 1, 2, 3, 5, 9, 17, ... since it arose."""
        return not self.lost and not self.looks & (self.looks - 1)

    def passed(self) -> Gap:
        """Return the gap after one more look that did not fill it."""
        return self._replace(looks=min(self.looks + 1, MOST_LOOKS + 1))


def read_gaps(written: str | None) -> tuple[Gap, ...]:
    """Return the gaps that `write_gaps` wrote, in the order of their ids."""
    return tuple(Gap(*map(int, match.groups())) for match in _WRITTEN.finditer(written or ""))


def write_gaps(gaps: Iterable[Gap]) -> str | None:
    """Return gaps as a text for `Cursor.gaps`; None for none.

    Of more than `MOST_GAPS` the oldest two become one, so that the text stays short and no id is dropped.
    """
    kept = sorted(gaps)
    while len(kept) > MOST_GAPS:
        older, newer = kept[:2]
        kept[:2] = [Gap(older.first, newer.last, MOST_LOOKS + 1)]
    return " ".join(f"{gap.first}-{gap.last}*{gap.looks}" for gap in kept) or None


def in_gaps(number: int, gaps: Iterable[Gap]) -> bool:
    """Tell whether a post stands in one of the gaps."""
    return any(gap.first <= number <= gap.last for gap in gaps)


def gap_ranges(gaps: Iterable[Gap]) -> str:
    """Return the ids of all gaps in short: "3-9, 41-80"."""
    return ", ".join(f"{gap.first}-{gap.last}" for gap in gaps)


def gap_words(gaps: Iterable[Gap]) -> tuple[str, ...]:
    """Return a sentence for an operator on each gap."""
    return tuple(
        f"posts {gap.first} to {gap.last} are missing: "
        + ("Telegram does not show them" if gap.lost else "they are asked for again")
        for gap in gaps
    )
