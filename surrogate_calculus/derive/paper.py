"""The fate of each equation of a paper, told by the kernel and by exact counterexamples.

The members of a chain fall into classes of equal ones.  Where the chain comes from a construction, the
class of that is right, else the largest; in a tie all the tied members are wrong.  An equation is refuted
exactly when a member on its line is wrong.  A definition is refuted when a claim that uses it fails, and
holds with the definition corrected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..kernel import Verdict
from ..language.papers import (
    Claim,
    Correction,
    EquationBlock,
    Member,
    PaperDocument,
    Theorem,
    load_paper,
)
from .engine import collector_paused
from .prove import Counterexample, Shared, prove
from .theorems import Book

if TYPE_CHECKING:
    from ..language.declarations import Document
    from ..language.terms import Term

__all__ = ["FATES", "Fate", "Judged", "judge", "paper_documents", "paper_fates"]

FATES = ("proved", "refuted", "proved_under_condition", "not_a_claim", "undecided")
#: Hypotheses that are never counted as conditions: printed denominators are not zero, what stands under a
#: printed log is positive, ∇ and ∫ may be exchanged, densities of one variable have one support.
_STANDING = frozenset({"nonzero", "positive", "interchange", "support"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison that was made: two texts, whether they claim equality of values, and the answer."""

    left: str
    right: str
    values: bool
    verdict: Verdict
    terms: tuple[Term, Term]


@dataclass(slots=True)
class Fate:
    """What became of an equation.

    Attributes:
        equation: its number.
        fate: one of :data:`FATES`.
        reason: in a line.
        conditions: what the proof needs besides the standing assumptions.
        counterexample: where the equation fails, or None.
        corrected: what should stand there, and was proved; empty where nothing is wrong.
        document: the file that it stands in.
        printed: its LaTeX.
        comparisons: the claims that were proved or refuted for it.
    """

    equation: str
    fate: str
    reason: str = ""
    conditions: tuple[str, ...] = ()
    counterexample: Counterexample | None = None
    corrected: str = ""
    document: str = ""
    printed: str = ""
    comparisons: list[Judged] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "equation": self.equation,
            "fate": self.fate,
            "reason": self.reason,
            "conditions": list(self.conditions),
            "counterexample": None if self.counterexample is None else str(self.counterexample),
            "corrected": self.corrected or None,
            "document": self.document,
            "printed": self.printed,
        }


def paper_documents(folder: Path) -> list[PaperDocument]:
    """The documents of a folder, in the order of their names."""
    return [load_paper(path) for path in sorted(folder.glob("*.sc"))]


def paper_fates(
    documents: Iterable[PaperDocument], numbers: Collection[str] | None = None
) -> Iterator[Fate]:
    """The fate of each equation, in the order of the documents; of the chains of these numbers only."""
    books: dict[str | None, Book] = {}
    for document in documents:
        blocks = [b for b in document.equations if numbers is None or not set(numbers).isdisjoint(b.numbers)]
        with collector_paused():
            fates = _fates_of(document, blocks, books)
        yield from fates


def judge(block: EquationBlock, paper: PaperDocument) -> list[Fate]:
    """The fates of the equations of a block."""
    return _fates_of(paper, [block], {})


def _fates_of(
    paper: PaperDocument, blocks: Sequence[EquationBlock], books: dict[str | None, Book]
) -> list[Fate]:
    """The fates of some blocks of a document, whose proofs are one certificate where none has conditions."""
    shared = Shared()
    shared.wait()
    judges = [_Judge(block, paper, shared, books) for block in blocks]
    fates = [fate for judge in judges for fate in judge.fates()]
    verdicts = shared.settled()
    if any(v.status != "proved" or _conditions(v) for v in verdicts):  # which of them has them?
        return [fate for block in blocks for fate in _Judge(block, paper, shared, books).fates()]
    steps = sum(v.steps for v in verdicts)
    for judge in judges:
        for place, judged in enumerate(judge.comparisons):
            if judged.verdict.status == "proved" and not judged.verdict.steps:
                judge.comparisons[place] = replace(judged, verdict=replace(judged.verdict, steps=steps))
    return fates


