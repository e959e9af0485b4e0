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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from monitor import errors, sources, text
from monitor.cadence import Pace, logged
from monitor.clock import Clock
from monitor.matching import Explanation, Matcher
from monitor.model import Item, Match, Polled, Source, SourceState, Topic
from monitor.pipeline import standing
from monitor.pipeline.recording import Answer, Compared, Found, Matched, compared, record
from monitor.pipeline.states import Kept, States, only_looked_at
from monitor.sources.http import Http
from monitor.store import Database, Store
from monitor.store import sources as sources_table

log = logging.getLogger(__name__)

Lookup = Callable[[Database], tuple[Compared, Mapping[str, Matched]]]
"""Compares what a source shows with what is stored, and says what of it matches what, by its key."""

FEW = 5  # items that are matched at once, on the event loop
SHORT = 2_000  # characters in all of them
CHANGED_MEANWHILE = "it was paused, removed or given another address while it was read: that is not stored"


class Watch:
    """What is looked for: the topics of the config and the watches of the chats, compiled and by id.

    Polls match in threads of their own while a chat adds a watch, so one of them at a time has the index.
    """

    def __init__(self, topics: Iterable[Topic], names: Iterable[Sequence[str]] = ()) -> None:
        """Compile topics; `names` are further spellings of names. Raises QueryInvalid."""
        self.topics = {topic.id: topic for topic in topics}
        self._matcher = Matcher(self.topics.values(), names=names)
        self._turn = threading.RLock()

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Have the index for a while unless another thread has it; yields whether that is so."""
        mine = self._turn.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self._turn.release()

    def match(self, item: Item, source: Source | None = None) -> tuple[Match, ...]:
        """Return the topics that an item is about, the best score first."""
        with self._turn:
            return self._matcher.match(item, source)

    def explain(self, item: Item, source: Source | None = None) -> tuple[Explanation, ...]:
        """Return for each topic whether it matches, and what was missing."""
        with self._turn:
            return self._matcher.explain(item, source)

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


class Outcome(NamedTuple):
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
    asked: bool = True  # False: it was left for later, since its host rests

    def followed_by(self, other: Outcome) -> Outcome:
        """Return what came of two polls of one source together."""
        return other._replace(
            new=self.new + other.new,
            queued=self.queued + other.queued,
            edited=self.edited + other.edited,
            asked=self.asked or other.asked,
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
            try:
                polled = await sources.poll(self._http, source, kept.state.cursor, parse_in=self._parse_in)
            except errors.SourceResting as error:
                outcome = await self._postponed(source, kept, error)
            except (errors.Retry, errors.GiveUp) as error:
                outcome = await self._failed(source, kept, error)
            else:
                outcome = await self._answered(source, kept, polled, watch, started)
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
        return Outcome(source.id, after.next_poll or now, notes=(str(error),), asked=False)

    async def _save(self, source: Source, kept: Kept, after: SourceState) -> None:
        """Store a state by itself."""
        before = self.states.stored(source, kept)

        def save(db: Database) -> tuple[SourceState, bool] | None:
            return (after, True) if sources_table.save(db, source, after, before) else None

        await self.states.store(source, save)

    async def _answered(
        self, source: Source, kept: Kept, polled: Polled, watch: Watch, started: datetime
    ) -> Outcome:
        state = kept.state
        if once := standing.notes(state, polled):
            polled = replace(polled, notes=(*polled.notes, *once))
        if not polled.items:
            as_known = standing.learned(state, None, (), started)
            after = standing.answered(source, state, polled, as_known, started=started, pace=self.pace)
            if only_looked_at(state, after):
                self.states.touch(source, kept, after)
                return Outcome(source.id, after.next_poll or started, notes=polled.notes)
        compare = partial(
            compared,
            source_id=source.id,
            items_shown=polled.items,
            started=started,
            learn=standing.is_to_learn(state, started),
        )
        few = _matched_at_once(polled.items, source, watch)
        if few is None:
            look = await self._lookup(compare, source, watch)
        else:  # compared in the transaction that stores them, which saves two threads to wait for
            look = partial(_compared_here, compare=compare, found=few)
        now, before = self._clock.now(), self.states.stored(source, kept)
        answer = Answer(source, state, polled, watch.topics, started, now, self.pace, before)
        store = partial(_stored, answer=answer, look=look)
        done = await self.states.store(source, store, is_brief=few is not None)
        if done is None:
            return Outcome(source.id, started, error=CHANGED_MEANWHILE)
        found, queued = done
        following = found.after.next_poll or started
        baseline = state.succeeded is None
        return Outcome(
            source.id,
            following,
            tuple(found.fresh),
            queued,
            baseline,
            notes=found.notes,
            edited=tuple((one.item, one.matches) for one in found.edited),
            more=following == started,
        )

    async def _lookup(self, compare: Callable[[Database], Compared], source: Source, watch: Watch) -> Lookup:
        """Return what of many items is new or edited, compared first, and what only that matches."""
        known = await self._store.read(compare)
        matched = await asyncio.to_thread(_matched_of, known, source, watch)
        return lambda _: (known, matched)


def _compared_here(
    db: Database, compare: Callable[[Database], Compared], found: Sequence[Matched]
) -> tuple[Compared, dict[str, Matched]]:
    """Return what is stored of items, and what was found in each of them, by the key that it is stored by."""
    if not found:
        return Compared(), {}
    known = compare(db)
    keys = (item.key for item in known.shown.items)
    return known, {key: _under(key, one) for key, one in zip(keys, found, strict=True)}


def _stored(db: Database, answer: Answer, look: Lookup) -> tuple[SourceState, tuple[Found, int]] | None:
    """Store a poll; return the state that it left, what was stored, and how many rows were queued."""
    found = answer.judged(*look(db))
    queued = record(db, found)
    return None if queued is None else (found.after, (found, queued))


def _matched_at_once(items: Sequence[Item], source: Source, watch: Watch) -> tuple[Matched, ...] | None:
    """Match what is little, and most likely new; None where it would hold up the event loop."""
    if len(items) > FEW or sum(len(item.title) + len(item.text) for item in items) > SHORT:
        return None
    with watch.at_once() as mine:
        return tuple(_matched(item, source, watch) for item in items) if mine else None


def _under(key: str, found: Matched) -> Matched:
    """Return what was matched under the key by which it is stored."""
    item, matches = found
    return found if item.key == key else (replace(item, key=key), matches)


def _matched_of(known: Compared, source: Source, watch: Watch) -> dict[str, Matched]:
    """Match what is new and what was edited, by its key."""
    wanted = (*known.shown.new, *(edit.item for edit in known.shown.edited))
    return {item.key: _matched(item, source, watch) for item in wanted}


def _matched(item: Item, source: Source, watch: Watch) -> Matched:
    """Return an item in its language with its matches; one that shows a bug is kept without any."""
    try:
        told = _with_language(item, source)
        return told, tuple(match.written_out() for match in watch.match(told, source))
    except Exception:  # whatever it is, the other items of the source must not wait for its mending
        log.exception("match source=%s key=%r state=bug", source.id, item.key)
        return item, ()


def _with_language(item: Item, source: Source) -> Item:
    """Return an item with its language: its source's, else what its text shows, else what it says itself."""
    shown = source.language or text.language_of(f"{item.title}\n{item.text}")
    return item if shown in {None, item.language} else replace(item, language=shown)


def _log(outcome: Outcome, took: timedelta) -> None:
    if not (outcome.error or outcome.new or outcome.edited or outcome.baseline or outcome.notes):
        return  # as after most looks
    facts = f"source={outcome.source_id} took={took.total_seconds() * 1000:.0f}ms"
    if outcome.error:
        log.warning("poll %s error=%r next=%s", facts, outcome.error, logged(outcome.next_poll))
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
