"""What the bot asks of Telegram: each Bot API method it uses, and the remedy for each refusal.

The protocol is the Bot API (https://core.telegram.org/bots/api).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, ParamSpec, TypeVar

import httpx
from telegram import (
    Bot,
    BotCommand,
    ChatMember,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.request import HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter  # there is no public way to make one

from monitor.clock import Clock
from monitor.errors import ChatGone, ChatMoved, MessageRefused, TelegramUnreachable, TokenRefused
from monitor.model import ChatKind, Message, Peer, Place, Staff
from monitor.pacing import EVERYBODY
from monitor.telegram_bot.gate import Gate
from monitor.telegram_bot.remedies import remedy

os.environ.setdefault("PTB_TIMEDELTA", "true")  # so that RetryAfter holds a timedelta, and gives no warning

P = ParamSpec("P")
T = TypeVar("T")

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
ANSWER_SECONDS = 10.0  # how long Telegram may take to answer, and a request to get its turn
IN_FLIGHT = 4  # requests at once: the HTTP pool behind PTB gets slower beyond
NOTICE_LENGTH = 200  # characters (answerCallbackQuery)


class Client:
    """The bot's account, as methods of the Bot API.

    Each raises `TelegramUnreachable` (with the wait that Telegram asked for), `TokenRefused`, or an error of
    the table in `remedies`; none of their sentences holds the token. What would come before the end of a wait
    is not asked; see `gate`.
    """

    def __init__(self, token: str, api_url: str, clock: Clock, gate: Gate) -> None:
        """Prepare the connections; nothing is sent yet."""
        for name in ("httpx", "httpcore", "telegram"):  # they log URLs with the token in them, and chat texts
            logging.getLogger(name).setLevel(logging.WARNING)
        self.api_url = api_url.rstrip("/")
        self.last_contact: datetime | None = None  # when Telegram last answered with a success
        self._clock = clock
        self._gate = gate
        self._slots = asyncio.Semaphore(IN_FLIGHT)  # a fair queue, unlike the pool's
        self._token = token
        self._updates = _HttpRequest(1)
        self._requests = _HttpRequest(IN_FLIGHT)
        self._bot = Bot(
            token,
            f"{self.api_url}/bot",
            f"{self.api_url}/file/bot",
            request=self._requests,
            get_updates_request=self._updates,
        )

    @property
    def bot_id(self) -> int:
        """Return the bot's id as a user."""
        return int(self._token.partition(":")[0])

    async def close(self) -> None:
        """Close the connections."""
        await self._updates.shutdown()
        await self._requests.shutdown()

    async def connect(self) -> str:
        """Make getUpdates possible and return the bot's username, without "@"."""
        me = await self._call(self._bot.get_me)
        with contextlib.suppress(TokenRefused):  # the token is fine: a server that knows no webhooks says so
            await self._call(self._bot.delete_webhook)  # getUpdates is refused while one is set
        return me.username or ""

    async def send(self, place: Place, message: Message) -> int:
        """Send a message and return its id."""
        sent = await self._pass(
            place.chat_id,
            self._bot.send_message,
            place.chat_id,
            message_thread_id=place.thread_id or None,
            disable_notification=message.silent,
            allow_paid_broadcast=message.paid or None,
            reply_parameters=_reply_to(message),
            **_body(message),
        )
        return sent.message_id

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Replace a message that the bot sent; replacing it by itself is a success."""
        try:
            await self._pass(
                chat_id,
                self._bot.edit_message_text,
                chat_id=chat_id,
                message_id=message_id,
                **_body(message),
            )
        except MessageRefused as exc:
            if "message is not modified" not in str(exc).lower():
                raise

    async def staff(self, chat_id: int) -> Staff:
        """Return who administers a group or channel; refused for a channel where the bot is no admin."""
        return await self._pass(chat_id, self._staff, chat_id)

    async def _staff(self, chat_id: int) -> Staff:
        admins = await self._ask("getChatAdministrators", chat_id=chat_id)
        return Staff(
            admins=frozenset(one["user"]["id"] for one in admins if not one["user"].get("is_bot")),
            # what is not said of posting is shown by the first post
            posts=all(
                one.get("can_post_messages", True) for one in admins if one["user"]["id"] == self.bot_id
            ),
        )

    async def standing(self, chat_id: int, user_id: int) -> Staff:
        """Return the same as far as one user is concerned: that user, or nobody."""
        return await self._pass(chat_id, self._standing, chat_id, user_id)

    async def _standing(self, chat_id: int, user_id: int) -> Staff:
        try:
            member = await self._ask("getChatMember", chat_id=chat_id, user_id=user_id)
        except BadRequest:  # "user not found" says nothing of the chat
            raise MessageRefused("Telegram does not tell what this user is in the chat") from None
        leads = member["status"] in {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
        return Staff(frozenset({user_id} if leads else ()), posts=True)

    async def find_chat(self, name: int | str) -> Peer:
        """Return a chat by its id or its "@name"; one that seemed gone is there if Telegram shows it."""
        if isinstance(name, int):
            self._gate.check_wait(name)
        peer = await self._pass(EVERYBODY, self._peer, name)
        self._gate.opened(peer.id)
        return peer

    async def _peer(self, name: int | str) -> Peer:
        chat = await self._ask("getChat", chat_id=name)
        return Peer(chat["id"], chat.get("title") or chat.get("first_name") or "", kind_of(chat["type"]))

    async def _ask(self, method: str, **query: int | str) -> Any:  # noqa: ANN401 -- JSON
        """Return an answer as it is, where PTB wants all that the newest Bot API knows of a thing.

        A Bot API server of one's own may be older than PTB.
        """
        return await self._requests.post(f"{self.api_url}/bot{self._token}/{method}", _form(query))

    async def answer_press(self, query_id: str, notice: str) -> None:
        """End the wait shown on a pressed button, with a short plain text if there is one."""
        await self._call(self._bot.answer_callback_query, query_id, notice[:NOTICE_LENGTH] or None)

    async def set_menu(self, language: str, commands: Sequence[tuple[str, str]]) -> None:
        """Show (command, help) pairs in the menu of those who use `language`; "" is everybody else."""
        rows = [BotCommand(command, text) for command, text in commands]
        await self._pass(EVERYBODY, self._bot.set_my_commands, rows, language_code=language or None)

    async def updates(self, offset: int, wait: int) -> list[dict[str, Any]]:
        """Return the updates from `offset` on, which confirms those before; wait up to `wait` s.

        They are raw, so that one that PTB cannot read does not stop those that came with it.
        """
        url = f"{self.api_url}/bot{self._token}/getUpdates"
        form = _form({"offset": offset, "timeout": wait, "allowed_updates": ALLOWED_UPDATES})
        answer: Any = await self._call(self._updates.post, url, form, read_timeout=wait + ANSWER_SECONDS)
        updates = isinstance(answer, list) and all(isinstance(one, dict) for one in answer)
        if not updates or not all("update_id" in one for one in answer):
            raise TelegramUnreachable(f"{self.api_url} gives no list of updates: is it a Bot API server?")
        return list(answer)

    async def download(self, file_id: str, most: int) -> bytes:
        """Return a file that somebody sent, or its first `most` + 1 bytes where it is larger."""
        file = await self._pass(EVERYBODY, self._bot.get_file, file_id)
        data = bytearray()
        try:
            async with (
                httpx.AsyncClient(verify=_trusted(), timeout=ANSWER_SECONDS) as http,
                http.stream("GET", file.file_path or "") as answer,
            ):
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > most:
                        break
        except (httpx.HTTPError, httpx.InvalidURL):  # whose words hold the URL, and so the token
            raise TelegramUnreachable(f"{self.api_url} does not give the file: send it again") from None
        return bytes(data[: most + 1])

    async def _pass(
        self, chat_id: int, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Ask something about a chat, unless it has to wait or is gone, and take note of what Telegram says.

        The gate stands behind the queue: what waits in it may be forbidden meanwhile.
        """
        async with self._slots:
            with self._gate.asking(chat_id) as asking:
                try:
                    result = await self._call(method, *args, **kwargs)
                except TelegramUnreachable as exc:
                    if exc.after and chat_id != EVERYBODY:  # else it is about the method, not about anybody
                        await self._gate.refused(chat_id, exc.after)
                    raise
                except ChatMoved as exc:
                    self._gate.moved(chat_id, exc)
                    raise
                except ChatGone as exc:
                    if chat_id != EVERYBODY:
                        self._gate.gone(chat_id, str(exc), asking)
                    raise
        self._gate.taken()
        return result

    async def _call(self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a method answers; raise its refusal as an error named by its remedy."""
        try:
            result = await method(*args, **kwargs)
        except TelegramError as exc:
            said = exc.message.replace(self._token, "***")
            raise remedy(exc, said, self.api_url) from None  # the cause may hold the URL, and so the token
        except (KeyError, TypeError, AttributeError):  # of the right form, but nothing that PTB can read
            raise TelegramUnreachable(f"{self.api_url} gave an answer that is not the Bot API's") from None
        self.last_contact = self._clock.now()
        return result


def kind_of(chat_type: str) -> ChatKind:
    """Return the kind of a chat by its type (Bot API, "Chat")."""
    kinds: dict[str, ChatKind] = {"private": "private", "channel": "channel"}
    return kinds.get(chat_type, "group")


def _form(query: Mapping[str, object]) -> RequestData:
    """Return parameters as the body of a request, which every Bot API server reads."""
    return RequestData([RequestParameter.from_input(name, value) for name, value in query.items()])


@cache
def _trusted() -> SSLContext:
    """Return the certificates that httpx trusts by default; reading them takes a while, so once is enough."""
    return httpx.create_ssl_context()


class _HttpRequest(HTTPXRequest):
    """PTB's HTTP client, with an eye on who answers."""

    def __init__(self, connections: int) -> None:
        super().__init__(
            connections,
            read_timeout=ANSWER_SECONDS,
            pool_timeout=ANSWER_SECONDS,
            httpx_kwargs={"verify": _trusted()},
        )

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:  # noqa: ANN401 - PTB's business
        """Return status and body.

        An answer that is not of the Bot API's form is no word of Telegram's but of something on the
        way: a proxy, a gateway, a captive portal. Its 401 says nothing about the token.
        """
        status, payload = await super().do_request(*args, **kwargs)
        wanted = "result" if status < HTTPStatus.MULTIPLE_CHOICES else "description"
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or wanted not in answer:
            raise NetworkError(f"an answer that is not the Bot API's (status {status})")
        return status, payload


def _reply_to(message: Message) -> ReplyParameters | None:
    """Return which message is answered; where that is gone, the answer is sent all the same."""
    if message.reply_to is None:
        return None
    return ReplyParameters(message.reply_to, allow_sending_without_reply=True)


def _body(message: Message) -> dict[str, Any]:
    """Return what sendMessage and editMessageText have in common."""
    rows = [
        [InlineKeyboardButton(b.label, url=b.url or None, callback_data=b.command or None) for b in row]
        for row in message.buttons
    ]
    return {
        "text": message.html,
        "parse_mode": ParseMode.HTML if message.parsed else None,
        "reply_markup": InlineKeyboardMarkup(rows) if rows else None,
        "link_preview_options": LinkPreviewOptions(is_disabled=not message.preview, url=message.preview),
    }
