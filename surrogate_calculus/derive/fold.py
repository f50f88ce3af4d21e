"""Folding: the reader's own names put back into a result.

Definitions are unfolded before anything else is done, and folded at the end: ``p/q / Σ p/q`` becomes
``w̄[i]`` again where the document defines it.  A factor of a product is folded where all factors of a
definition's body divide it; a denominator in front of a Σ is moved under it where that lets a name
be folded.  Every move is concluded by the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product as cartesian

from ..kernel.inference import Definition
from ..kernel.judgement import Rejection
from ..language.binding import instantiate, shift
from ..language.terms import App, Fn, Indexed, Mul, Num, Pow, Sum, Sym, Term, postorder, tree_size
from .collect import Collector
from .proof import Proof

__all__ = ["fold", "unfold"]

#: At most so many choices of indices are tried for one definition at one product.
MAX_CHOICES = 64

_Factors = dict[Term, Fraction]


def unfold(proof: Proof, term: Term) -> int | None:
    """Replace every defined name by its body; the step that concludes it, None if none occurs."""
    steps: list[int] = []
    current = term
    while proof.definitions:
        premises = []
        for node in postorder(current):
            definition = proof.definition_of(node)
            if definition is not None and definition.measure is None and not _kept(definition):
                premises.append(proof.infer("definition", node))
        if not premises:
            return proof.chain(steps) if steps else None
        steps.append(proof.inside(current, premises))
        current = proof.right(steps[-1])
    return None


def _kept(definition: Definition) -> bool:
    """Densities along paths, maps between indices, families with a base case: not unfolded at sight."""
    body = definition.body
    if definition.left.__class__ is App:
        return True
    return definition.left.__class__ is Indexed and body.__class__ is Fn and body.key == "cases"


def fold(proof: Proof, term: Term) -> int | None:
    """Fold the proof's definitions into a result; the concluding step, None where nothing folds."""
    if not proof.definitions:
        return None
    folder = _Folder(proof)
    plain = folder.fold(term)
    moved = _move_denominators(proof, term)
    chosen, first = plain, None
    if moved is not None:
        inside = folder.fold(proof.right(moved))
        if tree_size(inside) < tree_size(plain):
            chosen, first = inside, moved
    before = term if first is None else proof.right(first)
    if chosen is before:
        return first
    try:
        back = unfold(proof, chosen)
        assert back is not None
        same = proof.infer("ring", before, proof.right(back))
        steps = [same, proof.infer("symmetry", proof.right(back), chosen, [back])]
    except Rejection:
        return None
    return proof.chain([*([] if first is None else [first]), *steps])


def _factors(term: Term) -> _Factors:
    """A product as factors with rational exponents; the number in front under the key of a Num."""
    out: _Factors = {}
    todo = [(term, Fraction(1))]
    while todo:
        node, exponent = todo.pop()
        if node.__class__ is Mul:
            todo.extend((a, exponent) for a in reversed(node.args))
        elif node.__class__ is Pow and node.args[1].__class__ is Num:
            todo.append((node.args[0], exponent * node.args[1].key))
        elif node.__class__ is Num and exponent != 1:
            if exponent.denominator == 1:
                todo.append((Num(node.key**exponent.numerator), Fraction(1)))
            else:
                out[node] = out.get(node, Fraction(0)) + exponent
        else:
            out[node] = out.get(node, Fraction(0)) + exponent
    return out


