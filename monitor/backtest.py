"""What topics would have flagged in the stored history, before they go live.

Pure: takes what was stored, oldest first, and tells the hits in the same order, with those that would
have been alerts of their own: the first report of each story.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from monitor import stories
from monitor.matching import Matcher
from monitor.model import Match, Source, Story
from monitor.store.items import Found


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored item that matches."""

    found: Found
    matches: tuple[Match, ...]
    alert: bool  # whether a subscriber would have been told, or knew the story already

    @property
    def when(self) -> datetime:
        """When it came."""
        return self.found.came


@dataclass(frozen=True, slots=True)
class Day:
    """How much a day would have brought."""

    date: date
    items: int
    alerts: int


def hits(history: Iterable[Found], matcher: Matcher) -> Iterator[Hit]:
    """Yield the items of a history that match, oldest first."""
    told: deque[Story] = deque()
    known = stories.Known()
    for number, found in enumerate(history):
        matches = matcher.match(found.item, found.source)
        if not matches:
            continue
        when = found.came
        if told and told[0].begun < when - stories.WINDOW:
            told = deque(story for story in told if story.begun >= when - stories.WINDOW)
            known = stories.Known(reversed(told))
        story = known.find(found.item)
        if story is None:
            links = frozenset((link, found.item.source_id) for link in stories.links(found.item))
            told.append(Story(number, stories.headline(found.item), links, when))
            known.add(told[-1])
        yield Hit(found, tuple(match.written_out() for match in matches), alert=story is None)


def days(of: Sequence[Hit], first: date, last: date) -> list[Day]:
    """Return the figures of each day from `first` to `last`, also of those without a hit (UTC)."""
    span = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    by_day: dict[date, list[Hit]] = {day: [] for day in span}
    for hit in of:
        by_day.setdefault(hit.when.date(), []).append(hit)
    return [Day(day, len(by_day[day]), sum(hit.alert for hit in by_day[day])) for day in span]


class History:
    """Stored items, oldest first, that are counted as they are read."""

    def __init__(
        self,
        history: Iterable[Found],
        sources: Iterable[Source],
        since: datetime,
        step: Callable[[object], None],
    ) -> None:
        """Take the items, and the sources as they are today: the tags of a source are stored with no item.

        `first` will be the date of the first item that is not older than `since`.
        """
        self.first: datetime | None = None
        self._history = history
        self._sources = {source.id: source for source in sources}
        self._since = since
        self._step = step

    def __iter__(self) -> Iterator[Found]:
        """Yield the items."""
        for found in self._history:
            self._step(found)
            when = found.came
            if self.first is None and when >= self._since:
                self.first = when
            yield replace(found, source=self._sources.get(found.source.id, found.source))
