"""How the sources and the bot itself do: /sources, /health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from monitor import render
from monitor.commands import choosing
from monitor.commands.desk import Call, page_of, turns
from monitor.health import MARKS, Status, moved, status_of
from monitor.markup import Safe, isolated, link, split
from monitor.model import Message, Reply, Source, SourceState
from monitor.prose import clip
from monitor.sources.http import shown as address_shown
from monitor.sources.telegram_gaps import gap_ranges, read_gaps
from monitor.store import Database, dead_letters, items, outbox
from monitor.store import sources as sources_table

ON_A_PAGE = 10  # sources; so many of the longest entries fit into a message
LONGEST_NAME = 100  # UTF-16 units
LONGEST_ERROR = 120
LONGEST_GAPS = 40
DAYS = 14  # of the row of bars
LATE = timedelta(minutes=1)  # since when an alert is due, for /health to say so
NAMED = 10  # sources in trouble that /health names
MB = 2**20


async def sources(call: Call) -> Reply:
    """Show what is polled, and how that goes."""
    listed = call.desk.sources()
    if not listed:
        return call.reply("sources.none")
    numbered = call.argument.isdecimal()  # a page, unless a source has that name
    named = (choosing.find if numbered else choosing.shown)(call.argument, listed)
    if call.argument and not named and not numbered:
        return choosing.ask(call, "sources", listed)
    listed = tuple(named) or listed
    now, count = call.desk.clock.now(), len(listed)
    page = page_of(call.argument, count, ON_A_PAGE)
    shown = listed[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    states, daily = await call.desk.store.read(partial(_listing, shown=shown, now=now))
    lines = []
    for source in shown:
        lines += ["", _entry(call, source, states.get(source.id, SourceState()), daily[source.id], now)]
    if len(shown) == 1 and call.desk.is_admin(call.request.user_id):
        lines += _move(call, shown[0], states)
    failing = sum(bool(states[source.id].failures) for source in listed if source.id in states)
    heading = call.say("sources.heading", count=count, failing=failing)
    buttons = turns(call, "sources", page, count, ON_A_PAGE)
    return Reply(Message(split([heading, *lines])[0], buttons=buttons))


def _listing(
    db: Database, shown: Sequence[Source], now: datetime
) -> tuple[Mapping[str, SourceState], Mapping[str, Sequence[int]]]:
    ids = [source.id for source in shown]
    return sources_table.standings(db), items.daily(db, ids, now.date(), DAYS)


def _move(call: Call, source: Source, states: Mapping[str, SourceState]) -> list[Safe]:
    """Return the line on where a source of the config was moved; none where it was not."""
    there = moved(source, states.get(source.id, SourceState()))
    return [call.say("sources.moved", address=address_shown(there))] if there else []


def _entry(call: Call, source: Source, state: SourceState, daily: Sequence[int], now: datetime) -> Safe:
    """Return a source with its link, how it does, and how it publishes."""
    mark = "🏛 " if source.official else ""
    name = link(_page(source), Safe(isolated(mark + clip(source.name, LONGEST_NAME))))
    status = status_of(source, state, now)
    how = _how(call, status, state, now)
    lines = [f"{MARKS[status]} {name} — {how}{_origin(call, source)}", *_rhythm(call, state, daily, now)]
    return Safe("\n".join(lines))


def _how(call: Call, status: Status, state: SourceState, now: datetime) -> Safe:
    """Return in a few words how a source does."""
    error = clip(state.error or "", LONGEST_ERROR)
    if status == "failing":
        key = "sources.failed" if state.failures == 1 else "sources.failing"
        return call.say(key, count=state.failures, error=error)
    if status == "silent" and state.newest:
        return call.say("sources.silent", span=render.span(now - state.newest, call.chat.language))
    if status in {"ok", "quiet"} and state.succeeded:
        well = call.say("sources.well", ago=render.ago(state.succeeded, call.chat.language, now))
        return Safe(f"{well} · ⚠️ {isolated(error)}") if error else well
    if status == "gone":
        return call.say("sources.gone", error=error)
    return call.say("sources.paused" if status == "paused" else "sources.not_yet")


def _rhythm(call: Call, state: SourceState, daily: Sequence[int], now: datetime) -> list[str]:
    """Return the line on how a source publishes; none where nothing is known of that."""
    language, told = call.chat.language, [render.sparkline(daily)]
    if state.newest:
        told.append(call.say("sources.newest", ago=render.ago(state.newest, language, now)))
    if state.usual is not None:
        told.append(call.say("sources.usual", usual=render.span(state.usual, language)))
    if missing := gap_ranges(read_gaps(state.cursor.gaps)):
        told.append(call.say("sources.missing", posts=clip(missing, LONGEST_GAPS)))
    known = " · ".join(filter(None, told))
    return [known] if known else []


def _origin(call: Call, source: Source) -> str:
    """Return where a source comes from; nothing where all are those of the config."""
    if source.added_by is not None:
        return " · " + call.say("sources.added", who=isolated(clip(source.added_by, LONGEST_NAME)))
    some = any(one.added_by is not None for one in call.desk.sources())
    return f" · {call.say('sources.configured')}" if some else ""


def _page(source: Source) -> str:
    """Return the address of a source for readers: without user and query, where operators keep their keys."""
    if source.kind == "channel":
        return f"https://t.me/{source.address}"
    parts = urlsplit(source.address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of how things go."""

    states: Mapping[str, SourceState]
    outbox: Mapping[str, int]
    letters: dead_letters.Health
    now: datetime


