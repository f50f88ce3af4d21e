"""The paper replayed: what is printed, how it is read, what becomes of it, and torch's word on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

import surrogate_calculus as sc
from surrogate_calculus.cli_paper import fates_of, markdown
from surrogate_calculus.derive.paper import FATES, Fate, paper_documents, paper_fates
from surrogate_calculus.derive.prove import refutation
from surrogate_calculus.errors import ParseError
from surrogate_calculus.kernel import Equation, Relation
from surrogate_calculus.language.binding import instantiate
from surrogate_calculus.language.latex_readings import Notation, printed_members, readings
from surrogate_calculus.language.papers import Member, PaperDocument, read_paper
from surrogate_calculus.language.terms import (
    Add,
    CondExpect,
    Expect,
    Grad,
    Indexed,
    Mul,
    Num,
    Term,
    postorder,
    rebuild,
)
from surrogate_calculus.semantics.instances import FiniteDensity, Polynomial

FOLDER = Path(__file__).resolve().parents[2] / "proofs" / "paper"
DOCUMENTS = paper_documents(FOLDER)
NUMBERED = [str(n) for n in range(1, 149)]
@pytest.fixture(scope="module")
def fates() -> list[Fate]:
    return fates_of(DOCUMENTS, None)


# ------------------------------------------------------------------------------------------- the print
def test_every_equation_occurs_once() -> None:
    printed = [n for d in DOCUMENTS for n in d.printed]
    stated = [n for d in DOCUMENTS for b in d.equations for n in b.numbers]
    assert sorted(printed) == sorted(stated) == sorted([*NUMBERED, "Algorithm 1", "Algorithm 2"])


def test_the_print_is_that_of_the_paper() -> None:
    """Each equation against a digest of the paper's LaTeX, taken without its blanks."""
    known = json.loads((Path(__file__).parent / "paper_print.json").read_text())
    found = {
        n: hashlib.sha256("".join(latex.split()).encode()).hexdigest()[:16]
        for d in DOCUMENTS
        for n, latex in d.printed.items()
        if n in known
    }
    assert found == known


def read_members() -> Iterator[tuple[PaperDocument, Member]]:
    for document in DOCUMENTS:
        for block in document.equations:
            for member in block.members:
                if member.printed is not None and member.term is not None:
                    yield document, member


@pytest.mark.parametrize(
    ("document", "member"),
    [pytest.param(d, m, id=f"{'-'.join(m.numbers)}:{m.text[:30]}") for d, m in read_members()],
)
def test_a_member_is_what_is_printed(document: PaperDocument, member: Member) -> None:
    """Under the abbreviations of its document, and one of the readings of the reach of a prefix."""
    assert member.printed is not None and member.term is not None
    latex = document.notation.apply(member.printed.latex)
    indices = tuple(document.document.indices)
    assert member.term in list(readings(latex, document.document, indices=indices))


@pytest.mark.parametrize(
    ("latex", "members"),
    [
        (r"a = b, \quad (1)", [("", "a"), ("=", "b")]),
        (
            r"a \approx & \quad (1) \\ - b + \left( c \right. = 1 \left. \right)",
            [("", "a"), ("≈", "- b + ( c = 1 )")],
        ),
        (
            r"\begin{aligned} \sum_{i=1}^{N} a_{i} &= \\ b. \end{aligned} \quad (1)",
            [("", r"\sum _ { i = 1 } ^ N a _ i"), ("=", "b")],
        ),
    ],
)
def test_a_printed_chain_is_taken_apart(latex: str, members: list[tuple[str, str]]) -> None:
    assert [(m.relation, m.latex) for m in printed_members([("1", latex)])] == members


def test_a_chain_over_several_lines() -> None:
    displays = [("1", r"a = \quad (1)"), ("2", r"b + \quad (2)"), ("3", r"c \quad (3)"), ("4", "d")]
    found = printed_members(displays)
    assert [(m.numbers, m.relation, m.latex) for m in found] == [
        (("1",), "", "a"),
        (("2", "3"), "=", "b + c"),
        (("4",), "", "d"),
    ]


def test_the_longest_abbreviation_applies() -> None:
    notation = Notation([(r"\hat{Z}", "Z"), (r"\hat{Z}_{\text{PF}}", "W"), (r"\quad x", "")])
    assert notation.apply(r"\hat{Z}_\text{PF} \hat{Z}  x") == "W Z"


