"""An admin hears each notice once, whatever happens in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, chat
from fakes import FakeClock

from monitor.admins import KEPT, TRY_AGAIN, Admins
from monitor.config import Config, Telegram
from monitor.errors import ChatGone, MonitorError, TelegramUnreachable
from monitor.model import Message, Notice, Place
from monitor.store import Store, chats, notices

MORE = "notice.more"  # any phrase serves


class Telegraph:
    """A sender that keeps what it sent, and fails for some chats."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []
        self.trouble: dict[int, MonitorError] = {}

    async def send(self, place: Place, message: Message) -> int:
        if place.chat_id in self.trouble:
            raise self.trouble[place.chat_id]
        self.sent.append((place.chat_id, message.html))
        return len(self.sent)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "monitor.db")
    yield store
    await store.close()


@pytest.fixture
def sender() -> Telegraph:
    return Telegraph()


def admins(store: Store, sender: Telegraph, *ids: int, clock: FakeClock | None = None) -> Admins:
    config = Config(path="config.toml", telegram=Telegram(admins=frozenset(ids)))
    return Admins(store, sender, clock or FakeClock(), lambda: config)


async def test_each_admin_is_told_once_in_the_language_of_their_chat(store: Store, sender: Telegraph) -> None:
    await store.write(partial(chats.put, chat=chat(2, language="uk"), now=NOW))
    both = admins(store, sender, 1, 2)
    await both.note(Notice(MORE, {"count": 3}))
    await both.tell()
    await both.tell()
    assert sender.sent == [(1, "… and 3 more"), (2, "… і ще 3")]
    assert await store.read(notices.waiting) == []


async def test_an_admin_whom_telegram_cannot_reach_now_is_told_later_and_the_other_not_again(
    store: Store, sender: Telegraph
) -> None:
    both = admins(store, sender, 1, 2)
    await both.note(Notice(MORE, {"count": 3}))
    sender.trouble[1] = TelegramUnreachable("no answer")
    await both.tell()
    sender.trouble.clear()
    await admins(store, sender, 1, 2).tell()  # also after a restart
    assert [chat_id for chat_id, _ in sender.sent] == [2, 1]
    assert await store.read(notices.waiting) == []


async def test_an_admin_who_blocked_the_bot_holds_nothing_up(store: Store, sender: Telegraph) -> None:
    await store.write(partial(chats.put, chat=chat(1), now=NOW))
    both = admins(store, sender, 1, 2)
    sender.trouble[1] = ChatGone("blocked")
    await both.note(Notice(MORE, {"count": 3}))
    await both.tell()
    assert len(sender.sent) == 1
    assert await store.read(notices.waiting) == []


async def test_many_notices_are_one_message_and_no_flood(store: Store, sender: Telegraph) -> None:
    one = admins(store, sender, 1)
    for count in range(200, 240):
        await one.note(Notice(MORE, {"count": count}))
    await one.tell()
    ((_, html),) = sender.sent
    assert "200" in html
    assert html.splitlines()[-1] == "… and 30 more"
    assert len(html.splitlines()) == 11


async def test_a_notice_that_is_for_later_is_told_then(store: Store, sender: Telegraph) -> None:
    clock, undelivered = FakeClock(), Notice("notice.undelivered", {"count": 3})
    later = clock.now() + timedelta(minutes=1)
    await store.write(partial(notices.put, notice=undelivered, now=later))
    one = admins(store, sender, 1, clock=clock)
    await one.tell()
    assert sender.sent == []
    clock.advance(timedelta(minutes=1))
    await one.tell()
    ((_, html),) = sender.sent
    assert html.startswith("✖️ 3 alerts could not be delivered: /health")


async def test_the_same_notice_does_not_wait_twice(store: Store, sender: Telegraph) -> None:
    one = admins(store, sender, 1)
    for _ in range(2):
        await one.note(Notice(MORE, {"count": 7}))
    await one.tell()
    assert sender.sent == [(1, "… and 7 more")]


async def test_without_admins_nothing_piles_up(store: Store, sender: Telegraph) -> None:
    nobody = admins(store, sender)
    await nobody.note(Notice(MORE, {"count": 7}))
    await nobody.tell()
    assert await store.read(notices.waiting) == []


async def test_facts_come_back_as_they_were_stored(store: Store) -> None:
    facts = {"source": "Fedorov <M>", "count": 2, "usual": timedelta(hours=2)}
    await store.write(partial(notices.put, notice=Notice(MORE, facts), now=NOW))
    (waiting,) = await store.read(notices.waiting)
    assert waiting.notice.facts == facts


async def test_an_admin_who_writes_later_is_told_then_but_nothing_that_is_no_news_any_more(
    store: Store, sender: Telegraph
) -> None:
    one = admins(store, sender, 1)
    sender.trouble[1] = ChatGone("chat not found")
    await one.note(Notice(MORE, {"count": 7}))
    for _ in range(3):
        await one.tell()
    sender.trouble.clear()
    await one.tell()
    assert sender.sent == []  # not tried again so soon
    await store.write(partial(chats.put, chat=chat(1), now=NOW))
    await one.tell()
    assert sender.sent == [(1, "… and 7 more")]
    sender.trouble[2] = ChatGone("chat not found")
    late = admins(store, sender, 2)
    await late.note(Notice(MORE, {"count": 8}))
    late._clock.advance(2 * KEPT)  # type: ignore[attr-defined]
    await late.tell()
    assert await store.read(notices.waiting) == []


async def test_an_admin_who_never_wrote_is_asked_once_a_day_also_over_restarts(
    store: Store, sender: Telegraph
) -> None:
    sender.trouble[1] = ChatGone("chat not found")
    one = admins(store, sender, 1)
    await one.note(Notice(MORE, {"count": 7}))
    await one.tell()
    sender.trouble.clear()
    again = admins(store, sender, 1)
    await again.tell()
    assert sender.sent == []
    again._clock.advance(TRY_AGAIN)  # type: ignore[attr-defined]
    await again.tell()
    assert len(sender.sent) == 1


async def test_an_admin_who_is_known_to_have_blocked_the_bot_is_not_asked(
    store: Store, sender: Telegraph
) -> None:
    await store.write(partial(chats.put, chat=chat(1, status="gone"), now=NOW))
    one = admins(store, sender, 1)
    await one.note(Notice(MORE, {"count": 7}))
    await one.tell()
    assert sender.sent == []
