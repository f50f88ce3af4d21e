"""Small questions about definitions: base cases, measures, what ∇ reaches in a body."""

from __future__ import annotations

from ..kernel.inference import Definition, head
from ..kernel.rules import meta
from ..language.binding import instantiate
from ..language.terms import Add, Bound, Fn, Indexed, Mul, Num, Stop, Sym, Term, postorder

__all__ = [
    "differentiated",
    "guarded",
    "key_of",
    "measure_of",
    "pattern_of",
    "reached",
    "unfolds_with",
]


def key_of(definition: Definition) -> tuple[object, ...]:
    """What a definition defines, see :func:`~surrogate_calculus.kernel.inference.head`."""
    return head(definition.left)


def guarded(definition: Definition) -> bool:
    """Whether a family has a base case: its body is ``cases(m > 0: …, else: …)``, m an index."""
    body = definition.body
    if body.__class__ is not Fn or body.key != "cases" or definition.left.__class__ is not Indexed:
        return False
    condition = body.args[0]
    return (
        condition.__class__ is Fn
        and condition.key == "gt"
        and condition.args[1] == Num(0)
        and any(n.__class__ is Bound for n in postorder(condition.args[0]))
        and all(n.__class__ in (Add, Mul, Num, Bound, Sym) for n in postorder(condition.args[0]))
    )


def unfolds_with(definition: Definition, also: Definition | None) -> bool:
    """Whether a definition is unfolded along with another one: it itself, or a plain member of its group."""
    if definition is also or also is None:
        return definition is also
    return also.measure is not None and definition.group == also.group and not guarded(definition)


def pattern_of(definition: Definition) -> tuple[Term, Term]:
    """The body and the left side of a definition with metavariables for its indices."""
    body, left = definition.body, definition.left
    for n in range(definition.arity):
        body, left = instantiate(body, meta(str(n))), instantiate(left, meta(str(n)))
    return body, left


def reached(node: Term) -> bool:
    """Whether ∇ reaches the operands of a node: not under ⊥, not in conditions, not in indices."""
    comparison = node.__class__ is Fn and node.key in ("gt", "ge", "eq")
    return node.__class__ not in (Stop, Indexed) and not comparison


def differentiated(term: Term) -> list[Term]:
    """The nodes that ∇ reaches: not below ⊥, not in conditions, not in indices."""
    out: list[Term] = []
    seen: set[int] = set()
    todo = [term]
    while todo:
        node = todo.pop()
        if id(node) in seen or node.__class__ is Stop:
            continue
        seen.add(id(node))
        out.append(node)
        if node.__class__ is Fn and node.key == "cases":
            todo.extend(node.args[1:])
        elif node.__class__ is not Indexed and not (node.__class__ is Fn and node.key in ("gt", "ge", "eq")):
            todo.extend(node.args)
    return out


def measure_of(definition: Definition) -> Term:
    """What a member's recursion decreases, or the m of its base case."""
    return definition.measure if definition.measure is not None else definition.body.args[0].args[0]
