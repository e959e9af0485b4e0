"""What a chat reads: an alert, a digest, an entry of a list, as Telegram HTML.

An alert answers in this order: what was watched for, what was said, who said it, when.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from babel import Locale
from babel.dates import format_datetime, format_timedelta

from monitor import hours
from monitor.markup import Safe, escape, is_web, isolated, link, split
from monitor.model import PRIORITIES, Alert, Change, Chat, Evidence, Item, Message, Source, Topic
from monitor.phrases import say, spoken
from monitor.prose import ELLIPSIS, clip, letter_start, reach, sentences, tidy, utf16_len, word_start

TITLE_UNITS = 300
PASSAGE_UNITS = 500
NAME_UNITS = 120
MOST_TOPICS = 6
MOST_PASSAGES = 3
MOST_MARKS = 20
MOST_CHANGES = 4
CHANGE_UNITS = 80
MOST_OTHERS = 5  # sources that reported the same
OTHER_UNITS = 60  # of the name of each
"""With these limits an alert stays under Telegram's 4096 units and 100 entities, whatever the item is."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before the Web there was no feed: an older date is the zero of somebody's software, so no date at all."""

BARS = "▁▂▃▄▅▆▇█"

SKEW = timedelta(minutes=5)
"""How far ahead of ours a publisher's clock may run before its time is not believed."""

_Span = tuple[int, int]


def alert(alert: Alert, *, chat: Chat, now: datetime) -> Message:
    """Return an alert as a message in the chat's language and time zone.

    It is silent when every topic has the priority "low". Only an article of a feed has its link
    previewed: a channel's post stands in the message already.
    """
    item, source = alert.item, alert.source
    shown = {match.topic_id: match for match in alert.matches}.values()
    evidence = [found for match in shown for found in match.evidence]
    headline, passages = _told(item, [match.evidence for match in shown], evidence, chat.language)
    who = [_source(source, chat.language), *_provenance(item, chat.language)]
    when = [_when(item, alert.found, chat, now), *_language(alert.language, chat.language)]
    blocks = ["\n".join([*_heading(alert, chat.language), headline]), *passages]
    blocks += ["\n".join(changed)] if (changed := _changes(alert, chat.language)) else []
    blocks.append("\n".join([" · ".join(who), *_others(alert, chat.language), " · ".join(when)]))
    return Message(
        html="\n\n".join(blocks),
        silent=_silent([alert]),
        preview=item.url if source.kind == "feed" and item.url and is_web(item.url) else None,
    )


def digest(
    alerts: Sequence[Alert], chat: Chat, now: datetime, heading: str = "digest.heading"
) -> list[Message]:
    """Return several alerts as one list grouped by topic, in as few messages as hold it; [] for none.

    The urgent topics come first. `heading` is the phrase that stands above it.
    """
    if not alerts:
        return []
    blocks: list[str] = [say(chat.language, heading, count=len(alerts))]
    for name, group in _by_topic(alerts, chat.language):
        lines = [item_line(one.item, one.source, chat=chat, found=one.found, now=now) for one in group]
        blocks += ["", f"<b>{name}</b>\n{lines[0]}", *lines[1:]]
    return [Message(html=html, silent=_silent(alerts)) for html in split(blocks)]


