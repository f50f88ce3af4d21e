"""The reading rules of the language, one by one."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import pytest
from lark import Lark
from lark.exceptions import GrammarError
from lark.lexer import Lexer

from surrogate_calculus.errors import ParseError, Span, TermError
from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.lalr import table
from surrogate_calculus.language.latex_builder import LatexBuilder
from surrogate_calculus.language.parser import parse, parse_with_spans
from surrogate_calculus.language.scanner import MAX_NESTING
from surrogate_calculus.language.statements import StatementBuilder
from surrogate_calculus.language.terms import (
    ONE,
    Add,
    App,
    Axis,
    Bound,
    Eval,
    Expect,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)

a, b, c, x, y, k, N, θ = (Sym(n) for n in ("a", "b", "c", "x", "y", "k", "N", "θ"))
MINUS = Num(-1)
px = App("p", [x])
f = App("f", [x], params=[θ])


def half(numerator: int, denominator: int = 2) -> Num:
    return Num(Fraction(numerator, denominator))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        # numbers are exact
        ("0.25", half(1, 4)),
        ("2/3", half(2, 3)),
        ("2/3*x", Mul(half(2, 3), x)),
        ("x/2", Mul(x, half(1))),
        ("-3", Num(-3)),
        ("2/3/5", half(2, 15)),
        # sums and products: chains are flat, parentheses stay
        ("a + b - c", Add(a, b, Mul(MINUS, c))),
        ("(a + b) + c", Add(Add(a, b), c)),
        ("a*b/c", Mul(a, b, Pow(c, MINUS))),
        ("a*(b*c)", Mul(a, Mul(b, c))),
        ("1/b", Pow(b, MINUS)),
        ("1/b*c", Mul(Pow(b, MINUS), c)),
        ("a - 2*b", Add(a, Mul(Num(-2), b))),
        ("-a*b", Mul(MINUS, a, b)),
        ("-(a*b)", Mul(MINUS, Mul(a, b))),
        ("1*x", Mul(ONE, x)),
        # powers
        ("a^b^c", Pow(a, Pow(b, c))),
        ("-x^2", Mul(MINUS, Pow(x, Num(2)))),
        ("2^-x", Pow(Num(2), Mul(MINUS, x))),
        ("b^-2", Pow(b, Num(-2))),
        ("2^-1", Pow(Num(2), MINUS)),
        ("x²", Pow(x, Num(2))),
        ("a/b^2", Mul(a, Pow(Pow(b, Num(2)), MINUS))),
        # prefixes: tighter than *, looser than application and ^, unless a parenthesis is right behind
        ("log p(x)^2", Fn("log", Pow(px, Num(2)))),
        ("log(x)^2", Pow(Fn("log", x), Num(2))),
        ("∇θ f(x;θ)^2", Grad("θ", Pow(f, Num(2)))),
        ("∇θ(f(x;θ))^2", Pow(Grad("θ", f), Num(2))),
        ("a * ∇θ log p(x)", Mul(a, Grad("θ", Fn("log", px)))),
        ("log x * y", Mul(Fn("log", x), y)),
        ("⊥ → x", Stop(Eval(x))),
        ("⊥x^2", Stop(Pow(x, Num(2)))),
        ("→log exp x", Eval(Fn("log", Fn("exp", x)))),
        ("2^log(x)", Pow(Num(2), Fn("log", x))),
        # juxtaposition before ∇ Σ ∏ 𝔼 log exp
        ("a log y", Mul(a, Fn("log", y))),
        ("f(x;θ) ∇θ log p(x)", Mul(f, Grad("θ", Fn("log", px)))),
        ("1/N Σ[k=1..N](x)", Mul(Pow(N, MINUS), Sum(ONE, N, x))),
        ("a exp(b) ∏[k=1..N](x)", Mul(a, Fn("exp", b), Prod(ONE, N, x))),
        ("∇θ f(x;θ) log p(x)", Mul(Grad("θ", f), Fn("log", px))),
        # gradients
        ("∇²θ x", Grad("θ", Grad("θ", x))),
        ("∇^2[θ](x)", Grad("θ", Grad("θ", x))),
        ("hess[theta](x)", Grad("θ", Grad("θ", x))),
        ("grad[theta](x)", Grad("θ", x)),
        ("∇φ ∇θ x", Grad("φ", Grad("θ", x))),
        ("∇[θ@2](x)", Grad("θ", x, Axis(2))),
        ("∇[θ[k-1]](x)", Grad("θ", x, Add(k, MINUS))),
        ("∇θ (x)", Grad("θ", x)),
        # names before brackets
        ("p(x, y | a; θ)", App("p", [x, y], [a], [θ])),
        ("f(;θ)", App("f", params=[θ])),
        ("f()", App("f")),
        ("E[k]", Indexed("E", k)),
        ("D[k]*x", Mul(Indexed("D", k), x)),
        ("Σ", Sym("Σ")),
        ("Σ*2", Mul(Sym("Σ"), Num(2))),
        ("Σ[k]*2", Mul(Indexed("Σ", k), Num(2))),
        ("stop + sum*eval", Add(Sym("stop"), Mul(Sym("sum"), Sym("eval")))),
        ("pi", Sym("π")),
        ("pi()", Fn("pi")),
        ("π(a|x)", App("π", [a], [x])),
        ("x'", Sym("x'")),
        ("w[t-1, a[t,i]]", Indexed("w", Add(Sym("t"), MINUS), Indexed("a", Sym("t"), Sym("i")))),
        # partial derivatives
        ("D[2](f)(x; θ)", App("f", [x], params=[θ], partials=[(2, None)])),
        ("D[2,1](f)(x; θ)", App("f", [x], params=[θ], partials=[(1, None), (2, None)])),
        ("D[2@1](f)(x;θ)", App("f", [x], params=[θ], partials=[(2, Axis(1))])),
        ("D[2[k]](f)(x;θ)", App("f", [x], params=[θ], partials=[(2, k)])),
        # brackets and cases
        ("[a > b]", Fn("gt", a, b)),
        ("[a < b]", Fn("gt", b, a)),
        ("[a >= b] + [a ≤ b]", Add(Fn("ge", a, b), Fn("ge", b, a))),
        ("[k = @1]", Fn("eq", k, Axis(1))),
        ("cases([a > b]: x, else: y)", Fn("cases", Fn("gt", a, b), x, y)),
        ("cases(a > b: x, c: y, else: 1)", Fn("cases", Fn("gt", a, b), x, Fn("cases", c, y, ONE))),
        # binders
        ("Σ[i=1..N](w[i])", Sum(ONE, N, Indexed("w", Bound(0)))),
        ("Sigma[i=1..N] w[i]", Sum(ONE, N, Indexed("w", Bound(0)))),
        ("∑[i=1..N](Σ[j=1..i](i*j))", Sum(ONE, N, Sum(ONE, Bound(0), Mul(Bound(1), Bound(0))))),
        ("prod[i=1..N](i)*i", Mul(Prod(ONE, N, Bound(0)), Sym("i"))),
        ("𝔼[x ~ p(·; θ)](x)", Expect(App("p", [Bound(0)], params=[θ]), Bound(0))),
        ("E[x ~ p(.|x)](x)", Expect(App("p", [Bound(0)], [x]), Bound(0))),
        ("𝔼[x∼p(⋅), y ~ q(·|x)](x*y)",
         Expect(App("p", [Bound(0)]), Expect(App("q", [Bound(0)], [Bound(1)]), Mul(Bound(1), Bound(0))))),
        # other spellings of the same
        ("detach(x) + sg(x) + stop_gradient(x) + stop(x)", Add(*[Stop(x)] * 4)),
        ("eval(x) − ϑ", Add(Eval(x), Mul(MINUS, θ))),
        ("ϕ + \u00b5 + ϵ", Add(Sym("φ"), Sym("μ"), Sym("ε"))),
    ],
)  # fmt: skip
def test_reading_rules(text: str, term: Term) -> None:
    assert parse(text) == term


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("∇θ f(x;θ) ⊗ ∇θ g(x;θ)", "∇[θ@1](f(x;θ)) * ∇[θ@2](g(x;θ))"),
        ("outer(∇θ f(x;θ), ∇θ g(x;θ))", "∇[θ@1](f(x;θ)) * ∇[θ@2](g(x;θ))"),
        ("∇θ f(θ) ⊗ ∇θ f(θ) ⊗ ∇θ f(θ)", "∇[θ@1](f(θ)) * ∇[θ@2](f(θ)) * ∇[θ@3](f(θ))"),
        ("∇θ f(θ) ⊗ (2*∇θ f(θ)) + ∇²θ g(θ)",
         "∇[θ@1](f(θ)) * (2*∇[θ@2](f(θ))) + ∇[θ@2](∇[θ@1](g(θ)))"),
        ("∇φ ∇θ g(;θ)", "∇φ(∇[θ@1](g(;θ)))"),
        ("a*∇θ f(;θ)/2", "a*∇[θ@1](f(;θ))/2"),
    ],
)  # fmt: skip
def test_vectors(text: str, same: str) -> None:
    declared = text.replace("(θ)", "(;θ)")
    assert parse(declared, vector=("theta",)) == parse(same.replace("(θ)", "(;θ)"))


@pytest.mark.parametrize("text", ["∇θ f(;θ) * ∇θ f(;θ)", "∇θ f(;θ) + 1", "exp(∇θ f(;θ))", "(∇θ f(;θ))^2"])
def test_vectors_do_not_multiply_or_add_to_scalars(text: str) -> None:
    with pytest.raises(TermError):
        parse(text, vector=("θ",))
    parse(text)


def test_alpha_equivalent_terms_are_equal() -> None:
    assert parse("Σ[i=1..N](w[i]*Σ[j=1..i](v[j]))") == parse("Σ[m=1..N](w[m]*Σ[i=1..m](v[i]))")
    assert parse("Σ[i=1..N](i*k)") != parse("Σ[k=1..N](k*k)")
    assert hash(parse("𝔼[x ~ p(·)](x)")) == hash(parse("𝔼[z ~ p(·)](z)"))


def test_spans_follow_the_paths() -> None:
    text = "a - Σ[i=1..N](w[i] / ⊥(b)) * log p(x; θ)"
    term, spans = parse_with_spans(text)

    def at(*path: int) -> str:
        span = spans[path]
        return text[span.start : span.end]

    assert spans[()] == Span(0, len(text))
    assert at(0) == "a"
    assert at(1) == "- Σ[i=1..N](w[i] / ⊥(b)) * log p(x; θ)"
    assert at(1, 0) == "-"
    assert at(1, 1) == "Σ[i=1..N](w[i] / ⊥(b))"
    assert at(1, 1, 0) == "1"
    assert at(1, 1, 2) == "w[i] / ⊥(b)"
    assert at(1, 1, 2, 0, 0) == "i"
    assert at(1, 1, 2, 1, 0) == "⊥(b)"
    assert at(1, 1, 2, 1, 0, 0) == "b"
    assert at(1, 2, 0, 1) == "θ"
    assert at(1, 1, 2, 1, 1) == "/ ⊥(b)"  # the -1 has no text of its own
    assert term.args[1].args[2].args[0].args[1] == θ


def test_nesting_up_to_the_limit() -> None:
    assert parse("(" * MAX_NESTING + "x" + ")" * MAX_NESTING) == x
    term = parse("⊥(" * MAX_NESTING + "x" + ")" * MAX_NESTING)
    for _ in range(MAX_NESTING):
        term = term.args[0]
    assert term is not None and term == x
    with pytest.raises(ParseError, match="nest deeper"):
        parse("⊥(" * (MAX_NESTING + 1) + "x" + ")" * (MAX_NESTING + 1))


def test_long_chains() -> None:
    assert len(parse("+".join(["a*b"] * 5_000)).args) == 5_000
    assert parse("log " * 20_000 + "x").args[0].key == "log"


def test_a_parse_leaves_nothing_behind() -> None:
    with pytest.raises(ParseError):
        parse("Σ[i=1..N](i")
    with pytest.raises(ParseError):
        parse("Σ[i=1..N](i +)")
    assert parse("i") == Sym("i")


def lalr(grammar: str) -> Lark:
    class Silent(Lexer):
        def __init__(self, _: object) -> None:
            pass

        def lex(self, lexer_state: object, parser_state: object):
            return iter(())

    starts = ["expression", "statement", "heading"]
    return Lark(grammar, parser="lalr", lexer=Silent, start=starts, strict=True)


def test_the_grammar_has_no_conflicts() -> None:
    text = files("surrogate_calculus.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    lalr(text)
    ambiguous = text.replace("    | factors big ", "    | factors operand ", 1)
    assert ambiguous != text
    with pytest.raises(GrammarError, match="conflict"):
        lalr(ambiguous)


def test_every_rule_has_its_method() -> None:
    builder = StatementBuilder(Document(), "DERIVE")
    for name in table("grammar.lark", "expression", "statement", "heading").methods:
        assert callable(getattr(builder, name, None)) or name.startswith("$"), name
    latex = LatexBuilder("", None, ())
    for name in table("latex.lark", "formula").methods:
        assert callable(getattr(latex, name, None)) or name.startswith("$"), name
