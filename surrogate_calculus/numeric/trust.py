"""Whether torch differentiates a callable rightly.

Some operations have a forward derivative that takes an auxiliary result for a constant.  In torch 2.13 the
second derivatives of ``linalg.solve``, ``det``, ``slogdet``, ``layer_norm`` and others are wrong in forward
mode, and the first ones of ``cholesky_inverse`` and ``scatter_reduce``; no error is raised.  Which they are
depends on the version of torch, so that none of them is listed here: a callable that uses more than the
operations of arithmetic is looked at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ..errors import EvaluationError
from .opaque import CallableFailed, Opaque, directional, shown

__all__ = ["ForwardModeWrong", "forward_mode_is_right"]

Curve: TypeAlias = Callable[[Tensor], Tensor]


#: Operations of torch (below autograd) whose derivatives are right in either mode; a test holds them to it.
_NAMES = """
add sub rsub mul div neg reciprocal pow square sqrt rsqrt exp expm1 log log1p log2 sin cos tan atan tanh
sinh cosh sigmoid abs sum mean lgamma digamma erf erfc logsumexp _log_softmax _softmax softplus
log_sigmoid_forward relu maximum minimum clamp clamp_min clamp_max where cumsum dot mv mm bmm addmm
view _unsafe_view _reshape_alias reshape expand squeeze unsqueeze permute transpose t select slice index
gather alias clone detach _to_copy stack cat split unbind flip diagonal
gt lt ge le eq ne sign sgn floor ceil round logical_and logical_or logical_not bitwise_and bitwise_or
bitwise_not any all isnan isinf isfinite zeros ones full arange eye zeros_like ones_like full_like new_zeros
new_ones new_full scalar_tensor lift_fresh lift_fresh_copy _local_scalar_dense
"""
_TRUSTED = frozenset(f"aten.{name}" for name in _NAMES.split())


class _Operations(TorchDispatchMode):
    """Which operations run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func.overloadpacket))
        return func(*args, **(kwargs or {}))


class ForwardModeWrong(Exception):
    """A callable's derivatives are to be had in reverse mode only.  It never leaves this package."""


def forward_mode_is_right(
    opaque: Opaque, args: Sequence[Tensor], moved: Sequence[int], order: int, size: int
) -> bool:
    """Whether derivatives of an order by :func:`~.opaque.directional` are the same as in reverse mode.

    They are compared along one line through the arguments, for one element of the batch.  Where they differ,
    or there is no reverse mode, central differences of the derivative below say whether one is right.

    Args:
        opaque: the callable.
        args: its arguments.
        moved: which of them are differentiated.
        order: the highest that is needed.
        size: how many numbers the parameter has.

    Raises:
        EvaluationError: neither is.
    """
    plain = [a.detach() for a in args]
    start = torch.zeros((), dtype=opaque.dtype, device=opaque.device)
    for last in (False, True):
        curve = _line(opaque, _one(plain, opaque.events, last), moved)
        seen = _Operations()
        try:
            with seen:
                value = float(curve(start))
        except Exception:  # one element alone is not what it takes
            curve = _line(opaque, plain, moved)
            with seen:
                value = float(curve(start))
        if seen.names <= _TRUSTED:
            return True
        if math.isfinite(value):
            return _compared(opaque, curve, start, value, order, size)
    return True


def _compared(opaque: Opaque, curve: Curve, start: Tensor, value: float, order: int, size: int) -> bool:
    forward, reverse = [curve], [curve]
    for _ in range(order):
        forward.append(_forward(forward[-1], size))
        reverse.append(_reverse(reverse[-1]))
    by_forward, by_reverse = _value(forward[-1], start), _value(reverse[-1], start)
    if by_forward is None:
        return by_reverse is None  # where there is neither, torch says so itself
    # What is wrong at a lower order is wrong at this one.
    eps = torch.finfo(opaque.dtype).eps
    if by_reverse is not None and _close(by_forward, by_reverse, abs(value), eps**0.5):
        return True
    if _is_derivative(forward, start, eps):
        return True
    if by_reverse is not None and _is_derivative(reverse, start, eps):
        return False
    raise EvaluationError(
        f"torch differentiates the callable for {opaque.node.key[0]} wrongly at order {order}, in every mode "
        f"that there is, in {shown(opaque.node)}",
        instead="the same function in other operations of torch, or a lower order",
    )


def _close(a: float, b: float, size: float, tolerance: float) -> bool:
    return a == b or abs(a - b) <= tolerance * max(abs(a), abs(b), size) or (a != a and b != b)


def _is_derivative(curves: Sequence[Curve], start: Tensor, eps: float) -> bool:
    """Whether each curve is the slope of the one before: central differences, extrapolated once."""
    step = eps**0.2
    size = 0.0
    for lower, curve in itertools.pairwise(curves):
        value = _value(curve, start)
        around = [_value(lower, start + k * step / 2) for k in (-2, -1, 1, 2)]
        if value is None or value != value or None in around:
            return False
        far, near, near_up, far_up = (x or 0.0 for x in around)
        slope = (8 * (near_up - near) - (far_up - far)) / (6 * step)
        size = max(size, abs(near))
        if not _close(slope, value, size, eps**0.25):
            return False
    return True


def _value(curve: Curve, at: Tensor) -> float | None:
    """What it gives; None where torch has no such derivative."""
    try:
        return float(curve(at))
    except (CallableFailed, RuntimeError):
        return None


def _forward(curve: Curve, size: int) -> Curve:
    """As it is done for a parameter of this size, since the way may depend on it."""

    def derived(at: Tensor) -> Tensor:
        spread = at.expand(size).contiguous()
        varied = lambda value: (curve(value[0]), value.new_zeros(()))  # noqa: E731
        return directional(varied, spread, torch.ones_like(spread))[0]

    return derived


def _reverse(curve: Curve) -> Curve:
    def derived(at: Tensor) -> Tensor:
        value, pull = torch.func.vjp(curve, at)[:2]
        out: Tensor = pull(torch.ones_like(value))[0]
        return out

    return derived


def _one(args: Sequence[Tensor], events: Sequence[int], last: bool) -> list[Tensor]:
    """The first or the last element of a batch."""
    rank = max(a.dim() - e for a, e in zip(args, events, strict=True))
    found = []
    for arg, count in zip(args, events, strict=True):
        for dim in range(-rank - count, -count):
            if arg.dim() >= -dim and arg.shape[dim] > 1:
                arg = arg.narrow(dim, arg.shape[dim] - 1 if last else 0, 1)
        found.append(arg)
    return found


def _line(opaque: Opaque, args: Sequence[Tensor], moved: Sequence[int]) -> Curve:
    """The sum over all elements along a line on which no two components move alike."""
    golden = 0.6180339887498949
    directions = {}
    for slot in moved:
        arg = args[slot]
        steps = torch.arange(arg.numel(), dtype=arg.dtype, device=arg.device) + (slot + 1) * golden
        directions[slot] = (0.5 + (steps * golden) % 1).reshape(arg.shape)

    def curve(at: Tensor) -> Tensor:
        return opaque.raw(
            [a + at * directions[k] if k in directions else a for k, a in enumerate(args)]
        ).sum()

    return curve
