"""Reading only what is new gives what reading everything gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import source
from hypothesis import example, given, settings
from hypothesis import strategies as st
from web import rss, rss_item

from monitor.errors import SourceUnreadable
from monitor.model import Cursor, Item, Polled
from monitor.sources import feed, xml_feed
from monitor.sources.http import Response
from monitor.sources.kind import Fetched
from monitor.sources.memory import Memory
from monitor.sources.pieces import Pieces, above, cut

URL = "https://feeds.example.org/all"
NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)

RSS_HEADS = (
    (
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>News</title>'
        "<link>https://e.org/</link><language>uk-UA</language><ttl>5</ttl>"
        "<lastBuildDate>Sun, 01 Feb 2026 10:00:00 GMT</lastBuildDate>"
    ),
    (
        '<rss version="2.0" xml:base="https://base.example.org/x/" xml:lang="ru"><channel>'
        "<image><url>https://e.org/i.png</url><title>Logo</title></image>"
    ),
    '<!DOCTYPE rss [<!ENTITY a "b">]><rss version="0.91"><channel><description><div>x</div></description>',
    "<rss><channel>",
)
ATOM_HEADS = (
    (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title><id>urn:feed</id>'
        "<updated>2026-02-01T10:00:00Z</updated>"
    ),
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/a/"><subtitle type="html"><div>x</div></subtitle>',
)
TAILS = (
    "",
    "<language>de</language>",
    "<ttl>9</ttl>",
    "<!-- made in 0.1 s -->",
    "<title>again</title>",
    "<item/>",
)
HARMLESS = [
    '<guid isPermaLink="false">g&amp;3</guid>',
    "<guid><![CDATA[g1]]></guid>",
    "<link>https://e.org/1</link>",
    "<link>/2</link>",
    "<link>https://e.org/2</link>",
    '<link href="3"/>',
    '<link xmlns="http://www.w3.org/2005/Atom" href="https://e.org/4" rel="alternate"/>',
    "<title>One</title>",
    "<title>Two &amp; &lt;b&gt;three&lt;/b&gt;</title>",
    '<title type="html" xml:lang="de">Drei</title>',
    "<description>Text &#65; &#0;</description>",
    "<description><![CDATA[<p>Some <a href='/x'>link</a><!-- note --></p>]]></description>",
    '<content type="html" xml:base="https://other.example.org/">&lt;a href="z"&gt;z&lt;/a&gt;</content>',
    "<pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate>",
    "<pubDate>Sun, 01 Feb 2026 09:00:00 GMT</pubDate>",
    "<updated>2026-02-01T11:00:00Z</updated>",
    "<author>a@e.org (Somebody)</author>",
    "<author><name>Somebody</name></author>",
    "<dc:creator>Somebody</dc:creator>",
    '<media:title>Pictured</media:title><media:content url="https://e.org/p.jpg"/>',
    "<source url='https://e.org/s'>Elsewhere</source>",
    "<category>a</category>",
    "<enclosure url='https://e.org/a.mp3' length='1' type='audio/mpeg'/>",
    "<!-- -->",
    "текст",
]
ODD = [
    "<guid>g1</guid>",
    "<guid>g2</guid>",
    "<id>urn:1</id>",
    "<id>urn:2</id>",
    "<title><![CDATA[Four </item><item> five]]></title>",
    "<title>Six &nbsp; seven</title>",
    "<description><div>inline</div></description>",
    '<description xml:lang="fr"><div xml:lang="de">inline</div></description>',
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">X <b>y</b></div></content>',
    '<content type="html" xml:base="z/">&lt;a href="z"&gt;z&lt;/a&gt;</content>',
    "<author>",
    "<![CDATA[<author>]]>",
    '<m:title xmlns:m="http://www.w3.org/2005/Atom">Other</m:title>',
    "<image><url>/i.png</url><title>In a picture</title><link>/p</link></image>",
    "<item><title>nested</title></item>",
    "<!-- <item> -->",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&bad;",
    "<b>",
]
GAPS = ("", "\n  ", "<!-- 12 -->", "<!-- <item> -->", "text", "<x/>", "<title>between</title>")


@st.composite
def an_entry(draw: st.DrawFn, parts: list[str]) -> str:
    """Return an entry with a name of its own most of the time."""
    guid = f"<guid>u{draw(st.integers(0, 999))}</guid>" if draw(st.integers(0, 9)) else ""
    return guid + "".join(draw(st.lists(st.sampled_from(parts), min_size=1, max_size=4)))


@st.composite
def documents(draw: st.DrawFn) -> list[str]:
    """Return the states of a feed, one after another: entries come, go, change and change places."""
    atom = draw(st.booleans())
    name, heads = ("entry", ATOM_HEADS) if atom else ("item", RSS_HEADS)
    head, tail = heads[0], TAILS[0]
    if not draw(st.integers(0, 3)):
        head, tail = draw(st.sampled_from(heads)), draw(st.sampled_from(TAILS))
    shown = draw(st.lists(an_entry(HARMLESS), min_size=1, max_size=5))
    gap, states = "\n", []
    for _ in range(3):
        body = gap.join(f"<{name}>{entry}</{name}>" for entry in shown)
        states.append(f"{head}{body}{tail}{'</feed>' if atom else '</channel></rss>'}")
        for _ in range(draw(st.integers(1, 2))):
            shown = draw(st.sampled_from([came, came_oddly, came_oddly, went, came_again, turned]))(
                draw, shown
            )
        if not draw(st.integers(0, 9)):
            gap = draw(st.sampled_from(GAPS))
        if not draw(st.integers(0, 9)):
            head = draw(st.sampled_from(heads))
    return states


def came(draw: st.DrawFn, shown: list[str]) -> list[str]:
    return [draw(an_entry(HARMLESS)), *shown]


def came_oddly(draw: st.DrawFn, shown: list[str]) -> list[str]:
    at = draw(st.integers(0, len(shown)))
    return [*shown[:at], draw(an_entry([*HARMLESS, *ODD, *ODD])), *shown[at:]]


def went(draw: st.DrawFn, shown: list[str]) -> list[str]:
    at = draw(st.integers(0, len(shown)))
    return [*shown[:at], *shown[at + 1 :]]


def came_again(draw: st.DrawFn, shown: list[str]) -> list[str]:
    return [*shown, draw(st.sampled_from(shown)) + draw(st.sampled_from(HARMLESS))] if shown else shown


def turned(_: st.DrawFn, shown: list[str]) -> list[str]:
    return shown[::-1]


def look(document: str | bytes, cursor: Cursor | None = None, at: datetime = NOON) -> Polled:
    raw = document.encode() if isinstance(document, str) else document
    fetched, known = Fetched((Response(200, {}, raw, URL, URL, received=at),)), cursor or Cursor()
    glimpsed = feed.glance(fetched, source(address=URL), known)
    read_apart = feed.parse(fetched, source(address=URL), known)
    assert glimpsed in {None, read_apart}
    return read_apart


def in_order(some: tuple[Item, ...], of: tuple[Item, ...]) -> bool:
    rest = iter(of)
    return all(item in rest for item in some)


@settings(max_examples=400, deadline=None)
@given(documents())
@example([rss(rss_item("a", guid="1")), rss(rss_item("b", guid="2"), rss_item("a", guid="1"))])
def test_reading_what_is_new_gives_what_reading_everything_gives(states: list[str]) -> None:
    cursor, before = Cursor(), ()
    for state in states:
        try:
            whole = look(state)
        except SourceUnreadable:
            with pytest.raises(SourceUnreadable):
                look(state, cursor)
            continue
        some = look(state, cursor)
        assert in_order(some.items, whole.items)
        assert all(item in some.items or item in before for item in whole.items)
        assert some.hints == whole.hints or not some.changed
        cursor, before = some.cursor, whole.items


def feed_of(names: str) -> str:
    """Return a feed with an entry for each letter."""
    return rss(*(rss_item(name, guid=name) for name in names))


@settings(max_examples=100, deadline=None)
@given(documents())
@example([feed_of("abcde"), feed_of("fabcd"), feed_of("ghfabc"), feed_of("fab")])
@example([feed_of("ab"), feed_of("ba"), feed_of("axb")])
def test_what_came_on_top_is_what_cutting_the_whole_shows_there(states: list[str]) -> None:
    pieces = [cut(state.encode()) for state in states]
    for before, after, body in zip(pieces, pieces[1:], states[1:], strict=False):
        if before is None:
            continue
        found = above(body.encode(), b"".join(before.digests), before.runs)
        if found is None:
            continue
        top, left = found
        assert after == Pieces(
            top.head,
            (*top.entries, *before.entries[:left]),
            (*top.digests, *before.digests[:left]),
            top.tail,
            top.name,
            top.runs,
        )


@pytest.mark.parametrize(
    ("shown", "came", "left"),
    [
        ("abcdefgh", 0, 8),
        ("xabcdefg", 1, 7),
        ("xyzabcde", 3, 5),
        ("wxyzabcdefgh", 4, 8),
        ("abcde", 0, 5),
    ],
)
def test_entries_that_came_on_top_are_seen_without_looking_at_the_others(
    shown: str, came: int, left: int
) -> None:
    before = cut(feed_of("abcdefgh").encode())
    assert before is not None
    found = above(feed_of(shown).encode(), b"".join(before.digests), before.runs)
    assert found is not None
    assert (len(found[0].entries), found[1]) == (came, left)


@pytest.mark.parametrize("shown", ["abcd", "axbcdefgh", "bcdefgh", "abcdefghx", "abcdxfgh", "xyz"])
def test_where_anything_else_happened_the_whole_is_cut(shown: str) -> None:
    before = cut(feed_of("abcdefgh").encode())
    assert before is not None
    assert above(feed_of(shown).encode(), b"".join(before.digests), before.runs) is None
    assert cut(feed_of(shown).encode()) is not None


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many entries feedparser read, document by document."""
    counts: list[int] = []
    real = xml_feed._run_feedparser

    def counted(text: str, url: str) -> object:
        result = real(text, url)
        counts.append(len(result.entries))
        return result

    monkeypatch.setattr(xml_feed, "_run_feedparser", counted)
    return counts


