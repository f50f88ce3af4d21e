"""What a document declares, and the check of each use of a name against it.

Every name has one meaning in a document.  It is declared by a statement, or by standing in a slot
left of ``;`` in the signature of a density or function: then it is a variable, plain or with any
indices, unless ``variable`` or ``observed`` says which indices it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import DeclarationError, Span
from .binding import substitute
from .names import closest
from .terms import HAS_BARE_STOP, Indexed, Num, Store, Sym, Term, postorder, rebuild

__all__ = ["Definition", "Document", "Range", "Signature", "Target", "Uses"]

#: First and last value of an index.
Range = tuple[Term, Term]
#: For each index of a family its range, or None where it is not known; None for any indices.
Shape = tuple[Range | None, ...] | None

@dataclass(frozen=True, slots=True)
class Signature:
    """How a density or function is applied: the slots of its declaration."""

    name: str
    arguments: tuple[Term, ...]
    given: tuple[Term, ...]
    params: tuple[Term, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Numbers of arguments, conditions and parameters."""
        return len(self.arguments), len(self.given), len(self.params)

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.arguments))
        inside += " | " + ", ".join(map(str, self.given)) if self.given else ""
        inside += "; " + ", ".join(map(str, self.params)) if self.params else ""
        return f"{self.name}({inside})"


@dataclass(frozen=True, slots=True)
class Definition:
    """``define name[indices] = body``; in the body the indices are free symbols."""

    name: str
    indices: tuple[str, ...]
    body: Term


@dataclass(frozen=True, slots=True)
class Target:
    """``derive term``, with its text and where that stands in the document."""

    term: Term
    text: str
    span: Span


@dataclass(frozen=True)
class Document:
    """The declarations, definitions and targets of a document, in the order of their statements.

    Attributes:
        counts: names of positive whole numbers.
        parameters: each parameter, with the range of its index where it is a vector.
        indices: each index name, with its range.
        observed: each observed name, with the ranges of its indices.
        variables: each other variable, with the ranges of its indices, or None for any.
        densities: positive functions, each of which integrates to one in what stands left of ``|``.
        functions: smooth functions of any sign.
        definitions: named terms; each uses only earlier ones.
        targets: what is to be derived.
        text: the source.
        file: where it came from.
    """

    counts: tuple[str, ...] = ()
    parameters: Mapping[str, Range | None] = field(default_factory=dict)
    indices: Mapping[str, Range] = field(default_factory=dict)
    observed: Mapping[str, Shape] = field(default_factory=dict)
    variables: Mapping[str, Shape] = field(default_factory=dict)
    densities: Mapping[str, Signature] = field(default_factory=dict)
    functions: Mapping[str, Signature] = field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()
    targets: tuple[Target, ...] = ()
    text: str = ""
    file: str | None = None

    def kind(self, name: str) -> str | None:
        """What the name is declared as, in words, or None."""
        if name in self.counts:
            return "a count"
        if name in self.parameters:
            return "a parameter"
        if name in self.indices:
            return "an index"
        if name in self.observed:
            return "observed"
        if name in self.densities:
            return "a density"
        if name in self.functions:
            return "a function"
        if any(d.name == name for d in self.definitions):
            return "defined"
        return "a variable" if name in self.variables else None

    def declares(self, name: str) -> bool:
        """Whether the name has a meaning here."""
        return self.kind(name) is not None

    def names(self) -> list[str]:
        """Every declared name."""
        return [
            *self.counts, *self.parameters, *self.indices, *self.observed, *self.variables,
            *self.densities, *self.functions, *(d.name for d in self.definitions),
        ]  # fmt: skip

    def definition(self, name: str) -> Definition | None:
        """The definition of a name."""
        return next((d for d in self.definitions if d.name == name), None)

    def signature(self, name: str) -> Signature | None:
        """The signature of a density or function."""
        return self.densities.get(name) or self.functions.get(name)

    def parameter_is_vector(self, name: str) -> bool:
        """Whether the name is a parameter that was declared with an index."""
        return self.parameters.get(name) is not None

    @property
    def vector_names(self) -> frozenset[str]:
        """Names of the vector parameters."""
        return frozenset(n for n, r in self.parameters.items() if r is not None)

    def scope(self) -> Uses:
        """The check of names for the parser."""
        return Uses(self)

    def unfold(self, term: Term) -> Term:
        """The term with every defined name replaced by its body, to the bottom.

        Linear in the DAG of the result; nothing is captured, for bodies are closed and what is put
        in for their indices is shifted under their binders.
        """
        table: dict[str, Definition] = {}
        for definition in self.definitions:
            table[definition.name] = Definition(
                definition.name, definition.indices, _unfold(definition.body, table)
            )
        return _unfold(term, table)


