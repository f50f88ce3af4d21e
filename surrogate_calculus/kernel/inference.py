"""One inference: a rule, the left side, the premises; out comes an equation, or a rejection.

This is all that the checker believes.  Strategies call the same functions, so what they derive is
built of the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..language.binding import instantiate, shift
from ..language.terms import Eval, Grad, Indexed, Stop, Sym, Term
from .calculus import State, evaluation, gradient, stopping
from .judgement import Equation, Rejection, Relation
from .matching import instance, match
from .polynomial import Ring
from .rules import RULES

__all__ = ["Definition", "Inference", "replace_inside"]

STRICT, VALUE = Relation.STRICT, Relation.VALUE


@dataclass(frozen=True, slots=True)
class Definition:
    """``name[i, j] = body``: the body has the indices as loose bound indices, the last one innermost."""

    name: str
    arity: int
    body: Term


@dataclass(slots=True)
class Inference:
    """The inference rules over one state.

    Attributes:
        state: what has been established.
        definitions: by name.
        used: names of the definitions unfolded so far.
    """

    state: State
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

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
            equation = Equation(STRICT, lhs, self._computed(rule, lhs))
        if equation.lhs is not lhs or (rhs is not None and equation.rhs is not rhs):
            raise Rejection(f"{rule} does not give what is claimed")
        if equation.relation is STRICT:
            self.state.learn(equation.lhs, equation.rhs)
        return equation

    def _computed(self, rule: str, lhs: Term) -> Term:
        """The right side that a schema or pattern rule gives."""
        schema = RULES[rule]
        state = self.state
        if not schema.operator:
            assert schema.left is not None and schema.right is not None
            found = match(schema.left, lhs)
            if found is None:
                raise Rejection(f"{rule} does not match")
            for kind, condition in schema.conditions:
                state.facts.require(kind, instance(condition, found, state.store, free=True))
            return instance(schema.right, found, state.store)
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
        return out


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
        inner = (
            under_grad if node.__class__ is Grad else stopped if node.__class__ in (Stop, Eval) else context
        )
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
    relation, out = replace_inside(inf.state, lhs, premises)
    return Equation(relation, lhs, out)


def _congruence(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    """``inside``, for the children of one node only: so that a chain of nodes costs its length."""
    new = {id(p.lhs): p for p in premises}
    used = [new[id(a)] for a in lhs.args if id(a) in new]
    relation = VALUE if any(p.relation is VALUE for p in used) else STRICT
    if relation is VALUE and lhs.__class__ is Grad:
        raise Rejection("an equality of values may not be used under ∇")
    if lhs.__class__ in (Stop, Eval):
        relation = STRICT
    args = tuple(new[id(a)].rhs if id(a) in new else a for a in lhs.args)
    return Equation(relation, lhs, inf.state.rebuild(lhs, args))


def _transitivity(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if not premises or any(a.rhs is not b.lhs for a, b in pairwise(premises)):
        raise Rejection("the premises of transitivity do not form a chain")
    relation = VALUE if any(p.relation is VALUE for p in premises) else STRICT
    return Equation(relation, premises[0].lhs, premises[-1].rhs)


def _symmetry(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    return Equation(premise.relation, premise.rhs, premise.lhs)


def _value(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    return Equation(VALUE, premise.lhs, premise.rhs)


def _arrow(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    premise = _only(premises)
    if premise.lhs.__class__ is not Eval or premise.rhs.__class__ is not Eval:
        raise Rejection("arrow needs an equation between two evaluations")
    return Equation(VALUE, premise.lhs.args[0], premise.rhs.args[0])


def _ring(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    if rhs is None or Ring(inf.state.facts, inf.state.hidden_names).difference(lhs, rhs):
        raise Rejection("the two sides are different polynomials")
    return Equation(STRICT, lhs, rhs)


def _field(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    ring = Ring(inf.state.facts, inf.state.hidden_names)
    if rhs is None or not ring.vanishes(ring.difference(lhs, rhs)):
        raise Rejection("the two sides are different fractions")
    return Equation(STRICT, lhs, rhs)


def _definition(inf: Inference, lhs: Term, rhs: Term | None, premises: _Premises) -> Equation:
    definition = inf.definitions.get(lhs.key) if lhs.__class__ in (Sym, Indexed) else None
    if definition is None or len(lhs.args) != definition.arity:
        raise Rejection("there is no such definition")
    body = definition.body
    # the last index is innermost: put the values in from inside out, each moved past the ones to come
    for position in range(definition.arity - 1, -1, -1):
        body = instantiate(body, shift(lhs.args[position], position))
    inf.used.add(definition.name)
    return Equation(STRICT, lhs, inf.state.store.add(body))


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
}