class _Judge:
    def __init__(
        self, block: EquationBlock, paper: PaperDocument, shared: Shared, books: dict[str | None, Book]
    ) -> None:
        self.block, self.paper, self.shared, self.books = block, paper, shared, books
        self.given: Document = paper.document
        self.corrections = [c for c in paper.corrections if set(c.numbers) & set(block.numbers)]
        self.comparisons: list[Judged] = []
        self.axioms: dict[str, set[str]] = {}  # what the theorems that are used suppose, by document
        self._held: dict[int, bool] = {}  # which corrections hold

    def fates(self) -> list[Fate]:
        block = self.block
        if block.reason:
            return [self.fate(n, "not_a_claim", block.reason) for n in block.numbers]
        if block.used_in:
            return [self.definition(n) for n in block.numbers]
        segments = list(_segments(block.members))
        wrong: dict[int, Judged] = {}
        undecided: list[Member] = []
        conditions: list[str] = []
        right: Term | None = None
        tie = False
        for segment in segments:
            if len(segment) > 1:
                found = self.classes(segment)
                wrong.update(found.wrong)
                undecided += found.undecided
                conditions += found.conditions
                right, tie = found.right, found.tie
        claiming = {id(m) for segment in segments if len(segment) > 1 for m in segment}
        out = []
        for number in block.numbers:
            own = [m for m in block.members if number in m.numbers]
            bad = [wrong[id(m)] for m in own if id(m) in wrong]
            unread = [m for m in own if m.term is None]
            if bad:
                reason = "in a tie, all tied members are wrong" if tie else "a member on its line is wrong"
                out.append(self.refuted(number, bad, reason, right))
            elif any(m.claims for m in unread):
                out.append(self.fate(number, "undecided", unread[0].text))
            elif any(number in m.numbers for m in undecided):
                out.append(self.fate(number, "undecided", "neither proved nor refuted"))
            elif any(id(m) in claiming for m in own):
                out.append(self.proved(number, conditions))
            else:
                out.append(self.fate(number, "not_a_claim", unread[0].text if unread else "an approximation"))
        return out

    # Chains -----------------------------------------------------------------------------------

    def compare(self, left: Member, right: Member) -> Judged:
        assert left.term is not None and right.term is not None
        return self.decide(left.term, right.term, self.block.values, left.text, right.text)

    def decide(self, left: Term, right: Term, values: bool, shown_left: str, shown_right: str) -> Judged:
        verdict = prove((left, right), self.given, values=values, shared=self.shared)
        judged = Judged(shown_left, shown_right, values, verdict, (left, right))
        self.comparisons.append(judged)
        return judged

    def compared(self, group: Sequence[Member], member: Member) -> Judged:
        """A member against those of a class, by a theorem of the document where it names any.

        A theorem may rest on axioms, of which the instances of a refutation know nothing: where theorems are
        named, what none of them says is undecided.
        """
        if not self.block.theorems or group[0].term == member.term:
            return self.compare(group[0], member)
        assert group[0].term is not None and member.term is not None
        ends = (group[0].term, member.term)
        verdicts = [self.cited(theorem).verdict for theorem in self.chained(group, member)]
        if verdicts and all(v.status == "proved" for v in verdicts):
            verdict = replace(
                verdicts[-1], hypotheses=tuple(dict.fromkeys(h for v in verdicts for h in v.hypotheses))
            )
        else:
            verdict = Verdict("undecided", reason="the theorems that are named do not say so")
        return Judged(group[0].text, member.text, self.block.values, verdict, ends)

    def chained(self, group: Sequence[Member], member: Member) -> list[Theorem]:
        """Theorems that lead from one of a class to a member, the shortest way; none where there is none."""
        ways: dict[Term, list[Theorem]] = {m.term: [] for m in group if m.term is not None}
        waiting = list(ways)
        strong = [t for t in self.block.theorems if self.block.values or not t.statement.values]
        for term in waiting:
            for theorem in strong:
                left, right = theorem.sides
                other = right if left == term else left if right == term else None
                if other is not None and other not in ways:
                    ways[other] = [*ways[term], theorem]
                    waiting.append(other)
        return [] if member.term is None else ways.get(member.term, [])

    def cited(self, theorem: Theorem) -> Judged:
        """What the kernel says of a theorem of a proof document."""
        proofs, statement = theorem.proofs, theorem.statement
        if proofs.file not in self.books:
            self.books[proofs.file] = Book(proofs)
        book = self.books[proofs.file]
        verdict = book.verdict(statement)
        source = Path(proofs.file or "").name
        if verdict.axioms:
            self.axioms.setdefault(source, set()).update(book.axioms_of(verdict))
        shown = f"{statement.name} of {source}: {theorem.sides[0]}"
        judged = Judged(shown, str(theorem.sides[1]), statement.values, verdict, theorem.sides)
        self.comparisons.append(judged)
        return judged

    def classes(self, members: Sequence[Member]) -> _Classes:
        """The members by equality."""
        built = next((m for m in members if m.relation == "by construction"), None)
        groups: list[list[Member]] = [] if built is None else [[built]]
        against: dict[tuple[int, int], Judged] = {}
        undecided: list[Member] = []
        conditions: list[str] = []
        for member in members:
            if member is built:
                continue
            for group in groups if built is None else groups[:1]:  # a construction is right, so it decides
                judged = self.compared(group, member)
                against[id(group[0]), id(member)] = judged
                if judged.verdict.status == "proved":
                    group.append(member)
                    conditions += _conditions(judged.verdict)
                    break
                if judged.verdict.status == "undecided":
                    undecided.append(member)
                    break
            else:
                groups.append([member])
        largest = max(len(g) for g in groups)
        best = groups[:1] if built is not None else [g for g in groups if len(g) == largest]
        tie = len(best) > 1
        wrong: dict[int, Judged] = {}
        for group in groups:
            if group is best[0] and not tie:
                continue
            other = best[0] if group is not best[0] else best[1]
            pair = (group[0], other[0]) if (id(group[0]), id(other[0])) in against else (other[0], group[0])
            judged = against[id(pair[0]), id(pair[1])]
            for member in group:
                wrong[id(member)] = judged
        right = None if tie else best[0][0].term
        return _Classes(wrong, undecided, conditions, right, tie)

    # Fates ------------------------------------------------------------------------------------

    def fate(self, number: str, fate: str, reason: str, **more: Any) -> Fate:
        where = Path(self.paper.file).name if self.paper.file else ""
        printed = self.paper.printed.get(number, "")
        said = self.comparisons
        return Fate(number, fate, reason, document=where, printed=printed, comparisons=said, **more)

    def proved(self, number: str, conditions: Sequence[str]) -> Fate:
        block = self.block
        named = tuple(dict.fromkeys([*([block.condition] if block.condition else []), *conditions]))
        if block.without is not None:
            claim = block.without
            judged = self.decide(claim.left, claim.right, claim.values, claim.text, "")
            if judged.verdict.status != "refuted":
                return self.fate(number, "undecided", "it is not shown that the condition is needed")
            return self.fate(
                number, "proved_under_condition", f"fails without it: {claim.text}", conditions=named
            )
        kind = "proved_under_condition" if named else "proved"
        reason = "values agree" if block.values else "equal as surrogates"
        for source, axioms in self.axioms.items():
            reason += f", by what {source} assumes: {', '.join(sorted(axioms))}"
        if number in block.readings:
            reason += f"; read so that {block.readings[number]}"
        return self.fate(number, kind, reason, conditions=named)

    def refuted(self, number: str, bad: Sequence[Judged], reason: str, right: Term | None) -> Fate:
        found = bad[0].verdict.counterexample
        correction = self.correction(number, right)
        return self.fate(number, "refuted", reason, counterexample=found, corrected=correction)

    def correction(self, number: str, right: Term | None) -> str:
        """The corrected members that were proved equal to the right class; empty where none is."""
        good = []
        for correction in self.corrections:
            if number not in correction.numbers:
                continue
            if id(correction) not in self._held:
                self._held[id(correction)] = self.holds(correction, right)
            if self._held[id(correction)]:
                good.append(correction.text)
        return "; ".join(good)

    def holds(self, correction: Correction, right: Term | None) -> bool:
        claims = [self.claimed(claim) for claim in correction.used_in]
        members = [*([] if right is None else [right]), *correction.members]
        answers = [
            *claims,
            *map(self.cited, correction.theorems),
            *(self.decide(members[0], m, self.block.values, "", correction.text) for m in members[1:]),
        ]
        return bool(answers) and all(j.verdict.status == "proved" for j in answers)

    def claimed(self, claim: Claim) -> Judged:
        return self.decide(claim.left, claim.right, claim.values, claim.text, "")

    def definition(self, number: str) -> Fate:
        """A definition stands or falls with the claims that use it."""
        answers = [self.claimed(claim) for claim in self.block.used_in]
        formulas = [m for m in self.block.members if m.term is not None]
        for a, b in pairwise(formulas):
            if self.compare(a, b).verdict.status != "proved":
                return self.fate(number, "undecided", "the definition is not what the document declares")
        failed = [j for j in answers if j.verdict.status == "refuted"]
        if any(j.verdict.status == "undecided" for j in answers):
            return self.fate(number, "undecided", "a claim that uses it is undecided")
        if not failed:
            return self.fate(number, "not_a_claim", "a definition; the claims that use it hold")
        corrected = self.correction(number, None)
        found = failed[0].verdict.counterexample
        if not corrected:
            return self.fate(number, "undecided", "a claim that uses it fails, with every definition tried")
        reason = "a definition with which a claim that uses it fails"
        return self.fate(number, "refuted", reason, counterexample=found, corrected=corrected)


@dataclass(frozen=True, slots=True)
class _Classes:
    wrong: dict[int, Judged]
    undecided: list[Member]
    conditions: list[str]
    right: Term | None
    tie: bool


def _segments(members: Iterable[Member]) -> Iterator[list[Member]]:
    """The runs of members between which equality is claimed."""
    run: list[Member] = []
    for member in members:
        if member.relation == "≈" and not any(m.relation == "by construction" for m in run):
            yield run
            run = []
        if member.term is not None:
            run.append(member)
    yield run


def _conditions(verdict: Verdict) -> list[str]:
    return [str(h) for h in verdict.hypotheses if h.kind not in _STANDING]
