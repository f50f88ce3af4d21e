"""A derivation as lines on a blackboard, in two grains.

``brief`` has a line per idea: a ∇ worked out, an evaluation, the arithmetic.  ``full`` has a line per
rule, with nothing done silently: the product rule leaves its ∇s standing, each is worked out on lines of
its own, zeros and ones go on a line of arithmetic.  Both are read off the same proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import DeriveError
from ..kernel.calculus import evaluation, gradient
from ..kernel.rules import RULES
from ..kernel.state import State
from ..language.binding import free_names, replace_nodes
from ..language.terms import HAS_EVAL, HAS_STOP, Eval, Grad, Indexed, Num, Sym, Term, postorder, tree_size
from .collect import MAX_TREE
from .order import named_indices
from .proof import Proof

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Step", "brief_steps", "full_steps", "named_steps"]

#: More lines than this are not shown: nobody reads them, and the certificate has them all.
MAX_LINES = 5_000
#: The indices of longer derivations keep the names that they have.
MAX_NAMED = 300


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a derivation.

    Attributes:
        rule: name of the rule; in brief steps the rules that were used, separated by commas.
        says: the rule as a formula, for a reader; empty where several were used.
        reference: where the paper has it, or empty.
        place: path of child positions, in the term before, to (an occurrence of) what was rewritten.
        before, after: what was rewritten, and what replaced it, there and wherever else it stands for itself.
        term: the whole term after the step.
        scope: names of the indices that are bound around the place, the outermost first.
    """

    rule: str
    says: str
    reference: str
    place: tuple[int, ...]
    before: Term
    after: Term
    term: Term
    scope: tuple[str, ...] = ()


def _step(state: State, names: tuple[str, ...], whole: Term, before: Term, after: Term) -> Step:
    new = state.store.add(replace_nodes(whole, {id(before): after}))
    return _described(names, whole, before, after, new)


def _described(names: tuple[str, ...], whole: Term, before: Term, after: Term, new: Term) -> Step:
    references = dict.fromkeys(r for r in (RULES[n].reference for n in names) if r)
    says = RULES[names[0]].says if len(names) == 1 else ""
    place = find(whole, new, before, after)
    scope = _scope(whole, place) if before.loose else ()
    return Step(", ".join(names), says, "; ".join(references), place, before, after, new, scope)


def _scope(whole: Term, place: tuple[int, ...]) -> tuple[str, ...]:
    """Distinct names for the binders on the way to a place."""
    taken, names = free_names(whole), []
    node = whole
    for position in place:
        if node.binds and node.binds[position]:
            name: str = node.hint  # type: ignore[attr-defined]
            while name in taken or name in names:
                name += "'"
            names.append(name)
        node = node.args[position]
    return tuple(names)


def find(whole: Term, new: Term, before: Term, after: Term) -> tuple[int, ...]:
    """The path to the first place where ``whole`` has ``before`` and ``new`` has ``after``, by identity.

    Raises:
        ValueError: there is none.
    """
    origin: dict[tuple[int, int], tuple[tuple[int, int], int]] = {}
    root = (id(whole), id(new))
    todo = [(whole, new, root, 0)]
    while todo:
        old, now, parent, position = todo.pop()
        pair = (id(old), id(now))
        if old is now or pair in origin:
            continue
        origin[pair] = (parent, position)
        if old is before and now is after:
            path: list[int] = []
            while pair != root:
                pair, position = origin[pair]
                path.append(position)
            return tuple(reversed(path))
        if len(old.args) == len(now.args):
            children = [(a, b, pair, i) for i, (a, b) in enumerate(zip(old.args, now.args, strict=True))]
            todo.extend(reversed(children))
    raise ValueError("the node does not occur in the term, or stays")


def brief_steps(proof: Proof, start: Term, operations: list[int]) -> list[Step]:
    """A line for each operation, from the start on."""
    out: list[Step] = []
    whole = start
    first = 0
    for number in operations:
        before, after = proof.left(number), proof.right(number)
        rules = _rules(proof, first, number)
        first = number + 1
        if before is after:
            continue
        out.append(_step(proof.state, rules, whole, before, after))
        whole = out[-1].term
    return out


#: Rules that only carry an equation to where it is used.
_SILENT = frozenset({"congruence", "transitivity", "symmetry", "grad_constant", "eval_free"})
#: Rules about numbers, ranges and conditions, which go without saying where others are named.
_MINOR = frozenset(
    name
    for name in RULES
    if name.startswith(("gt_", "ge_", "eq_", "cases_", "sum_", "product_", "stop_", "log_p", "log_m", "exp_"))
    or name in ("instance", "value", "arrow", "eval_eval")
) - {"product_log_derivative", "sum_add"}


