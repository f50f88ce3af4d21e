"""Terms: the expression tree of the stop-gradient calculus, as a shared DAG.

A term is one of a closed union of eighteen constructors (``Num`` … ``CondExpect``).  Terms are
frozen and slotted; each carries a hash computed once from its children, the number of
*loose* bound indices, and a few flags, so that all of these cost nothing to ask.

* **Sharing.**  A term may occur many times inside another; nothing here, and nothing in the
  package, walks a term as a tree or recurses to its depth.  Use :func:`postorder` and
  :func:`rebuild`.
* **Binders are nameless.**  ``Σ``, ``∏`` and ``𝔼`` bind de Bruijn indices (:class:`Bound`);
  the name a reader sees is a *hint*, which takes no part in equality.  Two α-equivalent terms
  are therefore equal, and substitution cannot capture (see :mod:`.binding`).
* **Nothing is simplified on construction.**  ``Add(x, x)`` is not ``2*x``: arithmetic is the
  business of the kernel, which names it.
* **Everything is scalar inside.**  ``∇θ E`` for a vector θ is ``Grad(θ, E, Axis(1))``, its
  first coordinate axis open; ``∇²`` opens ``Axis(2)`` (design: the newest axis last).

Sugar that the parser applies and the printers undo:

=============  ==========================================================
``a - b``      ``Add(a, Mul(-1, b))``; ``a - 2*b`` is ``Add(a, Mul(-2, b))``
``a / b``      ``Mul(a, Pow(b, -1))``; ``1/b`` is ``Pow(b, -1)``
``a / 2``      ``Mul(a, Num(1/2))``; ``2/3`` is ``Num(2/3)``
``a + b + c``  ``Add(a, b, c)``; parentheses keep ``Add(Add(a, b), c)``
=============  ==========================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from operator import is_
from typing import Any, ClassVar, NoReturn, TypeVar

from .budget import charge

__all__ = [
    "FUNCTIONS",
    "HAS_BARE_STOP",
    "HAS_BINDER",
    "HAS_EVAL",
    "HAS_EXPECT",
    "HAS_GRAD",
    "HAS_STOP",
    "ONE",
    "ZERO",
    "Add",
    "App",
    "Axis",
    "Bound",
    "CondExpect",
    "Eval",
    "Expect",
    "Fn",
    "Grad",
    "Grads",
    "Indexed",
    "Mul",
    "Num",
    "Pow",
    "Prod",
    "Stop",
    "Store",
    "Sum",
    "Sym",
    "Term",
    "add",
    "div",
    "fold",
    "mul",
    "neg",
    "num",
    "postorder",
    "reachable",
    "rebuild",
    "sub",
    "tree_size",
]

# Flags: what occurs anywhere inside a term.
HAS_STOP = 1  # a ⊥
HAS_EVAL = 2  # a →
HAS_GRAD = 4  # a ∇ or ∇ᵏ
HAS_BINDER = 8  # a Σ, ∏ or 𝔼
HAS_BARE_STOP = 16  # a ⊥ outside every →
HAS_EXPECT = 32  # an 𝔼 or 𝔼[· | t]
HAS_AXIS = 64  # an open coordinate axis of a vector gradient

#: The built-in functions and how many arguments each takes.
#: ``gt``, ``ge``, ``eq`` are the Iverson brackets ``[a > b]``, ``[a >= b]``, ``[a = b]`` (value 0 or
#: 1); ``cases`` takes (condition, then, else); ``pi`` is the number π.  ``slice`` is the range ``lo:hi``
#: as an index of a family, ``y[1:T]``; it stands nowhere else, and nobody can call it.
FUNCTIONS: dict[str, int] = {
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "sin": 1,
    "cos": 1,
    "tan": 1,
    "tanh": 1,
    "sigmoid": 1,
    "softplus": 1,
    "relu": 1,
    "abs": 1,
    "sign": 1,
    "max": 2,
    "min": 2,
    "gt": 2,
    "ge": 2,
    "eq": 2,
    "cases": 3,
    "pi": 0,
    "slice": 2,
}

_set = object.__setattr__
Value = TypeVar("Value")


class Term:
    """A node of the expression DAG; never instantiated itself.

    Every node has the same layout, so that traversals need not know the constructors:
    ``args`` are the children, ``key`` the payload that is no term (a number, a name, …).

    Attributes:
        args: the children, in order.
        key: the payload; hashable, compared by equality.
        loose: number of enclosing binders the term reaches out to: 0 for a closed term.
        flags: bit set of the ``HAS_…`` constants.
    """

    __slots__ = ("_hash", "args", "flags", "key", "loose")

    #: Constructor name in certificates; also the tag in the hash.
    tag: ClassVar[str] = "Term"
    #: Number of binders each child stands under, for the binding constructors.
    binds: ClassVar[tuple[int, ...]] = ()
    _own: ClassVar[int] = 0
    _clear: ClassVar[int] = ~0

    args: tuple[Term, ...]
    key: Any
    loose: int
    flags: int
    _hash: int

    def _init(self, key: Any, args: tuple[Term, ...]) -> None:
        """Fill the slots; the only writer, called once from each constructor."""
        loose = 0
        flags = 0
        binds = self.binds
        if binds:
            for arg, bound in zip(args, binds, strict=True):
                reach = arg.loose - bound
                if reach > loose:
                    loose = reach
                flags |= arg.flags
        else:
            for arg in args:
                if arg.loose > loose:
                    loose = arg.loose
                flags |= arg.flags
        _set_key(self, key)
        _set_args(self, args)
        _set_loose(self, loose)
        _set_flags(self, (flags & self._clear) | self._own)
        _set_hash(self, hash((self.tag, key, *[arg._hash for arg in args])))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"terms are frozen: cannot set {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"terms are frozen: cannot delete {name}")

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Structural equality up to the names of bound indices; linear in the shared DAGs."""
        if self is other:
            return True
        if not isinstance(other, Term):
            return NotImplemented
        if self._hash != other._hash:
            return False
        todo: list[tuple[Term, Term]] = [(self, other)]
        seen: set[tuple[int, int]] = set()
        while todo:
            a, b = todo.pop()
            if a is b:
                continue
            if (
                a._hash != b._hash
                or a.__class__ is not b.__class__
                or a.key != b.key
                or len(a.args) != len(b.args)
            ):
                return False
            if a.args:
                pair = (id(a), id(b))
                if pair not in seen:
                    seen.add(pair)
                    todo.extend(zip(a.args, b.args, strict=True))
        return True

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __reduce__(self) -> tuple[Callable[..., Term], tuple[Any, ...]]:
        """Pickle and copy as a flat node table, so that deep terms do not recurse."""
        table: list[Any] = []
        where: dict[int, int] = {}
        for node in postorder(self):
            where[id(node)] = len(table)
            children = tuple(where[id(a)] for a in node.args)
            table.append((node.__class__, node.key, children, getattr(node, "hint", None)))
        return _unpickle, (tuple(table),)

    def __repr__(self) -> str:
        """The round-trip text where it is small, else a summary."""
        from ..printing.text import summary  # printing is a higher floor; only for humans

        return f"<{self.__class__.__name__} {summary(self)}>"

    def __str__(self) -> str:
        from ..printing.text import to_unicode

        return to_unicode(self)

    def _repr_latex_(self) -> str:
        from ..printing.latex import to_latex

        return f"$\\displaystyle {to_latex(self)}$"

    # Arithmetic for building terms in Python.  Operators build raw nodes, nothing is simplified.
    def __add__(self, other: TermLike) -> Term:
        return Add(self, num(other))

    def __radd__(self, other: TermLike) -> Term:
        return Add(num(other), self)

    def __sub__(self, other: TermLike) -> Term:
        return Add(self, neg(num(other)))

    def __rsub__(self, other: TermLike) -> Term:
        return Add(num(other), neg(self))

    def __mul__(self, other: TermLike) -> Term:
        return Mul(self, num(other))

    def __rmul__(self, other: TermLike) -> Term:
        return Mul(num(other), self)

    def __truediv__(self, other: TermLike) -> Term:
        return div(self, num(other))

    def __rtruediv__(self, other: TermLike) -> Term:
        return div(num(other), self)

    def __pow__(self, other: TermLike) -> Term:
        return Pow(self, num(other))

    def __rpow__(self, other: TermLike) -> Term:
        return Pow(num(other), self)

    def __neg__(self) -> Term:
        return neg(self)


