"""What a document declares: names, laws, definitions, and what is to be derived.

Every name has one meaning in a document.  It is declared by a statement, or by standing in a slot
left of ``;`` in the signature of a density or function: then it is a variable, plain or with any
indices, unless ``variable``, ``observed``, ``sample`` or ``define`` says more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import Span
from .binding import substitute
from .paths import PathLaw, expand, has_slice, laws_of_paths
from .terms import HAS_BARE_STOP, App, Eval, Indexed, Store, Sym, Term, postorder, rebuild

if TYPE_CHECKING:
    from .uses import Uses

__all__ = [
    "Definition", "Document", "Family", "Lineage", "Range", "Sample", "Shape", "Signature", "Target",
]  # fmt: skip

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
    """A name for a term; in the body the indices are free symbols.

    A family by recursion is one definition too: its body is
    ``cases(measure > 0: general case, else: base case)``.

    Attributes:
        name: what is defined.
        indices: names of its indices.
        body: its value, for every value of the indices.
        measure: what grows by 1 from step to step, and is at most 0 at the base: ``t`` or ``T - t``;
            None outside recursions.
        group: definitions that use one another have the same number; a group uses earlier ones only.
    """

    name: str
    indices: tuple[str, ...]
    body: Term
    measure: Term | None = None
    group: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """``sample x[t,i] ~ q(· | x[t-1,i]; φ)``: one statement.

    Attributes:
        name: the family that is drawn.
        indices: its indices in the statement: ``Sym`` for an index, ``Num`` or the name of the end for
            a base case, ``Sym("·")`` for the whole row that a resampling law draws at once.
        law: the density at the drawn value itself, ``q(x[t,i] | x[t-1,i]; φ)``, so that its log is the
            log-density of the draw; or a resampling law, ``R(v̄[t-1,·])``, whose weights are a row over
            ``Sym("·")``.
        span: where the statement stands.
    """

    name: str
    indices: tuple[Term, ...]
    law: Term
    span: Span

    @property
    def is_map(self) -> bool:
        """Whether ancestors are drawn, by a resampling law."""
        return ROW in self.indices


@dataclass(frozen=True, slots=True)
class Lineage:
    """``lineage x̃ of x by a``.

    Attributes:
        name: the path family ``x̃``, used as ``x̃[lo:hi,i]``.
        of: the family ``x`` whose values it collects.
        by: the ancestor map ``a``.
        map: the defined map ``ã``; ``ã[s,t,i]`` is the ancestor at time s of particle i of time t.
    """

    name: str
    of: str
    by: str
    map: str


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a name that statements give indices.

    Attributes:
        role: ``sampled``, ``an ancestor map``, ``a lineage`` or ``defined``.
        shape: the range of each index, over all statements of the name.
    """

    role: str
    shape: tuple[Range | None, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """``derive term``, with its text and where that stands in the document."""

    term: Term
    text: str
    span: Span


#: The index of a whole row, ``a[t,·]``.
ROW = Sym("·")


@dataclass(frozen=True)
class Document:
    """What a document says; permuting its definitions changes nothing.

    Attributes:
        counts: names of positive whole numbers.
        parameters: each parameter, with the range of its index where it is a vector.
        indices: each index name, with its range.
        observed: each observed name, with the ranges of its indices.
        variables: each other variable, with the ranges of its indices, or None for any.
        densities: positive functions, each of which integrates to one in what stands left of ``|``.
        functions: smooth functions of any sign.
        resampling: names of resampling laws.
        samples: the sampling statements.
        lineages: each path family, by its name.
        families: what is known of each sampled, defined or path family.
        definitions: named terms, sorted: groups in the order of dependency, and in a group each
            definition behind those that it uses at the same time.
        index_valued: families whose values are indices: ancestor maps, and what is defined by them.
        paths: what a density means along a path; its name, primed for further families.
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
    resampling: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    lineages: Mapping[str, Lineage] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()
    index_valued: frozenset[str] = frozenset()
    stopping: frozenset[str] = frozenset()
    paths: Mapping[str, PathLaw] = field(default_factory=dict)
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
        if name in self.resampling:
            return "a resampling law"
        if name in self.families:
            return self.families[name].role
        return "a variable" if name in self.variables else None

    def declares(self, name: str) -> bool:
        """Whether the name has a meaning here."""
        return self.kind(name) is not None

    def names(self) -> list[str]:
        """Every declared name."""
        every = [
            *self.counts, *self.parameters, *self.indices, *self.observed, *self.variables,
            *self.densities, *self.functions, *self.resampling, *self.families,
        ]  # fmt: skip
        return list(dict.fromkeys(every))

    def definition(self, name: str) -> Definition | None:
        """The definition of a name."""
        return next((d for d in self.definitions if d.name == name), None)

    def signature(self, name: str) -> Signature | None:
        """The signature of a density or function."""
        return self.densities.get(name) or self.functions.get(name)

    def shape(self, name: str) -> Shape:
        """The range of each index of a family: of all its statements together, ``0..T`` for a base at 0.

        () for what has no indices, None for a variable that may have any.
        """
        if name in self.families:
            return self.families[name].shape
        if name in self.parameters:
            bounds = self.parameters[name]
            return () if bounds is None else (bounds,)
        if name in self.observed:
            return self.observed[name]
        return self.variables.get(name, ())

    def parameter_is_vector(self, name: str) -> bool:
        """Whether the name is a parameter that was declared with an index."""
        return self.parameters.get(name) is not None

    @property
    def vector_names(self) -> frozenset[str]:
        """Names of the vector parameters."""
        return frozenset(n for n, r in self.parameters.items() if r is not None)

    def scope(self, indices: Sequence[str] = ()) -> Uses:
        """The check of names for the parser; ``indices`` may stand free, for any value of their range."""
        from .uses import Uses

        return Uses(self, indices)

    def has_bare_stop(self, term: Term) -> bool:
        """Whether a ⊥ stands outside every → once definitions are unfolded."""
        return bare_stop(term, self.stopping)

    def unfold(self, term: Term) -> Term:
        """The term with every name defined without recursion replaced by its body, to the bottom.

        Densities along a path become products over its steps.  Families by recursion stay.  Linear in
        the DAG of the result; nothing is captured, for bodies are closed and what is put in for their
        indices is shifted under their binders.
        """
        table: dict[str, Definition] = {}
        for definition in self.definitions:
            if definition.measure is None:
                body = self._unfold(definition.body, table)
                table[definition.name] = Definition(definition.name, definition.indices, body)
        return self._unfold(term, table)

    def _unfold(self, term: Term, table: Mapping[str, Definition]) -> Term:
        """Replace names by bodies that are unfolded already, and path forms by products."""
        if not table and not self.paths:
            return term
        root = Store().add(term)
        done: dict[int, Term] = {}
        for node in postorder(root):
            args = tuple(done[id(a)] for a in node.args)
            found = table.get(node.key) if isinstance(node, (Sym, Indexed)) else None
            if found is not None and len(found.indices) == len(args) and not has_slice(node):
                values = dict(zip(found.indices, args, strict=True))
                done[id(node)] = substitute(found.body, values) if values else found.body
                continue
            new = rebuild(node, args)
            along = expand(new, self) if isinstance(new, App) else None
            done[id(node)] = new if along is None else self._unfold(along, table)
        return done[id(root)]

    def with_definitions(self, definitions: Iterable[Definition]) -> Document:
        """The document with more definitions, each a group of its own behind the present ones.

        A name that is defined already is defined anew.
        """
        new = tuple(definitions)
        names = {d.name for d in new}
        kept = [d for d in self.definitions if d.name not in names]
        group = max((d.group for d in kept), default=-1)
        families = dict(self.families)
        for definition in new:
            group += 1
            kept.append(replace(definition, group=group))
            families[definition.name] = Family("defined", _ranges(definition, self.indices))
        document = replace(self, definitions=tuple(kept), families=families)
        return document.settled()

    def settled(self) -> Document:
        """The document with what follows from its definitions worked out: ``stopping`` and ``paths``."""
        stopping: set[str] = set()
        while True:
            more = {
                d.name for d in self.definitions if d.name not in stopping and bare_stop(d.body, stopping)
            }
            if not more:
                break
            stopping |= more
        document = replace(self, stopping=frozenset(stopping))
        return replace(document, paths=laws_of_paths(document))


def _ranges(definition: Definition, indices: Mapping[str, Range]) -> tuple[Range | None, ...]:
    """The declared range of each index, from the base on where there is a recursion."""
    from .linear import read

    out: list[Range | None] = []
    for name in definition.indices:
        bounds = indices.get(name)
        form = None if definition.measure is None else read(definition.measure)
        if bounds is not None and form is not None and name in form.parts:
            out.append(_from_base(bounds, form, name))
        else:
            out.append(bounds)
    return tuple(out)


def _from_base(bounds: Range, form: object, name: str) -> Range:
    """The range of an index, with the value at which its measure is 0 taken in."""
    from .linear import Linear, as_term, constant_difference

    assert isinstance(form, Linear)
    forward = form.parts[name] > 0
    origin = as_term(Linear.variable(name) - form if forward else form + Linear.variable(name))
    lo, hi = bounds
    if forward:
        return (origin if (constant_difference(lo, origin) or 0) > 0 else lo), hi
    return lo, (origin if (constant_difference(origin, hi) or 0) > 0 else hi)


def bare_stop(term: Term, stopping: frozenset[str] | set[str]) -> bool:
    """Whether a ⊥ stands outside every →, the names of ``stopping`` being terms where one does."""
    if term.flags & HAS_BARE_STOP:
        return True
    if not stopping:
        return False
    todo, seen = [term], set[int]()
    while todo:
        node = todo.pop()
        if id(node) in seen or isinstance(node, Eval):
            continue
        seen.add(id(node))
        if isinstance(node, (Sym, Indexed)) and node.key in stopping:
            return True
        todo.extend(node.args)
    return False
