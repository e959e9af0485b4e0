"""The state of a make-believe Telegram, and the Bot API methods on it, with Telegram's refusals.

Nothing here knows of HTTP or waiting: `fakes.BotApi` serves it. The words of the refusals are
Telegram's own, as the real server gives them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from telegram_html import TEXT_LIMIT, Entity, HtmlRefused, is_link, parse, utf16_length

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
ADMIN_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
Params = dict[str, Any]


class Refused(Exception):
    """An answer with "ok": false."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
        self.code = code
        self.description = description if description.startswith(prefix) else prefix + description
        self.parameters = parameters


@dataclass(frozen=True)
class ShownButton:
    """A button below a message."""

    label: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class SentMessage:
    """A message from the bot, as its reader sees it."""

    chat_id: int
    message_id: int
    text: str  # plain, after parsing
    entities: tuple[Entity, ...]
    html: str  # as it was sent
    buttons: tuple[tuple[ShownButton, ...], ...]
    silent: bool
    preview: str | None  # the link that is previewed: the one asked for, else the first of all
    at: float  # time.monotonic() when it was accepted
    thread_id: int = 0  # the topic of a forum
    paid: bool = False  # may cost the fee for broadcasts
    reply_to: int | None = None  # the message that it answers


@dataclass
class ChatState:
    """Somebody the bot can write to, or could."""

    id: int
    title: str
    kind: str
    language: str | None = None
    bar: Refused | None = None  # why the bot cannot write there now
    username: str = ""

    def as_json(self) -> Params:
        name = {"first_name": self.title} if self.kind == "private" else {"title": self.title}
        return {"id": self.id, "type": self.kind, **name}


