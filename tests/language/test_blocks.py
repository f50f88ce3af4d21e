"""Documents taken apart into declarations and blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import surrogate_calculus as sc
from surrogate_calculus.errors import ParseError
from surrogate_calculus.language.blocks import BLOCKS, split_blocks

TEXT = """\
# A document.
use "other.sc"
parameter θ
theorem first for every f(x; θ):   # said first
  A
    = B   by ring

  # in between
    = C
function f(x;
theorem, θ)
assume p(x; θ) != 0
density p(x; θ)
printed:
  \\sum_{i=1}^N \\# # kept
   x
derive →(∇θ f(x; θ))
"""


def test_blocks_with_their_places() -> None:
    split = split_blocks(TEXT, "a.sc")
    assert [b.keyword for b in split.blocks] == ["use", "theorem", "assume", "printed"]
    use, theorem, assume, printed = split.blocks
    assert use.header.text == '"other.sc"' and use.body == ()
    assert theorem.header.text == "first for every f(x; θ):"
    assert [line.text for line in theorem.body] == ["A", "= B   by ring", "= C"]
    assert assume.header.text == "p(x; θ) != 0"
    assert [line.text for line in printed.body] == [r"\sum_{i=1}^N \# # kept", "x"]
    for block in split.blocks:
        assert TEXT[block.word.start : block.word.end] == block.keyword
        for piece in (block.header, *block.body):
            assert TEXT[piece.span.start : piece.span.end] == piece.text
    assert TEXT[theorem.span.start : theorem.span.end].endswith("    = C")


def test_declarations_keep_their_places() -> None:
    split = split_blocks(TEXT)
    assert len(split.declarations) == len(TEXT)
    assert [c for c in split.declarations if c == "\n"] == [c for c in TEXT if c == "\n"]
    kept = [line for line in split.declarations.split("\n") if line.strip()]
    # a word inside of an open bracket begins nothing
    assert kept == [
        "# A document.", "parameter θ", "function f(x;", "theorem, θ)", "density p(x; θ)",
        "derive →(∇θ f(x; θ))",
    ]  # fmt: skip
    assert all(split.declarations[k] in (TEXT[k], " ") for k in range(len(TEXT)))


def test_an_error_in_the_declarations_is_found_where_it_stands() -> None:
    text = "lemma a:\n  x = x\ncount N\nparametre θ\n"
    with pytest.raises(ParseError) as error:
        sc.parse_document(split_blocks(text).declarations)
    assert (error.value.line, error.value.column) == (4, 1)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("count N\ntheorem\n  A = B\n", "nothing stands behind theorem", 2),
        ("theorem :\n  A = B\n", "nothing stands behind theorem", 1),
        ('use "a.sc"\n  x = y\n', "use takes no indented lines", 2),
        ("use", "nothing stands behind use", 1),
        ("assume # nothing\n", "nothing stands behind assume", 1),
        ("refute:\n", "nothing stands behind refute", 1),
        ("printed:\n\ncount N\n", "this printed is empty", 1),
        ("notation\n", "this notation is empty", 1),
    ],
)
def test_what_is_missing_is_said_with_a_caret(text: str, said: str, line: int) -> None:
    with pytest.raises(ParseError) as error:
        split_blocks(text, "a.sc")
    assert said in str(error.value)
    assert error.value.line == line
    assert "a.sc" in str(error.value) and "^" in str(error.value)
    assert error.value.instead is not None and error.value.instead.startswith("write")


def test_words_that_only_begin_like_a_block() -> None:
    text = "theorems a\nuse_it b\nassume' c\nlemma2\n"
    split = split_blocks(text)
    assert split.blocks == ()
    assert split.declarations == text


@given(
    st.lists(
        st.sampled_from(
            [*BLOCKS, "count N", "theorem a:", "  A = B", "\t= C  # d", "", "# e", "(", ")", "printed: ⊥"]
        ),
        max_size=12,
    )
)
def test_any_text_is_taken_apart_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        split = split_blocks(text)
    except ParseError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.instead and refused.span is not None
        return
    assert len(split.declarations) == len(text)
    for block in split.blocks:
        inside = split.declarations[block.span.start : block.span.end]
        assert not inside.strip()
        for piece in (block.header, *block.body):
            assert text[piece.span.start : piece.span.end] == piece.text
