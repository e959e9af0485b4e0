"""The database: the only place that knows SQLite.

A `Store` owns one writer thread and one reader thread. Whoever needs the database hands it a job, a
function of a `Database`, and awaits the result: `write` runs the job in one transaction, `read` on a
snapshot of its own that no writer holds up. The modules beside this one hold the jobs, one noun each.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self, TypeVar

from sqlite_utils import Database

from monitor import errors
from monitor.store.desk import BUSY_SECONDS, Desk, Job, boundary, connect, transaction
from monitor.store.schema import migrations

__all__ = ["Database", "Job", "Store"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class Store:
    """One open database. Make it with `Store.open`, end it with `close`."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        """Take a migrated database and the lock on it; `open` is the way in."""
        self.path = path
        self._lock = lock
        # At once the writer: a job that reads first would fail, had another process written by then.
        self._writer = Desk(path, "store-writer", "BEGIN IMMEDIATE")
        self._reader = Desk(path, "store-reader", "BEGIN")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the database at `path`, bring it up to date and keep every other copy out.

        Raises StoreInUse, StoreTooNew, StoreUnusable or StoreUnwritable; then nothing was changed.
        """
        lock = _locked(path)
        try:
            with boundary(path):
                _migrate(path)
        except BaseException:
            lock.close()
            raise
        return cls(path, lock)

    @classmethod
    @contextmanager
    def look(cls, path: Path, *, older: bool = False) -> Iterator[Database]:
        """Open a database for reading alone, also while the service has it open; yields one snapshot of it.

        `older` allows one that this version has yet to bring up to date. Raises StoreUnusable where there is
        none that may be read, and StoreTooNew.
        """
        with boundary(path):
            if path.is_dir():
                raise errors.StoreUnusable(f"{path} is a folder: name a file in [storage] path")
            if not path.exists():
                raise errors.StoreUnusable(f"{path} is not there: nothing was stored yet, run the bot first")
            if not path.stat().st_size:
                raise errors.StoreUnusable(f"{path} is empty: nothing was stored yet, run the bot first")
            db = Database(
                sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            )
            try:
                _refuse_foreign(db, path)
                if migrations.pending(db) and not older:
                    raise errors.StoreUnusable(f"{path} was written by an older version: start the bot once")
                with db.atomic():
                    yield db
            finally:
                db.close()

    @classmethod
    def refuse(cls, path: Path) -> None:
        """Raise StoreUnusable or StoreTooNew where a database is surely none that `open` would take.

        Nothing is written, not even beside it: what waits in its WAL is not looked at.
        """
        with suppress(OSError, sqlite3.Error):  # of what cannot be read, `open` says why
            if path.is_file() and path.stat().st_size:
                as_it_is = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
                db = Database(sqlite3.connect(as_it_is, uri=True))
                try:
                    _refuse_foreign(db, path)
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
            with lock, boundary(path):
                _migrate(path)
        with boundary(path):
            db = connect(path)
            try:
                _refuse_foreign(db, path)
                if migrations.pending(db):
                    raise errors.StoreUnusable(f"{path} is in use by an older version: restart the service")
                with transaction(db, "BEGIN IMMEDIATE"):
                    yield db
            finally:
                db.close()

    async def write(self, job: Job[T], *, is_brief: bool = False) -> T:
        """Run `job` in one transaction on the writer thread and return what it returned.

        One that most likely `is_brief`, a few statements that touch a few rows, runs on the event loop where
        it can. Whatever it raises rolls everything back. Raises StoreUnwritable when the disk refuses.
        """
        return await self._writer.run(job, is_brief=is_brief)

    async def read(self, job: Job[T]) -> T:
        """Run `job` on the reader thread, on one consistent snapshot, and return what it returned."""
        return await self._reader.run(job)

    async def ping(self) -> None:
        """Return once the writer thread has answered; for the watchdog."""
        await self._writer.run(lambda db: db.execute("SELECT 1").fetchone())

    def size(self) -> int:
        """Return the bytes on the disk, with what was not moved into the database file yet."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        """Finish the jobs under way and let go of the file."""
        await self._reader.close()
        await self._writer.close()
        self._lock.close()


def _migrate(path: Path) -> None:
    _create(path)
    db = connect(path)
    try:
        _refuse_foreign(db, path)
        migrations.apply(db)
    finally:
        db.close()


def _create(path: Path) -> None:
    """Make the file of a database that is not there, for its owner alone; those beside it get its mode."""
    with suppress(OSError):  # of a folder that takes no file SQLite says so
        if path.exists() and not path.stat().st_size:
            log.warning("database state=empty path=%r", str(path))
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        log.info("database state=new path=%r", str(path))


def _refuse_foreign(db: Database, path: Path) -> None:
    """Raise StoreTooNew or StoreUnusable where a database is not one that this version may touch."""
    foreign = f"{path} is another program's database: name another file in [storage] path"
    try:
        applied, tables = migrations.applied(db), set(db.table_names())
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise  # the disk's doing: `boundary` says what
        raise errors.StoreUnusable(foreign) from error  # it has other columns, or text that is none
    if not applied and tables - {migrations.migrations_table}:
        raise errors.StoreUnusable(foreign)
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    unknown = [row.name for row in applied if row.name not in known]
    if unknown:
        raise errors.StoreTooNew(
            f"{path} was written by a newer version (it has {unknown[-1]}): install that version, "
            "or name another database in [storage] path"
        )


def _locked(path: Path) -> IO[bytes]:
    """Return the held lock file; the kernel frees it when the process ends, however it ends."""
    if path.is_dir():
        raise errors.StoreUnusable(f"{path} is a folder: name a file in [storage] path")
    with boundary(path):
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
