"""Certificates written to break the kernel: each is answered, with a reason, in bounded time and memory."""

from __future__ import annotations

import copy
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from malicious import ATTACKS, certificate
from timing import allowed
from typer.testing import CliRunner

import surrogate_calculus
from surrogate_calculus.cli import app
from surrogate_calculus.estimators import load_estimator
from surrogate_calculus.kernel import check

#: What an answer may cost, for certificates of up to some megabytes.
SECONDS, MEGABYTES = 3, 1500


# ------------------------------------------------------------------------------------ time and memory
@pytest.mark.parametrize("name", ATTACKS)
def test_answered_in_bounded_time_and_memory(name: str) -> None:
    here = Path(__file__)
    command = [sys.executable, str(here.with_name("malicious.py")), name, str(MEGABYTES), str(20 * SECONDS)]
    environment = {**os.environ, "PYTHONPATH": str(Path(surrogate_calculus.__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, (done.returncode, done.stderr[-300:])
    status, reason, seconds = json.loads(done.stdout)
    assert seconds < SECONDS or seconds < allowed(SECONDS)
    assert status in ("proved", "undecided") and (status == "proved" or reason)
    assert "fields missing" not in reason and "version" not in reason  # it was looked at


# ---------------------------------------------------------------------------------------- any data
DICE: Any = json.loads(json.dumps(load_estimator("dice").claims[1].derive().certificate))
HOSTILE = [
    None, True, False, -1, 0, 1, 10**6, -(10**4000), 10**4000, 0.5, -0.0, 1e308, math.nan, math.inf,
    -math.inf, "", "θ", "?A", "?θ", "\0", "\x1b[2J", "../../etc/passwd", "/dev/zero", "__class__",
    "x" * 10**6, "\ud800", "1" * 5000, "-", "1/0", "1/-1", "١", "1e9", " 1", "0x1", "½",
    [], {}, [[]], [{}], {"": None}, [[[[]]]],
]  # fmt: skip


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every list and object in data, with each of its keys."""
    found, todo = [], [data]
    while todo:
        here = todo.pop()
        keys = list(here) if isinstance(here, dict) else range(len(here))
        for key in keys:
            found.append((here, key))
            if isinstance(here[key], (dict, list)):
                todo.append(here[key])
    return found


def answered(data: Any) -> bool:
    """Whether it is proved; nothing but a verdict may come out, with a reason where it is not."""
    verdict = check(data)
    assert verdict.status in ("proved", "undecided")
    assert bool(verdict) == (verdict.reason == "")
    return bool(verdict)


def test_every_place_of_a_certificate_with_hostile_values(rng: random.Random) -> None:
    """All places, at each a few of the values: seldom is the certificate proved nevertheless."""
    data, proved = copy.deepcopy(DICE), 0
    spots = places(data)
    for here, key in spots:
        before = here[key]
        for value in rng.sample(HOSTILE, 8):
            if repr(before) != repr(value):
                here[key] = value
                proved += answered(data)
        here[key] = before
    assert len(spots) > 300 and proved < len(spots) and answered(data)


@given(st.randoms(use_true_random=False), st.integers(2, 6))
@settings(max_examples=max(150, settings().max_examples))
def test_several_hostile_values_at_once(rng: Any, count: int) -> None:
    data = copy.deepcopy(DICE)
    for _ in range(count):
        spots = places(data)
        if not spots:
            break
        here, key = rng.choice(spots)
        change = rng.randrange(5)
        if change == 0 and isinstance(here, list):
            del here[key]
        elif change == 1 and isinstance(here, list):
            here.insert(key, copy.deepcopy(rng.choice(spots)[0]))
        elif change == 2:
            other, name = rng.choice(spots)
            here[key] = copy.deepcopy(other[name])
        else:
            here[key] = copy.deepcopy(rng.choice(HOSTILE))
    answered(data)


@pytest.mark.parametrize("where", ["nodes", "steps", "definitions", "assumptions", "dependence", "claim"])
def test_references_go_back_only(where: str) -> None:
    """No cycles and no forward references, of whatever kind."""
    data = copy.deepcopy(DICE)
    last = len(data["nodes"])
    bad = {
        "nodes": ["stop", None, [last]],
        "steps": ["symmetry", data["steps"][-1][2], data["steps"][-1][1], [len(data["steps"])]],
        "definitions": [last, 0, last, None, 1],
        "assumptions": ["positive", 0],
        "dependence": ["x", [0]],
    }
    if where == "claim":
        data["claim"] = ["=", last, last]
    else:
        data[where].append(bad[where])
    assert not answered(data)


@pytest.mark.parametrize("extra", ["axioms!", "nodes ", "Claim", "__proto__", ""])
def test_no_field_is_overlooked(extra: str) -> None:
    assert not answered({**DICE, extra: []})


def test_what_is_nested_deep_is_read_without_recursion() -> None:
    deep: Any = []
    for _ in range(10**6):
        deep = [deep]
    for name in DICE:
        assert not answered({**DICE, name: deep})
    while deep:  # taken apart by hand: Python would recurse
        deep = deep.pop()


def test_booleans_are_no_numbers() -> None:
    data = copy.deepcopy(DICE)
    data["steps"][0][1] = bool(data["steps"][0][1])
    assert not answered(data)
    assert not answered({**DICE, "version": True})


def test_reasons_are_short() -> None:
    data = copy.deepcopy(DICE)
    data["steps"][0][0] = "x" * 10**6
    assert len(check(data).reason) < 600


# ------------------------------------------------------------------------------------------- names
SPELLED = ["1", "0 * x", "→(∇θ log Z)", "x = y", "x\n  = 2", "x\x1b[2J\x1b[1m", "a\rb", "\u202ex", " ", "⊥"]


@pytest.mark.parametrize("name", SPELLED)
def test_a_name_is_one(name: str) -> None:
    """What a reader is shown as ``1 = 2`` is no definition of a name that is spelled 1."""
    for row in (
        ["sym", name, []],
        ["indexed", name, [0]],
        ["grad", name, [0]],
        ["app", [name, 1, 0, 0, []], [0]],
    ):
        nodes = [["num", "2", []], row]
        assert not answered(certificate(nodes, [["ring", 1, 1, []]])), row
    nodes = [["sym", name, []], ["num", "2", []]]
    assert not answered(certificate(nodes, [["definition", 0, 1, []]], [[0, 0, 1, None, 0]]))


# ------------------------------------------------------------------------------------- the command
def _run(tmp_path: Path, text: str | bytes) -> tuple[int, str]:
    file = tmp_path / "certificate.json"
    if isinstance(text, bytes):
        file.write_bytes(text)
    else:
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
    result = CliRunner().invoke(app, ["check", str(file)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


GOOD = json.dumps(certificate([["sym", "x", []]], [["ring", 0, 0, []]]))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 2),
        ("[" * 10**6, 2),
        ('{"a":' * 10**5, 2),
        (bytes(range(256)), 2),
        ("[]", 1),
        ("null", 1),
        ("9" * 10**5, 2),
        ("1e999999999", 1),
        (GOOD.replace('"version": ', '"version": 1'), 1),
        (GOOD.replace('["=", 0, 0]', '["=", NaN, -Infinity]'), 1),
        (GOOD.replace('["ring", 0', '["ring", 1e400'), 1),
        (GOOD.replace('["ring", 0', '["ring", -1'), 1),
        (GOOD.replace('["ring", 0', '["ring", ' + "7" * 10**5), 2),
        (GOOD[:-1] + ', "unknown": 0}', 1),
        (GOOD + GOOD, 2),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, (str, bytes)) else "",
)
def test_the_command_answers(text: str | bytes, status: int, tmp_path: Path) -> None:
    found, output = _run(tmp_path, text)
    assert found == status and "Traceback" not in output and len(output) < 2000, output[:500]


def test_the_command_takes_what_is_right(tmp_path: Path) -> None:
    assert _run(tmp_path, GOOD)[0] == 0


def test_no_key_stands_twice(tmp_path: Path) -> None:
    assert _run(tmp_path, GOOD[:-1] + ', "steps": [["ring", 0, 0, []]]}')[0] != 0
