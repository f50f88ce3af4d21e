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

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from ..errors import EvaluationError
from ..language.terms import (
    HAS_AXIS,
    HAS_BARE_STOP,
    HAS_STOP,
    App,
    Axis,
    Bound,
    Eval,
    Expect,
    Fn,
    Grad,
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

__all__ = ["MAX_GRAD_NESTING", "Block", "Frame", "Instruction", "Program", "compile_term"]

#: ∇ inside ∇: each level doubles the work, so deeper ones are for `derive`.
MAX_GRAD_NESTING = 24

REMOVED_STOP = (
    "a ∇ stands over a → that removes a ⊥: detach cannot be undone, so the arrow was evaluated on the "
    "graph built without detach"
)


@dataclass(eq=False, slots=True)
class Instruction:
    """One step: ``op`` names the operation, ``operands`` are slots, ``extra`` what else it needs."""

    op: str
    node: Term
    operands: tuple[int, ...]
    out: int
    extra: Any = None


@dataclass(eq=False, slots=True)
class Block:
    """The instructions that run at one depth of varied parameters."""

    depth: int
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Version:
    """The parameters with ``param`` varied; its value lies in ``slot`` while ``block`` runs."""

    parent: Version | None
    param: str
    slot: int
    block: Block
    level: int = -1  # leftmost axis along which reverse mode spreads the varied parameter


@dataclass(eq=False, slots=True)
class Frame:
    """A binder in force: its axis (``level``), the slot of its range, the slot of its mask."""

    level: int
    slot: int
    mask: int | None


@dataclass(eq=False, slots=True)
class GradCall:
    """What a ∇ instruction runs: vary ``theta`` into ``version``, run the block, read ``body``."""

    version: Version
    theta: int
    body: int
    coordinate: int | None
    frames: tuple[Frame, ...]
    axes: bool


@dataclass(eq=False, slots=True)
class Program:
    """A compiled term.

    Attributes:
        root: the block to run; other blocks are reached through its ∇ instructions.
        result: the slot that then holds the value.
        size: number of slots.
        notes: sentences on what could not be computed as written.
    """

    root: Block
    result: int
    size: int
    notes: list[str]


class _Stopped:
    """The stopped copy of a program: values are computed live and detached."""

    __slots__ = ()


DETACHED = _Stopped()
_Live = Version | None
_Copy = Version | _Stopped | None
_Request = tuple[Term, _Live, _Copy, tuple[Frame, ...], int | None]


def compile_term(term: Term, *, axes: int, vectors: frozenset[str], detach: bool = False) -> Program:
    """Compile a closed term.

    Args:
        term: the term.
        axes: number of open coordinate axes of the result.
        vectors: names of the vector parameters.
        detach: whether the outermost ⊥ is a ``detach`` (see the module's text).

    Raises:
        EvaluationError: an expectation, an index outside every binder, too deeply nested ∇.
    """
    store = Store()
    root = store.add(term)
    nodes = postorder(root)
    compiler = _Compiler(nodes, axes, vectors, detach)
    notes = [REMOVED_STOP] if detach and _beyond_detach(root, compiler.depends) else []
    result = compiler.run((root, None, DETACHED if detach else None, (), None))
    return Program(compiler.root, result, compiler.size, notes)


class _Compiler:
    def __init__(self, nodes: list[Term], axes: int, vectors: frozenset[str], detach: bool) -> None:
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
        self.depends, self.partial = _facts(nodes, vectors)

    # -- the driver: requests are compiled depth first on a stack of generators --

    def run(self, request: _Request) -> int:
        key, request = self.key(request)
        stack = [(key, self.compile(*request))]
        answer: int | None = None
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
        depends = self.depends[id(node)]
        while live is not None and live.param not in depends:
            live = live.parent
        while isinstance(stopped, Version) and stopped.param not in depends:
            stopped = stopped.parent
        frames = frames[len(frames) - node.loose :] if node.loose else ()
        if not self.partial[id(node)]:
            guard = None
        return (id(node), live, stopped, frames, guard), (node, live, stopped, frames, guard)

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

    def leaf(self, key: tuple[Any, ...], op: str, node: Term, extra: Any = None) -> int:
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = self.emit(op, node, (), extra)
        return found

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
        if isinstance(node, Expect):
            raise _expectation(node)
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
                operands.append((yield (arg, None, None, frames, guard)))
            return self.emit(node.op, node, tuple(operands))
        if node.op == "cases":
            condition = yield (node.args[0], None, None, frames, guard)
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
            operands.append((yield (arg, None, None, frames, guard)))
        if node.name in self.vectors:
            if len(node.args) != 1:
                raise EvaluationError(
                    f"{node.name} is a vector parameter and takes one index, here {len(node.args)}",
                    instead=f"its rows or columns as parameters of their own, {node.name}[k]",
                )
            base = self.parameter(node.name, live, node)
            return self.guarded("component", node, [base, *operands], guard)
        return self.guarded("family", node, operands, guard)

    def application(
        self, node: App, live: _Live, stopped: _Copy, frames: tuple[Frame, ...], guard: int | None
    ) -> Generator[_Request, int, int]:
        operands = []
        for slot in node.slots:
            operands.append((yield (slot, live, stopped, frames, guard)))
        partials: list[tuple[int, int | None]] = []
        for number, coordinate in node.partials:
            where: int | None = None
            if coordinate is not None:
                where = yield (coordinate, None, None, frames, guard)
                operands.append(where)
            partials.append((number, where))
        return self.emit("app", node, tuple(operands), (guard, node.n_slots, tuple(partials)))

    def binder(
        self,
        node: Sum | Prod,
        live: _Live,
        stopped: _Copy,
        frames: tuple[Frame, ...],
        guard: int | None,
    ) -> Generator[_Request, int, int]:
        lo = yield (node.lo, None, None, frames, guard)
        hi = yield (node.hi, None, None, frames, guard)
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
            coordinate = yield (node.coordinate, None, None, frames, guard)
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
    from ..printing.text import summary

    return EvaluationError(
        f"an expectation over an opaque density has no value to compute: {summary(node)}",
        instead="a sum over samples, such as 1/N * Σ[i=1..N](…)",
    )


def _facts(nodes: list[Term], vectors: frozenset[str]) -> tuple[dict[int, frozenset[str]], dict[int, bool]]:
    """For every node: the differentiated parameters in it, and whether its value can be undefined."""
    differentiated = {n.key for n in nodes if isinstance(n, Grad)}
    nothing: frozenset[str] = frozenset()
    single = {name: frozenset((name,)) for name in differentiated}
    depends: dict[int, frozenset[str]] = {}
    partial: dict[int, bool] = {}
    for node in nodes:
        found = nothing
        undefined = _can_fail(node)
        for arg in node.args:
            more = depends[id(arg)]
            if more is not found and not more <= found:
                found = more if found <= more else found | more
            undefined = undefined or partial[id(arg)]
        if isinstance(node, Sym) or (isinstance(node, Indexed) and node.name in vectors):
            own = single.get(node.key)
            if own is not None and not own <= found:
                found = found | own
        depends[id(node)] = found
        partial[id(node)] = undefined
    return depends, partial


def _beyond_detach(root: Term, depends: dict[int, frozenset[str]]) -> bool:
    """Whether a ∇ meets an → that removes a ⊥ of something it differentiates.

    Below a ⊥, in conditions, indices and ranges nothing is differentiated, until the next ∇.
    """
    nothing: frozenset[str] = frozenset()
    seen: set[tuple[int, frozenset[str]]] = set()
    todo = [(root, nothing)]
    while todo:
        node, varied = todo.pop()
        varied = varied & depends[id(node)]
        if not node.flags & HAS_STOP or (id(node), varied) in seen:
            continue
        seen.add((id(node), varied))
        if isinstance(node, Eval) and varied and node.args[0].flags & HAS_BARE_STOP:
            return True
        live = node.args
        constant: tuple[Term, ...] = ()
        if isinstance(node, Grad):
            todo.append((node.body, varied | {node.param}))
            live, constant = (), node.args[1:]
        elif isinstance(node, (Stop, Indexed)) or (isinstance(node, Fn) and node.op in ("gt", "ge", "eq")):
            live, constant = (), node.args
        elif isinstance(node, (Sum, Prod)):
            live, constant = node.args[2:], node.args[:2]
        elif isinstance(node, Fn) and node.op == "cases":
            live, constant = node.args[1:], node.args[:1]
        todo += [(arg, varied) for arg in live] + [(arg, nothing) for arg in constant]
    return False


def _can_fail(node: Term) -> bool:
    if isinstance(node, Pow):
        exponent = node.exponent
        return not (isinstance(exponent, Num) and exponent.value.denominator == 1 and exponent.value >= 0)
    if isinstance(node, Fn):
        return node.op in ("log", "sqrt")
    return isinstance(node, (Indexed, App))
