"""Documents with samples, lineages and recursions: what they declare, whatever their order."""

from __future__ import annotations

import random
import re

import pytest
from language.documents import ADAPTIVE, BACKWARD, DPF, DPF2, EVERY, FIXED_LAG, FROM_ONE, LAG2, PF, SIS

from surrogate_calculus.errors import DeclarationError
from surrogate_calculus.language.declarations import ROW, Definition, Document, Lineage
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import HAS_BARE_STOP, App, Indexed, Num, Stop, Sym, postorder


def said(document: Document, name: str) -> tuple[tuple[str, ...], str, str | None]:
    """Indices, body and measure of a definition, as text."""
    found = document.definition(name)
    assert found is not None
    return found.indices, str(found.body), None if found.measure is None else str(found.measure)


def ranges(document: Document, name: str) -> list[str]:
    """The range of each index of a family."""
    return [f"{b[0]}..{b[1]}" if b else "?" for b in document.shape(name) or ()]


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_every_document_is_read(text: str) -> None:
    document = parse_document(text)
    names = [d.name for d in document.definitions]
    assert len(set(names)) == len(names)
    groups = [d.group for d in document.definitions]
    assert groups == sorted(groups)
    assert set(groups) == set(range(len(set(groups))))


def test_the_document_of_the_design() -> None:
    document = parse_document(DPF)
    assert document.counts == ("N", "T")
    assert document.resampling == ("R",)
    assert [(d.name, d.group) for d in document.definitions] == [
        ("ã", 0), ("v", 1), ("V", 1), ("v̄", 1), ("Z", 2),
    ]  # fmt: skip
    assert said(document, "v̄") == (("t", "i"), "cases([t > 0]: v[t,i] / V[t], else: 1/N)", "t")
    assert said(document, "V") == (("t",), "Σ[i=1..N](v[t,i])", "t")
    assert said(document, "Z") == ((), "∏[t=1..T](V[t])", None)
    assert ranges(document, "x") == ranges(document, "v̄") == ["0..T", "1..N"]
    assert ranges(document, "a") == ranges(document, "v") == ["1..T", "1..N"]
    assert [document.kind(n) for n in ("x", "a", "x̃", "ã", "R", "v", "p")] == [
        "sampled", "an ancestor map", "a lineage", "defined", "a resampling law", "defined", "a density",
    ]  # fmt: skip
    assert document.index_valued == {"a", "ã"}
    assert document.targets[0].text == "→(∇θ log Z)"


def test_samples_hold_their_law_at_what_is_drawn() -> None:
    first, ancestors, later = parse_document(DPF).samples
    x0 = Indexed("x", Num(0), Sym("i"))
    assert (first.name, first.indices, first.law) == ("x", (Num(0), Sym("i")), App("p0", [x0]))
    assert ancestors.indices == (Sym("t"), ROW) and ancestors.is_map and not later.is_map
    assert str(ancestors.law) == "R(⊥(v̄[t-1,·]))"
    assert str(later.law) == "q(x[t,i] | x[t-1,a[t,i]]; φ)"


def test_a_lineage_gives_the_map_of_its_ancestors() -> None:
    document = parse_document(DPF)
    assert document.lineages == {"x̃": Lineage("x̃", "x", "a", "ã")}
    assert said(document, "ã") == (("s", "t", "i"), "cases([t - s > 0]: ã[s,t-1,a[t,i]], else: i)", "t - s")
    assert ranges(document, "ã") == ["0..T", "0..T", "1..N"]
    other = parse_document(FROM_ONE)
    assert other.lineages == {"z": Lineage("z", "x", "b", "b̃")}
    assert other.definitions[0].name == "b̃"
    taken = parse_document(DPF + "define ã = 1\n")
    assert taken.lineages["x̃"].map == "ã'"


def test_a_density_along_a_path() -> None:
    document = parse_document(DPF)
    law = document.paths["p"]
    assert str(law.left) == "p(x̃[lo:hi,i], y[lo:hi]; θ)"
    assert law.variables == ("lo", "hi", "i", "θ")
    term = parse("log p(x̃[2:T,1], y[2:T]; θ)", document)
    body = "p(x[s,ã[s,T,1]], y[s] | x[s-1,a[s,ã[s,T,1]]]; θ)"
    assert document.unfold(term) == parse(f"log ∏[s=2..T]({body})")
    plain = parse("f(x̃[1:T,2]; θ)", document)
    assert document.unfold(plain) == plain
    sis = parse_document(SIS)
    along = sis.unfold(parse("p(x[1:T,1], y[1:T]; θ)", sis))
    assert along == parse("∏[s=1..T](p(x[s,1], y[s] | x[s-1,1]; θ))")


