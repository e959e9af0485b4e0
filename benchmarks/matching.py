"""Measure the matcher side by side with the loop that people write.

    python benchmarks/matching.py [--items FILE] [--terms FILE] [--sizes 1000,10000,100000] [--count 400]

--items  a JSON Lines file with "title" and "body" or "text" in each line; without it items are made up
--terms  one keyword a line, or a JSON list of them; without it they are drawn from the items
--sizes  how many keywords to measure with
--count  how many items, taken from the second half

Prints for each size how long the index takes to build, its memory, how many items a second it matches that
it sees for the first time (after 1,000 others) and when warm, also with the evidence of all matches written
out as a poll does it, how many `rapidfuzz.fuzz.partial_ratio` over all keywords does, the ratio of the warm
ones, and the cost of one more watch; then how much slower the largest size is than the smallest, and
Hyperscan with edit distance 1 where it is installed. The packs alone
come first.
Times are processor time of one core, the best of several rounds; what is compared takes turns in them.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rapidfuzz import fuzz

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.matching import Matcher, packs
from monitor.model import Item, Topic
from monitor.text import fold, tokens

ROUNDS = 5
SEEN = 1_000  # items that are matched before
LOOP_WORK = 40_000  # keyword comparisons in one round of the loop
CUTOFF = 88
HYPERSCAN_MOST = 10_000
WORDS = (
    "power grid drone drones ceasefire talks minister president Ukraine Kyiv Kharkiv Odesa region"
    " city night report people official statement air defence missile strike attack energy system"
    " station repair prisoners exchange sanctions envoy plan border council today morning week the a"
    " of in on and to that was were has have дрон дрони удар удари місто області енергосистема"
    " перемир'я переговори обмін полонених санкції ракета ракети протиповітряна оборона вночі ранок"
    " країна президент міністр на в і та що про було були після город области удары перемирие"
    " переговоры обмен пленными санкции ракеты оборона ночью утром страна и что не"
).split()


def main() -> None:
    """Run all measurements and print them."""
    options = arguments()
    made_up = random.Random(1)
    news = read_items(options.items) if options.items else made_up_items(made_up, 2 * options.count)
    half = len(news) // 2
    sizes = [int(size) for size in options.sizes.split(",")]
    terms = read_terms(options.terms) if options.terms else drawn_terms(made_up, news[:half], max(sizes))
    sample = news[half : half + options.count]
    words = sum(len(tokens(item.text)) for item in sample) / len(sample)
    print(f"{len(sample)} items of {words:.0f} words, {len(terms)} keywords")
    apart = get_context("spawn").Process(target=measure_packs, args=(sample,))
    apart.start()  # what either leaves free would help or hinder the other: memory, scattered memory
    apart.join()
    seen = news[:half][:SEEN]
    matchers = {size: measure(terms[:size], seen, sample) for size in sizes if size <= len(terms)}
    if len(matchers) > 1:
        compare(matchers, sample)
    del matchers
    measure_hyperscan(terms[: min(HYPERSCAN_MOST, len(terms))], sample)


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=Path)
    parser.add_argument("--terms", type=Path)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--count", type=int, default=400)
    return parser.parse_args()


def read_items(path: Path) -> list[Item]:
    """Return the items of a JSON Lines file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Item("bench", str(at), row["title"], row.get("body") or row["text"]) for at, row in enumerate(rows)
    ]


def read_terms(path: Path) -> list[str]:
    """Return the keywords of a file."""
    text = path.read_text(encoding="utf-8")
    return list(json.loads(text)) if text.startswith("[") else text.splitlines()


def made_up_items(chance: random.Random, count: int) -> list[Item]:
    """Return items of common words and of many rare, invented ones."""
    rare = ["".join(chance.choices("abdegiklmnoprstuv", k=chance.randint(4, 10))) for _ in range(20_000)]
    found = []
    for number in range(count):
        words = [chance.choice(rare) if chance.random() < 0.3 else chance.choice(WORDS) for _ in range(130)]
        found.append(Item("bench", str(number), " ".join(words[:10]), " ".join(words[10:])))
    return found


def drawn_terms(chance: random.Random, news: Sequence[Item], count: int) -> list[str]:
    """Return keywords of one to three words: some stand in the items so, most are words put together."""
    texts = [[token.text.lower() for token in tokens(item.text) if token.kind == "word"] for item in news]
    frequency = Counter(word for text in texts for word in text if len(word) > 3)
    words = [word for word, _ in frequency.most_common()][100:]
    found: dict[str, None] = {}
    while len(found) < count:
        size = chance.choices((1, 2, 3), (0.5, 0.35, 0.15))[0]
        if size == 1 and len(found) > len(words) // 2:
            size = 2
        text = chance.choice(texts)
        start = chance.randrange(max(1, len(text) - size))
        real = text[start : start + size]
        if chance.random() > 0.2 or any(len(word) < 4 for word in real):
            real = chance.choices(words, k=size)
        found[" ".join(real)] = None
    return list(found)


