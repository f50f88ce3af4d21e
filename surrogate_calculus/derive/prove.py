"""Deciding an equation: proved by the kernel, refuted by an exact counterexample, or undecided.

``A = B`` claims equality at every (θ, θ̂), so that automatic differentiation of any order cannot tell the
two apart; ``A =→ B`` claims equality of values only.

To prove, every ∇ and → is pushed inside on both sides and what is left is compared by its canonical form.
To refute, counts are small, a document is written out for them with random ancestors, opaque functions are
replaced by random polynomials with rational coefficients, densities under 𝔼 by ones of finitely many values,
names by random rationals, and both sides are evaluated in the two-copy model, exactly; for ``=`` after k more
∇, which finds the least order of automatic differentiation that shows the difference.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Any

from ..errors import ParseError, Span, SurrogateError
from ..kernel import Equation, Relation, Verdict, check
from ..language.binding import substitute
from ..language.terms import (
    ONE,
    App,
    Axis,
    CondExpect,
    Eval,
    Expect,
    Grad,
    Indexed,
    Num,
    Stop,
    Sym,
    Term,
    postorder,
    rebuild,
)
from .engine import prepared
from .equate import KnownFamilies, equate
from .proof import Proof
from .push import Pusher, gradient_parameters
from .together import together

if TYPE_CHECKING:
    from ..language.declarations import Document
    from ..semantics import Draw, Model

__all__ = ["Counterexample", "Shared", "prove", "refutation", "split_claim"]

#: Orders of ∇ and random instantiations that a refutation tries.
MAX_ORDER = 3
TRIES = 12
#: After so many of them where both sides are equal no more is tried.
SAME = 3


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An instantiation at which the two sides of a claim differ.

    Attributes:
        order: how many more ∇ it takes to see the difference: 0 is a difference of the values.
        wrt: the parameters of those ∇, innermost first.
        point: values of the names.
        functions: what stands for the opaque functions.
        left, right: the values of the two sides there: a Fraction, or an interval of mpmath that holds it.
        sides: the two sides written out for these counts, indices and ancestors.
    """

    order: int
    wrt: tuple[str, ...]
    point: Mapping[str, Any]
    functions: Mapping[str, Any]
    left: Any
    right: Any
    sides: tuple[Term, Term]

    def __str__(self) -> str:
        at = ", ".join(f"{n} = {v}" for n, v in self.point.items() if not isinstance(v, dict))
        seen = f"after ∇{' ∇'.join(reversed(self.wrt))}" if self.wrt else "in value"
        left, right = _number(self.left), _number(self.right)
        return f"{seen}, at {at or 'any point'}, the left side is {left} and the right side {right}"


def _number(value: Any) -> str:
    """A value for readers: a fraction, or the digits that its bounds share."""
    if isinstance(value, Fraction):
        return str(value)
    low, high = (str(bound).strip("[]").split(",")[0] for bound in (value.a, value.b))
    shared = next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return f"{low[: min(shared, 16)]}…"


def split_claim(text: str) -> tuple[str, Relation, str, int]:
    """``A = B`` or ``A =→ B`` as its two sides, and where the right one starts.

    Raises:
        ParseError: not exactly one equality sign outside of all brackets.
    """
    depth, where = 0, []
    for position, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "=" and depth == 0 and text[position - 1 : position] not in (">", "<"):
            where.append(position)
    if len(where) != 1:
        raise ParseError(
            "a claim has exactly one equality sign outside of brackets",
            instead="→(∇θ E) = F, or A =→ B for equality of values",
            text=text,
            span=Span(where[1] if len(where) > 1 else len(text), len(text)),
        )
    (at,) = where
    after = text[at + 1 : at + 3]
    if after.startswith("→") and after != "→(":
        return text[:at], Relation.VALUE, text[at + 2 :], at + 2
    return text[:at], Relation.STRICT, text[at + 1 :], at + 1


