"""Closed forms of recursions, found from their ratios and proved by induction.

For a family by recursion, F[t,i], the ratio (:mod:`.ratio`) of its body is a product of a part that depends
on the particle i and a part that depends on the time alone.  With

    F[t,i] = ⊥F[t,i] * A[t,i] * g[t]

the first part is a recursion for A, the second one for g:

* ``A[t,i] = H[t,i] * A[t-1,κ]``: A is the product of H along the lineage that the map κ makes;
* ``A[t,i] = Σ[j](…A[t-1,j]…)``: a family of its own, whose value is 1;
* ``g[t] = Q[t]`` or ``Q[t] * g[t-1]``: closed.

For the stop-gradient particle filter A is ``L/⊥L``, L the importance weight of the lineage, and g is
``1/Σ[j](⊥v̄[t,j] A[t,j])``: Eq. 55–60 of Ścibior & Wood, found rather than stated.  Each form is an equality of
surrogates, which the kernel concludes by induction, so that it holds under ∇ at every order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from ..kernel.inference import Definition, recursion_step, split_on
from ..kernel.judgement import Condition, Rejection
from ..kernel.matching import instance, match
from ..kernel.rules import meta
from ..language.binding import instantiate, shift
from ..language.terms import (
    Add,
    App,
    Bound,
    Eval,
    Fn,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from .canonical import Canonical, uses_index
from .chain import Chain, Facts, branch, holds, rewrite
from .proof import Proof
from .ratio import Factors, Ratios, put_indices

__all__ = ["Closed"]

#: Names, which no text can spell, for the two parts of a ratio while they are being found.
_PART, _GAUGE = "?part", "?gauge"
#: At most so many terms are split off a range because they are base cases.
MAX_BASE = 6
#: Under so many binders at most a map between indices is looked for.
MAX_DEPTH = 6


class Closed:
    """The closed forms of the recursions of a proof.

    Args:
        proof: whose definitions are looked at, and where the steps go.
        params: every parameter.
        fresh: makes a new name like a given one.

    Attributes:
        forms: from the family's name to the step that concludes ``F[t,i] = closed``, for loose indices.
    """

    def __init__(self, proof: Proof, params: Collection[str], names: Collection[str] = ()) -> None:
        self.proof = proof
        self.state = proof.state
        self.params = tuple(p for p in params if p not in proof.state.defined)
        self.canonical = Canonical(proof, self._normalised)
        #: leaves what ∇ is to reach written out
        self.opening = Canonical(proof, lambda series: self._normalised(series, live=False))
        self._along_lineages = Canonical(proof, self._normalised, follow=True)
        self.forms: dict[tuple[object, ...], int] = {}
        self._ratios: dict[tuple[object, ...], Factors] = {}
        self._tried: set[tuple[object, ...]] = set()
        #: of a family made here: how many indices stand before those of the family that it comes from, that
        #: family, and the parameters whose coordinates stand behind
        self.origin: dict[str, tuple[int, str, tuple[str, ...]]] = {}
        self.ones: dict[tuple[type[Term], str], int] = {}  # families of ratios, stopped or evaluated
        self._taken = set(names)
        self._unfolded: dict[tuple[object, ...], int] = {}
        self._sums: dict[tuple[object, ...], int | None] = {}

    # ------------------------------------------------------------------------------------ entries
    def find(self) -> None:
        """Look for the closed form of every family in which a parameter is live."""
        for d in list(self.proof.definitions.values()):
            if self._live(d) and (d.measure is not None or guarded(d)):
                self._form_of(d)

    def _live(self, definition: Definition) -> bool:
        return self.live(definition.left)

    def live(self, term: Term) -> bool:
        """Whether a parameter occurs in a term outside of ⊥."""
        return any(self.state.depends(p, term) for p in self.params)

    def use(self, term: Term, facts: Facts = ()) -> int | None:
        """Put closed forms for the families of a term, outside of ⊥; the step, None where there is none.

        Where a range begins in a base case, its first terms are split off.
        """

        def here(node: Term, facts: Facts) -> int | None:
            chain = Chain(self.proof, node)
            if node.__class__ in (Sum, Prod):
                self._split_off(chain, facts)
            elif node.__class__ in (Indexed, Sym):
                step = self._form_at(node, facts)
                if step is not None:
                    return step
                self._opened_name(chain, facts)
            if chain.steps:
                chain.then(self.use(chain.term, facts))
            return chain.step()

        return rewrite(self.proof, term, here, facts, lambda node: node.__class__ not in (Stop, Indexed))

    def _form_at(self, node: Term, facts: Facts) -> int | None:
        """``E = ⊥E * ratio`` for a name or a family, where that is known to hold."""
        definition = self.proof.definition_of(node)
        if definition is None or not self._live(definition):
            return None
        form = self._form_of(definition)
        step = None if form is None else self.proof.infer("instance", node, None, [form])
        return step if step is not None and holds(self.proof, step, facts) else None

    def _opened_name(self, chain: Chain, facts: Facts) -> None:
        """A live name without a form that holds: its base case, or its body if it has but one."""
        definition = self.proof.definition_of(chain.term)
        if definition is None or not self._live(definition) or self.index_valued(definition):
            return
        if guarded(definition):
            self._to_base(chain, facts)
        elif definition.measure is None or self._is_base(chain.term, definition, facts):
            chain.by("definition")

    def _is_base(self, node: Term, definition: Definition, facts: Facts) -> bool:
        """Whether a member of a recursion is known to stand where that begins."""
        measure = put_indices(self.proof, measure_of(definition), node.args[::-1])
        return self.canonical.holds([Condition("ge", self.proof.add(Mul(Num(-1), measure)))], facts)

    def bases(self, term: Term) -> int | None:
        """Base cases for the families that stand at their first index, under ⊥ too."""

        def here(node: Term, facts: Facts) -> int | None:
            chain = Chain(self.proof, node)
            if node.__class__ is Indexed:
                self._to_base(chain, facts)
            if chain.steps:
                chain.then(self.bases(chain.term))
            return chain.step()

        return rewrite(self.proof, term, here, (), lambda node: node.__class__ is not Indexed)

    def _to_base(self, chain: Chain, facts: Facts) -> None:
        """A family where it is known to be its base case, unfolded."""
        definition = self.proof.definition_of(chain.term)
        if definition is None or not guarded(definition) or self.index_valued(definition):
            return
        if self._is_base(chain.term, definition, facts):
            self.decided(chain, facts)

    def recursion(self, definition: Definition) -> int:
        """``F[t,i] = its body``, other members of its group unfolded where that can be done."""
        found = self._unfolded.get(_key(definition))
        if found is None or self.proof.conclusion(found).where:
            group = [d for d in self.proof.definitions.values() if d.group == definition.group]
            try:
                found = self._unfold(definition, group, definition)
            except Rejection:
                found = self.proof.infer("definition", definition.left)
        return found

    def index_valued(self, definition: Definition) -> bool:
        """Whether a definition maps indices to indices."""
        return self.canonical.index_valued(definition.body)

    def decided(self, chain: Chain, facts: Facts) -> None:
        """A guarded family unfolded to the branch that the facts decide, or left."""
        trial = Chain(self.proof, chain.term).by("definition")
        trial.inside(self.canonical.step(trial.term.args[0], facts))
        rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(trial.term.args[0])
        if rule is not None:
            chain.then(trial.by(rule).step())

    def _split_off(self, chain: Chain, facts: Facts) -> None:
        """The first terms of a range, where its families are base cases."""
        name = "sum" if chain.term.__class__ is Sum else "product"
        rest = chain.term
        first: list[int] = []
        for _ in range(self._in_base(chain.term)):
            step = self.proof.infer(f"{name}_first", rest)
            if not holds(self.proof, step, facts):
                break
            first.append(step)
            rest = self.proof.right(step).args[1]
        last: int | None = None
        for step in reversed(first):
            last = Chain(self.proof, self.proof.left(step)).then(step).inside(last).step()
        chain.then(last)

    def _in_base(self, node: Term) -> int:
        """How many of the first values of a range lead a live family to its base case."""
        lo = self.canonical.term(node.args[0])
        if lo.__class__ is not Num:
            return 0
        found = 0
        seen: set[tuple[int, int]] = set()
        todo = [(node.args[2], 0)]
        while todo:
            n, depth = todo.pop()
            if (id(n), depth) in seen or n.loose <= depth or n.__class__ is Stop:
                continue
            seen.add((id(n), depth))
            definition = self.proof.definition_of(n) if n.__class__ is Indexed else None
            recursive = definition is not None and (definition.measure is not None or guarded(definition))
            if definition is not None and recursive and self._live(definition):
                measure = put_indices(self.proof, measure_of(definition), n.args[::-1])
                gap = self.proof.inference.ring().difference(measure, self.state.node(Bound, depth))
                if set(gap) <= {()}:
                    found = max(found, int(-gap.get((), 0) - lo.key) + 1)
            if n.__class__ is not Indexed:
                binds = n.binds or (0,) * len(n.args)
                todo.extend((a, depth + k) for a, k in zip(n.args, binds, strict=True))
        return found if found <= MAX_BASE else 0

    def _form_of(self, definition: Definition) -> int | None:
        """The step that concludes a definition's form, found when first asked for."""
        key = _key(definition)
        if key not in self._tried:
            self._tried.add(key)
            if definition.measure is not None or guarded(definition):
                group = [d for d in self.proof.definitions.values() if d.group == definition.group]
                for main in group:
                    if guarded(main) and self._live(main) and _key(main) not in self.forms:
                        self._group(main, group)
            else:
                self._plain(definition)
        return self.forms.get(key)

    def _plain(self, definition: Definition) -> None:
        """The form of a name that is no recursion and is positive."""
        proof, state = self.proof, self.state
        if not state.facts.discharges("positive", definition.left):
            return
        known = state.facts.hypotheses
        try:
            ratios = Ratios(proof, self.params, self._known_ratio, {id(definition.body): definition.left})
            factors = ratios.of(definition.body)
            form = state.product(state.node(Stop, None, definition.left), ratios.written(factors))
            left = Chain(proof, definition.left).by("definition")
            left.then(self.use(left.term))
            self.forms[_key(definition)] = self._meet(left, Chain(proof, form), (), definition)
            self._ratios[_key(definition)] = factors
        except Rejection:
            state.facts.forget(known)

    def _known_ratio(self, node: Term, facts: Facts) -> Factors | None:
        """The ratio of a name or a family, by its form.

        Raises:
            Rejection: it has none, or it is not known to hold here.
        """
        definition = self.proof.definition_of(node)
        if definition is None:
            return None
        if self._form_at(node, facts) is None:
            raise Rejection(f"nothing is known of the ratio of {definition.name}")
        values = node.args[::-1]
        factors = self._ratios[_key(definition)]
        return {put_indices(self.proof, f, values): e for f, e in factors.items()}

    # ---------------------------------------------------------------------------------- recursion
    def _group(self, main: Definition, group: Sequence[Definition]) -> None:
        """The closed forms of a group, read off the recursion of one member, if that has one."""
        before = self.state.facts.hypotheses
        try:
            recursion = self._unfold(main, group, main)
            body = self.proof.right(recursion)
            shape = _Shape(self, main, body)
            ratios = Ratios(self.proof, self.params, shape.known)
            step_part, step_gauge = shape.split(ratios.of(body.args[1]))
            base_part, _ = shape.split(ratios.of(body.args[2]))
            part = shape.solve(step_part, base_part)
            gauge = shape.gauge(step_gauge, step_part, part)
            stopped = self.state.node(Stop, None, main.left)
            form = self.state.product(stopped, part, gauge)
            if shape.looks_back(step_part):
                try:
                    self.forms[_key(main)] = self._induction(recursion, form)
                except Rejection:  # the gauge of the base case is another one
                    gauge = shape.by_cases(gauge)
                    form = self.state.product(stopped, part, gauge)
                    self.forms[_key(main)] = self._induction(recursion, form)
            else:
                facts = (Condition("gt", measure_of(main)),)
                begun = self._unfold(main, group, main, facts)
                self.forms[_key(main)] = self._agree(main, begun, form, facts)
            self._ratios[_key(main)] = {f: 1 for f in (part, gauge) if f is not self.state.one}
        except Rejection:
            self._unfolded.pop(_key(main), None)
            self.state.facts.forget(before)
            return
        for other in group:
            if other is not main and self._live(other):
                known = self.state.facts.hypotheses
                try:
                    self._follow(other, main, group, shape, ratios, step_part, part, gauge)
                except Rejection:
                    self._unfolded.pop(_key(other), None)
                    self.state.facts.forget(known)

    def _unfold(
        self, definition: Definition, group: Sequence[Definition], main: Definition, facts: Facts = ()
    ) -> int:
        """``F[t,i] = body`` in terms of the main member of its group, where the facts hold.

        Raises:
            Rejection: another member is left that has a base case.
        """
        proof = self.proof
        members = {_key(d): d for d in group if d is not main}

        def here(node: Term, facts: Facts) -> int | None:
            found = proof.definition_of(node)
            if found is None or found is main or node.__class__ is App:
                return None
            if not guarded(found) and (_key(found) in members or found.measure is None):
                positive = _key(found) not in members and self._form_of(found) is not None
                return None if positive else proof.infer("definition", node)
            chain = Chain(proof, node)
            if _key(found) in members:
                self.decided(chain, facts)
            return chain.step()

        chain = Chain(proof, definition.left)
        if facts and guarded(definition):
            self.decided(chain, facts)
        else:
            chain.by("definition")
        for _ in range(2 * len(group) + 2):
            chain.then(rewrite(proof, chain.term, here, facts, _reached))
        left = [n for n in _differentiated(chain.term) if n.__class__ is Indexed]
        if any(found is not None and _key(found) in members for found in map(proof.definition_of, left)):
            raise Rejection("the members of the group are not determined by one of them")
        step = chain.step()
        base = facts or not guarded(definition) or (chain.term.__class__ is Fn and chain.term.key == "cases")
        if step is None or not base:
            raise Rejection("the family has no base case")
        self._unfolded.setdefault(_key(definition), step)
        return step

    def _follow(
        self,
        other: Definition,
        main: Definition,
        group: Sequence[Definition],
        shape: _Shape,
        ratios: Ratios,
        step_part: Factors,
        part: Term,
        gauge: Term,
    ) -> None:
        """The closed form of another member, where the recursion has begun."""
        measure = measure_of(other)
        facts: Facts = (Condition("gt", measure),)
        if not guarded(other) and not self._looks_back(other, group, main, shape):
            facts = ()  # it is what the main member is at the same time, in the base case too
        recursion = self._unfold(other, group, main, facts)
        found = ratios.of(self.proof.right(recursion))
        time = self.state.node(Bound, max(n.key for n in postorder(measure) if n.__class__ is Bound))
        folded = shape.folded(found, step_part, time, present=other.arity == main.arity)
        ratio = shape.filled(folded, part, gauge)
        form = self.state.product(self.state.node(Stop, None, other.left), ratio)
        self._ratios[_key(other)] = {ratio: 1}
        self.forms[_key(other)] = self._agree(other, recursion, form, facts)

    def _looks_back(
        self, other: Definition, group: Sequence[Definition], main: Definition, shape: _Shape
    ) -> bool:
        """Whether a member uses the main one at an earlier time."""
        body = self.proof.right(self._unfold(other, group, main))
        self._unfolded.pop(_key(other), None)
        own = self.state.node(Bound, max(n.key for n in postorder(measure_of(other)) if n.__class__ is Bound))
        seen: set[tuple[int, int]] = set()
        todo = [(body, 0)]
        while todo:
            node, depth = todo.pop()
            if (id(node), depth) in seen:
                continue
            seen.add((id(node), depth))
            if node.__class__ is Indexed and self.proof.definition_of(node) is main:
                if shape.arguments(node)[shape.time] != shift(own, depth):
                    return True
            binds = node.binds or (0,) * len(node.args)
            todo.extend((a, depth + k) for a, k in zip(node.args, binds, strict=True))
        return False

    def _agree(self, definition: Definition, recursion: int, form: Term, facts: Facts) -> int:
        """``F = form`` where the facts hold."""
        left = Chain(self.proof, definition.left).then(recursion)
        left.then(self.use(left.term, facts))
        return self._meet(left, Chain(self.proof, form), facts, None if facts else definition)

    def along(self, recursion: int, definition: Definition) -> int | None:
        """The sum along the lineage that a recursion ``F[t,i] = H[t,i] + F[t-1,κ]`` is; None for any other.

        Args:
            recursion: the step that concludes the recursion, for loose indices.
            definition: the family that it comes from, whose indices are the first of F's.
        """
        start, body = self.proof.left(recursion), self.proof.right(recursion)
        known = self.state.facts.hypotheses
        try:
            form = _Shape(self, definition, body).summed(start)
            return None if form is None else self._induction(recursion, form)
        except Rejection:
            self.state.facts.forget(known)
            return None

    # -------------------------------------------------------------------------------------- proof
    def _induction(self, recursion: int, form: Term) -> int:
        """``F = form``, by induction.

        Raises:
            Rejection: the form does not satisfy the recursion, as far as arithmetic can tell.
        """
        proof = self.proof
        family, body = proof.left(recursion), proof.right(recursion)
        target = recursion_step(proof.inference, family, body, form)
        branches = []
        for position in (1, 2):
            facts = branch(proof, body.args[0], position == 1)
            if not facts:
                raise Rejection("the recursion is not over indices")
            left, right = Chain(proof, form), Chain(proof, target.args[position])
            branches.append(self._meet(left, right, facts))
        same = proof.infer("split", form, target, branches)
        return proof.infer("induction", family, form, [recursion, same])

    def _meet(
        self, left: Chain, right: Chain, facts: Facts, also: Definition | None = None
    ) -> int:
        """The step that concludes that two chains' beginnings are equal, ``also`` unfolded.

        Raises:
            Rejection: nothing shows it.
        """
        for chain in (left, right):
            for _ in range(2):
                chain.then(self._opened(chain.term, facts, also))
                chain.then(self.stops(chain.term))
        left.then(self._same(left.term, right.term, facts))
        back = right.step()
        if back is not None:
            left.then(self.proof.infer("symmetry", right.term, right.start, [back]))
        step = left.step()
        return self.proof.infer("inside", left.start) if step is None else step

    def _same(self, left: Term, right: Term, facts: Facts, conditions: int = 3) -> int:
        """``left = right`` by arithmetic, in each case of the conditions on reals in them.

        Raises:
            Rejection: they differ, as far as arithmetic can tell.
        """
        try:
            return self._along_lineages.equal(left, right, facts)
        except Rejection:
            canonical = [self._along_lineages.term(t, facts) for t in (left, right)]
            condition = self._condition(canonical) if conditions else None
            if condition is None:
                raise
        chains = []
        for term in (left, right):
            chain = Chain(self.proof, term)
            chain.then(self._along_lineages.step(chain.term, facts))
            chain.then(self._maps(chain.term, condition))
            chain.by("cases_split", split_on(self.state, chain.term, condition))
            chains.append(chain)
        a, b = chains
        pairs = zip(a.term.args[1:], b.term.args[1:], strict=True)
        a.inside(*(self._same(x, y, facts, conditions - 1) for x, y in pairs))
        back = b.step()
        assert back is not None
        step = a.then(self.proof.infer("symmetry", b.term, right, [back])).step()
        assert step is not None
        return step

    def _condition(self, terms: Sequence[Term]) -> Term | None:
        """A comparison of reals that cases are made by, outside of what Σ and ∏ bind."""
        seen: set[tuple[int, int]] = set()
        todo = [(t, 0) for t in terms]
        while todo:
            node, depth = todo.pop()
            if (id(node), depth) in seen:
                continue
            seen.add((id(node), depth))
            if node.__class__ is Fn and node.key == "cases":
                found = node.args[0]
                if found.__class__ is Fn and found.key in ("gt", "ge", "eq"):
                    if not any(uses_index(found, k) for k in range(depth)):
                        return self.proof.add(shift(found, -depth))
            binds = node.binds or (0,) * len(node.args)
            todo.extend((a, depth + k) for a, k in zip(node.args, binds, strict=True))
        return None

    def _maps(self, term: Term, condition: Term) -> int | None:
        """Maps between indices that are defined by cases of this condition, unfolded."""

        def here(node: Term, facts: Facts) -> int | None:
            found = self.proof.definition_of(node) if node.__class__ is Indexed else None
            if found is None or guarded(found) or not self.index_valued(found):
                return None
            chain = Chain(self.proof, node).by("definition")
            chain.inside(self._along_lineages.step(chain.term.args[0]))
            # it may stand under binders, which the condition does not see
            own = chain.term.args[0]
            same = any(own == shift(condition, depth) for depth in range(MAX_DEPTH))
            return chain.step() if same else None

        return rewrite(self.proof, term, here)

    def _opened(self, term: Term, facts: Facts, also: Definition | None = None) -> int | None:
        """Stopped families one step unfolded, densities along paths as products, the last factor split off."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            chain = Chain(proof, node)
            definition = proof.definition_of(node)
            if definition is not None and (node.__class__ is App or _with(definition, also)):
                chain.by("definition")
            elif definition is not None and _key(definition) in self._unfolded:
                self._unfold_here(chain, definition, facts)
            if chain.term.__class__ in (Sum, Prod):
                self._last(chain, facts)
            return chain.step()

        return rewrite(proof, term, here, facts, lambda node: node.__class__ is not Indexed)

    def _unfold_here(self, chain: Chain, definition: Definition, facts: Facts) -> None:
        """The branch of a recursion that the facts decide."""
        trial = Chain(self.proof, chain.term)
        step = self.proof.infer("instance", chain.term, None, [self._unfolded[_key(definition)]])
        if not holds(self.proof, step, facts):
            return
        trial.then(step)
        if not guarded(definition) or trial.term.__class__ is not Fn or trial.term.key != "cases":
            put = put_indices(self.proof, measure_of(definition), chain.term.args[::-1])
            if self.canonical.holds([Condition("gt", put)], facts):
                chain.then(trial.step())
            elif guarded(definition):
                self._to_base(chain, facts)
            return
        trial.inside(self.canonical.step(trial.term.args[0], facts))
        rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(trial.term.args[0])
        if rule is not None:
            chain.then(trial.by(rule).step())

    def _last(self, chain: Chain, facts: Facts) -> None:
        """Split off the last term of a range up to an index, where it is known not to be empty."""
        lo, hi = chain.term.args[:2]
        if hi.loose and self.canonical.holds([Condition("int", self.proof.add(hi - lo))], facts):
            chain.by("product_last" if chain.term.__class__ is Prod else "sum_last")

    def stops(self, term: Term) -> int | None:
        """Push every ⊥ inside, up to families, densities and functions; the step, None where none moves."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Stop:
                return None
            inner = node.args[0]
            one = self._one(node)
            if one is not None:
                return one
            if self.state.fixed(inner):
                return proof.infer("stop_number", node)
            rules = {Stop: "stop_stop", Eval: "stop_eval"}
            if inner.__class__ is Fn and inner.key in ("gt", "ge", "eq"):
                return proof.infer(f"stop_{inner.key}", node)
            moved = inner.__class__ in (Add, Mul, Pow, Sum, Prod, Stop, Eval, Fn)
            if not moved:
                return None
            chain = Chain(proof, node).by(rules.get(inner.__class__, "stop_function"))
            return chain.then(self.stops(chain.term)).step()

        return rewrite(proof, term, here, (), lambda node: node.__class__ is not Indexed)

    def of_value_one(self, definition: Definition) -> None:
        """Take up a family of ratios: its stopped copy and its value are 1, by induction.

        Raises:
            Rejection: nothing shows it.
        """
        proof, state = self.proof, self.state
        for operator in (Stop, Eval):
            chain = Chain(proof, state.node(operator, None, definition.left))
            chain.inside(proof.infer("definition", definition.left))
            chain.then(self.stops(chain.term) if operator is Stop else proof.evaluate(chain.term.args[0]))
            recursion = chain.step()
            assert recursion is not None
            target = recursion_step(proof.inference, chain.start, chain.term, state.one)
            branches = []
            for position in (1, 2):
                facts = branch(proof, chain.term.args[0], position == 1)
                branches.append(self.canonical.equal(state.one, target.args[position], facts))
            same = proof.infer("split", state.one, target, branches)
            self.ones[operator, definition.name] = proof.infer(
                "induction", chain.start, state.one, [recursion, same]
            )
        self._unfolded[_key(definition)] = proof.infer("definition", definition.left)

    def _one(self, node: Term) -> int | None:
        """``⊥ρ = 1`` or ``→ρ = 1`` for a family of ratios."""
        if node.__class__ not in (Stop, Eval) or node.args[0].__class__ is not Indexed:
            return None
        lemma = self.ones.get((node.__class__, node.args[0].key))
        return None if lemma is None else self.proof.infer("instance", node, None, [lemma])

    def values(self, term: Term) -> int | None:
        """1 for the value of every family of ratios."""
        return rewrite(self.proof, term, lambda node, facts: self._one(node))

    # -------------------------------------------------------------------------- normalised weights
    def _normalised(self, series: Term, live: bool = True) -> int | None:
        """``Σ[j](F[t,j]) = 1`` for a family of normalised weights, also under ⊥ or →; a name for what has one."""
        named = self._named(series)
        if named is not None and (live or not self.live(self.proof.right(named))):
            return named
        body = series.args[2] if series.__class__ is Sum else series
        operator = body.__class__ if body.__class__ in (Stop, Eval) else None
        family = body.args[0] if operator else body
        definition = self.proof.definition_of(family) if family.__class__ is Indexed else None
        if definition is None or not guarded(definition) or _key(definition) not in self._unfolded:
            return None
        place = [k for k, a in enumerate(family.args) if a.__class__ is Bound and a.key == 0]
        others = [a for k, a in enumerate(family.args) if k not in place]
        if len(place) != 1 or any(uses_index(a) for a in others):
            return None
        lemma = self._sum_of(definition, place[0], series)
        if lemma is None:
            return None
        proof = self.proof
        if operator is None:
            return proof.infer("instance", series, None, [lemma])
        # Σ ⊥F = ⊥ Σ F = ⊥ 1 = 1, and so for →
        plain = self.state.store.node(Sum, None, (*series.args[:2], family), series.hint)  # type: ignore[attr-defined]
        if not all(self.state.fixed(a) for a in series.args[:2]):
            return None
        moved, free = ("stop_function", "stop_number") if operator is Stop else ("eval_function", "eval_free")
        whole = Chain(proof, self.state.node(operator, None, plain)).by(moved)
        one = Chain(proof, self.state.node(operator, None, plain))
        one.inside(proof.infer("instance", plain, None, [lemma])).by(free)
        first, second = whole.step(), one.step()
        assert first is not None and second is not None
        if whole.term is not series:
            return None
        back = proof.infer("symmetry", series, whole.start, [first])
        return proof.chain([back, second])

    def _sum_of(self, definition: Definition, place: int, series: Term) -> int | None:
        """The lemma ``Σ[j=lo..hi](F[…,j,…]) = 1``, its other indices loose; proved once."""
        lo, hi = series.args[:2]
        key = (_key(definition), place, id(lo), id(hi))
        if key in self._sums or lo.loose or hi.loose:
            return self._sums.get(key)
        self._sums[key] = None
        proof, state = self.proof, self.state
        arity = definition.arity
        others = iter(range(arity - 2, -1, -1))
        args = [
            state.node(Bound, 0) if k == place else state.node(Bound, next(others) + 1) for k in range(arity)
        ]
        family = state.node(Indexed, definition.name, *args)
        left = state.store.node(Sum, None, (lo, hi, family), "j")
        measure = put_indices(proof, measure_of(definition), args[::-1])
        if uses_index(measure):
            return None
        measure = proof.add(shift(measure, -1))
        known = state.facts.hypotheses
        guard = state.node(Fn, "gt", measure, state.zero)
        target = state.node(Fn, "cases", guard, state.one, state.one)
        branches = []
        try:
            for position in (1, 2):
                facts = branch(proof, guard, position == 1)
                chain = Chain(proof, left)
                chain.then(self._opened(chain.term, facts))
                if chain.term is left:
                    return None
                for _ in range(MAX_DEPTH):
                    chain.then(self._plain_names(chain.term))
                chain.then(Canonical(proof).step(chain.term, facts))
                chain.by("ring", state.one)
                step = chain.step()
                assert step is not None
                branches.append(step)
            split = proof.infer("split", left, target, branches)
        except Rejection:
            state.facts.forget(known)
            return None
        found = self._sums[key] = proof.chain([split, proof.infer("cases_same", target)])
        return found

    def _plain_names(self, term: Term) -> int | None:
        """Names that are no recursion, unfolded once."""

        def here(node: Term, facts: Facts) -> int | None:
            found = self.proof.definition_of(node) if node.__class__ in (Sym, Indexed) else None
            if found is None or found.measure is not None or guarded(found) or self.index_valued(found):
                return None
            return self.proof.infer("definition", node)

        return rewrite(self.proof, term, here, (), lambda node: node.__class__ is not Indexed)

    def _named(self, series: Term) -> int | None:
        """A Σ or ∏ that a plain name is defined to be, as that name; under ⊥ or → too."""
        proof, state = self.proof, self.state
        operator = series.args[2].__class__ if series.args[2].__class__ in (Stop, Eval) else None
        inner = series.args[2].args[0] if operator else series.args[2]
        hint: str = series.hint  # type: ignore[attr-defined]
        plain = state.store.node(series.__class__, None, (*series.args[:2], inner), hint)
        for d in list(proof.definitions.values()):
            if d.body.__class__ is not series.__class__ or d.left.__class__ is App or d.measure is not None:
                continue
            pattern, left = _pattern(d)
            found = match(pattern, plain)
            if found is None or any(f"?{n}" not in found for n in range(d.arity)):
                continue
            try:
                name = instance(left, found, state.store)
                chain = Chain(proof, name).by("definition")
            except Rejection:
                continue
            if chain.term is not plain:
                continue
            if operator is None:
                return proof.infer("symmetry", series, name, [chain.steps[0]])
            outer = Chain(proof, state.node(operator, None, name)).inside(chain.step())
            try:
                outer.by("stop_function" if operator is Stop else "eval_function")
            except Rejection:
                continue
            whole = outer.step()
            if outer.term is series and whole is not None:
                return proof.infer("symmetry", series, outer.start, [whole])
        return None

    # ------------------------------------------------------------------------------- small things
    def fresh(self, like: str) -> str:
        """A name that nothing has, like the given one."""
        name = like
        while name in self._taken or name in self.state.defined:
            name += "'"
        self._taken.add(name)
        return name

    def fold_path(self, product: Term) -> Term:
        """A product along a lineage as the density of the path, where a definition says so; else itself."""
        for d in self.proof.definitions.values():
            if d.left.__class__ is not App:
                continue
            pattern, left = _pattern(d)
            found = match(pattern, product)
            if found is not None and all(f"?{n}" in found for n in range(d.arity)):
                try:
                    return instance(left, found, self.state.store)
                except Rejection:  # another lineage than that of the path
                    continue
        return product


