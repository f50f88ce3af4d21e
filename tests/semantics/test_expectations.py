"""∇ᵏ and expectations over finite laws in the two-copy model: exact, and against what they abbreviate."""

from __future__ import annotations

import random
from fractions import Fraction as F
from itertools import product

import pytest
from language.documents import DPF

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Bound, CondExpect, Eval, Expect, Grad, Grads, Num, Sym, Term
from surrogate_calculus.semantics.draws import Draw, draws_of
from surrogate_calculus.semantics.instances import FiniteDensity, Polynomial, random_density, random_function
from surrogate_calculus.semantics.model import Model
from surrogate_calculus.semantics.unroll import unroll

COIN = (F(0), F(1), F(-1, 2))
FUNCTIONS = {
    "p": random_density(random.Random(1), [None, None, None], [COIN]),  # p(x | z; θ)
    "p2": random_density(random.Random(2), [None, None, None], [COIN, (0, 2)]),  # p2(x, y; θ)
    "f": random_function(random.Random(3), [None, None]),  # f(x; θ)
    "g": random_function(random.Random(4), [None, None, None]),  # g(x, y; θ)
    "w": random_function(random.Random(5), [None, None], positive=True),  # w(x; θ), a density of any mass
}
LAWS = {"p": [COIN], "p2": [COIN, (0, 2)], "w": [COIN]}
POINT = {"θ": F(2, 3), "z": F(1, 2), "y": F(5, 4), "x": F(7), "k": 2}
MODEL = Model(POINT, FUNCTIONS, laws=LAWS)


def same(left: Term, right: Term, model: Model = MODEL) -> bool:
    """Whether two terms have one series to the third degree in both copies of θ."""
    return model.series(left, 3, ["θ"]) == model.series(right, 3, ["θ"])


# ∇ᵏ.


@pytest.mark.parametrize("order", range(5))
@pytest.mark.parametrize(
    "text", ["θ^5*⊥(θ)^2 + f(x; θ)", "→(⊥(f(x; θ))*θ^3)", "∇θ(⊥(θ)*f(θ; θ))", "7", "f(θ^2; ⊥(θ))"]
)
def test_a_power_of_nabla_is_so_many_gradients(text: str, order: int) -> None:
    nested = body = parse(text)
    for _ in range(order):
        nested = Grad("θ", nested)
    assert same(Grads("θ", Num(order), body), nested)
    assert same(Grad("θ", Grads("θ", Num(order), body)), Grad("θ", nested))
    assert same(Eval(Grads("θ", Num(order), body)), Eval(nested))


