"""pydpf's filters with stop-gradient resampling, in a process that knows nothing of this package.

pydpf (J.-J. Brady and others, King's College London) is installed by ``pydpf_environment.py``.  A request is
a JSON object, a line on standard input; an answer is one on standard output:

    {"do": "time", "particles": 100, "dtype": "float64", "observations": […]}
    {"do": "trace", "filter": "stop-gradient", "particles": 6, "replicates": 20, "seed": 1,
     "observations": […], "path": "…"}

The model is x₀ ~ N(0, 1), x_t = a x_{t-1} + N(0, q), y_t = c x_t + N(0, r), in as few operations as the loop
of ``bench_filters.py``.  pydpf weighs at time 0, where there is no observation: the weights are 1 there.
"""

# ruff: noqa: D102

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

import pydpf
import torch
from torch import Tensor

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
#: a, log q, c, log r.
VALUES = {"a": 0.9, "log_q": 0.0, "c": 1.0, "log_r": math.log(0.1)}


class Prior(pydpf.Module):
    """x₀."""

    def sample(self, batch_size: int, n_particles: int, **data: Any) -> Tensor:
        return torch.randn(batch_size, n_particles, 1)


class Dynamics(pydpf.Module):
    """x_t."""

    def __init__(self, p: dict[str, Tensor]) -> None:
        super().__init__()
        self.a, self.deviation = p["a"], torch.exp(p["log_q"] / 2)
        self.constant = p["log_q"] / 2 + HALF_LOG_2PI

    def sample(self, prev_state: Tensor, **data: Any) -> Tensor:
        return self.a * prev_state + self.deviation * torch.randn_like(prev_state)

    def log_density(self, prev_state: Tensor, state: Tensor, **data: Any) -> Tensor:
        return (-0.5 * ((state - self.a * prev_state) / self.deviation) ** 2 - self.constant).squeeze(-1)


class Observation(pydpf.Module):
    """y_t; no observation at time 0."""

    def __init__(self, p: dict[str, Tensor]) -> None:
        super().__init__()
        self.c, self.deviation = p["c"], torch.exp(p["log_r"] / 2)
        self.constant = p["log_r"] / 2 + HALF_LOG_2PI

    def fitness(self, state: Tensor, observation: Tensor, t: int, **data: Any) -> Tensor:
        if t == 0:
            return torch.zeros(state.shape[:2])
        error = (observation.unsqueeze(1) - self.c * state) / self.deviation
        return (-0.5 * error**2 - self.constant).squeeze(-1)


def system(p: dict[str, Tensor]) -> pydpf.FilteringModel:
    return pydpf.FilteringModel(
        dynamic_model=Dynamics(p), observation_model=Observation(p), prior_model=Prior()
    )


def made(name: str, p: dict[str, Tensor]) -> Any:
    """A filter of pydpf by the name used here, with systematic resampling."""
    stopped = {"use_REINFORCE_for_proposal": True}
    if name == "stop-gradient":
        return pydpf.StopGradientDPF(system(p), **stopped)
    if name == "marginal":
        return pydpf.MarginalStopGradientDPF(system(p), **stopped)
    inner = pydpf.StopGradientResampler(pydpf.SystematicResampler(torch.default_generator))
    low = pydpf.ESS_Condition(0.5)

    chosen: list[Tensor] = []

    def condition(weight: Tensor, t: int, **data: Any) -> Tensor:
        # pydpf fails where nobody is resampled at the first step; there it changes nothing.
        early = t == 1 and name == "adaptive"
        chosen.append(torch.ones(len(weight), dtype=torch.bool) if early else low(weight=weight))
        return chosen[-1]

    resampler = pydpf.ConditionalResampler(inner, condition)
    resampler.chosen = chosen
    return pydpf.ParticleFilter(resampler, system(p), **stopped)


def timed(request: dict[str, Any]) -> dict[str, Any]:
    """Forward and backward, once: their CPU time."""
    torch.set_default_dtype(getattr(torch, request["dtype"]))
    start = time.process_time()
    p = {name: torch.tensor(v).requires_grad_() for name, v in VALUES.items()}
    y = torch.tensor([0.0, *request["observations"]]).reshape(-1, 1, 1)
    out = made("stop-gradient", p)(request["particles"], len(y) - 1, pydpf.LogLikelihoodFactors(), y)
    gradient = torch.autograd.grad(out.sum(), list(p.values()))
    seconds = time.process_time() - start
    return {"seconds": seconds, "log_likelihood": float(out.sum()), "score": [float(g) for g in gradient]}


class Recorder(pydpf.Module):
    """Keeps what each step did; what pydpf returns itself goes through single precision."""

    def __init__(self, resampler: Any) -> None:
        super().__init__()
        self.rows: list[dict[str, Tensor]] = []
        self.resampler = [resampler]  # in a list, or it would be a module of this one

    def forward(self, *, state: Tensor, likelihood: Tensor, **data: Any) -> Tensor:
        resampler = self.resampler[0]
        mask = torch.ones(len(state), dtype=torch.bool)
        if hasattr(resampler, "chosen"):
            mask = resampler.chosen[-1] if resampler.chosen else ~mask
        ancestors = torch.arange(state.shape[1]).repeat(len(state), 1)
        if bool(mask.any()) and resampler.cache:
            ancestors[mask] = resampler.cache["sampled_indices"]
        row = {"x": state.squeeze(-1), "a": ancestors, "factor": likelihood.squeeze(-1), "resampled": mask}
        self.rows.append(row)
        return likelihood


def trace(request: dict[str, Any]) -> dict[str, Any]:
    """A run in double precision with a replicate of each parameter for each replicate.

    The file has x (T + 1, replicates, N), ancestors a (T, replicates, N) from 0, log Ẑ (replicates,), and by
    the name of the parameter its first and second derivatives, (replicates,).
    """
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(request["seed"])
    count = request["replicates"]
    p = {name: torch.full((count, 1, 1), v).requires_grad_() for name, v in VALUES.items()}
    y = torch.tensor([0.0, *request["observations"]]).reshape(-1, 1, 1).expand(-1, count, 1)
    filter_ = made(request["filter"], p)
    recorder = Recorder(filter_.resampler)
    filter_(request["particles"], len(y) - 1, recorder, y)
    total = torch.stack([row["factor"] for row in recorder.rows]).sum(0)
    first = torch.autograd.grad(total.sum(), list(p.values()), create_graph=True)
    second = [
        torch.autograd.grad(g.sum(), v, retain_graph=True)[0] for g, v in zip(first, p.values(), strict=True)
    ]
    found = {
        "x": torch.stack([row["x"] for row in recorder.rows]).detach(),
        "a": torch.stack([row["a"] for row in recorder.rows[1:]]),
        "log_likelihood": total.detach(),
        "first": {name: g.detach().reshape(count) for name, g in zip(p, first, strict=True)},
        "second": {name: g.reshape(count) for name, g in zip(p, second, strict=True)},
    }
    torch.save(found, request["path"])
    return {"resampled": float(torch.stack([row["resampled"] for row in recorder.rows[1:]]).double().mean())}


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"time": timed, "trace": trace}[request["do"]](request)
        except Exception as error:  # an answer, whatever pydpf raises
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
