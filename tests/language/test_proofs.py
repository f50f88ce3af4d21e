"""Proof documents as they are read: heads, chains, hints, assumptions, documents that use others."""

from __future__ import annotations

from pathlib import Path

import pytest

import surrogate_calculus as sc
from surrogate_calculus.errors import ParseError, SurrogateError
from surrogate_calculus.language.proof_reader import load_proofs, read_proofs
from surrogate_calculus.language.proofs import ProofDocument

HEAD = """\
count N, T
parameter θ
index i = 1..N;  index t = 1..T
variable x
density p(x; θ)
function g(x; θ)
define w[i] = i
"""


def read(text: str) -> ProofDocument:
    return read_proofs(HEAD + text, "a.sc")


def test_a_chain_over_several_lines() -> None:
    proofs = read(
        "lemma b for every h(x; θ): h(x; θ) = h(x; θ)\n"
        "theorem a for every f(x; θ), E(x; θ) > 0, t:   # of every f\n"
        "  f(x; θ)\n"
        "    * (1 +\n"
        "  E(x; θ))     # goes on\n"
        "    = f(x; θ)  by product, log derivative,\n"
        "        definition of w[i], using b with h(x; θ) := g(x; θ)^2\n"
        "    =→ t\n"
    )
    theorem = proofs.statements[1]
    assert (theorem.kind, theorem.name, theorem.positive, theorem.indices) == ("theorem", "a", ("E",), ("t",))
    first, second = theorem.lines
    assert str(first.left) == "f(x; θ) * (1 + E(x; θ))"
    assert first.right is second.left and not first.values and second.values
    assert second.hints is None and first.hints is not None
    assert [(h.kind, h.name) for h in first.hints] == [
        ("rule", "product"), ("rule", "log_derivative"), ("definition", "w"), ("using", "b"),
    ]  # fmt: skip
    (binding,) = first.hints[3].bindings
    assert (str(binding.left), str(binding.value)) == ("h(x; θ)", "g(x; θ)^2")
    assert proofs.line_of(second.span) == HEAD.count("\n") + 8
    for line in theorem.lines:
        assert proofs.text[line.span.start] == "="


def test_what_is_quantified_is_declared_there_only() -> None:
    proofs = read("theorem a for every f(x; θ), z: f(z; θ) = z\nfunction h(x; θ)\n")
    assert proofs.statements[0].document.kind("f") == "a function"
    assert proofs.document.kind("f") is None and proofs.document.kind("h") == "a function"


def test_a_sign_of_equality_before_an_evaluation_is_strict() -> None:
    lines = read("theorem a: x =→(x)\n  =→ x\n  =-> x\n").statements[0].lines
    assert [line.values for line in lines] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "kind", "terms"),
    [
        ("assume g(x; θ) != 0", "nonzero", ["g(x; θ)"]),
        ("assume g(x; θ) ≠ x", "nonzero", ["g(x; θ) - x"]),
        ("assume g(x; θ) > 0", "positive", ["g(x; θ)"]),
        ("assume 0 < g(x; θ)", "positive", ["g(x; θ)"]),
        ("assume T >= 2", "nonnegative", ["T - 2"]),
        ("assume interchange 𝔼[x ~ p(·; θ)](g(x; θ))", "interchange", ["𝔼[x ~ p(·; θ)](g(x; θ))"]),
        ("assume support p(x; θ) * p(x; θ)", "support", ["p(x; θ) * p(x; θ)"]),
        ("assume even for every h(x): h(x) = h(-x)", "equation", ["h(x)", "h(-x)"]),
        ("assume for every t: t > 0", "positive", ["t"]),
        ("assume even:\n  g(x; θ) =→\n  g(-x; θ)", "equation", ["g(x; θ)", "g(-x; θ)"]),
    ],
)
def test_assumptions(text: str, kind: str, terms: list[str]) -> None:
    (assumption,) = read(text + "\n").assumptions
    assert assumption.kind == kind
    assert [str(t) for t in assumption.terms] == terms
    assert assumption.values is ("=→" in text)


