"""Names: one canonical spelling of each, its ASCII spelling, and the words that are reserved.

A canonical name is NFC-normalised (never NFKC, which would turn ``𝔼`` into ``E``), has look-alikes
folded (``ϕ`` is ``φ``), and has its Greek and its accents spelled out: ``theta`` is ``θ``, ``wbar``
is ``w̄``, ``xtilde_1`` is ``x̃_1``.  An accent word counts only after a single letter or a Greek
name, so that ``crowbar`` stays what it is.  Primes are part of names.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = [
    "ACCENTS",
    "CALL_WORDS",
    "FOLDED",
    "GREEK",
    "NAME",
    "RESERVED",
    "ascii_name",
    "canonical_name",
    "closest",
    "is_name",
]

#: Greek letters by their ASCII names.
GREEK: dict[str, str] = dict(
    zip(
        [
            "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
            "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
            "Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota", "Kappa", "Lambda",
            "Mu", "Nu", "Xi", "Omicron", "Pi", "Rho", "Sigma", "Tau", "Upsilon", "Phi", "Chi", "Psi", "Omega",
        ],
        "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        strict=True,
    )
)
_GREEK_NAMES = {letter: name for name, letter in GREEK.items()}

#: Accents by their ASCII names.
ACCENTS: dict[str, str] = {"bar": "\u0304", "tilde": "\u0303", "hat": "\u0302"}
_ACCENT_NAMES = {mark: name for name, mark in ACCENTS.items()}

#: Look-alikes and the form they fold onto.
FOLDED: dict[str, str] = {
    "ϕ": "φ", "ϑ": "θ", "ϵ": "ε", "\u00b5": "μ", "ϱ": "ρ", "ϖ": "π", "ς": "σ",
    "∑": "Σ", "−": "-", "∼": "~", "⟂": "⊥", "⋅": "·", "′": "'", "’": "'", "≥": ">=", "≤": "<=",
}  # fmt: skip

#: Words of the language before ``(`` or ``[``; they cannot be declared.
CALL_WORDS: dict[str, str] = {
    "stop": "STOP",
    "detach": "STOP",
    "stop_gradient": "STOP",
    "sg": "STOP",
    "eval": "ARROW",
    "grad": "NABLA",
    "hess": "HESS",
    "sum": "SUM",
    "prod": "PROD",
    "outer": "BUILTIN",
    "cases": "CASES",
}
#: Names that no declaration may take.
RESERVED: frozenset[str] = frozenset({*CALL_WORDS, "log", "exp", "else"})

_START = r"[^\W\d_𝔼₀-₉⁰¹²³⁴-⁹]"
_REST = r"[^\W𝔼⁰¹²³⁴-⁹]|[\u0300-\u036f'′’]"
#: Pattern of one name as it stands in a text, before :func:`canonical_name`.
NAME = f"{_START}(?:{_REST})*"

_WHOLE = re.compile(NAME)
_WORD = re.compile(r"[A-Za-z]+")
_LETTER = re.compile("[^\\W\\d_][\u0302\u0303\u0304]?")
_FOLD = {ord(a): b for a, b in FOLDED.items() if len(a) == 1}
_ACCENTED = re.compile(f"({'|'.join(GREEK)}|[A-Za-z])({'|'.join(ACCENTS)})")


def _spell(match: re.Match[str]) -> str:
    word = match.group()
    if word in GREEK:
        return GREEK[word]
    accented = _ACCENTED.fullmatch(word)
    if accented is None:
        return word
    letter, accent = accented.groups()
    return GREEK.get(letter, letter) + ACCENTS[accent]


def canonical_name(name: str) -> str:
    """The canonical spelling of a name as written: ``theta`` → ``θ``, ``wbar`` → ``w̄``."""
    if name.isascii():
        return unicodedata.normalize("NFC", _WORD.sub(_spell, name)) if len(name) > 1 else name
    folded = unicodedata.normalize("NFC", name).translate(_FOLD)
    return unicodedata.normalize("NFC", _WORD.sub(_spell, folded))


def ascii_name(name: str) -> str:
    """The ASCII spelling of a canonical name; the name itself where it has none (``é``)."""
    if name.isascii():
        return name
    out = []
    decomposed = unicodedata.normalize("NFD", name)
    for letter in _LETTER.sub(lambda m: f"\0{m.group()}\0", decomposed).split("\0"):
        if letter and not letter.isascii():
            base = _GREEK_NAMES.get(letter[0], letter[0])
            letter = base + "".join(_ACCENT_NAMES.get(mark, mark) for mark in letter[1:])
        out.append(letter)
    spelled = "".join(out)
    return spelled if spelled.isascii() and canonical_name(spelled) == name else name


@lru_cache(maxsize=1000)
def is_name(name: str) -> bool:
    """Whether this is the canonical spelling of a name that may be declared."""
    return (
        name not in RESERVED
        and _WHOLE.fullmatch(name) is not None
        and canonical_name(name) == name
    )


def closest(name: str, known: list[str]) -> str | None:
    """The known name that a reader most likely meant, or None where none is near."""
    import difflib

    plain = {ascii_name(k): k for k in known}
    found = difflib.get_close_matches(ascii_name(name), list(plain), n=1, cutoff=0.6)
    if found:
        return plain[found[0]]
    same = [k for k in known if k.lower() == name.lower()]
    return same[0] if same else None
