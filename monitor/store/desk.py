"""A thread with a connection of its own to the database, and the queue of jobs in front of it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import takewhile
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sqlite_utils import Database

from monitor import errors

T = TypeVar("T")
Job = Callable[[Database], T]
Result = tuple[bool, Any]  # whether it was done, and what it returned or raised

BUSY_SECONDS: Final = 10.0
TURN: Final = 0.005  # seconds for which brief jobs have the event loop to themselves
LONGEST: Final = 0.02  # seconds of a brief job
UNWRITABLE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, nothing was lost",
    sqlite3.SQLITE_IOERR: "the disk fails: look at the system's log",
    sqlite3.SQLITE_READONLY: "it may not be written: look at the owner and the rights of file and folder",
    sqlite3.SQLITE_BUSY: "another program holds it: close what else has it open",
}
UNUSABLE: Final = {
    sqlite3.SQLITE_NOTADB: "it is no database: move it away, or name another in [storage] path",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore a backup, or move it away to begin anew",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: look at the owner and the rights of file and folder",
}


class NotBrief(Exception):
    """A job has more to do than may hold up the event loop."""


class _Sparing(Database):
    """The database as a job has it on the event loop: after a while each statement raises NotBrief."""

    until = 0.0  # by the monotonic clock

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> sqlite3.Cursor:
        """Run one more statement."""
        self._check()
        return super().execute(sql, parameters)

    def query(
        self, sql: str, params: Sequence[Any] | dict[str, Any] | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Run one more statement that returns rows."""
        self._check()
        return super().query(sql, params)

    def _check(self) -> None:
        if time.monotonic() > self.until:
            raise NotBrief


class _Waiting(NamedTuple):
    """A job, whether the event loop may do it, and whoever waits for what it returns."""

    job: Job[Any]
    is_brief: bool
    done: asyncio.Future[Any]


class Desk:
    """Does jobs in the order in which they came, on a thread of its own but for what is brief.

    Jobs that wait at the same time share one transaction, so that the disk is flushed once for all of them.
    Where one of them raises, or the disk refuses, nothing of that stays, and each is done again in one of its
    own; so a job must change nothing but the database.

    The thread begins and commits, which may wait for the disk. A few statements in between take less than
    what two threads lose that pass the interpreter to and fro at each of them: brief jobs that came before
    all others are done on the event loop. Where one proves not to be brief, or raises, the thread does all.
    """

    def __init__(self, path: Path, name: str, begin: str = "BEGIN") -> None:
        """Take the database, and how a transaction begins; the connection is opened by the first job."""
        self._path = path
        self._begin = begin
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._db: Database | None = None
        self._waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self, job: Job[T], *, is_brief: bool = False) -> T:
        """Do `job` in a transaction and return what it returned; whatever it raises rolls it back."""
        if self._closed:
            raise RuntimeError(f"{self._path} is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(job, is_brief, done))
        if self._working is None:
            self._working = loop.create_task(self._work(loop))
        return await done

    async def close(self) -> None:
        """Do what waits, and let go of the database."""
        self._closed = True
        if self._working is not None:
            await asyncio.shield(self._working)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what waits until nothing does."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                batch = [one for one in batch if not one.done.done()]
                try:
                    results = await self._together(loop, batch)
                except Exception as error:  # noqa: BLE001 -- whoever waits must hear of it, whatever it is
                    results = [(False, error)] * len(batch)
                for one, result in zip(batch, results, strict=True):
                    _tell(one.done, result)
        finally:
            self._working = None

    async def _together(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> list[Result]:
        """Do jobs in one transaction, or each in its own where that fails."""
        jobs = [one.job for one in batch]
        brief = [one.job for one in takewhile(attrgetter("is_brief"), batch)]
        if brief:
            try:
                db = await loop.run_in_executor(self._thread, self._begun)
            except Exception:  # noqa: BLE001 -- each will say why
                return await loop.run_in_executor(self._thread, self._each, jobs)
            with suppress(Exception):
                with undone_where_raised(db):
                    done = await _in_turns(loop, db, brief)
                rest = jobs[len(brief) :]
                return done + await loop.run_in_executor(self._thread, self._finish, rest)
        return await loop.run_in_executor(self._thread, self._do, jobs)

    def _begun(self) -> _Sparing:
        """Begin a transaction; return the database for brief jobs."""
        db = self._database()
        db.rollback()  # of one whose end nobody waited for
        db.execute(self._begin)
        return _Sparing(db.conn, recursive_triggers=False, execute_plugins=False)

    def _finish(self, jobs: Sequence[Job[Any]]) -> list[Result]:
        """Do jobs in the transaction that has begun, and commit."""
        db = self._database()
        with committed(db):
            return [(True, job(db)) for job in jobs]

    def _do(self, jobs: Sequence[Job[Any]]) -> list[Result]:
        """Do jobs in one transaction, or each in its own where one of them raises, or it cannot be had."""
        if len(jobs) > 1:
            with suppress(Exception), transaction(self._database(), self._begin):
                return [(True, job(self._database())) for job in jobs]
        return self._each(jobs)

    def _each(self, jobs: Sequence[Job[Any]]) -> list[Result]:
        """Do jobs, each in a transaction of its own."""
        return [self._alone(job) for job in jobs]

    def _alone(self, job: Job[Any]) -> Result:
        """Do one job in a transaction of its own."""
        try:
            with boundary(self._path):
                db = self._database()
                with transaction(db, self._begin):
                    return True, job(db)
        except Exception as error:  # noqa: BLE001 -- as above
            return False, error

    def _database(self) -> Database:
        if self._db is None:
            self._db = connect(self._path)
        return self._db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()


def _tell(done: asyncio.Future[Any], result: Result) -> None:
    """Give a result to whoever waits for it, unless they went away."""
    done_well, value = result
    if done.done():
        return
    if done_well:
        done.set_result(value)
    else:
        done.set_exception(value)


async def _in_turns(loop: asyncio.AbstractEventLoop, db: _Sparing, jobs: Sequence[Job[Any]]) -> list[Result]:
    """Do brief jobs, and let others have the event loop now and then."""
    done: list[Result] = []
    until = loop.time() + TURN
    for job in jobs:
        db.until = time.monotonic() + LONGEST
        done.append((True, job(db)))
        if loop.time() > until:
            await asyncio.sleep(0)
            until = loop.time() + TURN
    return done


@contextmanager
def transaction(db: Database, begin: str) -> Iterator[None]:
    """Commit what is done meanwhile, or nothing of it where something is raised."""
    db.execute(begin)
    with committed(db):
        yield


@contextmanager
def committed(db: Database) -> Iterator[None]:
    """Commit a transaction that has begun, or nothing of it where something is raised."""
    with undone_where_raised(db):
        yield
        db.execute("COMMIT")


@contextmanager
def undone_where_raised(db: Database) -> Iterator[None]:
    """Take back what was done in a transaction where something is raised."""
    try:
        yield
    except BaseException:
        db.rollback()  # does nothing where the error ended the transaction already
        raise


def connect(path: Path) -> Database:
    """Open a connection that may be used by one thread at a time."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    db = Database(connection)
    # FULL: a commit is on the disk before anyone is told of it, also when the power fails.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    return db


@contextmanager
def boundary(path: Path) -> Iterator[None]:
    """Turn what the disk does into errors with a remedy; let bugs through."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in UNWRITABLE:
            raise errors.StoreUnwritable(f"{path} cannot be written: {UNWRITABLE[code]}") from error
        if code in UNUSABLE:
            raise errors.StoreUnusable(f"{path} cannot be used: {UNUSABLE[code]}") from error
        raise
