"""Building a derivation: a log of kernel inferences, made by the kernel's own functions.

A :class:`Proof` cannot record what the kernel does not conclude, and its :meth:`certificate` is what
``check`` replays.  The passes over a whole DAG (:meth:`Proof.differentiate`, :meth:`Proof.evaluate`)
take one step for each shared node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..kernel.calculus import evaluation, gradient
from ..kernel.certificate import FORMAT, VERSION
from ..kernel.definitions import check_group
from ..kernel.facts import Facts
from ..kernel.inference import Definition, Detail, Inference, head
from ..kernel.judgement import Condition, Draw, Equation, Rejection, Relation
from ..kernel.state import State
from ..language.terms import (
    HAS_EVAL,
    HAS_STOP,
    App,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Prod,
    Stop,
    Sym,
    Term,
    postorder,
)
from .nodetable import NodeTable

__all__ = ["KEPT", "Entry", "Proof"]

#: A logged step: rule, left side, right side, premises.  The left side of a step of a pass is kept
#: as (constructor, key, children): most are never looked at again.
Entry = tuple[str, "Term | tuple[type[Term], Any, tuple[Term, ...]]", Term, tuple[int, ...]]


#: Nodes whose ∇ a strategy may leave as it is, or take by a rule of its own choice.
KEPT = frozenset({App, Fn, Grad, Expect, Indexed})
_RULED = frozenset({App, Prod})


class Proof:
    """A derivation under construction.

    Args:
        definitions: what defined names stand for, a group after those it uses.
        assumptions: what is assumed of names, pairs such as ``("positive", "p")``.
        dependence: what names depend on without a definition, as a path on the particles.
        draws: how families are drawn, in order.
    """

    def __init__(
        self,
        definitions: Iterable[Definition] = (),
        assumptions: Iterable[tuple[str, str]] = (),
        dependence: Mapping[str, Sequence[str]] | None = None,
        draws: Iterable[Draw] = (),
    ) -> None:
        self.state = State(Facts(assumptions))
        self.inference = Inference(self.state)
        self._remaining: dict[tuple[frozenset[Condition], tuple[Condition, ...]], frozenset[Condition]] = {}
        self.dependence = dict(dependence or {})
        for name, others in self.dependence.items():
            self.state.define([(name, [Sym(other) for other in others])])
        for _, group in groupby(definitions, key=lambda d: d.group):
            self.define(list(group))
        self.inference.sample(
            [
                replace(
                    row,
                    left=self.add(row.left),
                    law=None if row.law is None else self.add(row.law),
                    first=None if row.first is None else self.add(row.first),
                )
                for row in draws
            ]
        )
        self.log: list[Entry] = []
        #: the steps that conclude more than a strict equation without conditions
        self._special: dict[int, Equation] = {}
        #: what was concluded of the lemmas of a proof document, by their names
        self.lemmas: dict[str, Any] = {}
        self._details: dict[int, tuple[tuple[str, int, Term], ...]] = {}
        self._numbers: dict[tuple[object, ...], dict[int, int]] = {}  # operator → operand → its step

    def define(self, group: Sequence[Definition]) -> None:
        """Define names by one another and by what is defined; numbers the group as the next one.

        Raises:
            Rejection: the recursion need not end.
        """
        number = 1 + max((d.group for d in self.definitions.values()), default=-1)
        stored = [
            replace(
                d,
                left=self.add(d.left),
                body=self.add(d.body),
                measure=None if d.measure is None else self.add(d.measure),
                group=number,
            )
            for d in group
        ]
        if stored[0].measure is not None:
            check_group(stored)
        self.state.declare(stored)
        self._remaining.clear()

    def remaining(
        self, conditions: Iterable[Condition], facts: Iterable[Condition] = ()
    ) -> frozenset[Condition]:
        """The conditions that do not follow from the facts, as the kernel finds them; asked once each.

        Raises:
            Rejection: a condition that speaks of more than indices.
        """
        question = (frozenset(conditions), tuple(facts))
        found = self._remaining.get(question)
        if found is None:
            found = self._remaining[question] = self.state.remaining(*question)
        return found

    @property
    def definitions(self) -> Mapping[tuple[object, ...], Definition]:
        """The definitions, by what they define."""
        return self.state.definitions

    def definition_of(self, node: Term) -> Definition | None:
        """The definition of a name, a family at indices, or a function along a path."""
        return self.definitions.get(head(node)) if node.__class__ in (Sym, Indexed, App) else None

    def add(self, term: Term) -> Term:
        """The term in the proof's store."""
        return self.state.store.add(term)

    def infer(
        self,
        rule: str,
        lhs: Term,
        rhs: Term | None = None,
        premises: Sequence[int] = (),
        detail: Detail = (),
    ) -> int:
        """Take a kernel step and log it; returns its number.

        Raises:
            Rejection: the kernel does not conclude this.
        """
        known = self.state.facts.hypotheses
        try:
            equation = self.inference.infer(rule, lhs, rhs, [self.conclusion(p) for p in premises], detail)
        except Rejection:
            self.state.facts.forget(known)
            raise
        self.log.append((rule, equation.lhs, equation.rhs, tuple(premises)))
        number = len(self.log) - 1
        if equation != Equation(Relation.STRICT, equation.lhs, equation.rhs):
            self._special[number] = equation
        if detail:
            self._details[number] = tuple(detail)
        return number

    def left(self, step: int) -> Term:
        """The left side of a step's conclusion."""
        lhs = self.log[step][1]
        return self.state.store.node(*lhs) if isinstance(lhs, tuple) else lhs

    def right(self, step: int) -> Term:
        """The right side of a step's conclusion."""
        return self.log[step][2]

    def number(self, operator: Term) -> int | None:
        """The step that worked out a ∇ or → term, if one did."""
        entry = (operator.__class__, operator.key, *map(id, operator.args[1:]))
        if operator.__class__ is Eval:
            entry = (Eval,)
        return self._numbers.get(entry, {}).get(id(operator.args[0]))

    def concluding(self, lhs: Term) -> int:
        """The last step that concludes an equation with this left side without conditions."""
        for step in range(len(self.log) - 1, -1, -1):
            if self.left(step) is lhs and not (self.conclusion(step).where or self.conclusion(step).given):
                return step
        raise Rejection("nothing concludes it")

    def concluded(self, operator: Term) -> Term | None:
        """What a ∇ or → term was worked out to be, if it was."""
        number = self.number(operator)
        return None if number is None else self.right(number)

    def conclusion(self, step: int) -> Equation:
        """What a step concludes."""
        found = self._special.get(step)
        return Equation(Relation.STRICT, self.left(step), self.right(step)) if found is None else found

    def chain(self, steps: Sequence[int]) -> int:
        """Transitivity along the steps, each starting where the one before ends."""
        if len(steps) == 1:
            return steps[0]
        return self.infer("transitivity", self.left(steps[0]), self.right(steps[-1]), steps)

    def same(self, term: Term) -> int:
        """A term is equal to itself."""
        return self.infer("congruence", term)

    def inside(self, root: Term, premises: Sequence[int]) -> int:
        """Use equations wherever their kind allows it, from the top; the step that concludes it.

        A strict equation may be used anywhere.  An equality of values may be used in live places, which makes
        the result an equality of values, and below ⊥ and →, which does not; never below ∇ or in an index
        (unless a ⊥ or → lies between).  A node shared between such places is replaced in the allowed ones
        only.
        """
        conclusions = [(self.conclusion(p), p) for p in premises]
        strict = {id(e.lhs): p for e, p in conclusions if e.relation is Relation.STRICT}
        value = {id(e.lhs): p for e, p in conclusions if e.relation is Relation.VALUE}
        live, under_grad, stopped = 0, 1, 2
        done: dict[tuple[int, int], int | None] = {}
        todo: list[tuple[Term, int, bool]] = [(root, live, False)]
        while todo:
            node, context, ready = todo.pop()
            place = (id(node), context)
            cls = node.__class__
            inner = (
                under_grad if cls in (Grad, Grads, Indexed) else stopped if cls in (Stop, Eval) else context
            )
            if ready:
                steps = [s for a in node.args if (s := done[id(a), inner]) is not None]
                done[place] = self.infer("congruence", node, None, steps) if steps else None
            elif id(node) in strict:
                done[place] = strict[id(node)]
            elif context != under_grad and id(node) in value:
                done[place] = value[id(node)]
            elif not node.args:
                done[place] = None
            elif place not in done:
                todo.append((node, context, True))
                todo.extend((a, inner, False) for a in node.args)
        found = done[id(root), live]
        return self.same(root) if found is None else found

    def split(self, lhs: Term, target: Term, branches: Sequence[int]) -> int:
        """``A = cases(c: X, else: Y)`` from ``A = X`` where c and ``A = Y`` where not c.

        Raises:
            Rejection: the branches do not give it.
        """
        both = self.state.node(Fn, "cases", target.args[0], lhs, lhs)
        twice = self.infer("symmetry", lhs, both, [self.infer("cases_same", both)])
        return self.chain([twice, self.infer("congruence", both, target, branches)])

    def differentiate(
        self,
        param: str,
        coordinate: tuple[Term, ...],
        body: Term,
        keep: Callable[[str, Term], bool],
        rule_for: Callable[[str, Term], str | None],
        kept: Collection[type[Term]] = KEPT,
    ) -> int | None:
        """Push ``∇param`` inside ``body``; the number of the step that concludes it.

        Args:
            param: the parameter.
            coordinate: the component of a vector parameter, or empty.
            body: what is differentiated, a term of the store.
            keep: says of an application, a built-in function, a ∇ or an 𝔼 that its ∇ is left as it is.
            rule_for: names a pattern rule to use at an application or a ∏, or None for the calculus's own.
            kept: the classes of nodes that ``keep`` is asked of.

        Returns:
            None if the ∇ of the body itself is kept.
        """
        state = self.state
        if keep(param, body):
            return None
        proved = state.proved(Grad, param, coordinate)
        numbers = self._steps(param, coordinate)
        depends, known = state.depends, state.dependence(param)
        log = self.log
        todo: list[Term | None] = [body]
        seen: set[int] = set()
        while todo:
            node = todo.pop()
            if node is None:  # the node behind it has its children done
                node = todo.pop()
                assert node is not None
                rule = rule_for(param, node) if node.__class__ in _RULED else None
                if rule is not None:
                    step = self.infer(rule, state.node(Grad, param, node, *coordinate))
                    below = numbers if not node.binds else self._steps(param, state.under_binder(coordinate))
                    inner = [below[id(a)] for a in node.args if id(a) in below]
                    if inner:
                        step = self.chain([step, self.inside(self.right(step), inner)])
                    numbers[id(node)] = step
                    continue
                name, out = gradient(state, param, coordinate, node)
                proved[id(node)] = out
                numbers[id(node)] = len(log)
                log.append((name, (Grad, param, (node, *coordinate)), out, ()))
                continue
            number = id(node)
            if number in seen or number in numbers:
                continue
            seen.add(number)
            if node.__class__ in kept and keep(param, node):
                continue
            todo += (node, None)
            if node.binds and any(c.loose for c in coordinate):  # the coordinate is another one below
                self.differentiate(param, state.under_binder(coordinate), node.args[-1], keep, rule_for, kept)
                continue
            application = node.__class__ is App  # has the parameter itself in a slot of its own
            for arg in node.args:
                number = id(arg)
                if number in seen or (application and arg.__class__ is Sym):
                    continue
                live = known.get(number)
                if live or (live is None and depends(param, arg)):
                    todo.append(arg)
        return numbers[id(body)]

    def _steps(self, param: str, coordinate: tuple[Term, ...]) -> dict[int, int]:
        """The steps that worked out a ∇, by the ``id`` of what it differentiates."""
        return self._numbers.setdefault((Grad, param, *map(id, coordinate)), {})

    def evaluate(self, body: Term) -> int:
        """Push ``→`` inside ``body``, which has no ∇ over a ⊥; the number of the concluding step."""
        state = self.state
        proved = state.proved(Eval)
        numbers = self._numbers.setdefault((Eval,), {})
        hidden = self._hiding(body)
        log = self.log
        todo: list[Term | None] = [body]
        seen: set[int] = set()
        while todo:
            node = todo.pop()
            if node is None:
                node = todo.pop()
                assert node is not None
                name, out = evaluation(state, node)
                proved[id(node)] = out
                numbers[id(node)] = len(log)
                log.append((name, (Eval, None, (node,)), out, ()))
                continue
            if id(node) in seen or id(node) in numbers:
                continue
            seen.add(id(node))
            todo += (node, None)
            for arg in node.args:
                if hidden(arg) and id(arg) not in numbers:
                    todo.append(arg)
        return numbers[id(body)]

    def _hiding(self, root: Term) -> Callable[[Term], bool]:
        """Tells a node below which ⊥ or → is to be worked out; families by recursion are left as they are."""
        arrows = HAS_STOP | HAS_EVAL
        state = self.state
        if not state.stopped:
            return lambda node: bool(node.flags & arrows)
        found: dict[int, bool] = {}
        for node in postorder(root):
            name = node.__class__ in (Sym, Indexed)
            inner = node.flags & arrows if name else any(found[id(a)] for a in node.args)
            own = node.__class__ in (Stop, Eval) or (name and not state.stop_free(node))
            found[id(node)] = bool(inner or own)

        def hides(node: Term) -> bool:
            core = node
            while core.__class__ is Grad:
                core = core.args[0]
            kept = core.__class__ in (Sym, Indexed)
            return found.get(id(node), bool(node.flags & arrows)) and not kept

        return hides

    def _needed(self, step: int) -> list[int]:
        """The steps that a conclusion rests on: its premises, and what was worked out of operators."""
        needed = {step}
        for n in range(step, -1, -1):
            lhs = self.log[n][1]
            cls = lhs[0] if isinstance(lhs, tuple) else lhs.__class__
            if n in needed or cls in (Grad, Eval, Stop):
                needed.add(n)
                needed.update(self.log[n][3])
        return sorted(needed)

    def certificate(self, step: int) -> dict[str, Any]:
        """The derivation as plain data, with the conclusion of a step as its claim."""
        kept = self._needed(step)
        place = {n: number for number, n in enumerate(kept)}
        steps = [
            (
                self.log[n][0],
                self.left(n),
                self.right(n),
                tuple(place[p] for p in self.log[n][3]),
                self._details.get(n, ()),
            )
            for n in kept
        ]
        claim = self.conclusion(step)
        definitions = list(self.definitions.values())
        parts = [p for d in definitions for p in (d.left, d.body, d.measure) if p is not None]
        for _, lhs, rhs, _, detail in steps:
            parts += [lhs, rhs, *(term for _, _, term in detail)]
        averaged = any(n.__class__ is CondExpect for n in postorder(*parts))
        rows = self.inference.filtration.rows if averaged else ()
        parts += [p for row in rows for p in (row.left, row.law, row.first) if p is not None]
        table = NodeTable()
        nodes = postorder(*parts)
        table.add(nodes)
        names = {n.key for n in nodes if n.__class__ in (Sym, Indexed)}
        integrated = averaged or any(rule == "expect_one" for rule, *_ in steps)
        kept_of = {"index": names, "density": {n.name for n in nodes if isinstance(n, App) and integrated}}
        assumptions = [a for a in self.state.facts.assumptions if a[1] in kept_of.get(a[0], (a[1],))]
        return {
            "format": FORMAT,
            "version": VERSION,
            "nodes": table.rows,
            "definitions": [
                [table[d.left], d.arity, table[d.body], d.measure and table[d.measure], d.group]
                for d in definitions
            ],
            "dependence": [[name, list(others)] for name, others in self.dependence.items()],
            "assumptions": [list(a) for a in assumptions],
            "samples": [
                [
                    table[row.left],
                    row.arity,
                    None if row.law is None else table[row.law],
                    None if row.first is None else table[row.first],
                ]
                for row in rows
            ],
            "steps": [
                [rule, table[lhs], table[rhs], list(premises)]
                + ([[[name, slots, table[term]] for name, slots, term in detail]] if detail else [])
                for rule, lhs, rhs, premises, detail in steps
            ],
            "claim": [claim.relation.value, table[claim.lhs], table[claim.rhs]],
        }
