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

from ..language.nodes import a_name, list_of, one_of, row_of
from .facts import ASSUMPTIONS
from .judgement import Rejection

__all__ = ["FORMAT", "VERSION", "fields", "read_assumptions"]

FORMAT = "surrogate-calculus certificate"
VERSION = 3


#: Reads the assumptions about names, (kind, name), of the closed list.
read_assumptions = list_of(row_of("an assumption", one_of(ASSUMPTIONS, "assumption"), a_name), "assumptions")


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
