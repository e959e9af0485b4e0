"""The spellings that one place, person or thing goes by."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

from monitor.matching import morphology
from monitor.text import fold, is_function_word, script_of, tokens

_NONE: Final = frozenset[str]()  # one for all words that are no name
_MOST_NAMES: Final = 5  # of one phrase that are written in other spellings
_Words = tuple[str, ...]


class Group(str):
    """The name of a group, which stands in a phrase for its spellings of a single word."""

    __slots__ = ()


class Name(str):
    """A spelling of several words, which stands in a phrase for these next to each other."""

    __slots__ = ()


class Aliases:
    """A table of groups of spellings, asked by the readings of a word.

    A spelling with a capital that is also a common word ("Суми") stands for the name only with its capital.
    A spelling of several words is one more way to write a keyword that names it: see `written`.
    """

    def __init__(self, groups: Mapping[str, Collection[str]], names: Aliases | None = None) -> None:
        """Work out the readings of every spelling that is a single word.

        Groups that come on top of other `names` count before a number alone: "S" in "S-300" is "С", but no
        preposition is.
        """
        self.without_numbers = names or self
        self._groups: dict[str, set[str]] = _copied(names._groups) if names else {}  # noqa: SLF001 - of its own class
        self._capital: dict[str, set[str]] = _copied(names._capital) if names else {}  # noqa: SLF001
        self._phrases: dict[_Words, tuple[str, ...]] = dict(names._phrases) if names else {}  # noqa: SLF001
        for group, spellings in groups.items():
            several = {one: one if "-" in one else Name(one) for one in spellings if len(tokens(one)) > 1}
            short = [Group(group)] if any(one not in several for one in spellings) else []
            for spelling in spellings:
                words = tuple(filter(None, map(_plain, spelling.split())))
                others = [way for one, way in several.items() if one != spelling]
                if spelling in several:
                    others = [*short, *others]
                elif words:
                    self._add(group, words[0], is_name=not spelling.islower())
                if others and words:
                    self._phrases[words] = tuple(dict.fromkeys((*self._phrases.get(words, ()), *others)))
        self._longest = max(map(len, self._phrases), default=0)
        for reading, capital in self._capital.items():
            self._groups[reading] = self._groups.get(reading, set()) - capital

    def _add(self, group: str, folded: str, *, is_name: bool) -> None:
        """Add a spelling to a group; with a capital it is a name and no common word."""
        script = script_of(folded)
        (_, heads), known = morphology.known_readings(folded, script, None)
        is_common = bool(known) or is_function_word(folded)
        table = self._capital if is_common and is_name else self._groups
        for reading in heads:
            table.setdefault(reading, set()).add(group)

    def written(self, phrase: Sequence[tuple[str, ...]]) -> list[list[tuple[str, ...]]]:
        """Return a phrase with the names in it as they stand, first, and with their other spellings.

        It is given as `alternatives.words` returns it. Only spellings of several words count, and those that
        stand beside them in a group. The other spellings of a name are alternatives, each as one word: a
        `Name`, or what has hyphens and may be written without them. A `Group` is all those of a single word.
        """
        ways: list[list[tuple[str, ...]]] = [[]]
        plain = [_plain(each[0]) if len(each) == 1 else "" for each in phrase]
        at = names = 0
        while at < len(phrase):
            end, others = self._name_at(plain, at) if names < _MOST_NAMES else (at + 1, ())
            names += bool(others)
            own = [[*way, *phrase[at:end]] for way in ways]
            ways = own + [[*way, others] for way in ways] if others else own
            at = end
        return ways

    def _name_at(self, plain: Sequence[str], start: int) -> tuple[int, tuple[str, ...]]:
        """Return the end of the longest name that begins at a word, and its other spellings, if any."""
        for end in range(min(len(plain), start + self._longest), start, -1):
            others = self._phrases.get(tuple(plain[start:end]))
            if others:
                return end, others
        return start + 1, ()

    def groups(self, readings: Iterable[str], *, capital: bool) -> frozenset[str]:
        """Return the groups that a word with these readings is in."""
        found: set[str] = set()
        for reading in readings:
            found |= self._groups.get(reading, set())
            if capital:
                found |= self._capital.get(reading, set())
        return frozenset(found) if found else _NONE


def _plain(word: str) -> str:
    """Return a word as it stands in the table, without the signs around it; "" where it is none."""
    found = tokens(word)
    return fold(found[0].text).lstrip("#") if len(found) == 1 else fold(word) if found else ""


def _copied(table: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    return {reading: set(groups) for reading, groups in table.items()}


def aliases(extra: Iterable[Sequence[str]] = ()) -> Aliases:
    """Return the table that ships, with further groups of spellings.

    A group that has a spelling in common with one that ships extends that one.
    """
    added = list(extra)
    if not added:
        return _shipped()
    designations, groups = _table()
    named = {fold(spelling): group for group, spellings in groups.items() for spelling in spellings}
    for spellings in added:
        group = next((named[fold(one)] for one in spellings if fold(one) in named), fold(spellings[0]))
        groups[group] = [*groups.get(group, ()), *spellings]
    return Aliases(designations, Aliases(groups))


@lru_cache(maxsize=1)
def _shipped() -> Aliases:
    """Return the table that ships."""
    designations, groups = _table()
    return Aliases(designations, Aliases(groups))


def _table() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Read the table that ships: the designations, and all other groups."""
    text = resources.files("monitor.matching").joinpath("data", "aliases.toml").read_text(encoding="utf-8")
    groups: dict[str, list[str]] = {}
    sections = tomllib.loads(text)
    # Under names that no other group can have: what a config adds is named by a spelling.
    designations = {f"{name}-": spellings for name, spellings in sections.pop("designations").items()}
    for section in sections.values():
        groups.update(section)
    return designations, groups
