"""What admins do with the bot itself: /reload."""

from __future__ import annotations

from monitor.commands.desk import Call
from monitor.model import Message, Reply


async def reload(call: Call) -> Reply:
    """Read the config file again, and say what came of it."""
    return Reply(Message(await call.desk.reload(call.language)))
