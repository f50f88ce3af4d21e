"""Rules against the two-copy model: random instances of both sides, and whether they mean the same.

An equation of the kernel is *sound* at an instance if, where its hypotheses hold, both sides have the same
Taylor series in the live and the stopped copies of the parameters (``=``), or have so once evaluated
(``=→``).  The model knows nothing of the rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from surrogates import Options, _Builder, _Place

from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.derive.proof import Proof
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.kernel.calculus import evaluation, gradient, stopping
from surrogate_calculus.kernel.certificate import FORMAT, VERSION
from surrogate_calculus.kernel.facts import Facts
from surrogate_calculus.kernel.inference import Definition, Inference, recursion_step, split_on
from surrogate_calculus.kernel.judgement import Condition, Detail, Equation, Hypothesis, Rejection, Relation
from surrogate_calculus.kernel.matching import Substitution, instance
from surrogate_calculus.kernel.rules import PARAM, RULES, Rule
from surrogate_calculus.kernel.state import State
from surrogate_calculus.language.binding import instantiate, shift, substitute
from surrogate_calculus.language.terms import (
    HAS_EXPECT,
    Add,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Expect,
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
    postorder,
)
from surrogate_calculus.semantics import Model, Polynomial

#: Digits to which coefficients agree that are not rational.
DIGITS = 30
#: Total degree of the series compared.
DEGREE = 2
#: Small instances at one point.
SHARED = 5
#: Draws for one instance, before a rule counts as one without instances.
DRAWS = 400


def small_function(rng: random.Random, layout: Sequence[int | None], *, positive: bool) -> Polynomial:
    """A polynomial of few monomials, so that thousands of series are quick; even and positive, or neither."""
    width = sum(size or 1 for size in layout)
    degrees = (0, 2, 4) if positive else (0, 1, 2, 3)
    monomials = [tuple(rng.choice(degrees) for _ in range(width)) for _ in range(2)]
    for i in range(width):
        exponent = rng.choice((2, 4) if positive else (1, 2, 3, 4, 5))
        monomials.append(tuple(exponent if j == i else 0 for j in range(width)))
    out: dict[tuple[int, ...], Fraction] = {(0,) * width: Fraction(1, 2)}
    for monomial in monomials:
        sign = 1 if positive else rng.choice((1, -1))
        out[monomial] = out.get(monomial, 0) + Fraction(sign * rng.randint(1, 2), rng.randint(1, 3))
    return Polynomial(layout, out)


class _Quick:
    """Draws integers, quicker than ``randint``: there are hundreds for an instance."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def integer(self, lo: int, hi: int) -> int:
        return lo + int(self.rng.random() * (hi - lo + 1))


#: What :meth:`_Builder.rational` draws from.
_POSITIVE = [Fraction(a, b) for a in range(1, 8) for b in range(1, 6)]


class _Small(_Builder):
    """Builds surrogates over small functions."""

    def __init__(self, rng: random.Random, options: Options) -> None:
        super().__init__(_Quick(rng), options)

    def rational(self, positive: bool = False) -> Fraction:
        x: Fraction = self.choice(_POSITIVE)
        return x if positive or self.chance(60) else -x

    def function(self, rng: random.Random, layout: Sequence[int | None], *, positive: bool) -> Polynomial:
        return small_function(rng, layout, positive=positive)


