"""The log: one line an event, on the standard error."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Final, TextIO

CHATTY: Final = ("apscheduler", "httpx", "httpcore", "telegram")
"""Libraries that say more of their own work than an operator wants to read."""


class TurnHandler(logging.StreamHandler[TextIO]):
    """Writes what is logged in one turn of the event loop at once, and a warning without delay.

    Where many polls end together, a write for each line costs more than the line: every one of them hands
    the interpreter to another thread, and the loop waits until it has it back.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to a stream, by default the standard error."""
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line, and see to it that it is written."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 -- as in every handler: a line that cannot be written stops nothing
            self.handleError(record)
            return
        loop = _running_loop()
        if loop is None or record.levelno >= logging.WARNING:
            self._write(record)
        elif len(self._lines) == 1:
            loop.call_soon(self._write, record)

    def flush(self) -> None:
        """Write what waits; raises OSError where the stream does not take it."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            self.stream.write("".join(lines))
            super().flush()
        finally:
            self.release()

    def _write(self, record: logging.LogRecord) -> None:
        """Write what waits since a record came."""
        try:
            self.flush()
        except Exception:  # noqa: BLE001 -- as above
            self.handleError(record)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def start(*, verbose: bool, stream: TextIO | None = None) -> None:
    """Log what happens, or errors alone; the journal adds the time itself."""
    journal = "JOURNAL_STREAM" in os.environ
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(levelname)s %(message)s" if journal else "%(asctime)s %(levelname)s %(message)s",
        handlers=[TurnHandler(stream)],
    )
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
