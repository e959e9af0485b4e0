"""Which network addresses may be spoken to, checked on the very address that is connected to.

A check of the name before the request would not hold: the name may resolve to something else a moment
later, redirect elsewhere, or be an address in another notation (`0x7f.1`, `0177.0.0.1`, `::ffff:127.0.0.1`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final

from async_lru import alru_cache

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: carries an IPv4 address in its last 32 bits
_UNICAST: Final = ipaddress.ip_network("2000::/3")  # RFC 4291, 2.4 and IANA: all that is given out
_EXAMPLES: Final = ipaddress.ip_network("3fff::/20")  # RFC 9637
_LOOKUPS: Final = 16
_KNOWN_FOR: Final = 60.0  # seconds
_MOST_KNOWN: Final = 10_000


def is_public(address: str) -> bool:
    """Tell whether a numeric address is one of the public Internet, also when it wraps an IPv4 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed not in _UNICAST or parsed in _EXAMPLES:
            return False
    return parsed.is_global and not parsed.is_multicast


@lru_cache(maxsize=1_024)
def is_numeric(host: str) -> bool:
    """Tell whether a host is a numeric address in the one way that everybody reads alike."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Resolver:
    """Looks names up in threads of its own, so that a slow name server does not take those of others.

    What it finds is known for a minute, and a name that several ask for at once is looked up once.
    """

    def __init__(self) -> None:
        """Start no thread yet."""
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="dns")
        self._looked_up = alru_cache(maxsize=_MOST_KNOWN, ttl=_KNOWN_FOR)(self._look_up)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the numeric addresses of `host`, the one to try first in front (RFC 6724).

        IPv6 ones stand in brackets. Raises `OSError` where there are none, and UnicodeError.
        """
        return await self._looked_up(host)

    async def close(self) -> None:
        """Let the threads go; a lookup that hangs is not waited for."""
        await self._looked_up.cache_close(wait=False)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_up(self, host: str) -> tuple[str, ...]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, 0, socket.AF_UNSPEC, socket.SOCK_STREAM
        )
        numbers = dict.fromkeys(str(address[0]) for *_, address in found if "%" not in str(address[0]))
        if not numbers:  # but for what holds on one network card
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return tuple(f"[{number}]" if ":" in number else number for number in numbers)
