"""A term as somebody would write it in torch: an interpreter of its own, in which ⊥ is ``detach``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    Fn,
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
    rebuild,
)


def loss_of(term: Term, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., torch.Tensor]:
    """The program that a term without ∇ and → describes."""

    def loss(**values: Any) -> torch.Tensor:
        return torch.as_tensor(run(term, values, functions, ()), dtype=torch.float64)

    return loss


def run(term: Term, values: Mapping[str, Any], functions: Mapping[str, Any], bound: Sequence[int]) -> Any:
    def go(node: Term) -> Any:
        return run(node, values, functions, bound)

    match term:
        case Num():
            return torch.tensor(float(term.value), dtype=torch.float64)
        case Sym():
            return values[term.name]
        case Bound():
            return torch.tensor(float(bound[-1 - term.key]), dtype=torch.float64)
        case Indexed():
            return values[term.name][tuple(int(go(a)) - 1 for a in term.args)]
        case Add():
            return sum(map(go, term.args))
        case Mul():
            out = go(term.args[0])
            for factor in term.args[1:]:
                out = out * go(factor)
            return out
        case Pow():
            return go(term.base) ** go(term.exponent)
        case Stop():
            return go(term.args[0]).detach()
        case App():
            return functions[term.name](*map(go, term.slots))
        case Sum() | Prod():
            lo, hi = (int(go(end)) for end in (term.lo, term.hi))
            out = torch.tensor(float(isinstance(term, Prod)), dtype=torch.float64)
            for k in range(lo, hi + 1):
                inner = run(term.body, values, functions, (*bound, k))
                out = out * inner if isinstance(term, Prod) else out + inner
            return out
        case Fn():
            return FUNCTIONS[term.op](*map(go, term.args))
        case _:
            raise TypeError(type(term).__name__)


def _float(condition: torch.Tensor) -> torch.Tensor:
    return condition.to(torch.float64)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid")},
    "softplus": lambda x: torch.log1p(torch.exp(x)),
    "relu": lambda x: torch.where(x > 0, x, 0 * x),
    "abs": torch.abs,
    "sign": lambda x: torch.sign(x).detach(),
    "max": lambda a, b: torch.where(a > b, a, b),
    "min": lambda a, b: torch.where(a < b, a, b),
    "gt": lambda a, b: _float(a > b),
    "ge": lambda a, b: _float(a >= b),
    "eq": lambda a, b: _float(a == b),
    "cases": lambda c, a, b: a if bool(c) else b,
    "pi": lambda: torch.tensor(torch.pi, dtype=torch.float64),
}


def without(term: Term, stop: Term) -> Term:
    """The term with one ⊥ forgotten."""
    new: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(new[id(a)] for a in node.args)
        new[id(node)] = args[0] if node is stop else rebuild(node, args)
    return new[id(term)]
