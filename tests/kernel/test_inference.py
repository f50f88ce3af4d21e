"""How steps combine: where an equality of values may be used, chains, definitions."""

from __future__ import annotations

import random

import pytest
from soundness import Workshop, equation_for, replaceable, stop_equation, used_inside

from surrogate_calculus.kernel.inference import Inference
from surrogate_calculus.kernel.judgement import Equation, Rejection, Relation
from surrogate_calculus.kernel.state import State
from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    Eval,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)

θ, φ, x, y, v = Sym("θ"), Sym("φ"), Sym("x"), Sym("y"), Sym("v")
STRICT, VALUE = Relation.STRICT, Relation.VALUE


class Bench:
    """An inference with shorthands; ``θ =→ ⊥θ`` is at hand as :attr:`moved`."""

    def __init__(self) -> None:
        self.state = State()
        self.inference = Inference(self.state)
        self.add = self.state.store.add

    def equation(self, relation: Relation, lhs: Term, rhs: Term) -> Equation:
        """An equation taken for proved."""
        return Equation(relation, self.add(lhs), self.add(rhs))

    def infer(self, rule: str, lhs: Term, rhs: Term | None = None, *premises: Equation) -> Equation:
        return self.inference.infer(rule, self.add(lhs), None if rhs is None else self.add(rhs), premises)

    def inside(self, root: Term, *equations: Equation) -> tuple[Relation, Term]:
        return used_inside(root, equations)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def moved(bench: Bench) -> Equation:
    return bench.equation(VALUE, θ, Stop(θ))


# ------------------------------------------------------------------ where an equation may be used
@pytest.mark.parametrize(
    ("root", "relation", "expected"),
    [
        (θ, VALUE, Stop(θ)),
        (Mul(θ, x), VALUE, Mul(Stop(θ), x)),
        (Sum(Num(1), Num(3), Mul(θ, Bound(0))), VALUE, Sum(Num(1), Num(3), Mul(Stop(θ), Bound(0)))),
        (App("f", [x], params=[θ]), VALUE, App("f", [x], params=[Stop(θ)])),
        (Stop(Mul(θ, x)), STRICT, Stop(Mul(Stop(θ), x))),
        (Eval(Mul(θ, x)), STRICT, Eval(Mul(Stop(θ), x))),
        (Grad("θ", Mul(θ, x)), STRICT, Grad("θ", Mul(θ, x))),
        (Grad("θ", Stop(Mul(θ, x))), STRICT, Grad("θ", Stop(Mul(Stop(θ), x)))),
        (Stop(Grad("θ", θ)), STRICT, Stop(Grad("θ", θ))),
        (Eval(Grad("θ", Mul(θ, Eval(θ)))), STRICT, Eval(Grad("θ", Mul(θ, Eval(Stop(θ)))))),
        (Mul(θ, Stop(θ)), VALUE, Mul(Stop(θ), Stop(Stop(θ)))),
        (Mul(x, Stop(θ), Grad("θ", θ)), STRICT, Mul(x, Stop(Stop(θ)), Grad("θ", θ))),
    ],
    ids=str,
)
def test_an_equality_of_values_is_used_where_only_values_count(
    root: Term, relation: Relation, expected: Term, bench: Bench, moved: Equation
) -> None:
    assert bench.inside(root, moved) == (relation, expected)


def test_a_node_shared_with_a_gradient_is_replaced_outside_it_only(bench: Bench) -> None:
    """One node of the DAG, three places: live, below ∇, below ⊥."""
    shared = Mul(θ, x)
    moved = bench.equation(VALUE, shared, Stop(shared))
    root = Add(shared, Grad("θ", shared), Stop(shared))
    relation, out = bench.inside(root, moved)
    assert (relation, out) == (VALUE, Add(Stop(shared), Grad("θ", shared), Stop(Stop(shared))))
    alone = Add(Grad("θ", shared), Stop(shared))
    assert bench.inside(alone, moved) == (STRICT, Add(Grad("θ", shared), Stop(Stop(shared))))


