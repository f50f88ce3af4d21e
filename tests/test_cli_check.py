"""``surrogate check`` of proof documents: what it prints, its exit status, its files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import surrogate_calculus as sc
from surrogate_calculus.cli import app

PROOFS = Path(__file__).resolve().parents[1] / "proofs"
HEAD = "parameter θ\nvariable x\ndensity p(x; θ)\nfunction f(x; θ)\n"
GOOD = HEAD + "lemma score: →(∇θ (p(x; θ)/⊥(p(x; θ)))) = ∇θ log p(x; θ)\nrefute one: p(x; θ)/⊥(p(x; θ)) = 1\n"
BAD = HEAD + "theorem wrong:\n  f(x; θ) * 2\n    = 2 * f(x; θ)    by arithmetic\n    = f(x; θ)\n"
OPEN = HEAD + "theorem open: exp(sin(x)^2) * exp(cos(x)^2) = exp(1)\n"
NEEDS = HEAD + "theorem needs: →(∇θ (f(x; θ)/⊥(f(x; θ)))) = ∇θ log f(x; θ)\n"
BROKEN = HEAD + "theorem broken: f(x; θ = 1\n"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, args)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents of every kind, in folders."""
    for name, text in {
        "good.sc": GOOD,
        "sub/also.sc": GOOD,
        "sub/model.sc": HEAD,
        "rejected/bad.sc": "# must fail: refuted, line 9: in value\n" + BAD,
        ".hidden/bad.sc": BAD,
        "notes.md": "theorem x: 1 = 2\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "it.sc"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_folder_is_checked_with_a_table(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0
    assert result.stderr == ""
    for column in ("theorem", "status", "rests on", "steps", "seconds"):
        assert column in result.stdout
    rows = [line.split() for line in result.stdout.splitlines() if line.strip()]
    assert [r[:2] for r in rows if r[0] in ("score", "one")] == [["score", "proved"], ["one", "refuted"]] * 2
    assert "good.sc" in result.stdout and "also.sc" in result.stdout
    assert "bad.sc" not in result.stdout
    assert rows[-2][:4] == ["4", "of", "4", "hold,"]
    assert rows[-1][:5] == ["1", "of", "1", "are", "rejected"]


def test_the_documents_of_the_repository_hold() -> None:
    result = run(PROOFS)
    assert result.exit_code == 0, result.stdout


@pytest.mark.parametrize(
    ("text", "status"), [(GOOD, 0), (BAD, 1), (NEEDS, 1), (OPEN, 3), (BROKEN, 2), (HEAD, 2)]
)
def test_the_exit_status(text: str, status: int, tmp_path: Path) -> None:
    result = run(written(tmp_path, text))
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output


def test_a_failing_line_is_reported(tmp_path: Path) -> None:
    out = run(written(tmp_path, BAD)).stdout
    assert "theorem wrong fails" in out
    assert "it.sc: line 8: this line is false" in out
    assert "counterexample: in value, at" in out
    for part in ("left:", "right:", "difference:"):
        assert part in out
    assert "0 of 1 hold" in out


def test_what_a_theorem_rests_on_is_listed(tmp_path: Path) -> None:
    text = NEEDS.replace("theorem", "assume f(x; θ) != 0\nassume sym: f(x; θ) = f(-x; θ)\ntheorem")
    text += "theorem even: f(x; θ)^2 = f(-x; θ)^2  by using sym, chain\n"
    result = run(written(tmp_path, text))
    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if "proved" in line]
    assert "f(x; θ) ≠ 0" in rows[0]
    assert "by sym" in rows[1] and "does not need chain" in rows[1]


def test_a_document_that_cannot_be_read_does_not_stop_the_others(folder: Path) -> None:
    (folder / "broken.sc").write_text(BROKEN, encoding="utf-8")
    result = run(folder)
    assert result.exit_code == 2
    assert result.stderr.count("error: ") == 1
    assert "broken.sc: line 5, column 18" in result.stderr and "instead: " in result.stderr
    assert "4 of 4 hold" in result.stdout


@pytest.mark.parametrize("name", ["no.sc", "empty"])
def test_what_names_no_document_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / name)
    assert result.exit_code == 2
    assert result.stdout == "" and result.stderr.count("error: ") == 1 and "instead: " in result.stderr


def test_a_certificate_among_documents_is_refused(folder: Path) -> None:
    result = run(folder / "good.sc", folder / "it.json")
    assert result.exit_code == 2 and "one at a time" in result.stderr


def test_the_verdicts_for_machines(tmp_path: Path) -> None:
    result = run(written(tmp_path, GOOD + BAD.removeprefix(HEAD)), "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert [(d["name"], d["status"], d["passed"]) for d in data] == [
        ("score", "proved", True), ("one", "refuted", True), ("wrong", "refuted", False),
    ]  # fmt: skip
    assert data[0]["claim"] == ["→(∇θ(p(x; θ) / ⊥(p(x; θ))))", "=", "∇θ log p(x; θ)"]
    assert data[0]["steps"] > 0 and data[0]["failure"] is None
    assert data[2]["failure"]["kind"] == "refuted" and data[2]["failure"]["line"] == 10
    assert data[2]["counterexample"].startswith("in value")


def test_certificates_are_written_and_replay(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(folder / "good.sc", "--certificate", out).exit_code == 0
    (file,) = out.iterdir()
    assert file.name == "good.score.json"
    assert sc.check(json.loads(file.read_text(encoding="utf-8"))).status == "proved"
    assert run(file).exit_code == 0
    (tmp_path / "file").write_text("")
    refused = run(folder / "good.sc", "--certificate", tmp_path / "file")
    assert refused.exit_code == 2 and "cannot be written" in refused.stderr


def test_the_hints_are_listed() -> None:
    result = run("--hints")
    assert result.exit_code == 0
    for name in ("product", "log_derivative", "definition of v", "using NAME", "grad_power"):
        assert f" {name} " in result.stdout
    data = json.loads(run("--hints", "--json").stdout)
    assert all(entry["says"] for entry in data)


def test_text_is_ascii_where_unicode_cannot_be_carried(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "surrogate_calculus", "check", str(written(tmp_path, BAD))],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert b"f(x; theta)" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="there are no signals")
def test_an_interrupt_keeps_what_was_found(tmp_path: Path) -> None:
    slow = "".join(f"theorem t{n}: exp(sin(x+{n})^2)*exp(cos(x+{n})^2) = exp(1)\n" for n in range(1000))
    file = written(tmp_path, HEAD + "theorem first: x = x\n" + slow)
    process = subprocess.Popen(
        [sys.executable, "-m", "surrogate_calculus", "check", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.readline()  # the report of the first that fails
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted" in err and b"Traceback" not in err
    assert "first" in out.decode() and " hold, by " in out.decode()
