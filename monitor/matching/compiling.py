"""From a topic to its plan: one query tree, whose words become terms of the lexicon."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from monitor.alternatives import words
from monitor.matching import nodes
from monitor.matching.aliases import Aliases, Group, Name, aliases
from monitor.matching.needs import Burden, files
from monitor.matching.operators import FILTERS
from monitor.matching.plan import (
    All,
    Any,
    Choice,
    Cluster,
    Compound,
    Condition,
    One,
    Pattern,
    Plan,
    Row,
    Unit,
    Ways,
    Without,
)
from monitor.matching.query import parse, regex_of
from monitor.matching.terms import Beginning, Fuzzy, Misspelt, Named, Spelling, Term, keyword
from monitor.matching.words import ALIAS, LEVELS
from monitor.model import Topic
from monitor.text import Token, fold, tokens

CARRYING = frozenset("no not never without down out off over under не ні нет немає нема без ані".split())
"""Little words that change what is said: "no electricity" is not "electricity"."""
MANY = 6  # plans side by side from which it pays to file them
WINDOW = 5  # how many other words may stand among those of a keyword

_NUMBERED_NAME = re.compile(r"([^\W\d_]+)(\d\w*)")


def is_free(text: str) -> bool:
    """Return whether a word may be left out of a phrase: a little word that carries no meaning of its own."""
    found = () if isinstance(text, Group) else tokens(text)
    return len(found) == 1 and keyword(found[0].text).stop and fold(found[0].text) not in CARRYING


def _joined(phrase: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return a phrase with each name and the number behind it as one word: "Shahed136"."""
    joined: list[tuple[str, ...]] = []
    for each in phrase:
        before = joined[-1][0] if joined and len(joined[-1]) == len(each) == 1 else ""
        if before.isalpha() and _NUMBERED_NAME.fullmatch(before + each[0]) and each[0][0].isdigit():
            joined[-1] = (before + each[0],)
        else:
            joined.append(each)
    return joined


def _in_ways(plans: Sequence[Plan]) -> Plan:
    """Return the plan of one thing in any of the ways in which it is written."""
    return plans[0] if len(plans) == 1 else Ways(tuple(plans))


def _choice(units: Sequence[int | Compound]) -> Choice:
    """Return the unit of any of these."""
    terms = frozenset(unit for unit in units if isinstance(unit, int))
    return Choice(terms, tuple(unit for unit in units if isinstance(unit, Compound)))


