"""The two-copy model: what a term means, exactly, and independently of every rule.

A term denotes a function of two copies of each parameter, a live one θ and a stopped one θ̂
(design: "Meaning").  Around a point this function is represented by its truncated Taylor series in
the displacements δ of the live and ε of the stopped copies:

* ``⊥(E)`` is E's series with δ replaced by ε, ``→(E)`` is E's series with ε replaced by δ;
* ``∇θ(E)`` is the formal derivative of E's series in δ of θ;
* ``𝔼[x ~ p(·; θ)](E)`` is the sum of p(x; θ)·E over the values that x may have, which the model is
  given: the integral against a counting measure.  That p sums to one is not assumed;
* ``𝔼[· | t](E)`` is the sum over all outcomes of the draws later than t, weighted by their laws, both
  copies of each parameter in a law being the live one;
* everything else is arithmetic on series.

How many terms of each series are needed is passed downwards (:class:`~.series.Demand`), so that a
value costs no more than the derivatives in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import factorial
from typing import Any, NamedTuple

from ..errors import EvaluationError
from ..language.terms import (
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
    Store,
    Sum,
    Sym,
    Term,
    postorder,
)
from .draws import Draw, Draws, World
from .instances import Function
from .point import Point, PointValue
from .series import (
    MAX_DEGREE,
    Arithmetic,
    Demand,
    Demands,
    Enclosing,
    Number,
    Series,
    UndefinedAt,
    merge_copies,
    partial,
)

__all__ = ["Copy", "Model", "PointValue"]

#: No Σ or ∏ longer than this is unrolled.
MAX_RANGE = 100_000

_ONE: Series = {0: Fraction(1)}

_Meaning = Series | tuple[Series, ...]


class _Env(NamedTuple):
    """The values of the bound indices, innermost first, and of what is drawn."""

    bound: tuple[int | Fraction | None, ...]
    world: World

    def under(self, value: int | Fraction) -> _Env:
        """Under one more binder."""
        return _Env((value, *self.bound), self.world)


_Key = tuple[int, _Env, Demand]


class Copy(NamedTuple):
    """One copy of a scalar parameter, or of a coordinate of a vector."""

    param: str
    coordinate: int | None
    stopped: bool


class Model:
    """The meaning of terms at a point.

    Args:
        point: from names to values; see :data:`PointValue`.  Floats are taken at their exact value.
            Where a family has the name of a symbol, it is given as ``name[]``.
        functions: from names of opaque functions and densities to what stands for them.
        digits: decimals of working precision where a transcendental function makes a value inexact.
        enclosed: give such values as intervals of mpmath that hold them.
        laws: from names of densities to the values that each of their arguments may have, for 𝔼.
        draws: the random variables of a document, in the order in which they are drawn, for 𝔼[· | t].
            What is drawn up to the time t has the value that the point gives.
    """

    def __init__(
        self,
        point: Mapping[str, PointValue],
        functions: Mapping[str, Function] | None = None,
        *,
        digits: int = 50,
        enclosed: bool = False,
        laws: Mapping[str, Sequence[Sequence[int | Fraction]]] | None = None,
        draws: Iterable[Draw] = (),
    ) -> None:
        self.point = Point(point, Enclosing(digits) if enclosed else Arithmetic(digits))
        self.functions = functions or {}
        self.laws = laws or {}
        self.draws = Draws(draws)
        self.arithmetic = self.point.arithmetic

    def value(self, term: Term, axes: Mapping[int, int] | None = None) -> Number:
        """The value of a closed scalar term, both copies of every parameter at the point.

        Args:
            term: no bound index is loose in it.
            axes: for each open coordinate axis the coordinate wanted, from 1.

        Returns:
            a Fraction where every value on the way was rational, else a real of mpmath.

        Raises:
            EvaluationError: names without a value, points outside a function's domain, expectations.
            UndefinedAt: a kink at the point.
        """
        run = _Run(self, term, axes, ())
        return run.scalar(run.meaning(run.demands.nothing)).get(0, Fraction(0))

    def series(
        self,
        term: Term,
        degree: int,
        wrt: Iterable[str | tuple[str, int]],
        axes: Mapping[int, int] | None = None,
    ) -> dict[tuple[tuple[Copy, int], ...], Number]:
        """The Taylor series of a term in both copies of parameters.

        Args:
            term: a closed scalar term.
            degree: up to which total degree.
            wrt: the parameters: names of scalars, or (name, coordinate from 1).
            axes: for each open coordinate axis the coordinate wanted, from 1.

        Returns:
            from monomials, as sorted tuples of (copy, exponent ≥ 1), to non-zero coefficients.

        Raises:
            EvaluationError: as :meth:`value`.
        """
        wanted = [(w, None) if isinstance(w, str) else w for w in wrt]
        run = _Run(self, term, axes, {name for name, _ in wanted})
        for name, coordinate in wanted:
            run.point.check_coordinate(name, coordinate)
        variables = [run.demands.variable(*w) for w in wanted]
        demand = run.demands.of((v, degree, degree, degree) for v in variables)
        out = {}
        for packed, c in run.scalar(run.meaning(demand)).items():
            monomial = []
            for (name, coordinate), v in run.demands.variables.items():
                for stopped in (False, True):
                    exponent = packed >> 16 * v + 8 * stopped & 255
                    if exponent:
                        monomial.append((Copy(name, coordinate, stopped), exponent))
            if sum(exponent for _, exponent in monomial) <= degree:
                out[tuple(sorted(monomial, key=_monomial_order))] = c
        return out


def _monomial_order(factor: tuple[Copy, int]) -> tuple[str, int, bool]:
    copy = factor[0]
    return copy.param, copy.coordinate or 0, copy.stopped


class _Run:
    """One evaluation: the term's nodes, what each depends on, and the meanings found so far.

    A meaning is known by its node, the values of the bound indices that occur in the node, and the
    demand restricted to the parameters that occur in it.
    """

    def __init__(
        self, model: Model, term: Term, axes: Mapping[int, int] | None, names: Iterable[str]
    ) -> None:
        self.functions = model.functions
        self.laws = model.laws
        self.draws = model.draws
        self.point = model.point
        self.axes = axes or {}
        self.arithmetic = model.arithmetic
        store = Store()
        self.root = store.add(term)
        self.weights: list[Term] = []
        if any(n.__class__ is CondExpect for n in postorder(self.root)):
            self.weights = [store.add(Eval(draw.law)) for draw in self.draws.all]
        nodes = postorder(*self.weights, self.root)
        self.demands = Demands({n.key for n in nodes if n.__class__ in (Grad, Grads)}.union(names))
        # Bit sets: differentiated parameters that occur, bound indices that occur.
        self.params: dict[int, int] = {}
        self.bound: dict[int, int] = {}
        # Draws that may occur, where any are given.
        self.random: dict[int, int] = {}
        for node in nodes:
            params = bound = 0
            for i, arg in enumerate(node.args):
                params |= self.params[id(arg)]
                bound |= self.bound[id(arg)] >> (node.binds[i] if node.binds else 0)
            if node.__class__ is Sym or node.__class__ is Indexed:
                params |= 1 << self.demands.bits[node.key] if node.key in self.demands.bits else 0
            elif node.__class__ is Bound:
                bound = 1 << node.key
            elif node.__class__ is CondExpect:
                for weight in self.weights:
                    params |= self.params[id(weight)]
            if self.draws.all:
                random = -1 if node.__class__ is CondExpect else self.draws.inside(node)
                for arg in node.args:
                    random |= self.random[id(arg)]
                self.random[id(node)] = random
            self.params[id(node)] = params
            self.bound[id(node)] = bound
        self.known: dict[_Key, _Meaning] = {}
        self.pending: list[tuple[Term, _Key]] = []

    def meaning(self, demand: Demand) -> _Meaning:
        """The root's meaning; iterative, since terms may be deeper than the stack."""
        if self.root.loose:
            raise EvaluationError("a term with a loose bound index has no value")
        root = (self.root, self._key(self.root, _Env((), self.draws.given), demand))
        todo = [root]
        while todo:
            node, key = todo[-1]
            if key in self.known:
                todo.pop()
                continue
            self.pending = []
            found = _MEANINGS[node.__class__](self, node, key[1], key[2])
            if found is None:
                todo.extend(self.pending)
            else:
                self.known[key] = found
                todo.pop()
        return self.known[root[1]]

    def _key(self, node: Term, env: _Env, demand: Demand) -> _Key:
        where = id(node)
        bound = self.bound[where]
        values: tuple[int | Fraction | None, ...] = ()
        if bound:
            values = tuple(
                v if bound >> i & 1 else None for i, v in enumerate(env.bound[: bound.bit_length()])
            )
        world = self.draws.restricted(env.world, self.random[where]) if self.draws.all else ()
        env = _Env(values, world)
        return where, env, demand.restricted(self.params[where])

    def want(self, node: Term, env: _Env, demand: Demand) -> _Meaning | None:
        """A child's meaning, or None: then it is noted as pending, and the parent will be asked again."""
        key = self._key(node, env, demand)
        found = self.known.get(key)
        if found is None:
            self.pending.append((node, key))
        return found

    def want_all(self, nodes: Iterable[Term], env: _Env, demand: Demand) -> list[_Meaning] | None:
        """The meanings of several children, or None if one of them is pending."""
        found = [self.want(node, env, demand) for node in nodes]
        return None if any(f is None for f in found) else found  # type: ignore[return-value]

    def want_integers(self, nodes: Iterable[Term], env: _Env) -> list[int] | None:
        """The values of index terms: constant by nature."""
        found = self.want_all(nodes, env, self.demands.nothing)
        if found is None:
            return None
        out = []
        for meaning in found:
            x = self.scalar(meaning).get(0, Fraction(0))
            if x.__class__ is not Fraction or x.denominator != 1:
                raise EvaluationError(
                    f"an index, a coordinate, an order or the end of a range is {x}, no integer"
                )
            out.append(x.numerator)
        return out

    def scalar(self, meaning: _Meaning) -> Series:
        """The meaning, which must not be a vector."""
        if isinstance(meaning, tuple):
            raise EvaluationError(
                "a vector stands where a number is needed",
                instead="its coordinates, as θ[k]; a whole vector stands in a slot of a function only",
            )
        return meaning

    def base(self, meaning: _Meaning) -> Number:
        """The value at the point."""
        return self.scalar(meaning).get(0, Fraction(0))

    # Names.

    def leaf(self, name: str, coordinate: int | None, x: object, demand: Demand) -> _Meaning:
        """A name's value displaced in its live copy; coordinate by coordinate for a vector."""
        if isinstance(x, Sequence) and not isinstance(x, str):
            if coordinate is not None:
                return tuple(self.arithmetic.constant(self.point.number(name, y)) for y in x)
            return tuple(self._displaced(name, k, y, demand) for k, y in enumerate(x, 1))
        return self._displaced(name, coordinate, x, demand)

    def drawn(self, name: str, indices: tuple[int, ...], env: _Env) -> Fraction | None:
        """The value of a random variable in this outcome; None where it is that of the point."""
        place = self.draws.place.get((name, indices))
        return None if place is None else env.world[place]

    def _displaced(self, name: str, coordinate: int | None, x: object, demand: Demand) -> Series:
        out = self.arithmetic.constant(self.point.number(name, x))
        if demand.entries:
            variable = self.demands.variables.get((name, coordinate), -1)
            if any(entry[0] == variable and entry[1] for entry in demand.entries):
                out[1 << 16 * variable] = Fraction(1)
        return out

    # One method for each constructor: the meaning, or None while children are pending.

    def num(self, node: Num, env: _Env, demand: Demand) -> _Meaning | None:
        return self.arithmetic.constant(node.value)

    def sym(self, node: Sym, env: _Env, demand: Demand) -> _Meaning | None:
        drawn = self.drawn(node.name, (), env)
        if drawn is not None:
            return self.arithmetic.constant(drawn)
        return self.leaf(node.name, None, self.point.value(node.name), demand)

    def bound_index(self, node: Bound, env: _Env, demand: Demand) -> _Meaning | None:
        value = env.bound[node.index]
        assert value is not None
        return self.arithmetic.constant(Fraction(value))

    def axis(self, node: Axis, env: _Env, demand: Demand) -> _Meaning | None:
        if node.number not in self.axes:
            raise EvaluationError(
                f"coordinate axis {node.number} is open", instead=f"axes={{{node.number}: coordinate}}"
            )
        return self.arithmetic.constant(Fraction(self.axes[node.number]))

    def indexed(self, node: Indexed, env: _Env, demand: Demand) -> _Meaning | None:
        indices = self.want_integers(node.args, env)
        if indices is None:
            return None
        drawn = self.drawn(node.name, tuple(indices), env)
        if drawn is not None:
            return self.arithmetic.constant(drawn)
        x = self.point.member(node.name, indices)
        return self.leaf(node.name, indices[0] if len(indices) == 1 else 0, x, demand)

    def add(self, node: Term, env: _Env, demand: Demand) -> _Meaning | None:
        found = self.want_all(node.args, env, demand)
        return None if found is None else self.arithmetic.add(map(self.scalar, found))

    def mul(self, node: Term, env: _Env, demand: Demand) -> _Meaning | None:
        found = self.want_all(node.args, env, demand)
        return None if found is None else self._product(found, demand)

    def _product(self, factors: Iterable[_Meaning], demand: Demand) -> Series:
        out = _ONE
        for factor in map(self.scalar, factors):
            out = factor if out is _ONE else self.arithmetic.multiply(out, factor, demand.allowed)
        return out

    def pow(self, node: Pow, env: _Env, demand: Demand) -> _Meaning | None:
        found = self.want_all(node.args, env, demand)
        if found is None:
            return None
        base, exponent = map(self.scalar, found)
        number = exponent.get(0, Fraction(0))
        if number.__class__ is Fraction and len(exponent) == (number != 0):
            taylor = self.arithmetic.power(base.get(0, Fraction(0)), number, demand.degree)
            return self.arithmetic.compose(taylor, base, demand.allowed)
        if base.get(0, Fraction(0)) <= 0:
            raise EvaluationError(
                f"a variable or irrational power of {self.base(base)}, which is not positive"
            )
        log = self._apply("log", base, demand)
        return self._apply("exp", self.arithmetic.multiply(exponent, log, demand.allowed), demand)

    def _apply(self, op: str, series: Series, demand: Demand) -> Series:
        taylor = self.arithmetic.function(op, series.get(0, Fraction(0)), demand.degree)
        return self.arithmetic.compose(taylor, series, demand.allowed)

    def fn(self, node: Fn, env: _Env, demand: Demand) -> _Meaning | None:
        op = node.op
        if op == "pi":
            return self.arithmetic.constant(+self.arithmetic.context.pi)
        if op == "cases":
            chosen = self._compare(node, env, node.args[:1])
            return None if chosen is None else self.want(node.args[1 if chosen else 2], env, demand)
        if op in ("gt", "ge", "eq"):
            order = self._compare(node, env, node.args)
            if order is None:
                return None
            holds = order > 0 if op == "gt" else order >= 0 if op == "ge" else order == 0
            return self.arithmetic.constant(Fraction(holds))
        if op in ("max", "min"):
            order = self._compare(node, env, node.args)
            if order is None:
                return None
            return self.want(node.args[0 if (order >= 0) == (op == "max") else 1], env, demand)
        if op in ("relu", "abs", "sign"):
            side = self._compare(node, env, node.args)
            if side is None:
                return None
            if op == "sign":
                return self.arithmetic.constant(Fraction(side))
            factor = side if op == "abs" else side > 0
            found = self.want(node.args[0], env, demand)
            return None if found is None else self.arithmetic.scale(Fraction(factor), self.scalar(found))
        found = self.want(node.args[0], env, demand)
        return None if found is None else self._apply(op, self.scalar(found), demand)

    def _compare(self, node: Fn, env: _Env, args: tuple[Term, ...]) -> int | None:
        """The order of two values, or of one and 0: constant by nature, undefined at ties that move."""
        found = self.want_all(args, env, self.demands.nothing)
        if found is None:
            return None
        x, y = self.base(found[0]), self.base(found[1]) if len(found) > 1 else Fraction(0)
        order = self.arithmetic.compare(x, y)
        if order == 0 and node.op != "cases" and any(self.params[id(a)] for a in args):
            raise UndefinedAt(
                f"{node.op} at a tie: its argument depends on a parameter and is {x} at the point"
            )
        return order

    def app(self, node: App, env: _Env, demand: Demand) -> _Meaning | None:
        slots = self.want_all(node.slots, env, demand)
        coordinates = self.want_integers(node.args[node.n_slots :], env)
        if slots is None or coordinates is None:
            return None
        function = self.functions.get(node.name)
        if function is None:
            raise EvaluationError(f"no function is given for {node.name}")
        flat: list[Series] = []
        starts: list[int] = []
        for slot in slots:
            starts.append(len(flat))
            flat.extend(slot if isinstance(slot, tuple) else (slot,))
        orders = [0] * len(flat)
        remaining = iter(coordinates)
        for slot_number, has_coordinate in node.key[4]:
            whole = slots[slot_number - 1]
            size = len(whole) if isinstance(whole, tuple) else None
            coordinate = next(remaining) if has_coordinate else None
            if (size is None) != (coordinate is None) or not 1 <= (coordinate or 1) <= (size or 1):
                raise EvaluationError(
                    f"a derivative of {node.name} in slot {slot_number}, coordinate {coordinate}, where that "
                    f"slot holds {'a number' if size is None else f'a vector of {size}'}"
                )
            orders[starts[slot_number - 1] + (coordinate or 1) - 1] += 1

        # f(b + s) = Σ_α ∂^α f(b) s^α / α!, over the coordinates that are displaced.
        at = self._homogeneous([s.get(0, Fraction(0)) for s in flat])
        values = [
            tuple(at[i : i + len(slot)]) if isinstance(slot, tuple) else at[i]
            for i, slot in zip(starts, slots, strict=True)
        ]
        terms: list[tuple[tuple[int, ...], Series]] = [(tuple(orders), _ONE)]
        for i, series in enumerate(flat):
            displaced = {m: c for m, c in series.items() if m}
            if displaced:
                terms = [
                    ((*alpha[:i], alpha[i] + k, *alpha[i + 1 :]), power)
                    for alpha, factor in terms
                    for k, power in self._powers(factor, displaced, demand)
                ]
        derivatives = function.derivatives(values, [alpha for alpha, _ in terms])
        return self.arithmetic.add(
            self.arithmetic.scale(c, power) for c, (_, power) in zip(derivatives, terms, strict=True)
        )

    def _powers(self, factor: Series, displaced: Series, demand: Demand) -> Iterable[tuple[int, Series]]:
        """``factor · displacedᵏ / k!`` for k = 0, 1, … while it is not truncated to nothing."""
        k, power = 0, factor
        while power:
            yield k, power if k < 2 else self.arithmetic.scale(Fraction(1, factorial(k)), power)
            k, power = k + 1, self.arithmetic.multiply(power, displaced, demand.allowed)

    def _homogeneous(self, numbers: list[Number]) -> list[Number]:
        if all(x.__class__ is Fraction for x in numbers):
            return numbers
        return [self.arithmetic.real(x) for x in numbers]

    def stop(self, node: Stop, env: _Env, demand: Demand) -> _Meaning | None:
        return self._merge(self.want(node.args[0], env, demand.under_stop()), True)

    def eval(self, node: Eval, env: _Env, demand: Demand) -> _Meaning | None:
        return self._merge(self.want(node.args[0], env, demand.under_eval()), False)

    def _merge(self, meaning: _Meaning | None, stopped: bool) -> _Meaning | None:
        if meaning is None:
            return None
        count = len(self.demands.owner)
        if isinstance(meaning, tuple):
            return tuple(merge_copies(s, count, stopped, self.arithmetic) for s in meaning)
        return merge_copies(meaning, count, stopped, self.arithmetic)

    def grad(self, node: Grad, env: _Env, demand: Demand) -> _Meaning | None:
        coordinate = None
        if node.coordinate is not None:
            found = self.want_integers((node.coordinate,), env)
            if found is None:
                return None
            coordinate = found[0]
        self.point.check_coordinate(node.param, coordinate)
        variable = self.demands.variable(node.param, coordinate)
        body = self.want(node.body, env, demand.under_grad(variable))
        return None if body is None else partial(self.scalar(body), variable)

    def grads(self, node: Grads, env: _Env, demand: Demand) -> _Meaning | None:
        found = self.want_integers((node.order,), env)
        if found is None:
            return None
        order = found[0]
        if not 0 <= order <= MAX_DEGREE:
            raise EvaluationError(f"a derivative of the order {order}: orders are from 0 to {MAX_DEGREE}")
        if order == 0:
            return self.want(node.body, env, demand)
        self.point.check_coordinate(node.param, None)
        variable = self.demands.variable(node.param, None)
        for _ in range(order):
            demand = demand.under_grad(variable)
        body = self.want(node.body, env, demand)
        if body is None:
            return None
        series = self.scalar(body)
        for _ in range(order):
            series = partial(series, variable)
        return series

    def sum(self, node: Sum, env: _Env, demand: Demand) -> _Meaning | None:
        found = self._over_range(node, env, demand)
        return None if found is None else self.arithmetic.add(map(self.scalar, found))

    def prod(self, node: Prod, env: _Env, demand: Demand) -> _Meaning | None:
        found = self._over_range(node, env, demand)
        return None if found is None else self._product(found, demand)

    def _over_range(self, node: Sum | Prod, env: _Env, demand: Demand) -> list[_Meaning] | None:
        ends = self.want_integers((node.lo, node.hi), env)
        if ends is None:
            return None
        lo, hi = ends
        if hi - lo >= MAX_RANGE:
            raise EvaluationError(f"a sum or product over more than {MAX_RANGE} terms")
        found = [self.want(node.body, env.under(i), demand) for i in range(lo, hi + 1)]
        return None if any(f is None for f in found) else found  # type: ignore[return-value]

    def expect(self, node: Expect, env: _Env, demand: Demand) -> _Meaning | None:
        law = node.law
        places = [k for k, a in enumerate(law.arguments) if a == Bound(0)] if isinstance(law, App) else []
        if not isinstance(law, App) or len(places) != 1 or law.partials:
            raise EvaluationError(
                f"the law of an expectation is no density with the variable as one argument: {law}",
                instead="𝔼[x ~ p(·; θ)](…)",
            )
        supports = self.laws.get(law.name)
        if supports is None or len(supports) != len(law.arguments):
            raise EvaluationError(
                f"an expectation has no value here: the law {law.name} has no finite support",
                instead=f"laws={{{law.name!r}: [[values of each argument]]}}, or a finite sum",
            )
        parts = []
        for value in supports[places[0]]:
            inner = env.under(Fraction(value))
            parts.append((self.want(law, inner, demand), self.want(node.body, inner, demand)))
        return self._averaged([pair for part in parts for pair in part], 2, demand)

    def cond_expect(self, node: CondExpect, env: _Env, demand: Demand) -> _Meaning | None:
        draws = self.draws
        if not draws.all:
            raise EvaluationError(
                "a conditional expectation has no value here: the model knows no draws",
                instead="draws=[…], the random variables in the order in which they are drawn",
            )
        found = self.want_integers((node.time,), env)
        if found is None:
            return None
        first = draws.after(found[0])
        factors: list[_Meaning | None] = []
        for world in draws.worlds(env.world, first):
            for k in range(first, len(draws.all)):
                factors.append(self.want(self.weights[k], _Env((), world), demand))
            factors.append(self.want(node.body, _Env(env.bound, world), demand))
        return self._averaged(factors, len(draws.all) - first + 1, demand)

    def _averaged(self, factors: list[_Meaning | None], each: int, demand: Demand) -> _Meaning | None:
        """The sum of the products of so many factors each; None while one is pending."""
        known = [f for f in factors if f is not None]
        if len(known) < len(factors):
            return None
        products = [self._product(known[k : k + each], demand) for k in range(0, len(known), each)]
        return self.arithmetic.add(products)


_MEANINGS: dict[type[Term], Callable[[_Run, Any, _Env, Demand], _Meaning | None]] = {
    Num: _Run.num,
    Sym: _Run.sym,
    Bound: _Run.bound_index,
    Axis: _Run.axis,
    Indexed: _Run.indexed,
    Add: _Run.add,
    Mul: _Run.mul,
    Pow: _Run.pow,
    Fn: _Run.fn,
    App: _Run.app,
    Stop: _Run.stop,
    Eval: _Run.eval,
    Grad: _Run.grad,
    Grads: _Run.grads,
    Sum: _Run.sum,
    Prod: _Run.prod,
    Expect: _Run.expect,
    CondExpect: _Run.cond_expect,
}