def measure(terms: Sequence[str], seen: Sequence[Item], news: Sequence[Item]) -> Matcher:
    """Print how the matcher, once it has seen some items, and the loop do; return the matcher."""
    topics = [Topic(str(at), term, keywords=(term,)) for at, term in enumerate(terms)]
    gc.collect()
    before, start = resident(), time.process_time()
    matcher = Matcher(topics)
    built, _ = time.process_time() - start, gc.collect()
    memory = resident() - before
    matches(matcher, seen)
    gc.collect()
    gc.freeze()
    start = time.process_time()
    hits = sum(len(matcher.match(item)) for item in news)
    unseen = len(news) / (time.process_time() - start)
    written = max(len(news) / seconds(lambda: write_out(matcher, news)) for _ in range(ROUNDS))
    texts = [fold(f"{item.title} {item.text}") for item in news[: max(2, LOOP_WORK // len(terms))]]
    speed, loop = best((lambda: matches(matcher, news), len(news)), (lambda: scan(terms, texts), len(texts)))
    after = resident() - before
    gc.freeze()  # as the bot does; else one of the watches waits for all that is known to be searched
    add = time_to_add(matcher)
    print(
        f"{len(terms):7} keywords: built in {built:.1f} s, {memory:.0f} MB ({after:.0f} MB warm);"
        f" {hits / len(news):.1f} matches an item; {unseen:.0f} items/s unseen, {speed:.0f} warm,"
        f" {written:.0f} with all evidence written out,"
        f" loop {loop:.2f}: {speed / loop:.0f} times; a watch more: {add:.2f} ms"
    )
    gc.unfreeze()
    return matcher


def compare(matchers: Mapping[int, Matcher], news: Sequence[Item]) -> None:
    """Print how much slower the matcher with the most keywords is than the one with the fewest."""
    small, large = min(matchers), max(matchers)
    gc.freeze()
    speeds = best(*((partial(matches, matchers[size], news), len(news)) for size in (small, large)))
    gc.unfreeze()
    print(f"{large} keywords are {speeds[0] / speeds[1]:.1f} times slower than {small}")


def best(*tasks: tuple[Callable[[], None], int]) -> list[float]:
    """Return the best items a second of each task, which take turns."""
    times = [[seconds(task) / count for task, count in tasks] for _ in range(ROUNDS)]
    return [1 / min(column) for column in zip(*times, strict=True)]


def seconds(task: Callable[[], None]) -> float:
    """Return the processor time of a task."""
    start = time.process_time()
    task()
    return time.process_time() - start


def matches(matcher: Matcher, news: Sequence[Item]) -> None:
    """Match all items."""
    for item in news:
        matcher.match(item)


def write_out(matcher: Matcher, news: Sequence[Item]) -> None:
    """Match all items and write out the evidence of all matches, as a poll does."""
    for item in news:
        for match in matcher.match(item):
            match.written_out()


def scan(terms: Sequence[str], texts: Sequence[str]) -> None:
    """Look for all keywords in all texts as one would with rapidfuzz alone."""
    for text in texts:
        for term in terms:
            fuzz.partial_ratio(term, text, score_cutoff=CUTOFF)


def time_to_add(matcher: Matcher) -> float:
    """Return the milliseconds that a new watch takes, the slowest of twenty."""
    watches = [Topic(f"watch{at}", "Watch", keywords=(f"newword{at} grid",)) for at in range(20)]
    times = [seconds(lambda watch=watch: matcher.add(watch)) for watch in watches]
    return 1000 * max(times)


def measure_packs(news: Sequence[Item]) -> None:
    """Print how fast the topics that ship with the product are."""
    matcher = Matcher(packs().values())
    matches(matcher, news)
    gc.collect()
    gc.freeze()
    (speed,) = best((lambda: matches(matcher, news), len(news)))
    gc.unfreeze()
    print(f"{len(matcher):7} packs: {speed:.0f} items/s")


def measure_hyperscan(terms: Sequence[str], news: Sequence[Item]) -> None:
    """Print how fast Hyperscan finds the keywords with one letter wrong, if it is there."""
    try:
        import hyperscan
    except ImportError:
        print("        Hyperscan is not installed: not measured")
        return
    matcher = Matcher(Topic(str(at), term, keywords=(term,)) for at, term in enumerate(terms))
    matches(matcher, news)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    edits = hyperscan.ExpressionExt(flags=hyperscan.HS_EXT_FLAG_EDIT_DISTANCE, edit_distance=1)
    count = len(terms)
    database.compile(
        expressions=[fold(term).encode() for term in terms],
        ids=list(range(count)),
        elements=count,
        flags=hyperscan.HS_FLAG_SINGLEMATCH,
        ext=[edits] * count,
    )
    texts = [fold(f"{item.title} {item.text}").encode() for item in news[:50]]
    found: list[int] = []

    def scan_all() -> None:
        for text in texts:
            database.scan(text, match_event_handler=lambda number, *_: found.append(number))

    speed, other = best((lambda: matches(matcher, news), len(news)), (scan_all, len(texts)))
    print(
        f"{count:7} keywords: {speed:.0f} items/s,"
        f" Hyperscan with one edit {other:.0f}: {speed / other:.1f} times"
    )


def resident() -> float:
    """Return this process's resident memory in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
