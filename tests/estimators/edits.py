"""Documents edited as text: other names, another order, something that is not used."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.scanner import scan, statements
from surrogate_calculus.language.terms import Add, App, Grad, Indexed, Mul, Sym, Term, postorder, rebuild

__all__ = [
    "names_in",
    "new_names",
    "permuted",
    "rename",
    "rename_text",
    "shape",
    "statements_of",
    "with_unused",
]


def statements_of(text: str) -> list[str]:
    """The statements of a document, each with the lines that continue it; comments are left out."""
    out = []
    for tokens in statements(scan(text), text):
        if tokens:
            piece = text[tokens[0].start : tokens[-1].end]
            out.append(re.sub(r"\s*(#.*)?\n\s*", " ", piece))
    return out


def new_names(document: Document) -> dict[str, str]:
    """Another name for everything that a document declares."""
    maps = {line.map for line in document.lineages.values()}
    return {name: f"z{k}y" for k, name in enumerate(document.names()) if name not in maps}


def rename_text(text: str, names: Mapping[str, str]) -> str:
    """A text of the language with other names."""
    out, position = [], 0
    for token in scan(text):
        if token.type == "NAME" and token.value in names:
            out += [text[position : token.start], names[token.value]]
            position = token.end
    return "".join([*out, text[position:]])


def rename(term: Term, names: Mapping[str, str]) -> Term:
    """A term with other names."""
    new: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(new[id(a)] for a in node.args)
        found = rebuild(node, args)
        if isinstance(node, Sym):
            found = Sym(names.get(node.name, node.name))
        elif isinstance(node, Indexed):
            found = Indexed(names.get(node.name, node.name), *args)
        elif isinstance(node, Grad):
            found = Grad(names.get(node.param, node.param), *args)
        elif isinstance(found, App):
            found = App(
                names.get(found.name, found.name), found.arguments, found.given, found.params, found.partials
            )
        new[id(node)] = found
    return new[id(term)]


def names_in(term: Term) -> set[str]:
    """The names of symbols, families, functions and parameters of a term."""
    nodes = postorder(term)
    out = {n.name for n in nodes if isinstance(n, (Sym, Indexed, App))}
    return out | {n.param for n in nodes if isinstance(n, Grad)}


def shape(term: Term) -> str:
    """A text that is the same for terms that differ in the order of summands and factors only."""
    found: dict[int, str] = {}
    for node in postorder(term):
        inner = [found[id(a)] for a in node.args]
        if isinstance(node, (Add, Mul)):
            inner.sort()
        found[id(node)] = f"{type(node).__name__}<{node.key}>({','.join(inner)})"
    return found[id(term)]


def permuted(text: str, rng: random.Random) -> str:
    """The document with its definitions in another order."""
    pieces = statements_of(text)
    places = [k for k, piece in enumerate(pieces) if piece.startswith("define ")]
    shuffled = rng.sample(places, len(places))
    out = list(pieces)
    for place, other in zip(places, shuffled, strict=True):
        out[place] = pieces[other]
    return "\n".join(out) + "\n"


def with_unused(document: Document) -> str:
    """The document with a family by recursion, and a density, that nothing uses."""
    pieces = statements_of(document.text)
    scalars = [n for n, bounds in document.parameters.items() if bounds is None]
    factor = f"unused(1; {scalars[0]})" if scalars else "2"
    first = next(k for k, piece in enumerate(pieces) if piece.startswith("define "))
    new = [f"function unused(u7; {scalars[0]})"] if scalars else []
    if "t" in document.indices:
        new += ["define u9[0] = 1", f"define u9[t] = {factor} * u9[t-1]", "define u8[t] = log u9[t]"]
    else:
        new += [f"define u9 = {factor}", "define u8 = log u9"]
    return "\n".join([*pieces[:first], *new, *pieces[first:]]) + "\n"
