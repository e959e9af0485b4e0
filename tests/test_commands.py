"""What the bot says to those who talk to it, without any Telegram in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NOW, item, source, topic
from fakes import FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram_html import parse as parse_html

from monitor import commands
from monitor.commands import COMMANDS, Desk, Vitals
from monitor.config import Config, Telegram
from monitor.markup import plain
from monitor.model import Evidence, Match, Message, Reply, Request, SourceState
from monitor.phrases import CATALOGUES, LANGUAGES
from monitor.store import Store, chats, items, sources

ADMIN = 500
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
        self.desk = Desk(
            store=store,
            clock=self.clock,
            config=lambda: self.config,
            vitals=lambda: Vitals("1.0", NOW - timedelta(hours=3), None),
            commands=COMMANDS,
        )

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


async def test_an_admin_is_asked_once_for_each_chat(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    again = await house.hears("/start")
    assert again
    assert again.others == ()


async def test_a_chat_that_was_refused_stays_out(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    await house.hears("/refuse 1", ADMIN)
    assert await house.status() == "refused"
    assert "closed" in await house.says("/start")
    assert "declined" in await house.says("/topics")


async def test_only_an_admin_decides_who_comes_in(house: House) -> None:
    house.access("approval")
    await house.hears("/start")
    assert "Only an admin" in await house.says("/approve 1")
    assert await house.status() == "pending"


@pytest.mark.parametrize("argument", ["", "77", "nobody", "-", "١", str(2**63)])
async def test_a_decision_on_nobody_is_answered(house: House, argument: str) -> None:
    assert "no chat" in await house.says(f"/approve {argument}", ADMIN)


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


async def found(house: House, *titles: str) -> None:
    def put(db: object) -> None:
        sources.declare(db, house.config.sources)  # type: ignore[arg-type]
        for number, title in enumerate(titles):
            match = Match("starlink", 100, (Evidence("title", 0, 1, "Starlink", "exact"),))
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
    await house.store.write(partial(sources.save, source_id="example", after=well))
    await house.store.write(partial(sources.save, source_id="other", after=ill))
    shown = await house.says("/sources")
    assert "2 sources, 1 failing" in shown
    assert "🏛 Example News — read 5 min" in shown
    assert "Other <News> — ⚠️ failed 3 times in a row: no <answer>" in shown


async def test_a_long_list_of_sources_comes_in_pages(house: House) -> None:
    many = tuple(source(f"s{number}", name="A source with a long name " * 3) for number in range(200))
    house.config = replace(house.config, sources=many)
    await house.hears("/start")
    first = await house.hears("/sources")
    assert first
    assert labels(first.message) == ["More"]
    second = await house.press("/sources", "More")
    assert labels(second.message) == ["Back", "More"]
    assert "not read yet" in await house.says("/sources 9999")


async def test_the_status_says_what_one_hears_of_and_that_the_system_lives(house: House) -> None:
    await house.hears("/start")
    await house.hears("/subscribe starlink")
    await found(house, "Newest")
    await house.store.write(partial(sources.save, source_id="example", after=SourceState(polled=NOW)))
    shown = await house.says("/status")
    assert "You hear of: Starlink" in shown
    assert "1 items read, 1 on a topic" in shown
    assert "Version 1.0" in shown
    assert "Chats" not in shown
    await house.hears("/start", ADMIN)
    assert "Chats: 2 active" in await house.says("/status", ADMIN)


async def test_the_bot_speaks_the_language_that_the_chat_chose(house: House) -> None:
    await house.hears("/start")
    assert len(labels((await house.hears("/language")).message)) == 3  # type: ignore[union-attr]
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
    assert labels(reply.message) == ["Europe/Kyiv"]
    assert "no time zone" in await house.says("/timezone zzzzqqq")


async def test_a_misspelt_command_is_guessed(house: House) -> None:
    await house.hears("/start")
    assert "/topics?" in await house.says("/topcs")
    assert "There is no command /zzzzqq" in await house.says("/zzzzqq")
    assert "/approve" not in await house.says("/aprove")


async def test_plain_words_are_answered_in_private_and_left_alone_in_groups(house: House) -> None:
    assert "/topics" in await house.says("hello there")
    assert await house.hears("hello there", private=False) is None


async def test_the_help_and_the_menu_name_every_listed_command(house: House) -> None:
    shown = await house.says("/help")
    listed = [command.name for command in COMMANDS.values() if command.listed]
    assert all(f"/{name} —" in shown for name in listed)
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
    assert reply.message
    shown, _ = parse_html(reply.message.html)
    assert 0 < len(shown.encode("utf-16-le")) // 2 <= 4096
    buttons = [button for row in reply.message.buttons for button in row]
    assert all(len(button.command.encode()) <= 64 for button in buttons)
