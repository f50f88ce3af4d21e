"""What a loss computes instead: summands that are lost, or a surrogate with one ⊥ more or less.

These are guesses that fit the numbers, offered to a reader who must find the fault; nothing rests on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import torch
from torch import Tensor

from ...errors import SurrogateError
from ...language.terms import Add, Eval, Grad, Mul, Num, Stop, Sym, Term, add, mul, postorder, rebuild
from ...printing.text import to_unicode
from ..schedule import is_dynamic
from .comparison import Comparison, Group
from .program import lengths_of
from .theory import Derivative

__all__ = ["another_surrogate", "other_summands"]

#: Formulas with more summands, and surrogates with more subterms, are not looked into.
_SUMMANDS, _VARIANTS = 8, 40
#: How much rounding a guess may show, in tolerances of the check.
_SLACK = 100.0


def other_summands(comparison: Comparison, groups: Sequence[Group], derivative: Derivative) -> str | None:
    """A sentence on the summands of the formula with which autograd agrees, or None.

    The multiples of the summands that fit best are taken where they are whole or half, are decided by the
    numbers, and fit every point.
    """
    estimator = comparison.theory.estimators[derivative]
    parts = _summands(estimator.term)
    if len(parts) > _SUMMANDS:
        return None
    columns: list[list[Tensor]] = [[] for _ in parts]
    target: list[Tensor] = []
    for group in groups:
        scale = comparison.scale(group, derivative)
        for values, rows, blocks in zip(group.points, group.rows, group.blocks, strict=True):
            lengths = lengths_of(values, comparison.program.wrt)
            target.append((blocks[derivative].found / scale).reshape(-1))
            for column, part in zip(columns, parts, strict=True):
                by_rows = comparison.theory.block(part, derivative, values, lengths, rows, estimator.document)
                column.append((comparison.reduced(by_rows) / scale).reshape(-1))
    matrix = torch.stack([torch.cat(column) for column in columns], 1)
    wanted = torch.cat(target)
    if not bool(torch.isfinite(wanted).all()) or not bool(torch.isfinite(matrix).all()):
        return None
    # A summand that is 0 at every point may be there or not: it is taken to be there.
    live = (matrix.abs().amax(0) > comparison.tolerance).nonzero().reshape(-1)
    matrix = matrix[:, live]
    if not len(live) or len(wanted) <= len(live):
        return None
    if int(torch.linalg.matrix_rank(matrix, rtol=1e-8)) < len(live):
        return None
    halves = (torch.linalg.lstsq(matrix, wanted).solution * 2).round() / 2
    off = (matrix @ halves - wanted).abs().max()
    if float(off) > _SLACK * comparison.tolerance or float(halves.abs().max()) > 8:
        return None
    multiples = torch.ones(len(parts), dtype=halves.dtype)
    multiples[live] = halves
    if bool((multiples == 1).all()):
        return None
    return _said(parts, [Fraction(float(c)) for c in multiples], comparison)


def _summands(term: Term) -> tuple[Term, ...]:
    """What a formula is the sum of, products of sums multiplied out as long as that is short."""
    if isinstance(term, Add):
        parts = tuple(part for a in term.args for part in _summands(a))
        return parts if len(parts) <= _SUMMANDS else term.args
    if isinstance(term, Mul) and any(isinstance(a, Add) for a in term.args):
        factors = [_summands(a) if isinstance(a, Add) else (a,) for a in term.args]
        if math.prod(map(len, factors)) <= _SUMMANDS:
            return tuple(mul(*chosen) for chosen in product(*factors))
    return (term,)


def _said(parts: Sequence[Term], multiples: Sequence[Fraction], comparison: Comparison) -> str:
    vectors = comparison.theory.vectors
    if all(c in (0, 1) for c in multiples) and any(multiples):
        lost = [part for part, c in zip(parts, multiples, strict=True) if not c]
        return f"autograd of the loss lacks {to_unicode(add(*lost), vector=vectors)}"
    kept = [mul(Num(c), part) for part, c in zip(parts, multiples, strict=True) if c]
    if not kept:
        return "autograd of the loss gives 0"
    return f"autograd of the loss gives {to_unicode(add(*kept), vector=vectors)}"


def another_surrogate(
    comparison: Comparison, groups: Sequence[Group], parameters: Sequence[str]
) -> str | None:
    """A surrogate with one ⊥ less, or one more, whose derivatives are those of the loss; or None."""
    theory = comparison.theory
    if theory.surrogate is None:
        return None
    document, surrogate = theory.document, theory.surrogate
    if document is not None:
        if is_dynamic(document, surrogate):
            return None
        surrogate = document.unfold(surrogate)
    for variant in _variants(surrogate, parameters):
        if _fits(comparison, groups, variant):
            return f"the loss behaves like {to_unicode(variant, vector=theory.vectors)}"
    return None


def _fits(comparison: Comparison, groups: Sequence[Group], variant: Term) -> bool:
    for group in groups:
        for values, rows, blocks in zip(group.points, group.rows, group.blocks, strict=True):
            lengths = lengths_of(values, comparison.program.wrt)
            for derivative, block in blocks.items():
                if not derivative:
                    continue
                try:
                    by_rows = comparison.theory.autodiff(variant, derivative, values, lengths, rows)
                except SurrogateError:
                    return False
                scale = comparison.scale(group, derivative)
                off = (comparison.reduced(by_rows) - block.found).abs() / scale
                if not float(off.max()) <= _SLACK * comparison.tolerance:
                    return False
    return True


def _variants(surrogate: Term, parameters: Sequence[str]) -> Iterator[Term]:
    """The surrogate without one of its ⊥, then with one more, around the largest subterms first."""
    nodes = postorder(surrogate)
    stops = [node for node in nodes if isinstance(node, Stop)]
    for stop in stops[:_VARIANTS]:
        yield _replaced(surrogate, nodes, stop, stop.args[0])
    live = _live(surrogate)
    found = [
        node
        for node in reversed(nodes)
        if id(node) in live
        and node is not surrogate
        and not isinstance(node, (Stop, Num, Eval, Sym, Grad))
        and any(isinstance(n, Sym) and n.name in parameters for n in postorder(node))
    ]
    for node in found[:_VARIANTS]:
        yield _replaced(surrogate, nodes, node, Stop(node))


def _live(surrogate: Term) -> set[int]:
    """The nodes that stand somewhere outside every ⊥."""
    found: set[int] = set()
    todo = [surrogate]
    while todo:
        node = todo.pop()
        if id(node) in found or isinstance(node, Stop):
            continue
        found.add(id(node))
        todo.extend(node.args)
    return found


def _replaced(surrogate: Term, nodes: Sequence[Term], old: Term, new: Term) -> Term:
    """The surrogate with one subterm replaced where it stands outside every other ⊥."""
    done: dict[int, Term] = {}
    for node in nodes:
        if node is old:
            done[id(node)] = new
        elif isinstance(node, Stop) and not isinstance(old, Stop):
            done[id(node)] = node
        else:
            args = tuple(done[id(a)] for a in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            done[id(node)] = node if same else rebuild(node, args)
    return done[id(surrogate)]
