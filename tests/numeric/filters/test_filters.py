"""The filters' promises: one forward pass, right likelihoods, right gradients where weights are zero."""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import exact_derivatives, kalman_log_likelihood
from surrogate_calculus.numeric.filters import METHODS, ParticleFilter, online_score
from surrogate_calculus.numeric.filters.replay import weigh
from surrogate_calculus.numeric.models import (
    Growth,
    HiddenMarkov,
    LinearGaussian,
    LinearGuide,
    LocalLevel,
    OptimalGuide,
    ScalarLinearGaussian,
    StochasticVolatility,
)

LGSSM = ScalarLinearGaussian(a=0.7, r=0.5)
EYE = torch.eye(2, dtype=torch.float64)
PLANE = LinearGaussian(
    torch.tensor([[0.8, 0.1], [-0.2, 0.7]], dtype=torch.float64),
    EYE + 0.3,
    torch.tensor([[1.0, 0.5]], dtype=torch.float64),
    0.4 * EYE[:1, :1],
    torch.zeros(2, dtype=torch.float64),
    EYE,
)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def leaves(model: Any, dtype: torch.dtype = torch.float64, device: str = "cpu") -> dict[str, Tensor]:
    return {n: v.to(dtype=dtype, device=device).requires_grad_() for n, v in model.defaults().items()}


def gradient(value: Tensor, parameters: dict[str, Tensor], graph: bool = False) -> list[Tensor]:
    found = torch.autograd.grad(
        value, list(parameters.values()), create_graph=graph, retain_graph=True, allow_unused=True
    )
    return [torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters.values(), strict=True)]


