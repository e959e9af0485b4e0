"""What the service tells systemd: ready, reloading, alive, stopping (sd_notify(3), sd_watchdog_enabled(3)).

A message is a datagram of KEY=value lines to the socket that NOTIFY_SOCKET names. Without one, on a
desk or in a container, every call does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

log = logging.getLogger(__name__)


class Notifier:
    """Talks to the service manager that started this process, if one did."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the socket and the watchdog from the environment that systemd gave.

        `watchdog` is how often to say that all is well: half of what systemd waits for, as
        sd_watchdog_enabled(3) advises; None where systemd does not wait for it.
        """
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(environ) if self._address else None

    def ready(self, status: str = "") -> None:
        """Say that start-up or a reload has ended, with a line for `systemctl status`."""
        self._send("READY=1", f"STATUS={' '.join(status.split())}" if status else "")

    def reloading(self) -> None:
        """Say that the config is read again; `ready` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the service is on its way out."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        """Send lines without waiting: a service manager that does not listen stops nothing."""
        if not self._address:
            return
        message = "\n".join(filter(None, lines)).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(0)
                out.sendto(message, self._address)
        except OSError as error:
            log.warning("systemd message=%s error=%r", lines[0], str(error))


def _address(given: str) -> str:
    """Return the address of a socket, a leading "@" meaning Linux's abstract ones; "" for any other kind."""
    if given.startswith("@"):
        return "\0" + given[1:]
    return given if given.startswith("/") else ""


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    """Return half the time after which systemd misses us, if it waits for this very process."""
    wait, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not wait.isdecimal() or int(wait) == 0 or (pid and pid != str(os.getpid())):
        return None
    return timedelta(microseconds=int(wait)) / 2
