"""Where the set-up comes from: the config file, the token and the place of the database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config import Config, parse
from monitor.config.report import Doubt
from monitor.config.topics import CheckQuery
from monitor.config.values import Wrong
from monitor.config.values import token as read_token
from monitor.errors import ConfigInvalid, Fault
from monitor.model import Topic

SYSTEM_CONFIG = Path("/etc/monitor-bot/config.toml")
CREDENTIAL = "telegram-token"
TO_HAVE_ONE = "copy config.example.toml to it, or name yours with --config PATH"
"""What to do where there is no config."""
SQLITE = b"SQLite format 3\0"
"""What a database begins with (SQLite's file format, 1.3)."""
LARGEST_CONFIG = 4_000_000
"""Bytes; a file that is larger was hardly written as a config."""


def find(explicit: Path | None, *, folder: Path = Path(), system: Path = SYSTEM_CONFIG) -> Path:
    """Return the config file: the one asked for, else config.toml in `folder`, else that of the system.

    Raises `ConfigInvalid` where there is none.
    """
    if explicit is not None:
        return explicit
    local = folder / "config.toml"
    for path in (local, system):
        if _is_there(path):
            return path
    raise _invalid(local, f"there is no such file and no {system}: {TO_HAVE_ONE}")


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    packs: Mapping[str, Topic],
    check_query: CheckQuery,
    strict: bool = False,
) -> Config:
    """Return the config in a file, with a warning in it where no token can be found.

    Raises `ConfigInvalid` with every fault: those of the file as such, or those of what it says. Where it is
    `strict` a `token_file` without a token and a `[storage] path` where no database can be are faults, too.
    """

    def outside(config: Config) -> Iterator[Doubt]:
        for doubt in _of_token(config, environ):
            yield doubt if strict else doubt._replace(is_fault=False)
        if strict and config.storage.path:
            yield from _of_database(config.storage.path)

    return parse(_text(path), path=str(path), packs=packs, check_query=check_query, check_outside=outside)


def _of_token(config: Config, environ: Mapping[str, str]) -> Iterator[Doubt]:
    """Yield why there is no token: a fault where the config names a file that has none, whoever looks."""
    try:
        token(config, environ)
    except ConfigInvalid as error:
        for fault in error.faults:
            section, key = fault.key.split(".")
            is_fault = key == "token_file" and not isinstance(error.__cause__, PermissionError)
            yield Doubt((section, key), fault.problem, is_fault)


def _of_database(path: Path) -> Iterator[Doubt]:
    """Yield why no database can be at a path: a fault where that is so for every user."""
    place = ("storage", "path")
    there = next(each for each in (path, *path.parents) if _is_there(each))
    folder = path.parent if there == path else there
    try:
        if there == path and path.is_dir():
            yield Doubt(place, f"{path} is a folder: name a file in it", is_fault=True)
        elif not folder.is_dir():
            yield Doubt(place, f"{there} is no folder, so that {path} cannot be made", is_fault=True)
        elif there == path and not _may_be_a_database(path):
            yield Doubt(place, f"{path} is no database: move it away, or name another", is_fault=True)
        elif not all(os.access(each, os.W_OK) for each in (there, folder)):
            yield Doubt(place, f"{path} may not be written by this user: the bot has to run as one who may")
    except OSError as error:
        yield Doubt(place, f"{path} {_why(error)}")


def _may_be_a_database(path: Path) -> bool:
    """Tell whether a file is empty, begins as SQLite's do, or may not be read here; a pipe is none."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            begins = file.read(len(SQLITE))
    except PermissionError:
        return True
    return begins in {b"", SQLITE}


def token(config: Config, environ: Mapping[str, str]) -> str:
    """Return the bot's token from the first place that has one.

    These are TELEGRAM_BOT_TOKEN in the environment, `token`, `token_file`, and systemd's credential
    `telegram-token` (systemd.exec(5), CREDENTIALS_DIRECTORY). Raises `ConfigInvalid` where none has one.
    """
    if given := environ.get("TELEGRAM_BOT_TOKEN", "").strip():
        return _checked(config, "in TELEGRAM_BOT_TOKEN", given)
    if config.telegram.token:
        return config.telegram.token
    if file := config.telegram.token_file:
        return _checked(config, f"in {file}", _secret(config, file), key="telegram.token_file")
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        file = Path(folder) / CREDENTIAL
        if file.exists():
            return _checked(config, f"in the credential {CREDENTIAL}", _secret(config, file))
    problem = "there is no token: get one from @BotFather for token, token_file or TELEGRAM_BOT_TOKEN"
    raise _invalid(Path(config.path), problem, key="telegram.token")


def database(config: Config, environ: Mapping[str, str], *, folder: Path = Path()) -> Path:
    """Return the path of the database: the config's, else that below systemd's state, else below `folder`.

    STATE_DIRECTORY may name several folders between colons (systemd.exec(5)); the first is taken.
    """
    if config.storage.path is not None:
        return config.storage.path
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return (Path(first) if first else folder / "state") / "monitor.db"


def _is_there(path: Path) -> bool:
    """Tell whether a file is there, also one that this user may not look at."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _text(path: Path) -> str:
    """Return the text of a file, with or without a byte order mark."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_CONFIG + 1)
        if len(data) > LARGEST_CONFIG:
            raise _invalid(path, f"is larger than {LARGEST_CONFIG} bytes, which no config is")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise _invalid(path, _why(error)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _invalid(path, "is not UTF-8 text: save it in that encoding", line=line) from None


def _secret(config: Config, file: Path) -> str:
    """Return what a file with a token holds, without the blanks around it."""
    here = Path(config.path)
    try:
        held = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _invalid(here, f"{file} {_why(error)}", key="telegram.token_file") from error
    except UnicodeDecodeError:
        raise _invalid(here, f"{file} holds no token", key="telegram.token_file") from None
    if not held:
        raise _invalid(here, f"{file} is empty: write the token into it", key="telegram.token_file")
    return held


def _checked(config: Config, where: str, given: str, *, key: str = "telegram.token") -> str:
    """Return a token that can be one."""
    try:
        return read_token(given)
    except Wrong as error:
        ((_, problem),) = error.problems
        raise _invalid(Path(config.path), f"what stands {where} {problem}", key=key) from None


def _why(error: OSError) -> str:
    """Return why a file cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "does not exist: check the path"
    if isinstance(error, IsADirectoryError):
        return "is a folder and not a file: check the path"
    if isinstance(error, PermissionError):
        return "may not be read by this user: check its owner and its permissions"
    return f"cannot be read ({error.strerror}): check the disk and the path"


def _invalid(path: Path, problem: str, *, key: str = "", line: int = 0) -> ConfigInvalid:
    """Return the error for one fault."""
    return ConfigInvalid(str(path), (Fault(line, key, problem),))
