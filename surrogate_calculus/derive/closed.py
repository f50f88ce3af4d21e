"""Closed forms of recursions, found from their ratios and proved by induction.

For a family by recursion, F[t,i], the ratio (:mod:`.ratio`) of its body is a product of a part that depends
on the particle i and a part that depends on the time alone.  With

    F[t,i] = ⊥F[t,i] * A[t,i] * g[t]

the first part is a recursion for A, the second one for g:

* ``A[t,i] = H[t,i] * A[t-1,κ]``: A is the product of H along the lineage that the map κ makes;
* ``A[t,i] = Σ[j](…A[t-1,j]…)``: a family of its own, whose value is 1;
* ``g[t] = Q[t]`` or ``Q[t] * g[t-1]``: closed.

For the stop-gradient particle filter A is ``L/⊥L``, L the importance weight of the lineage, and g is
``1/Σ[j](⊥v̄[t,j] A[t,j])``: Eq. 55–60 of Ścibior & Wood, found rather than stated.  Each form is an equality
of surrogates, which the kernel concludes by induction, so that it holds under ∇ at every order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..kernel.inference import Definition, recursion_step, split_on
from ..kernel.judgement import Condition, Rejection
from ..kernel.matching import instance, match
from ..language.binding import placed, shift, uses_index
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
from .canonical import Canonical
from .chain import Chain, Facts, branch, holds, rewrite
from .members import differentiated, guarded, key_of, measure_of, pattern_of, reached, unfolds_with
from .proof import Proof
from .ratio import Factors, Ratios, put_indices
from .shape import Shape
from .sums import Sums

__all__ = ["Closed"]

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
        sums = Sums(self)
        self.canonical = Canonical(proof, sums.normalised)
        #: leaves what ∇ is to reach written out
        self.opening = Canonical(proof, lambda series: sums.normalised(series, live=False))
        self.along_lineages = Canonical(proof, sums.normalised, follow=True)
        self.forms: dict[tuple[object, ...], int] = {}
        self._ratios: dict[tuple[object, ...], Factors] = {}
        self._tried: set[tuple[object, ...]] = set()
        #: of a family made here: how many indices stand before those of the family that it comes from, that
        #: family, and the parameters whose coordinates stand behind
        self.origin: dict[str, tuple[int, str, tuple[str, ...]]] = {}
        self.ones: dict[tuple[type[Term], str], int] = {}  # families of ratios, stopped or evaluated
        self._taken = set(names)
        self.unfolded: dict[tuple[object, ...], int] = {}

    # ------------------------------------------------------------------------------------ entries
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
        own = self.form(definition)
        step = None if own is None else self.proof.infer("instance", node, None, [own])
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
        found = self.unfolded.get(key_of(definition))
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

    def begun(self, term: Term) -> int | None:
        """The first terms of every range apart where they lead a family to its base case."""

        def here(node: Term, facts: Facts) -> int | None:
            chain = Chain(self.proof, node)
            if node.__class__ in (Sum, Prod):
                self._split_off(chain, facts)
            return chain.step()

        return rewrite(self.proof, term, here, (), lambda node: node.__class__ is not Indexed)

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
                gap = self.proof.state.ring().difference(measure, self.state.node(Bound, depth))
                if set(gap) <= {()}:
                    found = max(found, int(-gap.get((), 0) - lo.key) + 1)
            if n.__class__ is not Indexed:
                binds = n.binds or (0,) * len(n.args)
                todo.extend((a, depth + k) for a, k in zip(n.args, binds, strict=True))
        return found if found <= MAX_BASE else 0

    def form(self, definition: Definition) -> int | None:
        """The step that concludes a definition's form, found when first asked for."""
        key = key_of(definition)
        if key not in self._tried:
            self._tried.add(key)
            if definition.measure is not None or guarded(definition):
                group = [d for d in self.proof.definitions.values() if d.group == definition.group]
                self._tried.update(map(key_of, group))
                for main in group:
                    if guarded(main) and self._live(main) and key_of(main) not in self.forms:
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
            ratios = Ratios(proof, self.params, self.known_ratio, {id(definition.body): definition.left})
            factors = ratios.of(definition.body)
            form = state.product(state.node(Stop, None, definition.left), ratios.written(factors))
            left = Chain(proof, definition.left).by("definition")
            left.then(self.use(left.term))
            self.forms[key_of(definition)] = self._meet(left, Chain(proof, form), (), definition)
            self._ratios[key_of(definition)] = factors
        except Rejection:
            state.facts.forget(known)

    def known_ratio(self, node: Term, facts: Facts) -> Factors | None:
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
        factors = self._ratios[key_of(definition)]
        return {put_indices(self.proof, f, values): e for f, e in factors.items()}

    # ---------------------------------------------------------------------------------- recursion
    def _group(self, main: Definition, group: Sequence[Definition]) -> None:
        """The closed forms of a group, read off the recursion of one member, if that has one."""
        before = self.state.facts.hypotheses
        try:
            recursion = self._unfold(main, group, main)
            body = self.proof.right(recursion)
            shape = Shape(self, main, body)
            ratios = Ratios(self.proof, self.params, shape.known)
            step_part, step_gauge = shape.split(ratios.of(body.args[1]))
            base_part, _ = shape.split(ratios.of(body.args[2]))
            part = shape.solve(step_part, base_part)
            gauge = shape.gauge(step_gauge, step_part, part)
            stopped = self.state.node(Stop, None, main.left)
            form = self.state.product(stopped, part, gauge)
            if shape.looks_back(step_part):
                try:
                    self.forms[key_of(main)] = self._induction(recursion, form)
                except Rejection:  # the gauge of the base case is another one
                    gauge = shape.by_cases(gauge)
                    form = self.state.product(stopped, part, gauge)
                    self.forms[key_of(main)] = self._induction(recursion, form)
            else:
                facts = (Condition("gt", measure_of(main)),)
                begun = self._unfold(main, group, main, facts)
                self.forms[key_of(main)] = self._agree(main, begun, form, facts)
            self._ratios[key_of(main)] = {f: 1 for f in (part, gauge) if f is not self.state.one}
        except Rejection:
            self.unfolded.pop(key_of(main), None)
            self.state.facts.forget(before)
            return
        for other in group:
            if other is not main and self._live(other):
                known = self.state.facts.hypotheses
                try:
                    self._follow(other, main, group, shape, ratios, step_part, part, gauge)
                except Rejection:
                    self.unfolded.pop(key_of(other), None)
                    self.state.facts.forget(known)

    def _unfold(
        self, definition: Definition, group: Sequence[Definition], main: Definition, facts: Facts = ()
    ) -> int:
        """``F[t,i] = body`` in terms of the main member of its group, where the facts hold.

        Raises:
            Rejection: another member is left that has a base case.
        """
        proof = self.proof
        members = {key_of(d): d for d in group if d is not main}

        def here(node: Term, facts: Facts) -> int | None:
            found = proof.definition_of(node)
            if found is None or found is main or node.__class__ is App:
                return None
            if not guarded(found) and (key_of(found) in members or found.measure is None):
                positive = key_of(found) not in members and self.form(found) is not None
                return None if positive else proof.infer("definition", node)
            chain = Chain(proof, node)
            if key_of(found) in members:
                self.decided(chain, facts)
            return chain.step()

        chain = Chain(proof, definition.left)
        if facts and guarded(definition):
            self.decided(chain, facts)
        else:
            chain.by("definition")
        for _ in range(2 * len(group) + 2):
            chain.then(rewrite(proof, chain.term, here, facts, reached))
        left = [n for n in differentiated(chain.term) if n.__class__ is Indexed]
        if any(found is not None and key_of(found) in members for found in map(proof.definition_of, left)):
            raise Rejection("the members of the group are not determined by one of them")
        step = chain.step()
        base = facts or not guarded(definition) or (chain.term.__class__ is Fn and chain.term.key == "cases")
        if step is None or not base:
            raise Rejection("the family has no base case")
        self.unfolded.setdefault(key_of(definition), step)
        return step

    def _follow(
        self,
        other: Definition,
        main: Definition,
        group: Sequence[Definition],
        shape: Shape,
        ratios: Ratios,
        step_part: Factors,
        part: Term,
        gauge: Term,
    ) -> None:
        """The closed form of another member, where the recursion has begun."""
        measure = measure_of(other)
        facts: Facts = (Condition("gt", measure),)
        if not guarded(other) and self._is_at_once(other, group, main, shape):
            facts = ()
        recursion = self._unfold(other, group, main, facts)
        found = ratios.of(self.proof.right(recursion))
        time = self.state.node(Bound, max(n.key for n in postorder(measure) if n.__class__ is Bound))
        folded = shape.folded(found, step_part, time, present=other.arity == main.arity)
        ratio = shape.filled(folded, part, gauge)
        form = self.state.product(self.state.node(Stop, None, other.left), ratio)
        self._ratios[key_of(other)] = {ratio: 1}
        self.forms[key_of(other)] = self._agree(other, recursion, form, facts)

    def _is_at_once(
        self, other: Definition, group: Sequence[Definition], main: Definition, shape: Shape
    ) -> bool:
        """Whether a member is what the main one is at the same time, in the base case too."""
        try:
            return not self._looks_back(other, group, main, shape)
        except Rejection:  # by way of a member that has a base case of its own
            return False

    def _looks_back(
        self, other: Definition, group: Sequence[Definition], main: Definition, shape: Shape
    ) -> bool:
        """Whether a member uses the main one at an earlier time."""
        body = self.proof.right(self._unfold(other, group, main))
        self.unfolded.pop(key_of(other), None)
        own = self.state.node(Bound, max(n.key for n in postorder(measure_of(other)) if n.__class__ is Bound))
        return any(
            node.__class__ is Indexed
            and self.proof.definition_of(node) is main
            and shape.arguments(node)[shape.time] != shift(own, depth)
            for node, depth in placed(body)
        )

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
            form = Shape(self, definition, body).summed(start)
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
        same = proof.split(form, target, branches)
        return proof.infer("induction", family, form, [recursion, same])

    def _meet(self, left: Chain, right: Chain, facts: Facts, also: Definition | None = None) -> int:
        """The step that concludes that two chains' beginnings are equal, ``also`` unfolded.

        Raises:
            Rejection: nothing shows it.
        """
        for chain in (left, right):
            for _ in range(2):
                chain.then(self.opened(chain.term, facts, also))
                chain.then(self.stops(chain.term))
        left.then(self._same(left.term, right.term, facts))
        back = right.step()
        if back is not None:
            left.then(self.proof.infer("symmetry", right.term, right.start, [back]))
        step = left.step()
        return self.proof.same(left.start) if step is None else step

    def _same(self, left: Term, right: Term, facts: Facts, conditions: int = 3) -> int:
        """``left = right`` by arithmetic, in each case of the conditions on reals in them.

        Raises:
            Rejection: they differ, as far as arithmetic can tell.
        """
        try:
            return self.along_lineages.equal(left, right, facts)
        except Rejection:
            canonical = [self.along_lineages.term(t, facts) for t in (left, right)]
            condition = self._condition(canonical) if conditions else None
            if condition is None:
                raise
        chains = []
        for term in (left, right):
            chain = Chain(self.proof, term)
            chain.then(self.along_lineages.step(chain.term, facts))
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
        for node, depth in placed(*terms):
            if node.__class__ is Fn and node.key == "cases":
                found = node.args[0]
                comparison = found.__class__ is Fn and found.key in ("gt", "ge", "eq")
                if comparison and not any(uses_index(found, k) for k in range(depth)):
                    return self.proof.add(shift(found, -depth))
        return None

    def _maps(self, term: Term, condition: Term) -> int | None:
        """Maps between indices that are defined by cases of this condition, unfolded."""

        def here(node: Term, facts: Facts) -> int | None:
            found = self.proof.definition_of(node) if node.__class__ is Indexed else None
            if found is None or guarded(found) or not self.index_valued(found):
                return None
            chain = Chain(self.proof, node).by("definition")
            chain.inside(self.along_lineages.step(chain.term.args[0]))
            # it may stand under binders, which the condition does not see
            own = chain.term.args[0]
            same = any(own == shift(condition, depth) for depth in range(MAX_DEPTH))
            return chain.step() if same else None

        return rewrite(self.proof, term, here)

    def opened(self, term: Term, facts: Facts, also: Definition | None = None) -> int | None:
        """Families unfolded by one step, densities along paths as products, the last terms split off."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            chain = Chain(proof, node)
            definition = proof.definition_of(node)
            if definition is not None and (node.__class__ is App or unfolds_with(definition, also)):
                chain.by("definition")
            elif definition is not None and key_of(definition) in self.unfolded:
                self._unfold_here(chain, definition, facts)
            if chain.term.__class__ in (Sum, Prod):
                self._last(chain, facts)
            return chain.step()

        return rewrite(proof, term, here, facts, lambda node: node.__class__ is not Indexed)

    def written_out(self, term: Term) -> int | None:
        """Densities along paths as products over their steps, the last steps apart where there are any."""
        proof = self.proof

        def paths(node: Term, facts: Facts) -> int | None:
            found = node.__class__ is App and proof.definition_of(node) is not None
            return proof.infer("definition", node) if found else None

        def last(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Prod:
                return None
            length = proof.add(node.args[1] - node.args[0])
            begun = self.canonical.holds([Condition("int", length)], facts)
            return proof.infer("product_last", node) if begun else None

        chain = Chain(proof, term)
        chain.then(rewrite(proof, chain.term, paths))
        for _ in range(MAX_BASE):
            before = chain.term
            chain.then(rewrite(proof, chain.term, last))
            if chain.term is before:
                break
        return chain.step()

    def _unfold_here(self, chain: Chain, definition: Definition, facts: Facts) -> None:
        """The branch of a recursion that the facts decide."""
        trial = Chain(self.proof, chain.term)
        step = self.proof.infer("instance", chain.term, None, [self.unfolded[key_of(definition)]])
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
            same = proof.split(state.one, target, branches)
            self.ones[operator, definition.name] = proof.infer(
                "induction", chain.start, state.one, [recursion, same]
            )
        self.unfolded[key_of(definition)] = proof.infer("definition", definition.left)

    def _one(self, node: Term) -> int | None:
        """``⊥ρ = 1`` or ``→ρ = 1`` for a family of ratios."""
        if node.__class__ not in (Stop, Eval) or node.args[0].__class__ is not Indexed:
            return None
        lemma = self.ones.get((node.__class__, node.args[0].key))
        return None if lemma is None else self.proof.infer("instance", node, None, [lemma])

    def values(self, term: Term) -> int | None:
        """1 for the value of every family of ratios."""
        return rewrite(self.proof, term, lambda node, facts: self._one(node))

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
            pattern, left = pattern_of(d)
            found = match(pattern, product)
            if found is not None and all(f"?{n}" in found for n in range(d.arity)):
                try:
                    return instance(left, found, self.state.store)
                except Rejection:  # another lineage than that of the path
                    continue
        return product
