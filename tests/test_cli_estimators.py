"""The command and the catalogue: ``@name``, ``--what``, and ``surrogate estimators``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli import assert_refused, run

import surrogate_calculus as sc
from surrogate_calculus.estimators import ESTIMATORS, load_estimator

SCORE = "Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"


def test_an_entry_stands_where_a_file_could() -> None:
    result = run("derive", "@iwae")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["→(∇θ log Z)", f"  = {SCORE}"]
    assert run("derive", "log Z", "--given", "@iwae", "--wrt", "θ").stdout == result.stdout
    assert run("derive", "@iwae", "--what", "log Z").stdout == result.stdout
    assert run("derive", "@iwae", "--what", "log Z", "--order", "1", "--wrt", "θ").stdout == result.stdout
    assert run("derive", "@iwae", "--what", "→(∇θ log Z)").stdout == result.stdout
    assert run("derive", "@iwae", "--what", r"\log Z", "--latex").stdout == result.stdout


def test_an_entry_derives_all_its_targets() -> None:
    data = json.loads(run("derive", "@dice", "--json").stdout)
    assert [d["start"] for d in data] == ["→(∇θ D)", "→(∇²θ D)"]


def test_the_parameter_is_that_of_the_entry_unless_named() -> None:
    assert "∇φ" in run("derive", "@iwae", "--what", "log Z", "--wrt", "φ").stdout
    assert run("derive", "@iwae", "--what", "log Z^2", "--order", "2").stdout.startswith("→(∇²θ")


def test_what_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.sc"
    file.write_text("parameter θ\nfunction f(x; θ)\n\ndefine E = ⊥(f(x; θ)) * f(x; θ)\n", encoding="utf-8")
    result = run("derive", str(file), "--what", "E")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["→(∇θ E)", "  = f(x; θ) * ∇θ f(x; θ)"]
    assert_refused(run("derive", str(file)))  # derives nothing by itself


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("derive", "@dfp"), "instead: @dpf"),
        (("derive", "@zzz"), "instead: one of: @dice"),
        (("derive", "@"), "instead: one of: @dice"),
        (("derive", "@../estimators/dpf"), "the catalogue has no estimator"),
        (("estimators", "dpff"), "instead: @dpf"),
        (("derive", "@iwae", "--what", "log Y"), "Y is not declared"),
        (("derive", "@iwae", "--what", "log Z +"), "--what: line 1, column"),
        (("derive", "@iwae", "--what", ""), "instead"),
        (("derive", "x", "--what", "x"), "--what is an expression over a document"),
        (("derive", "-", "--what", "x"), "--what is an expression over a document"),
        (("derive", "@iwae", "--given", "@dpf"), "--given names another"),
        (("derive", "x", "--given", "@nowhere", "--wrt", "x"), "the catalogue has no estimator"),
        (("estimators", "--source"), "no estimator is named"),
        (("estimators", "--format", "latex"), "no estimator is named"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input(args: tuple[str, ...], says: str) -> None:
    result = run(*args)
    assert_refused(result)
    assert says in result.stderr


def test_an_order_without_a_parameter_is_refused(tmp_path: Path) -> None:
    result = run("derive", "@iwae", "--order", "2")
    assert_refused(result, placed=False)
    assert "--order" in result.stderr


def test_the_table_has_every_entry() -> None:
    unicode, plain = run("estimators").stdout, run("estimators", "--format", "text").stdout
    assert plain.isascii()
    for name in ESTIMATORS:
        assert f" @{name} " in unicode
        assert f" @{name} " in plain
    for heading in ("name", "surrogate", "estimator", "order", "paper"):
        assert heading in plain.splitlines()[1]
    assert "Eq. 13, 55–62" in unicode


def test_the_list_for_machines() -> None:
    data = json.loads(run("estimators", "--json").stdout)
    assert [entry["name"] for entry in data] == list(ESTIMATORS)
    for entry in data:
        document = load_estimator(entry["name"]).document
        for claim in entry["claims"]:
            assert {"surrogate", "estimator", "wrt", "order", "paper", "misprint", "note"} <= set(claim)
            sc.parse(claim["estimator"], document)
            sc.parse(claim["surrogate"], document)


def test_one_entry() -> None:
    result = run("estimators", "iwae_dice")
    assert result.stdout.splitlines()[:2] == ["@iwae_dice: score (Eq. 9, 52–54)", "→(∇θ(D * log Z))"]
    assert "as printed: Eq. 52 and 53 have" in result.stdout
    assert run("estimators", "@iwae_dice").stdout == result.stdout


def test_one_entry_as_latex_with_steps_and_as_text() -> None:
    out = run("estimators", "iwae", "--steps", "full", "--format", "latex").stdout
    assert out.startswith("% @iwae: score")
    assert out.count("\\begin{align*}") == 1
    assert run("estimators", "iwae", "--format", "text").stdout.isascii()
    assert run("estimators", "iwae", "--format", "mathml").stdout.startswith("<!-- @iwae: score")


def test_one_entry_for_machines() -> None:
    data = json.loads(run("estimators", "dice", "--json", "--steps").stdout)
    derivation = data["claims"][1]["derivation"]
    assert derivation["start"] == "→(∇²θ D)"
    assert derivation["as_claimed"] == "proved"
    assert derivation["steps"]


def test_the_source_can_be_kept(tmp_path: Path) -> None:
    file = tmp_path / "mine.sc"
    file.write_text(run("estimators", "dice", "--source").stdout, encoding="utf-8")
    assert run("derive", str(file)).stdout == run("derive", "@dice").stdout


@pytest.mark.parametrize("verb", ["derive", "estimators", "check"])
def test_help(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    if verb != "check":
        lines = [line.strip() for line in result.stdout.splitlines()]
        assert f"surrogate {verb}" in " ".join(lines[lines.index("Examples:") :])
