"""Canonical names and their ASCII spellings."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_calculus.language.names import (
    ACCENTS,
    GREEK,
    RESERVED,
    ascii_name,
    canonical_name,
    closest,
    is_name,
)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("theta", "θ"),
        ("wbar", "w\u0304"),
        ("xtilde", "x\u0303"),
        ("Zhat", "\u1e90"),
        ("thetahat", "θ\u0302"),
        ("theta_1", "θ_1"),
        ("sigma_theta", "σ_θ"),
        ("theta'", "θ'"),
        ("crowbar", "crowbar"),
        ("alphabet", "alphabet"),
        ("thetas", "thetas"),
        ("Theta", "Θ"),
        ("ϕ", "φ"),
        ("ϑ", "θ"),
        ("ϵ", "ε"),
        ("\u00b5", "μ"),
        ("x′", "x'"),
        ("e\u0301", "é"),
        ("bar", "bar"),
    ],
)
def test_canonical(written: str, name: str) -> None:
    assert canonical_name(written) == name
    assert canonical_name(name) == name


_PIECES = st.sampled_from(
    [*GREEK, *ACCENTS, *GREEK.values(), *"abxZE", "_", "1", "'", *ACCENTS.values(), "é"]
)


@given(st.lists(_PIECES, min_size=1, max_size=4).map("".join))
def test_spelling_out_is_undone(text: str) -> None:
    name = canonical_name(text)
    assert canonical_name(ascii_name(name)) == name
    assert canonical_name(name) == name
    assert unicodedata.is_normalized("NFC", name)


@given(
    st.sampled_from(sorted(GREEK.values())),
    st.sampled_from(["", *ACCENTS.values()]),
    st.sampled_from(["", "_1", "'"]),
)
def test_greek_has_an_ascii_spelling(letter: str, accent: str, end: str) -> None:
    name = canonical_name(letter + accent + end)
    assert ascii_name(name).isascii()
    assert is_name(name)


def test_names_are_letters_first() -> None:
    assert all(is_name(n) for n in ("x", "x_1", "x'", "w̄", "θ", "log_p", "E", "x₁"))
    assert not any(is_name(n) for n in ("", "1x", "x²", "𝔼", "x y", "theta", "_x", "…", *RESERVED))


def test_the_closest_name() -> None:
    assert closest("theta1", ["θ", "φ"]) == "θ"
    assert closest("W", ["w", "x"]) == "w"
    assert closest("quite", ["N"]) is None
