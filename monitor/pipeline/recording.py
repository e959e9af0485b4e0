"""The transaction of a poll: what is stored of it, and who is told.

Everything here runs inside one transaction of the writer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from monitor import audience, edits, stories
from monitor.cadence import Pace
from monitor.model import Item, Match, Notice, Polled, Source, SourceState, Topic
from monitor.pipeline import standing
from monitor.sources.telegram_gaps import in_gaps, read_gaps
from monitor.sources.telegram_page import read_known, was_passed
from monitor.store import Database, chats, items, notices, outbox
from monitor.store import edits as edits_table
from monitor.store import shown as shown_table
from monitor.store import sources as sources_table
from monitor.store import stories as stories_table
from monitor.store.shown import Shown

GAP = "possible gap: nothing in it was known before"

Matched = tuple[Item, tuple[Match, ...]]


class Revised(NamedTuple):
    """An item that was edited, as it is now."""

    edit: edits_table.Edit
    item: Item  # in its language
    matches: tuple[Match, ...]


class Found(NamedTuple):
    """All that one transaction stores."""

    source: Source
    after: SourceState
    seen: Sequence[str]  # keys of what the source shows and is stored
    fresh: Sequence[Matched]
    edited: Sequence[Revised]
    news: Collection[str]  # keys of the items, fresh or edited, that chats may be told of
    topics: Mapping[str, Topic]
    now: datetime
    notices: Sequence[Notice] = ()  # for the admins
    before: datetime | None = None  # the last look before this one
    notes: tuple[str, ...] = ()  # what the operator should know


class Compared(NamedTuple):
    """What a source shows, beside what is stored."""

    shown: Shown = Shown()
    came: Sequence[datetime] | None = None  # when its latest items did; None where that was not asked for


class Answer(NamedTuple):
    """What one look at a source brought, and what was known before."""

    source: Source
    state: SourceState
    polled: Polled
    topics: Mapping[str, Topic]
    started: datetime
    now: datetime
    pace: Pace
    before: datetime | None  # the last look before this one

    def judged(self, compared: Compared, matched: Mapping[str, Matched]) -> Found:
        """Return what is to be stored of it; `matched` is what is new or edited, by its key. Pure."""
        _, new, edited = compared.shown
        source, state, polled = self.source, self.state, self.polled
        if polled.gap:  # unless it shows what was stored before the last look
            gap = len(new) == len(compared.shown.items)
            polled = replace(polled, gap=gap, notes=(*polled.notes, GAP) if gap else polled.notes)
        fresh = tuple(matched[item.key] for item in new)
        late = _archive(state, fresh) if source.kind == "feed" else frozenset()
        revised = tuple(Revised(edit, *matched[edit.item.key]) for edit in edited)
        learned = standing.learned(state, compared.came, new, self.now)
        after = standing.answered(source, state, polled, learned, started=self.started, pace=self.pace)
        return Found(
            source=source,
            after=after,
            seen=_seen(compared.shown, polled),
            fresh=fresh,
            edited=revised,
            news=(news(source, state, fresh) - late) | corrections(state, revised, self.now),
            topics=self.topics,
            now=self.now,
            notices=missed(source, state.cursor.gaps, polled.cursor.gaps),
            before=self.before,
            notes=(*polled.notes, *([f"published long ago, told to nobody: {len(late)}"] if late else [])),
        )


def _seen(shown: Shown, polled: Polled) -> Sequence[str]:
    """Return the keys of what a source shows and is stored already."""
    if not polled.changed:
        return ()
    new = {item.key for item in shown.new}
    return [*(item.key for item in shown.items if item.key not in new), *polled.unchanged]


def compared(
    db: Database, source_id: str, items_shown: Sequence[Item], started: datetime, *, learn: bool
) -> Compared:
    """Return what of what a source shows is new, and edited, and what its rhythm is learned from."""
    shown = shown_table.compare(db, source_id, items_shown, started)
    if not shown.new or not learn:
        return Compared(shown)
    return Compared(shown, items.moments(db, source_id, standing.REMEMBERED))


def record(db: Database, found: Found) -> int | None:
    """Store a poll; return how many rows were put into the outbox, None if the source is another by now."""
    now = found.now
    if not sources_table.save(db, found.source, found.after, found.before):
        return None
    items.seen(db, found.source.id, found.seen, now)
    for notice in found.notices:
        notices.put(db, notice, now)
    queued = 0
    for item, matches in found.fresh:
        item_id = items.insert(db, item, matches, now)
        if matches:
            story_id = _tell(db, item, item_id, now)
            if item.key in found.news:
                queued += _queue(db, item_id, story_id, matches, found)
    return queued + sum(_revise(db, revised, found) for revised in found.edited)


def missed(source: Source, before: str | None, after: str | None) -> list[Notice]:
    """Return what the admins are to hear of posts that could not be read, or were after all."""
    if before == after:
        return []
    were, are = ([gap for gap in read_gaps(gaps) if gap.told] for gaps in (before, after))
    told = {gap.first for gap in were}
    fresh = [("notice.missing", gap) for gap in are if gap.first not in told]
    filled = [("notice.found", gap) for gap in were if not in_gaps(gap.first, read_gaps(after))]
    return [
        Notice(phrase, {"source": source.name, "first": gap.first, "last": gap.last})
        for phrase, gap in (*fresh, *filled)
    ]


def _revise(db: Database, revised: Revised, found: Found) -> int:
    """Store an edit; return how many alerts were queued, as the item matches topics that it did not before.

    Chats that were told of the item see it in their message as it is now, also where it matches no more.
    """
    edit, item, matches = revised.edit, revised.item, revised.matches
    revision = edits_table.revise(db, edit, item, matches, found.now)
    if revision is None:
        return 0
    story_id = stories_table.of_item(db, edit.row_id)
    if story_id is None and matches:
        story_id = _tell(db, item, edit.row_id, found.now)
    elif story_id is not None and edit.in_words:
        stories_table.also_called(db, story_id, stories.headline(item))
    if story_id is None or item.key not in found.news:
        return 0
    queued = 0
    if revision.gained:
        fresh = [match for match in matches if match.topic_id in revision.gained]
        queued = _queue(db, edit.row_id, story_id, fresh, found)
        edits_table.widen(db, edit.row_id, revision.gained)
    if revision.gained or (edit.in_words and edits.is_told(revision.edits)):
        outbox.refresh(db, story_id, found.now)
    return queued


def _tell(db: Database, item: Item, item_id: int, now: datetime) -> int:
    """Find or begin the story that an item tells, store that, and return it."""
    headline, links = stories.headline(item), stories.links(item)
    alike = stories_table.alike(db, links, stories.outline(headline), now - stories.WINDOW)
    story = stories.Known(alike).find(item)
    story_id = story.id if story else stories_table.begin(db, headline, now)
    if stories_table.join(db, story_id, item_id, [(link, item.source_id) for link in links]):
        outbox.refresh(db, story_id, now)
    return story_id


def _queue(db: Database, item_id: int, story_id: int, matches: Sequence[Match], found: Found) -> int:
    listeners = chats.listeners(db, [match.topic_id for match in matches])
    told = outbox.told(db, story_id)
    heard = audience.hearings(matches, found.topics, listeners, told, found.now)
    return sum(outbox.put(db, one, story_id=story_id, item_id=item_id, now=found.now) for one in heard)


def corrections(state: SourceState, edited: Sequence[Revised], now: datetime) -> frozenset[str]:
    """Return the keys of the edited items that chats may be told of; none where the source begins anew."""
    if state.succeeded is None:
        return frozenset()
    return frozenset(
        one.item.key
        for one in edited
        if edits.is_news(one.item.published or one.edit.found, now, edits=len(edited))
    )


def _archive(state: SourceState, fresh: Sequence[Matched]) -> frozenset[str]:
    """Return the keys of what was published long before the newest item that was known, where that is much.

    What is late by itself is told: dates are wrong at times, and to miss something is worse than to be late.
    """
    if state.newest is None:
        return frozenset()
    since = state.newest - edits.FRESH
    late = frozenset(item.key for item, _ in fresh if item.published and item.published < since)
    return late if len(late) > edits.MANY else frozenset()


def news(source: Source, state: SourceState, fresh: Sequence[Matched]) -> frozenset[str]:
    """Return the keys of what a source has published since its last poll.

    Nothing in its first answer is news, and no post below those that were seen: it only came into view
    again because a newer one was deleted. A post that stands in a gap on record is one that was missed, and
    one among those that were seen was not there then.
    """
    if state.succeeded is None:
        return frozenset()
    last = state.cursor.last_post
    if source.kind != "channel" or last is None:
        return frozenset(item.key for item, _ in fresh)
    gaps, known = read_gaps(state.cursor.gaps), read_known(state.cursor.posts)
    numbers = {item.key: int(item.key.rpartition("/")[2]) for item, _ in fresh}
    passed = {key for key, number in numbers.items() if was_passed(number, known)}
    late = passed if len(passed) <= edits.MANY else set()  # more are another channel's, or of an old page
    return frozenset(
        key for key, number in numbers.items() if number > last or in_gaps(number, gaps) or key in late
    )