def prove(
    claim: str | tuple[Term, Term],
    given: Document | None = None,
    *,
    values: bool = False,
    vector: Collection[str] = (),
    seed: int = 0,
    shared: Shared | None = None,
) -> Verdict:
    """Decide an equation.

    Args:
        claim: text ``A = B`` or ``A =→ B``, or the two sides as terms.
        given: a document whose declarations and definitions hold.
        values: claim equality of values for a pair of terms.
        vector: names of vector parameters where no document says so.
        seed: of the random instantiations.
        shared: what claims about the same document have in common.

    Returns:
        ``proved`` with the hypotheses used, by a certificate that was replayed; ``refuted`` with a
        :class:`Counterexample`; or ``undecided``.

    Raises:
        ParseError: text that is no claim.
    """
    if isinstance(claim, str):
        from ..language.parser import parse

        left, relation, right, start = split_claim(claim)
        lhs = parse(left, given, vector=vector)
        try:
            rhs = parse(right, given, vector=vector)
        except SurrogateError as error:
            if error.span is not None:
                error.span = Span(error.span.start + start, error.span.end + start)
                error.text = claim
            raise
    else:
        (lhs, rhs), relation = claim, Relation.VALUE if values else Relation.STRICT
    equation = Equation(relation, lhs, rhs)
    rng = random.Random(seed)
    # a false claim is mostly seen at once
    found = None if lhs == rhs else refutation(equation, given, rng, quick=True)
    if found is None:
        document, said, names = (given, equation, []) if given is None else _for_each_index(given, equation)
        verdict = _prove(said, document, shared)
        if verdict is None and document is not None:
            verdict = _prove_from_one(said, names, document, shared)
        if verdict is not None:
            return replace(verdict, claim=equation) if names else verdict
        found = refutation(equation, given, rng)
    if found is None:
        reason = "neither a proof nor an exact counterexample was found"
        return Verdict("undecided", claim=equation, reason=reason)
    return Verdict("refuted", claim=equation, reason=str(found), counterexample=found)


def refutation(
    claim: Equation, given: Document | None, rng: random.Random | None = None, *, quick: bool = False
) -> Counterexample | None:
    """An exact counterexample, if one is found; ``quick`` looks at values and the smallest counts only."""
    orders = 1 if quick or claim.relation is Relation.VALUE else MAX_ORDER + 1
    sizes = SIZES[:1] if quick else SIZES
    same = 1 if quick else SAME
    return _refute(claim.lhs, claim.rhs, given, rng or random.Random(0), orders, sizes, same)


def _for_each_index(given: Document, claim: Equation) -> tuple[Document, Equation, list[str]]:
    """A claim about every value of its free indices as one about positive whole numbers.

    Proved for every positive whole number it holds for those in the range of the index too.

    Returns:
        the document with the indices as counts, the claim, and their names.
    """
    free = _symbols(postorder(claim.lhs, claim.rhs)) & set(given.indices)
    lowest = {name: given.indices[name][0] for name in sorted(free)}
    whole = {name: lo.key for name, lo in lowest.items() if lo.__class__ is Num}
    if not whole:
        return given, claim, []
    put = {name: Sym(name) + (lo - 1) for name, lo in whole.items() if lo != 1}
    lhs, rhs = (substitute(side, put) for side in (claim.lhs, claim.rhs))
    ranges = {name: span for name, span in given.indices.items() if name not in whole}
    document = replace(given, counts=(*given.counts, *whole), indices=ranges)
    return document, Equation(claim.relation, lhs, rhs), list(whole)


def _prove_from_one(
    claim: Equation, names: Iterable[str], given: Document, shared: Shared | None
) -> Verdict | None:
    """A claim about every positive whole number, proved at 1 and at every later one."""
    for name in names:
        verdicts = []
        for value in (ONE, Sym(name) + 1):
            lhs, rhs = (substitute(side, {name: value}) for side in (claim.lhs, claim.rhs))
            verdict = _prove(Equation(claim.relation, lhs, rhs), given, shared)
            if verdict is None or verdict.status != "proved":
                break
            verdicts.append(verdict)
        else:
            first, later = verdicts
            return replace(
                later,
                hypotheses=tuple(dict.fromkeys([*first.hypotheses, *later.hypotheses])),
                definitions=tuple(dict.fromkeys([*first.definitions, *later.definitions])),
                assumptions=tuple(dict.fromkeys([*first.assumptions, *later.assumptions])),
                steps=first.steps + later.steps,
            )
    return None


