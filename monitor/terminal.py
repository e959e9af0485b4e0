"""What the command line shows: in colour where a terminal is there, as plain text elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from monitor.backtest import Day, Hit
from monitor.config import Config
from monitor.health import MARKS, moved, status_of
from monitor.matching import NEAR, Explanation
from monitor.model import Evidence, Item, Match, Source, SourceState, Topic
from monitor.pipeline import Outcome
from monitor.render import ago, span, sparkline
from monitor.sources.telegram_gaps import gap_ranges, read_gaps
from monitor.store.feedback import Use
from monitor.stories import headline

COLOURS = {"ok": "bold green", "quiet": "bold green", "failing": "bold red", "gone": "bold red"}
"""Of the statuses of sources; the others are yellow."""

STANDARD = Path("-")
"""How the standard input and output are named where a file is expected."""

Standing = tuple[Source, SourceState, Sequence[int]]
"""A source, how it stands, and how many items it had on each of the last days."""

AROUND = 60  # characters shown on each side of a hit
BAR = 30  # characters of the longest bar
WIDE = 1000  # columns of a pipe, in which no line is folded
WORST = 5  # keywords shown of those that found what was not relevant
SAMPLES = 10  # alerts shown in full
EVIDENCE = 3  # stretches shown of each
NEAREST = 5  # topics shown of those that came near


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[object], None]]:
    """Show a bar while work goes on, if a terminal is there; yields what is called after each step."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda _: bar.advance(task)


def named(file: Path) -> str:
    """Return how a file that is read is called in a message."""
    return "the standard input" if file == STANDARD else str(file)


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: "1 source", "2 sources"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def news(outcomes: Sequence[Outcome], names: Mapping[str, str], config: Config) -> None:
    """Show what a round of polls brought: the new items by source, and what failed."""
    console = _console()
    topics = {topic.id: topic.name for topic in config.topics}
    for outcome in outcomes:
        heading = Text(names[outcome.source_id], style="bold")
        if outcome.error:
            console.print(heading.append(f"  failed: {outcome.error}", style="not bold red"))
        if not outcome.error or outcome.new or outcome.edited:
            console.print(_counts(outcome) if outcome.error else heading.append(_counts(outcome)))
        for note in outcome.notes:
            console.print(Text(f"  note: {note}", style="yellow"))
        for item, matches in (*outcome.new, *outcome.edited):
            line = Text(f"  {headline(item) or item.url or '(without words)'}")
            line.append(" (edited)" if (item, matches) in outcome.edited else "", style="dim")
            for match in matches:
                line.append(f"  [{topics.get(match.topic_id, match.topic_id)}]", style="green")
            console.print(line)
    total = sum(len(outcome.new) for outcome in outcomes)
    failed = sum(bool(outcome.error) for outcome in outcomes)
    asked = sum(outcome.asked for outcome in outcomes)
    left = f", {len(outcomes) - asked} not asked" if asked < len(outcomes) else ""
    console.print(f"{counted(asked, 'source')} polled, {counted(total, 'new item')}, {failed} failed{left}.")


def _counts(outcome: Outcome) -> Text:
    """Return how much a poll brought."""
    if not outcome.asked:
        return Text("  not asked", style="not bold dim")
    count = f"  {len(outcome.new)} new, {outcome.matched} on a topic"
    count += f", {len(outcome.edited)} edited" if outcome.edited else ""
    note = " (the baseline: nobody is alerted of it)" if outcome.baseline else ""
    return Text(f"{count}{note}", style="not bold dim")


def explained(item: Item, explanations: Iterable[Explanation], topics: Mapping[str, Topic]) -> None:
    """Show which topics an item matched and where, and what the others lacked that came near."""
    console = _console()
    found = [one for one in explanations if one.match]
    near = [one for one in explanations if not one.match and one.nearness >= NEAR]
    if not found:
        console.print("No topic matches.")
    for one in found:
        if one.match:
            heading = Text(f"{topics[one.topic_id].name} ({one.topic_id})", style="bold green")
            console.print(heading, f"score {score(one.match)}")
            for line in _lines(item, one.match.evidence, console):
                console.print(line)
    for one in near[:NEAREST]:
        console.print(Text(f"not {topics[one.topic_id].name} ({one.topic_id})", style="bold yellow"))
        for reason in one.missing:
            console.print(Text(f"  {reason}", style="dim"))
    if near[NEAREST:]:
        console.print(Text(f"{counted(len(near[NEAREST:]), 'other topic')} came no nearer.", style="dim"))


def score(match: Match) -> str:
    """Return a score with at most one decimal."""
    return f"{round(match.score, 1):g}"


def quoted(item: Item, evidence: Evidence, times: int = 1, *, marked: bool = False) -> Text:
    """Return the stretch that matched between what stands around it, how it matched, and how often.

    The stretch stands out by colour, or, where there is none, `marked` by brackets.
    """
    text, start, end = getattr(item, evidence.field), evidence.start, evidence.end
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    line = Text("  …" if start > AROUND else "  ")
    line.append(" ".join(before.split("\n")), style="dim")
    hit = " ".join(text[start:end].split("\n"))
    line.append(f"[{hit}]" if marked else hit, style="bold yellow")
    line.append(" ".join(after.split("\n")), style="dim")
    line.append("…" if end + AROUND < len(text) else "")
    again = f", {times} times" if times > 1 else ""
    return line.append(f"  ({evidence.how}: {evidence.keyword}{again})", style="cyan")


