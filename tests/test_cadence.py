from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOW, item, source
from hypothesis import given
from hypothesis import strategies as st

from monitor.cadence import (
    CATCH_UP,
    LONGEST_BACKOFF,
    LONGEST_HINT,
    NEVER,
    Pace,
    Rhythm,
    after_pause,
    backoff,
    first_polls,
    logged,
    next_poll,
    rhythm,
    spread,
)
from monitor.model import Hints, SourceState
from monitor.pipeline import standing

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NO_HINTS = Hints()
DAY = 24 * HOUR
TWO_MINUTES = Pace(2 * MINUTE)


def wait(
    every: timedelta | None = None, *, source_id: str = "example", pace: Pace = TWO_MINUTES, **facts: Any
) -> timedelta:
    return next_poll(NOW, source=source(source_id, every=every), pace=pace, **facts) - NOW


def publishes(usual: timedelta, last: timedelta = timedelta(0)) -> Rhythm:
    return Rhythm(NOW - last, usual, 2 * usual)


@pytest.mark.parametrize("every", [SECOND, 7 * SECOND, MINUTE, 90 * MINUTE])
def test_what_is_given_is_kept_as_it_stands(every: timedelta) -> None:
    assert wait(every) == every
    assert wait(every, hints=Hints(max_age=6 * HOUR, ttl=6 * HOUR)) == every


def test_nothing_is_asked_more_often_than_once_a_second() -> None:
    assert wait(timedelta(0)) == SECOND


def test_the_default_is_spread_by_up_to_a_tenth() -> None:
    waits = {wait(source_id=f"source-{number}") for number in range(50)}
    assert len(waits) == 50
    assert all(2 * MINUTE <= each <= 132 * SECOND for each in waits)


def test_the_spread_is_the_same_tomorrow() -> None:
    assert wait() == wait()
    assert wait(source_id="guardian") == timedelta(seconds=121, microseconds=31_463)


def test_freshness_makes_the_default_longer_but_not_shorter() -> None:
    assert 10 * MINUTE <= wait(hints=Hints(max_age=10 * MINUTE)) <= 11 * MINUTE
    assert 20 * MINUTE <= wait(hints=Hints(max_age=10 * MINUTE, ttl=20 * MINUTE)) <= 22 * MINUTE
    assert wait(hints=Hints(max_age=SECOND)) == wait()
    assert wait(hints=Hints(ttl=48 * HOUR)) <= LONGEST_HINT * 1.1


def test_retry_after_wins_over_everything() -> None:
    assert wait(SECOND, hints=Hints(retry_after=2 * HOUR)) == 2 * HOUR
    assert wait(SECOND, hints=Hints(retry_after=30 * 24 * HOUR)) == 24 * HOUR
    assert wait(MINUTE, hints=Hints(retry_after=SECOND)) == MINUTE


def test_errors_double_the_wait_up_to_an_hour_and_success_ends_it() -> None:
    waits = [backoff(SECOND, failures) for failures in range(20)]
    assert waits[:5] == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND]
    assert waits[-1] == backoff(SECOND, 10**6) == LONGEST_BACKOFF
    assert wait(10 * SECOND, failures=3) == 80 * SECOND
    assert wait(SECOND, failures=0) == SECOND
    assert wait(2 * HOUR, failures=1) == 2 * HOUR


@given(
    every=st.none() | st.timedeltas(timedelta(0), timedelta(days=30)),
    failures=st.integers(0, 10**9),
    hint=st.none() | st.timedeltas(timedelta(0), timedelta(days=999)),
    source_id=st.text(),
)
def test_the_next_time_is_always_later_and_never_far_beyond_what_was_asked(
    every: timedelta | None, failures: int, hint: timedelta | None, source_id: str
) -> None:
    found = wait(every, hints=Hints(hint, hint, hint), failures=failures, source_id=source_id)
    assert SECOND <= found <= max(every or SECOND, timedelta(days=1))


