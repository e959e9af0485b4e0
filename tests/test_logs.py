"""The log: which lines are written when."""

import asyncio
import io
import logging
import threading
from collections.abc import Iterator

import pytest

from monitor import logs


class Stream(io.StringIO):
    """A stream that remembers what each write brought, and can refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.brought: list[str] = []
        self.refuses = False

    def write(self, text: str) -> int:
        if self.refuses:
            raise OSError(28, "No space left on device")
        if text:
            self.brought.append(text)
        return len(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream) -> Iterator[logging.Logger]:
    logger = logging.Logger("example")  # noqa: LOG001 -- of this test alone
    handler = logs.TurnHandler(stream)
    logger.addHandler(handler)
    yield logger
    stream.refuses = False
    handler.close()


async def test_the_lines_of_one_turn_of_the_loop_are_written_at_once(
    log: logging.Logger, stream: Stream
) -> None:
    async def poll(number: int) -> None:
        log.info("poll %d", number)

    await asyncio.gather(*map(poll, range(3)))
    await asyncio.sleep(0)
    assert stream.brought == ["poll 0\npoll 1\npoll 2\n"]
    log.info("later")
    await asyncio.sleep(0)
    assert stream.brought[1:] == ["later\n"]


async def test_a_warning_is_written_without_delay_after_what_came_before(
    log: logging.Logger, stream: Stream
) -> None:
    log.info("first")
    log.warning("second")
    assert "".join(stream.brought) == "first\nsecond\n"
    log.info("third")
    await asyncio.sleep(0)
    assert "".join(stream.brought) == "first\nsecond\nthird\n"


async def test_a_line_of_another_thread_is_written_without_delay_after_what_came_before(
    log: logging.Logger, stream: Stream
) -> None:
    log.info("of the loop")
    thread = threading.Thread(target=log.info, args=("of a thread",))
    thread.start()
    thread.join()
    assert "".join(stream.brought) == "of the loop\nof a thread\n"


def test_without_a_loop_each_line_is_written_as_it_comes(log: logging.Logger, stream: Stream) -> None:
    log.info("first")
    log.info("second")
    assert stream.brought == ["first\n", "second\n"]


async def test_what_the_last_turn_left_is_written_at_the_end(log: logging.Logger, stream: Stream) -> None:
    log.info("last words")
    assert stream.brought == []
    log.handlers[0].flush()  # as `logging.shutdown` does
    assert stream.brought == ["last words\n"]


async def test_a_line_that_cannot_be_written_stops_nothing(
    log: logging.Logger, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.refuses = True
    log.info("lost")
    log.warning("%d", "no number")
    await asyncio.sleep(0)
    log.warning("lost, too")
    stream.refuses = False
    log.warning("written")
    assert stream.brought == ["written\n"]
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "no number" in said
