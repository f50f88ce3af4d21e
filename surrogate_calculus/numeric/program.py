"""Terms compiled to a schedule: every distinct piece of work once, children before parents.

A node is compiled in a *place*: the two copies of the parameters it sees (live, stopped), the
binders whose indices it uses, and the condition under which its value matters at all.  The same
node in two places that differ only in what it does not depend on is one piece of work.

* **Two copies.**  A :class:`Version` is the parameters' values with one of them varied by a ∇.
  ``⊥E`` is E in the place (stopped, stopped), ``→E`` in (live, live), and ``∇θ E`` is the
  derivative of E in (live with θ varied, stopped).  With ``detach=True`` the outermost stopped copy
  is that of a program: ``⊥E`` is computed with E and then detached.
* **Blocks.**  What depends on a varied copy is run inside the derivative that varies it, what does
  not is run outside, once.
* **Binders.**  An index is a tensor along an axis of its own, to the left of the batch.  Axes are
  given out from the right, the open coordinate axes first.

Conditions, indices and ranges are constant under ∇ ("stopped by nature") and are compiled with the
unvaried parameters.  Iterative: a term may be as deep as memory allows, only nested ∇ is limited.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..errors import EvaluationError
from ..language.terms import (
    HAS_AXIS,
    ZERO,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Num,
    Pow,
    Prod,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
    postorder,
)
from ..printing.text import summary
from .facts import Facts, beyond_detach, facts
from .instructions import Block, Draw, Frame, GradCall, Instruction, Lookup, Program, Version
from .tables import PATH, RESAMPLE, Table, is_draw

__all__ = ["MAX_GRAD_NESTING", "compile_tables", "compile_term"]

#: ∇ inside ∇: each level doubles the work, so deeper ones are for `derive`.
MAX_GRAD_NESTING = 24

REMOVED_STOP = (
    "a ∇ stands over a → that removes a ⊥: detach cannot be undone, so the arrow was evaluated on the "
    "graph built without detach"
)


class _Stopped:
    """The stopped copy of a program: values are computed live and detached."""

    __slots__ = ()


DETACHED = _Stopped()
_Live = Version | None
_Copy = Version | _Stopped | None
_Request = tuple[Term, _Live, _Copy, tuple[Frame, ...], int | None]


def compile_term(
    term: Term,
    *,
    axes: int,
    vectors: frozenset[str],
    detach: bool = False,
    tables: Mapping[str, Table] | None = None,
) -> Program:
    """Compile a closed term.

    Args:
        term: the term.
        axes: number of open coordinate axes of the result.
        vectors: names of the vector parameters.
        detach: whether the outermost ⊥ is a ``detach`` (see the module's text).
        tables: what its references stand for, each after those that it refers to.

    Raises:
        EvaluationError: an expectation, an index outside every binder, too deeply nested ∇.
    """
    compiler, root = _prepared(term, tables or {}, axes, vectors, detach)
    beyond = detach and beyond_detach(root, compiler.facts, compiler.tables)
    result = compiler.run((root, None, compiler.outer, (), None))
    return Program(compiler.root, result, compiler.size, [REMOVED_STOP] if beyond else [])


def compile_tables(
    tables: Mapping[str, Table], names: Sequence[str], *, vectors: frozenset[str], detach: bool
) -> tuple[Program, dict[str, int]]:
    """Compile whole tables, in the order of their names; the slot of each."""
    compiler, _ = _prepared(ZERO, tables, 0, vectors, detach)
    slots = {name: compiler.whole(name) for name in names}
    return Program(compiler.root, -1, compiler.size, []), slots


def _prepared(
    term: Term, tables: Mapping[str, Table], axes: int, vectors: frozenset[str], detach: bool
) -> tuple[_Compiler, Term]:
    store = Store()
    kept = {name: Table(name, store.add(table.body), table.ranges) for name, table in tables.items()}
    root = store.add(term)
    nodes = postorder(*(table.body for table in kept.values()), root)
    return _Compiler(facts(nodes, vectors, kept), axes, vectors, detach, kept), root


class _Compiler:
    def __init__(
        self,
        known: Facts,
        axes: int,
        vectors: frozenset[str],
        detach: bool,
        tables: Mapping[str, Table],
    ) -> None:
        self.facts = known
        self.outer: _Copy = DETACHED if detach else None  # the stopped copy where nothing is varied
        self.tables = tables
        self.axes = axes
        self.detach = detach
        self.vectors = vectors
        self.root = Block(0)
        self.size = 0
        self.home: list[Block] = []  # the block in which each slot is filled
        self.memo: dict[tuple[Any, ...], int] = {}
        self.frames: dict[tuple[Any, ...], Frame] = {}
        self.masks: dict[tuple[Any, ...], int] = {}
        self.levels: dict[int | None, int] = {}  # the leftmost axis of each mask

    # -- the driver: requests are compiled depth first on a stack of generators --

    def run(self, request: _Request) -> int:
        key, request = self.key(request)
        answer = self.memo.get(key)
        stack = [] if answer is not None else [(key, self.compile(*request))]
        while stack:
            key, work = stack[-1]
            try:
                wanted = work.send(answer)  # type: ignore[arg-type]
            except StopIteration as done:
                answer = self.memo[key] = done.value
                stack.pop()
                continue
            key, wanted = self.key(wanted)
            answer = self.memo.get(key)
            if answer is None:
                stack.append((key, self.compile(*wanted)))
        assert answer is not None
        return answer

    def key(self, request: _Request) -> tuple[tuple[Any, ...], _Request]:
        """The place reduced to what the node depends on."""
        node, live, stopped, frames, guard = request
        live, stopped = (None, self.outer) if is_draw(node) else self.copies(node, live, stopped)
        frames = frames[len(frames) - node.loose :] if node.loose else ()
        if not self.facts.partial[id(node)]:
            guard = None
        return (id(node), live, stopped, frames, guard), (node, live, stopped, frames, guard)

    def copies(self, node: Term, live: _Live, stopped: _Copy) -> tuple[_Live, _Copy]:
        """The two copies of the parameters without those variations that the node does not depend on."""
        depends = self.facts.depends[id(node)]
        while live is not None and live.param not in depends:
            live = live.parent
        while isinstance(stopped, Version) and stopped.param not in depends:
            stopped = stopped.parent
        return live, stopped

    def slot(self, block: Block) -> int:
        self.home.append(block)
        self.size += 1
        return self.size - 1

    def emit(self, op: str, node: Term, operands: tuple[int, ...], extra: Any = None) -> int:
        """Append an instruction to the innermost block that its operands come from."""
        block = self.root
        for operand in operands:
            home = self.home[operand]
            if home.depth > block.depth:
                block = home
        out = self.slot(block)
        block.instructions.append(Instruction(op, node, operands, out, extra))
        return out

    def leaf(
        self, key: tuple[Any, ...], op: str, node: Term, extra: Any = None, operands: tuple[int, ...] = ()
    ) -> int:
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.emit(op, node, operands, extra)
        return found

    def integer(self, slot: int, node: Term, guard: int | None = None) -> int:
        """The slot of a slot's value as whole numbers."""
        return self.leaf(("whole", slot, guard), "whole", node, guard, (slot,))

    def parameter(self, name: str, version: _Copy, node: Term) -> int:
        while isinstance(version, Version):
            if version.param == name:
                return version.slot
            version = version.parent
        return self.leaf(("load", name), "load", node, name)

    # -- one node --

    def compile(
        self, node: Term, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        if isinstance(node, Num):
            return self.leaf(("num", node.value), "num", node)
        if isinstance(node, (Sym, Indexed)) and node.key in self.tables:
            return (yield from self.lookup(node, live, stopped, frames, guard))
        if isinstance(node, Sym):
            return self.parameter(node.name, live, node)
        if isinstance(node, Bound):
            if node.index >= len(frames):
                raise EvaluationError(
                    "the term uses an index whose Σ or ∏ is missing",
                    instead="a closed term, or a free index name",
                )
            return self.emit("index", node, (frames[-1 - node.index].slot,))
        if isinstance(node, Axis):
            return self.leaf(("axis", node.number), "axis", node, self.axes - node.number)
        if isinstance(node, Stop):
            if stopped is DETACHED:
                body = yield (node.args[0], live, stopped, frames, guard)
                return self.emit("detach", node, (body,))
            return (yield (node.args[0], _version(stopped), stopped, frames, guard))
        if isinstance(node, Eval):
            if stopped is DETACHED and live is None:  # nothing is varied: the arrow changes nothing
                return (yield (node.args[0], live, stopped, frames, guard))
            return (yield (node.args[0], live, live, frames, guard))
        if isinstance(node, Grad):
            return (yield from self.grad(node, live, stopped, frames, guard))
        if isinstance(node, (Sum, Prod)):
            return (yield from self.binder(node, live, stopped, frames, guard))
        if isinstance(node, (Expect, CondExpect)):
            raise _expectation(node)
        if isinstance(node, Grads):
            order = "that is the index of a Σ" if node.order.loose else summary(node.order)
            raise EvaluationError(
                f"a derivative of the order {order}, which has no value here",
                instead="a number, or a name with a whole number as its value, as the order of each ∇",
            )
        if isinstance(node, Fn):
            return (yield from self.function(node, live, stopped, frames, guard))
        if isinstance(node, Indexed):
            return (yield from self.indexed(node, live, stopped, frames, guard))
        if isinstance(node, App):
            return (yield from self.application(node, live, stopped, frames, guard))
        # Add, Mul, Pow
        args = node.args[:1] if isinstance(node, Pow) and isinstance(node.args[1], Num) else node.args
        operands = []
        for arg in args:
            operands.append((yield (arg, live, stopped, frames, guard)))
        return self.guarded(node.tag, node, operands, guard if isinstance(node, Pow) else None)

    def guarded(self, op: str, node: Term, operands: list[int], guard: int | None) -> int:
        """An instruction that may fail; ``extra`` is the guard's slot.

        A guard always lies in the root block, so it does not move the instruction.
        """
        return self.emit(op, node, tuple(operands), guard)

    def function(
        self, node: Fn, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        if node.op in ("gt", "ge", "eq"):
            operands = []
            for arg in node.args:
                operands.append((yield (arg, None, self.outer, frames, guard)))
            return self.emit(node.op, node, tuple(operands))
        if node.op == "cases":
            condition = yield (node.args[0], None, self.outer, frames, guard)
            level = _top(frames[len(frames) - node.args[0].loose :] if node.args[0].loose else ())
            yes = self.mask("then", node, guard, condition, level)
            no = self.mask("else", node, guard, condition, level)
            a = yield (node.args[1], live, stopped, frames, yes)
            b = yield (node.args[2], live, stopped, frames, no)
            return self.emit("cases", node, (condition, a, b))
        operands = []
        for arg in node.args:
            operands.append((yield (arg, live, stopped, frames, guard)))
        return self.guarded(node.op, node, operands, guard)

    def mask(self, op: str, node: Term, guard: int | None, condition: int, level: int) -> int:
        """The slot of ``guard`` and the condition; ``level`` is the condition's outermost axis."""
        key = (op, guard, condition)
        found = self.masks.get(key)
        if found is None:
            operands = (condition,) if guard is None else (condition, guard)
            found = self.masks[key] = self.emit(op, node, operands)
            self.levels[found] = max(level, self.levels.get(guard, -1))
        return found

    def indexed(
        self, node: Indexed, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        operands = []
        for arg in node.args:
            index = yield (arg, None, self.outer, frames, guard)
            operands.append(self.integer(index, node, guard))
        if node.name in self.vectors:
            if len(node.args) != 1:
                raise EvaluationError(
                    f"{node.name} is a vector parameter and takes one index, here {len(node.args)}",
                    instead=f"its rows or columns as parameters of their own, {node.name}[k]",
                )
            base = self.parameter(node.name, live, node)
            return self.guarded("component", node, [base, *operands], guard)
        return self.guarded("family", node, operands, guard)

    def lookup(
        self, node: Term, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        """A member of a table, which lies along axes of its own, and serves every place: no guard."""
        table = self.tables[node.key]
        operands = []
        for arg in node.args:
            index = yield (arg, None, self.outer, frames, guard)
            operands.append(self.integer(index, node, guard))
        live, stopped = self.copies(table.body, live, stopped)
        low = max(copy.level if isinstance(copy, Version) else -1 for copy in (live, stopped))
        if self.facts.flags[id(table.body)] & HAS_AXIS:
            low = max(low, self.axes - 1)
        own = self.axes_of(table, low + 1, node)
        values = yield (table.body, live, stopped, own, None)
        if not operands:
            return values
        extra = Lookup(table, low + 1, guard, self.straight(node, frames))
        return self.emit("lookup", node, (values, *operands), extra)

    def axes_of(self, table: Table, level: int, node: Term) -> tuple[Frame, ...]:
        """The axes that a table lies along, the last one at ``level``."""
        own: list[Frame] = []
        for position, (lo, hi) in enumerate(table.ranges, 1):
            ends = (self.leaf(("num", Fraction(n)), "num", Num(n)) for n in (lo, hi))
            first, last = (self.integer(end, node) for end in ends)
            own.append(self.frame(level + len(table.ranges) - position, first, last, node))
        return tuple(own)

    def whole(self, name: str) -> int:
        """The slot of a whole table, where nothing is varied."""
        table = self.tables[name]
        return self.run((table.body, None, self.outer, self.axes_of(table, 0, table.body), None))

    def straight(self, node: Term, frames: tuple[Frame, ...]) -> int | None:
        """The slot of the range where a table is read at one bound index just as it stands."""
        (index, *more) = node.args
        if more or not isinstance(index, Bound) or index.index >= len(frames):
            return None
        frame = frames[-1 - index.index]
        return frame.slot if frame.mask is None else None

    def frame(self, level: int, lo: int, hi: int, node: Term) -> Frame:
        """The axis of a range that no index around it decides."""
        key = (level, lo, hi, None)
        found = self.frames.get(key)
        if found is None:
            found = Frame(level, self.emit("range", node, (lo, hi), (None, level)), None)
            self.frames[key] = found
        return found

    def application(
        self, node: App, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        if is_draw(node):
            return (yield from self.draw(node, frames))
        operands = []
        for slot in node.slots:
            operands.append((yield (slot, live, stopped, frames, guard)))
        partials: list[tuple[int, int | None]] = []
        for number, coordinate in node.partials:
            where: int | None = None
            if coordinate is not None:
                where = self.integer((yield (coordinate, None, self.outer, frames, guard)), node)
                operands.append(where)
            partials.append((number, where))
        if node.name == PATH:
            return self.emit("path", node, tuple(operands))
        return self.emit("app", node, tuple(operands), (guard, node.n_slots, tuple(partials)))

    def draw(self, node: App, frames: tuple[Frame, ...]) -> Generator[_Request, int, int]:
        """A random draw, for all members of a table at once."""
        operands = []
        table: Table | None = None
        if node.name.startswith(RESAMPLE):
            table = self.tables[node.name.split("@", 2)[2]]
            operands.append((yield (table.body, None, self.outer, self.axes_of(table, 0, node), None)))
        else:
            for slot in (*node.given, *node.params):
                operands.append((yield (slot, None, self.outer, frames, None)))
        own = tuple(frame.slot for frame in frames[len(frames) - node.loose :])
        return self.emit("draw", node, tuple(operands), Draw(own, table))

    def binder(
        self,
        node: Sum | Prod,
        live: _Live,
        stopped: _Copy,
        frames: tuple[Frame, ...],
        guard: int | None,
    ) -> Generator[_Request, int, int]:
        lo = self.integer((yield (node.lo, None, self.outer, frames, guard)), node, guard)
        hi = self.integer((yield (node.hi, None, self.outer, frames, guard)), node, guard)
        ragged = node.lo.loose > 0 or node.hi.loose > 0
        around = frames[len(frames) - (node.body.loose - 1) :] if node.body.loose > 1 else ()
        ranged = frames[len(frames) - node.loose :] if ragged else ()
        # A fresh axis: also left of those of the guard, which meets the body's values in checks.
        level = 1 + max(_top((*around, *ranged)), self.levels.get(guard, -1), self.axes - 1)
        level = max(level, *(1 + copy.level for copy in (live, stopped) if isinstance(copy, Version)), 0)
        key = (level, lo, hi, guard if ragged else None)
        frame = self.frames.get(key)
        if frame is None:
            slot = self.emit("range", node, (lo, hi), (guard if ragged else None, level))
            mask = self.emit("inside", node, (slot,)) if ragged else None
            frame = self.frames[key] = Frame(level, slot, mask)
        inner = guard
        if frame.mask is not None:
            inner = self.mask("both", node, guard, frame.mask, level)
        body = yield (node.body, live, stopped, (*frames, frame), inner)
        return self.emit(node.tag, node, (body, frame.slot), frame)

    def grad(
        self, node: Grad, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        outer = self.root if live is None else live.block
        if outer.depth >= MAX_GRAD_NESTING:
            raise EvaluationError(
                f"∇ is nested more than {MAX_GRAD_NESTING} deep, and every level doubles the work",
                instead="derive the expression first, and evaluate the result",
            )
        coordinate: int | None = None
        if node.coordinate is not None:
            coordinate = self.integer((yield (node.coordinate, None, self.outer, frames, guard)), node)
        block = Block(outer.depth + 1)
        version = Version(live, node.param, self.slot(block), block)
        if self.detach:
            version.level = max(_top(frames), live.level if live else -1)
        body = yield (node.body, version, stopped, frames, guard)
        if self.home[body] is not block:
            return self.emit("zero", node, (body,))
        call = GradCall(
            version,
            self.parameter(node.param, live, node),
            body,
            coordinate,
            frames,
            bool(node.body.flags & HAS_AXIS),
        )
        out = self.slot(outer)
        outer.instructions.append(Instruction("grad", node, (body,), out, call))
        return out


def _top(frames: tuple[Frame, ...]) -> int:
    return max((frame.level for frame in frames), default=-1)


def _version(copy: _Copy) -> _Live:
    assert not isinstance(copy, _Stopped)
    return copy


def _expectation(node: Term) -> EvaluationError:
    law = "an opaque density" if isinstance(node, Expect) else "what is drawn"
    return EvaluationError(
        f"an expectation over {law} has no value to compute: {summary(node)}",
        instead="a sum over samples, such as 1/N * Σ[i=1..N](…)",
    )
