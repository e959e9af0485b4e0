"""The stand-in for Telegram refuses what Telegram refuses, in Telegram's words."""

from __future__ import annotations

import asyncio
import html
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from fakes import TOKEN, BotApi, FakeClock
from hypothesis import given
from hypothesis import strategies as st
from telegram_conduct import Conduct
from telegram_html import Entity, HtmlRefused, is_link, parse, utf16_length
from telegram_pace import Pace

ANNA = 7
GROUP = -100500
KEYBOARD = {"inline_keyboard": [[{"text": "Yes", "callback_data": "/yes"}]]}


class Caller:
    """A bot reduced to plain HTTP."""

    def __init__(self, api: BotApi, http: aiohttp.ClientSession) -> None:
        self.api, self.http, self.token = api, http, TOKEN

    async def __call__(self, method: str, **params: Any) -> Any:
        """Return what a method answers, or "code description" where it refuses."""
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
        async with self.http.post(f"{self.api.url}/bot{self.token}/{method}", data=form) as response:
            body = await response.json()
        if body["ok"]:
            return body["result"]
        assert body["error_code"] == response.status
        return f"{response.status} {body['description']}"

    async def say(self, text: str, **params: Any) -> Any:
        """Send HTML to Anna."""
        return await self("sendMessage", chat_id=ANNA, text=text, parse_mode="HTML", **params)

    async def polls(self, **params: Any) -> list[int]:
        """Return the ids of the updates that are waiting."""
        return [update["update_id"] for update in await self("getUpdates", **params)]


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as served:
        served.known(ANNA)
        yield served


@pytest.fixture
async def call(api: BotApi) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as http:
        yield Caller(api, http)


# HTML.


@given(st.text())
def test_escaped_text_arrives_as_it_was(text: str) -> None:
    plain, entities = parse(html.escape(text))
    assert plain == text.strip()
    assert entities == ()


@given(st.text(), st.text(), st.sampled_from(["b", "i", "u", "s", "code", "blockquote", "tg-spoiler"]))
def test_a_tag_marks_what_it_holds_in_utf16(before: str, marked: str, tag: str) -> None:
    before, marked = f"-{before}-", f"-{marked}-"
    plain, entities = parse(f"{html.escape(before)}<{tag}>{html.escape(marked)}</{tag}>")
    [entity] = entities
    assert plain == before + marked
    units = plain.encode("utf-16-le")
    stretch = units[2 * entity.offset : 2 * (entity.offset + entity.length)]
    assert stretch.decode("utf-16-le") == marked


@given(st.text(alphabet="<>&/ab=\"';# \x00é😀"))
def test_any_markup_is_parsed_or_refused(markup: str) -> None:
    try:
        plain, entities = parse(markup)
    except HtmlRefused:
        return
    assert all(e.offset >= 0 and e.offset + e.length <= utf16_length(plain) for e in entities)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("2 < 3", 'Unsupported start tag "" at byte offset 2'),
        ("<p>Kyiv</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("Київ <br>", 'Unsupported start tag "br" at byte offset 9'),
        ("<b>Kyiv", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>Kyiv</i>", 'Unmatched end tag at byte offset 7, expected "</b>", found "</i>"'),
        ("Kyiv</b>", "Unexpected end tag at byte offset 4"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>Kyiv</b", "Unclosed end tag at byte offset 7"),
        ('<a href="https://example.org>x</a>', "Unclosed start tag at byte offset 0"),
        ("<a href=https://example.org>x</a>", "Unexpected end of name token at byte offset 8"),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">x</tg-emoji>', "Invalid custom emoji identifier specified"),
        ("&#xD83D;", "Text contains invalid Unicode characters after decoding HTML entities"),
    ],
)
def test_bad_html_is_refused_in_telegrams_words(markup: str, words: str) -> None:
    with pytest.raises(HtmlRefused) as caught:
        parse(markup)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("markup", "plain", "entities"),
    [
        ("&lt;&gt;&amp;&quot;&#39;&#x27;", "<>&\"''", ()),
        ("&nbsp;&laquo;&#0;&#99999999999;", "&nbsp;&laquo;&#0;&#99999999999;", ()),
        ("R&D & &lt", "R&D & <", ()),
        ("<B>x</b>", "x", (Entity("bold", 0, 1),)),
        ("<b>x</>", "x", (Entity("bold", 0, 1),)),
        ("<b></b>x", "x", ()),
        ("  <b> x </b>\n", "x", (Entity("bold", 0, 1),)),
        ("😀<i>😀</i>", "😀😀", (Entity("italic", 2, 2),)),
        ("<b>a<i>b</i></b>", "ab", (Entity("bold", 0, 2), Entity("italic", 1, 1))),
        ("<blockquote expandable>x</blockquote>", "x", (Entity("expandable_blockquote", 0, 1),)),
        ('<span class="tg-spoiler">x</span>', "x", (Entity("spoiler", 0, 1),)),
        ('<pre><code class="language-sql">x</code></pre>', "x", (Entity("code", 0, 1), Entity("pre", 0, 1))),
        ('<tg-emoji emoji-id="5">👍</tg-emoji>', "👍", (Entity("custom_emoji", 0, 2),)),
        ("<a href='https://t.me/a?b&amp;c'>x</a>", "x", (Entity("text_link", 0, 1, "https://t.me/a?b&c"),)),
        ("<a>example.org</a>", "example.org", (Entity("text_link", 0, 11, "example.org"),)),
        ('<a href="javascript:x">x</a>', "x", ()),
        ('<a href="http://localhost/">x</a>', "x", ()),
    ],
)
def test_good_html_is_read_as_telegram_reads_it(
    markup: str, plain: str, entities: tuple[Entity, ...]
) -> None:
    assert parse(markup) == (plain, entities)


