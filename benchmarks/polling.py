"""Measure polling of many feeds side by side with lemon24's reader and with bare requests.

    python benchmarks/polling.py [--feeds 2000] [--rounds 11] [--data FOLDER] [--reader PYTHON]
                                 [--only ours,floor]

--feeds   how many feeds there are
--rounds  how often each phase is run: on a machine that is not quiet a single round may be off by a third,
          so that fewer than ten say little; reader takes two minutes for each that brings new entries
--data    a folder of feeds (*.xml) to serve; without it, feeds of 20 to 100 entries are made up
--reader  the python of an environment that has `reader` and `sgmllib3k` (both from PyPI);
          without it, reader is left out
--only    which clients run: ours, floor, reader

A server in a process of its own gives each feed a loopback address of its own, with ETag and
Last-Modified. Each client, a process of its own too, first reads all feeds once. Then they take turns at
polling all of them: unchanged (304), and with one new entry each. Ours is all that the service does: parsing,
storing, matching against 100 topics, and an alert queued for about one entry in ten. The floor is a loop of
aiohttp GETs with ETags that throws away what it gets; reader is `update_feeds(workers=10)`.

Prints feeds a second, seconds of processor time for 1,000 polls, and the peak of memory, each the median of
the rounds; and how ours compares with the others, as the median of the ratios in the rounds and the range of
them: a machine that is slow for a while is slow for all who take turns then.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import logging
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

WORDS = (
    "power grid drone ceasefire talks minister president Kyiv Kharkiv Odesa region city night report people"
    " official defence missile strike attack energy system station repair prisoners exchange sanctions"
    " envoy plan border council morning week the a of in on and to that was were has have енергосистема удару"
    " переговори обмін область після вночі президент області удары отключения город"
).split()
TOPICS = [
    "{} {}".format(*pair)
    for pair in itertools.islice(
        itertools.combinations(
            "harbour bridge tunnel embassy reactor airfield convoy"
            " barracks refinery parliament tribunal satellite ferry railway pipeline".split(),
            2,
        ),
        100,
    )
]
MADE_UP = 30
FIRST = re.compile(rb"<(item|entry)(?=[\s>])")
CONCURRENCY = 64


def main() -> None:
    """Run the part that the arguments name; without one, all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--reader", default="")
    parser.add_argument("--only", default="ours,floor,reader")
    parser.add_argument("--part", default="", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "server":
        asyncio.run(Server(options.feeds, options.data).run())
    elif options.part == "reader":
        poll_with_reader(options.port, options.feeds)
    elif options.part:
        from monitor import loop

        clients = {"ours": poll_with_ours, "floor": poll_bare}
        loop.run(clients[options.part](options.port, options.feeds))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Let the clients take turns at the server, and print what each of them took."""
    common = ["--feeds", str(options.feeds)]
    data = ["--data", str(options.data)] if options.data else []
    names = [name for name in options.only.split(",") if name != "reader" or options.reader]
    with ExitStack() as started:
        server = started.enter_context(
            running([sys.executable, __file__, "--part", "server", *common, *data])
        )
        port = server.stdout.readline().strip()
        clients = {
            name: started.enter_context(
                running(
                    [
                        options.reader if name == "reader" else sys.executable,
                        *(__file__, "--part", name, "--port", port, *common),
                    ]
                )
            )
            for name in names
        }
        print(f"{options.feeds} feeds, medians of {options.rounds} rounds")
        print(f"{'phase':10} {'client':8} {'feeds/s':>9} {'CPU s/1,000':>12} {'peak MB':>8}")
        for phase in PHASES:
            rounds = 1 if phase == "first" else options.rounds
            took = [{name: asked(client, phase) for name, client in clients.items()} for _ in range(rounds)]
            show(phase, took)


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Have a process that is asked and answers in lines, and end it afterwards."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def heard(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints; raises EOFError where it prints none any more."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise EOFError("a process of the benchmark ended by itself: what it printed stands above")
    return line.strip()


def asked(client: subprocess.Popen[str], phase: str) -> dict[str, float]:
    """Let a client run a phase; return what that took."""
    print(phase, file=client.stdin, flush=True)
    facts: dict[str, float] = json.loads(heard(client))
    return facts


def show(phase: str, took: list[dict[str, dict[str, float]]]) -> None:
    """Print what each client took in the rounds of a phase, and how ours compares."""
    for name in took[0]:
        rate, cpu, peak = (median(one[name][what] for one in took) for what in ("rate", "cpu", "peak"))
        print(f"{phase:10} {name:8} {rate:9.0f} {cpu:12.2f} {peak:8.0f}")
    for name in sorted(took[0].keys() - {"ours"}) if "ours" in took[0] and phase != "first" else ():
        ratios = sorted(one["ours"]["rate"] / one[name]["rate"] for one in took)
        print(
            f"{phase:10} ours / {name}: {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})", flush=True
        )


class Server:
    """Feeds on loopback, each on an address of its own, as feeds have."""

    def __init__(self, count: int, data: Path | None) -> None:
        """Make `count` feeds from the documents of a folder, or from made-up ones."""
        bodies = [path.read_bytes() for path in sorted(data.glob("*.xml"))] if data else made_up_feeds()
        self.cuts = [(body, match) for body in bodies if (match := FIRST.search(body))]
        self.versions: defaultdict[str, list[int]] = defaultdict(lambda: [0] * count)  # by client
        self.count = count
        self.steady = True
        self.connections: set[Connection] = set()

    async def run(self) -> None:
        """Serve until killed; the port is the first line of the output."""
        room_for_connections()
        loop = asyncio.get_running_loop()
        addresses = ["127.0.0.1", *map(address, range(self.count))]
        server = await loop.create_server(partial(Connection, self), addresses[:1], 0, backlog=1_024)
        port = server.sockets[0].getsockname()[1]
        await loop.create_server(partial(Connection, self), addresses[1:], port, backlog=64)
        print(port, flush=True)
        await server.serve_forever()

    def answer(self, request: bytes, asking: Connection) -> list[bytes]:
        """Return the parts of the answer to a request."""
        _, who, *rest = request.split(b" ", 2)[1].decode().split("/")
        if not rest:
            self.steady = who != "grow"
            for connection in self.connections - {asking}:  # as servers do with those that are idle for long
                connection.transport.close()
            return [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        number, versions = int(rest[0]), self.versions[who]
        if not self.steady:
            versions[number] += 1
        version = versions[number]
        tag = b'"%d-%d"' % (number, version)
        fields = b"ETag: %s\r\nLast-Modified: Sun, 01 Feb 2026 10:%02d:%02d GMT\r\n" % (
            tag,
            version // 60,
            version % 60,
        )
        if b"\r\nif-none-match: " + tag in request.lower():
            return [b"HTTP/1.1 304 Not Modified\r\n" + fields + b"\r\n"]
        body, first = self.cuts[number % len(self.cuts)]
        added = b"".join(new_entry(number, one, first[1]) for one in range(version, 0, -1))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n%sContent-Length: %d\r\n\r\n" % (
            fields,
            len(body) + len(added),
        )
        return [head, body[: first.start()], added, body[first.start() :]]


class Connection(asyncio.Protocol):
    """One connection to the server."""

    def __init__(self, server: Server) -> None:
        """Take the server."""
        self.server, self.waiting = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport
        self.server.connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget it."""
        self.server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            request, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            self.transport.writelines(self.server.answer(request + b"\r\n", self))  # type: ignore[attr-defined]


def made_up_feeds() -> list[bytes]:
    """Return RSS and Atom feeds of 20 to 100 entries of about 1.5 kB."""
    chance = random.Random(1)
    feeds = []
    for number in range(MADE_UP):
        entries = []
        for entry in range(chance.randint(20, 100)):
            title, text = prose(chance, 8), "&lt;p&gt;".join(prose(chance, 60) for _ in range(3))
            key = f"https://example.org/{number}/{entry}"
            when = f"2026-01-{chance.randint(10, 28)}T10:00:00Z"
            if number % 3:
                entries.append(
                    f"<item><title>{title}</title><link>{key}</link><guid>{key}</guid><pubDate>{when}</pubDate>"
                    f"<category>news</category><description>{text}</description></item>"
                )
            else:
                entries.append(
                    f'<entry><title>{title}</title><link href="{key}"/><id>{key}</id>'
                    f"<updated>{when}</updated><author><name>The desk</name></author>"
                    f'<content type="html">{text}</content></entry>'
                )
        feeds.append(document("\n".join(entries), rss=bool(number % 3)).encode())
    return feeds


def document(entries: str, *, rss: bool) -> str:
    """Return a feed with these entries."""
    about = "<title>News</title><language>en</language><generator>made up</generator>"
    if rss:
        head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        return f"{head}{about}<link>https://example.org/</link><ttl>60</ttl>\n{entries}</channel></rss>"
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{about}<id>urn:x</id>\n{entries}</feed>'


@cache  # a server that makes them anew each time would be what the later rounds measure
def new_entry(number: int, version: int, kind: bytes) -> bytes:
    """Return the entry that a feed adds in a version; one in ten tells of a topic."""
    chance = random.Random(number * 1_000 + version)
    title = f"{prose(chance, 7)}{' ' + chance.choice(TOPICS) if number % 10 == 0 else ''}"
    text, key = prose(chance, 60), f"https://example.org/new/{number}/{version}"
    if kind == b"entry":
        entry = (
            f'<entry><title>{title}</title><id>{key}</id><link href="{key}"/>'
            f'<updated>2026-02-01T10:00:00Z</updated><content type="html">{text}</content></entry>'
        )
    else:
        entry = (
            f"<item><title>{title}</title><guid>{key}</guid><link>{key}</link>"
            f"<pubDate>Sun, 01 Feb 2026 10:00:00 GMT</pubDate><description>{text}</description></item>"
        )
    return entry.encode()


def prose(chance: random.Random, words: int) -> str:
    """Return that many words."""
    return " ".join(chance.choices(WORDS, k=words))


def address(number: int) -> str:
    """Return the loopback address of a feed."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def urls_of(port: int, count: int, who: str) -> list[str]:
    """Return the addresses of all feeds, which are another for each client."""
    return [f"http://{address(number)}:{port}/{who}/{number}" for number in range(count)]


def ask(port: int, what: str) -> None:
    """Tell the server to "grow" by an entry at each request from now on, or to "stay" as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/{what}")
    connection.getresponse().read()
    connection.close()


def room_for_connections() -> None:
    """Allow as many open files as the system does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def used() -> float:
    """Return the processor time that this process and the ones it ended have used."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


PHASES = {"first": "stay", "unchanged": "stay", "one new": "grow"}


async def phases(port: int, count: int, poll_all: Callable[[], Awaitable[None]]) -> None:
    """Poll all feeds in each phase that is asked for, and say what that took."""
    room_for_connections()
    while phase := await asyncio.to_thread(sys.stdin.readline):
        ask(port, PHASES[phase.strip()])
        await asyncio.sleep(0.5)  # until the closed connections are known to be closed
        began, cpu = time.perf_counter(), used()
        await poll_all()
        wall, cpu = time.perf_counter() - began, used() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"rate": count / wall, "cpu": cpu * 1_000 / count, "peak": peak}), flush=True)


