"""Which network addresses may be spoken to, checked on the very address that is connected to.

A check of the name before the request would not hold: the name may resolve to something else a moment
later, redirect elsewhere, or be an address in another notation (`0x7f.1`, `0177.0.0.1`, `::ffff:127.0.0.1`).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

_REFUSED: Final = "not a public address"
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: carries an IPv4 address in its last 32 bits
_UNICAST: Final = ipaddress.ip_network("2000::/3")  # RFC 4291, 2.4 and IANA: all that is given out
_EXAMPLES: Final = ipaddress.ip_network("3fff::/20")  # RFC 9637
_LOOKUPS: Final = 16

AddrInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
SocketFactory = Callable[[AddrInfo], socket.socket]


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


def public_socket(info: AddrInfo) -> socket.socket:
    """Return a socket for a connection; raises `PermissionError` where the address is not public."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PermissionError(errno.EACCES, _REFUSED)
    return socket.socket(family, kind, protocol)


def was_refused(error: BaseException) -> bool:
    """Tell whether a connection failed because `public_socket` would not make it."""
    return isinstance(error, PermissionError) and error.strerror == _REFUSED


class Resolver(AbstractResolver):
    """Looks names up in threads of its own, so that a slow name server does not take those of others."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the numeric addresses of `host`; raises `OSError` where there are none."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Let the threads go; a lookup that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
