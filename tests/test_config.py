"""The config file: what it means, and how every fault in it is told."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import BOT_LANGUAGES, KEYS, Config, format_duration, parse, parse_duration
from monitor.config.places import lines
from monitor.errors import ConfigInvalid, Fault, QueryInvalid, brief
from monitor.matching import packs, review
from monitor.model import Topic
from monitor.phrases import LANGUAGES

ROOT = Path(__file__).parent.parent
TOKEN = "123456789:" + "A" * 35
PACKS = {
    "starlink": Topic(
        id="starlink", name="Starlink", keywords=("Starlink",), exclude=("IPO",), query="orbit"
    ),
    "ceasefire": Topic(id="ceasefire", name="Pauses and ceasefires", keywords=("truce",)),
}
SOURCE = '[[sources]]\nid = "example"\nurl = "https://example.org/feed.xml"\n'


def check_query(query: str, _: object) -> tuple[()]:
    if query.startswith("("):
        raise QueryInvalid(query, 0, "a parenthesis is not closed")
    return ()


def read(text: str, **facts: Any) -> Config:
    return parse(text, **{"path": "conf/config.toml", "packs": PACKS, "check_query": check_query, **facts})


def faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(ConfigInvalid) as caught:
        read(text)
    return caught.value.faults


def fault(text: str) -> Fault:
    (only,) = faults(text)
    return only


# --- What a good file means


def test_an_empty_file_is_all_defaults() -> None:
    config = read("")
    assert (config.telegram.token, config.telegram.token_file) == (None, None)
    assert config.telegram.api_url == "https://api.telegram.org"
    assert config.telegram.preview_url == "https://t.me"
    assert (config.telegram.admins, config.telegram.access, config.telegram.language) == (
        frozenset(),
        "approval",
        "en",
    )
    assert (config.storage.path, config.storage.keep) == (None, timedelta(days=90))
    assert (config.polling.every, config.polling.timeout) == (timedelta(minutes=2), timedelta(seconds=20))
    assert (config.polling.concurrency, config.polling.per_host) == (100, 2)
    assert config.network.allow_private_hosts == ()
    assert (config.sources, config.topics, config.packs, config.aliases) == ((), (), (), ())


def test_every_key_arrives_where_it_belongs() -> None:
    config = read(f"""
packs = ["ceasefire"]
aliases = [["Kyiv", "Kiev"], ["Odesa", "Odessa"]]
[telegram]
token = "{TOKEN}"
api_url = "http://127.0.0.1:8081/"
preview_url = "http://127.0.0.1:8082"
admins = [1, 2]
access = "open"
language = "uk"
[storage]
path = "db/monitor.db"
keep = "7d"
[polling]
every = "1s"
timeout = "5s"
concurrency = 3
per_host = 1
[network]
allow_private_hosts = ["LocalHost", "10.0.0.5", "::1"]
[[sources]]
id = "feed"
name = "Example News"
url = "http://127.0.0.1:9000/feed.xml"
every = "1m"
tags = ["media", "en"]
official = true
language = "en"
[[sources]]
id = "channel"
channel = "@example_1"
[[topics]]
id = "talks"
name = "Talks"
keywords = ["peace talks"]
exclude = ["trade"]
require = ["minister"]
query = '"peace talks"~5'
sources = ["feed", "media"]
fuzziness = 80
priority = "urgent"
""")
    assert (config.telegram.token, config.telegram.api_url) == (TOKEN, "http://127.0.0.1:8081")
    assert config.telegram.preview_url == "http://127.0.0.1:8082"
    assert (config.telegram.admins, config.telegram.access, config.telegram.language) == (
        {1, 2},
        "open",
        "uk",
    )
    assert (config.storage.path, config.storage.keep) == (Path("conf/db/monitor.db"), timedelta(days=7))
    assert (config.polling.every, config.polling.timeout) == (timedelta(seconds=1), timedelta(seconds=5))
    assert (config.polling.concurrency, config.polling.per_host) == (3, 1)
    assert config.network.allow_private_hosts == ("localhost", "10.0.0.5", "::1")
    feed, channel = config.sources
    assert (feed.id, feed.name, feed.kind) == ("feed", "Example News", "feed")
    assert (feed.address, feed.every) == ("http://127.0.0.1:9000/feed.xml", timedelta(minutes=1))
    assert (feed.tags, feed.official, feed.language, feed.trusted) == (("media", "en"), True, "en", True)
    assert (channel.name, channel.kind, channel.address) == ("channel", "channel", "example_1")
    assert (channel.every, channel.tags, channel.official, channel.language) == (None, (), False, None)
    assert config.topics[0] == PACKS["ceasefire"]
    assert config.topics[1] == Topic(
        id="talks",
        name="Talks",
        keywords=("peace talks",),
        exclude=("trade",),
        require=("minister",),
        query='"peace talks"~5',
        sources=("feed", "media"),
        fuzziness=80,
        priority="urgent",
    )
    assert config.packs == ("ceasefire",)
    assert config.aliases == (("Kyiv", "Kiev"), ("Odesa", "Odessa"))
    assert config.warnings == ()


def test_an_absolute_path_stays_and_a_relative_one_starts_from_the_file() -> None:
    assert read('[storage]\npath = "/var/x.db"\n').storage.path == Path("/var/x.db")
    config = read('[telegram]\ntoken_file = "token"\n', path="/etc/monitor-bot/config.toml")
    assert config.telegram.token_file == Path("/etc/monitor-bot/token")


def test_a_topic_extends_the_pack_of_its_id() -> None:
    config = read("""packs = ["starlink"]
