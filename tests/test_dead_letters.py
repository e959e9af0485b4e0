"""An operator sees what was not sent and why, and may try it again or give it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW
from test_delivery import House

from monitor import errors, upkeep
from monitor.store import Store, dead_letters, outbox


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    yield House(store)
    await store.close()


async def kill(house: House, name: str, chat_id: int = 1) -> None:
    """Have a message refused for good."""
    house.inbox.troubles[chat_id] = [errors.MessageRefused("message is too odd")] * 2
    await house.queue(name, chat_id)
    await house.deliver()


async def run(house: House, do: str, row: int | None = None) -> tuple[int, str]:
    """Return what the command line says to this, while the service has the database open."""
    said: list[str] = []
    path = house.store.path
    code = await asyncio.to_thread(upkeep.outbox, path, do, row, house.clock.now(), said.append)
    return code, "\n".join(said)


async def test_what_is_dead_is_listed_with_its_reason_before_what_waits(house: House) -> None:
    await house.queue("w", 2)
    await house.store.write(partial(outbox.hold, chat_id=2, until=NOW + timedelta(hours=1), error="wait"))
    await kill(house, "d")
    code, said = await run(house, "list")
    dead, waiting, held, total = said.splitlines()
    assert code == 0
    assert dead == "2  dead  2026-02-01 12:00Z  Duty officer: Starlink d  message is too odd"
    assert waiting.startswith("1  queued")
    assert held == "held until 2026-02-01 13:00:00Z: Duty officer  wait"
    assert total == "1 dead, 1 due, 0 to come later."


async def test_list_takes_no_row(house: House) -> None:
    with pytest.raises(errors.UsageWrong, match="outbox list takes no ID: `outbox retry 3`"):
        await run(house, "list", 3)


@pytest.mark.parametrize("do", ["retry", "drop"])
@pytest.mark.parametrize("row", [5, 2**63, -(2**70)])
async def test_a_row_that_is_not_there_is_said_whatever_its_number(house: House, do: str, row: int) -> None:
    with pytest.raises(errors.UsageWrong, match=f"outbox {do} {row}: there is no such row"):
        await run(house, do, row)


async def test_a_dead_one_that_is_tried_again_arrives(house: House) -> None:
    await kill(house, "d")
    assert await run(house, "retry", 1) == (0, "1 is tried again.")
    await house.deliver()
    assert house.inbox.titles == [(1, "d")]
    assert await run(house, "retry", 1) == (1, "1 stays as it is: it was sent.")
    await house.deliver()
    assert len(house.inbox.got) == 1


async def test_what_is_dropped_by_hand_is_not_sent_and_holds_up_nothing(house: House) -> None:
    await house.queue("a")
    await house.queue("b")
    assert await run(house, "drop", 1) == (0, "1 is dropped.")
    await house.deliver()
    assert house.inbox.titles == [(1, "b")]
    assert await run(house, "drop", 1) == (1, "1 stays as it is: it was dropped before.")


@pytest.mark.parametrize("do", ["retry", "drop"])
async def test_a_row_that_is_not_there_or_not_named_is_said_to_be(house: House, do: str) -> None:
    with pytest.raises(errors.UsageWrong, match="there is no such row"):
        await run(house, do, 99)
    with pytest.raises(errors.UsageWrong, match="which one"):
        await run(house, do)


async def test_health_counts_what_is_due_what_comes_later_and_what_is_dead(house: House) -> None:
    await kill(house, "d")
    await house.queue("a", 2)
    await house.queue("b", 3)
    await house.store.write(lambda db: db.execute("UPDATE outbox SET due = '2026-02-02' WHERE chat_id = 3"))
    health = await house.store.read(partial(dead_letters.health, now=NOW))
    assert (health.waiting, health.oldest, health.later, health.dead) == (1, NOW, 1, 1)
    assert health.reason == "message is too odd"
    assert health.held == ()
