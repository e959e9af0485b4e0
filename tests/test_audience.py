"""Who hears what, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from builders import NOW, chat, topic
from hypothesis import given
from hypothesis import strategies as st

from monitor.audience import hearings, held, release
from monitor.model import Chat, Listener, Match, Place, Priority, Quiet, Rhythm, Subscription

ANNA, BORYS = Place(1), Place(2)
TOPICS = {
    "starlink": topic("Starlink", id="starlink"),
    "raid": topic("raid", id="raid", priority="urgent"),
    "culture": topic("opera", id="culture", priority="low"),
}


def hears(*topic_ids: str, to: Chat | None = None, **facts: Any) -> Listener:
    return Listener(to or chat(), {topic_id: Subscription(**facts) for topic_id in topic_ids})


def found(*topic_ids: str) -> list[Match]:
    return [Match(topic_id, 100, ()) for topic_id in topic_ids]


def test_only_those_who_subscribed_to_a_matching_topic_hear_of_it() -> None:
    heard = hearings(found("starlink"), TOPICS, {ANNA: hears("starlink"), BORYS: hears("raid")}, (), NOW)
    assert [(hearing.place, hearing.topic_ids) for hearing in heard] == [(ANNA, ("starlink",))]


def test_a_chat_is_told_a_story_once() -> None:
    assert hearings(found("starlink"), TOPICS, {ANNA: hears("starlink")}, {ANNA}, NOW) == []


def test_a_story_of_two_topics_is_one_message_that_names_both() -> None:
    (heard,) = hearings(found("starlink", "raid"), TOPICS, {ANNA: hears("raid", "starlink")}, (), NOW)
    assert heard.topic_ids == ("starlink", "raid")


def test_a_story_is_as_pressing_as_the_most_pressing_topic_that_the_chat_wants() -> None:
    listeners = {ANNA: hears("culture", "raid"), BORYS: hears("culture")}
    heard = hearings(found("culture", "raid"), TOPICS, listeners, (), NOW)
    assert [hearing.priority for hearing in heard] == ["urgent", "low"]
    assert [hearing.digest for hearing in heard] == [False, True]


def test_a_topic_that_the_config_has_no_more_is_not_told() -> None:
    assert hearings(found("gone"), TOPICS, {ANNA: hears("gone")}, (), NOW) == []


def test_topics_of_a_forum_hear_for_themselves() -> None:
    forum, thread = Place(-100), Place(-100, 7)
    heard = hearings(found("starlink"), TOPICS, {thread: hears("starlink")}, {forum}, NOW)
    assert [hearing.place for hearing in heard] == [thread]


def test_a_story_is_silent_when_all_of_its_topics_are_silent_there() -> None:
    mixed = Listener(chat(), {"starlink": Subscription(silent=True), "raid": Subscription()})
    listeners = {ANNA: hears("starlink", "raid", silent=True), BORYS: mixed}
    heard = hearings(found("starlink", "raid"), TOPICS, listeners, (), NOW)
    assert [hearing.silent for hearing in heard] == [True, False]


AN_HOUR = timedelta(hours=1)
NIGHT = Quiet(time(23), time(7))
PLAIN = Subscription()


def kyiv(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of February, when Kyiv is two hours ahead of UTC."""
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC) - 2 * AN_HOUR


def test_a_low_priority_waits_for_the_digest_of_the_next_full_hour() -> None:
    at_ten_past = kyiv(1, 14, 10)
    assert release(chat(), PLAIN, "low", at_ten_past) == kyiv(1, 15)
    assert release(chat(), PLAIN, "normal", at_ten_past) == at_ten_past
    assert release(chat(), PLAIN, "urgent", at_ten_past) == at_ten_past


def test_a_low_priority_goes_with_the_digest_that_the_chat_chose() -> None:
    daily = Rhythm("daily", time(8))
    assert release(chat(rhythm=daily), PLAIN, "low", kyiv(1, 14, 10)) == kyiv(2, 8)
    assert release(chat(), Subscription(rhythm=Rhythm("off")), "low", kyiv(1, 14, 10)) == kyiv(1, 15)


def test_quiet_hours_hold_what_is_not_urgent_until_they_end() -> None:
    quiet = chat(quiet=NIGHT)
    assert release(quiet, PLAIN, "normal", kyiv(1, 23)) == kyiv(2, 7)
    assert release(quiet, PLAIN, "normal", kyiv(2, 6, 59)) == kyiv(2, 7)
    assert release(quiet, PLAIN, "low", kyiv(2, 3)) == kyiv(2, 7)
    assert release(quiet, PLAIN, "urgent", kyiv(2, 3)) == kyiv(2, 3)
    assert release(quiet, PLAIN, "normal", kyiv(2, 7)) == kyiv(2, 7)
    assert release(quiet, PLAIN, "normal", kyiv(2, 22, 59)) == kyiv(2, 22, 59)


