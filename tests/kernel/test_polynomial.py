"""Arithmetic: identities that hold by construction are accepted, with one number changed they are not."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundness import Workshop, rewritten
from timing import within

from surrogate_calculus.kernel.facts import Facts
from surrogate_calculus.kernel.inference import Inference
from surrogate_calculus.kernel.judgement import Rejection
from surrogate_calculus.kernel.polynomial import MAX_EXPONENT, Ring
from surrogate_calculus.kernel.state import State
from surrogate_calculus.language.terms import (
    Add,
    App,
    Axis,
    Bound,
    Eval,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    mul,
)

θ, φ, x, y, z = (Sym(n) for n in "θφxyz")
NAMES = [Sym(n) for n in "abcde"]
HALF = Num(Fraction(1, 2))


def hypotheses(rule: str, left: Term, right: Term) -> list[str]:
    """What the equation rests on.

    Raises:
        Rejection: it is not one of arithmetic.
    """
    state = State()
    Inference(state).infer(rule, state.store.add(left), state.store.add(right), ())
    return [f"{h.kind} {h.term}" for h in state.facts.hypotheses]


def equal(left: Term, right: Term, rule: str = "ring") -> bool:
    try:
        hypotheses(rule, left, right)
    except Rejection:
        return False
    return True


# ---------------------------------------------------------------------------- random identities
def _atoms() -> st.SearchStrategy[Term]:
    family = st.sampled_from(NAMES).map(lambda n: Indexed("w", n))
    functions = st.sampled_from([Fn("sin", x), Stop(θ), Eval(Mul(θ, Stop(θ))), Sum(Num(1), x, Bound(0))])
    return st.one_of(st.sampled_from(NAMES), family, functions)


def polynomials(leaves: int = 12) -> st.SearchStrategy[Term]:
    numbers = st.fractions(-3, 3, max_denominator=4).map(Num)
    several = st.lists
    return st.recursive(
        st.one_of(_atoms(), numbers),
        lambda inner: st.one_of(
            several(inner, min_size=2, max_size=3).map(lambda a: Add(*a)),
            several(inner, min_size=2, max_size=3).map(lambda a: Mul(*a)),
            inner.map(lambda a: Pow(a, Num(2))),
        ),
        max_leaves=leaves,
    )


@given(polynomials(), st.randoms(use_true_random=False))
def test_shuffled_and_distributed_terms_are_equal(term: Term, rng: random.Random) -> None:
    """And differ when a monomial that is not zero is added."""
    other = rewritten(rng, term)
    assert hypotheses("ring", term, other) == []
    assert equal(term, other, "field")
    for wrong in (Add(other, Num(Fraction(1, 7))), Add(other, Mul(Num(2), θ)), Mul(other, φ)):
        zero = equal(term, Num(0))
        assert not equal(term, wrong) or (zero and wrong.__class__ is Mul)
        assert not equal(term, wrong, "field") or (zero and wrong.__class__ is Mul)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 4)), min_size=1, max_size=5),
    st.data(),
)
def test_the_roots_say_which_polynomial_it_is(roots: list[tuple[int, int]], data: st.DataObject) -> None:
    """∏ (d x - n) against its coefficients, computed here; and with one coefficient changed."""
    coefficients = [Fraction(1)]
    for n, d in roots:
        shifted = [Fraction(0), *(c * d for c in coefficients)]
        coefficients = [s - n * c for s, c in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    product = mul(*(Add(Mul(Num(d), x), Num(-n)) for n, d in roots))

    def written(numbers: list[Fraction]) -> Term:
        return Add(Num(0), *(Mul(Num(c), Pow(x, Num(k))) for k, c in enumerate(numbers)))

    assert equal(product, written(coefficients))
    changed = data.draw(st.integers(0, len(coefficients) - 1))
    coefficients[changed] += data.draw(st.sampled_from([1, -1, Fraction(1, 3)]))
    assert not equal(product, written(coefficients)) and not equal(product, written(coefficients), "field")


@given(st.lists(polynomials(2), min_size=4, max_size=4))  # small: the ring bounds its work
def test_sums_of_fractions(terms: list[Term]) -> None:
    """A/(b B) + C/D over the common denominator; B and D, being 1 + squares, are not read as zero."""
    a, c = terms[:2]
    b, d = (Add(Num(1), Pow(t, Num(2))) for t in terms[2:])
    left = Add(Mul(a, Pow(Mul(Sym("b"), b), Num(-1))), Mul(c, Pow(d, Num(-1))))
    right = Mul(Add(Mul(a, d), Mul(c, Sym("b"), b)), Pow(Mul(d, b, Sym("b")), Num(-1)))
    assert equal(left, right, "field")
    assert not equal(Add(left, Pow(d, Num(-1))), right, "field")
    assert not equal(Mul(Num(2), left), Add(right, Num(1), left), "field")


def test_random_surrogates_rewritten(rng: random.Random) -> None:
    """All constructors, equal up to the ring; the model is asked whether a changed one is equal."""
    refused = 0
    for _ in range(150):
        w = Workshop(rng, vector=rng.random() < 0.3, rational=rng.random() < 0.5)
        term = w.add(w.expr(3))
        assert equal(term, rewritten(rng, term))
        changed = Add(term, Mul(Num(Fraction(1, 9)), w.expr(1)))
        if not equal(term, changed):
            refused += 1
    assert refused > 100


# ------------------------------------------------------------------------------- what it knows
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Add(x, y), Add(y, x)),
        (Mul(x, Mul(y, z)), Mul(Mul(z, x), y)),
        (Mul(x, Add(y, z)), Add(Mul(x, y), Mul(x, z))),
        (Pow(Add(x, y), Num(2)), Add(Pow(x, Num(2)), Mul(Num(2), x, y), Pow(y, Num(2)))),
        (Pow(Mul(x, y), Num(3)), Mul(Pow(x, Num(3)), Pow(y, Num(3)))),
        (Pow(x, Num(0)), Num(1)),
        (Pow(Num(0), Num(0)), Num(1)),
        (Pow(Num(0), Num(5)), Num(0)),
        (Pow(Add(x, Mul(Num(-1), x)), Num(2)), Num(0)),
        (Pow(x, Add(Num(1), Num(1))), Mul(x, x)),
        (Pow(Num(2), Num(-2)), Num(Fraction(1, 4))),
        (Fn("exp", Add(x, Mul(Num(-1), x))), Num(1)),
        (Fn("log", Num(1)), Num(0)),
        (Fn("sin", Add(x, y)), Fn("sin", Add(y, x))),
        (Fn("eq", Add(x, y), z), Fn("eq", Add(y, x), z)),
        (Fn("eq", Add(x, y), Add(y, x)), Num(1)),
        (Stop(Num(3)), Num(3)),
        (Eval(Add(Num(3), Num(-3))), Num(0)),
        (Sum(Num(1), x, Add(Bound(0), Mul(Num(-1), Bound(0)))), Num(0)),
        (Prod(Num(1), x, Num(1)), Num(1)),
        (Sum(Num(1), x, Bound(0), "i"), Sum(Num(1), x, Bound(0), "j")),
        (Sum(Num(1), x, Sum(x, y, Bound(1))), Sum(Num(1), x, Sum(x, y, Bound(1)), "k")),
        (Grad("θ", Grad("φ", App("f", [θ, φ]))), Grad("φ", Grad("θ", App("f", [θ, φ])))),
        (Grad("θ", App("f", [x], params=[θ])), App("f", [x], params=[θ], partials=[(2, None)])),
        (Grad("θ", Grad("θ", App("f", [θ]))), App("f", [θ], partials=[(1, None), (1, None)])),
        (
            Grad("θ", App("f", [θ, φ], partials=[(2, None)])),
            Grad("φ", App("f", [θ, φ], partials=[(1, None)])),
        ),
        (Grad("β", App("f", [Sym("β")]), Axis(1)), App("f", [Sym("β")], partials=[(1, Axis(1))])),
        (Grad("θ", Grad("φ", Mul(θ, φ, φ))), Grad("φ", Grad("θ", Mul(φ, θ, φ)))),
        (
            App("f", [x], partials=[(1, Sym("i")), (1, Sym("j"))]),
            App("f", [x], partials=[(1, Sym("j")), (1, Sym("i"))]),
        ),
    ],
    ids=str,
)  # fmt: skip
def test_laws(left: Term, right: Term) -> None:
    assert hypotheses("ring", left, right) == []
    assert hypotheses("field", right, left) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (x, y),
        (Num(1), Num(2)),
        (Mul(x, y), Add(x, y)),
        (Pow(x, Num(2)), x),
        (Pow(x, y), Pow(y, x)),
        (Pow(Pow(x, Num(2)), Num(Fraction(1, 2))), x),
        (Pow(Mul(x, y), z), Mul(Pow(x, z), Pow(y, z))),
        (Stop(x), x),
        (Eval(x), x),
        (Stop(Add(x, y)), Add(Stop(x), Stop(y))),
        (Fn("exp", x), Num(1)),
        (Fn("log", x), Num(0)),
        (Fn("eq", x, y), Num(1)),
        (Fn("gt", x, x), Num(1)),
        (Fn("max", x, y), Fn("min", x, y)),
        (Sum(Num(1), x, Num(1)), x),
        (Prod(Num(1), x, Num(0)), Num(0)),
        (Sum(Num(1), x, Bound(0)), Sum(Num(2), x, Bound(0))),
        (Sum(Num(1), x, Sum(Num(1), x, Bound(0))), Sum(Num(1), x, Sum(Num(1), x, Bound(1)))),
        (Sum(Num(1), x, Bound(0)), Prod(Num(1), x, Bound(0))),
        (Grad("θ", x), Num(0)),
        (Grad("θ", x), Grad("φ", x)),
        (Grad("θ", x, Num(1)), Grad("θ", x, Num(2))),
        (Grad("θ", Mul(θ, θ)), Mul(Num(2), θ)),
        (Grad("θ", Stop(Mul(θ, x))), Stop(Grad("θ", Mul(θ, x)))),
        (Grad("θ", Eval(x)), Eval(Grad("θ", x))),
        (Grad("θ", App("f", [θ, θ])), App("f", [θ, θ], partials=[(1, None)])),
        (Grad("θ", App("f", [θ, Stop(θ)])), App("f", [θ, Stop(θ)], partials=[(1, None)])),
        (
            Grad("θ", App("f", [θ, Indexed("θ", x)])),
            App("f", [θ, Indexed("θ", x)], partials=[(1, None)]),
        ),
        (Grad("θ", App("f", [Mul(θ, θ)])), App("f", [Mul(θ, θ)], partials=[(1, None)])),
        (App("f", [x]), App("g", [x])),
        (App("f", [x, y]), App("f", [x], [y])),
        (App("f", [x], partials=[(1, None)]), App("f", [x], partials=[(1, Axis(1))])),
        (App("f", [x]), App("f", [x], partials=[(1, None)])),
        (Indexed("w", x), Sym("w")),
        (Indexed("w", x, y), Indexed("w", y, x)),
        (Axis(1), Axis(2)),
        (Bound(0), Num(0)),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_law(left: Term, right: Term) -> None:
    assert not equal(left, right) and not equal(left, right, "field")


def test_no_right_side_no_arithmetic() -> None:
    state = State()
    for rule in ("ring", "field"):
        with pytest.raises(Rejection):
            Inference(state).infer(rule, state.zero, None, ())


# ---------------------------------------------------------------------------------- denominators
def test_a_cancellation_rests_on_its_denominator() -> None:
    total = Add(x, y)
    assert hypotheses("ring", Mul(x, Pow(x, Num(-1))), Num(1)) == ["nonzero x"]
    assert hypotheses("ring", Mul(Pow(x, Num(2)), Pow(x, Num(-1)), y), Mul(x, y)) == ["nonzero x"]
    assert hypotheses("ring", Pow(Pow(x, Num(-1)), Num(-1)), x) != []
    assert hypotheses("field", Mul(total, Pow(total, Num(-1))), Num(1)) == ["nonzero x + y"]
    assert hypotheses("ring", Mul(Fn("exp", x), Pow(Fn("exp", x), Num(-1))), Num(1)) == []


def test_a_reciprocal_of_a_sum_is_taken_apart() -> None:
    """1/(2 x a + 2 x b) = 1/(2 x) · 1/(a + b); the sum is made monic."""
    a, b = NAMES[:2]
    left = Pow(Add(Mul(Num(2), x, a), Mul(Num(2), b, x)), Num(-1))
    right = Mul(Num(Fraction(1, 2)), Pow(x, Num(-1)), Pow(Add(b, a), Num(-1)))
    assert hypotheses("ring", left, right)
    assert equal(Pow(Pow(Add(a, b), Num(-1)), Num(-1)), Add(a, b), "field")
    assert equal(Mul(Pow(Add(a, b), Num(2)), Pow(Add(a, b), Num(-1))), Add(a, b), "field")
    assert equal(Pow(Add(a, b), Num(-2)), Pow(Pow(Add(b, a), Num(2)), Num(-1)), "field")
    nested = Pow(Add(a, Pow(Add(b, x), Num(-1))), Num(-1))
    assert equal(nested, Mul(Add(b, x), Pow(Add(Mul(a, Add(b, x)), Num(1)), Num(-1))), "field")
    assert not equal(nested, Mul(Add(b, x), Pow(Add(Mul(a, Add(b, x)), Num(2)), Num(-1))), "field")


@pytest.mark.parametrize(
    "zero",
    [Num(0), Add(x, Mul(Num(-1), x)), Fn("log", Num(1)), Sum(Num(1), x, Num(0)), Stop(Num(0))],
    ids=str,
)
@pytest.mark.parametrize("rule", ["ring", "field"])
def test_nothing_is_divided_by_zero(rule: str, zero: Term) -> None:
    for left, right in [(Pow(zero, Num(-1)), Pow(zero, Num(-1))), (Mul(zero, Pow(zero, Num(-2))), Num(1))]:
        with pytest.raises(Rejection, match="division by zero"):
            hypotheses(rule, left, right)


def test_hypotheses_are_the_truth_of_cancellations(rng: random.Random) -> None:
    """x/x = 1 is not claimed at 0: what was divided by is listed, or is not zero anyway."""
    listed = 0
    for _ in range(60):
        w = Workshop(rng)
        w.binders = 0
        a, b = w.expr(2), w.expr(1)
        try:
            found = hypotheses("field", Mul(a, b, Pow(a, Num(-1))), b)
        except Rejection:
            assert equal(a, Num(0), "field")
            continue
        listed += bool(found)
        if not found:
            assert w.model().value(a) != 0
    assert listed > 5


# ------------------------------------------------------------------------------------ its limits
def _soon(left: Term, right: Term, rule: str = "ring") -> bool:
    with within(5):
        return equal(left, right, rule)


def _chain(make: object, first: Term, count: int) -> Term:
    store = State().store
    term = store.add(first)
    for _ in range(count):
        term = make(store, term)  # type: ignore[operator]
    return term


def test_what_is_too_large_is_refused_in_good_time() -> None:
    large = Pow(Add(*NAMES), Num(40))
    squares = _chain(lambda s, t: s.node(Mul, None, (t, t)), Num(3), 60)
    powers = _chain(lambda s, t: s.node(Pow, None, (t, s.add(Num(64)))), Num(2), 12)
    tall = _chain(lambda s, t: s.node(Pow, None, (t, s.add(Num(2)))), Add(x, y), 30)
    nested = _chain(lambda s, t: s.node(Add, None, (t, s.add(Sym(f"x{len(s)}")))), x, 6000)
    quotients = Add(*(Pow(Add(Sym(f"x{i}"), Sym(f"y{i}")), Num(-1)) for i in range(40)))
    for term in (large, squares, powers, tall, nested):
        assert not _soon(term, term)
    for left, right in [(quotients, Add(quotients, Pow(Add(x, y), Num(-1)))), (large, large)]:
        assert not _soon(left, right, "field")


def test_what_is_large_but_shared_is_not_too_large() -> None:
    twice = _chain(lambda s, t: s.node(Add, None, (t, t)), x, 300)
    assert equal(twice, Mul(Num(2**300), x))
    wide = Add(*(Sym(f"x{i}") for i in range(20_000)))
    assert _soon(wide, Add(*reversed(wide.args)))
    deep = _chain(lambda s, t: s.node(Fn, "sin", (t,)), x, 20_000)
    assert _soon(Add(deep, x), Add(x, deep))


def test_a_large_exponent_is_left_alone() -> None:
    beyond = Num(MAX_EXPONENT + 1)
    assert equal(Pow(Add(x, y), beyond), Pow(Add(y, x), beyond))
    assert not equal(Pow(x, beyond), Mul(x, Pow(x, Num(MAX_EXPONENT))))
    assert equal(Pow(x, Num(MAX_EXPONENT)), Mul(x, Pow(x, Num(MAX_EXPONENT - 1))))
    with pytest.raises(Rejection, match="too large"):
        hypotheses("ring", Pow(Pow(Num(10**1000), Num(60)), Num(60)), x)


@pytest.mark.parametrize(
    ("sums", "ratio"),
    [
        ((Add(Mul(Num(2), x), Mul(Num(4), y)), Add(x, Mul(Num(2), y))), Num(2)),
        (
            (
                Add(Mul(Num(Fraction(1, 2)), x), Mul(Num(Fraction(1, 3)), y)),
                Add(Mul(Num(3), x), Mul(Num(2), y)),
            ),
            Num(Fraction(1, 6)),
        ),
        ((Add(Mul(Num(-3), x), Mul(Num(6), y)), Add(x, Mul(Num(-2), y))), Num(-3)),
        ((Add(Mul(Num(4), x, z), Mul(Num(6), y, z)), Add(Mul(Num(2), x), Mul(Num(3), y))), Mul(Num(2), z)),
    ],
    ids=["whole", "fractions", "negative", "a common factor"],
)
def test_denominators_that_are_multiples_of_each_other(sums: tuple[Term, Term], ratio: Term) -> None:
    """They are one atom and a number, whatever their power."""
    for n in (1, 2, 3):
        above, below = (Pow(s, Num(k * n)) for s, k in zip(sums, (1, -1), strict=True))
        assert equal(Mul(above, below), Pow(ratio, Num(n)), "field")
        inverse = Pow(sums[0], Num(-n))
        assert equal(inverse, Mul(below, Pow(ratio, Num(-n))))
        assert not equal(inverse, Mul(Num(2), below, Pow(ratio, Num(-n))))
        assert not equal(inverse, Mul(Num(-1), below, Pow(ratio, Num(-n))))


def test_denominators_of_many_digits_are_refused() -> None:
    """What all coefficients have in common is not computed without bound."""
    primes = [n for n in range(2, 3000) if all(n % k for k in range(2, int(n**0.5) + 1))]
    sum_ = Add(*(Mul(Num(Fraction(1, p**400)), Sym(f"x{p}")) for p in primes))
    with within(5), pytest.raises(Rejection, match="too large"):
        hypotheses("field", Pow(sum_, Num(-1)), x)


def test_polynomials_of_one_ring_are_compared() -> None:
    ring, state = Ring(Facts()), State()
    a, b = state.store.add(Mul(Add(x, y), z)), state.store.add(Add(Mul(x, z), Mul(z, y)))
    assert ring.read(a) == ring.read(b) and ring.difference(a, b) == {}
    assert Ring.plus(ring.read(a), ring.read(b), scale=-1) == {}
    assert not Ring(Facts()).vanishes({(): 1}) and Ring(Facts()).vanishes({})
