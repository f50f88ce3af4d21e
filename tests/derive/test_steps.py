"""The lines of derivations: each is a strict equality, where and by which rule it says."""

from __future__ import annotations

import random

import pytest
from exactness import derived, same_series
from hypothesis import given, settings
from surrogates import Surrogate, random_surrogate, surrogates

import surrogate_calculus as sc
from surrogate_calculus.derive import Derivation, Step, steps
from surrogate_calculus.errors import DeriveError
from surrogate_calculus.kernel.rules import RULES
from surrogate_calculus.language.terms import Grad, Term, postorder

SMALL = {"depth": 4, "size": 10}


def at(term: Term, path: tuple[int, ...]) -> Term:
    for position in path:
        term = term.args[position]
    return term


def verify_shape(derivation: Derivation, grain: str) -> list[Step]:
    """The lines lead from the start to the result, each rewriting what it says where it says."""
    lines = derivation.steps_in(grain)
    whole = derivation.start
    for step in lines:
        assert at(whole, step.place) == step.before
        assert step.before != step.after
        assert at(step.term, step.place) == step.after
        names = step.rule.split(", ")
        assert all(name in RULES for name in names)
        if grain == "full":
            assert step.says == RULES[step.rule].says
            assert step.rule not in ("congruence", "inside", "transitivity", "symmetry")
        whole = step.term
    assert whole == derivation.result
    return lines


def verify_meaning(surrogate: Surrogate, derivation: Derivation, lines: list[Step]) -> None:
    """Consecutive lines have one Taylor series in the live and the stopped copies."""
    model = surrogate.model()
    axes = surrogate.axes()[-1]
    names = {node.key for node in postorder(derivation.start) if isinstance(node, Grad)}
    wrt: list[str | tuple[str, int]] = []
    for name in sorted(names):
        if name in surrogate.vector:
            wrt += [(name, k) for k in range(1, len(surrogate.point[name]) + 1)]
        else:
            wrt.append(name)
    degree = 1 if surrogate.vector else 2
    expected = model.series(derivation.start, degree, wrt, axes)
    for number, step in enumerate(lines, 1):
        found = model.series(step.term, degree, wrt, axes)
        assert same_series(model, expected, found), f"line {number}, {step.rule}: {step.term}"


def verify(surrogate: Surrogate) -> int:
    derivation = derived(surrogate)
    if derivation is None:
        return 0
    lengths = []
    for grain in ("brief", "full"):
        lines = verify_shape(derivation, grain)
        verify_meaning(surrogate, derivation, lines)
        lengths.append(len(lines))
    assert lengths[0] <= lengths[1]
    return lengths[1]


@given(surrogates(**SMALL, order=1))
@settings(max_examples=max(20, settings().max_examples // 5))
def test_every_line_is_a_strict_equality(surrogate: Surrogate) -> None:
    verify(surrogate)


@given(surrogates(depth=3, size=6, order=2, vector=True))
@settings(max_examples=max(10, settings().max_examples // 10))
def test_every_line_with_vectors_is_a_strict_equality(surrogate: Surrogate) -> None:
    verify(surrogate)


def test_lines_of_random_derivations(rng: random.Random) -> None:
    lines = 0
    for number in range(30):
        surrogate = random_surrogate(rng, **SMALL, order=1 + number % 2)
        try:
            lines += verify(surrogate)
        except Exception:
            print(surrogate)
            raise
    assert lines > 300


def test_brief_lines_say_what_was_done() -> None:
    derivation = sc.derive("p(x; θ) / ⊥(p(x; θ)) * f(x; θ)", "θ")
    lines = verify_shape(derivation, "brief")
    assert "log_derivative" in lines[0].rule and "grad_product" in lines[0].rule
    assert "eval_stop" in lines[1].rule and "Eq. 3" in lines[1].reference
    assert str(lines[-1].term) == "f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)"
    assert len(lines) <= 4


def test_full_lines_leave_no_operator_half_done() -> None:
    derivation = sc.derive("θ^2 * ⊥(θ)", "θ")
    assert [str(step.term) for step in verify_shape(derivation, "full")] == [
        "→(∇θ(θ^2) * ⊥(θ) + θ^2 * ∇θ ⊥(θ))",
        "→((2 * θ * ∇θ θ) * ⊥(θ) + θ^2 * ∇θ ⊥(θ))",
        "→((2 * θ * 1) * ⊥(θ) + θ^2 * ∇θ ⊥(θ))",
        "→((2 * θ) * ⊥(θ) + θ^2 * ∇θ ⊥(θ))",
        "→((2 * θ) * ⊥(θ) + θ^2 * 0)",
        "→((2 * θ) * ⊥(θ))",
        "(2 * θ) * →(⊥(θ))",
        "(2 * θ) * θ",
        "2 * θ^2",
    ]


def test_the_lines_are_printed_in_every_format() -> None:
    derivation = sc.derive("p(x; θ) / ⊥(p(x; θ)) * f(x; θ)", "θ")
    for grain in ("brief", "full"):
        count = len(derivation.steps_in(grain))
        assert derivation.to_text(grain).isascii()
        assert derivation.to_unicode(grain).count("\n  = ") == count
        assert derivation.to_latex(grain).count("={}&") == count
        assert derivation.to_mathml(grain).count("<mtr>") == count + 1
        data = derivation.to_dict(grain)
        assert data["grain"] == grain and len(data["steps"]) == count
        assert sc.parse(data["steps"][-1]["term"]) == derivation.result
    assert derivation.steps_in("brief") is derivation.steps


def test_no_bound_index_is_shown_without_its_name() -> None:
    derivation = sc.derive("Σ[i=1..N](w[i] * p(x[i]; θ) / ⊥(p(x[i]; θ)))", "θ")
    for grain in ("brief", "full"):
        for text in (derivation.to_text(grain), derivation.to_unicode(grain), derivation.to_latex(grain)):
            assert "#" not in text, text


def test_another_grain_is_refused() -> None:
    with pytest.raises(ValueError, match="brief"):
        sc.derive("θ^2", "θ").steps_in("middle")


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MAX_LINES", 9)
    assert len(sc.derive("θ^2 * ⊥(θ)", "θ").steps_in("full")) == 9
    with pytest.raises(DeriveError, match="more than 9 lines"):
        sc.derive("θ^3 * ⊥(θ)^2", "θ").steps_in("full")
