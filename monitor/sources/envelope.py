"""The outside of a document: its character set, what stands before its root, and where its entries are."""

from __future__ import annotations

import codecs
import re
import sys
from itertools import pairwise
from typing import Final

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How "<" looks without a byte order mark (XML 1.0, appendix F.1).
_WIDE: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_TEXT_CODECS: Final = (
    "cp",
    "iso8859",
    "koi8",
    "mac",
    "gb",
    "big5",
    "euc",
    "shift",
    "utf-16",
    "utf-32",
    "ascii",
)
_LATIN: Final = frozenset({"cp1252", "iso8859-1", "iso8859-15", "ascii"})
_HIGH = re.compile(rb"[\xa5-\xff]")
_HIGH_RUN = re.compile(rb"[\xa5-\xff]{3,}")
_CYRILLIC_CAPITALS_OR_KOI8 = re.compile(rb"[\xc0-\xdf]")
_CYRILLIC_SMALL_OR_KOI8 = re.compile(rb"[\xe0-\xff]")

_HALVES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # XML 1.0, production 2
_NUMBERED = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,12})|([0-9]{1,12}));?")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{13,};?")
_DOCTYPE_MARK = re.compile(r"[\"'\[\]>]|<!--|<\?")
_EMPTY_ROOT = re.compile(r"<[^<>]*/>")
_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_COSTLY = re.compile(
    r"(</?(?:[\w.-]+:)?)(category|subject|keywords|tags|(author|creator|managingeditor|webmaster|publisher))(?=[\s>/])",
    re.IGNORECASE,
)
RELATIVE_BASE = re.compile(r"\bbase(?=\s*+=\s*+[\"']?+\s*+(?!https?://))", re.IGNORECASE)
AUTHOR = re.compile(
    r"</?(?:[\w.-]+:)?(?:author|creator|managingeditor|webmaster|publisher)(?=[\s>/])", re.IGNORECASE
)
MOST_AUTHOR: Final = 1_000  # characters, with the tags inside
_MOST_BASES: Final = 100
_DATE = re.compile(r"<(?:pubDate|published|updated|dc:date)(?:\s[^<>]*)?>\s*+([^<]{1,100}+)<")
_BARE_AMPERSAND = re.compile(r"&(?!#\d+;|#[xX][0-9a-fA-F]+;|[A-Za-z]\w*;)")
_LITERAL_OR_BARE = re.compile(
    rf"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|{_BARE_AMPERSAND.pattern}", re.DOTALL
)
ENTRY = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
ENTRY_END = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)


