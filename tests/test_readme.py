"""Every block of the README that shows a session is run, and its output compared."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from surrogate_calculus.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Rounding differs between machines; the size of a relative difference is not compared.
DIFFERENCE = re.compile(r"relative difference \d\.\de-\d\d")
#: Nor are times.
SECONDS = re.compile(r"\d+\.\d\d$|\d+\.\d seconds$", re.MULTILINE)


#: Nor are deviations in a table of findings.
DEVIATION = re.compile(r" +\S+ +(?=[≤>] )")
#: Nor what pads lines on the right.
PADDING = re.compile(r" +$", re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def sessions() -> list[list[tuple[str, str]]]:
    """The console blocks as lists of (command, output)."""
    pattern = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
    return [pattern.findall(block) for block in blocks("console")]


def comparable(output: str) -> str:
    """An output without what differs between machines."""
    return PADDING.sub("", DEVIATION.sub("", SECONDS.sub("", DIFFERENCE.sub("", output))))


@pytest.mark.parametrize("session", sessions(), ids=[s[0][0][:40] for s in sessions()])
def test_console(session: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for command, shown in session:
        program, *args = shlex.split(command)
        assert program == "surrogate"
        result = CliRunner().invoke(app, args)
        assert comparable(result.output) == comparable(shown)


def test_python() -> None:
    attempted = 0
    for block in blocks("pycon"):
        test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
        results = doctest.DocTestRunner(verbose=False).run(test)
        assert results.failed == 0
        attempted += results.attempted
    assert attempted >= 20


def test_the_proof_document_shown_is_the_one_that_is_checked() -> None:
    (block,) = blocks("text")
    assert block == (ROOT / "examples" / "dice_proof.sc").read_text(encoding="utf-8")


def test_the_test_file_shown_fails_as_shown() -> None:
    from surrogate_calculus.testing import BiasFound, EstimatorDisagrees

    (code,) = blocks("python")
    (shown,) = blocks("output")
    names: dict[str, Any] = {}
    exec(code, names)
    with pytest.raises(EstimatorDisagrees) as failure:
        names["test_the_loss_is_dice"]()
    assert f"{failure.value}\n" == shown
    with pytest.raises(BiasFound):
        names["test_k3_is_a_kl_penalty"]()


def test_there_are_sessions() -> None:
    assert len(sessions()) >= 6


def test_the_floors_named_are_there() -> None:
    folders = re.findall(r"^  (\w+)/ ", README, flags=re.MULTILINE)
    assert "kernel" in folders
    for folder in folders:
        assert (ROOT / "surrogate_calculus" / folder).is_dir()
