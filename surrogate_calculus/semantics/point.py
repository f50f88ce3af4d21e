"""The point at which a term is evaluated: numbers, vectors and families by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..errors import EvaluationError
from .series import Arithmetic, Number

__all__ = ["Point", "PointValue"]

#: A number; a vector, or a family as (nested) sequences, whose first element has the index 1; a family
#: as a dictionary from indices, or as a callable of them.
PointValue = int | float | Fraction | Sequence[Any] | Mapping[Any, Any] | Callable[..., Any] | Any


class Point:
    """What a model is told of the names, looked up and converted."""

    def __init__(self, values: Mapping[str, PointValue], arithmetic: Arithmetic) -> None:
        self.values = values
        self.arithmetic = arithmetic

    def number(self, name: str, x: object) -> Number:
        """A number of the point."""
        if x.__class__ is Fraction:
            return x
        if isinstance(x, (int, float)):
            try:
                return Fraction(x)
            except (ValueError, OverflowError):
                raise EvaluationError(f"the value of {name} is {x}") from None
        if hasattr(x, "_mpf_"):
            return self.arithmetic.real(x)
        raise EvaluationError(
            f"the value of {name} is no number but a {type(x).__name__}",
            instead="an int, a Fraction, a float or a real of mpmath",
        )

    def value(self, name: str) -> object:
        """What the point says of a name."""
        if name not in self.values:
            raise EvaluationError(f"no value is given for {name}")
        return self.values[name]

    def check_coordinate(self, name: str, coordinate: int | None) -> None:
        """Raise where a parameter has no such coordinate, or a vector is differentiated without one."""
        x = self.values.get(name)
        if x is None:
            return
        scalar = not isinstance(x, (Sequence, Mapping)) and not callable(x)
        if scalar and coordinate is not None:
            raise EvaluationError(f"{name} is a number and has no coordinate {coordinate}")
        if not scalar and coordinate is None:
            raise EvaluationError(f"{name} is a vector: ∇ needs a coordinate of it")
        if (isinstance(x, Mapping) and coordinate not in x) or (
            isinstance(x, Sequence) and not 1 <= (coordinate or 0) <= len(x)
        ):
            raise EvaluationError(f"{name} has no coordinate {coordinate}")

    def member(self, name: str, indices: Sequence[int]) -> object:
        """What the point says of a family at indices."""
        shown = f"{name}[{', '.join(map(str, indices))}]"
        own = self.values.get(f"{name}[]")
        x = self.value(name) if own is None else own
        if isinstance(x, Mapping):
            key = indices[0] if len(indices) == 1 and indices[0] in x else tuple(indices)
            if key not in x:
                raise EvaluationError(f"no value is given for {shown}")
            x = x[key]
        elif callable(x):
            x = x(*indices)
        else:
            for index in indices:
                if not isinstance(x, Sequence) or not 1 <= index <= len(x):
                    raise EvaluationError(f"no value is given for {shown}")
                x = x[index - 1]
        return x
