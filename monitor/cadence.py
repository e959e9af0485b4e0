"""When to look at a source again.

Pure: the caller says when the last look began and how it went, and gets the time of the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from monitor.model import Hints, Source, SourceState

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When a source is polled that is not polled any more."""

SHORTEST: Final = timedelta(seconds=1)
IN_A_HURRY: Final = timedelta(seconds=30)  # after which a source that may have dropped items is looked at
LONGEST_HINT: Final = timedelta(hours=1)  # what Cache-Control and ttl may stretch a wait to
MOST_DOUBLINGS: Final = 17  # of a second: more than a day
LONGEST_BACKOFF: Final = timedelta(hours=1)
LONGEST_GONE: Final = timedelta(days=1)  # between looks at what says that it is not there
LONGEST_RETRY_AFTER: Final = timedelta(days=1)
JITTER: Final = 0.1  # a tenth of the interval
LOOKS: Final = 4  # looks in the time in which a source usually publishes one item
LULL: Final = 10  # after so many usual gaps without an item a source is taken to sleep
FEWEST_GAPS: Final = 5  # from which a rhythm is known
CATCH_UP: Final = 40.0  # polls a second when many are overdue
LONGEST_SPREAD: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a source is looked at that does not say so itself."""

    every: timedelta  # as long as its rhythm is not known
    fastest: timedelta | None = None  # to which a busy one is sped up; None: `every`
    slowest: timedelta | None = None  # to which a quiet one is slowed down; None: `every`

    def limits(self) -> tuple[timedelta, timedelta]:
        """Return the shortest and the longest wait between two looks.

        One that is not given is `every`, or the other where they would cross.
        """
        fastest = self.fastest or min(self.every, self.slowest or self.every)
        return fastest, max(self.slowest or self.every, fastest)

    def hurried(self) -> timedelta:
        """Return the wait after which a source is looked at that may have dropped items."""
        return self.fastest or min(IN_A_HURRY, self.limits()[0])


class Rhythm(NamedTuple):
    """How a source publishes; None where too little is known."""

    newest: datetime | None = None  # its newest item
    usual: timedelta | None = None  # between two items: the median
    longest: timedelta | None = None


def rhythm(moments: Iterable[datetime]) -> Rhythm:
    """Return the rhythm of a source whose latest items came at these moments, in any order."""
    times = sorted(set(moments))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if len(gaps) < FEWEST_GAPS:
        return Rhythm(times[-1] if times else None)
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    return Rhythm(times[-1], usual, max(gaps))


def next_poll(  # noqa: PLR0913 - each is a fact of its own about the last look
    started: datetime,
    *,
    source: Source,
    pace: Pace,
    known: Rhythm = Rhythm(),  # noqa: B008 - frozen
    hints: Hints = Hints(),  # noqa: B008 - frozen
    failures: int = 0,
    missed: bool = False,
    gone: bool = False,
) -> datetime:
    """Return when to look again at a source whose last look began at `started`.

    `every` of a source is kept as it stands, down to a second, with no jitter. Otherwise the source's own
    rhythm decides within the limits of `pace`, unless `missed` says that items may have been dropped between
    two looks, which asks for a short wait. The server may stretch that up to an hour. `failures` counts
    the failed looks since the last good one; each doubles the wait, up to an hour, or up to a day for what
    is `gone`. A Retry-After (RFC 9110, 10.2.3) is waited for, up to a day.
    """
    if source.every is not None:
        wait = max(source.every, SHORTEST)
    else:
        learned = pace.hurried() if missed else _unhurried(_learned(started, pace, known), hints, known)
        wait = _jittered(max(learned, SHORTEST), source.id)
    if failures > 0:
        wait = max(wait, backoff(wait, failures, LONGEST_GONE if gone else LONGEST_BACKOFF))
    if hints.retry_after is not None:
        wait = max(wait, min(hints.retry_after, LONGEST_RETRY_AFTER))
    return started + wait


def logged(moment: datetime) -> str:
    """Return when a source is looked at as the log writes it: in UTC, to the second."""
    return "never" if moment == NEVER else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def backoff(wait: timedelta, failures: int, longest: timedelta = LONGEST_BACKOFF) -> timedelta:
    """Return the wait doubled for each failure in a row, at most `longest`."""
    doublings = min(failures, MOST_DOUBLINGS)
    return min(wait * (1 << doublings), longest)


def after_pause(now: datetime, source: Source, pause: timedelta) -> datetime:
    """Return when to look at a source whose host asked for a pause; the host's sources do not come as one."""
    pause = max(pause, SHORTEST)
    return now + pause + min(pause, source.every or LONGEST_SPREAD) * _share(source.id)


def first_polls(
    sources: Iterable[Source],
    states: Mapping[str, SourceState],
    *,
    now: datetime,
    pace: Pace,
    revive: bool = False,
) -> dict[str, datetime]:
    """Return when each source is due after a start or a change of the list.

    That is when its last look said, but not later than its rhythm of today; what is overdue or new is
    due at once, spread where there are many. One that has ended stays ended, unless `revive` asks for it.
    """
    due: dict[str, datetime] = {}
    overdue: list[Source] = []
    for source in sources:
        state = states.get(source.id, SourceState())
        planned = state.next_poll or now
        if planned == NEVER and not revive:
            due[source.id] = NEVER
            continue
        calm = not state.failures and not state.error  # else a wait that was asked for, or grew
        usual = (source.every or pace.limits()[1]) if calm or planned == NEVER else LONGEST_RETRY_AFTER
        planned = min(planned, now + usual)
        if planned <= now or (revive and state.gone):
            overdue.append(source)
        else:
            due[source.id] = planned
    return due | {source.id: now + spread(source, len(overdue)) for source in overdue}


def spread(source: Source, crowd: int) -> timedelta:
    """Return how long an overdue source waits where `crowd` of them are: never longer than its `every`."""
    most = min(source.every or LONGEST_SPREAD, LONGEST_SPREAD, timedelta(seconds=crowd / CATCH_UP))
    return most * _share(source.id)


def _learned(now: datetime, pace: Pace, known: Rhythm) -> timedelta:
    """Return the wait that suits what is known of a source; one that sleeps is looked at less often."""
    fastest, slowest = pace.limits()
    wait = pace.every
    if known.usual is not None and known.newest is not None:
        wait = max(known.usual, (now - known.newest) / LULL) / LOOKS
    return min(max(wait, fastest), slowest)


def _unhurried(wait: timedelta, hints: Hints, known: Rhythm) -> timedelta:
    """Return the wait, or longer where the server says that nothing can be new before.

    A ttl is its publisher's guess, so it does not hold against what the source is known to do.
    """
    nothing = timedelta(0)
    ttl = min(hints.ttl or nothing, known.usual or LONGEST_HINT)
    return max(wait, min(max(hints.max_age or nothing, ttl), LONGEST_HINT))


def _jittered(wait: timedelta, source_id: str) -> timedelta:
    """Return `wait` made longer by up to a tenth, the same for the same source."""
    return wait * (1 + JITTER * _share(source_id))


def _share(source_id: str) -> float:
    """Return a number from 0 to 1 that depends on nothing but the id."""
    return int.from_bytes(blake2b(source_id.encode("utf-8", "replace"), digest_size=4).digest()) / 2**32
