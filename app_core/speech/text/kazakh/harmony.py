"""Vowel harmony and the consonants that endings begin with.

Rules: Kazakh grammar (Қазақ грамматикасы, Астана, 2002), sections on сингармонизм and септік.
"""

from __future__ import annotations

import re

_BACK, _FRONT = frozenset("аоұыяё"), frozenset("әөүіеэ")
_VOWELS = _BACK | _FRONT | frozenset("уию")
_VOICELESS = frozenset("пфкқтсшщчхцһбвгд")
"""The last four sound so at the end of a borrowed word: ``миллиардқа``."""
_NASALS, _SONANTS = frozenset("мнң"), frozenset("рлйиую")
_TO_FRONT, _TO_BACK = str.maketrans("аығқ", "еігк"), str.maketrans("еігк", "аығқ")
_FRONT_IN_SPITE = frozenset(("рубль", "елу"))
_DOUBLED = re.compile(r"([бдклмнпстф])\1$")

# After a vowel, р л й у, м н ң, з ж, and a voiceless consonant.
_ENDINGS = {
    "dative": ("ға", "ға", "ға", "ға", "қа"),
    "locative": ("да", "да", "да", "да", "та"),
    "ablative": ("дан", "дан", "нан", "дан", "тан"),
    "genitive": ("ның", "дың", "ның", "дың", "тың"),
    "accusative": ("ны", "ды", "ды", "ды", "ты"),
    "instrumental": ("мен", "мен", "мен", "бен", "пен"),
    "likeness": ("дай", "дай", "дай", "дай", "тай"),
    "plural": ("лар", "лар", "дар", "дар", "тар"),
    "adjective": ("лық", "лық", "дық", "дық", "тық"),
    "having": ("лы", "лы", "ды", "ды", "ты"),
    "amount": ("лаған", "лаған", "даған", "даған", "таған"),
    "by": ("лап", "лап", "дап", "дап", "тап"),
    "possessive": ("сы", "ы", "ы", "ы", "ы"),
    "person": ("", "ы", "ы", "ы", "ы"),
}
_HARD_AFTER_L = frozenset(("plural", "adjective", "having", "amount", "by"))
_SOFTENED = {"қырық": "қырқ", "тәулік": "тәуліг", "қасық": "қасығ", "топ": "тоб"}
_POSSESSED = {
    "dative": "на",
    "locative": "нда",
    "ablative": "нан",
    "genitive": "ның",
    "accusative": "н",
    "instrumental": "мен",
}
"""Endings after ``-ы``, ``-сы``."""

_CASE = (
    r"(?:[ндт][ыі]ң|[ғгқк][ае]|н[ае]|[ндт][ыі]|н|н?[дт][ае](?:ғы|гі)?|[дтн][ае]н"
    r"|[мбп]ен(?:ен)?)?"
)
_KINDS = {
    "ordinal": rf"(?:с?[ыі]?н)?ш[ыі](?:с[ыі]|[лд][ае]р)?{_CASE}",
    "collective": rf"(?:[еа]у|у)(?:[ыі]?[мң](?:[ыі]з)?|[ыі])?{_CASE}",
    "ablative": r"[дтн][ае]н",
    "person": rf"[ыі](?:м|ң|ңыз|ңіз|мыз|міз){_CASE}",
    "locative": rf"н?[дт][ае](?:(?:ғы|гі)(?:[лд][ае]р)?{_CASE}|[мс][ыі][нңз])?",
    "likeness": r"[дт][ае]й(?:ын|ін)?",
    "amount": r"[лдт][ае][ғг][ае]н",
    "by": r"[лдт][ае]п",
    "genitive": r"[ндт][ыі]ң(?:к[иі])?",
    "accusative": r"[ндт][ыі]",
    "adjective": r"[лдт][ыі][қк](?:т[аеыі]р?)?",
    "having": r"л[ыі]",
    "dative": r"[ғгқк][ае]|н[ае]",
    "instrumental": r"[мбп]ен(?:ен)?",
    "plural": rf"[лдт][ае]р[ыі]?{_CASE}",
    "possessive": rf"(?:с?[ыі]){_CASE}",
}
ENDING = "[аеыіғгқкдтнлмбпрсшңуйз]{1,9}(?![а-яёәғқңөұүһі])"
"""What may be an ending after digits, a sign or an abbreviation; ``is_ending`` knows. Short, as
the time to compile it counts at the start."""
_KIND = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()))
_FIRST = {
    "ordinal": re.compile(r"(?:с?[ыі]?н)?ш[ыі]"),
    "collective": re.compile(r"[еа]?у"),
    "ablative": re.compile(r"..н"),
    "person": re.compile(r"[ыі]"),
    "locative": re.compile(r"н?[дт][ае]"),
    "likeness": re.compile(r"..й"),
    "amount": re.compile(r"....н"),
    "by": re.compile(r"..п"),
    "genitive": re.compile(r"..ң"),
    "accusative": re.compile(r".."),
    "adjective": re.compile(r"..."),
    "having": re.compile(r".."),
    "dative": re.compile(r".."),
    "instrumental": re.compile(r".ен"),
    "plural": re.compile(r"..р"),
    "possessive": re.compile(r"с?[ыі]"),
}
_COLLECTIVES = {
    "бір": "біреу",
    "екі": "екеу",
    "үш": "үшеу",
    "төрт": "төртеу",
    "бес": "бесеу",
    "алты": "алтау",
    "жеті": "жетеу",
}


