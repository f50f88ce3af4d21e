"""The notebooks run, and what they show is what they print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from notebooks import outputs_of, read

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def shown(outputs: list[dict[str, Any]]) -> str:
    """What a reader sees of a cell's outputs as text."""
    texts = [o["text"] if o["output_type"] == "stream" else o["data"]["text/plain"] for o in outputs]
    return "".join("".join(text) for text in texts)


def test_there_is_one() -> None:
    assert [path.name for path in NOTEBOOKS] == ["algorithm1_to_eq13.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_a_notebook(path: Path) -> None:
    notebook = read(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        wanted = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            wanted |= {"execution_count", "outputs"}
        assert set(cell) == wanted
    assert notebook["cells"][0]["cell_type"] == "markdown"
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_what_it_prints(path: Path) -> None:
    """If what is printed has changed for the better: python tests/notebooks.py NOTEBOOK."""
    notebook = read(path)
    stored = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for kept, fresh in zip(stored, outputs_of(notebook), strict=True):
        assert shown(fresh) == shown(kept)
