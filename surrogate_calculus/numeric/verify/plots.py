"""Plots of findings, as SVG to be set into a page: its colours and its font are the page's own.

matplotlib draws with colours that stand for properties of the page's style (``var(--ink)``), so that one
drawing serves light, dark and print.  What is told by colour is told by the form of a mark too.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from io import StringIO
from typing import Any

from ...errors import EvaluationError
from .finding import OUTCOMES, Finding, Outcome

__all__ = ["Plot", "ladder", "ladder_columns", "overview", "require_plots"]

#: Colours that matplotlib draws with, and what the page makes of them.
_INK, _GRID = "#010203", "#010204"
_OUTCOME_COLOUR = {"agrees": "#010205", "disagrees": "#010206", "undecided": "#010207"}
_SERIES = tuple(f"#0102{16 + n:02x}" for n in range(6))
_STYLE = {
    _INK: "var(--ink)",
    _GRID: "var(--grid)",
    **{colour: f"var(--{outcome})" for outcome, colour in _OUTCOME_COLOUR.items()},
    **{colour: f"var(--series-{n})" for n, colour in enumerate(_SERIES)},
}
_MARKS = {"agrees": "o", "disagrees": "X", "undecided": "D"}
_SERIES_MARKS, _DASHES = "osD^vP", ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
#: Where the scales end, far beyond what tells a reader anything.
_FAR = 1e30
#: Letters of a name in a drawing.
_LONGEST = 36
_COLUMN = re.compile(r"\s*([^\W\d]\w*)\s*=\s*([-+.\w]+)\s*")


@dataclass(frozen=True)
class Plot:
    """A drawing.

    Attributes:
        svg: an ``<svg>`` element, with the alternative text in it; everything in it is escaped.
        caption: what a reader must know to read it.
        alt: what it shows, for who does not see it.
    """

    svg: str
    caption: str
    alt: str


def require_plots() -> None:
    """See to it that a report can be made, before any long work.

    Raises:
        EvaluationError: matplotlib or jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise EvaluationError(
            f"a report needs {error.name or 'matplotlib'}, which is not installed",
            instead="pip install 'surrogate-calculus[plot]'",
        ) from None


def overview(findings: Sequence[Finding]) -> Plot | None:
    """Each deviation as a multiple of its tolerance, on a log scale, a line for each filter and kind.

    None where no finding has both numbers.
    """
    ratios = [(finding, _ratio(finding)) for finding in findings]
    drawn = [(finding, ratio) for finding, ratio in ratios if not math.isnan(ratio)]
    if not drawn:
        return None
    rows = list(dict.fromkeys((finding.check.filter, finding.check.kind) for finding, _ in drawn))
    inside = [ratio for _, ratio in drawn if 0 < ratio < math.inf]
    low = min(-1, *(math.floor(math.log10(r)) for r in inside)) - 1 if inside else -2
    high = max(1, *(math.ceil(math.log10(r)) for r in inside)) + 1 if inside else 2
    caption = (
        "Deviation as a multiple of its tolerance. Right of the line it is beyond the tolerance: a failure "
        "of an identity, and what is claimed where a bias is."
    )
    zero = sum(r == 0 for _, r in drawn)
    if zero:
        caption += f" At the left edge: {zero} with a deviation of 0."
    if len(drawn) < len(findings):
        caption += f" Not drawn: {len(findings) - len(drawn)} without a number."
    alt = (
        f"Deviation as a multiple of the tolerance of {len(drawn)} findings, on a log scale, for "
        f"{', '.join(f'{name} ({kind})' for name, kind in rows)}: {counted([f for f, _ in drawn])}."
    )
    with _style():
        figure, axes = _figure(1.1 + 0.28 * len(rows))
        for outcome in OUTCOMES:
            points = [(f, r) for f, r in drawn if f.outcome == outcome]
            if not points:
                continue
            x = [10.0**low if r == 0 else 10.0**high if r == math.inf else r for _, r in points]
            y = [rows.index((f.check.filter, f.check.kind)) for f, _ in points]
            # Points of one line are spread a little, by the golden ratio, so that none hides another.
            spread = [0.56 * ((n * 0.6180339887) % 1 - 0.5) for n in range(len(points))]
            axes.scatter(
                x, [a + b for a, b in zip(y, spread, strict=True)],
                marker=_MARKS[outcome], s=22 if outcome == "agrees" else 44, label=outcome,
                facecolor="none" if outcome == "agrees" else _OUTCOME_COLOUR[outcome],
                edgecolor=_OUTCOME_COLOUR[outcome], linewidth=1.1, zorder=3 if outcome == "agrees" else 4,
            )  # fmt: skip
        axes.axvline(1.0, color=_INK, linewidth=1.2, zorder=2)
        axes.set_xscale("log")
        _log_axis(axes.xaxis)
        axes.set_xlim(10.0 ** (low - 0.4), 10.0 ** (high + 0.4))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [f"{_cut(name)}, {kind}" for name, kind in rows])
        axes.set_xlabel("deviation / tolerance")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, borderaxespad=0.2)
        drawing = _svg(figure, alt)
    return Plot(drawing, caption, alt)


