"""One inference: a rule, the left side, the premises; out comes an equation, or a rejection.

This is all that the checker believes.  Strategies call the same functions, so what they derive is
built of the same steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from ..language.binding import (
    abstract,
    instantiate,
    instantiate_all,
    map_under_binders,
    put_functions,
    shift,
)
from ..language.budget import charge
from ..language.terms import (
    HAS_EXPECT,
    App,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Num,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from .calculus import evaluation, gradient, stopping
from .filtration import Filtration
from .judgement import (
    Claim,
    Condition,
    Definition,
    Detail,
    Draw,
    Equation,
    Rejection,
    Relation,
    Supposition,
    head,
    is_slice,
)
from .matching import instance, match
from .ranges import facts_at
from .rules import GUARDED, RULES, Rule, meta
from .state import AVERAGE, State

__all__ = ["Definition", "Detail", "Inference", "head", "recursion_step", "replaced", "split_on"]

STRICT, VALUE = Relation.STRICT, Relation.VALUE
_Conditions = frozenset[Condition]
_Premises = Sequence[Equation]


class Inference:
    """The inference rules over one state.

    Attributes:
        state: what has been established.
        used: names of the definitions unfolded so far.
        filtration: the draws of the document.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.used: set[str] = set()
        self.filtration = Filtration(state, ())

    def sample(self, rows: Sequence[Draw]) -> None:
        """Tell how families are drawn, in order.

        Raises:
            Rejection: a row that draws what is defined or counts something.
        """
        self.filtration = Filtration(self.state, rows)

    def infer(
        self, rule: str, lhs: Term, rhs: Term | None = None, premises: _Premises = (), detail: Detail = ()
    ) -> Equation:
        """The equation that a rule gives; see :class:`~.judgement.Claim`.

        Raises:
            Rejection: the rule does not give an equation with these sides.
        """
        schema = RULES.get(rule)
        if schema is None:
            raise Rejection(f"there is no rule {rule!r}")
        structural = _STRUCTURAL.get(rule)
        charge(len(lhs.args) / 16)
        if detail and rule not in _TOLD:
            raise Rejection(f"{rule} takes no detail")
        if premises and structural is None:
            raise Rejection(f"{rule} takes no premises")
        if structural is not None:
            equation = structural(self, Claim(rule, lhs, rhs, premises, detail))
        elif schema.operator:
            equation = Equation(STRICT, lhs, self._operated(rule, lhs))
        else:
            equation = self._matched(schema, lhs, rhs)
        if equation.lhs is not lhs or (rhs is not None and equation.rhs is not rhs):
            raise Rejection(f"{rule} does not give what is claimed")
        if rule not in ("suppose", "suppose_value", "induction_over"):  # which see to it themselves
            given = frozenset[Supposition]().union(*(p.given for p in premises))
            equation = replace(equation, given=given) if given or equation.given else equation
        if any(p.whole for p in premises):
            averaged = rule == "induction" and any(p.rhs.flags & HAS_EXPECT for p in premises)
            if lhs.__class__ is Expect or averaged:
                raise Rejection("an equation about whole numbers may not be used under 𝔼")
            equation = replace(equation, whole=max(lhs.loose, equation.rhs.loose) > 0)
        worked_out = schema.operator or (lhs.__class__ is Grad and equation.rhs.__class__ is not Grad)
        if worked_out and equation == Equation(STRICT, lhs, equation.rhs):
            self.state.learn(lhs, equation.rhs)
        return equation

    def _operated(self, rule: str, lhs: Term) -> Term:
        """The right side that a step of ∇, → or ⊥ gives."""
        if lhs.__class__ is Grad:
            name, out = gradient(self.state, lhs.key, lhs.args[1:], lhs.args[0])
        elif lhs.__class__ in (Eval, Stop):
            name, out = (evaluation if lhs.__class__ is Eval else stopping)(self.state, lhs.args[0])
        else:
            raise Rejection(f"{rule} does not apply to {lhs.tag}")
        if name != rule:
            raise Rejection(f"the rule that applies is {name}, not {rule}")
        return out

    def _matched(self, schema: Rule, lhs: Term, rhs: Term | None) -> Equation:
        """The equation that a pattern rule gives."""
        state, rule = self.state, schema.name
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
            elif kind != "known":
                state.facts.require(kind, term)
            elif not self.filtration.known(term.args[1], term.args[0]):  # 𝔼[· | t](A): A is known at t
                raise Rejection(f"{rule}: the factor need not be known at that time")
        out = instance(schema.right, found, state.store, self.filtration.moves)
        ends = lhs.args[:1] if lhs.__class__ is Grads else lhs.args[:2]
        on_whole = any(c.kind in ("int", "whole") for c in where) and any(a.loose for a in ends)
        known = lhs.loose > 0 and any(kind == "known" for kind, _ in schema.conditions)
        return Equation(STRICT, lhs, out, state.remaining(where), on_whole or known)


