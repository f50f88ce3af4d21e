"""The sampling statements of a document, as the kernel takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..kernel.judgement import Draw
from ..language.binding import abstract, map_under_binders
from ..language.declarations import ROW
from ..language.terms import (
    HAS_BARE_STOP,
    App,
    Bound,
    Eval,
    Expect,
    Indexed,
    Num,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)

if TYPE_CHECKING:
    from ..language.declarations import Document, Sample

__all__ = ["draws_of"]


def draws_of(given: Document | None) -> list[Draw]:
    """What is drawn in a document, in the order of its statements, and how.

    A law that is stopped is taken at its value.  Of a law that is a mixture, or of statements whose first
    index is neither declared nor a number, nothing is said but that the family is drawn.
    """
    if given is None:
        return []
    stopped = _stopped(given)
    found = [_draw(sample, given, lambda term: _value(term, stopped)) for sample in given.samples]
    # where nothing is said of one statement, nothing is said of its family
    dark = {draw.left.key for draw in found if draw.law is None}
    unsaid = [Draw(Sym(name), 0, None, None) for name in sorted(dark)]
    return [*(draw for draw in found if draw.left.key not in dark), *unsaid]


def _draw(sample: Sample, given: Document, value: Callable[[Term], Term]) -> Draw:
    nothing = Draw(Sym(sample.name), 0, None, None)
    law, names = sample.law, [index.key for index in sample.indices if isinstance(index, Sym)]
    if not sample.indices or not isinstance(law, App) or len(set(names)) < len(names):
        return nothing
    time = sample.indices[0]
    first = given.indices[time.key][0] if isinstance(time, Sym) and time.name in given.indices else None
    if not isinstance(time if first is None else first, Num) or names != [
        i.key for i in sample.indices[first is None :]
    ]:
        return nothing
    left: Term = Indexed(sample.name, *sample.indices)
    if sample.is_map:
        bounds = given.families[sample.name].shape[-1]
        if bounds is None or sample.indices[-1] != ROW:
            return nothing
        body: Term = Sum(*bounds, abstract(value(law.args[0]), ROW.key), "j")
    else:
        slots = ([value(a) for a in part] for part in (law.arguments, law.given, law.params))
        arguments, conditions, params = slots
        if len(arguments) != 1:
            return nothing
        body = Expect(_abstracted(App(law.name, arguments, conditions, params), left), Bound(0), "z")
    return Draw(_closed(left, names), len(names), _closed(body, names), first)


def _abstracted(term: Term, value: Term) -> Term:
    """The body of a binder over what stood for the drawn value."""
    return map_under_binders(term, lambda n, depth: Bound(depth) if n == value else None, lambda n, d: False)


def _closed(term: Term, names: Sequence[str]) -> Term:
    for name in names:  # the first index ends up outermost
        term = abstract(term, name)
    return term


def _stopped(given: Document) -> set[str]:
    """The defined names that hide a ⊥ outside every →, or may do so."""
    nodes = {d.name: postorder(d.body) for d in given.definitions}
    uses = {name: {n.key for n in body if n.__class__ in (Sym, Indexed)} for name, body in nodes.items()}
    found = {name for name, body in nodes.items() if any(n.__class__ in (Stop, Eval) for n in body)}
    while more := {name for name, used in uses.items() if name not in found and used & found}:
        found |= more
    return found


def _value(term: Term, stopped: set[str]) -> Term:
    """What a term in a law is at its value: without the ⊥ around it, under → where it hides one."""
    while isinstance(term, Stop):
        term = term.args[0]
    hides = any(n.key in stopped for n in postorder(term) if n.__class__ in (Sym, Indexed))
    return Eval(term) if hides or term.flags & HAS_BARE_STOP else term
