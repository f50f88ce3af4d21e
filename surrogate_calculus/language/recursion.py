"""Definitions in the order of their use, and families by recursion made total.

Definitions may be given in any order.  Those that use one another form a group (a strongly connected
component); a group must go forward, or backward, in one index, its time, by whole steps, and at one
time its members must be computable one behind the other.  Then a member with base cases becomes one
definition, ``cases(t > 0: general case, else: base case)``.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DeclarationError, Span
from .arithmetic import Node
from .binding import substitute
from .checks import ranged, walk
from .heads import Head, Layout
from .linear import Linear, as_term, constant_difference, lowest, read
from .paths import is_slice
from .terms import ZERO, Fn, Indexed, Sym, Term, postorder, rebuild

if TYPE_CHECKING:
    from .declarations import Definition, Document

__all__ = ["Body", "Group", "components", "grouped", "total", "uses_of"]


@dataclass(frozen=True)
class Body:
    """What one statement gives to one name."""

    head: Head
    node: Node


@dataclass(frozen=True)
class Use:
    """A family as one statement uses it.

    Attributes:
        user: the name whose statement it is.
        head: the head of that statement; None for the map of a lineage.
        name: what is used.
        lags: for each index its linear form, or None; a range stands for its last value.
        span: where.
        exact: whether it is used there only, and not over a range.
    """

    user: str
    head: Head | None
    name: str
    lags: tuple[Linear | None, ...]
    span: Span
    exact: bool = True


@dataclass(frozen=True)
class Group:
    """Names that use one another, each behind those that it uses at the same time.

    Attributes:
        names: the names.
        times: which index of each is the time; empty for a name that stands alone.
        forward: whether the time grows.
    """

    names: tuple[str, ...]
    times: Mapping[str, int]
    forward: bool = True


def uses_of(body: Body, document: Document) -> list[Use]:
    """The names that a statement uses; a path stands for its values and for its map."""
    out: list[Use] = []
    for visit in walk(body.node):
        term = visit.node.term
        if not isinstance(term, (Sym, Indexed)):
            continue
        span = Span(visit.node.start, visit.node.end)
        indices = tuple(a.args[1] if is_slice(a) else a for a in term.args)
        lags = tuple(ranged(a, visit.frame) for a in indices)
        exact = indices == term.args
        lineage = document.lineages.get(term.key)
        if lineage is None:
            out.append(Use(body.head.name, body.head, term.key, lags, span, exact))
            continue
        out.append(Use(body.head.name, body.head, lineage.of, lags, span, False))
        out.append(Use(body.head.name, body.head, lineage.map, (lags[0], *lags), span, False))
    return out


def components(names: Iterable[str], uses: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Strongly connected components (Tarjan), iteratively; used ones first."""
    inside = set(names)
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    out: list[list[str]] = []
    for root in sorted(inside):
        if root in number:
            continue
        todo = [(root, iter(sorted(set(uses.get(root, ())) & inside)))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while todo:
            name, rest = todo[-1]
            other = next(rest, None)
            if other is None:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[name])
                if low[name] == number[name]:
                    at = stack.index(name)
                    out.append(stack[at:])
                    on_stack.difference_update(stack[at:])
                    del stack[at:]
            elif other not in number:
                number[other] = low[other] = len(number)
                stack.append(other)
                on_stack.add(other)
                todo.append((other, iter(sorted(set(uses.get(other, ())) & inside))))
            elif other in on_stack:
                low[name] = min(low[name], number[other])
    return out


