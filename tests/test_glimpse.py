"""What stands at an address that somebody names, over real HTTP; never on a private address."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from web import HTML, Web, channel_page, channel_post, rss, rss_item

from monitor.errors import MonitorError
from monitor.sources import FeedLink, look
from monitor.sources.discovery import discover
from monitor.sources.http import Http

PAGE = """<!DOCTYPE html><html><head><title>News</title>
<link rel="stylesheet" href="/x.css">
<link rel="alternate" hreflang="uk" href="/uk/">
<LINK REL='Alternate home' TYPE='application/rss+xml; charset=utf-8' TITLE='All &amp; more' HREF='/rss'>
<link rel="alternate" type="application/atom+xml" href="atom.xml">
<link rel="alternate" type="application/rss+xml" href="/rss">
<link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">
</head><body></body></html>"""


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as web:
        yield web


@pytest.fixture
async def http(web: Web) -> AsyncIterator[Http]:
    async with Http(preview_url=web.url(""), allow_private_hosts=["127.0.0.1"]) as http:
        yield http


async def test_a_feed_is_shown_with_its_title_and_its_entries(web: Web, http: Http) -> None:
    web.serve("/feed", rss(rss_item("Two"), rss_item("One"), title="Example & News"))
    seen = await look(http, "feed", web.url("/feed"))
    assert (seen.kind, seen.title, seen.address) == ("feed", "Example & News", web.url("/feed"))
    assert [item.title for item in seen.items] == ["One", "Two"]


async def test_a_json_feed_has_a_title_too(web: Web, http: Http) -> None:
    web.serve("/feed", '{"version": "https://jsonfeed.org/version/1.1", "title": "Example", "items": []}')
    assert (await look(http, "feed", web.url("/feed"))).title == "Example"


async def test_a_feed_that_has_moved_for_good_is_read_where_it_is_now(web: Web, http: Http) -> None:
    web.serve("/new", rss(rss_item("One")))
    web.redirect("/old", "/new", 301)
    web.redirect("/detour", "/new", 302)
    assert (await look(http, "feed", web.url("/old"))).address == web.url("/new")
    assert (await look(http, "feed", web.url("/detour"))).address == web.url("/detour")


async def test_a_page_is_shown_as_the_feeds_that_it_names(web: Web, http: Http) -> None:
    web.serve("/", PAGE, content_type=HTML)
    seen = await look(http, "feed", web.url("/"))
    assert seen.kind == "page"
    assert seen.feeds == (FeedLink(web.url("/rss"), "All & more"), FeedLink(web.url("/atom.xml")))


async def test_a_channel_is_shown_with_its_name_and_its_posts(web: Web, http: Http) -> None:
    page = channel_page("example", channel_post("example", 1, "One"))
    head = '<meta property="og:title" content="Приклад &amp; канал">'
    web.channel("example", page.replace("</head>", f"{head}</head>"))
    seen = await look(http, "channel", "example")
    assert (seen.kind, seen.address, seen.title) == ("channel", "example", "Приклад & канал")
    assert [item.text for item in seen.items] == ["One"]


async def test_what_is_neither_feed_nor_channel_is_an_error_in_one_sentence(web: Web, http: Http) -> None:
    web.serve("/page", "<html><body>Nothing</body></html>", content_type=HTML)
    web.serve("/empty", "")
    for path in ("/page", "/empty", "/missing"):
        with pytest.raises(MonitorError, match=path):
            await look(http, "feed", web.url(path))


async def test_an_address_that_is_not_public_is_not_asked(web: Web) -> None:
    web.serve("/feed", rss(rss_item("One")))
    async with Http() as http:
        for host in ("127.0.0.1", "localhost", "0x7f.1", "0177.0.0.1", "127.1", "2130706433", "[::1]"):
            with pytest.raises(MonitorError, match=r"private address|is a number"):
                await look(http, "feed", f"http://{host}:{web.port}/feed")
    assert web.requests == []


def test_a_page_that_names_many_feeds_is_shown_with_the_first_of_them() -> None:
    links = (f'<link rel="alternate" type="application/rss+xml" href="/{n}">' for n in range(1000))
    assert len(discover("".join(links), "https://example.org/")) == 20
