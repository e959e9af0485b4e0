"""How many rows go into one message while one of them is looked for that Telegram will not take."""

from __future__ import annotations


class Portions:
    """The bounds of the chats where a list was refused: each refusal halves, until the culprit is alone."""

    def __init__(self) -> None:
        """Begin without bounds."""
        self._bounds: dict[int, tuple[int, int]] = {}  # chat id -> most in one message, rows to go so

    def most(self, chat_id: int) -> int | None:
        """Return how many rows may go to a chat in one message; None where there is no bound."""
        return self._bounds[chat_id][0] if chat_id in self._bounds else None

    def halve(self, chat_id: int, count: int) -> None:
        """Note that a message of so many rows was refused."""
        _, left = self._bounds.get(chat_id, (0, count))
        self._bounds[chat_id] = (max(1, count // 2), left)

    def done(self, chat_id: int, count: int) -> None:
        """Note that so many rows were taken, or given up; once all are, there is no bound any more."""
        most, left = self._bounds.pop(chat_id, (0, 0))
        if left > count:
            self._bounds[chat_id] = (most, left - count)
