"""People hear of what is found when they want to, and of all of it: commands, outbox and courier together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from builders import NO_LIMITS, NOW, item, source, topic
from test_commands import House as Desk
from test_commands import labels
from test_delivery import Inbox

from monitor import audience
from monitor.delivery import Courier
from monitor.markup import plain
from monitor.model import Evidence, Match, Place, Request
from monitor.store import Database, Store, chats, items, outbox, sources, stories

STARLINK = topic("Starlink", id="starlink", name="Starlink")
RAID = topic("raid", id="raid", name="Air raid", priority="urgent")
CULTURE = topic("opera", id="culture", name="Culture", priority="low")
TOPICS = {one.id: one for one in (STARLINK, RAID, CULTURE)}


class House(Desk):
    """A desk, a courier behind it, and stories that are found."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.config = self.config.__class__(
            path=self.config.path, telegram=self.config.telegram, topics=tuple(TOPICS.values())
        )
        self.inbox = Inbox()
        self.courier = Courier(store, self.inbox, self.clock, lambda: TOPICS, lambda: NO_LIMITS)

    async def find(self, name: str, *topic_ids: str) -> None:
        """Let a story be found now, as the pipeline does it."""
        now = self.clock.now()
        matches = [Match(one, 100, (Evidence("title", 0, 1, "x", "exact"),)) for one in topic_ids]

        def put(db: Database) -> None:
            sources.declare(db, [source()])
            row = items.insert(db, item(name, url=f"https://example.org/{name}"), matches, now)
            story = stories.begin(db, name, now)
            stories.join(db, story, row, [])
            heard = audience.hearings(matches, TOPICS, chats.listeners(db, topic_ids), (), now)
            for one in heard:
                outbox.put(db, one, story_id=story, item_id=row, now=now)

        await self.store.write(put)

    async def arrived(self) -> list[list[str]]:
        """Return the stories in each message that came since the last look."""
        while await self.courier.round():
            pass
        got, self.inbox.got = self.inbox.got, []
        return [[part.split('"')[0] for part in m.html.split("https://example.org/")[1:]] for _, m in got]

    async def later(self, **by: float) -> list[list[str]]:
        self.clock.advance(timedelta(**by))
        return await self.arrived()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    house = House(store)
    await house.says("/subscribe all")
    await house.says("/timezone Europe/Kyiv")  # NOW is 14:00 there
    yield house
    await house.store.close()


async def test_what_comes_while_a_chat_is_muted_comes_as_one_digest_when_the_mute_ends(house: House) -> None:
    assert "until 16:00" in await house.says("/mute 2h")
    for name, topic_id in (("a", "starlink"), ("b", "raid"), ("c", "starlink")):
        await house.find(name, topic_id)
    assert await house.arrived() == []
    assert await house.later(minutes=119) == []
    assert sorted(*(await house.later(minutes=1))) == ["a", "b", "c"]
    await house.find("d", "starlink")
    assert await house.arrived() == [["d"]]


async def test_a_mute_ends_when_it_is_said_to_end(house: House) -> None:
    house.clock.advance(timedelta(seconds=32))
    assert "until 14:01:32" in await house.says("/mute 1m")
    assert "until 14:01:32" in await house.says("/status")
    await house.find("a", "starlink")
    assert await house.later(seconds=59) == []
    assert await house.later(seconds=1) == [["a"]]
    assert "until 15:02, on urgent" in await house.says("/mute 1h")
    await house.find("b", "starlink")
    assert await house.later(minutes=60, seconds=27) == []
    assert await house.later(seconds=1) == [["b"]]
    house.clock.advance(timedelta(seconds=1))
    assert "until 3 Feb, 15:03," in await house.says("/mute raid 2d")


async def test_what_was_queued_before_a_mute_is_kept_too(house: House) -> None:
    await house.find("a", "starlink")
    await house.says("/mute 1 hour")
    assert await house.arrived() == []
    assert await house.later(hours=1) == [["a"]]


async def test_a_mute_that_is_ended_by_hand_lets_what_it_held_come_at_once(house: House) -> None:
    await house.says("/mute 2 години")
    await house.find("a", "starlink")
    await house.find("b", "raid")
    house.woken = 0
    assert "speak again" in await house.says("/unmute")
    assert house.woken
    assert [sorted(*(await house.arrived()))] == [["a", "b"]]


