"""The memory that everything runs in: how it is asked for and given back (mallopt(3)), and searched.

glibc gives each thread a heap of its own, and what one of them frees is of no use to the others. It also
keeps what large documents left for the next ones, more with each that is larger than all before. Both
let a process grow for days that holds no more than it did.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
LARGE: Final = 128 * 1024  # bytes that go back to the system when they are freed; glibc begins with as many
YOUNG: Final = 7_000  # objects that are new before they are searched: Python's 700 are what 20 polls hold


def settle() -> None:
    """Let all threads share one heap, and what is large go back at once; before there are other threads.

    Few allocations wait for each other: hardly any thread runs without the interpreter's lock. Where the C
    library is not glibc this does nothing.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, LARGE)


def set_apart() -> None:
    """Leave what there is by now out of every search to come: it was read and compiled to stay.

    What is new is searched more rarely, and then together with what was left of it the last time.
    """
    gc.set_threshold(YOUNG, 0)
    gc.collect()
    gc.freeze()
