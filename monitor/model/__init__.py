"""The nouns of the system, as frozen values.

Every stage takes and returns these and nothing else, in this order:

    source -> item -> match -> story -> alert -> delivery

Times are aware `datetime`s in UTC, durations `timedelta`s; offsets count characters (Unicode code
points) into the string that they name. Nothing here reads a clock, a file or the network.

    findings    what is read, and what is found in it
    people      who is told, where and when
    messages    what is said
"""

from __future__ import annotations

from monitor.model.findings import (
    PRIORITIES,
    Change,
    Cursor,
    Evidence,
    Field,
    Hints,
    How,
    Item,
    Match,
    Polled,
    Priority,
    Report,
    Source,
    SourceState,
    Story,
    Topic,
)
from monitor.model.messages import (
    Alert,
    Attachment,
    Button,
    Delivery,
    Message,
    Notice,
    Reply,
    Request,
)
from monitor.model.people import (
    AT_ONCE,
    Access,
    Chat,
    ChatKind,
    ChatStatus,
    Listener,
    Membership,
    Peer,
    Place,
    Quiet,
    Rhythm,
    Staff,
    Standing,
    Subscription,
)

__all__ = [
    "AT_ONCE",
    "PRIORITIES",
    "Access",
    "Alert",
    "Attachment",
    "Button",
    "Change",
    "Chat",
    "ChatKind",
    "ChatStatus",
    "Cursor",
    "Delivery",
    "Evidence",
    "Field",
    "Hints",
    "How",
    "Item",
    "Listener",
    "Match",
    "Membership",
    "Message",
    "Notice",
    "Peer",
    "Place",
    "Polled",
    "Priority",
    "Quiet",
    "Reply",
    "Report",
    "Request",
    "Rhythm",
    "Source",
    "SourceState",
    "Staff",
    "Standing",
    "Story",
    "Subscription",
    "Topic",
]
