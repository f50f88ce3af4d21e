"""Wrong versions of a document, each by one edit, beside the right one in one document.

The definitions that a surrogate needs are written a second time, with a prime behind every name, and
one of these copies is edited.  So the right formula keeps its meaning, and what a wrong surrogate
derives can be asked to be equal to it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from estimators.edits import names_in, rename, rename_text, statements_of
from estimators.rows import difference

import surrogate_calculus as sc
from surrogate_calculus.errors import SurrogateError
from surrogate_calculus.estimators import Claim, Estimator
from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.scanner import scan
from surrogate_calculus.language.terms import Term

__all__ = ["Mutant", "edits", "mutants"]

#: Further than this from the right formula is wrong, in units of the sum of its summands' magnitudes.
WRONG = 1e-6


@dataclass(frozen=True)
class Mutant:
    """One wrong version: what was edited, and what its surrogate derives.

    Attributes:
        kind: the kind of edit.
        statement: the edited statement.
        claim: the claim that does not hold of it.
        document: the right document with the wrong definitions added.
        target: what is derived of the wrong surrogate.
    """

    kind: str
    statement: str
    claim: Claim
    document: Document
    target: Term

    def __str__(self) -> str:
        return f"{self.kind}: {self.statement}"


def mutants(entry: Estimator, count: int) -> list[Mutant]:
    """Wrong versions of an entry, of as many kinds as there are, each wrong in numbers too."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    pieces = statements_of(entry.document.text)
    copied = _copied(entry)
    for piece in pieces:
        head, _, body = piece.partition(" = ")
        name = re.match(r"define\s+([^\s\[=]+)", piece)
        if name is not None and name.group(1) in copied:
            for kind, edited in edits(body, entry.document):
                kinds.setdefault(kind, []).append((piece, f"{head} = {edited}"))
    rng = random.Random(entry.name)
    for found in kinds.values():
        rng.shuffle(found)
    out: list[Mutant] = []
    queues = sorted(kinds.items())
    while any(found for _, found in queues) and len(out) < count:
        for kind, found in queues:
            while found and len(out) < count:
                mutant = _mutant(entry, pieces, copied, kind, *found.pop())
                if mutant is not None:
                    out.append(mutant)
                    break
    return out


def _copied(entry: Estimator) -> set[str]:
    """The names that the surrogates are defined by; index maps and what has a lineage stay."""
    document = entry.document
    bodies = {d.name: names_in(d.body) for d in document.definitions}
    todo = [n for claim in entry.claims for n in names_in(claim.target.term)]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in bodies and name not in seen:
            seen.add(name)
            todo += bodies[name]
    return seen - document.index_valued - {line.of for line in document.lineages.values()}


def _mutant(
    entry: Estimator, pieces: list[str], copied: set[str], kind: str, before: str, after: str
) -> Mutant | None:
    """The mutant of an edit, unless the language refuses it or it makes no difference."""
    primed = {name: f"{name}'" for name in copied}
    copies = [after if piece == before else piece for piece in pieces]
    heads = [re.match(r"define\s+([^\s\[=]+)", piece) for piece in pieces]
    wanted = [c for c, head in zip(copies, heads, strict=True) if head and head.group(1) in copied]
    own = [piece for piece in pieces if not piece.startswith("derive ")]
    text = "\n".join([*own, *(rename_text(c, primed) for c in wanted)]) + "\n"
    try:
        document = sc.parse_document(text)
    except SurrogateError:
        return None
    for claim in entry.claims:
        target = rename(claim.target.term, primed)
        try:
            found, _ = difference(target, claim.expected, document, 1, N=3, T=3, K=2)
        except SurrogateError:  # an index out of its range, say
            return None
        if not found < WRONG:
            return Mutant(kind, after, claim, document, target)
    return None


def edits(body: str, document: Document) -> Iterator[tuple[str, str]]:
    """Every single edit of a definition's right side, with its kind."""
    for match in re.finditer(r"⊥\(", body):
        yield "a ⊥ removed", body[: match.start()] + body[match.start() + 1 :]
    for match in re.finditer(r"([\w\u0300-\u036f]+(?:\[[^()]*?\]|\([^()]*\))) / ⊥\(\1\)", body):
        atom = match.group(1)
        yield "a ⊥ moved", f"{body[: match.start()]}⊥({atom}) / {atom}{body[match.end() :]}"
    for start, end in _atoms(body, document):
        before, atom, after = body[:start], body[start:end], body[end:]
        yield "a ⊥ added", f"{before}⊥({atom}){after}"
        yield "a factor squared", f"{before}{atom}^2{after}"
        yield "a factor missing", f"{before}1{after}"
        name = re.match(r"[\w\u0300-\u036f]+", atom)
        assert name is not None
        for other in _siblings(name.group(), document):
            yield "w for w̄", f"{before}{other}{atom[name.end() :]}{after}"
    for kind, pattern, new in (
        ("t for t-1", r"\bt-1\b", "t"),
        ("a missing 1/N", r"1/N", "1"),
        ("no ancestor map", r"\ba\[t,\s*i\]", "i"),
        ("another range", r"=1\.\.", "=2.."),
        ("another branch", "<", ">"),
        ("another parameter", r"; φ\)", "; θ)"),
    ):
        found = list(re.finditer(pattern, body))
        for match in found:
            yield kind, body[: match.start()] + new + body[match.end() :]
        if len(found) > 1:
            yield kind, re.sub(pattern, new, body)


def _atoms(body: str, document: Document) -> Iterator[tuple[int, int]]:
    """Where families, functions and names that are values stand in a body, outside of indices."""
    tokens = scan(body)
    depth = 0
    for k, token in enumerate(tokens):
        depth += (token.type == "LSQB") - (token.type == "RSQB")
        value = document.kind(token.value) in ("a density", "a function", "defined")
        if token.type != "NAME" or depth or not value or _inside_slots(tokens[:k], document):
            continue
        end = token.end
        if k + 1 < len(tokens) and tokens[k + 1].type in ("LPAR", "LSQB"):
            level = 0
            for later in tokens[k + 1 :]:
                level += (later.type in ("LPAR", "LSQB")) - (later.type in ("RPAR", "RSQB"))
                if level == 0:
                    end = later.end
                    break
        yield token.start, end


def _inside_slots(before: list, document: Document) -> bool:  # type: ignore[type-arg]
    """Whether the brackets open here include those of a density or function."""
    opened: list[bool] = []
    for k, token in enumerate(before):
        if token.type in ("LPAR", "LSQB"):
            name = before[k - 1].value if k and before[k - 1].type == "NAME" else ""
            opened.append(document.kind(name) in ("a density", "a function"))
        elif token.type in ("RPAR", "RSQB"):
            opened.pop()
    return any(opened)


def _siblings(name: str, document: Document) -> Iterator[str]:
    """Other families with indices of the same ranges, but for the base case: w and w̄."""
    own = document.definition(name)
    for definition in document.definitions:
        if own is None or definition.name == name or definition.name in document.index_valued:
            continue
        if definition.indices == own.indices and own.indices and definition.name[0] == name[0]:
            yield definition.name
