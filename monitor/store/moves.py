"""What belongs to a chat or to a topic of a forum, moved to where its readers are now."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.model import Place
from monitor.store import turns


def to_supergroup(db: Database, old_id: int, new_id: int) -> bool:
    """Let a chat go on under another id with everything that belongs to it; return whether it was known.

    Whatever table has a `chat_id` follows, so that one that is made tomorrow does, too. What the new id
    has of the same already stays. A group that seemed gone is there: the bot may be told that it is no member
    of the old group before it is told of the new one. Its messages stay behind and are edited no more: in the
    new group their ids are nobody's, or another message's.
    """
    old = next(db.query("SELECT * FROM chats WHERE id = ?", [old_id]), None)
    if old is None or old_id == new_id:
        return False
    status = "active" if old["status"] == "gone" else old["status"]
    db.table("chats").upsert({**old, "id": new_id, "status": status}, pk="id")
    edits = "state IN ('changed', 'claimed') AND message_id IS NOT NULL"
    db.execute(f"UPDATE outbox SET state = 'sent' WHERE chat_id = ? AND {edits}", [old_id])
    db.execute("UPDATE outbox SET state = 'queued' WHERE chat_id = ? AND state = 'claimed'", [old_id])
    db.execute("UPDATE outbox SET message_id = NULL WHERE chat_id = ?", [old_id])
    for table in _tables_of_chats(db):
        db.execute(f"UPDATE OR IGNORE [{table}] SET chat_id = ? WHERE chat_id = ?", [new_id, old_id])
        db.execute(f"DELETE FROM [{table}] WHERE chat_id = ?", [old_id])
    db.execute("DELETE FROM chats WHERE id = ?", [old_id])
    turns.welcome(db, new_id)
    turns.settle(db, new_id)
    return True


def to_general(db: Database, place: Place) -> None:
    """Let what a topic of a forum heard go to the forum itself from now on."""
    for table in ("subscriptions", "outbox"):
        db.execute(
            f"UPDATE OR IGNORE {table} SET thread_id = 0 WHERE chat_id = ? AND thread_id = ?", [*place]
        )
    db.execute("DELETE FROM subscriptions WHERE chat_id = ? AND thread_id = ?", [*place])


def _tables_of_chats(db: Database) -> list[str]:
    return [
        name
        for name in db.table_names()
        if any(column.name == "chat_id" for column in db.table(name).columns)
    ]