def test_entities_beyond_a_hundred_are_dropped() -> None:
    assert len(parse("<b>x</b>" * 120)[1]) == 100


def test_what_is_no_link_is_none() -> None:
    assert is_link("http://127.0.0.1:80/x")
    assert not any(map(is_link, ["", "not-a-url", "ftp://example.org", "http://["]))


# Sending.


async def test_only_the_right_token_and_known_methods_are_served(call: Caller) -> None:
    assert (await call("GETme"))["username"] == "monitor_test_bot"
    assert await call("makeCoffee") == "404 Not Found"
    call.token = "123456789:another"
    assert await call("getMe") == "401 Unauthorized"
    call.token = "nonsense"
    assert await call("getMe") == "404 Not Found"


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": "<b> </b>"}, "message text is empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "<b>x"}, "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ({"text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": "404"}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
        ({"text": "x", "link_preview_options": {"url": "not-a-url"}}, "WEBPAGE_URL_INVALID"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply markup JSON object"),
    ],
)
async def test_a_bad_message_is_refused(call: Caller, params: dict[str, Any], answer: str) -> None:
    assert await call("sendMessage", **{"chat_id": ANNA, "parse_mode": "HTML", **params}) == (
        f"400 Bad Request: {answer}"
    )
    assert call.api.sent == []


