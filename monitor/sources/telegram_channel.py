"""Public Telegram channels, by the web preview that Telegram gives of them at t.me/s/<name>.

A page shows the posts of about 20 ids; an album takes an id for each of its pictures. How the pages are
walked stands in `telegram_walk`, what a page and a post are in `telegram_page` and `telegram_post`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from monitor.errors import SourceGone, SourceUnreadable
from monitor.model import Cursor, Polled, Source
from monitor.sources.http import Http, Response
from monitor.sources.kind import Fetched
from monitor.sources.telegram_gaps import in_gaps, read_gaps
from monitor.sources.telegram_page import Known, Page, read_known, read_page, write_known
from monitor.sources.telegram_post import Post
from monitor.sources.telegram_walk import walk

NUMBERED_ANEW: Final = "its posts are numbered anew: another channel may stand under its name by now"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")


async def fetch(http: Http, source: Source, cursor: Cursor) -> Fetched:
    """Return the channel's newest page, and those on the way to it from `cursor.last_post`."""
    if not _NAME.fullmatch(source.address):
        raise SourceUnreadable(
            f"{source.address[:80]!r} is no channel's name: use the one that stands after t.me/"
        )

    async def ask(query: str) -> Response:
        return await http.get(f"{http.preview_url}/s/{source.address}{query}", trusted=True)

    return await walk(ask, cursor.last_post, cursor.gaps)


def parse(fetched: Fetched, source: Source, cursor: Cursor) -> Polled:
    """Return the posts of the fetched pages that are new, or not as they were at the last look.

    Raises `SourceGone` where the channel does not exist or has no web preview, and `SourceUnreadable` where
    the page has a layout that is not known. A channel without posts is none of these: it brings no items.
    """
    known = read_known(cursor.posts)
    pages = [read_page(answer.body, source.id, source.address, known) for answer in fetched.answers]
    for page in pages:
        _explain(page, source, cursor)
    anew = _is_numbered_anew(pages, known)
    known = {} if anew else known
    posts = [post for post in _each_once(pages, known) if not _is_left(post, fetched)]
    last_post = max([0 if anew else cursor.last_post or 0, *(post.last_number for post in posts)])
    items = tuple(post.item for post in posts if post.item is not None)
    return Polled(
        replace(
            cursor,
            last_post=last_post,
            posts=_remembered(pages, posts, known),
            gaps=None if anew else fetched.gaps,
        ),
        items,
        changed=bool(posts) or cursor.last_post is None,
        hints=fetched.answers[0].hints,
        notes=(
            *fetched.notes,
            *([NUMBERED_ANEW] if anew else ()),
            *_notes(posts, sum(page.unreadable for page in pages), cursor),
        ),
        more=fetched.more,
        unchanged=tuple(f"{source.address.lower()}/{number}" for page in pages for number in page.known),
    )


def _is_numbered_anew(pages: list[Page], known: dict[int, Known]) -> bool:
    """Tell whether the ids are far below those of the last look: the name has passed to another channel.

    What it shows then is its baseline. Where only the newest posts were deleted, the ids are not that low.
    """
    shown = [number for page in pages for number in (*page.known, *(post.last_number for post in page.posts))]
    return bool(known and shown) and 2 * max(shown) < min(known)


def _is_left(post: Post, fetched: Fetched) -> bool:
    """Tell whether a post is left to the next look, which has it as a whole."""
    return fetched.more and (
        (fetched.below is not None and post.number >= fetched.below)
        or in_gaps(post.number, read_gaps(fetched.gaps))
    )


def _each_once(pages: list[Page], known: dict[int, Known]) -> list[Post]:
    """Return the posts of several pages in order, without what a page shows of an album that it cuts."""
    found: dict[int, Post] = {}
    for post in (post for page in pages for post in page.posts):
        if post.number not in found or post.last_number > found[post.number].last_number:
            found[post.number] = post
    albums = {number: one.last_number for number, one in known.items()}
    albums |= {number: post.last_number for number, post in found.items()}
    inside, end = set(), 0
    for number, last in sorted(albums.items()):
        if number <= end:
            inside.add(number)
        end = max(end, last)
    return [post for number, post in sorted(found.items()) if number not in inside]


def _remembered(pages: list[Page], posts: list[Post], known: dict[int, Known]) -> str | None:
    """Return what the next look needs to recognise the posts of this one."""
    digests = {number: digest for page in pages for number, digest in page.digests}
    read = {
        post.number: Known(post.last_number, digests[post.number]) for post in posts if post.number in digests
    }
    return write_known(known | read)


def _explain(page: Page, source: Source, cursor: Cursor) -> None:
    """Return where a page has posts, or is that of a quiet channel; raise what else it is."""
    tree = page.tree
    if tree is None:
        return
    name = f"@{source.address}"
    if tree.css_first(".tgme_channel_history, .tgme_channel_info") is not None:
        if page.unreadable or tree.css_first(
            ".tgme_widget_message, .tgme_widget_message_wrap .js-widget_message"
        ):
            raise SourceUnreadable(f"The page of {name} has a layout that is not known: update monitor-bot")
        return
    if tree.css_first(".tgme_page") is None:
        raise SourceUnreadable(f"The page of {name} is none that Telegram used to show: update monitor-bot")
    before = " any more" if cursor.last_post else ""
    if tree.css_first(".tgme_page_title") is None:
        raise SourceGone(f"There is no {name} on Telegram{before}: check the name, or remove the source")
    raise SourceGone(f"{name} shows no posts on the web{before}: it is no channel, or its web preview is off")


def _notes(posts: list[Post], strange: int, cursor: Cursor) -> list[str]:
    """Return what an operator should know of these posts."""
    hidden = sum(1 for post in posts if post.hidden and post.number > (cursor.last_post or 0))
    notes = [f"posts with a layout that is not known: {strange}"] if strange else []
    return [*notes, f"posts that only Telegram itself shows: {hidden}"] if hidden else notes
