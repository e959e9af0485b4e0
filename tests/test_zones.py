"""A chat's time zone is found however people name it, without asking anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from builders import NOW
from fakes import BotApi
from hypothesis import given
from hypothesis import strategies as st
from test_commands import House, labels
from test_telegram_bot import ANNA, running

from monitor import zones
from monitor.model import Message, Reply, Request
from monitor.store import Store

JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("europe/kyiv", "Europe/Kyiv"),
        ("Kyiv", "Europe/Kyiv"),
        ("Київ", "Europe/Kyiv"),
        ("киев", "Europe/Kyiv"),
        ("Kiev", "Europe/Kyiv"),
        ("Calcutta", "Asia/Kolkata"),
        ("Нью-Йорк", "America/New_York"),
        ("new york", "America/New_York"),
        ("Ho Chi Minh", "Asia/Ho_Chi_Minh"),
        ("utc", "UTC"),
        ("+3", "Etc/GMT-3"),
    ],
)
def test_a_zone_is_named_by_its_name_its_city_or_its_offset(said: str, zone: str) -> None:
    assert zones.named(said) == zone


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Europe/Kyv", "Europe/Kyiv"),
        ("Kiyv", "Europe/Kyiv"),
        ("Kyiv, Ukraine", "Europe/Kyiv"),
        ("Londn", "Europe/London"),
        ("Варшва", "Europe/Warsaw"),
    ],
)
def test_a_misspelt_name_is_guessed(said: str, zone: str) -> None:
    assert zone in zones.suggestions(said)[:2]


@pytest.mark.parametrize("said", ["Ukraine", "україна", " Украина "])
def test_a_country_offers_its_zones_the_largest_first(said: str) -> None:
    assert zones.suggestions(said) == ["Europe/Kyiv", "Europe/Simferopol"]


@pytest.mark.parametrize("said", ["Mars", "nowhere", "Lviv", "us", "zzz"])
def test_what_is_spelt_like_no_zone_is_none_that_is_guessed(said: str) -> None:
    assert zones.suggestions(said) == []


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("50.45, 30.52", "Europe/Kyiv"),
        ("49.84 24.03", "Europe/Kyiv"),  # Lviv; Warsaw is nearer than Kyiv
        ("46.48 30.73", "Europe/Kyiv"),  # Odesa; Chisinau is nearer
        ("49.99 36.23", "Europe/Kyiv"),
        ("51.5 -0.12", "Europe/London"),
        ("52.52 13.40", "Europe/Berlin"),
        ("40.71 -74.0", "America/New_York"),
        ("-33.87 151.21", "Australia/Sydney"),
    ],
)
@pytest.mark.parametrize("now", [NOW, JULY])
def test_a_place_in_a_city_has_its_zone(place: str, zone: str, now: datetime) -> None:
    there = zones.spot(place)
    assert there
    assert zones.around(there, now) == [zone]


def test_a_place_near_a_border_may_be_in_either_zone() -> None:
    there = zones.spot("49.80 23.30")  # between Przemyśl and Lviv
    assert there
    assert set(zones.around(there, NOW)) == {"Europe/Warsaw", "Europe/Kyiv"}


@pytest.mark.parametrize("said", ["91 0", "0 181", "50.45", "50,45,30", "a b", "", "+3"])
def test_what_is_no_place_on_earth_is_told_apart(said: str) -> None:
    assert zones.spot(said) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_place_on_earth_has_a_zone(latitude: float, longitude: float) -> None:
    there = zones.spot(f"{latitude:.4f} {longitude:.4f}")
    assert there
    found = zones.around(there, NOW)
    assert 1 <= len(found) <= zones.MOST
    assert len({NOW.astimezone(ZoneInfo(zone)).utcoffset() for zone in found}) >= 1


@given(st.text(max_size=40))
def test_any_text_is_a_zone_or_none(text: str) -> None:
    zone = zones.named(text)
    assert zone is None or ZoneInfo(zone)
    assert all(ZoneInfo(one) for one in zones.suggestions(text))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = Store.open(tmp_path / "monitor.db")
    yield House(store)
    await store.close()


async def test_a_location_sets_the_zone_or_asks_what_the_clock_shows(house: House) -> None:
    assert "for Europe/Kyiv now; it is 14:00 there" in await house.says("/timezone 50.4501 30.5234")
    reply = await house.hears("/timezone 49.8000 23.3000")
    assert reply
    assert sorted(labels(reply.message)) == ["Europe/Kyiv · 14:00", "Europe/Warsaw · 13:00"]
    pressed = await house.press("/timezone 49.8000 23.3000", "Warsaw")
    assert pressed.message
    assert "Europe/Warsaw" in pressed.message.html


async def test_a_location_that_is_sent_in_private_is_taken_as_a_question_for_the_zone() -> None:
    asked: list[str] = []

    async def note(request: Request) -> Reply:
        asked.append(request.text)
        return Reply(Message("here"))

    async with BotApi() as api, running(api, note):
        api.user_says(ANNA, "", location={"latitude": 50.4501, "longitude": 30.5234})
        api.user_says(-5, "", user_id=ANNA, location={"latitude": 50.4501, "longitude": 30.5234})
        api.user_says(-5, "/help", user_id=ANNA)
        await api.wait_for(lambda: len(asked) == 2)
        await api.wait_for(2)
    assert asked == ["/timezone 50.4501 30.5234", "/help"]