# The slots' own setters: they go past __setattr__, and are quicker than object.__setattr__.
_set_key = Term.key.__set__  # type: ignore[misc]
_set_args = Term.args.__set__  # type: ignore[attr-defined, misc]
_set_loose = Term.loose.__set__  # type: ignore[attr-defined, misc]
_set_flags = Term.flags.__set__  # type: ignore[attr-defined, misc]
_set_hash = Term._hash.__set__  # type: ignore[attr-defined, misc]


def _unpickle(table: tuple[tuple[type[Term], Any, tuple[int, ...], str | None], ...]) -> Term:
    nodes: list[Term] = []
    for cls, key, children, hint in table:
        nodes.append(_raw(cls, key, tuple(nodes[c] for c in children), hint))
    return nodes[-1]


class Num(Term):
    """An exact rational number."""

    __slots__ = ()
    tag = "num"
    key: Fraction

    def __init__(self, value: int | Fraction) -> None:
        if value.__class__ is not Fraction:
            if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
                raise TypeError(f"a Num is an int or a Fraction, not {value!r}")
            value = Fraction(value)
        self._init(value, ())

    @property
    def value(self) -> Fraction:
        """The number."""
        return self.key


class Sym(Term):
    """A free name: a parameter, a variable, a count or an index in scope."""

    __slots__ = ()
    tag = "sym"
    key: str

    def __init__(self, name: str) -> None:
        self._init(name, ())

    @property
    def name(self) -> str:
        """The name."""
        return self.key


