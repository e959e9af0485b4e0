"""Reading away from the event loop: in a thread, and what is large in a process of its own.

A thread cannot be stopped, and shares the interpreter with all that runs beside it. So a document that
takes long to read is handed to another process: it may run beside everything else, is nice to it, has a
limit of memory, and is killed where it takes too long. There is one such process, begun when it is first
needed and ended when it has been idle for a while. Requests and answers are pickles behind their length.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from monitor.errors import SourceUnreadable
from monitor.model import Cursor, Polled, Source
from monitor.sources.http import shown
from monitor.sources.kind import Fetched, Parse

T = TypeVar("T")

THREADS: Final = 2  # for the rest; more would only wait for each other
LARGE: Final = 512 * 1024  # bytes of a body that is read in the other process
MANY: Final = 20_000  # tags, of which feedparser reads about 60,000 a second
LONGEST: Final = 20.0  # seconds for one document
IDLE: Final = 60.0  # seconds until the process ends that has nothing to do
MOST_MEMORY: Final = 2**29  # bytes of address space
NICENESS: Final = 10
_STEP: Final = 2**18
_LENGTH = struct.Struct("<Q")
_ROOT: Final = Path(__file__).parent.parent.parent
_COMMAND: Final = "from monitor.sources.apart import serve; serve()"


class Apart:
    """Runs a parse away from the event loop; an async context manager, which ends the process it began."""

    def __init__(self, longest: float = LONGEST) -> None:
        """Begin nothing yet; `longest` is the limit for one document in the other process, in seconds."""
        self._longest = longest
        self._turn = asyncio.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="parse")
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Begin nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever it does, and the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._process is not None:
            process = self._process
            self._end()
            await process.wait()

    async def __call__(self, parse: Parse, fetched: Fetched, source: Source, cursor: Cursor) -> Polled:
        """Return what `parse` does; raises what it raises, and `SourceUnreadable` where it takes too long."""
        bodies = [answer.body for answer in fetched.answers]
        if not is_large(bodies):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, parse, fetched, source, cursor)
        return await self.run(shown(fetched.answers[-1].url), parse, fetched, source, cursor)

    async def run(self, where: str, function: Callable[..., T], *arguments: object) -> T:
        """Return what a function of a module gives in the other process; `where` names the document."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._longest):
                    done, value = await self._answer(pickle.dumps((function, arguments)))
            except TimeoutError:
                self._end()
                raise SourceUnreadable(
                    f"{where} sent a document that takes more than {self._longest:g} s to read:"
                    " it is no ordinary feed"
                ) from None
            except (OSError, EOFError) as error:  # it was killed, or had no more memory
                self._end()
                raise SourceUnreadable(f"{where} sent a document that is too large to be read") from error
            except BaseException:
                self._end()  # what it would answer now would be taken for the answer to the next
                raise
            self._rest()
        if done:
            result: T = value
            return result
        raise value

    async def _answer(self, request: bytes) -> tuple[bool, Any]:
        """Return what the process answers."""
        if self._idle is not None:
            self._idle.cancel()
        process = self._process or await self._begin()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(_LENGTH.pack(len(request)))
        for start in range(0, len(request), _STEP):  # so that it does not stand in memory a third time
            process.stdin.write(request[start : start + _STEP])
            await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        done, value = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 - of our own process
        return done, value

    async def _begin(self) -> asyncio.subprocess.Process:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _COMMAND,
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self._process

    def _rest(self) -> None:
        """End the process unless it is needed again soon."""
        self._idle = asyncio.get_running_loop().call_later(IDLE, self._end)

    def _end(self) -> None:
        """Kill the process; the next document begins another."""
        if self._idle is not None:
            self._idle.cancel()
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def is_large(bodies: list[bytes]) -> bool:
    """Tell whether documents would hold up the others for long if they were read in a thread."""
    size = sum(map(len, bodies))
    return size > LARGE or (size > 3 * MANY and sum(body.count(b"<") for body in bodies) > MANY)


def serve() -> None:
    """Answer requests until there are no more; the whole of the other process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then ends this
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    os.nice(NICENESS)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := requests.read(_LENGTH.size):
        answer = _done(requests.read(_LENGTH.unpack(head)[0]))
        answers.write(_LENGTH.pack(len(answer)))
        answers.write(answer)
        answers.flush()


def _done(request: bytes) -> bytes:
    """Return what a request gives or raises, pickled."""
    try:
        function, arguments = pickle.loads(request)  # noqa: S301 - of the service
        del request
        return pickle.dumps((True, function(*arguments)))
    except MemoryError:
        return pickle.dumps((False, SourceUnreadable("the document is too large to be read")))
    except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
        return pickle.dumps((False, error))
