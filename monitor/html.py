"""HTML as it comes from feeds and pages, turned into plain text with line breaks and links.

Everything here is a pure function that never raises on any string. What comes out holds no markup,
no control characters, no lone surrogates and no invisible characters that could hide or reorder text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.text import encodable

MAX_MARKUP: Final = 500_000  # characters of markup that are looked at; a news article has about 20,000
MAX_TAGS: Final = 5_000  # the parser's time grows with the square of the nesting: 5,000 deep is 50 ms
MAX_LINKS: Final = 100
MAX_URL: Final = 2_000

# Zero-width spaces and joints, the soft hyphen, and the controls that turn the direction of writing:
# words look whole with them and match nothing. U+200C and U+200D stay, since scripts and emoji need them.
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INLINE_SPACE = re.compile(r"[^\S\n]{2,}|[^\S\n ]")  # passes over the single spaces, which are most
_SPACE = re.compile(r"\s{2,}|[^\S ]")
_MANY_BREAKS = re.compile(r"\n{3,}")
_TAG = re.compile(r"<[A-Za-z/!?]")
# What formats text and is left open is copied into each paragraph that follows.
_FORMATTING = re.compile(
    r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.ASCII | re.IGNORECASE
)
_MOST_FORMATTED: Final = 200  # tags
_LINE_ENDS = re.compile(r"[ ]*\r[\r ]*")
_ENDED_TWICE = re.compile(r"\r*\n\r*")
_URL = re.compile(r"https?://[^\s<>\"«»„“”]+", re.IGNORECASE)
_WHOLE = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]+)?(?:/[\w./~%+@:,=&-]*(?:\?[\w./~%+@:,=&-]+)?)?", re.ASCII
)
_URL_TAIL = ".,;:!?…'’*"

_SILENT_TAGS: Final = (
    "script style head title template noscript iframe object svg math select textarea button audio video "
    "canvas"
)
_PARAGRAPH_TAGS: Final = "p h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote table figure hr article section"
_LINE_TAGS: Final = (
    "div li dt dd tr figcaption caption header footer aside main nav address details summary form fieldset "
    "body html center"
)
_SILENT: Final = frozenset(_SILENT_TAGS.split())
_BREAKS: Final = (
    {"br": "\n", "td": " ", "th": " "}
    | dict.fromkeys(_PARAGRAPH_TAGS.split(), "\n\n")
    | dict.fromkeys(_LINE_TAGS.split(), "\r")
)
"""What stands for a tag in the text; "\\r" ends a line once, however many of them meet."""


class Plain(NamedTuple):
    """Plain text, and the http(s) URLs that it linked to: in order, each once."""

    text: str
    links: tuple[str, ...] = ()


def clean(text: str) -> str:
    r"""Return `text` in NFC with "\n" as its only line break, and nothing in it that cannot be seen.

    Halves of surrogate pairs that stand side by side are joined; lonely ones become U+FFFD.
    """
    if text.isprintable():  # what is not seen is not printable, nor is any space but the usual one
        return unicodedata.normalize("NFC", text)
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _BREAK.sub("\n", text)
    text = _UNSEEN.sub("", _CONTROL.sub(" ", text))
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """Return `text` cleaned, on one line, with single spaces."""
    text = clean(text)
    return (text if _is_tidy(text) else _SPACE.sub(" ", text)).strip()


def paragraphs(text: str) -> str:
    """Return `text` cleaned, its lines stripped, with at most one empty line in a row."""
    text = clean(text)
    if _is_tidy(text):
        return text.strip()
    text = _INLINE_SPACE.sub(" ", text)
    lines = (line.strip() for line in text.split("\n"))
    return _MANY_BREAKS.sub("\n\n", "\n".join(lines)).strip()


def _is_tidy(text: str) -> bool:
    """Tell whether a text has no spaces but single usual ones, and no breaks."""
    return text.isprintable() and "  " not in text


def plain_text(text: str) -> Plain:
    """Return text that is no HTML, tidied, with the URLs that are written out in it."""
    tidy = paragraphs(text[:MAX_MARKUP])
    if "://" not in tidy:
        return Plain(tidy)
    return Plain(tidy, _each_once(found.group().rstrip(_URL_TAIL) for found in _URL.finditer(tidy)))


def read_html(markup: str, base: str = "") -> Plain:
    """Return the text of an HTML fragment or page, with line breaks where a browser shows them.

    Relative links are resolved against `base`, and left out where there is none. Markup beyond
    `MAX_MARKUP` characters is not looked at.
    """
    markup = markup[:MAX_MARKUP]
    if not _TAG.search(markup):
        return plain_text(unescape(markup))
    node = parse_html(markup, fragment=True, unformatted=True).root
    pieces: list[str] = []
    addresses: list[str] = []
    while node is not None:
        _collect(node, pieces, addresses)
        node = node.next
    return _plain(pieces, addresses, base)


def parse_html(
    markup: str, tags: int = MAX_TAGS, *, fragment: bool = False, unformatted: bool = False
) -> LexborHTMLParser:
    """Return `markup` as a tree, cut off before the tag that would be one more than `tags`.

    A fragment is parsed several times faster, as what stands in a body: its root is the first of its nodes.
    `unformatted` makes a span of each <b> and the like, where tags are many: without that a few kilobytes can
    take a gigabyte.
    """
    if unformatted and markup.count("<") > _MOST_FORMATTED:
        markup = _FORMATTING.sub(r"<\1span", markup)
    if markup.count("<") > tags:
        excess = next(islice(_TAG.finditer(markup), tags, None), None)
        markup = markup[: excess.start()] if excess else markup
    return LexborHTMLParser(_encodable(markup), is_fragment=fragment)


def read_node(root: LexborNode, base: str = "") -> Plain:
    """Return what `read_html` would, for a part of a parsed page."""
    pieces: list[str] = []
    addresses: list[str] = []
    _collect(root, pieces, addresses)
    return _plain(pieces, addresses, base)


def web_address(address: str, base: str = "") -> str:
    """Return `address` as an absolute http(s) URL, resolved against `base`; "" where it is none."""
    if is_whole(address):
        return address
    address = clean(address).strip().replace("\n", "")
    if not address or address.startswith("#"):
        return ""
    try:
        joined = urljoin(base, address)
        parts = urlsplit(joined)
        usable = parts.scheme in {"http", "https"} and parts.hostname and len(joined) <= MAX_URL
    except ValueError:
        return ""
    return joined.replace(" ", "%20") if usable else ""


def is_whole(address: str) -> bool:
    """Tell whether an address is an absolute http(s) URL of the usual kind, which joining leaves as it is."""
    return len(address) <= MAX_URL and bool(_WHOLE.fullmatch(address))


def _collect(root: LexborNode, pieces: list[str], addresses: list[str]) -> None:
    """Add the text of a node, with marks for its breaks, and the addresses that it links to."""
    preformatted = 0
    for tag, node, opens in _walk(root):
        if tag == "-text":
            if opens:
                text = node.text_content or ""
                pieces.append(text.replace("\r", "") if preformatted else _SPACE.sub(" ", text))
        elif tag == "a":
            if opens:
                addresses.append(node.attributes.get("href") or "")
        elif tag in _BREAKS:
            pieces.append(_BREAKS[tag] if opens or tag != "br" else "")
            if tag == "pre":
                preformatted += 1 if opens else -1


def _walk(root: LexborNode) -> Iterator[tuple[str, LexborNode, bool]]:
    """Yield each node with its tag on the way in (True) and on the way out (False), at any depth."""
    tag = root.tag or ""
    trail = [(tag, root)]
    yield tag, root, True
    node = None if tag in _SILENT else root.first_child
    while trail:
        if node is not None:
            tag = node.tag or ""
            trail.append((tag, node))
            yield tag, node, True
            node = None if tag in _SILENT else node.first_child
        else:
            tag, left = trail.pop()
            yield tag, left, False
            node = left.next if trail else None


def _plain(pieces: list[str], addresses: list[str], base: str) -> Plain:
    """Return what was collected as plain text and absolute links."""
    return Plain(_lay_out(pieces), _each_once(web_address(address, base) for address in addresses))


def _lay_out(pieces: list[str]) -> str:
    r"""Return the pieces joined; "\r" stands for a line that must end, and ends it once."""
    text = _LINE_ENDS.sub("\r", "".join(pieces))
    return paragraphs(_ENDED_TWICE.sub("\n", text))


def _each_once(addresses: Iterator[str]) -> tuple[str, ...]:
    """Return the addresses that are not empty, each once, at most `MAX_LINKS`."""
    return tuple(dict.fromkeys(address for address in addresses if address))[:MAX_LINKS]


def _encodable(markup: str) -> str:
    """Return `markup` without lone surrogates and NULs, which the parser cannot take."""
    return encodable(markup).replace("\0", "")
