"""The catalogue: every estimator of the paper as a document, with what it claims.

An entry is a file ``NAME.sc`` of this folder.  Its first comment is its title and what there is to know of
it; above each ``derive`` statement, comments that begin with ``#:`` say what the result is::

    #: score
    #:   paper: Eq. 13, 55–62
    #:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
    #:   print: where the equations are wrong as printed
    #:   note: what else a reader must know
    derive →(∇θ log Z)

An item may go on in further lines.  The engine reads documents only, never what is claimed of them: an
estimator is claimed here, derived by :func:`~surrogate_calculus.derive.derive` and compared.
"""

from __future__ import annotations

from .catalogue import (
    ESTIMATORS,
    Claim,
    Estimator,
    claims_of,
    default_parameters,
    load_estimator,
    split_target,
)

__all__ = [
    "ESTIMATORS",
    "Claim",
    "Estimator",
    "claims_of",
    "default_parameters",
    "load_estimator",
    "split_target",
]
