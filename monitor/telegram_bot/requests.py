"""Telegram's updates as requests to the app."""

from __future__ import annotations

from telegram import Chat, Message, Update

from monitor.model import Request


def request_of(update: Update, username: str) -> Request | None:
    """Return what an update asks for; None where it is not for this bot.

    Commands count everywhere, other texts in private chats only. "/start@OurBot x" is "/start x".
    """
    user, chat = update.effective_user, update.effective_chat
    query, message = update.callback_query, update.message
    text = query.data if query else message.text if message else None
    if user is None or chat is None or text is None:
        return None
    within = query.message if query else message
    thread = within.message_thread_id if isinstance(within, Message) and within.is_topic_message else None
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
        thread_id=thread or 0,
        private=private,
        pressed=query is not None,
        language=user.language_code,
        user_name=user.full_name,
    )
