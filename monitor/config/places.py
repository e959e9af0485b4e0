"""On which line of a TOML file each key stands, which the standard library's parser does not tell."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Place = tuple[str | int, ...]
"""The way to a value: ("sources", 1, "every") is `every` of the second of the `[[sources]]`."""

_GRAMMAR = Language(tree_sitter_toml.language())
_MARK = re.compile(
    r"""\#[^\n]*
    | \"{3}(?:\\.|[^\\])*?\"{3}(?!") | '{3}.*?'{3}(?!')
    | (?P<text>\"{3}|'{3})
    | "(?:\\.|[^"\\\n])*" | '[^'\n]*' | (?P<cut>["'])
    | (?P<open>\[) | (?P<close>\])
    """,
    re.VERBOSE | re.DOTALL,
)
"""What may hold a bracket that is none, a text without an end, and the brackets of lists and tables."""
_NEXT = re.compile(r"[ \t]*(?:\[\[?[ \t]*[A-Za-z_][\w.-]*[ \t]*\]|[A-Za-z_][\w.-]*[ \t]*=)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def lines(text: str) -> dict[Place, int]:
    """Return the 1-based line on which each table, key and list element of a valid TOML document begins."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    for place, node in _document(Parser(_GRAMMAR).parse(text.encode()).root_node, counts):
        for end in range(1, len(place) + 1):
            found.setdefault(place[:end], node.start_point.row + 1)
    return found


def repeated(text: str) -> tuple[Place, int, int] | None:
    """Return the first place that stands twice in a document up to its fault, and on which two lines.

    None where the fault is another one.
    """
    seen: dict[Place, int] = {}
    with suppress(IndexError, ValueError):  # what is no TOML has nodes without a key
        for place, node in _document(Parser(_GRAMMAR).parse(text.encode()).root_node, {}):
            line = node.start_point.row + 1
            if node.type in ("pair", "table") and seen.setdefault(place, line) != line:
                return place, seen[place], line
    return None


def left_open(text: str, line: int) -> tuple[int, str] | None:
    """Return where a list or a text begins that has no end, and what is to stand there.

    The document has its fault on `line`, or at its end where that is 0. A list has no end where it is still
    open on a line that looks like the next key or table. None where the fault is another one.
    """
    ends = [found.end() for found in re.finditer("\n", text)]
    before = text if not line else text[: ends[line - 2]] if line > 1 else ""
    opened: list[tuple[int, str]] = []
    for found in _MARK.finditer(before):
        begins = text.count("\n", 0, found.start()) + 1
        if found["cut"] or found["text"]:
            return None if line else (begins, found["cut"] or found["text"])
        if found["open"]:
            opened.append((begins, "]"))
        elif found["close"] and opened:
            opened.pop()
    return opened[0] if opened and (not line or _NEXT.match(text, len(before))) else None


def spell(place: Place) -> str:
    """Return a place as a person would name it, lists counted from 1: "sources[2].every"."""
    spelt = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{_spell_key(part)}" for part in place)
    return spelt.removeprefix(".")


def _spell_key(key: str) -> str:
    """Return a key as it stands in a file: between quotes where it needs them."""
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _document(root: Node, counts: dict[Place, int]) -> Iterator[tuple[Place, Node]]:
    """Yield the places of a document in its order; `counts` keeps how often each `[[table]]` came."""
    for node in _children(root):
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in ("table", "table_array_element"):
            yield from _table(node, counts)


def _table(node: Node, counts: dict[Place, int]) -> Iterator[tuple[Place, Node]]:
    """Yield a table's header and its pairs."""
    *way, last = _key(_children(node)[0])
    at: Place = ()
    for part in way:
        at = _last_of((*at, part), counts)
    at = (*at, last)
    yield at, node
    if node.type == "table_array_element":
        counts[at] = counts.get(at, 0) + 1
        at = _last_of(at, counts)
        yield at, node
    for child in _children(node)[1:]:
        yield from _pair(child, at)


def _last_of(at: Place, counts: dict[Place, int]) -> Place:
    """Return the place of the newest `[[table]]` at a place, or the place where it is none."""
    return (*at, counts[at] - 1) if at in counts else at


def _pair(node: Node, within: Place) -> Iterator[tuple[Place, Node]]:
    """Yield a `key = value` and all inside the value."""
    if node.type == "pair":
        at = (*within, *_key(_children(node)[0]))
        yield at, node
        yield from _value(_children(node)[-1], at)


def _value(node: Node, at: Place) -> Iterator[tuple[Place, Node]]:
    """Yield the elements of a list or the pairs of an inline table, however deep."""
    if node.type == "array":
        for index, element in enumerate(_children(node)):
            yield (*at, index), element
            yield from _value(element, (*at, index))
    elif node.type == "inline_table":
        for child in _children(node):
            yield from _pair(child, at)


def _children(node: Node) -> list[Node]:
    """Return what stands in a node, comments aside."""
    return [child for child in node.named_children if child.type != "comment"]


def _key(node: Node) -> list[str]:
    """Return the parts of a bare, quoted or dotted key."""
    table: Any = tomllib.loads(f"{(node.text or b'').decode()} = 0")
    parts: list[str] = []
    while isinstance(table, dict):
        (part,) = table
        parts.append(part)
        table = table[part]
    return parts
