"""``derive``: from a surrogate expression to its estimator."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import DeriveError, UndeclaredZeroError
from ..kernel.inference import Definition
from ..kernel.judgement import Rejection
from ..kernel.polynomial import Ring
from ..language.binding import abstract, instantiate
from ..language.terms import (
    HAS_AXIS,
    HAS_EVAL,
    HAS_GRAD,
    App,
    Axis,
    Eval,
    Grad,
    Indexed,
    Num,
    Store,
    Sym,
    Term,
    postorder,
    rebuild,
    tree_size,
)
from ..printing.text import summary
from .collect import collect
from .derivation import Derivation
from .draws import draws_of
from .families import Families, families_of
from .fold import fold, unfold
from .order import named_indices
from .present import present
from .proof import Proof
from .push import Pusher, gradient_parameters, log_domain

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["collector_paused", "derive", "prepared"]

#: With more hypotheses than this (a filter, unrolled) none is looked at for being false.
MAX_EXAMINED = 200
#: Results that would print with more nodes than this are left in canonical form.
MAX_PRESENTED = 2_000
#: Beyond this order a derivative is not what anybody meant.
MAX_ORDER = 12


def derive(
    expr: Term | str,
    wrt: str | Sequence[str] | None = None,
    order: int = 1,
    *,
    given: Document | None = None,
    vector: Collection[str] = (),
) -> Derivation:
    """Derive what automatic differentiation makes of a surrogate: ``→∇ᵏE``, pushed inside and evaluated.

    Args:
        expr: the surrogate E, a term or text of the language.
        wrt: the parameter; or several, innermost first: ``("θ", "φ")`` derives ``→∇φ∇θ E``.  None takes
            the expression as it stands, with the ∇ and → that are written in it.
        order: k ≥ 1, how often to differentiate in a single ``wrt``.
        given: a document whose declarations and definitions hold.
        vector: names of parameters that are vectors, where no document says so.

    Returns:
        The derivation; its certificate replays in the kernel.

    Raises:
        ParseError: text that is not of the language.
        DeriveError: ``wrt`` does not occur; the order is not from 1 to 12; an operator cannot be worked
            out; the result is zero only because undeclared applications were taken for constants.

    Source: Ścibior & Wood, section 2.2, Eq. 2–5.
    """
    if isinstance(expr, str):
        from ..language.parser import parse

        expr = parse(expr, given, vector=vector)
    if not isinstance(expr, Term):
        raise DeriveError(f"{expr!r:.40} is no expression", instead="a text or a term")
    if expr.loose:
        raise DeriveError("the expression has an index that nothing binds")
    with collector_paused():
        return _derive(expr, wrt, order, given, frozenset(vector))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector: terms form no cycles, and it would walk millions of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():  # what was made counts as old, so that it is not walked now
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _parameters(
    occurring: Collection[str],
    applied: Collection[str],
    wrt: str | Sequence[str] | None,
    order: int,
    given: Document | None,
) -> tuple[str, ...]:
    """The parameters of the ∇s, innermost first, from what the user asked for."""
    from ..language.names import canonical_name

    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= MAX_ORDER:
        raise DeriveError(
            f"the order must be a whole number from 1 to {MAX_ORDER}, not {order!r}",
            instead="--order 2, or order=2",
        )
    if wrt is None:
        return ()
    names = [wrt] if isinstance(wrt, str) else list(wrt)
    names = [canonical_name(n.strip()) for n in names]
    if not names or not all(names):
        raise DeriveError("no parameter to differentiate in", instead="--wrt θ, or wrt='θ'")
    if len(names) > 1 and order not in (1, len(names)):
        raise DeriveError(
            "an order does not go with several parameters", instead="name one for each ∇: wrt='θ,θ,φ'"
        )
    for name in names:
        if name not in occurring and name in applied:
            raise DeriveError(
                f"{name} is applied like a function, so it is no parameter",
                instead=f"{name}*(…) for a product; or differentiate in another name",
            )
        if name not in occurring:
            known = ", ".join(sorted(occurring)) or "none"
            raise DeriveError(
                f"{name} does not occur in the expression, so there is nothing to differentiate in",
                instead=f"one of the names that occur: {known}",
            )
        kind = given.kind(name) if given is not None else None
        if kind in ("a count", "an index", "defined"):
            raise DeriveError(
                f"{name} is {kind}, so nothing can be differentiated in it",
                instead=f"a parameter: {', '.join(given.parameters) if given else ''}",
            )
    return tuple(names * order) if len(names) == 1 else tuple(names)


def _mentioning(nodes: Sequence[Term], params: Collection[str]) -> set[int]:
    """The ids of those nodes, given children first, in which a parameter occurs, stopped or not."""
    found: set[int] = set()
    for node in nodes:
        here = node.__class__ in (Sym, Indexed) and node.key in params
        if here or any(id(a) in found for a in node.args):
            found.add(id(node))
    return found


def _start(proof: Proof, expr: Term, names: Sequence[str], vectors: Collection[str]) -> Term:
    """``→∇…∇E``; each vector ∇ opens the next axis."""
    if not names:
        return expr
    node = proof.state.node
    axis = 0
    if expr.flags & HAS_AXIS:
        axis = max(n.key for n in postorder(expr) if n.__class__ is Axis)
    term = expr
    for name in names:
        if name in vectors:
            axis += 1
            term = node(Grad, name, term, node(Axis, axis))
        else:
            term = node(Grad, name, term)
    return node(Eval, None, term)


def prepared(given: Document | None, positive: Collection[str] = ()) -> Proof:
    """A proof under a document's definitions and what it assumes of its names.

    Args:
        given: the document.
        positive: names of functions that are taken to be positive besides.
    """
    assumptions: list[tuple[str, str]] = [("positive", name) for name in positive]
    if given is not None:
        assumptions += [(kind, name) for name in given.densities for kind in ("positive", "density")]
        assumptions += [("count", name) for name in given.counts]
        defined = {d.name for d in given.definitions}
        names = {*given.indices, *given.index_valued} - defined
        assumptions += [("index", name) for name in names]
    dependence = {n: (lineage.of,) for n, lineage in given.lineages.items()} if given is not None else {}
    return Proof(_definitions(given), assumptions, dependence, draws_of(given))


def _definitions(given: Document | None) -> list[Definition]:
    """A document's definitions, then what densities along a path are, as the kernel takes them."""
    out: list[Definition] = []
    if given is None:
        return out

    def closed(term: Term, indices: Sequence[str]) -> Term:
        for name in indices:  # the first index ends up outermost
            term = abstract(term, name)
        return term

    for d in given.definitions:
        left: Term = Indexed(d.name, *map(Sym, d.indices)) if d.indices else Sym(d.name)
        parts = [None if t is None else closed(t, d.indices) for t in (left, d.body, d.measure)]
        assert parts[0] is not None and parts[1] is not None
        out.append(Definition(parts[0], len(d.indices), parts[1], parts[2], d.group))
    for number, path in enumerate(given.paths.values(), 1 + max((d.group for d in out), default=-1)):
        left, right = closed(path.left, path.variables), closed(path.right, path.variables)
        out.append(Definition(left, len(path.variables), right, None, number))
    return out


