"""Documents: what they declare, how definitions unfold, and where statements end."""

from __future__ import annotations

from pathlib import Path

import pytest

from surrogate_calculus.errors import DeclarationError, ParseError
from surrogate_calculus.language.document import load, parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Num, Stop, Sym, Term, postorder

FISHER = """\
count N
parameter θ
index i, j = 1..N
observed y
density p(x, y; θ), q(x; θ)     # positive
define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N](w[j])
derive →(∇θ log(1/N * Σ[i=1..N](p(x[i], y; θ) / ⊥(q(x[i]; θ)))))
"""


def test_everything_is_declared() -> None:
    document = parse_document(FISHER)
    assert document.counts == ("N",)
    assert dict(document.parameters) == {"θ": None}
    assert dict(document.indices) == {"i": (Num(1), Sym("N")), "j": (Num(1), Sym("N"))}
    assert dict(document.observed) == {"y": ()}
    assert dict(document.variables) == {"x": None}
    assert document.densities["p"].counts == (2, 0, 1)
    assert str(document.densities["q"]) == "q(x; θ)"
    assert [d.name for d in document.definitions] == ["w", "w̄"]
    assert document.definitions[0].indices == ("i",)
    assert document.targets[0].text == FISHER[FISHER.index("→") : -1]
    assert document.declares("w̄") and not document.declares("v")
    assert [document.kind(n) for n in "Nθiypxw"] == [
        "a count", "a parameter", "an index", "observed", "a density", "a variable", "defined",
    ]  # fmt: skip


def test_definitions_unfold_to_the_bottom() -> None:
    document = parse_document(FISHER)
    unfolded = document.unfold(parse("Σ[i](w̄[i])", document))
    assert unfolded == parse(
        "Σ[k=1..N]((p(x[k], y; θ)/q(x[k]; θ)) / Σ[m=1..N](p(x[m], y; θ)/q(x[m]; θ)))"
    )
    assert document.unfold(unfolded) == unfolded


def test_unfolding_never_captures() -> None:
    document = parse_document(
        "count N\nindex i, j = 1..N\nvariable a[i], b[i]\ndefine s[i] = Σ[j=1..N](a[i]*b[j])\n"
    )
    inside = parse("Σ[j](s[j])", document)
    assert document.unfold(inside) == parse("Σ[m=1..N](Σ[k=1..N](a[m]*b[k]))")
    nested = parse("Σ[i](Σ[j](s[j-i]*a[i]))", document)
    assert document.unfold(nested) == parse("Σ[u=1..N](Σ[v=1..N](Σ[k=1..N](a[v-u]*b[k])*a[u]))")


def test_unfolding_shares() -> None:
    lines = ["variable x", "define d0 = x"]
    lines += [f"define d{k + 1} = d{k}*d{k}" for k in range(60)]
    document = parse_document("\n".join(lines))
    assert len(postorder(document.unfold(Sym("d60")))) == 61


def test_vector_parameters() -> None:
    document = parse_document(
        "index k = 1..3\nparameter β[k], θ\nvariable x\ndensity p(x; β)\nderive ∇β log p(x; β)"
    )
    assert document.parameter_is_vector("β") and not document.parameter_is_vector("θ")
    assert document.targets[0].term == parse("∇[β@1](log p(x; β))")
    assert parse("∇β Σ[k](β[k]^2)", document) == parse("∇[β@1](Σ[k=1..3](β[k]^2))")


@pytest.mark.parametrize(
    "text",
    [
        "count N, T;index i=1..N;  index t = 1..T\nvariable x[i]\nderive Σ[i](x[i])",
        "count N\nindex i = 1..N # all of them\n\n\nvariable x[i]\nderive Σ[i](\nx[i]\n)",
        "count N\nindex i = 1..N\nvariable x[i]\nderive\n  Σ[i](x[i])",
        "count N\nindex i = 1..N\nfunction f(x)\nvariable x[i]\nderive Σ[i](x[i]);",
        "count N\r\nindex i = 1..N\r\nvariable x[i]\r\nderive Σ[i](x[i])\r\n",
    ],
)
def test_where_statements_end(text: str) -> None:
    (target,) = parse_document(text).targets
    assert target.term == parse("Σ[i=1..N](x[i])")


def test_an_expression_is_read_under_a_document() -> None:
    document = parse_document(FISHER)
    assert parse("∇θ log q(x[1]; θ)", document) == parse("∇θ log q(x[1]; θ)")
    with pytest.raises(DeclarationError, match="not declared"):
        parse("∇θ log r(x[1]; θ)", document)
    with pytest.raises(DeclarationError, match="out of scope"):
        parse("w[i]", document)


def test_an_empty_document() -> None:
    document = parse_document("# nothing\n\n")
    assert document.targets == () and document.names() == []
    term: Term = Stop(Sym("x"))
    assert document.unfold(term) is term


def test_load_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "fisher.sc"
    path.write_text(FISHER, encoding="utf-8")
    assert load(path).file == str(path)
    assert load(path).targets == parse_document(FISHER).targets
    path.write_text(FISHER + "derive (", encoding="utf-8")
    with pytest.raises(ParseError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: line 9, column 8: ")
