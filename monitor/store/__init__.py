"""The database: the only place that knows SQLite.

A `Store` owns one writer thread and one reader thread. Whoever needs the database hands it a job, a
function of a `Database`, and awaits the result: `write` runs the job in one transaction, `read` on a
snapshot of its own that no writer holds up. The modules beside this one hold the jobs, one noun each.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self, TypeVar

from sqlite_utils import Database

from monitor import errors
from monitor.store.schema import migrations

__all__ = ["Database", "Job", "Store"]

T = TypeVar("T")
Job = Callable[[Database], T]

BUSY_SECONDS = 10.0
UNWRITABLE = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, nothing was lost",
    sqlite3.SQLITE_IOERR: "the disk fails: look at the system's log",
    sqlite3.SQLITE_READONLY: "it may not be written: look at the owner and the rights of file and folder",
    sqlite3.SQLITE_BUSY: "another program holds it: close what else has it open",
}
UNUSABLE = {
    sqlite3.SQLITE_NOTADB: "it is no database: move it away, or name another in [storage] path",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore a backup, or move it away to begin anew",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: look at the owner and the rights of file and folder",
}


class Store:
    """One open database. Make it with `Store.open`, end it with `close`."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        """Take a migrated database and the lock on it; `open` is the way in."""
        self.path = path
        self._lock = lock
        # At once the writer: a job that reads first would fail, had another process written by then.
        self._writer = _Desk(path, "store-writer", "BEGIN IMMEDIATE")
        self._reader = _Desk(path, "store-reader", "BEGIN")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the database at `path`, bring it up to date and keep every other copy out.

        Raises StoreInUse, StoreTooNew, StoreUnusable or StoreUnwritable; then nothing was changed.
        """
        lock = _locked(path)
        try:
            with _boundary(path):
                _migrate(path)
        except BaseException:
            lock.close()
            raise
        return cls(path, lock)

    @classmethod
    @contextmanager
    def look(cls, path: Path) -> Iterator[Database]:
        """Open a database for reading alone, also while the service has it open; yields one snapshot of it.

        Raises StoreUnusable where there is none, and StoreTooNew.
        """
        with _boundary(path):
            if path.is_dir():
                raise errors.StoreUnusable(f"{path} is a folder: name a file in [storage] path")
            if not path.exists():
                raise errors.StoreUnusable(f"{path} is not there: nothing was stored yet, run the bot first")
            db = Database(
                sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            )
            try:
                _refuse_foreign(db, path)
                if migrations.pending(db):
                    raise errors.StoreUnusable(f"{path} was written by an older version: start the bot once")
                with db.atomic():
                    yield db
            finally:
                db.close()

    @classmethod
    @contextmanager
    def change(cls, path: Path) -> Iterator[Database]:
        """Open a database for one transaction, also while the service has it open.

        Raises what `open` raises, but for StoreInUse.
        """
        with suppress(errors.StoreInUse):  # then the service brought it up to date
            lock = _locked(path)
            with lock, _boundary(path):
                _migrate(path)
        with _boundary(path):
            db = _connect(path)
            try:
                _refuse_foreign(db, path)
                if migrations.pending(db):
                    raise errors.StoreUnusable(f"{path} is in use by an older version: restart the service")
                with _transaction(db, "BEGIN IMMEDIATE"):
                    yield db
            finally:
                db.close()

    async def write(self, job: Job[T]) -> T:
        """Run `job` in one transaction on the writer thread and return what it returned.

        Whatever it raises rolls everything back. Raises StoreUnwritable when the disk refuses.
        """
        return await self._writer.run(job, atomic=True)

    async def read(self, job: Job[T]) -> T:
        """Run `job` on the reader thread, on one consistent snapshot, and return what it returned."""
        return await self._reader.run(job, atomic=True)

    async def ping(self) -> None:
        """Return once the writer thread has answered; for the watchdog."""
        await self._writer.run(lambda db: db.execute("SELECT 1").fetchone(), atomic=False)

    async def close(self) -> None:
        """Finish the jobs under way and let go of the file."""
        await self._reader.close()
        await self._writer.close()
        self._lock.close()


class _Desk:
    """A thread with a connection of its own; jobs queue in front of it."""

    def __init__(self, path: Path, name: str, begin: str) -> None:
        self._path = path
        self._begin = begin
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._db: Database | None = None

    async def run(self, job: Job[T], *, atomic: bool) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, job, atomic)

    def _do(self, job: Job[T], atomic: bool) -> T:  # noqa: FBT001 -- run_in_executor takes positions only
        with _boundary(self._path):
            if self._db is None:
                self._db = _connect(self._path)
            if not atomic:
                return job(self._db)
            with _transaction(self._db, self._begin):
                return job(self._db)

    async def close(self) -> None:
        await self.run(lambda db: db.close(), atomic=False)
        self._thread.shutdown()


@contextmanager
def _transaction(db: Database, begin: str) -> Iterator[None]:
    """Commit what is done meanwhile, or nothing of it where something is raised."""
    db.execute(begin)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()  # does nothing where the error ended the transaction already
        raise


def _connect(path: Path) -> Database:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    db = Database(connection)
    # FULL: a commit is on the disk before anyone is told of it, also when the power fails.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    return db


def _migrate(path: Path) -> None:
    db = _connect(path)
    try:
        _refuse_foreign(db, path)
        migrations.apply(db)
    finally:
        db.close()


def _refuse_foreign(db: Database, path: Path) -> None:
    """Raise StoreTooNew or StoreUnusable where a database is not one that this version may touch."""
    if not migrations.applied(db) and set(db.table_names()) - {migrations.migrations_table}:
        raise errors.StoreUnusable(
            f"{path} is another program's database: name another file in [storage] path"
        )
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    unknown = [row.name for row in migrations.applied(db) if row.name not in known]
    if unknown:
        raise errors.StoreTooNew(
            f"{path} was written by a newer version (it has {unknown[-1]}): install that version, "
            "or name another database in [storage] path"
        )


def _locked(path: Path) -> IO[bytes]:
    """Return the held lock file; the kernel frees it when the process ends, however it ends."""
    if path.is_dir():
        raise errors.StoreUnusable(f"{path} is a folder: name a file in [storage] path")
    with _boundary(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_name(path.name + ".lock").open("ab")
        except OSError as error:
            raise errors.StoreUnusable(f"{path} cannot be opened: {os.strerror(error.errno or 0)}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise errors.StoreInUse(
            f"{path} is in use by another copy of the bot: stop that one, or name another database"
        ) from None
    return lock


@contextmanager
def _boundary(path: Path) -> Iterator[None]:
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
