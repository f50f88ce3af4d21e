"""Installs pydpf into a folder of its own and starts a process with it.

pydpf is measured, not used: it and what it needs (pandas, polars, joblib) go into ``build/pydpf``, which is
seen by the worker alone.  torch is the one that we run on, so that both are measured with the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["PydpfError", "PydpfWorker"]

VERSION = "1.2.3"
_ROOT = Path(__file__).resolve().parent.parent
FOLDER = _ROOT / "build" / "pydpf"
_STAMP = FOLDER / f"installed-{VERSION}"


class PydpfError(Exception):
    """pydpf could not be installed, or raised an error of its own."""


def install() -> None:
    """Install pydpf unless it is there.

    It declares Python 3.12, torchvision and torchaudio, and of these it imports none.

    Raises:
        PydpfError: pip could not.
    """
    if _STAMP.exists():
        return
    print(f"installing pydpf {VERSION} into {FOLDER.relative_to(_ROOT)} (some minutes)", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    pip += ["-c", str(_ROOT / "constraints.txt"), "--target", str(FOLDER)]
    alone = ["--no-deps", "--ignore-requires-python", f"pydpf=={VERSION}"]
    for what in (alone, ["joblib", "pandas", "polars"]):
        done = subprocess.run([*pip, *what], capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip() or "pip failed").splitlines()[-1]
            raise PydpfError(f"pydpf cannot be installed, which needs pip and the package index: {last}")
    _STAMP.touch()


class PydpfWorker:
    """A process with pydpf, to be asked; a context manager.

    Raises:
        PydpfError: pydpf could not be installed, or not be imported.
    """

    def __init__(self) -> None:
        install()
        script = Path(__file__).with_name("pydpf_worker.py")
        environment = {**os.environ, "PYTHONPATH": str(FOLDER), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """The answer to a request, see ``pydpf_worker.py``.

        Raises:
            PydpfError: the worker did not answer, or pydpf raised an error.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise PydpfError("the process with pydpf ended") from None
        if "error" in answer:
            raise PydpfError(answer["error"])
        return answer

    def __enter__(self) -> PydpfWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