def both_orders(value: Tensor, parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The swept first derivatives, those by the graph, and row sums of second ones."""

    def row(parts: list[Tensor]) -> Tensor:
        return torch.cat([p.reshape(-1) for p in parts])

    first = row(gradient(value, parameters, graph=True))
    return row(gradient(value, parameters)), first.detach(), row(gradient(first.sum(), parameters))


# -- one forward pass --


@pytest.mark.parametrize("when", ["always", "never", 0.5])
@pytest.mark.parametrize("scheme", ["systematic", "multinomial", "residual", "stratified"])
def test_the_forward_pass_is_that_of_the_plain_filter(scheme: Any, when: Any) -> None:
    """To the last bit, for each dtype and kind of gradient."""
    for dtype in (torch.float64, torch.float32):
        plain = ParticleFilter(50, "pf", scheme=scheme, when=when)
        run = plain.run(LGSSM, normal(20), leaves(LGSSM, dtype), seed=3, batch=(4,))
        assert run.log_likelihood.dtype == run.log_weights.dtype == dtype
        for method in ("dpf", "pf-sf"):
            for kind in ("stopped", "live", "reparameterised"):
                how = ParticleFilter(50, method, gradient=kind, scheme=scheme, when=when)
                other = how.run(LGSSM, normal(20), leaves(LGSSM, dtype), seed=3, batch=(4,))
                assert torch.equal(other.log_likelihood, run.log_likelihood)
                assert torch.equal(other.states, run.states)
                assert torch.equal(other.trace.log_weights, run.trace.log_weights)
                assert torch.equal(other.trace.ancestors, run.trace.ancestors)


def test_the_surrogate_weights_of_dpf_are_those_of_pf_to_the_last_bit() -> None:
    """Algorithm 1 line by line: v̄/⊥v̄ is 1, and so is D."""
    run = ParticleFilter(30, when=0.7).run(LGSSM, normal(15), seed=2, batch=(3,))
    steps = tuple(normal(15, 3, 30, seed=5).unbind(0))
    plain, fixed, dice = (weigh(steps, run.trace.record, method) for method in ("pf", "dpf", "pf-sf"))
    assert torch.equal(plain[0], fixed[0]) and torch.equal(plain[1], fixed[1])
    assert torch.equal(dice[2], torch.zeros_like(dice[2])) and torch.equal(plain[0], dice[0])


def by_hand(run: Any) -> Tensor:
    """log Ẑ of a bootstrap filter from its trace, one number at a time: W[t] = Σ w̃ p(y|x)."""
    trace = run.trace
    c = LGSSM.natural({n: v.reshape(()) for n, v in LGSSM.defaults().items()})
    out = []
    for b in range(trace.batch[0]):
        weights, total = [1 / trace.particles] * trace.particles, 0.0
        for t in range(1, trace.steps + 1):
            if trace.resampled[t - 1, b]:
                weights = [1 / trace.particles] * trace.particles
            g = torch.exp(LGSSM.log_observation(c, t, trace.observations[t - 1], trace.states[t, b]))
            weights = [w * float(p) for w, p in zip(weights, g, strict=True)]
            total += math.log(sum(weights))
            weights = [w / sum(weights) for w in weights]
        out.append(total)
    return torch.tensor(out, dtype=torch.float64)


@pytest.mark.parametrize("when", ["always", "never", 0.4])
def test_the_likelihood_factor_of_every_step(when: Any) -> None:
    """Also of steps at which some replicates are resampled and others are not."""
    run = ParticleFilter(8, when=when).run(LGSSM, normal(12), seed=3, batch=(6,))
    flags = run.trace.resampled
    assert not bool(flags[0].any())  # the uniform weights of time 0
    if when == 0.4:
        assert bool((flags.any(1) & ~flags.all(1)).any())  # mixed at some step
        own = torch.arange(8)
        assert bool((run.trace.ancestors[~flags] == own).all())
        sizes = run.trace.effective_sizes[:-1]
        assert torch.equal(flags, sizes < 0.4 * 8)
    torch.testing.assert_close(run.log_likelihood, by_hand(run), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["dpf", "sis", "dpf2", "soft", "pf-sf"])
@pytest.mark.parametrize("proposal", [None, "optimal"])
def test_the_likelihood_is_unbiased_and_so_are_its_derivatives(method: Any, proposal: str | None) -> None:
    """2,000 filters at once against Kalman: z-tests at 4.5 standard errors, 7·10⁻⁶ false alarms each."""
    steps, runs = 3, 2000
    y = normal(steps, 1)
    parameters = leaves(PLANE)
    flat = {n: v.detach().expand(runs, *v.shape).clone().requires_grad_() for n, v in parameters.items()}
    scheme = "multinomial" if method == "pf-sf" else "systematic"
    guide = OptimalGuide(PLANE) if proposal else None
    run = ParticleFilter(12, method, guide, scheme=scheme, when=0.8 if method == "dpf" else "always").run(
        PLANE, y, flat, seed=5
    )
    exact = exact_derivatives(lambda p: kalman_log_likelihood(PLANE, y, p), parameters, 1)
    ratio = torch.exp(run.log_likelihood - exact.value).detach()
    assert ratio.shape == (runs,)
    samples = [ratio - 1]
    if method != "soft":  # its derivatives are biased
        slopes = torch.autograd.grad(run.likelihood.sum(), list(flat.values()))
        scores = torch.cat([g.reshape(runs, -1) for g in slopes], 1) / torch.exp(exact.value)
        samples += list((scores - exact.score).unbind(1))
    for sample in samples:
        assert abs(float(sample.mean())) <= 4.5 * float(sample.std()) / math.sqrt(runs)


# -- zero weights --


@dataclass(frozen=True)
class Wall(ScalarLinearGaussian):
    """y_t is seen only from the positive side; where it is not, the derivative of the log-density is NaN."""

    def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
        return torch.log(c.c * x.clamp(min=0)) - c.error * x * y


@pytest.mark.parametrize(
    ("method", "when"),
    [(m, w) for m in METHODS for w in ("always", "never", 0.5) if m != "dpf2" or w == "always"],
)
@pytest.mark.parametrize("batch", [(), (3,), "own"])
def test_dead_particles_give_no_nan(method: Any, when: Any, batch: Any) -> None:
    model = Wall(a=1.0, q=0.3, mean=0.5)
    y = normal(6).abs()
    parameters = leaves(model)
    if batch == "own":
        parameters = {n: v.detach().expand(3).clone().requires_grad_() for n, v in parameters.items()}
    kinds = {"dpf2": ("stopped",), "ot": ("reparameterised",)}.get(method, ("stopped", "reparameterised"))
    for kind in kinds:
        how = ParticleFilter(12, method, gradient=kind, when=when)
        run = how.run(model, y, parameters, seed=9, batch=() if batch == () else (3,))
        assert bool(torch.isneginf(run.trace.log_weights).any())
        assert bool((run.trace.log_weights.amax(-1) > -math.inf).all())
        swept, first, second = both_orders(run.log_likelihood.sum(), parameters)
        assert bool(torch.isfinite(torch.cat([swept, first, second])).all())
        torch.testing.assert_close(swept, first, rtol=1e-10, atol=1e-10)
        if kind == "stopped" and method in ("dpf", "sis", "dpf2"):
            online = online_score(how, model, y, parameters, seed=9, batch=() if batch == () else (3,))
            found = torch.cat(
                [v.reshape(-1) if batch == "own" else v.sum().reshape(1) for v in online.score.values()]
            )
            torch.testing.assert_close(found, swept, rtol=1e-10, atol=1e-10)


def test_the_gradient_is_that_of_the_survivors() -> None:
    """One step by hand: particle 0 and others are dead, and count for nothing."""
    model = Wall(a=1.0, q=0.3, mean=0.5)
    parameters, y = leaves(model), normal(1).abs()
    run = ParticleFilter(10).run(model, y, parameters, seed=4)
    x = run.trace.states[1]
    alive = x > 0
    assert not alive.all() and alive.any() and not bool(alive[0])
    weights = torch.where(alive, x * torch.exp(-math.sqrt(model.r) * x * y), 0.0)
    expected = (weights / weights.sum())[alive] @ (1 / torch.ones_like(x[alive]))  # ∂ log(c x)/∂c = 1/c
    torch.testing.assert_close(gradient(run.log_likelihood, parameters)[1], expected)


@pytest.mark.parametrize("method", METHODS)
def test_all_particles_dead_is_one_clear_error(method: Any) -> None:
    kind = "reparameterised" if method == "ot" else "stopped"
    how = ParticleFilter(10, method, gradient=kind)
    y = torch.tensor([0.3, 0.1, 1e200, 0.2], dtype=torch.float64)
    with pytest.raises(EvaluationError, match="every particle has weight zero at time 3\n"):
        how.run(LGSSM, y, seed=1)
    many = y.expand(3, 4).mT.clone()
    many[2, :2] = 0.0
    with pytest.raises(EvaluationError, match="every particle has weight zero at time 3 in replicate 2"):
        how.run(LGSSM, many, seed=1)
    with pytest.raises(EvaluationError, match=r"a log-weight at time 2 in replicate \(1, 0\) is nan"):
        how.run(_NanAtTwo(), y[:2], seed=1, batch=(2, 1))


@dataclass(frozen=True)
class _NanAtTwo(ScalarLinearGaussian):
    """A model gone wrong in the second replicate at time 2."""

    def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
        found = super().log_observation(c, t, y, x)
        if int(torch.as_tensor(t).max()) == 2:
            bad = torch.tensor([0.0, math.nan], dtype=found.dtype)
            found = found + bad.reshape(2, *(1,) * (found.dim() - 1))
        return found


@pytest.mark.parametrize("noise", [1e-4, 1e-12])
def test_nearly_degenerate_weights(noise: float) -> None:
    """One particle has all the weight, the log-weights spread over up to 10¹³."""
    model = ScalarLinearGaussian(r=noise)
    parameters, y = leaves(model), normal(10)
    for method in ("pf", "dpf", "sis", "pf-sf", "dpf2", "soft"):
        run = ParticleFilter(20, method).run(model, y, parameters, seed=2)
        swept, first, second = both_orders(run.log_likelihood, parameters)
        assert bool(torch.isfinite(torch.cat([swept, first, second])).all())
        torch.testing.assert_close(swept, first, rtol=1e-9, atol=1e-9)


def test_a_dead_tail_in_single_precision() -> None:
    """N = 10⁴, the second half dead: no scheme picks one of them, whatever the running sums round to."""
    n = 10_000
    dead = torch.arange(n) >= n // 2

    @dataclass(frozen=True)
    class Half(ScalarLinearGaussian):
        def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
            found = super().log_observation(c, t, y, x)
            return found if x.dim() != 2 else torch.where(dead, -math.inf, found)

    for scheme in ("systematic", "stratified", "multinomial", "residual"):
        run = ParticleFilter(n, scheme=scheme).run(Half(), normal(4).float(), dtype=torch.float32, seed=1)
        assert run.log_likelihood.dtype == torch.float32
        assert int(run.trace.ancestors[1:].max()) < n // 2


def test_a_derivative_that_is_not_a_number_is_an_error() -> None:
    """A density with an infinite derivative where particles have weight: never a NaN."""

    @dataclass(frozen=True)
    class Kinked(ScalarLinearGaussian):
        def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
            return super().log_observation(c, t, y, x) + torch.sqrt(0 * c.c * x)

    parameters = leaves(Kinked())
    for kind in ("stopped", "reparameterised"):
        run = ParticleFilter(5, gradient=kind).run(Kinked(), normal(3), parameters, seed=1)
        for graph in (False, True):
            with pytest.raises(EvaluationError, match="not a number"):
                gradient(run.log_likelihood, parameters, graph)
    with pytest.raises(EvaluationError, match="not a number"):
        online_score(ParticleFilter(5), Kinked(), normal(3), parameters, seed=1)


# -- missing observations --


@pytest.mark.parametrize("method", METHODS)
def test_missing_observations_skip_the_update(method: Any) -> None:
    y = normal(8)
    y[[0, 3, 4, 7]] = math.nan
    kind = "reparameterised" if method == "ot" else "stopped"
    parameters = leaves(LGSSM)
    run = ParticleFilter(30, method, gradient=kind).run(LGSSM, y, parameters, seed=2)
    increments = run.trace.log_weights[[1, 4, 5, 8]]
    if method in ("pf", "dpf", "pf-sf", "dpf2"):
        torch.testing.assert_close(increments, torch.full_like(increments, -math.log(30)))
    assert bool(torch.isfinite(torch.stack(gradient(run.log_likelihood, parameters))).all())
    nothing = torch.full((5,), math.nan, dtype=torch.float64)
    empty = ParticleFilter(30, method, gradient=kind).run(LGSSM, nothing, parameters, seed=2)
    assert abs(float(empty.log_likelihood.detach())) < 1e-12  # log of Σ w̄, five times


def test_missing_rows_of_one_replicate_and_not_of_another() -> None:
    """A guided filter draws from the transition where a row is missing: a z-test of the mean of Ẑ."""
    runs = 1500
    y = normal(3).expand(2, 3).mT.clone()
    y[1, 0] = math.nan
    both = y.repeat_interleave(runs, 1)
    how = ParticleFilter(20, proposal=LinearGuide(a=0.3, k=0.4))
    run = how.run(LGSSM, both, seed=6)
    for k, series in enumerate(y.unbind(1)):
        exact = kalman_log_likelihood(LGSSM, series, LGSSM.defaults())
        ratio = torch.exp(run.log_likelihood[k * runs : (k + 1) * runs] - exact)
        assert abs(float(ratio.mean()) - 1) <= 4.5 * float(ratio.std()) / math.sqrt(runs)


def test_a_row_missing_in_part_is_refused() -> None:
    y = normal(3, 2)
    y[1, 0] = math.nan
    model = LinearGaussian(PLANE.a, PLANE.q, EYE, EYE, PLANE.mean, PLANE.variance)
    with pytest.raises(EvaluationError, match="missing in part"):
        ParticleFilter(5).run(model, y)


# -- sizes --


def test_memory_of_the_online_score_does_not_grow_with_the_steps() -> None:
    """Numbers alive at the last step but those of the data."""

    @dataclass(frozen=True)
    class Watched(ScalarLinearGaussian):
        def move(self, c: Any, t: int, previous: Tensor, noise: Tensor) -> Tensor:
            if t == steps:
                alive.append(sum(o.numel() for o in gc.get_objects() if type(o) is Tensor) - known)
            return super().move(c, t, previous, noise)

    alive: list[int] = []
    for steps in (256, 2048):
        y = normal(steps)
        known = sum(o.numel() for o in gc.get_objects() if type(o) is Tensor)
        online_score(ParticleFilter(200), Watched(), y, seed=1)
    short, long = alive
    assert long < 1.1 * short + 20 * (2048 - 256)  # rows of the data and their views


# -- dtypes, devices, shapes --


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", METHODS)
def test_every_model_and_method_runs_in_every_dtype(method: Any, dtype: torch.dtype, device: str) -> None:
    models = [LGSSM, PLANE, StochasticVolatility(), Growth(), LocalLevel(0.0, 4.0, 1.0, 2.0)]
    if method != "ot":
        models.append(HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7))))
    for model in models:
        y = torch.zeros(4, dtype=torch.float64) if model.discrete else normal(4, *model.observed)
        parameters = leaves(model, dtype, device)
        kind = "reparameterised" if method == "ot" else "stopped"
        run = ParticleFilter(7, method, gradient=kind, when="always" if method == "dpf2" else 0.9).run(
            model, y.to(device), parameters, seed=1, batch=(2, 3)
        )
        assert run.log_likelihood.shape == (2, 3) and run.log_weights.shape == (2, 3, 7)
        assert run.states.shape == (2, 3, 7, *model.event)
        assert run.log_likelihood.dtype == run.log_weights.dtype == dtype
        assert run.log_likelihood.device.type == device
        for found, p in zip(gradient(run.log_likelihood.sum(), parameters), parameters.values(), strict=True):
            assert found.dtype == dtype and bool(torch.isfinite(found).all()) and found.shape == p.shape
        assert run.trace.states.shape == (5, 2, 3, 7, *model.event)
        assert run.trace.ancestors.shape == (4, 2, 3, 7) and run.trace.resampled.shape == (4, 2, 3)
        weights = torch.exp(run.trace.log_weights)
        assert weights.shape == (5, 2, 3, 7)
        torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


def test_seeds_and_generators() -> None:
    how, y = ParticleFilter(10), normal(5)
    run = how.run(LGSSM, y, seed=7)
    assert run.trace.seed == 7
    assert torch.equal(run.states, how.run(LGSSM, y, generator=torch.Generator().manual_seed(7)).states)
    assert not torch.equal(run.states, how.run(LGSSM, y, seed=8).states)


def test_posterior_expectations_have_the_gradient_of_the_survivors_paths() -> None:
    """∇ Σ w̄ f = Σ w̄ (f - f̄) ∇ log p(x̃, y) for DPF, with f free of the parameters (Eq. 18)."""
    parameters, y = leaves(LGSSM), normal(6)
    run = ParticleFilter(25, "dpf").run(LGSSM, y, parameters, seed=3)
    found = torch.stack(gradient(run.expectation(torch.sin), parameters))
    path, weights = run.trace.paths, torch.exp(run.log_weights).detach()
    f = torch.sin(path[-1])
    centred = weights * (f - weights @ f)
    c = LGSSM.natural(parameters)
    log_p = LGSSM.log_transition(c, 2, path[1:], path[:-1]) + LGSSM.log_observation(
        c, 2, y[:, None], path[1:]
    )
    expected = torch.stack(gradient((log_p.sum(0) * centred).sum(), parameters))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: ParticleFilter(0), "cannot be 0 particles"),
        (lambda: ParticleFilter(5, "magic"), "no method is called 'magic'"),  # type: ignore[arg-type]
        (lambda: ParticleFilter(5, scheme="magic"), "no scheme is called"),  # type: ignore[arg-type]
        (lambda: ParticleFilter(5, gradient="dead"), "no gradient is called"),  # type: ignore[arg-type]
        (lambda: ParticleFilter(5, when="sometimes"), "cannot happen 'sometimes'"),  # type: ignore[arg-type]
        (lambda: ParticleFilter(5, when=1.5), "is no fraction of N"),
        (lambda: ParticleFilter(5, "soft", alpha=0.0), "α of soft resampling"),
        (lambda: ParticleFilter(5, "dpf2", gradient="reparameterised"), "marginal filter draws"),
        (lambda: ParticleFilter(5, "ot"), "no constants"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3), {"b": 1.0}), "no parameter b"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3, 2), {"a": torch.ones(3)}), "do not broadcast"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3), {"a": torch.ones(3)}, batch=(2,)), "batch shape"),
        (lambda: ParticleFilter(5).run(PLANE, normal(3)), "observations have shape"),
        (lambda: ParticleFilter(5).run(PLANE, normal(3, 1), {"a": 0.5}), "parameter a has shape"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(0)), "no observations"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3), dtype=torch.int64), "floating-point"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3), seed=1, generator=torch.Generator()), "both a seed"),
        (lambda: ParticleFilter(5).run(LGSSM, normal(3), seed=1).trace.noise, "kept no noise"),
        (lambda: online_score(ParticleFilter(5, "pf"), LGSSM, normal(3)), "Fisher's identity"),
        (lambda: online_score(ParticleFilter(5), LGSSM, normal(3), wrt=["b"]), "no parameter b"),
        (
            lambda: ParticleFilter(5, gradient="reparameterised").run(
                HiddenMarkov((1.0,), ((1.0,),), ((1.0,),)), torch.zeros(2)
            ),
            "whole numbers",
        ),
    ],
)
def test_one_clear_error(change: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        change()
