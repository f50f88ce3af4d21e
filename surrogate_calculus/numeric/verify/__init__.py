"""The verifier: whether autodiff of a particle filter, as it runs, is what theory says.

A :class:`Check` is one claim about one filter on one model, as plain data; carrying it out gives a
:class:`Finding`.  There are three kinds (design: pathwise, exact, statistical):

``pathwise``    on the particles and ancestors of one run, autograd is the derived formula: an identity.
``exact``       on a finite model every run is enumerated: an expectation is a finite sum.
``statistical`` against a known score, by a test whose false-alarm rate and power are stated.
"""

from __future__ import annotations

from .finding import Check, Finding, Kind, Outcome

__all__ = ["Check", "Finding", "Kind", "Outcome"]
