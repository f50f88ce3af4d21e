"""Any closed, well-typed term, by the constructors alone: what the printers must not lose.

Names of bound indices clash with free ones and with each other on purpose; numbers are negative and
broken everywhere; some factors have open axes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from surrogate_calculus.language.terms import (
    FUNCTIONS,
    HAS_BARE_STOP,
    Add,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)

SYMBOLS = ["x", "y", "N", "i", "j", "θ", "φ", "w̄", "x̃", "x'", "a_1", "σ_θ", "E", "D", "Σ", "π", "sum", "β1"]
FAMILIES = ["w", "x", "v̄", "E", "D", "Σ", "a", "i"]
APPLIED = ["f", "p", "q", "π", "h̃"]
PARAMETERS = ["θ", "φ", "β"]
HINTS = ["i", "j", "i", "x", "θ", "w̄", "E", "", "log", "i'", "sum"]

Draw = Callable[[st.SearchStrategy], object]

_NUMBERS = st.one_of(
    st.integers(-3, 5),
    st.sampled_from([Fraction(1, 2), Fraction(-1, 2), Fraction(1, 3), Fraction(2, 3), Fraction(-7, 4)]),
    st.fractions(max_denominator=10**6),
).map(Num)


class _Maker:
    """Draws terms; ``loose`` is the number of binders around, ``axes`` the open axes to have."""

    def __init__(self, draw: Callable, conditional: bool) -> None:
        self.draw = draw
        self.conditional = conditional
        self.random: set[int] = set()  # the binders around, from outside at 0, that are an 𝔼

    def pick(self, options: list):
        return self.draw(st.sampled_from(options))

    def index(self, loose: int) -> Term:
        kind = self.pick(["sym", "num", "bound", "shift", "family"])
        if kind == "bound" and loose:
            return Bound(self.draw(st.integers(0, loose - 1)))
        if kind == "num":
            return self.draw(_NUMBERS)
        if kind == "shift":
            return Add(self.index(loose), Num(self.pick([-1, 1])))
        if kind == "family":
            return Indexed(self.pick(FAMILIES), self.index(loose), Sym("t"))
        return Sym(self.pick(SYMBOLS))

    def whole(self, loose: int) -> Term:
        """What may be the order of a ∇ᵏ: indices, whole numbers and sums of these."""
        kind = self.pick(["sym", "sym", "bound", "num", "shift", "sum"])
        inside = [level for level in range(loose) if level not in self.random]
        if kind == "bound" and inside:
            return Bound(loose - 1 - self.pick(inside))
        if kind == "num":
            return Num(self.draw(st.integers(0, 3)))
        if kind == "shift":
            return Add(self.whole(loose), Num(self.pick([-1, 1]))) if inside else Add(Sym("N"), Num(1))
        if kind == "sum":
            return Add(Sym("N"), Mul(Num(self.pick([-1, 2])), Sym("j")))
        return Sym(self.pick(SYMBOLS))

    def leaf(self, loose: int) -> Term:
        kind = self.pick(["num", "num", "sym", "bound", "family"])
        if kind == "num":
            return self.draw(_NUMBERS)
        if kind == "bound" and loose:
            return Bound(self.draw(st.integers(0, loose - 1)))
        if kind == "family":
            return Indexed(self.pick(FAMILIES), *[self.index(loose) for _ in range(self.pick([1, 1, 2]))])
        return Sym(self.pick(SYMBOLS))

    def term(self, depth: int, loose: int = 0, axes: tuple[int, ...] = ()) -> Term:
        if axes:
            return self.vector(depth, loose, axes)
        if depth <= 0:
            return self.leaf(loose)
        kind = self.pick(
            ["leaf", "add", "add", "mul", "mul", "mul", "pow", "pow", "inverse", "fn", "app", "stop", "eval",
             "grad", "component", "sum", "prod", "expect", "grads", "cond_expect"]
        )  # fmt: skip
        if kind == "leaf":
            return self.leaf(loose)
        if kind == "pow":
            return Pow(self.term(depth - 1, loose), self.term(depth - 2, loose))
        if kind == "inverse":
            return Pow(self.term(depth - 1, loose), Num(self.pick([-1, -1, -2, 2])))
        if kind == "fn":
            op = self.pick(sorted(FUNCTIONS.keys() - {"slice"}))
            return Fn(op, *[self.term(depth - 1, loose) for _ in range(FUNCTIONS[op])])
        return self.shared(kind, depth, loose, ())

    def shared(self, kind: str, depth: int, loose: int, axes: tuple[int, ...]) -> Term:
        """Constructors that pass their axes on to a child."""
        below = depth - 1
        if kind == "add":
            return Add(*[self.term(below, loose, axes) for _ in range(self.pick([2, 2, 3]))])
        if kind == "mul":
            parts = self.split(axes, self.pick([2, 2, 3, 4]))
            return Mul(*[self.term(below, loose, part) for part in parts])
        if kind == "app":
            return self.application(below, loose, axes)
        if kind in ("stop", "eval"):
            return (Stop if kind == "stop" else Eval)(self.term(below, loose, axes))
        if kind == "grad":
            body = self.term(below, loose, axes)
            return Grad(self.pick(PARAMETERS[:2]), body)
        if kind == "component":
            return Grad(self.pick(PARAMETERS), self.term(below, loose, axes), self.index(loose))
        if kind == "grads":
            return Grads(self.pick(PARAMETERS[:2]), self.whole(loose), self.term(below, loose, axes))
        if kind == "cond_expect" and self.conditional:
            return CondExpect(self.whole(loose), self.quiet(below, loose, axes))
        hint = self.pick(HINTS)
        if kind in ("sum", "prod"):
            lo, hi = self.index(loose), self.index(loose)
            return (Sum if kind == "sum" else Prod)(lo, hi, self.term(below, loose + 1, axes), hint)
        law = App(
            self.pick(APPLIED),
            self.pick([[Bound(0)], [self.quiet(1, loose + 1, hidden=True), Bound(0)]]),
            self.pick([[], [self.quiet(below - 1, loose + 1, hidden=True)]]),
            self.pick([[], [self.quiet(below - 1, loose + 1, hidden=True)]]),
        )
        self.random.add(loose)
        body = self.quiet(below, loose + 1, axes)
        self.random.remove(loose)
        return Expect(law, body, hint)

    def quiet(self, depth: int, loose: int, axes: tuple[int, ...] = (), hidden: bool = False) -> Term:
        """A term without a bare ⊥; a ``hidden`` innermost binder is not used, being the law's own."""
        if hidden:
            from surrogate_calculus.language.binding import shift

            term = shift(self.term(depth, loose - 1, axes), 1)
        else:
            term = self.term(depth, loose, axes)
        return Eval(term) if term.flags & HAS_BARE_STOP else term

    def application(self, depth: int, loose: int, axes: tuple[int, ...]) -> Term:
        sizes = self.pick([1, 1, 2]), self.pick([0, 0, 1])
        slots = [[self.term(depth - 1, loose) for _ in range(size)] for size in sizes]
        slots.append([])
        for _ in range(self.pick([0, 1, 2])):
            slots[-1].append(Sym(self.pick(PARAMETERS)) if self.pick([0, 1]) else self.term(depth - 1, loose))
        count = sum(map(len, slots))
        partials: list[tuple[int, Term | None]] = [(self.draw(st.integers(1, count)), Axis(a)) for a in axes]
        for _ in range(self.pick([0, 0, 0, 1, 2])):
            coordinate = self.index(loose) if self.pick([0, 1]) else None
            partials.append((self.draw(st.integers(1, count)), coordinate))
        return App(self.pick(APPLIED), *slots, partials)

    def split(self, axes: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
        parts: list[list[int]] = [[] for _ in range(count)]
        for axis in axes:
            parts[self.draw(st.integers(0, count - 1))].append(axis)
        return [tuple(p) for p in parts]

    def vector(self, depth: int, loose: int, axes: tuple[int, ...]) -> Term:
        """A term with exactly these open axes."""
        if len(axes) == 1 and depth <= 0:
            axis = Axis(axes[0])
            delta, gradient = Fn("eq", self.index(loose), axis), Grad("β", self.leaf(loose), axis)
            return self.pick([delta, Indexed("x", axis), gradient, axis])
        kind = self.pick(
            ["newest", "newest", "add", "mul", "mul", "app", "stop", "eval", "grad", "component", "sum",
             "prod", "expect", "grads", "cond_expect", "cases"]
        )  # fmt: skip
        if depth > 0 and kind == "cases":
            other = tuple(a for a in axes if self.pick([0, 1]))
            shapes = self.pick([(axes, other), (other, axes)])
            branches = [self.term(depth - 1, loose, shape) for shape in shapes]
            return Fn("cases", self.term(depth - 1, loose), *branches)
        if depth > 0 and kind != "newest":
            return self.shared(kind, depth, loose, axes)
        newest = self.pick([axes[-1], axes[-1], axes[0]])
        rest = tuple(a for a in axes if a != newest)
        return Grad(self.pick(PARAMETERS), self.term(depth - 1, loose, rest), Axis(newest))


@st.composite
def terms(draw, max_depth: int = 4, vectors: bool = True, conditional: bool = True) -> Term:
    """Any closed, well-typed term that the language can write; ``conditional``: with 𝔼[· | t]."""
    axes = draw(st.sampled_from([(), (), (), (1,), (1, 2), (2,), (1, 2, 3), (1, 3)])) if vectors else ()
    return _Maker(draw, conditional).term(draw(st.integers(0, max_depth)), 0, axes)
