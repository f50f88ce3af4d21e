# must fail: refuted, line 10: in value
#
# Particle i is drawn from the proposal at its ancestor a[t,i], which is not particle i.

use "@dpf"
function g(x)

theorem mean_of_the_next_particles for every t:
  𝔼[· | t-1](Σ[i=1..N] g(x[t,i]))
    = Σ[i=1..N] 𝔼[z ~ q(· | x[t-1,i]; φ)](g(z))
