"""Commands that are too long for a button, under short names.

A button carries at most 64 bytes (Bot API, InlineKeyboardButton.callback_data). What is longer is kept
here under a digest, for as long as the process runs and no thousand later ones came.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

LONGEST = 64  # bytes of UTF-8
MOST = 1000
MARK = "/~"


class Shortcuts:
    """Short names for long commands; the oldest are forgotten."""

    def __init__(self) -> None:
        """Begin without any."""
        self._commands: OrderedDict[str, str] = OrderedDict()

    def shorten(self, command: str) -> str:
        """Return what a button carries for a command: the command itself where it fits."""
        written = command.encode("utf-8", "replace")
        if len(written) <= LONGEST:
            return command
        name = MARK + blake2b(written, digest_size=8).hexdigest()
        self._commands[name] = command
        self._commands.move_to_end(name)
        while len(self._commands) > MOST:
            self._commands.popitem(last=False)
        return name

    def resolve(self, text: str) -> str | None:
        """Return the command that a button stood for; None where it was forgotten."""
        return self._commands.get(text) if text.startswith(MARK) else text
