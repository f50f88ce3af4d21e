"""Static checks of what has been read: indices within their ranges, maps apart from values.

A walk goes over the nodes of one parse, so that each error has its place.  About ranges only what is
certain is refused: an index that is outside at an end of its range, whatever the counts are.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DeclarationError, Span, TermError
from .arithmetic import Dot, Node
from .linear import Linear, as_term, lowest, read
from .paths import expand, has_slice, is_slice, path_form
from .terms import (
    Add,
    App,
    Bound,
    CondExpect,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Sum,
    Sym,
    Term,
)

if TYPE_CHECKING:
    from .declarations import Document, Range

__all__ = ["Role", "Visit", "check_indices", "is_index_like", "ranged", "walk"]


class Role(Enum):
    """What a part of an expression stands for."""

    VALUE = 1
    INDEX = 2  # all of an index
    OFFSET = 3  # a part of an index: the t of t-1
    SIDE = 4  # of a comparison, where either may stand


class Frame(NamedTuple):
    """A binder around: its variable and its range where that is linear; None for 𝔼."""

    variable: Hashable
    bounds: tuple[Linear, Linear] | None
    outer: Frame | None


class Visit(NamedTuple):
    """A node, what it stands for, the binders around it, whether a condition on indices guards it."""

    node: Node
    role: Role
    frame: Frame | None
    guarded: bool


_RELATIONS = frozenset({"gt", "ge", "eq"})


def walk(root: Node, role: Role = Role.VALUE) -> Iterator[Visit]:
    """Every node below the root, from left to right; placeholders of laws aside."""
    todo = [Visit(root, role, None, False)]
    while todo:
        visit = todo.pop()
        if isinstance(visit.node, Dot):
            continue
        yield visit
        todo.extend(reversed(list(_below(visit))))


def _below(visit: Visit) -> Iterator[Visit]:
    node, role, frame, guarded = visit
    term, kids = node.term, node.kids
    if isinstance(term, (Indexed, App, Grad)):
        for k, kid in enumerate(kids):
            index = isinstance(term, Indexed) or (isinstance(term, Grad) and k == 1)
            yield Visit(kid, Role.INDEX if index else Role.VALUE, frame, guarded)
    elif isinstance(term, (Grads, CondExpect)):
        yield Visit(kids[0], Role.INDEX, frame, guarded)
        yield Visit(kids[1], Role.VALUE, frame, guarded)
    elif isinstance(term, (Sum, Prod)):
        for bound in kids[:2]:
            yield Visit(bound, Role.SIDE, frame, guarded)
        lo, hi = ranged(term.lo, frame), ranged(term.hi, frame)
        inner = Frame(object(), None if lo is None or hi is None else (lo, hi), frame)
        yield Visit(kids[-1], role, inner, guarded)
    elif isinstance(term, Expect):
        inner = Frame(object(), None, frame)
        for kid in kids:
            yield Visit(kid, Role.VALUE, inner, guarded)
    elif isinstance(term, Fn) and term.op in _RELATIONS:
        for kid in kids:
            yield Visit(kid, Role.SIDE, frame, guarded)
    elif isinstance(term, Fn) and term.op == "slice":
        for kid in kids:
            yield Visit(kid, Role.OFFSET, frame, guarded)
    elif isinstance(term, Fn) and term.op == "cases":
        condition, *branches = kids
        yield Visit(condition, Role.VALUE, frame, guarded)
        on_indices = _is_on_indices(condition.term)
        for branch in branches:
            yield Visit(branch, role, frame, guarded or on_indices)
    else:
        part = Role.OFFSET if role is Role.INDEX and isinstance(term, (Add, Mul, Pow, Fn)) else role
        for kid in kids:
            yield Visit(kid, part, frame, guarded)


def _is_on_indices(condition: Term) -> bool:
    """Whether a condition compares linear terms: it may then keep an index within its range."""
    if not (isinstance(condition, Fn) and condition.op in _RELATIONS):
        return isinstance(condition, (Mul, Add))
    return any(read(a, lambda leaf: Linear() if isinstance(leaf, Bound) else None) for a in condition.args)


def ranged(term: Term, frame: Frame | None) -> Linear | None:
    """The linear form of a term under the binders around; None where it is none."""

    def leaf(node: Term) -> Linear | None:
        if not isinstance(node, Bound):
            return None
        here = frame
        for _ in range(node.index):
            here = here.outer if here is not None else None
        return None if here is None else Linear.variable(here.variable)

    return read(term, leaf)


def is_index_like(term: Term, indices: Collection[str], maps: Collection[str]) -> int:
    """Whether every branch of a body is an index: 2 if one is a map, 1 if one names an index, else 0."""
    todo, found = [term], 0
    while todo:
        node = todo.pop()
        if isinstance(node, Fn) and node.op == "cases":
            todo.extend(node.args[1:])
            continue
        if isinstance(node, Indexed) and node.name in maps:
            found = 2
            continue
        form = read(node)
        if form is None or form.constant.denominator != 1 or not set(form.parts) <= set(indices):
            return 0
        found = max(found, int(bool(form.parts)))
    return found


def check_indices(
    root: Node,
    document: Document,
    ranges: Mapping[str, Range],
    role: Role = Role.VALUE,
    source: tuple[str, str | None] | None = None,
) -> None:
    """Check what stands as an index and what as a value, and every 𝔼 for a bare ⊥.

    Args:
        root: what was read.
        document: every declaration and definition.
        ranges: what the indices run over that the statement's head brings into scope.
        role: INDEX for the body of an index-valued definition.
        source: text and file of an expression about the document; None for a statement of its own.  In an
            expression only the ranges of what is drawn or goes by recursion are checked.

    Raises:
        DeclarationError: an index out of its range, a map used as a value, a value used as an index.
        TermError: a ⊥ outside every → in what is averaged.
    """
    checker = _Checker(document, ranges, source)
    for visit in walk(root, role):
        checker.check(visit)


class _Checker:
    """The checks of one statement."""

    def __init__(
        self, document: Document, ranges: Mapping[str, Range], source: tuple[str, str | None] | None
    ) -> None:
        self.document = document
        self.all_ranges = source is None
        self.text, self.file = source or (document.text, document.file)
        self.ranges = ranges
        self.locals: dict[Hashable, tuple[Linear, Linear]] = {}
        for name, (lo, hi) in ranges.items():
            low, high = read(lo), read(hi)
            if low is not None and high is not None:
                self.locals[name] = low, high

    def wrong(self, node: Node, what: str, instead: str) -> DeclarationError:
        place = Span(node.start, node.end)
        return DeclarationError(what, instead=instead, text=self.text, span=place, file=self.file)

    def check(self, visit: Visit) -> None:
        node, role, _, guarded = visit
        term = node.term
        if isinstance(term, (Sym, Indexed)):
            self.kind(node, term, role)
        if isinstance(term, Indexed) and not guarded:
            self.in_range(visit, term)
        elif isinstance(term, App) and not guarded:
            self.path_in_range(visit, term)
        elif isinstance(term, Expect):
            self.averaged(term.law, node.kids[0], "the law that is sampled", "𝔼[x ~ p(·; θ)](→(…))")
            self.averaged(term.body, node.kids[1], "what is averaged", "𝔼[x ~ p(·; θ)](→(…))")
        elif isinstance(term, CondExpect):
            self.averaged(term.body, node.kids[1], "what is averaged", "𝔼[· | t](→(…))")

    # What stands where ------------------------------------------------------------------------

    def kind(self, node: Node, term: Term, role: Role) -> None:
        """A map stands as an index and nowhere else; a value never does."""
        document = self.document
        name = term.key
        if name in document.index_valued:
            if role in (Role.VALUE, Role.OFFSET):
                kind = document.kind(name)
                what = "an ancestor" if kind == "an ancestor map" else "an index-valued family"
                where = "a value" if role is Role.VALUE else "a number inside an index"
                raise self.wrong(
                    node,
                    f"{name} is {what}, and used as {where}",
                    f"write it as a whole index: x[t-1,{term}]",
                )
        elif role in (Role.INDEX, Role.OFFSET):
            kind = document.kind(name)
            if kind in ("sampled", "defined", "a parameter"):
                raise self.wrong(
                    node,
                    f"{name} is {kind}, and used as an index",
                    "write an index in scope, a number, or an ancestor such as a[t,i]",
                )

    def averaged(self, part: Term, place: Node, what: str, form: str) -> None:
        """Refuse a bare ⊥ in an expectation, definitions unfolded."""
        if self.document.has_bare_stop(part):
            error = TermError(
                f"an expectation is not defined where ⊥ stands outside every → in {what} "
                "(paper, section 2.2)",
                instead=f"put → around the part with ⊥, as in {form}",
            )
            raise error.located(self.text, Span(place.start, place.end), self.file)

    # Ranges -----------------------------------------------------------------------------------

    def in_range(self, visit: Visit, term: Indexed) -> None:
        shape = self.document.shape(term.name)
        if shape is None or len(shape) != len(term.args) or not self.is_checked(term.name):
            return
        for position, (index, bounds) in enumerate(zip(term.args, shape, strict=True)):
            if bounds is None:
                continue
            place = visit.node.kids[position] if len(visit.node.kids) > position else visit.node
            self.right_map(index, bounds, place, term.name)
            if is_slice(index):  # an empty path ends one step before its range begins
                first, last = index.args
                self.one(first, bounds, visit, place, term.name)
                self.one(last, (bounds[0] - 1, bounds[1]), visit, place, term.name)
            else:
                self.one(index, bounds, visit, place, term.name)

    def right_map(self, index: Term, bounds: Range, place: Node, name: str) -> None:
        """A map gives one particle of those that it is drawn from, and no time."""
        drawn = {line.map for line in self.document.lineages.values()}
        if not isinstance(index, Indexed):
            return
        if index.name not in drawn and self.document.kind(index.name) != "an ancestor map":
            return
        values = (self.document.shape(index.name) or (None,))[-1]
        if values is not None and values != bounds:
            (low, high), (lo, hi) = values, bounds
            raise self.wrong(
                place,
                f"{index.name} has the values {low}..{high}, and stands for an index over {lo}..{hi}",
                f"write it as the index of {name} that runs over {low}..{high}",
            )

    def is_checked(self, name: str) -> bool:
        """Whether the ranges of a family are looked at."""
        if self.all_ranges:
            return True
        definition = self.document.definition(name)
        return self.document.kind(name) != "a variable" and (
            definition is None or definition.measure is not None
        )

    def path_in_range(self, visit: Visit, term: App) -> None:
        """The steps before the first one that a density along a path looks back to."""
        signature = self.document.densities.get(term.name)
        form = None if signature is None else path_form(signature, self.document)
        if form is None or not form.earliest or expand(term, self.document) is None:
            return
        for argument, place in zip(term.arguments, visit.node.kids, strict=False):
            if has_slice(argument):
                shape = self.document.shape(argument.key)
                first = Add(argument.args[0].args[0], Num(-form.earliest))
                repeated = any(
                    not isinstance(g, bool) and term.arguments[g[0]] is argument for g in form.given
                )
                if repeated and shape and shape[0] is not None:
                    self.one(first, shape[0], visit, place, argument.key)

    def one(self, index: Term, bounds: Range, visit: Visit, place: Node, name: str) -> None:
        """One index against one range.

        Raises:
            DeclarationError: it is outside at an end of the ranges around it.
        """
        frames, form = [], ranged(index, visit.frame)
        frame = visit.frame
        while frame is not None:
            frames.append(frame)
            frame = frame.outer
        lo, hi = read(bounds[0]), read(bounds[1])
        if form is None or lo is None or hi is None:
            return
        known: dict[Hashable, tuple[Linear, Linear]] = dict(self.locals)
        known.update({f.variable: f.bounds for f in frames if f.bounds is not None})
        order = [f.variable for f in frames if f.bounds is not None] + list(self.locals)
        for gap in (form - lo, hi - form):
            least = lowest(gap, known, order)
            if index.__class__ in (Sym, Bound) and self.unrelated(least):
                (name_,) = form.parts
                if name_ in known:
                    low, high = self.shown(known[name_])
                    written = self.text[place.start : place.end]
                    over = f"{bounds[0]}..{bounds[1]}"
                    raise self.wrong(
                        place,
                        f"{written} runs over {low}..{high}, and stands where {name} has {over}",
                        f"write an index over {over}",
                    )
            if not self.negative(least):
                continue
            ends = _ends(gap, known, order)
            if any(self.negative(_put(h - low, ends)) for low, h in known.values()):
                continue  # this end of the range is never reached, some range around being empty there
            raise self.wrong(place, *self.outside(name, index, bounds, _put(form, ends), ends))

    def unrelated(self, form: Linear) -> bool:
        """Whether the form compares different counts, so that it may be below 0."""
        signs = {value > 0 for part, value in form.parts.items() if part in self.document.counts}
        return len(signs) == 2

    def shown(self, bounds: tuple[Linear, Linear]) -> tuple[str, str]:
        """The ends of a range, where they are named."""
        ends = [e if all(isinstance(n, str) for n in e.parts) else None for e in bounds]
        low, high = ("…" if e is None else str(as_term(e)) for e in ends)
        return low, high

    def negative(self, form: Linear) -> bool:
        """Whether the form is below 0 for all counts."""
        if any(part not in self.document.counts or value > 0 for part, value in form.parts.items()):
            return False
        return form.constant + sum(form.parts.values()) < 0

    def outside(
        self, name: str, index: Term, bounds: Range, value: Linear, ends: Mapping[Hashable, Linear]
    ) -> tuple[str, str]:
        lo, hi = bounds
        shown = [f"{n} = {as_term(v)}" for n, v in ends.items() if isinstance(n, str)]
        at = f" at {', '.join(shown)}" if shown else ""
        got = as_term(value)
        what = f"the index {got} of {name}{at} is out of its range {lo}..{hi}"
        sign = {"sampled": ("sample", "~"), "defined": ("define", "=")}.get(self.document.kind(name) or "")
        if sign and shown:
            rest = ",…" * (len(self.document.shape(name) or (lo,)) - 1)
            given = f"{sign[0]} {name}[{got}{rest}] {sign[1]} …"
            return what, f"give the value there,  {given},  or use an index whose range has it"
        return what, f"write an index from {lo} to {hi}"


def _ends(
    form: Linear, bounds: Mapping[Hashable, tuple[Linear, Linear]], order: list[Hashable]
) -> dict[Hashable, Linear]:
    """The value of each index at the place where a form is least."""
    ends: dict[Hashable, Linear] = {}
    for name in order:
        factor = form.parts.get(name)
        if factor:
            lo, hi = bounds[name]
            ends[name] = lo if factor > 0 else hi
            form = form.put(name, ends[name])
    return ends


def _put(form: Linear, ends: Mapping[Hashable, Linear]) -> Linear:
    for name, value in ends.items():
        form = form.put(name, value)
    return form
