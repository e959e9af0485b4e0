"""No more messages go out than Telegram takes, and nearly as many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from monitor.pacing import Limit, Limits

TELEGRAM = Limits.of(per_second=30, private_per_second=1, group_per_minute=20)


def sent(limit: Limit, seconds: float, late: float = 0) -> list[float]:
    """Return when messages go in so many seconds, if there is always one to send, each so late."""
    full, now, end, went = NOW, NOW, NOW + timedelta(seconds=seconds), []
    while now <= end:
        went.append((now - NOW).total_seconds())
        full = limit.spend(full, now)
        now = max(now, limit.ready(full)) + timedelta(seconds=late)
    return went


def most_within(went: list[float], seconds: float) -> int:
    return max(sum(start <= moment < start + seconds for moment in went) for start in went)


@pytest.mark.parametrize("late", [0, 0.001, 0.01])
def test_a_fan_out_runs_at_95_percent_of_the_limit_or_more_and_never_above_it(late: float) -> None:
    went = sent(TELEGRAM.overall, 60, late)
    assert 0.95 * 30 * 60 <= len(went) <= 30 * 60


def test_a_group_never_gets_more_than_20_messages_in_any_minute() -> None:
    went = sent(TELEGRAM.to(-100), 600)
    assert most_within(went, 60) <= 20
    assert len(went) > 0.8 * 200


def test_a_person_gets_a_short_burst_and_then_one_a_second() -> None:
    assert sent(TELEGRAM.to(7), 4) == [0, 0, 1, 2, 3, 4]


def test_a_limit_says_how_many_go_within_a_time() -> None:
    assert TELEGRAM.to(7).within(timedelta(seconds=10)) == 12


@given(st.integers(1, 1000), st.integers(1, 50), st.integers(1, 600))
def test_no_numbers_let_more_through_than_they_say(overall: int, private: int, group: int) -> None:
    limits = Limits.of(per_second=overall, private_per_second=private, group_per_minute=group)
    assert len(sent(limits.overall, 5)) <= 5 * overall + limits.overall.burst
    assert len(sent(limits.private, 5)) <= 5 * private + limits.private.burst + 1
    assert len(sent(limits.group, 60)) <= max(group, 1) + 1
