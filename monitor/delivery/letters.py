"""What goes to a place in one message: an alert, or several as a list."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor import buttons, render, stories
from monitor.markup import LIMIT, escape, plain, split
from monitor.model import Delivery, Message
from monitor.prose import utf16_len
from monitor.store.claims import Kind

log = logging.getLogger(__name__)

LINK = re.compile(r'<a href="([^"]*)">(.*?)</a>', re.DOTALL)

HEADINGS: dict[Kind, str] = {
    "digest": "digest.heading",
    "flood": "digest.flood",
    "late": "digest.late",
}
"""What stands above several alerts, by why they go together."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message, and the rows that it tells."""

    message: Message
    told: tuple[Delivery, ...]
    left: tuple[Delivery, ...] = ()  # for which it has no room


def compose(bundle: Sequence[Delivery], kind: Kind, now: datetime, most: int | None = None) -> Letter:
    """Return the message that tells the first of these rows, and what is left of them.

    It tells as many as it holds, and no more than `most`.

    Where a bug in rendering shows, they go as headlines and links: better bare than lost.
    """
    told = list(bundle[:most])
    silent = all(one.silent for one in told)
    try:
        messages = _messages(told, kind, now)
        while len(messages) > 1 and len(told) > 1:
            told = told[: len(told) // 2]
            messages = _messages(told, kind, now)
        message = messages[0]
    except Exception:  # whatever it is, the other messages must not wait for its mending
        log.exception("delivery id=%d state=bug", told[0].id)
        told = told[:1]  # apart, the others are spared
        bare = f"{stories.headline(told[0].alert.item)}\n{told[0].alert.item.url or ''}"
        message = Message(split([escape(bare)])[0])
    return Letter(replace(message, silent=message.silent or silent), tuple(told), tuple(bundle[len(told) :]))


def bare(message: Message) -> Message:
    """Return a message as plain text without buttons, for when Telegram refuses its looks.

    Where there is room for them, its links stand behind what they are below.
    """
    linked, unlinked = plain(LINK.sub(r"\2 (\1)", message.html)), plain(message.html)
    text = linked if utf16_len(linked) <= LIMIT else unlinked
    return replace(message, html=text, parsed=False, buttons=(), preview=None)


def _messages(told: Sequence[Delivery], kind: Kind, now: datetime) -> Sequence[Message]:
    first = told[0]
    if kind in HEADINGS:
        alerts = [one.alert for one in told]
        return render.digest(alerts, chat=first.chat, now=now, heading=HEADINGS[kind])
    message = render.alert(first.alert, chat=first.chat, now=now)
    return [replace(message, buttons=buttons.below(first.story_id, first.chat))]
