"""The schema rules, computed: one step of ∇, of → and of ⊥ at a node.

A step is applied to the operator over *one* constructor.  What it says about the operands, ``∇A`` say,
is either left as it is or, where an equation ``∇A = …`` has been proved already, replaced by its right
side; products with 0 and sums with 0 vanish on the way.  So a derivation over a shared DAG takes one
step for each shared node, however often the node occurs.

The ``State`` holds what has been proved and under which hypotheses.  It is used by the checker, which
believes only what it has replayed, and by the strategies, so that nothing is derived by other means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

from ..language.binding import shift
from ..language.terms import (
    HAS_BARE_STOP,
    HAS_EVAL,
    HAS_STOP,
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
    postorder,
    rebuild,
)
from .facts import Facts
from .judgement import Rejection
from .matching import Substitution, instance
from .rules import FUNCTION_DERIVATIVES

__all__ = ["AVERAGE", "State", "evaluation", "gradient", "names_in", "stopping"]

#: Functions that are constant under ∇: the conditions, "stopped by nature".
_STEPS = frozenset({"sign", "gt", "ge", "eq"})
#: Stands for an 𝔼[· | t] among names.
AVERAGE = "𝔼"


class State:
    """What a derivation has established so far; one object for one derivation or one replay.

    Attributes:
        store: makes equal terms identical.
        facts: the hypotheses used, and what discharges them.
    """

    def __init__(self, facts: Facts | None = None) -> None:
        self.store = Store()
        self.facts = facts or Facts()
        self._direct: dict[str, frozenset[str]] = {}  # names in the body of a defined name
        self._hidden: dict[str, frozenset[str]] = {}  # the names reached through bodies
        self._spoken: dict[str, frozenset[str]] = {}  # as direct, with the names in conditions
        self._all: dict[str, frozenset[str]] = {}  # as hidden
        self._stopped: set[str] = set()  # those with a ⊥ or → in a body
        self.whole_names: set[str] = set()  # the defined names of whole numbers
        self.zero = self.store.add(Num(0))
        self.one = self.store.add(Num(1))
        self._known: dict[Any, dict[int, Term]] = {}
        self._depends: dict[str, dict[int, bool]] = {}

    def define(self, names: Collection[str], bodies: Collection[Term]) -> None:
        """Tell that names are defined by one another and by other names.

        A defined name hides what its body depends on and whether a ⊥ stands in it: neither "constant" nor
        "free of ⊥" may be concluded from its looks.
        """
        direct, spoken = names_in(bodies), names_in(bodies, conditions=True)
        for name in names:
            self._direct[name] = self._direct.get(name, frozenset()) | direct
            self._spoken[name] = self._spoken.get(name, frozenset()) | spoken
        self._hidden.clear()
        self._all.clear()
        self._stopped = {n for n in self._direct if "⊥" in self.hidden_names(n)}
        self._depends.clear()

    def mentioned(self, terms: Collection[Term]) -> frozenset[str]:
        """The names in terms, and in the bodies of defined ones, but not those in conditions."""
        direct = names_in(terms)
        return direct.union(*(self.hidden_names(name) for name in direct))

    @property
    def plain(self) -> bool:
        """Whether no definition hides a ⊥ or →."""
        return not self._stopped

    @property
    def defined(self) -> Collection[str]:
        """The names that are defined."""
        return self._direct

    def hidden_names(self, name: str) -> frozenset[str]:
        """The names that a defined name's body mentions, all the way down; none if it is not defined."""
        if name not in self._direct:
            return frozenset()
        if name not in self._hidden:
            self._hidden[name] = _reached(name, self._direct)
        return self._hidden[name]

    def all_hidden_names(self, name: str) -> frozenset[str]:
        """As :meth:`hidden_names`, with what conditions mention."""
        if name not in self._all:
            self._all[name] = _reached(name, self._spoken)
        return self._all[name]

    def stop_free(self, node: Term) -> bool:
        """Whether neither ⊥ nor → occurs in the term, definitions unfolded.

        In an index the conditions of cases do not count: a comparison has a value only.
        """
        marked = node.flags & (HAS_STOP | HAS_EVAL)
        if marked and node.__class__ is not Indexed:
            return False
        if not marked and not self._stopped:
            return True
        return (self._stopped | {"⊥"}).isdisjoint(names_in([node]))

    def bare(self, node: Term) -> bool:
        """Whether a ⊥ may stand outside every →, definitions unfolded."""
        todo, seen = [node] if self._stopped else [], set()
        while todo:
            inner = todo.pop()
            if inner.__class__ in (Sym, Indexed) and inner.key in self._stopped:
                return True
            if id(inner) not in seen and inner.__class__ is not Eval:
                seen.add(id(inner))
                todo.extend(inner.args)
        return bool(node.flags & HAS_BARE_STOP)

    def fixed(self, node: Term) -> bool:
        """Whether a term is made of numbers, counts and indices only, so that ⊥ does nothing to it."""
        return all(
            n.__class__ in (Num, Bound, Axis, Add, Mul)
            or (n.__class__ is Sym and n.key in self.facts.counts and n.key not in self._direct)
            for n in postorder(node)
        )

    def whole(self, term: Term) -> bool:
        """Whether a term is a whole number, for whole indices, that no parameter moves."""
        todo, seen = [term], set()
        while todo:
            node = todo.pop()
            cls, name = node.__class__, node.key
            if id(node) in seen:
                continue
            seen.add(id(node))
            if cls in (Sym, Indexed):
                known = name in self.whole_names or (name in self.facts.indices and name not in self._direct)
            else:
                known = cls in (Bound, Axis, Add, Mul) or (cls is Num and name.denominator == 1)
            if not known and (cls is not Fn or name != "cases"):
                return False
            todo.extend(node.args[1:] if cls is Fn else node.args)
        return True

    # what is proved of operators: ∇A = …, →A = …, ⊥A = …
    def proved(
        self, cls: type[Term], key: object = None, coordinate: tuple[Term, ...] = ()
    ) -> dict[int, Term]:
        """The equations proved of one operator: from ``id(A)`` to the right side of ``∇A = …``."""
        return self._known.setdefault((cls, key, *map(id, coordinate)), {})

    def learn(self, lhs: Term, rhs: Term) -> None:
        """Remember a strict equation whose left side is an operator; the last one proved is used."""
        if lhs.__class__ in (Grad, Eval, Stop):
            self.proved(lhs.__class__, lhs.key, lhs.args[1:])[id(lhs.args[0])] = rhs

    def known(self, lhs: Term) -> Term | None:
        """The right side proved equal to the operator term ``lhs``, if any."""
        return self.proved(lhs.__class__, lhs.key, lhs.args[1:]).get(id(lhs.args[0]))

    def node(self, cls: type[Term], key: object, *args: Term) -> Term:
        """A node of the store."""
        return self.store.node(cls, key, args)

    def rebuild(self, node: Term, args: tuple[Term, ...]) -> Term:
        """The same constructor over other children of the store."""
        if node.__class__ is App:  # its derivatives stay sorted
            node = rebuild(node, args)
            args = node.args
        return self.store.node(node.__class__, node.key, args, getattr(node, "hint", None))

    def under_binder(self, coordinate: tuple[Term, ...]) -> tuple[Term, ...]:
        """A coordinate moved under one more binder."""
        return tuple(self.store.add(shift(c, 1)) for c in coordinate)

    def lift(self, body: Term) -> Term:
        """The body of a binder moved under one more, just outside its own."""
        return self.store.add(shift(body, 1, cutoff=1))

    def total(self, terms: list[Term]) -> Term:
        """A sum without its zeros."""
        terms = [t for t in terms if t is not self.zero]
        if len(terms) > 1:
            return self.store.node(Add, None, tuple(terms))
        return terms[0] if terms else self.zero

    def product(self, *factors: Term) -> Term:
        """A product without its ones; 0 if a factor is 0."""
        zero, one = self.zero, self.one
        kept = []
        for factor in factors:
            if factor is zero:
                return zero
            if factor is not one:
                kept.append(factor)
        if len(kept) > 1:
            return self.store.node(Mul, None, tuple(kept))
        return kept[0] if kept else self.one

    def dependence(self, param: str) -> dict[int, bool]:
        """What :meth:`depends` has found so far, by the ``id`` of the node."""
        return self._depends.setdefault(param, {})

    def depends(self, param: str, node: Term) -> bool:
        """Whether the parameter may occur in the term outside ⊥ (an → is always counted)."""
        memo = self.dependence(param)
        found = memo.get(id(node))
        if found is not None:
            return found
        todo = [node]
        while todo:
            n = todo[-1]
            if id(n) in memo:
                todo.pop()
                continue
            cls = n.__class__
            if cls in (Sym, Indexed) and (
                n.key == param or not self.hidden_names(n.key).isdisjoint((param, AVERAGE))
            ):
                memo[id(n)] = True
                continue
            if cls is Stop or (cls is Fn and n.key in _STEPS):
                memo[id(n)] = False
                continue
            # → lets out what is stopped inside, and the law of the draws depends on every parameter
            if cls in (Eval, CondExpect):
                memo[id(n)] = True
                continue
            missing = [a for a in n.args if id(a) not in memo]
            if missing:
                todo.extend(missing)
            else:
                memo[id(n)] = any(memo[id(a)] for a in n.args)
        return memo[id(node)]


