"""``pytest --surrogate`` in a repository of somebody else."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

GOOD = """\
parameter θ
density p(x; θ)
lemma score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
theorem twice: 2 * →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = 2 * ∇θ log p(x; θ)   by using score
refute equal: p(x; θ) / ⊥(p(x; θ)) = 1
"""
BAD = """\
parameter θ
density p(x; θ)
theorem wrong:
  →(∇θ (p(x; θ) / ⊥(p(x; θ))))
    = ∇θ log p(x; θ)
    = log p(x; θ)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a test, documents, and a folder of what is there to fail."""
    (tmp_path / "test_one.py").write_text("def test_one():\n    assert True\n")
    (tmp_path / "theory").mkdir()
    (tmp_path / "theory" / "good.sc").write_text(GOOD, encoding="utf-8")
    (tmp_path / "theory" / "model.sc").write_text(
        "parameter θ\nfunction f(θ)\nderive ∇θ f(θ)\n", encoding="utf-8"
    )
    (tmp_path / "theory" / "rejected").mkdir()
    (tmp_path / "theory" / "rejected" / "bad.sc").write_text(BAD, encoding="utf-8")
    return tmp_path


def run(folder: Path, *args: str) -> str:
    """What pytest prints there, in a process of its own."""
    plugins = ["-p", "surrogate_calculus.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rootdir", str(folder), *args, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # it may be installed, too
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def test_theorems_are_items(repository: Path) -> None:
    out = run(repository, "--surrogate", "-v")
    for name in ("score", "twice", "equal"):
        assert f"good.sc::{name} PASSED" in out
    assert "4 passed" in out
    assert "model.sc" not in out and "rejected" not in out


def test_nothing_is_collected_without_the_option(repository: Path) -> None:
    out = run(repository, "-v")
    assert "1 passed" in out
    assert ".sc" not in out


def test_a_theorem_that_fails_is_reported_readably(repository: Path) -> None:
    (repository / "bad.sc").write_text(BAD, encoding="utf-8")
    out = run(repository, "--surrogate", "-q")
    assert "1 failed, 4 passed" in out
    assert "bad.sc: line 6: this line is false" in out
    assert "= log p(x; θ)" in out and "^^^^" in out
    assert "counterexample: in value, at" in out
    assert "Traceback" not in out and "theorems.py" not in out
    assert "theorem wrong" in out


def test_a_document_that_cannot_be_read_is_an_error_of_its_own(repository: Path) -> None:
    (repository / "bad.sc").write_text("theorem a:\n  1 = +\n", encoding="utf-8")
    (repository / "worse.sc").write_bytes(b"theorem a: 1 = \xff\n")
    out = run(repository, "--surrogate", "-q", "--continue-on-collection-errors")
    assert "2 errors" in out and "4 passed" in out
    assert "line 2, column 7" in out and "not UTF-8" in out
    assert "Traceback" not in out


def test_items_are_chosen_by_name(repository: Path) -> None:
    assert "1 passed" in run(repository, "--surrogate", "-q", "-k", "twice")


def test_the_plugin_alone_imports_nothing_of_the_calculus() -> None:
    code = (
        "import sys, surrogate_calculus.pytest_plugin\n"
        "found = [m for m in sys.modules if m.startswith('surrogate_calculus.')]\n"
        "assert found == ['surrogate_calculus.pytest_plugin'], found\n"
        "assert not {'lark', 'torch', 'rich', 'typer', 'mpmath'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"surrogate": "surrogate_calculus.pytest_plugin"}
