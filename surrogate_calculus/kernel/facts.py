"""Side conditions: which are used, and the closed list of what discharges them.

A condition is ``nonzero E`` or ``positive E``.  It is discharged when it follows from the shape of E by
the laws below, or from what the certificate assumes of its names (``positive p``: a density;
``density p``: it integrates to one; ``count N``: an integer ≥ 1; ``index a``: an integer that no parameter
moves).  What is left is a hypothesis of the result, and is listed in the verdict; so are ``interchange``
(of ∇ and ∫) and ``support`` (of two densities), which nothing discharges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from operator import and_, or_

from ..language.binding import uses_index
from ..language.terms import App, Bound, Fn, Indexed, Num, Pow, Sum, Sym, Term, fold
from .judgement import Hypothesis, Rejection
from .rules import NONNEGATIVE, NONZERO, POSITIVE, SIGNS, UNKNOWN

__all__ = ["ASSUMPTIONS", "Facts"]

#: What may be assumed of a name.
ASSUMPTIONS = ("positive", "count", "index", "density")
#: What the conditions on signs want.
_WANTED = {"nonzero": NONZERO, "positive": POSITIVE}


class Facts:
    """The side conditions of one derivation.

    Args:
        assumptions: pairs (kind of :data:`ASSUMPTIONS`, name).

    Attributes:
        counts: names of whole numbers ≥ 1.
        indices: names of whole numbers that are constant under ∇.
    """

    def __init__(self, assumptions: Iterable[tuple[str, str]] = ()) -> None:
        self.assumptions = tuple(sorted(set(assumptions)))
        self.counts = frozenset(name for kind, name in self.assumptions if kind == "count")
        self.indices = self.counts | {name for kind, name in self.assumptions if kind == "index"}
        self._assumed = frozenset(self.assumptions)
        self._signs: dict[int, int] = {}
        self._used: dict[tuple[str, int], Hypothesis] = {}
        self._defined: dict[tuple[object, ...], int] = {}

    def define(self, bodies: Mapping[tuple[object, ...], Term]) -> None:
        """Find the signs of what is defined by one another, the bodies being of the store.

        Signs that the bodies have if all the names have theirs, hold by induction over the recursion.

        Raises:
            Rejection: a density is defined to be what is not known to be positive.
        """
        wanted: dict[tuple[object, ...], int] = {}
        found = dict.fromkeys(bodies, POSITIVE)
        while found != wanted:
            wanted = found
            self._defined.update(wanted)
            self.forget(self.hypotheses)
            found = {name: self._sign(body) & wanted[name] for name, body in bodies.items()}
        for defined, sign in wanted.items():
            density = defined[0] == App.tag and ("positive", defined[1]) in self._assumed
            if density and sign != POSITIVE:
                raise Rejection(f"{defined[1]} is a density, and its definition need not be positive")

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The conditions used and not discharged, in order of use."""
        return tuple(self._used.values())

    def forget(self, known: Iterable[Hypothesis]) -> None:
        """Go back to the hypotheses known before something was tried in vain, and what follows from them."""
        self._used = {(h.kind, id(h.term)): h for h in known}
        self._signs.clear()
        for hypothesis in self._used.values():
            self._learn(hypothesis)

    def _learn(self, hypothesis: Hypothesis) -> None:
        """What follows may rest on it, since it is listed."""
        number = id(hypothesis.term)
        if hypothesis.kind in _WANTED:
            self._signs[number] = self._signs.get(number, UNKNOWN) | _WANTED[hypothesis.kind]

    def require(self, kind: str, term: Term) -> None:
        """Use a side condition: discharged if it can be, else a hypothesis of all that follows.

        The term must be of the derivation's store.

        Raises:
            Rejection: nothing satisfies it: 0 ≠ 0.
        """
        if term.__class__ is Num and not term.key:
            raise Rejection("a division by zero")
        entry = (kind, id(term))
        if entry not in self._used and not self.discharges(kind, term):
            if kind == "density":
                raise Rejection("the law is no density of the variable alone")
            self._used[entry] = Hypothesis(kind, term)
            self._learn(self._used[entry])

    def discharges(self, kind: str, term: Term) -> bool:
        """Whether a condition follows from the shape of the term and the assumptions."""
        if kind == "density":  # in its one argument, which stands nowhere else
            name = term.key[0] if term.__class__ is App and term.key[1] == 1 and not term.key[4] else None
            alone = ("density", name) in self._assumed and not any(map(uses_index, term.args[1:]))
            return alone and term.args[0] == Bound(0)
        wanted = _WANTED.get(kind)
        return wanted is not None and self._sign(term) & wanted == wanted

    def _sign(self, root: Term) -> int:
        """What is known of a term's sign; iterative, each node once in the life of this object."""
        return fold(root, self._signs, lambda node: node.args[_law(node)[0]], self._judge)

    def _judge(self, node: Term) -> int:
        """The closed list: of names, numbers and powers here, the rest by a table."""
        cls, (operands, always, law) = node.__class__, _law(node)
        known = [self._signs[id(a)] for a in node.args[operands]]
        every = reduce(and_, known, POSITIVE)
        some = reduce(or_, (sign for sign in known if sign & NONNEGATIVE), UNKNOWN)
        if cls is Num:
            return POSITIVE if node.key > 0 else NONZERO if node.key < 0 else NONNEGATIVE
        if cls in (Sym, Indexed):
            count = cls is Sym and node.key in self.counts
            return POSITIVE if count else self._defined.get((node.tag, node.key, len(node.args)), UNKNOWN)
        if cls is App:
            plain = not node.key[4] and ("positive", node.key[0]) in self._assumed
            return POSITIVE if plain else UNKNOWN
        if cls is Pow and every != POSITIVE:
            exponent = node.args[1]
            if exponent.__class__ is not Num or exponent.key.denominator != 1:
                return UNKNOWN
            return every | (UNKNOWN if exponent.key.numerator % 2 else NONNEGATIVE)
        if cls is Sum and not self._begun(*node.args[:2]):
            return every & NONNEGATIVE
        if law == "sum":
            return some if every & NONNEGATIVE else UNKNOWN
        return always | {"": UNKNOWN, "every": every, "any": some, "nonzero": every & NONZERO}[law]

    def _begun(self, lo: Term, hi: Term) -> bool:
        """Whether a range is known not to be empty."""
        least = 1 if hi.__class__ is Sym and hi.key in self.counts else hi.key
        return lo.__class__ is Num and isinstance(least, int | Fraction) and bool(lo.key <= least)


def _law(node: Term) -> tuple[slice, int, str]:
    """What decides the sign of a node, see SIGNS."""
    return SIGNS.get(node.key if node.__class__ is Fn else node.tag, (slice(0), UNKNOWN, ""))
