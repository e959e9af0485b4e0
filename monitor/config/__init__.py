"""The config file: TOML in, a frozen `Config` or every fault at once out.

settings    what a config says, its defaults, and the table of all keys
durations   "1h30m" and back
values      readers of single values: what they mean, or what would be right
places      which key stands on which line
report      collects faults
sources     [[sources]]
topics      packs and [[topics]]
reader      all of it together
"""

from __future__ import annotations

from monitor.config.addresses import NoAddress, read_address
from monitor.config.durations import format_duration, parse_duration
from monitor.config.reader import parse
from monitor.config.settings import KEYS, Config, Delivery, Network, Polling, Storage, Telegram
from monitor.config.values import BOT_LANGUAGES

__all__ = [
    "BOT_LANGUAGES",
    "KEYS",
    "Config",
    "Delivery",
    "Network",
    "NoAddress",
    "Polling",
    "Storage",
    "Telegram",
    "format_duration",
    "parse",
    "parse_duration",
    "read_address",
]
