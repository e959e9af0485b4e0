"""What is there is documented, and what is documented is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[<>=]", dependency)[0] for dependency in wanted}
    lines = (ROOT / "docs" / "dependencies.md").read_text("utf-8").splitlines()
    listed = {
        name for line in lines if line.startswith("| ") for name in line.split("|")[1].strip().split(", ")
    }
    assert names - listed == set()
    assert listed - names - {"package"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    for target in targets[1].split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.MULTILINE), target


def test_every_command_of_the_command_line_is_named_in_the_readme_or_the_docs() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    commands = re.findall(r'add\("(\w+)"', (ROOT / "monitor" / "cli.py").read_text("utf-8"))
    assert "backtest" in commands
    assert [name for name in commands if not re.search(rf"(bot\.py|make|`)[^\n]*\b{name}\b", text)] == []


def test_the_manual_names_the_letters_of_every_designation_that_is_known_in_two_scripts() -> None:
    table = tomllib.loads((ROOT / "monitor/matching/data/aliases.toml").read_text("utf-8"))
    manual = (ROOT / "docs" / "matching.md").read_text("utf-8")
    listed = re.search(r"with a number behind ([\w,\s]+) and (\w+);", manual)
    assert listed
    assert [*re.split(r",\s+", listed[1]), listed[2]] == [
        group[0] for group in table["designations"].values()
    ]
