"""One poll of one source: one transaction.

    fetch and parse -> which items are new -> match -> commit

New items, their matches, the stories that they tell, the rows of the outbox and the source's state
are stored together or not at all, so that nothing is skipped and nothing is told twice, wherever the
process ends. The first answer of a source is its baseline: it is stored, and nobody is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from monitor import audience, cadence, errors, sources, stories, text
from monitor.clock import Clock
from monitor.matching import Matcher
from monitor.model import Hints, Item, Match, Polled, Source, SourceState, Story, Topic
from monitor.sources.http import Http
from monitor.store import Database, Store, chats, items, outbox
from monitor.store import sources as sources_table
from monitor.store import stories as stories_table

log = logging.getLogger(__name__)

LOOK_AGAIN_AT_THE_GONE = timedelta(days=1)

Matched = tuple[Item, tuple[Match, ...]]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked for: the topics, compiled and by id."""

    matcher: Matcher
    topics: Mapping[str, Topic]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a poll."""

    source_id: str
    next_poll: datetime
    new: tuple[Matched, ...] = ()
    queued: int = 0  # rows put into the outbox
    baseline: bool = False
    notes: tuple[str, ...] = ()  # what the operator should know
    error: str = ""

    @property
    def matched(self) -> int:
        """How many of the new items matched a topic."""
        return sum(bool(matches) for _, matches in self.new)


class Pipeline:
    """Polls sources and stores what comes of it."""

    def __init__(self, store: Store, http: Http, clock: Clock, default_every: timedelta) -> None:
        """Take the keepers, and how often a source is polled that does not say so itself."""
        self._store = store
        self._http = http
        self._clock = clock
        self.default_every = default_every

    async def poll(self, source: Source, watch: Watch) -> Outcome:
        """Look at a source once and store what is new.

        A source that fails is an outcome, not an exception; raises StoreUnwritable when the outcome
        cannot be stored, and then nothing of it is.
        """
        started = self._clock.now()
        state = await self._store.read(partial(sources_table.state, source_id=source.id))
        try:
            polled = await sources.poll(self._http, source, state.cursor)
        except (errors.Retry, errors.GiveUp) as error:
            outcome = await self._failed(source, state, error, started)
        else:
            outcome = await self._answered(source, state, polled, watch, started)
        _log(outcome, self._clock.now() - started)
        return outcome

    async def _failed(
        self, source: Source, state: SourceState, error: errors.MonitorError, started: datetime
    ) -> Outcome:
        failures = state.failures + 1
        after = LOOK_AGAIN_AT_THE_GONE if isinstance(error, errors.GiveUp) else getattr(error, "after", None)
        following = self._next(source, started, Hints(retry_after=after), failures)
        left = replace(state, polled=started, next_poll=following, failures=failures, error=str(error))
        await self._store.write(partial(sources_table.save, source_id=source.id, after=left))
        return Outcome(source.id, following, error=str(error))

    async def _answered(
        self, source: Source, state: SourceState, polled: Polled, watch: Watch, started: datetime
    ) -> Outcome:
        following = self._next(source, started, polled.hints)
        after = SourceState(
            cursor=polled.cursor,
            polled=started,
            succeeded=started,
            changed=started if polled.changed else state.changed,
            next_poll=following,
        )
        unknown = partial(items.unknown, source_id=source.id, items=polled.items)
        fresh = await self._store.read(unknown) if polled.items else ()
        found = await asyncio.to_thread(_match, fresh, source, watch.matcher) if fresh else ()
        commit = partial(
            _commit,
            source=source,
            after=after,
            shown=polled.items,
            found=found,
            topics=watch.topics if state.succeeded else {},
            now=self._clock.now(),
        )
        queued = await self._store.write(commit)
        baseline = state.succeeded is None
        return Outcome(source.id, following, found, queued, baseline, polled.notes)

    def _next(self, source: Source, started: datetime, hints: Hints, failures: int = 0) -> datetime:
        return cadence.next_poll(
            started,
            source_id=source.id,
            every=source.every,
            default=self.default_every,
            hints=hints,
            failures=failures,
        )


def _match(fresh: Sequence[Item], source: Source, matcher: Matcher) -> tuple[Matched, ...]:
    return tuple((told, matcher.match(told, source)) for told in (_with_language(i, source) for i in fresh))


def _with_language(item: Item, source: Source) -> Item:
    """Return an item with its language: its source's, else what its text shows, else what it says itself."""
    shown = source.language or text.language_of(f"{item.title}\n{item.text}")
    return replace(item, language=shown or item.language)


def _commit(  # noqa: PLR0913, PLR0917 -- everything that one transaction stores
    db: Database,
    source: Source,
    after: SourceState,
    shown: Sequence[Item],
    found: Sequence[Matched],
    topics: Mapping[str, Topic],
    now: datetime,
) -> int:
    """Store a poll; return how many rows were put into the outbox (none without `topics`)."""
    sources_table.save(db, source.id, after)
    items.seen(db, source.id, shown, now)
    told = stories_table.recent(db, now - stories.WINDOW) if any(matches for _, matches in found) else []
    queued = 0
    for item, matches in found:
        item_id = items.insert(db, item, matches, now)
        if matches:
            story_id = _tell(db, item, item_id, told, now)
            queued += _queue(db, item_id, story_id, matches, topics, now)
    return queued


def _tell(db: Database, item: Item, item_id: int, told: list[Story], now: datetime) -> int:
    """Find or begin the story that an item tells, and keep `told` up to date."""
    story = stories.find(item, told)
    if story:
        told.remove(story)
    else:
        headline = stories.headline(item)
        story = Story(stories_table.begin(db, headline, now), headline, frozenset(), now)
    told.insert(0, replace(story, links=story.links | stories.links(item), seen=now))
    stories_table.join(db, story.id, item_id, told[0].links, now)
    return story.id


def _queue(  # noqa: PLR0913, PLR0917 -- the columns of a row
    db: Database,
    item_id: int,
    story_id: int,
    matches: Sequence[Match],
    topics: Mapping[str, Topic],
    now: datetime,
) -> int:
    listeners = chats.listeners(db, [match.topic_id for match in matches])
    heard = audience.hearings(matches, topics, listeners, outbox.told(db, story_id), now)
    for hearing in heard:
        outbox.put(db, hearing, story_id=story_id, item_id=item_id, now=now)
    return len(heard)


def _log(outcome: Outcome, took: timedelta) -> None:
    facts = f"source={outcome.source_id} took={took.total_seconds() * 1000:.0f}ms"
    if outcome.error:
        log.warning("poll %s error=%r next=%s", facts, outcome.error, outcome.next_poll.isoformat())
        return
    log.info(
        "poll %s new=%d matched=%d queued=%d%s%s",
        facts,
        len(outcome.new),
        outcome.matched,
        outcome.queued,
        " baseline=yes" if outcome.baseline else "",
        f" notes={'; '.join(outcome.notes)!r}" if outcome.notes else "",
    )
