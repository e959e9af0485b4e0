"""One poll is one transaction: everything that it found is stored and queued, or nothing is."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import web
from aiohttp.web import Response
from builders import AT_ONCE, NOW, chat, source, topic
from fakes import FakeClock
from running import feed, page
from telegram_preview import Preview
from web import Web

from monitor import errors
from monitor.cadence import NEVER, Pace
from monitor.model import Delivery, Item, Match, Source
from monitor.pipeline import Outcome, Pipeline, Watch
from monitor.sources.http import Http
from monitor.sources.telegram_page import Known, was_passed
from monitor.store import Store, added, chats, claims, desk, items, notices, outbox, sources

STARLINK = topic("Starlink", id="starlink", name="Starlink")
RAID = topic("air raid", id="raid", name="Air raid", priority="urgent")
OLD = ("/0", "An old story on Starlink", "")
NEWS = ("/1", "Starlink terminals are switched off at the front", "")
ELSE = ("/2", "A museum opens its new wing", "")


class House:
    """A pipeline between a loopback host and a real database, with one chat that subscribed to all."""

    def __init__(self, web: Web, store: Store, http: Http, clock: FakeClock) -> None:
        self.web = web
        self.store = store
        self.clock = clock
        self.pipeline = Pipeline(store, http, self.clock, Pace(timedelta(minutes=2)))
        self.topics = {"starlink": STARLINK, "raid": RAID}
        self.watch = Watch(self.topics.values())

    def feed(self, name: str = "example", **facts: object) -> Source:
        return source(name, **{"address": self.web.url(f"/{name}"), **facts})

    def publish(self, *entries: tuple[str, str, str], name: str = "example") -> None:
        self.web.serve(f"/{name}", feed(*entries))

    async def poll(self, one: Source) -> Outcome:
        await self.store.write(partial(sources.declare, sources=[one]))
        return await self.pipeline.poll(one, self.watch)

    async def subscribe(self, chat_id: int = 1, topics: tuple[str, ...] = ("starlink", "raid")) -> None:
        await self.store.write(partial(chats.put, chat=chat(chat_id), now=NOW))
        await self.store.write(partial(chats.subscribe, chat_id=chat_id, topic_ids=topics, now=NOW))

    async def queued(self) -> list[tuple[int, str, str]]:
        sql = (
            "SELECT chat_id, priority, title || text AS words FROM outbox JOIN items ON items.id = item_id"
            " ORDER BY outbox.id"
        )
        rows = await self.store.read(lambda db: list(db.query(sql)))
        return [(row["chat_id"], row["priority"], row["words"]) for row in rows]


async def claimed(house: House) -> list[Delivery]:
    claim = await house.store.write(partial(claims.claim, now=house.clock.now(), terms=AT_ONCE))
    return list(claim.bundle)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    clock = FakeClock(NOW)
    async with Web() as web, Http(preview_url=web.url(""), clock=clock) as http:
        house = House(web, store, http, clock)
        await house.subscribe()
        yield house
    await store.close()


async def test_the_first_answer_is_the_baseline_and_alerts_nobody(house: House) -> None:
    house.publish(OLD)
    outcome = await house.poll(house.feed())
    assert (outcome.baseline, len(outcome.new), outcome.matched, outcome.queued) == (True, 1, 1, 0)
    assert await house.queued() == []


async def test_a_new_item_on_a_topic_is_queued_for_those_who_subscribed(house: House) -> None:
    await house.subscribe(2, ("raid",))
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(NEWS, ELSE, OLD)
    outcome = await house.poll(house.feed())
    assert (outcome.baseline, len(outcome.new), outcome.matched, outcome.queued) == (False, 2, 1, 1)
    assert await house.queued() == [(1, "normal", NEWS[1])]
    kept = [match.places for _, matches in outcome.new for match in matches]
    assert [type(places) for places in kept] == [tuple], "and not the item as it was read"


async def test_what_was_seen_is_not_new_again(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(NEWS, OLD)
    await house.poll(house.feed())
    house.publish(ELSE, NEWS, OLD)
    await house.poll(house.feed())
    assert len(await house.queued()) == 1


async def test_a_source_that_was_empty_at_first_alerts_of_its_first_item(house: House) -> None:
    house.publish()
    assert (await house.poll(house.feed())).baseline
    house.publish(NEWS)
    assert (await house.poll(house.feed())).queued == 1


async def test_a_fault_of_what_can_be_read_is_noted_once_and_shows_until_it_is_mended(house: House) -> None:
    one, whole = house.feed(), feed(NEWS, OLD)
    house.publish(OLD)
    await house.poll(one)
    house.web.serve("/example", whole.removesuffix("</rss>"))
    first = await house.poll(one)
    again = await house.poll(one)
    assert (first.queued, first.notes, again.notes) == (
        1,
        ("the document breaks off before its end",),
        (),
    )
    state = await house.store.read(partial(sources.state, source_id=one.id))
    assert (state.error, state.failures) == (*first.notes, 0)
    house.web.serve("/example", whole)
    await house.poll(one)
    state = await house.store.read(partial(sources.state, source_id=one.id))
    assert state.error is None


async def test_two_sources_with_one_story_make_one_message(house: House) -> None:
    house.publish(OLD)
    house.publish(OLD, name="other")
    await house.poll(house.feed())
    await house.poll(house.feed("other"))
    house.publish(NEWS)
    house.publish(("/other/9", NEWS[1] + ", officials say", ""), name="other")
    await house.poll(house.feed())
    await house.poll(house.feed("other"))
    assert len(await house.queued()) == 1


async def test_a_story_of_two_days_ago_is_told_anew(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(NEWS)
    await house.poll(house.feed())
    house.clock.advance(timedelta(days=2, seconds=1))
    house.publish(("/9", NEWS[1], ""))
    await house.poll(house.feed())
    assert len(await house.queued()) == 2


async def test_one_poll_with_two_reports_of_a_story_makes_one_message(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(NEWS, ("/1b", NEWS[1], "again"), OLD)
    assert (await house.poll(house.feed())).queued == 1


async def test_a_post_of_a_channel_goes_the_same_way(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua", official=True, language="uk")
    house.web.channel("ministry_ua", page("ministry_ua", (1, "Добрий ранок")))
    await house.poll(ministry)
    house.web.channel(
        "ministry_ua", page("ministry_ua", (1, "Добрий ранок"), (2, "Дрони зі Старлінками вимикають"))
    )
    await house.poll(ministry)
    assert await house.queued() == [(1, "normal", "Дрони зі Старлінками вимикають")]


@pytest.mark.parametrize(("longest", "at_once"), [(3600, True), (0, False)])
async def test_an_alert_is_stored_the_same_way_however_long_that_may_hold_up_the_event_loop(
    house: House, monkeypatch: pytest.MonkeyPatch, longest: int, *, at_once: bool
) -> None:
    put, threads, readers = outbox.put, set[int](), 3

    def noted(*args: Any, **facts: Any) -> bool:
        threads.add(threading.get_ident())
        return put(*args, **facts)

    for number in range(2, readers + 1):
        await house.subscribe(number)
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(NEWS, OLD)
    monkeypatch.setattr(outbox, "put", noted)
    monkeypatch.setattr(desk, "LONGEST", longest)
    assert (await house.poll(house.feed())).queued == readers
    assert (threads == {threading.get_ident()}) == at_once
    assert [chat_id for chat_id, _, _ in await house.queued()] == [*range(1, readers + 1)]


async def test_an_urgent_topic_is_queued_as_urgent(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Air raid alert in the capital", ""))
    await house.poll(house.feed())
    assert [priority for _, priority, _ in await house.queued()] == ["urgent"]


async def test_an_unchanged_source_is_asked_conditionally_and_stays_as_it_is(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    before = await house.store.read(partial(sources.state, source_id="example"))
    house.clock.advance(timedelta(minutes=2))
    outcome = await house.poll(house.feed())
    stored = await house.store.read(partial(sources.state, source_id="example"))
    assert stored == before  # it is written a moment later
    await house.pipeline.states.flush()
    after = await house.store.read(partial(sources.state, source_id="example"))
    assert outcome.new == ()
    assert "If-None-Match" in house.web.requests[-1].headers
    assert after == replace(
        before, polled=house.clock.now(), succeeded=house.clock.now(), next_poll=outcome.next_poll
    )


async def test_a_failure_is_told_counted_and_forgotten_after_a_success(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.web.status("/example", 503, {"Retry-After": "3600"})
    outcome = await house.poll(house.feed())
    assert "503" in outcome.error
    assert outcome.next_poll >= NOW + timedelta(hours=1)
    state = await house.store.read(partial(sources.state, source_id="example"))
    assert (state.failures, state.error, state.succeeded) == (1, outcome.error, NOW)
    house.publish(NEWS, OLD)
    assert (await house.poll(house.feed())).queued == 1
    state = await house.store.read(partial(sources.state, source_id="example"))
    assert (state.failures, state.error) == (0, None)


async def test_a_failure_is_forgotten_also_where_nothing_new_came_since(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.web.status("/example", 503)
    await house.poll(house.feed())
    house.publish(OLD)
    outcome = await house.poll(house.feed())
    assert (outcome.new, outcome.error) == ((), "")
    state = await house.store.read(partial(sources.state, source_id="example"))
    assert (state.failures, state.failing, state.error) == (0, None, None)


async def test_a_source_that_fails_at_first_has_its_baseline_with_the_first_answer(house: House) -> None:
    house.web.status("/example", 500)
    await house.poll(house.feed())
    house.publish(OLD)
    assert (await house.poll(house.feed())).baseline
    assert await house.queued() == []


async def test_a_poll_that_cannot_be_stored_is_as_if_it_had_not_been(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    before = await house.store.read(partial(sources.state, source_id="example"))
    house.publish(NEWS, ELSE, OLD)

    def full(*_: object, **__: object) -> None:
        raise errors.StoreUnwritable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "put", full)  # the last step of the transaction
        with pytest.raises(errors.StoreUnwritable):
            await house.poll(house.feed())
    assert await house.store.read(partial(sources.state, source_id="example")) == before
    assert (await house.store.read(partial(items.count_since, since=NOW)))[0] == 1
    assert (await house.poll(house.feed())).queued == 1


async def test_the_language_of_an_item_is_known_from_its_source_or_its_text(house: House) -> None:
    house.publish(("/1", "Сьогодні у столиці вимикають світло та воду", ""), ("/2", "Starlink", ""))
    outcome = await house.poll(house.feed())
    assert "uk" in {told.language for told, _ in outcome.new if told.title.startswith("Сьогодні")}
    outcome = await house.poll(house.feed("other", language="de"))
    house.publish(("/2", "Starlink", ""), name="other")
    outcome = await house.poll(house.feed("other", language="de"))
    assert [told.language for told, _ in outcome.new] == ["de"]


async def test_an_item_that_shows_a_bug_costs_its_matches_and_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    match = house.watch.match

    def buggy(told: Item, origin: Source | None = None) -> tuple[Match, ...]:
        if told.title == ELSE[1]:
            raise ValueError
        return match(told, origin)

    monkeypatch.setattr(house.watch, "match", buggy)
    house.publish(ELSE, NEWS, OLD)
    outcome = await house.poll(house.feed())
    assert (len(outcome.new), outcome.queued) == (2, 1)
    assert (await house.poll(house.feed())).new == ()


async def test_a_post_that_comes_back_into_view_is_stored_and_alerts_nobody(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    house.web.channel("ministry_ua", page("ministry_ua", (5, "one"), (7, "two")))
    await house.poll(ministry)
    old = "Старлінк, a post of last year"
    house.web.channel("ministry_ua", page("ministry_ua", (3, old), (5, "one"), (8, "Старлінк, new")))
    outcome = await house.poll(ministry)
    assert (len(outcome.new), outcome.matched, outcome.queued) == (2, 2, 1)


async def test_a_post_that_appears_among_those_that_were_seen_is_told(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    house.web.channel("ministry_ua", page("ministry_ua", (30, "one"), (32, "two"), (33, "three")))
    await house.poll(ministry)
    late = (31, "Старлінк, shown late")
    house.web.channel("ministry_ua", page("ministry_ua", (30, "one"), late, (32, "two"), (33, "three")))
    assert (await house.poll(ministry)).queued == 1
    assert (await house.poll(ministry)).queued == 0


def test_what_is_left_of_an_album_was_not_passed_over() -> None:
    known = {5: Known(5, ""), 30: Known(33, ""), 40: Known(40, "")}
    passed = [number for number in range(50) if was_passed(number, known)]
    assert passed == [*range(34, 40)]  # those between 5 and 30 were never on one page


async def test_many_posts_among_those_that_were_seen_are_those_of_another_channel(house: House) -> None:
    await house.subscribe()
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    house.web.channel("ministry_ua", page("ministry_ua", *((n, f"post {n}") for n in range(3, 63, 3))))
    await house.poll(ministry)
    others = ((n, f"Старлінк {n}" if n % 3 else f"post {n}") for n in range(40, 60))
    house.web.channel("ministry_ua", page("ministry_ua", *others))
    outcome = await house.poll(ministry)
    assert (len(outcome.new), outcome.queued) == (14, 0)


async def test_a_burst_of_posts_is_stored_in_order_each_once_and_told(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    channel = Preview(house.web, "ministry_ua")
    channel.post("Добрий ранок")
    await house.poll(ministry)
    for number in range(150):
        channel.album(f"Старлінк {number}", 3) if number % 5 == 0 else channel.post(f"Новина {number}")
    channel.delete(*range(40, 60))
    outcome = await house.poll(ministry)
    while outcome.next_poll == NOW:  # there is more: it is had at once
        outcome = await house.poll(ministry)
    stored = await house.store.read(lambda db: [row["text"] for row in db.query("SELECT * FROM items")])
    assert stored == channel.texts()
    told = [words for _, _, words in await house.queued()]
    assert told == [text for text in channel.texts() if text.startswith("Старлінк")]


async def test_what_stood_in_a_gap_is_told_when_it_comes_into_view(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    house.web.channel("ministry_ua", page("ministry_ua", (1, "one")))
    await house.poll(ministry)
    house.web.channel("ministry_ua", page("ministry_ua", (9, "nine")))
    outcome = await house.poll(ministry)
    assert outcome.notes == ("posts 2 to 8 are missing: they are asked for again",)
    house.web.channel("ministry_ua", page("ministry_ua", (5, "Старлінк, missed before"), (9, "nine")))
    assert (await house.poll(ministry)).queued == 1


async def matched(house: House) -> list[tuple[str, str]]:
    sql = "SELECT title, topic_id FROM matches JOIN items ON items.id = item_id ORDER BY items.id, topic_id"
    return [(row["title"], row["topic_id"]) for row in await house.store.read(lambda db: list(db.query(sql)))]


async def test_an_item_that_was_edited_so_that_it_matches_is_told(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/2", "A museum opens", ""), OLD)
    assert (await house.poll(house.feed())).queued == 0
    house.publish(("/2", "A museum opens with Starlink", ""), OLD)
    outcome = await house.poll(house.feed())
    assert (len(outcome.new), len(outcome.edited), outcome.queued) == (0, 1, 1)
    assert await house.queued() == [(1, "normal", "A museum opens with Starlink")]
    assert (await house.poll(house.feed())).edited == ()


async def test_an_item_of_the_baseline_that_is_edited_so_that_it_matches_is_told(house: House) -> None:
    house.publish(ELSE)
    await house.poll(house.feed())
    house.publish((ELSE[0], ELSE[1], "Starlink is there"))
    assert (await house.poll(house.feed())).queued == 1


async def test_an_edit_before_the_alert_was_sent_changes_what_will_be_sent(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", ""), OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off in the north", ""), OLD)
    assert (await house.poll(house.feed())).queued == 0
    [told] = await claimed(house)
    assert (told.alert.item.title, told.alert.changes) == ("Starlink is off in the north", ())
    assert told.alert.item.edited


async def delivered(house: House) -> list[Delivery]:
    """Take what goes next out of the outbox, as if it was sent, a while after the last poll."""
    house.clock.advance(timedelta(minutes=1))
    bundle = await claimed(house)
    for one in bundle:
        message, now = (one.chat.id, 77), house.clock.now()
        await house.store.write(partial(outbox.sent, delivery_ids=[one.id], message=message, now=now))
    return bundle


async def test_an_edit_of_what_was_told_updates_the_message_with_what_changed(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", "81 drones came"), OLD)
    await house.poll(house.feed())
    [first] = await delivered(house)
    assert (first.message_id, first.alert.changes) == (None, ())
    for title, text in [("Starlink is on", "82 drones came"), ("Starlink is on", "92 drones came")]:
        house.publish(("/1", title, text), OLD)
        await house.poll(house.feed())
    [again] = await delivered(house)
    assert (again.message_id, again.alert.item.text) == (77, "92 drones came")
    assert again.alert.changes == (("off", "on"), ("81", "92"))  # since it was told, both edits together
    house.publish(("/1", "Starlink is off", "81 drones came"), OLD)
    await house.poll(house.feed())
    [back] = await delivered(house)
    assert (back.alert.changes, back.alert.item.edited) == ((), True)
    assert await delivered(house) == []


async def test_a_story_goes_by_the_headlines_of_before_and_after_an_edit(house: House) -> None:
    before, after = (f"Starlink is off in {count} towns of the south" for count in ("two", "nine"))
    house.publish(OLD)
    house.publish(OLD, name="other")
    await house.poll(house.feed())
    await house.poll(house.feed("other"))
    for title in (before, after):
        house.publish(("/1", title, ""), OLD)
        await house.poll(house.feed())
    house.publish(("/2", after, ""), ("/3", before, ""), OLD, name="other")
    await house.poll(house.feed("other"))
    house.publish(("/4", after, ""), ("/1", after, ""), OLD)
    await house.poll(house.feed())
    assert len(await house.queued()) == 1
    house.clock.advance(timedelta(days=2, seconds=1))
    house.publish(("/5", after, ""), OLD)
    assert (await house.poll(house.feed())).queued == 1


async def test_an_edit_of_what_was_told_that_matches_no_more_says_so_in_its_message(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", ""), OLD)
    await house.poll(house.feed())
    await delivered(house)
    house.publish(("/1", "Everything is off", ""), OLD)
    await house.poll(house.feed())
    [again] = await delivered(house)
    assert ([one.id for one in again.alert.topics], again.alert.matches) == (["starlink"], ())
    assert again.alert.changes == (("Starlink", "Everything"),)


async def test_an_edit_before_the_alert_was_sent_may_change_its_topic(house: House) -> None:
    house.watch.add(topic("blackout", id="blackout"))
    await house.subscribe(topics=("starlink", "blackout"))
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", ""), OLD)
    await house.poll(house.feed())
    house.publish(("/1", "The blackout is over", ""), OLD)
    await house.poll(house.feed())
    [told] = await claimed(house)
    assert [one.id for one in told.alert.topics] == ["blackout"]


async def test_only_those_who_were_told_hear_what_changed(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", ""), OLD)
    await house.poll(house.feed())
    await delivered(house)
    await house.subscribe(2, ("raid",))
    house.publish(("/1", "Starlink is on, air raid", ""), OLD)
    await house.poll(house.feed())
    told = {one.chat.id: one.alert.changes for one in [*await delivered(house), *await delivered(house)]}
    assert told == {1: (("off", "on, air raid"),), 2: ()}


async def test_what_was_edited_while_its_source_moved_is_told_to_nobody(house: House) -> None:
    house.publish(OLD, ELSE)
    await house.poll(house.feed())
    house.publish(OLD, (ELSE[0], "Starlink in a museum", ""), name="elsewhere")
    outcome = await house.poll(replace(house.feed(), address=house.web.url("/elsewhere")))
    assert (outcome.baseline, len(outcome.edited), outcome.queued) == (True, 1, 0)


async def test_a_counter_in_a_text_does_not_touch_its_message_at_every_look(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", "0 comments"), OLD)
    await house.poll(house.feed())
    touched = [len(await delivered(house))]
    for count in range(1, 21):
        house.publish(("/1", "Starlink is off", f"{count} comments"), OLD)
        await house.poll(house.feed())
        touched.append(len(await delivered(house)))
    assert touched == [1] * 11 + [0] * 5 + [1] + [0] * 4


async def test_a_change_of_links_alone_is_no_reason_to_touch_a_message(house: House) -> None:
    def page_with(link: str) -> str:
        text = f'Starlink is off, see <a href="https://example.org/{link}">this</a>'
        return web.rss(web.rss_item("Starlink", text, guid="/1"), web.rss_item(OLD[1], guid=OLD[0]))

    house.publish(OLD)
    await house.poll(house.feed())
    house.web.serve("/example", page_with("a"))
    await house.poll(house.feed())
    await delivered(house)
    house.web.serve("/example", page_with("b"))
    outcome = await house.poll(house.feed())
    assert [one.links for one, _ in outcome.edited] == [("https://example.org/b",)]
    assert await delivered(house) == []


async def test_an_edit_that_matches_no_more_keeps_its_message_and_says_so(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off", ""), OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Nothing is off", ""), OLD)
    await house.poll(house.feed())
    assert await matched(house) == [(OLD[1], "starlink")]
    [told] = await claimed(house)
    assert (told.alert.matches, [one.id for one in told.alert.topics]) == ((), ["starlink"])
    assert told.alert.item.edited


async def test_an_edit_is_told_to_those_alone_who_did_not_hear_of_the_story(house: House) -> None:
    await house.subscribe(2, ("raid",))
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(("/1", "Starlink is off in the capital", ""), OLD)
    await house.poll(house.feed())
    await claimed(house)
    await house.subscribe(3, ("starlink",))  # after the story was told
    house.publish(("/1", "Starlink is off in the capital, air raid", ""), OLD)
    assert (await house.poll(house.feed())).queued == 1
    assert [chat_id for chat_id, _, _ in await house.queued()] == [1, 2]


async def test_views_and_the_word_edited_alone_are_no_edit(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    channel = Preview(house.web, "ministry_ua")
    number = channel.post("Добрий ранок")
    await house.poll(ministry)
    channel.edit(number, "Добрий ранок")
    assert (await house.poll(ministry)).edited == ()
    channel.edit(number, "Старлінк вимкнено")
    outcome = await house.poll(ministry)
    assert (len(outcome.edited), outcome.queued) == (1, 1)


async def test_what_was_edited_long_ago_or_with_everything_else_is_stored_and_not_told(house: House) -> None:
    dated = {"date": (NOW - timedelta(days=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")}

    def site(word: str) -> str:
        return web.rss(*(web.rss_item(f"Page {n}", word, guid=str(n), **dated) for n in range(20)))

    house.web.serve("/example", site("about"))
    await house.poll(house.feed())
    house.web.serve("/example", site("about Starlink"))
    outcome = await house.poll(house.feed())
    assert (len(outcome.edited), outcome.queued, len(await matched(house))) == (20, 0, 20)


async def test_ten_channels_that_forward_one_post_make_one_message_also_with_its_origin(house: House) -> None:
    origin = "https://t.me/Origin_ua/44?single"
    names = [f"channel_{n}" for n in range(10)]
    for name in ("origin_ua", *names):
        house.web.channel(name, page(name, (1, "Добрий ранок")))
        await house.poll(Source(name, name, "channel", name))
    forwards = [
        (name, 2, f"Старлінк {n} вимкнено, {'дуже ' * n} терміново", {"forwarded": ("Origin", origin)})
        for n, name in enumerate(names)
    ]
    for name, number, words, facts in [*forwards, ("origin_ua", 44, "Зовсім інший Старлінк", {})]:
        first = web.channel_post(name, 1, "Добрий ранок")
        house.web.channel(name, web.channel_page(name, first, web.channel_post(name, number, words, **facts)))
        await house.poll(Source(name, name, "channel", name))
    assert len(await house.queued()) == 1


async def test_the_admins_hear_once_of_posts_that_cannot_be_read_and_once_when_they_can(house: House) -> None:
    ministry = Source("ministry", "A ministry", "channel", "ministry_ua")
    house.web.channel("ministry_ua", page("ministry_ua", (1, "one")))
    await house.poll(ministry)
    house.web.channel("ministry_ua", page("ministry_ua", (9, "nine")))
    heard = []
    for look in range(20):
        if look == 12:
            house.web.serve(
                "/s/ministry_ua?before=9", page("ministry_ua", (1, "one"), (5, "five")), etag=False
            )
        await house.poll(ministry)
        heard.append(
            [(one.notice.phrase, one.notice.facts) for one in await house.store.read(notices.waiting)]
        )
    facts = {"source": "A ministry", "first": 2, "last": 8}
    assert heard[2] == []
    assert heard[3] == heard[11] == [("notice.missing", facts)]
    assert heard[19] == [("notice.missing", facts), ("notice.found", facts)]


async def test_a_source_that_was_moved_by_a_reload_while_it_was_read_begins_anew(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    moved = replace(house.feed(), address=house.web.url("/elsewhere"))

    async def reload_meanwhile(_: object) -> Response:
        await house.store.write(partial(sources.declare, sources=[moved]))
        return Response(text=feed(NEWS, OLD), content_type="application/rss+xml")

    house.web.answer("/example", reload_meanwhile)
    outcome = await house.pipeline.poll(house.feed(), house.watch)
    assert outcome.new == ()
    house.web.serve("/elsewhere", feed(NEWS))
    assert (await house.pipeline.poll(moved, house.watch)).baseline
    assert await house.queued() == []


async def test_an_etag_that_is_no_ascii_does_no_harm(house: House) -> None:
    async def answer(_: object) -> Response:
        body = feed(OLD)
        return Response(text=body, headers={"ETag": '"\udcff\u00e9"'}, content_type="application/rss+xml")

    house.web.answer("/example", answer)
    assert (await house.poll(house.feed())).error == ""


async def test_what_a_source_still_shows_is_seen_again_each_day(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.clock.advance(timedelta(days=2))
    house.publish(NEWS, OLD)
    await house.poll(house.feed())
    rows = await house.store.read(lambda db: db.execute("SELECT DISTINCT seen FROM items").fetchall())
    assert rows == [("2026-02-03T12:00:00.000000Z",)]


async def test_a_feed_that_says_it_is_gone_for_good_is_asked_no_more(house: House) -> None:
    house.web.status("/example", 410)
    outcome = await house.poll(house.feed(every=timedelta(seconds=1)))
    assert outcome.next_poll == NEVER
    state = (await house.store.read(sources.standings))["example"]
    assert (state.gone, state.failing, state.next_poll) == (True, NOW, NEVER)


async def test_a_channel_that_is_not_there_is_asked_for_ever_more_seldom_but_at_least_once_a_day(
    house: House,
) -> None:
    gone = source("gone", kind="channel", address="nobody_here", every=timedelta(minutes=1))
    house.pipeline._http.preview_url = house.web.url("")
    unknown = Path(__file__).parent / "data" / "channels" / "unknown.html"
    house.web.serve("/s/nobody_here", unknown.read_bytes(), content_type=web.HTML)
    waits = [(await house.poll(gone)).next_poll - NOW for _ in range(12)]
    assert waits[:3] == [timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=8)]
    assert waits[-1] == timedelta(days=1)


async def test_a_pause_that_a_host_asks_for_holds_for_all_its_sources_and_is_no_failure_of_theirs(
    house: House,
) -> None:
    house.publish(OLD, name="other")
    house.web.status("/example", 429, {"Retry-After": "600"})
    busy = await house.poll(house.feed())
    asked = len(house.web.requests)
    waits = await house.poll(house.feed("other", every=timedelta(seconds=1)))
    assert len(house.web.requests) == asked
    assert busy.next_poll >= NOW + timedelta(seconds=600)
    assert timedelta(seconds=590) < waits.next_poll - NOW <= timedelta(seconds=601)
    assert (busy.asked, waits.asked, waits.error) == (True, False, "")
    assert "asked for a pause" in waits.notes[0]
    states = await house.store.read(sources.standings)
    assert (states["example"].failures, states["other"].failures) == (1, 0)


async def test_what_ails_a_source_stays_known_while_its_host_rests(house: House) -> None:
    house.web.serve("/example", "<html><title>A page</title></html>", content_type=web.HTML)
    fault = (await house.poll(house.feed())).error
    house.web.status("/other", 429, {"Retry-After": "600"})
    await house.poll(house.feed("other"))
    waits = await house.poll(house.feed())
    assert "asked for a pause" in waits.notes[0]
    assert (await house.store.read(sources.standings))["example"].error == fault


async def test_a_move_for_good_is_noted_once(house: House) -> None:
    house.publish(OLD, name="new")
    house.web.redirect("/example", "/new", 301)
    first = await house.poll(house.feed())
    again = await house.poll(house.feed())
    assert first.notes == (f"moved for good to {house.web.url('/new')}",)
    assert again.notes == ()


async def test_who_gives_a_source_the_address_that_it_was_moved_to_misses_nothing(house: House) -> None:
    house.publish(OLD, name="new")
    house.web.redirect("/example", "/new", 301)
    await house.poll(house.feed())
    house.publish(NEWS, OLD, name="new")
    moved = await house.poll(house.feed(address=house.web.url("/new")))
    assert (moved.queued, moved.baseline) == (1, False)
    house.publish(("/9", "Starlink is back", ""), OLD, name="elsewhere")
    assert (await house.poll(house.feed(address=house.web.url("/elsewhere")))).baseline


async def test_what_was_stored_before_the_last_look_is_no_gap(house: House) -> None:
    now_and_then = (
        [("/1", "A museum", ""), ("/2", "A bridge", "")],
        [("/3", "A ferry", ""), ("/4", "A road", "")],
    )
    notes = []
    for entries in (*now_and_then, now_and_then[0]):
        house.publish(*entries)
        notes.append(" ".join((await house.poll(house.feed())).notes))
    assert notes == ["", "possible gap: nothing in it was known before", ""]


async def test_the_rhythm_of_a_source_is_learned_from_the_dates_of_its_items(house: House) -> None:
    hours = [format_datetime(NOW - timedelta(hours=2 * n)) for n in range(8)]
    dated = [web.rss_item(f"Item {n}", date=date) for n, date in enumerate(hours)]
    house.web.serve("/example", web.rss(*dated))
    await house.poll(house.feed())
    state = (await house.store.read(sources.standings))["example"]
    assert (state.newest, state.usual, state.longest) == (NOW, timedelta(hours=2), timedelta(hours=2))
    house.clock.advance(timedelta(hours=1))
    await house.poll(house.feed())
    assert (await house.store.read(sources.standings))["example"].usual == timedelta(hours=2)


async def test_failures_are_counted_from_the_first_and_forgotten_at_the_first_success(house: House) -> None:
    house.web.status("/example", 500)
    await house.poll(house.feed())
    house.clock.advance(timedelta(minutes=5))
    await house.poll(house.feed())
    state = (await house.store.read(sources.standings))["example"]
    assert (state.failures, state.failing) == (2, NOW)
    house.publish(OLD)
    outcome = await house.poll(house.feed())
    state = (await house.store.read(sources.standings))["example"]
    assert (state.failures, state.failing, state.error) == (0, None, None)
    assert outcome.next_poll - house.clock.now() <= timedelta(minutes=2) * 1.1


async def test_a_thousand_items_of_a_topic_at_once_are_all_stored_and_queued(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.publish(*((f"/{n}", f"Starlink report {n} from the front", "") for n in range(1, 900)))
    outcome = await house.poll(house.feed())
    assert (len(outcome.new), outcome.queued) == (899, 899)


async def test_a_story_is_known_by_the_links_of_all_its_reports(house: House) -> None:
    def wire(link: str, title: str) -> str:
        return web.rss(web.rss_item(title, link=link))

    for name in ("example", "second", "third"):
        house.publish(OLD, name=name)
        await house.poll(house.feed(name))
    house.web.serve("/example", wire("https://example.org/a", "Starlink terminals are off at the front"))
    house.web.serve("/second", wire("https://example.net/b", "Starlink terminals are off at the front"))
    house.web.serve("/third", wire("https://example.net/b", "What is known of Starlink by now"))
    queued = [(await house.poll(house.feed(name))).queued for name in ("example", "second", "third")]
    assert queued == [1, 0, 0]


async def test_the_wait_after_a_failure_counts_from_its_end(house: House) -> None:
    slow = timedelta(seconds=20)

    async def fail_late(_: object) -> Response:
        house.clock.advance(slow)
        return Response(status=500)

    house.web.answer("/example", fail_late)
    outcome = await house.poll(house.feed(every=timedelta(seconds=1)))
    assert outcome.next_poll == NOW + slow + timedelta(seconds=2)


RAID_AT = "Sun, 01 Feb 2026 10:00:00 GMT"


def entry(guid: str, title: str, link: str = "https://example.org/a", date: str = RAID_AT) -> str:
    return web.rss_item(title, guid=guid, link=link, date=date)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (entry("17", "Air raid"), entry("4711", "Air raid")),  # made up at each request
        (entry("17", "Air raid", date=""), entry("4711", "Air raid", date="")),
        (entry("https://example.org/a", "Air raid"), entry("https://example.org/?p=1", "Air raid")),
        (entry("17", "Air raid", "http://example.org/a"), entry("4711", "Air raid", "https://example.org/a")),
    ],
)
async def test_an_item_that_its_feed_names_anew_is_no_news(house: House, before: str, after: str) -> None:
    house.web.serve("/example", web.rss())
    await house.poll(house.feed())
    house.web.serve("/example", web.rss(before))
    assert (await house.poll(house.feed())).queued == 1
    house.clock.advance(timedelta(days=3))  # the story is not remembered any more
    for _ in range(2):
        house.web.serve("/example", web.rss(entry("new", "A museum", "https://example.org/b"), after))
        outcome = await house.poll(house.feed())
        assert outcome.queued == 0
    assert await house.store.read(lambda db: items.count_since(db, NOW)) == (2, 1)


async def test_a_version_that_is_counted_in_the_guid_is_an_edit(house: House) -> None:
    house.web.serve("/example", web.rss())
    await house.poll(house.feed())
    for version, title in enumerate(
        ("Air raid over", "Air raid over, two are hurt", "Air raid is over: 3 hurt")
    ):
        dated = f"Sun, 01 Feb 2026 10:0{version}:00 GMT"
        house.web.serve("/example", web.rss(entry(f"https://example.org/a#{version}", title, date=dated)))
        outcome = await house.poll(house.feed())
        assert (len(outcome.new), len(outcome.edited)) == ((0, 1) if version else (1, 0))
    assert len(await house.queued()) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([entry("1", "Air raid")], [entry("2", "Air raid", date="Sun, 01 Feb 2026 11:00:00 GMT")]),
        ([entry("1", "Air raid")], [entry("2", "Air raid, again")]),
        ([entry("1", "Air raid")], [entry("2", "Air raid"), entry("1", "Air raid")]),
        ([entry("1", "Air raid")], [entry("2", "Air raid"), entry("3", "Air raid, again")]),
        ([entry("1", "Air raid", "https://example.org")], [entry("2", "Air raid", "https://example.org")]),
    ],
)
async def test_a_link_alone_makes_no_two_items_one(house: House, before: list[str], after: list[str]) -> None:
    house.web.serve("/example", web.rss(*before))
    await house.poll(house.feed())
    house.web.serve("/example", web.rss(*after))
    assert len((await house.poll(house.feed())).new) == len({*after} - {*before})


@pytest.mark.parametrize("leave", [added.remove, partial(added.pause, since=NOW)])
async def test_nothing_is_told_of_a_source_that_was_removed_or_paused_while_it_was_read(
    house: House, leave: Callable[..., object]
) -> None:
    mine = house.feed(added_by="Olena")
    house.publish(OLD)
    await house.store.write(partial(added.add, new=[mine], now=NOW))
    await house.poll(mine)

    async def leave_meanwhile(_: object) -> Response:
        await house.store.write(partial(leave, source_id=mine.id))
        return Response(text=feed(NEWS, OLD), content_type="application/rss+xml")

    house.web.answer("/example", leave_meanwhile)
    outcome = await house.poll(mine)
    assert "paused, removed" in outcome.error
    assert await house.queued() == []
    house.publish(NEWS, OLD)
    await house.store.write(partial(added.pause, source_id=mine.id, since=None))
    if leave is added.remove:
        await house.store.write(partial(added.add, new=[mine], now=NOW))
    assert (await house.poll(mine)).queued == (leave is not added.remove)  # nothing, as it begins anew


async def test_the_look_at_an_unchanged_source_is_stored_a_moment_later_by_itself(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.clock.advance(timedelta(minutes=2))
    await house.poll(house.feed())
    await house.pipeline.states.close()
    after = await house.store.read(partial(sources.state, source_id="example"))
    assert after.polled == house.clock.now()


async def test_what_comes_after_a_look_that_is_not_yet_stored_is_stored(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.clock.advance(timedelta(minutes=2))
    await house.poll(house.feed())
    house.publish(OLD, NEWS)
    house.clock.advance(timedelta(minutes=2))
    outcome = await house.poll(house.feed())
    await house.pipeline.states.flush()
    after = await house.store.read(partial(sources.state, source_id="example"))
    assert (len(outcome.new), after.polled) == (1, house.clock.now())


async def test_a_state_in_memory_never_covers_one_that_began_anew_meanwhile(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    await house.store.write(partial(sources.forget, source_id="example"))
    house.publish(OLD, NEWS)
    refused = await house.poll(house.feed())
    anew = await house.poll(house.feed())
    assert (bool(refused.error), anew.baseline, anew.error) == (True, True, "")
    assert await house.queued() == []


async def test_a_look_that_is_written_during_the_next_poll_does_not_refuse_it(house: House) -> None:
    house.publish(OLD)
    await house.poll(house.feed())
    house.clock.advance(timedelta(minutes=2))
    await house.poll(house.feed())
    house.publish(OLD, NEWS)
    house.clock.advance(timedelta(minutes=2))
    kept = await house.pipeline.states.of(house.feed())
    await house.pipeline.states.flush()
    assert house.pipeline.states.stored(house.feed(), kept) == kept.state.polled


async def test_a_look_leaves_a_line_in_the_log_where_it_brought_something(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "monitor.pipeline")
    lines = []
    for published in ((OLD,), (OLD,), (NEWS, OLD)):
        house.publish(*published)
        await house.poll(house.feed())
        lines.append([record.message.partition(" new=")[2] for record in caplog.records])
        caplog.clear()
    assert lines == [["1 matched=1 queued=0 baseline=yes"], [], ["1 matched=1 queued=1"]]


@pytest.mark.parametrize(("late", "told"), [(10, 11), (11, 1)])
async def test_an_archive_that_a_feed_shows_at_once_is_no_news(house: House, late: int, told: int) -> None:
    def entry(name: str, age: timedelta) -> str:
        return web.rss_item(f"Starlink {name}", date=format_datetime(NOW - age))

    known = entry("known", timedelta(hours=1))
    archive = [entry(f"archived {number}", timedelta(days=9, hours=number)) for number in range(late)]
    house.web.serve("/example", web.rss(known))
    await house.poll(house.feed())
    house.web.serve("/example", web.rss(entry("new", timedelta(0)), known, *archive))
    outcome = await house.poll(house.feed())
    assert len(outcome.new) == late + 1
    assert outcome.queued == told
    hidden = late + 1 - told
    assert outcome.notes == ((f"published long ago, told to nobody: {hidden}",) if hidden else ())


async def test_what_a_feed_brought_while_nobody_looked_is_news(house: House) -> None:
    def entry(number: int) -> str:
        return web.rss_item(f"Starlink {number}", date=format_datetime(NOW - timedelta(hours=20 * number)))

    house.web.serve("/example", web.rss(entry(21)))
    await house.poll(house.feed())
    house.web.serve("/example", web.rss(*map(entry, range(22))))
    assert (await house.poll(house.feed())).queued == 21


async def test_a_page_of_maintenance_that_says_when_it_ends_is_left_alone_until_then(house: House) -> None:
    for one in (house.feed(), Source("ministry", "A ministry", "channel", "ministry_ua")):
        path = "/s/ministry_ua" if one.kind == "channel" else "/example"
        house.web.serve(path, "<html>sorry</html>", content_type="text/html", retry_after="7200")
        outcome = await house.poll(one)
        assert outcome.error
        assert outcome.next_poll >= NOW + timedelta(hours=2)
