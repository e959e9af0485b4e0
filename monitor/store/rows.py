"""Rows put in by plain SQL, on the path of every poll.

sqlite-utils looks at the table anew before each insertion, which takes ten times as long as the insertion.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database


def add_row(db: Database, table: str, facts: Mapping[str, object], *, or_else: str = "ABORT") -> int:
    """Insert a row and return its id; `or_else` is what to do where it is there already (IGNORE, ABORT)."""
    names, marks = ", ".join(facts), ", ".join("?" * len(facts))
    done = db.execute(f"INSERT OR {or_else} INTO {table} ({names}) VALUES ({marks})", list(facts.values()))
    return int(done.lastrowid or 0)