L = HEAD.count("\n")
LEMMA = "lemma b for every h(x): h(x) = h(x)\n"


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        ("theorem a:\n  x = +\n", "a sum does not begin with +", L + 2, 7),
        ("theorem a:\n", "nothing is claimed", L + 1, 9),
        ("theorem a: x = (x + 1\n  = x\n", "this ( is never closed", L + 1, 16),
        ("theorem a\n  x = x\n", "has a name, and a colon", L + 1, 9),
        ("theorem for every t: t = t\n", "has a name, and a colon", L + 1, 9),
        ("theorem a: x\n", "no equality sign", L + 1, 12),
        ("theorem a: = x\n", "nothing stands before", L + 1, 12),
        ("theorem a: x = = x\n", "nothing stands behind", L + 1, 14),
        ("theorem a: x = x by\n", "nothing stands behind by", L + 1, 18),
        ("theorem a: x = x by ring,, field\n", "a hint is missing", L + 1, 26),
        ("theorem a: x = x by 3\n", "is no hint", L + 1, 21),
        ("theorem a: x = x by with f(x) := x\n", "nothing before it", L + 1, 21),
        ("theorem a: x = x by using b\n", "there is no lemma b", L + 1, 21),
        ("theorem a: x = x by using a\n", "a uses itself", L + 1, 21),
        ("theorem a: x = x by using b\nlemma b: x = x by using a\n", "b is proved later", L + 1, 21),
        ("refute r: x = 1\ntheorem a: x = x by using r\n", "a claim that is refuted", L + 2, 21),
        ("theorem a: x = x by using hypothesis\n", "in an induction only", L + 1, 21),
        ("theorem a: x = x by induction on x\n", "x is not a count here", L + 1, 21),
        ("theorem a: x = x by definition of u\n", "u is not defined here", L + 1, 21),
        ("theorem a: x = x by draw of x\n", "x is not drawn here", L + 1, 21),
        (LEMMA + "theorem a: x = x by using b with x := 2\n", "does not say that it holds", L + 2, 29),
        (LEMMA + "theorem a: x = x by using b with h(2) := x\n", "are names", L + 2, 29),
        ("lemma a: x = x\ntheorem a: x = x\n", "the name a is given in line", L + 2, 9),
        ("theorem hypothesis: x = x\n", "is a word of proofs", L + 1, 9),
        ("theorem a for every 3: x = x\n", "could hold for every value of", L + 1, 21),
        ("theorem a for every E(x) > 1: x = x\n", "could hold for every value of", L + 1, 21),
        ("theorem a for every g(x; θ): x = x\n", "g is declared twice", L + 1, 21),
        ("theorem a: w[1, 2] = x\n", "w has 1 index, here 2", L + 1, 12),
        ("theorem a: w[i] = x\n", "i is out of scope", L + 1, 14),
        ("theorem a for every i: u = x\n", "u is not declared", L + 1, 24),
        ("refute r: x = x = 1\n", "one equation without hints", L + 1, 11),
        ("refute r: x = x by ring\n", "one equation without hints", L + 1, 11),
        ("assume g(x; θ)\n", "assumes nothing", L + 1, 8),
        ("assume g(x; θ) = x\n", "has a name", L + 1, 8),
        ("assume e: x = x = x\n", "one equation, and is not proved", L + 1, 11),
        ("use dpf.sc\n", "one file in quotes", L + 1, 5),
        ('use "no such file.sc"\n', "cannot be read", L + 1, 5),
        ('use "@no"\n', "the catalogue has no @no", L + 1, 5),
        ("parametre φ\ntheorem a: x = x\n", "begins no statement", L + 1, 1),
    ],
)  # fmt: skip
def test_mistakes_are_placed_with_advice(text: str, said: str, line: int, column: int) -> None:
    with pytest.raises(SurrogateError) as error:
        read(text)
    found = error.value
    assert said in found.what
    assert (found.line, found.column) == (line, column)
    assert found.file == "a.sc" and found.instead
    assert "^" in str(found)


def test_a_theorem_in_a_plain_document_is_told_where_it_belongs() -> None:
    with pytest.raises(ParseError, match="belongs to a proof document"):
        sc.parse_document("theorem a: x = x\n")


# Documents that use others ----------------------------------------------------------------------


def test_declarations_of_other_documents(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "names.sc").write_text("parameter θ\ntheorem t: 1 = 1\n", encoding="utf-8")
    (tmp_path / "model.sc").write_text('use "inner/names.sc"\nfunction f(x; θ)\n', encoding="utf-8")
    (tmp_path / "main.sc").write_text(
        'use "model.sc"\nuse "inner/names.sc"\ntheorem a for every g(x; θ): f(x; θ) = g(x; θ)\n',
        encoding="utf-8",
    )
    proofs = load_proofs(tmp_path / "main.sc")
    assert [s.name for s in proofs.statements] == ["a"]
    assert list(proofs.document.parameters) == ["θ"]


def test_an_entry_of_the_catalogue_is_used_by_name() -> None:
    assert read_proofs('use "@dpf"\n').document.kind("v̄") == "defined"


def test_a_circle_of_uses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sc").write_text('use "b.sc"\n', encoding="utf-8")
    (tmp_path / "b.sc").write_text('count N\nuse "a.sc"\n', encoding="utf-8")
    with pytest.raises(ParseError, match=r"leads back to itself: a\.sc uses b\.sc uses a\.sc") as error:
        load_proofs(tmp_path / "a.sc")
    assert error.value.file == str(tmp_path / "b.sc") and error.value.line == 2


def test_a_mistake_in_a_used_document_is_placed_there(tmp_path: Path) -> None:
    (tmp_path / "a.sc").write_text('use "b.sc"\nparameter θ\n', encoding="utf-8")
    (tmp_path / "b.sc").write_text("# names\ncount N, N\n", encoding="utf-8")
    with pytest.raises(SurrogateError, match="N is declared twice") as error:
        load_proofs(tmp_path / "a.sc")
    assert error.value.file == str(tmp_path / "b.sc")
    assert (error.value.line, error.value.column) == (2, 10)


def test_a_name_that_both_declare_is_placed_in_the_later_one(tmp_path: Path) -> None:
    (tmp_path / "a.sc").write_text('use "b.sc"\n\nparameter θ\n', encoding="utf-8")
    (tmp_path / "b.sc").write_text("parameter θ\n", encoding="utf-8")
    with pytest.raises(SurrogateError, match="θ is declared twice") as error:
        load_proofs(tmp_path / "a.sc")
    assert (error.value.file, error.value.line) == (str(tmp_path / "a.sc"), 3)
