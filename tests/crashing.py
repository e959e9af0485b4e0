"""The bot, killed by itself at a step between two writes: `python tests/crashing.py STEP run ...`.

A step is a point of what the writer does or of the talk with Telegram where a power cut could strike: before
a transaction, when all of it is written and nothing committed, when it is committed and nobody knows yet,
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
from monitor.store.desk import Desk, Job
from monitor.telegram_bot.client import Client

WRITER = "store-writer"


def arm(last: int) -> None:
    """Have this process end at the step of this number."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    _arm_writer(step)
    _arm_client(step)


def _arm_writer(step: Callable[[], None]) -> None:
    run, begun, finish, do = Desk.run, Desk._begun, Desk._finish, Desk._do

    def is_writer(desk: Desk) -> bool:
        return desk._thread._thread_name_prefix.startswith(WRITER)

    def uncommitted(job: Job[Any], db: Any) -> Any:
        result = job(db)
        step()
        return result

    async def run_in_steps(self: Desk, job: Job[Any], *, is_brief: bool = False) -> Any:
        if not is_writer(self):
            return await run(self, job)
        return await run(self, partial(uncommitted, job), is_brief=is_brief)

    def begun_in_steps(self: Desk) -> Any:
        step()
        return begun(self)

    def finish_in_steps(self: Desk, jobs: Sequence[Job[Any]]) -> Any:
        result = finish(self, jobs)
        step()
        return result

    def do_in_steps(self: Desk, jobs: Sequence[Job[Any]]) -> Any:
        if not is_writer(self):
            return do(self, jobs)
        step()
        result = do(self, jobs)
        step()
        return result

    Desk.run = run_in_steps  # type: ignore[method-assign, assignment]
    Desk._begun = begun_in_steps  # type: ignore[method-assign]
    Desk._finish = finish_in_steps  # type: ignore[method-assign]
    Desk._do = do_in_steps  # type: ignore[method-assign]


def _arm_client(step: Callable[[], None]) -> None:
    send, edit = Client.send, Client.edit

    async def send_in_steps(self: Client, place: Place, message: Message) -> int:
        step()
        message_id = await send(self, place, message)
        step()
        return message_id

    async def edit_in_steps(self: Client, chat_id: int, message_id: int, message: Message) -> None:
        step()
        await edit(self, chat_id, message_id, message)
        step()

    Client.send = send_in_steps  # type: ignore[method-assign]
    Client.edit = edit_in_steps  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(int(sys.argv[1]))
    raise SystemExit(cli.main(sys.argv[2:]))
