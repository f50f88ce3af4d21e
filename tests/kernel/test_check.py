"""``check``: true certificates replay anywhere, no changed one proves what is not so, none breaks it."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from expectation_soundness import conclusion
from hypothesis import given, settings
from hypothesis import strategies as st
from soundness import Workshop
from surrogates import random_surrogate
from timing import within

import surrogate_calculus as sc
from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.errors import DeriveError, EvaluationError
from surrogate_calculus.kernel import RULES, Equation, Relation, Verdict, check, inference
from surrogate_calculus.kernel.certificate import FORMAT, VERSION
from surrogate_calculus.kernel.inference import Definition, head
from surrogate_calculus.kernel.judgement import Hypothesis, Rejection
from surrogate_calculus.language.nodes import LIMITS, read_nodes
from surrogate_calculus.language.terms import (
    FUNCTIONS,
    Add,
    App,
    Bound,
    Eval,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
    postorder,
)

θ, x, v = Sym("θ"), Sym("x"), Sym("v")
#: A hostile certificate is answered in so many seconds.
SECONDS = 10

Json = dict[str, Any]


def certificate(
    steps: list[tuple[str, Term, Term, list[int]]],
    definitions: list[tuple[str, int, Term]] = [],  # noqa: B006
    relation: str = "=",
) -> Json:
    """A certificate written by hand, which claims the last step's equation."""
    table = NodeTable()
    store = Store()
    terms = [store.add(t) for _, lhs, rhs, _ in steps for t in (lhs, rhs)]
    rows = [(store.add(family(n, arity)), arity, store.add(body)) for n, arity, body in definitions]
    table.add(postorder(*terms, *(t for left, _, body in rows for t in (left, body))))
    number = [table[t] for t in terms]
    return {
        "format": FORMAT,
        "version": VERSION,
        "nodes": table.rows,
        "definitions": [
            [table[left], arity, table[body], None, group] for group, (left, arity, body) in enumerate(rows)
        ],
        "dependence": [],
        "assumptions": [],
        "samples": [],
        "steps": [
            [rule, number[2 * k], number[2 * k + 1], premises]
            for k, (rule, _, _, premises) in enumerate(steps)
        ],
        "claim": [relation, *number[-2:]],
    }


def family(name: str, arity: int) -> Term:
    """The left side of a definition."""
    return Indexed(name, *map(Bound, reversed(range(arity)))) if arity > 0 else Sym(name)


def through_json(data: Json) -> Json:
    again: Json = json.loads(json.dumps(data))
    return again


def refused(data: object) -> str:
    """The reason for which it is refused, after the time allowed."""
    with within(SECONDS):
        verdict = check(data)
    assert isinstance(verdict, Verdict) and not verdict
    assert verdict.status == "undecided" and verdict.claim is None
    assert verdict.reason.startswith("rejected at step ")
    return verdict.reason


# --------------------------------------------------------------------------------------- replaying
SOURCES = [
    ("p(x;θ)/⊥(p(x;θ))*f(x;θ)", "θ", 2),
    ("f(x;θ) + ⊥(f(x;θ))*log p(x;θ)", "θ", 2),
    ("x*⊥(x)^2 + sin(x)/(1+x^2)", "x", 3),
    ("∏[t=1..N](θ + w[t])*Σ[i=1..N](θ^i*⊥(θ))", "θ", 1),
    ("max(θ, x)*abs(θ)*⊥(exp(θ))", "θ", 1),
    ("→(∇θ(θ^3*⊥(θ))) * p(x;θ)^(1/2)", "θ", 1),
]
DOCUMENT = """\
count N
parameter θ
index i, j = 1..N
observed x[i], y
density p(x[i], y; θ), q(x[i]; θ)
define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))
define w[i] = v[i] / Σ[j](v[j])
derive →(∇θ log(1/N * Σ[i](v[i])))
derive →(∇θ Σ[i](w[i] * θ))
"""


@pytest.fixture(scope="module")
def certificates() -> list[Json]:
    derived = [sc.derive(text, wrt, order).certificate for text, wrt, order in SOURCES]
    document = sc.parse_document(DOCUMENT)
    derived += [sc.derive(t.term, given=document).certificate for t in document.targets]
    derived.append(sc.derive("p(x;β)/⊥(p(x;β))*f(x;β)", "β", 2, vector=["β"]).certificate)
    return derived


