"""The service under systemd: what it says to systemd, and what its unit lets it do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.systemd import Notifier

UNIT = Path(__file__).parent.parent / "systemd" / "monitor-bot.service"
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(1)
        yield listening


def notifier(manager: socket.socket, **environ: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), **environ})


def heard(manager: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().split("\n"))


def test_ready_comes_with_a_line_for_people(manager: socket.socket) -> None:
    notifier(manager).ready("watching 2 sources\nfor 3 topics")
    assert heard(manager) == {"READY": "1", "STATUS": "watching 2 sources for 3 topics"}


def test_ready_without_a_line_leaves_the_old_one(manager: socket.socket) -> None:
    notifier(manager).ready()
    assert heard(manager) == {"READY": "1"}


def test_a_reload_says_when_it_began(manager: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    notifier(manager).reloading()
    told = heard(manager)
    assert told["RELOADING"] == "1"
    assert before <= int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_signs_of_life_and_of_the_end_are_sent(manager: socket.socket) -> None:
    speaker = notifier(manager)
    speaker.alive()
    speaker.stopping()
    assert [heard(manager), heard(manager)] == [{"WATCHDOG": "1"}, {"STOPPING": "1"}]


def test_an_abstract_socket_is_reached() -> None:
    name = f"monitor-bot-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(1)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert heard(listening) == {"WATCHDOG": "1"}


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative/path"])
def test_without_a_socket_of_systemd_nothing_happens(address: str, caplog: pytest.LogCaptureFixture) -> None:
    speaker = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    speaker.ready("x")
    speaker.alive()
    assert speaker.watchdog is None
    assert caplog.text == ""


def test_a_manager_that_does_not_listen_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready()
    assert "systemd message=READY=1 error=" in caplog.text


def test_the_watchdog_is_fed_twice_as_often_as_asked(manager: socket.socket) -> None:
    assert notifier(manager, WATCHDOG_USEC="90000000").watchdog == timedelta(seconds=45)
    mine = notifier(manager, WATCHDOG_USEC="90000000", WATCHDOG_PID=str(os.getpid()))
    assert mine.watchdog == timedelta(seconds=45)


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}],
)
def test_no_watchdog_is_fed_that_does_not_wait_for_this_process(
    manager: socket.socket, environ: dict[str, str]
) -> None:
    assert notifier(manager, **environ).watchdog is None


# --- The unit


def unit() -> dict[str, list[str]]:
    """Return the values of every directive, in the order of the file."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def seconds(value: str) -> int:
    assert value.endswith("s")
    return int(value[:-1])


def test_the_unit_runs_the_bot_from_the_documented_places() -> None:
    directives = unit()
    assert directives["ExecStart"] == ["/opt/monitor-bot/.venv/bin/python /opt/monitor-bot/bot.py run"]
    assert directives["StateDirectory"] == ["monitor-bot"]
    assert directives["LoadCredential"] == ["telegram-token:/etc/monitor-bot/token"]
    assert directives["WorkingDirectory"] == ["/var/lib/monitor-bot"]


def test_the_unit_waits_for_ready_reloads_by_signal_and_stops_gently() -> None:
    directives = unit()
    assert directives["Type"] == ["notify"]
    assert directives["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert seconds(directives["TimeoutStopSec"][0]) > 10
    assert seconds(directives["WatchdogSec"][0]) > 60


def test_the_unit_comes_back_after_a_crash_but_not_after_a_fault_in_the_set_up() -> None:
    directives = unit()
    assert directives["Restart"] == ["on-failure"]
    assert 1 <= seconds(directives["RestartSec"][0]) <= 30
    assert directives["RestartPreventExitStatus"] == ["2"]
    assert directives["StartLimitIntervalSec"] == ["0"]


HARDENED = {
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "DevicePolicy": "closed",
    "DynamicUser": "yes",
    "KeyringMode": "private",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateMounts": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProcSubset": "pid",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}


def test_the_unit_keeps_every_hardening_directive() -> None:
    directives = unit()
    assert {key: directives.get(key) for key in HARDENED} == {key: [value] for key, value in HARDENED.items()}
    assert directives["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert not directives.keys() & {"ReadWritePaths", "BindPaths", "IPAddressDeny", "PrivateNetwork"}


@pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze is not installed; the directives are checked above"
)
def test_the_exposure_of_the_unit_is_at_most_1_5() -> None:
    assert ANALYZE is not None
    command = [ANALYZE, "security", "--offline=true", "--no-pager", "--threshold=15", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