def _unfold(term: Term, table: Mapping[str, Definition]) -> Term:
    """Replace names by bodies that are unfolded already."""
    if not table:
        return term
    root = Store().add(term)
    done: dict[int, Term] = {}
    for node in postorder(root):
        args = tuple(done[id(a)] for a in node.args)
        found = table.get(node.key) if isinstance(node, (Sym, Indexed)) else None
        if found is not None and len(found.indices) == len(args):
            done[id(node)] = substitute(found.body, dict(zip(found.indices, args, strict=True)))
        else:
            done[id(node)] = rebuild(node, args)
    return done[id(root)]


class Uses:
    """The parser's questions about names, answered by a document.

    Args:
        document: what is declared so far.
        local: indices that the head of a definition brings into scope.
        defining: the name that is being defined, whose use would be a recursion.
        signature: whether slots of a signature are read, where a name may be new.
        ranges: whether the range of an index is read, whose names are counts.
    """

    __slots__ = ("_defining", "_document", "_local", "_ranges", "_signature")

    def __init__(
        self,
        document: Document,
        local: Sequence[str] = (),
        defining: str | None = None,
        signature: bool = False,
        ranges: bool = False,
    ) -> None:
        self._document = document
        self._ranges = ranges
        self._local = frozenset(local)
        self._defining = defining
        self._signature = signature

    def symbol(self, name: str) -> None:
        """A name that stands alone.

        Raises:
            DeclarationError: undeclared, an index that nothing binds, a family without its indices, a
                function without its arguments.
        """
        if self._signature:
            return
        document = self._document
        kind = self._known(name, "bound" if self._ranges else "name")
        if kind == "an index":
            if name not in self._local:
                raise DeclarationError(
                    f"the index {name} is out of scope",
                    instead=f"sum over it, Σ[{name}](…), or declare  variable k  for one fixed value k",
                )
        elif kind in ("a density", "a function"):
            raise DeclarationError(
                f"{name} is {kind}, and stands here without arguments",
                instead=f"write {document.signature(name)}",
            )
        elif kind != "a parameter":  # the builder knows where a vector may stand without its index
            shape = self._shape(name)
            if shape:
                slots = ",".join("ijkl"[: len(shape)])
                raise DeclarationError(
                    f"{name} is a family, and stands here without its index", instead=f"write {name}[{slots}]"
                )

    def family(self, name: str, indices: Sequence[Term]) -> None:
        """A name at indices.

        Raises:
            DeclarationError: undeclared, no family, a wrong number of indices, a number out of range.
        """
        if self._signature and not self._document.declares(name):
            return
        kind = self._known(name)
        shape = self._shape(name)
        if shape == () or kind in ("a count", "an index", "a density", "a function"):
            called = "(…)" if kind in ("a density", "a function") else " alone"
            raise DeclarationError(f"{name} is {kind}, without indices", instead=f"write {name}{called}")
        if shape is None:
            return
        if len(shape) != len(indices):
            raise DeclarationError(
                f"{name} has {len(shape)} {'index' if len(shape) == 1 else 'indices'}, here {len(indices)}",
                instead=f"write {name}[{','.join('ijkl'[: len(shape)])}]",
            )
        for index, bounds in zip(indices, shape, strict=True):
            if isinstance(index, Num):
                _check_literal(name, index, bounds)

    def function(
        self, name: str, args: Sequence[Term], given: Sequence[Term], params: Sequence[Term]
    ) -> None:
        """A function or density at its arguments.

        Raises:
            DeclarationError: undeclared, no function, wrong numbers of slots, a count as a parameter.
        """
        if self._signature:
            return
        document = self._document
        kind = self._known(name, "function")
        signature = document.signature(name)
        if signature is None:
            raise DeclarationError(
                f"{name} is {kind} and cannot be applied", instead=f"for a product write {name}*(…)"
            )
        if (len(args), len(given), len(params)) != signature.counts:
            raise DeclarationError(f"{name} is applied otherwise than declared", instead=f"write {signature}")
        for param in params:
            if isinstance(param, Sym) and param.name in document.counts:
                raise DeclarationError(
                    f"{param.name} is a count, and used as a parameter", instead=f"write {signature}"
                )

    def gradient(self, name: str) -> None:
        """A name behind ∇.

        Raises:
            DeclarationError: anything but a declared parameter.
        """
        kind = self._document.kind(name)
        if kind == "a parameter":
            return
        parameters = list(self._document.parameters)
        near = closest(name, parameters)
        declared = ", ".join(parameters)
        if kind is None:
            what = f"the parameter {name} is not declared"
        else:
            what = f"{name} is {kind}, and a ∇ needs a parameter"
        if near:
            raise DeclarationError(what, instead=f"write ∇{near}")
        advice = f"one of the parameters: {declared}" if parameters else f"declare it:  parameter {name}"
        raise DeclarationError(what, instead=advice)

    def index_range(self, name: str) -> Range:
        """The declared range of an index.

        Raises:
            DeclarationError: it is no index.
        """
        found = self._document.indices.get(name)
        if found is None:
            raise DeclarationError(
                f"{name} is not declared as an index",
                instead=f"write Σ[{name}=1..N](…), or declare  index {name} = 1..N",
            )
        return found

    def binds(self, name: str) -> None:
        """A name that a Σ, ∏ or 𝔼 binds.

        Raises:
            DeclarationError: it means something else already.
        """
        kind = self._document.kind(name)
        if kind not in (None, "an index", "a variable", "observed"):
            raise DeclarationError(f"{name} is {kind}, and bound here", instead="bind another name")

    def has_bare_stop(self, term: Term) -> bool:
        """Whether a ⊥ stands outside every → once definitions are unfolded."""
        return bool(self._document.unfold(term).flags & HAS_BARE_STOP)

    def _shape(self, name: str) -> Shape:
        document = self._document
        definition = document.definition(name)
        if definition is not None:
            return tuple(document.indices.get(i) for i in definition.indices)
        if name in document.parameters:
            bounds = document.parameters[name]
            return () if bounds is None else (bounds,)
        if name in document.observed:
            return document.observed[name]
        return document.variables.get(name)

    def _known(self, name: str, role: str = "name") -> str:
        """The kind of a declared name."""
        document = self._document
        kind = document.kind(name)
        if kind is not None:
            return kind
        if name == self._defining:
            raise DeclarationError(
                f"{name} is defined by itself", instead="definitions by recursion come with a later version"
            )
        near = closest(name, document.names())
        forms = {"function": f"function {name}(x; θ)", "bound": f"count {name}"}
        raise DeclarationError(
            f"{name} is not declared",
            instead=f"write {near}" if near else f"declare it:  {forms.get(role, f'variable {name}')}",
        )


def _check_literal(name: str, index: Num, bounds: Range | None) -> None:
    """A literal index must be a whole number within a literal range."""
    value = index.value
    if value.denominator != 1:
        raise DeclarationError(f"the index {value} of {name} is no whole number", instead=f"write {name}[1]")
    if bounds is None:
        return
    lo, hi = bounds
    low = isinstance(lo, Num) and value < lo.value
    if low or (isinstance(hi, Num) and value > hi.value):
        raise DeclarationError(
            f"the index {value} of {name} is out of its range {lo}..{hi}",
            instead=f"write an index from {lo} to {hi}",
        )
