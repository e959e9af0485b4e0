"""What becomes of a message that Telegram did not take: one function for each error of the sender.

Each writes it down in one transaction, and returns nothing: what is to be tried again is in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import errors
from monitor.model import ChatStatus, Notice
from monitor.pacing import LONGEST_ASKED
from monitor.store import Database, chats, moves, notices, outbox, turns

FIRST_WAIT = timedelta(seconds=1)
LONGEST_HOLD = timedelta(seconds=15)  # of a chat whose message got no answer
GRACE = timedelta(days=1)  # that a chat which takes nothing gets before it counts as gone
SHORTEST_TRY, LONGEST_TRY = timedelta(minutes=1), timedelta(hours=1)  # between two tries meanwhile
PATIENCE = 5  # tries without an answer, and then what else waits for the chat goes first

LISTENING: tuple[ChatStatus, ...] = ("active",)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message that was not taken."""

    chat_id: int
    title: str  # of the chat
    ids: tuple[int, ...]  # of the rows that it told
    tries: int  # of the first of them
    now: datetime


Remedy = Callable[[Database, Attempt, errors.MonitorError], str]
"""Writes down what is done about an error, and returns the state of the rows then, for the log."""


def asked(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Let a chat wait as long as Telegram asked; an absurd wait is cut short, and the admins are told."""
    wait = getattr(error, "after", None) or FIRST_WAIT
    if wait > LONGEST_ASKED:
        absurd(db, attempt.title, wait, attempt.now)
    until = attempt.now + min(wait, LONGEST_ASKED)
    outbox.hold(db, attempt.chat_id, until, str(error))
    return "held"


def note(db: Database, who: int, until: datetime, wait: timedelta) -> None:
    """Write down that Telegram asked a chat, or all of them, to wait, whatever it was that was sent."""
    turns.asked(db, who, until, f"Telegram asks to wait {wait.total_seconds():.0f} s")
    if wait > LONGEST_ASKED and (chat := chats.get(db, who)):
        absurd(db, chat.title, wait, until - LONGEST_ASKED)


def absurd(db: Database, title: str, wait: timedelta, now: datetime) -> None:
    """Have the admins told of a wait that is longer than we obey."""
    notice = Notice("notice.absurd_wait", {"chat": title, "asked": wait, "cut": LONGEST_ASKED})
    notices.put(db, notice, now)


def unanswered(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Let a chat wait longer with each try; after some, only the message that gets no answer waits."""
    wait = min(FIRST_WAIT * 2 ** (min(attempt.tries, 10) - 1), LONGEST_HOLD)
    if attempt.tries > PATIENCE:
        outbox.postpone(db, attempt.ids, attempt.now + wait, str(error))
    else:
        outbox.hold(db, attempt.chat_id, attempt.now + wait, str(error))
    return "held"


def shut(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Try again at growing distances; a chat that takes nothing for a day is gone."""
    trouble = turns.refused(db, attempt.chat_id, attempt.now)
    lasted = attempt.now - trouble.since
    if lasted >= GRACE:
        return gone(db, attempt, error)
    wait = min(max(lasted, SHORTEST_TRY), LONGEST_TRY)
    outbox.hold(db, attempt.chat_id, attempt.now + wait, str(error))
    return "held"


def gone(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Leave a chat alone; its subscriptions stay for its return."""
    chats.set_status(db, attempt.chat_id, "gone", only_from=LISTENING)
    turns.welcome(db, attempt.chat_id)
    outbox.drop_chat(db, attempt.chat_id, str(error), attempt.now)
    return "dropped"


def moved(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Follow a group that became a supergroup, with everything that belongs to it."""
    if isinstance(error, errors.ChatMoved) and error.new_id != attempt.chat_id:
        moves.to_supergroup(db, attempt.chat_id, error.new_id)
        return "moved"
    return unanswered(db, attempt, error)


def lost(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Send anew what can be edited no more."""
    outbox.send_anew(db, attempt.ids, str(error))
    return "queued"


def refused(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Give up a message that Telegram will never take, and have the admins told; its chat goes on."""
    outbox.bury(db, attempt.ids, str(error), attempt.now)
    return "dead"


def divided(db: Database, attempt: Attempt, error: errors.MonitorError) -> str:
    """Give rows back that were refused together, to go in smaller lists."""
    outbox.hold(db, attempt.chat_id, attempt.now + FIRST_WAIT, str(error))
    return "divided"


REMEDIES: tuple[tuple[type[errors.MonitorError], Remedy], ...] = (
    (errors.TelegramUnreachable, unanswered),
    (errors.ChatShut, shut),
    (errors.ChatGone, gone),
    (errors.ChatMoved, moved),
    (errors.MessageLost, lost),
    (errors.MessageRefused, refused),
    (errors.TopicClosed, refused),
)
"""What is done about each error; the first that fits counts."""


def remedy_for(error: errors.MonitorError) -> Remedy:
    """Return what is done about an error."""
    if getattr(error, "after", None):
        return asked
    return next(remedy for kind, remedy in REMEDIES if isinstance(error, kind))
