"""What the bot says to those who talk to it, without any Telegram in between."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from builders import NOW, item, source, topic
from fakes import FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram_html import parse as parse_html

from monitor import commands, errors, roster
from monitor.commands import COMMANDS, Desk, Vitals, health
from monitor.commands.desk import Call
from monitor.config import Config, Telegram
from monitor.markup import Safe, plain
from monitor.matching import Matcher
from monitor.model import (
    Evidence,
    Match,
    Message,
    Peer,
    Place,
    Reply,
    Request,
    Source,
    SourceState,
    Staff,
    Topic,
)
from monitor.phrases import CATALOGUES, LANGUAGES, say
from monitor.sources import Glimpse
from monitor.store import Store, added, chats, items, sources, watches

ADMIN = 500
GROUP_ADMIN = 5
GROUPS = (-5, -7, -100)
STARLINK = topic("Starlink", id="starlink", name="Starlink")
CEASEFIRE = topic("ceasefire", id="ceasefire", name="Pauses & ceasefires")


class House:
    """A desk with a real database, and people who talk to it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        self.config = Config(
            path="config.toml",
            telegram=Telegram(admins=frozenset({ADMIN}), access="open"),
            sources=(source(official=True), source("other", name="Other <News>")),
            topics=(STARLINK, CEASEFIRE),
        )
        self.group_admins: dict[int, frozenset[int]] = dict.fromkeys(GROUPS, frozenset({ADMIN, GROUP_ADMIN}))
        self.matcher = Matcher()
        self.woken = 0
        self.away = False  # Telegram
        self.unwritable: set[int] = set()
        self.peers: list[Peer] = []
        self.added: list[Source] = []
        self.web: dict[str, Glimpse] = {}
        self.files: dict[str, bytes] = {}
        self.paused: frozenset[str] = frozenset()
        self.desk = Desk(
            store=store,
            clock=self.clock,
            config=lambda: self.config,
            sources=self.sources,
            sources_changed=self.sources_changed,
            look=self.look,
            download=self.download,
            reload=self.reload,
            vitals=lambda: Vitals("1.0", NOW - timedelta(hours=3)),
            commands=COMMANDS,
            add_watch=self.add_watch,
            match=self.matcher.match,
            remove_watch=self.remove_watch,
            staff=self.staff,
            find_chat=self.find_chat,
            wake=self.wake,
        )

    def wake(self) -> None:
        self.woken += 1

    async def staff(self, chat_id: int, _asker: int) -> Staff:
        if self.away:
            raise errors.TelegramUnreachable("Telegram cannot be reached")
        if chat_id not in self.group_admins:
            raise errors.MessageRefused("Telegram refuses this message: member list is inaccessible")
        return Staff(self.group_admins[chat_id], posts=chat_id not in self.unwritable)

    async def find_chat(self, name: int | str) -> Peer:
        if self.away:
            raise errors.TelegramUnreachable("Telegram cannot be reached")
        known = next((peer for peer in self.peers if name in {peer.id, f"@{peer.title.lower()}"}), None)
        if known is None:
            raise errors.ChatGone("Telegram does not know this chat")
        return known

    def sources(self) -> tuple[Source, ...]:
        return roster.merged(self.config.sources, self.added, self.paused)

    async def look(self, kind: str, address: str) -> Glimpse:
        seen = self.web.get(address)
        if seen is None:
            raise errors.SourceUnreachable(f"{address} cannot be reached: its name is not known (DNS)")
        return replace(seen, kind=seen.kind or kind, address=address)

    async def download(self, file_id: str, most: int) -> bytes:
        return self.files[file_id][: most + 1]

    async def reload(self, language: str) -> Safe:
        return say(language, "reload.done", sources=2, topics=2)

    async def sources_changed(self) -> None:
        self.added = await self.store.read(added.every)
        self.paused = await self.store.read(added.paused)

    async def add_watch(self, place: Place, query: str) -> Topic:
        watch = await self.store.write(partial(watches.add, place=place, query=query, now=NOW))
        self.matcher.add(watch)
        return watch

    async def remove_watch(self, chat_id: int, watch_id: str) -> bool:
        return await self.store.write(partial(watches.remove, chat_id=chat_id, watch_id=watch_id))

    def access(self, access: str, admins: frozenset[int] = frozenset({ADMIN})) -> None:
        self.config = replace(
            self.config,
            telegram=Telegram(admins=admins, access=access),  # type: ignore[arg-type]
        )

    async def hears(self, text: str, chat_id: int = 1, **facts: object) -> Reply | None:
        usual = {"chat_title": "Duty <officer>", "user_id": chat_id}
        return await commands.answer(self.desk, Request(chat_id, text=text, **{**usual, **facts}))  # type: ignore[arg-type]

    async def says(self, text: str, chat_id: int = 1, **facts: object) -> str:
        reply = await self.hears(text, chat_id, **facts)
        assert reply
        assert reply.message
        shown, _ = parse_html(reply.message.html)
        return shown

    async def press(self, text: str, label: str, chat_id: int = 1) -> Reply:
        reply = await self.hears(text, chat_id)
        assert reply
        assert reply.message
        (command,) = [b.command for row in reply.message.buttons for b in row if label in b.label]
        pressed = await self.hears(command, chat_id, pressed=True)
        assert pressed
        return pressed

    async def subscribed(self, chat_id: int = 1) -> frozenset[str]:
        return await self.store.read(partial(chats.topics, chat_id=chat_id))

    async def status(self, chat_id: int = 1) -> str | None:
        known = await self.store.read(partial(chats.get, chat_id=chat_id))
        return known and known.status


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    yield House(store)
    await store.close()


