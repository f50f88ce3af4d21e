"""Certificates changed at random: of what is false, the kernel accepts nothing.

A sample; ``benchmarks/mutate_certificates.py`` makes 20,000 of them.
"""

from __future__ import annotations

import random

import pytest
from judging import Judge
from mutations import KINDS, Bench, catalogue, mutant, run
from slices import Certificate, slice_of

import surrogate_calculus as sc
from surrogate_calculus.kernel import inference
from surrogate_calculus.kernel.judgement import Equation, Relation
from surrogate_calculus.language.nodes import read_nodes
from surrogate_calculus.language.terms import Store

#: Entries of the catalogue: with and without recursion, particles, index maps, paths.
ENTRIES = ("dice", "fisher", "iwae", "pf", "sis")
MUTANTS = 1500


@pytest.fixture(scope="module")
def certificates() -> list[tuple[str, Certificate]]:
    return list(catalogue(ENTRIES))


def test_nothing_false_is_accepted(certificates: list[tuple[str, Certificate]], rng: random.Random) -> None:
    tally = run(certificates, MUTANTS, rng.randrange(2**32), judged=0.1)
    for outcome in tally.false:
        raise AssertionError(f"{outcome.kind} of a step by {outcome.rule}: {outcome.certificate}")
    assert tally.total() == MUTANTS
    there = {kind for kind, _ in tally.counts}
    assert there | {"draw", "detail"} == set(KINDS)  # of these two there may be none in the entries
    # neither "accepted" nor "rejected" is all that it says, and the model has seldom nothing to say
    assert tally.total("accepted, true") > MUTANTS / 10 and tally.total("rejected") > MUTANTS / 3
    assert tally.total("rejected, false") > 10
    assert tally.total("accepted, not judged") < MUTANTS / 25, tally.open


def test_the_same_seed_makes_the_same_mutants(certificates: list[tuple[str, Certificate]]) -> None:
    runs = [run(certificates[:2], 40, 5) for _ in range(2)]
    assert runs[0].counts == runs[1].counts and runs[0].steps == runs[1].steps


def test_every_step_is_a_certificate_and_true(
    certificates: list[tuple[str, Certificate]], rng: random.Random
) -> None:
    """The judge agrees with what is really derived, so that its word against a mutant counts."""
    for name, certificate in certificates:
        bench = Bench(name, certificate)
        for step in rng.sample(range(len(certificate["steps"])), 12):
            own, verdict = bench.slice(step)
            assert bench.judge(own, verdict.hypotheses) is True, (name, step, own)


@pytest.mark.parametrize("broken", ["ring", "congruence", "transitivity", "definition", "instance"])
def test_mutants_get_through_a_broken_kernel(
    broken: str,
    certificates: list[tuple[str, Certificate]],
    rng: random.Random,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of these rules believes what it is told: then false claims are accepted, and found to be false."""

    def gullible(inf, claim):  # type: ignore[no-untyped-def]
        values = any(p.relation is Relation.VALUE for p in claim.premises)
        relation = Relation.VALUE if values else Relation.STRICT
        return Equation(relation, claim.lhs, claim.right or claim.lhs)

    monkeypatch.setitem(inference._STRUCTURAL, broken, gullible)
    using = [(name, data) for name, data in certificates if broken in [step[0] for step in data["steps"]]]
    for seed in range(20):
        tally = run(using, 100, rng.randrange(2**32) + seed)
        if tally.false:
            return
    raise AssertionError(f"nothing false was accepted although {broken} believes everything")


def test_the_judge_sees_what_is_false() -> None:
    """Of a definition with a ⊥ the value is right and the derivative is not."""
    ((_, certificate),) = list(catalogue(["dice"]))[:1]
    nodes = read_nodes(certificate["nodes"], Store())
    judge = Judge(nodes, certificate["definitions"], certificate["dependence"], certificate["assumptions"])
    dice, f = (sc.parse(text, vector=()) for text in ("D", "f(x; θ)"))
    assert judge.judge(Equation(Relation.VALUE, dice, f)) is True
    assert judge.judge(Equation(Relation.STRICT, dice, f)) is False


def test_a_slice_is_small_and_claims_its_step(certificates: list[tuple[str, Certificate]]) -> None:
    _, certificate = certificates[-1]
    middle = len(certificate["steps"]) // 2
    own = slice_of(certificate, middle)
    verdict = sc.check(own)
    assert verdict and verdict.claim is not None
    nodes = read_nodes(certificate["nodes"], Store())
    _, lhs, rhs, _ = certificate["steps"][middle]
    assert (verdict.claim.lhs, verdict.claim.rhs) == (nodes[lhs], nodes[rhs])
    assert len(own["nodes"]) <= len(certificate["nodes"])


def test_a_mutant_is_another_certificate(
    certificates: list[tuple[str, Certificate]], rng: random.Random
) -> None:
    own = slice_of(certificates[0][1], 3)
    for kind in KINDS:
        changed = mutant(rng, own, kind)
        assert changed is None or changed != own
