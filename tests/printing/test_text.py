"""The round-trip printers: what they print parses back to an equal term."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, example, given, settings
from strategies_terms import terms

from surrogate_calculus.derive import derive
from surrogate_calculus.errors import TermError
from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.names import ascii_name
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import (
    ONE,
    Add,
    App,
    Axis,
    Bound,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    neg,
    postorder,
)
from surrogate_calculus.printing.latex import to_latex
from surrogate_calculus.printing.text import MAX_NODES, summary, to_text, to_unicode

x, y, b, c = map(Sym, "xybc")
MINUS = Num(-1)
roundtrips = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))


@roundtrips
@given(terms())
@example(Mul(ONE, Pow(b, MINUS)))
@example(Mul(Num(2), Num(Fraction(1, 3)), x))
@example(Mul(MINUS, Num(2), x))
@example(Mul(MINUS, Mul(x, y)))
@example(Pow(Num(-2), Num(Fraction(-1, 2))))
@example(Mul(Num(Fraction(-2, 3)), Pow(Pow(b, Num(2)), MINUS)))
@example(Add(Num(-1), Num(Fraction(-2, 3)), Mul(Num(-2), x), Mul(MINUS, Num(-2))))
@example(Pow(b, Mul(MINUS, Mul(x, y))))
@example(Pow(Pow(Num(0), MINUS), Pow(b, MINUS)))
@example(Mul(Grad("β", x, Axis(1)), Grad("β", y, Axis(2))))
def test_text_parses_back(term: Term) -> None:
    text = to_unicode(term)
    assert parse(text) == term, text
    text = to_text(term)
    assert parse(text) == term, text
    assert text.isascii()


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("surrogate", ["∏[i=1..N](q(x[i];θ))", "cases(x > 0: q(x;θ), else: 2)"])
def test_what_is_derived_of_a_vector_parses_back(surrogate: str, order: int) -> None:
    """Also where one factor, or one case, is the vector."""
    found = derive(surrogate, "θ", order, vector=["θ"]).result
    assert parse(to_unicode(found), vector=["θ"]) == found
    assert parse_latex(to_latex(found), vector=["θ"]) == found


@settings(roundtrips, max_examples=300)
@given(terms(max_depth=3))
def test_vectors_parse_back_with_their_sugar(term: Term) -> None:
    for vector in ((), ("β",), ("β", "φ")):
        if any(isinstance(n, Grad) and n.coordinate is None and n.param in vector for n in postorder(term)):
            continue
        if any(isinstance(n, Grads) and n.param in vector for n in postorder(term)):
            continue
        if any(isinstance(n, Sym) and n.key in vector for n in postorder(term)):
            continue
        text = to_unicode(term, vector=vector)
        assert parse(text, vector=vector) == term, text


@pytest.mark.parametrize(
    ("text", "unicode", "plain"),
    [
        ("f(x;θ)*∇θ log p(x;θ)+∇θ f(x;θ)", "f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)",
         "f(x; theta) * grad[theta](log(p(x; theta))) + grad[theta](f(x; theta))"),
        ("p(x;θ)/⊥(p(x;θ))", "p(x; θ) / ⊥(p(x; θ))", "p(x; theta) / stop(p(x; theta))"),
        ("w[t-1, a[t,i]]/2", "w[t-1,a[t,i]] / 2", "w[t-1,a[t,i]] / 2"),
        ("-x*y - 2*z - (a - b)", "-x * y - 2 * z - (a - b)", "-x * y - 2 * z - (a - b)"),
        ("log(x)^2", "log(x)^2", "log(x)^2"),
        ("log p(x)^2", "log(p(x)^2)", "log(p(x)^2)"),
        ("∇²θ f(x;θ)", "∇²θ f(x; θ)", "hess[theta](f(x; theta))"),
        ("1/N*Σ[i=1..N](w̄[i])", "1/N * Σ[i=1..N](w̄[i])", "1/N * sum[i=1..N](wbar[i])"),
        ("cases(x>0: 1, x<-1: 2, else: pi())", "cases([x > 0]: 1, [-1 > x]: 2, else: pi())",
         "cases([x > 0]: 1, [-1 > x]: 2, else: pi())"),
        ("D[2,1](f)(x;θ)", "D[1, 2](f)(x; θ)", "D[1, 2](f)(x; theta)"),
        ("E[x~p(.;θ)](x)", "𝔼[x ~ p(·; θ)](x)", "E[x ~ p(.; theta)](x)"),
        ("∇^k[θ](x)*∇^(n-k)[θ] f(x;θ)", "∇^k[θ](x) * ∇^(n-k)[θ](f(x; θ))",
         "grad^k[theta](x) * grad^(n-k)[theta](f(x; theta))"),
        ("∇θ ∇^(k + 1)[θ](log p(x))^2", "∇θ(∇^(k+1)[θ](log p(x))^2)",
         "grad[theta](grad^(k+1)[theta](log(p(x)))^2)"),
        ("∇^(2)[θ](x) + ∇^2[θ](x)", "∇^(2)[θ](x) + ∇²θ x", "grad^(2)[theta](x) + hess[theta](x)"),
        ("log E[.|t - 1](→(x))^2 + E[t]", "log(𝔼[· | t-1](→(x))^2) + E[t]",
         "log(E[. | t-1](eval(x))^2) + E[t]"),
        ("→(∇φ(∇θ(x)))", "→(∇φ ∇θ x)", "eval(grad[phi](grad[theta](x)))"),
    ],
)  # fmt: skip
def test_how_it_reads(text: str, unicode: str, plain: str) -> None:
    assert to_unicode(parse(text)) == unicode
    assert to_text(parse(text)) == plain


def test_vectors_read_like_the_paper() -> None:
    text = "∇θ f(x; θ) ⊗ ∇θ log p(x; θ) + f(x; θ) * ∇²θ log p(x; θ)"
    term = parse(text, vector=("θ",))
    assert to_unicode(term, vector=("θ",)) == text
    assert to_unicode(term) == (
        "∇[θ@1](f(x; θ)) ⊗ ∇[θ@1](log p(x; θ)) + f(x; θ) * ∇[θ@2](∇[θ@1](log p(x; θ)))"
    )


def test_a_binder_is_renamed_only_where_its_name_would_be_mistaken() -> None:
    i = Sym("i")
    assert to_unicode(Sum(ONE, i, Indexed("w", Bound(0)), "i")) == "Σ[i=1..i](w[i])"
    assert to_unicode(Sum(ONE, x, Mul(i, Bound(0)), "i")) == "Σ[i'=1..x](i * i')"
    assert to_unicode(Sum(ONE, x, Sum(ONE, x, Bound(0), "i"), "i")) == "Σ[i=1..x](Σ[i=1..x](i))"
    assert to_unicode(Sum(ONE, x, Sum(ONE, x, Mul(Bound(1), Bound(0)), "i"), "i")) == (
        "Σ[i=1..x](Σ[i'=1..x](i * i'))"
    )
    assert to_unicode(Expect(App("p", [Bound(0)], [x]), Add(Bound(0), y), "x")) == "𝔼[x ~ p(· | x)](x + y)"
    assert to_unicode(Expect(App("p", [Bound(0)]), App("x", [Bound(0)]), "x")) == "𝔼[x' ~ p(·)](x(x'))"


@pytest.mark.parametrize("depth", [5_000])
@pytest.mark.parametrize("wrap", ["add", "mul", "stop", "grad", "pow", "sum"])
def test_deep_chains_print(depth: int, wrap: str) -> None:
    term: Term = x
    for _ in range(depth):
        if wrap == "add":
            term = Add(term, ONE)
        elif wrap == "mul":
            term = Mul(y, term)
        elif wrap == "stop":
            term = Stop(term)
        elif wrap == "grad":
            term = Grad("θ", term, Num(1))
        elif wrap == "pow":
            term = Pow(y, neg(term))
        else:
            term = Sum(ONE, y, term, "i")
    assert len(to_text(term)) > 2 * depth
    if wrap in ("add", "stop"):
        assert parse(to_unicode(term)) == term


def test_what_is_too_large_to_print_is_refused_and_summarised() -> None:
    term: Term = x
    for _ in range(100):
        term = Mul(term, term)
    with pytest.raises(TermError, match="nodes as a tree"):
        to_text(term)
    assert MAX_NODES == 2_000_000
    assert len(summary(term)) <= 200
    assert "…" in summary(term)
    assert summary(Add(x, y)) == "x + y"
    wide = Add(*[App("f", [Num(k)]) for k in range(1_000)])
    assert summary(wide, 40).startswith("f(0) + f(1)")
    assert len(summary(wide, 40)) <= 40
    assert summary(Prod(ONE, x, Fn("cases", x, y, term), "t"), 30)


def test_names_without_ascii_spelling_stay() -> None:
    assert ascii_name("é") == "é"
    assert to_text(Sym("é")) == "é"
    assert to_text(Mul(Sym("θ̂"), Sym("Ẑ"))) == "thetahat * Zhat"


def test_large_numbers_print() -> None:
    big = Num(10**9_000 + 7)
    assert to_text(big) == "1" + "0" * 8_999 + "7"
    assert to_text(Num(-(10**9_000))) == "-1" + "0" * 9_000