class _Shape:
    """One recursion: which of its indices is the time, and what its ratio is made of."""

    def __init__(self, closed: Closed, main: Definition, body: Term) -> None:
        self.closed, self.main, self.body = closed, main, body
        self.proof, self.state = closed.proof, closed.state
        measure = measure_of(main)
        used = {n.key for n in postorder(measure) if n.__class__ is Bound}
        if len(used) != 1:
            raise Rejection("the measure is not that of one index")
        (self.time,) = used
        index = self.state.node(Bound, self.time)
        #: the last time of the base case: t - measure
        self.base = self.closed.canonical.term(self.proof.add(index - measure))
        if self.base.loose:
            raise Rejection("the recursion does not go forward")
        self.particles = [k for k in range(main.arity) if k != self.time]

    def arguments(self, node: Term) -> tuple[Term, ...]:
        """The indices of a member, ``[k]`` for ``Bound(k)``."""
        return tuple(reversed(node.args))

    def known(self, node: Term, facts: Facts) -> Factors | None:
        """The ratio of the family at other indices, as its two parts yet to be found; that of others."""
        definition = self.proof.definition_of(node)
        if definition is not self.main:
            same = definition is not None and definition.group == self.main.group
            return None if same else self.closed._known_ratio(node, facts)
        part = self.state.node(Indexed, _PART, *node.args)
        gauge = self.state.node(Indexed, _GAUGE, self.arguments(node)[self.time])
        return {part: 1, gauge: 1}

    def split(self, factors: Factors) -> tuple[Factors, Factors]:
        """The factors that a particle's index occurs in, and those of the time alone."""
        part: Factors = {}
        gauge: Factors = {}
        for f, e in factors.items():
            alone = f.key != _PART and not any(uses_index(f, k) for k in self.particles)
            (gauge if alone and self.particles else part)[f] = e
        if not self.particles:  # the time is all there is: what is not the gauge belongs to the part
            gauge = {f: e for f, e in part.items() if f.key == _GAUGE}
            part = {f: e for f, e in part.items() if f not in gauge}
        return part, gauge

    # the part that depends on the particle
    def solve(self, step: Factors, base: Factors) -> Term:
        """A in closed form, or a family for it."""
        direct = [f for f in step if f.__class__ is Indexed and f.key == _PART]
        others = [f for f in step if f not in direct]
        nested = any(n.__class__ is Indexed and n.key == _PART for f in others for n in postorder(f))
        if len(direct) == 1 and step[direct[0]] == 1 and not nested and self._one_back(direct[0]):
            return self._along(direct[0], {f: step[f] for f in others}, base)
        if not direct and not nested:  # it does not look back
            return Ratios(self.proof, ()).written(step)
        return self._family(step, base)

    def looks_back(self, step: Factors) -> bool:
        """Whether the part is used at an earlier time."""
        return any(n.__class__ is Indexed and n.key == _PART for f in step for n in postorder(f))

    def _one_back(self, part: Term) -> bool:
        """Whether the part is used one step of time before."""
        index = self.state.node(Bound, self.time)
        gap = self.proof.inference.ring().difference(index, self.arguments(part)[self.time])
        return gap == {(): 1}

    def _along(self, part: Term, factors: Factors, base: Factors) -> Term:
        """The product of the factors along the lineage."""
        previous = self.arguments(part)
        moved = [k for k in self.particles if previous[k] is not self.state.node(Bound, k)]
        if len(moved) > 1:
            raise Rejection("more than one index has a lineage")
        lineage = self._lineage(moved[0], previous[moved[0]]) if moved else None
        state = self.state
        t = state.node(Bound, self.time)
        out: list[Term] = []
        for f, e in base.items():
            out.append(_power(state, self._at(f, self.base, lineage, moved, t), e))
        lo = self.closed.canonical.term(self.proof.add(self.base + state.one))
        for f, e in factors.items():
            bare = _bare(f)
            inner = self._below(bare or f, lineage, moved)
            product = state.store.node(Prod, None, (lo, t, inner), "s")
            if bare is not None:
                product = self.closed.fold_path(product)
                inverse = state.node(
                    Pow, None, state.node(Stop, None, product), state.node(Num, Fraction(-1))
                )
                product = state.node(Mul, None, product, inverse)
            out.append(_power(state, product, e))
        return state.product(*out)

    def summed(self, start: Term) -> Term | None:
        """``base + Σ[s](H[s, …])`` for a recursion that adds H to itself one step before."""
        proof, state = self.proof, self.state
        arity = start.loose
        if arity != self.main.arity:  # a coordinate behind the family's own indices
            return None
        pattern = start
        for n in range(arity):
            pattern = instantiate(pattern, meta(str(n)))
        pattern = proof.add(pattern)
        summands = self.body.args[1].args if self.body.args[1].__class__ is Add else (self.body.args[1],)
        own = [f for f in summands if match(pattern, f) is not None]
        others = [f for f in summands if f not in own]
        if len(own) != 1 or any(match(pattern, n) is not None for f in others for n in postorder(f)):
            return None
        found = match(pattern, own[0])
        assert found is not None
        previous = [found[f"?{n}"][0] for n in range(arity)]
        gap = proof.inference.ring().difference(state.node(Bound, self.time), previous[self.time])
        moved = [k for k in self.particles if previous[k] is not state.node(Bound, k)]
        if gap != {(): 1} or len(moved) > 1:
            return None
        lineage = self._lineage(moved[0], previous[moved[0]]) if moved else None
        t = state.node(Bound, self.time)
        out = []
        if self.body.args[2] is not state.zero:
            out.append(self._at(self.body.args[2], self.base, lineage, moved, t))
        if others:
            lo = self.closed.canonical.term(proof.add(self.base + state.one))
            inner = self._below(state.total(others), lineage, moved)
            out.append(state.store.node(Sum, None, (lo, t, inner), "s"))
        return state.total(out)

    def _below(self, f: Term, lineage: str | None, moved: Sequence[int]) -> Term:
        """A factor at time s of the lineage, under the binder of s."""
        t = self.state.node(Bound, self.time + 1)
        return self._at(f, self.state.node(Bound, 0), lineage, moved, t, 1)

    def _at(
        self, f: Term, time: Term, lineage: str | None, moved: Sequence[int], t: Term, by: int = 0
    ) -> Term:
        """A factor at another time, the particle replaced by its ancestor then."""
        values: list[Term] = []
        for k in range(self.main.arity):
            own = self.state.node(Bound, k + by)
            if k == self.time:
                values.append(time)
            elif k in moved and lineage is not None:
                values.append(self.state.node(Indexed, lineage, time, t, own))
            else:
                values.append(own)
        return put_indices(self.proof, f, values)

    def _lineage(self, k: int, previous: Term) -> str:
        """The name of the map to the ancestor at time s, found or newly defined: M[s,t,i]."""
        if self.main.arity != 2:
            raise Rejection("a lineage has one particle index")
        proof, state = self.proof, self.state
        previous = self._named(previous)
        # over s, t, i: Bound(2), Bound(1), Bound(0)
        s, t, i = (state.node(Bound, n) for n in (2, 1, 0))
        values = [t if n == self.time else i for n in range(2)]
        kappa = put_indices(proof, previous, values)
        measure = proof.add(t - s)
        back = proof.add(t + Num(-1))

        def body(name: str) -> Term:
            guard = state.node(Fn, "gt", measure, state.zero)
            return state.node(Fn, "cases", guard, state.node(Indexed, name, s, back, kappa), i)

        for d in proof.definitions.values():
            if d.arity == 3 and d.left.__class__ is Indexed:
                try:
                    if not proof.inference.ring().difference(d.body, body(d.name)):
                        return d.name
                except Rejection:
                    continue
        like = previous.key if previous.__class__ is Indexed else self.main.name
        name = self.closed.fresh(str(like) + "\u0303")
        left = state.node(Indexed, name, s, t, i)
        proof.define([Definition(left, 3, body(name), measure)])
        self.closed.origin[name] = (1, self.main.name, ())
        return name

    def _named(self, index: Term) -> Term:
        """An index by the name of the map that is defined to be it."""
        if index.__class__ is Fn and index.key == "cases":
            condition = index.args[0]
            branches = (self._where(index.args[k], condition, k) for k in (1, 2))
            index = self.state.node(Fn, "cases", condition, *branches)
        for d in self.proof.definitions.values():
            if d.left.__class__ is Indexed and d.arity == self.main.arity and d.body is index:
                return d.left
        return index

    def _where(self, index: Term, condition: Term, branch: int) -> Term:
        """An index in a branch of cases: what a map that is defined by the same cases is there."""
        definition = self.proof.definition_of(index)
        if definition is None or not self.closed.index_valued(definition):
            return index
        body = put_indices(self.proof, definition.body, index.args[::-1])
        return body.args[branch] if body.args[0] is condition else index

    def _family(self, step: Factors, base: Factors) -> Term:
        """A family for a part that has no closed form."""
        proof, state = self.proof, self.state
        name = self.closed.fresh("ρ")
        left = state.node(Indexed, name, *self.main.left.args)
        ratios = Ratios(proof, ())

        def named(term: Term) -> Term:
            done: dict[int, Term] = {}
            for node in postorder(term):
                args = tuple(done[id(a)] for a in node.args)
                new = state.rebuild(node, args)
                done[id(node)] = state.node(Indexed, name, *args) if node.key == _PART else new
            return done[id(term)]

        guard = self.body.args[0]
        body = state.node(Fn, "cases", guard, named(ratios.written(step)), named(ratios.written(base)))
        definition = Definition(left, self.main.arity, body, measure_of(self.main))
        proof.define([definition])
        self.closed.origin[name] = (0, self.main.name, ())
        self.closed.of_value_one(definition)
        return left

    # the part that depends on the time alone
    def gauge(self, step: Factors, step_part: Factors, part: Term) -> Term:
        """g in closed form, a proposal for the base case too."""
        state = self.state
        own = {f: e for f, e in step.items() if f.key == _GAUGE}
        time = state.node(Bound, self.time)
        rest = self.folded({f: e for f, e in step.items() if f.key != _GAUGE}, step_part, time)
        if any(not self._back_one(f) for f in own) or sum(own.values()) not in (0, 1):
            raise Rejection("the gauge has no closed form")
        now = self.filled(rest, part, state.one)
        if not own or now is state.one:
            return now
        lo = self.closed.canonical.term(self.proof.add(self.base + state.one))
        inner = self._at_time(now, state.node(Bound, 0))
        return state.store.node(Prod, None, (lo, state.node(Bound, self.time), inner), "s")

    def by_cases(self, gauge: Term) -> Term:
        """The gauge from the second time on, and 1 in the base case."""
        return self.state.node(Fn, "cases", self.body.args[0], gauge, self.state.one)

    def _back_one(self, gauge: Term) -> bool:
        gap = self.proof.inference.ring().difference(self.state.node(Bound, self.time), gauge.args[0])
        return gap == {(): 1}

    def folded(self, factors: Factors, step_part: Factors, time: Term, present: bool = False) -> Factors:
        """Averages of the part at a time recognised as such; where present, the part itself."""
        out: Factors = {}
        rest = dict(factors)
        if present and step_part and all(rest.get(f) == e for f, e in step_part.items()):
            out[self.state.node(Indexed, _PART, *self.main.left.args)] = 1
            rest = {f: e for f, e in rest.items() if f not in step_part}
        whole = Ratios(self.proof, ()).written(step_part)
        for f, e in rest.items():
            out[self._fold_average(f, whole, time) if f.__class__ is Sum else f] = e
        return out

    def _fold_average(self, series: Term, whole: Term, time: Term) -> Term:
        """``Σ[j](⊥(E/ΣE) P[j])`` as ``Σ[j](⊥F[t,j] A[t,j])`` where it is that."""
        state, proof = self.state, self.proof
        if len(self.particles) != 1 or series.args[2].__class__ is not Mul:
            return series
        share, *inner = series.args[2].args
        below, index = proof.add(shift(time, 1)), state.node(Bound, 0)
        values = [index if k in self.particles else below for k in range(self.main.arity)]

        def now(term: Term) -> Term:
            return put_indices(proof, term, values)

        ring = proof.inference.ring()
        try:
            if ring.difference(state.product(*inner), now(whole)):
                return series
            weight = state.node(Stop, None, now(self.main.left))
            if not ring.difference(share.args[0], now(self.body.args[1])):
                share = weight
        except Rejection:
            return series
        part = state.node(Indexed, _PART, *now(self.main.left).args)
        hint: str = series.hint  # type: ignore[attr-defined]
        return state.store.node(Sum, None, (*series.args[:2], state.node(Mul, None, share, part)), hint)

    def _at_time(self, term: Term, time: Term) -> Term:
        """A term of the time alone, at another time."""
        values = [time if k == self.time else self.state.zero for k in range(self.main.arity)]
        return put_indices(self.proof, term, values)

    def filled(self, factors: Factors, part: Term, gauge: Term) -> Term:
        """A product with what was found for the two parts."""
        state = self.state
        done: dict[int, Term] = {}
        root = Ratios(self.proof, ()).written(factors)
        for node in postorder(root):
            args = tuple(done[id(a)] for a in node.args)
            if node.key == _PART:
                done[id(node)] = put_indices(self.proof, part, args[::-1])
            elif node.key == _GAUGE:
                done[id(node)] = self._at_time(gauge, args[0])
            else:
                done[id(node)] = state.rebuild(node, args)
        return done[id(root)]


