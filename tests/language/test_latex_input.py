r"""LaTeX as input: what it reads as, what it refuses, and what it says then."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import GrammarError
from lark.lexer import Lexer
from timing import within

from surrogate_calculus.errors import DeclarationError, ParseError, SurrogateError, TermError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.latex_builder import LatexBuilder
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.scanner import MAX_NESTING, MAX_TEXT
from surrogate_calculus.language.terms import App, Axis, Grad, Mul, Num, Pow, Sym

DOCUMENT = parse_document(
    """
count N, T, K
index k = 1..K
parameter θ, β[k]
index i, j = 1..N; index t = 1..T
observed y[t]
variable w[t,i], a[t,i], x[t,i], u[t,i], z
density p(x, y; θ), q(x; β), r(s; θ)
function f(x; θ)
define W[t] = Σ[i](w[t,i])
"""
)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        # Products, fractions, signs.
        (r"a b c", "a*b*c"),
        (r"a \cdot b \times c", "a*b*c"),
        (r"2 x", "2*x"),
        (r"\frac{a b}{c}", "a*b/c"),
        (r"\frac{a}{b} c", "a/b*c"),
        (r"\frac{a}{b c}", "a/(b*c)"),
        (r"\frac{a}{{b} {c}}", "a/b/c"),
        (r"\frac{a}{{b} {c^2}}", "a/b*c^(-2)"),
        (r"\frac{1}{b} c", "1/b*c"),
        (r"\frac{2}{3} x", "2/3*x"),
        (r"\frac12 x", "1/2*x"),
        (r"\frac xy", "x/y"),
        (r"\dfrac{a + b}{2}", "(a + b)/2"),
        (r"-2 x + y - 3", "-2*x + y - 3"),
        (r"-x y", "-x*y"),
        (r"-(x y)", "-(x*y)"),
        (r"(a + b) c", "(a + b)*c"),
        (r"a \left( b + c \right) d", None),
        (r"2 \bigl( b + c \bigr)", "2*(b + c)"),
        (r"x^{-1}", "x^-1"),
        (r"x^{a^b}", "x^a^b"),
        (r"\left(x^{a}\right)^{b}", "(x^a)^b"),
        (r"0.25 x", "1/4*x"),
        # Prefixes bind tighter than products; with a parenthesis they are calls.
        (r"f(x;\theta) \nabla_\theta \log p(x;\theta)", "f(x;θ) * ∇θ log p(x;θ)"),
        (r"\log p(x)^2", "log p(x)^2"),
        (r"\log(x)^2", "log(x)^2"),
        (r"\log(x) y", "log(x)*y"),
        (r"(\log x) y", "(log x)*y"),
        (r"\log x \cdot y", "log(x)*y"),
        (r"\nabla_{\theta} \frac{a}{b}", "∇θ(a/b)"),
        (r"\nabla_\theta(E)^2", "∇θ(E)^2"),
        (r"\nabla^2_\theta f(x;\theta)", "∇²θ f(x;θ)"),
        (r"\nabla_\theta^3 f(x;\theta)", "∇^3[θ](f(x;θ))"),
        (r"\nabla_\phi \nabla_\theta f(x;\theta,\phi)", "∇φ ∇θ f(x;θ,φ)"),
        (r"\nabla_{\beta_{k}} q(x;\beta)", "∇[β[k]](q(x;β))"),
        (r"\log \sum_{i=1}^N w_i", "log(Σ[i=1..N](w[i]))"),
        (r"\sin x", "sin(x)"),
        (r"\operatorname{softplus}(x) \sqrt{x}", "softplus(x)*sqrt(x)"),
        (r"\mathrm{softplus}(x)", "softplus(x)"),
        (r"\left|x\right| \lvert y \rvert", "abs(x)*abs(y)"),
        (r"\max(a, b)", "max(a, b)"),
        (r"\mathrm{\pi} \pi", "pi()*π"),
        # ⊥ and →.
        (r"\frac{p(x;\theta)}{\bot(p(x;\theta))} f(x)", "p(x;θ)/⊥(p(x;θ))*f(x)"),
        (r"\perp\left(E\right)", "⊥(E)"),
        (r"\operatorname{stop}(x) + \operatorname{sg}(x)", "⊥(x) + ⊥(x)"),
        (r"\overrightarrow{\nabla_\theta E}", "→(∇θ(E))"),
        # Densities: the subscript is the parameter.
        (r"p_\theta(x, y)", "p(x, y; θ)"),
        (r"p_\theta(x \mid z)", "p(x | z; θ)"),
        (r"p(x | z; \theta)", "p(x | z; θ)"),
        (r"p_{\theta, \phi}(x)", "p(x; θ, φ)"),
        (r"\partial_{2} f(x; \theta)", "D[2](f)(x; θ)"),
        (r"\partial_1 \partial_{2} f(x; \theta)", "D[1,2](f)(x; θ)"),
        (r"\partial_{2[k]} f(x; \beta)", "D[2[k]](f)(x; β)"),
        # Families; in a bare expression a superscript is a power.
        (r"\bar w_{t,i}", "w̄[t,i]"),
        (r"x_{t-1, a_{t,i}}", "x[t-1, a[t,i]]"),
        (r"x_i^2", "x[i]^2"),
        (r"x^2_i", "x[i]^2"),
        # Binders: Σ and ∏ extend over the rest of the product.
        (r"\sum_{i=1}^{N} w_i x_i + c", "Σ[i=1..N](w[i]*x[i]) + c"),
        (r"\sum^{N}_{i=1} (x_i + 1)", "Σ[i=1..N](x[i] + 1)"),
        (r"\left(\sum_{i=1}^N x_i\right) y", "Σ[i=1..N](x[i])*y"),
        (r"\prod_{t=1}^T \sum_{i=1}^N w_{t,i}", "∏[t=1..T](Σ[i=1..N](w[t,i]))"),
        (r"\mathbb{E}_{x \sim p(\cdot;\theta)}[f(x)]", "𝔼[x ~ p(·;θ)](f(x))"),
        (r"\mathbb E_{x \sim p}[x]", "𝔼[x ~ p(·)](x)"),
        (r"\overline{w}_i \widehat{Z} \widetilde{x}", "w̄[i]*Ẑ*x̃"),
        (r"\frac{d}{d \cdot x} + \frac{a}{d x} + \frac{d}{x d}", "d/(d*x) + a/(d*x) + d/(x*d)"),
        (r"x^{(a+b)} + x^{(a)(b)}", "x^(a+b) + x^(a*b)"),
        (r"\mathbb{E}_{x \sim p_\theta}\left[f(x)\right] a", "𝔼[x ~ p(·;θ)](f(x))*a"),
        (r"\mathbb{E}_{x \sim p_\theta(x | y)}[f(x)]", "𝔼[x ~ p(·|y;θ)](f(x))"),
        (r"\mathbb{E}_{\mid 0}[f(x)]", "𝔼[· | 0](f(x))"),
        (r"\mathbb{E}_{x \sim p, y \sim q(\cdot \mid x)}[y]", "𝔼[x ~ p(·), y ~ q(·|x)](y)"),
        # Conditions.
        (r"[a > b] [a \leq b]", "[a > b]*[a <= b]"),
        (
            r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
            "cases(x > 0: x, else: 0)",
        ),
        # Names.
        (r"\bar{w}' + \tilde{x} + \hat Z + \mathrm{loss}", "w̄' + x̃ + Ẑ + loss"),
        (r"\mathrm{w\_1} + x''", "w_1 + x''"),
        (r"\varphi + \vartheta + \epsilon", "φ + θ + ε"),
        (r"T^T", "T^T"),
        # Spacing and fences of a page.
        (r"$ a \, b \; c \quad d ~ e $", "a*b*c*d*e"),
        ("a % a comment\n + b", "a + b"),
        (r"\[ a \]", "a"),
    ],
)  # fmt: skip
def test_reads_as(latex: str, text: str | None) -> None:
    if text is None:  # a letter before "(" is a function: this is a(b + c) times d
        assert parse_latex(latex) == Mul(App("a", [Sym("b") + Sym("c")]), Sym("d"))
    else:
        assert parse_latex(latex) == parse(text)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\sum_t \sum_i w_t^i", "Σ[t](Σ[i](w[t,i]))"),
        (r"\sum_t \sum_i w_{t,i}^2", "Σ[t](Σ[i](w[t,i]^2))"),
        (r"\sum_t \sum_i (w_t^i)^2", "Σ[t](Σ[i](w[t,i]^2))"),
        (r"\sum_t \sum_i x_{t-1}^{a_t^i}", "Σ[t](Σ[i](x[t-1,a[t,i]]))"),
        (r"\sum_t \sum_i x_{t-1}^{(i)}", "Σ[t](Σ[i](x[t-1,i]))"),
        (r"\sum_t W^t", "Σ[t](W[t])"),
        (r"\sum_i s_i^2 + s^2", "Σ[i](s[i]^2) + s^2"),
        (r"\sum_t \sum_i s_t^i", "Σ[t](Σ[i](s[t,i]))"),
        (r"\sum_t W_t^2", "Σ[t](W[t]^2)"),
        (r"\theta^2 + z^2 + N^2", "θ^2 + z^2 + N^2"),
        (r"\nabla_\beta^2 q_\beta(z)", "∇²β q(z; β)"),
        (r"\nabla_\theta p_\theta(z, z)", "∇θ p(z, z; θ)"),
    ],
)
def test_reads_in_a_document_as(latex: str, text: str) -> None:
    assert parse_latex(latex, DOCUMENT) == parse(text, DOCUMENT)


def test_vectors_and_their_outer_products() -> None:
    first, second = (Grad("β", App("q", [Sym("x")], (), [Sym("β")]), Axis(n)) for n in (1, 2))
    outer = Mul(first, second)
    grad = r"(\nabla_\beta q(x;\beta))"
    assert parse_latex(grad + grad + r"^\top", vector=["β"]) == outer
    assert parse_latex(grad + r" \otimes " + grad, vector=["beta"]) == outer
    bold = r"(\nabla_{\boldsymbol{\beta}} q(x;\beta))"
    assert parse_latex(bold + bold + r"^{\top}") == outer
    halved = rf"f \frac{{{bold}}}{{2}} \otimes {bold}"
    assert parse_latex(halved) == Mul(Sym("f"), first, Num(1) / Num(2), second)
    assert parse_latex(r"\nabla_{\beta_{\langle 2 \rangle}} q(x;\beta)") == second
    with pytest.raises(TermError):
        parse_latex(bold + bold)
    with pytest.raises(TermError):
        parse_latex(bold + r" f^\top")


def test_a_division_by_a_product_is_not_the_product_of_divisions() -> None:
    a, b, c = map(Sym, "abc")
    assert parse_latex(r"\frac{a}{b c}") == Mul(a, Pow(Mul(b, c), Num(-1)))
    assert parse_latex(r"\frac{a}{{b}{c}}") == Mul(a, Pow(b, Num(-1)), Pow(c, Num(-1)))


@pytest.mark.parametrize(
    ("latex", "column", "what", "instead"),
    [
        ("", 1, "no formula", "expression"),
        (r"(a + b", 1, "never closed", ")"),
        (r"a + b)", 6, "closes nothing", "open"),
        (r"\left( a ]", 10, "meets the (", ") first"),
        (r"\frac{a}{b", 9, "never closed", "}"),
        (r"\frac{a}", 8, "too early", r"\frac{a}{b}"),
        (r"\frac{a}{0}", 1, "division by zero", "not 0"),
        (r"\log p(x) f(x)", 1, "two readings", r"(\log p(x)) f(x), or \log(p(x) f(x))"),
        (r"\nabla_\theta p f", 1, "two readings", r"(\nabla_\theta p) f, or \nabla_\theta(p f)"),
        (r"\bot f g", 1, "two readings", r"(\bot f) g, or \bot(f g)"),
        (r"\nabla p(x;\theta)", 8, "without its parameter", r"\nabla_{\theta}"),
        (r"\nabla_\theta^{x_{1}} f(x)", 16, "a count, an index", r"\nabla_{\theta}^{k+1}"),
        (r"x = y", 3, "equation", "one of its sides"),
        (r"a > b", 3, "comparison", r"\left[a > b\right]"),
        (r"|x|", 1, "outside the arguments", r"\left|x\right|"),
        (r"x^a^b", 4, "second superscript", r"x^{a^{b}}"),
        (r"x^12", 3, "without braces", "^{12}"),
        (r"x_", 2, "subscript", "w_{t, i}"),
        (r"\foo x", 1, "no command", r"\mathrm{foo}"),
        (r"\thet x", 1, "no command", r"\theta"),
        (r"theta x", 1, "product of letters", r"\theta"),
        (r"log x", 1, "product of letters", r"\log"),
        (r"loss + 1", 1, "product of letters", r"\mathrm{loss}"),
        (r"\mathbb{E}[x]", 11, "without its law", r"x \sim p(\cdot; \theta)"),
        (r"\mathbb{E}_{p(x)}[f]", 14, "without its law", r"x \sim p(\cdot; \theta)"),
        (r"p(\cdot)", 3, "placeholder", r"\mathbb{E}_{x \sim p(\cdot; \theta)}"),
        (r"\sum_i x_i", 1, "range of i", r"\sum_{i=1}^{N}"),
        (r"\sum x_i", 6, "without its range", r"\sum_{i=1}^{N}"),
        (r"\sum_{i=1}^{N} i_{k}", 16, "bound here", "another name"),
        (r"w_i (f - b)", 1, "looks like an index", r"w_i \cdot (…)"),
        (r"f^2(x)", 1, "two readings", "f(…)^{2}"),
        (r"\log^2 x", 1, "a power between", r"\left(\log x\right)"),
        (r"\partial_\theta f(x)", 10, "number of a slot", r"\nabla_{\theta}"),
        (r"\partial_3 f(x)", 10, "none with the number 3", "from 1"),
        (r"\partial_{1} f(x)^2", 1, "two readings", r"\left(\partial_{1} f(x)\right)"),
        (r"\hat{w_i}", 1, "more than one letter", r"\bar{w}_{i}"),
        (r"{a+b} c", 1, "not seen", "(a+b)"),
        (r"{a b}", 1, "not seen", "(a b)"),
        (r"x - {a b}", 5, "not seen", "(a b)"),
        (r"\frac{a}{{b c}}", 10, "not seen", "(b c)"),
        (r"\frac{a {b c}}{d}", 9, "not seen", "(b c)"),
        (r"A^\top", 1, "without a vector", r"A B^\top"),
        (r"x[t]", 2, "behind a name", "w_{t}"),
        (r"w_{ti}", 4, "two letters", "t,i"),
        (r"x 2", 3, "number right behind", r"x \cdot 2"),
        (r"a / b", 3, "no LaTeX", r"\frac{a}{b}"),
        (r"\sqrt[3]{x}", 1, "root", r"x^{\frac{1}{n}}"),
        (r"\begin{cases} a & \text{if } x > 0 \end{cases}", 15, "condition", "otherwise"),
        (r"\begin{matrix} a \end{matrix}", 1, "environment", "cases"),
        (r"\int f", 1, "no command", r"\mathbb{E}"),
        (r"\frac{d}{d\theta} f", 1, "Leibniz", r"\nabla_{\theta} f"),
        (r"\frac{d f}{d x}", 1, "Leibniz", r"\nabla_{x} f"),
        (r"x^{(i)} y", 1, "two readings", r"x_{i} for an index, x^{i} for a power"),
        (r"\theta^{\left( 2 \right)}", 1, "two readings", r"\theta_{2} for an index"),
        (r"\theta_{old}", 9, "two letters", r"\mathrm{old} for one name"),
        (r"\mathbb D", 1, "other than the expectation", r"\mathbb{E}"),
        (r"\color{red} x", 1, "no command", "leave it away"),
        (r"\arg\max x", 1, "no command", "argmax"),
        (r"\sum_{j \ne i} x", 9, "no command", "1 - [a = b]"),
        (r"\stackrel{a}{b}", 1, "no command", r"\mathrm{stackrel}"),
        (r"a +", 3, "too early", "write"),
        (r"\max(a)", 1, "two arguments", r"\max(a, b)"),
        (r"\langle 0 \rangle", 9, "from 1", r"\langle 1 \rangle"),
        ("a +\n  b_{i} ]", 9, "closes nothing", "open"),
    ],
)  # fmt: skip
def test_refuses(latex: str, column: int, what: str, instead: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_latex(latex)
    error = caught.value
    assert what in error.what
    assert error.instead is not None and instead in error.instead
    assert (error.line, error.column) == (latex.count("\n") + 1, column)
    message = str(error)
    assert message.startswith(f"line {error.line}, column {column}: ")
    assert "^" in message.splitlines()[2]


@pytest.mark.parametrize(
    ("latex", "what", "instead"),
    [
        (r"\sum_t \sum_i w_t^2", "a free index", r"w_{t, 2} for the index, \left(w_t\right)^{2}"),
        (r"\sum_t \sum_i w_{t}^{i} (z + 1)", "cannot be applied", r"\cdot (…)"),
        (r"\nabla_\gamma f(z; \gamma)", "γ is not declared", r"\theta"),
        (r"p_\theta(z)", "applied otherwise", r"p(x, y; \theta)"),
        (r"\theta (z + 1)", "cannot be applied", r"\theta \cdot (…)"),
        (r"i + 1", "out of scope", r"\sum_{i}"),
        (r"\sum_{m} z", "not declared as an index", r"\sum_{m=1}^{N}"),
        (r"\gamma", "not declared", "variable γ"),
    ],
)
def test_refuses_against_declarations(latex: str, what: str, instead: str) -> None:
    with pytest.raises((DeclarationError, ParseError)) as caught:
        parse_latex(latex, DOCUMENT)
    assert what in caught.value.what
    assert caught.value.instead is not None and instead in caught.value.instead
    assert caught.value.line == 1


def test_an_expectation_over_a_bare_stop_is_refused() -> None:
    with pytest.raises(TermError, match=r"section 2\.2"):
        parse_latex(r"\mathbb{E}_{x \sim p(\cdot;\theta)}[\bot(f(x))]")
    parse_latex(r"\mathbb{E}_{x \sim p(\cdot;\theta)}[\overrightarrow{\bot(f(x))}]")


@pytest.mark.parametrize(
    "latex",
    [
        "(" * MAX_TEXT,
        "{" * MAX_TEXT,
        "_" * MAX_TEXT,
        "x " * (MAX_TEXT // 2 - 1) + ")",
        "x^" * (MAX_TEXT // 2),
        "a" * MAX_TEXT,
        "1" * MAX_TEXT,
        "x" * (MAX_TEXT + 1),
        r"\frac" * (MAX_TEXT // 5),
        r"\bar" * (MAX_TEXT // 4),
        r"\left|" * (MAX_TEXT // 6),
        "'" * MAX_TEXT,
        "(" * (MAX_NESTING + 1) + "x" + ")" * (MAX_NESTING + 1),
    ],
    ids=lambda text: text[:6],
)
def test_large_nonsense_is_refused_at_once(latex: str) -> None:
    parse_latex("x")  # the table is made once
    with within(1), pytest.raises(ParseError) as caught:
        parse_latex(latex)
    assert len(str(caught.value)) < 1_000


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse_latex("(" * MAX_NESTING + "x" + ")" * MAX_NESTING) == Sym("x")


_PIECES = st.sampled_from(
    [
        "x", "y", "p", r"\theta", r"\bar{w}", "N", "1", "2", "0", "+", "-", r"\cdot ", r"\otimes ", "^", "_",
        "{", "}", "(", ")", "[", "]", r"\left(", r"\right)", r"\left|", r"\right|", r"\frac", r"\sum",
        r"\prod", r"\mathbb{E}", r"\sim ", r"\nabla", r"\log ", r"\bot", r"\overrightarrow", r"\partial",
        ",", ";", "|", "=", ">", r"\begin{cases}", r"\end{cases}", "&", r"\\", r"\text{if }",
        r"\text{otherwise}", r"\top", "'", " ", r"\langle ", r"\rangle ", r"\mathrm{loss}", r"\foo", "$",
        ".", "é", "∞", "\\", r"\sqrt", r"\max", "\n",
    ]
)  # fmt: skip


def refusal(latex: str) -> SurrogateError | None:
    try:
        parse_latex(latex)
    except SurrogateError as error:
        return error
    return None


@settings(max_examples=500, deadline=None)
@given(st.lists(_PIECES, max_size=12).map("".join))
def test_any_text_is_read_or_refused_with_a_place_and_advice(latex: str) -> None:
    refused = refusal(latex)
    if refused is not None:
        assert refused.line is not None and refused.column is not None
        assert refused.instead


def lalr(grammar: str) -> Lark:
    class NoLexer(Lexer):
        def __init__(self, _: object) -> None:
            pass

        def lex(self, lexer_state: object, parser_state: object):
            return iter(())

    return Lark(grammar, parser="lalr", lexer=NoLexer, start="formula", strict=True)


def test_the_grammar_has_no_conflicts() -> None:
    grammar = files("surrogate_calculus.language").joinpath("latex.lark").read_text(encoding="utf-8")
    for rule in lalr(grammar).rules:
        assert hasattr(LatexBuilder, rule.alias or str(rule.origin.name)), rule
    ambiguous = grammar.replace("    | prefix operand ", "    | prefix product ", 1)
    assert ambiguous != grammar
    with pytest.raises(GrammarError, match="conflict"):
        lalr(ambiguous)