def test_a_mute_holds_everything_until_it_ends_and_then_quiet_hours_hold_on() -> None:
    muted = chat(muted=kyiv(1, 23, 30), quiet=NIGHT)
    assert release(muted, PLAIN, "urgent", kyiv(1, 21)) == kyiv(1, 23, 30)
    assert release(muted, PLAIN, "normal", kyiv(1, 21)) == kyiv(2, 7)
    assert release(muted, PLAIN, "normal", kyiv(2, 12)) == kyiv(2, 12)


def test_a_muted_topic_holds_up_no_other_topic_of_the_story() -> None:
    one = {"starlink": Subscription(muted=NOW + AN_HOUR), "raid": Subscription()}
    (both,) = hearings(found("starlink", "raid"), TOPICS, {ANNA: Listener(chat(), one)}, (), NOW)
    assert (both.due, both.digest) == (NOW, False)
    (alone,) = hearings(found("starlink"), TOPICS, {ANNA: Listener(chat(), one)}, (), NOW)
    assert (alone.due, alone.digest) == (NOW + AN_HOUR, True)


def test_a_digest_of_a_topic_goes_before_that_of_the_chat() -> None:
    to = chat(rhythm=Rhythm("hourly"))
    daily, at_once = Subscription(rhythm=Rhythm("daily", time(8))), Subscription(rhythm=Rhythm("off"))
    assert release(to, PLAIN, "normal", kyiv(1, 14, 10)) == kyiv(1, 15)
    assert release(to, daily, "normal", kyiv(1, 14, 10)) == kyiv(2, 8)
    assert release(to, at_once, "normal", kyiv(1, 14, 10)) == kyiv(1, 14, 10)


def test_what_is_urgent_waits_for_no_digest_but_one_of_its_own_topic() -> None:
    to = chat(rhythm=Rhythm("hourly"))
    assert release(to, PLAIN, "urgent", NOW) == NOW
    assert release(to, Subscription(rhythm=Rhythm("hourly")), "urgent", NOW) == NOW + AN_HOUR


def test_a_digest_that_falls_into_quiet_hours_comes_when_they_end() -> None:
    to = chat(rhythm=Rhythm("daily", time(6)), quiet=NIGHT)
    assert release(to, PLAIN, "normal", kyiv(1, 14)) == kyiv(2, 7)


def test_a_mute_that_ends_with_a_digest_is_in_time_for_it() -> None:
    to = chat(rhythm=Rhythm("daily", time(8)), muted=kyiv(2, 8))
    assert release(to, PLAIN, "normal", kyiv(1, 14)) == kyiv(2, 8)
    assert release(to, PLAIN, "normal", kyiv(2, 8)) == kyiv(3, 8)


def test_what_is_due_is_held_by_mutes_and_quiet_hours_but_by_no_digest() -> None:
    daily = chat(rhythm=Rhythm("daily", time(8)), quiet=NIGHT)
    assert held(daily, [PLAIN], "normal", kyiv(1, 8)) is None
    assert held(daily, [PLAIN], "normal", kyiv(1, 23)) == kyiv(2, 7)
    assert held(daily, [PLAIN], "urgent", kyiv(1, 23)) is None
    muted = Subscription(muted=kyiv(2, 9))
    assert held(chat(), [muted], "urgent", kyiv(1, 23)) == kyiv(2, 9)
    assert held(chat(), [muted, PLAIN], "normal", kyiv(1, 23)) is None


@given(
    st.sampled_from(["urgent", "normal", "low"]),
    st.timedeltas(timedelta(), timedelta(days=400)),
    st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=3)),
    st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=3)),
    st.builds(Quiet, st.times(), st.times()).filter(lambda quiet: quiet.begin != quiet.end) | st.none(),
    st.sampled_from([Rhythm("off"), Rhythm("hourly"), Rhythm("daily", time(2, 30))]),
)
def test_what_is_released_is_held_by_nothing_any_more(  # noqa: PLR0913, PLR0917 -- all that may hold
    priority: Priority,
    later: timedelta,
    chat_muted: timedelta | None,
    topic_muted: timedelta | None,
    quiet: Quiet | None,
    rhythm: Rhythm,
) -> None:
    now = NOW + later
    to = chat(muted=chat_muted and now + chat_muted, quiet=quiet, rhythm=rhythm)
    one = Subscription(muted=topic_muted and now + topic_muted)
    due = release(to, one, priority, now)
    assert due >= now
    assert held(to, [one], priority, due) is None
