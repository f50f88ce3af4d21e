"""``surrogate verify``: tables, data for machines, exit status, bad input, interrupts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from interrupting import stopped
from rich.console import Console
from typer.testing import CliRunner

from surrogate_calculus import cli, cli_verify
from surrogate_calculus.cli import app
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.verify import Check, Finding, planning, report

FIELDS = {"claim", "filter", "model", "kind", "deviation", "tolerance", "verdict"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def verify(*args: str) -> Result:
    return CliRunner().invoke(app, ["verify", *args])


def pretend(monkeypatch: pytest.MonkeyPatch, carry_out: Callable[[Check], Finding]) -> list[Check]:
    """Put findings in the place of those of the checks; what was asked for."""
    asked: list[Check] = []

    def told(check: Check) -> Finding:
        asked.append(check)
        return carry_out(check)

    monkeypatch.setattr(planning, "carry_out", told)
    return asked


def agreeing(check: Check) -> Finding:
    return Finding(check, 1e-15, 1e-10, "made up", "agrees")


def test_a_filter_on_a_model_as_data() -> None:
    sizes = ("--particles", "2", "--steps", "2")
    result = verify("dpf", "--model", "hmm", "--kind", "pathwise,exact", *sizes, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {entry["kind"] for entry in found} == {"pathwise", "exact"}
    for entry in found:
        assert entry.keys() >= FIELDS
        assert (entry["filter"], entry["model"], entry["verdict"]) == ("dpf", "hmm", "agrees")
    largest = max(entry["deviation"] for entry in found if entry["kind"] == "pathwise")
    assert largest <= 1e-10


def test_the_score_three_ways_beside_the_exact_one() -> None:
    result = verify("@dpf", "--model", "nile", "--kind", "pathwise", "--particles", "50", "--steps", "10")
    assert result.exit_code == 0, result.output
    table = result.stdout[result.stdout.index("The score, dpf on nile, N = 50, T = 10") :]
    lines = [line.strip() for line in table.splitlines() if "   " in line.strip()]
    rows = {line.split("  ")[0]: line.split()[-2:] for line in lines}
    autograd = rows["autograd of the surrogate"]
    for other in ("derived formula", "online, without backpropagation"):
        assert [float(x) for x in rows[other]] == pytest.approx([float(x) for x in autograd], rel=1e-10)
    assert rows["exact, of p(y)"] != autograd
    assert "agree (numbers that agree prove nothing)" in result.stdout


@pytest.mark.parametrize("width", [20, 71, 72, 80, 119, 120, 400])
def test_no_number_and_no_word_is_cut_on_a_narrow_terminal(width: int) -> None:
    numbers = dict.fromkeys(("autograd", "formula", "online", "exact"), (-0.123456789012, 1234567.89012))
    check = Check("∇θ log Ẑ by autograd is derived", "statistical", "formula", "dpf_proposal", "hmm-hidden")
    finding = Finding(
        check, 1.5e-15, 1e-10, "made up", "undecided", numbers=numbers, columns=("a[0, 0]", "log_q")
    )
    console = Console(file=StringIO(), width=width, force_terminal=True, no_color=True, highlight=False)
    cli_verify._table(console, [finding], str)
    cli_verify._scores(console, [finding], str)
    assert isinstance(console.file, StringIO)
    text = re.sub(r"\x1b\[\d*m", "", console.file.getvalue())
    assert "…" not in text
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    words = ("undecided", "1.5e-15", "1.0e-10", "dpf_proposal", "hmm-hidden", "statistical", "autograd")
    assert [word for word in words if word not in text] == []
    assert text.count("-0.123456789012") == text.count("1234567.89012") == 4


def test_signs_that_the_output_cannot_carry_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, agreeing)
    monkeypatch.setattr(cli, "_carries_unicode", lambda: False)
    result = verify("dice", "--model", "hmm", "--kind", "pathwise")
    assert " agrees" in result.stdout and "grad theta" in result.stdout
    assert not [sign for sign in ("✓", "∇", "≤", "\\u") if sign in result.stdout]


def test_the_claim_that_fails_is_told_and_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def second_fails(check: Check) -> Finding:
        if check.runner != "online":
            return agreeing(check)
        where, note = "∂/∂a of log Ẑ, seed 3", "smallest: N = 2, T = 1"
        return Finding(check, 0.5, 1e-10, "made up", "disagrees", where, note)

    pretend(monkeypatch, second_fails)
    result = verify("dpf", "--model", "lgssm", "--kind", "pathwise")
    assert result.exit_code == 1
    assert "∂/∂a of log Ẑ, seed 3" in result.stdout and "smallest: N = 2, T = 1" in result.stdout
    assert ", 1 disagree" in result.stdout
    assert verify("dpf", "--model", "lgssm", "--kind", "pathwise", "--json").exit_code == 1


def test_an_undecided_claim_is_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, lambda check: replace(agreeing(check), outcome="undecided", note="power 0.4"))
    result = verify("dpf", "--model", "lgssm", "--kind", "statistical")
    assert result.exit_code == 3
    assert "power 0.4" in result.stdout


def test_a_check_that_raises_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(check: Check) -> Finding:
        raise ZeroDivisionError("in the filter")

    pretend(monkeypatch, raises)
    result = verify("dpf", "--model", "lgssm", "--kind", "pathwise")
    assert result.exit_code == 3
    assert "in the filter" in result.stdout and "Traceback" not in result.output


@pytest.mark.parametrize("named", [True, False])
def test_an_interrupt_keeps_what_is_done(
    named: bool, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["dpf", "--model", "lgssm", "--kind", "pathwise", "--json"]
    file = tmp_path / "findings.jsonl"
    command += ["--results", str(file)] if named else []

    def stopped(check: Check) -> Finding:
        if len(asked) == 3:
            raise KeyboardInterrupt
        return agreeing(check)

    asked = pretend(monkeypatch, stopped)
    result = verify(*command)
    assert result.exit_code == 130
    assert len(json.loads(result.stdout)) == 2
    assert "2 of" in result.stderr and "--resume" in result.stderr
    rest = pretend(monkeypatch, agreeing)
    result = verify(*command, "--resume")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert len(found) == len(rest) + 2
    assert {c.key for c in asked[:2]}.isdisjoint(c.key for c in rest)
    # A run that came to its end leaves a file where one was asked for, and nothing elsewhere.
    assert len(list(cache.rglob("*.jsonl"))) == 0
    assert file.exists() == named
    assert named or verify(*command, "--resume").exit_code == 2


def test_what_other_code_found_is_done_again_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "findings.jsonl"
    command = ("dpf", "--model", "lgssm", "--kind", "pathwise", "--json", "--results", str(file))
    asked = pretend(monkeypatch, agreeing)
    assert verify(*command).exit_code == 0
    checks = len(asked)
    result = verify(*command, "--resume")
    assert len(asked) == checks
    assert result.stderr == f"resumed: {checks} of {checks} checks are taken up\n"
    before = file.read_bytes()
    lines = [json.loads(line) for line in before.splitlines()]
    file.write_text("".join(json.dumps(line | {"code": "older"}) + "\n" for line in lines[1:]))
    result = verify(*command, "--resume")
    assert len(asked) == 2 * checks
    assert result.stderr == (
        f"resumed: 0 of {checks} checks are taken up, {checks - 1} are done again, since the code or torch "
        "has changed, 1 are new\n"
    )
    assert len(json.loads(result.stdout)) == checks


def test_what_was_interrupted_is_not_lost_by_forgetting_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("dpf", "--model", "lgssm", "--kind", "pathwise", "--json")

    def stops_after(count: int) -> list[Check]:
        def stopped(check: Check) -> Finding:
            if len(asked) > count:
                raise KeyboardInterrupt
            return agreeing(check)

        asked = pretend(monkeypatch, stopped)
        return asked

    stops_after(4)
    assert verify(*command).exit_code == 130
    stops_after(1)
    assert verify(*command).exit_code == 130
    rest = pretend(monkeypatch, agreeing)
    result = verify(*command, "--resume")
    assert len(json.loads(result.stdout)) == len(rest) + 4
    assert result.stderr.startswith("resumed: 4 of ")


def test_a_report_that_fails_loses_no_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise EvaluationError("the disk is full")

    asked = pretend(monkeypatch, agreeing)
    command = ("dice", "--model", "hmm", "--kind", "pathwise", "--report", str(tmp_path / "report.html"))
    monkeypatch.setattr(report, "write_report", full)
    result = verify(*command)
    assert result.exit_code == 2 and "the disk is full" in result.stderr
    checks, pages = len(asked), []
    monkeypatch.setattr(report, "write_report", lambda *page: pages.append(page))
    assert verify(*command, "--resume").exit_code == 0
    assert len(asked) == checks and [len(findings) for _, findings, *_ in pages] == [checks]


def test_an_interrupt_outside_the_checks_is_no_failed_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    asked = pretend(monkeypatch, agreeing)
    command = ("sis", "--model", "hmm", "--kind", "pathwise")
    with monkeypatch.context() as early:
        early.setattr(planning, "plan", interrupted)
        result = verify(*command)
    assert (result.exit_code, result.stderr) == (130, "interrupted: nothing is kept\n")
    with monkeypatch.context() as late:
        late.setattr(cli_verify, "_print_findings", interrupted)
        result = verify(*command)
    assert result.exit_code == 130 and "--resume goes on" in result.stderr
    checks = len(asked)
    assert verify(*command, "--resume").exit_code == 0 and len(asked) == checks


def test_without_a_folder_for_it_nothing_is_said_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    def stopped(check: Check) -> Finding:
        raise KeyboardInterrupt

    pretend(monkeypatch, stopped)
    result = verify("sis", "--model", "hmm", "--kind", "pathwise")
    assert result.exit_code == 130
    assert "not kept" in result.stderr and "--results FILE keeps them" in result.stderr


def test_the_same_command_twice_at_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second neither fails nor touches what the first keeps."""
    command = ("sis", "--model", "hmm", "--kind", "pathwise")

    def stopped(check: Check) -> Finding:
        raise KeyboardInterrupt

    pretend(monkeypatch, stopped)
    assert verify(*command).exit_code == 130
    (file,) = cache.rglob("*.jsonl")
    code = (
        "import sys; from pathlib import Path\n"
        "from surrogate_calculus.numeric.verify.results import ResultsFile\n"
        "with ResultsFile(Path(sys.argv[1]), 'apart'): print('open', flush=True); sys.stdin.read()"
    )
    first = [sys.executable, "-c", code, str(file)]
    pretend(monkeypatch, agreeing)
    with subprocess.Popen(first, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "open\n"
        assert verify(*command).exit_code == 0
        assert file.exists()
        result = verify(*command, "--resume")
        assert result.exit_code == 2 and "another session" in result.stderr
        other.stdin.close()


def test_what_nothing_is_claimed_of_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pretend(monkeypatch, agreeing)
    result = verify("sis", "iwae", "sis", "--model", "hmm,lgssm,hmm", "--kind", "exact")
    assert result.exit_code == 0
    assert result.stderr == "note: nothing is checked of iwae, lgssm: there is no such claim\n"
    assert {(check.filter, check.model) for check in asked} == {("sis", "hmm")}
    assert len(asked) == len({check.key for check in asked})


COMMAND = '''
import sys, time
from surrogate_calculus import cli
from surrogate_calculus.numeric.verify import Finding, planning

def slow(check):
    time.sleep(0.2 if check.settings["order"] == 1 else 60)
    return Finding(check, 0.0, 0.0, "none", "agrees")

if __name__ == "__main__":
    planning.carry_out = slow
    sys.argv = ["surrogate", "verify", "dice", "--model", "hmm,lgssm", "--kind", "pathwise", "--json",
                "--executor", "local", "--workers", "1", "--results", sys.argv[1]]
    cli.main()
'''


def test_workers_that_are_ended_do_not_end_the_command(tmp_path: Path) -> None:
    """Ctrl-C as a terminal does it; with SIGPIPE at its default, which a dead worker's pipe raises."""
    program, file = tmp_path / "slow_command.py", tmp_path / "findings.jsonl"
    program.write_text(COMMAND, encoding="utf-8")
    status, out, err = stopped([sys.executable, str(program), str(file)], file, 1)
    assert status == 130, err
    assert 1 <= len(json.loads(out)) < 4
    assert err.startswith("interrupted: ") and err.count("\n") == 1, err


def test_results_are_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, agreeing)
    file = tmp_path / "findings.jsonl"
    command = ("dpf", "--model", "lgssm", "--kind", "pathwise", "--results", str(file))
    assert verify(*command).exit_code == 0
    before = file.read_bytes()
    result = verify(*command)
    assert result.exit_code == 2 and "holds results already" in result.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "no filter is named"),
        (("dpfs",), "dpf"),
        (("dpf", "--all"), "one of the two"),
        (("dpf", "--model", "lgsm"), "lgssm"),
        (("dpf", "--kind", "approximate"), "pathwise, exact, statistical"),
        (("dpf", "--executor", "cloud"), "serial|local|dask"),
        (("dpf", "--particles", "0"), "0 particles"),
        (("dpf", "--particles", "1000000000"), "particles times steps at most 10,000,000"),
        (("dpf", "--particles", "1000000", "--steps", "100"), "1,000,000 particles and 100 steps"),
        (("dpf", "--steps", "1000000"), "at most 100,000 steps"),
        (("dpf", "--seed", str(2**63)), "below 2^63"),
        (("dpf", "--workers", "4"), "--executor local --workers 4"),
        (("DPF",), "dpf or dpf2"),
        (("xyz",), "one of sis, pf, "),
        (("dpf", "--report", "same", "--results", "./same"), "--report report.html --results"),
        (("dpf", "--steps", "-1"), "-1 steps"),
        (("dpf", "--model", "nile", "--steps", "101"), "100 observations"),
        (("dpf", "--model", "lgssm", "--kind", "exact"), "nothing is claimed"),
        (("dpf", "--model", "lgssm", "--scheduler", "tcp://localhost:1"), "dask"),
        (("dpf", "--model", "lgssm", "--resume"), "no interrupted run"),
        (("dpf", "--model", "lgssm", "--report", "/nowhere/at/all.html"), "/nowhere/at/all.html"),
        (("dpf", "--model", "lgssm", "--results", "/nowhere/at/all.jsonl"), "cannot be written"),
    ],
)
def test_bad_input(args: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message, status 2, and no check begins."""
    asked = pretend(monkeypatch, agreeing)
    result = verify(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and result.stderr.startswith("error: ") and says in result.stderr
    assert "Traceback" not in result.stderr and asked == []


def test_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry of the catalogue is verified somewhere, each claim once."""
    from surrogate_calculus.estimators import ESTIMATORS

    asked = pretend(monkeypatch, agreeing)
    result = verify("--all", "--json")
    assert result.exit_code == 0
    assert {check.filter for check in asked} == set(ESTIMATORS)
    assert len({check.key for check in asked}) == len(asked)
    told: list[Any] = json.loads(result.stdout)
    assert len({(t["claim"], t["filter"], t["model"], t["kind"]) for t in told}) == len(told)
