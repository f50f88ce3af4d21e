"""Families by recursion in a derivation: closed forms before the gradient, recursions and values after it.

* Before ∇ is pushed inside, families get their closed forms where they have one (:mod:`.closed`).
* A derivative ``→∇F[t,i]`` that is left, for want of a closed form, is a family with a recursion of its own:
  that of F, differentiated.  It is given a name, and the result is stated with it.
* The value ``→F[t,i]`` of a family with ⊥ in its body is another family of the document where that has the
  same recursion, and else F itself, in an equality of values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from ..errors import DeriveError, SurrogateError
from ..kernel.inference import Definition, recursion_step
from ..kernel.judgement import Condition, Rejection
from ..language.terms import HAS_GRAD, Bound, Eval, Fn, Grad, Indexed, Num, Sym, Term, postorder
from .chain import Chain, Facts, branch, holds, rewrite
from .closed import Closed
from .members import guarded, measure_of
from .proof import Proof
from .push import Pusher
from .ratio import put_indices

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Families", "families_of"]

#: So many times definitions inside of definitions are unfolded.
MAX_UNFOLDED = 8
#: The names that derivatives of families get, with primes where they are taken.
_NAME = "α"


def families_of(proof: Proof) -> Callable[[Term], bool]:
    """Tells whether a node is a family by recursion or with a base case."""

    def kept(node: Term) -> bool:
        definition = proof.definition_of(node) if node.__class__ is Indexed else None
        return definition is not None and (definition.measure is not None or guarded(definition))

    return kept


class Families:
    """What a derivation does with the families of its document.

    Args:
        proof: the derivation.
        given: the document.
        params: the parameters that are differentiated in.
        log_names: see :class:`~.push.Pusher`.
    """

    def __init__(
        self, proof: Proof, given: Document | None, params: Collection[str], log_names: Collection[str]
    ) -> None:
        self.proof = proof
        self.state = proof.state
        self.params, self.log_names = params, log_names
        self.is_family = families_of(proof)
        parameters = given.parameters if given is not None else ()
        names = given.names() if given is not None else ()
        self.closed = Closed(proof, parameters, names)
        self._before = set(proof.definitions)
        self._derived: dict[tuple[object, ...], int | None] = {}
        self._values: dict[str, int | None] = {}

    # ---------------------------------------------------------------------------------- before ∇
    def close(self, term: Term) -> int | None:
        """Closed forms for the families under ∇, and what they simplify to."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Grad:
                return None
            path = [node]
            while path[-1].args[0].__class__ is Grad:
                path.append(path[-1].args[0])
            inner = Chain(self.proof, path[-1].args[0])
            inner.then(self.closed.use(inner.term, facts))
            if not inner.steps:
                return None
            for _ in range(2):  # what telescopes may end in a base case
                inner.then(self.closed.bases(inner.term))
                inner.then(self.closed.stops(inner.term))
                inner.then(self.closed.opening.step(inner.term, facts))
            step = inner.step()
            for level in reversed(path):
                step = Chain(self.proof, level).inside(step).step()
            return step

        return rewrite(self.proof, term, here)

    # ----------------------------------------------------------------------------------- after ∇
    def settle(self, term: Term) -> int | None:
        """The canonical form of a result, its derivatives of families named, its values those of families.

        Raises:
            DeriveError: a derivative of a family has no recursion that can be stated.
        """
        chain = Chain(self.proof, term)
        chain.then(self._simplified(chain.term))
        chain.then(self._valued(chain.term))
        chain.then(self._named(chain.term))
        chain.then(self._at_base(chain.term))
        chain.then(self.closed.canonical.step(chain.term))
        return chain.step()

    def _at_base(self, term: Term) -> int | None:
        """Base cases for families at their first index, evaluated."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Eval or node.args[0].__class__ is not Indexed:
                return None
            chain = Chain(self.proof, node).inside(self.closed.bases(node.args[0]))
            if not chain.steps:
                return None
            return chain.then(self.proof.evaluate(chain.term.args[0])).step()

        chain = Chain(self.proof, term)
        chain.then(rewrite(self.proof, chain.term, here))
        return chain.then(self.closed.bases(chain.term)).step()

    def plain_values(self, term: Term) -> int | None:
        """``→F`` as F: an equality of values only."""
        premises = []
        for node in postorder(term):
            if node.__class__ is Eval and node.args[0].__class__ in (Indexed, Sym):
                twice = self.proof.infer("eval_eval", self.state.node(Eval, None, node))
                if self.proof.right(twice) is node:
                    premises.append(self.proof.infer("arrow", node, None, [twice]))
                else:  # its value has been worked out
                    premises.append(self.proof.concluding(node))
        return self.proof.inside(term, premises) if premises else None

    def _simplified(self, term: Term) -> int | None:
        chain = Chain(self.proof, term)
        chain.then(self.closed.values(chain.term))
        return chain.then(self.closed.canonical.step(chain.term)).step()

    # values
    def _valued(self, term: Term) -> int | None:
        """Families of the document for the values of others, where they have the same recursion."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Eval or node.args[0].__class__ not in (Indexed, Sym):
                return None
            number = self._number(node)
            if number is not None:
                return number
            lemma = self._value_of(node.args[0])
            if lemma is None:
                return None
            try:
                step = self.proof.infer("instance", node, None, [lemma])
            except Rejection:
                return None
            return step if holds(self.proof, step, facts) else None

        return rewrite(self.proof, term, here)

    def _number(self, node: Term) -> int | None:
        """``→E`` where E is a name whose value is a number, as that of a product of ratios is 1."""
        definition = self.proof.definition_of(node.args[0])
        if definition is None or definition.measure is not None or guarded(definition):
            return None
        if node.args[0].loose:
            return None
        chain = Chain(self.proof, node)
        known = self.state.facts.hypotheses
        for _ in range(MAX_UNFOLDED):
            before = chain.term
            chain.then(self._unfolded_once(chain.term, ()))
            if chain.term is before:
                break
        chain.then(self.closed.canonical.step(chain.term))
        if chain.term.__class__ is Num:
            return chain.step()
        self.state.facts.forget(known)
        return None

    def _value_of(self, family: Term) -> int | None:
        definition = self.proof.definition_of(family)
        if definition is None or self.state.stop_free(family):
            return None
        if definition.name not in self._values:
            self._values[definition.name] = None
            for other in list(self.proof.definitions.values()):
                if other.left.__class__ is definition.left.__class__ and other.arity == definition.arity:
                    step = self._same_value(definition, other)
                    if step is not None:
                        self._values[definition.name] = step
                        break
        return self._values[definition.name]

    def _same_value(self, family: Definition, other: Definition) -> int | None:
        """``→F[t,i] = W[t,i]``, if the value of the recursion of the one is that of the other."""
        if not self.state.stop_free(other.left):
            return None
        if self.closed.index_valued(other):
            return None
        recursive = family.measure is not None or guarded(family)
        facts = (Condition("gt", measure_of(family)),) if recursive else ()
        start = self.state.node(Eval, None, family.left)
        ways: list[Callable[[], int]] = [lambda: self._by_unfolding(start, other.left, facts)]
        if guarded(family) and guarded(other):
            ways.insert(0, lambda: self._by_induction(family, other))
        for way in ways:
            known = self.state.facts.hypotheses
            try:
                return way()
            except (Rejection, SurrogateError):
                self.state.facts.forget(known)
        return None

    def _by_induction(self, family: Definition, other: Definition) -> int:
        proof = self.proof
        start = self.state.node(Eval, None, family.left)
        chain = Chain(proof, start)
        chain.inside(self.closed.recursion(family))
        chain.then(proof.evaluate(chain.term.args[0]))
        recursion = chain.step()
        if recursion is None or chain.term.__class__ is not Fn or chain.term.key != "cases":
            raise Rejection("its value has no base case")
        target = recursion_step(proof.inference, start, chain.term, other.left)
        branches = []
        for position in (1, 2):
            facts = branch(proof, chain.term.args[0], position == 1)
            branches.append(self._by_unfolding(other.left, target.args[position], facts))
        same = proof.split(other.left, target, branches)
        return proof.infer("induction", start, other.left, [recursion, same])

    def _by_unfolding(self, left: Term, right: Term, facts: Facts) -> int:
        """``left = right``, both unfolded as far as the facts decide and evaluated."""
        chains = []
        for term in (left, right):
            chain = Chain(self.proof, term)
            for _ in range(MAX_UNFOLDED):
                before = chain.term
                chain.then(self._unfolded_once(chain.term, facts))
                if chain.term is before:
                    break
            if chain.term.flags & HAS_GRAD:  # a body that is written with ∇
                chain.then(Pusher(self.proof, self.params, self.log_names, self.is_family).push(chain.term))
            chains.append(chain)
        a, b = chains
        a.then(self.closed.canonical.equal(a.term, b.term, facts))
        back = b.step()
        if back is not None:
            a.then(self.proof.infer("symmetry", b.term, right, [back]))
        step = a.step()
        return self.proof.same(left) if step is None else step

    def unfold_decided(self, term: Term) -> int | None:
        """Plain names unfolded to the bottom, families wherever the range of an index decides their case."""
        chain = Chain(self.proof, term)
        for _ in range(MAX_UNFOLDED):
            before = chain.term
            chain.then(self._unfolded_once(chain.term, ()))
            if chain.term is before:
                break
        return chain.step()

    def _unfolded_once(self, term: Term, facts: Facts) -> int | None:
        """Plain names unfolded, families to the branch that the facts decide, → pushed inside."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is Eval:
                chain = Chain(proof, node)
                if node.args[0].__class__ in (Indexed, Sym):
                    lemma = self._values.get(node.args[0].key)
                    if lemma is not None:
                        step = proof.infer("instance", node, None, [lemma])
                        if holds(proof, step, facts):
                            return step
                    chain.inside(here(node.args[0], facts))
                    if not chain.steps:
                        return None
                if chain.term.args[0].__class__ in (Indexed, Sym) and not self.state.stop_free(
                    chain.term.args[0]
                ):
                    return chain.step()
                return chain.then(proof.evaluate(chain.term.args[0])).step()
            definition = proof.definition_of(node)
            if definition is None or node.__class__ not in (Indexed, Sym):
                return None
            if self.closed.index_valued(definition):
                return None
            if guarded(definition):
                chain = Chain(proof, node)
                self.closed.decided(chain, facts)
                return chain.step()
            return proof.infer("definition", node)

        return rewrite(proof, term, here, facts, lambda node: node.__class__ is not Indexed)

    # derivatives
    def _named(self, term: Term) -> int | None:
        """Families for the derivatives of families that are left."""

        def here(node: Term, facts: Facts) -> int | None:
            parts = self._parts(node)
            if parts is None:
                return None
            lemma = self._derivative(node, *parts)
            return None if lemma is None else self.proof.infer("instance", node, None, [lemma])

        chain = Chain(self.proof, term)
        chain.then(rewrite(self.proof, chain.term, here))
        return chain.then(self._simplified(chain.term)).step()

    def _parts(self, node: Term) -> tuple[bool, list[Term], Term] | None:
        """Whether →, the ∇s from outside, and the family, of a derivative of a family; else None."""
        evaluated = node.__class__ is Eval
        core = node.args[0] if evaluated else node
        gradients: list[Term] = []
        while core.__class__ is Grad:
            gradients.append(core)
            core = core.args[0]
        if not gradients or core.__class__ is not Indexed or not self.is_family(core):
            return None
        return evaluated, gradients, core

    def _derivative(self, node: Term, evaluated: bool, gradients: list[Term], family: Term) -> int | None:
        """``→∇F[t,i] = α[t,i]`` for loose indices, α newly defined; once for each family and its ∇s."""
        shape = tuple((g.key, len(g.args)) for g in gradients)
        key = (evaluated, shape, family.key, len(family.args))
        if key not in self._derived:
            self._derived[key] = None
            self._derived[key] = self._differentiate(evaluated, gradients, family)
        return self._derived[key]

    def _differentiate(self, evaluated: bool, gradients: list[Term], family: Term) -> int:
        proof, state = self.proof, self.state
        definition = proof.definition_of(family)
        assert definition is not None
        axes = sum(len(g.args) - 1 for g in gradients)
        arity = definition.arity + axes
        indices = [state.node(Bound, n) for n in range(arity - 1, -1, -1)]
        general: Term = state.node(Indexed, family.key, *indices[: definition.arity])
        coordinates = iter(indices[definition.arity :])
        start = general
        for g in reversed(gradients):
            start = state.node(Grad, g.key, start, *(next(coordinates) for _ in g.args[1:]))
        if evaluated:
            start = state.node(Eval, None, start)
        measure = put_indices(proof, measure_of(definition), list(reversed(indices[: definition.arity])))
        chain = Chain(proof, start)
        chain.then(self._recursion_inside(start, general, definition))
        pusher = Pusher(proof, self.params, self.log_names, self.is_family)
        chain.then(pusher.push(chain.term))
        chain.then(self._simplified(chain.term))
        chain.then(self._valued(chain.term))
        own = start
        chain.then(self._others_named(chain.term, own))
        recursion = chain.step()
        body = chain.term
        if recursion is None or body.__class__ is not Fn or body.key != "cases":
            if recursion is not None and not self._meets(body, own):
                return recursion
            raise DeriveError(
                f"the derivative of {family.key} has no recursion with a base case",
                instead="define the family by recursion with one base case",
            )
        known = self._known_family(start, body, recursion, measure)
        if known is not None:
            return known
        summed = self.closed.along(recursion, definition) if guarded(definition) else None
        if summed is not None:
            return summed
        name = self.closed.fresh(_NAME)
        left = state.node(Indexed, name, *indices)
        again = recursion_step(proof.inference, start, body, left)
        if self._meets(again, own):
            raise DeriveError(
                f"the derivative of {family.key} uses itself at no earlier time",
                instead="define the family by recursion with one base case",
            )
        try:
            proof.define([Definition(left, arity, again, measure)])
        except Rejection as reason:
            raise DeriveError(f"the derivative of {family.key} is no recursion: {reason}") from None
        coordinates_of = tuple(g.key for g in reversed(gradients) if len(g.args) > 1)
        self.closed.origin[name] = (0, definition.name, coordinates_of)
        same = proof.infer("definition", left)
        return proof.infer("induction", start, left, [recursion, same])

    def _known_family(self, start: Term, body: Term, recursion: int, measure: Term) -> int | None:
        """A family of the document that has the same recursion, so that the derivative is that family."""
        proof = self.proof
        for other in list(proof.definitions.values()):
            same_shape = other.left.__class__ is Indexed and other.arity == start.loose and guarded(other)
            if not same_shape or not self.state.stop_free(other.left) or self.closed.index_valued(other):
                continue
            if proof.state.ring().difference(measure_of(other), measure):
                continue
            known = self.state.facts.hypotheses
            try:
                target = recursion_step(proof.inference, start, body, other.left)
                branches = [
                    self._by_unfolding(
                        other.left, target.args[position], branch(proof, body.args[0], position == 1)
                    )
                    for position in (1, 2)
                ]
                same = proof.split(other.left, target, branches)
                return proof.infer("induction", start, other.left, [recursion, same])
            except (Rejection, SurrogateError):
                self.state.facts.forget(known)
        return None

    def _recursion_inside(self, start: Term, family: Term, definition: Definition) -> int | None:
        """The family's recursion put in below its operators."""
        step = self.proof.infer("instance", family, None, [self.closed.recursion(definition)])
        path = []
        node = start
        while node is not family:
            path.append(node)
            node = node.args[0]
        for level in reversed(path):
            inner = Chain(self.proof, level).inside(step).step()
            assert inner is not None
            step = inner
        return step

    def _others_named(self, term: Term, own: Term) -> int | None:
        """Names for derivatives of families but this one."""
        mine = self._parts(own)
        assert mine is not None

        def here(node: Term, facts: Facts) -> int | None:
            parts = self._parts(node)
            if parts is None:
                return None
            same = [(g.key, len(g.args)) for g in parts[1]] == [(g.key, len(g.args)) for g in mine[1]]
            if same and parts[0] == mine[0] and parts[2].key == mine[2].key:
                return None
            lemma = self._derivative(node, *parts)
            return None if lemma is None else self.proof.infer("instance", node, None, [lemma])

        return rewrite(self.proof, term, here, (), lambda node: self._parts(node) is None)

    def _meets(self, term: Term, own: Term) -> bool:
        mine = self._parts(own)
        assert mine is not None
        for node in postorder(term):
            parts = self._parts(node)
            if parts is not None and parts[2].key == mine[2].key and len(parts[1]) == len(mine[1]):
                return True
        return False

    # ------------------------------------------------------------------------------ what is new
    def introduced(self, term: Term) -> Iterator[Definition]:
        """The definitions made on the way that a term uses, those it uses first."""
        new = {d.name: d for k, d in self.proof.definitions.items() if k not in self._before}
        wanted: set[str] = set()
        todo = [term]
        while todo:
            for node in postorder(todo.pop()):
                if node.__class__ is Indexed and node.key in new and node.key not in wanted:
                    wanted.add(node.key)
                    todo.append(new[node.key].body)
        return (d for d in new.values() if d.name in wanted)