@given(
    moments=st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)), max_size=60),  # noqa: DTZ001
    fastest=st.none() | st.timedeltas(SECOND, DAY),
    slowest=st.none() | st.timedeltas(SECOND, 9 * DAY),
)
def test_what_is_learned_stays_between_the_limits(
    moments: list[datetime], fastest: timedelta | None, slowest: timedelta | None
) -> None:
    pace = Pace(2 * MINUTE, fastest, slowest)
    known = rhythm(moment.replace(tzinfo=NOW.tzinfo) for moment in moments)
    low, high = pace.limits()
    assert low <= wait(pace=pace, known=known) <= high * 1.1


def test_a_source_without_a_rhythm_of_its_own_is_asked_as_the_config_says() -> None:
    every = Pace(2 * SECOND)
    assert 2 * SECOND <= wait(pace=every) <= 2.2 * SECOND
    for usual in (SECOND, MINUTE, 9 * DAY):  # also when it is busy or quiet
        assert 2 * SECOND <= wait(pace=every, known=publishes(usual)) <= 2.2 * SECOND


def test_a_busy_source_is_looked_at_more_often_and_a_quiet_one_less_as_far_as_the_config_allows() -> None:
    patient = Pace(2 * MINUTE, fastest=10 * SECOND, slowest=30 * MINUTE)
    assert 10 * SECOND <= wait(known=publishes(SECOND), pace=patient) <= 11 * SECOND
    assert MINUTE <= wait(known=publishes(4 * MINUTE), pace=patient) <= 1.1 * MINUTE
    assert 15 * MINUTE <= wait(known=publishes(HOUR), pace=patient) <= 17 * MINUTE
    assert 30 * MINUTE <= wait(known=publishes(DAY), pace=patient) <= 33 * MINUTE


@pytest.mark.parametrize(
    ("pace", "limits"),
    [
        (Pace(2 * MINUTE), (2 * MINUTE, 2 * MINUTE)),
        (Pace(2 * MINUTE, fastest=30 * SECOND), (30 * SECOND, 2 * MINUTE)),
        (Pace(2 * MINUTE, slowest=HOUR), (2 * MINUTE, HOUR)),
        (Pace(2 * MINUTE, fastest=5 * MINUTE), (5 * MINUTE, 5 * MINUTE)),
        (Pace(2 * MINUTE, slowest=MINUTE), (MINUTE, MINUTE)),
    ],
)
def test_a_limit_that_is_not_given_is_the_default(pace: Pace, limits: tuple[timedelta, timedelta]) -> None:
    assert pace.limits() == limits


def test_a_busy_source_that_sleeps_is_looked_at_less_often_until_it_wakes() -> None:
    awake, asleep = publishes(MINUTE, MINUTE), publishes(MINUTE, 8 * HOUR)
    patient = Pace(2 * MINUTE, fastest=SECOND, slowest=HOUR)
    assert wait(known=awake, pace=patient) < MINUTE
    assert 12 * MINUTE <= wait(known=asleep, pace=patient) <= 14 * MINUTE


def test_a_source_that_may_have_dropped_items_is_looked_at_as_often_as_allowed() -> None:
    assert 30 * SECOND <= wait(known=publishes(DAY), missed=True) <= 33 * SECOND
    assert 2 * SECOND <= wait(pace=Pace(2 * SECOND), missed=True) <= 3 * SECOND
    assert wait(pace=Pace(HOUR, fastest=MINUTE), missed=True) <= 1.1 * MINUTE
    assert wait(missed=True, hints=Hints(max_age=HOUR)) <= 33 * SECOND
    assert wait(5 * MINUTE, missed=True) == 5 * MINUTE  # what is given stands


def test_a_ttl_does_not_hold_against_what_the_source_does() -> None:
    assert wait(hints=Hints(ttl=HOUR)) >= HOUR
    assert 10 * MINUTE <= wait(known=publishes(10 * MINUTE), hints=Hints(ttl=HOUR)) <= 11 * MINUTE