def labels(message: Message | None) -> list[str]:
    assert message
    return [button.label for row in message.buttons for button in row]


async def test_somebody_who_only_talks_to_the_bot_can_subscribe(house: House) -> None:
    welcome = await house.hears("/start")
    assert welcome
    assert welcome.message
    assert "2 sources" in welcome.message.html
    assert labels(welcome.message) == ["➕ Starlink", "➕ Pauses & ceasefires", "➕ All of them"]
    pressed = await house.press("/start", "Starlink")
    assert pressed.notice == "You will hear of: Starlink."
    assert labels(pressed.message)[0] == "✅ Starlink"
    assert await house.subscribed() == {"starlink"}


async def test_a_topic_is_toggled_by_its_button(house: House) -> None:
    await house.hears("/start")
    await house.press("/topics", "Starlink")
    await house.press("/topics", "Starlink")
    assert await house.subscribed() == set()


async def test_pressing_the_button_of_an_old_message_twice_does_no_harm(house: House) -> None:
    await house.hears("/start")
    for _ in range(2):
        await house.hears("/subscribe starlink", pressed=True)
    assert await house.subscribed() == {"starlink"}


async def test_all_topics_at_once(house: House) -> None:
    await house.hears("/start")
    pressed = await house.press("/topics", "All")
    assert await house.subscribed() == {"starlink", "ceasefire"}
    assert "All of them" not in labels(pressed.message)


@pytest.mark.parametrize(
    "said", ["starlink", "Starlink", "STARLINK", "starlink ceasefire", "Pauses & Ceasefires", "all", "всі"]
)
async def test_a_topic_is_named_by_its_id_or_its_name_in_any_case(house: House, said: str) -> None:
    await house.hears("/start")
    await house.says(f"/subscribe {said}")
    assert await house.subscribed()
    await house.says(f"/unsubscribe {said}")
    assert not await house.subscribed()


@pytest.mark.parametrize("said", ["starlnk", "ceasefir", "pauses"])
async def test_a_misspelt_topic_is_guessed_and_asked_for(house: House, said: str) -> None:
    await house.hears("/start")
    assert "Did you mean" in await house.says(f"/subscribe {said}")
    await house.press(f"/subscribe {said}", "")
    assert len(await house.subscribed()) == 1


async def test_a_topic_that_is_not_there_is_answered_with_those_that_are(house: House) -> None:
    await house.hears("/start")
    assert "starlink, ceasefire" in await house.says("/subscribe zzzz <b>")
    assert "starlink, ceasefire" in await house.says("/latest zzzz")


@pytest.mark.parametrize("command", ["/subscribe", "/unsubscribe"])
async def test_a_missing_topic_is_asked_for_with_buttons(house: House, command: str) -> None:
    await house.hears("/start")
    reply = await house.hears(command)
    assert reply
    assert "➕ Starlink" in labels(reply.message)


async def test_without_topics_the_bot_says_who_adds_them(house: House) -> None:
    house.config = replace(house.config, topics=(), sources=())
    await house.hears("/start")
    assert "operator" in await house.says("/topics")
    assert "operator" in await house.says("/sources")
    assert "Nothing yet" in await house.says("/latest")


