"""How a source stands after a look at it: what the next look takes up, and when that is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from monitor import errors
from monitor.cadence import NEVER, SHORTEST, Pace, Rhythm, after_pause, next_poll, rhythm
from monitor.model import Hints, Item, Polled, Source, SourceState

REMEMBERED: Final = 50  # items from which the rhythm of a source is learned


def answered(  # noqa: PLR0913 -- what it was, what came, and what it means
    source: Source, state: SourceState, polled: Polled, learned: Rhythm, *, started: datetime, pace: Pace
) -> SourceState:
    """Return how a source stands that gave an answer; `learned` is the rhythm that is known by now.

    What has more than one look takes is due at once.
    """
    following = next_poll(
        started, source=source, pace=pace, known=learned, hints=polled.hints, missed=polled.gap
    )
    if polled.more and polled.hints.retry_after is None:
        following = started
    return SourceState(
        cursor=polled.cursor,
        polled=started,
        succeeded=started,
        changed=started if polled.changed else state.changed,
        next_poll=following,
        **learned._asdict(),
    )


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
    """Return how a source stands that was not asked, since its host wants a pause: that is no failure."""
    return replace(state, next_poll=after_pause(now, source, error.after or SHORTEST), error=str(error))


def known(state: SourceState) -> Rhythm:
    """Return what was known of a source's rhythm."""
    return Rhythm(state.newest, state.usual, state.longest)


def learn(before: Iterable[datetime], new: Sequence[Item], now: datetime) -> Rhythm:
    """Return the rhythm of a source whose items came at these moments before, and which has new ones now."""
    came = [min(item.published or now, now) for item in new]
    return rhythm(sorted([*before, *came])[-REMEMBERED:])
