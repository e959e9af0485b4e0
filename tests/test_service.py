"""The service as its users meet it: a process of its own, over HTTP, from start to stop."""

from __future__ import annotations

import asyncio
import platform
import random
import re
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import web
from running import ADMIN, CHAT, ROOT, Bot, a_bot, feed

HEAP = 64 * 2**20
PROMPT = 2.0  # seconds from publication to the chat
UKRAINIAN = "SpaceX почала вимикати дрони, що використовують Старлінк"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path) as bot:
        yield bot


async def test_an_item_on_a_topic_reaches_the_chat_within_two_seconds_and_nothing_else_does(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.publish(("/1", "Starlink terminals are switched off", ""), ("/2", "A museum opens its new wing", ""))
    await bot.api.wait_for(lambda: len(bot.alerts()) == 1, within=PROMPT)
    bot.post(UKRAINIAN, "Вітаємо рятувальників")
    await bot.api.wait_for(lambda: len(bot.alerts()) == 2, within=PROMPT)
    first, second = bot.alerts()
    assert "Starlink terminals are switched off" in first
    assert UKRAINIAN in second
    assert "🏛 The ministry" in second
    assert "Старлінк" in bot.in_bold()


async def test_unsubscribing_ends_the_alerts(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.api.user_says(CHAT, "/unsubscribe starlink")
    await bot.api.wait_for(lambda: "You will hear no more of: Starlink." in bot.api.texts(CHAT))
    before = len(bot.api.sent)
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 6, within=10)
    assert len(bot.api.sent) == before


async def test_a_restart_repeats_nothing_and_tells_what_came_meanwhile(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    await bot.api.wait_for(lambda: len(bot.alerts()) == 1, within=PROMPT)
    assert await bot.stop() == 0
    bot.publish(("/2", "A second launch of Starlink satellites succeeds", ""))
    await bot.start()
    await bot.api.wait_for(lambda: len(bot.alerts()) == 2, within=10)
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 4, within=10)
    assert [text.splitlines()[1] for text in bot.alerts()] == [
        "Starlink terminals are switched off",
        "A second launch of Starlink satellites succeeds",
    ]


async def test_ten_kills_while_items_arrive_lose_nothing_and_repeat_at_most_one_each(bot: Bot) -> None:
    chance = random.Random(7)
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    published = []
    for _ in range(10):
        for _ in range(5):
            published.append(f"Starlink report {len(published)} from the northern front")
            bot.publish((f"/report/{len(published)}", published[-1], ""))
            await asyncio.sleep(chance.uniform(0, 0.3))  # the moment of the kill is what is tested
        await bot.kill()
        await bot.start()

    def told() -> Counter[str]:
        found = re.findall(r"Starlink report \d+ from the northern front", "\n".join(bot.api.texts(CHAT)))
        return Counter(found)

    await bot.api.wait_for(lambda: set(told()) >= set(published), within=30)
    assert sum(told().values()) - len(published) <= 10


async def test_it_is_ready_while_telegram_is_away_and_tells_what_came_once_it_is_back(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    await bot.api.down()
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    await bot.api.wait_for(lambda: "queued=1" in bot.log.read_text("utf-8"))
    assert await bot.stop() == 0
    await bot.start()
    await bot.api.wait_for(lambda: "telegram unreachable" in bot.log.read_text("utf-8"), within=10)
    await bot.api.up()
    await bot.api.wait_for(lambda: len(bot.alerts()) == 1, within=20)


async def test_a_token_that_telegram_refuses_ends_it_with_one_clear_line(bot: Bot) -> None:
    bot.api.token = "999:another_token_than_the_one_in_the_config"
    await bot.start()
    assert await bot.exit_code() == 2
    last = bot.log.read_text("utf-8").splitlines()[-1]
    assert "token" in last
    assert "Traceback" not in bot.log.read_text("utf-8")


async def test_a_second_copy_on_the_same_database_is_refused_and_the_first_goes_on(bot: Bot) -> None:
    await bot.start()
    first = bot.process
    await bot.baseline()
    try:
        await bot.start()
        assert await bot.exit_code() == 1
    finally:
        bot.process = first
    refusals = [line for line in bot.log.read_text("utf-8").splitlines() if "in use by another copy" in line]
    assert len(refusals) == 1
    assert first
    assert first.returncode is None


async def test_a_database_from_a_newer_version_is_refused_in_one_line(bot: Bot) -> None:
    await bot.start()
    await bot.baseline()
    await bot.stop()
    with sqlite3.connect(bot.folder / "monitor.db") as db:
        db.execute("UPDATE _sqlite_migrations SET name = 'm999_future' WHERE id = 1")
    db.close()
    await bot.start()
    assert await bot.exit_code() == 1
    assert "newer version" in bot.log.read_text("utf-8").splitlines()[-1]


async def test_a_valid_config_is_taken_up_on_sighup_and_a_faulty_one_is_not(bot: Bot) -> None:
    await bot.start()
    bot.api.user_says(ADMIN, "/start")
    await bot.subscribe()
    await bot.baseline()
    bot.write_config('[[topics]]\nid = "museum"\nname = "Museums"\nkeywords = ["museum"]\n')
    bot.signal(signal.SIGHUP)
    await bot.api.wait_for(lambda: any("in force" in text for text in bot.api.texts(ADMIN)))
    bot.api.user_says(CHAT, "/subscribe museum")
    await bot.api.wait_for(lambda: any("Museums." in text for text in bot.api.texts(CHAT)))
    bot.more = '[polling]\nevry = "1s"\n'
    bot.write_config()
    bot.signal(signal.SIGHUP)
    await bot.api.wait_for(lambda: any("evry" in text for text in bot.api.texts(ADMIN)))
    assert "reload state=refused" in bot.log.read_text("utf-8")
    bot.publish(("/2", "A museum opens its new wing", ""))
    await bot.api.wait_for(lambda: any("new wing" in text for text in bot.alerts()), within=PROMPT)


async def test_an_admin_lets_a_new_chat_in_with_a_button(bot: Bot) -> None:
    bot.access = "approval"
    bot.write_config()
    await bot.start()
    bot.api.user_says(ADMIN, "/start")
    await bot.api.wait_for(lambda: bot.api.labels(ADMIN), within=10)
    bot.api.user_says(CHAT, "/start")
    await bot.api.wait_for(lambda: "Approve" in bot.api.labels(ADMIN))
    assert "➕ Starlink" not in bot.api.labels(CHAT)
    bot.api.presses(ADMIN, "Approve")
    await bot.api.wait_for(lambda: "➕ Starlink" in bot.api.labels(CHAT))


async def test_who_blocks_the_bot_is_left_alone_and_heard_again_when_they_return(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.api.block(CHAT)
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 4, within=10)
    refused = [call for call in bot.api.calls if call.method == "sendmessage" and call.code == 403]
    assert len(refused) <= 1
    bot.api.unblock(CHAT)
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 4, within=10)
    bot.publish(("/2", "A second launch of Starlink satellites succeeds", ""))
    await bot.api.wait_for(lambda: any("second launch" in text for text in bot.alerts()), within=PROMPT)


async def test_systemd_is_told_when_it_is_ready_alive_and_stopping(bot: Bot) -> None:
    path = str(bot.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.setblocking(False)  # noqa: FBT003 -- the socket's own way
        loop = asyncio.get_running_loop()
        await bot.start({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})
        heard: list[str] = []
        while not any("WATCHDOG=1" in line for line in heard):
            heard.append((await asyncio.wait_for(loop.sock_recv(notify, 4096), 10)).decode())
        assert "READY=1" in heard[0]
        began = time.monotonic()
        bot.signal(signal.SIGTERM)
        while not any("STOPPING=1" in line for line in heard):
            heard.append((await asyncio.wait_for(loop.sock_recv(notify, 4096), 10)).decode())
        assert await bot.exit_code() == 0
        assert time.monotonic() - began < 10


async def test_no_token_and_no_chat_text_is_ever_logged(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.api.user_says(CHAT, "/subscribe a secret wish")
    await bot.api.wait_for(lambda: any("secret wish" in text for text in bot.api.texts(CHAT)))
    await bot.api.down()
    await bot.api.wait_for(lambda: "telegram unreachable" in bot.log.read_text("utf-8"), within=40)
    await bot.stop()
    log = bot.log.read_text("utf-8")
    assert bot.api.token not in log
    assert "secret wish" not in log


async def test_a_source_that_hangs_delays_no_other(bot: Bot) -> None:
    bot.more = f'[[sources]]\nid = "hang"\nname = "Hang"\nurl = "{bot.web.url("/hang")}"\nevery = "1s"\n'
    bot.write_config()
    bot.web.hang("/hang")
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    await bot.api.wait_for(bot.alerts, within=PROMPT)
    (alert,) = bot.alerts()
    assert "Starlink terminals are switched off" in alert


async def test_a_watch_of_ones_own_alerts_at_once_also_after_a_restart_until_it_ends(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.api.user_says(CHAT, "/watch museum wing")
    await bot.api.wait_for(lambda: any("I watch for museum wing" in text for text in bot.api.texts(CHAT)))
    bot.publish(("/1", "A museum opens its new wing", ""), ("/2", "A museum is closed", ""))
    await bot.api.wait_for(lambda: "museum wing\nA museum opens its new wing" in bot.api.sent[-1].text)
    await bot.stop()
    await bot.start()
    bot.publish(("/3", "Another museum plans a wing of glass", ""))
    await bot.api.wait_for(lambda: "wing of glass" in bot.api.sent[-1].text, within=10)
    bot.api.user_says(CHAT, "/unwatch museum wing")
    await bot.api.wait_for(lambda: any("no more" in text for text in bot.api.texts(CHAT)))
    before = len(bot.api.sent)
    bot.publish(("/4", "The third museum with a wing this week", ""))
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 4, within=10)
    assert len(bot.api.sent) == before


async def test_a_source_added_in_the_chat_alerts_for_what_comes_after_also_once_it_was_restarted(
    bot: Bot,
) -> None:
    bot.more = '[network]\nallow_private_hosts = ["127.0.0.1"]\n[polling]\nevery = "1s"\n'
    bot.write_config()
    entries = [("/9", "Starlink was there before", "")]
    bot.web.serve("/other", feed(*entries))
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.api.user_says(ADMIN, f"/add {bot.web.url('/other')}")
    await bot.api.wait_for(lambda: any("from now on" in text for text in bot.api.texts(ADMIN)))
    await bot.api.wait_for(lambda: bot.log.read_text("utf-8").count("baseline=yes") >= 3)
    bot.web.serve("/other", feed(("/10", "Starlink comes to the islands", ""), *entries))
    await bot.api.wait_for(lambda: len(bot.alerts()) == 1, within=PROMPT + 1)
    bot.api.presses(ADMIN, "Show its last items")
    await bot.api.wait_for(
        lambda: any("• Starlink was there before" in text for text in bot.api.texts(ADMIN))
    )
    await bot.stop()
    bot.web.serve("/other", feed(("/11", "Starlink satellites return", ""), *entries))
    await bot.start()
    await bot.api.wait_for(lambda: len(bot.alerts()) == 2, within=10)
    bot.api.user_says(ADMIN, "/pause 127-0-0-1")
    await bot.api.wait_for(lambda: any("alone until" in text for text in bot.api.texts(ADMIN)))
    asked = len([seen for seen in bot.web.requests if seen.path == "/other"])
    polls = len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 4, within=10)
    assert len([seen for seen in bot.web.requests if seen.path == "/other"]) <= asked + 1


async def test_a_feed_that_is_gone_is_told_to_the_admins_once_and_asked_again_after_a_reload(
    bot: Bot,
) -> None:
    def asked() -> int:
        return sum(seen.path == "/feed" for seen in bot.web.requests)

    await bot.start()
    bot.api.user_says(ADMIN, "/start")
    await bot.baseline()
    bot.web.status("/feed", 410)
    await bot.api.wait_for(lambda: any("Example News is gone" in text for text in bot.api.texts(ADMIN)), 15)
    before, polls = asked(), len(bot.web.requests)
    await bot.api.wait_for(lambda: len(bot.web.requests) >= polls + 3, within=10)
    assert asked() == before
    bot.signal(signal.SIGHUP)
    await bot.api.wait_for(lambda: asked() == before + 1, within=10)
    bot.publish(("/1", "Starlink terminals are switched off", ""))
    bot.signal(signal.SIGHUP)
    await bot.api.wait_for(lambda: asked() >= before + 3, within=10)
    assert sum("Example News is gone" in text for text in bot.api.texts(ADMIN)) == 1


async def test_an_edited_post_updates_its_message_and_one_that_matches_only_now_is_told(bot: Bot) -> None:
    await bot.start()
    await bot.subscribe()
    await bot.baseline()
    bot.post("Старлінк: збито 81 дрон", "Вітаємо рятувальників")
    await bot.api.wait_for(lambda: len(bot.alerts()) == 1, within=PROMPT)
    bot.posts[-2:] = [(2, "Старлінк: збито 92 дрони"), (3, "Вітаємо рятувальників: Старлінк працює")]
    bot.publish()
    await bot.api.wait_for(lambda: len(bot.alerts()) == 2, within=PROMPT)
    await bot.api.wait_for(lambda: "✏️" in bot.api.edits[-1].text, within=10)
    assert "Вітаємо рятувальників: Старлінк працює" in bot.alerts()[1]
    lines = bot.api.edits[-1].text.splitlines()
    assert lines[:4] == ["Starlink", "Старлінк: збито 92 дрони", "", "✏️ 81 дрон → 92 дрони"]
    assert lines[-2].endswith("edited")


async def test_what_was_read_is_searched_reloaded_and_backed_up_while_it_runs(bot: Bot) -> None:
    await bot.start()
    await bot.baseline()
    bot.api.user_says(CHAT, "/search старий старлінк")
    bot.api.user_says(CHAT, "/search Старлінк")
    await bot.api.wait_for(lambda: any("• An old story on Starlink" in text for text in bot.api.texts(CHAT)))
    bot.write_config('[[topics]]\nid = "museum"\nname = "Museums"\nkeywords = ["museum"]\n')
    bot.api.user_says(ADMIN, "/reload")
    await bot.api.wait_for(lambda: any("in force" in text for text in bot.api.texts(ADMIN)))
    assert len(bot.api.texts(ADMIN)) == 1  # who asked is answered once
    arguments = ("--config", bot.folder / "config.toml", "backup", bot.folder / "copy.db")
    process = await asyncio.create_subprocess_exec(sys.executable, ROOT / "bot.py", *arguments)
    assert await process.wait() == 0
    with sqlite3.connect(bot.folder / "copy.db") as db:
        assert db.execute("SELECT count(*) FROM items").fetchone() == (2,)
    db.close()


async def test_a_feed_that_fell_silent_is_told_to_the_admins(bot: Bot) -> None:
    def told() -> list[str]:
        return [text for text in bot.api.texts(ADMIN) if "silent" in text]

    last = datetime.now(UTC) - timedelta(days=3)
    dates = [format_datetime(last - timedelta(hours=2 * n)) for n in range(12)]
    bot.web.serve("/dead", web.rss(*(web.rss_item(f"Item {n}", date=date) for n, date in enumerate(dates))))
    bot.more = f'[[sources]]\nid = "dead"\nname = "Dead"\nurl = "{bot.web.url("/dead")}"\n'
    bot.write_config()
    await bot.start()
    bot.api.user_says(ADMIN, "/start")
    await bot.api.wait_for(told, within=20)
    assert told() == ["🔕 Dead: silent for 3 days, usually every 2 hours."]


def heaps_of_threads(pid: int) -> int:
    """Return how many there are: for each, glibc sets 64 MB aside, most of it for later."""
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text("ascii").splitlines()]
    places = [[int(place, 16) for place in words[0].split("-")] for words in maps]
    return sum(
        start % HEAP == 0 and end == later and last == start + HEAP and words[1] == "---p"
        for (start, end), (later, last), words in zip(places, places[1:], maps[1:], strict=False)
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about glibc")
async def test_all_its_threads_share_one_heap(bot: Bot) -> None:
    await bot.start()
    await bot.baseline()
    assert bot.process
    assert heaps_of_threads(bot.process.pid) == 0
