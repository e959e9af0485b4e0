"""Who hears what, and when.

Pure: takes what was found and who subscribed to what, and returns what is to be queued. What may not be
told now is not lost: it is queued for the moment at which it may, to come as one digest with all else
that waited for it.

    a mute           holds everything until it ends, what is urgent as well: somebody asked for it by hand
    a digest         comes at each full hour or once a day; a topic's own goes before the chat's. What is
                     urgent waits for no digest but one of its own topic, and "low" always waits for one
    quiet hours      hold everything that is not urgent until they end
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor import hours
from monitor.model import (
    AT_ONCE,
    PRIORITIES,
    Chat,
    Listener,
    Match,
    Place,
    Priority,
    Rhythm,
    Subscription,
    Topic,
)

HOURLY = Rhythm("hourly")


@dataclass(frozen=True, slots=True)
class Hearing:
    """One place that is to be told, of which topics, how pressingly and when."""

    place: Place
    topic_ids: tuple[str, ...]
    priority: Priority
    due: datetime
    digest: bool = False  # waits to be told together with the others that are due there
    silent: bool = False  # without a sound


def hearings(
    matches: Iterable[Match],
    topics: Mapping[str, Topic],
    listeners: Mapping[Place, Listener],
    told: Collection[Place],
    now: datetime,
) -> list[Hearing]:
    """Return who is to be told of a story that matched these topics.

    `told` are the places that know the story already. A story is as pressing as the most pressing of its
    topics that the place subscribed to, is due when the first of them may be told, and is silent when all
    of them are.
    """
    found = [match.topic_id for match in matches if match.topic_id in topics]
    hears = []
    for place, listener in listeners.items():
        wanted = {topic_id: listener.wanted[topic_id] for topic_id in found if topic_id in listener.wanted}
        if not wanted or place in told:
            continue
        priorities = {topic_id: topics[topic_id].priority for topic_id in wanted}
        due = min(release(listener.chat, one, priorities[name], now) for name, one in wanted.items())
        hears.append(
            Hearing(
                place,
                tuple(wanted),
                priority=min(priorities.values(), key=PRIORITIES.index),
                due=due,
                digest=due > now,
                silent=all(one.silent for one in wanted.values()),
            )
        )
    return hears


def release(chat: Chat, subscription: Subscription, priority: Priority, now: datetime) -> datetime:
    """Return the first moment from `now` on at which a chat may be told of a topic of this priority."""
    start = _unmuted(chat, subscription, now)
    rhythm = _rhythm(chat, subscription, priority)
    if rhythm.every != "off":
        # What a mute held until 08:00 sharp is in time for a digest of 08:00, what is found then is not.
        after = start if start == now else start - datetime.resolution
        start = hours.following(rhythm, after, hours.zone(chat.timezone))
    return _awake(chat, priority, start)


def held(
    chat: Chat, subscriptions: Iterable[Subscription], priority: Priority, now: datetime
) -> datetime | None:
    """Return until when a mute or quiet hours hold what is due now; None where nothing does.

    This is asked of a row of the outbox as it is about to be sent: the chat may have been muted since
    it was queued.
    """
    first = min(_awake(chat, priority, _unmuted(chat, one, now)) for one in subscriptions)
    return first if first > now else None


def _unmuted(chat: Chat, subscription: Subscription, now: datetime) -> datetime:
    return max(moment for moment in (now, chat.muted, subscription.muted) if moment)


def _rhythm(chat: Chat, subscription: Subscription, priority: Priority) -> Rhythm:
    general = AT_ONCE if priority == "urgent" else chat.rhythm
    rhythm = subscription.rhythm or general
    return HOURLY if priority == "low" and rhythm.every == "off" else rhythm


def _awake(chat: Chat, priority: Priority, moment: datetime) -> datetime:
    """Return a moment, or the end of the quiet hours that hold it."""
    if priority == "urgent" or chat.quiet is None:
        return moment
    return hours.quiet_end(chat.quiet, moment, hours.zone(chat.timezone)) or moment
