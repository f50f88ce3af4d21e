"""Gradients of an order that is a term, written out where the order has a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import EvaluationError
from ..language.linear import Linear, read
from ..language.scanner import MAX_ORDER
from ..language.terms import Grad, Grads, Term, postorder, rebuild

__all__ = ["nested", "written_out"]


def written_out(term: Term, values: Mapping[str, Any]) -> Term:
    """The term with ``∇ᵏ`` as k nested ∇ wherever the values give k; any other ``∇ᵏ`` stays.

    Raises:
        EvaluationError: an order that is negative, no whole number, or too large.
    """
    if not any(isinstance(node, Grads) for node in postorder(term)):
        return term
    done: dict[int, Term] = {}
    for node in postorder(term):
        new = rebuild(node, tuple(done[id(a)] for a in node.args))
        form = read(new.order) if isinstance(new, Grads) else None
        if form is not None:
            for name in [n for n in form.parts if isinstance(values.get(str(n)), int)]:
                form = form.put(name, Linear(values[str(name)]))
            if form.number is not None:
                assert isinstance(new, Grads)
                new = nested(new.param, form.number, new.body)
        done[id(node)] = new
    return done[id(term)]


def nested(param: str, order: Any, body: Term) -> Term:
    """So many ∇ of a body.

    Raises:
        EvaluationError: as :func:`written_out`.
    """
    if order.denominator != 1 or not 0 <= order <= MAX_ORDER:
        raise EvaluationError(
            f"a derivative of the order {order}", instead=f"whole orders from 0 to {MAX_ORDER}"
        )
    for _ in range(int(order)):
        body = Grad(param, body)
    return body