class Bound(Term):
    """A bound index: the variable of the ``index``-th enclosing binder, counted from inside at 0."""

    __slots__ = ()
    tag = "bound"
    key: int

    def __init__(self, index: int) -> None:
        self._init(index, ())
        _set(self, "loose", index + 1)

    @property
    def index(self) -> int:
        """How many binders lie between."""
        return self.key


class Axis(Term):
    """The ``number``-th open coordinate axis (from 1) of a vector- or matrix-valued expression."""

    __slots__ = ()
    tag = "axis"
    _own = HAS_AXIS
    key: int

    def __init__(self, number: int) -> None:
        self._init(number, ())

    @property
    def number(self) -> int:
        """The axis, from 1; the newest gradient has the largest."""
        return self.key


class Indexed(Term):
    """A family at indices: ``w[t, i]``, ``x[t-1, a[t, i]]``; at least one index."""

    __slots__ = ()
    tag = "indexed"
    key: str

    def __init__(self, name: str, *indices: Term) -> None:
        if not indices:
            raise ValueError(f"the family {name} needs at least one index")
        self._init(name, indices)

    @property
    def name(self) -> str:
        """The family's name."""
        return self.key


class Add(Term):
    """A sum of two or more terms; nested sums stay nested."""

    __slots__ = ()
    tag = "add"

    def __init__(self, *args: Term) -> None:
        if len(args) < 2:
            raise ValueError("Add needs two or more terms; see add() for any number")
        self._init(None, args)


class Mul(Term):
    """A product of two or more terms; nested products stay nested."""

    __slots__ = ()
    tag = "mul"

    def __init__(self, *args: Term) -> None:
        if len(args) < 2:
            raise ValueError("Mul needs two or more factors; see mul() for any number")
        self._init(None, args)


class Pow(Term):
    """``base ^ exponent``.  A numeric exponent that is an integer is defined for any base."""

    __slots__ = ()
    tag = "pow"

    def __init__(self, base: Term, exponent: Term) -> None:
        self._init(None, (base, exponent))

    @property
    def base(self) -> Term:
        """The base."""
        return self.args[0]

    @property
    def exponent(self) -> Term:
        """The exponent."""
        return self.args[1]


