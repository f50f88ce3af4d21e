"""How a failure looks where it is met: in pytest's output, and in a process that has not loaded torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FAILING = """\
import torch
import unittest
from surrogate_calculus.testing import assert_estimator, assert_unbiased, FiniteLaw

POINT = {"θ": 0.3, "x": 1.2}

def test_detached():
    assert_estimator(lambda θ, x: (θ.detach() + x) * θ, surrogate="(θ + x)*θ", wrt="θ", bindings=POINT)

def test_no_use():
    assert_estimator(lambda θ, x: (θ + x) * θ, surrogate="(θ + x)*", wrt="θ", bindings=POINT)

class Case(unittest.TestCase):
    def test_biased(self):
        law = FiniteLaw([0, 1], lambda θ: torch.stack([1 - θ, θ]))
        assert_unbiased(lambda x, θ: θ * x, lambda θ: θ, law=law, at=0.3, orders=(1,))
"""


def test_a_failure_is_shown_without_the_frames_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FAILING, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        "--color=no",
    ]
    done = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    out = done.stdout
    assert done.returncode == 1 and "3 failed" in out, out + done.stderr
    assert "E         it seems that   the loss behaves like θ * (⊥(θ) + x)" in out or "it seems that" in out
    assert "derived         2 * θ + x" in out
    assert "in the mean" in out
    assert "E         instead: " in out
    # tracebacks end in the test file: no frame of the package is shown
    assert "estimator.py:" not in out and "unbiased.py:" not in out and "theory.py:" not in out, out


def test_the_package_imports_without_torch() -> None:
    code = (
        "import sys, surrogate_calculus.testing as t; dir(t); print('torch' in sys.modules); "
        "t.assert_estimator; print('torch' in sys.modules); t.FiniteLaw; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_every_public_name_is_there() -> None:
    import surrogate_calculus.testing as testing

    assert all(getattr(testing, name).__name__ == name for name in testing.__all__)
