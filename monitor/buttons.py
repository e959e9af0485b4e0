"""The buttons below an alert.

Each says all that it needs to: the story's id, which the outbox knows with the place for as long as the
story is kept. So they work after a restart, and on a message that is weeks old.
"""

from __future__ import annotations

from datetime import timedelta

from monitor.model import Button, Chat
from monitor.phrases import say

MUTES = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
"""For how long a press can mute the topics of an alert."""


def below(story_id: int, chat: Chat) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons below an alert on a story; none in a channel, where each reader could press them."""
    if chat.kind == "channel":
        return ()
    commands = (
        (("more", f"/more {story_id}"), ("irrelevant", f"/irrelevant {story_id}")),
        (
            ("enough", f"/enough {story_id}"),
            *((f"hush_{length}", f"/hush {story_id} {length}") for length in MUTES),
        ),
    )
    return tuple(
        tuple(Button(say(chat.language, f"button.{name}"), command) for name, command in row)
        for row in commands
    )
