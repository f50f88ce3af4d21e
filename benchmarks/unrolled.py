"""Concrete, unrolled terms of any size, built through the constructors with everything shared."""

from __future__ import annotations

import random
from fractions import Fraction

from surrogate_calculus.language.terms import App, Fn, Indexed, Mul, Num, Pow, Stop, Sym, Term, add

__all__ = ["chain", "dpf_log_z"]


def dpf_log_z(particles: int, steps: int, seed: int = 0, proposal: bool = True) -> Term:
    """log Ẑ of the differentiable particle filter, unrolled (Ścibior & Wood, Algorithm 1).

    Particles x[t,i] and observations y[t] are families at concrete indices, the densities
    ``p(x[t,i], y[t] | x[t-1,a]; θ)`` and ``q(x[t,i] | x[t-1,a])`` are opaque, and the ancestors are
    drawn once from a generator with this seed, resampling at every step.

    Args:
        particles: N ≥ 1.
        steps: T ≥ 1.
        seed: of the ancestors.
        proposal: whether the weights are divided by q; if not, p stands for the whole weight.

    Returns:
        ``log V[1] + … + log V[T]``: about 7 N T shared nodes, 5 N T without q; as a tree, some N^T.
    """
    draw = random.Random(seed)
    theta = Sym("θ")
    minus_one, share = Num(-1), Num(Fraction(1, particles))
    number = [Num(n) for n in range(max(particles, steps) + 1)]
    before = [Indexed("x", number[0], number[i + 1]) for i in range(particles)]
    normalised: list[Term] = [share] * particles
    logs = []
    for t in range(1, steps + 1):
        y = Indexed("y", number[t])
        # A particle drawn as ancestor more than once has one 1/⊥v̄, shared by its offspring.
        stopped = [Pow(Stop(w), minus_one) for w in normalised]
        now, weights = [], []
        for i in range(particles):
            ancestor = draw.randrange(particles)
            x = Indexed("x", number[t], number[i + 1])
            factors = [share, normalised[ancestor], stopped[ancestor]]
            factors.append(App("p", (x, y), (before[ancestor],), (theta,)))
            if proposal:
                factors.append(Pow(App("q", (x,), (before[ancestor],)), minus_one))
            weights.append(Mul(*factors))
            now.append(x)
        total = add(*weights)
        inverse = Pow(total, minus_one)
        normalised = [Mul(w, inverse) for w in weights]
        before = now
        logs.append(Fn("log", total))
    return add(*logs)


def chain(length: int) -> Term:
    """A recursion of this depth: h[t] = f(h[t-1], x[t]; θ) · h[t-1]/⊥h[t-1], from h[0] = x[0].

    Each link uses the one before three times: a tree of it would have 3^length leaves.
    """
    theta = Sym("θ")
    state: Term = Indexed("x", Num(0))
    for t in range(1, length + 1):
        step = App("f", (state, Indexed("x", Num(t))), (), (theta,))
        state = Mul(step, state, Pow(Stop(state), Num(-1)))
    return state
