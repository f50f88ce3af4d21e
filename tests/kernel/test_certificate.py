"""Reading certificates: terms survive the node table, and nothing else gets in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from strategies_terms import terms

from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.kernel.certificate import FORMAT, VERSION, fields, read_assumptions
from surrogate_calculus.kernel.judgement import Rejection
from surrogate_calculus.language.nodes import LIMITS, Malformed, read_nodes, sequence
from surrogate_calculus.language.terms import (
    CONSTRUCTORS,
    Axis,
    Bound,
    Num,
    Store,
    Sum,
    Sym,
    Term,
    postorder,
)

X = ["sym", "x", []]
ONE = ["num", "1", []]


def read(*rows: Any) -> Term:
    return read_nodes(list(rows), Store())[-1]


@given(terms())
def test_terms_survive_the_node_table(term: Term) -> None:
    table = NodeTable()
    table.add(postorder(term))
    rows = json.loads(json.dumps(table.rows))
    store = Store()
    nodes = read_nodes(rows, store)
    again = nodes[table[term]]
    assert again == term and again is store.add(term)
    assert [getattr(n, "hint", None) for n in postorder(again)] == [
        getattr(n, "hint", None) for n in postorder(store.add(term))
    ]


GOOD = {
    "num": [["num", "-2/3", []]],
    "sym": [X],
    "bound": [["bound", 0, []]],
    "axis": [["axis", 1, []]],
    "indexed": [X, ["indexed", "w", [0, 0]]],
    "add": [X, ["add", None, [0, 0, 0]]],
    "mul": [X, ONE, ["mul", None, [1, 0]]],
    "pow": [X, ["pow", None, [0, 0]]],
    "fn": [X, ["fn", "max", [0, 0]]],
    "app": [X, ["app", ["f", 1, 1, 1, [[1, 0], [3, 1]]], [0, 0, 0, 0]]],
    "stop": [X, ["stop", None, [0]]],
    "eval": [X, ["eval", None, [0]]],
    "grad": [X, ["grad", "x", [0, 0]]],
    "grads": [X, ["grads", "x", [0, 0]]],
    "cond_expect": [X, ["cond_expect", None, [0, 0]]],
    "sum": [ONE, ["bound", 0, []], ["sum", None, [0, 0, 1], "i"]],
    "prod": [ONE, ["bound", 0, []], ["prod", None, [0, 0, 1]]],
    "expect": [["bound", 0, []], ["app", ["p", 1, 0, 0, []], [0]], ["expect", None, [1, 0], "x"]],
}


@pytest.mark.parametrize("tag", CONSTRUCTORS)
def test_every_constructor_is_read(tag: str) -> None:
    assert read(*GOOD[tag]).tag == tag


def test_what_is_read() -> None:
    assert read(["num", "4/6", []]) == read(["num", "2/3", []])
    assert read(["bound", 3, []]) == Bound(3) and read(["bound", 3, []]).loose == 4
    assert read(["axis", 2, []]) == Axis(2)
    assert read(X, ["sum", None, [0, 0, 0], ""]) == Sum(Sym("x"), Sym("x"), Sym("x"))
    assert read(["num", "-0", []]) == Num(0)


BAD_ROWS = [
    None, 0, "sym", {}, [], ["sym", "x"], ["sym", "x", [], "i", "j"], ("sym", "x", []),
    ["nothing", None, []], [None, None, []], [["sym"], "x", []], [0, "x", []], ["Term", None, []],
    ["sym", "x", None], ["sym", "x", {}], ["sym", "x", "0"], ["sym", "x", [0]],
    ["sym", None, []], ["sym", "", []], ["sym", "?A", []], ["sym", "x" * 2000, []], ["sym", 1, []],
    ["sym", "x", [], "i"], ["add", None, [0, 0], "i"],
    ["num", 1, []], ["num", 1.5, []], ["num", None, []], ["num", "1.5", []], ["num", "x", []],
    ["num", "", []], ["num", "-", []], ["num", "--1", []], ["num", "+1", []], ["num", "1/0", []],
    ["num", "1/-2", []], ["num", "1/2/3", []], ["num", " 1", []], ["num", "1e5", []],
    ["num", "٣", []], ["num", "²", []], ["num", "1_0", []], ["num", "nan", []], ["num", "9" * 5000, []],
    ["num", "1", [0]], ["num", True, []],
    ["bound", -1, []], ["bound", "0", []], ["bound", True, []], ["bound", 0.0, []],
    ["bound", 10**9, []], ["bound", 10**5000, []], ["bound", 0, [0]], ["bound", None, []],
    ["axis", -1, []], ["axis", None, []], ["axis", 1, [0]],
    ["indexed", "w", []], ["indexed", "", [0]], ["indexed", None, [0]], ["indexed", "?w", [0]],
    ["add", None, [0]], ["add", None, []], ["add", 0, [0, 0]], ["mul", None, [0]], ["mul", "x", [0, 0]],
    ["add", None, [0, 1]], ["add", None, [0, 2]], ["add", None, [0, -1]], ["add", None, [0, True]],
    ["add", None, [0, 0.0]], ["add", None, [0, None]], ["add", None, [0, [0]]], ["add", None, [0, 10**5000]],
    ["pow", None, [0]], ["pow", None, [0, 0, 0]], ["pow", "x", [0, 0]],
    ["fn", "max", [0]], ["fn", "exp", [0, 0]], ["fn", "nothing", [0]], ["fn", None, [0]], ["fn", [], [0]],
    ["stop", None, []], ["stop", None, [0, 0]], ["stop", "x", [0]], ["eval", None, []], ["eval", 0, [0]],
    ["grad", "x", []], ["grad", "x", [0, 0, 0]], ["grad", None, [0]], ["grad", "", [0]], ["grad", "?θ", [0]],
    ["sum", None, [0, 0]], ["sum", "i", [0, 0, 0]], ["sum", None, [0, 0, 0], None],
    ["sum", None, [0, 0, 0], 3], ["sum", None, [0, 0, 0], "x" * 2000], ["prod", None, [0]],
    ["expect", None, [0]], ["expect", None, [0, 0, 0]], ["expect", "x", [0, 0]],
    ["app", None, [0]], ["app", "f", [0]], ["app", ["f", 1, 0, 0], [0]], ["app", ["f", 1, 0, 0, [], 0], [0]],
    ["app", ["f", 2, 0, 0, []], [0]], ["app", ["f", 0, 0, 0, []], [0]], ["app", ["f", -1, 1, 1, []], [0]],
    ["app", ["f", True, 0, 0, []], [0]], ["app", ["f", "1", 0, 0, []], [0]], ["app", ["", 1, 0, 0, []], [0]],
    ["app", [None, 1, 0, 0, []], [0]], ["app", ["?f", 1, 0, 0, []], [0]],
    ["app", ["f", 1, 0, 0, None], [0]], ["app", ["f", 1, 0, 0, [1]], [0]],
    ["app", ["f", 1, 0, 0, [[1]]], [0]], ["app", ["f", 1, 0, 0, [[0, 0]]], [0]],
    ["app", ["f", 1, 0, 0, [[2, 0]]], [0]], ["app", ["f", 1, 0, 0, [[-1, 0]]], [0]],
    ["app", ["f", 1, 0, 0, [[True, 0]]], [0]], ["app", ["f", 1, 0, 0, [[1, True]]], [0, 0]],
    ["app", ["f", 1, 0, 0, [[1, 2]]], [0]], ["app", ["f", 1, 0, 0, [[1, 1]]], [0]],
    ["app", ["f", 1, 0, 0, [[1, 0]]], [0, 0]], ["app", ["f", 1, 0, 0, [[1.0, 0]]], [0]],
    ["app", ["f", 1, 0, 0, [[1, 0], [1]]], [0]], ["app", ["f", 2, 0, 0, [[2, 0], [1, 0]]], [0, 0]],
    ["app", ["f", 1, 0, 0, [["1", 0]]], [0]], ["app", ["f", 10**9, 0, 0, []], [0]],
    ["app", ["f", 1, 0, 0, [[1, 0]] * 1001], [0]],
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_ROWS)
def test_no_other_row_is_read(row: Any) -> None:
    with pytest.raises((Rejection, Malformed)) as caught:
        read(X, row)
    assert str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("rows", [None, {}, "nodes", 0, (X,), True])
def test_a_table_is_a_list(rows: object) -> None:
    with pytest.raises((Rejection, Malformed), match="must be a list"):
        read_nodes(rows, Store())


def test_lists_have_limits() -> None:
    assert sequence([1, 2], "these", 2) == [1, 2]
    with pytest.raises((Rejection, Malformed), match="these has 3 entries, more than 2"):
        sequence([1, 2, 3], "these", 2)
    assert all(limit > 0 for limit in LIMITS.values())


@pytest.mark.parametrize(
    "rows",
    [None, [[]], [["positive"]], [["positive", "p", 0]], [["true", "p"]], [[["positive"], "p"]],
     [["positive", ""]], [["positive", None]], [["positive", "?A"]], [{"positive": "p"}], ["positive"]],
    ids=repr,
)  # fmt: skip
def test_only_assumptions_of_the_closed_list_are_read(rows: object) -> None:
    with pytest.raises((Rejection, Malformed)):
        read_assumptions(rows)


def test_assumptions() -> None:
    assert read_assumptions([["positive", "p"], ["count", "N"]]) == [("positive", "p"), ("count", "N")]


@pytest.mark.parametrize(
    "certificate",
    [
        None, [], "{}", 0,
        {},
        {"format": FORMAT, "version": VERSION},
        {"format": FORMAT, "version": VERSION, "nodes": [], "more": 1},
        {"format": FORMAT, "version": VERSION, "nodes": [], 3: 1},
        {"format": "other", "version": VERSION, "nodes": []},
        {"format": None, "version": VERSION, "nodes": []},
        {"format": FORMAT, "version": VERSION + 1, "nodes": []},
        {"format": FORMAT, "version": str(VERSION), "nodes": []},
        {"format": FORMAT, "version": True, "nodes": []},
        {"format": FORMAT, "version": None, "nodes": []},
    ],
    ids=repr,
)  # fmt: skip
def test_just_the_fields_of_the_format(certificate: object) -> None:
    with pytest.raises((Rejection, Malformed)):
        fields(certificate, ("format", "version", "nodes"))


def test_the_fields() -> None:
    certificate = {"format": FORMAT, "version": VERSION, "nodes": []}
    assert fields(certificate, ("format", "version", "nodes")) is certificate
