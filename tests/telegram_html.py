"""What Telegram makes of HTML: the plain text and its entities, or its refusal in its own words.

The rules are those of TDLib's parser (td/telegram/MessageEntity.cpp, parse_html), which is behind
`parse_mode=HTML` of the Bot API; it is stricter and stranger than HTML:
- only the tags of `KINDS` exist, and each has to be closed by its own name or by "</>";
- only &lt; &gt; &amp; &quot; and numeric references are decoded, with or without the semicolon;
  everything else behind an ampersand stays as it is;
- offsets in errors count bytes of UTF-8, those of entities count UTF-16 code units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

KINDS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
SPACE = " \t\r\n\0\v"
REFERENCE = re.compile(r"&(?:#x(?P<hex>[0-9A-Fa-f]+)|#(?P<number>[0-9]+)|(?P<name>[A-Za-z]+));?")
TOKEN = re.compile(r"[A-Za-z0-9.-]*")
TEXT_LIMIT = 4096  # UTF-16 units, after parsing
ENTITY_LIMIT = 100  # more are dropped without a word


class HtmlRefused(Exception):
    """Telegram's words on HTML that it cannot parse."""


@dataclass(frozen=True)
class Entity:
    """A stretch of the text, in UTF-16 code units, and what it is."""

    kind: str
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True)
class Tag:
    """An open start tag."""

    name: str
    argument: str
    offset: int  # UTF-16, into the text
    position: int  # characters, into the text


