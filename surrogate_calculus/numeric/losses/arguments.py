"""What a loss is called with: values by name, in the spelling of its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ...language.names import canonical_name
from ..values import Event, Family, Value, kind

__all__ = ["Signature", "argument", "signature_of"]


@dataclass(frozen=True)
class Signature:
    """The arguments of a loss that values are given for.

    Attributes:
        arguments: from the argument's name, as the loss spells it, to the name of the value.
        open: whether it takes any further names (``**values``).
    """

    arguments: Mapping[str, str]
    open: bool

    def names(self, values: Mapping[str, Value]) -> dict[str, str]:
        """From each argument that is handed over to the name of its value."""
        found = dict(self.arguments)
        if self.open:
            taken = set(found.values())
            found |= {name: name for name in values if name.isidentifier() and name not in taken}
        return found


def signature_of(loss: Callable[..., Any], values: Collection[str]) -> Signature:
    """Which of the values a loss asks for.

    An argument takes the value of its name; ``theta`` is ``θ``, and ``log_p`` is ``log p`` where no value
    has the name ``log_p`` itself.  An argument with a default may be left out of the values.

    Args:
        loss: a callable.
        values: canonical names of the values.

    Raises:
        EvaluationError: it is no callable, or asks for what is not given.
    """
    if not callable(loss):
        raise EvaluationError(
            f"a loss is a function of torch tensors, not {kind(loss)}", instead="lambda θ, x: …"
        )
    try:
        named = loss.forward if isinstance(loss, torch.nn.Module) else loss
        parameters = inspect.signature(named).parameters.values()
    except (TypeError, ValueError):
        raise EvaluationError(
            "the loss does not show which arguments it takes", instead="a function that names them"
        ) from None
    arguments: dict[str, str] = {}
    missing: list[str] = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise EvaluationError(
                f"the loss takes {parameter.name} by position only, and values are handed over by name",
                instead=f"lambda {parameter.name}: loss({parameter.name})",
            )
        found = _value_for(parameter.name, values)
        if found is not None:
            arguments[parameter.name] = found
        elif parameter.default is parameter.empty:
            missing.append(parameter.name)
    if missing:
        raise EvaluationError(
            f"the loss takes {', '.join(missing)}, for which bindings has no value",
            instead="an entry for each; given are " + (", ".join(sorted(values)) or "none"),
        )
    return Signature(arguments, any(p.kind is p.VAR_KEYWORD for p in parameters))


def _value_for(argument: str, values: Collection[str]) -> str | None:
    """The name of the value that an argument takes."""
    canonical = canonical_name(argument)
    spellings = [argument, canonical, f"{canonical}[]", f"{canonical}()"]
    if argument.startswith("log_"):
        spellings.append(f"log {canonical_name(argument[4:])}")
    return next((name for name in spellings if name in values), None)


def argument(name: str, value: Value, dtype: torch.dtype, whole: Collection[str]) -> Any:
    """A value as a loss receives it: a tensor of its own, a whole number, or a callable as it is.

    Args:
        name: of the value.
        value: as ``sc.evaluate`` takes it.
        dtype: of floating-point numbers.
        whole: names of counts and indices, whose ints stay ints.

    Raises:
        EvaluationError: it is nothing that a loss could compute with.
    """
    if isinstance(value, (Event, Family)):
        value = value.tensor
    if isinstance(value, Tensor):
        copy = value.detach().clone()
        return copy.to(dtype) if copy.is_floating_point() else copy
    if isinstance(value, bool) or callable(value) or isinstance(value, Mapping):
        return value
    if isinstance(value, int) and name in whole:
        return value
    if isinstance(value, (int, float, Fraction)):
        return torch.tensor(float(value), dtype=dtype)
    raise EvaluationError(
        f"the value of {name} is no number and no tensor but {kind(value)}",
        instead="a float, an int, a torch tensor, an Event, or a callable",
    )
