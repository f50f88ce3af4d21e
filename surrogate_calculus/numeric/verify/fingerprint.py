"""Which code decides findings: what it finds is not mixed with what other code found."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["fingerprint"]

#: Modules, documents, data and grammars; not what findings are only shown with.
_DECIDING = (".py", ".sc", ".csv", ".lark")


@cache
def fingerprint() -> str:
    """Changes when this package or the version of torch does; settings are in the key of a check.

    Builds of one version, for a CPU and for a GPU, are one: a cluster may have another than who asks it.
    """
    try:
        torch = version("torch").partition("+")[0]
    except PackageNotFoundError:
        torch = ""
    package = Path(__file__).resolve().parents[2]
    digest = sha256(torch.encode())
    for path in sorted(path for path in package.rglob("*") if path.suffix in _DECIDING):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
