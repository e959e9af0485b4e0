"""What came to the first tables since, one step after another; a new one goes to the end."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.store.schema.ledger import migrations
from monitor.stories import outline


@migrations()
def m007_places(db: Database) -> None:
    """Let topics of a forum subscribe for themselves, alerts wait for a digest, and messages be silent.

    `thread_id` 0 is the chat itself.
    """
    db.rename_table("subscriptions", "subscriptions_of_chats")
    db.create_table(
        "subscriptions",
        {"chat_id": int, "topic_id": str, "thread_id": int, "since": str, "silent": int},
        pk=("chat_id", "topic_id", "thread_id"),
        not_null={"since", "thread_id", "silent"},
        defaults={"thread_id": 0, "silent": 0},
        foreign_keys=[("chat_id", "chats", "id")],
        strict=True,
    )
    db.execute(
        "INSERT INTO subscriptions (chat_id, topic_id, since)"
        " SELECT chat_id, topic_id, since FROM subscriptions_of_chats"
    )
    db.table("subscriptions_of_chats").drop()
    db.table("subscriptions").create_index(["topic_id"])
    for column in ("thread_id", "digest", "silent"):
        db.table("outbox").add_column(column, int, not_null_default=0)
    db.execute("UPDATE outbox SET digest = 1 WHERE priority = 'low'")
    db.execute("DROP INDEX idx_outbox_chat_id_story_id")
    db.table("outbox").create_index(["chat_id", "thread_id", "story_id"], unique=True)


@migrations()
def m008_added_sources(db: Database) -> None:
    """Make the table of the sources that admins add, and note which source is left alone."""
    db.create_table(
        "added_sources",
        {
            "id": str,
            "name": str,
            "kind": str,
            "address": str,
            "language": str,
            "tags": str,  # a JSON list
            "added_by": str,
            "added": str,
        },
        pk="id",
        not_null={"id", "name", "kind", "address", "tags", "added_by", "added"},
        strict=True,
    )
    db.table("sources").add_column("paused", str)  # since when; NULL while it is polled


@migrations()
def m009_notices(db: Database) -> None:
    """Make the table of what the admins are to be told."""
    db.create_table(
        "notices",
        {"id": int, "phrase": str, "facts": str, "created": str, "told": str},
        pk="id",
        not_null={"phrase", "facts", "created", "told"},
        defaults={"told": "[]"},
        strict=True,
    )


@migrations()
def m010_channels(db: Database) -> None:
    """Note the posts that a channel showed at the last look, and those that could not be read yet."""
    db.table("sources").add_column("posts", str)
    db.table("sources").add_column("gaps", str)


@migrations()
def m011_hearing(db: Database) -> None:
    """Let chats say when they want to be told: mutes, quiet hours, digests."""
    db.table("chats").add_column("kind", str, not_null_default="private")
    db.execute("UPDATE chats SET kind = 'group' WHERE id < 0")
    db.table("chats").add_column("rhythm", str, not_null_default="off")
    db.table("chats").add_column("quiet", str)  # "23:00-07:00", in the chat's zone
    db.table("subscriptions").add_column("rhythm", str)  # NULL is the chat's
    for table in ("chats", "subscriptions"):
        db.table(table).add_column("muted", str)  # until when


@migrations()
def m012_edits(db: Database) -> None:
    """Keep what chats were told of an item that was edited since: a JSON list of its title and its text."""
    db.table("items").add_column("told", str)


@migrations()
def m013_entries(db: Database) -> None:
    """Make room for what is remembered of a feed's entries."""
    db.table("sources").add_column("entries", bytes)


@migrations()
def m014_health(db: Database) -> None:
    """Remember how each source publishes, since when it fails, and whether it is gone."""
    sources = db.table("sources")
    for column in ("failing", "newest"):
        sources.add_column(column, str)
    for column in ("usual", "longest"):  # seconds
        sources.add_column(column, float)
    sources.add_column("gone", int, not_null_default=0)
    db.table("items").create_index(["source_id", "found"])


@migrations()
def m015_managing(db: Database) -> None:
    """Let a private chat speak for a channel."""
    db.table("chats").add_column("managing", int)


@migrations()
def m016_told(db: Database) -> None:
    """Make the table of the troubles that the admins were told of."""
    db.create_table(
        "told",
        {"what": str, "trouble": str, "since": str},
        pk="what",
        not_null={"trouble", "since"},
        strict=True,
    )


