"""The command line: what was asked for on standard output, one clear line on standard error, an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from monitor import __version__
from monitor.cli import main
from monitor.store import Store

ROOT = Path(__file__).parent.parent
CONFIG = """
[[sources]]
id = "example"
name = "Example News"
url = "http://127.0.0.1:9/feed"

[[topics]]
id = "starlink"
name = "Starlink"
keywords = ["Starlink"]
"""


def bot(*arguments: object, folder: Path, stdin: Any = "", **facts: Any) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "TELEGRAM_BOT_TOKEN"}
    usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    given = {"input" if isinstance(stdin, str) else "stdin": stdin}
    return subprocess.run(
        [sys.executable, ROOT / "bot.py", *map(str, arguments)],
        cwd=folder,
        env=environ,
        text=True,
        **{**usual, **given, **facts},
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in this process: that is quicker, where it makes no difference."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)

    def run(*arguments: object) -> Ran:
        try:
            code = main([str(one) for one in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_the_demo_shows_alerts_in_three_languages_and_ends_by_itself(tmp_path: Path) -> None:
    began = time.monotonic()
    done = bot("demo", folder=tmp_path)
    assert time.monotonic() - began < 30
    assert (done.returncode, done.stderr) == (0, "")
    for shown in ("Старлінк", "энергосистеме", "freezing", "(official)", "in Ukrainian", "alerts sent"):
        assert shown in done.stdout
    assert "museum" not in done.stdout.lower()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_check_says_that_a_config_is_valid_and_what_may_not_be_meant(ran: Run) -> None:
    done = ran("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 source, 1 topic." in done.stdout
    assert "token" in done.stdout


def test_check_names_every_fault_with_its_line_and_what_may_not_be_meant_and_exits_with_2(
    ran: Run, folder: Path
) -> None:
    (folder / "config.toml").write_text(
        CONFIG + 'kewords = []\n[polling]\nevery = "soon"\n', encoding="utf-8"
    )
    done = ran("check")
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert "config.toml: line 11:" in first
    assert '"keywords"' in first
    assert "config.toml: line 13:" in second
    assert "note: telegram.access" in done.stdout


def test_check_looks_whether_the_token_and_the_database_can_be_where_the_config_says(
    ran: Run, folder: Path
) -> None:
    says = '[telegram]\ntoken_file = "gone"\n[storage]\npath = "."\n'
    (folder / "config.toml").write_text(CONFIG + says, encoding="utf-8")
    done = ran("check")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)
    assert "line 12: telegram.token_file: gone does not exist" in done.stderr
    assert "line 14: storage.path: . is a folder" in done.stderr
    assert ran("match", "Starlink").returncode == 0


def test_check_refuses_a_database_that_the_service_would_not_take(ran: Run, folder: Path) -> None:
    (folder / "state").mkdir()
    theirs = Database(folder / "state" / "monitor.db")
    theirs.table("notes").insert({"text": "of another program"})
    theirs.close()
    done = ran("check")
    assert done.returncode != 0
    assert done.stderr.startswith("state/monitor.db is another program's database: name another file")
    assert done.stdout == ""
    assert [one.name for one in (folder / "state").iterdir()] == ["monitor.db"]
    (folder / "state" / "monitor.db").unlink()
    with Store.change(folder / "state" / "monitor.db"):
        pass
    there = sorted((folder / "state").iterdir())
    assert ran("check").returncode == 0
    assert sorted((folder / "state").iterdir()) == there
    newer = Database(folder / "state" / "monitor.db")
    newer.execute("UPDATE _sqlite_migrations SET name = 'of tomorrow' WHERE id = 1")
    newer.conn.commit()
    newer.close()
    assert "state/monitor.db was written by a newer version" in ran("check").stderr


@pytest.mark.parametrize("command", ["check", "sources", "poll"])
@pytest.mark.parametrize("made_by", ["CREATE TABLE _sqlite_migrations (a)", "CREATE TABLE cafe (a)"])
def test_a_database_that_cannot_be_read_as_ours_is_refused_in_one_line(
    ran: Run, folder: Path, made_by: str, command: str
) -> None:
    (folder / "state").mkdir()
    theirs = Database(folder / "state" / "monitor.db")
    theirs.execute(made_by)
    theirs.close()
    file = folder / "state" / "monitor.db"
    file.write_bytes(file.read_bytes().replace(b"cafe", b"caf\xff"))  # which is no text
    done = ran(command)
    assert done.returncode == 1
    assert done.stderr.startswith("state/monitor.db is another program's database: name another file")
    assert done.stderr.count("\n") == 1


def test_check_leaves_what_is_no_file_to_the_service(ran: Run, folder: Path) -> None:
    (folder / "state").mkdir()
    os.mkfifo(folder / "state" / "pipe")
    (folder / "state" / "monitor.db").symlink_to("pipe")
    assert ran("check").stderr == ""


def test_the_example_config_is_valid_as_it_stands(ran: Run) -> None:
    assert ran("--config", ROOT / "config.example.toml", "check").returncode == 0


def test_the_config_may_be_named_after_the_command_too(ran: Run) -> None:
    done = ran("check", "--config", ROOT / "config.example.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "config.example.toml is valid" in done.stdout


@pytest.mark.parametrize("command", ["run", "check", "poll", "match"])
def test_without_a_config_every_command_says_what_to_do(tmp_path: Path, command: str) -> None:
    done = bot("--config", "nowhere.toml", command, folder=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "nowhere.toml" in done.stderr


def test_run_without_a_token_says_where_to_get_one(folder: Path) -> None:
    done = bot("run", folder=folder)
    assert done.returncode == 2
    assert "BotFather" in done.stderr


@pytest.mark.usefixtures("folder")
def test_match_says_which_topics_and_why(ran: Run) -> None:
    done = ran("match", "Дрони зі Старлінками")
    assert done.returncode == 0
    assert "Starlink (starlink)" in done.stdout
    assert "Старлінками" in done.stdout
    assert "script" in done.stdout


@pytest.mark.usefixtures("folder")
def test_match_shows_the_words_in_brackets_each_once_and_how_often_with_a_short_score_on_unfolded_lines(
    ran: Run,
) -> None:
    text = (
        "Starlink. " * 3
        + "The terminals of the network that everybody on the front calls Starlnk are off " * 2
    )
    done = ran("match", text)
    lines = done.stdout.splitlines()
    assert len(lines) == len(set(lines))
    assert sum("(exact: Starlink, 3 times)" in line for line in lines) == 1
    assert any(
        "[Starlnk]" in line and len(line) > 100 and "(typo: Starlink, 2 times)" in line for line in lines
    )
    assert re.search(r"score \d+(\.\d)?$", lines[0])


def test_match_needs_no_config_and_says_what_it_takes_instead(ran: Run) -> None:
    done = ran("match", "SpaceX почала вимикати дрони зі Старлінками")
    assert (done.returncode, len(done.stderr.splitlines())) == (0, 1)
    assert "no config.toml" in done.stderr
    assert "(starlink)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--file", "text.txt", "Starlink"), 2, "not both"),
        (("--jsonl", "text.txt", "Starlink"), 2, "not both"),
        (("--file", "empty.txt"), 2, "there is no text"),
        ((" ",), 2, "there is no text"),
        ((), 2, "there is no text"),
        ((b"\xff",), 1, "TEXT is not UTF-8"),
    ],
)
def test_match_says_what_is_wrong_with_its_text(
    folder: Path, arguments: tuple[str | bytes, ...], code: int, said: str
) -> None:
    (folder / "text.txt").write_text("Starlink", encoding="utf-8")
    (folder / "empty.txt").touch()
    done = bot("match", *map(os.fsdecode, arguments), folder=folder)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (code, "", 1)
    assert said in done.stderr


def test_a_standard_input_that_is_no_text_is_one_sentence(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"\xff\xfe\xfd")
    with (folder / "latin.txt").open("rb") as file:
        done = bot("match", folder=folder, stdin=file)
    assert done.returncode == 1
    assert done.stderr == "the standard input is not UTF-8 text: convert it first\n"


def test_an_output_that_takes_nothing_more_is_one_sentence(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = bot("match", "Starlink", folder=folder, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "The output cannot be written: No space left on device.\n"


def test_an_output_that_nobody_reads_any_more_is_no_failure(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = bot("match", "Starlink", folder=folder, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_failure(folder: Path, closed: str) -> None:
    def ends(*command: str) -> tuple[int, str]:
        shell = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, str(ROOT / "bot.py"), *command]
        done = subprocess.run(shell, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    assert ends("match", "Starlink") == (0, "")
    assert ends("poll") == (1, "")  # nothing answers at the address of its source


@pytest.mark.parametrize("encoding", ["ascii", "ascii:surrogateescape", "ascii:replace"])
def test_a_letter_that_the_outputs_encoding_does_not_have_is_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = bot("match", "Старлінк", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("????????" if "replace" in encoding else r"\u0421\u0442") in done.stdout


def test_ctrl_c_while_the_program_loads_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "cli.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    (tmp_path / "bot.py").write_bytes((ROOT / "bot.py").read_bytes())
    done = subprocess.run([sys.executable, tmp_path / "bot.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_match_says_what_a_topic_lacks_that_came_near_also_where_it_excludes_something(
    ran: Run, folder: Path
) -> None:
    words = 'keywords = ["bridge collapse", "dam break"]\nexclude = ["card game"]\n'
    (folder / "config.toml").write_text(f'{CONFIG}[[topics]]\nid = "bridge"\n{words}', encoding="utf-8")
    lines = ["No topic matches.", "not bridge (bridge)", '  "collapse" of "bridge collapse" is not there']
    assert ran("match", "The bridge fell").stdout.splitlines() == lines
    assert ran("match", "All is quiet").stdout.splitlines() == lines[:1]


def test_match_reads_a_file_or_the_standard_input(folder: Path) -> None:
    (folder / "text.txt").write_text("Starlink", encoding="utf-8")
    for done in (
        bot("match", "--file", "text.txt", folder=folder),
        bot("match", folder=folder, stdin="Starlink"),
        bot("match", "-", folder=folder, stdin="Starlink"),
        bot("match", "--file", "-", folder=folder, stdin="\ufeffStarlink"),
    ):
        assert "Starlink (starlink)" in done.stdout


def test_match_reads_the_lines_of_the_standard_input(folder: Path) -> None:
    done = bot("match", "--jsonl", "-", folder=folder, stdin='{"id": 1, "text": "Starlink"}\nnonsense\n')
    assert [topic["id"] for topic in json.loads(done.stdout)["topics"]] == ["starlink"]
    assert done.stderr.startswith("the standard input: line 2: expected a JSON object")


def test_match_answers_each_line_of_a_jsonl_file_with_the_evidence(ran: Run, folder: Path) -> None:
    texts = [{"id": 1, "title": "Старлінк", "text": "x"}, {"id": "b", "title": "", "text": "Nothing here"}]
    lines = "\n\n".join(json.dumps(text, ensure_ascii=False) for text in texts)
    (folder / "texts.jsonl").write_text(f"\ufeff{lines}\n \n", encoding="utf-8")
    done = ran("match", "--jsonl", "texts.jsonl")
    first, second = map(json.loads, done.stdout.splitlines())
    (topic,) = first["topics"]
    (evidence,) = topic.pop("evidence")
    assert (first["id"], topic["id"], 0 < topic["score"] <= 100) == (1, "starlink", True)
    assert evidence == {"field": "title", "start": 0, "end": 8, "keyword": "Starlink", "how": "script"}
    assert second == {"id": "b", "topics": []}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "character 1: Expecting value"),
        (b'{"id": 2 "text": "x"}', "character 10: Expecting ',' delimiter"),
        (b"[1]", "this is no object"),
        (b'{"title": "no id"}', '"id" is missing'),
        (b"[" * 100_000, "too many brackets"),
        (b'"\xff"', "this is not UTF-8"),
        (b'{"id": 2}', '"title" and "text" are missing'),
        (b'{"id": 2, "titel": "Starlink"}', '"title" and "text" are missing'),
        (b'{"id": 2, "text": 5}', '"title" and "text" are strings'),
        (b'{"id": 2, "title": ["Starlink"], "text": "x"}', "are strings"),
    ],
)
def test_match_names_the_line_that_is_wrong_and_reads_those_after_it(
    ran: Run, folder: Path, line: bytes, reason: str
) -> None:
    good = b'{"id": %d, "text": ""}'
    (folder / "texts.jsonl").write_bytes(b"\n".join([good % 1, line, good % 3, b""]))
    done = ran("match", "--jsonl", "texts.jsonl")
    assert done.returncode == 1
    assert [json.loads(each)["id"] for each in done.stdout.splitlines()] == [1, 3]
    assert done.stderr.startswith("texts.jsonl: line 2: expected a JSON object")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["missing.txt", "latin.txt"])
def test_match_names_a_file_that_cannot_be_read(ran: Run, folder: Path, name: str) -> None:
    (folder / "latin.txt").write_bytes(b"\xff\xfe\xfd")
    done = ran("match", "--file", name)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert name in done.stderr


def test_an_empty_text_is_wrong_usage_and_nothing_is_waited_for(ran: Run) -> None:
    done = ran("match", "")
    assert (done.returncode, done.stderr.count("there is no text")) == (2, 1)


def test_a_text_is_matched_as_if_a_source_had_published_it(folder: Path, ran: Run) -> None:
    tagged = CONFIG.replace('"Example News"', '"Example News"\ntags = ["media"]')
    narrowed = 'sources = ["media"]\nquery = "drone source:media"\n'
    (folder / "config.toml").write_text(tagged + narrowed, encoding="utf-8")
    (folder / "list.opml").write_text(
        '<opml><body><outline text="media"><outline xmlUrl="https://one.example"/></outline></body></opml>',
        encoding="utf-8",
    )
    (folder / "texts.jsonl").write_text('{"id": 1, "text": "A drone"}\n', encoding="utf-8")
    assert ran("sources", "--import", "list.opml").returncode == 0
    assert "only looks at these sources: media" in ran("match", "Starlink").stdout
    for source in ("example", "one-example"):
        assert "score" in ran("match", "--source", source, "Starlink").stdout
    done = ran("match", "--source", "example", "--jsonl", "texts.jsonl")
    assert [topic["id"] for topic in json.loads(done.stdout)["topics"]] == ["starlink"]


def test_without_a_config_it_is_said_where_sources_stand(ran: Run) -> None:
    remedy = "copy config.example.toml to it, or name yours with --config PATH\n"
    done = ran("match", "--source", "example", "Starlink")
    assert (done.returncode, done.stdout) == (2, "")
    said = f"--source example: there is no such source, as there is no config.toml: {remedy}"
    assert done.stderr.splitlines(keepends=True)[1:] == [said]
    listed = ran("sources")
    assert (listed.returncode, listed.stdout) == (2, "")
    assert listed.stderr.startswith(
        "config.toml: there is no such file and no /etc/monitor-bot/config.toml: "
    )
    assert listed.stderr.endswith(remedy)


@pytest.mark.usefixtures("folder")
def test_match_knows_the_sources_by_their_ids(ran: Run) -> None:
    done = ran("match", "--source", "exampel", "Starlink")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--source exampel: there is no such source; `bot.py sources` lists them\n"


def test_match_says_that_it_looks_at_no_more_than_the_beginning_of_a_long_text(
    folder: Path, ran: Run
) -> None:
    (folder / "text.txt").write_text("x " * 100_001, encoding="utf-8")
    done = ran("match", "--file", "text.txt")
    assert (done.returncode, done.stdout) == (0, "No topic matches.\n")
    assert done.stderr == "match: only the first 200,000 characters are looked at\n"


@pytest.mark.parametrize("arguments", [("--config", "", "check"), ("backup", ""), ("match", "--file", "")])
def test_an_empty_name_of_a_file_is_wrong_usage(ran: Run, arguments: tuple[str, ...]) -> None:
    done = ran(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the name of the file is empty" in done.stderr


def test_a_folder_that_is_not_there_is_not_made_a_file(folder: Path, ran: Run) -> None:
    before = list(folder.iterdir())
    done = ran("backup", "copies/")
    assert (done.returncode, list(folder.iterdir())) == (2, before)
    assert "there is no folder copies/: make it, or name a file" in done.stderr


@pytest.mark.parametrize("command", ["sources", "topics"])
def test_without_a_database_it_is_said_where_one_was_looked_for(folder: Path, ran: Run, command: str) -> None:
    done = ran(command)
    assert done.returncode == 0
    said = "is not there: nothing was stored yet, this is the config alone"
    assert done.stderr == f"{folder}/state/monitor.db {said}\n"
    assert not (folder / "state").exists()


@pytest.mark.parametrize("command", ["sources", "topics", "poll", "backup", "outbox", "backtest"])
def test_a_database_that_cannot_be_reached_is_said_in_one_line(folder: Path, ran: Run, command: str) -> None:
    config = folder / "config.toml"
    config.write_text(f'{CONFIG}\n[storage]\npath = "{"x" * 300}/m.db"\n', encoding="utf-8")
    done = ran(command)
    assert done.returncode == 1
    assert "m.db cannot be reached: file name too long; name another file in [storage] path\n" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_text_to_match_does_nothing_to_the_terminal_that_shows_it(ran: Run) -> None:
    done = ran("match", "\x1b[31mStarlink\x1b]0;other\x07 \x9b31m\u202eis down")
    assert "Starlink" in done.stdout
    assert not set("\x1b\x07\x9b\u202e") & set(done.stdout)


@pytest.mark.usefixtures("folder")
def test_a_name_that_an_error_repeats_does_nothing_to_the_terminal_either(ran: Run) -> None:
    done = ran("match", "--file", "x\x1b[31m")
    assert done.returncode != 0
    assert "cannot be read" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("do", ["retry", "drop"])
def test_changing_a_row_where_there_is_no_database_makes_none(folder: Path, ran: Run, do: str) -> None:
    done = ran("outbox", do, 5)
    assert done.returncode == 1
    assert "is not there: nothing was stored yet, run the bot first" in done.stderr
    assert not (folder / "state").exists()


@pytest.mark.parametrize("command", ["backup", "outbox", "topics"])
def test_an_empty_file_in_place_of_the_database_is_said_to_be_empty(
    folder: Path, ran: Run, command: str
) -> None:
    (folder / "state").mkdir()
    (folder / "state" / "monitor.db").touch()
    done = ran(command)
    assert done.returncode == 1
    assert "monitor.db is empty: nothing was stored yet, run the bot first" in done.stderr


def test_a_backup_to_where_nobody_can_look_is_said_in_one_line(folder: Path, ran: Run) -> None:
    done = ran("backup", folder / ("y" * 300) / "copy.db")
    assert done.returncode == 1
    assert "copy.db cannot be written: File name too long" in done.stderr


def test_the_help_of_poll_says_that_it_stores_what_it_reads_and_takes_the_baseline(ran: Run) -> None:
    said = " ".join(ran("poll", "--help").stdout.split())
    assert "What is read is stored" in said
    assert "first look is its baseline" in said
    assert "Nothing is sent" in said


def test_poll_names_what_failed_and_fails_when_everything_did(folder: Path) -> None:
    done = bot("poll", folder=folder)
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "1 source polled, 0 new items, 1 failed." in done.stdout
    assert "Traceback" not in done.stderr


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert bot("version", folder=tmp_path).stdout == f"monitor-bot {__version__}\n"
    assert bot("--version", folder=tmp_path).stdout == f"monitor-bot {__version__}\n"
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_command_that_is_not_there_is_wrong_usage(ran: Run) -> None:
    assert ran("dance").returncode == 2
