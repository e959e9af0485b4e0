"""A stand-in for t.me/s/<name>: it shows messages in windows of 20 ids and groups them to posts afterwards.

    channel = Preview(web, "example_office")
    channel.post("text"); channel.album("caption", 4); channel.delete(3); channel.edit(2, "other text")

So an album counts with all of its ids, and is cut where the window ends in it; deleted ids are not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web as http
from web import HTML, Web, channel_page, channel_post

WINDOW = 20


@dataclass(frozen=True)
class Written:
    """A message of the channel."""

    number: int
    text: str
    album: int = 0  # the id of the album's first message
    facts: dict[str, Any] = field(default_factory=dict)


class Preview:
    """A channel that a test writes to while it is watched."""

    def __init__(
        self, web: Web, name: str, *, honours: tuple[str, ...] = ("before", "after"), by_id: bool = False
    ) -> None:
        """Serve the channel; `honours` are the parameters that the host takes notice of.

        A window is 20 messages; `by_id` it is 20 ids, of which some or all may be deleted.
        """
        self.name = name
        self.by_id = by_id
        self.messages: dict[int, Written] = {}
        self.next = 1
        self.honours = honours
        self.failing: dict[int, http.Response] = {}  # answers to single requests, by their number from 1
        self.asked: list[str] = []
        web.answer(f"/s/{name}", self._answer)

    def post(self, text: str, **facts: Any) -> int:
        """Write a message and return its id."""
        self.messages[self.next] = Written(self.next, text, facts=facts)
        self.next += 1
        return self.next - 1

    def album(self, text: str, size: int) -> int:
        """Write an album with a caption on its first picture, and return the id of that."""
        first = self.next
        for number in range(first, first + size):
            self.messages[number] = Written(number, text if number == first else "", album=first)
        self.next += size
        return first

    def edit(self, number: int, text: str) -> None:
        """Give a message another text."""
        self.messages[number] = replace(self.messages[number], text=text, facts={"edited": True})

    def delete(self, *numbers: int) -> None:
        """Delete messages; their ids are not given again."""
        for number in numbers:
            self.messages.pop(number, None)

    def texts(self) -> list[str]:
        """Return the text of every post in order, each album once."""
        return [
            one.text
            for number, one in sorted(self.messages.items())
            if not one.album
            or number == min(other for other, that in self.messages.items() if that.album == one.album)
        ]

    def page(self, before: int | None = None, after: int | None = None) -> str:
        """Return the page of a window."""
        numbers = sorted(self.messages)
        if self.by_id:
            start = after + 1 if after is not None else (before or self.next) - WINDOW
            window = [number for number in numbers if start <= number < start + WINDOW]
        elif after is not None:
            window = [number for number in numbers if number > after][:WINDOW]
        else:
            window = [number for number in numbers if before is None or number < before][-WINDOW:]
        posts: dict[int, list[Written]] = {}
        for number in window:
            one = self.messages[number]
            posts.setdefault((one.album and -one.album) or number, []).append(one)
        return channel_page(self.name, *(self._shown(group) for group in posts.values()))

    def _shown(self, group: list[Written]) -> str:
        text = " ".join(one.text for one in group if one.text)
        members = tuple(one.number for one in group) if group[0].album else ()
        return channel_post(self.name, group[0].number, text, members=members, **group[0].facts)

    async def _answer(self, request: http.Request) -> http.StreamResponse:
        self.asked.append(request.query_string)
        if failure := self.failing.get(len(self.asked)):
            return failure
        asked = {name: int(request.query[name]) for name in self.honours if name in request.query}
        return http.Response(text=self.page(**asked), content_type=HTML.partition(";")[0])
