"""Formulas as language models write them, in LaTeX, as plain signs: ``\\frac{1}{2}`` is ``1/2``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_BORDER = re.compile(r"\\[()\[\]]|\$\$+")
_DOUBLED = re.compile(r"(?<!\\)\\\\++(?=[A-Za-z()\[\]])")
_INLINE = re.compile(r"\$(?=[^\s$])([^$\n]{1,120})(?<!\s)\$(?!\d)")
_FORMULA = re.compile(r"[\\^=_]")
_FRACTION = re.compile(r"\\[dt]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s?\{([^{}]*)\}")
_WORDS = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|textbf|textit|emph|operatorname)\s?\{([^{}]*)\}"
)
_GROUP = re.compile(r"(?<=[\^_])\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]{2,16})(?![A-Za-z])(?: (?=[\w\\(]))?|\\[,;:! ]")
_SIGNS = {
    "times": " × ", "cdot": " × ", "div": " ÷ ", "pm": " ± ", "le": " ≤ ", "leq": " ≤ ",
    "ge": " ≥ ", "geq": " ≥ ", "ne": " ≠ ", "neq": " ≠ ", "approx": " ≈ ", "infty": "∞",
    "to": " → ", "rightarrow": " → ", "Rightarrow": " → ", "ldots": "…", "dots": "…",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "lambda": "λ", "mu": "μ",
    "pi": "π", "sigma": "σ", "omega": "ω", "Omega": "Ω", "theta": "θ", "varphi": "φ", "phi": "φ",
    "circ": "°", "left": "", "right": "", "quad": " ", "qquad": " ", "degree": "°", "big": "",
}  # fmt: skip


def without_latex(text: SpanText) -> SpanText:
    """``text`` with the common commands as signs; an unknown one stays."""
    if "$" in text.text:
        text = text.sub(_INLINE, lambda match: match[1] if _FORMULA.search(match[1]) else None)
    text = text.unwrap(_GROUP)
    if "\\" not in text.text:
        return text.sub(_BORDER, " ")
    text = text.sub(_DOUBLED, "\\").sub(_BORDER, " ").unwrap(_WORDS)
    for _ in range(2):  # one inside the other
        text = text.sub(_FRACTION, _fraction).sub(_ROOT, lambda match: f"√{match[1]}")
    return text.sub(_COMMAND, lambda match: _SIGNS.get(match[1]) if match[1] else " ")


def _fraction(match: re.Match[str]) -> str:
    above, below = match[1].strip(), match[2].strip()
    return f"{above}/{below}" if above.isdecimal() and below.isdecimal() else f"{above} ÷ {below}"
