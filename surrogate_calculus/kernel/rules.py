"""The rules of the calculus as data: name, what it says, side conditions, source.

Two kinds of rule:

* a *pattern* rule is its two sides, terms with metavariables (:func:`meta`), and the kernel applies it
  by matching; nothing else about it is coded.  ``?A`` matched under the binder of i is A(i), and
  :func:`at` is A elsewhere, A(n); what only the right side determines is read off the right side;
* a *schema* rule speaks of n-ary constructors and binders, where a pattern would need dots; the text
  says the law, ``calculus.py`` (∇, →, ⊥) or ``inference.py`` computes it.

The text of a rule is what a reader is shown.  References are to Ścibior & Wood, *Differentiable
Particle Filtering without Modifying the Forward Pass*, unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..language.terms import (
    App,
    Bound,
    CondExpect,
    Expect,
    Fn,
    Grad,
    Grads,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    add,
)

__all__ = [
    "FUNCTION_DERIVATIVES", "GUARDED", "LAW", "NONNEGATIVE", "NONZERO", "POSITIVE", "RULES", "SIGNS",
    "UNKNOWN", "A", "Rule", "meta",
]  # fmt: skip

#: How the metavariable of a law begins: moved under other binders, it keeps its own innermost index.
LAW = "?·"


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
        left, right: the two sides of a pattern rule, None for a schema; of the laws of draws the shape of
            the sides, which ``filtration`` sees to.
        operator: whether it is a step of ∇, → or ⊥, which ``calculus`` takes.
        conditions: side conditions, (kind, term over the metavariables): kinds of
            :class:`~.judgement.Hypothesis` are required of the whole derivation, kinds of
            :class:`~.judgement.Condition` become conditions of the equation.
    """

    name: str
    says: str
    reference: str = ""
    left: Term | None = None
    right: Term | None = None
    conditions: tuple[tuple[str, Term], ...] = ()
    operator: bool = False


def at(name: str, *indices: Term) -> App:
    """``?A(i)``: the metavariable of a binder's body, with this index instead; outermost binder first."""
    return App("?" + name, indices)


A, B, C, D = meta("A"), meta("B"), meta("C"), meta("D")
LO, HI, LO2, HI2 = meta("lo"), meta("hi"), meta("lo2"), meta("hi2")
K, J = Bound(0), Bound(1)
P, Q = Sym(LAW + "P"), Sym(LAW + "Q")
S, T = meta("s"), meta("t")
#: Stands for the parameter of a ∇ in a pattern.
PARAM = "?θ"
ZERO, ONE, TWO = Num(0), Num(1), Num(2)


def _d(term: Term) -> Term:
    return Grad(PARAM, term, meta("k"))


def _inv(term: Term) -> Term:
    return Pow(term, Num(-1))


# The derivatives of each built-in function over A and B, their common factor in front, and where they hold:
# ∇f(A, B) = factor * (f₁ ∇A + f₂ ∇B).  Kinks are outside the model.
FUNCTION_DERIVATIVES: dict[str, tuple[Term, tuple[Term, ...], tuple[tuple[str, Term], ...]]] = {
    "exp": (ONE, (Fn("exp", A),), ()),
    "log": (ONE, (_inv(A),), (("positive", A),)),
    "sqrt": (ONE, (_inv(Mul(TWO, Fn("sqrt", A))),), (("positive", A),)),
    "sin": (ONE, (Fn("cos", A),), ()),
    "cos": (ONE, (Mul(Num(-1), Fn("sin", A)),), ()),
    "tan": (ONE, (ONE + Pow(Fn("tan", A), TWO),), ()),
    "tanh": (ONE, (ONE - Pow(Fn("tanh", A), TWO),), ()),
    "sigmoid": (ONE, (Mul(Fn("sigmoid", A), ONE - Fn("sigmoid", A)),), ()),
    "softplus": (ONE, (Fn("sigmoid", A),), ()),
    "relu": (ONE, (Fn("gt", A, ZERO),), (("nonzero", A),)),
    "abs": (ONE, (Fn("sign", A),), (("nonzero", A),)),
    "max": (ONE, (Fn("gt", A, B), Fn("ge", B, A)), (("nonzero", A - B),)),
    "min": (ONE, (Fn("gt", B, A), Fn("ge", A, B)), (("nonzero", A - B),)),
    "power_general": (Pow(A, B), (Mul(B, _inv(A)), Fn("log", A)), (("positive", A),)),
}