class Shared:
    """What claims about one document have in common: a proof, and what has been found of its families.

    Claims may also be replayed together: between :meth:`wait` and :meth:`settled` a proof counts as found
    before the kernel has seen it.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], tuple[Proof, KnownFamilies]] = {}
        self._waiting: list[tuple[Proof, int]] | None = None

    def wait(self) -> None:
        """Leave the replay of what is proved from now on to :meth:`settled`."""
        self._waiting = []

    def settled(self) -> list[Verdict]:
        """The kernel's verdicts on what was proved since :meth:`wait`, one for each certificate.

        Every claim that was proved meanwhile is proved if all of them are.
        """
        waiting, self._waiting = self._waiting or [], None
        alike: dict[tuple[int, Relation], tuple[Proof, list[int]]] = {}
        for proof, step in waiting:
            key = id(proof), proof.conclusion(step).relation
            alike.setdefault(key, (proof, []))[1].append(step)
        return [check(proof.certificate(together(proof, steps))) for proof, steps in alike.values()]

    def verdict(self, proof: Proof, step: int) -> Verdict:
        """The kernel's verdict on a step, or a proof that waits for it."""
        if self._waiting is None:
            return check(proof.certificate(step))
        self._waiting.append((proof, step))
        found = proof.conclusion(step)
        return Verdict("proved", claim=Equation(found.relation, found.lhs, found.rhs))

    def of(self, given: Document | None) -> tuple[Proof, KnownFamilies]:
        """The proof of a document with these counts."""
        counts = () if given is None else given.counts
        if counts not in self._found:
            self._found[counts] = prepared(given), {}
        return self._found[counts]


def _prove(claim: Equation, given: Document | None, shared: Shared | None) -> Verdict | None:
    shared = shared or Shared()
    proof, known = shared.of(given)
    step = next(equate(proof, claim.lhs, claim.rhs, claim.relation, given, known=known), None)
    return None if step is None else shared.verdict(proof, step)


def _refute(
    lhs: Term,
    rhs: Term,
    given: Document | None,
    rng: random.Random,
    orders: int,
    sizes: Sequence[int],
    same: int,
) -> Counterexample | None:
    """Random rational instantiations, at growing orders of ∇; exact differences only."""
    pair = [_scalar(side) for side in (lhs, rhs)]
    if any(n.__class__ is Axis for n in postorder(*pair)):
        return None
    params = sorted(gradient_parameters(pair[0]) | gradient_parameters(pair[1]))
    if given is not None:
        params = sorted({*params, *given.parameters})
    params = params or sorted(_symbols(postorder(*pair)))
    averaged = any(n.__class__ is CondExpect for n in postorder(*pair))
    chosen = [] if given is None else [dict.fromkeys(given.counts, size) for size in sizes]
    draws: Sequence[Draw] = ()
    if averaged and given is not None:  # all outcomes are written out
        orders = 1
        chosen, draws = _few_outcomes(given)
    instances: list[tuple[Sequence[Term], dict[str, Any]]] = [(pair, {})]
    if given is not None:
        written = (_concrete(pair, given, counts, rng, averaged) for counts in chosen)
        instances = [instance for instance in written if instance is not None]
    for order in range(orders):
        for wrt in combinations_with_replacement(params, order):
            for instance, counts in instances:
                found = _difference(instance, wrt, given, rng, draws, same)
                if found is not None:
                    point, functions, left, right = found
                    both = (instance[0], instance[1])
                    return Counterexample(order, wrt, {**counts, **point}, functions, left, right, both)
    return None