def test_a_rhythm_takes_a_few_items_and_is_the_middle_of_the_gaps() -> None:
    assert rhythm([]) == Rhythm()
    assert rhythm([NOW] * 20) == Rhythm(NOW)
    assert rhythm(NOW - n * HOUR for n in range(5)) == Rhythm(NOW)
    nights = [NOW - day * DAY - n * HOUR for day in range(3) for n in range(8)]
    assert rhythm(reversed(nights)) == Rhythm(NOW, HOUR, 17 * HOUR)


def due(states: dict[str, SourceState], *these: Any, revive: bool = False) -> dict[str, timedelta]:
    found = first_polls(these or [source()], states, now=NOW, pace=TWO_MINUTES, revive=revive)
    return {key: at - NOW if at != NEVER else DAY for key, at in found.items()}


def test_at_a_start_a_source_is_due_when_its_last_look_said_but_not_later_than_its_rhythm_of_today() -> None:
    assert due({"example": SourceState(next_poll=NOW + MINUTE)}) == {"example": MINUTE}
    assert due({"example": SourceState(next_poll=NOW + HOUR)}) == {"example": 2 * MINUTE}
    assert due({"example": SourceState(next_poll=NOW + HOUR, failures=3)}) == {"example": HOUR}
    assert due({"example": SourceState(next_poll=NOW + HOUR, error="a pause")}) == {"example": HOUR}
    assert due({"example": SourceState(next_poll=NOW + 900 * DAY, failures=3)}) == {"example": DAY}
    assert due({}, source(every=SECOND))["example"] < SECOND


def test_what_has_ended_stays_so_until_somebody_asks_for_it() -> None:
    ended = {"example": SourceState(next_poll=NEVER, failures=1, gone=True)}
    assert due(ended) == {"example": DAY}
    assert due(ended, revive=True)["example"] < SECOND


def test_many_that_are_overdue_are_spread_and_few_are_not_kept_waiting() -> None:
    few = [source(f"source-{n}") for n in range(10)]
    assert max(due({}, *few).values()) <= timedelta(seconds=10 / CATCH_UP)
    many = [source(f"source-{n}", every=5 * MINUTE if n else SECOND) for n in range(10_000)]
    waits = due({}, *many)
    assert waits["source-0"] <= SECOND
    seconds = Counter(int(found.total_seconds()) for found in waits.values())
    assert max(seconds.values()) < 2 * CATCH_UP
    assert spread(source(), 10**9) <= 5 * MINUTE


def test_after_a_pause_the_sources_of_a_host_do_not_come_as_one() -> None:
    waits = [after_pause(NOW, source(f"source-{n}"), MINUTE) - NOW for n in range(100)]
    assert MINUTE <= min(waits) < max(waits) <= 2 * MINUTE
    assert len(set(waits)) == 100
    assert after_pause(NOW, source(every=SECOND), MINUTE) - NOW <= MINUTE + SECOND
    assert after_pause(NOW, source(), timedelta(0)) - NOW >= SECOND


def test_a_rhythm_is_learned_again_every_ten_minutes_and_the_newest_item_known_at_once() -> None:
    before = [NOW - hours * HOUR for hours in range(1, 9)]
    first = standing.learned(SourceState(), before, [item(published=NOW)], NOW)
    assert first == (Rhythm(NOW, HOUR, HOUR), NOW)
    state = SourceState(newest=NOW, usual=HOUR, longest=HOUR, learned=NOW)
    assert not standing.is_to_learn(state, NOW + 9 * MINUTE)
    assert standing.is_to_learn(state, NOW + 10 * MINUTE)
    assert standing.is_to_learn(SourceState(newest=NOW, learned=NOW), NOW)  # too little is known yet
    soon = standing.learned(state, None, [item(published=NOW + MINUTE)], NOW + MINUTE)
    assert soon == (Rhythm(NOW + MINUTE, HOUR, HOUR), NOW)
    late = standing.learned(state, None, [item(published=NOW - DAY)], NOW + MINUTE)
    assert late == first


def test_the_log_says_in_utc_and_to_the_second_when_a_source_is_looked_at_again() -> None:
    assert logged(NOW + timedelta(seconds=1.25)) == "2026-02-01T12:00:01Z"
    assert logged(NEVER) == "never"
