"""Which executor: this process, processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar

from ...errors import EvaluationError
from .local import RETRIES, LocalExecutor, worker_count

__all__ = ["EXECUTORS", "SerialExecutor", "open_executor"]

T = TypeVar("T")

#: The names, as ``--executor`` takes them.
EXECUTORS: tuple[str, ...] = ("serial", "local", "dask")


class SerialExecutor(Executor):
    """This process: a call is made when it is submitted, and its future is done."""

    def __init__(self) -> None:
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call ``fn(*args, **kwargs)``."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            found = fn(*args, **kwargs)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(found)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls."""
        self._closed = True


@contextmanager
def open_executor(
    kind: str = "local",
    workers: int | None = None,
    address: str | None = None,
    retries: int = RETRIES,
) -> Iterator[Executor]:
    """An executor of ``concurrent.futures``, for the time of a ``with`` block.

    A worker that is killed in the middle of a call is replaced, and the call is submitted again.  When the
    block is left by an exception, Ctrl-C for one, nothing more is begun and what runs is ended.

    Args:
        kind: ``serial``: this process, one call after the other.  ``local``: processes of this machine.
            ``dask``: a Dask cluster, with the extra ``dask``.
        workers: how many processes; by default as many as there are processors to use.
        address: of a running Dask scheduler, ``tcp://host:8786``; by default a cluster is started on this
            machine.  Its workers must have this package installed.
        retries: how often a call is submitted again after its worker died, before its future raises an
            EvaluationError.  A running scheduler has a number of its own, which counts
            (``distributed.scheduler.allowed-failures``).

    Raises:
        EvaluationError: no such kind, numbers that cannot be, the extra is not installed, no scheduler
            answers.
    """
    if kind not in EXECUTORS:
        raise EvaluationError(f"no executor is called {kind!r:.40}", instead=", ".join(EXECUTORS))
    if address is not None and kind != "dask":
        raise EvaluationError(f"{kind} workers have no scheduler", instead="--executor dask")
    if address is not None and workers is not None:
        raise EvaluationError("a running scheduler has workers of its own", instead="no number of workers")
    if not isinstance(retries, int) or retries < 0:
        raise EvaluationError(f"there cannot be {retries!r} retries", instead="0, 1, 2, …")
    if kind == "dask":
        from .cluster import open_cluster

        with open_cluster(workers, address, retries) as cluster:
            yield cluster
    elif kind == "local":
        local = LocalExecutor(workers, retries)
        try:
            yield local
        except BaseException:
            local.kill()
            raise
        local.shutdown()
    else:
        worker_count(workers)
        with SerialExecutor() as serial:
            yield serial