def decoded(body: bytes, content_type: str) -> str:
    """Return a body as text, whatever it says about its character set.

    A byte order mark wins. Bytes that are UTF-8 throughout are UTF-8, since nothing else looks like it by
    chance, and so are those of which half are, where nothing else is declared. Otherwise the document's own
    declaration counts before the header's, unless it names a Latin set and the bytes are plainly Cyrillic:
    the Latin ones are what servers say when nobody set them up.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for start, name in _WIDE:
        if body.startswith(start):
            return body.decode(name, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded_otherwise(_HALVES.sub(_joined, body), content_type)


def _joined(found: re.Match[bytes]) -> bytes:
    """Return a character whose two halves are written apart as UTF-8 has it (CESU-8, Unicode TR 26)."""
    halves = found.group().decode("utf-8", "surrogatepass")
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


def parseable(text: str) -> str:
    """Return `text` without the characters that XML forbids, raw or as numbers (XML 1.0, production 2)."""
    return with_numbers_checked(_FORBIDDEN.sub(" ", text))


def with_numbers_checked(text: str) -> str:
    """Return `text` without the characters that XML forbids where they are written as numbers."""
    if "&#" not in text:
        return text
    return _NUMBERED.sub(_checked_number, _LONG_NUMBER.sub("\ufffd", text))


def with_ampersands(text: str) -> str:
    """Return a document with each "&" that begins no reference as "&amp;", which is what its author meant.

    XML has no such "&" (1.0, 2.4), but feeds do. Of "AT&T sells" feedparser would make "AT&T; sells".
    """
    if not _BARE_AMPERSAND.search(text):
        return text
    return _LITERAL_OR_BARE.sub(lambda found: "&amp;" if found.group() == "&" else found.group(), text)


def without_prolog(text: str) -> str:
    """Return a document from its root element on: without declaration, comments and DOCTYPE.

    So no entity is ever declared: neither a bomb nor a reference to a file or an address means anything.
    Returns "" where there is no root.
    """
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<?", at):
            at = _after(text, "?>", at)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at)
        elif text.startswith("<!", at):
            at = _after_doctype(text, at + 2)
        elif _NAME.match(text, at):
            return text[at:]
        else:
            at += 1
    return ""


def tamed(text: str) -> str:
    """Return a document without what costs feedparser time that grows with the square of its length.

    These are categories (each is compared with all before it; items have none), the names of authors
    beyond 1,000 characters (searched for an e-mail address from every character on), and nested relative
    `xml:base`s (each is joined to all around it).
    """
    if len(RELATIVE_BASE.findall(text)) > _MOST_BASES:
        text = RELATIVE_BASE.sub("x-base", text)
    return _COSTLY.sub(_renamed, text)


def is_tame(text: str) -> bool:
    """Tell whether `tamed` leaves a text alone, in whatever document it stands."""
    return not (_COSTLY.search(text) or ("base" in text.lower() and RELATIVE_BASE.search(text)))


def root_name(text: str) -> str:
    """Return the name of the root element in lower case, without its prefix."""
    found = _NAME.match(text)
    return found.group(1).lower() if found else ""


def is_cut(text: str) -> bool:
    """Tell whether a document without prolog ends before its root element does."""
    found = _NAME.match(text)
    if not found or _EMPTY_ROOT.match(text):
        return False
    return not re.search(rf"</(?:[\w.-]+:)?{re.escape(found.group(1))}(?![\w.-])", text, re.IGNORECASE)


def ends_in_entry(text: str) -> bool:
    """Tell whether the last entry of a document that is cut has no end."""
    last = max((found.start() for found in ENTRY.finditer(text)), default=len(text))
    return last < len(text) and not ENTRY_END.search(text, last)


def first_entries(text: str, limit: int) -> tuple[str, int]:
    """Return the document with its first `limit` entries only, and how many were left out."""
    starts = [found.start() for found in ENTRY.finditer(text)]
    if len(starts) <= limit:
        return text, 0
    cut = starts[limit]
    ends = [found.end() for found in ENTRY_END.finditer(text, cut)]
    tail = text[ends[-1] :] if ends else ""
    return text[:cut] + tail, len(starts) - limit


def last_entries(text: str, limit: int) -> str:
    """Return the document with its last `limit` entries only."""
    starts = [found.start() for found in ENTRY.finditer(text)]
    return text[: starts[0]] + text[starts[-limit] :] if len(starts) > limit else text


def end_dates(text: str, count: int) -> tuple[list[str], list[str]]:
    """Return the dates of the first `count` entries and of the last ones as they are written."""
    starts = [found.start() for found in ENTRY.finditer(text)]
    ends = starts[: count + 1], [*starts[-count:], len(text)]
    first, last = ([_DATE.search(text, *both) for both in pairwise(end)] for end in ends)
    return [one.group(1) for one in first if one], [one.group(1) for one in last if one]


def _decoded_otherwise(body: bytes, content_type: str) -> str:
    """Return text that is not UTF-8, or not quite."""
    names = [found.group(1) for found in [_CHARSET.search(content_type)] if found]
    declaration = _DECLARED.match(body)
    if declaration:
        names.insert(0, declaration.group(1).decode("ascii"))
    almost = body.decode("utf-8", "replace")
    wrong, letters = almost.count("\ufffd"), sum(1 for char in almost if char > "\x7f")
    if wrong * (20 if any(map(_codec, names)) else 2) <= letters:  # any other set, that is
        return almost
    cyrillic = _cyrillic_set(body)
    for name in names:
        known = _codec(name)
        if known in _LATIN:
            return body.decode(cyrillic or "cp1252", "replace")
        if known:
            return body.decode(known, "replace")
    return body.decode(cyrillic or "cp1252", "replace")


def _codec(name: str) -> str:
    """Return Python's name of a character set; "" for what is none, or a transformation of another sort."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return known if known.startswith(_TEXT_CODECS) else ""


def _cyrillic_set(body: bytes) -> str:
    """Return the Cyrillic set that bytes look like: letters above ASCII stand alone in Latin words only.

    Small letters are the more frequent ones; they stand in the upper half of the letters in Windows-1251
    and in the lower half in KOI8-U.
    """
    high = len(_HIGH.findall(body))
    if sum(len(run) for run in _HIGH_RUN.findall(body)) * 2 <= high:
        return ""
    upper, lower = len(_CYRILLIC_SMALL_OR_KOI8.findall(body)), len(_CYRILLIC_CAPITALS_OR_KOI8.findall(body))
    return "cp1251" if upper >= lower else "koi8-u"


def _renamed(found: re.Match[str]) -> str:
    """Return the start of a costly tag under another name; that of an author of usual length as it stands."""
    opens, name, author = found.group(1), found.group(2), found.group(3)
    if author:
        closes = f"</{opens[1:]}{name}"
        if opens.startswith("</") or found.string.find(closes, found.end(), found.end() + MOST_AUTHOR) >= 0:
            return found.group()
    return f"{opens}x-{name}"


def _checked_number(found: re.Match[str]) -> str:
    """Return a character reference as it stands, or U+FFFD where it names no character."""
    code = int(found.group(1), 16) if found.group(1) else int(found.group(2))
    char = chr(code) if code <= sys.maxunicode else "\0"
    return found.group() if not _FORBIDDEN.match(char) else "\ufffd"


def _after(text: str, closer: str, at: int) -> int:
    """Return the offset after the next `closer`, or the end where there is none."""
    found = text.find(closer, at)
    return found + len(closer) if found >= 0 else len(text)


def _after_doctype(text: str, at: int) -> int:
    """Return the offset after a declaration with its internal subset, quotes, comments and all."""
    subset = False
    while mark := _DOCTYPE_MARK.search(text, at):
        sign, at = mark.group(), mark.end()
        if sign in {'"', "'"}:
            at = _after(text, sign, at)
        elif sign == "<!--":
            at = _after(text, "-->", at)
        elif sign == "<?":
            at = _after(text, "?>", at)
        elif sign == ">" and not subset:
            return at
        else:
            subset = sign == "[" or (subset and sign != "]")
    return len(text)
