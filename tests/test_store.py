"""The database keeps what it was given, or says in one sentence why it cannot."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import AT_ONCE, NOW, chat, item, source

from monitor import errors
from monitor.audience import Hearing
from monitor.model import Cursor, Delivery, Evidence, Listener, Match, Place, SourceState, Subscription
from monitor.store import Database, Store, chats, claims, edits, items, outbox, shown, sources, stories, turns
from monitor.store.schema import migrations
from monitor.store.values import item_row, stamp
from monitor.stories import outline

A_DAY = timedelta(days=1)
FOUND = Match("starlink", 100, (Evidence("title", 0, 8, "Starlink", "exact"),))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "state" / "monitor.db")
    yield store
    await store.close()


async def claim(store: Store) -> tuple[Delivery, ...]:
    return (await store.write(partial(claims.claim, now=NOW, terms=AT_ONCE))).bundle


async def stored(store: Store, *these: object) -> list[int]:
    await store.write(partial(sources.declare, sources=[source()]))
    return [
        await store.write(partial(items.insert, item=one, matches=[FOUND], found=NOW))  # type: ignore[arg-type]
        for one in these
    ]


async def test_an_item_comes_back_as_it_was_stored(store: Store) -> None:
    whole = item(
        "Starlink again",
        "рядок\nще рядок",
        url="https://example.org/1",
        author="the press office",
        language="uk",
        forwarded_from="A channel",
        forwarded_url="https://t.me/a/1",
        edited=True,
        links=("https://example.org/2",),
    )
    await stored(store, whole)
    (found,) = await store.read(partial(items.latest, topics=["starlink"], limit=5))
    assert (found.item, found.matches, found.found) == (whole, (FOUND,), NOW)
    assert found.source.name == "Example News"


async def test_only_items_that_are_not_stored_yet_are_unknown_each_key_once(store: Store) -> None:
    old, new = item("old"), item("new")
    await stored(store, old)
    seen = await store.read(
        partial(shown.compare, source_id="example", items=[old, new, replace(new, text="x")], now=NOW)
    )
    assert seen.new == (new,)


async def test_many_items_at_once_are_no_trouble(store: Store) -> None:
    many = [item(f"item {number}") for number in range(2000)]
    await stored(store, many[7])
    seen = await store.read(partial(shown.compare, source_id="example", items=many, now=NOW))
    assert len(seen.new) == 1999


def test_lists_of_all_lengths_make_few_different_statements_and_lose_nothing() -> None:
    lists = {count: list(items.chunks(range(count))) for count in range(1200)}
    assert {len(some) for chunks in lists.values() for some in chunks} == {2**n for n in range(10)}
    assert all({n for some in chunks for n in some} == set(range(count)) for count, chunks in lists.items())


async def test_a_write_that_raises_leaves_nothing_behind(store: Store) -> None:
    def half(db: object) -> None:
        chats.put(db, chat(), NOW)  # type: ignore[arg-type]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(half)
    assert await store.read(partial(chats.get, chat_id=1)) is None


async def test_what_was_written_survives_a_restart(tmp_path: Path) -> None:
    first = Store.open(tmp_path / "monitor.db")
    await first.write(partial(chats.put, chat=chat(), now=NOW))
    await first.close()
    second = Store.open(tmp_path / "monitor.db")
    assert await second.read(partial(chats.get, chat_id=1)) == chat()
    await second.close()


async def test_the_state_of_a_source_comes_back_as_it_was_left(store: Store) -> None:
    left = SourceState(
        cursor=Cursor(etag='"1"', last_post=7, moved_to="https://example.org/feed"),
        polled=NOW,
        succeeded=NOW,
        changed=NOW,
        next_poll=NOW + A_DAY,
        failures=2,
        error="no answer",
    )
    await store.write(partial(sources.declare, sources=[source()]))
    await store.write(partial(sources.save, source=source(), after=left))
    await store.write(partial(sources.declare, sources=[source(name="Another name")]))
    assert await store.read(partial(sources.state, source_id="example")) == left
    assert (await store.read(sources.standings)) == {
        "example": replace(left, cursor=Cursor(moved_to="https://example.org/feed"))
    }


async def test_a_source_that_points_elsewhere_begins_anew(store: Store) -> None:
    await store.write(partial(sources.declare, sources=[source()]))
    left = SourceState(cursor=Cursor(etag="old"), succeeded=NOW)
    await store.write(partial(sources.save, source=source(), after=left))
    await store.write(partial(sources.declare, sources=[source(address="http://127.0.0.1/other")]))
    assert await store.read(partial(sources.state, source_id="example")) == SourceState()


async def test_a_source_that_nobody_declared_has_the_state_of_a_new_one(store: Store) -> None:
    assert await store.read(partial(sources.state, source_id="nobody")) == SourceState()


async def forget(store: Store, *, changed: object, before: object, limit: int = 100) -> int:
    left = SourceState(succeeded=NOW, changed=changed)  # type: ignore[arg-type]
    await store.write(partial(sources.save, source=source(), after=left))
    return await store.write(partial(items.forget, before=before, limit=limit))  # type: ignore[arg-type]


async def test_old_items_are_forgotten_with_all_that_hangs_on_them(store: Store) -> None:
    (row,) = await stored(store, item("old"))
    story = await store.write(partial(stories.begin, headline="old", now=NOW))
    join = partial(stories.join, story_id=story, item_id=row, links=[("example.org/1", "example")])
    await store.write(join)
    await deliver(store, row, story, state="sent")
    assert await forget(store, changed=NOW + 90 * A_DAY, before=NOW + 89 * A_DAY) == 1
    counts = [
        f"SELECT count(*) FROM {table}" for table in ("items", "matches", "stories", "story_links", "outbox")
    ]
    assert [await store.read(lambda db, sql=sql: db.execute(sql).fetchone()[0]) for sql in counts] == [0] * 5


async def test_an_item_that_its_source_still_shows_is_not_forgotten_lest_it_come_back_as_new(
    store: Store,
) -> None:
    await stored(store, item("old"), item("older"))
    later = NOW + 90 * A_DAY
    await store.write(partial(items.seen, source_id="example", shown=["old"], now=later))
    assert await forget(store, changed=later, before=later - A_DAY) == 1
    seen = await store.read(
        partial(shown.compare, source_id="example", items=[item("old"), item("older")], now=later)
    )
    assert [one.title for one in seen.new] == ["older"]


async def test_an_item_of_a_source_that_never_changes_is_not_forgotten(store: Store) -> None:
    await stored(store, item("old"))
    assert await forget(store, changed=NOW, before=NOW + 90 * A_DAY) == 0


async def test_what_is_still_to_be_sent_is_not_forgotten(store: Store) -> None:
    (row,) = await stored(store, item("old"))
    story = await store.write(partial(stories.begin, headline="old", now=NOW))
    await deliver(store, row, story)
    assert await forget(store, changed=NOW + 90 * A_DAY, before=NOW + 89 * A_DAY) == 0


async def deliver(store: Store, row: int, story: int, state: str = "queued", chat_id: int = 1) -> None:
    hearing = Hearing(Place(chat_id), ("starlink",), "normal", NOW)
    await store.write(partial(chats.put, chat=chat(chat_id), now=NOW))
    await store.write(partial(chats.subscribe, chat_id=chat_id, topic_ids=["starlink"], now=NOW))
    await store.write(partial(outbox.put, hearing=hearing, story_id=story, item_id=row, now=NOW))
    await store.write(lambda db: db.execute("UPDATE outbox SET state = ?", [state]))


async def test_a_story_is_queued_for_a_chat_once(store: Store) -> None:
    first, second = await stored(store, item("one"), item("two"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    await deliver(store, first, story)
    await deliver(store, second, story)
    assert await store.read(outbox.count) == {"queued": 1}
    assert await store.read(partial(outbox.told, story_id=story)) == set()
    await store.write(partial(outbox.sent, delivery_ids=[1], message=(1, 5), now=NOW))
    assert await store.read(partial(outbox.told, story_id=story)) == {Place(1)}


async def test_what_waits_goes_sooner_when_a_more_pressing_topic_finds_the_story_too(store: Store) -> None:
    (row,) = await stored(store, item("one"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    later = NOW + timedelta(hours=1)
    put = partial(outbox.put, story_id=story, item_id=row, now=NOW)
    await store.write(partial(chats.put, chat=chat(), now=NOW))
    low, urgent = Hearing(Place(1), ("a",), "low", later), Hearing(Place(1), ("b",), "urgent", NOW)
    assert await store.write(partial(put, hearing=low))
    assert not await store.write(partial(put, hearing=low))
    assert await store.write(partial(put, hearing=urgent))
    assert not await store.write(partial(put, hearing=low))
    sql = "SELECT priority, topics, due FROM outbox"
    found = await store.read(lambda db: db.execute(sql).fetchall())
    assert found == [("urgent", '["b"]', "2026-02-01T12:00:00.000000Z")]


@pytest.mark.parametrize("state", ["dropped", "dead"])
async def test_what_was_given_up_is_queued_anew_when_the_story_comes_again(store: Store, state: str) -> None:
    (row,) = await stored(store, item("one"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    await deliver(store, row, story, state=state)
    await deliver(store, row, story)
    assert await store.read(outbox.count) == {"queued": 1}


async def test_a_poll_of_a_source_that_points_elsewhere_by_now_is_not_stored(store: Store) -> None:
    await store.write(partial(sources.declare, sources=[source(address="http://127.0.0.1/new")]))
    left = SourceState(cursor=Cursor(etag="old"), succeeded=NOW)
    assert not await store.write(partial(sources.save, source=source(), after=left))
    assert await store.read(partial(sources.state, source_id="example")) == SourceState()


async def test_unsubscribing_is_the_business_of_one_chat(store: Store) -> None:
    for chat_id in (1, 2):
        await store.write(partial(chats.put, chat=chat(chat_id), now=NOW))
        await store.write(partial(chats.subscribe, chat_id=chat_id, topic_ids=["a", "b"], now=NOW))
    await store.write(partial(chats.unsubscribe, chat_id=1, topic_ids=["a"]))
    assert await store.read(partial(chats.topics, chat_id=1)) == {"b"}
    assert await store.read(partial(chats.topics, chat_id=2)) == {"a", "b"}


async def test_only_active_chats_listen(store: Store) -> None:
    for chat_id, status in ((1, "active"), (2, "stopped"), (3, "gone"), (4, "pending")):
        await store.write(partial(chats.put, chat=chat(chat_id, status=status), now=NOW))
        await store.write(partial(chats.subscribe, chat_id=chat_id, topic_ids=["a"], now=NOW))
    heard = await store.read(partial(chats.listeners, topic_ids=["a", "b"]))
    assert heard == {Place(1): Listener(chat(1), {"a": Subscription()})}


async def test_the_next_row_that_comes_due_is_known(store: Store) -> None:
    assert await store.read(turns.upcoming) is None
    (row,) = await stored(store, item("one"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    await deliver(store, row, story)
    assert await store.read(turns.upcoming) == NOW
    hold = partial(outbox.hold, chat_id=1, until=NOW + A_DAY, error="wait")
    await store.write(hold)
    assert await store.read(turns.upcoming) == NOW + A_DAY
    await store.write(partial(outbox.hold, chat_id=1, until=NOW, error="wait"))
    assert await store.read(turns.upcoming) == NOW + A_DAY


async def test_a_long_history_is_forgotten_in_slices(store: Store) -> None:
    await stored(store, *(item(f"old {number}") for number in range(7)))
    later = NOW + 90 * A_DAY
    assert [await forget(store, changed=later, before=later, limit=3) for _ in range(4)] == [3, 3, 1, 0]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
async def test_a_commit_is_on_the_disk_and_references_hold(store: Store, pragma: str, value: object) -> None:
    assert await store.write(lambda db: db.execute(f"PRAGMA {pragma}").fetchone()[0]) == value


async def test_what_a_chat_unsubscribed_from_is_dropped_and_not_sent(store: Store) -> None:
    (row,) = await stored(store, item("one"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    await deliver(store, row, story)
    await store.write(partial(chats.unsubscribe, chat_id=1, topic_ids=["starlink"]))
    assert await claim(store) == ()
    assert await store.read(outbox.count) == {"dropped": 1}


async def test_what_a_process_that_ended_left_claimed_is_given_back(store: Store) -> None:
    (row,) = await stored(store, item("one"))
    story = await store.write(partial(stories.begin, headline="one", now=NOW))
    await deliver(store, row, story)
    assert len(await claim(store)) == 1
    assert await claim(store) == ()
    assert await store.write(outbox.release) == 1
    (again,) = await claim(store)
    assert again.attempts == 2


def _modes(folder: Path) -> dict[str, int]:
    files = (file for file in folder.glob("monitor.db*") if file.suffix != ".lock")
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}


@pytest.mark.parametrize("way", [Store.open, Store.change])
async def test_only_its_owner_can_read_a_new_database(tmp_path: Path, way: Callable[[Path], object]) -> None:
    before = os.umask(0o022)
    try:
        if way == Store.change:
            with Store.change(tmp_path / "monitor.db"):
                pass
        store = Store.open(tmp_path / "monitor.db")
        try:
            await store.write(lambda db: db.execute("DELETE FROM items"))
            assert _modes(tmp_path) == {f"monitor.db{end}": 0o600 for end in ("", "-wal", "-shm")}
        finally:
            await store.close()
    finally:
        os.umask(before)


async def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    await Store.open(path).close()
    path.chmod(0o640)
    await Store.open(path).close()
    assert _modes(tmp_path)["monitor.db"] == 0o640


@pytest.mark.parametrize("state", ["new", "empty", ""])
async def test_the_log_says_that_a_database_begins_with_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    path = tmp_path / "monitor.db"
    if state == "empty":
        path.touch()
    elif not state:
        await Store.open(path).close()
    with caplog.at_level("INFO", logger="monitor.store"):
        caplog.clear()
        await Store.open(path).close()
    assert caplog.messages == ([f"database state={state} path={str(path)!r}"] if state else [])


def test_a_second_copy_on_the_same_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    script = (
        "import sys; from pathlib import Path; from monitor.store import Store\n"
        "store = Store.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(errors.StoreInUse, match="in use by another copy"):
            Store.open(path)
        other.communicate()
    asyncio.run(Store.open(path).close())


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    asyncio.run(Store.open(path).close())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE _sqlite_migrations SET name = 'm999_future' WHERE id = 1")
    db.close()
    before = path.read_bytes()
    with pytest.raises(errors.StoreTooNew, match="m999_future"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_text("a letter to a friend " * 100)
    with pytest.raises(errors.StoreUnusable, match="no database"):
        Store.open(path)
    assert path.read_text() == "a letter to a friend " * 100


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "recipes.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()
    with pytest.raises(errors.StoreUnusable, match="another program's"):
        Store.open(path)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    db.close()


@pytest.mark.parametrize("place", ["file.txt/monitor.db", "folder"])
def test_a_path_that_cannot_be_a_database_is_refused_in_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(errors.StoreUnusable, match=r"cannot be|is a folder"):
        Store.open(tmp_path / place)


async def test_a_full_disk_is_a_sentence_and_loses_nothing(store: Store) -> None:
    await store.write(partial(chats.put, chat=chat(1), now=NOW))

    def limit(db: object, pages: int) -> None:  # SQLite answers as it does when the disk is full
        db.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    await store.write(partial(limit, pages=1))
    await store.write(partial(sources.declare, sources=[source()]))
    big = item("big", "x" * 500_000)
    with pytest.raises(errors.StoreUnwritable, match="the disk is full"):
        await store.write(partial(items.insert, item=big, matches=[], found=NOW))
    await store.write(partial(limit, pages=1_000_000))
    await store.write(partial(items.insert, item=big, matches=[], found=NOW))
    assert await store.read(partial(chats.get, chat_id=1)) == chat(1)


async def test_the_database_tells_its_times_in_words_that_sort(store: Store) -> None:
    await stored(store, item("one"))
    text = await store.read(lambda db: db.execute("SELECT found FROM items").fetchone()[0])
    assert text == "2026-02-01T12:00:00.000000Z"


async def test_a_chat_keeps_the_moment_in_which_it_first_wrote(store: Store) -> None:
    await store.write(partial(chats.put, chat=chat(), now=NOW))
    await store.write(partial(chats.put, chat=chat(title="Renamed"), now=NOW + A_DAY))
    row = await store.read(lambda db: db.execute("SELECT title, since FROM chats").fetchone())
    assert row == ("Renamed", "2026-02-01T12:00:00.000000Z")


async def test_an_item_of_one_source_is_not_seen_by_another(store: Store) -> None:
    await stored(store, item("old"))
    later = NOW + 90 * A_DAY
    await store.write(partial(items.seen, source_id="other", shown=["old"], now=later))
    assert await forget(store, changed=later, before=later) == 1


async def test_what_is_being_sent_is_not_forgotten(store: Store) -> None:
    (row,) = await stored(store, item("old"))
    story = await store.write(partial(stories.begin, headline="old", now=NOW))
    await deliver(store, row, story, state="claimed")
    assert await forget(store, changed=NOW + 90 * A_DAY, before=NOW + 89 * A_DAY) == 0


async def test_what_an_older_version_stored_is_carried_over_to_places(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    db = Database(path)
    migrations.apply(db, stop_before="m007_places")
    now = stamp(NOW)
    db.execute(f"INSERT INTO chats VALUES (1, 'Anna', 'active', 'en', 'UTC', '{now}', NULL)")
    db.execute(f"INSERT INTO subscriptions VALUES (1, 'starlink', '{now}')")
    db.execute(f"INSERT INTO stories VALUES (1, 'told', '{now}')")
    db.table("items").insert(item_row(item("told"), NOW))
    db.execute(
        "INSERT INTO outbox (chat_id, story_id, item_id, topics, priority, due, created)"
        f" VALUES (1, 1, 1, '[]', 'low', '{now}', '{now}')"
    )
    db.conn.commit()
    db.close()
    store = Store.open(path)
    (listener,) = (await store.read(partial(chats.listeners, topic_ids=["starlink"]))).values()
    assert listener == Listener(chat(1, title="Anna", timezone="UTC"), {"starlink": Subscription()})
    sql = "SELECT thread_id, digest, silent FROM outbox"
    assert await store.read(lambda db: db.execute(sql).fetchall()) == [(0, 1, 0)]
    await store.close()


async def test_stories_are_found_by_what_they_share_and_not_by_what_they_do_not(store: Store) -> None:
    told = item("Talks begin on Sunday in the capital", url="https://example.org/a")
    (row,) = await stored(store, told)
    story = await store.write(partial(stories.begin, headline=told.title, now=NOW))
    await store.write(
        partial(stories.join, story_id=story, item_id=row, links=[("example.org/a", "example")])
    )

    async def found(headline: str, *links: str, since: datetime = NOW) -> list[int]:
        told = outline(headline)
        return [
            one.id for one in await store.read(partial(stories.alike, links=links, told=told, since=since))
        ]

    assert await found("Talks began on Sunday in the capital") == [story]
    assert await found("Something else entirely was said today", "example.org/a") == [story]
    assert await found("Talks") == []
    assert await found("Something else entirely was said today") == []
    assert await found(told.title, since=NOW + A_DAY) == []


async def test_an_edit_of_what_was_forgotten_meanwhile_stores_nothing(store: Store) -> None:
    edit = edits.Edit(row_id=999, item=item("new words"), found=NOW, in_words=True)
    revise = partial(edits.revise, edit=edit, item=edit.item, matches=(), now=NOW)
    assert await store.write(revise) is None
    assert await store.read(lambda db: list(db.query("SELECT * FROM items"))) == []


async def test_an_item_that_is_dated_ahead_is_no_newer_than_when_it_was_found(store: Store) -> None:
    ahead, newest = item("Ahead", published=NOW + timedelta(days=900)), item("Newest", published=None)

    def job(db: Database) -> list[list[str]]:
        sources.declare(db, [source()])
        items.insert(db, ahead, [Match("starlink", 100, ())], NOW)
        items.insert(db, newest, [Match("starlink", 100, ())], NOW + timedelta(hours=1))
        lists = (items.latest_of(db, "example", 5), items.latest(db, ["starlink"], 5), items.history(db, NOW))
        return [[one.item.title for one in found] for found in lists]

    both = ["Newest", "Ahead"]
    assert await store.write(job) == [both, both, both[::-1]]