def _derive(
    expr: Term,
    wrt: str | Sequence[str] | None,
    order: int,
    given: Document | None,
    vectors: frozenset[str],
) -> Derivation:
    if given is not None:
        vectors |= given.vector_names
    proof = prepared(given)
    expr = proof.add(expr)
    nodes = postorder(expr)
    occurring = {n.key for n in nodes if n.__class__ in (Sym, Indexed)}
    occurring |= {name for defined in occurring for name in proof.state.hidden_names(defined)}
    if wrt is None and not expr.flags & (HAS_GRAD | HAS_EVAL):
        raise DeriveError(
            "no parameter is named, and the expression has no ∇ or → of its own",
            instead="--wrt θ, or wrt='θ'",
        )
    applied = {n.name for n in nodes if isinstance(n, App)}
    names = _parameters(occurring, applied, wrt, order, given)
    # a parameter that occurs with an index, as π[k], is a vector
    vectors |= {n.key for n in nodes if n.__class__ is Indexed and n.key in names}
    start = current = _start(proof, expr, names, vectors)
    done: list[int] = []
    operations: list[int] = []

    def advance(move: Callable[[Term], int | None]) -> None:
        nonlocal current, nodes
        step = move(current)
        if step is not None:
            done.append(step)
            operations.append(step)
            current = proof.right(step)
            nodes = postorder(current)

    bodies = [d.body for d in proof.definitions.values()]
    log_names = log_domain(postorder(current, *bodies)) | set(given.densities if given is not None else ())
    families = None
    if given is not None and any(
        d.left.__class__ is Indexed and d.name in occurring for d in proof.definitions.values()
    ):
        families = Families(proof, given, gradient_parameters(current), log_names)
        plain = current
        advance(families.close)
    else:
        advance(lambda term: unfold(proof, term))
        plain = current
    pusher = Pusher(proof, gradient_parameters(current), log_names, families_of(proof))
    pushed = pusher.push(current)
    operations += pusher.operations
    if pushed is not None:
        done.append(pushed)
        current = proof.right(pushed)
    if families is not None:
        advance(families.settle)
        advance(families.plain_values)
    shown = None
    if given is not None and tree_size(current, MAX_PRESENTED) <= MAX_PRESENTED:
        shown = present(proof, given, families, pusher, expr, current)
    if shown is not None:
        advance(lambda term: shown)
    elif families is None:
        advance(lambda term: collect(proof, term))
        advance(lambda term: fold(proof, term))
    last = proof.chain(done) if done else proof.same(start)
    params = gradient_parameters(plain)
    constants = _constants(postorder(plain), params, given) if params else []
    if current is proof.state.zero:
        if constants:
            _refuse_silent_zero(plain, constants)
        _refuse_absent(params, occurring)
    derivation = Derivation(
        start=start,
        result=named_indices(current, given),
        expression=expr,
        wrt=names,
        vectors=vectors,
        notes=tuple(_note(app, params) for app in constants),
        document=_extended(given, families, current),
        introduced=tuple(d.name for d in families.introduced(current)) if families is not None else (),
        _proof=proof,
        _operations=tuple(operations),
        _last=last,
    )
    if len(proof.state.facts.hypotheses) <= MAX_EXAMINED:
        return replace(derivation, notes=derivation.notes + _false_hypotheses(derivation))
    return derivation