class Workshop:
    """Random terms over one point, and an inference to make steps about them.

    Args:
        rng: the source of everything.
        vector: whether θ is a vector.
        rational: whether all functions are rational, so that values are exact.
        small: terms of a few nodes, compared in one coordinate of one parameter (both copies of it) and for
            one choice of the loose indices: quick, so that there can be many.
    """

    def __init__(
        self, rng: random.Random, *, vector: bool = False, rational: bool = True, small: bool = False
    ) -> None:
        self.rng = rng
        self.small = small
        self.builder = _Small(rng, Options(size=10**9, rational_only=rational, vector=vector))
        self.builder.make_point()
        self.renew()
        #: the copies of parameters that sides are compared in; none: of all
        self.compared = [rng.choice(self.wrt)] if small else []

    def renew(self) -> None:
        """Begin another derivation at the same point."""
        self.binders = self.rng.choice((0, 0, 0, 1, 2))
        self.state = State(Facts([("positive", "p"), ("positive", "q"), ("count", "N"), ("index", "a")]))
        self.inference = Inference(self.state)
        self.log: list[tuple[str, Equation, tuple[Equation, ...], Detail]] = []
        self.builder.pool.clear()

    # terms
    def place(self, more: int = 0, **fields: Any) -> _Place:
        self.builder.budget = 4 if self.small else 14  # of each term
        return _Place(binders=self.binders + more, **{"grads": 1, "apps": 1, **fields})

    def expr(self, depth: int = 2, more: int = 0, **fields: Any) -> Term:
        """Any term, under ``more`` binders beyond the workshop's own."""
        return self.builder.expr(self.depth(depth), self.place(more, **fields))

    def depth(self, most: int) -> int:
        return self.rng.randint(0, min(most, 1) if self.small else most)

    def positive(self, depth: int = 2, more: int = 0) -> Term:
        return self.builder.positive(self.depth(depth), self.place(more))

    def production(self, name: str, depth: int = 2, **fields: Any) -> Term:
        """A term of one production of the surrogates, such as ``"kink"``."""
        made: Term = getattr(self.builder, name)(1 if self.small else depth, self.place(**fields))
        return made

    def param(self) -> str:
        return self.rng.choice(self.builder.params)

    def index(self) -> Term:
        return self.builder.index(self.place())

    def coordinate(self, param: str) -> tuple[Term, ...]:
        if param not in self.builder.vector:
            return ()
        return (Axis(1) if self.rng.random() < 0.3 else self.index(),)

    def grad(self, body: Term) -> Term:
        param = self.param()
        return Grad(param, body, *self.coordinate(param))

    def add(self, term: Term) -> Term:
        return self.state.store.add(term)

    # steps
    def step(self, lhs: Term) -> Equation:
        """The step of the calculus for a ∇, → or ⊥.

        Raises:
            Rejection: there is none.
        """
        lhs = self.add(lhs)
        if isinstance(lhs, Grad):
            name, _ = gradient(self.state, lhs.key, lhs.args[1:], lhs.args[0])
        elif isinstance(lhs, Eval):
            name, _ = evaluation(self.state, lhs.args[0])
        elif isinstance(lhs, Stop):
            name, _ = stopping(self.state, lhs.args[0])
        else:
            raise Rejection("no operator")
        return self.infer(name, lhs)

    def infer(
        self, rule: str, lhs: Term, rhs: Term | None = None, *premises: Equation, told: Detail = ()
    ) -> Equation:
        right = None if rhs is None else self.add(rhs)
        sides = [side for side in (lhs, right) if side is not None and side.flags & HAS_EXPECT]
        for node in postorder(*sides):
            if node.__class__ in (Expect, CondExpect) and any(map(self.state.bare, node.args)):
                raise Rejection("⊥ outside every → under 𝔼, which a certificate may not have")
        equation = self.inference.infer(rule, self.add(lhs), right, premises, told)
        self.log.append((rule, equation, premises, told))
        return equation

    def certificate(self) -> dict[str, Any]:
        """All steps taken so far as a certificate of the last."""
        numbers = {id(equation): n for n, (_, equation, _, _) in enumerate(self.log)}
        definitions, draws = self.state.definitions.values(), self.inference.filtration.rows
        table = NodeTable()
        roots = [t for _, equation, _, _ in self.log for t in (equation.lhs, equation.rhs)]
        roots += [t for _, _, _, told in self.log for _, _, t in told]
        roots += [t for r in draws for t in (r.left, r.law, r.first) if t is not None]
        roots += [t for d in definitions for t in (d.left, d.body, d.measure) if t is not None]
        table.add(postorder(*map(self.add, roots)))
        claim = self.log[-1][1]
        return {
            "format": FORMAT,
            "version": VERSION,
            "nodes": table.rows,
            "definitions": [
                [table[d.left], d.arity, table[d.body], d.measure and table[d.measure], n]
                for n, d in enumerate(definitions)
            ],
            "dependence": [],
            "assumptions": [list(a) for a in self.state.facts.assumptions],
            "samples": [
                [table[r.left], r.arity, r.law and table[r.law], r.first and table[r.first]] for r in draws
            ],
            "steps": [
                [rule, table[e.lhs], table[e.rhs], [numbers[id(p)] for p in premises]]
                + ([[[name, slots, table[t]] for name, slots, t in told]] if told else [])
                for rule, e, premises, told in self.log
            ],
            "claim": [claim.relation.value, table[claim.lhs], table[claim.rhs]],
        }

    # the model
    @property
    def wrt(self) -> list[str | tuple[str, int]]:
        out: list[str | tuple[str, int]] = []
        for name in self.builder.params:
            value = self.builder.point[name]
            out += [(name, k + 1) for k in range(len(value))] if isinstance(value, tuple) else [name]
        return out

    def model(self) -> Model:
        return Model(self.builder.point, self.builder.functions, digits=50)

    def series(self, term: Term, axes: Mapping[int, int], degree: int = DEGREE) -> Mapping[Any, Any]:
        return self.model().series(self.unfold(term), degree, self.compared or self.wrt, axes)

    def unfold(self, term: Term) -> Term:
        """The term without defined names, done here by hand."""
        term = self._unfold_recursions(term)
        for definition in reversed(list(self.state.definitions.values())):
            if definition.measure is not None:
                continue
            done: dict[int, Term] = {}
            for node in postorder(term):
                args = tuple(done[id(a)] for a in node.args)
                if node.__class__ is definition.left.__class__ and node.key == definition.name:
                    done[id(node)] = unfolded(definition, args)
                else:
                    done[id(node)] = _with(node, args)
            term = done[id(term)]
        return term

    def _unfold_recursions(self, term: Term) -> Term:
        """Families by recursion at numbers, as often as it takes."""
        known = {d.name: d for d in self.state.definitions.values() if d.measure is not None}
        done: dict[int, Term] = {}
        for node in postorder(term) if known else ():
            args = tuple(done[id(a)] for a in node.args)
            found = known.get(node.key) if node.__class__ is Indexed else None
            if found is None or any(a.loose for a in args):
                done[id(node)] = _with(node, args)
                continue
            body = unfolded(found, args)
            guard = self.model().value(body.args[0])
            done[id(node)] = self._unfold_recursions(body.args[1 if guard else 2])
        return done[id(term)] if known else term

    def define(self, name: str, arity: int, body: Term) -> None:
        left = Indexed(name, *map(Bound, reversed(range(arity)))) if arity else Sym(name)
        self.state.declare([Definition(self.add(left), arity, self.add(body))])

    def closings(self, loose: int, at_most: int) -> list[tuple[int, ...]]:
        """Values for loose indices, innermost first."""
        every = list(product(range(1, self.builder.top + 1), repeat=loose))
        return every if len(every) <= at_most else self.rng.sample(every, at_most)

    def holds(
        self, equation: Equation, degree: int = DEGREE, hypotheses: Sequence[Hypothesis] | None = None
    ) -> bool | None:
        """Whether both sides mean the same; None where the instance has no meaning or a hypothesis fails."""
        if hypotheses is None:
            hypotheses = self.state.facts.hypotheses
        loose = max(equation.lhs.loose, equation.rhs.loose)
        checked = False
        for values in self.closings(loose, 1 if self.small else 2):
            axes = {n: self.rng.randint(1, self.builder.top) for n in (1, 2)}
            if not self._hold(hypotheses, axes):
                return None
            if not self._meets(equation.where, values):
                continue
            left, right = closed(equation.lhs, values), closed(equation.rhs, values)
            if equation.relation is Relation.VALUE:
                left, right = Eval(left), Eval(right)
            try:
                a = self.series(left, axes, degree)
            except EvaluationError:
                continue
            if any(abs(c) > 10**12 for c in a.values()):
                continue
            b = self.series(right, axes, degree)
            if not same_series(a, b):
                return False
            checked = True
        return True if checked else None

    def _meets(self, conditions: Iterable[Condition], values: tuple[int, ...]) -> bool:
        """Whether conditions on indices hold at values of the loose indices."""
        for condition in conditions:
            x = self.model().value(closed(condition.term, values))
            whole = condition.kind in ("int", "whole")
            assert not whole or Fraction(x).denominator == 1, condition
            if condition.kind != "whole" and not (x > 0 if condition.kind == "gt" else x >= 0):
                return False
        return True

    def _hold(self, hypotheses: Sequence[Hypothesis], axes: Mapping[int, int]) -> bool:
        for hypothesis in hypotheses:
            for values in self.closings(hypothesis.term.loose, 9):
                try:
                    x = self.model().value(self.unfold(closed(hypothesis.term, values)), axes)
                except EvaluationError:
                    return False
                held = {"positive": x > 0, "gt": x > 0, "nonzero": x != 0, "whole": True}
                if not held.get(hypothesis.kind, x >= 0):
                    return False
        return True