@dataclass(frozen=True, slots=True)
class Compiler:
    """Turns queries into plans; `hold` gives a term its number."""

    hold: Callable[[Term], int]
    burden: Burden
    fuzziness: str | int = "normal"
    names: Aliases = field(default_factory=aliases)

    def topic(self, topic: Topic) -> Plan:
        """Return the plan of (any keyword or the query) and any of `require` and none of `exclude`."""
        plans = [self.any([self.keyword(text) for text in topic.keywords])]
        if topic.query is not None:
            query = self.query(parse(topic.query))
            plans = [self.any([*plans, query]) if topic.keywords else query]
        if topic.require:
            plans.append(self.side_by_side(map(self.keyword, topic.require), required=True))
        if topic.exclude:
            plans.append(Without(self.any([self.keyword(text) for text in topic.exclude])))
        return plans[0] if len(plans) == 1 else All(tuple(plans))

    def any(self, plans: list[Plan]) -> Plan:
        """Return the plan of any of `plans`."""
        return plans[0] if len(plans) == 1 else self.side_by_side(plans)

    def side_by_side(self, several: Iterable[Plan], *, required: bool = False) -> Any:
        """Return the plan of any of several; where they are many, filed by the words that they need."""
        plans = tuple(several)
        return Any(plans, files(plans, self.burden) if len(plans) >= MANY else None, required)

    def keyword(self, text: str) -> Plan:
        """Return the plan of a keyword: its words near each other, none of its characters an operator."""
        return self.near(text, WINDOW, text)

    def query(self, query: nodes.Query, *, title: bool = False) -> Plan:  # noqa: C901, PLR0911 - one case a node
        """Return the plan of a query tree."""
        label = str(query)
        match query:
            case nodes.Word(text) | nodes.Phrase(text):
                phrase = [(text,)] if isinstance(query, nodes.Word) else words(text)
                return self.any(
                    [self.row(self.units(way), label, title=title) for way in self.written(phrase)]
                )
            case nodes.Exact(text):
                return self.row(self.spelt(text), label, title=title)
            case nodes.Prefix(text):
                return One(self.hold(Beginning(fold(text))), label, title)
            case nodes.Edits(text, most):
                return One(self.hold(Misspelt(fold(text), most)), label, title)
            case nodes.Near(text, window):
                return self.near(text, window, label, title=title)
            case nodes.Regex(pattern):
                return Pattern(regex_of(pattern), label, title)
            case nodes.Filter(name, value):
                return Condition(FILTERS[name], value, label)
            case nodes.Title(inner):
                return self.query(inner, title=True)
            case nodes.Not(inner):
                return Without(self.query(inner, title=title))
            case nodes.Or(queries):
                return self.any([self.query(each, title=title) for each in queries])
            case nodes.And(queries):
                return self.both(queries, title=title)

    def both(self, queries: tuple[nodes.Query, ...], *, title: bool) -> Plan:
        """Return the plan of queries that must all hold; bare stop words among others are free."""
        needed = [each for each in queries if not (isinstance(each, nodes.Word) and is_free(each.text))]
        if not any(map(nodes.finds, needed)):
            needed = list(queries)
        if len(needed) == 1:
            return self.query(needed[0], title=title)
        words = [each for each in needed if isinstance(each, nodes.Word)]
        others = tuple(self.query(each, title=title) for each in needed if not isinstance(each, nodes.Word))
        bare = self.bare(words, title=title)
        return All((*(bare.plans if isinstance(bare, All) else (bare,)), *others))

    def bare(self, said: Sequence[nodes.Word], *, title: bool) -> Plan:
        """Return the plan of bare words that must all be there, a name among them in any spelling."""
        labels = {each.text: str(each) for each in said}
        whole = " ".join(labels.values())

        def part(each: tuple[str, ...]) -> Plan:
            return self.row(self.units([each]), labels.get(each[0], whole), title=title)

        ways = self.written([(each.text,) for each in said])
        return _in_ways([All(tuple(map(part, way))) for way in ways])

    def fuzzy(self, text: str, names: Aliases) -> int:
        """Return the term of a word as fuzzy as the topic is."""
        return self.hold(Fuzzy(text, self.fuzziness, names))

    def units(self, phrase: Iterable[tuple[str, ...]]) -> list[Unit]:
        """Return the words of a phrase, each name of several tokens as one, and alternatives as one."""
        units = []
        for alternatives in phrase:
            found = [self.word(each) for each in alternatives if tokens(each)]
            if found:
                units.append(found[0] if len(found) == 1 else _choice(found))
        return units

    def word(self, text: str) -> int | Compound:
        """Return a word of a phrase, or another spelling of a name."""
        match text:
            case Group():
                return self.hold(Named(str(text)))
            case Name():
                parts = tuple(self.fuzzy(piece.text, self.names.without_numbers) for piece in tokens(text))
                return Compound(parts, self.spelling(text))  # which is spelt like no word
            case _:
                return self.unit(tokens(text))

    def unit(self, pieces: Sequence[Token]) -> int | Compound:
        """Return a word of one or several tokens; "F16" is as "F-16" is."""
        whole = "".join(piece.text for piece in pieces)
        joined = _NUMBERED_NAME.fullmatch(whole) if len(pieces) == 1 else None
        texts = joined.groups() if joined else [piece.text for piece in pieces]
        numbered = any(text[0].isdigit() for text in texts[1:])
        names = self.names if numbered else self.names.without_numbers
        parts = tuple(self.fuzzy(text, names) for text in texts)
        return Compound(parts, self.fuzzy(whole, names), numbered) if len(parts) > 1 else parts[0]

    def spelt(self, text: str) -> list[Unit]:
        """Return the words of a phrase as they are spelt, each token for itself, and alternatives as one."""
        units: list[Unit] = []
        for alternatives in words(text):
            ways = [tuple([self.spelling(piece.text) for piece in tokens(each)]) for each in alternatives]
            if len(ways) == 1:
                units += ways[0]
            else:  # nothing else is spelt like a name of several tokens: the term of the whole never stands
                wholes = map(self.spelling, alternatives)
                several = zip(ways, wholes, strict=True)
                units.append(_choice([way[0] if len(way) == 1 else Compound(way, it) for way, it in several]))
        return units

    def spelling(self, text: str) -> int:
        """Return the term of a word as it is spelt."""
        return self.hold(Spelling(fold(text).lstrip("#")))

    def row(self, units: Sequence[Unit], label: str, *, title: bool) -> Plan:
        """Return the plan of words next to each other."""
        return One(units[0], label, title) if len(units) == 1 else Row(tuple(units), label, title)

    def near(self, text: str, window: int, label: str, *, title: bool = False) -> Plan:
        """Return the plan of words near each other."""
        phrase = [each for each in words(text) if any(map(tokens, each))]
        return _in_ways([self.way(each, window, label, title=title) for each in self.written(phrase)])

    def way(self, phrase: Sequence[tuple[str, ...]], window: int, label: str, *, title: bool) -> Plan:
        """Return the plan of words near each other with the name among them in one of its spellings."""
        units = self.units([each for each in phrase if not any(map(is_free, each))] or phrase)
        if not units:
            return Any(())
        if len(units) == 1:
            return One(units[0], label, title)
        least = float(self.fuzziness) if isinstance(self.fuzziness, int) else 0.0
        return Cluster(tuple(units), window, label, title, least)

    def written(self, phrase: Sequence[tuple[str, ...]]) -> list[list[tuple[str, ...]]]:
        """Return a phrase in all spellings of the name in it, where the topic is as fuzzy as that."""
        least = self.fuzziness if isinstance(self.fuzziness, int) else LEVELS[self.fuzziness]
        if least > ALIAS:
            return [list(phrase)]
        joined = _joined(phrase)
        phrases = [phrase] if len(joined) == len(phrase) else [phrase, joined]
        return [way for each in phrases for way in self.names.written(each)]
