"""Data that come with the package, each file with its source in its first lines."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["nile"]


def nile() -> list[tuple[int, float]]:
    """The annual flow of the Nile at Aswan, 1871–1970: (year, 10⁸ m³), 100 rows (Cobb 1978)."""
    rows = []
    text = files(__package__).joinpath("nile.csv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#") and not line.startswith("year"):
            year, flow = line.split(",")
            rows.append((int(year), float(flow)))
    return rows
