r"""LaTeX reads like a paper and is read back as the very same term."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, example, given, settings
from strategies_terms import terms

from surrogate_calculus.errors import TermError
from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import (
    ONE,
    Add,
    App,
    Axis,
    Bound,
    Eval,
    Fn,
    Grad,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)
from surrogate_calculus.printing.latex import to_latex

x, y, b, c, θ = map(Sym, "xybcθ")
MINUS = Num(-1)
p = App("p", [x], (), [θ])
score = [Grad("θ", Fn("log", p), Axis(n)) for n in (1, 2, 3)]
roundtrips = settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))


@roundtrips
@given(terms(conditional=False))
@example(Mul(ONE, Pow(b, MINUS)))
@example(Mul(Num(2), Num(Fraction(1, 3)), x))
@example(Mul(Num(2), Pow(b, MINUS), Num(Fraction(1, 3))))
@example(Mul(MINUS, Num(2), x))
@example(Mul(MINUS, Num(-2)))
@example(Mul(MINUS, Mul(x, y)))
@example(Mul(x, Pow(b, MINUS), Pow(c, Num(-2))))
@example(Mul(x, Pow(b, MINUS), Pow(Pow(c, Num(2)), MINUS)))
@example(Mul(x, Pow(Mul(b, c), MINUS)))
@example(Pow(Pow(b, Num(2)), MINUS))
@example(Pow(Num(-2), Num(Fraction(-1, 2))))
@example(Mul(x, Fn("log", p), y))
@example(Mul(score[1], score[0]))
@example(Mul(x, score[0], Pow(b, MINUS), score[1], Pow(c, MINUS), score[2]))
@example(Mul(Sum(ONE, x, y), Prod(ONE, x, Bound(0))))
def test_latex_parses_back(term: Term) -> None:
    latex = to_latex(term)
    assert parse_latex(latex) == term, latex
    assert latex.count("{") == latex.count("}")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        # Never a dropped parenthesis.
        ("(a + b)*c", "(a + b) c"),
        ("c*(a + b)", r"c \cdot (a + b)"),
        ("(a^b)^c", "(a^{b})^{c}"),
        ("a^b^c", "a^{b^{c}}"),
        ("-(a + b)", "-(a + b)"),
        ("-(a*b)", "-(a b)"),
        ("a/(b*c)", r"\frac{a}{b c}"),
        ("a/b/c", r"\frac{a}{{b} {c}}"),
        ("(a*b)/c", r"\frac{{a b}}{c}"),
        ("x*((a*b)/c)", r"x \cdot \left(\frac{{a b}}{c}\right)"),
        ("(a*b)*c", "(a b) c"),
        ("(a + b) + c", "(a + b) + c"),
        ("log(a + b)", r"\log(a + b)"),
        ("log(x)^2", r"(\log x)^{2}"),
        ("log(x^2)", r"\log(x^{2})"),
        ("(-x)^2", "(-x)^{2}"),
        ("x[i]^2*x[i]^y", "x_{i}^{2} \\cdot (x_{i})^{y}"),
        ("(1/2)^x", r"\left(\frac{1}{2}\right)^{x}"),
        ("(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
        ("Σ[i=1..N](a[i])*b", r"\left(\sum_{i=1}^{N} a_{i}\right) b"),
        ("b*Σ[i=1..N](a[i])", r"b \sum_{i=1}^{N} a_{i}"),
        ("Σ[i=1..N](a[i] + b)", r"\sum_{i=1}^{N} (a_{i} + b)"),
        ("a - (b - c)", "a - (b - c)"),
        ("∇θ(f(x;θ) + 1)*c", r"(\nabla_{\theta}(f(x; \theta) + 1)) c"),
        ("c*∇θ(f(x;θ) + 1)", r"c \nabla_{\theta}(f(x; \theta) + 1)"),
        # Fractions.
        ("p(x;θ)/⊥(p(x;θ))*f(x)", r"\frac{p(x; \theta)}{\bot(p(x; \theta))} f(x)"),
        ("-x/2 + 1/b", r"-\frac{x}{2} + \frac{1}{b}"),
        ("2/3*x*b^-2", r"\frac{2}{3} \frac{x}{{b^{2}}}"),
        # The paper's formulas.
        (
            "f(x;θ) * ∇θ log p(x;θ) + ∇θ f(x;θ)",
            r"f(x; \theta) \nabla_{\theta} \log p(x; \theta) + \nabla_{\theta} f(x; \theta)",
        ),
        ("→(∇²θ(⊥(x)*p(x;θ)))", r"\overrightarrow{\nabla_{\theta}^{2}(\bot(x) p(x; \theta))}"),
        (
            "Σ[i=1..N](w̄[i]*∇θ log p(x[i], y; θ))",
            r"\sum_{i=1}^{N} \bar{w}_{i} \nabla_{\theta} \log p(x_{i}, y; \theta)",
        ),
        ("log(∏[t=1..T](V[t]))", r"\log \prod_{t=1}^{T} V_{t}"),
        ("𝔼[x ~ p(·|z;θ)](f(x))", r"\mathbb{E}_{x \sim p(\cdot \mid z; \theta)}\left[f(x)\right]"),
        ("∇^k[θ](log p(x;θ))*c", r"(\nabla_{\theta}^{k} \log p(x; \theta)) c"),
        ("∇^(k+1)[θ](a + b)", r"\nabla_{\theta}^{k + 1}(a + b)"),
        ("∇^(2)[θ](∇²θ(a))", r"\nabla_{\theta}^{(2)} \nabla_{\theta}^{2} a"),
        ("x[t-1, a[t,i]]", "x_{t - 1, a_{t, i}}"),
        ("D[1,2](f)(x;θ)", r"\partial_{1, 2} f(x; \theta)"),
        ("[a > b]*[a = b]", r"\left[a > b\right] \left[a = b\right]"),
        (
            "cases(x > 0: x, x = 0: y, else: 0)",
            r"\begin{cases} x & \text{if }x > 0 \\ y & \text{if }x = 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
        # Names and functions.
        ("w̄ + x̃' + Ẑ + loss_1", r"\bar{w} + \tilde{x}' + \hat{Z} + \mathrm{loss\_1}"),
        ("π + pi()", r"\pi + \mathrm{\pi}"),
        ("softplus(x) + exp(x) + sqrt(x)", r"\operatorname{softplus}(x) + \exp(x) + \sqrt{x}"),
        ("abs(x) + max(x, y)", r"\left|x\right| + \max(x, y)"),
    ],
)  # fmt: skip
def test_how_it_reads(text: str, latex: str) -> None:
    assert to_latex(parse(text)) == latex
    assert parse_latex(latex) == parse(text)


def test_vectors_are_bold_and_make_outer_products() -> None:
    one, two, _ = score
    log = r"\log p(x; \boldsymbol{\theta})"
    nabla = r"\nabla_{\boldsymbol{\theta}}"
    assert to_latex(one) == f"{nabla} {log}"
    assert to_latex(Grad("θ", one, Axis(2))) == rf"{nabla}^{{2}} {log}"
    assert to_latex(Mul(x, one, two)) == rf"x \cdot ({nabla} {log}) ({nabla} {log})^{{\top}}"
    assert to_latex(Mul(*score)) == rf"({nabla} {log}) \otimes ({nabla} {log}) \otimes {nabla} {log}"
    # Not in the order of the axes: the one that is not the next is written out.
    assert to_latex(Mul(two, one)) == rf"(\nabla_{{\theta_{{\langle 2 \rangle}}}} {log}) {nabla} {log}"
    assert to_latex(Grad("θ", p, Sym("k"))) == r"\nabla_{\theta_{k}} p(x; \theta)"


def test_bound_names_do_not_clash() -> None:
    nested = Sum(ONE, x, Sum(ONE, y, Mul(Bound(0), Bound(1)), "i"), "i")
    assert to_latex(nested) == r"\sum_{i=1}^{x} \sum_{i'=1}^{y} i' i"
    free = Sum(ONE, x, Mul(Bound(0), Sym("i")), "i")
    assert to_latex(free) == r"\sum_{i'=1}^{x} i' i"
    assert to_latex(Mul(Bound(0), Bound(1)), scope=["i", "j"]) == "j i"


@pytest.mark.parametrize(
    "wrap", ["add", "mul", "over", "stop", "arrow", "grad", "log", "power", "cases", "sum"]
)
def test_deep_chains_neither_recurse_nor_get_lost(wrap: str) -> None:
    step = {
        "add": lambda t: Add(x, Mul(Num(2), t)),
        "mul": lambda t: Mul(x, t),
        "over": lambda t: Mul(x, Pow(t, MINUS)),
        "stop": Stop,
        "arrow": Eval,
        "grad": lambda t: Grad("θ", t),
        "log": lambda t: Fn("log", t),
        "power": lambda t: Pow(t, y),
        "cases": lambda t: Fn("cases", x, y, t),
        "sum": lambda t: Sum(ONE, x, Mul(Bound(0), t)),
    }[wrap]
    term: Term = x
    for _ in range(500 if wrap == "sum" else 4_900):
        term = step(term)
    assert parse_latex(to_latex(term)) == term


def test_what_is_too_large_as_a_tree_is_refused() -> None:
    term: Term = x
    for _ in range(60):
        term = Add(term, term)
    with pytest.raises(TermError, match="symbols"):
        to_latex(term)


def test_numbers_of_any_length_print() -> None:
    assert to_latex(Num(10**5_000)) == "1" + "0" * 5_000


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(terms())
def test_only_commands_of_plain_latex_are_written(term: Term) -> None:
    known = {
        "frac", "left", "right", "cdot", "otimes", "mid", "sim", "geq", "bot", "nabla", "partial", "sum",
        "prod", "mathbb", "top", "overrightarrow", "sqrt", "langle", "rangle", "begin", "end", "text",
        "mathrm", "mathcal", "boldsymbol", "operatorname", "bar", "tilde", "hat", "log", "exp", "sin",
        "cos", "tan", "tanh",
        "max", "min", "theta", "phi", "pi", "sigma", "beta", "Sigma",
    }  # fmt: skip
    assert set(re.findall(r"\\([A-Za-z]+)", to_latex(term))) <= known


def test_a_quotient_of_ds_is_no_derivative() -> None:
    r"""``\frac{d}{d x}`` would be read as Leibniz's derivative, and is refused by the parser."""
    term = parse("d/(d*x) + d*f/(d*x^2)")
    assert r"d \cdot x" in to_latex(term)
    assert parse_latex(to_latex(term)) == term


def test_a_conditional_expectation_is_written_as_in_papers() -> None:
    latex = to_latex(parse("c*𝔼[· | t-1](→(x[t]))^2"))
    assert latex == (
        r"c \cdot \left(\mathbb{E}\left[\overrightarrow{x_{t}} \mid \mathcal{F}_{t - 1}\right]\right)^{2}"
    )