def test_orders_are_names_and_bound_indices() -> None:
    assert same(parse("∇^k[θ](f(x; θ))"), parse("∇²θ f(x; θ)"))
    assert same(parse("∇^(k+1)[θ](f(x; θ))"), parse("∇^3[θ](f(x; θ))"))
    assert same(
        parse("Σ[n=0..k](∇^n[θ](f(x; θ))*∇^(k-n)[θ](θ^4))"),
        parse("f(x; θ)*∇²θ(θ^4) + ∇θ(f(x; θ))*∇θ(θ^4) + ∇²θ(f(x; θ))*θ^4"),
    )
    assert Model({"θ": F(2)}).value(parse("∇^(3)[θ](θ^3)*∇^(4)[θ](θ^3) + ∇^(0)[θ](θ)")) == 2


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (Num(F(1, 2)), "no integer"), (Num(-1), "order -1"), (Num(10**9), "from 0 to"),
        (Sym("z"), "no integer"),
    ],
)  # fmt: skip
def test_other_orders_have_no_meaning(order: Term, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        MODEL.value(Grads("θ", order, Sym("θ")))


def test_a_vector_has_no_power_of_nabla() -> None:
    with pytest.raises(EvaluationError, match="vector"):
        Model({"θ": (F(1), F(2))}).value(parse("∇^(2)[θ](θ[1])"))


def test_unrolling_writes_powers_of_nabla_out() -> None:
    document = parse_document("count K\nparameter θ\nfunction f(x; θ)\ndefine w = Σ[n=0..K](∇^n[θ](f(x; θ)))")
    assert unroll(parse("w", document), document, {"K": 2}) == parse("f(x; θ) + ∇θ f(x; θ) + ∇²θ f(x; θ)")
    with pytest.raises(EvaluationError, match="order -1"):
        unroll(parse("∇^(K-3)[θ](θ)", document), document, {"K": 2})


# Densities of finitely many values.


def test_a_finite_density_is_a_quotient() -> None:
    weight = random_function(random.Random(7), [None, None, 2], positive=True)
    supports = [(0, F(1, 3))]
    model = Model(
        {"x": F(2), "z": F(1, 2), "β": (F(1, 5), F(-2))},
        {"q": FiniteDensity(weight, supports), "P": weight},
    )
    quotient = parse("P(x, z; β)/(P(0, z; β) + P(1/3, z; β))", vector=["β"])
    density = parse("q(x | z; β)", vector=["β"])
    wrt = ["x", "z", ("β", 1), ("β", 2)]
    assert model.series(density, 3, wrt) == model.series(quotient, 3, wrt)


def test_a_finite_density_sums_to_one_for_any_parameters() -> None:
    total = parse("Σ[i=0..1](p2(0, 2*i; θ) + p2(1, 2*i; θ) + p2(-1/2, 2*i; θ))")
    assert MODEL.series(total, 4, ["θ"]) == {(): F(1)}
    real = Model({"θ": Model({}).value(parse("exp(1)"))}, FUNCTIONS)
    assert abs(real.value(total) - 1) < 10**-40


def test_weights_may_not_sum_to_nothing() -> None:
    model = Model({}, {"q": FiniteDensity(Polynomial([None], {(1,): 1}), [(1, -1)])})
    with pytest.raises(EvaluationError, match="sum to 0"):
        model.value(parse("q(1)"))
    with pytest.raises(ValueError, match="arguments"):
        FiniteDensity(Polynomial([2], {(1, 0): 1}), [(1,)])


# 𝔼 over a finite law.


@pytest.mark.parametrize(
    ("text", "sum_of"),
    [
        ("𝔼[x ~ p(· | z; θ)](x^2*f(x; θ))", "p(@ | z; θ)*@^2*f(@; θ)"),
        ("𝔼[x ~ w(·; θ)](1)", "w(@; θ)"),  # nothing says that a law sums to one
        ("𝔼[x ~ p2(·, y; θ)](x*y)", "p2(@, y; θ)*@*y"),
        ("∇θ(𝔼[x ~ p(· | z; θ)](f(x; θ)))", "∇θ(p(@ | z; θ)*f(@; θ))"),
        ("𝔼[x ~ p(· | z; θ)](→(⊥(θ)*f(x; θ)))", "p(@ | z; θ)*θ*f(@; θ)"),
        ("𝔼[x ~ p(· | z; θ)](→(∇²θ(⊥(θ)*f(x; θ))))", "p(@ | z; θ)*→(∇²θ(⊥(θ)*f(@; θ)))"),
    ],
)
def test_an_expectation_is_a_weighted_sum(text: str, sum_of: str) -> None:
    by_hand = " + ".join("(" + sum_of.replace("@", f"({value})") + ")" for value in COIN)
    assert same(parse(text), parse(by_hand))


def test_expectations_nest() -> None:
    nested = parse("𝔼[x ~ p(· | z; θ)](𝔼[u ~ p(· | x; θ)](g(x, u; θ)))")
    both = parse("𝔼[x ~ p(· | z; θ), u ~ p(· | x; θ)](g(x, u; θ))")
    assert nested == both
    pairs = product(COIN, COIN)
    by_hand = " + ".join(f"p(({a}) | z; θ)*p(({b}) | ({a}); θ)*g(({a}), ({b}); θ)" for a, b in pairs)
    assert same(nested, parse(by_hand))


def test_a_drawn_number_may_be_an_index() -> None:
    model = Model({"v": (F(3), F(5)), "θ": F(1)}, FUNCTIONS, laws={"w": [(1, 2)]})
    assert model.value(parse("𝔼[i ~ w(·; θ)](v[i])")) == model.value(parse("w(1; θ)*v[1] + w(2; θ)*v[2]"))
    with pytest.raises(EvaluationError, match="no integer"):
        Model({"v": (F(3),), "θ": F(1)}, FUNCTIONS, laws=LAWS).value(parse("𝔼[i ~ w(·; θ)](v[i])"))


def test_the_score_function_estimator_is_unbiased() -> None:
    """∇θ 𝔼[f] = 𝔼[→(f ∇θ log p + ∇θ f)], exactly, and at a wrong formula not."""
    left = parse("∇θ(𝔼[x ~ p(· | z; θ)](f(x; θ)))")
    right = parse("𝔼[x ~ p(· | z; θ)](f(x; θ)*∇θ(p(x | z; θ))/p(x | z; θ) + ∇θ(f(x; θ)))")
    wrong = parse("𝔼[x ~ p(· | z; θ)](∇θ(f(x; θ)))")
    assert same(left, right)
    assert MODEL.value(left) != MODEL.value(wrong)


@pytest.mark.parametrize(
    ("term", "says"),
    [
        (parse("𝔼[x ~ q(·; θ)](x)"), "no finite support"),
        (parse("𝔼[x ~ p2(·; θ)](x)"), "no finite support"),
        (Expect(Sym("θ"), Bound(0)), "no density"),
        (parse("𝔼[· | k](x)"), "no draws"),
    ],
)
def test_what_expectation_has_no_value(term: Term, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        MODEL.value(term)


# 𝔼[· | t] over the draws of a document.

TIMES = 2
COINS = (F(0), F(1, 2))


def markov(stopped: bool = False) -> Model:
    """x[0] ~ p(· | z; θ), x[t] ~ p(· | x[t-1]; θ), the law stopped or not; at the point x = 1/4, 1/2, 0."""
    laws = ["p(x[0] | z; θ)", *(f"p(x[{t}] | x[{t - 1}]; θ)" for t in range(1, TIMES + 1))]
    written = [parse(f"⊥({law})" if stopped else law) for law in laws]
    functions = {**FUNCTIONS, "p": random_density(random.Random(9), [None, None, None], [COINS])}
    draws = [Draw("x", (t,), t, law, COINS) for t, law in enumerate(written)]
    point = {**POINT, "x": {0: F(1, 4), 1: F(1, 2), 2: F(0)}}
    return Model(point, functions, laws={"p": [COINS]}, draws=draws)


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("𝔼[· | 2](x[0]*x[1]*f(x[2]; θ))", "x[0]*x[1]*f(x[2]; θ)"),
        ("𝔼[· | 1](x[0]*f(x[2]; θ))", "𝔼[c ~ p(· | x[1]; θ)](x[0]*f(c; θ))"),
        ("𝔼[· | 0](x[0]*g(x[1], x[2]; θ))", "𝔼[b ~ p(· | x[0]; θ), c ~ p(· | b; θ)](x[0]*g(b, c; θ))"),
        ("𝔼[· | -1](g(x[0], x[2]; θ))",
         "𝔼[a ~ p(· | z; θ), b ~ p(· | a; θ), c ~ p(· | b; θ)](g(a, c; θ))"),
        ("𝔼[· | k-1](f(x[k]; θ))", "𝔼[c ~ p(· | x[1]; θ)](f(c; θ))"),
        ("∇θ(𝔼[· | 0](f(x[1]; θ)))", "∇θ(𝔼[b ~ p(· | x[0]; θ)](f(b; θ)))"),
        ("→(∇²θ(𝔼[· | 1](→(⊥(θ)*x[2]))))", "→(∇²θ(𝔼[c ~ p(· | x[1]; θ)](θ*c)))"),
    ],
)  # fmt: skip
def test_a_conditional_expectation_averages_what_is_drawn_later(
    text: str, nested: str, stopped: bool
) -> None:
    assert same(parse(text), parse(nested), markov(stopped))


