"""The reader's own names: definitions fold back, and names do not matter otherwise."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from exactness import derived, same_value
from surrogates import Surrogate, random_surrogate

import surrogate_calculus as sc
from surrogate_calculus.derive.proof import Proof
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.terms import Add, App, Grad, Indexed, Mul, Sym, Term, postorder, rebuild
from surrogate_calculus.semantics import Model, random_function

FISHER = """\
count N
parameter θ
index i, j = 1..N
observed y
density p(x, y; θ), q(x; θ)
define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N](w[j])
derive →(∇θ log(1/N * Σ[i=1..N](p(x[i], y; θ) / ⊥(q(x[i]; θ)))))
"""


def test_the_fisher_estimator() -> None:
    """Ścibior & Wood, Eq. 10-12."""
    document = parse_document(FISHER)
    derivation = sc.derive(document.targets[0].term, given=document)
    assert str(derivation) == "Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"
    assert sc.check(derivation.certificate).status == "proved"
    assert set(sc.check(derivation.certificate).definitions) == {"w", "w̄"}


def test_the_fisher_estimator_from_its_own_names() -> None:
    document = parse_document(FISHER)
    derivation = sc.derive("Σ[i](⊥(w̄[i]) * log p(x[i], y; θ))", "θ", given=document)
    assert str(derivation) == "Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))"


def test_a_definition_without_an_index_folds() -> None:
    document = parse_document("parameter θ\nfunction f(x; θ), g(x; θ)\ndefine r = g(x; θ) * f(x; θ)\n")
    derivation = sc.derive("⊥(r) * θ^2", "θ", given=document)
    assert str(derivation) == "2 * r * θ"
    assert document.unfold(derivation.result) != derivation.result


def test_what_folds_unfolds_to_the_same_value(rng: random.Random) -> None:
    document = parse_document(FISHER)
    functions = {
        name: random_function(rng, [None] * slots, positive=True) for name, slots in (("p", 3), ("q", 2))
    }
    point = {"θ": Fraction(1, 2), "x": (Fraction(1), Fraction(-2, 3), Fraction(2)), "y": Fraction(3, 4)}
    model = Model({**point, "N": Fraction(3)}, functions)
    for text in ("Σ[i](w̄[i] * x[i])", "log Σ[i](w[i])", "Σ[i](w[i]^2)", "Σ[i](⊥(w̄[i]) * w[i])"):
        derivation = sc.derive(text, "θ", given=document)
        assert "w" in str(derivation)
        start, result = (document.unfold(t) for t in (derivation.start, derivation.result))
        assert model.value(start) == model.value(result)


def test_an_unused_definition_changes_nothing() -> None:
    with_it = parse_document("parameter θ\ndensity p(x; θ)\ndefine s = θ^7\n")
    without = parse_document("parameter θ\ndensity p(x; θ)\n")
    results = [str(sc.derive("p(x; θ)/⊥(p(x; θ)) * θ^2", "θ", given=d)) for d in (with_it, without)]
    assert results[0] == results[1] == "2 * θ + θ^2 * ∇θ log p(x; θ)"


# Names.

#: Every name that a random surrogate has, and another for it that sorts elsewhere.
NAMES = {
    "θ": "β", "φ": "α", "x": "zz", "y": "b", "N": "M", "w": "ww", "u": "c", "a": "anc",
    "f": "k", "g": "e", "p": "r", "q": "s",
}  # fmt: skip


def renamed(term: Term) -> Term:
    """The term with every free name replaced."""
    new: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(new[id(a)] for a in node.args)
        if isinstance(node, Sym):
            new[id(node)] = Sym(NAMES[node.name])
        elif isinstance(node, Indexed):
            new[id(node)] = Indexed(NAMES[node.name], *args)
        elif isinstance(node, Grad):
            new[id(node)] = Grad(NAMES[node.param], *args)
        elif isinstance(node, App):
            counts, n = node.key[1:4], node.n_slots
            rest = iter(args[n:])
            partials = [(slot, next(rest) if has else None) for slot, has in node.key[4]]
            slots = args[:n]
            arguments, given = slots[: counts[0]], slots[counts[0] : counts[0] + counts[1]]
            new[id(node)] = App(NAMES[node.name], arguments, given, slots[counts[0] + counts[1] :], partials)
        else:
            new[id(node)] = rebuild(node, args)
    return new[id(term)]


def test_renaming_changes_names_only(rng: random.Random) -> None:
    compared = 0
    for number in range(60):
        surrogate = random_surrogate(rng, vector=number % 4 == 0, size=25)
        derivation = derived(surrogate)
        if derivation is None:
            continue
        other = sc.derive(
            renamed(surrogate.term),
            [NAMES[n] for n in surrogate.wrt],
            vector=[NAMES[n] for n in surrogate.vector],
        )
        assert other.result == renamed(derivation.result), surrogate
        assert [h.term for h in other.hypotheses] == [renamed(h.term) for h in derivation.hypotheses]
        compared += 1
    assert compared > 40


# Order.


def shuffled(rng: random.Random, term: Term) -> Term:
    """The term with summands and factors in another order."""
    new: dict[int, Term] = {}
    for node in postorder(term):
        args = [new[id(a)] for a in node.args]
        if node.__class__ in (Add, Mul):
            rng.shuffle(args)
        new[id(node)] = rebuild(node, tuple(args))
    return new[id(term)]


def test_the_order_of_summands_and_factors_does_not_matter(rng: random.Random) -> None:
    for number in range(60):
        surrogate = random_surrogate(rng, vector=number % 4 == 0, size=25)
        turned = Surrogate(
            shuffled(rng, surrogate.term),
            surrogate.wrt,
            surrogate.order,
            surrogate.point,
            surrogate.functions,
            surrogate.vector,
        )
        one, other = derived(surrogate), derived(turned)
        if one is None or other is None:
            assert one is other
            continue
        for axes in surrogate.axes():
            assert same_value(surrogate.model(), one.result, other.result, axes), (surrogate, turned)


@pytest.mark.parametrize("parts", [("f(x; θ)", "⊥(f(x; θ)) * log p(x; θ)"), ("θ^2", "⊥(θ) * θ", "sin(θ)")])
def test_permuted_summands_give_the_same_estimator(parts: tuple[str, ...]) -> None:
    forward = sc.derive(" + ".join(parts), "θ").result
    backward = sc.derive(" + ".join(reversed(parts)), "θ").result
    proof = Proof()
    proof.infer("ring", proof.add(forward), proof.add(backward))
