"""Measure what a look at a channel's page costs, by how many of its posts are new.

    python benchmarks/channels.py [--page FILE] [--rounds 200]

--page  a saved page of t.me/s; without it a page of 20 posts of the usual size is made up

Prints milliseconds of processor time for a page, the best of all rounds: parsed as a whole by selectolax, and
by ours with nothing known, with one new post, and with nothing but other views and reactions.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.model import Cursor, Polled, Source
from monitor.sources.http import Response
from monitor.sources.kind import Fetched
from monitor.sources.telegram_channel import parse
from monitor.sources.telegram_page import read_known, read_whole, write_known

OFFICE = Source("office", "An office", "channel", "example_office")
POSTS = 20
TEXT = "Протягом ночі сили оборони збили 81 ударний безпілотник, у регіоні тривають відновлювальні роботи. "
TAIL = (
    '<svg width="9px" height="20px" viewBox="0 0 9 20"><path d="'
    + "M8,1 L9,1 L9,20 C7.807,15.161 " * 60
    + '"/></svg>'
)


def main() -> None:
    """Measure and print."""
    options = arguments()
    page = options.page.read_bytes() if options.page else made_up()
    viewed = re.sub(rb'(message_views">)[^<]*', rb"\g<1>99K", page)
    first = read(page, Cursor())
    known = read_known(first.cursor.posts)
    all_but_one = replace(
        first.cursor, posts=write_known({number: known[number] for number in sorted(known)[:-1]})
    )
    rows: list[tuple[str, Callable[[], object]]] = [
        ("selectolax, the whole page", lambda: read_whole(page, "office", "example_office", {})),
        ("ours, nothing known", lambda: read(page, Cursor())),
        ("ours, one new post", lambda: read(viewed, all_but_one)),
        ("ours, other views alone", lambda: read(viewed, first.cursor)),
    ]
    print(f"page_bytes={len(page)} posts={len(known)}")
    whole = 0.0
    for name, work in rows:
        took = best(work, options.rounds)
        whole = whole or took
        print(f"{name:<28} {took:6.2f} ms  {whole / took:5.1f}x")


def made_up() -> bytes:
    """Return a page with posts of the size that they usually have."""
    posts = (
        f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message '
        f'js-widget_message" data-post="example_office/{number}" data-view="v{number}">'
        f'<div class="tgme_widget_message_bubble"><i class="tgme_widget_message_bubble_tail">{TAIL}</i>'
        f'<div class="tgme_widget_message_text js-message_text" dir="auto">{TEXT * 5}<br/>{number}</div>'
        '<div class="tgme_widget_message_footer"><span class="tgme_widget_message_views">1.2K</span>'
        f'<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date"><time '
        'datetime="2026-02-01T11:55:00+00:00">11:55</time></a></span></div></div></div></div>'
        for number in range(1, POSTS + 1)
    )
    history = f'<section class="tgme_channel_history">{"".join(posts)}</section>'
    return f"<!DOCTYPE html><html><head></head><body><main>{history}</main></body></html>".encode()


def read(page: bytes, cursor: Cursor) -> Polled:
    """Return what a look at a page brings."""
    return parse(Fetched((Response(200, {}, page, "", ""),)), OFFICE, cursor)


def best(work: Callable[[], object], rounds: int) -> float:
    """Return the least time that some work takes, in milliseconds of the processor."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return 1000 * min(took)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    main()
