"""The event loop that everything runs on."""

import asyncio
import sys

import pytest

from monitor import loop


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not exist there")
def test_what_runs_runs_on_uvloop() -> None:
    assert loop.run(kind()).startswith("uvloop")


def test_without_uvloop_it_runs_on_the_loop_of_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(kind()).startswith("asyncio")


def test_an_error_of_what_runs_comes_out() -> None:
    async def fails() -> None:
        raise LookupError("out")

    with pytest.raises(LookupError):
        loop.run(fails())
