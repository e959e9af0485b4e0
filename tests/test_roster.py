"""One list of sources: the config's first, then what admins added, each address once, each with an id."""

from __future__ import annotations

import re

import pytest
from builders import source
from hypothesis import given
from hypothesis import strategies as st

from monitor.roster import hidden, identity, known, merged, new_id

FEED = "https://example.org/feed.xml"


def added(source_id: str, address: str = FEED, **facts: object) -> object:
    return source(source_id, address=address, added_by="Olena", trusted=False, **facts)


def test_the_config_wins_where_an_added_source_has_its_id_or_its_address() -> None:
    configured = [source("one", address=FEED)]
    others = [
        added("one", "https://other.org/"),
        added("two", "http://www.EXAMPLE.org/feed.xml/"),
        added("three", FEED + "?x=1"),
    ]
    assert [one.id for one in merged(configured, others, ())] == ["one", "three"]
    assert merged(configured, others, ())[0].added_by is None
    assert hidden(configured, others) == ["one"]


def test_a_paused_source_stays_in_the_list_and_says_so() -> None:
    sources = merged([source("one")], [added("two")], {"two", "gone"})
    assert [(one.id, one.paused) for one in sources] == [("one", False), ("two", True)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/feed.xml", "http://example.org/feed.xml"),
        ("https://example.org", "https://www.Example.ORG:443/"),
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c"),
    ],
)
def test_two_spellings_of_one_address_are_one_source(one: str, other: str) -> None:
    assert identity("feed", one) == identity("feed", other)
    assert known("feed", other, [source(address=one)]) == source(address=one)


def test_addresses_that_may_lead_to_different_feeds_are_kept_apart() -> None:
    several = (
        "https://a.org/x",
        "https://a.org/X",
        "https://a.org/x?1",
        "https://a.org:81/x",
        "https://b.a.org/x",
    )
    assert len({identity("feed", address) for address in several}) == len(several)
    assert identity("channel", "ZeDigital") == identity("channel", "zedigital")


@pytest.mark.parametrize(
    ("kind", "address", "title", "taken", "wanted"),
    [
        ("channel", "V_Zelenskiy_official", "", (), "v-zelenskiy-official"),
        ("feed", "https://www.theguardian.com/world/rss", "World", (), "theguardian-com"),
        (
            "feed",
            "https://www.theguardian.com/rss",
            "World news",
            ("theguardian-com",),
            "theguardian-com-world-news",
        ),
        ("feed", "https://rss.com/x", "", (), "rss-com"),
        ("feed", "https://new.example/", "", ("new-example", "new-example-2"), "new-example-3"),
        ("feed", "https://пошта.укр/rss", "", (), "poshta-ukr"),
    ],
)
def test_the_id_of_a_new_source_comes_from_its_address(
    kind: str, address: str, title: str, taken: tuple[str, ...], wanted: str
) -> None:
    assert new_id(kind, address, title, taken) == wanted


@given(st.sampled_from(["feed", "channel"]), st.text(), st.text(), st.integers(0, 3))
def test_an_id_is_always_valid_and_never_taken(kind: str, address: str, title: str, copies: int) -> None:
    taken: set[str] = set()
    for _ in range(copies + 1):
        found = new_id(kind, address, title, taken)
        assert re.fullmatch(r"[a-z0-9-]{1,40}", found)
        assert found not in taken
        taken.add(found)