def front(word: str) -> bool:
    """Whether ``word`` takes endings with front vowels."""
    word = word.lower()
    if word in _FRONT_IN_SPITE:
        return True
    for at, char in enumerate(reversed(word)):
        if char in _FRONT:
            return True
        if char in _BACK or (char == "у" and at and not word.endswith("ь")):
            return False
        if char in "уи" and at:
            return True
    return "и" in word


def with_ending(phrase: str, kind: str) -> str:
    """``phrase`` with the ending of that kind (a key of the tables above) at its last word."""
    head, word = _last(phrase)
    if kind == "ordinal":
        return ordinal(phrase)
    if kind == "collective":
        return head + _COLLECTIVES.get(word, word)
    stem, group = _DOUBLED.sub(r"\1", word), _group(word)
    if kind == "possessive" and group:
        stem = _SOFTENED.get(word, stem.removesuffix("ь"))
    if word.endswith("л") and kind in _HARD_AFTER_L:
        group = 2
    return head + stem + _harmonious(_ENDINGS[kind][group], word)


def is_ending(written: str) -> bool:
    """Whether an ENDING is one indeed: ``ден``, but not ``ғасыр``."""
    return _KIND.fullmatch(written.lower()) is not None


def with_written(phrase: str, ending: str) -> str:
    """``phrase`` with an ENDING as someone wrote it, in the form that belongs to what is said."""
    found = _KIND.fullmatch(ending.lower())
    if found is None or found.lastgroup is None:
        return f"{phrase} {ending}"
    kind = found.lastgroup
    first = _FIRST[kind].match(ending.lower())
    rest = ending.lower()[first.end() :] if first else ""
    said = with_ending(phrase, kind)
    if kind == "instrumental":
        return said
    return said + _harmonious(rest, said.rsplit(" ", 1)[-1])


def possessed(phrase: str, ending: str) -> str:
    """``phrase``, which ends in a possessive as ``қаласы`` does, with a written case ending."""
    found = _KIND.fullmatch(ending.lower())
    kind = found.lastgroup if found else None
    word = phrase.rsplit(" ", 1)[-1]
    if kind in ("possessive", "person"):
        return phrase + _harmonious(_FIRST[kind].sub("", ending.lower(), count=1), word)
    if kind is None or kind not in _POSSESSED:
        return f"{phrase} {ending}" if kind is None else phrase
    said = phrase + _harmonious(_POSSESSED[kind], word)
    more = re.search(r"[ғг][ыі]", ending.lower()) if kind == "locative" else None
    return said + _harmonious("ғы", word) if more else said


def ordinal(phrase: str) -> str:
    """``phrase``, which ends in a number, as an ordinal: ``жиырма`` is ``жиырмасыншы``."""
    head, word = _last(phrase)
    if word == "жиырма":
        return head + "жиырмасыншы"
    if word == "қырық":
        return head + "қырқыншы"
    ending = "ншы" if _ends_in_vowel(word) else "ыншы"
    return head + word + _harmonious(ending, word)


def _last(phrase: str) -> tuple[str, str]:
    """What stands before the last word, with its space, and that word."""
    at = phrase.rfind(" ") + 1
    return phrase[:at], phrase[at:]


def _harmonious(ending: str, word: str) -> str:
    if ending in ("мен", "бен", "пен"):
        return ending
    return ending.translate(_TO_FRONT if front(word) else _TO_BACK)


def _ends_in_vowel(word: str) -> bool:
    return word[-1:] in _VOWELS and word[-1:] not in _SONANTS


def _group(word: str) -> int:
    word = word.lower()
    last = word.rstrip("ь")[-1:]
    if _ends_in_vowel(word):
        return 0
    if last in _SONANTS:
        return 1
    if last in _NASALS:
        return 2
    return 4 if last in _VOICELESS else 3
