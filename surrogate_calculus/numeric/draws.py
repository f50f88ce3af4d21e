"""Random draws: from the sampler of a density, and of ancestors by a resampling law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError, SurrogateError
from ..language.terms import App
from . import scaled as sc
from .instructions import Draw, Instruction
from .lookup import fitted
from .machine import Machine, Range
from .opaque import shown
from .resampling import Law, multinomial
from .scaled import Scaled
from .tables import RESAMPLE
from .values import Event, kind

__all__ = ["Chance", "sampler_of"]

#: ``sample(*given, *params, shape=…, generator=…)``: tensors as a density gets them, and the shape of
#: what is drawn; the answer has that shape, or event dimensions behind it.
Sampler = Callable[..., Any]


def sampler_of(name: str, value: object) -> Sampler:
    """What draws from a density: its ``.sample``, or the entry ``"sample"`` of a mapping.

    Raises:
        EvaluationError: there is none.
    """
    found = value.get("sample") if isinstance(value, Mapping) else getattr(value, "sample", None)
    if not callable(found):
        raise EvaluationError(
            f"{name} is drawn from, and its value has no sampler"
            + ("" if value is None else f" ({kind(value)})"),
            instead=f'"{name}": {{"log": …, "sample": lambda *slots, shape, generator: …}}, or an object '
            "with a method sample",
        )
    return found


class Chance:
    """The operation of drawing, for one run.

    Args:
        samplers: by the name of the density.
        laws: the resampling laws, by name.
        generator: the source of randomness.
    """

    def __init__(
        self,
        samplers: Mapping[str, Sampler],
        laws: Mapping[str, Law],
        generator: torch.Generator | None,
    ) -> None:
        self.samplers = samplers
        self.laws = laws
        self.generator = generator

    def __call__(self, machine: Machine, step: Instruction) -> Tensor | Event:
        """What the instruction draws, constant under differentiation."""
        node = step.node
        assert isinstance(node, App)
        how: Draw = step.extra
        axes = tuple(_range(machine, slot).length for slot in how.ranges)
        with torch.no_grad():
            if node.name.startswith(RESAMPLE):
                law = self.laws.get(node.name.split("@", 2)[1], multinomial)
                return self.ancestors(machine, step, how, axes, law)
            return self.values(machine, step, axes)

    def values(self, machine: Machine, step: Instruction, axes: tuple[int, ...]) -> Tensor | Event:
        """Draws from a density."""
        node = step.node
        name = node.key[0].split("@")[1]
        shape = (*axes, *machine.bindings.batch)
        slots = []
        for slot in step.operands:
            value = machine.slots[slot]
            slots.append(value.tensor.detach() if isinstance(value, Event) else sc.plain(value).detach())
        try:
            found = self.samplers[name](*slots, shape=shape, generator=self.generator)
        except SurrogateError:
            raise
        except Exception as error:
            first = next(iter(str(error).splitlines()), "no message")
            raise EvaluationError(
                f"the sampler of {name} raised {type(error).__name__}: {first}",
                instead=f"a function of {len(slots)} tensors, and of shape= and generator=",
            ) from error
        if not isinstance(found, Tensor):
            found = machine.constant(float(found)) if isinstance(found, (int, float)) else found
        if not isinstance(found, Tensor) or tuple(found.shape[: len(shape)]) != shape:
            what = tuple(found.shape) if isinstance(found, Tensor) else kind(found)
            raise EvaluationError(
                f"the sampler of {name} returned {what} where {shape} was asked for",
                instead="a tensor of the shape that is handed over as shape=",
            )
        found = found.detach().to(machine.bindings.dtype)
        return Event(found, found.dim() - len(shape)) if found.dim() > len(shape) else found

    def ancestors(
        self, machine: Machine, step: Instruction, how: Draw, axes: tuple[int, ...], law: Law
    ) -> Tensor:
        """Positions in proportion to the weights of a table, whose last index they are."""
        assert how.weights is not None
        lo, hi = how.weights.ranges[-1]
        weights = self.of_table(machine, step, len(how.weights.ranges), hi - lo + 1)
        own, batch = weights.shape[: len(how.weights.ranges) - 1], machine.bindings.batch
        weights = weights.expand(*own, hi - lo + 1, *batch).movedim(len(own), -1)
        if all(n == 1 for n in own):  # one set of weights, a whole row of draws
            count = 1
            for n in axes:
                count *= n
            found = self.checked(law(weights.reshape(*batch, -1), count, self.generator), step, hi - lo + 1)
            found = found.movedim(-1, 0).reshape(*axes, *batch)
        else:
            weights = weights.expand(*axes, *batch, hi - lo + 1)
            found = self.checked(law(weights, 1, self.generator), step, hi - lo + 1)[..., 0]
        return (found + lo).to(machine.bindings.dtype)

    def of_table(self, machine: Machine, step: Instruction, indices: int, choices: int) -> Tensor:
        """The weights, in a float's range."""
        value = machine.number(step.operands[0], step.node)
        dims = indices + machine.rank
        if isinstance(value, Scaled):
            mantissa, scale = fitted(value.mantissa, dims, 0), fitted(value.scale, dims, 0)
            mantissa, scale = torch.broadcast_tensors(mantissa, scale)
            top = scale.amax(indices - 1, keepdim=True)
            weights = mantissa * torch.exp(scale - torch.where(top == -torch.inf, 0.0, top))
        else:
            weights = fitted(value, dims, 0)
        weights = weights.detach()
        sums = weights.sum(indices - 1)
        if bool((weights < 0).any()) or not bool((sums > 0).all()) or not bool(torch.isfinite(sums).all()):
            raise EvaluationError(
                f"the weights of {shown_draw(step)} are not all at least 0 with a positive sum",
                instead="weights that are positive somewhere; tiny densities as their logarithm, 'log p'",
            )
        return weights

    def checked(self, found: Any, step: Instruction, choices: int) -> Tensor:
        """What a law returned, if it is positions."""
        good = isinstance(found, Tensor) and not found.is_floating_point()
        if not good or not bool(((found >= 0) & (found < choices)).all()):
            raise EvaluationError(
                f"the resampling law for {shown_draw(step)} returned something else than positions",
                instead=f"an int64 tensor of positions 0..{choices - 1}",
            )
        return found


def shown_draw(step: Instruction) -> str:
    """What is drawn, for a message."""
    name = step.node.key[0]
    return name.split("@", 2)[2].partition("@")[0] if name.startswith(RESAMPLE) else shown(step.node)


def _range(machine: Machine, slot: int) -> Range:
    found = machine.slots[slot]
    assert isinstance(found, Range)
    return found
