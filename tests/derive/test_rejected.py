"""The documents of proofs/rejected: each fails, for the reason that it states, and for no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from surrogate_calculus.cli import app
from surrogate_calculus.derive.rejected import KINDS, Reason, check_rejected, must_fail, stated_reason
from surrogate_calculus.derive.theorems import check_document
from surrogate_calculus.errors import ParseError
from surrogate_calculus.language.document import read_text

FOLDER = Path(__file__).resolve().parents[2] / "proofs" / "rejected"
DOCUMENTS = sorted(FOLDER.glob("*.sc"))

FALSE = """\
# must fail: refuted, line 5: in value
parameter θ
density p(x; θ)
lemma score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
theorem wrong: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ p(x; θ)
"""


def write(folder: Path, text: str, name: str = "document") -> Path:
    """A document in a folder named rejected."""
    path = folder / "rejected" / f"{name}.sc"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", DOCUMENTS, ids=[p.stem for p in DOCUMENTS])
def test_it_fails_for_the_reason_that_it_states(path: Path) -> None:
    found = check_rejected(path)
    assert found.passed, found.failure
    assert found.reason is not None
    if found.reason.kind == "undecided":
        # What is not proved may be true: beside it stands what is proved once the mistake is put right.
        assert found.statements > 1


def test_the_corpus_is_large_and_of_every_kind() -> None:
    assert len(DOCUMENTS) >= 150
    assert {stated_reason(read_text(p)).kind for p in DOCUMENTS} == set(KINDS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=[p.stem for p in DOCUMENTS])
def test_it_tells_its_readers_why(path: Path) -> None:
    lines = read_text(path).splitlines()
    assert lines[1] == "#" and lines[2].startswith("# ")
    why = " ".join(line.removeprefix("# ") for line in lines[2 : lines.index("")])
    assert why.endswith((".", ".)")) and len(why.split()) >= 5


def test_no_two_documents_make_the_same_mistake() -> None:
    bodies = [read_text(p).split("\n\n", 1)[1] for p in DOCUMENTS]
    assert len(set(bodies)) == len(bodies)


def test_a_document_that_fails_as_it_states(tmp_path: Path) -> None:
    found = check_rejected(write(tmp_path, FALSE))
    assert found.passed and found.statements == 2
    assert found.reason == Reason("refuted", 5, "in value")
    assert [str(f).split(";")[0] for f in found.found] == ["refuted, line 5: this line is false"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("refuted, line", "hint, line", "not for its reason"),
        ("line 5", "line 4", "not for its reason"),
        ("in value", "after ∇θ", "not for its reason"),
        ("= ∇θ p(", "= ∇θ log p(", "nothing fails here"),
        ("= ∇θ log p(", "= log p(", "more fails than one statement"),
        ("density p", "density q", "not for its reason"),  # a document that cannot be read
        ("# must fail", "# ought to fail", "does not say why"),
        ("refuted, line", "wrong, line", "does not say why"),
        (": in value", ": ", "does not say why"),
        ("# must fail", "\n# must fail", "does not say why"),
    ],
)
def test_another_failure_than_the_stated_one_is_found_out(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in FALSE
    found = check_rejected(write(tmp_path, FALSE.replace(old, new, 1)))
    assert not found.passed
    assert says in (found.failure or "")


def test_a_reason_in_the_source_is_no_reason_in_the_report(tmp_path: Path) -> None:
    text = FALSE.replace("in value", "wrong")  # the name of the theorem, which the report shows
    assert not check_rejected(write(tmp_path, text)).passed


@pytest.mark.parametrize("path", DOCUMENTS[::7], ids=[p.stem for p in DOCUMENTS[::7]])
def test_a_document_of_the_corpus_with_another_reason_is_found_out(path: Path, tmp_path: Path) -> None:
    text = read_text(path)
    first, rest = text.split("\n", 1)
    reason = stated_reason(text)
    other = next(k for k in KINDS if k != reason.kind)
    for changed in (
        Reason(other, reason.line, reason.phrase),
        Reason(reason.kind, reason.line + 1, reason.phrase),
        Reason(reason.kind, reason.line, "quod erat demonstrandum"),
    ):
        assert not check_rejected(write(tmp_path, f"# must fail: {changed}\n{rest}")).passed
    assert check_rejected(write(tmp_path, f"{first}\n{rest}")).passed


def test_a_reason_is_read_or_asked_for() -> None:
    assert stated_reason("# must fail: hint, line 12: eval_stop  \n") == Reason("hint", 12, "eval_stop")
    with pytest.raises(ParseError, match="does not say why") as error:
        stated_reason("", "empty.sc")
    assert "# must fail: KIND, line 9" in str(error.value)


def test_documents_in_such_a_folder_must_fail() -> None:
    assert all(must_fail(p) for p in DOCUMENTS)
    assert not must_fail(FOLDER.parent / "dice.sc")
    assert not must_fail(FOLDER / "deeper" / "dice.sc")


def test_the_example_of_the_readme_holds(tmp_path: Path) -> None:
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    example = next(part for part in readme.split("```") if part.lstrip().startswith("parameter"))
    path = tmp_path / "example.sc"
    path.write_text(example, encoding="utf-8")
    assert all(verdict.passed for verdict in check_document(path))


# At the command line.


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder with a document that holds, and a folder of documents that must fail."""
    write(tmp_path, FALSE, "refuted")
    write(tmp_path, "# must fail: parse, line 2: nothing is claimed\ntheorem nothing:\n", "parse")
    true = FALSE[: FALSE.index("theorem")].split("\n", 1)[1]
    (tmp_path / "holds.sc").write_text(true, encoding="utf-8")
    return tmp_path


def check(*arguments: str) -> tuple[int, str]:
    """The exit status and what is printed."""
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.output


def test_a_folder_holds_where_what_must_fail_fails(documents: Path) -> None:
    status, out = check(str(documents))
    assert status == 0
    assert "1 of 1 hold" in out and "2 of 2 are rejected for the reasons that they state" in out
    assert "this line is false" not in out


def test_what_must_fail_does_not_hold_where_it_is_asked_itself(documents: Path) -> None:
    status, out = check(str(documents / "rejected"))
    assert status == 1
    assert "this line is false" in out and "nothing is claimed" in out
    assert "2 of 2 are rejected" in out
    assert check(str(documents / "rejected" / "parse.sc"))[0] == 1
    assert check(str(documents), str(documents / "rejected" / "parse.sc"))[0] == 1


def test_a_folder_does_not_hold_where_something_is_not_rejected_as_stated(documents: Path) -> None:
    write(documents, FALSE.replace("line 5", "line 6"), "misplaced")
    status, out = check(str(documents))
    assert status == 1
    assert "misplaced.sc is not rejected as it must be" in out and "not for its reason" in out
    assert "2 of 3 are rejected" in out


def test_what_must_fail_is_told_to_machines(documents: Path) -> None:
    write(documents, FALSE.split("\n", 1)[1], "unmarked")
    status, out = check("--json", str(documents))
    assert status == 1
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert found["score"]["passed"] and found["refuted"]["passed"] and not found["unmarked"]["passed"]
    assert found["refuted"]["must_fail"] == {"kind": "refuted", "line": 5, "phrase": "in value"}
    assert [f["line"] for f in found["refuted"]["found"]] == [5]
    assert found["unmarked"]["status"] == "fails" and found["unmarked"]["must_fail"] is None
    assert "does not say why" in found["unmarked"]["failure"]