def _key(definition: Definition) -> tuple[object, ...]:
    from ..kernel.inference import head

    return head(definition.left)


def guarded(definition: Definition) -> bool:
    """Whether a family has a base case: its body is ``cases(m > 0: …, else: …)``, m an index."""
    body = definition.body
    if body.__class__ is not Fn or body.key != "cases" or definition.left.__class__ is not Indexed:
        return False
    condition = body.args[0]
    return (
        condition.__class__ is Fn
        and condition.key == "gt"
        and condition.args[1] == Num(0)
        and any(n.__class__ is Bound for n in postorder(condition.args[0]))
        and all(n.__class__ in (Add, Mul, Num, Bound, Sym) for n in postorder(condition.args[0]))
    )


def _with(definition: Definition, also: Definition | None) -> bool:
    """Whether a definition is unfolded along with another one: it itself, or a plain member of its group."""
    if definition is also or also is None:
        return definition is also
    return also.measure is not None and definition.group == also.group and not guarded(definition)


def _pattern(definition: Definition) -> tuple[Term, Term]:
    """The body and the left side of a definition with metavariables for its indices."""
    body, left = definition.body, definition.left
    for n in range(definition.arity):
        body, left = instantiate(body, meta(str(n))), instantiate(left, meta(str(n)))
    return body, left


