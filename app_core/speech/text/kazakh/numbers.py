"""Numbers as words: whole ones, decimals, with signs, in ranges; digits one by one and by pairs."""

from __future__ import annotations

import re
from functools import lru_cache

from app_core.speech.text.kazakh.harmony import ordinal, with_ending

_GROUPED = (
    r"\d{1,3}(?:[ '’]\d{3}){1,5}+(?!\d)|"
    r"\d{1,3}(?:,\d{3}){2,5}+(?!\d)|\d{1,3}(?:\.\d{3}){2,5}+(?!\d)"
    r"|[1-9]\d{0,2}[.,]000(?!\d)"
    r"|\d{1,3}(?:,\d{3}){1,5}+(?=\.\d\d?(?!\d))|\d{1,3}(?:\.\d{3}){1,5}+(?=,\d\d?(?!\d))"
)
NUMBER = rf"(?:(?:{_GROUPED}|\d++)(?:[.,]\d++)?)"
"""Starts where no letter or digit stands before it: see START."""
START = r"(?<![^\W_])(?<!\d[.,:/])(?<![^\W\d_][-–])"
SIGN = r"(?:(?<![^\s(«\"„“:;=,…/])(?:[-–+±]|−[ ]?))"
RANGE = r"(?: ?[-–−] ?|—|…)"
FRACTION = r"(?:(?:\d{1,3} )?[1-9][/⁄](?:[2-9]|10|100)(?![\d/⁄])|(?:\d{1,3} ?)?[½¼¾⅓⅔])"
QUANTITY = rf"{START}{SIGN}?(?:{FRACTION}|{NUMBER}(?:{RANGE}[-−+]?{NUMBER})?)"
"""A fraction, a number or a range of two, with signs."""
SCALE = r"(?: ?(?P<scale>мың|млн|млрд|трлн|тыс|миллион|миллиард|триллион)(?![а-яәғқңөұүһі])\.?)?"
SCALES = {
    "млн": "миллион",
    "млрд": "миллиард",
    "трлн": "триллион",
    "тыс": "мың",
    "k": "мың",
    "m": "миллион",
    "b": "миллиард",
}
_FRACTION = re.compile(
    r"([-–+±−]?) ?(?:(\d{1,3}) ?(?=[½¼¾⅓⅔]|\d{1,3}[/⁄]))?(?:([½¼¾⅓⅔])|(\d)[/⁄](\d{1,3}))"
)
_GLYPHS = {"½": ("1", "2"), "¼": ("1", "4"), "¾": ("3", "4"), "⅓": ("1", "3"), "⅔": ("2", "3")}
_PARTS = re.compile(rf"([-–+±−]?) ?({NUMBER})(?:{RANGE}([-−+]?)({NUMBER}))?")
_SIGNS = {"": "", "-": "минус ", "–": "минус ", "−": "минус ", "+": "плюс ", "±": "плюс минус "}
_DECIMAL = re.compile(r"(.*)[.,](\d+)", re.DOTALL)
_WHOLE = re.compile(_GROUPED)
_DIGITS = "нөл бір екі үш төрт бес алты жеті сегіз тоғыз".split()
_LONGEST = 15
"""Digits; a longer number is said digit by digit."""
_MOST_DECIMALS = 6


@lru_cache(4096)
def whole(digits: str) -> str:
    """Digits without separators; with zeros at their head, as a code has, these are said too."""
    from qazaqify import words

    if len(digits) > _LONGEST:
        return spelled(digits)
    zeros = len(digits) - len(digits.lstrip("0"))
    if zeros == 0 or digits == "0":
        return words(int(digits))
    if zeros == len(digits):
        return " ".join([_DIGITS[0]] * zeros)
    return " ".join([_DIGITS[0]] * zeros) + " " + words(int(digits))


def spelled(digits: str) -> str:
    """One by one."""
    return " ".join(_DIGITS[int(digit)] for digit in digits)


def paired(digits: str) -> str:
    """Two by two, the first alone when their count is odd: as codes are said."""
    odd = len(digits) % 2
    parts = [digits[:odd]] if odd else []
    parts += [digits[at : at + 2] for at in range(odd, len(digits), 2)]
    return " ".join(whole(part) for part in parts)


def number(written: str, half: bool = False) -> str:
    """A NUMBER; with ``half``, ``,5`` is ``жарым`` as before ``сағат`` or ``миллион``."""
    if len(written) > 2 and written[0] == "0" and written.isdecimal():
        return paired(written)
    if _WHOLE.fullmatch(written):
        return whole(re.sub(r"\D", "", written))
    found = _DECIMAL.fullmatch(written)
    if found is None:
        return whole(re.sub(r"\D", "", written))
    before, decimals = re.sub(r"\D", "", found[1]), found[2]
    if half and decimals == "5" and int(before):
        return f"{whole(before)} жарым"
    if len(decimals) > _MOST_DECIMALS:
        return f"{whole(before)} бүтін {spelled(decimals)}"
    if not int(decimals):
        return whole(before)
    place = "оннан жүзден мыңнан он|мыңнан жүз|мыңнан миллионнан".split()[len(decimals) - 1]
    return f"{whole(before)} бүтін {place.replace('|', ' ')} {whole(str(int(decimals)))}"


def _parted(first: str, second: str) -> str:
    """What stands in a range: ``500-1000`` must not become ``бес жүз мың``, which is 500 000."""
    digits = re.sub(r"\D", "", _DECIMAL.sub(r"\1", first))
    for word, most in (("мың", 3), ("жүз", 2)):
        if second.startswith(word):
            return " — бір " if len(digits) <= most else " — "
    return " "


@lru_cache(4096)
def quantity(written: str, half: bool = False) -> str:
    """A QUANTITY."""
    fraction = _FRACTION.fullmatch(written.strip())
    if fraction:
        return _fraction(fraction)
    found = _PARTS.fullmatch(written.strip())
    if found is None:
        return written
    said = _SIGNS[found[1]] + number(found[2], half)
    if found[4]:
        second = _SIGNS[found[3]] + number(found[4], half)
        said += _parted(found[2], second) + second
    return said


def amount(written: str, scale: str | None, half: bool = False) -> str:
    """A QUANTITY and the SCALE after it."""
    said = quantity(written, half or bool(scale))
    return f"{said} {SCALES.get(scale.lower(), scale)}" if scale else said


def _fraction(found: re.Match[str]) -> str:
    sign, before = _SIGNS[found[1]], found[2]
    above, below = _GLYPHS[found[3]] if found[3] else (found[4], found[5])
    if (above, below) == ("1", "2"):
        return sign + (f"{whole(before)} жарым" if before else "жарты")
    said = f"{with_ending(whole(below), 'ablative')} {whole(above)}"
    return sign + (f"{whole(before)} бүтін {said}" if before else said)


def ordinals(written: str) -> str:
    """A QUANTITY of whole numbers, each of them as an ordinal."""
    found = _PARTS.fullmatch(written.strip())
    if found is None:
        return written
    first = ordinal(number(found[2]))
    return f"{first} {ordinal(number(found[4]))}" if found[4] else first
