"""What Telegram's refusals mean: one row for each, in Telegram's own words.

The first row that fits counts. The words are those of the Bot API server (telegram-bot-api,
`Client::fail_query_with_error`) and of MTProto, whose errors it passes on in capitals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from monitor import errors


@dataclass(frozen=True, slots=True)
class Remedy:
    """One refusal: the kind of answer, what its description says, and the error that names what to do."""

    kind: type[TelegramError]  # Forbidden is 403, BadRequest 400
    says: str  # a regular expression, case ignored
    error: type[errors.MonitorError]
    meaning: str  # as a sentence for people


NO_RIGHTS = r"rights|CHAT_\w*(FORBIDDEN|RESTRICTED|REQUIRED)"

REMEDIES = (
    Remedy(Forbidden, "blocked by the user", errors.ChatGone, "the user has blocked the bot"),
    Remedy(Forbidden, "user is deactivated", errors.ChatGone, "the user's account is gone"),
    Remedy(Forbidden, "bot was kicked", errors.ChatGone, "the bot was removed from the chat"),
    Remedy(Forbidden, "not a member", errors.ChatGone, "the bot is not in the chat"),
    Remedy(Forbidden, "chat was deleted", errors.ChatGone, "the chat was deleted"),
    Remedy(Forbidden, "can't initiate conversation", errors.ChatGone, "the user never started the bot"),
    Remedy(Forbidden, "messages to (other )?bots", errors.ChatGone, "the chat is a bot"),
    Remedy(
        Forbidden,
        NO_RIGHTS,
        errors.NoRights,
        "the bot may not write in the chat",
    ),
    Remedy(Forbidden, "", errors.ChatShut, "the chat takes no messages of the bot for now"),
    Remedy(BadRequest, "chat not found", errors.ChatGone, "Telegram does not know this chat"),
    Remedy(BadRequest, "user not found|PEER_ID_INVALID", errors.ChatGone, "Telegram does not know this user"),
    Remedy(BadRequest, "deactivated|chat was deleted", errors.ChatGone, "the group is gone"),
    Remedy(
        BadRequest,
        "thread not found|TOPIC_(DELETED|ID_INVALID)",
        errors.TopicGone,
        "the forum's topic is gone",
    ),
    Remedy(BadRequest, "TOPIC_CLOSED|topic is closed", errors.TopicClosed, "the topic is closed"),
    Remedy(
        BadRequest,
        NO_RIGHTS,
        errors.NoRights,
        "the bot may not write in the chat",
    ),
    Remedy(
        BadRequest,
        "to edit not found|can't be edited|MESSAGE_ID_INVALID|MESSAGE_EDIT_TIME_EXPIRED",
        errors.MessageLost,
        "the message can be edited no more",
    ),
    Remedy(BadRequest, "", errors.MessageRefused, "Telegram refuses this message"),
)
"""400 and 403, each ending with what is true of all others of its kind."""


def remedy(exc: TelegramError, said: str, server: str) -> errors.MonitorError:
    """Return the error that says what can be done about Telegram's answer.

    `said` are its words without the token, `server` is who was asked.
    """
    match exc:
        case InvalidToken():
            return errors.TokenRefused(
                f"{server} refuses the token ({said}): check it, or ask BotFather for a new one"
            )
        case RetryAfter(retry_after=timedelta() as wait):
            asked = f"Telegram asks to wait {wait.total_seconds():.0f} s"
            return errors.TelegramUnreachable(asked, after=wait)
        case ChatMigrated():
            moved = f"this group has become the supergroup {exc.new_chat_id}: write there"
            return errors.ChatMoved(moved, exc.new_chat_id)
        case Conflict():
            return errors.TelegramUnreachable(f"another program takes this bot's updates, stop it: {said}")
    for row in REMEDIES:
        if isinstance(exc, row.kind) and re.search(row.says, said, re.IGNORECASE):
            return row.error(f"{row.meaning}: {said}")
    return errors.TelegramUnreachable(f"{server} cannot be reached: {said}")
