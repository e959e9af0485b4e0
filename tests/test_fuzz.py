"""The fuzzer finds nothing in a second, and says what it tried."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent.parent / "benchmarks" / "fuzz.py"


@pytest.mark.parametrize("parser", ["channel", "feed"])
def test_a_parser_bears_damaged_samples(parser: str, tmp_path: Path) -> None:
    command = [sys.executable, FUZZ, "--minutes", "0.015", "--seed", "1", "--parser", parser]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"parsers={parser} seeds=1-" in done.stdout
    assert done.stdout.endswith("faults=0\n")
