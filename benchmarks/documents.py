"""Read every document of a folder as a feed: each is to give an answer or a clean error.

    python benchmarks/documents.py FOLDER

FOLDER is, for example, `tests` of feedparser's source distribution:

    pip download --no-binary :all: --no-deps feedparser && tar xzf feedparser-*.tar.gz

Each document is read as a whole, and then as what a feed shows next that lacked the first entry before: only
the new entry is read there, and that has to give the same items. Prints how many documents gave items, no
items, and an error, how many could be read in part, and every one with another end; exit code 1 where
there is one.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.errors import MonitorError
from monitor.model import Cursor, Polled, Source
from monitor.sources import feed
from monitor.sources.http import Response
from monitor.sources.kind import Fetched
from monitor.sources.memory import Memory
from monitor.sources.pieces import cut

URL = "https://example.org/feed"
SLOW = 5.0  # seconds of processor time


def main() -> int:
    """Read all documents and say what came of them."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    files = [path for path in sorted(Path(sys.argv[1]).rglob("*")) if path.is_file()]
    ends: Counter[str] = Counter()
    for path in files:
        began = time.process_time()
        try:
            ends += attempt(path.read_bytes())
        except Exception:  # noqa: BLE001 -- this is what is looked for
            ends["faults"] += 1
            print(f"{path}\n{traceback.format_exc()}")
        if time.process_time() - began > SLOW:
            ends["faults"] += 1
            print(f"{path}\ntook {time.process_time() - began:.1f} s")
    print(f"documents={len(files)}", *(f"{name}={count}" for name, count in sorted(ends.items())))
    return 1 if ends["faults"] else 0


def attempt(body: bytes) -> Counter[str]:
    """Return how a document was read; raises what must not happen."""
    try:
        whole = parse(body, Cursor())
    except MonitorError as error:
        str(error).encode()
        return Counter(errors=1)
    for item in whole.items:
        f"{item.key}{item.title}{item.text}{item.url}{item.author}{item.links}".encode()
    return Counter({"with_items" if whole.items else "without_items": 1}) + in_part(body, whole)


def in_part(body: bytes, whole: Polled) -> Counter[str]:
    """Read a document as one whose other entries are known; raises where that gives other items."""
    pieces = cut(body)
    if pieces is None or len(pieces.entries) < 2:
        return Counter()
    end = b"</%s>" % pieces.name
    fewer = pieces.head + b"".join(entry + end for entry in pieces.entries[1:]) + pieces.tail
    try:
        before = parse(fewer, Cursor())
    except MonitorError:
        return Counter()
    now = parse(body, before.cursor)
    rest = iter(whole.items)
    if not all(item in rest for item in now.items):
        raise ValueError("read in part it gives other items, or in another order")
    if not all(item in now.items or item in before.items for item in whole.items):
        raise ValueError("read in part it lacks items")
    memory = Memory.of(before.cursor.entries)
    return Counter(in_part=int(memory is not None and memory.cuttable))


def parse(body: bytes, cursor: Cursor) -> Polled:
    """Return what the parser of feeds makes of a body."""
    return feed.parse(
        Fetched((Response(200, {}, body, URL, URL),)), Source("fuzz", "Fuzz", "feed", URL), cursor
    )


if __name__ == "__main__":
    sys.exit(main())