def test_readings_of_a_prefix_before_a_product() -> None:
    found = [str(t) for t in readings(r"\nabla_\theta \log f(x) g(x)")]
    assert found == [
        str(sc.parse("∇θ log f(x) * g(x)")),
        str(sc.parse("∇θ(log f(x) * g(x))")),
        str(sc.parse("∇θ log(f(x) * g(x))")),
    ]
    assert list(readings(r"\sum_{i=1}^{N} a_i + b_i")) == [
        sc.parse_latex(r"\sum_{i=1}^{N} a_i + b_i"),
        sc.parse("Σ[i=1..N](a[i] + b[i])"),
    ]
    with pytest.raises(ParseError):
        list(readings(r"\nabla_\theta"))


HEAD = "parameter θ\nfunction f(x; θ)\nvariable x\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("printed:\n  a", "a number of its own"),
        ("printed 1:\n  a\nprinted 1:\n  b", "a number of its own"),
        ("notation\n  a b", "without =>"),
        ("equation 1 a\n  f(x; θ)", "without its number and a colon"),
        ("equation in value:\n  f(x; θ)", "without its number"),
        ("printed 1:\n  a = b\nequation 1 in value:\n  f(x; θ)", "1 members are written, and 2 printed"),
        ("printed 1:\n  a = b\nequation 1 in value:\n  f(x; θ)\n  ≈ f(x; θ)", "≈ is written and = printed"),
        ("equation 1 in value:\n  used in: f(x; θ) = f(x; θ) = 1", "more than one equality sign"),
        ("equation 1 in value:\n  f(x; θ)\n  = g", "g is not declared"),
    ],
)
def test_documents_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(sc.SurrogateError, match=message):
        read_paper(HEAD + text)


# ------------------------------------------------------------------------------------------- the fates
def judged(text: str) -> dict[str, Fate]:
    return {f.equation: f for f in paper_fates([read_paper(HEAD + text)])}


def test_the_largest_class_is_right_and_a_construction_before_it() -> None:
    chain = "equation 1, 2, 3 in value:\n  ∇θ f(x; θ)\n{}  = 2 * f(x; θ)\n  = f(x; θ) + f(x; θ)\n"
    printed = "printed 1:\n  a =\nprinted 2:\n  b =\nprinted 3:\n  c\n"
    largest = judged(printed + chain.format(""))
    assert [largest[n].fate for n in "123"] == ["refuted", "proved", "proved"]
    built = judged(printed + chain.format("  by construction: ∇θ f(x; θ)\n"))
    assert [built[n].fate for n in "123"] == ["proved", "refuted", "refuted"]


def test_in_a_tie_both_are_wrong_and_a_correction_must_be_proved() -> None:
    text = "printed 1:\n  a = b\nequation 1 in value:\n  f(x; θ)\n  = 1\ncorrected 1:\n  {}\n"
    assert judged(text.format("f(x; θ) + 0\n  = f(x; θ)"))["1"].corrected
    false = judged(text.format("f(x; θ)\n  = 2"))["1"]
    assert (false.fate, false.corrected) == ("refuted", "")
    assert "tie" in false.reason


def test_a_condition_that_is_not_needed_is_not_accepted() -> None:
    text = "printed 1:\n  a = b\nequation 1 strictly:\n  f(x; θ)\n  = f(x; θ)\n  condition: c\n  without: "
    assert judged(text + "∇θ ⊥(f(x; θ)) = ⊥(∇θ f(x; θ))")["1"].fate == "proved_under_condition"
    assert judged(text + "f(x; θ) = f(x; θ)")["1"].fate == "undecided"


def test_with_the_law_of_the_ancestor_the_theorem_has_no_counterexample() -> None:
    """Eq. 117 with the law of Algorithm 1, at the same point; and as printed, for one particle."""
    text = (FOLDER / "10-b-theorem.sc").read_text(encoding="utf-8")
    text = text[: text.index("corrected 117")]
    assert "q(· | x[t-1,i], y[t]; φ)" in text
    right = text.replace("q(· | x[t-1,i], y[t]; φ)", "q(· | x[t-1, a[t,i]], y[t]; φ)")
    single = text.replace("count N, T", "count T").replace("1..N", "1..1").replace("1/N", "1")
    for printed, differs in ((text, True), (right, False), (single, False)):
        document = read_paper(printed)
        (block,) = document.equations
        first, second = (m.term for m in block.members)
        assert first is not None
        assert second is not None
        claim = Equation(Relation.VALUE, first, second)
        assert (refutation(claim, document.document) is not None) is differs


