"""What is checked, and what is found: plain data that goes to other processes, into files and out of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Literal, get_args

from ...errors import EvaluationError

__all__ = [
    "KINDS",
    "LARGEST",
    "LONGEST",
    "OUTCOMES",
    "Check",
    "Finding",
    "Kind",
    "Outcome",
    "Setting",
    "Size",
    "check_sizes",
]

Kind = Literal["pathwise", "exact", "statistical"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: ``undecided``: a statistical test without the power to see what is asked, or a check that failed to run.
Outcome = Literal["agrees", "disagrees", "undecided"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

Setting = int | float | str | bool | None

#: How much is done: ``quick`` is for every day and CI, ``full`` for what the README tells.
Size = Literal["quick", "full"]

#: The largest N T and T that can be asked for: some GB, and minutes of a loop over T.
LARGEST, LONGEST = 10_000_000, 100_000
#: Seeds of replicates are counted up from the one that is given, and torch takes 64 bits.
_SEEDS = 1 << 63


def check_sizes(particles: int | None, steps: int | None, seed: int, size: str) -> None:
    """Refuse, before anything is run, numbers that no check can be planned with.

    Args:
        particles: N, or None.
        steps: T, or None.
        seed: of everything random.
        size: how much is done.

    Raises:
        EvaluationError: a number makes no sense, or a run of that size would not end here.
    """
    for what, number in (("particles", particles), ("steps", steps)):
        whole = isinstance(number, int) and not isinstance(number, bool)
        if number is not None and not (whole and number >= 1):
            raise EvaluationError(f"there cannot be {number!r:.40} {what}", instead="1, 2, 3, …")
    n, t = particles or 1, steps or 1
    if t > LONGEST or n * t > LARGEST:
        sizes = [f"{number:,} {what}" for number, what in ((n, "particles"), (t, "steps")) if number > 1]
        raise EvaluationError(
            f"{' and '.join(sizes)} are too many to be verified",
            instead=f"at most {LONGEST:,} steps, and particles times steps at most {LARGEST:,}",
        )
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < _SEEDS:
        raise EvaluationError(f"there is no seed {seed!r:.40}", instead="0, 1, 2, …, below 2^63")
    if size not in get_args(Size):
        raise EvaluationError(f"no size is called {size!r:.40}", instead=" or ".join(get_args(Size)))


@dataclass(frozen=True)
class Check:
    """One claim about one filter on one model.

    Attributes:
        claim: what is claimed, a sentence for the reader: ``∇θ log Ẑ is the formula derived from @dpf``.
        kind: how it is checked.
        runner: the name of the function that does, in the table of its kind.
        filter: the name of the filter: that of the catalogue's document (``dpf``), or a variant of it.
        model: the name of the model.
        settings: everything else that decides the numbers: particles, steps, order, scheme, seed, ….
    """

    claim: str
    kind: Kind
    runner: str
    filter: str
    model: str
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same check, whatever process asks: what a file of results finds it by."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)
        return sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was checked.
        deviation: the largest deviation, in the unit of the tolerance; NaN where something was no number.
        tolerance: what is allowed, or, where a bias is claimed, what it must exceed.
        basis: where the tolerance comes from: ``1e-10 of Σ|summands|``, ``z at a false-alarm rate of 1e-4``.
        outcome: ``agrees`` where it is as claimed.
        quantity: where the deviation is largest: ``∂²/∂log_q² of log Ẑ, seed 3``; for a reader who must find
            the fault.
        note: replicates, power, the smallest failing case; "" where there is nothing to say.
        numbers: what was compared, rows of numbers by name: ``{"autograd": (…), "formula": (…)}``.
        columns: the names of the columns of ``numbers``.
        seconds: how long it took.
    """

    check: Check
    deviation: float
    tolerance: float
    basis: str
    outcome: Outcome
    quantity: str = ""
    note: str = ""
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """An object for machines: the check's fields and the finding's, ``verdict`` being the outcome."""
        check = self.check
        return {
            "claim": check.claim,
            "filter": check.filter,
            "model": check.model,
            "kind": check.kind,
            "deviation": _plain(self.deviation),
            "tolerance": _plain(self.tolerance),
            "verdict": self.outcome,
            "basis": self.basis,
            "quantity": self.quantity,
            "note": self.note,
            "settings": dict(check.settings),
            "numbers": {name: [_plain(v) for v in row] for name, row in self.numbers.items()},
            "columns": list(self.columns),
            "seconds": round(self.seconds, 3),
            "runner": check.runner,
            "key": check.key,
        }

    @classmethod
    def from_json(cls, data: Any) -> Finding:
        """The finding of :meth:`to_json`.

        Raises:
            EvaluationError: the data are no such object.
        """
        try:
            check = Check(
                data["claim"],
                data["kind"],
                data["runner"],
                data["filter"],
                data["model"],
                dict(data["settings"]),
            )
            found = cls(
                check,
                float(data["deviation"]),
                float(data["tolerance"]),
                data["basis"],
                data["verdict"],
                data["quantity"],
                data["note"],
                {name: tuple(map(float, row)) for name, row in data["numbers"].items()},
                tuple(data["columns"]),
                float(data["seconds"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            found = None
        if found is None or check.kind not in KINDS or found.outcome not in OUTCOMES:
            raise EvaluationError("this is no finding", instead="a line that `surrogate verify` wrote")
        return found


def _plain(value: float) -> float | str:
    """A number that JSON has, or the text of one that it has not."""
    return value if math.isfinite(value) else str(value)
