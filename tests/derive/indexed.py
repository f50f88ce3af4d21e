"""Random terms with Σ and ∏ over symbolic ranges, other presentations of them, and near misses.

Everything here works on terms alone and knows nothing of the rules: that two presentations mean the same is
by construction, and that a near miss does not is decided by writing the document out for small counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from surrogate_calculus import parse_document
from surrogate_calculus.errors import SurrogateError
from surrogate_calculus.language.binding import instantiate, shift
from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    Fn,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Sum,
    Sym,
    Term,
    postorder,
    rebuild,
)
from surrogate_calculus.semantics import Model, random_function
from surrogate_calculus.semantics.unroll import unroll

DOCUMENT = parse_document("""\
count N, T
parameter θ
index i, j = 1..N;  index t = 1..T
observed w[i], u[t,i], y[t], g[i], c
density p(y[t]; θ)
""")
N, T, θ, c = Sym("N"), Sym("T"), Sym("θ"), Sym("c")
ONE = Num(1)


class Maker:
    """Makes terms at random.

    Args:
        rng: the source of everything.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def term(self, depth: int = 2, scope: tuple[Term, ...] = ()) -> Term:
        """A scalar term; ``scope`` has the ends of the ranges of its bound indices, innermost first."""
        kinds: list[Callable[[int, tuple[Term, ...]], Term]] = [self.leaf]
        if depth:
            kinds = [self.series, self.series, self.total, self.product]
            kinds += [self.power] if self.rng.random() < 0.3 else []
        return self.rng.choice(kinds)(depth - 1, scope)

    def leaf(self, _: int, scope: tuple[Term, ...]) -> Term:
        """A family at bound indices, or a constant."""
        particles = [Bound(n) for n, end in enumerate(scope) if end == N]
        times = [Bound(n) for n, end in enumerate(scope) if end == T]
        choices: list[Term] = [c, θ, Num(self.rng.randint(2, 4))] if self.rng.random() < 0.3 else []
        if particles:
            choices.append(Indexed("w", self.rng.choice(particles)))
        if times:
            choices += [Indexed("y", self.rng.choice(times)), App("p", [Indexed("y", times[0])], (), [θ])]
        if times and particles:
            choices += [Indexed("u", self.rng.choice(times), self.rng.choice(particles))] * 2
        return self.rng.choice(choices or [c, θ, Indexed("w", N), Indexed("y", ONE)])

    def series(self, depth: int, scope: tuple[Term, ...]) -> Term:
        """A Σ or ∏."""
        end = self.rng.choice((N, T))
        inside = (end, *scope)
        if self.rng.random() < 0.8:
            return Sum(ONE, end, self.term(depth, inside))
        return Prod(ONE, end, self.leaf(0, inside))

    def total(self, depth: int, scope: tuple[Term, ...]) -> Term:
        """A sum of two."""
        return Add(self.term(depth, scope), self.term(depth, scope))

    def product(self, depth: int, scope: tuple[Term, ...]) -> Term:
        """A product of two."""
        return Mul(self.term(depth, scope), self.term(depth, scope))

    def power(self, depth: int, scope: tuple[Term, ...]) -> Term:
        """A square."""
        return Pow(self.term(depth, scope), Num(2))

    # ------------------------------------------------------------------------ other presentations
    def presented(self, term: Term, chance: float = 0.5) -> Term:
        """The same in other words."""
        done: dict[int, Term] = {}
        for node in postorder(term):
            out = rebuild(node, tuple(done[id(a)] for a in node.args))
            for _ in range(2):
                if self.rng.random() < chance:
                    laws = LAWS.get(out.__class__, [])
                    out = self.rng.choice(laws)(self, out) if laws else out
            done[id(node)] = out
        return done[id(term)]

    def shuffled(self, term: Term) -> Term:
        """Operands in another order, or grouped."""
        args = self.rng.sample(term.args, len(term.args))
        if len(args) > 2:
            args = [rebuild(term, (args[0], args[1])), *args[2:]]
        return term.__class__(*args)  # type: ignore[arg-type]

    def distributed(self, term: Term) -> Term:
        """A (B + C) = A B + A C."""
        for k, factor in enumerate(term.args):
            if factor.__class__ is Add:
                rest = [a for n, a in enumerate(term.args) if n != k]
                return Add(*(Mul(a, *rest) for a in factor.args))
        return term

    def pushed_in(self, term: Term) -> Term:
        """A Σ[i](B) = Σ[i](A B)."""
        for k, factor in enumerate(term.args):
            if factor.__class__ is Sum:
                rest = [shift(a, 1) for n, a in enumerate(term.args) if n != k]
                return Sum(factor.args[0], factor.args[1], Mul(*rest, factor.args[2]))
        return term

    def squared(self, term: Term) -> Term:
        """A² = A A."""
        return Mul(term.args[0], term.args[0]) if term.args[1] == Num(2) else term

    def split_sum(self, term: Term) -> Term:
        """Σ(A + B) = Σ A + Σ B."""
        lo, hi, body = term.args
        return Add(*(Sum(lo, hi, a) for a in body.args)) if body.__class__ is Add else term

    def ends(self, term: Term) -> Term:
        """The first or the last one split off."""
        lo, hi, body = term.args
        cls, join = term.__class__, Add if term.__class__ is Sum else Mul
        if hi not in (N, T) or lo != ONE:
            return term
        if self.rng.random() < 0.5:
            return join(instantiate(body, hi), cls(lo, hi - ONE, body))  # type: ignore[call-arg]
        return join(cls(Num(2), hi, body), instantiate(body, lo))  # type: ignore[call-arg]

    def moved(self, term: Term) -> Term:
        """The index shifted."""
        lo, hi, body = term.args
        by = Num(self.rng.choice((-2, -1, 1, 2)))
        inner = instantiate(shift(body, 1, cutoff=1), Bound(0) - by)
        return term.__class__(lo + by, hi + by, inner)  # type: ignore[call-arg]

    def swapped(self, term: Term) -> Term:
        """Nested sums in the other order."""
        lo, hi, body = term.args
        if body.__class__ is not Sum or body.args[0].loose or body.args[1].loose:
            return term
        return Sum(body.args[0], body.args[1], Sum(lo, hi, _exchanged(body.args[2])))

    def parted(self, term: Term) -> Term:
        """∏(A B) = ∏ A ∏ B."""
        lo, hi, body = term.args
        return Mul(*(Prod(lo, hi, a) for a in body.args)) if body.__class__ is Mul else term

    def logarithm(self, term: Term) -> Term:
        """The same under log and exp, where it is positive."""
        positive = term.args[2].__class__ in (App, Num)
        return Fn("exp", Sum(*term.args[:2], Fn("log", term.args[2]))) if positive else term

    # --------------------------------------------------------------------------------- near misses
    def missed(self, term: Term) -> Term:
        """The term with one place changed."""
        places = [n for n in postorder(term) if n.__class__ in (Indexed, Sum, Prod, Num, Sym, App)]
        place = self.rng.choice(places)
        done: dict[int, Term] = {}
        for node in postorder(term):
            out = rebuild(node, tuple(done[id(a)] for a in node.args))
            done[id(node)] = self._other(out) if node is place else out
        return done[id(term)]

    def _other(self, node: Term) -> Term:
        cls = node.__class__
        if cls is Indexed:
            same = {"w": "y", "y": "w"}.get(node.key)
            if same is not None and self.rng.random() < 0.5:
                return Indexed(same, *node.args)
            return Mul(Num(2), node)
        if cls in (Sum, Prod):
            lo, hi, body = node.args
            kind = self.rng.choice(("lo", "hi", "class"))
            if kind == "class":
                return (Prod if cls is Sum else Sum)(lo, hi, body)
            return cls(lo + ONE, hi, body) if kind == "lo" else cls(lo, hi - ONE, body)  # type: ignore[call-arg]
        return Add(node, ONE)


