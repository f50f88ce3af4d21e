"""One inference: a rule, the left side, the premises; out comes an equation, or a rejection.

This is all that the checker believes.  Strategies call the same functions, so what they derive is
built of the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from ..language.binding import instantiate, map_under_binders, shift
from ..language.terms import (
    HAS_EXPECT,
    HAS_GRAD,
    Add,
    App,
    Bound,
    Eval,
    Expect,
    Fn,
    Grad,
    Indexed,
    Mul,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from .calculus import State, evaluation, gradient, stopping
from .judgement import Condition, Equation, Rejection, Relation
from .matching import instance, match
from .polynomial import Ring
from .ranges import Ranges
from .rules import RULES, Rule, meta

__all__ = ["Definition", "Inference", "head", "recursion_step", "replace_inside", "split_on"]

STRICT, VALUE = Relation.STRICT, Relation.VALUE


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
    """

    state: State
    definitions: dict[tuple[object, ...], Definition] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

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

    def infer(self, rule: str, lhs: Term, rhs: Term | None, premises: Sequence[Equation]) -> Equation:
        """The equation that the rule gives.

        Args:
            rule: a name of :data:`~surrogate_calculus.kernel.rules.RULES`.
            lhs: the left side, a term of the state's store.
            rhs: the right side, or None where the rule computes it.
            premises: earlier conclusions.

        Raises:
            Rejection: the rule does not give an equation with these sides.
        """
        schema = RULES.get(rule)
        if schema is None:
            raise Rejection(f"there is no rule {rule!r}")
        structural = _STRUCTURAL.get(rule)
        if structural is not None:
            equation = structural(self, lhs, rhs, premises)
        else:
            if premises:
                raise Rejection(f"{rule} takes no premises")
            equation = self._computed(schema, lhs, rhs)
        if equation.lhs is not lhs or (rhs is not None and equation.rhs is not rhs):
            raise Rejection(f"{rule} does not give what is claimed")
        if any(p.whole for p in premises):
            roots = {"inside": [lhs], "induction": [p.rhs for p in premises]}.get(rule, ())
            if lhs.__class__ is Expect or any(t.flags & HAS_EXPECT for t in roots):
                raise Rejection("an equation about whole numbers may not be used under 𝔼")
            equation = replace(equation, whole=max(lhs.loose, equation.rhs.loose) > 0)
        worked_out = schema.operator or (lhs.__class__ is Grad and equation.rhs.__class__ is not Grad)
        if worked_out and equation.relation is STRICT and not equation.where and not equation.whole:
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
                else:
                    state.facts.require(kind, term)
            out = instance(schema.right, found, state.store)
            whole = any(c.kind in ("int", "whole") for c in where) and any(a.loose for a in lhs.args[:2])
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
        inner = under_grad if cls in (Grad, Indexed) else stopped if cls in (Stop, Eval) else context
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
    if relation is VALUE and lhs.__class__ in (Grad, Indexed):  # what an index does, a definition may hide
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
    if cls is Fn and node.key == "cases" and position > 0:
        facts = _branch(state, node.args[0], position == 1)
        return inf.remaining(where, facts) if facts else where
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


def _branch(state: State, condition: Term, holds: bool) -> list[Condition]:
    """What a comparison of indices says in the first branch of cases, or in the other."""
    if condition.__class__ is not Fn or condition.key not in ("gt", "ge"):
        return []
    strict = (condition.key == "gt") is holds
    larger, smaller = condition.args if holds else reversed(condition.args)
    return [Condition("gt" if strict else "ge", state.store.add(larger - smaller))]


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

    def put(term: Term) -> Term:
        if term.loose > arity:
            raise Rejection("an index is not determined")
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
        where |= inf.remaining(premise.where, _branch(inf.state, rhs.args[0], position == 1))
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
