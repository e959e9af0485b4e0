"""Collects the faults of one file while it is read, so that all of them are told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from monitor.config import places
from monitor.config.places import Place
from monitor.config.settings import KEYS, LISTS, SECTIONS
from monitor.config.values import Reader, Wrong, kind_of, likeliest, nearest
from monitor.errors import ConfigInvalid, Fault

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_ADVICE = {
    r"character '\n'": 'close the text with its quote on the same line; a longer one stands in """',
    r"Unescaped '\'": r"in text a \ stands twice, or the text stands in '...'",
    "Unclosed array": "put commas between what stands in a list, and a ] at its end",
    "Expected newline": "put what follows a value on a line of its own, or after #",
    "Invalid value": "a value is a text in quotes, a number, true or false, or a list in [ ]",
}
"""What to do, by a part of what tomllib says; elsewhere a line is key = value."""
_OTHER_QUOTES = frozenset("“”„«»‘’‚`´")


class Doubt(NamedTuple):
    """Something that is wrong outside of the file with what it names."""

    place: Place
    problem: str
    is_fault: bool = False


class Report:
    """The faults of one file."""

    def __init__(self, text: str) -> None:
        """Keep the text, which is valid TOML, for the lines of faults."""
        self.text = text
        self.faults: list[Fault] = []
        self.faulty: set[str] = set()  # the sections, and keys at the top, with a fault in them
        self.notes: list[str] = []

    @cached_property
    def lines(self) -> dict[Place, int]:
        """The line of each place; a file without a fault never needs them."""
        return places.lines(self.text)

    def add(self, place: Place, problem: str) -> None:
        """Note a fault at a place."""
        self.faulty.add(str(place[0]))
        self.faults.append(Fault(self.line(place), places.spell(place), problem))

    def note(self, place: Place, sentence: str) -> None:
        """Keep a sentence on what is no fault, but may not be meant."""
        self.notes.append(f"{places.spell(place)}: {sentence}")

    def take(self, doubts: Iterable[Doubt]) -> None:
        """Note what is wrong outside of the file, but for sections that have a fault already."""
        for place, problem, is_fault in [one for one in doubts if one.place[0] not in self.faulty]:
            (self.add if is_fault else self.note)(place, problem)

    def line(self, place: Place) -> int:
        """Return the 1-based line of a place; 0 where the two parsers do not see the same."""
        return self.lines.get(place, 0)

    def fail_if_any(self, path: str, notes: Iterable[str]) -> None:
        """Raise `ConfigInvalid` with all the faults in the order of the file, and with notes beside them."""
        if self.faults:
            faults = sorted(self.faults, key=lambda fault: fault.line)
            raise ConfigInvalid(path, tuple(faults), tuple(notes))

    def read(self, table: Mapping[str, object], place: Place, keys: Mapping[str, Reader]) -> dict[str, Any]:
        """Return the values of a table as its keys mean them, without those that are at fault."""
        found = {}
        for key, value in table.items():
            if key not in keys:
                self.add((*place, key), _unknown(key, place, keys))
                if not place:  # what is only misspelt is not missing
                    self.faulty.add(likeliest(key, (*keys, *SECTIONS, *LISTS)) or key)
                continue
            try:
                found[key] = keys[key](value)
            except Wrong as error:
                for way, problem in error.problems:
                    self.add((*place, key, *way), problem)
        return found

    def section(self, document: Mapping[str, object], name: str) -> dict[str, Any]:
        """Return the values of a `[name]` section; of an empty one where there is none."""
        table = document.get(name, {})
        if isinstance(table, dict):
            return self.read(table, (name,), KEYS[name])
        problem = f"expected a section, [{name}] on a line of its own, not {kind_of(table)}"
        self.add((name,), problem if not isinstance(table, list) else f"expected single brackets: [{name}]")
        return {}

    def tables(self, document: Mapping[str, object], name: str) -> list[tuple[Place, dict[str, object]]]:
        """Return each of the `[[name]]` tables with its place."""
        given = document.get(name, [])
        if not isinstance(given, list):
            self.add((name,), f"expected double brackets: [[{name}]] on a line of its own for each of them")
            return []
        found: list[tuple[Place, dict[str, object]]] = []
        for index, table in enumerate(given):
            if isinstance(table, dict):
                found.append(((name, index), table))
            else:
                self.add((name, index), f"expected a [[{name}]] table, not {kind_of(table)}")
        return found


def syntax_fault(text: str, error: Exception) -> Fault:
    """Return the fault for a text that is no TOML at all, with the line that the parser names."""
    message = str(error)
    found = _TOML_PLACE.search(message)
    line, at = 0, ""
    if found is not None:
        at = text.split("\n")[int(found[1]) - 1][int(found[2]) - 1 :][:1] if found[1] else ""
        line = int(found[1]) if found[1] else text.count("\n") + 1
        message = message[: found.start()]
    twice = message.startswith("Cannot ") and places.repeated("\n".join(text.split("\n")[:line]))
    if twice:
        place, first, second = twice
        return Fault(
            second, places.spell(place), f"stands there twice, first on line {first}: keep one of them"
        )
    if found and (opened := places.left_open(text, int(found[1] or 0))):
        begins, mark = opened
        until = f" before line {line}" if found[1] else ""
        what = "list" if mark == "]" else "text"
        return Fault(begins, "", f"is no valid TOML: the {what} that begins here has no {mark}{until}")
    problem = f"is no valid TOML ({message}): {_advice(message)}"
    if at in _OTHER_QUOTES:
        problem = f"is no valid TOML: text stands in straight quotes, \"...\" or '...', and not in {at}"
    if not isinstance(error, tomllib.TOMLDecodeError):
        problem = "is no valid TOML: a number is too long, or brackets stand too deep in each other"
    return Fault(line, "", problem)


def _advice(message: str) -> str:
    """Return what to do about what tomllib says of a line."""
    told = (advice for part, advice in _ADVICE.items() if part in message)
    return next(told, "a line is key = value, and text stands in quotes")


def _unknown(key: str, place: Place, keys: Mapping[str, Reader]) -> str:
    """Return what to do about a key that nobody knows, or that belongs somewhere else."""
    here = [*keys, *SECTIONS, *LISTS] if not place else list(keys)
    homes = [_header(section) for section, known in KEYS.items() if key in known]
    hint = f"it belongs {' or '.join(homes)}" if homes else nearest(key, here)
    return f"unknown key here: {hint}"


def _header(section: str) -> str:
    """Return where the keys of a section stand."""
    if not section:
        return "at the top of the file, above the first [section]"
    return f"below [[{section}]]" if section in LISTS else f"below [{section}]"