def _extended(given: Document | None, families: Families | None, result: Term) -> Document | None:
    """The document with the families that a result needs and that were defined on the way."""
    from ..language.declarations import Definition as Defined

    new = list(families.introduced(result)) if families is not None else []
    if given is None or not new:
        return given
    assert families is not None
    out: list[Defined] = []
    for d in new:
        names = _index_names(given, families, d)
        values = [Sym(name) for name in reversed(names)]
        body = _with_indices(d.body, values)
        measure = None if d.measure is None else _with_indices(d.measure, values)
        out.append(Defined(d.name, names, body, measure))
    return given.with_definitions(out)


def _with_indices(term: Term, values: Sequence[Term]) -> Term:
    for value in values:
        term = instantiate(term, value)
    return term


def _index_names(given: Document, families: Families, definition: Definition) -> tuple[str, ...]:
    """Names for the indices of a definition: those of the family that it comes from, and of coordinates."""
    before, family, params = families.closed.origin[definition.name]
    like = given.definition(family)
    if like is None:  # made on the way itself
        source = next(d for d in families.proof.definitions.values() if d.name == family)
        own = _index_names(given, families, source)
    else:
        own = like.indices
    names: list[str] = []
    free = [n for n in "srijklmn" if n not in given.names() and n not in own]
    names.extend(free[:before])
    names.extend(own)
    for param in params:
        bounds = given.parameters.get(param)
        declared = [n for n, r in given.indices.items() if r == bounds and n not in names]
        names.append(next(n for n in (*declared, *free) if n not in names))
    return tuple(names)