OLD = [rss_item(f"title {n}", guid=f"{n}", date="Sun, 01 Feb 2026 10:00:00 GMT") for n in range(20)]
NEW = rss_item("new", guid="new", date="Sun, 01 Feb 2026 11:00:00 GMT")


def test_only_new_entries_are_read(read: list[int]) -> None:
    first = look(rss(*OLD))
    second = look(rss(NEW, *OLD[:-1]), first.cursor)
    assert [item.title for item in second.items] == ["new"]
    third = look(rss(NEW, *OLD[:-1]), second.cursor)
    assert (third.items, third.changed) == ((), False)
    assert read == [20, 1]


def test_a_date_or_a_comment_around_the_entries_is_nothing_new(read: list[int]) -> None:
    first = look(rss(*OLD, channel="<lastBuildDate>Sun, 01 Feb 2026 10:00:00 GMT</lastBuildDate>"))
    later = (
        rss(*OLD, channel="<lastBuildDate>Sun, 01 Feb 2026 11:00:00 GMT</lastBuildDate>") + "<!-- 0.1 s -->"
    )
    assert not look(later, first.cursor).changed
    assert read == [20]


def test_an_entry_that_was_edited_is_read_again_under_its_key(read: list[int]) -> None:
    first = look(rss(*OLD))
    edited = look(rss(*OLD[:5], rss_item("corrected", guid="5"), *OLD[6:]), first.cursor)
    assert [(item.key, item.title) for item in edited.items] == [("5", "corrected")]
    assert read == [20, 1]


