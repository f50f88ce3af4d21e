# The self-normalised Fisher estimator (Ścibior & Wood, Eq. 10–12), for any number N of particles.
#
# The proposal q depends on θ too, but is stopped in the weight v, so that automatic differentiation
# sees the model alone.  v has the value of the importance weight w.

count N
parameter θ
index i, j = 1..N
observed x[i], y
density p(x[i], y; θ), q(x[i]; θ)

define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j](w[j])
define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))

derive →(∇θ log(1/N * Σ[i](v[i])))
