"""What the command line shows: in colour where a terminal is there, as plain text elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from monitor.backtest import Day, Hit
from monitor.config import Config
from monitor.matching import Explanation
from monitor.model import Evidence, Item, Topic
from monitor.pipeline import Outcome
from monitor.stories import headline

AROUND = 60  # characters shown on each side of a hit
NEAR = 0.5  # nearness from which it is worth saying what a topic lacked
BAR = 30  # characters of the longest bar
SAMPLES = 10  # alerts shown in full
EVIDENCE = 3  # stretches shown of each


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[object], None]]:
    """Show a bar while work goes on, if a terminal is there; yields what is called after each step."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda _: bar.advance(task)


def news(outcomes: Sequence[Outcome], config: Config) -> None:
    """Show what a round of polls brought: the new items by source, and what failed."""
    console = Console(highlight=False)
    names = {source.id: source.name for source in config.sources}
    topics = {topic.id: topic.name for topic in config.topics}
    for outcome in outcomes:
        heading = Text(names[outcome.source_id], style="bold")
        if outcome.error:
            console.print(heading.append(f"  failed: {outcome.error}", style="not bold red"))
            continue
        count = f"{len(outcome.new)} new, {outcome.matched} on a topic"
        note = " (the baseline: nobody is alerted of it)" if outcome.baseline else ""
        console.print(heading.append(f"  {count}{note}", style="not bold dim"))
        for item, matches in outcome.new:
            line = Text(f"  {headline(item)}")
            for match in matches:
                line.append(f"  [{topics[match.topic_id]}]", style="green")
            console.print(line)
    total = sum(len(outcome.new) for outcome in outcomes)
    failed = sum(bool(outcome.error) for outcome in outcomes)
    console.print(f"{len(outcomes)} sources polled, {total} new items, {failed} failed.")


def explained(item: Item, explanations: Iterable[Explanation], topics: Mapping[str, Topic]) -> None:
    """Show which topics an item matched and where, and what the others lacked that came near."""
    console = Console(highlight=False)
    found = [one for one in explanations if one.match]
    near = [one for one in explanations if not one.match and one.nearness >= NEAR]
    if not found:
        console.print("No topic matches.")
    for one in found:
        if one.match:
            heading = Text(f"{topics[one.topic_id].name} ({one.topic_id})", style="bold green")
            console.print(heading, f"score {one.match.score:g}")
            for evidence in one.match.evidence:
                console.print(quoted(item, evidence))
    for one in near:
        console.print(Text(f"not {topics[one.topic_id].name} ({one.topic_id})", style="bold yellow"))
        for reason in one.missing:
            console.print(Text(f"  {reason}", style="dim"))


def quoted(item: Item, evidence: Evidence) -> Text:
    """Return the stretch that matched between what stands around it, and how it matched."""
    text, start, end = getattr(item, evidence.field), evidence.start, evidence.end
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    line = Text("  …" if start > AROUND else "  ")
    line.append(" ".join(before.split("\n")), style="dim")
    line.append(text[start:end], style="bold yellow")
    line.append(" ".join(after.split("\n")), style="dim")
    line.append("…" if end + AROUND < len(text) else "")
    return line.append(f"  [{evidence.how}: {evidence.keyword}]", style="cyan")


def forecast(days: Sequence[Day], hits: Sequence[Hit], names: Mapping[str, str]) -> None:
    """Show how many alerts a day topics would have brought, and the latest of them."""
    console = Console(highlight=False)
    most = max((day.alerts for day in days), default=0)
    for day in days:
        bar = "█" * round(BAR * day.alerts / most) if most else ""
        line = Text(f"{day.date}  ").append(f"{bar:<{BAR}}", style="green")
        console.print(line.append(f" {day.alerts:>4} alerts, {day.items} items"))
    alerts = [hit for hit in hits if hit.alert]
    share = len(alerts) / len(days) if days else 0
    console.print(f"\n{len(hits)} items matched, {len(alerts)} would have been alerts: {share:.1f} a day.")
    for hit in reversed(alerts[-SAMPLES:]):
        console.print(Text(f"\n{hit.when:%Y-%m-%d %H:%M} {hit.found.source.name}", style="dim"))
        console.print(Text(headline(hit.found.item), style="bold"))
        for match in hit.matches:
            console.print(
                Text(f"  {names.get(match.topic_id, match.topic_id)}, score {match.score:g}", style="green")
            )
            for evidence in match.evidence[:EVIDENCE]:
                console.print(quoted(hit.found.item, evidence))
