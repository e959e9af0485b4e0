"""Admins hear of troubles and of their ends, each once, and never of single errors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import NOW, source
from hypothesis import given
from hypothesis import strategies as st

from monitor.health import CROWD, WHOLE, Told, check, is_silent, status_of
from monitor.model import Notice, SourceState

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def well(**facts: Any) -> SourceState:
    return SourceState(**{"polled": NOW, "succeeded": NOW, **facts})


def ill(failures: int = 9, lasts: timedelta = HOUR, **facts: Any) -> SourceState:
    usual = {"polled": NOW, "failures": failures, "failing": NOW - lasts, "error": "it answered 500"}
    return SourceState(**{**usual, **facts})


def silent(
    lasts: timedelta = 3 * DAY, usual: timedelta = 2 * HOUR, longest: timedelta | None = None
) -> SourceState:
    return well(newest=NOW - lasts, usual=usual, longest=longest or 3 * usual)


class Desk:
    """What admins hear as one look follows the other."""

    def __init__(self, *ids: str) -> None:
        self.sources = [source(source_id, name=source_id.title()) for source_id in ids or ("example",)]
        self.told: dict[str, Told] = {}
        self.retry: tuple[str, ...] = ()

    def look(self, *states: SourceState, now: datetime = NOW) -> list[Notice]:
        known = dict(zip((one.id for one in self.sources), states, strict=False))
        found = check(self.sources, known, self.told, now)
        self.told = {**self.told, **found.told}  # type: ignore[dict-item]
        self.told = {what: told for what, told in self.told.items() if told}
        self.retry = found.retry
        return list(found.notices)

    def hears(self, *states: SourceState, now: datetime = NOW) -> list[str]:
        return [one.phrase.removeprefix("notice.") for one in self.look(*states, now=now)]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SourceState(), "new"),
        (well(), "ok"),
        (well(newest=NOW - HOUR, usual=HOUR, longest=2 * HOUR), "ok"),
        (well(newest=NOW - 9 * HOUR, usual=HOUR, longest=2 * HOUR), "quiet"),
        (silent(), "silent"),
        (ill(1), "failing"),
        (ill(gone=True), "gone"),
    ],
)
def test_a_source_has_one_status(state: SourceState, status: str) -> None:
    assert status_of(source(), state, NOW) == status
    assert status_of(source(paused=True), state, NOW) == "paused"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (silent(3 * DAY, 2 * HOUR), True),
        (silent(21 * DAY, DAY), True),
        (silent(1.5 * DAY, 2 * HOUR), False),  # a long night
        (silent(5 * HOUR, MINUTE), False),  # never within a day
        (silent(2.6 * DAY, HOUR, longest=2.5 * DAY), False),  # there are weekends
        (silent(10 * DAY, 2 * DAY), False),
        (silent(12 * DAY, 2 * DAY), True),
        (well(newest=NOW - 99 * DAY), False),  # too little is known
    ],
)
def test_silence_is_measured_by_what_is_usual(state: SourceState, expected: bool) -> None:  # noqa: FBT001
    assert is_silent(state) is expected


def test_time_in_which_nobody_looked_is_no_silence() -> None:
    long_ago = NOW - 9 * DAY
    assert not is_silent(well(succeeded=long_ago, newest=long_ago, usual=HOUR, longest=HOUR))


def test_silence_is_told_once_and_so_is_its_end() -> None:
    desk = Desk()
    (notice,) = desk.look(silent())
    assert notice == Notice("notice.silent", {"source": "Example", "span": 3 * DAY, "usual": 2 * HOUR})
    assert desk.hears(silent()) == []
    later = NOW + DAY
    (notice,) = desk.look(well(succeeded=later, newest=later, usual=2 * HOUR, longest=DAY), now=later)
    assert notice == Notice("notice.speaks", {"source": "Example", "span": 4 * DAY})
    assert desk.hears(well()) == []


def test_a_failing_source_is_told_once_with_its_error_and_so_is_its_recovery() -> None:
    desk = Desk()
    (notice,) = desk.look(ill(5, 2 * MINUTE))
    assert notice == Notice(
        "notice.failing", {"source": "Example", "span": 2 * MINUTE, "error": "it answered 500"}
    )
    for failures in range(6, 30):
        assert desk.hears(ill(failures, failures * MINUTE)) == []
    (notice,) = desk.look(well(), now=NOW + HOUR)
    assert notice == Notice("notice.well", {"source": "Example", "span": HOUR + 2 * MINUTE})


@pytest.mark.parametrize(
    ("failures", "lasts", "told"),
    [
        (1, HOUR, False),
        (2, HOUR, False),
        (3, HOUR, True),
        (3, 14 * MINUTE, False),
        (4, 16 * MINUTE, True),
        (5, 62 * MINUTE / 60, True),
        (50, 59 * MINUTE / 60, False),
    ],
)
def test_a_hiccup_is_not_told(failures: int, lasts: timedelta, told: bool) -> None:  # noqa: FBT001
    assert bool(Desk().look(ill(failures, lasts))) is told


def test_a_source_that_comes_and_goes_is_told_of_less_often() -> None:
    desk = Desk()
    assert desk.hears(ill()) == ["failing"]
    assert desk.hears(well()) == ["well"]
    again = ill(9, failing=NOW + 5 * MINUTE)
    assert desk.hears(again, now=NOW + 10 * MINUTE) == []
    assert desk.hears(again, now=NOW + 21 * MINUTE) == ["failing"]
    assert desk.hears(well(), now=NOW + 22 * MINUTE) == ["well"]
    assert desk.hears(ill(9, failing=NOW + 2 * HOUR), now=NOW + 2 * HOUR + 2 * MINUTE) == ["failing"]


def test_a_source_that_is_gone_is_told_at_once_and_once() -> None:
    desk = Desk()
    assert desk.hears(ill(1, timedelta(0), gone=True)) == ["gone"]
    assert desk.hears(ill(2, DAY, gone=True)) == []
    assert desk.hears(well()) == ["well"]


def test_a_paused_source_and_one_that_left_are_not_spoken_of_and_not_remembered() -> None:
    desk = Desk("a", "b")
    assert desk.hears(ill(), ill()) == ["failing", "failing"]
    desk.sources = [source("a", paused=True)]
    assert desk.hears(well()) == []
    assert desk.told == {}


def test_when_most_sources_fail_together_that_is_one_notice_and_so_is_its_end() -> None:
    desk = Desk(*(f"source-{n}" for n in range(40)))
    (notice,) = desk.look(*[ill(5, 2 * MINUTE)] * 30, *[ill(1, MINUTE)] * 8, *[well()] * 2)
    assert notice.phrase == "notice.network"
    assert notice.facts["count"] == 38
    assert notice.facts["names"] == "Source-0, Source-1, Source-2, Source-3, Source-4…"
    for _ in range(5):
        assert desk.hears(*[ill(20, 2 * MINUTE)] * 39, well()) == []
    assert desk.hears(well(), *[ill(20, 2 * MINUTE)] * 37, well(), well(), now=NOW + HOUR) == ["online"]
    assert set(desk.retry) == {f"source-{n}" for n in range(1, 38)}
    assert desk.hears(*[well()] * 40, now=NOW + 3 * HOUR) == []
    assert desk.told == {}


def test_who_goes_on_failing_after_the_network_is_back_is_told_of() -> None:
    desk = Desk("a", "b", "c")
    later = NOW + HOUR
    assert desk.hears(ill(), ill(), ill()) == ["network"]
    assert desk.hears(well(), well(), ill(), now=later) == ["online"]
    assert desk.hears(well(), well(), ill(10, 2 * HOUR), now=later + MINUTE) == []
    assert desk.hears(well(), well(), ill(12, 2 * HOUR), now=later + 16 * MINUTE) == ["failing"]


def test_who_failed_before_the_network_did_keeps_its_wait() -> None:
    desk = Desk(*"abcd")
    assert desk.hears(ill(9, DAY), well(), well(), well()) == ["failing"]
    assert desk.hears(ill(10, DAY), *[ill(5, 2 * MINUTE)] * 3) == ["network"]
    assert desk.hears(ill(11, DAY), well(), *[ill(6, 2 * MINUTE)] * 2) == ["online"]
    assert desk.retry == ("c", "d")


def test_only_sources_that_were_looked_at_since_say_whether_it_is_the_network() -> None:
    before = NOW - HOUR
    desk = Desk(*"abcdefgh")
    assert desk.hears(*[ill(5, 2 * MINUTE)] * 3, *[well(polled=before, succeeded=before)] * 5) == ["network"]


def test_a_network_that_stays_away_for_a_day_hides_nothing_any_more() -> None:
    desk, later = Desk(*"abcd"), NOW + 2 * DAY
    assert desk.hears(*[ill(5, 2 * MINUTE)] * 4) == ["network"]
    assert desk.hears(*[ill(99, 2 * MINUTE)] * 4, now=later) == []
    assert desk.hears(*[ill(99, 2 * MINUTE)] * 4, now=later) == []
    assert desk.hears(well(), *[ill(99, 2 * MINUTE)] * 3, now=later) == ["well"]


def test_a_few_that_fail_among_many_are_told_of_by_name() -> None:
    desk = Desk("a", "b", "c", "d", "e", "f", "g", "h")
    assert desk.hears(ill(), ill(), ill(), *[well()] * 5) == ["failing"] * 3
    assert len(desk.told) == CROWD


@given(
    st.lists(
        st.lists(
            st.sampled_from([well(), ill(), ill(1, MINUTE), silent(), ill(gone=True)]), min_size=3, max_size=3
        ),
        max_size=30,
    )
)
def test_the_same_trouble_is_never_told_twice_in_a_row(looks: list[list[SourceState]]) -> None:
    desk = Desk("a", "b", "c")
    last: dict[object, str] = {}
    for number, states in enumerate(looks):
        for notice in desk.look(*states, now=NOW + number * 15 * MINUTE):
            about = notice.facts.get("source", WHOLE)
            assert last.get(about) != notice.phrase
            last[about] = notice.phrase
