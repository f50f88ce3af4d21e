"""The likelihood of finite hidden Markov models, by the forward algorithm in log space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.hidden_markov import HiddenMarkov
from ..models.inputs import as_observations, missing_rows
from ..models.protocol import filled_in

__all__ = ["forward_log_likelihood"]


def forward_log_likelihood(model: HiddenMarkov, observations: Any, parameters: Mapping[str, Any]) -> Tensor:
    """log p(y[1:T]), differentiable in the parameters to any order.

    Args:
        model: a finite hidden Markov model.
        observations: symbols, (T,); NaN where one is missing.
        parameters: logits of shape (*shape), or (*batch, *shape).

    Returns:
        (*batch).

    Raises:
        EvaluationError: an observation is no symbol of the model.
    """
    c = model.natural(filled_in(model, parameters))
    y = as_observations(model, observations, c.start)
    if y.dim() != 1:
        raise EvaluationError(
            f"the observations have shape {tuple(y.shape)}", instead="one series, times first"
        )
    missing = missing_rows(y, ()).tolist()
    belief = c.start
    for t, symbol in enumerate(y.tolist()):
        if t > 0 or model.hidden_start:
            belief = torch.logsumexp(belief.unsqueeze(-1) + c.transition, -2)
        if not missing[t]:
            belief = belief + c.emission[..., int(symbol)]
    return torch.logsumexp(belief, -1)