@pytest.mark.parametrize(
    ("button", "answer"),
    [
        ({"text": "x", "callback_data": "ї" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x"}, "Text buttons are unallowed in the inline keyboard"),
        ({"text": " ", "callback_data": "x"}, "must be non-empty"),
        ({"text": "x", "url": "not-a-url"}, "URL 'not-a-url' is invalid: Wrong HTTP URL"),
        ({"text": "x", "url": "ftp://example.org"}, "Unsupported URL protocol"),
    ],
)
async def test_a_bad_button_is_refused(call: Caller, button: dict[str, str], answer: str) -> None:
    refusal = await call.say("x", reply_markup={"inline_keyboard": [[button]]})
    assert refusal.startswith("400 Bad Request: ")
    assert refusal.endswith(answer)


async def test_the_longest_message_counts_after_parsing(call: Caller) -> None:
    assert (await call.say(f"<b>{'&amp;' * 4096}</b>"))["message_id"]
    assert call.api.sent[0].text == "&" * 4096


async def test_the_first_link_is_previewed_unless_that_is_said_otherwise(call: Caller) -> None:
    link = '<a href="https://example.org/1">one</a>'
    await call.say(link)
    await call.say(f"{link} https://example.org/2")
    await call.say(link, link_preview_options={"url": "https://example.org/3"})
    await call.say(link, link_preview_options={"is_disabled": True})
    await call.say("none")
    end = [message.preview and message.preview[-1] for message in call.api.sent]
    assert end == ["1", "2", "3", None, None]


async def test_what_is_not_known_is_ignored(call: Caller) -> None:
    assert (await call.say("x", an_option_of_tomorrow="yes"))["text"] == "x"


async def test_those_who_cannot_be_written_to_are_told_apart(call: Caller) -> None:
    call.api.block(ANNA)
    assert await call.say("x") == "403 Forbidden: bot was blocked by the user"
    call.api.unblock(ANNA)
    assert (await call.say("x"))["text"] == "x"
    call.api.user_says(GROUP, "/start", user_id=9)
    assert (
        await call("sendMessage", chat_id=9, text="x")
        == "403 Forbidden: bot can't initiate conversation with a user"
    )
    call.api.block(GROUP)
    assert (
        await call("sendMessage", chat_id=GROUP, text="x")
        == "403 Forbidden: bot was kicked from the supergroup chat"
    )


async def test_a_message_is_edited_and_deleted_by_its_rules(call: Caller) -> None:
    sent = await call.say("<b>one</b>", reply_markup=KEYBOARD)
    same = {"chat_id": ANNA, "message_id": sent["message_id"]}
    edit = {**same, "parse_mode": "HTML", "text": "<strong>one</strong>"}
    assert (await call("editMessageText", **edit, reply_markup=KEYBOARD)).startswith(
        "400 Bad Request: message is not modified"
    )
    assert (await call("editMessageText", **edit))["text"] == "one"
    assert call.api.labels(ANNA) == []
    assert (
        await call("editMessageText", **{**edit, "message_id": 1})
        == "400 Bad Request: message to edit not found"
    )
    call.api.uneditable.add((ANNA, sent["message_id"]))
    assert call.api.unedited == {1}
    assert await call("editMessageText", **edit) == "400 Bad Request: message can't be edited"
    assert call.api.unedited == {1, sent["message_id"]}
    assert await call("deleteMessage", **same) is True
    assert await call("deleteMessage", **same) == "400 Bad Request: message to delete not found"


async def test_a_press_is_answered_once(call: Caller) -> None:
    await call.say("x", reply_markup=KEYBOARD)
    query = call.api.presses(ANNA, "Yes")
    [update] = await call("getUpdates")
    assert update["callback_query"]["data"] == "/yes"
    assert (
        await call("answerCallbackQuery", callback_query_id=query, text="x" * 201)
        == "400 Bad Request: MESSAGE_TOO_LONG"
    )
    assert await call("answerCallbackQuery", callback_query_id=query, text="noted") is True
    assert "query is too old" in await call("answerCallbackQuery", callback_query_id=query)
    assert call.api.notices == ["noted"]
    with pytest.raises(AssertionError, match="no button 'No'"):
        call.api.presses(ANNA, "No")


async def test_a_menu_is_checked(call: Caller) -> None:
    async def menu(commands: list[tuple[str, str]], language: str = "") -> Any:
        rows = [{"command": name, "description": text} for name, text in commands]
        return await call("setMyCommands", commands=rows, language_code=language)

    assert await menu([("start", "Begin")], "uk") is True
    assert await call("getMyCommands", language_code="uk") == [{"command": "start", "description": "Begin"}]
    assert await call("getMyCommands") == []
    assert "COMMAND_INVALID" in await menu([("Start", "Begin")])
    assert "COMMAND_INVALID" in await menu([("x" * 33, "Begin")])
    assert "DESCRIPTION_INVALID" in await menu([("start", "")])
    assert "TOO_MUCH" in await menu([("start", "Begin")] * 101)
    assert "language code" in await menu([("start", "Begin")], "english")


async def test_chats_and_members_can_be_asked_about(call: Caller) -> None:
    call.api.user_says(GROUP, "/start", user_id=9, title="Night shift")
    call.api.admins.add((GROUP, 9))
    assert (await call("getChat", chat_id=GROUP))["title"] == "Night shift"
    assert (await call("getChatMember", chat_id=GROUP, user_id=9))["status"] == "creator"
    assert (await call("getChatMember", chat_id=GROUP, user_id=ANNA))["status"] == "member"
    assert "user not found" in await call("getChatMember", chat_id=GROUP, user_id=10)
    assert await call("sendChatAction", chat_id=GROUP, action="typing") is True


# Updates.


async def test_an_update_comes_again_until_it_is_confirmed(call: Caller) -> None:
    call.api.user_says(ANNA, "/one")
    call.api.user_says(ANNA, "/two")
    one, two = await call.polls()
    assert await call.polls(limit=1) == [one]
    assert await call.polls(offset=two) == [two]
    assert await call.polls() == [two]
    assert await call.polls(offset=two + 1) == []
    call.api.user_says(ANNA, "/three")
    call.api.user_says(ANNA, "/four")
    assert len(await call.polls(offset=-1)) == 1


async def test_a_long_poll_ends_with_the_first_update(call: Caller) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=30))
    await call.api.wait_for(lambda: call.api._poll)
    call.api.user_says(ANNA, "/start", language="uk")
    [update] = await asyncio.wait_for(poll, 2)
    assert update["message"]["from"]["language_code"] == "uk"


async def test_of_two_polls_the_first_is_ended(call: Caller) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=30))
    await call.api.wait_for(lambda: call.api._poll)
    assert await call("getUpdates") == []
    assert (await first).startswith("409 Conflict: terminated by other getUpdates request")