def test_the_tower_property() -> None:
    model = markov()
    for outer, inner in product((-1, 0, 1, 2), repeat=2):
        both = CondExpect(Num(outer), CondExpect(Num(inner), parse("g(x[1], x[2]; θ)*x[0]")))
        one = CondExpect(Num(min(outer, inner)), parse("g(x[1], x[2]; θ)*x[0]"))
        assert same(both, one, model)
    assert model.series(parse("𝔼[· | -1](1)"), 3, ["θ"]) == {(): F(1)}
    assert same(parse("𝔼[· | 1](x[1]*x[2])"), parse("x[1]*𝔼[· | 1](x[2])"), model)
    assert not same(parse("𝔼[· | 0](x[1]*x[2])"), parse("x[1]*𝔼[· | 0](x[2])"), model)


def test_single_variables_and_bound_indices() -> None:
    law = parse("p(u | z; θ)")
    model = Model({**POINT, "u": F(0)}, FUNCTIONS, laws=LAWS, draws=[Draw("u", (), 1, law, COIN)])
    assert same(parse("𝔼[· | 0](f(u; θ))"), parse("𝔼[x ~ p(· | z; θ)](f(x; θ))"), model)
    late = parse("Σ[t=0..1](𝔼[· | t](f(u; θ)*t))")
    assert same(late, parse("f(u; θ)"), model)


