"""Public Telegram channels, by the web preview that Telegram gives of them at t.me/s/<name>.

A page shows the posts of about 20 ids; an album takes an id for each of its pictures. Where the newest page
does not reach back to the last post that is known, `?before=` pages are asked for until one does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from monitor.errors import SourceGone, SourceUnreadable
from monitor.html import parse_html
from monitor.model import Cursor, Item, Polled, Source
from monitor.sources.http import Http, Response
from monitor.sources.kind import Fetched
from monitor.sources.telegram_post import Post, read_post

MAX_PAGES: Final = 10  # of one look: about 200 ids
MAX_TAGS: Final = 20_000  # a page of 20 posts has about 2,000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,63}")
_NUMBER = re.compile(rb"data-post=\"[A-Za-z0-9_]{1,64}/(\d{1,12})\"")


async def fetch(http: Http, source: Source, cursor: Cursor) -> Fetched:
    """Return the channel's newest page, and older ones until one reaches back to `cursor.last_post`."""
    if not _NAME.fullmatch(source.address):
        raise SourceUnreadable(
            f"{source.address[:80]!r} is no channel's name: use the one that stands after t.me/"
        )
    url = f"{http.preview_url}/s/{source.address}"
    answers = [await http.get(url, trusted=True)]
    oldest = _oldest(answers[0])
    while cursor.last_post is not None and oldest is not None and oldest > cursor.last_post + 1:
        if len(answers) == MAX_PAGES:
            missing = f"posts {cursor.last_post + 1} to {oldest - 1} may be missing"
            return Fetched(tuple(answers), (f"{missing}: more came than {MAX_PAGES} pages hold",))
        answer = await http.get(f"{url}?before={oldest}", trusted=True)
        reached = _oldest(answer)
        if reached is None or reached >= oldest:
            break
        answers.append(answer)
        oldest = reached
    return Fetched(tuple(answers))


def parse(fetched: Fetched, source: Source, cursor: Cursor) -> Polled:
    """Return the posts of the fetched pages.

    Raises `SourceGone` where the channel does not exist or has no web preview, and `SourceUnreadable` where
    the page has a layout that is not known. A channel without posts is none of these: it brings no items.
    """
    posts: dict[int, Post] = {}
    strange = 0
    for answer in fetched.answers:
        page = parse_html(answer.body.decode("utf-8", "replace"), MAX_TAGS)
        found, unknown = _posts(page, source)
        if not found:
            _explain(page, source, cursor, unknown=unknown)
        strange += unknown
        posts |= {post.number: post for post in found}
    items = tuple(post.item for _, post in sorted(posts.items()) if post.item is not None)
    fingerprint = _fingerprint(items)
    known = replace(
        cursor,
        last_post=max([cursor.last_post or 0, *(post.last_number for post in posts.values())]) or None,
        fingerprint=fingerprint,
    )
    notes = (*fetched.notes, *_notes(list(posts.values()), strange, cursor))
    hints = fetched.answers[0].hints
    if fingerprint == cursor.fingerprint:
        return Polled(known, changed=False, hints=hints, notes=notes)
    return Polled(known, items, hints=hints, notes=notes)


def _posts(page: LexborHTMLParser, source: Source) -> tuple[list[Post], int]:
    """Return the posts of a page that can be read, and the number of those that cannot."""
    messages = page.css(".tgme_widget_message[data-post]")
    posts = [read_post(message, source.id, source.address) for message in messages]
    return [post for post in posts if post is not None], posts.count(None)


def _explain(page: LexborHTMLParser, source: Source, cursor: Cursor, *, unknown: int) -> None:
    """Return where a page without posts is that of a quiet channel; raise what else it is."""
    name = f"@{source.address}"
    if page.css_first(".tgme_channel_history, .tgme_channel_info") is not None:
        if unknown or page.css_first(".tgme_widget_message, .tgme_widget_message_wrap .js-widget_message"):
            raise SourceUnreadable(f"The page of {name} has a layout that is not known: update monitor-bot")
        return
    if page.css_first(".tgme_page") is None:
        raise SourceUnreadable(f"The page of {name} is none that Telegram used to show: update monitor-bot")
    before = " any more" if cursor.last_post else ""
    if page.css_first(".tgme_page_title") is None:
        raise SourceGone(f"There is no {name} on Telegram{before}: check the name, or remove the source")
    raise SourceGone(f"{name} shows no posts on the web{before}: it is no channel, or its web preview is off")


def _notes(posts: list[Post], strange: int, cursor: Cursor) -> list[str]:
    """Return what an operator should know of these posts."""
    hidden = sum(1 for post in posts if post.hidden and post.number > (cursor.last_post or 0))
    notes = [f"posts with a layout that is not known: {strange}"] if strange else []
    return [*notes, f"posts that only Telegram itself shows: {hidden}"] if hidden else notes


def _oldest(answer: Response) -> int | None:
    """Return the least post id that stands in a page, without parsing it."""
    return min((int(number) for number in _NUMBER.findall(answer.body)), default=None)


def _fingerprint(items: tuple[Item, ...]) -> str:
    """Return a digest of what the posts say; views, reactions and the page around them don't count."""
    said = "\0".join(f"{item.key}\0{item.text}\0{item.edited}\0{' '.join(item.links)}" for item in items)
    return blake2b(said.encode("utf-8", "replace"), digest_size=16).hexdigest()
