"""Telegram HTML made safely: escaping, links, directions, splitting.

The rules are those of the Bot API, section "HTML style": `<`, `>`, `&` and (in attributes) `"` are
escaped, tags nest, and a message holds at most 4096 UTF-16 code units once its entities are parsed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from monitor.prose import letters, utf16_len

LIMIT = 4096
"""The length of a message in UTF-16 code units after its entities are parsed (Bot API, sendMessage)."""

MOST_ENTITIES = 100
"""How many entities of one message Telegram keeps; it drops those that follow."""

_ISOLATE, _POP = "\u2068", "\u2069"  # FSI and PDI (UAX #9, 2.4)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"(&[^;\s]+;)")
_PIECE = re.compile(r"<[^>]*>|\s+|(?:&[^;\s]+;|[^<&\s])+")


class Safe(str):
    """Telegram HTML that is not to be escaped again."""

    __slots__ = ()


def escape(text: str) -> Safe:
    """Return outside text as Telegram HTML that shows it letter by letter."""
    return Safe(text.translate(_ESCAPES))


def isolated(text: str, markup: str | None = None) -> Safe:
    """Return outside text so that its direction cannot reorder what stands beside it.

    `markup` is the same text as Telegram HTML where it has been marked up; by default it is escaped.
    Only text with right-to-left letters is wrapped, in FSI and PDI (UAX #9, 2.4).
    """
    shown = escape(text) if markup is None else markup
    foreign = any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in text)
    return Safe(f"{_ISOLATE}{shown}{_POP}" if foreign else shown)


def link(url: str | None, label: str) -> Safe:
    """Return `label` as a link to an http or https URL; without such a URL, the label alone.

    The label is escaped unless it is `Safe`.
    """
    shown = label if isinstance(label, Safe) else escape(label)
    return Safe(f'<a href="{escape(url)}">{shown}</a>') if url and is_web(url) else shown


def is_web(url: str) -> bool:
    """Tell whether a URL is an http or https one that Telegram can link to."""
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def plain(markup: str) -> str:
    """Return what a reader sees of Telegram HTML: the text without tags, its entities resolved."""
    return html.unescape(_TAG.sub("", markup))


def split(blocks: Iterable[str], *, limit: int = LIMIT, separator: str = "\n") -> list[Safe]:
    """Return blocks of Telegram HTML joined into as few messages as keep their order and the limit.

    A block is torn only if it is longer than a message: between words, with its tags closed and opened
    again. A blank block leaves an empty line, unless a message starts there. `limit` is in UTF-16 code
    units after parsing.
    """
    messages: list[str] = []
    gap = separator
    for block in blocks:
        if not plain(block).strip():
            gap += separator
            continue
        first, *rest = _torn(block, limit)
        joined = f"{messages[-1]}{gap}{first}" if messages else first
        if messages and not rest and _fits(joined, limit):
            messages[-1] = joined
        else:
            messages += [first, *rest]
        gap = separator
    return [Safe(message) for message in messages]


def _fits(message: str, limit: int) -> bool:
    """Tell whether Telegram takes a message as it stands."""
    return utf16_len(plain(message)) <= limit and message.count("</") <= MOST_ENTITIES


def _torn(block: str, limit: int) -> list[str]:
    """Return a block as pieces that each fit into a message: itself, where it does."""
    if utf16_len(plain(block)) <= limit:
        return [block]
    done: list[str] = []
    part, used, opened = "", 0, list[str]()
    for piece in _pieces(block, limit):
        if piece.startswith("</"):
            opened.pop()
        elif piece.startswith("<"):
            opened.append(piece)
        else:
            length = utf16_len(plain(piece))
            if used + length > limit:
                done.append(part + _closing(opened))
                part, used = "".join(opened), 0
            used += length
        part += piece
    return [torn for torn in (*done, part) if plain(torn).strip()]


def _pieces(block: str, limit: int) -> Iterator[str]:
    """Yield the tags, the words and the white space of a block; what is longer than `limit` by letters."""
    for piece in _PIECE.findall(block):
        if piece.startswith("<") or utf16_len(plain(piece)) <= limit:
            yield piece
        else:
            for run in _ENTITY.split(piece):
                yield from [run] if run.startswith("&") else letters(run)


def _closing(opened: list[str]) -> str:
    """Return the end tags of the tags that are open, innermost first."""
    return "".join(f"</{tag.strip('<>').split()[0]}>" for tag in reversed(opened))
