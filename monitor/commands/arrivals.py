"""What the bot does when it is let into a chat, made an admin of it, or removed from it."""

from __future__ import annotations

from monitor.commands.desk import Desk
from monitor.model import Button, ChatStatus, Membership, Message, Reply, Request
from monitor.phrases import say
from monitor.store import Database, chats, turns

ACTIVE: ChatStatus = "active"
GONE: ChatStatus = "gone"


async def moved(desk: Desk, change: Membership) -> Reply | None:
    """Follow a chat that removes or blocks the bot, and one that takes it back; say what is to be done there.

    A channel hears only from a bot that is its admin. The subscriptions of a chat outlive its absence. What a
    chat did not take meanwhile is tried at once, as the bot may have more rights there now.
    """
    heard = change.now == "admin" if change.kind == "channel" else change.now != "out"
    to, before = (ACTIVE, GONE) if heard else (GONE, ACTIVE)

    def write(db: Database) -> bool:
        if heard:
            turns.forgive(db, change.chat_id)
        return chats.set_status(db, change.chat_id, to, only_from=(before,)) and heard

    back = await desk.store.write(write)
    desk.wake()
    if not heard or change.kind == "private":
        return None
    request = Request(change.chat_id, change.chat_title, change.user_id, "", private=False)
    language = (await desk.chat(request)).language
    if change.kind == "channel":
        return await _promoted(desk, change) if change.before != "admin" else None
    if change.before != "out":
        return None
    return Reply(Message(say(language, "arrival.back" if back else "arrival.group", title=change.chat_title)))


async def _promoted(desk: Desk, change: Membership) -> Reply:
    """Tell whoever made the bot an admin of a channel, in private, how it is set up."""
    home = await desk.chat(Request(change.user_id, "", change.user_id, ""))
    text = say(home.language, "arrival.channel", title=change.chat_title)
    button = Button(say(home.language, "arrival.manage"), f"/manage {change.chat_id}")
    return Reply(None, others=((change.user_id, Message(text, buttons=((button,),))),))
