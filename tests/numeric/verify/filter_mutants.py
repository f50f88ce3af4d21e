"""Filters that are wrong in one line each, and whether the verifier says so.

A mutant is a copy of the package with one replacement in its filters, imported in place of the package.  What
is claimed of it is checked as of the package itself; one check must fail, and name what is wrong.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "surrogate_calculus"
ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(PACKAGE) / "numeric" / "filters"

#: The kinds of checks, cheap ones first; one whose module is not there is passed over.
KINDS = ("pathwise", "exact", "statistical")


@dataclass(frozen=True)
class Mutant:
    """A one-line change.

    Attributes:
        name: what is wrong.
        file: where, among the filters.
        old, new: the replacement; ``old`` occurs once.
        filter, scene: on which it must be seen.
        kinds: of checks that can see it.
        size: of the plan.
    """

    name: str
    file: str
    old: str
    new: str
    filter: str
    scene: str = "lgssm"
    kinds: tuple[str, ...] = ("pathwise",)
    size: str = "quick"


@dataclass(frozen=True)
class Caught:
    """The check that failed, as text: what it claims, where the deviation is, and how large."""

    claim: str
    quantity: str
    deviation: float
    note: str


MUTANTS: tuple[Mutant, ...] = (
    # The graph, Algorithm 1.
    Mutant(
        "the correction after resampling is left out",
        "replay.py",
        "carried = -log_n + (chosen - chosen.detach())",
        "carried = torch.full_like(chosen, -log_n)",
        "dpf",
    ),
    Mutant(
        "a detach is missing in the correction",
        "replay.py",
        "carried = -log_n + (chosen - chosen.detach())",
        "carried = -log_n + chosen",
        "dpf",
    ),
    Mutant(
        "the correction is upside down",
        "replay.py",
        "carried = -log_n + (chosen - chosen.detach())",
        "carried = -log_n + (chosen.detach() - chosen)",
        "dpf",
        "hmm",
    ),
    Mutant(
        "the correction is of the particle itself, not of its ancestor",
        "replay.py",
        "            chosen = weights.gather(-1, ancestors)\n",
        "            chosen = weights\n",
        "dpf",
    ),
    Mutant(
        "the ancestors are rolled",
        "replay.py",
        "chosen = weights.gather(-1, ancestors)",
        "chosen = weights.gather(-1, ancestors.roll(1, -1))",
        "dpf",
        "volatility",
    ),
    Mutant(
        "the ancestors are those of the step before",
        "replay.py",
        "zip(steps, record.ancestors[1:], record.resampled[1:], strict=True)",
        "zip(steps, record.ancestors[:-1], record.resampled[:-1], strict=True)",
        "dpf",
    ),
    Mutant(
        "the weights are not renormalised",
        "replay.py",
        "weights = unnormalised - log_sum.unsqueeze(-1)\n    return total, weights, dice",
        "weights = unnormalised\n    return total, weights, dice",
        "dpf",
    ),
    Mutant(
        "the sum of the weights is stopped",
        "replay.py",
        "weights = unnormalised - log_sum.unsqueeze(-1)\n    return total, weights, dice",
        "weights = unnormalised - log_sum.unsqueeze(-1).detach()\n    return total, weights, dice",
        "sis",
    ),
    Mutant(
        "a step without resampling forgets its weights' gradient",
        "replay.py",
        "                carried = torch.where(mask, carried, weights)\n",
        "                carried = torch.where(mask, carried, weights.detach())\n",
        "dpf_adaptive",
    ),
    Mutant(
        "DiCE is on all particles instead of the ancestors",
        "replay.py",
        "dice = dice + (chosen - chosen.detach()).sum(-1)",
        "dice = dice + (weights - weights.detach()).sum(-1)",
        "pf_dice",
    ),
    Mutant(
        "DiCE is a mean over the particles",
        "replay.py",
        "dice = dice + (chosen - chosen.detach()).sum(-1)",
        "dice = dice + (chosen - chosen.detach()).mean(-1)",
        "pf_dice",
    ),
    # The graph, Algorithm 2.
    Mutant(
        "the marginal filter sums over the wrong axis",
        "replay.py",
        "above = torch.logsumexp(weights.unsqueeze(1) + p, -1)",
        "above = torch.logsumexp(weights.unsqueeze(-1) + p, 1)",
        "dpf2",
    ),
    Mutant(
        "the marginal filter's proposal is not stopped",
        "replay.py",
        "            q = q.detach()\n",
        "            q = q.clone()\n",
        "dpf2",
    ),
    Mutant(
        "the marginal filter's denominator has live weights",
        "replay.py",
        "torch.logsumexp(weights.detach().unsqueeze(1) + q, -1)",
        "torch.logsumexp(weights.unsqueeze(1) + q, -1)",
        "dpf2",
        "hmm",
    ),
    Mutant(
        "a reparameterised particle does not move its children",
        "replay.py",
        "x = bound.move(laws, t, taken(x, record.ancestors[t]), _noise(record, t))",
        "x = bound.move(laws, t, taken(x, record.ancestors[t]).detach(), _noise(record, t))",
        "dpf_reparam",
    ),
    # The laws.
    Mutant(
        "the transition is left out of the weights' gradient",
        "bound.py",
        "            return g + (f - f.detach())",
        "            return g",
        "dpf",
    ),
    Mutant(
        "the guided proposal is not stopped",
        "bound.py",
        'return g + (f - (q.detach() if self.gradient == "stopped" else q))',
        "return g + (f - q)",
        "dpf",
        "nile",
        size="full",
    ),
    Mutant(
        "the live proposal is stopped",
        "bound.py",
        'return g + (f - (q.detach() if self.gradient == "stopped" else q))',
        "return g + (f - q.detach())",
        "dpf_proposal",
    ),
    Mutant(
        "the initial law is not corrected for",
        "bound.py",
        "return None if found is None else found - found.detach()",
        "return None",
        "dpf_initial",
        "hmm-hidden",
    ),
    Mutant(
        "a detach is missing in the correction of the initial law",
        "bound.py",
        "return None if found is None else found - found.detach()",
        "return found",
        "dpf_initial",
        "volatility",
    ),
    # The sweep.
    Mutant(
        "the sweep gathers where it should scatter",
        "pullback.py",
        "        out.scatter_add_(-1, ancestors, g)\n",
        "        out.copy_(g.gather(-1, ancestors))\n",
        "dpf",
    ),
    Mutant(
        "the sweep takes the ancestors of the step before",
        "pullback.py",
        "ancestors, where = record.ancestors[t + 1], record.resampled[t + 1]",
        "ancestors, where = record.ancestors[t], record.resampled[t]",
        "dpf",
    ),
    Mutant(
        "the sweep has w̄ at t for w̄ at t - 1",
        "pullback.py",
        "        weights = torch.exp(record.normalised(t))\n",
        "        weights = torch.exp(record.normalised(t + 1))\n",
        "pf",
    ),
    Mutant(
        "the sweep's DiCE counts children only",
        "pullback.py",
        "fresh = fresh + (children - weights * g.shape[-1]) * dice.unsqueeze(-1)",
        "fresh = fresh + children * dice.unsqueeze(-1)",
        "pf_dice",
    ),
    Mutant(
        "the sweep does not centre the gradient of the last weights",
        "pullback.py",
        "g = final + weights * (total - final.sum(-1)).unsqueeze(-1)",
        "g = final + weights * total.unsqueeze(-1)",
        "pf",
    ),
    Mutant(
        "the sweep leaves out the first particles",
        "pullback.py",
        "            add((first * start).sum())\n",
        "            add((first * start.detach()).sum())\n",
        "dpf_initial",
        "hmm-hidden",
    ),
    # The forward pass, and its record.
    Mutant(
        "1/N is missing in log Ẑ",
        "simulate.py",
        "return sums.sum(0).squeeze(-1) - sum(self.uniform[1:]) * math.log(n)",
        "return sums.sum(0).squeeze(-1)",
        "dpf",
    ),
    Mutant(
        "a step without resampling starts from uniform weights",
        "simulate.py",
        "-self.log_n if carried is None else carried, self.normalised())",
        "-self.log_n if carried is None else carried, -self.log_n + 0 * self.top)",
        "dpf_adaptive",
    ),
    Mutant(
        "the effective sample size is not that of the weights",
        "simulate.py",
        "mask = total * total < threshold * (weights * weights).sum(-1, keepdim=True, dtype=torch.float64)",
        "mask = total < threshold * (weights * weights).sum(-1, keepdim=True, dtype=torch.float64)",
        "dpf_adaptive",
    ),
    Mutant(
        "the marginal filter's denominator is not weighted",
        "simulate.py",
        "torch.logsumexp(base + p, -1) - torch.logsumexp(base + q, -1)",
        "torch.logsumexp(base + p, -1) - torch.logsumexp(q - self.log_n, -1)",
        "dpf2",
    ),
    Mutant(
        "log Ẑ is added up again by the graph",
        "filter.py",
        "total = value + (outputs.log_likelihood - outputs.log_likelihood.detach())",
        "total = outputs.log_likelihood + 0 * value",
        "dpf_reparam",
        "nile",
    ),
    Mutant(
        "the trace has its ancestors a step late",
        "trace.py",
        "[own if a is None else a for a in self.record.ancestors[1:]]",
        "[own if a is None else a for a in self.record.ancestors[:-1]]",
        "dpf",
    ),
    Mutant(
        "the paths follow the ancestors the wrong way",
        "trace.py",
        "ancestors if line is None else ancestors.gather(1, line)",
        "ancestors if line is None else line.gather(1, ancestors)",
        "dpf",
    ),
    # The online score.
    Mutant(
        "the online score forgets its lineage where replicates differ",
        "online.py",
        "        carried = taken(carried, ancestors) + step\n",
        "        carried = carried + step\n",
        "dpf",
    ),
    Mutant(
        "the online score adds nothing after the first step",
        "online.py",
        "        rows = rows.index_select(0, own) + steps[end : end + count]\n",
        "        rows = rows.index_select(0, own)\n",
        "dpf",
    ),
    Mutant(
        "the marginal online score is averaged over the wrong axis",
        "online.py",
        "back = torch.softmax((base + p).detach(), -1)",
        "back = torch.softmax((base + p).detach(), 1)",
        "dpf2",
    ),
    Mutant(
        "the online score leaves out the first particles",
        "online.py",
        "tangent = None if start is None else _tangent(start)",
        "tangent = None",
        "dpf_initial",
        "hmm-hidden",
    ),
    # The law of the ancestors: whatever they are, the pathwise identity holds.
    Mutant(
        "the comb of systematic resampling has no offset",
        "resampling.py",
        "return ((u + self.positions)",
        "return ((0 * u + self.positions)",
        "dpf",
        "hmm",
        ("exact", "statistical"),
    ),
    Mutant(
        "residual resampling draws its rest by the whole weights",
        "resampling.py",
        "drawn = torch.searchsorted(rest, randomness * rest[:, -1:], right=True)",
        "drawn = torch.searchsorted(sums, randomness * sums[:, -1:], right=True)",
        "dpf",
        "hmm",
        ("exact", "statistical"),
        "full",
    ),
)


def mutated(mutant: Mutant, target: Path) -> Path:
    """A copy of the package with the mutant's line in it; the folder to import from.

    Raises:
        ValueError: the line is not there once.
    """
    shutil.copytree(ROOT / PACKAGE, target / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    path = target / FOLDER / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.file} has {text.count(mutant.old)} places for: {mutant.name}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return target


@contextmanager
def imported_from(folder: Path) -> Iterator[None]:
    """Import the package from another folder, and afterwards have the old one back."""

    def own() -> list[str]:
        return [n for n in sys.modules if n == PACKAGE or n.startswith(f"{PACKAGE}.")]

    before = {name: sys.modules.pop(name) for name in own()}
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in own():
            del sys.modules[name]
        sys.modules.update(before)
        sys.dont_write_bytecode = written


def failing(mutant: Mutant, folder: Path) -> tuple[Caught | None, int]:
    """The first check that a package fails, and how many were carried out; 0 where no kind can see it."""
    done = 0
    with imported_from(folder):
        for kind in KINDS:
            if kind not in mutant.kinds:
                continue
            try:
                module: Any = importlib.import_module(f"{PACKAGE}.numeric.verify.{kind}")
            except ModuleNotFoundError:
                continue
            assert Path(module.__file__).is_relative_to(folder)
            for check in module.plan(
                mutant.filter, mutant.scene, particles=None, steps=None, seed=1, size=mutant.size
            ):
                found = module.RUNNERS[check.runner](check)
                done += 1
                if found.outcome == "disagrees":
                    return Caught(check.claim, found.quantity, found.deviation, found.note), done
    return None, done
