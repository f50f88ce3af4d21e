"""What users get wrong: one clear error each, that says what to give instead."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import forward_log_likelihood, kalman_log_likelihood
from surrogate_calculus.numeric.filters import ParticleFilter, Transport, online_score, resample
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

INF, NAN = math.inf, math.nan
LINE = ScalarLinearGaussian()
EYE = torch.eye(2, dtype=torch.float64)
PLANE = LinearGaussian(EYE, EYE, EYE, EYE, EYE[0], EYE)
CHAIN = HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)))
Y = torch.zeros(4, dtype=torch.float64)
F = ParticleFilter


def run(
    observations: Any = Y, parameters: Any = None, model: Any = LINE, proposal: Any = None, **how: Any
) -> Any:
    return F(5, proposal=proposal).run(model, observations, parameters, **how)


class Twice(ScalarLinearGaussian):
    """Its density has an axis too many."""

    def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
        return super().log_observation(c, t, y, x).unsqueeze(-1)


class Flat(ScalarLinearGaussian):
    """Its next states are one number for all."""

    def move(self, c: Any, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        return super().move(c, t, previous, noise)[:, :1]


class Named(LinearGuide):
    """A proposal with a parameter that the model has too."""

    parameters = {"a": ()}


SETTINGS: list[tuple[Any, str]] = [
    *((lambda n=n: F(n), "there cannot be .* particles") for n in (0, -1, True, 2.0, "5", None, 10**30, NAN)),
    *(
        (lambda w=w: F(5, when=w), "fraction of N")
        for w in (NAN, None, True, [1], 0, -0.5, 1.5, torch.ones(1))
    ),
    *((lambda a=a: F(5, "soft", alpha=a), "α of soft") for a in (NAN, "x", None, 0, 1.1, True)),
    *((lambda m=m: F(5, m), "no method is called") for m in (["dpf"], None, "DPF", 3)),
    (lambda: F(5, scheme="sistematic"), "no scheme is called"),  # type: ignore[arg-type]
    (lambda: F(5, transport=None), "is no transport"),  # type: ignore[arg-type]
    *((lambda e=e: Transport(epsilon=e), "epsilon of a transport") for e in (NAN, INF, 0.0, -1, "a", None)),
    *((lambda e=e: Transport(tolerance=e), "tolerance of a transport") for e in (NAN, 0.0)),
    *((lambda k=k: Transport(iterations=k), "iterations of a transport") for k in (0, 1.5, True, NAN)),
]
OBSERVATIONS: list[tuple[Any, str]] = [
    *((lambda y=y: run(y), "observation at time 2 is infinite") for y in ([0.0, INF], [0.0, -INF])),
    (lambda: run([[0.0, 1.0], [INF, NAN]], model=PLANE), "observation at time 2 is infinite"),
    *(
        (lambda y=y: run(y), "observations cannot be made of")
        for y in ("abc", None, {}, [[1.0], [1.0, 2.0]], [1j])
    ),
    (lambda: run(torch.zeros(3, dtype=torch.complex64)), "observations cannot be made of torch.complex64"),
    (lambda: run(3.0), "observations have shape"),
    (lambda: run(torch.zeros(4), model=PLANE), "observations have shape"),
    (lambda: run(torch.zeros(4, 3), model=PLANE), "observations have shape"),
    (lambda: run([]), "no observations"),
    *((lambda y=y: run([0.0, y], model=CHAIN), "is no symbol") for y in (2, -1, 0.5)),
    (lambda: run(torch.zeros(4, 3), batch=(2,)), "batch shape"),
    (lambda: run(torch.zeros(4, 3), batch=()), "batch shape"),
    (lambda: forward_log_likelihood(CHAIN, [0, 2], {}), "is no symbol"),
    (lambda: forward_log_likelihood(CHAIN, torch.zeros(3, 2), {}), "one series"),
    (lambda: kalman_log_likelihood(LINE, [0, INF], {}), "infinite"),
    (lambda: kalman_log_likelihood(LINE, torch.zeros(3, 2), {}), "one series"),
    (lambda: kalman_log_likelihood(LINE, "abc", {}), "cannot be made of"),
]
PARAMETERS: list[tuple[Any, str]] = [
    (lambda: run(Y, {"log_Q": 1.0}), "no parameter log_Q"),
    (lambda: run(Y, {"z_φ": 1.0}, StochasticVolatility()), "no parameter z_φ"),
    *((lambda v=v: run(Y, {"a": v}), "parameter a is") for v in (NAN, INF, torch.tensor([0.1, NAN]))),
    (lambda: run(Y * NAN, {"c": NAN}), "parameter c is nan"),  # whose density is never asked for
    *(
        (lambda v=v: run(Y, {"a": v}), "parameter a cannot be")
        for v in ("x", None, 1j, torch.tensor(1j), [[1], [1, 2]])
    ),
    *((lambda p=p: run(Y, p), "no mapping from names") for p in ([("a", 1.0)], 3, "a", {3: 1.0, "a": 2.0})),
    (lambda: run(Y, {"a": torch.zeros(3)}, batch=(2,)), "batch shape"),
    (lambda: run(Y, {"a": torch.zeros(0)}), "no shape of replicates"),
    (lambda: run(Y, {"a": torch.zeros(2), "c": torch.zeros(3)}), "do not broadcast"),
    (lambda: run(torch.zeros(4, 2), {"a": 0.5}, PLANE), "parameter a has shape"),
    (lambda: kalman_log_likelihood(LINE, Y, {"a": "x"}), "parameter a cannot be"),
]
RUNS: list[tuple[Any, str]] = [
    *((lambda s=s: run(seed=s), "is no seed") for s in (-1, 2**70, 1.5, "a", True)),
    (lambda: online_score(F(5), LINE, Y, seed=-3), "is no seed"),
    (lambda: run(generator=3), "is no generator"),
    *((lambda b=b: run(batch=b), "no shape of replicates") for b in (3, (0,), (-1,), (2.0,), "ab", (True,))),
    *(
        (lambda d=d: run(dtype=d), "floating-point double or single")
        for d in (torch.float16, torch.bfloat16, torch.int64, torch.complex64, "float32")
    ),
    (lambda: run(Y, {"a": torch.tensor(0.5, dtype=torch.float16)}), "floating-point double or single"),
    *((lambda d=d: run(device=d), "there is no device") for d in ("nonsense", "meta", 3.5)),
]
MODELS: list[tuple[Any, str]] = [
    *((lambda m=m: run(model=m), "no model") for m in (None, "lgssm", 3)),
    (lambda: run(model=ScalarLinearGaussian), "is a class"),
    (lambda: run(proposal="guide"), "no proposal"),
    (lambda: run(proposal=LinearGuide), "is a class"),
    (lambda: run(torch.zeros(3, 2), model=PLANE, proposal=LinearGuide()), "for states of shape"),
    (lambda: run(proposal=OptimalGuide(PLANE)), "for states of shape"),
    (lambda: run(model=CHAIN, proposal=LinearGuide()), "whole numbers"),
    (lambda: run(proposal=Named()), "both have a parameter a"),
    (lambda: run(model=Twice()), r"log p\(y\|x\) at time 1 has shape"),
    (lambda: run(model=Flat()), "a state at time 1 has shape"),
    *((lambda q=q: ScalarLinearGaussian(q=q), "q of the linear") for q in (-1.0, 0.0, NAN, INF, "x")),
    (lambda: Growth(r=-1.0), "r of the growth"),
    (lambda: StochasticVolatility(sigma=0.0), "sigma of the stochastic"),
    *((lambda p=p: StochasticVolatility(phi=p), "φ of the stochastic") for p in (2.0, -1.0, NAN)),
    *((lambda v=v: LocalLevel(0.0, v), "must be proper") for v in (0.0, -1.0, NAN)),
    (lambda: LocalLevel(0.0, 1.0, s=-1.0), "s of the local level"),
    (lambda: HiddenMarkov((NAN, 1.0), ((0.5, 0.5), (0.5, 0.5)), ((1.0,), (1.0,))), "sum to 1"),
]
OTHERS: list[tuple[Any, str]] = [
    (lambda: online_score(F(5), LINE, Y, wrt="a"), "wrt is one name"),  # type: ignore[arg-type]
    (lambda: online_score(F(5), LINE, Y, wrt=[1]), "no parameter 1"),  # type: ignore[list-item]
    (lambda: online_score(F(5), LINE, Y, wrt=[]), "nothing to differentiate"),
    *(
        (lambda w=w: resample(w), "weights to resample by")
        for w in (
            torch.tensor(0.0),
            torch.zeros(0),
            torch.zeros(0, 3),
            torch.tensor([NAN, 0.0]),
            torch.tensor([INF, 0.0]),
            torch.tensor([[0.0, 0.0], [-INF, -INF]]),
            "abc",
        )
    ),
]


@pytest.mark.parametrize(
    "cases", [SETTINGS, OBSERVATIONS, PARAMETERS, RUNS, MODELS, OTHERS], ids=lambda rows: rows[0][1]
)
def test_one_clear_error(cases: list[tuple[Any, str]]) -> None:
    for k, (attempt, message) in enumerate(cases):
        with pytest.raises(EvaluationError, match=message) as found:
            attempt()
        assert found.value.instead, (k, message)
        assert len(str(found.value)) < 300


# -- near misses that are right --


def test_lists_are_read_in_double_precision() -> None:
    values = [0.1, 0.2, 0.3]
    exact = run(torch.tensor(values, dtype=torch.float64), seed=1).log_likelihood
    assert torch.equal(run(values, seed=1).log_likelihood, exact)
    assert torch.equal(run(torch.tensor(values, dtype=torch.float64).numpy(), seed=1).log_likelihood, exact)
    one = kalman_log_likelihood(LINE, torch.tensor(values, dtype=torch.float64), {})
    assert torch.equal(kalman_log_likelihood(LINE, values, {}), one)


def test_observations_broadcast_over_replicates_and_never_over_time() -> None:
    """T = 2 is also a number of replicates: rows stay times."""
    y = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], dtype=torch.float64)
    found = run(y, seed=1, batch=(2, 3)).log_likelihood
    wide = run(y[:, None].expand(2, 2, 3), seed=1).log_likelihood
    assert torch.equal(found, wide) and found.shape == (2, 3)


def test_a_name_asked_for_twice_is_asked_for_once() -> None:
    score = online_score(F(5), LINE, Y, wrt=["a", "a"], seed=1).score
    assert list(score) == ["a"]
    torch.testing.assert_close(score["a"], online_score(F(5), LINE, Y, wrt=["a"], seed=1).score["a"])
