"""The bot, killed by itself at a step between two writes: `python tests/crashing.py STEP run ...`.

A step is a point of the writer thread or of the talk with Telegram where a power cut could strike: before a
transaction, when all of it is written and nothing committed, when it is committed and nobody knows yet,
before a message goes out, and when Telegram took it and no row says so. The process ends by SIGKILL.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor import cli, store
from monitor.model import Message, Place
from monitor.telegram_bot.client import Client

WRITER = "store-writer"


def arm(last: int) -> None:
    """Have this process end at the step of this number."""
    steps = itertools.count(1)
    do, send = store._Desk._do, Client.send

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def do_in_steps(self: Any, job: Callable[..., Any], atomic: bool) -> Any:  # noqa: FBT001 -- as `_do` has it
        if not atomic or not self._thread._thread_name_prefix.startswith(WRITER):
            return do(self, job, atomic)

        def inside(db: Any) -> Any:
            result = job(db)
            step()
            return result

        step()
        result = do(self, inside, atomic)
        step()
        return result

    async def send_in_steps(self: Client, place: Place, message: Message) -> int:
        step()
        message_id = await send(self, place, message)
        step()
        return message_id

    store._Desk._do = do_in_steps  # type: ignore[method-assign]
    Client.send = send_in_steps  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(int(sys.argv[1]))
    raise SystemExit(cli.main(sys.argv[2:]))
