"""Feeds: RSS 0.9x to 2.0, Atom and RDF through feedparser, JSON Feed by itself.

`parse` never fetches, and reads no entry twice that stands in a document as it stood there before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

from yarl import URL

from monitor.errors import MonitorError, SourceUnreachable, SourceUnreadable
from monitor.html import clean
from monitor.model import Cursor, Hints, Polled, Source
from monitor.sources.entries import Document, items_of
from monitor.sources.envelope import decoded
from monitor.sources.headers import http_date
from monitor.sources.http import Http, Response
from monitor.sources.json_feed import read_json
from monitor.sources.kind import Fetched
from monitor.sources.memory import Memory, Records, hour_of, records_of, ttl_of, was_broken
from monitor.sources.pieces import Pieces, above, cut, ordinary, ordinary_around
from monitor.sources.plain_entry import read_plain
from monitor.sources.xml_feed import CUT, MAX_TAGS, read_xml

_NOT_MODIFIED: Final = 304
_LONGEST_VALIDATOR: Final = 1_000  # characters
_CONDITIONS_REFUSED: Final = frozenset({412, 431})  # or too long to be read
_AT_ONCE: Final = 2**18  # bytes of a document that is looked at on the event loop
_FEW: Final = 5  # entries that are read there
_SHORT: Final = 10_000  # bytes of them all
_SIMPLE: Final = 300  # tags in them all: markup can be such that a parser's time grows with their square
_SHORTEST_TAG: Final = 3  # bytes


async def fetch(http: Http, source: Source, cursor: Cursor) -> Fetched:
    """Return the feed's document, or 304 where the server says that it is the one we know.

    Asks where a permanent redirect pointed; where that answers no more, asks the address of the source again.
    What names the version that is known is told to the address alone that gave it.
    """
    url = cursor.moved_to or source.address
    trusted = source.trusted and (url == source.address or _host(url) == _host(source.address))
    conditions = {"If-None-Match": cursor.etag or "", "If-Modified-Since": cursor.last_modified or ""}
    conditions = {name: value for name, value in conditions.items() if value}
    try:
        answer = await _asked(http, url, conditions, trusted=trusted, only_to=cursor.answered_by)
    except MonitorError as error:
        if url == source.address or getattr(error, "after", None):
            raise
        answer = await http.get(source.address, trusted=source.trusted)
    if answer.status == _NOT_MODIFIED and not (cursor.etag or cursor.last_modified):
        raise SourceUnreachable(answer.told("answered 304 Not Modified to one who knows nothing of it yet"))
    return Fetched((answer,))


async def _asked(
    http: Http, url: str, conditions: Mapping[str, str], *, trusted: bool, only_to: str | None
) -> Response:
    """Return the answer to a request with conditions, or to one without where they are refused."""
    try:
        return await http.get(url, conditions, trusted=trusted, only_to=only_to)
    except SourceUnreachable as error:
        if not conditions or error.status not in _CONDITIONS_REFUSED:
            raise
    return await http.get(url, trusted=trusted)


def glance(fetched: Fetched, source: Source, cursor: Cursor) -> Polled | None:
    """Return what `parse` does where nothing changed, or a few plain entries came; None otherwise."""
    answer = fetched.answers[-1]
    if answer.status == _NOT_MODIFIED:
        return _the_same(answer, cursor)
    return _only_new(answer, source, cursor, at_once=True) if len(answer.body) <= _AT_ONCE else None


def parse(fetched: Fetched, source: Source, cursor: Cursor) -> Polled:
    """Return the items of a fetched feed; raises `SourceUnreadable` where it is none.

    Of a document whose entries are known by their bytes, only the new ones are read, and only their items
    returned. A whole look a day makes sure of the rest, and of what the source still shows.
    """
    answer = fetched.answers[-1]
    if answer.status == _NOT_MODIFIED:
        return _the_same(answer, cursor)
    polled = _only_new(answer, source, cursor, at_once=False)
    if polled:
        return polled
    fingerprint = blake2b(answer.body, digest_size=16).hexdigest()
    if fingerprint == cursor.fingerprint:
        return _the_same(answer, cursor)
    polled = _whole(answer, source, replace(cursor, fingerprint=fingerprint))
    return replace(polled, notes=(*fetched.notes, *polled.notes))


def read(body: bytes, content_type: str, url: str) -> Document:
    """Return what a feed of any format holds; raises `SourceUnreadable` with what it is instead."""
    text = decoded(body, content_type)
    start = text.lstrip()[:1]
    if not start:
        raise SourceUnreadable("an empty answer")
    return read_json(text.strip(), url) if start in {"{", "["} else read_xml(text, url)


def _the_same(answer: Response, cursor: Cursor) -> Polled:
    """Return that nothing changed."""
    hints = _hints(answer, ttl_of(cursor.entries))
    if was_broken(cursor.entries):
        return Polled(cursor, changed=False, hints=hints, fault=CUT)
    return Polled(_cursor(answer, cursor), changed=False, hints=hints)


def _hints(answer: Response, ttl: timedelta | None) -> Hints:
    """Return what the answer and the document said about when to come back."""
    return replace(answer.hints, ttl=ttl) if ttl else answer.hints


def _whole(answer: Response, source: Source, cursor: Cursor) -> Polled:
    """Return all items of a document, and remember its entries."""
    try:
        document = read(answer.body, answer.headers.get("content-type", ""), answer.url)
    except SourceUnreadable as error:
        raise SourceUnreadable(answer.told(f"sent {error}")) from error
    before, after = Memory.of(cursor.entries), _remembered(document, cut(answer.body), answer)
    items, notes = items_of(document, source.id, http_date(answer.headers.get("date", "")))
    if document.fault and not items:
        raise SourceUnreadable(answer.told(f"sent nothing that can be read: {document.fault}"))
    gap = before is not None and after.records.nothing_known(before.records)
    following = _cursor(answer, cursor)
    if document.fault:  # so that the rest is asked for again
        following = replace(following, etag=None, last_modified=None)
    return Polled(
        replace(following, entries=after.packed()),
        items,
        hints=_hints(answer, document.ttl),
        notes=notes,
        gap=gap,
        fault=document.fault,
    )


def _remembered(document: Document, pieces: Pieces | None, answer: Response) -> Memory:
    """Return what is remembered of a document that was read whole."""
    hour = hour_of(answer.received)
    about = Memory(
        Records(), hour=hour, ttl=document.ttl, language=document.language, broken=bool(document.fault)
    )
    opening = pieces.opening() if pieces else None
    if pieces and opening and document.sound and len(document.entries) == len(pieces.entries):
        records = records_of(document, pieces.digests)
        if records.are_apart() and _all_ordinary(pieces, opening):
            envelope = pieces.envelope(answer.url)
            return about._replace(records=records, runs=pieces.runs, cuttable=True, envelope=envelope)
    return about._replace(records=records_of(document))


def _all_ordinary(pieces: Pieces, opening: str) -> bool:
    """Tell whether a document means the same in pieces as in one."""
    try:
        texts = [entry.decode() for entry in pieces.entries]
    except UnicodeDecodeError:
        return False
    return ordinary_around(pieces) and all(ordinary(text, opening) for text in texts)


class _Beside(NamedTuple):
    """A document beside the one before."""

    pieces: Pieces
    fresh: Sequence[int]  # the numbers of the pieces that were not there before
    kept: Records  # of the entries that were
    with_new: Callable[[Records], Records]  # all entries, in their order, given those of the fresh pieces


def _on_top(body: bytes, before: Records, runs: bytes) -> _Beside | None:
    """Return what is new where nothing else happened than entries coming on top and going at the end."""
    found = above(body, before.digests, runs)
    if found is None or any(map(before.has_digest, found[0].digests)):
        return None
    pieces, left = found
    kept = before.first(left)
    return _Beside(pieces, range(len(pieces.entries)), kept, lambda new: new + kept)


def _anywhere(body: bytes, before: Records) -> _Beside | None:
    """Return what is new wherever it stands; None where the document cannot be cut."""
    pieces = cut(body)
    if pieces is None:
        return None
    known = {digest: place for place, digest in enumerate(before.each_digest())}
    fresh = [number for number, digest in enumerate(pieces.digests) if digest not in known]
    kept = before.picked(known[digest] for digest in pieces.digests if digest in known)
    new = iter(range(len(before), len(before) + len(fresh)))
    order = [known[digest] if digest in known else next(new) for digest in pieces.digests]
    return _Beside(pieces, fresh, kept, lambda added: (before + added).picked(order))


def _only_new(answer: Response, source: Source, cursor: Cursor, *, at_once: bool) -> Polled | None:
    """Return the items of the entries that were not there before; None where the whole has to be read.

    `at_once` asks for None, too, where that would take longer than the event loop can wait.
    """
    before = Memory.of(cursor.entries)
    if before is None or not before.cuttable or before.whole_is_due(answer.received):
        return None
    beside = _on_top(answer.body, before.records, before.runs) or _anywhere(answer.body, before.records)
    if (
        beside is None
        or beside.pieces.envelope(answer.url) != before.envelope
        or _has_too_many_tags(answer.body)
    ):
        return None
    pieces, fresh, kept, with_new = beside
    document = _read_some(answer, pieces, fresh, before, at_once=at_once) if fresh else Document(())
    if document is None:
        return None
    added = records_of(document, [pieces.digests[number] for number in fresh])
    if len(set(pieces.digests)) < len(pieces.digests) or not added.stay_apart(kept):
        return None
    if not fresh and len(kept) == len(before.records):
        return _the_same(answer, cursor)
    records = with_new(added)
    items, notes = items_of(
        document, source.id, http_date(answer.headers.get("date", "")), dated=0 not in records.dated
    )
    gap = not len(kept) and records.nothing_known(before.records)
    entries = before.followed_by(records, pieces.runs)
    return Polled(
        _cursor(answer, cursor, entries),
        items,
        hints=_hints(answer, before.ttl),
        notes=notes,
        gap=gap,
    )


def _read_some(
    answer: Response, pieces: Pieces, numbers: Sequence[int], before: Memory, *, at_once: bool
) -> Document | None:
    """Return some entries of a document, read in its opening tags; None where that would not be the same."""
    entries, opening = [pieces.entries[number] for number in numbers], pieces.opening()
    if opening is None or (at_once and not _are_few(entries)):
        return None
    try:
        texts = [entry.decode() for entry in entries]
        plain = [read_plain(text, opening, answer.url, before.language) for text in texts]
        if None not in plain:
            return Document(tuple(entry for entry in plain if entry))
        if at_once or not all(ordinary(text, opening) for text in texts):
            return None
        document = read_xml(pieces.only(texts, opening), answer.url, before.language)
    except (UnicodeDecodeError, SourceUnreadable):
        return None
    return document if document.sound and len(document.entries) == len(numbers) else None


def _are_few(entries: Sequence[bytes]) -> bool:
    """Tell whether entries are read in a few milliseconds, whatever is in them."""
    tags = sum(entry.count(b"<") + entry.count(b"&lt;") for entry in entries)
    return len(entries) <= _FEW and sum(map(len, entries)) <= _SHORT and tags <= _SIMPLE


def _has_too_many_tags(body: bytes) -> bool:
    """Tell whether a document holds more tags than are read of one."""
    return len(body) > _SHORTEST_TAG * MAX_TAGS and body.count(b"<") > MAX_TAGS


def _cursor(answer: Response, cursor: Cursor, entries: bytes | None = None) -> Cursor:
    """Return the cursor with what the answer said for the next request, and with other entries, if any."""
    etag, last_modified, answered_by = cursor.etag, cursor.last_modified, cursor.answered_by
    if answer.status != _NOT_MODIFIED:  # what a 304 names may be of another version (RFC 9111, 4.3.4)
        etag, last_modified = _validator(answer, "etag"), _validator(answer, "last-modified")
        answered_by = answer.url if answer.url != answer.asked else None
    moved_to = answer.permanent_url or (cursor.moved_to if answer.asked == cursor.moved_to else None)
    if entries is not None:
        return Cursor(etag, last_modified, moved_to=moved_to, entries=entries, answered_by=answered_by)
    now = (etag, last_modified, moved_to, answered_by)
    if now == (cursor.etag, cursor.last_modified, cursor.moved_to, cursor.answered_by):
        return cursor
    return replace(cursor, etag=etag, last_modified=last_modified, moved_to=moved_to, answered_by=answered_by)


def _validator(answer: Response, name: str) -> str | None:
    """Return what a version is named by; None for nothing, and for what is too long to be sent back."""
    value = answer.headers.get(name, "")
    return value if 0 < len(value) <= _LONGEST_VALIDATOR else None


def _host(url: str) -> str | None:
    """Return the host of a URL; None where it is none."""
    try:
        return URL(clean(url)).host
    except ValueError:
        return None
