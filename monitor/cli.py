"""The command line.

Exit codes: 0 done, 1 failed, 2 wrong usage or config. What a command is asked for goes to the
standard output, everything else to the standard error.
"""

from __future__ import annotations

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from monitor import __version__, errors, heap, loop, matching, setup, tryout, upkeep
from monitor.clock import SystemClock
from monitor.config import Config
from monitor.engine import Engine
from monitor.html import clean
from monitor.model import Source
from monitor.pipeline import Outcome
from monitor.store import Store
from monitor.systemd import Notifier
from monitor.terminal import STANDARD, counted, news, progress, roll

log = logging.getLogger(__name__)

LONGEST_LOOK_BACK = 3650  # days
OF_A_POLL = (
    "What is read is stored, as by the service: a source's first look is its baseline, which alerts nobody, "
    "and alerts for what is found later wait until the service runs. Nothing is sent, and no token is needed."
)
CHATTY = ("apscheduler", "httpx", "httpcore", "telegram")
"""Libraries that say more of their own work than an operator wants to read."""


REFUSING = {"strict", "surrogateescape", "surrogatepass"}  # ways to end at a letter that cannot be encoded


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code."""
    _open_streams()
    parser = _parser()
    options = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    _log_to_stderr(verbose=options.run is _run)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except errors.MonitorError as error:
        _note(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _output_failed(error)
    return code


def _open_streams() -> None:
    """See to it that the standard streams are there and that no letter of an output is refused."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed: the next file opened would be taken for it
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 -- until the end
        elif mode == "w" and isinstance(stream, io.TextIOWrapper) and stream.errors in REFUSING:
            stream.reconfigure(errors="backslashreplace")  # its encoding may have no such letter


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, a query such as "-race" joined to its option, as argparse wants it."""
    found: list[str] = []
    for argument in arguments:
        is_query = argument.startswith("-") and not argument.startswith("--")
        if found and found[-1] == "--query" and is_query:
            found[-1] = f"--query={argument}"
        else:
            found.append(argument)
    return found


def _output_failed(error: OSError) -> int:
    """Return the exit code for an output that takes nothing more; raises `error` where it is another one."""
    try:
        print(flush=True)  # noqa: T201 -- a full disk and a closed pipe fail again
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read the output has seen enough
            return 0
        _note(f"The output cannot be written: {error.strerror}.")
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

    def add(
        name: str, run: Callable[[argparse.Namespace], int], text: str, more: str = ""
    ) -> argparse.ArgumentParser:
        command = table.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}. {more}")
        command.set_defaults(run=run)
        command.add_argument("--config", type=_path, metavar="PATH", default=argparse.SUPPRESS, help=where)
        return command

    add("run", _run, "run the service (the default)")
    add("check", _check, "read the config and name every fault in it")
    add("demo", _demo, "show the whole path on bundled samples, without a token or a network")
    add("poll", _poll, "look at every source once and show what is new", OF_A_POLL)
    match = add("match", _match, "show which topics a text matches, and why")
    match.add_argument(
        "text", nargs="*", metavar="TEXT", help="the text; from the standard input without one, or for -"
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
        const=STANDARD,
        metavar="FILE",
        help="write all sources as OPML, to the standard output without FILE",
    )


def _load(options: argparse.Namespace, *, strict: bool = False) -> Config:
    path = setup.find(options.config)
    return setup.load(path, os.environ, packs=matching.packs(), check_query=matching.review, strict=strict)


def _database(config: Config) -> Path:
    """Return where the database is, or would be; raises StoreUnusable where nobody can tell."""
    path = setup.database(config, os.environ)
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        rights = "look at the owner and the rights of its folders, or " if error.errno == errno.EACCES else ""
        raise errors.StoreUnusable(
            f"{path} cannot be reached: {why}; {rights}name another file in [storage] path"
        ) from None
    return path


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
    try:
        config = _load(options, strict=True)
    except errors.ConfigInvalid as error:
        _note(str(error))
        _say_notes(error.notes)
        return error.exit_code
    Store.refuse(setup.database(config, os.environ))
    sources, topics = counted(len(config.sources), "source"), counted(len(config.topics), "topic")
    _say(f"{config.path} is valid: {sources}, {topics}.")
    _say_notes(config.warnings)
    return 0


def _say_notes(notes: Sequence[str]) -> None:
    for note in notes:
        _say(f"note: {note}")


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
    source = tryout.source_of(options.source, config, partial(_all_sources, config))
    if options.jsonl:
        return 0 if tryout.match_lines(config, options.jsonl, source, _say, _note) else 1
    is_said = options.text not in ([], [str(STANDARD)])
    said = " ".join(options.text) if is_said else None
    tryout.match(config, said, options.file, source, _note)
    return 0


def _backtest(options: argparse.Namespace) -> int:
    config = _load(options)
    topics = tryout.chosen(config, options.topic, options.query, partial(_all_sources, config), _note)
    tryout.backtest(config, _database(config), topics, SystemClock().now(), timedelta(days=options.days))
    return 0


def _all_sources(config: Config) -> tuple[Source, ...]:
    return upkeep.all_sources(config, _database(config))


def _load_or_packs(options: argparse.Namespace) -> Config:
    """Return the config, or one with all the packs where there is none and none was asked for."""
    try:
        setup.find(options.config)
    except errors.ConfigInvalid:
        _note("There is no config.toml: these are the topics that ship with the bot.")
        return Config(path="", topics=tuple(matching.packs().values()))
    return _load(options)


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    if text.endswith("/") and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}: make it, or name a file")
    return Path(text)


def _days(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= LONGEST_LOOK_BACK):
        raise argparse.ArgumentTypeError(f"expected 1 to {LONGEST_LOOK_BACK} days, not {text!r}")
    return int(text)


def _sources(options: argparse.Namespace) -> int:
    config = _load(options)
    database, now = _database(config), SystemClock().now()
    if options.take:
        return upkeep.import_sources(config, database, options.take, now, _say)
    _note_absence(database)
    if options.export:
        upkeep.export_sources(config, database, options.export, now, _say)
        return 0
    roll(upkeep.overview(config, database, now), now)
    return 0


def _note_absence(database: Path) -> None:
    """Say where a database was looked for that is not there."""
    if not database.exists():
        _note(f"{database.absolute()} is not there: nothing was stored yet, this is the config alone")


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


def _note(line: str) -> None:
    print(clean(line), file=sys.stderr)  # noqa: T201 -- the same
