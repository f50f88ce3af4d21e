"""Documents written out for concrete counts: the oracle for families by recursion.

:func:`unroll` replaces every defined name by its body at concrete indices, writes out every Σ and ∏,
decides conditions on indices, and writes densities of paths as products, so that only samples,
observations, parameters and opaque functions are left: a term without a document, which the
two-copy model can evaluate.  It knows no rule of the calculus.

The walk is iterative and memoised, so that the result is a DAG with one node for each member of each
family: log Ẑ of a filter has O(N·T) of them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction
from math import prod

from ..errors import EvaluationError
from ..language.binding import instantiate, substitute
from ..language.declarations import Document, Lineage
from ..language.paths import expand, has_slice, is_slice
from ..language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Fn,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Store,
    Sum,
    Sym,
    Term,
)
from .orders import nested

__all__ = ["MAX_RANGE", "Unroller", "unroll", "whole"]

#: No Σ or ∏ longer than this is written out.
MAX_RANGE = 100_000

#: Powers of numbers beyond this exponent stay as they are.
_MAX_EXPONENT = 64

#: What a node asks for (another node) and is answered with (what that became).
Work = Generator[Term, Term, Term]

#: The values of index maps: from the name and the indices to a whole number.
Maps = Mapping[str, Mapping[tuple[int, ...], int]]


def unroll(term: Term, document: Document, counts: Mapping[str, int], indices: Maps | None = None) -> Term:
    """The term with the document's definitions written out for concrete counts.

    Args:
        term: a term over the document's names, without free indices.
        document: the declarations and definitions.
        counts: the value of every count.
        indices: concrete values of index maps, such as ancestors: ``{"a": {(1, 1): 2, …}}``.  A map
            that is not given stays a family inside an index, ``x[0, a[1, 1]]``.

    Returns:
        a term without defined names, Σ, ∏, ∇ᵏ, conditions on indices, and slices: a function of a path
        ``f(x̃[1:T,i]; θ)`` becomes one of its elements, ``f(x[1,…], …, x[T,…]; θ)``.

    Raises:
        EvaluationError: a count without a value, a range or a time that does not become a number, a
            member of a recursion below its base case.
    """
    return Unroller(document, counts, indices).run(term)


class Unroller:
    """One unrolling: the interned nodes and what each became.

    Args:
        document: see :func:`unroll`.
        counts: see :func:`unroll`.
        indices: see :func:`unroll`.
    """

    #: Whether every index is to become a number, where it can.
    concrete = True

    def __init__(self, document: Document, counts: Mapping[str, int], indices: Maps | None = None) -> None:
        self.document = document
        self.store = Store()
        self.counts = {name: Num(value) for name, value in counts.items()}
        self.indices = indices or {}
        self.defined = {d.name: d for d in document.definitions}
        self.declared_counts = frozenset(document.counts)
        self.lineages: Mapping[str, Lineage] = document.lineages
        self.memo: dict[int, Term] = {}
        self.members: dict[tuple[str, tuple[int, ...]], Term] = {}

    def run(self, term: Term) -> Term:
        """What the term becomes."""
        root = self.store.add(term)
        todo: list[tuple[Term, Work]] = [(root, self.visit(root))]
        answer: Term | None = self.memo.get(id(root))
        if answer is not None:
            return answer
        while todo:
            node, work = todo[-1]
            try:
                wanted = work.send(answer)  # type: ignore[arg-type]
            except StopIteration as done:
                answer = self.memo[id(node)] = done.value
                todo.pop()
                continue
            answer = self.memo.get(id(wanted))
            if answer is None:
                todo.append((wanted, self.visit(wanted)))
        assert answer is not None
        return answer

    # One node.  What is yielded must be of the store.

    def visit(self, node: Term) -> Work:
        """What a node becomes."""
        if isinstance(node, Sym):
            return (yield from self.symbol(node))
        if isinstance(node, (Sum, Prod)):
            return (yield from self.binder(node))
        if isinstance(node, Fn) and node.op == "cases":
            return (yield from self.cases(node))
        args = []
        for arg in node.args:
            args.append((yield arg))
        if isinstance(node, Indexed):
            return (yield from self.family(node, tuple(args)))
        if isinstance(node, App):
            return (yield from self.application(node, tuple(args)))
        if isinstance(node, Grads) and isinstance(args[0], Num):
            return self.store.add(nested(node.param, args[0].value, args[1]))
        return self.folded(node, tuple(args))

    def symbol(self, node: Sym) -> Work:
        """A count becomes its value, a defined name its body."""
        found = self.counts.get(node.name)
        if found is not None:
            return self.store.add(found)
        if node.name in self.declared_counts:
            raise EvaluationError(
                f"the count {node.name} has no value", instead=f"a whole number for {node.name}"
            )
        if node.name in self.defined:
            return (yield from self.member(node, node.name, ()))
        return node

    def expands(self, node: Sum | Prod) -> bool:
        """Whether a Σ or ∏ is written out."""
        return True

    def binder(self, node: Sum | Prod) -> Work:
        """A Σ or ∏: its terms one by one."""
        lo, hi = (yield node.lo), (yield node.hi)
        if not self.expands(node):
            return self.store.node(node.__class__, node.key, (lo, hi, (yield node.body)), node.hint)
        first, last = (whole(end, "the end of a range", node) for end in (lo, hi))
        if last - first >= MAX_RANGE:
            raise EvaluationError(f"a range of more than {MAX_RANGE} values is not written out: {node}")
        parts = []
        for value in range(first, last + 1):
            parts.append((yield self.store.add(instantiate(node.body, Num(value)))))
        cls, empty = (Add, ZERO) if isinstance(node, Sum) else (Mul, ONE)
        if len(parts) > 1:
            return self.store.node(cls, None, tuple(parts))
        return parts[0] if parts else self.store.add(empty)

    def cases(self, node: Fn) -> Work:
        """A condition on indices is decided, and the other branch never looked at."""
        condition = yield node.args[0]
        if isinstance(condition, Num):
            return (yield node.args[1 if condition.value else 2])
        return self.store.node(Fn, "cases", (condition, (yield node.args[1]), (yield node.args[2])))

    def family(self, node: Indexed, args: tuple[Term, ...]) -> Work:
        """A member of a family: its body if it is defined, its value if it is a map that is given."""
        if any(is_slice(arg) for arg in args):
            return self.store.node(Indexed, node.name, args)
        choice = next((arg for arg in args if isinstance(arg, Fn) and arg.op == "cases"), None)
        if choice is not None and self.concrete and (node.name in self.indices or node.name in self.defined):
            # An ancestor that depends on numbers: the condition moves out, so that indices are numbers.
            both = []
            for branch in choice.args[1:]:
                chosen = tuple(branch if arg is choice else arg for arg in args)
                both.append((yield self.store.node(Indexed, node.name, chosen)))
            return self.store.node(Fn, "cases", (choice.args[0], *both))
        given = self.indices.get(node.name)
        if given is not None and all(isinstance(arg, Num) for arg in args):
            key = tuple(whole(arg, "an index", node) for arg in args)
            if key not in given:
                raise EvaluationError(
                    f"no value is given for {node.name}[{', '.join(map(str, key))}]",
                    instead=f"every member of {node.name}, or none",
                )
            return self.store.add(Num(given[key]))
        if node.name in self.defined:
            return (yield from self.member(node, node.name, args))
        return self.store.node(Indexed, node.name, args)

    def member(self, node: Term, name: str, args: tuple[Term, ...]) -> Work:
        """A member of a defined family, worked out once."""
        key = (name, tuple(map(id, args)))
        found = self.members.get(key)
        if found is None:
            body = yield from self.body(node, name, args)
            found = self.members[key] = yield body
        return found

    def body(self, node: Term, name: str, args: tuple[Term, ...]) -> Work:
        """The body of a definition at indices, once it is sure that its recursion ends."""
        definition = self.defined[name]
        if len(definition.indices) != len(args):
            raise EvaluationError(
                f"{name} has {len(definition.indices)} index(es), here {len(args)}: {node}",
                instead=f"{name}[{', '.join(definition.indices)}]" if definition.indices else name,
            )
        values = dict(zip(definition.indices, args, strict=True))
        if definition.measure is not None:
            left = yield self.store.add(substitute(definition.measure, values))
            if not isinstance(left, Num):
                raise EvaluationError(
                    f"{name}[{', '.join(map(str, args))}] is defined by recursion, and its time is no number",
                    instead="counts with values, and a number or the index of a Σ as the time",
                )
            yield from self.within(name, args)
        return self.store.add(substitute(definition.body, values))

    def within(self, name: str, args: tuple[Term, ...]) -> Work:
        """Refuse a member of a recursion outside its declared range."""
        for index, bounds in zip(args, self.document.shape(name) or (), strict=False):
            if isinstance(index, Num) and bounds is not None:
                ends = (yield self.store.add(bounds[0])), (yield self.store.add(bounds[1]))
                lo, hi = (whole(end, "the end of a range", index) for end in ends)
                if not lo <= index.value <= hi:
                    raise EvaluationError(
                        f"{name}[{', '.join(map(str, args))}] has the index {index}, outside {lo}..{hi}",
                        instead="indices in the declared range, and counts that are large enough",
                    )
        return ZERO

    def application(self, node: App, args: tuple[Term, ...]) -> Work:
        """A function at its slots; a density of a path is a product, a function's path its elements."""
        slots = args[: node.n_slots]
        if not any(has_slice(slot) for slot in slots):
            return self._rebuilt(node, args)
        _, a, g, _, flags = node.key
        product = expand(App(node.name, slots[:a], slots[a : a + g], slots[a + g :]), self.document)
        if product is not None:
            if flags:
                raise EvaluationError(
                    f"a partial derivative of a density of a path has no value to compute: {node}",
                    instead="∇ of the density in its parameter",
                )
            return (yield self.store.add(product))
        shifted: list[Term] = []
        places: dict[int, int] = {}
        counts = []
        for number, slot in enumerate(slots, 1):
            elements = [slot]
            if isinstance(slot, Indexed) and has_slice(slot):
                elements = []
                for element in self.elements(slot):
                    elements.append((yield self.store.add(element)))
                elements = self.path(elements)
            places[number] = len(shifted) + 1
            if len(elements) != 1 and any(where == number for where, _ in flags):
                raise EvaluationError(
                    f"a partial derivative in a path has no value to compute: {node}",
                    instead="∇ in a parameter",
                )
            shifted += elements
            counts.append(len(elements))
        sizes = sum(counts[:a]), sum(counts[a : a + g]), sum(counts[a + g :])
        key = (node.name, *sizes, tuple((places[slot], has) for slot, has in flags))
        return self.store.node(App, key, (*shifted, *args[node.n_slots :]))

    def elements(self, slot: Indexed) -> list[Term]:
        """The members of a path, first to last."""
        position = next(k for k, arg in enumerate(slot.args) if is_slice(arg))
        lo, hi = (whole(end, "the end of a path", slot) for end in slot.args[position].args)
        if hi - lo >= MAX_RANGE:
            raise EvaluationError(f"a path of more than {MAX_RANGE} elements is not written out: {slot}")
        before, behind = slot.args[:position], slot.args[position + 1 :]
        lineage = self.lineages.get(slot.name)
        if lineage is None:
            return [Indexed(slot.name, *before, Num(s), *behind) for s in range(lo, hi + 1)]
        return [
            Indexed(lineage.of, *before, Num(s), Indexed(lineage.map, *before, Num(s), Num(hi), *behind))
            for s in range(lo, hi + 1)
        ]

    def path(self, elements: list[Term]) -> list[Term]:
        """The slots that the elements of a path stand in."""
        return elements

    def _rebuilt(self, node: Term, args: tuple[Term, ...]) -> Term:
        if isinstance(node, App) and len(args) > node.n_slots + 1:
            slots = args[: node.n_slots]
            _, a, g, _, flags = node.key
            coordinates = iter(args[node.n_slots :])
            partials = [(slot, next(coordinates) if has else None) for slot, has in flags]
            return self.store.add(App(node.name, slots[:a], slots[a : a + g], slots[a + g :], partials))
        return self.store.node(node.__class__, node.key, args, getattr(node, "hint", None))

    def folded(self, node: Term, args: tuple[Term, ...]) -> Term:
        """The node over new children; arithmetic of numbers is done, exactly."""
        if args and isinstance(node, (Add, Mul, Pow, Fn)):
            values = [arg.value for arg in args if isinstance(arg, Num)]
            if len(values) == len(args):
                found = _number(node, values)
                if found is not None:
                    return self.store.node(Num, found, ())
        return self._rebuilt(node, args)


def _number(node: Term, values: Sequence[Fraction]) -> Fraction | None:
    """The value of an operation on numbers, where it is rational."""
    if isinstance(node, Add):
        return sum(values, Fraction(0))
    if isinstance(node, Mul):
        return prod(values, start=Fraction(1))
    if isinstance(node, Pow):
        base, exponent = values
        fine = exponent.denominator == 1 and abs(exponent) <= _MAX_EXPONENT and (base or exponent >= 0)
        return Fraction(base**exponent.numerator) if fine else None
    if node.key in ("gt", "ge", "eq"):
        a, b = values
        return Fraction(a > b if node.key == "gt" else a >= b if node.key == "ge" else a == b)
    if node.key in ("max", "min"):
        return max(values) if node.key == "max" else min(values)
    return abs(values[0]) if node.key == "abs" else None


def whole(term: Term, what: str, where: Term) -> int:
    """A term as a whole number.

    Raises:
        EvaluationError: it is none.
    """
    if not isinstance(term, Num) or term.value.denominator != 1:
        raise EvaluationError(
            f"{what} is {term}, no whole number, in {where}", instead="counts with values; whole numbers"
        )
    return term.value.numerator
