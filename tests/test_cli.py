"""The command: what it prints, where, and its exit status; bad input is one message, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from language.malformed import DOCUMENTS, EXPRESSIONS
from timing import within
from typer.testing import CliRunner, Result

import surrogate_calculus as sc
from surrogate_calculus.cli import app

DICE = "p(x;θ)/⊥(p(x;θ))*f(x;θ)"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(*args: str, text: str | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(app, list(args), input=text)


def process(*args: str, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "surrogate_calculus", *args],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def assert_refused(result: Result, *, placed: bool = True) -> None:
    """Exit status 2, nothing on standard output, one message with its place, a caret, and advice."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    assert "  instead: " in result.stderr
    if placed:
        assert "line " in result.stderr
        assert ", column " in result.stderr
        assert any(line.strip() and set(line.strip()) == {"^"} for line in result.stderr.splitlines())


def test_derive_prints_start_result_and_hypotheses() -> None:
    result = run("derive", DICE, "--wrt", "θ")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "→(∇θ(p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))",
        "  = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)",
        "given that p(x; θ) ≠ 0",
    ]
    assert result.stderr == ""


def test_text_format_is_ascii() -> None:
    for extra in ([], ["--steps"], ["--steps", "full"], ["--check", "--points", "1"]):
        result = run("derive", DICE, "--wrt", "theta", "--format", "text", *extra)
        assert result.exit_code == 0
        assert result.stdout.isascii()
        assert "f(x; theta) * grad[theta](log(p(x; theta)))" in result.stdout


def test_steps_alone_are_brief_and_stand_anywhere() -> None:
    brief = run("derive", DICE, "--wrt", "θ", "--steps", "brief").stdout
    assert run("derive", DICE, "--wrt", "θ", "--steps").stdout == brief
    assert run("derive", "--steps", DICE, "--wrt", "θ").stdout == brief
    assert run("derive", "--steps=brief", DICE, "--wrt=θ").stdout == brief
    full = run("derive", "--steps", "full", DICE, "--wrt", "θ").stdout
    assert len(full.splitlines()) > len(brief.splitlines()) > 3
    assert "grad_product" in full


def test_an_expression_may_begin_with_a_minus() -> None:
    result = run("derive", "-x*y", "--wrt", "x")
    assert result.exit_code == 0
    assert result.stdout.endswith("= -y\n")


def test_mixed_derivatives_are_innermost_first() -> None:
    result = run("derive", "θ^2*φ^3", "--wrt", "θ,φ")
    assert result.stdout.startswith("→(∇φ ∇θ") or result.stdout.startswith("→(∇φ(∇θ")
    assert run("derive", "θ^2*φ^3", "--wrt", "θ", "--wrt", "φ").stdout == result.stdout


def test_vector_parameters() -> None:
    result = run("derive", "f(x;θ)*g(x;θ)", "--wrt", "θ", "--vector", "θ", "--order", "2", "--check")
    assert result.exit_code == 0
    start, formula, check = result.stdout.splitlines()
    assert start == "→(∇²θ(f(x; θ) * g(x; θ)))"
    assert "∇θ f(x; θ) ⊗ ∇θ g(x; θ)" in formula
    assert "agrees" in check


def test_json_is_one_object_that_parses_back() -> None:
    import surrogate_calculus as sc

    args = ("derive", DICE, "--wrt", "θ", "--order", "2", "--steps")
    result = run(*args, "--json")
    data = json.loads(result.stdout)
    assert sc.parse(data["result"]) == sc.derive(DICE, "θ", 2).result
    assert data["hypotheses"] == ["p(x; θ) ≠ 0"]
    assert {"rule", "reference", "place", "before", "after", "term"} <= set(data["steps"][0])
    assert run(*args, "--format", "json").stdout == result.stdout


def test_latex_and_mathml() -> None:
    assert "\\nabla_" in run("derive", DICE, "--wrt", "θ", "--format", "latex").stdout
    steps = run("derive", DICE, "--wrt", "θ", "--format", "latex", "--steps").stdout
    assert steps.count("\\begin{align*}") == steps.count("\\end{align*}") == 1
    from xml.etree import ElementTree

    for extra in ([], ["--steps"]):
        out = run("derive", DICE, "--wrt", "θ", "--format", "mathml", *extra).stdout
        math = out[: out.index("</math>") + len("</math>")]
        assert ElementTree.fromstring(math).tag.endswith("math")