def test_a_strict_equation_is_used_everywhere(bench: Bench) -> None:
    strict = bench.equation(STRICT, Add(θ, θ), Mul(Num(2), θ))
    root = Grad("θ", Mul(Stop(Add(θ, θ)), Eval(Grad("θ", Add(θ, θ)))))
    twice = Mul(Num(2), θ)
    assert bench.inside(root, strict) == (STRICT, Grad("θ", Mul(Stop(twice), Eval(Grad("θ", twice)))))


def test_what_was_put_in_is_not_rewritten_again(bench: Bench) -> None:
    swap = [bench.equation(STRICT, x, y), bench.equation(STRICT, y, x)]
    assert bench.inside(Add(x, Mul(y, θ)), *swap) == (STRICT, Add(y, Mul(x, θ)))


def test_the_outermost_place_is_replaced(bench: Bench) -> None:
    whole = bench.equation(STRICT, Mul(θ, x), y)
    part = bench.equation(STRICT, θ, φ)
    assert bench.inside(Add(Mul(θ, x), θ), whole, part) == (STRICT, Add(y, φ))


def test_a_strict_equation_goes_before_one_of_values(bench: Bench, moved: Equation) -> None:
    strict = bench.equation(STRICT, θ, Add(θ, Num(0)))
    assert bench.inside(Mul(θ, x), moved, strict) == (STRICT, Mul(Add(θ, Num(0)), x))


def test_replacing_costs_what_the_dag_costs(bench: Bench, moved: Equation) -> None:
    term = bench.add(θ)
    for _ in range(2000):
        term = bench.state.node(Add, None, term, term)
    relation, out = bench.inside(term, moved)
    assert relation is VALUE and len(postorder(out)) == 2002


def test_inside_on_random_terms(rng: random.Random) -> None:
    """Strict where it says so, to the second order in both copies; else equal in value, with derivatives."""
    relations, changed, good = set(), 0, 0
    for _ in range(60):
        w = Workshop(rng, vector=rng.random() < 0.3)
        root = w.add(w.expr(3))
        nodes = replaceable(w, postorder(root))
        try:
            equations = [equation_for(w, n) for n in rng.sample(nodes, min(len(nodes), 3))]
        except Rejection:
            continue
        relation, out = used_inside(root, equations)
        holds = w.holds(Equation(relation, root, out))
        assert holds is not False, (root, out, w.builder.point)
        relations.add(relation)
        changed += out != root
        good += holds is True
    assert relations == {STRICT, VALUE} and changed > 25 and good > 25


def test_the_check_of_inside_would_notice(rng: random.Random) -> None:
    """Values used below ∇, and values passed off as strict."""
    caught = set()
    for _ in range(40):
        w = Workshop(rng)
        body = w.add(Mul(Sym("θ"), w.expr()))
        moved = stop_equation(w, body)
        below = w.holds(Equation(VALUE, w.add(Grad("θ", body)), w.add(Grad("θ", moved.rhs))))
        strict = w.holds(Equation(STRICT, body, moved.rhs))
        caught |= {name for name, holds in (("below", below), ("strict", strict)) if holds is False}
    assert caught == {"below", "strict"}


# ------------------------------------------------------------------------------------- congruence
def test_congruence_takes_the_children(bench: Bench, moved: Equation) -> None:
    strict = bench.equation(STRICT, x, y)
    assert bench.infer("congruence", Mul(θ, x), None, moved, strict) == Equation(
        VALUE, Mul(θ, x), Mul(Stop(θ), y)
    )
    assert bench.infer("congruence", Mul(φ, x), None, moved, strict).relation is STRICT
    assert bench.infer("congruence", Grad("θ", x), None, strict).rhs == Grad("θ", y)
    # grandchildren are left as they are
    assert bench.infer("congruence", Mul(Add(x, θ), θ), None, strict).rhs == Mul(Add(x, θ), θ)


@pytest.mark.parametrize("over", [Stop, Eval])
def test_congruence_below_a_stop_is_strict(over: type[Term], bench: Bench, moved: Equation) -> None:
    found = bench.infer("congruence", over(θ), None, moved)  # type: ignore[call-arg]
    assert found == Equation(STRICT, over(θ), over(Stop(θ)))  # type: ignore[call-arg]


