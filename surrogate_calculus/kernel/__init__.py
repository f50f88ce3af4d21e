"""The trusted kernel: rules as data, inference, and ``check``, which replays a certificate.

Reading order: ``rules`` (what is believed), ``calculus`` (∇, → and ⊥ over each constructor), ``inference``
(how steps combine), ``polynomial`` (arithmetic), ``facts`` (side conditions), ``certificate`` and ``check``.
Induction, families and expectations will be further rules of ``inference``.
"""

from .check import check
from .judgement import Equation, Hypothesis, Relation, Verdict
from .rules import RULES, Rule

__all__ = ["RULES", "Equation", "Hypothesis", "Relation", "Rule", "Verdict", "check"]