def test_latex_input() -> None:
    result = run("derive", r"\frac{p_\theta(x)}{\bot(p_\theta(x))}", "--latex", "--wrt", "θ")
    assert result.exit_code == 0
    assert "= ∇θ log p(x; θ)" in result.stdout


def test_a_document_derives_each_of_its_statements() -> None:
    result = run("derive", str(EXAMPLES / "dice.sc"))
    assert result.exit_code == 0
    assert result.stdout.count("\n  = ") == 5
    data = json.loads(run("derive", str(EXAMPLES / "dice.sc"), "--json").stdout)
    assert len(data) == 5


def test_the_fisher_document() -> None:
    result = run("derive", str(EXAMPLES / "fisher.sc"))
    assert result.stdout.splitlines()[1] == "  = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"


def test_a_document_given_to_an_expression() -> None:
    result = run("derive", "log(Σ[i](v[i]))", "--wrt", "θ", "--given", str(EXAMPLES / "fisher.sc"))
    assert result.stdout.splitlines()[1] == "  = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"


def test_check_compares_and_does_not_say_proved() -> None:
    result = run("derive", DICE, "--wrt", "θ", "--order", "2", "--check", "--seed", "3")
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert "agrees" in last
    assert "numerically; not a proof" in last
    assert "proved" not in result.stdout
    data = json.loads(run("derive", DICE, "--wrt", "θ", "--check", "--json").stdout)
    assert data["check"]["verdict"] == "agrees"
    assert data["check"]["proof"] is False
    assert 0 <= data["check"]["largest_relative_difference"] < data["check"]["tolerance"]


def test_check_that_disagrees_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong result, put into the derivation behind the command's back, must be noticed."""
    from dataclasses import replace

    import surrogate_calculus as sc
    from surrogate_calculus import cli

    wrong = replace(sc.derive(DICE, "θ"), result=sc.parse("f(x;θ)*∇θ log p(x;θ)"))
    monkeypatch.setattr(cli, "_derive", lambda *args: wrong)
    result = run("derive", DICE, "--wrt", "θ", "--check")
    assert result.exit_code == 1
    assert "disagrees" in result.stdout


def test_at_evaluates_the_result() -> None:
    result = run("derive", "x^3*θ", "--wrt", "x", "--at", "x=2,θ=0.5")
    assert result.stdout.splitlines()[-1] == "value 6.0 at x = 2, θ = 0.5"


def test_at_needs_formulas() -> None:
    assert_refused(run("derive", DICE, "--wrt", "θ", "--at", "x=1,θ=2"))


@pytest.mark.parametrize(
    "at", ["x", "x=", "x=nan", "x=inf", "x=1,,θ=2", "=1", "2=1", "x=1;θ=2"], ids=lambda at: at
)
def test_bad_numbers_are_refused(at: str) -> None:
    assert_refused(run("derive", "x^3*θ", "--wrt", "x", "--at", at))


@pytest.mark.parametrize(
    ("expression", "at"), [("1/x", "x=0"), ("log(x)*x", "x=-1"), ("sqrt(x)", "x=-1")], ids=lambda v: v
)
def test_no_value_at_that_point(expression: str, at: str) -> None:
    assert_refused(run("derive", expression, "--wrt", "x", "--at", at))


@pytest.mark.parametrize(
    "args",
    [
        ("x*y", "--wrt", "θ"),
        ("x*y", "--wrt", ""),
        ("x*y", "--wrt", "x,"),
        ("x*y", "--wrt", "x+y"),
        ("x*y", "--wrt", "x", "--vector", "2"),
        ("x*y*", "--wrt", "x"),
        ("x*y", "--wrt", "x,y", "--order", "3"),
        ("x*y", "--wrt", "x", "--order", "1000"),
        ("p(y)", "--wrt", "θ"),
        (r"\frac{x", "--wrt", "x", "--latex"),
        ("", "--wrt", "x"),
        ("   ", "--wrt", "x"),
        ("\udcff", "--wrt", "x"),
        ("x\0y", "--wrt", "x"),
        ("(" * 100_000, "--wrt", "x"),
    ],
    ids=lambda args: " ".join(args)[:30].encode("ascii", "backslashreplace").decode(),
)
def test_bad_input_is_one_message_with_a_place(args: tuple[str, ...]) -> None:
    with within(1):
        result = run("derive", *args)
    assert_refused(result)


