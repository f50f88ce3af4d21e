"""One inference: a rule, the left side, the premises; out comes an equation, or a rejection.

This is all that the checker believes.  Strategies call the same functions, so what they derive is
built of the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..language.binding import abstract, instantiate, map_under_binders, shift
from ..language.terms import (
    HAS_EXPECT,
    HAS_GRAD,
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
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from .calculus import AVERAGE, State, evaluation, gradient, stopping
from .filtration import Draw, Filtration, branch
from .judgement import Condition, Equation, Rejection, Relation, Supposition
from .matching import instance, match
from .polynomial import Ring
from .ranges import Ranges
from .rules import RULES, Rule, meta

__all__ = [
    "Definition", "Detail", "Inference", "head", "recursion_step", "replace_inside", "replaced", "split_on",
]  # fmt: skip

STRICT, VALUE = Relation.STRICT, Relation.VALUE
#: What a step says beyond its sides: names, each with a number of slots and a term over them.
Detail = Sequence[tuple[str, int, Term]]


@dataclass(frozen=True, slots=True)
class Definition:
    """``left = body`` for every value of the indices, which are the loose bound indices of both.

    ``left`` is a name, a family at its indices, or a density in its form along a path; the last index is
    innermost.  Definitions of one group may use one another at a smaller ``measure``.
    """

    left: Term
    arity: int
    body: Term
    measure: Term | None = None
    group: int = 0

    @property
    def name(self) -> str:
        """The name of what is defined, for messages and the list of what was used."""
        return str(head(self.left)[1])


def head(term: Term) -> tuple[object, ...]:
    """What a definition defines: a symbol, a family of so many indices, a function of such slots or paths."""
    if term.__class__ is not App:
        return term.tag, term.key, len(term.args)
    paths = (any(a.__class__ is Fn and a.key == "slice" for a in slot.args) for slot in term.args)
    return term.tag, *term.key[:4], len(term.args), *paths


@dataclass(slots=True)
class Inference:
    """The inference rules over one state.

    Attributes:
        state: what has been established.
        definitions: by what they define, see :func:`head`.
        used: names of the definitions unfolded so far.
        filtration: the draws of the document.
    """

    state: State
    definitions: dict[tuple[object, ...], Definition] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    filtration: Filtration = field(init=False)

    def __post_init__(self) -> None:
        self.sample(())

    def sample(self, rows: Sequence[Draw]) -> None:
        """Tell how families are drawn, in order.

        Raises:
            Rejection: a row that draws what is defined or a count, or by no law, or what is drawn already.
        """

        def bodies() -> dict[str, tuple[int, Term]]:
            defined = (d for d in self.definitions.values() if d.left.__class__ is not App)
            return {d.name: (d.arity, d.body) for d in defined}

        def along(node: Term) -> Term | None:
            found = self.definitions.get(head(node))
            return None if found is None else found.body

        def entails(condition: Condition, facts: Iterable[Condition]) -> bool:
            try:
                return not self.remaining([condition], facts)
            except Rejection:
                return False

        for row in rows:
            if row.left.key in self.state.defined or row.left.key in self.state.facts.counts:
                raise Rejection(f"{row.left.key:.40} is drawn and defined")
            if row.law.__class__ is Expect and not self.state.facts.discharges("density", row.law.args[0]):
                raise Rejection(f"nothing says that the law of {row.left.key:.40} integrates to one")
        self.filtration = Filtration(tuple(rows), self.state.all_hidden_names, bodies, along, entails)

    def random(self, term: Term) -> bool:
        """Whether a drawn family occurs in the term, definitions unfolded."""
        names = (n.key for n in postorder(term) if n.__class__ in (Sym, Indexed))
        return bool(self.filtration.rows) and any(map(self.filtration.random, names))

    def declare(self, group: Sequence[Definition]) -> None:
        """Take up the definitions of one group, whose terms are of the store, after those it uses.

        Raises:
            Rejection: a definition of a function that hides what the function depends on.
        """
        state = self.state
        for d in group:
            self.definitions[head(d.left)] = d
            names = {d.name}
            if d.left.__class__ is App:
                # a path that only this definition knows depends on all that the body depends on
                mentioned, slots = state.mentioned([d.body]), state.mentioned([d.left])
                names = {n.key for n in d.left.args if n.__class__ is Indexed} - mentioned
                known = state.stop_free(d.body) and not d.body.flags & (HAS_GRAD | HAS_EXPECT)
                if not known or (mentioned - slots and not names):
                    raise Rejection(f"the definition of {d.name:.40} hides what it depends on")
            state.define(names, [d.body])
        state.whole_names |= {d.name for d in group if d.left.__class__ is not App}
        while wrong := {d.name for d in group if d.name in state.whole_names and not state.whole(d.body)}:
            state.whole_names -= wrong
        state.facts.define({head(d.left): d.body for d in group})

    def infer(
        self,
        rule: str,
        lhs: Term,
        rhs: Term | None,
        premises: Sequence[Equation],
        detail: Detail = (),
    ) -> Equation:
        """The equation that the rule gives.

        Args:
            rule: a name of :data:`~surrogate_calculus.kernel.rules.RULES`.
            lhs: the left side, a term of the state's store.
            rhs: the right side, or None where the rule computes it.
            premises: earlier conclusions.
            detail: what the rule needs to be told besides.

        Raises:
            Rejection: the rule does not give an equation with these sides.
        """
        schema = RULES.get(rule)
        if schema is None:
            raise Rejection(f"there is no rule {rule!r}")
        structural, told = _STRUCTURAL.get(rule), _TOLD.get(rule)
        if detail and told is None:
            raise Rejection(f"{rule} takes no detail")
        if told is not None:
            equation = told(self, lhs, rhs, premises, detail)
        elif structural is not None:
            equation = structural(self, lhs, rhs, premises)
        else:
            if premises:
                raise Rejection(f"{rule} takes no premises")
            equation = self._computed(schema, lhs, rhs)
        if equation.lhs is not lhs or (rhs is not None and equation.rhs is not rhs):
            raise Rejection(f"{rule} does not give what is claimed")
        if rule not in ("suppose", "suppose_value", "induction_over"):  # which see to it themselves
            given = frozenset[Supposition]().union(*(p.given for p in premises))
            equation = replace(equation, given=given) if given else equation
        if any(p.whole for p in premises):
            roots = {"inside": [lhs], "induction": [p.rhs for p in premises]}.get(rule, ())
            if lhs.__class__ is Expect or any(t.flags & HAS_EXPECT for t in roots):
                raise Rejection("an equation about whole numbers may not be used under 𝔼")
            equation = replace(equation, whole=max(lhs.loose, equation.rhs.loose) > 0)
        worked_out = schema.operator or (lhs.__class__ is Grad and equation.rhs.__class__ is not Grad)
        plain = not (equation.where or equation.whole or equation.given)
        if worked_out and plain and equation.relation is STRICT:
            self.state.learn(equation.lhs, equation.rhs)
        return equation

    def _computed(self, schema: Rule, lhs: Term, rhs: Term | None) -> Equation:
        """The equation that a schema or pattern rule gives."""
        state, rule = self.state, schema.name
        if not schema.operator:
            assert schema.left is not None and schema.right is not None
            found = match(schema.left, lhs)
            if found is None or (rhs is not None and match(schema.right, rhs, found) is None):
                raise Rejection(f"{rule} does not match")
            where = []
            for kind, condition in schema.conditions:
                on_indices = kind in ("ge", "gt", "int", "whole")
                term = instance(condition, found, state.store, free=not on_indices)
                if on_indices:
                    where.append(Condition(kind, term))
                elif kind == "known":  # 𝔼[· | t](A): A is known at t
                    if not self.filtration.known(term.args[1], term.args[0]):
                        raise Rejection(f"{rule}: the factor need not be known at that time")
                else:
                    state.facts.require(kind, term)
            out = instance(schema.right, found, state.store, self.random)
            on_whole = any(c.kind in ("int", "whole") for c in where) and any(a.loose for a in lhs.args[:2])
            known = lhs.loose and any(kind == "known" for kind, _ in schema.conditions)
            whole = bool(on_whole or known)
            return Equation(STRICT, lhs, out, self.remaining(where), whole)
        try:
            if lhs.__class__ is Grad:
                name, out = gradient(state, lhs.key, lhs.args[1:], lhs.args[0])
            elif lhs.__class__ is Eval:
                name, out = evaluation(state, lhs.args[0])
            elif lhs.__class__ is Stop:
                name, out = stopping(state, lhs.args[0])
            else:
                raise Rejection(f"{rule} does not apply to {lhs.tag}")
        except Rejection as reason:
            raise Rejection(f"{rule}: {reason}") from None
        if name != rule:
            raise Rejection(f"the rule that applies is {name}, not {rule}")
        return Equation(STRICT, lhs, out)

    def ring(self) -> Ring:
        """A fresh table of polynomials."""
        return Ring(self.state.facts, self.state.hidden_names)

    def remaining(
        self, conditions: Iterable[Condition], facts: Iterable[Condition] = ()
    ) -> frozenset[Condition]:
        """The conditions that do not follow from the facts.

        Raises:
            Rejection: a condition that speaks of more than indices.
        """
        conditions, facts = frozenset(conditions), tuple(facts)
        if not conditions:
            return conditions
        ranges = Ranges(self.ring(), self.state.facts.counts)
        for condition in (*conditions, *facts):
            ranges.check(condition)
        return frozenset(c for c in conditions if not ranges.entails(facts, c))


def replace_inside(state: State, root: Term, equations: Sequence[Equation]) -> tuple[Relation, Term]:
    """The term with left sides replaced by right sides, wherever the kind of equation allows it.

    A strict equation may be used anywhere.  An equality of values may be used in live places, which makes
    the result an equality of values, and below ⊥ and →, which does not; never below ∇ (unless a ⊥ or →
    lies between).  A node shared between such places is replaced in the allowed ones only.
    """
    strict = {id(e.lhs): e.rhs for e in equations if e.relation is STRICT}
    value = {id(e.lhs): e.rhs for e in equations if e.relation is VALUE}
    live, under_grad, stopped = 0, 1, 2
    relation = STRICT
    done: dict[tuple[int, int], Term] = {}
    todo: list[tuple[Term, int, bool]] = [(root, live, False)]
    while todo:
        node, context, ready = todo.pop()
        place = (id(node), context)
        cls = node.__class__
        inner = under_grad if cls in (Grad, Grads, Indexed) else stopped if cls in (Stop, Eval) else context
        if ready:
            args = tuple(done[id(a), inner] for a in node.args)
            done[place] = state.rebuild(node, args)
            continue
        if place in done:
            continue
        if id(node) in strict:
            done[place] = strict[id(node)]
        elif context != under_grad and id(node) in value:
            done[place] = value[id(node)]
            if context == live:
                relation = VALUE
        elif not node.args:
            done[place] = node
        else:
            todo.append((node, context, True))
            todo.extend((a, inner, False) for a in node.args)
    return relation, done[id(root), live]


_Premises = Sequence[Equation]


def _inside(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if any(p.where for p in premises):
        raise Rejection("what holds under conditions is used by congruence, one node at a time")
    relation, out = replace_inside(inf.state, lhs, premises)
    return Equation(relation, lhs, out)


def _congruence(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    """``inside``, for the children of one node only: so that a chain of nodes costs its length.

    Here conditions are discharged: under Σ and ∏ by the range, in cases by the branch.  Of several equations
    for one operand the one is used that leaves the fewest conditions.
    """
    new: dict[int, list[Equation]] = {}
    for premise in premises:
        new.setdefault(id(premise.lhs), []).append(premise)
    args, relation = list(lhs.args), STRICT
    where: frozenset[Condition] = frozenset()
    for position, arg in enumerate(lhs.args):
        found = [(_discharged(inf, lhs, position, p.where), p) for p in new.get(id(arg), ())]
        if found:
            left, premise = min(found, key=lambda choice: len(choice[0]))
            args[position], where = premise.rhs, where | left
            relation = VALUE if premise.relation is VALUE else relation
    if relation is VALUE and lhs.__class__ in (Grad, Grads, Indexed):  # definitions hide what indices do
        raise Rejection("an equality of values may not be used under ∇ or in an index")
    if lhs.__class__ in (Stop, Eval):
        relation = STRICT
    return Equation(relation, lhs, inf.state.rebuild(lhs, tuple(args)), where)


def _discharged(
    inf: Inference, node: Term, position: int, where: frozenset[Condition]
) -> frozenset[Condition]:
    """The conditions of an equation about a child that are left for the node itself.

    Raises:
        Rejection: a condition on a bound index that its range does not give.
    """
    state, cls = inf.state, node.__class__
    if not where:
        return where
    if facts := branch(node, position):
        return inf.remaining(where, facts)
    if not node.binds or not node.binds[position]:
        return where
    if cls not in (Sum, Prod):
        raise Rejection(f"a condition on indices under {node.tag}")
    index = state.node(Bound, 0)
    lo, hi = (state.store.add(shift(end, 1)) for end in node.args[:2])
    facts = [Condition("ge", index - lo), Condition("ge", hi - index)]
    # within a range the index is a whole number, and may as well be 0 where that is all that counts
    left = inf.remaining((c for c in where if c.kind != "whole"), facts)
    left |= inf.remaining(_below(state, c) for c in where if c.kind == "whole")
    try:
        return frozenset(Condition(c.kind, state.store.add(shift(c.term, -1))) for c in left)
    except ValueError:
        raise Rejection("a condition on a bound index that its range does not give") from None


def _below(state: State, condition: Condition) -> Condition:
    zero = instantiate(condition.term, state.zero)
    return Condition(condition.kind, state.store.add(shift(zero, 1)))


def _transitivity(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if not premises or any(a.rhs is not b.lhs for a, b in pairwise(premises)):
        raise Rejection("the premises of transitivity do not form a chain")
    relation = VALUE if any(p.relation is VALUE for p in premises) else STRICT
    where = frozenset[Condition]().union(*(p.where for p in premises))
    return Equation(relation, premises[0].lhs, premises[-1].rhs, where)


def _symmetry(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    return Equation(premise.relation, premise.rhs, premise.lhs, premise.where)


def _value(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    return Equation(VALUE, premise.lhs, premise.rhs, premise.where)


def _arrow(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    if premise.lhs.__class__ is not Eval or premise.rhs.__class__ is not Eval:
        raise Rejection("arrow needs an equation between two evaluations")
    return Equation(VALUE, premise.lhs.args[0], premise.rhs.args[0], premise.where)


def _ring(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if rhs is None or inf.ring().difference(lhs, rhs):
        raise Rejection("the two sides are different polynomials")
    return Equation(STRICT, lhs, rhs)


def _field(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    ring = inf.ring()
    if rhs is None or not ring.vanishes(ring.difference(lhs, rhs)):
        raise Rejection("the two sides are different fractions")
    return Equation(STRICT, lhs, rhs)


def _instance_of(
    inf: Inference, left: Term, arity: int, lhs: Term, free: bool = False
) -> Callable[[Term], Term]:
    """What puts into a term the indices that make ``left`` equal to ``lhs``.

    What is proved for every index is so for whole numbers that no parameter moves: ``⊥(i) = i``.  A
    definition is ``free`` to stand for its body at anything.

    Raises:
        Rejection: no indices do, or they leave one undetermined.
    """
    names = [meta(str(n)) for n in range(arity)]
    pattern = left
    for name in names:  # the innermost index first: ?0
        pattern = instantiate(pattern, name)
    found = match(inf.state.store.add(pattern), lhs)
    if found is None:
        raise Rejection(f"{lhs.tag} {lhs.key or ''} is no instance")
    for name in names:
        value, depth = found.get(name.key, (None, 0))
        if value is not None:
            try:  # no index of a binder inside
                found[name.key] = (inf.state.store.add(shift(value, -depth)), 0)
            except ValueError:
                raise Rejection("an index stands under a binder of its own") from None
            if any(n.__class__ is Fn and n.key == "slice" for n in postorder(value)) or not (
                free or inf.state.whole(value)
            ):
                raise Rejection(f"{value.tag} {value.key or ''} need not be a whole number that is constant")

    moved = any(inf.random(found[n.key][0]) for n in names if n.key in found)
    if moved and left.flags & HAS_EXPECT:
        raise Rejection("an index that is drawn may not be put under 𝔼")

    def put(term: Term) -> Term:
        if term.loose > arity:
            raise Rejection("an index is not determined")
        if moved and term.flags & HAS_EXPECT:
            raise Rejection("an index that is drawn may not be put under 𝔼")
        for name in names[: term.loose]:
            term = instantiate(term, name)
        return instance(inf.state.store.add(term), found, inf.state.store)

    return put


def _definition(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    definition = inf.definitions.get(head(lhs)) if lhs.__class__ in (Sym, Indexed, App) else None
    if definition is None:
        raise Rejection("there is no such definition")
    inf.used.add(definition.name)
    put = _instance_of(inf, definition.left, definition.arity, lhs, free=True)
    return Equation(STRICT, lhs, put(definition.body))


def _instance(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    put = _instance_of(inf, premise.lhs, premise.lhs.loose, lhs)
    where = inf.remaining(Condition(c.kind, put(c.term)) for c in premise.where)
    return Equation(premise.relation, lhs, put(premise.rhs), where)


def _split(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if len(premises) != 2 or rhs is None or rhs.__class__ is not Fn or rhs.key != "cases":
        raise Rejection("split takes an equation for each branch of cases")
    where: frozenset[Condition] = frozenset()
    for position, premise in enumerate(premises, 1):
        if premise.lhs is not lhs or premise.rhs is not rhs.args[position] or premise.relation is VALUE:
            raise Rejection("split takes an equation for each branch of cases")
        where |= inf.remaining(premise.where, branch(rhs, position))
    return Equation(STRICT, lhs, rhs, where)


def _induction(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    """By strong induction on m: F = cases(m > 0: X, else: Y), G = the same with F at smaller m replaced."""
    if len(premises) != 2 or any(p.where or p.relation is VALUE for p in premises):
        raise Rejection("induction takes the recursion and the same for the other side")
    (family, body), (other, replaced) = ((p.lhs, p.rhs) for p in premises)
    guard = body.args[0] if body.__class__ is Fn and body.key == "cases" else None
    if guard is None or guard.__class__ is not Fn or guard.key != "gt" or guard.args[1] is not inf.state.zero:
        raise Rejection("induction is over a family that is cases(m > 0: …, else: …)")
    inf.remaining([Condition("gt", guard.args[0])])  # which sees that it speaks of indices only
    if max(body.loose, other.loose) > family.loose:
        raise Rejection("an index is not determined")
    if recursion_step(inf, family, body, other) is not replaced:
        raise Rejection("the other side does not satisfy the recursion")
    return Equation(STRICT, family, other)


def recursion_step(inf: Inference, family: Term, body: Term, other: Term) -> Term:
    """``cases(m > 0: X, else: Y)`` with the family replaced in X wherever m is smaller by a whole number."""
    measure, arity = body.args[0].args[0], family.loose

    def earlier(node: Term, depth: int) -> Term | None:
        if node.__class__ is not family.__class__ or node.key != family.key:
            return None
        try:
            # seen from below the binders in between, whose indices come first
            put = _instance_of(inf, family, arity, node)
            drop = inf.ring().difference(shift(measure, depth), put(measure))
        except Rejection:
            return None
        return put(other) if list(drop) == [()] and drop[()] >= 1 else None

    step = map_under_binders(body.args[1], earlier, lambda node, depth: False)
    return inf.state.rebuild(body, (body.args[0], inf.state.store.add(step), body.args[2]))


def _cases_split(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    condition = rhs.args[0] if rhs is not None and rhs.__class__ is Fn and rhs.key == "cases" else None
    if condition is None or condition.__class__ is not Fn or condition.key not in ("gt", "ge", "eq"):
        raise Rejection("cases_split is over a comparison")
    if lhs.flags & HAS_EXPECT:
        raise Rejection("a comparison does not move out of 𝔼")
    return Equation(STRICT, lhs, split_on(inf.state, lhs, condition))


def split_on(state: State, term: Term, condition: Term) -> Term:
    """``cases(c: E with 1 for c, else: E with 0 for c)``."""

    def put(value: Term) -> Term:
        def leaf(node: Term, depth: int) -> Term | None:
            same = node.__class__ is Fn and node.key == condition.key and node == shift(condition, depth)
            return value if same else None

        return state.store.add(map_under_binders(term, leaf, lambda node, depth: False))

    return state.node(Fn, "cases", condition, put(state.one), put(state.zero))


def _cases_out(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if lhs.__class__ not in (Add, Mul, Pow, Fn, App, Indexed):
        raise Rejection(f"cases do not move out of {lhs.tag}")
    for position, arg in enumerate(lhs.args):
        if arg.__class__ is Fn and arg.key == "cases":
            first, second = (
                inf.state.rebuild(lhs, (*lhs.args[:position], branch, *lhs.args[position + 1 :]))
                for branch in arg.args[1:]
            )
            return Equation(STRICT, lhs, inf.state.node(Fn, "cases", arg.args[0], first, second))
    raise Rejection("there are no cases among the operands")


# what is supposed, and for what it holds
def _suppose(
    inf: Inference,
    lhs: Term,
    rhs: Term | None,
    premises: _Premises,
    detail: Detail,
    relation: Relation = STRICT,
) -> Equation:
    if rhs is None or premises:
        raise Rejection("a supposition has two sides and no premises")
    every = frozenset(name for name, _, _ in detail)
    return Equation(relation, lhs, rhs, given=frozenset([Supposition(relation, lhs, rhs, every)]))


def _suppose_value(
    inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises, detail: Detail
) -> Equation:
    return _suppose(inf, lhs, rhs, premises, detail, VALUE)


def _spoken(*terms: Term) -> set[str]:
    """Every name in terms: of variables, families, functions, parameters of ∇."""
    named = (n for n in postorder(*terms) if n.__class__ in _NAMED)
    return {str(n.key[0]) if n.__class__ is App else str(n.key) for n in named}


_NAMED = (App, Grad, Grads, Indexed, Sym)


def _hidden_names(inf: Inference) -> set[str]:
    """Every name in definitions and in the laws of draws."""
    rows = [t for r in inf.filtration.rows for t in (r.left, r.law, r.first) if t is not None]
    return _spoken(*(d.body for d in inf.definitions.values()), *rows)


def _bound_names(inf: Inference, equation: Equation) -> set[str]:
    """The names of which an equation or the derivation says more than that they are arbitrary."""
    facts = inf.state.facts
    taken = {*inf.state.defined, *inf.filtration.names, *(name for _, name in facts.assumptions)}
    taken |= {d.name for d in inf.definitions.values()}
    taken |= _hidden_names(inf) | _spoken(*(h.term for h in facts.hypotheses))
    for s in equation.given:
        taken |= _spoken(s.lhs, s.rhs) - s.every
    return taken


def replaced(state: State, root: Term, bodies: dict[str, tuple[int, Term]]) -> Term:
    """The term with free variables and functions replaced by terms over their slots.

    Raises:
        Rejection: a partial derivative of a replaced function, or it has another number of slots.
    """

    def leaf(node: Term, depth: int) -> Term | None:
        name = node.key[0] if node.__class__ is App else node.key
        if node.__class__ not in (App, Sym) or name not in bodies:
            return None
        arity, body = bodies[name]
        body = shift(body, depth, cutoff=arity)
        if len(node.args) != arity or (node.__class__ is App and node.key[4]):
            raise Rejection(f"{name} has other slots, or is differentiated in one")
        for position in range(arity - 1, -1, -1):
            value = map_under_binders(node.args[position], leaf_at(depth), lambda n, d: False)
            body = instantiate(body, shift(value, position))
        return body

    def leaf_at(depth: int) -> Callable[[Term, int], Term | None]:
        return lambda node, below: leaf(node, depth + below)

    return state.store.add(map_under_binders(root, leaf, lambda node, depth: False))


def _substitute(
    inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises, detail: Detail
) -> Equation:
    """What holds for every function f (of its slots only) and every variable x holds for these."""
    premise, state = _only(premises), inf.state
    bodies = {name: (arity, body) for name, arity, body in detail}
    sides = premise.lhs, premise.rhs
    within = _parameters(postorder(*sides))
    params = within | _parameters(postorder(*(d.body for d in inf.definitions.values())))
    if params & bodies.keys():
        raise Rejection("a parameter of ∇ is no variable")
    special = _bound_names(inf, premise) & bodies.keys()
    if special:
        raise Rejection(f"{min(special):.40} is not arbitrary")
    stopped = premise.relation is STRICT and not all(map(state.stop_free, sides))
    averaged = any(side.flags & HAS_EXPECT for side in sides)
    for name, (arity, body) in bodies.items():
        names, nodes = state.mentioned([body]), postorder(body)
        if not state.stop_free(body) or (arity and body.loose > arity):
            raise Rejection(f"{name:.40} is replaced by a ⊥ or an index of somewhere else")
        if any(n.__class__ is Fn and n.key == "slice" for n in nodes) or (arity and AVERAGE in names):
            raise Rejection(f"{name:.40} is replaced by what is no function of its slots")
        visible = params if _defined_names(inf, sides) else within
        if names & visible or (visible and AVERAGE in names):
            raise Rejection(f"{name:.40} is replaced by what depends on a parameter in another way")
        if stopped and arity and not names <= state.facts.indices:
            raise Rejection(f"{name:.40} is replaced by what depends on a parameter in another way")
        if averaged and inf.random(body):
            raise Rejection(f"{name:.40} is replaced by what is drawn, under 𝔼")
        own = _parameters(nodes) | (params if not names.isdisjoint(state.defined) else set())
        if arity and any(state.depends(p, a) for a in _slots_of(name, sides) for p in own):
            raise Rejection(f"a slot of {name:.40} depends on what it is differentiated in")
        if arity and own and stopped:
            raise Rejection(f"{name:.40} is replaced by a derivative where there is a ⊥")
    left, right = (replaced(state, side, bodies) for side in sides)
    where = [Condition(c.kind, replaced(state, c.term, bodies)) for c in premise.where]
    return Equation(premise.relation, left, right, inf.remaining(where), premise.whole)


def _defined_names(inf: Inference, terms: Iterable[Term]) -> bool:
    """Whether a defined name stands in terms, so that a ∇ may be hidden there."""
    return any(n.key in inf.state.defined for n in postorder(*terms) if n.__class__ in (Indexed, Sym))


def _parameters(nodes: Iterable[Term]) -> set[str]:
    """What there is a ∇ in."""
    return {str(n.key) for n in nodes if n.__class__ in (Grad, Grads)}


def _slots_of(name: str, terms: Iterable[Term]) -> list[Term]:
    """What a function is applied to."""
    return [a for n in postorder(*terms) if n.__class__ is App and n.key[0] == name for a in n.args]


def _induction_over(
    inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises, detail: Detail
) -> Equation:
    """P(0), and P(n) where P(n-1) is supposed, give P(n) for the count n, a name of the equation."""
    if len(premises) != 2 or len(detail) != 1 or rhs is None:
        raise Rejection("induction takes P(0), and P(n) from P(n-1)")
    (base, step), ((name, _, _),) = premises, detail
    if name not in inf.state.facts.counts or name in inf.state.defined:
        raise Rejection("induction is over a count")
    if any(p.where or p.whole or p.relation is not step.relation for p in premises):
        raise Rejection("induction is over an equation without conditions")

    def at(number: Term, term: Term) -> Term:
        return replaced(inf.state, term, {name: (0, number)})

    def same(a: Equation | Supposition, number: Term) -> bool:
        sides = ((a.lhs, at(number, lhs)), (a.rhs, at(number, rhs)))
        return a.relation is step.relation and not any(inf.ring().difference(*pair) for pair in sides)

    if not same(base, inf.state.zero):
        raise Rejection("this is no base of the induction")
    hypotheses = {s for s in step.given if same(s, Sym(name) - Num(1))}
    given = (step.given - hypotheses) | base.given
    if any(name in _spoken(s.lhs, s.rhs) for s in given) or name in _hidden_names(inf):
        raise Rejection(f"something is said of {name:.40} elsewhere")
    concluded = Equation(step.relation, step.lhs, step.rhs, given=given)
    every = frozenset[str]().union(*(s.every for s in hypotheses))
    if not every.isdisjoint(_bound_names(inf, concluded)):
        raise Rejection("the hypothesis of the induction is supposed for too many")
    for used in inf.state.facts.hypotheses:
        if name in _spoken(used.term):  # at smaller n too
            inf.state.facts.require(used.kind, inf.state.store.add(abstract(used.term, name)))
    return concluded


def _drawn(
    inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises, detail: Detail, law: type[Term] = Expect
) -> Equation:
    """The law of a draw; of ancestors with ``law=Sum``."""
    if lhs.__class__ is not CondExpect or rhs.__class__ is not CondExpect or len(detail) != 1:
        raise Rejection("the law of a draw is used under 𝔼[· | t]")
    if lhs.args[0] is not rhs.args[0]:
        raise Rejection("the law of a draw changes nothing of what is given")
    target = detail[0][2]
    for row in inf.filtration.rows:
        try:
            put = _instance_of(inf, row.left, row.arity, target, free=True)
        except Rejection:
            continue
        if row.law.__class__ is not law:
            continue
        if law is Expect:
            inf.filtration.draw(row, put, target, lhs, rhs)
        else:
            count, weights = inf.filtration.offspring(row, put, target, lhs, rhs)
            if inf.ring().read(inf.state.store.add(count)):
                raise Rejection("the number of the offspring is wrong")
            total = inf.state.store.add(weights)
            said = any(p.lhs is total and p.rhs is inf.state.one and not p.where for p in premises)
            if not said:
                inf.state.facts.require("normalised", total)
        return Equation(STRICT, lhs, rhs, whole=lhs.loose > 0)
    raise Rejection("nothing says how this is drawn")


def _offspring(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises, detail: Detail) -> Equation:
    return _drawn(inf, lhs, rhs, premises, detail, Sum)


def _only(premises: _Premises) -> Equation:
    if len(premises) != 1:
        raise Rejection("the rule takes one premise")
    return premises[0]


_STRUCTURAL: dict[str, Callable[[Inference, Term, Term | None, _Premises], Equation]] = {
    "inside": _inside,
    "congruence": _congruence,
    "transitivity": _transitivity,
    "symmetry": _symmetry,
    "value": _value,
    "arrow": _arrow,
    "ring": _ring,
    "field": _field,
    "definition": _definition,
    "instance": _instance,
    "split": _split,
    "induction": _induction,
    "cases_out": _cases_out,
    "cases_split": _cases_split,
}
_TOLD: dict[str, Callable[[Inference, Term, Term | None, _Premises, Detail], Equation]] = {
    "suppose": _suppose,
    "suppose_value": _suppose_value,
    "substitute": _substitute,
    "induction_over": _induction_over,
    "expect_draw": _drawn,
    "expect_offspring": _offspring,
}
