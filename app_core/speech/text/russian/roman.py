"""Roman numerals."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.government import ANY, governed
from app_core.speech.text.russian.grammar.morphology import forms
from app_core.speech.text.russian.grammar.numbers import cardinal, ordinal
from app_core.speech.text.span_text import SpanText

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_CYRILLIC = str.maketrans("ХІ", "XI")
_R = "[IVXLCDMХІ]{1,9}"
_CENTURY = re.compile(
    rf"(?<![\w.-])(?:(?P<low>{_R})(?P<dash> ?[-–—] ?| и | или | по |, ))?(?P<number>{_R})(?:-?"
    rf"(?:го|м|й|е|му|х))? "
    r"?(?P<word>вв|в|век|века|веке|веку|веком|веков|веках|веками|веки|ст|столети[еяюий]м?)(?!\w)(?P<dot>\.)?"
)
_NUMERAL = re.compile(
    rf"(?<![\w.'’&°-])(?<!° )(?P<number>{_R})(?:-(?P<ending>го|й|я|е|м|му|ой|ю))?(?![\w'’&])"
)
_NEXT = re.compile(r" «?([А-Яа-яё]+)")
_BEFORE = re.compile(r"([\w-]+) $")
_BOOK = frozenset(
    "глава главы главе том тома часть части раздел раздела статья книга тип группа уровень степень"
    " этап пункт эпизод серия сезон курс урок блок приложение".split()
)
_GENERIC = ("nomn", "gent", "loct", "datv", "ablt", "accs")
_RULERS = ("nomn", "gent", "datv", "ablt", "loct", "accs")
_QUEENS = frozenset("екатерина елизавета анна мария виктория элизабет изабелла маргарита".split())
_CENTURY_CASE = {"век": "nomn", "века": "gent", "веке": "loct", "веку": "datv", "веком": "ablt"}


def roman(text: SpanText) -> SpanText:
    text = text.sub(_MILLENNIUM, _millennium)
    return text.sub(_CENTURY, _century).sub(_NUMERAL, _numeral)


_MILLENNIUM = re.compile(
    rf"(?<![\w.-])(?:({_R}) ?[-–—] ?)?({_R}) тыс(?:\.|ячелети[ея])(?= до н| н\. ?э| нашей)"
)


def _millennium(match: re.Match[str]) -> str | None:
    number, low = value(match[2]), value(match[1] or "")
    case = "loct" if "loct" in (cases := governed(match.string, match.start())) else cases[0]
    if cases is ANY:
        before = _BEFORE.search(match.string[max(0, match.start() - 40) : match.start()])
        case = "gent" if before and before[1].isalpha() else "nomn"
    name = {"nomn": "тысячелетие", "loct": "тысячелетии", "datv": "тысячелетию"}.get(case)
    first = f"{ordinal(low, case, 'neut')} — " if low else ""
    said = f"{ordinal(number, case, 'neut')} {name or 'тысячелетия'}" if number else None
    return first + said if said else None


def value(written: str) -> int | None:
    written = written.translate(_CYRILLIC)
    if not written or _VALID.fullmatch(written) is None:
        return None
    numbers = [_VALUES[char] for char in written]
    pairs = zip(numbers, [*numbers[1:], 0], strict=True)
    return sum(-one if one < after else one for one, after in pairs)


def _century(match: re.Match[str]) -> str | None:
    number = value(match["number"])
    low = value(match["low"]) if match["low"] else 0
    if number is None or low is None:
        return None
    text, at, word = match.string, match.start(), match["word"]
    cases = governed(text, at)
    if word in ("вв", "в", "ст"):
        if word == "ст" and not match["dot"]:
            return None
        before = _BEFORE.search(text[max(0, at - 40) : at])
        after_noun = before and before[1][0].isalpha() and cases is ANY
        case = "gent" if after_noun else "nomn" if cases is ANY else cases[0]
        case = "loct" if case == "accs" and cases[-1] == "loct" else case
        plural = {"nomn": "века", "accs": "века", "gent": "веков", "datv": "векам"}
        plural |= {"ablt": "веками", "loct": "веках"}
        single = {"nomn": "век", "accs": "век", "gent": "века", "datv": "веку", "ablt": "веком"}
        name = plural[case] if word == "вв" else single.get(case, "веке")
        rest = text[match.end() : match.end() + 3].lstrip()
        stop = "." if match["dot"] and (not rest or rest[0].isupper()) else ""
        dot = ""
    else:
        case = _CENTURY_CASE.get(word, "")
        if not case:
            case = {"веков": "gent", "веках": "loct", "веками": "ablt", "веки": "nomn"}.get(
                word, ""
            )
        if word == "века" and match["low"]:
            case = "nomn" if cases is ANY else "gent"
        case = case or next((form.case for form in forms(word)), "nomn")
        name, stop, dot = word, "", match["dot"] or ""
    gender = "neut" if word.startswith("столети") else "masc"
    said = ordinal(number, case, gender)
    if match["low"]:
        dash = match["dash"] if match["dash"].strip() not in ("-", "–", "—") else " — "
        low_case = "gent" if dash == " по " else case
        if dash == " по ":
            said, name = ordinal(number, "accs", gender), "века" if word in ("вв", "в") else name
        said = ordinal(low, low_case, gender) + dash + said
    return f"{said} {name}{stop}{dot}"


def _numeral(match: re.Match[str]) -> str | None:
    text = match.string
    number = value(match["number"])
    if number is None:
        return None
    before = _BEFORE.search(text[max(0, match.start() - 40) : match.start()])
    word = before[1] if before else ""
    after = _NEXT.match(text, match.end())
    if not after and re.search(
        r"(?<!\w)мест[оа](?!\w)", text[max(0, match.start() - 60) : match.start()]
    ):
        return ordinal(number, "nomn", "neut")
    single = len(match["number"]) == 1
    if word and word[0].isupper() and not word.isupper() and word.lower() not in _BOOK:
        ruler = _ruler(number, word, text, match.start() - len(word) - 1)
        if ruler:
            return ruler
    if word.lower() in _BOOK:
        ways = [
            form
            for form in forms(word.lower())
            if form.part == "NOUN" and not (form.plural or form.animate)
        ]
        if ways:
            return ordinal(number, ways[0].case, ways[0].gender or "masc")
    if after:
        found = _with_noun(number, after[1], text, match.start())
        if found:
            return found
    if match["number"] in ("I", "V", "X", "C", "D", "M", "L", "Х", "І") and single:
        return None
    if any(char in "LCDM" for char in match["number"]) and number > 39:
        return None
    return cardinal(number)


def _ruler(number: int, name: str, text: str, at: int) -> str | None:
    """``Пётр I``, ``при Екатерине II``."""
    cases = governed(text, at)
    ways = [form for form in forms(name.lower()) if form.animate and not form.plural]
    if not ways:
        return None
    ways = [form for form in ways if form.lemma in _QUEENS or form.gender == "masc"] or ways
    cases = _RULERS if cases is ANY else cases
    way = next((form for case in cases for form in ways if form.case == case), ways[0])
    case = "gent" if way.case == "accs" and way.gender == "masc" else way.case
    return ordinal(number, case, way.gender if way.gender in ("masc", "femn") else "masc")


def _with_noun(number: int, word: str, text: str, at: int) -> str | None:
    cases = governed(text, at)
    ways = forms(word.lower())
    if ways and ways[0].part == "ADJF":
        adjective = ways[0]
        return ordinal(number, adjective.case, adjective.gender or "masc", adjective.plural)
    for case in cases if cases is not ANY else _GENERIC:
        for form in ways:
            if form.part == "NOUN" and not form.fixed and form.case == case:
                return ordinal(number, case, form.gender or "masc", form.plural)
    return None
