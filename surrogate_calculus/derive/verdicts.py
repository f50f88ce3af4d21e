"""The verdict on a statement of a proof document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..kernel import Verdict
from .failures import Failure

__all__ = ["TheoremVerdict"]


@dataclass(frozen=True, slots=True)
class TheoremVerdict(Verdict):
    """What was found of one statement of a proof document.

    ``status`` is that of its claim, so that a claim to be refuted holds as stated when it is
    ``"refuted"``; where a line of a chain is false, ``claim`` is that line.  ``hypotheses`` are those that
    the document assumes.

    Attributes:
        name: of the statement.
        kind: ``"theorem"``, ``"lemma"`` or ``"refute"``.
        file: the document, or None.
        line: the number of the line in which the statement begins.
        failure: why it does not hold as stated; None where it does.
        notes: what the reader should know, such as a hint that is not needed.
        uses: the lemmas and axioms that its proof uses.
        certificate: its proof as plain data; None without one.
        seconds: how long it took.
    """

    name: str = ""
    kind: str = "theorem"
    file: str | None = None
    line: int = 0
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the statement holds as stated."""
        return self.failure is None

    def __bool__(self) -> bool:
        """Whether the statement holds as stated: a claim to be refuted, when it is."""
        return self.failure is None