async def test_an_unknown_chat_waits_until_an_admin_approves_it(house: House) -> None:
    house.access("approval")
    asked = await house.hears("/start")
    assert asked
    ((admin, question),) = asked.others
    assert admin == ADMIN
    assert plain(question.html).startswith("Duty <officer>")
    assert "not let this chat in yet" in await house.says("/topics")
    approve = question.buttons[0][0].command
    verdict = await house.hears(approve, ADMIN, pressed=True)
    assert verdict
    ((told, message),) = verdict.others
    assert (told, await house.status()) == (1, "active")
    assert "➕ Starlink" in labels(message)
    again = await house.hears(approve, ADMIN, pressed=True)
    assert again
    assert again.others == ()


async def asked(house: House, text: str = "/start", chat_id: int = 1, **facts: object) -> list[int]:
    """Return whom a request makes the bot write to besides."""
    reply = await house.hears(text, chat_id, **facts)
    assert reply
    return [told for told, _ in reply.others]


async def test_the_admins_are_asked_again_after_an_hour_and_not_before(house: House) -> None:
    house.access("approval")
    assert await asked(house) == [ADMIN]
    house.clock.advance(timedelta(minutes=59))
    assert await asked(house) == []
    house.clock.advance(timedelta(minutes=2))
    assert await asked(house) == [ADMIN]


async def test_the_admins_are_asked_for_a_chat_that_chose_a_language_first(house: House) -> None:
    house.access("approval")
    await house.hears("/language uk")
    assert await asked(house) == [ADMIN]
    assert "чекайте" in await house.says("/start")


async def test_an_admin_who_starts_the_bot_sees_who_waits(house: House) -> None:
    house.access("approval")
    await house.hears("/language uk", 99)  # never asked to come in
    for chat_id in range(1, 13):
        await house.hears("/start", chat_id)
    reply = await house.hears("/start", ADMIN)
    assert reply
    commands_ = [message.buttons[0][0].command for told, message in reply.others if told == ADMIN]
    assert commands_ == [f"/approve {chat_id}" for chat_id in range(1, 11)]
    assert await asked(house, chat_id=-7, user_id=ADMIN, private=False) == []
    await house.hears("/start", 1)
    assert "12 waiting" in await house.says("/status", ADMIN)