def utf16_length(text: str) -> int:
    """Return the length of a text as Telegram counts it."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def parse(markup: str) -> tuple[str, tuple[Entity, ...]]:
    """Return text and entities, or raise `HtmlRefused`."""
    return _Parser(markup).parse()


def is_link(url: str) -> bool:
    """Tell whether Telegram makes a link of it; what is none stays plain text, with no error."""
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in {"http", "https"} and "." in host.strip(".") and parts.port != 0
    except ValueError:
        return False


class _Parser:
    def __init__(self, markup: str) -> None:
        self.markup = markup
        self.at = 0
        self.text = ""
        self.open: list[Tag] = []
        self.entities: list[Entity] = []

    def parse(self) -> tuple[str, tuple[Entity, ...]]:
        while self.at < len(self.markup):
            char = self.markup[self.at]
            if char == "<" and self.markup.startswith("</", self.at):
                self._end_tag()
            elif char == "<":
                self._start_tag()
            else:
                self.text += self._char()
        if self.open:
            raise HtmlRefused(f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"')
        try:
            self.text.encode()
        except UnicodeEncodeError:
            raise HtmlRefused(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            ) from None
        return self._trimmed()

    def _trimmed(self) -> tuple[str, tuple[Entity, ...]]:
        lead = len(self.text) - len(self.text.lstrip())
        text = self.text.strip()
        end = utf16_length(text)
        kept = []
        for entity in sorted(self.entities, key=lambda e: (e.offset, -e.length)):
            first = max(entity.offset - lead, 0)
            last = min(entity.offset - lead + entity.length, end)
            if last > first:
                kept.append(Entity(entity.kind, first, last - first, entity.url))
        return text, tuple(kept[:ENTITY_LIMIT])

    def _char(self) -> str:
        """Return the next character, a reference decoded."""
        found = REFERENCE.match(self.markup, self.at)
        decoded = _decode(found) if found else None
        if found and decoded is not None:
            self.at = found.end()
            return decoded
        self.at += 1
        return self.markup[self.at - 1]

    def _bytes(self, at: int) -> int:
        return len(self.markup[:at].encode(errors="surrogatepass"))

    def _peek(self) -> str:
        """Return the next character, NUL at the end."""
        return self.markup[self.at] if self.at < len(self.markup) else "\0"

    def _ended(self) -> bool:
        return self._peek() == "\0"

    def _until(self, stop: str) -> str:
        begin = self.at
        while self._peek() not in stop:
            self.at += 1
        return self.markup[begin : self.at]

    def _skip_space(self) -> None:
        while not self._ended() and self._peek() in SPACE:
            self.at += 1

    def _start_tag(self) -> None:
        begin = self._bytes(self.at)
        self.at += 1
        name = self._until(SPACE + ">").lower()
        if self._ended():
            raise HtmlRefused(f"Unclosed start tag at byte offset {begin}")
        if name not in KINDS:
            raise HtmlRefused(f'Unsupported start tag "{name}" at byte offset {begin}')
        argument = ""
        while self._peek() != ">":
            self._skip_space()
            if self._peek() == ">":
                break
            argument = self._attribute(name, begin) or argument
        self.at += 1
        if name == "span" and argument != "spoiler":
            raise HtmlRefused(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(Tag(name, argument, utf16_length(self.text), len(self.text)))

    def _attribute(self, tag: str, begin: int) -> str:
        """Return what an attribute means to its tag; empty when nothing."""
        name = self._until(SPACE + "=>")
        if not name:
            raise HtmlRefused(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_space()
        value = ""
        if self._peek() == "=":
            self.at += 1
            self._skip_space()
            if self._ended():
                raise HtmlRefused(f'Unclosed start tag "{tag}" at byte offset {begin}')
            value = self._value()
        if self._ended():
            raise HtmlRefused(f"Unclosed start tag at byte offset {begin}")
        match tag, name:
            case ("a", "href") | ("tg-emoji", "emoji-id"):
                return value
            case ("code", "class") if value.startswith("language-"):
                return value.removeprefix("language-")
            case ("span", "class") if value.startswith("tg-"):
                return value.removeprefix("tg-")
            case ("blockquote", "expandable"):
                return "1"
        return ""

    def _value(self) -> str:
        quote = self._peek()
        if quote not in "'\"":
            begin = self.at
            found = TOKEN.match(self.markup, self.at)
            assert found is not None
            self.at = found.end()
            if self._peek() not in SPACE + ">":
                raise HtmlRefused(f"Unexpected end of name token at byte offset {self._bytes(begin)}")
            return found.group().lower()
        self.at += 1
        value = ""
        while self._peek() not in (quote, "\0"):
            value += self._char()
        if self._peek() == quote:
            self.at += 1
        return value

    def _end_tag(self) -> None:
        begin = self._bytes(self.at)
        if not self.open:
            raise HtmlRefused(f"Unexpected end tag at byte offset {begin}")
        self.at += 2
        name = self._until(SPACE + ">")
        self._skip_space()
        if self._peek() != ">":
            raise HtmlRefused(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        tag = self.open.pop()
        if name and name != tag.name:
            raise HtmlRefused(
                f'Unmatched end tag at byte offset {begin}, expected "</{tag.name}>", found "</{name}>"'
            )
        length = utf16_length(self.text) - tag.offset
        if length:
            self._add(tag, length)

    def _add(self, tag: Tag, length: int) -> None:
        kind, url = KINDS[tag.name], None
        if kind == "text_link":
            url = tag.argument or self.text[tag.position :]
            if not is_link(url):
                return
        if kind == "custom_emoji" and not re.fullmatch(r"[1-9]\d{0,18}", tag.argument):
            raise HtmlRefused("Invalid custom emoji identifier specified")
        if kind == "blockquote" and tag.argument:
            kind = "expandable_blockquote"
        self.entities.append(Entity(kind, tag.offset, length, url))


def _decode(found: re.Match[str]) -> str | None:
    """Return the character of a reference; None where Telegram leaves it as it stands."""
    if name := found["name"]:
        return NAMED.get(name)
    code = int(found["hex"], 16) if found["hex"] else int(found["number"])
    written = found.group().removesuffix(";")
    if code == 0 or code >= 0x10FFFF or len(written) >= 10:
        return None
    return chr(code)