# ------------------------------------------------------------------------------- rules on premises
def _congruence(inf: Inference, claim: Claim) -> Equation:
    """Equal operands give equal terms; without premises, a term is equal to itself.

    Here conditions are discharged: under Σ and ∏ by the range, in cases by the branch.  Of several equations
    for one operand that is used which leads to the right side, or else leaves the fewest conditions.
    """
    lhs, args, relation, where = claim.lhs, list(claim.lhs.args), STRICT, _Conditions()
    wanted = () if claim.right is None else claim.right.args
    new: dict[int, list[Equation]] = {}
    for premise in claim.premises:
        new.setdefault(id(premise.lhs), []).append(premise)
    for position, arg in enumerate(lhs.args):
        found = [(_discharged(inf.state, lhs, position, p.where), p) for p in new.get(id(arg), ())]
        aim = wanted[position : position + 1]
        if found and arg not in aim:
            left, premise = min(found, key=lambda choice: (choice[1].rhs not in aim, len(choice[0])))
            args[position], where = premise.rhs, where | left
            relation = VALUE if premise.relation is VALUE else relation
    if relation is VALUE and lhs.__class__ in (Grad, Grads, Indexed):  # definitions hide what indices do
        raise Rejection("an equality of values may not be used under ∇ or in an index")
    if lhs.__class__ in (Stop, Eval):
        relation = STRICT
    return Equation(relation, lhs, inf.state.rebuild(lhs, tuple(args)), where)


def _discharged(state: State, node: Term, position: int, where: _Conditions) -> _Conditions:
    """The conditions of an equation about a child that are left for the node itself.

    Raises:
        Rejection: a condition on a bound index that its range does not give.
    """
    if not where:
        return where
    facts = facts_at(node, position)
    if not node.binds or not node.binds[position]:
        return state.remaining(where, facts)
    if node.__class__ is Expect:
        raise Rejection("a condition on indices under 𝔼")
    # within a range the index is a whole number, and may as well be 0 where that is all that counts
    whole = [state.store.add(instantiate(c.term, state.zero)) for c in where if c.kind == "whole"]
    left = state.remaining((c for c in where if c.kind != "whole"), facts)
    outside = [Condition(c.kind, state.moved(c.term, -1)) for c in left]
    return state.remaining(Condition("whole", term) for term in whole).union(outside)


def _transitivity(inf: Inference, claim: Claim) -> Equation:
    premises = claim.premises
    if not premises or any(a.rhs is not b.lhs for a, b in pairwise(premises)):
        raise Rejection("the premises of transitivity do not form a chain")
    relation = VALUE if any(p.relation is VALUE for p in premises) else STRICT
    where = _Conditions().union(*(p.where for p in premises))
    return Equation(relation, premises[0].lhs, premises[-1].rhs, where)


def _symmetry(inf: Inference, claim: Claim) -> Equation:
    return replace(claim.premise, lhs=claim.premise.rhs, rhs=claim.premise.lhs)


def _value(inf: Inference, claim: Claim) -> Equation:
    return replace(claim.premise, relation=VALUE)


def _arrow(inf: Inference, claim: Claim) -> Equation:
    left, right = claim.premise.lhs, claim.premise.rhs
    if left.__class__ is not Eval or right.__class__ is not Eval:
        raise Rejection("arrow needs an equation between two evaluations")
    return replace(claim.premise, relation=VALUE, lhs=left.args[0], rhs=right.args[0])


def _arithmetic(inf: Inference, claim: Claim) -> Equation:
    """``ring``, or ``field`` with denominators multiplied out."""
    ring = inf.state.ring()
    difference = ring.difference(claim.lhs, claim.rhs)
    if difference and (claim.rule == "ring" or not ring.vanishes(difference)):
        what = "polynomials" if claim.rule == "ring" else "fractions"
        raise Rejection(f"the two sides are different {what}")
    return Equation(STRICT, claim.lhs, claim.rhs)


