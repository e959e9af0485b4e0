"""The demo's own sources are real enough for the real readers, recent, and unchanged until they publish."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Config, parse
from monitor.demo.site import TYPES, Site, dated, names
from monitor.matching import Matcher
from monitor.model import Cursor, Item
from monitor.sources import poll
from monitor.sources.http import Http

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site(NOW) as open_site:
        yield open_site


def config(site: Site) -> Config:
    return parse(site.config(Path("demo.db")), path="demo.toml", packs={}, check_query=lambda *_: ())


async def read_all(site: Site) -> dict[str, tuple[Item, ...]]:
    async with Http(preview_url=site.url, per_host=10) as http:
        return {source.id: (await poll(http, source, Cursor())).items for source in config(site).sources}


async def test_the_config_names_every_sample_and_four_topics(site: Site) -> None:
    read = config(site)
    addresses = {source.address.rpartition("/")[2] for source in read.sources}
    assert addresses == {name.removesuffix(".html") for name in names()}
    assert {source.language for source in read.sources} == {"en", "uk", "ru"}
    assert sum(source.official for source in read.sources) == 2
    assert [topic.id for topic in read.topics] == ["starlink", "ceasefire", "energy-grid", "peace-talks"]
    assert read.telegram.preview_url == site.url
    assert read.warnings == ()


async def test_every_source_can_be_read_and_brings_news_when_it_publishes(site: Site) -> None:
    before = await read_all(site)
    site.publish()
    after = await read_all(site)
    for source_id, old in before.items():
        kept = {item.key: item for item in after[source_id]}
        assert len(old) >= 2
        assert len(kept) >= len(old) + 2
        assert all(kept[item.key] == item for item in old)


async def test_every_item_is_dated_within_the_last_hours_and_the_news_within_minutes(site: Site) -> None:
    before = {item.key for items in (await read_all(site)).values() for item in items}
    site.publish()
    for items in (await read_all(site)).values():
        for item in items:
            assert item.published is not None
            age = NOW - item.published
            assert timedelta(0) <= age < (timedelta(hours=8) if item.key in before else timedelta(minutes=20))


async def test_one_story_is_told_under_one_link_and_under_two_near_titles(site: Site) -> None:
    site.publish()
    items = await read_all(site)
    news, wire = items["example-news"], items["example-wire"]
    assert {item.url for item in news} & {item.url for item in wire}
    assert [item.title[:31] for item in wire][-1] == "President says he asked for one"


async def test_the_news_is_on_the_topics_that_it_tells_of_and_the_rest_is_on_none(site: Site) -> None:
    before = {item.key for items in (await read_all(site)).values() for item in items}
    site.publish()
    read, matcher = config(site), Matcher(config(site).topics)
    items = await read_all(site)
    news = [(source, item) for source in read.sources for item in items[source.id] if item.key not in before]
    told = [(source.id, match.topic_id) for source, item in news for match in matcher.match(item, source)]
    assert sorted(told) == [
        ("example-news", "ceasefire"),
        ("example-news", "peace-talks"),
        ("example-wire", "ceasefire"),
        ("example-wire", "peace-talks"),
        ("example-wire", "starlink"),
        ("minister", "starlink"),
        ("primer-novosti", "energy-grid"),
        ("pryklad-novyny", "ceasefire"),
        ("pryklad-novyny", "starlink"),
        ("rescue", "energy-grid"),
    ]


async def test_posts_are_edited_and_forwarded(site: Site) -> None:
    site.publish()
    posts = (await read_all(site))["rescue"]
    assert [post.edited for post in posts][-2:] == [True, False]
    assert posts[-1].forwarded_from == "Метеоцентр (зразок)"


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{site.url}/feeds/example-news.rss"
        async with session.get(url) as first:
            tag = first.headers["ETag"]
            assert first.content_type == TYPES[".rss"]
        async with session.get(url, headers={"If-None-Match": tag}) as again:
            assert (again.status, await again.read()) == (304, b"")
        assert (site.requests, site.unchanged) == (2, 1)
        site.publish()
        async with session.get(url, headers={"If-None-Match": tag}) as news:
            assert news.status == 200
            assert news.headers["ETag"] != tag


@pytest.mark.parametrize(
    "path", ["/feeds/none.rss", "/feeds/..%2Fdemo.toml", "/feeds/demo.toml", "/s/nobody", "/"]
)
async def test_nothing_else_is_served(site: Site, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{site.url}{path}") as answer:
        assert answer.status == 404


async def test_the_site_is_gone_when_it_is_closed() -> None:
    async with Site(NOW) as closed:
        url = closed.url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


@given(st.integers(0, 10_000))
def test_a_date_has_the_form_of_its_format(minutes: int) -> None:
    text = f"{{{{{minutes} minutes ago}}}} and {{{{other}}}}"
    moment = NOW - timedelta(minutes=minutes)
    assert dated(text, NOW, "x.atom") == f"{moment.isoformat()} and {{{{other}}}}"
    assert dated(text, NOW, "x.rss") == f"{moment:%a, %d %b %Y %H:%M:%S} +0000 and {{{{other}}}}"


def test_the_samples_name_no_address_but_those_kept_for_examples() -> None:
    for name in names():
        for state in ("before", "after"):
            text = (ROOT / "monitor" / "demo" / "samples" / state / name).read_text("utf-8")
            for known in ("http://www.w3.org/2005/Atom", "https://jsonfeed.org/version/1.1"):
                text = text.replace(known, "")
            hosts = {part.partition("/")[0] for part in text.split("://")[1:]}
            assert all(host.split(".")[-2] == "example" or host == "t.me" for host in hosts), hosts
