"""What a term is compiled to: instructions, in blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..language.terms import Term
from .tables import Table

__all__ = ["Block", "Draw", "Frame", "GradCall", "Instruction", "Lookup", "Program", "Version"]


@dataclass(eq=False, slots=True)
class Instruction:
    """One step: ``op`` names the operation, ``operands`` are slots, ``extra`` what else it needs."""

    op: str
    node: Term
    operands: tuple[int, ...]
    out: int
    extra: Any = None


@dataclass(eq=False, slots=True)
class Block:
    """The instructions that run at one depth of varied parameters."""

    depth: int
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Version:
    """The parameters with ``param`` varied; its value lies in ``slot`` while ``block`` runs."""

    parent: Version | None
    param: str
    slot: int
    block: Block
    level: int = -1  # leftmost axis along which reverse mode spreads the varied parameter


@dataclass(eq=False, slots=True)
class Frame:
    """A binder in force: its axis (``level``), the slot of its range, the slot of its mask."""

    level: int
    slot: int
    mask: int | None


@dataclass(eq=False, slots=True)
class GradCall:
    """What a ∇ instruction runs: vary ``theta`` into ``version``, run the block, read ``body``."""

    version: Version
    theta: int
    body: int
    coordinate: int | None
    frames: tuple[Frame, ...]
    axes: bool


@dataclass(eq=False, slots=True)
class Lookup:
    """How a table is read: ``level`` is that of its last index; ``straight`` as said there."""

    table: Table
    level: int
    guard: int | None
    straight: int | None


@dataclass(eq=False, slots=True)
class Draw:
    """What is drawn: the slots of the ranges of its indices; the table of weights, for ancestors."""

    ranges: tuple[int, ...]
    weights: Table | None


@dataclass(eq=False, slots=True)
class Program:
    """A compiled term.

    Attributes:
        root: the block to run; other blocks are reached through its ∇ instructions.
        result: the slot that then holds the value.
        size: number of slots.
        notes: sentences on what could not be computed as written.
    """

    root: Block
    result: int
    size: int
    notes: list[str]
