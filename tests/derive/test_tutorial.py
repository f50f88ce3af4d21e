"""The identities of the paper's tutorial, Eq. 31-44, as they ought to read, and DiCE against its rivals."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive.proof import Proof
from surrogate_calculus.language.terms import Eval, Grad, Mul, Pow, Term, num
from surrogate_calculus.semantics import Model, random_function

DICE = "p(x; θ) / ⊥(p(x; θ)) * f(x; θ)"
SURROGATE = "f(x; θ) + ⊥(f(x; θ)) * log p(x; θ)"


def result(text: str) -> str:
    """A derivation of a text with its own ∇ and →, replayed by the kernel."""
    derivation = sc.derive(text)
    assert sc.check(derivation.certificate).status == "proved"
    return str(derivation)


def equal_by_the_kernel(left: Term, right: Term) -> None:
    """The kernel concludes left = right by arithmetic over what is not arithmetic.

    Raises:
        Rejection: it does not.
    """
    proof = Proof()
    proof.infer("field", proof.add(left), proof.add(right))


@pytest.fixture
def model(rng: random.Random) -> Model:
    functions = {name: random_function(rng, [None, None], positive=name == "p") for name in "pf"}
    return Model({"x": Fraction(2, 3), "θ": Fraction(3, 5)}, functions)


@pytest.mark.parametrize(
    ("text", "estimator"),
    [
        # Eq. 31-32
        ("∇x →(x + ⊥(x)^2 + x*⊥(x)^2)", "1 + 2 * x + 3 * x^2"),
        # Eq. 33-34
        ("→(∇x(x + ⊥(x)^2 + x*⊥(x)^2))", "1 + x^2"),
        # Eq. 35-40: (1 + 1/x) of one factor cancels against the other
        ("∇x →(∇x exp(⊥(x) + log x))", "exp(x + log x) / x"),
        # Eq. 41 and 42; the paper's last sides lack the ∇
        ("→(∇θ(E(θ) / ⊥(E(θ))))", "∇θ log E(θ)"),
        ("→(∇θ(⊥(E(θ)) / E(θ)))", "-∇θ log E(θ)"),
        # Eq. 43-44
        (f"→(∇θ({DICE}))", "f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)"),
    ],
)
def test_an_identity_of_the_tutorial(text: str, estimator: str) -> None:
    assert result(text) == estimator


def test_the_lines_of_equations_31_to_34() -> None:
    """The paper's own intermediate lines occur."""
    inner = [str(s.term) for s in sc.derive("∇x →(x + ⊥(x)^2 + x*⊥(x)^2)").steps]
    assert inner[0] == "∇x(x + x^2 + x * x^2)"
    outer = [str(s.term) for s in sc.derive("→(∇x(x + ⊥(x)^2 + x*⊥(x)^2))").steps]
    assert outer == ["→(1 + ⊥(x)^2)", "1 + x^2"]


def test_the_order_of_gradient_and_arrow_matters() -> None:
    text = "x + ⊥(x)^2 + x*⊥(x)^2"
    outside, inside = sc.derive(f"∇x →({text})").result, sc.derive(f"→(∇x({text}))").result
    model = Model({"x": Fraction(3)})
    assert (model.value(outside), model.value(inside)) == (34, 10)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_dice_gives_derivatives_of_p_f_over_p(order: int, model: Model) -> None:
    """→∇ᵏ DiCE = ∇ᵏ(p f) / p: both sides are worked out, and the kernel concludes that they are equal."""
    derivation = sc.derive(DICE, "θ", order)
    # p is in a denominator here too, so that both sides are in log-derivatives
    quotient: Term = sc.parse("p(x; θ) * f(x; θ)")
    for _ in range(order):
        quotient = Grad("θ", quotient)
    quotient = Mul(quotient, Pow(sc.parse("p(x; θ)"), num(-1)))
    expected = sc.derive(Eval(quotient))
    equal_by_the_kernel(derivation.result, expected.result)
    assert model.value(derivation.result) == model.value(quotient) == model.value(derivation.start)


def test_the_surrogate_is_right_at_order_one_only(model: Model) -> None:
    first = [sc.derive(text, "θ").result for text in (DICE, SURROGATE)]
    equal_by_the_kernel(*first)
    second = [sc.derive(text, "θ", 2).result for text in (DICE, SURROGATE)]
    values = [model.value(term) for term in second]
    assert values[0] != values[1]
    assert values[0] == model.value(sc.parse("→(∇²θ(p(x;θ)*f(x;θ)))/p(x;θ)"))


def test_what_the_surrogate_lacks_at_order_two(model: Model) -> None:
    missing = sc.derive(f"→(∇²θ({DICE})) - →(∇²θ({SURROGATE}))")
    assert sc.check(missing.certificate).status == "proved"
    expected = sc.parse("f(x; θ) * (∇θ log p(x; θ))^2 + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ)")
    equal_by_the_kernel(missing.result, expected)
    assert str(missing) == str(expected)
    assert model.value(missing.result) == model.value(missing.start) == model.value(expected) != 0
