"""The rules of the calculus as data: name, what it says, side conditions, source.

Two kinds of rule:

* a *pattern* rule is its two sides, terms with metavariables (:func:`meta`), and the kernel applies it
  by matching; nothing else about it is coded;
* a *schema* rule speaks of n-ary constructors and binders, where a pattern would need dots; the text
  says the law, ``calculus.py`` (∇, →, ⊥) or ``inference.py`` computes it.

The text of a rule is what a reader is shown.  References are to Ścibior & Wood, *Differentiable
Particle Filtering without Modifying the Forward Pass*, unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..language.terms import Fn, Grad, Mul, Num, Pow, Prod, Sum, Sym, Term

__all__ = ["FUNCTION_DERIVATIVES", "RULES", "Rule", "meta"]


def meta(name: str) -> Sym:
    """The metavariable ``?name``: no text of the language can spell it."""
    return Sym("?" + name)


@dataclass(frozen=True, slots=True)
class Rule:
    """A named law.

    Attributes:
        name: the name in certificates and derivations.
        says: the law as text, for readers.
        reference: where the literature has it.
        left, right: the two sides of a pattern rule; None for a schema.
        operator: whether it is a step of ∇, → or ⊥, which ``calculus`` takes.
        conditions: side conditions, (kind, term over the metavariables).
    """

    name: str
    says: str
    reference: str = ""
    left: Term | None = None
    right: Term | None = None
    conditions: tuple[tuple[str, Term], ...] = ()
    operator: bool = False


A, B, C = meta("A"), meta("B"), meta("C")
LO, HI = meta("lo"), meta("hi")
#: Stands for the parameter of a ∇ in a pattern.
PARAM = "?θ"
ONE, TWO = Num(1), Num(2)


def _d(term: Term) -> Term:
    return Grad(PARAM, term, meta("k"))


def _inv(term: Term) -> Term:
    return Pow(term, Num(-1))


# The derivative of each built-in function of one argument, over A, without the inner derivative:
# ∇f(A) = (…) * ∇A.  Kinks are outside the model (design §1).
FUNCTION_DERIVATIVES: dict[str, tuple[Term, tuple[tuple[str, Term], ...]]] = {
    "exp": (Fn("exp", A), ()),
    "log": (_inv(A), (("positive", A),)),
    "sqrt": (_inv(Mul(TWO, Fn("sqrt", A))), (("positive", A),)),
    "sin": (Fn("cos", A), ()),
    "cos": (Mul(Num(-1), Fn("sin", A)), ()),
    "tan": (ONE + Pow(Fn("tan", A), TWO), ()),
    "tanh": (ONE - Pow(Fn("tanh", A), TWO), ()),
    "sigmoid": (Mul(Fn("sigmoid", A), ONE - Fn("sigmoid", A)), ()),
    "softplus": (Fn("sigmoid", A), ()),
    "relu": (Fn("gt", A, Num(0)), (("nonzero", A),)),
    "abs": (Fn("sign", A), (("nonzero", A),)),
}


def _function_rules() -> list[Rule]:
    return [
        Rule(
            f"grad_{op}",
            f"∇ {op}(A) = {op}′(A) ∇A",
            left=_d(Fn(op, A)),
            right=Mul(outer, _d(A)),
            conditions=conditions,
            operator=True,
        )
        for op, (outer, conditions) in FUNCTION_DERIVATIVES.items()
    ]


_OPERATORS = [
    # ∇: calculus.gradient
    Rule("grad_parameter", "∇θ θ = 1; ∇θ[k] θ[i] = [i = k]"),
    Rule("grad_constant", "∇θ E = 0 if θ does not occur in E outside ⊥", "Eq. 4"),
    Rule("grad_stop", "∇ ⊥(E) = 0", "Eq. 4, 29, 142"),
    Rule("grad_sum", "∇(A + B + …) = ∇A + ∇B + …"),
    Rule("grad_product", "∇(A B …) = ∇A B … + A ∇B … + …"),
    Rule("grad_power", "∇ A^n = n A^(n-1) ∇A for a number n"),
    Rule("grad_power_general", "∇ A^B = A^B (∇B log A + B ∇A / A) where A > 0"),
    Rule("grad_chain", "∇ f(A, …) = D[1](f)(A, …) ∇A + …"),
    Rule("grad_max", "∇ max(A, B) = [A > B] ∇A + [B ≥ A] ∇B, min likewise, A ≠ B"),
    Rule("grad_cases", "∇ cases(c: A, else: B) = cases(c: ∇A, else: ∇B)"),
    Rule("grad_series", "∇ Σ[i](E) = Σ[i](∇E)"),
    Rule("grad_series_product", "∇ ∏[i](E) = Σ[j](∏[i](∇E if i = j, else E))"),
    Rule("grad_grad", "∇φ ∇θ E = ∇φ A where ∇θ E = A"),
    # →: calculus.evaluation
    Rule("eval_free", "→(E) = E if ⊥ does not occur in E", "Eq. 5, 30, 143"),
    Rule("eval_stop", "→(⊥(E)) = →(E)", "Eq. 3, 28"),
    Rule("eval_eval", "→(→(E)) = →(E)"),
    Rule("eval_function", "→(f(A, B, …)) = f(→A, →B, …)", "Eq. 2, 27, 140"),
    # ⊥: calculus.stopping
    Rule("stop_number", "⊥(c) = c for a number c"),
    Rule("stop_stop", "⊥(⊥(E)) = ⊥(E)"),
    Rule("stop_eval", "⊥(→(E)) = ⊥(E)", "Eq. 141 as it ought to read"),
    Rule("stop_function", "⊥(f(A, B, …)) = f(⊥A, ⊥B, …)"),
]

_STRUCTURAL = [
    Rule("inside", "an equation may be used inside a term (=→ not under ∇)", "design §1"),
    Rule("congruence", "equal operands give equal terms (=→ not under ∇)", "design §1"),
    Rule("transitivity", "A = B and B = C give A = C"),
    Rule("symmetry", "A = B gives B = A"),
    Rule("value", "A = B gives A =→ B"),
    Rule("arrow", "→A = →B gives A =→ B", "design §1"),
    Rule("ring", "arithmetic: both sides are the same polynomial in what is not arithmetic"),
    Rule("field", "arithmetic: the same after multiplying by denominators"),
    Rule("definition", "a defined name is what it is defined to be"),
]

_PATTERNS = [
    Rule(
        "log_derivative",
        "∇A = A ∇ log A where A ≠ 0",
        "Eq. 6, 41",
        left=_d(A),
        right=Mul(A, _d(Fn("log", A))),
        conditions=(("nonzero", A),),
    ),
    Rule(
        "product_log_derivative",
        "∇ ∏[i](A) = ∏[i](A) Σ[i](∇A / A) where A ≠ 0",
        left=_d(Prod(LO, HI, A)),
        right=Mul(Prod(LO, HI, A), Sum(LO, HI, Mul(_d(A), _inv(A)))),
        conditions=(("nonzero", A),),
    ),
    Rule(
        "exp_log",
        "exp(log A) = A where A > 0",
        left=Fn("exp", Fn("log", A)),
        right=A,
        conditions=(("positive", A),),
    ),
    Rule("log_exp", "log(exp A) = A", left=Fn("log", Fn("exp", A)), right=A),
    Rule(
        "exp_add",
        "exp(A + B) = exp(A) exp(B)",
        left=Fn("exp", A + B),
        right=Mul(Fn("exp", A), Fn("exp", B)),
    ),
    Rule(
        "log_mul",
        "log(A B) = log A + log B where A, B > 0",
        left=Fn("log", Mul(A, B)),
        right=Fn("log", A) + Fn("log", B),
        conditions=(("positive", A), ("positive", B)),
    ),
    Rule(
        "sqrt_power",
        "sqrt(A) = A^(1/2) where A > 0",
        left=Fn("sqrt", A),
        right=Pow(A, Num(Fraction(1, 2))),
        conditions=(("positive", A),),
    ),
    Rule(
        "sum_scale",
        "A Σ[i](B) = Σ[i](A B), A free of i",
        left=Mul(A, Sum(LO, HI, B)),
        right=Sum(LO, HI, Mul(A, B)),
    ),
    Rule(
        "sum_add",
        "Σ[i](A + B) = Σ[i](A) + Σ[i](B)",
        left=Sum(LO, HI, A + B),
        right=Sum(LO, HI, A) + Sum(LO, HI, B),
    ),
    Rule(
        "product_mul",
        "∏[i](A B) = ∏[i](A) ∏[i](B)",
        left=Prod(LO, HI, Mul(A, B)),
        right=Mul(Prod(LO, HI, A), Prod(LO, HI, B)),
    ),
]

#: Every rule by its name.
RULES: dict[str, Rule] = {
    r.name: r
    for r in (
        *(replace(r, operator=True) for r in _OPERATORS),
        *_function_rules(),
        *_STRUCTURAL,
        *_PATTERNS,
    )
}
