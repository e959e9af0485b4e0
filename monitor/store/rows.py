"""Rows read and put in by plain SQL, on the path of every poll.

sqlite-utils looks at the table anew before each insertion, which takes ten times as long as the insertion,
and sets a savepoint around each query, lest it be a statement that changes something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlite_utils import Database

from monitor.store.values import Row


def fetch(db: Database, sql: str, parameters: Sequence[object]) -> list[Row]:
    """Return the rows of a SELECT, their columns by name."""
    cursor = db.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def add_row(db: Database, table: str, facts: Mapping[str, object], *, or_else: str = "ABORT") -> int:
    """Insert a row and return its id; `or_else` is what to do where it is there already (IGNORE, ABORT)."""
    done = db.execute(_insertion(table, tuple(facts), or_else), list(facts.values()))
    return int(done.lastrowid or 0)


@lru_cache(maxsize=64)  # a few tables, of each the same columns
def _insertion(table: str, names: Sequence[str], or_else: str) -> str:
    """Return the statement that inserts a row."""
    return f"INSERT OR {or_else} INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
