"""Names of units and currencies, as they stand after a number."""

from __future__ import annotations

from dataclasses import dataclass

from app_core.speech.text.russian.grammar.morphology import inflect
from app_core.speech.text.russian.grammar.numbers import cardinal, decimal, half, is_few, is_one


@dataclass(frozen=True, slots=True)
class Noun:
    words: str
    """First form; adjectives before the noun."""
    gender: str = "masc"
    rest: str = ""
    """What follows and does not change."""
    many: str = ""
    """After five and more, where it is not the usual genitive."""
    fixed: bool = False

    def form(self, case: str, plural: bool = False) -> str:
        if case == "accs" and (plural or self.gender != "femn"):
            case = "nomn"  # of things
        if self.fixed:
            said = self.words
        elif plural and case == "gent" and self.many:
            said = self.many
        else:
            *adjectives, noun = self.words.split(" ")
            said = " ".join(
                [*(inflect(word, case, plural, self.gender) for word in adjectives)]
                + [_noun(noun, case, plural)]
            )
        return f"{said} {self.rest}" if self.rest else said

    def after(self, number: int, case: str) -> str:
        """The form that stands after a whole number in ``case``."""
        if is_one(number):
            return self.form(case)
        if case not in ("nomn", "accs"):
            return self.form(case, plural=True)
        if not is_few(number):
            return self.form("gent", plural=True)
        if self.fixed or " " not in self.words:
            return self.form("gent")
        *adjectives, noun = self.words.split(" ")
        feminine = self.gender == "femn"
        said = [inflect(word, "nomn" if feminine else "gent", True) for word in adjectives]
        said.append(_noun(noun, "gent", False))
        return " ".join(said) + (f" {self.rest}" if self.rest else "")


_OWN = {
    "тиын": ("тиын", "тиына", "тиыну", "тиын", "тиыном", "тиыне"),
    "тиын+": ("тиыны", "тиынов", "тиынам", "тиыны", "тиынами", "тиынах"),
}
_ORDER = ("nomn", "gent", "datv", "accs", "ablt", "loct")


def _noun(word: str, case: str, plural: bool) -> str:
    own = _OWN.get(word + ("+" if plural else ""))
    return own[_ORDER.index(case)] if own else inflect(word, case, plural)


MAGNITUDES = {
    "тыс": (1_000, Noun("тысяча", "femn")),
    "млн": (1_000_000, Noun("миллион")),
    "млрд": (1_000_000_000, Noun("миллиард")),
    "трлн": (1_000_000_000_000, Noun("триллион")),
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A written number, and the thousands or millions after it."""

    whole: int
    fraction: str = ""
    magnitude: str = ""
    negative: bool = False

    def say(self, noun: Noun | None, case: str) -> str:
        """In words, with ``noun`` in the form that it asks for."""
        scale = MAGNITUDES[self.magnitude][1] if self.magnitude else None
        nearest = scale or noun
        said = "минус " if self.negative else ""
        if (self.whole, self.fraction) == (0, "5") and noun and noun.words == "час" and not scale:
            said += "получаса" if case == "gent" else "полчаса"
        elif self.fraction == "5" and noun and noun.words == "час" and not scale:
            said += f"{half(self.whole, case)} {noun.form('gent', plural=case == 'gent')}"
        elif self.fraction:
            said += decimal(self.whole, self.fraction, case)
            said += f" {nearest.form('gent')}" if nearest else ""
        else:
            said += cardinal(self.whole, case, nearest.gender if nearest else "masc")
            said += f" {nearest.after(self.whole, case)}" if nearest else ""
        if scale and noun:
            said += f" {noun.form('gent', plural=True)}"
        return said


def amount(number: str, magnitude: str = "", negative: bool = False) -> Amount:
    """``number``: digits, with a fraction after a comma or point."""
    whole, _, fraction = number.replace(",", ".").partition(".")
    return Amount(int(whole), fraction, magnitude.rstrip(".").lower(), negative)