def ladder_columns(columns: Sequence[str]) -> tuple[str, tuple[float, ...]] | None:
    """The name and the numbers of columns such as ``N=10``, ``N=20``; None where they are no ladder.

    A ladder has two rungs at least, all of one name, and positive numbers.
    """
    matches = [_COLUMN.fullmatch(column) for column in columns]
    if len(matches) < 2 or not all(matches):
        return None
    names = {match[1] for match in matches if match}
    try:
        values = tuple(float(match[2]) for match in matches if match)
    except ValueError:
        return None
    if len(names) > 1 or len(set(values)) < 2 or not all(1 / _FAR < v < _FAR for v in values):
        return None
    return names.pop(), values


def ladder(finding: Finding) -> Plot | None:
    """The rows of a finding against its columns ``N=…`` or ``T=…``, both on log scales.

    None where the columns are no ladder, or no row has two numbers to draw.
    """
    rungs = ladder_columns(finding.columns)
    if rungs is None:
        return None
    name, at = rungs
    rows: list[tuple[str, list[tuple[float, float]]]] = []
    for row, values in finding.numbers.items():
        points = [(x, abs(v)) for x, v in zip(at, values, strict=False) if 1 / _FAR < abs(v) < _FAR]
        if len(points) >= 2:
            signed = any(v < 0 for v in values)
            rows.append((f"|{row}|" if signed else row, sorted(points)))
    if not rows:
        return None
    told = "; ".join(
        f"{row} from {first:.3g} at {name} = {start:g} to {last:.3g} at {name} = {end:g}"
        for row, ((start, first), *_, (end, last)) in rows
    )
    alt = f"{finding.check.claim}. Against {name}, on log scales: {told}."
    with _style():
        figure, axes = _figure(3.4)
        for n, (row, points) in enumerate(rows):
            axes.plot(
                *zip(*points, strict=True),
                label=f" {_cut(row)}",  # with a _ at its beginning it would not be in the legend
                color=_SERIES[n % 6], marker=_SERIES_MARKS[n % 6], linestyle=_DASHES[(n + n // 6) % 6],
                markersize=5, linewidth=1.6,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        _log_axis(axes.xaxis)
        _log_axis(axes.yaxis)
        ticks = sorted(set(at))
        if len(ticks) <= 12:
            axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
            axes.set_xticks([], minor=True)
        axes.set_xlabel(_cut(name))
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
        drawing = _svg(figure, alt)
    return Plot(drawing, f"{finding.check.claim}: against {name}, both axes on log scales.", alt)


def counted(findings: Sequence[Finding]) -> str:
    """How many findings of each outcome there are: ``3 agree, 1 disagrees``."""
    words: dict[Outcome, tuple[str, str]] = {
        "agrees": ("agrees", "agree"),
        "disagrees": ("disagrees", "disagree"),
        "undecided": ("is undecided", "are undecided"),
    }
    parts = []
    for outcome, (one, many) in words.items():
        count = sum(finding.outcome == outcome for finding in findings)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    return ", ".join(parts) or "none"


def _cut(text: str) -> str:
    """A name in the space that a drawing has for it, on one line; the alternative text has it whole."""
    text = " ".join(text.encode(errors="replace").decode().split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _ratio(finding: Finding) -> float:
    """Deviation / tolerance; 0 of 0 is 0, and more than a tolerance of 0 is infinite."""
    if math.isnan(finding.deviation) or math.isnan(finding.tolerance):
        return math.nan
    if finding.deviation == 0:
        return 0.0
    if finding.tolerance <= 0 or math.isinf(finding.deviation):
        return math.inf
    return min(max(abs(finding.deviation) / finding.tolerance, 1 / _FAR), _FAR)


def _settings() -> Any:
    """What matplotlib is told: text stays text, and nothing in it is a formula."""
    return {
        "svg.fonttype": "none", "svg.hashsalt": "surrogate", "text.parse_math": False,
        "font.family": ["sans-serif"], "font.size": 9.0, "legend.fontsize": 9.0,
        "text.color": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
        "axes.edgecolor": _GRID, "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "axes.grid.axis": "both", "grid.color": _GRID, "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    }  # fmt: skip


@contextmanager
def _style() -> Iterator[None]:
    """While a plot is drawn: what it needs of matplotlib, and nothing of a reader's own matplotlibrc."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_settings())
        # The page's font draws the text; that matplotlib's own lacks a sign is nothing to it.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        yield


def _figure(height: float) -> tuple[Any, Any]:
    """A figure 7 inches wide, of a height in inches, and its axes."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def _log_axis(axis: Any) -> None:
    """The powers of ten as a reader writes them: matplotlib would write a formula."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value)))
    axis.set_minor_formatter(NullFormatter())


def _power(value: float) -> str:
    """``10⁻³``, and what is no power of ten or near 1 as it is."""
    exponent = round(math.log10(value)) if value > 0 else 0
    if value <= 0 or not math.isclose(value, 10.0**exponent, rel_tol=1e-9) or -3 < exponent < 4:
        return f"{value:g}".replace("-", "−")
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _svg(figure: Any, alt: str) -> str:
    """A figure as an element with an alternative text, and with ids that no other has."""
    out = StringIO()
    figure.savefig(out, format="svg", metadata=dict.fromkeys(("Type", "Format", "Creator", "Date")))
    text = out.getvalue()
    text = text[text.index("<svg") :].strip()
    own = "p" + sha256((alt + text).encode(errors="replace")).hexdigest()[:10]

    def settled(tag: re.Match[str]) -> str:
        """A tag in the page's colours, its ids and references its own; text between tags stays as it is."""
        inside = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{own}-", tag[0])
        for colour, style in _STYLE.items():
            inside = inside.replace(colour, style)
        return inside

    text = re.sub(r"<[^<>]*>", settled, text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
