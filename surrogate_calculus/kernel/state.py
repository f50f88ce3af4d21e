"""What a derivation has established: names and what they hide, equations of operators, conditions.

One object for one derivation or one replay.  It is used by the checker, which believes only what it has
replayed, and by the strategies, so that nothing is derived by other means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..language.binding import shift
from ..language.budget import charge
from ..language.terms import (
    HAS_BARE_STOP,
    HAS_EVAL,
    HAS_EXPECT,
    HAS_GRAD,
    HAS_STOP,
    Add,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Stop,
    Store,
    Sym,
    Term,
    fold,
    postorder,
    reachable,
    rebuild,
)
from .facts import Facts
from .judgement import Condition, Definition, Rejection, head
from .polynomial import Ring
from .ranges import Ranges

__all__ = ["AVERAGE", "State"]

#: Stands for an 𝔼[· | t] among names.
AVERAGE = "𝔼"
#: Functions that are constant under ∇: the conditions, "stopped by nature".
_STEPS = frozenset({"sign", "gt", "ge", "eq"})


class State:
    """What a derivation has established so far.

    Attributes:
        store: makes equal terms identical.
        facts: the hypotheses used, and what discharges them.
        definitions: by what they define, see :func:`~.judgement.head`.
        named: those of names and families, by the name.
        stopped: the defined names with a ⊥ or → in what they hide.
        whole_names: the defined names of whole numbers.
    """

    def __init__(self, facts: Facts | None = None) -> None:
        self.store = Store()
        self.facts = facts or Facts()
        self.definitions: dict[tuple[object, ...], Definition] = {}
        self.named: dict[str, Definition] = {}
        self.stopped: set[str] = set()
        self.whole_names: set[str] = set()
        self.zero = self.store.add(Num(0))
        self.one = self.store.add(Num(1))
        # names in the body of a defined name, without and with those in conditions
        self._direct: dict[bool, dict[str, frozenset[str]]] = {False: {}, True: {}}
        self._hidden: dict[tuple[str, bool], frozenset[str]] = {}  # the names reached through bodies
        self._known: dict[Any, dict[int, Term]] = {}
        self._depends: dict[str, dict[int, bool]] = {}

    # names
    def define(self, bodies: Iterable[tuple[str, Collection[Term]]]) -> None:
        """Tell what names are defined by, one another perhaps.

        A defined name hides what its body depends on and whether a ⊥ stands in it: neither "constant" nor
        "free of ⊥" may be concluded from its looks.
        """
        for name, terms in bodies:
            for conditions, direct in self._direct.items():
                direct[name] = direct.get(name, frozenset()) | _names_in(terms, conditions)
        self._hidden.clear()
        self.stopped = {n for n in self.defined if "⊥" in self.hidden_names(n)}
        self._depends.clear()

    def declare(self, group: Sequence[Definition]) -> None:
        """Take up the definitions of one group, whose terms are of the store, after those it uses.

        Raises:
            Rejection: a definition of a function that hides what the function depends on.
        """
        for d in group:
            self.definitions[head(d.left)] = d
            names = {d.name}
            if d.left.__class__ is App:
                # a path that only this definition knows depends on all that the body depends on
                mentioned, slots = self.mentioned([d.body]), self.mentioned([d.left])
                names = {n.key for n in d.left.args if n.__class__ is Indexed} - mentioned
                known = self.stop_free(d.body) and not d.body.flags & (HAS_GRAD | HAS_EXPECT)
                if not known or (mentioned - slots and not names):
                    raise Rejection(f"the definition of {d.name:.40} hides what it depends on")
            else:
                self.named[d.name] = d
            self.define((name, [d.body]) for name in names)
        self.whole_names |= {d.name for d in group if d.left.__class__ is not App}
        while wrong := {d.name for d in group if d.name in self.whole_names and not self.whole(d.body)}:
            self.whole_names -= wrong
        self.facts.define({head(d.left): d.body for d in group})

    def mentioned(self, terms: Collection[Term], conditions: bool = False) -> frozenset[str]:
        """The names in terms, and in the bodies of defined ones; those in conditions if asked for."""
        direct = _names_in(terms, conditions)
        return direct.union(*(self.hidden_names(name, conditions) for name in direct))

    @property
    def defined(self) -> Collection[str]:
        """The names that are defined."""
        return self._direct[False]

    def hidden_names(self, name: str, conditions: bool = False) -> frozenset[str]:
        """The names that a defined name's body mentions, all the way down; none if it is not defined.

        With ``conditions`` those too that decide between cases only.
        """
        found = self._hidden.get((name, conditions))
        if found is None:
            direct = self._direct[conditions]
            found = new = direct.get(name, frozenset())
            while new:
                charge(1 + len(found) / 8)
                new = frozenset[str]().union(*(direct.get(n, ()) for n in new)) - found
                found |= new
            self._hidden[name, conditions] = found
        return found

    def stop_free(self, node: Term) -> bool:
        """Whether neither ⊥ nor → occurs in the term, definitions unfolded.

        In an index the conditions of cases do not count: a comparison has a value only.
        """
        marked = node.flags & (HAS_STOP | HAS_EVAL)
        if marked and node.__class__ is not Indexed:
            return False
        return not (marked or self.stopped) or (self.stopped | {"⊥"}).isdisjoint(_names_in([node]))

    def bare(self, node: Term) -> bool:
        """Whether a ⊥ may stand outside every →, definitions unfolded."""
        inner = reachable([node], lambda n: () if n.__class__ is Eval else n.args) if self.stopped else ()
        hidden = any(n.__class__ in (Sym, Indexed) and n.key in self.stopped for n in inner)
        return hidden or bool(node.flags & HAS_BARE_STOP)

    def fixed(self, node: Term) -> bool:
        """Whether a term is made of numbers, counts and indices only, so that ⊥ does nothing to it."""
        return all(
            n.__class__ in (Num, Bound, Axis, Add, Mul)
            or (n.__class__ is Sym and n.key in self.facts.counts and n.key not in self.defined)
            for n in postorder(node)
        )

    def whole(self, term: Term) -> bool:
        """Whether a term is a whole number, for whole indices, that no parameter moves."""

        def is_whole(node: Term) -> bool:
            cls, name = node.__class__, node.key
            if cls in (Sym, Indexed):
                return name in self.whole_names or (name in self.facts.indices and name not in self.defined)
            if cls is Num:
                return bool(name.denominator == 1)
            return cls in (Bound, Axis, Add, Mul) or (cls is Fn and name == "cases")

        return all(map(is_whole, reachable([term], lambda n: n.args[1:] if n.__class__ is Fn else n.args)))

    def dependence(self, param: str) -> dict[int, bool]:
        """What :meth:`depends` has found so far, by the ``id`` of the node."""
        return self._depends.setdefault(param, {})

    def depends(self, param: str, node: Term) -> bool:
        """Whether the parameter may occur in the term outside ⊥ (an → is always counted)."""
        memo = self.dependence(param)

        def occurs(n: Term) -> bool:
            if n.__class__ in (Sym, Indexed) and {param, AVERAGE} & {n.key, *self.hidden_names(n.key)}:
                return True
            # → lets out what is stopped inside, and the law of the draws depends on every parameter
            return n.__class__ in (Eval, CondExpect) or any(memo[id(a)] for a in _differentiated(n))

        return fold(node, memo, _differentiated, occurs)

    # conditions
    def ring(self) -> Ring:
        """A fresh table of polynomials."""
        return Ring(self.facts, self.hidden_names)

    def remaining(
        self, conditions: Iterable[Condition], facts: Iterable[Condition] = ()
    ) -> frozenset[Condition]:
        """The conditions that do not follow from the facts.

        Raises:
            Rejection: a condition that speaks of more than indices.
        """
        conditions = frozenset(conditions)
        return (
            Ranges(self.ring(), self.facts.counts).remaining(conditions, facts) if conditions else conditions
        )

    # what is proved of operators: ∇A = …, →A = …, ⊥A = …
    def proved(
        self, cls: type[Term], key: object = None, coordinate: tuple[Term, ...] = ()
    ) -> dict[int, Term]:
        """The equations proved of one operator: from ``id(A)`` to the right side of ``∇A = …``."""
        return self._known.setdefault((cls, key, *map(id, coordinate)), {})

    def learn(self, lhs: Term, rhs: Term) -> None:
        """Remember a strict equation whose left side is an operator; the last one proved is used."""
        if lhs.__class__ in (Grad, Eval, Stop):
            self.proved(lhs.__class__, lhs.key, lhs.args[1:])[id(lhs.args[0])] = rhs

    def known(self, lhs: Term) -> Term | None:
        """The right side proved equal to the operator term ``lhs``, if any."""
        return self.proved(lhs.__class__, lhs.key, lhs.args[1:]).get(id(lhs.args[0]))

    # terms of the store
    def node(self, cls: type[Term], key: object, *args: Term) -> Term:
        """A node of the store."""
        charge(len(args) / 8)
        return self.store.node(cls, key, args)

    def rebuild(self, node: Term, args: tuple[Term, ...]) -> Term:
        """The same constructor over other children of the store."""
        node = rebuild(node, args)  # the derivatives of an application stay sorted
        return self.store.node(node.__class__, node.key, node.args, getattr(node, "hint", None))

    def moved(self, term: Term, by: int = 1, cutoff: int = 0) -> Term:
        """The term moved under more binders.

        Raises:
            Rejection: it is moved out of a binder whose index it uses.
        """
        try:
            return self.store.add(shift(term, by, cutoff))
        except ValueError:
            raise Rejection("a bound index would be lost") from None

    def under_binder(self, coordinate: tuple[Term, ...]) -> tuple[Term, ...]:
        """A coordinate moved under one more binder."""
        return tuple(map(self.moved, coordinate))

    def total(self, terms: Sequence[Term]) -> Term:
        """A sum without its zeros."""
        return self._joined(Add, terms, self.zero)

    def product(self, *factors: Term) -> Term:
        """A product without its ones; 0 if a factor is 0."""
        return self.zero if self.zero in factors else self._joined(Mul, factors, self.one)

    def _joined(self, cls: type[Term], terms: Sequence[Term], unit: Term) -> Term:
        charge(len(terms) / 8)
        kept = [t for t in terms if t is not unit]
        if len(kept) > 1:
            return self.store.node(cls, None, tuple(kept))
        return kept[0] if kept else unit


def _differentiated(node: Term) -> tuple[Term, ...]:
    """The children that decide whether a parameter occurs outside ⊥."""
    decided = node.__class__ in (Stop, Eval, CondExpect) or (node.__class__ is Fn and node.key in _STEPS)
    return () if decided else node.args


def _names_in(terms: Iterable[Term], conditions: bool = False) -> frozenset[str]:
    """The names in terms, ⊥ for a ⊥ or →, and AVERAGE for an 𝔼[· | t], which depends on everything.

    What is in conditions has a value only, and is left out unless it is asked for.
    """

    def children(node: Term) -> tuple[Term, ...]:
        return () if not conditions and node.__class__ is Fn and node.key in _STEPS else node.args

    marks = {Stop: "⊥", Eval: "⊥", CondExpect: AVERAGE}
    nodes = reachable(terms, children)
    named = (n.key if n.__class__ in (Sym, Indexed) else marks.get(n.__class__) for n in nodes)
    return frozenset(name for name in named if name is not None)
