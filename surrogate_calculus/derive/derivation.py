"""A derivation: where it starts, what it ends in, the steps between, and what it rests on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..kernel.judgement import Hypothesis, Relation
from ..language.terms import Indexed, Sym, Term, postorder
from .hypotheses import readable
from .steps import Step, brief_steps, full_steps, named_steps

if TYPE_CHECKING:
    from ..language.declarations import Definition, Document
    from .proof import Proof

__all__ = ["Derivation"]


@dataclass(frozen=True, eq=False)
class Derivation:
    """The answer of :func:`~surrogate_calculus.derive.derive`.

    Attributes:
        start: what was derived, such as ``→(∇θ E)``.
        result: what it is equal to, with every ∇ and → worked out as far as it goes.
        expression: the surrogate ``E`` that the start differentiates, or the start itself.
        wrt: the parameters differentiated in, innermost first.
        vectors: names of the parameters that are vectors.
        notes: what the reader should know, such as a function taken for constant.
        document: the declarations that it was derived under, if any, and what was defined on the way.
        introduced: the names that were defined on the way, see ``where``.
    """

    start: Term
    result: Term
    expression: Term
    wrt: tuple[str, ...]
    vectors: frozenset[str]
    notes: tuple[str, ...]
    document: Document | None
    introduced: tuple[str, ...]
    _proof: Proof = field(repr=False)
    _operations: tuple[int, ...] = field(repr=False)
    _last: int = field(repr=False)

    @property
    def order(self) -> int:
        """How often was differentiated."""
        return len(self.wrt)

    @cached_property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The side conditions used and not discharged, as a reader wants them.

        They are said of values, each once, and products are taken apart: ``⊥p ≠ 0`` and ``p ≠ 0`` are one.
        The certificate's verdict lists them as the kernel used them.
        """
        facts, left = self._proof.state.facts, self._proof.conclusion(self._last).where
        return (*readable(facts.assumptions, facts.hypotheses), *(Hypothesis(c.kind, c.term) for c in left))

    @property
    def relation(self) -> Relation:
        """Whether the result equals the start at every (θ, θ̂), or in value only (``=→``)."""
        return self._proof.conclusion(self._last).relation

    @property
    def where(self) -> tuple[Definition, ...]:
        """The families that the result is stated with and that were defined on the way, by recursion.

        ``document`` has them too, so that the result can be printed, parsed and evaluated under it.
        """
        found = () if self.document is None else self.document.definitions
        return tuple(d for d in found if d.name in self.introduced)

    @cached_property
    def steps(self) -> list[Step]:
        """The derivation with a line per idea."""
        steps = brief_steps(self._proof, self.start, list(self._operations))
        return named_steps(self.start, steps, self.document)

    def steps_in(self, grain: str) -> list[Step]:
        """The steps in a grain.

        Args:
            grain: ``"brief"``, a line per idea, or ``"full"``, a line per rule and no silent arithmetic.

        Raises:
            ValueError: another grain.
            DeriveError: too large to show in full.
        """
        if grain == "brief":
            return self.steps
        if grain != "full":
            raise ValueError(f"the grain is 'brief' or 'full', not {grain!r}")
        full = full_steps(self._proof, self.start, list(self._operations))
        return named_steps(self.start, full, self.document)

    @cached_property
    def certificate(self) -> dict[str, Any]:
        """The derivation as plain data for :func:`surrogate_calculus.check`, fit for JSON."""
        return self._proof.certificate(self._last)

    def to_text(self, grain: str | None = None) -> str:
        """The result as ASCII text, or the derivation in a grain, line by line."""
        from ..printing.text import to_text

        return self._lines(partial(to_text, vector=self.vectors), grain, "==>")

    def to_unicode(self, grain: str | None = None) -> str:
        """The result as Unicode text, or the derivation in a grain, line by line."""
        from ..printing.text import to_unicode

        return self._lines(partial(to_unicode, vector=self.vectors), grain, "⟹")

    def defined(self, show: Callable[..., str]) -> list[str]:
        """Each definition of ``where`` as a line, in the notation of a printer."""
        lines = []
        for d in self.where:
            left = Indexed(d.name, *map(Sym, d.indices))
            lines.append(f"{show(left)} = {show(d.body)}")
        return lines

    def _lines(self, show: Callable[..., str], grain: str | None, arrow: str) -> str:
        if grain is None:
            return str(show(self.result))
        lines = [show(self.start)]
        for step in self.steps_in(grain):
            source = f"{step.rule}; {step.reference}" if step.reference else step.rule
            if grain == "full":
                before, after = (show(t, scope=step.scope) for t in (step.before, step.after))
                lines.append(f"    {before}  {arrow}  {after}")
            lines.append(f"  = {show(step.term)}    [{source}]")
        return "\n".join(lines)

    def to_latex(self, grain: str | None = None) -> str:
        """The result as LaTeX, or the derivation as an ``align*`` environment."""
        from ..printing.latex import to_latex

        if grain is None:
            return to_latex(self.result, given=self.document)
        rows = [f"& {to_latex(self.start, given=self.document)}"]
        for step in self.steps_in(grain):
            label = step.rule.replace("_", r"\_")
            rows.append(f"={{}}& {to_latex(step.term, given=self.document)} && \\text{{({label})}}")
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def to_mathml(self, grain: str | None = None) -> str:
        """The result as a ``<math>`` element, or the derivation as one, with a row per step."""
        from ..printing.mathml import to_mathml

        if grain is None:
            return to_mathml(self.result, given=self.document)

        def inner(term: Term) -> str:
            text = to_mathml(term, given=self.document)
            return "<mrow>" + text[text.index(">") + 1 : text.rindex("</math>")] + "</mrow>"

        rows = [f"<mtr><mtd></mtd><mtd>{inner(self.start)}</mtd><mtd></mtd></mtr>"]
        rows += [
            f"<mtr><mtd><mo>=</mo></mtd><mtd>{inner(s.term)}</mtd><mtd><mtext>{s.rule}</mtext></mtd></mtr>"
            for s in self.steps_in(grain)
        ]
        table = "".join(rows)
        xmlns = "http://www.w3.org/1998/Math/MathML"
        return f'<math xmlns="{xmlns}" display="block"><mtable>{table}</mtable></math>'

    def to_dict(self, grain: str | None = None) -> dict[str, Any]:
        """The derivation as plain data: texts that parse back, hypotheses, notes, steps."""
        from ..printing.text import to_unicode

        out: dict[str, Any] = {
            "start": to_unicode(self.start, vector=self.vectors),
            "result": to_unicode(self.result, vector=self.vectors),
            "wrt": list(self.wrt),
            "vectors": sorted(self.vectors),
            "order": self.order,
            "relation": self.relation.value,
            "where": self.defined(partial(to_unicode, vector=self.vectors)),
            "hypotheses": [str(h) for h in self.hypotheses],
            "notes": list(self.notes),
        }
        if grain is not None:
            out["grain"] = grain
            out["steps"] = [
                {
                    "rule": s.rule,
                    "says": s.says,
                    "reference": s.reference,
                    "place": list(s.place),
                    "before": to_unicode(s.before, vector=self.vectors, scope=s.scope),
                    "after": to_unicode(s.after, vector=self.vectors, scope=s.scope),
                    "term": to_unicode(s.term, vector=self.vectors),
                }
                for s in self.steps_in(grain)
            ]
        return out

    def to_json(self, grain: str | None = "brief") -> str:
        """:meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(grain), ensure_ascii=False, indent=2)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.to_latex()}$"

    def __str__(self) -> str:
        return self.to_unicode()

    def size(self) -> int:
        """Number of shared nodes of the result."""
        return len(postorder(self.result))