class Fn(Term):
    """A built-in function, one of :data:`FUNCTIONS`, at its arguments."""

    __slots__ = ()
    tag = "fn"
    key: str

    def __init__(self, op: str, *args: Term) -> None:
        arity = FUNCTIONS.get(op)
        if arity is None:
            raise ValueError(f"unknown function {op}: one of {', '.join(FUNCTIONS)}")
        if len(args) != arity:
            raise ValueError(f"{op} takes {arity} argument(s), not {len(args)}")
        self._init(op, args)

    @property
    def op(self) -> str:
        """The function's name."""
        return self.key


class App(Term):
    """An opaque function or density at arguments, or a partial derivative of one.

    ``p(x, y | z; θ)`` has args (x, y), given (z,), params (θ,).  Its *slots* are these in order,
    numbered from 1.  ``D[1, 4](p)(x, y | z; θ)`` is its derivative in the slots 1 and 4; opaque
    functions are smooth, so the order of differentiation is immaterial and is kept sorted.
    In a slot that holds a vector parameter, a derivative names its coordinate.

    ``key`` is ``(name, n_args, n_given, n_params, partials)`` with ``partials`` a sorted tuple of
    slot numbers (from 1, repeated for repeated derivatives) each with a flag that says whether a
    coordinate belongs to it; ``args`` are the slots, then those coordinates in order.
    """

    __slots__ = ()
    tag = "app"
    key: tuple[str, int, int, int, tuple[tuple[int, bool], ...]]

    def __init__(
        self,
        name: str,
        args: Sequence[Term] = (),
        given: Sequence[Term] = (),
        params: Sequence[Term] = (),
        partials: Sequence[tuple[int, Term | None]] = (),
    ) -> None:
        slots = (*args, *given, *params)
        for slot, _ in partials:
            if not 1 <= slot <= len(slots):
                raise ValueError(f"{name} has {len(slots)} slot(s): no derivative in slot {slot}")
        ordered = sorted(partials, key=_partial_order) if len(partials) > 1 else partials
        flags = tuple((slot, coordinate is not None) for slot, coordinate in ordered)
        coordinates = tuple(c for _, c in ordered if c is not None)
        self._init((name, len(args), len(given), len(params), flags), slots + coordinates)

    @property
    def name(self) -> str:
        """The function's name."""
        return self.key[0]

    @property
    def n_slots(self) -> int:
        """Number of slots: arguments, conditions and parameters together."""
        return self.key[1] + self.key[2] + self.key[3]

    @property
    def slots(self) -> tuple[Term, ...]:
        """Arguments, conditions and parameters in order."""
        return self.args[: self.n_slots]

    @property
    def arguments(self) -> tuple[Term, ...]:
        """What stands left of ``|`` and ``;``."""
        return self.args[: self.key[1]]

    @property
    def given(self) -> tuple[Term, ...]:
        """What stands behind ``|``."""
        return self.args[self.key[1] : self.key[1] + self.key[2]]

    @property
    def params(self) -> tuple[Term, ...]:
        """What stands behind ``;``."""
        return self.args[self.key[1] + self.key[2] : self.n_slots]

    @property
    def partials(self) -> tuple[tuple[int, Term | None], ...]:
        """The derivatives taken: (slot, coordinate or None), sorted."""
        position = self.n_slots
        out: list[tuple[int, Term | None]] = []
        for slot, has_coordinate in self.key[4]:
            out.append((slot, self.args[position] if has_coordinate else None))
            position += has_coordinate
        return tuple(out)

    def with_partials(self, partials: Sequence[tuple[int, Term | None]]) -> App:
        """The same application, with these derivatives instead."""
        return App(self.name, self.arguments, self.given, self.params, partials)


class Stop(Term):
    """``⊥(E)``, the stop-gradient (``detach``): E with every parameter stopped."""

    __slots__ = ()
    tag = "stop"
    _own = HAS_STOP | HAS_BARE_STOP

    def __init__(self, body: Term) -> None:
        self._init(None, (body,))


