"""What a plan cannot do without: terms of which an item has at least one if the plan holds, or all."""

from __future__ import annotations

from collections.abc import Callable

from monitor.matching.plan import All, Any, Choice, Cluster, One, Plan, Row, Unit

Burden = Callable[[int], int]
"""How much it costs to ask a plan whenever a term is met: 1 for a rare word, more for a common one."""

Needed = tuple[int, frozenset[int]]  # (the burden of the terms together, the terms)


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


def all_needed(plan: Plan) -> tuple[int, ...]:
    """Return terms all of which an item must have if the plan holds."""
    if isinstance(plan, Row | Cluster):
        return tuple(unit for unit in plan.units if isinstance(unit, int))
    if isinstance(plan, All):
        return tuple(term for each in plan.plans for term in all_needed(each))
    return (plan.unit,) if isinstance(plan, One) and isinstance(plan.unit, int) else ()


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
