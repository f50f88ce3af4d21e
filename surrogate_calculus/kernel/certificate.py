"""Certificates: derivations as plain data, and the strict reading of them.

A certificate is what ``json.loads`` returns: dicts, lists, strings and ints.

.. code-block:: text

    {"format": "surrogate-calculus certificate", "version": 3,
     "nodes":       [[tag, key, [child, …]], …],          # children before parents
     "definitions": [[left, arity, body, measure or null, group], …],
     "dependence":  [[name, [name, …]], …],               # of paths on particles
     "assumptions": [[kind, name], …],
     "samples":     [[left, arity, law, first time or null], …],   # how families are drawn, in order
     "steps":       [[rule, left, right, [premise, …]], …],   # nodes; earlier steps
     "claim":       [relation, left, right]}              # the conclusion of the last step

A step may have a fifth entry, ``[[name, number of slots, node], …]``: what the rule is told besides.

Derivations are DAGs, so a table: a step over a node serves every place where the node occurs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..language.nodes import LIMITS, a_name, sequence
from .facts import ASSUMPTIONS
from .judgement import Rejection

__all__ = ["FORMAT", "VERSION", "fields", "read_assumptions", "read_dependence"]

FORMAT = "surrogate-calculus certificate"
VERSION = 3


def read_assumptions(rows: object) -> list[tuple[str, str]]:
    """The assumptions about names.

    Raises:
        Rejection: one that is not of the closed list.
    """
    out = []
    for row in sequence(rows, "assumptions", LIMITS["nodes"]):
        if not isinstance(row, list) or len(row) != 2 or row[0] not in ASSUMPTIONS:
            raise Rejection(f"an assumption is [kind, name] with a kind of {', '.join(ASSUMPTIONS)}")
        out.append((str(row[0]), a_name(row[1], "an assumption's name")))
    return out


def read_dependence(rows: object) -> list[tuple[str, list[str]]]:
    """What names depend on although no definition says so.

    Raises:
        Rejection: a row that is not [name, names].
    """
    out = []
    for row in sequence(rows, "dependence", LIMITS["nodes"]):
        path, others = sequence(row, "a dependence", 2, exactly=True)
        names = sequence(others, "the names of a dependence", LIMITS["args"])
        out.append((a_name(path, "a path"), [a_name(n, "a dependence") for n in names]))
    return out


def fields(certificate: object, names: Sequence[str]) -> Mapping[str, Any]:
    """The certificate, if it has just these fields and is of this format.

    Raises:
        Rejection: otherwise.
    """
    if not isinstance(certificate, dict):
        raise Rejection("a certificate is an object")
    missing = [n for n in names if n not in certificate]
    unknown = [str(n)[:40] for n in certificate if n not in names]
    if missing or unknown:
        raise Rejection(f"fields missing: {missing}, unknown: {unknown}")
    version = certificate["version"]
    if certificate["format"] != FORMAT or isinstance(version, bool) or version != VERSION:
        raise Rejection(f"not a {FORMAT} of version {VERSION}")
    return certificate
