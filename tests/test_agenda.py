"""An agenda gives back what is due, in order, and nothing that was taken off it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.agenda import Agenda

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(st.tuples(st.sampled_from(["put", "drop", "take"]), KEYS, st.integers(0, 50)), max_size=200)


@given(STEPS)
def test_it_is_a_dictionary_of_moments_from_which_the_earliest_are_taken(
    steps: list[tuple[str, str, int]],
) -> None:
    agenda, plain = Agenda(), dict[str, float]()
    for what, key, at in steps:
        if what == "put":
            agenda.put(key, at)
            plain[key] = at
        elif what == "drop":
            agenda.drop(key)
            plain.pop(key, None)
        else:
            taken = agenda.take(at, 2)
            due = sorted(moment for moment in plain.values() if moment <= at)
            assert [moment for _, moment in taken] == due[:2]
            for name, moment in taken:
                assert plain.pop(name) == moment
        assert dict(agenda.all()) == plain
        assert len(agenda) == len(plain)
        assert agenda.next() == min(plain.values(), default=None)
        assert agenda.when(key) == plain.get(key)


def test_it_does_not_grow_when_the_same_keys_are_put_again_and_again() -> None:
    agenda = Agenda()
    for moment in range(10_000):
        agenda.put("a", moment)
        agenda.put("b", moment)
    assert len(agenda._heap) < 100