def item_line(item: Item, source: Source, *, chat: Chat, found: datetime, now: datetime) -> Safe:
    """Return an item as one entry of a list: its title as a link, its source, how long ago."""
    label, _ = _headline(item, [], chat.language, units=TITLE_UNITS // 2)
    moment, _ = _moment(item, found, now)
    when = ago(moment, chat.language, now)
    return say(chat.language, "list.item", title=label, source=_source(source, chat.language), ago=when)


def _silent(alerts: Iterable[Alert]) -> bool:
    """Tell whether alerts are on topics of low priority only."""
    return {topic.priority for alert in alerts for topic in alert.topics} == {"low"}


def _by_topic(alerts: Iterable[Alert], language: str) -> Iterable[tuple[str, list[Alert]]]:
    """Return alerts by the name of the most pressing topic of each, those on urgent topics first."""
    groups: dict[tuple[int, str], list[Alert]] = {}
    for one in alerts:
        first = next(iter(_ranked(one.topics)), None)
        place = (_rank(first), _topic(first, language)) if first else (len(PRIORITIES), "")
        groups.setdefault(place, []).append(one)
    return [(place[1], groups[place]) for place in sorted(groups, key=lambda place: place[0])]


def _ranked(topics: Iterable[Topic]) -> list[Topic]:
    """Return topics with the urgent ones first."""
    return sorted(topics, key=_rank)


def _rank(topic: Topic) -> int:
    return PRIORITIES.index(topic.priority)


def _topic(topic: Topic, language: str) -> Safe:
    """Return the name of a topic, marked if it is urgent."""
    name = _name(topic.name)
    return say(language, "alert.urgent", topic=name) if topic.priority == "urgent" else name


def _heading(alert: Alert, language: str) -> list[str]:
    """Return the line of topics, if there are any, the urgent ones first and marked."""
    names = [_topic(topic, language) for topic in _ranked(alert.topics)[:MOST_TOPICS]]
    more = [ELLIPSIS] if len(alert.topics) > MOST_TOPICS else []
    return [f"<b>{' · '.join([*names, *more])}</b>"] if names else []


def _told(
    item: Item, by_match: Iterable[Sequence[Evidence]], evidence: Sequence[Evidence], language: str
) -> tuple[str, list[str]]:
    """Return what an item says: its headline as a link, and the sentences that matched.

    Where only the title matched, the first sentence of the text follows it, as it tells what happened.
    """
    headline, told = _headline(item, evidence, language, units=TITLE_UNITS)
    text = tidy(item.text)
    spans = sentences(text)
    best = {_best(spans, [found for found in found_by if found.field == "text"]) for found_by in by_match}
    chosen = sorted(place for place in best if place is not None)[:MOST_PASSAGES]
    if not chosen and spans and item.title.strip():
        chosen = [0]
    shown = [spans[place] for place in chosen if not _repeats(text[slice(*spans[place])], told)]
    marks = _marks(evidence, "text")
    return headline, [_passage(text, span, marks, PASSAGE_UNITS) for span in shown]


def _headline(item: Item, evidence: Sequence[Evidence], language: str, *, units: int) -> tuple[Safe, str]:
    """Return the title, or a post's first sentence, as a link, and the plain text of it."""
    title, text = tidy(item.title).replace("\n", " "), tidy(item.text)
    if title.strip():
        told, span, marks = title, (0, len(title)), _marks(evidence, "title")
    elif first := sentences(text)[:1]:
        told, span, marks = text, first[0], _marks(evidence, "text")
    else:
        return link(item.url, say(language, "alert.untitled")), ""
    return link(item.url, _passage(told, span, marks, units)), told[slice(*span)]


def _repeats(sentence: str, headline: str) -> bool:
    """Tell whether a sentence says no more than the headline above it."""
    return sentence.casefold().rstrip(".… ") in headline.casefold()


def _best(spans: Sequence[_Span], evidence: Iterable[Evidence]) -> int | None:
    """Return the place of the sentence that holds most of a match's evidence, the first of equals."""
    starts = [start for start, _ in spans]
    counts = Counter(max(bisect_right(starts, found.start) - 1, 0) for found in evidence)
    return min(counts, key=lambda place: (-counts[place], place)) if spans and counts else None


def _marks(evidence: Iterable[Evidence], field: str) -> list[_Span]:
    """Return where evidence lies in a field, in order, with what overlaps or touches joined."""
    merged: list[_Span] = []
    for start, end in sorted((found.start, found.end) for found in evidence if found.field == field):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _passage(text: str, span: _Span, marks: Sequence[_Span], units: int) -> Safe:
    """Return a stretch of a text with the marks in bold, cut to `units` around the first of them."""
    inside = [mark for mark in marks if span[0] < mark[1] and mark[0] < span[1]]
    start, end = _window(text, span, inside[:1], units)
    markup, place = "", start
    for mark in inside[:MOST_MARKS]:
        left, right = max(mark[0], start), min(mark[1], end)
        if left < right:
            markup += f"{escape(text[place:left])}<b>{escape(text[left:right])}</b>"
            place = right
    markup += escape(text[place:end])
    before, after = ELLIPSIS if start > span[0] else "", ELLIPSIS if end < span[1] else ""
    return isolated(text[start:end], f"{before}{markup}{after}")


def _window(text: str, span: _Span, first: Sequence[_Span], units: int) -> _Span:
    """Return the part of a stretch that fits into `units` and shows the first mark with what precedes it."""
    start, end = span
    room = units - 2 * len(ELLIPSIS)
    if utf16_len(text[start:end]) <= units:
        return span
    if first and first[0][1] > start + reach(text[start:end], room):
        early = letter_start(text, max(start, first[0][0] - room // 4))
        spaces = [place for place in range(early, first[0][0]) if text[place].isspace()]
        start = spaces[0] + 1 if spaces else early
    piece = text[start:end]
    return start, start + len(piece[: word_start(piece, reach(piece, room))].rstrip())


def _name(name: str, units: int = NAME_UNITS) -> Safe:
    """Return a name from outside, cut to the length that a name may have."""
    return isolated(clip(tidy(name).replace("\n", " "), units))


def _source(source: Source, language: str) -> Safe:
    """Return who reports, the official ones marked."""
    return say(language, "alert.official" if source.official else "alert.source", source=_name(source.name))


def _others(alert: Alert, language: str) -> list[Safe]:
    """Return who told the same story: others that are official, where its source is not, and the rest."""
    shown = sorted(alert.reports, key=lambda report: not report.source.official)[:MOST_OTHERS]
    confirm = [one for one in shown if one.source.official and not alert.source.official]
    rest = [one for one in shown if one not in confirm]
    lines = []
    for phrase, reports in (("alert.confirmed", confirm), ("alert.also", rest)):
        if reports:
            more = ELLIPSIS if phrase == "alert.also" and len(alert.reports) > MOST_OTHERS else ""
            names = ", ".join(link(one.url, _name(one.source.name, OTHER_UNITS)) for one in reports)
            lines.append(say(language, phrase, sources=Safe(f"{names}{more}")))
    return lines


def _provenance(item: Item, language: str) -> list[Safe]:
    """Return where an item came from and whether it was changed, as far as its source says so."""
    told = []
    if item.forwarded_from:
        told.append(
            say(language, "alert.forwarded", origin=link(item.forwarded_url, _name(item.forwarded_from)))
        )
    if item.edited:
        told.append(say(language, "alert.edited"))
    return told


def _changes(alert: Alert, language: str) -> list[Safe]:
    """Return a line for each of the first changes of an edit: the words that are gone, and the new ones.

    Above them stands that the edit took the item off the topics that it is told on, where it did.
    """
    changes = [_change(change, language) for change in alert.changes[:MOST_CHANGES]]
    off = [say(language, "alert.off_topic", count=len(alert.topics))] if changes and not alert.matches else []
    return [*off, *changes]


def _change(change: Change, language: str) -> Safe:
    """Return one change; words that were only added or only removed are said to be so."""
    phrase = "changed" if change.old and change.new else "added" if change.new else "removed"
    old, new = (isolated(clip(tidy(words).replace("\n", " "), CHANGE_UNITS)) for words in change)
    return say(language, f"alert.{phrase}", old=old, new=new)


def _language(item_language: str | None, language: str) -> list[Safe]:
    """Return the name of an item's language, if it is known and not the chat's."""
    code = (item_language or "").replace("_", "-").partition("-")[0].lower()
    name = Locale.parse(spoken(language)).languages.get(code)
    return [say(language, "alert.language", language=name)] if name and code != spoken(language) else []


def _moment(item: Item, found: datetime, now: datetime) -> tuple[datetime, bool]:
    """Return when an item was published and True, or when it was found and False."""
    if item.published is None or not EARLIEST <= item.published <= now + SKEW:
        return found, False
    return item.published, True


def _when(item: Item, found: datetime, chat: Chat, now: datetime) -> Safe:
    """Return the time of an item in the chat's zone, with the date where it is not today, and its age."""
    moment, published = _moment(item, found, now)
    shown = clock_time(moment, chat, now)
    when = ago(moment, chat.language, now)
    return say(chat.language, "time.published" if published else "time.found", time=shown, ago=when)


def clock_time(moment: datetime, chat: Chat, now: datetime, *, exact: bool = False) -> str:
    """Return a moment by the clock of a chat, with the date where that is not today: "2 Feb, 08:00".

    Where it is `exact` its seconds are shown, if it has any.
    """
    zone = hours.zone(chat.timezone)
    local, today = moment.astimezone(zone), now.astimezone(zone)
    pattern = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
    if local.date() == today.date():
        pattern = "HH:mm"
    if exact and local.second:
        pattern = f"{pattern}:ss"
    return format_datetime(local, pattern, locale=spoken(chat.language))


def ago(moment: datetime, language: str, now: datetime) -> str:
    """Return how long ago a moment was, in whole minutes, hours or days: "5 min. ago".

    Less than a minute ago, and what is still to come, is "just now".
    """
    seconds = int((now - moment).total_seconds())
    for unit in (86_400, 3_600, 60):
        if seconds >= unit:
            whole = timedelta(seconds=-(seconds - seconds % unit))
            return format_timedelta(
                whole, threshold=1, add_direction=True, format="short", locale=spoken(language)
            )
    return say(language, "time.now")


def sparkline(counts: Sequence[int]) -> str:
    """Return counts as a row of bars, the tallest for the most; "" where there is nothing to count."""
    most = max(counts, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in counts) if most else ""


def span(length: timedelta, language: str, threshold: float = 1.5) -> str:
    """Return a length of time in whole minutes, hours or days, at least one minute: "2 hours".

    A larger unit is taken from `threshold` of it on.
    """
    minutes = max(length, timedelta(minutes=1))
    return format_timedelta(minutes, granularity="minute", threshold=threshold, locale=spoken(language))
