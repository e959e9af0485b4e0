"""Stand-ins for what is outside: a clock, and the Bot API as a server on loopback.

`BotApi` refuses what Telegram refuses, in Telegram's words, so that a bot that does well here does
well there. It answers real HTTP, so the bot may run in this process or in one of its own.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from telegram_conduct import SENDING, Conduct
from telegram_methods import ADMIN_RIGHTS, ChatState, Params, Refused, SentMessage, Telegram, parsed
from telegram_pace import Pace

TOKEN = "123456789:a-token-that-only-the-stand-in-knows"
TERMINATED = "terminated by other getUpdates request; make sure that only one bot instance is running"
UNEDITABLE = re.compile("to edit not found|can't be edited")
WEBHOOK_SET = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)


class FakeClock:
    """A clock that stands still until it is told otherwise; set `current` at will."""

    def __init__(self, current: datetime = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)) -> None:
        self.current = current

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.current

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.current += by


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that it fits."""

    kind: int | str  # an HTTP status, or "drop", "lose", "hang", "garbage", "portal"
    times: int
    method: str | None
    chat_id: int | None
    description: str
    parameters: dict[str, int]

    def fits(self, method: str, chat_id: int | None) -> bool:
        """Tell whether this request is meant."""
        return (
            self.times > 0
            and (self.method is None or self.method.lower() == method)
            and (self.chat_id is None or self.chat_id == chat_id)
        )


@dataclass(frozen=True)
class Call:
    """A request that came in, and how it was answered; code 0 is no answer."""

    method: str  # in lower case
    chat_id: int | None
    code: int
    description: str
    at: float  # time.monotonic()


