"""Messages as a chat would show them, in a terminal.

Everything here is a pure function from values to what rich can print: in colour on a terminal, as
plain text elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from io import StringIO

from rich import box
from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

from monitor.model import Message

STYLES = {
    "b": Style(bold=True),
    "strong": Style(bold=True),
    "i": Style(italic=True),
    "em": Style(italic=True),
    "u": Style(underline=True),
    "ins": Style(underline=True),
    "s": Style(strike=True),
    "del": Style(strike=True),
    "code": Style(color="cyan"),
    "pre": Style(color="cyan"),
    "blockquote": Style(dim=True),
}
"""How the tags of Telegram's HTML look; a link has a style of its own."""

WIDTH = 76

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")


class _Reader(HTMLParser):
    """Collects Telegram HTML as styled text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = Text()
        self._open = [Style()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Put the style of a tag on what follows."""
        style = STYLES.get(tag, Style())
        if tag == "a":
            style = Style(color="bright_blue", underline=True, link=dict(attrs).get("href"))
        self._open.append(self._open[-1] + style)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  (tags nest, so the last one is meant)
        """Go back to the style before the tag."""
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add text in the present style."""
        self.text.append(data, self._open[-1])


def styled(html: str) -> Text:
    """Return Telegram HTML as text with styles and links."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text


def bubble(message: Message, *, chat: str, time: str) -> RenderableType:
    """Return a message as a bubble headed by its chat, with its time and its buttons below it."""
    body: list[RenderableType] = [styled(message.html)]
    if message.buttons:
        body.append(Text())
    body += [
        Text("  ").join(Text(f" {button.label} ", style="reverse") for button in row)
        for row in message.buttons
    ]
    sign = "silent, " if message.silent else ""
    return Panel(
        Group(*body),
        title=Text(chat, style="bold"),
        title_align="left",
        subtitle=Text(f"{sign}{time}", style="dim"),
        subtitle_align="right",
        box=box.ROUNDED,
        border_style="blue",
        padding=(0, 1),
        width=WIDTH,
    )


def summary(figures: Mapping[str, object], *, title: str) -> Table:
    """Return figures as a small table, one a row, in their order."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right", style="bold")
    for name, figure in figures.items():
        table.add_row(name, str(figure))
    return table


def picture(bubbles: Iterable[RenderableType], *, title: str) -> str:
    """Return bubbles as an SVG drawing that fetches nothing, not even a font."""
    console = Console(
        record=True, width=WIDTH + 4, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for one in bubbles:
        console.print(Padding(Align.center(one), (1, 0, 0, 0)))
    return _FONT_FACE.sub("", console.export_svg(title=title))