def test_an_entry_that_moves_to_the_top_is_not_read_again(read: list[int]) -> None:
    first = look(rss(*OLD))
    moved = look(rss(OLD[-1], *OLD[:-1]), first.cursor)
    assert moved.items == ()
    assert read == [20]


def test_entries_that_go_are_a_change_and_nothing_is_read(read: list[int]) -> None:
    first = look(rss(*OLD))
    fewer = look(rss(*OLD[:10]), first.cursor)
    assert (fewer.items, fewer.changed) == ((), True)
    again = look(rss(*OLD), fewer.cursor)
    assert len(again.items) == 10
    assert read == [20, 10]


@pytest.mark.parametrize(
    "document",
    [
        rss(NEW, *OLD, channel="<language>uk</language>"),
        rss(NEW, rss_item("shares its guid", guid="7"), *OLD),
        rss("<item><title>a</title><item><title>b</title></item></item>", *OLD),
        rss("<item><title><![CDATA[</item><item>]]></title></item>", *OLD),
        rss("<item><title>a &nbsp; b</title></item>", *OLD),
        rss("<item><title>a</title></item > ", *OLD),
        rss("<rogue/>", NEW, *OLD),
        rss("<item><title>a</title><image><link>/p</link></image></item>", *OLD),
        rss("<item xml:lang='de'><title>a</title><description><div>b</div></description></item>", *OLD),
        rss('<item><m:title xmlns:m="http://www.w3.org/2005/Atom">a</m:title></item>', *OLD),
        rss("<item><title>a</title><link xml:base='/b/'>c</link></item>", *OLD),
        rss("<item><title>a</title><author></item>", *OLD),
        rss(NEW, *OLD).replace("<rss ", "<rss xml:base='/b/' "),
    ],
)
def test_an_unusual_shape_is_read_as_a_whole(document: str, read: list[int]) -> None:
    first = look(rss(*OLD))
    assert look(document, first.cursor).items == look(document).items
    assert read[1] >= 20 or read[2] >= 20