def grouped(
    names: Collection[str],
    layouts: Mapping[str, Layout],
    uses: Mapping[str, Sequence[Use]],
    document: Document,
    strict: bool,
) -> list[Group]:
    """The groups, each behind those that it uses.

    The order does not depend on that of the statements: among groups that could change places, those
    with the shorter chain of dependencies come first, then the smaller one.

    Args:
        names: what is to be ordered.
        layouts: the heads of each name.
        uses: what each name uses.
        document: what is declared.
        strict: whether every step must be one fixed number, as in a proof by induction.

    Raises:
        DeclarationError: no base case, no well-founded order, a cycle within one time step.
    """
    used = {n: {u.name for u in uses.get(n, ())} & set(names) for n in names}
    found = components(names, used)
    place = {name: k for k, group in enumerate(found) for name in group}
    level: dict[int, int] = {}
    groups: dict[int, Group] = {}
    for k, members in enumerate(found):
        below = {place[u] for n in members for u in used[n]} - {k}
        level[k] = 1 + max((level[b] for b in below), default=0)
        alone = len(members) == 1 and members[0] not in used[members[0]]
        groups[k] = (
            Group(tuple(members), {}) if alone else _Solver(members, layouts, uses, document, strict).group()
        )

    def rank(k: int) -> tuple[int, int, int, tuple[str, ...]]:
        own = groups[k].names
        return level[k], len(own), sum(len(uses.get(n, ())) for n in own), own

    return [groups[k] for k in sorted(groups, key=rank)]


