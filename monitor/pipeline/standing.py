"""How a source stands after a look at it: what the next look takes up, and when that is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from monitor import errors
from monitor.cadence import NEVER, SHORTEST, Pace, Rhythm, after_pause, next_poll, rhythm
from monitor.model import Hints, Item, Polled, Source, SourceState
from monitor.sources.http import shown

REMEMBERED: Final = 50  # items from which the rhythm of a source is learned
LEARN_AGAIN: Final = timedelta(minutes=10)  # as a median of 50 does not change with the next item


class Learned(NamedTuple):
    """The rhythm of a source, and when it was last learned from its items."""

    rhythm: Rhythm
    at: datetime | None


def answered(  # noqa: PLR0913 -- what it was, what came, and what it means
    source: Source, state: SourceState, polled: Polled, learned: Learned, *, started: datetime, pace: Pace
) -> SourceState:
    """Return how a source stands that gave an answer; `learned` is what is known of its rhythm by now.

    What has more than one look takes is due at once.
    """
    rhythm, learned_at = learned
    following = next_poll(
        started, source=source, pace=pace, known=rhythm, hints=polled.hints, missed=polled.gap
    )
    if polled.more and polled.hints.retry_after is None:
        following = started
    return SourceState(
        cursor=polled.cursor,
        polled=started,
        succeeded=started,
        changed=started if polled.changed else state.changed,
        next_poll=following,
        newest=rhythm.newest,
        usual=rhythm.usual,
        longest=rhythm.longest,
        learned=learned_at,
        error=polled.fault or None,
    )


def notes(state: SourceState, polled: Polled) -> list[str]:
    """Return what is to be noted of an answer once, though it lasts: a fault, and a move for good."""
    told = [polled.fault] if polled.fault and polled.fault != state.error else []
    if (moved_to := polled.cursor.moved_to) and moved_to != state.cursor.moved_to:
        told.append(f"moved for good to {shown(moved_to)}")
    return told


def failed(
    source: Source, state: SourceState, error: errors.MonitorError, *, ended: datetime, pace: Pace
) -> SourceState:
    """Return how a source stands whose look ended without an answer; what is gone for good is left alone.

    The wait counts from the end: one that hangs until its time is over is not asked again at once.
    """
    failures, gone = state.failures + 1, isinstance(error, errors.GiveUp)
    following = next_poll(
        ended,
        source=source,
        pace=pace,
        known=known(state),
        hints=Hints(retry_after=getattr(error, "after", None)),
        failures=failures,
        gone=gone,
    )
    return replace(
        state,
        polled=ended,
        # A feed's 410 is meant for good (RFC 9110, 15.5.11); a channel may show its preview again.
        next_poll=NEVER if gone and source.kind == "feed" else following,
        failures=failures,
        failing=state.failing or ended,
        gone=gone,
        error=str(error),
    )


def postponed(
    source: Source, state: SourceState, error: errors.SourceResting, *, now: datetime
) -> SourceState:
    """Return how a source stands that was not asked, since its host wants a pause: that is no failure.

    What ails the source itself stays known.
    """
    ails = state.error if state.failures else None
    following = after_pause(now, source, error.after or SHORTEST)
    return replace(state, next_poll=following, error=ails or str(error))


def known(state: SourceState) -> Rhythm:
    """Return what was known of a source's rhythm."""
    return Rhythm(state.newest, state.usual, state.longest)


def is_to_learn(state: SourceState, now: datetime) -> bool:
    """Tell whether the rhythm of a source is to be learned from its items, now that it has new ones."""
    return state.usual is None or state.learned is None or now - state.learned >= LEARN_AGAIN


def learned(
    state: SourceState, before: Iterable[datetime] | None, new: Sequence[Item], now: datetime
) -> Learned:
    """Return the rhythm of a source that has new items.

    `before` says when the latest of its other items came; None leaves the rhythm as it is known.
    """
    came = [min(item.published or now, now) for item in new]
    if before is not None:
        return Learned(rhythm(sorted([*before, *came])[-REMEMBERED:]), now)
    latest = known(state)
    if came:
        latest = latest._replace(newest=max([*came, latest.newest or came[0]]))
    return Learned(latest, state.learned)
