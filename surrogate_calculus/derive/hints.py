"""What may stand behind ``by``: names of groups of rules, and of rules of the kernel."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..kernel.rules import FUNCTION_DERIVATIVES, RULES
from ..language.names import closest

__all__ = ["ALWAYS", "AVERAGES", "CASES", "GROUPS", "Group", "named_rules", "nearest", "speaks_of"]


def _starting(*beginnings: str) -> frozenset[str]:
    return frozenset(name for name in RULES if name.startswith(beginnings))


#: What no line needs to name: where equations may be used, arithmetic, ∇θ θ = 1 and ∇c = 0; and what
#: using and induction name already.
ALWAYS = frozenset(
    {
        "congruence", "transitivity", "symmetry", "value", "arrow", "ring", "field", "instance",
        "grad_parameter", "grad_constant", "suppose", "suppose_value", "substitute", "induction_over",
    }
)  # fmt: skip
_SUMS = frozenset({"sum_scale", "sum_add", "sum_delta"}) | _starting("sum_")
_PRODUCTS = _starting("product_") - {"product_log_derivative"}
#: Which branch of cases it is, which an unfolded recursion asks for.
CASES = _starting("cases_", "gt_", "ge_", "eq_")
#: 𝔼 of sums and multiples, the tower rule, what is known at a time.
AVERAGES = _starting("expect_", "cond_", "sum_scale", "sum_add") - {
    "expect_score", "expect_draw", "expect_offspring", "expect_weight",
}  # fmt: skip
_LOGARITHMS = _starting("log_", "exp_", "sqrt_") - {"log_derivative"}
_FUNCTIONS = frozenset(f"grad_{op}" for op in (*FUNCTION_DERIVATIVES, "chain", "max", "cases"))


@dataclass(frozen=True, slots=True)
class Group:
    """A name for several rules.

    Attributes:
        name: as it stands behind ``by``, with ``_`` or blanks.
        says: what it is for, in one line.
        rules: the names of the kernel's rules.
    """

    name: str
    says: str
    rules: frozenset[str]


#: The groups, by their names.
GROUPS: dict[str, Group] = {
    name: Group(name, says, frozenset(rules))
    for name, says, rules in (
        ("arithmetic", "the laws of fields; goes without saying", {"ring", "field"}),
        ("sum", "∇(A + B) = ∇A + ∇B, also for Σ", {"grad_sum", "grad_series"}),
        ("product", "∇(A B) = ∇A B + A ∇B, also for ∏", {"grad_product", "grad_series_product"}),
        ("power", "∇ A^n = n A^(n-1) ∇A, and ∇ A^B", {"grad_power", "grad_power_general"}),
        ("quotient", "∇(A / B) = (∇A B - A ∇B) / B²", {"grad_product", "grad_power"}),
        ("chain", "∇ f(A) = f′(A) ∇A, for built-in functions and others", _FUNCTIONS),
        ("stop", "∇ ⊥E = 0 (Eq. 4), and ⊥ moved inside", {"grad_stop"} | _starting("stop_")),
        ("differentiate", "every rule of ∇", _starting("grad_")),
        ("evaluate", "→ moved inside; →⊥E = →E; →E = E without ⊥ (Eq. 2, 3, 5)", _starting("eval_")),
        ("log_derivative", "∇A = A ∇ log A (Eq. 6)", {"log_derivative", "product_log_derivative"}),
        ("logarithm", "logs and exponentials of products, powers and sums", _LOGARITHMS),
        ("linearity", "Σ of sums and of multiples", {"sum_scale", "sum_add"}),
        ("sums", "every law of Σ", _SUMS),
        ("products", "every law of ∏", _PRODUCTS),
        ("cases", "cases and comparisons of indices", CASES),
        ("definition", "names unfolded; definition of v unfolds v", {"definition"} | CASES),
        (
            "recursion",
            "families by recursion: induction over the index, with the laws of Σ and ∏",
            {"definition", "induction"} | _SUMS | _PRODUCTS | CASES | _LOGARITHMS,
        ),
        ("order", "∇⁰A = A and ∇ⁿA = ∇ ∇ⁿ⁻¹A", _starting("grads_")),
        ("importance_weighting", "𝔼[x ~ p](A) = 𝔼[x ~ q](p/q A)", {"expect_weight"} | AVERAGES),
        ("score", "∇ 𝔼[x ~ p](A) = 𝔼[x ~ p](∇A + A ∇ log p) (Eq. 145)", {"expect_score"}),
        ("expectation", "laws of 𝔼, and of 𝔼 given what is known at a time", AVERAGES),
        ("calculus", "any rule: what else a line needs is left to the search", set(RULES)),
    )
}


def named_rules(name: str) -> frozenset[str] | None:
    """The rules that a name stands for; None for a name that stands for none."""
    group = GROUPS.get(name)
    rules = frozenset() if group is None else group.rules
    return rules | {name} if name in RULES else rules or None


def nearest(name: str) -> str | None:
    """The name most like a name that stands for nothing."""
    return closest(name, [*GROUPS, *RULES])


def speaks_of(rules: Iterable[str], among: Collection[str]) -> list[str]:
    """Rules for a reader, those of a group under its name: the smallest that has one of them."""
    out: dict[str, None] = {}
    for rule in sorted(rules):
        groups = sorted((g for g in GROUPS.values() if rule in g.rules), key=lambda g: len(g.rules))
        names = [g.name for g in groups if g.name not in among and g.name != rule]
        out[f"{rule} ({names[0]})" if names else rule] = None
    return list(out)
