"""Random instances of the rules of expectations, suppositions and ∇ᵏ, for the two-copy model to judge.

A workshop is *furnished* with densities of the values 1 and 2 and with a few draws, so that 𝔼 and
𝔼[· | t] are finite sums; the bound variable of an 𝔼 may then be an index like any other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

import soundness
from soundness import DRAWS, Workshop, metavariables, small_function, some_step, whole_number

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.kernel import filtration
from surrogate_calculus.kernel.calculus import State
from surrogate_calculus.kernel.facts import Facts
from surrogate_calculus.kernel.inference import Definition, Inference, replaced
from surrogate_calculus.kernel.judgement import Equation, Rejection
from surrogate_calculus.kernel.matching import Substitution, instance
from surrogate_calculus.kernel.rules import LAW, PARAM, RULES
from surrogate_calculus.language.binding import instantiate, map_under_binders, shift
from surrogate_calculus.language.terms import (
    Add,
    App,
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
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from surrogate_calculus.semantics import Draw, FiniteDensity, Model

__all__ = ["GENERATORS", "conclusion", "furnish", "unsound"]

#: The values of everything that is random.
COIN = (1, 2)
ZERO, ONE, TWO, N = Num(0), Num(1), Num(2), Sym("N")


# --------------------------------------------------------------------------------- the furniture
def furnish(w: Workshop) -> None:
    """Give a workshop densities r(x | z; θ), s(x; θ), j(x, y; θ), a function h(x, y; θ), and draws."""
    own = w.builder.top if "θ" in w.builder.vector else None
    functions = w.builder.functions
    for name, layout in (("r", [None, None, own]), ("s", [None, own]), ("j", [None, None, own])):
        weight = small_function(w.rng, layout, positive=True)
        functions[name] = FiniteDensity(weight, [COIN] * (2 if name == "j" else 1))  # type: ignore[assignment]
    functions["h"] = small_function(w.rng, [None, None, own], positive=False)
    functions["g"] = small_function(w.rng, [None, own], positive=True)
    facts = [(kind, name) for kind in ("positive", "density") for name in "rsj"]
    w.state = State(Facts([*w.state.facts.assumptions, *facts, ("positive", "g")]))
    w.inference = Inference(w.state)
    w.builder.params = w.builder.params[:1]
    laws = {"r": [COIN], "s": [COIN], "j": [COIN, COIN]}
    chain = w.rng.random() < 0.6
    rows, draws = (_chain if chain else _filter)()
    w.inference.sample([filtration.Draw(w.add(a), n, w.add(b), c and w.add(c)) for a, n, b, c in rows])
    w.members = [Indexed(d.name, *map(Num, d.indices)) for d in draws]  # type: ignore[attr-defined]
    point = w.builder.point
    point["X"] = {m if chain else (m, n): Fraction(w.rng.choice(COIN)) for m, n in product(range(4), COIN)}
    point["A"] = {(1, i): Fraction(w.rng.choice(COIN)) for i in COIN}
    w.model = lambda: Model(point, functions, digits=50, laws=laws, draws=draws)  # type: ignore[method-assign]


def _density(name: str, *slots: Term) -> App:
    """The first slot is what the density is of."""
    given = slots[1:] if name == "r" else ()
    return App(name, slots if name == "j" else slots[:1], given, [Sym("θ")])


_Rows = tuple[list[tuple[Term, int, Term, Term | None]], list[Draw]]


def _chain() -> _Rows:
    """X[0] ~ s, X[t] ~ r(· | X[t-1]) for t = 1, 2."""
    x = [Indexed("X", Num(t)) for t in range(3)]
    before = Indexed("X", Add(Bound(1), Num(-1)))
    rows = [
        (x[0], 0, Expect(_density("s", Bound(0)), Bound(0)), None),
        (Indexed("X", Bound(0)), 1, Expect(_density("r", Bound(0), before), Bound(0)), ONE),
    ]
    draws = [Draw("X", (0,), 0, _density("s", x[0]), COIN)]
    draws += [Draw("X", (t,), t, _density("r", x[t], x[t - 1]), COIN) for t in (1, 2)]
    return rows, draws


def _filter() -> _Rows:
    """Two particles, ancestors that are unbiased but neither independent of their number nor alike."""
    first = Expect(_density("s", Bound(0)), Bound(0))
    parent = Indexed("X", Add(Bound(2), Num(-1)), Indexed("A", Bound(2), Bound(1)))
    weights = Sum(ONE, TWO, _weight(Bound(2), Bound(0)))
    rows = [
        (Indexed("X", ZERO, Bound(0)), 1, first, None),
        (Indexed("A", Bound(1), Bound(0)), 2, weights, ONE),
        (Indexed("X", Bound(1), Bound(0)), 2, Expect(_density("r", Bound(0), parent), Bound(0)), ONE),
    ]
    draws = [Draw("X", (0, i), 0, _density("s", Indexed("X", ZERO, Num(i))), COIN) for i in COIN]
    both = [_weight(ONE, Num(j)) for j in COIN]
    for i in COIN:  # more of the one for the first child, less for the second
        more = Mul(Num(Fraction(3 - 2 * i, 2)), *both)
        chosen = Fn("eq", Indexed("A", ONE, Num(i)), ONE)
        draws.append(Draw("A", (1, i), 1, Fn("cases", chosen, both[0] + more, both[1] - more), COIN))
    for i in COIN:
        x, parent = Indexed("X", ONE, Num(i)), Indexed("X", ZERO, Indexed("A", ONE, Num(i)))
        draws.append(Draw("X", (1, i), 1, _density("r", x, parent), COIN))
    return rows, draws


def _weight(time: Term, j: Term) -> Term:
    """g(X[t-1,j]) over its sum."""
    before = Add(time, Num(-1))
    total = Add(*(App("g", [Indexed("X", before, Num(i))], params=[Sym("θ")]) for i in COIN))
    return Mul(App("g", [Indexed("X", before, j)], params=[Sym("θ")]), Pow(total, Num(-1)))


# ------------------------------------------------------------------------------------- the terms
def averaged(w: Workshop, more: int = 0, depth: int = 1) -> Term:
    """A term that may stand under 𝔼: no ⊥ outside every →, with what is drawn in it or not."""
    kind = w.rng.randrange(8)
    if kind == 0:
        return Eval(w.expr(depth, more))
    if kind <= 3 or not hasattr(w, "members"):
        return w.expr(depth, more, stops=False)
    # a filter has 64 outcomes, a mean within a mean 64 squared
    if kind == 4 and depth and len(w.members[0].args) == 1:  # type: ignore[attr-defined]
        return CondExpect(time(w, more), averaged(w, more, depth - 1))
    if kind == 5:
        inner = averaged(w, more + 1, 0)
        return Sum(ONE, TWO, Mul(inner, w.rng.choice((Bound(0), member(w, more + 1)))))
    other = w.expr(0, more, stops=False)
    return w.rng.choice((App("h", [member(w, more), other], params=[Sym("θ")]), member(w, more)))


def member(w: Workshop, more: int = 0) -> Term:
    """Some random variable; its indices are numbers or, at times, bound."""
    found: Term = w.rng.choice(w.members)  # type: ignore[attr-defined]
    binders = w.binders + more
    if binders and w.rng.random() < 0.3:
        args = list(found.args)
        position = w.rng.randrange(len(args))
        args[position] = Add(Bound(w.rng.randrange(binders)), Num(w.rng.choice((0, 0, -1))))
        return Indexed(found.key, *args)
    return found


def time(w: Workshop, more: int = 0) -> Term:
    """A time; loose at times."""
    binders = w.binders + more
    if binders and w.rng.random() < 0.3:
        return Add(Bound(w.rng.randrange(binders)), Num(w.rng.choice((0, -1))))
    return Num(w.rng.choice((-1, 0, 0, 0, 1, 1, 2)))


def law(w: Workshop, more: int = 0, names: str = "rrssj") -> Term:
    """A density at the variable of a binder, which the other slots know nothing of or, at times, do."""
    name = w.rng.choice(names)
    own = w.rng.random() < 0.2 and name != "s"
    slot = shift(w.expr(0, more, stops=False), 1) if not own else Add(Bound(0), ONE)
    return _density(name, Bound(0), slot)


# ------------------------------------------------------------------- rules that are two patterns
def pattern(rule: str, w: Workshop) -> Equation:
    """A random instance of a pattern rule about expectations or ∇ᵏ."""
    schema = RULES[rule]
    assert schema.left is not None and schema.right is not None
    param = w.param()
    coordinate = w.coordinate(param)
    found: Substitution = {
        PARAM: (Sym(param), 0),
        "?k": (w.add(coordinate[0]) if coordinate else Sym("?none"), 0),
        "?hint": (Sym("i"), 0),
    }
    determined = []
    for side in (schema.left, schema.right):
        for name, depth in metavariables(side):
            if name not in found:
                found[name] = (w.add(_value(w, rule, name, depth)), depth)
        determined.append(set(found))
    left = instance(schema.left, found, w.state.store)
    right = instance(schema.right, found, w.state.store) if determined[0] != determined[1] else None
    return w.infer(rule, left, right)


def _value(w: Workshop, rule: str, name: str, depth: int) -> Term:
    if name.startswith(LAW):
        names = "rs" if rule == "expect_one" else "rrssj"
        if depth == 2 and w.rng.random() < 0.3:  # it may know the outer variable; then there is no swap
            return law(w, 1, names)
        return shift(law(w, 0, names), depth - 1, cutoff=1)
    if name in ("?lo", "?hi"):
        ends = [ONE, ZERO] if name == "?lo" else [ONE, TWO, N]
        if hasattr(w, "members") and rule.startswith("cond"):
            ends.append(member(w))
        return shift(w.rng.choice(ends), depth)
    if name in ("?s", "?t"):
        return time(w)
    if rule.startswith("grads"):
        if name == "?B":
            return w.rng.choice([ONE, TWO, Num(3), N, *map(Bound, range(w.binders)), Add(N, Num(-1))])
        return w.expr(2)
    if rule == "expect_scale" and name == "?A":
        return averaged(w)
    return averaged(w, depth)


# ----------------------------------------------------------------------------- the laws of draws
def _abstracted(term: Term, value: Term) -> Term:
    """The body of a binder over what stood for a value."""
    return map_under_binders(
        shift(term, 1), lambda n, d: Bound(d) if n == shift(value, d + 1) else None, lambda n, d: False
    )


def expect_draw(w: Workshop) -> Equation:
    """The mean of a term in which one random variable stands, here and there."""
    row = w.rng.choice(w.inference.filtration.rows)
    if row.law.__class__ is not Expect:
        raise Rejection("ancestors")
    target = member(w)
    if target.key != row.left.key or (row.first is None) is not (target.args[0] == ZERO):
        raise Rejection("another row")
    put = dict(zip([a.key for a in row.left.args if a.__class__ is Bound],
                   [b for a, b in zip(row.left.args, target.args, strict=True) if a.__class__ is Bound],
                   strict=True))  # fmt: skip
    density = row.law.args[0]
    for n in range(row.arity):  # the innermost index first; the others stay loose behind the variable
        others = row.arity - 1 - n
        density = map_under_binders(
            density,
            lambda node, d, n=n, others=others: (
                None if node.__class__ is not Bound or node.key <= d
                else shift(put[n], d + 1 + others) if node.key == d + 1
                else Bound(node.key - 1)
            ),
            lambda node, d: False,
        )  # fmt: skip
    inner = averaged(w, 0, 1)
    body = w.rng.choice((
        App("h", [target, inner], params=[Sym("θ")]),
        Mul(target, inner), Mul(target, target, inner),
        Mul(Eval(Mul(Stop(inner), target)), inner),
        Sum(ONE, TWO, Mul(Bound(0), shift(target, 1), shift(inner, 1))),
        CondExpect(time(w), Mul(target, inner)),
    ))  # fmt: skip
    when = w.rng.choice((time(w), Add(target.args[0], Num(-1))))
    right = CondExpect(when, Expect(density, _abstracted(body, target)))
    return infer(w, "expect_draw", CondExpect(when, body), right, told=[("X", 0, w.add(target))])


def expect_offspring(w: Workshop) -> Equation:
    """The mean over all children of something of their parents."""
    target = Indexed("A", ONE, Bound(0))
    inner = averaged(w, 1, 1)  # of the parent, the innermost index
    of = Indexed("X", ZERO, Bound(0))
    kept = w.rng.choice(
        (
            Mul(of, inner),
            App("h", [of, inner], params=[Sym("θ")]),
            Bound(0),
            Pow(CondExpect(ZERO, Add(Bound(0), of)), TWO),  # which averages what is drawn
        )
    )
    child = instantiate(shift(kept, 1, cutoff=1), target)
    when = w.rng.choice((ZERO, Num(-1), time(w)))
    left = CondExpect(when, Sum(ONE, TWO, child))
    right = CondExpect(when, Mul(TWO, Sum(ONE, TWO, Mul(_weight(ONE, Bound(0)), kept))))
    return infer(w, "expect_offspring", left, right, told=[("A", 0, w.add(target))])


def infer(
    w: Workshop,
    rule: str,
    left: Term,
    right: Term,
    *premises: Equation,
    told: Sequence[tuple[str, int, Term]] = (),
) -> Equation:
    """A step that is told something."""
    return w.infer(rule, left, right, *premises, told=told)


def adapted(w: Workshop, rule: str) -> Equation:
    """A family by recursion over what is drawn, taken out of 𝔼[· | t] or not."""
    if len(w.members[0].args) > 1:  # type: ignore[attr-defined]
        raise Rejection("the filter")
    t = Bound(0)
    look = Add(t, Num(w.rng.choice((0, 0, 0, -1, 1))))
    gain = App("h", [Indexed("X", look), Indexed("V", Add(t, Num(-1)))], params=[Sym("θ")])
    if w.rng.random() < 0.3:
        gain = Fn("cases", Fn("gt", Indexed("X", look), Num(Fraction(3, 2))), gain, w.expr(0, stops=False))
    base = w.rng.choice((Indexed("X", ZERO), ONE, Indexed("X", ONE)))
    outer, w.binders = w.binders, 1
    body = Fn("cases", Fn("gt", t, ZERO), gain, base)
    w.binders = outer
    w.state.declare([Definition(w.add(Indexed("V", t)), 1, w.add(body), w.add(t))])
    factor = Indexed("V", Num(w.rng.choice((0, 1, 1, 2))))
    when = Num(w.rng.choice((-1, 0, 1, 1, 2)))
    return w.infer(rule, CondExpect(when, Mul(factor, averaged(w))))


# ------------------------------------------------------------------- suppositions and induction
def substitute(w: Workshop) -> Equation:
    """Something proved, with a variable or a function replaced."""
    known = w.rng.choice((some_step, _applied, *(GENERATORS[n] for n in ("expect_add", "cond_known"))))(w)
    told: list[tuple[str, int, Term]] = []
    for node in postorder(known.lhs, known.rhs):
        if node.__class__ is App and node.key[0] not in [n for n, _, _ in told]:
            told.append((node.key[0], node.n_slots, w.add(_body(w, node.n_slots))))  # type: ignore[attr-defined]
    told = [t for t in told if t[0] not in "pqrsjg"][:1] if w.rng.random() < 0.6 else []
    if not told or w.rng.random() < 0.5:
        value = w.rng.choice((w.expr(1, stops=False), Num(3), Sym("y"), whole_number(w), averaged(w)))
        told.append(("x", 0, w.add(value)))
    bodies = {name: (arity, body) for name, arity, body in told}
    left, right = (replaced(w.state, side, bodies) for side in (known.lhs, known.rhs))
    if left is known.lhs and right is known.rhs:
        raise Rejection("nothing is replaced")
    return infer(w, "substitute", left, right, known, told=told)


def _applied(w: Workshop) -> Equation:
    """An equation about a function of its slots, of which f knows nothing more."""
    f = App("f", [w.expr(1), w.rng.choice((Sym("x"), Sym("θ")))] if not w.builder.vector else [w.expr(1)])
    if w.rng.random() < 0.3:
        return w.step(w.rng.choice((Eval, Stop))(f))
    return w.infer("ring", Mul(f, Add(w.expr(1), f)), Add(Mul(f, f), Mul(f, w.expr(1))))


def _body(w: Workshop, slots: int) -> Term:
    """A function of its slots."""
    parts: list[Term] = [Num(w.rng.randint(-2, 2))]
    for n in range(slots):
        parts.append(
            w.rng.choice((Bound(n), Pow(Bound(n), TWO), Mul(Bound(n), Bound(0)), Sym("y"), Sym("θ")))
        )
    return Add(*parts) if len(parts) > 1 else parts[0]


def induction_over(w: Workshop) -> Equation:
    """Σ[i=1..n](A) = n A, a sum that telescopes, ∇ⁿ of a product with a constant."""
    make = w.rng.choice((_constant_sum, _telescoped, _power_of_nabla))
    return make(w)


def _chained(w: Workshop, *steps: Equation) -> Equation:
    return w.infer("transitivity", steps[0].lhs, steps[-1].rhs, *steps)


def _by_ring(w: Workshop, left: Term, right: Term) -> Equation:
    return w.infer("ring", left, right)


def _series(w: Workshop, body: Term, closed: Callable[[Term], Term], gain: Term) -> Equation:
    """Σ[i=1..n](body) = closed(n), where closed(n) = closed(n-1) + gain by arithmetic."""
    before = Add(N, Num(-1))
    empty = w.infer("sum_empty", Sum(ONE, ZERO, body))
    base = _chained(w, empty, _by_ring(w, ZERO, closed(ZERO)))
    hypothesis = w.infer("suppose", Sum(ONE, before, body), closed(before))
    last = w.infer("sum_last", Sum(ONE, N, body))
    used = w.infer("congruence", last.rhs, Add(closed(before), gain), hypothesis)
    step = _chained(w, last, used, _by_ring(w, used.rhs, closed(N)))
    return infer(w, "induction_over", Sum(ONE, N, body), closed(N), base, step, told=[("N", 0, w.state.one)])


def _constant_sum(w: Workshop) -> Equation:
    body = w.expr(1)
    if hasattr(w, "members") and w.rng.random() < 0.5:
        body = CondExpect(time(w), averaged(w))
    return _series(w, shift(body, 1), lambda n: Mul(n, body), body)


def _telescoped(w: Workshop) -> Equation:
    factor = averaged(w)

    def at(i: Term) -> Term:
        return Mul(factor if not i.loose else shift(factor, i.loose), Pow(i, Num(2)))

    body = Add(at(Bound(0)), Mul(Num(-1), at(Add(Bound(0), Num(-1)))))
    gain = Add(at(N), Mul(Num(-1), at(Add(N, Num(-1)))))
    return _series(w, body, at, gain)


def _power_of_nabla(w: Workshop) -> Equation:
    """∇ⁿ(c A) = c ∇ⁿ(A) for a c that is free of θ."""
    if "θ" in w.builder.vector:
        raise Rejection("a vector")
    factor, body = w.rng.choice((Sym("x"), Stop(w.expr(1)), Num(3))), w.expr(1)
    whole = Mul(factor, body)
    zero = w.infer("grads_zero", Grads("θ", ZERO, body))
    back = w.infer("symmetry", body, zero.lhs, zero)
    base = _chained(
        w, w.infer("grads_zero", Grads("θ", ZERO, whole)), w.infer("congruence", whole, None, back)
    )
    before = Add(N, Num(-1))
    inner = Grads("θ", before, body)
    told = w.infer("suppose", Grads("θ", before, whole), Mul(factor, inner))
    first = w.infer("grads_next", Grads("θ", N, whole))
    inside = w.infer("congruence", first.rhs, Grad("θ", told.rhs), told)
    product = w.infer("grad_product", inside.rhs)
    next_one = w.infer("grads_next", Grads("θ", N, body))
    fold = w.infer("symmetry", next_one.rhs, next_one.lhs, next_one)
    last = w.infer("congruence", product.rhs, None, fold)
    step = _chained(w, first, inside, product, last)
    right = Mul(factor, Grads("θ", N, body))
    return infer(w, "induction_over", Grads("θ", N, whole), right, base, step, told=[("N", 0, w.state.one)])


def suppose(w: Workshop) -> Equation:
    """What is so may be supposed; it is then given."""
    true = some_step(w)
    return w.infer("suppose", true.lhs, true.rhs)


def suppose_value(w: Workshop) -> Equation:
    true = some_step(w)
    return w.infer("suppose_value", true.lhs, true.rhs)


# ------------------------------------------------------------------------------------ the judge
def _furnished(make: Callable[[Workshop], Equation]) -> Callable[[Workshop], Equation]:
    def made(w: Workshop) -> Equation:
        furnish(w)
        return make(w)

    return made


def _patterned(rule: str) -> Callable[[Workshop], Equation]:
    def made(w: Workshop) -> Equation:
        if not hasattr(w, "members"):
            furnish(w)
        if rule == "cond_known" and w.rng.random() < 0.3:
            return adapted(w, rule)
        return pattern(rule, w)

    return made


#: For each rule about expectations, suppositions and ∇ᵏ something it concludes.
GENERATORS: dict[str, Callable[[Workshop], Equation]] = {
    **{
        name: _patterned(name)
        for name in (
            "expect_add", "expect_scale", "expect_one", "expect_sum", "expect_swap", "expect_score",
            "expect_weight", "cond_add", "cond_sum", "cond_known", "cond_one", "cond_tower",
            "grads_zero", "grads_next",
        )
    },
    "expect_draw": _furnished(expect_draw),
    "expect_offspring": _furnished(expect_offspring),
    "substitute": _furnished(substitute),
    "induction_over": _furnished(induction_over),
    "suppose": suppose,
    "suppose_value": suppose_value,
}  # fmt: skip


def conclusion(rule: str, w: Workshop) -> Equation:
    """A random conclusion of a rule.

    Raises:
        Rejection: this draw was none.
    """
    return GENERATORS[rule](w) if rule in GENERATORS else soundness.conclusion(rule, w)


def unsound(rule: str, rng: random.Random, count: int) -> str | None:
    """Look for an instance of a rule that is not so; a description of it, or None after ``count`` good ones.

    Raises:
        AssertionError: too few draws are instances of the rule.
    """
    good = draws = 0
    while good < count:
        draws += 1
        assert draws <= count * 12 + DRAWS, f"{good} instances of {rule} among {draws} draws"
        vector = rule in ("expect_score", "expect_draw", "cond_known") and rng.random() < 0.3
        w = Workshop(rng, vector=vector)
        try:
            equation = conclusion(rule, w)
            left = [h for h in w.state.facts.hypotheses if h.kind not in ("interchange", "support")]
            verdict = w.holds(equation, hypotheses=left)
        except (Rejection, EvaluationError):  # no instance, or one without a value at the point
            continue
        if verdict is False:
            return f"{equation.lhs} {equation.relation.value} {equation.rhs} at {w.builder.point}"
        good += verdict is True
    return None