def _few_outcomes(given: Document) -> tuple[list[dict[str, int]], list[Draw]]:
    """The largest counts with outcomes that are few enough to be written out, and the draws; none are."""
    from .outcomes import drawn

    for sizes in sorted(product((2, 1), repeat=len(given.counts)), key=sum, reverse=True):
        counts = dict(zip(given.counts, sizes, strict=True))
        draws = drawn(given, counts)
        if draws is not None:
            return [counts], draws
    return [], []


#: The values of what is drawn, in a counterexample to a claim about an expectation.
VALUES = (0, 1)
#: What counts are at most, in the order in which instances are tried.
SIZES = (2, 3, 1)


def _difference(
    pair: Sequence[Term],
    wrt: tuple[str, ...],
    given: Document | None,
    rng: random.Random,
    draws: Sequence[Draw],
    same: int,
) -> tuple[dict[str, Any], dict[str, Any], Fraction, Fraction] | None:
    """A point at which two terms differ after ∇s, and their values there."""
    from ..semantics import Model

    sides = [_valued(side, wrt) for side in pair]
    nodes = postorder(*pair, *(draw.law for draw in draws))
    equal = 0
    laws = _laws(nodes, draws, given)
    for _ in range(TRIES):
        point, functions = _instantiation(nodes, given, rng, laws)
        point |= {d.name: _Family(rng.randrange(2**32), d.support) for d in draws if d.indices}
        models = [Model(point, functions, enclosed=e, laws=laws, draws=draws) for e in (False, True)]
        try:
            left, right = (models[0].value(side) for side in sides)
        except SurrogateError:
            continue
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            if left != right:
                return point, functions, left, right
        elif (bounds := _bounds(sides, models[1])) is not None:
            return point, functions, *bounds
        equal += 1
        if equal == same:
            break
    return None


def _bounds(sides: Sequence[Term], model: Model) -> tuple[Any, Any] | None:
    """Intervals that hold the two values and do not meet; None where they do."""
    try:
        left, right = (model.value(side) for side in sides)
        apart = model.arithmetic.compare(left, right)
    except (SurrogateError, ArithmeticError, TypeError, ValueError):  # outside a domain, or no bounds for it
        return None
    return (left, right) if apart else None


