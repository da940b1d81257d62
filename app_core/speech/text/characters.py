"""Characters one by one: which are letters, digits and signs that a voice can say.

Styled, wide, circled and squared letters and digits become plain ones (Unicode's compatibility
decompositions, where these keep the meaning); emoji, ornaments and what is invisible go.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_SAYABLE = frozenset("°№→%‰§′″+<=>±×÷≈≠≤≥√∞−«»“”„‟‘’‚‹›…–—·•⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ\u0301")
"""Signs that the languages read, or that make pauses."""
_INSTEAD = {
    "\u2010": "-", "\u2011": "-", "\u2012": "–", "\u2015": "—", "\u2043": "•", "\u2053": "–",
    "⁄": "/", "∕": "/", "∶": ":", "∗": "*", "∙": "·", "⋅": "·", "‧": "·", "˗": "-", "➖": "−",
    "➕": "+", "✖": "×", "➗": "÷", "≃": "≈", "≅": "≈", "∼": "≈", "≦": "≤", "≧": "≥", "⩽": "≤",
    "⩾": "≥", "º": "°", "˚": "°", "´": "’", "ʼ": "’", "ʹ": "′", "ˈ": "", "‴": "″", "™": "", "℠": "",
    "❗": "!", "❕": "!", "❓": "?", "❔": "?",
    "‽": "?", "。": ". ", "、": ", ", "،": ",", "؛": ";", "؟": "?", "\u037e": ";", "¡": "", "¿": "",
    "\u2800": " ", "\u3164": "", "\u045d": "и", "ℓ": "l", "µ": "μ",
}  # fmt: skip
_OUR_CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі")
_OUR_CYRILLIC |= frozenset(map(str.upper, _OUR_CYRILLIC))
_FOREIGN_CYRILLIC = dict(
    pair.split(":")
    for pair in "ѕ:дз њ:нь ѐ:е ѣ:е ѳ:ф ѵ:и ѡ:о ѯ:кс ѱ:пс ӑ:а ӗ:е ӓ:ә ӥ:и ӧ:ө ӱ:ү ӟ:з ҷ:дж"
    " ҫ:с ӣ:и ӯ:ұ ӕ:э ӏ:ь ў:у ґ:г ј:й џ:дж ѓ:г ћ:ч ђ:дж љ:ль ќ:к ї:и є:е"
    " ҙ:з ҡ:қ ӊ:ң ҥ:ң ӈ:ң ԥ:п ҩ:о ҽ:ч ҳ:һ җ:ж ҝ:г ҹ:ч".split()
)
"""Letters of other languages, which a voice would spell by their numbers."""
_FOREIGN_CYRILLIC |= {one.upper(): said.title() for one, said in _FOREIGN_CYRILLIC.items()}
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_SUPERSCRIPTS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_LINE_ENDS = frozenset("\n\v\f\x85\u2028\u2029")
_ARROWS = ((0x2190, 0x21FF), (0x27F5, 0x27FF), (0x2794, 0x27BE), (0x2B05, 0x2B07))
_DARK_LETTERS = ((0x1F150, 26), (0x1F170, 26))
"""Negative circled and squared A to Z, which Unicode does not decompose."""


def superscript(digits: str) -> str:
    """``+``, ``-`` and digits, raised."""
    return digits.translate(_SUPERSCRIPTS)


def invisible(char: str) -> bool:
    """Control, format, private and unassigned characters, and variation selectors."""
    if char in _LINE_ENDS or char == "\t":
        return False
    code = ord(char)
    return (
        unicodedata.category(char)[0] == "C"
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0100 <= code <= 0xE01EF
        or code in (0x115F, 0x1160, 0x034F)
    )


@lru_cache(maxsize=4096)
def plain(char: str) -> str:
    """What a voice can say of ``char``: itself, other characters, a space, or nothing."""
    if char in _LINE_ENDS:
        return "\n"
    if char == "\t":
        return " "
    if invisible(char):
        return ""
    if char.isascii() or char in _SAYABLE:
        return char
    if "\u0400" <= char <= "\u052f" and char not in _OUR_CYRILLIC:
        return _FOREIGN_CYRILLIC.get(char, "")
    found = _INSTEAD.get(char, _SMALL_CAPITALS.get(char))
    return _by_category(char) if found is None else found


def _by_category(char: str) -> str:
    kind, code = unicodedata.category(char), ord(char)
    for first, count in _DARK_LETTERS:
        if first <= code < first + count:
            return chr(ord("A") + code - first)
    if any(first <= code <= last for first, last in _ARROWS):
        return "→"
    if kind == "Nd":
        return str(unicodedata.digit(char))
    decomposition = unicodedata.decomposition(char)
    if decomposition.startswith("<fraction>"):
        return char if char not in "⅟↉" else ""
    if kind == "No" and not decomposition.startswith("<sub>") or kind == "Nl" and not decomposition:
        return f" {unicodedata.numeric(char, 0):g} "
    if decomposition and kind not in ("Sk", "Zs"):
        return _decomposed(char, decomposition)
    if kind[0] == "L" or kind in ("Sc", "Mc"):
        return char if unicodedata.name(char, "") else " "  # no dictionary knows it
    if kind in ("Mn", "Me"):
        return (
            char
            if code > 0x0590 and kind == "Mn" and not _ornament(code)
            else " "[: code == 0x20E3]
        )
    return "" if 0x1F3FB <= code <= 0x1F3FF else " "


def _decomposed(char: str, decomposition: str) -> str:
    if not decomposition.startswith("<"):
        return unicodedata.normalize("NFC", char)
    new = unicodedata.normalize("NFKC", char)
    if decomposition.startswith("<square>") and new[-1] in "23":  # ㎡
        new = new[:-1] + superscript(new[-1])
    if unicodedata.category(char) == "Nl":
        new = new.upper()
    return "".join(plain(part) for part in new)


def _ornament(code: int) -> bool:
    """Marks that are put on any character: lines through it, heaps of accents."""
    return 0x1AB0 <= code <= 0x1AFF or 0x1DC0 <= code <= 0x20FF or 0xFE20 <= code <= 0xFE2F
