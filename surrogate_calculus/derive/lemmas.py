"""Lemmas and axioms in the proof of a theorem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import SurrogateError
from ..kernel.inference import replaced
from ..kernel.judgement import Rejection, Relation, Supposition
from ..language.binding import free_names, instantiate
from ..language.proofs import HYPOTHESIS, Hint
from ..language.terms import ONE, App, Fn, Sym, Term
from .chain import Chain
from .equate import closed_over
from .expected import Average
from .inductions import as_a_whole, supposed_before
from .instances import instance_of
from .lines import Setting, Way, allowed_by, conclude
from .using import Schema

if TYPE_CHECKING:
    from ..language.proofs import Assumption, Binding, Line, ProofDocument, Statement
    from .proof import Proof

__all__ = ["Lemmas"]


class Lemmas:
    """What the theorems of a document may use.

    Args:
        proofs: the document.
        proved: whether a lemma is proved by itself.
        line: gives the step of a line of a lemma in a proof, from the statement and the number of the line.
    """

    def __init__(
        self,
        proofs: ProofDocument,
        proved: Callable[[Statement], bool],
        line: Callable[[Setting, Line, str, int], int | None],
    ) -> None:
        self.proofs, self._proved, self._line = proofs, proved, line

    def equation(self, setting: Setting, hint: Hint) -> Schema:
        """What a hint uses, concluded in a proof.

        Raises:
            Rejection, SurrogateError: it does not hold, or not of what is put in.
        """
        axiom = self.proofs.axiom(hint.name)
        lemma = self.proofs.statement(hint.name)
        if hint.name == HYPOTHESIS:
            assert setting.hypothesis is not None
            bound = (b.left.key[0] if isinstance(b.left, App) else b.left.key for b in hint.bindings)
            schema = setting.hypothesis(setting, frozenset(bound))
        elif axiom is not None:
            schema = _supposed(setting, axiom)
        else:
            assert lemma is not None
            if not self._proved(lemma):
                raise Rejection(f"{hint.name} is not proved itself")
            known = setting.proof.lemmas
            if lemma.name not in known:
                known[lemma.name] = (self._sketched if setting.sketch else self._stated)(setting, lemma)
            schema = known[lemma.name]
        if not hint.bindings:
            return schema
        try:
            own = () if lemma is None else lemma.indices
            indices = own if axiom is None else axiom_indices(axiom)
            return _put_in(setting, schema, hint.bindings, indices)
        except Rejection as reason:
            again = None if lemma is None else self._proved_for(setting, lemma, hint.bindings)
            if again is None:
                raise Rejection(f"{hint.name} does not follow for what is put in: {reason}") from None
            return again

    def _stated(self, setting: Setting, lemma: Statement) -> Schema:
        """A lemma as it is stated, by its own lines."""
        inner = self.setting(setting.proof, lemma, setting.sketch)
        steps = [self._line(inner, line, lemma.name, n) for n, line in enumerate(lemma.lines)]
        if any(step is None for step in steps):
            raise Rejection(f"{lemma.name} is not proved here")
        chain = setting.proof.chain([s for s in steps if s is not None])
        return Schema(self.whole(inner, lemma, chain), inner.variables)

    @staticmethod
    def _sketched(setting: Setting, lemma: Statement) -> Schema:
        """A lemma that is proved elsewhere, supposed."""
        proof, (every, variables) = setting.proof, _quantified(lemma)
        first, last = (
            proof.add(closed_over(t, lemma.indices)) for t in (lemma.lines[0].left, lemma.lines[-1].right)
        )
        detail = [(name, 0, proof.state.zero) for name in every if name not in lemma.positive]
        rule = "suppose_value" if lemma.values else "suppose"
        return Schema(proof.infer(rule, first, last, [], detail), variables)

    def setting(self, proof: Proof, statement: Statement, sketch: bool = False) -> Setting:
        """Where the lines of a statement are concluded in a proof."""
        every, variables = _quantified(statement)
        return Setting(
            proof,
            statement.document,
            statement.indices,
            self.equation,
            every,
            variables,
            lambda setting, every: supposed_before(setting, statement, every),
            sketch,
        )

    def whole(self, setting: Setting, statement: Statement, chain: int) -> int:
        """The claim of a statement from the chain of its lines.

        Raises:
            Rejection: it is an induction that fails.
        """

        def base(line: Line) -> int | None:
            assert statement.induction is not None
            if statement.induction.base is None:
                return self._base(setting, statement, line)
            hint = Hint("using", statement.induction.base, (), statement.induction.span)
            return self.equation(setting, hint).step

        return as_a_whole(setting, statement, chain, base)

    @staticmethod
    def _base(setting: Setting, statement: Statement, line: Line) -> int | None:
        """The claim of an induction at 0: by the definitions there, or by whatever strategy."""
        occurring = free_names(line.left) | free_names(line.right)
        hints = [Hint("rule", "calculus", (), line.span)]
        for definition in statement.document.definitions:
            if definition.name in occurring:
                hints.append(Hint("definition", definition.name, (), line.span))
        way = Way(None, average=Average())
        step = next(conclude(setting, line, way, allowed_by(hints), ()), None)
        return setting.any(line) if step is None else step

    def _proved_for(self, setting: Setting, lemma: Statement, bindings: Sequence[Binding]) -> Schema | None:
        """A lemma proved once more for what is put in, which may speak of the indices of the theorem."""
        put_in = {b.left.key for b in bindings if isinstance(b.left, Sym)}
        if lemma.induction is not None:
            return None
        own = [n for n in lemma.indices if n not in put_in and n not in setting.indices]
        inner = Setting(setting.proof, lemma.document, (*setting.indices, *own), self.equation)
        steps: list[int] = []
        with suppress(Rejection, SurrogateError):
            for number, line in enumerate(lemma.lines):
                step = self._line(inner, instance_of(line, bindings), lemma.name, number)
                if step is None:
                    return None
                steps.append(step)
            return Schema(setting.proof.chain(steps))
        return None

    def axiom_of(self, supposition: Supposition) -> str | None:
        """The name of the axiom that a proof supposes; None where the document has none like it."""
        for axiom in self.proofs.assumptions:
            if axiom.kind == "equation" and _supposition(axiom) == supposition:
                return axiom.name
        return None


def _quantified(block: Statement | Assumption) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The functions and variables that something is said of every one of, and the variables alone."""
    indices = block.document.indices
    every = tuple(q.name for q in block.quantified if q.name not in indices and not q.whole)
    return every, tuple(q.name for q in block.quantified if q.name in every and not q.function)


