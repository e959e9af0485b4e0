"""What a plan cannot do without: terms of which an item has at least one if the plan holds, or all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitor.matching.plan import All, Any, Choice, Cluster, One, Plan, Row, Unit

Burden = Callable[[int], int]
"""How much it costs to ask a plan whenever a term is met: 1 for a rare word, more for a common one."""

Needed = tuple[int, frozenset[int]]  # (the burden of the terms together, the terms)

Way = tuple[frozenset[int], frozenset[int] | None]
"""Terms of which an item has one if a plan holds so, and others of which it then has one, too, if any."""


def rarest(plan: Plan, burden: Burden) -> Needed | None:
    """Return the rarest terms of which an item has at least one if the plan holds; None if there are none."""
    match plan:
        case One(unit):
            return _of_unit(unit, burden)
        case Row(units) | Cluster(units):
            return min((_of_unit(unit, burden) for unit in units), key=_weight)
        case All(plans):
            return min(filter(None, (rarest(each, burden) for each in plans)), key=_weight, default=None)
        case Any(plans):
            found = [rarest(each, burden) for each in plans]
            whole = [each for each in found if each is not None]
            return _joined(whole) if len(whole) == len(found) else None
        case _:
            return None


def files(plans: tuple[Plan, ...], burden: Burden) -> dict[int, tuple[int, ...]] | None:
    """Return which plans need each term, by their places in the row; None if one of them needs none."""
    found: dict[int, tuple[int, ...]] = {}
    for place, plan in enumerate(plans):
        needed = rarest(plan, burden)
        if needed is None:
            return None
        for term in needed[1]:
            found[term] = (*found.get(term, ()), place)
    return found


def ways(plan: Plan, burden: Burden) -> list[Way] | None:
    """Return the ways in which a plan holds, by the rarest terms; None if one of them needs no term."""
    match plan:
        case Row(units) | Cluster(units):
            first, second, *_ = sorted((_of_unit(unit, burden) for unit in units), key=_weight)
            return [(first[1], second[1])]
        case All(plans):
            return _ways_of_all(plans, burden)
        case Any(plans):
            found = [ways(each, burden) for each in plans]
            whole = [each for each in found if each is not None]
            return [way for each in whole for way in each] if len(whole) == len(found) else None
        case _:
            needed = rarest(plan, burden)
            return None if needed is None else [(needed[1], None)]


def _ways_of_all(plans: Sequence[Plan], burden: Burden) -> list[Way] | None:
    """Return the ways of the rarest of the plans, beside which the next one must hold, too."""
    needs = [(needed, plan) for plan in plans if (needed := rarest(plan, burden)) is not None]
    if not needs:
        return None
    (_, first), *others = sorted(needs, key=lambda each: _weight(each[0]))
    beside = others[0][0][1] if others else None
    return [(terms, beside if also is None else also) for terms, also in ways(first, burden) or []]


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


def _joined(parts: list[Needed]) -> Needed:
    """Return what is needed where any of the parts will do."""
    return sum(each[0] for each in parts), frozenset().union(*(each[1] for each in parts))
