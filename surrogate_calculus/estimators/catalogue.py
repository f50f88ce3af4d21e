"""Reading the catalogue's documents and their claims."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DeclarationError, ParseError, Span
from ..language.declarations import Document, Target
from ..language.document import load
from ..language.names import canonical_name
from ..language.parser import parse
from ..language.terms import Eval, Grad, Term

if TYPE_CHECKING:
    from ..derive import Derivation

__all__ = [
    "ESTIMATORS",
    "Claim",
    "Estimator",
    "claims_of",
    "default_parameters",
    "load_estimator",
    "split_target",
]

_FOLDER = Path(__file__).resolve().parent

#: The names of the entries.
ESTIMATORS: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.sc")))

#: What is said of a result, and whether it must be.
_ITEMS = {"paper": True, "estimator": True, "print": False, "note": False}


@dataclass(frozen=True)
class Claim:
    """What a document claims of one of its ``derive`` statements.

    Attributes:
        name: what the result is: ``score``.
        target: the statement.
        surrogate: what is differentiated: ``log Z``.
        wrt: the parameters of its ∇s, innermost first; () where the target is not of the form ``→∇…∇E``.
        estimator: the formula that it must be equal to, as text.
        paper: where the paper has it.
        misprint: what is wrong there as printed, or "".
        note: what else there is to know, or "".
        document: the document.
    """

    name: str
    target: Target
    surrogate: Term
    wrt: tuple[str, ...]
    estimator: str
    paper: str
    misprint: str
    note: str
    document: Document

    @property
    def order(self) -> int:
        """How often is differentiated."""
        return len(self.wrt)

    @cached_property
    def expected(self) -> Term:
        """The claimed formula."""
        return parse(self.estimator, self.document)

    def derive(self) -> Derivation:
        """What the engine makes of the surrogate; it is not shown the claim."""
        from ..derive import derive

        return derive(self.surrogate, self.wrt or None, given=self.document)


@dataclass(frozen=True)
class Estimator:
    """An entry of the catalogue.

    Attributes:
        name: as in ``@name``.
        title: the first line of its document.
        about: what else its document says before it begins.
        document: the document.
        claims: one for each of its ``derive`` statements.
    """

    name: str
    title: str
    about: str
    document: Document
    claims: tuple[Claim, ...]


def load_estimator(name: str) -> Estimator:
    """An entry of the catalogue.

    Args:
        name: such as ``dpf`` or ``@dpf``.

    Raises:
        ParseError: there is none of that name.
    """
    found = name.strip().removeprefix("@")
    if found not in ESTIMATORS:
        from difflib import get_close_matches

        near = get_close_matches(canonical_name(found).lower(), ESTIMATORS, n=3, cutoff=0.4)
        advice = "@" + " or @".join(near) if near else "one of: " + ", ".join(f"@{n}" for n in ESTIMATORS)
        what = f"the catalogue has no estimator {found!r:.60}"
        raise ParseError(what, instead=advice, text=name or " ", span=Span(0, max(1, len(name))))
    return _load(found)


@cache
def _load(name: str) -> Estimator:
    document = load(_FOLDER / f"{name}.sc")
    lines = document.text.splitlines()
    end = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    title, *about = (line.lstrip("#").strip() for line in lines[:end])
    return Estimator(name, title, " ".join(filter(None, about)), document, claims_of(document))


def claims_of(document: Document) -> tuple[Claim, ...]:
    """What a document claims of its ``derive`` statements, in ``#:`` comments above them.

    Raises:
        DeclarationError: an item without a name that is known, or that is missing.
    """
    return tuple(
        claim for claim in (_claim(document, target) for target in document.targets) if claim is not None
    )


def _claim(document: Document, target: Target) -> Claim | None:
    text = document.text
    end = text.rfind("\n", 0, target.span.start) + 1
    lines: list[tuple[int, str]] = []  # the comments above, the last first, with where each stands
    while end > 0:
        start = text.rfind("\n", 0, end - 1) + 1
        line = text[start:end].rstrip()
        if not line.startswith("#:"):
            break
        lines.append((start, line))
        end = start
    if not lines:
        return None

    def wrong(what: str, instead: str, start: int, line: str) -> DeclarationError:
        span = Span(start, start + len(line))
        return DeclarationError(what, instead=instead, text=text, span=span, file=document.file)

    (_, head), *rest = reversed(lines)
    items: dict[str, str] = {}
    last = ""
    for start, line in rest:
        body = line[2:]
        key, colon, value = body.strip().partition(":")
        if colon and len(body) - len(body.lstrip()) == 3:
            if key not in _ITEMS or key in items:
                raise wrong(f"{key!r:.40} is said twice or is nothing to say of a result",
                            f"one of: {', '.join(_ITEMS)}", start, line)  # fmt: skip
            items[key], last = value.strip(), key
        elif last:
            items[last] += " " + body.strip()
        else:
            raise wrong("this belongs to nothing", "#:   paper: Eq. 13", start, line)
    for key, needed in _ITEMS.items():
        if needed and not items.get(key):
            raise wrong(f"the {key} is missing", f"#:   {key}: …", *lines[-1])
    surrogate, wrt = split_target(target.term)
    return Claim(
        head[2:].strip(), target, surrogate, wrt, items["estimator"], items["paper"],
        items.get("print", ""), items.get("note", ""), document,
    )  # fmt: skip


def split_target(term: Term) -> tuple[Term, tuple[str, ...]]:
    """What ``→(∇…∇E)`` differentiates, and in what, innermost first; another term is itself, in nothing."""
    inner = term
    names: list[str] = []
    if isinstance(inner, Eval):
        inner = inner.args[0]
        while isinstance(inner, Grad):
            names.append(inner.param)
            inner = inner.args[0]
    return (inner, tuple(reversed(names))) if names else (term, ())


def default_parameters(document: Document) -> tuple[str, ...]:
    """The parameter of a document that is meant where none is named.

    That of its first ``derive`` statement, else its only one; () where neither is.
    """
    for target in document.targets:
        _, names = split_target(target.term)
        if names:
            return names[-1:]
    return tuple(document.parameters) if len(document.parameters) == 1 else ()
