"""Families by recursion in torch: against the exact model of the unrolled document, and by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import torch
from filled_documents import filled
from language.documents import ADAPTIVE, BACKWARD, DPF, EVERY, FIXED_LAG, LAG2, REPARAMETERISED
from timing import within
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.declarations import Definition
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Add, Axis, Eval, Fn, Grad, Indexed, Mul, Num, Sum, Sym, Term
from surrogate_calculus.numeric import Event, Family
from surrogate_calculus.numeric.autodiff import run

VECTOR = (
    DPF.replace("parameter θ, φ", "count K\nindex k, l = 1..K\nparameter θ[k], φ")
    .replace("derive →(∇θ log Z)", "")
)  # fmt: skip
LOG_P = "log p(x̃[1:T,i], y[1:T]; θ)"
SCORE = f"Σ[i](v̄[T,i] * ∇θ {LOG_P})"
FISHER = f"∇²θ {LOG_P} + ∇θ {LOG_P} ⊗ ∇θ {LOG_P}"
HESSIAN = f"Σ[i](v̄[T,i] * ({FISHER})) - {SCORE} ⊗ {SCORE}"


def close(found: Any, expected: Any) -> None:
    found, expected = (torch.as_tensor(v, dtype=torch.float64) for v in (found, expected))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


# -- against the exact model --


@pytest.mark.parametrize("name", EVERY)
def test_every_document_agrees_with_the_model_of_its_unrolled_form(name: str, rng: random.Random) -> None:
    case = filled(EVERY[name], rng, N=2, T=3, L=1, K=2)
    values = case.torch_values()
    for target in case.document.targets:
        exact = case.exact(target.term)
        close(sc.evaluate(target.term, values, given=case.document), exact)
        close(run(target.term, values, given=case.document), exact)


@pytest.mark.parametrize(
    ("goal", "value"), [("Σ[i](u[T,i])", 3 * 0.7**3), ("∏[i](u[T,i])", 0.7**9), ("Σ[t](Σ[i](u[t,i]))", 2.499)]
)
def test_a_family_whose_members_are_all_one_is_summed(goal: str, value: float) -> None:
    """Its definition does not mention the index, so that nothing lies along its axis."""
    given = parse_document(
        "count N, T\nparameter θ\nindex i = 1..N;  index t = 1..T\n"
        "define c[0] = θ\ndefine c[t] = θ*c[t-1]\ndefine u[0,i] = 1\ndefine u[t,i] = c[t]"
    )
    values = {"N": 3, "T": 2, "θ": 0.7}
    close(sc.evaluate(goal, values, given=given), value)
    slope = sc.derive(goal, "θ", given=given)
    by_autograd = sc.autodiff(goal, "θ", 1, values, given=given)
    close(sc.evaluate(slope.result, values, given=slope.document), by_autograd)


@pytest.mark.parametrize("seed", range(6))
def test_adaptive_resampling_whichever_way_it_goes(seed: int) -> None:
    """A threshold that the effective size of four particles is below about every other time."""
    case = filled(ADAPTIVE.replace("N/2", "N - 1/10"), random.Random(seed), N=4, T=3)
    values, term = case.torch_values(), case.document.targets[0].term
    exact = case.exact(term)
    close(sc.evaluate(term, values, given=case.document), exact)
    close(run(term, values, given=case.document), exact)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "wrt"), [("DPF", "θ"), ("DPF2", "θ"), ("reparameterised", "φ"), ("lag 2", "θ")]
)
def test_higher_orders_in_both_modes(name: str, wrt: str, order: int, rng: random.Random) -> None:
    case = filled(EVERY[name], rng, N=2, T=2)
    term = parse("F[T]" if name == "lag 2" else "log Z", case.document)
    values = case.torch_values()
    derived = term
    for _ in range(order):
        derived = Grad(wrt, derived)
    exact = case.exact(derived)
    close(sc.autodiff(term, wrt, order, values, given=case.document), exact)
    close(sc.evaluate(derived, values, given=case.document), exact)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_total_derivatives_of_a_derived_formula(shared: bool, order: int, rng: random.Random) -> None:
    """Its ∇ go through particles and ancestors, one after another and inside one another."""
    text = REPARAMETERISED.replace("; φ)", "; θ)").replace("∇φ", "∇θ") if shared else REPARAMETERISED
    case, wrt = filled(text, rng, N=2, T=2), "θ" if shared else "φ"
    derivation = sc.derive("log Z", wrt, order, given=case.document)
    values, surrogate = case.torch_values(), parse("log Z", case.document)
    exact = case.exact(derivation.start)
    assert abs(exact) > 1e-6
    close(sc.autodiff(surrogate, wrt, order, values, given=case.document), exact)
    close(sc.evaluate(derivation.result, values, given=derivation.document), exact)
    assert sc.check_derivation(derivation, points=2)


def test_an_index_is_the_same_inside_and_outside_of_derivatives(rng: random.Random) -> None:
    """Whichever of them looks at it first: none, the outer or the inner one."""
    case = filled(REPARAMETERISED, rng, N=2, T=3)
    path = "log q(x̃[1:T,i]; φ)"
    for text in (
        f"Σ[i](∇²φ {path} + ∇φ {path} + {path})",
        f"Σ[i]({path} * ∇φ({path} * ∇φ({path} * ∇φ {path})))",
        f"Σ[i](∇φ(∇φ(∇φ({path}) * {path}) * {path}) * {path})",
    ):
        term = parse(text, case.document)
        close(sc.evaluate(term, case.torch_values(), given=case.document), case.exact(term))
        close(run(term, case.torch_values(), given=case.document), case.exact(term))


def test_a_vector_parameter_has_all_its_components(rng: random.Random) -> None:
    case = filled(VECTOR, rng, N=2, T=2, K=2)
    values = case.torch_values()
    first = sc.autodiff("log Z", "θ", 1, values, given=case.document)
    second = sc.autodiff("log Z", "θ", 2, values, given=case.document)
    assert first.shape == (2,) and second.shape == (2, 2)
    gradient = Grad("θ", parse("log Z", case.document), Axis(1))
    hessian = Grad("θ", gradient, Axis(2))
    for k in (1, 2):
        close(first[k - 1], case.exact(gradient, {1: k}))
        for m in (1, 2):
            close(second[k - 1, m - 1], case.exact(hessian, {1: k, 2: m}))
    close(sc.evaluate(SCORE, values, given=case.document), first)
    close(sc.evaluate(HESSIAN, values, given=case.document), second)


def test_introduced_families_with_coordinates(rng: random.Random) -> None:
    """Λ[t,i,k], the k-th component of the score along the lineage, and Λ₂[t,i,k,l], by recursion."""
    case = filled(VECTOR, rng, N=3, T=3, K=2)
    t, i, k, m = (Sym(name) for name in "tikl")
    back = t - 1, Indexed("a", t, i)
    log = parse_document(VECTOR).definition("v")
    assert log is not None
    p = Fn("log", next(n for n in _nodes(log.body) if n.tag == "app" and n.key[0] == "p"))

    def family(name: str, step: Term, *indices: Term) -> Definition:
        body = Fn("cases", Fn("gt", t, Num(0)), Add(step, Indexed(name, *back, *indices)), Num(0))
        return Definition(name, ("t", "i", *(x.key for x in indices)), body, t)

    document = case.document.with_definitions(
        [family("Λ", Grad("θ", p, k), k), family("Λ2", Grad("θ", Grad("θ", p, k), m), k, m)]
    )
    at = Sym("T"), Sym("i")
    weight = Indexed("v̄", *at)
    one, two = Axis(1), Axis(2)
    score = _mean(Mul(weight, Indexed("Λ", *at, one)))
    squares = Add(Indexed("Λ2", *at, one, two), Mul(Indexed("Λ", *at, one), Indexed("Λ", *at, two)))
    other = _mean(Mul(weight, Indexed("Λ", *at, two)))
    hessian = Add(_mean(Mul(weight, squares)), Mul(Num(-1), score, other))
    values = case.torch_values()
    close(sc.evaluate(score, values, given=document), sc.autodiff("log Z", "θ", 1, values, given=document))
    close(sc.evaluate(hessian, values, given=document), sc.autodiff("log Z", "θ", 2, values, given=document))


def _nodes(term: Term) -> list[Term]:
    from surrogate_calculus.language.terms import postorder

    return postorder(term)


def _mean(body: Term) -> Term:
    from surrogate_calculus.language.binding import abstract

    return Sum(Num(1), Sym("N"), abstract(body, "i"))


# -- by hand --


def normal(x: Tensor, mean: Tensor, scale: float = 1.0) -> Tensor:
    return -(((x - mean) / scale) ** 2) / 2 - math.log(scale) - math.log(2 * math.pi) / 2


def model(n: int, steps: int, seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    return {
        "N": n, "T": steps, "θ": 0.7, "φ": 0.5, "x": draw(steps + 1, n), "y": draw(steps),
        "a": torch.randint(1, n + 1, (steps, n), generator=generator),
        "log p": lambda x, y, z, t: normal(x, t * z) + normal(y, x, 0.5),
        "log q": lambda x, z, f: normal(x, f * z),
        "f": lambda path, t: torch.sin(path * t).sum(-1),
    }  # fmt: skip


def log_z(values: dict[str, Any], θ: Tensor) -> Tensor:
    """The filter as a training script has it."""
    x, n = values["x"], values["N"]
    v̄ = torch.full((n,), 1 / n, dtype=torch.float64)
    out = torch.zeros((), dtype=torch.float64)
    for t in range(1, values["T"] + 1):
        a = values["a"][t - 1] - 1
        ratio = values["log p"](x[t], values["y"][t - 1], x[t - 1][a], θ)
        v = v̄[a] / v̄[a].detach() * torch.exp(ratio - values["log q"](x[t], x[t - 1][a], values["φ"])) / n
        out = out + torch.log(v.sum())
        v̄ = v / v.sum()
    return out


def test_a_thousand_particles_and_fifty_times_take_seconds() -> None:
    document, values = parse_document(DPF), model(1000, 50)
    θ = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    by_hand = log_z(values, θ)
    (first,) = torch.autograd.grad(by_hand, θ, create_graph=True)
    (second,) = torch.autograd.grad(first, θ)
    with within(20):  # about 2 on a free core
        close(sc.evaluate("log Z", values, given=document), by_hand.detach())
        close(sc.autodiff("log Z", "θ", 1, values, given=document), first.detach())
        close(sc.autodiff("log Z", "θ", 2, values, given=document), second)
        close(sc.evaluate(SCORE, values, given=document), first.detach())


def test_a_function_is_called_once_for_all_particles_of_a_time() -> None:
    document, values = parse_document(DPF), model(100, 7)
    shapes = []

    def p(x: Tensor, y: Tensor, z: Tensor, t: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        return normal(x, t * z) + normal(y, x)

    sc.evaluate("log Z", {**values, "log p": p}, given=document)
    assert shapes == [(100,)] * 7


def test_a_function_of_a_path_has_time_last() -> None:
    document, values = parse_document(DPF), model(5, 3)
    shapes = []

    def f(path: Tensor, t: Tensor) -> Tensor:
        shapes.append(tuple(path.shape))
        return path[..., -1] * t

    found = sc.evaluate("Σ[i](v̄[T,i]*f(x̃[1:T,i]; θ))", {**values, "f": f}, given=document)
    assert shapes == [(5, 3)]
    close(found, sc.evaluate("Σ[i](v̄[T,i]*x[T,i]*θ)", values, given=document))


def test_tiny_densities_given_by_their_logarithm() -> None:
    document, values = parse_document(DPF), model(4, 3)
    log_p = values["log p"]
    tiny = {**values, "log p": lambda *slots: log_p(*slots) - 900.0}
    score = sc.autodiff("log Z", "θ", 1, values, given=document)
    close(sc.autodiff("log Z", "θ", 1, tiny, given=document), score)
    close(sc.evaluate(SCORE, tiny, given=document), score)
    shift = sc.evaluate("log Z", values, given=document) - sc.evaluate("log Z", tiny, given=document)
    close(shift, 2700.0)


@pytest.mark.parametrize("resampled", [False, True])
def test_the_branch_not_taken_gives_no_nan(resampled: bool) -> None:
    """Particles of weight 0 at time 1: where nothing is resampled, the other branch would divide by 0."""
    document, values = parse_document(ADAPTIVE), model(4, 2)
    x = values["x"]
    dead = x[1][1:] if resampled else x[1][:1]

    def p(x: Tensor, y: Tensor, z: Tensor, t: Tensor) -> Tensor:
        alive = torch.where((x.detach().unsqueeze(-1) == dead).any(-1), -torch.inf, 0.0)
        return normal(x, t * z) + normal(y, x) + alive

    values |= {"log p": p, "r": torch.ones(2, 4)}
    assert (float(sc.evaluate("ESS[1]", values, given=document)) < 2) is resampled
    for order in (1, 2):
        found = sc.autodiff("log Z", "θ", order, values, given=document)
        assert torch.isfinite(found)
        close(sc.evaluate("∇θ log Z" if order == 1 else "∇²θ log Z", values, given=document), found)


def test_the_total_derivative_goes_through_reparameterised_particles(rng: random.Random) -> None:
    case = filled(REPARAMETERISED, rng, N=2, T=2)
    term = parse(f"Σ[i](∇φ {LOG_P})", case.document)
    values = case.torch_values()
    found = sc.evaluate(term, values, given=case.document)
    close(found, case.exact(term))
    assert abs(float(found)) > 1e-3


def test_a_batch_of_filters_is_a_loop() -> None:
    document = parse_document(DPF)
    single = [model(3, 2, seed) for seed in range(4)]
    batch = {**single[0], **{k: torch.stack([s[k] for s in single], -1) for k in ("x", "a", "y")}}
    for goal in ("log Z", "∇θ log Z", SCORE):
        loop = [float(sc.evaluate(goal, values, given=document)) for values in single]
        close(sc.evaluate(goal, batch, given=document), loop)
    loop = [float(sc.autodiff("log Z", "θ", 2, values, given=document)) for values in single]
    close(sc.autodiff("log Z", "θ", 2, batch, given=document), loop)


def test_trajectories_of_vectors() -> None:
    document, values = parse_document(DPF), model(3, 2)
    x = values["x"]
    plane = {
        **values,
        "x": Event(torch.stack((x, -x), -1), dims=1),
        "log p": lambda x, y, z, t: values["log p"](x[..., 0], y, -z[..., 1], t),
        "log q": lambda x, z, f: values["log q"](-x[..., 1], z[..., 0], f),
    }
    close(sc.evaluate("log Z", plane, given=document), sc.evaluate("log Z", values, given=document))
    close(sc.evaluate(SCORE, plane, given=document), sc.evaluate(SCORE, values, given=document))


def test_free_indices_and_counts_that_the_values_show() -> None:
    document, values = parse_document(DPF), model(3, 2)
    total = sum(
        float(sc.evaluate(Indexed("v̄", Sym("t"), Sym("i")), {**values, "t": 2, "i": i}, given=document))
        for i in (1, 2, 3)
    )
    assert total == pytest.approx(1)
    shown = {name: value for name, value in values.items() if name not in ("N", "T")}
    close(sc.evaluate("log Z", shown, given=document), sc.evaluate("log Z", values, given=document))


def test_a_stop_and_an_arrow_over_recursions() -> None:
    document, values = parse_document(DPF), model(3, 2)
    goal = parse("log Z", document)
    assert sc.evaluate(Grad("θ", Fn("exp", Num(0))) + Num(1), values, given=document) == 1
    notes: list[str] = []
    arrow = run(Grad("θ", Eval(goal)), values, given=document, notes=notes)
    assert len(notes) == 1 and "detach" in notes[0]
    close(arrow, sc.evaluate(Grad("θ", Eval(goal)), values, given=document))
    assert abs(float(arrow - sc.autodiff(goal, "θ", 1, values, given=document))) > 1e-6


# -- errors --

TERM = "log Z"


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: without(v, "N", "x", "a"), "no value is given for the count N"),
        (lambda v: without(v, "a"), r"a \(a tensor of shape \(2, 3\), for the indices 1\.\.2, 1\.\.3\)"),
        (lambda v: without(v, "x"), r"x \(a tensor of shape \(3, 3\), for the indices 0\.\.2, 1\.\.3\)"),
        (lambda v: without(v, "log p"), "no value is given for p"),
        (lambda v: {**v, "x": v["x"][1:]}, r"the tensor for x has shape \(2, 3\)"),
        (lambda v: {**v, "a": v["a"] + 3}, r"of v̄ is outside its range 1\.\.3 in v̄\[0,a\[1,i\]\]"),
        (lambda v: {**v, "log p": lambda *s: s[0] - torch.inf}, r"division by zero in 1/V\[1\]"),
        (lambda v: {**v, "log p": lambda *s: 1 / 0}, r"ZeroDivisionError in p\(x\[1,i\], y\[1\] \| x\[0,a"),
        (lambda v: {**v, "N": 2.5}, "N is a whole number"),
        (lambda v: {**v, "N": torch.tensor([3, 3])}, "N is one whole number"),
        (lambda v: {**v, "log p": lambda x, y, z, t: (x * t).sum()}, "returned shape"),
    ],
)
def test_one_clear_error(change: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        sc.evaluate(TERM, change(model(3, 2)), given=parse_document(DPF))


def test_more_errors() -> None:
    values = model(3, 2)
    document = parse_document(DPF)
    with pytest.raises(EvaluationError, match="ψ does not occur"):
        sc.autodiff("log Z", "ψ", 1, values, given=document)
    lag = parse_document(FIXED_LAG)
    with pytest.raises(EvaluationError, match="has the index -1, outside"):
        sc.evaluate(lag.targets[0].term, {**values, "L": 3}, given=lag)
    assert sc.autodiff("log Z", "θ", 1, {**values, "x": Family(values["x"], (0, 1))}, given=document)


def test_recursions_without_particles() -> None:
    lag = parse_document(LAG2)
    close(sc.evaluate("∇θ F[T]", {"T": 2, "θ": 0.5, "y": [1.0, 2.0]}, given=lag), 3 * 0.25 + 2 * 0.5 + 2)
    backward = parse_document(BACKWARD)
    ones = {"m": lambda i, j, t: t + 0 * i * j, "e": lambda i, y, t: y + 0 * i * t}
    values = {"K": 3, "T": 2, "θ": 0.5, "y": [1.0, 2.0], "c": [1.0, 2.0, 3.0], **ones}
    close(sc.evaluate("Z", values, given=backward), 3 * 1.0 * 3 * 0.5 * 2.0)
