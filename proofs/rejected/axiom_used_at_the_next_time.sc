# must fail: undecided, line 13: not proved
#
# The axiom is about t from 1 to T; at t + 1 it says nothing of the last time, T + 1.

count T
index t = 1..T
index s = 1..T+1
variable v[s]

assume ones for every t: v[t] = 1

theorem at_each_time for every t: 2 * v[t] = 2     by using ones
theorem at_the_next_time for every t: 2 * v[t+1] = 2     by using ones
