"""Lists of feeds come in from any reader and go out to any; nothing in them can hurt."""

from __future__ import annotations

import pytest
from builders import NOW, source
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.errors import OpmlInvalid
from monitor.html import one_line
from monitor.model import Source
from monitor.opml import LARGEST, MOST, Outline, parse, render
from monitor.sources.outlines import drafts

READER = """<?xml version="1.0" encoding="utf-8"?>
<opml version="1.0"><head><title>Subscriptions</title><outline/></head><body>
  <outline text="Медіа" title="Медіа">
    <outline text="Kyiv" >
      <outline type="rss" text="Правда" title="Українська правда" xmlUrl="https://www.pravda.com.ua/rss/"
        htmlUrl="https://www.pravda.com.ua/" language="uk"/>
    </outline>
    <outline text="Only a text" XMLURL=" https://example.org/a " category="/World/Ukraine,war,Медіа"/>
  </outline>
  <outline title="No folder" text="" xmlUrl="https://example.org/b?x=1&amp;y=2"/>
  <outline text="A link" type="link" url="https://example.org/"/>
</body></opml>"""


def opml(body: str) -> bytes:
    return f'<opml version="2.0"><body>{body}</body></opml>'.encode()


def test_a_list_of_another_reader_is_read_with_its_folders_as_tags() -> None:
    assert parse(READER.encode()) == (
        Outline("https://www.pravda.com.ua/rss/", "Українська правда", ("Медіа", "Kyiv"), "uk"),
        Outline("https://example.org/a", "Only a text", ("Медіа", "World", "Ukraine", "war")),
        Outline("https://example.org/b?x=1&y=2", "No folder"),
    )


def test_a_feed_without_an_address_is_an_entry_and_a_folder_is_none() -> None:
    within = '<outline text="Feed" xmlUrl="https://a.org/"/><outline text="Bare" type="rss"/>'
    found = parse(opml(f'<outline text="No" type="rss"/><outline text="F" type="rss">{within}</outline>'))
    assert found == (Outline("", "No"), Outline("https://a.org/", "Feed", ("F",)), Outline("", "Bare"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1251"])
def test_a_list_in_another_character_set_reads_the_same(encoding: str) -> None:
    declared = READER.replace('"utf-8"', f'"{encoding.removesuffix("-sig")}"')
    assert parse(declared.encode(encoding)) == parse(READER.encode())


def test_addresses_with_bare_ampersands_are_read_as_they_are_meant() -> None:
    found = parse(opml('<outline text="A&amp;B" xmlUrl="https://example.org/?a=1&b=2&amp;c=3&#38;d=4"/>'))
    assert found == (Outline("https://example.org/?a=1&b=2&c=3&d=4", "A&B"),)


BILLION = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITY = '<opml><body><outline text="&x;" xmlUrl="https://a.org/"/></body></opml>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"not xml", "broken in line 1"),
        (opml("\n<outline text='x'"), "broken in line 2"),
        (opml("<outline></body>"), "broken"),
        (b"<rss version='2.0'></rss>", "a feed, and no OPML"),
        (b"<html></html>", "a page, and no OPML"),
        (b"<note/>", "begins with <note>"),
        (f'<!DOCTYPE o [<!ENTITY l0 "lol">{BILLION}]>{ENTITY.replace("x", "l9")}'.encode(), "entities"),
        (f'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]>{ENTITY}'.encode(), "entities"),
        (f'<!DOCTYPE o [<!ENTITY % x SYSTEM "http://127.0.0.1/">%x;]>{ENTITY}'.encode(), "entities"),
        (opml("&nbsp;"), "undefined entity"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "broken|character set"),
        (b'<?xml version="1.0" encoding="gb2312"?><opml/>', "broken|character set"),
        (opml("<outline text='x'>" * 60 + "</outline>" * 60), "more than 50 deep"),
        (opml('<outline xmlUrl="https://a.org/"/>' * (MOST + 1)), "more than 5000"),
        (opml('<outline type="rss"/>' * (MOST + 1)), "more than 5000"),
        (b" " * (LARGEST + 1), "larger than 1 MB"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(OpmlInvalid, match=why) as refused:
        parse(data)
    assert len(str(refused.value).splitlines()) == 1


@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>/opml outline=\"'&;x!DOCTYPE[]%", max_size=80).map(str.encode)
)
def test_whatever_comes_is_a_list_or_a_sentence(data: bytes) -> None:
    try:
        parse(data)
    except OpmlInvalid as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 -- either is right
    parse(opml(""))


WORDS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=",/"), min_size=1, max_size=20
)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join).map(one_line).filter(bool)
SOURCES = st.builds(
    Source,
    id=st.just(""),
    name=NAMES,
    kind=st.just("feed"),
    address=st.from_regex(r"https://example\.org/[a-zа-я0-9?&=;'%/-]{0,30}", fullmatch=True),
    tags=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    language=st.sampled_from([None, "uk", "en"]),
    trusted=st.booleans().filter(lambda on: not on),
    added_by=st.just("me"),
) | st.builds(
    Source,
    id=st.just(""),
    name=NAMES,
    kind=st.just("channel"),
    address=st.from_regex(r"[A-Za-z][A-Za-z0-9_]{5,20}", fullmatch=True),
    tags=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    trusted=st.booleans().filter(lambda on: not on),
    added_by=st.just("me"),
)


