from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from xml.parsers.expat import ExpatError, ParserCreate

import pytest
from aiohttp import web as aiohttp_web
from builders import source
from hypothesis import given
from hypothesis import strategies as st
from web import RSS, Web, rss, rss_item

from monitor.errors import MonitorError, SourceGone, SourceUnreachable, SourceUnreadable
from monitor.model import Cursor, Item, Polled
from monitor.sources import feed, poll
from monitor.sources.entries import MAX_ENTRIES, MAX_KEY, MAX_TEXT, MAX_TITLE, language_code
from monitor.sources.envelope import (
    decoded,
    first_entries,
    last_entries,
    parseable,
    tamed,
    with_ampersands,
    without_prolog,
)
from monitor.sources.http import Http, Response
from monitor.sources.kind import Fetched

DATA = Path(__file__).parent / "data" / "feeds"
URL = "https://feeds.example.org/all"
RUSSIAN = "Энергосистема после удара: аварийные отключения"
UKRAINIAN = "Енергосистема після удару: аварійні відключення"


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as host:
        yield host


def parsed(body: str | bytes, headers: dict[str, str] | None = None, cursor: Cursor | None = None) -> Polled:
    raw = body.encode() if isinstance(body, str) else body
    answer = Response(200, headers or {}, raw, URL, URL)
    return feed.parse(Fetched((answer,)), source(address=URL), cursor or Cursor())


def items(*entries: str, channel: str = "") -> tuple[Item, ...]:
    return parsed(rss(*entries, channel=channel)).items


def titles(polled: Polled) -> list[str]:
    return [item.title for item in polled.items]


async def look(url: str, cursor: Cursor | None = None, *, trusted: bool = True) -> Polled:
    async with Http(timeout=timedelta(seconds=2)) as http:
        return await poll(http, source(address=url, trusted=trusted), cursor or Cursor())


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("utf-8", "utf-8", ""),
        ("utf-8", "windows-1251", "application/xml; charset=iso-8859-1"),
        ("utf-8-sig", "utf-8", ""),
        ("utf-16", "utf-16", ""),
        ("utf-16-le", "utf-16", ""),
        ("utf-16-be", "", ""),
        ("utf-32", "", ""),
        ("cp1251", "windows-1251", ""),
        ("cp1251", "windows-1251", "text/xml; charset=utf-8"),
        ("cp1251", "", "text/xml; charset=windows-1251"),
        ("cp1251", "utf-8", "text/xml; charset=utf-8"),
        ("cp1251", "", ""),
        ("cp1251", "iso-8859-1", ""),
        ("cp1251", "no-such-set", "text/xml; charset=rot13"),
        ("koi8-u", "koi8-u", ""),
        ("koi8-u", "", ""),
        ("cp866", "cp866", ""),
    ],
)
def test_a_document_is_read_whatever_it_says_of_its_character_set(
    encoding: str, declared: str, header: str
) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    document = rss(rss_item(RUSSIAN), rss_item(UKRAINIAN)).partition("?>")[2].lstrip()
    polled = parsed((declaration + document).encode(encoding, "replace"), {"content-type": header})
    wanted = [text.encode(encoding, "replace").decode(encoding) for text in (UKRAINIAN, RUSSIAN)]
    assert titles(polled) == wanted


def test_latin_letters_stay_latin() -> None:
    document = rss(rss_item("Le président a reçu la délégation à l'Élysée")).partition("?>")[2]
    assert titles(parsed(document.encode("cp1252"))) == ["Le président a reçu la délégation à l'Élysée"]


def test_one_wrong_byte_does_not_change_the_character_set() -> None:
    damaged = rss(rss_item(RUSSIAN * 5)).encode().replace("удара".encode(), "удар".encode() + b"\xd0", 1)
    assert titles(parsed(damaged))[0].startswith("Энергосистема после удар\ufffd:")


def test_the_key_is_the_guid_else_the_link_else_the_content() -> None:
    bare = "<item><title>bare</title><description>text</description></item>"
    found = {
        item.title: item.key
        for item in items(rss_item("a", guid="g-1"), rss_item("b", link="https://e.org/b"), bare)
    }
    assert found["a"] == "g-1"
    assert found["b"] == "https://e.org/b"
    assert found["bare"].startswith("digest:")
    assert items(bare)[0].key == found["bare"]


