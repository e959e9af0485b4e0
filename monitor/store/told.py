"""The troubles that the admins were told of and that are not over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from monitor.health import Findings, Told
from monitor.store import notices
from monitor.store.values import moment, stamp


def every(db: Database) -> Mapping[str, Told]:
    """Return what was told, by the id of its source; see `health.check`."""
    return {
        row["what"]: Told(row["trouble"], since)
        for row in db.query("SELECT * FROM told")
        if (since := moment(row["since"]))
    }


def save(db: Database, findings: Findings, now: datetime) -> None:
    """Remember what is told by now, and let the admins be told it."""
    for what, told in findings.told.items():
        db.execute("DELETE FROM told WHERE what = ?", [what])
        if told:
            db.table("told").insert({"what": what, "trouble": told.trouble, "since": stamp(told.since)})
    for notice in findings.notices:
        notices.put(db, notice, now)
