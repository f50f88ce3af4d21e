"""Terms that are large or deep as DAGs: nothing walks them as trees, nothing recurses to their depth."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

import surrogate_calculus as sc
from surrogate_calculus.language.terms import App, Fn, Indexed, Mul, Num, Pow, Stop, Sym, Term, add, postorder
from surrogate_calculus.semantics import Model, Polynomial

DEPTH = 2_000  # of which the stack has room for a small part only


@pytest.fixture
def shallow_stack() -> Iterator[None]:
    """Room for 300 more frames only."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 300)
    yield
    sys.setrecursionlimit(before)


def chain(length: int) -> Term:
    """h[t] = g(h[t-1]; θ) h[t-1] / ⊥h[t-1]."""
    h: Term = Sym("x")
    for _ in range(length):
        h = Mul(App("g", (h,), (), (Sym("θ"),)), h, Pow(Stop(h), Num(-1)))
    return h


def nested(length: int, wrap: Callable[[Term], Term]) -> Term:
    term: Term = Sym("θ")
    for _ in range(length):
        term = wrap(term)
    return term


def filter_log_z(particles: int, steps: int) -> Term:
    """log Ẑ of a particle filter with fixed ancestors, everything shared."""
    minus_one, share, theta = Num(-1), Num(Fraction(1, particles)), Sym("θ")
    bar: list[Term] = [share] * particles
    logs = []
    for t in range(1, steps + 1):
        weights = []
        for i in range(particles):
            ancestor = (3 * i + t) % particles
            x, before = (Indexed("x", Num(t - k), Num(j + 1)) for k, j in ((0, i), (1, ancestor)))
            p = App("p", (x,), (before,), (theta,))
            weights.append(Mul(share, bar[ancestor], Pow(Stop(bar[ancestor]), minus_one), p))
        total = add(*weights)
        bar = [Mul(w, Pow(total, minus_one)) for w in weights]
        logs.append(Fn("log", total))
    return add(*logs)


def size(term: Term) -> int:
    return len(postorder(term))


@pytest.mark.usefixtures("shallow_stack")
@pytest.mark.parametrize("order", [1, 2])
def test_a_deep_chain_is_derived_replayed_and_evaluated(order: int) -> None:
    derivation = sc.derive(chain(DEPTH), "θ", order)
    assert size(derivation.result) > DEPTH
    assert sc.check(derivation.certificate).status == "proved"
    assert "…" in repr(derivation.result)
    if order == 1:
        # at θ = 1/2 every h is 1, and every step adds ∇θ g = 1/1000
        values = {"x": 1.0, "θ": 0.5, "g": lambda h, theta: 1 + (theta - 0.5) * h / 1000}
        assert sc.evaluate(derivation.result, values) == pytest.approx(DEPTH / 1000, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2])
def test_a_chain_is_derived_correctly(order: int) -> None:
    derivation = sc.derive(chain(12), "θ", order)
    g = Polynomial((None, None), {(0, 0): Fraction(1), (1, 1): Fraction(1, 3), (0, 2): Fraction(-1, 2)})
    model = Model({"x": Fraction(1), "θ": Fraction(1, 2)}, {"g": g}, digits=30)
    wanted, found = model.value(derivation.start), model.value(derivation.result)
    assert wanted == found != 0


@pytest.mark.usefixtures("shallow_stack")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: Fn("sin", t),
        lambda t: Mul(t, Stop(t)),
        lambda t: t + Sym("x"),
        lambda t: Num(1) + Pow(Num(1) + t * t, Num(-1)),
        lambda t: Fn("max", t, Stop(t) - 1),
    ],
    ids=["functions", "products", "sums", "quotients", "kinks"],
)
def test_deep_terms_of_every_kind(wrap: Callable[[Term], Term]) -> None:
    derivation = sc.derive(nested(2_000, wrap), "θ")
    assert sc.check(derivation.certificate).status == "proved"


@pytest.mark.usefixtures("shallow_stack")
@pytest.mark.parametrize("order", [1, 2])
def test_a_particle_filter(order: int) -> None:
    derivation = sc.derive(filter_log_z(20, 20), "θ", order)
    assert sc.check(derivation.certificate).status == "proved"


@pytest.mark.parametrize("order", [1, 2])
def test_a_small_particle_filter_is_derived_correctly(order: int) -> None:
    derivation = sc.derive(filter_log_z(3, 3), "θ", order)
    rows = [tuple(Fraction(1 + (7 * t + 3 * i) % 5, 4) for i in range(1, 4)) for t in range(4)]
    points = {(t, i + 1): row[i] for t, row in enumerate(rows) for i in range(3)}
    one = Fraction(1)
    p = Polynomial((None, None, None), {(0, 0, 0): one, (2, 0, 1): one, (0, 1, 2): one, (1, 1, 0): one})
    model = Model({"x": lambda t, i: points[t, i], "θ": Fraction(2, 3)}, {"p": p}, digits=40)
    wanted, found = model.value(derivation.start), model.value(derivation.result)
    assert wanted == found != 0


@pytest.mark.parametrize("build", [lambda n: filter_log_z(n, 5), lambda n: filter_log_z(5, n), chain])
@pytest.mark.parametrize("order", [1, 2])
def test_results_and_certificates_grow_linearly(build: Callable[[int], Term], order: int) -> None:
    """Counts, not times: doubling the size doubles what is added."""
    counts = []
    for n in (10, 20, 40):
        derivation = sc.derive(build(n), "θ", order)
        certificate = derivation.certificate
        counts.append((size(derivation.result), len(certificate["nodes"]), len(certificate["steps"])))
    for small, middle, large in zip(*counts, strict=True):
        assert 0 < large - middle <= 2.2 * (middle - small)