async def poll_with_ours(port: int, count: int) -> None:
    """Poll with the engine of the service, with nothing left out."""
    from monitor import heap, matching
    from monitor.clock import SystemClock
    from monitor.config.reader import parse
    from monitor.engine import Engine
    from monitor.model import Chat, Source
    from monitor.store import chats

    sources = "".join(
        f'[[sources]]\nid = "feed-{number}"\nname = "Feed {number}"\nurl = "{url}"\n'
        for number, url in enumerate(urls_of(port, count, "ours"))
    )
    topics = "".join(
        f'[[topics]]\nid = "topic-{number}"\nname = "{words}"\nkeywords = ["{words}"]\n'
        for number, words in enumerate(TOPICS)
    )
    heap.settle()
    text = f'[telegram]\ntoken = "1:{"x" * 35}"\n{sources}{topics}'
    config = parse(text, path="config.toml", packs={}, check_query=matching.parse)
    with tempfile.TemporaryDirectory() as folder:
        logging.basicConfig(filename=f"{folder}/log", level=logging.INFO)
        async with Engine.open(config, Path(folder) / "monitor.db", SystemClock()) as engine:
            now = engine.clock.now()
            someone = Chat(1, "Desk", "active", "en", "UTC")
            await engine.store.write(partial(chats.put, chat=someone, now=now))
            await engine.store.write(
                partial(chats.subscribe, chat_id=1, topic_ids=[topic.id for topic in config.topics], now=now)
            )

            async def poll_one(source: Source) -> None:
                outcome = await engine.poll(source)
                assert not outcome.error, outcome.error

            async def poll_all() -> None:
                await asyncio.gather(*map(poll_one, config.sources))

            heap.set_apart()
            await phases(port, count, poll_all)


async def poll_bare(port: int, count: int) -> None:
    """Ask for everything and throw it away."""
    import aiohttp

    urls, tags = urls_of(port, count, "floor"), [""] * count
    connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work(numbers: itertools.count[int]) -> None:
            while (number := next(numbers)) < count:
                headers = {"If-None-Match": tags[number]} if tags[number] else {}
                async with session.get(urls[number], headers=headers) as response:
                    await response.read()
                    tags[number] = response.headers["ETag"]

        async def poll_all() -> None:
            numbers = itertools.count()
            await asyncio.gather(*(work(numbers) for _ in range(CONCURRENCY)))

        await phases(port, count, poll_all)


def poll_with_reader(port: int, count: int) -> None:
    """Poll with lemon24's reader."""
    from reader import make_reader  # type: ignore[import-not-found]

    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        reader = make_reader(f"{folder}/reader.db")
        for url in urls_of(port, count, "reader"):
            reader.add_feed(url)

        async def poll_all() -> None:
            reader.update_feeds(workers=10, scheduled=False)

        asyncio.run(phases(port, count, poll_all))


if __name__ == "__main__":
    main()