THEOREMS = '''count T
parameter θ
function f(x; θ), g(x; θ)
variable x
assume same: f(x; θ) = g(x; θ)
lemma first: f(x; θ) = g(x; θ)     by using same
lemma value: f(x; θ) =→ g(x; θ)     by using same
lemma false: f(x; θ) = 2 * g(x; θ)
'''


@pytest.mark.parametrize(
    ("body", "fate"),
    [
        ("in value:\n  f(x; θ)\n  = g(x; θ)\n  by theorem: \"t.sc\" first", "proved"),
        ("strictly:\n  f(x; θ)\n  = g(x; θ)\n  by theorem: \"t.sc\" value", "undecided"),
        ("in value:\n  f(x; θ)\n  = 2 * g(x; θ)\n  by theorem: \"t.sc\" false", "undecided"),
        ("in value:\n  f(x; θ)\n  = 3 * g(x; θ)\n  by theorem: \"t.sc\" first", "undecided"),
    ],
)
def test_a_theorem_proves_what_it_says(body: str, fate: str, tmp_path: Path) -> None:
    (tmp_path / "t.sc").write_text(THEOREMS, encoding="utf-8")
    text = f'use "t.sc"\nprinted 1:\n  a = b\nequation 1 {body}\n'
    (found,) = paper_fates([read_paper(text, str(tmp_path / "p.sc"))])
    assert found.fate == fate
    assert ("same" in found.reason) is (fate == "proved")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('use "t.sc"\nfunction h(x)\n{}  by theorem: "t.sc" first', "about other declarations"),
        ('use "t.sc"\n{}  by theorem: "t.sc" firs', "no theorem firs"),
        ('use "t.sc"\n{}  by theorem: first', "no theorem is named"),
    ],
)
def test_a_theorem_that_does_not_fit(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.sc").write_text(THEOREMS, encoding="utf-8")
    block = "printed 1:\n  a = b\nequation 1 in value:\n  f(x; θ)\n  = g(x; θ)\n"
    with pytest.raises(ParseError, match=message):
        read_paper(text.format(block), str(tmp_path / "p.sc"))


REFUTED = [
    "9", "14", "15", "16", "18", "19", "22", "25", "31", "33", "41", "42", "52", "53", "54", "72", "75",
    *(str(n) for n in range(80, 88)), *(str(n) for n in range(89, 97)), "106", "117", "118", "137", "141",
]  # fmt: skip
CONDITIONAL = ["5", "30", "143"]


@pytest.mark.slow
def test_the_fates(fates: list[Fate]) -> None:
    found = {f.equation: f for f in fates}
    assert all(f.fate in FATES for f in fates)
    numbered = [f for f in fates if f.equation.isdigit()]
    assert [f.equation for f in numbered if f.fate == "refuted"] == REFUTED
    assert [f.equation for f in numbered if f.fate == "proved_under_condition"] == CONDITIONAL
    assert not [f.equation for f in fates if f.fate == "undecided"]
    assert not [f.equation for f in fates if f.fate == "proved" and f.conditions]
    assert {found[str(n)].fate for n in range(127, 136)} == {"proved"}
    assert all(f.corrected and f.counterexample is not None for f in fates if f.fate == "refuted")
    assert found["Algorithm 1"].fate == found["Algorithm 2"].fate == "refuted"


@pytest.mark.slow
def test_the_page_is_current(fates: list[Fate]) -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == markdown(fates, DOCUMENTS), "surrogate paper --markdown > proofs/paper/README.md"


# --------------------------------------------------------------------------------------- torch's word
def in_torch(function: Any) -> Callable[..., torch.Tensor]:
    """The same polynomial, or density of finitely many values, of tensors."""
    if isinstance(function, FiniteDensity):
        weight, count = in_torch(function.weight), len(function.supports)

        def density(*slots: torch.Tensor) -> torch.Tensor:
            values = product(*(map(float, s) for s in function.supports))
            total = sum(weight(*(0 * slots[0] + v for v in at), *slots[count:]) for at in values)
            return weight(*slots) / total

        return density
    assert isinstance(function, Polynomial)

    def polynomial(*slots: torch.Tensor) -> torch.Tensor:
        out = zero = 0 * slots[0]
        for powers, coefficient in function.coefficients.items():
            term = zero + float(coefficient)
            for slot, power in zip(slots, powers, strict=True):
                term = term * slot**power
            out = out + term
        return out

    return polynomial


def summed(term: Term) -> Term:
    """Each 𝔼 over a density of the values 0 and 1 as the sum that it is."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(done[id(a)] for a in node.args)
        if isinstance(node, Expect):
            law, body = args
            parts = [Mul(instantiate(law, Num(v)), instantiate(body, Num(v))) for v in (0, 1)]
            done[id(node)] = Add(*parts)
        else:
            done[id(node)] = rebuild(node, args)
    return done[id(term)]


def averaged(term: Term, point: Mapping[str, Any]) -> Term:
    """An average over all draws of Eq. 117 or 118, for N = 2 and T = 1, as the sum over the outcomes."""
    if isinstance(term, Grad):
        return Grad(term.key, averaged(term.args[0], point))
    assert isinstance(term, CondExpect)
    assert (point["N"], point["T"]) == (2, 1)
    laws = {  # as the document says: each particle is drawn given the one with its own index
        "x": "p0(x[0,1]) * p0(x[0,2]) * 1/4 * q(x[1,1] | x[0,1], y[1]; φ) * q(x[1,2] | x[0,2], y[1]; φ)",
        "s": "p0(s[0]) * cond(s[1] | y[1], s[0]; θ)",
    }
    drawn = {
        "x": {"x[0,1]": (0, 1), "x[0,2]": (0, 1), "a[1,1]": (1, 2), "a[1,2]": (1, 2), "x[1,1]": (0, 1),
              "x[1,2]": (0, 1)},
        "s": {"s[0]": (0, 1), "s[1]": (0, 1)},
    }  # fmt: skip
    kind = "s" if any(n.__class__ is Indexed and n.key == "s" for n in postorder(term)) else "x"
    body = Mul(sc.parse(laws[kind]), term.args[1])
    parts = []
    for values in product(*drawn[kind].values()):
        at = {sc.parse(name): Num(v) for name, v in zip(drawn[kind], values, strict=True)}
        parts.append(put_in(body, at))
    return Add(*parts)


def put_in(term: Term, values: Mapping[Term, Term]) -> Term:
    """Values for draws, those in the indices of others first."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        new = rebuild(node, tuple(done[id(a)] for a in node.args))
        done[id(node)] = values.get(new, new)
    return done[id(term)]


def family(values: Any) -> Callable[..., torch.Tensor]:
    def at(*indices: torch.Tensor) -> torch.Tensor:
        shape = torch.broadcast_shapes(*(i.shape for i in indices))
        rows = zip(*(i.expand(shape).reshape(-1).tolist() for i in indices), strict=True)
        return torch.tensor([float(values(*row)) for row in rows], dtype=torch.float64).reshape(shape)

    return at


@pytest.mark.slow
def test_torch_sees_each_difference(fates: list[Fate]) -> None:
    """Both sides of each refuted claim, computed by torch at the point of the counterexample."""
    seen = 0
    known: list[Any] = []  # equations of one chain may share a counterexample
    for fate in fates:
        found = fate.counterexample
        if found is None:
            continue
        seen += 1
        if any(found is other for other in known):
            continue
        known.append(found)
        values: dict[str, Any] = {
            name: family(v) if callable(v) else float(v) for name, v in found.point.items()
        }
        values |= {f"{name}()": in_torch(f) for name, f in found.functions.items()}
        written = found.sides
        if fate.equation in ("117", "118"):
            written = tuple(averaged(side, found.point) for side in found.sides)
        for side, exact in zip(written, (found.left, found.right), strict=True):
            for name in found.wrt:
                side = Grad(name, side)
            own = float(exact) if isinstance(exact, Fraction) else float(exact.mid)
            by_torch = float(sc.evaluate(summed(side), values))
            assert by_torch == pytest.approx(own, rel=1e-6, abs=1e-9), fate.equation
    assert seen == len(REFUTED) + 2