def test_draws_are_in_order() -> None:
    law, later = Draw("u", (), 1, Num(1), (0,)), Draw("u", (), 0, Num(1), (0,))
    with pytest.raises(EvaluationError, match="twice"):
        Model({}, draws=[law, law])
    with pytest.raises(EvaluationError, match="drawn at 0"):
        Model({}, draws=[law, later._replace(name="v")])
    with pytest.raises(EvaluationError, match="an expectation"):
        Model({}, draws=[law._replace(law=parse("𝔼[x ~ p(·)](x)"))])
    many = [Draw("u", (i,), 0, Num(1), (0, 1)) for i in range(20)]
    with pytest.raises(EvaluationError, match="outcomes"):
        Model({}, draws=many).value(parse("𝔼[· | -1](1)"))


# The draws of a document.

BOTH = (0, 1)


def particle_filter(stopped_weights: bool = True) -> tuple[Model, dict[str, int]]:
    """The filter of the design with coins as states and multinomial ancestors."""
    counts = {"N": 2, "T": 2}
    document = parse_document(DPF)
    rng = random.Random(11)
    functions = {
        "p": random_density(rng, [None] * 4, [BOTH, BOTH]),
        "q": random_density(rng, [None] * 3, [BOTH]),
        "p0": random_density(rng, [None], [BOTH]),
    }
    weight = "⊥(v̄[{}, a[{},{}]])" if stopped_weights else "1/2"
    draws = draws_of(
        document,
        counts,
        {"x": BOTH, "a": (1, 2)},
        {"a": lambda t, i: parse(weight.format(t - 1, t, i), document)},
    )
    point = {"θ": F(1, 2), "φ": F(1, 3), "y": (F(1), F(0))}
    return Model(point, functions, laws={"p": [BOTH, BOTH], "p0": [BOTH]}, draws=draws), counts


def test_the_draws_of_a_document_are_in_order() -> None:
    model, _ = particle_filter()
    assert [(d.name, d.indices, d.time) for d in model.draws.all][:4] == [
        ("x", (0, 1), 0), ("x", (0, 2), 0), ("a", (1, 1), 1), ("a", (1, 2), 1),
    ]  # fmt: skip
    places = {(d.name, d.indices): k for k, d in enumerate(model.draws.all)}
    assert len(places) == 10
    for t, i in product((1, 2), (1, 2)):
        assert places["a", (t, i)] < places["x", (t, i)]


@pytest.mark.parametrize("fair", [True, False])
def test_the_likelihood_estimate_of_a_filter_is_unbiased(fair: bool) -> None:
    """𝔼 Ẑ = p(y), in exact numbers; not so where ancestors are drawn otherwise than by the weights."""
    document = parse_document(DPF)
    model, counts = particle_filter(fair)
    estimate = model.value(unroll(parse("𝔼[· | -1](→(Z))", document), document, counts))
    likelihood = model.value(
        parse(
            "𝔼[a ~ p0(·)](𝔼[b ~ p(·, y[1] | a; θ)](𝔼[c ~ p(·, y[2] | b; θ)](1)))"
        )
    )
    assert (estimate == likelihood) is fair


def test_draws_that_a_document_does_not_give() -> None:
    document = parse_document(DPF)
    counts = {"N": 1, "T": 1}
    with pytest.raises(EvaluationError, match="no values are given for x"):
        draws_of(document, counts, {"a": BOTH}, {"a": lambda t, i: Num(1)})
    with pytest.raises(EvaluationError, match="opaque resampling law"):
        draws_of(document, counts, {"a": BOTH, "x": BOTH})
    single = parse_document(
        "parameter θ\ndensity p(x | z; θ)\nsample v ~ p(· | u; θ)\nsample u ~ p(· | 1; θ)"
    )
    assert [d.name for d in draws_of(single, {}, {"u": COINS, "v": COINS})] == ["u", "v"]
