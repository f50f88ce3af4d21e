"""Terms from plain data: the strict reading of a node table.

A node table is a list of rows ``[tag, key, [child, …]]``, children before parents, as ``json.loads`` gives
it; a binder's row may have the name of its index behind.  What is not a term of the language is refused, in
bounded time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any

from .names import RESERVED, is_name
from .terms import CONSTRUCTORS, FUNCTIONS, Axis, Bound, Store, Term

__all__ = [
    "LIMITS",
    "Malformed",
    "Reader",
    "a_name",
    "integer",
    "item_of",
    "list_of",
    "number_below",
    "one_of",
    "or_none",
    "read_nodes",
    "reference",
    "row_of",
    "sequence",
    "shown",
]

#: What plain data may have at most, so that a hostile one is refused in bounded time.
LIMITS = {"nodes": 5_000_000, "steps": 5_000_000, "args": 1_000_000, "digits": 4_000, "name": 1_000}

_ARITY = {"pow": 2, "stop": 1, "eval": 1, "sum": 3, "prod": 3, "expect": 2, "cond_expect": 2}


class Malformed(Exception):
    """Plain data that is not what it should be, with the reason."""


def sequence(value: object, what: str, limit: int, exactly: bool = False) -> Sequence[Any]:
    """The value, if it is a list no longer than the limit, or of that very length.

    Raises:
        Malformed: otherwise.
    """
    if not isinstance(value, list):
        raise Malformed(f"{what} must be a list")
    if len(value) > limit:
        raise Malformed(f"{what} has {len(value)} entries, more than {limit}")
    if exactly and len(value) < limit:
        raise Malformed(f"{what} has {limit} entries, not {len(value)}")
    return value


def reference(value: object, items: Sequence[Any], what: str) -> Any:
    """The item of that number.

    Raises:
        Malformed: there is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(items):
        raise Malformed(f"there is no {what} {shown(value)}")
    return items[value]


def shown(value: object) -> str:
    """The value for a message: short, whatever it is."""
    small = isinstance(value, str) or (isinstance(value, int) and value.bit_length() < 100)
    return repr(value)[:40] if small else f"({type(value).__name__})"


def integer(value: object, below: int, what: str) -> int:
    """The value, if it is a whole number from 0 to below a limit.

    Raises:
        Malformed: otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
        raise Malformed(f"{what} must be a whole number below {below}")
    return value


def a_name(value: object, what: str = "a name") -> str:
    """The value, if it is spelled like a name of the language: what else would a reader take it for?

    Reserved words pass: terms may be made of them, if not declared.

    Raises:
        Malformed: otherwise.
    """
    if not isinstance(value, str) or len(value) > LIMITS["name"]:
        raise Malformed(f"{what} must be a name")
    if value not in RESERVED and not is_name(value):
        raise Malformed(f"{what} must be a name of the language")
    return value


#: What reads a value, or raises Malformed.
Reader = Callable[[object], Any]


def number_below(limit: int, what: str) -> Reader:
    """Reads a whole number from 0 to below a limit."""
    return lambda value: integer(value, limit, what)


def item_of(items: Sequence[Any], what: str) -> Reader:
    """Reads the number of an item, of those that there are by then."""
    return lambda value: reference(value, items, what)


def list_of(reader: Reader, what: str) -> Reader:
    """Reads a list of what is read alike."""
    return lambda value: [reader(entry) for entry in sequence(value, what, LIMITS["steps"])]


def row_of(what: str, *readers: Reader) -> Reader:
    """Reads a list of so many entries, each in its way."""

    def read(value: object) -> tuple[Any, ...]:
        row = sequence(value, what, len(readers), exactly=True)
        return tuple([reader(entry) for reader, entry in zip(readers, row, strict=True)])

    return read


def one_of(choices: Collection[str], what: str) -> Reader:
    """Reads a text of a closed list."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            listed = f": one of {', '.join(choices)}" if len(choices) < 20 else ""
            raise Malformed(f"there is no {what} {shown(value)}{listed}")
        return value

    return read


def or_none(reader: Reader) -> Reader:
    """Reads null, or what is read otherwise."""
    return lambda value: None if value is None else reader(value)


