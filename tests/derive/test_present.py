"""Presentation of results with sums over indices: the forms of the paper, whatever the names."""

from __future__ import annotations

import random
import re
from functools import cache

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive import Derivation
from surrogate_calculus.estimators import load_estimator
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.terms import HAS_EVAL, HAS_STOP
from surrogate_calculus.printing.text import to_unicode

LINEAGE = "log p(x̃[1:T,i], y[1:T]; θ)"
STEP = "log p(x[t,i], y[t] | x[t-1,a[t,i]]; θ)"
LAST = "log p(x[T,i], y[T] | x[T-1,a[T,i]]; θ)"
ANCESTORS = "Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1,a[t,i]]))"
POSTERIOR = f"Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ {LINEAGE}))"
LAST_STEP = f"Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ {LAST}))"
SCORES = f"Σ[t=1..T](Σ[i=1..N](w̄[t,i] * ∇θ {STEP}))"

#: Entry, surrogate, order; and the result.
FORMS = [
    ("fisher", "log V", 1, "Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"),
    (
        "fisher",
        "Σ[i=1..N](v̄[i] * f(x[i]; θ))",
        1,
        "Σ[i=1..N](w̄[i] * (∇θ f(x[i]; θ) + (f(x[i]; θ) - f̄) * ∇θ log p(x[i], y; θ)))",
    ),
    (
        "fisher",
        "log V",
        2,
        "Σ[i=1..N](w̄[i] * (∇²θ log p(x[i], y; θ) + (∇θ log p(x[i], y; θ))^2))"
        " - Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))^2",
    ),
    (
        "iwae_dice",
        "D * log Z",
        1,
        "log Z * Σ[i=1..N](∇θ log q(x[i]; θ)) + Σ[i=1..N](w̄[i] * ∇θ log(p(x[i], y; θ) / q(x[i]; θ)))",
    ),
    ("pf", "log Z", 1, SCORES),
    (
        "pf",
        "log Z",
        2,
        f"Σ[t=1..T](Σ[i=1..N](w̄[t,i] * (∇²θ {STEP} + (∇θ {STEP})^2)))"
        f" - Σ[t=1..T](Σ[i=1..N](w̄[t,i] * ∇θ {STEP})^2)",
    ),
    ("pf", "f̄", 1, LAST_STEP),
    ("pf_dice", "D * log Z", 1, f"log Z * {ANCESTORS} + {SCORES}"),
    ("pf_dice", "D * f̄", 1, f"f̄ * {ANCESTORS} + {LAST_STEP}"),
    ("pf_dice", "D * Z * f̄", 1, f"Z * (f̄ * {ANCESTORS} + f̄ * {SCORES} + {LAST_STEP})"),
    ("dpf", "log Z", 1, f"Σ[i=1..N](w̄[T,i] * ∇θ {LINEAGE})"),
    ("dpf", "Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))", 1, POSTERIOR),
    (
        "dpf",
        "Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))",
        1,
        f"Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ {LINEAGE} + ∇θ f(x̃[1:T,i]; θ)))",
    ),
    (
        "dpf",
        "log Z",
        3,
        f"Σ[i=1..N](w̄[T,i] * (∇³θ {LINEAGE} + 3 * ∇θ {LINEAGE} * ∇²θ {LINEAGE} + (∇θ {LINEAGE})^3))"
        f" - 3 * Σ[i=1..N](w̄[T,i] * ∇θ {LINEAGE})"
        f" * Σ[i=1..N](w̄[T,i] * (∇²θ {LINEAGE} + (∇θ {LINEAGE})^2))"
        f" + 2 * Σ[i=1..N](w̄[T,i] * ∇θ {LINEAGE})^3",
    ),
    (
        "dpf_vector",
        "log Z",
        2,
        f"Σ[i=1..N](w̄[T,i] * (∇²θ {LINEAGE} + ∇θ {LINEAGE} ⊗ ∇θ {LINEAGE}))"
        f" - Σ[i=1..N](w̄[T,i] * ∇θ {LINEAGE}) ⊗ Σ[i=1..N](w̄[T,i] * ∇θ {LINEAGE})",
    ),
    (
        "dpf_proposal",
        "log Z",
        1,
        "Σ[i=1..N](w̄[T,i] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; θ)))",
    ),
]
IDS = [f"{entry}-{surrogate}-{order}" for entry, surrogate, order, _ in FORMS]


@cache
def derived(entry: str, surrogate: str, order: int) -> Derivation:
    return sc.derive(surrogate, "θ", order, given=load_estimator(entry).document)


@pytest.mark.parametrize(("entry", "surrogate", "order", "form"), FORMS, ids=IDS)
def test_results_read_as_in_the_paper(entry: str, surrogate: str, order: int, form: str) -> None:
    derivation = derived(entry, surrogate, order)
    assert derivation.to_unicode() == form
    assert not derivation.result.flags & (HAS_EVAL | HAS_STOP)
    verdict = sc.check(derivation.certificate)
    assert verdict and not verdict.hypotheses


