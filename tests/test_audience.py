"""Who hears what, and when."""

from __future__ import annotations

from datetime import timedelta

from builders import NOW, topic

from monitor.audience import due, hearings
from monitor.model import Match, Place

ANNA, BORYS = Place(1), Place(2)
TOPICS = {
    "starlink": topic("Starlink", id="starlink"),
    "raid": topic("raid", id="raid", priority="urgent"),
    "culture": topic("opera", id="culture", priority="low"),
}


def found(*topic_ids: str) -> list[Match]:
    return [Match(topic_id, 100, ()) for topic_id in topic_ids]


def test_only_those_who_subscribed_to_a_matching_topic_hear_of_it() -> None:
    heard = hearings(found("starlink"), TOPICS, {ANNA: {"starlink": False}, BORYS: {"raid": False}}, (), NOW)
    assert [(hearing.place, hearing.topic_ids) for hearing in heard] == [(ANNA, ("starlink",))]


def test_a_chat_is_told_a_story_once() -> None:
    assert hearings(found("starlink"), TOPICS, {ANNA: {"starlink": False}}, {ANNA}, NOW) == []


def test_a_story_of_two_topics_is_one_message_that_names_both() -> None:
    (heard,) = hearings(
        found("starlink", "raid"), TOPICS, {ANNA: {"raid": False, "starlink": False}}, (), NOW
    )
    assert heard.topic_ids == ("starlink", "raid")


def test_a_story_is_as_pressing_as_the_most_pressing_topic_that_the_chat_wants() -> None:
    listeners = {ANNA: {"culture": False, "raid": False}, BORYS: {"culture": False}}
    heard = hearings(found("culture", "raid"), TOPICS, listeners, (), NOW)
    assert [hearing.priority for hearing in heard] == ["urgent", "low"]
    assert [hearing.digest for hearing in heard] == [False, True]


def test_a_topic_that_the_config_has_no_more_is_not_told() -> None:
    assert hearings(found("gone"), TOPICS, {ANNA: {"gone": False}}, (), NOW) == []


def test_a_low_priority_waits_for_the_digest_of_the_next_full_hour() -> None:
    at_ten_past = NOW + timedelta(minutes=10)
    assert due("low", at_ten_past) == NOW + timedelta(hours=1)
    assert due("normal", at_ten_past) == due("urgent", at_ten_past) == at_ten_past


def test_topics_of_a_forum_hear_for_themselves() -> None:
    forum, thread = Place(-100), Place(-100, 7)
    heard = hearings(found("starlink"), TOPICS, {thread: {"starlink": False}}, {forum}, NOW)
    assert [hearing.place for hearing in heard] == [thread]


def test_a_story_is_silent_when_all_of_its_topics_are_silent_there() -> None:
    listeners = {
        ANNA: {"starlink": True, "raid": True},
        BORYS: {"starlink": True, "raid": False},
    }
    heard = hearings(found("starlink", "raid"), TOPICS, listeners, (), NOW)
    assert [hearing.silent for hearing in heard] == [True, False]
