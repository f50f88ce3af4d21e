"""Terms: frozen, shared, equal up to bound names, and deep without recursion."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from strategies_terms import terms

from surrogate_calculus.language.terms import (
    CONSTRUCTORS,
    HAS_AXIS,
    HAS_BARE_STOP,
    HAS_BINDER,
    HAS_EVAL,
    HAS_EXPECT,
    HAS_GRAD,
    HAS_STOP,
    ONE,
    ZERO,
    Add,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
    add,
    div,
    mul,
    neg,
    num,
    postorder,
    rebuild,
    sub,
)

quick = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
x, y = Sym("x"), Sym("y")


@quick
@given(terms())
def test_equal_terms_have_equal_hashes(term: Term) -> None:
    other = pickle.loads(pickle.dumps(term))
    assert other == term and hash(other) == hash(term)
    assert copy.deepcopy(term) == term
    assert (other != term) is False
    assert (term == 3) is False
    assert other.loose == term.loose == 0 and other.flags == term.flags
    assert [getattr(n, "hint", None) for n in postorder(other)] == [
        getattr(n, "hint", None) for n in postorder(term)
    ]


@quick
@given(terms())
def test_a_store_makes_equal_terms_identical(term: Term) -> None:
    store = Store()
    first = store.add(term)
    assert first == term
    assert store.add(pickle.loads(pickle.dumps(term))) is first
    assert len(store) == len(postorder(first)) == len({id(n) for n in store})
    assert len(set(postorder(first))) == len(store)


@quick
@given(terms())
def test_flags_say_what_occurs(term: Term) -> None:
    nodes = postorder(term)
    for flag, kinds in (
        (HAS_STOP, Stop), (HAS_EVAL, Eval), (HAS_GRAD, (Grad, Grads)),
        (HAS_EXPECT, (Expect, CondExpect)), (HAS_AXIS, Axis),
        (HAS_BINDER, (Sum, Prod, Expect)),
    ):  # fmt: skip
        assert bool(term.flags & flag) == any(isinstance(n, kinds) for n in nodes)

    def bare(node: Term) -> bool:
        if isinstance(node, Eval):
            return False
        return isinstance(node, Stop) or any(bare(a) for a in node.args)

    assert bool(term.flags & HAS_BARE_STOP) == bare(term)


@pytest.mark.parametrize("tag", sorted(CONSTRUCTORS))
def test_the_generator_reaches_every_constructor(tag: str) -> None:
    kind = CONSTRUCTORS[tag]
    some = settings(
        max_examples=5_000,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    found = find(terms(3), lambda t: any(isinstance(n, kind) for n in postorder(t)), settings=some)
    assert any(n.tag == tag for n in postorder(found))


def test_hints_and_order_of_construction_do_not_count() -> None:
    assert Sum(ONE, x, Bound(0), "i") == Sum(ONE, x, Bound(0), "j")
    assert Sum(ONE, x, Bound(0)) != Prod(ONE, x, Bound(0))
    assert Add(x, y) != Add(y, x)
    assert Num(1) == Num(Fraction(2, 2)) and Num(1) != Sym("1")
    assert Axis(1) != Bound(1) and Indexed("x", y) != App("x", [y])
    assert App("f", [x], partials=[(1, y), (1, None)]) == App("f", [x], partials=[(1, None), (1, y)])


def test_terms_are_frozen() -> None:
    term = Add(x, y)
    with pytest.raises(AttributeError, match="frozen"):
        term.args = (y, x)
    with pytest.raises(AttributeError, match="frozen"):
        del term.key
    with pytest.raises(AttributeError):
        term.other = 1  # type: ignore[attr-defined]
    assert not hasattr(term, "__dict__")


@pytest.mark.parametrize(
    "make",
    [lambda: Add(x), lambda: Mul(), lambda: Indexed("x"), lambda: Fn("nope", x), lambda: Fn("exp", x, y),
     lambda: App("f", [x], partials=[(2, None)])],
)  # fmt: skip
def test_constructors_refuse(make) -> None:
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize("value", [0.5, True, "1", None])
def test_numbers_are_exact(value: object) -> None:
    with pytest.raises(TypeError):
        num(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Num(value)  # type: ignore[arg-type]


def test_a_deep_chain_is_no_trouble() -> None:
    def chain() -> Term:
        term: Term = x
        for _ in range(100_000):
            term = Stop(term)
        return term

    one, two = chain(), chain()
    assert one == two and hash(one) == hash(two)
    assert pickle.loads(pickle.dumps(one)) == one
    assert len(postorder(one)) == 100_001
    assert Store().add(one) == two
    assert repr(one).startswith("<Stop ⊥(⊥(⊥(")
    different = Stop(Add(one, y))
    assert different != Stop(Add(two, x))


def test_a_shared_term_is_walked_once() -> None:
    term: Term = x
    other: Term = Sym("x")
    for _ in range(200):
        term, other = Mul(term, term), Mul(other, other)
    assert term == other
    assert len(postorder(term)) == 201
    assert len(pickle.dumps(term)) < 20_000
    assert len(repr(term)) < 300


def test_loose_indices_are_counted() -> None:
    assert Bound(2).loose == 3
    assert Sum(Bound(0), x, Bound(1)).loose == 1
    assert Expect(App("p", [Bound(0)], [Bound(1)]), Bound(2)).loose == 2


def test_arithmetic_builds_what_the_parser_reads() -> None:
    assert x + y == Add(x, y) and 1 + x == Add(ONE, x)
    assert x - y == sub(x, y) == Add(x, Mul(Num(-1), y)) and 1 - x == Add(ONE, Mul(Num(-1), x))
    assert x * 2 == Mul(x, Num(2)) and 2 * x == Mul(Num(2), x)
    assert x / y == Mul(x, Pow(y, Num(-1))) and 1 / x == Pow(x, Num(-1)) == div(ONE, x)
    assert x / 2 == Mul(x, Num(Fraction(1, 2))) and div(Num(2), Num(3)) == Num(Fraction(2, 3))
    assert x**2 == Pow(x, Num(2)) and 2**x == Pow(Num(2), x)
    assert -x == Mul(Num(-1), x) and neg(Mul(Num(2), x)) == Mul(Num(-2), x) and neg(Num(3)) == Num(-3)
    assert add() == ZERO and add(x) is x and mul() == ONE and mul(x) is x
    assert rebuild(Add(x, y), (x, y)) == Add(x, y)


def test_application_parts() -> None:
    term = App("p", [x], [y], [Sym("θ")], [(3, Axis(1)), (1, None)])
    assert (term.arguments, term.given, term.params) == ((x,), (y,), (Sym("θ"),))
    assert term.partials == ((1, None), (3, Axis(1)))
    assert term.with_partials(()) == App("p", [x], [y], [Sym("θ")])
