"""Running a compiled term in torch.

Two modes.  *Forward* evaluates ∇ by ``torch.func.jvp`` with tangent one on the varied copy of the
parameter, nested for higher orders: every derivative is elementwise, under Σ and over a batch.
*Reverse* evaluates ∇ by ``torch.autograd.grad`` with ``create_graph``, as a training script does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .instructions import Block, Instruction, Program
from .opaque import shown
from .scaled import Scaled
from .values import Bindings, Event

__all__ = ["Machine", "Operation", "Range", "Result", "first_bad"]


@dataclass(eq=False)
class Range:
    """The values of a bound index: int64, along its own axis; ``inside`` where the range is ragged."""

    index: Tensor
    length: int
    inside: Tensor | None


#: What a slot holds.
Result = Tensor | Scaled | Event | Range

#: What an instruction's name stands for: from the operands' slots to a slot's value.
Operation = Callable[["Machine", Instruction], Any]


class Machine:
    """The state of one run: the slots.

    Args:
        program: what to run.
        bindings: the values of its names.
        operations: what the instructions' names stand for.
        reverse: whether ∇ and partial derivatives are taken in reverse mode.
    """

    def __init__(
        self, program: Program, bindings: Bindings, operations: Mapping[str, Operation], *, reverse: bool
    ) -> None:
        self.program = program
        self.operations = operations
        self.bindings = bindings
        self.reverse = reverse
        self.rank = len(bindings.batch)
        self.slots: list[Any] = [None] * program.size
        #: Of each ∇ that forward mode is in the middle of: the slots that vary under it; of how many numbers.
        self.live: list[tuple[frozenset[int], int]] = []
        #: Up to which order a callable was looked at; None where nothing is.
        self.seen: dict[tuple[str, tuple[int, ...]], int] | None = None

    def result(self) -> Tensor:
        """Run; the value as a tensor of shape (open axes …, batch …).

        Raises:
            EvaluationError: see :func:`~surrogate_calculus.numeric.evaluate.evaluate`.
            ForwardModeWrong: forward mode is used, and torch gets a callable wrong in it.
        """
        self.seen = None if self.reverse else {}
        self.run(self.program.root)
        value = self.slots[self.program.result]
        if isinstance(value, Event):
            raise EvaluationError(
                "the expression is an Event, which only functions can look into",
                instead="a tensor, or the expression as an argument of a function",
            )
        out = sc.plain(value)
        lengths = self.bindings.axes
        shape = (*(lengths[n] for n in range(1, len(lengths) + 1)), *self.bindings.batch)
        self.check_nan(out)
        return out.expand(shape)

    def run(self, block: Block) -> None:
        """Run the instructions of a block."""
        slots, operations = self.slots, self.operations
        for step in block.instructions:
            slots[step.out] = operations[step.op](self, step)

    # -- reading slots --

    def tensor(self, slot: int, node: Term) -> Tensor:
        """A slot's number as a plain tensor."""
        return sc.plain(self.number(slot, node))

    def number(self, slot: int, node: Term) -> Tensor | Scaled:
        """A slot that must be a number."""
        value = self.slots[slot]
        if isinstance(value, Event):
            raise EvaluationError(
                f"an Event or a vector parameter stands where a number is needed: {shown(node)}",
                instead="such a value only as a whole argument of a function, or a vector with its index",
            )
        return value

    def integer(self, slot: int) -> Tensor:
        """A slot that a ``whole`` instruction fills: an int64 tensor."""
        found: Tensor = self.slots[slot]
        return found

    def reached(self, bad: Tensor, guard: int | None) -> bool:
        """Whether a bad element lies where the value matters."""
        if not bool(bad.any()):
            return False
        return guard is None or bool((bad & self.slots[guard]).any())

    def safe(
        self, value: Tensor, bad: Tensor, guard: int | None, node: Term, what: str, instead: str
    ) -> Tensor:
        """``value`` where it is good, 1 where it is bad and does not matter.

        Raises:
            EvaluationError: it is bad where it matters.
        """
        if not bool(bad.any()):
            return value
        if self.reached(bad, guard):
            raise EvaluationError(f"{what} in {shown(node)}", instead=instead)
        return torch.where(bad, torch.ones_like(value), value)

    def guarded_number(
        self,
        slot: int,
        guard: int | None,
        node: Term,
        bad: Callable[[Tensor], Tensor],
        what: str,
        instead: str,
    ) -> Tensor | Scaled:
        """A number whose (mantissa's) bad elements are refused, or replaced where they do not matter."""
        value = self.number(slot, node)
        sample = value.mantissa if isinstance(value, Scaled) else value
        good = self.safe(sample, bad(sample), guard, node, what, instead)
        return Scaled(good, value.scale) if isinstance(value, Scaled) else good

    def check_nan(self, out: Tensor) -> None:
        """Refuse a nan that did not come in, naming the first subterm that has it."""
        if not bool(torch.isnan(out).any()):
            return
        for binding in (*self.bindings.symbols.values(), *self.bindings.families.values()):
            if binding.tensor is not None and bool(torch.isnan(binding.tensor).any()):
                return
        for step in self.program.root.instructions:
            value = self.slots[step.out]
            if isinstance(value, Scaled):
                value = value.mantissa
            if isinstance(value, Tensor) and value.is_floating_point() and bool(torch.isnan(value).any()):
                raise EvaluationError(
                    f"the value is not a number (0·∞ or ∞ - ∞) in {shown(step.node)}",
                    instead="a point away from the singularity; for tiny densities, their log as 'log p'",
                )
        raise EvaluationError(
            "the value is not a number (0·∞ or ∞ - ∞ inside a derivative)",
            instead="a point away from the singularity",
        )

    # -- layout --

    def axis_shape(self, length: int, level: int) -> tuple[int, ...]:
        """The shape of an index along the axis ``level``, counted from the batch leftwards."""
        return (length,) + (1,) * (level + self.rank)

    def constant(self, value: float) -> Tensor:
        """A number as a tensor of the run's kind."""
        return torch.tensor(value, dtype=self.bindings.dtype, device=self.bindings.device)


def first_bad(value: Tensor, bad: Tensor) -> str:
    """The first of the bad elements, for a message."""
    return f"{value.expand(bad.shape)[bad].flatten()[0].item():g}"
