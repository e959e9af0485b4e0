"""The bot as a process of its own, between stand-ins for Telegram, a feed host and t.me."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import web
from fakes import BotApi
from web import Web

from monitor.model import Chat
from monitor.store import Database, Store, chats

ROOT = Path(__file__).parent.parent
CHAT = 7
ADMIN = 500
TOPICS = ("Starlink", "Museums")


def feed(*entries: tuple[str, str, str]) -> str:
    """Return a feed with these (path, title, text) entries, newest first as feeds have them."""
    link = "https://example.org"
    return web.rss(*(web.rss_item(title, text, guid=path, link=link + path) for path, title, text in entries))


def page(name: str, *posts: tuple[int, str]) -> str:
    """Return a channel's page with these (id, text) posts, oldest first as the pages have them."""
    return web.channel_page(name, *(web.channel_post(name, number, text) for number, text in posts))


class Bot:
    """A bot that can be started, killed and started again on the same database."""

    def __init__(self, api: BotApi, web: Web, folder: Path) -> None:
        self.api = api
        self.web = web
        self.folder = folder
        self.log = folder / "bot.log"
        self.process: asyncio.subprocess.Process | None = None
        self.entries: list[tuple[str, str, str]] = [("/0", "An old story on Starlink", "")]
        self.posts = [(1, "Добрий ранок")]
        self.access = "open"
        self.more = ""
        self.program = [str(ROOT / "bot.py")]
        self.publish()
        self.write_config()

    def write_config(self, topics: str = "") -> None:
        """Write the config file anew."""
        text = f"""
[telegram]
token = {json.dumps(self.api.token)}
api_url = "{self.api.url}"
preview_url = "{self.web.url("")}"
admins = [{ADMIN}]
access = "{self.access}"

[storage]
path = "{self.folder / "monitor.db"}"

[[sources]]
id = "example"
name = "Example News"
url = "{self.web.url("/feed")}"
every = "1s"

[[sources]]
id = "ministry"
name = "The ministry"
channel = "ministry_ua"
official = true
language = "uk"
every = "1s"

[[topics]]
id = "starlink"
name = "Starlink"
keywords = ["Starlink"]
{topics}
{self.more}
"""
        (self.folder / "config.toml").write_text(text, encoding="utf-8")

    def publish(self, *entries: tuple[str, str, str]) -> None:
        """Put these entries on top of the feed."""
        self.entries = [*entries, *self.entries]
        self.web.serve("/feed", feed(*self.entries[:100]))
        self.web.channel("ministry_ua", page("ministry_ua", *self.posts[-20:]))

    def post(self, *texts: str) -> None:
        """Put these posts into the channel."""
        for text in texts:
            self.posts.append((len(self.posts) + 1, text))
        self.publish()

    async def start(self, environ: Mapping[str, str] | None = None) -> None:
        """Start the process."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.program,
                "--config",
                self.folder / "config.toml",
                "run",
                stderr=log,
                env={**os.environ, **(environ or {})},
            )

    async def kill(self) -> None:
        """End the process as a power cut does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        return await self._end(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process
        self.process.send_signal(number)

    async def exit_code(self, within: float = 15) -> int:
        """Return the exit code once the process ended."""
        assert self.process
        return await asyncio.wait_for(self.process.wait(), within)

    async def baseline(self) -> None:
        """Wait until both sources have been read once."""

        def read() -> bool:
            text = self.log.read_text("utf-8") if self.log.exists() else ""
            return text.count("baseline=yes") >= 2

        await self.api.wait_for(read, within=20)

    async def subscribe(self, chat_id: int = CHAT) -> None:
        """Let a user talk to the bot until it subscribed them."""
        self.api.user_says(chat_id, "/start")
        await self.api.wait_for(lambda: self.api.labels(chat_id), within=10)
        self.api.presses(chat_id, "➕ Starlink")
        await self.api.wait_for(lambda: "✅ Starlink" in self.api.labels(chat_id))

    def alerts(self, chat_id: int = CHAT) -> list[str]:
        """Return the alerts that a chat got: the messages that begin with a topic."""
        mine = [message.text for message in self.api.sent if message.chat_id == chat_id]
        return [text for text in mine if text.splitlines()[0] in TOPICS]

    def in_bold(self) -> set[str]:
        """Return what stands in bold in the newest message."""
        message = self.api.sent[-1]
        units = message.text.encode("utf-16-le")
        bold = [entity for entity in message.entities if entity.kind == "bold"]
        return {units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in bold}

    async def _end(self, number: signal.Signals) -> int:
        assert self.process
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.exit_code()


@asynccontextmanager
async def a_bot(folder: Path) -> AsyncIterator[Bot]:
    """Return a bot that is not started yet, and end it however the test goes."""
    async with BotApi() as api, Web() as web:
        bot = Bot(api, web, folder)
        try:
            yield bot
        finally:
            if bot.process and bot.process.returncode is None:
                await bot.kill()


async def readers(database: Path, ids: Iterable[int], topics: Sequence[str]) -> None:
    """Let these chats be there and hear of these topics."""
    now = datetime.now(UTC)

    def job(db: Database) -> None:
        for chat_id in ids:
            if chats.get(db, chat_id) is None:
                chats.put(db, Chat(chat_id, f"Reader {chat_id}", "active", "en", "Europe/Kyiv"), now)
            chats.subscribe(db, chat_id, topics, now)

    store = await asyncio.to_thread(Store.open, database)
    try:
        await store.write(job)
    finally:
        await store.close()