def test_a_path_in_a_sum_is_shifted() -> None:
    document = parse_document(FROM_ONE)
    term = parse("Σ[i](g(y[1:T] | z[1:T,i]; θ))", document)
    assert document.unfold(term) == parse("Σ[i=1..N](∏[s=1..T](g(y[s] | x[s,b̃[s,T,i]]; θ)))")


def test_recursions_stay_and_other_names_unfold() -> None:
    document = parse_document(DPF + "define h = log Z - Z\n")
    unfolded = document.unfold(Sym("h"))
    assert unfolded == parse("log ∏[t=1..T](V[t]) - ∏[t=1..T](V[t])")


def test_backward_lag_two_and_bases_at_one() -> None:
    backward = parse_document(BACKWARD)
    indices, body, measure = said(backward, "β")
    assert measure == "T - t" and body.endswith("else: 1)")
    assert body.startswith("cases([T - t > 0]: Σ[j=1..K]")
    assert ranges(backward, "β") == ["1..T", "1..K"] and indices == ("t", "i")
    lag = parse_document(LAG2)
    assert said(lag, "F") == (
        ("t",),
        "cases([t > 0]: cases([t - 1 > 0]: θ * F[t-1] + y[t] * F[t-2], else: θ^2 + F[t-1]), else: θ)",
        "t",
    )  # fmt: skip
    one = parse_document(FROM_ONE)
    assert said(one, "w̄") == (("t", "i"), "w[t,i] / W[t]", "t - 1")
    assert said(one, "w")[2] == "t - 1" and ranges(one, "b") == ["2..T", "1..N"]
    assert ranges(one, "x") == ["1..T", "1..N"]


def test_members_of_a_group_that_begin_apart_share_their_measure() -> None:
    document = parse_document(
        "count T\nparameter θ\nindex t = 1..T\n"
        "define u[0] = 1\ndefine u[t] = u[t-1] + m[t]\n"
        "define m[1] = θ\ndefine m[t] = m[t-1]*u[t-1]\n"
    )
    assert said(document, "u") == (("t",), "cases([t > 0]: u[t-1] + m[t], else: 1)", "t")
    assert said(document, "m") == (
        ("t",), "cases([t > 0]: cases([t - 1 > 0]: m[t-1] * u[t-1], else: θ), else: θ)", "t",
    )  # fmt: skip
    assert [d.name for d in document.definitions] == ["m", "u"]


def test_adaptive_resampling_is_a_branch() -> None:
    document = parse_document(ADAPTIVE)
    assert document.index_valued == {"a", "r", "ã"}
    assert said(document, "a")[1] == "cases([N / 2 > ESS[t-1]]: r[t,i], else: i)"
    assert {d.group for d in document.definitions if d.name in ("a", "u", "v", "V", "v̄", "ESS")} == {0}


def test_a_law_may_be_a_mixture_or_stopped() -> None:
    laws = [str(s.law) for s in parse_document(DPF2).samples]
    assert laws[1] == "Σ[j=1..N](⊥(v̄[t-1,j]) * q(x[t,i] | x[t-1,j]; φ))"
    stopped = parse_document(FROM_ONE).samples
    assert all(s.law.flags & HAS_BARE_STOP for s in stopped)
    assert isinstance(stopped[1].law, Stop)
    weights = next(s.law for s in parse_document(FIXED_LAG).samples if s.is_map)
    assert str(weights) == "R(⊥(w̄[t-1,·] * e(x[t-1,·])))"


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_permuting_the_statements_changes_nothing(text: str) -> None:
    document = parse_document(text)
    lines = text.splitlines()
    later = [k for k, line in enumerate(lines) if re.match("define|lineage", line)]
    rng = random.Random(1)
    for _ in range(5):
        order = later.copy()
        rng.shuffle(order)
        shuffled = list(lines)
        for at, origin in zip(later, order, strict=True):
            shuffled[at] = lines[origin]
        other = parse_document("\n".join(shuffled))
        assert other.definitions == document.definitions
        assert other.paths == document.paths
        assert other.index_valued == document.index_valued
        assert [t.term for t in other.targets] == [t.term for t in document.targets]