def _reached(name: str, direct: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The names that are reached from one."""
    reached: set[str] = set()
    todo = [name]
    while todo:
        new = direct.get(todo.pop(), frozenset()) - reached
        reached |= new
        todo.extend(new)
    return frozenset(reached)


def names_in(terms: Collection[Term], conditions: bool = False) -> frozenset[str]:
    """The names in terms, ⊥ for a ⊥ or →, and :data:`AVERAGE` for an 𝔼[· | t], which depends on everything.

    What is in conditions has a value only, and is left out unless it is asked for.
    """
    found: set[str] = set()
    seen: set[int] = set()
    todo = list(terms)
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.__class__ in (Sym, Indexed):
            found.add(node.key)
        elif node.__class__ in (Stop, Eval):
            found.add("⊥")
        elif node.__class__ is CondExpect:
            found.add(AVERAGE)
        if conditions or node.__class__ is not Fn or node.key not in _STEPS:
            todo.extend(node.args)
    return frozenset(found)


# ---------------------------------------------------------------------------------------------- ∇
_Derivative = Callable[[Term], Term]
#: (rule, right side)
_Step = tuple[str, Term]
_Where = tuple[Term, ...]


def gradient(state: State, param: str, coordinate: tuple[Term, ...], node: Term) -> tuple[str, Term]:
    """One step of ``∇param node``: the name of the rule and the right side.

    Args:
        state: what has been proved.
        param: the parameter.
        coordinate: empty for a scalar parameter, else the one component.
        node: what is differentiated.

    Raises:
        Rejection: no rule of the calculus moves this ∇ inwards (𝔼, a bare vector, …).
    """
    if param in state.defined or param in state.facts.indices:
        raise Rejection(f"{param} is defined or a whole number, so it is no parameter")
    if not state.depends(param, node):
        return ("grad_stop" if node.__class__ is Stop else "grad_constant"), state.zero
    rule = _GRADIENT.get(node.__class__)
    if rule is None:
        raise Rejection(f"no rule moves ∇ inside {node.tag}")
    return rule(state, param, coordinate, node, _derivative(state, param, coordinate))


def _derivative(state: State, param: str, coordinate: _Where) -> _Derivative:
    """What a rule writes for ``∇A``: what it is known to equal, 0 for a constant, or itself."""
    proved = state.proved(Grad, param, coordinate)
    depends = state.dependence(param)

    def d(term: Term) -> Term:
        found = proved.get(id(term))
        if found is not None:
            return found
        live = depends.get(id(term))
        if live is None:
            live = state.depends(param, term)
        return state.node(Grad, param, term, *coordinate) if live else state.zero

    return d


def _parameter(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    if node.key != param:
        raise Rejection(f"{node.key} is defined: unfold it first")
    if node.__class__ is Sym:
        if coordinate:
            raise Rejection(f"the vector {param} stands in arithmetic without an index")
        return "grad_parameter", state.one
    if not coordinate or len(node.args) != 1 or state.depends(param, node.args[0]):
        raise Rejection(f"the derivative of {param} at an index needs one coordinate")
    return "grad_parameter", state.node(Fn, "eq", node.args[0], coordinate[0])


def _sum(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    return "grad_sum", state.total([d(a) for a in node.args])


def _product(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    args = node.args
    terms = []
    for k, factor in enumerate(args):
        inner = d(factor)
        if inner is not state.zero:
            terms.append(state.product(*args[:k], inner, *args[k + 1 :]))
    return "grad_product", state.total(terms)


def _power(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    base, exponent = node.args
    if exponent.__class__ is Num:
        n: Fraction = exponent.key
        if n.denominator != 1:
            state.facts.require("positive", base)
        elif n < 1:
            state.facts.require("nonzero", base)
        if n == 0:
            return "grad_power", state.zero
        lower = base if n == 2 else state.node(Pow, None, base, state.node(Num, n - 1))
        if n == 1:
            lower = state.one
        return "grad_power", state.product(state.node(Num, n), lower, d(base))
    state.facts.require("positive", base)
    d_base, d_exponent = d(base), d(exponent)
    log = state.node(Fn, "log", base)
    inverse = state.node(Pow, None, base, state.node(Num, Fraction(-1)))
    outer = state.total([state.product(d_exponent, log), state.product(exponent, d_base, inverse)])
    return "grad_power_general", state.product(node, outer)


def _function(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    op: str = node.key
    if op in FUNCTION_DERIVATIVES:
        outer, conditions = FUNCTION_DERIVATIVES[op]
        found: Substitution = {"?A": (node.args[0], 0)}
        for kind, condition in conditions:
            state.facts.require(kind, instance(condition, found, state.store))
        return f"grad_{op}", state.product(instance(outer, found, state.store), d(node.args[0]))
    if op in ("max", "min"):
        a, b = node.args
        minus = state.node(Mul, None, state.node(Num, Fraction(-1)), b)
        state.facts.require("nonzero", state.node(Add, None, a, minus))
        first = state.node(Fn, "gt", *((a, b) if op == "max" else (b, a)))
        second = state.node(Fn, "ge", *((b, a) if op == "max" else (a, b)))
        return "grad_max", state.total([state.product(first, d(a)), state.product(second, d(b))])
    if op == "cases":
        condition, then, other = node.args
        return "grad_cases", state.node(Fn, "cases", condition, d(then), d(other))
    raise Rejection(f"no rule for the derivative of {op}")


def _chain(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    assert isinstance(node, App)
    partials = node.partials
    terms = []
    for position, slot in enumerate(node.slots, start=1):
        if slot.__class__ is Sym and slot.key == param:
            partial = node.with_partials((*partials, (position, coordinate[0] if coordinate else None)))
            terms.append(state.node(App, partial.key, *partial.args))
            continue
        inner = d(slot)
        if inner is not state.zero:
            partial = node.with_partials((*partials, (position, None)))
            terms.append(state.product(state.node(App, partial.key, *partial.args), inner))
    if any(state.depends(param, c) for c in node.args[node.n_slots :]):
        raise Rejection("the coordinate of a derivative depends on the parameter")
    return "grad_chain", state.total(terms)


def _series(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    lo, hi, body = node.args
    if state.depends(param, lo) or state.depends(param, hi):
        raise Rejection("the range of a sum or product depends on the parameter")
    hint: str = node.hint  # type: ignore[attr-defined]
    inner = _derivative(state, param, state.under_binder(coordinate))(body)
    if node.__class__ is Sum:
        if inner is state.zero:
            return "grad_series", state.zero
        return "grad_series", state.store.node(Sum, None, (lo, hi, inner), hint)
    # Σ over which factor is differentiated: no factor need be non-zero
    chosen = state.node(Fn, "eq", state.node(Bound, 0), state.node(Bound, 1))
    factor = state.node(Fn, "cases", chosen, state.lift(inner), state.lift(body))
    ends = (state.store.add(shift(lo, 1)), state.store.add(shift(hi, 1)))
    product = state.store.node(Prod, None, (*ends, factor), hint)
    return "grad_series_product", state.store.node(Sum, None, (lo, hi, product), hint)


def _second(state: State, param: str, coordinate: _Where, node: Term, d: _Derivative) -> _Step:
    """∇φ of an unexpanded ∇θ f(x; θ, g(φ)): of what ∇θ f is known to equal."""
    inner = state.known(node)
    if inner is None:
        raise Rejection("the inner ∇ has not been pushed inside")
    return "grad_grad", d(inner)


_GRADIENT: dict[type[Term], Callable[..., _Step]] = {
    Sym: _parameter,
    Indexed: _parameter,
    Add: _sum,
    Mul: _product,
    Pow: _power,
    Fn: _function,
    App: _chain,
    Sum: _series,
    Prod: _series,
    Grad: _second,
}

# ---------------------------------------------------------------------------------------------- →


def evaluation(state: State, node: Term) -> tuple[str, Term]:
    """One step of ``→node``: the name of the rule and the right side.

    Raises:
        Rejection: ∇ and 𝔼 over a ⊥ must be worked out before evaluation (Eq. 5 does not apply).
    """
    if state.stop_free(node):
        return "eval_free", node
    if node.__class__ in (Sym, Indexed):
        raise Rejection(f"{node.key} is defined with a ⊥: unfold it first")
    if node.__class__ in (Expect, CondExpect) and not state.bare(node):
        return "eval_free", node
    if node.__class__ in (Grad, Grads, Expect, CondExpect):
        raise Rejection("→ does not move inside ∇ or 𝔼 while ⊥ occurs below it")
    proved = state.proved(Eval)
    plain = state.plain
    args = []
    for arg in node.args:
        found: Term | None = arg
        if arg.flags & (HAS_STOP | HAS_EVAL) or not (plain or state.stop_free(arg)):
            found = proved.get(id(arg))
        args.append(state.node(Eval, None, arg) if found is None else found)
    if node.__class__ is Stop or node.__class__ is Eval:
        return ("eval_stop" if node.__class__ is Stop else "eval_eval"), args[0]
    return "eval_function", state.rebuild(node, tuple(args))


def stopping(state: State, node: Term) -> tuple[str, Term]:
    """One step of ``⊥node``: the name of the rule and the right side.

    Raises:
        Rejection: ⊥ of a name or of a ∇ stays as it is.
    """
    if state.fixed(node):
        return "stop_number", node
    if node.__class__ is Stop:
        return "stop_stop", node
    if node.__class__ is Eval:
        return "stop_eval", state.node(Stop, None, node.args[0])
    if node.__class__ in (Grad, Grads, Expect, CondExpect, Sym, Indexed):
        raise Rejection(f"⊥ does not move inside {node.tag}")

    def s(term: Term) -> Term:
        if term.__class__ is not Num and state.fixed(term):
            return term
        return state.node(Stop, None, term)

    return "stop_function", state.rebuild(node, tuple(s(a) for a in node.args))
