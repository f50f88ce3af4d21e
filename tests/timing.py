"""Bounds on time that hold on a slow or busy machine too: they grow with what a yardstick takes there."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["allowed", "within"]

#: Seconds that the yardstick takes on a free core of the machine for which bounds are written down.
FREE = 0.04


def _yardstick() -> float:
    """CPU time of some work with small objects, as walks over terms are."""
    start = time.process_time()
    table: dict[tuple[int, str], list[int]] = {}
    for k in range(110_000):
        table.setdefault((k % 4099, str(k % 13)), []).append(k)
    sorted(table, key=lambda key: len(table[key]))
    return time.process_time() - start


def allowed(seconds: float) -> float:
    """The CPU time that work of so many seconds on a free core may take here and now."""
    return seconds * max(1.0, *(_yardstick() / FREE for _ in range(3)))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done inside takes less CPU time than so many seconds of a free core.

    Processes that are started and waited for count; collecting the garbage of earlier tests does not.
    """
    gc.disable()
    try:
        start = sum(os.times()[:4])
        yield
        taken = sum(os.times()[:4]) - start
    finally:
        gc.enable()
    assert taken < seconds or taken < allowed(seconds), f"{taken:.2f} s of CPU time instead of {seconds}"
