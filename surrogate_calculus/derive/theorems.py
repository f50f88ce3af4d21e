"""Checking proof documents: each theorem becomes one certificate, which the kernel replays."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..errors import ParseError, Span, SurrogateError
from ..kernel import Equation, Relation, Verdict, check
from ..kernel.judgement import Hypothesis, Rejection
from ..language.proof_reader import load_proofs
from ..language.proofs import HYPOTHESIS, Line, ProofDocument, Statement
from ..printing.text import to_unicode
from .conditions import conditions_of, unnamed
from .engine import collector_paused, prepared
from .equate import closed_over, ranges_of
from .failures import Failure, sides_worked_out
from .hints import named_rules, nearest, speaks_of
from .lemmas import Lemmas
from .lines import Allowed, Outcome, Setting, Way, allowed_by, conclude, search
from .prove import prove, refutation
from .verdicts import TheoremVerdict

__all__ = ["Book", "TheoremVerdict", "check_document"]


def check_document(path: str | Path | ProofDocument) -> list[TheoremVerdict]:
    """Check every theorem, lemma and refutation of a proof document.

    Args:
        path: its file, or the document as it was read.

    Returns:
        A verdict for each, in their order; a verdict is true when the statement holds as stated.

    Raises:
        SurrogateError: the file cannot be read, or is no proof document.
    """
    book = Book(path if isinstance(path, ProofDocument) else load_proofs(path))
    return [book.verdict(statement) for statement in book.proofs.statements]


class _Fails(Exception):
    """Ends the check of a statement."""

    def __init__(self, failure: Failure, claim: Equation | None = None) -> None:
        super().__init__(failure.reason)
        self.failure, self.claim = failure, claim


class Book:
    """A proof document, and what has been found of its statements.

    Raises:
        ParseError: a hint that names no rule.
    """

    def __init__(self, proofs: ProofDocument) -> None:
        self.proofs = proofs
        self._verdicts: dict[str, TheoremVerdict] = {}
        self._ways: dict[tuple[str, int], Way] = {}  # how the lines of a statement were concluded
        self._lemmas = Lemmas(proofs, lambda lemma: self.verdict(lemma).passed, self._line_of_lemma)
        for statement in proofs.statements:
            for hint in (h for line in statement.lines for h in line.hints or ()):
                if hint.kind == "rule" and named_rules(hint.name) is None:
                    near = nearest(hint.name)
                    raise ParseError(
                        f"there is no rule {hint.name}",
                        instead=f"write {near}" if near else "a name of  surrogate check --hints",
                        text=proofs.text,
                        span=hint.span,
                        file=proofs.file,
                    )

    def verdict(self, statement: Statement) -> TheoremVerdict:
        """What is found of a statement; each is looked at once."""
        if statement.name not in self._verdicts:
            start = time.perf_counter()
            with collector_paused():
                found = self._refuted(statement) if statement.kind == "refute" else self._theorem(statement)
            self._verdicts[statement.name] = replace(found, seconds=time.perf_counter() - start)
        return self._verdicts[statement.name]

    def axioms_of(self, verdict: Verdict) -> list[str]:
        """The names of the axioms that a proof supposes."""
        return sorted(filter(None, map(self._lemmas.axiom_of, verdict.axioms)))

    # ------------------------------------------------------------------------------------ refutations
    def _refuted(self, statement: Statement) -> TheoremVerdict:
        (line,) = statement.lines
        verdict = prove((line.left, line.right), statement.document, values=line.values)
        failure = None
        if verdict.status == "proved":
            reason = f"{statement.name} is to be refuted, and is proved"
            failure = self._failure("proved", reason, "theorem, with the claim as it is", line.span)
        elif verdict.status != "refuted":
            reason = f"{statement.name} is neither refuted nor proved"
            failure = self._failure("undecided", reason, "", line.span)
        return self._said(statement, verdict, failure)

    # -------------------------------------------------------------------------------------- theorems
    def _theorem(self, statement: Statement) -> TheoremVerdict:
        notes: list[str] = []
        try:
            setting = self._setting(statement)
            steps = [
                self._line(statement, number, line, setting, notes)
                for number, line in enumerate(statement.lines)
            ]
            proof = setting.proof
            try:
                whole = self._lemmas.whole(setting, statement, proof.chain(steps))
            except (Rejection, SurrogateError) as why:
                failure = self._failure("induction", f"the induction fails: {why}", "", statement.span)
                raise _Fails(failure) from None
            certificate = proof.certificate(whole)
            verdict = check(certificate)
            if verdict.status == "proved" and verdict.claim != _closed_claim(statement):
                verdict = Verdict("undecided", reason="it proves another claim")
            if verdict.status != "proved":  # a mistake of the strategies, which the kernel has caught
                reason = f"the kernel does not accept the proof of {statement.name}: {verdict.reason}"
                failure = self._failure("undecided", reason, "", statement.span)
                return self._said(statement, verdict, failure)
            if any(self._lemmas.axiom_of(axiom) is None for axiom in verdict.axioms):
                reason = f"the proof of {statement.name} supposes an equation that the document does not"
                raise _Fails(self._failure("condition", reason, "assume name: A = B", statement.span))
            scratch = prepared(statement.document, statement.positive)
            ranges = ranges_of(scratch, statement.document, statement.indices)
            conditions = tuple(unnamed(conditions_of(verdict), scratch, (), ranges))
            left = unnamed(conditions, scratch, self.proofs.assumptions, ranges)
            verdict = replace(verdict, claim=_whole_claim(statement), hypotheses=conditions)
            hints = [hint for line in statement.lines for hint in line.hints or ()]
            uses = dict.fromkeys(h.name for h in hints if h.kind == "using" and h.name != HYPOTHESIS)
            found = self._said(statement, verdict, None, notes, tuple(uses), certificate)
            if left:
                said = " and ".join(map(str, left))
                reason = f"{statement.name} rests on a condition that nothing discharges or assumes: {said}"
                failure = self._failure("condition", reason, f"assume {_as_text(left[0])}", statement.span)
                return replace(found, status="undecided", reason=reason, failure=failure)
            return found
        except _Fails as end:
            refuted = end.failure.counterexample is not None
            verdict = Verdict(
                "refuted" if refuted else "undecided",
                claim=end.claim,
                reason=end.failure.reason,
                counterexample=end.failure.counterexample,
            )
            return self._said(statement, verdict, end.failure, notes)

    def _setting(self, statement: Statement, sketch: bool = False) -> Setting:
        """A proof under all that a statement and the lemmas that it uses take to be positive."""
        positive = {*statement.positive}
        for name, others in self._positive_in_lemmas(statement):
            own = {q.name for q in statement.quantified} - positive
            clash = sorted(own & set(others))
            if clash:
                reason = f"{name} takes {clash[0]} to be positive, and {statement.name} does not"
                raise _Fails(self._failure("lemma", reason, f"with {clash[0]}(…) := …", statement.span))
            positive |= set(others)
        proof = prepared(statement.document, sorted(positive))
        return self._lemmas.setting(proof, statement, sketch)

    def _positive_in_lemmas(self, statement: Statement) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What the lemmas and axioms that a statement uses as they are stated take to be positive."""
        for hint in (h for line in statement.lines for h in line.hints or () if h.kind == "using"):
            lemma, axiom = self.proofs.statement(hint.name), self.proofs.axiom(hint.name)
            if axiom is not None:
                yield hint.name, tuple(q.name for q in axiom.quantified if q.positive)
            elif lemma is not None:
                yield hint.name, lemma.positive
                yield from self._positive_in_lemmas(lemma)

    def _line(self, statement: Statement, number: int, line: Line, setting: Setting, notes: list[str]) -> int:
        """The step that concludes a line.

        Raises:
            _Fails: it cannot be concluded.
        """
        allowed = allowed_by(line.hints)
        if allowed.rules is None:
            return self._searched(statement, line, setting)
        way, outcome = self._found(statement, number, line, allowed)
        used = outcome.used
        silent = {"stop", "constant"} if any(r.startswith("grad_") for r in used) else set()
        for name in outcome.idle:
            notes.append(f"line {self.proofs.line_of(line.span)} does not need {name}")
        for name, rules in allowed.by_name:
            if not rules & used and name not in silent and name != "arithmetic":
                notes.append(f"line {self.proofs.line_of(line.span)} does not need {name}")
        self._equations(statement, line, setting, allowed)
        step = self._again(setting, line, way)
        if step is None:
            raise self._undecided(statement, line)
        return step

    def _again(self, setting: Setting, line: Line, way: Way | None) -> int | None:
        """The step of a line in another proof, in the way that was found for it if that leads there.

        What is known of ∇ in that proof already may have led it elsewhere; what a line names was looked at
        when the way was found.
        """
        step = None
        if way is not None:
            allowed = allowed_by(line.hints)
            step = next(conclude(setting, line, way, allowed, setting.equations(allowed)), None)
        if step is None:
            step = setting.any(line)
        return step

    def _line_of_lemma(self, setting: Setting, line: Line, name: str, number: int) -> int | None:
        return self._again(setting, line, self._ways.get((name, number)))

    def _searched(self, statement: Statement, line: Line, setting: Setting) -> int:
        """The step of a line without hints."""
        self._refute(statement, line, quick=True)
        step = setting.any(line)
        if step is not None:
            return step
        self._refute(statement, line)
        raise self._undecided(statement, line)

    def _found(self, statement: Statement, number: int, line: Line, allowed: Allowed) -> tuple[Way, Outcome]:
        """How a line follows from what it names.

        Raises:
            _Fails: it does not.
        """

        def fresh(sketch: bool = True) -> Setting:
            setting = self._setting(statement, sketch)
            self._equations(statement, line, setting, allowed)
            return setting

        outcome = search(fresh, line, allowed, thorough=False)
        if outcome.way is None:
            self._refute(statement, line, quick=True)
            outcome = search(fresh, line, allowed, thorough=True)
        if outcome.way is None and allowed.uses:  # what is supposed is not learned of
            again = search(lambda: fresh(sketch=False), line, allowed, thorough=False)
            outcome = outcome if again.way is None else again
        if outcome.way is None:
            if outcome.missing:
                needed = ", ".join(speaks_of(outcome.missing, [n for n, _ in allowed.by_name]))
                reason = f"this line needs a rule that it does not name: {needed}"
                raise _Fails(self._failure("hint", reason, "name it behind by", line.span), _claim(line))
            self._refute(statement, line)
            raise self._undecided(statement, line)
        self._ways[statement.name, number] = outcome.way
        return outcome.way, outcome

    def _refute(self, statement: Statement, line: Line, quick: bool = False) -> None:
        """Look for a counterexample to a line, which must not rest on an axiom.

        Raises:
            _Fails: there is one.
        """
        if self._supposes(line):  # the counterexample need not satisfy it
            return
        found = refutation(_claim(line), statement.document, quick=quick)
        if found is not None:
            sides = sides_worked_out(line, statement)
            failure = self._failure("refuted", "this line is false", "", line.span)
            raise _Fails(replace(failure, sides=sides, counterexample=found), _claim(line))

    def _supposes(self, line: Line) -> bool:
        """Whether a line rests on an axiom, itself or by a lemma."""
        for hint in (h for h in line.hints or () if h.kind == "using"):
            lemma = self.proofs.statement(hint.name)
            if self.proofs.axiom(hint.name) or (lemma and any(map(self._supposes, lemma.lines))):
                return True
        return False

    def _undecided(self, statement: Statement, line: Line) -> _Fails:
        reason = "this line is not proved, and no counterexample was found"
        failure = self._failure("undecided", reason, "smaller steps, or a lemma", line.span)
        return _Fails(replace(failure, sides=sides_worked_out(line, statement)), _claim(line))

    # ---------------------------------------------------------------------------------------- lemmas
    def _equations(self, statement: Statement, line: Line, setting: Setting, allowed: Allowed) -> None:
        """See that the lemmas of a line hold.

        Raises:
            _Fails: one of them does not hold.
        """
        try:
            setting.equations(allowed)
        except (Rejection, SurrogateError) as reason:
            raise _Fails(self._failure("lemma", str(reason), "", line.span), _claim(line)) from None

    # --------------------------------------------------------------------------------------- reports
    def _failure(self, kind: str, reason: str, instead: str, span: Span) -> Failure:
        return Failure(kind, reason, instead, self.proofs.text, span, self.proofs.file)

    def _said(
        self,
        statement: Statement,
        verdict: Verdict,
        failure: Failure | None,
        notes: Sequence[str] = (),
        uses: tuple[str, ...] = (),
        certificate: Mapping[str, Any] | None = None,
    ) -> TheoremVerdict:
        found = {f.name: getattr(verdict, f.name) for f in fields(Verdict)}
        return TheoremVerdict(
            **found,
            name=statement.name,
            kind=statement.kind,
            file=self.proofs.file,
            line=self.proofs.line_of(statement.span),
            failure=failure,
            notes=tuple(dict.fromkeys(notes)),
            uses=uses,
            certificate=certificate,
        )


def _claim(line: Line) -> Equation:
    return Equation(Relation.VALUE if line.values else Relation.STRICT, line.left, line.right)


def _whole_claim(statement: Statement) -> Equation:
    """What a chain claims: its first side is its last."""
    relation = Relation.VALUE if statement.values else Relation.STRICT
    return Equation(relation, statement.lines[0].left, statement.lines[-1].right)


def _closed_claim(statement: Statement) -> Equation:
    """The same, of every value of its indices, as the kernel has it."""
    claim = _whole_claim(statement)
    lhs, rhs = (closed_over(side, statement.indices) for side in (claim.lhs, claim.rhs))
    return Equation(claim.relation, lhs, rhs)


def _as_text(hypothesis: Hypothesis) -> str:
    """What to assume, as a document says it."""
    if hypothesis.kind in ("interchange", "support"):
        return f"{hypothesis.kind} {to_unicode(hypothesis.term)}"
    return str(hypothesis).replace("≠", "!=").split(" for every ")[0]
