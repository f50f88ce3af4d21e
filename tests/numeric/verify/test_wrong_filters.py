"""Three wrong filters that the verifier must name; ``benchmarks/wrong_filters.py`` has all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from filter_mutants import MUTANTS, PACKAGE, ROOT, Mutant, failing, imported_from, mutated

NAMED = {mutant.name: mutant for mutant in MUTANTS}


@pytest.mark.parametrize(
    ("name", "claim", "quantity"),
    [
        ("the correction after resampling is left out", "∇θ log Ẑ", "of the graph that create_graph keeps"),
        ("the sweep has w̄ at t for w̄ at t - 1", "∇θ log Ẑ", " of log Ẑ, seed"),
        ("the marginal online score is averaged over the wrong axis", "the online score", "replicate"),
    ],
)
def test_a_wrong_filter_is_named(name: str, claim: str, quantity: str, tmp_path: Path) -> None:
    found, done = failing(NAMED[name], mutated(NAMED[name], tmp_path))
    assert found is not None and done >= 1
    assert found.claim.startswith(claim) and quantity in found.quantity and found.deviation > 1e-3
    assert "smallest failing: N = " in found.note


def test_every_change_applies_once(tmp_path: Path) -> None:
    """Else it would be the right filter that is looked at, or another line that is changed."""
    folder = ROOT / PACKAGE / "numeric" / "filters"
    for mutant in MUTANTS:
        text = (folder / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1 and mutant.old != mutant.new, mutant.name
    assert len(NAMED) == len(MUTANTS) >= 20
    gone = Mutant("nothing", "replay.py", "no such line", "", "dpf")
    with pytest.raises(ValueError, match="has 0 places for: nothing"):
        mutated(gone, tmp_path)


def test_the_package_comes_back() -> None:
    import surrogate_calculus.numeric.filters as before

    with imported_from(ROOT):
        import surrogate_calculus.numeric.filters as other

        assert other is not before
    import surrogate_calculus.numeric.filters as after

    assert after is before
