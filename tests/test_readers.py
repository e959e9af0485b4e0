"""A reader and the bot as a process of its own: buttons that outlive a kill, and nothing lost while muted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running import ADMIN, CHAT, Bot, a_bot

GROUP = -100123


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with a_bot(tmp_path) as started:
        await started.start()
        await started.baseline()
        yield started


async def test_what_comes_while_a_reader_is_muted_comes_as_one_list_when_the_mute_ends(bot: Bot) -> None:
    api = bot.api
    await bot.subscribe()
    api.user_says(CHAT, "/mute 1h")
    await api.wait_for(lambda: "I am silent until" in api.texts(CHAT)[-1], within=15)
    bot.publish(("/1", "Starlink fails over the sea", ""), ("/2", "Starlink is sold to the moon", ""))
    log = bot.log
    await api.wait_for(lambda: "queued=2" in log.read_text("utf-8"), within=15)
    await bot.kill()
    await bot.start()
    api.user_says(CHAT, "/unmute")
    await api.wait_for(lambda: any("2 stories" in text for text in api.texts(CHAT)), within=15)
    (shown,) = [text for text in api.texts(CHAT) if "2 stories" in text]
    assert "over the sea" in shown
    assert "to the moon" in shown
    assert bot.alerts() == []


async def test_the_buttons_of_an_alert_work_after_a_kill(bot: Bot) -> None:
    api = bot.api
    await bot.subscribe()
    bot.publish(("/1", "Starlink fails over the sea", "The whole text stands here."))
    await api.wait_for(bot.alerts, within=15)
    alert = api.shown(CHAT)[-1]
    await bot.kill()
    await bot.start()
    api.presses(CHAT, "⋯ More")
    await api.wait_for(lambda: api.shown(CHAT)[-1].reply_to == alert.message_id, within=15)
    assert "The whole text stands here." in api.texts(CHAT)[-1]
    for label, said in (
        ("👎 Not relevant", "noted for: Starlink"),
        ("🔇 This story", "no more of this story"),
        ("🔇 Topic 1 h", "I say nothing on Starlink until"),
    ):
        api.presses(CHAT, label)
        await api.wait_for(lambda said=said: said in api.notices[-1], within=15)
    assert alert in api.shown(CHAT)
    api.user_says(ADMIN, "/status")
    await api.wait_for(
        lambda: any("not relevant 1× (Starlink 1)" in text for text in api.texts(ADMIN)), within=15
    )


async def test_a_group_and_a_channel_are_set_up_by_their_admins_and_hear_of_it_there(bot: Bot) -> None:
    api, channel = bot.api, -100777
    api.known(channel, "The desk").kind = "channel"
    api.known(channel).username = "thedesk"
    api.admins |= {(GROUP, CHAT), (channel, CHAT)}
    api.user_says(CHAT, "/start")
    await api.wait_for(lambda: api.texts(CHAT), within=15)
    api.joins(GROUP, user_id=CHAT)
    api.joins(channel, user_id=CHAT, new="administrator")
    await api.wait_for(lambda: api.texts(GROUP) and "📣 Set it up" in api.labels(CHAT), within=15)
    api.user_says(GROUP, "/subscribe starlink", user_id=99, message_thread_id=4, is_topic_message=True)
    await api.wait_for(lambda: "Only admins" in api.texts(GROUP)[-1], within=15)
    api.user_says(GROUP, "/subscribe starlink", user_id=CHAT, message_thread_id=4, is_topic_message=True)
    await api.wait_for(lambda: "You will hear of" in api.texts(GROUP)[-1], within=15)
    api.presses(CHAT, "📣 Set it up")
    await api.wait_for(lambda: "about The desk now" in api.texts(CHAT)[-1], within=15)
    api.user_says(CHAT, "/subscribe starlink")
    await api.wait_for(lambda: "You will hear of" in api.texts(CHAT)[-1], within=15)
    bot.publish(("/1", "Starlink fails over the sea", ""))
    await api.wait_for(lambda: bot.alerts(GROUP) and bot.alerts(channel), within=15)
    in_group, in_channel = api.shown(GROUP)[-1], api.shown(channel)[-1]
    assert (in_group.thread_id, bool(in_group.buttons)) == (4, True)
    assert in_channel.buttons == ()
    assert bot.alerts(CHAT) == []
