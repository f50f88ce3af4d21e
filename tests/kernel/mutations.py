"""Random changes of certificates, and whether one that the kernel accepts is false.

A step of a certificate is made the claim of a certificate of its own, changed at random, and given to the
kernel.  What the kernel accepts is judged by the two-copy model under the certificate's own definitions: of
what is false it may accept nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judging import Judge
from slices import Certificate, as_read, below, recorded, slice_of

import surrogate_calculus as sc
from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.estimators import ESTIMATORS, load_estimator
from surrogate_calculus.kernel import RULES
from surrogate_calculus.kernel.facts import ASSUMPTIONS
from surrogate_calculus.kernel.inference import Inference
from surrogate_calculus.kernel.judgement import Equation, Hypothesis, Rejection, Relation, Verdict
from surrogate_calculus.language.blocks import has_theorems
from surrogate_calculus.language.nodes import Malformed, read_nodes
from surrogate_calculus.language.terms import FUNCTIONS, Store, Term, postorder

__all__ = ["KINDS", "Outcome", "Tally", "catalogue", "certificates", "mutant", "run"]

Random = random.Random


# ---------------------------------------------------------------------------------- the certificates
ROOT = Path(__file__).resolve().parent.parent.parent


def catalogue(names: Iterable[str] = ESTIMATORS) -> Iterator[tuple[str, Certificate]]:
    """The certificates of the catalogue's derivations."""
    for name in names:
        for claim in load_estimator(name).claims:
            yield f"@{name}: {claim.name}", as_read(claim.derive().certificate)


def certificates() -> Iterator[tuple[str, Certificate]]:
    """All certificates of the repository.

    The derivations of the catalogue and of the examples, the proofs that they are as claimed, and the
    theorems of the proof documents.
    """
    yield from catalogue()
    for name in ESTIMATORS:
        for claim in load_estimator(name).claims:
            result = claim.derive().result
            with recorded() as made:
                if result != claim.expected:
                    sc.prove((result, claim.expected), given=claim.document)
            yield from ((f"@{name}: {claim.name}, as claimed", c) for c in made)
    for path in [*sorted(ROOT.glob("examples/*.sc")), *sorted(ROOT.glob("proofs/*.sc"))]:
        if has_theorems(path.read_text(encoding="utf-8")):
            for theorem in sc.check_document(path):
                if theorem.certificate is not None:
                    yield f"{path.name}: {theorem.name}", as_read(theorem.certificate)
            continue
        document = sc.load(path)
        for number, target in enumerate(document.targets, 1):
            yield f"{path.name}: {number}", as_read(sc.derive(target.term, given=document).certificate)


# ------------------------------------------------------------------------------- changing a certificate
class Changed:
    """A certificate that is being changed: rows are appended, so that what shares a row is left alone."""

    def __init__(self, rng: Random, certificate: Certificate) -> None:
        self.rng = rng
        self.certificate = certificate
        self.nodes: list[Any] = certificate["nodes"]
        self.steps: list[Any] = certificate["steps"]

    @property
    def last(self) -> list[Any]:
        """The step that is the claim."""
        row: list[Any] = self.steps[-1]
        return row

    def new(self, *row: Any) -> int:
        self.nodes.append(list(row))
        return len(self.nodes) - 1

    def number(self, value: str) -> int:
        return self.new("num", value, [])

    def claim(self) -> None:
        """Let the certificate claim what its last step says."""
        self.certificate["claim"] = [self.certificate["claim"][0], *self.last[1:3]]

    def replaced(self, root: int, old: int, new: int, everywhere: bool) -> int:
        """The root with one node replaced by another: at all its places, or at one of them."""
        if root == old:
            return new
        inside = below(self.nodes, [root])
        if old not in inside:
            return root
        if everywhere:
            done = {old: new}
            for row in sorted(inside):  # children come first
                tag, key, children, *hint = self.nodes[row]
                if row not in done and any(c in done for c in children):
                    done[row] = self.new(tag, key, [done.get(c, c) for c in children], *hint)
            return done.get(root, root)
        path = [root]
        while path[-1] != old:
            ways = [(k, c) for k, c in enumerate(self.nodes[path[-1]][2]) if old in below(self.nodes, [c])]
            path.append(self.rng.choice(ways)[1])
        for parent, child in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
            tag, key, children, *hint = self.nodes[parent]
            places = [k for k, c in enumerate(children) if c == child]
            at = self.rng.choice(places)
            new = self.new(tag, key, [new if k == at else c for k, c in enumerate(children)], *hint)
        return new

    def names(self, tag: str) -> list[str]:
        """The names that nodes of a constructor have."""
        return sorted({r[1] for r in self.nodes if r[0] == tag and isinstance(r[1], str)})

    def other(self, values: Sequence[Any], value: Any) -> Any:
        """One of some values, another one if there is."""
        others = [v for v in values if v != value]
        return self.rng.choice(others) if others else value

    def some_node(self) -> int:
        return self.rng.randrange(len(self.nodes))


