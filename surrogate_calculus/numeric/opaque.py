"""Calling the callables that stand for opaque functions, and differentiating them with torch.

A callable takes the slots in order and returns a tensor of their broadcast shape: it is elementwise,
so that one call serves all particles and the whole batch.  Its partial derivatives are elementwise
too: forward mode with tangent one, or reverse mode over a spread copy of the slot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ..errors import EvaluationError, SurrogateError
from ..language.binding import free_names
from ..language.terms import Term
from .tables import readable

__all__ = ["CallableFailed", "Opaque", "directional", "elementwise_gradient", "many", "pick", "units"]

Function = Callable[..., Tensor]

#: Numbers up to which reverse mode twice is quicker than forward mode (measured on a CPU).
_FEW = 10_000


class CallableFailed(EvaluationError):
    """A user's callable raised; under forward mode perhaps only because it has no forward rule."""


def shown(node: Term) -> str:
    """The offending subterm for a message; indices of binders around it are called i, j and so on."""
    from ..printing.text import summary

    node = readable(node)
    taken = free_names(node)
    names = (name for name in (*"ijklmn", *(f"i{k}" for k in range(node.loose))) if name not in taken)
    return summary(node, scope=tuple(islice(names, node.loose))[::-1])


class Opaque:
    """A callable with what is known of its slots at one place.

    Args:
        function: the user's callable.
        node: the application, for messages.
        events: number of event dimensions of each slot.
        dtype, device: of the result where the callable returns a plain number.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        node: Term,
        events: Sequence[int],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.function = function
        self.node = node
        self.events = tuple(events)
        self.dtype = dtype
        self.device = device

    def shape(self, args: Sequence[Tensor]) -> tuple[int, ...]:
        """The broadcast shape of the arguments without their event dimensions."""
        return tuple(
            torch.broadcast_shapes(*(a.shape[: a.dim() - e] for a, e in zip(args, self.events, strict=True)))
        )

    def __call__(self, *args: Tensor) -> Tensor:
        """The value, expanded to the broadcast shape of the arguments.

        Raises:
            CallableFailed: the callable raised.
            EvaluationError: it returned something that is no tensor of the right shape.
        """
        out = self.raw(args)
        expected = self.shape(args)
        if tuple(out.shape) == expected:
            return out
        if not _broadcasts(tuple(out.shape), expected) or not self.ignores(args, out, expected):
            raise EvaluationError(
                f"the callable for {self.node.key[0]} returned shape {tuple(out.shape)} where its arguments "
                f"have shape {expected}: {shown(self.node)}",
                instead="a callable that works elementwise: one value for every element of its arguments"
                + (", event dimensions reduced" if any(self.events) else ""),
            )
        return out.expand(expected)

    def raw(self, args: Sequence[Tensor]) -> Tensor:
        """What the callable returns, as a tensor of the right dtype.

        Raises:
            CallableFailed: it raised, or returned no number.
        """
        try:
            out = self.function(*args)
            if not isinstance(out, Tensor):
                out = torch.as_tensor(out, dtype=self.dtype, device=self.device)
        except SurrogateError:
            raise
        except Exception as error:
            raise CallableFailed(
                f"the callable for {self.node.key[0]} raised {type(error).__name__} in "
                f"{shown(self.node)}: {_first_line(error)}",
                instead=f"a callable of {len(args)} torch tensors, the slots in order, in torch operations",
            ) from error
        if any(_tracked(a) for a in args) and not _tracked(out):
            self._check_constant(args, out)
        return out if out.dtype == self.dtype else out.to(self.dtype)

    def _check_constant(self, args: Sequence[Tensor], out: Tensor) -> None:
        """Refuse a derivative of 0 that is only torch's: the value changes with a tracked argument.

        The arguments are moved by about √ε, where a smooth function that is not constant changes by much
        more than rounding does.

        Raises:
            EvaluationError: the callable leaves torch, or detaches; what it computes is not constant.
        """
        step = torch.finfo(self.dtype).eps ** 0.5
        moved = [a.detach() + step * (1 + a.detach().abs()) if _tracked(a) else a for a in args]
        try:
            again = torch.as_tensor(self.function(*moved), dtype=self.dtype, device=self.device)
        except Exception:
            return  # outside the callable's domain: nothing is known
        if bool((again != out.to(again.dtype)).any()):
            raise EvaluationError(
                f"the callable for {self.node.key[0]} changes with its arguments, and torch cannot "
                f"differentiate it in {shown(self.node)}",
                instead="torch operations throughout, without .item(), float() or .detach(); ⊥ stands in the "
                "expression",
            )

    def ignores(self, args: Sequence[Tensor], out: Tensor, expected: tuple[int, ...]) -> bool:
        """Whether the smaller result is right because the callable does not use the larger argument.

        A sum over the particles gives the smaller shape too; it differs on the first particle alone.
        """
        if 0 in expected:
            return True
        shape = (1,) * (len(expected) - out.dim()) + tuple(out.shape)
        narrow = [k - len(expected) for k, n in enumerate(expected) if shape[k] == 1 and n > 1]
        first = []
        for arg, events in zip(args, self.events, strict=True):
            for axis in narrow:
                dim = axis - events
                if arg.dim() >= -dim and arg.shape[dim] > 1:
                    arg = arg.narrow(dim, 0, 1)
            first.append(arg)
        again = self.raw(first)
        if not _broadcasts(tuple(out.shape), tuple(again.shape)) or again.numel() != out.numel():
            return False
        return bool(torch.allclose(again.reshape(out.shape), out, rtol=1e-9, atol=0.0, equal_nan=True))


def _tracked(value: Tensor) -> bool:
    """Whether torch is differentiating in this tensor, in reverse or in forward mode."""
    return value.requires_grad or forward_ad.unpack_dual(value).tangent is not None


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return tuple(torch.broadcast_shapes(shape, to)) == to
    except RuntimeError:
        return False


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else "no message"


def directional(
    function: Callable[[Tensor], tuple[Tensor, Tensor]], at: Tensor, tangent: Tensor
) -> tuple[Tensor, Tensor]:
    """The derivative of ``function`` at ``at`` along ``tangent``, and its auxiliary output.

    Forward mode where there are many numbers.  Where there are few, reverse mode twice (the derivative of the
    linear map u ↦ uᵀJ): in forward mode each operation with a constant costs torch 0.1 ms, and an order more
    costs four times as much instead of twice.  Where one way is closed to a callable, the other.
    """
    ways = [_forwards, _backwards]
    if at.numel() <= _FEW:
        ways.reverse()
    try:
        return ways[0](function, at, tangent)
    except (CallableFailed, NotImplementedError, RuntimeError) as error:
        try:
            return ways[1](function, at, tangent)
        except (CallableFailed, NotImplementedError, RuntimeError):
            raise error from None


def _forwards(
    function: Callable[[Tensor], tuple[Tensor, Tensor]], at: Tensor, tangent: Tensor
) -> tuple[Tensor, Tensor]:
    at = at.contiguous()  # torch refuses a dual number on an expanded tensor
    _, out, aux = torch.func.jvp(function, (at,), (tangent,), has_aux=True)  # type: ignore[misc]
    return out, aux


def _backwards(
    function: Callable[[Tensor], tuple[Tensor, Tensor]], at: Tensor, tangent: Tensor
) -> tuple[Tensor, Tensor]:
    value, pull, aux = torch.func.vjp(function, at, has_aux=True)  # type: ignore[misc]
    _, push = torch.func.vjp(lambda u: pull(u)[0], torch.zeros_like(value))  # type: ignore[misc]
    return push(tangent)[0], aux


def many(
    function: Callable[[Tensor], tuple[Tensor, Tensor]], at: Tensor, tangents: Tensor
) -> tuple[Tensor, Tensor]:
    """:func:`directional` along each of ``tangents[k]``, these results last; the output's aux is shared.

    One pass with the tangents batched; the values, which checks look at, are not.  One pass for each
    where an operation of a callable cannot be batched.
    """
    try:
        batched = torch.func.vmap(
            lambda tangent: directional(function, at, tangent),
            out_dims=(0, None),  # type: ignore[arg-type]
        )
        out, aux = batched(tangents)
    except (RuntimeError, NotImplementedError, CallableFailed):
        found = [directional(function, at, tangent) for tangent in tangents]
        return torch.stack([out for out, _ in found], -1), found[0][1]
    return out.movedim(0, -1), aux


def units(at: Tensor, columns: Sequence[int]) -> Tensor:
    """The unit vectors of these coordinates (from 0) of a vector, stacked in front."""
    eye = torch.eye(at.shape[-1], dtype=at.dtype, device=at.device)[list(columns)]
    shape = (len(columns),) + (1,) * (at.dim() - 1) + (at.shape[-1],)
    return eye.reshape(shape).expand(len(columns), *at.shape).contiguous()


def partial(function: Function, slot: int, tangent: Tensor | None) -> Function:
    """The partial derivative of an elementwise function in a slot, by forward mode.

    In a vector slot it is taken along ``tangent``.
    """

    def derived(*args: Tensor) -> Tensor:
        def varied(value: Tensor) -> tuple[Tensor, Tensor]:
            out = function(*args[:slot], value, *args[slot + 1 :])
            return out, out.new_zeros(())

        along = torch.ones_like(args[slot]) if tangent is None else tangent
        return directional(varied, args[slot], along)[0]

    return derived


def partial_reverse(
    function: Function, slot: int, column: int | None, shape: Callable[..., tuple[int, ...]]
) -> Function:
    """The same by reverse mode: torch.autograd on a copy of the slot spread over all elements."""

    def derived(*args: Tensor) -> Tensor:
        at = args[slot]
        copy = at.expand(shape(args)).clone() if column is None else at.clone()
        if not copy.requires_grad:
            copy.requires_grad_()
        out = function(*args[:slot], copy, *args[slot + 1 :])
        return elementwise_gradient(out, copy) if column is None else rows(out, copy)[..., column]

    return derived


def elementwise_gradient(out: Tensor, at: Tensor, again: bool = True) -> Tensor:
    """d out / d at, element by element, where each element of ``out`` uses only its own of ``at``.

    ``again`` says whether the result is to be differentiated.
    """
    if not out.requires_grad:
        return torch.zeros_like(at)
    (found,) = torch.autograd.grad(out.sum(), at, create_graph=again, retain_graph=True, allow_unused=True)
    return torch.zeros_like(at) if found is None else found


def rows(out: Tensor, at: Tensor, again: bool = True) -> Tensor:
    """The gradient of every element of ``out`` in the vector ``at``: shape (*out.shape, K).

    ``again`` says whether the result is to be differentiated.
    """
    length = at.shape[-1]
    if not out.requires_grad:
        return out.new_zeros((*out.shape, length))
    flat = out.reshape(-1)
    found = []
    for k in range(flat.shape[0]):
        (one,) = torch.autograd.grad(flat[k], at, create_graph=again, retain_graph=True, allow_unused=True)
        one = torch.zeros_like(at) if one is None else one
        found.append(one.reshape(-1, length).sum(0))
    if not found:
        return out.new_zeros((*out.shape, length))
    return torch.stack(found).reshape(*out.shape, length)


def pick(columns: Tensor, index: Tensor) -> Tensor:
    """``columns[..., index]`` elementwise, the two broadcast against each other."""
    if index.dim() == 0:
        return columns[..., int(index)]
    shape = torch.broadcast_shapes(columns.shape[:-1], index.shape)
    spread = columns.expand(*shape, columns.shape[-1])
    return spread.gather(-1, index.expand(shape).unsqueeze(-1)).squeeze(-1)