@pytest.fixture(scope="module")
def warm() -> None:
    """Load the grammars, so that what is timed is the work on the input."""
    assert run("derive", "x", "--wrt", "x").exit_code == 0
    assert run("derive", "x", "--wrt", "x", "--given", str(EXAMPLES / "fisher.sc")).exit_code in (0, 2)


FIELDS = ("name", "text", "part", "line", "column")


def soon(*arguments: str) -> Result:
    """A run that takes less than a second."""
    with within(1):
        return run(*arguments)


@pytest.mark.parametrize(FIELDS, EXPRESSIONS, ids=[c[0] for c in EXPRESSIONS])
@pytest.mark.usefixtures("warm")
def test_malformed_expressions(name: str, text: str, part: str, line: int, column: int) -> None:
    result = soon("derive", "--wrt", "θ", "--", text)
    assert_refused(result)
    assert f"error: line {line}, column {column}: " in result.stderr


@pytest.mark.parametrize(FIELDS, DOCUMENTS, ids=[c[0] for c in DOCUMENTS])
@pytest.mark.usefixtures("warm")
def test_malformed_documents(name: str, text: str, part: str, line: int, column: int, tmp_path: Path) -> None:
    file = tmp_path / "malformed.sc"
    file.write_text(text, encoding="utf-8")
    result = soon("derive", str(file))
    assert_refused(result)
    assert f"error: {file}: line {line}, column {column}: " in result.stderr


@pytest.mark.parametrize("name", ["unclosed call", "leading plus", "bare stop in an expectation"])
def test_malformed_expressions_in_a_process(name: str) -> None:
    """As a user meets them, the start of the interpreter included."""
    text, line, column = next((c[1], *c[3:]) for c in EXPRESSIONS if c[0] == name)
    with within(1):
        done = process("derive", text, "--wrt", "θ", PYTHONUTF8="1")
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode().startswith(f"error: line {line}, column {column}: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert_refused(run("derive", str(tmp_path / "absent.sc")), placed=False)
    latin = tmp_path / "latin.sc"
    latin.write_bytes("parameter θ\nderive ∇θ θ # é".encode() + b"\xe9")
    assert_refused(run("derive", str(latin)), placed=False)
    assert_refused(run("derive", str(tmp_path / "dir.sc")), placed=False)
    empty = tmp_path / "empty.sc"
    empty.write_text("")
    assert_refused(run("derive", str(empty)))
    nothing = tmp_path / "nothing.sc"
    nothing.write_text("parameter θ\n", encoding="utf-8")
    assert_refused(run("derive", str(nothing)))


def test_an_error_in_a_document_names_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "wrong.sc"
    file.write_text("parameter θ\nfunction f(x; θ)\n\nderive →(∇θ f(x θ))\n", encoding="utf-8")
    result = run("derive", str(file))
    assert_refused(result)
    assert f"{file}: line 4, column " in result.stderr


def test_an_error_of_derive_in_a_document_is_placed_at_its_statement(tmp_path: Path) -> None:
    file = tmp_path / "wrong.sc"
    file.write_text("parameter θ, φ\nfunction f(x; θ)\n\nderive f(x; θ)\n", encoding="utf-8")
    result = run("derive", str(file), "--wrt", "φ")
    assert_refused(result)
    assert f"{file}: line 4, column " in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("derive",),
        ("derive", "x", "--order", "0"),
        ("derive", "x", "--order", "two"),
        ("derive", "x", "--format", "pdf"),
        ("derive", "x", "y"),
        ("derive", "x", "--chekc"),
        ("derive", "x", "--points", "0"),
        ("check",),
        ("prove", "x"),
    ],
    ids=lambda args: " ".join(args) or "nothing",
)
def test_usage_errors_exit_with_2(args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert "Usage: " in result.output


def test_help() -> None:
    for args in (["--help"], ["derive", "--help"], ["check", "--help"]):
        result = run(*args)
        assert result.exit_code == 0
        assert "Usage: " in result.stdout


def test_a_certificate_travels(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    assert run("derive", DICE, "--wrt", "θ", "--certificate", str(file)).exit_code == 0
    result = run("check", str(file))
    assert result.exit_code == 0
    assert result.stdout.startswith("proved")
    assert "given that p(x; θ) ≠ 0" in result.stdout
    data = json.loads(run("check", str(file), "--json").stdout)
    assert data["status"] == "proved"
    assert data["hypotheses"] == ["p(x; θ) ≠ 0"]
    certificate = json.loads(file.read_text(encoding="utf-8"))
    certificate["claim"][2] = 0
    assert run("check", "-", text=json.dumps(certificate)).exit_code == 1
    assert_refused(run("derive", DICE, "--wrt", "θ", "--certificate", str(tmp_path)), placed=False)


@pytest.mark.parametrize("text", ["", "{", "[1,", "nul", "{'a': 1}"], ids=repr)
def test_what_is_no_json_is_bad_input(text: str) -> None:
    assert_refused(run("check", "-", text=text))


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000])
def test_hostile_json_is_refused(text: str) -> None:
    result = run("check", "-", text=text)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("text", ["{}", "[]", "null", "3", '"proof"'])
