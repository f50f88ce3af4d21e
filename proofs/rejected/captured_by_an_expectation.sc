# must fail: refuted, line 12: in value
#
# The z outside is a given point; inside it becomes the variable that is averaged over.

parameter θ
variable z
density p(x; θ)
function f(x), g(x)

theorem factor_moved_inside:
  g(z) * 𝔼[x ~ p(·; θ)](f(x))
    = 𝔼[z ~ p(·; θ)](g(z) * f(z))
