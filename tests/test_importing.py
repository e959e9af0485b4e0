"""An admin sends a list of sources as a file; the command line does too, also beside the service."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from fakes import BotApi
from running import ADMIN, ROOT, a_bot, feed
from test_adding import house, says
from test_cli import Run, folder, ran
from test_cli import bot as run
from test_commands import House
from test_telegram_bot import running

from monitor.config import NoAddress
from monitor.errors import TelegramUnreachable
from monitor.model import Attachment, Message, Reply, Request
from monitor.opml import LARGEST

__all__ = ["folder", "house", "ran"]

LIST = """<opml version="2.0"><body><outline text="Media">
<outline text="One" xmlUrl="https://one.example/feed"/><outline text="Two" xmlUrl="https://t.me/s/two_channel"/>
<outline text="One again" xmlUrl="http://one.example/feed/"/><outline text="Bad" xmlUrl="file:///etc/passwd"/>
</outline></body></opml>"""


async def sends(house: House, data: bytes, **facts: int) -> str:
    house.files["f"] = data
    attachment = Attachment("f", facts.get("size", len(data)))
    return await house.says("/import", facts.get("user", ADMIN), user_name="Olena", file=attachment)


async def test_a_list_that_an_admin_sends_is_added_and_summed_up(house: House) -> None:
    shown = await sends(house, LIST.encode())
    assert "2 added, 1 known already, 1 refused." in shown
    assert "New: One, Two." in shown
    assert "• Bad: file:///etc/passwd is no web address" in shown
    assert [(one.id, one.tags, one.added_by) for one in house.added] == [
        ("one-example", ("Media",), "Olena"),
        ("two-channel", ("Media",), "Olena"),
    ]
    assert "0 added, 3 known already, 1 refused." in await sends(house, LIST.encode())


async def test_only_an_admin_s_list_is_fetched(house: House) -> None:
    house.files.clear()
    attachment = Attachment("never fetched", 10)
    assert await house.says("/import", 1, file=attachment) == "Only an admin may do that."


async def test_a_private_address_that_is_read_already_is_known_and_not_refused(house: House) -> None:
    shown = await sends(
        house,
        b"""<opml><body><outline text="Ours" xmlUrl="http://127.0.0.1/feed.xml"/>
        <outline text="New" xmlUrl="http://127.0.0.1/new"/></body></opml>""",
    )
    assert "0 added, 1 known already, 1 refused." in shown
    assert "New: http://127.0.0.1/new stands on a private address" in shown


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"nonsense", "broken in line 1"),
        (b"x" * (LARGEST + 1), "larger than 1 MB"),
        (b"<opml/>", "names no source"),
    ],
)
async def test_a_list_that_cannot_be_read_is_answered_in_one_sentence(
    house: House, data: bytes, why: str
) -> None:
    assert why in await sends(house, data)
    assert why in await sends(house, data, size=1) or why.startswith("names")
    assert house.added == []


async def test_without_a_file_the_bot_says_what_to_send(house: House) -> None:
    assert "OPML" in await says(house, "/import")


async def test_a_file_is_fetched_from_telegram_up_to_a_limit() -> None:
    async with BotApi() as api:
        fetched: list[bytes] = []

        async def handle(request: Request) -> Reply:
            assert request.file
            fetched.append(await bot.download(request.file.id, 10))
            return Reply(Message(f"{request.text} of {request.file.size} bytes"))

        async with running(api, handle) as bot:
            api.user_sends(7, "list.OPML", b"<opml/>", caption="my feeds")
            api.user_sends(7, "list", b"<opml/>", mime="text/x-opml")
            api.user_sends(7, "feeds.xml", b"x" * 1000)
            await api.wait_for(3)
        assert fetched == [b"<opml/>", b"<opml/>", b"x" * 11]
        assert api.texts(7) == ["/import of 7 bytes", "/import of 7 bytes", "/import of 1000 bytes"]


async def test_a_file_of_any_name_is_answered_in_private_and_left_alone_in_groups() -> None:
    async with BotApi() as api:

        async def handle(request: Request) -> Reply:
            return Reply(Message(f"{request.text} of {request.file.size if request.file else 0} bytes"))

        async with running(api, handle):
            api.user_sends(-7, "feeds.txt", b"<opml/>")
            api.user_sends(7, "feeds.txt", b"<opml/>")
            await api.wait_for(1)
        assert (api.texts(7), api.texts(-7)) == (["/import of 7 bytes"], [])


async def test_a_file_that_telegram_no_longer_has_is_an_error_without_the_token() -> None:
    async with BotApi() as api:
        async with running(api) as bot:
            file_id = api.keep_file("list.opml", b"<opml/>")
            path, data = api.files.popitem()
            api.files[path] = data
            api.methods["getfile"] = lambda _: {"file_id": "1", "file_unique_id": "1", "file_path": "gone"}
            with pytest.raises(TelegramUnreachable) as failed:
                await bot.download(file_id, 10)
        assert api.token not in str(failed.value)


def test_the_command_line_takes_a_list_and_gives_the_same(folder: Path, ran: Run) -> None:
    (folder / "list.opml").write_text(LIST, encoding="utf-8")
    done = run("sources", "--import", "list.opml", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"database {folder}/state/monitor.db, which is new"
    assert done.stdout.splitlines()[-1] == "2 added, 1 known already, 1 refused."
    assert ran("sources", "--import", "list.opml").stdout.startswith(f"database {folder}/state/monitor.db\n")
    listed = ran("sources").stdout
    assert "one-example  One  (added by bot.py)  https://one.example/feed" in listed
    exported = ran("sources", "--export").stdout
    assert exported.endswith("</opml>\n")
    assert exported.count("xmlUrl=") == 3
    assert ran("sources", "--export", "out.opml").stdout == "out.opml  3 sources\n"
    assert (folder / "out.opml").read_text("utf-8").count("xmlUrl=") == 3
    again = ran("sources", "--export", "out.opml")
    assert (again.returncode, again.stderr) == (1, "out.opml is there already: name another file\n")
    other = folder / "other"
    other.mkdir()
    (other / "config.toml").write_text("", encoding="utf-8")
    taken = run("sources", "--import", "-", folder=other, stdin=exported)
    assert taken.stdout.splitlines()[-1] == "3 added, 0 known already, 0 refused."
    assert "note     127-0-0-1 stands on a private address" in taken.stdout


def test_the_command_line_says_of_each_entry_what_came_of_it(folder: Path, ran: Run) -> None:
    bare = '<outline text="No url" type="rss"/><outline type="RSS"/><outline text="Empty folder"/>'
    (folder / "list.opml").write_text(LIST.replace("</body>", f"{bare}</body>"), encoding="utf-8")
    refused = [
        f"refused  Bad: file:///etc/passwd {NoAddress('scheme')}",
        f"refused  No url {NoAddress('missing')}",
        f"refused  <outline> {NoAddress('missing')}",
    ]
    assert ran("sources", "--import", "list.opml").stdout.splitlines()[1:] == [
        "added    one-example  One",
        "added    two-channel  Two",
        "known    one-example  One again  http://one.example/feed/",
        *refused,
        "2 added, 1 known already, 3 refused.",
    ]
    assert ran("sources", "--import", "list.opml").stdout.splitlines()[1:] == [
        "known    one-example  One  https://one.example/feed",
        "known    two-channel  Two  @two_channel",
        "known    one-example  One again  http://one.example/feed/",
        *refused,
        "0 added, 3 known already, 3 refused.",
    ]


def test_of_many_entries_that_are_known_or_refused_the_first_are_named(folder: Path, ran: Run) -> None:
    outlines = "".join(f'<outline xmlUrl="https://one.example"/><outline xmlUrl="x{n}"/>' for n in range(25))
    (folder / "list.opml").write_text(f"<opml><body>{outlines}</body></opml>", encoding="utf-8")
    lines = ran("sources", "--import", "list.opml").stdout.splitlines()
    assert [line for line in lines if "more" in line] == ["known    and 4 more", "refused  and 5 more"]
    assert sum(line.startswith("known ") for line in lines) == sum(
        line.startswith("refused ") for line in lines
    )
    assert lines[-1] == "1 added, 24 known already, 25 refused."


def test_a_list_without_sources_is_named_as_a_failure_and_makes_no_database(folder: Path, ran: Run) -> None:
    (folder / "list.opml").write_text("<opml/>", encoding="utf-8")
    done = ran("sources", "--import", "list.opml")
    said = ["note     the list names no source", "0 added, 0 known already, 0 refused."]
    assert (done.returncode, done.stdout.splitlines()) == (1, said)
    assert not (folder / "state").exists()


@pytest.mark.parametrize("arguments", [("--import", "nowhere.opml"), ("--import", "config.toml")])
def test_a_list_that_cannot_be_taken_is_one_line(folder: Path, arguments: tuple[str, ...]) -> None:
    done = run("sources", *arguments, folder=folder)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(arguments[1])


def test_a_list_of_the_standard_input_that_cannot_be_taken_is_named(folder: Path) -> None:
    done = run("sources", "--import", "-", folder=folder, stdin="<rss/>")
    assert (done.returncode, done.stderr) == (1, "the standard input: This is a feed, and no OPML list\n")


async def test_lists_are_taken_while_the_service_runs_by_chat_and_by_command_line(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        bot.more = '[network]\nallow_private_hosts = ["127.0.0.1"]\n'
        bot.write_config()
        for name in ("chat", "line"):
            bot.web.serve(f"/{name}", feed(("/1", "An old story", "")))
        outline = '<opml><body><outline text="New {0}" xmlUrl="{1}"/></body></opml>'
        await bot.start()
        await bot.baseline()
        bot.api.user_says(ADMIN, "/start")
        bot.api.user_sends(ADMIN, "feeds.opml", outline.format("chat", bot.web.url("/chat")).encode())
        await bot.api.wait_for(lambda: any("1 added" in text for text in bot.api.texts(ADMIN)), within=10)
        (tmp_path / "line.opml").write_text(outline.format("line", bot.web.url("/line")), "utf-8")
        arguments = ("--config", tmp_path / "config.toml", "sources", "--import", tmp_path / "line.opml")
        process = await asyncio.create_subprocess_exec(sys.executable, ROOT / "bot.py", *arguments)
        assert await process.wait() == 0

        def asked() -> bool:
            return {"/chat", "/line"} <= {seen.path for seen in bot.web.requests}

        await bot.api.wait_for(asked, within=15)