async def health(call: Call) -> Reply:
    """Show admins how everything does."""
    now = call.desk.clock.now()
    facts = await call.desk.store.read(partial(_facts, now=now))
    lines = [line for section in SECTIONS for line in section(call, facts)]
    return Reply(Message(split([call.say("health.heading"), "", *lines])[0]))


def _facts(db: Database, now: datetime) -> Facts:
    return Facts(sources_table.standings(db), outbox.count(db), dead_letters.health(db, now), now)


def _sources(call: Call, facts: Facts) -> list[Safe]:
    """Return how many sources do how, and those in trouble by name."""
    states = {source: facts.states.get(source.id, SourceState()) for source in call.desk.sources()}
    statuses = {source: status_of(source, state, facts.now) for source, state in states.items()}
    if not statuses:
        return [call.say("sources.none")]
    counts = Counter(statuses.values())
    told = [Safe(f"{MARKS[one]} {call.say(f'health.{one}')}: {counts[one]}") for one in MARKS if counts[one]]
    lines = [call.say("health.sources", count=len(states), how=Safe(" · ".join(told)))]
    troubled = [
        source
        for source, status in statuses.items()
        if status in {"failing", "gone", "silent"} or states[source].error
    ]
    for source in troubled[:NAMED]:
        how = _how(call, statuses[source], states[source], facts.now)
        name = isolated(clip(source.name, LONGEST_NAME))
        lines.append(Safe(f"{MARKS[statuses[source]]} {name} — {how}"))
    if len(troubled) > NAMED:
        lines.append(call.say("notice.more", count=len(troubled) - NAMED))
    return lines


def _polls(call: Call, facts: Facts) -> list[Safe]:
    """Return when a source was looked at last, and whether the looks come in time."""
    polled = [state.polled for state in facts.states.values() if state.polled]
    if not polled:
        return []
    lag = f"{call.desk.vitals().lag.total_seconds():.1f}"
    return [call.say("health.polls", ago=render.ago(max(polled), call.chat.language, facts.now), lag=lag)]


def _outbox(call: Call, facts: Facts) -> list[Safe]:
    """Return what is on its way, and what became of the rest."""
    waiting = facts.outbox.get("queued", 0) + facts.outbox.get("claimed", 0)
    ends = {state: facts.outbox.get(state, 0) for state in ("sent", "dropped", "dead")}
    lines = [call.say("health.outbox", waiting=waiting, **ends)]
    letters, language = facts.letters, call.chat.language
    if letters.oldest and facts.now - letters.oldest > LATE:
        lines.append(call.say("health.oldest", ago=render.ago(letters.oldest, language, facts.now)))
    for held in letters.held:
        span, reason = render.span(held.until - facts.now, language), clip(held.reason, LONGEST_ERROR)
        chat = clip(held.chat, LONGEST_NAME) or call.say("health.everybody")
        lines.append(call.say("health.held", chat=chat, span=span, reason=reason))
    if letters.dead:
        lines.append(call.say("health.dead", reason=clip(letters.reason, LONGEST_ERROR)))
    return lines


def _process(call: Call, facts: Facts) -> list[Safe]:
    """Return how the process itself does."""
    vitals = call.desk.vitals()
    started = render.ago(vitals.started, call.chat.language, facts.now)
    lines = [call.say("status.up", version=vitals.version, ago=started)]
    if vitals.telegram_trouble is None:
        lines.append(call.say("health.telegram"))
    else:
        lines.append(call.say("health.no_telegram", error=clip(vitals.telegram_trouble, LONGEST_ERROR)))
    sizes = {"database": f"{vitals.database / MB:.1f}", "memory": f"{vitals.memory / MB:.0f}"}
    return [*lines, call.say("health.sizes", **sizes)]


SECTIONS: tuple[Callable[[Call, Facts], list[Safe]], ...] = (_sources, _polls, _outbox, _process)
"""What /health is made of, in order; each returns its lines."""
