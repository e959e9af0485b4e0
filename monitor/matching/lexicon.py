"""The words that are looked for, and which of them a word of a text is.

Each distinct word of all queries is a term with a number. What a piece of text (all between two white
spaces) says about the terms is worked out once and kept within a bounded cache; when terms are added,
what is known is only completed by the new ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, chain, count, repeat

from monitor.matching.aliases import Aliases
from monitor.matching.entries import Piece, Shape, numbers
from monitor.matching.postings import Postings
from monitor.matching.terms import Grade, Term, keys_of
from monitor.matching.words import Word, analyse
from monitor.text import tokens

MOST_WEIGHT = 40_000  # of the pieces in a generation, of which each language has two
BLANK, TELLING = 1, 4  # what a piece weighs that is none of the terms, and one that is: about its memory
LONGEST_PIECE = 64  # characters; what is longer is hardly ever seen again
SENTENCE_GAP = 3  # places between two sentences
_SHAPES = 1_000  # of pieces, by the lengths of their words and the like
_GRADES = 1_000
MOST_ADDED = 64  # new terms up to which old knowledge is completed rather than worked out again

_ENDS = frozenset(".!?…")
_CLOSING = "\"'”’»)]*_"
_PER_CENT = re.compile(r"(?:\S|(?<=\d)\s(?=%))+")
_LANGUAGES = frozenset({"en", "uk", "ru"})


class Lexicon:
    """Terms by number, and pieces of text by the terms that their words are."""

    def __init__(self, names: Aliases | None = None, ask: Callable[[Piece], None] = lambda _: None) -> None:
        """Begin without terms; `names` are the spellings of names, those that ship by default.

        `ask` notes in each new piece that says something what an index has filed for it.
        """
        self._names = names
        self._ask = ask
        self._numbers: dict[Term, int] = {}
        self._terms: list[Term | None] = []
        self._users: list[int] = []
        self._postings = Postings()
        self._kinds: Counter[type[Term]] = Counter()
        self._shelves: dict[str | None, Shelf] = {}
        self._blanks: dict[Shape, Piece] = {}  # what is known of the pieces that say nothing, by their shape
        self._revision = 0

    def __len__(self) -> int:
        """Return how many terms are in use."""
        return len(self._numbers)

    def term(self, number: int) -> Term | None:
        """Return the term of a number, or nothing if it is no longer in use."""
        return self._terms[number]

    def expect_many(self) -> None:
        """Gather the terms that come now; they can be found from `settle` on."""
        self._postings.expect_many()

    def settle(self) -> None:
        """Make the gathered terms findable, in the least memory."""
        self._postings.settle()

    def revise(self) -> None:
        """Note that the index has changed: what is filed under a piece must be asked again."""
        self._revision += 1
        self._blanks = {}

    def hold(self, term: Term) -> int:
        """Return the number of a term, and count one more user of it."""
        number = self._numbers.get(term)
        if number is None:
            number = self._numbers[term] = len(self._terms)
            self._terms.append(term)
            self._users.append(0)
            self._kinds[type(term)] += 1
            self._postings.add(number, term.keys())
        self._users[number] += 1
        return number

    def release(self, number: int) -> None:
        """Count one user less of a term; what nobody uses is forgotten."""
        self._users[number] -= 1
        term = self._terms[number]
        if not self._users[number] and term is not None:
            self._terms[number] = None
            self._postings.remove(number, term.keys())
            self._kinds[type(term)] -= 1
            del self._numbers[term]

    def pieces(self, written: list[str], language: str | None) -> list[Piece]:
        """Return what is known of each piece of a text in this language."""
        spoken = language if language in _LANGUAGES else None
        shelf = self._shelves.get(spoken)
        if shelf is None:
            shelf = self._shelves[spoken] = Shelf()
        revision = self._revision
        recent = shelf.recent.get
        found = []
        for each in written:
            piece = recent(each)
            if piece is None or piece.revision != revision:
                piece = self._renewed(each, shelf.find(each), spoken)
                if len(each) <= LONGEST_PIECE:
                    shelf.keep(each, piece)
                    recent = shelf.recent.get
            found.append(piece)
        return found

    def _renewed(self, text: str, old: Piece | None, language: str | None) -> Piece:
        """Return all that is to be known of a piece now, from what was known of it before."""
        if old is None or len(self._terms) - old.known > MOST_ADDED:
            return self._worked_out(text, language)
        return old if old.revision == self._revision else self._completed(old, text, language)

    def _worked_out(self, text: str, language: str | None) -> Piece:
        """Return all that is to be known of a piece."""
        found = tokens(text)
        words = [analyse(token.text, language, self._names) for token in found]
        shape = _shape(
            tuple([(start, end) for _, start, end, _ in found]),
            tuple([word.stop for word in words]),
            text.rstrip(_CLOSING)[-1:] in _ENDS,
        )
        terms = [self._terms_of(word, self._candidates(word)) for word in words]
        return (
            self._graded(Piece(self._revision, len(self._terms), shape), terms)
            if any(terms)
            else self._blank(shape)
        )

    def _completed(self, old: Piece, text: str, language: str | None) -> Piece:
        """Return a piece with the terms that were added since it was worked out."""
        added = range(old.known, len(self._terms))
        words = [analyse(token.text, language, self._names) for token in tokens(text)] if added else []
        terms = [self._terms_of(word, added) for word in words]
        if old.terms or any(terms):
            new = Piece(self._revision, len(self._terms), old.shape, old.terms, old.tokens, old.grades)
            return self._graded(new, terms)
        return self._blank(old.shape)

    def _blank(self, shape: Shape) -> Piece:
        """Return what is known of a piece that is none of the terms: the same for all of one shape.

        It may say that fewer terms are considered than are: then some are considered once more.
        """
        piece = self._blanks.get(shape)
        if piece is None:
            if len(self._blanks) >= _SHAPES:
                self._blanks.clear()
            piece = self._blanks[shape] = Piece(self._revision, len(self._terms), shape)
        return piece

    def _graded(self, piece: Piece, found: list[dict[int, Grade]]) -> Piece:
        """Return a piece with the terms that its tokens are, one dictionary for each, after those it has."""
        piece.terms += numbers(chain.from_iterable(found)).tobytes()
        tokens = chain.from_iterable(map(repeat, count(), map(len, found)))
        piece.tokens += tuple(tokens)
        piece.grades += tuple(chain.from_iterable(grades.values() for grades in found))
        self._ask(piece)
        return piece

    def _candidates(self, word: Word) -> Iterable[int]:
        """Return the terms that share a key with a word, in the order of their numbers."""
        kinds = [kind for kind, users in self._kinds.items() if users]
        return sorted(set(self._postings.find(keys_of(word, kinds))))

    def _terms_of(self, word: Word, numbers: Iterable[int]) -> dict[int, Grade]:
        """Return those of the terms that a word is, and how."""
        found = {}
        for number in numbers:
            term = self._terms[number]
            grade = term.compare(word) if term is not None else None
            if grade is not None:
                found[number] = _one_of_each(grade)
        return found


@lru_cache(maxsize=_SHAPES)
def _shape(spans: tuple[tuple[int, int], ...], stops: tuple[bool, ...], ends: bool) -> Shape:  # noqa: FBT001 - a key
    """Return the spans, the place of each token and how many there are; pieces of one shape share them."""
    *places, size = accumulate((not stop for stop in stops), initial=0)
    return Shape(spans, tuple(places), size + SENTENCE_GAP * ends, ends)


@lru_cache(maxsize=_GRADES)
def _one_of_each(grade: Grade) -> Grade:
    """Return a grade that is kept once, however many words are graded so."""
    return grade


class Shelf:
    """The pieces of one language that were met lately: those used since the last clearing, and before."""

    def __init__(self) -> None:
        self.recent: dict[str, Piece] = {}
        self._older: dict[str, Piece] = {}
        self._weight = 0

    def find(self, text: str) -> Piece | None:
        """Return what is known of a piece, be it old."""
        return self.recent.get(text) or self._older.get(text)

    def keep(self, text: str, piece: Piece) -> None:
        """Remember a piece; when the shelf is full, what was not used lately goes."""
        if self._weight >= MOST_WEIGHT:
            self._older, self.recent = self.recent, {}
            self._weight = 0
        before = self.recent.get(text)
        self.recent[text] = piece
        self._weight += _weight(piece) - (_weight(before) if before else 0)


def _weight(piece: Piece) -> int:
    """Return how much memory a piece takes that is remembered, against others."""
    return TELLING if piece.terms else BLANK


def split(text: str) -> list[str]:
    """Return the pieces of a text; a number keeps the per cent sign that follows after a space."""
    return _PER_CENT.findall(text) if "%" in text else text.split()