def test_json_that_is_no_certificate_is_rejected(text: str) -> None:
    result = run("check", "-", text=text)
    assert result.exit_code == 1
    assert "rejected" in result.stdout


def test_a_megabyte_of_parentheses_on_standard_input() -> None:
    with within(1):
        done = process("derive", "-", "--wrt", "x", stdin=b"(" * 1_000_000)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"line 1, column" in done.stderr
    assert b"Traceback" not in done.stderr


def test_standard_input_that_is_not_utf8() -> None:
    done = process("derive", "-", "--wrt", "x", stdin=b"\xff\xfe x", PYTHONUTF8="1")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
    ids=["ascii", "C"],
)
def test_a_terminal_without_unicode(environment: dict[str, str]) -> None:
    """Results fall back to ASCII; what has no ASCII form is escaped."""
    for args in (
        ("derive", "p(x;theta)/stop(p(x;theta))*f(x;theta)", "--wrt", "theta"),
        ("derive", str(EXAMPLES / "fisher.sc"), "--steps"),
        ("derive", "x", "--wrt", "x", "--format", "unicode", "--steps"),
        ("derive", "x", "--wrt", "x", "--json"),
    ):
        done = process(*args, **environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()
        assert done.stderr == b""
    for args in (("--help",), ("derive", "--help")):
        done = process(*args, **environment)
        assert done.returncode == 0
        assert done.stderr == b""
    done = process("derive", "theta*", "--wrt", "theta", **environment)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.isascii()


def test_output_is_plain_when_not_a_terminal() -> None:
    done = process("derive", "x^2", "--wrt", "x", "--steps")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no SIGPIPE on this system")
def test_a_closed_pipe_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "surrogate_calculus", "derive", "x^2", "--wrt", "x"],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == -signal.SIGPIPE


def test_full_steps_of_a_document() -> None:
    """Names under ∇ are opened first and folded last, each on a line of its own."""
    out = run("derive", str(EXAMPLES / "fisher.sc"), "--steps", "full")
    assert out.exit_code == 0
    lines = [line for line in out.stdout.splitlines() if line.startswith("  = ")]
    assert lines[0].startswith("  = →(∇θ(")
    assert lines[0].endswith("[instance]")
    assert lines[-1].startswith("  = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))")
    assert lines[-1].endswith("[definition]")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["derive", "x^2", "--wrt", "x"], ["estimators"]])
def test_an_output_that_cannot_be_written_is_one_error(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "surrogate_calculus", *arguments]
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr == "error: standard output cannot be written: No space left on device\n"


def test_an_output_that_is_closed_leaves_the_exit_status() -> None:
    command = f'"{sys.executable}" -m surrogate_calculus derive "x^2" --wrt x >&-'
    found = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_an_interrupt_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sc, "derive", interrupted)
    result = CliRunner().invoke(app, ["derive", "x^2", "--wrt", "x"])
    assert result.exit_code == 130 and result.stderr == "interrupted\n"
