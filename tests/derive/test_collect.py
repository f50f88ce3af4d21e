"""Presentation: results are collected, short, and equal to what the rules left."""

from __future__ import annotations

import random

import pytest
from exactness import derived
from surrogates import random_surrogate

import surrogate_calculus as sc
from surrogate_calculus.derive.collect import collect
from surrogate_calculus.derive.proof import Proof
from surrogate_calculus.language.terms import Add, Mul, Num, Pow, Term, postorder, tree_size

CASES = [
    ("θ + θ", "2 * θ"),
    ("θ - θ", "0"),
    ("θ * θ", "θ^2"),
    ("θ / θ * x", "x"),
    ("2 * θ * 3", "6 * θ"),
    ("θ * 1 + 0", "θ"),
    ("x * (1/x) * θ", "θ"),
    ("(θ + 1) * x - θ * x", "x"),
    ("x^2 / x", "x"),
    ("1/2 * x + 1/2 * x", "x"),
    ("f(x; θ) - f(x; θ) + θ", "θ"),
]


def collected(text: str) -> str:
    proof = Proof()
    term = proof.add(sc.parse(text))
    step = collect(proof, term)
    return str(term if step is None else proof.right(step))


@pytest.mark.parametrize(("text", "form"), CASES, ids=[text for text, _ in CASES])
def test_collected_forms(text: str, form: str) -> None:
    assert collected(text) == form


def arithmetic_left(term: Term) -> list[Term]:
    """Nodes that a reader would have simplified: x + 0, 1 x, 0 x, x^1, nested numbers."""
    out = []
    for node in postorder(term):
        if node.__class__ is Mul:
            numbers = [a for a in node.args if isinstance(a, Num)]
            if len(numbers) > 1 or any(n.value in (0, 1) for n in numbers):
                out.append(node)
        elif (node.__class__ is Add and sum(isinstance(a, Num) for a in node.args) > 1) or (
            node.__class__ is Pow and isinstance(node.args[1], Num) and node.args[1].value in (0, 1)
        ):
            out.append(node)
    return out


def test_little_arithmetic_is_left_to_the_reader(rng: random.Random) -> None:
    """Where the kernel does not conclude the collected form, the result stays as the rules left it."""
    looked = left = 0
    for number in range(80):
        surrogate = random_surrogate(rng, size=20, order=1 + number % 2)
        derivation = derived(surrogate)
        if derivation is not None and tree_size(derivation.result) < 500:
            left += bool(arithmetic_left(derivation.result))
            looked += 1
    assert looked > 40 and left <= looked // 10


def test_what_is_collected_is_concluded_by_the_kernel() -> None:
    proof = Proof()
    term = proof.add(sc.parse("(θ + x)^2 - θ^2 - 2*θ*x"))
    step = collect(proof, term)
    assert step is not None and proof.left(step) is term and str(proof.right(step)) == "x^2"
    assert proof.log[step][0] in ("ring", "field")


def test_a_term_too_large_to_print_stays_as_it_is() -> None:
    term = sc.parse("θ")
    for _ in range(20):
        term = term * term + term
    proof = Proof()
    assert collect(proof, proof.add(term)) is None
    derivation = sc.derive(term, "θ")
    assert sc.check(derivation.certificate).status == "proved"