def changed_node(c: Changed, row: int) -> int:
    """A new row: one node changed in a way that fits its constructor, or put under another."""
    tag, key, children, *hint = c.nodes[row]
    rng = c.rng
    ways: list[Callable[[], int]] = [
        lambda: c.new("stop", None, [row]),
        lambda: c.new("eval", None, [row]),
        lambda: c.new("mul", None, [c.number("-1"), row]),
        lambda: c.new("add", None, [row, c.number("1")]),
        lambda: c.some_node(),
        lambda: c.number(rng.choice(("0", "1", "-1", "2", "1/2"))),
    ]
    own: list[Callable[[], int]] = []
    if tag == "num":
        own += [
            lambda: c.number(c.other(("0", "1", "2", "-1", "1/2", "-2", "3"), key)),
            lambda: c.number(key[1:] if key.startswith("-") else "-" + key),
        ]
    elif tag in ("sym", "indexed"):
        own.append(lambda: c.new(tag, c.other(c.names(tag), key), children))
    elif tag == "bound":
        own += [lambda: c.new(tag, key + 1, []), lambda: c.new(tag, max(key - 1, 0), [])]
    elif tag in ("stop", "eval"):
        own += [lambda: children[0], lambda: c.new("eval" if tag == "stop" else "stop", None, children)]
        own.append(lambda: children[0])
    elif tag == "grad":
        params = c.names("grad") + c.names("sym")
        own += [lambda: children[0], lambda: c.new(tag, c.other(params, key), children)]
        own.append(lambda: c.new(tag, key, [c.new("stop", None, children[:1]), *children[1:]]))
    elif tag in ("add", "mul"):
        own.append(lambda: c.new("mul" if tag == "add" else "add", None, children))
        fewer = [k for n, k in enumerate(children) if n != rng.randrange(len(children))]
        own.append(lambda: c.new(tag, None, fewer) if len(fewer) > 1 else (fewer or children)[0])
        own.append(lambda: c.new(tag, None, [*children, rng.choice(children)]))
    elif tag == "pow":
        own.append(
            lambda: c.new(tag, None, [children[0], c.number(rng.choice(("-1", "1", "2", "-2", "1/2")))])
        )
    elif tag == "fn":
        same = [f for f, n in FUNCTIONS.items() if n == len(children)]
        own.append(lambda: c.new(tag, c.other(same, key), children))
    elif tag == "app":
        own.append(
            lambda: c.new(
                tag, [c.other([r[1][0] for r in c.nodes if r[0] == "app"], key[0]), *key[1:]], children
            )
        )
        own.append(lambda: c.new(tag, _other_partials(c, key), children))
    elif tag in ("sum", "prod"):
        own.append(lambda: c.new("prod" if tag == "sum" else "sum", None, children, *hint))
        for end in (0, 1):
            for by in ("1", "-1"):
                own.append(lambda end=end, by=by: c.new(tag, None, _moved(c, children, end, by), *hint))
    if len(children) > 1:
        own.append(lambda: c.new(tag, key, rng.sample(children, len(children)), *hint))
    if children:
        own.append(lambda: rng.choice(children))
        at = rng.randrange(len(children))
        own.append(
            lambda: c.new(tag, key, [c.some_node() if k == at else n for k, n in enumerate(children)], *hint)
        )
    return rng.choice(own if own and rng.random() < 0.7 else ways)()


