"""Binders: substitution never captures, abstraction undoes instantiation."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from strategies_terms import SYMBOLS, terms

from surrogate_calculus.language.binding import (
    abstract,
    free_names,
    instantiate,
    replace_nodes,
    shift,
    substitute,
)
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import (
    ONE,
    Add,
    Bound,
    Mul,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
    postorder,
    rebuild,
)

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def naive(term: Term, name: str, value: Term, depth: int = 0) -> Term:
    """Substitution by the definition: a tree walk that counts binders."""
    if isinstance(term, Sym) and term.name == name:
        return shift(value, depth)
    binds = term.binds or (0,) * len(term.args)
    return rebuild(
        term, tuple(naive(a, name, value, depth + b) for a, b in zip(term.args, binds, strict=True))
    )


@quick
@given(terms(3, vectors=False), terms(2, vectors=False))
def test_substitution_is_what_it_says(term: Term, value: Term) -> None:
    for name in ("i", "θ", "x"):
        result = substitute(term, {name: value})
        assert result == naive(term, name, value)
        assert result.loose == 0
        if Sym(name) in postorder(term):
            assert free_names(value) <= free_names(result)
        else:
            assert result == term


@quick
@given(terms(3, vectors=False), terms(2, vectors=False))
def test_abstract_and_instantiate(term: Term, value: Term) -> None:
    for name in SYMBOLS[:5]:
        body = abstract(term, name)
        assert instantiate(body, Sym(name)) == term
        assert instantiate(body, value) == substitute(term, {name: value})


@quick
@given(terms(3, vectors=False))
def test_shift_there_and_back(term: Term) -> None:
    body = abstract(abstract(term, "i"), "j")
    assert shift(shift(body, 3), -3) == body
    assert shift(shift(body, 2, 1), -2, 1) == body
    assert shift(term, 5) is term


def test_no_capture() -> None:
    inner = parse("Σ[i=1..N](i*k)")
    assert substitute(inner, {"k": Sym("i")}) == parse("Σ[j=1..N](j*i)")
    assert substitute(inner, {"i": Sym("k")}) == inner
    swapped = substitute(parse("a/b"), {"a": Sym("b"), "b": Sym("a")})
    assert swapped == parse("b/a")


def test_a_used_index_cannot_be_shifted_out() -> None:
    with pytest.raises(ValueError, match="uses the index"):
        shift(Add(Bound(0), ONE), -1)


def test_deep_and_shared_terms() -> None:
    term: Term = Sym("x")
    for _ in range(20_000):
        term = Stop(term)
    assert free_names(substitute(term, {"x": Sym("y")})) == {"y"}
    for _ in range(60):
        term = Mul(term, term)
    assert free_names(substitute(term, {"x": Sym("y")})) == {"y"}
    nested: Term = Sym("x")
    for _ in range(2_000):
        nested = Sum(ONE, Sym("N"), nested)
    replaced = substitute(nested, {"x": Bound(0)})
    assert replaced.loose == 1


def test_replace_nodes() -> None:
    store = Store()
    term = store.add(parse("f(x) + ⊥(f(x))"))
    application = term.args[0]
    assert replace_nodes(term, {id(application): Sym("y")}) == parse("y + ⊥(y)")
