"""Open coordinate axes: which axes an expression has, and moving them for an outer product.

Inside, everything is scalar; what a reader sees as a vector or a matrix is a scalar term with open
:class:`~surrogate_calculus.language.terms.Axis` leaves, numbered from 1.  The type rule: summands
have the same axes, factors have different ones, functions and powers are taken of scalars.  A
bracket such as ``[k = @1]`` compares an axis with an index and has that axis; ``cases`` chooses among what
may have axes, a scalar being the same for every coordinate, as in the derivative of a product ∏.
"""

from __future__ import annotations

from ..errors import TermError
from .terms import HAS_AXIS, Add, App, Axis, CondExpect, Expect, Fn, Grads, Mul, Pow, Term, postorder, rebuild

__all__ = ["Axes", "shift_axes"]

_NONE: frozenset[int] = frozenset()
_BRACKETS = frozenset({"gt", "ge", "eq"})


class Axes:
    """Open axes of terms, memoised by node for the length of one computation."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done: dict[int, tuple[Term, frozenset[int]]] = {}

    def of(self, term: Term) -> frozenset[int]:
        """The numbers of the open axes of the term; linear in what was not asked before."""
        if not term.flags & HAS_AXIS:
            return _NONE
        done = self._done
        found = done.get(id(term))
        if found is not None:
            return found[1]
        todo = [term]
        while todo:
            node = todo[-1]
            if id(node) in done:
                todo.pop()
                continue
            missing = [a for a in node.args if a.flags & HAS_AXIS and id(a) not in done]
            if missing:
                todo.extend(missing)
                continue
            todo.pop()
            if node.__class__ is Axis:
                own = frozenset((node.key,))
            else:
                own = _NONE.union(*(done[id(a)][1] for a in node.args if a.flags & HAS_AXIS))
            done[id(node)] = (node, own)
        return done[id(term)][1]

    def highest(self, term: Term) -> int:
        """The highest open axis, 0 for a scalar."""
        return max(self.of(term), default=0)

    def check(self, node: Term) -> None:
        """Check the type rule at this node, its children being well-typed.

        Raises:
            TermError: a sum of different shapes, a product of two vectors, a function of a vector.
        """
        if not node.flags & HAS_AXIS:
            return
        if isinstance(node, Add):
            shapes = {self.of(a) for a in node.args}
            if len(shapes) > 1:
                names = " and ".join(sorted(_shape(s) for s in shapes))
                raise TermError(
                    f"a sum of {names}",
                    instead="write each summand over the same axes; ∇θ of every one, or ⊗ with a vector",
                )
        elif isinstance(node, Mul):
            seen: set[int] = set()
            for factor in node.args:
                own = self.of(factor)
                if seen & own:
                    raise TermError(
                        f"a product of two factors over the axis {min(seen & own)}",
                        instead="write A ⊗ B (or outer(A, B)) for the outer product",
                    )
                seen |= own
        elif isinstance(node, (Pow, Fn, App)):
            if isinstance(node, Fn) and node.op in _BRACKETS:
                return
            inside = node.slots if isinstance(node, App) else node.args
            if isinstance(node, Fn) and node.op == "cases":
                inside = node.args[:1]  # what is chosen may be of any shape
            for arg in inside:
                if self.of(arg):
                    raise TermError(
                        f"a function or a power of {_shape(self.of(arg))}",
                        instead="take functions of scalars: one coordinate is ∇[θ[k]](…)",
                    )
        elif isinstance(node, Expect) and self.of(node.law):
            raise TermError("a law with open axes", instead="draw from a density of scalars and parameters")
        elif isinstance(node, (Grads, CondExpect)) and self.of(node.args[0]):
            raise TermError(
                "an order or a time with open axes", instead="write a count, an index or a number"
            )


def _shape(axes: frozenset[int]) -> str:
    if not axes:
        return "a scalar"
    kind = {1: "a vector", 2: "a matrix"}.get(len(axes), "a tensor")
    return f"{kind} over @{', @'.join(map(str, sorted(axes)))}"


def shift_axes(term: Term, by: int) -> Term:
    """The term with every axis number moved up by ``by``."""
    if by == 0 or not term.flags & HAS_AXIS:
        return term
    done: dict[int, Term] = {}
    for node in postorder(term):
        if not node.flags & HAS_AXIS:
            done[id(node)] = node
        elif node.__class__ is Axis:
            done[id(node)] = Axis(node.key + by)
        else:
            done[id(node)] = rebuild(node, tuple(done[id(a)] for a in node.args))
    return done[id(term)]
