"""A program that is stopped by a signal, as a terminal does it: to every process of its group."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["stopped"]


def stopped(
    command: Sequence[str], file: Path, lines: int, how: signal.Signals = signal.SIGINT
) -> tuple[int, str, str]:
    """Exit status, standard output and error of a program, stopped when a file has so many lines."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        deadline = time.monotonic() + 60
        while not file.exists() or file.read_bytes().count(b"\n") < lines:
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.02)
        os.killpg(running.pid, how)
        out, err = running.communicate(timeout=60)
    return running.returncode, out, err