def test_a_guid_that_all_entries_share_tells_nothing() -> None:
    shared = [rss_item(f"title {n}", guid="same", link=f"https://e.org/{n}") for n in range(3)]
    assert {item.key for item in items(*shared)} == {f"https://e.org/{n}" for n in range(3)}


def test_an_entry_that_stands_there_twice_is_one_item() -> None:
    assert len(items(rss_item("one", guid="1"), rss_item("one", guid="1"))) == 1


def test_a_changed_title_is_the_same_item() -> None:
    before, after = items(rss_item("before", guid="1")), items(rss_item("after", guid="1"))
    assert before[0].key == after[0].key


def test_items_are_oldest_first_by_date_where_all_have_one() -> None:
    dates = [
        "Sun, 01 Feb 2026 10:00:00 GMT",
        "Sun, 01 Feb 2026 12:00:00 GMT",
        "Sun, 01 Feb 2026 11:00:00 GMT",
    ]
    dated = [rss_item(f"at {date[17:19]}", date=date) for date in dates]
    assert [item.title for item in items(*dated)] == ["at 10", "at 11", "at 12"]
    undated = [rss_item("newest"), *dated]
    assert [item.title for item in items(*undated)] == ["at 11", "at 12", "at 10", "newest"]


@pytest.mark.parametrize(
    "date",
    [
        "2026/11/28 07:00:00",
        "2026.11.28 07:00",
        "28.11.2026 07:00",
        "28-11-2026, 7:00 UTC",
        "2026/11/28 09:00 +0200",
        "28.11.2026 02:00 -05:00",
        "2026/11/28 09:00 EET",
        "2026/11/28 09:00:00 (EET)",
        "2026-11-28 09:00 EET",
        "2026-11-28 07:00:00 UTC",
        "2026/11/28 7:00 AM",
        "2026-11-28 07:00 AM",
        "28.11.2026 9:00 PM +1400",
        "2026/11/28 07:00 somewhere",
        "2026-11-28T09:00:00.000+02:00",
        "2026-11-28 09:00 +0200",
        "1795849200",
        "1795849200000",
        "Sat, 28 Nov 2026 09:00:00 EET",
        "Sat, 28 Nov 2026 10:00 MSK",
        "Sat, 28 Nov 2026 08:00:00 CET",
    ],
)
def test_a_date_is_read_as_it_is_meant_however_it_is_written(date: str) -> None:
    assert items(rss_item("one", date=date))[0].published == datetime(2026, 11, 28, 7, tzinfo=UTC)


@given(st.text(st.sampled_from("0123456789./-: T+,ZapmE()"), max_size=30))
def test_no_numbers_for_a_date_raise_anything(date: str) -> None:
    published = items(rss_item("one", date=date))[0].published
    assert published is None or published.tzinfo


@pytest.mark.parametrize("date", ["yesterday", "Sun, 99 Feb 2026 10:00:00 GMT", "0000-00-00", "1e400"])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    assert items(rss_item("one", date=date))[0].published is None


def test_a_date_in_the_future_is_kept_and_noted() -> None:
    document = rss(rss_item("one", date="Fri, 01 Jan 2027 00:00:00 GMT"))
    polled = parsed(document, {"date": "Sun, 01 Feb 2026 12:00:00 GMT"})
    assert polled.items[0].published == datetime(2027, 1, 1, tzinfo=UTC)
    assert polled.notes == ("entries dated in the future: 1",)
    assert parsed(document).notes == ()


def test_markup_in_titles_is_read_and_words_that_look_like_it_are_kept() -> None:
    cases = {
        "<b>Bold</b> move": "Bold move",
        "a &amp; b": "a & b",
        "a < b": "a < b",
        "two\n lines": "two lines",
        "if x<y and y>z": "if x<y and y>z",
    }
    assert [items(rss_item(given_title))[0].title for given_title in cases] == list(cases.values())


