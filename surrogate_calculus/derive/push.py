"""Pushing every ∇ and → of a term inside, innermost first.

``∇`` stops at what has no inside: a function or density applied to the parameter (``∇θ p(x; θ)``), its
logarithm where the function is *log-domain*, and an expectation.  A function is log-domain if a
document declares it a density, or if the source has it as a factor of a denominator or of the
argument of a log: there it is not zero, ``∇p = p ∇ log p`` may be used, and log-derivatives come out of
the calculus by themselves at every order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain, count, islice

from ..errors import DeriveError
from ..kernel.judgement import Rejection
from ..language.binding import free_names
from ..language.terms import (
    HAS_EVAL,
    HAS_GRAD,
    App,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from ..printing.text import summary
from .proof import KEPT, Proof

__all__ = ["Pusher", "gradient_parameters", "log_domain"]


def gradient_parameters(term: Term) -> frozenset[str]:
    """The parameters that some ∇ in the term differentiates in."""
    return frozenset(n.key for n in _below(term, HAS_GRAD) if n.__class__ in (Grad, Grads))


def _below(root: Term, flags: int) -> list[Term]:
    """The nodes with one of the flags, children first; what has none of them is not entered."""
    out: list[Term] = []
    seen: set[int] = set()
    todo: list[tuple[Term, bool]] = [(root, False)] if root.flags & flags else []
    while todo:
        node, ready = todo.pop()
        if ready:
            out.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo.append((node, True))
            todo.extend((a, False) for a in reversed(node.args) if a.flags & flags and id(a) not in seen)
    return out


def log_domain(nodes: Iterable[Term]) -> frozenset[str]:
    """Names of the opaque functions that occur as a factor of a denominator or of a log's argument.

    The walk to such a factor leads through products, powers, Σ, ∏, ⊥ and →, never through a sum: in
    ``log(1 + f)`` the function f may be zero.

    Args:
        nodes: every node of the source.
    """
    found: set[str] = set()
    seen: set[int] = set()
    todo: list[Term] = []
    for start in nodes:
        if start.__class__ is Pow:
            exponent = start.args[1]
            if exponent.__class__ is Num and exponent.key < 0:
                todo.append(start.args[0])
        elif start.__class__ is Fn and start.key == "log":
            todo.append(start.args[0])
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            cls = node.__class__
            if cls is App:
                if not node.key[4]:  # of a partial derivative of p nothing follows for p
                    found.add(node.key[0])
            elif cls is Pow:
                todo.append(node.args[0])
            elif cls in (Mul, Stop, Eval):
                todo.extend(node.args)
            elif cls in (Sum, Prod):
                todo.append(node.args[2])
    return frozenset(found)


class Pusher:
    """The strategy: which ∇ are left, which rule is used where.

    Args:
        proof: where the steps go.
        params: every parameter of a ∇ in the whole term.
        log_names: the log-domain functions.
        family: tells a family by recursion, whose ∇ is left as it is.
    """

    #: The classes of nodes that may be left as they are.
    kept: Collection[type[Term]] = KEPT

    def __init__(
        self,
        proof: Proof,
        params: Collection[str],
        log_names: Collection[str],
        family: Callable[[Term], bool] = lambda node: False,
    ) -> None:
        self.family = family
        self.proof = proof
        self.params = tuple(sorted(params))
        self.log_names = frozenset(log_names)
        self._direct: dict[int, bool] = {}
        self.operations: list[int] = []  # the steps that worked out one operator each, in order

    def direct(self, node: Term) -> bool:
        """Whether every parameter occurs in the application as a slot of its own, or not at all.

        Then ``∇θ f(x; θ)`` is the partial derivative of f, and may stay as it is.  It stays, as a total
        derivative, where x is a family that depends on θ through its own recursion.
        """
        found = self._direct.get(id(node))
        if found is None:
            state = self.proof.state
            found = isinstance(node, App) and state.stop_free(node)
            for param in self.params if found else ():
                # free of ⊥, so it depends on a parameter exactly where the parameter occurs
                where = [a for a in node.args if state.depends(param, a)]
                total = any(a.__class__ is Indexed and a.key in state.defined for a in where)
                if where and not total and (len(where) > 1 or where[0].__class__ is not Sym):
                    found = False
            self._direct[id(node)] = found
        return found

    def _in_log_domain(self, node: Term) -> bool:
        """Whether the node is a log-domain function; its partial derivatives are not, they have zeros."""
        return node.__class__ is App and node.key[0] in self.log_names and not node.key[4]

    def _logarithm(self, node: Term) -> bool:
        """Whether the node is the log of a log-domain function."""
        return (
            node.__class__ is Fn
            and node.key == "log"
            and self._in_log_domain(node.args[0])
            and self.direct(node.args[0])
        )

    def keep(self, param: str, node: Term) -> bool:
        """Whether ``∇param node`` is left as it is."""
        cls = node.__class__
        if cls is Expect:
            return self.proof.state.depends(param, node)
        if cls not in (App, Fn, Grad, Indexed):
            return False
        core = node
        while core.__class__ is Grad:
            core = core.args[0]
        if not self.proof.state.depends(param, core):
            return False
        if core.__class__ is Indexed:
            return self.family(core) or core.key in self.proof.state.defined
        if core.__class__ is Expect:
            return True
        if core.__class__ is App:
            return self.direct(core) and (core is not node or not self._in_log_domain(core))
        return self._logarithm(core)

    def rule_for(self, param: str, node: Term) -> str | None:
        """``log_derivative`` for a log-domain function, and for a ∏ of what is not zero."""
        if not self.proof.state.depends(param, node):  # then ∇ is 0
            return None
        if self._in_log_domain(node) and self.direct(node):
            return "log_derivative"
        if node.__class__ is Prod and self._nonzero(node.args[2]):
            return "product_log_derivative"
        return None

    def _nonzero(self, body: Term) -> bool:
        """Whether a term is a product of log-domain functions and of what is known not to be zero."""
        todo = [body]
        while todo:
            node = todo.pop()
            cls = node.__class__
            if cls in (Mul, Stop, Eval) or (cls is Pow and node.args[1].__class__ is Num):
                todo.extend(a for a in node.args if a.__class__ is not Num or not a.key)
            elif self._in_log_domain(node):
                continue
            elif not self.proof.state.facts.discharges("nonzero", node):
                return False
        return True

    def push(self, term: Term) -> int | None:
        """Push every ∇ and → of the term inside; the step that concludes ``term = …``, None if nothing moves.

        Raises:
            DeriveError: an operator that no rule moves.
        """
        proof = self.proof
        step: dict[int, int] = {}
        for node in _below(term, HAS_GRAD | HAS_EVAL):
            steps: list[int] = []
            moved = [step.get(id(a)) for a in node.args]
            premises = list(dict.fromkeys(s for s in moved if s is not None))
            current = node
            if premises:
                steps.append(proof.infer("congruence", node, None, premises))
                current = proof.right(steps[-1])
            try:
                last = self._operator(current)
            except Rejection as reason:
                shown = summary(current, scope=_indices(current))
                raise DeriveError(f"cannot work out {shown}: {reason}", instead=_advice(current)) from None
            if last is not None:
                steps.append(last)
                self.operations.append(last)
            if steps:
                step[id(node)] = proof.chain(steps)
        return step.get(id(term))

    def _operator(self, node: Term) -> int | None:
        if node.__class__ is Grad:
            body, where = node.args[0], node.args[1:]
            return self.proof.differentiate(node.key, where, body, self.keep, self.rule_for, self.kept)
        if node.__class__ is Eval:
            core = node.args[0]
            while core.__class__ is Grad:
                core = core.args[0]
            if core.__class__ in (Sym, Indexed) and not self.proof.state.stop_free(core):
                return None  # the value of a family, which has no smaller parts
            return self.proof.evaluate(node.args[0])
        return None


def _indices(node: Term) -> list[str]:
    """Names for the indices of the sums around a term, which its text cannot tell."""
    taken = free_names(node)
    names = (name for name in chain("ijk", (f"i{n}" for n in count(1))) if name not in taken)
    return list(islice(names, node.loose))


def _advice(node: Term) -> str:
    if node.__class__ is Grad and len(node.args) > 1:
        return f"a vector parameter stands behind ';' or carries its index, as in {node.key}[k]"
    if any(n.__class__ in (Grads, CondExpect) for n in postorder(node)):
        return "∇ and → are worked out of no ∇ᵏ and no 𝔼[· | t]: give its terms, or prove the equation"
    if any(n.__class__ is Expect for n in postorder(node)):
        return "∇ moves inside 𝔼 only where the 𝔼 stands alone: write the sum of its terms"
    if any(n.__class__ is Eval and n.args[0].__class__ in (Sym, Indexed) for n in postorder(node)):
        return "→∇ of what is defined by recursion, not ∇→; or the recursion without ⊥, where they agree"
    return "take the range of Σ and ∏, and every index, free of the parameter"