# ------------------------------------------------------------------------- indices and definitions
def _instance_of(
    inf: Inference, left: Term, arity: int, lhs: Term, free: bool = False
) -> Callable[[Term], Term]:
    """What puts into a term the indices that make ``left`` equal to ``lhs``.

    What is proved for every index is so for whole numbers that no parameter moves: ``⊥(i) = i``.  A
    definition is ``free`` to stand for its body at anything.

    Raises:
        Rejection: no indices do, or they leave one undetermined.
    """
    state = inf.state
    names = [meta(str(n)) for n in reversed(range(arity))]  # the innermost index last: ?0
    found = match(state.store.add(instantiate_all(left, names)), lhs)
    if found is None:
        raise Rejection(f"{lhs.tag} {lhs.key or ''} is no instance")
    # no index of a binder inside
    values = {n: state.moved(found[n.key][0], -found[n.key][1]) for n in names if n.key in found}
    for value in values.values():
        if any(map(is_slice, postorder(value))) or not (free or state.whole(value)):
            raise Rejection(f"{value.tag} {value.key or ''} need not be a whole number that is constant")
    moved = any(map(inf.filtration.moves, values.values()))
    if moved and left.flags & HAS_EXPECT:
        raise Rejection("an index that is drawn may not be put under 𝔼")

    def put(term: Term) -> Term:
        wanted = names[max(0, arity - term.loose) :]
        if term.loose > arity or not values.keys() >= set(wanted):
            raise Rejection("an index is not determined")
        if moved and term.flags & HAS_EXPECT:
            raise Rejection("an index that is drawn may not be put under 𝔼")
        return state.store.add(instantiate_all(term, [values[n] for n in wanted]))

    return put


def _definition(inf: Inference, claim: Claim) -> Equation:
    known = claim.lhs.__class__ in (Sym, Indexed, App)
    definition = inf.state.definitions.get(head(claim.lhs)) if known else None
    if definition is None:
        raise Rejection("there is no such definition")
    inf.used.add(definition.name)
    put = _instance_of(inf, definition.left, definition.arity, claim.lhs, free=True)
    return Equation(STRICT, claim.lhs, put(definition.body))


def _instance(inf: Inference, claim: Claim) -> Equation:
    premise = claim.premise
    put = _instance_of(inf, premise.lhs, premise.lhs.loose, claim.lhs)
    where = inf.state.remaining(Condition(c.kind, put(c.term)) for c in premise.where)
    return Equation(premise.relation, claim.lhs, put(premise.rhs), where)


def _induction(inf: Inference, claim: Claim) -> Equation:
    """By strong induction on m: F = cases(m > 0: X, else: Y), G = the same with F at smaller m replaced."""
    if len(claim.premises) != 2 or any(p.where or p.relation is VALUE for p in claim.premises):
        raise Rejection("induction takes the recursion and the same for the other side")
    (family, body), (other, same) = ((p.lhs, p.rhs) for p in claim.premises)
    if recursion_step(inf, family, body, other) is not same:
        raise Rejection("the other side does not satisfy the recursion")
    return Equation(STRICT, family, other)


def recursion_step(inf: Inference, family: Term, body: Term, other: Term) -> Term:
    """``cases(m > 0: X, else: Y)`` with the family replaced in X wherever m is smaller by a whole number.

    Raises:
        Rejection: it is no recursion over indices.
    """
    guarded = match(GUARDED, body)
    if guarded is None:
        raise Rejection("induction is over a family that is cases(m > 0: …, else: …)")
    measure, arity = guarded["?A"][0], family.loose
    inf.state.remaining([Condition("gt", measure)])  # which sees that it speaks of indices only
    if max(body.loose, other.loose) > arity:
        raise Rejection("an index is not determined")

    def earlier(node: Term, depth: int) -> Term | None:
        if node.__class__ is not family.__class__ or node.key != family.key:
            return None
        try:
            # seen from below the binders in between, whose indices come first
            put = _instance_of(inf, family, arity, node)
            drop = inf.state.ring().difference(shift(measure, depth), put(measure))
        except Rejection:
            return None
        return put(other) if list(drop) == [()] and drop[()] >= 1 else None

    step = map_under_binders(body.args[1], earlier, lambda node, depth: False)
    return inf.state.rebuild(body, (body.args[0], inf.state.store.add(step), body.args[2]))


def _cases_split(inf: Inference, claim: Claim) -> Equation:
    condition = claim.rhs.args[0] if claim.rhs.args else claim.rhs
    if condition.__class__ is not Fn or condition.key not in ("gt", "ge", "eq"):
        raise Rejection("cases_split is over a comparison")
    return Equation(STRICT, claim.lhs, split_on(inf.state, claim.lhs, condition))