def test_links_that_are_not_of_the_web_are_left_out() -> None:
    assert items(rss_item("one", link="javascript:alert(1)"))[0].url is None
    assert items(rss_item("one", link="/relative"))[0].url == "https://feeds.example.org/relative"


def test_fields_have_limits() -> None:
    long = rss_item("t" * 5_000, "x" * 100_000, guid="g" * 5_000)
    item = items(long)[0]
    assert len(item.title) == MAX_TITLE
    assert len(item.text) == MAX_TEXT
    assert len(item.key) <= MAX_KEY


def test_more_entries_than_the_limit_are_left_out_and_noted() -> None:
    many = rss(*(rss_item(f"n{n}") for n in range(MAX_ENTRIES + 3)))
    polled = parsed(many)
    assert len(polled.items) == MAX_ENTRIES
    assert polled.items[-1].title == "n0"
    assert polled.notes == (f"entries left out beyond the first {MAX_ENTRIES}: 3",)
    as_json = json.dumps({"items": [{"id": n, "title": "x"} for n in range(MAX_ENTRIES + 3)]})
    assert parsed(as_json).notes == polled.notes


def test_of_a_long_feed_that_begins_with_the_oldest_the_newest_are_read() -> None:
    days = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(MAX_ENTRIES + 3)]
    many = rss(*(rss_item(f"n{n}", date=f"{day:%a, %d %b %Y} 10:00:00 GMT") for n, day in enumerate(days)))
    dated = [{"id": n, "title": f"n{n}", "date_published": day.isoformat()} for n, day in enumerate(days)]
    for document in (many, json.dumps({"items": dated})):
        polled = parsed(document)
        assert [polled.items[0].title, polled.items[-1].title] == ["n3", f"n{MAX_ENTRIES + 2}"]
        assert polled.notes == (f"entries left out before the last {MAX_ENTRIES}: 3",)
    pinned = rss_item("pinned", date="Tue, 01 Jan 2019 10:00:00 GMT")
    newest_first = [
        rss_item(f"n{n}", date=f"{day:%a, %d %b %Y} 10:00:00 GMT")
        for n, day in reversed(list(enumerate(days)))
    ]
    assert parsed(rss(pinned, *newest_first)).notes == (
        f"entries left out beyond the first {MAX_ENTRIES}: 4",
    )


def test_leaving_entries_out_keeps_the_document_around_them() -> None:
    document = "<rss><channel><item>1</item><item>2</item><item>3</item><ttl>5</ttl></channel></rss>"
    assert first_entries(document, 1) == ("<rss><channel><item>1</item><ttl>5</ttl></channel></rss>", 2)
    assert first_entries("<rss><item>1<item>2", 1) == ("<rss><item>1", 1)
    assert first_entries(document, 3) == (document, 0)
    assert last_entries(document, 3) == document
    assert last_entries(document, 1) == "<rss><channel><item>3</item><ttl>5</ttl></channel></rss>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "an empty answer"),
        (" \n", "an empty answer"),
        ("<!DOCTYPE html><html><body>x</body></html>", "an HTML page, not a feed"),
        ("plain words", "no XML"),
        ("<opml version='2.0'/>", "an OPML list"),
        ("<urlset/>", "a sitemap"),
        ("<g\x00v\xe4/ <x> 3<", "no XML, or only the beginning of it"),
        ('<rss version="2.0"><channel><item><title>broken', "breaks off before its end"),
        ('<rss version="2.0"><channel>', "breaks off before its end"),
        ("<note><to>x</to></note>", "an XML document with the root <note>"),
        ("{", "damaged JSON"),
        ("[1]", 'JSON without a list of "items"'),
        ('{"items": 5}', 'JSON without a list of "items"'),
        ("[" * 200_000, "damaged JSON"),
        ("<rss>" + "<a/>" * 200_001, "too many for a feed"),
    ],
)
def test_what_is_no_feed_is_told_for_what_it_is(body: str, words: str) -> None:
    with pytest.raises(SourceUnreadable, match=f"feeds.example.org/all sent .*{words}"):
        parsed(body)


