"""The laws that samples are drawn from: finite ones, enumerated, and samplers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..values import kind

__all__ = ["FiniteLaw", "SampledLaw", "law_of"]

#: More outcomes are not enumerated.
_OUTCOMES = 100_000
#: How far probabilities may add up beside 1: rounding of a softmax in float64, and in float32.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-5}


@dataclass(frozen=True, eq=False)
class FiniteLaw:
    """A law with finitely many outcomes, whose expectations are sums.

    Attributes:
        support: the outcomes: a tensor of shape (S, …), or a sequence of S numbers, tensors, or anything that
            the loss takes.
        probabilities: of θ, a tensor of shape (S,); or such a tensor, where they are constant.
    """

    support: Tensor | Sequence[Any]
    probabilities: Callable[[Any], Tensor] | Tensor | Sequence[float]

    def outcomes(self) -> list[Any]:
        """Each outcome, numbers as tensors without dimensions.

        Raises:
            EvaluationError: there is none.
        """
        if isinstance(self.support, (str, bytes)) or not isinstance(self.support, (Tensor, Sequence)):
            raise EvaluationError(
                f"the support of a law is {kind(self.support)}", instead="a tensor of shape (S, …), or a list"
            )
        if isinstance(self.support, Tensor) and self.support.dim() == 0:
            raise EvaluationError("the support of a law is one number", instead="a tensor of shape (S, …)")
        if not len(self.support):
            raise EvaluationError("the support of a law is empty", instead="at least one outcome")
        if len(self.support) > _OUTCOMES:
            raise EvaluationError(
                f"a law with {len(self.support)} outcomes is not enumerated",
                instead=f"at most {_OUTCOMES}, or a sampler",
            )
        return [_tensor(x) for x in self.support]

    def weights(self, theta: Any, dtype: torch.dtype = torch.float64) -> Tensor:
        """The probabilities at θ, of shape (S,), with their graph to θ.

        Raises:
            EvaluationError: they are of another shape, negative, no numbers, or do not add up to 1.
        """
        found: Any = self.probabilities
        if callable(found) and not isinstance(found, Tensor):
            try:
                found = found(theta)
            except Exception as error:
                raise EvaluationError(
                    f"the probabilities of the law raise {type(error).__name__}: {error}",
                    instead="a function of θ that gives a tensor of shape (S,)",
                ) from error
        try:
            weights = found if isinstance(found, Tensor) else torch.as_tensor(found, dtype=dtype)
        except (TypeError, ValueError, RuntimeError):
            raise EvaluationError(
                f"the probabilities of the law are {kind(found)}", instead="a tensor of shape (S,)"
            ) from None
        if weights.is_complex():
            raise EvaluationError(
                f"the probabilities of the law are a tensor of {weights.dtype}",
                instead="real numbers from 0 to 1",
            )
        count = len(self.outcomes())
        if tuple(weights.shape) != (count,):
            raise EvaluationError(
                f"the probabilities have shape {tuple(weights.shape)}, and there are {count} outcomes",
                instead=f"a tensor of shape ({count},)",
            )
        plain = weights.detach()
        if not bool(torch.isfinite(plain).all()) or bool((plain < 0).any()):
            bad = float(plain[~(plain >= 0) | ~torch.isfinite(plain)][0])
            raise EvaluationError(f"{bad} is no probability", instead="numbers from 0 to 1")
        total = float(plain.to(torch.float64).sum())
        if abs(total - 1) > _ROUNDING.get(plain.dtype, 1e-2):
            raise EvaluationError(
                f"the probabilities of the law add up to {total:.10g}, not to 1",
                instead="softmax(θ, -1), say",
            )
        return weights

    def see_determinism(self, theta: Any, dtype: torch.dtype = torch.float64) -> None:
        """See that the probabilities are a function of θ.

        Raises:
            EvaluationError: they are others when they are asked for again, or as for :meth:`weights`.
        """
        if not torch.equal(self.weights(theta, dtype), self.weights(theta, dtype)):
            raise EvaluationError(
                "the probabilities of the law are not the same when they are asked for again",
                instead="probabilities that θ alone decides",
            )

    def repeated(self, count: int) -> FiniteLaw:
        """The law of ``count`` independent draws: what a loss of a group of samples is given.

        Each outcome is the tensor of the draws, of shape (count, …).

        Raises:
            EvaluationError: the count is not a whole number from 1, there would be too many outcomes, or
                outcomes are no tensors.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise EvaluationError(f"no law is repeated {count!r} times", instead="2, 3, …")
        single = self.outcomes()
        if len(single) ** count > _OUTCOMES:
            raise EvaluationError(
                f"{len(single)} outcomes, {count} times, are {len(single) ** count}",
                instead=f"fewer draws, at most {_OUTCOMES} outcomes; or a sampler",
            )
        if not all(isinstance(x, Tensor) for x in single):
            raise EvaluationError("outcomes that are no tensors cannot be put together", instead="tensors")
        if len({(x.shape, x.device) for x in single}) > 1:
            raise EvaluationError(
                "outcomes of different shapes cannot be put together",
                instead="a support that is one tensor of shape (S, …)",
            )
        joint = [torch.stack(draws) for draws in product(single, repeat=count)]
        choices = torch.tensor(list(product(range(len(single)), repeat=count)))
        return FiniteLaw(joint, lambda theta: self.weights(theta)[choices].prod(-1))


@dataclass(frozen=True, eq=False)
class SampledLaw:
    """A law that is drawn from.

    Attributes:
        sample: of (θ, n, generator): n samples, a tensor of shape (n, …), drawn with the generator alone.
    """

    sample: Callable[[Any, int, torch.Generator], Any]

    def draw(self, theta: Any, count: int, generator: torch.Generator) -> Any:
        """So many samples.

        Raises:
            EvaluationError: the sampler raises, or returns another number of them.
        """
        try:
            found = self.sample(theta, count, generator)
        except Exception as error:
            raise EvaluationError(
                f"the sampler raises {type(error).__name__}: {error}",
                instead="a function of (θ, n, generator): torch.randn(n, generator=generator), say",
            ) from error
        if isinstance(found, Tensor) and (found.dim() == 0 or len(found) != count):
            raise EvaluationError(
                f"the sampler returns a tensor of shape {tuple(found.shape)} for {count} samples",
                instead=f"shape ({count}, …)",
            )
        return found.detach() if isinstance(found, Tensor) else found


def law_of(law: Any) -> FiniteLaw | SampledLaw:
    """A law from what a user writes: a law, a pair (support, probabilities), or a sampler.

    Raises:
        EvaluationError: it is none of these.
    """
    if isinstance(law, (FiniteLaw, SampledLaw)):
        return law
    if isinstance(law, tuple) and len(law) == 2:
        return FiniteLaw(*law)
    if callable(law):
        return SampledLaw(law)
    raise EvaluationError(
        f"a law is a FiniteLaw, a pair (support, probabilities), or a sampler, not {kind(law)}",
        instead="FiniteLaw(torch.arange(3), lambda θ: torch.softmax(θ, -1))",
    )


def _tensor(x: Any) -> Any:
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        return x
    return torch.tensor(x, dtype=torch.int64 if isinstance(x, int) else torch.float64)