def _function_rules() -> list[Rule]:
    out = []
    for op, (factor, partials, conditions) in FUNCTION_DERIVATIVES.items():
        operands = (A, B)[: len(partials)]
        left: Term = Pow(A, B) if op == "power_general" else Fn(op, *operands)
        terms = [Mul(partial, _d(operand)) for partial, operand in zip(partials, operands, strict=True)]
        says = _SAYS.get(op, f"∇ {op}(A) = {op}′(A) ∇A")
        right = add(*terms) if factor is ONE else Mul(factor, add(*terms))
        out.append(Rule(f"grad_{op}", says, "", _d(left), right, conditions, operator=True))
    return out


_SAYS = {
    "max": "∇ max(A, B) = [A > B] ∇A + [B ≥ A] ∇B, A ≠ B",
    "min": "∇ min(A, B) = [B > A] ∇A + [A ≥ B] ∇B, A ≠ B",
    "power_general": "∇ A^B = A^B (∇B log A + B ∇A / A) where A > 0",
}

_OPERATORS = [
    # ∇: calculus.gradient
    Rule("grad_parameter", "∇θ θ = 1; ∇θ[k] θ[i] = [i = k]"),
    Rule("grad_constant", "∇θ E = 0 if θ does not occur in E outside ⊥", "Eq. 4"),
    Rule("grad_stop", "∇ ⊥(E) = 0", "Eq. 4, 29, 142"),
    Rule("grad_sum", "∇(A + B + …) = ∇A + ∇B + …"),
    Rule("grad_product", "∇(A B …) = ∇A B … + A ∇B … + …"),
    Rule("grad_power", "∇ A^n = n A^(n-1) ∇A for a number n"),
    Rule("grad_chain", "∇ f(A, …) = D[1](f)(A, …) ∇A + …"),
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
    Rule("stop_number", "⊥(c) = c for a number, a count, an index"),
    Rule("stop_stop", "⊥(⊥(E)) = ⊥(E)"),
    Rule("stop_eval", "⊥(→(E)) = ⊥(E)", "Eq. 141 as it ought to read"),
    Rule("stop_function", "⊥(f(A, B, …)) = f(⊥A, ⊥B, …)"),
]

