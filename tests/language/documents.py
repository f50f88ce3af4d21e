"""Documents of particle filters and other recursions, as the algorithms are written in papers."""

from __future__ import annotations

#: The document of the design, verbatim: a differentiable particle filter.
DPF = """\
count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])    # positive; each integrates to one in what stands left of |
resampling R                                                        # offspring unbiased for the weights it is given
function f(x; θ)                                                    # smooth in θ, of any sign

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]])) * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

derive →(∇θ log Z)
"""  # noqa: E501

_MODEL = """\
count N, T
parameter θ, φ
index i, j = 1..N; index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0]), n(ε)
function f(x; θ), h(ε, x; φ), g(z; θ)
resampling R
"""

SIS = (
    _MODEL
    + """
sample x[0,i] ~ p0
sample x[t,i] ~ q(· | x[t-1,i]; φ)
define w̄[0,i] = 1/N
define w[t,i] = w̄[t-1,i] * p(x[t,i], y[t] | x[t-1,i]; θ) / q(x[t,i] | x[t-1,i]; φ)
define W[t] = Σ[i](w[t,i])
define w̄[t,i] = w[t,i] / W[t]
define Z = ∏[t](W[t])
derive →(∇θ Σ[i](w̄[T,i] * f(x[1:T,i]; θ)))
derive ∇θ Σ[i](log p(x[1:T,i], y[1:T]; θ))
"""
)

PF = (
    _MODEL
    + """
sample x[0,i] ~ p0
sample a[t,·] ~ R(w̄[t-1,·])
sample x[t,i] ~ q(· | x[t-1,a[t,i]]; φ)
lineage x̃ of x by a
define w̄[0,i] = 1/N
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1,a[t,i]]; θ) / q(x[t,i] | x[t-1,a[t,i]]; φ)
define W[t] = Σ[i](w[t,i])
define w̄[t,i] = w[t,i] / W[t]
define Z = ∏[t](W[t])
derive →(∇θ (∏[t](∏[i](w̄[t-1,a[t,i]]/⊥(w̄[t-1,a[t,i]]))) * log Z))
derive →(∇θ Σ[i](w̄[T,i] * f(x̃[1:T,i]; θ)))
"""
)

ADAPTIVE = (
    _MODEL
    + """
sample x[0,i] ~ p0
index s = 0..T
sample r[t,·] ~ R(⊥(v̄[t-1,·]))
define ESS[s] = 1/Σ[i](v̄[s,i]^2)
define a[t,i] = cases(ESS[t-1] < N/2: r[t,i], else: i)
sample x[t,i] ~ q(· | x[t-1,a[t,i]]; φ)
lineage x̃ of x by a
define v̄[0,i] = 1/N
define u[t,i] = cases(ESS[t-1] < N/2: 1/N * v̄[t-1,a[t,i]]/⊥(v̄[t-1,a[t,i]]), else: v̄[t-1,i])
define v[t,i] = u[t,i] * p(x[t,i], y[t] | x[t-1,a[t,i]]; θ) / q(x[t,i] | x[t-1,a[t,i]]; φ)
define V[t] = Σ[i](v[t,i])
define v̄[t,i] = v[t,i] / V[t]
define Z = ∏[t](V[t])
derive →(∇θ log Z)
"""
)

DPF2 = (
    _MODEL
    + """
sample x[0,i] ~ p0
sample x[t,i] ~ Σ[j](⊥(v̄[t-1,j]) * q(· | x[t-1,j]; φ))
define v̄[0,i] = 1/N
define v[t,i] = 1/N * Σ[j](v̄[t-1,j]*p(x[t,i], y[t] | x[t-1,j]; θ)) / Σ[j](⊥(v̄[t-1,j])*q(x[t,i] | x[t-1,j]; φ))
define V[t] = Σ[i](v[t,i])
define v̄[t,i] = v[t,i] / V[t]
define Z = ∏[t](V[t])
derive →(∇θ log Z)
"""
)

