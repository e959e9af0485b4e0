"""Whether an item is a story that was told already.

Two items tell one story when they point to the same page or forward the same post, or when their
headlines say the same in the same words. A wrong "same" hides an event from its readers, which is worse
than a repetition: a headline with another number, another place, another order or a "not" is another
story, however alike the rest is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from monitor import text
from monitor.model import Item, Story

WINDOW = timedelta(days=2)
"""How long after its first report a story is still the same; what comes later begins a new one."""

LEAST_WORDS = 4  # "Breaking news" and "Air alert" are no headlines to go by
SHARED_BEGINNING = 0.55  # of the longer of two forms of one word
LEAST_BEGINNING = 3  # letters
HEADLINE_CHARACTERS = 200

# Words that a headline may have or lack without telling something else. Prepositions and particles
# ("on", "off", "from", "не") are not among them.
NEUTRAL = frozenset(
    "a an the is are was were be been has have had will that and to says say said officials official"
    " reports report reported reporting according breaking live update updated video photo photos watch"
    " що та і й це є терміново оновлено відео фото змі повідомляє повідомляють повідомили кажуть"
    " что и а это срочно обновлено видео фото сми сообщает сообщают сообщили молния".split()
)
TRACKING = re.compile(
    r"utm_\w+|at_\w+|fbclid|gclid|yclid|igshid|mc_[ce]id|ref|cmpid|ocid|ns_\w+|from|traffic_source"
)
PUBLISHER = re.compile(r"\s(?:\||-)\s\S+(?:\s\S+){0,2}$")  # "... | Example News"
TELEGRAM_POST = re.compile(r"(?:t|telegram)\.me/(?:s/)?((?:c/\d+|[^/]+)/\d+)")


class Known:
    """The stories of the last two days, found again by a link or by a headline."""

    def __init__(self, stories: Iterable[Story] = ()) -> None:
        """Take the stories, the newest first."""
        self._by_link: defaultdict[str, list[tuple[Story, str]]] = defaultdict(list)
        self._by_outline: defaultdict[str, list[Story]] = defaultdict(list)
        for story in stories:
            self.add(story)

    def add(self, story: Story) -> None:
        """Take in one more story, or a known one with what it has gained."""
        for link, source_id in story.links:
            self._by_link[link].append((story, source_id))
        if told := outline(story.headline):
            self._by_outline[told].append(story)

    def find(self, item: Item) -> Story | None:
        """Return the story that an item tells again, or None for a new one.

        Within one source a link says nothing: some feeds give every entry the link of one page.
        """
        for link in links(item):
            for story, source_id in self._by_link.get(link, ()):
                if source_id != item.source_id:
                    return story
        words = _words(headline(item))
        alike = self._by_outline.get(outline(headline(item)), ())
        return next((story for story in alike if _say_the_same(words, _words(story.headline))), None)


def headline(item: Item) -> str:
    """Return an item's title, or the beginning of a post, which has none."""
    return item.title or " ".join(item.text[:HEADLINE_CHARACTERS].split())


def outline(line: str) -> str:
    """Return how the words of a headline begin, the same for all that say the same; "" for a short one.

    It is what stories are looked up by: whether two of them do say the same is looked at then.
    """
    words = _words(line)
    return " ".join(word[:LEAST_BEGINNING] for word in words) if len(words) >= LEAST_WORDS else ""


def canonical_link(url: str) -> str | None:
    """Return a URL without what differs between two links to one page; None for a front page or a channel.

    Scheme, "www.", the fragment, a trailing slash, the order of the parameters and those that only
    track the reader do not count. A post of Telegram is the same by every address that shows it.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # brackets that are no IPv6 address
        return None
    path = parts.path.rstrip("/")
    kept = sorted(pair for pair in parse_qsl(parts.query) if not TRACKING.fullmatch(pair[0].lower()))
    if not host or not (path or kept):
        return None
    if host in {"t.me", "telegram.me"}:
        post = TELEGRAM_POST.fullmatch(host + path)
        return f"t.me/{post.group(1).lower()}" if post else None
    return host + path + (f"?{urlencode(kept)}" if kept else "")


def links(item: Item) -> frozenset[str]:
    """Return the canonical links by which another report of the same thing is recognised."""
    own = (canonical_link(url) for url in (item.url, item.forwarded_url) if url)
    return frozenset(link for link in own if link)


@lru_cache(maxsize=1_000)
def _words(line: str) -> tuple[str, ...]:
    """Return the words of a headline that tell something, in their order."""
    told = PUBLISHER.sub("", line) if len(line.split()) > LEAST_WORDS + 3 else line
    return tuple(word for word in re.findall(r"\w+", text.fold(told)) if word not in NEUTRAL)


def _say_the_same(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether two headlines have the same words in the same order, forms aside."""
    return len(some) == len(others) and all(map(_one_word, some, others))


def _one_word(some: str, other: str) -> bool:
    """Tell whether two words may be forms of one: they begin alike, and neither is a number."""
    if some == other:
        return True
    short, long = sorted((some, other), key=len)
    if len(short) < LEAST_BEGINNING or any(letter.isdigit() for letter in long):
        return False
    shared = next((at for at, letter in enumerate(short) if letter != long[at]), len(short))
    return shared >= max(LEAST_BEGINNING, SHARED_BEGINNING * len(long)) or shared == len(short)