class Eval(Term):
    """``→(E)``, evaluation: E with every stopped copy set equal to the live one."""

    __slots__ = ()
    tag = "eval"
    _own = HAS_EVAL
    _clear = ~HAS_BARE_STOP

    def __init__(self, body: Term) -> None:
        self._init(None, (body,))


class Grad(Term):
    """``∇θ E``: the derivative in the live copy of the parameter named ``param``.

    For a vector parameter ``coordinate`` says which component: an open :class:`Axis`, or an index.
    """

    __slots__ = ()
    tag = "grad"
    _own = HAS_GRAD
    key: str

    def __init__(self, param: str, body: Term, coordinate: Term | None = None) -> None:
        self._init(param, (body,) if coordinate is None else (body, coordinate))

    @property
    def param(self) -> str:
        """The parameter's name."""
        return self.key

    @property
    def body(self) -> Term:
        """What is differentiated."""
        return self.args[0]

    @property
    def coordinate(self) -> Term | None:
        """The component, for a vector parameter."""
        return self.args[1] if len(self.args) > 1 else None


class Grads(Term):
    """``∇ᵏθ E``: the k-th derivative in the live copy of a scalar parameter, k a term.

    The order is an index or a count; where it is a whole number k ≥ 0, this is E under k gradients.
    """

    __slots__ = ()
    tag = "grads"
    _own = HAS_GRAD
    key: str

    def __init__(self, param: str, order: Term, body: Term) -> None:
        self._init(param, (order, body))

    @property
    def param(self) -> str:
        """The parameter's name."""
        return self.key

    @property
    def order(self) -> Term:
        """How many derivatives are taken."""
        return self.args[0]

    @property
    def body(self) -> Term:
        """What is differentiated."""
        return self.args[1]


class _Binder(Term):
    """Shared layout of the binders: a hint for the name of the bound index, never compared."""

    __slots__ = ("hint",)
    hint: str
    _own = HAS_BINDER

    @property
    def body(self) -> Term:
        """The last child, under the binder."""
        return self.args[-1]


class _Ranged(_Binder):
    """Shared layout of Σ and ∏: first value, last value, body; ``Bound(0)`` in the body is the index."""

    __slots__ = ()
    binds = (0, 0, 1)

    def __init__(self, lo: Term, hi: Term, body: Term, hint: str = "i") -> None:
        self._init(None, (lo, hi, body))
        _set(self, "hint", hint)

    @property
    def lo(self) -> Term:
        """First value of the index."""
        return self.args[0]

    @property
    def hi(self) -> Term:
        """Last value of the index."""
        return self.args[1]


class Sum(_Ranged):
    """``Σ[hint=lo..hi](body)``; ``Bound(0)`` in the body is the index.  An empty range gives 0."""

    __slots__ = ()
    tag = "sum"


class Prod(_Ranged):
    """``∏[hint=lo..hi](body)``; ``Bound(0)`` in the body is the index.  An empty range gives 1."""

    __slots__ = ()
    tag = "prod"


class Expect(_Binder):
    """``𝔼[x ~ p(·; θ)](E)`` = ∫ p(x; θ) E dx; both children are under the binder of x.

    ``law`` is the density at the bound variable, an :class:`App` with ``Bound(0)`` where ``·`` stood.
    """

    __slots__ = ()
    tag = "expect"
    binds = (1, 1)
    _own = HAS_BINDER | HAS_EXPECT

    def __init__(self, law: Term, body: Term, hint: str = "x") -> None:
        self._init(None, (law, body))
        _set(self, "hint", hint)

    @property
    def law(self) -> Term:
        """The density at the bound variable."""
        return self.args[0]


class CondExpect(Term):
    """``𝔼[· | t](E)``: the mean of E given all that a document's samples draw up to the time t.

    It binds nothing: the drawn families stand in the body by their names.  The law is that of the
    samples, used at its value, so that the result depends on every parameter that they have.
    """

    __slots__ = ()
    tag = "cond_expect"
    _own = HAS_EXPECT

    def __init__(self, time: Term, body: Term) -> None:
        self._init(None, (time, body))

    @property
    def time(self) -> Term:
        """The last time that is given."""
        return self.args[0]

    @property
    def body(self) -> Term:
        """What is averaged."""
        return self.args[1]