class _Solver:
    """One group of names that use one another: which index is the time, and in which order they come."""

    def __init__(
        self,
        members: Sequence[str],
        layouts: Mapping[str, Layout],
        uses: Mapping[str, Sequence[Use]],
        document: Document,
        strict: bool,
    ) -> None:
        self.members = sorted(members)
        self.layouts = layouts
        self.document = document
        self.strict = strict
        self.uses = [u for n in self.members for u in uses.get(n, ()) if u.name in members]
        self.maps = {line.map for line in document.lineages.values()}

    def wrong(self, what: str, instead: str, span: Span) -> DeclarationError:
        return DeclarationError(
            what, instead=instead, text=self.document.text, span=span, file=self.document.file
        )

    def group(self) -> Group:
        """The members in order."""
        if len(self.members) > 1 and self.strict and self.maps & set(self.members):
            use = next(u for u in self.uses if u.name in self.maps and u.user not in self.maps)
            raise self.wrong(
                f"{use.user} uses a lineage that follows {use.user} itself",
                "use the ancestor of one step, x[t-1,a[t,i]]",
                use.span,
            )
        based = [n for n in self.members if n in self.layouts and self.layouts[n].bases]
        if not based and set(self.members) <= self.maps:
            return Group(tuple(self.members), dict.fromkeys(self.members, 1))
        if not based:
            raise self.without_base()
        forward = self.layouts[based[0]].forward
        for name in based:
            if self.layouts[name].forward is not forward:
                head = self.layouts[name].bases[0]
                raise self.wrong(
                    f"there is no well-founded order: {based[0]} and {name} use each other, and one begins "
                    "at the first time, the other at the last",
                    "give all base cases at the same end",
                    head.span,
                )
        times = self.times(based)
        behind = self.steps(times, forward)
        return Group(self.sorted(behind), times, forward)

    def without_base(self) -> DeclarationError:
        """No member has a base case."""
        own = [u for u in self.uses if u.user == u.name] or self.uses
        moved = any(
            lag is not None and lag.parts and (lag.constant or len(lag.parts) > 1)
            for u in self.uses
            for lag in u.lags
        )
        use = own[0]
        if len(self.members) > 1 and not moved:
            return self.cycle(self.uses)
        head = use.head
        assert head is not None
        indices = [str(i) for i in head.indices]
        base = ",".join(["0", *indices[1:]])
        word = "sample" if head.sampled else "define"
        sign = "~" if head.sampled else "="
        who = f"{use.user} is {'drawn given' if head.sampled else 'defined by'} itself"
        if use.user != use.name:
            others = ", ".join(n for n in self.members if n != use.user)
            who = f"{use.user} and {others} are defined by one another"
        if not indices or not moved:
            what, instead = (
                f"{who}, at the same indices",
                "leave it away on the right, or write it one step earlier",
            )
            return self.wrong(what, instead, use.span)
        return self.wrong(f"{who}, without a base case", f"add  {word} {use.user}[{base}] {sign} …", use.span)

    def times(self, based: Sequence[str]) -> dict[str, int]:
        """Which index of each member is the time: it moves with that of a member with a base case."""
        known = {n: self.layouts[n].time or 0 for n in based}
        known.update({n: 1 for n in self.members if n in self.maps})
        while True:
            before = len(known)
            for use in self.uses:
                general = self.names(use)
                if use.name in known and use.user not in known:
                    lag = use.lags[known[use.name]] if len(use.lags) > known[use.name] else None
                    inside = [k for k, n in enumerate(general) if lag is not None and n in lag.parts]
                    if len(inside) == 1:
                        known[use.user] = inside[0]
                elif use.user in known and use.name not in known:
                    time = general[known[use.user]] if general else ""
                    inside = [k for k, lag in enumerate(use.lags) if lag is not None and time in lag.parts]
                    if len(inside) == 1:
                        known[use.name] = inside[0]
            if len(known) == len(self.members):
                return known
            if len(known) == before:
                use = next(u for u in self.uses if u.user not in known or u.name not in known)
                raise self.unfounded(use)

    def names(self, use: Use) -> list[str]:
        """The indices of the user's head; "" for a fixed one."""
        if use.head is None:
            return list(self.map_indices(use.user))
        return [i.key if isinstance(i, Sym) else "" for i in use.head.indices]

    def map_indices(self, name: str) -> tuple[str, ...]:
        definition = self.document.definition(name)
        return definition.indices if definition is not None else ()

    def unfounded(self, use: Use) -> DeclarationError:
        shown = self.document.text[use.span.start : use.span.end]
        return self.wrong(
            f"there is no well-founded order: {use.user} uses {shown}, no fixed number of steps away",
            f"write {use.name} at an earlier time, as in {use.name}[t-1,…], and sums over time as recursions",
            use.span,
        )

    def steps(self, times: Mapping[str, int], forward: bool) -> list[Use]:
        """The uses at the same time, every other one being some steps back."""
        out = []
        for use in self.uses:
            if use.head is None:
                step: int | None = 1 if use.user == use.name else 0
            else:
                step = self.step(use, use.head, times, forward)
            if step is None:
                raise self.unfounded(use)
            if step < 0:
                shown = self.document.text[use.span.start : use.span.end]
                where = "before" if forward else "behind"
                earlier, last = ("an earlier", "last") if forward else ("a later", "first")
                what = f"{use.user} uses {shown}, and its base case is {where} it"
                raise self.wrong(
                    f"there is no well-founded order: {what}",
                    f"write {earlier} time there, or give the base case at the {last} time",
                    use.span,
                )
            if step == 0:
                out.append(use)
        return out

    def step(self, use: Use, head: Head, times: Mapping[str, int], forward: bool) -> int | None:
        """How many steps back a use is; where that varies, the fewest, if they are not asked to be fixed."""
        own = read(head.indices[times[use.user]])
        lag = use.lags[times[use.name]]
        if own is None or lag is None:
            return None
        back = own - lag if forward else lag - own
        if back.number is not None and (use.exact or not self.strict):
            return int(back.number) if back.number.denominator == 1 else None
        if self.strict:
            return None
        bounds: dict[Hashable, tuple[Linear, Linear]] = {}
        for name, (lo, hi) in self.layouts[use.user].ranges(head).items():
            low, high = read(lo), read(hi)
            if low is not None and high is not None:
                bounds[name] = low, high
        least = lowest(back, bounds, list(bounds)).number
        return int(least) if least is not None and least >= 1 else None

    def sorted(self, same: Sequence[Use]) -> tuple[str, ...]:
        """The members, each behind those that it uses at the same time."""
        uses = {n: {u.name for u in same if u.user == n} for n in self.members}
        for cycle in components(self.members, uses):
            if len(cycle) > 1 or cycle[0] in uses[cycle[0]]:
                raise self.cycle([u for u in same if u.user in cycle and u.name in cycle])
        level: dict[str, int] = {}
        for (name,) in components(self.members, uses):
            level[name] = 1 + max((level[u] for u in uses[name]), default=0)
        return tuple(sorted(self.members, key=lambda n: (level[n], sum(u.user == n for u in self.uses), n)))

    def cycle(self, same: Sequence[Use]) -> DeclarationError:
        """A cycle within one time step."""
        chain = [same[0]]
        while chain[-1].name not in {u.user for u in chain}:
            chain.append(next(u for u in same if u.user == chain[-1].name))
        first = next(k for k, u in enumerate(chain) if u.user == chain[-1].name)
        names = " → ".join([u.user for u in chain[first:]] + [chain[-1].name])
        use = chain[-1]
        return self.wrong(
            f"a cycle within one time step: {names}",
            f"write one of them at the time before, such as {use.name}[t-1,…]",
            use.span,
        )