def test_congruence_with_values_is_refused_under_a_gradient(bench: Bench, moved: Equation) -> None:
    with pytest.raises(Rejection, match="may not be used under ∇"):
        bench.infer("congruence", Grad("θ", θ), None, moved)
    # a premise that is of no child says nothing
    assert bench.infer("congruence", Grad("θ", x), None, moved).relation is STRICT


# -------------------------------------------------------------------- chains, symmetry, value, arrow
def test_one_link_of_values_makes_a_chain_of_values(bench: Bench, moved: Equation) -> None:
    back = bench.equation(STRICT, Stop(θ), φ)
    assert bench.infer("transitivity", θ, φ, moved, back) == Equation(VALUE, θ, φ)
    assert bench.infer("transitivity", Stop(θ), φ, back) == back


@pytest.mark.parametrize("rule", ["transitivity", "symmetry", "value", "arrow"])
def test_rules_on_premises_need_their_premises(rule: str, bench: Bench) -> None:
    with pytest.raises(Rejection):
        bench.infer(rule, θ, φ)


def test_a_chain_must_hang_together(bench: Bench, moved: Equation) -> None:
    apart = bench.equation(STRICT, x, y)
    for premises in ([moved, apart], [apart, moved], [apart, apart]):
        with pytest.raises(Rejection, match="do not form a chain"):
            bench.infer("transitivity", premises[0].lhs, premises[-1].rhs, *premises)
    with pytest.raises(Rejection, match="takes one premise"):
        bench.infer("symmetry", y, x, apart, apart)


def test_the_conclusion_must_be_what_is_claimed(bench: Bench, moved: Equation) -> None:
    strict = bench.equation(STRICT, x, y)
    for rule, lhs, rhs in [
        ("transitivity", θ, φ),
        ("symmetry", θ, Stop(θ)),
        ("value", Stop(θ), θ),
        ("congruence", Mul(θ, x), Mul(Stop(θ), y)),
    ]:
        with pytest.raises(Rejection, match="does not give what is claimed"):
            bench.infer(rule, lhs, rhs, moved)
    with pytest.raises(Rejection, match="does not give what is claimed"):
        bench.infer("value", y, x, strict)


def test_symmetry_keeps_the_relation(bench: Bench, moved: Equation) -> None:
    assert bench.infer("symmetry", Stop(θ), θ, moved) == Equation(VALUE, Stop(θ), θ)
    strict = bench.equation(STRICT, x, y)
    assert bench.infer("symmetry", y, x, strict) == Equation(STRICT, y, x)


def test_value_forgets_that_an_equation_is_strict(bench: Bench) -> None:
    strict = bench.equation(STRICT, x, y)
    assert bench.infer("value", x, y, strict) == Equation(VALUE, x, y)


@pytest.mark.parametrize("relation", Relation)
def test_arrow_takes_an_equation_of_evaluations_down(relation: Relation, bench: Bench) -> None:
    premise = bench.equation(relation, Eval(Stop(θ)), Eval(θ))
    assert bench.infer("arrow", Stop(θ), θ, premise) == Equation(VALUE, Stop(θ), θ)


def test_arrow_needs_evaluations(bench: Bench) -> None:
    for premise in (bench.equation(STRICT, Eval(x), y), bench.equation(STRICT, Stop(x), Stop(y))):
        with pytest.raises(Rejection, match="two evaluations"):
            bench.infer("arrow", x, y, premise)


def test_only_strict_equations_are_learnt(bench: Bench) -> None:
    """Were →⊥θ =→ 0 put in by later steps, a strict equation would rest on one of values."""
    bench.infer("value", Eval(Stop(θ)), x, bench.equation(STRICT, Eval(Stop(θ)), x))
    assert bench.state.known(bench.add(Eval(Stop(θ)))) is None
    bench.infer("eval_stop", Eval(Stop(θ)), θ)
    assert bench.state.known(bench.add(Eval(Stop(θ)))) == θ


# ------------------------------------------------------------------------------------- definitions
def test_the_last_index_of_a_definition_is_the_innermost(rng: random.Random) -> None:
    w = Workshop(rng)
    w.define("v", 2, Mul(Indexed("a", Bound(1)), Indexed("b", Bound(0))))
    step = w.infer("definition", Indexed("v", Sym("i"), Sym("j")))
    assert step.rhs == Mul(Indexed("a", Sym("i")), Indexed("b", Sym("j")))
    assert w.inference.used == {"v"}


