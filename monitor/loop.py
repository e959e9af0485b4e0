"""The event loop that everything runs on: uvloop where it is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

T = TypeVar("T")

HANDOVER: Final = 0.0005  # seconds that a thread waits until it is given the interpreter; 0.005 by default


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, as `asyncio.run` does, and return what it returns.

    Until it ends, a thread gets the interpreter sooner than it would: see `HANDOVER`.
    """
    with _handing_over(), asyncio.Runner(loop_factory=_factory()) as runner:
        return runner.run(main)


@contextmanager
def _handing_over() -> Iterator[None]:
    """Let the threads beside the loop have their turns early.

    A busy loop gives the interpreter up often, but for moments too short for a thread to wake in. So the
    thread of the database fell behind while much was read, and then everything waited for it.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(HANDOVER)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes a loop; None for asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 -- it is not there on every system
    except ImportError:
        return None
    return uvloop.new_event_loop
