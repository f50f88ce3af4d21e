"""What torch.autograd makes of a surrogate itself: the independent witness of a derived formula.

The expression is computed as a program would compute it, ``⊥`` being ``detach``, and
``torch.autograd.grad`` with ``create_graph`` is run once for every order.  This is reverse mode on
the program; :func:`~.evaluate.evaluate` takes derivatives in forward mode on two copies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.names import canonical_name
from ..language.terms import Axis, Eval, Grad, Indexed, Sym, Term, postorder
from .evaluate import compute, open_axes, read
from .schedule import reached
from .values import Event, Value, named, vector_names

__all__ = ["autodiff", "differentiated", "run"]


def autodiff(
    expr: Term | str,
    wrt: str | Sequence[str],
    order: int = 1,
    values: Mapping[str, Value] | None = None,
    *,
    given: Any = None,
    vector: Collection[str] = (),
    dtype: torch.dtype = torch.float64,
    axes: Mapping[int, int] | None = None,
    notes: list[str] | None = None,
) -> float | Tensor:
    """The derivative that reverse-mode automatic differentiation gives.

    With batched values the derivative is that of every element on its own.

    An arrow → under the derivative cannot be had with ``detach``, which cannot be undone: there the
    graph is built without it, the arrow's own copies both live, and ``notes`` receives a sentence
    that says so.

    Args:
        expr: the surrogate, a closed term or its text.
        wrt: the parameter; a sequence of names is a mixed derivative, innermost first.
        order: how many times to differentiate (with a single name).
        values: as for :func:`~.evaluate.evaluate`.
        given: the document that a text is read with and whose definitions are unfolded.
        vector: names of vector parameters that the expression does not show to be such.
        dtype: of all computation.
        axes: lengths of open coordinate axes that the values do not show.
        notes: a list that takes sentences on what could not be computed as written.

    Returns:
        As :func:`~.evaluate.evaluate`; a vector parameter adds an axis for each derivative.

    Raises:
        EvaluationError: as for evaluation; also where ``wrt`` does not occur in the expression.
    """
    expr, vector = read(expr, given, vector)
    values = named({} if values is None else values)
    term = differentiated(expr, wrt, order, values, vector, given)
    return compute(
        term, values, dtype=dtype, axes=axes, vector=vector, reverse=True, notes=notes, given=given
    )


def run(
    term: Term,
    values: Mapping[str, Value],
    *,
    dtype: torch.dtype = torch.float64,
    axes: Mapping[int, int] | None = None,
    vector: Collection[str] = (),
    notes: list[str] | None = None,
    given: Any = None,
) -> float | Tensor:
    """A term with its own ∇ and ⊥, such as →∇∇E, run as the program that it describes."""
    while isinstance(term, Eval):
        term = term.args[0]
    return compute(
        term, values, dtype=dtype, axes=axes, vector=vector, reverse=True, notes=notes, given=given
    )


def differentiated(
    expr: Term,
    wrt: str | Sequence[str],
    order: int,
    values: Mapping[str, Value],
    vector: Collection[str] = (),
    given: Any = None,
) -> Term:
    """``∇…∇ expr``: a ∇ for every order, with a new coordinate axis where the parameter is a vector."""
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise EvaluationError(f"no derivative has order {order!r}", instead="0, 1, 2, …")
    if not isinstance(wrt, str) and not (
        isinstance(wrt, Sequence) and wrt and all(isinstance(name, str) for name in wrt)
    ):
        raise EvaluationError(
            f"wrt is a name or a sequence of names, not {wrt!r}", instead="wrt='θ' or wrt=('θ', 'φ')"
        )
    names = [canonical_name(name) for name in ([wrt] * order if isinstance(wrt, str) else wrt)]
    if not isinstance(wrt, str) and order not in (1, len(names)):
        raise EvaluationError(
            f"order {order} and {len(names)} names to differentiate in", instead="one name for every order"
        )
    nodes = postorder(expr) if given is None else reached(expr, given)
    vectors = vector_names(nodes, vector)
    families = {n.key for n in nodes if isinstance(n, Indexed)}
    occurring = families | {n.key for n in nodes if isinstance(n, Sym)}
    term = expr
    axis = open_axes(expr)
    for name in names:
        if name not in occurring:
            raise EvaluationError(
                f"{name} does not occur in the expression",
                instead="one of " + ", ".join(sorted(occurring)) if occurring else None,
            )
        if name in vectors or name in families or isinstance(values.get(name), Event):
            axis += 1
            term = Grad(name, term, Axis(axis))
        else:
            term = Grad(name, term)
    return term
