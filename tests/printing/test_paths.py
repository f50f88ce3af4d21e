r"""Ranges as indices, ancestors and lineages: printed as in papers, and read back as the same term."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from language.documents import DPF
from strategies_terms import FAMILIES, SYMBOLS

from surrogate_calculus.errors import ParseError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Add, App, Bound, Fn, Indexed, Mul, Num, Prod, Sum, Sym, Term
from surrogate_calculus.printing.latex import to_latex
from surrogate_calculus.printing.mathml import to_mathml
from surrogate_calculus.printing.text import to_text, to_unicode

DOCUMENT = parse_document(DPF)


@st.composite
def paths(draw: st.DrawFn) -> Term:
    """A function of families at ranges, under binders whose indices may be ends of the ranges."""
    depth = draw(st.integers(0, 2))

    def index() -> Term:
        kinds: list[Term] = [Num(draw(st.integers(-1, 3))), Sym(draw(st.sampled_from(SYMBOLS)))]
        kinds += [Bound(k) for k in range(depth)]
        found = draw(st.sampled_from(kinds))
        change = draw(st.sampled_from([0, 0, 1, 2]))
        if change == 1:
            return Add(found, Num(draw(st.sampled_from([1, -1]))))
        return Indexed("a", found, Sym("i")) if change == 2 else found

    def path() -> Term:
        rest = [index() for _ in range(draw(st.integers(0, 2)))]
        return Indexed(draw(st.sampled_from(FAMILIES)), Fn("slice", index(), index()), *rest)

    args = [path() if draw(st.booleans()) else index() for _ in range(draw(st.integers(1, 3)))]
    given_ = [path() for _ in range(draw(st.integers(0, 1)))]
    term: Term = Mul(Num(2), App("f", [path(), *args], given_, [Sym("θ")]))
    for _ in range(depth):
        kind = draw(st.sampled_from([Sum, Prod]))
        term = kind(Num(1), Sym("N"), term, draw(st.sampled_from(["i", "t", "w"])))
    return term


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(paths())
def test_paths_parse_back(term: Term) -> None:
    for text in (to_text(term), to_unicode(term)):
        assert parse(text) == term, text
    latex = to_latex(term)
    assert parse_latex(latex) == term, latex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("f(x̃[1:T,1]; θ)", r"f(\tilde{x}_{1:T, 1}; \theta)"),
        ("Σ[i](f(x̃[1:T,i]; θ))", r"\sum_{i=1}^{N} f(\tilde{x}_{1:T}^{i}; \theta)"),
        ("Σ[i](p(x̃[1:T,i], y[1:T]; θ))", r"\sum_{i=1}^{N} p(\tilde{x}_{1:T}^{i}, y_{1:T}; \theta)"),
        ("f(y[2:T-1]; θ)", r"f(y_{2:T - 1}; \theta)"),
        (
            "Σ[t](Σ[i](f(x[t-1,a[t,i]]; θ)))",
            r"\sum_{t=1}^{T} \sum_{i=1}^{N} f(x_{t - 1}^{a_{t}^{i}}; \theta)",
        ),
        ("Σ[i](v̄[T,i])", r"\sum_{i=1}^{N} \bar{v}_{T}^{i}"),
        ("Σ[i](v̄[T,i]^2)", r"\sum_{i=1}^{N} (\bar{v}_{T}^{i})^{2}"),
        ("Σ[i](1/v[T,i]^2)", r"\sum_{i=1}^{N} \frac{1}{(v_{T}^{i})^{2}}"),
        ("Σ[i](v[T,i]^-2)", r"\sum_{i=1}^{N} \frac{1}{{(v_{T}^{i})^{2}}}"),
        ("Σ[i](2*v[T,i]^Z)", r"\sum_{i=1}^{N} 2 (v_{T}^{i})^{Z}"),
        ("Σ[i](f(x[T-1,ã[T-1,T,i]]; θ))", r"\sum_{i=1}^{N} f(x_{T - 1}^{\tilde{a}_{T - 1, T}^{i}}; \theta)"),
        ("V[T]^2 * v[T,2]", r"V_{T}^{2} v_{T, 2}"),
    ],
)
def test_as_in_papers(text: str, latex: str) -> None:
    term = parse(text, DOCUMENT)
    assert to_latex(term, given=DOCUMENT) == latex
    assert parse_latex(to_latex(term, given=DOCUMENT), DOCUMENT) == term
    assert parse_latex(to_latex(term)) == term
    assert parse(to_text(term), DOCUMENT) == parse(to_unicode(term), DOCUMENT) == term


def test_both_spellings_of_a_text() -> None:
    term = parse("Σ[i](v̄[T,i] * f(x̃[1:T,i]; θ) * f(x[T-1,ã[T-1,T,i]]; θ))", DOCUMENT)
    assert to_unicode(term) == "Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ) * f(x[T-1,ã[T-1,T,i]]; θ))"
    ascii_text = "sum[i=1..N](vbar[T,i] * f(xtilde[1:T,i]; theta) * f(x[T-1,atilde[T-1,T,i]]; theta))"
    assert to_text(term) == ascii_text


def test_mathml_of_a_path() -> None:
    term = parse("Σ[i](f(x̃[1:T,i]; θ))", DOCUMENT)
    path = "<mn>1</mn><mo>:</mo><mi>T</mi>"
    assert path in to_mathml(term) and path in to_mathml(term, given=DOCUMENT)
    assert "<msubsup>" in to_mathml(term, given=DOCUMENT)
    assert "<msubsup>" not in to_mathml(term) and "<msup>" not in to_mathml(term)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (r"\tilde{x}_{1:T}", "no argument"),
        (r"y^{1:T}", "one expression"),
        (r"a : b", "a colon"),
        (r"\sum_{i:1}^N x_i", "a colon"),
        (r"p_{1:T}(x)", "looks like an index"),
    ],
)
def test_a_range_stands_only_as_an_index_of_an_argument(text: str, part: str) -> None:
    with pytest.raises(ParseError, match=part):
        parse_latex(text)
