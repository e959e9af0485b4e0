"""Readers of addresses: URLs, channels, hosts and paths. Each returns its value, or raises `Wrong`."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.config.values import Wrong, quoted, string, wrong
from monitor.markup import plain
from monitor.phrases import say

LONGEST_URL = 2_048
_CHANNEL = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{4,31})")
_CHANNEL_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?([A-Za-z][A-Za-z0-9_]{4,31})(?:[/?#].*)?",
    re.IGNORECASE,
)
_CHANNEL_HOST = re.compile(
    r"(?:https?://)?(?!www\.)([A-Za-z][A-Za-z0-9_]{4,31})\.t\.me(?:[/?#].*)?", re.IGNORECASE
)
_NO_CHANNELS = frozenset(
    {"joinchat", "addlist", "addstickers", "addemoji", "share", "proxy", "login", "boost"}
)
_TELEGRAM = re.compile(r"(?:https?://)?(?:www\.)?(?:t|telegram)\.me(?:[/:?#]|$)", re.IGNORECASE)
_QUOTED = re.compile(r"^[<\"'](.*)[>\"']$")
_FEED_SCHEME = re.compile(r"^feed:(?:(https?://)|//)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+-]*:(?!\d)")  # "example.org:8080" has none
_HOST_LABEL = re.compile(r"[\w-]{1,63}")
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")


def url(value: object) -> str:
    """Return an http or https URL with a host and without credentials, which would end up in logs."""
    address = string(value)
    if len(address) > LONGEST_URL or _BLANK_OR_CONTROL.search(address):
        raise wrong(f"is no URL: it holds a blank or more than {LONGEST_URL} characters")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise wrong("is no URL: its host or port cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise wrong('is no web address: it starts with "https://" or "http://"')
    if "@" in parts.netloc:
        raise wrong("carries a user name or password: leave out what stands before the @")
    if not _is_host(host):
        raise wrong('names no valid host: expected something like "https://example.org/feed.xml"')
    return address


def base_url(value: object) -> str:
    """Return a URL to which paths are added: without a query and without the slash at its end."""
    address: str = url(value)
    if "?" in address or "#" in address:
        raise wrong('is the start of many addresses, so that it can hold no "?" and no "#"')
    return address.rstrip("/")


def feed_url(value: object) -> str:
    """Return the URL of a feed, which a link to a Telegram channel is not."""
    address = url(value)
    if found := _CHANNEL_LINK.fullmatch(address):
        raise wrong(f'is a Telegram channel and no feed: write channel = "{found[1]}" instead of url')
    return address


def channel(value: object) -> str:
    """Return a channel's name without "@" (Telegram's rule for user names: 5 to 32 of A-Z a-z 0-9 _)."""
    name = string(value)
    if found := _CHANNEL.fullmatch(name):
        return found[1]
    if found := _CHANNEL_LINK.fullmatch(name):
        raise wrong(f'is a link: write the channel\'s name alone, "{found[1]}"')
    raise wrong(f"{quoted(name)} is no channel name: 5 to 32 of A-Z, a-z, 0-9 and _, a letter first")


class NoAddress(ValueError):
    """What somebody wrote is no address of a source; `address.<fault>` in the catalogues says why."""

    def __init__(self, fault: str) -> None:
        """Keep the fault; the message is its English phrase, to be said behind the address."""
        super().__init__(plain(say(None, f"address.{fault}")))
        self.fault = fault


def read_address(said: str) -> tuple[str, str]:
    """Return kind and address of a source as people write it: a URL, a bare domain, @name, t.me/name.

    Raises `NoAddress`.
    """
    text = _FEED_SCHEME.sub(lambda found: found[1] or "https://", _QUOTED.sub(r"\1", said.strip()))
    found = _CHANNEL.fullmatch(text) if text.startswith("@") else None
    found = found or _CHANNEL_LINK.fullmatch(text) or _CHANNEL_HOST.fullmatch(text)
    if found and found[1].lower() not in _NO_CHANNELS:
        return "channel", found[1]
    fault = _fault(text)
    if fault:
        raise NoAddress(fault)
    address = text if "://" in text else f"https://{text}"
    try:
        return "feed", url(address)
    except Wrong:
        raise NoAddress("login" if "@" in urlsplit(address).netloc else "url") from None


def _fault(text: str) -> str:
    """Return what is wrong with an address at first sight; "" where it may be one of a feed."""
    scheme, separator, _ = text.partition("://")
    if text.startswith("@"):
        return "channel"
    if _TELEGRAM.match(text):
        return "hidden"
    if (separator and scheme.lower() not in {"http", "https"}) or (not separator and _SCHEME.match(text)):
        return "scheme"
    return "" if separator or "." in text else "neither"


def host(value: object) -> str:
    """Return the name or the address of a host in small letters, without scheme, port and path."""
    name = string(value).lower()
    if not _is_host(name):
        raise wrong(
            f'{quoted(name)} is no host: write a name or an address alone, such as "localhost" or "10.0.0.5"'
        )
    return name


def file_path(value: object) -> str:
    """Return a path in the file system as it is given."""
    name = string(value)
    if name.startswith("~"):
        raise wrong('starts with "~", which only a shell understands: write the path in full')
    if "\0" in name:
        raise wrong("holds a NUL character, which no path can")
    return name


def _is_host(name: str) -> bool:
    """Tell whether a name can be that of a host: an IP address, or labels between dots (RFC 1123, 2.1)."""
    try:
        ip_address(name)
    except ValueError:
        labels = name.removesuffix(".").split(".")
        return all(
            _HOST_LABEL.fullmatch(label) and not label.startswith("-") and not label.endswith("-")
            for label in labels
        )
    return True
