"""The Nile example: autograd of the surrogate and the derived formula are one number."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def nile(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import nile as module

    yield module
    sys.modules.pop("nile")


def test_autograd_and_formula_agree_and_the_score_is_near(nile) -> None:  # type: ignore[no-untyped-def]
    result = nile.compute()
    assert [row.name for row in result.rows] == ["r", "s"]
    for row in result.rows:
        assert row.difference <= 1e-10
        assert row.formula == f"Σ[i=1..N](w̄[i] * ∇{row.name} log p(x[i], y; r, s))"
    # No resampling: hardly any trajectory of 1,000 keeps a weight in 100 years.
    assert 1 <= result.effective_size < 50
    assert result.particles == 1000


def test_with_few_years_the_estimator_meets_the_score(nile, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Five years leave hundreds of effective trajectories; then the score is estimated well."""
    rows = nile.nile()[:5]
    monkeypatch.setattr(nile, "nile", lambda: rows)
    result = nile.compute(particles=20_000)
    assert result.effective_size > 1000
    # Twelve seeds showed standard errors of 8e-6 and 8e-7: six of each, for scores of -8e-5 and -4e-5.
    for row, tolerance in zip(result.rows, (5e-5, 5e-6), strict=True):
        assert row.difference <= 1e-10
        assert row.derived == pytest.approx(row.exact, abs=tolerance)


def test_it_prints_its_table(nile) -> None:  # type: ignore[no-untyped-def]
    text = io.StringIO()
    nile.run(Console(file=text, width=100))
    for word in ("torch autograd", "derived formula", "exact score", "effective"):
        assert word in text.getvalue()