def _reached(node: Term) -> bool:
    """Whether ∇ reaches the operands of a node: not under ⊥, not in conditions, not in indices."""
    comparison = node.__class__ is Fn and node.key in ("gt", "ge", "eq")
    return node.__class__ not in (Stop, Indexed) and not comparison


def _differentiated(term: Term) -> list[Term]:
    """The nodes that ∇ reaches: not below ⊥, not in conditions, not in indices."""
    out: list[Term] = []
    seen: set[int] = set()
    todo = [term]
    while todo:
        node = todo.pop()
        if id(node) in seen or node.__class__ is Stop:
            continue
        seen.add(id(node))
        out.append(node)
        if node.__class__ is Fn and node.key == "cases":
            todo.extend(node.args[1:])
        elif node.__class__ is not Indexed and not (node.__class__ is Fn and node.key in ("gt", "ge", "eq")):
            todo.extend(node.args)
    return out


def measure_of(definition: Definition) -> Term:
    """What a member's recursion decreases, or the m of its base case."""
    return definition.measure if definition.measure is not None else definition.body.args[0].args[0]


def _bare(factor: Term) -> Term | None:
    """E, where the factor is ``E/⊥E``."""
    if factor.__class__ is Mul and len(factor.args) == 2 and factor.args[1].__class__ is Pow:
        stopped = factor.args[1].args[0]
        if stopped.__class__ is Stop and stopped.args[0] is factor.args[0]:
            return factor.args[0]
    return None


def _power(state: object, term: Term, exponent: int) -> Term:
    return term if exponent == 1 else state.node(Pow, None, term, state.node(Num, Fraction(exponent)))  # type: ignore[attr-defined]
