"""The kinds of terms: what may stand for one word of a query, and which words of a text it is.

A term has the keys under which the index keeps it, and the plain comparison that decides. The two
agree: a word for which `compare` has an answer has one of the term's keys among its own, which
`keys_of` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from monitor.matching.aliases import Aliases
from monitor.matching.words import ALIAS, Word, analyse, compare, keyword_keys, packed, token_keys, unpacked
from monitor.model import How

Grade = tuple[How, float]  # how a word is a term, and how sure that is (0 to 100)

EXACT: Grade = ("exact", 100.0)
PREFIX: Grade = ("prefix", 95.0)
LONGEST_PREFIX = 24  # letters that count
PER_EDIT = 8.0  # what a word loses for each letter that is wrong
_BEGINNING = 8  # letters of which some are left out to find near spellings


def keyword(text: str, names: Aliases | None = None) -> Word:
    """Return what is known of a word of a query; its language is not known."""
    return analyse(text, None, names)


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """A word in its forms, scripts and near spellings, as far as the fuzziness goes."""

    text: str
    fuzziness: str | int = "normal"
    names: Aliases | None = None
    _sought: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep what is compared, so that it is not worked out for each word of a text."""
        object.__setattr__(self, "_sought", packed(keyword(self.text, self.names)))

    def keys(self) -> Iterable[str]:
        """Return the keys to be found by."""
        return keyword_keys(keyword(self.text, self.names), self.fuzziness)

    def compare(self, token: Word) -> Grade | None:
        """Return how a word of a text is this one."""
        return compare(unpacked(self._sought), token, self.fuzziness)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word in this spelling only, upper and lower case alike."""

    folded: str

    def keys(self) -> Iterable[str]:
        """Return the key to be found by."""
        return (f"={self.folded}",)

    def compare(self, token: Word) -> Grade | None:
        """Return that a word of a text is this one."""
        return EXACT if token.folded == self.folded else None


@dataclass(frozen=True, slots=True)
class Beginning:
    """Every word that begins with these letters."""

    folded: str

    def keys(self) -> Iterable[str]:
        """Return the key to be found by."""
        return (f"^{self.folded[:LONGEST_PREFIX]}",)

    def compare(self, token: Word) -> Grade | None:
        """Return how a word of a text begins with the letters."""
        if not token.folded.startswith(self.folded):
            return None
        return EXACT if token.folded == self.folded else PREFIX


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A word with at most so many letters wrong (optimal string alignment distance)."""

    folded: str
    most: int

    def keys(self) -> Iterable[str]:
        """Return the keys to be found by."""
        return (f"?{text}" for text in _shortened(self.folded[:_BEGINNING], self.most))

    def compare(self, token: Word) -> Grade | None:
        """Return how a word of a text is this one."""
        edits = OSA.distance(self.folded, token.folded, score_cutoff=self.most)
        if edits > self.most:
            return None
        return ("typo", 100.0 - PER_EDIT * edits) if edits else EXACT


@dataclass(frozen=True, slots=True)
class Named:
    """A name in any spelling of one word; where that is a common word, too, with its capital only."""

    group: str

    def keys(self) -> Iterable[str]:
        """Return the key to be found by."""
        return (f"@{self.group}",)

    def compare(self, token: Word) -> Grade | None:
        """Return that a word of a text is a spelling of the name."""
        return ("form", ALIAS) if self.group in token.groups else None


Term = Fuzzy | Spelling | Beginning | Misspelt | Named


def keys_of(token: Word, kinds: Iterable[type[Term]]) -> Iterator[str]:
    """Return the keys under which terms of these kinds that are this word of a text may be found."""
    for kind in kinds:
        if kind is Fuzzy:
            yield from token_keys(token)
        elif kind is Named:
            yield from (f"@{group}" for group in token.groups)
        elif kind is Spelling:
            yield f"={token.folded}"
        elif kind is Beginning:
            longest = min(len(token.folded), LONGEST_PREFIX)
            yield from (f"^{token.folded[:length]}" for length in range(1, longest + 1))
        else:
            yield from (f"?{text}" for text in _shortened(token.folded[:_BEGINNING], 2))


def _shortened(text: str, most: int) -> set[str]:
    """Return `text` with up to `most` of its letters left out (symmetric deletion, W. Garbe 2012)."""
    found = level = {text}
    for _ in range(most):
        level = {each[:at] + each[at + 1 :] for each in level for at in range(len(each))}
        found = found | level
    return found
