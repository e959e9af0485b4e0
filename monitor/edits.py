"""What an edit changed, in a few words, and whether it is news.

Pure: texts and times come in, short values go out.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from rapidfuzz.distance import Indel

from monitor.model import Change

FRESH: Final = timedelta(days=2)
OLDEST: Final = timedelta(days=365)
MANY: Final = 10  # edits in one poll: a page that is laid out anew, rather than ten corrections
MOST_CHANGES: Final = 3
MOST_WORDS: Final = 3_000  # of a text that are compared; the work grows with their square
_TRIM: Final = re.compile(r"^\W+|(?<=\w)\W++$")


def is_news(published: datetime, now: datetime, *, edits: int) -> bool:
    """Tell whether chats may be told of an item because it was edited, among so many `edits` of one poll.

    What came in the last two days may always be told. What is older may, too, unless a whole page of items
    was changed at once, or it is more than a year old.
    """
    age = now - published
    return age <= FRESH or (edits <= MANY and age <= OLDEST)


def is_told(edits: int) -> bool:
    """Tell whether messages are brought up to date for the edit of an item that is its `edits`th.

    Each of the first ten is told. What changes more often holds a clock or a counter; of that, only the
    16th, the 32nd, the 64th and so on are.
    """
    return edits <= MANY or not edits & (edits - 1)


def changes(before: str, after: str) -> tuple[Change, ...]:
    """Return the words that an edit took away and put in their place, the first few of them.

    A word that only gained or lost punctuation or an upper-case letter has not changed. Words that stand
    alone between two changes are part of one change, as that reads better.
    """
    old, new = before.split()[:MOST_WORDS], after.split()[:MOST_WORDS]
    said, says = [_bare(word) for word in old], [_bare(word) for word in new]
    spans: list[tuple[int, int, int, int]] = []
    for operation in Indel.opcodes(said, says):
        if operation.tag == "equal":
            continue
        span = (operation.src_start, operation.src_end, operation.dest_start, operation.dest_end)
        if spans and span[0] - spans[-1][1] <= 1 and span[2] - spans[-1][3] <= 1:
            span = (spans[-1][0], span[1], spans[-1][2], span[3])
            spans.pop()
        spans.append(span)
    found = (Change(" ".join(old[a:b]), " ".join(new[c:d])) for a, b, c, d in spans)
    told = [change for change in found if _bare(change.old) != _bare(change.new)]
    return tuple(dict.fromkeys(told))[:MOST_CHANGES]


def _bare(word: str) -> str:
    """Return a word without the punctuation around it, unless it is nothing else."""
    return (_TRIM.sub("", word) or word).casefold()
