"""The language: terms as a shared DAG, binding, declarations, and the parsers of text and LaTeX.

Reading order: ``terms``, ``binding``, ``declarations`` and ``document``, with ``heads``, ``recursion`` and
``paths`` for families by recursion, ``linear`` and ``checks`` for their indices; then ``scanner``,
``grammar.lark`` and ``parser`` with its builder in ``arithmetic``, ``calls`` and ``builder``; ``latex``
and its helpers beside them.
"""
