"""A backup is whole, private and checked, is taken while the bot writes, and never replaces a file."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, chat, item, source
from test_cli import bot as run
from test_cli import folder

from monitor.errors import MonitorError, StoreUnusable
from monitor.store import Store, chats, items, sources
from monitor.store.backup import backup
from monitor.upkeep import sized

__all__ = ["folder"]


async def test_a_backup_that_is_taken_while_the_bot_writes_is_one_moment_of_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "monitor.db")
    await store.write(partial(sources.declare, sources=[source()]))
    await store.write(partial(chats.put, chat=chat(), now=NOW))

    async def write() -> None:
        for number in range(300):
            one = item(f"Item {number}", "text " * 200, key=str(number))
            await store.write(partial(items.insert, item=one, matches=(), found=NOW))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    size = await asyncio.to_thread(backup, tmp_path / "monitor.db", tmp_path / "copy.db")
    await writing
    await store.close()
    assert size == (tmp_path / "copy.db").stat().st_size
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    restored = Store.open(tmp_path / "copy.db")
    assert await restored.read(partial(chats.get, chat_id=1)) == chat()
    count = await restored.read(lambda db: db.table("items").count)
    keys = await restored.read(
        lambda db: [row["key"] for row in db.query("SELECT key FROM items ORDER BY id")]
    )
    assert keys == [str(number) for number in range(count)]
    await restored.close()


def test_a_backup_replaces_nothing_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    with Store.change(tmp_path / "monitor.db"):
        pass
    (tmp_path / "there.db").write_text("mine")
    with pytest.raises(MonitorError, match="there already"):
        backup(tmp_path / "monitor.db", tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "mine"
    with pytest.raises(MonitorError, match="cannot be written"):
        backup(tmp_path / "monitor.db", tmp_path / "nowhere" / "copy.db")
    with pytest.raises(MonitorError, match="is not there"):
        backup(tmp_path / "none.db", tmp_path / "copy.db")
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("monitor.db")} == {
        "there.db"
    }


def test_a_damaged_database_gives_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    with Store.change(path) as db:
        db["items"].insert_all(
            {
                "source_id": "x",
                "key": str(n),
                "title": "t" * 500,
                "text": "",
                "edited": 0,
                "links": "[]",
                "found": "",
                "seen": "",
            }
            for n in range(200)
        )
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'idx_items_source_id_key'"
        ).fetchone()
    db.close()
    data = path.read_bytes()
    start = (page - 1) * 4096
    entry = data.index(b"x199", start)
    path.write_bytes(data[:entry] + b"x999" + data[entry + 4 :])  # readable, but not what the table says
    with pytest.raises(StoreUnusable, match="not sound"):
        backup(path, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_the_command_line_names_the_copy_by_the_moment_and_says_how_large_it_is(folder: Path) -> None:
    assert "nothing was stored yet" in run("backup", folder=folder).stderr
    run("poll", folder=folder)
    done = run("backup", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (copy,) = (folder / "state").glob("monitor-20*-*.db")
    assert str(copy.relative_to(folder)) in done.stdout
    assert "KB, checked" in done.stdout
    assert run("backup", folder, folder=folder).returncode == 0
    assert len(list(folder.glob("monitor-*.db"))) == 1


def test_sizes_are_said_as_people_read_them() -> None:
    assert [sized(n) for n in (1, 812, 1536, 3 * 2**30)] == ["1 byte", "812 bytes", "1.5 KB", "3.0 GB"]


def test_a_database_that_is_not_brought_up_to_date_yet_can_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    with Store.change(path) as db:
        last = list(db.query("SELECT name FROM _sqlite_migrations"))[-1]["name"]
        db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [last])
    with pytest.raises(StoreUnusable, match="older version"), Store.look(path):
        pass
    assert backup(path, tmp_path / "copy.db") == (tmp_path / "copy.db").stat().st_size
