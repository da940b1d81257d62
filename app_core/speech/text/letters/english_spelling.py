"""An unknown word in Latin letters by rules of spelling, in Cyrillic letters: names keep their
letters, what is English for sure (``sh``, ``ee``, ``tion``, a silent ``e``) is said so."""

from __future__ import annotations

import re
import unicodedata

_MAGIC = {"a": "ей", "i": "ай", "o": "оу", "u": "ю", "y": "ай", "e": "и"}
_SILENT_E = re.compile(r"(?<![aeiouyw])([aiouy])([bcdfgklmnpstvz])e(s?)\b")
"""``smile``, ``code``, ``size``; vowels before an r are others."""
_RULES = [
    rule.split("=")
    for rule in (
        "^sch=ш ^wh=в ^wr=р ^kn=н ^ps=пс ^x=кс ^ye=е ^ya=я ^yu=ю ^yo=ё ^y=й ^e=э ^io=ио ^ch=ч"
        " tion$=шн sion$=жн tions$=шнс ture$=чер ight=айт eigh=ей augh=о ough=о"
        " shch=щ tch=ч sch=ш ssh=ш ck=к sh=ш ch=ч th=т ph=ф gh=г kh=х zh=ж ts=ц ts$=тс qu=кв"
        " ce=се ci=си cy=си cc=кк"
        " oo=у ee=и ea=и eau=о ew=ью ey$=и ay$=ей ow$=оу ow=ау ou=ау oa=оу aw=о"
        " ai=ай ei=ей oi=ой ui=уи ay=ай ey=ей oy=ой uy=уй nyo=ньо lyo=льо yu=ю ya=я yo=ё ye=е"
        " aye=ае iya=ия ia=ия io=ио ie=и"
        " ge$=дж le$=л re$=р me$=м ve$=в se$=с ze$=з"
        " a=а b=б c=к d=д e=е f=ф g=г h=х i=и j=дж k=к l=л m=м n=н o=о p=п q=к r=р s=с t=т u=у"
        " v=в w=в x=кс y=и z=з"
    ).split()
]
_STARTS = {left[1:]: right for left, right in _RULES if left[0] == "^"}
_ENDS = {left[:-1]: right for left, right in _RULES if left[-1] == "$"}
_INNER = {left: right for left, right in _RULES if left.isalpha()}
_LONGEST = 5
_KAZAKH_Y = re.compile(r"(?<=[rlbdkqzjnt])y(?=[nkrlzgsq])(?<!ly(?=[mr]))(?<!dy(?=n))")
"""``Charyn``, ``Dombyra``, but ``lyrics``, ``dynamic``."""
_DOUBLE = re.compile(r"([бвгджзкпрстфхчш])\1")


def in_cyrillic(word: str) -> str:
    """Any word of Latin letters, as nearly as Cyrillic letters can tell, in small letters."""
    plain = unicodedata.normalize("NFKD", word.lower())
    plain = "".join(map(_plain, plain)).replace("'", "").replace("’", "")
    plain = _KAZAKH_Y.sub("ы", plain)
    plain = _SILENT_E.sub(lambda match: f"{_MAGIC[match[1]]}{match[2]}{match[3]}", plain)
    said: list[str] = []
    at = 0
    while at < len(plain):
        for length in range(min(_LONGEST, len(plain) - at), 0, -1):
            group, end = plain[at : at + length], at + length
            new = _STARTS.get(group) if at == 0 else None
            if new is None and end == len(plain) and at > 0:
                new = _ENDS.get(group)
            new = _INNER.get(group) if new is None else new
            if new is not None or length == 1:
                said.append(group if new is None else new)
                at = end
                break
    return _DOUBLE.sub(r"\1", "".join(said))


_OTHERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "e", "œ": "e"}
_OTHERS |= {"ı": "i", "ə": "a", "ŋ": "ng"}


def _plain(char: str) -> str:
    return "" if unicodedata.combining(char) else _OTHERS.get(char, char)