TermLike = Term | int | Fraction

#: Every constructor by its tag: the closed union.
CONSTRUCTORS: dict[str, type[Term]] = {
    cls.tag: cls
    for cls in (
        Num, Sym, Bound, Axis, Indexed, Add, Mul, Pow, Fn, App, Stop, Eval, Grad, Grads, Sum, Prod,
        Expect, CondExpect,
    )
}  # fmt: skip


def _partial_order(partial: tuple[int, Term | None]) -> tuple[Any, ...]:
    slot, coordinate = partial
    return (slot, *(() if coordinate is None else order_key(coordinate)))


def order_key(term: Term) -> tuple[Any, ...]:
    """A total, process-independent order on *small* terms (indices): tags, keys, children."""
    out: list[Any] = []
    todo = [term]
    while todo:
        node = todo.pop()
        out.append((node.tag, str(node.key), len(node.args)))
        todo.extend(reversed(node.args))
    return tuple(out)


def _raw(cls: type[Term], key: Any, args: tuple[Term, ...], hint: str | None = None) -> Term:
    """A node from its parts, unchecked: for copies of nodes that a constructor once checked."""
    node = cls.__new__(cls)
    node._init(key, args)
    if cls is Bound:
        _set(node, "loose", key + 1)
    if hint is not None:
        _set(node, "hint", hint)
    return node


def rebuild(node: Term, args: tuple[Term, ...]) -> Term:
    """The same constructor and payload over other children; ``node`` itself if they are the same.

    The derivatives of an application stay sorted whatever becomes of their coordinates.
    """
    if len(args) == len(node.args) and all(map(is_, args, node.args)):
        return node
    if node.__class__ is App and len(args) > node.n_slots + 1:
        name, a, g, p, flags = node.key
        slots, coordinates = args[: a + g + p], iter(args[a + g + p :])
        partials = [(slot, next(coordinates) if has else None) for slot, has in flags]
        return App(name, slots[:a], slots[a : a + g], slots[a + g :], partials)
    return _raw(node.__class__, node.key, args, getattr(node, "hint", None))


def postorder(*roots: Term) -> list[Term]:
    """Every distinct node (by identity) below the roots, children before parents; iterative."""
    out: list[Term] = []
    seen: set[int] = set()
    enter = seen.add
    for root in roots:
        # A node is put back, behind a None, under its children; so no pairs need be made.
        todo: list[Term | None] = [root]
        push, pop = todo.append, todo.pop
        while todo:
            node = pop()
            if node is None:
                out.append(pop())  # type: ignore[arg-type]
                continue
            number = id(node)
            if number in seen:
                continue
            enter(number)
            args = node.args
            if not args:
                out.append(node)
                continue
            push(node)
            push(None)
            for arg in reversed(args):
                if id(arg) not in seen:
                    push(arg)
    charge(len(out))
    return out


def reachable(roots: Iterable[Term], children: Callable[[Term], Iterable[Term]]) -> list[Term]:
    """Every distinct node (by identity) that these children lead to from the roots; iterative."""
    out: dict[int, Term] = {}
    todo = list(roots)
    while todo:
        node = todo.pop()
        if id(node) not in out:
            out[id(node)] = node
            todo.extend(children(node))
    charge(len(out))
    return list(out.values())


def fold(
    root: Term,
    memo: dict[int, Value],
    children: Callable[[Term], Iterable[Term]],
    value: Callable[[Term], Value],
) -> Value:
    """The value of a term, each node after these of its children; iterative.

    Args:
        root: the term.
        memo: the values found so far, by the ``id`` of the node; ``value`` finds those of the children there.
        children: the children that the value of a node depends on.
        value: the value of a node.
    """
    todo, known = [root], len(memo)
    while todo:
        node = todo[-1]
        missing = [] if id(node) in memo else [a for a in children(node) if id(a) not in memo]
        if missing:
            todo.extend(missing)
            continue
        todo.pop()
        if id(node) not in memo:
            memo[id(node)] = value(node)
    charge(len(memo) - known)
    return memo[id(root)]


