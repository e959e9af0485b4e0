"""How well the packs find their topics in labelled items: precision, recall and F1 by topic and language.

    python benchmarks/topics.py items.jsonl
    python benchmarks/topics.py items.jsonl --errors --texts --topic ceasefire

Each line of the file is a JSON object with `id`, `lang`, `title`, `text`, `topics` (ids of the packs that
the item is about) and, if wished, `maybe` (ids that count neither way). A pack that no line names in
either is left out, so that a file that was not labelled for it says nothing about it.

The packs see what the bot sees: the item without its language, unless `--language` hands it on as a
source that names its language would. `--half A` and `--half B` split the items by their ids, so that a
pack can be improved on one half and measured on the other. The exit code is 0 whatever the scores:
what is good enough is for the reader to say. It is 2 where there is no such file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from monitor.matching import Matcher, packs
from monitor.model import Item

SNIPPET = 160  # characters of an item that `--texts` shows


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled item."""

    id: str
    lang: str
    item: Item
    topics: frozenset[str]
    maybe: frozenset[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the matcher said about one topic of one item."""

    row: Row
    topic: str
    kind: str  # "tp", "fp", "fn"


@dataclass(frozen=True, slots=True)
class Score:
    """True positives, false positives and false negatives, and what follows from them."""

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        """Return the share of the matches that are right; 1 where there is none."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    @property
    def recall(self) -> float:
        """Return the share of the labels that were found; 1 where there is none."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall (C. J. van Rijsbergen 1979)."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0


def read(path: Path, half: str | None, *, language: bool) -> list[Row]:
    """Return the items of a file, or of one half of it, with their labels."""
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [_row(values, language=language) for values in lines if half in {None, half_of(values["id"])}]


def half_of(item_id: str) -> str:
    """Return "A" or "B" by an id's digest: the same half every time, whatever the order of the file."""
    return "AB"[sha256(item_id.encode()).digest()[0] % 2]


def _row(values: Mapping[str, object], *, language: bool) -> Row:
    """Return the item that a line holds."""
    lang = str(values["lang"])
    item = Item(
        source_id="labelled",
        key=str(values["id"]),
        title=str(values.get("title") or ""),
        text=str(values.get("text") or ""),
        language=lang if language else None,
    )
    topics, maybe = (frozenset(values.get(name) or ()) for name in ("topics", "maybe"))  # type: ignore[call-overload]  # lists, as the docstring says
    return Row(str(values["id"]), lang, item, topics, maybe)


def judge(rows: Iterable[Row]) -> Iterator[Verdict]:
    """Match every item and compare what was found with its labels."""
    rows = list(rows)
    known = packs()
    scored = {topic for row in rows for topic in row.topics | row.maybe} & known.keys()
    matcher = Matcher(known[topic] for topic in sorted(scored))
    for row in rows:
        found = {match.topic_id for match in matcher.match(row.item)}
        for topic in sorted((found | (row.topics & scored)) - row.maybe):
            kind = "fn" if topic not in found else "tp" if topic in row.topics else "fp"
            yield Verdict(row, topic, kind)


def scores(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], Score]:
    """Return the scores by topic and language; "all" stands for all of either."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for verdict in verdicts:
        for topic in (verdict.topic, "all"):
            for lang in (verdict.row.lang, "all"):
                counts[topic, lang, verdict.kind] += 1
    pairs = sorted(
        {(topic, lang) for topic, lang, _ in counts}, key=lambda pair: [(x == "all", x) for x in pair]
    )
    return {
        (topic, lang): Score(*(counts[topic, lang, kind] for kind in ("tp", "fp", "fn")))
        for topic, lang in pairs
    }


def table(found: Mapping[tuple[str, str], Score]) -> Table:
    """Return the scores as a table, the sums of each topic last."""
    shown = Table("topic", "lang", *(["tp", "fp", "fn", "precision", "recall", "F1"]))
    for column in shown.columns[2:]:
        column.justify = "right"
    for (topic, lang), score in found.items():
        counts = (str(count) for count in (score.tp, score.fp, score.fn))
        shares = (f"{share:.3f}" for share in (score.precision, score.recall, score.f1))
        style = "bold" if "all" in {topic, lang} else ""
        shown.add_row(topic, lang, *counts, *shares, style=style, end_section=lang == "all")
    return shown


def show_errors(console: Console, verdicts: Iterable[Verdict], *, texts: bool) -> None:
    """Print a line for each wrong verdict, with the beginning of the item if wished."""
    for verdict in sorted(verdicts, key=lambda each: (each.topic, each.row.lang, each.kind)):
        if verdict.kind != "tp":
            row = verdict.row
            console.print(verdict.kind, verdict.topic, row.lang, row.id, markup=False, highlight=False)
            if texts:
                whole = " ".join(f"{row.item.title} {row.item.text}".split())
                console.print("   ", whole[:SNIPPET], markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Print the table, and the errors if asked for."""
    parser = argparse.ArgumentParser(description="Score the packs on labelled items.")
    parser.add_argument("items", type=Path, help="a file with one labelled item a line (JSON)")
    parser.add_argument("--errors", action="store_true", help="name the items that were matched wrongly")
    parser.add_argument("--texts", action="store_true", help="with --errors: show how the items begin")
    parser.add_argument("--topic", help="only this topic")
    parser.add_argument("--half", choices=["A", "B"], help="only this half of the items")
    parser.add_argument("--language", action="store_true", help="tell the matcher the items' languages")
    asked = parser.parse_args()
    if not asked.items.is_file():
        parser.error(f"{asked.items} is no file: give the path of the labelled items")
    rows = read(asked.items, asked.half, language=asked.language)
    verdicts = [each for each in judge(rows) if asked.topic in {None, each.topic}]
    console = Console()
    if asked.errors:
        show_errors(console, verdicts, texts=asked.texts)
    console.print(table(scores(verdicts)))


if __name__ == "__main__":
    main()
