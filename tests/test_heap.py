"""A process that runs for months keeps no memory that it does not use."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from monitor import heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about glibc")

# Heaps are counted as malloc_info(3) lists them; blocks outside of the heap as mallinfo2(3) does.
BEGINNING = """
import ctypes, os, sys, threading
from monitor import heap

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fflush.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "settled":
    heap.settle()
"""
THREADS = """
together = threading.Barrier(4)
def use():
    together.wait()
    block = libc.malloc(4096)
    together.wait()
    libc.free(block)
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
out = libc.fdopen(1, b"w")
libc.malloc_info(0, out)
libc.fflush(out)
"""
BLOCKS = """
class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
libc.mallinfo2.restype = Info
libc.free(libc.malloc(8 * 1024 * 1024))
before = libc.mallinfo2().hblks
block = libc.malloc(1024 * 1024)
print(libc.mallinfo2().hblks - before)
"""


STAYS = """
import gc
kept = [[] for _ in range(1_000)]
loop = []
loop.append(loop)
del loop
heap.set_apart()
print(gc.get_freeze_count() >= 1_000, any(each is kept[0] for each in gc.get_objects()), gc.collect())
"""
NEW = """
import gc
if sys.argv[1] == "settled":
    heap.set_apart()
searches = []
gc.callbacks.append(lambda phase, facts: searches.append(facts["generation"]) if phase == "start" else None)
for count in (5_000, 10_000):
    searches.clear()
    held = [[] for _ in range(count)]
    print(bool(searches))
    del held
"""


def ran(program: str, how: str) -> str:
    """Return what a program prints in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", BEGINNING + program, how], check=True, capture_output=True, text=True
    ).stdout


def test_all_threads_share_one_heap() -> None:
    assert ran(THREADS, "settled").count("<heap nr=") == 1
    assert ran(THREADS, "as it comes").count("<heap nr=") > 1


def test_what_is_large_goes_back_to_the_system_though_something_larger_did_before() -> None:
    assert ran(BLOCKS, "settled").strip() == "1"
    assert ran(BLOCKS, "as it comes").strip() == "0"


def test_what_stays_is_left_out_of_every_search_and_no_garbage_with_it() -> None:
    assert ran(STAYS, "settled").split() == ["True", "False", "0"]


def test_what_is_new_is_searched_when_it_is_much_and_not_before() -> None:
    assert ran(NEW, "settled").split() == ["False", "True"]
    assert ran(NEW, "as it comes").split() == ["True", "True"]


def test_where_the_c_library_knows_no_such_wishes_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    class AnotherLibrary:
        def __init__(self, name: str | None) -> None:
            asked.append(name)

    monkeypatch.setattr(heap.ctypes, "CDLL", AnotherLibrary)
    heap.settle()
    assert asked == [None]
