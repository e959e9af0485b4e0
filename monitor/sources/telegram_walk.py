"""The way from the last post that is known to the newest one of a channel, page by page.

The newest page shows the last 20 or so messages. Where it does not reach back to the last known post,
`?after=` pages are walked upwards from there. A channel that answers these with something else is walked
downwards by `?before=`. One look takes `MAX_PAGES` pages; what is left is for the next look, which is due
at once and goes on from what was stored.

A page is cut at a number of messages and not at posts: an album at its edge may lack some of its pictures,
or its caption. So where a picture stands at the edge of a page, the next page is asked for in such a way
that it shows that post again, as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Final

from monitor.errors import Retry
from monitor.model import Hints
from monitor.sources.http import Response
from monitor.sources.kind import Fetched
from monitor.sources.telegram_gaps import Gap, gap_words, read_gaps, write_gaps
from monitor.sources.telegram_page import WINDOW

MAX_PAGES: Final = 20  # of one look: about 400 ids
MAX_BYTES: Final = 30 * 2**20  # of all pages of one look; a page has about 100,000
MOST_POSTS: Final = 1_000  # looked for on a page
LONGEST_TAG: Final = 2_000  # bytes
MOST_EMPTY: Final = 10  # pages in a row; the rest is taken for deleted
FRESH_CHANNEL: Final = 1_000  # ids; a channel that was empty at the last look has no more than these
_NUMBER = re.compile(rb"data-post=\"[A-Za-z0-9_]{1,64}/(\d{1,12})\"")
_HISTORY: Final = b"tgme_channel_history"
_PICTURE = re.compile(rb"tgme_widget_message_(?:photo_wrap|video_player|grouped)")

Ask = Callable[[str], Awaitable[Response]]
"""Asks for a page by its query: "", "?after=5", "?before=5"."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page, and the ids of its posts in order; an album has that of its first message."""

    answer: Response
    numbers: tuple[int, ...] = ()
    pictures: frozenset[int] = frozenset()  # posts that may be albums

    @classmethod
    def of(cls, answer: Response) -> _Page:
        """Return the page that an answer holds, without parsing it."""
        found = islice(_NUMBER.finditer(answer.body), MOST_POSTS)
        posts = [post for post in found if _in_tag(answer.body, post.start())]
        if not posts:
            return cls(answer)
        numbers = [int(post.group(1)) for post in posts]
        ends = [*(post.start() for post in posts[1:]), len(answer.body)]
        pictures = frozenset(
            number
            for number, post, end in zip(numbers, posts, ends, strict=True)
            if number in {min(numbers), max(numbers)} and _PICTURE.search(answer.body, post.end(), end)
        )
        return cls(answer, tuple(sorted(set(numbers))), pictures)

    def is_before(self, number: int) -> bool:
        """Tell whether this is what was asked for: posts before `number`, or a history without any."""
        return self.numbers[-1] < number if self.numbers else self.is_empty()

    def is_after(self, number: int) -> bool:
        """Tell whether this is what was asked for: posts after `number`, or a history without any."""
        return self.numbers[0] > number if self.numbers else self.is_empty()

    def is_empty(self) -> bool:
        """Tell whether this is a history without any posts, and not something else without any."""
        return not self.numbers and _HISTORY in self.answer.body

    def above(self) -> int:
        """Return what to ask for what comes after the page, with its last post if that may be cut."""
        last = self.numbers[-1]
        return last - 1 if last in self.pictures else last

    def below(self) -> int:
        """Return what to ask for what comes before the page, with its first post if that may be cut."""
        first = self.numbers[0]
        return self.numbers[1] if first in self.pictures and self.numbers[1:] else first


def _in_tag(body: bytes, at: int) -> bool:
    """Tell whether a place is inside a tag: the words of a post, where "<" is escaped, may look like one."""
    start = max(0, at - LONGEST_TAG)
    return body.rfind(b"<", start, at) > body.rfind(b">", start, at)


