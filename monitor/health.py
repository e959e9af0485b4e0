"""How well a source does, and what of it the admins are told.

Told are troubles and their ends, never single errors: a source that fails, is gone, or is silent for much
longer than is usual for it. When most sources fail at once the trouble is ours, and is told as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from monitor.model import Notice, Source, SourceState

Status = Literal["new", "ok", "quiet", "silent", "failing", "gone", "paused"]
GOOD_NEWS = frozenset({"notice.well", "notice.speaks", "notice.online"})
Trouble = Literal["failing", "silent", "gone", "network", "well"]

MARKS: Final[Mapping[Status, str]] = {
    "ok": "🟢",
    "quiet": "💤",
    "new": "⚪",
    "silent": "🔕",
    "failing": "⚠️",
    "gone": "⛔",
    "paused": "⏸",
}
"""Every status with its mark, the good ones first."""

A_DAY: Final = timedelta(days=1)
SOON: Final = timedelta(minutes=1)  # a failing source is not told of before, however often it was tried
LATE: Final = timedelta(minutes=15)  # it is told of after so long, even if it was seldom tried
MANY_TRIES, SOME_TRIES = 5, 3  # failures in a row that are told of soon, and late
UNSTEADY: Final = timedelta(hours=1)  # so long after its recovery a source is told of only late
CROWD: Final = 3  # sources that fail at once before the network is suspected
MOST: Final = 0.9  # the share of those looked at that must fail for that
NAMED: Final = 5  # sources named in the notice of that
WHOLE: Final = "*"  # the network as a whole, among the ids of sources that something was told of


class Told(NamedTuple):
    """What the admins were told last of a source, or of the network."""

    trouble: Trouble  # "well" is remembered for a while; "network": it was one of the many
    since: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at all sources brought."""

    told: Mapping[str, Told | None] = field(default_factory=dict)  # what changes; None is to be forgotten
    notices: tuple[Notice, ...] = ()
    retry: tuple[str, ...] = ()  # sources to be tried again now, since what held them up is over


def status_of(source: Source, state: SourceState, now: datetime) -> Status:
    """Return how a source does, in one word."""
    if source.paused:
        return "paused"
    if state.gone:
        return "gone"
    if state.failures:
        return "failing"
    if state.succeeded is None:
        return "new"
    if is_silent(state):
        return "silent"
    return "quiet" if _is_quiet(state, now) else "ok"


def moved(source: Source, state: SourceState) -> str | None:
    """Return where a source of the config was moved for good, while the config names another address."""
    there = state.cursor.moved_to
    return there if source.added_by is None and there != source.address else None


def is_silent(state: SourceState) -> bool:
    """Tell whether a source answers, but had nothing new for much longer than is usual for it.

    That is a day at least, a day's worth of its usual gaps or some days and a few gaps, and more than its
    longest gap so far by half: a weekend is no silence. Time in which the bot did not look does not count.
    """
    if not state.succeeded or not state.newest or state.usual is None or state.longest is None:
        return False
    patience = min(24 * state.usual, 3 * A_DAY + 4 * state.usual)
    return state.succeeded - state.newest > max(patience, 1.5 * state.longest, A_DAY)


def check(
    sources: Iterable[Source],
    states: Mapping[str, SourceState],
    told: Mapping[str, Told],
    now: datetime,
) -> Findings:
    """Return what is to be told by now, given what was told before."""
    known = {source.id: source for source in sources}
    standing = {key: states[key] for key, source in known.items() if key in states and not source.paused}
    changed: dict[str, Told | None] = {
        key: None for key, was in told.items() if _is_over(key, was, known, standing, now)
    }
    before = {key: was for key, was in told.items() if key not in changed}
    network = _network(known, standing, before, now)
    if network:
        return Findings({**changed, **network.told}, network.notices, network.retry)
    notices = []
    for key, state in standing.items():
        was = before.get(key)
        trouble = _trouble(state, was, now)
        if trouble == "failing" and WHOLE in before:
            continue
        if trouble and trouble != (was.trouble if was else "well"):
            changed[key] = _new(trouble, state, now)
            notices.append(_notice(known[key], state, trouble, was, now))
    return Findings(changed, tuple(notices))


def _is_over(
    key: str, was: Told, known: Mapping[str, Source], standing: Mapping[str, SourceState], now: datetime
) -> bool:
    """Tell whether what was told need not be remembered: the source left, or is well for long enough."""
    if key == WHOLE:
        return False
    return key not in known or key not in standing or (was.trouble == "well" and now - was.since > UNSTEADY)