def _other_partials(c: Changed, key: list[Any]) -> list[Any]:
    slots, partials = sum(key[1:4]), [list(p) for p in key[4]]
    if partials and c.rng.random() < 0.5:
        partials.pop()
    elif slots:
        partials.append([c.rng.randint(1, slots), 0])
    return [*key[:4], sorted(partials)]


def _moved(c: Changed, children: list[int], end: int, by: str) -> list[int]:
    moved = c.new("add", None, [children[end], c.number(by)])
    return [moved if k == end else n for k, n in enumerate(children)]


def _one_side(c: Changed) -> None:
    """A node of one side changed."""
    side = c.rng.choice((1, 2))
    _change(c, (side,), everywhere=c.rng.random() < 0.5)


def _both_sides(c: Changed) -> None:
    """The same change in both sides: what a rule must see although the sides still look alike."""
    _change(c, (1, 2), everywhere=True)


def _change(c: Changed, sides: tuple[int, ...], everywhere: bool) -> None:
    nodes = sorted(set.intersection(*(below(c.nodes, [c.last[s]]) for s in sides)))
    if not nodes:
        raise LookupError
    near = nodes[-6:] if c.rng.random() < 0.5 else nodes  # what stands high has many below
    old = c.rng.choice(near)
    new = changed_node(c, old)
    if new == old:
        raise LookupError
    for side in sides:
        c.last[side] = c.replaced(c.last[side], old, new, everywhere)
    c.claim()


def _node_everywhere(c: Changed) -> None:
    """A row changed where it stands, for all that use it: definitions and earlier steps too."""
    row = c.rng.choice(sorted(below(c.nodes, c.last[1:3])))
    table = list(c.nodes)
    new = changed_node(c, row)
    if new < row:
        c.nodes[row] = list(c.nodes[new])
    elif new >= len(table) and all(k < row for k in c.nodes[new][2]):
        c.nodes[row] = c.nodes[new]
    else:
        raise LookupError
    del c.nodes[len(table) :]


def _swapped(c: Changed) -> None:
    c.last[1:3] = reversed(c.last[1:3])
    c.claim()


def _other_side(c: Changed) -> None:
    """A side is another term of the certificate, rather of the same constructor."""
    side = c.rng.choice((1, 2))
    tag = c.nodes[c.last[side]][0]
    same = [n for n, r in enumerate(c.nodes) if r[0] == tag and n != c.last[side]]
    c.last[side] = c.rng.choice(same) if same else c.some_node()
    c.claim()


def _relation(c: Changed) -> None:
    c.certificate["claim"][0] = "=" if c.certificate["claim"][0] == "=→" else "=→"


def _rule(c: Changed) -> None:
    names = list(RULES) if c.rng.random() < 0.6 else [s[0] for s in c.steps]
    c.last[0] = c.other([*names, "magic"], c.last[0])


def _premises(c: Changed) -> None:
    earlier, premises = len(c.steps) - 1, c.last[3]
    ways: list[Callable[[], Any]] = [lambda: premises.append(c.rng.randint(0, earlier))]  # itself, too
    if premises:
        at = c.rng.randrange(len(premises))
        ways += [
            lambda: premises.pop(at),
            lambda: premises.__setitem__(at, c.rng.randint(0, earlier)),
            lambda: c.rng.shuffle(premises),
            lambda: premises.__setitem__(at, c.rng.choice((earlier, earlier + 1, -1))),
        ]
    c.rng.choice(ways)()


