"""The parser's questions about names, answered by a document: each use is checked where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import DeclarationError
from .names import closest
from .paths import has_slice, is_slice, laws_of_paths, path_form
from .terms import Num, Sym, Term

if TYPE_CHECKING:
    from .arithmetic import Node
    from .declarations import Document, Range, Signature

__all__ = ["Uses"]


class Uses:
    """The parser's questions about names, answered by a document.

    Args:
        document: what is declared; while it is read, also the heads of all its statements.
        local: indices that the head of a statement brings into scope.
        signature: whether slots of a signature are read, where a name may be new.
        ranges: whether the range of an index is read, whose names are counts.
        law: whether the law of a sampling statement is read.
    """

    __slots__ = ("_document", "_law", "_local", "_ranges", "_signature")

    def __init__(
        self,
        document: Document,
        local: Sequence[str] = (),
        signature: bool = False,
        ranges: bool = False,
        law: bool = False,
    ) -> None:
        self._document = document
        self._ranges = ranges
        self._local = frozenset(local)
        self._signature = signature
        self._law = law

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
                    instead=f"sum over it, Σ[{name}](…), or declare  variable k  for one fixed value k; "
                    f"a theorem holds  for every {name}",
                )
        elif kind in ("a density", "a function"):
            raise DeclarationError(
                f"{name} is {kind}, and stands here without arguments",
                instead=f"write {document.signature(name)}",
            )
        elif kind != "a parameter":  # the builder knows where a vector may stand without its index
            if kind == "a resampling law":
                raise DeclarationError(
                    f"{name} is a resampling law, and stands here without weights",
                    instead=f"write  sample a[t,·] ~ {name}(w[t-1,·])",
                )
            shape = document.shape(name)
            if shape:
                raise DeclarationError(
                    f"{name} is a family, and stands here without its index",
                    instead=f"write {self._written(name, len(shape))}",
                )

    def family(self, name: str, indices: Sequence[Term]) -> None:
        """A name at indices.

        Raises:
            DeclarationError: undeclared, no family, a wrong number of indices, a number out of range.
        """
        document = self._document
        bare = ("a count", "an index", "a density", "a function", "a resampling law")
        if self._signature and document.kind(name) not in ("observed", "a parameter", *bare):
            return
        kind = self._known(name)
        shape = document.shape(name)
        if shape == () or kind in bare:
            called = "(…)" if kind in bare[2:] else " alone"
            raise DeclarationError(f"{name} is {kind}, without indices", instead=f"write {name}{called}")
        sliced = [k for k, index in enumerate(indices) if is_slice(index)]
        if shape is not None and len(shape) != len(indices):
            raise DeclarationError(
                f"{name} has {len(shape)} {'index' if len(shape) == 1 else 'indices'}, here {len(indices)}",
                instead=f"write {self._written(name, len(shape))}",
            )
        if kind == "a lineage" and sliced != [0]:
            raise DeclarationError(
                f"{name} is a path, and stands here at one time",
                instead=f"write {self._written(name, 2)} as an argument, "
                f"or {document.lineages[name].of}[…] for one value",
            )
        if sliced and (sliced != [0] or name in document.index_valued or kind == "a parameter"):
            raise DeclarationError(
                f"a range as an index of {name}",
                instead="only the first index of a random or observed family is a range: y[1:T], x[1:T,i]",
            )
        for index, bounds in zip(indices, shape or (), strict=False):
            if isinstance(index, Num):
                _check_literal(name, index, bounds)

    def _written(self, name: str, count: int) -> str:
        """A family with its indices, by their declared names where those are known."""
        document = self._document
        if document.kind(name) == "a lineage":
            return f"{name}[1:T,i]"
        letters = []
        for bounds in document.shape(name) or ():
            same = [i for i, r in document.indices.items() if r == bounds and i not in letters]
            letters.append(same[0] if same else next(k for k in "ijklmn" if k not in letters))
        return f"{name}[{','.join(letters or 'ijklmn'[:count])}]"

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
        if kind == "a resampling law":
            self._resampling(name, args, given, params)
            return
        signature = document.signature(name)
        if signature is None:
            raise DeclarationError(
                f"{name} is {kind} and cannot be applied", instead=f"for a product write {name}*(…)"
            )
        counts = len(args), len(given), len(params)
        if not self._along_path(signature, args, given, params) and counts != signature.counts:
            raise DeclarationError(
                f"{name} is applied otherwise than declared", instead=f"write {signature}"
            )
        for param in params:
            if isinstance(param, Sym) and param.name in document.counts:
                raise DeclarationError(
                    f"{param.name} is a count, and used as a parameter", instead=f"write {signature}"
                )

    def _resampling(
        self, name: str, args: Sequence[Term], given: Sequence[Term], params: Sequence[Term]
    ) -> None:
        """A resampling law, which is only ever drawn from."""
        if not self._law:
            raise DeclarationError(
                f"{name} is a resampling law, and stands outside a sampling statement",
                instead=f"write  sample a[t,·] ~ {name}(w[t-1,·])",
            )
        if len(args) != 1 or given or params:
            raise DeclarationError(
                f"a resampling law takes one row of weights, here {len(args) + len(given) + len(params)}",
                instead=f"write {name}(w[t-1,·])",
            )

    def _along_path(
        self, signature: Signature, args: Sequence[Term], given: Sequence[Term], params: Sequence[Term]
    ) -> bool:
        """Whether this is the path form of a density.

        Raises:
            DeclarationError: it has a slice, and is not as a path form must be.
        """
        document = self._document
        slots = (*args, *given)
        form = path_form(signature, document) if signature.name in document.densities else None
        if form is None or not any(has_slice(slot) for slot in slots):
            return False
        timed = (*form.arguments, *form.kept)
        fits = (len(args), len(given), len(params)) == (
            len(form.arguments), len(form.kept), len(signature.params)
        )  # fmt: skip
        fits = fits and all(has_slice(slot) == t for slot, t in zip(slots, timed, strict=True))
        if not fits:
            law = laws_of_paths(document)[signature.name]
            raise DeclarationError(
                f"{signature.name} along a path is written otherwise",
                instead=f"write {law.left}, with lo:hi a range",
            )
        if len({slot.args[0] for slot in slots if has_slice(slot)}) > 1:
            raise DeclarationError(
                f"the slots of {signature.name} are at different ranges",
                instead="write the same range lo:hi in each",
            )
        return True

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

    def whole(self, name: str) -> None:
        """A name in the order of a ∇ᵏ or the time of an 𝔼[· | t].

        Raises:
            DeclarationError: it is neither a count nor an index.
        """
        kind = self._known(name)
        if kind not in ("a count", "an index"):
            raise DeclarationError(
                f"{name} is {kind}, and stands where a whole number is needed",
                instead="write a count, an index, a number or a sum of these",
            )

    def has_bare_stop(self, term: Term) -> bool:
        """Whether a ⊥ stands outside every → once definitions are unfolded."""
        return self._document.has_bare_stop(term)

    def settled(self, node: Node, text: str, file: str | None) -> None:
        """A whole expression that has been read: its indices are checked.

        Raises:
            DeclarationError: an index out of its range, a map used as a value, a value used as an index.
        """
        from .checks import check_indices

        ranges = {name: self._document.indices[name] for name in self._local}
        check_indices(node, self._document, ranges, source=(text, file))

    def _known(self, name: str, role: str = "name") -> str:
        """The kind of a declared name."""
        document = self._document
        kind = document.kind(name)
        if kind is not None:
            return kind
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