class _Folder:
    """Folds definitions, the latest first, by dividing products by their bodies."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.collector = Collector(proof, False)
        self.bodies: list[tuple[Definition, Term]] = []
        for definition in proof.definitions.values():
            step = unfold(proof, definition.body)
            self.bodies.append((definition, definition.body if step is None else proof.right(step)))

    def fold(self, term: Term) -> Term:
        """The term with names put back, as far as they go."""
        for definition, body in reversed(self.bodies):
            new: dict[int, Term] = {}
            for node in postorder(term):
                rebuilt = self.proof.state.rebuild(node, tuple(new[id(a)] for a in node.args))
                new[id(node)] = self._fold_here(definition, body, node, rebuilt)
            term = new[id(term)]
        return term

    def _fold_here(self, definition: Definition, body: Term, original: Term, rebuilt: Term) -> Term:
        """One node: an instance of the body among its factors, if there is one."""
        if original.__class__ in (Num, Sym, Indexed, Pow):
            return rebuilt
        have = _factors(original)
        for indices in self._choices(definition, original):
            try:
                wanted = _factors(self.collector.term(self._instance(body, indices)))
            except Rejection:
                continue
            if any(f.__class__ is Num for f in wanted) or not wanted:
                continue
            if all(_divides(wanted[f], have.get(f, Fraction(0))) for f in wanted):
                key = definition.name
                name = self.proof.state.node(Indexed if indices else Sym, key, *indices)
                rest = dict(have)
                for f, e in wanted.items():
                    rest[f] -= e
                return self._product([(name, Fraction(1)), *((f, e) for f, e in rest.items() if e)])
        return rebuilt

    def _instance(self, body: Term, indices: tuple[Term, ...]) -> Term:
        for position in range(len(indices) - 1, -1, -1):
            body = instantiate(body, shift(indices[position], position))
        return self.proof.add(body)

    def _choices(self, definition: Definition, node: Term) -> Iterator[tuple[Term, ...]]:
        if definition.arity == 0:
            yield ()
            return
        found = dict.fromkeys(a for n in postorder(node) if n.__class__ is Indexed for a in n.args)
        for count, choice in enumerate(cartesian(found, repeat=definition.arity)):
            if count >= MAX_CHOICES:
                return
            yield choice

    def _product(self, factors: list[tuple[Term, Fraction]]) -> Term:
        return _product(self.proof, factors)


def _divides(wanted: Fraction, have: Fraction) -> bool:
    return (wanted > 0 and have >= wanted) or (wanted < 0 and have <= wanted)


def _product(proof: Proof, factors: list[tuple[Term, Fraction]]) -> Term:
    """Factors with exponents as a product: numbers in front, then in the order given."""
    node = proof.state.node
    out: list[Term] = []
    for factor, exponent in sorted(factors, key=lambda f: f[0].__class__ is not Num):
        term = factor
        if abs(exponent) != 1:
            term = node(Pow, None, term, node(Num, abs(exponent)))
        if exponent < 0:
            term = node(Pow, None, term, node(Num, Fraction(-1)))
        out.append(term)
    return proof.state.product(*out)


def _move_denominators(proof: Proof, term: Term) -> int | None:
    """Move denominators of products under a Σ that stands beside them; the step, None if there is none."""
    premises = []
    for node in postorder(term):
        if node.__class__ is Mul:
            step = _move(proof, node)
            if step is not None:
                premises.append(step)
    return proof.inside(term, premises) if premises else None


def _move(proof: Proof, node: Term) -> int | None:
    factors = _factors(node)
    sums = [f for f, e in factors.items() if f.__class__ is Sum and e > 0 and e.denominator == 1]
    if len(sums) != 1:
        return None
    (series,) = sums
    power = factors[series]
    inner = {f: e / power for f, e in factors.items() if e < 0 and (e / power).denominator == 1}
    if not inner:
        return None
    state = proof.state
    outer = [(f, e) for f, e in factors.items() if f is not series and f not in inner]
    scale = proof.add(_product(proof, list(inner.items())))
    try:
        joined = state.node(Mul, None, scale, series)
        scaled = proof.infer("sum_scale", joined)
        body = proof.right(scaled).args[2]
        flat = _product(proof, list(_factors(body).items()))
        steps = [scaled]
        if flat is not body:
            ring = proof.infer("ring", body, flat)
            steps.append(proof.inside(proof.right(scaled), [ring]))
        moved = proof.chain(steps)
        arranged = _product(proof, [*outer, (joined, power)])
        if arranged is node:
            return proof.inside(node, [moved])
        first = proof.infer("ring", node, arranged)
        second = proof.inside(arranged, [moved])
        return proof.chain([first, second])
    except Rejection:
        return None