def split_on(state: State, term: Term, condition: Term) -> Term:
    """``cases(c: E with 1 for c, else: E with 0 for c)``; 𝔼 is left as it is: there c has a law."""

    def put(value: Term) -> Term:
        def leaf(node: Term, depth: int) -> Term | None:
            same = node.__class__ is Fn and node.key == condition.key and node == shift(condition, depth)
            return value if same else None

        left_alone = (Expect, CondExpect)
        return state.store.add(map_under_binders(term, leaf, lambda n, depth: n.__class__ in left_alone))

    return state.node(Fn, "cases", condition, put(state.one), put(state.zero))


# ------------------------------------------------------------- what is supposed, and for what it holds
def _suppose(inf: Inference, claim: Claim) -> Equation:
    if claim.premises:
        raise Rejection("a supposition takes no premises")
    relation = VALUE if claim.rule == "suppose_value" else STRICT
    every = frozenset(name for name, _, _ in claim.detail)
    given = frozenset([Supposition(relation, claim.lhs, claim.rhs, every)])
    return Equation(relation, claim.lhs, claim.rhs, given=given)


def _spoken(*terms: Term) -> set[str]:
    """Every name in terms: of variables, families, functions, parameters of ∇."""
    named = (n for n in postorder(*terms) if n.__class__ in (App, Grad, Grads, Indexed, Sym))
    return {str(n.key[0]) if n.__class__ is App else str(n.key) for n in named}


def _hidden(inf: Inference) -> set[str]:
    """Every name in definitions and in the laws of draws."""
    rows = [t for r in inf.filtration.rows for t in (r.left, r.law, r.first) if t is not None]
    return _spoken(*(d.body for d in inf.state.definitions.values()), *rows)


def _special(inf: Inference, given: Iterable[Supposition]) -> set[str]:
    """The names of which what is given says more than that they are arbitrary; hypotheses aside."""
    state, definitions = inf.state, inf.state.definitions.values()
    taken = {*state.defined, *inf.filtration.names, *(name for _, name in state.facts.assumptions)}
    taken |= {d.name for d in definitions}
    return taken.union(_hidden(inf), *(_spoken(s.lhs, s.rhs) - s.every for s in given))


def replaced(state: State, term: Term, bodies: dict[str, tuple[int, Term]]) -> Term:
    """The term with free variables and functions replaced by terms over their slots.

    Raises:
        Rejection: a partial derivative of a replaced function, or it has another number of slots.
    """
    try:
        return state.store.add(put_functions(term, bodies))
    except ValueError as reason:
        raise Rejection(str(reason)) from None


def _parameters(nodes: Iterable[Term]) -> set[str]:
    """What there is a ∇ in."""
    return {str(n.key) for n in nodes if n.__class__ in (Grad, Grads)}


def _substitute(inf: Inference, claim: Claim) -> Equation:
    """What holds for every function f (of its slots only) and every variable x holds for these."""
    premise, state = claim.premise, inf.state
    bodies = {name: (arity, body) for name, arity, body in claim.detail}
    sides = premise.lhs, premise.rhs
    within = _parameters(postorder(*sides))
    params = within | _parameters(postorder(*(d.body for d in state.definitions.values())))
    # where a defined name stands, a ∇ may be hidden
    hiding = any(n.key in state.defined for n in postorder(*sides) if n.__class__ in (Indexed, Sym))
    visible = params if hiding else within
    special = (_special(inf, premise.given) | params) & bodies.keys()
    if special:
        raise Rejection(f"{min(special):.40} is not arbitrary, or a parameter of ∇")
    stopped = premise.relation is STRICT and not all(map(state.stop_free, sides))
    averaged = any(side.flags & HAS_EXPECT for side in sides)
    for name, (arity, body) in bodies.items():
        names, nodes = state.mentioned([body]), postorder(body)
        slots = [a for n in postorder(*sides) if n.__class__ is App and n.key[0] == name for a in n.args]
        own = _parameters(nodes) | (params if not names.isdisjoint(state.defined) else set())
        if not state.stop_free(body) or (arity and body.loose > arity):
            raise Rejection(f"{name:.40} is replaced by a ⊥ or an index of somewhere else")
        if any(map(is_slice, nodes)) or (arity and AVERAGE in state.mentioned([body], conditions=True)):
            raise Rejection(f"{name:.40} is replaced by what is no function of its slots")
        moving = names & visible or (visible and AVERAGE in names)
        if moving or (stopped and arity and (own or not names <= state.facts.indices)):
            raise Rejection(f"{name:.40} is replaced by what depends on a parameter in another way")
        if averaged and inf.filtration.moves(body):
            raise Rejection(f"{name:.40} is replaced by what is drawn, under 𝔼")
        if arity and any(state.depends(p, a) for a in slots for p in own):
            raise Rejection(f"a slot of {name:.40} depends on what it is differentiated in")
    for used in state.facts.hypotheses:
        if not bodies.keys().isdisjoint(_spoken(used.term)):
            # its loose indices are its own: those of what is put in come behind them
            loose = used.term.loose
            behind = {n: (k, body if k else state.moved(body, loose)) for n, (k, body) in bodies.items()}
            state.facts.require(used.kind, replaced(state, used.term, behind))
    left, right = (replaced(state, side, bodies) for side in sides)
    where = state.remaining(Condition(c.kind, replaced(state, c.term, bodies)) for c in premise.where)
    return Equation(premise.relation, left, right, where, premise.whole)


