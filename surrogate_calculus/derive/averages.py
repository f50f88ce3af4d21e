"""Expectations over one variable worked out: ∇ inside, factors outside, changes of measure undone.

What is left has no ∇ outside of an 𝔼, nothing inside of one that is free of its variable, and of the
scores nothing whose mean is known: ``𝔼[x ~ p](∇ log p) = 0``, and its derivative,
``𝔼[x ~ p](∇² log p) = -𝔼[x ~ p]((∇ log p)²)``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from ..kernel.judgement import Rejection
from ..language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Bound,
    CondExpect,
    Expect,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Sum,
    Term,
    mul,
    postorder,
)
from .canonical import Canonical
from .chain import Chain, Facts, holds, rewrite
from .expectations import Expectations
from .proof import Proof

__all__ = ["Averages"]

#: ∇ of ∇ … of an 𝔼 are moved inside so often at most.
MAX_ORDER = 4


class Averages:
    """The moves of one proof.

    Args:
        proof: where the steps go.
        pushed: moves ∇ and → inside as far as they go without the laws of 𝔼.
        densities: the names of the functions that are densities.
    """

    def __init__(
        self, proof: Proof, pushed: Callable[[Term], int | None], densities: Collection[str]
    ) -> None:
        self.proof = proof
        self.pushed = pushed
        self.densities = densities
        self.canonical = Canonical(proof)
        self._zeros: dict[Term, int | None] = {}

    def simplified(self, term: Term) -> int | None:
        """Everything out of expectations that is free of their variables, changes of measure undone."""
        chain = Chain(self.proof, term)
        for _ in range(MAX_ORDER):
            before = chain.term
            chain.then(self.canonical.step(chain.term))
            chain.then(Expectations(self.proof).normal(chain.term))
            chain.then(self.canonical.step(chain.term))
            chain.then(rewrite(self.proof, chain.term, self._own_measure))
            if chain.term is before:
                break
        return chain.step()

    def worked_out(self, term: Term) -> int | None:
        """Every ∇ inside of the expectations, and what is then known of their means."""
        chain = Chain(self.proof, term)
        for _ in range(MAX_ORDER):
            before = chain.term
            chain.then(self.pushed(chain.term))
            chain.then(Expectations(self.proof).score(chain.term))
            if chain.term is before:
                break
        for _ in range(MAX_ORDER):
            before = chain.term
            chain.then(self.simplified(chain.term))
            chain.then(rewrite(self.proof, chain.term, self._known_mean))
            if chain.term is before:
                break
        return chain.step()

    # ---------------------------------------------------------------------------- the last draws
    def over_draws(self, term: Term) -> int | None:
        """The last draws of every ``𝔼[· | t]`` averaged by their laws: particles, then ancestors."""
        chain = Chain(self.proof, term)
        out = self.taken_out
        # what is averaged over one particle may come apart into summands, which are averaged on their own
        for move in (self._one_step_before, out, out, self._averaged, out, self._averaged, out):
            chain.then(move(chain.term))
        return chain.step()

    def taken_out(self, term: Term) -> int | None:
        """What is known out of expectations, every Σ left where it is."""
        chain = Chain(self.proof, term).then(self.canonical.step(term))
        chain.then(Expectations(self.proof, split=False).normal(chain.term))
        return chain.then(self.canonical.step(chain.term)).step()

    def _one_step_before(self, term: Term) -> int | None:
        """``𝔼[· | s](A) = 𝔼[· | s](𝔼[· | t-1](A))`` where the last draws in A are at t."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not CondExpect or _has_average(node.args[1]):
                return None
            names = self.proof.inference.filtration.names
            times = {
                n.args[0]
                for n in postorder(node.args[1])
                if n.__class__ is Indexed and n.key in names and not n.args[0].loose
            }
            for time in sorted(times, key=str):
                before = self.canonical.term(self.proof.add(time - 1))
                if before == node.args[0]:
                    continue
                inner = self.proof.add(CondExpect(before, node.args[1]))
                right = self.proof.state.node(CondExpect, None, node.args[0], inner)
                with suppress(Rejection):
                    tower = self.proof.infer("cond_tower", right)
                    if holds(self.proof, tower, facts):
                        return self.proof.infer("symmetry", node, right, [tower])
            return None

        return rewrite(self.proof, term, here)

    def _averaged(self, term: Term) -> int | None:
        """``𝔼[· | t-1](Σ[i](A))``, A in what is drawn for the particle i at t, by the laws of it."""
        moves = Expectations(self.proof, split=False)
        rows = self.proof.inference.filtration.rows
        ancestors = {row.left.key for row in rows if row.law.__class__ is Sum}
        particles = {row.left.key for row in rows} - ancestors

        def here(node: Term, facts: Facts) -> int | None:
            plain = node.__class__ is CondExpect and node.args[1].__class__ is Sum
            if not plain or _has_average(node.args[1]):
                return None
            with suppress(Rejection):
                chain = Chain(self.proof, node).by("cond_sum")
                apart = chain.term
                inner = Chain(self.proof, apart.args[2])
                for name in sorted(particles):
                    inner.then(next(moves.draws(inner.term, name), None))
                inner.inside(self.worked_out(inner.term.args[1]))
                chain.inside(inner.step())
                (lo, hi, mean), hint = chain.term.args, getattr(apart, "hint", "i")
                together = Sum(lo, hi, mean.args[1], hint)
                chain.back("cond_sum", self.proof.add(CondExpect(node.args[0], together)))
                for name in sorted(ancestors):
                    chain.then(next(moves.draws(chain.term, name), None))
                return chain.step()
            return None

        return rewrite(self.proof, term, here)

    # ---------------------------------------------------------------------------- change of measure
    def _own_measure(self, node: Term, facts: Facts) -> int | None:
        """``𝔼[x ~ q](p(x)/q(x) A) = 𝔼[x ~ p](A)``."""
        if node.__class__ is not Expect:
            return None
        law, body = node.args
        factors = list(body.args) if body.__class__ is Mul else [body]
        inverse = next((f for f in factors if f.__class__ is Pow and f.args == (law, Num(-1))), None)
        if inverse is None:
            return None
        for density in factors:
            drawn = isinstance(density, App) and density.name in self.densities
            if not drawn or Bound(0) not in density.args[: len(density.arguments)]:  # type: ignore[attr-defined]
                continue
            rest = [f for f in factors if f is not inverse and f is not density]
            hint = getattr(node, "hint", "x")
            own = self.proof.add(Expect(density, mul(*rest), hint))
            other = self.proof.add(Expect(law, Mul(density, law**-1, own.args[1]), hint))
            with suppress(Rejection):
                weighted = self.proof.infer("expect_weight", own, other)
                chain = Chain(self.proof, node)
                chain.inside(self.proof.infer("ring", body, other.args[1]))
                return chain.then(self.proof.infer("symmetry", other, own, [weighted])).step()
        return None

    # ---------------------------------------------------------------------------- means of scores
    def _known_mean(self, node: Term, facts: Facts) -> int | None:
        if node.__class__ is not Expect:
            return None
        law, body = node.args
        if body.__class__ is not Grad or len(body.args) > 1:
            return None
        inner = body.args[0]
        if _is_log(inner, law):
            return self._score_is_zero(node)
        if inner.__class__ is Grad and inner.key == body.key and _is_log(inner.args[0], law):
            return self._second(node, inner)
        return None

    def _score_is_zero(self, node: Term) -> int | None:
        """``𝔼[x ~ p](∇ log p) = 0``: the derivative of ``𝔼[x ~ p](1) = 1``."""
        if node not in self._zeros:
            self._zeros[node] = None
            proof, law, parameter = self.proof, node.args[0], node.args[1].key
            start = proof.state.node(Grad, parameter, proof.add(Expect(law, ONE, getattr(node, "hint", "x"))))
            with suppress(Rejection):
                inside = Chain(proof, start).by("expect_score")
                inside.then(self.pushed(inside.term))
                inside.then(self.canonical.step(inside.term))
                one = Chain(proof, start).inside(proof.infer("expect_one", start.args[0]))
                one.then(self.pushed(one.term))
                step = inside.step()
                if inside.term is node and step is not None and one.term == ZERO:
                    back = proof.infer("symmetry", node, start, [step])
                    self._zeros[node] = Chain(proof, node).then(back).then(one.step()).step()
        return self._zeros[node]

    def _second(self, node: Term, score: Term) -> int | None:
        """``𝔼[x ~ p](∇² log p) = -𝔼[x ~ p]((∇ log p)²)``: the derivative of the mean of the score."""
        proof, law = self.proof, node.args[0]
        first = proof.add(Expect(law, score, getattr(node, "hint", "x")))
        zero = self._score_is_zero(first)
        if zero is None:
            return None
        start = proof.state.node(Grad, score.key, first)
        with suppress(Rejection):
            inside = Chain(proof, start).by("expect_score")
            inside.then(self.simplified(inside.term))
            none = Chain(proof, start).inside(zero)
            none.then(self.pushed(none.term))
            step = inside.step()
            if step is None or none.term != ZERO or node not in inside.term.args:
                return None
            sum_ = inside.term  # the two means
            back = proof.infer("symmetry", sum_, start, [step])
            known = Chain(proof, sum_).then(back).then(none.step()).step()
            rest = [a for a in sum_.args if a is not node]
            chain = Chain(proof, node).by("ring", proof.add(Add(sum_, *(Mul(Num(-1), r) for r in rest))))
            chain.inside(known)
            return chain.then(self.canonical.step(chain.term)).step()
        return None


def _has_average(term: Term) -> bool:
    return any(n.__class__ is CondExpect for n in postorder(term))


def _is_log(term: Term, law: Term) -> bool:
    return term.__class__ is Fn and term.key == "log" and term.args[0] == law
