"""What a config says that is allowed, but that hardly anybody means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from yarl import URL

from monitor.alternatives import is_stray
from monitor.config.settings import Config
from monitor.model import Source, Topic
from monitor.text import fold, says_nothing, tokens

_OPERATORS = re.compile(
    r"""(?P<word>(?<!\S)(?:AND|OR|NOT)(?!\S))  # one AND two
    | (?<=\w)(?P<after>\*|~\d)(?!\S)           # word*, word~1
    | ^(?P<before>[-+=]|(?:title|source|lang):)(?=[\w"(])
    | ^(?P<mark>["“„«/]).+["”“»/]$              # "some words", /regex/
    """,
    re.VERBOSE,
)


def notes(config: Config, faulty: Collection[str] = ()) -> Iterator[str]:
    """Yield a sentence for each such thing.

    Of a section in `faulty` the config has not all, so that nothing is said to be missing there.
    """
    access = config.telegram.access
    if "telegram" not in faulty and access != "open" and not config.telegram.admins:
        nobody = "nobody can be let in" if access == "approval" else "nobody may use the bot"
        yield f'telegram.access is "{access}" without telegram.admins: {nobody}, so add a numeric user id'
    if "sources" not in faulty and not config.sources:
        yield "there are no [[sources]]: only those are polled that are added in the chat or imported"
    if not {"topics", "packs"}.intersection(faulty) and not config.topics:
        yield "there are no topics: name packs or write [[topics]]"
    for topic in config.topics:
        yield from of_topic(topic)
    yield from _same_address(config.sources)


def of_topic(topic: Topic) -> Iterator[str]:
    """Yield a sentence for each word or phrase of a topic that does not what it seems to do."""
    excluded = set(map(fold, topic.exclude))
    seen: set[str] = set()
    for keyword in topic.keywords:
        known, what = fold(keyword), f'the keyword "{keyword}" of the topic "{topic.id}"'
        if known in seen:
            yield f"{what} stands there twice: once is enough"
            continue
        seen.add(known)
        if says_nothing(keyword):
            yield f"{what} matches nearly everything: it has no word but such as stand in every text"
        elif letter := _single_letter(keyword):
            yield f'{what} is the one letter "{letter}", as signs count for nothing: name a word beside it'
        if known in excluded:
            yield f"{what} stands in exclude too, so that it finds nothing: take it out of one of them"
    for field in ("keywords", "exclude", "require"):
        for phrase in dict.fromkeys(getattr(topic, field)):
            if problem := _misread(phrase):
                yield f'"{phrase}" in {field} of the topic "{topic.id}" {problem}'


def _single_letter(keyword: str) -> str:
    """Return the only letter that a keyword has; "" where it has more, or none."""
    letters = [token.text for token in tokens(keyword)]
    return letters[0] if len(letters) == 1 and len(letters[0]) == 1 and letters[0].isalpha() else ""


def _misread(phrase: str) -> str:
    """Return what a phrase does not mean, though it looks so; "" where it means what it says."""
    if is_stray(phrase):
        return 'has a "|" outside of brackets, where it means nothing: write (one|two) word, one word each'
    if found := _OPERATORS.search(phrase):
        operator = next(filter(None, found.groups()))
        return f"looks like a query, but {operator} means nothing there: write it as query = '...'"
    return ""


def _same_address(sources: tuple[Source, ...]) -> Iterator[str]:
    """Yield a sentence for each source that has the address of one before it, however it is written."""
    first: dict[str, str] = {}
    for source in sources:
        is_channel = source.kind == "channel"
        address = f"@{source.address.lower()}" if is_channel else _plain(URL(source.address))
        other = first.setdefault(address, source.id)
        if other != source.id:
            yield f'the sources "{other}" and "{source.id}" have the same address: one of them is enough'


def _plain(url: URL) -> str:
    """Return a URL without what surely makes no difference (RFC 3986, 6.2): case, default port, fragment."""
    return f"{url.origin()}{url.raw_path_qs}"
