"""The report: what is in the page, that nothing in it is carried out, that files are whole or none."""

from __future__ import annotations

import math
import os
import re
import stat
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pages import FINDINGS, HARM, derivations, finding, write_page

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.verify import report
from surrogate_calculus.numeric.verify.plots import ladder, ladder_columns, overview
from surrogate_calculus.numeric.verify.report import About, check_writable, require_plots, write_report

VOID = {"meta", "link", "br", "img"}


class Reader(HTMLParser):
    """Elements with their attributes, the texts of each, and tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.stack: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(tmp_path_factory.mktemp("report") / "report.html", planned=20)


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def plain(read: Reader) -> str:
    return re.sub(r"\s+", " ", " ".join(read.texts))


def test_the_page_is_well_formed_and_its_references_lead_somewhere(read: Reader) -> None:
    assert read.wrong == [] and read.stack == []
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in read.elements if tag == "a"]
    used = [value for _, a in read.elements for name, value in a.items() if name == "xlink:href"]
    clips = re.findall(r"url\(#([^)]+)\)", " ".join(v for _, a in read.elements for v in a.values()))
    assert links and used and clips
    assert {link.removeprefix("#") for link in links + used} | set(clips) <= set(ids)


def test_nothing_in_the_page_reaches_out_or_runs(page: str, read: Reader) -> None:
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base", "image", "foreignobject"}
    for tag, attributes in read.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                assert value.startswith("#") or (tag, value) == ("link", "data:,")
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", page.replace(HARM, ""))
    policy = next(a["content"] for tag, a in read.elements if "http-equiv" in a)
    assert "default-src 'none'" in policy and "script" not in policy


def test_what_others_wrote_is_shown_as_they_wrote_it(read: Reader) -> None:
    kinds = ("claim", "filter", "model", "basis", "quantity", "note", "name", "value", "row", "estimator")
    for what in kinds:
        assert any(f"{what} {HARM}" in text for text in read.texts), what
    assert f"surrogate verify --all {HARM}" in read.texts
    # In the alternative text of a plot, too.
    assert any(f"row {HARM}" in a.get("aria-label", "") for tag, a in read.elements if tag == "svg")


def test_the_summary_counts_and_tells_what_was_run(read: Reader) -> None:
    text = plain(read)
    assert "2 of 8 claims disagree" in text
    assert re.search(r"2 ✗ disagrees 1 ! not carried out 1 \? undecided 4 ✓ agrees", text)
    assert "12 of 20 checks were not carried out" in text
    for fact in ("2026-11-21", sc.__version__, version("torch"), sys.version.split()[0], "float64"):
        assert fact in text
    assert "“Agrees” is not “proved”" in text


def test_what_fails_comes_first(page: str) -> None:
    cards = re.findall(r'<article class="card (\w+)">', page)
    assert cards == ["disagrees", "disagrees", "failed", "undecided"]
    table = page[page.index('id="filter-1"') : page.index('id="filter-2"')]
    verdicts = re.findall(r'<span class="verdict (\w+)">', table)
    assert verdicts == ["disagrees", "failed", "agrees", "agrees", "agrees"]
    assert page.index('id="failing"') < page.index('id="overview"') < page.index('id="findings"')


def test_a_finding_is_told_in_full(page: str) -> None:
    row = page[page.index('<tbody id="finding-1">') :]
    row = unescape(row[: row.index("<tbody id=", 10)])
    parts = ("3e−13", "1e−10", "1e-10 of Σ|summands|", "7.7 s", "−0.7350917888", "∂/∂a", "autograd", "lgssm")
    assert [part for part in parts if part not in row] == []
    assert ">no number<" in page and ">∞<" in page and ">none<" not in row


@pytest.mark.parametrize(
    ("findings", "planned", "headline"),
    [
        ([], None, "Nothing was checked"),
        (FINDINGS[:1], None, "The claim agrees"),
        (FINDINGS[:2], 2, "All 2 claims agree"),
        (FINDINGS[:2], 3, "No disagreement in the 2 claims checked of 3"),
        ([FINDINGS[0], FINDINGS[5]], None, "No disagreement, but 1 of 2 claims undecided"),
        ([FINDINGS[0], FINDINGS[6]], None, "No disagreement, but 1 of 2 claims undecided"),
        ([FINDINGS[2], FINDINGS[0]], None, "1 of 2 claims disagrees"),
    ],
)
def test_headlines(tmp_path: Path, findings: Any, planned: Any, headline: str) -> None:
    write_report(tmp_path / "r.html", findings, about=About(planned=planned))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"<title>{headline} – surrogate verify</title>" in text
    assert 'id="derivations"' not in text and not Reader(text).wrong


def test_derivations_are_typeset_and_said_to_be_replayed(page: str, read: Reader) -> None:
    part = page[page.index('<section id="derivations">') :]
    found = derivations().values()
    # The start stands above the result and above the steps.
    assert part.count("<math") == sum(2 + 1 + len(d.steps) + len(d.hypotheses) for d in found)
    for derivation in found:
        assert f"replayed by the kernel, {sc.check(derivation.certificate).steps} steps" in part
    hypotheses = derivations()["a ratio"].hypotheses
    assert len(hypotheses) == 2 and "≠ 0" in part
    assert "not proved" not in part


def test_a_derivation_that_the_kernel_refuses_is_said_to_be(tmp_path: Path) -> None:
    derivation = sc.derive("x^2*⊥(x)", "x")
    certificate = dict(derivation.certificate)
    certificate["version"] = "another"
    derivation.__dict__["certificate"] = certificate
    write_report(tmp_path / "r.html", [], {"forged": derivation})
    text = plain(Reader((tmp_path / "r.html").read_text(encoding="utf-8")))
    assert "not proved : the kernel does not accept it" in text and "replayed by the kernel," not in text


def test_the_same_findings_make_the_same_page(tmp_path: Path) -> None:
    assert write_page(tmp_path / "a.html") == write_page(tmp_path / "b.html")


# ---- files ----


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old one", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(EvaluationError, match="No space left") as refused:
            write_report(path, FINDINGS[:1])
        assert refused.value.instead
    assert path.read_text(encoding="utf-8") == "the old one" and list(tmp_path.iterdir()) == [path]
    other = tmp_path / "other"
    os.link(path, other)
    write_report(path, FINDINGS[:1])
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    # The new page took the place of the old file, which nobody wrote into.
    assert sorted(tmp_path.iterdir()) == [other, path] and other.read_text(encoding="utf-8") == "the old one"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, page = tmp_path / "report.html", tmp_path / "there" / "page.html"
    page.parent.mkdir()
    link.symlink_to(page)
    write_report(link, [])
    assert link.is_symlink() and page.stat().st_size > 1000


def test_a_path_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    bad = [tmp_path, tmp_path / "none" / "r.html", tmp_path / "pipe", tmp_path / "round", Path("/dev/null")]
    for path in (*bad, tmp_path / ("x" * 255), tmp_path / ("x" * 300)):
        for use in (check_writable, lambda path: write_report(path, [])):
            with pytest.raises(EvaluationError) as refused:
                use(path)
            assert str(path) in str(refused.value) and refused.value.instead
    before = sorted(tmp_path.iterdir())
    check_writable(tmp_path / "r.html")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_what_is_not_installed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    require_plots()
    monkeypatch.setitem(sys.modules, missing, None)
    for use in (require_plots, lambda: write_report(tmp_path / "r.html", [])):
        with pytest.raises(EvaluationError, match=f"needs {missing}") as refused:
            use()
        assert "surrogate-calculus[plot]" in str(refused.value.instead)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_utf8_has_no_bytes_for_does_not_stop_the_page(tmp_path: Path) -> None:
    odd = finding("file \udc80", columns=("N=1", "N=2"), numbers={"\udc80": (1, 2)})
    write_report(tmp_path / "r.html", [odd])
    assert "file ?" in (tmp_path / "r.html").read_text(encoding="utf-8")


# ---- plots ----


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("N=10", "N=20"), ("N", (10.0, 20.0))),
        (("T = 1e1", "T = 2.5e1 ", "T=40"), ("T", (10.0, 25.0, 40.0))),
        (("N=10",), None),
        (("N=10", "T=20"), None),
        (("N=10", "N=10"), None),
        (("N=0", "N=10"), None),
        (("N=nan", "N=10"), None),
        (("N=10", "N=x"), None),
        (("N=10", "slope"), None),
        (("∂/∂a", "∂/∂c"), None),
        ((), None),
    ],
)
def test_columns_that_are_a_ladder(columns: tuple[str, ...], found: object) -> None:
    assert ladder_columns(columns) == found


def test_a_ladder_is_drawn_on_log_scales() -> None:
    """A power law is a straight line, and what cannot be drawn is left out."""
    law = finding(numbers={"bias": (0.8, 0.4, 0.2, 0.1)}, columns=("N=10", "N=20", "N=40", "N=80"))
    plot = ladder(law)
    assert plot is not None and "bias from 0.8 at N = 10 to 0.1 at N = 80" in plot.alt
    drawn = r'<path d="(M [^"]*)" clip-path="[^"]*" style="fill: none; stroke: var\(--series-0\)'
    line = re.search(drawn, plot.svg)
    assert line is not None
    corners = [tuple(map(float, p.split()[-2:])) for p in line[1].split("\n") if p.strip()]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(corners)]
    assert len(steps) == 3 and max(abs(s[i] - steps[0][i]) for s in steps for i in (0, 1)) < 1e-3
    plot = ladder(FINDINGS[4])
    assert plot is not None and "|pf| from 0.8" in plot.alt and "_none" not in plot.svg
    assert ladder(FINDINGS[0]) is None
    assert ladder(finding(columns=("N=1", "N=2"), numbers={"none": (0.0, math.nan)})) is None
    assert ladder(finding(columns=("N=1", "N=2"))) is None


def test_the_overview_draws_each_finding_that_has_numbers() -> None:
    plot = overview(FINDINGS)
    assert plot is not None
    use = r'<use [^>]* y="([^"]+)" style="[^"]*stroke: var\(--(agrees|disagrees|undecided)\)'
    marks = re.findall(use, plot.svg)
    drawn = [outcome for y, outcome in marks if float(y) > 20]  # below the legend
    assert [drawn.count(outcome) for outcome in ("agrees", "disagrees", "undecided")] == [4, 2, 1]
    assert "Not drawn: 1 without a number" in plot.caption and "1 with a deviation of 0" in plot.caption
    assert "4 agree, 2 disagree, 1 is undecided" in plot.alt
    assert overview([]) is None and overview([FINDINGS[6]]) is None
    extreme = [finding(deviation=d, tolerance=t) for d in (5e-324, 1e308, 0.0) for t in (1e-300, 1e300, 0.0)]
    assert overview(extreme) is not None


def test_a_plot_is_in_the_colours_of_the_page() -> None:
    for plot in (overview(FINDINGS), ladder(FINDINGS[4]), ladder(FINDINGS[7])):
        assert plot is not None
        assert "var(--ink)" in plot.svg and "#0102" not in plot.svg
        assert set(re.findall(r"#[0-9a-f]{6}\b", plot.svg)) == set()
        assert "mathdefault" not in plot.svg and 'role="img"' in plot.svg


def test_a_reader_s_own_style_of_plots_changes_nothing() -> None:
    import matplotlib

    before = overview(FINDINGS)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "xtick.major.size": 40}):
        assert overview(FINDINGS) == before
        assert matplotlib.rcParams["font.size"] == 30


def test_a_name_in_a_plot_is_no_formula() -> None:
    plot = ladder(finding(columns=("N=1", "N=2"), numbers={"$x_1$": (1.0, 2.0), "_hidden": (1.0, 2.0)}))
    assert plot is not None
    texts = re.sub(r"> *", ">", plot.svg)
    assert ">$x_1$<" in texts and ">_hidden<" in texts


def test_settings_are_told_as_words() -> None:
    row = report._row(1, replace(FINDINGS[7]))
    assert [row["settings"][name] for name in ("none", "yes", "zero")] == ["none", "yes", "0"]
