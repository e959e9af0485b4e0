"""The tables, as migrations that are only ever appended to.

A released migration is never changed: a mistake in one is mended by the next. Each runs in a
transaction of its own together with the record that it ran. Times are text in UTC
(`2026-02-01T12:00:00.000000Z`, which sorts as it reads), so that `sqlite3 monitor.db` shows a
maintainer what happened without a calculator.

    sources        what is polled, how the last poll went, and where the next one takes up
    items          every entry and post that was ever seen
    item_words     the full-text index: the words of an item, as keys of all their forms
    stale_words    what the index still has of items that changed or are gone
    matches        which topics an item matched, and why
    stories        events; one or more items tell the same one
    story_items    which items tell a story
    story_links    the canonical links by which another report is recognised
    story_headlines  the headlines by which a story goes since an item of it was edited
    chats          who talks to the bot, and whether they may
    subscriptions  which place hears of which topic
    added_sources  sources that admins added while the bot ran, besides those of the config
    watches        queries that single chats watch for besides the topics of the config
    irrelevant     what readers found not relevant to a topic, by the keyword that found it
    outbox         one row for each alert and place: queued, claimed, sent, changed, dropped or dead
    turns          which chats have something waiting, in the order in which they get their turn
    paces          when each chat may be sent the next message; chat 0 is all of them together
    notices        what the admins are to be told, until each of them was
    told           the troubles that they were told of and that are not over
"""

from __future__ import annotations

from monitor.store.schema import first, since  # in this order: a migration is applied in the order of import
from monitor.store.schema.ledger import migrations

__all__ = ["first", "migrations", "since"]