def _rules(proof: Proof, first: int, number: int) -> tuple[str, ...]:
    """The rules that a step rests on, an induction in front.

    A pass over a whole term is logged step by step, and so is what it rests on; other steps name their
    premises.
    """
    log = proof.log
    idea = number
    while log[idea][0] == "transitivity":
        idea = log[idea][3][0]
    if RULES[log[idea][0]].operator or log[idea][0].endswith("log_derivative"):
        used = dict.fromkeys(log[n][0] for n in range(first, number + 1))
    else:
        used = dict.fromkeys(log[n][0] for n in _below(proof, number))
    spoken = [name for name in used if name not in _SILENT]
    major = [name for name in spoken if name not in _MINOR] or spoken
    major.sort(key=lambda name: name != "induction")
    return tuple(major) or (log[number][0],)


def _below(proof: Proof, number: int) -> list[int]:
    """A step and all that it rests on, in order."""
    seen, todo = {number}, [number]
    while todo:
        for premise in proof.log[todo.pop()][3]:
            if premise not in seen:
                seen.add(premise)
                todo.append(premise)
    return sorted(seen)


def named_steps(start: Term, steps: list[Step], given: Document | None) -> list[Step]:
    """Steps with a document's names for bound indices, see :func:`~.order.named_indices`."""
    if given is None or len(steps) > MAX_NAMED:
        return steps
    out: list[Step] = []
    before = named_indices(start, given)
    for step in steps:
        after = named_indices(step.term, given)
        places = []
        for whole in (before, after):
            for position in step.place:
                whole = whole.args[position]
            places.append(whole)
        scope = _scope(before, step.place) if places[0].loose else ()
        out.append(replace(step, before=places[0], after=places[1], term=after, scope=scope))
        before = after
    return out


class _Literal(State):
    """A state that has proved nothing and takes nothing for constant but numbers.

    One step of ∇ or → in it shows the rule as it stands in a textbook.
    """

    def __init__(self, state: State) -> None:
        super().__init__()
        self.store = state.store
        self.zero, self.one = state.zero, state.one
        self._mentions: dict[tuple[str, int], bool] = {}

    def depends(self, param: str, node: Term) -> bool:
        """Whether the name occurs at all."""
        entry = (param, id(node))
        if entry not in self._mentions:
            self._mentions[entry] = any(
                n.key == param and n.__class__ in (Sym, Indexed) for n in postorder(node)
            )
        return self._mentions[entry]


@dataclass(slots=True)
class _Frame:
    """An operator being worked out: itself, what its rule made of it, and the operators in that.

    Attributes:
        lhs: the operator.
        middle: what its own rule gives, with operators left standing; None before.
        pending: those operators that are still to be worked out.
        child: the one being worked out.
        done: what the others became, by their ``id``.
    """

    lhs: Term
    middle: Term | None = None
    pending: list[Term] = field(default_factory=list)
    child: Term | None = None
    done: dict[int, Term] = field(default_factory=dict)


