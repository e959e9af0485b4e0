"""The posts of one preview page, of which only those are parsed that are not known as they stand there.

Between two looks hardly a post changes. The page is cut at the element around each post, and a post whose
bytes have the digest of the last look is passed over; views and reactions don't count. A page that cannot
be cut without doubt is parsed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from monitor.html import parse_html
from monitor.sources.telegram_post import Post, read_post

MAX_POSTS: Final = 500  # where each stands inside the one before, the work grows with their square
MAX_TAGS: Final = 20_000  # a page of 20 posts has about 2,000
WINDOW: Final = 20  # ids that a page shows
MOST_KNOWN: Final = 60  # posts whose digests are kept: those of a page, and some that may come back into view
_WRAP = re.compile(rb"<div class=\"tgme_widget_message_wrap[ \"]")
_POST = re.compile(rb"data-post=\"[A-Za-z0-9_]{1,64}/(\d{1,12})\"")
_END: Final = b"</section>"
# What differs between two looks at one post. Each begins with a tag or with the one `data-post` of the
# block, so that it cannot be met in the words of a post, where "<" is escaped.
_PASSING: Final = (
    (b'<span class="tgme_widget_message_views">', b"</span>"),
    (b'<div class="tgme_widget_message_reactions', b"</div>"),
)
_VIEW = re.compile(rb"\s+data-view=\"[^\"]*\"")
_KNOWN = re.compile(r"(\d{1,12})-(\d{1,12}):([0-9a-f]{16})")


class Known(NamedTuple):
    """What is remembered of a post: the last id of its album, or its own, and a digest of its bytes."""

    last_number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page holds, as far as it is read."""

    posts: tuple[Post, ...] = ()
    known: tuple[int, ...] = ()  # posts that stand there as they stood at the last look
    digests: tuple[tuple[int, str], ...] = ()  # of `posts`
    unreadable: int = 0  # posts with a layout that is not known
    tree: LexborHTMLParser | None = None  # the whole page, where it brought no post


def read_known(written: str | None) -> dict[int, Known]:
    """Return what `write_known` wrote, by the number of the post."""
    return {int(number): Known(int(last), digest) for number, last, digest in _KNOWN.findall(written or "")}


def write_known(known: dict[int, Known]) -> str | None:
    """Return the newest of the known posts as a text for `Cursor.posts`; None for none."""
    newest = sorted(known.items())[-MOST_KNOWN:]
    return " ".join(f"{number}-{one.last_number}:{one.digest}" for number, one in newest) or None


def was_passed(number: int, known: Mapping[int, Known]) -> bool:
    """Tell whether a post was not on a page with an older and a newer one, nor is of one of their albums."""
    below = max((one.last_number for first, one in known.items() if first <= number), default=number)
    above = min((first for first in known if first > number), default=number)
    return below < number < above <= below + WINDOW


def read_page(body: bytes, source_id: str, channel: str, known: dict[int, Known]) -> Page:
    """Return the posts of a page that are not `known` as they stand there."""
    blocks = _blocks(body)
    if blocks is None:
        return read_whole(body, source_id, channel, known)
    fresh = {
        number: (raw, digest)
        for number, (raw, digest) in blocks.items()
        if number not in known or known[number].digest != digest
    }
    read = {number: _read(raw, source_id, channel) for number, (raw, _) in fresh.items()}
    posts = {number: post for number, post in read.items() if post is not None}
    if not posts and len(read) == len(blocks):
        return read_whole(body, source_id, channel, known)
    return Page(
        posts=tuple(posts.values()),
        known=tuple(number for number in blocks if number not in fresh),
        digests=tuple((number, fresh[number][1]) for number in posts),
        unreadable=len(read) - len(posts),
    )


def read_whole(body: bytes, source_id: str, channel: str, known: dict[int, Known]) -> Page:
    """Return what `read_page` does by parsing the whole page: the digests are of what the posts say."""
    tree = parse_html(body.decode("utf-8", "replace"), MAX_TAGS)
    messages = tree.css(".tgme_widget_message[data-post]")[:MAX_POSTS]
    read = [read_post(message, source_id, channel) for message in messages]
    posts = [post for post in read if post is not None]
    digests = {post.number: _hash(repr(post).encode("utf-8", "replace")) for post in posts}
    same = {
        number for number, digest in digests.items() if number in known and known[number].digest == digest
    }
    return Page(
        posts=tuple(post for post in posts if post.number not in same),
        known=tuple(same),
        digests=tuple(digests.items()),
        unreadable=len(read) - len(posts),
        tree=None if posts else tree,
    )


def _blocks(body: bytes) -> dict[int, tuple[bytes, str]] | None:
    """Return the bytes of each post with their digest, by its number; None where that is open to doubt.

    There is doubt where an element around a post does not hold just one, where a comment stands between
    the posts, and where the list of them has no end.
    """
    starts = [match.start() for match in _WRAP.finditer(body)]
    if not starts or body.count(b"<") > MAX_TAGS:
        return None
    end = body.find(_END, starts[-1])
    if end < 0 or body.count(b"data-post=") != len(starts) or body.find(b"<!--", starts[0], end) >= 0:
        return None
    blocks = {}
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        raw = body[start:stop]
        post = _POST.search(raw)
        if post is None:
            return None
        blocks[int(post[1])] = raw, _hash(_lasting(raw, post.end()))
    return blocks if len(blocks) == len(starts) else None


def _lasting(raw: bytes, after_post: int) -> bytes:
    """Return the bytes of a post without what passes; `after_post` is where its `data-post` ends."""
    view = _VIEW.match(raw, after_post)
    kept = raw[:after_post] + raw[view.end() :] if view else raw
    for opening, closing in _PASSING:
        start = kept.find(opening)
        end = kept.find(closing, start)
        kept = kept[:start] + kept[end + len(closing) :] if 0 <= start < end else kept
    return kept


def _hash(of: bytes) -> str:
    return blake2b(of, digest_size=8).hexdigest()


def _read(raw: bytes, source_id: str, channel: str) -> Post | None:
    """Return the post that stands in the bytes of its element; None where its layout is not known."""
    tree = parse_html(raw.decode("utf-8", "replace"))
    message = tree.css_first(".tgme_widget_message[data-post]")
    return None if message is None else read_post(message, source_id, channel)