class Telegram:
    """One bot's side of Telegram."""

    def __init__(self, token: str, username: str) -> None:
        self.token = token
        self.username = username
        self.chats: dict[int, ChatState] = {}
        self.users: set[int] = set()  # seen anywhere
        self.sent: list[SentMessage] = []  # in the order of acceptance, as first sent
        self.edits: list[SentMessage] = []  # each as it was then
        self.messages: dict[tuple[int, int], SentMessage] = {}  # as they are shown now
        self.unheard: set[int] = set()  # messages of which the bot was not told that they were taken
        self.uneditable: set[tuple[int, int]] = set()
        self.notices: list[str] = []  # what presses were answered with; "" for nothing
        self.menus: dict[str, list[tuple[str, str]]] = {}
        self.files: dict[str, bytes] = {}  # by their path
        self.threads: dict[tuple[int, int], str] = {}  # (chat id, thread id) -> why nothing may be sent there
        self.webhook = ""
        self.admins: set[tuple[int, int]] = set()  # (chat id, user id)
        self.mute: set[int] = set()  # channels in which the bot is an admin who may not post
        self.pressed: set[str] = set()  # ids that can still be answered
        self.updates: list[Params] = []  # not confirmed yet
        self.allowed: list[str] = []  # kinds of update; empty is all
        self._numbers = 1000
        self.methods: dict[str, Callable[[Params], Any]] = {
            name.removeprefix("do_").lower(): getattr(self, name)
            for name in dir(self)
            if name.startswith("do_")
        }

    def number(self) -> int:
        """Return the next id for a message, an update or a press."""
        self._numbers += 1
        return self._numbers

    def me(self) -> Params:
        """Return the bot as a user."""
        bot_id = int(self.token.partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Monitor", "username": self.username}

    def update(self, kind: str, content: Params) -> None:
        """Queue an update, if the bot wants its kind."""
        if not self.allowed or kind in self.allowed:
            self.updates.append({"update_id": self.number(), kind: content})

    def confirm(self, offset: int) -> None:
        """Forget the updates before `offset`."""
        if offset < 0:
            self.updates = self.updates[offset:]
        else:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]

    def writable(self, params: Params) -> ChatState:
        """Return the chat of a request, or refuse as Telegram does."""
        written = str(params.get("chat_id", ""))
        if not written:
            raise Refused(400, "chat_id is empty")
        chat_id = int(written) if re.fullmatch(r"-?\d+", written) else self._named(written)
        chat = self.chats.get(chat_id)
        if chat is None and chat_id in self.users:
            raise Refused(403, "bot can't initiate conversation with a user")
        if chat is None:
            raise Refused(400, "chat not found")
        if chat.bar:
            raise chat.bar
        return chat

    def _named(self, written: str) -> int:
        names = {f"@{one.username}": one.id for one in self.chats.values() if one.username}
        return names.get(written, 0)

    def count(self, chat: ChatState) -> None:
        """Take a message or an edit into account for the limits; here, there are none."""

    def do_getMe(self, _: Params) -> Params:  # noqa: N802 - named as the Bot API names it, like all below
        return {**self.me(), "can_join_groups": True, "can_read_all_group_messages": False}

    def keep_file(self, name: str, data: bytes) -> str:
        """Keep a file that a user sends and return its id."""
        number = self.number()
        self.files[f"documents/file_{number}.{name.rpartition('.')[2]}"] = data
        return f"file-{number}"

    def do_getFile(self, params: Params) -> Params:  # noqa: N802
        number = str(params.get("file_id", "")).removeprefix("file-")
        path = next((path for path in self.files if path.startswith(f"documents/file_{number}.")), None)
        if path is None:
            raise Refused(400, "wrong file_id or the file is temporarily unavailable")
        if len(self.files[path]) > 20 * 2**20:
            raise Refused(400, "file is too big")
        size = len(self.files[path])
        return {"file_id": params["file_id"], "file_unique_id": number, "file_size": size, "file_path": path}

    def do_deleteWebhook(self, _: Params) -> bool:  # noqa: N802
        self.webhook = ""
        return True

    def do_sendMessage(self, params: Params) -> Params:  # noqa: N802
        draft = self._draft(params)
        chat = self.writable(params)
        if words := self.threads.get((chat.id, draft.thread_id)):
            raise Refused(400, words)
        self.count(chat)
        self._check_content(draft)
        message = replace(draft, chat_id=chat.id, message_id=self.number())
        self.unheard.add(message.message_id)
        self.sent.append(message)
        self.messages[chat.id, message.message_id] = message
        return self._as_json(message)

    def do_editMessageText(self, params: Params) -> Params:  # noqa: N802
        draft = self._draft(params)
        chat = self.writable(params)
        self.count(chat)
        key = (chat.id, int(params.get("message_id", 0)))
        old = self.messages.get(key)
        if old is None:
            raise Refused(400, "message to edit not found")
        if key in self.uneditable:
            raise Refused(400, "message can't be edited")
        self._check_content(draft)
        new = replace(draft, chat_id=chat.id, message_id=key[1], silent=old.silent)
        if (old.text, old.entities, old.buttons, old.preview) == (
            new.text,
            new.entities,
            new.buttons,
            new.preview,
        ):
            raise Refused(400, NOT_MODIFIED)
        self.edits.append(new)
        self.messages[key] = new
        return self._as_json(new)

    def do_deleteMessage(self, params: Params) -> bool:  # noqa: N802
        chat = self.writable(params)
        if not self.messages.pop((chat.id, int(params.get("message_id", 0))), None):
            raise Refused(400, "message to delete not found")
        return True

    def do_answerCallbackQuery(self, params: Params) -> bool:  # noqa: N802
        query_id, text = str(params.get("callback_query_id")), params.get("text", "")
        if query_id not in self.pressed:
            raise Refused(400, TOO_OLD)
        if len(text) > 200:
            raise Refused(400, "MESSAGE_TOO_LONG")
        self.pressed.remove(query_id)
        self.notices.append(text)
        return True

    def do_setMyCommands(self, params: Params) -> bool:  # noqa: N802
        commands = [(row["command"], row["description"]) for row in parsed(params, "commands", [])]
        language = params.get("language_code", "")
        if len(commands) > 100:
            raise Refused(400, "BOT_COMMANDS_TOO_MUCH")
        if not re.fullmatch(r"([a-z]{2})?", language):
            raise Refused(400, "invalid language code specified")
        for command, description in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command):
                raise Refused(400, "BOT_COMMAND_INVALID")
            if not 1 <= len(description) <= 256:
                raise Refused(400, "BOT_COMMAND_DESCRIPTION_INVALID")
        self.menus[language] = commands
        return True

    def do_getMyCommands(self, params: Params) -> list[Params]:  # noqa: N802
        rows = self.menus.get(params.get("language_code", ""), [])
        return [{"command": command, "description": description} for command, description in rows]

    def do_sendChatAction(self, params: Params) -> bool:  # noqa: N802
        self.writable(params)
        return True

    def do_getChat(self, params: Params) -> Params:  # noqa: N802
        chat = self.writable(params)
        gifts = dict.fromkeys(
            [
                "unlimited_gifts",
                "limited_gifts",
                "unique_gifts",
                "premium_subscription",
                "gifts_from_channels",
            ],
            False,
        )
        return {
            **chat.as_json(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": gifts,
        }

    def do_getChatMember(self, params: Params) -> Params:  # noqa: N802
        chat, user_id = self.writable(params), int(params.get("user_id", 0))
        if chat.kind == "channel" and (chat.id, self.me()["id"]) not in self.admins:
            raise Refused(400, "member list is inaccessible")
        if user_id not in self.users:
            raise Refused(400, "user not found")
        user = {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        if (chat.id, user_id) in self.admins:
            return {"status": "creator", "is_anonymous": False, "user": user}
        return {"status": "member", "user": user}

    def do_getChatAdministrators(self, params: Params) -> list[Params]:  # noqa: N802
        chat = self.writable(params)
        if chat.kind == "private":
            raise Refused(400, "there are no administrators in the private chat")
        bot_id = self.me()["id"]
        if chat.kind == "channel" and (chat.id, bot_id) not in self.admins:
            raise Refused(400, "member list is inaccessible")
        return [self._admin(chat, user_id) for chat_id, user_id in sorted(self.admins) if chat_id == chat.id]

    def _admin(self, chat: ChatState, user_id: int) -> Params:
        if user_id != self.me()["id"]:
            user = {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
            return {"status": "creator", "is_anonymous": False, "user": user}
        rights = dict.fromkeys(ADMIN_RIGHTS, False)
        posts = {"can_post_messages": chat.id not in self.mute} if chat.kind == "channel" else {}
        return {"status": "administrator", "user": self.me(), **rights, **posts}

    def _draft(self, params: Params) -> SentMessage:
        """Return the message of a request, before it has a chat; refuse what cannot be parsed."""
        written = params.get("text", "")
        mode = params.get("parse_mode", "").lower()
        if mode not in {"", "html"}:
            raise Refused(400, "unsupported parse_mode")
        if not written:
            raise Refused(400, "message text is empty")
        try:
            text, entities = parse(written) if mode else (written.strip(), ())
        except HtmlRefused as exc:
            raise Refused(400, f"can't parse entities: {exc}") from None
        if not text:
            raise Refused(400, "message text is empty")
        options = parsed(params, "link_preview_options", {})
        return SentMessage(
            chat_id=0,
            message_id=0,
            text=text,
            entities=entities,
            html=written,
            buttons=buttons_of(parsed(params, "reply_markup", {})),
            silent=str(params.get("disable_notification", "")).lower() == "true",
            preview=None if options.get("is_disabled") else options.get("url") or first_link(text, entities),
            at=time.monotonic(),
            thread_id=int(params.get("message_thread_id") or 0),
            paid=str(params.get("allow_paid_broadcast", "")).lower() == "true",
            reply_to=parsed(params, "reply_parameters", {}).get("message_id"),
        )

    def _check_content(self, message: SentMessage) -> None:
        if utf16_length(message.text) > TEXT_LIMIT:
            raise Refused(400, "message is too long")
        if message.preview and not is_link(message.preview):
            raise Refused(400, "WEBPAGE_URL_INVALID")
        for row in message.buttons:
            if any(len((button.data or "").encode()) > 64 for button in row):
                raise Refused(400, "BUTTON_DATA_INVALID")

    def _as_json(self, message: SentMessage) -> Params:
        entities = [
            {"type": e.kind, "offset": e.offset, "length": e.length, **({"url": e.url} if e.url else {})}
            for e in message.entities
        ]
        chat = self.chats[message.chat_id].as_json()
        body = {"message_id": message.message_id, "date": int(time.time()), "chat": chat, "from": self.me()}
        return {**body, "text": message.text, "entities": entities, **keyboard_json(message)}


def first_link(text: str, entities: tuple[Entity, ...]) -> str | None:
    """Return the link that Telegram previews unasked."""
    written = re.search(r"https?://\S+", text)
    return written.group() if written else next((e.url for e in entities if e.url), None)


def parsed(params: Params, name: str, missing: Any) -> Any:
    """Return a parameter that is an object or a list; forms carry it as JSON text."""
    value = params.get(name, missing)
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise Refused(400, f"can't parse {name.replace('_', ' ')} JSON object") from None


def buttons_of(markup: Params) -> tuple[tuple[ShownButton, ...], ...]:
    """Return the rows of an inline keyboard, or refuse them."""
    return tuple(tuple(_button(button) for button in row) for row in markup.get("inline_keyboard", []))


def _button(button: Params) -> ShownButton:
    label, data, url = button.get("text", ""), button.get("callback_data"), button.get("url")
    if not label.strip():
        raise Refused(
            400, "can't parse inline keyboard button: inline keyboard button text must be non-empty"
        )
    if not data and not url:
        raise Refused(
            400, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if url and "://" in url and url.partition("://")[0] not in {"http", "https", "tg"}:
        raise Refused(400, f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if url and not url.startswith("tg://") and not is_link(url):
        raise Refused(400, f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    return ShownButton(label, data, url)


def keyboard_json(message: SentMessage) -> Params:
    """Return a message's keyboard as the field that carries it."""
    rows = [
        [{"text": b.label, **({"url": b.url} if b.url else {"callback_data": b.data})} for b in row]
        for row in message.buttons
    ]
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}
