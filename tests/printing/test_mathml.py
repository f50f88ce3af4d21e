"""MathML is valid XML with the structure of the formula."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from strategies_terms import terms

from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Axis, Grad, Stop, Sym, Term
from surrogate_calculus.printing.mathml import to_mathml

SPACE = "{http://www.w3.org/1998/Math/MathML}"
#: How many children each element takes, where MathML fixes it.
CHILDREN = {"mfrac": 2, "msup": 2, "msub": 2, "mover": 2, "munderover": 3, "msubsup": 3}


def tree(term: Term) -> ElementTree.Element:
    root = ElementTree.fromstring(to_mathml(term))
    assert root.tag == f"{SPACE}math"
    return root


def shown(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(terms())
def test_valid_presentation_mathml(term: Term) -> None:
    for element in tree(term).iter():
        name = element.tag.removeprefix(SPACE)
        assert name in {
            "math", "mrow", "mi", "mn", "mo", "mtext", "msqrt", "mtable", "mtr", "mtd", *CHILDREN,
        }  # fmt: skip
        if name in CHILDREN:
            assert len(element) == CHILDREN[name], name
        if name in ("mi", "mn", "mo", "mtext"):
            assert len(element) == 0
            assert element.text
        else:
            assert not (element.text or "").strip()


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a*b", "a\u2062b"),
        ("f(x; θ)", "f\u2061(x;θ)"),
        ("(a + b)*c", "(a+b)\u2062c"),
        ("-x - 3", "−x−3"),
        ("⊥(x)", "⊥\u2061(x)"),
        ("[a > b]", "[a>b]"),
        ("abs(x)", "|x|"),
        ("w[t,i]", "wt,i"),
        ("∇^(k+1)[θ](x)", "∇θk+1\u2061x"),
        ("𝔼[· | t](x)", "𝔼[x∣ℱt]"),
        ("log x", "log\u2061x"),
    ],
)
def test_reads_in_order(text: str, content: str) -> None:
    assert shown(tree(parse(text))) == content


def test_structures() -> None:
    fraction = tree(parse("a/(b + c)")).find(f".//{SPACE}mfrac")
    assert fraction is not None
    assert [shown(part) for part in fraction] == ["a", "b+c"]
    total = tree(parse("Σ[i=1..N](w̄[i]^2)"))
    limits = total.find(f".//{SPACE}munderover")
    assert limits is not None
    assert [shown(part) for part in limits] == ["∑", "i=1", "N"]
    accent = total.find(f".//{SPACE}mover")
    assert accent is not None
    assert accent.get("accent") == "true"
    assert shown(accent) == "w¯"
    power = total.find(f".//{SPACE}msubsup")
    assert power is not None
    assert [shown(part) for part in power] == ["w¯", "i", "2"]


def test_both_scripts_of_a_base_stand_above_one_another() -> None:
    scripts = tree(parse("∇^(k+1)[θ](x)")).find(f".//{SPACE}msubsup")
    assert scripts is not None
    assert [shown(part) for part in scripts] == ["∇", "θ", "k+1"]
    nested = tree(parse("Σ[i=1..N](w[i])^2 + x^2^y")).findall(f".//{SPACE}msup")
    assert [shown(part[1]) for part in nested] == ["2", "2y", "y"]


def test_a_long_evaluation_has_its_arrow_in_front() -> None:
    """Browsers stretch an arrow over some letters, not over a line."""
    short, long = tree(parse("→(x*y)*z")), tree(parse("→(Σ[i=1..N](x[i]*f(x[i]; θ) + y*z + a*b*c*d))*z"))
    assert [shown(e) for e in short.iter(f"{SPACE}mover")] == ["x\u2062y→"]
    assert list(long.iter(f"{SPACE}mover")) == []
    assert shown(long).startswith("→(∑") and shown(long).endswith(")\u2062z")


def test_the_name_of_a_function_is_kept_apart() -> None:
    spaced = [e.get("rspace") for e in tree(parse("∇θ log p(x; θ)")).iter(f"{SPACE}mo") if e.text == "\u2061"]
    assert spaced == ["0.167em", "0.167em", None]
    assert "rspace" not in to_mathml(parse("log(x + y)"))


def test_what_xml_would_swallow_is_escaped() -> None:
    assert "&gt;" in to_mathml(parse("[a > b]"))


def test_vectors_are_bold() -> None:
    bold = tree(Grad("θ", Sym("x"), Axis(1))).find(f".//{SPACE}mi[@mathvariant='bold-italic']")
    assert bold is not None
    assert bold.text == "θ"


def test_deep_chains_print() -> None:
    term: Term = Sym("x")
    for _ in range(5_000):
        term = Stop(term)
    assert to_mathml(term).count("⊥") == 5_000