class BotApi(Telegram):
    """Telegram's Bot API on loopback, for one bot.

    `async with BotApi() as api:` serves it at `api.url`. Tests speak for users (`user_says`,
    `presses`, `block`), break things (`inject`, `down`), and look at `sent`, `edits`, `notices`,
    `menus` and `calls`.
    """

    def __init__(self, token: str = TOKEN, username: str = "monitor_test_bot") -> None:
        super().__init__(token, username)
        self.calls: list[Call] = []
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._faults: list[Fault] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._poll: object = None  # the getUpdates that is being answered
        self.pace: Pace | None = None  # the limits that are enforced
        self.conduct = Conduct()
        self.unedited: set[int] = set()  # messages of which an edit was refused for good
        self.delay = 0.0  # seconds that each message takes to be answered

    @property
    def url(self) -> str:
        """Return what goes into `api_url`."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def up(self) -> None:
        """Serve; at the port of before, if there was one."""
        app = web.Application()
        # Telegram takes GET as well, but who writes a server of their own may not: the bot is to post.
        app.router.add_post("/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Be unreachable: connections are refused until `up()`."""
        self._poll = None
        self._notify()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    # What users do.

    def user_says(
        self,
        chat_id: int,
        text: str,
        *,
        user_id: int | None = None,
        language: str | None = None,
        title: str | None = None,
        **facts: Any,
    ) -> None:
        """Let a user write: to the bot where `chat_id` is positive, in a group where it is not.

        `facts` are further fields of the message.
        """
        chat = self.known(chat_id, title)
        chat.language = language or chat.language
        user = self._user(user_id or abs(chat_id), chat.language)
        message = {
            "message_id": self.number(),
            "date": int(time.time()),
            "chat": chat.as_json(),
            "from": user,
        }
        self.update("message", {**message, "text": text, **facts})
        self._notify()

    def user_sends(
        self, chat_id: int, name: str, data: bytes, caption: str | None = None, mime: str = ""
    ) -> None:
        """Let a user send a file."""
        file_id = self.keep_file(name, data)
        chat = self.known(chat_id)
        document = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "file_size": len(data)}
        message = {
            "message_id": self.number(),
            "date": int(time.time()),
            "chat": chat.as_json(),
            "from": self._user(abs(chat_id), chat.language),
            "document": document | ({"mime_type": mime} if mime else {}),
        }
        self.update("message", message | ({"caption": caption} if caption else {}))
        self._notify()

    def presses(self, chat_id: int, label: str, *, user_id: int | None = None, old: bool = False) -> str:
        """Let a user press the newest button with this label; return the press's id.

        Of an `old` message Telegram tells no more than where it is (Bot API, "InaccessibleMessage").
        """
        for message in reversed(self.shown(chat_id)):
            for button in (button for row in message.buttons for button in row):
                if button.label == label and button.data is not None:
                    return self._press(message, button.data, user_id or abs(chat_id), old=old)
        raise AssertionError(f"no button {label!r} in chat {chat_id}: {self.labels(chat_id)}")

    def block(self, chat_id: int) -> None:
        """Let a user block the bot, or a group remove it."""
        private = self.known(chat_id).kind == "private"
        words = "bot was blocked by the user" if private else "bot was kicked from the supergroup chat"
        self.bar(chat_id, 403, words)
        self._membership(chat_id, "member", "kicked")

    def unblock(self, chat_id: int) -> None:
        """Let the bot in again."""
        self.known(chat_id).bar = None
        self.conduct.opened(chat_id)
        self._membership(chat_id, "kicked", "member")

    def upgrade(self, chat_id: int, new_id: int, *, told: bool = True) -> None:
        """Let a group become a supergroup, and refuse the old one from then on; `told`: an update says so."""
        old, new = self.known(chat_id), self.known(new_id)
        new.title = old.title
        message = {"message_id": self.number(), "date": int(time.time()), "chat": old.as_json()}
        if told:
            self.update("message", {**message, "migrate_to_chat_id": new_id})
        self.bar(chat_id, 400, "group chat was upgraded to a supergroup chat", migrate_to_chat_id=new_id)
        self._notify()

    def bar(self, chat_id: int, code: int, description: str, **parameters: int) -> None:
        """Refuse everything to a chat from now on, with these words; no update tells of it."""
        self.conduct.note(chat_id, f"barred: {description}")
        self.known(chat_id).bar = Refused(code, description, **parameters)

    def known(self, chat_id: int, title: str | None = None) -> ChatState:
        """Return a chat; it is there from now on."""
        if chat_id not in self.chats:
            kind = "private" if chat_id > 0 else "supergroup"
            self.chats[chat_id] = ChatState(chat_id, title or f"Chat {chat_id}", kind)
        if chat_id > 0:
            self.users.add(chat_id)
        return self.chats[chat_id]

    # What a test sees.

    def shown(self, chat_id: int) -> list[SentMessage]:
        """Return the bot's messages in a chat as they stand now, oldest first."""
        return [message for (chat, _), message in sorted(self.messages.items()) if chat == chat_id]

    def texts(self, chat_id: int) -> list[str]:
        """Return the plain texts of the bot's messages in a chat as they stand now."""
        return [message.text for message in self.shown(chat_id)]

    def labels(self, chat_id: int) -> list[str]:
        """Return the labels of all buttons in a chat."""
        return [b.label for message in self.shown(chat_id) for row in message.buttons for b in row]

    async def wait_for(
        self, wanted: int | Callable[[], Any], within: float = 5.0, *, or_else: bool = True
    ) -> Any:
        """Return once so many messages were sent, or what the function returns once it is true.

        After that time it fails, or returns what is false, as `or_else` says. It looks whenever a request was
        answered, and now and then for what happens elsewhere.
        """
        check = (lambda: len(self.sent) >= wanted) if isinstance(wanted, int) else wanted
        deadline = time.monotonic() + within
        while not (found := check()):
            if (left := deadline - time.monotonic()) <= 0:
                if not or_else:
                    return found
                raise AssertionError(f"not within {within} s; sent so far: {[m.text for m in self.sent]}")
            await self._change(min(left, 0.05))
        return found

    # What goes wrong.

    def inject(
        self,
        kind: int | str,
        times: int = 1,
        *,
        method: str | None = None,
        chat_id: int | None = None,
        description: str = "",
        **parameters: int,
    ) -> Fault:
        """Spoil the next requests; set the fault's `times` to 0 to end it.

        A status is answered in Telegram's form (429 with `retry_after=`); "drop" closes the connection
        unheard, "lose" does what was asked and then closes it, "hang" never answers, "garbage" is a success
        with no JSON, "portal" a 404 of something that is not Telegram.
        """
        fault = Fault(kind, times, method, chat_id, description or str(kind), parameters)
        self._faults.append(fault)
        return fault

    def mend(self) -> None:
        """End all faults."""
        self._faults.clear()

    # How it is served.

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        params = await self._posted(request)
        number = str(params.get("chat_id", ""))
        chat_id = int(number) if re.fullmatch(r"-?\d+", number) else None
        self.conduct.asked(method, chat_id, time.monotonic())
        fault = next((fault for fault in self._faults if fault.fits(method, chat_id)), None)
        code, body = 0, {}
        try:
            if fault:
                fault.times -= 1
                if not await self._spoil(fault, request, method, params):
                    return web.Response(text="<html>", status=404 if fault.kind == "portal" else 200)
            result = await self._perform(request.match_info["token"], method, params)
            code, body = 200, {"ok": True, "result": result}
        except Refused as exc:
            code, body = exc.code, {"ok": False, "error_code": exc.code, "description": exc.description}
            if exc.parameters:
                body["parameters"] = exc.parameters
            self.conduct.answered(method, chat_id, exc.description, exc.parameters.get("retry_after"))
            if UNEDITABLE.search(exc.description):
                self.unedited.add(int(params.get("message_id", 0)))
        finally:
            self.calls.append(Call(method, chat_id, code, body.get("description", ""), time.monotonic()))
            answer = f"{code} {body.get('description', '')}" if code else f"no answer: {fault and fault.kind}"
            self.conduct.note(chat_id, f"{method} {params.get('text', '')[:60]!r} -> {answer}")
            self._notify()
        answer = web.json_response(body, status=code)
        await answer.prepare(request)
        await answer.write_eof()
        if method == "sendmessage" and code == 200:
            self.unheard.discard(body["result"]["message_id"])
        return answer

    async def _file(self, request: web.Request) -> web.StreamResponse:
        data = self.files.get(request.match_info["path"])
        if request.match_info["token"] != self.token or data is None:
            body = {"ok": False, "error_code": 404, "description": "Not Found"}
            return web.json_response(body, status=404)
        return web.Response(body=data, content_type="application/octet-stream")

    async def _posted(self, request: web.Request) -> Params:
        if request.content_type == "application/json":
            return dict(await request.json())
        return {name: str(value) for name, value in (await request.post()).items()}

    async def _spoil(self, fault: Fault, request: web.Request, method: str, params: Params) -> bool:
        """Do a fault's harm; return whether the request is to be performed nonetheless."""
        if isinstance(fault.kind, int):
            raise Refused(fault.kind, fault.description, **fault.parameters)
        if fault.kind == "hang":
            await asyncio.Event().wait()
        if fault.kind == "lose":
            await self._perform(request.match_info["token"], method, params)
        if fault.kind in {"drop", "lose"} and request.transport:
            request.transport.abort()
        return False

    async def _perform(self, token: str, method: str, params: Params) -> Any:
        if not re.fullmatch(r"\d+:[\w-]+", token) or (method not in self.methods and method != "getupdates"):
            raise Refused(404, "Not Found")
        if token != self.token:
            raise Refused(401, "Unauthorized")
        if method == "getupdates":
            return await self._get_updates(params)
        if self.delay and method in SENDING:
            await asyncio.sleep(self.delay)
        return self.methods[method](params)

    async def _get_updates(self, params: Params) -> list[Params]:
        if self.webhook:
            raise Refused(409, WEBHOOK_SET)
        self._poll = mine = object()
        self._notify()
        if "allowed_updates" in params:
            self.allowed = parsed(params, "allowed_updates", [])
        if offset := int(params.get("offset", 0)):
            self.confirm(offset)
        deadline = time.monotonic() + min(int(params.get("timeout", 0)), 50)
        while not self.updates and (left := deadline - time.monotonic()) > 0:
            await self._change(left)
            if self._poll is not mine:
                raise Refused(409, TERMINATED)
        batch = self.updates[: max(1, min(int(params.get("limit", 100)), 100))]
        for update in batch:
            self.conduct.told(*_told(update))
        return batch

    def count(self, chat: ChatState) -> None:
        if self.pace and (seconds := self.pace.take(chat.id)):
            raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    def _press(self, message: SentMessage, data: str, user_id: int, *, old: bool) -> str:
        query_id = str(self.number())
        self.pressed.add(query_id)
        chat = self.chats[message.chat_id]
        content = {
            "id": query_id,
            "from": self._user(user_id, chat.language),
            "message": {"chat": chat.as_json(), "message_id": message.message_id, "date": 0}
            if old
            else self._as_json(message),
            "chat_instance": "1",
            "data": data,
        }
        self.update("callback_query", content)
        self._notify()
        return query_id

    def joins(self, chat_id: int, *, user_id: int, old: str = "left", new: str = "member") -> None:
        """Let a user bring the bot into a chat, or make it an admin there."""
        if new == "administrator":
            self.admins.add((self.known(chat_id).id, self.me()["id"]))
        self.known(chat_id)
        self._membership(chat_id, old, new, user_id)

    def _membership(self, chat_id: int, old: str, new: str, user_id: int | None = None) -> None:
        me = self.me()
        states = {
            "left": {"status": "left", "user": me},
            "member": {"status": "member", "user": me},
            "kicked": {"status": "kicked", "user": me, "until_date": 0},
            "administrator": {"status": "administrator", "user": me, **dict.fromkeys(ADMIN_RIGHTS, False)},
        }
        content = {
            "chat": self.chats[chat_id].as_json(),
            "from": self._user(user_id or abs(chat_id), None),
            "date": int(time.time()),
            "old_chat_member": states[old],
            "new_chat_member": states[new],
        }
        self.update("my_chat_member", content)
        self._notify()

    def _user(self, user_id: int, language: str | None) -> Params:
        self.users.add(user_id)
        user = {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        return {**user, "language_code": language} if language else user

    def _notify(self) -> None:
        """Wake everything that waits for a change."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _change(self, within: float) -> None:
        """Wait for the next change, but no longer than so many seconds."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await asyncio.wait({future}, timeout=within)


def _told(update: Params) -> tuple[int | None, str]:
    """Return the chat that an update is about, and what it tells: what became of the bot, or its kind."""
    kind, content = next((name, value) for name, value in update.items() if isinstance(value, dict))
    within = content.get("message", content)
    standing = (content.get("new_chat_member") or {}).get("status")
    return within.get("chat", {}).get("id"), standing or kind
