"""All topics compiled into one index: an item in, its matches and their evidence out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, repeat
from operator import attrgetter, itemgetter

from monitor.matching.aliases import aliases
from monitor.matching.compiling import Compiler
from monitor.matching.entries import WIDTH, Entry, numbers
from monitor.matching.evidence import evidence
from monitor.matching.explain import Explainer, Explanation
from monitor.matching.index import Index
from monitor.matching.lexicon import Lexicon
from monitor.matching.operators import Subject
from monitor.matching.phrase import Window
from monitor.matching.plan import Cluster
from monitor.matching.reading import ItemReading
from monitor.matching.terms import Fuzzy, Term, keyword
from monitor.model import Evidence, Item, Match, Source, Topic
from monitor.text import language_of, tokens

FEW_PAIRS = 256  # in an item: with more, it is quicker to ask every plan than to look around for each
FEW_TERMS = 16  # of a topic: with more, it is quicker to locate all that stand in an item
RARE, COMMON, STOP = 1, 5, 1000  # how much a plan costs that is filed under such a word
LONG = 16  # letters of a word that is hardly met; each one less makes it more frequent
TOPIC_ID, SCORE_OF_MATCH = itemgetter(0), itemgetter(1)
SINGLES, PAIRS = attrgetter("singles"), attrgetter("pairs")
new = tuple.__new__  # makes a named tuple in half the time of its own constructor
_SAMPLE = 200  # characters that show an item's language


class _Together:
    """Where the words of a phrase stand together in an item."""

    __slots__ = ("_plan", "_reading", "_windows")

    def __init__(self, plan: Cluster, windows: Sequence[Window], reading: ItemReading) -> None:
        self._plan, self._windows, self._reading = plan, windows, reading

    def evidence_of(self, _: str) -> tuple[Evidence, ...]:
        """Return the evidence of the topic that is this phrase."""
        return evidence(self._plan.marks(self._reading, self._windows), self._reading.subject.item)


class Matcher:
    """Topics, compiled; answers which of them an item is about."""

    def __init__(self, topics: Iterable[Topic] = (), *, names: Iterable[Sequence[str]] = ()) -> None:
        """Compile the topics; raise `QueryInvalid` for a query that cannot be read.

        `names` are groups of spellings of one name, beside those that ship.
        """
        self._names = aliases(names)
        self._index = Index(self._burden)
        self._lexicon = Lexicon(self._names, self._index.ask)
        self._entries: dict[str, Entry] = {}
        self._lexicon.expect_many()
        for topic in topics:
            self.add(topic)
        self._lexicon.settle()

    def __len__(self) -> int:
        """Return how many topics there are."""
        return len(self._entries)

    def add(self, topic: Topic) -> None:
        """Add a topic, or put it in the place of the one with its id.

        Raises `QueryInvalid` for a query that cannot be read; the index is then as it was.
        """
        held: list[int] = []

        def hold(term: Term) -> int:
            held.append(self._lexicon.hold(term))
            return held[-1]

        try:
            plan = Compiler(hold, self._burden, topic.fuzziness, self._names).topic(topic)
        except BaseException:
            self._release(held)
            raise
        self.remove(topic.id)
        entry = Entry(topic.id, plan, topic.sources, tuple(held))
        self._index.add(entry)
        self._entries[topic.id] = entry
        self._lexicon.revise()

    def remove(self, topic_id: str) -> None:
        """Take a topic out, if it is there."""
        entry = self._entries.pop(topic_id, None)
        if entry is not None:
            self._index.remove(entry)
            self._release(entry.held)
            self._lexicon.revise()

    def _release(self, terms: Iterable[int]) -> None:
        """Give terms back to the lexicon."""
        for term in terms:
            self._lexicon.release(term)

    def match(self, item: Item, source: Source | None = None) -> tuple[Match, ...]:
        """Return the topics that an item is about, the best score first.

        Of equal ones those that are a single word come first, in reading order, then the others by their id.
        """
        return self._matches(self._reading(item, source))

    def _matches(self, reading: ItemReading) -> tuple[Match, ...]:
        """Return the topics that match, in order."""
        matches = _singles(reading)
        matches += sorted(self._others(reading), key=TOPIC_ID)
        matches.sort(key=SCORE_OF_MATCH, reverse=True)
        return tuple(matches)

    def _reading(self, item: Item, source: Source | None) -> ItemReading:
        """Return an item as the plans see it, with what the index has filed for each piece of its text."""
        return ItemReading(subject_of(item, source), self._lexicon)

    def _others(self, reading: ItemReading) -> Iterator[Match]:
        """Return the matches of the other topics."""
        for entry in self._candidates(reading):
            if not entry.sources or _comes_from(reading.subject, entry.sources):
                match = _match(entry, reading)
                if match is not None:
                    yield match

    def _candidates(self, reading: ItemReading) -> list[Entry]:
        """Return every other topic that may match."""
        rows = list(map(PAIRS, reading.found))
        pairs = numbers(b"".join(rows))
        needed, filed = pairs[::2], pairs[1::2]
        both = list(compress(range(len(needed)), map(reading.standing.__contains__, needed)))
        if len(both) > FEW_PAIRS:
            entries = dict.fromkeys(map(filed.__getitem__, both))
            reading.locate()
            return [*self._index.always, *map(self._index.numbered.__getitem__, entries)]
        found = dict.fromkeys(self._index.always)
        ends = list(accumulate(map(len, rows))) if both else []
        for at in both:
            entry = self._index.numbered[filed[at]]
            if entry not in found:
                here = bisect_right(ends, 2 * WIDTH * at)
                if entry.reach is None or reading.within(entry.reach, here, needed[at]):
                    found[entry] = None
        if any(len(entry.held) > FEW_TERMS for entry in found):
            reading.locate()
        return list(found)

    def explain(self, item: Item, source: Source | None = None) -> tuple[Explanation, ...]:
        """Return for each topic whether it matches, and what was missing; matches and near misses first."""
        reading = self._reading(item, source)
        matches = {match.topic_id: match for match in self._matches(reading)}
        words = (token.text for token in tokens("\n".join(reading.fields)))
        explainer = Explainer(reading, words, self._text_of)
        found = [
            self._explained(each, explainer, matches.get(each.topic_id)) for each in self._entries.values()
        ]
        found.sort(key=lambda each: (-each.nearness, -each.match.score if each.match else 0, each.topic_id))
        return tuple(found)

    def _explained(self, entry: Entry, explainer: Explainer, match: Match | None) -> Explanation:
        """Return what became of one topic."""
        if match is not None:
            return Explanation(entry.topic_id, match, 1.0, ())
        reasons: tuple[str, ...] = ()
        if entry.sources and not _comes_from(explainer.reading.subject, entry.sources):
            reasons = (f"it only looks at these sources: {', '.join(sorted(entry.sources))}",)
        if entry.plan.find(explainer.reading) is not None:
            return Explanation(entry.topic_id, None, 0.9, reasons)
        shortfall = explainer.shortfall(entry.plan)
        return Explanation(entry.topic_id, None, max(0.0, shortfall.nearness), (*reasons, *shortfall.reasons))

    def _text_of(self, number: int) -> str:
        """Return the word of a term."""
        term = self._lexicon.term(number)
        return "" if term is None else getattr(term, "text", "") or getattr(term, "folded", "")

    def _burden(self, term: int) -> int:
        """Return how much a plan costs that is filed under a term."""
        known = self._lexicon.term(term)
        if not isinstance(known, Fuzzy):
            return RARE
        word = keyword(known.text)
        burden = STOP if word.stop else COMMON if word.common else RARE
        return burden + max(0, LONG - len(word.folded))


def _match(entry: Entry, reading: ItemReading) -> Match | None:
    """Return the match of a topic, if it is one."""
    plan = entry.plan
    if isinstance(plan, Cluster):
        windows = plan.together(reading)
        if not windows:
            return None
        return Match(entry.topic_id, round(windows[0].score, 1), _Together(plan, windows, reading))
    found = plan.find(reading)
    if found is None:
        return None
    return Match(entry.topic_id, round(found[0], 1), evidence(found[1], reading.subject.item))


def _singles(reading: ItemReading) -> list[Match]:
    """Return the matches of topics that are a single word: what `One.find` says, without the detour."""
    row = chain.from_iterable(map(SINGLES, reading.found))
    surest: dict[str, float] = {}
    score_of = surest.get
    for topic_id, score in zip(row, row, strict=True):
        if score_of(topic_id, 0.0) < score:
            surest[topic_id] = score  # noqa: PERF403 - a comprehension does not see what it has made
    return list(map(new, repeat(Match), zip(surest, surest.values(), repeat(reading))))


def subject_of(item: Item, source: Source | None) -> Subject:
    """Return the item with its language: the source's, its own, or the one that its text shows."""
    language = (source.language if source else None) or item.language
    if language is None:
        language = language_of(f"{item.title}\n{item.text[:_SAMPLE]}")
    return Subject(item, source, language.casefold()[:2] if language else None)


def _comes_from(subject: Subject, names: tuple[str, ...]) -> bool:
    """Tell whether the item's source has one of these ids or tags."""
    if subject.item.source_id in names:
        return True
    source = subject.source
    return source is not None and (source.id in names or not set(names).isdisjoint(source.tags))
