r"""LaTeX reads like a paper and is read back as the very same term."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from surrogate_calculus.language.latex import parse_latex
from surrogate_calculus.language.terms import Term
from surrogate_calculus.printing.latex import to_latex
from strategies_terms import terms

roundtrips = settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))


@roundtrips
@given(terms())
def test_latex_parses_back(term: Term) -> None:
    text = to_latex(term)
    assert parse_latex(text) == term, text
