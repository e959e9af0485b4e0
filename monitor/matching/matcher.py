"""All topics compiled into one index: an item in, its matches and their evidence out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import attrgetter, itemgetter

from monitor.matching.aliases import aliases
from monitor.matching.compiling import Compiler
from monitor.matching.entries import Entry, numbers
from monitor.matching.evidence import MAX_EVIDENCE, evidence
from monitor.matching.explain import Explainer, Explanation
from monitor.matching.index import Index
from monitor.matching.lexicon import Lexicon
from monitor.matching.operators import Subject
from monitor.matching.reading import ItemReading
from monitor.matching.terms import Fuzzy, Term, keyword
from monitor.model import Field, Item, Match, Source, Topic
from monitor.text import language_of, tokens

FEW_TERMS = 16  # of a topic: with more, it is quicker to locate all that stand in an item
RARE, COMMON, STOP = 1, 5, 1000  # how much a plan costs that is filed under such a word
LONG = 16  # letters of a word that is hardly met; each one less makes it more frequent
TOPIC_ID, SCORE_OF_MATCH, PAIRS = itemgetter(0), itemgetter(1), attrgetter("pairs")
MOST_PLACES = 3 * MAX_EVIDENCE  # parts of the places of a match that is not written out yet
new = tuple.__new__  # makes a named tuple in half the time of its own constructor
_SAMPLE = 200  # characters that show an item's language


class Matcher:
    """Topics, compiled; answers which of them an item is about."""

    def __init__(self, topics: Iterable[Topic] = (), *, names: Iterable[Sequence[str]] = ()) -> None:
        """Compile the topics; raise `QueryInvalid` for a query that cannot be read.

        `names` are groups of spellings of one name, beside those that ship.
        """
        self._names = aliases(names)
        self._lexicon = Lexicon(self._names)
        self._index = Index(self._burden)
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
        matches = self._singles(reading)
        matches += sorted(self._others(reading), key=TOPIC_ID)
        matches.sort(key=SCORE_OF_MATCH, reverse=True)
        return tuple(matches)

    def _reading(self, item: Item, source: Source | None) -> ItemReading:
        """Return an item as the plans see it, with what the index has filed for each piece of its text."""
        reading = ItemReading(subject_of(item, source), self._lexicon)
        for piece in reading.found:
            if piece.singles is None:
                self._index.ask(piece)
        return reading

    def _singles(self, reading: ItemReading) -> list[Match]:
        """Return the matches of topics that are a single word: what `One.find` says, without the detour."""
        found: dict[str, Match] = {}
        titles = reading.title_pieces
        many: set[str] = set()
        for at, piece in zip(reading.at, reading.found, strict=True):
            if singles := piece.singles:
                begin = reading.starts[at]
                field: Field = "title" if at < titles else "text"
                for known in singles:
                    topic_id = known[0]
                    if topic_id not in found:
                        found[topic_id] = new(Match, (topic_id, known[1], (field, begin, known)))
                    elif len(places := found[topic_id].places) < MOST_PLACES:
                        score = max(found[topic_id].score, known[1])
                        found[topic_id] = new(Match, (topic_id, score, (*places, field, begin, known)))
                    else:
                        many.add(topic_id)
        for topic_id in many:
            found[topic_id] = self._shortened(topic_id, reading)
        return list(found.values())

    def _shortened(self, topic_id: str, reading: ItemReading) -> Match:
        """Return the match of a single word that stands in more places than are shown."""
        score, marks = self._entries[topic_id].plan.find(reading) or (0.0, [])
        return Match(topic_id, score, evidence(marks, reading.subject.item))

    def _others(self, reading: ItemReading) -> Iterator[Match]:
        """Return the matches of the other topics."""
        for entry in self._candidates(reading):
            if not entry.sources or _comes_from(reading.subject, entry.sources):
                found = entry.plan.find(reading)
                if found is not None:
                    marks = evidence(found[1], reading.subject.item)
                    yield Match(entry.topic_id, round(found[0], 1), marks)

    def _candidates(self, reading: ItemReading) -> list[Entry]:
        """Return every other topic that may match."""
        pairs = numbers(b"".join(map(PAIRS, reading.found)))
        both = compress(pairs[1::2], map(reading.standing.__contains__, pairs[::2])) if pairs else ()
        found = [*self._index.always, *map(self._index.numbered.__getitem__, set(both))]
        if found:
            _locate(found, reading)
        return found

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


def _locate(candidates: Iterable[Entry], reading: ItemReading) -> None:
    """Have the terms located that the candidates will ask for."""
    terms: set[int] = set()
    for entry in candidates:
        if len(entry.held) > FEW_TERMS:
            reading.locate(reading.standing)
            return
        terms.update(entry.held)
    reading.locate(terms)


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
