"""A document's algorithm as a program that draws, resamples and weighs.

The sampling statements are carried out in the order of their needs, times first to last, interleaved
with the definitions; every particle of a time at once.  Samples are constant under differentiation (a
reparameterised particle is a definition), ⊥ is ``detach``, and the definitions keep their graph: what
comes out can be differentiated by torch as the output of any training script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.declarations import Document
from ..language.names import canonical_name
from ..language.parser import parse
from ..language.terms import App, Indexed, Num, Sym, Term, postorder
from . import scaled as sc
from .draws import Chance, sampler_of
from .evaluate import OPERATIONS
from .instructions import Program
from .lookup import fitted
from .machine import Machine
from .program import compile_tables
from .ranges import bounds_of, counts_of, ranges_of
from .resampling import law_of
from .sampling import SamplingScheduler
from .tables import DRAW, Table, table_name
from .values import Event, Family, Value, bind, named

__all__ = ["Compiled", "compile_document"]

_Pair = tuple[int, int]


def compile_document(
    document: Document,
    functions: Mapping[str, Any] | None = None,
    *,
    wanted: Sequence[str] | None = None,
    dtype: torch.dtype = torch.float64,
) -> Compiled:
    """Make a document ready to run.

    Args:
        document: with sampling statements.
        functions: values of densities, functions and resampling laws, as for ``evaluate``.  A density
            that is drawn from is an object with a method ``sample`` besides being callable, or a
            mapping ``{"log": …, "sample": …}`` (``"density"`` instead of ``"log"``).  It is called as
            ``sample(*given, *params, shape=shape, generator=generator)``, with tensors that broadcast
            to ``shape``, and returns a tensor of that shape; event dimensions may follow.  A
            resampling law is ``"multinomial"`` (the default), ``"stratified"``, ``"systematic"``, or a
            callable of (weights (batch …, N), count, generator) that returns positions from 0.
        wanted: what a run returns besides the samples: names of definitions, or closed terms.  By
            default every definition of at most one time index.
        dtype: of all computation.
    """
    return Compiled(document, named(functions or {}), wanted, dtype)


@dataclass(eq=False)
class _Plan:
    """What is compiled for given counts: the program, and where each result lies."""

    program: Program
    tables: Mapping[str, Table]
    ranges: Mapping[str, Any]
    nodes: list[Term]
    slots: dict[str, tuple[int, ...]]
    shapes: dict[str, tuple[_Pair, ...]]
    times: Mapping[str, frozenset[int]]


@dataclass(eq=False)
class Compiled:
    """A document that can be run; programs are kept for each choice of the counts.

    Attributes:
        document: what runs.
        functions: the values of its functions.
        wanted: as for :func:`compile_document`.
        dtype: of all computation.
    """

    document: Document
    functions: Mapping[str, Value]
    wanted: Sequence[str] | None
    dtype: torch.dtype
    _plans: dict[Any, _Plan] = field(default_factory=dict, repr=False)

    def run(
        self,
        values: Mapping[str, Value],
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        batch: tuple[int, ...] = (),
    ) -> dict[str, Tensor | Event]:
        """Draw every sample, and compute what is wanted.

        Args:
            values: counts, parameters and observations; parameters that require a gradient give
                definitions with a graph.
            seed: of a new generator.
            generator: the source of randomness, instead of a seed; torch's own without either.
            batch: shape of independent runs, behind the indices of everything that is drawn.

        Returns:
            by name, the samples (ancestors as int64, from 1) and what is wanted: tensors over the
            ranges of their indices, then the batch.  Together with ``values`` they are what
            ``evaluate`` and ``autodiff`` need of the document.

        Raises:
            EvaluationError: a missing value or sampler, as for ``evaluate``.
        """
        given = {**self.functions, **named(values)}
        counts = counts_of(self.document, given)
        graph = any(isinstance(v, Tensor) and v.requires_grad for v in map(_tensor, given.values()))
        key = (graph, *sorted(counts.items()))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _planned(self.document, counts, self.wanted, graph)
        bindings = bind(
            plan.nodes,
            given,
            dtype=self.dtype,
            axes=None,
            vectors=self.document.vector_names,
            tables=plan.tables,
            ranges=plan.ranges,
        )
        bindings.batch = tuple(torch.broadcast_shapes(bindings.batch, tuple(batch)))
        if seed is not None:
            if generator is not None:
                raise EvaluationError("both a seed and a generator are given", instead="one of the two")
            generator = torch.Generator(bindings.device).manual_seed(seed)
        chance = Chance(self._samplers(plan, given), self._laws(given), generator)
        machine = Machine(plan.program, bindings, {**OPERATIONS, "draw": chance}, reverse=graph)
        with torch.inference_mode(False), torch.set_grad_enabled(graph):
            machine.run(plan.program.root)
            return {name: self._result(machine, plan, name) for name in plan.slots}

    def _samplers(self, plan: _Plan, given: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for node in plan.nodes:
            if isinstance(node, App) and node.name.startswith(DRAW):
                name = node.name.split("@")[1]
                out[name] = sampler_of(
                    name, given.get(f"log {name}", given.get(f"{name}()", given.get(name)))
                )
        return out

    def _laws(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: law_of(name, given.get(name)) for name in self.document.resampling}

    def _result(self, machine: Machine, plan: _Plan, name: str) -> Tensor | Event:
        """The tables of one name, put together along its times."""
        shape, slots = plan.shapes[name], plan.slots[name]
        times = plan.times.get(name, frozenset())
        rest = [hi - lo + 1 for k, (lo, hi) in enumerate(shape) if k not in times]
        batch = machine.bindings.batch
        parts: list[Tensor] = []
        events = 0
        for slot in slots:
            value = machine.slots[slot]
            if isinstance(value, Event):
                events = value.dims or 0
                value = value.tensor
            else:
                value = sc.plain(value)
            value = fitted(value, len(rest) + len(batch), events)
            parts.append(value.expand((*rest, *batch, *value.shape[value.dim() - events :])))
        out = torch.stack(parts) if times else parts[0]
        lengths = [shape[k][1] - shape[k][0] + 1 for k in sorted(times)]
        out = out.reshape((*lengths, *out.shape[1 if times else 0 :]))
        for position, k in enumerate(sorted(times)):
            out = out.movedim(position, k)
        if name in self.document.index_valued:
            return out.detach().round().to(torch.int64)
        return Event(out, events) if events else out


def _planned(
    document: Document, counts: Mapping[str, int], wanted: Sequence[str] | None, detach: bool
) -> _Plan:
    """Compile a document for concrete counts."""
    scheduler = SamplingScheduler(document, counts)
    families = {d.name for d in document.definitions}
    if wanted is None:
        found = [d.name for d in document.definitions if len(scheduler.times[d.name]) <= 1]
    else:
        found = [canonical_name(w) for w in wanted]
    names = [*(sample.name for sample in document.samples), *(name for name in found if name in families)]
    bounds = bounds_of(document, counts, names)
    keys: dict[str, list[str]] = {}
    order: list[tuple[int, int, str]] = []
    for rank, name in enumerate(dict.fromkeys(names)):
        keys[name] = []
        where = scheduler.times[name]
        for times in product(*(range(lo, hi + 1) for lo, hi in _timed(bounds[name], where))):
            at = iter(times)
            args = [Num(next(at) if k in where else lo) for k, (lo, _) in enumerate(bounds[name])]
            scheduler.run(Indexed(name, *args) if args else Sym(name))
            key = table_name(name, dict(zip(sorted(where), times, strict=True)), len(args))
            keys[name].append(key)
            order.append((max(times, default=0), rank, key))
    for text in found:
        if text not in families:
            key = f"{text}@"
            scheduler.tables[key] = Table(key, scheduler.run(parse(text, document)), ())
            keys[text], bounds[text] = [key], ()
            order.append((counts_top(counts), len(names), key))
    program, slots = compile_tables(
        scheduler.tables, [key for _, _, key in sorted(order)], vectors=document.vector_names, detach=detach
    )
    results = {name: tuple(slots[key] for key in own) for name, own in keys.items()}
    nodes = postorder(*(table.body for table in scheduler.tables.values()))
    return _Plan(
        program, scheduler.tables, ranges_of(document, counts), nodes, results, bounds, scheduler.times
    )


def _tensor(value: Any) -> Any:
    return value.tensor if isinstance(value, (Event, Family)) else value


def _timed(bounds: Sequence[_Pair], where: frozenset[int]) -> list[_Pair]:
    return [pair for k, pair in enumerate(bounds) if k in where]


def counts_top(counts: Mapping[str, int]) -> int:
    """A time behind all others."""
    return 1 + max(counts.values(), default=0)