@pytest.mark.parametrize("text", EVERY.values(), ids=EVERY.keys())
def test_a_group_uses_itself_earlier_only(text: str) -> None:
    """Each use of a member of the same group at the same time is of one before it."""
    document = parse_document(text)
    seen: set[str] = set()
    for definition in document.definitions:
        for node in postorder(definition.body):
            if not isinstance(node, (Sym, Indexed)) or node.key in seen:
                continue
            used = document.definition(node.key)
            if used is None or isinstance(node, Sym):
                assert used is None
                continue
            assert used.group == definition.group and definition.measure is not None
            assert node.args != tuple(map(Sym, definition.indices)), (definition.name, node)
        seen.add(definition.name)


def test_ascii_spells_the_same() -> None:
    ascii_text = DPF
    for sign, word in {
        "θ": "theta", "φ": "phi", "v̄": "vbar", "x̃": "xtilde", "⊥": "stop", "→": "eval", "·": ".",
        "Σ[i=1..N] v[t,i]": "sum[i=1..N](v[t,i])", "∏[t=1..T] V[t]": "prod[t=1..T](V[t])",
        "∇theta log Z": "grad[theta](log(Z))",
    }.items():  # fmt: skip
        ascii_text = ascii_text.replace(sign, word)
    assert ascii_text.isascii()
    one, two = parse_document(DPF), parse_document(ascii_text)
    assert two.definitions == one.definitions and two.lineages == one.lineages
    assert [s.law for s in two.samples] == [s.law for s in one.samples]
    assert two.targets[0].term == one.targets[0].term


def test_expressions_are_checked_too() -> None:
    document = parse_document(PF)
    with pytest.raises(DeclarationError, match="out of its range 0") as caught:
        parse("Σ[t](Σ[i](x[t+1,i]))", document)
    assert (caught.value.text, caught.value.line, caught.value.column) == ("Σ[t](Σ[i](x[t+1,i]))", 1, 13)
    with pytest.raises(DeclarationError, match="used as a value"):
        parse("Σ[i](a[T,i])", document)
    assert parse("cases([T > 1]: x[T-1,1], else: x[0,1])", document)
    assert parse("Σ[t=1..T-1](w̄[t+1,1])", document)


def test_a_condition_keeps_an_index_in_its_range() -> None:
    text = "count T\nparameter θ\nindex t = 1..T\nobserved y[t]\n"
    assert parse_document(text + "define u[t] = cases(t > 1: y[t-1], else: θ)\n").definitions
    assert parse_document(text + "define u[t] = Σ[s=1..t-1](y[t-s])\n").definitions
    assert parse_document(text + "derive Σ[t](Σ[s=3..t](y[t-2]))\n").targets
    with pytest.raises(DeclarationError, match="out of its range"):
        parse_document(text + "define u[t] = Σ[s=1..t-1](y[t-s-1])\n")


def test_more_definitions() -> None:
    document = parse_document(DPF)
    t, i = Sym("t"), Sym("i")
    body = parse("cases(t > 0: Λ[t-1,a[t,i]] + ∇θ log p(x[t,i], y[t] | x[t-1,a[t,i]]; θ), else: 0)")
    more = document.with_definitions([Definition("Λ", ("t", "i"), body, t), Definition("S", ("t",), t)])
    assert [d.group for d in more.definitions[-2:]] == [3, 4]
    assert ranges(more, "Λ") == ["0..T", "1..N"] and ranges(more, "S") == ["1..T"]
    assert str(parse("Σ[i](v̄[T,i]*Λ[T,i])", more)) == "Σ[i=1..N](v̄[T,i] * Λ[T,i])"
    assert more.unfold(Indexed("S", i)) == i
    assert more.unfold(Indexed("Λ", t, i)) == Indexed("Λ", t, i)
    stopped = more.with_definitions([Definition("b", (), Stop(Sym("θ")))])
    assert stopped.has_bare_stop(Sym("b")) and not more.has_bare_stop(Indexed("S", i))
    assert not document.declares("Λ")
