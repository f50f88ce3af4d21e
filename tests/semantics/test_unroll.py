"""Unrolled documents against algorithms written by hand, in exact numbers."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from filled_documents import Filled, filled
from language.documents import ADAPTIVE, BACKWARD, DPF, EVERY, FIXED_LAG, LAG2, PF

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Fn, Indexed, Num, Prod, Sum, Sym, Term, postorder
from surrogate_calculus.semantics import Model
from surrogate_calculus.semantics.unroll import unroll


def value(case: Filled, text: str) -> object:
    return case.model().value(case.unrolled(parse(text, case.document)))


def call(case: Filled, name: str, *slots: Fraction) -> Fraction:
    (found,) = case.functions[name].derivatives(slots, [(0,) * len(slots)])
    return found


def filter_by_hand(case: Filled) -> dict[str, Fraction]:
    """The filter of the document, with ratios v̄/⊥v̄ of 1."""
    n, steps = case.counts["N"], case.counts["T"]
    x, y, a = case.families["x"], case.families["y"], case.maps["a"]
    θ, φ = case.numbers["θ"], case.numbers["φ"]
    z = Fraction(1)
    v: dict[int, Fraction] = {}
    for t in range(1, steps + 1):
        for i in range(1, n + 1):
            back = x[t - 1, a[t, i]]
            v[i] = call(case, "p", x[t, i], y[t,], back, θ) / call(case, "q", x[t, i], back, φ) / n
        total = sum(v.values(), Fraction(0))
        z *= total
        v = {i: w / total for i, w in v.items()}
    return {"Z": z, **{f"v̄[{steps},{i}]": w for i, w in v.items()}}


@pytest.mark.parametrize(("n", "steps"), [(1, 1), (2, 3), (4, 2)])
def test_the_filter_is_the_one_written_by_hand(n: int, steps: int, rng: random.Random) -> None:
    case = filled(DPF, rng, N=n, T=steps)
    for text, expected in filter_by_hand(case).items():
        assert value(case, text) == expected


@pytest.mark.parametrize("name", EVERY)
def test_only_given_names_are_left(name: str, rng: random.Random) -> None:
    case = filled(EVERY[name], rng, N=2, T=3, L=1, K=2)
    defined = {d.name for d in case.document.definitions} | set(case.document.counts)
    for target in case.document.targets:
        nodes = postorder(case.unrolled(target.term))
        assert not any(isinstance(n, (Sum, Prod)) for n in nodes)
        assert not any(isinstance(n, Fn) and n.key == "slice" for n in nodes)
        assert not any(isinstance(n, (Sym, Indexed)) and n.key in defined for n in nodes)


def test_a_recursion_over_two_steps(rng: random.Random) -> None:
    case = filled(LAG2, rng, T=4)
    θ, y = case.numbers["θ"], case.families["y"]
    f, df = [θ, θ**2 + θ], [Fraction(1), 2 * θ + 1]
    for t in range(2, 5):
        f.append(θ * f[-1] + y[t,] * f[-2])
        df.append(f[t - 1] + θ * df[-1] + y[t,] * df[-2])
    assert [value(case, f"F[{t}]") for t in range(5)] == f
    assert value(case, "∇θ F[T]") == df[4]


def test_a_backward_recursion_sums_over_all_paths(rng: random.Random) -> None:
    case = filled(BACKWARD, rng, K=2, T=3)
    c, y, θ = case.families["c"], case.families["y"], case.numbers["θ"]
    total = Fraction(0)
    for path in itertools.product((1, 2), repeat=3):
        weight = call(case, "e", c[path[0],], y[1,], θ)
        for t in (2, 3):
            weight *= call(case, "m", c[path[t - 2],], c[path[t - 1],], θ)
            weight *= call(case, "e", c[path[t - 1],], y[t,], θ)
        total += weight
    assert value(case, "Z") == total


def test_a_density_of_a_path_is_a_product_along_the_lineage(rng: random.Random) -> None:
    case = filled(DPF, rng, N=3, T=3)
    x, y, a, θ = case.families["x"], case.families["y"], case.maps["a"], case.numbers["θ"]
    for i in (1, 2, 3):
        at, expected = i, Fraction(1)
        for t in (3, 2, 1):
            expected *= call(case, "p", x[t, at], y[t,], x[t - 1, a[t, at]], θ)
            at = a[t, at]
        assert value(case, f"p(x̃[1:T,{i}], y[1:T]; θ)") == expected
        assert value(case, f"x[0, ã[0,T,{i}]]") == x[0, at]


def test_the_surrogate_of_a_filter_differs_from_its_value_under_a_gradient(rng: random.Random) -> None:
    """At T = 2 the ratio v̄/⊥v̄ matters: written out by hand for one particle and one step back."""
    case = filled(DPF, rng, N=2, T=1)
    by_hand = parse("log(1/2 * p(x1, y1 | z1; θ)/q(x1 | z1; φ) + 1/2 * p(x2, y1 | z2; θ)/q(x2 | z2; φ))")
    x, a = case.families["x"], case.maps["a"]
    point = {
        "x1": x[1, 1], "x2": x[1, 2], "z1": x[0, a[1, 1]], "z2": x[0, a[1, 2]],
        "y1": case.families["y"][1,], **case.numbers,
    }  # fmt: skip
    model = Model(point, case.functions)
    for order in ("∇θ", "∇²θ", "∇[θ]∇[θ]∇[θ]"):
        expected = model.value(parse(f"{order}({by_hand})"))
        assert value(case, f"{order}(log Z)") == expected


def test_ancestors_without_values_stay_indices() -> None:
    document = parse_document(DPF)
    counts = {"N": 2, "T": 2}
    term = unroll(parse("v[1,2]", document), document, counts)
    a = Indexed("a", parse("1"), parse("2"))
    assert Indexed("x", parse("0"), a) in postorder(term)
    given = unroll(parse("x[0, ã[0,2,1]]", document), document, counts, {"a": {(1, 2): 1, (2, 1): 2}})
    assert given == Indexed("x", parse("0"), parse("1"))


def test_conditions_on_indices_are_decided_and_those_on_numbers_stay(rng: random.Random) -> None:
    case = filled(ADAPTIVE, rng, N=2, T=2)
    nodes = postorder(case.unrolled(parse("log Z", case.document)))
    conditions = [n.args[0] for n in nodes if isinstance(n, Fn) and n.key == "cases"]
    assert conditions
    for condition in conditions:  # N/2 > ESS[t-1], and not t > 0
        assert condition.key == "gt" and len(postorder(condition.args[1])) > 3


def test_size_and_depth_are_those_of_the_recursion() -> None:
    document = parse_document(PF)
    ancestors = {(t, i): 1 + (3 * t + i) % 20 for t in range(1, 101) for i in range(1, 21)}
    term = parse("log Z", document)
    sizes = [
        len(postorder(unroll(term, document, {"N": 20, "T": steps}, {"a": ancestors}))) for steps in (50, 100)
    ]
    assert sizes[1] < 2.1 * sizes[0] < 2.1 * 20 * 50 * 15


@pytest.mark.parametrize(
    ("text", "source", "counts", "message"),
    [
        (DPF, "Σ[t=T-2..T](v[t,1])", {"N": 2, "T": 2}, r"v\[0, 1\] has the index 0, outside 1\.\.2"),
        (DPF, Indexed("v̄", Num(3), Num(1)), {"N": 2, "T": 2}, r"the index 3, outside 0\.\.2"),
        (DPF, "log Z", {"N": 2}, "the count T has no value"),
        (FIXED_LAG, "x[T-L, ã[T-L,T,1]]", {"N": 2, "T": 2, "L": 3}, r"the index -1, outside 0\.\.2"),
        (DPF, "D[1](p)(x̃[1:T,1], y[1:T]; θ)", {"N": 2, "T": 2}, "no value to compute"),
    ],
)
def test_what_cannot_be_unrolled(text: str, source: str | Term, counts: dict[str, int], message: str) -> None:
    document = parse_document(text)
    term = parse(source, document) if isinstance(source, str) else source
    with pytest.raises(EvaluationError, match=message):
        unroll(term, document, counts)


def test_a_time_that_is_no_number() -> None:
    document = parse_document(DPF)
    term: Term = Indexed("v̄", Sym("t"), parse("1"))
    with pytest.raises(EvaluationError, match="its time is no number"):
        unroll(term, document, {"N": 2, "T": 2})
