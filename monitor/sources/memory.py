"""What is remembered of a feed's entries between two looks: a few bytes each, stored in its cursor.

By these bytes an entry that was read before is known again without being read. Its names are kept as well,
since an entry that shares one with another is told from it otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple, Self

from monitor.sources.entries import Document, Entry

_FORMAT: Final = 4  # another number makes all that was remembered before mean nothing: it is read anew
_HEADER = struct.Struct("<B??8sIf2sH")
_DIGEST: Final = 8  # bytes
_NAME: Final = 4
_NO_NAME: Final = bytes(_NAME)
_UNSEEN: Final = bytes(_DIGEST)
WHOLE_EVERY: Final = 24  # hours


class _Head(NamedTuple):
    """What is packed before the entries; `_HEADER` says in how many bytes."""

    version: int
    cuttable: bool
    broken: bool
    envelope: bytes
    hour: int
    minutes: float  # of the ttl
    language: bytes
    entries: int  # how many


@dataclass(frozen=True, slots=True)
class Records:
    """What is remembered of some entries, one after another."""

    digests: bytes = b""  # of their bytes, 8 each; nothing in a document that cannot be cut
    names: bytes = (
        b""  # short digests of guid and link, 4 and 4 each; the content is the guid of the nameless
    )
    dated: bytes = b""  # 1 for each that has a date

    def __len__(self) -> int:
        """How many entries these are."""
        return len(self.dated)

    def __add__(self, other: Records) -> Records:
        """Return these and others behind them."""
        return Records(self.digests + other.digests, self.names + other.names, self.dated + other.dated)

    def first(self, count: int) -> Records:
        """Return the first so many."""
        return Records(self.digests[: count * _DIGEST], self.names[: count * 2 * _NAME], self.dated[:count])

    def picked(self, places: Iterable[int]) -> Records:
        """Return those at some places, in that order."""
        chosen = list(places)
        names = _split(self.names, 2 * _NAME)
        digests = self.each_digest()
        return Records(
            b"".join(digests[place] for place in chosen),
            b"".join(names[place] for place in chosen),
            bytes(self.dated[place] for place in chosen),
        )

    def each_digest(self) -> list[bytes]:
        """Return the digest of each of the entries."""
        return _split(self.digests, _DIGEST)

    def each_name(self) -> list[bytes]:
        """Return all names that the entries have; one that is named by its link alone has that twice."""
        return [name for name in _split(self.names, _NAME) if name != _NO_NAME]

    def has_digest(self, digest: bytes) -> bool:
        """Tell whether an entry has this digest."""
        return _stands_in(self.digests, digest)

    def are_apart(self) -> bool:
        """Tell whether no entry shares a name with another."""
        names = [name for both in _split(self.names, 2 * _NAME) for name in _names(both)]
        return len(set(names)) == len(names)

    def stay_apart(self, kept: Records) -> bool:
        """Tell whether no entry shares a name with another or with one of `kept`, which share none."""
        return self.are_apart() and not any(_stands_in(kept.names, name) for name in self.each_name())

    def nothing_known(self, before: Records) -> bool:
        """Tell whether there are entries now and there were before, and none of them is the same."""
        known = set(before.each_name())
        return bool(len(self) and known) and known.isdisjoint(self.each_name())


class Memory(NamedTuple):
    """What is remembered of the last document."""

    records: Records
    runs: bytes = b""  # as `Pieces.runs`
    cuttable: bool = False  # its entries can be read apart
    envelope: bytes = _UNSEEN  # digest of what stood around them
    hour: int = 0  # of the last look at the whole document, since 1970; 0 where that is not known
    ttl: timedelta | None = None
    language: str = ""  # ISO 639-1 of the feed
    broken: bool = False  # it broke off before its end

    @classmethod
    def of(cls, packed: bytes | None) -> Self | None:
        """Return what was packed; None for nothing, and for what another version packed."""
        head = _head(packed)
        if not packed or head is None:
            return None
        names = _HEADER.size + head.entries * _DIGEST
        dated = names + head.entries * 2 * _NAME
        runs = dated + head.entries
        return cls(
            Records(packed[_HEADER.size : names], packed[names:dated], packed[dated:runs]),
            packed[runs:],
            head.cuttable,
            head.envelope,
            head.hour,
            timedelta(minutes=head.minutes) if head.minutes else None,
            head.language.rstrip(b"\0").decode(),
            head.broken,
        )

    def packed(self) -> bytes:
        """Return it as bytes."""
        return self.followed_by(self.records, self.runs)

    def followed_by(self, records: Records, runs: bytes) -> bytes:
        """Return the same of other entries, as bytes."""
        head = _HEADER.pack(
            _FORMAT,
            self.cuttable,
            self.broken,
            self.envelope,
            self.hour,
            self.ttl.total_seconds() / 60 if self.ttl else 0.0,
            self.language.encode(),
            len(records),
        )
        return b"".join((head, records.digests, records.names, records.dated, runs))

    def whole_is_due(self, now: datetime | None) -> bool:
        """Tell whether a day has passed since the whole document was read."""
        return now is not None and hour_of(now) - self.hour >= WHOLE_EVERY


def ttl_of(packed: bytes | None) -> timedelta | None:
    """Return how long the last document said that it stays the same, without looking at the rest."""
    head = _head(packed)
    return timedelta(minutes=head.minutes) if head and head.minutes else None


def was_broken(packed: bytes | None) -> bool:
    """Return whether the last document broke off before its end."""
    head = _head(packed)
    return head is not None and head.broken


def hour_of(now: datetime | None) -> int:
    """Return the hours from 1970 until then; 0 for None."""
    return int(now.timestamp() // 3600) if now else 0


def records_of(document: Document, digests: Sequence[bytes] = ()) -> Records:
    """Return what is remembered of the entries of a document; `digests` are those of their bytes, if any."""
    entries = document.entries
    return Records(
        b"".join(digests) if digests else _UNSEEN * len(entries),
        b"".join(map(_names_of, entries)),
        bytes(entry.published is not None for entry in entries),
    )


def _head(packed: bytes | None) -> _Head | None:
    """Return what stands before the entries; None where nothing, or another version's, does."""
    return _Head._make(_HEADER.unpack_from(packed)) if packed and packed[0] == _FORMAT else None


def _names_of(entry: Entry) -> bytes:
    guid = entry.guid or ("" if entry.link else f"{entry.title}\n{entry.body.text}")
    return _short(guid) + _short(entry.link)


def _names(both: bytes) -> Iterator[bytes]:
    """Yield the names of one entry, each once."""
    guid, link = both[:_NAME], both[_NAME:]
    if guid != _NO_NAME:
        yield guid
    if link not in {_NO_NAME, guid}:
        yield link


def _split(joined: bytes, size: int) -> list[bytes]:
    """Return bytes in parts of one size."""
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def _stands_in(joined: bytes, part: bytes) -> bool:
    """Tell whether bytes that are parts of one size hold this one."""
    at = joined.find(part)
    while at > 0 and at % len(part):  # else it lies across two of them
        at = joined.find(part, at + 1)
    return at >= 0


def _short(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "replace"), digest_size=_NAME).digest() if name else _NO_NAME