def _earlier(c: Changed) -> None:
    """A step that the claim rests on is left out, or concludes something else."""
    if len(c.steps) < 2:
        raise LookupError
    at = c.rng.randrange(len(c.steps) - 1)
    if c.rng.random() < 0.5:
        side = c.rng.choice((1, 2))
        c.steps[at][side] = changed_node(c, c.steps[at][side])
    else:
        c.steps[at] = list(c.steps[c.rng.randrange(len(c.steps) - 1)])


def _definition(c: Changed) -> None:
    rows = c.certificate["definitions"]
    if not rows:
        raise LookupError
    row = c.rng.choice(rows)
    kind = c.rng.choice(("body", "body", "body", "arity", "measure", "group", "left", "dropped", "twice"))
    if kind == "body":
        old = c.rng.choice(sorted(below(c.nodes, [row[2]])))
        row[2] = c.replaced(row[2], old, changed_node(c, old), c.rng.random() < 0.5)
    elif kind == "arity":
        row[1] = max(0, row[1] + c.rng.choice((-1, 1)))
    elif kind == "measure":
        row[3] = c.some_node() if row[3] is None or c.rng.random() < 0.5 else None
    elif kind == "group":
        row[4] = max(0, row[4] + c.rng.choice((-1, 1)))
    elif kind == "left":
        row[0] = c.rng.choice(rows)[0]
    elif kind == "dropped":
        rows.remove(row)
    else:
        rows.append(list(row))


def _assumption(c: Changed) -> None:
    rows = c.certificate["assumptions"]
    kind = c.rng.choice(("dropped", "kind", "added"))
    if kind == "added" or not rows:
        name = c.rng.choice(c.names("sym") + c.names("indexed") or ["x"])
        rows.append([c.rng.choice(ASSUMPTIONS), name])
    elif kind == "kind":
        row = c.rng.choice(rows)
        row[0] = c.other(ASSUMPTIONS, row[0])
    else:
        rows.remove(c.rng.choice(rows))


def _dependence(c: Changed) -> None:
    rows = c.certificate["dependence"]
    if rows and c.rng.random() < 0.5:
        rows.remove(c.rng.choice(rows))
    else:
        names = c.names("sym") + c.names("indexed") or ["x"]
        rows.append([c.rng.choice(names), [c.rng.choice(names)]])


def _draw(c: Changed) -> None:
    """How a family is drawn: another law, another time, left out, or another family."""
    rows = c.certificate.get("samples")
    if not rows:
        raise LookupError
    row = c.rng.choice(rows)
    kind = c.rng.choice(("law", "time", "dropped", "left"))
    if kind == "dropped":
        rows.remove(row)
    elif kind == "left":
        row[0] = c.rng.choice(rows)[0]
    else:
        at = 2 if kind == "law" else 3
        old = row[at]
        row[at] = c.some_node() if old is None or c.rng.random() < 0.3 else changed_node(c, old)


def _detail(c: Changed) -> None:
    """What a rule is told besides: for which function, variable or count."""
    if len(c.last) < 5 or not c.last[4]:
        raise LookupError
    entry = c.rng.choice(c.last[4])
    kind = c.rng.choice(("term", "name", "slots", "dropped"))
    if kind == "term":
        entry[2] = changed_node(c, entry[2])
    elif kind == "name":
        entry[0] = c.other([*c.names("sym"), *c.names("indexed")], entry[0])
    elif kind == "slots":
        entry[1] = max(0, entry[1] + c.rng.choice((-1, 1)))
    else:
        c.last[4].remove(entry)


#: The changes, and how often each is made.
KINDS: dict[str, tuple[Callable[[Changed], None], int]] = {
    "one side": (_one_side, 26),
    "both sides": (_both_sides, 16),
    "a node everywhere": (_node_everywhere, 6),
    "sides swapped": (_swapped, 2),
    "another side": (_other_side, 6),
    "relation": (_relation, 3),
    "rule": (_rule, 5),
    "premises": (_premises, 7),
    "earlier step": (_earlier, 4),
    "definition": (_definition, 8),
    "assumption": (_assumption, 5),
    "dependence": (_dependence, 2),
    "draw": (_draw, 2),
    "detail": (_detail, 4),
    "completed": (_one_side, 10),
}