@pytest.mark.parametrize("other", ["/quiet 13:00-15:30", "/digest daily 15:30", "/digest starlink 15:30"])
async def test_a_mute_that_is_ended_says_until_when_something_else_holds_what_it_kept(
    house: House, other: str
) -> None:
    await house.says(other)
    await house.says("/mute 1h")
    await house.find("a", "starlink")
    assert "comes by 15:30" in await house.says("/unmute")
    assert await house.later(minutes=89) == []
    assert await house.later(minutes=1) == [["a"]]


async def test_what_was_queued_before_quiet_hours_is_not_promised_for_now_either(house: House) -> None:
    await house.find("a", "starlink")
    await house.says("/mute 1h")
    await house.says("/quiet 13:00-15:30")
    assert "comes by 15:30" in await house.says("/unmute")
    assert await house.arrived() == []


async def test_a_topic_that_is_told_again_in_a_muted_chat_says_until_when_the_mute_holds_it(
    house: House,
) -> None:
    await house.says("/mute 2h")
    await house.says("/mute starlink 1h")
    await house.find("a", "starlink")
    assert "Starlink. What was kept comes by 16:00" in await house.says("/unmute starlink")
    assert "comes now" in await house.says("/unmute raid")
    assert await house.arrived() == []
    assert await house.later(hours=2) == [["a"]]


async def test_a_muted_topic_is_held_and_the_others_are_not(house: House) -> None:
    assert "Air raid until 2 Feb, 14:00" in await house.says("/mute raid 1d")
    await house.find("a", "starlink")
    await house.find("b", "raid")
    await house.find("c", "raid", "starlink")
    assert await house.arrived() == [["c"], ["a"]]
    await house.says("/unmute Air raid")
    assert await house.arrived() == [["b"]]


async def test_a_mute_is_ended_by_saying_off_too(house: House) -> None:
    await house.says("/mute raid 1d")
    await house.says("/mute 2h")
    assert "on Air raid" in await house.says("/mute raid off")
    assert "on all your topics" in await house.says("/mute off")


async def test_a_button_ends_the_mute_of_all_topics_that_it_is_about(house: House) -> None:
    reply = await house.hears("/mute raid, starlink 1d")
    assert reply
    assert reply.message
    assert [[button.command for button in row] for row in reply.message.buttons] == [
        ["/unmute raid starlink"]
    ]
    assert "Air raid" in await house.says("/unmute starlink raid")


async def test_in_quiet_hours_only_the_urgent_comes_and_the_rest_when_they_end(house: House) -> None:
    assert "From 23:00-07:00 (Europe/Kyiv)" in await house.says("/quiet 23-7")
    house.clock.current = datetime(2026, 2, 1, 20, 59, tzinfo=UTC)
    await house.find("a", "starlink")
    assert await house.arrived() == [["a"]]
    await house.later(minutes=1)
    await house.find("b", "starlink")
    await house.find("c", "raid")
    await house.find("d", "starlink")
    assert await house.arrived() == [["c"]]
    house.clock.current = datetime(2026, 2, 2, 4, 59, 59, tzinfo=UTC)
    assert await house.arrived() == []
    assert await house.later(seconds=1) == [["b", "d"]]


async def test_quiet_hours_that_are_given_up_or_moved_let_what_they_held_come(house: House) -> None:
    await house.says("/quiet 13:00-20:00")
    await house.find("a", "starlink")
    assert await house.arrived() == []
    await house.says("/timezone Asia/Tokyo")  # 21:00 there
    assert await house.arrived() == [["a"]]
    await house.says("/quiet 20-22")
    await house.find("b", "starlink")
    assert await house.arrived() == []
    await house.says("/quiet off")
    assert await house.arrived() == [["b"]]


async def test_a_digest_comes_at_its_time_and_urgent_alerts_do_not_wait_for_it(house: House) -> None:
    assert "every day at 18:00 (Europe/Kyiv)" in await house.says("/digest daily 18:00")
    await house.find("a", "starlink")
    await house.find("b", "raid")
    await house.find("c", "culture")
    assert await house.arrived() == [["b"]]
    assert await house.later(hours=3, minutes=59) == []
    assert await house.later(minutes=1) == [["a", "c"]]