def _supposition(axiom: Assumption) -> Supposition:
    """What the kernel is asked to suppose: of every whole number, so that the ranges of indices are in it."""
    indices = axiom_indices(axiom)
    left, right = axiom.terms
    for condition in _in_range(axiom, indices):
        left = Fn("cases", condition, left, right)
    lhs, rhs = (closed_over(side, indices) for side in (left, right))
    positive = {
        q.name for q in axiom.quantified if q.positive
    }  # of positive functions only: not of every one
    every = frozenset(n for n in _quantified(axiom)[0] if n not in positive)
    return Supposition(Relation.VALUE if axiom.values else Relation.STRICT, lhs, rhs, every)


def _in_range(axiom: Assumption, indices: Sequence[str]) -> list[Term]:
    """The comparisons that keep indices in their ranges."""
    out: list[Term] = []
    for name in indices:
        lo, hi = axiom.document.indices.get(name, (ONE, None))
        out += [Fn("ge", Sym(name), lo), *([] if hi is None else [Fn("ge", hi, Sym(name))])]
    return out


def _supposed(setting: Setting, axiom: Assumption) -> Schema:
    """An axiom, under the condition that its indices are in their ranges."""
    proof = setting.proof
    said = _supposition(axiom)
    rule = "suppose_value" if axiom.values else "suppose"
    detail = [(name, 0, proof.state.zero) for name in sorted(said.every)]
    step = proof.infer(rule, proof.add(said.lhs), proof.add(said.rhs), [], detail)
    for _ in _in_range(axiom, axiom_indices(axiom)):
        guarded = Chain(proof, proof.left(step))
        guarded.inside(proof.infer("ge_true", guarded.term.args[0])).by("cases_one")
        opened = guarded.step()
        assert opened is not None
        step = proof.chain([proof.infer("symmetry", guarded.term, guarded.start, [opened]), step])
    return Schema(step, _quantified(axiom)[1])


def axiom_indices(axiom: Assumption) -> tuple[str, ...]:
    """The indices for every value of which an equation is assumed."""
    return tuple(q.name for q in axiom.quantified if q.whole or q.name in axiom.document.indices)


def _put_in(
    setting: Setting, schema: Schema, bindings: Sequence[Binding], indices: Sequence[str]
) -> Schema:
    """An equation for what is put in for functions, variables and indices.

    Raises:
        Rejection: the kernel does not conclude it.
    """
    proof, step = setting.proof, schema.step
    placed = {b.left.key: closed_over(b.value, setting.indices) for b in bindings if b.left.key in indices}
    if placed:
        if len(placed) < len(indices):
            raise Rejection("a value for each index, or for none")
        at = proof.left(step)
        for name in reversed(indices):  # the last index is the innermost
            at = instantiate(at, placed[name])
        step = proof.infer("instance", proof.add(at), None, [step])
    detail: list[tuple[str, int, Term]] = []
    for binding in bindings:
        if binding.left.key in placed:
            continue
        slots = [slot.key for slot in binding.left.args] if isinstance(binding.left, App) else []
        body = closed_over(binding.value, (*setting.indices, *slots))
        if body.loose > len(slots):
            raise Rejection("what is put in speaks of an index")
        name = binding.left.key[0] if isinstance(binding.left, App) else binding.left.key
        detail.append((name, len(slots), proof.add(body)))
    names = {name for name, _, _ in detail}
    if not detail:
        return Schema(step, schema.variables)
    left = replaced(proof.state, proof.left(step), {name: (arity, body) for name, arity, body in detail})
    put = proof.infer("substitute", left, None, [step], detail)
    return Schema(put, tuple(v for v in schema.variables if v not in names))
