"""What is read without feedparser is what feedparser would have read."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import SourceUnreadable
from monitor.sources.entries import Entry
from monitor.sources.plain_entry import read_plain
from monitor.sources.xml_feed import read_xml

URL = "https://feeds.example.org/all/"
RSS = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"><channel>'
)
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="uk">'
OPENINGS = [
    ("item", RSS),
    ("item", '<rss version="2.0" xml:lang="ru-RU"><channel xml:base="https://b.example.org/x/">'),
    ("item", '<rss version="2.0" lang="ru"><channel>'),
    ("item", '<rss xmlns="http://backend.userland.com/rss2" version="2.0"><channel>'),
    ("item", "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"),
    ("entry", ATOM),
    ("entry", "<feed\n\txmlns='http://www.w3.org/2005/Atom'\n\txml:base='https://b.example.org/x/'>"),
    (
        "entry",
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='' xml:base=\"https://b.example.org/a?b\">",
    ),
    ("entry", '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang=" uk " xml:base="/relative/">'),
    ("entry", '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example.org/a&amp;b/">'),
    ("entry", '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example.org/a\nb/">'),
    ("entry", '<feed xmlns="http://www.w3.org/2005/Atom" xml:BASE="https://b.example.org/x/" xml:Lang="de">'),
    ("item", '<rss version="2.0" BASE="https://b.example.org/x/"><channel LANG="de">'),
    ("item", '<rss version="2.0"><channel xml:lang=" ">'),
]
WORDS = st.lists(
    st.sampled_from(
        "word слово &amp; &lt;b&gt; &lt;/b&gt; &amp;nbsp; &quot; < > ; & é Ã© \x80 \u2028 \n \t ]] &#65;"
        " &#x1f; &#11; <author> <category> 😀 https://e.org/?a=1&amp;b=2 /relative ../up a@e.org (x)"
        " javascript:x # <br> <!--x-->".split(" ")
    ),
    max_size=4,
).map(" ".join)
TEXT = WORDS | WORDS.map(lambda words: f"<![CDATA[{words}]]>") | st.just("word") | st.just("https://e.org/1")
DATES = st.sampled_from(["Sun, 01 Feb 2026 10:00:00 GMT", "2026-02-01T10:00:00Z", "yesterday", "2026"])
LINKS = st.sampled_from(
    ["<link>https://e.org/1</link>", "<link> /2 </link>", "<link>https://e.org/?a=1&amp;b=2</link>"]
)
HREFS = st.sampled_from(
    [
        '<link href="https://e.org/1"/>',
        '<link rel="alternate" type="text/html" href="/2"/>',
        '<link href="3"></link>',
        '<link rel="self" href="4"/>',
        '<link href="https://e.org/\n/7"/>',
        '<link rel="related" href="5"/>',
        '<link rel="alternate" type="application/json" href="6"/>',
    ]
)


def element(name: str, *attributes: str) -> st.SearchStrategy[str]:
    closes = name.split(" ", maxsplit=1)[0]
    return st.tuples(st.sampled_from(["", *attributes]), TEXT).map(
        lambda parts: f"<{name}{parts[0]}>{parts[1]}</{closes}>"
    )


ITEM = st.lists(
    st.one_of(
        LINKS,
        element("title", ' type="html"'),
        element("guid", ' isPermaLink="true"', ' isPermaLink="false"', ' isPermaLink="no"'),
        element("description"),
        element("content:encoded"),
        element("dc:creator"),
        st.just(f"<dc:creator>{'Some Body ' * 110}</dc:creator>"),
        element("category", ' domain="x"'),
        element("comments"),
        element("author"),
        DATES.map("<pubDate>{}</pubDate>".format),
        st.just('<enclosure url="https://e.org/a.mp3" length="1"/>'),
        st.just('<media:content url="https://e.org/a.jpg" />'),
        st.just("<item/>"),
    ),
    max_size=6,
)
ENTRY = st.lists(
    st.one_of(
        HREFS,
        element("title", ' type="html"', ' type="text"', ' type="xhtml"', ' type=""'),
        element("id"),
        element("content", ' type="html"', ' type="text"', ' xml:lang="de"'),
        element("summary", ' type="html"'),
        DATES.map("<updated>{}</updated>".format),
        DATES.map("<published>{}</published>".format),
        TEXT.map("<author><name>{}</name></author>".format),
        st.just("<author><name>Somebody</name><uri>https://e.org/</uri></author>"),
        st.just('<category term="x"/>'),
    ),
    max_size=6,
)


def plainly(opening: str, name: str, entry: str) -> Entry | None:
    return read_plain(f"<{name}>{entry}", opening, URL, "uk")


def by_feedparser(opening: str, name: str, entry: str) -> Entry | None:
    closing = "</feed>" if name == "entry" else "</channel></rss>"
    try:
        document = read_xml(f"{opening}<{name}>{entry}</{name}>{closing}", URL, "uk")
    except SourceUnreadable:
        return None
    return document.entries[0] if document.sound and len(document.entries) == 1 else None


def alike(opening: str, name: str, *entries: str) -> bool:
    """Tell whether each entry is read as by feedparser, or left to it."""
    return all(plainly(opening, name, one) in {None, by_feedparser(opening, name, one)} for one in entries)


@settings(max_examples=500, deadline=None)
@given(st.permutations(["<link>https://e.org/1</link>", "<title>One</title>"]), ITEM)
@example(["<title>&lt;b&gt;x&lt;/b&gt;</title>", "<link>/a</link>"], ["<guid>b</guid>"])
def test_an_item_is_what_feedparser_reads(usual: list[str], parts: list[str]) -> None:
    kept = [part for part in parts if not part.startswith(("<title", "<link"))]
    assert alike(RSS, "item", "".join([*usual, *kept]), "".join([*kept, *usual[::-1]]), "\n".join(parts))


@settings(max_examples=500, deadline=None)
@given(st.permutations(['<link href="https://e.org/1"/>', "<title>One</title>"]), ENTRY)
def test_an_entry_is_what_feedparser_reads(usual: list[str], parts: list[str]) -> None:
    kept = [part for part in parts if not part.startswith(("<title", "<link"))]
    assert alike(ATOM, "entry", "".join([*usual, *kept]), "".join([*kept, *usual[::-1]]), "\n".join(parts))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OPENINGS), st.data())
def test_an_entry_inherits_what_feedparser_lets_it_inherit(
    around: tuple[str, str], data: st.DataObject
) -> None:
    name, opening = around
    title = "<title>Один</title>"
    if name == "item":
        entry = [title, data.draw(LINKS), *data.draw(ITEM)]
    else:
        entry = [title, data.draw(HREFS), *data.draw(ENTRY)]
    assert alike(opening, name, "".join(entry))


@pytest.mark.parametrize(
    ("opening", "name", "entry"),
    [
        (OPENINGS[10][1], "entry", '<title>One</title><link href="1"/><id>a</id>'),
        (OPENINGS[11][1], "entry", '<title>One</title><link href="1"/><id>a</id>'),
        (OPENINGS[12][1], "item", "<title>One</title><link>1</link><guid>a</guid>"),
        (ATOM, "entry", '<title>One</title><link href="https://e.org/\n/1"/>'),
        (ATOM, "entry", '<title type="">&lt;b&gt;One&lt;/b&gt;</title><link href="1"/>'),
        (ATOM, "entry", '<title><![CDATA[An <author> &#x1f; of a <category>]]></title><link href="1"/>'),
        (RSS, "item", f"<title>One</title><link>1</link><dc:creator>{'Some Body ' * 110}</dc:creator>"),
    ],
)
def test_what_feedparser_would_read_otherwise_is_left_to_it(opening: str, name: str, entry: str) -> None:
    assert plainly(opening, name, entry) is None


def test_a_language_that_is_none_is_inherited_as_none() -> None:
    opening, entry = OPENINGS[13][1], "<title>One</title><link>1</link>"
    assert plainly(opening, "item", entry) == by_feedparser(opening, "item", entry) is not None


@pytest.mark.parametrize("opening", [opening for name, opening in OPENINGS if name == "entry"][1:3])
def test_base_and_language_of_a_feed_are_inherited_without_feedparser(opening: str) -> None:
    entry = '<title>One</title><link href="../1"/><content type="html">x</content>'
    assert plainly(opening, "entry", entry) == by_feedparser(opening, "entry", entry) is not None


@pytest.mark.parametrize(
    ("opening", "name", "entry"),
    [
        (
            RSS,
            "item",
            (
                "<title><![CDATA[One & two]]></title>\n<link>https://e.org/1</link><guid>/g</guid>"
                "<description>&lt;p&gt;Text&lt;/p&gt;</description><dc:creator>Somebody</dc:creator>"
                "<category>news</category><pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate>"
            ),
        ),
        (
            ATOM,
            "entry",
            (
                '<title type="html">One</title><link href="/1"/><id>urn:1</id>'
                "<updated>2026-02-01T10:00:00Z</updated>"
                '<author><name>Somebody</name></author><content type="html">x</content>'
            ),
        ),
    ],
)
def test_the_usual_entry_needs_no_feedparser(opening: str, name: str, entry: str) -> None:
    assert plainly(opening, name, entry) == by_feedparser(opening, name, entry) is not None
