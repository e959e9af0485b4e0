"""A dozen hostile feeds beside a good one: the good one notices nothing, and neither does the machine."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web as aiohttp_web
from running import Bot, a_bot
from web import HTML, RSS, Web, rss, rss_item

PROMPT = 3.0  # seconds from publication to the chat
MOST_MEMORY = 300  # MB at the peak, the service and its helper together
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
MEMBER = gzip.compress(bytes(2**24), 9)


def document(entities: str = "", text: str = "&l11;") -> str:
    inside = rss(rss_item("One", guid="1")).partition("?>")[2].replace("One", f"One {text}")
    return f'<?xml version="1.0"?><!DOCTYPE rss [{entities}]>{inside}'


def serve_a_bomb(host: Web, path: str) -> None:
    """Answer with 1 GB of nothing in 1 MB of gzip."""

    async def answer(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        response = aiohttp_web.StreamResponse(headers={"Content-Type": RSS, "Content-Encoding": "gzip"})
        await response.prepare(request)
        for _ in range(64):
            await response.write(MEMBER)
        return response

    host.answer(path, answer)


def serve_anew(host: Web, path: str, body: Callable[[int], str]) -> None:
    """Answer each request with another document."""
    numbers = itertools.count()

    async def answer(_: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        return aiohttp_web.Response(text=body(next(numbers)), content_type="application/rss+xml")

    host.answer(path, answer)


def be_hostile(host: Web) -> list[str]:
    """Serve every bad habit, and return the paths; whatever the documents name is below /canary."""
    named = host.url("/canary")
    host.hang("/hang")
    host.drip("/drip", 1.0)
    host.flood("/flood", 200 * 2**20)
    serve_a_bomb(host, "/bomb")
    host.serve("/laughs", document(f'<!ENTITY l0 "lol">{LAUGHS}'))
    host.serve("/file", document('<!ENTITY l11 SYSTEM "file:///etc/hostname">'))
    host.serve(
        "/entity", document(f'<!ENTITY % all SYSTEM "{named}.dtd"> %all; <!ENTITY l11 SYSTEM "{named}">')
    )
    style = f'<?xml-stylesheet href="{named}.css"?>'
    media = f'<enclosure url="{named}.mp3" length="1"/><image><url>{named}.png</url></image>'
    host.serve("/style", style + rss(f"<item><title>One</title>{media}</item>"))
    host.redirect("/loop", "/loop")
    host.redirect("/to-file", "file:///etc/hostname")
    host.cut("/cut", rss(rss_item("One"))[:-20].encode())
    host.reset("/reset")
    link = f'<link rel="alternate" type="application/rss+xml" href="{named}.xml">'
    host.serve("/html", f"<html><head>{link}</head><body>x</body></html>", content_type=HTML)
    host.serve("/broken", "<rss><channel><item><title>One <b></title><<<&&& </item>")
    serve_anew(host, "/deep", lambda n: rss(f"<item><title>{n}</title>{'<a>' * 30_000}</item>"))
    serve_anew(host, "/many", lambda n: rss(rss_item(f"One {n}"), channel="<a/>" * 150_000))
    serve_anew(host, "/long", lambda n: rss(rss_item(f"One {n}", "word " * 1_000_000)))
    return list(host._answers)


async def test_a_good_feed_is_as_prompt_beside_a_dozen_hostile_ones(tmp_path: Path) -> None:
    async with Web(host="0.0.0.0") as host, a_bot(tmp_path) as bot:
        paths = be_hostile(host)
        bot.more = "".join(
            f'[[sources]]\nid = "bad{path.replace("/", "-")}"\nname = "{path}"\nevery = "1s"\n'
            f'url = "{host.url(path, f"127.0.0.{number}")}"\n'
            for number, path in enumerate(paths, 2)
        )
        bot.write_config()
        await bot.start()
        await bot.subscribe()
        await bot.api.wait_for(lambda: {seen.path for seen in host.requests} >= set(paths), within=20)
        await bot.api.wait_for(lambda: "source=example " in bot.log.read_text("utf-8"), within=10)
        took = [await told(bot, number) for number in range(1, 6)]
        peak = sum(peaks(bot))
        print(f"slowest alert {max(took):.1f} s, peak {peak:.0f} MB")
        assert max(took) < PROMPT
        assert peak < MOST_MEMORY
        assert {seen.path for seen in host.requests} == set(paths)
        assert "Traceback" not in bot.log.read_text("utf-8")


async def told(bot: Bot, number: int) -> float:
    """Publish an item, and return the seconds until the chat has it."""
    began = time.monotonic()
    bot.publish((f"/{number}", f"{'Many few all no some'.split()[number - 1]} Starlink {number * 1111}", ""))
    await bot.api.wait_for(lambda: len(bot.alerts()) == number, within=3 * PROMPT)
    took = time.monotonic() - began
    await asyncio.sleep(1)
    return took


def peaks(bot: Bot) -> list[float]:
    """Return the peak of memory of the service and of the processes that it began, in MB."""
    assert bot.process
    own = bot.process.pid
    tasks = Path(f"/proc/{own}/task").glob("*/children")
    children = [int(pid) for path in tasks for pid in path.read_text().split()]
    found = []
    for pid in (own, *children):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
    return found