def test_of_a_document_that_breaks_off_the_whole_entries_are_read_and_the_rest_is_asked_for_again() -> None:
    body = rss(rss_item("One"), rss_item("Two"), rss_item("Three")).encode()
    cut = body[: body.rindex(b"</item>")]
    headers = {"etag": '"1"', "last-modified": "Sun, 01 Feb 2026 12:00:00 GMT"}
    known = parsed(body, headers)
    assert known.fault == ""
    polled = parsed(cut, headers, known.cursor)
    assert titles(polled) == ["Two", "One"]
    for _ in range(2):
        assert polled.fault == "the document breaks off before its end"
        assert (polled.cursor.etag, polled.cursor.last_modified) == (None, None)
        polled = parsed(cut, headers, polled.cursor)
        assert (polled.changed, polled.items) == (False, ())
    polled = parsed(body, headers, polled.cursor)
    assert (titles(polled), polled.fault) == (["Three", "Two", "One"], "")


@pytest.mark.parametrize(
    ("end", "cut"),
    [
        ("</rss>", False),
        ("</RSS >", False),
        ("</rss", False),
        ("</rss>\n<script>x", False),
        ("</rs", True),
        ("", True),
        ("<!-- served -->", True),
    ],
)
def test_a_document_breaks_off_where_the_end_of_its_root_is_missing(end: str, *, cut: bool) -> None:
    polled = parsed(rss(rss_item("One & only")).replace("&amp;", "&").replace("</rss>", end))
    assert (titles(polled), bool(polled.fault)) == (["One & only"], cut)


def test_a_page_says_which_feeds_it_names() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>x</title><link rel='stylesheet' href='/a.css'>"
        "<link rel='alternate' type='application/rss+xml' href='/feed?all=1'>"
        "<link rel='alternate' hreflang='uk' href='/uk'></head><body>x</body></html>"
    )
    with pytest.raises(SourceUnreadable, match=r"not a feed: it names https://\S+/feed\?all=1$"):
        parsed(page)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parsed(rss()).items == ()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "subset",
    [
        f'<!ENTITY l0 "lol">{LAUGHS}',
        f'<!ENTITY trick "<b>">{LAUGHS}',
        '<!ENTITY l11 SYSTEM "file:///etc/hostname">',
        '<!ENTITY % remote SYSTEM "http://127.0.0.1:9/x.dtd"> %remote; <!ENTITY l11 "&remote;">',
        "<!-- \"> ]> --><!ENTITY l11 '\" ]>'><?pi ]> ?>",
        f'<!ENTITY l11 "{"x" * 100_000}">',
    ],
)
def test_entities_mean_nothing(subset: str) -> None:
    document = "<rss version='2.0'><channel><item><title>a &l11; z</title></item></channel></rss>"
    title = parsed(f"<!DOCTYPE rss [{subset}]>{document}").items[0].title
    assert len(title) < 12
    assert title.startswith("a ")
    assert title.endswith(" z")


@pytest.mark.parametrize(
    "start", ["<!DOCTYPE rss [", "<!--", "<?xml", '<!DOCTYPE rss "', "<!DOCTYPE rss [<!--", "<", "words"]
)
def test_a_document_that_never_gets_to_its_root_is_none(start: str) -> None:
    assert without_prolog(start) == ""


def test_the_prolog_ends_at_the_root() -> None:
    assert without_prolog("\n junk <?xml?><!-- <a> --><!DOCTYPE x>< <!ELEMENT y> <z:rss>") == "<z:rss>"


def test_numbers_that_name_no_character_are_replaced() -> None:
    assert parseable("&#0;&#xD800;&#x110000;&#99999999999999;&#65;&#x1F680; \x00\x0c") == (
        "\ufffd\ufffd\ufffd\ufffd&#65;&#x1F680;   "
    )


def test_an_ampersand_that_begins_no_reference_stands_for_itself() -> None:
    body = (
        "<rss version='2.0'><channel><item><title>AT&T buys R&D &amp; more &#8212; &lt;b&gt;</title>"
        "<link>https://news.example/?a=1&b=2</link>"
        "<description><![CDATA[Q&A with AT&T &amp; co]]></description>"
        "</item></channel></rss>"
    )
    (item,) = parsed(body).items
    assert (item.title, item.text) == ("AT&T buys R&D & more — <b>", "Q&A with AT&T & co")
    assert item.url == "https://news.example/?a=1&b=2"


