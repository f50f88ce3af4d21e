"""The trusted kernel: rules as data, inference, and ``check``, which replays a certificate.

Reading order: ``judgement`` (what is said), ``rules`` (what is believed, as data), ``matching`` (patterns),
``calculus`` (∇, → and ⊥ over each constructor), ``inference`` (how steps combine, definitions, induction),
``filtration`` (draws), ``polynomial`` (arithmetic), ``ranges`` (conditions on indices), ``facts`` (side
conditions), ``state`` (what has been established), ``definitions`` (recursions end), ``certificate`` and
``check``.
"""

from .check import check
from .judgement import Equation, Hypothesis, Relation, Verdict
from .rules import RULES, Rule

__all__ = ["RULES", "Equation", "Hypothesis", "Relation", "Rule", "Verdict", "check"]
