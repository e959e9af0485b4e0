"""An alert says at a glance what was found, what it says, who said it and when; and Telegram takes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import NOW, chat, item, source, topic
from telegram_html import parse, utf16_length

from monitor.markup import plain
from monitor.model import Alert, Change, Evidence, Item, Match, Report
from monitor.render import MOST_CHANGES, MOST_TOPICS, ago, alert, digest, item_line

STARLINK = topic("Starlink", id="starlink", name="Starlink")
PAUSE = topic("ceasefire", id="ceasefire", name="Ceasefires")


def evidence(one: Item, *words: str) -> tuple[Evidence, ...]:
    """Where words stand in an item: "title:word" in its title, others in its text."""
    found = []
    for word in words:
        field = "title" if word.startswith("title:") else "text"
        stretch = word.removeprefix("title:")
        start = getattr(one, field).index(stretch)
        found.append(Evidence(field, start, start + len(stretch), stretch, "exact"))
    return tuple(found)


def found(one: Item, *words: str, **facts: Any) -> Alert:
    """An alert on one topic because of these words."""
    matches = (Match("starlink", 100, evidence(one, *words)),)
    usual = {"source": source(), "matches": matches, "topics": (STARLINK,), "language": "en", "found": NOW}
    return Alert(item=one, **{**usual, **facts})


def html(one: Alert, now: datetime = NOW, **facts: Any) -> str:
    return alert(one, chat=chat(**facts), now=now).html


def stretches(markup: str, kind: str) -> list[str]:
    text, entities = parse(markup)
    units = text.encode("utf-16-le")
    return [
        units[e.offset * 2 : (e.offset + e.length) * 2].decode("utf-16-le")
        for e in entities
        if e.kind == kind
    ]


def test_an_alert_shows_topic_title_sentence_source_and_time() -> None:
    one = item(
        "Terminals on drones are cut off",
        "The day was quiet. The minister said that Starlink works. More follows.",
        url="https://example.com/a?b=1&c=2",
        published=NOW - timedelta(minutes=5),
    )
    assert html(found(one, "Starlink")) == (
        "<b>Starlink</b>\n"
        '<a href="https://example.com/a?b=1&amp;c=2">Terminals on drones are cut off</a>\n\n'
        "The minister said that <b>Starlink</b> works.\n\n"
        "Example News\n"
        "13:55 (5 min. ago)"
    )


def test_what_an_edit_changed_is_said_before_the_source() -> None:
    one = item("Air defence shot down 92 drones", published=NOW, edited=True)
    told = (Change("81", "92"), Change("", "<b>all"), Change("to \u202e sea", ""))
    markup = html(found(one, "title:drones", changes=told))
    assert (
        "\n\n✏️ <s>81</s> → 92\n✏️ added: &lt;b&gt;all\n✏️ removed: <s>to   sea</s>\n\nExample News · edited\n"
    ) in markup


def test_an_edit_that_takes_a_report_off_its_topic_is_said_to_do_so() -> None:
    alert = found(item("The bridge is open", published=NOW), changes=(Change("Starlink", "The bridge"),))
    off = replace(alert, matches=())
    for language, said in (("en", "no longer on this"), ("uk", "не стосується цієї"), ("ru", "к этой теме")):
        shown = html(off, language=language).splitlines()
        assert shown[0] == "<b>Starlink</b>"
        assert said in shown[3]
        assert shown[4] == "✏️ <s>Starlink</s> → The bridge"
    assert "no longer" not in html(replace(off, changes=()))


def test_long_changes_are_cut_and_many_are_few() -> None:
    one = item("A headline", published=NOW)
    markup = html(found(one, "title:headline", changes=(Change("old " * 200, "new " * 200),) * 20))
    assert markup.count("✏️") == MOST_CHANGES
    assert utf16_length(parse(markup)[0]) < 1_000


def test_words_of_the_title_are_bold_too() -> None:
    one = item("A truce & more <now>", url="https://example.com/")
    markup = html(found(one, "title:truce", "title:<now"))
    assert '<a href="https://example.com/">A <b>truce</b> &amp; more <b>&lt;now</b>&gt;</a>' in markup


def test_a_title_that_matched_is_followed_by_the_first_sentence() -> None:
    one = item("A truce begins", "The president said so. Nobody else did.")
    assert "\n\nThe president said so.\n\n" in html(found(one, "title:truce"))


def test_a_text_that_repeats_the_title_is_not_shown_again() -> None:
    one = item("A truce begins, says the president", "A truce begins. Details later.")
    assert html(found(one, "title:truce")).count("truce") == 1


def test_a_post_is_headed_by_its_first_sentence() -> None:
    one = item("", "⚡️ Термінали відключають.\nПрацюємо разом.", url="https://t.me/minister/5")
    markup = html(found(one, "відключають"))
    assert '<a href="https://t.me/minister/5">⚡️ Термінали <b>відключають</b>.</a>' in markup
    assert "Працюємо" not in markup


def test_a_post_that_matched_further_down_shows_both() -> None:
    one = item("", "Зведення за добу.\nУдар по підстанції. Решта спокійна.", url="https://t.me/rescue/7")
    markup = html(found(one, "підстанції"))
    assert '">Зведення за добу.</a>\n\nУдар по <b>підстанції</b>.\n\n' in markup


def test_a_post_without_text_can_still_be_opened() -> None:
    markup = html(found(item("", "", url="https://t.me/rescue/8")))
    assert '<a href="https://t.me/rescue/8">A post without text</a>' in markup


def test_each_topic_shows_its_own_sentence_in_the_order_of_the_text() -> None:
    one = item("News", "First the truce. Then nothing. At last Starlink, Starlink again.")
    second = Match("ceasefire", 90, evidence(one, "truce"))
    first = Match("starlink", 90, evidence(one, "Starlink"))
    markup = html(found(one, matches=(first, second), topics=(STARLINK, PAUSE)))
    assert "<b>Starlink · Ceasefires</b>" in markup
    assert "First the <b>truce</b>.\n\nAt last <b>Starlink</b>, Starlink again." in markup


def test_the_sentence_with_most_of_the_evidence_is_shown() -> None:
    one = item("News", "A pause came up. They want a pause in strikes.")
    places = (*evidence(one, "pause", "strikes"), Evidence("text", 29, 34, "pause", "exact"))
    markup = html(found(one, matches=(Match("starlink", 90, places),)))
    assert "They want a <b>pause</b> in <b>strikes</b>." in markup
    assert "came up" not in markup


def test_marks_that_overlap_become_one() -> None:
    one = item("News", "The power grid is down.")
    places = evidence(one, "power grid", "grid is", "power")
    assert "The <b>power grid is</b> down." in html(found(one, matches=(Match("starlink", 9, places),)))


def test_an_official_source_is_marked_and_a_forward_is_named() -> None:
    one = item("", "Text.", forwarded_from="Channel <x>", forwarded_url="https://t.me/x/1", edited=True)
    markup = html(found(one, source=source(name="The minister & co", official=True)))
    assert (
        "🏛 The minister &amp; co (official) · "
        'forwarded from <a href="https://t.me/x/1">Channel &lt;x&gt;</a> · edited\n'
    ) in markup


@pytest.mark.parametrize(
    ("language", "chat_language", "shown"),
    [
        ("uk", "en", "in Ukrainian"), ("en", "uk", "мова: англійська"), ("uk", "ru", "язык: украинский"),
        ("en-US", "en", None), ("uk", "uk", None), (None, "en", None), ("<b>", "en", None),
        ("PL", "en", "in Polish"),
    ],
)  # fmt: skip
def test_a_language_is_named_when_it_is_not_the_chats(
    language: str | None, chat_language: str, shown: str | None
) -> None:
    markup = html(found(item(), language=language), language=chat_language)
    assert markup.endswith(f" · {shown}") if shown else " · " not in markup


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (NOW, "14:00 (just now)"),
        (NOW - timedelta(seconds=59), "13:59 (just now)"),
        (NOW - timedelta(seconds=60), "13:59 (1 min. ago)"),
        (NOW - timedelta(hours=1), "13:00 (1 hr. ago)"),
        (NOW - timedelta(minutes=59, seconds=59), "13:00 (59 min. ago)"),
        (NOW - timedelta(hours=13), "01:00 (13 hr. ago)"),
        (NOW - timedelta(hours=15), "31 Jan, 23:00 (15 hr. ago)"),
        (NOW - timedelta(days=3), "29 Jan, 14:00 (3 days ago)"),
        (NOW - timedelta(days=40), "23 Dec 2025, 14:00 (1 mo. ago)"),
        (NOW + timedelta(minutes=4), "14:04 (just now)"),
        (NOW + timedelta(minutes=6), "found 13:58 (2 min. ago)"),
        (None, "found 13:58 (2 min. ago)"),
        (datetime(1970, 1, 1, tzinfo=UTC), "found 13:58 (2 min. ago)"),
        (datetime(1, 1, 1, tzinfo=UTC), "found 13:58 (2 min. ago)"),
    ],
)  # fmt: skip
def test_the_time_is_that_of_the_chats_zone_and_believable(published: datetime | None, expected: str) -> None:
    one = found(item(published=published), found=NOW - timedelta(minutes=2))
    assert html(one).splitlines()[-1] == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("America/New_York", "07:00"), ("Mars/Base", "12:00"), ("../etc", "12:00"), ("", "12:00")],
)
def test_an_unknown_zone_is_utc(zone: str, expected: str) -> None:
    assert html(found(item()), timezone=zone).endswith(f"{expected} (just now)")


def test_the_time_is_told_in_the_chats_language() -> None:
    then = NOW - timedelta(minutes=5)
    assert [ago(then, language, NOW) for language in ("en", "uk", "ru", "de")] == [
        "5 min. ago",
        "5 хв тому",
        "5 мин. назад",
        "5 min. ago",
    ]
    assert "30 січ., 14:00 (2 дн. тому)" in html(
        found(item(published=NOW - timedelta(days=2))), language="uk"
    )


@pytest.mark.parametrize(
    ("priorities", "silent"),
    [(["low"], True), (["low", "low"], True), (["low", "normal"], False), (["urgent"], False), ([], False)],
)
def test_only_low_priority_is_silent(priorities: list[str], silent: bool) -> None:  # noqa: FBT001  (a table's column)
    topics = tuple(topic(id=str(place), priority=one) for place, one in enumerate(priorities))
    one = found(item(), matches=(), topics=topics)
    assert alert(one, chat=chat(), now=NOW).silent == silent
    assert all(message.silent == silent for message in digest([one], chat(), NOW))


def test_an_urgent_topic_is_marked_and_many_topics_are_cut() -> None:
    urgent = topic(id="u", name="Air raid", priority="urgent")
    many = tuple(topic(id=str(number), name=f"Topic {number}") for number in range(MOST_TOPICS))
    heading = html(found(item(), matches=(), topics=(urgent, *many))).splitlines()[0]
    assert heading == "<b>❗ Air raid · Topic 0 · Topic 1 · Topic 2 · Topic 3 · Topic 4 · …</b>"


def test_the_urgent_topics_of_an_alert_come_first() -> None:
    urgent, low = (topic(id=one, name=one, priority=one) for one in ("urgent", "low"))
    shown = html(found(item(), matches=(), topics=(low, topic(), urgent))).splitlines()[0]
    assert shown == "<b>❗ urgent · Topic · low</b>"


def test_a_digest_files_a_story_under_its_urgent_topic_first_and_marked() -> None:
    urgent, low = (topic(id=one, name=one, priority=one) for one in ("urgent", "low"))
    alerts = [found(item("One")), found(item("Two"), topics=(low, urgent)), found(item("Three"))]
    [message] = digest(alerts, chat(), NOW)
    lines = message.html.splitlines()
    assert lines[2:] == [
        "<b>❗ urgent</b>",
        "• Two — Example News · just now",
        "",
        "<b>Starlink</b>",
        "• One — Example News · just now",
        "• Three — Example News · just now",
    ]


def test_an_article_is_previewed_and_a_post_is_not() -> None:
    one = item(url="https://example.com/a")
    assert alert(found(one), chat=chat(), now=NOW).preview == "https://example.com/a"
    assert alert(found(one, source=source(kind="channel")), chat=chat(), now=NOW).preview is None
    for url in (None, "javascript:alert(1)"):
        assert alert(found(item(url=url)), chat=chat(), now=NOW).preview is None


def test_a_long_sentence_is_cut_around_the_words_that_matched() -> None:
    one = item("News", "word " * 400 + "the Starlink terminal " + "tail " * 400)
    shown = next(
        line for line in html(found(one, "Starlink")).splitlines() if "Starlink</b> terminal" in line
    )
    assert shown.startswith("…word ")
    assert shown.endswith("tail…")
    assert 400 < utf16_length(parse(shown)[0]) <= 500


def test_a_long_sentence_that_matches_early_is_cut_at_its_end() -> None:
    one = item("News", "The Starlink terminal " + "tail " * 400)
    assert "\nThe <b>Starlink</b> terminal tail" in html(found(one, "Starlink"))


def test_words_in_bold_leave_room_for_the_links_among_telegrams_entities() -> None:
    one = item(
        "a " * 140, "a " * 200 + ".\n" + "a " * 200, forwarded_from="X", forwarded_url="https://t.me/x"
    )
    places = [Evidence("title", at, at + 1, "a", "exact") for at in range(0, 280, 2)]
    places += [Evidence("text", at, at + 1, "a", "exact") for at in range(0, 400, 2)]
    markup = html(found(one, matches=(Match("starlink", 9, tuple(places)),)))
    assert "X" in stretches(markup, "text_link")
    assert len(stretches(markup, "bold")) < 90


def test_right_to_left_names_do_not_reorder_the_line() -> None:
    one = item("هدنة جديدة", "شيء آخر.", url="https://example.com/")
    markup = html(found(one, "title:هدنة", source=source(name="أخبار")))
    assert '<a href="https://example.com/">\u2068<b>هدنة</b> جديدة\u2069</a>' in markup
    assert "\n\u2068أخبار\u2069\n" in markup


def test_a_digest_lists_stories_by_topic() -> None:
    first = found(item("One", url="https://example.com/1", published=NOW - timedelta(hours=2)))
    other = found(item("Two", url="https://example.com/2"), topics=(PAUSE,), source=source(official=True))
    third = found(item("Three"))
    [message] = digest([first, other, third], chat(), NOW)
    assert message.html == (
        "<b>3 stories</b>\n\n"
        "<b>Starlink</b>\n"
        '• <a href="https://example.com/1">One</a> — Example News · 2 hr. ago\n'
        "• Three — Example News · just now\n\n"
        "<b>Ceasefires</b>\n"
        '• <a href="https://example.com/2">Two</a> — 🏛 Example News (official) · just now'
    )


def test_a_long_digest_is_several_messages_and_loses_nothing() -> None:
    alerts = [
        found(item(f"Story number {number} " + "x" * 120, url="https://example.com/")) for number in range(90)
    ]
    messages = digest(alerts, chat(), NOW)
    texts = [parse(message.html)[0] for message in messages]
    assert len(messages) > 1
    assert all(utf16_length(text) <= 4096 for text in texts)
    assert all(any(f"Story number {number} " in text for text in texts) for number in range(90))


def test_a_digest_of_nothing_is_no_message() -> None:
    assert digest([], chat(), NOW) == []
    [message] = digest([found(item("Free"), matches=(), topics=())], chat(), NOW)
    assert "• Free — Example News" in message.html


def test_an_item_is_one_line() -> None:
    line = item_line(
        item("", "First line.\nSecond line."), source(), chat=chat(language="uk"), found=NOW, now=NOW
    )
    assert line == "• First line. — Example News · щойно"


def test_others_who_report_the_story_are_named_and_who_confirms_it_is_marked() -> None:
    def report(name: str, *, official: bool = False) -> Report:
        return Report(source(name, name=name, official=official), f"https://example.org/{name}", None)

    one = Alert(item("Talks begin"), source(), (), (), None, NOW)
    told = replace(one, reports=(report("Wire"), report("Ministry", official=True), report("Radio")))
    shown = plain(alert(told, chat=chat(), now=NOW).html).replace("\u2068", "").replace("\u2069", "")
    assert "✅ confirmed by an official source: Ministry" in shown
    assert "also reported by Wire, Radio" in shown
    by_office = replace(told, source=source(official=True))
    shown = plain(alert(by_office, chat=chat(), now=NOW).html)
    assert "confirmed" not in shown
    many = replace(one, reports=tuple(report(f"{number}" + "x" * 200) for number in range(9)))
    shown = plain(alert(many, chat=chat(), now=NOW).html)
    assert shown.count("xx…") == 5
