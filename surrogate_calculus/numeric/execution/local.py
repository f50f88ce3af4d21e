"""Processes of this machine, none of whose deaths loses a call."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread
from typing import Any, TypeVar

from ...errors import EvaluationError

__all__ = ["RETRIES", "LocalExecutor"]

T = TypeVar("T")

#: How often a call is submitted again after its worker died.
RETRIES = 2


def _settle() -> None:
    """What a worker does first: one thread for torch, and Ctrl-C left to the process that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    torch = sys.modules.get("torch")  # imported already where the main module does
    if torch is not None:
        torch.set_num_threads(1)


class _Worker:
    """One process: a pool of its own, so that its death is charged to the one call that it was at."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_settle)
        self.pid = self.pool.submit(os.getpid)

    def kill(self) -> None:
        """End it, whatever it is at; as soon as it has started, where it has not."""
        self.pid.add_done_callback(_terminate)
        self.pool.shutdown(wait=False, cancel_futures=True)


def _terminate(pid: Future[int]) -> None:
    if not pid.cancelled() and pid.exception() is None:
        with suppress(ProcessLookupError):
            os.kill(pid.result(), signal.SIGTERM)


@dataclass(eq=False)
class _Slot:
    """Room for one worker, which is started when there is work."""

    worker: _Worker | None = None


@dataclass(eq=False)
class _Call:
    """A call, and how many workers died at it."""

    work: Callable[[], Any]
    what: str
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0


class LocalExecutor(Executor):
    """Processes of this machine, started afresh (``spawn``), with one thread each for torch.

    A worker that is killed in the middle of a call is replaced, and the call is submitted again; calls on
    other workers are not disturbed.  Functions, arguments and results are pickled: plain data go best.

    Args:
        workers: how many; by default as many as there are processors to use.
        retries: how often a call is submitted again; after that its future raises an EvaluationError.

    Raises:
        EvaluationError: a number that cannot be.
    """

    def __init__(self, workers: int | None = None, retries: int = RETRIES) -> None:
        if not isinstance(retries, int) or retries < 0:
            raise EvaluationError(f"there cannot be {retries!r} retries", instead="0, 1, 2, …")
        self.workers = worker_count(workers)
        self.retries = retries
        self._slots = [_Slot() for _ in range(self.workers)]
        self._free = list(self._slots)
        self._waiting: deque[_Call] = deque()
        self._changed = Condition()
        self._closed = self._killed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Schedule ``fn(*args, **kwargs)``."""
        call = _Call(partial(fn, *args, **kwargs), getattr(fn, "__name__", type(fn).__name__))
        with self._changed:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._waiting.append(call)
        self._dispatch()
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with ``cancel_futures`` drop those that no worker has begun."""
        with self._changed:
            self._closed = True
            dropped = list(self._waiting) if cancel_futures else []
            if cancel_futures:
                self._waiting.clear()
        for call in dropped:
            _cancel(call.future)
        if wait:
            with self._changed:
                self._changed.wait_for(self._done)
        self._leave(wait)

    def kill(self) -> None:
        """Drop every call, those in the middle too, whose workers are ended."""
        self._killed = True
        self.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            workers = [slot.worker for slot in self._slots if slot.worker is not None]
        for worker in workers:
            worker.kill()

    def _done(self) -> bool:
        return not self._waiting and len(self._free) == len(self._slots)

    def _leave(self, wait: bool) -> None:
        """Let idle workers go, once nothing is left to do."""
        with self._changed:
            if not self._closed or not self._done():
                return
            workers = [slot.worker for slot in self._slots if slot.worker is not None]
            for slot in self._slots:
                slot.worker = None
        for worker in workers:
            worker.pool.shutdown(wait=wait)

    def _dispatch(self) -> None:
        """Give waiting calls to free workers."""
        while True:
            with self._changed:
                if not self._waiting or not self._free:
                    return
                call = self._waiting.popleft()
                # A call that is submitted again is running already, for those who hold its future.
                if not call.deaths and not call.future.set_running_or_notify_cancel():
                    self._changed.notify_all()
                    continue
                slot = self._free.pop()
            self._begin(slot, call)

    def _begin(self, slot: _Slot, call: _Call) -> None:
        try:
            if slot.worker is None:
                slot.worker = _Worker()
            inner = slot.worker.pool.submit(call.work)
            if self._killed:  # meanwhile
                slot.worker.kill()
        except (RuntimeError, OSError) as error:  # it died while idle; no process to be had
            inner = Future()
            inner.set_exception(error)
        inner.add_done_callback(partial(self._ended, slot, call))

    def _ended(self, slot: _Slot, call: _Call, inner: Future[Any]) -> None:
        """Hand on what a worker returned, or submit the call again where it died."""
        error = CancelledError() if inner.cancelled() else inner.exception()
        again = False
        with self._changed:
            if isinstance(error, BrokenProcessPool):
                broken, slot.worker = slot.worker, None
                if broken is not None:
                    # Not here: since Python 3.12 the pool that calls this holds the lock that it would take.
                    Thread(target=broken.pool.shutdown).start()
                call.deaths += 1
                again = call.deaths <= self.retries and not self._killed
                error = CancelledError() if self._killed else _too_many(call)
                if again:
                    self._waiting.appendleft(call)
            self._free.append(slot)
        self._dispatch()
        if not again and error is not None:
            call.future.set_exception(error)
        elif not again:
            call.future.set_result(inner.result())
        with self._changed:
            self._changed.notify_all()
        if self._closed:
            self._leave(wait=False)


def worker_count(workers: int | None) -> int:
    """How many workers, where None is as many as there are processors to use.

    Raises:
        EvaluationError: a number that cannot be.
    """
    if workers is None:
        usable = getattr(os, "sched_getaffinity", None)
        return len(usable(0)) if usable else os.cpu_count() or 1
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise EvaluationError(f"there cannot be {workers!r} workers", instead="1, 2, 3, …")
    return workers


def _cancel(future: Future[Any]) -> None:
    """Cancel what waits; what is submitted again runs already, for those who hold it."""
    if future.cancel():
        future.set_running_or_notify_cancel()
    else:
        future.set_exception(CancelledError())


def _too_many(call: _Call) -> EvaluationError:
    return EvaluationError(
        f"{call.what}: its worker died {call.deaths} times",
        instead="fewer workers, or smaller shards, if memory ran out; a script that starts workers needs "
        '`if __name__ == "__main__":`',
    )
