"""The house has floors, and nobody walks up: each room imports only from the floors below it."""

from __future__ import annotations

import ast
from collections.abc import Container
from pathlib import Path

import pytest
from floors import FLOORS

ROOT = Path(__file__).parent.parent

ONLY_IMPORTER = {
    "telegram": "telegram_bot",
    "sqlite3": "store",
    "sqlite_utils": "store",
    "pycurl": "sources",
    "feedparser": "sources",
    "apscheduler": "scheduler",
}
"""Each outside thing has one keeper."""

HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in (ROOT / "monitor").rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the room that a module of the package stands in: its first name below `monitor`."""
    return path.relative_to(ROOT / "monitor").with_suffix("").parts[0]


def imports_of(path: Path) -> set[str]:
    """Return every dotted name that a module imports, also inside functions and for typing."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_of(imported: str, modules: Container[str]) -> str:
    """Return the module of the package that a dotted name stands for or in; "" for one of another package."""
    parent = imported.rpartition(".")[0]
    return next((name for name in (imported, parent) if name in modules), "")


def allowed(room: str, other: str) -> bool:
    """Tell whether `room` may import `other`."""
    if room == other or HEIGHT[other] < HEIGHT[room]:
        return True
    ground = FLOORS[0]
    return room in ground and other in ground and ground.index(other) < ground.index(room)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_the_floors_below(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not imports_of(path)
        return
    assert room in HEIGHT, f"{room} stands on no floor: give it a place in the table"
    others = {name.split(".")[1] for name in imports_of(path) if name.startswith("monitor.")} - {
        "__version__"
    }
    assert {other for other in others if not allowed(room, other)} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_outside_thing_has_one_keeper(path: Path) -> None:
    room = room_of(path)
    used = {name.split(".")[0] for name in imports_of(path)} & set(ONLY_IMPORTER)
    strangers = {name for name in used if ONLY_IMPORTER[name] != room}
    assert strangers == set()


def test_the_imports_run_in_no_circle() -> None:
    graph = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
        for path in MODULES
    }
    edges = {
        name: {module_of(imported, graph) for imported in imports_of(path)} for name, path in graph.items()
    }
    finished: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in finished:
            for target in edges[name] - {"", "monitor", name}:
                walk(target, (*trail, name))
            finished.add(name)

    for name in graph:
        walk(name, ())


def test_only_the_clock_reads_wall_time() -> None:
    readers = {"datetime.now", "datetime.utcnow", "datetime.today", "time.time", "date.today"}
    found = {
        str(path.relative_to(ROOT))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in readers
    }
    assert found == {"monitor/clock.py"}


def test_nothing_waits_by_a_call_that_may_swallow_a_cancellation() -> None:
    """`asyncio.wait_for` does before Python 3.12, and then a stop hangs; `asyncio.timeout` never does."""
    assert [path.name for path in MODULES if "asyncio.wait_for(" in path.read_text(encoding="utf-8")] == []