class _Pages:
    """The pages of one look, and whether it may take another."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._bytes = 0
        self.taken: list[_Page] = []
        self.doubtful: list[Gap] = []  # what was passed over on the way without a word on what stands there
        self._asked = 0

    async def get(self, query: str) -> _Page:
        """Return one more page."""
        answer = await self._ask(query)
        self._asked += 1
        self._bytes += len(answer.body)
        return _Page.of(answer)

    @property
    def full(self) -> bool:
        """Tell whether this look has taken what it may."""
        return self._asked >= MAX_PAGES or self._bytes >= MAX_BYTES

    @property
    def worth_keeping(self) -> bool:
        """Tell whether there is a post besides the last one, which the next look has again."""
        return len({number for page in self.taken for number in page.numbers}) > 1


@dataclass(frozen=True, slots=True)
class _Filled:
    """The gaps that are left, and whether and when the next look should go on with them."""

    gaps: tuple[Gap, ...]
    more: bool = False  # at once
    retry_after: timedelta | None = None


async def walk(ask: Ask, last_post: int | None, gaps: str | None) -> Fetched:
    """Return the pages from `last_post` (None: the newest page is all) to the newest, and of a gap.

    Raises what `ask` raises, unless pages were had by then that are worth keeping.
    """
    pages = _Pages(ask)
    newest = await pages.get("")
    known = read_gaps(gaps)
    if not newest.numbers or last_post is None:
        return Fetched((newest.answer,), gaps=gaps)
    oldest = newest.numbers[0]
    reached = oldest if last_post == 0 and oldest > FRESH_CHANNEL else last_post
    if oldest > reached + 1:
        try:
            reached = await _up(pages, reached, oldest)
        except Retry as error:
            if pages.worth_keeping:
                return _part(newest, pages, replace(newest.answer.hints, retry_after=error.after), known)
            if error.after is not None:
                raise
        if reached < oldest and pages.full and pages.worth_keeping:
            return _part(newest, pages, newest.answer.hints, known)
        known = (*known, *pages.doubtful)
        if reached + 1 < oldest:
            known = (*known, Gap(reached + 1, oldest - 1))
    filled = await _fill(pages, known, newest)
    hints = replace(newest.answer.hints, retry_after=filled.retry_after or newest.answer.hints.retry_after)
    answers = (newest.answer._replace(hints=hints), *(page.answer for page in pages.taken))
    return Fetched(answers, gap_words(filled.gaps), gaps=write_gaps(filled.gaps), more=filled.more)


def _part(newest: _Page, pages: _Pages, hints: Hints, gaps: tuple[Gap, ...]) -> Fetched:
    """Return what is known to be whole of a walk upwards that did not get to its end.

    The last post of it may be an album that the page cuts; it is left to the next look.
    """
    below = pages.taken[-1].numbers[-1]
    first, *others = (page.answer for page in pages.taken)
    note = f"posts {below} to {newest.numbers[-1]} are still to be read"
    open_gaps = write_gaps((*gaps, *pages.doubtful))
    return Fetched((first._replace(hints=hints), *others), (note,), gaps=open_gaps, below=below, more=True)


async def _up(pages: _Pages, reached: int, oldest: int) -> int:
    """Take `?after=` pages from `reached` until one overlaps the newest page, whose first id is `oldest`.

    Returns the id up to which every post was had. It is less than `oldest` where the look is full, or
    where pages brought nothing further: then `?before=` has to tell whether there is anything.

    A window without posts is passed over if it is shown so twice. What is passed over for anything else, a
    page of an error or one from long ago, is doubtful: `?before=` has to tell of that, too.
    """
    asked, empty, is_sure = reached, 0, True
    while not pages.full and asked + 1 < oldest and empty < MOST_EMPTY:
        page = await pages.get(f"?after={asked}")
        if page.is_empty() and not pages.full:
            page = await pages.get(f"?after={asked}")
        if page.numbers and page.numbers[0] >= oldest:
            break
        if page.numbers and page.numbers[-1] > reached:
            if not is_sure and page.numbers[0] > reached + 1:
                pages.doubtful.append(Gap(reached + 1, page.numbers[0] - 1))
            pages.taken.append(page)
            reached, asked, empty, is_sure = page.numbers[-1], page.above(), 0, True
        else:
            is_sure = is_sure and page.is_after(asked)
            asked, empty = asked + WINDOW, empty + 1
    return reached


async def _fill(pages: _Pages, gaps: tuple[Gap, ...], newest: _Page) -> _Filled:
    """Take `?before=` pages for the first gap whose turn it is."""
    gap = next((gap for gap in gaps if gap.due), None)
    if gap is None:
        return _Filled(tuple(one.passed() for one in gaps))
    others = tuple(one.passed() for one in gaps if one is not gap)
    lowest, empty = gap.last + 1, 0
    before = newest.below() if newest.numbers[0] == lowest else lowest
    while not pages.full:
        try:
            page = await pages.get(f"?before={before}")
        except Retry as error:
            return _Filled((*others, gap._replace(last=lowest - 1).passed()), retry_after=error.after)
        if not page.is_before(before):
            return _Filled((*others, gap._replace(last=lowest - 1).passed()))
        if page.numbers and page.numbers[0] < lowest:
            pages.taken.append(page)
            lowest, before, empty = page.numbers[0], page.below(), 0
        else:
            before, empty = before - WINDOW, empty + 1
        if lowest <= gap.first or before <= gap.first or empty == MOST_EMPTY:
            return _Filled(others)
    return _Filled((*others, gap._replace(last=before - 1)), more=True)
