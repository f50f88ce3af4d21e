"""Derived estimators of random surrogates against torch.autograd; the exact model judges between them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from exactness import derived
from hypothesis import given, settings
from hypothesis import strategies as st
from surrogates import Surrogate, random_surrogate, surrogates

import surrogate_calculus as sc
from surrogate_calculus.language.terms import Add, App, Grad, Term, postorder
from surrogate_calculus.numeric.autodiff import run
from surrogate_calculus.semantics import Model, Polynomial

torch = pytest.importorskip("torch")

TOLERANCE = 1e-9
#: Forward mode, which ``evaluate`` takes, costs twice as much with every derivative; above this number
#: the formula's ∇ are taken in reverse mode too.
MAX_FORWARD = 3
BLOCKS = 10
#: Two thousand surrogates; a run of the whole suite draws the first three tenths of them.
DRAWN = BLOCKS if os.environ.get("SURROGATE_ALL") else 3
SURROGATES = int(os.environ.get("SURROGATE_COUNT", "2000"))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def at(value: Any, place: tuple[int, ...]) -> float:
    return float(value[place] if place else value)


def vectorised(f: Polynomial) -> Callable[..., Any]:
    """The polynomial in a few operations of torch; nested forward mode is slow for many small ones."""
    exponents = torch.tensor(list(f.coefficients))
    coefficients = torch.tensor([float(c) for c in f.coefficients.values()], dtype=torch.float64)

    def call(*slots: Any) -> Any:
        flat: list[Any] = []
        for x, size in zip(slots, f.layout, strict=True):
            flat += [x] if size is None else [x[..., k] for k in range(size)]
        monomials = 1.0
        for column, x in zip(exponents.T, torch.broadcast_tensors(*flat), strict=True):
            powers = [torch.ones_like(x)]
            while len(powers) <= int(exponents.max()):
                powers.append(powers[-1] * x)
            monomials = torch.stack(powers, -1)[..., column] * monomials
        return monomials @ coefficients

    return call


def nested_derivatives(term: Term) -> int:
    """How many ∇ and partial derivatives stand over one another at most."""
    found: dict[int, int] = {}
    for node in postorder(term):
        own = len(node.key[4]) if isinstance(node, App) else isinstance(node, Grad)
        found[id(node)] = own + max((found[id(a)] for a in node.args), default=0)
    return found[id(term)]


def agree(surrogate: Surrogate, *, expressible: bool) -> list[str]:
    """The derived formula and autograd of the surrogate have one value; what autograd had to say."""
    derivation = derived(surrogate)
    if derivation is None:
        return []
    values = surrogate.torch_values()
    values |= {name: vectorised(f) for name, f in surrogate.functions.items()}
    notes: list[str] = []
    vectors = [name for name in surrogate.wrt if name in surrogate.vector]
    lengths = {n: len(surrogate.point[name]) for n, name in enumerate(vectors, 1)}

    def numbers(term: Term) -> Any:
        compute = sc.evaluate if nested_derivatives(term) <= MAX_FORWARD else run
        return compute(term, values, vector=surrogate.vector, axes=lengths)

    autograd = sc.autodiff(surrogate.term, surrogate.wrt, values=values, vector=surrogate.vector, notes=notes)
    assert not (expressible and notes), notes
    formula = numbers(derivation.result)
    parts = derivation.result.args if isinstance(derivation.result, Add) else (derivation.result,)
    summands = [numbers(part) for part in parts]
    for axes in surrogate.axes():
        place = tuple(axes[n] - 1 for n in sorted(axes))
        a, b = at(formula, place), at(autograd, place)
        scale = max(1.0, abs(a), abs(b), sum(abs(at(s, place)) for s in summands))
        if not abs(a - b) <= TOLERANCE * scale:
            exact = float(surrogate.model().value(surrogate.goal(), axes))
            raise AssertionError(f"at {axes}: derived {a}, autograd {b}, exactly {exact}: {derivation}")
    return notes


@given(surrogates(torch_expressible=True))
@settings(max_examples=max(50, settings().max_examples))
def test_estimators_agree_with_autograd(surrogate: Surrogate) -> None:
    agree(surrogate, expressible=True)


@given(st.integers(1, 2).flatmap(lambda k: surrogates(torch_expressible=True, vector=True, order=k)))
@settings(max_examples=max(50, settings().max_examples))
def test_estimators_of_vectors_agree_with_autograd(surrogate: Surrogate) -> None:
    agree(surrogate, expressible=True)


def test_arrows_that_remove_a_stop_under_a_gradient(rng: random.Random) -> None:
    """There autodiff differentiates the graph without ``detach``, and says so."""
    found = []
    while len(found) < 5:
        surrogate = random_surrogate(rng, order=rng.randint(1, 2), vector=rng.random() < 0.2)
        found += agree(surrogate, expressible=False)
    assert all("detach" in note for note in found)


def test_a_gradient_over_an_arrow_that_removes_a_stop() -> None:
    notes: list[str] = []
    text = "∇θ →(⊥(θ)^2 * θ)"
    assert sc.autodiff(text, "θ", values={"θ": 3.0}, notes=notes) == 18.0
    assert sc.derive(text, "θ").result == sc.parse("6*θ")
    assert len(notes) == 1 and "detach" in notes[0]


@pytest.mark.parametrize("exponent", ["θ", "θ - 3", "θ/3", "2*θ - 6"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_exponents_that_are_whole_numbers_at_the_point(exponent: str, order: int) -> None:
    """torch.pow drops derivatives there; neither side uses it."""
    derivation = sc.derive(f"(1 + θ^2)^({exponent}) / ⊥(θ)", "θ", order)
    exact = float(Model({"θ": Fraction(3)}).value(derivation.start))
    for value in (
        sc.evaluate(derivation.result, {"θ": 3.0}),
        sc.evaluate(derivation.start, {"θ": 3.0}),
        sc.autodiff(derivation.expression, "θ", order, {"θ": 3.0}),
    ):
        assert value == pytest.approx(exact, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(DRAWN))
def test_two_thousand_surrogates(block: int, rng: random.Random) -> None:
    for number in range(SURROGATES // BLOCKS):
        # the third and fourth derivatives of vectors take autograd gigabytes of graph
        vector = number % 5 == 0
        order = rng.randint(1, 2) if vector else None
        surrogate = random_surrogate(rng, torch_expressible=True, vector=vector, order=order)
        try:
            agree(surrogate, expressible=True)
        except Exception:
            print(f"block {block}, surrogate {number}:\n{surrogate!r}")
            raise