async def test_a_button_decides_once_and_a_second_admin_learns_how_it_stands(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    await house.hears("/refuse 1", ADMIN, pressed=True)
    assert "may not use" in await house.says("/approve 1", ADMIN, pressed=True)
    assert await house.status() == "refused"
    assert "may use" in await house.says("/approve 1", ADMIN)
    assert await asked(house, "/refuse 1", ADMIN, pressed=True) == []
    assert await house.status() == "active"
    assert await asked(house, "/refuse 1", ADMIN) == [1]
    assert await house.status() == "refused"


async def test_approving_a_chat_that_stopped_the_bot_does_not_start_it_again(house: House) -> None:
    await house.hears("/start")
    await house.hears("/stop")
    await house.hears("/approve 1", ADMIN)
    assert await house.status() == "stopped"


async def test_a_choice_that_is_made_while_an_admin_decides_undoes_nothing(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    request = Request(1, "Duty officer", 1, "/language uk")
    call = Call(house.desk, request, await house.desk.chat(request), "uk")
    await house.hears("/approve 1", ADMIN)
    await COMMANDS["language"].run(call)
    known = await house.store.read(partial(chats.get, chat_id=1))
    assert known
    assert (known.status, known.language) == ("active", "uk")


async def test_a_status_changes_only_from_those_that_are_named(house: House) -> None:
    await house.hears("/start")
    leave = partial(chats.set_status, chat_id=1, status="gone", only_from=("active",))
    assert await house.store.write(leave)
    await house.store.write(partial(chats.set_status, chat_id=1, status="refused"))
    assert not await house.store.write(leave)
    assert await house.status() == "refused"
    assert not await house.store.write(partial(chats.set_status, chat_id=77, status="gone"))


@pytest.mark.parametrize(
    ("access", "said"),
    [("approval", "have not let"), ("closed", "only its admins")],
)
async def test_who_never_started_the_bot_reads_what_would_help(house: House, access: str, said: str) -> None:
    house.access(access)
    assert said in await house.says("/topics")


async def test_an_open_bot_does_what_it_is_asked_without_a_start(house: House) -> None:
    await house.says("/subscribe starlink")
    assert (await house.status(), await house.subscribed()) == ("active", {"starlink"})
    house.access("closed")
    await house.says("/subscribe starlink", ADMIN)
    assert await house.subscribed(ADMIN) == {"starlink"}


async def test_a_chat_that_writes_again_is_no_longer_gone(house: House) -> None:
    await house.hears("/start")
    await house.store.write(partial(chats.set_status, chat_id=1, status="gone"))
    house.access("approval")
    await house.says("/topics")
    assert await house.status() == "active"


@pytest.mark.parametrize("access", ["open", "approval"])
async def test_a_chat_that_was_refused_stays_out_until_it_is_approved(house: House, access: str) -> None:
    house.access(access)
    await house.hears("/start")
    await house.hears("/refuse 1", ADMIN)
    assert await house.status() == "refused"
    assert "declined" in await house.says("/start")
    assert "declined" in await house.says("/topics")
    await house.hears("/approve 1", ADMIN)
    assert await house.status() == "active"


@pytest.mark.parametrize("said", ["/refuse 500", "/chats remove 500", "/refuse 7"])
async def test_no_admin_is_shut_out_before_the_config_says_so(house: House, said: str) -> None:
    house.access("open", frozenset({ADMIN, 7}))
    await house.hears("/start", ADMIN)
    reply = await house.hears(said, ADMIN)
    assert reply
    assert reply.message
    assert "is an admin of this bot" in reply.notice + plain(reply.message.html)
    assert await house.status(ADMIN) == "active"


async def test_only_an_admin_decides_who_comes_in(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    assert "Only an admin" in await house.says("/approve 1")
    assert await house.status() == "pending"


@pytest.mark.parametrize("argument", ["77", "nobody", "-", "١", str(2**63)])
async def test_a_decision_on_nobody_is_answered(house: House, argument: str) -> None:
    assert "no chat" in await house.says(f"/approve {argument}", ADMIN)


async def test_a_decision_without_a_chat_asks_which_one(house: House) -> None:
    assert "Which chat?" in await house.says("/approve", ADMIN)


async def test_an_admin_comes_in_at_once(house: House) -> None:
    house.access("closed")
    await house.hears("/start", ADMIN)
    assert await house.status(ADMIN) == "active"


async def test_a_closed_bot_names_the_id_that_it_would_need(house: House) -> None:
    house.access("closed")
    assert "1" in await house.says("/start")
    assert await house.status() is None


async def test_without_admins_the_operator_learns_the_own_id(house: House) -> None:
    house.access("approval", frozenset())
    assert "admins = [1]" in await house.says("/start")


async def test_who_stopped_is_left_alone_and_comes_back_with_the_same_topics(house: House) -> None:
    await house.hears("/start")
    await house.hears("/subscribe starlink")
    await house.hears("/stop")
    assert await house.status() == "stopped"
    assert "You stopped me" in await house.says("/topics")
    house.access("approval")
    await house.hears("/start")
    assert (await house.status(), await house.subscribed()) == ("active", {"starlink"})


async def test_who_waits_for_approval_cannot_come_in_by_stopping(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    await house.hears("/stop")
    await house.hears("/start")
    assert await house.status() == "pending"


async def found(house: House, *titles: str, topic_id: str = "starlink") -> None:
    def put(db: object) -> None:
        sources.declare(db, house.config.sources)  # type: ignore[arg-type]
        for number, title in enumerate(titles):
            match = Match(topic_id, 100, (Evidence("title", 0, 1, "Starlink", "exact"),))
            one = item(title, url=f"https://example.org/{number}", published=NOW - timedelta(minutes=number))
            items.insert(db, one, [match], NOW)  # type: ignore[arg-type]

    await house.store.write(put)


async def test_the_latest_items_of_the_own_topics_come_newest_first(house: House) -> None:
    await house.hears("/start")
    await found(house, "Newest", "Older <b>")
    shown = await house.says("/latest")
    assert shown.index("Newest") < shown.index("Older <b>")
    assert "Newest" in await house.says("/latest starlink")
    assert "Nothing yet" in await house.says("/latest ceasefire")
    await house.hears("/subscribe ceasefire")
    assert "Nothing yet" in await house.says("/latest")


async def test_the_sources_are_shown_with_how_they_do(house: House) -> None:
    await house.hears("/start")
    assert "not read yet" in await house.says("/sources")
    await house.store.write(partial(sources.declare, sources=house.config.sources))
    well = SourceState(succeeded=NOW - timedelta(minutes=5))
    ill = SourceState(failures=3, error="no <answer>")
    example, other = house.config.sources
    await house.store.write(partial(sources.save, source=example, after=well))
    await house.store.write(partial(sources.save, source=other, after=ill))
    shown = await house.says("/sources")
    assert "2 sources, 1 failing" in shown
    assert "🟢 🏛 Example News — read 5 min" in shown
    assert "⚠️ Other <News> — failed 3 times in a row: no <answer>" in shown
    await house.store.write(partial(sources.save, source=other, after=replace(ill, failures=1)))
    await house.hears("/language uk")
    assert "один збій: no <answer>" in await house.says("/sources")


async def test_a_key_in_the_address_of_a_source_is_shown_to_nobody(house: House) -> None:
    secret = source(address="https://me:pass@example.org:8080/feed.xml?key=secret#part")
    house.config = replace(house.config, sources=(secret, source("c", kind="channel", address="kpszsu")))
    await house.hears("/start")
    reply = await house.hears("/sources")
    assert reply
    assert reply.message
    assert re.findall('href="([^"]*)"', reply.message.html) == [
        "https://example.org:8080/feed.xml",
        "https://t.me/kpszsu",
    ]


async def test_a_long_list_of_sources_comes_in_pages(house: House) -> None:
    many = tuple(source(f"s{number}", name="A source with a long name " * 3) for number in range(200))
    house.config = replace(house.config, sources=many)
    await house.hears("/start")
    first = await house.hears("/sources")
    assert first
    assert labels(first.message) == ["More"]
    second = await house.press("/sources", "More")
    assert labels(second.message) == ["Back", "More"]
    assert "not read yet" in await house.says(f"/sources {'9' * 5000}")


async def test_every_source_stands_on_one_page_however_long_the_lines_are(house: House) -> None:
    many = tuple(source(f"s{number}", name=f"N{number}. " + "Ж" * 300) for number in range(40))
    house.config = replace(house.config, sources=many)

    def fail(db: Any) -> None:
        sources.declare(db, many)
        for one in many:
            long_ago, an_hour = NOW - timedelta(days=9), timedelta(hours=1)
            ill = SourceState(failures=10_000, error="🙂" * 500, newest=long_ago, usual=an_hour)
            sources.save(db, one, ill)
            items.insert(db, item(source_id=one.id), [], NOW)

    await house.store.write(fail)
    await house.hears("/start")
    shown = [await house.says(f"/sources {page}") for page in (1, 2, 3, 4)]
    assert all(len(page.encode("utf-16-le")) // 2 <= 4096 for page in shown)
    assert all(f"N{number}. " in "".join(shown) for number in range(40))


async def test_a_page_of_twenty_thousand_sources_does_not_hold_the_others_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(source(f"s{number}") for number in range(20_000))
    house.config = replace(house.config, sources=many)
    await house.hears("/start")
    drawn: list[object] = []
    draw = health.link
    monkeypatch.setattr(health, "link", lambda *facts: drawn.append(facts) or draw(*facts))
    assert "20000 sources" in await house.says("/sources 700")
    assert 0 < len(drawn) <= 50


async def test_one_source_is_shown_by_its_name_and_a_wrong_one_asked_for(house: House) -> None:
    await house.store.write(partial(sources.declare, sources=house.config.sources))
    shown = await house.says("/sources other")
    assert ("Other <News>" in shown, "Example News" in shown) == (True, False)
    reply = await house.hears("/sources zzzz")
    assert reply
    assert labels(reply.message) == ["Example News", "Other <News>"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("gamma", "1 source</b>"),
        ("Co", "1 source</b>"),
        ("gamma & c", "1 source</b>"),
        ("daily", "1 source</b>"),
        ("ext", "Did you mean"),  # within a word
        ("news", "Did you mean"),  # of two
        ("1", "4 sources</b>"),  # a page
    ],
)
async def test_one_source_is_shown_by_a_word_or_the_beginning_that_its_name_alone_has(
    house: House, said: str, shown: str
) -> None:
    names = {"a": "Gamma & Co", "b": "Next News", "c": "The 1 News", "d": "A Daily"}
    house.config = replace(house.config, sources=tuple(source(key, name=names[key]) for key in names))
    reply = await house.hears(f"/sources {said}")
    assert reply
    assert reply.message
    assert shown in reply.message.html
    if said == "gamma":  # what would change something asks first
        assert "Did you mean" in await house.says("/pause gamma", ADMIN)
        assert not any(one.paused for one in house.sources())


async def test_the_status_names_a_topic_that_the_config_lost_until_one_unsubscribes(house: House) -> None:
    await house.hears("/start")
    await house.hears("/subscribe starlink")
    await house.hears("/watch drone Kharkiv")
    assert "took it out" not in await house.says("/status")
    there = house.config.topics
    house.config = replace(house.config, topics=())
    shown = await house.says("/status")
    assert "the operator took it out of the config: starlink. " in shown
    assert "You hear of: drone Kharkiv" in shown
    pressed = await house.hears("/unsubscribe starlink", pressed=True)
    assert pressed
    assert pressed.notice == "You will hear no more of: starlink."
    assert "took it out" not in await house.says("/status")
    house.config = replace(house.config, topics=there)
    assert "You hear of: drone Kharkiv" in await house.says("/status")


@pytest.mark.parametrize("said", ["/help watch", "/help /Watch"])
async def test_the_help_explains_one_command(house: House, said: str) -> None:
    assert await house.says(said) == "/watch — watch for words of your own: /watch drone Kharkiv"
    assert "no command /wtch" in await house.says("/help wtch")


async def test_the_status_says_what_one_hears_of_and_that_the_system_lives(house: House) -> None:
    await house.hears("/start")
    await house.hears("/subscribe starlink")
    await found(house, "Newest")
    state = SourceState(polled=NOW)
    await house.store.write(partial(sources.save, source=house.config.sources[0], after=state))
    shown = await house.says("/status")
    assert "You hear of: Starlink" in shown
    assert "1 item read, 1 on a topic" in shown
    assert "Version 1.0" in shown
    assert "Chats" not in shown
    await house.hears("/start", ADMIN)
    assert "Chats: 2 active" in await house.says("/status", ADMIN)


async def test_the_bot_speaks_the_language_that_the_chat_chose(house: House) -> None:
    await house.hears("/start")
    assert len(labels((await house.hears("/language")).message)) == 3  # type: ignore[union-attr]
    assert "I do not speak “Klingon”" in await house.says("/language Klingon")
    assert "українською" in await house.says("/language Ukrainian")
    assert "по-русски" in await house.says("/language російська")
    assert "українською" in await house.says("/language uk")
    assert "Ви ще не обрали" in await house.says("/topics")
    await house.says("/language English")
    assert "You hear of no topic" in await house.says("/topics")


async def test_the_bot_shows_times_for_the_zone_that_the_chat_chose(house: House) -> None:
    await house.hears("/start")
    assert "Europe/Kyiv" in await house.says("/timezone europe/kyiv")
    assert "Europe/Kyiv" in await house.says("/timezone")
    reply = await house.hears("/timezone Europe/Kyv")
    assert reply
    assert labels(reply.message)[0] == "Europe/Kyiv · 14:00"
    mars = await house.hears("/timezone Mars")
    assert mars
    assert labels(mars.message) == []
    assert mars.message
    assert "no time zone “Mars”. A name looks like Europe/Kyiv" in mars.message.html


@pytest.mark.parametrize(
    ("said", "shown", "zone"),
    [
        ("+3", "UTC+03:00", "Etc/GMT-3"),
        ("UTC+2", "UTC+02:00", "Etc/GMT-2"),
        ("gmt -5", "UTC-05:00", "Etc/GMT+5"),
        ("−03:00", "UTC-03:00", "Etc/GMT+3"),
        ("+0300", "UTC+03:00", "Etc/GMT-3"),
        ("UTC+0", "UTC", "UTC"),
    ],
)
async def test_a_plain_offset_is_a_zone_with_the_sign_that_people_mean(
    house: House, said: str, shown: str, zone: str
) -> None:
    await house.hears("/start")
    assert f"for {shown} now" in await house.says(f"/timezone {said}")
    assert shown in await house.says("/timezone")
    assert shown in await house.says("/status")
    known = await house.store.read(partial(chats.get, chat_id=1))
    assert known
    assert known.timezone == zone
    assert ZoneInfo(zone)


@pytest.mark.parametrize("said", ["+15", "-13", "+5:30", "GMT3", "etc/gmt"])
async def test_no_zone_with_a_turned_sign_is_ever_suggested(house: House, said: str) -> None:
    await house.hears("/start")
    reply = await house.hears(f"/timezone {said}")
    assert reply
    assert not any("GMT" in label for label in labels(reply.message))


async def test_a_long_argument_is_said_back_shortened(house: House) -> None:
    await house.hears("/start")
    for command in ("subscribe", "latest", "timezone", "approve", "qqq"):
        shown = await house.says(f"/{command} {'ж<' * 1900}", ADMIN if command == "approve" else 1)
        assert len(shown) < 400
    assert len(await house.says(f"/{'q' * 4000}")) < 200


async def test_hundreds_of_topics_come_in_pages_and_a_press_stays_on_its_page(house: House) -> None:
    many = tuple(topic("x", id=f"topic-{number}", name=f"{number} " + "Ж" * 98) for number in range(250))
    house.config = replace(house.config, topics=many)
    await house.hears("/start")
    second = await house.press("/topics", "More")
    assert second.message
    shown = labels(second.message)
    assert shown[0].startswith("➕ 90 ")
    assert (shown[90:], len(shown)) == (["Back", "More", "➕ All of them"], 93)
    assert all(len(label) <= 62 for label in shown)
    pressed = await house.hears("/subscribe topic-90", pressed=True)
    assert pressed
    assert labels(pressed.message)[0].startswith("✅ 90 ")
    everything = await house.hears("/subscribe all", pressed=True)
    assert everything
    assert len(everything.notice) <= 200
    for said in ("/topics", "/status", "/subscribe zzzqqq", "/unsubscribe all", "/latest"):
        assert 0 < len(await house.says(said)) <= 4096


async def test_a_database_that_cannot_be_written_is_a_neutral_sentence_in_the_chats_language(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await house.hears("/start")
    await house.hears("/language uk")

    async def full(_: object) -> None:
        raise errors.StoreUnwritable("/var/lib/monitor.db cannot be written: the disk is full")

    monkeypatch.setattr(house.store, "write", full)
    shown = await house.says("/subscribe starlink")
    assert "не може нічого зберегти" in shown
    assert "/var/lib" not in shown
    assert [record.message.count("the disk is full") for record in caplog.records] == [1]
    pressed = await house.hears("/subscribe starlink", pressed=True)
    assert pressed
    assert (pressed.message, pressed.notice) == (None, shown)
    monkeypatch.setattr(house.store, "read", full)
    assert "cannot store anything" in await house.says("/topics")


async def test_a_misspelt_command_is_guessed(house: House) -> None:
    await house.hears("/start")
    assert "/topics?" in await house.says("/topcs")
    assert "There is no command /zzzzqq" in await house.says("/zzzzqq")
    assert "/approve" not in await house.says("/aprove")


async def test_plain_words_are_answered_in_private_and_left_alone_in_groups(house: House) -> None:
    assert "/topics" in await house.says("hello there")
    assert await house.hears("hello there", private=False) is None


async def test_in_a_group_a_command_that_may_be_another_bots_is_left_alone(house: House) -> None:
    assert await house.hears("/roll 6", -5, private=False) is None
    assert await house.hears("/topcs", -5, private=False) is None
    assert "no topic yet" in await house.says("/topics", -5, private=False)


async def test_the_help_and_the_menu_name_every_listed_command(house: House) -> None:
    listed = [command.name for command in COMMANDS.values() if command.listed and command.who != "admin"]
    admins = [command.name for command in COMMANDS.values() if command.listed and command.who == "admin"]
    shown, to_an_admin = await house.says("/help"), await house.says("/help", ADMIN)
    assert all(f"/{name} —" in shown for name in listed)
    assert not any(f"/{name} —" in shown for name in admins)
    assert all(f"/{name} —" in to_an_admin for name in (*listed, *admins))
    menus = commands.menus()
    assert set(menus) == {"", *LANGUAGES}
    assert all([name for name, _ in menu] == listed for menu in menus.values())


def test_every_command_is_explained_in_every_language_and_in_the_docs() -> None:
    docs = (Path(__file__).parent.parent / "docs" / "chat.md").read_text("utf-8")
    for command in COMMANDS.values():
        assert f"`/{command.name}" in docs
        if command.listed:
            assert all(f"help.{command.name}" in catalogue for catalogue in CATALOGUES.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    name=st.sampled_from([*COMMANDS, "x", ""]),
    argument=st.text(max_size=60) | st.integers().map(str),
    pressed=st.booleans(),
)
async def test_whatever_is_typed_is_answered_in_html_that_telegram_takes(
    house: House, name: str, argument: str, *, pressed: bool
) -> None:
    reply = await house.hears(f"/{name} {argument}", ADMIN, pressed=pressed)
    assert reply
    if reply.message is None:
        assert pressed
        assert 0 < len(reply.notice) <= 200
        return
    shown, _ = parse_html(reply.message.html)
    assert 0 < len(shown.encode("utf-16-le")) // 2 <= 4096
    buttons = [button for row in reply.message.buttons for button in row]
    assert all(len(button.command.encode()) <= 64 for button in buttons)


async def test_a_chat_watches_for_words_of_its_own_until_it_wants_no_more(house: House) -> None:
    await house.hears("/start")
    assert "drone Kharkiv" in await house.says("/watch drone Kharkiv")
    await house.says("/watch drone Kharkiv")
    (own,) = await house.store.read(partial(watches.of, chat_id=1))
    assert await house.subscribed() == {own.id}
    assert await house.subscribed(2) == set()
    assert "drone Kharkiv" in await house.says("/status")
    listed = await house.hears("/watch")
    assert listed
    assert labels(listed.message) == ["✖ drone Kharkiv"]
    ended = await house.press("/unwatch", "drone Kharkiv")
    assert ended.message
    assert "no more" in ended.message.html
    assert await house.subscribed() == set()
    assert "nothing of your own" in await house.says("/unwatch")


async def test_a_watch_is_ended_by_its_words_too_and_a_misspelt_one_is_guessed(house: House) -> None:
    await house.hears("/start")
    await house.hears("/watch drone Kharkiv")
    assert "Did you mean drone Kharkiv" in await house.says("/unwatch drone Kharkov")
    await house.hears("/watch drone")
    assert "I watch for drone no more" in await house.says("/unsubscribe drone")
    assert "do not watch for “qqqq”" in await house.says("/unwatch qqqq")
    await house.says("/unwatch DRONE Kharkiv")
    assert await house.subscribed() == set()


async def test_a_watch_is_not_guessed_from_words_that_have_nothing_of_it(house: House) -> None:
    for query in ("((((a))))", "drone 30"):
        await house.says(f"/watch {query}")
    for said in ("all", "30", "-1"):
        assert f"You do not watch for “{said}”. Press" in await house.says(f"/unwatch {said}")


async def test_watches_that_differ_only_in_case_are_one(house: House) -> None:
    for query in ("Перемирие drone", "перемирие  DRONE", r"/\d\d/", r"/\D\D/ x"):
        await house.says(f"/watch {query}")
    own = await house.store.read(partial(watches.of, chat_id=1))
    assert [one.name for one in own] == ["Перемирие drone", r"/\d\d/", r"/\D\D/ x"]


async def test_nobody_ends_the_watch_of_another_chat(house: House) -> None:
    for chat_id in (1, 2):
        await house.hears("/start", chat_id)
    await house.hears("/watch drone", 1)
    (own,) = await house.store.read(partial(watches.of, chat_id=1))
    await house.hears(f"/unwatch {own.id}", 2)
    assert await house.subscribed(1) == {own.id}


async def test_a_mistake_in_a_query_is_pointed_at(house: House) -> None:
    await house.hears("/start")
    shown = await house.says('/watch drone AND ("power grid')
    assert "I cannot read this" in shown
    assert "^" in shown
    assert await house.subscribed() == set()


async def test_a_mistake_in_a_query_is_explained_in_the_language_of_the_chat(house: House) -> None:
    await house.hears("/language uk")
    assert "запит закінчується там, де бракує слова" in await house.says("/watch (")
    assert "«foo:» невідоме: є title:, source:, lang:." in await house.says("/watch foo:bar")
    await house.hears("/language ru")
    assert "число от 1 до 2, например a~1" in await house.says("/watch a~5")


async def test_a_watch_for_an_unknown_source_says_so(house: House) -> None:
    said = await house.says("/watch drone source:exampel")
    assert "I watch for" in said
    assert (
        '⚠️ source:exampel matches nothing, as no source has this id or tag: did you mean "example"?' in said
    )
    assert "⚠️" not in await house.says("/watch drone source:Example")


@pytest.mark.parametrize("query", ["the", "lang:en", "drone lang:zz", "/./"])
async def test_a_watch_that_can_only_be_a_mistake_is_refused(house: House, query: str) -> None:
    assert "I cannot read this" in await house.says(f"/watch {query}")
    assert await house.store.read(partial(watches.of, chat_id=1)) == []


async def test_there_is_an_end_to_what_a_chat_may_watch_for(house: House) -> None:
    await house.hears("/start")
    for number in range(50):
        await house.hears(f"/watch word{number}")
    assert "50 things already" in await house.says("/watch onemore")
    assert len(await house.subscribed()) == 50
    assert "at most 300" in await house.says("/watch " + "long " * 100)


async def test_the_latest_items_of_a_watch_are_shown(house: House) -> None:
    await house.hears("/start")
    await house.hears("/watch drone")
    (own,) = await house.store.read(partial(watches.of, chat_id=1))
    await found(house, "Drone over the sea", topic_id=own.id)
    assert "Drone over the sea" in await house.says("/latest")
    assert "Drone over the sea" in await house.says("/latest drone")
    unknown = await house.says("/latest zzzzzz")
    assert "drone" in unknown
    assert own.id not in unknown