async def test_a_topic_may_have_a_digest_of_its_own(house: House) -> None:
    await house.says("/digest starlink hourly")
    await house.says("/digest raid daily 15:00")
    await house.find("a", "starlink")
    await house.find("b", "raid")
    assert await house.arrived() == []
    assert [sorted(*(await house.later(hours=1)))] == [["a", "b"]]
    await house.says("/digest hourly")
    await house.says("/digest starlink off")
    await house.find("c", "starlink")
    assert await house.arrived() == [["c"]]
    await house.says("/digest starlink default")
    await house.find("d", "starlink")
    assert await house.arrived() == []
    assert "urgent" not in await house.says("/digest off")
    assert await house.arrived() == [["d"]]


async def test_a_silent_topic_comes_without_a_sound(house: House) -> None:
    await house.says("/silent starlink")
    for name, topic_id in (("a", "starlink"), ("b", "raid")):
        await house.find(name, topic_id)
    for _ in range(2):
        await house.courier.round()
    assert [message.silent for _, message in house.inbox.got] == [False, True]
    pressed = await house.press("/silent", "🔕 Starlink")
    assert "🔔 Starlink" in labels(pressed.message)
    assert "with a sound again" in await house.says("/silent starlink off")


async def test_a_topic_is_subscribed_without_a_sound_at_once(house: House) -> None:
    await house.says("/unsubscribe all")
    assert await house.says("/subscribe starlink silent") == "You will hear of: Starlink, without a sound."
    wanted = await house.store.read(partial(chats.subscriptions, place=Place(1)))
    assert {name: one.silent for name, one in wanted.items()} == {"starlink": True}


async def test_a_topic_of_a_forum_hears_what_was_subscribed_in_it(house: House) -> None:
    for thread, said in ((7, "/subscribe starlink"), (8, "/subscribe raid"), (7, "/mute starlink 1h")):
        await house.says(said, -100, thread_id=thread, private=False, user_id=5)
    heard = await house.store.read(partial(chats.listeners, topic_ids=["starlink", "raid"]))
    assert {place: set(listener.wanted) for place, listener in heard.items() if place.chat_id < 0} == {
        Place(-100, 7): {"starlink"},
        Place(-100, 8): {"raid"},
    }
    shown = await house.says("/status", -100, thread_id=8, private=False)
    assert "Air raid" in shown
    assert "Starlink" not in shown


async def test_a_watch_in_a_topic_of_a_forum_is_heard_there(house: House) -> None:
    await house.says("/watch drone", -100, thread_id=7, private=False, user_id=5)
    (watch,) = await house.store.read(partial(chats.topics, chat_id=-100, thread_id=7))
    assert "no more" in await house.says("/unwatch drone", -100, thread_id=7, private=False, user_id=5)
    assert await house.store.read(partial(chats.topics, chat_id=-100, thread_id=7)) == set()
    assert watch.startswith("watch:")


async def test_the_status_says_when_the_chat_is_told(house: House) -> None:
    for said in ("/mute 2h", "/quiet 23-7", "/digest hourly", "/mute raid 1h", "/digest raid daily 8"):
        await house.says(said)
    await house.says("/silent raid")
    shown = await house.says("/status")
    assert "Silent until 16:00." in shown
    assert "Quiet hours: 23:00-07:00." in shown
    assert "Alerts come together, at every full hour." in shown
    assert (
        "Air raid: silent until 15:00; together, every day at 08:00 (Europe/Kyiv); without a sound." in shown
    )


@pytest.mark.parametrize("said", ["/mute 0", "/mute 00", "/mute 0m", "/mute 0 хв", "/mute raid 0h"])
async def test_a_mute_of_no_length_is_no_mute_and_what_is_offered_instead_is_one(
    house: House, said: str
) -> None:
    reply = await house.hears(said)
    assert reply
    assert reply.message
    assert "no time at all" in reply.message.html
    for button in (button for row in reply.message.buttons for button in row):
        assert "I am silent until" in await house.says(button.command)