def _trouble(state: SourceState, was: Told | None, now: datetime) -> Trouble | None:
    """Return what is to be said of a source; None where it is too early to say anything new."""
    if state.gone:
        return "gone"
    if state.failures:
        return "failing" if _fails_for_good(state, was, now) else None
    if state.succeeded is None:
        return None
    return "silent" if is_silent(state) else "well"


def _fails_for_good(state: SourceState, was: Told | None, now: datetime) -> bool:
    """Tell whether failures are more than a hiccup; after a recovery they count from there."""
    steady = was is None or was.trouble != "well"
    began = state.failing or now
    lasts = now - (began if was is None or steady else max(began, was.since))
    soon = state.failures >= MANY_TRIES and lasts >= SOON and steady
    return soon or (state.failures >= SOME_TRIES and lasts >= LATE)


def _new(trouble: Trouble, state: SourceState, now: datetime) -> Told:
    """Return what was told by now, and since when that is so."""
    since = {"silent": state.newest, "well": now}.get(trouble, state.failing)
    return Told(trouble, since or now)


def _notice(source: Source, state: SourceState, trouble: Trouble, was: Told | None, now: datetime) -> Notice:
    """Return the notice for a source whose trouble is new, or over."""
    facts: dict[str, str | int | timedelta] = {"source": source.name}
    if trouble == "well":
        facts["span"] = now - was.since if was else timedelta(0)
        return Notice("notice.speaks" if was and was.trouble == "silent" else "notice.well", facts)
    if trouble == "silent":
        facts |= {"span": now - (state.newest or now), "usual": state.usual or timedelta(0)}
    else:
        facts |= {"span": now - (state.failing or now), "error": state.error or ""}
    return Notice(f"notice.{trouble}", facts)


def _network(
    known: Mapping[str, Source], standing: Mapping[str, SourceState], told: Mapping[str, Told], now: datetime
) -> Findings | None:
    """Return what is to be told where most sources began to fail together, or where that is over."""
    down = told.get(WHOLE)
    if down:
        struck = [key for key, was in told.items() if was.trouble == "network" and key in standing]
        if any(not standing[key].failures for key in struck) or not struck:
            return _network_is_back(standing, struck, down, now)
        if now - down.since > A_DAY:  # whatever it is, from now on each counts for itself
            single = {key: Told("failing", standing[key].failing or now) for key in struck}
            return Findings({**single, WHOLE: None})
        return None
    suspects = [
        state.failing
        for key, state in standing.items()
        if state.failures and state.failing and not state.gone
        if _fails_for_good(state, told.get(key), now) and _is_news(told.get(key))
    ]
    if not suspects:
        return None
    began = min(suspects)
    looked_at = {key: state for key, state in standing.items() if state.polled and state.polled >= began}
    struck = [key for key, state in looked_at.items() if state.failures and not state.gone]
    if len(struck) < CROWD or len(struck) < MOST * len(looked_at):
        return None
    names = [known[key].name for key in struck]
    notice = Notice(
        "notice.network",
        {
            "count": len(struck),
            "names": ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else ""),
            "error": _usual_error([looked_at[key] for key in struck]),
        },
    )
    marks = {key: Told("network", now) for key in struck if _is_news(told.get(key))}
    began = min(looked_at[key].failing or now for key in marks)
    return Findings({**marks, WHOLE: Told("network", began)}, (notice,))


def _network_is_back(
    standing: Mapping[str, SourceState], struck: Sequence[str], down: Told, now: datetime
) -> Findings:
    """Say that it is over; those that still wait are tried again, and told of if they go on failing."""
    waiting = tuple(
        key
        for key, state in standing.items()
        if state.failing and state.failing >= down.since and not state.gone
    )
    told: dict[str, Told | None] = {key: Told("well", now) if key in waiting else None for key in struck}
    notice = Notice("notice.online", {"span": now - down.since})
    return Findings({**told, WHOLE: None}, (notice,), waiting)


def _is_news(was: Told | None) -> bool:
    """Tell whether the admins know of no trouble."""
    return was is None or was.trouble == "well"


def _usual_error(states: Sequence[SourceState]) -> str:
    """Return one of the errors, for an example."""
    return next((state.error for state in states if state.error), "")


def _is_quiet(state: SourceState, now: datetime) -> bool:
    """Tell whether nothing came for longer than is usual, as happens at night."""
    if state.newest is None or state.usual is None or state.longest is None:
        return False
    return now - state.newest > max(4 * state.usual, state.longest)
