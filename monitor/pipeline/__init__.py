"""One poll of one source: one transaction.

    fetch and parse -> which items are new -> match -> commit

New items, their matches, the stories that they tell, the rows of the outbox and the source's state
are stored together or not at all, so that nothing is skipped and nothing is told twice, wherever the
process ends. The first answer of a source is its baseline: it is stored, and nobody is told.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from monitor import errors, sources, text
from monitor.cadence import Pace
from monitor.clock import Clock
from monitor.matching import Explanation, Matcher
from monitor.model import Item, Match, Polled, Source, SourceState, Topic
from monitor.pipeline import standing
from monitor.pipeline.recording import Found, Matched, Revised, corrections, missed, news, record
from monitor.pipeline.states import Kept, States, only_looked_at
from monitor.sources.http import Http
from monitor.store import Database, Store, items, renamed
from monitor.store import edits as edits_table
from monitor.store import sources as sources_table
from monitor.store.edits import Edit

log = logging.getLogger(__name__)

FEW = 5  # items
CHANGED_MEANWHILE = "it was paused, removed or given another address while it was read: that is not stored"


class Watch:
    """What is looked for: the topics of the config and the watches of the chats, compiled and by id.

    Polls match in threads of their own while a chat adds a watch, so one of them at a time has the index.
    """

    def __init__(self, topics: Iterable[Topic], names: Iterable[Sequence[str]] = ()) -> None:
        """Compile topics; `names` are further spellings of names. Raises QueryInvalid."""
        self.topics = {topic.id: topic for topic in topics}
        self._matcher = Matcher(self.topics.values(), names=names)
        self._turn = threading.Lock()

    def match(self, item: Item, source: Source | None = None) -> tuple[Match, ...]:
        """Return the topics that an item is about, the best score first."""
        with self._turn:
            return self._matcher.match(item, source)

    def explain(self, item: Item) -> tuple[Explanation, ...]:
        """Return for each topic whether it matches, and what was missing."""
        with self._turn:
            return self._matcher.explain(item)

    def add(self, topic: Topic) -> None:
        """Look for one more topic from now on; raises QueryInvalid."""
        with self._turn:
            self._matcher.add(topic)
            self.topics = {**self.topics, topic.id: topic}

    def remove(self, topic_id: str) -> None:
        """Look for a topic no more."""
        with self._turn:
            self._matcher.remove(topic_id)
            self.topics = {known: topic for known, topic in self.topics.items() if known != topic_id}


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
    edited: tuple[Matched, ...] = ()  # items that were stored before, and are not as they were
    more: bool = False  # than one look takes: the next one is due at once

    def followed_by(self, other: Outcome) -> Outcome:
        """Return what came of two polls of one source together."""
        return replace(
            other,
            new=self.new + other.new,
            queued=self.queued + other.queued,
            edited=self.edited + other.edited,
        )

    @property
    def matched(self) -> int:
        """How many of the new items matched a topic."""
        return sum(bool(matches) for _, matches in self.new)


class Pipeline:
    """Polls sources and stores what comes of it."""

    def __init__(
        self,
        store: Store,
        http: Http,
        clock: Clock,
        pace: Pace,
        parse_in: sources.Apart | None = None,
    ) -> None:
        """Take the keepers, how often a source is polled that does not say so itself, and where to parse."""
        self.states = States(store)
        self._store = store
        self._http = http
        self._clock = clock
        self.pace = pace
        self._parse_in = parse_in or sources.Apart()

    async def poll(self, source: Source, watch: Watch) -> Outcome:
        """Look at a source once and store what is new.

        A source that fails is an outcome, not an exception; raises StoreUnwritable when the outcome
        cannot be stored, and then nothing of it is.
        """
        with self._http.one_look():  # until it is stored, so that what was read and waits is bounded
            started = self._clock.now()
            kept = await self.states.of(source)
            ready: dict[str, Matched] = {}
            parse_in = partial(
                self._parse_in, then=partial(_match_few, source=source, watch=watch, ready=ready)
            )
            try:
                polled = await sources.poll(self._http, source, kept.state.cursor, parse_in=parse_in)
            except errors.SourceResting as error:
                outcome = await self._postponed(source, kept, error)
            except (errors.Retry, errors.GiveUp) as error:
                outcome = await self._failed(source, kept, error)
            else:
                outcome = await self._answered(source, kept, polled, watch, ready=ready, started=started)
        _log(outcome, self._clock.now() - started)
        return outcome

    async def _failed(self, source: Source, kept: Kept, error: errors.MonitorError) -> Outcome:
        now = self._clock.now()
        after = standing.failed(source, kept.state, error, ended=now, pace=self.pace)
        await self._save(source, kept, after)
        return Outcome(source.id, after.next_poll or now, error=str(error))

    async def _postponed(self, source: Source, kept: Kept, error: errors.SourceResting) -> Outcome:
        now = self._clock.now()
        after = standing.postponed(source, kept.state, error, now=now)
        await self._save(source, kept, after)
        return Outcome(source.id, after.next_poll or now, notes=(str(error),))

    async def _save(self, source: Source, kept: Kept, after: SourceState) -> None:
        """Store a state by itself."""
        save = partial(
            sources_table.save, source=source, after=after, before=self.states.stored(source, kept)
        )
        await self.states.store(source, after, save)

    async def _answered(  # noqa: PLR0913 -- what was, what came, and what is known of it
        self,
        source: Source,
        kept: Kept,
        polled: Polled,
        watch: Watch,
        *,
        ready: Mapping[str, Matched],
        started: datetime,
    ) -> Outcome:
        state = kept.state
        compared = partial(_compared, source_id=source.id, shown=polled.items, now=started)
        shown, new, edited, before = await self._store.read(compared) if polled.items else ((), (), (), ())
        fresh = tuple(ready[item.key] for item in new if item.key in ready)
        if len(fresh) < len(new):
            fresh = await asyncio.to_thread(_match, new, source, watch)
        revised = await asyncio.to_thread(_revised, edited, source, watch) if edited else ()
        now = self._clock.now()
        learned = standing.known(state)
        if new:
            learned = standing.learn(before, new, now)
        after = standing.answered(source, state, polled, learned, started=started, pace=self.pace)
        if not shown and only_looked_at(state, after):
            self.states.touch(source, kept, after)
            return Outcome(source.id, after.next_poll or started, notes=polled.notes)
        found = Found(
            source=source,
            after=after,
            shown=[*(item.key for item in shown), *polled.unchanged] if polled.changed else (),
            fresh=fresh,
            edited=revised,
            news=news(source, state, fresh) | corrections(state, revised, now),
            topics=watch.topics,
            now=now,
            notices=missed(source, state.cursor.gaps, polled.cursor.gaps),
            before=self.states.stored(source, kept),
        )
        queued = await self.states.store(source, after, partial(record, found=found))
        if queued is None:
            return Outcome(source.id, started, error=CHANGED_MEANWHILE)
        baseline = state.succeeded is None
        edits = tuple((one.item, one.matches) for one in revised)
        following = after.next_poll or started
        return Outcome(
            source.id,
            following,
            fresh,
            queued,
            baseline,
            polled.notes,
            edited=edits,
            more=following == started,
        )


def _compared(
    db: Database, source_id: str, shown: Sequence[Item], now: datetime
) -> tuple[tuple[Item, ...], tuple[Item, ...], tuple[Edit, ...], Sequence[datetime]]:
    """Return what is shown, under the keys that it is stored by, and what of that is new, and edited.

    The last is when the latest items came.
    """
    named = renamed.under_known_keys(db, source_id, shown)
    new = items.unknown(db, source_id, named)
    before = items.moments(db, source_id, standing.REMEMBERED) if new else ()
    return named, new, edits_table.find(db, source_id, named, now), before


def _revised(edited: Sequence[Edit], source: Source, watch: Watch) -> tuple[Revised, ...]:
    return tuple(Revised(edit, *_matched(edit.item, source, watch)) for edit in edited)


def _match(fresh: Sequence[Item], source: Source, watch: Watch) -> tuple[Matched, ...]:
    return tuple(_matched(item, source, watch) for item in fresh)


def _match_few(polled: Polled, source: Source, watch: Watch, ready: dict[str, Matched]) -> None:
    """Match what was read at once where it is little, and most likely new, under its key."""
    if len(polled.items) <= FEW:
        for item in polled.items:
            if item.key not in ready:
                ready[item.key] = _matched(item, source, watch)


def _matched(item: Item, source: Source, watch: Watch) -> Matched:
    """Return an item in its language with its matches; one that shows a bug is kept without any."""
    try:
        told = _with_language(item, source)
        return told, watch.match(told, source)
    except Exception:  # whatever it is, the other items of the source must not wait for its mending
        log.exception("match source=%s key=%r state=bug", source.id, item.key)
        return item, ()


def _with_language(item: Item, source: Source) -> Item:
    """Return an item with its language: its source's, else what its text shows, else what it says itself."""
    shown = source.language or text.language_of(f"{item.title}\n{item.text}")
    return replace(item, language=shown or item.language)


def _log(outcome: Outcome, took: timedelta) -> None:
    if not log.isEnabledFor(logging.INFO) and not outcome.error:
        return
    facts = f"source={outcome.source_id} took={took.total_seconds() * 1000:.0f}ms"
    if outcome.error:
        log.warning("poll %s error=%r next=%s", facts, outcome.error, outcome.next_poll.isoformat())
        return
    log.info(
        "poll %s new=%d matched=%d queued=%d%s%s%s",
        facts,
        len(outcome.new),
        outcome.matched,
        outcome.queued,
        f" edited={len(outcome.edited)}" if outcome.edited else "",
        " baseline=yes" if outcome.baseline else "",
        f" notes={'; '.join(outcome.notes)!r}" if outcome.notes else "",
    )
