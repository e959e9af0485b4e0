"""A copy of the database, also while the service writes it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from monitor import errors
from monitor.store import Store


def backup(path: Path, target: Path) -> int:
    """Copy the database at `path` to `target` as it is at one moment; return the copy's size in bytes.

    `target` appears when it is complete and has been checked, and only its owner can read it. Raises
    `MonitorError` where it is there already or cannot be written, and StoreUnusable where there is no
    database or the copy is not sound.
    """
    temporary: Path | None = None
    try:
        _refuse_present(target)
        with Store.look(path, older=True) as db:  # before an update is when a copy is wanted most
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
            os.close(handle)
            temporary = Path(name)
            _copy(db.conn, temporary)
        _put(temporary, target)
    except FileExistsError:
        raise errors.MonitorError(f"{target} is there already: name another file") from None
    except OSError as error:
        raise errors.MonitorError(f"{target} cannot be written: {os.strerror(error.errno or 0)}") from None
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)
    return target.stat().st_size


def _refuse_present(target: Path) -> None:
    if target.exists():
        raise errors.MonitorError(f"{target} is there already: name another file")


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database in one step, and check the copy."""
    with closing(sqlite3.connect(target)) as copy:
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, whole in itself
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.OperationalError as error:
            raise errors.MonitorError(f"{target.parent} takes no copy of the database: {error}") from None
    if verdict != "ok":
        raise errors.StoreUnusable(f"The copy is not sound, so it was not kept: {verdict}")


def _put(temporary: Path, target: Path) -> None:
    """Give a finished file its name, and see that both are on the disk; raises OSError."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(temporary, target)  # unlike a rename, it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        temporary.rename(target)
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