def _false_hypotheses(derivation: Derivation) -> tuple[str, ...]:
    """Notes on hypotheses that nothing satisfies, such as p/p - 1 ≠ 0: a kink or a pole after evaluation.

    They are no refusal: such a place may stand in a branch or a range that is never reached.
    """
    return tuple(
        f"the hypothesis {h} cannot hold: where its place is reached, evaluation meets a kink or a pole, "
        "and there is no derivative"
        for h in derivation.hypotheses
        if h.term.__class__ is Num and (h.term.key == 0 or (h.kind == "positive" and h.term.key < 0))
    )


def _constants(nodes: Sequence[Term], params: Collection[str], given: Document | None) -> list[App]:
    """Undeclared applications taken for constants: a parameter of a ∇ is not among their arguments."""
    seen: dict[str, App] = {}
    for param in sorted(params):
        mentioning = _mentioning(nodes, (param,))
        for node in nodes:
            declared = given is not None and isinstance(node, App) and given.declares(node.name)
            if isinstance(node, App) and id(node) not in mentioning and not declared:
                seen.setdefault(node.name, node)
    return list(seen.values())


def _note(app: App, params: Collection[str]) -> str:
    shown = f"{app.name}(…)" if app.loose else summary(app)
    missing = sorted(set(params) - {n.key for n in postorder(app) if n.__class__ in (Sym, Indexed)})
    return f"{shown} is taken for constant: {', '.join(missing)} is not among its arguments"


def _refuse_absent(params: Collection[str], occurring: Collection[str]) -> None:
    """An error for a ∇ in names that occur nowhere, where it made the result zero.

    Raises:
        DeriveError: there is such a name.
    """
    absent = sorted(set(params) - set(occurring))
    if absent:
        raise DeriveError(
            f"the derivative is zero only because ∇{absent[0]} is a ∇ in {absent[0]}, which occurs nowhere",
            instead=f"∇ in a name that occurs: {', '.join(sorted(occurring)) or 'none does'}",
        )


def _refuse_silent_zero(start: Term, constants: list[App]) -> None:
    """An error if the result would not be zero with the parameter among the arguments of the constants.

    Raises:
        UndeclaredZeroError: a derivative that is zero for lack of a declaration only.
    """
    params = gradient_parameters(start)
    names = {app.name for app in constants}
    store = Store()
    new: dict[int, Term] = {}
    for node in postorder(store.add(start)):
        args = tuple(new[id(a)] for a in node.args)
        new[id(node)] = rebuild(node, args)
        if isinstance(node, App) and node.name in names:
            app = new[id(node)]
            assert isinstance(app, App)
            present = {n.key for n in postorder(app) if n.__class__ in (Sym, Indexed)}
            widened = (*app.params, *(Sym(p) for p in sorted(params - present)))
            new[id(node)] = App(app.name, app.arguments, app.given, widened, app.partials)
    proof = Proof()
    term = proof.add(new[id(store.add(start))])
    step = Pusher(proof, params, ()).push(term)
    result = term if step is None else proof.right(step)
    try:
        if not Ring(proof.state.facts).read(result):
            return
    except Rejection:  # too large to tell: then it is no zero that anybody can see
        pass
    shown = ", ".join(sorted(names))
    example = constants[0]
    inner = ", ".join(summary(a) for a in example.arguments) if not example.loose else "…"
    missing = sorted(params - {n.key for n in postorder(example) if n.__class__ in (Sym, Indexed)})
    raise UndeclaredZeroError(
        f"the derivative is zero only because {shown} is taken for constant: nothing says how it depends on "
        f"{', '.join(missing)}",
        instead=f"{example.name}({inner}; {missing[0]}) if it depends on it; "
        f"if it does not, the derivative is zero and there is nothing to derive",
    )
