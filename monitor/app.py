"""The composition root: what the service is built of, how it starts, reloads and stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from monitor import __version__, commands, errors, heap
from monitor.admins import Admins
from monitor.cadence import NEVER
from monitor.checkup import Checkup
from monitor.config import Config
from monitor.delivery import Courier
from monitor.engine import Engine
from monitor.markup import Safe
from monitor.model import Message, Place, Source, Topic
from monitor.phrases import say
from monitor.pipeline import Outcome
from monitor.scheduler import Scheduler
from monitor.store import chats, moves, turns
from monitor.systemd import Notifier
from monitor.telegram_bot import Gate, TelegramBot

log = logging.getLogger(__name__)

TIDY_EVERY = timedelta(hours=6)
INDEX_EVERY = timedelta(seconds=20)  # how long the search may have to look at what is not indexed yet
NOTICE_EVERY = timedelta(seconds=5)  # how soon sources are taken up that another process added
CHECK_EVERY = timedelta(seconds=5)  # how often it is looked how the sources do
TELL_EVERY = timedelta(seconds=5)  # how often it is looked whether admins are to be told something
GRACE = timedelta(seconds=3)  # what a poll or a message under way gets to end by itself
STALE = timedelta(seconds=60)  # a part without a heartbeat for so long is stuck
FAULTS_SHOWN = 3000  # characters of the faults that the admins are told
CUT_OFF = (
    "names no source, no topic and no admin any more, as a file does that was not written whole:"
    " what was read before stays; to go on with this, restart the service"
)
NEEDS_RESTART = {
    "telegram": ("token", "token_file", "api_url", "preview_url"),
    "storage": ("path",),
    "polling": ("timeout", "concurrency", "per_host", "gap"),
    "network": ("allow_private_hosts",),
}
"""The keys that are read at the start alone, by table."""


class Service:
    """The bot as it runs day and night."""

    def __init__(self, engine: Engine, token: str, load: Callable[[], Config], notifier: Notifier) -> None:
        """Wire everything; `load` reads the config file again. Nothing runs before `run`."""
        self._engine = engine
        self._load = load
        self._notifier = notifier
        self._started, self._first = engine.clock.now(), engine.config
        self._stop = asyncio.Event()
        self._hangup = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._desk = commands.Desk(
            store=engine.store,
            clock=engine.clock,
            config=lambda: engine.config,
            sources=engine.sources,
            sources_changed=engine.follow_sources,
            look=engine.look,
            download=self._download,
            reload=self._reload,
            vitals=self._vitals,
            commands=commands.COMMANDS,
            match=engine.match,
            add_watch=engine.add_watch,
            remove_watch=engine.remove_watch,
            staff=lambda chat_id, asker: self._bot.staff(chat_id, asker),  # noqa: PLW0108 -- the bot comes later
            wake=lambda: self._courier.wake(),  # noqa: PLW0108
            find_chat=lambda name: self._bot.find_chat(name),  # noqa: PLW0108
        )
        self._gate = Gate(engine.clock, on_wait=self._asked_to_wait)
        self._bot = TelegramBot(
            token,
            api_url=engine.config.telegram.api_url,
            handle=partial(commands.answer, self._desk),
            menus=commands.menus(),
            on_membership=partial(commands.moved, self._desk),
            on_supergroup=self._follow_group,
            on_reply=self._replied,
            gate=self._gate,
            clock=engine.clock,
        )
        self._courier = Courier(
            engine.store,
            self._bot,
            engine.clock,
            topics=lambda: engine.watch.topics,
            rules=lambda: engine.config.delivery,
        )
        self._admins = Admins(engine.store, self._bot, engine.clock, lambda: engine.config)
        self._scheduler = Scheduler(self._poll, engine.clock)
        self._checkup = Checkup(engine.store, engine.clock, engine.sources, self._scheduler.hasten)
        engine.on_sources = self._follow_sources

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; reload the config on SIGHUP.

        Raises TokenRefused when Telegram refuses the token.
        """
        handlers = {
            signal.SIGTERM: self._stop.set,
            signal.SIGINT: self._stop.set,
            signal.SIGHUP: self._hangup.set,
        }
        with _signals(handlers):
            await self._begin()
            parts = {
                asyncio.create_task(work, name=name)
                for name, work in (
                    ("courier", self._courier.run()),
                    ("telegram", self._bot.run()),
                    ("watchdog", self._watchdog()),
                    ("reloads", self._reloads()),
                    ("stop", self._stop.wait()),
                )
            }
            try:
                ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await self._end(parts)
            for task in ended:
                task.result()

    async def _begin(self) -> None:
        config, sources = self._engine.config, self._engine.active()
        heap.set_apart()
        now = self._engine.clock.now()
        for chat_id, until in (await self._engine.store.read(partial(turns.waits, now=now))).items():
            self._gate.hold(chat_id, until)
        for chat_id in await self._engine.store.read(chats.gone):
            self._gate.gone(chat_id, "the chat was gone before the start")
        self._scheduler.start()
        self._scheduler.chore("tidy", self._engine.tidy, TIDY_EVERY, at_once=True)
        self._scheduler.chore("sources", self._engine.notice_sources, NOTICE_EVERY)
        self._scheduler.chore("checkup", self._checkup.round, CHECK_EVERY)
        self._scheduler.chore("index", self._engine.index, INDEX_EVERY)
        self._scheduler.chore("notices", self._admins.tell, TELL_EVERY)
        await self._follow_sources()
        self._notifier.ready(f"watching {len(sources)} sources for {len(config.topics)} topics")
        log.info("start version=%s sources=%d topics=%d", __version__, len(sources), len(config.topics))

    async def _end(self, parts: set[asyncio.Task[Any]]) -> None:
        """Finish what is under way within 10 s: first polls and messages, then the talk with Telegram."""
        self._notifier.stopping()
        log.info("stop")
        self._courier.stop()
        courier = {task for task in parts if task.get_name() == "courier"}
        seconds = GRACE.total_seconds()
        await asyncio.gather(self._scheduler.stop(GRACE), asyncio.wait(courier, timeout=seconds))
        with contextlib.suppress(TimeoutError):  # the last, since it closes the way to Telegram
            async with asyncio.timeout(2 * seconds):
                await self._bot.stop()
        for task in parts:
            task.cancel()
        await asyncio.gather(*parts, return_exceptions=True)

    async def _poll(self, source: Source) -> Outcome:
        outcome = await self._engine.poll(source)
        if outcome.queued:
            self._courier.wake()
        if outcome.next_poll == NEVER:
            await self._checkup.look()
        return outcome

    async def _follow_sources(self, *, revive: bool = False) -> None:
        """Poll the sources of the list as it is now; `revive` looks again at those that have ended."""
        due = await self._engine.due(revive=revive)
        self._scheduler.watch(self._engine.active(), due)

    async def _asked_to_wait(self, chat_id: int, until: datetime, asked: timedelta) -> None:
        """Write down a wait; while the disk refuses that, at least this process obeys it."""
        try:
            await self._courier.asked_to_wait(chat_id, until, asked)
        except errors.StoreUnwritable as error:
            log.error("wait chat=%d state=unwritten reason=%r", chat_id, str(error))  # noqa: TRY400 -- one line, no trace

    async def _replied(self, chat_id: int) -> None:
        with contextlib.suppress(errors.StoreUnwritable):  # then one message too many may be sent at once
            await self._courier.replied(chat_id)

    async def _download(self, file_id: str, most: int) -> bytes:
        return await self._bot.download(file_id, most)

    def _vitals(self) -> commands.Vitals:
        return commands.Vitals(
            version=__version__,
            started=self._started,
            lag=self._scheduler.lag(),
            telegram_trouble=self._bot.trouble,
            database=self._engine.store.size(),
            memory=_memory(),
        )

    async def _follow_group(self, old_id: int, new_id: int) -> None:
        """Let a group that became a supergroup go on with everything that belongs to it."""
        await self._engine.store.write(partial(moves.to_supergroup, old_id=old_id, new_id=new_id))
        self._courier.wake()

    async def _reloads(self) -> None:
        """Reload whenever SIGHUP asked for it, one reload after the other."""
        while True:
            await self._hangup.wait()
            self._hangup.clear()
            try:
                await self._tell_admins(Message(await self._reload()))
            except Exception:  # whatever it is, the service goes on as it is configured
                log.exception("reload state=bug")

    async def _reload(self, language: str | None = None) -> Safe:
        """Read the config again: go on with it if it is valid, else with the old one; say what came of it."""
        async with self._reloading:
            self._notifier.reloading()
            try:
                return await self._reloaded(language or self._engine.config.telegram.language)
            finally:
                self._notifier.ready()

    async def _reloaded(self, language: str) -> Safe:
        before = self._engine.config
        try:
            config = await asyncio.to_thread(self._load)
            _check_whole(config, before)
            await self._engine.reconfigure(config)
        except errors.MonitorError as error:
            for line in str(error).splitlines():
                log.error("reload state=refused error=%r", line)  # noqa: TRY400 -- one line, no trace
            return say(language, "reload.refused", faults=errors.brief(error)[:FAULTS_SHOWN])
        await self._follow_sources(revive=True)
        late = ", ".join(_differences(self._first, config))
        sources, topics = len(self._engine.active()), len(config.topics)
        log.info("reload state=done sources=%d topics=%d restart=%r", sources, topics, late)
        lines = [say(language, "reload.done", sources=sources, topics=topics)]
        lines += [
            say(language, "reload.gone", name=topic.name, count=count)
            for topic, count in await self._lost(before, config)
        ]
        lines += [say(language, "reload.restart", keys=late)] if late else []
        return Safe("\n".join(lines))

    async def _lost(self, before: Config, after: Config) -> list[tuple[Topic, int]]:
        """Return the topics that are gone, where some chats hear nothing of them any more, and how many."""
        kept = {topic.id for topic in after.topics}
        lost = []
        for topic in before.topics:
            if topic.id not in kept:
                heard = await self._engine.store.read(partial(chats.listeners, topic_ids=[topic.id]))
                log.warning("topic id=%s state=gone subscribers=%d", topic.id, len(heard))
                lost.append((topic, len(heard)))
        return [(topic, count) for topic, count in lost if count]

    async def _tell_admins(self, message: Message) -> None:
        for admin in sorted(self._engine.config.telegram.admins):
            try:
                await self._bot.send(Place(admin), message)
            except errors.MonitorError as error:
                log.warning("admin chat=%d state=not_told reason=%r", admin, str(error))

    async def _watchdog(self) -> None:
        """Tell systemd that all parts are alive, as long as they are."""
        while True:
            await asyncio.sleep((self._notifier.watchdog or GRACE).total_seconds())
            stuck = await self._stuck()
            if stuck:
                log.error("watchdog stuck=%s", ",".join(stuck))
            else:
                self._notifier.alive()

    async def _stuck(self) -> list[str]:
        """Return the parts that gave no sign of life for too long."""
        oldest = time.monotonic() - STALE.total_seconds()
        stuck = []
        if self._scheduler.beat < oldest:
            stuck.append("scheduler")
        if self._courier.beat < oldest:
            stuck.append("sender")
        if not self._bot.alive:
            stuck.append("telegram")
        try:
            # Not wait_for: before Python 3.12 it may swallow a cancellation, and then the stop hangs.
            async with asyncio.timeout(STALE.total_seconds() / 2):
                await self._engine.store.ping()
        except (TimeoutError, errors.MonitorError):
            stuck.append("store")
        return stuck


def _check_whole(config: Config, before: Config) -> None:
    """Raise MonitorError for a config that names nothing any more."""
    if _is_bare(config) and not _is_bare(before):
        raise errors.MonitorError(f"{config.path} {CUT_OFF}")


def _is_bare(config: Config) -> bool:
    """Tell whether a config names nothing that is read or looked for, and nobody who may change that."""
    return not (config.sources or config.topics or config.telegram.admins)


def _memory() -> int:
    """Return the bytes of memory that the process holds, at its peak where the system tells no more."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _differences(old: Config, new: Config) -> list[str]:
    """Return the keys that differ and are read at the start alone."""
    return [
        f"{table}.{key}"
        for table, keys in NEEDS_RESTART.items()
        for key in keys
        if getattr(getattr(old, table), key) != getattr(getattr(new, table), key)
    ]


@contextlib.contextmanager
def _signals(handlers: Mapping[signal.Signals, Callable[[], object]]) -> Iterator[None]:
    """Handle these signals in the event loop for as long as the context lasts."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