def read_nodes(rows: object, store: Store) -> list[Term]:
    """The terms of a node table, in the store.

    Raises:
        Malformed: a row that is no node of the language, or refers to a later row.
    """
    nodes: list[Term] = []
    for number, row in enumerate(sequence(rows, "nodes", LIMITS["nodes"])):
        if not isinstance(row, list) or len(row) not in (3, 4):
            raise Malformed(f"node {number} must be [tag, key, children]")
        cls = CONSTRUCTORS.get(row[0]) if isinstance(row[0], str) else None
        if cls is None:
            raise Malformed(f"node {number}: there is no constructor {shown(row[0])}")
        children = sequence(row[2], f"the children of node {number}", LIMITS["args"])
        args = tuple(nodes[integer(c, number, f"a child of node {number}")] for c in children)
        hint = None
        if "hint" in cls.__slots__ or hasattr(cls, "hint"):
            hint = row[3] if len(row) == 4 else "i"  # for readers only: "" too
            hint = "" if hint == "" else a_name(hint, f"the hint of node {number}")
        elif len(row) == 4:
            raise Malformed(f"node {number}: {row[0]} has no bound name")
        try:
            key = _read_key(cls.tag, row[1], len(args))
        except Malformed as reason:
            raise Malformed(f"node {number}: {reason}") from None
        nodes.append(store.node(cls, key, args, hint))
    return nodes


def _read_key(tag: str, key: object, n_args: int) -> Any:
    """The payload of a node, with the number of children that the constructor wants."""
    wanted = _ARITY.get(tag)
    if tag in ("add", "mul"):
        if n_args < 2:
            raise Malformed(f"{tag} needs two or more children")
    elif tag == "indexed":
        if n_args < 1:
            raise Malformed("a family needs an index")
        return a_name(key, "a family")
    elif tag == "grad":
        if n_args not in (1, 2):
            raise Malformed("∇ has a body and at most one coordinate")
        return a_name(key, "a parameter")
    elif tag == "grads":
        if n_args != 2:
            raise Malformed("∇ᵏ has an order and a body")
        return a_name(key, "a parameter")
    elif tag == "fn":
        if not isinstance(key, str) or FUNCTIONS.get(key) != n_args:
            raise Malformed("no such function with so many arguments")
        return key
    elif tag == "app":
        return _read_application(key, n_args)
    elif tag in ("num", "sym", Bound.tag, Axis.tag):
        if n_args:
            raise Malformed(f"{tag} has no children")
        if tag == "sym":
            return a_name(key, "a symbol")
        if tag == "num":
            return _number(key)
        return integer(key, 10**6, "an index")
    elif wanted != n_args:
        raise Malformed(f"{tag} has {wanted} children, not {n_args}")
    if key is not None:
        raise Malformed(f"{tag} has no key")
    return None


def _number(key: object) -> Fraction:
    if not isinstance(key, str) or len(key) > LIMITS["digits"]:
        raise Malformed("a number is a string such as '-2/3'")
    top, _, bottom = key.partition("/")
    if not (top.removeprefix("-").isascii() and top.removeprefix("-").isdigit()):
        raise Malformed("a number is a string such as '-2/3'")
    if bottom and not (bottom.isascii() and bottom.isdigit() and int(bottom)):
        raise Malformed("a number has a positive denominator")
    return Fraction(int(top), int(bottom or "1"))


def _read_application(key: object, n_args: int) -> Any:
    if not isinstance(key, list) or len(key) != 5:
        raise Malformed("an application's key is [name, arguments, given, parameters, partials]")
    counts = [integer(c, LIMITS["args"], "a number of slots") for c in key[1:4]]
    partials = []
    for entry in sequence(key[4], "partials", 1000):
        if not isinstance(entry, list) or len(entry) != 2:
            raise Malformed("a partial is [slot, has a coordinate]")
        slot = integer(entry[0], sum(counts) + 1, "a slot")
        partials.append((slot, bool(integer(entry[1], 2, "a flag"))))
        if not slot:
            raise Malformed("slots are numbered from 1")
    if partials != sorted(partials) or n_args != sum(counts) + sum(has for _, has in partials):
        raise Malformed("the slots and partials do not fit the children")
    return (a_name(key[0], "a function"), *counts, tuple(partials))
