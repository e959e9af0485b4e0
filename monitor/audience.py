"""Who hears what, and when.

Pure: takes what was found and who subscribed to what, and returns what is to be queued.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Match, Place, Priority, Topic

ORDER: tuple[Priority, ...] = ("urgent", "normal", "low")
"""The priorities, the most pressing first."""


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
    listeners: Mapping[Place, Mapping[str, bool]],
    told: Collection[Place],
    now: datetime,
) -> list[Hearing]:
    """Return who is to be told of a story that matched these topics.

    `listeners` are the subscriptions by place: topic ids, each with whether it comes without a sound.
    `told` are the places that know the story already. A story is as pressing as the most pressing of its
    topics that the place subscribed to, and silent when all of them are.
    """
    found = [match.topic_id for match in matches if match.topic_id in topics]
    hears = []
    for place, wanted in listeners.items():
        topic_ids = tuple(topic_id for topic_id in found if topic_id in wanted)
        if not topic_ids or place in told:
            continue
        priority = min((topics[topic_id].priority for topic_id in topic_ids), key=ORDER.index)
        silent = all(wanted[topic_id] for topic_id in topic_ids)
        hears.append(Hearing(place, topic_ids, priority, due(priority, now), priority == "low", silent))
    return hears


def due(priority: Priority, now: datetime) -> datetime:
    """Return when a story of this priority is to be sent: now, or with the digest of the next full hour."""
    if priority != "low":
        return now
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
