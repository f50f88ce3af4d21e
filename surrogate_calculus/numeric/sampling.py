"""Sampling statements as tables: every row is drawn once, when it is first needed."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from ..errors import DeclarationError, EvaluationError
from ..language.binding import abstract, instantiate, substitute
from ..language.declarations import ROW, Document, Sample
from ..language.paths import has_slice
from ..language.terms import App, Eval, Indexed, Mul, Num, Stop, Sum, Sym, Term, mul
from ..semantics.unroll import Work, whole
from .schedule import Scheduler, Timed
from .tables import DRAW, RESAMPLE, Table

__all__ = ["SamplingScheduler"]

#: The index that runs over what a draw chooses from.
_CHOICE = "choice@"


class SamplingScheduler(Scheduler):
    """A scheduler for which the document's samples are no values but draws."""

    def __init__(self, document: Document, counts: Mapping[str, int]) -> None:
        super().__init__(document, counts)
        self.statements: dict[str, list[Sample]] = {}
        for sample in document.samples:
            self.statements.setdefault(sample.name, []).append(sample)
        self.times = _times(document, self.times)
        self.timed = Timed(self.times)

    def family(self, node: Indexed, args: tuple[Term, ...]) -> Work:
        """A member of a sampled family is one of the table of its draws."""
        if node.name in self.statements and not has_slice(node):
            return (yield from self.reference(node, node.name, args))
        return (yield from super().family(node, args))

    def symbol(self, node: Sym) -> Work:
        """A sampled number without indices, too."""
        if node.name in self.statements:
            return (yield from self.reference(node, node.name, ()))
        return (yield from super().symbol(node))

    def table(self, key: str, node: Term, name: str, times: tuple[int, ...]) -> Work:
        """A table of draws, or of definitions."""
        if name not in self.statements:
            return (yield from super().table(key, node, name, times))
        sample = yield from self.statement(name, times, node)
        law = substitute(sample.law, self.at(sample, times))
        while isinstance(law, (Stop, Eval)):
            law = law.args[0]
        names = [_index_name(i) for k, i in enumerate(sample.indices) if k not in self.times[name]]
        ranges = yield from self.ranges(name, node)
        own = [Sym(index) for index in names]
        if isinstance(law, App) and law.name in self.document.resampling:
            weights = yield from self.weights(f"{key}#w", law.args[0], [(ROW.key, ranges[-1])])
            draw: Term = App(f"{RESAMPLE}{law.name}@{weights}", own)
        elif isinstance(law, App):
            draw = self.drawn(key, sample, law, own)
        else:
            draw = yield from self.mixture(key, sample, law, list(zip(names, ranges, strict=True)))
        body = yield self.store.add(draw)
        for index in names:
            body = abstract(body, index)
        self.tables[key] = Table(key, self.store.add(body), tuple(ranges))
        return body

    def statement(self, name: str, times: tuple[int, ...], node: Term) -> Generator[Term, Term, Sample]:
        """The statement that draws at these times: a base case before the general one."""
        general: Sample | None = None
        shape = self.document.shape(name) or ()
        bounds = [shape[k] for k in sorted(self.times[name]) if k < len(shape)]
        for pair, time in zip(bounds, times, strict=False):
            if pair is not None:
                lo, hi = (yield self.store.add(pair[0])), (yield self.store.add(pair[1]))
                if not whole(lo, "a time", node) <= time <= whole(hi, "a time", node):
                    raise EvaluationError(f"{name} is used at time {time}, outside its range {lo}..{hi}")
        for sample in self.statements[name]:
            base, fits = False, True
            for (_, index), time in zip(self.timed_indices(sample), times, strict=True):
                if not _is_index(index, self.document):
                    base = True
                    value = yield self.store.add(index)
                    fits = fits and whole(value, "the time of a sample", node) == time
            if base and fits:
                return sample
            if not base:
                general = sample
        if general is None:
            raise EvaluationError(
                f"no statement draws {name} at {', '.join(map(str, times))}", instead=f"sample {name}[…] ~ …"
            )
        return general

    def timed_indices(self, sample: Sample) -> list[tuple[int, Term]]:
        """The indices of a statement that are times, with their positions."""
        return [(k, index) for k, index in enumerate(sample.indices) if k in self.times[sample.name]]

    def at(self, sample: Sample, times: tuple[int, ...]) -> dict[str, Term]:
        """The times of a statement's indices."""
        found = zip(self.timed_indices(sample), times, strict=True)
        return {i.key: Num(time) for (_, i), time in found if _is_index(i, self.document)}

    def ranges(self, name: str, node: Term) -> Generator[Term, Term, list[tuple[int, int]]]:
        """The ranges of the indices of a sampled family that are no times."""
        out: list[tuple[int, int]] = []
        for k, bounds in enumerate(self.document.shape(name) or ()):
            if k in self.times[name]:
                continue
            if bounds is None:
                raise EvaluationError(f"an index of {name} has no range", instead="a declared index")
            lo, hi = (yield self.store.add(bounds[0])), (yield self.store.add(bounds[1]))
            out.append((whole(lo, "the end of a range", node), whole(hi, "the end of a range", node)))
        return out

    def drawn(self, key: str, sample: Sample, law: App, own: list[Sym]) -> Term:
        """A draw from a density: what is drawn stands alone left of the bar."""
        if len(law.arguments) != 1 or law.key[4]:
            raise self.refused(sample, f"a draw from {law.name} is one value", "draw from a density of one")
        return App(f"{DRAW}{law.name}@{key}", own, law.given, law.params)

    def weights(
        self, key: str, weight: Term, indices: list[tuple[str, tuple[int, int]]]
    ) -> Generator[Term, Term, str]:
        """A table of the weights of a choice, the last index being what is chosen."""
        body = yield self.store.add(weight)
        for index, _ in indices:
            body = abstract(body, index)
        self.tables[key] = Table(key, self.store.add(body), tuple(bounds for _, bounds in indices))
        return key

    def mixture(
        self, key: str, sample: Sample, law: Term, indices: list[tuple[str, tuple[int, int]]]
    ) -> Work:
        """A draw from ``Σ[j](w[j] * q(· | x[j]))``: first j in proportion to w, then from its q."""
        factors = list(law.args) if isinstance(law, Mul) else [law]
        sums = [f for f in factors if isinstance(f, Sum)]
        if len(sums) != 1:
            raise self.refused(
                sample, f"the law {law} cannot be drawn from", "a density or Σ[j](w[j] * q(·))"
            )
        (chosen,) = sums
        lo, hi = (yield self.store.add(chosen.lo)), (yield self.store.add(chosen.hi))
        bounds = (whole(lo, "the end of a range", law), whole(hi, "the end of a range", law))
        parts = [chosen.body]
        while any(isinstance(p, Mul) for p in parts):
            parts = [a for p in parts for a in (p.args if isinstance(p, Mul) else (p,))]
        laws = [p for p in parts if isinstance(p, App) and _draws(p, sample)]
        if len(laws) != 1:
            raise self.refused(sample, f"the law {law} cannot be drawn from", "a mixture Σ[j](w[j] * q(·))")
        weight = mul(*(p for p in parts if p is not laws[0]))
        over = [*indices, (_CHOICE, bounds)]
        table = yield from self.weights(f"{key}#w", instantiate(weight, Sym(_CHOICE)), over)
        own = [Sym(index) for index, _ in indices]
        choose = yield self.store.add(App(f"{RESAMPLE}@{table}", own))
        for index, _ in indices:
            choose = abstract(choose, index)
        which = f"{key}#j"
        self.tables[which] = Table(which, self.store.add(choose), tuple(r for _, r in indices))
        chosen_index = Indexed(which, *own) if own else Sym(which)
        law = instantiate(laws[0], chosen_index)
        assert isinstance(law, App)
        return self.drawn(key, sample, law, own)

    def refused(self, sample: Sample, what: str, instead: str) -> DeclarationError:
        """An error at a statement."""
        return DeclarationError(
            what, instead=instead, text=self.document.text, span=sample.span, file=self.document.file
        )


def _draws(law: App, sample: Sample) -> bool:
    return any(isinstance(a, (Indexed, Sym)) and a.key == sample.name for a in law.arguments)


def _index_name(index: Term) -> str:
    assert isinstance(index, Sym)
    return index.name


def _is_index(index: Term, document: Document) -> bool:
    return isinstance(index, Sym) and (index.name in document.indices or index == ROW)


def _times(document: Document, defined: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    """The positions of times when samples are drawn: those of base cases, and what these entail."""
    times = dict(defined)
    for sample in document.samples:
        base = {k for k, index in enumerate(sample.indices) if not _is_index(index, document)}
        times[sample.name] = times.get(sample.name, frozenset()) | base
    while True:
        timed = Timed(times)
        more = dict(times)
        for d in document.definitions:
            found = timed.of(d.body)
            more[d.name] |= {k for k, index in enumerate(d.indices) if index in found}
        for sample in document.samples:
            found = timed.of(sample.law)
            more[sample.name] |= {
                k for k, i in enumerate(sample.indices) if isinstance(i, Sym) and i != ROW and i.name in found
            }
        if more == times:
            return times
        times = more
