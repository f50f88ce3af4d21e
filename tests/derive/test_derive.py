"""derive: what it answers, what it notes and rests on, and what it refuses."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive import Derivation
from surrogate_calculus.errors import DeriveError, ParseError, TermError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.terms import HAS_EVAL, HAS_STOP, Add, Bound, Eval, Grad, Mul, Sym
from surrogate_calculus.semantics import Model, random_function

DICE = "p(x; θ) / ⊥(p(x; θ)) * f(x; θ)"


def shown(text: str, wrt: Any = None, order: int = 1, **options: Any) -> str:
    """The result as text; its certificate replays."""
    derivation = sc.derive(text, wrt, order, **options)
    verdict = sc.check(json.loads(json.dumps(derivation.certificate)))
    assert verdict.status == "proved", verdict.reason
    return str(derivation)


# What it answers.


@pytest.mark.parametrize(
    ("text", "order", "estimator"),
    [
        (DICE, 1, "f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)"),
        (
            DICE,
            2,
            "f(x; θ) * (∇²θ log p(x; θ) + (∇θ log p(x; θ))^2)"
            " + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ) + ∇²θ f(x; θ)",
        ),
        ("exp(θ - ⊥(θ)) * θ^2", 2, "2 + 4 * θ + θ^2"),
        ("⊥(R - b) * log π(a | s; θ)", 1, "(R - b) * ∇θ log π(a | s; θ)"),
        ("softplus(θ) - x * θ", 2, "sigmoid(θ) * (1 - sigmoid(θ))"),
        ("θ^θ", 1, "θ^θ * (1 + log θ)"),
        ("g(h(θ); θ)", 1, "D[2](g)(h(θ); θ) + D[1](g)(h(θ); θ) * ∇θ h(θ)"),
        ("Σ[i=1..N](x[i] * θ)", 1, "Σ[i=1..N](x[i])"),
        ("log p(x; θ)", 3, "∇³θ log p(x; θ)"),
        ("⊥(θ)", 1, "0"),
        ("θ", 2, "0"),
    ],
)
def test_a_result_reads_like_a_formula(text: str, order: int, estimator: str) -> None:
    assert shown(text, "θ", order) == estimator


def test_the_start_is_the_evaluated_gradient() -> None:
    derivation = sc.derive("θ * ⊥(φ)", ("θ", "φ"))
    assert derivation.start == Eval(Grad("φ", Grad("θ", sc.parse("θ * ⊥(φ)"))))
    assert derivation.expression == sc.parse("θ * ⊥(φ)")
    assert (derivation.wrt, derivation.order) == (("θ", "φ"), 2)


def test_an_expression_with_its_own_operators_is_taken_as_it_stands() -> None:
    derivation = sc.derive("∇θ →(θ * ⊥(θ))")
    assert derivation.start == sc.parse("∇θ →(θ * ⊥(θ))")
    assert str(derivation) == "2 * θ"
    assert derivation.wrt == ()


def test_operators_nest_in_any_order() -> None:
    assert shown("→(∇θ →(∇θ(θ^3 * ⊥(θ)))) + ⊥(∇θ →(θ * ⊥(θ)))", "θ") == "18 * θ"
    assert shown("∇θ ⊥(∇θ θ^3)") == "0"
    assert shown("→(∇θ(∇θ(θ^3) * ⊥(∇θ(θ^2))))") == "12 * θ^2"
    assert shown("→(⊥(→(⊥(θ))))") == "θ"


def test_text_and_terms_are_the_same() -> None:
    text, term = sc.derive(DICE, "θ"), sc.derive(sc.parse(DICE), "θ")
    assert text.result == term.result and text.start == term.start


def test_names_are_as_in_the_language() -> None:
    assert str(sc.derive("theta^2", "theta")) == str(sc.derive("θ^2", " θ ")) == "2 * θ"


def test_all_formats() -> None:
    derivation = sc.derive(DICE, "θ")
    assert derivation.to_text().isascii()
    assert sc.parse(derivation.to_text()) == sc.parse(derivation.to_unicode()) == derivation.result
    assert sc.parse_latex(derivation.to_latex()) is not None
    assert derivation.to_mathml().startswith("<math")
    data = json.loads(derivation.to_json())
    assert sc.parse(data["start"]) == derivation.start and sc.parse(data["result"]) == derivation.result
    assert data["hypotheses"] == ["p(x; θ) ≠ 0"] and data["steps"]
    assert derivation._repr_latex_().startswith("$")


# Mixed derivatives and vectors.


def test_mixed_derivatives_are_innermost_first(rng: random.Random) -> None:
    text = "p(x; θ, φ) / ⊥(p(x; θ, φ)) * f(x; θ, φ)"
    functions = {name: random_function(rng, [None] * 3, positive=name == "p") for name in "pf"}
    model = Model({"x": Fraction(1, 2), "θ": Fraction(2), "φ": Fraction(1, 3)}, functions)
    one, other = sc.derive(text, ("θ", "φ")), sc.derive(text, ["φ", "θ"])
    assert one.start == sc.parse(f"→(∇φ ∇θ({text}))")
    assert model.value(one.result) == model.value(one.start) == model.value(other.result)
    assert sc.derive(text, ("θ", "θ", "φ")).order == 3


def test_a_mixed_derivative_sees_what_is_stopped_in_each_parameter() -> None:
    assert shown("⊥(θ) * φ + θ * φ^2", ("θ", "φ")) == "2 * φ"


def test_vectors_give_outer_products() -> None:
    first, second = (sc.derive(DICE, "θ", order, vector=["θ"]) for order in (1, 2))
    assert str(first) == "f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)"
    log, function = "∇θ log p(x; θ)", "∇θ f(x; θ)"
    for product in ((log, log), (function, log), (log, function)):
        assert " ⊗ ".join(product) in str(second)
    assert second.vectors == {"θ"}
    assert sc.parse(str(second), vector=["θ"]) == second.result


def test_a_parameter_with_an_index_is_a_vector() -> None:
    derivation = sc.derive("θ[1]^2 * θ[2]", "θ")
    assert derivation.vectors == {"θ"}
    model = Model({"θ": (Fraction(3), Fraction(5))})
    assert [model.value(derivation.result, {1: k}) for k in (1, 2)] == [30, 9]


def test_a_gradient_of_mixed_kinds() -> None:
    derivation = sc.derive("log p(x; θ, φ)", ("φ", "θ"), vector=["θ"])
    assert str(derivation) == "∇θ ∇φ log p(x; θ, φ)"


# What it rests on.


@pytest.mark.parametrize(
    ("text", "hypotheses"),
    [
        (DICE, ["p(x; θ) ≠ 0"]),
        ("θ^2", []),
        ("1 / θ", ["θ ≠ 0"]),
        ("log θ", ["θ > 0"]),
        ("θ^θ", ["θ > 0"]),
        ("sqrt(1 + θ^2)", []),
        ("abs(θ - 1)", ["1 - θ ≠ 0"]),
        ("Σ[i=1..N](p(x[i]; θ) / ⊥(p(x[i]; θ)))", ["p(x[i]; θ) ≠ 0 for every i"]),
    ],
)
def test_hypotheses(text: str, hypotheses: list[str]) -> None:
    assert [str(h) for h in sc.derive(text, "θ").hypotheses] == hypotheses


def test_declared_densities_are_positive() -> None:
    document = parse_document("parameter θ\nobserved x\ndensity p(x; θ)\nfunction f(x; θ)\n")
    derivation = sc.derive(DICE, "θ", given=document)
    assert derivation.hypotheses == ()
    assert "positive p" in sc.check(derivation.certificate).assumptions


def test_no_log_derivative_of_a_partial_derivative() -> None:
    """A density is positive; its derivative is not."""
    for text in ("D[2](p)(x; θ) * log p(x; θ)", "θ / D[2](p)(x; θ)", "log D[2](p)(x; θ)"):
        assert "log D" not in shown(text, "θ", 2)


def test_no_log_derivative_of_a_product_that_is_zero() -> None:
    term = Mul(sc.parse("θ"), sc.parse("∏[i=1..2](0 * w[i])"))
    derivation = sc.derive(Add(term, sc.parse("∇θ ∏[i=1..2](0 * θ)")), "θ")
    model = Model({"θ": Fraction(2), "w": (Fraction(1), Fraction(2))})
    assert model.value(derivation.result) == 0


def test_the_gradient_of_a_stopped_product_is_zero() -> None:
    assert shown("∏[t=1..2](⊥(1 + θ^2)) + θ", "θ") == "1"
    assert shown("∏[t=1..2](⊥(1 + θ^2))", "θ") == "0"


# What it notes and refuses.


def test_an_application_without_the_parameter_is_noted() -> None:
    derivation = sc.derive("f(x) * log p(x; θ)", "θ")
    (note,) = derivation.notes
    assert "f(x)" in note and "constant" in note and "θ" in note
    assert sc.derive("⊥(f(x; θ)) * log p(x; θ)", "θ").notes == ()


@pytest.mark.parametrize("text", ["f(x) * ⊥(θ)", "f(x) + θ - θ", "∇θ f(x)", "log p(x) * θ^0"])
def test_a_derivative_is_never_silently_zero(text: str) -> None:
    with pytest.raises(DeriveError, match="zero only because") as caught:
        sc.derive(text, None if "∇" in text else "θ")
    assert caught.value.instead is not None and "; θ)" in caught.value.instead


def test_a_derivative_that_is_zero_for_another_reason_is_zero() -> None:
    assert shown("⊥(f(x; θ))", "θ") == "0"


@pytest.mark.parametrize("order", [0, -1, 13, True, 1.0, "2", None])
def test_an_order_is_a_whole_number(order: Any) -> None:
    with pytest.raises(DeriveError, match="order must be a whole number from 1 to 12"):
        sc.derive("θ^2", "θ", order)


@pytest.mark.parametrize(
    ("wrt", "order", "message"),
    [
        ("φ", 1, "φ does not occur"),
        (("θ", "φ"), 1, "φ does not occur"),
        ("", 1, "no parameter"),
        ([], 1, "no parameter"),
        (["θ", ""], 1, "no parameter"),
        (("θ", "x"), 3, "does not go with several"),
        (None, 1, "no parameter is named"),
    ],
)
def test_parameters_that_cannot_be(wrt: Any, order: int, message: str) -> None:
    with pytest.raises(DeriveError, match=message) as caught:
        sc.derive("θ^2 * x", wrt, order)
    assert caught.value.instead


def test_what_a_document_declares_as_something_else_is_no_parameter() -> None:
    document = parse_document("count N\nparameter θ\nindex i = 1..N\ndefine s = θ^2\n")
    for name in ("N", "s"):
        with pytest.raises(DeriveError, match="nothing can be differentiated"):
            sc.derive("s * N", name, given=document)
    assert shown("s * N", "θ", given=document) == "2 * θ * N"


@pytest.mark.parametrize(
    "text",
    ["E[x ~ p(·; θ)](f(x) * ⊥(log p(x; θ)))", "E[x ~ p(·; ⊥(θ))](f(x; θ))", "E[x ~ p(·; θ)](→(f(x)) * ⊥(θ))"],
)
def test_an_expectation_over_a_bare_stop_is_refused(text: str) -> None:
    with pytest.raises(TermError, match=r"section 2\.2"):
        sc.derive(text, "θ")


@pytest.mark.parametrize(
    ("text", "estimator"),
    [
        ("E[x ~ p(·; θ)](f(x; θ))", "∇θ 𝔼[x ~ p(·; θ)](f(x; θ))"),
        ("E[x ~ p(·; θ)](f(x; θ)) * ⊥(θ)", "θ * ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))"),
        ("E[x ~ p(·; φ)](f(x)) * θ^2", "2 * θ * 𝔼[x ~ p(·; φ)](f(x))"),
        ("E[x ~ p(·; θ)](→(f(x; θ) * ⊥(θ)))", "∇θ 𝔼[x ~ p(·; θ)](θ * f(x; θ))"),
    ],
)
def test_a_gradient_stays_outside_an_expectation(text: str, estimator: str) -> None:
    assert shown(text, "θ") == estimator


@pytest.mark.parametrize("text", ["Σ[i=1..θ](i)", "w[θ]", "θ[1] + θ"])
def test_what_no_rule_moves_is_refused(text: str) -> None:
    with pytest.raises(DeriveError, match="cannot work out"):
        sc.derive(text, "θ")


@pytest.mark.parametrize("text", ["∇^k[θ](f(x; θ))", "θ*𝔼[· | t](f(x; θ))"])
def test_a_symbolic_order_and_a_conditional_expectation_are_left_to_proofs(text: str) -> None:
    with pytest.raises(DeriveError, match="cannot work out") as caught:
        sc.derive(text, "θ")
    assert "𝔼[· | t]" in str(caught.value)


def test_the_value_of_a_recursion_is_not_differentiated() -> None:
    """The refusal names the indices of the sums around."""
    given = sc.parse_document(
        "count T\nparameter θ\nindex t = 1..T\ndefine c[0] = θ\ndefine c[t] = θ*⊥(c[t-1])\n"
        "define u[0] = 1\ndefine u[t] = u[t-1]*(t + →(c[t]))"
    )
    with pytest.raises(DeriveError, match=r"cannot work out ∇θ.*→\(c\[\w\]\)") as caught:
        sc.derive("u[T]", "θ", given=given)
    assert "#" not in str(caught.value) and "not ∇→" in str(caught.value)


@pytest.mark.parametrize("text", ["", "θ +", "p(x; θ", "θ * 2 / 0"])
def test_bad_text_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        sc.derive(text, "θ")


def test_a_loose_index_is_refused() -> None:
    with pytest.raises(DeriveError, match="nothing binds"):
        sc.derive(Mul(Sym("θ"), Bound(0)), "θ")


@pytest.mark.parametrize(
    "text",
    [
        "max(θ, ⊥(θ))",
        "abs(θ - ⊥(θ))",
        "log(θ - ⊥(θ))",
        "1 / (θ - ⊥(θ))",
        "min(p(x; θ) / ⊥(p(x; θ)), 1) * f(x; θ)",
    ],
)
def test_a_hypothesis_that_cannot_hold_is_noted(text: str) -> None:
    """At ratio 1, where PPO's clipped objective is evaluated, min has a kink."""
    assert any("cannot hold" in note for note in sc.derive(text, "θ").notes)


# The derivation as data.


def test_no_stop_or_arrow_is_left() -> None:
    result = sc.derive(f"→({DICE}) * ⊥(θ) + ∇θ →(⊥(θ)^2)", "θ", 2).result
    assert not result.flags & (HAS_STOP | HAS_EVAL)


def test_deriving_twice_gives_the_same() -> None:
    def once() -> Derivation:
        return sc.derive(DICE, "θ", 3)

    assert once().result == once().result
    assert once().certificate == once().certificate
    assert once().to_json("full") == once().to_json("full")


def test_a_changed_certificate_does_not_replay() -> None:
    certificate = json.loads(json.dumps(sc.derive(DICE, "θ").certificate))
    lhs, rhs = certificate["claim"][1:]
    certificate["claim"][1:] = rhs, lhs
    assert sc.check(certificate).status == "undecided"


def test_sums_over_ranges_that_use_a_bound_index() -> None:
    derivation = sc.derive("Σ[t=1..3](Σ[s=1..t](θ^2 * s))", "θ")
    assert Model({"θ": Fraction(1, 2)}).value(derivation.result) == 10
