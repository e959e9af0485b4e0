"""What a kind of source is: how it is fetched, and how what was fetched is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from monitor.model import Cursor, Polled, Source
from monitor.sources.http import Http, Response


class Fetched(NamedTuple):
    """The answers that one look at a source took, in the order in which they were asked for."""

    answers: tuple[Response, ...]
    notes: tuple[str, ...] = ()
    gaps: str | None = None  # see `Cursor.gaps`
    below: int | None = None  # posts from this id on are left to the next look
    more: bool = False  # see `Polled.more`


Fetch = Callable[[Http, Source, Cursor], Awaitable[Fetched]]
Parse = Callable[[Fetched, Source, Cursor], Polled]
Glance = Callable[[Fetched, Source, Cursor], Polled | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of `KINDS`.

    `fetch` does all the talking. `parse` is pure and takes and returns plain values only, so that it can
    run in a thread, in another process or on another machine; it raises nothing but `MonitorError`s.
    `glance` returns what `parse` would where that takes less than a millisecond, and None otherwise.
    """

    name: str
    fetch: Fetch
    parse: Parse
    glance: Glance | None = None
