"""Lists of sources that admins send as OPML files: /import."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from monitor import errors, opml
from monitor.commands.desk import Call, listing
from monitor.markup import Safe, split
from monitor.model import Message, Reply
from monitor.sources.outlines import Refusal, drafts
from monitor.store import added

log = logging.getLogger(__name__)

REFUSALS = 10  # shown
LONGEST_LIST = 1000  # UTF-16 units of names


async def import_(call: Call) -> Reply:
    """Add the sources of an OPML file, and say what came of it."""
    file = call.request.file
    if file is None:
        return call.reply("import.which")
    if file.size > opml.LARGEST:
        return call.reply("import.failed", problem=f"The list is larger than {opml.LARGEST // 2**20} MB")
    try:
        data = await call.desk.download(file.id, opml.LARGEST)
        outlines = await asyncio.to_thread(opml.parse, data)
    except errors.MonitorError as error:
        return call.reply("import.failed", problem=error)
    if not outlines:
        return call.reply("import.empty")
    by = call.request.user_name or call.request.chat_title
    private_hosts = call.desk.config().network.allow_private_hosts
    wanted, refused = drafts(outlines, added_by=by, private_hosts=private_hosts, known=call.desk.sources())
    now, configured = call.desk.clock.now(), call.desk.config().sources
    _, new = await call.desk.store.write(partial(added.admit, configured=configured, drafts=wanted, now=now))
    if new:
        await call.desk.sources_changed()
    log.info("sources state=imported added=%d user=%d", len(new), call.request.user_id)
    counts = call.say("import.done", added=len(new), known=len(wanted) - len(new), refused=len(refused))
    names = [call.say("import.added", names=listing([one.name for one in new], LONGEST_LIST))] if new else []
    return Reply(Message(split([counts, *names, *_refusals(call, refused)])[0]))


def _refusals(call: Call, refused: list[Refusal]) -> list[Safe]:
    """Return a line for each of the first refusals, and how many more there are."""
    lines = [
        call.say("import.refused", entry=one.entry, why=call.say(f"address.{one.fault}"))
        for one in refused[:REFUSALS]
    ]
    return [*lines, Safe(f"… (+{len(refused) - REFUSALS})")] if len(refused) > REFUSALS else lines
