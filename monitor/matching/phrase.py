"""Words near each other: where they stand together, and how well.

A token may stand for one word of the phrase only. Seen from its last word, an occurrence is a window
that reaches back to the nearest tokens with which every word can be given one of its own: that is a
maximum matching in a small bipartite graph, grown by augmenting paths (Kuhn 1955) from near to far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import gt
from typing import NamedTuple

from monitor.model import How

Hit = tuple[int, int, How, float]  # (positions of its first and its last token, how it matches, score)

Places = Mapping[int, int] | Sequence[int]  # by position: where a token stands for a phrase

FAR = 0.2  # what a phrase loses when its words stand as far apart as allowed
DISORDER = 0.1  # what it loses when every word stands before its predecessor


class Window(NamedTuple):
    """One occurrence of a phrase."""

    score: float
    others: int  # how many other words stand among its own
    hits: tuple[Hit, ...]  # one for each word of the phrase, in the phrase's order


def windows(words: Sequence[Sequence[Hit]], places: Places, most: int) -> list[Window]:
    """Return the best window that ends at each token, best first.

    `words` has the hits of each word of the phrase, at least one, each by ascending position; `places`
    says where each token stands when stop words are not counted and gaps are; `most` is how many other
    words may stand among the phrase's own.
    """
    reach = len(words) + most - 1
    span = max([places[hits[0][0]] for hits in words]) - min([places[hits[-1][0]] for hits in words])
    if span > reach:
        return []
    tokens = sorted([(hit[0], word, hit) for word, hits in enumerate(words) for hit in hits])
    if len({position for position, _, _ in tokens}) == len(tokens):
        found = _apart(tokens, places, len(words), reach)
    else:
        found = _shared(tokens, places, len(words), reach)
    if len(found) > 1:
        found.sort(key=lambda window: (-window.score, window.hits[0][0]))
    return found


def _apart(tokens: Iterable[tuple[int, int, Hit]], places: Places, size: int, reach: int) -> list[Window]:
    """Return the windows where no token stands for two words: they end with the nearest of each word."""
    found = []
    nearest: dict[int, tuple[int, Hit]] = {}
    for position, word, hit in tokens:
        end = places[position]
        nearest[word] = end, hit
        if len(nearest) == size:
            others = end - min(nearest.values())[0] + 1 - size
            if others + size <= reach + 1:
                hits = tuple([nearest[each][1] for each in range(size)])
                found.append(_scored(hits, max(0, others), reach - size + 1))
    return found


def _shared(tokens: Iterable[tuple[int, int, Hit]], places: Places, size: int, reach: int) -> list[Window]:
    """Return the windows where a token may stand for several words."""
    at: dict[int, dict[int, Hit]] = {}
    for position, word, hit in tokens:
        at.setdefault(position, {})[word] = hit
    positions = list(at)
    found = []
    last: dict[int, int] = {}
    for index, position in enumerate(positions):
        for word in at[position]:
            last[word] = places[position]
        if len(last) == size and places[position] - min(last.values()) <= reach:
            window = _window_ending_at(index, positions, at, places, size, reach)
            if window:
                found.append(window)
    return found


def _window_ending_at(  # noqa: PLR0913, PLR0917 - the state of one sweep, split off for legibility
    index: int,
    positions: Sequence[int],
    at: Mapping[int, Mapping[int, Hit]],
    places: Places,
    size: int,
    reach: int,
) -> Window | None:
    """Return the narrowest window whose last token is `positions[index]`."""
    token_of: dict[int, int] = {}
    end = places[positions[index]]
    for position in map(positions.__getitem__, range(index, -1, -1)):
        if end - places[position] > reach:
            return None
        _augment(position, at, token_of, set())
        if len(token_of) == size:
            others = max(0, end - places[position] + 1 - size)
            return _scored(tuple(at[token_of[word]][word] for word in range(size)), others, reach - size + 1)
    return None


def _augment(
    position: int, at: Mapping[int, Mapping[int, Hit]], token_of: dict[int, int], tried: set[int]
) -> bool:
    """Give the token at `position` a word, moving other tokens to other words where that frees one."""
    for word in at[position]:
        if word not in tried:
            tried.add(word)
            if word not in token_of or _augment(token_of[word], at, token_of, tried):
                token_of[word] = position
                return True
    return False


def _scored(hits: tuple[Hit, ...], others: int, most: int) -> Window:
    """Return the window of `hits` with its score: closer and better ordered is better."""
    positions, _, _, scores = zip(*hits, strict=True)
    disorder = sum(map(gt, positions, positions[1:]))
    closeness = 1 - FAR * others / (most + 1)
    order = 1 - DISORDER * disorder / (len(hits) - 1)
    return Window(sum(scores) / len(hits) * closeness * order, others, hits)
