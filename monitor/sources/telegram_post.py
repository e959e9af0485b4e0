"""One post of a channel's preview page, read from its element.

The page has no published format. Class names are taken as they were from 2022 to 2026; a post without an
id or a date is one whose layout is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from selectolax.lexbor import LexborNode

from monitor.html import MAX_LINKS, Plain, one_line, paragraphs, read_node, web_address
from monitor.model import Item

MAX_TEXT: Final = 50_000  # characters; Telegram's own limit is 4,096
MAX_NAME: Final = 200
_POST = re.compile(r"([A-Za-z0-9_]{1,64})/(\d{1,12})")
_MEMBER = re.compile(r"/(\d{1,12})\?single")
_NOTHING_BUT_URLS = re.compile(r"(?:https?://\S++\s*+)*+")
_EDITED = re.compile(r"\bedited\b")
_PREFIX: Final = ".tgme_widget_message"
_OTHERS: Final = frozenset({"tgme_widget_message_reply", "tgme_widget_message_text", "tgme_widget_message"})


@dataclass(frozen=True, slots=True)
class Post:
    """A post as the page shows it."""

    number: int  # its id in the channel
    last_number: int  # of the last member, where it is an album; else the same
    item: Item | None  # None for a service message: "pinned", "channel photo updated", ...
    hidden: bool = False  # its content is shown in Telegram's own apps only


def read_post(message: LexborNode, source_id: str, channel: str) -> Post | None:
    """Return the post in an element of the page; None where its layout is not known."""
    place = _POST.fullmatch(message.attributes.get("data-post") or "")
    if place is None:
        return None
    name, number = place.group(1), int(place.group(2))
    members = [
        int(found)
        for found in _MEMBER.findall(
            " ".join(_addresses(message, f"a{_PREFIX}_photo_wrap, a{_PREFIX}_video_player"))
        )
    ]
    last_number = max([number, *members])
    if "service_message" in (message.attributes.get("class") or "").split():
        return Post(number, last_number, None)
    published = _published(message)
    if published is None:
        return None
    body = _body(message)
    forwarded = message.css_first(f"{_PREFIX}_forwarded_from_name")
    item = Item(
        source_id=source_id,
        key=f"{channel.lower()}/{number}",
        title="",
        text=body.text[:MAX_TEXT],
        url=f"https://t.me/{name}/{number}",
        published=published,
        author=_words(message, f"{_PREFIX}_from_author"),
        forwarded_from=_words(message, f"{_PREFIX}_forwarded_from_name"),
        forwarded_url=web_address(forwarded.attributes.get("href") or "") or None if forwarded else None,
        edited=_edited(message),
        links=body.links,
    )
    return Post(number, last_number, item, hidden=not body.text and _hidden(message))


def _body(message: LexborNode) -> Plain:
    """Return a post's own text: caption or text and poll, else a document's name; never what it replies to.

    A post that says nothing but an address is told by its link preview.
    """
    parts = [read_node(node) for node in message.css(f"{_PREFIX}_text") if _is_own(node, message)]
    poll = message.css_first(f"{_PREFIX}_poll")
    if poll is not None:
        parts.append(_poll(poll))
    text = "\n\n".join(part.text for part in parts if part.text)
    links = [link for part in parts for link in part.links]
    if not text:
        text = _words(message, f"{_PREFIX}_document_title") or ""
    preview = message.css_first(f"a{_PREFIX}_link_preview")
    if preview is not None:
        links.append(web_address(preview.attributes.get("href") or ""))
        if _NOTHING_BUT_URLS.fullmatch(text):
            text = "\n".join(
                filter(
                    None,
                    (
                        text,
                        _words(preview, ".link_preview_title"),
                        _words(preview, ".link_preview_description"),
                    ),
                )
            )
    return Plain(paragraphs(text), tuple(dict.fromkeys(filter(None, links)))[:MAX_LINKS])


def _poll(poll: LexborNode) -> Plain:
    """Return a poll's question, and its options below it, a line each."""
    options = [f"- {one_line(option.text())}" for option in poll.css(f"{_PREFIX}_poll_option_text")]
    return Plain("\n".join([_words(poll, f"{_PREFIX}_poll_question") or "", *options]).strip())


def _is_own(node: LexborNode, message: LexborNode) -> bool:
    """Tell whether a text is the post's: not quoted from what it replies to, nor in another text or post."""
    if "js-message_reply_text" in (node.attributes.get("class") or ""):
        return False
    around = node.parent
    while around is not None and around.mem_id != message.mem_id:
        classes = (around.attributes.get("class") or "").split()
        if not _OTHERS.isdisjoint(classes):
            return False
        around = around.parent
    return True


def _published(message: LexborNode) -> datetime | None:
    """Return when a post was published, in UTC; None without a date."""
    time = message.css_first(f"{_PREFIX}_date time[datetime]")
    try:
        parsed = datetime.fromisoformat((time.attributes.get("datetime") or "") if time is not None else "")
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _edited(message: LexborNode) -> bool:
    """Tell whether the post says that it was edited: a bare word beside the date."""
    meta = message.css_first(f"{_PREFIX}_meta")
    return meta is not None and bool(_EDITED.search(meta.text(deep=False)))


def _hidden(message: LexborNode) -> bool:
    """Tell whether the page shows "open Telegram to view this post" in place of the content."""
    return message.css_first(".message_media_not_supported") is not None and not message.css_first(
        f"{_PREFIX}_photo_wrap, {_PREFIX}_video, {_PREFIX}_roundvideo, {_PREFIX}_sticker_wrap"
    )


def _words(node: LexborNode, selector: str) -> str | None:
    """Return the text of the first element that fits, on one line; None where there is none."""
    found = node.css_first(selector)
    return one_line(found.text())[: MAX_NAME * 5] or None if found is not None else None


def _addresses(node: LexborNode, selector: str) -> list[str]:
    """Return the href of every element that fits."""
    return [found.attributes.get("href") or "" for found in node.css(selector)]
