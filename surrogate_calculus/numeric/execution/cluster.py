"""A Dask cluster as an executor: many processes, or many machines."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Condition
from typing import Any, TypeVar
from uuid import uuid4

from ...errors import EvaluationError
from .local import worker_count

__all__ = ["DaskExecutor", "open_cluster"]

T = TypeVar("T")

#: Seconds until a scheduler that does not answer is given up.
_PATIENCE = 10
#: What a worker of a cluster of our own does first: Ctrl-C is for the process that waits for it.
_SETTLE = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@dataclass(eq=False)
class _Call:
    """A call; one that Dask gave up is made once more, with no other beside it."""

    work: Callable[[], Any]
    what: str
    future: Future[Any] = field(default_factory=Future)
    alone: bool = False


class DaskExecutor(Executor):
    """The workers of a Dask client.

    Dask submits a call again whose worker died, up to a limit, and holds the death against every call that
    was assigned to that worker.  So a call that is given up is made once more when nothing else runs; if it
    is given up again, its future raises an EvaluationError.  (Not Dask's own ``get_executor``: besides, its
    futures keep results on the workers, and those of a dead one are computed again though they are here.)

    Args:
        client: a ``distributed.Client``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._running: dict[_Call, Any] = {}
        self._suspects: deque[_Call] = deque()
        self._waiting: deque[_Call] = deque()
        self._changed = Condition()
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Schedule ``fn(*args, **kwargs)``."""
        call = _Call(partial(fn, *args, **kwargs), getattr(fn, "__name__", type(fn).__name__))
        call.future.add_done_callback(partial(self._dropped, call))
        with self._changed:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if any(running.alone for running in self._running):
                self._waiting.append(call)
            else:
                self._begin(call)
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with ``cancel_futures`` drop those that are not done."""
        with self._changed:
            self._closed = True
            calls = [*self._running, *self._suspects, *self._waiting]
        if cancel_futures:
            for call in calls:
                call.future.cancel()
        if wait:
            with self._changed:
                self._changed.wait_for(lambda: not (self._running or self._suspects or self._waiting))

    def _begin(self, call: _Call) -> None:
        # Not pure: a call that is made twice is carried out twice.
        try:
            inner = self._client.submit(call.work, key=f"{call.what}-{uuid4().hex}", pure=False)
        except Exception as error:  # what cannot be pickled; a client that is closed
            if call.future.set_running_or_notify_cancel():
                call.future.set_exception(error)
            return
        self._running[call] = inner
        inner.add_done_callback(partial(self._ended, call))

    def _dropped(self, call: _Call, future: Future[Any]) -> None:
        """Cancel on the cluster what is cancelled here."""
        if future.cancelled():
            with self._changed:
                inner = self._running.get(call)
                for calls in (self._suspects, self._waiting):
                    if call in calls:
                        calls.remove(call)
                self._changed.notify_all()
            if inner is not None:
                inner.cancel()

    def _ended(self, call: _Call, inner: Any) -> None:
        """Hand on what the cluster returned, and begin what waited for it."""
        from distributed import KilledWorker

        found, error = None, None
        try:
            found = inner.result()
        except BaseException as raised:
            error = raised
        suspect = isinstance(error, KilledWorker) and not call.alone and not call.future.cancelled()
        if suspect:
            call.alone = True
        elif call.future.cancelled():
            call.future.set_running_or_notify_cancel()
        elif call.future.set_running_or_notify_cancel():
            if error is None:
                call.future.set_result(found)
            else:
                call.future.set_exception(_told(error, call.what))
        inner.release()
        with self._changed:
            del self._running[call]
            if suspect:
                self._suspects.append(call)
            if not self._running and self._suspects:
                self._begin(self._suspects.popleft())
            elif not self._running:
                while self._waiting:
                    self._begin(self._waiting.popleft())
            self._changed.notify_all()


def _told(error: BaseException, what: str) -> BaseException:
    """The error of a call, in the words of this package where its workers died."""
    from distributed import KilledWorker

    if isinstance(error, CancelledError):  # by nobody here
        return EvaluationError(
            f"{what}: the Dask scheduler went away", instead="the same again, once it runs"
        )
    if not isinstance(error, KilledWorker):
        return error
    return EvaluationError(
        f"{what}: its worker died {error.allowed_failures + 1} times while it was the only call",
        instead="smaller shards, if memory ran out",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the client's log: what it tells of a scheduler that is gone, its futures tell too."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def open_cluster(workers: int | None, address: str | None, retries: int) -> Iterator[Executor]:
    """A cluster of processes on this machine, or the one at an address, for the time of a ``with`` block.

    Raises:
        EvaluationError: ``distributed`` is not installed; no scheduler answers at the address.
    """
    count = worker_count(workers)
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise EvaluationError(
            "Dask is not installed", instead="pip install 'surrogate-calculus[dask]'; or --executor local"
        ) from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if address is None:
            stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": retries}))
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any port, since the usual one may be taken
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.ERROR,  # that a worker is started again is no news
                preload=[_SETTLE],
            )
            stack.enter_context(cluster)
            client = stack.enter_context(Client(cluster))
        else:
            try:
                client = stack.enter_context(Client(address, timeout=_PATIENCE))
            except (OSError, ValueError):
                raise EvaluationError(
                    f"no Dask scheduler answers at {address!r:.80}",
                    instead="an address such as tcp://127.0.0.1:8786, which `dask scheduler` prints",
                ) from None
        executor = DaskExecutor(client)
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown()
