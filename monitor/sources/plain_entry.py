"""Entries of the plainest shape, read without feedparser, several times faster.

feedparser stays the authority: only what is certain to mean the same to it is read here (a few well-known
elements, each once, with no markup inside and nothing inherited), and a property test compares the two.
Everything else is None, and goes to feedparser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from html import unescape
from typing import Final, NamedTuple

import feedparser

from monitor.html import Plain, is_whole, one_line, plain_text, read_html, web_address
from monitor.sources.entries import Entry, language_code
from monitor.sources.envelope import MOST_AUTHOR, is_tame, with_numbers_checked
from monitor.sources.pieces import USUAL
from monitor.sources.xml_feed import date_of

_ATTRIBUTE: Final = r"\s+[A-Za-z]+=\"[^\"<&\t\r\n]*\""  # in a value XML makes a space of each break
_CHILD = re.compile(
    rf"\s*<([A-Za-z:]+)((?:{_ATTRIBUTE})*)\s*"
    r"(?:/>|>(?:<!\[CDATA\[((?:(?!\]\]>).)*)\]\]>|([^<]*))</\1>)",
    re.DOTALL,
)
_NAMED = re.compile(r"\s*<author>\s*<name>([^<&]*)</name>\s*(?:<uri>[^<&]*</uri>\s*)?</author>")
_START = re.compile(r"<(?:item|entry)>")
_ATTRIBUTES = re.compile(r"([A-Za-z]+)=\"([^\"]*)\"")
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos);")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # changed on the way through XML
_LONG: Final = 2_000  # characters: longer opening tags are not worth remembering
_OPENING = re.compile(
    r"(?:<(?:rss|channel|feed)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<&\t\r\n]*\"|'[^'<&\t\r\n]*'))*)\s*>)+",
    re.ASCII,
)
_DECLARED = re.compile(r"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.ASCII)
_ATOM: Final = "http://www.w3.org/2005/Atom"
_TYPES: Final = {"text": "text/plain", "html": "text/html"}
_PERMALINK: Final[Mapping[str, bool]] = {
    "": True,
    ' isPermaLink="true"': True,
    ' isPermaLink="false"': False,
}
_RSS: Final = {
    "title": "title",
    "link": "link",
    "guid": "guid",
    "pubDate": "published",
    "description": "summary",
    "content:encoded": "content",
    "dc:creator": "author",
}
_REFUSED: Final = {"link": ";", "dc:creator": "@"}  # which feedparser looks at more closely
_DATES: Final = ("published", "updated")
_RSS_IGNORED: Final = frozenset(
    {
        "category",
        "comments",
        "slash:comments",
        "wfw:commentRss",
        "enclosure",
        "media:content",
        "media:thumbnail",
    }
)
_EMPTY_ONLY: Final = frozenset({"enclosure", "media:content", "media:thumbnail"})
_ATOM_TEXTS: Final = frozenset({"title", "id", "updated", "published", "summary", "content"})


class _Around(NamedTuple):
    """What an entry inherits from the tags that enclose it."""

    rss: bool
    prefixes: frozenset[str]  # those that mean here what they mean to everybody
    base: str
    language: str


def read_plain(text: str, opening: str, url: str, language: str) -> Entry | None:
    """Return an entry that stands in `opening` in a document at `url`; None where it is not so plain."""
    around = None if _ODD.search(text) or len(opening) > _LONG else _around(opening, url)
    if around is None:
        return None
    found = _children(with_numbers_checked(text), around)
    if found is None or not {"title", "link"} <= found.keys():
        return None
    return _entry(found, around.base, around.language or language)


@lru_cache(maxsize=4_096)  # feeds: their opening tags stay the same
def _around(opening: str, url: str) -> _Around | None:
    """Return what the entries in `opening` inherit; None where there is more to it."""
    declared = [(name, one or other) for name, one, other in _DECLARED.findall(opening)]
    attributes, rss = dict(declared), opening.startswith("<rss")
    inherited = {name for name in attributes if name.lower().endswith(("base", "lang"))}
    if (
        inherited - {"xml:base", "xml:lang"}
        or len(attributes) < len(declared)
        or not _OPENING.fullmatch(opening)
    ):
        return None
    if attributes.get("xmlns") != (None if rss else _ATOM):
        return None
    usual = frozenset(prefix for prefix in USUAL if attributes.get(f"xmlns:{prefix}") == USUAL[prefix])
    return _Around(rss, usual, _base(url, attributes.get("xml:base", "")), attributes.get("xml:lang", ""))


def _children(text: str, around: _Around) -> dict[str, tuple[str, str]] | None:
    """Return the type and the text of each element that counts; None where there is anything else."""
    start = _START.match(text)
    at = start.end() if start else len(text) + 1
    read = _of_rss if around.rss else _of_atom
    found: dict[str, tuple[str, str]] = {}
    while at < len(text):
        child = _CHILD.match(text, at) or _NAMED.match(text, at)
        if child is None:
            return None if text[at:].strip(" \t\n") or not found else found
        at = child.end()
        if child.re is _CHILD and child.group(2) and _has_one_twice(child.group(2)):
            return None
        one = _named(child) if child.re is _NAMED else read(child, around)
        if one is None or (one[0] and one[0] in found):
            return None
        if one[0]:
            found[one[0]] = one[1:]
    return found if found and at == len(text) else None


def _has_one_twice(attributes: str) -> bool:
    """Tell whether an attribute stands in a tag more than once."""
    names = [name for name, _ in _ATTRIBUTES.findall(attributes)]
    return len(set(names)) < len(names)


def _named(child: re.Match[str]) -> tuple[str, str, str] | None:
    """Return the author of an Atom entry."""
    name = child.group(1).strip()
    return ("author", "", name) if name and _survives(name) and len(child.group()) <= MOST_AUTHOR else None


def _of_rss(child: re.Match[str], around: _Around) -> tuple[str, str, str] | None:
    """Return what an element of an RSS item is, its type and its text; "" where it does not count."""
    name, attributes, prefix = child.group(1), child.group(2), child.group(1).rpartition(":")[0]
    if prefix and prefix not in around.prefixes:
        return None
    value = _value(child)
    if name in _RSS_IGNORED:
        is_empty = child.group().endswith("/>")
        return ("", "", "") if is_empty or (value is not None and name not in _EMPTY_ONLY) else None
    too_long = name == "dc:creator" and len(child.group()) > MOST_AUTHOR
    if name not in _RSS or not value or value.count(_REFUSED.get(name, "\0")) or too_long:
        return None
    if name == "guid":
        return ("guid", attributes, value) if attributes in _PERMALINK else None
    if name == "title" and not _looks_like_html(value):
        return None if attributes else ("title", "text/plain", value)
    return None if attributes else (_RSS[name], "text/html", value)


def _of_atom(child: re.Match[str], _: _Around) -> tuple[str, str, str] | None:
    """Return what an element of an Atom entry is, as `_of_rss` does."""
    name, attributes = child.group(1), dict(_ATTRIBUTES.findall(child.group(2)))
    if name == "link":
        return _link(attributes) if child.group().endswith(("/>", "></link>")) else None
    if name == "category":
        return ("", "", "") if child.group().endswith("/>") else None
    value = _value(child)
    if name not in _ATOM_TEXTS or not value:
        return None
    if name in {"title", "summary", "content"}:
        kind = _TYPES.get(attributes.pop("type", "text"))
        return None if attributes or kind is None else (name, kind, value)
    return None if attributes else ("guid" if name == "id" else name, "", value)


def _link(attributes: dict[str, str]) -> tuple[str, str, str] | None:
    """Return the link of an Atom entry to its page; those to other things are nothing."""
    href, rel = attributes.pop("href", ""), attributes.pop("rel", "alternate")
    kind = attributes.pop("type", "text/html")
    if rel in {"self", "edit", "replies", "enclosure"}:
        return "", "", ""
    if rel != "alternate" or kind != "text/html" or attributes or not href or not href.isascii():
        return None
    return "link", "", href


def _entry(found: Mapping[str, tuple[str, str]], base: str, language: str) -> Entry | None:
    """Return what the elements say, put together as feedparser does."""
    attributes, guid = found.get("guid", ("", ""))
    link = _joined(base, found["link"][1])
    bodies = [_plain(found[name], base) for name in ("content", "summary") if name in found]
    return Entry(
        guid=one_line(_joined(base, guid) if guid and _PERMALINK[attributes] else guid),
        link=web_address(link, base) if link else "",
        title=one_line(_plain(found["title"], base).text),
        body=max(bodies, key=lambda plain: len(plain.text)) if bodies else Plain(""),
        published=_date(found),
        author=found.get("author", ("", ""))[1],
        language=language_code(language),
    )


def _joined(base: str, link: str) -> str:
    """Return a link resolved as by feedparser, or keys would differ."""
    return link if is_whole(link) else feedparser.mixin._urljoin(base, link)  # noqa: SLF001


def _date(found: Mapping[str, tuple[str, str]]) -> datetime | None:
    """Return when an entry was published, else updated."""
    dates = (feedparser.datetimes._parse_date(found[name][1]) for name in _DATES if name in found)  # noqa: SLF001
    return date_of(dates)


def _plain(detail: tuple[str, str], base: str) -> Plain:
    """Return a text by its type."""
    kind, value = detail
    return read_html(value, base) if kind == "text/html" else plain_text(value)


def _value(child: re.Match[str]) -> str | None:
    """Return the text of an element as feedparser has it; None where it would mend it."""
    cdata, text = child.group(3), child.group(4)
    if cdata is not None and not is_tame(cdata):
        return None
    if cdata is None:
        text = text or ""
        if "]]>" in text or text.count("&") != len(_REFERENCE.findall(text)):
            return None
        cdata = unescape(text)
    value = cdata.strip()
    return value if _survives(value) else None


def _survives(value: str) -> bool:
    """Tell whether feedparser leaves a text alone that might be UTF-8 read as Latin-1."""
    if value.isascii():
        return True
    try:
        value.encode("iso-8859-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return True
    return False


def _looks_like_html(value: str) -> bool:
    """Tell whether feedparser takes a text for markup."""
    return bool(feedparser.mixin._FeedParserMixin.looks_like_html(value))  # noqa: SLF001 - the same judgement


def _base(url: str, declared: str) -> str:
    """Return what feedparser resolves relative links against, where the tags around declare an xml:base."""
    safe = feedparser.mixin.make_safe_absolute_uri
    base: str = safe("", url) or safe(url)
    base = safe(base, declared or base) or base
    return safe(base, base) or base
