"""Malformed input: one message with line, column, caret and advice, in less than a second."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from language.malformed import DOCUMENTS, EXPRESSIONS
from language.malformed_recursions import HEAD, RECURSIONS
from timing import within

from surrogate_calculus.errors import SurrogateError
from surrogate_calculus.language.document import load, parse_document
from surrogate_calculus.language.parser import parse

CASES = [(parse, *case) for case in EXPRESSIONS] + [(parse_document, *case) for case in DOCUMENTS]
CASES += [(parse_document, name, HEAD + text + "\n", *rest) for name, text, *rest in RECURSIONS]


@pytest.mark.parametrize(("read", "name", "text", "part", "line", "column"), CASES, ids=[c[1] for c in CASES])
def test_one_message(read, name: str, text: str, part: str, line: int, column: int) -> None:
    parse("1")  # the grammar's table is made once, whichever test comes first
    with within(1), pytest.raises(SurrogateError) as caught:
        read(text)
    message = str(caught.value)
    assert part in message, message
    assert (caught.value.line, caught.value.column) == (line, column), message
    assert message.count("^") >= 1
    assert f"line {line}, column {column}: " in message
    assert caught.value.instead
    assert message.endswith(f"  instead: {caught.value.instead}")
    assert len(message) < 700, message


def test_there_are_at_least_sixty() -> None:
    assert len({case[2] for case in CASES}) >= 60


def test_the_file_is_named(tmp_path) -> None:
    path = tmp_path / "a b.sc"
    path.write_text("count N\nderive M\n", encoding="utf-8")
    with pytest.raises(SurrogateError, match=r"a b\.sc: line 2, column 8: M is not declared"):
        load(path)
    with pytest.raises(SurrogateError, match="cannot be read"):
        load(tmp_path / "none.sc")
    path.write_bytes(b"count \xff")
    with pytest.raises(SurrogateError, match="not UTF-8 at byte 6"):
        load(path)


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\u200b", "\u202e", "\x07"])
def test_no_control_character_reaches_the_terminal(hidden: str) -> None:
    with pytest.raises(SurrogateError) as caught:
        parse(f"a +\t{hidden}31m b")
    message = str(caught.value)
    assert hidden not in message
    line, carets = message.splitlines()[1:3]
    assert line.index("\ufffd") == carets.index("^")


_PIECES = [
    "a", "θ", "i", "2", "0", "f(", "(", ")", "[", "]", "w[", "+", "-", "*", "/", "^", "∇θ", "∇", "log ", "⊥",
    "→", "Σ[i=1..N]", "𝔼[x ~ p(·)]", "E[", "~", "·", "..", ",", ";", "|", "=", ">", ":", "cases(", "else",
    "D[1](f)",
    "sum[", "grad[", "hess", "@1", "²", "⊗", " ", "\n", "outer(", "max(", "pi()", "'", "_", "é", "¤", "#",
    "derive ", "count ", "index ", "define ", "density ", "parameter ", "N", "sample ", "lineage ", " of ",
    " by ", "resampling ", "w[0,i]", "w[t-1,i]", "1:T", "w[t,·]", " = ", " ~ ",
]  # fmt: skip


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_any_text_gives_a_term_or_one_message(text: str) -> None:
    for read in (parse, parse_document):
        caught = None
        try:
            read(text)
        except SurrogateError as error:
            caught = error
        if caught is not None:
            assert caught.line is not None and caught.column is not None
            assert caught.instead
            assert "^" in str(caught)


def test_the_head_is_right() -> None:
    assert parse_document(HEAD).samples
    assert len(RECURSIONS) >= 30
