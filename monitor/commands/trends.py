"""How much there is on a topic, compared with the usual: /trend."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from zoneinfo import ZoneInfo

from monitor.commands import choosing, topics
from monitor.commands.desk import ECHO, Call, listing, rows
from monitor.markup import Safe, isolated
from monitor.model import Button, Message, Reply, Topic
from monitor.prose import clip
from monitor.render import sparkline
from monitor.store import search as index
from monitor.store import watches

DAYS = 14
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)
SOURCES = 5  # shown
ON_BUTTONS = 90
MUCH = 2  # times the usual, from which it is said

Counted = list[tuple[datetime, str, int]]


async def trend(call: Call) -> Reply:
    """Show how much a topic brought each day and each hour, and who reported most."""
    own = await call.desk.store.read(partial(watches.of, chat_id=call.chat.id))
    known = {**call.desk.topics, **{watch.id: watch for watch in own}}
    wanted = topics.find(call.argument, known.values()) if call.argument else []
    if call.argument and not wanted and (source := choosing.find(call.argument, call.desk.sources())[:1]):
        text = call.say("trend.of_source", name=source[0].name)
        button = Button(call.say("add.show"), f"/latest {source[0].id}")
        return Reply(Message(text, buttons=((button,),)))
    if len(wanted) != 1:
        return _which(call, wanted or list(known.values()), several=bool(wanted))
    now = call.desk.clock.now()
    counts = await call.desk.store.read(
        partial(index.counts, topic_id=wanted[0].id, since=now - DAYS * A_DAY)
    )
    return Reply(Message(_told(call, wanted[0], counts, now)))


def _which(call: Call, known: list[Topic], *, several: bool) -> Reply:
    """Ask for the topic: one of the several that were named, else the nearest to what was said, else any."""
    argument = clip(call.argument, ECHO)
    near = choosing.meant(call.argument, known) if call.argument and not several else None
    if near is not None:
        text = call.say("choose.misspelt", argument=argument, meant=near.name)
    elif not known:
        text = call.say("topics.none_configured")
    elif call.argument and not several:
        text = call.say("topics.unknown", argument=argument, known=listing(topic.name for topic in known))
    else:
        text = call.say("trend.which")
    shown = [near] if near is not None else known[:ON_BUTTONS]
    return Reply(Message(text, buttons=rows(choosing.buttons("trend", shown), 2)))


def _told(call: Call, topic: Topic, counts: Counted, now: datetime) -> Safe:
    """Return the trend of a topic in words and small bars."""
    days, hours = by_day(counts, now, ZoneInfo(call.chat.timezone)), by_hour(counts, now)
    recent, usual = sum(hours), usual_of(counts, now)
    lines = [call.say("trend.heading", name=topic.name)]
    if any(days):
        lines.append(
            call.say("trend.days", bars=sparkline(days), least=min(days), most=max(days), count=DAYS)
        )
    if any(hours):
        lines.append(call.say("trend.hours", bars=sparkline(hours)))
    shown = f"{usual:.1f}".removesuffix(".0")
    lines.append(call.say(f"trend.{compared(recent, usual)}", count=recent, usual=shown))
    most = Counter[str]()
    for _, source, count in counts:
        most[source] += count
    if most:
        names = ", ".join(f"{isolated(clip(name, ECHO))} ({n})" for name, n in most.most_common(SOURCES))
        lines.append(call.say("trend.sources", names=Safe(names)))
    return Safe("\n".join(lines))


def by_day(counts: Counted, now: datetime, zone: ZoneInfo) -> list[int]:
    """Return how many items there were on each of the last 14 days of this zone, today the last."""
    today = now.astimezone(zone).date()
    found = [0] * DAYS
    for hour, _, count in counts:
        age = (today - hour.astimezone(zone).date()).days
        if 0 <= age < DAYS:
            found[DAYS - 1 - age] += count
    return found


def by_hour(counts: Counted, now: datetime) -> list[int]:
    """Return how many items there were in each of the last 24 hours, the present one the last."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    found = [0] * 24
    for hour, _, count in counts:
        age = round((this_hour - hour) / AN_HOUR)
        if 0 <= age < len(found):
            found[-1 - age] += count
    return found


def usual_of(counts: Counted, now: datetime) -> float:
    """Return how many items a day there were before the last 24 hours, from the first of them on."""
    last_day = now.replace(minute=0, second=0, microsecond=0) - 23 * AN_HOUR
    earlier = [(hour, count) for hour, _, count in counts if hour < last_day]
    if not earlier:
        return 0.0
    days = ceil((last_day - min(hour for hour, _ in earlier)) / A_DAY)
    return sum(count for _, count in earlier) / days


def compared(recent: int, usual: float) -> str:
    """Return which phrase compares the last day with the usual one: "more", "less", "same" or "first"."""
    if not usual:
        return "first"
    if recent >= MUCH * usual and recent > 1:
        return "more"
    return "less" if recent * MUCH <= usual else "same"