def _with(node: Term, args: tuple[Term, ...]) -> Term:
    from surrogate_calculus.language.terms import rebuild

    return rebuild(node, args)


def unfolded(definition: Definition, args: tuple[Term, ...]) -> Term:
    """The body at arguments, by substituting for names that occur nowhere else."""
    names = [f"_{definition.name}_{k}" for k in range(len(args))]
    body = definition.body
    for name in reversed(names):  # the last index is the innermost
        body = instantiate(body, Sym(name))
    return substitute(body, dict(zip(names, args, strict=True)))


def closed(term: Term, values: tuple[int, ...]) -> Term:
    """The term at values of its loose indices, innermost first."""
    for value in values[: term.loose]:
        term = instantiate(term, Num(value))
    return term


def same_series(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    return all(close(a.get(m, Fraction(0)), b.get(m, Fraction(0))) for m in a.keys() | b.keys())


def close(x: Any, y: Any) -> bool:
    """Equal where both are exact, else equal to DIGITS digits."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return x == y
    from mpmath import mpf, workdps

    with workdps(60):
        x, y = (mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else mpf(v) for v in (x, y))
        return bool(abs(x - y) <= (1 + abs(x)) * mpf(10) ** -DIGITS)


# ----------------------------------------------------------------------- what each rule applies to
Target = Callable[[Workshop], Term]


def _safe_argument(w: Workshop, op: str) -> Term:
    if op in ("log", "sqrt"):
        return w.positive()
    if op in ("exp", "tan"):
        return w.builder.bounded(w.rng.randint(0, 2), w.place())
    return Add(w.expr(), Num(Fraction(7, 13)))


def _function_target(op: str) -> Target:
    return lambda w: w.grad(Fn(op, _safe_argument(w, op)))


def _power(w: Workshop) -> Term:
    if w.rng.random() < 0.5:
        exponent = w.rng.choice((-1, -2, Fraction(1, 2), Fraction(-3, 2) if w.rng.random() < 0.5 else -3))
        return w.grad(Pow(w.positive(), Num(exponent)))
    return w.grad(Pow(w.expr(), Num(w.rng.choice((0, 1, 2, 2, 3, 4, -1)))))


def _constant(w: Workshop) -> Term:
    stopped = Stop(w.expr())
    condition = Fn(w.rng.choice(("gt", "ge")), w.expr(), Num(Fraction(5, 19)))
    other = w.rng.choice(
        (Sym("x"), Num(3), Indexed("w", w.index()), Fn("sign", Add(w.expr(), Num(Fraction(7, 13)))))
    )
    return w.grad(w.rng.choice((Mul(stopped, other), Add(other, condition), other, Fn("sin", stopped))))


def _unlike(w: Workshop) -> tuple[Term, Term]:
    return Add(w.expr(), Num(Fraction(3, 17))), w.expr()


def _application(w: Workshop) -> Term:
    return w.production(w.rng.choice(("application", "partial")))


def _with_stop(w: Workshop) -> Term:
    return w.rng.choice((Add, Mul))(Stop(w.expr()), w.expr())


def _second(w: Workshop) -> Term:
    inner = w.grad(w.production("application"))
    w.step(inner)
    return w.grad(inner)


def _fit_for_stop(w: Workshop) -> Term:
    return w.rng.choice((w.expr(), _application(w), w.production("cases"), w.production("sum")))


#: For each operator rule the left sides to try.
TARGETS: dict[str, Target] = {
    "grad_parameter": lambda w: w.grad(w.builder.parameter(w.param(), w.place())),
    "grad_constant": _constant,
    "grad_stop": lambda w: w.grad(Stop(w.expr())),
    "grad_sum": lambda w: w.grad(w.production("add")),
    "grad_product": lambda w: w.grad(w.production("mul")),
    "grad_power": _power,
    "grad_power_general": lambda w: w.grad(Pow(w.positive(), w.expr(1))),
    "grad_chain": lambda w: w.grad(_application(w)),
    "grad_max": lambda w: w.grad(Fn("max", *_unlike(w))),
    "grad_min": lambda w: w.grad(Fn("min", *_unlike(w))),
    "grad_cases": lambda w: w.grad(w.production("cases")),
    "grad_series": lambda w: w.grad(w.production("sum")),
    "grad_series_product": lambda w: w.grad(w.production("prod")),
    "grad_grad": _second,
    "eval_free": lambda w: Eval(w.expr(stops=False)),
    "eval_stop": lambda w: Eval(Stop(w.expr())),
    "eval_eval": lambda w: Eval(Eval(_with_stop(w))),
    "eval_function": lambda w: Eval(
        w.rng.choice((_with_stop(w), w.production("cases"), _application(w), w.production("sum")))
    ),
    "stop_number": lambda w: Stop(Num(Fraction(w.rng.randint(-5, 5), 3))),
    "stop_stop": lambda w: Stop(Stop(w.expr())),
    "stop_eval": lambda w: Stop(Eval(_with_stop(w))),
    "stop_function": lambda w: Stop(_fit_for_stop(w)),
    **{f"grad_{op}": _function_target(op) for op in (
        "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "relu", "abs",
    )},
}  # fmt: skip

#: Rules whose instances are transcendental; the others are tested on rational terms, exactly.
TRANSCENDENTAL = (
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "sigmoid",
    "softplus",
    "power_general",
    "product_power",
)


def operator_step(rule: str, w: Workshop) -> Equation:
    """A random instance of a step of ∇, → or ⊥.

    Raises:
        Rejection: this draw was none.
    """
    lhs = w.add(TARGETS[rule](w))
    if w.rng.random() < 0.5:
        learn_below(w, lhs)
    return w.infer(rule, lhs)


def learn_below(w: Workshop, operator: Term) -> None:
    """Take the steps of the same operator at everything below, as a derivation does."""
    for node in postorder(operator.args[0])[:-1]:
        try:
            if isinstance(operator, Grad):
                w.step(Grad(operator.key, node, *operator.args[1:]))
            else:
                w.step(operator.__class__(node))  # type: ignore[call-arg]
        except Rejection:
            continue


def pattern_step(rule: Rule, w: Workshop) -> Equation:
    """A random instance of a rule that is a pattern."""
    assert rule.left is not None and rule.right is not None
    needy = metas(t for kind, t in rule.conditions if kind in ("positive", "nonzero"))
    numbers = metas(t for kind, t in rule.conditions if kind not in ("positive", "nonzero"))
    free = {n.key[0] for side in (rule.left, rule.right) for n in postorder(side)
            if isinstance(n, App) and n.name.startswith("?") and not n.args}  # fmt: skip
    lo, hi = w.builder.bounds(w.place())
    if rule.name.endswith("_empty") and w.rng.random() < 0.7:
        lo = Add(hi, Num(w.rng.randint(0, 2)))
    param = w.param()
    coordinate = w.coordinate(param)
    found: Substitution = {
        PARAM: (Sym(param), 0),
        "?k": (w.add(coordinate[0]) if coordinate else Sym("?none"), 0),
        "?hint": (Sym("i"), 0),
        "?lo": (w.add(lo), 0),
        "?hi": (w.add(hi), 0),
    }
    everywhere = w.rng.random() < 0.4
    determined = []
    for side in (rule.left, rule.right):
        for name, depth in metavariables(side):
            if name in found:
                continue
            make = w.positive if name in needy or everywhere else w.expr
            if name in ("?lo2", "?hi2"):
                value = shift(w.builder.bounds(w.place())[name == "?hi2"], depth)
            elif name in numbers:
                value = shift(whole_number(w), depth)
            elif name in free:
                value = shift(make(2), depth)
            else:
                value = make(2, depth)
            found[name] = (w.add(value), depth)
        determined.append(set(found))
    left = instance(rule.left, found, w.state.store)
    open_right = determined[0] != determined[1]
    return w.infer(rule.name, left, instance(rule.right, found, w.state.store) if open_right else None)


def whole_number(w: Workshop) -> Term:
    """A whole number made of what indices are made of."""
    parts: list[Term] = [Num(w.rng.randint(-1, 3)), Num(w.rng.randint(0, 3)), Sym("N")]
    parts += [Bound(n) for n in range(w.binders)] * 3
    term = w.rng.choice(parts)
    return Add(term, w.rng.choice(parts)) if w.rng.random() < 0.3 else term


def metas(terms: Iterable[Term]) -> set[str]:
    """The metavariables in terms, also those at an index."""
    found = set()
    for node in postorder(*terms):
        name = node.key[0] if isinstance(node, App) else node.key if node.__class__ is Sym else ""
        if name.startswith("?"):
            found.add(name)
    return found - {"?lo", "?hi"}


def metavariables(pattern: Term) -> Iterator[tuple[str, int]]:
    """Names ``?A`` and the number of binders that they stand under."""
    todo = [(pattern, 0)]
    while todo:
        node, depth = todo.pop()
        if node.__class__ is Sym and node.key.startswith("?"):
            yield node.key, depth
        binds = node.binds or (0,) * len(node.args)
        todo.extend((a, depth + b) for a, b in zip(node.args, binds, strict=True))


# ----------------------------------------------------------------------------- rules of inference
def some_step(w: Workshop) -> Equation:
    """Some strict equation."""
    if w.rng.random() < 0.3:
        return w.step(w.rng.choice((Eval, Stop, w.grad))(w.expr()))
    term = w.add(w.expr())
    return w.infer("ring", term, rewritten(w.rng, term))


def stop_equation(w: Workshop, term: Term) -> Equation:
    """``E =→ ⊥E``, which is strict for no E that moves; or ``E =→ →E``."""
    term = w.add(term)
    arrow = w.add(Eval(term))
    try:
        again = w.step(arrow)
    except Rejection:  # → does not move inside ∇
        again = None
    stopped = w.step(Eval(Stop(term)))
    if stopped.rhs is not arrow:
        if again is None or again.rhs is not stopped.rhs:
            raise Rejection("→ is known otherwise")
        back = w.infer("symmetry", again.rhs, arrow, again)
        stopped = w.infer("transitivity", stopped.lhs, arrow, stopped, back)
    return w.infer("arrow", term, None, w.infer("symmetry", arrow, None, stopped))


def equation_for(w: Workshop, term: Term) -> Equation:
    """A strict equation or one of values with this left side."""
    if w.rng.random() < 0.5:
        return w.infer("ring", term, Mul(Num(1), term))
    return stop_equation(w, term)


def replaceable(w: Workshop, nodes: list[Term]) -> list[Term]:
    """Nodes that stand for numbers: no whole vectors."""
    return [n for n in nodes if not (n.__class__ is Sym and n.key in w.builder.vector)]


def used_inside(root: Term, equations: Iterable[Equation]) -> tuple[Relation, Term]:
    """What becomes of a term where equations, taken for proved, are used wherever their kind allows it."""
    proof = Proof()
    rules = {Relation.STRICT: "suppose", Relation.VALUE: "suppose_value"}
    steps = [proof.infer(rules[e.relation], proof.add(e.lhs), proof.add(e.rhs)) for e in equations]
    found = proof.conclusion(proof.inside(proof.add(root), steps))
    return found.relation, found.rhs


def ranged_step(w: Workshop, more: int = 0) -> Equation:
    """An equation under conditions on indices, under ``more`` binders beyond the workshop's own."""
    w.binders += more
    try:
        names = [r.name for r in RULES.values() if any(k in ("int", "ge", "gt") for k, _ in r.conditions)]
        return pattern_step(RULES[w.rng.choice(names)], w)
    finally:
        w.binders -= more


def _discharging(w: Workshop) -> Equation:
    """Conditions under Σ, ∏ and in the branches of cases."""
    kind = w.rng.choice(("binder", "branch", "both"))
    if kind == "branch":
        step = ranged_step(w)
    else:
        step = ranged_step(w, 1)
        if kind == "both":
            w.binders += 1
            step = _in_branch(w, step)
            w.binders -= 1
        lo, hi = w.builder.bounds(w.place())
        root = w.rng.choice((Sum, Prod))(lo, hi, step.lhs)
        return w.infer("congruence", root, None, step)
    return _in_branch(w, step)


def _in_branch(w: Workshop, step: Equation) -> Equation:
    op = w.rng.choice(("gt", "ge"))
    terms = [c.term for c in step.where] or [whole_number(w)]
    term = w.rng.choice(terms)
    condition = Fn(op, term, Num(0)) if w.rng.random() < 0.7 else Fn(op, Num(w.rng.randint(0, 2)), term)
    branches = [step.lhs, w.expr(1)]
    if w.rng.random() < 0.5:
        branches.reverse()
    return w.infer("congruence", Fn("cases", condition, *branches), None, step)


def _congruence(w: Workshop) -> Equation:
    if w.rng.random() < 0.2:
        return _split(w)
    if w.rng.random() < 0.6:
        return _discharging(w)
    root = w.add(w.rng.choice((w.expr(3), w.grad(w.expr()), Stop(w.expr()), Eval(w.expr()))))
    children = replaceable(w, list(dict.fromkeys(root.args)))
    return w.infer("congruence", root, None, *[equation_for(w, n) for n in children if w.rng.random() < 0.7])


def _transitivity(w: Workshop) -> Equation:
    first = some_step(w)
    chain = [first]
    for _ in range(w.rng.randint(0, 2)):
        chain.append(equation_for(w, chain[-1].rhs))
    return w.infer("transitivity", first.lhs, chain[-1].rhs, *chain)


def _symmetry(w: Workshop) -> Equation:
    premise = w.rng.choice((some_step(w), stop_equation(w, w.expr())))
    return w.infer("symmetry", premise.rhs, premise.lhs, premise)


def _value(w: Workshop) -> Equation:
    premise = some_step(w)
    return w.infer("value", premise.lhs, premise.rhs, premise)


def _arrow(w: Workshop) -> Equation:
    return stop_equation(w, w.expr())


def _ring(w: Workshop) -> Equation:
    total = Add(w.expr(), w.expr())
    term = w.add(w.rng.choice((w.expr(3), Mul(w.expr(), total), Pow(total, Num(2)))))
    if w.rng.random() < 0.3:
        inverse = w.positive()
        term = w.add(Mul(inverse, term, Pow(inverse, Num(-1))))
        other: Term = term.args[1]
    else:
        other = rewritten(w.rng, term)
    return w.infer("ring", term, other)


def _field(w: Workshop) -> Equation:
    a, c, b, d = w.expr(), w.expr(), w.positive(), w.positive()
    left = Add(Mul(a, Pow(b, Num(-1))), Mul(c, Pow(d, Num(-1))))
    return w.infer("field", left, Mul(Add(Mul(d, a), Mul(c, b)), Pow(Mul(b, d), Num(-1))))


def _definition(w: Workshop) -> Equation:
    arity = w.rng.randint(0, 2)
    outer, w.binders = w.binders, arity
    body = w.expr(2)
    w.define("v", arity, body)
    earlier = Indexed("v", *map(Bound, range(arity))) if arity else Sym("v")
    w.define("v2", arity, Add(body, Mul(Num(2), earlier)))
    w.binders = outer
    name = w.rng.choice(("v", "v2"))
    return w.infer("definition", Indexed(name, *[w.index() for _ in range(arity)]) if arity else Sym(name))


def _instance(w: Workshop) -> Equation:
    w.binders = max(1, w.binders)
    premise = w.rng.choice((ranged_step, some_step))(w)
    if not premise.lhs.loose:
        raise Rejection("there is no index")
    values = [w.rng.choice((whole_number(w), w.index())) for _ in range(premise.lhs.loose)]
    lhs = premise.lhs
    names = [f"_{n}" for n in range(len(values))]
    for name in names:
        lhs = instantiate(lhs, Sym(name))
    return w.infer("instance", substitute(lhs, dict(zip(names, values, strict=True))), None, premise)


def _split(w: Workshop) -> Equation:
    one = ranged_step(w)
    other = w.rng.choice((ranged_step, lambda w: w.infer("congruence", one.lhs)))(w)
    if other.lhs is not one.lhs:
        other = w.infer("congruence", one.lhs)
    term = w.rng.choice([c.term for c in one.where] or [whole_number(w)])
    condition = Fn(w.rng.choice(("gt", "ge")), *w.rng.sample((term, Num(w.rng.choice((-1, 0, 0, 1)))), 2))
    pair = [one, other] if w.rng.random() < 0.5 else [other, one]
    target = Fn("cases", condition, pair[0].rhs, pair[1].rhs)
    return w.infer("congruence", Fn("cases", condition, one.lhs, one.lhs), target, *pair)


def _cases_split(w: Workshop) -> Equation:
    condition = Fn(w.rng.choice(("gt", "ge")), w.expr(1), Num(Fraction(5, 19)))
    more = w.rng.choice(
        (Mul(condition, w.expr(1)), Stop(Mul(w.expr(1), condition)), w.grad(Mul(w.expr(1), condition)))
    )
    term = Add(w.expr(1), more, Fn("cases", condition, w.expr(1), w.expr(1)))
    target = split_on(w.state, w.add(term), w.add(condition))
    return w.infer("cases_split", term, target)


def _induction(w: Workshop) -> Equation:
    """Two families of which one is the other written otherwise."""
    outer, w.binders = w.binders, 1
    t = Bound(0)
    parts, base = [w.expr(1), w.expr(1)], w.expr(1)
    w.binders = outer
    steps = []
    for name in ("F", "G"):
        before, earlier = (Indexed(name, Add(t, Num(-d))) for d in (1, 2))
        step: Term = Add(Mul(parts[0], before), parts[1])
        if name == "G":
            step = Add(parts[1], Mul(before, parts[0]))
        if w.rng.random() < 0.5:
            step = Add(step, Mul(parts[0], Indexed("F", Add(t, Num(-2)))))
            if name == "G":
                step = Add(step.args[0], Mul(parts[0], earlier))
        body = Fn("cases", Fn("gt", t, Num(0)), step, base)
        left = w.add(Indexed(name, t))
        w.state.declare([Definition(left, 1, w.add(body), w.add(t))])
        steps.append(w.infer("definition", left))
    target = recursion_step(w.inference, steps[0].lhs, steps[0].rhs, steps[1].lhs)
    same = w.infer("ring", steps[1].rhs.args[1], target.args[1])
    other = w.infer("congruence", steps[1].rhs, target, same)
    whole = w.infer("transitivity", steps[1].lhs, target, steps[1], other)
    return w.infer("induction", steps[0].lhs, steps[1].lhs, steps[0], whole)


#: For each rule of inference something it concludes.
STRUCTURAL: dict[str, Callable[[Workshop], Equation]] = {
    "congruence": _congruence,
    "transitivity": _transitivity,
    "symmetry": _symmetry,
    "value": _value,
    "arrow": _arrow,
    "ring": _ring,
    "field": _field,
    "definition": _definition,
    "instance": _instance,
    "induction": _induction,
    "cases_split": _cases_split,
}


def rewritten(rng: random.Random, term: Term) -> Term:
    """An equal polynomial: sums and products shuffled, regrouped, some products distributed."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(done[id(a)] for a in node.args)
        out = _with(node, args)
        if node.__class__ in (Add, Mul):
            shuffled = rng.sample(args, len(args))
            out = node.__class__(*shuffled)
            sums = [a for a in shuffled if a.__class__ is Add]
            if node.__class__ is Mul and sums and len(sums[0].args) < 5 and rng.random() < 0.5:
                rest = list(shuffled)
                rest.remove(sums[0])
                out = Add(*(Mul(a, *rest) for a in sums[0].args))
            elif len(args) > 2 and rng.random() < 0.5:
                out = node.__class__(shuffled[0], node.__class__(*shuffled[1:]))
            elif rng.random() < 0.2:
                out = Add(out, Num(1), Num(-1))
        elif node.__class__ is Pow and args[1] == Num(2) and rng.random() < 0.5:
            out = Mul(args[0], args[0])
        elif node.__class__ is Grad and args[0].__class__ is Grad and args[0].key != node.key:
            inner = args[0]  # derivatives commute
            out = Grad(inner.key, Grad(node.key, inner.args[0], *args[1:]), *inner.args[1:])
        done[id(node)] = out
    return done[id(term)]


# --------------------------------------------------------------------------------------- instances
def conclusion(rule: str, w: Workshop) -> Equation:
    """A random conclusion of a rule.

    Raises:
        Rejection: this draw was none.
        LookupError: nothing says what the rule applies to.
    """
    schema = RULES[rule]
    if rule in STRUCTURAL:
        return STRUCTURAL[rule](w)
    if rule not in TARGETS and (schema.operator or schema.left is None):
        raise LookupError(f"soundness.TARGETS or soundness.STRUCTURAL makes no instances of {rule}")
    if not schema.operator:
        return pattern_step(schema, w)
    return operator_step(rule, w)


def unsound_instance(rule: str, rng: random.Random, count: int, small: bool = False) -> str | None:
    """Look for an instance of a rule that is not so; a description of it, or None after ``count`` good ones.

    Args:
        rule: its name.
        rng: the source of the draws.
        count: how many instances on which the sides agree are enough.
        small: instances of a few nodes each.

    Raises:
        AssertionError: too few draws are instances of the rule.
    """
    transcendental = any(part in rule for part in TRANSCENDENTAL)
    good = draws = 0
    w: Workshop | None = None
    while good < count:
        draws += 1
        assert draws <= count * 4 + DRAWS, f"{good} instances of {rule} among {draws} draws"
        if w is None or not small or draws % SHARED == 0:
            rational = not transcendental and rng.random() < 0.7
            w = Workshop(rng, vector=rng.random() < 0.3, rational=rational, small=small)
        else:
            w.renew()
        try:
            equation = conclusion(rule, w)
            verdict = w.holds(equation)
        except (Rejection, EvaluationError):  # no instance, or one without a value at the point
            continue
        if verdict is False:
            return f"{equation.lhs} {equation.relation.value} {equation.rhs} at {w.builder.point}"
        good += verdict is True
    return None
