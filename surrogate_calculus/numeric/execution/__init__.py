"""Replicates and sweeps beyond one process: executors of ``concurrent.futures``, and shards run on them.

``open_executor`` gives an executor: this process, processes of this machine, or a Dask cluster, none of which
loses a call to a worker that is killed.  ``run_shards`` runs shards on it, plain data each with a seed of its
own, so that results are the same whatever the number of workers.
"""

from __future__ import annotations

from .executors import EXECUTORS, SerialExecutor, open_executor
from .local import LocalExecutor
from .shards import Shard, make_shards, run_shards, shard_seed

__all__ = [
    "EXECUTORS",
    "LocalExecutor",
    "SerialExecutor",
    "Shard",
    "make_shards",
    "open_executor",
    "run_shards",
    "shard_seed",
]
