"""The number that a term stands for, in torch.

The value of a term is its meaning where the stopped copy of every parameter equals the live one
(design: the two-copy model).  A ∇ inside is computed, not refused: by forward-mode differentiation
of the live copy, which is elementwise, so that ``∇θ f(x[i]; θ)`` comes out for every i at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.names import canonical_name
from ..language.terms import Axis, Term, postorder
from ..semantics.orders import written_out
from . import arithmetic, derivatives, layout, lookup
from .instructions import Program
from .machine import Machine
from .program import compile_term
from .ranges import arranged
from .schedule import is_dynamic
from .tables import Table
from .trust import ForwardModeWrong
from .values import Bindings, Ranges, Value, bind, kind, named

OPERATIONS = {**layout.OPERATIONS, **lookup.OPERATIONS, **arithmetic.OPERATIONS, **derivatives.OPERATIONS}

__all__ = ["compute", "evaluate", "open_axes", "read"]


def evaluate(
    term: Term | str,
    values: Mapping[str, Value],
    *,
    dtype: torch.dtype = torch.float64,
    axes: Mapping[int, int] | None = None,
    vector: Collection[str] = (),
    given: Any = None,
) -> float | Tensor:
    """The value of a term at the given values of its names.

    Values, by name:

    * a symbol: a float, an int or a tensor; tensors are batches, which broadcast elementwise;
    * a family ``w[t, i]``: a tensor with its index dimensions first, ``w[1, 1]`` being element
      ``[0, 0]``, then the batch; a :class:`~.values.Family` where indices start elsewhere; or a
      callable of int64 index tensors;
    * a vector parameter: a tensor of shape (K, batch …), or an :class:`~.values.Event`;
    * what is handed to functions whole (a trajectory, a data set): an :class:`~.values.Event`;
    * a function or density: a callable of tensors, called with the slots in order, elementwise.
      Under ``"log p"`` instead of ``"p"`` it is the logarithm, and nothing underflows.  A slot that
      holds an Event has its event dimensions last; the result has none.

    With a document, a family is a tensor over the declared ranges of its indices: x[t,i] with t in 0..T
    and i in 1..N has shape (T + 1, N), an ancestor map a[t,i] shape (T, N) and values 1..N.  Counts that
    such shapes show need not be given.  A path ``x̃[1:T,i]`` is handed to a function as one tensor whose
    last axis is time.  Definitions by recursion are loops over time, everything else is batched.

    A family and a symbol, or a function and a symbol, of one name are told apart as ``"x[]"``,
    ``"p()"`` and ``"x"``.  Names may have their ASCII spelling: ``"theta"`` is ``"θ"``.

    At a kink (relu, abs at 0, ties of max and min) a derivative is what torch takes it for; the calculus
    leaves it undefined.

    Args:
        term: a closed term, or its text.
        values: see above.
        dtype: of all computation.
        axes: lengths of open coordinate axes that the values do not show.
        vector: names of vector parameters that the term does not show to be such.
        given: the document that a text is read with and whose definitions are used.

    Returns:
        A float where no tensor went in.  Else a tensor of shape (open axes 1, 2, …, batch …) on the
        device of the tensors.

    Raises:
        EvaluationError: no value for a name, a callable that raises or returns the wrong shape, an
            index out of range, a division by zero, the log of a number that is not positive, the
            root of a negative number, a value that is not a number though all that went in were.
    """
    term, vector = read(term, given, vector)
    return compute(
        term, values, dtype=dtype, axes=axes, vector=vector, reverse=False, notes=None, given=given
    )


def read(term: Term | str, given: Any, vector: Collection[str]) -> tuple[Term, Collection[str]]:
    """Parse a text, unfold definitions without recursions, and learn which parameters are vectors."""
    if given is not None:
        declared = getattr(given, "parameters", None)
        if isinstance(declared, Mapping):
            vector = {*vector, *(name for name, indices in declared.items() if indices is not None)}
    if isinstance(term, str):
        from ..language.parser import parse

        found = parse(term, given, vector=vector)
    elif isinstance(term, Term):
        found = term
    else:
        raise EvaluationError(
            f"an expression is a term or its text, not {kind(term)}", instead='evaluate("x^2", {"x": 3.0})'
        )
    unfolds = given is not None and not is_dynamic(given, found)
    return (given.unfold(found) if unfolds else found), {canonical_name(name) for name in vector}


def compute(
    term: Term,
    values: Mapping[str, Value],
    *,
    dtype: torch.dtype,
    axes: Mapping[int, int] | None,
    vector: Collection[str],
    reverse: bool,
    notes: list[str] | None,
    given: Any = None,
) -> float | Tensor:
    """Compile and run; the common part of :func:`evaluate` and autodiff."""
    if term.loose:
        raise EvaluationError(
            "the term uses an index whose Σ or ∏ is missing", instead="a closed term, or a free index name"
        )
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise EvaluationError(
            f"numbers are computed in a floating-point dtype, not {dtype!r}", instead="dtype=torch.float64"
        )
    values = named(values)
    tables: Mapping[str, Table] = {}
    ranges: Mapping[str, Ranges] = {}
    if given is not None and is_dynamic(given, term):
        term, tables, ranges = arranged(term, given, values)
    term = written_out(term, values)
    nodes = postorder(*(table.body for table in tables.values()), term)
    # In inference mode torch records no graph, and every derivative would come out as 0.
    with torch.inference_mode(False), torch.enable_grad() if reverse else nullcontext():
        bindings: Bindings = bind(
            nodes, values, dtype=dtype, axes=axes, vectors=vector, tables=tables, ranges=ranges
        )
        program = compile_term(
            term,
            axes=max(bindings.axes, default=0),
            vectors=bindings.vectors,
            detach=reverse,
            tables=tables,
        )
        if notes is not None:
            notes.extend(program.notes)
        try:
            out = _run(program, bindings, reverse)
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _too_large(error) from None
        except RuntimeError as error:
            if "can't allocate memory" in str(error):
                raise _too_large(error) from None
            if "derivative for" in str(error) and "not implemented" in str(error):
                raise _no_derivative(error) from None
            raise
    if not bindings.differentiable:
        out = out.detach()
    if bindings.tensor_in or out.dim() > 0:
        return out
    return float(out.detach())


def _run(program: Program, bindings: Bindings, reverse: bool) -> Tensor:
    """Forward mode; where torch gets a callable wrong in it, reverse mode on the same two copies."""
    try:
        return Machine(program, bindings, OPERATIONS, reverse=reverse).result()
    except ForwardModeWrong:
        pass
    with torch.enable_grad():
        return Machine(program, bindings, OPERATIONS, reverse=True).result()


def _no_derivative(error: Exception) -> EvaluationError:
    return EvaluationError(
        f"torch cannot differentiate a callable: {str(error).splitlines()[0]}",
        instead="the same function in other operations of torch",
    )


def _too_large(error: Exception) -> EvaluationError:
    first = next(iter(str(error).splitlines()), "out of memory")
    return EvaluationError(
        f"the values do not fit into memory ({first})",
        instead="shorter ranges or a smaller batch: each Σ and ∏ is laid out along an axis of its own",
    )


def open_axes(term: Term) -> int:
    """The largest open coordinate axis of a term, 0 for none."""
    return max((n.number for n in postorder(term) if isinstance(n, Axis)), default=0)