@given(st.lists(SOURCES, max_size=5))
@example(
    [source("", address="https://example.org/", trusted=False, added_by="me", tags=("word " * 16 + "end",))]
)
def test_what_was_exported_is_imported_as_the_same(sources: list[Source]) -> None:
    found, refused = drafts(parse(render(sources, NOW).encode()), added_by="me", private_hosts=())
    key = repr
    assert sorted(found, key=key) == sorted(sources, key=key)
    assert refused == []


def test_names_that_no_xml_can_hold_do_not_break_the_list() -> None:
    strange = [source(name="a\0b\x1b\ud800<&\"'>\n\uffff"), source(tags=("a,b", "c/d"))]
    titles = [outline.title for outline in parse(render(strange, NOW).encode())]
    assert titles == ["ab<&\"'>", "Example News"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("file:///etc/passwd", "scheme"),
        ("https://me:pw@example.org/", "login"),
        ("http://127.0.0.1/feed", "private"),
        ("http://localhost:8080/feed", "private"),
        ("http://[::1]/feed", "private"),
        ("http://0x7f.1/feed", "private"),
        ("http://2130706433/feed", "private"),
        ("http://nas.local/feed", "private"),
        ("http://169.254.169.254/latest", "private"),
    ],
)
def test_an_address_that_may_not_be_read_is_refused_alone(address: str, why: str) -> None:
    outlines = [Outline(address, "Bad"), Outline("https://example.org/feed", "Good")]
    found, refused = drafts(outlines, added_by="me", private_hosts=())
    assert [one.name for one in found] == ["Good"]
    ((_, said),) = refused
    assert said == why


def test_a_private_address_that_is_read_already_is_no_reason_to_refuse_however_long_it_is() -> None:
    long = f"http://127.0.0.1/{'x' * 200}"
    outlines = [Outline(f"{long}/"), Outline(f"{long}y")]
    found, refused = drafts(outlines, added_by="me", private_hosts=(), known=[source(address=long)])
    assert [one.address for one in found] == [f"{long}/"]
    assert len(refused) == 1


def test_a_private_host_that_the_config_allows_is_no_reason_to_refuse() -> None:
    outlines = [Outline("http://127.0.0.1:8080/feed"), Outline("http://nas.local/feed")]
    found, refused = drafts(outlines, added_by="me", private_hosts=("127.0.0.1", "nas.local"))
    assert (len(found), refused) == (2, [])
