"""The report in a real browser: pictures of it, and a copy of it that measures itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from pages import write_page
from PIL import Image

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium is installed"),
]

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--enable-logging=stderr",
]  # fmt: skip

#: Run in a copy of the page only: the page itself has no script, and its policy would allow none.
MEASURE = """
const box = e => { const r = e.getBoundingClientRect();
  return {left: r.left, right: r.right, top: r.top, bottom: r.bottom, width: r.width, height: r.height}; };
const all = (s, f) => [...document.querySelectorAll(s)].map(f);
const state = () => ({
  inner: innerWidth,
  width: document.documentElement.scrollWidth,
  height: document.documentElement.scrollHeight,
  outside: all("body *", e => e).filter(e => !e.closest(".scroll") && !e.closest(".findings > thead")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80)),
});
addEventListener("load", () => {
  const closed = state();
  document.querySelectorAll("details").forEach(d => d.open = true);
  parent.document.body.dataset.measured = JSON.stringify({
    closed, open: state(),
    math: all("math", box),
    fractions: all("mfrac", e => [...e.children].map(box)),
    scripts: all("msubsup", e => [...e.children].map(box)),
    plots: all("svg", e => ({
      box: box(e), texts: [...e.querySelectorAll("text")].map(t => [t.textContent, box(t)])})),
    fetched: performance.getEntriesByType("resource").map(e => e.name),
    foreign: all("script, img, iframe, object, embed, image", e => e.outerHTML.slice(0, 60)),
    title: document.title,
  });
});
"""


def browse(page: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The browser on a page, without a network and with a profile of its own."""
    assert BROWSER is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    command = [BROWSER, *QUIET, profile, offline, *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "report.html"
    write_page(path)
    return path


@pytest.fixture(scope="module", params=[1280, 390], ids=["wide", "narrow"])
def measured(request: pytest.FixtureRequest, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("measured")
    text = page.read_text(encoding="utf-8")
    copied = re.sub(r"<meta http-equiv[^>]*>", f"<script>{MEASURE}</script>", text, count=1)
    assert copied != text
    # In a frame: a window has a least width.
    size = f'width="{request.param}" height="900" style="border: 0"'
    frame = f'<iframe {size} srcdoc="{escape(copied)}"></iframe>'
    around = folder / "around.html"
    around.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{frame}", encoding="utf-8")
    done = browse(around, folder, "--window-size=1400,1000", "--dump-dom")
    found = re.search(r'data-measured="([^"]*)"', done.stdout)
    assert found is not None, done.stderr
    data = json.loads(unescape(found[1]))
    assert data["closed"]["inner"] == request.param
    return data


def test_nothing_stands_out_of_the_page(measured: Any) -> None:
    for state in (measured["closed"], measured["open"]):
        assert state["width"] <= state["inner"]
        assert state["outside"] == []
    assert measured["open"]["height"] > measured["closed"]["height"] > 1500


def test_formulas_are_set(measured: Any) -> None:
    """Not only there: numerators stand above denominators, and superscripts above subscripts."""
    assert len(measured["math"]) > 10
    assert all(m["width"] > 5 and m["height"] > 5 for m in measured["math"])
    assert len(measured["fractions"]) > 10
    for upper, lower in measured["fractions"]:
        assert upper["bottom"] <= lower["top"] + 1 and upper["left"] < lower["right"]
    assert measured["scripts"]
    for base, below, above in measured["scripts"]:
        assert above["top"] < below["top"] and base["right"] <= below["right"] + 1


def test_plots_hold_their_texts(measured: Any) -> None:
    assert len(measured["plots"]) == 3
    for plot in measured["plots"]:
        frame = plot["box"]
        assert frame["width"] > 300 and len(plot["texts"]) > 5
        for text, place in plot["texts"]:
            assert frame["left"] - 2 <= place["left"] and place["right"] <= frame["right"] + 2, text
            assert frame["top"] - 2 <= place["top"] and place["bottom"] <= frame["bottom"] + 2, text


def test_nothing_is_fetched_or_run(measured: Any) -> None:
    assert measured["fetched"] == []
    assert len(measured["foreign"]) == 1 and "const box" in measured["foreign"][0]  # what measures
    assert measured["title"] == "2 of 8 claims disagree – surrogate verify"


def share(picture: Image.Image, colour: tuple[int, int, int], within: int = 12) -> float:
    """The share of the pixels that are near a colour."""
    pixels = picture.convert("RGB").getcolors(maxcolors=1 << 24)
    assert pixels is not None
    near = sum(n for n, c in pixels if max(abs(a - b) for a, b in zip(c, colour, strict=True)) <= within)
    return near / (picture.width * picture.height)


@pytest.mark.parametrize(
    ("scheme", "paper", "ink", "tones"),
    [
        (1, (255, 255, 255), (27, 31, 36), [(11, 102, 168), (176, 58, 0)]),
        (0, (20, 23, 27), (230, 233, 237), [(109, 184, 239), (255, 157, 102)]),
    ],
    ids=["light", "dark"],
)
def test_pictures(
    page: Path, tmp_path: Path, scheme: int, paper: Any, ink: Any, tones: list[tuple[int, int, int]]
) -> None:
    """The page as it is: its policy lets its own style through, and its colours are those of the scheme."""
    shot = tmp_path / "page.png"
    done = browse(
        page,
        tmp_path,
        "--window-size=1280,1700",
        f"--blink-settings=preferredColorScheme={scheme}",
        f"--screenshot={shot}",
    )
    assert not re.search(r"Content Security Policy|Refused to|CONSOLE", done.stderr)
    with Image.open(shot) as picture:
        assert picture.size == (1280, 1700)
        assert 0.4 < share(picture, paper) < 0.97
        assert share(picture, ink) > 0.002
        for tone in tones:
            assert share(picture, tone) > 0.0003, tone
        # There is something in each fifth of the height, and the margins are free.
        for n in range(5):
            strip = picture.crop((0, 340 * n, 1280, 340 * (n + 1)))
            assert share(strip, paper, 2) < 0.995
        assert share(picture.crop((0, 0, 20, 1700)), paper, 2) == 1.0