async def test_a_webhook_keeps_polls_out(call: Caller) -> None:
    call.api.webhook = "https://example.org/hook"
    assert (await call("getUpdates")).startswith("409 Conflict: can't use getUpdates method while webhook")
    assert await call("deleteWebhook") is True
    assert await call("getUpdates") == []


async def test_only_the_kinds_asked_for_come(call: Caller) -> None:
    await call("getUpdates", allowed_updates=["message"])
    call.api.block(ANNA)
    assert await call("getUpdates") == []
    call.api.user_says(ANNA, "/start")
    assert len(await call.polls()) == 1


# Faults and limits.


async def test_faults_strike_whom_they_are_meant_for_and_no_longer_than_that(call: Caller) -> None:
    call.api.known(8)
    call.api.inject(502, times=2, chat_id=8)
    call.api.inject(429, method="getMe", retry_after=7, description="Too Many Requests: retry after 7")
    assert (await call.say("x"))["text"] == "x"
    assert [await call("sendMessage", chat_id=8, text="x") for _ in range(2)] == ["502 502"] * 2
    assert (await call("sendMessage", chat_id=8, text="x"))["text"] == "x"
    assert await call("getMe") == "429 Too Many Requests: retry after 7"
    assert [(c.method, c.chat_id, c.code) for c in call.api.calls][-1] == ("getme", None, 429)


async def test_a_lost_answer_was_heard_and_a_dropped_request_was_not(call: Caller) -> None:
    call.api.inject("lose")
    with pytest.raises(aiohttp.ClientError):
        await call.say("heard")
    call.api.inject("drop")
    with pytest.raises(aiohttp.ClientError):
        await call.say("unheard")
    await call.say("answered")
    assert call.api.texts(ANNA) == ["heard", "answered"]
    assert call.api.unheard == {call.api.sent[0].message_id}


async def test_what_is_down_refuses_connections_until_it_is_up_at_the_same_place(call: Caller) -> None:
    place = call.api.url
    await call.api.down()
    with pytest.raises(aiohttp.ClientConnectorError):
        await call("getMe")
    await call.api.up()
    assert call.api.url == place
    assert (await call("getMe"))["is_bot"]


async def test_waiting_in_vain_says_what_was_sent_instead(call: Caller) -> None:
    await call.say("something else")
    with pytest.raises(AssertionError, match="something else"):
        await call.api.wait_for(2, within=0.05)


async def test_a_chat_is_written_to_at_telegrams_pace(call: Caller) -> None:
    call.api.pace = Pace(burst=2, scale=10)
    first = await call.say("x")
    assert (await call("editMessageText", chat_id=ANNA, message_id=first["message_id"], text="y"))[
        "text"
    ] == "y"
    assert await call.say("x") == "429 Too Many Requests: retry after 1"
    await asyncio.sleep(0.11)  # a second and more, at this scale
    assert (await call.say("x"))["text"] == "x"


def test_the_limits_are_telegrams() -> None:
    pace = Pace()
    assert [pace.take(chat) for chat in range(1, 32)] == [0] * 30 + [1]
    pace = Pace()
    assert [pace.take(GROUP) for _ in range(21)] == [0] * 20 + [3]


def test_a_clock_goes_only_as_it_is_told() -> None:
    clock = FakeClock()
    then = clock.now()
    clock.advance(timedelta(hours=1))
    assert clock.now() - then == timedelta(hours=1)


async def test_what_a_correct_bot_never_asks_is_noted() -> None:
    conduct = Conduct()
    conduct.answered("sendmessage", 7, "Forbidden: bot was blocked by the user", None)
    conduct.answered("sendmessage", 8, "Too Many Requests: retry after 5", 5)
    soon, later, late = (time.monotonic() + wait for wait in (0.1, 3, 6))
    for chat_id in (7, 8):
        conduct.asked("sendmessage", chat_id, soon)
    assert conduct.misdeeds == []
    conduct.asked("getchatmember", 7, later)
    conduct.asked("sendmessage", 8, late)
    assert conduct.misdeeds == []
    for chat_id in (7, 8):
        conduct.asked("sendmessage", chat_id, later)
    assert len(conduct.misdeeds) == 2
    conduct.opened(7)
    conduct.asked("sendmessage", 7, later)
    assert len(conduct.misdeeds) == 2
    conduct.told(7, "kicked")
    conduct.asked("sendmessage", 7, later)
    assert len(conduct.misdeeds) == 3
    assert [line.partition("before: ")[2] for line in conduct.misdeeds[-1].story] == [
        "let in",
        "the bot is told: kicked",
    ]
    conduct.told(7, "member")
    conduct.asked("sendmessage", 7, later)
    assert len(conduct.misdeeds) == 3