def tree_size(term: Term, limit: int | None = None) -> int:
    """How many nodes the term has as a tree: the length of its text, up to a factor.

    With a limit, some number beyond it as soon as there are more, without walking the rest.
    """
    sizes: dict[int, int] = {}
    todo: list[tuple[Term, bool]] = [(term, False)]
    while todo:
        node, ready = todo.pop()
        if ready:
            sizes[id(node)] = total = 1 + sum([sizes[id(a)] for a in node.args])
            if limit is not None and (total > limit or len(sizes) > limit):
                return limit + 1
        elif id(node) not in sizes:
            todo.append((node, True))
            todo.extend([(a, False) for a in node.args if id(a) not in sizes])
    return sizes[id(term)]


class Store:
    """A table that makes equal terms identical, for the length of one computation.

    Interned terms can be compared with ``is`` and memoised by ``id``.  A store is owned by whoever
    makes it and dies with its owner: there is no global table.
    """

    __slots__ = ("_table",)

    def __init__(self) -> None:
        self._table: dict[tuple[Any, ...], Term] = {}

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Term]:
        return iter(self._table.values())

    def node(self, cls: type[Term], key: Any, args: tuple[Term, ...], hint: str | None = None) -> Term:
        """The one node of this shape; ``args`` must already be of this store."""
        entry = (cls, key, *map(id, args))
        found = self._table.get(entry)
        if found is None:
            found = _raw(cls, key, args, hint)
            self._table[entry] = found
        return found

    def add(self, term: Term) -> Term:
        """Bring a term of any origin into the store; linear in its DAG, at once where it is there."""
        table = self._table
        if table.get((term.__class__, term.key, *map(id, term.args))) is term:
            return term
        local: dict[int, Term] = {}
        for node in postorder(term):
            args = node.args
            if args:
                args = tuple([local[id(a)] for a in args])
            entry = (node.__class__, node.key, *map(id, args))
            found = table.get(entry)
            if found is None:
                found = table[entry] = rebuild(node, args)
            local[id(node)] = found
        return local[id(term)]


ZERO = Num(0)
ONE = Num(1)
MINUS_ONE = Num(-1)


def num(value: TermLike) -> Term:
    """A term from a term, an int or a Fraction.

    Raises:
        TypeError: for anything else (a float is no exact number: write a Fraction).
    """
    if isinstance(value, Term):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise TypeError(f"cannot make an exact term of {value!r}: use an int or a Fraction")
    return Num(value)


def add(*terms: Term) -> Term:
    """The sum of any number of terms: 0 for none, the term itself for one."""
    return Add(*terms) if len(terms) > 1 else (terms[0] if terms else ZERO)


def mul(*factors: Term) -> Term:
    """The product of any number of factors: 1 for none, the factor itself for one."""
    return Mul(*factors) if len(factors) > 1 else (factors[0] if factors else ONE)


def neg(term: Term) -> Term:
    """``-term`` as the parser reads it: a number is negated, a product's leading number too."""
    if isinstance(term, Num):
        return Num(-term.value)
    if isinstance(term, Mul):
        head = term.args[0]
        if isinstance(head, Num):
            return Mul(Num(-head.value), *term.args[1:])
        return Mul(MINUS_ONE, *term.args)
    return Mul(MINUS_ONE, term)


def sub(a: Term, b: Term) -> Term:
    """``a - b``."""
    return Add(a, neg(b))


def div(a: Term, b: Term) -> Term:
    """``a / b`` as the parser reads it: an exact number where both are, else a power -1."""
    if isinstance(b, Num) and b.value != 0:
        if isinstance(a, Num):
            return Num(a.value / b.value)
        inverse: Term = Num(1 / b.value)
    else:
        inverse = Pow(b, MINUS_ONE)
    if a == ONE:
        return inverse
    if isinstance(a, Mul):
        return Mul(*a.args, inverse)
    return Mul(a, inverse)