def _induction_over(inf: Inference, claim: Claim) -> Equation:
    """P(0), and P(n) where P(n-1) is supposed, give P(n) for the count n, a name of the equation."""
    state = inf.state
    if len(claim.premises) != 2 or len(claim.detail) != 1:
        raise Rejection("induction takes P(0), and P(n) from P(n-1)")
    (base, step), ((name, _, _),) = claim.premises, claim.detail
    if name not in state.facts.counts or name in state.defined:
        raise Rejection("induction is over a count")
    if any(p.where or p.whole or p.relation is not step.relation for p in claim.premises):
        raise Rejection("induction is over an equation without conditions")

    def says(a: Equation | Supposition, number: Term) -> bool:
        """Whether this is P(number)."""
        sides = (replaced(state, side, {name: (0, number)}) for side in (claim.lhs, claim.rhs))
        same = not any(state.ring().difference(*pair) for pair in zip((a.lhs, a.rhs), sides, strict=True))
        return same and a.relation is step.relation

    if not says(base, state.zero):
        raise Rejection("this is no base of the induction")
    hypotheses = {s for s in step.given if says(s, Sym(name) - Num(1))}
    given = (step.given - hypotheses) | base.given
    if any(name in _spoken(s.lhs, s.rhs) for s in given) or name in _hidden(inf):
        raise Rejection(f"something is said of {name:.40} elsewhere")
    asked = _spoken(*(h.term for h in state.facts.hypotheses))
    if (_special(inf, given) | asked) & frozenset[str]().union(*(s.every for s in hypotheses)):
        raise Rejection("the hypothesis of the induction is supposed for too many")
    for used in state.facts.hypotheses:
        if name in _spoken(used.term):  # at smaller n too
            state.facts.require(used.kind, state.store.add(abstract(used.term, name)))
    return Equation(step.relation, step.lhs, step.rhs, given=given)


def _drawn(inf: Inference, claim: Claim) -> Equation:
    """The law of a draw, or of ancestors."""
    if len(claim.detail) != 1:
        raise Rejection("the law of a draw is told what is drawn")
    target, law = claim.detail[0][2], Expect if claim.rule == "expect_draw" else Sum
    for row in inf.filtration.rows:
        if row.law is not None and row.law.__class__ is law:
            try:
                put = _instance_of(inf, row.left, row.arity, target, free=True)
            except Rejection:  # the row is of another time
                continue
            inf.filtration.draw(row, put(row.law), target, claim)
            return Equation(STRICT, claim.lhs, claim.rhs, whole=claim.lhs.loose > 0)
    raise Rejection("nothing says how this is drawn")


_STRUCTURAL: dict[str, Callable[[Inference, Claim], Equation]] = {
    "congruence": _congruence, "transitivity": _transitivity, "symmetry": _symmetry,
    "value": _value, "arrow": _arrow, "ring": _arithmetic, "field": _arithmetic,
    "definition": _definition, "instance": _instance, "induction": _induction, "cases_split": _cases_split,
    "suppose": _suppose, "suppose_value": _suppose, "substitute": _substitute,
    "induction_over": _induction_over, "expect_draw": _drawn, "expect_offspring": _drawn,
}  # fmt: skip
#: Rules that are told more than their sides.
_TOLD = ("suppose", "suppose_value", "substitute", "induction_over", "expect_draw", "expect_offspring")
