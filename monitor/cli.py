"""The command line.

Exit codes: 0 done, 1 failed, 2 wrong usage or config. What a command is asked for goes to the
standard output, everything else to the standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from monitor import __version__, errors, heap, loop, matching, roster, setup, upkeep
from monitor.backtest import History, days, hits
from monitor.clock import SystemClock
from monitor.config import Config
from monitor.engine import Engine, watch_for
from monitor.matching.reading import MAX_TEXT
from monitor.model import Item, Match, Source, Topic
from monitor.pipeline import Outcome
from monitor.store import Store, items
from monitor.systemd import Notifier
from monitor.terminal import counted, explained, forecast, news, progress, roll

log = logging.getLogger(__name__)

LONGEST_LOOK_BACK = 3650  # days
CHATTY = ("apscheduler", "httpx", "httpcore", "telegram", "aiohttp")
"""Libraries that say more of their own work than an operator wants to read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    _log_to_stderr(verbose=options.run is _run)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except errors.MonitorError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- what a command line is for
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _output_failed(error)
    return code


def _output_failed(error: OSError) -> int:
    """Return the exit code for an output that takes nothing more; raises `error` where it is another one."""
    try:
        print(flush=True)  # noqa: T201 -- a full disk and a closed pipe fail again
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read the output has seen enough
            return 0
        print(f"The output cannot be written: {error.strerror}.", file=sys.stderr)  # noqa: T201 -- the same
        return 1
    raise error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bot.py",
        description="Watches feeds and public Telegram channels and alerts a chat.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or config.",
    )
    where = "the config file (default: ./config.toml, else /etc/monitor-bot/config.toml)"
    parser.add_argument("--config", type=_path, metavar="PATH", help=where)
    parser.add_argument("--version", action="version", version=f"monitor-bot {__version__}")
    parser.set_defaults(run=_run)
    table = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = table.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        command.add_argument("--config", type=_path, metavar="PATH", default=argparse.SUPPRESS, help=where)
        return command

    add("run", _run, "run the service (the default)")
    add("check", _check, "read the config and name every fault in it")
    add("demo", _demo, "show the whole path on bundled samples, without a token or a network")
    add("poll", _poll, "look at every source once and show what is new")
    match = add("match", _match, "show which topics a text matches, and why")
    match.add_argument(
        "text", nargs="*", metavar="TEXT", help="the text; from the standard input without one"
    )
    files = match.add_mutually_exclusive_group()
    files.add_argument("--file", type=_path, metavar="F", help="take the text from a file")
    files.add_argument(
        "--jsonl", type=_path, metavar="F", help='match {"id", "title", "text"} lines of a file'
    )
    match.add_argument("--source", metavar="ID", help="as if this source had published it")
    backtest = add("backtest", _backtest, "show what topics would have flagged in the stored history")
    what = backtest.add_mutually_exclusive_group()
    what.add_argument("--topic", metavar="ID", help="one topic of the config; all of them without one")
    what.add_argument("--query", metavar="Q", help="a query that is in no config yet")
    backtest.add_argument("--days", type=_days, default=30, metavar="N", help="how far to look back (30)")
    _exchange(add("sources", _sources, "show how the sources do, or exchange them as OPML"))
    backup = add("backup", _backup, "copy the database, also while the service runs, and check the copy")
    backup.add_argument(
        "file", nargs="?", type=_path, metavar="FILE", help="the copy (default: beside the database)"
    )
    outbox = add("outbox", _outbox, "list what Telegram did not take, try it again, or drop it")
    outbox.add_argument("do", nargs="?", choices=("list", "retry", "drop"), default="list", metavar="DO")
    outbox.add_argument("id", nargs="?", type=int, metavar="ID", help="DO is list, retry ID or drop ID")
    add("topics", _topics, "show the topics, what they find, and what readers found not relevant")
    add("version", _version, "print the version")
    return parser


def _exchange(command: argparse.ArgumentParser) -> None:
    """Let a command take a list of sources in, or give one out."""
    ways = command.add_mutually_exclusive_group()
    ways.add_argument("--import", dest="take", type=_path, metavar="FILE", help="add those of an OPML file")
    ways.add_argument(
        "--export",
        type=_path,
        nargs="?",
        const=upkeep.STANDARD,
        metavar="FILE",
        help="write all sources as OPML, to the standard output without FILE",
    )