def mutant(rng: Random, certificate: Certificate, kind: str) -> Certificate | None:
    """The certificate of a step changed at random, or None where this kind of change does nothing to it.

    ``completed``: the left side is changed and the right side is what the rule makes of it, so that many are
    accepted and must be true.
    """
    out = deepcopy(certificate)
    changed = Changed(rng, out)
    try:
        if kind == "completed":
            _change(changed, (1,), everywhere=True)
            out = _completed(out)
        else:
            KINDS[kind][0](changed)
    except LookupError:
        return None
    return None if out is None or out == certificate else out


@contextmanager
def _asked(count: int) -> Iterator[list[Any]]:
    """Lets the kernel compute the right side of one step, the ``count``-th."""
    infer, found, calls = Inference.infer, [], [0]

    def spy(self: Inference, rule: str, lhs: Any, rhs: Any, *rest: Any, **fields: Any) -> Equation:
        calls[0] += 1
        if calls[0] == count:
            equation = infer(self, rule, lhs, None, *rest, **fields)
            found.append(equation)
            return equation
        return infer(self, rule, lhs, rhs, *rest, **fields)

    Inference.infer = spy  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        Inference.infer = infer  # type: ignore[method-assign]


def _completed(certificate: Certificate) -> Certificate | None:
    with _asked(len(certificate["steps"])) as found:
        sc.check(certificate)
    if not found:
        return None
    certificate["steps"][-1][2] = _written(certificate, found[0].rhs)
    last = certificate["steps"][-1]
    certificate["claim"] = [found[0].relation.value, last[1], last[2]]
    return certificate


def _written(certificate: Certificate, term: Term) -> int:
    """The number of a term that is added to the table of nodes."""
    table, first = NodeTable(), len(certificate["nodes"])
    table.add(postorder(term))
    for tag, key, children, *hint in table.rows:
        certificate["nodes"].append([tag, key, [first + k for k in children], *hint])
    return first + table[term]


# --------------------------------------------------------------------------------------------- judging
@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        kind: how it was changed.
        rule: the rule of the step.
        accepted: whether the kernel took it for a proof.
        true: what the model says of its claim; None: no instance of it has a meaning.
        reason: why the kernel did not, or why the model has nothing to say.
    """

    kind: str
    rule: str
    accepted: bool
    true: bool | None
    reason: str
    certificate: Certificate


@dataclass
class Tally:
    """Counts of outcomes, by kind of change."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: set[tuple[str, int]] = field(default_factory=set)
    false: list[Outcome] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, step: int, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.accepted:
            word = {True: "accepted, true", False: "accepted, false", None: "accepted, not judged"}[
                outcome.true
            ]
        else:
            word = {True: "rejected, true", False: "rejected, false", None: "rejected"}[outcome.true]
        self.counts[outcome.kind, word] += 1
        self.steps.add((name, step))
        if word == "accepted, false":
            self.false.append(outcome)
        if word == "accepted, not judged":
            self.open[outcome.reason] += 1

    def total(self, *words: str) -> int:
        """How many outcomes have one of these words."""
        return sum(n for (_, word), n in self.counts.items() if not words or word in words)


