"""That the instances of the rules of expectations, suppositions and ∇ᵏ see what is not so; see test_rules."""

from __future__ import annotations

import random

import pytest
from expectation_soundness import GENERATORS, unsound

from surrogate_calculus.kernel import RULES, Rule, filtration, inference
from surrogate_calculus.kernel.rules import LAW, meta
from surrogate_calculus.language.terms import CondExpect, Expect, Grad, Grads, Mul, Num, Sym, Term

INSTANCES = 25

A, B, P, Q, S, T = meta("A"), meta("B"), Sym(LAW + "P"), Sym(LAW + "Q"), meta("s"), meta("t")


def test_the_instances_are_of_the_rules_that_there_are() -> None:
    told = set(inference._TOLD)
    patterns = {name for name in RULES if name.startswith(("expect_", "cond_", "grads_"))}
    assert set(GENERATORS) == told | patterns


#: Rules that are not so, each under the name of one whose instances refute it.
UNSOUND = {
    "expect_scale": (Mul(A, Expect(P, B)), Mul(A, A, Expect(P, B)), ()),
    "expect_add": (Expect(P, A + B), Expect(P, A) + Expect(P, A), ()),
    "expect_one": (Expect(P, Num(1)), Num(2), ()),
    "cond_known": (CondExpect(T, Mul(A, B)), Mul(A, CondExpect(T, B)), ()),
    "cond_tower": (CondExpect(S, CondExpect(T, A)), CondExpect(S, A), ()),
    "cond_add": (CondExpect(T, A + B), CondExpect(T, A) + B, ()),
    "grads_next": (Grads("?θ", B, A), Grad("?θ", Grads("?θ", B, A)), ()),
    "expect_swap": (Expect(P, Expect(Q, A)), Expect(P, Expect(P, A)), ()),
    "expect_score": (
        Grad("?θ", Expect(P, A), meta("k")), Expect(P, Grad("?θ", A, meta("k"))), (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_rule_is_caught(name: str, rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    left, right, conditions = UNSOUND[name]
    assert isinstance(left, Term) and isinstance(right, Term)
    monkeypatch.setitem(RULES, name, Rule(name, name, left=left, right=right, conditions=conditions))
    assert unsound(name, rng, 5 * INSTANCES) is not None


@pytest.mark.parametrize("rule", ["expect_draw", "expect_offspring"])
def test_a_draw_that_is_averaged_within_is_caught(
    rule: str, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel without its guard against a capture by an inner 𝔼[· | t]."""
    uses = filtration.uses_index
    monkeypatch.setattr(filtration, "uses_index", lambda n, k=0: n.__class__ is not CondExpect and uses(n, k))
    assert unsound(rule, rng, 20 * INSTANCES) is not None


def test_what_is_known_too_early_is_caught(rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtration.Filtration, "since", lambda self, family: [(family.args[0], -1)])
    assert unsound("cond_known", rng, 20 * INSTANCES) is not None
