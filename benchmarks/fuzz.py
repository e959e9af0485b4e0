"""Look for bytes that a parser cannot bear, for as long as one likes.

    python benchmarks/fuzz.py [--minutes 10] [--parser NAME] [--seed N]

Every parser gets the samples of tests/data with random damage: bytes cut out, doubled, replaced, and pieces
of other samples put in. It is to give an answer or one of the errors of `monitor.errors`, and to do so soon.
The first input with another end is written to a file in the current folder, and the exit code is 1.

A parser is one row in `PARSERS`: its samples, and a function that takes bytes and raises only what it may.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from documents import URL, in_part

from monitor.errors import MonitorError
from monitor.model import Cursor, Polled, Source
from monitor.sources import KINDS
from monitor.sources.http import Response
from monitor.sources.kind import Fetched

DATA = Path(__file__).parent.parent / "tests" / "data"
LONGEST = 200_000  # bytes of one input
SLOW = 10.0  # seconds of CPU; a parse of an input of this size takes a fraction of one
MOST_DAMAGE = 8
LONGEST_STRETCH = 3_000


class Parser(NamedTuple):
    """What is fuzzed, and the folder of tests/data with samples for it."""

    samples: str
    run: Callable[[bytes], None]


def channel(body: bytes) -> None:
    """Parse a preview page as one that is new, and again beside what is known of it."""
    polled = _parsed("channel", "example_office", body, Cursor())
    _parsed("channel", "example_office", body + body[: len(body) // 2], polled.cursor)


def feed(body: bytes) -> None:
    """Parse a feed as one that is new, again beside what is known of it, and with all but one entry known."""
    polled = _parsed("feed", URL, body, Cursor())
    _parsed("feed", URL, body + b"\n", polled.cursor)
    in_part(body, polled)


PARSERS = {"channel": Parser("channels", channel), "feed": Parser("feeds", feed)}


def _parsed(kind: str, address: str, body: bytes, cursor: Cursor) -> Polled:
    """Return what a kind of source makes of a body; raises what is wrong with that."""
    source = Source("fuzz", "Fuzz", kind, address)
    polled = KINDS[kind].parse(Fetched((Response(200, {}, body, address, address),)), source, cursor)
    for item in polled.items:
        words = f"{item.key}{item.title}{item.text}{item.url}{item.author}{item.links}"
        words.encode()  # raises where half a character is left
        if "\0" in words or "\n" in item.title:
            raise ValueError("an item that is not clean")
    return polled


def samples_of(parser: Parser) -> list[bytes]:
    """Return the sample documents of a parser."""
    files = sorted((DATA / parser.samples).iterdir())
    return [file.read_bytes() for file in files if not file.name.endswith(".golden.json")]


def damaged(samples: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the samples after a few accidents."""
    body = bytearray(chance.choice(samples))
    for _ in range(chance.randint(0, MOST_DAMAGE)):
        at, other = chance.randrange(len(body) + 1), chance.choice(samples)
        stretch, start = chance.randint(0, LONGEST_STRETCH), chance.randrange(len(other) + 1)
        piece = other[start : start + chance.randint(0, LONGEST_STRETCH)]
        match chance.randrange(6):
            case 0:
                del body[at : at + stretch]
            case 1:
                body[at:at] = body[at : at + stretch] * chance.choice([1, 2, 50])
            case 2:
                body[at : at + stretch] = piece
            case 3:
                body[at : at + 4] = chance.randbytes(4)
            case 4:
                body[at:at] = chance.choice([b"<", b">", b'"', b"&", b"\0", b"\xff", b"<!--", b"]]>", b"</"])
            case _:
                body[at:at] = chance.choice([b"<div>", b"<a href=x>", b"&#x110000;", b"&lt;"]) * stretch
    return bytes(body[:LONGEST])


def fault(parser: Parser, body: bytes) -> str:
    """Return what is wrong with how a parser takes an input; "" where nothing is."""
    began = time.process_time()
    try:
        with suppress(MonitorError):
            parser.run(body)
    except Exception:  # noqa: BLE001 -- this is what is looked for
        return traceback.format_exc()
    took = time.process_time() - began
    return f"It took {took:.1f} s." if took > SLOW else ""


def main() -> int:
    """Fuzz until the time is over or something is found; return the exit code."""
    options = arguments()
    names = [options.parser] if options.parser else list(PARSERS)
    samples = {name: samples_of(PARSERS[name]) for name in names}
    seed, tried, end = options.seed, 0, time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        for name in names:
            body = damaged(samples[name], random.Random(seed))
            if found := fault(PARSERS[name], body):
                file = Path(f"fuzz-{name}-{seed}.bin")
                file.write_bytes(body)
                print(f"{found}\nparser={name} seed={seed} input={file}")
                return 1
            tried += 1
        seed += 1
    print(f"inputs={tried} parsers={','.join(names)} seeds={options.seed}-{seed - 1} faults=0")
    return 0


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--parser", choices=sorted(PARSERS))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