[[topics]]
id = "starlink"
keywords = ["dish"]
query = "antenna"
priority = "urgent"
""")
    (topic,) = config.topics
    assert (topic.keywords, topic.exclude) == (("Starlink", "dish"), ("IPO",))
    assert (topic.query, topic.priority, topic.name) == ("(orbit) OR (antenna)", "urgent", "Starlink")


def test_a_topic_may_only_change_the_rank_of_a_pack() -> None:
    (topic,) = read('packs = ["ceasefire"]\n[[topics]]\nid = "ceasefire"\npriority = "low"\n').topics
    assert (topic.keywords, topic.priority) == (("truce",), "low")


def test_a_topic_may_give_a_pack_its_first_query() -> None:
    (topic,) = read('packs = ["ceasefire"]\n[[topics]]\nid = "ceasefire"\nquery = "pause"\n').topics
    assert (topic.keywords, topic.query) == (("truce",), "pause")


def test_a_topic_stands_alone_where_the_pack_of_its_id_is_not_named() -> None:
    config = read('[[topics]]\nid = "starlink"\nkeywords = ["dish"]\n')
    assert config.topics == (Topic(id="starlink", name="starlink", keywords=("dish",)),)


def test_a_pack_named_twice_is_there_once() -> None:
    assert read('packs = ["ceasefire", "ceasefire"]').topics == (PACKS["ceasefire"],)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (SOURCE, "nobody can be let in"),
        ('[telegram]\naccess = "closed"\n', "nobody may use the bot"),
        ("", "no [[sources]]: only those are polled that are added in the chat"),
        ("", "no topics"),
        ('packs = ["ceasefire", "starlink", "ceasefire"]', 'packs[3]: "ceasefire" stands there twice'),
        (SOURCE + SOURCE.replace('"example"', '"b"'), '"example" and "b" have the same address'),
        (
            '[[sources]]\nid="a"\nchannel="Example"\n[[sources]]\nid="b"\nchannel="example"',
            "have the same address",
        ),
    ],
)
def test_what_is_hardly_meant_is_a_warning(text: str, warning: str) -> None:
    assert any(warning in each for each in read(text).warnings)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://EX.org/rss", True),
        ("https://ex.org:443/rss#x", True),
        ("https://ex.org/rss/", False),
        ("http://ex.org/rss", False),
        ("http://ex.org:443/rss", False),
        ("https://ex.org:8443/rss", False),
        ("https://ex.org/RSS", False),
        ("https://ex.org/rss?a", False),
    ],
)
def test_two_sources_have_the_same_address_where_it_surely_means_the_same(url: str, *, same: bool) -> None:
    one, other = (f'[[sources]]\nid="{n}"\nurl="{u}"\n' for n, u in (("a", "https://ex.org/rss"), ("b", url)))
    notes = [each for each in read(one + other).warnings if "same address" in each]
    assert bool(notes) is same


def test_what_is_hardly_meant_is_said_beside_the_faults_but_not_that_what_is_at_fault_is_missing() -> None:
    text = '[telegram]\nadmins = ["a"]\n[[sources]]\nid = "A"\n[[topics]]\nid = "t"\nkeywords = ["the"]\n'
    with pytest.raises(ConfigInvalid) as caught:
        read(text)
    (note,) = caught.value.notes
    assert 'the keyword "the" of the topic "t" matches nearly everything' in note
    with pytest.raises(ConfigInvalid) as caught:
        read("[polling]\nevery = 1\n[[topics]]\n")
    access, sources = caught.value.notes
    assert "nobody can be let in" in access
    assert "no [[sources]]" in sources


def test_a_keyword_that_is_there_twice_and_excluded_is_noted_once_for_each() -> None:
    words = 'keywords = ["drone", "Drone", "a|b", "a|b"]\nexclude = ["drone"]\n'
    notes = [each for each in read(f'{SOURCE}[[topics]]\nid = "t"\n{words}').warnings if '"t"' in each]
    assert [note.partition('topic "t" ')[2].split(":")[0] for note in notes] == [
        "stands in exclude too, so that it finds nothing",
        "stands there twice",
        "stands there twice",
        'has a "|" outside of brackets, where it means nothing',
    ]


def test_the_token_is_not_shown_with_the_config() -> None:
    assert TOKEN not in repr(read(f'[telegram]\ntoken = "{TOKEN}"\n'))


# --- What is wrong with a bad file


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    found = faults("""pakcs = []
[polling]
every = "often"
[[sources]]
id = "a"
url = "ftp://example.org"
[[sources]]
id = "a"
url = "https://example.org"
evry = "2m"
[telegram]
access = "opn"
""")
    assert [(each.line, each.key) for each in found] == [
        (1, "pakcs"),
        (3, "polling.every"),
        (6, "sources[1].url"),
        (8, "sources[2].id"),
        (10, "sources[2].evry"),
        (12, "telegram.access"),
    ]


def test_the_message_names_the_file_and_a_line_for_each_fault() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read('[polling]\nevery = "often"\nper_host = 0\n')
    first, second = str(caught.value).splitlines()
    assert first.startswith("conf/config.toml: line 2: polling.every: ")
    assert second.startswith("conf/config.toml: line 3: polling.per_host: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('pakcs = ["starlink"]\n', "there are no topics"),
        ('[[source]]\nid = "a"\n', "there are no [[sources]]"),
    ],
)
def test_what_is_only_misspelt_is_not_said_to_be_missing(text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read(text)
    assert not any(note.startswith(said) for note in caught.value.notes)
    with pytest.raises(ConfigInvalid) as caught:
        read("xyz = 1\n")
    assert any(note.startswith(said) for note in caught.value.notes)


BAD = [
    # unknown keys, and keys in the wrong place
    ('pakcs = ["starlink"]', "pakcs", 'did you mean "packs"?'),
    ('"two\\nlines" = 1', '"two\\nlines"', "unknown key"),
    ("[telegrm]\n", "telegrm", 'did you mean "telegram"?'),
    ("[[topic]]\n", "topic", 'did you mean "topics"?'),
    ("[polling]\nconcurency = 3", "polling.concurency", 'did you mean "concurrency"?'),
    ('[storage]\nxyzxyz = "2m"', "storage.xyzxyz", 'it can be "path", "keep"'),
    ('[telegram]\npacks = ["starlink"]', "telegram.packs", "at the top of the file"),
    ('every = "2m"', "every", "below [polling] or below [[sources]]"),
    # the shape of sections
    ("telegram = 3", "telegram", "[telegram] on a line of its own"),
    ("[[telegram]]\n", "telegram", "single brackets: [telegram]"),
    ("[sources]\n", "sources", "double brackets: [[sources]]"),
    ("sources = [1]", "sources[1]", "expected a [[sources]] table, not a number"),
    # types
    ("packs = 3", "packs", "expected a list in square brackets, not a number"),
    ("packs = [1.5]", "packs[1]", "expected a string in quotes, not a number with a fraction"),
    ("packs = [[]]", "packs[1]", "not a list"),
    ("packs = [{}]", "packs[1]", "not a table"),
    ("packs = [2026-02-01]", "packs[1]", "not a date or time"),
    ('[polling]\nconcurrency = "3"', "polling.concurrency", "without quotes, not a string"),
    ("[polling]\nconcurrency = true", "polling.concurrency", "not true or false"),
    ("[polling]\nevery = 120", "polling.every", 'a duration in quotes such as "2m", not a number'),
    ("[telegram]\ntoken = 1", "telegram.token", "expected a string in quotes"),
    (
        '[telegram]\nadmins = ["@example"]',
        "telegram.admins[1]",
        "numeric user id without quotes, not a string",
    ),
    ("[telegram]\nadmins = [1, -100123]", "telegram.admins[2]", "is no user id"),
    (f"[telegram]\nadmins = [0x{'f' * 5000}]", "telegram.admins[1]", "is no user id"),
    ('[storage]\npath = " "', "storage.path", "is empty"),
    # ranges
    ("[polling]\nper_host = 0", "polling.per_host", "from 1 to 1000"),
    ('[polling]\nevery = "0s"', "polling.every", 'expected "1s" to "365d"'),
    ('[polling]\nevery = "99999999999w"', "polling.every", 'is out of range: expected "1s" to "365d"'),
    (f'[polling]\nevery = "{"9" * 5000}s"', "polling.every", 'is out of range: expected "1s" to "365d"'),
    ('[polling]\nslowest = "1m"\nfastest = "5m"', "polling.fastest", "is longer than slowest"),
    ('[polling]\nevery = "1m"\nfastest = "5m"', "polling.fastest", "is longer than every"),
    ('[polling]\nslowest = "1m"\nevery = "5m"', "polling.every", "is longer than slowest"),
    ('[polling]\ngap = "2h"', "polling.gap", 'expected "0s" to "1h"'),
    ('[polling]\ntimeout = "11m"', "polling.timeout", 'expected "1s" to "10m"'),
    ('[storage]\nkeep = "1h"', "storage.keep", 'expected "1d" to "3650d"'),
    ('[storage]\nkeep = "20y"', "storage.keep", '"20y" is no duration: write "30s", "2m", "1h30m" or "7d"'),
    # words out of a few
    ('[telegram]\naccess = "aproval"', "telegram.access", 'did you mean "approval"?'),
    ('[telegram]\nlanguage = "de"', "telegram.language", 'it can be "en", "uk", "ru"'),
    ('packs = ["starlnk"]', "packs[1]", 'did you mean "starlink"?'),
    # Telegram
    ('[telegram]\ntoken = "nonsense"', "telegram.token", "cannot be a token"),
    ('[telegram]\ntoken = "123456789:AAAA"', "telegram.token", "is cut short"),
    (f'[telegram]\ntoken = "{TOKEN}"\ntoken_file = "t"', "telegram.token_file", "stands beside token"),
    ('[telegram]\napi_url = "https://example.org/?x=1"', "telegram.api_url", 'no "?"'),
    ('[storage]\npath = "~/monitor.db"', "storage.path", "write the path in full"),
    ('[storage]\npath = "a\\u0000b"', "storage.path", "NUL"),
    ('[network]\nallow_private_hosts = ["http://x"]', "network.allow_private_hosts[1]", "is no host"),
    ('[network]\nallow_private_hosts = ["-x"]', "network.allow_private_hosts[1]", "is no host"),
    ('aliases = [["Kyiv"]]', "aliases[1]", "a list of at least 2, not of 1"),
    ('aliases = [["Kyiv", 3]]', "aliases[1][2]", "expected a string in quotes"),
]


@pytest.mark.parametrize(("text", "key", "problem"), BAD, ids=[key for _, key, _ in BAD])
def test_a_fault_names_its_key_its_line_and_what_is_right(text: str, key: str, problem: str) -> None:
    found = fault(text)
    assert found.key == key
    assert found.line == len(text.splitlines())
    assert problem in found.problem


BAD_SOURCE = [
    (
        'url = "https://example.org"',
        "sources[1]",
        'id = "example-news"',
    ),
    (
        'id = "A b"\nurl = "https://example.org"',
        "sources[1].id",
        "at most 40 of the characters a-z, 0-9 and -",
    ),
    (f'id = "{"a" * 41}"\nurl = "https://example.org"', "sources[1].id", "is no id"),
    ('id = "a"', "sources[1]", "has no address"),
    ('id = "a"\nurl = "https://example.org"\nchannel = "example"', "sources[1].channel", "stands beside url"),
    ('id = "a"\nurl = "example.org/feed"', "sources[1].url", 'starts with "https://"'),
    ('id = "a"\nurl = "https://user:secret@example.org/"', "sources[1].url", "user name or password"),
    ('id = "a"\nurl = "https:///feed"', "sources[1].url", "names no valid host"),
    ('id = "a"\nurl = "https://[::1/feed"', "sources[1].url", "host or port cannot be read"),
    ('id = "a"\nurl = "https://example.org:99999/"', "sources[1].url", "host or port cannot be read"),
    ('id = "a"\nurl = "https://example.org/a b"', "sources[1].url", "holds a blank"),
    (f'id = "a"\nurl = "https://example.org/{"a" * 2048}"', "sources[1].url", "more than 2048 characters"),
    ('id = "a"\nurl = "https://t.me/s/zedigital"', "sources[1].url", 'write channel = "zedigital"'),
    (
        'id = "a"\nchannel = "https://t.me/zedigital"',
        "sources[1].channel",
        'the channel\'s name alone, "zedigital"',
    ),
    ('id = "a"\nchannel = "abcd"', "sources[1].channel", "5 to 32 of A-Z"),
    ('id = "a"\nchannel = "1abcde"', "sources[1].channel", "is no channel name"),
    (f'id = "a"\nchannel = "{"a" * 33}"', "sources[1].channel", "is no channel name"),
    ('id = "a"\nchannel = "example"\nlanguage = "ua"', "sources[1].language", 'write "uk" for Ukrainian'),
    (
        'id = "a"\nchannel = "example"\nofficial = "yes"',
        "sources[1].official",
        "true or false without quotes",
    ),
    ('id = "a"\nchannel = "example"\ntags = "media"', "sources[1].tags", "expected a list"),
]


@pytest.mark.parametrize(
    ("text", "key", "problem"), BAD_SOURCE, ids=[problem for _, _, problem in BAD_SOURCE]
)
def test_a_fault_of_a_source_is_told(text: str, key: str, problem: str) -> None:
    found = fault("[[sources]]\n" + text)
    assert found.key == key
    assert problem in found.problem


BAD_TOPIC = [
    (f'id = "t"\nkeywords = ["truce"]\nname = "{"a" * 101}"', "topics[1].name", "at most 100 characters"),
    ('id = "t"\nkeywords = ["truce"]\nname = "a\\nb"', "topics[1].name", "on one line"),
    (
        'keywords = ["truce"]',
        "topics[1]",
        'id = "power-grid"',
    ),
    ('id = "t"', "topics[1]", "matches nothing"),
    ('id = "t"\nkeywords = []\nquery = ""', "topics[1]", "matches nothing"),
    ('id = "t"\nkeywords = ["truce", "..."]', "topics[1].keywords[2]", "no letter and no digit"),
    ('id = "t"\nquery = "(truce"', "topics[1].query", "a parenthesis is not closed (character 1"),
    ('id = "t"\nquery = "truce"\nsources = ["exmple"]', "topics[1].sources[1]", 'did you mean "example"?'),
    ('id = "t"\nquery = "truce"\nsources = ["qq"]', "topics[1].sources[1]", 'it can be "example"'),
    ('id = "t"\nquery = "truce"\nfuzziness = "losse"', "topics[1].fuzziness", 'did you mean "loose"?'),
    ('id = "t"\nquery = "truce"\nfuzziness = 101', "topics[1].fuzziness", "from 0 to 100"),
    ('id = "t"\nquery = "truce"\nfuzziness = 0.5', "topics[1].fuzziness", "a number with a fraction"),
    (
        'id = "t"\nquery = "truce"\npriority = "high"',
        "topics[1].priority",
        'it can be "urgent", "normal", "low"',
    ),
]


@pytest.mark.parametrize(("text", "key", "problem"), BAD_TOPIC, ids=[problem for _, _, problem in BAD_TOPIC])
def test_a_fault_of_a_topic_is_told(text: str, key: str, problem: str) -> None:
    found = [each for each in faults(SOURCE + "[[topics]]\n" + text) if each.key == key]
    assert len(found) == 1
    assert problem in found[0].problem


def test_a_second_use_of_an_id_names_the_line_of_the_first() -> None:
    found = fault('[[topics]]\nid = "t"\nquery = "a"\n\n[[topics]]\nid = "t"\nquery = "b"\n')
    assert (found.line, found.key) == (6, "topics[2].id")
    assert "topics[1] on line 2" in found.problem


@pytest.mark.parametrize(
    ("word", "right"),
    [("A b", "a-b"), ("Моя тема", "moia-tema"), ("x" * 41, "x" * 40), ("--Über!--", "uber"), ("-A-", "a")],
)
def test_what_is_no_id_is_told_the_nearest_one(word: str, right: str) -> None:
    assert fault(f'[[topics]]\nid = "{word}"\nquery = "a"\n').problem.endswith(f'such as "{right}"')
    read(f'[[topics]]\nid = "{right}"\nquery = "a"\n')


def test_what_has_no_letter_of_an_id_is_told_which_there_are() -> None:
    assert fault('[[topics]]\nid = "!"\nquery = "a"\n').problem.endswith("a-z, 0-9 and -")


@pytest.mark.parametrize("said", ["a b", "A-b", "zzzz"])
def test_no_id_is_offered_that_is_none(said: str) -> None:
    source = SOURCE.replace('"example"', '"A b"')
    _, found = faults(f'{source}[[topics]]\nid = "t"\nquery = "a"\nsources = ["{said}"]\n')
    assert '"a-b"' in found.problem
    assert '"A b"' not in found.problem


def test_a_topic_may_name_a_source_that_has_another_fault() -> None:
    text = '[[sources]]\nid = "a"\ntags = ["m"]\n[[topics]]\nid = "t"\nquery = "x"\nsources = ["a", "m"]\n'
    assert [each.key for each in faults(text)] == ["sources[1]"]


def test_a_topic_can_name_no_source_where_there_is_none() -> None:
    assert "there is none to choose from" in fault('[[topics]]\nid="t"\nquery="x"\nsources=["a"]').problem


@pytest.mark.parametrize("line", ["sources = 3", "sources = [3]", "[[sources]]\ntags = 3"])
def test_misshapen_sources_do_not_hide_the_faults_of_topics(line: str) -> None:
    found = faults(f'{line}\n[[topics]]\nid = "t"\nquery = "x"\nsources = ["qq"]\n')
    assert any(each.key == "topics[1].sources[1]" for each in found)


@pytest.mark.parametrize(
    ("text", "line", "mark"),
    [
        ('\npacks = ["a",\n[telegram]\n', 2, "] before line 3"),
        ('packs = [ # ]\n"a]", \'b]\', """c]\n"""\n[[topics]]\nid = "t"\n', 1, "] before line 4"),
        ("a = [[1], [2]\n\nb = 3\n", 1, "] before line 3"),
        ("a = [1]\nb = [\n2,\n", 2, "]"),
        ('a = 1\nb = """\nc = [\n', 2, '"""'),
        ("a = 1\nb = '''c\n[d]\n", 2, "'''"),
        ('a = [\n"b', 2, '"'),
    ],
)
def test_a_list_or_a_text_without_an_end_is_told_by_the_line_where_it_begins(
    text: str, line: int, mark: str
) -> None:
    found = fault(text)
    assert found.line == line
    assert found.problem.endswith(f"that begins here has no {mark}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('packs = [\n"a"\n"b",\n]\n', 3),
        ("a = [\n[1, 2],\n[3 4],\n]\n", 3),
        ("[telegram\nadmins = []\n", 1),
        ('a = [1]\nb = "\\["\nc = 1\n', 2),
        ("a = [1]\nb = '''[''''\nc = d = 1\n", 3),
    ],
)
def test_another_fault_beside_a_list_is_told_by_its_own_line(text: str, line: int) -> None:
    found = fault(text)
    assert found.line == line
    assert "begins here" not in found.problem


@pytest.mark.parametrize("token", ["nonsense-secret", "123456789:secret", "12345 6789:" + "s" * 35])
def test_a_bad_token_is_never_repeated(token: str) -> None:
    assert token not in str(fault(f'[telegram]\ntoken = "{token}"\n'))


def test_a_server_of_ones_own_may_give_short_tokens() -> None:
    config = read('[telegram]\ntoken = "1:test"\napi_url = "http://127.0.0.1:8081"\n')
    assert config.telegram.token == "1:test"


def test_a_long_value_is_cut_and_kept_on_one_line() -> None:
    problem = fault(f'packs = ["a\\n{"b" * 200}"]').problem
    assert "\n" not in problem
    assert len(problem) < 150


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[telegram]\nevery = 2m\n", 2),
        ('a = "b\n', 1),
        ("a = " + "[" * 5000, 0),
        ("a = " + "9" * 5000, 0),
    ],
)
def test_a_text_that_is_no_toml_names_its_line(text: str, line: int) -> None:
    found = fault(text)
    assert (found.line, found.key) == (line, "")
    assert "is no valid TOML" in found.problem


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('a = "b\nc = "d"', "close the text with its quote"),
        ("a = 'b\nc = 'd'", "close the text with its quote"),
        ("b = 1\na = 'b", "the text that begins here has no '"),
        (r'a = "\q"', r"a \ stands twice"),
        ('a = ["b" "c"]', "put commas between"),
        ("a = 5 minutes", "on a line of its own"),
        ("a = yes", "true or false"),
        ("a: 5", "a line is key = value"),
    ],
)
def test_a_text_that_is_no_toml_is_told_what_would_be_right(text: str, advice: str) -> None:
    assert advice in fault(text).problem


@pytest.mark.parametrize(
    ("text", "quote"),
    [("id = “foo”", "“"), ('packs = [\n"ceasefire", «b»]', "«"), ("a = ‘x’", "‘"), ("“id” = 'x'", "“")],
)
def test_text_between_quotes_that_toml_does_not_know_is_told_which_it_knows(text: str, quote: str) -> None:
    told = f"text stands in straight quotes, \"...\" or '...', and not in {quote}"
    assert told in fault(text).problem
    assert "straight" not in fault("id = foo").problem


@pytest.mark.parametrize(
    ("text", "line", "key", "first"),
    [
        ("a = 1\n\na = 2\n", 3, "a", 1),
        ('[telegram]\nlanguage = "en"\n[polling]\n[telegram]\n', 4, "telegram", 1),
        ('[[topics]]\nid = "a"\n[[topics]]\nid = "b"\nid = "c"\nx = "', 5, "topics[2].id", 4),
        ("a.b = 1\na.c = 2\na.b = [\n3,\n]\n", 3, "a.b", 1),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(text: str, line: int, key: str, first: int) -> None:
    found = fault(text)
    assert (found.line, found.key) == (line, key)
    assert f"twice, first on line {first}: keep one of them" in found.problem


def test_many_faults_are_told_in_a_few_lines() -> None:
    many = ConfigInvalid("config.toml", tuple(Fault(line, "x", "is wrong") for line in range(1, 31)))
    assert brief(many).splitlines()[9:] == ["config.toml: line 10: x: is wrong", "and 20 more"]
    assert brief(many, 30) == str(many)


@pytest.mark.parametrize("keyword", ["the", "in The", "не"])
def test_a_keyword_that_stands_in_every_text_is_a_warning(keyword: str) -> None:
    (warning,) = [
        each
        for each in read(f'[[topics]]\nid = "t"\nkeywords = ["{keyword}", "the dish"]\n').warnings
        if "nearly everything" in each
    ]
    assert f'"{keyword}"' in warning


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('keywords = ["Kyiv", "drone", "kyiv"]', '"kyiv" of the topic "t" stands there twice'),
        (
            'keywords = ["Drone", "kyiv"]\nexclude = ["drone"]',
            '"Drone" of the topic "t" stands in exclude',
        ),
        ('keywords = ["(a|b drone"]', "outside of brackets"),
        ('keywords = ["a|b"]', "outside of brackets"),
        ('keywords = ["(shot|brought in) drone"]', "one word each"),
        ('keywords = ["drone AND kyiv"]', "AND means nothing there"),
        ('keywords = ["drone*"]', "* means nothing there"),
        ('keywords = ["drone~1"]', "~1 means nothing there"),
        (
            'keywords = ["drone"]\nexclude = ["-kyiv"]',
            '"-kyiv" in exclude of the topic "t" looks',
        ),
        ('keywords = ["drone"]\nrequire = ["source:media"]', "source: means nothing there"),
        ("keywords = ['\"power grid\"']", "looks like a query"),
        ('keywords = ["«power grid»"]', "looks like a query"),
        ('keywords = ["/drones?/"]', "looks like a query"),
    ],
)
def test_a_word_that_does_not_what_it_seems_to_do_is_a_warning(line: str, said: str) -> None:
    notes = [each for each in read(f'{SOURCE}[[topics]]\nid = "t"\n{line}\n').warnings if '"t"' in each]
    assert len(notes) == 1
    assert said in notes[0]


@pytest.mark.parametrize(
    "word",
    ["(shot|brought) down", "F-16", "R2/D2", "a - b", "завод «Азовсталь»", "war and"],
)
def test_a_word_that_means_what_it_says_is_no_warning(word: str) -> None:
    text = f'{SOURCE}[[topics]]\nid = "t"\nkeywords = ["{word}"]\n'
    assert [each for each in read(text).warnings if '"t"' in each] == []


@pytest.mark.parametrize(("keyword", "letter"), [("C++", "C"), ("R", "R"), ("C#", "C")])
def test_a_keyword_that_is_one_letter_is_told_so(keyword: str, letter: str) -> None:
    text = f'{SOURCE}[[topics]]\nid = "t"\nkeywords = ["{keyword}", "5G", "я не", "F-16", "ЄС"]\n'
    (note,) = [each for each in read(text).warnings if "letter" in each]
    assert note.startswith(f'the keyword "{keyword}" of the topic "t" is the one letter "{letter}"')


def test_a_query_for_a_source_that_is_not_there_is_a_warning() -> None:
    text = SOURCE + '[[topics]]\nid = "t"\nquery = "(a OR b) source:exmple source:Example"\n'
    notes = read(text, check_query=review).warnings
    (note,) = [each for each in notes if "source:" in each]
    assert note.startswith("topics[1].query: source:exmple matches nothing")
    assert note.endswith('did you mean "example"?')


def test_a_query_that_finds_nearly_everything_is_a_warning_unless_something_else_narrows_the_topic() -> None:
    text = SOURCE + '[[topics]]\nid = "t"\nquery = "the"\n'
    assert any(
        "query: the query matches nearly everything" in n for n in read(text, check_query=review).warnings
    )
    for narrow in ('sources = ["example"]', 'require = ["drone"]'):
        notes = read(f"{text}{narrow}\n", check_query=review).warnings
        assert [note for note in notes if "everything" in note] == []


def test_a_query_for_a_language_that_there_is_not_is_a_fault() -> None:
    text = SOURCE + '[[topics]]\nid = "t"\nquery = "drone lang:english"\n'
    with pytest.raises(ConfigInvalid, match='"english" is no code of a language'):
        read(text, check_query=review)


@given(st.text(alphabet=st.sampled_from("[]{}=\".,#\n'abc1é \\")))
def test_no_text_does_worse_than_a_fault(text: str) -> None:
    told: tuple[object, ...] = ()
    try:
        empty = not read(text).sources  # of these letters no name of a key can be made
    except ConfigInvalid as error:
        empty, told = False, error.faults
    assert empty != bool(told)


# --- Lines


def test_every_place_has_its_line() -> None:
    text = """top = 1
"quoted key".b = [
  # a comment
  "x",
  [2, 3],
]
[a.b]
c = {d = 1, e.f = [4]}  # a comment
[[list]]  # a comment
x = 1
[list.sub]
y = 1
[[list]]
x = 2
[[list.deep]]
z = 3
"""
    known = lines(text)
    assert known[("top",)] == 1
    assert known[("quoted key", "b")] == 2
    assert known[("quoted key", "b", 0)] == 4
    assert known[("quoted key", "b", 1, 1)] == 5
    assert known[("a", "b")] == 7
    assert known[("a", "b", "c", "e", "f", 0)] == 8
    assert known[("list", 0)] == 9
    assert known[("list", 0, "x")] == 10
    assert known[("list", 0, "sub", "y")] == 12
    assert known[("list", 1, "x")] == 14
    assert known[("list", 1, "deep", 0, "z")] == 16


PIECES = [
    "a = 1\n",
    "b = [1, # a comment\n 2,\n]\n",
    'c = {x = [{y = 1}], "q k" = 1979-05-27} # a comment\r\n',
    "[a]\n",
    "[d.'l']\n",
    "[[e]] # a comment\n",
    "[e.f]\n",
    "[[e.g]]\n",
    'h.i = """\n\n"""\n',
    "# a comment\n",
    '"\\u00e9" = inf\n',
]


def below(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*at, key)
        yield from below(child, (*at, key))


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_key_of_a_valid_document_is_without_a_line(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(below(document)) == lines(text).keys()


# --- Durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("2m", 120),
        ("1h30m", 5400),
        ("7d", 604800),
        ("2w", 1209600),
        (" 1H 30M ", 5400),
        ("90m", 5400),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", " ", "5", "m", "1.5h", "-1h", "30m1h", "1h1h", "٣m", "1 hour", "m5"])
def test_what_is_no_duration_is_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(ValueError, match=r'is no duration: write "30s", "2m", "1h30m" or "7d"'):
        parse_duration(text)


def test_a_duration_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="too long: at most 3650d"):
        parse_duration("999999999w")


@given(st.integers(min_value=0, max_value=3650 * 86400))
def test_a_duration_survives_being_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@given(st.text())
def test_no_text_breaks_the_reading_of_durations(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


# --- What ships


def test_the_example_is_without_fault_and_covers_the_subject() -> None:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    config = read(text, path="config.example.toml", packs=packs())
    feeds = [source for source in config.sources if source.kind == "feed" and not source.official]
    channels = [source for source in config.sources if source.kind == "channel" and source.official]
    assert len(feeds) >= 6
    assert {source.language for source in feeds} == {"en", "uk", "ru"}
    assert len(channels) >= 6
    assert {topic.id for topic in config.topics} >= {"starlink", "ceasefire", "energy-grid", "peace-talks"}
    assert config.warnings == ()


def test_the_token_of_the_example_is_no_token_until_it_is_replaced() -> None:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        read(text.replace("# token =", "token ="), packs=packs())
    assert [each.key for each in caught.value.faults] == ["telegram.token"]


def test_every_key_is_documented_below_its_section() -> None:
    text = (ROOT / "docs" / "configure.md").read_text(encoding="utf-8")
    chapters = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", text, re.MULTILINE))
    titles = {"": "Top of the file", "sources": "`[[sources]]`", "topics": "`[[topics]]`"}
    for section, keys in KEYS.items():
        rows = re.findall(r"^\| `(\w+)` \|", chapters[titles.get(section, f"`[{section}]`")], re.MULTILINE)
        assert rows == list(keys)


def test_the_config_offers_the_languages_that_the_bot_speaks() -> None:
    assert set(BOT_LANGUAGES) == set(LANGUAGES)
