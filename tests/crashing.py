"""The bot, killed by itself at a step between two writes: `python tests/crashing.py STEP run ...`.

A step is a point of the writer thread or of the talk with Telegram where a power cut could strike: before a
transaction, when all of it is written and nothing committed, when it is committed and nobody knows yet,
before a message or an edit goes out, and when Telegram took it and no row says so. The process ends by
SIGKILL.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor import cli
from monitor.model import Message, Place
from monitor.store.desk import Desk
from monitor.telegram_bot.client import Client

WRITER = "store-writer"


def arm(last: int) -> None:
    """Have this process end at the step of this number."""
    steps = itertools.count(1)
    do, send, edit = Desk._do, Client.send, Client.edit

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def do_in_steps(self: Desk, jobs: Sequence[Callable[[Any], Any]]) -> Any:
        if not self._thread._thread_name_prefix.startswith(WRITER):
            return do(self, jobs)

        def uncommitted(job: Callable[[Any], Any], db: Any) -> Any:
            result = job(db)
            step()
            return result

        step()
        result = do(self, [partial(uncommitted, job) for job in jobs])
        step()
        return result

    async def send_in_steps(self: Client, place: Place, message: Message) -> int:
        step()
        message_id = await send(self, place, message)
        step()
        return message_id

    async def edit_in_steps(self: Client, chat_id: int, message_id: int, message: Message) -> None:
        step()
        await edit(self, chat_id, message_id, message)
        step()

    Desk._do = do_in_steps  # type: ignore[method-assign]
    Client.send = send_in_steps  # type: ignore[method-assign]
    Client.edit = edit_in_steps  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(int(sys.argv[1]))
    raise SystemExit(cli.main(sys.argv[2:]))
