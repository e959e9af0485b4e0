"""When to look at a source again.

Pure: the caller says when the last look began and how it went, and gets the time of the next one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from monitor.model import Hints

SHORTEST: Final = timedelta(seconds=1)
LONGEST_HINT: Final = timedelta(hours=1)  # what Cache-Control and ttl may stretch the default to
MOST_DOUBLINGS: Final = 12  # of a second: more than an hour
LONGEST_BACKOFF: Final = timedelta(hours=1)
LONGEST_RETRY_AFTER: Final = timedelta(days=1)
JITTER: Final = 0.1  # a tenth of the interval


def next_poll(  # noqa: PLR0913 - each is a fact of its own about the last look
    started: datetime,
    *,
    source_id: str,
    every: timedelta | None,
    default: timedelta,
    hints: Hints = Hints(),  # noqa: B008 - frozen
    failures: int = 0,
) -> datetime:
    """Return when to look again at a source whose last look began at `started`.

    `every` is what was given for the source: it is kept as it stands, down to a second, with no jitter.
    Without one, `default` is stretched by what the server said about its freshness, up to an hour, and by
    a jitter that is always the same for the same source. `failures` counts the failed looks since the last
    good one; each doubles the wait, up to an hour, so that a source looked at every second is tried again
    soon. A Retry-After (RFC 9110, 10.2.3) is waited for, up to a day.
    """
    wait = max(every, SHORTEST) if every is not None else _spread(_unhurried(default, hints), source_id)
    if failures > 0:
        wait = max(wait, backoff(wait, failures))
    if hints.retry_after is not None:
        wait = max(wait, min(hints.retry_after, LONGEST_RETRY_AFTER))
    return started + wait


def backoff(wait: timedelta, failures: int) -> timedelta:
    """Return the wait doubled for each failure in a row, at most an hour."""
    doublings = min(failures, MOST_DOUBLINGS)
    return min(wait * (1 << doublings), LONGEST_BACKOFF)


def _unhurried(default: timedelta, hints: Hints) -> timedelta:
    """Return the default, or longer where the server says that nothing can be new before."""
    said = max(hints.max_age or timedelta(0), hints.ttl or timedelta(0))
    return max(default, min(said, LONGEST_HINT), SHORTEST)


def _spread(wait: timedelta, source_id: str) -> timedelta:
    """Return `wait` made longer by up to a tenth, the same for the same source."""
    return wait * (1 + JITTER * _share(source_id))


def _share(source_id: str) -> float:
    """Return a number from 0 to 1 that depends on nothing but the id."""
    return int.from_bytes(blake2b(source_id.encode("utf-8", "replace"), digest_size=4).digest()) / 2**32