def _exchanged(body: Term) -> Term:
    """The body of a nest of two with its two indices exchanged."""
    lifted = shift(body, 2, cutoff=2)  # room for two more
    return instantiate(instantiate(lifted, Bound(2)), Bound(0))


LAWS: dict[type[Term], list[Callable[[Maker, Term], Term]]] = {
    Add: [Maker.shuffled],
    Mul: [Maker.shuffled, Maker.distributed, Maker.pushed_in],
    Pow: [Maker.squared],
    Sum: [Maker.split_sum, Maker.ends, Maker.moved, Maker.swapped, Maker.swapped],
    Prod: [Maker.ends, Maker.moved, Maker.parted, Maker.logarithm],
}


def values(term: Term, rng: random.Random) -> list[Fraction] | None:
    """The values for some counts at random points; None where there is none, or none that is rational."""
    out = []
    for n, t in ((2, 3), (3, 2), (1, 1)):
        point = {
            "w": tuple(_rational(rng) for _ in range(9)),
            "y": tuple(_rational(rng) for _ in range(9)),
            "u": tuple(tuple(_rational(rng) for _ in range(9)) for _ in range(9)),
            "c": _rational(rng),
            "θ": _rational(rng),
        }
        functions = {"p": random_function(rng, (None, None), positive=True)}
        try:
            concrete = unroll(term, DOCUMENT, {"N": n, "T": t})
            value = Model(point, functions).value(concrete)
        except SurrogateError:
            return None
        if not isinstance(value, Fraction):
            return None
        out.append(value)
    return out


def _rational(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 9), rng.randint(1, 5))


def equality(rng: random.Random) -> tuple[Term, Term]:
    """Two presentations of one random term."""
    maker = Maker(rng)
    while True:
        term = maker.term(rng.choice((2, 2, 3)))
        other = maker.presented(term)
        if any(n.__class__ in (Sum, Prod) for n in postorder(term)) and other != term:
            return term, other


def near_miss(rng: random.Random) -> tuple[Term, Term]:
    """Two presentations of which one has been changed at one place, so that they differ in value."""
    while True:
        left, right = equality(rng)
        right = Maker(rng).missed(right)
        seed = rng.randrange(2**32)
        a, b = (values(t, random.Random(seed)) for t in (left, right))
        if a is not None and b is not None and a != b:
            return left, right
