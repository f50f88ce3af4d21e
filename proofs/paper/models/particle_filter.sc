# Algorithm 1, and the weights of time 0, of which section 9.3 speaks.

use "algorithm_1.sc"

define w[0,i] = 1/N
define W[0]   = Σ[i=1..N] w[0,i]