@pytest.mark.parametrize(("entry", "surrogate", "order"), [f[:3] for f in FORMS if "∇θ log w̄" not in f[3]])
def test_what_is_presented_is_presented_the_same_again(entry: str, surrogate: str, order: int) -> None:
    derivation = derived(entry, surrogate, order)
    if derivation.vectors:
        pytest.skip("the axes of a written result are its own")
    again = sc.derive(f"→({derivation})", given=derivation.document)
    assert again.to_unicode() == derivation.to_unicode()


#: Other names for everything; no two of the old ones sort as their new ones do.
NAMES = {
    "θ": "λ", "φ": "η", "N": "M", "T": "K", "x": "z", "y": "o", "p": "h", "q": "g", "p0": "h0", "v": "b",
    "V": "B", "v̄": "b̄", "w": "u", "W": "U", "w̄": "ū", "x̃": "z̃", "a": "r", "i": "n", "j": "l", "t": "s",
    "Z": "E", "Ẑ": "Ê", "f": "c", "f̄": "c̄", "D": "A", "R": "Q", "k": "d", "K": "J",
}  # fmt: skip
WORDS = {"count", "parameter", "index", "observed", "density", "resampling", "function", "sample"}
WORDS |= {"lineage", "of", "by", "define", "log"}


def renamed(text: str) -> str:
    def new(found: re.Match[str]) -> str:
        return found[0] if found[0] in WORDS else NAMES.get(found[0], found[0])

    return re.sub(r"(?![²³])[^\W\d_][^\W²³]*[\u0300-\u036f]*", new, text)


def shuffled(text: str, seed: int) -> str:
    """The statements of a document, those that define anything in another order."""
    lines = re.sub(r"\n[ \t]+", " ", text).split("\n")
    lines = [line for line in lines if line and not line.startswith(("#", "derive"))]
    late = ("define", "sample", "lineage")
    moved = [line for line in lines if line.startswith(late)]
    random.Random(seed).shuffle(moved)
    return "\n".join([*(line for line in lines if not line.startswith(late)), *moved])


@pytest.mark.parametrize(("entry", "surrogate", "order", "form"), FORMS, ids=IDS)
def test_names_and_the_order_of_definitions_change_nothing(
    entry: str, surrogate: str, order: int, form: str
) -> None:
    document = parse_document(renamed(shuffled(load_estimator(entry).document.text, order)))
    derivation = sc.derive(renamed(surrogate), "λ", order, given=document)
    assert derivation.to_unicode() == renamed(form)


def test_a_baseline_without_a_name_is_written_in_its_place() -> None:
    lines = load_estimator("dpf").document.text.split("\n")
    text = "\n".join(line for line in lines if not line.startswith(("define f̄", "derive")))
    derivation = sc.derive("Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))", "θ", given=parse_document(text))
    assert derivation.to_unicode() == POSTERIOR.replace("f̄", "Σ[j=1..N](w̄[T,j] * f(x̃[1:T,j]; θ))")


def test_families_that_are_not_used_change_nothing() -> None:
    text = load_estimator("pf_dice").document.text.split("#:")[0]
    more = "define unused[t,i] = w̄[t,i]^2 + 1\ndefine other = Σ[i=1..N](unused[T,i])\n"
    derivation = sc.derive("D * f̄", "θ", given=parse_document(text + more))
    assert derivation.to_unicode() == derived("pf_dice", "D * f̄", 1).to_unicode()


def test_a_product_rule_under_a_sum_stays_one_sum() -> None:
    document = parse_document(
        "count N\nparameter θ\nindex i = 1..N\nvariable c[i]\nfunction f(c; θ), g(c; θ)\n"
        "define S = Σ[i](f(c[i]; θ) * g(c[i]; θ))"
    )
    result = sc.derive("S", "θ", given=document).to_unicode()
    assert result == "Σ[i=1..N](g(c[i]; θ) * ∇θ f(c[i]; θ) + f(c[i]; θ) * ∇θ g(c[i]; θ))"


@pytest.mark.parametrize("entry", ["dpf", "pf_dice", "fisher"])
def test_steps_lead_to_the_result_and_print(entry: str) -> None:
    surrogate, order = next((s, o) for e, s, o, _ in FORMS if e == entry)
    derivation = derived(entry, surrogate, order)
    steps = derivation.steps
    assert 3 <= len(steps) <= 7
    assert steps[-1].term == derivation.result
    assert to_unicode(steps[-1].term) == to_unicode(derivation.result)
    if entry == "dpf":
        assert steps[0].rule.startswith("induction")
    assert "\\bar{w}" in derivation.to_latex()
    assert derivation.to_latex("brief").count("={}&") == len(steps)
    assert derivation.steps_in("full")
