"""Shards: plain data, each with a seed of its own, so that results do not depend on who computes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

from ...errors import EvaluationError

__all__ = ["Shard", "make_shards", "run_shards", "shard_seed"]

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """A part of the work.

    Attributes:
        index: its place, from 0.
        seed: of all its randomness.
        settings: everything else that decides its result: what JSON has.
    """

    index: int
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same work, whatever its place: what a file of results finds it by."""
        text = json.dumps([self.seed, dict(self.settings)], sort_keys=True, ensure_ascii=True)
        return sha256(text.encode()).hexdigest()[:16]


def shard_seed(seed: int, index: int) -> int:
    """The seed of a shard: 63 bits of numpy's ``SeedSequence(seed).spawn(index + 1)[index]``.

    Args:
        seed: of the whole, ≥ 0.
        index: of the shard, ≥ 0.

    Raises:
        EvaluationError: one is negative, or no whole number.
    """
    import numpy

    for name, value in (("seed", seed), ("index", index)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise EvaluationError(f"a shard's {name} cannot be {value!r:.40}", instead="0, 1, 2, …")
    state = numpy.random.SeedSequence(seed, spawn_key=(index,)).generate_state(1, numpy.uint64)
    return int(state[0]) >> 1  # what every generator takes: torch's, numpy's, Python's


def make_shards(seed: int, settings: Sequence[Mapping[str, Any]]) -> list[Shard]:
    """A shard for each of the settings, in their order.

    Args:
        seed: of the whole.
        settings: of the shards.

    Raises:
        EvaluationError: the seed is no whole number ≥ 0.
    """
    return [Shard(index, shard_seed(seed, index), dict(s)) for index, s in enumerate(settings)]


def run_shards(
    function: Callable[[Shard], T],
    shards: Sequence[Shard],
    executor: Executor,
    *,
    on_result: Callable[[Shard, T], None] | None = None,
    results: Mapping[str, T] | None = None,
) -> list[T]:
    """The function of every shard, in the order of the shards.

    Args:
        function: of one shard; for workers that are processes, one that they can import.
        shards: as :func:`make_shards` gives.
        executor: see :func:`.open_executor`.
        on_result: called here with each shard and its result as soon as it is there, in any order: for
            progress, and a file.  Not with those of ``results``.
        results: what is known already, by the ``key`` of a shard; it is not computed again.

    Raises:
        Exception: that of the first shard that fails; what is not yet begun is cancelled, as by Ctrl-C.
    """
    found: dict[int, T] = {}
    known = results or {}
    running: dict[Future[T], int] = {}

    def take(future: Future[T]) -> None:
        place = running[future]
        found[place] = future.result()
        if on_result is not None:
            on_result(shards[place], found[place])

    try:
        for place, shard in enumerate(shards):
            if known and shard.key in known:
                found[place] = known[shard.key]
                continue
            future = executor.submit(function, shard)
            running[future] = place
            if future.done():  # at once, where this process does it
                take(future)
        for future in as_completed([f for f, place in running.items() if place not in found]):
            take(future)
    except BaseException:
        for future in running:
            future.cancel()
        raise
    return [found[place] for place in range(len(shards))]
