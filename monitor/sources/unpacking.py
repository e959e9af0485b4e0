"""Compressed bodies, unpacked within a limit: a few bytes must not become gigabytes."""

from __future__ import annotations

import zlib
from typing import Final

import brotli  # type: ignore[import-untyped]  # ships no types

ACCEPTED: Final = "gzip, deflate, br"
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_BARE: Final = -zlib.MAX_WBITS
_STEP: Final = 64 * 1024


class TooLong(Exception):
    """There is more in it than the limit allows."""


class NotUnpackable(Exception):
    """It is damaged, cut off, or packed in a way that was not asked for; the message says which."""


def unpack(packed: bytes, coding: str, limit: int) -> bytes:
    """Return the body that `packed` holds in a content coding (RFC 9110, 8.4.1).

    Raises `TooLong` as soon as it passes `limit` bytes, and `NotUnpackable`.
    """
    coding = coding.strip().lower()
    if coding in {"", "identity"} or not packed:
        if len(packed) > limit:
            raise TooLong
        return packed
    if coding in {"gzip", "x-gzip"}:
        return _inflate(packed, _GZIP, limit)
    if coding == "deflate":
        return _inflate(packed, _ZLIB if packed[0] & 0x0F == 8 else _BARE, limit)  # noqa: PLR2004 - RFC 1950, 2.2
    if coding == "br":
        return _unbrotli(packed, limit)
    raise NotUnpackable(f"is packed as {coding[:40]!r}, which was not asked for")


def _inflate(packed: bytes, window: int, limit: int) -> bytes:
    """Return what zlib makes of it; gzip may hold several members, one after another (RFC 1952, 2.2)."""
    unpacked = bytearray()
    while packed:
        one = zlib.decompressobj(window)
        try:
            unpacked += one.decompress(packed, limit + 1 - len(unpacked))
        except zlib.error as error:
            raise NotUnpackable("is damaged: it cannot be unpacked") from error
        if len(unpacked) > limit:
            raise TooLong
        if not one.eof:
            raise NotUnpackable("was cut off before its end")
        more = window == _GZIP and one.unused_data.startswith(b"\x1f\x8b")
        packed = one.unused_data if more else b""
    return bytes(unpacked)


def _unbrotli(packed: bytes, limit: int) -> bytes:
    """Return what brotli makes of it, a step at a time."""
    one = brotli.Decompressor()
    unpacked = bytearray()
    try:
        while piece := one.process(packed, output_buffer_limit=_STEP):
            unpacked += piece
            packed = b""  # it keeps what it has not yet read
            if len(unpacked) > limit:
                raise TooLong
    except brotli.error as error:
        raise NotUnpackable("is damaged: it cannot be unpacked") from error
    if not one.is_finished():
        raise NotUnpackable("was cut off before its end")
    return bytes(unpacked)
