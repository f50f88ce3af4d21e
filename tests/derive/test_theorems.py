"""Theorems of proof documents: what holds by what it names, what fails and why, what it rests on."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive.failures import Failure
from surrogate_calculus.derive.hints import GROUPS, named_rules
from surrogate_calculus.derive.theorems import Book, TheoremVerdict, check_document
from surrogate_calculus.errors import ParseError
from surrogate_calculus.kernel.rules import RULES
from surrogate_calculus.language.proof_reader import read_proofs

PROOFS = Path(__file__).resolve().parents[2] / "proofs"

HEAD = """\
count N, T, M
parameter θ
index i, j = 1..N;  index t = 1..T
variable x, y, z[t], e[i]
density p(x; θ), q(x, y; θ), r(y; θ), c(x | y; θ)
function f(x; θ), g(x; θ), s(x), k(t)
define w[i] = p(e[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]
define u[0] = 1
define u[t] = u[t-1] * k(t)
"""


def verdicts(text: str) -> list[TheoremVerdict]:
    return check_document(read_proofs(HEAD + text, "a.sc"))


def verdict(text: str) -> TheoremVerdict:
    """What is found of the last statement."""
    return verdicts(text)[-1]


def failure(text: str) -> Failure:
    found = verdict(text)
    assert not found and found.failure is not None
    return found.failure


# The documents of the repository -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["calculus", "dice", "filters"])
def test_a_document_of_the_repository_holds(name: str) -> None:
    found = sc.check_document(PROOFS / f"{name}.sc")
    assert len(found) >= 9
    for v in found:
        assert v, str(v.failure)
        assert v.axioms == ()
        assert v.status == ("refuted" if v.kind == "refute" else "proved")
        assert v.notes == ()
        if v.kind != "refute":
            assert sc.check(v.certificate).status == "proved"


# What holds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "theorem a: f(x; θ) + 0 = f(x; θ)",
        "theorem a: ∇θ(f(x; θ) * g(x; θ)) = g(x; θ) * ∇θ f(x; θ) + f(x; θ) * ∇θ g(x; θ)  by product",
        "theorem a: ∇θ(f(x; θ)^3) = 3 * f(x; θ)^2 * ∇θ f(x; θ)  by power",
        "theorem a: ∇θ exp(f(x; θ)) = exp(f(x; θ)) * ∇θ f(x; θ)  by chain",
        "theorem a: ∇θ exp(f(x; θ)) = exp(f(x; θ)) * ∇θ f(x; θ)  by grad_exp",
        "theorem a: ∇θ p(x; θ) = p(x; θ) * ∇θ log p(x; θ)  by log derivative",
        "theorem a: ∇θ log p(x; θ) = ∇θ p(x; θ) / p(x; θ)  by log_derivative",
        "theorem a: ∇θ(f(x; θ) / p(x; θ)) = ∇θ f(x; θ)/p(x; θ) - f(x; θ)*∇θ p(x; θ)/p(x; θ)^2  by quotient",
        "theorem a: ⊥(p(x; θ)) * f(x; θ) =→ p(x; θ) * f(x; θ)  by evaluate",
        "theorem a: →(⊥(f(x; θ) * →(g(x; θ)))) = f(x; θ) * g(x; θ)  by evaluate",
        "theorem a for every i: w̄[i] = p(e[i]; θ) / Σ[j=1..N] w[j]  by definition of w̄, definition of w",
        "theorem a: Σ[i](w̄[i]) = 1  by definition of w̄, linearity",
        "theorem a: Σ[i](w̄[i]) = 1",
        "theorem a: Σ[t=1..T](s(x) * z[t]) = s(x) * Σ[t=1..T] z[t]  by linearity",
        "theorem a for every t: u[t] = u[t-1] * k(t)  by definition of u, cases",
        "theorem a for every t: u[t] = u[t-1] * k(t)",
        "theorem a for every t: u[t-1] * k(t) = u[t]",
        "theorem a: u[T] = ∏[t=1..T](k(t))  "
        "by induction on T, definition of u, using hypothesis, products, cases",
        "theorem a: log(p(x; θ) * r(y; θ)) = log p(x; θ) + log r(y; θ)  by logarithm",
        "theorem a for every F(x; θ): F(x; θ) * 2 = F(x; θ) + F(x; θ)  by arithmetic",
        "theorem a: Σ[t=1..T](t) = T*(T+1)/2  by induction on T, using hypothesis, sums",
        "theorem a: Σ[t=1..T](t^2) = T*(T+1)*(2*T+1)/6  by induction on T, using hypothesis, sums",
        "theorem a: ∏[t=1..T](2) * 2 = 2 * 2^T  by products",
    ],
)
def test_a_theorem_by_what_it_names(text: str) -> None:
    found = verdict(text)
    assert found, str(found.failure)
    assert found.notes == ()
    assert sc.check(found.certificate).status == "proved"
    assert found.steps > 0 and found.seconds > 0


def test_a_chain_is_one_certificate_about_its_ends() -> None:
    found = verdict(
        "theorem a:\n  →(∇θ (p(x; θ) / ⊥(p(x; θ))))\n"
        "    = →(∇θ p(x; θ) / ⊥(p(x; θ)))   by product, stop\n"
        "    = ∇θ log p(x; θ)               by evaluate, log_derivative\n"
        "    =→ ∇θ log p(x; θ) * ⊥(1)"
    )
    assert found and found.claim is not None and found.certificate is not None
    assert found.claim.relation.value == "=→"
    assert (str(found.claim.lhs), str(found.claim.rhs)) == (
        "→(∇θ(p(x; θ) / ⊥(p(x; θ))))",
        "∇θ log p(x; θ) * ⊥(1)",
    )
    replayed = sc.check(found.certificate)
    assert replayed.claim == found.claim
    broken = copy.deepcopy(dict(found.certificate))
    broken["claim"] = ["=", broken["claim"][1], broken["claim"][2]]
    assert sc.check(broken).status != "proved"


def test_the_verdicts_are_in_the_order_of_the_document() -> None:
    found = verdicts("lemma b: 1 = 1\nrefute c: x = 1\ntheorem a: x = x by using b\n")
    assert [(v.kind, v.name, v.status, bool(v)) for v in found] == [
        ("lemma", "b", "proved", True), ("refute", "c", "refuted", True), ("theorem", "a", "proved", True),
    ]  # fmt: skip
    assert [v.line for v in found] == [HEAD.count("\n") + n for n in (1, 2, 3)]
    assert found[1].counterexample is not None


# What fails, and why ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("theorem a: ∇θ(θ * g(x; θ)^2) = 2*θ*g(x; θ)*∇θ g(x; θ) + g(x; θ)^2  by product", "grad_power"),
        ("theorem a: →(∇θ(⊥(f(x; θ))*g(x; θ))) = f(x; θ) * ∇θ g(x; θ)  by product, stop", "eval_"),
        ("theorem a: ∇θ p(x; θ) = p(x; θ) * ∇θ log p(x; θ)  by product", "log_derivative"),
        ("theorem a: Σ[t=1..T](s(x) * z[t]) = s(x) * Σ[t=1..T] z[t]  by arithmetic", "sum_scale (linearity)"),
        ("theorem a: Σ[i](w̄[i]) = 1 by linearity", "definition"),
        ("lemma b: s(x)*2 = s(x) + s(x)\ntheorem a: ∇θ(2*f(x; θ)) = 2*∇θ f(x; θ)  by using b", "grad_"),
        ("theorem a: Σ[t=1..T](t) = T*(T+1)/2  by induction on T, using hypothesis", "sum_last (sums)"),
    ],
)  # fmt: skip
def test_a_claim_of_what_it_follows_from_that_overstates(text: str, needed: str) -> None:
    """The line is true, and does not follow from what it names."""
    found = failure(text)
    assert found.kind == "hint"
    assert "needs a rule that it does not name" in found.reason
    assert needed in found.reason


def test_a_hint_that_is_not_needed_is_noted() -> None:
    found = verdict("lemma b: s(x) = s(x)\ntheorem a: x + 1 = 1 + x  by chain, using b")
    assert found
    line = HEAD.count("\n") + 2
    assert set(found.notes) == {f"line {line} does not need chain", f"line {line} does not need b"}


def test_a_false_line_is_shown_with_its_counterexample() -> None:
    chain = "  ∇θ(f(x; θ)^2)\n    = 2*f(x; θ)*∇θ f(x; θ)   by power\n    = 2*∇θ f(x; θ)\n"
    found = failure(f"theorem a:\n{chain}")
    assert found.kind == "refuted"
    assert found.line == HEAD.count("\n") + 4
    assert found.counterexample is not None and found.counterexample.left != found.counterexample.right
    assert found.sides is not None
    report = str(found)
    for part in ("a.sc: line 14", "^^^", "left:", "right:", "difference:", "counterexample: in value, at"):
        assert part in report
    assert "2 * f(x; θ) * ∇θ f(x; θ)" in report.replace("∇θ f(x; θ) * f(x; θ)", "f(x; θ) * ∇θ f(x; θ)")


def test_a_line_that_only_differentiation_tells_apart() -> None:
    found = failure("theorem a: p(x; θ) / ⊥(p(x; θ)) = 1")
    assert found.counterexample is not None
    assert (found.counterexample.order, found.counterexample.wrt) == (1, ("θ",))


def test_what_is_neither_proved_nor_refuted() -> None:
    found = verdict("theorem a: exp(sin(x)^2) * exp(cos(x)^2) = exp(1)")
    assert found.status == "undecided"
    assert found.failure is not None and found.failure.kind == "undecided"
    assert "difference:" in str(found.failure)


def test_a_false_claim_is_not_hidden_by_its_hints() -> None:
    assert failure("theorem a: ∇θ(f(x; θ)^2) = f(x; θ)*∇θ f(x; θ)  by power").kind == "refuted"


@pytest.mark.parametrize("claim", ["x + x = 2*x", "→(∇θ (p(x; θ)/⊥(p(x; θ)))) = ∇θ log p(x; θ)"])
def test_what_is_to_be_refuted_and_holds(claim: str) -> None:
    found = verdict(f"refute a: {claim}")
    assert found.status == "proved" and not found
    assert found.failure is not None and found.failure.kind == "proved"


def test_a_hint_of_no_such_rule_names_the_closest() -> None:
    with pytest.raises(ParseError, match="there is no rule log_derivativ") as error:
        Book(read_proofs(HEAD + "theorem a: x = x by log derivativ\n", "a.sc"))
    assert error.value.instead == "write log_derivative"
    assert (error.value.line, error.value.column) == (HEAD.count("\n") + 1, 21)


# Side conditions ----------------------------------------------------------------------------------

SCORE = "→(∇θ (f(x; θ) / ⊥(f(x; θ)))) = ∇θ log f(x; θ)"


@pytest.mark.parametrize(
    "assumed",
    [
        "f(x; θ) != 0", "f(x; θ) > 0", "0 < f(x; θ)", "2*f(x; θ) + f(x; θ) != 2*f(x; θ)",
        "for every y: f(y; θ) > 0", "nowhere_zero: f(x; θ) != 0",
    ],
)  # fmt: skip
def test_a_condition_that_is_assumed(assumed: str) -> None:
    found = verdict(f"assume {assumed}\ntheorem a: {SCORE}")
    assert found, str(found.failure)
    assert [str(h) for h in found.hypotheses] == ["f(x; θ) ≠ 0"]


@pytest.mark.parametrize(
    "assumed", ["g(x; θ) != 0", "f(y; θ) != 0", "f(x; θ) >= 0", "f(x; θ) + 1 != 0", "e: f(x; θ) = g(x; θ)"]
)
def test_a_condition_that_nothing_assumes(assumed: str) -> None:
    found = verdict(f"assume {assumed}\ntheorem a: {SCORE}")
    assert found.status == "undecided"
    assert found.failure is not None and found.failure.kind == "condition"
    assert "f(x; θ) ≠ 0" in found.failure.reason
    assert found.failure.instead == "assume f(x; θ) != 0"


def test_a_function_that_is_positive_by_its_declaration() -> None:
    assert verdict(f"theorem a for every F(x; θ) > 0: {SCORE}".replace("f(", "F(")).hypotheses == ()
    assert failure(f"theorem a for every F(x; θ): {SCORE}".replace("f(", "F(")).kind == "condition"


def test_a_range_discharges_what_is_said_of_an_index() -> None:
    assert verdict("theorem a for every t: Σ[m=1..t](z[m]) = Σ[m=1..t-1](z[m]) + z[t]  by sums")
    used = verdict("theorem a for every t: u[t] = u[t-1] * k(t)")
    assert used and used.hypotheses == ()
    found = verdict("theorem a for every t: Σ[m=2..t](k(m)) = Σ[m=2..t-1](k(m)) + k(t)")
    assert not found  # at t = 1 it says 0 = k(1)


def test_the_exchange_of_gradient_and_integral_is_assumed() -> None:
    claim = "∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))"
    found = failure(f"theorem a: {claim}  by score")
    assert found.kind == "condition" and found.instead == "assume interchange 𝔼[x ~ p(·; θ)](f(x; θ))"
    assert verdict(f"{found.instead}\ntheorem a: {claim}  by score")


# Lemmas, axioms -----------------------------------------------------------------------------------

SQUARE = "lemma b for every F(x; θ), x: ∇θ(F(x; θ)^2) = 2 * F(x; θ) * ∇θ F(x; θ)\n"


@pytest.mark.parametrize(
    ("claim", "hints"),
    [
        ("1 + ∇θ(F(x; θ)^2) = 1 + 2*F(x; θ)*∇θ F(x; θ)", "using b"),
        ("1 + 2*F(x; θ)*∇θ F(x; θ) = 1 + ∇θ(F(x; θ)^2)", "using b"),
        ("∇θ(F(y; θ)^2) = 2*F(y; θ)*∇θ F(y; θ)", "using b"),
        ("Σ[t=1..T](∇θ(F(z[t]; θ)^2)) = Σ[t=1..T](2*F(z[t]; θ)*∇θ F(z[t]; θ))", "using b"),
        ("∇θ(g(x; θ)^2) = 2*g(x; θ)*∇θ g(x; θ)", "using b with F(x; θ) := g(x; θ)"),
        ("∇θ((2*θ)^2) = 8*θ", "using b with F(x; θ) := 2*θ, product"),
        ("∇θ((s(x)*θ)^2) = 2*s(x)^2*θ", "using b with F(x; θ) := s(x)*θ, product"),
        ("∇θ(g(y; θ)^2) = 2*g(y; θ)*∇θ g(y; θ)", "using b with F(x; θ) := g(x; θ), with x := y"),
    ],
)
def test_a_lemma_is_used(claim: str, hints: str) -> None:
    found = verdict(f"{SQUARE}theorem a for every F(x; θ): {claim}  by {hints}")
    assert found, str(found.failure)
    assert found.uses == ("b",) and found.notes == ()
    assert found.axioms == ()


def test_a_lemma_of_one_x_says_nothing_of_a_bound_one() -> None:
    """Its x is free; under Σ and 𝔼 another one stands."""
    lemma = "lemma b: f(x; θ) * 1 = f(x; θ) + 0 * g(x; θ)\n"
    claim = "𝔼[x ~ p(·; θ)](f(x; θ) * 1) = 𝔼[x ~ p(·; θ)](f(x; θ))"
    assert verdict(f"{lemma}theorem a: {claim}  by using b").notes != ()
    # an axiom about x is none about another variable
    axiom = "assume b: f(x; θ) = g(x; θ)\n"
    for claim in ("f(y; θ) = g(y; θ)", "𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](g(x; θ))"):
        assert not verdict(f"{axiom}theorem a: {claim}  by using b")
    assert verdict(f"{axiom}theorem a: 2*f(x; θ) = 2*g(x; θ)  by using b")


def test_a_lemma_that_fails_is_no_lemma() -> None:
    found = verdicts("lemma b: f(x; θ) = 0\ntheorem a: f(x; θ) * 2 = 0  by using b\n")
    assert [bool(v) for v in found] == [False, False]
    assert found[1].failure is not None
    assert found[1].failure.kind == "lemma" and "b is not proved itself" in found[1].failure.reason


def test_a_lemma_of_positive_functions_says_nothing_of_others() -> None:
    lemma = f"lemma b for every F(x; θ) > 0: {SCORE}\n".replace("f(", "F(")
    claim = SCORE.replace("f(", "F(")
    assert verdict(f"{lemma}theorem a for every F(x; θ) > 0: {claim}  by using b")
    found = failure(f"{lemma}theorem a for every F(x; θ): {claim}  by using b")
    assert found.kind == "lemma" and "takes F to be positive" in found.reason
    # nor is the condition lost where something is put in
    put = f"{lemma}theorem a: {SCORE}  by using b with F(x; θ) := f(x; θ)"
    assert failure(put).kind == "condition"
    assert verdict(f"assume f(x; θ) > 0\n{put}")


def test_equal_values_are_not_used_under_a_gradient() -> None:
    lemma = "lemma b: p(x; θ)/⊥(p(x; θ)) =→ 1\n"
    assert verdict(f"{lemma}theorem a: f(x; θ) * (p(x; θ)/⊥(p(x; θ))) =→ f(x; θ)  by using b")
    found = verdict(f"{lemma}theorem a: →(∇θ(p(x; θ)/⊥(p(x; θ)))) = ∇θ →(1)  by using b")
    assert found.status == "refuted" and not found


def test_an_axiom_is_used_and_listed() -> None:
    axiom = "assume bayes for every x, y: q(x, y; θ) = c(x | y; θ) * r(y; θ)\n"
    found = verdict(f"{axiom}theorem a: Σ[t=1..T] q(z[t], x; θ) = r(x; θ) * Σ[t=1..T] c(z[t] | x; θ)  "
                    "by using bayes, linearity")  # fmt: skip
    assert found and found.uses == ("bayes",)
    (used,) = found.axioms
    assert str(used.lhs) == "q(x, y; θ)" and used.every == {"x", "y"}
    # without it nothing is proved, and what rests on it is not refuted by what it excludes
    assert not verdict(f"{axiom}theorem a: q(x, y; θ) = c(x | y; θ) * r(y; θ)")
    wrong = verdict(f"{axiom}theorem a: q(x, y; θ) = 2 * c(x | y; θ) * r(y; θ)  by using bayes")
    assert wrong.status == "undecided"


def test_an_axiom_about_every_function() -> None:
    axiom = "assume even for every h(x): h(x) = h(-x)\n"
    assert verdict(f"{axiom}theorem a: s(x)^2 = s(-x)^2  by using even with h(x) := s(x)")
    assert not verdict(f"{axiom}theorem a: s(x)^2 = s(-x)^2  by using even")


# Induction ----------------------------------------------------------------------------------------


def test_an_induction_needs_its_base() -> None:
    """From T - 1 to T the claim goes, but at 0 it says 0 = 1."""
    found = failure("theorem a: Σ[t=1..T](2*t) = T*(T+1) + 1  by induction on T, using hypothesis, sums")
    assert found.kind == "refuted"
    axiom = "assume e for every x: s(x) = 1\n"
    claim = "Σ[t=1..T](s(t)) = T + 1  by induction on T, using hypothesis, using e, sums"
    assert not verdict(f"{axiom}theorem a: {claim}")
    assert verdict(f"{axiom}theorem a: {claim}".replace("T + 1 ", "T "))
    # an axiom about the t up to T is about T, of which the induction takes every value
    axiom, claim = axiom.replace("x: s(x)", "t: z[t]"), claim.replace("s(t)", "z[t]").replace("T + 1 ", "T ")
    assert not verdict(f"{axiom}theorem a: {claim}")
    assert verdict(f"{axiom}theorem a: Σ[t=1..T](z[t]) = T  by using e, sums")


def test_an_axiom_about_an_index_holds_in_its_range_only() -> None:
    axiom = "assume e for every t: z[t] = 1\n"
    for claim, holds in (
        ("for every t: 2 * z[t] = 2", True),
        ("for every t: 2 * z[t+1] = 2", False),
        (": Σ[t=1..T](z[t]) = T", True),
        (": Σ[t=1..T-1](z[t+1]) = T - 1", True),
        (": Σ[t=0..T](z[t]) = T + 1", False),
        (": Σ[t=1..T](z[t+1]) = T", False),
    ):
        assert verdict(f"{axiom}theorem a {claim}  by using e, sums").passed is holds, claim


def test_orders_of_gradients() -> None:
    claim = "∇^M[θ](p(x; θ)/⊥(p(x; θ)) * f(x; θ)) = ∇^M[θ](p(x; θ) * f(x; θ)) / ⊥(p(x; θ))"
    assert verdict(f"theorem a: {claim}  by induction on M, order, using hypothesis, product, stop")
    wrong = claim.replace("/ ⊥(p(x; θ))", "/ p(x; θ)")
    assert not verdict(f"theorem a: {wrong}  by induction on M, order, using hypothesis, product, stop")


def test_an_induction_is_over_a_count_that_no_definition_speaks_of() -> None:
    """At N - 1 the name w̄ would still be what it is at N."""
    claim = "Σ[i=1..N](w̄[1]) = N * w̄[1]"
    assert verdict(f"theorem a: {claim}  by sums")
    assert not verdict(f"theorem a: {claim}  by induction on N, using hypothesis, sums")


# Hints --------------------------------------------------------------------------------------------


def test_every_group_names_rules_of_the_kernel() -> None:
    for name, group in GROUPS.items():
        assert group.says and group.rules and group.rules <= set(RULES)
        assert named_rules(name) == group.rules | ({name} if name in RULES else set())
    assert all(named_rules(name) is not None and name in (named_rules(name) or ()) for name in RULES)
    assert named_rules("no such rule") is None


def test_every_rule_but_those_of_structure_is_in_a_group() -> None:
    from surrogate_calculus.derive.hints import ALWAYS

    grouped = set().union(*(g.rules for g in GROUPS.values() if g.name != "calculus"))
    missing = set(RULES) - grouped - ALWAYS
    assert missing <= {"expect_draw", "expect_offspring", "expect_weight"}
