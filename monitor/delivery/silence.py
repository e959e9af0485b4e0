"""Whether Telegram answers at all, and whether a message is to blame where it does not.

A refusal is an answer, too. As long as others get theirs, a message that got none may be what Telegram
stumbles over. Where more in a row get none than can be on their way at once, so that one broken moment is not
to blame for them all, Telegram is away, and everybody rests. After that as many have to fail again until the
next rest, which is longer: one chat that is out of luck shows nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from monitor.delivery.refusals import FIRST_WAIT

IN_FLIGHT: Final = 4  # messages at once, at the most
LONGEST_REST: Final = timedelta(seconds=30)
POISON: Final = 8  # tries without an answer, while other messages get theirs, until a message is to blame
MOST_SUSPECTS: Final = 1000  # messages of which it is known how often they got none


class Silence:
    """Counts what gets no answer."""

    def __init__(self) -> None:
        """Begin with nothing unanswered."""
        self.in_a_row = 0  # messages without an answer, since the last rest
        self._rest = timedelta()  # the last one; nothing where something was answered since
        self._taken = 0  # messages that Telegram took
        self._suspects: dict[int, tuple[int, int]] = {}  # row -> tries without answer, `_taken` at the last

    def broken(self) -> None:
        """Take note of an answer, whatever it says."""
        self.in_a_row, self._rest = 0, timedelta()

    def rest(self) -> timedelta:
        """Return how long everybody is to rest now, once: nothing, as long as Telegram seems to be there."""
        if self.in_a_row <= IN_FLIGHT:
            return timedelta()
        self.in_a_row, self._rest = 0, min(max(self._rest * 2, FIRST_WAIT), LONGEST_REST)
        return self._rest

    def taken(self, rows: Iterable[int]) -> None:
        """Take note that Telegram took a message, which told these rows of the outbox."""
        self.broken()
        self._taken += 1
        for row in rows:
            self.forget(row)

    def kept(self, row: int) -> bool:
        """Take note that a message got no answer; return whether it is to blame for that."""
        self.in_a_row += 1
        tries, taken = self._suspects.pop(row, (0, -1))
        self._suspects[row] = (tries + (taken != self._taken), self._taken)
        while len(self._suspects) > MOST_SUSPECTS:  # the longest untried may never be tried again
            del self._suspects[next(iter(self._suspects))]
        return self._suspects[row][0] > POISON

    def forget(self, row: int) -> None:
        """Suspect a row no more."""
        self._suspects.pop(row, None)