def _load(options: argparse.Namespace) -> Config:
    path = setup.find(options.config)
    return setup.load(path, os.environ, packs=matching.packs(), check_query=matching.review)


def _database(config: Config) -> Path:
    return setup.database(config, os.environ)


def _run(options: argparse.Namespace) -> int:
    from monitor.app import Service  # noqa: PLC0415 -- half of the time to load is Telegram's, for this alone

    heap.settle()
    config = _load(options)
    token = setup.token(config, os.environ)
    for warning in config.warnings:
        log.warning("config warning=%r", warning)

    async def serve() -> None:
        async with Engine.open(config, _database(config), SystemClock()) as engine:
            await Service(engine, token, partial(_load, options), Notifier(os.environ)).run()

    loop.run(serve())
    return 0


def _check(options: argparse.Namespace) -> int:
    config = _load(options)
    sources, topics = counted(len(config.sources), "source"), counted(len(config.topics), "topic")
    _say(f"{config.path} is valid: {sources}, {topics}.")
    for warning in config.warnings:
        _say(f"note: {warning}")
    return 0


def _demo(_: argparse.Namespace) -> int:
    from monitor import demo  # noqa: PLC0415 -- as the service

    return loop.run(demo.run())


def _poll(options: argparse.Namespace) -> int:
    config = _load(options)
    names: dict[str, str] = {}

    async def one_round() -> list[Outcome]:
        async with Engine.open(config, _database(config), SystemClock()) as engine:
            names.update((source.id, source.name) for source in engine.active())
            with progress("Polling", len(names)) as step:
                return await engine.poll_all(step)

    outcomes = loop.run(one_round())
    news(outcomes, names, config)
    return 1 if outcomes and all(outcome.error for outcome in outcomes) else 0


def _match(options: argparse.Namespace) -> int:
    if options.text and (options.file or options.jsonl):
        raise errors.UsageWrong("match: give either TEXT or a file, not both")
    config = _load_or_packs(options)
    source = _source(options.source, config)
    watch = watch_for(config)
    if options.jsonl:
        for number, line in enumerate(_lines(options.jsonl), 1):
            if not line.strip():
                continue
            place = f"{options.jsonl}: line {number}"
            key, title, text = _fields(line, place)
            topics = [_found(match) for match in watch.match(_item(title, text, source, place), source)]
            _say(json.dumps({"id": key, "topics": topics}, ensure_ascii=False))
        return 0
    item = _item("", _text(options), source, "match")
    explained(item, watch.explain(item, source), watch.topics)
    return 0


def _all_sources(config: Config) -> Iterator[Source]:
    yield from upkeep.all_sources(config, _database(config))


def _source(source_id: str | None, config: Config) -> Source | None:
    """Return the source that a text is to come from: one of the config, or an added one."""
    if source_id is None:
        return None
    for source in chain(config.sources, _all_sources(config)):  # the database only where it is needed
        if source.id == source_id:
            return source
    raise errors.UsageWrong(f"--source {source_id}: there is no such source; `bot.py sources` lists them")


def _load_or_packs(options: argparse.Namespace) -> Config:
    """Return the config, or one with all the packs where there is none and none was asked for."""
    try:
        setup.find(options.config)
    except errors.ConfigInvalid:
        print("There is no config.toml: these are the topics that ship with the bot.", file=sys.stderr)  # noqa: T201 -- the same
        return Config(path="", topics=tuple(matching.packs().values()))
    return _load(options)


def _text(options: argparse.Namespace) -> str:
    """Return the text that `match` is to look at."""
    if options.text:
        text = " ".join(options.text)
    elif options.file:
        text = "".join(_lines(options.file))
    else:
        text = _decoded(sys.stdin.buffer.read(), "the standard input")
    if not text.strip():
        raise errors.UsageWrong("match: there is no text: give it as TEXT, with --file or on standard input")
    return _decoded(os.fsencode(text), "TEXT") if options.text else text


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.MonitorError(f"{what} is not UTF-8 text: convert it first") from None


