"""A monitoring bot: feeds and public Telegram channels in, alerts on watched topics out."""

__version__ = "0.1.0"
