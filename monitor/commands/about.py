"""What the bot can do, and how it is doing: /help, /status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from monitor import zones
from monitor.commands import topics
from monitor.commands.desk import ECHO, Call, Command, listing
from monitor.commands.rhythms import how
from monitor.markup import Safe
from monitor.model import Message, Place, Reply, SourceState, Subscription, Topic
from monitor.prose import clip
from monitor.render import ago, clock_time
from monitor.store import Database, chats, feedback, items, outbox, watches
from monitor.store import sources as sources_table

A_DAY = timedelta(days=1)
MOST_BLAMED = 5  # topics
BLAME_UNITS = 80  # UTF-16 units of keywords
MOST_LINES = 20  # on when a chat and its topics are told


async def help_(call: Call) -> Reply:
    """List the commands, or say what one of them does."""
    listed = [command for command in call.desk.commands.values() if command.listed]
    if call.argument:
        name = call.argument.removeprefix("/").casefold()
        lines = _explained(call, (one for one in listed if one.name == name))
        text = Safe(lines[0]) if lines else call.say("refusal.unknown_command", name=clip(name, ECHO))
        return Reply(Message(text))
    lines = [call.say("help.heading"), "", *_explained(call, (one for one in listed if one.who != "admin"))]
    if call.desk.is_admin(call.request.user_id):
        admins = _explained(call, (one for one in listed if one.who == "admin"))
        lines += ["", call.say("help.admins"), *admins]
    return Reply(Message(Safe("\n".join(lines))))


def _explained(call: Call, commands: Iterable[Command]) -> list[str]:
    return [f"/{command.name} — {call.say(f'help.{command.name}')}" for command in commands]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of how things go."""

    mine: Mapping[str, Subscription]  # by topic id
    own: Sequence[Topic]  # the chat's watches
    states: Mapping[str, SourceState]
    found: int
    matched: int
    outbox: Mapping[str, int]
    chats: Mapping[str, int]
    blame: Mapping[str, Mapping[str, int]]  # what was not relevant, by topic id and keyword
    irrelevant: Mapping[str, int]  # stories that were not, by topic id


async def status(call: Call) -> Reply:
    """Say what the chat hears of, and prove that the system is alive."""
    now = call.desk.clock.now()
    facts = await call.desk.store.read(partial(_facts, place=call.place, since=now - A_DAY))
    lines = [
        _mine(call, facts),
        *_lost(call, facts),
        *_when(call, facts, now),
        *_sources(call, facts, now),
        *_work(call, facts, now),
        *_blamed(call, facts),
    ]
    if call.desk.is_admin(call.request.user_id):
        active, pending = (facts.chats.get(status, 0) for status in ("active", "pending"))
        lines.append(call.say("status.chats", active=active, pending=pending))
    return Reply(Message(Safe("\n".join(lines))))


def _facts(db: Database, place: Place, since: datetime) -> Facts:
    found, matched = items.count_since(db, since)
    return Facts(
        mine=chats.subscriptions(db, place),
        own=watches.of(db, place.chat_id),
        states=sources_table.standings(db),
        found=found,
        matched=matched,
        outbox=outbox.count(db),
        chats=chats.count(db),
        blame=feedback.blame(db),
        irrelevant=feedback.irrelevant_stories(db),
    )


def _blamed(call: Call, facts: Facts) -> list[Safe]:
    """Return which topics found what was not relevant: the chat's, to an admin of the bot all of them."""
    admin = call.desk.is_admin(call.request.user_id)
    names = {topic.id: topic.name for topic in (*call.desk.topics.values(), *facts.own)}
    worst = sorted(facts.irrelevant, key=lambda topic_id: -facts.irrelevant[topic_id])
    shown = [topic_id for topic_id in worst if topic_id in names and (admin or topic_id in facts.mine)]
    return [
        call.say(
            "status.irrelevant",
            name=clip(names[topic_id], ECHO),
            times=facts.irrelevant[topic_id],
            keywords=blame_text(facts.blame.get(topic_id, {})),
        )
        for topic_id in shown[:MOST_BLAMED]
    ]


def blame_text(blame: Mapping[str, int]) -> str:
    """Return keywords with how often they found what was not relevant: "starlink 3, terminal 1"."""
    return listing((f"{keyword} {times}" for keyword, times in blame.items()), BLAME_UNITS)


def _mine(call: Call, facts: Facts) -> Safe:
    heard = (*call.desk.topics.values(), *facts.own)
    names = [topic.name for topic in heard if topic.id in facts.mine]
    zone = zones.shown(call.chat.timezone)
    if not names:
        return call.say("status.nothing", zone=zone)
    return call.say("status.you", names=listing(names), zone=zone)


def _lost(call: Call, facts: Facts) -> list[Safe]:
    """Return a line on the topics that the chat wants to hear of and that are in the config no more."""
    names = [topic.name for topic in topics.lost(facts.mine, facts.own, call.desk.topics)]
    return [call.say("status.lost", names=listing(names))] if names else []


def _when(call: Call, facts: Facts, now: datetime) -> list[Safe]:
    """Return when the chat wants to be told, as far as that is not always and at once."""
    chat, lines = call.chat, []
    if chat.muted and chat.muted > now:
        lines.append(call.say("status.muted", time=clock_time(chat.muted, chat, now, exact=True)))
    if chat.quiet:
        lines.append(call.say("status.quiet", hours=chat.quiet))
    if chat.rhythm.every != "off":
        lines.append(call.say("status.rhythm", how=how(call, chat.rhythm)))
    for topic in (*call.desk.topics.values(), *facts.own):
        said = _of_topic(call, facts.mine[topic.id], now) if topic.id in facts.mine else []
        if said and len(lines) < MOST_LINES:
            lines.append(call.say("status.topic", name=clip(topic.name, ECHO), facts=Safe("; ".join(said))))
    return lines


def _of_topic(call: Call, own: Subscription, now: datetime) -> list[Safe]:
    said = []
    if own.muted and own.muted > now:
        said.append(call.say("status.topic_muted", time=clock_time(own.muted, call.chat, now, exact=True)))
    if own.rhythm:
        said.append(how(call, own.rhythm))
    if own.silent:
        said.append(call.say("status.topic_silent"))
    return said


def _sources(call: Call, facts: Facts, now: datetime) -> list[Safe]:
    configured = call.desk.sources()
    states = [facts.states[source.id] for source in configured if source.id in facts.states]
    polled = [state.polled for state in states if state.polled]
    failing = sum(bool(state.failures) for state in states)
    lines = [call.say("status.sources", count=len(configured), failing=failing)]
    if polled:
        lines.append(call.say("status.polled", ago=ago(max(polled), call.chat.language, now)))
    return lines


def _work(call: Call, facts: Facts, now: datetime) -> list[Safe]:
    vitals = call.desk.vitals()
    waiting = facts.outbox.get("queued", 0) + facts.outbox.get("claimed", 0)
    return [
        call.say("status.day", count=facts.found, matched=facts.matched),
        call.say("status.outbox", waiting=waiting, dead=facts.outbox.get("dead", 0)),
        call.say("status.up", version=vitals.version, ago=ago(vitals.started, call.chat.language, now)),
    ]