def test_what_costs_the_square_of_its_length_is_renamed() -> None:
    assert tamed("<category>a</category><dc:subject>") == "<x-category>a</x-category><dc:x-subject>"
    assert tamed("<author>short</author>") == "<author>short</author>"
    assert tamed("<author>" + "a" * 2_000 + "</author>").startswith("<x-author>")
    assert tamed('<a xml:base="b/">' * 100).count("xml:base") == 100
    assert "xml:base" not in tamed('<a xml:base="b/">' * 101)


@pytest.mark.parametrize(
    "part",
    [
        "<author>" + "a" * 50_000 + "</author>",
        "<category>{}</category>" * 2_500,
        '<a xml:base="a/">' * 2_500,
        "<!--" * 12_500,
        "<a b='" * 7_500,
        "&" * 25_000,
        "<description>" + "&lt;div&gt;" * 12_500 + "</description>",
    ],
)
async def test_hostile_documents_are_read_in_time(web: Web, part: str) -> None:
    web.serve("/feed", rss(f"<item><title>x</title>{part}</item>"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await look(web.url("/feed"))
    assert loop.time() - began < 3


def test_nothing_that_a_document_says_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "feed.xml"
    target.write_text(rss(rss_item("from a file")))
    monkeypatch.chdir(tmp_path)
    for name in ("feed.xml", str(target), target.as_uri()):
        with pytest.raises(SourceUnreadable):
            parsed(name)


async def test_a_feed_that_has_not_changed_costs_a_304(web: Web) -> None:
    web.serve("/feed", rss(rss_item("one")), cache_control="max-age=60")
    first = await look(web.url("/feed"))
    again = await look(web.url("/feed"), first.cursor)
    assert (first.changed, again.changed, again.items) == (True, False, ())
    assert again.cursor == first.cursor
    assert again.hints.max_age == timedelta(seconds=60)


async def test_the_same_bytes_bring_nothing_even_without_an_etag(web: Web) -> None:
    web.serve("/feed", rss(rss_item("one")), etag=False, last_modified="Sun, 01 Feb 2026 10:00:00 GMT")
    first = await look(web.url("/feed"))
    assert not (await look(web.url("/feed"), first.cursor)).changed
    assert web.requests[-1].headers["If-Modified-Since"] == "Sun, 01 Feb 2026 10:00:00 GMT"


@pytest.mark.parametrize("status", [301, 302])
async def test_what_names_a_version_is_told_to_the_address_alone_that_gave_it(web: Web, status: int) -> None:
    web.serve("/feed", rss(rss_item("one")), etag=False, last_modified="Sun, 01 Feb 2026 10:00:00 GMT")
    first = await look(web.url("/feed"))
    web.serve("/other", rss(rss_item("two")), etag=False, last_modified="Sun, 01 Feb 2026 09:00:00 GMT")
    web.redirect("/feed", "/other", status)
    second = await look(web.url("/feed"), first.cursor)
    assert titles(second) == ["two"]
    assert "If-Modified-Since" not in web.requests[-1].headers
    third = await look(web.url("/feed"), second.cursor)
    assert not third.changed
    assert web.requests[-1].headers["If-Modified-Since"] == "Sun, 01 Feb 2026 09:00:00 GMT"


async def test_a_304_does_not_say_which_version_is_known(web: Web) -> None:
    web.serve("/feed", rss(rss_item("one")))
    first = await look(web.url("/feed"))
    web.status("/feed", 304, {"ETag": '"another"', "Last-Modified": "Sun, 01 Feb 2026 10:00:00 GMT"})
    assert (await look(web.url("/feed"), first.cursor)).cursor == first.cursor


@pytest.mark.parametrize("status", [412, 431])
async def test_where_the_name_of_a_version_is_refused_it_is_asked_without(web: Web, status: int) -> None:
    async def fussy(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        refused = "If-None-Match" in request.headers
        return aiohttp_web.Response(status=status if refused else 200, text=rss(rss_item("one")))

    web.answer("/feed", fussy)
    assert titles(await look(web.url("/feed"), Cursor(etag='"x"'))) == ["one"]
    web.status("/new", status)
    moved = Cursor(etag='"x"', moved_to=web.url("/new"))
    assert titles(await look(web.url("/feed"), moved)) == ["one"]


async def test_a_name_of_a_version_that_is_too_long_to_send_is_not_kept(web: Web) -> None:
    web.serve("/feed", rss(rss_item("one")), etag=False, ETag="x" * 1_001)
    assert (await look(web.url("/feed"))).cursor.etag is None


async def test_304_to_one_who_knows_nothing_is_no_answer(web: Web) -> None:
    web.status("/feed", 304)
    with pytest.raises(SourceUnreachable, match="304"):
        await look(web.url("/feed"))


async def test_a_permanent_redirect_is_followed_at_once_the_next_time(web: Web) -> None:
    web.serve("/new", rss(rss_item("one")))
    web.redirect("/old", "/new", 301)
    first = await look(web.url("/old"))
    assert first.cursor.moved_to == web.url("/new")
    again = await look(web.url("/old"), first.cursor)
    assert again.cursor.moved_to == web.url("/new")
    assert [seen.path for seen in web.requests] == ["/old", "/new", "/new"]


async def test_a_page_behind_a_redirect_is_told_by_the_address_that_led_there(web: Web) -> None:
    web.serve("/sorry", "<html>", content_type="text/html")
    web.redirect("/old", "/sorry")
    with pytest.raises(SourceUnreadable) as caught:
        await look(web.url("/old"))
    assert str(caught.value).startswith(f"{web.url('/sorry')} sent an HTML page")
    assert str(caught.value).endswith(f" ({web.url('/old')} redirects there)")


async def test_where_the_new_address_fails_the_old_one_is_asked_again(web: Web) -> None:
    web.serve("/old", rss(rss_item("back")))
    polled = await look(web.url("/old"), Cursor(moved_to=web.url("/new"), etag='"x"'))
    assert titles(polled) == ["back"]
    assert polled.cursor.moved_to is None
    assert "If-None-Match" not in web.requests[-1].headers


async def test_a_new_address_that_says_later_is_left_alone(web: Web) -> None:
    web.serve("/old", rss(rss_item("back")))
    web.status("/new", 503, {"Retry-After": "60"})
    with pytest.raises(SourceUnreachable) as caught:
        await look(web.url("/old"), Cursor(moved_to=web.url("/new")))
    assert caught.value.after == timedelta(minutes=1)
    assert len(web.requests) == 1


async def test_what_moved_to_another_host_is_not_trusted_there(web: Web) -> None:
    web.serve("/feed", rss())
    moved = Cursor(moved_to=web.url("/feed", "localhost"))
    web.status("/old", 500)
    with pytest.raises(SourceUnreachable, match="500"):
        await look(web.url("/old"), moved)
    assert [seen.path for seen in web.requests] == ["/old"]


async def test_a_feed_that_is_gone_is_gone(web: Web) -> None:
    web.status("/feed", 410)
    with pytest.raises(SourceGone, match="410"):
        await look(web.url("/feed"))


async def test_a_json_feed_is_known_by_its_body(web: Web) -> None:
    web.serve("/feed", (DATA / "feed.json").read_bytes(), content_type=RSS, packed="br")
    assert len((await look(web.url("/feed"))).items) == 2


@pytest.mark.parametrize(
    ("channel", "ttl"),
    [
        ("<ttl>15</ttl>", timedelta(minutes=15)),
        ("<ttl>0</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("", None),
    ],
)
def test_ttl_is_in_minutes(channel: str, ttl: timedelta | None) -> None:
    assert parsed(rss(channel=channel)).hints.ttl == ttl


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("uk-UA", "uk"),
        ("en_US", "en"),
        ("ua", "uk"),
        ("RUS", "ru"),
        ("", None),
        ("zxx", None),
        (None, None),
        ("12", None),
    ],
)
def test_a_language_is_two_letters(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code


def survives(body: bytes, content_type: str = "") -> bool:
    """Tell whether a document gives items whose words can be written, or one sentence of what is wrong."""
    try:
        items = parsed(body, {"content-type": content_type}).items
    except MonitorError as error:
        return bool(str(error))
    fields = ((item.title, item.text, item.key, item.author or "", item.url or "") for item in items)
    return all(words.encode("utf-8").decode("utf-8") == words for words in chain.from_iterable(fields))


DETAILS = "title_detail summary_detail author_detail content published_parsed links language ttl id"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(DETAILS.split()),
            st.sampled_from(["", " a='b'"]),
            st.sampled_from(["", "x", "<b/>"]),
        )
    )
)
def test_elements_named_like_feedparsers_own_keys_raise_nothing(parts: list[tuple[str, str, str]]) -> None:
    inside = "".join(f"<{name}{attributes}>{text}</{name}>" for name, attributes, text in parts)
    assert survives(rss(f"<item><title>x</title>{inside}</item>", channel=inside).encode())


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_raise_anything_but_a_monitor_error(body: bytes, content_type: str) -> None:
    assert survives(body, content_type)