def _backtest(options: argparse.Namespace) -> int:
    config = _load(options)
    topics = _chosen(options, config)
    now = SystemClock().now()
    since = now - timedelta(days=options.days)
    matcher = matching.Matcher(topics, names=config.aliases)
    with Store.look(_database(config)) as db:
        total, _ = items.count_since(db, since)
        with progress("Reading", total) as step:
            history = History(items.history(db, since), upkeep.sources_in(db, config), since, step)
            found = list(hits(history, matcher))
    first, last = (history.first or now).date(), now.date()
    shown = [hit for hit in found if first <= hit.when.date() <= last]
    forecast(days(shown, first, last), shown, {topic.id: topic.name for topic in topics})
    return 0


def _chosen(options: argparse.Namespace, config: Config) -> Sequence[Topic]:
    """Return the topics to look for: one, a query of the moment, or all."""
    if options.query is not None:
        for doubt in matching.review(options.query, roster.names(_all_sources(config))):
            print(f"note: {doubt.problem}", file=sys.stderr)  # noqa: T201 -- the same
        return [Topic(id="query", name=options.query, query=options.query)]
    if options.topic is None:
        return config.topics
    chosen = [topic for topic in config.topics if topic.id == options.topic]
    if not chosen:
        known = ", ".join(topic.id for topic in config.topics) or "none"
        raise errors.UsageWrong(
            f"--topic {options.topic}: there is no such topic in {config.path}; there are: {known}"
        )
    return chosen


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return Path(text)


def _days(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= LONGEST_LOOK_BACK):
        raise argparse.ArgumentTypeError(
            f"expected a number of days from 1 to {LONGEST_LOOK_BACK}, not {text!r}"
        )
    return int(text)


def _sources(options: argparse.Namespace) -> int:
    config = _load(options)
    database, now = _database(config), SystemClock().now()
    if options.take:
        return upkeep.import_sources(config, database, options.take, now, _say)
    _note_absence(database)
    if options.export:
        upkeep.export_sources(config, database, options.export, now)
        return 0
    roll(upkeep.overview(config, database, now), now)
    return 0


def _note_absence(database: Path) -> None:
    """Say where a database was looked for that is not there."""
    if not database.exists():
        where = database.absolute()
        print(f"{where} is not there: nothing was stored yet, this is the config alone", file=sys.stderr)  # noqa: T201 -- the same


def _backup(options: argparse.Namespace) -> int:
    config = _load(options)
    _say(upkeep.backup(_database(config), options.file, SystemClock().now()))
    return 0


def _outbox(options: argparse.Namespace) -> int:
    database, now = _database(_load(options)), SystemClock().now()
    return upkeep.outbox(database, options.do, options.id, now, _say)


def _topics(options: argparse.Namespace) -> int:
    config = _load(options)
    database = _database(config)
    _note_absence(database)
    upkeep.topics(config, database, SystemClock().now())
    return 0


def _version(_: argparse.Namespace) -> int:
    _say(f"monitor-bot {__version__}")
    return 0


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except OSError as error:
        raise errors.MonitorError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None
    except UnicodeDecodeError:
        raise errors.MonitorError(f"{path} is not UTF-8 text: convert it first") from None


def _item(title: str, text: str, source: Source | None, place: str) -> Item:
    """Return what is matched, and say where it is too long to be read as a whole."""
    if max(len(title), len(text)) > MAX_TEXT:
        print(f"{place}: only the first {MAX_TEXT:,} characters are looked at", file=sys.stderr)  # noqa: T201 -- the same
    return Item(source_id=source.id if source else "", key="", title=title, text=text)


def _fields(line: str, place: str) -> tuple[object, str, str]:
    """Return the id, the title and the text of a line of `match --jsonl`."""
    try:
        facts = json.loads(line)
        return facts["id"], str(facts.get("title") or ""), str(facts.get("text") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        shape = '{"id": ..., "title": "...", "text": "..."}'
        raise errors.MonitorError(f"{place}: expected a JSON object like {shape}") from None


def _found(match: Match) -> dict[str, object]:
    return {"id": match.topic_id, "score": match.score, "evidence": [e._asdict() for e in match.evidence]}


def _log_to_stderr(*, verbose: bool) -> None:
    """Log to the standard error: one line an event; the journal adds the time itself."""
    journal = "JOURNAL_STREAM" in os.environ
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(levelname)s %(message)s" if journal else "%(asctime)s %(levelname)s %(message)s",
    )
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _say(line: str) -> None:
    print(line)  # noqa: T201 -- what a command line is for
