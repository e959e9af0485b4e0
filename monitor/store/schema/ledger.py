"""The list of all migrations, which is empty until the modules beside this one have put theirs into it."""

from __future__ import annotations

from sqlite_utils import Migrations

migrations = Migrations("monitor")
