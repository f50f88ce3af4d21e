"""``surrogate paper``: one equation, JSON, and what is said when there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from surrogate_calculus.cli import app

RUN = CliRunner()


def test_one_equation_with_its_counterexample() -> None:
    found = RUN.invoke(app, ["paper", "41"])
    assert found.exit_code == 0
    for part in ("Equation 41", "refuted", "counterexample: in value", "corrected, and proved", r"= \log E"):
        assert part in found.output


def test_one_equation_for_machines() -> None:
    (data,) = json.loads(RUN.invoke(app, ["paper", "143", "--json"]).output)
    assert data["equation"] == "143"
    assert data["fate"] == "proved_under_condition"
    assert data["conditions"] == ["⊥ does not occur in E"]
    assert data["counterexample"] is None
    assert data["corrected"] is None


def test_an_equation_that_is_undecided(tmp_path: Path) -> None:
    text = "# One\nprinted 1:\n  a = b\nequation 1 in value:\n  not read: a\n  = not read: b\n"
    (tmp_path / "01.sc").write_text(text, encoding="utf-8")
    assert RUN.invoke(app, ["paper", "1", "--directory", str(tmp_path)]).exit_code == 3


@pytest.mark.parametrize("arguments", [["149"], ["--directory", "nowhere"]])
def test_what_there_is_not(arguments: list[str], tmp_path: Path) -> None:
    found = RUN.invoke(app, ["paper", *arguments])
    assert found.exit_code == 2
    assert "instead:" in found.output


def test_the_table_of_a_folder(tmp_path: Path) -> None:
    text = "# One equation\nvariable x\nprinted 1:\n  x = x\nequation 1 in value:\n  x\n  = x\n"
    (tmp_path / "01.sc").write_text(text, encoding="utf-8")
    found = RUN.invoke(app, ["paper", "--directory", str(tmp_path)])
    assert found.exit_code == 0
    assert " 1 " in found.output
    assert "proved" in found.output
    page = RUN.invoke(app, ["paper", "--directory", str(tmp_path), "--markdown"]).output
    assert "| 1 | proved | values agree |" in page
