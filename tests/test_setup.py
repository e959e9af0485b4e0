"""Where the set-up comes from: the config file, the token and the place of the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from monitor import setup
from monitor.config import Config, Storage, Telegram
from monitor.errors import ConfigInvalid

TOKEN = "123456789:" + "A" * 35
OTHER = "987654321:" + "B" * 35
MINIMAL = """[telegram]
access = "open"
[[sources]]
id = "s"
channel = "example"
[[topics]]
id = "t"
query = "x"
"""


def load(path: Path, environ: dict[str, str] | None = None, *, strict: bool = False) -> Config:
    return setup.load(path, environ or {}, packs={}, check_query=lambda *_: (), strict=strict)


def strict_faults(path: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        load(path, environ, strict=True)
    return [str(fault) for fault in caught.value.faults]


def problem(path: Path) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        load(path)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    return path


# --- The file


def test_the_file_that_is_asked_for_comes_first(file: Path) -> None:
    assert setup.find(Path("other.toml"), folder=file.parent) == Path("other.toml")


def test_the_file_of_the_folder_comes_before_that_of_the_system(file: Path, tmp_path: Path) -> None:
    system = tmp_path / "system.toml"
    system.touch()
    assert setup.find(None, folder=file.parent, system=system) == file
    file.unlink()
    assert setup.find(None, folder=file.parent, system=system) == system


def test_a_folder_without_a_file_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"no such file and no .*copy config\.example\.toml") as caught:
        setup.find(None, folder=tmp_path, system=tmp_path / "etc" / "config.toml")
    assert caught.value.path == str(tmp_path / "config.toml")


def test_a_path_through_a_file_is_no_path(file: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no such file"):
        setup.find(None, folder=file, system=file / "config.toml")


def test_a_file_that_may_not_be_looked_at_is_found_and_refused_later(tmp_path: Path) -> None:
    loop = tmp_path / "config.toml"
    loop.symlink_to(loop)
    assert setup.find(None, folder=tmp_path) == loop
    assert "cannot be read" in problem(loop)


def test_a_file_is_read_with_or_without_a_byte_order_mark(file: Path) -> None:
    plain = load(file)
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load(file) == plain


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    assert problem(tmp_path / "x.toml") == f"{tmp_path / 'x.toml'}: does not exist: check the path"


def test_a_folder_in_place_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    assert "is a folder and not a file" in problem(tmp_path)


def test_an_unreadable_file_is_one_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "may not be read by this user: check its owner and its permissions" in problem(file)


def test_another_encoding_is_told_with_its_line(file: Path) -> None:
    file.write_bytes("# one\n# два\n".encode("cp1251"))
    assert "line 2: is not UTF-8 text" in problem(file)


def test_an_endless_file_is_refused(file: Path) -> None:
    file.write_bytes(b"#" * 4_000_001)
    assert "is larger than 4000000 bytes" in problem(file)


def test_a_fault_in_the_file_carries_its_path(file: Path) -> None:
    file.write_text("x = 1\n", encoding="utf-8")
    assert problem(file).startswith(f"{file}: line 1: x: unknown key")


# --- The token


def config(folder: Path, **telegram: Any) -> Config:
    return Config(path=str(folder / "config.toml"), telegram=Telegram(**telegram))


def test_the_environment_comes_first_then_the_file_then_the_token_file_then_systemd(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    (tmp_path / "telegram-token").write_text(OTHER, encoding="utf-8")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    both = {**credentials, "TELEGRAM_BOT_TOKEN": f" {OTHER}\n"}
    assert setup.token(config(tmp_path, token=TOKEN), both) == OTHER
    assert setup.token(config(tmp_path, token=TOKEN), credentials) == TOKEN
    assert setup.token(config(tmp_path, token_file=secret), credentials) == TOKEN
    assert setup.token(config(tmp_path), credentials) == OTHER


def test_no_token_anywhere_says_where_one_goes(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"telegram\.token: there is no token: get one from @BotFather"):
        setup.token(config(tmp_path), {"CREDENTIALS_DIRECTORY": str(tmp_path), "TELEGRAM_BOT_TOKEN": ""})


def test_no_token_is_a_warning_while_the_config_is_read(file: Path) -> None:
    (warning,) = load(file).warnings
    assert warning.startswith("telegram.token: there is no token")
    assert load(file, {"TELEGRAM_BOT_TOKEN": TOKEN}).warnings == ()


@pytest.mark.parametrize("content", [b"not a token", b"", b"\xff\xfe", b"1:a\n2:b"])
def test_a_token_file_that_holds_none_is_named_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "token"
    secret.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=str(secret)) as caught:
        setup.token(config(tmp_path, token_file=secret), {})
    assert "not a token" not in str(caught.value)


def test_an_empty_token_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" \n", encoding="utf-8")
    with pytest.raises(ConfigInvalid, match="token is empty: write the token into it"):
        setup.token(config(tmp_path, token_file=tmp_path / "token"), {})


def test_a_missing_token_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"telegram\.token_file: .*gone does not exist: check the path"):
        setup.token(config(tmp_path, token_file=tmp_path / "gone"), {})


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "does not exist"), ("", "is empty: write the token into it"), ("x", "cannot be a token")],
)
def test_a_token_file_without_a_token_is_a_fault_where_it_is_strict_and_its_token_is_needed(
    file: Path, content: str | None, said: str
) -> None:
    file.write_text(MINIMAL.replace("[[sources]]", 'token_file = "token"\n[[sources]]'), encoding="utf-8")
    if content is not None:
        (file.parent / "token").write_text(content, encoding="utf-8")
    (fault,) = strict_faults(file)
    assert fault.startswith("line 3: telegram.token_file: ")
    assert said in fault
    (warning,) = load(file).warnings
    assert said in warning
    assert load(file, {"TELEGRAM_BOT_TOKEN": TOKEN}, strict=True).warnings == ()


def test_a_token_file_that_another_user_may_read_is_no_fault(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(MINIMAL.replace("[[sources]]", 'token_file = "token"\n[[sources]]'), encoding="utf-8")

    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    (warning,) = load(file, strict=True).warnings
    assert "token may not be read by this user" in warning


def test_what_cannot_be_known_of_a_section_at_fault_is_not_said(file: Path) -> None:
    file.write_text(MINIMAL.replace('"open"', '"opn"'), encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        load(file)
    assert caught.value.notes == ()


def test_a_bad_token_in_the_environment_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="what stands in TELEGRAM_BOT_TOKEN cannot be a token") as caught:
        setup.token(config(tmp_path), {"TELEGRAM_BOT_TOKEN": "secret words"})
    assert "secret words" not in str(caught.value)


# --- The database


def test_the_database_is_where_the_config_says_else_in_the_state_of_systemd_else_here(tmp_path: Path) -> None:
    named = Config(path="config.toml", storage=Storage(path=Path("x.db")))
    plain = Config(path="config.toml")
    state = {"STATE_DIRECTORY": "/var/lib/monitor-bot:/var/lib/other"}
    assert setup.database(named, state) == Path("x.db")
    assert setup.database(plain, state) == Path("/var/lib/monitor-bot/monitor.db")
    assert setup.database(plain, {}, folder=tmp_path) == tmp_path / "state" / "monitor.db"
    assert setup.database(plain, {}) == Path("state/monitor.db")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("folder", "folder is a folder: name a file in it"),
        ("file/x.db", "file is no folder, so that"),
        ("file/deep/x.db", "file is no folder, so that"),
        ("notes.txt", "notes.txt is no database: move it away, or name another"),
        ("pipe", "pipe is no database"),
    ],
)
def test_a_path_at_which_no_database_can_be_is_a_fault_where_it_is_strict(
    file: Path, path: str, said: str
) -> None:
    (file.parent / "folder").mkdir()
    (file.parent / "file").touch()
    (file.parent / "notes.txt").write_text("SQLite notes", encoding="utf-8")
    os.mkfifo(file.parent / "pipe")
    file.write_text(f'{MINIMAL}[storage]\npath = "{path}"\n', encoding="utf-8")
    (fault,) = strict_faults(file, {"TELEGRAM_BOT_TOKEN": TOKEN})
    assert fault.startswith("line 10: storage.path: ")
    assert said in fault
    assert load(file, {"TELEGRAM_BOT_TOKEN": TOKEN}).warnings == ()


@pytest.mark.parametrize("path", ["file", "x.db", "new/deep/x.db"])
def test_a_path_that_this_user_may_not_write_is_a_warning_and_another_one_is_none(
    file: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "file").touch()
    file.write_text(f'{MINIMAL}[storage]\npath = "{path}"\n', encoding="utf-8")
    environ = {"TELEGRAM_BOT_TOKEN": TOKEN}
    assert load(file, environ, strict=True).warnings == ()
    monkeypatch.setattr(os, "access", lambda *_: False)
    (warning,) = load(file, environ, strict=True).warnings
    assert f"{path} may not be written by this user" in warning
