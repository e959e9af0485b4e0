"""What is to be done when: a heap of moments.

Moments are seconds on whatever clock the caller goes by. Putting, dropping and taking cost the logarithm of
how much there is, so that tens of thousands of entries cost next to nothing.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count


class Agenda:
    """Keys, each with the one moment when it is due."""

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[tuple[float, int, str]] = []
        self._valid: dict[str, tuple[float, int, str]] = {}  # other entries of the heap were replaced
        self._number = count()

    def __len__(self) -> int:
        """Return how many keys have a moment."""
        return len(self._valid)

    def put(self, key: str, at: float) -> None:
        """Let a key be due at `at`, and at no other moment."""
        entry = self._valid[key] = (at, next(self._number), key)
        heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._valid) + 64:
            self._heap = list(self._valid.values())
            heapify(self._heap)

    def drop(self, key: str) -> None:
        """Let a key be due no more; nothing happens if it is not."""
        self._valid.pop(key, None)

    def when(self, key: str) -> float | None:
        """Return when a key is due; None if it is not."""
        entry = self._valid.get(key)
        return entry[0] if entry else None

    def all(self) -> list[tuple[str, float]]:
        """Return every key with its moment, in no order."""
        return [(key, entry[0]) for key, entry in self._valid.items()]

    def next(self) -> float | None:
        """Return the earliest moment; None where there is none."""
        while self._heap and self._valid.get(self._heap[0][2]) is not self._heap[0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float, most: int) -> list[tuple[str, float]]:
        """Take out what is due by `now`, at most so many; return key and moment, the earliest first."""
        taken: list[tuple[str, float]] = []
        while len(taken) < most and (at := self.next()) is not None and at <= now:
            _, _, key = heappop(self._heap)
            del self._valid[key]
            taken.append((key, at))
        return taken
