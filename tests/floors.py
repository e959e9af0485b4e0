"""The floors of the house, in one table: `python tests/floors.py 0 1` names the files of some."""

from __future__ import annotations

import sys

FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "model",
        "errors",
        "clock",
        "loop",
        "heap",
        "hours",
        "text",
        "alternatives",
        "html",
        "prose",
        "markup",
        "phrases",
    ),
    (
        "config",
        "matching",
        "stories",
        "edits",
        "audience",
        "buttons",
        "zones",
        "render",
        "cadence",
        "pacing",
        "health",
        "agenda",
        "roster",
        "opml",
    ),
    ("sources", "store", "telegram_bot", "setup", "systemd"),
    ("pipeline", "delivery", "admins", "checkup", "commands", "backtest"),
    ("scheduler", "engine"),
    ("terminal",),
    ("app", "demo", "tryout", "upkeep"),
    ("cli",),
)
"""The floors from the ground up. Rooms on one floor are strangers to each other, except on the ground
floor, where the order of the row is the order of building: a room may use those before it."""


def files(*heights: int) -> list[str]:
    """Return patterns for the files that stand on these floors."""
    rooms = [room for height in heights for room in FLOORS[height]]
    return [f"monitor/{room}{ending}" for room in rooms for ending in (".py", "/*.py")]


if __name__ == "__main__":
    print(",".join(files(*map(int, sys.argv[1:]))))