@given(st.data())
def test_no_damage_to_a_feed_raises_anything_but_a_monitor_error(data: st.DataObject) -> None:
    samples = sorted(path for path in DATA.iterdir() if not path.name.endswith(".golden.json"))
    body = bytearray(data.draw(st.sampled_from(samples)).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=8))
    assert survives(bytes(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "url", "title", "content_html", "date_published", "authors", "name"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_raises_anything_but_a_monitor_error(inner: object) -> None:
    assert survives(
        json.dumps(
            {"items": [inner, {"id": inner, "title": inner, "authors": [inner], "url": inner}]}
        ).encode()
    )


@given(
    st.lists(st.sampled_from(["&", "a", "1", ";", "#", "x", "<![CDATA[", "]]>", "<!--", "-->", " "])).map(
        "".join
    )
)
def test_with_its_ampersands_a_document_is_as_it_was_where_that_was_sound(inside: str) -> None:
    assert with_ampersands(with_ampersands(inside)) == with_ampersands(inside)
    document = f"<!DOCTYPE r [<!ENTITY a 'x'> <!ENTITY xa 'y'>]><r>{inside}</r>"
    try:
        ParserCreate().Parse(document, True)  # noqa: FBT003 - it takes no name
    except ExpatError:
        return
    assert with_ampersands(inside) == inside


@pytest.mark.parametrize(
    ("bad", "shown"), [(b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600"), (b"\x96", "\ufffd"), (b"\xd0", "\ufffd")]
)
@pytest.mark.parametrize("declared", ["", "; charset=utf-8"])
def test_a_few_bytes_that_are_wrong_leave_the_others_utf_8(bad: bytes, shown: str, declared: str) -> None:
    for text in ("Дрони над Києвом", "Київ"):
        body = f"<rss>{text}%</rss>".encode().replace(b"%", bad)
        assert decoded(body, f"application/xml{declared}") == f"<rss>{text}{shown}</rss>"


def test_what_looks_half_like_utf_8_is_what_it_says_it_is() -> None:
    text = "<rss>Рік Кіт Сім</rss>"
    assert decoded(text.encode("cp1251"), "text/xml; charset=windows-1251") == text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_utf_8_is_always_recognised(text: str) -> None:
    assert decoded(b"\xef\xbb\xbf" + text.encode(), "text/xml; charset=koi8-r") == text


@given(st.lists(st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1, max_size=20), max_size=8))
def test_every_entry_becomes_one_item(names: list[str]) -> None:
    found = parsed(rss(*(rss_item("title", name, guid=f"guid-{n}") for n, name in enumerate(names)))).items
    assert sorted(item.key for item in found) == sorted(f"guid-{n}" for n in range(len(names)))
    assert {item.source_id for item in found} <= {"example"}
    assert replace(found[0], key="guid-0") == found[0] if len(found) == 1 else True
