"""What the benchmarks of delivery share: a bot in a process of its own, its readers, and what it costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import sysconf
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


ROOT = Path(__file__).parent.parent
TICKS = sysconf("SC_CLK_TCK")
TOPICS = """
[[topics]]
id = "raid"
name = "Air raid"
keywords = ["air raid"]
priority = "urgent"
"""


@dataclass(frozen=True)
class Cost:
    """What a process has used up to a moment."""

    at: float
    cpu: float  # seconds
    memory: float  # MB, resident

    @classmethod
    def of(cls, pid: int) -> Cost:
        """Return what a process has used up to now (proc_pid_stat(5), proc_pid_status(5))."""
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
        return cls(time.monotonic(), (int(fields[11]) + int(fields[12])) / TICKS, memory / 1024)

    def since(self, before: Cost) -> str:
        """Return what was used since then, in words."""
        share = 100 * (self.cpu - before.cpu) / (self.at - before.at)
        return (
            f"CPU {self.cpu - before.cpu:.1f} s ({share:.0f} % of one core), memory {before.memory:.0f} MB"
            f" before, {self.memory:.0f} MB after"
        )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent of the values lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]
