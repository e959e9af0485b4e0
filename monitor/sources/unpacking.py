"""Compressed bodies, unpacked within a limit: a few bytes must not become gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import brotli  # type: ignore[import-untyped]  # ships no types

ACCEPTED: Final = "gzip, deflate, br"
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_BARE: Final = -zlib.MAX_WBITS
_STEP: Final = 64 * 1024
_INFLATED: Final = 2**20


class TooLong(Exception):
    """There is more in it than the limit allows."""


class NotUnpackable(Exception):
    """It is damaged, cut off, or packed in a way that was not asked for; the message says which."""


def unpack(packed: bytes, coding: str, limit: int) -> bytes:
    """Return the body that `packed` holds in a content coding (RFC 9110, 8.4.1).

    Raises `TooLong` as soon as it passes `limit` bytes, and `NotUnpackable`.
    """
    unpacked: list[bytes] = []
    left = limit
    for piece in _pieces(packed, coding.strip().lower()):
        left -= len(piece)
        if left < 0:
            raise TooLong
        unpacked.append(piece)
    return b"".join(unpacked)


def measure(packed: bytes, coding: str, limit: int) -> None:
    """Raise what `unpack` would, and keep nothing of the body: a bomb takes no memory."""
    left = limit
    for piece in _pieces(packed, coding.strip().lower()):
        left -= len(piece)
        if left < 0:
            raise TooLong


def _pieces(packed: bytes, coding: str) -> Iterator[bytes]:
    """Yield what is in a body, piece by piece."""
    if coding in {"", "identity"} or not packed:
        yield packed
    elif coding in {"gzip", "x-gzip"}:
        yield from _inflate(packed, _GZIP)
    elif coding == "deflate":
        yield from _inflate(packed, _ZLIB if packed[0] & 0x0F == 8 else _BARE)  # noqa: PLR2004 - RFC 1950, 2.2
    elif coding == "br":
        yield from _unbrotli(packed)
    else:
        raise NotUnpackable(f"is packed as {coding[:40]!r}, which was not asked for")


def _inflate(packed: bytes, window: int) -> Iterator[bytes]:
    """Yield what zlib makes of it; gzip may hold several members, one after another (RFC 1952, 2.2)."""
    while packed:
        one = zlib.decompressobj(window)
        while not one.eof:
            try:
                piece = one.decompress(packed, _INFLATED)
            except zlib.error as error:
                raise NotUnpackable("is damaged: it cannot be unpacked") from error
            packed = one.unconsumed_tail
            if not piece and not packed:
                raise NotUnpackable("was cut off before its end")
            yield piece
        more = window == _GZIP and one.unused_data.startswith(b"\x1f\x8b")
        packed = one.unused_data if more else b""


def _unbrotli(packed: bytes) -> Iterator[bytes]:
    """Yield what brotli makes of it, a step at a time."""
    one = brotli.Decompressor()
    try:
        while piece := one.process(packed, output_buffer_limit=_STEP):
            yield piece
            packed = b""  # it keeps what it has not yet read
    except brotli.error as error:
        raise NotUnpackable("is damaged: it cannot be unpacked") from error
    if not one.is_finished():
        raise NotUnpackable("was cut off before its end")