class _Lines:
    """Unrolls operations into lines of one rule each."""

    def __init__(self, proof: Proof, start: Term) -> None:
        self.proof = proof
        self.whole = start
        self.literal = _Literal(proof.state)
        self.shown: set[int] = set()

    def line(self, rule: str, before: Term, after: Term) -> Step:
        step = _step(self.proof.state, (rule,), self.whole, before, after)
        self.whole = step.term
        return step

    def operation(self, number: int) -> Iterator[Step]:
        """The lines of one logged step: of an operator, or a single line."""
        lhs = self.proof.left(number)
        # A step at an operator that no pass worked out rewrites inside it: a definition unfolded.
        if lhs.__class__ in (Grad, Eval) and self.proof.number(lhs) is not None:
            yield from self.operator(lhs)
        else:
            yield from self.carried(number)

    def carried(self, number: int) -> Iterator[Step]:
        """The lines of a step that chains or turns round other equations: a line for each of those."""
        log, left, right = self.proof.log, self.proof.left, self.proof.right
        todo = [(number, False)]  # with whether it is read from right to left
        while todo:
            number, back = todo.pop()
            rule, _, _, premises = log[number]
            if rule == "transitivity":
                todo.extend((p, back) for p in (premises if back else reversed(premises)))
            elif rule == "symmetry":
                todo.append((premises[0], not back))
            elif left(number) is not right(number):
                before, after = (right, left) if back else (left, right)
                yield self.line(self.idea(number), before(number), after(number))

    def idea(self, number: int) -> str:
        """The rule of a step or, where that only carries an equation, the first that it carries."""
        todo = [number]
        while todo:
            rule, _, _, premises = self.proof.log[todo.pop()]
            if rule not in _SILENT:
                return rule
            todo.extend(reversed(premises))
        return self.proof.log[number][0]

    def operator(self, root: Term) -> Iterator[Step]:
        """Work out an operator the way a person would: outermost first; iterative.

        An operator is rewritten where it stands for itself, not inside another one that is still to be
        worked out: that one has its own turn, and is known by its body.
        """
        template = self.whole
        stack = [_Frame(root)]

        def line(rule: str, before: Term, after: Term) -> Step:
            """The innermost operator shows as ``after``; put it into those around it."""
            term = after
            for frame in reversed(stack[:-1]):
                assert frame.middle is not None and frame.child is not None
                term = self.put(frame.middle, {**frame.done, id(frame.child): term})
            new = self.everywhere(template, root, term)
            step = _described((rule,), self.whole, before, after, new)
            self.whole = new
            return step

        while stack:
            frame = stack[-1]
            lhs, result = frame.lhs, self.proof.concluded(frame.lhs)
            again = id(lhs) in self.shown and result is not None  # its lines are above: one line now
            if frame.middle is None and result is not lhs and not again:
                self.shown.add(id(lhs))
                rule, middle = self.unfold(lhs)
                if middle is not lhs:
                    yield line(rule, lhs, middle)
                frame.middle = middle
                if result is not middle:
                    frame.pending = self.operators(middle)
            if frame.pending:
                frame.child = frame.pending.pop(0)
                stack.append(_Frame(frame.child))
                continue
            reached = lhs if frame.middle is None else self.put(frame.middle, frame.done)
            if result is not None and reached is not result:
                yield line(self.unfold(lhs)[0] if frame.middle is None else "ring", reached, result)
                reached = result
            stack.pop()
            if stack:
                stack[-1].done[id(lhs)] = reached

    def everywhere(self, whole: Term, before: Term, after: Term) -> Term:
        return self.proof.add(replace_nodes(whole, {id(before): after}))

    def put(self, middle: Term, values: Mapping[int, Term]) -> Term:
        """The term with its topmost operators replaced, by their ``id``."""
        done: dict[int, Term] = {}
        todo = [(middle, False)]
        while todo:
            node, ready = todo.pop()
            if ready:
                done[id(node)] = self.proof.state.rebuild(node, tuple(done[id(a)] for a in node.args))
            elif id(node) in done:
                continue
            elif id(node) in values:
                done[id(node)] = values[id(node)]
            elif not node.args or self.worked_out(node):
                done[id(node)] = node
            else:
                todo.append((node, True))
                todo.extend((a, False) for a in node.args)
        return done[id(middle)]

    def worked_out(self, node: Term) -> bool:
        """Whether this is an operator that has lines of its own."""
        return node.__class__ in (Grad, Eval) and (
            self.proof.concluded(node) is not None or self.constant(node)
        )

    def constant(self, operator: Term) -> bool:
        return operator.__class__ is Grad and not self.proof.state.depends(operator.key, operator.args[0])

    def unfold(self, lhs: Term) -> tuple[str, Term]:
        """One step at an operator: the rule that the proof used there, with inner operators left standing."""
        number = self.proof.number(lhs)
        if number is None or self.constant(lhs):
            return gradient(self.proof.state, lhs.key, lhs.args[1:], lhs.args[0])
        rule, _, _, premises = self.proof.log[number]
        if rule == "transitivity":  # a rule, and then the operators that it left standing
            number = premises[0]
            rule = self.proof.log[number][0]
        if not RULES[rule].operator:
            return rule, self.proof.right(number)
        if lhs.__class__ is Grad:
            return rule, gradient(self.literal, lhs.key, lhs.args[1:], lhs.args[0])[1]
        return rule, evaluation(self.literal, lhs.args[0])[1]

    def operators(self, middle: Term) -> list[Term]:
        """The operators that a step left standing, in order of reading: topmost ones only."""
        out: list[Term] = []
        todo, seen = [middle], set()
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if self.worked_out(node):
                out.append(node)
            elif node.flags & (HAS_EVAL | HAS_STOP) or not isinstance(node, Num):
                todo.extend(reversed(node.args))
        return out


def full_steps(proof: Proof, start: Term, operations: list[int]) -> list[Step]:
    """A line for each rule.

    Raises:
        DeriveError: it would take more than MAX_LINES lines, or the term is too large to print.
    """
    if tree_size(start) > MAX_TREE:
        raise DeriveError(
            "the term is too large to show every step of its derivation",
            instead="take the brief steps, or the certificate, which has every step",
        )
    lines = _Lines(proof, start)
    out: list[Step] = []
    for number in operations:
        for step in lines.operation(number):
            out.append(step)
            if len(out) > MAX_LINES:
                raise DeriveError(
                    f"the derivation has more than {MAX_LINES} lines",
                    instead="take the brief steps, or the certificate, which has every step",
                )
    return out