@pytest.mark.parametrize(
    "part",
    [
        '<media:thumbnail xmlns:media="http://search.yahoo.com/mrss/" url="https://e.org/i.png"/>',
        '<content xmlns="http://www.w3.org/2005/Atom" type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">x</div></content>',
        "<description><![CDATA[<div><!-- note --></div>]]></description>",
        "<link xml:base='https://b.example.org/'>c</link>",
    ],
)
def test_what_many_feeds_do_is_not_unusual(part: str, read: list[int]) -> None:
    first = look(rss(*OLD))
    document = rss(f"<item><title>a</title>{part}</item>", *OLD)
    assert look(document, first.cursor).items == look(document).items[-1:]
    assert read == [20, 1, 21]


def test_a_document_is_read_as_a_whole_once_a_day(read: list[int]) -> None:
    first = look(rss(*OLD))
    second = look(rss(NEW, *OLD), first.cursor, NOON + timedelta(hours=23))
    whole = look(rss(*OLD), second.cursor, NOON + timedelta(hours=24))
    assert len(whole.items) == 20
    assert read == [20, 1, 20]


def test_where_nothing_was_known_before_there_is_possibly_a_gap() -> None:
    first = look(rss(*OLD))
    assert not first.gap
    beyond = look(rss(*(rss_item(f"later {n}", guid=f"later {n}") for n in range(20))), first.cursor)
    assert beyond.gap
    assert not look(rss(NEW, *OLD[:5]), first.cursor).gap
    assert not look(rss(), first.cursor).gap


def test_a_gap_is_seen_in_documents_of_any_shape_too() -> None:
    one, other, both = (
        '{{"items": [{}]}}'.format(",".join(f'{{"id": "{key}", "title": "{key}"}}' for key in keys))
        for keys in ("a", "b", "ab")
    )
    first = look(one)
    assert look(other, first.cursor).gap
    assert not look(both, first.cursor).gap


def test_what_another_version_remembered_means_nothing() -> None:
    cursor = look(rss(*OLD)).cursor
    other = replace(cursor, entries=b"\0" + (cursor.entries or b"")[1:], fingerprint=None)
    assert len(look(rss(*OLD), other).items) == 20
    assert Memory.of(b"") is Memory.of(None) is None


def test_what_is_remembered_comes_back() -> None:
    memory = Memory.of(look(rss(*OLD, channel="<ttl>7</ttl><language>uk</language>")).cursor.entries)
    assert memory is not None
    assert Memory.of(memory.packed()) == memory
    assert (memory.ttl, memory.language, memory.cuttable) == (timedelta(minutes=7), "uk", True)
    assert len(memory.packed()) < 20 * 20


def test_a_few_plain_entries_are_read_at_a_glance() -> None:
    def glance(*entries: str) -> Polled | None:
        answer = Response(200, {}, rss(*entries).encode(), URL, URL, received=NOON)
        return feed.glance(Fetched((answer,)), source(address=URL), known)

    known = Cursor()
    assert glance(*OLD) is None
    known = look(rss(*OLD)).cursor
    plain = [f"<item><title>{n}</title><link>https://e.org/{n}</link></item>" for n in range(6)]
    polled = glance(*plain[:5], *OLD[:-1])
    assert polled is not None
    assert [item.title for item in polled.items] == ["4", "3", "2", "1", "0"]
    unchanged = glance(*OLD)
    assert unchanged is not None
    assert not unchanged.changed
    assert glance(*plain, *OLD) is None
    assert glance(f"<item><title>{'x' * 20_000}</title><link>https://e.org/</link></item>", *OLD) is None
    slow = "".join(
        f"<font a{n}><p>" for n in range(200)
    )  # for a parser of HTML: each end tag copies them all
    for markup in (f"<![CDATA[{slow}]]>", slow.replace("<", "&lt;").replace(">", "&gt;")):
        body = f"<description>{markup}</description>"
        assert glance(f"<item><title>New</title><link>https://e.org/</link>{body}</item>", *OLD) is None
    assert glance("<item><title>An odd one</title><link>https://e.org/</link><odd/></item>", *OLD) is None


def test_the_ttl_of_a_feed_is_known_also_when_nothing_is_read() -> None:
    first = look(rss(*OLD, channel="<ttl>7</ttl>"))
    assert look(rss(*OLD, channel="<ttl>7</ttl>"), first.cursor).hints.ttl == timedelta(minutes=7)
    answer = Response(304, {}, b"", URL, URL)
    assert feed.parse(Fetched((answer,)), source(), first.cursor).hints.ttl == timedelta(minutes=7)