class Bench:
    """One certificate: its steps as certificates, and judges of its definitions.

    Args:
        name: for messages.
        certificate: one that replays.
    """

    def __init__(self, name: str, certificate: Certificate) -> None:
        self.name = name
        self.certificate = certificate
        self._slice: tuple[int, Certificate, Verdict] | None = None
        self._judges: dict[str, Judge] = {}
        self.store = Store()
        self.reason = ""

    def slice(self, step: int) -> tuple[Certificate, Verdict]:
        """A step as a certificate; all that comes before it is kept where it does not replay alone."""
        if self._slice is None or self._slice[0] != step:
            certificate = slice_of(self.certificate, step)
            verdict = sc.check(certificate)
            if not verdict:
                certificate = slice_of(self.certificate, step, whole=True)
                verdict = sc.check(certificate)
            if not verdict:
                raise AssertionError(f"{self.name}: step {step} does not replay: {verdict.reason}")
            self._slice = (step, certificate, verdict)
        return self._slice[1:]

    def judge(self, certificate: Certificate, hypotheses: Sequence[Hypothesis]) -> bool | None:
        """Whether the claim of a certificate is so, under its own definitions and assumptions."""
        try:
            nodes = read_nodes(certificate["nodes"], self.store)
            relation, lhs, rhs = certificate["claim"]
            equation = Equation(Relation(relation), nodes[lhs], nodes[rhs])
            rows = (certificate["definitions"], certificate["dependence"], certificate["assumptions"])
            key = repr([[(id(nodes[d[0]]), d[1], id(nodes[d[2]])) for d in rows[0]], *rows[1:]])
            judge = self._judges.get(key)
            if judge is None:
                judge = Judge(nodes, *rows)
                if len(self._judges) < 2:  # the certificate's own, mostly
                    self._judges[key] = judge
            found = judge.judge(equation, hypotheses)
            self.reason = judge.reason if found is None else ""
            return found
        except (Malformed, Rejection, IndexError, TypeError):
            return None

    def grants(self, certificate: Certificate, verdict: Verdict) -> bool:
        """Whether the axioms that a verdict rests on are so."""
        for axiom in verdict.axioms:
            supposed = deepcopy(certificate)
            sides = _written(supposed, axiom.lhs), _written(supposed, axiom.rhs)
            supposed["claim"] = [axiom.relation.value, *sides]
            if self.judge(supposed, verdict.hypotheses) is not True:
                return False
        return True

    def outcome(self, rng: Random, step: int, kind: str, judge_all: bool) -> Outcome | None:
        """A mutant of a step and what became of it; None where there is none of this kind."""
        certificate, own = self.slice(step)
        changed = mutant(rng, certificate, kind)
        if changed is None:
            return None
        verdict = sc.check(changed)
        hypotheses = verdict.hypotheses if verdict else own.hypotheses
        meant = judge_all and kind not in ("definition", "a node everywhere")  # else: no definitions, maybe
        true = self.judge(changed, hypotheses) if verdict or meant else None
        if verdict and true is False and not self.grants(changed, verdict):
            true, self.reason = None, "it rests on an axiom that the model does not grant"
        reason = self.reason if verdict else verdict.reason
        return Outcome(kind, self.certificate["steps"][step][0], bool(verdict), true, reason, changed)


def run(
    certificates: Iterable[tuple[str, Certificate]],
    count: int,
    seed: int,
    *,
    judged: float = 0.0,
    progress: Callable[[int, int], None] = lambda done, false: None,
) -> Tally:
    """Change steps of certificates at random until there are ``count`` mutants.

    Args:
        certificates: names and certificates that replay.
        count: how many mutants; each certificate has a share by its number of steps.
        seed: makes the same mutants again.
        judged: the share of the rejected mutants that the model is asked about too.
        progress: called now and then with the number of mutants so far and of false ones accepted.
    """
    tally = Tally()
    benches = [Bench(name, certificate) for name, certificate in certificates]
    sizes = [len(b.certificate["steps"]) for b in benches]
    kinds, weights = list(KINDS), [weight for _, weight in KINDS.values()]
    done = 0
    for bench, size, end in zip(benches, sizes, _shares(sizes, count), strict=True):
        rng = random.Random(f"{seed} {bench.name}")
        while done < end:
            step = rng.randrange(size)
            for _ in range(4):  # the step is replayed once for several mutants
                kind = rng.choices(kinds, weights)[0]
                judge_all = rng.random() < judged
                outcome = bench.outcome(rng, step, kind, judge_all)
                if outcome is not None and done < end:
                    tally.add(bench.name, step, outcome)
                    done += 1
                    if done % 100 == 0:
                        progress(done, len(tally.false))
    return tally


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """Where the share of each certificate ends."""
    total, so_far, out = sum(sizes), 0, []
    for size in sizes:
        so_far += size
        out.append(round(count * so_far / total))
    return out
