"""Whether what a certificate claims is so: the two-copy model under the certificate's own definitions.

A :class:`Judge` reads definitions and assumptions as rows of a certificate, draws exact values for every
name that is not defined, writes the sides of a claim out at small counts (by the unroller that documents use,
which knows no rule), and compares their Taylor series in the live and the stopped copies of the parameters.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from types import SimpleNamespace
from typing import Any

from soundness import same_series, small_function

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.kernel.judgement import Condition, Equation, Hypothesis, Relation
from surrogate_calculus.language.binding import instantiate
from surrogate_calculus.language.paths import has_slice, is_slice
from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    Eval,
    Grad,
    Indexed,
    Mul,
    Num,
    Stop,
    Sym,
    Term,
    postorder,
)
from surrogate_calculus.semantics import Model, Polynomial
from surrogate_calculus.semantics.unroll import Unroller, Work

__all__ = ["Judge", "Point"]

#: Total degree of the series compared.
DEGREE = 2
#: Values of indices: those of families by recursion start at 0.
INDICES = (0, 1, 2)
#: A coefficient beyond this is not computed with any longer.
LARGE = 10**40
#: No term is written out with more visits of nodes than this.
VISITS = 20_000


class _Unroller(Unroller):
    """Writes out definitions of a certificate, and turns paths into numbers that depend on what they must."""

    def __init__(self, point: Point, document: Any, laws: Sequence[Any]) -> None:
        super().__init__(document, point.counts, point.maps)
        self.point = point
        self.laws = laws
        self.left = 0

    def run(self, term: Term) -> Term:
        self.left = VISITS
        return super().run(term)

    def visit(self, node: Term) -> Work:
        self.left -= 1
        if not self.left:  # a recursion that need not end: the kernel has not seen to it in what it rejected
            raise EvaluationError("too large to write out")
        return super().visit(node)

    def application(self, node: App, args: tuple[Term, ...]) -> Work:
        n = node.n_slots
        for law in self.laws if not node.partials else ():
            values = _matched(law.left, node.key, args)
            if values is not None:
                body = law.body
                for value in reversed(values):  # the last index is the innermost
                    body = instantiate(body, value)
                return (yield self.store.add(body))
        if any(law.left.key[0] == node.name for law in self.laws) and any(map(has_slice, args[:n])):
            raise EvaluationError(f"no value for {node.name} along this path")
        slots = []
        for slot in args[:n]:
            if has_slice(slot):
                slot = yield self.store.add(self.point.path(slot))
            slots.append(slot)
        return self._rebuilt(node, (*slots, *args[n:]))

    def folded(self, node: Term, args: tuple[Term, ...]) -> Term:
        if node.__class__ in (Stop, Eval) and args[0].__class__ is Num:  # the end of a range may be ⊥(1)
            return args[0]
        return super().folded(node, args)


def _matched(left: Term, key: Any, args: tuple[Term, ...]) -> list[Term] | None:
    """The values of the indices of ``left``, outermost first, that make it the application."""
    if left.key != key:
        return None
    found: dict[int, Term] = {}
    todo = list(zip(left.args, args, strict=True))
    while todo:
        pattern, term = todo.pop()
        if pattern.__class__ is Bound:
            if found.setdefault(pattern.key, term) != term:
                return None
        elif (pattern.__class__, pattern.key, len(pattern.args)) != (
            term.__class__, term.key, len(term.args)
        ):  # fmt: skip
            return None
        else:
            todo.extend(zip(pattern.args, term.args, strict=True))
    if set(found) != set(range(len(found))):
        return None
    return [found[k] for k in reversed(range(len(found)))]


class Point:
    """Exact values for every name that is not defined; drawn when first asked for, by the name alone.

    Args:
        judge: whose names they are.
        seed: of the draws.
    """

    def __init__(self, judge: Judge, seed: str) -> None:
        self.judge = judge
        self.seed = seed
        rng = self._rng("sizes")
        self.size = rng.choice((2, 2, 3))
        self.kind = rng.choice(("positive", "any"))
        self.counts = {n: self._count(n) for n in judge.counts}
        self.maps: dict[str, Any] = {n: _Drawn(lambda where, n=n: self._whole(n, where)) for n in judge.maps}
        self.functions: dict[str, Polynomial] = {}
        self.values: dict[str, Any] = {}
        self.wrt: list[tuple[str, int | None]] = [(name, None) for name in judge.params]
        self.wrt += [(name, self._rng(name).choice((1, 2))) for name in sorted(judge.vectors)]
        self.axes = {k: self._rng("axis", k).randint(1, 2) for k in range(1, 5)}
        self.unroller = _Unroller(self, judge.document, judge.laws)
        self._series: dict[tuple[Term, int, tuple[Any, ...]], Any] = {}

    def _rng(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed} {what}")

    def _count(self, name: str) -> int:
        return self._rng("count", name).choice((2, 2, self.size))

    def _whole(self, name: str, where: object) -> int:
        return self._rng(name, where).randint(1, 2)

    def number(self, *what: object) -> Fraction:
        rng = self._rng(*what)
        value = Fraction(rng.randint(1, 9), rng.choice((2, 3, 4)))
        return value if self.kind == "positive" or rng.random() < 0.7 else -value

    def path(self, slot: Term) -> Term:
        """A number for a path ``x[lo:hi, …]``: made of what it may depend on."""
        where = tuple(a.args if is_slice(a) else a for a in slot.args)
        depends = self.judge.dependence.get(slot.key, ())
        parts: list[Term] = [Num(self.number("path", slot.key, str(where)))]
        for name in depends:
            for arity in sorted(self.judge.arities.get(name, ())):
                for s in (1, 2):
                    member = Indexed(name, *(Num(s), Num(1), Num(1))[:arity]) if arity else Sym(name)
                    factor = Num(self.number("path", slot.key, str(where), name, s))
                    parts.append(Mul(factor, member))
            if not self.judge.arities.get(name):
                parts.append(Mul(Num(self.number("path", slot.key, str(where), name)), Sym(name)))
        return Add(*parts) if len(parts) > 1 else parts[0]

    # values for the model
    def prepare(self, term: Term) -> Term:
        """See that every name of an unrolled term has a value; functions get one name for each layout."""
        done: dict[int, Term] = {}
        for node in postorder(term):
            args = tuple(done[id(a)] for a in node.args)
            if node.__class__ is Sym and node.key not in self.values:
                self.values[node.key] = self._value(node.key)
            elif node.__class__ is Indexed and f"{node.key}[]" not in self.values:
                if node.key not in self.judge.vectors or len(node.args) != 1:
                    drawn = _Drawn(lambda where, name=node.key: self.number(name, where))
                    self.values[f"{node.key}[]"] = drawn
                elif node.key not in self.values:
                    self.values[node.key] = self._value(node.key)
            elif node.__class__ is App:
                args, key = self._function(node, args)
                done[id(node)] = self.unroller.store.node(App, key, args)
                continue
            done[id(node)] = self.unroller.store.node(
                node.__class__, node.key, args, getattr(node, "hint", None)
            )
        return done[id(term)]

    def _value(self, name: str) -> Any:
        if name in self.judge.vectors:
            return [self.number(name, k) for k in (1, 2, 3)]
        if name in self.judge.indices:
            return self._whole(name, ())
        return self.number(name)

    def _function(self, node: App, args: tuple[Term, ...]) -> tuple[tuple[Term, ...], Any]:
        n = node.n_slots
        layout = tuple(3 if s.__class__ is Sym and s.key in self.judge.vectors else None for s in args[:n])
        name = f"{node.name}/{node.key[1:4]}/{layout}"
        if name not in self.functions:
            positive = node.name in self.judge.positive or self.kind == "positive"
            self.functions[name] = small_function(self._rng(name), layout, positive=positive)
        return args, (name, *node.key[1:])

    def series(self, term: Term, degree: int, wrt: Sequence[Any]) -> Mapping[Any, Any]:
        """The Taylor series of a closed term, definitions unfolded.

        Raises:
            EvaluationError: it has none here.
        """
        key = (term, degree, tuple(wrt))
        found = self._series.get(key)
        if found is None:
            try:
                found = self._series_of(term, degree, wrt)
            except (EvaluationError, OverflowError, ZeroDivisionError) as reason:
                found = EvaluationError(str(reason))
            self._series[key] = found
        if isinstance(found, EvaluationError):
            raise found
        return found

    def _series_of(self, term: Term, degree: int, wrt: Sequence[Any]) -> Mapping[Any, Any]:
        plain = self.prepare(self.unroller.run(term))
        for name, _ in wrt:
            if name not in self.values:
                self.values[name] = self._value(name)
        model = Model(self.values, self.functions, digits=50)
        names = [name if k is None else (name, k) for name, k in wrt]
        return model.series(plain, degree, names, self.axes)

    def value(self, term: Term) -> Any:
        """The value of a closed term; see :meth:`series`."""
        return self.series(term, 0, ()).get((), Fraction(0))


class _Drawn(dict[tuple[int, ...], Any]):
    """A family whose members are drawn when asked for."""

    def __init__(self, draw: Any) -> None:
        super().__init__()
        self.draw = draw

    def __contains__(self, where: object) -> bool:
        return isinstance(where, tuple)

    def __missing__(self, where: tuple[int, ...]) -> Any:
        value = self[where] = self.draw(where)
        return value


@dataclass
class Judge:
    """The meaning of a certificate's names.

    Attributes:
        nodes: the terms of the certificate.
        definitions: rows of the certificate: [left, arity, body, measure, group].
        dependence, assumptions: rows of the certificate.
        points: how many instances an equation is judged at.
        reason: why the last equation had no instance, where that was so.
    """

    nodes: Sequence[Term]
    definitions: Sequence[Any]
    dependence_rows: Iterable[Any] = ()
    assumptions: Iterable[Any] = ()
    points: int = 2
    _made: list[Point] = field(default_factory=list)
    _known: dict[Any, bool | None] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        assumed = [(kind, name) for kind, name in self.assumptions]
        self.counts = {name for kind, name in assumed if kind == "count"}
        self.indices = {name for kind, name in assumed if kind == "index"}
        self.positive = {name for kind, name in assumed if kind == "positive"}
        self.dependence = {name: list(others) for name, others in self.dependence_rows}
        families, self.laws = [], []
        self.arities: dict[str, set[int]] = {}
        for row in self.definitions:
            left, arity, body, measure = self.nodes[row[0]], row[1], self.nodes[row[2]], row[3]
            if left.__class__ is App:
                self.laws.append(SimpleNamespace(left=left, body=body))
                continue
            names = [f"{left.key}·{k}" for k in range(arity)]
            if measure is not None:
                measure = _named(self.nodes[measure], names)
            families.append(
                SimpleNamespace(name=left.key, indices=names, body=_named(body, names), measure=measure)
            )
            self.arities.setdefault(left.key, set()).add(arity)
        ends = {n.key for t in self.nodes if t.tag in ("sum", "prod")
                for end in t.args[:2] for n in postorder(end) if n.__class__ is Sym}  # fmt: skip
        self.counts |= ends - {d.name for d in families}
        self.document: Any = SimpleNamespace(
            definitions=families, counts=self.counts, lineages={}, shape=lambda name: ()
        )
        defined = {d.name for d in families}
        indexed = {n.key for n in self.nodes if n.__class__ is Indexed and not any(map(is_slice, n.args))}
        self.maps = (self.indices & indexed) - defined
        grads = [n for n in self.nodes if n.__class__ is Grad]
        self.vectors = {n.key for n in grads if len(n.args) > 1} - defined
        scalars = {n.key for n in grads if len(n.args) == 1}
        for n in self.nodes:  # a parameter stands behind the semicolon
            if n.__class__ is App:
                count = n.key[3]
                own = n.args[n.n_slots - count : n.n_slots] if count else ()
                scalars |= {a.key for a in own if a.__class__ is Sym}
        self.params = sorted(scalars - defined - self.vectors - self.counts)

    def at(self, number: int) -> Point:
        """The point of a number."""
        while len(self._made) <= number:
            self._made.append(Point(self, f"point {len(self._made)}"))
        return self._made[number]

    def judge(self, equation: Equation, hypotheses: Sequence[Hypothesis] = ()) -> bool | None:
        """Whether an equation is so where the hypotheses hold.

        Returns:
            False at the first instance at which the sides differ; True if they agree at some instances; None
            where no instance has a meaning or meets the hypotheses.
        """
        # conditions on indices are said of the same indices as the equation, the others of every index
        where = {Condition(h.kind, h.term) for h in hypotheses if h.kind not in ("nonzero", "positive")}
        equation = replace(equation, where=equation.where | where)
        hypotheses = [h for h in hypotheses if h.kind in ("nonzero", "positive")]
        key = (equation, tuple(hypotheses))
        if key not in self._known:
            self._known[key] = self._judge(equation, hypotheses)
        return self._known[key]

    def _judge(self, equation: Equation, hypotheses: Sequence[Hypothesis]) -> bool | None:
        agreed = 0
        for number in range(3 * self.points):
            point = self.at(number)
            if not self._hold(point, hypotheses):
                self.reason = "no instance drawn meets the hypotheses"
                continue
            found = self._same(point, equation, DEGREE if not agreed else 1)
            if found is False:
                return False
            agreed += found is True
            if agreed == self.points:
                break
        return True if agreed else None

    def _same(self, point: Point, equation: Equation, degree: int) -> bool | None:
        checked = 0
        lhs, rhs = equation.lhs, equation.rhs
        if equation.relation is Relation.VALUE:
            lhs, rhs = Eval(lhs), Eval(rhs)
        wrt = point.wrt
        for values in closings(max(lhs.loose, rhs.loose), 12, point.seed):
            if checked == 2:
                break
            if any(
                self._condition(point, closed(c.term, values), c.kind) is not True for c in equation.where
            ):
                self.reason = "no indices tried meet its conditions"
                continue
            left, right = closed(lhs, values), closed(rhs, values)
            try:
                if not self._agree(point.series(left, 0, ()), point.series(right, 0, ())):
                    return False
                a = point.series(left, degree, wrt)
                b = point.series(right, degree, wrt)
                if not self._agree(a, b):
                    return False
            except EvaluationError as reason:
                self.reason = str(reason)
                continue
            checked += 1
        return True if checked else None

    @staticmethod
    def _agree(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
        if any(abs(c) > LARGE for c in (*a.values(), *b.values()) if c.__class__ is not Fraction):
            raise EvaluationError("too large to compare")
        return same_series(a, b)

    def _condition(self, point: Point, term: Term, kind: str) -> bool | None:
        try:
            x = point.value(term)
        except EvaluationError:
            return None
        if kind == "whole":
            return Fraction(x).denominator == 1
        return bool(x > 0 if kind in ("positive", "gt") else x != 0 if kind == "nonzero" else x >= 0)

    def _hold(self, point: Point, hypotheses: Sequence[Hypothesis]) -> bool:
        return all(
            self._condition(point, closed(h.term, values), h.kind) is True
            for h in hypotheses
            for values in closings(h.term.loose, 9, point.seed)
        )


def _named(term: Term, names: Sequence[str]) -> Term:
    for name in reversed(names):  # the last index is the innermost
        term = instantiate(term, Sym(name))
    return term


def closings(loose: int, at_most: int, seed: str) -> Iterator[tuple[int, ...]]:
    """Values for loose indices, innermost first."""
    every = list(product(INDICES, repeat=loose)) if loose < 6 else [(1,) * loose]
    yield from every if len(every) <= at_most else random.Random(f"{seed} {loose}").sample(every, at_most)


def closed(term: Term, values: Sequence[int]) -> Term:
    """The term at values of its loose indices."""
    for value in values[: term.loose]:
        term = instantiate(term, Num(value))
    return term