# Total definitions ----------------------------------------------------------------------------


def total(
    group: Group, layouts: Mapping[str, Layout], bodies: Mapping[str, Sequence[Body]], number: int
) -> list[Definition]:
    """The definitions of a group: one for each name, for every value of its indices."""
    from .declarations import Definition

    origins = [
        layouts[n].fixed(layouts[n].bases[0 if group.forward else -1])
        for n in group.names
        if layouts[n].bases
    ]
    origin = _first(origins, group.forward) if group.times else None
    out = []
    for name in group.names:
        family = layouts[name]
        body, measure = _total(family, bodies[name], origin, group)
        out.append(Definition(name, family.indices, body, measure, number))
    return out


def _first(origins: Sequence[Term], forward: bool) -> Term:
    """The origin that comes first on the way of the recursion."""
    best = origins[0]
    for other in origins[1:]:
        gap = constant_difference(other, best)
        if gap is not None and (gap < 0 if forward else gap > 0):
            best = other
    return best


def _total(
    family: Layout, bodies: Sequence[Body], origin: Term | None, group: Group
) -> tuple[Term, Term | None]:
    """The body and the measure of one name."""
    by_head = {body.head: body.node.term for body in bodies}
    time = group.times.get(family.name, family.time)
    clock = None if time is None else Sym(family.indices[time])
    measure = None if origin is None or clock is None else _measure(clock, origin, group.forward)
    if family.general is None or not family.bases:
        return by_head[family.heads[0]], measure
    assert clock is not None and time is not None
    bases = list(family.bases if family.forward else reversed(family.bases))
    cells = [(family.fixed(b), _renamed(by_head[b], b, family, group)) for b in bases]
    step = by_head[family.general]
    if origin is None:
        return _chain(step, cells, clock, family.forward), None
    beyond = [c for c in cells if _later(c[0], origin, group.forward)]
    before = [c for c in cells if c not in beyond] or beyond[:1]
    then = _chain(step, beyond, clock, group.forward)
    otherwise = _chain(before[-1][1], before[:-1], clock, group.forward)
    assert measure is not None
    return Fn("cases", Fn("gt", measure, ZERO), then, otherwise), measure


def _later(value: Term, origin: Term, forward: bool) -> bool:
    gap = constant_difference(value, origin)
    return gap is not None and (gap > 0 if forward else gap < 0)


def _measure(clock: Term, origin: Term, forward: bool) -> Term:
    """``t - origin``, or ``origin - t``."""
    here, start = read(clock), read(origin)
    assert here is not None and start is not None
    return as_term(here - start if forward else start - here)


def _chain(last: Term, cells: Sequence[tuple[Term, Term]], clock: Term, forward: bool) -> Term:
    """``cases`` that give each cell its value, the first one to all before it too, and ``last`` behind."""
    body = last
    out: list[tuple[Term, Term]] = []
    for value, own in reversed(cells):
        out.append((Fn("gt", _measure(clock, value, forward), ZERO), body))
        body = own
    for condition, then in reversed(out):
        body = Fn("cases", condition, then, body)
    return body


def _renamed(term: Term, head: Head, family: Layout, group: Group) -> Term:
    """The body of a base case with the indices of the general case, and the group's times relative."""
    names = {
        index.key: Sym(name)
        for k, (index, name) in enumerate(zip(head.indices, family.indices, strict=True))
        if k != family.time and isinstance(index, Sym) and index.key != name
    }
    body = substitute(term, dict(names)) if names else term
    if not group.times or family.time is None:
        return body
    clock = read(Sym(family.indices[family.time]))
    start = read(family.fixed(head))
    assert clock is not None and start is not None
    done: dict[int, Term] = {}
    for node in postorder(body):
        args = [done[id(a)] for a in node.args]
        if isinstance(node, Indexed) and node.name in group.times:
            at = read(args[group.times[node.name]])
            if at is not None:
                args[group.times[node.name]] = as_term(clock + at - start)
        done[id(node)] = rebuild(node, tuple(args))
    return done[id(body)]