REPARAMETERISED = (
    _MODEL
    + """
sample ε[t,i] ~ n
sample ε0[i] ~ n
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
define x[0,i] = ε0[i]
define x[t,i] = h(ε[t,i], x[t-1,a[t,i]]; φ)
lineage x̃ of x by a
define v̄[0,i] = 1/N
define u[t,i] = v̄[t-1,a[t,i]]/⊥(v̄[t-1,a[t,i]])
define v[t,i] = u[t,i] * p(x[t,i], y[t] | x[t-1,a[t,i]]; θ) / q(x[t,i] | x[t-1,a[t,i]]; φ)
define V[t] = Σ[i](v[t,i])
define v̄[t,i] = v[t,i] / V[t]
define Z = ∏[t](V[t])
derive →(∇φ log Z)
"""
)

BACKWARD = """\
count K, T
parameter θ
index i, j = 1..K; index t = 1..T
observed y[t]
function m(i, j; θ), e(i, y; θ)
variable c[i]
define β[T,i] = 1
define β[t,i] = Σ[j](m(c[i], c[j]; θ) * e(c[j], y[t+1]; θ) * β[t+1,j])
define Z = Σ[i](e(c[i], y[1]; θ) * β[1,i])
derive ∇θ log Z
"""

LAG2 = """\
count T
parameter θ
index t = 1..T
observed y[t]
define F[0] = θ
define F[1] = θ^2 + F[0]
define F[t] = θ*F[t-1] + y[t]*F[t-2]
derive ∇θ F[T]
"""

EVERY = {
    "DPF": DPF, "SIS": SIS, "PF": PF, "adaptive": ADAPTIVE, "DPF2": DPF2, "reparameterised": REPARAMETERISED,
    "backward": BACKWARD, "lag 2": LAG2,
}  # fmt: skip

ANNEALED = """\
count N, T
parameter θ
index i = 1..N; index t = 1..T
density k(x | z, s; θ), p0(x; θ)
function g(x, s; θ)
sample x[0,i] ~ p0
sample x[t,i] ~ ⊥(k(· | x[t-1,i], t; θ))
define ℓ[0,i] = 0
define ℓ[t,i] = ℓ[t-1,i] + g(x[t-1,i], t; θ) - g(x[t-1,i], t-1; θ)
define Z = 1/N*Σ[i](exp(ℓ[T,i]))
derive ∇θ log Z
"""

FROM_ONE = """\
count N, T
parameter θ
index i, j = 1..N; index t = 1..T; index u = 2..T
observed y[t]
density g(y[t] | x[t]; θ), m(x[t] | x[t-1]; θ), p1(x[1]; θ)
resampling R
sample x[1,i] ~ p1(·; ⊥(θ))
sample b[u,·] ~ ⊥(R(w̄[u-1,·]))
sample x[t,i] ~ ⊥(m(· | x[t-1,b[t,i]]; θ))
lineage z of x by b
define w[1,i] = g(y[1] | x[1,i]; θ)
define w[t,i] = g(y[t] | x[t,i]; θ) * w̄[t-1,b[t,i]]/⊥(w̄[t-1,b[t,i]])
define W[t] = Σ[i](w[t,i])
define w̄[t,i] = w[t,i]/W[t]
derive ∇θ Σ[i](w̄[T,i] * log m(z[2:T,i]; θ) * log g(y[1:T] | z[1:T,i]; θ))
"""

FIXED_LAG = """\
count N, T, L
parameter θ
index i, j = 1..N; index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), p0(x[0])
function s(x, z; θ), e(x)
resampling R
sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(w̄[t-1,·] * e(x[t-1,·])))
sample x[t,i] ~ p0
lineage x̃ of x by a
define w̄[0,i] = 1/N
define w[t,i] = p(x[t,i], y[t] | x[t-1,a[t,i]]; θ)
define w̄[t,i] = w[t,i]/Σ[j](w[t,j])
derive Σ[i](w̄[T,i]*s(x[T,i], x[T-L,ã[T-L,T,i]]; θ))
derive Σ[t=1..T-1](Σ[i](w̄[t+1,i]*s(x[t,ã[t,t+1,i]], x[t-1,ã[t-1,t+1,i]]; θ)))
"""

EVERY |= {"annealed": ANNEALED, "from one": FROM_ONE, "fixed lag": FIXED_LAG}
