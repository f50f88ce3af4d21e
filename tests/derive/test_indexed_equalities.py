"""Equalities over indexed sums and products: proved where they hold, refuted where they fail at one place."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from indexed import DOCUMENT, Maker, equality, near_miss, values

import surrogate_calculus as sc
from surrogate_calculus.derive.canonical import Canonical
from surrogate_calculus.derive.engine import prepared
from surrogate_calculus.kernel import check
from surrogate_calculus.language.terms import Term

COUNT = 200


def test_equalities_by_construction_are_proved() -> None:
    rng = random.Random(2)
    found = Counter(sc.prove(equality(rng), given=DOCUMENT).status for _ in range(COUNT))
    assert found == {"proved": COUNT}


def test_near_misses_are_refuted() -> None:
    rng = random.Random(2)
    found: Counter[str] = Counter()
    for _ in range(COUNT):
        verdict = sc.prove(near_miss(rng), given=DOCUMENT)
        found[verdict.status] += 1
        assert verdict.counterexample is not None
    assert found == {"refuted": COUNT}


def test_presentations_mean_the_same(rng: random.Random) -> None:
    """The generator of equalities against the model: what it builds holds."""
    checked = 0
    for _ in range(60):
        seed = rng.randrange(2**32)
        a, b = (values(term, random.Random(seed)) for term in equality(rng))
        if a is not None and b is not None:
            assert a == b
            checked += 1
    assert checked > 30


def canonical(*terms: Term) -> list[Term]:
    """Canonical forms in one proof, each by steps that replay."""
    proof = prepared(DOCUMENT)
    form = Canonical(proof, gathers=True)
    out = []
    for term in terms:
        start = proof.add(term)
        step = form.step(start)
        out.append(start if step is None else proof.right(step))
        if step is not None:
            verdict = check(proof.certificate(step))
            assert verdict and not verdict.hypotheses, verdict
    return out


def text(source: str) -> Term:
    return sc.parse(source, DOCUMENT)


def test_the_form_is_canonical_on_random_terms(rng: random.Random) -> None:
    """Idempotent, sound in the model, and the same for presentations that differ in arithmetic and names."""
    same = 0
    for _ in range(60):
        maker = Maker(rng)
        term = maker.term(2)
        other = maker.presented(term)
        form, of_other = canonical(term, other)
        assert canonical(form) == [form], (term, form)
        seed = rng.randrange(2**32)
        before, after = (values(t, random.Random(seed)) for t in (term, form))
        assert before is None or after is None or before == after, (term, form)
        same += form == of_other
    assert same > 35  # ranges of different lengths are brought together only where both are there


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Σ[i=1..N](w[i])", "Σ[j=1..N](w[j])"),
        ("Σ[i=1..N](c*w[i])", "c*Σ[i=1..N](w[i])"),
        ("Σ[i=1..N](w[i] + g[i])", "Σ[i=1..N](g[i]) + Σ[j=1..N](w[j])"),
        ("Σ[i=1..N](w[i])^2", "Σ[i=1..N](Σ[j=1..N](w[i]*w[j]))"),
        ("Σ[t=1..T](Σ[i=1..N](u[t,i]))", "Σ[i=1..N](Σ[t=1..T](u[t,i]))"),
        ("Σ[t=1..T](Σ[i=1..N](y[t]*w[i]))", "Σ[i=1..N](w[i])*Σ[t=1..T](y[t])"),
        ("Σ[i=2..N+1](w[i-1])", "Σ[i=1..N](w[i])"),
        ("Σ[i=1..N](c)", "N*c"),
        ("Σ[i=1..0](w[i])", "0"),
        ("∏[i=N+1..N](w[i])", "1"),
        ("Σ[i=N..N](w[i])", "w[N]"),
        ("∏[i=2..2](w[i])", "w[2]"),
        ("Σ[i=1..3](w[i])", "w[1] + w[2] + w[3]"),
        ("∏[i=1..N](c)*c", "c^(N+1)"),
        ("log(∏[t=1..T](p(y[t];θ)))", "Σ[t=1..T](log p(y[t];θ))"),
        ("exp(Σ[t=1..T](log p(y[t];θ)))", "∏[t=1..T](p(y[t];θ))"),
        ("exp(Σ[t=1..T](2*log p(y[t];θ)))", "∏[t=1..T](p(y[t];θ))^2"),
        ("Σ[i=1..N]([i = 2]*w[2])", "Σ[j=1..N]([2 = j]*w[2])"),
        ("Σ[i=1..N](Σ[j=1..N]([i = j]*w[i]*g[j]))", "Σ[i=1..N](w[i]*g[i])"),
        ("Σ[i=1..N](w[i]/Σ[j=1..N](w[j]))", "1"),
        ("∏[t=1..T](p(y[t];θ)/⊥(p(y[t];θ)))", "∏[t=1..T](p(y[t];θ))/∏[t=1..T](⊥(p(y[t];θ)))"),
        ("∏[t=1..T](p(y[t];θ))/∏[t=1..T-1](p(y[t];θ))", "p(y[T];θ)"),
        ("Σ[t=1..T](Σ[s=1..t](y[s])) - Σ[t=1..T](Σ[s=1..t-1](y[s]))", "Σ[t=1..T](y[t])"),
    ],
)
def test_laws(left: str, right: str) -> None:
    assert sc.prove(f"{left} = {right}", given=DOCUMENT).status == "proved"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("log(∏[i=1..N](w[i]))", "Σ[i=1..N](log w[i])"),
        ("exp(Σ[i=1..N](log w[i]))", "∏[i=1..N](w[i])"),
        ("Σ[i=1..N](w[i]) - w[N]", "Σ[i=1..N-2](w[i]) + w[N-1]"),
    ],
)
def test_a_law_whose_condition_is_not_known_is_not_used(left: str, right: str) -> None:
    """w may be negative; N may be 1."""
    assert sc.prove(f"{left} = {right}", given=DOCUMENT).status != "proved"


# ------------------------------------------------------------- what SymPy gets wrong, or cannot do
def test_bound_indices_have_no_names() -> None:
    """SymPy: ``Sum(x[i], (i, 1, n)) == Sum(x[j], (j, 1, n))`` is False."""
    sympy = pytest.importorskip("sympy")
    i, j, n = sympy.symbols("i j n", integer=True, positive=True)
    x = sympy.IndexedBase("x")
    assert sympy.Sum(x[i], (i, 1, n)) != sympy.Sum(x[j], (j, 1, n))
    assert text("Σ[i=1..N](w[i])") == text("Σ[j=1..N](w[j])")


def test_substitution_does_not_capture() -> None:
    """SymPy: y ↦ x[i] in Σᵢ(y x[i]) gives Σᵢ x[i]²; here the free i stays another."""
    sympy = pytest.importorskip("sympy")
    from surrogate_calculus.language.binding import substitute
    from surrogate_calculus.language.terms import Bound, Indexed, Mul, Num, Sum, Sym

    i, n, y = sympy.symbols("i n y")
    x = sympy.IndexedBase("x")
    captured = sympy.Sum(y * x[i], (i, 1, n)).subs(y, x[i])
    assert captured == sympy.Sum(x[i] ** 2, (i, 1, n))
    series = Sum(Num(1), Sym("n"), Mul(Sym("y"), Indexed("x", Bound(0))), "i")
    put = substitute(series, {"y": Indexed("x", Sym("i"))})
    assert put == Sum(Num(1), Sym("n"), Mul(Indexed("x", Sym("i")), Indexed("x", Bound(0))))


def test_the_derivative_of_a_family_is_not_silently_zero() -> None:
    """SymPy: ``IndexedBase('w')[i].diff(θ)`` is 0.  Here a family is constant because it is declared so."""
    sympy = pytest.importorskip("sympy")
    i, θ = sympy.symbols("i θ")
    assert sympy.IndexedBase("w")[i].diff(θ) == 0
    hidden = sc.parse_document(
        "count N\nparameter θ\nindex i = 1..N\nobserved x[i]\ndensity p(x[i]; θ)\ndefine w[i] = p(x[i]; θ)\n"
    )
    shown = sc.derive(sc.parse("Σ[i=1..N](w[i])", hidden), "θ", given=hidden).result
    assert shown != sc.parse("0")
    with pytest.raises(sc.SurrogateError):
        sc.derive(sc.parse("Σ[i=1..N](f(x[i]))"), "θ")


def test_the_double_sum_of_louis() -> None:
    """Σᵢ w̄ᵢ gᵢ² - (Σᵢ w̄ᵢ gᵢ)² is half of ΣᵢΣⱼ w̄ᵢ w̄ⱼ (gᵢ - gⱼ)², w̄ = w/Σw; SymPy does not reduce it."""
    w = "w[i]/Σ[k=1..N](w[k])"
    other = "w[j]/Σ[k=1..N](w[k])"
    left = f"Σ[i=1..N]({w}*g[i]^2) - Σ[i=1..N]({w}*g[i])^2"
    right = f"1/2*Σ[i=1..N](Σ[j=1..N](({w})*({other})*(g[i] - g[j])^2))"
    assert sc.prove(f"{left} = {right}", given=DOCUMENT).status == "proved"
    assert sc.prove(f"{left} = 2*({right})", given=DOCUMENT).status == "refuted"


def test_kronecker_deltas() -> None:
    """∂π[k]/∂π[j] = [k = j], so that the derivative of a sum picks one term."""
    document = sc.parse_document("count N\nparameter π\nindex i, j = 1..N\nobserved w[i]\n")
    proof = prepared(document)
    from surrogate_calculus.derive.push import Pusher
    from surrogate_calculus.language.terms import Bound, Grad, Indexed, Mul, Num, Sum, Sym

    body = Sum(Num(1), Sym("N"), Mul(Indexed("w", Bound(0)), Indexed("π", Bound(0))), "i")
    all_of_them = Sum(Num(1), Sym("N"), Mul(Indexed("w", Bound(0)), Grad("π", body, Bound(0))), "j")
    start = proof.add(all_of_them)
    pushed = Pusher(proof, {"π"}, ()).push(start)
    assert pushed is not None
    form = Canonical(proof).term(proof.right(pushed))
    assert form == Canonical(proof).term(proof.add(sc.parse("Σ[i=1..N](w[i]^2)", document)))
