"""Cyrillic letters in another language: Kazakh ones in Russian, all of them in English."""

from __future__ import annotations

import re

from app_core.speech.text.names import stress_of_name

KAZAKH = frozenset("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
"""Letters that Russian does not have."""
_ACUTE = "\u0301"
_RUSSIAN = dict(zip("әғқңөұүһіӘҒҚҢӨҰҮҺІ", "агкноуухиАГКНОУУХИ", strict=True))
_INFLECTED = re.compile(
    r".{2,}(?:ск(?:ий|ого|ому|им|ом|ая|ой|ую|ое|ие|их|ими)|[оеё]в(?:а|у|ы|ым|ой|е|ых)?|ом|ами|ах)"
)
_RUSSIAN_VOWELS = "аеёиоуыэюя"
_ENGLISH = dict(
    pair.split("=")
    for pair in (
        "а=a б=b в=v г=g д=d е=e ё=yo ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f"
        " х=kh ц=ts ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya"
        " ә=a ғ=gh қ=q ң=ng ө=o ұ=u ү=u һ=h і=i"
    ).split()
)
_NAMES = dict(
    pair.split("=")
    for pair in (
        "а=ah б=beh в=veh г=geh д=deh е=yeh ё=yo ж=zheh з=zeh и=ee й=ee к=kah л=ell м=em н=en о=oh"
        " п=peh р=air с=ess т=teh у=oo ф=eff х=khah ц=tseh ч=cheh ш=shah щ=shchah э=eh ю=yu я=ya"
        " қ=kah ғ=gah ң=eng ә=a ө=o ұ=u ү=u һ=ha і=ee"
    ).split()
)
_ABBREVIATION = 4
"""Letters at most."""
_VOWELS = frozenset("аеёиоуыэюяәөұүі")


def inflected_as_russian(word: str) -> bool:
    """``Ақмолинской``, ``Тоқаевым``: whether only Russian has such an ending."""
    return _INFLECTED.fullmatch(word.lower()) is not None


def in_russian(word: str) -> str:
    """A Kazakh word in the nearest Russian letters, with the stress on its last syllable. What is
    inflected as Russian and no known name has no mark."""
    said = "".join(_RUSSIAN.get(char, char) for char in word)
    known = stress_of_name(said)
    if known is not None:
        return said[: known + 1] + _ACUTE + said[known + 1 :]
    if inflected_as_russian(said):
        return said
    vowels = [at for at, char in enumerate(said.lower()) if char in _RUSSIAN_VOWELS]
    if len(vowels) < 2:
        return said
    last = vowels[-1]
    if said[last].lower() == "у" and last - 1 == vowels[-2] and last + 1 == len(said):
        last -= 1  # ау and еу are one syllable
    return said[: last + 1] + _ACUTE + said[last + 1 :]


def in_english(word: str) -> str:
    """A Russian or Kazakh word in Latin letters that English reads nearly so."""
    lower = word.lower()
    if word.isupper() and 1 < len(word) <= _ABBREVIATION:
        return "-".join(_NAMES.get(char, char) for char in lower)
    said = []
    for at, char in enumerate(lower):
        new = _ENGLISH.get(char, char)
        if char == "е" and (at == 0 or lower[at - 1] in "ьъ" or lower[at - 1] in _VOWELS):
            new = "ye"
        said.append(new)
    text = "".join(said).replace("iy", "i" if lower.endswith(("ий", "ый")) else "iy")
    text = text.replace("yy", "y")
    return text[:1].upper() + text[1:] if word[:1].isupper() else text