def _scalar(term: Term) -> Term:
    """The term for vector parameters of dimension one: without coordinates, where that is all it takes."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(done[id(a)] for a in node.args)
        if node.__class__ is Grad and args[1:] and args[1].__class__ is Axis:
            done[id(node)] = Grad(node.key, args[0])
        elif isinstance(node, App) and any(a.__class__ is Axis for a in args[node.n_slots :]):
            done[id(node)] = rebuild(node, args).with_partials([(slot, None) for slot, _ in node.key[4]])  # type: ignore[attr-defined]
        elif node.__class__ is Indexed and len(args) == 1 and args[0].__class__ is Axis:
            done[id(node)] = Sym(node.key)
        else:
            done[id(node)] = rebuild(node, args)
    return done[id(term)]


def _concrete(
    pair: Sequence[Term], given: Document, counts: dict[str, int], rng: random.Random, averaged: bool
) -> tuple[list[Term], dict[str, Any]] | None:
    """Both sides written out for random counts, indices and ancestors; these only where none are averaged."""
    from ..semantics.unroll import Unroller, whole

    size = max(counts.values(), default=2)
    defined = {d.name for d in given.definitions}
    maps = {
        name: _Map(rng.randrange(2**32), counts.get(_range_of(name, given), size))
        for name in given.index_valued
        if name not in defined and not averaged
    }
    unroller = Unroller(given, counts, maps)
    names = _symbols(postorder(*pair)) & set(given.indices)
    try:
        indices = {}
        for name in sorted(names):
            lo, hi = (whole(unroller.run(end), "an index", end) for end in given.indices[name])
            indices[name] = rng.randint(lo, hi)
        put = {name: Num(value) for name, value in indices.items()}
        return [unroller.run(substitute(side, put)) for side in pair], {**counts, **indices}
    except (SurrogateError, ValueError):
        return None


def _range_of(name: str, given: Document) -> str:
    """The count up to which the values of an index map go: that of its last index."""
    for node in postorder(*(d.body for d in given.definitions), *(s.law for s in given.samples)):
        if node.__class__ is Indexed and node.key == name and node.args[-1].__class__ is Sym:
            end = given.indices.get(node.args[-1].key, (None, None))[1]
            if end.__class__ is Sym:
                return str(end.key)
    return ""


class _Map(dict[tuple[int, ...], int]):
    """An index map with random values."""

    def __init__(self, seed: int, size: int) -> None:
        super().__init__()
        self._seed, self._size = seed, size

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: tuple[int, ...]) -> int:
        found = self[key] = random.Random(f"{self._seed}:{key}").randint(1, self._size)
        return found


def _valued(term: Term, wrt: tuple[str, ...]) -> Term:
    """``→∇…∇E`` worked out with derivatives of opaque functions only, so that rationals stay rational.

    As it stands where it cannot be worked out, such as ∇ of an ``𝔼[· | t]``.
    """
    for name in wrt:
        term = Grad(name, term)
    proof = Proof()
    start = proof.add(Eval(term))
    try:
        step = Pusher(proof, gradient_parameters(start), ()).push(start)
    except SurrogateError:
        return start
    return start if step is None else proof.right(step)


def _symbols(nodes: Collection[Term]) -> set[str]:
    return {n.key for n in nodes if n.__class__ is Sym}


def _laws(
    nodes: Collection[Term], draws: Sequence[Draw], given: Document | None
) -> dict[str, tuple[Sequence[int | Fraction], ...]]:
    """The values that the arguments of densities may have: of all of them where an 𝔼 occurs."""
    found: dict[str, tuple[Sequence[int | Fraction], ...]] = {}
    if any(n.__class__ is Expect for n in nodes):
        for n in nodes:
            if isinstance(n, App) and n.arguments and (given is None or n.name in given.densities):
                found[n.name] = (VALUES,) * len(n.arguments)
    for draw in draws:
        law = draw.law.args[0] if draw.law.__class__ is Stop else draw.law
        if isinstance(law, App):
            found[law.name] = (draw.support,)
    return found


def _instantiation(
    nodes: Collection[Term], given: Document | None, rng: random.Random, laws: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random rationals for names, small whole numbers for counts, positive polynomials for functions.

    A density that has laws is one of finitely many values; where an 𝔼 occurs the other names have such
    values too.
    """
    from ..semantics import random_density, random_function

    finite = any(node.__class__ is Expect for node in nodes)

    counts = {n for node in nodes if node.tag in ("sum", "prod") for n in _symbols(postorder(*node.args[:2]))}
    indices = [i for node in nodes if node.__class__ is Indexed for i in node.args]
    counts |= _symbols(postorder(*indices))
    counts |= set(given.counts if given is not None else ())
    point: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    for node in nodes:
        if node.__class__ is Sym and node.key not in point:
            value = given is not None and finite and node.key not in given.parameters
            number = Fraction(rng.choice(VALUES)) if value else _rational(rng)
            point[node.key] = rng.randint(1, 3) if node.key in counts else number
        elif node.__class__ is Indexed:
            point.setdefault(_family(node.key, nodes), _Family(rng.randrange(2**32)))
        elif isinstance(node, App) and node.name not in functions:
            slots = (None,) * node.n_slots
            functions[node.name] = (
                random_density(rng, slots, laws[node.name])
                if node.name in laws
                else random_function(rng, slots, positive=True)
            )
    return point, functions


def _family(name: str, nodes: Collection[Term]) -> str:
    return f"{name}[]" if name in _symbols(nodes) else name


def _rational(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 9), rng.randint(1, 5))


class _Family:
    """A family with a random positive rational at every index, or one of some values."""

    def __init__(self, seed: int, values: Sequence[int | Fraction] = ()) -> None:
        self._seed, self._values = seed, values

    def __call__(self, *index: Any) -> Fraction:
        rng = random.Random(f"{self._seed}:{index}")
        return Fraction(rng.choice(self._values)) if self._values else _rational(rng)

    def __repr__(self) -> str:
        return f"random values of {self._values}" if self._values else "random rationals"
