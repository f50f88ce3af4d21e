"""The generator of random surrogates: it reaches everything, keeps its promises, and is repeatable."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from surrogates import Surrogate, random_surrogate, surrogates

from surrogate_calculus.language.terms import (
    CONSTRUCTORS,
    FUNCTIONS,
    HAS_BARE_STOP,
    HAS_EVAL,
    Eval,
    Fn,
    Grad,
    Stop,
    Term,
    postorder,
)

TRANSCENDENTAL = {"exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "pi"}


def depth(term: Term) -> int:
    found: dict[int, int] = {}
    for node in postorder(term):
        found[id(node)] = 1 + max((found[id(a)] for a in node.args), default=0)
    return found[id(term)]


def test_every_constructor_function_and_nesting_is_reached(rng: random.Random) -> None:
    tags, ops, nested, orders, partials = set(), set(), set(), set(), set()
    depths = []
    for i in range(600):
        s = random_surrogate(rng, vector=i % 4 == 0)
        orders.add((s.order, len(set(s.wrt))))
        depths.append(depth(s.term))
        for node in postorder(s.term):
            tags.add(node.tag)
            if isinstance(node, Fn):
                ops.add(node.op)
            if node.tag == "app":
                partials.add(len(node.key[4]))
            for arg in node.args[:1]:
                nested.add((node.tag, arg.tag))
    # 𝔼 has no value without laws, ∇ᵏ is not for derive; Axis is opened by the goal.
    assert set(CONSTRUCTORS) - tags == {"expect", "cond_expect", "grads", "axis"}
    assert ops == FUNCTIONS.keys() - {"slice"}
    prefixes = ("stop", "eval", "grad")
    assert {(a, b) for a in prefixes for b in prefixes} <= nested
    assert {(k, 1) for k in (1, 2, 3, 4)} <= orders and {(k, 2) for k in (2, 3, 4)} <= orders
    assert {0, 1, 2, 3} <= partials
    assert max(depths) >= 10 and sum(d >= 5 for d in depths) > 300


def test_most_derivatives_are_not_zero(rng: random.Random) -> None:
    values = []
    for _ in range(200):
        s = random_surrogate(rng)
        values.append(s.model(20).value(s.goal(), s.axes()[0]))
    assert sum(v != 0 for v in values) > 120


@given(surrogates(rational_only=True))
def test_rational_surrogates_have_exact_values(s: Surrogate) -> None:
    assert not any(isinstance(n, Fn) and n.op in TRANSCENDENTAL for n in postorder(s.term))
    assert all(isinstance(s.model().value(s.goal(), axes), Fraction) for axes in s.axes())


def removes_a_stop_under_grad(goal: Term) -> bool:
    """Whether a ∇ stands over a → over a ⊥ with no ⊥ between the ∇ and the →."""
    todo, seen = [(goal, False)], set()
    while todo:
        node, live = todo.pop()
        if (id(node), live) in seen:
            continue
        seen.add((id(node), live))
        if isinstance(node, Eval) and live and node.args[0].flags & HAS_BARE_STOP:
            return True
        live = (live or isinstance(node, Grad)) and not isinstance(node, Stop)
        todo.extend((a, live) for a in node.args)
    return False


def test_torch_expressible_surrogates_keep_their_arrows_off_stops(rng: random.Random) -> None:
    arrows = 0
    for i in range(300):
        s = random_surrogate(rng, torch_expressible=True, vector=i % 3 == 0)
        arrows += bool(s.term.flags & HAS_EVAL)
        assert not removes_a_stop_under_grad(s.goal()), repr(s)
    assert arrows > 30
    unrestricted = [random_surrogate(rng) for _ in range(100)]
    assert any(removes_a_stop_under_grad(s.goal()) for s in unrestricted)


def test_the_same_seed_gives_the_same_surrogate() -> None:
    assert repr(random_surrogate(random.Random(7))) == repr(random_surrogate(random.Random(7)))


@pytest.mark.parametrize("vector", [False, True])
def test_functions_over_tensors_are_the_polynomials(vector: bool, rng: random.Random) -> None:
    torch = pytest.importorskip("torch")
    compared = 0
    while compared < 20:
        s = random_surrogate(rng, vector=vector)
        values = s.torch_values()
        for name, f in s.functions.items():
            exact = [
                tuple(Fraction(rng.randint(-4, 4), 3) for _ in range(size))
                if size
                else Fraction(rng.randint(-4, 4), 3)
                for size in f.layout
            ]
            slots = [
                torch.tensor([float(v) for v in z] if isinstance(z, tuple) else float(z), dtype=torch.float64)
                for z in exact
            ]
            width = sum(size or 1 for size in f.layout)
            [expected] = f.derivatives(exact, [(0,) * width])
            assert float(values[name](*slots)) == pytest.approx(float(expected), rel=1e-12, abs=1e-12)
            compared += 1
