"""Clock times mean the same on every day, also on those when the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.hours import following, instant, is_off, parse_quiet, parse_rhythm, quiet_end, zone
from monitor.model import Quiet, Rhythm

KYIV = ZoneInfo("Europe/Kyiv")  # 2026: forward on 29 March at 03:00, back on 25 October at 04:00
NIGHT = Quiet(time(23), time(7))
ZONES = st.sampled_from(
    ["Europe/Kyiv", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]
).map(ZoneInfo)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=7000)).map(datetime(2011, 1, 1, tzinfo=UTC).__add__)
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
QUIETS = st.builds(Quiet, CLOCKS, CLOCKS).filter(lambda quiet: quiet.begin != quiet.end)
SECOND = timedelta(seconds=1)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_time_that_the_clock_skips_is_the_moment_of_the_change() -> None:
    assert instant(date(2026, 3, 29), time(3, 30), KYIV) == utc(3, 29, 1)
    assert instant(date(2026, 3, 29), time(4), KYIV) == utc(3, 29, 1)
    assert instant(date(2026, 3, 29), time(2, 59), KYIV) == utc(3, 29, 0, 59)


def test_a_time_that_the_clock_shows_twice_is_the_first_of_the_two() -> None:
    assert instant(date(2026, 10, 25), time(3, 30), KYIV) == utc(10, 25, 0, 30)
    assert instant(date(2026, 10, 25), time(4), KYIV) == utc(10, 25, 2)


def test_quiet_hours_end_by_the_clock_in_summer_and_in_winter() -> None:
    assert quiet_end(NIGHT, utc(1, 10, 1), KYIV) == utc(1, 10, 5)
    assert quiet_end(NIGHT, utc(7, 10, 1), KYIV) == utc(7, 10, 4)
    assert quiet_end(NIGHT, utc(3, 28, 22), KYIV) == utc(3, 29, 4)  # a night that is an hour shorter
    assert quiet_end(NIGHT, utc(10, 24, 22), KYIV) == utc(10, 25, 5)  # and one that is longer


def test_quiet_hours_that_end_at_a_skipped_time_end_with_the_change() -> None:
    quiet = Quiet(time(23), time(3, 30))
    assert quiet_end(quiet, utc(3, 29, 0, 59), KYIV) == utc(3, 29, 1)
    assert quiet_end(quiet, utc(3, 29, 1), KYIV) is None


def test_quiet_hours_that_end_at_a_repeated_time_end_once() -> None:
    quiet = Quiet(time(23), time(3, 30))
    assert quiet_end(quiet, utc(10, 25, 0, 29), KYIV) == utc(10, 25, 0, 30)
    assert [quiet_end(quiet, utc(10, 25, 0, 30) + timedelta(minutes=m), KYIV) for m in (0, 40, 80)] == [
        None
    ] * 3


def test_quiet_hours_by_day_are_not_over_midnight() -> None:
    siesta = Quiet(time(13), time(15))
    assert quiet_end(siesta, utc(1, 10, 12), KYIV) == utc(1, 10, 13)
    assert quiet_end(siesta, utc(1, 10, 13), KYIV) is None
    assert quiet_end(siesta, utc(1, 10, 1), KYIV) is None


@given(QUIETS, MOMENTS, ZONES)
def test_the_end_of_quiet_is_the_first_instant_at_which_the_clock_is_there(
    quiet: Quiet, now: datetime, where: ZoneInfo
) -> None:
    end = quiet_end(quiet, now, where)
    if end is None:
        return
    assert now < end <= now + timedelta(hours=26) or where.key == "Pacific/Apia"  # it left out a whole day
    shown, before = (moment.astimezone(where).replace(tzinfo=None) for moment in (end, end - SECOND))
    candidates = [datetime.combine(shown.date() - timedelta(days=back), quiet.end) for back in (0, 1)]
    assert any(before < candidate <= shown or shown == candidate for candidate in candidates)
    assert end.microsecond == 0


@given(QUIETS, MOMENTS)
def test_a_zone_without_changes_is_quiet_exactly_between_the_two_times(quiet: Quiet, now: datetime) -> None:
    clock, (begin, end) = now.time(), quiet
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    assert (quiet_end(quiet, now, ZoneInfo("UTC")) is not None) == inside


@given(MOMENTS, ZONES)
def test_an_hourly_digest_comes_when_the_clock_shows_a_full_hour(now: datetime, where: ZoneInfo) -> None:
    due = following(Rhythm("hourly"), now, where)
    assert now < due <= now + timedelta(hours=1, minutes=30)
    shown = due.astimezone(where)
    assert (shown.minute, shown.second, shown.microsecond) == (0, 0, 0)


@given(CLOCKS, MOMENTS, ZONES)
def test_a_daily_digest_comes_on_every_day_once(at: time, now: datetime, where: ZoneInfo) -> None:
    rhythm = Rhythm("daily", at)
    due = [now]
    for _ in range(5):
        due.append(following(rhythm, due[-1], where))
    days = [moment.astimezone(where).date() for moment in due[1:]]
    assert all(earlier < later for earlier, later in pairwise(due))
    assert (
        all((later - earlier).days == 1 for earlier, later in pairwise(days)) or where.key == "Pacific/Apia"
    )


def test_a_daily_digest_at_a_skipped_time_comes_with_the_change_and_at_a_repeated_one_once() -> None:
    half_past_three = Rhythm("daily", time(3, 30))
    assert following(half_past_three, utc(3, 28, 12), KYIV) == utc(3, 29, 1)
    assert following(half_past_three, utc(10, 25, 0, 30), KYIV) == utc(10, 26, 1, 30)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("23:00-07:00", "23:00-07:00"),
        ("23-7", "23:00-07:00"),
        (" 22.30 – 6 ", "22:30-06:00"),
        ("9:05 to 17:00", "09:05-17:00"),
        ("23 до 7", "23:00-07:00"),
        ("23:00 07:00", "23:00-07:00"),
        ("20-24:00", "20:00-00:00"),
    ],
)
def test_quiet_hours_are_read_as_people_write_them(said: str, meant: str) -> None:
    assert str(parse_quiet(said)) == meant


@pytest.mark.parametrize(
    "said", ["", "23", "25-7", "23:60-7", "7-7", "23:00-07:00-08:00", "a-b", "٢٣-٧", "237"]
)
def test_what_are_no_quiet_hours_is_told_apart(said: str) -> None:
    assert parse_quiet(said) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("off", "off"),
        ("Hourly", "hourly"),
        ("щогодини", "hourly"),
        ("daily 08:00", "daily 08:00"),
        ("щодня 8", "daily 08:00"),
        ("ежедневно  7.30", "daily 07:30"),
        ("8:00", "daily 08:00"),
    ],
)
def test_a_rhythm_is_read_as_people_write_it(said: str, meant: str) -> None:
    assert str(parse_rhythm(said)) == meant


@pytest.mark.parametrize("said", ["", "daily", "daily 25:00", "hourly 8:00", "off 8", "weekly", "daily noon"])
def test_what_is_no_rhythm_is_told_apart(said: str) -> None:
    assert parse_rhythm(said) is None


@given(QUIETS, CLOCKS)
def test_what_is_written_is_read_again(quiet: Quiet, at: time) -> None:
    assert parse_quiet(str(quiet)) == quiet
    for rhythm in (Rhythm("off"), Rhythm("hourly"), Rhythm("daily", at)):
        assert parse_rhythm(str(rhythm)) == rhythm


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    quiet, rhythm = parse_quiet(text), parse_rhythm(text)
    assert quiet is None or parse_quiet(str(quiet)) == quiet
    assert rhythm is None or parse_rhythm(str(rhythm)) == rhythm
    assert is_off(text) in {True, False}


@pytest.mark.parametrize("name", ["Nowhere/Land", "", "/etc", "Europe", "\0"])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert zone(name).key == "UTC"
