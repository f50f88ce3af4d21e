"""Side conditions: which are used, and the closed list of what discharges them.

A condition is ``nonzero E`` or ``positive E``.  It is discharged when it follows from the shape of E by
the laws below, or from what the certificate assumes of its names (``positive p``: a density;
``density p``: it integrates to one; ``count N``: an integer ≥ 1; ``index a``: an integer that no parameter
moves).  What is left is a hypothesis of the result, and is listed in the verdict; so are ``interchange``
(of ∇ and ∫) and ``support`` (of two densities), which nothing discharges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..language.binding import shift
from ..language.terms import Add, App, Bound, Eval, Fn, Indexed, Mul, Num, Pow, Prod, Stop, Sum, Sym, Term
from .judgement import Hypothesis, Rejection

__all__ = ["ASSUMPTIONS", "Facts"]

#: What may be assumed of a name.
ASSUMPTIONS = ("positive", "count", "index", "density")

# Signs, ordered by what they say: each implies the ones it contains.
_UNKNOWN, _NONNEGATIVE, _NONZERO, _POSITIVE = 0, 1, 2, 3  # positive = nonnegative and nonzero (bits)


class Facts:
    """The side conditions of one derivation.

    Args:
        assumptions: pairs (kind of :data:`ASSUMPTIONS`, name).
    """

    def __init__(self, assumptions: Iterable[tuple[str, str]] = ()) -> None:
        self.assumptions = tuple(sorted(set(assumptions)))
        self._assumed = frozenset(self.assumptions)
        #: names of whole numbers ≥ 1
        self.counts = frozenset(name for kind, name in self.assumptions if kind == "count")
        #: names of whole numbers that are constant under ∇
        self.indices = self.counts | {name for kind, name in self.assumptions if kind == "index"}
        self._signs: dict[int, int] = {}
        self._used: dict[tuple[str, int], Hypothesis] = {}
        self._defined: dict[tuple[object, ...], int] = {}

    def define(self, bodies: Mapping[tuple[object, ...], Term]) -> None:
        """Find the signs of what is defined by one another, the bodies being of the store.

        Signs that the bodies have if all the names have theirs, hold by induction over the recursion.

        Raises:
            Rejection: a density is defined to be what is not known to be positive.
        """
        wanted = dict.fromkeys(bodies, _POSITIVE)
        while True:
            self._defined.update(wanted)
            self._renew()
            found = {name: self._sign(body) & wanted[name] for name, body in bodies.items()}
            if found == wanted:
                break
            wanted = found
        for defined, sign in wanted.items():
            if defined[0] == App.tag and ("positive", defined[1]) in self._assumed and sign != _POSITIVE:
                raise Rejection(f"{defined[1]} is a density, and its definition need not be positive")

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The conditions used and not discharged, in order of use."""
        return tuple(self._used.values())

    def forget(self, known: tuple[Hypothesis, ...]) -> None:
        """Go back to the hypotheses known before something was tried in vain."""
        if len(self._used) > len(known):
            kept = set(known)
            self._used = {entry: h for entry, h in self._used.items() if h in kept}
            self._renew()

    def _renew(self) -> None:
        self._signs.clear()
        for kind, number in self._used:
            if kind in _SIGNS:
                self._signs[number] = self._signs.get(number, _UNKNOWN) | _wanted(kind)

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
            if kind not in _SIGNS:
                return
            # what follows may rest on it, since it is listed
            self._signs[id(term)] = self._signs.get(id(term), _UNKNOWN) | _wanted(kind)

    def discharges(self, kind: str, term: Term) -> bool:
        """Whether a condition follows from the shape of the term and the assumptions."""
        if kind == "density":  # in its one argument, which stands nowhere else
            name = term.key[0] if term.__class__ is App and term.key[1] == 1 and not term.key[4] else None
            alone = term.args[:1] == (Bound(0),) and not any(map(_uses_variable, term.args[1:]))
            return ("density", name) in self._assumed and alone
        if kind not in _SIGNS:
            return False
        wanted = _wanted(kind)
        return self._sign(term) & wanted == wanted

    def _sign(self, root: Term) -> int:
        """What is known of a term's sign; iterative, each node once in the life of this object."""
        signs = self._signs
        if id(root) not in signs and not self._relevant(root):
            return self._judge(root, [])
        todo = [root]
        while todo:
            node = todo[-1]
            if id(node) in signs:
                todo.pop()
                continue
            missing = [a for a in self._relevant(node) if id(a) not in signs]
            if missing:
                todo.extend(missing)
            else:
                signs[id(node)] = self._judge(node, [signs[id(a)] for a in self._relevant(node)])
        return signs[id(root)]

    @staticmethod
    def _relevant(node: Term) -> tuple[Term, ...]:
        cls = node.__class__
        if cls in (Add, Mul, Pow, Stop, Eval):
            return node.args
        if cls is Fn and node.key in ("sqrt", "max", "min", "softplus", "abs"):
            return node.args
        if cls is Fn and node.key == "cases":
            return node.args[1:]
        return node.args[2:] if cls in (Sum, Prod) else ()

    def _judge(self, node: Term, signs: list[int]) -> int:
        """The closed list."""
        cls = node.__class__
        if cls is Num:
            value = node.key
            return _POSITIVE if value > 0 else _NONZERO if value < 0 else _NONNEGATIVE
        if cls is Sym or cls is Indexed:
            known = self._defined.get((node.tag, node.key, len(node.args)), _UNKNOWN)
            return _POSITIVE if cls is Sym and ("count", node.key) in self._assumed else known
        if cls is App:
            plain = not node.key[4]
            return _POSITIVE if plain and ("positive", node.key[0]) in self._assumed else _UNKNOWN
        if cls is Stop or cls is Eval:
            return signs[0]
        if cls is Mul or cls is Prod:
            out = _POSITIVE
            for s in signs:
                out &= s
            return out
        if cls is Add:
            if all(s & _NONNEGATIVE for s in signs):
                return _POSITIVE if any(s & _NONZERO for s in signs) else _NONNEGATIVE
            return _UNKNOWN
        if cls is Pow:
            base, exponent = signs[0], node.args[1]
            if base == _POSITIVE:
                return _POSITIVE
            if exponent.__class__ is Num and exponent.key.denominator == 1:
                even = _NONNEGATIVE if exponent.key.numerator % 2 == 0 else base & _NONNEGATIVE
                return (base & _NONZERO) | even
            return _UNKNOWN
        if cls is Sum:  # a range may be empty, so a sum of positive terms is only nonnegative …
            lo, hi = node.args[0], node.args[1]
            known = lo.__class__ is Num and (
                (hi.__class__ is Sym and ("count", hi.key) in self._assumed and lo.key <= 1)
                or (hi.__class__ is Num and lo.key <= hi.key)
            )  # … unless it is known not to be
            return signs[0] & (_POSITIVE if known else _NONNEGATIVE) if signs[0] & _NONNEGATIVE else _UNKNOWN
        if cls is Fn:
            return self._judge_function(node.key, signs)
        return _UNKNOWN

    @staticmethod
    def _judge_function(op: str, signs: list[int]) -> int:
        if op in ("exp", "sigmoid", "softplus", "pi"):
            return _POSITIVE
        if op == "sqrt":
            return _POSITIVE if signs[0] == _POSITIVE else _NONNEGATIVE
        if op == "abs":
            return _POSITIVE if signs[0] & _NONZERO else _NONNEGATIVE
        if op in ("relu", "gt", "ge", "eq"):
            return _NONNEGATIVE
        if op == "cases":
            return signs[0] & signs[1]
        if op == "max":
            return max((s for s in signs if s & _NONNEGATIVE), default=_UNKNOWN)
        if op == "min":
            return signs[0] & signs[1] if signs[0] & signs[1] & _NONNEGATIVE else _UNKNOWN
        return _UNKNOWN


_SIGNS = ("nonzero", "positive")


def _wanted(kind: str) -> int:
    return _NONZERO if kind == "nonzero" else _POSITIVE


def _uses_variable(term: Term) -> bool:
    try:
        shift(term, -1)
    except ValueError:
        return True
    return False