@migrations()
def m017_turns(db: Database) -> None:
    """Let chats take turns at the outbox, at the pace that Telegram allows, and messages be edited.

    `rank` is the order of what waits: urgent, normal, to be edited, for a digest. `stale` marks a message
    that was on its way while its story grew.
    """
    db.table("outbox").add_column("stale", int, not_null_default=0)
    db.execute(
        "ALTER TABLE outbox ADD COLUMN rank INTEGER GENERATED ALWAYS AS (CASE WHEN state = 'changed' THEN 2"
        " WHEN digest THEN 3 WHEN priority = 'urgent' THEN 0 ELSE 1 END) VIRTUAL"
    )
    db.execute(
        "CREATE INDEX outbox_waiting ON outbox (chat_id, rank, due, id) WHERE state IN ('queued', 'changed')"
    )
    db.execute("CREATE INDEX outbox_claimed ON outbox (chat_id) WHERE state = 'claimed'")
    db.create_table(
        "turns",
        {
            "id": int,  # the place in the line
            "chat_id": int,
            "rank": int,
            "at": str,  # not before
        },
        pk="id",
        not_null={"chat_id", "rank", "at"},
        strict=True,
    )
    db.table("turns").create_index(["chat_id", "rank"], unique=True)
    db.table("turns").create_index(["rank"])
    db.table("turns").create_index(["at"])
    db.create_table(
        "paces",
        {
            "chat_id": int,
            "full": str,  # when as many messages as may follow each other may do so again
            "ready": str,  # when the next one may go, as far as our own pace is concerned
            "held": str,  # when it may go, as far as Telegram is concerned
            "reason": str,  # of that
            "trouble": str,  # since when every try was refused
            "told": str,  # when somebody was told of that
        },
        pk="chat_id",
        not_null={"full", "ready"},
        strict=True,
    )


@migrations()
def m018_edits_counted(db: Database) -> None:
    """Count how often an item was edited."""
    db.table("items").add_column("edits", int, not_null_default=0)


@migrations()
def m019_feedback(db: Database) -> None:
    """Remember of which stories a place has had enough, and which it found not relevant, by keyword."""
    db.table("outbox").add_column("muted", int, not_null_default=0)
    db.create_table(
        "irrelevant",
        {"chat_id": int, "thread_id": int, "story_id": int, "topic_id": str, "keyword": str, "said": str},
        pk=("chat_id", "thread_id", "story_id", "topic_id", "keyword"),
        not_null={"said"},
        strict=True,
    )


@migrations()
def m020_search(db: Database) -> None:
    """Make the full-text index, which is filled later and keeps no text, and remember what it has to drop.

    A change of an item leaves its old words in `stale_words`, as the index needs them to forget them.
    """
    db.table("items").add_column("indexed", int, not_null_default=0)
    db.execute("CREATE INDEX idx_items_unindexed ON items (id) WHERE indexed = 0")
    db.execute(
        "CREATE VIRTUAL TABLE item_words"
        " USING fts5(words, content = '', tokenize = 'ascii', detail = none, columnsize = 0)"
    )
    db.create_table(
        "stale_words",
        {"id": int, "item_id": int, "title": str, "text": str, "language": str},
        pk="id",
        not_null={"item_id", "title", "text"},
        strict=True,
    )
    columns = "title, text, language"
    values = "old.id, old.title, old.text, old.language"
    keep = f"INSERT INTO stale_words (item_id, {columns}) VALUES ({values});"
    db.execute(f"CREATE TRIGGER item_forgotten AFTER DELETE ON items WHEN old.indexed BEGIN {keep} END")
    again = "UPDATE items SET indexed = 0 WHERE id = old.id;"
    when = f"AFTER UPDATE OF {columns} ON items WHEN old.indexed"
    db.execute(f"CREATE TRIGGER item_changed {when} BEGIN {keep} {again} END")


@migrations()
def m021_outlines(db: Database) -> None:
    """Let stories be found by what their headlines and links share, however many there are."""
    db.table("stories").add_column("outline", str, not_null_default="")
    recent = "julianday(begun) > (SELECT julianday(max(begun)) - 3 FROM stories)"
    for story_id, headline in db.execute(f"SELECT id, headline FROM stories WHERE {recent}").fetchall():
        db.execute("UPDATE stories SET outline = ? WHERE id = ?", [outline(headline), story_id])
    db.table("stories").create_index(["outline"])
    db.table("story_links").create_index(["link"])


@migrations()
def m022_shown(db: Database) -> None:
    """Remember when a group was last shown the whole text of a story."""
    db.table("outbox").add_column("shown", str)


@migrations()
def m023_links(db: Database) -> None:
    """Let an item that a feed names anew be found by its link."""
    db.table("items").create_index(["source_id", "url"])


@migrations()
def m024_waits(db: Database) -> None:
    """Keep apart until when Telegram asked a chat to wait: whatever else is held, an answer may go then."""
    db.table("paces").add_column("asked", str)


@migrations()
def m025_headlines(db: Database) -> None:
    """Remember by which headlines a story goes since its items were edited."""
    db.create_table(
        "story_headlines",
        {"story_id": int, "headline": str, "outline": str},
        pk=("story_id", "headline"),
        not_null={"story_id", "headline", "outline"},
        strict=True,
    )
    db.table("story_headlines").create_index(["outline"])


@migrations()
def m026_answered_by(db: Database) -> None:
    """Remember where redirects led, as what names a version means nothing to another address."""
    db.table("sources").add_column("answered_by", str)