_STRUCTURAL = [
    Rule("congruence", "equal operands give equal terms (=→ not under ∇)", "the two-copy model"),
    Rule("transitivity", "A = B and B = C give A = C"),
    Rule("symmetry", "A = B gives B = A"),
    Rule("value", "A = B gives A =→ B"),
    Rule("arrow", "→A = →B gives A =→ B", "the two-copy model"),
    Rule("ring", "arithmetic: both sides are the same polynomial in what is not arithmetic"),
    Rule("field", "arithmetic: the same after multiplying by denominators"),
    Rule("definition", "a defined name is what it is defined to be"),
    Rule("instance", "what holds for every index holds for one"),
    Rule(
        "induction",
        "F[t] = cases(t > 0: X, else: Y) and G[t] = the same with G for F at smaller t give F[t] = G[t]",
        "well-founded induction on the index",
    ),
    Rule("suppose", "A = B is supposed: an axiom, or the hypothesis of an induction"),
    Rule("suppose_value", "A =→ B is supposed"),
    Rule("substitute", "what holds for every function f or variable x holds for this one"),
    Rule("induction_over", "P(0), and P(n) where P(n-1), give P(n) for a count n", "induction"),
    Rule(
        "expect_draw",
        "𝔼[· | s](E(x[t,i])) = 𝔼[· | s](𝔼[z ~ law of x[t,i]](E(z))) where s < t and the rest is known",
        "the sampling statement of x",
        left=CondExpect(S, A),
        right=CondExpect(S, Expect(P, B)),
    ),
    Rule(
        "expect_offspring",
        "𝔼[· | s](Σ[i=1..N](E(a[t,i]))) = 𝔼[· | s](N Σ[j=1..N](w[j] E(j))), E known before t",
        "a resampling law that is unbiased for the weights w",
        left=CondExpect(S, Sum(LO, HI, A)),
        right=CondExpect(S, Mul(C, Sum(LO, HI, Mul(D, B)))),
    ),
    Rule("cases_split", "A = cases(c: A with 1 for c, else: A with 0 for c) for a comparison c"),
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
        "exp_minus",
        "exp(-A) = exp(A)^-1",
        left=Fn("exp", Mul(Num(-1), A)),
        right=_inv(Fn("exp", A)),
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


def _ranged(name: str, cls: type[Sum] | type[Prod], symbol: str) -> list[Rule]:
    """The laws of a range, for Σ with ``+`` and for ∏ with ``*``."""
    whole = cls(LO, HI, A)
    summed = cls is Sum
    plus = "+" if summed else "*"

    def joined(a: Term, b: Term) -> Term:
        return a + b if summed else Mul(a, b)

    return [
        Rule(
            f"{name}_last",
            f"{symbol}[i=m..n](A(i)) = {symbol}[i=m..n-1](A(i)) {plus} A(n) where n ≥ m",
            left=whole,
            right=joined(cls(LO, HI - ONE, A), at("A", HI)),
            conditions=(("int", HI - LO),),
        ),
        Rule(
            f"{name}_first",
            f"{symbol}[i=m..n](A(i)) = A(m) {plus} {symbol}[i=m+1..n](A(i)) where n ≥ m",
            left=whole,
            right=joined(at("A", LO), cls(LO + ONE, HI, A)),
            conditions=(("int", HI - LO),),
        ),
        Rule(
            f"{name}_empty",
            f"{symbol}[i=m..n](A(i)) = {0 if summed else 1} where n < m",
            left=whole,
            right=ZERO if summed else ONE,
            conditions=(("int", LO - HI - ONE),),
        ),
        Rule(
            f"{name}_shift",
            f"{symbol}[i=m..n](A(i)) = {symbol}[i=m+c..n+c](A(i-c)), c a whole number",
            left=whole,
            right=cls(LO + C, HI + C, at("A", K - C)),
            conditions=(("whole", C),),
        ),
        Rule(
            f"{name}_constant",
            f"{symbol}[i=m..n](A) = {'(n-m+1) A' if summed else 'A^(n-m+1)'}, A free of i, where n ≥ m-1",
            left=whole,
            right=(HI - LO + ONE) * at("A") if summed else Pow(at("A"), HI - LO + ONE),
            conditions=(("int", HI - LO + ONE),),
        ),
        Rule(
            f"{name}_swap",
            f"{symbol}[i]({symbol}[j](A)) = {symbol}[j]({symbol}[i](A)), the range of j free of i",
            left=cls(LO, HI, cls(LO2, HI2, A)),
            right=cls(LO2, HI2, cls(LO, HI, at("A", K, J))),
        ),
    ]


def _bracket(name: str, condition: Fn, value: Term, kind: str, term: Term, says: str) -> Rule:
    return Rule(name, says, left=condition, right=value, conditions=((kind, term),))


_INDEXED = [
    *_ranged("sum", Sum, "Σ"),
    *_ranged("product", Prod, "∏"),
    Rule(
        "sum_delta",
        "Σ[i=m..n]([i = j] A(i)) = A(j) where m ≤ j ≤ n, j a whole number free of i",
        left=Sum(LO, HI, Mul(Fn("eq", K, B), A)),
        right=at("A", at("B")),
        conditions=(("ge", at("B") - LO), ("ge", HI - at("B")), ("whole", at("B"))),
    ),
    Rule(
        "log_product",
        "log ∏[i](A) = Σ[i](log A) where A > 0",
        left=Fn("log", Prod(LO, HI, A)),
        right=Sum(LO, HI, Fn("log", A)),
        conditions=(("positive", A),),
    ),
    Rule(
        "exp_sum",
        "exp(Σ[i](A)) = ∏[i](exp A)",
        left=Fn("exp", Sum(LO, HI, A)),
        right=Prod(LO, HI, Fn("exp", A)),
    ),
    Rule(
        "product_power",
        "∏[i](A^B) = (∏[i](A))^B, B free of i, A > 0",
        left=Prod(LO, HI, Pow(A, B)),
        right=Pow(Prod(LO, HI, A), at("B")),
        conditions=(("positive", A),),
    ),
    Rule(
        "product_reciprocal",
        "∏[i](A^-1) = (∏[i](A))^-1 where A ≠ 0",
        left=Prod(LO, HI, Pow(A, Num(-1))),
        right=Pow(Prod(LO, HI, A), Num(-1)),
        conditions=(("nonzero", A),),
    ),
    Rule(
        "log_power",
        "log(A^B) = B log A where A > 0",
        left=Fn("log", Pow(A, B)),
        right=Mul(B, Fn("log", A)),
        conditions=(("positive", A),),
    ),
    _bracket("gt_true", Fn("gt", A, B), ONE, "gt", A - B, "[a > b] = 1 where a > b"),
    _bracket("gt_false", Fn("gt", A, B), ZERO, "ge", B - A, "[a > b] = 0 where b ≥ a"),
    _bracket("ge_true", Fn("ge", A, B), ONE, "ge", A - B, "[a ≥ b] = 1 where a ≥ b"),
    _bracket("ge_false", Fn("ge", A, B), ZERO, "gt", B - A, "[a ≥ b] = 0 where b > a"),
    _bracket("eq_below", Fn("eq", A, B), ZERO, "gt", B - A, "[a = b] = 0 where a < b"),
    _bracket("eq_above", Fn("eq", A, B), ZERO, "gt", A - B, "[a = b] = 0 where a > b"),
    *(
        Rule(
            f"stop_{op}",
            f"⊥[a {sign} b] = [a {sign} b]: a comparison is constant wherever there is a derivative",
            "the two-copy model, away from kinks",
            left=Stop(Fn(op, A, B)),
            right=Fn(op, A, B),
        )
        for op, sign in (("gt", ">"), ("ge", "≥"), ("eq", "="))
    ),
    Rule("eq_symmetric", "[a = b] = [b = a]", left=Fn("eq", A, B), right=Fn("eq", B, A)),
    Rule("cases_one", "cases(1: A, else: B) = A", left=Fn("cases", ONE, A, B), right=A),
    Rule("cases_zero", "cases(0: A, else: B) = B", left=Fn("cases", ZERO, A, B), right=B),
    Rule("cases_same", "cases(c: A, else: A) = A", left=Fn("cases", C, A, A), right=A),
    Rule(
        "cases_comparison",
        "cases(c: A, else: B) = cases([c = 0]: B, else: A)",
        left=Fn("cases", C, A, B),
        right=Fn("cases", Fn("eq", C, ZERO), B, A),
    ),
]

_EXPECTATIONS = [
    Rule(
        "expect_add",
        "𝔼[x ~ p](A + B) = 𝔼[x ~ p](A) + 𝔼[x ~ p](B)",
        left=Expect(P, A + B),
        right=Expect(P, A) + Expect(P, B),
    ),
    Rule(
        "expect_scale",
        "A 𝔼[x ~ p](B) = 𝔼[x ~ p](A B), A free of x",
        left=Mul(A, Expect(P, B)),
        right=Expect(P, Mul(A, B)),
    ),
    Rule(
        "expect_one",
        "𝔼[x ~ p](1) = 1, since p integrates to one",
        left=Expect(P, ONE),
        right=ONE,
        conditions=(("density", P),),
    ),
    Rule(
        "expect_sum",
        "𝔼[x ~ p](Σ[i](A)) = Σ[i](𝔼[x ~ p](A)), the range free of x",
        left=Expect(P, Sum(LO, HI, A)),
        right=Sum(LO, HI, Expect(P, at("A", K, J))),
    ),
    Rule(
        "expect_swap",
        "𝔼[x ~ p](𝔼[y ~ q](A)) = 𝔼[y ~ q](𝔼[x ~ p](A)), q free of x (independence)",
        left=Expect(P, Expect(Q, A)),
        right=Expect(Q, Expect(P, at("A", K, J))),
    ),
    Rule(
        "expect_score",
        "∇θ 𝔼[x ~ p](A) = 𝔼[x ~ p](∇θ A + A ∇θ log p(x)) where ∇ and ∫ may be exchanged",
        "Eq. 145",
        left=_d(Expect(P, A)),
        right=Expect(P, _d(A) + Mul(A, _d(Fn("log", P)))),
        conditions=(("positive", P), ("interchange", Expect(P, A))),
    ),
    Rule(
        "expect_weight",
        "𝔼[x ~ p](A) = 𝔼[x ~ q](p(x)/q(x) A) for densities p, q > 0 of one space",
        "importance weighting; Eq. 49, 132",
        left=Expect(P, A),
        right=Expect(Q, Mul(P, _inv(Q), A)),
        conditions=(("positive", Q), ("support", Mul(P, Q))),
    ),
    Rule(
        "cond_add",
        "𝔼[· | t](A + B) = 𝔼[· | t](A) + 𝔼[· | t](B)",
        left=CondExpect(T, A + B),
        right=CondExpect(T, A) + CondExpect(T, B),
    ),
    Rule(
        "cond_sum",
        "𝔼[· | t](Σ[i](A)) = Σ[i](𝔼[· | t](A)), the range known at t",
        left=CondExpect(T, Sum(LO, HI, A)),
        right=Sum(LO, HI, CondExpect(T, A)),
        conditions=(("known", CondExpect(T, LO)), ("known", CondExpect(T, HI))),
    ),
    Rule(
        "cond_known",
        "𝔼[· | t](A B) = A 𝔼[· | t](B), A known at t",
        left=CondExpect(T, Mul(A, B)),
        right=Mul(A, CondExpect(T, B)),
        conditions=(("known", CondExpect(T, A)),),
    ),
    Rule("cond_one", "𝔼[· | t](1) = 1", left=CondExpect(T, ONE), right=ONE),
    Rule(
        "cond_tower",
        "𝔼[· | s](𝔼[· | t](A)) = 𝔼[· | s](A) where s ≤ t",
        "the tower rule",
        left=CondExpect(S, CondExpect(T, A)),
        right=CondExpect(S, A),
        conditions=(("ge", T - S),),
    ),
]

_ORDERS = [
    Rule("grads_zero", "∇^0 A = A", left=Grads(PARAM, ZERO, A), right=A),
    Rule(
        "grads_next",
        "∇^n A = ∇ ∇^(n-1) A for a whole number n ≥ 1",
        left=Grads(PARAM, B, A),
        right=Grad(PARAM, Grads(PARAM, B - ONE, A)),
        conditions=(("int", B - ONE),),
    ),
]

# Signs as bits, each number implying those it contains: positive is nonnegative and nonzero.
UNKNOWN, NONNEGATIVE, NONZERO, POSITIVE = range(4)
#: The signs that follow from those of operands, by constructor or function: the operands that count, what is
#: so whatever they are, and the law: ``every`` sign that all of them have, ``any`` sign that a nonnegative
#: one of them has, ``sum`` (the same where all are nonnegative), ``nonzero`` where all are.
SIGNS: dict[str, tuple[slice, int, str]] = {
    "add": (slice(None), UNKNOWN, "sum"),
    "mul": (slice(None), UNKNOWN, "every"),
    "pow": (slice(1), UNKNOWN, "every"),  # of a positive base; else by the exponent
    "stop": (slice(None), UNKNOWN, "every"),
    "eval": (slice(None), UNKNOWN, "every"),
    "sum": (slice(2, 3), UNKNOWN, "sum"),  # of a range that is not empty
    "prod": (slice(2, 3), UNKNOWN, "every"),
    "exp": (slice(0), POSITIVE, ""),
    "sigmoid": (slice(0), POSITIVE, ""),
    "softplus": (slice(0), POSITIVE, ""),
    "pi": (slice(0), POSITIVE, ""),
    "sqrt": (slice(None), NONNEGATIVE, "any"),
    "abs": (slice(None), NONNEGATIVE, "nonzero"),
    "relu": (slice(0), NONNEGATIVE, ""),
    "gt": (slice(0), NONNEGATIVE, ""),
    "ge": (slice(0), NONNEGATIVE, ""),
    "eq": (slice(0), NONNEGATIVE, ""),
    "cases": (slice(1, 3), UNKNOWN, "every"),
    "max": (slice(None), UNKNOWN, "any"),
    "min": (slice(None), UNKNOWN, "every"),
}

#: What a recursion with a base case looks like, ``cases(m > 0: …, else: …)``.
GUARDED = Fn("cases", Fn("gt", A, ZERO), B, C)

#: Every rule by its name.
RULES: dict[str, Rule] = {
    r.name: r
    for r in (
        *(replace(r, operator=True) for r in _OPERATORS),
        *_function_rules(),
        *_STRUCTURAL,
        *_PATTERNS,
        *_INDEXED,
        *_EXPECTATIONS,
        *_ORDERS,
    )
}
