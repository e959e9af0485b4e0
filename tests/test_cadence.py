from __future__ import annotations

from datetime import timedelta

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from monitor.cadence import LONGEST_BACKOFF, LONGEST_HINT, backoff, next_poll
from monitor.model import Hints

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NO_HINTS = Hints()


def wait(
    every: timedelta | None = None, *, hints: Hints = NO_HINTS, failures: int = 0, source_id: str = "example"
) -> timedelta:
    found = next_poll(
        NOW, source_id=source_id, every=every, default=2 * MINUTE, hints=hints, failures=failures
    )
    return found - NOW


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
