"""Random surrogates: the terms that the rules, the model and torch are held against each other on.

One generator, driven by whatever can draw integers: :func:`surrogates` is a hypothesis strategy (and
shrinks), :func:`random_surrogate` takes a ``random.Random``.  What is generated comes with a point and
with functions for its opaque names, and is well-defined there: denominators and arguments of logs are
positive by construction, kinks are not at ties, values are of moderate size.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from hypothesis import assume
from hypothesis import strategies as st

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.binding import free_names
from surrogate_calculus.language.terms import (
    HAS_STOP,
    Add,
    App,
    Axis,
    Bound,
    Eval,
    Fn,
    Grad,
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
from surrogate_calculus.semantics import Model, Polynomial, random_function

#: Largest absolute value of any derivative up to the order asked for.
MAX_VALUE = 10**8
#: Longest numerator or denominator, in bits, of an exact value.
MAX_BITS = 6000


@dataclass(frozen=True)
class Options:
    """What may occur.

    depth: of the expression tree.  size: about how many nodes.  order: 1 to 4, None for any.
    parameters: 1 or 2, None for any.  rational_only: no transcendental function, so that values are
    exact.  torch_expressible: no ∇ over a → that removes a ⊥ (the surrogate's own →∇ᵏ included).
    vector: θ is a vector.
    """

    depth: int = 8
    size: int = 40
    order: int | None = None
    parameters: int | None = None
    rational_only: bool = False
    torch_expressible: bool = False
    vector: bool = False


@dataclass(frozen=True, repr=False)
class Surrogate:
    """A closed scalar term, and where it is evaluated.

    wrt: the parameters to differentiate by, innermost first; ``order`` of them.  vector: those
    parameters that are vectors.
    """

    term: Term
    wrt: tuple[str, ...]
    order: int
    point: dict[str, Any]
    functions: dict[str, Polynomial]
    vector: tuple[str, ...] = ()

    def goal(self, order: int | None = None) -> Term:
        """→∇ᵏ of the term, k being the order; vectors leave the axes 1, 2, … open."""
        term, axis = self.term, 0
        for name in self.wrt[: self.order if order is None else order]:
            if name in self.vector:
                axis += 1
                term = Grad(name, term, Axis(axis))
            else:
                term = Grad(name, term)
        return Eval(term)

    def axes(self) -> list[dict[int, int]]:
        """Coordinates to look at: one dictionary from axes to coordinates each."""
        sizes = [len(self.point[name]) for name in self.wrt if name in self.vector]
        first = dict.fromkeys(range(1, len(sizes) + 1), 1)
        mixed = {axis: 1 + axis % size for axis, size in enumerate(sizes, 1)}
        return [first] if first == mixed else [first, mixed]

    def model(self, digits: int = 50) -> Model:
        """The two-copy model at the point."""
        return Model(self.point, self.functions, digits=digits)

    def torch_values(self) -> dict[str, Any]:
        """The point and the functions as ``sc.evaluate`` takes them: floats, tensors, callables."""
        import torch

        values: dict[str, Any] = dict(self.functions)
        for name, x in self.point.items():
            if isinstance(x, tuple):
                values[name] = torch.tensor(_floats(x), dtype=torch.float64)
            else:
                values[name] = float(x)
        return values

    def __repr__(self) -> str:
        lines = [f"term      {self.term}", f"wrt       {', '.join(self.wrt)}"]
        for name, x in self.point.items():
            lines.append(f"{name:9} {_show(x)}")
        for name, f in self.functions.items():
            lines.append(f"{name:9} {f.layout} { ({m: str(c) for m, c in f.coefficients.items()}) }")
        return "Surrogate(\n  " + "\n  ".join(lines) + "\n)"


def _floats(x: Any) -> Any:
    return [_floats(y) for y in x] if isinstance(x, tuple) else float(x)


def _show(x: Any) -> str:
    return "(" + ", ".join(map(_show, x)) + ")" if isinstance(x, tuple) else str(x)


class Draw(Protocol):
    """A source of integers; small ones are simple."""

    def integer(self, lo: int, hi: int) -> int: ...


class _Random:
    def __init__(self, rng: random.Random) -> None:
        self.integer = rng.randint


class _Hypothesis:
    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def integer(self, lo: int, hi: int) -> int:
        return int(self.draw(st.integers(lo, hi)))


def is_well_defined(surrogate: Surrogate) -> bool:
    """Whether the term and its derivatives have values of moderate size at the point."""
    model = surrogate.model(digits=20)
    try:
        for order in range(surrogate.order + 1):
            for axes in surrogate.axes():
                x = model.value(surrogate.goal(order), axes)
                if abs(x) > MAX_VALUE:
                    return False
                if isinstance(x, Fraction) and max(x.numerator.bit_length(), x.denominator.bit_length()) > (
                    MAX_BITS
                ):
                    return False
    except EvaluationError:
        return False
    return True


def random_surrogate(rng: random.Random, options: Options | None = None, **kwargs: Any) -> Surrogate:
    """A random well-defined surrogate; ``kwargs`` are fields of :class:`Options`."""
    chosen = replace(options or Options(), **kwargs)
    while True:
        found = _Builder(_Random(rng), chosen).surrogate()
        if is_well_defined(found):
            return found


@st.composite
def surrogates(draw: Any, options: Options | None = None, **kwargs: Any) -> Surrogate:
    """The same as a hypothesis strategy."""
    found = _Builder(_Hypothesis(draw), replace(options or Options(), **kwargs)).surrogate()
    assume(is_well_defined(found))
    return found


@dataclass(frozen=True)
class _Place:
    """Where a subterm stands: binders around it, ∇ that may still be nested inside, and so on."""

    binders: int = 0
    grads: int = 0
    apps: int = 2
    stops: bool = True
    stopped: bool = False


@dataclass(frozen=True)
class _Signature:
    """A function's slots; ``whole`` are the vector parameters that stand behind its others."""

    arguments: int
    given: int
    params: int
    whole: tuple[str, ...] = field(default=())


class _Builder:
    """One surrogate in the making."""

    def __init__(self, draw: Draw, options: Options) -> None:
        self.draw = draw
        self.options = options
        self.budget = options.size
        self.pool: list[tuple[Term, int]] = []
        count = options.parameters or draw.integer(1, 2)
        self.params = ("θ", "φ")[:count]
        self.vector = ("θ",) if options.vector else ()
        #: Every index of a Σ or ∏ is in 1 … top, and so is N; families go one further.
        self.top = draw.integer(2, 3)
        self.signatures: dict[str, _Signature] = {}
        self.functions: dict[str, Polynomial] = {}
        self.point: dict[str, Any] = {}
        productions: list[tuple[int, Callable[[int, _Place], Term]]] = [
            (3, self.add),
            (3, self.mul),
            (2, self.quotient),
            (1, self.power),
            (3, self.stop),
            (2, self.eval),
            (2, self.application),
            (1, self.partial),
            (3, self.grad),
            (1, self.sum),
            (1, self.prod),
            (1, self.kink),
            (1, self.cases),
            (1, self.dice),
            (1, self.reuse),
        ]
        if not options.rational_only:
            productions += [(3, self.smooth), (2, self.log), (1, self.root), (1, self.variable_power)]
        self.productions = [make for weight, make in productions for _ in range(weight)]

    def choice(self, items: Sequence[Any]) -> Any:
        return items[self.draw.integer(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.draw.integer(0, 99) >= 100 - percent

    def surrogate(self) -> Surrogate:
        order = self.options.order or self.draw.integer(1, 4)
        wrt = tuple(self.choice(self.params) for _ in range(order))
        self.make_point()
        place = _Place(grads=min(3, 6 - order))
        term = self.expr(self.draw.integer(1, self.options.depth), place)
        names = sorted(set(wrt))
        if not set(names) <= free_names(term) or self.chance(60):
            live = self.live(names)
            term = Mul(live, term) if self.chance(60) else Add(Mul(live, term), live)
        used_names = free_names(term) | set(self.params)
        used = {node.name for node in _applications(term)}
        return Surrogate(
            term,
            wrt,
            order,
            {name: x for name, x in self.point.items() if name in used_names},
            {name: f for name, f in self.functions.items() if name in used},
            self.vector,
        )

    def make_point(self) -> None:
        for name in self.params:
            if name in self.vector:
                self.point[name] = tuple(self.rational(positive=True) for _ in range(self.top))
            else:
                self.point[name] = self.rational(positive=True)
        for name in ("x", "y"):
            self.point[name] = self.rational()
        self.point["N"] = Fraction(self.draw.integer(1, self.top))
        self.point["w"] = tuple(self.rational() for _ in range(self.top + 1))
        self.point["u"] = tuple(
            tuple(self.rational() for _ in range(self.top + 1)) for _ in range(self.top + 1)
        )
        self.point["a"] = tuple(Fraction(self.draw.integer(1, self.top)) for _ in range(self.top + 1))

    def rational(self, positive: bool = False) -> Fraction:
        x = Fraction(self.draw.integer(1, 7), self.draw.integer(1, 5))
        return x if positive or self.chance(60) else -x

    def live(self, names: Sequence[str]) -> Term:
        """A factor no derivative of which is zero, so that few surrogates have derivative zero."""
        parts: list[Term] = []
        for name in names:
            if name in self.vector:
                parts.append(Sum(Num(1), Num(self.top), Pow(Indexed(name, Bound(0)), Num(2))))
            else:
                parts.append(Mul(Num(2), Sym(name)))
        return Pow(Add(Num(Fraction(self.draw.integer(1, 3))), *parts), Num(-1))

    # Expressions.

    def expr(self, depth: int, place: _Place) -> Term:
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.leaf(place)
        term = self.choice(self.productions)(depth, place)
        if not term.loose:
            self.pool.append((term, place.grads))
        return term

    def several(self, count: int, depth: int, place: _Place) -> list[Term]:
        """Children, one of which goes as deep as is allowed."""
        spine = self.draw.integer(0, count - 1)
        return [
            self.expr(depth - 1 if i == spine else self.draw.integer(0, min(2, depth - 1)), place)
            for i in range(count)
        ]

    def leaf(self, place: _Place) -> Term:
        kind = self.draw.integer(0, 9)
        if kind <= 4:
            return self.parameter(self.choice(self.params), place)
        if kind <= 6:
            return Sym(self.choice(("x", "y")))
        if kind == 7:
            return Num(Fraction(self.choice((1, 2, 3, -1, -2)), self.choice((1, 1, 2, 3))))
        if kind == 8 and self.chance(50):
            return Indexed("u", self.family_index(place), self.family_index(place))
        if kind == 8 or not place.binders:
            return Indexed("w", self.family_index(place))
        return self.index(place)

    def parameter(self, name: str, place: _Place) -> Term:
        return Indexed(name, self.index(place)) if name in self.vector else Sym(name)

    def index(self, place: _Place) -> Term:
        """An index term with a value in 1 … top."""
        if place.binders and self.chance(60):
            return Bound(self.draw.integer(0, place.binders - 1))
        kind = self.draw.integer(0, 3)
        if kind == 2:
            return Sym("N")
        if kind == 3:
            return Indexed("a", self.family_index(place))
        return Num(self.draw.integer(1, self.top))

    def family_index(self, place: _Place) -> Term:
        """An index term with a value in 1 … top + 1."""
        if place.binders and self.chance(20):
            return Add(Bound(self.draw.integer(0, place.binders - 1)), Num(1))
        if self.chance(15):
            return Num(self.top + 1)
        return (
            Bound(self.draw.integer(0, place.binders - 1))
            if place.binders and self.chance(60)
            else Num(self.draw.integer(1, self.top))
        )

    def add(self, depth: int, place: _Place) -> Term:
        children = self.several(self.draw.integer(2, 3), depth, place)
        return Add(*(Mul(Num(-1), c) if self.chance(20) else c for c in children))

    def mul(self, depth: int, place: _Place) -> Term:
        return Mul(*self.several(self.choice((2, 2, 2, 3)), depth, place))

    def quotient(self, depth: int, place: _Place) -> Term:
        if self.chance(20):
            return Pow(self.positive(depth - 1, place), Num(-1))
        if self.chance(50):
            return Mul(self.expr(depth - 1, place), Pow(self.positive(min(2, depth - 1), place), Num(-1)))
        return Mul(self.expr(min(2, depth - 1), place), Pow(self.positive(depth - 2, place), Num(-1)))

    def power(self, depth: int, place: _Place) -> Term:
        if self.chance(30):
            return Pow(self.positive(depth - 1, place), Num(self.choice((-1, -2, -3))))
        return Pow(self.expr(depth - 1, place), Num(self.choice((2, 2, 3, 1, 0))))

    def stop(self, depth: int, place: _Place) -> Term:
        if not place.stops:
            return self.add(depth, place)
        return Stop(self.expr(depth - 1, replace(place, stopped=True)))

    def inside_eval(self, place: _Place) -> _Place:
        if self.options.torch_expressible and not place.stopped:
            return replace(place, stops=False)
        return place

    def eval(self, depth: int, place: _Place) -> Term:
        return Eval(self.expr(depth - 1, self.inside_eval(place)))

    def grad(self, depth: int, place: _Place) -> Term:
        if not place.grads:
            return self.mul(depth, place)
        name = self.choice(self.params)
        # Under the new ∇ an arrow matters again, whatever ⊥ is outside.
        inner = replace(place, grads=place.grads - 1, stopped=False)
        coordinate = self.index(place) if name in self.vector else None
        term: Term = Grad(name, self.expr(depth - 1, inner), coordinate)
        arrow = not self.options.torch_expressible or place.stopped or not term.flags & HAS_STOP
        return Eval(term) if arrow and self.chance(40) else term

    def bounds(self, place: _Place) -> tuple[Term, Term]:
        top = self.choice((1, 2, 3, 4))
        hi: Term = Num(min(self.draw.integer(1, 2), self.top))
        if top == 2:
            hi = Sym("N")
        elif top == 3 and place.binders:
            hi = Bound(self.draw.integer(0, place.binders - 1))
        elif top == 4:
            hi = Num(self.top)
        return Num(2 if self.chance(15) else 1), hi

    def sum(self, depth: int, place: _Place) -> Term:
        lo, hi = self.bounds(place)
        return Sum(lo, hi, self.under_binder(depth, place), self.choice(("i", "j")))

    def prod(self, depth: int, place: _Place) -> Term:
        lo, hi = self.bounds(place)
        return Prod(lo, hi, self.under_binder(depth, place), self.choice(("t", "i")))

    def under_binder(self, depth: int, place: _Place) -> Term:
        inner = replace(place, binders=place.binders + 1)
        body = self.expr(depth - 1, inner)
        if body.loose:
            return body
        return self.choice((Add, Mul))(body, Indexed("w", Bound(0)))

    def kink(self, depth: int, place: _Place) -> Term:
        op = self.choice(("relu", "abs", "max", "min", "sign", "gt", "ge", "eq"))
        # The odd constant keeps clear of ties.
        if op in ("relu", "abs"):
            return Fn(op, Add(self.expr(depth - 1, place), Num(Fraction(self.choice((7, -7)), 13))))
        if op == "sign":
            return Fn(op, Add(self.expr(depth - 1, place), Num(Fraction(self.choice((7, -7)), 13))))
        if op == "eq":
            return Mul(Fn("eq", self.index(place), self.index(place)), self.expr(depth - 1, place))
        a, b = self.several(2, depth, place)
        if op in ("max", "min"):
            return Fn(op, Add(a, Num(Fraction(3, 17))), b)
        return Mul(Fn(op, a, Num(Fraction(5, 19))), b)

    def cases(self, depth: int, place: _Place) -> Term:
        kind = self.draw.integer(0, 2)
        if kind == 0:
            condition: Term = Fn("eq", self.index(place), self.index(place))
        else:
            condition = Fn(("gt", "ge")[kind - 1], self.expr(min(1, depth - 1), place), Num(Fraction(5, 19)))
        return Fn("cases", condition, *self.several(2, depth, place))

    def dice(self, depth: int, place: _Place) -> Term:
        """p/⊥p f, or f + ⊥f log p."""
        if not place.stops:
            return self.mul(depth, place)
        p = self.positive(min(3, depth - 1), place)
        f = self.expr(depth - 1, place)
        if self.options.rational_only or self.chance(60):
            return Mul(p, Pow(Stop(p), Num(-1)), f)
        return Add(f, Mul(Stop(f), Fn("log", p)))

    def reuse(self, depth: int, place: _Place) -> Term:
        """A subterm once more, so that terms are DAGs."""
        fitting = [
            term
            for term, grads in self.pool
            if grads <= place.grads and (place.stops or not term.flags & HAS_STOP)
        ]
        if self.options.torch_expressible:
            fitting = [term for term in fitting if not _has_arrow_over_stop(term)]
        return self.choice(fitting) if fitting else self.mul(depth, place)

    def smooth(self, depth: int, place: _Place) -> Term:
        op = self.choice(("sin", "cos", "tanh", "sigmoid", "softplus", "exp", "tan", "pi"))
        if op == "exp":
            return Fn("exp", self.bounded(depth - 1, place))
        if op == "tan":
            return Fn("tan", Mul(Num(Fraction(3, 4)), self.bounded(depth - 1, place)))
        if op == "pi":
            return Mul(Num(Fraction(1, 3)), Fn("pi"), self.expr(depth - 1, place))
        return Fn(op, self.expr(depth - 1, place))

    def log(self, depth: int, place: _Place) -> Term:
        return Fn("log", self.positive(depth - 1, place))

    def root(self, depth: int, place: _Place) -> Term:
        if self.chance(50):
            return Fn("sqrt", self.positive(depth - 1, place))
        exponent = Fraction(self.choice((1, -1, 3, 2)), self.choice((2, 3)))
        return Pow(self.positive(depth - 1, place), Num(exponent))

    def variable_power(self, depth: int, place: _Place) -> Term:
        return Pow(self.positive(min(2, depth - 1), place), self.bounded(depth - 1, place))

    def bounded(self, depth: int, place: _Place) -> Term:
        """In absolute value at most 1 by construction, or small for being a leaf; transcendental."""
        if depth <= 0:
            return Mul(Num(Fraction(1, 4)), self.leaf(place))
        return Fn(self.choice(("sin", "tanh", "sigmoid", "cos")), self.expr(depth - 1, place))

    def positive(self, depth: int, place: _Place) -> Term:
        """Positive by construction, and not too near 0."""
        self.budget -= 1
        kinds = ["square", "density", "density"]
        if depth > 0 and self.budget > 0:
            kinds += ["quotient", "sum", "range", "eval"]
            kinds += ["stop"] if place.stops else []
            kinds += [] if self.options.rational_only else ["exp", "sigmoid", "softplus"]
        kind = self.choice(kinds)
        if kind == "density" and place.apps:
            return self.apply(self.choice(("p", "q")), depth, place, ())
        if kind == "quotient":
            return Mul(self.positive(depth - 1, place), Pow(self.positive(min(1, depth - 1), place), Num(-1)))
        if kind == "sum":
            return Add(self.positive(depth - 1, place), self.positive(min(1, depth - 1), place))
        if kind == "range":
            inner = replace(place, binders=place.binders + 1)
            hi = Sym("N") if self.chance(50) else Num(self.draw.integer(1, self.top))
            return Sum(Num(1), hi, self.positive(depth - 1, inner), "i")
        if kind == "eval":
            return Eval(self.positive(depth - 1, self.inside_eval(place)))
        if kind == "stop":
            return Stop(self.positive(depth - 1, replace(place, stopped=True)))
        if kind == "exp":
            return Fn("exp", self.bounded(depth - 1, place))
        if kind in ("sigmoid", "softplus"):
            return Fn(kind, self.bounded(depth - 1, place))
        return Add(
            Num(Fraction(self.choice((1, 1, 2)), self.choice((1, 2)))),
            Pow(self.expr(depth - 1, place), Num(2)),
        )

    # Opaque functions.

    def application(self, depth: int, place: _Place) -> Term:
        if not place.apps:
            return self.mul(depth, place)
        return self.apply(self.choice(("f", "g", "p", "q")), depth, place, ())

    def partial(self, depth: int, place: _Place) -> Term:
        if not place.apps:
            return self.add(depth, place)
        name = self.choice(("f", "g", "p"))
        signature = self.signature(name)
        scalars = signature.arguments + signature.given + signature.params
        partials: list[tuple[int, Term | None]] = []
        for _ in range(self.draw.integer(1, 3)):
            slot = self.draw.integer(1, scalars + len(signature.whole))
            partials.append((slot, self.index(place) if slot > scalars else None))
        return self.apply(name, depth, place, partials)

    def signature(self, name: str) -> _Signature:
        found = self.signatures.get(name)
        if found is None:
            whole = self.vector if self.vector and self.chance(70) else ()
            arguments, given = self.draw.integer(1, 2), self.draw.integer(0, 1)
            params = self.draw.integer(0 if whole else 1, 1) + (len(self.params) > 1 and self.chance(30))
            found = self.signatures[name] = _Signature(arguments, given, params, whole)
            layout: list[int | None] = [None] * (arguments + given + params) + [self.top] * len(whole)
            rng = random.Random(self.draw.integer(0, 10**6))
            self.functions[name] = self.function(rng, layout, positive=name in "pq")
        return found

    def function(self, rng: random.Random, layout: Sequence[int | None], *, positive: bool) -> Polynomial:
        """What stands for an opaque function."""
        return random_function(rng, layout, positive=positive)

    def apply(
        self, name: str, depth: int, place: _Place, partials: Sequence[tuple[int, Term | None]]
    ) -> Term:
        signature = self.signature(name)
        inner = replace(place, apps=place.apps - 1)
        slots = [
            self.expr(min(2, depth - 1), inner) if self.chance(40) else self.leaf(inner)
            for _ in range(signature.arguments + signature.given)
        ]
        params: list[Term] = []
        for i in range(signature.params):
            parameter = self.parameter(self.params[(i + (not self.chance(80))) % len(self.params)], inner)
            if self.chance(10):
                parameter = self.expr(min(1, depth - 1), inner)
            elif inner.stops and self.chance(15):
                parameter = Stop(parameter)
            params.append(parameter)
        params += [Sym(name) for name in signature.whole]
        return App(name, slots[: signature.arguments], slots[signature.arguments :], params, partials)


def _nodes(term: Term) -> list[Term]:
    from surrogate_calculus.language.terms import postorder

    return postorder(term)


def _applications(term: Term) -> list[App]:
    return [node for node in _nodes(term) if isinstance(node, App)]


def _has_arrow_over_stop(term: Term) -> bool:
    return any(isinstance(node, Eval) and node.args[0].flags & HAS_STOP for node in _nodes(term))