def forecast(days: Sequence[Day], hits: Sequence[Hit], names: Mapping[str, str], total: int) -> None:
    """Show how many alerts a day topics would have brought, of `total` items, and the latest of them."""
    console = _console()
    most = max((day.alerts for day in days), default=0)
    for day in days:
        bar = "█" * round(BAR * day.alerts / most) if most else ""
        line = Text(f"{day.date}  ").append(f"{bar:<{BAR}}", style="green")
        console.print(line.append(f" {counted(day.alerts, 'alert'):>11}, {counted(day.items, 'item')}"))
    items, alerts = (sum(getattr(day, what) for day in days) for what in ("items", "alerts"))
    share = f"{alerts / len(days):.1f} a day" if days else "no day was looked at"
    console.print(f"\n{counted(items, 'item')} matched, {alerts} would have been sent: {share}.")
    console.print(f"{counted(total, 'item')} of that time {'is' if total == 1 else 'are'} stored.")
    for hit in [hit for hit in reversed(hits) if hit.alert][:SAMPLES]:
        console.print(Text(f"\n{hit.when:%Y-%m-%d %H:%M} {hit.found.source.name}", style="dim"))
        console.print(Text(headline(hit.found.item), style="bold"))
        for match in hit.matches:
            name = names.get(match.topic_id, match.topic_id)
            console.print(Text(f"  {name}, score {score(match)}", style="green"))
            for line in _lines(hit.found.item, match.evidence, console)[:EVIDENCE]:
                console.print(line)


def roll(standings: Iterable[Standing], now: datetime) -> None:
    """Show how each source does and how it publishes, and how many do how."""
    console, counts = _console(), Counter[str]()
    for source, state, daily in standings:
        status = status_of(source, state, now)
        counts[status] += 1
        line = Text(f"{status:<8} ", style=COLOURS.get(status, "yellow"))
        line.append(f"{source.id}  ", style="not bold cyan").append(source.name, style="not bold default")
        line.append("  (official)" if source.official else "", style="not bold blue")
        line.append(
            "" if source.added_by is None else f"  (added by {source.added_by})", style="not bold blue"
        )
        address = f"@{source.address}" if source.kind == "channel" else source.address
        console.print(line.append(f"  {address}", style="not bold dim"))
        if known := "  ".join(filter(None, [sparkline(daily), *_rhythm(state, now)])):
            console.print(Text(f"{' ' * 9}{known}", style="dim"))
        if state.error:
            console.print(Text(f"{' ' * 9}{state.error}", style="red"))
        if there := moved(source, state):
            told = f"moved for good to {there}: give it that address in the config"
            console.print(Text(f"{' ' * 9}{told}", style="yellow"))
        if missing := gap_ranges(read_gaps(state.cursor.gaps)):
            console.print(Text(f"{' ' * 9}missing posts: {missing}", style="yellow"))
    told = ", ".join(f"{counts[status]} {status}" for status in MARKS if counts[status])
    console.print(f"{counted(counts.total(), 'source')}: {told}." if told else "There are no sources.")


def _rhythm(state: SourceState, now: datetime) -> list[str]:
    """Return what is known of how a source publishes, in words."""
    told = [f"newest {ago(state.newest, 'en', now)}"] if state.newest else []
    if state.usual is not None:
        told.append(f"usually every {span(state.usual, 'en')}")
    if state.failures:
        told.append(f"failed {state.failures} times in a row" if state.failures > 1 else "failed once")
    return [", ".join(told)] if told else []


def topics_table(config: Config, uses: Mapping[str, Use], days: int) -> None:
    """Show the topics: where each comes from, what it finds a day, and what readers found not relevant."""
    table = Table(box=None, pad_edge=False)
    for name in ("topic", "from", "keywords", "a day", "not relevant"):
        table.add_column(name, justify="right" if name in {"keywords", "a day"} else "left", overflow="fold")
    for topic in config.topics:
        use = uses.get(topic.id, Use())
        table.add_row(
            Text(topic.id, style="bold"),
            "pack" if topic.id in config.packs else "config",
            str(len(topic.keywords)) + (" + query" if topic.query else ""),
            f"{use.stories / days:.1f}",
            Text(_blame(use)),
        )
    _console().print(table)


def _blame(use: Use) -> str:
    """Return what readers found not relevant, and because of which keywords."""
    if not use.irrelevant:
        return "-"
    worst = [f"{keyword} {times}" for keyword, times in list(use.blame.items())[:WORST]]
    more = ", …" if len(use.blame) > WORST else ""
    return f"{use.irrelevant} ({', '.join(worst)}{more})" if worst else str(use.irrelevant)


class _Output(Console):
    """The standard output as a command line wants it: a closed pipe is for its caller to judge."""

    def on_broken_pipe(self) -> None:
        """Raise what Rich would end the process for."""
        raise BrokenPipeError


def _console() -> Console:
    """Return the standard output: lines are folded where a terminal shows them, and stay whole in a pipe."""
    terminal = Console().is_terminal
    return _Output(highlight=False, soft_wrap=not terminal, width=None if terminal else WIDE)


def _lines(item: Item, evidence: Iterable[Evidence], console: Console) -> list[Text]:
    """Return the stretches that matched: of what a keyword finds again and again the first, and how often."""
    marked = console.no_color or console.color_system is None
    alike: dict[tuple[str, str, str], list[Evidence]] = {}
    for one in evidence:
        words = getattr(item, one.field)[one.start : one.end].casefold()
        alike.setdefault((one.keyword, one.how, words), []).append(one)
    return [quoted(item, first, len(others) + 1, marked=marked) for first, *others in alike.values()]
