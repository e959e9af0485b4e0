"""The topics that ship with the product: a TOML file each, in monitor/packs/."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from monitor.model import Topic

_LISTS = ("keywords", "exclude", "require", "sources")


@cache
def packs() -> Mapping[str, Topic]:
    """Return every pack by its id, in alphabetical order."""
    folder = resources.files("monitor").joinpath("packs")
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    topics = [read(file.read_text(encoding="utf-8")) for file in files]
    return MappingProxyType({topic.id: topic for topic in sorted(topics, key=lambda topic: topic.id)})


def read(text: str) -> Topic:
    """Return the topic of a pack file; raise `TypeError` or `ValueError` where it is no such file."""
    values: dict[str, Any] = tomllib.loads(text)
    for key in _LISTS:
        values[key] = tuple(values.get(key, ()))
    return Topic(**values)
