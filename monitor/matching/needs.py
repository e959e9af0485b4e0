"""What a plan cannot do without: terms of which an item has at least one if the plan holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from monitor.matching.plan import All, Any, Choice, Cluster, One, Plan, Row, Unit

Burden = Callable[[int], int]
"""How much it costs to ask a plan whenever a term is met: 1 for a rare word, more for a common one."""

Needed = tuple[int, frozenset[int]]  # (the burden of the terms together, the terms)


class Way(NamedTuple):
    """What an item has if a plan holds in one of its ways."""

    first: Needed  # one of these, the rarest
    beside: Needed | None = None  # and one of these, if there are any


def ways(plan: Plan, burden: Burden) -> list[Way] | None:
    """Return all ways in which a plan can hold; None if it can hold without any term."""
    match plan:
        case One(unit):
            return [Way(_of_unit(unit, burden))]
        case Row(units) | Cluster(units):
            first, second, *_ = sorted((_of_unit(unit, burden) for unit in units), key=_weight)
            return [Way(first, second)]
        case All(plans):
            found = [each for plan in plans if (each := ways(plan, burden)) is not None]
            return _together(sorted(found, key=lambda each: _weight(_first_of(each)))) if found else None
        case Any(plans):
            found = [each for plan in plans if (each := ways(plan, burden)) is not None]
            return list(chain.from_iterable(found)) if len(found) == len(plans) else None
        case _:
            return None


def _together(found: list[list[Way]]) -> list[Way]:
    """Return the ways of the first of some plans that all hold, with what the second needs beside it."""
    beside = _first_of(found[1]) if len(found) > 1 else None
    return [Way(way.first, way.beside or beside) for way in found[0]]


def files(plans: tuple[Plan, ...], burden: Burden) -> dict[int, tuple[int, ...]] | None:
    """Return which plans need each term, by their places in the row; None if one of them needs none."""
    found: dict[int, tuple[int, ...]] = {}
    for place, plan in enumerate(plans):
        needed = ways(plan, burden)
        if needed is None:
            return None
        for term in _first_of(needed)[1]:
            found[term] = (*found.get(term, ()), place)
    return found


def _of_unit(unit: Unit, burden: Burden) -> Needed:
    """Return what a word needs."""
    if isinstance(unit, int):
        return burden(unit), frozenset((unit,))
    if isinstance(unit, Choice):
        return _joined([_of_unit(each, burden) for each in unit.units])
    return _joined(
        [min((_of_unit(term, burden) for term in unit.terms), key=_weight), _of_unit(unit.joined, burden)]
    )


def _weight(needed: Needed) -> int:
    """Return what `Needed` values are ordered by."""
    return needed[0]


def _first_of(found: Iterable[Way]) -> Needed:
    """Return what is needed first, whichever way it is."""
    return _joined([way.first for way in found])


def _joined(parts: list[Needed]) -> Needed:
    """Return what is needed where any of the parts will do."""
    return sum(each[0] for each in parts), frozenset().union(*(each[1] for each in parts))