def test_derivations_replay(certificates: list[Json]) -> None:
    for data in certificates:
        verdict = check(data)
        assert verdict.status == "proved" and verdict.reason == "", verdict.reason
        assert verdict and verdict.claim is not None and verdict.steps == len(data["steps"])
        assert check(through_json(data)) == verdict


def test_a_verdict_says_what_it_rests_on() -> None:
    document = sc.parse_document(DOCUMENT)
    verdict = check(sc.derive(document.targets[1].term, given=document).certificate)
    assert set(verdict.definitions) == {"v", "w"}
    assert set(verdict.assumptions) == {"count N", "positive p", "positive q"}
    free = check(sc.derive("p(x;θ)/⊥(p(x;θ))", "θ").certificate)
    assert [str(h) for h in free.hypotheses] != [] and free.assumptions == ()


def test_derivations_replay_in_a_process_that_knows_nothing_else(certificates: list[Json]) -> None:
    """And no torch, no parser, none of the strategies that made them is loaded."""
    code = (
        "import json, sys, surrogate_calculus as sc\n"
        "verdicts = [sc.check(c) for c in json.load(sys.stdin)]\n"
        "made = [m for m in sys.modules if m.split('.')[0] in ('torch', 'sympy', 'lark', 'numpy', 'mpmath')\n"
        "        or m.startswith(('surrogate_calculus.derive', 'surrogate_calculus.language.parser',\n"
        "                         'surrogate_calculus.printing', 'surrogate_calculus.semantics'))]\n"
        "print(json.dumps([[v.status for v in verdicts], [v.steps for v in verdicts], made]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(certificates),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    statuses, steps, loaded = json.loads(done.stdout)
    assert statuses == ["proved"] * len(certificates) and loaded == []
    assert steps == [len(c["steps"]) for c in certificates]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_replays(rule: str, rng: random.Random) -> None:
    """The conclusion of a random use of the rule, with its premises, is what check concludes."""
    done = 0
    while done < 10:
        w = Workshop(rng, vector=rng.random() < 0.3, rational=rng.random() < 0.5)
        try:
            equation = conclusion(rule, w)
        except Rejection:
            continue
        verdict = check(through_json(w.certificate()))
        assert verdict.status == "proved", verdict.reason
        assert verdict.claim == replace(equation, where=frozenset(), whole=False, given=frozenset())
        assert set(verdict.axioms) == equation.given
        conditions = {Hypothesis(c.kind, c.term) for c in equation.where}
        assert conditions <= set(verdict.hypotheses) <= conditions | set(w.state.facts.hypotheses)
        done += 1


def every_step(data: Json) -> list[Equation]:
    """The conclusions of the steps of a certificate, each claimed in its turn."""
    verdict = check(data)
    assert verdict, verdict.reason
    nodes = read_nodes(data["nodes"], Store())
    return [Equation(Relation.STRICT, nodes[lhs], nodes[rhs]) for _, lhs, rhs, _ in data["steps"]]


def test_every_step_of_random_derivations_is_true(rng: random.Random) -> None:
    """Not the result only: each of the equations on the way means the same on both sides."""
    good: Counter[str] = Counter()
    for _ in range(25):
        surrogate = random_surrogate(rng, size=12, depth=4, order=rng.choice((1, 1, 2)), rational_only=True)
        try:
            data = through_json(sc.derive(surrogate.term, surrogate.wrt).certificate)
        except DeriveError:
            continue
        model = surrogate.model()
        names = sorted(set(surrogate.wrt) & set(surrogate.point))
        for (rule, *_), equation in zip(data["steps"], every_step(data), strict=True):
            if equation.lhs.loose or equation.rhs.loose:
                continue
            try:
                left = model.series(equation.lhs, 1, names)
            except EvaluationError:
                continue
            assert left == model.series(equation.rhs, 1, names), (rule, equation, surrogate)
            good[rule] += 1
    assert sum(good.values()) > 150 and len(good) > 8


# ---------------------------------------------------------------------------------------- mutants
NAMES = ("θ", "φ", "x", "y", "N", "w", "u", "a", "f", "g", "p", "q", "v")
JUNK: list[Any] = [
    None, True, False, 0, 1, -1, 10**30, 0.5, float("nan"), float("inf"), "", "x", "?A", "⊥", [], [[]], {},
    {"a": []}, [0], ["sym", "x", []], ["ring", 0, 0, []], "=", "=→",
]  # fmt: skip


def mutate(data: Json, rng: random.Random) -> str:
    """Change one thing, mostly to something that could stand there; says what."""
    kinds = ["key", "key", "key", "tag", "child", "skip", "rule", "side", "side", "premise", "drop", "twice"]
    kind = rng.choice([*kinds, "swap", "claim", "claim", "definition", "assume", "junk", "field"])
    steps, nodes = data["steps"], data["nodes"]
    row = rng.randrange(len(nodes))
    step = rng.choice(steps)
    if kind == "key":
        nodes[row][1] = _other_key(nodes[row], rng)
    elif kind == "tag":  # ⊥ to →, + to ·, Σ to ∏, ∇ …
        same = [("stop", "eval"), ("add", "mul"), ("sum", "prod"), ("bound", "axis"), ("sym", "bound")]
        swaps = {**dict(same), **{b: a for a, b in same}}
        nodes[row][0] = swaps.get(nodes[row][0], "stop")
    elif kind == "child" and nodes[row][2]:
        nodes[row][2][rng.randrange(len(nodes[row][2]))] = rng.randrange(max(1, row))
    elif kind == "skip" and nodes[row][2]:  # what used ⊥E uses E
        for later in nodes[row + 1 :]:
            later[2] = [rng.choice(nodes[row][2]) if c == row else c for c in later[2]]
    elif kind == "rule":
        step[0] = rng.choice(list(RULES))
    elif kind == "side":
        step[rng.choice((1, 2))] = rng.randrange(len(nodes))
        if rng.random() < 0.7:
            data["claim"] = ["=", *steps[-1][1:3]]
    elif kind == "premise":
        step[3] = [rng.randrange(len(steps)) for _ in range(rng.randint(0, 3))]
    elif kind == "drop":
        steps.remove(step)
        if steps:
            data["claim"] = [rng.choice(("=", "=→")), *steps[-1][1:3]]
    elif kind == "twice":
        steps.insert(rng.randrange(len(steps)), copy.deepcopy(step))
    elif kind == "swap":
        rng.shuffle(steps)
    elif kind == "claim":
        data["claim"] = [rng.choice(("=", "=→")), *(rng.randrange(len(nodes)) for _ in range(2))]
    elif kind == "definition":
        left = rng.randrange(len(nodes))
        data["definitions"].append([left, rng.randint(0, 2), row, None, len(data["definitions"])])
    elif kind == "assume":
        data["assumptions"].append(rng.choice((["positive", "p"], ["positive", "q"], ["count", "N"])))
    elif kind == "junk":
        _put_junk(data, rng.choice(JUNK), rng)
    else:
        name = rng.choice(list(data))
        if rng.random() < 0.5:
            del data[name]
        else:
            data[rng.choice([name, "more"])] = rng.choice(JUNK)
    return kind


def _other_key(row: list[Any], rng: random.Random) -> Any:
    tag, key = row[:2]
    if tag == "num":
        return rng.choice([key.removeprefix("-") if key[0] == "-" else "-" + key, "0", "1", "2", "-1", "1/2"])
    if tag == "fn":
        return rng.choice([op for op, arity in FUNCTIONS.items() if arity == FUNCTIONS[key]])
    if tag in ("bound", "axis"):
        return rng.choice([key + 1, max(0, key - 1), 0, 1])
    if tag == "app":
        name, arguments, given, params, partials = copy.deepcopy(key)
        change = rng.choice(("name", "partial", "more"))
        if change == "name":
            name = rng.choice(("f", "g", "p", "q"))
        elif partials and change == "partial":
            partials.pop()
        else:
            partials = sorted([*partials, [rng.randint(1, max(1, arguments + given + params)), 0]])
        return [name, arguments, given, params, partials]
    return rng.choice(NAMES) if isinstance(key, str) else key


def _put_junk(data: Json, junk: object, rng: random.Random) -> None:
    """Junk at a random place, or another key."""
    here: Any = data
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = rng.choice(keys)
        inner = here[key]
        if not (isinstance(inner, (dict, list)) and inner) or rng.random() < 0.15:
            here[key] = copy.deepcopy(junk)
            return
        here = inner


def false_claim(w: Workshop, data: Json) -> bool | None:
    """Whether an accepted certificate claims what is not so; None where the model cannot tell."""
    verdict = check(data)
    if not verdict:
        assert verdict.reason
        return None
    assert verdict.claim is not None
    if verdict.axioms:  # anything may be supposed
        return None
    nodes = read_nodes(data["nodes"], Store())
    definitions = [Definition(nodes[left], arity, nodes[b]) for left, arity, b, *_ in data["definitions"]]
    w.state.definitions = {head(d.left): d for d in definitions}
    names = {n.key for n in nodes if n.__class__ in (Sym, Indexed)} | {
        n.name for n in nodes if isinstance(n, App)
    }
    defined_parameter = {d.name for d in definitions} & {*w.builder.params, "f", "g", "p", "q", "N"}
    loose = max(verdict.claim.lhs.loose, verdict.claim.rhs.loose)
    if defined_parameter or loose > 3 or not names <= set(NAMES) | {"v2"}:
        return None
    try:
        holds = w.holds(verdict.claim, hypotheses=verdict.hypotheses)
    except (EvaluationError, KeyError):
        return None
    return None if holds is None else not holds


def hunt(rng: random.Random, count: int, rules: Sequence[str] = tuple(RULES)) -> Counter[str]:
    """Mutants of certificates of all rules: how many were refused, true, beyond the model."""
    found: Counter[str] = Counter()
    while found["mutants"] < count:
        w = Workshop(rng, vector=rng.random() < 0.2, rational=rng.random() < 0.8)
        w.binders = 0
        try:
            conclusion(rng.choice(rules), w)
        except Rejection:
            continue
        original = through_json(w.certificate())
        if len(original["nodes"]) > 60:
            continue
        for _ in range(4):
            data = copy.deepcopy(original)
            kinds = [mutate(data, rng)]
            if rng.random() < 0.25:
                with suppress(LookupError, ValueError, TypeError, AttributeError):  # nothing left to change
                    kinds.append(mutate(data, rng))
            if data == original:
                continue
            found["mutants"] += 1
            verdict = check(data)
            assert verdict.status in ("proved", "undecided")
            if not verdict:
                found["refused"] += 1
                continue
            false = false_claim(w, data)
            assert not false, f"{kinds}: {verdict.claim} from {original['claim']}: {json.dumps(data)}"
            found["beyond the model" if false is None else "true"] += 1
    return found


def test_mutants_prove_nothing_false(rng: random.Random) -> None:
    found = hunt(rng, 600)
    assert found["refused"] > 300 and found["true"] > 30, found


@pytest.mark.slow
def test_many_mutants_prove_nothing_false(rng: random.Random) -> None:
    found = hunt(rng, 5000)
    assert found["true"] > 250, found


@pytest.mark.parametrize("broken", ["ring", "congruence", "transitivity"])
def test_a_mutant_would_get_through_a_broken_kernel(
    broken: str, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hunt finds a false claim when a rule believes what it is told."""

    def gullible(inf, claim):  # type: ignore[no-untyped-def]
        return Equation(Relation.STRICT, claim.lhs, claim.right or claim.lhs)

    monkeypatch.setitem(inference._STRUCTURAL, broken, gullible)
    with pytest.raises(AssertionError, match="from"):
        hunt(rng, 6000, [broken])


def test_mutated_derivations_are_refused_or_true(certificates: list[Json], rng: random.Random) -> None:
    """The certificates of derive: what is still accepted proves the same claim, or one about other terms."""
    for data in certificates:
        for _ in range(15):
            changed = copy.deepcopy(through_json(data))
            mutate(changed, rng)
            verdict = check(changed)
            assert verdict.status in ("proved", "undecided") and bool(verdict) == (verdict.reason == "")


@pytest.mark.parametrize(
    "field",
    ["format", "version", "nodes", "definitions", "dependence", "assumptions", "samples", "steps", "claim"],
)
def test_every_field_is_needed_and_looked_at(field: str, certificates: list[Json]) -> None:
    data = dict(certificates[0])
    del data[field]
    assert "fields missing" in refused(data)
    for junk in JUNK:
        if junk != [] or field not in ("assumptions", "definitions", "dependence", "samples"):
            refused({**certificates[0], field: junk})
    assert "fields missing" in refused({**certificates[0], "comment": "trust me"})


def test_no_step_of_a_derivation_may_be_another(certificates: list[Json]) -> None:
    data = certificates[0]
    for number in range(len(data["steps"])):
        for place, value in ((0, "stop_number"), (1, 0), (2, 0)):
            changed = copy.deepcopy(data)
            if changed["steps"][number][place] != value:
                changed["steps"][number][place] = value
                refused(changed)


# ------------------------------------------------------------------------------------ hostile data
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
VALID = certificate([("ring", Add(x, θ), Add(θ, x), []), ("symmetry", Add(θ, x), Add(x, θ), [0])])


@given(JSON)
def test_any_data_gets_a_verdict(data: Any) -> None:
    refused(data)


@given(st.fixed_dictionaries(dict.fromkeys(VALID, JSON)))
def test_any_fields_get_a_verdict(data: Json) -> None:
    refused(data)
    refused({**data, "format": FORMAT, "version": VERSION})


@given(st.randoms(use_true_random=False), JSON)
@settings(max_examples=max(200, settings().max_examples))
def test_any_data_in_a_true_certificate_gets_a_verdict(rng: random.Random, junk: Any) -> None:
    data = copy.deepcopy(VALID)
    _put_junk(data, junk, rng)
    verdict = check(data)
    assert verdict.status == "proved" or verdict.reason


def test_the_true_certificate_is_one() -> None:
    assert check(VALID).claim == Equation(Relation.STRICT, Add(θ, x), Add(x, θ))


@pytest.mark.parametrize(
    "claim",
    [
        ["=", 2, 3], ["=", 0, 0], ["=→", 3, 2], ["=", 3, 99], ["=", -1, 2], ["=", 3, True], ["=", 3.0, 2],
        ["<", 3, 2], ["=", 3], ["=", 3, 2, 4], [["="], 3, 2], None, "=", {}, ["=", "3", "2"], [None, 3, 2],
        ["=", 10**5000, 2],
    ],
)  # fmt: skip
def test_only_the_last_conclusion_may_be_claimed(claim: object) -> None:
    refused({**VALID, "claim": claim})


@pytest.mark.parametrize(
    "step",
    [
        ["ring", 2, 3], ["ring", 2, 3, [], 0], ["ring", 2, 3, None], ["ring", 2, 3, {}], [None, 2, 3, []],
        [["ring"], 2, 3, []], ["", 2, 3, []], ["Ring", 2, 3, []], ["ring", None, 3, []],
        ["ring", 2, True, []],
        ["ring", -1, 3, []], ["ring", 2, 4, []], ["ring", 2, 3.0, []], ["ring", "2", 3, []], "ring", None, {},
        ["ring", 10**5000, 3, []], ["symmetry", 3, 2, [1]], ["symmetry", 3, 2, [-1]],
        ["symmetry", 3, 2, [0.0]],
        ["symmetry", 3, 2, [False]], ["symmetry", 3, 2, [None]], ["symmetry", 3, 2, [[0]]],
        ["symmetry", 3, 2, [0, 0]], ["symmetry", 2, 3, [0]], ["symmetry", 3, 2, []], ["__class__", 2, 3, []],
        ["grad_sum", 2, 3, []], ["log_derivative", 2, 3, []], ["definition", 2, 3, []],
        ["definition", 0, 1, []],
    ],
)  # fmt: skip
def test_only_steps_of_the_kernel_are_taken(step: object) -> None:
    changed = copy.deepcopy(VALID)
    changed["steps"][1] = step
    reason = refused(changed)
    assert reason.startswith("rejected at step 2: ") and len(reason) < 300


def test_no_proof_without_a_step() -> None:
    refused({**VALID, "steps": []})
    refused({**VALID, "steps": [], "claim": ["=", 2, 2]})


def _nested(depth: int, leaf: Any = None) -> Any:
    out: Any = leaf
    for _ in range(depth):
        out = [out]
    return out


def test_deeply_nested_data_is_refused() -> None:
    deep = _nested(100_000, 0)
    for name in VALID:
        refused({**VALID, name: deep})
    for name in ("nodes", "steps", "definitions", "assumptions"):
        refused({**VALID, name: [deep]})
        refused({**VALID, name: [[deep, deep, deep, deep]]})
    refused(deep)
    refused({**VALID, "nodes": [["num", deep, []]]})
    refused({**VALID, "nodes": [["sym", "x", deep]]})
    refused({**VALID, "steps": [["ring", deep, 0, []]]})
    refused({**VALID, "steps": [[deep, 0, 0, []]]})
    loop: list[Any] = []
    loop.append(loop)
    refused({**VALID, "steps": loop, "nodes": loop})
    refused({**VALID, "steps": [["ring", loop, 0, []]]})


def _nodes(first: list[Any], make: Any, count: int) -> list[Any]:
    rows = [first]
    for _ in range(count):
        rows.append(make(len(rows) - 1))
    return rows


def _reflexive(rule: str, nodes: list[Any]) -> Json:
    last = len(nodes) - 1
    return {**VALID, "nodes": nodes, "steps": [[rule, last, last, []]], "claim": ["=", last, last]}


def test_terms_that_are_deep_or_explode_are_answered_in_bounded_time() -> None:
    """Written as trees they would have more nodes than there are atoms."""
    x_row = ["sym", "x", []]
    makes = {
        "twice": lambda n: ["add", None, [n, n]],
        "square": lambda n: ["mul", None, [n, n]],
        "shared function": lambda n: ["fn", "max", [n, n]],
        "deep function": lambda n: ["fn", "sin", [n]],
        "deep gradient": lambda n: ["grad", "x", [n]],
        "deep binder": lambda n: ["sum", None, [0, 0, n], "i"],
        "deep stop": lambda n: ["stop", None, [n]],
        "index": lambda n: ["indexed", "w", [n, n]],
        "power": lambda n: ["pow", None, [n, n]],
    }
    for make in makes.values():
        for rule in ("ring", "field", "congruence"):
            with within(SECONDS):
                verdict = check(_reflexive(rule, _nodes(x_row, make, 2000)))
            assert verdict.status in ("proved", "undecided")
    for first, make in [
        (["num", "3", []], makes["square"]),
        (["num", "1/3", []], makes["square"]),
        (["num", "9" * 4000, []], makes["square"]),
        (["num", "9", []], lambda n: ["pow", None, [n, 0]]),
        (["num", "64", []], lambda n: ["pow", None, [n, 0]]),
    ]:
        refused(_reflexive("ring", _nodes(first, make, 200)))


@pytest.mark.parametrize("rule", ["grad_sum", "grad_product", "grad_chain", "eval_function", "stop_function"])
def test_wide_nodes_are_answered_in_bounded_time(rule: str) -> None:
    wide = 1500
    tag, key = ("app", ["f", wide, 0, 0, []]) if rule == "grad_chain" else ("mul", None)
    tag = "add" if rule == "grad_sum" else tag
    nodes: list[Any] = [["sym", "θ", []], [tag, key, [0] * wide], ["grad", "θ", [1]], ["eval", None, [1]]]
    nodes += [["stop", None, [1]]]
    lhs = {"grad": 2, "eval": 3, "stop": 4}[rule.split("_")[0]]
    refused({**VALID, "nodes": nodes, "steps": [[rule, lhs, 0, []]], "claim": ["=", lhs, 0]})


def test_long_lists_are_answered_in_bounded_time() -> None:
    assert "step 2" in refused({**VALID, "steps": [["ring", 2, 3, []]] + [["ring", 2, 3, [2]]] * 10**6})
    refused({**VALID, "steps": [None] * 10**6})
    refused({**VALID, "steps": [["transitivity", 2, 3, [0] * 10**6]]})
    refused({**VALID, "nodes": [["add", None, [0] * (LIMITS["args"] + 1)]]})
    refused({**VALID, "nodes": [None] * (LIMITS["nodes"] + 1)})
    refused({**VALID, "assumptions": [["positive", "p"]] * 10**5 + [None]})
    refused({**VALID, "definitions": [[0, 0, 1, None, 0]] * 10**5})
    many = [["ring", 2, 3, []]] * 20_000
    assert check({**VALID, "steps": many, "claim": ["=", 2, 3]}).steps == 20_000


# ------------------------------------------------------------------------------------- definitions
def test_a_definition_is_used() -> None:
    data = certificate([("definition", v, Mul(θ, x), [])], [("v", 0, Mul(θ, x))])
    verdict = check(data)
    assert verdict.status == "proved" and verdict.definitions == ("v",)
    family = certificate([("definition", Indexed("v", x), Mul(θ, x), [])], [("v", 1, Mul(θ, Bound(0)))])
    assert check(family).status == "proved"


@pytest.mark.parametrize(
    "definitions",
    [
        [("v", 0, Add(v, Num(1)))],
        [("v", 0, Indexed("v", x))],
        [("v", 1, Indexed("v", Add(Bound(0), Num(1))))],
        [("v", 0, Mul(Sym("u"), x)), ("u", 0, x)],
        [("v", 0, Mul(Sym("u"), x)), ("u", 0, Mul(v, x))],
        [("v", 0, x), ("v", 0, θ)],
        [("v", 0, Bound(0))],
        [("v", 1, Bound(1))],
        [("θ", 0, x), ("v", 0, Grad("θ", θ))],
        [("v", 0, x), ("u", 0, Grad("v", v))],
    ],
    ids=str,
)
def test_what_defines_nothing_is_refused(definitions: list[tuple[str, int, Term]]) -> None:
    for reuse in (definitions, [*definitions, ("last", 0, x)]):
        refused(certificate([("ring", x, x, [])], reuse))


@pytest.mark.parametrize(
    "row", [None, [], [0], [0, 0], [0, 0, 1], [0, 0, 1, None], [0, 0, 1, None, 0, 0], [0, 0, 99, None, 0],
            [0, True, 1, None, 0], [0, "0", 1, None, 0], [0, 0.0, 1, None, 0], [None, 0, 1, None, 0],
            ["x", 0, 1, None, 0], [{}, 0, 1, None, 0], [0, 0, True, None, 0], {}, "v",
            [0, 10**5000, 1, None, 0], [0, 101, 1, None, 0], [0, -1, 1, None, 0], [0, 1, 1, None, 0],
            [0, 0, 1, 1, 0], [0, 0, 1, 99, 0], [0, 0, 1, "t", 0], [0, 0, 1, None, 1], [0, 0, 1, None, -1],
            [0, 0, 1, None, None], [0, 0, 1, None, True], [2, 0, 1, None, 0], [0, 0, 0, None, 0]],
)  # fmt: skip
def test_definitions_are_rows(row: object) -> None:
    refused({**VALID, "definitions": [row]})
    refused({**VALID, "definitions": [[1, 0, 0, None, 0], row]})


def test_a_definition_of_other_indices_is_another() -> None:
    family = [("v", 1, Mul(θ, Bound(0)))]
    for lhs in (v, Indexed("v", x, x)):
        assert "no such definition" in refused(certificate([("definition", lhs, Mul(θ, x), [])], family))


def test_a_defined_name_has_no_derivative_before_it_is_unfolded() -> None:
    """Above all not 0: v = θ²."""
    square = [("v", 0, Pow(θ, Num(2)))]
    for rule in ("grad_constant", "grad_parameter"):
        for rhs in (Num(0), Num(1)):
            refused(certificate([(rule, Grad("θ", v), rhs, [])], square))
    refused(certificate([("grad_product", Grad("θ", Mul(v, x)), Num(0), [])], square))
    refused(certificate([("grad_constant", Grad("θ", Mul(v, x)), Num(0), [])], square))
    hidden = App("f", [v], params=[θ])
    refused(
        certificate(
            [("ring", Grad("θ", hidden), App("f", [v], params=[θ], partials=[(2, None)]), [])], square
        )
    )
    # where it hides no θ it is a constant
    assert check(certificate([("grad_constant", Grad("θ", v), Num(0), [])], [("v", 0, x)]))
    refused(certificate([("grad_constant", Grad("v", x), Num(0), [])], [("v", 0, x)]))


def test_an_arrow_over_a_name_defined_with_a_stop_stays() -> None:
    family = [("v", 1, Mul(Stop(θ), Bound(0)))]
    at_i = Indexed("v", x)
    assert "unfold it first" in refused(certificate([("eval_free", Eval(at_i), at_i, [])], family))
    assert check(certificate([("eval_free", Eval(at_i), at_i, [])], [("v", 1, Mul(θ, Bound(0)))]))
    refused(certificate([("eval_free", Eval(Sum(Num(1), x, at_i)), Sum(Num(1), x, at_i), [])], family))


def test_the_reason_says_where() -> None:
    three = [("ring", x, x, []), ("ring", θ, θ, []), ("ring", x, θ, [])]
    verdict = check(certificate(three))
    assert verdict.reason == "rejected at step 3: the two sides are different polynomials"
    assert verdict.steps == 2


def test_a_number_of_the_certificate_is_exact() -> None:
    tiny = Num(Fraction(1, 10**60))
    assert check(certificate([("ring", Mul(tiny, x), Mul(x, tiny), [])]))
    refused(certificate([("ring", Add(x, tiny), x, [])]))
