"""Presentation of results with sums over indices, so that they read like formulas of a paper.

Untrusted: a form is proposed, and the kernel concludes that it is equal; if it does not, the next simpler
one is tried.  A result is taken apart into flat terms (:mod:`.flat`), the reader's names are put back
(:mod:`.naming`), and then

* terms over the same ranges with the same derivative are joined where what is left is a weight times a
  difference, a baseline: ``w f g - w f̄ g`` is ``w (f - f̄) g``;
* those over the same ranges with a weight in common become one sum;
* ``∇ log A - ∇ log B`` is ``∇ log(A/B)``;
* what is free of an index stands in front of the sum over it, weights first, then brackets, then
  derivatives; sums in a product with others stand behind those alone.

The order of all this does not depend on names (:mod:`.order`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..errors import DeriveError
from ..kernel.inference import head
from ..kernel.judgement import Rejection
from ..language.terms import Add, Fn, Indexed, Mul, Num, Prod, Sum, Term, postorder, tree_size
from .canonical import Canonical
from .chain import Chain, Facts, rewrite
from .factors import Factors
from .flat import Flat, Flattener, flat_term, powers
from .fold import unfold
from .naming import Namer
from .order import Order
from .proof import Proof
from .push import Pusher
from .scores import Scores, evaluated, gathered
from .units import Units
from .writing import Writer

if TYPE_CHECKING:
    from ..language.declarations import Document
    from .families import Families

__all__ = ["Presenter", "present"]

#: Results whose printed tree would have more nodes than this stay as they are.
MAX_TREE = 4_000
#: So do results of more terms.
MAX_TERMS = 60


def present(
    proof: Proof,
    given: Document,
    families: Families | None,
    pusher: Pusher,
    expression: Term,
    term: Term,
) -> int | None:
    """Present a result; the step that concludes ``term = presented``, None where no form is found.

    Args:
        proof: where the steps go.
        given: the document.
        families: what the derivation did with the document's families, if any occur.
        pusher: how it works out ∇ and →.
        expression: what was derived from.
        term: the result.
    """
    if not any(n.__class__ is Sum for n in postorder(term)):
        return None
    canonical = families.closed.canonical if families is not None else Canonical(proof)

    def worked(term: Term) -> int | None:
        chain = Chain(proof, term)
        chain.then(gathered(proof, chain.term))
        if chain.steps:
            chain.then(evaluated(proof, chain.term))
        chain.then(unfold(proof, chain.term))
        if families is not None:
            chain.then(families.close(chain.term))
        chain.then(pusher.push(chain.term))
        if families is not None:
            chain.then(families.settle(chain.term))
            chain.then(families.plain_values(chain.term))
        return chain.then(canonical.step(chain.term)).step()

    try:
        presenter = Presenter(proof, canonical, worked, list(given.indices.values()), [expression])
        return presenter.step(term)
    except (Rejection, DeriveError, ValueError, RecursionError):  # then the result stays as it is
        return None


class Presenter:
    """Presents the results of one proof.

    Args:
        proof: where the steps go.
        canonical: its canonical form.
        worked: the step that works out every name, ∇ and → of a proposal.
        declared: the ranges of a document's indices.
        roots: terms whose names come first in the order of names.
    """

    def __init__(
        self,
        proof: Proof,
        canonical: Canonical,
        worked: Callable[[Term], int | None],
        declared: Collection[tuple[Term, Term]],
        roots: Sequence[Term],
    ) -> None:
        self.proof, self.state = proof, proof.state
        self.canonical = canonical
        self.worked = worked
        self.order = Order(proof, roots)
        self.flattener = Flattener(canonical, list(declared), self.order)
        self._families: dict[int, int | None] = {}
        self.units = Units(self.flattener, self.order)
        self.namer = Namer(self.flattener, self._opened, self._read)
        self.scores = Scores(self.flattener, self.namer, self._open)

    # ------------------------------------------------------------------------------------ entries
    def step(self, term: Term) -> int | None:
        """The step that concludes ``term = presented``; None where no form is found."""
        if tree_size(term, MAX_TREE) > MAX_TREE or len(self.canonical.monomials(term)) > MAX_TERMS:
            return None
        for proposal in self._proposals(term):
            if proposal is term:
                return self.proof.same(term)
            try:
                return self._same(term, proposal)
            except (Rejection, DeriveError):
                continue
        return None

    def _proposals(self, term: Term) -> Iterator[Term]:
        """The forms to try, the boldest first."""
        seen: set[int] = set()
        for names, scores in ((True, True), (True, False), (False, False)):
            try:
                proposal = self.proof.add(self._tidy(self._proposal(term, names, scores)))
            except (Rejection, DeriveError):
                continue
            if id(proposal) not in seen:
                seen.add(id(proposal))
                yield proposal

    def _proposal(self, term: Term, names: bool, scores: bool) -> Term:
        canonical = self._open(term)
        if not scores:
            return self.presented(canonical, (), names)
        rest, found = self.scores.of(canonical)
        if not found:
            raise Rejection("nothing to name")
        flats = self.namer.named(self.flattener.flats(rest, self._named))
        flats = [self.flattener.absorbed(f, self._named) for f in flats]
        return self._written([*flats, *found], (), names)

    def _same(self, term: Term, proposal: Term) -> int:
        left, right = (self._worked_out(t) for t in (term, proposal))
        try:
            same = self.canonical.equal(left.term, right.term)
        except Rejection:
            left, right = self._with_families(left), self._with_families(right)
            same = self.canonical.equal(left.term, right.term)
        return self._joined(left.then(same), right)

    def _same_below(self, a: Term, b: Term) -> int:
        """The step that concludes ``a = b``, families with a base case unfolded in both."""
        left, right = (Chain(self.proof, t).then(self._deeper(t)) for t in (a, b))
        return self._joined(left.then(self.canonical.equal(left.term, right.term)), right)

    def _joined(self, left: Chain, right: Chain) -> int:
        """The beginnings of two chains that end in the same are equal."""
        back = right.step()
        if back is not None:
            left.then(self.proof.infer("symmetry", right.term, right.start, [back]))
        step = left.step()
        return self.proof.same(left.start) if step is None else step

    def _worked_out(self, term: Term) -> Chain:
        chain = Chain(self.proof, term).then(self.worked(term))
        return chain.then(self.canonical.step(chain.term))

    def _with_families(self, chain: Chain) -> Chain:
        """Go on to families that have a base case for what they are, term by term.

        What they are unfolded to is mixed with them in results, and sums over different ranges of the two
        could not be compared.
        """
        terms = chain.term.args if chain.term.__class__ is Add else (chain.term,)
        steps = [self._families_named(t) for t in terms]
        if any(s is not None for s in steps):
            if chain.term.__class__ is Add:
                chain.inside(*steps)
            else:
                chain.then(steps[0])
            chain.then(self.canonical.step(chain.term))
        return chain

    def _families_named(self, term: Term) -> int | None:
        """The step that concludes ``term = the same with its guarded families named``, for one product."""
        if id(term) not in self._families:
            self._families[id(term)] = None
            try:
                flats = self.flattener.flats(term, lambda flat: self._named(flat, True))
                named = self.namer.named(flats, (), True)
                new = self.canonical.term(self.state.total([flat_term(self.proof, f) for f in named]))
                if new is not term and new is not self.canonical.term(term):
                    self._families[id(term)] = self._same_below(term, new)
            except Rejection:
                pass
        return self._families[id(term)]

    def _deeper(self, term: Term) -> int | None:
        """Families unfolded to the case that holds: those without recursion, and those put back."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            definition = proof.definition_of(node) if node.__class__ is Indexed else None
            if definition is None or (definition.measure is not None and head(node) not in self.namer.used):
                return None
            if self.namer.of_indices(definition):
                return None
            trial = Chain(proof, node).by("definition")
            body = trial.term
            if body.__class__ is Fn and body.key == "cases":
                trial.inside(self.canonical.step(body.args[0], facts))
                rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(trial.term.args[0])
                if rule is None:
                    return None
                trial.by(rule)
            return trial.step()

        chain = Chain(proof, term)
        for _ in range(4):
            before = chain.term
            chain.then(rewrite(proof, before, here, (), lambda node: node.__class__ is not Indexed))
            chain.then(unfold(proof, chain.term))
            chain.then(self.canonical.step(chain.term))
            if chain.term is before:
                break
        return chain.step()

    def _open(self, term: Term) -> Term:
        return self._worked_out(term).term

    def _opened(self, body: Term) -> Term:
        """The body of a definition, in canonical form and without names that are defined plainly."""
        step = unfold(self.proof, body)
        return self.canonical.term(body if step is None else self.proof.right(step))

    def _read(self, term: Term) -> list[tuple[Fraction, Factors]]:
        return [(Fraction(c), powers(factors)) for c, factors in self.canonical.monomials(term)]

    # --------------------------------------------------------------------------------------- form
    def presented(self, term: Term, facts: Facts, names: bool = True) -> Term:
        """The presented form of a canonical term, whose names are put back or not."""
        if names:
            flats = self.namer.named(self.flattener.flats(term, self._named), facts)
            flats = [self.flattener.absorbed(f, self._named) for f in flats]
        else:
            flats = self.flattener.flats(term)
        return self._written(flats, facts, names)

    def _named(self, flat: Flat, guarded: bool = False) -> Flat:
        """A flat term on its own with names put back."""
        return self.namer.named([flat], (), guarded)[0]

    def _written(self, flats: Sequence[Flat], facts: Facts, names: bool) -> Term:
        def show(term: Term, facts: Facts) -> Term:
            return self.presented(term, facts, names)

        return Writer(self.flattener, self.units, show, facts).whole(self.units.of(flats))

    # --------------------------------------------------------------------------------------- tidy
    def _tidy(self, root: Term) -> Term:
        """Indices as one writes them: ``t - 1``, not ``-1 + t``."""
        done: dict[int, Term] = {}
        for node in postorder(root):
            args = tuple(done[id(a)] for a in node.args)
            if node.__class__ in (Indexed, Sum, Prod) or (node.__class__ is Fn and node.key == "slice"):
                ends = len(args) - 1 if node.binds else len(args)
                args = tuple(self._index(a) if n < ends else a for n, a in enumerate(args))
            done[id(node)] = self.state.rebuild(node, args)
        return done[id(root)]

    def _index(self, index: Term) -> Term:
        if index.__class__ is not Add:
            return index

        def place(a: Term) -> tuple[Any, ...]:
            negative = a.__class__ is Mul and a.args[0].__class__ is Num and a.args[0].key < 0
            return a.__class__ is Num, negative, self.order.key(a)

        return self.state.node(Add, None, *sorted(index.args, key=place))