@pytest.mark.parametrize(
    ("said", "first", "command"),
    [
        ("/mute", "1 hour", "/mute 1h"),
        ("/mute starlink", "1 hour", "/mute starlink 1h"),
        ("/mute starlnk 1d", "Starlink", "/mute starlink 1d"),
        ("/unmute starlnk", "Starlink", "/unmute starlink"),
        ("/quiet", "22:00-07:00", "/quiet 22:00-07:00"),
        ("/quiet at night", "22:00-07:00", "/quiet 22:00-07:00"),
        ("/digest", "together, at every full hour", "/digest hourly"),
        ("/digest daily", "together, at every full hour", "/digest hourly"),
        ("/digest starlink", "together, at every full hour", "/digest starlink hourly"),
        ("/digest starlnk hourly", "Starlink", "/digest starlink hourly"),
        ("/silent", "🔔 Starlink", "/silent starlink"),
        ("/silent starlnk", "Starlink", "/silent starlink"),
        ("/silent starlnk off", "Starlink", "/silent starlink off"),
    ],
)
async def test_what_is_missing_or_misspelt_is_offered_as_a_button(
    house: House, said: str, first: str, command: str
) -> None:
    reply = await house.hears(said)
    assert reply
    assert reply.message
    button = reply.message.buttons[0][0]
    assert (button.label, button.command) == (first, command)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("/mute 2x", "/mute TOPIC 1d"),
        ("/mute 30", "/mute 30m is minutes"),
        ("/mute -1h", "“-1h” is neither a time"),
        ("/mute 1.5h", "“1.5h” is neither a time"),
        ("/mute wetch", "“wetch” is neither a time"),
        ("/digest daily 08:00 18:00", "“daily 08:00 18:00” is no way"),
        ("/mute 400d", "more than a year"),
        ("/quiet 7-7", "/quiet off"),
        ("/digest weekly", "/digest daily 08:00"),
        ("/silent zzzz", "You hear of: Starlink, Air raid, Culture"),
    ],
)
async def test_what_is_wrong_is_answered_with_what_is_right(house: House, said: str, right: str) -> None:
    for query in ("drone 30", "the hour", "a1"):
        await house.says(f"/watch {query}")
    assert right in await house.says(said)


async def test_a_topic_that_the_chat_does_not_hear_of_can_be_had_by_a_press(house: House) -> None:
    await house.says("/unsubscribe raid")
    pressed = await house.press("/mute raid 1h", "Hear of it")
    assert pressed.message
    assert "raid" in await house.subscribed()


async def test_who_hears_of_nothing_is_offered_the_topics(house: House) -> None:
    await house.says("/unsubscribe all")
    reply = await house.hears("/silent")
    assert reply
    assert "➕ Starlink" in labels(reply.message)


async def test_settings_outlive_a_restart(house: House, tmp_path: Path) -> None:
    await house.says("/mute starlink 1h")
    await house.says("/quiet 23-7")
    await house.says("/digest daily 08:00")
    before = await house.desk.chat(Request(1, "", 1, ""))
    await house.store.close()
    house.store = Store.open(tmp_path / "monitor.db")
    again = await house.store.read(partial(chats.get, chat_id=1))
    assert again == before
    wanted = await house.store.read(partial(chats.subscriptions, place=Place(1)))
    assert wanted["starlink"].muted == NOW + timedelta(hours=1)


async def test_a_press_on_how_long_mutes(house: House) -> None:
    pressed = await house.press("/mute", "2 hours")
    assert pressed.message
    assert "silent until 16:00" in plain(pressed.message.html)


async def test_a_press_on_how_long_mutes_all_the_topics_that_were_named(house: House) -> None:
    pressed = await house.press("/mute all", "2 hours")
    assert pressed.message
    assert "nothing on Starlink, Air raid, Culture until 16:00" in plain(pressed.message.html)
    await house.press("/digest all", "every full hour")
    shown = await house.says("/status")
    assert shown.count("silent until 16:00; together, at every full hour") == len(TOPICS)


async def test_the_end_of_a_mute_names_the_zone_to_a_chat_that_never_chose_one(house: House) -> None:
    assert "until 16:00," in await house.says("/mute 2h")
    await house.says("/timezone UTC")
    assert "until 14:00 (UTC)," in await house.says("/mute 2h")


async def test_a_press_on_the_unit_of_a_bare_number_mutes(house: House) -> None:
    pressed = await house.press("/mute 30", "30m")
    assert pressed.message
    assert "silent until 14:30" in plain(pressed.message.html)
    reply = await house.hears("/mute 400")
    assert reply
    assert labels(reply.message) == ["/mute 400m", "/mute 400h"]