def test_indices_of_a_definition_are_not_captured(rng: random.Random) -> None:
    """v[i] = Σ[k=1..2](u[i, k]), used at the index of an outer Σ."""
    w = Workshop(rng)
    w.define("v", 1, Sum(Num(1), Num(2), Indexed("u", Bound(1), Bound(0))))
    step = w.infer("definition", Indexed("v", Add(Bound(0), Num(1))))
    assert step.rhs == Sum(Num(1), Num(2), Indexed("u", Add(Bound(1), Num(1)), Bound(0)))


def test_a_definition_is_used_with_its_own_number_of_indices(rng: random.Random) -> None:
    w = Workshop(rng)
    w.define("v", 1, Mul(θ, Bound(0)))
    for lhs in (v, Indexed("v", x, x), Indexed("u", x), x, Mul(θ, x), App("v", [x])):
        with pytest.raises(Rejection, match="no such definition"):
            w.infer("definition", lhs)


def test_a_defined_name_is_not_taken_for_constant(rng: random.Random) -> None:
    """Never zero in silence: v = θ², u = v + 1 hide θ."""
    w = Workshop(rng)
    w.define("v", 0, Pow(θ, Num(2)))
    w.define("u", 0, Add(v, Num(1)))
    for name in ("v", "u"):
        with pytest.raises(Rejection, match="unfold it first"):
            w.step(Grad("θ", Sym(name)))
    assert w.step(Grad("φ", v)).rhs == Num(0)
    for body in (Mul(x, v), Fn("sin", Sym("u")), App("f", [v])):
        assert w.step(Grad("θ", body)).rhs != Num(0)
    with pytest.raises(Rejection, match="is no parameter"):
        w.step(Grad("v", Mul(v, x)))


def test_arithmetic_does_not_take_a_defined_name_for_constant(rng: random.Random) -> None:
    """∇θ f(v; θ) is not the derivative in the second slot alone if v = θ²."""
    w = Workshop(rng)
    w.define("v", 0, Pow(θ, Num(2)))
    w.define("u", 1, Mul(v, Bound(0)))
    for hidden in (v, Indexed("u", x)):
        body = App("f", [hidden], params=[θ])
        with pytest.raises(Rejection, match="different polynomials"):
            w.infer("ring", Grad("θ", body), App("f", [hidden], params=[θ], partials=[(2, None)]))
    constant = App("f", [x], params=[θ])
    assert w.infer("ring", Grad("θ", constant), App("f", [x], params=[θ], partials=[(2, None)]))


def test_an_arrow_does_not_vanish_over_a_name_defined_with_a_stop(rng: random.Random) -> None:
    w = Workshop(rng)
    w.define("v", 0, Mul(θ, Stop(θ)))
    w.define("u", 1, Mul(v, Bound(0)))
    w.define("c", 0, Mul(x, θ))
    for lhs in (v, Indexed("u", Num(1))):
        with pytest.raises(Rejection, match="unfold it first"):
            w.step(Eval(lhs))
        assert w.step(Eval(Mul(x, lhs))).rhs == Mul(x, Eval(lhs))
        with pytest.raises(Rejection, match="unfold it first"):
            w.infer("eval_free", Eval(lhs), lhs)
    assert w.step(Eval(Sym("c"))).rhs == Sym("c")
    assert w.state.stopped and w.state.defined


def test_steps_with_definitions_mean_the_same(rng: random.Random) -> None:
    """∇, → and ⊥ of terms with defined names, which the model is shown unfolded."""
    good = 0
    for _ in range(80):
        w = Workshop(rng)
        outer, w.binders = w.binders, 1
        w.define("d", 1, w.expr(2))
        w.binders = outer
        term = Add(Mul(Indexed("d", w.index()), w.expr()), w.expr(1))
        for operator in (w.grad(term), Eval(term), Stop(term), w.grad(Mul(θ, term))):
            try:
                holds = w.holds(w.step(operator))
            except Rejection:
                continue
            assert holds is not False, (operator, w.state.definitions, w.builder.point)
            good += holds is True
    assert good > 60
