"""Each reading rule with what it reads, the explicit form of the same, and what it refuses."""

from __future__ import annotations

import unicodedata

import pytest

from surrogate_calculus.errors import DeclarationError, SurrogateError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.names import CALL_WORDS
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import App, Indexed, Sym

#: (the rule, a text, the same in full, a text that the rule refuses, a part of the refusal)
RULES: list[tuple[str, str, str, str, str]] = [
    ("prefixes bind tighter than *", "a*∇θ log p(x)*b", "a*(∇θ(log(p(x))))*b", "log", "log of nothing"),
    ("and looser than application and ^", "log p(x)^2", "log(p(x)^2)", "log^2 x", "log(x)^2"),
    ("∇θ f^2 is ∇(f²)", "∇θ f(θ)^2", "∇θ(f(θ)^2)", "∇θ", "∇θ of nothing"),
    ("a parenthesis right behind ends a prefix", "log(x)^2", "(log(x))^2", "log(x", "never closed"),
    ("the same for ∇", "∇θ(f(θ))^2", "(∇θ f(θ))^2", "∇(x)", "needs the parameter"),
    ("the same for ⊥ and →", "⊥(x)^2 + →(x)^2", "(⊥x)^2 + (→x)^2", "⊥", "⊥ of nothing"),
    ("^ is right-associative", "a^b^c", "a^(b^c)", "a^^b", "nothing stands behind ^"),
    ("-x^2 is -(x²)", "-x^2", "-(x^2)", "--x", "a - (-b)"),
    ("2^-x is allowed, log -x is not", "2^-x", "2^(-x)", "log -x", "log(-x)"),
    ("juxtaposition before ∇", "a ∇θ f(θ)", "a*∇θ f(θ)", "a b", "a*b"),
    ("before Σ and ∏", "a Σ[i=1..N](i) ∏[i=1..N](i)", "a*Σ[i=1..N](i)*∏[i=1..N](i)", "a sin(x)", "a*sin(…)"),
    ("before 𝔼", "a 𝔼[x ~ p(·)](x)", "a*𝔼[x ~ p(·)](x)", "a E[k]", "a*E"),
    ("before log and exp", "a log b", "a*log(b)", "2x", "2*x"),
    ("never before →", "a*→(b)", "a*eval(b)", "a →(b)", "a*→(…)"),
    ("never before ⊥", "a*⊥(b)", "a*stop(b)", "a ⊥ b", "a*⊥(…)"),
    ("NAME( is application", "x(y+1)", "x(y + 1)", "∇θ(f(θ))*θ(x)", "θ*(…)"),
    ("constants are not applied", "2*(x)", "2*x", "2(x)", "2*(…)"),
    ("an expectation has a ~", "E[x ~ p(.)](x)", "𝔼[x ~ p(·)](x)", "E[t](x)", "E[…]*(…)"),
    ("| is the conditional bar", "p(x | z)", "p(x|z)", "|x|", "abs(x)"),
    ("· is the placeholder", "𝔼[x ~ p(·, y)](x)", "E[x ~ p(., y)](x)", "a·b", "for a product write *"),
    ("Σ is a sum before [k=", "Σ[k=1..3](k)", "sum[k=1..3](k)", "Σ[k](k)", "the range of k"),
    ("primes belong to names", "x'*y", "x′*y", "'x", "prime"),
    ("words count before brackets only", "stop*sum", "(stop)*(sum)", "stop[x]", "stop(…)"),
    ("superscript digits are powers", "x²*θ⁻¹", "x^2*θ^-1", "²", "unexpected"),
    ("conditions stand in brackets", "[a > b]*[b = c]", "[b < a]*[b = c]", "a > b", "[a > b]"),
    ("partial derivatives have slots", "D[2](f)(x; θ)", "D[2](f)(x;theta)", "D[3](f)(x; θ)", "2 slot(s)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "same", "refused", "part"), [r[1:] for r in RULES], ids=[r[0] for r in RULES]
)
def test_rule(text: str, same: str, refused: str, part: str) -> None:
    assert parse(text) == parse(same)
    with pytest.raises(SurrogateError) as found:
        parse(refused)
    assert part in str(found.value), str(found.value)


@pytest.mark.parametrize("word", sorted({*CALL_WORDS, "log", "exp", "else"}))
@pytest.mark.parametrize(
    "statement", ["parameter {}", "count {}", "observed {}", "define {} = 1", "index {} = 1..3"]
)
def test_words_of_the_language_cannot_be_declared(word: str, statement: str) -> None:
    with pytest.raises(SurrogateError, match=r"word of the language|unexpected"):
        parse_document(statement.format(word))
    parse_document(statement.format(f"{word}_1"))


@pytest.mark.parametrize("kind", ["parameter", "count"])
def test_applying_what_is_declared_as_a_number(kind: str) -> None:
    with pytest.raises(DeclarationError, match=r"c\*\(…\)"):
        parse_document(f"{kind} c\nderive c(1 + 2)")
    parse_document(f"{kind} c\nderive c*(1 + 2)")


def test_names_are_composed_and_never_replaced() -> None:
    """NFC, never NFKC: 𝔼 is no E, ² no 2, ℒ no L."""
    for name in ("é", "ẑ", "w̄", "x̃", "Ẑ"):
        assert (
            parse(unicodedata.normalize("NFD", name))
            == parse(name)
            == Sym(unicodedata.normalize("NFC", name))
        )
    assert parse("ℒ") != parse("L")
    assert parse("ϕ + ϑ + ϵ − \u00b5") == parse("φ + θ + ε - μ")
    assert parse("wbar[i]*crowbar") == parse("w̄[i]*crowbar")
    assert parse("crowbar") == Sym("crowbar")
    assert parse("∑[i=1..N](i)") == parse("Σ[i=1..N](i)")
    assert parse("E[x ∼ p(.)](x)") == parse("E[x ~ p(.)](x)")


def test_pi_is_a_name_and_a_number() -> None:
    assert parse("π") == parse("pi") == Sym("π")
    assert parse("pi()") == parse("π()") != parse("π")
    assert parse("pi(a)") == App("π", [Sym("a")])  # a policy


def test_latex_superscripts_ask_the_document() -> None:
    document = parse_document(
        "count N, T\nparameter θ\nindex i = 1..N\nindex t = 1..T\nvariable w[t,i], y[t]\ndensity p(y; θ)"
    )
    source = r"\sum_{t=1}^T \sum_{i=1}^N "
    assert parse_latex(source + "w_t^i", document) == parse("Σ[t=1..T](Σ[i=1..N](w[t,i]))", document)
    assert parse_latex(r"\sum_{t=1}^T y_t^2", document) == parse("Σ[t=1..T](y[t]^2)", document)
    with pytest.raises(SurrogateError, match="for the index"):
        parse_latex(source + "w_t^2", document)
    assert parse_latex("w_t^i") == Indexed("w", Sym("t")) ** Sym("i")  # nothing is declared: a power
    assert parse_latex(r"p_\theta(y)") == parse("p(y; θ)")
    assert parse_latex("A^T") == parse("A^T")
    with pytest.raises(SurrogateError, match="vector"):
        parse_latex(r"A^\top")
