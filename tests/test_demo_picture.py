"""The README's picture is drawn by the program itself."""

from __future__ import annotations

from html import unescape
from pathlib import Path

from monitor.demo.picture import draw, main


async def test_the_picture_shows_an_official_post_and_an_article() -> None:
    shown = unescape(await draw()).replace("\xa0", " ")
    assert "Старлінк" in shown
    assert "(official)" in shown
    assert "in Ukrainian" in shown
    assert "President says he asked for a one-week" in shown


def test_the_same_code_draws_the_same_picture(tmp_path: Path) -> None:
    main(str(tmp_path / "one.svg"))
    main(str(tmp_path / "two.svg"))
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
