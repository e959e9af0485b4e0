"""Telegram's updates as requests to the app."""

from __future__ import annotations

import inspect
from typing import Any

from telegram import (
    Chat,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberBanned,
    ChatMemberOwner,
    ChatMemberRestricted,
    ChatMemberUpdated,
    Message,
    MessageOriginChannel,
    Update,
)
from telegram.constants import ChatID

from monitor.model import Attachment, Membership, Request, Standing
from monitor.telegram_bot.client import kind_of

TIMEZONE = "/timezone"  # what a location asks for: the zone there
MANAGE = "/manage"  # what a forwarded post of a channel asks for: to speak for that channel

NEEDED = {
    ChatMember.OWNER: ChatMemberOwner,
    ChatMember.ADMINISTRATOR: ChatMemberAdministrator,
    ChatMember.RESTRICTED: ChatMemberRestricted,
    ChatMember.BANNED: ChatMemberBanned,
}
"""What PTB makes of a standing, where it wants to know more of it than its name."""


def update_of(raw: dict[str, Any]) -> Update:
    """Return an update as PTB reads it; raises what PTB raises.

    PTB wants every right that the newest Bot API names. A Bot API server of one's own may be older, and what
    it does not name is no right.
    """
    change = raw.get("my_chat_member")
    if isinstance(change, dict):
        change = {name: _with_rights(value) for name, value in change.items()}
        raw = {**raw, "my_chat_member": change}
    return Update.de_json(raw)


def _with_rights(member: Any) -> Any:  # noqa: ANN401 -- JSON
    """Return a ChatMember with all that PTB wants to know of it; anything else as it is."""
    kind = NEEDED.get(member.get("status", "")) if isinstance(member, dict) else None
    if kind is None:
        return member
    rights = [name for name in inspect.signature(kind).parameters if name.startswith(("can_", "is_"))]
    missing = {"until_date": 0, **dict.fromkeys(rights, False)}
    return {**missing, **member}


def request_of(update: Update, username: str) -> Request | None:
    """Return what an update asks for; None where it is not for this bot.

    Commands count everywhere, other texts in private chats only. "/start@OurBot x" is "/start x", and a list
    of sources that is sent as a file is "/import", as is any file in private: it may be one by another name.
    """
    user, chat = update.effective_user, update.effective_chat
    query, message = update.callback_query, update.message
    file = _list_in(message) if message and not query else None
    text = query.data if query else _said(message) if message else None
    if message and not file and text is None and chat and chat.type == Chat.PRIVATE:
        file = _document_in(message)
    text = _import(message.caption) if message and file else text
    if user is None or chat is None or text is None:
        return None
    within = query.message if query else message
    private = chat.type == Chat.PRIVATE
    if query is None:
        command, space, rest = text.partition(" ")
        name, _, addressee = command.partition("@")
        if name.startswith("/") and addressee:
            if addressee.lower() != username.lower():
                return None
            text = f"{name}{space}{rest}"
        if not (private or text.startswith("/")):
            return None
    return Request(
        chat_id=chat.id,
        chat_title=chat.effective_name or "",
        user_id=user.id,
        text=text,
        thread_id=_topic_of(within),
        private=private,
        pressed=query is not None,
        message_id=query.message.message_id if query and query.message else None,
        language=user.language_code,
        user_name=user.full_name,
        anonymous=message is not None and (message.sender_chat == chat or user.id == ChatID.ANONYMOUS_ADMIN),
        file=file,
    )


def _topic_of(message: object) -> int:
    """Return the topic of a forum that a message stands in; 0 where it stands in none.

    Answers have the id of their thread there, too, in groups that are no forums.
    """
    if not isinstance(message, Message):
        return 0
    topic = message.is_topic_message or message.reply_to_message is None
    return (message.message_thread_id or 0) if topic else 0


def _said(message: Message) -> str | None:
    """Return the text of a message, or what it means without one."""
    origin = message.forward_origin
    if isinstance(origin, MessageOriginChannel) and message.chat.type == Chat.PRIVATE:
        return f"{MANAGE} {origin.chat.id}"
    if message.location and message.chat.type == Chat.PRIVATE:
        return f"{TIMEZONE} {message.location.latitude:.4f} {message.location.longitude:.4f}"
    return message.text


def membership_of(change: ChatMemberUpdated) -> Membership:
    """Return what an update says that became of the bot in a chat."""
    return Membership(
        chat_id=change.chat.id,
        chat_title=change.chat.effective_name or "",
        kind=kind_of(change.chat.type),
        user_id=change.from_user.id,
        before=_standing(change.old_chat_member),
        now=_standing(change.new_chat_member),
    )


def is_here(update: Update, bot_id: int) -> bool:
    """Tell whether an update shows that its chat lets the bot in: all do but those of its leaving."""
    if update.my_chat_member:
        return membership_of(update.my_chat_member).now != "out"
    left = update.message.left_chat_member if update.message else None
    return left is None or left.id != bot_id


def _standing(member: ChatMember) -> Standing:
    if member.status in {ChatMember.ADMINISTRATOR, ChatMember.OWNER}:
        return "admin"
    inside = member.status == ChatMember.MEMBER or getattr(member, "is_member", False)
    return "member" if inside else "out"


def _import(caption: str | None) -> str:
    """Return the command of a file: its caption where that is one, else "/import"."""
    return caption if caption and caption.startswith("/import") else "/import"


def _list_in(message: Message) -> Attachment | None:
    """Return the OPML file of a message; None where it has none."""
    file = message.document
    if file is None:
        return None
    if "opml" not in (file.mime_type or "") and not (file.file_name or "").lower().endswith(
        (".opml", ".xml")
    ):
        return None
    if message.chat.type != Chat.PRIVATE and not (message.caption or "").startswith("/import"):
        return None
    return _document_in(message)


def _document_in(message: Message) -> Attachment | None:
    """Return the file of a message, if it has one that is no animation."""
    file = None if message.animation else message.document
    return Attachment(file.file_id, file.file_size or 0) if file else None
