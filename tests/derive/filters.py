"""Filters that are not of the catalogue: what a user may write."""

from __future__ import annotations

__all__ = ["FILTERS"]

#: A state-space model, a proposal, and functions of states and paths.
MODEL = """\
count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density f(x[t] | x[t-1]; θ), g(y[t] | x[t]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function h(x; θ)
function η(x, y)
"""
#: The same with particles that are resampled by the stopped weights w̄.
FILTER = (
    MODEL
    + """\
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(w̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a
"""
)

#: Name, document, and surrogates that are differentiated in θ.
FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "auxiliary weights": (
        MODEL
        + """\
density m(z, y; θ)
sample x[0,i] ~ p0
define w̄[0,i] = 1/N
define u[t,i] = ⊥(w̄[t-1,i]) * ⊥(m(x[t-1,i], y[t]; θ))
define U[t] = Σ[i=1..N] u[t,i]
define ū[t,i] = u[t,i]/U[t]
sample a[t,·] ~ R(ū[t,·])
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a
define w[t,i] = 1/N * (w̄[t-1,a[t,i]] / ⊥(w̄[t-1,a[t,i]])) * ⊥(w̄[t-1,a[t,i]]) / ū[t,a[t,i]]
    * f(x[t,i]|x[t-1,a[t,i]];θ) * g(y[t]|x[t,i];θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/W[t]
define Z = ∏[t=1..T] W[t]
define F = Σ[i=1..N](w̄[T,i]*h(x̃[1:T,i];θ))
""",
        (
            "log Z",
            "F",
        ),
    ),
    "annealed importance sampling": (
        """\
count N, K
parameter θ
index i = 1..N; index k = 1..K
density π(x[k], k; θ), p0(x[0])
function l(x; θ)
variable β[k]
sample x[0,i] ~ p0
sample x[k,i] ~ p0
define w[0,i] = 1
define w[k,i] = w[k-1,i] * exp(β[k]*l(x[k-1,i];θ))
define Z = 1/N * Σ[i=1..N] w[K,i]
""",
        ("log Z",),
    ),
    "two densities, a stopped proposal": (
        MODEL
        + """\
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a
define v̄[0,i] = 1/N
define v[t,i] = 1/N * v̄[t-1,a[t,i]]/⊥(v̄[t-1,a[t,i]]) * f(x[t,i]|x[t-1,a[t,i]];θ)
    * g(y[t]|x[t,i];θ) / ⊥(q(x[t,i] | x[t-1, a[t,i]]; φ))
define V[t] = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i]/V[t]
define Z = ∏[t=1..T] V[t]
define S = Σ[t=1..T](Σ[i=1..N](v̄[T,i]*h(x[t,ã[t,T,i]];θ)))
define M = Σ[t=1..T](Σ[i=1..N](v̄[t,i]*h(x[t,i];θ)))
""",
        (
            "S",
            "M",
        ),
    ),
    "an additive functional by recursion": (
        MODEL
        + """\
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a
define v̄[0,i] = 1/N
define v[t,i] = 1/N * v̄[t-1,a[t,i]]/⊥(v̄[t-1,a[t,i]]) * f(x[t,i]|x[t-1,a[t,i]];θ)
    * g(y[t]|x[t,i];θ) / ⊥(q(x[t,i] | x[t-1, a[t,i]]; φ))
define V[t] = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i]/V[t]
define Z = ∏[t=1..T] V[t]
define S = Σ[t=1..T](Σ[i=1..N](v̄[T,i]*h(x[t,ã[t,T,i]];θ)))
define M = Σ[t=1..T](Σ[i=1..N](v̄[t,i]*h(x[t,i];θ)))
define τ[0,i] = 0
define τ[t,i] = τ[t-1,a[t,i]] + h(x[t,i];θ)
define E = Σ[i=1..N](v̄[T,i]*τ[T,i])
""",
        ("E",),
    ),
    "the bootstrap filter": (
        MODEL
        + """\
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(w̄[t-1,·]))
sample x[t,i] ~ f(· | x[t-1, a[t,i]]; θ)
define w̄[0,i] = 1/N
define w[t,i] = w̄[t-1,a[t,i]]/⊥(w̄[t-1,a[t,i]])
    * f(x[t,i]|x[t-1,a[t,i]];θ)/⊥(f(x[t,i]|x[t-1,a[t,i]];θ)) * g(y[t]|x[t,i];θ)
define W[t] = 1/N*Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/(N*W[t])
define ll = Σ[t=1..T] log W[t]
""",
        ("ll",),
    ),
    "weights that are not normalised": (
        MODEL
        + """\
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(w[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a
define w[0,i] = 1/N
define w[t,i] = w[t-1,a[t,i]]/⊥(w[t-1,a[t,i]]) * ⊥(Σ[j=1..N] w[t-1,j])/N
    * f(x[t,i]|x[t-1,a[t,i]];θ)*g(y[t]|x[t,i];θ)/q(x[t,i]|x[t-1,a[t,i]];φ)
define Z = Σ[i=1..N] w[T,i]
""",
        ("log Z",),
    ),
    "a model with a memory of two steps": (
        """\
count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density f(x[t] | x[t-1], x[t-2]; θ), g(y[t] | x[t]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function h(x; θ)
function η(x, y)
sample x[-1,i] ~ p0
sample x[0,i] ~ p0
sample x[t,i] ~ q(· | x[t-1,i]; φ)
define w[0,i] = 1/N
define w[t,i] = w[t-1,i]*f(x[t,i]|x[t-1,i],x[t-2,i];θ)*g(y[t]|x[t,i];θ)/q(x[t,i]|x[t-1,i];φ)
define Z = Σ[i=1..N] w[T,i]
""",
        ("log Z",),
    ),
    "soft resampling, stopped": (
        FILTER
        + """\
define w̄[0,i] = 1/N
define w[t,i] = 1/N * w̄[t-1,a[t,i]]/(1/2*⊥(w̄[t-1,a[t,i]]) + 1/(2*N))
    * f(x[t,i]|x[t-1,a[t,i]];θ)*g(y[t]|x[t,i];θ)/q(x[t,i]|x[t-1,a[t,i]];φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/W[t]
define Z = ∏[t=1..T] W[t]
""",
        ("log Z",),
    ),
    "soft resampling": (
        FILTER
        + """\
define w̄[0,i] = 1/N
define w[t,i] = 1/N * w̄[t-1,a[t,i]]/(1/2*w̄[t-1,a[t,i]] + 1/(2*N))
    * f(x[t,i]|x[t-1,a[t,i]];θ)*g(y[t]|x[t,i];θ)/q(x[t,i]|x[t-1,a[t,i]];φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/W[t]
define Z = ∏[t=1..T] W[t]
""",
        ("log Z",),
    ),
    "tempered densities": (
        FILTER
        + """\
define w̄[0,i] = 1/N
define w[t,i] = 1/N * w̄[t-1,a[t,i]]/⊥(w̄[t-1,a[t,i]]) * g(y[t]|x[t,i];θ)^(1/2)
    * f(x[t,i]|x[t-1,a[t,i]];θ)/q(x[t,i]|x[t-1,a[t,i]];φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/W[t]
define Z = ∏[t=1..T] W[t]
""",
        ("log Z",),
    ),
    "weights in the log domain": (
        MODEL
        + """\
sample x[0,i] ~ p0
sample x[t,i] ~ q(· | x[t-1, i]; φ)
define l[0,i] = 0
define l[t,i] = l[t-1,i] + log f(x[t,i]|x[t-1,i];θ) + log g(y[t]|x[t,i];θ) - log q(x[t,i]|x[t-1,i];φ)
define Z = Σ[i=1..N](exp(l[T,i]))/N
""",
        ("log Z",),
    ),
    "sums and products by recursion": (
        FILTER
        + """\
define w̄[0,i] = 1/N
define w[t,i] = 1/N * f(x[t,i]|x[t-1,a[t,i]];θ)*g(y[t]|x[t,i];θ)/q(x[t,i]|x[t-1,a[t,i]];φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i]/W[t]
define ℓ[0] = 0
define ℓ[t] = ℓ[t-1] + log W[t]
define D[0] = 1
define D[t] = D[t-1]*∏[i=1..N](w̄[t-1,a[t,i]]/⊥(w̄[t-1,a[t,i]]))
""",
        (
            "ℓ[T]",
            "D[T] * ℓ[T]",
        ),
    ),
}
