"""Densities along a path: ``p(x̃[1:T,i], y[1:T]; θ)`` for a density that is declared at one time.

With ``density p(x[t], y[t] | x[t-1]; θ)`` the *path form* has a slice for every slot at ``[t]``, and
leaves out the conditions that repeat an argument at an earlier time.  It means the product over the
steps, at the values that the lineage collects:

    p(x̃[lo:hi,i], y[lo:hi]; θ)
        = ∏[s=lo..hi](p(x[s, ã[s,hi,i]], y[s] | x[s-1, a[s, ã[s,hi,i]]]; θ))

where the ancestor one step before is written by the map a itself, as the recursion of the weights has it.
A family without ancestors stands for itself: ``x[lo:hi,i]`` are the ``x[s,i]``.  A density whose slots
are plain has no path form: ``p(x̃[1:T,i], y[1:T]; θ)`` is then its value at paths, whatever that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from .binding import shift
from .linear import read
from .terms import Add, App, Bound, Fn, Indexed, Num, Prod, Sym, Term

if TYPE_CHECKING:
    from .declarations import Document, Signature

__all__ = ["PathForm", "PathLaw", "expand", "has_slice", "is_slice", "laws_of_paths", "path_form"]


@dataclass(frozen=True, slots=True)
class PathLaw:
    """What a density means along a path: ``left = right`` for any values of the variables.

    Attributes:
        left: the path form.
        right: the product over its steps.
        variables: the free symbols that stand for anything: ``lo``, ``hi``, the other indices, what is
            put into plain slots, the parameters.
    """

    left: Term
    right: Term
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathForm:
    """How the path form of a density is written.

    Attributes:
        arguments: for each argument whether it is a slice.
        given: for each condition of the declaration: True for a slice, False for a plain slot, else
            (which argument it repeats, how many steps earlier).
    """

    arguments: tuple[bool, ...]
    given: tuple[bool | tuple[int, int], ...]

    @property
    def kept(self) -> tuple[bool, ...]:
        """For each condition of the path form whether it is a slice."""
        return tuple(g for g in self.given if isinstance(g, bool))

    @property
    def earliest(self) -> int:
        """How many steps before the first one the law looks back."""
        return max((g[1] for g in self.given if not isinstance(g, bool)), default=0)


def is_slice(term: Term) -> bool:
    """Whether the term is a range as an index, ``1:T``."""
    return term.__class__ is Fn and term.key == "slice"


def has_slice(term: Term) -> bool:
    """Whether the term is a family at a slice, ``y[1:T]``."""
    return term.__class__ is Indexed and any(is_slice(a) for a in term.args)


def path_form(signature: Signature, document: Document) -> PathForm | None:
    """The path form of a density, or None where it has none."""
    times = {
        slot.args[0].key
        for slot in signature.arguments
        if isinstance(slot, Indexed)
        and isinstance(slot.args[0], Sym)
        and slot.args[0].key in document.indices
    }
    if len(times) != 1:
        return None
    (time,) = times
    arguments = tuple(_lag(slot, time) == 0 for slot in signature.arguments)
    given: list[bool | tuple[int, int]] = []
    for slot in signature.given:
        lag = _lag(slot, time)
        if lag is None or lag == 0:
            given.append(lag == 0)
            continue
        repeated = [
            k
            for k, (a, t) in enumerate(zip(signature.arguments, arguments, strict=True))
            if t and a.key == slot.key
        ]
        if lag < 0 or len(repeated) != 1:
            return None
        given.append((repeated[0], lag))
    return PathForm(arguments, tuple(given))


def _lag(slot: Term, time: str) -> int | None:
    """How many steps before ``time`` a slot stands; None for a plain slot."""
    form = read(slot.args[0]) if isinstance(slot, Indexed) else None
    if form is None or form.parts != {time: 1} or form.constant.denominator != 1:
        return None
    return -int(form.constant)


def expand(app: App, document: Document) -> Term | None:
    """The product that an application along a path means; None for any other application."""
    signature = document.densities.get(app.name)
    if signature is None or app.key[4] or not any(has_slice(slot) for slot in app.slots):
        return None
    form = path_form(signature, document)
    if form is None or app.key[1:4] != (len(form.arguments), len(form.kept), len(signature.params)):
        return None
    slots = (*app.arguments, *app.given)
    timed = [
        slot.args[0]
        for slot, t in zip(slots, (*form.arguments, *form.kept), strict=True)
        if t and has_slice(slot)
    ]
    if len(timed) != sum(form.arguments) + sum(form.kept) or any(t != timed[0] for t in timed):
        return None
    lo, hi = timed[0].args
    now = Bound(0)
    args = [
        _at(a, now, hi, document) if t else shift(a, 1)
        for a, t in zip(app.arguments, form.arguments, strict=True)
    ]
    kept = iter(app.given)
    given = []
    for condition in form.given:
        if isinstance(condition, bool):
            slot = next(kept)
            given.append(_at(slot, now, hi, document) if condition else shift(slot, 1))
        else:
            argument, lag = condition
            given.append(_at(app.arguments[argument], now, hi, document, lag))
    body = App(app.name, args, given, [shift(p, 1) for p in app.params])
    return Prod(lo, hi, body, "s")


def _at(slot: Term, now: Term, hi: Term, document: Document, lag: int = 0) -> Term:
    """The value of a path some steps before ``now``, which is the index of the binder around."""
    name = slot.key
    rest = [shift(index, 1) for index in slot.args[1:]]
    lineage = document.lineages.get(name)
    before = Add(now, Num(-lag)) if lag else now
    if lineage is None:
        return Indexed(name, before, *rest)
    ancestor: Term = Indexed(lineage.map, now, shift(hi, 1), *rest)
    for step in range(lag):
        ancestor = Indexed(lineage.by, Add(now, Num(-step)) if step else now, ancestor)
    return Indexed(lineage.of, before, ancestor)


def laws_of_paths(document: Document) -> dict[str, PathLaw]:
    """The law of each density that has a path form, for the lineages of its slots' families."""
    out: dict[str, PathLaw] = {}
    for name, signature in document.densities.items():
        form = path_form(signature, document)
        if form is None:
            continue
        timed = [(s, t) for s, t in zip(signature.arguments, form.arguments, strict=True)]
        given = [(s, g) for s, g in zip(signature.given, form.given, strict=True) if isinstance(g, bool)]
        families = list(dict.fromkeys(s.key for s, t in (*timed, *given) if t))
        choices = [[p.name for p in document.lineages.values() if p.of == f] or [f] for f in families]
        for chosen in product(*choices):
            law = _law(signature, timed, given, dict(zip(families, chosen, strict=True)), document)
            out[name if name not in out else f"{name}({', '.join(chosen)})"] = law
    return out


def _law(
    signature: Signature,
    timed: Sequence[tuple[Term, bool]],
    given: Sequence[tuple[Term, bool]],
    chosen: dict[str, str],
    document: Document,
) -> PathLaw:
    """One law: each family of a slot at ``[t]`` stands as the chosen family at a slice."""
    variables = ["lo", "hi"]

    def fresh(name: str) -> Sym:
        while name in variables:
            name += "'"
        variables.append(name)
        return Sym(name)

    at = Fn("slice", Sym("lo"), Sym("hi"))
    sliced: dict[str, Term] = {}
    for family, path in chosen.items():
        count = 1 if path in document.lineages else len(document.shape(path) or (None,)) - 1
        sliced[family] = Indexed(path, at, *[fresh("ijklmn"[k % 6]) for k in range(count)])
    args = [sliced[s.key] if t else fresh(s.key) for s, t in timed]
    conditions = [sliced[s.key] if t else fresh(s.key) for s, t in given]
    left = App(signature.name, args, conditions, [fresh(p.key) for p in signature.params])
    right = expand(left, document)
    assert right is not None
    return PathLaw(left, right, tuple(variables))
