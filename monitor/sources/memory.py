"""What is remembered of a feed's entries between two looks: a few bytes each, stored in its cursor.

By these bytes an entry that was read before is known again without being read. Its names are kept as well,
since an entry that shares one with another is told from it otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple, Self

from monitor.sources.entries import Document, Entry

_FORMAT: Final = 2  # another number makes all that was remembered before mean nothing: it is read anew
_HEADER = struct.Struct("<B?8sIf2s")
_RECORD = struct.Struct("<8s4s4s?")
_NO_NAME: Final = bytes(4)
_UNSEEN: Final = bytes(8)
WHOLE_EVERY: Final = timedelta(days=1)


class Record(NamedTuple):
    """One entry of the last document."""

    digest: bytes  # of its bytes; nothing in a document that cannot be cut
    guid: bytes  # short digest; of the content where the entry has no name at all
    link: bytes
    dated: bool

    @property
    def names(self) -> set[bytes]:
        """The names that the entry has."""
        return {self.guid, self.link} - {_NO_NAME}


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of the last document."""

    records: tuple[Record, ...]
    cuttable: bool = False  # its entries can be read apart
    envelope: bytes = _UNSEEN  # digest of what stood around them
    hour: int = 0  # of the last look at the whole document, since 1970; 0 where that is not known
    ttl: timedelta | None = None
    language: str = ""  # ISO 639-1 of the feed

    @classmethod
    def of(cls, packed: bytes | None) -> Self | None:
        """Return what was packed; None for nothing, and for what another version packed."""
        if not packed or packed[0] != _FORMAT:
            return None
        _, cuttable, envelope, hour, minutes, language = _HEADER.unpack_from(packed)
        records = tuple(map(Record._make, _RECORD.iter_unpack(packed[_HEADER.size :])))
        ttl = timedelta(minutes=minutes) if minutes else None
        return cls(records, cuttable, envelope, hour, ttl, language.rstrip(b"\0").decode())

    def packed(self) -> bytes:
        """Return it as bytes."""
        minutes = self.ttl.total_seconds() / 60 if self.ttl else 0.0
        language = self.language.encode()
        head = _HEADER.pack(_FORMAT, self.cuttable, self.envelope, self.hour, minutes, language)
        return head + b"".join(_RECORD.pack(*record) for record in self.records)

    def whole_is_due(self, now: datetime | None) -> bool:
        """Tell whether a day has passed since the whole document was read."""
        return now is not None and hour_of(now) - self.hour >= WHOLE_EVERY / timedelta(hours=1)


def ttl_of(packed: bytes | None) -> timedelta | None:
    """Return how long the last document said that it stays the same, without looking at the rest."""
    if not packed or packed[0] != _FORMAT:
        return None
    minutes = _HEADER.unpack_from(packed)[4]
    return timedelta(minutes=minutes) if minutes else None


def hour_of(now: datetime | None) -> int:
    """Return the hours from 1970 until then; 0 for None."""
    return int(now.astimezone(UTC).timestamp() // 3600) if now else 0


def records_of(document: Document, digests: Iterable[bytes] = ()) -> tuple[Record, ...]:
    """Return what is remembered of the entries of a document; `digests` are those of their bytes."""
    seen = iter(digests)
    return tuple(_record(entry, next(seen, _UNSEEN)) for entry in document.entries)


def all_apart(records: Sequence[Record]) -> bool:
    """Tell whether no entry shares a name with another."""
    names = [name for record in records for name in record.names]
    return len(set(names)) == len(names)


def stay_apart(added: Sequence[Record], kept: Sequence[Record]) -> bool:
    """Tell whether no entry that was added shares a name with another, where the kept ones share none."""
    names = {name for record in added for name in record.names}
    others = {record.guid for record in kept}.union(record.link for record in kept)
    return all_apart(added) and names.isdisjoint(others)


def nothing_known(records: Sequence[Record], before: Sequence[Record]) -> bool:
    """Tell whether there are entries now and there were before, and none of them is the same."""
    known = {name for record in before for name in record.names}
    return bool(records and known) and not any(record.names & known for record in records)


def _record(entry: Entry, digest: bytes) -> Record:
    guid = entry.guid or ("" if entry.link else f"{entry.title}\n{entry.body.text}")
    return Record(digest, _short(guid), _short(entry.link), entry.published is not None)


def _short(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "replace"), digest_size=4).digest() if name else _NO_NAME
