"""Whatever comes from outside, Telegram takes the message and shows what was said."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC

from builders import NOW, chat, item, source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telegram_html import Entity, parse, utf16_length

from monitor.model import Alert, Change, Chat, Evidence, Item, Match, Report, Topic
from monitor.phrases import LANGUAGES
from monitor.prose import tidy
from monitor.render import alert, digest

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Alerts are large values to make up: fewer of them, and no watch on a machine that is busy."""

MARKUP = ["<b>", "</b>", "&lt;", "&", '"', "</a>"]
SCRIPTS = ["Київ ", "שלום", "هدنة ", "👩‍🚒", "🇺🇦", "e\u0301" * 40, "\u202e", "\n", ". "]
OUTSIDE = st.lists(
    st.text(alphabet=st.characters(), max_size=30)  # lone surrogates and control characters as well
    | st.sampled_from(MARKUP + SCRIPTS),
    max_size=40,
).map("".join)
LONG = st.builds(lambda text, times: text * times, OUTSIDE, st.sampled_from([1, 1, 1, 30]))


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    """Any alert: outside text in every field, and evidence anywhere in it."""
    one = item(
        draw(LONG),
        draw(LONG),
        url=draw(st.none() | OUTSIDE.map(lambda tail: f"https://example.com/{tail}")),
        published=draw(st.none() | st.datetimes(timezones=st.just(UTC))),
        forwarded_from=draw(st.none() | OUTSIDE),
        edited=draw(st.booleans()),
    )
    topics = draw(st.lists(st.builds(Topic, id=st.text("ab", max_size=2), name=LONG), max_size=9))
    return Alert(
        item=one,
        source=source(name=draw(LONG), official=draw(st.booleans())),
        topics=tuple(topics),
        matches=tuple(Match(topic.id, 50, draw(places(one))) for topic in topics),
        language=draw(st.none() | st.sampled_from(["uk", "ru", "xx"]) | OUTSIDE),
        found=NOW,
        reports=tuple(draw(st.lists(REPORTS, max_size=12))),
        changes=tuple(draw(st.lists(st.builds(Change, LONG, LONG), max_size=6))),
    )


REPORTS = st.builds(
    Report,
    source=st.builds(source, name=LONG, official=st.booleans()),
    url=st.none() | OUTSIDE.map(lambda tail: f"https://example.com/{tail}") | OUTSIDE,
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
)


def places(one: Item) -> st.SearchStrategy[tuple[Evidence, ...]]:
    """Any stretches of an item's fields."""

    def stretch(field: str, start: int, length: int) -> Evidence:
        size = len(getattr(one, field))
        start = min(start, size)
        return Evidence(field, start, min(start + length, size), "keyword", "exact")

    one_place = st.builds(
        stretch, st.sampled_from(["title", "text"]), st.integers(0, 2000), st.integers(0, 40)
    )
    return st.lists(one_place, max_size=30).map(tuple)


CHATS: st.SearchStrategy[Chat] = st.builds(
    chat,
    language=st.sampled_from(LANGUAGES),
    timezone=st.sampled_from(["Europe/Kyiv", "Pacific/Apia", "nowhere"]),
)


def visible(entity: Entity, text: str) -> str:
    units = text.encode("utf-16-le")
    return units[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le")


@CALM
@given(alerts(), CHATS)
def test_telegram_takes_any_alert(one: Alert, to: Chat) -> None:
    text, entities = parse(alert(one, chat=to, now=NOW).html)
    assert 0 < utf16_length(text) <= 4096
    assert len(entities) < 100
    assert all(visible(entity, text) for entity in entities)  # no entity ends inside a character


EMBEDDINGS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067")
CLUSTERS = ["👩\u200d🚒", "🇺🇦", "👍🏽", "e\u0301\u0323", "🏴\U000e0067\U000e0062\U000e007f", "й", "नि"]


@CALM
@given(alerts(), CHATS)
def test_outside_text_cannot_reorder_what_stands_beside_it(one: Alert, to: Chat) -> None:
    shown, _ = parse(alert(one, chat=to, now=NOW).html)
    assert not EMBEDDINGS & set(shown)
    for line in shown.split("\n"):
        assert line.count("\u2068") == line.count("\u2069")
        if any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in line):
            assert "\u2068" in line


@CALM
@given(alerts(), CHATS)
def test_every_link_of_an_alert_leads_to_the_web(one: Alert, to: Chat) -> None:
    wild = replace(one, item=replace(one.item, url="javascript:alert(1)", forwarded_url="tg://user?id=1"))
    for some in (one, wild):
        message = alert(some, chat=to, now=NOW)
        _, entities = parse(message.html)
        links = [entity.url for entity in entities if entity.url]
        assert all(
            link.startswith(("http://", "https://")) for link in (*links, message.preview or "http://")
        )


@CALM
@given(st.lists(st.sampled_from(CLUSTERS), min_size=100, max_size=900), st.integers(0, 40))
def test_a_text_is_never_cut_inside_a_letter(clusters: list[str], before: int) -> None:
    text = "".join(clusters)
    one = item("", f"{'ab ' * before}{text}", url="https://example.org/")
    some = Alert(one, source(), (), (), None, NOW)
    whole = {"".join(clusters[:count]) for count in range(len(clusters) + 1)}
    for markup in (alert(some, chat=chat(), now=NOW).html, digest([some], chat(), NOW)[0].html):
        shown, _ = parse(markup)
        line = next(line for line in shown.split("\n") if "ab" in line or line.startswith((*CLUSTERS, "•")))
        told = line.removeprefix("• ").partition(" — ")[0].rstrip("…")
        assert re.sub(r"^(?:ab ?)*", "", told) in whole


@CALM
@given(alerts(), CHATS)
def test_the_title_is_shown_as_it_is(one: Alert, to: Chat) -> None:
    text, _ = parse(alert(one, chat=to, now=NOW).html)
    title = tidy(one.item.title).replace("\n", " ").strip()
    assert utf16_length(title) > 300 or title in text


@CALM
@given(st.lists(alerts(), max_size=3), CHATS)
def test_telegram_takes_any_digest(several: list[Alert], to: Chat) -> None:
    for message in digest(several, to, NOW):
        text, _ = parse(message.html)
        assert 0 < utf16_length(text) <= 4096
