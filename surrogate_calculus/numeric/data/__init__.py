"""Data that come with the package, each file with its source in its first lines."""

from __future__ import annotations

import math
from importlib.resources import files
from itertools import pairwise

__all__ = ["nile", "pound_dollar", "pound_dollar_returns"]


def nile() -> list[tuple[int, float]]:
    """The annual flow of the Nile at Aswan, 1871–1970: (year, 10⁸ m³), 100 rows (Cobb 1978)."""
    return _rows("nile.csv")


def pound_dollar() -> list[tuple[int, float]]:
    """Daily rates of the pound, 1 October 1981 to 28 June 1985: (day from 1, US dollars), 946 rows.

    The series of Harvey, Ruiz & Shephard (1994).
    """
    return _rows("pound_dollar.csv")


def pound_dollar_returns() -> list[float]:
    """The 945 daily returns of :func:`pound_dollar` in per cent, less their mean.

    That is 100 log(rate of a day / rate of the day before), as Kim, Shephard & Chib (1998) take them.
    """
    rates = [rate for _, rate in pound_dollar()]
    returns = [100 * math.log(b / a) for a, b in pairwise(rates)]
    mean = math.fsum(returns) / len(returns)
    return [r - mean for r in returns]


def _rows(name: str) -> list[tuple[int, float]]:
    """The rows of a file, below its comments and the line of names."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(int(key), float(value)) for key, value in (line.split(",") for line in lines[1:])]
