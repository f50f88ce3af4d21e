"""Smaller inputs: fewer rows of a batch, smaller counts, simpler numbers.

Each function is a generator that is sent, for each input that it offers, whether that one still fails; it
goes on from the last that did.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..values import Event, Family, Value
from .names import Names

__all__ = ["fewer_rows", "simpler"]

Values = Mapping[str, Value]
Offers = Generator[dict[str, Value], bool, None]

#: How many values of a count are tried, and up to how many rows each one by itself.
_COUNTS, _ROWS = 6, 64


def fewer_rows(
    values: Values, rows: tuple[int, ...], names: Names, row: int | None, parameters: Collection[str]
) -> Offers:
    """A batch of one row, or of half of them again and again.

    Args:
        values: the point.
        rows: its batch shape.
        names: the names that the formulas use.
        row: the one that differs, or None where the loss is of the whole batch.
        parameters: names of the parameters, which have no rows.
    """
    size = 1
    for n in rows:
        size *= n
    if size <= 1:
        return
    if row is not None:
        yield _chosen(values, rows, names, range(row, row + 1), parameters)
        return
    for number in range(size) if size <= _ROWS else ():
        if (yield _chosen(values, rows, names, range(number, number + 1), parameters)):
            return
    kept = list(range(size))
    while len(kept) > 1:
        half = (len(kept) + 1) // 2
        for part in (kept[:half], kept[half:]):
            if (yield _chosen(values, rows, names, part, parameters)):
                kept = part
                break
        else:
            return


def _chosen(
    values: Values, rows: tuple[int, ...], names: Names, kept: Collection[int], parameters: Collection[str]
) -> dict[str, Value]:
    """The values with some rows only; a batch of several axes is a list of rows from then on."""
    index = torch.tensor(list(kept))
    out: dict[str, Value] = {}
    for name, value in values.items():
        out[name] = value
        if name in parameters:
            continue
        if isinstance(value, Tensor):
            leading = names.families.get(name.removesuffix("[]"), 0)
            out[name] = _rows_of(value, rows, leading, 0, index)
        elif isinstance(value, Event):
            leading = names.families.get(name.removesuffix("[]"), 0)
            out[name] = Event(_rows_of(value.tensor, rows, leading, value.dims or 0, index), value.dims)
        elif isinstance(value, Family):
            tensor = _rows_of(value.tensor, rows, len(value.first), value.dims, index)
            out[name] = Family(tensor, value.first, value.dims)
    return out


def _rows_of(tensor: Tensor, rows: tuple[int, ...], leading: int, events: int, index: Tensor) -> Tensor:
    stop = tensor.dim() - events
    batch = tuple(tensor.shape[leading:stop])
    if not batch or stop < leading:
        return tensor
    before, after = tuple(tensor.shape[:leading]), tuple(tensor.shape[stop:])
    try:
        whole = tensor.expand(*before, *rows, *after) if len(batch) == len(rows) else None
        if whole is None:
            padded = tensor.reshape(*before, *(1,) * (len(rows) - len(batch)), *batch, *after)
            whole = padded.expand(*before, *rows, *after)
    except RuntimeError:  # what the formulas do not use has any shape
        return tensor
    return whole.reshape(*before, -1, *after).index_select(leading, index.to(tensor.device))


def simpler(values: Values, names: Names, parameters: Collection[str]) -> Offers:
    """Smaller counts, then each number as 1, 0.5, or rounded.

    Args:
        values: the point.
        names: the names that the formulas use.
        parameters: names of the parameters.
    """
    current = dict(values)
    for name in sorted(names.counts & set(values)):
        value = current[name]
        if isinstance(value, bool) or not isinstance(value, int):
            continue
        for count in range(1, min(value, _COUNTS)):
            candidate = _with_count(current, name, value, count, names)
            if (yield candidate):
                current = candidate
                break
    others = [name for name in current if name not in parameters]
    for name in (*parameters, *others):
        if name in names.whole:
            continue
        for number in _simple(current[name]):
            candidate = {**current, name: number}
            if (yield candidate):
                current = candidate
                break


def _with_count(values: Values, name: str, old: int, new: int, names: Names) -> dict[str, Value]:
    """A smaller count, and the families that are as long as it cut to it."""
    out: dict[str, Value] = {**values, name: new}
    for key, value in values.items():
        leading = names.families.get(key.removesuffix("[]"), 0)
        if isinstance(value, Tensor) and leading:
            cut = value
            for axis in range(min(leading, value.dim())):
                if value.shape[axis] == old:
                    cut = cut.narrow(axis, 0, new)
            out[key] = cut
    return out


def _simple(value: Any) -> list[Value]:
    """Simpler numbers than this one, the simplest first."""
    if isinstance(value, (bool, int, str)):
        return []
    if isinstance(value, float):
        return [x for x in dict.fromkeys((1.0, 0.5, round(value, 1), round(value, 2))) if x != value]
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
        if value.dim() == 0:
            return [torch.full_like(value, x) for x in _simple(float(value))]  # type: ignore[arg-type]
        return [torch.ones_like(value), value.round(decimals=1), value.round(decimals=2)]
    return []
