"""The schema rules, computed: one step of ∇, of → and of ⊥ at a node.

A step is applied to the operator over *one* constructor.  What it says about the operands, ``∇A`` say,
is either left as it is or, where an equation ``∇A = …`` has been proved already, replaced by its right
side; products with 0 and sums with 0 vanish on the way.  So a derivation over a shared DAG takes one
step for each shared node, however often the node occurs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ..language.terms import (
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
)
from .judgement import Rejection
from .matching import Substitution, instance
from .rules import FUNCTION_DERIVATIVES
from .state import State

__all__ = ["State", "evaluation", "gradient", "stopping"]

#: (rule, right side)
_Step = tuple[str, Term]


@dataclass(slots=True)
class _Nabla:
    """A ∇ being moved inside.

    Attributes:
        state: what has been proved.
        param: the parameter.
        coordinate: empty for a scalar parameter, else the one component.
    """

    state: State
    param: str
    coordinate: tuple[Term, ...]

    def __call__(self, term: Term) -> Term:
        """What a rule writes for ``∇A``: what it is known to equal, 0 for a constant, or itself."""
        state = self.state
        found = state.proved(Grad, self.param, self.coordinate).get(id(term))
        if found is not None:
            return found
        live = state.depends(self.param, term)
        return state.node(Grad, self.param, term, *self.coordinate) if live else state.zero


def gradient(state: State, param: str, coordinate: tuple[Term, ...], node: Term) -> _Step:
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
    return rule(state, _Nabla(state, param, coordinate), node)


def _parameter(state: State, d: _Nabla, node: Term) -> _Step:
    if node.key != d.param:
        raise Rejection(f"{node.key} is defined: unfold it first")
    if node.__class__ is Sym and not d.coordinate:
        return "grad_parameter", state.one
    if (
        node.__class__ is Sym
        or not d.coordinate
        or len(node.args) != 1
        or state.depends(d.param, node.args[0])
    ):
        raise Rejection(f"the derivative of a vector, {d.param}, is of one component in one coordinate")
    return "grad_parameter", state.node(Fn, "eq", node.args[0], d.coordinate[0])


def _sum(state: State, d: _Nabla, node: Term) -> _Step:
    return "grad_sum", state.total([d(a) for a in node.args])


def _product(state: State, d: _Nabla, node: Term) -> _Step:
    args = node.args
    inner = [(k, d(factor)) for k, factor in enumerate(args)]
    terms = [state.product(*args[:k], x, *args[k + 1 :]) for k, x in inner if x is not state.zero]
    return "grad_product", state.total(terms)


def _power(state: State, d: _Nabla, node: Term) -> _Step:
    base, exponent = node.args
    if exponent.__class__ is not Num:
        return _by_partials(state, d, node, "power_general")
    n: Fraction = exponent.key
    if n.denominator != 1 or n < 1:
        state.facts.require("nonzero" if n.denominator == 1 else "positive", base)
    lower = state.one if n == 1 else base if n == 2 else state.node(Pow, None, base, state.node(Num, n - 1))
    return "grad_power", state.product(state.node(Num, n), lower, d(base))


def _function(state: State, d: _Nabla, node: Term) -> _Step:
    if node.key == "cases":
        condition, then, other = node.args
        return "grad_cases", state.node(Fn, "cases", condition, d(then), d(other))
    return _by_partials(state, d, node, node.key)


def _by_partials(state: State, d: _Nabla, node: Term, name: str) -> _Step:
    """``∇f(A, B) = factor * (f₁ ∇A + f₂ ∇B)``, from a table."""
    if name not in FUNCTION_DERIVATIVES:
        raise Rejection(f"no rule for the derivative of {name}")
    factor, partials, conditions = FUNCTION_DERIVATIVES[name]
    found: Substitution = {f"?{letter}": (arg, 0) for letter, arg in zip("AB", node.args, strict=False)}
    for kind, condition in conditions:
        state.facts.require(kind, instance(condition, found, state.store))
    factor, *outer = [instance(term, found, state.store) for term in (factor, *partials)]
    terms = [state.product(o, d(a)) for o, a in zip(outer, node.args, strict=True)]
    return f"grad_{name}", state.product(factor, state.total(terms))


def _chain(state: State, d: _Nabla, node: Term) -> _Step:
    assert isinstance(node, App)
    if any(state.depends(d.param, c) for c in node.args[node.n_slots :]):
        raise Rejection("the coordinate of a derivative depends on the parameter")
    terms = []
    for position, slot in enumerate(node.slots, start=1):
        itself = slot.__class__ is Sym and slot.key == d.param
        inner = state.one if itself else d(slot)
        if inner is not state.zero:
            coordinate = d.coordinate[0] if itself and d.coordinate else None
            partial = node.with_partials((*node.partials, (position, coordinate)))
            terms.append(state.product(state.node(App, partial.key, *partial.args), inner))
    return "grad_chain", state.total(terms)


def _series(state: State, d: _Nabla, node: Term) -> _Step:
    lo, hi, body = node.args
    if state.depends(d.param, lo) or state.depends(d.param, hi):
        raise Rejection("the range of a sum or product depends on the parameter")
    hint: str = node.hint  # type: ignore[attr-defined]
    inner = _Nabla(state, d.param, state.under_binder(d.coordinate))(body)
    if inner is state.zero and node.__class__ is Sum:
        return "grad_series", state.zero
    if node.__class__ is Sum:
        return "grad_series", state.store.node(Sum, None, (lo, hi, inner), hint)
    # Σ over which factor is differentiated: no factor need be non-zero
    chosen = state.node(Fn, "eq", state.node(Bound, 0), state.node(Bound, 1))
    factor = state.node(Fn, "cases", chosen, state.moved(inner, cutoff=1), state.moved(body, cutoff=1))
    product = state.store.node(Prod, None, (state.moved(lo), state.moved(hi), factor), hint)
    return "grad_series_product", state.store.node(Sum, None, (lo, hi, product), hint)


def _second(state: State, d: _Nabla, node: Term) -> _Step:
    """∇φ of an unexpanded ∇θ f(x; θ, g(φ)): of what ∇θ f is known to equal."""
    inner = state.known(node)
    if inner is None:
        raise Rejection("the inner ∇ has not been pushed inside")
    return "grad_grad", d(inner)


_GRADIENT: dict[type[Term], Callable[[State, _Nabla, Term], _Step]] = {
    Sym: _parameter, Indexed: _parameter, Add: _sum, Mul: _product, Pow: _power, Fn: _function,
    App: _chain, Sum: _series, Prod: _series, Grad: _second,
}  # fmt: skip


def evaluation(state: State, node: Term) -> _Step:
    """One step of ``→node``: the name of the rule and the right side.

    Raises:
        Rejection: ∇ and 𝔼 over a ⊥ must be worked out before evaluation (Eq. 5 does not apply).
    """
    cls = node.__class__
    if state.stop_free(node) or (cls in (Expect, CondExpect) and not state.bare(node)):
        return "eval_free", node
    if cls in (Sym, Indexed):
        raise Rejection(f"{node.key} is defined with a ⊥: unfold it first")
    if cls in (Grad, Grads, Expect, CondExpect):
        raise Rejection("→ does not move inside ∇ or 𝔼 while ⊥ occurs below it")
    proved = state.proved(Eval)
    args = [a if state.stop_free(a) else proved.get(id(a)) or state.node(Eval, None, a) for a in node.args]
    if cls in (Stop, Eval):
        return ("eval_stop" if cls is Stop else "eval_eval"), args[0]
    return "eval_function", state.rebuild(node, tuple(args))


def stopping(state: State, node: Term) -> _Step:
    """One step of ``⊥node``: the name of the rule and the right side.

    Raises:
        Rejection: ⊥ of a name or of a ∇ stays as it is.
    """
    if node.__class__ is Stop or state.fixed(node):
        return ("stop_stop" if node.__class__ is Stop else "stop_number"), node
    if node.__class__ is Eval:
        return "stop_eval", state.node(Stop, None, node.args[0])
    if node.__class__ in (Grad, Grads, Expect, CondExpect, Sym, Indexed):
        raise Rejection(f"⊥ does not move inside {node.tag}")
    kept = [a.__class__ is not Num and state.fixed(a) for a in node.args]
    args = (a if keep else state.node(Stop, None, a) for a, keep in zip(node.args, kept, strict=True))
    return "stop_function", state.rebuild(node, tuple(args))
